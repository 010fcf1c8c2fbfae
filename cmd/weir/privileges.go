package main

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// identity is what a process becomes when its sockets are open (manual:
// chroot, user, group, uid, gid). The zero identity changes nothing.
type identity struct {
	chroot   string
	uid, gid int // 0 or less: unchanged
	dumpable bool
}

// assume enters the chroot and gives the privileges away, for all threads of
// the process, in the order in which each step still may be done.
func (id identity) assume() error {
	if id.chroot != "" {
		_, _ = time.Now().Zone() // loads the time zone while its file can be seen
		if err := syscall.Chroot(id.chroot); err != nil {
			return fmt.Errorf("cannot chroot(%s): %w", id.chroot, err)
		}
		if err := syscall.Chdir("/"); err != nil {
			return fmt.Errorf("cannot chdir to the chroot: %w", err)
		}
	}
	if err := id.dropGroup(); err != nil {
		return err
	}
	if id.uid > 0 && id.uid != syscall.Getuid() {
		if err := syscall.Setuid(id.uid); err != nil {
			return fmt.Errorf("cannot set uid %d: %w", id.uid, err)
		}
	}
	if id.dumpable {
		return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	}
	return nil
}

// dropGroup also leaves the supplementary groups, which only root may do.
func (id identity) dropGroup() error {
	if syscall.Geteuid() == 0 && (id.uid > 0 || id.gid > 0) {
		if err := syscall.Setgroups(nil); err != nil {
			return fmt.Errorf("cannot drop supplementary groups: %w", err)
		}
	}
	if id.gid > 0 && id.gid != syscall.Getgid() {
		if err := syscall.Setgid(id.gid); err != nil {
			return fmt.Errorf("cannot set gid %d: %w", id.gid, err)
		}
	}
	return nil
}
