package difftest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// stepTimeout bounds every wait of a script. Only a failing step reaches it.
	stepTimeout = 20 * time.Second
	// receivedMax bounds what one connection keeps, in bytes.
	receivedMax = 4 << 20
	// logLinesMax bounds the number of log lines that one run keeps.
	logLinesMax = 1000
)

// An endState says how the other side ended a connection.
type endState uint8

const (
	endOpen   endState = iota // it has not ended
	endEOF                    // FIN arrived
	endReset                  // RST arrived
	endClosed                 // the script closed it, from then on nothing is seen
)

func (s endState) String() string { return [...]string{"open", "eof", "reset", "closed"}[s] }

// An end is one TCP connection as the harness sees it: of a client to the
// proxy or of the proxy to a server.
type end struct {
	name string
	conn *net.TCPConn

	// Guarded by World.mu.
	got   []byte
	seen  int // bytes that a want step has passed
	state endState
	known bool // a step has waited for state, so it is no accident
	auto  int  // bytes that the answering server has dealt with
}

// A World holds the sockets of one run of a case.
type World struct {
	exited <-chan struct{} // closed when the proxy has ended; nil before it starts
	logTo  *net.UDPConn
	dir    string

	// Guarded by mu. changed is closed and replaced at every change.
	mu        sync.Mutex
	changed   chan struct{}
	ends      map[string]*end
	endOrder  []string
	fronts    map[string]*net.TCPListener
	servers   map[string]*server
	held      []int // raw sockets kept until the run ends
	logs      []string
	logEnded  bool
	portNames map[int]string
}

// A server is one listening socket of the harness.
type server struct {
	name     string
	listener *net.TCPListener
	accepted int
	answer   []byte // when set, every request is answered with it at once
	closing  bool   // the connection is closed after an answer
}

func newWorld(dir string) (*World, error) {
	logTo, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("can't open log socket: %w", err)
	}
	w := &World{
		logTo: logTo, dir: dir, changed: make(chan struct{}),
		ends: map[string]*end{}, fronts: map[string]*net.TCPListener{}, servers: map[string]*server{},
		portNames: map[int]string{},
	}
	go w.readLog()
	return w, nil
}

// close ends everything that is still open.
func (w *World) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logTo.Close()
	for _, l := range w.fronts {
		l.Close()
	}
	for _, s := range w.servers {
		s.listener.Close()
	}
	for _, e := range w.ends {
		if e.conn != nil {
			e.conn.Close()
		}
	}
	for _, fd := range w.held {
		syscall.Close(fd)
	}
}

// signalLocked wakes everybody who waits for a change.
func (w *World) signalLocked() {
	close(w.changed)
	w.changed = make(chan struct{})
}

var errWait = errors.New("nothing came")

// wait blocks until holds is true; holds is called with w.mu held.
func (w *World) wait(limit time.Duration, holds func() bool) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		w.mu.Lock()
		ok, changed := holds(), w.changed
		w.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-w.exited:
			return errors.New("the proxy has ended")
		case <-deadline.C:
			return errWait
		}
	}
}

// front opens a listening socket that the proxy inherits.
func (w *World) front(name string) (*net.TCPListener, error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("can't open frontend socket: %w", err)
	}
	w.fronts[name] = l
	w.portNames[l.Addr().(*net.TCPAddr).Port] = name
	return l, nil
}

// serve opens the listening socket of a scripted server and accepts on it. A
// second socket holds its port, so that nobody else listens there once the
// server has stopped.
func (w *World) serve(name string) (addr string, err error) {
	fd, port, err := boundSocket()
	if err != nil {
		return "", err
	}
	w.held = append(w.held, fd)
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return "", fmt.Errorf("can't share port: %w", err)
	}
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return "", fmt.Errorf("can't open server socket: %w", err)
	}
	s := &server{name: name, listener: l}
	w.servers[name] = s
	w.portNames[l.Addr().(*net.TCPAddr).Port] = name
	go w.accept(s)
	return l.Addr().String(), nil
}

func (w *World) accept(s *server) {
	for {
		conn, err := s.listener.AcceptTCP()
		if err != nil {
			return
		}
		w.mu.Lock()
		s.accepted++
		w.addLocked(s.name+"."+strconv.Itoa(s.accepted), conn)
		w.mu.Unlock()
	}
}

