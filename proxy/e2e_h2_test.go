package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-lb/weir/tls"
	"github.com/weir-lb/weir/tls/tlstest"
)

// HTTP/2 with clients that others wrote. They fail where one is missing, unless the
// caller said that it knows: WEIR_WITHOUT=curl,nghttp,h2load.

// have reports whether the programs are there.
func have(t *testing.T, programs ...string) bool {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			if !strings.Contains(os.Getenv("WEIR_WITHOUT"), name) {
				t.Fatalf("%v; to go without it, set WEIR_WITHOUT=%s", err, name)
			}
			t.Log("not run: WEIR_WITHOUT=" + name)
			return false
		}
	}
	return true
}

// program runs one, and gives what it wrote.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// mirror is a server that tells what it was asked.
func mirror(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprintf(w, "%s %s %s host=%s body=%d te=%v", r.Method, r.URL, r.Proto, r.Host, len(body), r.TransferEncoding)
		if r.URL.Path == "/big" {
			io.WriteString(w, strings.Repeat("x", 3_000_000))
		}
		w.Header().Set("X-Sum", "7")
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

func TestE2EH2Programs(t *testing.T) {
	if !have(t, "curl", "nghttp", "h2load") {
		return
	}
	r := newRig(t)
	cfg := e2eSite(ModeHTTP, mirror(t))
	cfg.Frontends[0].Log.DontLogNormal = true
	r.start(cfg)
	url := "http://" + r.addr
	got := program(t, "curl", "-sS", "--http2-prior-knowledge", "-i", url+"/a?b=c")
	for _, want := range []string{"HTTP/2 200", "trailer: X-Sum", "GET /a?b=c HTTP/1.1 host=" + r.addr + " body=0 te=[]", "x-sum: 7"} {
		if !strings.Contains(got, want) {
			t.Errorf("curl: %q is not in:\n%s", want, got)
		}
	}
	upload := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(upload, make([]byte, 1_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	got = program(t, "curl", "-sS", "--http2-prior-knowledge", "--data-binary", "@"+upload, url+"/up")
	if !strings.Contains(got, "POST /up HTTP/1.1") || !strings.Contains(got, "body=1000000 te=[]") {
		t.Errorf("curl, with a length: %s", got)
	}
	got = program(t, "nghttp", "-d", upload, "--no-content-length", url+"/up")
	if !strings.Contains(got, "body=1000000 te=[chunked]") {
		t.Errorf("nghttp, without a length: %s", got)
	}
	for _, path := range []string{"/small", "/big"} {
		got = program(t, "h2load", "-n", "200", "-c", "4", "-m", "20", url+path)
		if !strings.Contains(got, "200 succeeded, 0 failed, 0 errored, 0 timeout") {
			t.Errorf("h2load %s: %s", path, got)
		}
	}
	got = program(t, "h2load", "-n", "100", "-c", "2", "-m", "10", "-w", "10", "-W", "12", url+"/big")
	if !strings.Contains(got, "100 succeeded, 0 failed") {
		t.Errorf("h2load with windows of a few kB: %s", got)
	}
}

func TestE2EH2OverTLS(t *testing.T) {
	if !have(t, "curl", "h2load") {
		return
	}
	r := newRig(t)
	cfg := e2eSite(ModeHTTP, mirror(t))
	cfg.Frontends[0].Log.DontLogNormal = true
	ca := tlstest.NewAuthority(t, "weir test authority")
	path := ca.File(t.TempDir(), "site.pem", tlstest.Request{Names: []string{"example.com"}})
	cfg.Frontends[0].TLS = []*tls.Spec{{Sources: []tls.Source{{Path: path}}, Origin: "test.cfg:7", ALPN: []string{"h2", "http/1.1"}}}
	r.start(cfg)
	_, port, _ := net.SplitHostPort(r.addr)
	to := []string{"-sSk", "-i", "--resolve", "example.com:" + port + ":127.0.0.1", "https://example.com:" + port + "/a"}
	if got := program(t, "curl", append([]string{"--http2"}, to...)...); !strings.Contains(got, "HTTP/2 200") || !strings.Contains(got, "x-sum: 7") {
		t.Errorf("curl that offers both: %s", got)
	}
	if got := program(t, "curl", append([]string{"--http1.1"}, to...)...); !strings.Contains(got, "HTTP/1.1 200") {
		t.Errorf("curl that offers HTTP/1.1: %s", got)
	}
	got := program(t, "h2load", "-n", "200", "-c", "4", "-m", "20", "https://"+r.addr+"/big")
	if !strings.Contains(got, "200 succeeded, 0 failed") {
		t.Errorf("h2load: %s", got)
	}
}
