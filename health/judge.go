package health

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// A finding is how a check, or one expectation, ended.
type finding struct {
	status string
	code   int
	info   string
}

// judge looks at the bytes that came; final means that no more will come. done
// is false while more bytes could decide otherwise.
func (s *step) judge(in []byte, final bool) (f finding, done bool) {
	e := s.expect
	if len(in) == 0 && final {
		return s.fails(StatusL7Rsp, "TCPCHK got an empty response at step "+strconv.Itoa(s.number), true), true
	}
	found, ripe := e.look(in)
	switch {
	case !final && !ripe, !found && !final && e.MinRecv >= 0:
		return finding{}, false
	case found && e.Not:
		return s.fails(StatusL7Rsp, "TCPCHK matched unwanted content "+s.content(), false), true
	case !found && !e.Not:
		return s.fails(StatusL7Rsp, "TCPCHK did not match content "+s.content(), false), true
	}
	return s.holds(), true
}

// look reports whether the pattern is found, and whether there are enough bytes
// to ask.
func (m *matcher) look(in []byte) (found, ripe bool) {
	need := max(m.MinRecv, 0)
	if m.bytes != nil {
		if need == 0 || need > len(m.bytes) {
			need = len(m.bytes)
		}
		return bytes.Contains(in, m.bytes), len(in) >= need
	}
	if m.Match == MatchBinaryRegexp {
		in = hex.AppendEncode(nil, in)
		need *= 2
	}
	return m.re.Match(in), len(in) >= need
}

// content names what an expectation looks for.
func (s *step) content() string {
	at := " at step " + strconv.Itoa(s.number)
	switch s.expect.Match {
	case MatchString:
		return "'" + s.expect.Pattern + "'" + at
	case MatchBinary:
		return "(binary)" + at
	case MatchBinaryRegexp:
		return "(binary regex)" + at
	case MatchRegexp, MatchStatus, MatchStatusRegexp:
	}
	return "(regex)" + at
}

// judgeReply looks at a response as far as it came; final means that no more
// will come.
func (s *step) judgeReply(r *reply, final bool, notOn int) (f finding, done bool) {
	switch {
	case r.bad:
		return finding{status: StatusL7Rsp}, true
	case !r.hasHead && final && r.interim > 0:
		return finding{status: StatusL7Sts, code: r.interim, info: cut(r.interimReason)}, true
	case !r.hasHead && final:
		return finding{status: StatusL7Rsp}, true
	case !r.hasHead:
		return finding{}, false
	case notOn > 0 && r.head.Status == notOn:
		return finding{status: StatusL7OKC, code: notOn}, true
	}
	e := s.expect
	var found bool
	switch e.Match {
	case MatchStatus:
		found = inRanges(e.Codes, r.head.Status)
	case MatchStatusRegexp:
		found = e.re.Match(strconv.AppendInt(nil, int64(r.head.Status), 10))
	case MatchString, MatchRegexp, MatchBinary, MatchBinaryRegexp:
		return s.judgeBody(r, final || r.ended)
	}
	if found == e.Not {
		f = s.fails(StatusL7Sts, r.reason(), false)
		f.code = r.head.Status
		return f, true
	}
	return s.holdsReply(r), true
}

func (s *step) judgeBody(r *reply, final bool) (f finding, done bool) {
	e := s.expect
	if len(r.body) == 0 && final {
		return s.fails(StatusL7Rsp, "HTTP content check could not find a response body", false), true
	}
	found, ripe := e.look(r.body)
	switch {
	case !final && !ripe, !found && !final && e.MinRecv >= 0:
		return finding{}, false
	case found && e.Not:
		return s.fails(StatusL7Rsp, "HTTP check matched unwanted content", false), true
	case !found && !e.Not:
		return s.fails(StatusL7Rsp, "HTTP content check did not match", false), true
	}
	return s.holdsReply(r), true
}

func (s *step) holds() finding {
	return finding{status: orText(s.expect.OKStatus, StatusL7OK), info: cut(s.expect.OnSuccess)}
}

func (s *step) holdsReply(r *reply) finding {
	f := s.holds()
	f.code = r.head.Status
	return f
}

// fails makes the finding of an expectation that does not hold. HAProxy puts
// the comment in quotes when nothing came.
func (s *step) fails(status, info string, quoted bool) finding {
	info = orText(s.expect.OnError, info)
	switch {
	case s.comment != "" && quoted:
		info += " comment: '" + s.comment + "'"
	case s.comment != "":
		info += " comment: " + s.comment
	}
	return finding{status: orText(s.expect.ErrorStatus, status), info: cut(info)}
}

func inRanges(ranges [][2]int, n int) bool {
	if len(ranges) == 0 {
		return n >= 200 && n <= 399
	}
	for _, r := range ranges {
		if n >= r[0] && n <= r[1] {
			return true
		}
	}
	return false
}
