package expr

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/weir-lb/weir/internal/message"
)

const plainRequest = "GET /a/b.html?x=1&y=2 HTTP/1.1\r\nHost: example.org\r\nX-F: one, two,three\r\nX-F: four\r\n" +
	"X-IP: 10.1.2.3, bad, ::ffff:9.8.7.6\r\nCookie: A=1; B=two\r\n\r\n"

// evalStr evaluates an expression as text; "(none)" when there is no value.
func evalStr(t *testing.T, env *Env, s string, ph Phase) string {
	t.Helper()
	e, err := CompileExpr(s, ph)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	v, ok := e.EvalStr(env)
	if !ok {
		return "(none)"
	}
	return string(v)
}

func TestWrongExpressionsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"", "name of a fetch is missing"},
		{"pth", `did you mean path?`},
		{"hdrs(x)", `did you mean hdr?`},
		{"nothing_like_it_at_all", "there is no fetch"},
		{"path,lowr", `did you mean lower?`},
		{"path,map(x)", "not supported yet"},
		{"path,wt6", "not supported yet"},
		{"sc0_conn_cur", "not supported yet"},
		{"quic_enabled", "not supported yet"},
		{"src(1)", "no arguments are expected"},
		{"int", "argument 1 is missing"},
		{"int(x)", `"x" is not a number`},
		{"str(a", "')' is missing"},
		{`str("a)`, "quote \" is not closed"},
		{"str(a)b", "a comma or the end is expected"},
		{"str(a),", "name of a converter is missing"},
		{"str(a),field(0,x)", "index must not be 0"},
		{"str(a),word(1,)", "delimiters is empty"},
		{"str(a),regsub((,b)", "regex"},
		{"str(a),regsub(a,b,q)", "regex flag 'q'"},
		{"path,ipmask(40)", "is not a mask of 32 bits"},
		{"var(x)", "must begin with its scope"},
		{"var(foo.x)", "is no scope"},
		{"var(txn.a-b)", "not '-'"},
		{"bin(0)", "hexadecimal digits"},
		{"hdr(a b)", "can't be the name of a header"},
		{"int(5),ipmask(8),base64,length,odd,lower,nope", "there is no converter"},
		{"always_true" + strings.Repeat(",lower", chainMax+1), "more than"},
		{"src,sha2(5)", "5 bits are not possible"},
		{"date(0,h)", "not s, ms or us"},
		{"rand(-1)", "makes no sense"},
	} {
		_, err := CompileExpr(c.expr, PhaseRequest)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q in it", c.expr, err, c.want)
		}
	}
}

func TestPhasesHaveTheirLimits(t *testing.T) {
	for _, c := range []struct {
		expr string
		ph   Phase
		ok   bool
	}{
		{"src", PhaseConnection, true}, {"path", PhaseConnection, false}, {"ssl_fc_sni", PhaseConnection, false},
		{"ssl_fc_sni", PhaseSession, true}, {"src", PhaseConfig, false}, {"int(1)", PhaseConfig, true},
		{"path", PhaseContent, true}, {"be_name", PhaseRequest, false}, {"be_name", PhaseBackendRequest, true},
		{"path", PhaseResponse, false}, {"status", PhaseResponse, true}, {"srv_name", PhaseResponse, true},
		{"method", PhaseResponse, true}, {"status", PhaseRequest, false}, {"res.hdr(x)", PhaseHTTPLog, false},
		{"capture.req.hdr(0)", PhaseHTTPLog, true}, {"path", PhaseUniqueID, true}, {"path", phases, false},
	} {
		if c.ph == phases {
			continue
		}
		if _, err := CompileExpr(c.expr, c.ph); (err == nil) != c.ok {
			t.Errorf("%s in %s: got %v", c.expr, c.ph, err)
		}
	}
}

