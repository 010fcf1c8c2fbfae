package balancer

import "math/bits"

// smoothMap lays the servers out in a table of one place per unit of weight, each as evenly as the others allow. It is the
// order of "static-rr" and the table into which map-based hashes point; weights[i] belongs to server i, zero leaves it out.
//
// The rule, found by watching HAProxy: before each place every server's score grows by its weight; the place goes to
// the lowest-numbered server whose score holds the most whole totals; that server pays one total. Done place by place
// this costs weights x places; here a server is looked at only when its number of whole totals changes.
func smoothMap(weights []int32) []uint16 {
	m := newSmoother(reduced(weights))
	places := make([]uint16, 0, m.total)
	for step := int64(1); step <= m.total; step++ {
		for i := m.due[step]; i >= 0; {
			next := m.nextDue[i]
			m.move(i, 1)
			m.schedule(i)
			i = next
		}
		i := m.best()
		places = append(places, uint16(i))
		m.move(i, -1)
	}
	return places
}

// reduced divides the weights by their greatest common divisor.
func reduced(weights []int32) []int64 {
	var divisor int64
	out := make([]int64, len(weights))
	for i, w := range weights {
		out[i] = int64(w)
		for a, b := divisor, int64(w); ; a, b = b, a%b {
			if b == 0 {
				divisor = a
				break
			}
		}
	}
	for i := range out {
		if divisor > 1 {
			out[i] /= divisor
		}
	}
	return out
}

// A smoother knows each server's level, the number of whole totals in its score, and the step at which it next rises.
type smoother struct {
	weights []int64
	total   int64
	level   []int32
	levels  [][]uint64 // levels[l+1] is the set of the servers at level l; none can be below -1
	rises   []int64    // totals that the server's weights have filled so far
	due     []int32    // due[step] starts the list of the servers that rise then; -1: none
	nextDue []int32
}

func newSmoother(weights []int64) *smoother {
	n := len(weights)
	m := &smoother{
		weights: weights, level: make([]int32, n), rises: make([]int64, n), nextDue: make([]int32, n),
	}
	for _, w := range weights {
		m.total += w
	}
	m.due = make([]int32, m.total+2)
	for i := range m.due {
		m.due[i] = -1
	}
	for i, w := range weights {
		if w > 0 {
			m.put(i, 0)
			m.schedule(int32(i))
		}
	}
	return m
}

func (m *smoother) put(i int, level int32) {
	for len(m.levels) < int(level)+2 {
		m.levels = append(m.levels, make([]uint64, (len(m.weights)+63)/64))
	}
	m.level[i] = level
	m.levels[level+1][i/64] |= 1 << (i % 64)
}

func (m *smoother) move(i int32, by int32) {
	m.levels[m.level[i]+1][i/64] &^= 1 << (i % 64)
	m.put(int(i), m.level[i]+by)
	if by > 0 {
		m.rises[i]++
	}
}

// schedule notes the step at which the weights added up so far fill one total more. That is at least one step after
// the last time, since no weight is above the total.
func (m *smoother) schedule(i int32) {
	at := ((m.rises[i]+1)*m.total + m.weights[i] - 1) / m.weights[i]
	if at <= m.total {
		m.nextDue[i] = m.due[at]
		m.due[at] = i
	}
}

// best is the lowest-numbered server of the highest level.
func (m *smoother) best() int32 {
	for l := len(m.levels) - 1; ; l-- {
		for k, set := range m.levels[l] {
			if set != 0 {
				return int32(k*64 + bits.TrailingZeros64(set))
			}
		}
	}
}
