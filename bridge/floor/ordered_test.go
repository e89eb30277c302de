package floor

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/bridge/sale"
)

// tell brings an order to the floor.
func tell(t interface{ Fatal(...any) }, s *Service, o Ordered) (remark Remark) {
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		remark, err = s.OrderIn(tx, "till", o)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return remark
}

func dishes(names ...string) (lines []sale.Line) {
	for _, n := range names {
		price := int64(1000)
		lines = append(lines, sale.Line{Name: n, Category: "Mains", Quantity: 1, Price: &price})
	}
	return lines
}

// standing are the names of an order's lines that count, check by check.
func standing(t *testing.T, s *Service, order journal.ID) map[int64][]string {
	t.Helper()
	at := map[int64][]string{}
	for _, state := range []string{Open, Closed} {
		list, err := s.List(t.Context(), state, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			for _, l := range c.Lines {
				if l.Order == order && !l.Voided {
					at[c.Number] = append(at[c.Number], l.Name)
				}
			}
		}
	}
	return at
}

// An order of a table joins the check that stands there or opens one; what becomes of it later happens on the check too,
// wherever its lines were moved, split and merged to.
func TestOrderAtATable(t *testing.T) {
	t.Parallel()
	s, steps := followed(t)
	id := s.c.Journal.NewID()
	o := Ordered{Order: id, Number: 41, Fresh: true, Table: "12", Staff: "Léa", Covers: 3, Guest: "Zoé", Lines: dishes("Soupe", "Magret"), Payments: []sale.Payment{{Method: "room", Amount: 500}}}
	if r := tell(t, s, o); r != "" {
		t.Errorf("remark %q", r)
	}
	list, err := s.List(t.Context(), Open, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d checks, %v", len(list), err)
	}
	c := list[0]
	if c.Covers != 3 || c.Staff != "Léa" || c.Guest != "Zoé" || !slices.Equal(c.Tables, []string{"12"}) || c.Total != 2000 || c.Balance != 1500 || c.Payments[0].Method != "till room" || c.Payments[0].Posting != nil {
		t.Errorf("opened as %+v", c)
	}
	var kinds []string
	for _, step := range *steps {
		kinds = append(kinds, step.Kind)
	}
	if !slices.Equal(kinds, []string{Opened, LineAdded, PaymentTaken}) || len((*steps)[1].Lines) != 2 {
		t.Errorf("steps %q", kinds)
	}
	// A second order joins; a third one's table is none of the floor.
	second := Ordered{Order: s.c.Journal.NewID(), Number: 42, Fresh: true, Table: "12", Lines: dishes("Tarte")}
	tell(t, s, second)
	lost := Ordered{Order: s.c.Journal.NewID(), Number: 43, Fresh: true, Table: "12 ", Lines: dishes("Tarte")}
	if r := tell(t, s, lost); r != RemarkNoTable {
		t.Errorf("a table that the floor has not: %q", r)
	}
	if got := fmt.Sprint(standing(t, s, id), standing(t, s, second.Order), standing(t, s, lost.Order)); got != "map[1:[Soupe Magret]] map[1:[Tarte]] map[]" {
		t.Error(got)
	}
	// The bill is split and its other half moved; then the order changes, twice told.
	half, _, err := s.Split(t.Context(), waiter, "", c.ID, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	o.Fresh, o.Lines, o.Payments = false, dishes("Magret", "Soupe", "Café"), nil
	o.Lines[0].Quantity = 2
	for range 2 {
		tell(t, s, o)
	}
	if got := fmt.Sprint(standing(t, s, id)); got != "map[1:[Soupe Magret Café]]" && got != "map[1:[Soupe Café Magret]]" {
		t.Errorf("after the change %s", got)
	}
	if c, err = s.Get(t.Context(), c.ID); err != nil || c.Total != 5000 { // soup, two magrets, coffee, the other order's tart
		t.Errorf("total %d, %v", c.Total, err)
	}
	if half, err = s.Get(t.Context(), half.ID); err != nil || half.Total != 0 || !half.Lines[0].Voided {
		t.Errorf("the half has %d, %v", half.Total, err)
	}
	// Another table, by the order's own word; then nothing any more.
	o.Table = "3"
	tell(t, s, o)
	if got := standing(t, s, id); len(got) != 1 || len(got[half.Number+1]) != 3 {
		t.Errorf("at another table %v", got)
	}
	o.Lines = nil
	if r := tell(t, s, o); r != "" || len(standing(t, s, id)) != 0 {
		t.Errorf("cancelled: %q %v", r, standing(t, s, id))
	}
	// What is paid stays: a person takes it off.
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, Taking{Method: "card", Amount: 500}); err != nil {
		t.Fatal(err)
	}
	second.Fresh, second.Lines = false, nil
	if r := tell(t, s, second); r != RemarkPaid || len(standing(t, s, second.Order)) != 1 {
		t.Errorf("cancelled when paid: %q %v", r, standing(t, s, second.Order))
	}
}

