package balancer

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A queueModel is what a backend may do, told naively: every rule of the queues is checked after every step against lists
// that are searched from end to end.
type queueModel struct {
	t       *testing.T
	b       *Backend
	spec    Spec
	waiting []*client       // in order of arrival
	home    map[*client]int // server whose queue it joined; -1: the backend's
	tie     map[*client]tie
	held    []*Server // slots taken
	now     time.Duration
	over    map[*Server]int // sessions over a limit that was lowered: they may stay, and shrink only
}

func (m *queueModel) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf(format, args...)
}

func (m *queueModel) used(s *Server) (n int) {
	for _, h := range m.held {
		if h == s {
			n++
		}
	}
	return n
}

// acquire asks for a slot with one of several kinds of request.
func (m *queueModel) acquire(kind, pick byte) {
	c := newClient(fmt.Sprint(len(m.waiting)))
	servers := m.b.Servers()
	s := servers[int(pick)%len(servers)]
	r := Request{Now: m.now}
	t := tieNone
	switch kind % 6 {
	case 1:
		r.Sticky, t = s, tieSticky
	case 2:
		r.Sticky, r.StickyStrict, t = s, true, tieStrict
	case 3:
		r.Prefer, r.PreferQueue = s, int(pick>>4)-1
	case 4:
		r.Exclude = s
	case 5:
		r.Key, r.HasKey = uint64(pick)*2654435761, true
	}
	openBefore := m.openMembers()
	got, v := m.b.Acquire(&c.Waiter, &r)
	m.noteGrants(nil) // more load may mean more slots (minconn)
	bound := m.spec.QueueMax > 0 && len(m.waiting) >= m.spec.QueueMax
	switch v {
	case Granted:
		m.held = append(m.held, got)
		if r.Sticky == nil && m.spec.FullConn == 0 && !slices.Contains(openBefore, got) {
			m.fail("a session was sent to %s, which was not open", got.Name())
		}
	case Queued:
		m.waiting = append(m.waiting, c)
		m.tie[c] = t
		m.home[c] = -1
		if c.home != nil {
			m.home[c] = c.home.Index()
			if c.home != r.Sticky {
				m.tie[c] = tieNone
			}
		}
		if bound {
			m.fail("queued although %d of %d wait", len(m.waiting)-1, m.spec.QueueMax)
		}
		if c.SrvPos > 0 == (c.home == nil) || c.BackPos > 0 == (c.home != nil) {
			m.fail("places %d and %d in the queue of %v", c.SrvPos, c.BackPos, c.home)
		}
		if c.home == nil && len(openBefore) > 0 && m.spec.FullConn == 0 {
			m.fail("queued beside a free slot of %s", names(openBefore))
		}
	case QueueFull:
		if !bound && t != tieStrict {
			m.fail("queue full with %d of %d waiters", len(m.waiting), m.spec.QueueMax)
		}
	case NoServer:
		if members(m.b) != "" {
			m.fail("no server, although %s are members", members(m.b))
		}
	}
}

func (m *queueModel) openMembers() (open []*Server) {
	for _, s := range m.b.Servers() {
		if s.member.Load() && (s.Slots() == 0 || s.Current() < s.Slots()) {
			open = append(open, s)
		}
	}
	return open
}

// release gives back one slot and checks who got it.
func (m *queueModel) release(pick byte) {
	if len(m.held) == 0 {
		return
	}
	k := int(pick) % len(m.held)
	s := m.held[k]
	m.held = slices.Delete(m.held, k, k+1)
	m.b.Release(s)
	var heir *client
	for _, c := range m.waiting {
		if m.home[c] == s.Index() || m.home[c] < 0 && s.member.Load() {
			heir = c
			break
		}
	}
	granted := m.noteGrants(s)
	full := s.Slots() > 0 && m.used(s)-len(granted) >= s.Slots()
	switch {
	case full && len(granted) > 0:
		m.fail("%s has %d slots and granted one more", s.Name(), s.Slots())
	case !full && heir != nil && (len(granted) == 0 || granted[0] != heir):
		m.fail("the slot of %s went to %v, not to the longest waiter %s", s.Name(), granted, heir.name)
	}
}

