package floor

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func free(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// start runs a relay for the rest of the test binary's life.
func start(t *testing.T, spec Spec) string {
	t.Helper()
	spec.Listen, spec.Loops = free(t), 1
	r, err := Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	go r.Run()
	return spec.Listen.String()
}

// A backend answers with the request's body doubled, and counts connections.
type backend struct {
	addr        netip.AddrPort
	connections atomic.Int64
	now, most   atomic.Int64 // requests at the same time
}

func newBackend(t *testing.T) *backend {
	b := &backend{}
	s := &http.Server{
		Handler: b,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				b.connections.Add(1)
			}
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().(*net.TCPAddr).AddrPort()
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n := b.now.Add(1); n > b.most.Load() {
		b.most.Store(n)
	}
	defer b.now.Add(-1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the connection is cut; the client sees it
	}
	if r.URL.Path == "/length" {
		w.Header().Set("Content-Length", fmt.Sprint(2*len(body)))
	}
	w.Write(body)
	if f, ok := w.(http.Flusher); ok && r.URL.Path != "/length" {
		f.Flush() // makes the answer chunked
	}
	w.Write(body)
}

func TestBodiesOfBothFramingsPassBothWays(t *testing.T) {
	b := newBackend(t)
	addr := start(t, Spec{Servers: []netip.AddrPort{b.addr}, HTTP: true})
	for _, size := range []int{0, 1, 5000, 70_000, 3_000_000} {
		for _, path := range []string{"/length", "/chunked"} {
			body := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
			var content io.Reader = bytes.NewReader(body)
			if path == "/chunked" {
				content = io.MultiReader(content)
			}
			resp, err := http.Post("http://"+addr+path, "text/plain", content)
			if err != nil {
				t.Fatalf("%s with %d bytes: %v", path, size, err)
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, append(body, body...)) {
				t.Errorf("%s: sent %d bytes, got %d (%v), want them twice", path, size, len(got), err)
			}
		}
	}
	if n := b.connections.Load(); n > 2 {
		t.Errorf("%d server connections for requests one after the other", n)
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	b := newBackend(t)
	c := dial(t, start(t, Spec{Servers: []netip.AddrPort{b.addr}, HTTP: true}))
	var sent strings.Builder
	for i := range 20 {
		fmt.Fprintf(&sent, "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d", i)
	}
	io.WriteString(c, sent.String())
	in := bufio.NewReader(c)
	for i := range 20 {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		if want := fmt.Sprintf("%02d%02d", i, i); string(got) != want {
			t.Errorf("answer %d is %q, want %q", i, got, want)
		}
	}
}

func TestClosingClientsShareServerConnections(t *testing.T) {
	b := newBackend(t)
	addr := start(t, Spec{Servers: []netip.AddrPort{b.addr}, HTTP: true})
	for range 5 {
		c := dial(t, addr)
		io.WriteString(c, "POST /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab")
		all, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(all), "Connection: close\r\n") || !strings.HasSuffix(string(all), "\r\n\r\nabab") {
			t.Fatalf("answer %q, %v", all, err)
		}
	}
	if n := b.connections.Load(); n != 1 {
		t.Errorf("%d server connections, want one", n)
	}
}

func TestRequestsBeyondTheBoundWait(t *testing.T) {
	backends := []*backend{newBackend(t), newBackend(t)}
	addr := start(t, Spec{Servers: []netip.AddrPort{backends[0].addr, backends[1].addr}, HTTP: true, ServerMax: 2})
	var done sync.WaitGroup
	for i := range 50 {
		done.Go(func() {
			for range 5 {
				resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}).
					Post("http://"+addr+"/length", "text/plain", strings.NewReader("ab"))
				if err != nil {
					t.Error(err)
					return
				}
				if got, _ := io.ReadAll(resp.Body); string(got) != "abab" {
					t.Errorf("answer %q", got)
				}
				resp.Body.Close()
			}
		})
	}
	done.Wait()
	for _, b := range backends {
		if most := b.most.Load(); most == 0 || most > 2 {
			t.Errorf("a server had %d requests at once, want 1 or 2", most)
		}
	}
}

func TestTCPPassesBytesAndEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	addr := start(t, Spec{Servers: []netip.AddrPort{l.Addr().(*net.TCPAddr).AddrPort()}})
	for _, size := range []int{0, 3, 100_000, 5_000_000} {
		c := dial(t, addr)
		sent := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		go func() {
			c.Write(sent)
			c.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("sent %d bytes, got %d, %v", size, len(got), err)
		}
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