// A house that named no tables keeps checks only where somebody opened them.
func TestOrderWithoutAFloor(t *testing.T) {
	t.Parallel()
	s := open(t, journaltest.Open(t, journal.Config{}, nil))
	s.c.Areas = nil
	o := Ordered{Order: s.c.Journal.NewID(), Fresh: true, Table: "9", Lines: dishes("Soupe")}
	if r := tell(t, s, o); r != "" || len(standing(t, s, o.Order)) != 0 {
		t.Errorf("%q %v", r, standing(t, s, o.Order))
	}
	opened(t, s, "9")
	o.Fresh = false
	if r := tell(t, s, o); r != "" || len(standing(t, s, o.Order)) != 1 {
		t.Errorf("%q %v", r, standing(t, s, o.Order))
	}
}

// A table's check that is full is followed by another one, and nothing is lost.
func TestOrderOnAFullCheck(t *testing.T) {
	t.Parallel()
	s, _ := followed(t)
	var lines []string
	for n := range maxLines - 1 {
		lines = append(lines, fmt.Sprint(n))
	}
	tell(t, s, Ordered{Order: s.c.Journal.NewID(), Fresh: true, Table: "1", Lines: dishes(lines...)})
	o := Ordered{Order: s.c.Journal.NewID(), Fresh: true, Table: "1", Lines: dishes("Soupe", "Café")}
	tell(t, s, o)
	if got := fmt.Sprint(standing(t, s, o.Order)); got != "map[2:[Soupe Café]]" {
		t.Error(got)
	}
}

