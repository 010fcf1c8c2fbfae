package listener

import (
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/internal/evloop"
)

// KeepAlive is TCP keep-alive: option clitcpka, srvtcpka or tcpka, with
// clitcpka-idle and the like. Zero leaves the system's value.
type KeepAlive struct {
	On       bool
	Idle     time.Duration // before the first probe
	Interval time.Duration
	Count    int // lost probes that end the connection
}

// ClientTuning holds the socket options of an accepted connection that belong
// to the frontend. Those of the bind line (no delay, tcp-ut, mss) are set on the
// listening socket by Open, and accepted sockets inherit them: the zero
// ClientTuning costs no system call.
type ClientTuning struct {
	KeepAlive KeepAlive
	RcvBuf    int // bytes; tune.rcvbuf.client
	SndBuf    int // bytes; tune.sndbuf.client
}

// TuneClient sets options of an accepted TCP connection. None of them decides
// whether the connection works, so errors are not told.
func TuneClient(k evloop.Kernel, fd int, o ClientTuning) {
	o.KeepAlive.set(k, fd)
	setBuffers(k, fd, o.RcvBuf, o.SndBuf)
}

// ServerTuning holds the socket options of a connection to a server.
type ServerTuning struct {
	UNIX        bool // the server is a UNIX socket: only buffers apply
	KeepAlive   KeepAlive
	UserTimeout time.Duration // tcp-ut
	MSS         int           // bytes
	FastOpen    bool          // tfo: SYN carries the first bytes
	RcvBuf      int           // bytes; tune.rcvbuf.server
	SndBuf      int           // bytes; tune.sndbuf.server

	Source *Source // nil: the kernel chooses
	Sole   bool    // the caller does not try another port of Source's range
	// Client is the address to present where Source says that it comes from the
	// client's connection or a header; invalid: not known.
	Client netip.AddrPort
	// IPv6 is the server's family; a source of the other one is not bound.
	IPv6 bool
}

// TuneServer sets options of a socket that is about to connect to a server. It
// returns an error only if the source address or interface can't be had: then
// the connection must not be made, since it would come from elsewhere.
func TuneServer(k evloop.Kernel, fd int, o ServerTuning) syscall.Errno {
	setBuffers(k, fd, o.RcvBuf, o.SndBuf)
	if o.UNIX {
		return 0
	}
	k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	o.KeepAlive.set(k, fd)
	if o.UserTimeout > 0 {
		k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(o.UserTimeout.Milliseconds()))
	}
	if o.MSS > 0 {
		k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, o.MSS)
	}
	if o.FastOpen {
		k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
	}
	if o.Source == nil {
		return 0
	}
	return o.Source.bind(k, fd, &o)
}

func (a *KeepAlive) set(k evloop.Kernel, fd int) {
	if !a.On {
		return
	}
	k.SetInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	if a.Count > 0 {
		k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, a.Count)
	}
	if a.Idle > 0 {
		k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(a.Idle/time.Second))
	}
	if a.Interval > 0 {
		k.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(a.Interval/time.Second))
	}
}

func setBuffers(k evloop.Kernel, fd, rcv, snd int) {
	if rcv > 0 {
		k.SetInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, rcv)
	}
	if snd > 0 {
		k.SetInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, snd)
	}
}
