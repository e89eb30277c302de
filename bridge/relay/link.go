package relay

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/rest"
)

// downAfter is how many calls in a row have to fail before a platform counts as down. One alone may be that call's own fault,
// and what waits because of it is not hurried by the next success.
const downAfter = 3

// late is how long an update may wait before people are warned.
const late = time.Minute

// A link is one platform with what goes out to it. One goroutine, run, decides what goes next; each call has its own.
type link struct {
	s        *Service
	name     string
	platform Platform
	can      booking.Capabilities
	wake     chan struct{} // of size 1: there may be something to do

	mu       sync.Mutex // guards what follows; held for memory only
	on       bool
	busy     map[int64]int64 // party to the update that is under way or not yet settled; at most Config.Parallel
	hurried  map[int64]bool  // parties of busy that have more to tell
	taken    map[int64]bool  // updates that a transaction on its way supersedes
	calls    sync.WaitGroup  // those under way
	held     context.Context // ends when the link is held
	stop     context.CancelFunc
	misses   int       // calls in a row that got no answer that counts
	quiet    time.Time // the platform asked not to be called before
	tryAt    time.Time // when a platform that is down is tried again
	prompted bool
	sentAt   time.Time
	fault    string
}

func newLink(s *Service, name string, p Platform) *link {
	return &link{s: s, name: name, platform: p, can: p.Capabilities(), wake: make(chan struct{}, 1), busy: map[int64]int64{}, hurried: map[int64]bool{}, taken: map[int64]bool{}}
}

// stir makes run look again; it never blocks.
func (l *link) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// under tells whether an update is under way.
func (l *link) under(key int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.busy {
		if k == key {
			return true
		}
	}
	return false
}

// take keeps an update from being started until leave; false when it is under way.
func (l *link) take(party, key int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[party] == key {
		return false
	}
	l.taken[key] = true
	return true
}

// leave ends take: those updates are superseded now, or their transaction came to nothing.
func (l *link) leave(keys []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		delete(l.taken, key)
	}
	l.stir()
}

// hurry notes that a party under way has more to tell, so that the end of its call is written at once.
func (l *link) hurry(party int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.busy[party]; ok {
		l.hurried[party] = true
	}
}

func (l *link) hold() {
	l.mu.Lock()
	if l.on {
		l.on = false
		l.stop()
	}
	l.mu.Unlock()
	l.calls.Wait()
	l.stir()
}

func (l *link) release() {
	l.mu.Lock()
	if !l.on {
		l.on = true
		l.held, l.stop = context.WithCancel(context.Background())
		l.misses, l.quiet, l.fault = 0, time.Time{}, ""
	}
	l.mu.Unlock()
	l.stir()
}

func (l *link) prompt() {
	l.mu.Lock()
	l.prompted, l.quiet = true, time.Time{}
	l.mu.Unlock()
	l.stir()
}

