package tls

import (
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// A Server is the TLS side of one bind: what NewServer made of a Spec.
type Server struct {
	site   *site // options of the bind
	outer  *cryptotls.Config
	store  atomic.Pointer[Store]
	strict bool
}

// A site is a set of options in Go's terms: of a bind, or of a line of a
// crt-list that has its own.
type site struct {
	config *cryptotls.Config
	silent *cryptotls.Config // without ALPN, for clients that know none of our protocols
	judge  *judge            // nil: clients are not asked for certificates
}

// NewServer reads the files that spec names. readFile may be nil: os.ReadFile.
func NewServer(spec *Spec, readFile func(string) ([]byte, error)) (*Server, error) {
	if readFile == nil {
		readFile = os.ReadFile
	}
	r := reader{readFile: readFile, extraKey: !spec.WithoutExtraKeys}
	s := &Server{strict: spec.StrictSNI}
	var err error
	if s.site, err = r.newSite(spec); err != nil {
		return nil, err
	}
	entries, err := r.entries(spec)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 && !spec.StrictSNI {
		return nil, errors.New("has no certificate to show; name one with crt or crt-list")
	}
	s.store.Store(newStore(entries, spec.StrictSNI))
	s.outer = s.site.config.Clone()
	s.outer.GetConfigForClient = s.configFor
	return s, nil
}

// Reload reads the files of spec again and puts what they hold in place of what
// was shown so far. Handshakes under way keep what they chose. On error nothing
// changes.
func (s *Server) Reload(spec *Spec, readFile func(string) ([]byte, error)) error {
	next, err := NewServer(spec, readFile)
	if err != nil {
		return err
	}
	s.store.Store(next.store.Load())
	return nil
}

// Certificates are those of the moment, in the order of the configuration.
func (s *Server) Certificates() []*Certificate {
	var all []*Certificate
	for _, e := range s.store.Load().all {
		all = append(all, e.cert)
	}
	return all
}

func (r reader) entries(spec *Spec) ([]*entry, error) {
	var all []*entry
	for _, src := range spec.Sources {
		var found []*entry
		var err error
		if src.List {
			found, err = r.listed(spec, src)
		} else {
			found, err = r.named(src.Path)
		}
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if src.Default {
				e.names = append(slices.Clip(e.names), "*")
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

func (r reader) named(path string) ([]*entry, error) {
	certs, err := r.load(path)
	if err != nil {
		return nil, err
	}
	var all []*entry
	for _, c := range certs {
		all = append(all, &entry{cert: c, names: c.names})
	}
	return all, nil
}

// listed reads a crt-list and the certificates that it names.
func (r reader) listed(spec *Spec, src Source) ([]*entry, error) {
	text, err := r.readFile(src.Path)
	if err != nil {
		return nil, cantRead(src.Path, err)
	}
	lines, err := parseList(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", src.Path, err)
	}
	var all []*entry
	for i := range lines {
		l := &lines[i]
		found, err := r.named(under(src.Base, l.path))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", src.Path, err)
		}
		var own *site
		if len(l.options) > 0 {
			changed, err := l.apply(spec)
			if err != nil {
				return nil, fmt.Errorf("%s: %s", src.Path, err)
			}
			if own, err = r.newSite(changed); err != nil {
				return nil, fmt.Errorf("%s: %s: %s", src.Path, l.path, err)
			}
		}
		for _, e := range found {
			e.site = own
			if len(l.names) > 0 {
				e.names = l.names
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

// newSite turns options into a configuration of crypto/tls. Tickets are sealed
// with keys of the site's own, which crypto/tls makes and changes once a day: one
// got under weaker options is of no use here.
func (r reader) newSite(spec *Spec) (*site, error) {
	c := &cryptotls.Config{
		MinVersion: spec.MinVersion, MaxVersion: spec.MaxVersion, CipherSuites: spec.Ciphers, CurvePreferences: spec.Curves,
		NextProtos: spec.ALPN, SessionTicketsDisabled: spec.NoTickets,
		DynamicRecordSizingDisabled: true,
		GetCertificate:              chosen,
	}
	if c.MinVersion == 0 {
		c.MinVersion = cryptotls.VersionTLS12
	}
	if c.CipherSuites == nil && c.MinVersion >= cryptotls.VersionTLS12 {
		c.CipherSuites = slices.Clone(strongSuites)
	}
	st := &site{config: c}
	if spec.Verify != VerifyNone {
		if spec.CAFile == "" {
			return nil, errors.New("verify asks for certificates of clients, and no ca-file says who may issue them")
		}
		var err error
		if st.judge, err = r.newJudge(spec); err != nil {
			return nil, err
		}
		c.ClientAuth = cryptotls.RequestClientCert
		if spec.Verify == VerifyRequired {
			c.ClientAuth = cryptotls.RequireAnyClientCert
		}
		if !spec.WithoutCANames {
			c.ClientCAs = st.judge.roots
		}
		c.VerifyConnection = st.judge.verifyConnection
	}
	keys := c.Clone()
	c.WrapSession, c.UnwrapSession = keys.EncryptTicket, keys.DecryptTicket
	if len(c.NextProtos) > 0 {
		st.silent = c.Clone()
		st.silent.NextProtos = nil
	}
	return st, nil
}

// configFor chooses certificate and options for a client. OpenSSL goes on
// without ALPN when client and server have no protocol in common; Go would not.
func (s *Server) configFor(hello *cryptotls.ClientHelloInfo) (*cryptotls.Config, error) {
	w := hello.Conn.(*wire)
	w.shown = s.store.Load().choose(hello)
	w.site = s.site
	w.helloSNI = strings.Clone(hello.ServerName)
	if w.shown != nil && w.shown.site != nil {
		w.site = w.shown.site
	}
	known := func(p string) bool { return slices.Contains(w.site.config.NextProtos, p) }
	if w.site.silent != nil && !slices.ContainsFunc(hello.SupportedProtos, known) {
		return w.site.silent, nil
	}
	return w.site.config, nil
}

// chosen gives crypto/tls the certificate that configFor chose. None at all
// makes it send unrecognized_name.
func chosen(hello *cryptotls.ClientHelloInfo) (*cryptotls.Certificate, error) {
	if e := hello.Conn.(*wire).shown; e != nil {
		return &e.cert.tls, nil
	}
	return nil, nil
}
