package pos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
)

// longestWait is how long the table is not looked at though nothing is due: a clock that was set is noticed within it.
const longestWait = 30 * time.Second

// recordTime is how long the last word of an attempt may take to reach the disk while the box stops.
const recordTime = 3 * time.Second

const leftBehind = `UPDATE injections SET state = 'unknown', sent_at = ?, next_at = ? WHERE state = 'sending' AND open = 1`

// Run brings to the till what is queued, until ctx ends. What was leaving when the box went down may be there: it is looked for.
func (i *Injections) Run(ctx context.Context) error {
	i.mu.Lock()
	clear(i.flying)
	for empty := false; !empty; {
		select {
		case <-i.hand: // of a Run that fell
		default:
			empty = true
		}
	}
	i.mu.Unlock()
	err := i.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		_, err := tx.Exec(leftBehind, tx.Now(), tx.Now())
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("read what was leaving: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var flights sync.WaitGroup
	defer flights.Wait()
	defer stop()
	i.mu.Lock()
	i.running, i.backlog = true, true
	i.mu.Unlock()
	defer func() {
		i.mu.Lock()
		i.running = false
		i.mu.Unlock()
	}()
	faults := make(chan error, 1) // the first that ends this Run
	fly := func(t task) {
		flights.Go(func() {
			err := i.attempt(ctx, t)
			i.landed(t.ID.Key())
			if err != nil && ctx.Err() == nil {
				select {
				case faults <- err:
				default:
				}
			}
		})
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-faults:
			return err
		case t := <-i.hand:
			fly(t)
			continue
		case <-i.wake:
		case <-timer.C:
		}
		wait, err := i.dispatch(ctx, fly)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		timer.Reset(wait)
	}
}

const (
	columnsDue = `SELECT j.key, j.id, j.reference, j.generation, j.lane, j.state, j.attempts, j.sends, j.blind, j.withdrawn, j.sent_at, j.created_at, j.give_up_at, j.content FROM injections j `
	selectDue  = columnsDue + `WHERE j.open = 1 AND j.next_at <= ? AND (j.lane = '' OR NOT EXISTS (SELECT 1 FROM injections o WHERE o.open = 1 AND o.lane = j.lane AND o.lane <> '' AND o.key < j.key)) ORDER BY j.state = 'unknown', j.key LIMIT ?`
	selectOpen = `SELECT count(*), coalesce(min(CASE WHEN next_at > ? THEN next_at END), 0) FROM injections WHERE open = 1 AND next_at < ?`
)

// dispatch begins what is due and tells when the next look is worth it.
func (i *Injections) dispatch(ctx context.Context, fly func(task)) (time.Duration, error) {
	now := i.c.Now()
	defer func() {
		i.mu.Lock()
		i.looking = false
		i.mu.Unlock()
	}()
	i.mu.Lock()
	i.backlog, i.looking = false, true // a Put that comes meanwhile says so again
	down, until, places := i.down != nil, i.until, i.c.Parallel-len(i.flying)
	busy := len(i.flying) > 0
	if i.catching {
		places = min(places, 1)
		if pause := i.launched.Add(i.c.Stagger).Sub(now); pause > 0 && pause <= i.c.Stagger && busy {
			i.backlog = true
			i.mu.Unlock()
			return pause, nil
		}
	}
	i.mu.Unlock()
	switch {
	case down && busy, places <= 0:
		i.waits()
		return longestWait, nil // whoever lands stirs
	case down && until.After(now) && until.Sub(now) <= longestWait:
		i.waits()
		return until.Sub(now), nil
	case down:
		places = 1 // one order finds out whether the till is back
	}
	due, err := i.due(ctx, now, places)
	if err != nil {
		return 0, err
	}
	for _, t := range due {
		i.mu.Lock()
		_, flying := i.flying[t.ID.Key()]
		i.flying[t.ID.Key()] = true
		i.launched = now
		i.mu.Unlock()
		if !flying {
			fly(t)
		}
	}
	var open int
	var next int64
	if err := i.c.Journal.Read().QueryRowContext(ctx, selectOpen, journal.Micros(now), int64(never)).Scan(&open, &next); err != nil {
		return 0, fmt.Errorf("read what waits for the till: %w", err)
	}
	if open == 0 || len(due) == 0 {
		i.mu.Lock()
		i.catching = false
		i.mu.Unlock()
	}
	if open > 0 {
		i.waits()
		if len(due) > 0 {
			return min(i.c.Stagger, longestWait), nil
		}
		if next > 0 { // what is due and did not begin waits for one of its lane
			return min(journal.FromMicros(next).Sub(now), longestWait), nil
		}
	}
	return longestWait, nil
}

