package proxy

import (
	"bufio"
	"bytes"
	cryptotls "crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/tls"
	"github.com/weir-lb/weir/tls/tlstest"
)

// secured gives the site's bind a certificate for example.com and
// *.example.com.
func secured(t *testing.T, cfg *Config) (*Config, *tlstest.Authority) {
	t.Helper()
	ca := tlstest.NewAuthority(t, "weir test authority")
	path := ca.File(t.TempDir(), "site.pem", tlstest.Request{Names: []string{"example.com", "*.example.com"}})
	cfg.Frontends[0].TLS = []*tls.Spec{{Sources: []tls.Source{{Path: path}}, Origin: "test.cfg:7"}}
	return cfg, ca
}

// dialTLS connects one more client, which trusts ca.
func (r *rig) dialTLS(ca *tlstest.Authority, change func(*cryptotls.Config)) (*cryptotls.Conn, error) {
	cfg := &cryptotls.Config{RootCAs: ca.Pool, ServerName: "example.com"}
	if change != nil {
		change(cfg)
	}
	raw, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(e2ePatience))
	c := cryptotls.Client(raw, cfg)
	r.t.Cleanup(func() { raw.Close() })
	if err = c.Handshake(); err != nil {
		raw.Close()
	}
	return c, err
}

func (r *rig) mustDialTLS(ca *tlstest.Authority, change func(*cryptotls.Config)) *cryptotls.Conn {
	r.t.Helper()
	c, err := r.dialTLS(ca, change)
	if err != nil {
		r.t.Fatalf("handshake: %v", err)
	}
	return c
}

// ask sends a request over c and gives what came back.
func (r *rig) ask(c io.Writer, in *bufio.Reader, request string) (status int, body []byte) {
	r.t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		r.t.Fatal(err)
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		r.t.Fatalf("no answer: %v", err)
	}
	body, err = io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("body: %v", err)
	}
	return res.StatusCode, body
}

func TestE2ETLSRequests(t *testing.T) {
	for _, version := range []uint16{cryptotls.VersionTLS12, cryptotls.VersionTLS13} {
		t.Run(cryptotls.VersionName(version), func(t *testing.T) {
			r := newRig(t)
			server := newWireServer(t)
			server.respond(respondOK)
			cfg, ca := secured(t, e2eSite(ModeHTTP, server.addr))
			r.start(cfg)
			c := r.mustDialTLS(ca, func(c *cryptotls.Config) { c.MinVersion, c.MaxVersion = version, version })
			in := bufio.NewReader(c)
			for range 5 {
				if status, body := r.ask(c, in, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"); status != 200 || string(body) != "ok" {
					t.Fatalf("got %d %q", status, body)
				}
			}
			if status, _ := r.ask(c, in, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"); status != 200 {
				t.Fatalf("got %d", status)
			}
			if n, err := in.Read(make([]byte, 10)); err != io.EOF {
				t.Errorf("after the last answer: got %d bytes and %v, want close_notify", n, err)
			}
			c.Close()
			r.wantLogs("", times(6, "200 ---- be/s1 0 0/0")...)
			r.wantTally(tally{total: 6, answers2: 6})
		})
	}
}

// echoBody answers with the body that it got.
func echoServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("content-length", fmt.Sprint(len(body)))
		w.Write(body)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// motley is n bytes of which each place can be told from the others.
