package expr

import (
	"net/netip"
	"strings"
	"testing"
)

// The lines were taken from HAProxy 2.6; the formats are those of the manual.
func TestLinesOfOtherConnections(t *testing.T) {
	tcp := newEnv(t, "")
	tcp.FrontendHTTP, tcp.BackendName, tcp.ServerName = false, "b", "s1"
	r := tcp.Rec
	r.Accept = 1795362349492 * nanosPerMS
	r.Th, r.Tw, r.Tc, r.Tt, r.BytesOut, r.BytesIn = 0, 1, 0, 251, 80, 30
	r.ProcessConns, r.FrontendConns, r.BackendConns, r.ServerConns = 4, 3, 2, 1
	r.Retries, r.Redispatched, r.ServerQueue, r.BackendQueue = 2, true, 5, 6
	const tcplog = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
	unix := func(e *Env) { e.UnixClient, e.Src, e.Dst, e.BindID = true, netip.AddrPort{}, netip.AddrPort{}, 3 }
	v6 := func(e *Env) { e.Src = netip.MustParseAddrPort("[::1]:57668") }
	same := func(*Env) {}
	for _, c := range []struct {
		name, format, want string
		change             func(e *Env)
	}{
		{"tcplog", tcplog, "127.0.0.1:40000 [22/Nov/2026:15:45:49.492] f b/s1 1/0/251 80 -- 4/3/2/1/+2 5/6", same},
		{"logasap", "%Tt %B %Tu %U %Td", "+251 +80 +251 30 250", func(e *Env) { e.Rec.ASAP = true }},
		{"UNIX client", "%ci:%cp %fi:%fp %{+X}ci %[src]", "unix:3 unix:3 unix -", unix},
		{"IPv6 client", "%ci:%cp %{+X}ci", "::1:57668 00000000000000000000000000000001", v6},
		{"no status in TCP", "%ST", "0", same},
		{"encrypted", "%ft %{+Q}ft %sslv %sslc", `f~ "f~" TLSv1.2 X`, func(e *Env) { e.TLS = &TLSInfo{Version: "TLSv1.2", Cipher: "X"} }},
		{"stats page", "%b/%s", "f/<STATS>", func(e *Env) { e.BackendName, e.ServerName, e.Rec.StatsPage = "", "", true }},
		{"no server", "%b/%s %si:%sp", "f/<NOSRV> -:-", func(e *Env) { e.BackendName, e.ServerName = "", "" }},
		{"default line", "Connect from %ci:%cp to %fi:%fp (%f/%wmode)", "Connect from 127.0.0.1:40000 to 127.0.0.1:80 (f/TCP)", same},
		{"bind without a name", "%wbind", "1", same},
		{"bind with a name", "%wbind", "door", func(e *Env) { e.BindName = "door" }},
	} {
		e, rec := *tcp, *r
		e.Rec = &rec
		c.change(&e)
		f, err := CompileFormat(c.format, PhaseTCPLog)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := string(f.Append(nil, &e)); got != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestTimesOfPartsAreSubtracted(t *testing.T) {
	env := newEnv(t, "")
	r := env.Rec
	r.Accept = 1700000000 * nanosPerSec
	r.Th, r.Ti, r.TR, r.Tw, r.Tc, r.Tr, r.Tt = 10, 200, 30, 4, 5, 60, 1000
	for format, want := range map[string]string{
		"%Th %Ti %TR %Tw %Tc %Tr": "10 200 30 4 5 60", "%Tq": "240", "%Ta": "790", "%Tu": "800", "%Tt": "1000", "%Td": "691",
		"%t": "14/Nov/2023:22:13:20.000", "%tr": "14/Nov/2023:22:13:20.210",
	} {
		f, err := CompileFormat(format, PhaseHTTPLog)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.Append(nil, env)); got != want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
	r.Reset()
	f, _ := CompileFormat("%Ti %TR %Tw %Tc %Tr %Tq %Td %ST %ts %tsc %Ta", PhaseHTTPLog)
	if got, want := string(f.Append(nil, env)), "-1 -1 -1 -1 -1 -1 -1 -1 -- ---- 0"; got != want {
		t.Errorf("nothing happened: got %s, want %s", got, want)
	}
}

func TestHTTPVariablesAreForHTTP(t *testing.T) {
	for name, http := range map[string]bool{"r": true, "tr": true, "TR": true, "CC": true, "HU": true, "hr": false, "tsc": false, "ST": false} {
		if _, err := CompileFormat("%"+name, PhaseTCPLog); (err != nil) != http {
			t.Errorf("%%%s in TCP mode: %v", name, err)
		}
	}
}

func TestStringsOfRulesKeepTheirBlanksAndDashNothing(t *testing.T) {
	env := newEnv(t, plainRequest)
	for format, want := range map[string]string{
		"  a   b  ":                              "  a   b  ",
		"<%[req.hdr(nope)]>":                     "<>",
		"%[path]%%20":                            "/a/b.html%20",
		"%HM %HU %HP %HPO %HQ %HV|%r":            "GET /a/b.html?x=1&y=2 /a/b.html /a/b.html ?x=1&y=2 HTTP/1.1|GET /a/b.html?x=1&y=2 HTTP/1.1",
		"%ID|%CC|%s|%b":                          "||<NOSRV>|f",
		"%[bin(410d0a42)]":                       "A%0D%0AB",
		"%{+E}[str(\"a]b\")]":                    `a\]b`,
		"%{+Q}[str(a)]":                          "a",
		"%ST":                                    "-1",
		"https://%[hdr(host)]%[capture.req.uri]": "https://example.org/a/b.html?x=1&y=2",
	} {
		f, err := CompileFormat(format, PhaseRequest)
		if err != nil {
			t.Errorf("%q: %v", format, err)
			continue
		}
		if got := string(f.Append(nil, env)); got != want {
			t.Errorf("%q: got %q, want %q", format, got, want)
		}
	}
}

func TestConstantsAreKnown(t *testing.T) {
	for format, want := range map[string]string{"": "", "plain": "plain", "100%%": "100%"} {
		f, err := CompileFormat(format, PhaseRequest)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := f.Constant(); !ok || got != want {
			t.Errorf("%q: got %q %v", format, got, ok)
		}
	}
	f, _ := CompileFormat("%ci", PhaseRequest)
	if _, ok := f.Constant(); ok {
		t.Error("a variable is no constant")
	}
	if s, ok := CompileText("a %ci").Constant(); !ok || s != "a %ci" {
		t.Errorf("text is taken for a format: %q", s)
	}
}

// Log injection: no byte of a client may begin a new line.
func TestNoClientMakesNewLogLines(t *testing.T) {
	env := newEnv(t, "GET /a?q=%0a%0d%00x HTTP/1.1\r\nHost: h\r\n\r\n")
	env.Rec.RequestLine = []byte("GET /\r\n HTTP/1.1")
	env.Rec.ReqCookie = []byte("a=\n")
	env.Rec.ReqCaptures = NewCaptures([]int{20})
	env.Rec.ReqCaptures.Set(0, []byte("v\r\nw"))
	f, err := CompileFormat("%r|%CC|%hr|%hrl|%HU|%[capture.req.hdr(0)]|%[capture.req.hdr(0),hex]|%{+E}[capture.req.hdr(0)]", PhaseHTTPLog)
	if err != nil {
		t.Fatal(err)
	}
	line := string(f.Append(nil, env))
	if strings.ContainsAny(line, "\r\n\x00") {
		t.Errorf("the line has a break: %q", line)
	}
	if want := "GET /#0D#0A HTTP/1.1|a=#0A|{v#0D#0Aw}|v#0D#0Aw|/#0D#0A|v#0D#0Aw|760D0A77|v#0D#0Aw"; line != want {
		t.Errorf("got %q, want %q", line, want)
	}
}

// FuzzFormat: no text makes the compiler or the program panic, and what is
// accepted prints to text that compiles to the same program.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{
		"%ci:%cp [%t] %ft", "%{+Q}o %{-Q}ci - - [%trg] %r", "  a  %%  b ", `%[hdr(x),lower]%{+E,+X}[str("a]b\"\n")]x`, "%HQ %hr %hs|%Td",
		"%[int(-5),add(3)]", "%[var(txn.x,a b)]", "%{+X}Ts%{+Q}s%o%%x", "%[str(a\\b)]%[bin(00ff)]", "%[path,regsub(/,_,g)]", "%[str( a),concat(,txn.x,'\"')]",
	} {
		f.Add(s)
	}
	env := newEnv(f, plainRequest)
	env.Rec.ReqCaptures = NewCaptures([]int{10})
	f.Fuzz(func(t *testing.T, s string) {
		for _, ph := range []Phase{PhaseHTTPLog, PhaseRequest, PhaseUniqueID} {
			f, err := CompileFormat(s, ph)
			if err != nil {
				continue
			}
			text := f.String()
			again, err := CompileFormat(text, ph)
			if err != nil {
				t.Fatalf("%q prints to %q, which is refused: %v", s, text, err)
			}
			if again.String() != text {
				t.Fatalf("%q prints to %q, and that to %q", s, text, again.String())
			}
			if strings.Contains(s, "rand") || strings.Contains(s, "uuid") || strings.Contains(s, "-var") {
				continue
			}
			if got, want := string(again.Append(nil, env)), string(f.Append(nil, env)); got != want {
				t.Errorf("%q: %q, printed and compiled again: %q", s, want, got)
			}
		}
	})
}

// Exchanges are used again for frontends with other slots.
func TestSlotsTakeOtherLengths(t *testing.T) {
	c := NewCaptures([]int{4, 2})
	c.Set(0, []byte("abcdefgh"))
	c.Reset([]int{6, 3, 1})
	if v, ok := c.Get(0); ok {
		t.Errorf("a slot that was emptied holds %q", v)
	}
	for i, want := range []string{"abcdef", "abc", "a"} {
		c.Set(i, []byte("abcdefgh"))
		if v, _ := c.Get(i); string(v) != want {
			t.Errorf("slot %d holds %q, want %q", i, v, want)
		}
	}
	c.Reset([]int{2})
	if c.Len() != 1 || c.Set(1, []byte("x")) {
		t.Errorf("%d slots, want 1", c.Len())
	}
	lens, text := []int{8, 8, 8}, []byte("abcdefgh")
	c.Reset(lens)
	use := func() {
		c.Reset(lens)
		for i := range lens {
			c.Set(i, text)
		}
	}
	use()
	if n := testing.AllocsPerRun(100, use); n != 0 {
		t.Errorf("%v allocations in warm slots", n)
	}
}
