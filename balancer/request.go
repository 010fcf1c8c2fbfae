package balancer

import "time"

// A Request is what the choice of a server depends on. It is read during Acquire only.
type Request struct {
	// Key is the hashed key if HasKey is set; otherwise KeyBytes are hashed if there are any. With neither, the
	// hashing algorithms take servers in turn, as the manual says for a header that is absent.
	Key      uint64
	HasKey   bool
	KeyBytes []byte

	// Sticky is the server that a cookie, a stick table or an earlier attempt names. It is taken even if it is a
	// backup, is drained or has weight zero; the session queues for it alone while it has no free slot. If it is down
	// or in maintenance, or its queue holds MaxQueue waiters, another server is chosen.
	Sticky *Server
	// StickyStrict forbids another server, whatever the state of Sticky (manual: "option persist", "force-persist",
	// and retries without "option redispatch").
	StickyStrict bool

	// Exclude is the server that has just failed: another one is chosen if there is one.
	Exclude *Server

	// Prefer is taken if it takes part in the balancing and has a free slot, or if at most PreferQueue - 1 sessions wait
	// for it (manual: "option prefer-last-server", "max-keep-alive-queue"). PreferQueue: 0: never wait for it;
	// negative: no bound.
	Prefer      *Server
	PreferQueue int

	Now time.Duration
}

// stickyTo is the sticky server if it may be taken; nil if there is none.
func (r *Request) stickyTo() *Server {
	s := r.Sticky
	if s == nil || r.StickyStrict {
		return s
	}
	if s == r.Exclude || !s.State().accepts() {
		return nil
	}
	return s
}

// A Verdict is the answer to Acquire.
type Verdict uint8

const (
	Granted   Verdict = iota // the session holds a slot of the server and owes a Release
	Queued                   // the waiter is in a queue: SlotGranted will be called, unless Leave comes first
	QueueFull                // every queue that the session may join is full
	NoServer                 // no server is usable
)

func (v Verdict) String() string {
	return [...]string{"granted", "queued", "queue full", "no server"}[v]
}
