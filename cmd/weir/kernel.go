package main

import "golang.org/x/sys/unix"

// kernelName is what uname -srvm prints.
func kernelName() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "Linux"
	}
	text := func(b []byte) string { return unix.ByteSliceToString(b) }
	return text(u.Sysname[:]) + " " + text(u.Release[:]) + " " + text(u.Version[:]) + " " + text(u.Machine[:])
}
