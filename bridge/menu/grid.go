package menu

import (
	"time"
)

// maxJitter is how much later than its slot a run starts at most, so that the boxes of a chain do not all ask at once
// (spec/delivery.md 6.3, step 8).
const maxJitter = 5 * time.Minute

// A grid is when a menu is updated by itself: every so often, from one slot to the next. The slot is kept on disk. It is a
// moment in UTC: clocks that are put forward for the summer do not move it. A run by hand does not either.
type grid struct {
	Slot time.Time // of the next run
	Due  time.Time // the slot and its jitter
}

// align gives the grid that holds at now. One that was never set begins now, so that a box that is set up gets its menus. What
// was missed while the box was off is made up once, and then goes on in its rhythm. A slot further away than one round can only
// be there because the clock was wrong when it was set, or the rhythm is another now: it comes as much nearer as whole rounds
// allow.
func (g grid) align(now time.Time, every time.Duration, jitter func(time.Duration) time.Duration) grid {
	switch {
	case g.Slot.IsZero():
		return grid{now, now}
	case g.Slot.Sub(now) > every:
		rounds := (g.Slot.Sub(now) - 1) / every
		g.Slot = g.Slot.Add(-rounds * every)
		g.Due = g.Slot.Add(jitter(min(maxJitter, every/4)))
	case g.Due.Sub(now) > every+maxJitter, g.Due.Before(g.Slot):
		g.Due = g.Slot.Add(jitter(min(maxJitter, every/4)))
	}
	return g
}

// after is the grid once the run of its slot has started at now: the first slot that is still to come.
func (g grid) after(now time.Time, every time.Duration, jitter func(time.Duration) time.Duration) grid {
	missed := max(0, now.Sub(g.Slot)/every)
	slot := g.Slot.Add((missed + 1) * every)
	return grid{slot, slot.Add(jitter(min(maxJitter, every/4)))}
}
