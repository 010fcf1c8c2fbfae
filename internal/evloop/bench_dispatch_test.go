package evloop_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// A freeKernel costs nothing: what a benchmark over it measures is our own work.
type freeKernel struct {
	evloop.Kernel
	tags  []uint64
	now   evloop.Time
	ready evloop.Ready
}

func (k *freeKernel) Now() evloop.Time { k.now += 1000; return k.now }

func (k *freeKernel) EpollCreate() (int, syscall.Errno) { return 3, 0 }
func (k *freeKernel) WakeCreate() (int, syscall.Errno)  { return 4, 0 }
func (k *freeKernel) Close(int)                         {}

func (k *freeKernel) EpollAdd(_, fd int, tag uint64, _ bool) syscall.Errno {
	if fd != 4 {
		k.tags = append(k.tags, tag)
	}
	return 0
}

func (k *freeKernel) Wait(_ int, events []evloop.Event, _ time.Duration) (int, syscall.Errno) {
	for i, tag := range k.tags {
		events[i] = evloop.Event{Tag: tag, Ready: k.ready}
	}
	return len(k.tags), 0
}

func (k *freeKernel) Read(_ int, p []byte) (int, syscall.Errno)  { return len(p) / 2, 0 }
func (k *freeKernel) Write(_ int, p []byte) (int, syscall.Errno) { return len(p), 0 }

// BenchmarkDispatch is an event's way to its handler, a read, a write and a
// deadline pushed on, without the system calls.
func BenchmarkDispatch(b *testing.B) {
	for _, n := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			k := &freeKernel{now: 1, ready: evloop.ReadyIn | evloop.ReadyOut}
			l, err := evloop.New(evloop.Config{Kernel: k})
			if err != nil {
				b.Fatal(err)
			}
			h := &dispatchHandler{loop: l, echoHandler: echoHandler{buf: make([]byte, 256)}}
			h.timers = make([]evloop.Timer, n)
			fds := make([]evloop.FD, n)
			for i := range fds {
				l.Open(&fds[i], 5+i, h, 0)
			}
			b.ReportAllocs()
			for b.Loop() {
				h.next = 0
				l.Turn(0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
		})
	}
}

type dispatchHandler struct {
	echoHandler
	loop   *evloop.Loop
	timers []evloop.Timer
	next   int
}

func (h *dispatchHandler) HandleReady(now evloop.Time, f *evloop.FD) {
	h.echoHandler.HandleReady(now, f)
	h.loop.SetTimer(&h.timers[h.next], h, 0, now.Add(30*time.Second))
	h.next++
}
