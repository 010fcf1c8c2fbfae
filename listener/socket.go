package listener

import (
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Socket is an open listening socket: non-blocking, close-on-exec. It belongs
// to the caller of Open. Tests may fill one by hand.
type Socket struct {
	FD        int
	Spec      Spec           // the bind line that it was opened for
	Local     netip.AddrPort // where it listens; invalid for UNIX sockets
	Path      string         // of a UNIX socket; @ begins an abstract name
	UNIX      bool
	Inherited bool // it came from another process or plan and was not bound here

	key  string
	file fileID // of Path; zero: no file of ours
}

// A fileID says whether a path still names the socket that was put there.
type fileID struct{ dev, ino uint64 }

// Key names what the socket listens on: two sockets of one key can stand for
// each other. OpenOptions.Adopt is asked with it.
func (s *Socket) Key() string { return s.key }

// Close closes the descriptor. The file of a UNIX socket goes too, unless a newer
// socket took its place or Keep was called.
func (s *Socket) Close() {
	if s.FD < 0 {
		return
	}
	if s.file != (fileID{}) && s.file == statPath(s.Path) {
		unix.Unlink(s.Path)
	}
	unix.Close(s.FD)
	s.FD = -1
}

// Keep makes Close leave the file of a UNIX socket alone: another process has
// the socket as well and listens on.
func (s *Socket) Keep() { s.file = fileID{} }

// String is the address for messages: "127.0.0.1:80", "unix@/run/weir.sock".
func (s *Socket) String() string {
	switch {
	case s.UNIX && s.Path != "" && s.Path[0] == '@':
		return "abns" + s.Path
	case s.UNIX:
		return "unix@" + s.Path
	case s.Local.IsValid():
		return s.Local.String()
	}
	return "fd@" + strconv.Itoa(s.FD)
}

// statPath returns the identity of the socket file at path, or zero.
func statPath(path string) fileID {
	var st unix.Stat_t
	if path == "" || path[0] == '@' || unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fileID{}
	}
	return fileID{dev: uint64(st.Dev), ino: st.Ino}
}

// A BindError says which bind line failed, on which address and why.
type BindError struct {
	Origin  string // "haproxy.cfg:41"; may be empty
	Address string
	Err     error
}

func (e *BindError) Error() string {
	text := "can't bind " + e.Address + ": " + e.Err.Error()
	if e.Origin != "" {
		return e.Origin + ": " + text
	}
	return text
}

func (e *BindError) Unwrap() error { return e.Err }

// failed wraps the error of a system call; nil stays nil.
func failed(call string, err error) error {
	if err == nil {
		return nil
	}
	if errno, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(call, errno)
	}
	return err
}
