package expr

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/message"
)

// TestMain sets the zone, so that dates in logs are the same everywhere.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Setenv("WEIR_TEST", "from the environment")
	os.Exit(m.Run())
}

// parseHead makes a Head of a well-formed request or response head. The codec is
// package h1's; this one knows no errors.
func parseHead(tb testing.TB, raw string) *message.Head {
	tb.Helper()
	h := &message.Head{}
	h.Reset([]byte(raw))
	first, _, _ := strings.Cut(raw, "\r\n")
	at := len(first) + 2
	words := strings.SplitN(first, " ", 3)
	if len(words) < 3 {
		tb.Fatalf("%q is no first line", first)
	}
	second := message.Span{Off: uint32(len(words[0]) + 1), Len: uint32(len(words[1]))}
	if strings.HasPrefix(first, "HTTP/") {
		for _, c := range words[1] {
			h.Status = h.Status*10 + int(c-'0')
		}
		h.Minor = words[0][len(words[0])-1] - '0'
	} else {
		h.MethodText = message.Span{Len: uint32(len(words[0]))}
		h.Method = message.MethodOf([]byte(words[0]))
		h.Minor = words[2][len(words[2])-1] - '0'
		h.Target = second
		if !h.SplitTarget() {
			tb.Fatalf("%q is no target", words[1])
		}
	}
	for {
		line, _, _ := strings.Cut(raw[at:], "\r\n")
		if line == "" {
			return h
		}
		addField(h, at, line)
		at += len(line) + 2
	}
}

func addField(h *message.Head, at int, line string) {
	name, value, _ := strings.Cut(line, ":")
	from := at + len(name) + 1 + len(value) - len(strings.TrimLeft(value, " \t"))
	value = strings.Trim(value, " \t")
	h.Fields = append(h.Fields, message.Field{
		Name:  message.Span{Off: uint32(at), Len: uint32(len(name))},
		Value: message.Span{Off: uint32(from), Len: uint32(len(value))},
		ID:    message.FieldIDOf([]byte(name)),
	})
}

// oneBackend is a Live with the frontend f and the backend b, which has the
// server s1: idle.
type oneBackend struct{}

func (oneBackend) LiveFrontend(_ *Env, name string) (FrontendLive, bool) {
	return FrontendLive{Conns: 1, ClientTimeMS: 2000}, name == "" || name == "f"
}

func (oneBackend) LiveBackend(_ *Env, name string) (BackendLive, bool) {
	return BackendLive{Usable: 1, FreeConns: -1, FreeSlots: -1, ServerMS: 2000}, name == "" || name == "b"
}

func (oneBackend) LiveServer(_ *Env, backend, server string) (ServerLive, bool) {
	return ServerLive{Up: true, FreeConns: -1, Weight: 1, UserWeight: 1, InitialWeight: 1},
		(backend == "b" || backend == "") && server == "s1"
}

func (oneBackend) Stopping() bool { return false }

// newEnv is what a rule of the frontend f sees of a request.
func newEnv(tb testing.TB, request string) *Env {
	tb.Helper()
	rec := &Record{}
	rec.Reset()
	env := &Env{
		Scratch: NewScratch(1), Process: &Process{Hostname: "vm", Node: "vm", PID: 1}, Live: oneBackend{},
		Now: 1700000000 * nanosPerSec, Final: true,
		Src: netip.MustParseAddrPort("127.0.0.1:40000"), Dst: netip.MustParseAddrPort("127.0.0.1:80"),
		BindID: 1, BindConns: 1, FirstRequest: true, FrontendName: "f", FrontendID: 1, FrontendHTTP: true, DefaultBE: "b",
		Sess: &Vars{}, Txn: &Vars{}, Rec: rec,
	}
	env.ConnSrc, env.ConnDst = env.Src, env.Dst
	if request != "" {
		env.Req = parseHead(tb, request)
	}
	return env
}

// capture keeps the first field with the name, as "capture request header" does
// with the last one: tests have one.
func capture(c *Captures, i int, h *message.Head, name string) {
	if f := h.FindName([]byte(name), 0); f >= 0 {
		c.Set(i, h.Value(f))
	}
}

// words cuts a line of the configuration into words, with quotes and
// backslashes.
func words(line string) []string {
	var list []string
	var w bytes.Buffer
	quote, any := byte(0), false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(line):
			i++
			w.WriteByte(line[i])
			any = true
		case quote == 0 && (c == '"' || c == '\''):
			quote, any = c, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && c == ' ':
			if any {
				list = append(list, w.String())
			}
			w.Reset()
			any = false
		default:
			w.WriteByte(c)
			any = true
		}
	}
	if any {
		list = append(list, w.String())
	}
	return list
}
