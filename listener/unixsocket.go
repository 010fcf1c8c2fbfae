package listener

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// openPath opens a UNIX socket.
func (o *opener) openPath(path string) error {
	key := "unix@" + path
	if path[0] == '@' {
		key = "abns" + path
	}
	if s, err := o.adopt(key); s != nil || err != nil {
		if s != nil {
			s.Path, s.file = path, statPath(path)
		}
		return o.collect(s, key, err)
	}
	fd, err := socket(unix.AF_UNIX)
	if err != nil {
		return o.fail(key, err)
	}
	s := &Socket{FD: fd, Spec: o.spec, Path: path, UNIX: true, key: key}
	if path[0] == '@' {
		err = o.listenAbstract(s)
	} else {
		err = o.listenFile(s)
	}
	if err != nil {
		unix.Close(fd)
	}
	return o.collect(s, key, err)
}

// listenAbstract binds a name of the full length, padded with zeros, as HAProxy
// does: others must connect to just that name.
func (o *opener) listenAbstract(s *Socket) error {
	name := make([]byte, pathMax+1)
	copy(name, s.Path)
	// x/sys refuses a name that fills the address; syscall knows that it may.
	if err := syscall.Bind(s.FD, &syscall.SockaddrUnix{Name: string(name)}); err != nil {
		return failed("bind", err)
	}
	return o.finish(s)
}

// listenFile makes the socket beside its path and renames it when it listens:
// whoever connects meets the old socket or the new one, never none. The old one
// goes on with what it has accepted.
func (o *opener) listenFile(s *Socket) error {
	var st unix.Stat_t
	if unix.Lstat(s.Path, &st) == nil && st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New("the path exists and is not a socket")
	}
	tmp, err := bindBeside(s.FD, s.Path)
	if err != nil {
		return err
	}
	if err = o.publish(s, tmp); err != nil {
		unix.Unlink(tmp)
	}
	return err
}

func (o *opener) publish(s *Socket, tmp string) error {
	if err := o.setOwner(tmp); err != nil {
		return err
	}
	if err := o.finish(s); err != nil {
		return err
	}
	file := statPath(tmp)
	if err := unix.Rename(tmp, s.Path); err != nil {
		return failed("rename", err)
	}
	s.file = file
	return nil
}

// bindBeside binds fd to a name in path's folder that nobody uses: what a
// process of our number left there is in the way and goes.
func bindBeside(fd int, path string) (string, error) {
	tmp := path + "." + strconv.Itoa(os.Getpid()) + ".tmp"
	if len(tmp) > pathMax {
		tmp = filepath.Join(filepath.Dir(path), "."+strconv.Itoa(os.Getpid())+".tmp")
	}
	if len(tmp) > pathMax {
		return "", fmt.Errorf("the path is too long for the socket that is made beside it (%d bytes at most)", pathMax)
	}
	if err := unix.Unlink(tmp); err != nil && err != unix.ENOENT {
		return "", failed("unlink", err)
	}
	return tmp, failed("bind", unix.Bind(fd, &unix.SockaddrUnix{Name: tmp}))
}

// setOwner sets user, group and mode of a socket file; the owner first, since
// chown(2) may clear bits of the mode.
func (o *opener) setOwner(path string) error {
	uid, gid := -1, -1
	var err error
	switch {
	case o.spec.User != "":
		uid, err = numberOf("user", o.spec.User, userID)
	case o.spec.UID > 0:
		uid = o.spec.UID
	}
	if err != nil {
		return err
	}
	switch {
	case o.spec.Group != "":
		gid, err = numberOf("group", o.spec.Group, groupID)
	case o.spec.GID > 0:
		gid = o.spec.GID
	}
	if err != nil {
		return err
	}
	if uid >= 0 || gid >= 0 {
		if err = unix.Lchown(path, uid, gid); err != nil {
			return failed("chown", err)
		}
	}
	if o.spec.Mode != 0 {
		return failed("chmod", unix.Chmod(path, o.spec.Mode))
	}
	return nil
}

func userID(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupID(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}
