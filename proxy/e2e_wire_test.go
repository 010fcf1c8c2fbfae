package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A wire is one end of a real connection that the test plays.
type wire struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
}

func newWire(t *testing.T, conn net.Conn) *wire {
	conn.SetDeadline(time.Now().Add(e2ePatience))
	w := &wire{t: t, conn: conn.(*net.TCPConn), in: bufio.NewReader(conn)}
	t.Cleanup(func() { conn.Close() })
	return w
}

// dial connects one more client.
func (r *rig) dial() *wire {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	return newWire(r.t, conn)
}

// get sends a request on a new connection.
func (r *rig) get(path string) *wire {
	r.t.Helper()
	w := r.dial()
	w.get(path)
	return w
}

func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w.conn, text); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) get(path string) {
	w.t.Helper()
	w.send("GET " + path + " HTTP/1.1\r\nhost: x\r\n\r\n")
}

// want: these bytes come next.
func (w *wire) want(why, text string) {
	w.t.Helper()
	b := make([]byte, len(text))
	n, err := io.ReadFull(w.in, b)
	if err != nil || string(b) != text {
		w.t.Fatalf("%s: got %q and error %v, want %q", why, b[:n], err, text)
	}
}

// answer reads a response. err says how its body was cut.
func (w *wire) answer(why string) (status, body int, err error) {
	w.t.Helper()
	res, err := http.ReadResponse(w.in, nil)
	if err != nil {
		w.t.Fatalf("%s: no answer: %v", why, err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	return res.StatusCode, int(n), err
}

// wantAnswer: a whole response of that status.
func (w *wire) wantAnswer(why string, status int) {
	w.t.Helper()
	got, n, err := w.answer(why)
	if got != status || err != nil {
		w.t.Fatalf("%s: got %d with %d bytes and error %v, want %d", why, got, n, err, status)
	}
}

// wantHead reads a response head and leaves its body on the wire.
func (w *wire) wantHead(why string, status int) {
	w.t.Helper()
	line, err := w.in.ReadString('\n')
	if want := fmt.Sprintf("HTTP/1.1 %d ", status); err != nil || len(line) < len(want) || line[:len(want)] != want {
		w.t.Fatalf("%s: got %q and error %v, want %s", why, line, err, want)
	}
	for line != "\r\n" {
		if line, err = w.in.ReadString('\n'); err != nil {
			w.t.Fatalf("%s: head: %v", why, err)
		}
	}
}

// wantEnd: nothing more comes but the end, by FIN or RST.
func (w *wire) wantEnd(why string) {
	w.t.Helper()
	n, err := io.Copy(io.Discard, w.in)
	if e, ok := err.(net.Error); n > 0 || ok && e.Timeout() {
		w.t.Fatalf("%s: got %d bytes and error %v, want the end", why, n, err)
	}
}

// request reads what the proxy sent to this server and gives its path.
func (w *wire) request(why string) string {
	w.t.Helper()
	req, err := http.ReadRequest(w.in)
	if err != nil {
		w.t.Fatalf("%s: no request: %v", why, err)
	}
	if _, err = io.Copy(io.Discard, req.Body); err != nil {
		w.t.Fatalf("%s: body: %v", why, err)
	}
	return req.URL.Path
}

// serve answers one request for path.
func (w *wire) serve(why, path string) {
	w.t.Helper()
	if got := w.request(why); got != path {
		w.t.Fatalf("%s: got a request for %s, want %s", why, got, path)
	}
	w.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
}

func (w *wire) close() { w.conn.Close() }

// reset ends the connection with a RST.
func (w *wire) reset() {
	w.conn.SetLinger(0)
	w.conn.Close()
}

// A wireServer is a listener that the test plays.
type wireServer struct {
	t    *testing.T
	l    *net.TCPListener
	addr string
}

func newWireServer(t *testing.T) *wireServer {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &wireServer{t: t, l: l, addr: l.Addr().String()}
}

// accept takes the next connection.
func (s *wireServer) accept(why string) *wire {
	s.t.Helper()
	s.l.SetDeadline(time.Now().Add(e2ePatience))
	conn, err := s.l.Accept()
	if err != nil {
		s.t.Fatalf("%s: no connection: %v", why, err)
	}
	return newWire(s.t, conn)
}

// respond serves every connection until the test ends.
func (s *wireServer) respond(handler func(conn *net.TCPConn, path string) error) {
	go func() {
		for {
			conn, err := s.l.AcceptTCP()
			if err != nil {
				return
			}
			go respondOn(conn, handler)
		}
	}()
}

func respondOn(conn *net.TCPConn, handler func(conn *net.TCPConn, path string) error) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil || handler(conn, req.URL.Path) != nil {
			return
		}
	}
}

// respondOK answers every request alike.
func respondOK(conn *net.TCPConn, _ string) error {
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
	return err
}

// refusingAddress is bound for as long as the test lasts, and nobody listens.
func refusingAddress(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port)
}
