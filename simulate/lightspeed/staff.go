package lightspeed

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/lightspeed"
)

// errNone says that there is no such check.
var errNone = errors.New("there is no such check")

// Seat opens a check at a table, as a waiter does at the till, and gives its identifier.
func (s *Simulator) Seat(table, covers int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.c.Tables, func(t lightspeed.Table) bool { return t.Number == table }) {
		return "", fmt.Errorf("there is no table %d", table)
	}
	s.number++
	id := fmt.Sprintf("A%d.%s", s.number, s.c.Location)
	s.accounts[id] = &lightspeed.Account{Identifier: wire.Text(id), ClientCount: covers, TableNumber: wire.Text(strconv.Itoa(table)), OpenDate: s.moment(), PaidAmount: s.amount(0), CurrentAmount: s.amount(0)}
	s.order = append(s.order, id)
	s.updated(id)
	return id, nil
}

// updated tells that a check was changed; s.mu is held.
func (s *Simulator) updated(account string) {
	s.notify(lightspeed.Notification{Type: lightspeed.TypeOrder, Status: lightspeed.CheckUpdated, AccountID: account, Account: s.accounts[account]})
}

// change does something with an open check and tells.
func (s *Simulator) change(account string, do func(a *lightspeed.Account) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known := s.accounts[account]
	if !known {
		return errNone
	}
	if err := do(a); err != nil {
		return err
	}
	s.updated(account)
	return nil
}

// Ring puts items on a check, one of each.
func (s *Simulator) Ring(account string, skus ...string) error {
	return s.change(account, func(a *lightspeed.Account) error {
		for _, sku := range skus {
			at := slices.IndexFunc(s.c.Items, func(i lightspeed.Item) bool { return i.SKU == sku })
			if at < 0 {
				return fmt.Errorf("there is no item %q", sku)
			}
			a.SalesEntries = append(a.SalesEntries, lightspeed.Sale{SKU: sku, Name: s.c.Items[at].Name, Quantity: wire.Number(1, 0), WithTax: s.amount(Price), Statistics: s.c.Items[at].Statistics})
		}
		s.total(a)
		return nil
	})
}

// Void takes the last line of an item off a check.
func (s *Simulator) Void(account, sku string) error {
	return s.change(account, func(a *lightspeed.Account) error {
		for at := range slices.Backward(a.SalesEntries) {
			if a.SalesEntries[at].SKU == sku {
				a.SalesEntries = slices.Delete(slices.Clone(a.SalesEntries), at, at+1)
				s.total(a)
				return nil
			}
		}
		return fmt.Errorf("%q is not on the check", sku)
	})
}

// total adds the lines up; s.mu is held.
func (s *Simulator) total(a *lightspeed.Account) {
	var sum int64
	for _, l := range a.SalesEntries {
		n, _ := wire.Minor(l.WithTax, wire.Decimals(s.c.Currency)) // as this till wrote it
		sum += n
	}
	a.CurrentAmount = s.amount(sum)
}

// Take takes money for a check.
func (s *Simulator) Take(account, method string, amount int64) error {
	return s.change(account, func(a *lightspeed.Account) error {
		paid, err := wire.Minor(a.PaidAmount, wire.Decimals(s.c.Currency))
		a.PaymentEntries = append(a.PaymentEntries, lightspeed.Paid{Code: method, Amount: s.amount(amount)})
		a.PaidAmount = s.amount(paid + amount)
		return err
	})
}

// Move sets a check to another table.
func (s *Simulator) Move(account string, table int) error {
	return s.change(account, func(a *lightspeed.Account) error {
		a.TableNumber = wire.Text(strconv.Itoa(table))
		return nil
	})
}

// Reopen opens a closed check again.
func (s *Simulator) Reopen(account string) error {
	return s.change(account, func(a *lightspeed.Account) error {
		a.CloseDate = nil
		return nil
	})
}

// Forget makes a check one that the till does not know, as it does after a while.
func (s *Simulator) Forget(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, account)
	s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == account })
}

// Deaf has notifications be lost from now on, or not any more.
func (s *Simulator) Deaf(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = on
}

// SellOut takes an item from sale at the till, or gives it back, as staff do there.
func (s *Simulator) SellOut(sku string, out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off[sku] = out
	s.item(sku)
}

// item tells how an item stands; s.mu is held.
func (s *Simulator) item(sku string) {
	n := lightspeed.Notification{Type: lightspeed.TypeItem, Status: lightspeed.NotRestricted, SKU: sku}
	if s.off[sku] {
		n.Status, n.Count = lightspeed.Restricted, jsontext.Value("0")
	}
	s.notify(n)
}
