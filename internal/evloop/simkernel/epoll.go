package simkernel

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// An epoll keeps a list of items that something happened to. As in Linux, an item
// gets there by a wake-up of its file (or by being ready when added), and only
// when the list is read the file is asked what it really is ready for.
type epoll struct {
	watch
	ready   []*item
	waiting int // goroutines in Wait
}

// An item is one registration.
type item struct {
	ep        *epoll
	file      file
	tag       uint64
	mask      evloop.Ready
	listening bool // level-triggered, exclusive
	queued    bool
}

// watch is embedded in each file.
type watch struct{ items []*item }

func (w *watch) watchers() *watch { return w }

// wake tells the epolls that w's file changed. key says what it may have become
// ready for; 0 is anything.
func (k *Kernel) wake(w *watch, key evloop.Ready) {
	for _, it := range w.items {
		if key != 0 && key&it.mask == 0 {
			continue
		}
		it.enqueue()
		if it.listening && it.ep.waiting > 0 {
			break // EPOLLEXCLUSIVE: the first that sleeps is enough
		}
	}
	k.changed.Broadcast()
}

func (it *item) enqueue() {
	if !it.queued {
		it.queued = true
		it.ep.ready = append(it.ep.ready, it)
	}
}

func (ep *epoll) drop(it *item) {
	if i := slices.Index(ep.ready, it); i >= 0 {
		ep.ready = slices.Delete(ep.ready, i, i+1)
	}
}

// collect reports what is ready, and puts level-triggered items back.
func (ep *epoll) collect(events []evloop.Event) int {
	n, looked := 0, 0
	var back []*item
	for ; looked < len(ep.ready) && n < len(events); looked++ {
		it := ep.ready[looked]
		it.queued = false
		r := it.file.poll() & it.mask
		if r == 0 {
			continue
		}
		events[n] = evloop.Event{Tag: it.tag, Ready: r}
		n++
		if it.listening {
			it.queued = true
			back = append(back, it)
		}
	}
	ep.ready = append(slices.Delete(ep.ready, 0, looked), back...)
	return n
}

// EpollCreate implements evloop.Kernel.
func (k *Kernel) EpollCreate() (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.install(&epoll{})
}

// EpollAdd implements evloop.Kernel.
func (k *Kernel) EpollAdd(epfd, fd int, tag uint64, listening bool) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	ep := k.file("epoll_ctl", epfd).(*epoll)
	f := k.file("epoll_ctl", fd)
	for _, it := range f.watchers().items {
		if it.ep == ep {
			return syscall.EEXIST
		}
	}
	it := &item{ep: ep, file: f, tag: tag, listening: listening}
	it.mask = evloop.ReadyIn | evloop.ReadyOut | evloop.ReadyHup | evloop.ReadyErr
	if listening {
		it.mask = evloop.ReadyIn | evloop.ReadyErr
	}
	w := f.watchers()
	w.items = append(w.items, it)
	if f.poll()&it.mask != 0 {
		it.enqueue()
		k.changed.Broadcast()
	}
	return 0
}

// EpollDel implements evloop.Kernel.
func (k *Kernel) EpollDel(epfd, fd int) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	ep := k.file("epoll_ctl", epfd).(*epoll)
	w := k.file("epoll_ctl", fd).watchers()
	for i, it := range w.items {
		if it.ep == ep {
			ep.drop(it)
			w.items = slices.Delete(w.items, i, i+1)
			return 0
		}
	}
	return syscall.ENOENT
}

// Wait implements evloop.Kernel. Time passes only by Advance, from elsewhere.
func (k *Kernel) Wait(epfd int, events []evloop.Event, timeout time.Duration) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ep := k.file("epoll_wait", epfd).(*epoll)
	until := k.now.Add(timeout)
	for {
		k.arrive()
		k.spuriousEvents(ep)
		n := ep.collect(events)
		if n > 0 || timeout == 0 || timeout > 0 && k.now >= until {
			return n, 0
		}
		if !k.due() {
			ep.waiting++
			k.changed.Wait()
			ep.waiting--
		}
	}
}

// spuriousEvents queues items without a reason.
func (k *Kernel) spuriousEvents(ep *epoll) {
	if k.Faults.Spurious == 0 {
		return
	}
	for _, f := range k.files {
		if f == nil {
			continue
		}
		for _, it := range f.watchers().items {
			if it.ep == ep && k.roll(k.Faults.Spurious) {
				it.enqueue()
			}
		}
	}
}

func (ep *epoll) poll() evloop.Ready { return 0 }
func (ep *epoll) release()           {}
func (ep *epoll) String() string     { return fmt.Sprintf("epoll, %d ready", len(ep.ready)) }

// An event is an eventfd that is never drained.
type event struct {
	watch
	wakes int
}

func (e *event) poll() evloop.Ready {
	if e.wakes > 0 {
		return evloop.ReadyIn | evloop.ReadyOut
	}
	return evloop.ReadyOut
}
func (e *event) release()       {}
func (e *event) String() string { return fmt.Sprintf("eventfd, %d wakes", e.wakes) }

// WakeCreate implements evloop.Kernel.
func (k *Kernel) WakeCreate() (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.install(&event{})
}

// Wake implements evloop.Kernel.
func (k *Kernel) Wake(fd int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.file("wake", fd).(*event)
	e.wakes++
	k.wake(&e.watch, evloop.ReadyIn)
}