// Whatever orders and waiters do in whatever order: each line of an order stands on exactly one check, none stands that the
// order lost unless the order's time line says so, and nobody else's line is touched.
func TestOrdersAndWaiters(t *testing.T) {
	t.Parallel()
	shared, _ := followed(t)
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		// One journal for all, and a room of its own for each.
		runs++
		one, two, twelve := fmt.Sprint("1-", runs), fmt.Sprint("2-", runs), fmt.Sprint("12-", runs)
		c := shared.c
		c.Areas = []Area{{"Salle", []string{one, two, twelve}}}
		s, err := New(ctx, c)
		if err != nil {
			r.Fatal(err)
		}
		here := func(state string) []Check {
			list, err := s.List(ctx, state, 100)
			if err != nil {
				r.Fatal(err)
			}
			return slices.DeleteFunc(list, func(c Check) bool { return !s.Known(c.Tables[0]) })
		}
		type known struct {
			o      Ordered
			remark Remark
		}
		var orders []*known
		own := 0 // lines that waiters put on checks themselves, and did not take off
		pick := func() Check {
			list := here(Open)
			if len(list) == 0 {
				return Check{}
			}
			return list[rapid.IntRange(0, len(list)-1).Draw(r, "check")]
		}
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"Soupe", "Magret", "Tarte"}), 1, 4)
		table := rapid.SampledFrom([]string{one, two, twelve, "nowhere"})
		for range rapid.IntRange(1, 14).Draw(r, "acts") {
			var err error
			switch rapid.IntRange(0, 8).Draw(r, "act") {
			case 0, 1:
				k := &known{o: Ordered{Order: s.c.Journal.NewID(), Fresh: true, Table: table.Draw(r, "table"), Lines: dishes(names.Draw(r, "lines")...)}}
				k.remark = tell(r, s, k.o)
				k.o.Fresh = false
				orders = append(orders, k)
			case 2, 3:
				if len(orders) == 0 {
					continue
				}
				k := orders[rapid.IntRange(0, len(orders)-1).Draw(r, "order")]
				k.o.Lines, k.o.Table = dishes(names.Draw(r, "lines")...), table.Draw(r, "table")
				if rapid.IntRange(0, 3).Draw(r, "end") == 0 {
					k.o.Lines = nil
				}
				k.remark = tell(r, s, k.o)
			case 4:
				if c := pick(); !c.ID.IsZero() {
					_, err = s.Add(ctx, waiter, "", c.ID, []Line{line("Own", "", 1, 100)})
					own++
				}
			case 5:
				if c := pick(); len(c.Lines) > 1 {
					_, _, err = s.Split(ctx, waiter, "", c.ID, []int{c.Lines[len(c.Lines)-1].N})
				}
			case 6:
				from, to := pick(), pick()
				if !from.ID.IsZero() && from.ID != to.ID {
					_, err = s.Merge(ctx, waiter, "", from.ID, to.ID)
				}
			case 7:
				if c := pick(); c.Balance > 0 {
					if _, err = s.Pay(ctx, waiter, "", c.ID, Taking{Method: "card", Amount: c.Balance}); err == nil {
						_, err = s.Close(ctx, waiter, "", c.ID)
					}
				}
			case 8:
				if c := pick(); !c.ID.IsZero() {
					_, err = s.Move(ctx, waiter, "", c.ID, []string{two})
				}
			}
			if err != nil && !errors.Is(err, ErrTable) && !errors.Is(err, ErrClaimed) && !errors.Is(err, ErrLine) {
				r.Fatal(err)
			}
		}
		others := 0
		at := map[journal.ID][]string{}
		for _, state := range []string{Open, Closed} {
			for _, c := range here(state) {
				for _, l := range c.Lines {
					switch {
					case l.Voided:
					case l.Order.IsZero():
						others++
					default:
						at[l.Order] = append(at[l.Order], l.Name)
					}
				}
			}
		}
		if others != own {
			r.Fatalf("waiters put %d lines on checks, %d stand there", own, others)
		}
		for _, k := range orders {
			var want []string
			for _, l := range k.o.Lines {
				want = append(want, l.Name)
			}
			got := at[k.o.Order]
			slices.Sort(want)
			slices.Sort(got)
			switch k.remark {
			case "":
				if !slices.Equal(got, want) {
					r.Fatalf("an order of %q stands as %q", want, got)
				}
			case RemarkPaid: // more than it has, of what was paid
				for _, w := range want {
					n := slices.Index(got, w)
					if n < 0 {
						r.Fatalf("an order of %q stands as %q", want, at[k.o.Order])
					}
					got = slices.Delete(got, n, n+1)
				}
				if len(got) == 0 {
					r.Fatal("it is said that paid lines are left, and none are")
				}
			case RemarkNoTable:
				if len(got) > len(want) && s.Known(k.o.Table) {
					r.Fatalf("an order of %q stands as %q", want, got)
				}
			}
		}
	})
}

