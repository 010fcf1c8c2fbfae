package proxy

import (
	"bufio"
	"context"
	cryptotls "crypto/tls"
	"crypto/x509/pkix"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/tls"
	"github.com/weir-lb/weir/tls/tlstest"
	"golang.org/x/sys/unix"
)

// asksForCertificates makes the site's bind ask for certificates of ca.
func asksForCertificates(t *testing.T, cfg *Config, ca *tlstest.Authority, verify tls.Verify) *tls.Spec {
	spec := cfg.Frontends[0].TLS[0]
	spec.Verify, spec.CAFile = verify, tlstest.Write(t, t.TempDir(), "ca.pem", ca.PEM)
	return spec
}

func shows(pair cryptotls.Certificate) func(*cryptotls.Config) {
	return func(c *cryptotls.Config) {
		// Not Certificates: that would only be shown if the server named its issuer.
		c.GetClientCertificate = func(*cryptotls.CertificateRequestInfo) (*cryptotls.Certificate, error) { return &pair, nil }
	}
}

func TestE2ETLSClientCertificates(t *testing.T) {
	ca, other := tlstest.NewAuthority(t, "clients"), tlstest.NewAuthority(t, "others")
	subject := pkix.Name{CommonName: "client one", Organization: []string{"Example"}, Country: []string{"NL"}}
	good := ca.Pair(tlstest.Request{Client: true, Subject: subject})
	revoked := ca.Pair(tlstest.Request{Client: true, Subject: subject})
	expired := ca.Pair(tlstest.Request{Client: true, Subject: subject, Expired: true})
	foreign := other.Pair(tlstest.Request{Client: true, Subject: subject})
	none := func(*cryptotls.Config) {}
	const goodLine = "1 0 0 /C=NL/O=Example/CN=client one client one 1"
	for _, tc := range []struct {
		name   string
		verify tls.Verify
		ignore bool
		shows  func(*cryptotls.Config)
		log    string
		err    bool
	}{
		{"required, good", tls.VerifyRequired, false, shows(good), goodLine, false},
		{"required, none", tls.VerifyRequired, false, none, "34 0 0", true},
		{"required, expired", tls.VerifyRequired, false, shows(expired), "31 10 0", true},
		{"required, revoked", tls.VerifyRequired, false, shows(revoked), "31 23 0", true},
		{"required, of another authority", tls.VerifyRequired, false, shows(foreign), "31 20 0", true},
		{"optional, good", tls.VerifyOptional, false, shows(good), goodLine, false},
		{"optional, none", tls.VerifyOptional, false, none, "0 0 0 - - 0", false},
		{"optional, expired", tls.VerifyOptional, false, shows(expired), "31 10 0", true},
		{"optional, expired, ignored", tls.VerifyOptional, true, shows(expired), "1 10 10 /C=NL/O=Example/CN=client one client one 1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			server := newWireServer(t)
			server.respond(respondOK)
			cfg, site := secured(t, e2eSite(ModeHTTP, server.addr))
			spec := asksForCertificates(t, cfg, ca, tc.verify)
			spec.CRLFile = tlstest.Write(t, t.TempDir(), "crl.pem", ca.Revoke(revoked.Leaf))
			spec.IgnoreCert.All = tc.ignore
			cfg.Frontends[0].Log.Custom = "%[ssl_c_used] %[ssl_c_verify] %[ssl_c_err] %[ssl_c_s_dn] %[ssl_c_s_dn(CN)] %[ssl_fc_has_crt]"
			cfg.Frontends[0].Log.ErrorFormat = "%[fc_err] %[ssl_c_err] %[ssl_c_ca_err]"
			r.start(cfg)
			c, err := r.dialTLS(site, tc.shows)
			if err == nil { // the client is told in its first read
				io.WriteString(c, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
				_, err = io.ReadAll(c)
			}
			if (err != nil) != tc.err {
				t.Errorf("the client got the error %v", err)
			}
			c.NetConn().Close()
			r.wantLogs("", tc.log)
		})
	}
}

