package h2

import "time"

// A budget bounds what a client may do that costs us something and brings
// nothing. It fills up again with time, and with each answer that was taken.
type budget struct {
	left int32
	at   time.Duration // when time was last counted
}

// Budgets of one connection. Browsers that leave a page cancel all of its
// requests, so a burst must be allowed for; what goes on and on is an attack.
const (
	// resetBurst and resetRate bound streams that end before their answer: reset
	// by the client (CVE-2023-44487, "rapid reset") or by us because of what the
	// client did (CVE-2025-8671, "MadeYouReset").
	resetBurst = 256 // streams
	resetRate  = 64  // streams a second

	// glitchBurst and glitchRate bound PING, SETTINGS, PRIORITY, unknown frames,
	// empty DATA, empty header fragments and window updates.
	glitchBurst = 1024 // frames
	glitchRate  = 1024 // frames a second
)

// spend takes one from the budget; false when there is nothing left.
func (b *budget) spend(now time.Duration, burst, rate int32) bool {
	if b.at == 0 {
		b.left, b.at = burst, now
	}
	if d := now - b.at; d >= time.Second/time.Duration(rate) {
		b.left = int32(min(int64(burst), int64(b.left)+int64(d)*int64(rate)/int64(time.Second)))
		b.at = now
	}
	if b.left <= 0 {
		return false
	}
	b.left--
	return true
}

// earn gives one back.
func (b *budget) earn(burst int32) {
	if b.at != 0 && b.left < burst {
		b.left++
	}
}
