package simkernel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

const (
	descriptorsDefault = 1 << 16
	bufferDefault      = 64 << 10 // bytes, each for sending and receiving
	backlogDefault     = 128
	pipeDefault        = 64 << 10 // bytes
	descriptorFirst    = 3        // as if the standard three were open
	settleTurnsMax     = 100_000
	startOfTime        = evloop.Time(1000 * time.Second)
)

// A Kernel is one simulated machine. Set the exported fields before use, or
// between turns.
type Kernel struct {
	Faults Faults

	DescriptorsMax int // EMFILE beyond
	SendBuffer     int // bytes, of sockets made from then on
	ReceiveBuffer  int
	Backlog        int // of listeners made from then on

	Writes int // to sockets, so far

	mu        sync.Mutex
	changed   *sync.Cond // something became ready, or time passed
	rng       *rand.Rand
	seed      uint64
	now       evloop.Time
	files     []file // by descriptor; nil: closed
	open      int    // without epoll and event descriptors
	bound     map[evloop.Addr][]*listener
	portNext  uint16
	coming    []arrival // by time, then number
	arrivalNo uint64
}

// Faults are probabilities, from 0 to 1, of what may go wrong in any single step.
// All of it may happen on Linux.
type Faults struct {
	ShortRead  float64 // only a part of what was sent arrives now, the rest in a later turn
	ShortWrite float64 // a write takes only a part
	Again      float64 // a write takes nothing, or what was sent arrives only in a later turn
	Reset      float64 // after a write, the connection breaks for both sides
	Refuse     float64 // a connection is refused
	Slow       float64 // a connection is made in a later turn, or up to a second later
	Abort      float64 // accept gives ECONNABORTED
	Spurious   float64 // an event is reported again without news
}

// New returns a machine without connections. All chance comes from the seed.
func New(seed uint64) *Kernel {
	k := &Kernel{
		DescriptorsMax: descriptorsDefault,
		SendBuffer:     bufferDefault,
		ReceiveBuffer:  bufferDefault,
		Backlog:        backlogDefault,
		rng:            rand.New(rand.NewPCG(seed, 0x77656972)),
		seed:           seed,
		now:            startOfTime,
		files:          make([]file, descriptorFirst),
		bound:          map[evloop.Addr][]*listener{},
		portNext:       40000,
	}
	k.changed = sync.NewCond(&k.mu)
	return k
}

// Seed is what New was given, for failure messages.
func (k *Kernel) Seed() uint64 { return k.seed }

// A file is what a descriptor stands for.
type file interface {
	poll() evloop.Ready // what epoll would report now
	watchers() *watch
	release() // the descriptor was closed
	String() string
}

// install gives f the lowest free descriptor, as POSIX demands.
func (k *Kernel) install(f file) (int, syscall.Errno) {
	for fd := descriptorFirst; ; fd++ {
		if fd-descriptorFirst >= k.DescriptorsMax {
			return -1, syscall.EMFILE
		}
		if fd == len(k.files) {
			k.files = append(k.files, nil)
		}
		if k.files[fd] == nil {
			k.files[fd] = f
			k.open += weight(f)
			return fd, 0
		}
	}
}

// weight is what f counts in OpenDescriptors.
func weight(f file) int {
	switch f.(type) {
	case *epoll, *event:
		return 0
	}
	return 1
}

// file returns what fd stands for. A closed descriptor is a bug of the caller: a
// real kernel would say EBADF today and hit another connection tomorrow.
func (k *Kernel) file(call string, fd int) file {
	if fd < 0 || fd >= len(k.files) || k.files[fd] == nil {
		panic(fmt.Sprintf("simkernel: %s of closed descriptor %d (seed %d)", call, fd, k.seed))
	}
	return k.files[fd]
}

func (k *Kernel) sock(call string, fd int) *sock {
	s, ok := k.file(call, fd).(*sock)
	if !ok {
		panic(fmt.Sprintf("simkernel: %s of descriptor %d, which is no stream socket: %v", call, fd, k.files[fd]))
	}
	return s
}

// remove frees the number fd, and forgets it in all epolls.
func (k *Kernel) remove(call string, fd int) file {
	f := k.file(call, fd)
	k.files[fd] = nil
	k.open -= weight(f)
	w := f.watchers()
	for _, it := range w.items {
		it.ep.drop(it)
	}
	w.items = nil
	return f
}

// Close closes a descriptor. Unread bytes turn the FIN into a RST, as on Linux.
func (k *Kernel) Close(fd int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.remove("close", fd).release()
}

// Reset closes a socket with a RST.
func (k *Kernel) Reset(fd int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch f := k.remove("reset", fd).(type) {
	case *sock:
		f.abort()
	default:
		f.release()
	}
}

// OpenDescriptors counts the sockets, listeners and pipe ends that are open; the
// loops' own epoll and event descriptors do not count.
func (k *Kernel) OpenDescriptors() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.open
}

// Descriptors lists them, one per line, for failure messages.
func (k *Kernel) Descriptors() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var b strings.Builder
	for fd, f := range k.files {
		if f != nil && weight(f) > 0 {
			fmt.Fprintf(&b, "%d: %v\n", fd, f)
		}
	}
	return b.String()
}

// Now reads the simulated clock.
func (k *Kernel) Now() evloop.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *Kernel) roll(probability float64) bool {
	return probability > 0 && k.rng.Float64() < probability
}

// address completes a local address: the IP of the other side's kind where there
// is none, and a port of its own.
func (k *Kernel) address(want netip.AddrPort, to evloop.Addr) evloop.Addr {
	if to.Path != "" {
		return evloop.Addr{}
	}
	ip, port := want.Addr(), want.Port()
	if !ip.IsValid() || ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if to.IP.Addr().Is6() {
			ip = netip.IPv6Loopback()
		}
	}
	if port == 0 {
		port = k.portNext
		k.portNext++
		if k.portNext == 0 {
			k.portNext = 10000
		}
	}
	return evloop.Addr{IP: netip.AddrPortFrom(ip, port)}
}

// describe prints an address.
func describe(a evloop.Addr) string {
	if a.Path != "" {
		return a.Path
	}
	if !a.IP.IsValid() {
		return "unnamed"
	}
	return a.IP.String()
}
