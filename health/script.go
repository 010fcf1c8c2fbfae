package health

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/message"
)

const answerMax = 16384 // bytes of an answer, as tune.bufsize

// A script is a Spec made ready: a connect, then what follows on it.
type script struct {
	steps   []step
	http    bool
	named   bool // messages name the step
	bufSize int
	notOn   int // status that takes the server out of balancing (disable-on-404); 0: none
	state   bool
}

// A step is a Step made ready.
type step struct {
	Step
	number   int // in the file, from 1; 0: not written there
	comment  string
	toMethod message.Method // with Request, and with the expectations behind it
	expect   *matcher
}

func compile(spec *Spec) (*script, error) {
	sc := &script{http: spec.Kind == HTTP, named: spec.Kind == Script, bufSize: orDefault(spec.BufSize, answerMax), state: spec.SendState}
	if spec.DisableOn404 && sc.http {
		sc.notOn = 404
	}
	list := spec.Steps
	switch spec.Kind {
	case TCP:
		list = nil
	case HTTP:
		list = httpSteps(spec)
	case Script:
	default:
		return nil, fmt.Errorf("unknown kind of check %d", spec.Kind)
	}
	if len(list) > stepsMax {
		return nil, fmt.Errorf("a check has at most %d steps, not %d", stepsMax, len(list))
	}
	for i := range list {
		if err := sc.add(list, i); err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	sc.connectFirst()
	return sc, nil
}

// httpSteps completes what http-check says: without a send, the request of
// option httpchk stands before the first expect; without an expect after the
// last send, there is one for status 200-399.
func httpSteps(spec *Spec) []Step {
	short := Step{Kind: StepSend, Request: &Request{
		Method: spec.Method, URI: spec.URI, Version: spec.Version, Headers: spec.Headers, Body: spec.Body,
	}}
	if len(spec.Steps) == 0 {
		expect := Step{Kind: StepExpect, Expect: Expect{Codes: spec.Expect, Not: spec.ExpectNot}}
		if spec.ExpectString != "" {
			expect.Expect = Expect{Match: MatchString, Pattern: spec.ExpectString, Not: spec.ExpectNot}
		}
		return []Step{short, expect}
	}
	var list []Step
	sent, open := false, false
	for _, s := range spec.Steps {
		if s.Kind == StepExpect && !sent {
			list, sent = append(list, short), true
		}
		sent = sent || s.Kind == StepSend
		open = s.Kind == StepSend || open && s.Kind != StepExpect
		list = append(list, s)
	}
	if !sent {
		list, open = append(list, short), true
	}
	if open {
		list = append(list, Step{Kind: StepExpect})
	}
	return list
}

func (sc *script) add(list []Step, i int) error {
	s := step{Step: list[i], number: i + 1, comment: list[i].Comment}
	if s.comment == "" && i > 0 && list[i-1].Kind == StepComment {
		s.comment = list[i-1].Comment
	}
	switch s.Kind {
	case StepComment, StepConnect:
	case StepSend:
		if sc.http != (s.Request != nil) {
			return errors.New("http-check sends requests, tcp-check sends bytes")
		}
		if sc.http {
			if err := s.Request.validate(); err != nil {
				return err
			}
			s.toMethod = message.MethodOf([]byte(orText(s.Request.Method, "OPTIONS")))
		}
	case StepExpect:
		m, err := newMatcher(s.Expect, sc.http)
		if err != nil {
			return err
		}
		s.expect = m
		if n := len(sc.steps); n > 0 {
			s.toMethod = sc.steps[n-1].toMethod
		}
	default:
		return fmt.Errorf("unknown kind of step %d", s.Kind)
	}
	if s.Kind == StepComment && len(sc.steps) > 0 {
		s.toMethod = sc.steps[len(sc.steps)-1].toMethod
	}
	sc.steps = append(sc.steps, s)
	return nil
}

// connectFirst puts a connect before everything else, unless there is one.
func (sc *script) connectFirst() {
	for _, s := range sc.steps {
		if s.Kind == StepConnect {
			return
		}
		if s.Kind != StepComment {
			break
		}
	}
	sc.steps = append([]step{{Step: Step{Kind: StepConnect}}}, sc.steps...)
}

// passed is the finding when all steps went well; f is that of the last expect.
func (sc *script) passed(f finding) finding {
	last := &sc.steps[len(sc.steps)-1]
	for i := len(sc.steps) - 1; last.Kind == StepComment && i > 0; i-- {
		last = &sc.steps[i-1]
	}
	switch last.Kind {
	case StepConnect:
		if f.status != StatusL6OK {
			f = finding{status: StatusL4OK}
		}
	case StepSend, StepComment:
		f = finding{status: StatusL7OK}
	case StepExpect:
	}
	if sc.named && f.info == "" && last.number > 0 {
		f.info = "(tcp-check)"
	}
	return f
}

// where says at which step it happened: only in a script that the user wrote.
func (sc *script) where(s *step) string {
	if !sc.named {
		return ""
	}
	if s.number == 0 {
		return " at initial connection step of tcp-check"
	}
	text := " at step " + strconv.Itoa(s.number) + " of tcp-check (" + s.describe() + ")"
	if s.comment != "" {
		text += " comment: '" + s.comment + "'"
	}
	return text
}

func (s *step) describe() string {
	switch s.Kind {
	case StepConnect:
		if s.Port > 0 {
			return "connect port " + strconv.Itoa(s.Port)
		}
		return "connect"
	case StepSend:
		return "send"
	case StepComment:
		return "comment"
	case StepExpect:
	}
	switch s.expect.Match {
	case MatchString:
		return "expect string '" + s.expect.Pattern + "'"
	case MatchBinary:
		return "expect binary '" + string(s.expect.bytes) + "'"
	case MatchRegexp:
		return "expect regex"
	case MatchBinaryRegexp:
		return "expect binary regex"
	case MatchStatus, MatchStatusRegexp:
	}
	return "expect"
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// validate refuses what would not stay one request.
func (r *Request) validate() error {
	for _, part := range [...]struct{ what, text string }{{"method", r.Method}, {"uri", r.URI}} {
		if strings.ContainsFunc(part.text, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return fmt.Errorf("the %s %q has blanks or control characters", part.what, part.text)
		}
	}
	switch r.Version {
	case "", "HTTP/1.0", "HTTP/1.1":
	default:
		return fmt.Errorf("the version is HTTP/1.0 or HTTP/1.1, not %q", r.Version)
	}
	for _, h := range r.Headers {
		if !isToken(h[0]) {
			return fmt.Errorf("%q can't be the name of a header", h[0])
		}
		if strings.ContainsAny(h[1], "\r\n\x00") {
			return fmt.Errorf("the value of the header %s has line ends", h[0])
		}
	}
	return nil
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}
