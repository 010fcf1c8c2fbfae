package balancer

import "time"

const (
	rampSteps   = 100 // of one slow start, at most
	rampStepMin = 50 * time.Millisecond
)

// A ramp is the slow start of one server: its weight and its slots grow from almost nothing to the whole.
type ramp struct {
	on   bool
	from time.Duration // when it began
	part int           // of rampSteps
}

// of is the part of n that is allowed now.
func (r *ramp) of(n int) int { return n * r.part / rampSteps }

// partAt is how far a slow start of this length has come.
func (r *ramp) partAt(now, length time.Duration) int {
	if now-r.from >= length {
		return rampSteps
	}
	return max(int((now-r.from)*rampSteps/length), 0)
}

// effectiveWeight is a server's weight in force, in 1/weightScale. The caller holds control.
func (b *Backend) effectiveWeight(s *Server) int32 {
	full := int(s.weight) * weightScale
	if full == 0 || !s.ramp.on || b.WeightsAreStatic() {
		return int32(full)
	}
	return int32(max(1, s.ramp.of(full)))
}

// NextTick says when Tick has something to do; ok is false if never.
func (b *Backend) NextTick(now time.Duration) (at time.Duration, ok bool) {
	b.control.Lock()
	defer b.control.Unlock()
	for _, s := range b.servers {
		if !s.ramp.on {
			continue
		}
		next := max(s.ramp.from+(s.spec.SlowStart*time.Duration(s.ramp.part+1)+rampSteps-1)/rampSteps, now+rampStepMin)
		next = min(next, max(s.ramp.from+s.spec.SlowStart, now))
		if !ok || next < at {
			at, ok = next, true
		}
	}
	return at, ok
}

// Tick moves slow starts on. It may be called at any time.
func (b *Backend) Tick(now time.Duration) {
	b.control.Lock()
	defer b.control.Unlock()
	moved := false
	for _, s := range b.servers {
		if !s.ramp.on {
			continue
		}
		if part := s.ramp.partAt(now, s.spec.SlowStart); part > s.ramp.part {
			b.mu.Lock()
			s.ramp.part, s.ramp.on = part, part < rampSteps
			b.mu.Unlock()
			moved = true
		}
	}
	if moved {
		b.installTable(b.newTable(b.chooseMembers()))
	}
}
