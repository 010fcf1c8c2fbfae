package tls

import (
	cryptotls "crypto/tls"
	"slices"
	"strings"
)

// A Store is the immutable table of a bind's certificates: which one for which
// name. A change of certificates is another Store in its place.
type Store struct {
	exact     map[string][]*entry // lower case
	wildcards map[string][]*entry // "*.example.com" under ".example.com"
	anybody   []*entry            // for clients that name nobody or nobody we know
	all       []*entry
}

// An entry is one certificate, under the names that it is shown for.
type entry struct {
	cert  *Certificate
	names []string // lower case; with a leading ! what a wildcard of the entry leaves out
	site  *site    // options of its own; nil: those of the bind
}

func newStore(entries []*entry, strict bool) *Store {
	s := &Store{exact: map[string][]*entry{}, wildcards: map[string][]*entry{}, all: entries}
	for _, e := range entries {
		for _, name := range e.names {
			switch {
			case name == "*":
				s.anybody = append(s.anybody, e)
			case strings.HasPrefix(name, "*."):
				s.wildcards[name[1:]] = append(s.wildcards[name[1:]], e)
			case !strings.HasPrefix(name, "!"):
				s.exact[name] = append(s.exact[name], e)
			}
		}
	}
	if len(s.anybody) == 0 && len(entries) > 0 && !strict {
		s.anybody = entries[:1]
		for len(s.anybody) < len(entries) && sameBundle(entries[0], entries[len(s.anybody)]) {
			s.anybody = entries[:len(s.anybody)+1]
		}
	}
	return s
}

// sameBundle reports whether both come from one FILE.rsa, FILE.ecdsa pair.
func sameBundle(a, b *entry) bool {
	stem := func(e *entry) (string, bool) {
		for _, kind := range kinds {
			if s, ok := strings.CutSuffix(e.cert.Path, kind); ok {
				return s, true
			}
		}
		return "", false
	}
	x, isBundle := stem(a)
	y, other := stem(b)
	return isBundle && other && x == y
}

// choose finds the entry for a client; nil when there is none (strict-sni).
func (s *Store) choose(hello *cryptotls.ClientHelloInfo) *entry {
	return fitting(s.named(strings.ToLower(hello.ServerName)), hello)
}

func (s *Store) named(name string) []*entry {
	if name == "" {
		return s.anybody
	}
	if found := s.exact[name]; len(found) > 0 {
		return found
	}
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		found := s.wildcards[name[dot:]]
		except := func(e *entry) bool { return slices.Contains(e.names, "!"+name) }
		if slices.ContainsFunc(found, except) {
			found = slices.DeleteFunc(slices.Clone(found), except)
		}
		if len(found) > 0 {
			return found
		}
	}
	return s.anybody
}

// fitting chooses among certificates of one name: an ECDSA one if the client
// takes it, else an RSA one that it takes, else the first.
func fitting(entries []*entry, hello *cryptotls.ClientHelloInfo) *entry {
	if len(entries) <= 1 {
		if len(entries) == 0 {
			return nil
		}
		return entries[0]
	}
	nameless := *hello // whether the name fits is not crypto/tls's to say: a crt-list may
	nameless.ServerName = ""
	for _, ecdsa := range []bool{true, false} {
		for _, e := range entries {
			if e.cert.ecdsa == ecdsa && nameless.SupportsCertificate(&e.cert.tls) == nil {
				return e
			}
		}
	}
	return entries[0]
}
