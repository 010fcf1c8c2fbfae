package load

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const wrkSays = `Running 1s test @ http://127.0.0.1:18080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.98ms  310.22us  12.53ms   86.71%
    Req/Sec    64.90k     2.63k   70.10k    80.00%
  Latency Distribution
     50%  935.00us
     75%    1.09ms
     90%    1.29ms
     99%    1.78ms
  64593 requests in 1.00s, 14.11MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec:  64432.11
Transfer/sec:     14.08MB
`

func TestWrkIsRead(t *testing.T) {
	got, err := Parse(Wrk, []byte(wrkSays))
	want := Outcome{
		Tool: Wrk, Answers: 64593, Errors: 15,
		Latency: Latency{P50: 935 * time.Microsecond, P90: 1290 * time.Microsecond, P99: 1780 * time.Microsecond, Max: 12530 * time.Microsecond},
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if _, err := Parse(Wrk, []byte("unable to connect")); err == nil {
		t.Error("what is no report is read as one")
	}
}

func TestH2loadIsRead(t *testing.T) {
	got, err := Parse(H2load, []byte("finished in 1.18s\nrequests: 90 total, 88 started, 87 done, 85 succeeded, 2 failed, 1 errored, 0 timeout\nstatus codes: 80 2xx, 1 3xx, 4 4xx, 2 5xx\n"))
	if want := (Outcome{Tool: H2load, Answers: 87, Errors: 8}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, err := Parse(H2load, []byte("?")); err == nil {
		t.Error("what is no report is read as one")
	}
}

func TestCommandsSayWhatTheSpecSays(t *testing.T) {
	to := netip.MustParseAddrPort("127.0.0.1:80")
	for _, tc := range []struct {
		tool Tool
		spec Spec
		want string
	}{
		{Wrk, Spec{To: to, Connections: 9, Path: "/b/1", Close: true}, "wrk -t1 -c9 --latency -d3600s --timeout 60s -H Connection: close http://127.0.0.1:80/b/1"},
		{H2load, Spec{To: to, Connections: 9, Path: "/", Pipeline: 4, Length: 2 * time.Second}, "h2load --h1 -t1 -c9 -m4 -D4 http://127.0.0.1:80/"},
		{Own, Spec{}, "bench load file"},
	} {
		got, err := Command(tc.tool, tc.spec, "bench", "file")
		if err != nil || strings.Join(got, " ") != tc.want {
			t.Errorf("%v, %v, want %s", got, err, tc.want)
		}
	}
	if _, err := Command("ab", Spec{}, "", ""); err == nil {
		t.Error("an unknown tool has a command")
	}
}

func serve(t *testing.T, handler http.HandlerFunc) netip.AddrPort {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return netip.MustParseAddrPort(u.Host)
}

func runFor(t *testing.T, spec Spec, length time.Duration) Outcome {
	t.Helper()
	spec.Length = length
	o, err := Run(spec)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestClosedLoopSendsWhatTheSpecSays(t *testing.T) {
	type seen struct {
		method, target, key string
		body                int64
		chunked, close      bool
	}
	for name, tc := range map[string]struct {
		spec Spec
		want seen
	}{
		"get":     {Spec{Path: "/x"}, seen{method: "GET", target: "/x"}},
		"close":   {Spec{Path: "/x", Close: true}, seen{method: "GET", target: "/x", close: true}},
		"post":    {Spec{Path: "/", HasBody: true}, seen{method: "POST", target: "/"}},
		"small":   {Spec{Path: "/", HasBody: true, Post: 100}, seen{method: "POST", target: "/", body: 100}},
		"large":   {Spec{Path: "/", HasBody: true, Post: 3 << 20}, seen{method: "POST", target: "/", body: 3 << 20}},
		"chunked": {Spec{Path: "/", HasBody: true, Post: 10000, Chunked: true}, seen{method: "POST", target: "/", body: 10000, chunked: true}},
		"paths":   {Spec{Path: "/", Paths: 1}, seen{method: "GET", target: "/0?key=0", key: "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			all := map[seen]int64{}
			tc.spec.To = serve(t, func(w http.ResponseWriter, r *http.Request) {
				n, _ := io.Copy(io.Discard, r.Body) // a cut body at the end of the run
				mu.Lock()
				defer mu.Unlock()
				all[seen{r.Method, r.RequestURI, r.Header.Get("X-Key"), n, r.TransferEncoding != nil, r.Close}]++
				io.WriteString(w, strings.Repeat("answer", int(all[tc.want]%3)*3000)) // with and without chunks
			})
			tc.spec.Connections = 3
			o := runFor(t, tc.spec, 200*time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if o.Errors > 0 || o.Answers == 0 || all[tc.want] < o.Answers {
				t.Errorf("%+v; the server saw %+v", o, all)
			}
		})
	}
}

func TestErrorsAreCounted(t *testing.T) {
	var n atomic.Int64
	to := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	o := runFor(t, Spec{To: to, Connections: 1, Path: "/"}, 100*time.Millisecond)
	if o.Errors == 0 || o.Errors > o.Answers {
		t.Errorf("%+v of %d requests, every second failed", o, n.Load())
	}
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	var n atomic.Int64
	to := serve(t, func(http.ResponseWriter, *http.Request) { n.Add(1) })
	o := runFor(t, Spec{To: to, Connections: 4, Path: "/", Rate: 200}, time.Second)
	if got := n.Load(); got > 230 || o.Errors > 0 {
		t.Errorf("%d requests in a second at 200 per second: %+v", got, o)
	}
	points, err := Curve([]string{o.Histogram, o.Histogram})
	if err != nil || len(points) < 3 || points[len(points)-1].Share != 1 {
		t.Errorf("curve %v, %v", points, err)
	}
}

// The server stalls once. Whoever asks only after each answer sees one slow
// request; at a constant rate, all that were due meanwhile are late.
func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	const stall = 400 * time.Millisecond
	stalling := func() netip.AddrPort {
		var n atomic.Int64
		return serve(t, func(http.ResponseWriter, *http.Request) {
			if n.Add(1) == 3 {
				<-time.NewTimer(stall).C
			}
		})
	}
	open := runFor(t, Spec{To: stalling(), Connections: 1, Path: "/", Rate: 500}, stall)
	if open.Latency.P50 < stall/10 {
		t.Errorf("open loop: half of the requests took less than %v although the server stood still", open.Latency.P50)
	}
	closed := runFor(t, Spec{To: stalling(), Connections: 1, Path: "/"}, 2*stall)
	if closed.Latency.P50 > stall/10 {
		t.Errorf("closed loop: p50 %v, one of many requests was slow", closed.Latency.P50)
	}
}

// A listener whose connections are handled by f.
func listen(t *testing.T, f func(net.Conn)) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestPingAndStream(t *testing.T) {
	echo := listen(t, func(c net.Conn) { io.Copy(c, c) })
	if o := runFor(t, Spec{To: echo, Connections: 2, Ping: true}, 100*time.Millisecond); o.Answers == 0 || o.Errors > 0 {
		t.Errorf("ping: %+v", o)
	}
	stream := listen(t, func(c net.Conn) { c.Write(make([]byte, 1<<20)) })
	if o := runFor(t, Spec{To: stream, Connections: 2, Stream: true}, 200*time.Millisecond); o.Answers == 0 || o.Errors > 0 {
		t.Errorf("stream: %+v", o)
	}
}

func TestIdleClientsAskOnce(t *testing.T) {
	var n atomic.Int64
	to := serve(t, func(http.ResponseWriter, *http.Request) { n.Add(1) })
	o := runFor(t, Spec{To: to, Connections: 600, Path: "/", Idle: true, Sources: 300}, 100*time.Millisecond)
	if n.Load() != 600 || o.Errors > 0 {
		t.Errorf("%d requests of 600 clients: %+v", n.Load(), o)
	}
}

func TestSlowReadersDoNotHoldUpTheOthers(t *testing.T) {
	var taken atomic.Int64
	to := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.URL.Path == "/slow" {
			n, err := w.Write(make([]byte, 1<<16))
			if taken.Add(int64(n)); err != nil {
				return
			}
		}
	})
	o := runFor(t, Spec{To: to, Connections: 2, Path: "/", Rate: 100, Slow: 3, SlowPath: "/slow", Drip: 1 << 20}, 500*time.Millisecond)
	if o.Answers < 20 || o.Errors > 0 {
		t.Errorf("%+v beside slow readers", o)
	}
	if n := taken.Load(); n == 0 || n > 50<<20 {
		t.Errorf("slow readers were sent %d bytes", n)
	}
}
