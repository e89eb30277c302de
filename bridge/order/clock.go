package order

import (
	"sync"
	"time"
)

// A clock is what releases go by: the wall clock while it is set by somebody who knows the time. A clock that is not, on
// a board without a battery that found no time server yet, may jump by years at any moment; until it is set, the time runs
// on from where it stood by the time that really passed (spec/delivery.md 4).
type clock struct {
	now    func() time.Time
	passed func() time.Duration // since some moment, never set
	set    func() bool          // the wall clock is right

	mu   sync.Mutex // guards what follows
	base time.Time  // what the clock said
	at   time.Duration
}

// Now is the time that counts.
func (c *clock) Now() time.Time {
	wall := c.now()
	if c.set == nil {
		return wall
	}
	passed, set := c.passed(), c.set()
	c.mu.Lock()
	defer c.mu.Unlock()
	if set || c.base.IsZero() {
		c.base, c.at = wall, passed
		return wall
	}
	return c.base.Add(passed - c.at)
}
