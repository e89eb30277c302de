package reservation

import (
	"context"
	"fmt"
	"slices"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/protocol/booking"
)

// Deposits is what a party paid before it came.
type Deposits struct {
	Currency  string `json:"currency,omitzero"`
	Paid      int64  `json:"paid"`     // not voided
	Refunded  int64  `json:"refunded"` // not voided
	Applied   int64  `json:"applied"`  // to checks
	Remaining int64  `json:"remaining"`
	Usable    bool   `json:"usable" doc:"false: another currency than the venue's, or amounts that cannot be read"`
}

// deposits adds a party's deposits up, exactly (spec/reservations.md 10).
func (s *Service) deposits(r *row) Deposits {
	d := Deposits{Currency: r.Content.Currency, Applied: r.Applied}
	d.Usable = d.Currency == "" || d.Currency == s.c.Currency
	sum := func(list []booking.Deposit) (total int64) {
		for _, one := range list {
			if one.Voided {
				continue
			}
			n, err := money.Parse(one.Amount, money.Decimals(d.Currency))
			if err != nil || n < 0 {
				d.Usable = false
				continue
			}
			total += n
		}
		return total
	}
	d.Paid, d.Refunded = sum(r.Content.Deposits), sum(r.Content.Refunds)
	d.Remaining = max(0, d.Paid-d.Refunded-d.Applied)
	if !d.Usable {
		d.Remaining = 0
	}
	return d
}

// TakeDeposit takes an amount off what the party of a check has left, within the transaction of the payment. A check of nobody's
// party, or of one without deposits, is the house's own matter.
func (s *Service) TakeDeposit(tx *journal.Tx, check journal.ID, amount int64, by string) error {
	r, err := party(tx, check, func(r *row) bool { return len(r.Content.Deposits) > 0 })
	if err != nil || r == nil {
		return err
	}
	if d := s.deposits(r); amount > d.Remaining {
		return fmt.Errorf("%w: %s are left", ErrDeposit, money.Format(d.Remaining, s.decimals))
	}
	r.Applied += amount
	r.note(tx.Now(), "deposit_applied", by, money.Format(amount, s.decimals))
	return s.store(tx, r)
}

// GiveBack returns an amount to what the party of a check has left, within the transaction in which the payment is taken back: it
// never came to the till. The check is closed there, so that somebody has to look whether the guest has paid twice.
func (s *Service) GiveBack(tx *journal.Tx, check journal.ID, amount int64, by string) error {
	r, err := party(tx, check, func(r *row) bool { return len(r.Content.Deposits) > 0 && r.Applied >= amount })
	if err != nil || r == nil {
		return err
	}
	r.Applied -= amount
	r.note(tx.Now(), "deposit_returned", by, money.Format(amount, s.decimals))
	r.flag(FlagDepositUnused)
	return s.store(tx, r)
}

// DepositID names the first deposit of a check's party that counts, for whoever has to find it at the till; "" without any.
func (s *Service) DepositID(tx *journal.Tx, check journal.ID) (string, error) {
	first := func(r *row) int {
		return slices.IndexFunc(r.Content.Deposits, func(d booking.Deposit) bool { return !d.Voided && d.ID != "" })
	}
	r, err := party(tx, check, func(r *row) bool { return first(r) >= 0 })
	if err != nil || r == nil {
		return "", err
	}
	return r.Content.Deposits[first(r)].ID, nil
}

// checkDeposits holds a message to the rules of deposits that the generic inbound API has (spec/reservations.md 8.6): ids are
// unique, an amount that is known stays, what was voided stays so, and so does the currency.
func checkDeposits(before, m *booking.Reservation) []booking.Fault {
	var faults []booking.Fault
	wrong := func(pointer, detail string) {
		faults = append(faults, booking.Fault{Pointer: pointer, Detail: detail})
	}
	if len(m.Deposits)+len(m.Refunds) > 0 && m.Currency == "" {
		wrong("/liability/currency", "is missing")
	}
	if before.Currency != "" && m.Currency != "" && before.Currency != m.Currency {
		wrong("/liability/currency", "was "+before.Currency+" and cannot be changed")
	}
	for _, kind := range []struct {
		name       string
		known, now []booking.Deposit
	}{{"deposits", before.Deposits, m.Deposits}, {"refunds", before.Refunds, m.Refunds}} {
		for n, d := range kind.now {
			at := fmt.Sprintf("/liability/%s/%d", kind.name, n)
			if amount, err := money.Parse(d.Amount, money.Decimals(m.Currency)); err != nil || amount <= 0 {
				wrong(at+"/amount", "is not an amount above 0; write a decimal in quotes, as in \"12.50\"")
			}
			if d.ID == "" {
				wrong(at, "has no id")
			}
			if slices.ContainsFunc(kind.now[:n], func(o booking.Deposit) bool { return o.ID == d.ID }) {
				wrong(at, "has the id of another one")
			}
			at2 := slices.IndexFunc(kind.known, func(o booking.Deposit) bool { return o.ID == d.ID })
			if at2 < 0 {
				continue
			}
			if was := kind.known[at2]; was.Amount != d.Amount {
				wrong(at+"/amount", "was "+was.Amount+" and cannot be changed")
			} else if was.Voided && !d.Voided {
				wrong(at+"/voided", "cannot be taken back")
			}
		}
	}
	return faults
}

// PayDeposit pays the party's open check by what is left of its deposits, as far as that is due.
func (s *Service) PayDeposit(ctx context.Context, by access.Principal, key string, id journal.ID) (Entry, error) {
	return s.act(ctx, by, key, "deposit", id, nil, func(tx *journal.Tx, _ *integration, r *row) error {
		d := s.deposits(r)
		if d.Remaining == 0 {
			return fmt.Errorf("%w: nothing is", ErrDeposit)
		}
		list, err := checks(tx, id.Key())
		if err != nil {
			return err
		}
		for _, one := range list {
			c, err := s.c.Floor.Load(tx, one)
			if err != nil {
				return err
			}
			if !c.Open {
				continue
			}
			if amount := min(c.Due, d.Remaining); amount > 0 {
				return s.c.Floor.PayDeposit(tx, one, by.Name, amount)
			}
			return fmt.Errorf("%w: nothing is due", ErrDeposit)
		}
		return ErrCheck
	})
}
