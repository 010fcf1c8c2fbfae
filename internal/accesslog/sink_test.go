package accesslog

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const readTimeout = 10 * time.Second

// listenUDP is a syslog server; lines gives the next n datagrams.
type listenUDP struct {
	t    *testing.T
	conn *net.UDPConn
}

func newUDP(t *testing.T, network, address string) *listenUDP {
	t.Helper()
	at, err := net.ResolveUDPAddr(network, address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &listenUDP{t, conn}
}

func (l *listenUDP) address() string { return l.conn.LocalAddr().String() }

func (l *listenUDP) lines(n int) []string {
	l.t.Helper()
	return datagramsOf(l.t, l.conn, n)
}

func datagramsOf(t *testing.T, conn net.PacketConn, n int) []string {
	t.Helper()
	var list []string
	buf := make([]byte, 1<<16)
	for range n {
		conn.SetReadDeadline(time.Now().Add(readTimeout))
		size, _, err := conn.ReadFrom(buf)
		if err != nil {
			t.Fatalf("after %q: %v", list, err)
		}
		list = append(list, string(buf[:size]))
	}
	return list
}

// fixed is the clock of tests: 22 November 2026, 16:37:35.208391 UTC.
func fixed() int64 { return 1795365455208391000 }

func newSink(t *testing.T, opt Options, specs ...TargetSpec) *Sink {
	t.Helper()
	opt.PID, opt.Loops = 23769, max(opt.Loops, 1)
	if opt.Now == nil {
		opt.Now = fixed
	}
	s, err := New(specs, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// The bytes are HAProxy 2.6's, process number and time replaced.
func TestFramingsAreHAProxys(t *testing.T) {
	for _, c := range []struct{ format, host, want string }{
		{"rfc3164", "", "<158>Nov 22 16:37:35 localhost haproxy[23769]: X ab 127.0.0.1\n"},
		{"rfc5424", "", "<158>1 2026-11-22T16:37:35.208391+00:00 - haproxy 23769 - [ex@1 a=\"127.0.0.1\"] X ab 127.0.0.1\n"},
		{"raw", "", "X ab 127.0.0.1\n"},
		{"short", "", "<6>X ab 127.0.0.1\n"},
		{"priority", "", "<158>X ab 127.0.0.1\n"},
		{"timed", "", "<6>2026-11-22T16:37:35.208391+00:00 X ab 127.0.0.1\n"},
		{"iso", "", "2026-11-22T16:37:35.208391+00:00 X ab 127.0.0.1\n"},
		{"local", "", "<158>Nov 22 16:37:35 haproxy[23769]: X ab 127.0.0.1\n"},
		{"", "", "<158>Nov 22 16:37:35 haproxy[23769]: X ab 127.0.0.1\n"},
		{"rfc3164", "myhost", "<158>Nov 22 16:37:35 myhost haproxy[23769]: X ab 127.0.0.1\n"},
		{"rfc5424", "myhost", "<158>1 2026-11-22T16:37:35.208391+00:00 myhost haproxy 23769 - [ex@1 a=\"127.0.0.1\"] X ab 127.0.0.1\n"},
		{"local", "myhost", "<158>Nov 22 16:37:35 haproxy[23769]: X ab 127.0.0.1\n"},
		{"", "myhost", "<158>Nov 22 16:37:35 myhost haproxy[23769]: X ab 127.0.0.1\n"},
	} {
		server := newUDP(t, "udp4", "127.0.0.1:0")
		s := newSink(t, Options{Host: c.host}, TargetSpec{Address: server.address(), Format: c.format, Facility: "local3"})
		s.LineData(0, LevelInfo, []byte("X ab 127.0.0.1"), []byte(`[ex@1 a="127.0.0.1"]`))
		if got := server.lines(1)[0]; got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.format, c.host, got, c.want)
		}
	}
}

func TestHeadersFollowTheTime(t *testing.T) {
	server := newUDP(t, "udp4", "127.0.0.1:0")
	now := fixed()
	spec := TargetSpec{Address: server.address(), Facility: "daemon"}
	iso := spec
	iso.Format = "rfc5424"
	s := newSink(t, Options{Tag: "lb", Now: func() int64 { return now }}, spec, iso)
	for range 3 {
		s.Line(0, LevelInfo, []byte("x"))
		s.Flush() // the writer has seen the clock before it moves on
		now += 600e6
	}
	got := server.lines(6)
	for i, want := range []string{"16:37:35 lb", "16:37:35.208391+", "16:37:35 lb", "16:37:35.808391+", "16:37:36 lb", "16:37:36.408391+"} {
		if !strings.Contains(got[i], want) {
			t.Errorf("line %d is %q, want %q in it", i, got[i], want)
		}
	}
}

// As with HAProxy, len counts header and text; of a raw line the break too.
func TestLinesAreCut(t *testing.T) {
	for format, want := range map[string]int{"local": 81, "rfc5424": 81, "raw": 80} {
		server := newUDP(t, "udp4", "127.0.0.1:0")
		s := newSink(t, Options{}, TargetSpec{Address: server.address(), Format: format, Facility: "local0", Len: 80})
		s.Line(0, LevelInfo, []byte(strings.Repeat("y", 200)))
		if got := server.lines(1)[0]; len(got) != want || !strings.HasSuffix(got, "y\n") {
			t.Errorf("%s: %d bytes, want %d: %q", format, len(got), want, got)
		}
	}
}

func TestLevelsFilterAndCap(t *testing.T) {
	server := newUDP(t, "udp4", "127.0.0.1:0")
	s := newSink(t, Options{}, TargetSpec{
		Address: server.address(), Format: "short", Facility: "daemon", Level: "notice", MinLevel: "err",
	})
	s.Line(0, LevelInfo, []byte("too low"))
	s.Message(LevelEmerg, "capped")
	s.Flush()
	s.Line(0, LevelNotice, []byte("as it is"))
	if got := strings.Join(server.lines(2), ""); got != "<3>capped\n<5>as it is\n" {
		t.Errorf("got %q", got)
	}
}

func TestSamplesBalanceLines(t *testing.T) {
	one, two := newUDP(t, "udp4", "127.0.0.1:0"), newUDP(t, "udp4", "127.0.0.1:0")
	spec := func(l *listenUDP, ranges string) TargetSpec {
		return TargetSpec{Address: l.address(), Format: "raw", Facility: "daemon", SampleRanges: ranges, SampleSize: 5}
	}
	s := newSink(t, Options{}, spec(one, "1-2,4"), spec(two, "3,5"))
	for i := range 10 {
		s.Line(0, LevelInfo, fmt.Append(nil, i))
	}
	if got := strings.ReplaceAll(strings.Join(one.lines(6), ""), "\n", ""); got != "013568" {
		t.Errorf("first target: %s", got)
	}
	if got := strings.ReplaceAll(strings.Join(two.lines(4), ""), "\n", ""); got != "2479" {
		t.Errorf("second target: %s", got)
	}
}

func TestWrongTargetsAreAllReported(t *testing.T) {
	good := TargetSpec{Address: "127.0.0.1:514", Facility: "daemon"}
	var specs []TargetSpec
	var wants []string
	add := func(want string, change func(s *TargetSpec)) {
		s := good
		s.Origin = fmt.Sprintf("x.cfg:%d", len(specs)+1)
		change(&s)
		specs, wants = append(specs, s), append(wants, want)
	}
	add("ring buffers are not supported yet", func(s *TargetSpec) { s.Address = "ring@r" })
	add("no facility \"local9\"", func(s *TargetSpec) { s.Facility = "local9" })
	add("no level \"loud\"", func(s *TargetSpec) { s.Level = "loud" })
	add("no level \"low\"", func(s *TargetSpec) { s.MinLevel = "low" })
	add("80 to 65535", func(s *TargetSpec) { s.Len = 10 })
	add("no format \"xx\"", func(s *TargetSpec) { s.Format = "xx" })
	add("less than the end", func(s *TargetSpec) { s.SampleRanges, s.SampleSize = "3", 2 })
	add("from 1 on", func(s *TargetSpec) { s.SampleRanges, s.SampleSize = "0", 2 })
	add("overlap", func(s *TargetSpec) { s.SampleRanges, s.SampleSize = "1-3,2", 5 })
	add("not a port", func(s *TargetSpec) { s.Address = "127.0.0.1:x" })
	add("not open", func(s *TargetSpec) { s.Address = "fd@987" })
	add("not the number", func(s *TargetSpec) { s.Address = "fd@x" })
	add("family \"quic4\" is unknown", func(s *TargetSpec) { s.Address = "quic4@1.2.3.4" })
	add("empty", func(s *TargetSpec) { s.Address = "" })
	add("too long", func(s *TargetSpec) { s.Address = "/" + strings.Repeat("x", 200) })
	_, err := New(specs, Options{Loops: 1})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(specs) {
		t.Fatalf("%d errors for %d wrong targets:\n%v", len(lines), len(specs), err)
	}
	for i, want := range wants {
		if !strings.Contains(lines[i], want) || !strings.HasPrefix(lines[i], specs[i].Origin+": log ") {
			t.Errorf("got %q, want %q in it", lines[i], want)
		}
	}
}

func TestIPv6Targets(t *testing.T) {
	server := newUDP(t, "udp6", "[::1]:0")
	_, port, _ := net.SplitHostPort(server.address())
	for _, address := range []string{"[::1]:" + port, "::1:" + port, "udp6@[::1]:" + port, "ipv6@::1:" + port} {
		s := newSink(t, Options{}, TargetSpec{Address: address, Format: "raw", Facility: "daemon"})
		s.Message(LevelInfo, address)
		if got := server.lines(1)[0]; got != address+"\n" {
			t.Errorf("%s: got %q", address, got)
		}
	}
}

func listenUnixgram(t *testing.T, path string) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestSyslogMayComeLateAndComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := newSink(t, Options{}, TargetSpec{Address: path, Format: "raw", Facility: "daemon"})
	s.Line(0, LevelInfo, []byte("nobody is there"))
	s.Flush()
	if s.Dropped() != 1 {
		t.Errorf("%d lines dropped, want 1", s.Dropped())
	}
	for range 2 {
		server := listenUnixgram(t, path)
		s.Line(0, LevelInfo, []byte("here"))
		if got := datagramsOf(t, server, 1)[0]; got != "here\n" {
			t.Errorf("got %q", got)
		}
		server.Close()
		os.Remove(path)
	}
}

