//go:build !race

package accesslog

import (
	"net"
	"testing"
)

// sinkhole is a Sink whose lines go to a socket that throws them away.
func sinkhole(tb testing.TB) *Sink {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s, err := New([]TargetSpec{{Address: conn.LocalAddr().String(), Facility: "local0"}}, Options{Loops: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close(); conn.Close() })
	return s
}

var exampleLine = []byte(`10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- ` +
	`1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`)

func TestLinesDoNotAllocate(t *testing.T) {
	s := sinkhole(t)
	s.Line(0, LevelInfo, exampleLine)
	s.Flush()
	// The writer works beside the loop: its allocations count too.
	if n := testing.AllocsPerRun(2000, func() { s.Line(0, LevelInfo, exampleLine) }); n != 0 {
		t.Errorf("%v allocations a line, want 0", n)
	}
}

func BenchmarkLine(b *testing.B) {
	s := sinkhole(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(exampleLine)))
	for b.Loop() {
		s.Line(0, LevelInfo, exampleLine)
	}
	b.StopTimer()
	s.Flush()
	b.ReportMetric(float64(s.Dropped())/float64(b.N), "dropped/op")
}

func BenchmarkSend(b *testing.B) {
	s := sinkhole(b)
	b.ReportAllocs()
	for b.Loop() {
		for range batchLines {
			s.Line(0, LevelInfo, exampleLine)
		}
		s.Flush()
	}
	b.ReportMetric(batchLines, "lines/op")
}