// run works until ctx ends. Calls under way are broken off then; they go out again under their request id after a restart.
func (l *link) run(ctx context.Context) error {
	var timer *time.Timer
	defer l.calls.Wait()
	for {
		pause, err := l.work(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if timer == nil {
			timer = time.NewTimer(pause)
		} else {
			timer.Reset(pause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		case <-timer.C:
		}
	}
}

const (
	selectDue  = `SELECT key, party, attempts, next_at, created_at, expires_at, content FROM relays WHERE platform = ? AND state = 'waiting' AND next_at <= ? ORDER BY next_at, key LIMIT ?`
	selectHead = `SELECT key, party, attempts, next_at, created_at, expires_at, content FROM relays WHERE platform = ? AND state = 'waiting' AND next_at < ? ORDER BY next_at, key LIMIT 1`
	selectNext = `SELECT min(next_at) FROM relays WHERE platform = ? AND state = 'waiting' AND next_at > ?`
)

// idle is how long a link without anything to do sleeps; it is woken when there is.
const idle = time.Hour

// due is an update whose time has come.
type due struct {
	key, party int64
	attempts   int
	next       int64 // when it was due, as it was read
	created    time.Time
	expires    time.Time
	update     booking.Update
}

// work starts what is due and returns how long there is nothing more to start.
func (l *link) work(ctx context.Context) (time.Duration, error) {
	now := l.s.c.Now()
	l.mu.Lock()
	on, quiet, down, prompted, free := l.on, l.quiet.Sub(now), l.misses >= downAfter, l.prompted, l.s.c.Parallel-len(l.busy)
	tryIn := l.tryAt.Sub(now)
	if on && quiet <= 0 && free > 0 {
		l.prompted = false // else it waits, too
	}
	l.mu.Unlock()
	switch {
	case !on:
		return idle, nil
	case quiet > 0:
		return quiet, nil
	case free <= 0:
		return idle, nil // the end of a call wakes us
	}
	if prompted {
		if err := l.forward(ctx); err != nil {
			return 0, err
		}
	}
	// A platform that is down gets one call at a time.
	limit := 2 * l.s.c.Parallel // those of busy parties are among them
	list, err := l.read(ctx, selectDue, l.name, now.UnixMicro(), limit)
	if err != nil {
		return 0, err
	}
	if down {
		if free < l.s.c.Parallel {
			return idle, nil
		}
		if len(list) == 0 && tryIn <= 0 {
			if list, err = l.read(ctx, selectHead, l.name, int64(blocked)); err != nil {
				return 0, err
			}
		}
		list = list[:min(len(list), 1)]
	}
	for i := range list {
		if free == 0 {
			return idle, nil
		}
		if l.start(ctx, &list[i]) {
			free--
		}
	}
	var next sql.NullInt64
	if err := l.s.c.Journal.Read().QueryRowContext(ctx, selectNext, l.name, now.UnixMicro()).Scan(&next); err != nil {
		return 0, fmt.Errorf("read what waits: %w", err)
	}
	if !next.Valid || next.Int64 == blocked {
		return idle, nil
	}
	pause := time.UnixMicro(next.Int64).Sub(now)
	if down {
		pause = min(pause, max(tryIn, time.Millisecond))
	}
	return max(pause, time.Millisecond), nil
}

func (l *link) read(ctx context.Context, query string, args ...any) ([]due, error) {
	rows, err := l.s.c.Journal.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	defer rows.Close()
	var list []due
	for rows.Next() {
		var d due
		var created, expires int64
		var content []byte
		if err := rows.Scan(&d.key, &d.party, &d.attempts, &d.next, &created, &expires, &content); err != nil {
			return nil, fmt.Errorf("read what waits: %w", err)
		}
		if err := json.Unmarshal(content, &d.update); err != nil {
			return nil, fmt.Errorf("read what waits: %w", err)
		}
		d.created, d.expires = journal.FromMicros(created), journal.FromMicros(expires)
		list = append(list, d)
	}
	return list, rows.Err()
}

// start begins the call of an update, unless its party has one under way, something newer is taking its place, or the link was
// held meanwhile.
func (l *link) start(run context.Context, d *due) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, under := l.busy[d.party]; under || l.taken[d.key] || !l.on || run.Err() != nil {
		return false
	}
	l.busy[d.party] = d.key
	ctx, cancel := context.WithCancel(run)
	undo := context.AfterFunc(l.held, cancel)
	l.calls.Go(func() {
		defer cancel()
		defer undo()
		l.call(ctx, *d)
	})
	return true
}

// call makes one attempt and records what came of it.
func (l *link) call(ctx context.Context, d due) {
	now := l.s.c.Now()
	if !d.expires.After(now) {
		l.settle(&d, Expired, l.s.words.T("relay.expired"))
		return
	}
	// Superseded between reading and now: what took its place comes next. Or it was made and put off meanwhile.
	var state string
	var next int64
	err := l.s.c.Journal.Read().QueryRowContext(ctx, `SELECT state, next_at FROM relays WHERE key = ?`, d.key).Scan(&state, &next)
	if err != nil || state != Waiting || next != d.next {
		l.free(d.party)
		return
	}
	attempt, cancel := context.WithTimeout(ctx, l.s.c.Timeout)
	err = l.platform.Deliver(attempt, d.update)
	cancel()
	switch {
	case err == nil:
		l.came(nil, 0)
		l.settle(&d, Sent, "")
	case errors.Is(err, booking.ErrUnsupported):
		l.settle(&d, Skipped, l.s.words.T("relay.skipped"))
	case ctx.Err() != nil:
		// Broken off: the platform may have it already, which its request id tells when it goes out again.
		l.free(d.party)
	default:
		again, pause := l.judge(err, d.attempts)
		if !again {
			l.came(nil, 0)
			l.settle(&d, Failed, err.Error())
			return
		}
		l.came(err, rest.RetryAfter(err))
		l.later(&d, now.Add(pause), err)
	}
}

// judge tells whether an update that did not come through goes out again, and after how long.
func (l *link) judge(err error, attempts int) (bool, time.Duration) {
	pauses := l.s.c.Backoff
	pause := pauses[min(attempts, len(pauses)-1)]
	pause -= rand.N(pause/4 + 1)
	var e *rest.Error
	if !errors.As(err, &e) {
		return true, pause
	}
	switch {
	case e.Status == 0, e.Status >= 500, e.Status == http.StatusUnauthorized, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly,
		e.Status == http.StatusTooManyRequests, e.Fate != rest.Refused:
		return true, max(pause, e.RetryAfter)
	}
	return false, 0
}

// came notes how the platform stands after a call. When it answers again, everything that waited goes.
func (l *link) came(err error, quiet time.Duration) {
	now := l.s.c.Now()
	l.mu.Lock()
	if err != nil {
		l.misses++
		l.fault, l.tryAt = err.Error(), now.Add(l.s.c.Probe)
		if quiet > 0 {
			l.quiet = now.Add(quiet)
		}
	} else {
		l.prompted = l.prompted || l.misses >= downAfter
		l.misses, l.fault = 0, ""
	}
	l.mu.Unlock()
	if l.s.c.Heard != nil {
		l.s.c.Heard(l.name, err)
	}
	if err == nil {
		l.s.c.Warnings.Lower("relay_behind", l.name)
	}
}

const (
	sooner    = `UPDATE relays SET next_at = ? WHERE platform = ? AND state = 'waiting' AND next_at > ? AND next_at < ? AND kind <> 'check'`
	settled   = `UPDATE relays SET state = ?, attempts = attempts + ?, settled_at = ?, answer = ? WHERE key = ?`
	unblock   = `UPDATE relays SET next_at = CASE kind WHEN 'check' THEN ? ELSE ? END WHERE key = (SELECT min(key) FROM relays WHERE party = ? AND state = 'waiting') AND next_at = ?`
	postponed = `UPDATE relays SET attempts = attempts + 1, next_at = ?, answer = ? WHERE key = ? AND state = 'waiting'`
)

// forward makes everything due that waits by its back-off.
func (l *link) forward(ctx context.Context) error {
	now := l.s.c.Now().UnixMicro()
	return l.s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		_, err := tx.Exec(sooner, now, l.name, now, int64(blocked))
		return err
	})
}