func motley(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestE2ETLSBodies(t *testing.T) {
	r := newRig(t)
	cfg, ca := secured(t, e2eSite(ModeHTTP, echoServer(t)))
	r.start(cfg)
	c := r.mustDialTLS(ca, nil)
	in := bufio.NewReader(c)
	sizes := []int{1, 100, 16383, 16384, 16385, 40000, 3 << 20}
	for _, size := range sizes {
		want := motley(size)
		done := make(chan error, 1)
		go func() {
			_, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n", size)
			if err == nil {
				_, err = c.Write(want)
			}
			done <- err
		}()
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %d, error %v", size, len(got), err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	r.wantLogs("", times(len(sizes), "200 ---- be/s1 0 0/0")...)
}

// Pipelined requests come in one record, and one request in many.
func TestE2ETLSRecordsAreNotMessages(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg, ca := secured(t, e2eSite(ModeHTTP, server.addr))
	r.start(cfg)
	c := r.mustDialTLS(ca, nil)
	in := bufio.NewReader(c)
	const pipelined = 60
	io.WriteString(c, strings.Repeat("GET / HTTP/1.1\r\nhost: x\r\n\r\n", pipelined))
	for i := range pipelined {
		if status, _ := r.ask(io.Discard, in, ""); status != 200 {
			t.Fatalf("answer %d: %d", i, status)
		}
	}
	for _, b := range []byte("GET / HTTP/1.1\r\nhost: x\r\n\r\n") {
		c.Write([]byte{b})
	}
	if status, _ := r.ask(io.Discard, in, ""); status != 200 {
		t.Fatalf("got %d", status)
	}
	c.Close()
	r.wantLogs("", times(pipelined+1, "200 ---- be/s1 0 0/0")...)
}

// A relay passes close_notify on as FIN, and FIN as close_notify.
func TestE2ETLSRelay(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	cfg, ca := secured(t, e2eSite(ModeTCP, server.addr))
	r.start(cfg)
	c := r.mustDialTLS(ca, nil)
	io.WriteString(c, "hello")
	s := server.accept("a relay")
	s.want("clear towards the server", "hello")
	big := motley(2 << 20)
	go s.conn.Write(big)
	got := make([]byte, len(big))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, big) {
		t.Fatalf("got other bytes, error %v", err)
	}
	c.CloseWrite()
	s.wantEnd("the client has said that it sends no more")
	s.send("bye")
	rest := make([]byte, 3)
	if _, err := io.ReadFull(c, rest); err != nil || string(rest) != "bye" {
		t.Fatalf("after the client's close_notify: got %q and %v", rest, err)
	}
	s.conn.CloseWrite()
	if _, err := c.Read(rest); err != io.EOF {
		t.Errorf("after the server's FIN: %v, want close_notify", err)
	}
	s.close()
	c.Close()
	r.wantLogs("", "-- be/s1 0 0/0")
	r.wantTally(tally{total: 1})
}

func TestE2ETLSHandshakesThatFail(t *testing.T) {
	r := newRig(t)
	cfg, ca := secured(t, e2eSite(ModeHTTP, refusingAddress(t)))
	cfg.Frontends[0].TLS[0].StrictSNI = true
	cfg.Frontends[0].Log.ErrorFormat = "%[fc_err] %[fc_err_str]"
	r.start(cfg)
	plain := r.get("/")
	plain.wantEnd("this is no TLS")
	if _, err := r.dialTLS(ca, func(c *cryptotls.Config) { c.ServerName = "example.org" }); err == nil ||
		!strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("strict-sni: got %v, want unrecognized_name", err)
	}
	silent := r.dial()
	silent.conn.CloseWrite()
	silent.wantEnd("gone without a word")
	half := r.dial()
	half.send("\x16\x03\x01\x02")
	half.conn.CloseWrite()
	half.wantEnd("gone in the middle")
	if _, err := r.dialTLS(ca, func(c *cryptotls.Config) {
		c.MaxVersion = cryptotls.VersionTLS11
		c.MinVersion = cryptotls.VersionTLS10
	}); err == nil {
		t.Errorf("TLS 1.1 was accepted")
	}
	r.wantLogs("", "34 SSL handshake failure", "34 SSL handshake failure", "34 SSL handshake failure",
		"24 Connection closed during SSL handshake", "24 Connection closed during SSL handshake")
}

