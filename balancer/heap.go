package balancer

// A heapKey orders a keyHeap: by first, then by second.
type heapKey struct {
	first  int64
	second uint64
}

func (k heapKey) less(o heapKey) bool {
	return k.first < o.first || k.first == o.first && k.second < o.second
}

// A keyHeap holds small numbers, each with a key that may change, and knows the one with the least key.
type keyHeap struct {
	items []heapItem
	place []int32 // of each number in items; -1: not in the heap
}

type heapItem struct {
	key heapKey
	id  int32
}

// newKeyHeap is for the numbers below n.
func newKeyHeap(n int) keyHeap {
	h := keyHeap{items: make([]heapItem, 0, n), place: make([]int32, n)}
	for i := range h.place {
		h.place[i] = -1
	}
	return h
}

func (h *keyHeap) min() (id int32, ok bool) {
	if len(h.items) == 0 {
		return 0, false
	}
	return h.items[0].id, true
}

// set puts a number in, or moves it.
func (h *keyHeap) set(id int32, key heapKey) {
	at := h.place[id]
	if at < 0 {
		at = int32(len(h.items))
		h.items = append(h.items, heapItem{})
	}
	h.settle(at, heapItem{key, id})
}

func (h *keyHeap) remove(id int32) {
	at := h.place[id]
	if at < 0 {
		return
	}
	h.place[id] = -1
	last := h.items[len(h.items)-1]
	h.items = h.items[:len(h.items)-1]
	if last.id != id {
		h.settle(at, last)
	}
}

// settle puts an item where the gap at at moves to.
func (h *keyHeap) settle(at int32, it heapItem) {
	for at > 0 {
		up := (at - 1) / 2
		if !it.key.less(h.items[up].key) {
			break
		}
		h.items[at] = h.items[up]
		h.place[h.items[at].id] = at
		at = up
	}
	n := int32(len(h.items))
	for {
		down := 2*at + 1
		if down >= n {
			break
		}
		if down+1 < n && h.items[down+1].key.less(h.items[down].key) {
			down++
		}
		if !h.items[down].key.less(it.key) {
			break
		}
		h.items[at] = h.items[down]
		h.place[h.items[at].id] = at
		at = down
	}
	h.items[at] = it
	h.place[it.id] = at
}
