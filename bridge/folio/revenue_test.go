package folio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/access"
	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/simulate/opera"
)

// books is the floor's hotel, as the box wires it.
type books struct{ s *Service }

func (b books) Charge(ctx context.Context, by access.Principal, c floor.Charge, also func(*journal.Tx) error) (floor.Posting, error) {
	r := Request{
		Room: c.Room, Reservation: c.Reservation, Guest: c.Guest, Amount: new(c.Amount + c.Tip), Tip: c.Tip, Currency: "EUR", Check: fmt.Sprint(c.Number),
		Outlet: c.Outlet, Table: c.Table, Covers: c.Covers, Staff: c.Staff, Manager: c.Manager,
	}
	for _, p := range c.Parts {
		r.Subtotals = append(r.Subtotals, Item{p.Group, p.Amount})
	}
	p, _, err := b.s.Place(ctx, by, "", Order{ID: c.ID, Sale: c.Check, Request: r, Also: also, Wait: unhurried})
	return floorPosting(p), err
}

func floorPosting(p Posting) floor.Posting {
	v := floor.Posting{ID: p.ID, Kind: p.Kind, State: p.State, Reason: p.Reason, Message: p.Message, Tip: p.Tip}
	if p.Amount != nil {
		v.Amount = *p.Amount
	}
	if p.Original != nil {
		v.Original = *p.Original
	}
	return v
}

func (b books) Posting(ctx context.Context, id journal.ID) (floor.Posting, bool, error) {
	p, err := b.s.Get(ctx, id)
	if err == ErrNone {
		return floor.Posting{}, false, nil
	}
	return floorPosting(p), err == nil, err
}

func (b books) Sold(tx *journal.Tx, by access.Principal, v floor.Sale) error {
	s := Sale{ID: v.ID, Check: fmt.Sprint(v.Number), Outlet: v.Outlet, FloorPlan: v.FloorPlan, Table: v.Table, Covers: v.Covers, Staff: v.Staff, At: v.At}
	for _, p := range v.Parts {
		s.Parts = append(s.Parts, Part{"subtotal", p.Group, p.Amount})
	}
	for _, p := range v.Payments {
		pay := Payment{ID: p.ID.String(), Method: p.Method, Amount: p.Amount, Tip: p.Tip}
		if p.Posting != nil {
			pay.Posting = *p.Posting
		}
		s.Payments = append(s.Payments, pay)
	}
	return b.s.Sold(tx, by, s)
}