// A syslog daemon that hangs must not hold the writer up for ever.
func TestASyslogThatHangsLosesLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	server := listenUnixgram(t, path)
	defer server.Close()
	other := newUDP(t, "udp4", "127.0.0.1:0")
	s := newSink(t, Options{},
		TargetSpec{Address: path, Format: "raw", Facility: "daemon"},
		TargetSpec{Address: other.address(), Format: "raw", Facility: "daemon"})
	const lines = 150 // more than a UNIX socket queues, fewer than a UDP socket does
	for range lines {
		s.Line(0, LevelInfo, []byte("x"))
	}
	s.Flush()
	if s.Dropped() == 0 {
		t.Error("no line was lost, though nobody read them")
	}
	other.lines(lines)
	datagramsOf(t, server, 5)
	before := s.Dropped()
	s.Line(0, LevelInfo, []byte("after"))
	s.Flush()
	if s.Dropped() != before {
		t.Error("when the daemon reads again its lines are still lost")
	}
}

func TestAbstractSockets(t *testing.T) {
	name := fmt.Sprintf("weir-accesslog-%d", os.Getpid())
	server := listenUnixgram(t, "@"+name)
	defer server.Close()
	s := newSink(t, Options{}, TargetSpec{Address: "abns@" + name, Format: "raw", Facility: "daemon"})
	s.Line(0, LevelInfo, []byte("x"))
	if got := datagramsOf(t, server, 1)[0]; got != "x\n" {
		t.Errorf("got %q", got)
	}
}

