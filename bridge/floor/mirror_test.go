package floor

import (
	"fmt"
	"slices"
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
