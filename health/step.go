package health

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
)

// StepKind is what a rule of tcp-check or http-check does.
type StepKind uint8

const (
	StepConnect StepKind = iota // open a new connection
	StepSend                    // send bytes, or a request
	StepExpect                  // wait for bytes, or for a response, that fit
	StepComment                 // explains the step that follows; counts in messages
)

// A Step is one rule. Steps before the first StepConnect use a connection that
// is opened without being asked for.
type Step struct {
	Kind    StepKind
	Comment string // of the step, or the whole of a StepComment

	// StepConnect
	Addr      string // default: the check's
	Port      int    // default: the check's
	SendProxy bool   // with Target.Greeting
	Linger    bool   // close with FIN instead of RST

	// StepSend
	Data    []byte   // the bytes of tcp-check send and send-binary
	Request *Request // http-check send

	// StepExpect
	Expect Expect
}

// A Request is one "http-check send". Content-Length and Transfer-Encoding in
// Headers are left out: the body decides.
type Request struct {
	Method  string // default OPTIONS
	URI     string // default /
	Version string // default HTTP/1.0
	Headers [][2]string
	Body    string
}

// Match is how an expectation looks at what came.
type Match uint8

const (
	MatchStatus       Match = iota // http: the status is in Codes; the default
	MatchStatusRegexp              // http: rstatus
	MatchString                    // the body, or the bytes, contain Pattern
	MatchRegexp                    // the body, or the bytes, match Pattern
	MatchBinary                    // tcp: the bytes contain Pattern, which is hexadecimal
	MatchBinaryRegexp              // tcp: the bytes as hexadecimal digits match Pattern
)

// An Expect is one tcp-check expect or http-check expect.
type Expect struct {
	Match   Match
	Not     bool
	Pattern string
	Codes   [][2]int // with MatchStatus; none means 200-399

	// MinRecv is how many bytes must be there before Pattern is tried. Negative
	// (min-recv 0 in the file) means that the first bytes decide.
	MinRecv int

	OKStatus      string // ok-status; default L7OK
	ErrorStatus   string // error-status; default L7RSP, for a status L7STS
	TimeoutStatus string // tout-status; default L7TOUT
	OnSuccess     string // info instead of the usual one
	OnError       string
}

const stepsMax = 256 // rules of one script

// Validate says what is wrong with s, before a Checker is made of it.
func (s *Spec) Validate() error {
	_, err := compile(s)
	return err
}

// A matcher is an Expect made ready.
type matcher struct {
	Expect
	bytes []byte         // MatchString, MatchBinary
	re    *regexp.Regexp // the regular expressions
}

func newMatcher(e Expect, http bool) (*matcher, error) {
	m := &matcher{Expect: e}
	var err error
	switch e.Match {
	case MatchStatus:
	case MatchString:
		m.bytes = []byte(e.Pattern)
	case MatchStatusRegexp, MatchRegexp:
		m.re, err = regexp.Compile(e.Pattern)
	case MatchBinary:
		m.bytes, err = hex.DecodeString(e.Pattern)
	case MatchBinaryRegexp:
		m.re, err = regexp.Compile("(?i)" + e.Pattern)
	default:
		err = errors.New("unknown kind of match")
	}
	if err != nil {
		return nil, fmt.Errorf("can't use %q: %w", e.Pattern, err)
	}
	onlyHTTP := e.Match == MatchStatus || e.Match == MatchStatusRegexp
	onlyTCP := e.Match == MatchBinary || e.Match == MatchBinaryRegexp
	if onlyHTTP && !http || onlyTCP && http {
		return nil, errors.New("tcp-check expects string, rstring, binary or rbinary; http-check status, rstatus, string or rstring")
	}
	for _, st := range []string{e.OKStatus, e.ErrorStatus, e.TimeoutStatus} {
		if _, known := reasons[st]; st != "" && !known {
			return nil, fmt.Errorf("unknown check status %q", st)
		}
	}
	return m, nil
}