// refuse returns an address that refuses connections: bound, not listening.
func (w *World) refuse(name string) (string, error) {
	fd, port, err := boundSocket()
	if err != nil {
		return "", err
	}
	w.held = append(w.held, fd)
	w.portNames[port] = name
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

// ignore returns an address that lets connections wait for ever: its accept
// queue is full, so the kernel drops every further SYN.
func (w *World) ignore(name string) (string, error) {
	fd, port, err := boundSocket()
	if err != nil {
		return "", err
	}
	w.held = append(w.held, fd)
	w.portNames[port] = name
	if err := syscall.Listen(fd, 0); err != nil {
		return "", fmt.Errorf("can't listen: %w", err)
	}
	for range 2 { // a queue of 0 holds one connection; the second finds it full
		c, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return "", fmt.Errorf("can't open socket: %w", err)
		}
		w.held = append(w.held, c)
		err = syscall.Connect(c, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
		if err != nil && err != syscall.EINPROGRESS {
			return "", fmt.Errorf("can't fill accept queue: %w", err)
		}
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

func boundSocket() (fd, port int, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, fmt.Errorf("can't open socket: %w", err)
	}
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err != nil {
		return 0, 0, fmt.Errorf("can't bind: %w", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, 0, fmt.Errorf("can't read address: %w", err)
	}
	return fd, name.(*syscall.SockaddrInet4).Port, nil
}

// connect opens client name to a frontend, from a loopback address.
func (w *World) connect(name, frontName, from string) (*end, error) {
	w.mu.Lock()
	l := w.fronts[frontName]
	w.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("can't connect: no frontend %q in the configuration", frontName)
	}
	conn, err := net.DialTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(from)}, l.Addr().(*net.TCPAddr))
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(err, syscall.ECONNRESET) { // accepted and reset before connect(2) had returned
		e := &end{name: name, state: endReset}
		w.ends[name] = e
		w.endOrder = append(w.endOrder, name)
		return e, nil
	}
	if err != nil {
		return nil, fmt.Errorf("can't connect: %w", err)
	}
	w.portNames[conn.LocalAddr().(*net.TCPAddr).Port] = name
	return w.addLocked(name, conn), nil
}

func (w *World) addLocked(name string, conn *net.TCPConn) *end {
	e := &end{name: name, conn: conn}
	w.ends[name] = e
	w.endOrder = append(w.endOrder, name)
	if port := conn.RemoteAddr().(*net.TCPAddr).Port; w.portNames[port] == "" {
		w.portNames[port] = name
	}
	w.signalLocked()
	go w.read(e)
	return e
}

// read keeps everything that arrives on e.
func (w *World) read(e *end) {
	buf := make([]byte, 64<<10)
	for {
		n, err := e.conn.Read(buf)
		w.mu.Lock()
		if len(e.got)+n <= receivedMax {
			e.got = append(e.got, buf[:n]...)
		}
		if err != nil && e.state == endOpen {
			e.state = endOf(err)
		}
		w.answerLocked(e)
		w.signalLocked()
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func endOf(err error) endState {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return endReset
	case errors.Is(err, net.ErrClosed):
		return endClosed
	}
	return endEOF
}

// logEnd is what the harness sends to its own log socket after the proxy has
// ended: everything that the proxy has sent stands before it.
const logEnd = "end of log"

func (w *World) readLog() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.logTo.Read(buf)
		w.mu.Lock()
		ended := err != nil || string(buf[:n]) == logEnd
		if !ended && len(w.logs) < logLinesMax {
			w.logs = append(w.logs, string(buf[:n]))
		}
		w.logEnded = ended
		w.signalLocked()
		w.mu.Unlock()
		if ended {
			return
		}
	}
}

// finishLog waits until the log socket is empty.
func (w *World) finishLog() error {
	conn, err := net.DialUDP("udp4", nil, w.logTo.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return fmt.Errorf("can't end log: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(logEnd)); err != nil {
		return fmt.Errorf("can't end log: %w", err)
	}
	w.exited = nil
	return w.wait(stepTimeout, func() bool { return w.logEnded })
}

// inherited returns the descriptors of the frontends, in the order of names.
func (w *World) inherited(names []string) ([]*os.File, error) {
	var files []*os.File
	for _, name := range names {
		f, err := w.fronts[name].File()
		if err != nil {
			return nil, fmt.Errorf("can't hand over socket: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}
