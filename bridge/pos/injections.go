package pos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
)

// States of an injection besides waiting.
const (
	sending   = "sending"
	unknown   = "unknown" // it left, and nobody knows whether the till has it
	failed    = "failed"
	withdrawn = "withdrawn"
)

// Defaults for an InjectionsConfig left at zero (spec/delivery.md 8).
const (
	DefaultLimit    = 3 * time.Minute
	DefaultOldest   = 4 * time.Hour
	DefaultParallel = 32
	DefaultTimeout  = time.Minute
	DefaultStagger  = 250 * time.Millisecond
	DefaultAlert    = time.Minute
)

// Outcomes of an attempt.
const (
	Pending = "pending" // it will be tried again
	In      = "in"      // the till has the order
	Out     = "out"     // it has not, and nothing more is tried without a person
)

// More codes of an Outcome.
const (
	TooOld   = "too_old"
	NoAnswer = "no_answer" // nobody knows whether the till has the order
)

// Outcome is what became of an attempt.
type Outcome struct {
	State    string
	Code     string // of a Refusal, TooOld or NoAnswer; empty with In
	Detail   string
	Attempts int
	NextAt   time.Time // with Pending
	ID       string    // at the till
	Total    *int64    // what the till makes of it, minor units; nil: it does not tell
}

// Job is an order to hand over.
type Job struct {
	ID        journal.ID
	Reference string // as Reference makes it
	Lane      string // orders of one lane go one after the other; "": on its own
	Order     Order
	Deadline  time.Time // the partner waits no longer; zero: DefaultLimit alone counts
}

