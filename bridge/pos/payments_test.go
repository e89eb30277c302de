package pos

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/protocol/booking"
)

// deafTill is a till whose answers are scripted; what it takes stands on its one check.
type deafTill struct {
	answers []error // of the payments to come; then nil
	takes   []bool  // whether it has them all the same; then as answered
	away    int     // so many times its check cannot be read
	check   booking.Check
	calls   []string
	used    map[string]bool
}

func (d *deafTill) AddPayment(_ context.Context, p Payment) error {
	d.calls = append(d.calls, p.Reference)
	if d.used[p.Reference] {
		return ErrUnknown // as a till that took the reference before
	}
	var answer error
	if len(d.answers) > 0 {
		answer, d.answers = d.answers[0], d.answers[1:]
	}
	take := answer == nil
	if len(d.takes) > 0 {
		take, d.takes = d.takes[0], d.takes[1:]
	}
	if d.used[p.Reference] = take; take {
		d.check.Payments = append(d.check.Payments, booking.Payment{Method: p.Method, Amount: p.Amount, Tip: p.Tip})
	}
	return answer
}

func (d *deafTill) Check(context.Context, string) (booking.Check, error) {
	if d.away > 0 {
		d.away--
		return booking.Check{}, &Refusal{Code: Offline}
	}
	return d.check, nil
}

// A payment is on the till's check at most once, and whoever took it hears for certain that it is there, or that a person has to
// look after it.
func TestPayments(t *testing.T) {
	t.Parallel()
	busy := &Refusal{Code: Busy, After: 20 * time.Second}
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	j := journaltest.Open(t, journal.Config{Now: clock}, nil)
	for n, c := range []struct {
		name    string
		till    deafTill
		method  string // "DEP" unless none is configured
		restart bool   // after the payment left
		want    string // what is reported
		calls   int    // at least one unless the till must not be called
		stands  int    // payments on the till's check
		within  time.Duration
	}{
		{name: "taken", want: "in", calls: 1, stands: 1},
		{name: "refused", till: deafTill{answers: []error{&Refusal{Code: Overpaid}}}, want: Overpaid, calls: 1},
		{name: "busy, then taken", till: deafTill{answers: []error{busy, busy}}, want: "in", calls: 3, stands: 1, within: time.Minute},
		{name: "away for long", till: deafTill{answers: slices.Repeat([]error{&Refusal{Code: Offline}}, 100)}, want: Offline, calls: -1, within: 4 * time.Minute},
		{name: "taken, and nobody heard", till: deafTill{answers: []error{ErrUnknown}, takes: []bool{true}}, want: "in", calls: 1, stands: 1, within: time.Minute},
		{name: "lost on the way there, sent again", till: deafTill{answers: []error{ErrUnknown}}, want: "in", calls: 2, stands: 1, within: time.Minute},
		{name: "lost each time", till: deafTill{answers: slices.Repeat([]error{ErrUnknown}, 100)}, want: NoAnswer, calls: -1, within: 3 * time.Minute},
		{name: "taken, nobody heard, and the check cannot be read for a while", till: deafTill{answers: []error{ErrUnknown}, takes: []bool{true}, away: 3}, want: "in", calls: 1, stands: 1, within: 2 * time.Minute},
		{name: "nobody heard, and the check cannot be read", till: deafTill{answers: []error{ErrUnknown}, takes: []bool{true}, away: 100}, want: NoAnswer, calls: 1, stands: 1, within: 5 * time.Minute},
		{name: "the box fell after it left", till: deafTill{answers: []error{ErrUnknown}, takes: []bool{true}}, restart: true, want: "in", calls: 1, stands: 1, within: time.Minute},
		{name: "no method", method: "-", want: "", calls: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			till := &c.till
			till.used, till.check.Open = map[string]bool{}, true
			till.check.Payments = []booking.Payment{{Method: "DEP", Amount: 500}, {Method: "CARD", Amount: 6000}}
			before := len(till.check.Payments)
			var reports []string
			make := func() *Payments {
				q, err := NewPayments(PaymentsConfig{Journal: j, Till: till, Now: clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
					Report: func(_ *journal.Tx, p Paying, in bool) error {
						word := p.Code
						if in {
							word = "in"
						}
						reports = append(reports, word)
						return nil
					}})
				if err != nil {
					t.Fatal(err)
				}
				return q
			}
			q := make()
			p := Paying{ID: j.NewID(), CheckID: j.NewID(), Payment: Payment{Reference: "D1-0001", Check: fmt.Sprint("A", n), Method: "DEP", Amount: 6000}}
			if c.method == "-" {
				p.Method, p.Code = "", NoMethod
			}
			for range 2 { // put twice, it is there once
				if err := j.Write(t.Context(), func(tx *journal.Tx) error { return q.Put(tx, p) }); err != nil {
					t.Fatal(err)
				}
			}
			end := now.Add(10 * time.Minute)
			for n := 0; now.Before(end) && len(reports) == 0; n++ {
				next, err := q.step(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if c.restart && n == 0 { // as after a fall in the middle of the call
					if err := j.Write(t.Context(), func(tx *journal.Tx) error {
						_, err := tx.Exec(`UPDATE pos_payments SET state = 'sending', next_at = created_at WHERE key = ?`, p.ID.Key())
						return err
					}); err != nil {
						t.Fatal(err)
					}
					q = make()
				}
				now = now.Add(next)
			}
			took := now.Sub(end.Add(-10 * time.Minute))
			if got := fmt.Sprint(reports); c.want == "" && len(reports) > 0 || c.want != "" && got != "["+c.want+"]" {
				t.Errorf("reported %s, want %q", got, c.want)
			}
			if c.want != "" && took > max(c.within, time.Second) {
				t.Errorf("it took %s", took)
			}
			if len(till.calls) != c.calls && c.calls >= 0 || c.calls < 0 && len(till.calls) == 0 {
				t.Errorf("called %d times", len(till.calls))
			}
			if n := len(till.check.Payments) - before; n != c.stands {
				t.Errorf("%d payments stand on the till's check, want %d", n, c.stands)
			}
			if i := slices.IndexFunc(till.calls, func(ref string) bool { return ref != "D1-0001" }); i >= 0 {
				t.Errorf("another reference: %q", till.calls)
			}
			// What has ended is not tried again.
			calls := len(till.calls)
			if next, err := q.step(t.Context()); err != nil || next != time.Hour || len(till.calls) != calls {
				t.Errorf("after the end: %s, %v, %d calls", next, err, len(till.calls)-calls)
			}
		})
	}
}

