package pos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/rest"
)

// NoMethod is the code of a payment for which the till's method is not configured.
const NoMethod = "no_method"

// States of a payment besides waiting, sending and unknown.
const (
	paymentHand  = "hand"  // a person has to enter it
	paymentIn    = "in"    // the till has it
	paymentEnded = "ended" // it is wanted there no more, or a person has seen to it
)

// Bounds of bringing payments to a till.
const (
	payLimit   = 3 * time.Minute  // a payment that could not leave by then is for a person
	paySettle  = 90 * time.Second // after it left: the till takes it within a minute or never (spec/pos.md 2.3)
	payTimeout = time.Minute      // of one attempt
)

// payPauses stand between two tries, the last one again and again.
var payPauses = [...]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// Cashier is a till that takes payments for its checks.
type Cashier interface {
	// AddPayment puts a payment on a check. A *Refusal is certain; any other error wraps ErrUnknown.
	AddPayment(ctx context.Context, p Payment) error
	// Check reads a check. The error wraps ErrNoCheck when there is none.
	Check(ctx context.Context, id string) (booking.Check, error)
}

// Paying is a payment on its way to a till.
type Paying struct {
	ID        journal.ID
	CheckID   journal.ID // ours
	Payment              // Check is the till's, Method "" when none is configured
	Code      string     // why a person has to enter it
	Detail    string
	createdAt time.Time
	sentAt    time.Time
	attempts  int
	state     string
}

// PaymentsConfig of Payments. Journal, Till and Report are required.
type PaymentsConfig struct {
	Journal *journal.Journal
	Till    Cashier
	// Report hears, in the transaction that records it, that the till has a payment (in), or that a person has to enter it.
	Report func(tx *journal.Tx, p Paying, in bool) error
	// Waiting hears when Run begins which payments wait for a person; nil: nobody.
	Waiting func(ctx context.Context, p Paying)
	Settle  time.Duration // 0 means 90 s, within which a till has a payment that left, or never
	Now     func() time.Time
	Log     *slog.Logger
}

// Payments brings payments that were taken here to the till that keeps their checks: each at most once, because the till takes a
// reference once, and because one whose outcome nobody knows is looked for on its check before anything else. What the till does
// not take is for a person. Its methods may be called from any goroutine.
type Payments struct {
	c    PaymentsConfig
	wake chan struct{} // 1: look at the table again
}

