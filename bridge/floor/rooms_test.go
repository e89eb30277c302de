package floor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

// bookkeeper is a hotel that writes down what it is asked, and answers as told.
type bookkeeper struct {
	s       *Service
	mu      sync.Mutex
	answer  string // what becomes of the next charges
	charges []Charge
	sales   []Sale
	known   map[journal.ID]Posting
}

func (b *bookkeeper) Charge(ctx context.Context, by access.Principal, c Charge, also func(*journal.Tx) error) (Posting, error) {
	b.mu.Lock()
	p := Posting{ID: c.ID, Kind: "charge", State: b.answer, Amount: c.Amount + c.Tip, Tip: c.Tip}
	b.mu.Unlock()
	if p.State == PostingRefused {
		p.Reason, p.Message = "np", "Guest may not charge"
	}
	err := b.s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := also(tx); err != nil {
			return err
		}
		b.mu.Lock()
		b.charges = append(b.charges, c)
		b.known[c.ID] = p
		b.mu.Unlock()
		return b.s.Settled(tx, c.Check, p)
	})
	return p, err
}

func (b *bookkeeper) Posting(_ context.Context, id journal.ID) (Posting, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.known[id]
	return p, ok, nil
}

func (b *bookkeeper) Sold(_ *journal.Tx, _ access.Principal, s Sale) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sales = append(b.sales, s)
	return nil
}

// withHotel is a floor with a hotel, and a check of 50.00 on it: 43.00 food, 7.00 drinks.
func withHotel(t *testing.T) (*Service, *bookkeeper, Check) {
	t.Helper()
	b := &bookkeeper{answer: PostingPosted, known: map[journal.ID]Posting{}}
	s, err := New(t.Context(), Config{
		Journal: journaltest.Open(t, journal.Config{}, nil), Hotel: b, Calendar: Calendar{time.UTC, 330 * time.Minute}, Currency: "EUR", Courses: 4,
		Outlet: "restaurant", Areas: []Area{{"Salle", []string{"12"}}}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.s = s
	c, _, err := s.OpenCheck(t.Context(), waiter, "", Opening{Tables: []string{"12"}, Covers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = s.Add(t.Context(), waiter, "", c.ID, []Line{line("Steak", "food", 2, 2150), line("Wine", "drinks", 1, 700)}); err != nil {
		t.Fatal(err)
	}
	return s, b, c
}

func byRoom(amount int64) Taking {
	return Taking{Method: Room, Amount: amount, Room: "2781", Reservation: "12345", Guest: "Guest"}
}

func total(parts []Part) (sum int64) {
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}

// A room that refuses leaves the check as it was; one of which nobody knows stands on it without counting; one that paid
// is in the sale.
func TestRoomPayments(t *testing.T) {
	t.Parallel()
	s, b, c := withHotel(t)
	b.answer = PostingRefused
	var refused *RefusedError
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, byRoom(5000)); !errors.As(err, &refused) || refused.Posting.Reason != "np" {
		t.Errorf("refused: %v", err)
	}
	if now, err := s.Get(t.Context(), c.ID); err != nil || now.Balance != 5000 || len(now.Payments) != 0 {
		t.Errorf("after a refusal: %+v %v", now.Payments, err)
	}
	b.answer = PostingUnknown
	var unknown *UnknownError
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, byRoom(5000)); !errors.As(err, &unknown) {
		t.Fatalf("unknown: %v", err)
	}
	now, err := s.Get(t.Context(), c.ID)
	if err != nil || now.Balance != 5000 || now.Payments[0].State != Unknown {
		t.Errorf("while nobody knows: %+v %v", now.Payments, err)
	}
	id := unknown.Posting.ID
	named := Taking{Method: Room, Amount: 5000, Posting: &id}
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, named); !errors.Is(err, ErrPosting) {
		t.Errorf("naming what is unknown: %v", err)
	}
	p := b.known[id]
	p.State = PostingPosted
	b.known[id] = p
	if now, err := s.Pay(t.Context(), waiter, "", c.ID, named); err != nil || now.Balance != 0 || len(now.Payments) != 1 {
		t.Errorf("naming what is posted: %+v %v", now.Payments, err)
	}
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, named); !errors.Is(err, ErrPosting) {
		t.Errorf("the same posting twice: %v", err)
	}
	if _, err := s.Close(t.Context(), waiter, "", c.ID); err != nil {
		t.Fatal(err)
	}
	if len(b.sales) != 1 || fmt.Sprint(b.sales[0].Parts) != "[{food 4300} {drinks 700}]" || b.sales[0].FloorPlan != "Salle" || *b.sales[0].Payments[0].Posting != id {
		t.Errorf("sold %+v", b.sales)
	}
}

// A repeat under the same key charges nobody again.
func TestRoomPaymentIsRepeated(t *testing.T) {
	t.Parallel()
	s, b, c := withHotel(t)
	for range 3 {
		if now, err := s.Pay(t.Context(), waiter, "k", c.ID, byRoom(2000)); err != nil || now.Balance != 3000 {
			t.Errorf("pay: %d left, %v", now.Balance, err)
		}
	}
	if len(b.charges) != 1 {
		t.Errorf("%d charges", len(b.charges))
	}
	if _, err := s.Pay(t.Context(), waiter, "k", c.ID, byRoom(2001)); !errors.Is(err, ErrOther) {
		t.Errorf("another payment under the key: %v", err)
	}
}

// Many terminals pay one check: never more than it is, and the rooms' shares add up to it.
func TestManyPayers(t *testing.T) {
	t.Parallel()
	s, b, c := withHotel(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 4 {
				_, _ = s.Pay(t.Context(), waiter, "", c.ID, byRoom(333))
			}
		})
	}
	all.Wait()
	if now, err := s.Get(t.Context(), c.ID); err != nil || now.Paid != 15*333 || now.Balance != 5 {
		t.Fatalf("paid %d, left %d, %v", now.Paid, now.Balance, err)
	}
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, byRoom(5)); err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, c := range b.charges {
		if total(c.Parts) != c.Amount {
			t.Errorf("a charge of %d has parts %v", c.Amount, c.Parts)
		}
		for _, p := range c.Parts {
			if p.Amount < 0 {
				t.Errorf("a negative part in %v", c.Parts)
			}
			sums[p.Group] += p.Amount
		}
	}
	if sums["food"] != 4300 || sums["drinks"] != 700 {
		t.Errorf("rooms carried %v", sums)
	}
}

// A room payment has one code and names its guest; another payment names none.
func TestFaultsOfPayments(t *testing.T) {
	t.Parallel()
	s, _, c := withHotel(t)
	for _, call := range []struct{ body, pointer string }{
		{`{"method":"room","code":"CARD","amount":1,"room":"1","reservation":"2","guest":"3"}`, "/code"},
		{`{"method":"room","amount":1}`, "/room"},
		{`{"code":"IKPMS","amount":1,"room":"1","guest":"3"}`, "/reservation"},
		{`{"method":"card","amount":1,"room":"1"}`, "/room"},
		{`{"method":"card","amount":0}`, "/amount"},
		{`{"method":"card","amount":1,"tip":-1}`, "/tip"},
		{`{"method":"card","amount":1,"posting":"019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f12"}`, "/posting"},
	} {
		if w := post(t, s, "/v1/checks/"+c.ID.String()+"/payments", call.body); w.Code != 422 || !strings.Contains(w.Body.String(), call.pointer) {
			t.Errorf("%s: %d %s, want %s", call.body, w.Code, w.Body, call.pointer)
		}
	}
}
