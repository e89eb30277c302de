package wire

import (
	"sync"
	"time"

	"aboyeur/protocol/channel"
)

// Family names calls that share a limit.
type Family string

// Urgent says how a call stands among those that wait.
type Urgent bool

// A Limits keeps an aggregator's limits before a call is made: so many calls of a family in a minute, and so many of all in a
// second. It counts the calls of any last minute, not of a calendar one, and a second more, so that neither a fixed nor a
// sliding count at the other end sees too many. A call that would break a limit fails at once with a *channel.Limited.
//
// New-order results are urgent: the last Reserve of the calls in a second, and of a shared family in a minute, are theirs.
type Limits struct {
	PerMinute map[Family]int // by family; what is not in it has Other
	Other     int            // calls a minute of a family without a number of its own; 0: no limit
	PerSecond int            // of all families; 0: no limit
	Reserve   float64        // part that only urgent calls may use, 0 to 1

	mu     sync.Mutex // guards what follows
	window map[Family]*window
	all    window
}

// spare is added to the minute: a call may be longer on its way than the one that comes a minute after it.
const spare = time.Second

// Take takes one call of family at now, or says how long to wait.
func (l *Limits) Take(f Family, urgent Urgent, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.of(f)
	for _, x := range []*window{w, &l.all} { // a clock that was put back keeps nobody waiting until it is as late again
		if k := len(x.calls); k > 0 && x.calls[k-1].Sub(now) > maxShut || x.shut.Sub(now) > maxShut {
			*x = window{}
		}
	}
	if now.Before(w.shut) {
		return &channel.Limited{Family: string(f), After: w.shut.Sub(now)}
	}
	if now.Before(l.all.shut) {
		return &channel.Limited{Family: "everything", After: l.all.shut.Sub(now)}
	}
	n, ok := l.PerMinute[f]
	if !ok {
		n = l.Other
	}
	if after := w.wait(l.share(n, urgent), time.Minute+spare, now); after > 0 {
		return &channel.Limited{Family: string(f), After: after}
	}
	if after := l.all.wait(l.share(l.PerSecond, urgent), time.Second+spare/4, now); after > 0 {
		return &channel.Limited{Family: "everything", After: after}
	}
	if n > 0 {
		w.add(now, n)
	}
	if l.PerSecond > 0 {
		l.all.add(now, l.PerSecond)
	}
	return nil
}

// share is how many of n calls one that is so urgent may use; at least one, so that the others get on at all.
func (l *Limits) share(n int, urgent Urgent) int {
	if urgent || n < 4 {
		return n
	}
	return n - int(float64(n)*l.Reserve)
}

// Shut closes a family for that long: the server has said so, and knows better than our count.
func (l *Limits) Shut(f Family, d time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.of(f); now.Add(d).After(w.shut) {
		w.shut = now.Add(min(d, maxShut))
	}
}

// maxShut bounds how long a family stays closed on one word of the server.
const maxShut = 15 * time.Minute

func (l *Limits) of(f Family) *window {
	w := l.window[f]
	if w == nil {
		if l.window == nil {
			l.window = map[Family]*window{}
		}
		w = &window{}
		l.window[f] = w
	}
	return w
}

// A window is the times of the last calls, oldest first, no more than the limit.
type window struct {
	calls []time.Time
	shut  time.Time
}

// wait is how long until one more call in any d makes no more than n; 0: now. n of 0 is no limit.
func (w *window) wait(n int, d time.Duration, now time.Time) time.Duration {
	if n <= 0 || len(w.calls) < n {
		return 0
	}
	return max(0, w.calls[len(w.calls)-n].Add(d).Sub(now))
}

func (w *window) add(now time.Time, n int) {
	if len(w.calls) >= n {
		w.calls = append(w.calls[:0], w.calls[len(w.calls)-n+1:]...)
	}
	w.calls = append(w.calls, now)
}