// waits notes that something waits in the table, so that nothing overtakes it.
func (i *Injections) waits() {
	i.mu.Lock()
	i.backlog = true
	i.mu.Unlock()
}

func (i *Injections) due(ctx context.Context, now time.Time, limit int) (all []task, err error) {
	rows, err := i.c.Journal.Read().QueryContext(ctx, selectDue, journal.Micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("read what is due for the till: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t task
		var key, sent, created, giveUp int64
		var content []byte
		if err := rows.Scan(&key, &t.ID, &t.Reference, &t.generation, &t.Lane, &t.state, &t.attempts, &t.sends, &t.blind, &t.withdrawn, &sent, &created, &giveUp, &content); err != nil {
			return nil, fmt.Errorf("read what is due for the till: %w", err)
		}
		if err := json.Unmarshal(content, &t.Order); err != nil {
			return nil, fmt.Errorf("read order %s for the till: %w", t.ID, err)
		}
		t.sentAt, t.created, t.giveUp = journal.FromMicros(sent), journal.FromMicros(created), journal.FromMicros(giveUp)
		t.attempts++
		all = append(all, t)
	}
	return all, rows.Err()
}

// errSettled says that somebody else decided about the order meanwhile.
var errSettled = errors.New("settled meanwhile")

// attempt does one attempt and records what became of it. Its error is the journal's.
func (i *Injections) attempt(ctx context.Context, t task) error {
	call, cancel := context.WithTimeout(ctx, i.c.Timeout)
	defer cancel()
	if !t.leaving {
		if t.sends == 0 && i.c.Now().Sub(t.created) > i.c.Oldest {
			return i.record(ctx, func(tx *journal.Tx) error {
				return i.settleOut(tx, t.ID.Key(), &Refusal{Code: TooOld, Detail: fmt.Sprintf("the order is older than %v", i.c.Oldest)}, false)
			})
		}
		if t.sends > 0 {
			asked := i.c.Now()
			found, ok, err := i.c.Till.Find(call, Look{t.Reference, t.sentAt})
			switch {
			case err == nil && ok:
				return i.in(ctx, t, found)
			case ctx.Err() != nil:
				return nil
			case err != nil:
				return i.later(ctx, t, t.state, err, time.Time{})
			}
			i.reached()
			if at, why := i.keepLooking(t, asked); why != nil {
				return i.later(ctx, t, unknown, why, at)
			}
		}
		err := i.leave(ctx, &t)
		if errors.Is(err, errSettled) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	t.Order.Reference = t.Reference
	opened, err := i.c.Till.Inject(call, t.Order)
	var no *Refusal
	switch {
	case err == nil:
		return i.in(ctx, t, opened)
	case errors.As(err, &no) && no.Passes():
		return i.later(ctx, t, t.state, err, time.Time{})
	case errors.As(err, &no):
		return i.record(ctx, func(tx *journal.Tx) error { return i.settleOut(tx, t.ID.Key(), no, true) })
	case ctx.Err() != nil:
		return nil // it stands as leaving; the next Run looks for it
	}
	t.sentAt = i.c.Now() // until now it was under way
	return i.later(ctx, t, unknown, err, time.Time{})
}

// keepLooking says why an order that was not found when the till was asked must not leave again yet, and when it is looked for
// next; nil: it may leave.
func (i *Injections) keepLooking(t task, asked time.Time) (time.Time, error) {
	if t.state != unknown {
		return time.Time{}, nil
	}
	re := i.c.Till.Resend()
	settled := t.sentAt.Add(re.Settle)
	switch {
	case t.withdrawn:
		return time.Time{}, ErrUnknown
	case re.Safe:
		return time.Time{}, nil
	case asked.Before(settled):
		return settled, ErrUnknown
	case t.blind > 0:
		return time.Time{}, ErrUnknown
	}
	return time.Time{}, nil
}

const (
	markLeaving   = `UPDATE injections SET state = 'sending', attempts = ?, sends = sends + 1, blind = blind + ?, sent_at = ?, next_at = ? WHERE key = ? AND open = 1 AND withdrawn = 0 AND sends = ?`
	selectLeaving = `SELECT content FROM injections WHERE key = ?`
)

// leave records that the order leaves. What leaves is what the order is now: it could be changed until this moment.
func (i *Injections) leave(ctx context.Context, t *task) error {
	blind := 0
	if t.state == unknown && !i.c.Till.Resend().Safe {
		blind = 1
	}
	return i.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		rows, err := tx.Exec(markLeaving, t.attempts, blind, tx.Now(), int64(never), t.ID.Key(), t.sends)
		if err != nil {
			return fmt.Errorf("record that order %s leaves: %w", t.ID, err)
		}
		if rows != 1 {
			return i.notLeaving(tx, t)
		}
		var content []byte
		if err := tx.QueryRow(selectLeaving, []any{t.ID.Key()}, &content); err != nil {
			return fmt.Errorf("read order %s, which leaves: %w", t.ID, err)
		}
		t.Order = Order{}
		if err := json.Unmarshal(content, &t.Order); err != nil {
			return fmt.Errorf("read order %s, which leaves: %w", t.ID, err)
		}
		t.sentAt = tx.Now()
		t.sends++
		return nil
	})
}

