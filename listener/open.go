package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenOptions are what sockets of all bind lines share.
type OpenOptions struct {
	Context     context.Context // bounds the resolution of names; nil: no bound
	Resolver    *net.Resolver   // nil: the system's
	Backlog     int             // where the bind line has none; 0: backlogDefault
	Loops       int             // bounds Spec.Shards; 0: not bound
	NoReusePort bool            // noreuseport
	// Adopt returns a socket that was opened before, by this process or another,
	// for the same Socket.Key. It is never bound again. It belongs to the Socket
	// once Open succeeds, and stays the giver's if not.
	Adopt func(key string) (fd int, ok bool)
}

const backlogDefault = 1024 // connections

// Open opens the sockets of a bind line: several for a port range or shards.
// On error nothing stays open but what came from elsewhere, and the error is a
// *BindError.
func Open(spec Spec, opt OpenOptions) ([]*Socket, error) {
	a, err := splitAddress(spec.Address)
	if err != nil {
		return nil, &BindError{Origin: spec.Origin, Address: spec.Address, Err: err}
	}
	o := opener{spec: spec, opt: opt}
	switch a.kind {
	case kindDescriptor:
		err = o.openDescriptor(a.fd)
	case kindPath:
		err = o.openPath(a.path)
	default:
		err = o.openPorts(&a)
	}
	if err != nil {
		for _, s := range o.open {
			if !s.Inherited { // others are the giver's until we succeed
				s.Close()
			}
		}
		return nil, err
	}
	return o.open, nil
}

// An opener is one call of Open.
type opener struct {
	spec Spec
	opt  OpenOptions
	open []*Socket
}

func (o *opener) fail(address string, err error) error {
	return &BindError{Origin: o.spec.Origin, Address: address, Err: err}
}

func (o *opener) backlog() int {
	switch {
	case o.spec.Backlog > 0:
		return o.spec.Backlog
	case o.opt.Backlog > 0:
		return o.opt.Backlog
	}
	return backlogDefault
}

// shards is how many sockets one address gets; negative Spec.Shards means one
// per loop.
func (o *opener) shards() int {
	n := o.spec.Shards
	if o.opt.Loops > 0 && (n < 0 || n > o.opt.Loops) {
		n = o.opt.Loops
	}
	if o.opt.NoReusePort {
		n = 1
	}
	return max(n, 1)
}

func (o *opener) openPorts(a *address) error {
	if a.port == "" {
		return o.fail(o.spec.Address, errors.New("the port is missing"))
	}
	first, last, err := parsePortRange(a.port)
	if err != nil {
		return o.fail(o.spec.Address, err)
	}
	ip, name, err := a.ip()
	if err == nil && name != "" {
		ip, err = o.resolve(name, a.family)
	}
	if err != nil {
		return o.fail(o.spec.Address, err)
	}
	for port := int(first); port <= int(last); port++ {
		at := netip.AddrPortFrom(ip, uint16(port))
		for shard := range o.shards() {
			s, err := o.openPort(at, shard)
			if err != nil {
				return o.fail(at.String(), err)
			}
			o.open = append(o.open, s)
			at = s.Local // further shards share a port that the kernel chose
		}
	}
	return nil
}

func (o *opener) resolve(name string, f family) (netip.Addr, error) {
	ctx, r := o.opt.Context, o.opt.Resolver
	if ctx == nil {
		ctx = context.Background()
	}
	if r == nil {
		r = net.DefaultResolver
	}
	return resolve(ctx, r, name, f)
}

// openPort opens one TCP socket, or takes the one that listens there already.
func (o *opener) openPort(at netip.AddrPort, shard int) (*Socket, error) {
	key := o.portKey(at, shard)
	if s, err := o.adopt(key); s != nil || err != nil {
		return s, err
	}
	fd := -1
	err := inNamespace(o.spec.NS, func() (err error) {
		fd, err = socket(familyOf(at.Addr()))
		return err
	})
	if err != nil {
		return nil, err
	}
	s := &Socket{FD: fd, Spec: o.spec, key: key}
	if err = o.bindPort(fd, at); err == nil {
		err = o.finish(s)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// portKey holds what can't be changed once a socket is bound.
func (o *opener) portKey(at netip.AddrPort, shard int) string {
	var key strings.Builder
	key.WriteString("tcp@" + at.String())
	for _, part := range [...]struct {
		set  bool
		text string
	}{
		{o.spec.Interface != "", " interface " + o.spec.Interface},
		{o.spec.NS != "", " namespace " + o.spec.NS},
		{o.spec.Transparent, " transparent"},
		{o.spec.V6Only && at.Addr().Is6(), " v6only"},
		{o.spec.V4V6 && !o.spec.V6Only && at.Addr().Is6(), " v4v6"},
		{shard > 0, " shard " + strconv.Itoa(shard)},
	} {
		if part.set {
			key.WriteString(part.text)
		}
	}
	return key.String()
}

func familyOf(ip netip.Addr) int {
	if ip.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func socket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, failed("socket", err)
}

// finish sets what may be changed at any time and starts to listen, which may
// be done again on a socket that listens already.
func (o *opener) finish(s *Socket) error {
	if err := o.describe(s); err != nil {
		return err
	}
	if !s.UNIX {
		o.setPortOptions(s.FD)
	}
	return failed("listen", unix.Listen(s.FD, o.backlog()))
}

// describe asks the system where the socket stands.
func (o *opener) describe(s *Socket) error {
	name, err := unix.Getsockname(s.FD)
	if err != nil {
		return failed("getsockname", err)
	}
	switch sa := name.(type) {
	case *unix.SockaddrInet4:
		s.Local = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			ip = ip.WithZone(strconv.Itoa(int(sa.ZoneId)))
		}
		s.Local = netip.AddrPortFrom(ip, uint16(sa.Port))
	case *unix.SockaddrUnix:
		s.UNIX = true
		if s.Path == "" {
			s.Path = strings.TrimRight(sa.Name, "\x00")
		}
	default:
		return errors.New("it is neither an IP nor a UNIX socket")
	}
	return nil
}

// inNamespace runs f on a thread that stands in the network namespace (see
// ip-netns(8)); a thread that can't return from there ends with its goroutine.
func inNamespace(name string, f func() error) error {
	if name == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread dies with the goroutine
		fd, err := unix.Open("/var/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			done <- fmt.Errorf("can't open the network namespace %q: %w", name, err)
			return
		}
		defer unix.Close(fd)
		if err = unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("can't enter the network namespace %q: %w", name, err)
			return
		}
		done <- f()
	}()
	return <-done
}
