package pos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/bepoz"
	"aboyeur/protocol/booking/wire"
)

// Floor is where what a till says is done.
type Floor interface {
	// Do does m at the box's floor. check is ours for the till's, zero for one that is not known; Opened gives it back. Done
	// again with the same key it changes nothing. The error is a *Refusal, which is final, or something that passes.
	Do(ctx context.Context, key string, check journal.ID, m bepoz.Message) (journal.ID, error)
}

// Bookings is the list of reservations as a till's operator sees it.
type Bookings interface {
	// List gives the bookings of the business days around today, with the time since a platform was last heard.
	List(ctx context.Context) (all []bepoz.Booking, age time.Duration, err error)
	// Open opens the check of a seated booking; the same one again gives the same check. The error is a *bepoz.Refusal.
	Open(ctx context.Context, till, reference string) (check, table string, err error)
	// Today is the business day, at midnight UTC, as Booking.Day counts.
	Today() time.Time
}

// States of a message.
const (
	waiting = "waiting"
	done    = "done"
	refused = "refused"
)

// keep is how many messages of a till that were done are kept at least, for whoever asks what it said.
const keep = 10000

// firstPause and longestPause stand between two tries of a message that the floor could not do yet.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
)

// QueueConfig of a Queue. Journal and Floor are required.
type QueueConfig struct {
	Journal  *journal.Journal
	Floor    Floor
	Bookings Bookings // nil: there is no list
	Secret   []byte   // that tills say in HELLO; empty: no till may speak lines
	Refused  *Refused // keeps what was refused; nil: nobody does
	Now      func() time.Time
	Log      *slog.Logger
}

// A Queue takes what tills tell. Run does it at the floor.
type Queue struct {
	c    QueueConfig
	wake chan struct{} // 1: something waits

	mu     sync.Mutex // guards faults
	faults map[string]string
}

var _ bepoz.Desk = (*Queue)(nil)

// NewQueue checks c. It starts nothing.
func NewQueue(c QueueConfig) (*Queue, error) {
	if c.Journal == nil || c.Floor == nil {
		return nil, errors.New("pos: a queue needs a journal and a floor")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Queue{c: c, wake: make(chan struct{}, 1), faults: map[string]string{}}, nil
}

const (
	selectLast    = `SELECT last FROM tills WHERE till = ?`
	upsertTill    = `INSERT INTO tills (till, last, version, seen_at) VALUES (?, ?, ?, ?) ON CONFLICT (till) DO UPDATE SET last = excluded.last, version = CASE excluded.version WHEN '' THEN version ELSE excluded.version END, seen_at = excluded.seen_at`
	insertMessage = `INSERT INTO till_messages (till, seq, state, received_at, content) VALUES (?, ?, 'waiting', ?, ?)`
)

// Hello tells the last number of a till that is on disk.
func (q *Queue) Hello(ctx context.Context, till string, v bepoz.Version, secret string) (last int64, err error) {
	if len(q.c.Secret) == 0 || !wire.Same(secret, q.c.Secret) {
		q.refuse(http.StatusUnauthorized, "a till's HELLO without the secret of this box", "", nil)
		return 0, &bepoz.Refusal{Code: bepoz.CodeSecret, Text: "the secret is not the one of this box"}
	}
	err = q.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := tx.QueryRow(selectLast, []any{till}, &last); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err := tx.Exec(upsertTill, till, last, v.String(), tx.Now())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("greet till %s: %w", till, err)
	}
	return last, nil
}

// Take keeps a message: when it is acknowledged, it is on disk. A number that was taken before changes nothing, one that comes
// too early is not taken.
func (q *Queue) Take(ctx context.Context, m bepoz.Message) (a bepoz.Answer, err error) {
	content, err := json.Marshal(m)
	if err != nil {
		return a, fmt.Errorf("keep message %d of till %s: %w", m.Seq, m.Till, err)
	}
	err = q.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		var last int64
		if err := tx.QueryRow(selectLast, []any{m.Till}, &last); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		a = bepoz.Answer{Ack: last}
		switch bepoz.Judge(last, m.Seq) {
		case bepoz.Seen:
			return nil
		case bepoz.Gap:
			a.Resend = last + 1
			return nil
		}
		a.Ack = m.Seq
		if _, err := tx.Exec(insertMessage, m.Till, m.Seq, tx.Now(), content); err != nil {
			return err
		}
		_, err := tx.Exec(upsertTill, m.Till, m.Seq, "", tx.Now())
		return err
	})
	if err != nil {
		return bepoz.Answer{}, fmt.Errorf("keep message %d of till %s: %w", m.Seq, m.Till, err)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return a, nil
}

