package floor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

const tillName = "lightspeed-k"

func mirror(t interface{ Fatal(...any) }, s *Service, id journal.ID, m Mirrored, sure bool) (at journal.ID, fits bool) {
	m.Other = "Other"
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		at, fits, err = s.MirrorIn(tx, tillName, id, m, sure)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return at, fits
}

func sold(sku, group string, quantity int, price int64) Line {
	return Line{Line: sale.Line{SKU: sku, Name: sku, Quantity: quantity, Price: &price}, Group: group}
}

// An evening at a till that keeps the check: each word is all that stands there, and becomes steps of ours.
func TestMirror(t *testing.T) {
	t.Parallel()
	s, steps := followed(t)
	since := time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second)
	id, _ := mirror(t, s, journal.ID{}, Mirrored{Open: true, OpenedAt: since, Tables: []string{"12"}, Covers: 2, Staff: "Léa"}, false)
	get := func() Check {
		t.Helper()
		c, err := s.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	expect := func(what string, m Mirrored, sure, fits bool, kinds ...string) Check {
		t.Helper()
		*steps = nil
		if _, got := mirror(t, s, id, m, sure); got != fits {
			t.Errorf("%s: fits %t", what, got)
		}
		var got []string
		for _, step := range *steps {
			got = append(got, step.Kind)
		}
		if !slices.Equal(got, kinds) {
			t.Errorf("%s: steps %q, want %q", what, got, kinds)
		}
		return get()
	}
	if c := get(); !c.OpenedAt.Equal(since) || c.Covers != 2 || c.State != Open {
		t.Errorf("opened as %+v", c)
	}
	m := Mirrored{Open: true, Tables: []string{"12"}, Covers: 2, Lines: []Line{sold("S", "Starters", 1, 850), sold("M", "Mains", 2, 2000)}, Total: 4850}
	c := expect("two courses", m, false, true, LineAdded)
	if c.Total != 4850 || len(c.Lines) != 2 {
		t.Errorf("%+v", c)
	}
	expect("the same again", m, false, true)
	m.Lines = []Line{sold("S", "Starters", 1, 850), sold("M", "Mains", 3, 2000)}
	m.Total = 6850 - 350 // a discount that is on no line
	if c = expect("one more, and a discount", m, false, true, LineAdded); c.Total != 6500 || len((*steps)[0].Lines) != 2 || (*steps)[0].Lines[0].Quantity != 1 {
		t.Errorf("%+v", c)
	}
	// An older word comes late: nothing is taken away by it. Asked for, it is.
	less := m
	less.Lines, less.Total = m.Lines[:1], 850
	if c = expect("an older word", less, false, false); c.Total != 6500 {
		t.Errorf("%+v", c)
	}
	if c = expect("the same, asked for", less, true, true, LineVoided); c.Total != 850 {
		t.Errorf("%+v", c)
	}
	// At another table, with a payment; what a waiter put on it here stays.
	if _, err := s.Add(t.Context(), waiter, "", id, []Line{line("Own", "", 1, 100)}); err != nil {
		t.Fatal(err)
	}
	m.Lines, m.Total, m.Tables, m.Covers = less.Lines, 850, []string{"3"}, 4
	m.Payments, m.Paid = []Taken{{"room", 500, 0}}, 500
	if c = expect("moved, and paid in part", m, false, true, Moved, CoversChanged, PaymentTaken); c.Total != 950 || c.Balance != 450 || !slices.Equal(c.Tables, []string{"3"}) || c.Payments[0].Method != "till room" {
		t.Errorf("%+v", c)
	}
	m.Tables = []string{"nowhere"}
	expect("a table that is none", m, true, true)
	m.Open, m.Paid, m.Payments = false, 1000, []Taken{{"room", 500, 0}, {"CARD", 500, 50}}
	if c = expect("closed, with change", m, false, true, PaymentTaken, CheckClosed); c.State != Closed || c.Balance != 0 || c.Tips != 100 {
		t.Errorf("%+v", c)
	}
	expect("closed twice", m, false, true)
	m.Open = true
	expect("an older word of a closed one", m, false, false)
	if c = expect("open again", m, true, true, CheckReopened, PaymentVoided, PaymentTaken); c.State != Open || c.Paid != 1000 || c.Balance != -50 {
		t.Errorf("%+v", c)
	}
	// One that was opened by mistake.
	id, _ = mirror(t, s, journal.ID{}, Mirrored{Open: true, Tables: []string{"1"}}, false)
	if c = expect("closed empty", Mirrored{}, false, true, CheckCancelled); c.State != Cancelled || len(on(t, s, "1")) != 0 {
		t.Errorf("%+v", c)
	}
}

