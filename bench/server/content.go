package server

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	smallBytes   = 128     // body of "/"
	inMemoryMax  = 1 << 15 // bytes; larger bodies are sent from a file, without a copy
	contentBytes = 1 << 20 // period of every body's content
)

// ByteAt is the byte at an offset of any body, so that a receiver can tell
// whether it got the right one.
func ByteAt(offset int64) byte {
	i := offset % contentBytes
	return 'a' + byte((i+i/26+i/4096)%26)
}

// content is the bytes that all bodies are cut from, in memory and in a file
// without a name that sendfile can read.
type content struct {
	bytes []byte
	file  int
}

func newContent() (*content, error) {
	c := &content{bytes: make([]byte, contentBytes)}
	for i := range c.bytes {
		c.bytes[i] = ByteAt(int64(i))
	}
	var err error
	if c.file, err = unix.MemfdCreate("content", unix.MFD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("can't create the content: %w", err)
	}
	if _, err := unix.Write(c.file, c.bytes); err != nil {
		return nil, fmt.Errorf("can't fill the content: %w", err)
	}
	return c, nil
}

// A reply is what one target is answered with.
type reply struct {
	bytes []byte // head, and body if it is small or chunked
	file  int64  // bytes of the content that follow
	body  int64  // bytes of the body, however it is sent
}

// reply makes the answer to a target:
//
//	/b/N    a body of N bytes
//	/c/N/S  a body of N bytes in chunks of S
//
// Every other target gets 128 bytes.
func (c *content) reply(target string) *reply {
	parts := strings.Split(strings.TrimPrefix(target, "/"), "/")
	size := int64(smallBytes)
	if len(parts) > 1 && (parts[0] == "b" || parts[0] == "c") {
		size, _ = strconv.ParseInt(parts[1], 10, 64) // what is no number is an empty body
	}
	if parts[0] == "c" && len(parts) > 2 {
		chunk, _ := strconv.ParseInt(parts[2], 10, 64)
		return &reply{bytes: c.chunked(size, max(chunk, 1)), body: size}
	}
	head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", size)
	if size > inMemoryMax {
		return &reply{bytes: head, file: size, body: size}
	}
	return &reply{bytes: append(head, c.bytes[:size]...), body: size}
}

func (c *content) chunked(size, chunk int64) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
	for at := int64(0); at < size; at += chunk {
		n := min(chunk, size-at)
		fmt.Fprintf(&b, "%x\r\n", n)
		for i := range n {
			b.WriteByte(ByteAt(at + i))
		}
		b.WriteString("\r\n")
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}
