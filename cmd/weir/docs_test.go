package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fenced returns the blocks of a language in the documents.
func fenced(t *testing.T, language string) (blocks []string) {
	t.Helper()
	var names []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(text), "\n```"+language+"\n")
		for _, part := range parts[1:] {
			block, _, _ := strings.Cut(part, "\n```")
			blocks = append(blocks, block+"\n")
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("no %s block in any document", language)
	}
	return blocks
}

func TestConfigurationsInDocumentsAreValid(t *testing.T) {
	for _, block := range fenced(t, "haproxy") {
		p := start(t, "-c", "-dW", "-f", write(t, "document.cfg", block))
		p.wantEnd("exit 0")
	}
}

func TestProgramsInDocumentsAreTheOnesThatCompile(t *testing.T) {
	program, err := os.ReadFile("../../examples/embed/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fenced(t, "go") {
		if !strings.Contains(string(program), block) {
			t.Errorf("not in examples/embed/main.go:\n%s", block)
		}
	}
}

func TestExamplesAreValidAsTheyAre(t *testing.T) {
	names, err := filepath.Glob("../../examples/*.cfg")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples (%v)", err)
	}
	for _, name := range names {
		start(t, "-c", "-dW", "-f", name).wantEnd("exit 0")
	}
}