// noteGrants takes those who were told off the waiting list. With s, only slots of s may have been granted.
func (m *queueModel) noteGrants(s *Server) (granted []*client) {
	for _, c := range m.waiting {
		if c.told == 0 {
			continue
		}
		if s != nil && c.slot != s {
			m.fail("a slot of %s was granted instead of %s", c.slot.Name(), s.Name())
		}
		if m.home[c] >= 0 && m.home[c] != c.slot.Index() {
			m.fail("a waiter of server %d got a slot of %s", m.home[c], c.slot.Name())
		}
		m.held = append(m.held, c.slot)
		granted = append(granted, c)
	}
	for _, c := range granted {
		for _, older := range m.waiting {
			if older == c {
				break
			}
			if older.told == 0 && m.home[older] == m.home[c] {
				m.fail("waiter %s was served before %s, who is older", c.name, older.name)
			}
		}
	}
	for _, c := range granted {
		m.waiting = slices.DeleteFunc(m.waiting, func(w *client) bool { return w == c })
	}
	return granted
}

func (m *queueModel) leave(pick byte) {
	if len(m.waiting) == 0 {
		return
	}
	k := int(pick) % len(m.waiting)
	c := m.waiting[k]
	if s, granted := m.b.Leave(&c.Waiter); granted {
		m.fail("a waiter who was not told left with a slot of %s", s.Name())
	}
	m.waiting = slices.Delete(m.waiting, k, k+1)
}

// change changes one server, and notes who lost the place at it.
func (m *queueModel) change(what, pick, value byte) {
	servers := m.b.Servers()
	s := servers[int(pick)%len(servers)]
	switch what % 4 {
	case 0:
		m.b.SetState(s, State(value%4), m.now)
	case 1:
		m.b.SetWeight(s, int(value%5))
	case 2:
		m.b.SetMaxConn(s, int(value%6))
	case 3:
		m.now += time.Duration(value) * time.Millisecond
		m.b.Tick(m.now)
	}
	for _, c := range m.waiting {
		at := m.home[c]
		if at < 0 {
			continue
		}
		srv := servers[at]
		stays := tieNone
		if !srv.State().accepts() {
			stays = tieStrict
		} else if !srv.member.Load() {
			stays = tieSticky
		}
		if m.tie[c] < stays {
			m.home[c] = -1
		}
	}
	m.noteGrants(nil)
}

// check compares everything that can be seen.
func (m *queueModel) check() {
	m.t.Helper()
	perServer := make([]int, len(m.b.Servers()))
	for _, c := range m.waiting {
		if c.list == nil {
			m.fail("a waiter is in no queue")
		}
		if h := m.home[c]; h >= 0 {
			perServer[h]++
		} else if c.home != nil {
			m.fail("a waiter of the backend stands in the queue of %s", c.home.Name())
		}
	}
	if m.b.Queued() != len(m.waiting) {
		m.fail("%d queued, the model has %d", m.b.Queued(), len(m.waiting))
	}
	common := len(m.waiting)
	for i, s := range m.b.Servers() {
		common -= perServer[i]
		used, slots := m.used(s), s.Slots()
		if s.Current() != used || s.Queued() != perServer[i] {
			m.fail("%s: %d slots and %d waiters, the model has %d and %d", s.Name(), s.Current(), s.Queued(), used, perServer[i])
		}
		if q := s.Spec().MaxQueue; q > 0 && s.Queued() > q {
			m.fail("%s: %d waiters, maxqueue %d", s.Name(), s.Queued(), q)
		}
		if slots == 0 || used <= slots {
			delete(m.over, s)
		} else if most, ok := m.over[s]; ok && used > most && m.spec.FullConn == 0 { // minconn lets limits rise and fall in one step
			m.fail("%s: %d sessions over %d slots, were %d", s.Name(), used, slots, most)
		} else {
			m.over[s] = used
		}
		free := slots == 0 || used < slots
		if free && (perServer[i] > 0 || common < 0) {
			m.fail("%s: a free slot beside %d waiters", s.Name(), perServer[i])
		}
	}
	if common > 0 && len(m.openMembers()) > 0 {
		m.fail("%d wait for any server beside free slots of %s", common, names(m.openMembers()))
	}
	m.checkOrder()
}

// checkOrder walks the queues: oldest first, both ways the same.
func (m *queueModel) checkOrder() {
	lists := []*waiterList{&m.b.queue}
	for _, s := range m.b.Servers() {
		lists = append(lists, &s.queue)
	}
	for _, l := range lists {
		n, age := 0, uint64(0)
		var last *Waiter
		for w := l.head; w != nil; w = w.next {
			if w.age <= age || w.prev != last || w.list != l {
				m.fail("a queue is out of order")
			}
			n, age, last = n+1, w.age, w
		}
		if n != l.len || l.tail != last {
			m.fail("a queue of %d says %d", n, l.len)
		}
	}
}

