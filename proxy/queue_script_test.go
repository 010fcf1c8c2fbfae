package proxy

import (
	"testing"
	"time"

	"github.com/weir-lb/weir/balancer"
)

func TestFreedSlotGoesToTheQueuedRequest(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	s := sc.Server("s1")
	sc.Client(1).Send(getA)
	s.Want("the only slot goes to the first request", getA)
	sc.Client(2).Send(getB)
	sc.WantIdle("the second request waits in the queue")
	s.Send(ok)
	sc.Client(1).Want("the first is answered", ok)
	s.Accept("the slot is free").Want("the queued request goes out", getB)
	s.Send(hello)
	sc.Client(2).Want("and is answered", hello)
	sc.WantLog("the first", "200 ---- be/s1 0 0/0")
	sc.WantLog("the second waited", "200 ---- be/s1 0 0/1")
	sc.Client(2).Send(getC)
	s.conns[0].Want("nobody is in the way", getC)
	s.conns[0].Send(ok)
	sc.Client(2).Want("", ok)
	sc.WantLog("the client's next request did not wait", "200 ---- be/s1 0 0/0")
}

func TestFreedSlotGoesToTheLongestWaiterOfAllLoops(t *testing.T) {
	for seed := uint64(1); seed <= 30; seed++ {
		sc := newSeededScript(t, site(ModeHTTP, 1).limited(1).loops(2), seed)
		s := sc.Server("s1")
		requests := []string{getA, getB, getC, postA}
		for n := range requests {
			sc.ClientOn(n, n%2).Send(requests[n])
		}
		for n := range requests {
			s.Accept("each on a connection of its loop").Want("in the order of arrival", requests[n])
			s.WantNoConnection("one at a time")
			s.Send(ok)
			sc.Client(n).Want("its answer", ok)
		}
		sc.finish()
	}
}

func TestQueueTimeout(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	s := sc.Server("s1")
	sc.Client(1).Send(getA)
	s.Want("", getA)
	sc.Client(2).Send(getB)
	sc.Expire("timeout queue", 20*time.Second)
	sc.Client(2).WantStart("waited too long", sorry503)
	sc.WantLog("", "503 sQ-- be/<NOSRV> 0 0/1")
	s.Send(ok)
	sc.Client(1).Want("the slot was not touched", ok)
	sc.Client(2).Send(getC)
	s.Want("and is free for the next", getC)
	s.Send(ok)
	sc.Client(2).Want("", ok)
}

func TestClientGoneWhileQueued(t *testing.T) {
	for name, leave := range map[string]func(*peer){"reset": (*peer).Reset, "close with abortonclose": (*peer).Close} {
		t.Run(name, func(t *testing.T) {
			cfg := site(ModeHTTP, 1).limited(1)
			cfg.Backends[0].AbortOnClose = true
			sc := newScript(t, cfg)
			s := sc.Server("s1")
			sc.Client(1).Send(getA)
			s.Want("", getA)
			sc.Client(2).Send(getB)
			sc.Client(3).Send(getC)
			leave(sc.Client(2))
			sc.settle()
			if q := sc.p.plan.Load().backends[0].live.bal.Queued(); q != 1 {
				t.Errorf("%d wait, want the third client alone", q)
			}
			s.Send(ok)
			sc.Client(1).Want("", ok)
			s.Accept("the slot goes to who still waits").Want("", getC)
			s.Send(ok)
			sc.Client(3).Want("", ok)
		})
	}
}

func TestClientThatClosedStillHasItsTurnWithoutAbortonclose(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1))
	s := sc.Server("s1")
	sc.Client(1).Send(getA)
	s.Want("", getA)
	sc.Client(2).Send(getB)
	sc.Client(2).CloseWrite()
	s.Send(ok)
	sc.Client(1).Want("", ok)
	s.Accept("FIN does not say that it has gone").Want("", getB)
	s.Send(hello)
	sc.Client(2).Want("it has not", hello)
	sc.Client(2).WantEOF("")
}

