package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/evloop/simkernel"
)

const okLong = "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"

func TestLongBodiesAreSpliced(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	body := text(300_000)
	c.end.Send(fmt.Appendf(nil, "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s", len(body), body+getB))
	s.Want("all of the body, and not the next request",
		fmt.Sprintf("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", len(body))+body)
	if n := sc.p.pipes.Load(); n != 1 {
		t.Errorf("%d pipes were used for the request, want 1", n)
	}
	s.Send(fmt.Sprintf(okLong, len(body)) + body)
	c.Want("the answer", fmt.Sprintf(okLong, len(body))+body)
	if n := sc.p.pipes.Load(); n != 1 {
		t.Errorf("%d pipes were used, want the one of before", n)
	}
	s.Want("the next request, on the same connection", getB)
	s.Send(ok)
	c.Want("its answer", ok)
	sc.settle()
	if n := len(sc.p.workers[0].pipes); n != 1 {
		t.Errorf("%d pipes are free, want 1", n)
	}
	sc.WantLog("", "200 ---- be/s1 0 0/0")
	sc.WantLog("", "200 ---- be/s1 0 0/0")
}

func TestShortBodiesAreCopied(t *testing.T) {
	for name, change := range map[string]func(cfg *Config){
		"short":    func(*Config) {},
		"nosplice": func(cfg *Config) { cfg.Global.Tune.NoSplice = true },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1)
			change(cfg)
			sc := newScript(t, cfg)
			c, s := sc.Client(1), sc.Server("s1")
			body := text(300_000)
			if name == "short" {
				body = text(20_000)
			}
			c.Send(getA)
			s.Want("", getA)
			s.Send(fmt.Sprintf(okLong, len(body)) + body)
			c.Want("", fmt.Sprintf(okLong, len(body))+body)
			if n := sc.p.pipes.Load(); n != 0 {
				t.Errorf("%d pipes were used, want none", n)
			}
		})
	}
}

func TestBodyUntilCloseIsSpliced(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("", getA)
	body := text(300_000)
	s.Send("HTTP/1.1 200 OK\r\n\r\n" + body)
	s.Close()
	c.Want("", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"+body)
	c.WantEOF("the end of the connection ends the body")
	if n := sc.p.pipes.Load(); n != 1 {
		t.Errorf("%d pipes were used, want 1", n)
	}
	sc.WantLog("", "200 ---- be/s1 0 0/0")
}

// A client that is slow at the end of a long body does not hold the server.
func TestServerIsFreeWhileTheLastPipeDrains(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 40<<10, 40<<10
	slow, next, s := sc.Client(1), sc.Client(2), sc.Server("s1")
	slow.end.Pause()
	slow.Send(getA)
	s.Want("", getA)
	body := text(85_000) // a little more than both of the client's buffers hold
	s.Send(fmt.Sprintf(okLong, len(body)) + body)
	next.Send(getB)
	s.Accept("the slot is free, though the client has not taken all").Want("", getB)
	s.Send(ok)
	next.Want("", ok)
	slow.end.Resume()
	slow.Want("the rest", fmt.Sprintf(okLong, len(body))+body)
}

func TestSplicedBodiesArriveWholeUnderFaults(t *testing.T) {
	for seed := uint64(1); seed <= 60; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 1).loops(2), seed)
		sc.sk.Faults = simkernel.Faults{ShortRead: 0.1, ShortWrite: 0.2, Again: 0.2, Spurious: 0.1}
		sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 50<<10, 50<<10
		c, s := sc.Client(1), sc.Server("s1")
		up, down := text(160_000+int(seed)), text(170_000+int(seed))
		for range 3 {
			c.Send(fmt.Sprintf("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", len(up)) + up)
			sc.settle()
			if s.last("") == nil {
				s.Accept("")
			}
			if _, got, _ := strings.Cut(string(s.last("").end.Take()), "\r\n\r\n"); got != up {
				t.Fatalf("seed %d: the server got %s", seed, brief(got))
			}
			s.Send(fmt.Sprintf(okLong, len(down)) + down)
			sc.settle()
			if _, got, _ := strings.Cut(string(c.end.Take()), "\r\n\r\n"); got != down {
				t.Fatalf("seed %d: the client got %s", seed, brief(got))
			}
		}
		sc.finish()
	}
}

func TestEndsWhileABodyIsSpliced(t *testing.T) {
	post := fmt.Sprintf("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", 900_000)
	for name, tc := range map[string]struct {
		end  func(c *peer, s *scriptServer)
		up   bool
		want string
	}{
		"client resets, answer":  {func(c *peer, s *scriptServer) { c.Reset() }, false, "200 CD-- be/s1 0 0/0"},
		"server resets, answer":  {func(c *peer, s *scriptServer) { s.Reset(); c.end.Resume(); c.ended = true }, false, "200 SD-- be/s1 0 0/0"},
		"client resets, request": {func(c *peer, s *scriptServer) { c.Reset() }, true, "-1 CD-- be/s1 0 0/0"},
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1))
			sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 40<<10, 40<<10
			c, s := sc.Client(1), sc.Server("s1")
			if tc.up {
				c.Send(post)
				s.Accept("").end.Pause()
				c.Send(text(500_000))
			} else {
				c.end.Pause()
				c.Send(getA)
				s.Want("", getA)
				s.Send(fmt.Sprintf(okLong, 900_000) + text(500_000))
			}
			if sc.p.pipes.Load() != 1 {
				t.Fatal("nothing is spliced")
			}
			tc.end(c, s)
			sc.settle()
			if tc.up {
				s.last("").ended = true
			}
			sc.WantLog("", tc.want)
		})
	}
}

// The server refuses while the body is under way, and its answer comes through,
// whichever way the body moves.
func TestServerEndsWhileARequestIsSpliced(t *testing.T) {
	for _, copied := range []bool{false, true} {
		cfg := site(ModeHTTP, 1)
		cfg.Global.Tune.NoSplice = copied
		sc := newSeededScript(t, cfg, 1)
		sc.sk.SendBuffer, sc.sk.ReceiveBuffer = 40<<10, 40<<10
		c, s := sc.Client(1), sc.Server("s1")
		c.Send(fmt.Sprintf("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", 900_000))
		s.Accept("").end.Pause()
		c.Send(text(500_000))
		s.last("").end.Send([]byte("HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno"))
		c.WantStart("the answer", "HTTP/1.1 413 ")
		s.Reset()
		sc.settle()
		c.ended = true
		sc.WantLog("", "413 SL-- be/s1 0 0/0")
		sc.finish()
	}
}
