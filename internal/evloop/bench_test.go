package evloop_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

// BenchmarkEcho is a turn with one read and one write per ready descriptor;
// compare with BenchmarkEchoFloor, the same system calls without a loop.
func BenchmarkEcho(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("ready=%d", n), func(b *testing.B) {
			l := newLoop(b)
			fds, theirs := make([]evloop.FD, n), make([]int, n)
			buf := make([]byte, 256)
			h := &echoHandler{buf: buf}
			for i := range fds {
				theirs[i] = openPair(b, l, &fds[i], h)
			}
			settle(l)
			msg, answer := make([]byte, 128), make([]byte, 256)
			b.ReportAllocs()
			for b.Loop() {
				for _, fd := range theirs {
					rawWrite(fd, msg)
				}
				l.Turn(0)
				for _, fd := range theirs {
					rawRead(fd, answer)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/echo")
		})
	}
}

type echoHandler struct {
	handler
	buf []byte
}

func (h *echoHandler) HandleReady(_ evloop.Time, f *evloop.FD) {
	if f.Ready()&evloop.ReadyIn == 0 {
		return
	}
	if n, res := f.Read(h.buf); res == evloop.Done {
		f.Write(h.buf[:n])
	}
}

func BenchmarkEchoFloor(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("ready=%d", n), func(b *testing.B) {
			ours, theirs := make([]int, n), make([]int, n)
			k := evloop.System()
			epfd, _ := k.EpollCreate()
			defer unix.Close(epfd)
			for i := range ours {
				ours[i], theirs[i] = socketPair(b)
				k.EpollAdd(epfd, ours[i], uint64(i), false)
				b.Cleanup(func() { unix.Close(ours[i]) })
			}
			msg, answer, buf := make([]byte, 128), make([]byte, 256), make([]byte, 256)
			events := make([]unix.EpollEvent, 512)
			b.ReportAllocs()
			for b.Loop() {
				for _, fd := range theirs {
					rawWrite(fd, msg)
				}
				ready := rawWait(epfd, events)
				for i := range ready {
					fd := ours[events[i].Fd]
					rawWrite(fd, buf[:rawRead(fd, buf)])
				}
				for _, fd := range theirs {
					rawRead(fd, answer)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/echo")
		})
	}
}

// BenchmarkTurn is what an empty turn costs, system call included.
func BenchmarkTurn(b *testing.B) {
	l := newLoop(b)
	b.Run("events=0", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Turn(0)
		}
	})
	b.Run("floor=wait", func(b *testing.B) {
		k := evloop.System()
		epfd, _ := k.EpollCreate()
		defer unix.Close(epfd)
		events := make([]unix.EpollEvent, 512)
		for b.Loop() {
			rawWait(epfd, events)
		}
	})
}

func BenchmarkLetter(b *testing.B) {
	b.Run("op=post+deliver", func(b *testing.B) {
		l := newLoop(b)
		h := &handler{}
		letters := make([]evloop.Letter, 100)
		b.ReportAllocs()
		for b.Loop() {
			for i := range letters {
				l.Post(&letters[i], h)
			}
			l.Turn(0)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(letters)), "ns/letter")
	})
	b.Run("op=pingpong", func(b *testing.B) { // two loops that sleep between letters
		la, lb := newLoop(b), newLoop(b)
		var ping, pong evloop.Letter
		ha, hb := &handler{}, &handler{}
		arrived := make(chan struct{}, 1)
		ha.letter = func(evloop.Time, *evloop.Letter) { arrived <- struct{}{} }
		hb.letter = func(evloop.Time, *evloop.Letter) { la.Post(&pong, ha) }
		var running sync.WaitGroup
		running.Go(la.Run)
		running.Go(lb.Run)
		for b.Loop() {
			lb.Post(&ping, hb)
			<-arrived
		}
		la.Stop()
		lb.Stop()
		running.Wait()
	})
}

func BenchmarkAgain(b *testing.B) {
	l := newLoop(b)
	fds := make([]evloop.FD, 64)
	h := &handler{}
	for i := range fds {
		openPair(b, l, &fds[i], h)
	}
	settle(l)
	b.Run("fds=64", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range fds {
				l.Again(&fds[i])
			}
			l.Turn(0)
		}
	})
}

func BenchmarkNow(b *testing.B) {
	k := evloop.System()
	b.Run("clock=system", func(b *testing.B) {
		for b.Loop() {
			k.Now()
		}
	})
}
