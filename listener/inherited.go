package listener

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// openDescriptor uses an inherited descriptor (fd@N).
func (o *opener) openDescriptor(fd int) error {
	name := "fd@" + strconv.Itoa(fd)
	if s, err := o.adopt(name); s != nil || err != nil {
		return o.collect(s, name, err)
	}
	s, err := o.inherit(fd, name)
	return o.collect(s, name, err)
}

func (o *opener) collect(s *Socket, name string, err error) error {
	if err != nil {
		return o.fail(name, err)
	}
	o.open = append(o.open, s)
	return nil
}

// adopt asks for a socket that listens already; nil: there is none.
func (o *opener) adopt(key string) (*Socket, error) {
	if o.opt.Adopt == nil {
		return nil, nil
	}
	fd, ok := o.opt.Adopt(key)
	if !ok {
		return nil, nil
	}
	return o.inherit(fd, key)
}

// inherit checks a descriptor that somebody else bound, and makes it fit for a
// loop. It is not closed on error: it is not ours.
func (o *opener) inherit(fd int, key string) (*Socket, error) {
	if err := checkListening(fd); err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, failed("fcntl", err)
	}
	s := &Socket{FD: fd, Spec: o.spec, Inherited: true, key: key}
	if err := o.finish(s); err != nil {
		return nil, err
	}
	return s, nil
}

// checkListening refuses what can't be accepted on. A socket that is bound but
// does not listen yet is right (manual, bind fd@).
func checkListening(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return errors.New("no such descriptor was inherited")
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New("the descriptor is not a socket")
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_STREAM {
		return errors.New("the socket is not a stream socket")
	}
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return failed("getsockopt SO_ACCEPTCONN", err)
	}
	if listens == 1 {
		return nil
	}
	if _, err = unix.Getpeername(fd); err == nil {
		return errors.New("the socket is connected, not listening")
	}
	if !bound(fd) {
		return errors.New("the socket is not bound")
	}
	return nil
}

func bound(fd int) bool {
	name, err := unix.Getsockname(fd)
	switch sa := name.(type) {
	case *unix.SockaddrInet4:
		return sa.Port != 0
	case *unix.SockaddrInet6:
		return sa.Port != 0
	case *unix.SockaddrUnix:
		return sa.Name != ""
	}
	return err == nil && name != nil
}

// zoneID is the number of an interface, which may be given by its name.
func zoneID(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}

// numberOf turns a user or group into its number: a number stays as it is.
func numberOf(what, name string, lookup func(string) (string, error)) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	text, err := lookup(name)
	if err != nil {
		return -1, fmt.Errorf("unknown %s %q", what, name)
	}
	return strconv.Atoi(text)
}