// A ticket got by a client with a certificate is judged like the certificate
// itself when it comes back.
func TestE2ETLSResumedCertificatesAreJudgedAgain(t *testing.T) {
	ca := tlstest.NewAuthority(t, "clients")
	pair := ca.Pair(tlstest.Request{Client: true, Subject: pkix.Name{CommonName: "client one"}})
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg, site := secured(t, e2eSite(ModeHTTP, server.addr))
	asksForCertificates(t, cfg, ca, tls.VerifyRequired)
	cfg.Frontends[0].Log.Custom = "%[ssl_fc_is_resumed] %[ssl_fc_has_crt] %[ssl_c_used] %[ssl_c_s_dn]"
	r.start(cfg)
	cache := cryptotls.NewLRUClientSessionCache(4)
	for range 2 {
		c := r.mustDialTLS(site, func(c *cryptotls.Config) {
			shows(pair)(c)
			c.ClientSessionCache = cache
		})
		r.ask(c, bufio.NewReader(c), "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
		c.Close()
	}
	r.wantLogs("", "0 1 1 /CN=client one", "1 0 1 /CN=client one")
}

// The PROXY header stands before TLS, in the clear.
func TestE2ETLSBehindAPROXYHeader(t *testing.T) {
	r := newRig(t)
	server := newWireServer(t)
	server.respond(respondOK)
	cfg, ca := secured(t, e2eSite(ModeHTTP, server.addr))
	cfg.Frontends[0].Binds[0].AcceptProxy = true
	cfg.Frontends[0].Log.Custom = "%ci %[ssl_fc] %[ssl_f_s_dn(cn)] %[ssl_f_key_alg]"
	r.start(cfg)
	for _, apart := range []bool{false, true} {
		raw, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		header := "PROXY TCP4 192.0.2.7 192.0.2.8 1000 443\r\n"
		conn := net.Conn(&prefixed{Conn: raw, first: header})
		if apart {
			io.WriteString(raw, header)
			conn = raw
		}
		c := cryptotls.Client(conn, &cryptotls.Config{RootCAs: ca.Pool, ServerName: "www.example.com"})
		if status, _ := r.ask(c, bufio.NewReader(c), "GET / HTTP/1.1\r\nhost: x\r\n\r\n"); status != 200 {
			t.Errorf("got %d", status)
		}
		c.Close()
	}
	r.wantLogs("", times(2, "192.0.2.7 1 example.com id-ecPublicKey")...)
}

// A prefixed connection writes something before the first bytes, in one piece
// with them.
type prefixed struct {
	net.Conn
	first string
}

func (p *prefixed) Write(b []byte) (int, error) {
	if p.first == "" {
		return p.Conn.Write(b)
	}
	both := append([]byte(p.first), b...)
	p.first = ""
	if _, err := p.Conn.Write(both); err != nil {
		return 0, err
	}
	return len(b), nil
}

// A kernel that tells which sockets were to acknowledge at once.
type quickKernel struct {
	evloop.Kernel
	acks *atomic.Int32
}

func (k quickKernel) SetInt(fd, level, opt, value int) syscall.Errno {
	if level == unix.IPPROTO_TCP && opt == unix.TCP_QUICKACK && value == 1 {
		k.acks.Add(1)
	}
	return k.Kernel.SetInt(fd, level, opt, value)
}

// A client that uses Nagle's algorithm sends its request when its Finished was
// acknowledged.
func TestE2ETLSFinishedIsAcknowledgedAtOnce(t *testing.T) {
	ca := tlstest.NewAuthority(t, "authority")
	cfg := e2eSite(ModeHTTP, refusingAddress(t))
	path := ca.File(t.TempDir(), "site.pem", tlstest.Request{Names: []string{"example.com"}})
	cfg.Frontends[0].TLS = []*tls.Spec{{Sources: []tls.Source{{Path: path}}}}
	var acks atomic.Int32
	p, err := New(*cfg, Options{Kernel: func(int) evloop.Kernel { return quickKernel{evloop.System(), &acks} }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	<-p.Ready()
	c, err := cryptotls.Dial("tcp", p.Addrs()[0], &cryptotls.Config{RootCAs: ca.Pool, ServerName: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return acks.Load() == 1 }) {
		t.Errorf("%d sockets were told to acknowledge at once, want one", acks.Load())
	}
	c.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
