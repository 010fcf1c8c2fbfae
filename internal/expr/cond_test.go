package expr

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func compileCond(t *testing.T, line string, acls *ACLs, ph Phase) *Cond {
	t.Helper()
	c, err := CompileCond(words(line), false, acls, ph)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return c
}

func TestNoConditionHolds(t *testing.T) {
	c, err := CompileCond(nil, false, nil, PhaseRequest)
	if c != nil || err != nil || !c.Eval(newEnv(t, plainRequest)) {
		t.Errorf("got %v %v", c, err)
	}
}

func TestUnlessTurnsTheWholeRound(t *testing.T) {
	env := newEnv(t, plainRequest)
	for line, want := range map[string]bool{"TRUE FALSE": true, "TRUE || FALSE": false, "FALSE": true} {
		c, err := CompileCond(words(line), true, nil, PhaseRequest)
		if err != nil {
			t.Fatal(err)
		}
		if c.Eval(env) != want {
			t.Errorf("unless %s: want %v", line, want)
		}
	}
}

func TestWrongConditionsSayWhatIsWrong(t *testing.T) {
	acls, errs := CompileACLs([]ACLSource{{Name: "good", Words: []string{"path", "/"}}})
	if errs != nil {
		t.Fatal(errs)
	}
	for _, c := range []struct{ line, want string }{
		{"goood", `did you mean good?`}, {"METH_GETT", `did you mean METH_GET?`}, {"or", "condition is empty"},
		{"{ path /", "closing '}' is missing"}, {"{ }", "criterion is missing"}, {"{ path -m nope x }", "matching method"},
		{"{ path -q x }", "no flag"}, {"{ path -m }", "argument of -m is missing"}, {"{ bin(00) a }", "say with -m"},
		{"{ var(txn.x) a }", "say with -m"}, {"{ src_port x }", "is not a number"}, {"{ src x }", "not an IPv4 or IPv6 address"},
		{"{ path -f /does/not/exist }", "can't read the pattern file /does/not/exist: no such file"}, {"{ path_bag /x }", "did you mean"}, {"RDP_COOKIE", "not supported yet"},
		{"{ ssl_fc_protocol -m ip 1.2.3.4 -f x }", "is not an IPv4"}, {"{ path -f /x -m beg }", "can't read"},
		{"{ hdr(x) -m bool,lower }", "matching method"}, {"{ path_reg ( }", "regex"}, {"{ path,base64,odd -m ip 1.2.3.4 }", "can't compare"},
	} {
		_, err := CompileCond(words(c.line), false, acls, PhaseRequest)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.line, err, c.want)
		}
	}
}

func TestWrongACLsAreAllReported(t *testing.T) {
	acls, errs := CompileACLs([]ACLSource{
		{Name: "a", Words: []string{"pth"}, Origin: "x.cfg:1"}, {Name: "b b", Words: []string{"path"}, Origin: "x.cfg:2"},
		{Name: "c", Words: nil, Origin: "x.cfg:3"}, {Name: "d", Words: []string{"path", "/"}}, {Name: "e", Words: []string{"path"}, Origin: "x.cfg:5"},
	})
	if len(errs) != 3 || !strings.HasPrefix(errs[0].Error(), "x.cfg:1: acl a: ") {
		t.Errorf("got %v", errs)
	}
	if w := acls.Warnings(); len(w) != 1 || !strings.Contains(w[0], "x.cfg:5: acl e: path has no patterns") {
		t.Errorf("warnings: %v", w)
	}
	if _, err := CompileCond([]string{"d"}, false, acls, PhaseRequest); err != nil {
		t.Errorf("a good acl beside wrong ones is lost: %v", err)
	}
}

func TestACLsThatCannotMatchInAPhaseNeverDo(t *testing.T) {
	acls, errs := CompileACLs([]ACLSource{
		{Name: "mixed", Words: []string{"path", "/a/b.html"}},
		{Name: "mixed", Words: []string{"status", "204"}},
	})
	if errs != nil {
		t.Fatal(errs)
	}
	env := newEnv(t, plainRequest)
	env.Res = parseHead(t, "HTTP/1.1 200 OK\r\n\r\n")
	inRequest, inResponse := compileCond(t, "mixed", acls, PhaseRequest), compileCond(t, "mixed", acls, PhaseResponse)
	if !inRequest.Eval(env) {
		t.Error("the alternative that fits the request does not match")
	}
	if inResponse.Eval(env) {
		t.Error("the path matches in a response rule, where HAProxy does not have it any more")
	}
	env.Res.Status = 204
	if !inResponse.Eval(env) {
		t.Error("the alternative that fits the response does not match")
	}
	if w := inResponse.Warnings(); len(w) != 1 || !strings.Contains(w[0], "mixed never matches in an http-response rule") {
		t.Errorf("warnings: %v", w)
	}
	if c := compileCond(t, "!{ path /a/b.html }", acls, PhaseResponse); !c.Eval(env) {
		t.Error("the opposite of what never matches does not hold")
	}
}