// A grant is posted to the waiter's loop; until that turns, the waiter may go.
func TestSlotIsNotLostWhenGrantAndLeaveCross(t *testing.T) {
	for name, leave := range map[string]func(*script){
		"reset":         func(sc *script) { sc.Client(2).end.Reset(); sc.Client(2).ended = true },
		"queue timeout": func(sc *script) { sc.sk.Advance(20*time.Second + 10*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScript(t, site(ModeHTTP, 1).limited(1).loops(2))
			s := sc.Server("s1")
			sc.ClientOn(1, 0).Send(getA)
			s.Want("", getA)
			sc.ClientOn(2, 1).Send(getB)
			sc.ClientOn(3, 0).Send(getC)
			sc.WantIdle("two wait")
			s.last("").end.Send([]byte(ok))
			// The first loop frees the slot and grants it to the second client. Its
			// own loop learns of both in one turn, in the order: event, letter, timer.
			for sc.loops[0].Turn(0) > 0 {
			}
			leave(sc)
			for sc.loops[1].Turn(0) > 0 {
			}
			sc.Client(1).Want("", ok)
			if name == "reset" {
				s.Accept("the slot went on").Want("to the next in the queue", getC)
				s.Send(ok)
				sc.Client(3).Want("", ok)
				return
			}
			sc.Client(3).WantStart("its time is over", sorry503)
			s.Accept("letters go before timers").Want("", getB)
			s.Send(ok)
			sc.Client(2).Want("", ok)
		})
	}
}

func TestQueueIsServedWhenTheClientOfTheSlotGoes(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(1).loops(2))
	s := sc.Server("s1")
	sc.ClientOn(1, 0).Send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
	s.last("").WantStart("", "POST")
	sc.ClientOn(2, 1).Send(getB)
	sc.Client(1).Reset()
	s.WantReset("its request can't be finished")
	s.Accept("the slot is free").Want("", getB)
	s.Send(ok)
	sc.Client(2).Want("", ok)
}

func TestQueueThatIsFullAnswersAtOnce(t *testing.T) {
	cfg := site(ModeHTTP, 1).limited(1)
	cfg.Backends[0].Balance.QueueMax = 1
	sc := newScript(t, cfg)
	s := sc.Server("s1")
	sc.Client(1).Send(getA)
	s.Want("", getA)
	sc.WantNoLog("")
	sc.Client(2).Send(getB)
	sc.Client(3).Send(getC)
	sc.Client(3).WantStart("no place", sorry503)
	sc.WantLog("", "503 SQ-- be/<NOSRV> 0 0/0")
	s.Send(ok)
	s.Accept("the second waited").Want("", getB)
	s.Send(ok)
	sc.Client(1).Want("", ok)
	sc.Client(2).Want("", ok)
}

func TestQueuedRequestsGoToAServerThatComesUp(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 2).limited(1))
	be := sc.p.plan.Load().backends[0].live.bal
	be.SetState(be.Servers()[1], balancer.StateDown, 0)
	sc.Client(1).Send(getA)
	sc.Server("s1").Want("", getA)
	sc.Client(2).Send(getB)
	sc.WantIdle("the other server is down")
	be.SetState(be.Servers()[1], balancer.StateUp, 0)
	sc.Server("s2").Want("now it is up", getB)
	sc.Server("s2").Send(ok)
	sc.Client(2).Want("", ok)
	sc.Server("s1").Send(ok)
	sc.Client(1).Want("", ok)
}

func TestServerMaxconnHoldsAcrossLoops(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1).limited(3).loops(2))
	s := sc.Server("s1")
	for n := range 10 {
		sc.ClientOn(n, n%2).Send(getA)
	}
	for range 3 {
		s.Accept("three slots").Want("", getA)
	}
	sc.WantIdle("and no more")
	for n := range 7 {
		s.conns[n].Send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
		s.Accept("the next").Want("", getA)
		sc.settle()
		if got := sc.p.plan.Load().backends[0].live.bal.Servers()[0].Current(); got != 3 {
			t.Errorf("%d slots are taken", got)
		}
	}
}

func TestTCPSessionsQueueAsWell(t *testing.T) {
	sc := newScript(t, site(ModeTCP, 1).limited(1).loops(2))
	s := sc.Server("s1")
	sc.ClientOn(1, 0).Send("one")
	s.Want("", "one")
	sc.ClientOn(2, 1).Send("two")
	sc.ClientOn(3, 0).Send("three")
	sc.WantIdle("they wait")
	sc.Client(2).Reset()
	sc.WantLog("gone", "CQ be/<NOSRV> 0 0/1")
	sc.Client(1).Close()
	s.WantEOF("")
	s.Close()
	sc.WantLog("the first", "-- be/s1 0 0/0")
	s.Accept("the slot is free").Want("what was sent meanwhile goes out", "three")
	sc.ClientOn(4, 1)
	sc.Expire("timeout queue", 20*time.Second)
	sc.Client(4).WantEOF("")
	sc.WantLog("the last", "sQ be/<NOSRV> 0 0/1")
}
