package proxy

import (
	"bufio"
	cryptotls "crypto/tls"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/health"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/tls"
	"github.com/weir-lb/weir/tls/tlstest"
)

// A tlsServer answers over TLS with what it knows of the connection.
type tlsServer struct {
	addr  string
	ca    *tlstest.Authority
	cfg   *cryptotls.Config
	conns atomic.Int32
	first func(net.Conn) error // before TLS
	l     net.Listener
}

func newTLSServer(t *testing.T, change func(*cryptotls.Config)) *tlsServer {
	t.Helper()
	s := &tlsServer{ca: tlstest.NewAuthority(t, "servers")}
	pair := s.ca.Pair(tlstest.Request{Names: []string{"app.example", "*.apps.example"}})
	s.cfg = &cryptotls.Config{Certificates: []cryptotls.Certificate{pair}}
	if change != nil {
		change(s.cfg)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.l = l.Addr().String(), l
	t.Cleanup(func() { l.Close() })
	return s
}

// listen takes connections from now on.
func (s *tlsServer) listen() {
	for {
		conn, err := s.l.Accept()
		if err != nil {
			return
		}
		go s.serve(conn)
	}
}

func (s *tlsServer) serve(raw net.Conn) {
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(e2ePatience))
	if s.first != nil && s.first(raw) != nil {
		return
	}
	c := cryptotls.Server(raw, s.cfg)
	if c.Handshake() != nil {
		return
	}
	s.conns.Add(1)
	st := c.ConnectionState()
	user := "-"
	if len(st.PeerCertificates) > 0 {
		user = st.PeerCertificates[0].Subject.CommonName
	}
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		answer := fmt.Sprintf("sni=%s resumed=%v user=%s alpn=%s", st.ServerName, st.DidResume, user, st.NegotiatedProtocol)
		if len(body) > 0 {
			answer = string(body)
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(answer), answer)
	}
}

// towards makes the site's only server speak TLS, and begins to serve.
func (s *tlsServer) towards(t *testing.T, cfg *Config) *tls.ClientSpec {
	spec := &tls.ClientSpec{SNI: "str(app.example)"}
	spec.Verify, spec.CAFile = tls.VerifyRequired, tlstest.Write(t, t.TempDir(), "ca.pem", s.ca.PEM)
	cfg.Backends[0].Servers[0].TLS = spec
	go s.listen()
	return spec
}

func TestE2ETLSServerIsAskedOverOneConnection(t *testing.T) {
	for _, version := range []uint16{cryptotls.VersionTLS12, cryptotls.VersionTLS13} {
		t.Run(cryptotls.VersionName(version), func(t *testing.T) {
			r := newRig(t)
			s := newTLSServer(t, func(c *cryptotls.Config) { c.MaxVersion, c.NextProtos = version, []string{"http/1.1"} })
			cfg := e2eSite(ModeHTTP, s.addr)
			s.towards(t, cfg).ALPN = []string{"http/1.1"}
			r.start(cfg.loops(1))
			conn := r.dial()
			for range 3 {
				if _, body := r.ask(conn.conn, conn.in, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"); string(body) != "sni=app.example resumed=false user=- alpn=http/1.1" {
					t.Errorf("got %q", body)
				}
			}
			big := string(motley(300_000))
			_, body := r.ask(conn.conn, conn.in, fmt.Sprintf("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s", len(big), big))
			if string(body) != big {
				t.Errorf("a body of %d bytes came back with %d", len(big), len(body))
			}
			conn.close()
			if n := s.conns.Load(); n != 1 {
				t.Errorf("%d connections were made for a client's four requests", n)
			}
			r.wantLogs("", times(4, "200 ---- be/s1 0 0/0")...)
		})
	}
}

func TestE2ETLSServerSessionsAreResumed(t *testing.T) {
	for _, noReuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("no-ssl-reuse %v", noReuse), func(t *testing.T) {
			r := newRig(t)
			s := newTLSServer(t, nil)
			cfg := e2eSite(ModeHTTP, s.addr)
			s.towards(t, cfg).NoReuse = noReuse
			cfg.Backends[0].ConnMode = ConnServerClose
			r.start(cfg.loops(1))
			var got []string
			for range 2 {
				conn := r.dial()
				_, body := r.ask(conn.conn, conn.in, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
				got = append(got, strings.Fields(string(body))[1])
				conn.close()
			}
			if want := fmt.Sprintf("[resumed=false resumed=%v]", !noReuse); fmt.Sprint(got) != want {
				t.Errorf("got %v, want %s", got, want)
			}
			r.wantLogs("", times(2, "200 ---- be/s1 0 0/0")...)
		})
	}
}

