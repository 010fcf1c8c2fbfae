//go:build !race

package listener

import (
	"syscall"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
)

type mute struct{ evloop.Kernel }

func (mute) SetInt(int, int, int, int) syscall.Errno { return 0 }
func (mute) Bind(int, evloop.Addr) syscall.Errno     { return 0 }

func TestTuningDoesNotAllocate(t *testing.T) {
	src, err := ParseSource(SourceSpec{Address: "127.0.0.1:7000-7009"})
	if err != nil {
		t.Fatal(err)
	}
	var k evloop.Kernel = mute{}
	client := ClientTuning{KeepAlive: KeepAlive{On: true}, RcvBuf: 1}
	server := ServerTuning{KeepAlive: KeepAlive{On: true}, MSS: 1, Source: src}
	got := testing.AllocsPerRun(100, func() {
		TuneClient(k, 3, client)
		TuneServer(k, 3, server)
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
