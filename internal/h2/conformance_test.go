package h2

import (
	"fmt"
	"strings"
	"testing"
)

// The suite: one row for each MUST of RFC 9113 and RFC 7541 that concerns what a
// server takes from a client. A row sends bytes on a connection whose prefaces are
// exchanged, stream 1 being a POST under way and stream 3 a GET that has been
// answered, and says what has to come of it:
//
//	"lost CODE"     the connection ends with GOAWAY
//	"reset N CODE"  stream N is reset
//	"request N", "data N", "end N", "trailers N", "window N", "gone N"
//	                the events; "window 0" concerns all streams
//	"answer TYPE"   a frame of that type is sent
//	"nothing"       it is ignored
type conformanceCase struct {
	section, name, send, want string
}

func TestConformance(t *testing.T) {
	for _, rows := range [][]conformanceCase{
		frameCases(), stateCases(), headerFrameCases(), settingsCases(), windowCases(), fieldCases(), compressionCases(),
	} {
		for _, tc := range rows {
			t.Run(tc.section+" "+tc.name, func(t *testing.T) {
				r := openRig(t)
				post := r.request(1, false, postFields...)
				get := r.request(3, true)
				_ = post
				r.c.Out = r.c.AppendData(r.c.Out[:0], get, nil, true)
				r.c.Out = r.c.Out[:0]
				if got := r.play(tc.send); got != tc.want {
					t.Errorf("%s: got %q, want %q (%v)", tc.name, got, tc.want, r.c.Reason())
				}
			})
		}
	}
}

// play sends bytes and tells all that comes of them.
func (r *rig) play(s string) string {
	var told []string
	for {
		r.send(s)
		s = ""
		if r.ev.Kind == EventNone || r.ev.Kind == EventLost {
			break
		}
		if text := r.describe(); text != "" {
			told = append(told, text)
		}
	}
	for _, f := range r.frames() {
		switch f.kind {
		case FrameGoAway:
			told = append(told, "lost "+f.code().String())
		case FrameReset:
			told = append(told, fmt.Sprintf("reset %d %v", f.stream, f.code()))
		case FrameWindow:
		default:
			told = append(told, fmt.Sprintf("answer %d", f.kind))
		}
	}
	if len(told) == 0 {
		return "nothing"
	}
	return strings.Join(told, ", ")
}

func (r *rig) describe() string {
	switch r.ev.Kind {
	case EventRequest:
		r.c.Accept(new(Stream), &r.ev)
		return fmt.Sprintf("request %d", r.ev.ID)
	case EventData:
		if r.ev.End {
			return fmt.Sprintf("end %d", r.ev.Stream.ID())
		}
		return fmt.Sprintf("data %d", r.ev.Stream.ID())
	case EventTrailers:
		return fmt.Sprintf("trailers %d", r.ev.Stream.ID())
	case EventWindow:
		if r.ev.Stream == nil {
			return "window 0"
		}
		return fmt.Sprintf("window %d", r.ev.Stream.ID())
	case EventReset:
		if r.ev.Ours {
			return "" // RST_STREAM tells
		}
		return fmt.Sprintf("gone %d", r.ev.Stream.ID())
	case EventGoAway:
		return "goaway"
	}
	return ""
}

const (
	lostProtocol = "lost PROTOCOL_ERROR"
	lostSize     = "lost FRAME_SIZE_ERROR"
	lostFlow     = "lost FLOW_CONTROL_ERROR"
	lostCompress = "lost COMPRESSION_ERROR"
	lostClosed   = "lost STREAM_CLOSED"
	reset5       = "reset 5 PROTOCOL_ERROR" // a malformed request
)