func TestAmbiguousFetchesFollowTheDirection(t *testing.T) {
	env := newEnv(t, plainRequest)
	env.Res = parseHead(t, "HTTP/1.1 204 Gone\r\nX-F: answer\r\nSet-Cookie: A=9; path=/\r\nSet-Cookie: B=8\r\n\r\n")
	for expr, want := range map[string][2]string{
		"hdr(x-f)":  {"four", "answer"},
		"cookie(A)": {"1", "9"},
	} {
		for i, ph := range []Phase{PhaseRequest, PhaseResponse} {
			if got := evalStr(t, env, expr, ph); got != want[i] {
				t.Errorf("%s in %s: got %s, want %s", expr, ph, got, want[i])
			}
		}
	}
	for expr, want := range map[string]string{
		"status": "204", "res.cook": "9", "res.cook(B)": "8", "res.cook_cnt": "2", "res.ver": "1.1", "res.hdr_cnt(x-f)": "1",
		"res.hdr_names": "x-f,set-cookie,set-cookie", "res.fhdr(set-cookie,1)": "A=9; path=/", "capture.res.ver": "HTTP/1.1",
	} {
		if strings.HasPrefix(expr, "capture") {
			continue
		}
		if got := evalStr(t, env, expr, PhaseResponse); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
}

func TestWhatIsNotThereGivesNothing(t *testing.T) {
	env := &Env{Scratch: NewScratch(1)}
	for i := range fetchTable {
		row := &fetchTable[i]
		var words []string
		for k := range strings.FieldsSeq(row.args) {
			words = append(words, map[string]string{
				"var": "txn.x", "int": "1", "hex": "00", "ip4": "1.2.3.4", "ip6": "::1", "server": "b/s",
			}[k])
		}
		if row.name == "bool" || row.name == "env" {
			words = []string{"1"}
		}
		e, err := compileChain([]call{{name: row.name, args: words}}, PhaseRequest)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if v, ok := e.Eval(env); ok && v.Kind == KindNone {
			t.Errorf("%s: a value without a kind", row.name)
		}
	}
}

func TestEveryRowNamesItsManual(t *testing.T) {
	for _, k := range Keywords() {
		if k.Name == "" || k.Kind == "" || k.Manual == "" && k.Kind != "log variable" {
			t.Errorf("%+v: a row is not complete", k)
		}
	}
	seen := map[string]bool{}
	for _, k := range Keywords() {
		if !k.Later && seen[k.Kind+k.Name] {
			t.Errorf("%s %s stands in its table twice", k.Kind, k.Name)
		}
		seen[k.Kind+k.Name] = true
	}
}

func TestReferencesNameWhatMustExist(t *testing.T) {
	e, err := CompileExpr("srv_is_up(b/s1),iif(a,b),nbsrv", PhaseRequest)
	if err != nil {
		t.Fatal(err)
	}
	refs := e.References()
	if len(refs) != 1 || refs[0] != (Reference{Kind: "server", Name: "b/s1"}) {
		t.Errorf("got %v", refs)
	}
	c, err := CompileCond([]string{"{", "nbsrv(b)", "1", "}", "{", "fe_conn", "gt", "5", "}"}, false, nil, PhaseRequest)
	if err != nil {
		t.Fatal(err)
	}
	if refs := c.References(); len(refs) != 2 || refs[0] != (Reference{Kind: "backend", Name: "b"}) || refs[1] != (Reference{Kind: "frontend", Name: ""}) {
		t.Errorf("got %v", refs)
	}
}

func TestMappedClientsAreIPv4(t *testing.T) {
	env := newEnv(t, plainRequest)
	env.Src = netip.MustParseAddrPort("[::ffff:192.0.2.7]:5000")
	if got := evalStr(t, env, "src", PhaseRequest); got != "192.0.2.7" {
		t.Errorf("src is %s", got)
	}
	c, err := CompileCond([]string{"{", "src", "192.0.2.0/24", "}", "{", "hdr_ip(x-ip)", "9.0.0.0/8", "}"}, false, nil, PhaseRequest)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Eval(env) {
		t.Error("a mapped address slips past an IPv4 network")
	}
}

func TestVariablesLiveInTheirScopes(t *testing.T) {
	env := newEnv(t, plainRequest)
	other := &Vars{}
	set := func(s string) { t.Helper(); evalStr(t, env, s, PhaseRequest) }
	set("str(connection),set-var(sess.v)")
	set("str(exchange),set-var(txn.v)")
	set("str(request),set-var(req.v)")
	set("int(7),set-var(proc.v)")
	for expr, want := range map[string]string{
		"var(sess.v)": "connection", "var(txn.v)": "exchange", "var(req.v)": "request", "var(proc.v),add(1)": "8",
		"var(res.v)": "(none)", "var(res.v,default)": "default",
	} {
		if got := evalStr(t, env, expr, PhaseRequest); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
	env.Txn.Drop(ScopeReq)
	if got := evalStr(t, env, "var(req.v)", PhaseRequest); got != "(none)" {
		t.Errorf("req.v outlives the request: %s", got)
	}
	if got := evalStr(t, env, "var(txn.v)", PhaseRequest); got != "exchange" {
		t.Errorf("txn.v ends with the request: %s", got)
	}
	env.Txn = other
	if got := evalStr(t, env, "var(txn.v)", PhaseRequest); got != "(none)" {
		t.Errorf("txn.v is seen by another exchange: %s", got)
	}
}

func TestVariablesAreBounded(t *testing.T) {
	s, vars := NewScratch(1), &Vars{}
	set := func(name string, v Value) bool {
		n, err := CompileVarName(name)
		if err != nil {
			t.Fatal(err)
		}
		return vars.Set(s, n, v)
	}
	for i := range varsMax {
		if !set("txn.v"+strings.Repeat("x", i), Int(1)) {
			t.Fatalf("variable %d of %d finds no room", i, varsMax)
		}
	}
	if set("txn.more", Int(1)) {
		t.Error("one more than the limit finds room")
	}
	big := Str(make([]byte, varBytesMax))
	if !set("txn.v", big) || set("txn.vx", Str([]byte("x"))) {
		t.Error("the bound of bytes does not hold")
	}
	if !set("txn.v", Str(nil)) || !set("txn.vx", big) {
		t.Error("bytes that are free again can't be used")
	}
	vars.Reset(s)
	if !set("txn.more", big) {
		t.Error("Reset does not empty")
	}
}

func TestProcessVariablesAreShared(t *testing.T) {
	var p ProcVars
	n, _ := CompileVarName("proc.x")
	done := make(chan bool)
	for i := range 4 {
		go func() {
			for range 200 {
				p.Set(n, Int(int64(i)))
				p.Get(n)
			}
			done <- true
		}()
	}
	for range 4 {
		<-done
	}
	if v, ok := p.Get(n); !ok || v.Int < 0 || v.Int > 3 {
		t.Errorf("got %v %v", v, ok)
	}
	p.Unset(n)
	if _, ok := p.Get(n); ok {
		t.Error("it is still there")
	}
}

func TestResultsAreBounded(t *testing.T) {
	env := newEnv(t, plainRequest)
	n, _ := CompileVarName("txn.big")
	env.SetVar(n, Str(make([]byte, resultMax)))
	for _, s := range []string{"var(txn.big),concat(x)", "var(txn.big),hex", "var(txn.big),url_enc", "var(txn.big),base64"} {
		if got := evalStr(t, env, s, PhaseRequest); got != "(none)" {
			t.Errorf("%s gives %d bytes", s, len(got))
		}
	}
	long := "str(x)" + strings.Repeat(",concat(x)", chainMax-1)
	if got := evalStr(t, env, long, PhaseRequest); len(got) != chainMax {
		t.Errorf("a long chain gives %q", got)
	}
}

func TestTLSAndProxyHeadersAreSeen(t *testing.T) {
	env := newEnv(t, plainRequest)
	env.TLS = &TLSInfo{SNI: "example.org", Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", ALPN: "h2", Resumed: true}
	env.Proxy = &ProxyInfo{Authority: []byte("auth"), UniqueID: []byte("id")}
	for expr, want := range map[string]string{
		"ssl_fc": "1", "ssl_fc_sni": "example.org", "ssl_fc_protocol": "TLSv1.3", "ssl_fc_alpn": "h2", "ssl_fc_is_resumed": "1",
		"ssl_fc_cipher": "TLS_AES_128_GCM_SHA256", "fc_rcvd_proxy": "1", "fc_pp_authority": "auth", "fc_pp_unique_id": "id",
	} {
		if got := evalStr(t, env, expr, PhaseRequest); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
}

func TestBodyIsSeen(t *testing.T) {
	env := newEnv(t, "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
	env.Req.Framing, env.Req.Length = message.BodyLength, 100
	env.ReqBody = []byte("a=1&b=2;c=3&b=4")
	for expr, want := range map[string]string{
		"req.body": "a=1&b=2;c=3&b=4", "req.body_len": "15", "req.body_size": "100", "req.body_param(b)": "2", "req.body_param": "1",
	} {
		if got := evalStr(t, env, expr, PhaseRequest); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
}

func TestAddressesAreReadAsPackageNetipDoes(t *testing.T) {
	for _, s := range []string{
		"1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1::2::3",
		":1", "1:", "::ffff:1.2.3.4", "::1.2.3", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "12345::", "g::", "fe80::1%eth0", "",
		"1:2:3:4:5:6:7::", "::1:2:3:4:5:6:7:8", ":::", "1.2.3.4 ", "0.0.0.0", "1..2.3",
	} {
		want, err := netip.ParseAddr(s)
		if want.Zone() != "" {
			err = errors.New("a zone")
		}
		v, ok := parseIPValue([]byte(s))
		if ok != (err == nil) || ok && v.IP != want {
			t.Errorf("%q: got %v %v, want %v %v", s, v.IP, ok, want, err)
		}
	}
}