func TestE2ETLSServerIsVerified(t *testing.T) {
	other := tlstest.NewAuthority(t, "others")
	for _, tc := range []struct {
		name   string
		change func(*tls.ClientSpec)
		status int
	}{
		{"its name", func(*tls.ClientSpec) {}, 200},
		{"a name of its wildcard", func(s *tls.ClientSpec) { s.SNI = "str(one.apps.example)" }, 200},
		{"another name", func(s *tls.ClientSpec) { s.SNI = "str(other.example)" }, 503},
		{"no name", func(s *tls.ClientSpec) { s.SNI = "" }, 200},
		{"verifyhost", func(s *tls.ClientSpec) { s.SNI, s.VerifyHost = "str(other.example)", "app.example" }, 200},
		{"verifyhost of another", func(s *tls.ClientSpec) { s.VerifyHost = "other.example" }, 503},
		{"an unknown authority", func(s *tls.ClientSpec) { s.CAFile = tlstest.Write(t, t.TempDir(), "o.pem", other.PEM) }, 503},
		{"an unknown authority, verify none", func(s *tls.ClientSpec) { s.Verify, s.CAFile = tls.VerifyNone, "" }, 200},
		{"too old a version", func(s *tls.ClientSpec) { s.MinVersion, s.MaxVersion = cryptotls.VersionTLS10, cryptotls.VersionTLS11 }, 503},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			s := newTLSServer(t, nil)
			cfg := e2eSite(ModeHTTP, s.addr)
			tc.change(s.towards(t, cfg))
			cfg.Backends[0].Retries = -1
			r.start(cfg)
			r.get("/").wantAnswer(tc.name, tc.status)
			if tc.status == 200 {
				r.wantLogs("", "200 ---- be/s1 0 0/0")
			} else {
				r.wantLogs("", "503 SC-- be/s1 0 0/0")
			}
		})
	}
}

// The name comes from the request: connections of one name serve no other.
func TestE2ETLSServerNameFromTheRequest(t *testing.T) {
	r := newRig(t)
	s := newTLSServer(t, nil)
	cfg := e2eSite(ModeHTTP, s.addr)
	s.towards(t, cfg).SNI = "req.hdr(host)"
	r.start(cfg.loops(1))
	conn := r.dial()
	for _, host := range []string{"app.example", "one.apps.example:8080", "app.example"} {
		_, body := r.ask(conn.conn, conn.in, "GET / HTTP/1.1\r\nhost: "+host+"\r\n\r\n")
		want, _, _ := strings.Cut(host, ":")
		if got, _, _ := strings.Cut(string(body), " "); got != "sni="+want {
			t.Errorf("host %s: the server was asked for %s", host, got)
		}
	}
	conn.close()
	r.wantLogs("", times(3, "200 ---- be/s1 0 0/0")...)
}

func TestE2ETLSServerSeesOurCertificateAndPROXYHeader(t *testing.T) {
	r := newRig(t)
	ours := tlstest.NewAuthority(t, "proxies")
	s := newTLSServer(t, func(c *cryptotls.Config) { c.ClientAuth, c.ClientCAs = cryptotls.RequireAndVerifyClientCert, ours.Pool })
	s.first = func(c net.Conn) error {
		head := make([]byte, len("PROXY TCP4 127.0.0.1 127.0.0.1 "))
		if _, err := io.ReadFull(c, head); err != nil || string(head) != "PROXY TCP4 127.0.0.1 127.0.0.1 " {
			return fmt.Errorf("got %q and %v", head, err)
		}
		for b := head[:1]; b[0] != '\n'; {
			if _, err := c.Read(b); err != nil {
				return err
			}
		}
		return nil
	}
	cfg := e2eSite(ModeHTTP, s.addr)
	s.towards(t, cfg).CertFile = ours.File(t.TempDir(), "us.pem", tlstest.Request{Client: true, Subject: pkix.Name{CommonName: "weir"}})
	cfg.Backends[0].Servers[0].SendProxy = ProxyV1
	r.start(cfg)
	conn := r.dial()
	if _, body := r.ask(conn.conn, conn.in, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"); !strings.Contains(string(body), "user=weir") {
		t.Errorf("got %q", body)
	}
	conn.close()
	r.wantLogs("", "200 ---- be/s1 0 0/0")
}

// A server that takes the connection and never shakes hands costs timeout
// connect.
func TestE2ETLSServerThatDoesNotShakeHands(t *testing.T) {
	r := newRig(t)
	silent := newWireServer(t)
	cfg := e2eSite(ModeHTTP, silent.addr)
	spec := &tls.ClientSpec{}
	cfg.Backends[0].Servers[0].TLS = spec
	cfg.Backends[0].Retries = -1
	r.start(cfg.timeouts(func(to *Timeouts) { to.Connect = 200 * time.Millisecond }))
	client := r.get("/")
	client.wantAnswer("timeout connect", 503)
	silent.accept("it was tried").close()
	r.wantLogs("", "503 sC-- be/s1 0 0/0")
}

