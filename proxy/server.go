package proxy

import (
	"net/netip"
	"syscall"

	"github.com/weir-lb/weir/listener"
)

// parsePrefix reads "10.0.0.0/8" or a single address.
func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// tune sets the options of a socket that is about to connect to srv.
func (srv *server) tune(w *worker, num int, c *clientConn) syscall.Errno {
	t := &srv.tuning
	if t.Source == nil {
		return listener.TuneServer(w.loop.Kernel(), num, *t)
	}
	own := *t
	own.Client = c.src
	return listener.TuneServer(w.loop.Kernel(), num, own)
}

// tuneClient sets what the frontend wants of an accepted socket.
func (fe *frontend) tuneClient(w *worker, num int) {
	if fe.clientTuning != (listener.ClientTuning{}) {
		listener.TuneClient(w.loop.Kernel(), num, fe.clientTuning)
	}
}

// proxyHeader builds the PROXY header for srv in the loop's scratch memory.
func (w *worker) proxyHeader(srv *server, c *clientConn) []byte {
	info := listener.ProxyInfo{Src: c.src, Dst: c.dstAddr()}
	if c.proxied != nil && c.src.IsValid() {
		info.Authority, info.UniqueID, info.ALPN = c.proxied.Authority, c.proxied.UniqueID, c.proxied.ALPN
		info.TLS = c.proxied.TLS
	}
	if c.papers != nil {
		info.TLS = c.papers.proxyTLS()
		if c.papers.told.SNI != "" {
			info.Authority = []byte(c.papers.told.SNI)
		}
		if c.papers.told.ALPN != "" {
			info.ALPN = []byte(c.papers.told.ALPN)
		}
	}
	if !info.Src.IsValid() || !info.Dst.IsValid() {
		info.Local = true
	}
	if srv.spec.SendProxy == ProxyV1 {
		w.key = listener.AppendProxyV1(w.key[:0], &info)
	} else {
		w.key = listener.AppendProxyV2(w.key[:0], &info, srv.proxyOptions)
	}
	return w.key
}
