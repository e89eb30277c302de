package box

import (
	"context"
	"encoding/hex"
	"strings"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/pos"
	"aboyeur/bridge/warning"
)

// maxPaymentReference bounds the name of a payment at Lightspeed K (spec/pos.md 2.3).
const maxPaymentReference = 50

// buildEntries makes what brings payments by deposit to the till that keeps the checks.
func (b *Box) buildEntries() (err error) {
	if b.mirror == nil {
		return nil
	}
	b.entries, err = pos.NewPayments(pos.PaymentsConfig{Journal: b.journal, Till: b.pos.kSeries, Report: b.entryTold, Waiting: b.entryWaits, Settle: b.o.settle, Now: b.o.Now, Log: b.log})
	return err
}

// enter has a payment by deposit entered at the till, where the till keeps the check: by the box, if the configuration names the
// till's method for deposits, else by a person.
func (b *Box) enter(tx *journal.Tx, c *floor.Check, p *floor.Payment) error {
	if b.mirror == nil {
		return nil
	}
	at, err := b.mirror.TillCheck(tx, c.ID)
	if err != nil || at == "" {
		return err
	}
	j := pos.Paying{ID: p.ID, CheckID: c.ID, Payment: pos.Payment{Check: at, Method: b.c.POS.Payments[floor.Deposit], Amount: p.Amount, Tip: p.Tip}}
	p.State, p.Entry = floor.Pending, &floor.Entry{Method: j.Method}
	if j.Method == "" {
		p.State, p.Entry.Code, j.Code = floor.ToEnter, pos.NoMethod, pos.NoMethod
	}
	if j.Reference, err = b.entryReference(tx, c.ID, p.ID); err != nil {
		return err
	}
	return b.entries.Put(tx, j)
}

// entryReference names a payment at the till: the platform's deposit, by which a person finds it there, and part of the payment's
// own id, since a deposit can pay twice.
func (b *Box) entryReference(tx *journal.Tx, check, payment journal.ID) (string, error) {
	own := hex.EncodeToString(payment[8:])
	if b.bookings == nil {
		return own, nil
	}
	id, err := b.bookings.DepositID(tx, check)
	if err != nil {
		return "", err
	}
	id = strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r
		}
		return -1
	}, id)
	if id == "" {
		return own, nil
	}
	return id[:min(len(id), maxPaymentReference-len(own)-1)] + "-" + own, nil
}

// entryTold takes what became of a payment at the till.
func (b *Box) entryTold(tx *journal.Tx, p pos.Paying, in bool) error {
	state := floor.ToEnter
	if in {
		state = floor.Paid
	}
	return b.checks.EnteredIn(tx, p.CheckID, p.ID, b.c.POS.Kind, b.c.POS.Kind, state, floor.Entry{Code: p.Code, Detail: p.Detail})
}

// followEntry follows a payment that comes to the till, within its transaction.
func (b *Box) followEntry(tx *journal.Tx, s floor.Step) error {
	p := s.Payment
	if p == nil || p.Entry == nil || b.entries == nil {
		return nil
	}
	c, state := *s.Check, p.State
	if state == floor.Paid || state == floor.Voided {
		if err := b.entries.End(tx, p.ID, state == floor.Paid); err != nil {
			return err
		}
	}
	if state == floor.Voided && b.bookings != nil {
		if err := b.bookings.GiveBack(tx, c.ID, p.Amount+p.Tip, s.By); err != nil {
			return err
		}
	}
	paying := pos.Paying{ID: p.ID, CheckID: c.ID, Payment: pos.Payment{Amount: p.Amount + p.Tip}}
	tx.After(func(err error) {
		if err == nil {
			b.warnEntry(state == floor.ToEnter, &c, paying)
		}
	})
	return nil
}

// entryWaits warns after a start of a payment that still waits for a person.
func (b *Box) entryWaits(ctx context.Context, p pos.Paying) {
	c, err := b.checks.Get(ctx, p.CheckID)
	if err != nil {
		b.log.Warn("a payment that a person has to enter at the till is not warned of", "check", p.CheckID, "err", err)
		return
	}
	p.Amount += p.Tip
	b.warnEntry(true, &c, p)
}

func (b *Box) warnEntry(on bool, c *floor.Check, p pos.Paying) {
	currency := b.c.Site.Currency.Code
	b.health.raise(on, "deposit_to_enter", warning.Warn, p.ID.String(), money.Format(p.Amount, money.Decimals(currency))+" "+currency, c.Number, strings.Join(c.Tables, ", "))
}
