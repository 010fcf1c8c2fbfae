package expr

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// recorded is one question to HAProxy with its answer (testdata/haproxy).
type recorded struct{ request, ask, answer string }

func readRecorded(t *testing.T, name string) []recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "haproxy", name))
	if err != nil {
		t.Fatal(err)
	}
	var list []recorded
	request := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if quoted, ok := strings.CutPrefix(line, "request "); ok {
			if request, err = strconv.Unquote(quoted); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if ask, answer, ok := strings.Cut(line, "\t"); ok {
			list = append(list, recorded{request, ask, answer})
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s has no questions", name)
	}
	return list
}

// differences are questions that weir answers in another way on purpose. Those
// that it does not differ in any more must go.
var differences = map[string]string{
	// expressions
	"env":                         "an argument is needed: without it the fetch gives nothing",
	"nbsrv":                       "whether the section is a backend, References lets the caller find out",
	"nbsrv()":                     "the same",
	"str(h:x),port_only":          "no port stands there; HAProxy gives what it makes of the letter",
	"str([::1]:x),port_only":      "the same",
	"int(-1),http_date":           "a date before 1970 is none; HAProxy gives one in a far future",
	"int(1700000000),utime(%Q%L)": "a conversion that does not exist is refused, not printed",
	"int(1700000000),utime(%E)":   "the same",

	// conditions
	"{ src 127/8 }":          "one number is no address: HAProxy means 0.0.0.127/8",
	"{ src 127.0.01 }":       "leading zeros mean octal to some programs (strict addresses)",
	"{ src 2130706433 }":     "one number is no address",
	"{ req.cook_beg(B) tw }": "the manual has it; HAProxy 2.6 only knows cook_beg",
	`{ path "" }`:            "an empty pattern is one: HAProxy takes it for the end of the line",
	`{ hdr(x-e) "" }`:        "the same",
	`{ path_beg "" }`:        "the same",
	`{ path_sub "" }`:        "the same",
	`{ path_end "" }`:        "the same",
	`{ path_dir "" }`:        "the same",
	"{ int(-5) -- -10:-1 }":  "a range below zero is one",
	"{ srv_is_up(s1) }":      "References lets the caller find names that do not exist",
	"{ srv_is_up(b/s9) }":    "the same",
	"{ nbsrv(nope) 1 }":      "the same",

	"{ capture.req.method GET }": "HAProxy keeps the request line only when some format string asks for it",

	// log formats
	"%[status]":      "the status is there as %ST; HAProxy gives it only while the response is in its buffer",
	"%[bin(610a62)]": "a client must not be able to begin a new line in a log",
	"%{Q}ci":         "an unknown flag is an error: HAProxy passes over it",
	"%{+Z}ci":        "the same",
	"%{+q}ci":        "the same",
	"%-":             "a percent sign without a variable is an error",
}

// check compares one answer.
func check(t *testing.T, r recorded, got string) {
	t.Helper()
	reason, listed := differences[r.ask]
	switch {
	case got == r.answer && listed:
		t.Errorf("%s: gives %s as HAProxy does: take it out of differences", r.ask, got)
	case got != r.answer && !listed:
		t.Errorf("%s: got %s, HAProxy gives %s", r.ask, got, r.answer)
	case got != r.answer && reason == "":
		t.Errorf("%s: the difference has no reason", r.ask)
	}
}

// later reports whether something is refused because it is not there yet.
func later(err error) bool { return err != nil && strings.Contains(err.Error(), "not supported yet") }

func TestExpressionsGiveWhatHAProxyGives(t *testing.T) {
	var env *Env
	request, tested := "", 0
	for _, r := range readRecorded(t, "exprs.txt") {
		if env == nil || r.request != request {
			request, env = r.request, newEnv(t, r.request)
			env.Rec.ReqCaptures = NewCaptures([]int{20})
			capture(env.Rec.ReqCaptures, 0, env.Req, "user-agent")
		}
		f, err := CompileFormat("<%["+r.ask+"]>", PhaseRequest)
		switch {
		case later(err):
			continue
		case err != nil:
			check(t, r, "error")
		default:
			check(t, r, strconv.Quote(string(f.Append(nil, env))))
		}
		tested++
	}
	t.Logf("%d expressions compared", tested)
}

