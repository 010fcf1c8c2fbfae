package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// free is an address on which nobody listens.
func free(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// start runs a server for the rest of the test binary's life.
func start(t *testing.T, spec Spec) *Counters {
	t.Helper()
	spec.Counters, spec.Loops = filepath.Join(t.TempDir(), "counters"), 1
	counters, err := CreateCounters(spec.Counters)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	go s.Run()
	return counters
}

func body(n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = ByteAt(int64(i))
	}
	return b
}

func TestEveryTargetHasItsBody(t *testing.T) {
	addr := free(t)
	counters := start(t, Spec{HTTP: []netip.AddrPort{addr}})
	var total int64
	for _, tc := range []struct {
		target string
		size   int64
	}{
		{"/", 128}, {"/any", 128}, {"/b/0", 0}, {"/b/4096", 4096}, {"/b/65536", 65536}, {"/b/3000001", 3000001}, {"/c/10000/999", 10000},
	} {
		total += tc.size
		resp, err := http.Get(fmt.Sprintf("http://%v%s", addr, tc.target))
		if err != nil {
			t.Fatalf("%s: %v", tc.target, err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(got, body(tc.size)) {
			t.Errorf("%s: %d bytes (%v), want %d of the content", tc.target, len(got), err, tc.size)
		}
	}
	if got := counters.Read(); got.Requests != 7 || got.BytesOut != total {
		t.Errorf("counters %+v, want 7 requests and %d bytes", got, total)
	}
}

func TestBodiesAreReadBeforeTheAnswer(t *testing.T) {
	addr := free(t)
	counters := start(t, Spec{HTTP: []netip.AddrPort{addr}})
	for _, size := range []int{0, 1, 5000, 300_000} {
		for _, chunked := range []bool{false, true} {
			before := counters.Read()
			var content io.Reader = strings.NewReader(strings.Repeat("x", size))
			if chunked {
				content = io.MultiReader(content) // net/http does not see its length
			}
			resp, err := http.Post(fmt.Sprintf("http://%v/", addr), "text/plain", content)
			if err != nil {
				t.Fatalf("%d bytes, chunked %v: %v", size, chunked, err)
			}
			io.Copy(io.Discard, resp.Body)
			if got := counters.Read().Sub(before); got.Requests != 1 || got.BytesIn < int64(size) {
				t.Errorf("%d bytes, chunked %v: counted %+v", size, chunked, got)
			}
		}
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	addr := free(t)
	start(t, Spec{HTTP: []netip.AddrPort{addr}})
	c := dial(t, addr)
	io.WriteString(c, "GET /b/3 HTTP/1.1\r\n\r\nPOST /b/2 HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcdGET /b/1 HTTP/1.1\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []string
	for _, part := range strings.Split(string(all), "\r\n\r\n")[1:] {
		got, _, _ := strings.Cut(part, "HTTP")
		sizes = append(sizes, got)
	}
	if want := []string{"abc", "ab", "a"}; fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("bodies %q, want %q", sizes, want)
	}
}

func TestEchoStreamAndDatagrams(t *testing.T) {
	echo, stream, udp := free(t), free(t), free(t)
	counters := start(t, Spec{Echo: []netip.AddrPort{echo}, Stream: []netip.AddrPort{stream}, UDP: []netip.AddrPort{udp}, StreamBytes: 5 << 20})
	c := dial(t, echo)
	io.WriteString(c, "ping")
	got := make([]byte, 4)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "ping" {
		t.Errorf("echo: %q, %v", got, err)
	}
	all, err := io.ReadAll(dial(t, stream))
	if err != nil || !bytes.Equal(all, body(5<<20)) {
		t.Errorf("stream: %d bytes, %v", len(all), err)
	}
	d, err := net.Dial("udp", udp.String())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	io.WriteString(d, "log line")
	deadline := time.Now().Add(5 * time.Second)
	for counters.Read().Datagrams != 1 {
		if time.Now().After(deadline) {
			t.Fatalf("counters %+v, want one datagram", counters.Read())
		}
	}
}

func dial(t *testing.T, addr netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
