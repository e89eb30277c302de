package delivery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/rest"
)

// Kinds of calls. Progress is called by the name of the status.
const (
	callCreated   = "created"
	callUpdated   = "updated" // answers an update
	callFailed    = "failed"
	callAccept    = "accept"
	callDeny      = "deny"
	callFetch     = "fetch"
	callCancelled = "cancelled"
	callPaused    = "paused"
	callPause     = "pause"
	callResume    = "resume"
	callAnswer    = "answer"
	callInjected  = "injected"
)

// States of a call.
const (
	waiting    = "waiting"
	sent       = "sent"
	superseded = "superseded"
	skipped    = "skipped"
	failed     = "failed"
	expired    = "expired"
)

// A call is one thing that an aggregator is told.
type call struct {
	Kind      string             `json:"kind"`
	Ref       channel.Ref        `json:"ref,omitzero"`
	Ready     time.Time          `json:"ready,omitzero"`
	Until     time.Time          `json:"until,omitzero"`
	Reason    string             `json:"reason,omitzero"`
	Failure   *channel.Failure   `json:"failure,omitzero"`
	Denial    *channel.Denial    `json:"denial,omitzero"`
	Injection *channel.Injection `json:"injection,omitzero"`
	Event     *channel.Event     `json:"event,omitzero"`
	Paused    bool               `json:"paused,omitzero"`
	Update    bool               `json:"update,omitzero"`
}

// class is how soon a call goes among others: results of new orders, cancellations, progress (spec/delivery.md 5.5). What the
// marketplace waits for before it gives an order up goes before all: else the accept of an order that was fetched would wait
// once more behind the fetching of all that came since.
func (c *call) class() int {
	switch c.Kind {
	case callAccept, callDeny:
		return 0
	case callCreated, callUpdated, callFailed, callFetch:
		return 1
	case callCancelled, callPaused, callPause, callResume, callAnswer:
		return 2
	}
	return 3
}

const (
	insertCall = `INSERT INTO delivery_calls (key, aggregator, order_key, class, kind, state, attempts, next_at, created_at, cause, content) VALUES (?, ?, ?, ?, ?, 'waiting', 0, 0, ?, '', ?)`
	// What goes beyond a status makes telling that status superfluous.
	supersede = `UPDATE delivery_calls SET state = 'superseded' WHERE order_key = ? AND order_key <> 0 AND state = 'waiting' AND kind IN ('prepared', 'handed_off') AND attempts = 0`
)

// put keeps a call for the aggregator within the caller's transaction.
func (s *Service) put(tx *journal.Tx, l *link, order int64, c call) error {
	content, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep what %s is told: %w", l.Name, err)
	}
	switch c.Kind {
	case "handed_off", "fulfilled", callCancelled:
		if _, err := tx.Exec(supersede, order); err != nil {
			return fmt.Errorf("keep what %s is told: %w", l.Name, err)
		}
	}
	if _, err := tx.Exec(insertCall, s.c.Journal.NewID().Key(), l.Name, order, c.class(), c.Kind, tx.Now().UnixMicro(), content); err != nil {
		return fmt.Errorf("keep what %s is told: %w", l.Name, err)
	}
	tx.Follow(func(err error) {
		if err == nil && !l.out.hushed(c.Kind) { // else run looks again when it may speak
			poke(l.out.wake)
		}
	})
	return nil
}

// parallel is how many calls to one aggregator are under way at most; its client shares eight connections.
const parallel = 4

// leastAttempts is how often a call is made however old it is: the box may have been off, or its clock set forward.
const leastAttempts = 5

// longest is how long a call, or all of a kind, waits for its next attempt at most.
const longest = 15 * time.Minute

// downAfter is how many calls in a row fail before people are warned.
const downAfter = 3

