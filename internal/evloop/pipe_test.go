package evloop_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
	"golang.org/x/sys/unix"
)

const anyUser = 65531 // nobody else's, so that the pipes are counted from none

// A user without privileges may have only so much in pipes; then pipes get
// smaller, and instead of one of two pages there is none.
func TestPipesOfAnUnprivilegedUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("as root this test would be another user, with no pipes yet")
	}
	sizes := make(chan []int)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its user
		if os.Getuid() == 0 {
			if _, _, errno := syscall.RawSyscall(unix.SYS_SETRESUID, anyUser, anyUser, anyUser); errno != 0 {
				t.Error(errno)
			}
		}
		sizes <- pipeSizes(t, pipePages(t)*os.Getpagesize()/(1<<20)+5)
	}()
	last := 1 << 20
	for i, size := range <-sizes {
		if size > last || size != 0 && size < 64<<10 || i == 0 && size != last {
			t.Errorf("pipe %d has %d bytes, the one before %d", i, size, last)
		}
		last = size
	}
	if last == 1<<20 {
		t.Error("the limit was not reached")
	}
}

// pipePages is the limit of pages that the pipes of one user have.
func pipePages(t *testing.T) int {
	text, err := os.ReadFile("/proc/sys/fs/pipe-user-pages-soft")
	if err != nil {
		t.Error(err)
	}
	pages, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Error(err)
	}
	return pages
}

// pipeSizes opens n pipes and returns their sizes in bytes, 0 for one refused.
func pipeSizes(t *testing.T, n int) []int {
	var sizes []int
	for range n {
		r, w, errno := evloop.System().Pipe(1 << 20)
		if errno != 0 {
			sizes = append(sizes, 0)
			continue
		}
		defer unix.Close(r)
		defer unix.Close(w)
		size, err := unix.FcntlInt(uintptr(w), unix.F_GETPIPE_SZ, 0)
		if err != nil {
			t.Error(err)
		}
		sizes = append(sizes, size)
	}
	return sizes
}
