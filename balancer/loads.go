package balancer

import "slices"

// loads knows the least loaded of a set of servers at a cost that does not grow with their number: servers of equal weight
// are kept in groups of equal session counts, oldest change first, so a session that comes or goes moves its server to the
// next group. A heap over the weights compares the least group of each.
//
// A server's load is 0 without sessions, else (sessions+1) * 256 / weight, rounded down; the server whose count changed
// longest ago comes first among equals. That is HAProxy's order, found by watching it.
type loads struct {
	nodes   []loadNode // by server
	groups  []loadGroup
	spare   int32 // free groups, linked by next; -1: none
	classes []loadClass
	order   keyHeap // of classes that are not empty
	stamp   uint64
}

type loadNode struct {
	class      int32
	group      int32 // -1: not in the set
	prev, next int32 // in the group; -1: none
	stamp      uint64
}

type loadGroup struct {
	count      int32
	head, tail int32 // servers
	prev, next int32 // groups of the same class; -1: none
}

type loadClass struct {
	weight      int32
	first, last int32 // groups with the least and the most sessions; -1: none
}

// newLoads starts with an empty set. A server's weight must not change while it is in the set: reweigh empties it.
func newLoads(servers int) *loads {
	l := &loads{nodes: make([]loadNode, servers), groups: make([]loadGroup, servers+1)}
	l.reweigh(make([]int32, servers))
	return l
}

// reweigh empties the set and notes the weights.
func (l *loads) reweigh(weights []int32) {
	distinct := slices.Clone(weights)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	l.classes = l.classes[:0]
	for _, w := range distinct {
		l.classes = append(l.classes, loadClass{weight: w, first: -1, last: -1})
	}
	l.order = newKeyHeap(len(l.classes))
	l.spare = -1
	for i := range l.groups {
		l.groups[i].next = l.spare
		l.spare = int32(i)
	}
	for i := range l.nodes {
		class, _ := slices.BinarySearch(distinct, weights[i])
		l.nodes[i] = loadNode{class: int32(class), group: -1, stamp: l.nodes[i].stamp}
	}
}

// least is the least loaded server.
func (l *loads) least() (server int, ok bool) {
	class, ok := l.order.min()
	if !ok {
		return 0, false
	}
	return int(l.groups[l.classes[class].first].head), true
}

// loadOf is the load of a server.
func loadOf(count, weight int32) int64 {
	if count == 0 {
		return 0
	}
	return (int64(count) + 1) * weightMax * weightScale / int64(weight)
}

// put says that a server has count sessions, and puts it into the set if it is not there.
func (l *loads) put(server int, count int32) {
	node := &l.nodes[server]
	class := &l.classes[node.class]
	from := node.group
	switch {
	case from < 0:
		from = class.last // a server comes back when it was full: it is near the end
	case l.groups[from].count == count:
		return
	}
	to := l.groupOf(class, from, count)
	l.unlink(server)
	l.link(server, to)
	l.stamp++
	node.stamp = l.stamp
	l.settle(node.class)
}

// drop takes a server out of the set.
func (l *loads) drop(server int) {
	node := &l.nodes[server]
	if node.group >= 0 {
		l.unlink(server)
		l.settle(node.class)
	}
}

// settle brings a class to its place among the classes.
func (l *loads) settle(class int32) {
	c := &l.classes[class]
	if c.first < 0 {
		l.order.remove(class)
		return
	}
	g := &l.groups[c.first]
	l.order.set(class, heapKey{loadOf(g.count, max(c.weight, 1)), l.nodes[g.head].stamp})
}

// groupOf finds or makes the group of a count, starting to look at a group that may be near.
func (l *loads) groupOf(c *loadClass, from, count int32) int32 {
	before, after := from, int32(-1)
	if from >= 0 {
		after = l.groups[from].next
	}
	for before >= 0 && l.groups[before].count > count {
		before, after = l.groups[before].prev, before
	}
	for after >= 0 && l.groups[after].count <= count {
		before, after = after, l.groups[after].next
	}
	if before >= 0 && l.groups[before].count == count {
		return before
	}
	return l.insert(c, before, after, count)
}

func (l *loads) insert(c *loadClass, before, after, count int32) int32 {
	at := l.spare
	l.spare = l.groups[at].next
	l.groups[at] = loadGroup{count: count, head: -1, tail: -1, prev: before, next: after}
	if before >= 0 {
		l.groups[before].next = at
	} else {
		c.first = at
	}
	if after >= 0 {
		l.groups[after].prev = at
	} else {
		c.last = at
	}
	return at
}

func (l *loads) link(server int, group int32) {
	node, g := &l.nodes[server], &l.groups[group]
	node.group, node.prev, node.next = group, g.tail, -1
	if g.tail >= 0 {
		l.nodes[g.tail].next = int32(server)
	} else {
		g.head = int32(server)
	}
	g.tail = int32(server)
}

// unlink takes a server out of its group, and frees the group if it was the last.
func (l *loads) unlink(server int) {
	node := &l.nodes[server]
	at := node.group
	if at < 0 {
		return
	}
	node.group = -1
	g := &l.groups[at]
	if node.prev >= 0 {
		l.nodes[node.prev].next = node.next
	} else {
		g.head = node.next
	}
	if node.next >= 0 {
		l.nodes[node.next].prev = node.prev
	} else {
		g.tail = node.prev
	}
	if g.head >= 0 {
		return
	}
	c := &l.classes[node.class]
	if g.prev >= 0 {
		l.groups[g.prev].next = g.next
	} else {
		c.first = g.next
	}
	if g.next >= 0 {
		l.groups[g.next].prev = g.prev
	} else {
		c.last = g.prev
	}
	g.next = l.spare
	l.spare = at
}
