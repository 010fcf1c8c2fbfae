package proxy

// A turn of a loop has a bound, however many have much to do: who is due takes a
// share. The loop sees to it that turns are short where these guesses are wrong.

const (
	turnBytes     = 1 << 20 // moved in a turn by all; of one session see relayBytesPerTurn
	turnRequests  = 128     // answered in a turn for all; of one client see requestsPerTurn
	framingWeight = 16      // bytes moved in the time that a byte of small chunks or interim heads takes
)

// share is what one of those who are due may take of all: at most most, and at
// least one.
func (w *worker) share(most, all int) int {
	return max(min(most, all/max(w.loop.Due(), 1)), 1)
}

// relayShare is how many bytes a session may move in this turn.
func (w *worker) relayShare() int { return w.share(relayBytesPerTurn, turnBytes) }

// effort is what n bytes cost, in bytes moved, when payload of them were a body's.
func effort(n int, payload int64) int {
	return n + framingWeight*max(n-int(payload), 0)
}
