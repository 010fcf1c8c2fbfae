package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestMessagesLookLikeHAProxys(t *testing.T) {
	var out bytes.Buffer
	m := messages{out: &out, said: true}
	m.notice("one")
	m.warning("two\nand more")
	m.alert("three %d", 3)
	pid := os.Getpid()
	want := fmt.Sprintf("[NOTICE]   (%d) : one\n[WARNING]  (%d) : two\n   | and more\n[ALERT]    (%d) : three 3\n", pid, pid, pid)
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestFirstAlertSaysWhoSpeaks(t *testing.T) {
	var out bytes.Buffer
	m := messages{out: &out}
	m.alert("one")
	m.alert("two")
	if n := strings.Count(out.String(), "weir version is"); n != 1 {
		t.Errorf("the version stands there %d times, want once:\n%s", n, out.String())
	}
}

func TestQuietMeansSilent(t *testing.T) {
	var out bytes.Buffer
	m := messages{out: &out, quiet: true}
	m.alert("one")
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
}
