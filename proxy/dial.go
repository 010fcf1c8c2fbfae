package proxy

import (
	"net/netip"
	"syscall"

	"github.com/weir-lb/weir/internal/accesslog"
	"github.com/weir-lb/weir/internal/evloop"
)

// dial opens a connection to srv for user: connOpening while connect(2)
// lasts, connBusy if it ended at once. On error nothing is left open. Where
// connections come from a range of ports, each is tried once at most.
func (w *worker) dial(srv *server, user hunter) (*serverConn, syscall.Errno) {
	sc, errno := w.dialOnce(srv, user)
	left := srv.tuning.Source.Ports()
	if left == 0 {
		return sc, errno
	}
	for left--; left > 0 && portIsTaken(errno); left-- {
		sc, errno = w.dialOnce(srv, user)
	}
	if portIsTaken(errno) {
		srv.live.counters[w.id].noPort.inc()
		w.p.tellNoPort(srv)
	}
	return sc, errno
}

func portIsTaken(errno syscall.Errno) bool {
	return errno == syscall.EADDRINUSE || errno == syscall.EADDRNOTAVAIL
}

// tellNoPort says, at most once a second, that a range of source ports is used
// up.
func (p *Proxy) tellNoPort(srv *server) {
	now := p.wallClock().UnixNano()
	last := p.lastNoPort.Load()
	if now-last < int64(resourceWarnInterval) || !p.lastNoPort.CompareAndSwap(last, now) {
		return
	}
	p.tell(srv.be, accesslog.LevelEmerg, "Server "+srv.be.name+"/"+srv.spec.Name+" can't be connected to: all ports of its source range that were tried are taken.")
}

func (w *worker) dialOnce(srv *server, user hunter) (*serverConn, syscall.Errno) {
	k := w.loop.Kernel()
	to := srv.addr
	if srv.address.MapPort || srv.address.ClientDst {
		to = srv.address.Towards(user.client().dstAddr())
	}
	family := syscall.AF_INET
	switch {
	case to.Path != "":
		family = syscall.AF_UNIX
	case to.IP.Addr().Is6():
		family = syscall.AF_INET6
	}
	num, errno := k.Socket(family, syscall.SOCK_STREAM, 0)
	if errno != 0 {
		return nil, errno
	}
	if errno = srv.tune(w, num, user.client()); errno != 0 {
		k.Close(num)
		return nil, errno
	}
	errno = k.Connect(num, to)
	var src netip.AddrPort
	if srv.tellsSrc {
		src = k.LocalAddr(num) // also of an attempt that fails: the log tells it
	}
	user.record().Reached(to.IP, src)
	if errno != 0 && errno != syscall.EINPROGRESS {
		k.Close(num)
		return nil, errno
	}
	sc := w.takeServerConn(srv)
	sc.user, sc.dst, sc.src = user, to.IP, src
	sc.state = connOpening
	if errno == 0 {
		sc.state = connBusy
	}
	if oerr := w.loop.Open(&sc.fd.FD, num, sc, 0); oerr != 0 {
		k.Close(num)
		sc.state = connClosed
		sc.srv, sc.user = nil, nil
		return nil, oerr
	}
	srv.live.pools[w.id].addBusy(sc)
	return sc, 0
}

var _ evloop.Handler = (*serverConn)(nil)