func frameCases() []conformanceCase {
	get5 := headersFrame(5, true, block(getFields...))
	return []conformanceCase{
		{"4.1", "unknown types are ignored", wire(0x77, 0xff, 1, "anything") + pingFrame(), "answer 6"},
		{"4.1", "unknown flags are ignored", wire(FramePing, 0xfe, 0, "12345678"), "answer 6"},
		{"4.1", "the reserved bit is ignored", strings.Replace(get5, "\x00\x00\x00\x05", "\x80\x00\x00\x05", 1), "request 5"},
		{"4.2", "a frame of the largest size is taken", wire(0x77, 0, 0, strings.Repeat("x", 16384)), "nothing"},
		{"4.2", "a larger frame is not", wire(0x77, 0, 0, strings.Repeat("x", 16385)), lostSize},
		{"4.2", "nor is it in DATA", dataFrame(1, false, strings.Repeat("x", 16385)), lostSize},
		{"4.3", "a block that can't be decoded ends the connection", headersFrame(5, true, "\xff\xff\xff\xff\xff\xff"), lostCompress},
		{"4.3", "nothing may come inside a block", wire(FrameHeaders, 0, 5, block(getFields...)) + pingFrame(), lostProtocol},
		{"4.3", "nor another stream's block", wire(FrameHeaders, 0, 5, "") + headersFrame(7, true, ""), lostProtocol},
		{"6.1", "DATA on stream 0", dataFrame(0, false, "x"), lostProtocol},
		{"6.1", "padding is taken off", wire(FrameData, flagPadded, 1, "\x03abcxxx"), "data 1"},
		{"6.1", "padding as long as the payload", wire(FrameData, flagPadded, 1, "\x04abc"), lostProtocol},
		{"6.1", "padded without a length", wire(FrameData, flagPadded, 1, ""), lostSize},
		{"6.3", "PRIORITY is ignored", wire(FramePriority, 0, 5, "\x00\x00\x00\x01\x10"), "nothing"},
		{"6.3", "PRIORITY on stream 0", wire(FramePriority, 0, 0, "\x00\x00\x00\x01\x10"), lostProtocol},
		{"6.3", "PRIORITY of another size", wire(FramePriority, 0, 1, "\x00\x00\x00\x01"), "reset 1 FRAME_SIZE_ERROR"},
		{"6.4", "RST_STREAM on stream 0", resetFrame(0, Cancel), lostProtocol},
		{"6.4", "RST_STREAM on an idle stream", resetFrame(5, Cancel), lostProtocol},
		{"6.4", "RST_STREAM of another size", wire(FrameReset, 0, 1, "\x00\x00\x00"), lostSize},
		{"6.4", "RST_STREAM ends a stream", resetFrame(1, Cancel), "gone 1"},
		{"5.4.2", "RST_STREAM is not answered with another", resetFrame(3, Cancel), "nothing"},
		{"6.6", "PUSH_PROMISE from a client", wire(FramePushPromise, flagEndHeaders, 1, "\x00\x00\x00\x02"), lostProtocol},
		{"6.7", "PING is answered", pingFrame(), "answer 6"},
		{"6.7", "the answer to PING is not", wire(FramePing, flagAck, 0, "12345678"), "nothing"},
		{"6.7", "PING on a stream", wire(FramePing, 0, 1, "12345678"), lostProtocol},
		{"6.7", "PING of another size", wire(FramePing, 0, 0, "1234567"), lostSize},
		{"6.8", "GOAWAY is taken", wire(FrameGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00debug"), "goaway"},
		{"6.8", "GOAWAY on a stream", wire(FrameGoAway, 0, 1, "\x00\x00\x00\x00\x00\x00\x00\x00"), lostProtocol},
		{"6.8", "GOAWAY too short", wire(FrameGoAway, 0, 0, "\x00\x00\x00\x00"), lostSize},
	}
}

func stateCases() []conformanceCase {
	get := block(getFields...)
	return []conformanceCase{
		{"5.1", "idle: DATA", dataFrame(5, true, "x"), lostProtocol},
		{"5.1", "idle: WINDOW_UPDATE", windowFrame(5, 1000), lostProtocol},
		{"5.1", "idle: a request opens the stream", headersFrame(5, false, get), "request 5"},
		{"5.1", "half-closed: DATA", headersFrame(5, true, get) + dataFrame(5, false, "x"), "request 5, reset 5 STREAM_CLOSED"},
		{"5.1", "half-closed: HEADERS", headersFrame(5, true, get) + headersFrame(5, true, ""), "request 5, reset 5 STREAM_CLOSED"},
		{"5.1", "half-closed: WINDOW_UPDATE", headersFrame(5, true, get) + windowFrame(5, 1000), "request 5, window 5"},
		{"5.1", "half-closed: RST_STREAM", headersFrame(5, true, get) + resetFrame(5, Cancel), "request 5, gone 5"},
		{"5.1", "half-closed: PRIORITY", headersFrame(5, true, get) + wire(FramePriority, 0, 5, "\x00\x00\x00\x01\x10"), "request 5"},
		{"5.1", "closed: DATA", dataFrame(3, false, "x"), "reset 3 STREAM_CLOSED"},
		{"5.1", "closed: HEADERS", headersFrame(3, true, get), lostClosed},
		{"5.1", "closed: WINDOW_UPDATE that crossed the end", windowFrame(3, 1000), "nothing"},
		{"5.1", "closed: PRIORITY", wire(FramePriority, 0, 3, "\x00\x00\x00\x01\x10"), "nothing"},
		{"5.1", "closed by the client's RST_STREAM: DATA is forgiven", resetFrame(1, Cancel) + dataFrame(1, false, "x"), "gone 1"},
		{"5.1.1", "an even number", headersFrame(6, true, get), lostProtocol},
		{"5.1.1", "a number below the last", headersFrame(9, true, get) + headersFrame(7, true, get), "request 9, " + lostProtocol},
		{"5.1.1", "stream 0", headersFrame(0, true, get), lostProtocol},
		{"5.1.2", "more streams than allowed", headersFrame(5, true, get) + headersFrame(7, true, get) +
			headersFrame(9, true, get) + headersFrame(11, true, get), "request 5, request 7, request 9, reset 11 REFUSED_STREAM"},
		{"8.1", "trailers end the stream", headersFrame(1, true, block("x-sum", "1")), "trailers 1"},
		{"8.1", "a second block that does not", headersFrame(1, false, block("x-sum", "1")), "reset 1 PROTOCOL_ERROR"},
		{"8.1", "DATA after trailers", headersFrame(1, true, block("x-sum", "1")) + dataFrame(1, true, "x"), "trailers 1, reset 1 STREAM_CLOSED"},
	}
}

func headerFrameCases() []conformanceCase {
	get := block(getFields...)
	return []conformanceCase{
		{"6.2", "padding and priority are taken off",
			wire(FrameHeaders, flagEndHeaders|flagEndStream|flagPadded|flagPriority, 5, "\x02\x00\x00\x00\x00\x10"+get+"pp"), "request 5"},
		{"6.2", "padding as long as the payload", wire(FrameHeaders, flagEndHeaders|flagPadded, 5, "\xff"+get), lostProtocol},
		{"6.2", "padded without a length", wire(FrameHeaders, flagEndHeaders|flagPadded, 5, ""), lostSize},
		{"6.2", "priority cut short", wire(FrameHeaders, flagEndHeaders|flagPriority, 5, "\x00\x00"), lostSize},
		{"6.10", "a block in three frames", wire(FrameHeaders, flagEndStream, 5, get[:5]) +
			wire(FrameContinuation, 0, 5, get[5:9]) + wire(FrameContinuation, flagEndHeaders, 5, get[9:]), "request 5"},
		{"6.10", "CONTINUATION of nothing", wire(FrameContinuation, flagEndHeaders, 5, get), lostProtocol},
		{"6.10", "CONTINUATION after the end", headersFrame(5, true, get) + wire(FrameContinuation, flagEndHeaders, 5, get), "request 5, " + lostProtocol},
		{"6.10", "CONTINUATION on stream 0", wire(FrameHeaders, 0, 5, get) + wire(FrameContinuation, flagEndHeaders, 0, ""), lostProtocol},
		{"10.5.1", "CONTINUATION without end", wire(FrameHeaders, 0, 5, get) +
			strings.Repeat(wire(FrameContinuation, 0, 5, strings.Repeat("\x00", 16384)), 4), "lost ENHANCE_YOUR_CALM"},
	}
}

func settingsCases() []conformanceCase {
	return []conformanceCase{
		{"6.5", "SETTINGS are acknowledged", settingsFrame(settingStreams, 100), "answer 4"},
		{"6.5", "an acknowledgment with a payload", wire(FrameSettings, flagAck, 0, "123456"), lostSize},
		{"6.5", "SETTINGS on a stream", wire(FrameSettings, 0, 1, ""), lostProtocol},
		{"6.5", "SETTINGS of no whole parameters", wire(FrameSettings, 0, 0, "12345"), lostSize},
		{"6.5.2", "unknown parameters are ignored", settingsFrame(0x99, 7), "answer 4"},
		{"6.5.2", "ENABLE_PUSH of 2", settingsFrame(settingPush, 2), lostProtocol},
		{"6.5.2", "INITIAL_WINDOW_SIZE too large", settingsFrame(settingWindow, 1<<31), lostFlow},
		{"6.5.2", "MAX_FRAME_SIZE too small", settingsFrame(settingFrameSize, 16383), lostProtocol},
		{"6.5.2", "MAX_FRAME_SIZE too large", settingsFrame(settingFrameSize, 1<<24), lostProtocol},
		{"6.5.3", "the last value of a parameter counts", settingsFrame(settingWindow, 10, settingWindow, 70000), "window 0, answer 4"},
	}
}

func windowCases() []conformanceCase {
	return []conformanceCase{
		{"6.9", "WINDOW_UPDATE for a stream", windowFrame(1, 1000), "window 1"},
		{"6.9", "WINDOW_UPDATE for the connection", windowFrame(0, 1000), "window 0"},
		{"6.9", "an increment of 0 for a stream", windowFrame(1, 0), "reset 1 PROTOCOL_ERROR"},
		{"6.9", "an increment of 0 for the connection", windowFrame(0, 0), lostProtocol},
		{"6.9", "WINDOW_UPDATE of another size", wire(FrameWindow, 0, 1, "\x00\x00\x01"), lostSize},
		{"6.9.1", "a stream's window above 2^31-1", windowFrame(1, 1<<31-1), "reset 1 FLOW_CONTROL_ERROR"},
		{"6.9.1", "the connection's window above 2^31-1", windowFrame(0, 1<<31-1), lostFlow},
		{"6.9.1", "more DATA than the stream's window", strings.Repeat(dataFrame(1, false, strings.Repeat("x", 16384)), 4),
			"data 1, data 1, data 1, reset 1 FLOW_CONTROL_ERROR"},
		{"6.9.2", "SETTINGS that make a window too large", windowFrame(1, 1<<30) + settingsFrame(settingWindow, 1<<31-1),
			"window 1, " + lostFlow},
		{"6.1", "padding counts", strings.Repeat(wire(FrameData, flagPadded, 1, "\xff"+strings.Repeat("x", 300)), 3), "data 1, data 1, data 1"},
	}
}

// fieldCases are requests on stream 5: "request 5" or malformed.
func fieldCases() []conformanceCase {
	get := func(more ...string) []string { return append(append([]string(nil), getFields...), more...) }
	var cases []conformanceCase
	add := func(section, name, want string, fields []string) {
		cases = append(cases, conformanceCase{section, name, headersFrame(5, true, block(fields...)), want})
	}
	add("8.2", "a capital in a name", reset5, get("X-Up", "1"))
	add("8.2.1", "an empty name", reset5, get("", "1"))
	for _, c := range []string{" ", ":", "\x7f", "\x80", "\x00", "(", "\t"} {
		add("8.2.1", fmt.Sprintf("%q in a name", c), reset5, get("x"+c+"y", "1"))
	}
	for _, c := range []string{"\x00", "\r", "\n", "\x01", "\x7f"} {
		add("8.2.1", fmt.Sprintf("%q in a value", c), reset5, get("x", "a"+c+"b"))
	}
	for _, v := range []string{" a", "a ", "\ta", "a\t", " "} {
		add("8.2.1", fmt.Sprintf("blanks around a value %q", v), reset5, get("x", v))
	}
	add("8.2.1", "blanks inside a value, and an empty one", "request 5", get("x", "a b\tc", "y", ""))
	for _, name := range []string{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"} {
		add("8.2.2", name, reset5, get(name, "close"))
	}
	add("8.2.2", "te: trailers", "request 5", get("te", "trailers"))
	add("8.2.2", "te: gzip", reset5, get("te", "gzip"))
	add("8.3", "a pseudo-header behind a field", reset5, []string{":method", "GET", ":scheme", "http", "x", "y", ":path", "/", ":authority", "a"})
	add("8.3", "an unknown pseudo-header", reset5, get(":color", "red"))
	add("8.3", "a pseudo-header of responses", reset5, get(":status", "200"))
	for i := 0; i < len(getFields); i += 2 {
		add("8.3.1", getFields[i]+" twice", reset5, append(append([]string(nil), getFields[:i+2]...), getFields[i:]...))
		if getFields[i] != ":authority" {
			without := append(append([]string(nil), getFields[:i]...), getFields[i+2:]...)
			add("8.3.1", "no "+getFields[i], reset5, without)
		}
	}
	add("8.3.1", "no authority and no host", reset5, []string{":method", "GET", ":scheme", "http", ":path", "/"})
	add("8.3.1", "host instead of the authority", "request 5", []string{":method", "GET", ":scheme", "http", ":path", "/", "host", "a"})
	add("8.3.1", "host that says the same", "request 5", get("host", "A.example:80"))
	add("8.3.1", "host that contradicts", reset5, get("host", "b.example"))
	add("8.3.1", "two hosts that differ", reset5, []string{":method", "GET", ":scheme", "http", ":path", "/", "host", "a", "host", "b"})
	return append(cases, targetCases()...)
}

func targetCases() []conformanceCase {
	var cases []conformanceCase
	add := func(section, name, want string, fields ...string) {
		cases = append(cases, conformanceCase{section, name, headersFrame(5, true, block(fields...)), want})
	}
	target := func(method, scheme, authority, path string) []string {
		return []string{":method", method, ":scheme", scheme, ":authority", authority, ":path", path}
	}
	add("8.3.1", "an empty path", reset5, target("GET", "http", "a", "")...)
	add("8.3.1", "a path without a slash", reset5, target("GET", "http", "a", "x")...)
	add("8.3.1", "a blank in a path", reset5, target("GET", "http", "a", "/ x")...)
	add("8.3.1", "a line break in a path", reset5, target("GET", "http", "a", "/\r\nx: y")...)
	add("8.3.1", "a fragment", reset5, target("GET", "http", "a", "/#x")...)
	add("8.3.1", "an absolute path", reset5, target("GET", "http", "a", "http://a/")...)
	add("8.3.1", "asterisk with OPTIONS", "request 5", target("OPTIONS", "http", "a", "*")...)
	add("8.3.1", "asterisk with GET", reset5, target("GET", "http", "a", "*")...)
	add("8.3.1", "user information", reset5, target("GET", "http", "me@a", "/")...)
	add("8.3.1", "an empty authority", reset5, target("GET", "http", "", "/")...)
	add("8.3.1", "a scheme that is none", reset5, target("GET", "ht/tp", "a", "/")...)
	add("8.3.1", "a method that is none", reset5, target("GE T", "http", "a", "/")...)
	add("8.5", "CONNECT", "request 5", ":method", "CONNECT", ":authority", "a:443")
	add("8.5", "CONNECT with a path", reset5, target("CONNECT", "http", "a:443", "/")...)
	add("8.5", "CONNECT without authority", reset5, ":method", "CONNECT")
	add("8.5", "CONNECT without a port", reset5, ":method", "CONNECT", ":authority", "a")
	add("RFC 8441 4", "extended CONNECT that was not offered", reset5,
		":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a", ":path", "/")
	length := func(section, name, value, send, want string) {
		fields := append(append([]string(nil), postFields...), "content-length", value)
		cases = append(cases, conformanceCase{section, name, headersFrame(5, send == "", block(fields...)) + send, want})
	}
	length("8.1.1", "a length without a body", "5", "", reset5)
	length("8.1.1", "a length that holds", "5", dataFrame(5, true, "12345"), "request 5, end 5")
	length("8.1.1", "less than the length", "5", dataFrame(5, true, "1234"), "request 5, "+reset5)
	length("8.1.1", "more than the length", "5", dataFrame(5, false, "123456"), "request 5, "+reset5)
	length("8.1.1", "less, with trailers", "5", dataFrame(5, false, "1")+headersFrame(5, true, block("x", "y")), "request 5, data 5, "+reset5)
	length("8.1.1", "not a number", "+5", "", reset5)
	length("8.1.1", "a list", "5, 5", dataFrame(5, true, "12345"), reset5)
	trailer := func(name, field, want string) {
		cases = append(cases, conformanceCase{"8.1", name, headersFrame(1, true, block(field, "x")), want})
	}
	trailer("a pseudo-header in trailers", ":path", "reset 1 PROTOCOL_ERROR")
	trailer("a capital in trailers", "X-Sum", "reset 1 PROTOCOL_ERROR")
	trailer("a connection's field in trailers", "connection", "reset 1 PROTOCOL_ERROR")
	return cases
}

// compressionCases are about RFC 7541.
func compressionCases() []conformanceCase {
	get := block(getFields...)
	return []conformanceCase{
		{"RFC 7541 2.3.3", "index 0", headersFrame(5, true, get+"\x80"), lostCompress},
		{"RFC 7541 2.3.3", "an index behind the table", headersFrame(5, true, get+"\xbe"), lostCompress},
		{"RFC 7541 2.3.3", "a name behind the table", headersFrame(5, true, get+"\x7f\x00\x01a"), lostCompress},
		{"RFC 7541 4.2", "a size update at the front", headersFrame(5, true, "\x3f\xe1\x1f"+get), "request 5"},
		{"RFC 7541 4.2", "two of them", headersFrame(5, true, "\x20\x3f\xe1\x1f"+get), "request 5"},
		{"RFC 7541 4.2", "a size update behind a field", headersFrame(5, true, get+"\x20"), lostCompress},
		{"RFC 7541 6.3", "a size above what was allowed", headersFrame(5, true, "\x3f\xe2\x1f"+get), lostCompress},
		{"RFC 7541 5.1", "a number without end", headersFrame(5, true, get+"\xff\x80\x80\x80\x80\x80\x80\x80\x01"), lostCompress},
		{"RFC 7541 5.1", "a number cut short", headersFrame(5, true, get+"\xff"), lostCompress},
		{"RFC 7541 5.2", "a string longer than the block", headersFrame(5, true, get+"\x00\x01x\x7eabc"), lostCompress},
		{"RFC 7541 5.2", "padding of a byte or more", headersFrame(5, true, get+"\x00\x01x\x82\x1f\xff"), lostCompress},
		{"RFC 7541 5.2", "padding that is not ones", headersFrame(5, true, get+"\x00\x01x\x81\x18"), lostCompress},
		{"RFC 7541 5.2", "EOS in a string", headersFrame(5, true, get+"\x00\x01x\x84\xff\xff\xff\xff"), lostCompress},
	}
}

// What comes first on a connection (RFC 9113 section 3.4).
func TestPrefaceMustComeFirst(t *testing.T) {
	for name, tc := range map[string]struct{ send, want string }{
		"a request of HTTP/1":     {"GET / HTTP/1.1\r\n", lostProtocol},
		"no SETTINGS":             {Preface + pingFrame(), lostProtocol},
		"only an acknowledgment":  {Preface + settingsAck(), lostProtocol},
		"all as it has to be":     {Preface + settingsFrame(), "answer 4"},
		"SETTINGS with something": {Preface + settingsFrame(settingPush, 0, settingWindow, 1000), "answer 4"},
	} {
		r := newRig(t)
		if first := r.frames(); len(first) == 0 || first[0].kind != FrameSettings {
			t.Fatalf("our first frame is %v, want SETTINGS", first)
		}
		if got := r.play(tc.send); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
