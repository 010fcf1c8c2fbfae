package proxy

import (
	"bytes"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/internal/message"
)

// This file gives the balancer what it hashes (manual keyword "balance").

// hashRequest fills the key of a request; none makes the balancer take
// servers in turn.
func (x *exchange) hashRequest(r *balancer.Request) {
	switch x.be.spec.HashOn.Kind {
	case "":
	case "source":
		r.KeyBytes = x.w.sourceKey(x.client())
	case "uri":
		r.KeyBytes = uriKey(&x.req, &x.be.spec.HashOn)
	default:
		if v, ok := x.be.hash.EvalStr(x.fillEnv(x.w.loop.Now())); ok {
			if x.be.spec.HashOn.UseDomainOnly {
				v = domainOnly(v)
			}
			r.KeyBytes = v
		}
	}
}

// sourceKey is the client's address in network order.
func (w *worker) sourceKey(c *clientConn) []byte {
	if !c.src.IsValid() {
		return nil
	}
	a := c.src.Addr().Unmap()
	if a.Is4() {
		v := a.As4()
		w.key = append(w.key[:0], v[:]...)
	} else {
		v := a.As16()
		w.key = append(w.key[:0], v[:]...)
	}
	return w.key
}

// hashTCP is hashRequest for what is known of a TCP session.
func (s *tcpSession) hashTCP(r *balancer.Request) {
	switch s.be.spec.HashOn.Kind {
	case "source":
		r.KeyBytes = s.w.sourceKey(&s.clientConn)
	case "hash":
		if v, ok := s.be.hash.EvalStr(s.fillEnv(s.w.loop.Now())); ok {
			r.KeyBytes = v
		}
	}
}

// uriKey is the part of the target that "balance uri" hashes.
func uriKey(h *message.Head, on *HashOn) []byte {
	uri := h.Text(h.Target)
	if on.PathOnly {
		uri = h.Text(h.Path)
	}
	if !on.Whole {
		if q := bytes.IndexByte(uri, '?'); q >= 0 {
			uri = uri[:q]
		}
	}
	if on.Depth > 0 {
		uri = firstDirectories(uri, on.Depth)
	}
	if on.Len > 0 && len(uri) > on.Len {
		uri = uri[:on.Len]
	}
	return uri
}

// firstDirectories cuts uri before the slash that follows depth others.
func firstDirectories(uri []byte, depth int) []byte {
	slashes := 0
	for i, c := range uri {
		if c != '/' {
			continue
		}
		if slashes == depth {
			return uri[:i]
		}
		slashes++
	}
	return uri
}

// domainOnly is "hdr(...) use_domain_only": "www.example.com" gives
// "example".
func domainOnly(host []byte) []byte {
	host = message.HostName(host)
	last := bytes.LastIndexByte(host, '.')
	if last <= 0 {
		return host
	}
	from := bytes.LastIndexByte(host[:last], '.')
	return host[from+1 : last]
}
