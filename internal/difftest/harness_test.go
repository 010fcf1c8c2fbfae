package difftest

import (
	"strings"
	"testing"
)

func TestTextReadsBack(t *testing.T) {
	for _, in := range []string{
		"", "a", "\r\n", "-- x --\n", "{\\\"\t\x00\xff", strings.Repeat("a", 100) + "\nb", strings.Repeat("\n", 40),
	} {
		text := AppendText(nil, []byte(in))
		out, err := ParseText(string(text))
		if err != nil || string(out) != in {
			t.Errorf("%q is printed as %q and read back as %q, %v", in, text, out, err)
		}
	}
}

func TestTextErrorsAreTold(t *testing.T) {
	for _, in := range []string{`\`, `\q`, `\x1`, "{a*}", "{a", "{*3}", "{a*b}"} {
		if out, err := ParseText(in); err == nil {
			t.Errorf("ParseText(%q) = %q, want an error", in, out)
		}
	}
}

func TestCaseFilePrintsAsItReads(t *testing.T) {
	cases, err := LoadCases("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		again, err := ParseCase(c.Name, c.Text())
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if again.Text() != c.Text() {
			t.Errorf("%s does not print as it reads", c.Name)
		}
		if strings.TrimSpace(c.About) == "" {
			t.Errorf("%s does not say what it shows", c.Name)
		}
		if c.Want.Empty() {
			t.Errorf("%s has no recorded result: UPDATE=1 records it", c.Name)
		}
	}
}

func TestBadScriptsAreRefused(t *testing.T) {
	for _, line := range []string{"c1", "c1 jump", `c1 send`, `c1 send "x`, `c1 want x`, `c1 send "\q"`} {
		if steps, err := parseScript(line); err == nil {
			t.Errorf("parseScript(%q) = %v, want an error", line, steps)
		}
	}
}

func TestLogLineLosesWhatVaries(t *testing.T) {
	w := &World{portNames: map[int]string{40001: "c1", 40002: "fe"}}
	c := &Case{Normalise: map[string]bool{}}
	for _, tc := range []struct{ name, in, want string }{
		{
			"http", `<134>Nov  2 01:02:03 lb[77]: 127.0.0.1:40001 [02/Nov/2026:01:02:03.456] fe be/s1 0/0/1/-1/+7 200 51 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"` + "\n",
			`<134>lb: 127.0.0.1:<c1> [DATE] fe be/s1 n/n/n/-1/+n 200 51 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`,
		},
		{
			"no server", `<134>Nov 12 01:02:03 lb[77]: 127.0.0.1:40001 [02/Nov/2026:01:02:03.456] fe fe/<NOSRV> -1/-1/-1/-1/3 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`,
			`<134>lb: 127.0.0.1:<c1> [DATE] fe fe/<NOSRV> -1/-1/-1/-1/n 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`,
		},
		{
			"tcp with a host name", `<134>Nov 12 01:02:03 box lb[77]: 127.0.0.1:40001 [02/Nov/2026:01:02:03.456] fe be/s1 1/0/12 19 -- 1/1/0/0/0 0/0`,
			`<134>box lb: 127.0.0.1:<c1> [DATE] fe be/s1 n/n/n 19 -- 1/1/0/0/0 0/0`,
		},
		{
			"clf", `<134>Nov 12 01:02:03 lb[77]: 127.0.0.1 - - [02/Nov/2026:01:02:03 +0000] "GET / HTTP/1.1" 200 51 "" "" 40001 456 "fe" "be" "s1" 0 0 0 2 2 ---- 1 1 0 0 0 0 0 "" "" `,
			`<134>lb: 127.0.0.1 - - [DATE] "GET / HTTP/1.1" 200 51 "" "" PORT MS "fe" "be" "s1" n n n n n ---- 1 1 0 0 0 0 0 "" "" `,
		},
	} {
		if got := w.logLine(c, tc.in); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestChunksAreJoined(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
	for _, tc := range []struct{ name, in, want string }{
		{"whole", head + "2\r\nhe\r\n3\r\nllo\r\n0\r\nx: 1\r\n\r\n", head + "hello0\r\nx: 1\r\n\r\n"},
		{"cut", head + "2\r\nhe\r\n3\r\nl", head + "he3\r\nl"},
		{"not chunked", "HTTP/1.1 200 OK\r\n\r\n2\r\nhe\r\n", "HTTP/1.1 200 OK\r\n\r\n2\r\nhe\r\n"},
	} {
		if got := string(joinChunks([]byte(tc.in))); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestPortsOfBinaryProxyHeaderAreBlanked(t *testing.T) {
	head := string(proxyV2) + "\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x9c\x41\x00\x50rest"
	got := string(blankProxyV2([]byte(head), map[int]string{0x9c41: "c1"}))
	want := strings.Replace(head, "\x9c\x41", "\x00\x00", 1)
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRequestLength(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     int
	}{
		{"no body", "GET / HTTP/1.1\r\n\r\nGET", 18},
		{"unfinished head", "GET / HTTP/1.1\r\n", 0},
		{"length", "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcd", 41},
		{"length, unfinished", "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", 0},
		{"chunked", "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nx", 58},
	} {
		if got := requestLength([]byte(tc.in)); got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}