// A check that an order opened and paid for alone closes with the order, and opens again when that is taken back. With anything
// else on it, a person closes it.
func TestOrderClosesItsOwnCheck(t *testing.T) {
	t.Parallel()
	s, steps := followed(t)
	var table string // each case has its own
	over := func(s *Service, id journal.ID, back bool) {
		t.Helper()
		if err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error { return s.OverIn(tx, "pass", id, back) }); err != nil {
			t.Fatal(err)
		}
	}
	prepaid := func(amounts ...int64) (list []sale.Payment) {
		for _, a := range amounts {
			list = append(list, sale.Payment{Method: "prepaid", Amount: a})
		}
		return list
	}
	for n, c := range []struct {
		name     string
		payments []sale.Payment
		also     func(s *Service, check journal.ID) error // happens before the order is handed over
		before   bool                                     // somebody opened the check before the order came
		closes   bool
	}{
		{name: "paid and alone", payments: prepaid(2000), closes: true},
		{name: "paid in two parts", payments: prepaid(1500, 500), closes: true},
		{name: "paid and more, as with fees", payments: prepaid(2500), closes: true},
		{name: "paid in part", payments: prepaid(1999)},
		{name: "not paid"},
		{name: "a person opened it", payments: prepaid(2000), before: true},
		{name: "somebody's drink too", payments: prepaid(2000), also: func(s *Service, id journal.ID) error {
			_, err := s.Add(ctx, waiter, "", id, []Line{{Line: dishes("Eau")[0]}})
			return err
		}},
		{name: "a drink that was voided", payments: prepaid(2000), also: func(s *Service, id journal.ID) error {
			if _, err := s.Add(ctx, waiter, "", id, []Line{{Line: dishes("Eau")[0]}}); err != nil {
				return err
			}
			_, err := s.Void(ctx, waiter, "", id, []int{2})
			return err
		}},
		{name: "the rest in cash", payments: prepaid(1000), also: func(s *Service, id journal.ID) error {
			_, err := s.Pay(ctx, waiter, "", id, Taking{Method: "cash", Amount: 1000})
			return err
		}},
		{name: "a party sits there", payments: prepaid(2000), also: func(s *Service, id journal.ID) error {
			return s.c.Journal.Write(ctx, func(tx *journal.Tx) error { return s.LinkIn(tx, id, "opentable", "R1", "Zoé") })
		}},
		{name: "another order too", payments: prepaid(2000), also: func(s *Service, _ journal.ID) error {
			return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
				_, err := s.OrderIn(tx, "till", Ordered{Order: s.c.Journal.NewID(), Fresh: true, Table: table, Lines: dishes("Tarte"), Payments: prepaid(1000)})
				return err
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, *steps = fmt.Sprint("T", n), nil
			s.c.Areas = []Area{{"Salle", []string{table}}}
			if c.before {
				if _, _, err := s.OpenCheck(ctx, waiter, "", Opening{Tables: []string{table}}); err != nil {
					t.Fatal(err)
				}
			}
			id := s.c.Journal.NewID()
			tell(t, s, Ordered{Order: id, Number: 41, Fresh: true, Table: table, Lines: dishes("Soupe", "Magret"), Payments: c.payments})
			list, err := s.List(ctx, Open, 1)
			if err != nil || len(list) != 1 || list[0].Tables[0] != table {
				t.Fatalf("checks %+v, %v", list, err)
			}
			if c.also != nil {
				if err := c.also(s, list[0].ID); err != nil {
					t.Fatal(err)
				}
			}
			want := Open
			if c.closes {
				want = Closed
			}
			for range 2 { // a second word of it changes nothing
				over(s, id, false)
				if got, err := s.Get(ctx, list[0].ID); err != nil || got.State != want {
					t.Errorf("the check is %s, %v, want %s", got.State, err, want)
				}
			}
			closed := 0
			for _, step := range *steps {
				if step.Kind == CheckClosed {
					closed++
				}
			}
			if (closed == 1) != c.closes || closed > 1 {
				t.Errorf("closed %d times", closed)
			}
			over(s, id, true)
			if got, err := s.Get(ctx, list[0].ID); err != nil || got.State != Open {
				t.Errorf("taken back, the check is %s, %v", got.State, err)
			}
			// What a person closed stays closed.
			if c.closes {
				if _, err := s.Close(ctx, waiter, "", list[0].ID); err != nil {
					t.Fatal(err)
				}
				over(s, id, true)
				if got, err := s.Get(ctx, list[0].ID); err != nil || got.State != Closed {
					t.Errorf("a person closed it, and now it is %s, %v", got.State, err)
				}
			}
		})
	}
}