// An outbox tells one aggregator. One goroutine, run, decides what goes next; each call has its own.
type outbox struct {
	s    *Service
	l    *link
	wake chan struct{} // of size 1: there may be something to do

	mu     sync.Mutex           // guards what follows; held for memory only
	flying int                  // calls under way; at most parallel
	busy   map[int64]bool       // calls under way or not yet recorded
	orders map[int64]int        // of busy calls, by order
	quiet  map[string]time.Time // kinds that have no call left until then
	misses int                  // calls in a row that nobody answered
	fault  string
	sentAt time.Time
	rests  time.Time // nothing is under way, and nothing may go out before; zero: that is not so
	calls  sync.WaitGroup
}

func newOutbox(s *Service, l *link) *outbox {
	return &outbox{s: s, l: l, wake: make(chan struct{}, 1), busy: map[int64]bool{}, orders: map[int64]int{}, quiet: map[string]time.Time{}}
}

// run works until ctx ends.
func (o *outbox) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer o.calls.Wait()
	var until time.Time     // nothing can begin before, unless somebody wakes us or the clock is set back
	var pause time.Duration // until then
	look := min(lookEvery, o.s.c.Look)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-timer.C:
			if left := until.Sub(o.s.c.Now()); left > 0 && left <= pause {
				timer.Reset(min(left, look))
				continue
			}
		}
		var err error
		if pause, err = o.work(ctx); ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		until = o.s.c.Now().Add(pause)
		if pause < idle {
			timer.Reset(min(pause, look))
			continue
		}
		timer.Reset(idle)
	}
}

// due is a call whose turn has come.
type due struct {
	key, order int64
	kind       string
	attempts   int
	created    time.Time
	call       call // read when it is made
}

// Of each order only the oldest call has its turn. Kinds that have no call left and calls that are put off are left out, so that
// they do not hide the others; what is put off for longer than any call is was put off before the clock was set back.
const (
	selectDue = `SELECT key, order_key, kind, attempts, created_at FROM delivery_calls c WHERE aggregator = ? AND state = 'waiting' AND kind NOT IN (SELECT value FROM json_each(?)) AND (next_at <= ? OR next_at > ?)
AND (order_key = 0 OR NOT EXISTS (SELECT 1 FROM delivery_calls e WHERE e.order_key = c.order_key AND e.order_key <> 0 AND e.aggregator = c.aggregator AND e.key < c.key AND e.state = 'waiting')) ORDER BY class, key LIMIT ?`
	selectNext = `SELECT coalesce(min(next_at), 0) FROM delivery_calls WHERE aggregator = ? AND state = 'waiting' AND kind NOT IN (SELECT value FROM json_each(?)) AND next_at > ? AND next_at <= ?`
	selectCall = `SELECT state, attempts, content FROM delivery_calls WHERE key = ?`
)

// lookEvery is how often the clock is read: it may be set.
const lookEvery = time.Second

// idle is how long an outbox without anything to do sleeps; it is woken when there is.
const idle = time.Hour