// InjectionsConfig of Injections. Journal, Till and Report are required.
type InjectionsConfig struct {
	Journal *journal.Journal
	Till    Adapter
	// Report hears, in the transaction that records it, what became of an attempt.
	Report func(tx *journal.Tx, order journal.ID, o Outcome) error
	// Down hears that the till has taken nothing for Alert, and with an empty code that it does again; nil: nobody.
	Down func(code, detail string)

	Backoff  []time.Duration // pauses between attempts, the last one again and again; nil: 0.5, 1, 2, 4, 8, 15, 30 s
	Limit    time.Duration   // an order that did not come in by then has failed
	Oldest   time.Duration   // an older order is not begun
	Parallel int             // attempts at once
	Timeout  time.Duration   // of one attempt
	Stagger  time.Duration   // between two orders of a backlog, so that they arrive in their order
	Alert    time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Injections brings orders to a till. What is queued is on disk; what left is on disk before it leaves. An order whose outcome
// nobody knows is looked for by its reference before it leaves again, and leaves without anybody knowing at most once: so
// whatever happens to box, network and till, an order is at the till once. Its methods may be called from any goroutine.
type Injections struct {
	c    InjectionsConfig
	wake chan struct{} // of size 1: look at the table again
	hand chan task     // of size Parallel: recorded as leaving by the order's own transaction

	mu       sync.Mutex // guards what follows
	running  bool
	flying   map[int64]bool // keys under way; false: the till has it, and the table is no other by that
	backlog  bool           // something waits in the table
	looking  bool           // it is being looked through
	down     error          // why the till takes nothing; nil: it does
	since    time.Time      // of down
	until    time.Time      // the next look at a till that is down
	told     bool           // Down was
	catching bool           // what gathered while it was down goes one by one
	launched time.Time      // the latest of these
}

// NewInjections checks c. It starts nothing.
func NewInjections(c InjectionsConfig) (*Injections, error) {
	if c.Journal == nil || c.Till == nil || c.Report == nil {
		return nil, errors.New("pos: injections need a journal, a till and somebody who hears of them")
	}
	for _, d := range []struct {
		v  *time.Duration
		or time.Duration
	}{{&c.Limit, DefaultLimit}, {&c.Oldest, DefaultOldest}, {&c.Timeout, DefaultTimeout}, {&c.Stagger, DefaultStagger}, {&c.Alert, DefaultAlert}} {
		if *d.v <= 0 {
			*d.v = d.or
		}
	}
	if len(c.Backoff) == 0 {
		c.Backoff = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}
	}
	if c.Parallel <= 0 {
		c.Parallel = DefaultParallel
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Down == nil {
		c.Down = func(string, string) {}
	}
	return &Injections{c: c, wake: make(chan struct{}, 1), hand: make(chan task, c.Parallel), flying: map[int64]bool{}}, nil
}

// task is one attempt.
type task struct {
	Job
	generation int
	state      string // when it was read: waiting or unknown
	attempts   int    // this one counted
	sends      int
	blind      int
	withdrawn  bool
	sentAt     time.Time
	created    time.Time
	giveUp     time.Time
	leaving    bool // it is recorded as leaving already
}

// never is next_at of what is under way.
const never = math.MaxInt64

const (
	insertInjection = `INSERT INTO injections (key, id, reference, generation, lane, state, open, withdrawn, attempts, sends, blind, spent, created_at, sent_at, next_at, give_up_at, settled_at, cause, detail, till_id, content)
		VALUES (?, ?, ?, 0, ?, ?, 1, 0, ?, ?, 0, 0, ?, ?, ?, ?, 0, '', '', '', ?) ON CONFLICT (key) DO NOTHING`
	selectStand = `SELECT state, generation, spent, sends, detail, cause FROM injections WHERE key = ?`
	reopen      = `UPDATE injections SET state = ?, open = 1, withdrawn = 0, generation = ?, reference = ?, spent = 0, attempts = 0, blind = 0, created_at = ?, next_at = ?, give_up_at = ?, settled_at = 0, cause = '', detail = '', content = ? WHERE key = ?`
	leftAlone   = `UPDATE injections SET state = 'unknown', next_at = ? WHERE key = ? AND state = 'sending'`
	refresh     = `UPDATE injections SET content = ?, next_at = CASE next_at WHEN ? THEN next_at ELSE ? END WHERE key = ? AND state = 'waiting'`
)

// Put queues an order, in the transaction that releases it. One that failed before is tried again, after it was looked for.
func (i *Injections) Put(tx *journal.Tx, j Job) error {
	content, err := json.Marshal(j.Order)
	if err != nil {
		return fmt.Errorf("order %s for the till: %w", j.ID, err)
	}
	now := tx.Now()
	giveUp := now.Add(i.c.Limit)
	if !j.Deadline.IsZero() && j.Deadline.Before(giveUp) {
		giveUp = j.Deadline
	}
	t := task{Job: j, state: waiting, created: now, giveUp: giveUp}
	state, next, sent := waiting, now.UnixMicro(), time.Time{}
	if j.Lane == "" && i.claim(j.ID.Key()) {
		t.leaving, t.attempts, t.sends, t.sentAt = true, 1, 1, now
		state, next, sent = sending, never, now
	}
	tx.After(func(err error) {
		switch {
		case t.leaving && err == nil:
			select {
			case i.hand <- t:
			default: // whoever took the places fell; the order stands as leaving and is looked for
				i.c.Journal.Later(func(tx *journal.Tx) error {
					_, err := tx.Exec(leftAlone, tx.Now(), j.ID.Key())
					return err
				})
				i.landed(j.ID.Key())
			}
		case t.leaving:
			i.landed(j.ID.Key())
		}
	})
	tx.Follow(func(err error) {
		if err == nil && !t.leaving {
			i.stir()
		}
	})
	rows, err := tx.Exec(insertInjection, j.ID.Key(), j.ID[:], j.Reference, j.Lane, state, t.attempts, t.sends, now, journal.Micros(sent), next, giveUp, content)
	if err != nil {
		return fmt.Errorf("queue order %s for the till: %w", j.ID, err)
	}
	if rows == 1 {
		return nil
	}
	if t.leaving { // it was here before: what became of it counts
		t.leaving = false
		i.landed(j.ID.Key())
	}
	return i.again(tx, j, content, now, giveUp)
}

// again queues an order that was queued before.
func (i *Injections) again(tx *journal.Tx, j Job, content []byte, now, giveUp time.Time) error {
	var was, detail, cause string
	var generation, spent, sends int
	if err := tx.QueryRow(selectStand, []any{j.ID.Key()}, &was, &generation, &spent, &sends, &detail, &cause); err != nil {
		return fmt.Errorf("read order %s for the till: %w", j.ID, err)
	}
	switch was {
	case waiting:
		_, err := tx.Exec(refresh, content, int64(never), now, j.ID.Key())
		return err
	case sending, unknown:
		return nil
	}
	state := waiting
	if was != failed || cause == NoAnswer {
		state = unknown // it is looked for first
	}
	if spent != 0 {
		generation, state = generation+1, waiting
	}
	_, err := tx.Exec(reopen, state, generation, nth(j.Reference, generation), now, now, giveUp, content, j.ID.Key())
	return err
}

// nth is the reference after so many were used up.
func nth(reference string, generation int) string {
	if generation == 0 {
		return reference
	}
	suffix := fmt.Sprintf("-%d", generation)
	return reference[:min(len(reference), MaxReference-len(suffix))] + suffix
}

const updateContent = `UPDATE injections SET content = ? WHERE key = ? AND state = 'waiting'`

// Change gives an order that has not left another content; taken false: it left, or is not here.
func (i *Injections) Change(tx *journal.Tx, order journal.ID, o Order) (taken bool, err error) {
	content, err := json.Marshal(o)
	if err != nil {
		return false, fmt.Errorf("order %s for the till: %w", order, err)
	}
	rows, err := tx.Exec(updateContent, content, order.Key())
	return rows == 1, err
}

const (
	withdrawWaiting = `UPDATE injections SET state = 'withdrawn', open = 0, settled_at = ?, content = x'' WHERE key = ? AND state = 'waiting'`
	withdrawFlying  = `UPDATE injections SET withdrawn = 1 WHERE key = ? AND open = 1`
)

// Withdraw ends the attempts for an order: it was cancelled, or somebody typed it in. under: it left, and what became of that
// will be reported.
func (i *Injections) Withdraw(tx *journal.Tx, order journal.ID) (under bool, err error) {
	rows, err := tx.Exec(withdrawWaiting, tx.Now(), order.Key())
	if err != nil || rows == 1 {
		return false, err
	}
	rows, err = tx.Exec(withdrawFlying, order.Key())
	return rows == 1, err
}

// claim takes a place for an order that may leave at once; landed gives it back. One that has to wait is looked for in the table.
func (i *Injections) claim(key int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.running || i.down != nil || i.catching || i.backlog || len(i.flying) >= i.c.Parallel {
		i.backlog = true
		return false
	}
	if _, under := i.flying[key]; under {
		i.backlog = true
		return false
	}
	i.flying[key] = true
	return true
}

func (i *Injections) landed(key int64) {
	i.mu.Lock()
	look := i.flying[key]
	delete(i.flying, key)
	look = look || i.backlog || i.looking || i.down != nil || i.catching
	i.mu.Unlock()
	if look { // else nothing in the table waits for its place
		i.stir()
	}
}

func (i *Injections) stir() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// Standing is how the hand-over to a till stands.
type Standing struct {
	Kind     string    `json:"kind"`
	Location string    `json:"location,omitzero"`
	Up       bool      `json:"up" doc:"the latest call came through"`
	Cause    string    `json:"cause,omitzero" doc:"why it takes nothing: pos_offline, pos_closed, busy, credentials"`
	Detail   string    `json:"detail,omitzero"`
	Since    time.Time `json:"since,omitzero" doc:"since when it takes nothing"`
	Waiting  int       `json:"waiting" doc:"orders on their way"`
	Oldest   time.Time `json:"oldest,omitzero"`
	Failed   int       `json:"failed" doc:"orders of the last day that did not come in"`
}

const selectStanding = `SELECT coalesce(sum(open), 0), coalesce(min(CASE open WHEN 1 THEN created_at END), 0), coalesce(sum(state = 'failed'), 0) FROM injections WHERE open = 1 OR key >= ?`

// Standing tells how it stands.
func (i *Injections) Standing(ctx context.Context) (Standing, error) {
	var s Standing
	var oldest int64
	day := journal.KeyAt(i.c.Now().Add(-24 * time.Hour))
	if err := i.c.Journal.Read().QueryRowContext(ctx, selectStanding, day).Scan(&s.Waiting, &oldest, &s.Failed); err != nil {
		return s, fmt.Errorf("count what waits for the till: %w", err)
	}
	s.Oldest = journal.FromMicros(oldest)
	i.mu.Lock()
	defer i.mu.Unlock()
	if s.Up = i.down == nil; !s.Up {
		s.Cause, s.Detail = coded(i.down)
		s.Since = i.since.UTC()
	}
	return s, nil
}

// coded is the code of an error of a till, and its words.
func coded(err error) (code, detail string) {
	var no *Refusal
	if errors.As(err, &no) {
		return no.Code, no.Detail
	}
	return NoAnswer, "the till did not answer; look for the order there before typing it in"
}

const selectHeard = `SELECT key FROM injections WHERE reference = ? ORDER BY key DESC LIMIT 1`

// Heard takes what the till says of an order by itself, later than anybody waited for it.
func (i *Injections) Heard(ctx context.Context, reference string, o Opened, verdict error) error {
	var key int64
	err := i.c.Journal.Read().QueryRowContext(ctx, selectHeard, reference).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for order %s: %w", reference, err)
	}
	return i.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if verdict == nil {
			return i.settleIn(tx, key, o)
		}
		return i.settleOut(tx, key, verdict, true)
	})
}
