//go:build weirdebug

package evloop_test

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
)

func TestCallsFromAnotherGoroutinePanic(t *testing.T) {
	l := newLoop(t)
	go l.Run()
	running := make(chan struct{})
	var f evloop.FD
	var timer evloop.Timer
	h := &handler{}
	hold := make(chan struct{})
	l.Do(func() {
		close(running)
		<-hold // inside a turn
	})
	<-running
	for name, call := range map[string]func(){
		"close": func() { l.Close(&f) },
		"timer": func() { l.SetTimer(&timer, h, 0, 1) },
		"again": func() { l.Again(&f) },
		"turn":  func() { l.Turn(0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if msg, _ := recover().(string); !strings.Contains(msg, "evloop: loop 0") {
					t.Errorf("panic %q", msg)
				}
			}()
			call()
		})
	}
	stopped := make(chan struct{})
	l.Do(func() { close(stopped) })
	l.Stop()
	close(hold)
	<-stopped
}

func TestUseOfAClosedDescriptorPanics(t *testing.T) {
	defer func() {
		if msg, _ := recover().(string); !strings.Contains(msg, "closed FD") {
			t.Errorf("panic %q", msg)
		}
	}()
	var f evloop.FD
	f.Read(make([]byte, 1))
}
