package expr

import (
	"errors"
	"strings"
	"testing"
)

// aHello is a ClientHello for a.example.com that speaks h2.
const aHello = "\x16\x03\x01\x00\x53\x01\x00\x00\x4f\x03\x03" + "................................" + "\x00\x00\x02\x13\x01\x01\x00" +
	"\x00\x24\x00\x00\x00\x12\x00\x10\x00\x00\x0da.example.com" + "\x00\x10\x00\x05\x00\x03\x02h2" + "\x00\x0a\x00\x01\x00"

func TestHellosAreSeen(t *testing.T) {
	for expr, want := range map[string]string{
		"req.ssl_sni": "a.example.com", "req.ssl_alpn": "h2", "req_ssl_hello_type": "1", "req.ssl_ver": "196611", "req.ssl_ec_ext": "1", "req.ssl_st_ext": "0",
		"req.ssl_sni,lower,field(2,.)": "example", "req.ssl_ver,and(255)": "3",
	} {
		e, err := CompileExpr(expr, PhaseContent)
		if err != nil {
			t.Fatal(err)
		}
		env := newEnv(t, plainRequest)
		env.Req, env.ReqPayload, env.Final = nil, []byte(aHello), false
		if got, _ := e.EvalStr(env); string(got) != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
		if n := testing.AllocsPerRun(100, func() { e.EvalStr(env) }); n != 0 {
			t.Errorf("%s: %v allocations", expr, n)
		}
		env.ReqPayload = []byte(aHello[:40])
		if _, outcome := e.TestStr(env); outcome != Unsure {
			t.Errorf("%s: outcome %v of half a hello, want to wait", expr, outcome)
		}
		env.ReqPayload = []byte("GET / HTTP/1.1")
		if _, outcome := e.TestStr(env); outcome != No {
			t.Errorf("%s: outcome %v of what is no hello", expr, outcome)
		}
	}
}

func TestVersionsAreWrittenWithADot(t *testing.T) {
	for _, c := range []struct{ patterns, err string }{
		{"3.3", ""}, {"gt 3.0", ""}, {"3.0:3.3", ""}, {"3.1:", ""}, {":3.3", ""}, {"3", ""},
		{"196611", "no version"}, {"3.", "no version"}, {".3", "no version"}, {"3.1.2", "no version"}, {"3.70000", "no version"}, {":", "no version"},
		{"3.3:3.1", "not a range"},
	} {
		_, errs := CompileACLs([]ACLSource{{Name: "v", Words: append([]string{"req.ssl_ver"}, strings.Fields(c.patterns)...)}})
		err := errors.Join(errs...)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("req.ssl_ver %s: error %v, want %q in it", c.patterns, err, c.err)
		}
	}
	if _, errs := CompileACLs([]ACLSource{{Name: "v", Words: []string{"req.ssl_ver,add(0)", "196611"}}}); len(errs) > 0 {
		t.Error(errs)
	}
}
