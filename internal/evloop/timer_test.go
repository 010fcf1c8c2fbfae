package evloop

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A clockKernel has a clock that stands still until the test moves it, and no
// events. Its other calls are the system's.
type clockKernel struct {
	Kernel
	now    Time
	waited []time.Duration // timeouts of blocking waits
}

func (k *clockKernel) Now() Time { return k.now }

func (k *clockKernel) Wait(_ int, _ []Event, timeout time.Duration) (int, syscall.Errno) {
	if timeout != 0 {
		k.waited = append(k.waited, timeout)
	}
	return 0, 0
}

func newClockLoop(t testing.TB, now Time) (*Loop, *clockKernel) {
	k := &clockKernel{Kernel: System(), now: now}
	l, err := New(Config{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Free)
	return l, k
}

// A timed handler notes which timers were called, and may do more in each call.
type timed struct {
	called []uint8
	also   func(now Time, t *Timer)
}

func (h *timed) HandleTimeout(now Time, t *Timer) {
	h.called = append(h.called, t.Which())
	if h.also != nil {
		h.also(now, t)
	}
}
func (h *timed) HandleReady(Time, *FD)      {}
func (h *timed) HandleLetter(Time, *Letter) {}

func TestTimerIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Timer{}); size > 48 {
		t.Errorf("a Timer has %d bytes, want at most 48", size)
	}
}

func TestTimerIsCalledOnceAtItsDeadline(t *testing.T) {
	for _, after := range []time.Duration{
		1, time.Microsecond, time.Millisecond, 63 * time.Millisecond, 64 * time.Millisecond, time.Second,
		4096 * time.Millisecond, time.Minute, time.Hour, 24 * time.Hour, 400 * 24 * time.Hour, 250 * 365 * 24 * time.Hour,
	} {
		t.Run("after="+after.String(), func(t *testing.T) {
			start := Time(123456789)
			l, k := newClockLoop(t, start)
			var timer Timer
			h := &timed{}
			l.SetTimer(&timer, h, 7, start.Add(after))
			k.now = start.Add(after) - 1
			if l.Turn(0); len(h.called) != 0 {
				t.Fatal("called before its deadline")
			}
			k.now = start.Add(after + time.Millisecond)
			if l.Turn(0); !slices.Equal(h.called, []uint8{7}) || timer.Deadline() != 0 {
				t.Fatalf("called %v with deadline %d, want once and stopped", h.called, timer.Deadline())
			}
			k.now = k.now.Add(time.Hour)
			if l.Turn(0); len(h.called) != 1 {
				t.Fatal("called again")
			}
		})
	}
}

func TestLaterDeadlineOnlyWritesTheExpiry(t *testing.T) {
	l, k := newClockLoop(t, Time(time.Hour))
	var timer Timer
	h := &timed{}
	l.SetTimer(&timer, h, 1, l.Now().Add(100*time.Millisecond))
	level, slot := timer.level, timer.slot
	l.SetTimer(&timer, h, 2, l.Now().Add(10*time.Second))
	if timer.level != level || timer.slot != slot {
		t.Error("a later deadline moved the timer in the wheel")
	}
	for range 10000 {
		k.now += tick
		l.Turn(0)
		if due := k.now >= Time(time.Hour+10*time.Second); due != (len(h.called) == 1) {
			t.Fatalf("at %v: called %v", time.Duration(k.now), h.called)
		}
	}
	if !slices.Equal(h.called, []uint8{2}) {
		t.Errorf("called %v, want once with the last tag", h.called)
	}
}

func TestEarlierDeadlineMoves(t *testing.T) {
	l, k := newClockLoop(t, Time(time.Hour))
	var timer Timer
	h := &timed{}
	l.SetTimer(&timer, h, 1, l.Now().Add(time.Minute))
	l.SetTimer(&timer, h, 1, l.Now().Add(5*time.Millisecond))
	k.now = k.now.Add(6 * time.Millisecond)
	if l.Turn(0); len(h.called) != 1 {
		t.Error("not called at the earlier deadline")
	}
}

func TestStoppedTimerIsNotCalled(t *testing.T) {
	l, k := newClockLoop(t, Time(time.Hour))
	var a, b Timer
	h := &timed{}
	l.SetTimer(&a, h, 1, l.Now().Add(time.Second))
	l.SetTimer(&b, h, 2, l.Now().Add(time.Second))
	l.StopTimer(&a)
	l.StopTimer(&a)
	l.SetTimer(&b, h, 2, 0)
	k.now = k.now.Add(time.Minute)
	if l.Turn(0); len(h.called) != 0 || l.wheel.count != 0 {
		t.Errorf("called %v, %d timers left", h.called, l.wheel.count)
	}
	if _, ok := l.NextTimer(); ok {
		t.Error("NextTimer of an empty wheel")
	}
}

func TestHandlersMaySetAndStopAnyTimer(t *testing.T) {
	// Three timers of one slot. Whichever is called first stops one, sets itself
	// again to the past and leaves the other alone.
	l, k := newClockLoop(t, Time(time.Hour))
	var timers [3]Timer
	h := &timed{}
	h.also = func(now Time, t *Timer) {
		if len(h.called) == 1 {
			l.StopTimer(&timers[(t.Which()+1)%3])
			l.SetTimer(t, h, t.Which(), now-5)
		}
	}
	for i := range timers {
		l.SetTimer(&timers[i], h, uint8(i), l.Now().Add(time.Second))
	}
	k.now = k.now.Add(time.Second)
	l.Turn(0)
	k.now = k.now.Add(time.Millisecond)
	l.Turn(0)
	first := h.called[0]
	if want := []uint8{first, (first + 2) % 3, first}; !slices.Equal(h.called, want) {
		t.Errorf("called %v, want %v", h.called, want)
	}
	if l.wheel.count != 0 {
		t.Errorf("%d timers left", l.wheel.count)
	}
}

