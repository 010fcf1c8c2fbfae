package proxy

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weir-lb/weir/internal/evloop"
)

// usedFrom: so many connections were in use from then on.
type usedFrom struct {
	at   evloop.Time
	used int
}

// mostUsed is the most that was in use at any time since a moment.
func mostUsed(history []usedFrom, since evloop.Time) (most int) {
	for i, h := range history {
		if i+1 == len(history) || history[i+1].at > since {
			most = max(most, h.used)
		}
	}
	return most
}

func TestDemandRemembersPeaksForThreeToFourWindows(t *testing.T) {
	const window = time.Second
	for seed := uint64(1); seed <= 200; seed++ {
		rng := rand.New(rand.NewPCG(seed, 1))
		var d demand
		now, used := evloop.Time(rng.Int64N(1e9)), 0
		history := []usedFrom{{now, 0}}
		for range 300 {
			now = now.Add(time.Duration(rng.Int64N(int64(window) / 2)))
			if rng.IntN(20) == 0 {
				now = now.Add(time.Duration(rng.Int64N(int64(6 * window))))
			}
			d.advance(now, window, used)
			if got, least := d.needed(), mostUsed(history, now.Add(-demandWindows*window)); got < least {
				t.Fatalf("seed %d: needed %d, but %d were in use in the last %d windows", seed, got, least, demandWindows)
			}
			if got, most := d.needed(), mostUsed(history, now.Add(-(demandWindows+1)*window)); got > most {
				t.Fatalf("seed %d: needed %d, but no more than %d were in use in the last %d windows", seed, got, most, demandWindows+1)
			}
			used = max(used+rng.IntN(7)-3, 0)
			d.saw(used)
			history = append(history, usedFrom{now, used})
		}
	}
}

func TestDemandAfterALongSilenceIsWhatIsInUse(t *testing.T) {
	var d demand
	d.advance(1, time.Second, 0)
	d.saw(50)
	d.advance(evloop.Time(time.Hour), time.Second, 2)
	if got := d.needed(); got != 2 {
		t.Errorf("needed %d, want the 2 that are in use", got)
	}
}
