package difftest

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// A Step is one line of a script:
//
//	c1 connect [from IP] [to FRONT]  open a client connection (a first send does it too)
//	c1 send "TEXT" ["TEXT" ...]      each text in a read of its own
//	c1 want "TEXT"                   wait until TEXT arrives, after the previous want
//	c1 want-or-end "TEXT"            wait until TEXT arrives or the connection ends
//	c1 end                           wait until the proxy has closed or reset
//	c1 fin | close | reset           half-close, close, close with RST
//	c1 gone                          wait until the proxy has closed its side as well
//	s1.2 accept                      wait for the second connection to server s1
//	s1.2 send, want, end, ...        as for clients; waits for the connection first
//	s1 answer "TEXT" [close]         answer every request that comes to s1 from now on
//	s1 stop                          stop listening: further connections are refused
//	log N | log "TEXT"               wait for N lines in all, or for a line with TEXT
type Step struct {
	Line  int
	Actor string
	Verb  string
	Words []string
	Texts [][]byte
}

// verbs holds for each verb whether it wants texts (quoted) after it.
var verbs = map[string]bool{
	"connect": false, "send": true, "want": true, "want-or-end": true, "end": false, "fin": false, "close": false,
	"reset": false, "accept": false, "gone": false, "answer": true, "stop": false, "log": false,
}

func parseScript(text string) ([]Step, error) {
	var steps []Step
	number := 0
	for line := range strings.Lines(text) {
		number++
		words, err := splitWords(strings.TrimRight(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if len(words) == 0 {
			continue
		}
		step, err := parseStep(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		step.Line = number
		steps = append(steps, step)
	}
	return steps, nil
}

func parseStep(words []string) (Step, error) {
	var step Step
	if words[0] == "log" {
		step.Verb = "log"
		words = words[1:]
	} else {
		if len(words) < 2 {
			return step, fmt.Errorf("can't read step %q: want ACTOR VERB", words[0])
		}
		step.Actor, step.Verb = words[0], words[1]
		words = words[2:]
	}
	for _, word := range words {
		if word[0] != '"' {
			step.Words = append(step.Words, word)
			continue
		}
		text, err := ParseText(word[1 : len(word)-1])
		if err != nil {
			return step, err
		}
		step.Texts = append(step.Texts, text)
	}
	wantsText, known := verbs[step.Verb]
	if !known || wantsText && len(step.Texts) == 0 {
		return step, fmt.Errorf("can't read step: verb %q is unknown or lacks its text", step.Verb)
	}
	return step, nil
}

// play runs one step and returns once its condition holds.
func (w *World) play(step *Step) error {
	if step.Verb == "log" {
		return w.playLog(step)
	}
	if step.Actor[0] == 's' && !strings.Contains(step.Actor, ".") {
		return w.playServer(step)
	}
	e, err := w.endFor(step)
	if err != nil || step.Verb == "connect" || step.Verb == "accept" {
		return err
	}
	if e.conn == nil && step.Verb != "end" {
		return fmt.Errorf("can't %s: the connection was reset at once", step.Verb)
	}
	switch step.Verb {
	case "send":
		return w.playSend(e, step.Texts)
	case "want":
		return w.playWant(e, step.Texts[0])
	case "want-or-end":
		return w.wait(stepTimeout, func() bool {
			return e.state != endOpen || bytes.Contains(e.got[e.seen:], step.Texts[0])
		})
	case "end":
		return w.wait(stepTimeout, func() bool {
			e.known = e.state != endOpen
			return e.known
		})
	case "fin":
		return e.conn.CloseWrite()
	case "gone":
		return w.gone(e.conn)
	case "close", "reset":
		return w.playClose(e, step.Verb == "reset")
	}
	return fmt.Errorf("can't play %q here", step.Verb)
}

func (w *World) playClose(e *end, reset bool) error {
	w.mu.Lock()
	if !e.known {
		e.state = endClosed
	}
	w.mu.Unlock()
	if reset {
		e.conn.SetLinger(0)
	}
	return e.conn.Close()
}

// endFor returns the connection of a step: it waits for a server connection,
// and opens a client connection that does not exist yet.
func (w *World) endFor(step *Step) (*end, error) {
	var e *end
	find := func() bool {
		e = w.ends[step.Actor]
		return e != nil
	}
	if step.Actor[0] == 's' {
		err := w.wait(stepTimeout, find)
		return e, err
	}
	w.mu.Lock()
	found := find()
	w.mu.Unlock()
	if found {
		return e, nil
	}
	from, to := "127.0.0.1", "fe"
	for i := 0; step.Verb == "connect" && i+1 < len(step.Words); i += 2 {
		switch step.Words[i] {
		case "from":
			from = step.Words[i+1]
		case "to":
			to = step.Words[i+1]
		}
	}
	return w.connect(step.Actor, to, from)
}

func (w *World) playSend(e *end, texts [][]byte) error {
	for i, text := range texts {
		if i > 0 {
			if err := w.drained(e.conn); err != nil {
				return err
			}
		}
		if _, err := e.conn.Write(text); err != nil {
			return w.sendFailed(e, err)
		}
	}
	return nil
}

// sendFailed says whether a failed write matters: a proxy that has already
// answered and closed makes a write fail or not, as chance has it.
func (w *World) sendFailed(e *end, err error) error {
	if _, ok := err.(*net.OpError); ok {
		return w.wait(stepTimeout, func() bool { return e.state != endOpen })
	}
	return err
}

func (w *World) playWant(e *end, text []byte) error {
	ended := false
	err := w.wait(stepTimeout, func() bool {
		i := bytes.Index(e.got[e.seen:], text)
		if i >= 0 {
			e.seen += i + len(text)
		}
		ended = i < 0 && e.state != endOpen
		return i >= 0 || ended
	})
	if ended {
		return fmt.Errorf("it ended (%s) before %.60q came", e.state, text)
	}
	return err
}

func (w *World) playLog(step *Step) error {
	if len(step.Texts) > 0 {
		text := string(step.Texts[0])
		return w.wait(stepTimeout, func() bool {
			return slices.ContainsFunc(w.logs, func(line string) bool { return strings.Contains(line, text) })
		})
	}
	if len(step.Words) != 1 {
		return fmt.Errorf("can't read log step: want a number or a text")
	}
	n, err := strconv.Atoi(step.Words[0])
	if err != nil {
		return fmt.Errorf("can't read log step: %w", err)
	}
	return w.wait(stepTimeout, func() bool { return len(w.logs) >= n })
}

func (w *World) playServer(step *Step) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.servers[step.Actor]
	if s == nil {
		return fmt.Errorf("can't find server %s in the configuration", step.Actor)
	}
	switch step.Verb {
	case "answer":
		w.setAnswerLocked(s, step.Texts[0], len(step.Words) > 0 && step.Words[0] == "close")
	case "stop":
		return s.listener.Close()
	default:
		return fmt.Errorf("can't play %q on a server: name a connection, as %s.1", step.Verb, step.Actor)
	}
	return nil
}