// streamServer accepts connections and gives what each one sends.
func streamServer(t *testing.T, network, address string) (at string, texts <-chan string) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ch := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			n, _ := conn.Read(buf)
			conn.Close()
			ch <- string(buf[:n])
		}
	}()
	return l.Addr().String(), ch
}

func TestStreamsConnectAgain(t *testing.T) {
	for _, c := range []struct{ network, listen, prefix string }{
		{"tcp", "127.0.0.1:0", "tcp@"}, {"unix", filepath.Join(t.TempDir(), "s"), "uxst@"}, {"unix", filepath.Join(t.TempDir(), "d"), ""},
	} {
		address, texts := streamServer(t, c.network, c.listen)
		s := newSink(t, Options{}, TargetSpec{Address: c.prefix + address, Format: "raw", Facility: "daemon"})
		s.Line(0, LevelInfo, []byte("first"))
		s.Flush()
		if got := <-texts; got != "first\n" {
			t.Errorf("%s: got %q", c.network, got)
		}
		// The server closes after what it has read: a line may still be lost with
		// the old connection, but not the ones after it.
		for got := ""; got == ""; {
			s.Line(0, LevelInfo, []byte("again"))
			s.Flush()
			select {
			case got = <-texts:
				if !strings.HasPrefix(got, "again\n") {
					t.Errorf("%s: got %q", c.network, got)
				}
			default:
			}
		}
	}
}

