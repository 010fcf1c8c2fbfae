package rounds

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/bench/result"
)

// A collection is one line of Go's gctrace.
type collection struct {
	before, live, goal int64 // bytes of the heap; the line has megabytes
	forced             bool  // every two minutes, with nothing to collect
}

var gcLine = regexp.MustCompile(`(?m)^gc \d+ @.* (\d+)->\d+->(\d+) MB, (\d+) MB goal,.*$`)

// heapMin is what Go's heap may grow to before its first collection (GOGC=100).
const heapMin = 4 << 20

func parseTrace(text string) []collection {
	var out []collection
	for _, m := range gcLine.FindAllStringSubmatch(text, -1) {
		c := collection{forced: strings.Contains(m[0], "(forced)")}
		for i, to := range []*int64{&c.before, &c.live, &c.goal} {
			n, _ := strconv.ParseInt(m[i+1], 10, 64) // the pattern has digits only
			*to = n << 20
		}
		out = append(out, c)
	}
	return out
}

// trace is what a contender's runtime has told so far; nil if it tells nothing.
func (p *player) trace() []collection {
	if !p.TellsGarbage() {
		return nil
	}
	text, _ := os.ReadFile(p.spec.Output) // no file, no line
	return parseTrace(string(text))
}

// allocated draws from the collections, of which the first known came before the
// requests began, how much was allocated for them.
func allocated(all []collection, known int, requests int64) result.Garbage {
	g := result.Garbage{Requests: requests}
	for i := known; i < len(all); i++ {
		if all[i].forced {
			continue
		}
		g.Collections++
		g.Allocated += all[i].before
		if i > 0 {
			g.Allocated -= all[i-1].live
		}
	}
	if g.Collections == 0 {
		g.Allocated = heapMin
		if known > 0 {
			g.Allocated = max(heapMin, all[known-1].goal) - all[known-1].live
		}
	}
	return g
}
