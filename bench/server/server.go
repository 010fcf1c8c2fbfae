package server

import (
	"fmt"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/socket"
)

// A Spec says what a server listens on. Lists may be empty.
type Spec struct {
	HTTP        []netip.AddrPort `json:"http,omitempty"`
	Echo        []netip.AddrPort `json:"echo,omitempty"`
	Stream      []netip.AddrPort `json:"stream,omitempty"` // sends StreamBytes to whoever connects, then closes
	UDP         []netip.AddrPort `json:"udp,omitempty"`
	StreamBytes int64            `json:"stream_bytes,omitempty"`
	Counters    string           `json:"counters"` // file
	Loops       int              `json:"loops"`
}

// A Server answers on the addresses of its Spec.
type Server struct {
	loops []*loop
}

// Open opens all listening sockets.
func Open(spec Spec) (*Server, error) {
	if spec.Loops < 1 || spec.Loops > loopsMax {
		return nil, fmt.Errorf("can't open a server with %d loops: 1 to %d can be", spec.Loops, loopsMax)
	}
	counters, err := OpenCounters(spec.Counters)
	if err != nil {
		return nil, err
	}
	content, err := newContent()
	if err != nil {
		return nil, err
	}
	s := &Server{}
	for i := range spec.Loops {
		l := &loop{spec: spec, content: content, count: &counters.loops[i], replies: map[string]*reply{}}
		if err := l.open(); err != nil {
			return nil, err
		}
		s.loops = append(s.loops, l)
	}
	return s, nil
}

// Run serves until the process ends.
func (s *Server) Run() {
	for _, l := range s.loops[1:] {
		go l.run()
	}
	s.loops[0].run()
}

// Kinds of descriptors in a poller's tags. A connection has the kind of the
// listener that accepted it, and connKinds on top.
const (
	kindHTTP int32 = iota
	kindEcho
	kindStream
	kindUDP
	connKinds
)

const scratchBytes = 1 << 16

// A loop serves its share of the connections on its own thread.
type loop struct {
	// Set by Open, then read-only.
	spec    Spec
	content *content
	poller  *socket.Poller

	count   *counters
	conns   []*conn // by descriptor; nil where there is none
	replies map[string]*reply
	scratch [scratchBytes]byte
	gather  []byte // small answers that go out in one write
}

func (l *loop) open() (err error) {
	if l.poller, err = socket.NewPoller(); err != nil {
		return err
	}
	for kind, addrs := range [][]netip.AddrPort{kindHTTP: l.spec.HTTP, kindEcho: l.spec.Echo, kindStream: l.spec.Stream} {
		for _, a := range addrs {
			fd, err := socket.Listen(a)
			if err != nil {
				return err
			}
			if err := l.poller.AddListener(fd, socket.Tag{Index: int32(fd), Kind: int32(kind)}); err != nil {
				return err
			}
		}
	}
	for _, a := range l.spec.UDP {
		fd, err := socket.ListenUDP(a)
		if err != nil {
			return err
		}
		growUDP(fd)
		if err := l.poller.AddListener(fd, socket.Tag{Index: int32(fd), Kind: kindUDP}); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) run() {
	runtime.LockOSThread()
	for {
		for _, ev := range l.poller.Wait(socket.Forever) {
			fd := int(ev.Tag.Index)
			switch {
			case ev.Tag.Kind == kindUDP:
				l.drainDatagrams(fd)
			case ev.Tag.Kind < connKinds:
				l.accept(fd, ev.Tag.Kind)
			case l.conns[fd] != nil:
				l.step(l.conns[fd], ev.Ended())
			}
		}
	}
}

const acceptBatchMax = 64 // connections taken before those that stand get their turn

func (l *loop) accept(listener int, kind int32) {
	for range acceptBatchMax {
		fd, errno := socket.Accept(listener)
		if errno != 0 {
			return
		}
		c := &conn{fd: fd, kind: kind}
		if kind == kindStream {
			c.file = l.spec.StreamBytes
		}
		for len(l.conns) <= fd {
			l.conns = append(l.conns, nil)
		}
		l.conns[fd] = c
		l.count.connections.Add(1)
		if err := l.poller.Add(fd, socket.Tag{Index: int32(fd), Kind: connKinds + kind}); err != nil {
			l.close(c)
			continue
		}
		l.step(c, false)
	}
}

func (l *loop) close(c *conn) {
	l.conns[c.fd] = nil
	socket.Close(c.fd)
}

const datagramBatchMax = 64

func (l *loop) drainDatagrams(fd int) {
	for range datagramBatchMax {
		if _, errno := socket.Discard(fd, 0); errno != 0 {
			return
		}
		l.count.datagrams.Add(1)
	}
}

// udpBufferBytes is room for datagrams while the loop is busy elsewhere.
const udpBufferBytes = 4 << 20

func growUDP(fd int) {
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, udpBufferBytes) // without the right, the kernel's bound holds
}