func TestDescriptorsGetWholeLines(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	s := newSink(t, Options{}, TargetSpec{Address: fmt.Sprintf("fd@%d", w.Fd()), Format: "raw", Facility: "daemon"})
	var want strings.Builder
	for i := range 100 {
		line := fmt.Sprintf("line %d %s", i, strings.Repeat("x", i*3))
		want.WriteString(line + "\n")
		s.Line(0, LevelInfo, []byte(line))
	}
	got := make([]byte, 0, want.Len())
	for len(got) < want.Len() {
		n, err := r.Read(got[len(got):cap(got)])
		if err != nil {
			t.Fatal(err)
		}
		got = got[:len(got)+n]
	}
	if string(got) != want.String() {
		t.Error("the lines came otherwise than they were written")
	}
	s.Close()
	if _, err := w.Write([]byte("x")); err != nil {
		t.Errorf("an inherited descriptor was closed: %v", err)
	}
}

// A pipe that nobody reads loses lines; the loop that writes them never waits,
// and when there is room again a line tells how many were lost.
func TestSlowTargetsLoseLinesAndTell(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := newSink(t, Options{}, TargetSpec{Address: fmt.Sprintf("fd@%d", w.Fd()), Format: "raw", Facility: "daemon"})
	line := []byte(strings.Repeat("x", 1000))
	sent, refused := 0, 0
	for refused == 0 {
		sent++
		if !s.Line(0, LevelInfo, line) {
			refused++
		}
	}
	got := make(chan string)
	go func() {
		var all strings.Builder
		buf := make([]byte, 1<<16)
		for !strings.Contains(all.String(), "log lines dropped") {
			n, err := r.Read(buf)
			if err != nil {
				break
			}
			all.Write(buf[:n])
		}
		r.Close()
		got <- all.String()
	}()
	text := <-got
	if !strings.Contains(text, "log lines dropped") {
		t.Error("nobody told that lines were dropped")
	}
	for l := range strings.Lines(text) {
		if !strings.Contains(l, "dropped") && l != string(line)+"\n" {
			t.Fatalf("a line came in pieces: %q", l)
		}
	}
	if s.Dropped() == 0 {
		t.Error("nothing was counted")
	}
}

func TestCloseSendsWhatWaits(t *testing.T) {
	server := newUDP(t, "udp4", "127.0.0.1:0")
	s := newSink(t, Options{Loops: 2}, TargetSpec{Address: server.address(), Format: "raw", Facility: "daemon"})
	for i := range 100 {
		s.Line(i%2, LevelInfo, []byte("x"))
	}
	s.Message(LevelWarning, "stopping")
	s.Close()
	if got := server.lines(101); got[100] != "stopping\n" && !strings.Contains(strings.Join(got, ""), "stopping\n") {
		t.Error("the message is lost")
	}
	s.Close()
	s.Flush()
	if s.Dropped() != 0 {
		t.Errorf("%d lines dropped", s.Dropped())
	}
}

// Loops, messages and flushes at once: with the race detector this is the test
// of the rings.
func TestManyWritersLoseNothing(t *testing.T) {
	const loops, lines = 4, 500
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := newSink(t, Options{Loops: loops}, TargetSpec{Address: fmt.Sprintf("fd@%d", file.Fd()), Format: "raw", Facility: "daemon"})
	var wg sync.WaitGroup
	for loop := range loops {
		wg.Go(func() {
			for i := range lines {
				for !s.Line(loop, LevelInfo, fmt.Appendf(nil, "%d %d", loop, i)) {
				}
				if i%100 == 0 {
					s.Flush()
				}
			}
		})
	}
	wg.Go(func() {
		for i := range lines {
			s.Message(LevelInfo, fmt.Sprintf("%d %d", loops, i))
		}
	})
	wg.Wait()
	s.Flush()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	next := make([]int, loops+1)
	for l := range strings.Lines(string(text)) {
		var loop, i int
		fmt.Sscanf(l, "%d %d", &loop, &i)
		if i != next[loop] {
			t.Fatalf("loop %d: line %d came instead of %d", loop, i, next[loop])
		}
		next[loop]++
	}
	for loop, n := range next {
		if n != lines {
			t.Errorf("loop %d: %d lines came, want %d", loop, n, lines)
		}
	}
}
