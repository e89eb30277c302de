package opera

import (
	"sync"
	"time"
)

// alarms are calls for later that end together.
type alarms struct {
	mu      sync.Mutex // guards what follows
	set     map[*alarm]bool
	closed  bool
	running sync.WaitGroup
}

type alarm struct {
	of *alarms
	t  *time.Timer
	fn func()
}

func newAlarms() *alarms { return &alarms{set: map[*alarm]bool{}} }

// after calls fn after d on a goroutine of its own, unless the alarm is stopped or everything closed before.
func (as *alarms) after(d time.Duration, fn func()) *alarm {
	a := &alarm{of: as, fn: fn}
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.closed {
		return a
	}
	as.set[a] = true
	a.t = time.AfterFunc(d, a.ring)
	return a
}

func (a *alarm) ring() {
	a.of.mu.Lock()
	live := a.of.set[a]
	delete(a.of.set, a)
	if live {
		a.of.running.Add(1)
	}
	a.of.mu.Unlock()
	if live {
		defer a.of.running.Done()
		a.fn()
	}
}

// stop takes the alarm back; a call that has begun is not waited for.
func (a *alarm) stop() {
	if a == nil {
		return
	}
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	if a.of.set[a] {
		a.t.Stop()
		delete(a.of.set, a)
	}
}

// close stops every alarm and waits for calls that have begun.
func (as *alarms) close() {
	as.mu.Lock()
	as.closed = true
	for a := range as.set {
		a.t.Stop()
	}
	clear(as.set)
	as.mu.Unlock()
	as.running.Wait()
}