// Of two deposits of the same amount the till took one, and nobody heard of either: one is in, and the other is not taken for it.
func TestPaymentsAlike(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	j := journaltest.Open(t, journal.Config{Now: func() time.Time { return now }}, nil)
	till := &deafTill{answers: []error{ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown, ErrUnknown}, takes: []bool{true, false, false, false, false, false, false, false, false, false, false, false}, used: map[string]bool{}}
	till.check.Open = true
	told := map[string]string{}
	q, err := NewPayments(PaymentsConfig{Journal: j, Till: till, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Report: func(_ *journal.Tx, p Paying, in bool) error {
		told[p.Reference] = fmt.Sprint(in, p.Code)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"one", "two"} {
		p := Paying{ID: j.NewID(), CheckID: j.NewID(), Payment: Payment{Reference: ref, Check: "A1.77", Method: "DEP", Amount: 3000}}
		if err := j.Write(t.Context(), func(tx *journal.Tx) error { return q.Put(tx, p) }); err != nil {
			t.Fatal(err)
		}
	}
	for end := now.Add(10 * time.Minute); now.Before(end) && len(told) < 2; {
		next, err := q.step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(max(next, time.Millisecond))
	}
	if told["one"] != "true" || told["two"] != "false"+NoAnswer || len(till.check.Payments) != 1 {
		t.Errorf("told %v, at the till %+v", told, till.check.Payments)
	}
}
