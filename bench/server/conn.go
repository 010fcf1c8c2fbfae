package server

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weir-lb/weir/bench/framing"
	"github.com/weir-lb/weir/bench/socket"
)

const headMax = 16 << 10

// A conn is one connection that the proxy has opened. While it has something
// to send it reads nothing.
type conn struct {
	fd   int
	kind int32

	head    []byte // start of a head whose end has not come yet
	body    bool   // a request's body is being read
	left    int64
	chunked bool
	chunks  framing.Chunks
	reply   *reply // for the request whose body is being read
	last    bool   // the connection ends after the answer
	closing bool   // the answer to the last request has been made

	out    []byte // waits for room in the socket
	file   int64  // bytes of the content that follow
	offset int64  // where in the content
}

// step goes on with whatever the connection can do now. ended says that the
// other side has sent FIN, so that reading has to go on until it shows.
func (l *loop) step(c *conn, ended bool) {
	for l.flush(c) {
		asked, unseen := scratchBytes, c.body && !c.chunked
		var n int
		var errno syscall.Errno
		if unseen { // nobody looks at a body: it is taken away without a copy
			asked = int(c.left)
			n, errno = socket.Discard(c.fd, asked)
		} else {
			n, errno = socket.Read(c.fd, l.scratch[:])
		}
		if errno == syscall.EAGAIN {
			return
		}
		if errno != 0 || n == 0 || !l.take(c, n, unseen) {
			l.close(c)
			return
		}
		if n < asked && !c.sends() && !ended {
			return // drained: the next bytes bring an event
		}
	}
}

func (c *conn) sends() bool { return len(c.out) > 0 || c.file > 0 || c.closing }

// take goes on with n bytes that have arrived. It says false when the
// connection can't go on.
func (l *loop) take(c *conn, n int, unseen bool) bool {
	switch {
	case c.kind == kindEcho:
		l.count.requests.Add(1)
		l.count.bytesIn.Add(int64(n))
		l.count.bytesOut.Add(int64(n))
		l.send(c, l.scratch[:n], 0)
		return true
	case c.kind == kindHTTP:
		l.gather = l.gather[:0]
		ok := true
		if unseen {
			l.takeBody(c, n)
		} else {
			ok = l.feed(c, l.scratch[:n])
		}
		if len(l.gather) > 0 {
			flags := 0
			if c.file > 0 {
				flags = unix.MSG_MORE
			}
			l.send(c, l.gather, flags)
		}
		return ok
	}
	return true // a stream listens to nobody
}

// feed goes through bytes that were read.
func (l *loop) feed(c *conn, b []byte) bool {
	if len(c.head) > 0 {
		c.head = append(c.head, b...)
		b = c.head
	}
	for len(b) > 0 && !c.closing && c.file == 0 {
		if c.body {
			b = b[l.takeBody(c, l.bodyBytes(c, b)):]
			continue
		}
		h, ok := framing.ParseHead(b)
		if !ok {
			break
		}
		l.begin(c, h, b)
		b = b[h.Size:]
	}
	if len(b) > headMax || len(b) > 0 && c.file > 0 {
		return false // no client of the benchmark pipelines behind a large answer
	}
	if len(b) == 0 {
		c.head = c.head[:0]
	} else {
		c.head = append([]byte(nil), b...)
	}
	return true
}

// begin takes a request's head.
func (l *loop) begin(c *conn, h framing.Head, b []byte) {
	target := framing.Target(b[:h.Size])
	r := l.replies[string(target)]
	if r == nil {
		r = l.content.reply(string(target))
		l.replies[string(target)] = r
	}
	c.reply, c.last = r, h.Close
	if h.Whole() {
		l.answer(c)
		return
	}
	c.body, c.left, c.chunked = true, h.Length, h.Chunked
}

// bodyBytes is how many of the bytes at hand belong to the body.
func (l *loop) bodyBytes(c *conn, b []byte) int {
	if !c.chunked {
		return int(min(c.left, int64(len(b))))
	}
	n, ended := c.chunks.Next(b)
	c.left = int64(n)
	if !ended {
		c.left++ // the end is not known, but it is not here
	}
	return n
}

// takeBody notes n bytes of a body and answers after the last of them.
func (l *loop) takeBody(c *conn, n int) int {
	l.count.bytesIn.Add(int64(n))
	if c.left -= int64(n); c.left == 0 {
		c.body = false
		l.answer(c)
	}
	return n
}

func (l *loop) answer(c *conn) {
	l.gather = append(l.gather, c.reply.bytes...)
	c.file, c.offset, c.closing = c.reply.file, 0, c.last
	l.count.requests.Add(1)
	l.count.bytesOut.Add(c.reply.body - c.reply.file)
}

// send sends now what fits and keeps the rest.
func (l *loop) send(c *conn, b []byte, flags int) {
	n, _ := socket.Send(c.fd, b, flags) // a dead connection shows when it is read
	if n < len(b) {
		c.out = append(c.out, b[n:]...)
	}
}

// flush sends what waits. It says whether nothing waits any more and the
// connection stands.
func (l *loop) flush(c *conn) bool {
	for len(c.out) > 0 {
		n, errno := socket.Write(c.fd, c.out)
		if errno != 0 {
			return l.endOrWait(c, errno)
		}
		c.out = append(c.out[:0], c.out[n:]...)
	}
	for c.file > 0 {
		at := c.offset % contentBytes
		n, errno := socket.SendFile(c.fd, l.content.file, &at, int(min(c.file, contentBytes-at)))
		if errno != 0 {
			return l.endOrWait(c, errno)
		}
		c.offset += int64(n)
		c.file -= int64(n)
		l.count.bytesOut.Add(int64(n))
	}
	if c.closing || c.kind == kindStream {
		l.count.streamEnds(c.kind)
		l.close(c)
		return false
	}
	return true
}

func (l *loop) endOrWait(c *conn, errno syscall.Errno) bool {
	if errno != syscall.EAGAIN {
		l.close(c)
	}
	return false
}

// streamEnds counts a stream that has been sent whole as one request.
func (c *counters) streamEnds(kind int32) {
	if kind == kindStream {
		c.requests.Add(1)
	}
}
