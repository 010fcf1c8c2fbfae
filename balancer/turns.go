package balancer

import "slices"

// turns gives servers their turns in proportion to their weights, as smoothly as possible ("roundrobin"). Servers go in and
// out, as they have free slots or not, and their weights change.
//
// The order is HAProxy's, found by watching it: a server that has had a turn at time t comes again total/weight turns
// later, the remainder being carried on. Of those started, the one whose time is first is next; at the same time, the
// one with the smallest remainder less its weight; then the one that has waited longest. A server that has not started
// yet goes first if no other's time has come, heavier ones before lighter.
type turns struct {
	weights []int32 // by server; 0: takes no part
	total   int64
	now     int64
	seq     uint32

	in      []bool // may get a turn: it is in the heap, or fresh
	started []bool
	at      []int64 // time of the next turn
	rest    []int64 // remainder carried on, below weight
	heap    keyHeap
	fresh   []int32 // not started, heavier first; some may be out
}

// newTurns has all servers out.
func newTurns(servers int) *turns {
	return &turns{
		weights: make([]int32, servers), in: make([]bool, servers), started: make([]bool, servers),
		at: make([]int64, servers), rest: make([]int64, servers), heap: newKeyHeap(servers),
	}
}

// reweigh changes the weights. A server keeps the part of its round that it has still to wait; one that is new to the
// turns starts afresh.
func (t *turns) reweigh(weights []int32) {
	var total int64
	for _, w := range weights {
		total += int64(w)
	}
	if i, ok := t.heap.min(); ok {
		t.now = t.at[i]
	}
	t.fresh = t.fresh[:0]
	for i, w := range weights {
		old := t.weights[i]
		switch {
		case w == 0:
			t.started[i] = false
		case old > 0 && t.started[i] && (w != old || total != t.total):
			left := max(t.at[i]-t.now, 0)
			t.at[i] = t.now + left*total/t.total*int64(old)/int64(w)
			t.rest[i] = 0
		}
		if w > 0 && !t.started[i] {
			t.fresh = append(t.fresh, int32(i))
		}
	}
	copy(t.weights, weights)
	t.total = total
	slices.SortStableFunc(t.fresh, func(a, b int32) int { return int(t.weights[b]) - int(t.weights[a]) })
	for i := range weights {
		t.heap.remove(int32(i))
	}
	for i, w := range weights {
		t.in[i] = t.in[i] && w > 0
		if t.in[i] && t.started[i] {
			t.seq++
			t.heap.set(int32(i), t.key(i))
		}
	}
}

// put lets a server in or out. One that missed its turn while it was out gets the next one, and no more than one.
func (t *turns) put(i int, in bool) {
	t.in[i] = in
	if !t.started[i] || !in {
		t.heap.remove(int32(i))
		return
	}
	if root, ok := t.heap.min(); ok && t.at[i] < t.at[root] {
		t.at[i] = t.at[root]
		t.rest[i] = 0
	}
	t.seq++
	t.heap.set(int32(i), t.key(i))
}

func (t *turns) key(i int) heapKey {
	const bias = weightMax * weightScale
	return heapKey{t.at[i], uint64(t.rest[i]-int64(t.weights[i])+bias)<<32 | uint64(t.seq)}
}

// next gives the next turn; false if all are out.
func (t *turns) next() (int, bool) {
	i, ok := t.heap.min()
	if !ok || t.at[i] > t.now {
		if f, found := t.takeFresh(); found {
			i, ok = f, true
		}
	}
	if !ok {
		return 0, false
	}
	t.now++
	w := int64(t.weights[i])
	t.at[i] += t.total / w
	t.rest[i] += t.total % w
	if t.rest[i] >= w {
		t.rest[i] -= w
		t.at[i]++
	}
	t.seq++
	t.heap.set(i, t.key(int(i)))
	return int(i), true
}

// takeFresh starts the heaviest server that has not started yet.
func (t *turns) takeFresh() (int32, bool) {
	for k, i := range t.fresh {
		if t.in[i] {
			t.fresh = slices.Delete(t.fresh, k, k+1)
			t.started[i], t.at[i], t.rest[i] = true, t.now, 0
			return i, true
		}
	}
	return 0, false
}

// turnOrder plays the turns through when all servers stay in: the first round and the round that repeats from then on.
// Nil if a round is longer than max.
func turnOrder(weights []int32, most int) []uint16 {
	var total int64
	small := make([]int32, len(weights))
	for i, w := range reduced(weights) {
		small[i] = int32(w)
		total += w
	}
	if total == 0 || total > int64(most) {
		return nil
	}
	t := newTurns(len(weights))
	t.reweigh(small)
	for i, w := range small {
		t.put(i, w > 0)
	}
	order := make([]uint16, 2*total)
	for k := range order {
		i, _ := t.next()
		order[k] = uint16(i)
	}
	return order
}