// Whatever a till says, asked for or late: the last sure word is what the check adds up to, and no word that may be old takes
// anything away.
func TestMirrorHolds(t *testing.T) {
	t.Parallel()
	s, _ := followed(t)
	rapid.Check(t, func(r *rapid.T) {
		id, _ := mirror(r, s, journal.ID{}, Mirrored{Open: true, Tables: []string{"1"}}, true)
		counted := func(c *Check) (total, paid int64, quantity map[string]int) {
			quantity = map[string]int{}
			for _, l := range c.Lines {
				if !l.Voided && l.SKU != "" {
					quantity[l.SKU+fmt.Sprint(*l.Price)] += l.Quantity
				}
			}
			return c.Total, c.Paid, quantity
		}
		for range rapid.IntRange(1, 6).Draw(r, "words") {
			m := Mirrored{Open: true, Tables: []string{"1"}}
			want := map[string]int{}
			for range rapid.IntRange(0, 5).Draw(r, "lines") {
				l := sold(rapid.SampledFrom([]string{"A", "B"}).Draw(r, "sku"), "", rapid.IntRange(1, 3).Draw(r, "quantity"), rapid.Int64Range(-2, 2).Draw(r, "price"))
				m.Lines = append(m.Lines, l)
				m.Total += l.Total()
				want[l.SKU+fmt.Sprint(*l.Price)] += l.Quantity
			}
			m.Total += rapid.Int64Range(-1, 1).Draw(r, "difference")
			for range rapid.IntRange(0, 2).Draw(r, "payments") {
				m.Payments = append(m.Payments, Taken{"CARD", rapid.Int64Range(1, 3).Draw(r, "amount"), 0})
				m.Paid += m.Payments[len(m.Payments)-1].Amount
			}
			before, err := s.Get(ctx, id)
			if err != nil {
				r.Fatal(err)
			}
			_, wasPaid, had := counted(&before)
			sure := rapid.Bool().Draw(r, "sure")
			_, fits := mirror(r, s, id, m, sure)
			c, err := s.Get(ctx, id)
			if err != nil {
				r.Fatal(err)
			}
			total, paid, has := counted(&c)
			if sure && !fits {
				r.Fatal("a sure word did not fit")
			}
			if fits && (total != m.Total || paid != m.Paid || fmt.Sprint(has) != fmt.Sprint(want)) {
				r.Fatalf("the till says %d, %d paid, %v; the check %d, %d, %v", m.Total, m.Paid, want, total, paid, has)
			}
			if sure {
				continue
			}
			for p, n := range had {
				if has[p] < n {
					r.Fatalf("a word that may be old took %s from %d to %d", p, n, has[p])
				}
			}
			if paid < wasPaid {
				r.Fatal("a word that may be old took a payment back")
			}
		}
	})
}

