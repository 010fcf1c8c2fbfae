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
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("can't make room for the report: %w", err)
	}
	raw, err := json.MarshalIndent(run, "", " ")
	if err != nil {
		return fmt.Errorf("can't write the results: %w", err)
	}
	files := map[string][]byte{"results.json": append(raw, '\n'), "report.md": Markdown(run)}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return fmt.Errorf("can't write the report: %w", err)
		}
	}
	return nil
}