// Run does what waits, in the order of each till, until ctx ends.
func (q *Queue) Run(ctx context.Context) error {
	pause := firstPause
	for {
		left, err := q.work(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if !left {
			pause = firstPause
			select {
			case <-q.wake:
			case <-ctx.Done():
				return nil
			}
			continue
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
		pause = min(2*pause, longestPause)
	}
}

const (
	selectWaiting = `SELECT till, seq, content FROM till_messages WHERE state = 'waiting' ORDER BY till, seq LIMIT 256`
	selectCheck   = `SELECT check_id FROM till_checks WHERE number = ?`
	upsertCheck   = `INSERT INTO till_checks (number, check_id) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET check_id = excluded.check_id`
	deleteCheck   = `DELETE FROM till_checks WHERE number = ?`
	forgetDone    = `DELETE FROM till_messages WHERE till = ? AND seq <= ? AND state = 'done'`
	settleMessage = `UPDATE till_messages SET state = ?, cause = ? WHERE till = ? AND seq = ? AND state = 'waiting'`
)

// work goes through what waits once. left: a till is held up by something that passes.
func (q *Queue) work(ctx context.Context) (left bool, err error) {
	for {
		list, err := q.waiting(ctx)
		if err != nil {
			return false, err
		}
		held := map[string]bool{}
		for _, m := range list {
			if held[m.Till] {
				continue
			}
			passes, err := q.do(ctx, m)
			if err != nil {
				return false, err
			}
			q.mu.Lock()
			if passes != nil {
				held[m.Till] = true
				q.faults[m.Till] = passes.Error()
			} else {
				delete(q.faults, m.Till)
			}
			q.mu.Unlock()
		}
		if len(list) == 0 || len(held) > 0 {
			return len(held) > 0, nil
		}
	}
}

func (q *Queue) waiting(ctx context.Context) (list []bepoz.Message, err error) {
	rows, err := q.c.Journal.Read().QueryContext(ctx, selectWaiting)
	if err != nil {
		return nil, fmt.Errorf("read what tills told: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m bepoz.Message
		var content []byte
		if err := rows.Scan(&m.Till, &m.Seq, &content); err != nil {
			return nil, fmt.Errorf("read what tills told: %w", err)
		}
		if err := json.Unmarshal(content, &m); err != nil {
			return nil, fmt.Errorf("read message %d of till %s: %w", m.Seq, m.Till, err)
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// refuse notes a message that was refused.
func (q *Queue) refuse(status int, reason, about string, body []byte) {
	if q.c.Refused != nil {
		q.c.Refused.Note(status, reason, about, body)
	}
}

// do does one message and records what became of it. passes: it has to be tried again.
func (q *Queue) do(ctx context.Context, m bepoz.Message) (passes, err error) {
	var check journal.ID
	var id []byte
	err = q.c.Journal.Read().QueryRowContext(ctx, selectCheck, m.Check).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return nil, fmt.Errorf("read check %s of till %s: %w", m.Check, m.Till, err)
	default:
		copy(check[:], id)
	}
	state, cause := done, ""
	made, failed := q.c.Floor.Do(ctx, fmt.Sprintf("till/%s/%d", m.Till, m.Seq), check, m)
	var no *Refusal
	switch {
	case errors.As(failed, &no):
		state, cause = refused, no.Error()
		q.c.Log.Warn("till message refused", "till", m.Till, "seq", m.Seq, "check", m.Check, "err", failed)
		q.refuse(http.StatusUnprocessableEntity, fmt.Sprintf("%s of till %s, message %d: %s", m.Event, m.Till, m.Seq, cause), m.Check, nil)
	case failed != nil:
		return failed, nil
	}
	err = q.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if state == done && m.Event == bepoz.Opened {
			if _, err := tx.Exec(upsertCheck, m.Check, made[:]); err != nil {
				return err
			}
		}
		if state == done && m.Event == bepoz.Cancelled {
			if _, err := tx.Exec(deleteCheck, m.Check); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(settleMessage, state, cause, m.Till, m.Seq); err != nil || m.Seq%keep != 0 {
			return err
		}
		_, err := tx.Exec(forgetDone, m.Till, m.Seq-keep)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record message %d of till %s: %w", m.Seq, m.Till, err)
	}
	return nil, nil
}

// List gives bookings from memory or disk, never from a platform.
func (q *Queue) List(ctx context.Context, f bepoz.Filter) ([]bepoz.Booking, time.Duration, error) {
	if q.c.Bookings == nil {
		return nil, 0, &bepoz.Refusal{Code: bepoz.CodeNotSupported, Text: "no reservation platform is linked"}
	}
	all, age, err := q.c.Bookings.List(ctx)
	if err != nil {
		return nil, 0, err
	}
	today := q.c.Bookings.Today()
	shown := []bepoz.Booking{}
	for _, b := range all {
		if f.Shows(&b, today) {
			shown = append(shown, b)
		}
	}
	return shown, age, nil
}

// Show gives one booking.
func (q *Queue) Show(ctx context.Context, reference string) (bepoz.Booking, error) {
	if q.c.Bookings != nil {
		all, _, err := q.c.Bookings.List(ctx)
		if err != nil {
			return bepoz.Booking{}, err
		}
		for _, b := range all {
			if b.Reference == reference {
				return b, nil
			}
		}
	}
	return bepoz.Booking{}, &bepoz.Refusal{Code: bepoz.CodeUnknown, Text: "there is no such booking"}
}

// Open opens the check of a booking whose party sits; otherwise the operator is told to seat it at the platform first.
func (q *Queue) Open(ctx context.Context, till, reference string) (check, table string, err error) {
	b, err := q.Show(ctx, reference)
	switch {
	case err != nil:
		return "", "", err
	case !b.Seated:
		return "", "", &bepoz.Refusal{Code: bepoz.CodeNotSeated, Text: "the party is not seated; confirm and seat it at the reservation platform, then open the table"}
	}
	return q.c.Bookings.Open(ctx, till, reference)
}

// Till is how one till's queue stands.
type Till struct {
	Till    string    `json:"till"`
	Version string    `json:"version"`
	Last    int64     `json:"last" doc:"the last number on disk"`
	Waiting int       `json:"waiting"`
	Refused int       `json:"refused"`
	Oldest  time.Time `json:"oldest,omitzero" doc:"since when the oldest one waits"`
	Error   string    `json:"error,omitzero" doc:"what holds it up, else the last refusal"`
	SeenAt  time.Time `json:"seen_at"`
}

const selectTills = `SELECT t.till, t.version, t.last, t.seen_at,
	(SELECT count(*) FROM till_messages m WHERE m.till = t.till AND m.state = 'waiting'),
	(SELECT count(*) FROM till_messages m WHERE m.till = t.till AND m.state = 'refused'),
	coalesce((SELECT min(received_at) FROM till_messages m WHERE m.till = t.till AND m.state = 'waiting'), 0),
	coalesce((SELECT cause FROM till_messages m WHERE m.till = t.till AND m.state = 'refused' ORDER BY seq DESC LIMIT 1), '')
	FROM tills t ORDER BY t.till LIMIT 200`

// Tills tells how every queue stands.
func (q *Queue) Tills(ctx context.Context) ([]Till, error) {
	rows, err := q.c.Journal.Read().QueryContext(ctx, selectTills)
	if err != nil {
		return nil, fmt.Errorf("read tills: %w", err)
	}
	defer rows.Close()
	all := []Till{}
	q.mu.Lock()
	defer q.mu.Unlock()
	for rows.Next() {
		var t Till
		var seen, oldest int64
		if err := rows.Scan(&t.Till, &t.Version, &t.Last, &seen, &t.Waiting, &t.Refused, &oldest, &t.Error); err != nil {
			return nil, fmt.Errorf("read tills: %w", err)
		}
		t.SeenAt = time.UnixMicro(seen).UTC()
		if oldest > 0 {
			t.Oldest = time.UnixMicro(oldest).UTC()
		}
		if held := q.faults[t.Till]; held != "" {
			t.Error = held
		}
		all = append(all, t)
	}
	return all, rows.Err()
}
