package ifc

import (
	"math/rand/v2"
	"time"
)

// Defaults for a Backoff left at zero.
const (
	DefaultBackoff    = 2 * time.Second
	DefaultMaxBackoff = time.Minute
)

// A Backoff is the pause before the next attempt to connect: it doubles from Min to Max, and each pause is drawn between its
// half and the whole, so that many boxes do not return together. The zero Backoff is good. Not for concurrent use.
type Backoff struct {
	Min, Max time.Duration // 0 means DefaultBackoff, DefaultMaxBackoff

	next time.Duration
}

// Next returns the pause to make now.
func (b *Backoff) Next() time.Duration {
	low, high := b.Min, b.Max
	if low <= 0 {
		low = DefaultBackoff
	}
	if high <= 0 {
		high = DefaultMaxBackoff
	}
	high = max(low, high)
	d := min(max(b.next, low), high)
	b.next = min(d, high/2) * 2
	return d/2 + rand.N(d/2+1)
}

// Reset starts again at Min: the link was up.
func (b *Backoff) Reset() { b.next = 0 }