// A rule that inspects content waits as long as the answer may change.
func TestConditionsWaitForBytes(t *testing.T) {
	env := newEnv(t, "")
	env.FrontendHTTP = false
	for _, c := range []struct {
		line    string
		payload string
		final   bool
		want    Outcome
	}{
		{"WAIT_END", "", false, Unsure},
		{"WAIT_END", "", true, Yes},
		{"!WAIT_END", "", false, Unsure},
		{"REQ_CONTENT", "", false, Unsure},
		{"REQ_CONTENT", "x", false, Yes},
		{"REQ_CONTENT", "", true, No},
		{"{ req.payload(0,3) -m str abc }", "ab", false, Unsure},
		{"{ req.payload(0,3) -m str abc }", "abc", false, Yes},
		{"{ req.payload(0,3) -m str abc }", "abd", false, No},
		{"{ req.payload(0,3) -m str abc }", "ab", true, No},
		{"HTTP", "", false, Unsure},
		{"HTTP", "", true, No},
		{"WAIT_END || LOCALHOST", "", false, Yes},
		{"WAIT_END FALSE", "", false, No},
		{"FALSE WAIT_END", "", false, No},
		{"WAIT_END || FALSE", "", false, Unsure},
		{"{ path / } || { src 10.0.0.0/8 }", "", false, Unsure},
	} {
		env.ReqPayload, env.Final = []byte(c.payload), c.final
		if got := compileCond(t, c.line, nil, PhaseContent).Test(env); got != c.want {
			t.Errorf("%s with %q, final %v: got %s, want %s", c.line, c.payload, c.final, got, c.want)
		}
	}
}

func TestFlagsApplyToWhatFollows(t *testing.T) {
	files := map[string]string{"exact": "/Exact\n/both\n", "any": "/ANY\n"}
	loader := Loader{ReadFile: func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("no such file")
	}}
	acls, errs := CompileACLsFrom([]ACLSource{{Name: "a", Words: words("path -f exact -i -f any /WORD")}}, loader)
	if errs != nil {
		t.Fatal(errs)
	}
	c := compileCond(t, "a", acls, PhaseRequest)
	for path, want := range map[string]bool{"/Exact": true, "/exact": false, "/any": true, "/Any": true, "/word": true, "/other": false} {
		if got := c.Eval(newEnv(t, "GET "+path+" HTTP/1.1\r\n\r\n")); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestConditionsPrintAsTheyCompile(t *testing.T) {
	for line, want := range map[string]string{
		"TRUE !FALSE or { path_beg -i /a \"b c\" }": "TRUE|!FALSE||||{|path_beg|-i|/a|b c|}",
		"!!TRUE || !{ path /x }":                    "TRUE||||!{|path|/x|}",
		"! TRUE":                                    "!TRUE",
	} {
		c := compileCond(t, line, nil, PhaseRequest)
		if got := strings.Join(c.Words(), "|"); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// FuzzCond: no text makes the compiler or the program panic, and what is
// accepted prints to words that compile to the same program.
func FuzzCond(f *testing.F) {
	for _, s := range []string{
		"TRUE", "!FALSE or { path_beg -i /a }", "{ hdr(host) -m dom example.org } || LOCALHOST", "{ src 10.0.0.0/8 ::1 } ! { path_reg ^/a$ }",
		"{ req.hdr(x,2),lower,word(1,\",\") -m sub a }", "{ int(5) gt 3 lt 9 }", "{ var(txn.x) -m found }", "{ path -m bin 2f }", "METH_GET ||",
		"{ str(\"a)b\") -m str -- -i }", "{ urlp(x) 1 }", "{ req.cook_cnt gt 1 } { src_port 1:70000 }",
	} {
		f.Add(s)
	}
	env := newEnv(f, plainRequest)
	loader := Loader{ReadFile: func(string) ([]byte, error) { return []byte("a\nb"), nil }}
	acls, _ := CompileACLsFrom([]ACLSource{{Name: "a", Words: []string{"path", "/"}}}, loader)
	f.Fuzz(func(t *testing.T, line string) {
		c, err := CompileCond(words(line), false, acls, PhaseRequest)
		if err != nil || c == nil {
			return
		}
		again, err := CompileCond(c.Words(), false, acls, PhaseRequest)
		if err != nil {
			t.Fatalf("%q prints to %q, which is refused: %v", line, c.Words(), err)
		}
		if !slices.Equal(again.Words(), c.Words()) {
			t.Fatalf("%q prints to %q, and that to %q", line, c.Words(), again.Words())
		}
		if strings.Contains(line, "rand") || strings.Contains(line, "uuid") || strings.Contains(line, "-var") {
			return
		}
		if got, want := again.Test(env), c.Test(env); got != want {
			t.Errorf("%q: %s, printed and compiled again: %s", line, want, got)
		}
	})
}
