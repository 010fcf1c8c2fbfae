package h2

import (
	"strings"
	"testing"
	"time"
)

// SETTINGS that make windows smaller may make them negative; nothing is sent until
// they are positive again (RFC 9113 section 6.9.2).
func TestWindowsMayBecomeNegative(t *testing.T) {
	r := openRig(t)
	s := r.request(1, true)
	if got := r.c.Room(s); got != 16384 {
		t.Fatalf("room %d at first, want one frame", got)
	}
	r.c.Out = r.c.AppendData(r.c.Out[:0], s, make([]byte, 16384), false)
	r.send(settingsFrame(settingWindow, 100))
	if s.send != 100-16384 || r.c.Room(s) != 0 {
		t.Errorf("window %d, room %d", s.send, r.c.Room(s))
	}
	r.send(windowFrame(1, 16384))
	if got := r.c.Room(s); got != 100 {
		t.Errorf("room %d after an update, want 100", got)
	}
}

func TestConnectionsWindowBoundsAllStreams(t *testing.T) {
	r := openRig(t)
	a, b := r.request(1, true), r.request(3, true)
	for range 4 {
		r.c.AppendData(nil, a, make([]byte, r.c.Room(a)), false)
	}
	if got := r.c.Room(b); got != 0 || !r.c.Blocked(b) {
		t.Errorf("room %d for the second stream, want 0 (%d left)", got, r.c.send)
	}
	r.send(windowFrame(0, 500))
	if got := r.c.Room(b); got != 500 {
		t.Errorf("room %d, want 500", got)
	}
}

// What the caller keeps closes the stream's window, what it uses up opens it; one
// slow stream leaves the others theirs.
func TestWindowsFollowWhatIsUsedUp(t *testing.T) {
	r := openRig(t)
	slow, quick := r.request(1, false, postFields...), r.request(3, false, postFields...)
	piece := strings.Repeat("x", 16000)
	for range 4 {
		if got := r.play(dataFrame(1, false, piece)); got != "data 1" {
			t.Fatal(got)
		}
	}
	if r.play(dataFrame(1, false, piece)) != "reset 1 FLOW_CONTROL_ERROR" {
		t.Error("more than the window was taken")
	}
	_ = slow
	for i := range 1000 {
		if got := r.play(dataFrame(3, false, piece)); got != "data 3" {
			t.Fatalf("piece %d of the quick stream: %s", i, got)
		}
		r.c.Used(quick, len(piece))
	}
	if quick.buffered != 0 || quick.receive <= 0 || r.c.buffered != 0 {
		t.Errorf("buffered %d, window %d, of the connection %d", quick.buffered, quick.receive, r.c.buffered)
	}
}

// All streams together may not have us keep more than bufferedMax.
func TestConnectionKeepsABoundedNumberOfBytes(t *testing.T) {
	r := openRig(t)
	r.lim.Streams = 100
	piece := strings.Repeat("x", 16000)
	total := 0
	for id := uint32(1); id < 200; id += 2 {
		r.request(id, false, postFields...)
		for range 4 {
			got := r.play(dataFrame(id, false, piece))
			if got == lostFlow {
				if total > bufferedMax || total < bufferedMax-4*len(piece) {
					t.Errorf("%d bytes were taken, want about %d", total, bufferedMax)
				}
				return
			}
			total += len(piece)
		}
	}
	t.Errorf("%d bytes were taken", total)
}

// Our own SETTINGS hold for what comes once they are acknowledged.
func TestSmallInitialWindowHoldsAfterTheAcknowledgment(t *testing.T) {
	r := newRig(t)
	r.lim.Window = 1000
	r.c.Init(&r.lim, r.c.sc, nil)
	r.send(Preface + settingsFrame())
	s := r.request(1, false, postFields...)
	if got := r.play(dataFrame(1, false, strings.Repeat("x", 5000))); got != "answer 4, answer 4" && !strings.HasPrefix(got, "data 1") {
		t.Fatalf("before the acknowledgment: %s", got)
	}
	r.send(settingsAck())
	if s.receive != 1000-5000 {
		t.Errorf("window %d, want %d", s.receive, 1000-5000)
	}
	r.c.Used(s, 5000)
	if s.receive != 1000 {
		t.Errorf("window %d after all was used up, want 1000", s.receive)
	}
}

// Each of these goes on for ever; each has an end here, and before that what they
// cost us is bounded.
func TestFloodsEndTheConnection(t *testing.T) {
	get := block(getFields...)
	id := uint32(1)
	next := func() uint32 { id += 2; return id }
	for name, frames := range map[string]func() string{
		"PING":                        pingFrame,
		"SETTINGS":                    func() string { return settingsFrame() },
		"acknowledgments":             settingsAck,
		"PRIORITY":                    func() string { return wire(FramePriority, 0, 1, "\x00\x00\x00\x00\x10") },
		"unknown frames":              func() string { return wire(0x50, 0, 0, "") },
		"GOAWAY":                      func() string { return wire(FrameGoAway, 0, 0, "12345678") },
		"empty DATA":                  func() string { return dataFrame(1, false, "") },
		"small window updates":        func() string { return windowFrame(1, 1) },
		"updates of a closed stream":  func() string { return resetFrame(1, Cancel) + windowFrame(1, 1000) },
		"rapid reset":                 func() string { n := next(); return headersFrame(n, true, get) + resetFrame(n, Cancel) },
		"malformed requests":          func() string { return headersFrame(next(), true, block(":method", "GET")) },
		"resets provoked by windows":  func() string { n := next(); return headersFrame(n, true, get) + windowFrame(n, 0) },
		"resets provoked by DATA":     func() string { n := next(); return headersFrame(n, true, get) + dataFrame(n, true, "x") },
		"resets provoked by overflow": func() string { n := next(); return headersFrame(n, true, get) + windowFrame(n, 1<<31-1) },
	} {
		id = 1
		r := openRig(t)
		r.request(1, false, postFields...)
		lost, answered := false, 0
		for i := 0; i < 5000 && !lost; i++ {
			r.send(frames())
			for r.ev.Kind != EventNone && r.ev.Kind != EventLost {
				if r.ev.Kind == EventRequest {
					r.c.Accept(new(Stream), &r.ev)
				}
				r.more()
			}
			lost = r.ev.Kind == EventLost
			answered += len(r.c.Out)
			if !lost {
				r.c.Out = r.c.Out[:0]
			}
		}
		if !lost || r.ev.Code != EnhanceYourCalm || r.c.Reason() != ReasonBudget {
			t.Errorf("%s: lost %v, %v (%v)", name, lost, r.ev.Code, r.c.Reason())
		}
		if answered > glitchBurst*40 {
			t.Errorf("%s: %d bytes of answers", name, answered)
		}
	}
}

// What browsers do is none of that: a hundred requests at once that are cancelled
// now and then, and thousands that are answered.
func TestBudgetsFillUpAgain(t *testing.T) {
	r := openRig(t)
	get := block(getFields...)
	r.lim.Streams = 100
	id := uint32(1)
	for page := range 200 {
		for range 100 {
			r.send(headersFrame(id, true, get))
			if r.ev.Kind != EventRequest {
				t.Fatalf("page %d: %+v %v", page, r.ev, r.c.Reason())
			}
			s := new(Stream)
			r.c.Accept(s, &r.ev)
			if page%3 == 0 {
				r.send(resetFrame(id, Cancel))
			} else {
				r.c.AppendData(nil, s, nil, true)
			}
			id += 2
		}
		r.now += 100 * time.Millisecond
	}
	if r.c.Streams() != 0 {
		t.Errorf("%d streams are open", r.c.Streams())
	}
}