func TestConditionsHoldWhereHAProxysDo(t *testing.T) {
	loader := Loader{ReadFile: func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join("testdata", "haproxy", name))
	}}
	acls, errs := CompileACLsFrom([]ACLSource{
		{Name: "named", Words: []string{"path_beg", "/a"}},
		{Name: "multi", Words: []string{"path", "/zzz"}},
		{Name: "multi", Words: []string{"path_end", ".html"}},
	}, loader)
	if errs != nil {
		t.Fatal(errs)
	}
	tested := 0
	for _, r := range readRecorded(t, "conds.txt") {
		env := newEnv(t, r.request)
		env.Rec.ReqCaptures = NewCaptures([]int{20})
		capture(env.Rec.ReqCaptures, 0, env.Req, "x-f")
		c, err := CompileCond(words(r.ask), false, acls, PhaseRequest)
		switch {
		case later(err):
			continue
		case err != nil:
			check(t, r, "error")
		case c.Eval(env):
			check(t, r, "yes")
		default:
			check(t, r, "no")
		}
		tested++
	}
	t.Logf("%d conditions compared", tested)
}

func TestLogLinesAreHAProxysByteForByte(t *testing.T) {
	tested := 0
	for _, r := range readRecorded(t, "logs.txt") {
		f, err := CompileFormat(r.ask, PhaseHTTPLog)
		if err != nil || r.answer == "error" {
			got := "error"
			if err == nil {
				got = strconv.Quote(string(f.Append(nil, newEnv(t, ""))))
			}
			check(t, r, got)
			continue
		}
		line, err := strconv.Unquote(r.answer)
		if err != nil {
			t.Fatal(err)
		}
		prefix, want, _ := strings.Cut(line, "|")
		env := loggedEnv(t, r.request, prefix)
		// Blanks are merged with what stands before: the line's prefix ended in "|".
		withPrefix, err := CompileFormat("|"+r.ask, PhaseHTTPLog)
		if err != nil {
			t.Fatalf("%s: %v", r.ask, err)
		}
		r.answer = strconv.Quote("|" + want)
		check(t, r, strconv.Quote(string(withPrefix.Append(nil, env))))
		tested++
	}
	t.Logf("%d formats compared", tested)
}

// loggedEnv is what the log of a request saw; prefix has the numbers that differ
// from run to run (record.go).
func loggedEnv(t *testing.T, request, prefix string) *Env {
	t.Helper()
	var n [18]int64
	for i, w := range strings.Fields(prefix) {
		n[i], _ = strconv.ParseInt(w, 10, 64) // "-" for an address that is not there
	}
	env := newEnv(t, "")
	env.Src = netip.AddrPortFrom(env.Src.Addr(), uint16(n[2]))
	env.Dst = netip.AddrPortFrom(env.Dst.Addr(), uint16(n[3]))
	env.Process.PID = int(n[6])
	r := env.Rec
	r.Accept = n[0]*nanosPerSec + n[1]*nanosPerMS
	r.RequestCount, r.LogCount = uint32(n[7]), uint32(n[8])
	r.Th, r.Ti, r.TR, r.Tw, r.Tc, r.Tr, r.Tt = n[9], n[10], n[11], n[12], n[13], n[14], n[15]
	r.BytesOut, r.BytesIn = uint64(n[16]), uint64(n[17])
	r.ProcessConns, r.FrontendConns = 1, 1
	r.ReqCaptures, r.ResCaptures = NewCaptures([]int{40, 40}), NewCaptures([]int{10})
	line, _, _ := strings.Cut(request, "\r\n")
	if r.Tw < 0 {
		r.Status, r.Term = 400, [2]byte{'P', 'R'}
		r.ReqCaptures, r.ResCaptures = nil, nil
		return env
	}
	r.UniqueID = []byte("id-127.0.0.1")
	r.RequestLine = []byte(line[:min(len(line), 1023)])
	env.Req = parseHead(t, request)
	capture(r.ReqCaptures, 0, env.Req, "x-c")
	r.ResCaptures.Set(0, []byte("a, b"))
	if _, cookie, ok := strings.Cut(request, "Cookie: "); ok {
		cookie, _, _ = strings.Cut(cookie, "\r\n")
		r.ReqCookie = []byte(cookie)
	}
	r.ResCookie = []byte("A=val1")
	r.Status = 200
	env.BackendName, env.BackendID, env.ServerName, env.ServerID = "b", 2, "s1", 1
	r.ServerAddr = netip.AddrPortFrom(env.Src.Addr(), uint16(n[4]))
	r.ServerSrc = netip.AddrPortFrom(env.Src.Addr(), uint16(n[5]))
	return env
}