const withdrawOpen = `UPDATE injections SET state = 'withdrawn', open = 0, settled_at = ?, content = x'' WHERE key = ? AND open = 1 AND withdrawn = 1 AND state = 'waiting'`

// notLeaving ends an order that was withdrawn in the moment before it left.
func (i *Injections) notLeaving(tx *journal.Tx, t *task) error {
	if _, err := tx.Exec(withdrawOpen, tx.Now(), t.ID.Key()); err != nil {
		return err
	}
	return errSettled
}

// record writes the last word of an attempt, even while the box stops.
func (i *Injections) record(ctx context.Context, fn func(*journal.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return i.c.Journal.Insist(ctx, fn)
}

// ride is record for what is found out again when the power takes it: it may ride the next commit. While many orders are under
// way it makes its own, so that their places are soon free.
func (i *Injections) ride(ctx context.Context, fn func(*journal.Tx) error) error {
	i.mu.Lock()
	many := len(i.flying) > i.c.Parallel/2
	i.mu.Unlock()
	if many {
		return i.record(ctx, fn)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	told := make(chan error, 1) // the first outcome counts
	i.c.Journal.Later(func(tx *journal.Tx) error {
		tx.After(func(err error) {
			select {
			case told <- err:
			default:
			}
		})
		return fn(tx)
	})
	select {
	case err := <-told:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// in records that the till has the order. One that stands as leaving after the power went is found at the till.
func (i *Injections) in(ctx context.Context, t task, o Opened) error {
	if err := i.ride(ctx, func(tx *journal.Tx) error { return i.settleIn(tx, t.ID.Key(), o) }); err != nil {
		return err
	}
	i.mu.Lock()
	if _, under := i.flying[t.ID.Key()]; under {
		i.flying[t.ID.Key()] = false
	}
	i.mu.Unlock()
	i.up()
	return nil
}

const (
	selectSettle = `SELECT id, state, withdrawn, attempts FROM injections WHERE key = ?`
	settleDone   = `UPDATE injections SET state = 'done', open = 0, settled_at = ?, cause = '', detail = '', till_id = ?, content = x'' WHERE key = ?`
	settleFailed = `UPDATE injections SET state = ?, open = 0, settled_at = ?, cause = ?, detail = ?, spent = ? WHERE key = ? AND open = 1`
)

// settleIn settles an order that is at the till, whatever was thought of it.
func (i *Injections) settleIn(tx *journal.Tx, key int64, o Opened) error {
	var id journal.ID
	var state string
	var gone bool
	out := Outcome{State: In, ID: o.ID}
	if err := tx.QueryRow(selectSettle, []any{key}, &id, &state, &gone, &out.Attempts); err != nil {
		return fmt.Errorf("read an order for the till: %w", err)
	}
	if state == done {
		return nil
	}
	if o.Priced {
		out.Total = &o.Total
	}
	if _, err := tx.Exec(settleDone, tx.Now(), o.ID, key); err != nil {
		return fmt.Errorf("record that order %s is at the till: %w", id, err)
	}
	i.c.Log.Info("order at the till", "order", id, "check", o.ID, "existed", o.Existed)
	return i.c.Report(tx, id, out)
}

// settleOut settles an order that is not at the till. told: the till said so of this very order.
func (i *Injections) settleOut(tx *journal.Tx, key int64, why error, told bool) error {
	var id journal.ID
	var state string
	var gone bool
	out := Outcome{State: Out}
	if err := tx.QueryRow(selectSettle, []any{key}, &id, &state, &gone, &out.Attempts); err != nil {
		return fmt.Errorf("read an order for the till: %w", err)
	}
	out.Code, out.Detail = coded(why)
	var no *Refusal
	spent := told && errors.As(why, &no) && no.Spent
	end := failed
	if gone {
		end = withdrawn
	}
	rows, err := tx.Exec(settleFailed, end, tx.Now(), out.Code, out.Detail, spent, key)
	if err != nil {
		return fmt.Errorf("record that order %s is not at the till: %w", id, err)
	}
	if rows != 1 {
		return nil
	}
	i.c.Log.Warn("order not at the till", "order", id, "cause", out.Code, "err", why)
	return i.c.Report(tx, id, out)
}

const (
	putOff       = `UPDATE injections SET state = ?, attempts = ?, sent_at = ?, next_at = ?, cause = ?, detail = ? WHERE key = ? AND open = 1`
	selectBehind = `SELECT key, id, give_up_at, state FROM injections WHERE open = 1 AND next_at < ? AND key <> ? AND (cause = '' OR give_up_at <= ?) ORDER BY +key LIMIT 200`
	noteBehind   = `UPDATE injections SET cause = ?, detail = ? WHERE key = ?`
)

// later puts an order off, or ends it when its time is over. state is what is known of it: waiting when it is certainly not at
// the till. at is when it is tried next; zero: as the pauses say.
func (i *Injections) later(ctx context.Context, t task, state string, why error, at time.Time) error {
	now := i.c.Now()
	if at.IsZero() {
		pause := i.c.Backoff[min(t.attempts, len(i.c.Backoff))-1]
		var no *Refusal
		if errors.As(why, &no) {
			pause = max(pause, no.After)
		}
		at = now.Add(pause)
	}
	if at.After(t.giveUp) && now.Before(t.giveUp) {
		at = t.giveUp
	}
	var no *Refusal
	passes := errors.As(why, &no) && no.Passes()
	if passes {
		i.fell(why, now, at)
	}
	over := !now.Before(t.giveUp)
	return i.record(ctx, func(tx *journal.Tx) error {
		if over {
			if state == unknown {
				why = ErrUnknown
			}
			if err := i.settleOut(tx, t.ID.Key(), why, false); err != nil {
				return err
			}
		} else if err := i.putOff(tx, t, state, why, at); err != nil {
			return err
		}
		if !passes {
			return nil
		}
		return i.behind(tx, t.ID.Key(), why, now, at)
	})
}

func (i *Injections) putOff(tx *journal.Tx, t task, state string, why error, at time.Time) error {
	code, detail := coded(why)
	rows, err := tx.Exec(putOff, state, t.attempts, journal.Micros(t.sentAt), at, code, detail, t.ID.Key())
	if err != nil {
		return fmt.Errorf("put off order %s for the till: %w", t.ID, err)
	}
	if rows != 1 {
		return nil
	}
	if state == waiting { // it is certainly not there, so whoever withdrew it while it was leaving has his way
		rows, err := tx.Exec(withdrawOpen, tx.Now(), t.ID.Key())
		if err != nil || rows == 1 {
			if err == nil {
				err = i.c.Report(tx, t.ID, Outcome{State: Out, Code: code, Detail: detail, Attempts: t.attempts})
			}
			return err
		}
	}
	return i.c.Report(tx, t.ID, Outcome{State: Pending, Code: code, Detail: detail, Attempts: t.attempts, NextAt: at})
}

// behind tells of the orders that wait behind one that found the till down, and ends those whose time is over.
func (i *Injections) behind(tx *journal.Tx, probe int64, why error, now, at time.Time) error {
	type one struct {
		key    int64
		id     journal.ID
		giveUp int64
		state  string
	}
	var all []one
	err := tx.Query(selectBehind, []any{int64(never), probe, now}, func(scan func(...any) error) error {
		var o one
		err := scan(&o.key, &o.id, &o.giveUp, &o.state)
		all = append(all, o)
		return err
	})
	if err != nil {
		return err
	}
	code, detail := coded(why)
	for _, o := range all {
		if journal.FromMicros(o.giveUp).After(now) {
			if _, err := tx.Exec(noteBehind, code, detail, o.key); err != nil {
				return err
			}
			if err := i.c.Report(tx, o.id, Outcome{State: Pending, Code: code, Detail: detail, NextAt: at}); err != nil {
				return err
			}
			continue
		}
		cause := why
		if o.state == unknown {
			cause = ErrUnknown
		}
		if err := i.settleOut(tx, o.key, cause, false); err != nil {
			return err
		}
	}
	return nil
}

// fell notes that the till takes nothing; up that it does. Of orders that found it down at once the last to be due again says
// when it is asked: then all are due, and the oldest asks.
func (i *Injections) fell(why error, now, next time.Time) {
	i.mu.Lock()
	if i.down == nil {
		i.since = now
		i.c.Log.Warn("till takes no orders", "err", why)
	}
	if i.down == nil || next.After(i.until) || i.until.Sub(now) > longestWait {
		i.until = next
	}
	i.down = why
	tell := !i.told && now.Sub(i.since) >= i.c.Alert
	i.told = i.told || tell
	i.mu.Unlock()
	if tell {
		i.c.Down(coded(why))
	}
}

// reached notes that the till's cloud answers; a till that is closed is told by it to be so.
func (i *Injections) reached() {
	i.mu.Lock()
	code, _ := coded(i.down)
	i.mu.Unlock()
	if code != OfflineTill {
		i.up()
	}
}

func (i *Injections) up() {
	i.mu.Lock()
	was, told := i.down, i.told
	if was != nil {
		i.down, i.told, i.catching = nil, false, true
		i.c.Log.Info("till takes orders again", "after", i.c.Now().Sub(i.since))
	}
	i.mu.Unlock()
	if told {
		i.c.Down("", "")
	}
	if was != nil {
		i.stir()
	}
}
