package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	maxBatch  = 512  // writes that share a commit at most: bounds how long the last of them waits
	maxLaters = 4096 // this many Laters waiting start a commit without waiting for their timer
	maxTries  = 3    // a Later whose commit failed is run this often
	maxPassed = 32   // Laters that an Overtake may leave behind; with more of them it takes them along
)

// Write runs fn in a savepoint of the next commit and returns after that commit's sync, and after the watchers heard of it:
// nil means durable. fn's own error comes back as it is, and nothing of fn stays; a panic in fn is an error. fn runs on the
// writer's goroutine: it must not block and must not call Write. Before the first Run a Write waits for it.
//
// When ctx ends before fn was begun, its error comes back and fn never runs; a Write that was begun is waited for, so that
// nobody is told of a failure that was none. ErrBusy, ErrDown and ErrUncertain are the journal's own errors.
func (j *Journal) Write(ctx context.Context, fn func(*Tx) error) error {
	err := j.queue.do(ctx, fn, true)
	if err == ErrBusy {
		j.metrics.refused.Inc()
	}
	return err
}

// Insist is Write without the limit on how many are under way, for the few goroutines that own a device or a link.
func (j *Journal) Insist(ctx context.Context, fn func(*Tx) error) error {
	return j.queue.do(ctx, fn, false)
}

// Overtake is Write for something that stands by itself, as a new order does: the few steps that Later has may be recorded
// after it, so that nobody waits for them who need not, and it returns before hooks of Follow and watchers hear of it.
func (j *Journal) Overtake(ctx context.Context, fn func(*Tx) error) error {
	err := j.queue.admit(ctx, &write{fn: fn, done: make(chan error, 1), counted: true, alone: true})
	if err == ErrBusy {
		j.metrics.refused.Inc()
	}
	return err
}

// Later runs fn in the next commit, and makes one by itself after Config.LaterDelay. Order is kept among Write, Insist and
// Later; only an Overtake may come first. It never blocks and drops nothing while the journal is open: its callers are bounded by what they own (a printer,
// a link), and from 4096 waiting on it asks for a commit at once. When storage fails, fn is run again, three times in
// all, so it must change nothing but the journal; [Tx.After] hears each outcome, and what followed it in its batch stays before
// it. fn's own error is logged and ends it.
func (j *Journal) Later(fn func(*Tx) error) {
	if n := j.queue.later(fn); n == maxLaters {
		j.log.Warn("many steps wait to be recorded", "count", n, "err", j.Err())
	} else if n == 0 {
		j.log.Error("step not recorded, the journal is closed")
	}
}

// write is one function on its way into the journal.
type write struct {
	fn      func(*Tx) error
	done    chan error // of size 1, so that the writer never waits; nil for a Later
	counted bool       // against the limit
	alone   bool       // may go before Laters that came before it
	begun   bool       // guarded by queue.mu: the writer has it
	gone    bool       // guarded by queue.mu: its caller has left
	tries   int

	tx  *Tx   // the latest run
	err error // its own error: the savepoint is undone
}

// queue is where callers and the writer meet.
type queue struct {
	limit int
	delay time.Duration
	wake  chan struct{} // "something to commit"; of size 1

	mu       sync.Mutex // guards what follows; held for memory only
	waiting  []*write   // in order of arrival
	writes   int        // of those, the ones somebody waits for
	laters   int        // of those, the others
	bound    int        // of the writes, the ones that must not overtake
	underWay int        // counted writes that have no answer yet
	due      bool       // the Laters have waited long enough
	armed    bool       // timer is running
	timer    *time.Timer
	down     error // why writes are refused; nil while they are taken
	closed   bool
}

func newQueue(c Config) *queue {
	q := &queue{limit: c.InFlight, delay: c.LaterDelay, wake: make(chan struct{}, 1)}
	q.timer = time.AfterFunc(time.Hour, q.ripe)
	q.timer.Stop()
	return q
}

func (q *queue) do(ctx context.Context, fn func(*Tx) error, counted bool) error {
	return q.admit(ctx, &write{fn: fn, done: make(chan error, 1), counted: counted})
}

