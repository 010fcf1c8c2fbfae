package floor

import (
	"fmt"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/socket"
)

// A Spec says what the relay does.
type Spec struct {
	Listen    netip.AddrPort   `json:"listen"`
	Servers   []netip.AddrPort `json:"servers"` // taken in turn
	HTTP      bool             `json:"http"`
	ServerMax int              `json:"server_max"` // connections to one server; 0: no bound
	Loops     int              `json:"loops"`
}

const (
	scratchBytes = 8 << 10
	spliceMin    = 8 << 10 // bytes that are to come, from which on two splices cost less than read and write
	pipeBytes    = 1 << 20
)

// A Relay accepts clients and brings them to servers.
type Relay struct {
	loops []*loop
}

// Open opens the listening socket of each loop.
func Open(spec Spec) (*Relay, error) {
	if spec.Loops < 1 || len(spec.Servers) == 0 {
		return nil, fmt.Errorf("can't open a relay with %d loops and %d servers", spec.Loops, len(spec.Servers))
	}
	r := &Relay{}
	for range spec.Loops {
		l := &loop{spec: spec, slots: spec.ServerMax}
		for _, addr := range spec.Servers {
			l.servers = append(l.servers, &server{addr: socket.Sockaddr(addr)})
		}
		var err error
		if l.poller, err = socket.NewPoller(); err != nil {
			return nil, err
		}
		if l.listener, err = socket.Listen(spec.Listen); err != nil {
			return nil, err
		}
		if spec.HTTP { // where clients speak first
			socket.DeferAccept(l.listener)
		}
		if err := l.poller.AddListener(l.listener, socket.Tag{Index: -1}); err != nil {
			return nil, err
		}
		r.loops = append(r.loops, l)
	}
	return r, nil
}

// Run relays until the process ends.
func (r *Relay) Run() {
	for _, l := range r.loops[1:] {
		go l.run()
	}
	r.loops[0].run()
}

// A conn is one connection of either side.
type conn interface {
	// step goes on with what the descriptor can do. ended says that the other
	// end has sent FIN or is gone, so that reading has to go on until it shows.
	step(l *loop, ended bool)
}

// A loop relays its share of the connections on its own thread.
type loop struct {
	spec     Spec
	slots    int // connections that one server may have of this loop
	poller   *socket.Poller
	listener int

	conns   []conn // by descriptor; nil where there is none
	servers []*server
	next    int           // the server whose turn it is
	waiting []*httpClient // for a slot
	pipes   [][2]int      // not in use, empty
	scratch [scratchBytes]byte
	edited  []byte // a message with its Connection field changed
}

// A server is what a loop knows about one server.
type server struct {
	addr unix.Sockaddr
	open int
	idle []*httpServer
}

func (l *loop) run() {
	runtime.LockOSThread()
	for {
		for _, ev := range l.poller.Wait(socket.Forever) {
			if ev.Tag.Index < 0 {
				l.accept()
			} else if c := l.conns[ev.Tag.Index]; c != nil {
				c.step(l, ev.Ended())
			}
		}
	}
}

const acceptBatchMax = 64 // connections taken before those that stand get their turn

func (l *loop) accept() {
	for range acceptBatchMax {
		fd, errno := socket.Accept(l.listener)
		if errno != 0 {
			return
		}
		if l.spec.HTTP {
			(&httpClient{fd: fd}).begin(l)
			continue
		}
		l.beginTCP(fd)
	}
}

func (l *loop) beginTCP(client int) {
	server, err := socket.Connect(l.turn().addr)
	if err != nil {
		socket.Close(client)
		return
	}
	s := &tcpSession{fds: [2]int{client, server}}
	l.watch(client, s)
	l.watch(server, s)
}

// turn takes the next server.
func (l *loop) turn() *server {
	s := l.servers[l.next]
	l.next = (l.next + 1) % len(l.servers)
	return s
}

func (l *loop) watch(fd int, c conn) {
	for len(l.conns) <= fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	if err := l.poller.Add(fd, socket.Tag{Index: int32(fd)}); err != nil {
		panic(err) // no memory for one more descriptor: the run is void
	}
}

func (l *loop) close(fd int) {
	if fd < len(l.conns) {
		l.conns[fd] = nil
	}
	socket.Close(fd)
}
