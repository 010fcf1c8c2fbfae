package evloop_test

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The plainest raw system calls, for what a loop's own work is compared with.

func rawWrite(fd int, p []byte) int {
	n, _, _ := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), 0, 0, 0)
	return int(n)
}

func rawRead(fd int, p []byte) int {
	n, _, _ := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), 0, 0, 0)
	return int(n)
}

func rawWait(epfd int, events []unix.EpollEvent) int {
	n, _, _ := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), 0, 0, 0)
	return int(n)
}
