//go:build !race

package expr

import (
	"testing"
)

const httplog = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"

// allocFree are expressions that between them use all converters.
var allocFree = []string{
	"path,lower,upper,length,add(1),mul(3),div(2),mod(7),sub(-1),neg,and(255),or(1),xor(3),cpl,odd",
	"path,hex,base64,b64dec,ub64enc,ub64dec,length", "hdr(host),host_only", "hdr(host),port_only", "url,url_enc,url_dec",
	"path,field(2,/),concat(a,txn.v,b),add_item(-,txn.v)", "path,word(1,/,2),ltrim(a),rtrim(l),cut_crlf,bytes(1,3)",
	"path,regsub(/,_,g)", "path,regsub(\"([a-z])/(.)\",\"\\2\\1\",gi)", "path,crc32(1)", "path,crc32c", "path,djb2", "path,sdbm(1)",
	"path,xxh32", "path,xxh64(5)", "path,sha1,hex", "path,sha2(512),hex", "src,ipmask(24,64)", "hdr_ip(x-ip,1),ipmask(8)", "int(5),htonl,hex2i",
	"date,http_date", "date,utime(%Y-%m-%d %H:%M:%S %j %s)", "date(0,us)", "src,be2dec(.,1)", "src,be2hex(:,1)", "always_true,not,iif(a,b)",
	"path,set-var(txn.v)", "str(x),set-var(req.w),unset-var(req.w)", "var(txn.v),strcmp(txn.v)", "var(txn.v),secure_memcmp(txn.v),bool,even",
	"str(b),nbsrv", "str(b/s1),srv_queue", "path,capture-req(0)", "base32+src,hex", "req.cook(B)", "req.hdr(x-f,2)", "req.fhdr_cnt", "urlp(y)",
	"uuid", "rand(5)", "req.hdr_names", "req.hdrs", "hostname", "nbsrv(b)", "srv_is_up(b/s1)", "baseq", "query", "capture.req.hdr(0)",
}

func TestExpressionsDoNotAllocate(t *testing.T) {
	env := newEnv(t, plainRequest)
	env.Rec.ReqCaptures = NewCaptures([]int{20})
	used := map[string]bool{}
	for _, s := range allocFree {
		e, err := CompileExpr(s, PhaseRequest)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		for _, st := range e.steps {
			used[st.row.name] = true
		}
		for range 3 { // memory grows to its working size
			e.EvalStr(env)
		}
		if n := testing.AllocsPerRun(200, func() { e.EvalStr(env) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s, n)
		}
	}
	for _, row := range converterTable {
		if !used[row.name] && row.name != "capture-res" && row.name != "ltime" {
			t.Errorf("converter %s is in no expression of allocFree", row.name)
		}
	}
}

func TestConditionsDoNotAllocate(t *testing.T) {
	env := newEnv(t, plainRequest)
	for _, line := range []string{
		"{ path_beg -i /A }", "{ hdr(x-f) two }", "{ hdr_dom(host) -i example.org }", "{ src 10.0.0.0/8 127.0.0.1 } METH_GET !HTTP_1.0",
		"{ path_reg -i ^/A/[a-z]+\\.html$ }", "{ urlp(y) 2 } || { req.cook(B) two }", "{ hdr_ip(x-ip) 9.0.0.0/8 }", "{ path,lower,length gt 3 }",
	} {
		c, err := CompileCond(words(line), false, nil, PhaseRequest)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Eval(env) {
			t.Errorf("%s does not hold", line)
		}
		if n := testing.AllocsPerRun(200, func() { c.Eval(env) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", line, n)
		}
	}
}

// loggingEnv is an exchange at its end.
func loggingEnv(tb testing.TB) *Env {
	env := newEnv(tb, plainRequest)
	r := env.Rec
	r.Accept, r.Status, r.RequestLine = env.Now, 200, []byte("GET /a/b.html?x=1&y=2 HTTP/1.1")
	r.Ti, r.TR, r.Tw, r.Tc, r.Tr, r.Tt = 0, 1, 2, 3, 4, 10
	r.ReqCaptures = NewCaptures([]int{20})
	r.ReqCaptures.Set(0, []byte("example.org"))
	env.BackendName, env.ServerName = "b", "s1"
	return env
}

func TestLinesDoNotAllocate(t *testing.T) {
	f, err := CompileFormat(httplog+" %[capture.req.hdr(0),lower] %{+X}o %ci %Ts %t %T %Tl", PhaseHTTPLog)
	if err != nil {
		t.Fatal(err)
	}
	env, buf := loggingEnv(t), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(1000, func() {
		env.Rec.Accept += nanosPerSec / 3 // the second changes too
		buf = f.Append(buf[:0], env)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestVariablesDoNotAllocate(t *testing.T) {
	s := NewScratch(1)
	n, _ := CompileVarName("txn.v")
	text := []byte("a value")
	var vars Vars
	cycle := func() {
		vars.Set(s, n, Str(text))
		vars.Get(n)
		vars.Drop(ScopeReq)
		vars.Unset(n)
		vars.Set(s, n, Str(text))
		vars.Reset(s)
	}
	cycle()
	if a := testing.AllocsPerRun(1000, cycle); a != 0 {
		t.Errorf("%v allocations, want 0", a)
	}
}

func BenchmarkFormat(b *testing.B) {
	for name, text := range map[string]string{
		"httplog": httplog, "tcplog": "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq",
	} {
		f, err := CompileFormat(text, PhaseHTTPLog)
		if err != nil {
			b.Fatal(err)
		}
		env, buf := loggingEnv(b), make([]byte, 0, 4096)
		b.Run("format="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = f.Append(buf[:0], env)
			}
		})
	}
}

func BenchmarkCond(b *testing.B) {
	for name, line := range map[string]string{
		"path_beg": "{ path_beg /static /images /css }", "host": "{ hdr(host) -i example.org www.example.org }",
		"src": "{ src 10.0.0.0/8 192.168.0.0/16 }", "regex": "{ path_reg ^/a/[a-z]+\\.html$ }", "web": "METH_GET { path_end .png .html } !LOCALHOST",
	} {
		c, err := CompileCond(words(line), false, nil, PhaseRequest)
		if err != nil {
			b.Fatal(err)
		}
		env := newEnv(b, plainRequest)
		b.Run("cond="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Eval(env)
			}
		})
	}
}