// queueSpec makes a backend of a few bytes.
func queueSpec(algorithm, shape, bound byte) Spec {
	spec := Spec{Algorithm: Algorithm(algorithm % 7), QueueMax: int(bound % 8), AllBackups: bound&8 != 0}
	spec.Consistent = bound&16 != 0
	if bound&32 != 0 && spec.Consistent {
		spec.BalanceFactor = 150
	}
	if bound&64 != 0 {
		spec.FullConn = 6
	}
	for i := range 2 + int(shape%3) {
		x := int(shape) >> i
		spec.Servers = append(spec.Servers, ServerSpec{
			Weight: 1 + x&1, MaxConn: x & 3, MaxQueue: x >> 1 & 3, Backup: i == 2 && x&4 != 0, MinConn: x >> 2 & 1,
			SlowStart: time.Duration(x&8) * 20 * time.Millisecond,
		})
	}
	return spec
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0})
	f.Add([]byte{2, 6, 3, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 5, 0, 0, 2, 1, 4, 0, 0, 3, 0})
	f.Add([]byte{5, 85, 20, 0, 5, 9, 0, 5, 9, 0, 5, 9, 0, 5, 9, 6, 0, 1, 1, 1, 0, 0, 5, 9, 4, 0, 1, 0})
	f.Add([]byte{6, 255, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 2, 0, 3, 1, 0, 1, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 3 || len(raw) > 600 {
			return
		}
		spec := queueSpec(raw[0], raw[1], raw[2])
		m := &queueModel{t: t, b: mustNew(t, spec), spec: spec, home: map[*client]int{}, tie: map[*client]tie{}, over: map[*Server]int{}}
		raw = raw[3:]
		next := func() (x byte) {
			if len(raw) > 0 {
				x, raw = raw[0], raw[1:]
			}
			return x
		}
		for len(raw) > 0 {
			m.now += time.Millisecond
			switch next() % 7 {
			case 0, 1, 2:
				m.acquire(next(), next())
			case 3, 4:
				m.release(next())
			case 5:
				m.leave(next())
			case 6:
				m.change(next(), next(), next())
			}
			m.check()
		}
		m.drain()
	})
}

// drain ends everything: with servers up again, all who wait are served, and nothing is left.
func (m *queueModel) drain() {
	for _, s := range m.b.Servers() {
		m.b.SetState(s, StateUp, m.now)
		m.b.SetWeight(s, 1)
		m.change(3, 0, 255)
	}
	for step := 0; len(m.held) > 0; step++ {
		m.release(byte(step * 7))
		m.check()
	}
	if len(m.waiting) > 0 {
		m.fail("%d are left waiting with every slot free", len(m.waiting))
	}
}

func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint8(1))
	f.Add([]byte{16, 16, 16, 16, 16, 16, 1}, uint8(6))
	f.Fuzz(func(t *testing.T, raw []byte, gone uint8) {
		if len(raw) < 2 || len(raw) > 40 {
			return
		}
		var ids []int
		var weights, without []int32
		for i, w := range raw {
			ids = append(ids, i*3+1)
			weights = append(weights, int32(w%16)*4) // quarters of a weight, as in a slow start
		}
		without = slices.Clone(weights)
		without[int(gone)%len(without)] = 0
		if len(newRing(ids, without).keys) == 0 {
			return
		}
		before, after := newRing(ids, weights), newRing(ids, without)
		for k := range uint32(500) {
			key := avalanche(k)
			x, y := before.owners[before.find(key)], after.owners[after.find(key)]
			if x != y && int(x) != int(gone)%len(weights) {
				t.Fatalf("key %#x moved from server %d to %d when %d was removed", key, x, y, int(gone)%len(weights))
			}
			if got, want := before.find(key), closestByRule(before, key); got != want {
				t.Fatalf("key %#x belongs to point %d, by the rule %d", key, got, want)
			}
			if k < 20 {
				for _, at := range []uint32{before.keys[int(k)%len(before.keys)], 0, 1<<32 - 1} {
					if got, want := before.find(at), closestByRule(before, at); before.owners[got] != before.owners[want] {
						t.Fatalf("key %#x belongs to point %d, by the rule %d", at, got, want)
					}
				}
			}
		}
	})
}

// closestByRule looks at every point.
func closestByRule(r *ring, key uint32) int {
	next := slices.IndexFunc(r.keys, func(k uint32) bool { return k >= key })
	if next < 0 {
		next = 0
	}
	before := (next + len(r.keys) - 1) % len(r.keys)
	if key-r.keys[before] <= r.keys[next]-key {
		return before
	}
	return next
}