func TestPastDeadlineIsDueNow(t *testing.T) {
	l, k := newClockLoop(t, Time(time.Hour))
	var timer Timer
	h := &timed{}
	l.SetTimer(&timer, h, 1, -1)
	k.now = k.now.Add(time.Millisecond)
	if l.Turn(0); len(h.called) != 1 {
		t.Error("not called in the next millisecond")
	}
}

func TestLoopSleepsUntilTheNextTimer(t *testing.T) {
	l, k := newClockLoop(t, Time(time.Hour))
	var timer Timer
	l.Turn(-1)
	l.SetTimer(&timer, &timed{}, 1, l.Now().Add(30*time.Millisecond))
	l.Turn(-1)
	l.Turn(10 * time.Millisecond)
	want := []time.Duration{-1, 30 * time.Millisecond, 10 * time.Millisecond}
	if !slices.Equal(k.waited, want) {
		t.Errorf("slept %v, want %v", k.waited, want)
	}
	k.now = k.now.Add(30 * time.Millisecond)
	if l.Turn(-1); len(k.waited) != 3 {
		t.Error("slept though a timer was due")
	}
}

// A modelTimer is what a timer should do, kept in a plain list.
type modelTimer struct {
	due uint64 // tick at which it may be called at the earliest; 0 when stopped
}

// FuzzTimers plays operations on a wheel and on a list: set, stop and the passing
// of time, with deadlines of all magnitudes. After each step exactly those are
// called whose tick has come.
func FuzzTimers(f *testing.F) {
	f.Add([]byte{0, 0, 10, 3, 200, 1})
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		seed := make([]byte, 400)
		for i := range seed {
			seed[i] = byte(rng.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		l, k := newClockLoop(t, Time(time.Hour)+12345)
		m := &timerModel{t: t, l: l, k: k}
		m.h.also = func(_ Time, timer *Timer) { m.checkCall(timer) }
		for len(program) >= 4 {
			m.step(program[0], program[1], binary.LittleEndian.Uint16(program[2:]))
			program = program[4:]
		}
		for m.waiting() > 0 {
			at, ok := l.NextTimer()
			if !ok {
				t.Fatalf("%d timers wait, but the wheel is empty", m.waiting())
			}
			m.passTo(max(at, k.now))
		}
	})
}

type timerModel struct {
	t      *testing.T
	l      *Loop
	k      *clockKernel
	h      timed
	timers [8]Timer
	model  [8]modelTimer
}

func (m *timerModel) step(op, who byte, amount uint16) {
	if m.k.now > 1<<61 {
		return // a century has passed: deadlines would overflow
	}
	i := int(who) % len(m.timers)
	span := Time(amount) << (op >> 2 % 40) // up to 12 days
	switch op & 3 {
	case 0, 1:
		at := m.l.Now() + span - Time(amount)/2 // now and then in the past
		m.l.SetTimer(&m.timers[i], &m.h, uint8(i), at)
		m.model[i].due = max(dueTick(at), 1)
	case 2:
		m.l.StopTimer(&m.timers[i])
		m.model[i].due = 0
	case 3:
		m.passTo(m.k.now + span)
	}
}

// passTo moves the clock and turns until the past deadlines, which may be put off
// to the next tick, are settled as well.
func (m *timerModel) passTo(now Time) {
	m.k.now = now
	m.l.Turn(0)
	m.k.now += tick
	m.l.Turn(0)
	to := uint64(m.k.now) / uint64(tick)
	for i := range m.model {
		if due := m.model[i].due; due != 0 && due < to {
			m.t.Fatalf("timer %d was due at tick %d, not called at %d", i, due, to)
		}
	}
	if m.l.wheel.count != m.waiting() {
		m.t.Fatalf("the wheel counts %d timers, want %d", m.l.wheel.count, m.waiting())
	}
}

func (m *timerModel) checkCall(timer *Timer) {
	mt := &m.model[timer.Which()]
	if timer != &m.timers[timer.Which()] || mt.due == 0 {
		m.t.Fatalf("timer %d called, but it was stopped", timer.Which())
	}
	if now := uint64(m.k.now) / uint64(tick); mt.due > now {
		m.t.Fatalf("timer %d called at tick %d, due at %d", timer.Which(), now, mt.due)
	}
	mt.due = 0
}

func (m *timerModel) waiting() int {
	n := 0
	for i := range m.model {
		if m.model[i].due != 0 {
			n++
		}
	}
	return n
}

func BenchmarkTimer(b *testing.B) {
	for _, n := range []int{1, 1000, 100000} {
		l, k := newClockLoop(b, Time(time.Hour))
		h := &timed{}
		timers := make([]Timer, n)
		set := func(op string, f func(i int)) {
			b.Run(fmt.Sprintf("op=%s/timers=%d", op, n), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					f(i)
					if i++; i == n {
						i = 0
					}
				}
			})
		}
		for i := range timers {
			l.SetTimer(&timers[i], h, 0, k.now.Add(time.Minute))
		}
		set("later", func(i int) { l.SetTimer(&timers[i], h, 0, k.now.Add(2*time.Minute)) })
		set("earlier", func(i int) {
			l.SetTimer(&timers[i], h, 0, k.now.Add(10*time.Second))
			l.SetTimer(&timers[i], h, 0, k.now.Add(time.Duration(i&0xff)*time.Millisecond))
		})
		set("stop", func(i int) {
			l.StopTimer(&timers[i])
			l.SetTimer(&timers[i], h, 0, k.now.Add(time.Minute))
		})
	}
}