// Clients that stop in the middle of their hello, and behind it, have the time
// that timeout client gives, and nothing of theirs is left.
func TestE2ETLSHandshakesThatStall(t *testing.T) {
	const each = 20
	r := newRig(t)
	cfg, _ := secured(t, e2eSite(ModeTCP, refusingAddress(t)))
	cfg.Frontends[0].Log.ErrorFormat = "%[fc_err] %[fc_err_str]"
	r.start(cfg.timeouts(func(to *Timeouts) { to.Client = 200 * time.Millisecond }))
	hello := clientHello(t)
	var clients []*wire
	for range each {
		for _, said := range []string{"", hello[:3], hello[:100], hello} {
			c := r.dial()
			c.send(said)
			clients = append(clients, c)
		}
	}
	for _, c := range clients {
		io.Copy(io.Discard, c.in) // what the server says to a hello
		c.close()
	}
	r.wantLogs("timeout client", times(4*each, "26 Timeout during SSL handshake")...)
	for _, w := range r.p.workers {
		running := make(chan int)
		r.until("no place is taken", func() bool {
			w.loop.Do(func() { running <- w.shakes.running })
			return <-running == 0
		})
	}
}

// clientHello is what a client says first.
func clientHello(t *testing.T) string {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go cryptotls.Client(theirs, &cryptotls.Config{ServerName: "example.com"}).Handshake()
	b := make([]byte, 16<<10)
	n, err := ours.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// More handshakes than there are places: all come to an end.
func TestE2ETLSHandshakesWaitForAPlace(t *testing.T) {
	const clients = 50
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg, ca := secured(t, e2eSite(ModeHTTP, server.addr))
	r.start(cfg)
	for _, w := range r.p.workers {
		w.loop.Do(func() { w.shakes.running = handshakesMax - 1 })
	}
	done := make(chan error, clients)
	for range clients {
		go func() {
			c, err := r.dialTLS(ca, nil)
			if err == nil {
				c.Close()
			}
			done <- err
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r.wantLogs("they asked for nothing", times(clients, "400 CR-- fe/<NOSRV> 0 0/0")...)
}

func TestE2ETLSConnectionsAreBounded(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg, ca := secured(t, e2eSite(ModeHTTP, server.addr))
	cfg.Global.MaxTLSConn = 1
	cfg.Frontends[0].Log.ErrorFormat = "%[fc_err] %[fc_err_str]"
	r.start(cfg)
	first := r.mustDialTLS(ca, nil)
	if _, err := r.dialTLS(ca, nil); err == nil {
		t.Error("maxsslconn 1: a second connection was accepted")
	}
	first.Close()
	r.wantLogs("the second, and the first, which asked for nothing", "27 Too many SSL connections", "0 Success")
	r.until("the place is free again", func() bool { return r.p.tlsConns.Load() == 0 })
}

// A client that does not read makes the server wait, and loses nothing.
func TestE2ETLSSlowReader(t *testing.T) {
	r := newRig(t)
	f := &flood{size: 8 << 20, stalled: make(chan int, 1), goOn: make(chan struct{})}
	server := newWireServer(t)
	server.respond(f.respond)
	cfg, ca := secured(t, slowSite(server.addr))
	r.start(cfg)
	c := r.mustDialTLS(ca, nil)
	c.NetConn().(*net.TCPConn).SetReadBuffer(floodPiece)
	io.WriteString(c, "GET /flood HTTP/1.1\r\nhost: x\r\n\r\n")
	if sent := <-f.stalled; sent > 1<<20 {
		t.Errorf("the server got rid of %d bytes for a client that reads none", sent)
	}
	close(f.goOn)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); n != int64(f.size) || err != nil {
		t.Fatalf("got %d bytes and error %v", n, err)
	}
	c.Close()
	r.wantLogs("", "200 ---- be/s1 0 0/0")
}

func TestE2ETLSTicketsShortenHandshakes(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg, ca := secured(t, e2eSite(ModeHTTP, server.addr))
	cfg.Frontends[0].Log.Custom = "%ft %sslv %sslc %[ssl_fc_is_resumed] %[ssl_fc_sni]"
	r.start(cfg)
	cache := cryptotls.NewLRUClientSessionCache(4)
	for range 2 {
		c := r.mustDialTLS(ca, func(c *cryptotls.Config) { c.ClientSessionCache = cache })
		r.ask(c, bufio.NewReader(c), "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
		c.Close()
	}
	r.wantLogs("", "fe~ TLSv1.3 TLS_AES_128_GCM_SHA256 0 example.com", "fe~ TLSv1.3 TLS_AES_128_GCM_SHA256 1 example.com")
}
