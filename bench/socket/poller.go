package socket

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const eventsMax = 256

// An Event says which descriptor can go on. Tag is what Add got.
type Event struct {
	Mask uint32
	Tag  Tag
}

// Ended reports that the other side has sent FIN or is gone. A stale event, of a
// descriptor that was closed in the same batch, may name a connection that has
// taken its index since, so this is a hint to go on reading, and no more.
func (e Event) Ended() bool {
	return e.Mask&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
}

// A Tag is what the owner of a descriptor wants back with its events.
type Tag struct {
	Index int32 // of the connection in its owner's table
	Kind  int32
}

// A Poller waits for descriptors, edge-triggered.
type Poller struct {
	fd     int
	raw    [eventsMax]unix.EpollEvent
	events [eventsMax]Event
}

// NewPoller opens an epoll instance.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("can't open epoll: %w", err)
	}
	return &Poller{fd: fd}, nil
}

// Add asks for all events of fd from now on. Closing fd ends that.
func (p *Poller) Add(fd int, tag Tag) error {
	return p.add(fd, tag, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET)
}

// AddListener asks for connections that can be accepted, as long as there are any.
func (p *Poller) AddListener(fd int, tag Tag) error {
	return p.add(fd, tag, unix.EPOLLIN)
}

func (p *Poller) add(fd int, tag Tag, mask uint32) error {
	ev := unix.EpollEvent{Events: mask, Fd: tag.Index, Pad: tag.Kind}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), unix.EPOLL_CTL_ADD, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("can't watch a descriptor: %w", errno)
	}
	return nil
}

// Forever as a timeout of Wait means that only an event ends it.
const Forever time.Duration = -1

// Wait returns what can go on, and nothing after the timeout. What it
// returns is valid until the next call.
func (p *Poller) Wait(timeout time.Duration) []Event {
	var ts *unix.Timespec
	if timeout >= 0 {
		t := unix.NsecToTimespec(int64(timeout))
		ts = &t
	}
	// The only call that may block: the scheduler has to know, or a collection
	// of garbage would wait for the next event.
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.raw)), eventsMax,
		uintptr(unsafe.Pointer(ts)), 0, 0)
	if errno != 0 {
		if errno == syscall.EINTR {
			return nil
		}
		panic("epoll_pwait2: " + errno.Error()) // the instance is ours; nothing can be waited for any more
	}
	for i := range int(n) {
		p.events[i] = Event{Mask: p.raw[i].Events, Tag: Tag{Index: p.raw[i].Fd, Kind: p.raw[i].Pad}}
	}
	return p.events[:n]
}