// In a relay the server may speak first, and both ends are passed on. TLS stands
// on both sides.
func TestE2ETLSOnBothSidesOfARelay(t *testing.T) {
	r := newRig(t)
	serverCA := tlstest.NewAuthority(t, "servers")
	pair := serverCA.Pair(tlstest.Request{Names: []string{"app.example"}})
	l, err := cryptotls.Listen("tcp", "127.0.0.1:0", &cryptotls.Config{Certificates: []cryptotls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "220 welcome\r\n")
		b, _ := io.ReadAll(conn)
		got <- string(b)
		io.WriteString(conn, "bye")
	}()
	cfg, ca := secured(t, e2eSite(ModeTCP, l.Addr().String()))
	spec := &tls.ClientSpec{}
	spec.Verify, spec.CAFile = tls.VerifyRequired, tlstest.Write(t, t.TempDir(), "ca.pem", serverCA.PEM)
	cfg.Backends[0].Servers[0].TLS = spec
	r.start(cfg)
	c := r.mustDialTLS(ca, nil)
	b := make([]byte, 13)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "220 welcome\r\n" {
		t.Fatalf("got %q and %v", b, err)
	}
	io.WriteString(c, "hello")
	c.CloseWrite()
	if s := <-got; s != "hello" {
		t.Errorf("the server got %q", s)
	}
	if rest, err := io.ReadAll(c); string(rest) != "bye" || err != nil {
		t.Errorf("after half the relay had ended: %q and %v", rest, err)
	}
	c.Close()
	r.wantLogs("", "-- be/s1 0 0/0")
}

// Health checks over TLS: of a server that does speak it, and of one that does
// not.
func TestE2ETLSServerIsChecked(t *testing.T) {
	for _, tc := range []struct {
		name string
		kind health.Kind
		tls  bool
		want string
	}{
		{"TLS alone", health.TCP, true, "Layer6 check passed"},
		{"HTTP over TLS", health.HTTP, true, "Layer7 check passed"},
		{"a server that speaks no TLS", health.TCP, false, "Layer6 invalid response"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			s := newTLSServer(t, nil)
			addr := s.addr
			if !tc.tls {
				clear := newWireServer(t)
				clear.respond(respondOK)
				addr = clear.addr
			}
			cfg := e2eSite(ModeHTTP, addr)
			spec := s.towards(t, cfg)
			check := *spec
			check.SNI = "app.example"
			be := &cfg.Backends[0]
			be.Check, be.LogHealthChecks = health.Spec{Kind: tc.kind, Timeout: stoppedTells}, true
			be.Servers[0].CheckTLS = &check
			be.Servers[0].Check = health.ServerSpec{Enabled: true, Inter: 20 * time.Millisecond, Rise: 1, Fall: 1, InitState: "fully-up"}
			if tc.tls {
				be.Servers[0].Check.InitState = "fully-down"
			}
			r.start(cfg)
			r.until(tc.want, func() bool { return r.noted(tc.want) > 0 })
			want := balancer.StateDown
			if tc.tls {
				want = balancer.StateUp
			}
			state := r.p.plan.Load().backends[0].servers[0].bal.State
			r.until("the server's state is what the check says", func() bool { return state() == want })
		})
	}
}

// What a PROXY header tells of a client that speaks TLS with us.
func TestE2ETLSIsToldInAPROXYHeader(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	cfg, ca := secured(t, e2eSite(ModeTCP, server.addr))
	cfg.Backends[0].Servers[0].SendProxy, cfg.Backends[0].Servers[0].ProxyOptions = ProxyV2, []string{"ssl", "ssl-cipher", "cert-key", "cert-sig", "authority"}
	r.start(cfg)
	c := r.mustDialTLS(ca, nil)
	io.WriteString(c, "x")
	s := server.accept("a relay")
	b := make([]byte, 4096)
	n, err := s.conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	var info listener.ProxyInfo
	if used, st := listener.ParseProxy(b[:n], &info); st != listener.ProxyComplete || used == 0 {
		t.Fatalf("no PROXY header in %q", b[:n])
	}
	if info.TLS.Client != listener.ProxyTLSOn || string(info.TLS.Version) != "TLSv1.3" || string(info.TLS.Cipher) != "TLS_AES_128_GCM_SHA256" ||
		string(info.Authority) != "example.com" || string(info.TLS.KeyAlg) != "EC256" || string(info.TLS.SigAlg) != "ecdsa-with-SHA256" {
		t.Errorf("got %+v for %q", info.TLS, info.Authority)
	}
	c.CloseWrite()
	io.Copy(io.Discard, s.conn)
	s.conn.CloseWrite()
	io.Copy(io.Discard, c)
	c.Close()
	s.close()
	r.wantLogs("", "-- be/s1 0 0/0")
}
