package tls

import (
	cryptotls "crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-lb/weir/tls/tlstest"
)

// shake makes a client and a server shake hands, and gives what the client saw.
func shake(t *testing.T, s *Server, change func(*cryptotls.Config)) (cryptotls.ConnectionState, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	conn := s.NewConn(NewScratch(nil), func() {})
	conn.wire.fd = nil
	go func() {
		defer theirs.Close()
		cryptotls.Server(pipeWire{theirs, &conn.wire}, s.forPipe()).Handshake()
	}()
	cfg := &cryptotls.Config{InsecureSkipVerify: true}
	change(cfg)
	c := cryptotls.Client(ours, cfg)
	err := c.Handshake()
	return c.ConnectionState(), err
}

// A pipeWire is a net.Conn of the test, with the choices that a wire keeps.
type pipeWire struct {
	net.Conn
	w *wire
}

// forPipe is the server's configuration for a pipeWire: the callbacks find their
// wire in it.
func (s *Server) forPipe() *cryptotls.Config {
	c := s.outer.Clone()
	c.GetConfigForClient = func(h *cryptotls.ClientHelloInfo) (*cryptotls.Config, error) {
		w := h.Conn.(pipeWire).w
		inner := *h
		inner.Conn = w
		found, err := s.configFor(&inner)
		if err != nil {
			return nil, err
		}
		found = found.Clone()
		found.GetCertificate = func(h *cryptotls.ClientHelloInfo) (*cryptotls.Certificate, error) {
			inner := *h
			inner.Conn = w
			return chosen(&inner)
		}
		return found, nil
	}
	return c
}

func named(name string) func(*cryptotls.Config) {
	return func(c *cryptotls.Config) { c.ServerName = name }
}

// shown is the common name of the certificate for a client that asks for name.
func shown(t *testing.T, s *Server, change func(*cryptotls.Config)) string {
	t.Helper()
	st, err := shake(t, s, change)
	if err != nil {
		return err.Error()
	}
	return st.PeerCertificates[0].Subject.CommonName
}

func TestTheNameDecidesTheCertificate(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	certs := []string{
		ca.File(dir, "a.pem", tlstest.Request{Names: []string{"default.example"}}),
		ca.File(dir, "b.pem", tlstest.Request{Names: []string{"*.example.com"}}),
		ca.File(dir, "c.pem", tlstest.Request{Names: []string{"www.example.com", "Example.COM"}}),
	}
	spec := &Spec{}
	for _, path := range certs {
		spec.Sources = append(spec.Sources, Source{Path: path})
	}
	s, err := NewServer(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"": "default.example", "unknown.example": "default.example", "default.example": "default.example",
		"www.example.com": "www.example.com", "WWW.EXAMPLE.com": "www.example.com", "example.com": "www.example.com",
		"other.example.com": "*.example.com", "a.b.example.com": "default.example",
	} {
		if got := shown(t, s, named(name)); got != want {
			t.Errorf("%q: got the certificate of %s, want %s", name, got, want)
		}
	}
	spec.StrictSNI = true
	if s, err = NewServer(spec, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "unrecognized name", "unknown.example": "unrecognized name", "x.example.com": "*.example.com"} {
		if got := shown(t, s, named(name)); !strings.Contains(got, want) {
			t.Errorf("strict-sni, %q: got %s, want %s", name, got, want)
		}
	}
	spec.Sources = append(spec.Sources, Source{Path: certs[2], Default: true})
	if s, err = NewServer(spec, nil); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, s, named("unknown.example")); got != "www.example.com" {
		t.Errorf("default-crt: got %s", got)
	}
}

