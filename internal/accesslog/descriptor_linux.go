package accesslog

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const pipeBytes = 4096 // PIPE_BUF: what a pipe takes whole when it is writable at all

// descriptor writes lines to an inherited descriptor: a pipe, a terminal, a file
// or a socket. Its flags are not touched, for it may be shared; so it is asked
// before each write whether it can take something.
type descriptor struct {
	fd    int
	chunk int  // bytes of one write; 0: one line per write, for a socket
	slow  bool // the last wait was in vain: do not wait again
}

func openFD(fd int) (output, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("descriptor %d is not open", fd)
	}
	d := &descriptor{fd: fd, chunk: pipeBytes}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		d.chunk = 0
	case unix.S_IFREG:
		d.chunk = 64 << 10
	}
	return d, nil
}

func (d *descriptor) write(buf []byte, ends []int) (lost int) {
	start := 0
	for i := 0; i < len(ends); {
		last := i // of the lines that go together
		for last+1 < len(ends) && ends[last+1]-start <= d.chunk {
			last++
		}
		if !d.writeAll(buf[start:ends[last]]) {
			lost += last - i + 1
		}
		start, i = ends[last], last+1
	}
	return lost
}

// writeAll writes p; false when it was lost, or cut.
func (d *descriptor) writeAll(p []byte) bool {
	for len(p) > 0 {
		wait := writeWait
		if d.slow {
			wait = 0
		}
		if !waitWritable(d.fd, wait) {
			d.slow = true
			return false
		}
		n, err := unix.Write(d.fd, p)
		switch {
		case err == nil:
			p, d.slow = p[n:], false
		case err != unix.EINTR && err != unix.EAGAIN:
			return false
		}
	}
	return true
}

// close leaves the descriptor open: it is not ours.
func (d *descriptor) close() {}