// NewPayments checks c. It starts nothing.
func NewPayments(c PaymentsConfig) (*Payments, error) {
	if c.Journal == nil || c.Till == nil || c.Report == nil {
		return nil, errors.New("pos: payments need a journal, a till and somebody who hears of them")
	}
	if c.Settle <= 0 {
		c.Settle = paySettle
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Payments{c: c, wake: make(chan struct{}, 1)}, nil
}

const (
	insertPayment = `INSERT INTO pos_payments (key, id, check_id, till_id, reference, method, amount, tip, state, created_at, next_at, code, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (key) DO NOTHING`
	selectPaying  = `SELECT id, check_id, till_id, reference, method, amount, tip, state, attempts, created_at, sent_at, code, detail FROM pos_payments `
	selectPayable = selectPaying + `WHERE state IN ('waiting', 'sending', 'unknown') ORDER BY next_at, key LIMIT 1`
	selectByHand  = selectPaying + `WHERE state = 'hand' ORDER BY key LIMIT 200`
	selectPayNext = `SELECT coalesce(min(next_at), 0) FROM pos_payments WHERE state IN ('waiting', 'sending', 'unknown')`
	selectSettled = `SELECT count(*) FROM pos_payments WHERE till_id = ? AND method = ? AND amount = ? AND tip = ? AND state = 'in'`
	leavePayment  = `UPDATE pos_payments SET state = 'sending', sent_at = CASE state WHEN 'waiting' THEN ? ELSE sent_at END WHERE key = ? AND state IN ('waiting', 'unknown', 'sending')`
	againPayment  = `UPDATE pos_payments SET state = ?, attempts = attempts + 1, next_at = ?, code = ?, detail = ? WHERE key = ? AND state IN ('waiting', 'unknown', 'sending')`
	settlePayment = `UPDATE pos_payments SET state = ?, code = ?, detail = ? WHERE key = ? AND state IN ('waiting', 'unknown', 'sending')`
	endPayment    = `UPDATE pos_payments SET state = ? WHERE key = ? AND state IN ('waiting', 'unknown', 'sending', 'hand')`
)

// Put queues a payment in the transaction that takes it. Without a method it waits for a person at once.
func (q *Payments) Put(tx *journal.Tx, p Paying) error {
	state := waiting
	if p.Method == "" {
		state = paymentHand
	}
	_, err := tx.Exec(insertPayment, p.ID.Key(), p.ID[:], p.CheckID[:], p.Check, p.Reference, p.Method, p.Amount, p.Tip, state, tx.Now(), tx.Now(), p.Code)
	if err != nil {
		return fmt.Errorf("queue payment %s for the till: %w", p.ID, err)
	}
	tx.Follow(func(err error) {
		if err == nil {
			q.stir()
		}
	})
	return nil
}

// End ends a payment that a person has entered at the till (in), or that is wanted there no more.
func (q *Payments) End(tx *journal.Tx, id journal.ID, in bool) error {
	state := paymentEnded
	if in {
		state = paymentIn
	}
	_, err := tx.Exec(endPayment, state, id.Key())
	return err
}

func (q *Payments) stir() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func scanPaying(row func(...any) error) (p Paying, err error) {
	var id, check []byte
	var created, sent int64
	if err = row(&id, &check, &p.Check, &p.Reference, &p.Method, &p.Amount, &p.Tip, &p.state, &p.attempts, &created, &sent, &p.Code, &p.Detail); err != nil {
		return p, err
	}
	p.ID, p.CheckID, p.createdAt, p.sentAt = journal.ID(id), journal.ID(check), journal.FromMicros(created), journal.FromMicros(sent)
	return p, nil
}

// Run brings payments to the till, one after the other, until ctx ends.
func (q *Payments) Run(ctx context.Context) error {
	if q.c.Waiting != nil {
		var list []Paying
		err := q.c.Journal.Each(ctx, selectByHand, nil, func(row func(...any) error) error {
			p, err := scanPaying(row)
			list = append(list, p)
			return err
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("read the payments that a person has to enter: %w", err)
		}
		for _, p := range list {
			q.c.Waiting(ctx, p)
		}
	}
	for {
		next, err := q.step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		pause := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-pause.C:
		}
		pause.Stop()
	}
}

// step tries the payment that is due first, and tells when to look again.
func (q *Payments) step(ctx context.Context) (time.Duration, error) {
	var due int64
	if err := q.c.Journal.Read().QueryRowContext(ctx, selectPayNext).Scan(&due); err != nil {
		return 0, fmt.Errorf("look for payments for the till: %w", err)
	}
	if due == 0 {
		return time.Hour, nil
	}
	if wait := journal.FromMicros(due).Sub(q.c.Now()); wait > 0 {
		return min(wait, payPauses[len(payPauses)-1]), nil
	}
	p, err := scanPaying(q.c.Journal.Read().QueryRowContext(ctx, selectPayable).Scan)
	if err != nil {
		return 0, fmt.Errorf("read a payment for the till: %w", err)
	}
	return 0, q.try(ctx, p)
}

// try brings one payment. What may have left is looked for on its check first.
func (q *Payments) try(ctx context.Context, p Paying) error {
	ctx, cancel := context.WithTimeout(ctx, payTimeout)
	defer cancel()
	now := q.c.Now()
	if p.state != waiting {
		there, open, err := q.there(ctx, &p)
		switch {
		case err != nil && now.Sub(p.sentAt) < payLimit:
			return q.again(ctx, p, unknown, err)
		case err != nil:
			return q.settle(ctx, p, &Refusal{Code: NoAnswer, Detail: "the till did not answer; look whether the payment is on its check"})
		case there:
			return q.settle(ctx, p, nil)
		case !open:
			return q.settle(ctx, p, &Refusal{Code: CheckClosed, Detail: "the check is closed at the till, without the payment"})
		case now.Sub(p.sentAt) >= q.c.Settle:
			return q.settle(ctx, p, &Refusal{Code: NoAnswer, Detail: "the till did not take it"})
		case now.Sub(p.sentAt) >= q.c.Settle/3: // what leaves now might come after nobody counts on it
			return q.again(ctx, p, unknown, ErrUnknown)
		}
	}
	if now.Sub(p.createdAt) >= payLimit && p.state == waiting {
		return q.settle(ctx, p, &Refusal{Code: Offline, Detail: p.Detail})
	}
	err := q.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		n, err := tx.Exec(leavePayment, now, p.ID.Key())
		if err == nil && n == 0 {
			err = errEnded
		}
		return err
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	var no *Refusal
	switch err := q.c.Till.AddPayment(ctx, p.Payment); {
	case err == nil:
		return q.settle(ctx, p, nil)
	case errors.As(err, &no) && no.Passes() && p.state == waiting:
		return q.again(ctx, p, waiting, err)
	case errors.As(err, &no) && !no.Passes():
		return q.settle(ctx, p, no)
	default:
		return q.again(ctx, p, unknown, err)
	}
}

var errEnded = errors.New("it is wanted no more")

// there tells whether the till's check has the payment, and is open.
func (q *Payments) there(ctx context.Context, p *Paying) (there, open bool, err error) {
	c, err := q.c.Till.Check(ctx, p.Check)
	if errors.Is(err, ErrNoCheck) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	n := 0
	for _, on := range c.Payments {
		if on.Method == p.Method && on.Amount == p.Amount && on.Tip == p.Tip {
			n++
		}
	}
	var ours int
	if err := q.c.Journal.Read().QueryRowContext(ctx, selectSettled, p.Check, p.Method, p.Amount, p.Tip).Scan(&ours); err != nil {
		return false, false, fmt.Errorf("count the payments of check %s: %w", p.Check, err)
	}
	return n > ours, c.Open, nil
}

// again has a payment wait for another try.
func (q *Payments) again(ctx context.Context, p Paying, state string, why error) error {
	code, detail := coded(why)
	pause := payPauses[min(p.attempts, len(payPauses)-1)]
	if wants := rest.RetryAfter(why); wants > pause {
		pause = wants
	}
	q.c.Log.Warn("a payment has not come to the till yet", "check", p.CheckID, "err", why)
	return q.c.Journal.Insist(context.WithoutCancel(ctx), func(tx *journal.Tx) error {
		_, err := tx.Exec(againPayment, state, q.c.Now().Add(pause), code, detail, p.ID.Key())
		return err
	})
}

// settle records what became of a payment, and tells; no nil: the till has it.
func (q *Payments) settle(ctx context.Context, p Paying, no *Refusal) error {
	state := paymentIn
	if p.Code, p.Detail = "", ""; no != nil {
		state, p.Code, p.Detail = paymentHand, no.Code, no.Detail
	}
	return q.c.Journal.Insist(context.WithoutCancel(ctx), func(tx *journal.Tx) error {
		n, err := tx.Exec(settlePayment, state, p.Code, p.Detail, p.ID.Key())
		if err != nil || n == 0 {
			return err
		}
		return q.c.Report(tx, p, no == nil)
	})
}