// admit brings w to the writer, unless there are too many, and waits for its outcome.
func (q *queue) admit(ctx context.Context, w *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	switch {
	case q.down != nil:
		err := q.down
		q.mu.Unlock()
		return err
	case w.counted && q.underWay >= q.limit:
		q.mu.Unlock()
		return ErrBusy
	}
	if w.counted {
		q.underWay++
	}
	if !w.alone {
		q.bound++
	}
	q.waiting = append(q.waiting, w)
	q.writes++
	q.mu.Unlock()
	q.signal()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		if q.withdraw(w) {
			return ctx.Err()
		}
		return <-w.done
	}
}

// withdraw takes a write back that the writer has not begun.
func (q *queue) withdraw(w *write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.begun {
		return false
	}
	w.gone, w.fn = true, nil
	q.writes--
	if !w.alone {
		q.bound--
	}
	if w.counted {
		q.underWay--
	}
	return true
}

// later returns how many Laters wait, 0 when the journal is closed.
func (q *queue) later(fn func(*Tx) error) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0
	}
	q.waiting = append(q.waiting, &write{fn: fn})
	q.laters++
	switch {
	case q.laters >= maxLaters:
		q.due = true
		q.signal()
	case !q.armed && !q.due:
		q.armed = true
		q.timer.Reset(q.delay)
	}
	return q.laters
}

// ripe is what the timer calls.
func (q *queue) ripe() {
	q.mu.Lock()
	q.armed = false
	q.due = q.laters > 0
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take moves what has gathered into batch, at most maxBatch, oldest first. Laters alone are taken when they are due, or all
// means now.
func (q *queue) take(batch []*write, now bool) []*write {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.writes == 0 && !(q.laters > 0 && (q.due || now)) {
		return batch
	}
	// Steps that nobody waits for stay behind when nobody who came needs them recorded first.
	pass := q.bound == 0 && !q.due && !now && q.laters <= maxPassed
	rest := q.waiting[:0]
	for _, w := range q.waiting {
		switch {
		case w.gone:
			continue
		case len(batch) == maxBatch, pass && w.done == nil:
			rest = append(rest, w)
			continue
		case w.done == nil:
			q.laters--
		default:
			q.writes--
			if !w.alone {
				q.bound--
			}
		}
		w.begun = true
		batch = append(batch, w)
	}
	clear(q.waiting[len(rest):])
	q.waiting = rest
	if q.laters == 0 {
		q.due = false
		if q.armed {
			q.armed = false
			q.timer.Stop()
		}
	}
	return batch
}

// answer tells every caller of a batch its outcome.
func (q *queue) answer(batch []*write, outcome func(*write) error) {
	q.mu.Lock()
	for _, w := range batch {
		if w.counted {
			q.underWay--
		}
	}
	q.mu.Unlock()
	for _, w := range batch {
		if w.done != nil {
			w.done <- outcome(w)
		}
	}
}

// back puts Laters of a failed batch at the head of the queue.
func (q *queue) back(laters []*write) {
	if len(laters) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range laters {
		w.begun, w.tx, w.err = false, nil, nil
	}
	q.waiting = slices.Concat(laters, q.waiting)
	q.laters += len(laters)
	q.due = true
}

// start takes writes.
func (q *queue) start() {
	q.mu.Lock()
	q.down = nil
	q.mu.Unlock()
	q.signal()
}

// refuse takes no more writes; those that wait stay.
func (q *queue) refuse(cause error) {
	q.mu.Lock()
	q.down = fmt.Errorf("%w: %w", ErrDown, cause)
	q.mu.Unlock()
}

// stop takes no more writes and tells those that wait. Laters stay for the next Run.
func (q *queue) stop(cause error) {
	q.mu.Lock()
	q.down = fmt.Errorf("%w: %w", ErrDown, cause)
	down := q.down
	var told, kept []*write
	for _, w := range q.waiting {
		switch {
		case w.gone:
		case w.done == nil:
			kept = append(kept, w)
		default:
			w.begun = true
			told = append(told, w)
		}
	}
	q.waiting, q.writes, q.bound = kept, 0, 0
	q.mu.Unlock()
	q.answer(told, func(*write) error { return down })
}

// close drops what is left and tells how many that were.
func (q *queue) close() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost := len(q.waiting)
	q.closed, q.waiting, q.laters = true, nil, 0
	q.timer.Stop()
	return lost
}

func (q *queue) pending() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.laters > 0
}

// length is how many wait.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.writes + q.laters
}

func (q *queue) err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.down
}

var errStopped = errors.New("its writer is stopped")