// work starts what is due and returns how long there is nothing more to start.
func (o *outbox) work(ctx context.Context) (time.Duration, error) {
	now := o.s.c.Now()
	pause := idle
	later := func(at time.Time) { pause = min(pause, max(at.Sub(now), time.Millisecond)) }
	silent := []string{}
	o.mu.Lock()
	o.rests = time.Time{}
	full := o.flying >= parallel
	for kind, until := range o.quiet {
		if !until.After(now) || until.Sub(now) > longest { // over, or the clock was set back
			delete(o.quiet, kind)
			continue
		}
		silent = append(silent, kind)
		later(until)
	}
	most := parallel + len(o.busy) // what is busy is among what is read
	o.mu.Unlock()
	if full {
		return idle, nil // the end of a call wakes us
	}
	list, next, err := o.read(ctx, silent, now, most)
	if err != nil {
		return 0, fmt.Errorf("read what %s is told: %w", o.l.Name, err)
	}
	if !next.IsZero() {
		later(next)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range list {
		d := &list[i]
		if o.busy[d.key] || d.order != 0 && o.orders[d.order] > 0 {
			continue
		}
		if at := o.quiet[d.kind]; at.After(now) { // since a moment ago
			later(at)
			continue
		}
		if o.flying >= parallel {
			return pause, nil // the end of a call wakes us
		}
		o.flying++
		o.busy[d.key] = true
		if d.order != 0 {
			o.orders[d.order]++
		}
		o.calls.Go(func() {
			o.call(ctx, *d)
			o.mu.Lock()
			o.flying--
			o.mu.Unlock()
			poke(o.wake)
		})
	}
	if len(o.busy) == 0 && pause < idle {
		o.rests = now.Add(pause)
	}
	return pause, nil
}

// read gives the calls whose turn it is, at most so many, and when the next one of those that are put off is due; zero: none is.
func (o *outbox) read(ctx context.Context, silent []string, now time.Time, most int) (list []due, next time.Time, err error) {
	except, err := json.Marshal(silent)
	if err != nil {
		return nil, next, err
	}
	until, far := now.UnixMicro(), now.Add(longest).UnixMicro()
	err = o.s.c.Journal.Each(ctx, selectDue, []any{o.l.Name, string(except), until, far, most}, func(scan func(...any) error) error {
		var d due
		var created int64
		err := scan(&d.key, &d.order, &d.kind, &d.attempts, &created)
		d.created = journal.FromMicros(created)
		list = append(list, d)
		return err
	})
	if err != nil || len(list) == most {
		return list, next, err
	}
	var at int64
	err = o.s.c.Journal.Read().QueryRowContext(ctx, selectNext, o.l.Name, string(except), until, far).Scan(&at)
	return list, journal.FromMicros(at), err
}

// free gives a call's place back.
func (o *outbox) free(d *due) {
	o.mu.Lock()
	delete(o.busy, d.key)
	if d.order != 0 {
		if o.orders[d.order]--; o.orders[d.order] <= 0 {
			delete(o.orders, d.order)
		}
	}
	o.mu.Unlock()
	poke(o.wake)
}

// call makes one attempt and records what came of it.
func (o *outbox) call(ctx context.Context, d due) {
	now := o.s.c.Now()
	if d.attempts >= leastAttempts && d.created.Add(o.s.c.Life).Before(now) {
		o.settle(&d, expired, "")
		return
	}
	var state string
	var attempts int
	var content []byte
	err := o.s.c.Journal.Read().QueryRowContext(ctx, selectCall, d.key).Scan(&state, &attempts, &content)
	if err != nil || state != waiting || attempts != d.attempts { // superseded, or made and put off, since it was read
		o.free(&d)
		return
	}
	if err := json.Unmarshal(content, &d.call); err != nil {
		o.settle(&d, failed, err.Error())
		return
	}
	attempt, cancel := context.WithTimeout(ctx, o.s.c.Timeout)
	err = o.make(attempt, &d.call)
	cancel()
	var limited *channel.Limited
	var e *rest.Error
	switch {
	case err == nil:
		o.came(nil)
		o.settle(&d, sent, "")
	case errors.Is(err, channel.ErrUnsupported):
		o.settle(&d, skipped, "")
	case ctx.Err() != nil:
		o.free(&d) // broken off; it goes out again after a restart
	case errors.As(err, &limited):
		o.hush(d.kind, now, max(limited.After, 10*time.Millisecond))
		o.free(&d)
	case errors.As(err, &e) && e.Status == http.StatusTooManyRequests:
		o.hush(d.kind, now, max(e.RetryAfter, time.Second))
		o.later(&d, now, err)
	case errors.As(err, &e) && e.Fate == rest.Refused && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusUnauthorized &&
		e.Status != http.StatusRequestTimeout && e.Status != http.StatusTooEarly:
		o.came(nil)
		o.settle(&d, failed, err.Error())
	default:
		var no *malformed
		if errors.As(err, &no) {
			o.settle(&d, failed, err.Error())
			return
		}
		o.came(err)
		pauses := o.s.c.Backoff
		pause := pauses[min(d.attempts, len(pauses)-1)]
		pause -= rand.N(pause/4 + 1)
		if e != nil {
			pause = min(max(pause, e.RetryAfter), longest)
		}
		o.later(&d, now.Add(pause), err)
	}
}

// make makes a call.
func (o *outbox) make(ctx context.Context, c *call) error {
	a := o.l.Client
	switch c.Kind {
	case callCreated, callUpdated:
		return a.Created(ctx, c.Ref)
	case callFailed:
		return a.Failed(ctx, c.Ref, *c.Failure)
	case callAccept:
		return a.Accept(ctx, c.Ref, c.Ready)
	case callDeny:
		return a.Deny(ctx, c.Ref, *c.Denial)
	case callCancelled:
		return a.Cancelled(ctx, c.Ref, c.Reason)
	case callInjected:
		return a.Injected(ctx, c.Ref, *c.Injection)
	case string(channel.Prepared):
		return a.Ready(ctx, c.Ref)
	case string(channel.HandedOff):
		return a.HandedOff(ctx, c.Ref)
	case string(channel.Fulfilled):
		return a.Fulfilled(ctx, c.Ref)
	case callPaused:
		return a.Paused(ctx, c.Ref.Event, c.Paused, "")
	case callPause:
		return a.Pause(ctx, c.Until, c.Reason)
	case callResume:
		return a.Resume(ctx)
	case callAnswer:
		return o.s.answerEvent(ctx, o.l, c)
	case callFetch:
		return o.s.fetch(ctx, o.l, c)
	}
	return fmt.Errorf("%w: %s", channel.ErrUnsupported, c.Kind)
}

const (
	settleCall = `UPDATE delivery_calls SET state = ?, cause = ?, attempts = attempts + 1 WHERE key = ? AND state = 'waiting'`
	delayCall  = `UPDATE delivery_calls SET attempts = attempts + 1, next_at = ?, cause = ? WHERE key = ? AND state = 'waiting'`
)

// settle records the end of a call. It may ride the next commit: one that is lost goes out again, and its event or order tells
// the aggregator that it is the same.
func (o *outbox) settle(d *due, state, cause string) {
	if o.s.c.Meter != nil {
		o.s.c.Meter.Count(o.l.Name, state)
		if state == sent {
			o.s.c.Meter.Took(o.l.Name, o.s.c.Now().Sub(d.created))
		}
	}
	if state == failed {
		o.s.c.Log.Warn("an aggregator refused what it was told", "platform", o.l.Name, "kind", d.kind, "order", d.call.Ref.FriendlyID, "err", cause)
	}
	o.s.c.Journal.Later(func(tx *journal.Tx) error {
		tx.After(func(error) { o.free(d) })
		cause := words.Tidy(cause, 300)
		if _, err := tx.Exec(settleCall, state, cause, d.key); err != nil || d.kind != callAccept || state == sent {
			return err
		}
		return o.s.unaccepted(tx, o.l, d.order, cause)
	})
}

// later records that a call has to be made again.
func (o *outbox) later(d *due, at time.Time, cause error) {
	o.s.c.Journal.Later(func(tx *journal.Tx) error {
		tx.After(func(error) { o.free(d) })
		_, err := tx.Exec(delayCall, at.UnixMicro(), words.Tidy(cause.Error(), 300), d.key)
		return err
	})
}

// hushed tells whether a kind of call rests now.
func (o *outbox) hushed(kind string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.quiet[kind].After(o.s.c.Now())
}

// hush lets a kind of call rest from now on, for so long.
func (o *outbox) hush(kind string, now time.Time, d time.Duration) {
	at := now.Add(min(d, longest))
	o.mu.Lock()
	if o.quiet[kind].Before(at) {
		o.quiet[kind] = at
	}
	o.mu.Unlock()
}

// came notes whether the aggregator answers.
func (o *outbox) came(err error) {
	o.mu.Lock()
	if err == nil {
		o.misses, o.fault, o.sentAt = 0, "", o.s.c.Now()
	} else {
		o.misses++
		o.fault = err.Error()
	}
	misses := o.misses
	o.mu.Unlock()
	switch {
	case err == nil:
		o.s.c.Warnings.Lower("aggregator_silent", o.l.Name)
	case misses == downAfter:
		o.s.raise("aggregator_silent", warning.Warn, o.l.Name, o.l.Title, words.Tidy(err.Error(), 200))
	}
}