// settle records the end of an update and lets the next one of its party go. The record may ride a later commit: if it is
// lost with the power, the same request goes out once more. A party that has more to tell does not wait for that.
func (l *link) settle(d *due, state, answer string) {
	now := l.s.c.Now()
	l.mu.Lock()
	hurried := l.hurried[d.party]
	if state == Sent {
		l.sentAt = now
	}
	l.mu.Unlock()
	attempts := 0
	if state == Sent || state == Failed {
		attempts = 1
	}
	write := func(tx *journal.Tx) error {
		if _, err := tx.Exec(settled, state, attempts, tx.Now(), answer, d.key); err != nil {
			return err
		}
		if _, err := tx.Exec(unblock, tx.Now().Add(l.s.c.Pause), tx.Now(), d.party, int64(blocked)); err != nil {
			return err
		}
		news(tx, l.name, &d.update, state)
		tx.After(func(err error) {
			if err == nil {
				l.s.metrics.Count(l.name, state)
				if state == Sent {
					l.s.metrics.Took(l.name, now.Sub(d.created))
				}
			}
			l.free(d.party)
		})
		if l.s.c.Settled != nil && state != Sent {
			return l.s.c.Settled(tx, d.party, d.update, state, answer)
		}
		return nil
	}
	if state == Failed {
		l.s.c.Log.Warn("platform refused an update", "platform", l.name, "kind", d.update.Kind, "err", answer)
		l.raise("relay_refused", warning.Warn, answer)
	}
	if state == Sent {
		l.s.c.Warnings.Lower("relay_refused", l.name)
	}
	// What staff did counts against the platform's word until it was told, so that ends at once too.
	if k := d.update.Kind; hurried || k == booking.KindStatus || k == booking.KindTables || k == booking.KindCovers {
		l.record(d.party, write)
		return
	}
	l.s.c.Journal.Later(write)
}

// record writes at once what came of a call.
func (l *link) record(party int64, write func(*journal.Tx) error) {
	if err := l.s.c.Journal.Insist(context.Background(), write); err != nil {
		l.s.c.Log.Warn("what came of an update was not recorded, it goes out again", "platform", l.name, "err", err)
		l.free(party)
	}
}

// later puts an update off.
func (l *link) later(d *due, next time.Time, cause error) {
	if next.After(d.expires) {
		next = d.expires
	}
	if waited := l.s.c.Now().Sub(d.created); waited > late {
		l.raise("relay_behind", warning.Warn, waited.Round(time.Second).String(), cause.Error())
	}
	l.record(d.party, func(tx *journal.Tx) error {
		tx.After(func(error) { l.free(d.party) })
		news(tx, l.name, &d.update, Waiting)
		_, err := tx.Exec(postponed, next, cause.Error(), d.key)
		return err
	})
}

func (l *link) raise(code, severity string, args ...any) {
	args = append([]any{l.name}, args...)
	l.s.c.Warnings.Raise(warning.Worded(l.s.words, code, severity, l.name, args...))
}

// free ends a party's turn.
func (l *link) free(party int64) {
	l.mu.Lock()
	delete(l.busy, party)
	delete(l.hurried, party)
	l.mu.Unlock()
	l.stir()
}
