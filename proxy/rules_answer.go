package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/expr"
)

// This file compiles what deny, return, tarpit and redirect answer with.

// denial compiles the arguments of deny and tarpit.
func (m *ruleMaker) denial(r *rule, args []string) error {
	def := 403
	switch {
	case r.op == opTarpit:
		def = 500
	case m.scope.phase == expr.PhaseResponse:
		def = 502
	}
	return m.answerArgs(r, args, def)
}

// reply compiles the arguments of return.
func (m *ruleMaker) reply(r *rule, args []string) error { return m.answerArgs(r, args, 200) }

func (m *ruleMaker) answerArgs(r *rule, args []string, status int) error {
	a := &answerRule{status: status}
	r.answer = a
	c := answerMaker{m: m, a: a}
	for len(args) > 0 {
		rest, err := c.word(args)
		if err != nil {
			return err
		}
		args = rest
	}
	switch {
	case c.errorFile != nil:
		a.fixed = &answer{status: a.status, raw: c.errorFile}
	case !c.custom && r.op != opReturn:
		if a.fixed = m.errors[a.status]; a.fixed == nil {
			return fmt.Errorf("status %d has no standard answer; say what to send with string, file or hdr", a.status)
		}
	default:
		a.fixed = &answer{status: a.status, body: c.body}
	}
	return nil
}

// An answerMaker reads the words of one answer.
type answerMaker struct {
	m         *ruleMaker
	a         *answerRule
	body      []byte
	errorFile []byte
	custom    bool // something else than the standard answer
}

// word takes one word with its values off args.
func (c *answerMaker) word(args []string) (rest []string, err error) {
	name := args[0]
	if name == "default-errorfiles" {
		return args[1:], nil
	}
	if len(args) < 2 {
		return nil, fmt.Errorf("%s wants a value", name)
	}
	value := args[1]
	rest = args[2:]
	c.custom = c.custom || name != "status" && name != "deny_status"
	switch name {
	case "status", "deny_status":
		c.a.status, err = parseStatus(value)
	case "content-type":
		c.a.contentType = value
	case "string":
		c.body = []byte(value)
	case "file":
		c.body, err = c.m.read(value)
	case "errorfile":
		c.errorFile, err = c.m.read(value)
	case "lf-string":
		c.a.body, err = expr.CompileFormat(value, c.m.scope.phase)
	case "lf-file":
		if c.body, err = c.m.read(value); err == nil {
			c.a.body, err = expr.CompileFormat(string(c.body), c.m.scope.phase)
		}
	case "hdr":
		if len(rest) == 0 {
			return nil, fmt.Errorf("hdr wants a name and a format")
		}
		var f *expr.Format
		f, err = expr.CompileFormat(rest[0], c.m.scope.phase)
		c.a.headers = append(c.a.headers, headerFormat{strings.ToLower(value), f})
		rest = rest[1:]
	default:
		err = fmt.Errorf("%q is not known here; weir has status, deny_status, content-type, string, lf-string, file, lf-file, hdr, errorfile and default-errorfiles", name)
	}
	return rest, err
}

// withoutPath strips the name of the file, which the message tells.
func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

func (m *ruleMaker) read(name string) ([]byte, error) {
	b, err := m.readFile(name)
	if err != nil {
		return nil, fmt.Errorf("can't read %s: %w", name, withoutPath(err))
	}
	return b, nil
}

// redirect compiles the arguments of redirect.
func (m *ruleMaker) redirect(r *rule, args []string) (err error) {
	rd := &redirectRule{code: 302}
	r.redir = rd
	r.op = opRedirect
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "drop-query":
			rd.dropQuery = true
			continue
		case "append-slash":
			rd.appendSlash = true
			continue
		case "ignore-empty":
			rd.ignoreEmpty = true
			continue
		}
		if i+1 >= len(args) {
			return fmt.Errorf("%s wants a value", args[i])
		}
		word, value := args[i], args[i+1]
		i++
		switch word {
		case "location", "prefix", "scheme":
			rd.kind = word
			if rd.to, err = expr.CompileFormat(value, m.scope.phase); err != nil {
				return err
			}
		case "code":
			if rd.code, err = strconv.Atoi(value); err != nil || !validRedirect(rd.code) {
				return fmt.Errorf("code wants 301, 302, 303, 307 or 308, got %q", value)
			}
		case "set-cookie":
			rd.setCookie = value + "; path=/;"
		case "clear-cookie":
			rd.setCookie = value + "; path=/; Max-Age=0;"
		default:
			return fmt.Errorf("%q is not known; weir has location, prefix, scheme, code, drop-query, append-slash, ignore-empty, set-cookie and clear-cookie", word)
		}
	}
	if rd.kind == "" {
		return fmt.Errorf("wants location, prefix or scheme")
	}
	return nil
}

func validRedirect(code int) bool {
	switch code {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}
