package health

import (
	"sync"
	"testing"
	"time"
)

func observed(t *testing.T, srv ServerSpec) *scene {
	t.Helper()
	srv.Observe, srv.Inter, srv.FastInter = ObserveLayer7, inter, inter/10
	sc := newScene(t, Spec{}, srv, nil)
	sc.next()
	sc.want("first check", "L4OK UP")
	return sc
}

func (sc *scene) observe(o Observation, times int) {
	for range times {
		sc.checker.Observe(o)
	}
}

func TestErrorsInARowCount(t *testing.T) {
	sc := observed(t, ServerSpec{ErrorLimit: 3})
	sc.observe(ObservedStatus, 2)
	sc.checker.Observed(true)
	sc.observe(ObservedStatus, 2)
	sc.wantNone("a right answer starts over")
	sc.observe(ObservedReadTimeout, 1)
	sc.sk.Settle(sc.loop)
	if r := sc.reports[0]; !r.Observed || !r.Result || !r.Noted {
		t.Errorf("got %+v", r)
	}
	sc.want("three in a row", "HANA UP 2/3: Detected 3 consecutive errors, last one was: Read timeout (http)")
	sc.observe(ObservedConnect, 3)
	sc.want("three more", "HANA UP 1/3: Detected 3 consecutive errors, last one was: L4 unsuccessful connection")
	sc.observe(ObservedClosed, 3)
	if sc.sk.Settle(sc.loop); !sc.reports[0].Alert {
		t.Error("going down is an alert")
	}
	sc.want("three more", "HANA DOWN!: Detected 3 consecutive errors, last one was: Close from server (http)")
	sc.observe(ObservedStatus, 30)
	sc.wantNone("it is down already")
}

func TestOnError(t *testing.T) {
	for _, tt := range []struct {
		name string
		mode OnError
		want string // of the first report; empty: none
	}{
		{"fail-check", OnErrorFailCheck, "HANA UP 2/3: Detected 2 consecutive errors, last one was: Invalid http response"},
		{"sudden-death", OnErrorSuddenDeath, "HANA UP 1/3: Detected 2 consecutive errors, last one was: Invalid http response"},
		{"mark-down", OnErrorMarkDown, "HANA DOWN!: Detected 2 consecutive errors, last one was: Invalid http response"},
		{"fastinter", OnErrorFastInter, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := observed(t, ServerSpec{ErrorLimit: 2, OnError: tt.mode, ShutdownOnDown: true})
			sc.checker.Observed(false)
			sc.checker.Observed(false)
			if tt.want == "" {
				sc.wantNone("only the interval changes")
			} else {
				if sc.sk.Settle(sc.loop); sc.reports[0].ShutdownSessions != (tt.mode == OnErrorMarkDown) {
					t.Errorf("got %+v", sc.reports[0])
				}
				sc.want("limit", tt.want)
			}
			sc.pass(inter/10 + time.Millisecond)
			if sc.server.Accept() == nil {
				t.Error("the next check does not come soon")
			}
		})
	}
}

func TestObservationsOfAStoppedCheckerDoNothing(t *testing.T) {
	sc := observed(t, ServerSpec{ErrorLimit: 1})
	sc.checker.Stop()
	sc.observe(ObservedStatus, 5)
	sc.wantNone("stopped")
}

func TestObserveFromManyGoroutines(t *testing.T) {
	sc := observed(t, ServerSpec{ErrorLimit: 10, OnError: OnErrorMarkDown})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 1000 {
				sc.checker.Observed(i%2 == 0)
				sc.checker.Observe(ObservedStatus)
			}
		})
	}
	all.Wait()
	sc.observe(ObservedStatus, 10)
	sc.sk.Settle(sc.loop)
	if sc.checker.Verdict().Up() {
		t.Error("ten errors in a row did not take it down")
	}
}
