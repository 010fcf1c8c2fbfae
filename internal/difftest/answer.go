package difftest

import (
	"bytes"
	"strconv"
	"strings"
)

// setAnswerLocked lets s answer by itself. Requests that came before this
// remain the script's.
func (w *World) setAnswerLocked(s *server, answer []byte, closing bool) {
	s.answer, s.closing = answer, closing
	for _, e := range w.ends {
		if strings.HasPrefix(e.name, s.name+".") {
			e.auto = len(e.got)
		}
	}
}

// answerLocked answers every whole request that has arrived on a connection
// of a server for which the script gave an answer.
func (w *World) answerLocked(e *end) {
	name, _, ok := strings.Cut(e.name, ".")
	if !ok {
		return
	}
	s := w.servers[name]
	if s == nil || s.answer == nil {
		return
	}
	for {
		n := requestLength(e.got[e.auto:])
		if n == 0 {
			return
		}
		e.auto += n
		e.conn.Write(s.answer)
		if s.closing {
			e.state = endClosed
			e.conn.Close()
			return
		}
	}
}

// requestLength returns the length of the first request of b, or 0 when it is
// not whole. It takes what a proxy sends, and is no parser for the wild.
func requestLength(b []byte) int {
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return 0
	}
	size := len(head) + 4
	for line := range strings.SplitSeq(strings.ToLower(string(head)), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case name == "content-length":
			n, _ := strconv.Atoi(value)
			if len(body) < n {
				return 0
			}
			return size + n
		case name == "transfer-encoding" && value == "chunked":
			end := bytes.Index(body, []byte("0\r\n\r\n"))
			if end < 0 {
				return 0
			}
			return size + end + 5
		}
	}
	return size
}
