package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weir-lb/weir/bench/result"
)

// Write puts results.json, report.md and the charts into dir.
func Write(dir string, run *result.Run) error {
	raw, err := json.MarshalIndent(run, "", " ")
	if err != nil {
		return fmt.Errorf("can't write the results: %w", err)
	}
	files := pages(run)
	files["results.json"] = append(raw, '\n')
	return writeFiles(dir, files)
}

// Publish makes dir a copy of the report without the raw results. What was there
// is replaced.
func Publish(dir string, run *result.Run) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("can't replace the published report: %w", err)
	}
	return writeFiles(dir, pages(run))
}

// pages is what people read.
func pages(run *result.Run) map[string][]byte {
	files := map[string][]byte{"report.md": Markdown(run)}
	for _, c := range chartsOf(run) {
		files[c.file] = c.svg
	}
	return files
}

func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("can't make room for the report: %w", err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return fmt.Errorf("can't write the report: %w", err)
		}
	}
	return nil
}