func TestTheKindOfKeyIsWhatTheClientTakes(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	name := []string{"example.com"}
	ca.File(dir, "site.pem.rsa", tlstest.Request{Names: name, RSA: true})
	ca.File(dir, "site.pem.ecdsa", tlstest.Request{Names: name})
	s, err := NewServer(&Spec{Sources: []Source{{Path: filepath.Join(dir, "site.pem")}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for suite, want := range map[uint16]string{
		cryptotls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:   "RSA",
		cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDSA",
	} {
		for _, sni := range []string{"example.com", ""} {
			st, err := shake(t, s, func(c *cryptotls.Config) {
				c.ServerName, c.MaxVersion, c.CipherSuites = sni, cryptotls.VersionTLS12, []uint16{suite}
			})
			if err != nil {
				t.Fatalf("%s, SNI %q: %v", want, sni, err)
			}
			if got := st.PeerCertificates[0].PublicKeyAlgorithm.String(); got != want {
				t.Errorf("SNI %q: got a certificate for %s, want %s", sni, got, want)
			}
		}
	}
}

func TestAListHasNamesAndOptions(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	ca.File(dir, "a.pem", tlstest.Request{Names: []string{"a.example"}})
	ca.File(dir, "b.pem", tlstest.Request{Names: []string{"b.example"}})
	list := tlstest.Write(t, dir, "list.txt", []byte(
		"# of our sites\n\na.pem\nb.pem [alpn http/1.1 ssl-min-ver TLSv1.3] *.sites.example !old.sites.example # the rest\n"))
	s, err := NewServer(&Spec{Sources: []Source{{List: true, Path: list, Base: dir}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a.example": "a.example", "b.example": "a.example", "x.sites.example": "b.example", "old.sites.example": "a.example",
	} {
		if got := shown(t, s, named(name)); got != want {
			t.Errorf("%q: got the certificate of %s, want %s", name, got, want)
		}
	}
	old := func(c *cryptotls.Config) { c.ServerName, c.MaxVersion = "x.sites.example", cryptotls.VersionTLS12 }
	if _, err := shake(t, s, old); err == nil {
		t.Error("ssl-min-ver TLSv1.3 of one line: TLS 1.2 was accepted")
	}
	for sni, want := range map[string]string{"x.sites.example": "http/1.1", "a.example": ""} {
		st, err := shake(t, s, func(c *cryptotls.Config) { c.ServerName, c.NextProtos = sni, []string{"http/1.1"} })
		if err != nil || st.NegotiatedProtocol != want {
			t.Errorf("%s: ALPN %q and error %v, want %q", sni, st.NegotiatedProtocol, err, want)
		}
	}
	st, err := shake(t, s, func(c *cryptotls.Config) { c.ServerName, c.NextProtos = "x.sites.example", []string{"foo"} })
	if err != nil || st.NegotiatedProtocol != "" {
		t.Errorf("no protocol in common: ALPN %q and error %v, want none: the connection goes on", st.NegotiatedProtocol, err)
	}
}

func TestAFolderIsReadInOrder(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	chain, key := ca.Issue(tlstest.Request{Names: []string{"b.example"}})
	tlstest.Write(t, dir, "b.crt", chain)
	tlstest.Write(t, dir, "b.crt.key", key)
	tlstest.Write(t, dir, "b.crt.ocsp", []byte("an answer"))
	ca.File(dir, "a.pem", tlstest.Request{Names: []string{"a.example"}})
	s, err := NewServer(&Spec{Sources: []Source{{Path: dir}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Certificates() {
		got = append(got, c.Leaf().Subject.CommonName)
	}
	if strings.Join(got, " ") != "a.example b.example" {
		t.Errorf("got %v", got)
	}
	st, err := shake(t, s, named("b.example"))
	if err != nil || string(st.OCSPResponse) != "an answer" {
		t.Errorf("got the OCSP answer %q and error %v", st.OCSPResponse, err)
	}
}

// Certificates change while handshakes are made: each sees the old one or the
// new one, and those that begin after the change the new one.
func TestCertificatesAreSwappedUnderLoad(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	write := func(name string) *Spec {
		return &Spec{Sources: []Source{{Path: ca.File(dir, "site.pem", tlstest.Request{Names: []string{name}})}}}
	}
	spec := write("old.example")
	s, err := NewServer(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	const clients, each = 4, 20
	results := make(chan string, clients*each)
	for range clients {
		go func() {
			for range each {
				results <- shown(t, s, named(""))
			}
		}()
	}
	write("new.example")
	if err := s.Reload(spec, nil); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, s, named("")); got != "new.example" {
		t.Errorf("after the change: %s", got)
	}
	for range clients * each {
		if got := <-results; got != "old.example" && got != "new.example" {
			t.Errorf("during the change: %s", got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "site.pem"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(spec, nil); err == nil {
		t.Error("junk was loaded")
	}
	if got := shown(t, s, named("")); got != "new.example" {
		t.Errorf("after a change that failed: %s", got)
	}
}

func TestDefaultsAreStrong(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	s, err := NewServer(&Spec{Sources: []Source{{Path: ca.File(dir, "a.pem", tlstest.Request{RSA: true, Names: []string{"a"}})}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*cryptotls.Config){
		"TLS 1.1":      func(c *cryptotls.Config) { c.MinVersion, c.MaxVersion = cryptotls.VersionTLS10, cryptotls.VersionTLS11 },
		"CBC":          onlySuite(cryptotls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
		"RSA for keys": onlySuite(cryptotls.TLS_RSA_WITH_AES_128_GCM_SHA256),
		"triple DES":   onlySuite(cryptotls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA),
	} {
		if _, err := shake(t, s, change); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

func onlySuite(id uint16) func(*cryptotls.Config) {
	return func(c *cryptotls.Config) { c.MaxVersion, c.CipherSuites = cryptotls.VersionTLS12, []uint16{id} }
}

// A oneSession cache gives the last session to whoever asks: a client that tries
// a ticket where it was not made for.
type oneSession struct{ last *cryptotls.ClientSessionState }

func (o *oneSession) Get(string) (*cryptotls.ClientSessionState, bool) { return o.last, o.last != nil }
func (o *oneSession) Put(_ string, s *cryptotls.ClientSessionState) {
	if s != nil {
		o.last = s
	}
}

// What was got from a site that asks nothing opens no site that asks for a
// certificate.
func TestTicketsOfOneSiteAreOfNoUseAtAnother(t *testing.T) {
	ca, dir := tlstest.NewAuthority(t, "authority"), t.TempDir()
	ca.File(dir, "open.pem", tlstest.Request{Names: []string{"open.example", "closed.example"}})
	ca.File(dir, "closed.pem", tlstest.Request{Names: []string{"closed.example", "open.example"}})
	tlstest.Write(t, dir, "ca.pem", ca.PEM)
	list := tlstest.Write(t, dir, "list.txt", []byte("open.pem open.example\nclosed.pem [verify required ca-file "+filepath.Join(dir, "ca.pem")+"] closed.example\n"))
	s, err := NewServer(&Spec{Sources: []Source{{List: true, Path: list, Base: dir}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sessions := &oneSession{}
	as := func(name string) func(*cryptotls.Config) {
		return func(c *cryptotls.Config) {
			c.ServerName, c.MaxVersion, c.ClientSessionCache = name, cryptotls.VersionTLS12, sessions
		}
	}
	if _, err := shake(t, s, as("open.example")); err != nil || sessions.last == nil {
		t.Fatalf("no ticket: %v", err)
	}
	if st, err := shake(t, s, as("open.example")); err != nil || !st.DidResume {
		t.Fatalf("the ticket is of no use where it was made: resumed %v, error %v", st.DidResume, err)
	}
	if st, err := shake(t, s, as("closed.example")); err == nil {
		t.Errorf("a client without a certificate was let in; resumed %v", st.DidResume)
	}
}
