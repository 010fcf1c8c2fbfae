package rounds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/weir-lb/weir/bench/process"
)

const (
	readyMax   = 30 * time.Second
	warmMax    = 60 * time.Second
	retryAfter = 5 * time.Millisecond
)

// pause returns early, with an error, when the run is cut short.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var errLate = errors.New("it took too long")

// await asks until done says yes.
func await(ctx context.Context, bound time.Duration, done func() bool) error {
	late := time.Now().Add(bound)
	for !done() {
		if time.Now().After(late) {
			return errLate
		}
		if err := pause(ctx, retryAfter); err != nil {
			return err
		}
	}
	return nil
}

// awaitPort waits until p accepts connections. If it ends instead, its output
// says why.
func awaitPort(ctx context.Context, p *process.Process, addr netip.AddrPort, output string) error {
	err := await(ctx, readyMax, func() bool {
		select {
		case <-p.Done():
			return true
		default:
		}
		c, err := net.DialTimeout("tcp", addr.String(), time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("can't reach %v: %w", addr, err)
	}
	select {
	case <-p.Done():
		said, _ := os.ReadFile(output) // best effort: the error says the rest
		return fmt.Errorf("ended at once: %v: %s", p.Err(), said)
	default:
		return nil
	}
}