// A payment that comes from here to the till that keeps the check counts once, in whatever order the till and the answer to it
// speak; one that never came is not kept as paid.
func TestPaymentsForTheTill(t *testing.T) {
	t.Parallel()
	const dep = "DEP"
	type word struct {
		mirror *Mirrored // the till tells of the check
		enter  string    // what became of the payment: Paid or ToEnter
	}
	told := func(open bool, pays ...Taken) *Mirrored {
		m := &Mirrored{Open: open, Tables: []string{"12"}, Lines: []Line{sold("MA", "Mains", 1, 6000)}, Total: 6000, Payments: pays}
		for _, p := range pays {
			m.Paid += p.Amount
		}
		return m
	}
	whole := func(open bool, paid int64) *Mirrored { // tells no single payment
		m := told(open)
		m.Paid = paid
		return m
	}
	card, here := Taken{"CARD", 2000, 0}, Taken{dep, 4000, 0}
	s, steps := followed(t)
	s.c.Till = tillName
	for _, c := range []struct {
		name   string
		method string
		words  []word
		want   string // payments that are not taken back
		paid   int64
		tips   int64
		state  string
	}{
		{"the answer, then the check", dep, []word{{enter: Paid}, {mirror: told(true, here)}, {mirror: told(true, here)}}, "deposit 4000 paid", 4000, 0, Open},
		{"the check, then the answer", dep, []word{{mirror: told(true, here)}, {enter: Paid}, {mirror: told(true, here)}}, "deposit 4000 paid", 4000, 0, Open},
		{"with the guest's card", dep, []word{{mirror: told(true, card)}, {mirror: told(true, card, here)}, {enter: Paid}, {mirror: told(false, card, here)}}, "deposit 4000 paid, CARD 2000 paid", 6000, 0, Closed},
		{"still asked", dep, []word{{mirror: told(true)}}, "deposit 4000 pending", 0, 0, Open},
		{"refused", dep, []word{{enter: ToEnter}, {mirror: told(true, card)}}, "deposit 4000 to_enter, CARD 2000 paid", 2000, 0, Open},
		{"refused, then entered by hand", dep, []word{{enter: ToEnter}, {mirror: told(true, here)}}, "deposit 4000 paid", 4000, 0, Open},
		{"refused, and closed without it", dep, []word{{enter: ToEnter}, {mirror: told(false, Taken{"CARD", 6000, 0})}}, "CARD 6000 paid", 6000, 0, Closed},
		{"by hand: the guest's card of the same amount is not it", "", []word{{mirror: told(true, Taken{"CARD", 4000, 0})}}, "deposit 4000 to_enter, CARD 4000 paid", 4000, 0, Open},
		{"by hand, then told", "", []word{{enter: Paid}, {mirror: told(true, Taken{"VOUCHER", 4000, 0})}}, "deposit 4000 paid", 4000, 0, Open},
		{"told, then by hand", "", []word{{mirror: told(true, Taken{"VOUCHER", 4000, 0})}, {enter: Paid}, {mirror: told(true, Taken{"VOUCHER", 4000, 0})}}, "deposit 4000 paid", 4000, 0, Open},
		{"said to be entered, and it was not", "", []word{{enter: Paid}, {mirror: told(false, Taken{"CARD", 6000, 0})}}, "CARD 6000 paid", 6000, 0, Closed},
		{"no single payment is told", dep, []word{{mirror: whole(true, 4000)}, {enter: Paid}, {mirror: whole(true, 4000)}, {mirror: whole(false, 6000)}}, "deposit 4000 paid, till 2000 paid", 6000, 0, Closed},
		{"closed before the answer", dep, []word{{mirror: whole(false, 6000)}, {enter: Paid}}, "deposit 4000 paid, till 2000 paid", 6000, 0, Closed},
		{"closed before it was refused", dep, []word{{mirror: told(false, Taken{"CARD", 6000, 0})}, {enter: ToEnter}}, "CARD 6000 paid", 6000, 0, Closed},
		{"gone at the till", dep, []word{{enter: Paid}, {mirror: &Mirrored{}}}, "", 0, 0, Cancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			*steps = nil
			s.c.Enter = func(_ *journal.Tx, _ *Check, p *Payment) error {
				p.State, p.Entry = Pending, &Entry{Method: c.method}
				if c.method == "" {
					p.State = ToEnter
				}
				return nil
			}
			id, _ := mirror(t, s, journal.ID{}, *told(true), true)
			if err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error { return s.DepositIn(tx, id, "Léa", 4000) }); err != nil {
				t.Fatal(err)
			}
			get := func() Check {
				t.Helper()
				v, err := s.Get(ctx, id)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			payment := get().Payments[0].ID
			for _, w := range c.words {
				if w.mirror != nil {
					mirror(t, s, id, *w.mirror, true)
					continue
				}
				err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
					return s.EnteredIn(tx, id, payment, tillName, tillName, w.enter, Entry{Code: "overpaid"})
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			v := get()
			var stand []string
			last := ""
			for _, p := range v.Payments {
				if p.State != Voided {
					stand = append(stand, fmt.Sprintf("%s %d %s", p.Method, p.Amount, p.State))
				}
			}
			for _, step := range *steps { // whoever follows hears of its end exactly once
				if p := step.Payment; p != nil && p.ID == payment && (p.State == Paid || p.State == Voided) {
					if last == p.State {
						t.Errorf("told twice that it is %s", last)
					}
					last = p.State
				}
			}
			if got := v.Payments[0].State; (got == Paid || got == Voided) != (last != "") || last != "" && last != got {
				t.Errorf("told that it is %q, and it is %s", last, got)
			}
			if got := strings.Join(stand, ", "); got != c.want || v.Paid != c.paid || v.Tips != c.tips || v.State != c.state {
				t.Errorf("%s; paid %d, tips %d, %s; want %s; %d, %d, %s", got, v.Paid, v.Tips, v.State, c.want, c.paid, c.tips, c.state)
			}
		})
	}
}
