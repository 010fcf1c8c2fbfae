package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/weir-lb/weir/config"
)

// messages prints to the terminal the way HAProxy does:
//
//	[WARNING]  (4711) : config : missing timeouts for frontend 'www'.
//
// Before the first warning or alert it says who is speaking, as that output
// ends up in bug reports. Loops may speak at the same time.
type messages struct {
	mu    sync.Mutex
	out   io.Writer
	quiet bool
	said  bool // who is speaking
}

func (m *messages) notice(format string, args ...any) { m.print("NOTICE", format, args...) }

func (m *messages) warning(format string, args ...any) {
	m.introduce()
	m.print("WARNING", format, args...)
}

func (m *messages) alert(format string, args ...any) {
	m.introduce()
	m.print("ALERT", format, args...)
}

func (m *messages) introduce() {
	m.mu.Lock()
	said := m.said
	m.said = true
	m.mu.Unlock()
	if said {
		return
	}
	m.notice("weir version is %s (HAProxy language %s)", weirVersion(), config.LanguageVersion)
	if path, err := os.Executable(); err == nil {
		m.notice("path to executable is %s", path)
	}
}

// print writes one message; further lines of it are indented behind a bar.
func (m *messages) print(level, format string, args ...any) {
	if m.quiet {
		return
	}
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	text = strings.ReplaceAll(text, "\n", "\n   | ")
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintf(m.out, "%-11s(%d) : %s\n", "["+level+"]", os.Getpid(), text)
}
