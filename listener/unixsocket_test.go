package listener

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUNIXSocketForms(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for address, path := range map[string]string{
		dir + "/a.sock": dir + "/a.sock", "unix@" + dir + "/b.sock": dir + "/b.sock", "unix@c.sock": "c.sock", "uxst@d.sock": "d.sock",
		"unix@@e": "./@e",
	} {
		s := open(t, Spec{Address: address}, OpenOptions{})[0]
		if !s.UNIX || s.Path != path || s.Local.IsValid() || s.String() != "unix@"+path {
			t.Errorf("%s: got %+v", address, s)
		}
		meet(t, s, "unix", path)
	}
	if left, _ := filepath.Glob("*.tmp"); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestAbstractNameIsPaddedAsHAProxyPadsIt(t *testing.T) {
	name := "weir-test-" + filepath.Base(t.TempDir()) + "-" + t.Name()
	s := open(t, Spec{Address: "abns@" + name}, OpenOptions{})[0]
	if !s.UNIX || s.Path != "@"+name || s.String() != "abns@"+name {
		t.Errorf("got %+v", s)
	}
	meet(t, s, "unix", "@"+name+strings.Repeat("\x00", 107-len(name)))
}

func TestUNIXSocketHasOwnerAndMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	uid, gid := os.Getuid(), os.Getgid()
	spec := Spec{Address: path, Mode: 0o620, UID: uid, GID: gid}
	if uid == 0 { // only root may give files away
		spec.User, spec.Group = "12", "root"
		uid, gid = 12, 0
	}
	open(t, spec, OpenOptions{})
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	if st.Mode&0o777 != 0o620 || int(st.Uid) != uid || int(st.Gid) != gid {
		t.Errorf("mode %o, owner %d, group %d; want 620, %d, %d", st.Mode&0o777, st.Uid, st.Gid, uid, gid)
	}
}

func TestUnknownUserIsAnError(t *testing.T) {
	dir := t.TempDir()
	for _, spec := range []Spec{{User: "weir-nobody"}, {Group: "weir-nobody"}} {
		spec.Address = filepath.Join(dir, "x.sock")
		if _, err := Open(spec, OpenOptions{}); err == nil || !strings.Contains(err.Error(), `"weir-nobody"`) {
			t.Errorf("got %v, want an error that names the user or group", err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestNewSocketReplacesTheOldInOneStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	first := open(t, Spec{Address: path}, OpenOptions{})[0]
	second := open(t, Spec{Address: path}, OpenOptions{})[0]
	meet(t, second, "unix", path)
	first.Close()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("closing the old socket took the new one's file: %v", err)
	}
	second.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file outlives its socket: %v", err)
	}
}

func TestKeptFileOutlivesItsDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	s := open(t, Spec{Address: path}, OpenOptions{})[0]
	fd, _ := unix.Dup(s.FD)
	s.Keep()
	s.Close()
	s.Close() // a second time does nothing
	heir := open(t, Spec{Address: path}, OpenOptions{Adopt: func(string) (int, bool) { return fd, true }})[0]
	meet(t, heir, "unix", path)
	heir.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file outlives the socket that adopted it: %v", err)
	}
}

func TestLongPathStillFits(t *testing.T) {
	dir := t.TempDir()
	if len(dir) > 80 {
		dir = "."
		t.Chdir(t.TempDir())
	}
	path := dir + "/" + strings.Repeat("s", pathMax-1-len(dir))
	s := open(t, Spec{Address: "unix@" + path}, OpenOptions{})[0]
	meet(t, s, "unix", path)
}
