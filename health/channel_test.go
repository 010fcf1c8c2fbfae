package health

import (
	"errors"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// A spoken channel shakes hands by one byte of the server, which is '!' when it
// refuses, and then adds one to every byte that it sends, and takes one off what
// comes.
type spoken struct{ closed, orderly bool }

func (s *spoken) Shake(fd *evloop.FD) (over bool, err error) {
	b := make([]byte, 1)
	switch _, res := fd.Read(b); {
	case res == evloop.Again:
		return false, nil
	case res != evloop.Done, b[0] == '!':
		return true, errors.New("refused")
	}
	return true, nil
}

func (s *spoken) Read(fd *evloop.FD, p []byte) (int, evloop.Result) {
	n, res := fd.Read(p)
	for i := range p[:n] {
		p[i]--
	}
	return n, res
}

func (s *spoken) Write(fd *evloop.FD, p []byte) (int, evloop.Result) {
	shifted := make([]byte, len(p))
	for i := range p {
		shifted[i] = p[i] + 1
	}
	return fd.Write(shifted)
}

func (s *spoken) Close(_ *evloop.FD, orderly bool) { s.closed, s.orderly = true, orderly }

func shifted(text string) string {
	b := []byte(text)
	for i := range b {
		b[i]++
	}
	return string(b)
}

func newSpokenScene(t *testing.T, spec Spec, change func(*Target)) (*scene, *[]*spoken) {
	var made []*spoken
	sc := newScene(t, spec, ServerSpec{Fall: 1, Rise: 1}, func(target *Target) {
		target.Secure = func(*Checker) Channel {
			made = append(made, &spoken{})
			return made[len(made)-1]
		}
		if change != nil {
			change(target)
		}
	})
	return sc, &made
}

func TestChannelShakesHandsFirst(t *testing.T) {
	sc, made := newSpokenScene(t, Spec{}, nil)
	e := sc.next()
	sc.wantNone("the server has not answered the handshake")
	sc.answer(e, "k", false)
	sc.want("the handshake is enough", "L6OK UP")
	if s := (*made)[0]; !s.closed {
		t.Error("the channel was not closed")
	}
	e = sc.next()
	sc.answer(e, "!", false)
	sc.want("the server refuses", "L6RSP DOWN!: SSL handshake failure")
}

func TestChannelHasItsOwnTime(t *testing.T) {
	sc, made := newSpokenScene(t, Spec{Timeout: time.Second}, nil)
	sc.next()
	sc.pass(1500 * time.Millisecond)
	sc.want("no answer to the handshake", "L6TOUT DOWN!")
	if !(*made)[0].closed {
		t.Error("the channel was not closed")
	}
}

func TestChannelCarriesTheCheck(t *testing.T) {
	sc, _ := newSpokenScene(t, Spec{Kind: HTTP}, nil)
	e := sc.next()
	sc.answer(e, "k", false)
	if got := string(e.Recv()); got != shifted("OPTIONS / HTTP/1.0\r\n\r\n") {
		t.Errorf("the server got %q", got)
	}
	sc.answer(e, shifted(response), false)
	sc.want("the answer comes through the channel", "L7OK 200 UP")
}

// A script that says how to connect does so in the clear, unless check-ssl wants
// it otherwise.
func TestChannelOfAScript(t *testing.T) {
	spec := Spec{Kind: Script, Steps: []Step{{Kind: StepConnect}}}
	sc, made := newSpokenScene(t, spec, nil)
	sc.next()
	sc.want("clear", "L4OK UP: (tcp-check)")
	if len(*made) > 0 {
		t.Error("a channel was made")
	}
	sc, _ = newSpokenScene(t, spec, func(target *Target) { target.SecureAll = true })
	e := sc.next()
	sc.answer(e, "k", false)
	sc.want("check-ssl", "L6OK UP: (tcp-check)")
}
