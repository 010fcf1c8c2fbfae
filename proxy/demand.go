package proxy

import (
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// demandWindows is for how many whole windows, each one pool-purge-delay long,
// a peak is remembered. With three, connections that are all needed again at
// least every three delays are never opened anew, and the last connection to a
// server that nobody asks leaves within four delays (docs/decisions/0012).
const demandWindows = 3

// A demand remembers how many connections to one server one loop has used at
// once of late: the peak of the window under way and of those before it. The
// zero demand has seen nothing.
type demand struct {
	ends evloop.Time // of the window under way
	peak int
	past [demandWindows]int // latest first
}

// advance closes the windows that have ended by now; used connections have been
// in use since the last change.
func (d *demand) advance(now evloop.Time, window time.Duration, used int) {
	if now < d.ends {
		return
	}
	if now.Sub(d.ends) >= demandWindows*window {
		// Nothing changed for so long that only what is still in use counts.
		*d = demand{ends: now.Add(window), peak: used, past: [demandWindows]int{used, used, used}}
		return
	}
	for ; now >= d.ends; d.ends = d.ends.Add(window) {
		copy(d.past[1:], d.past[:])
		d.past[0] = d.peak
		d.peak = used
	}
}

// saw notes that used connections are in use at once.
func (d *demand) saw(used int) { d.peak = max(d.peak, used) }

// needed is how many connections may be wanted at once again.
func (d *demand) needed() int {
	n := d.peak
	for _, peak := range d.past {
		n = max(n, peak)
	}
	return n
}
