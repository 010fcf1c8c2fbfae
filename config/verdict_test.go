package config

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const haproxyBinary = "/usr/sbin/haproxy"

// verdictsFile lists the golden files that weir means to judge otherwise than
// the HAProxy at hand, each with a reason.
const verdictsFile = "testdata/verdicts"

// Every golden file is shown to HAProxy as well: both accept it, or both
// refuse it, or the difference is deliberate and written down.
func TestVerdictsAreHAProxys(t *testing.T) {
	if _, err := os.Stat(haproxyBinary); err != nil {
		if !strings.Contains(os.Getenv("WEIR_WITHOUT"), "haproxy") {
			t.Fatalf("no %s to compare with (WEIR_WITHOUT=haproxy says that you know): %v", haproxyBinary, err)
		}
		return
	}
	differences := readVerdicts(t)
	files := goldenFiles(t)
	for name := range differences {
		if !slices.Contains(files, filepath.Join("testdata", name+".txt")) {
			t.Errorf("%s names %s, which is no golden file", verdictsFile, name)
		}
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		reason, listed := differences[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := readArchive(t, path)
			_, refusedHere := a.get("want.err")
			output, refusedThere := askHAProxy(t, a)
			switch {
			case refusedHere != refusedThere && !listed:
				t.Errorf("weir refuses it: %v, HAProxy: %v; write down why in %s, or change one\n%s",
					refusedHere, refusedThere, verdictsFile, output)
			case refusedHere == refusedThere && listed:
				t.Errorf("the verdicts agree now; take it out of %s (%s)", verdictsFile, reason)
			}
		})
	}
}

func readVerdicts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(verdictsFile)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			t.Errorf("%s: %s has no reason", verdictsFile, name)
		}
		list[name] = strings.TrimSpace(reason)
	}
	return list
}

// askHAProxy checks the archive's files with the real binary. Exit status 2 of
// -c means that the file is right but has nothing to listen on.
func askHAProxy(t *testing.T, a *archive) (output string, refused bool) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-c"}
	for _, p := range a.parts {
		if strings.HasPrefix(p.name, "want.") {
			continue
		}
		file := filepath.Join(dir, p.name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(p.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(p.name, ".cfg") {
			args = append(args, "-f", p.name)
		}
	}
	cmd := exec.Command(haproxyBinary, args...)
	cmd.Dir = dir
	for name, value := range testEnv(a).Vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("can't run HAProxy: %v", err)
	}
	return firstAlert(string(out)), err != nil && !(exit.ExitCode() == 2 && strings.Contains(string(out), "has no error"))
}

func firstAlert(out string) string {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "[ALERT]") {
			return line
		}
	}
	return ""
}
