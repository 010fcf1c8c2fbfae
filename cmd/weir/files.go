package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// expandFolders replaces each folder by its visible *.cfg files, in the order
// of their bytes (management.txt: -f).
func expandFolders(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("config : Cannot open configuration file/directory %s : %w", name, reason(err))
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		entries, err := os.ReadDir(name) // sorted by name
		if err != nil {
			return nil, fmt.Errorf("config : Cannot open configuration file/directory %s : %w", name, reason(err))
		}
		for _, e := range entries {
			if path := filepath.Join(name, e.Name()); isConfigFile(path, e) {
				files = append(files, path)
			}
		}
	}
	return files, nil
}

func isConfigFile(path string, e fs.DirEntry) bool {
	if strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".cfg" {
		return false
	}
	info, err := os.Stat(path) // a link counts as what it leads to
	return err == nil && info.Mode().IsRegular()
}

// reason is an error without the operation and the path that it was about.
func reason(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}