// withFloor opens a house whose floor sells and whose batches go to paymaster 9001.
func withFloor(t *testing.T, options ...option) (*house, *floor.Service) {
	t.Helper()
	var f *floor.Service
	options = append([]option{with(func(c *Config) {
		c.RevenueAccount = "9001"
		c.Settled = func(tx *journal.Tx, sale string, p Posting) error { return f.Settled(tx, sale, floorPosting(p)) }
	})}, options...)
	h := newHouse(t, opera.Config{}, options...)
	var err error
	f, err = floor.New(t.Context(), floor.Config{
		Journal: h.journal, Hotel: books{h.s}, Calendar: floor.Calendar{Location: paris(t), Close: DefaultClose}, Currency: "EUR", Courses: 4,
		Areas: []floor.Area{{Name: "Salle", Tables: []string{"1", "12"}}}, Now: h.now, Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, f
}

func lineOf(name, group string, price int64) floor.Line {
	return floor.Line{Line: sale.Line{Name: name, Quantity: 1, Price: &price}, Group: group}
}

func open(t *testing.T, f *floor.Service, lines ...floor.Line) floor.Check {
	t.Helper()
	c, _, err := f.OpenCheck(t.Context(), waiter, "", floor.Opening{Tables: []string{"12"}, Covers: 2, Staff: "7"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = f.Add(t.Context(), waiter, "", c.ID, lines); err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *house) waiting() []string {
	h.t.Helper()
	rows, err := h.s.Uncollected(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	var list []string
	for _, w := range rows {
		list = append(list, fmt.Sprintf("%s %d", w.Group, w.Amount))
	}
	return list
}

// A check paid by two rooms and a card: the rooms carry their shares to the cent, the batch the rest, all together the
// check.
func TestSeveralPayers(t *testing.T) {
	t.Parallel()
	h, f := withFloor(t)
	h.set(time.Date(2027, 12, 4, 12, 10, 0, 0, paris(t)))
	c := open(t, f, lineOf("Steak", "food", 3333), lineOf("Sole", "food", 3333), lineOf("Wine", "drinks", 3334))
	room := func(room, reservation string, amount, tip int64) floor.Taking {
		return floor.Taking{Method: "room", Amount: amount, Tip: tip, Room: room, Reservation: reservation, Guest: "Guest"}
	}
	c, err := f.Pay(t.Context(), waiter, "p1", c.ID, room("2781", "12345", 4001, 100))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Pay(t.Context(), waiter, "p1", c.ID, room("2781", "12345", 4001, 100)); err != nil || len(again.Payments) != 1 {
		t.Errorf("a repeated payment: %d payments, %v", len(again.Payments), err)
	}
	if _, err := f.Pay(t.Context(), waiter, "", c.ID, room("2781", "12381", 1000, 0)); err == nil || !strings.Contains(err.Error(), "may not charge") {
		t.Errorf("a room that may not pay: %v", err)
	}
	if _, err := f.Pay(t.Context(), waiter, "", c.ID, room("104", "24305", 6000, 0)); err == nil {
		t.Error("more was paid than is left")
	}
	if c, err = f.Pay(t.Context(), waiter, "", c.ID, room("104", "24305", 2999, 0)); err != nil {
		t.Fatal(err)
	}
	if c.Balance != 3000 {
		t.Errorf("balance %d", c.Balance)
	}
	if _, err := f.Close(t.Context(), waiter, "", c.ID); err == nil {
		t.Error("an unpaid check was closed")
	}
	if _, err := f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Method: "card", Amount: 3000, Tip: 50}); err != nil {
		t.Fatal(err)
	}
	if c, err = f.Close(t.Context(), waiter, "", c.ID); err != nil || c.State != floor.Closed {
		t.Fatalf("close: %+v %v", c, err)
	}
	var food, drinks opera.Amount
	for _, b := range h.ledger() {
		food += b.Subtotals[0]
		if len(b.Subtotals) > 1 {
			drinks += b.Subtotals[1]
		}
		if b.Check != fmt.Sprint(c.Number) {
			t.Errorf("check %s, want %d", b.Check, c.Number)
		}
	}
	if b := h.ledger(); len(b) != 2 || b[0].Time != b[1].Time || b[0].Total != 4101 || b[0].Tip != 100 {
		t.Errorf("booked %+v", b)
	}
	h.set(time.Date(2027, 12, 4, 12, 31, 0, 0, paris(t)))
	if err := h.s.batch(t.Context(), h.now()); err != nil {
		t.Fatal(err)
	}
	h.wait("the batch", func() bool { return len(h.ledger()) == 3 })
	b := h.ledger()[2]
	if b.Room != "9001" || b.Total != 3000 || food+b.Subtotals[0] != 6666 || drinks+b.Subtotals[1] != 3334 || b.Period != "2" {
		t.Errorf("batch %+v; rooms carried food %d drinks %d", b, food, drinks)
	}
	if err := h.s.batch(t.Context(), h.now()); err != nil || len(h.waiting()) != 0 {
		t.Errorf("after the batch: %v %v", h.waiting(), err)
	}
}

// Each part is in exactly one batch, whatever was missed, unmapped at first, or changed later.
func TestBatches(t *testing.T) {
	t.Parallel()
	h, f := withFloor(t)
	day := func(hour, minute int) time.Time { return time.Date(2027, 12, 4, hour, minute, 0, 0, paris(t)) }
	sell := func(at time.Time, lines ...floor.Line) floor.Check {
		h.set(at)
		c := open(t, f, lines...)
		if _, err := f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Method: "cash", Amount: c.Total}); err != nil {
			t.Fatal(err)
		}
		c, err := f.Close(t.Context(), waiter, "", c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	h.set(day(9, 1))
	if err := h.s.batch(t.Context(), h.now()); err != nil {
		t.Fatal(err)
	}
	sell(day(10, 40), lineOf("Croissant", "food", 300))
	last := sell(day(11, 10), lineOf("Steak", "food", 2000), lineOf("Candle", "shop", 500))
	// The box stood still over several slots.
	h.set(day(13, 45))
	if err := h.s.batch(t.Context(), h.now()); err != nil {
		t.Fatal(err)
	}
	list, err := h.s.Batches(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range list {
		got = append(got, fmt.Sprintf("%d %s %s %d", b.Number, b.SlotEnd.In(paris(t)).Format("15:04"), b.Period, b.Total))
	}
	if diff := cmp.Diff([]string{"2 11:30 11-14 2000", "1 11:00 04-11 300"}, got); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"shop 500"}, h.waiting()); diff != "" || !h.warned("pms_unmapped") {
		t.Errorf("unmapped (-want +got):\n%s", diff)
	}
	// A rule for it: it goes with the next slot. Meanwhile the check was reopened and a line taken instead of the other.
	h.call(manager, "PUT", "/v1/pms/settings/mapping", revised[MappingSetting]{Value: MappingSetting{
		Outlets: h.config.Outlets, Rules: append(slices.Clone(h.config.Mapping), Rule{Any, Any, Any, Any, Any, 9}),
	}})
	h.set(day(13, 50))
	if _, err := f.Reopen(t.Context(), manager, "", last.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(t.Context(), waiter, "", last.ID, []floor.Line{lineOf("Tea", "drinks", 400)}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Pay(t.Context(), waiter, "", last.ID, floor.Taking{Method: "cash", Amount: 400}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(t.Context(), waiter, "", last.ID); err != nil {
		t.Fatal(err)
	}
	h.set(day(14, 1))
	if err := h.s.batch(t.Context(), h.now()); err != nil {
		t.Fatal(err)
	}
	h.wait("three postings", func() bool { return len(h.ledger()) == 3 })
	b := h.ledger()[2]
	if b.Total != 900 || b.Subtotals[1] != 400 || b.Subtotals[8] != 500 || h.warned("pms_unmapped") {
		t.Errorf("third batch %+v", b)
	}
	if len(h.waiting()) != 0 {
		t.Errorf("left over: %v", h.waiting())
	}
}

// A refused batch can be sent again, with the same parts.
func TestRefusedBatch(t *testing.T) {
	t.Parallel()
	h, _ := withFloor(t)
	h.set(time.Date(2027, 12, 4, 12, 10, 0, 0, paris(t)))
	h.sold(Sale{ID: "a", Check: "1", Outlet: "bar", At: h.now(), Parts: []Part{{"subtotal", "wine", 700}, {"service_charge", "", 70}}, Payments: []Payment{{ID: "1", Method: "card", Amount: 770}}})
	h.inject(opera.Fault{Kind: opera.Refused, On: opera.OnPosting, Status: "UR", Count: 1})
	h.set(time.Date(2027, 12, 4, 12, 31, 0, 0, paris(t)))
	if err := h.s.batch(t.Context(), h.now()); err != nil {
		t.Fatal(err)
	}
	var refused Batch
	h.wait("the refusal", func() bool {
		list, err := h.s.Batches(t.Context(), 1)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		refused = list[0]
		return refused.State == Refused
	})
	status, v, _ := h.call(manager, "POST", "/v1/pms/revenue/"+refused.ID.String()+"/retry", nil)
	if status != 200 {
		t.Fatalf("retry: %d %v", status, v)
	}
	h.wait("the batch", func() bool { return len(h.ledger()) == 1 })
	if b := h.ledger()[0]; b.Total != 770 || b.Subtotals[2] != 700 || b.Outlet != "2" {
		t.Errorf("booked %+v", b)
	}
	if status, _, _ := h.call(manager, "POST", "/v1/pms/revenue/"+refused.ID.String()+"/retry", nil); status != 409 {
		h.wait("posted", func() bool {
			list, _ := h.s.Batches(t.Context(), 1)
			return list[0].State == Posted
		})
	}
}

func (h *house) sold(v Sale) {
	h.t.Helper()
	if err := h.journal.Write(h.t.Context(), func(tx *journal.Tx) error { return h.s.Sold(tx, till, v) }); err != nil {
		h.t.Fatal(err)
	}
}

// With transmit-all every payment is told by itself, and the batch has nothing left of it.
func TestTransmitAll(t *testing.T) {
	t.Parallel()
	h, f := withFloor(t, with(func(c *Config) { c.TransmitAll = true }))
	h.set(time.Date(2027, 12, 4, 12, 10, 0, 0, paris(t)))
	c := open(t, f, lineOf("Steak", "food", 2000), lineOf("Wine", "drinks", 1001))
	for _, p := range []floor.Taking{{Method: "card", Amount: 1000, Tip: 150}, {Method: "cash", Amount: 2001}} {
		if _, err := f.Pay(t.Context(), waiter, "", c.ID, p); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Close(t.Context(), waiter, "", c.ID); err != nil {
		t.Fatal(err)
	}
	h.wait("two postings", func() bool { return len(h.ledger()) == 2 })
	b := h.ledger()
	if b[0].Method != "CARD" || b[0].Total != 1150 || b[0].Tip != 150 || b[1].Method != "CASH" || b[1].Total != 2001 ||
		b[0].Subtotals[0]+b[1].Subtotals[0] != 2000 || b[0].Subtotals[1]+b[1].Subtotals[1] != 1001 {
		t.Errorf("booked %+v", b)
	}
	if len(h.waiting()) != 0 {
		t.Errorf("the batch would have %v", h.waiting())
	}
	// A mirrored ticket that is refused falls to the batch.
	h.inject(opera.Fault{Kind: opera.Refused, On: opera.OnPosting, Status: "DN", Count: 1})
	c = open(t, f, lineOf("Soup", "food", 800))
	if _, err := f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Method: "cash", Amount: 800}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(t.Context(), waiter, "", c.ID); err != nil {
		t.Fatal(err)
	}
	h.wait("the refused part", func() bool { return slices.Equal(h.waiting(), []string{"food 800"}) })
}

// A charge whose outcome is unknown holds its part back; what the hotel's books say decides where it goes.
func TestUnknownHoldsItsPartBack(t *testing.T) {
	t.Parallel()
	h, f := withFloor(t, with(func(c *Config) { c.AnswerTimeout = brief }))
	h.inject(opera.Fault{Kind: opera.AnswerLost, On: opera.OnPosting, Count: 1})
	c := open(t, f, lineOf("Steak", "food", 2000))
	_, err := f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Method: "room", Amount: 2000, Room: "104", Reservation: "24305", Guest: "O'Brien"})
	unknown, ok := err.(*floor.UnknownError)
	if !ok {
		t.Fatalf("Pay = %v", err)
	}
	if c, err = f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Method: "cash", Amount: 2000}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(t.Context(), waiter, "", c.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.waiting(); len(got) != 0 {
		t.Errorf("while nobody knows, the batch would have %v", got)
	}
	if _, err := h.s.Resolve(t.Context(), manager, "", unknown.Posting.ID, Verdict{State: Refused}); err != nil {
		t.Fatal(err)
	}
	if got := h.waiting(); !slices.Equal(got, []string{"food 2000"}) {
		t.Errorf("after it was found not booked: %v", got)
	}
}

// The answer comes late: the room's payment is on the check after all.
func TestLatePaymentReachesTheCheck(t *testing.T) {
	t.Parallel()
	h, f := withFloor(t, with(func(c *Config) { c.AnswerTimeout = brief }))
	h.inject(opera.Fault{Kind: opera.AnswerDelayed, On: opera.OnPosting, Count: 1, Delay: opera.Duration(3 * brief)})
	c := open(t, f, lineOf("Steak", "food", 2000))
	if _, err := f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Code: "IKPMS", Amount: 2000, Room: "104", Reservation: "24305", Guest: "O'Brien"}); err == nil {
		t.Fatal("Pay knew the outcome")
	}
	h.wait("the payment", func() bool {
		c, err := f.Get(t.Context(), c.ID)
		return err == nil && c.Balance == 0
	})
	c, err := f.Close(t.Context(), waiter, "", c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.waiting(); len(got) != 0 {
		t.Errorf("the batch would have %v", got)
	}
	// The room's charge is taken back, the check reopened and paid in cash: now it is revenue.
	if v, _, err := h.s.VoidPosting(t.Context(), manager, "", *c.Payments[0].Posting, Reversal{}, unhurried); err != nil || v.State != Posted {
		t.Fatalf("void: %+v %v", v, err)
	}
	if c, err = f.Reopen(t.Context(), manager, "", c.ID); err != nil || c.Balance != 2000 {
		t.Fatalf("after the void: %+v %v", c, err)
	}
	if _, err := f.Pay(t.Context(), waiter, "", c.ID, floor.Taking{Method: "cash", Amount: 2000}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(t.Context(), waiter, "", c.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.waiting(); !slices.Equal(got, []string{"food 2000"}) {
		t.Errorf("paid in cash at last: %v", got)
	}
}

func TestPeriodsAndSlots(t *testing.T) {
	t.Parallel()
	c := Calendar{paris(t), DefaultClose}
	for _, p := range []struct {
		at   string
		want string
	}{
		{"2026-11-21T03:59:59+01:00", "18-04"}, {"2026-11-21T04:00:00+01:00", "04-11"}, {"2026-11-21T10:59:59+01:00", "04-11"}, {"2026-11-21T11:00:00+01:00", "11-14"},
		{"2026-11-21T14:00:00+01:00", "14-18"}, {"2026-11-21T18:00:00+01:00", "18-04"}, {"2026-11-22T00:00:00+01:00", "18-04"},
		{"2026-03-29T03:59:59+02:00", "18-04"}, {"2026-03-29T04:00:00+02:00", "04-11"}, // the night that loses an hour
		{"2026-10-25T02:30:00+02:00", "18-04"}, {"2026-10-25T02:30:00+01:00", "18-04"}, {"2026-10-25T04:00:00+01:00", "04-11"},
	} {
		at, err := time.Parse(time.RFC3339, p.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := PeriodName(c.Period(at)); got != p.want {
			t.Errorf("Period(%s) = %s, want %s", p.at, got, p.want)
		}
	}
	for _, s := range []struct {
		name  string
		at    string
		every time.Duration
		want  []string
	}{
		{"a day", "2026-11-21T12:00:00+01:00", 30 * time.Minute, []string{"12:30", "13:00"}},
		{"close", "2026-11-21T05:00:01+01:00", 30 * time.Minute, []string{"05:30", "06:00"}},
		{"the day's end cuts an hour", "2026-11-21T05:00:00+01:00", time.Hour, []string{"05:30", "06:00", "07:00"}},
		{"the hour that is lost", "2026-03-29T01:10:00+01:00", 30 * time.Minute, []string{"01:30", "03:00", "03:30"}},
		{"the hour that comes twice", "2026-10-25T02:10:00+02:00", 30 * time.Minute, []string{"02:30", "02:00", "02:30", "03:00"}},
		{"two hours, one lost", "2026-03-29T00:10:00+01:00", 2 * time.Hour, []string{"03:00", "04:00", "05:30", "06:00"}},
		{"two hours, one twice", "2026-10-25T00:10:00+02:00", 2 * time.Hour, []string{"02:00", "04:00", "05:30", "06:00"}},
	} {
		at, err := time.Parse(time.RFC3339, s.at)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range s.want {
			next := c.Slot(at, s.every)
			if !next.After(at) {
				t.Fatalf("%s: the slot after %v ends at %v", s.name, at, next)
			}
			got = append(got, next.In(c.Location).Format("15:04"))
			at = next
		}
		if !slices.Equal(got, s.want) {
			t.Errorf("%s: slots end at %v, want %v", s.name, got, s.want)
		}
	}
	for at, want := range map[string]string{"2026-03-29T05:29:59+02:00": "2026-03-28", "2026-03-29T05:30:00+02:00": "2026-03-29", "2026-10-25T05:29:00+01:00": "2026-10-24", "2026-10-25T05:30:00+01:00": "2026-10-25"} {
		when, _ := time.Parse(time.RFC3339, at)
		if got := c.Day(when); got != want {
			t.Errorf("Day(%s) = %s, want %s", at, got, want)
		}
	}
}

// A hotel that is too old is not charged, and says why.
func TestVersionGate(t *testing.T) {
	t.Parallel()
	file := opera.DefaultFile()
	file.Version = "5.0.04.00"
	hotel, err := opera.NewHotel(file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: t.TempDir(), make: fiasLink}
	h.config = Config{Calendar: Calendar{Location: paris(t)}, Currency: "EUR", Dialect: "fias", Branch: "E10", AnswerTimeout: unhurried / 2}
	h.startHotel(opera.Config{Hotel: hotel})
	h.start()
	t.Cleanup(func() { h.stop(); h.stopSim() })
	h.wait("the version", func() bool { return h.warned("pms_version") })
	if p := h.place(waiter, "k", charge(100, "1")); p.State != Refused || p.Reason != LinkDown {
		t.Errorf("posting %+v", p)
	}
}
