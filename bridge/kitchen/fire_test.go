package kitchen

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// course is a dish of a course.
func course(n int, name, category string) sale.Line {
	l := dish(1, name, category)
	l.Course = n
	return l
}

// ticketOf finds the order's ticket with a dish.
func (h *house) ticketOf(id journal.ID, dish string) Ticket {
	h.t.Helper()
	h.settle()
	for key := range h.kitchen.board.hubs {
		s, r, _ := h.kitchen.board.Snapshot(context.Background(), key)
		r.Close()
		for _, t := range s.Tickets {
			if t.Order == id && slices.ContainsFunc(t.Lines, func(l Line) bool { return l.Name == dish }) {
				return t
			}
		}
	}
	h.t.Fatalf("no screen shows %s", dish)
	return Ticket{}
}

func TestCoursesAreFired(t *testing.T) {
	t.Parallel()
	lines := []sale.Line{course(1, "Soup", "Grill"), course(2, "Steak", "Grill"), course(2, "Wine", "Drinks"), course(3, "Tarte", "Grill")}
	with := func(fire string) func(*house) {
		return func(h *house) {
			for i := range h.config.Stations {
				h.config.Stations[i].Fire, h.config.Stations[i].FireAfter = fire, 15*time.Minute
			}
		}
	}
	t.Run("at once", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, nil)
		h.place(newOrder(lines...))
		same(t, "grill", h.shows("grill"), []string{"#1 grill order new, 1 Soup, 1 Steak, 1 Tarte"})
	})
	t.Run("by the waiter", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, with(FireWaiter))
		id := h.place(newOrder(lines...)).ID
		same(t, "grill", h.shows("grill"), []string{"#1 grill order new, 1 Soup", "#1 grill order held, 1 Steak", "#1 grill order held, 1 Tarte"})
		same(t, "jobs", h.jobs(id), []string{"grill order queued"})
		h.act("bump", h.ticketOf(id, "Soup").ID)
		same(t, "bumped", h.shows("grill"), []string{"#1 grill order held, 1 Steak", "#1 grill order held, 1 Tarte"})
		h.clock.add(20 * time.Minute)
		if fired := h.act("fire", h.ticketOf(id, "Steak").ID); !fired.At.Equal(h.clock.now().Truncate(time.Millisecond)) || fired.Held != "" {
			t.Errorf("fired %+v: its age counts from now", fired)
		}
		same(t, "jobs", h.jobs(id), []string{"grill order queued", "grill order queued"})
		if v := h.view(id); v.State != "accepted" {
			t.Errorf("order is %s while a course is held", v.State)
		}
	})
	t.Run("by the bump of the course before", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, with(FirePrevious))
		id := h.place(newOrder(lines...)).ID
		h.act("bump", h.ticketOf(id, "Soup").ID)
		same(t, "grill", h.shows("grill"), []string{"#1 grill order new, 1 Steak", "#1 grill order held, 1 Tarte"})
		same(t, "bar", h.shows("bar"), []string{"#1 bar order new, 1 Wine"})
		h.act("bump", h.ticketOf(id, "Steak").ID)
		same(t, "the bar still works on it", h.shows("grill"), []string{"#1 grill order held, 1 Tarte"})
		h.act("bump", h.ticketOf(id, "Wine").ID)
		same(t, "grill", h.shows("grill"), []string{"#1 grill order new, 1 Tarte"})
		h.act("bump", h.ticketOf(id, "Tarte").ID)
		if v := h.view(id); v.State != "prepared" {
			t.Errorf("order is %s, want prepared", v.State)
		}
		same(t, "jobs", h.jobs(id), []string{"grill order queued", "grill order queued", "bar order queued", "grill order queued"})
	})
	t.Run("after minutes", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, with(FireAfter))
		id := h.place(newOrder(lines...)).ID
		if k := h.ticketOf(id, "Steak"); k.Held != HeldTime || !k.FireAt.Equal(k.At.Add(15*time.Minute)) {
			t.Errorf("steak waits for %s until %v", k.Held, k.FireAt)
		}
		due := func() {
			t.Helper()
			if err := h.kitchen.FireDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.add(15*time.Minute - time.Second)
		due()
		same(t, "too early", h.shows("grill"), []string{"#1 grill order new, 1 Soup", "#1 grill order held, 1 Steak", "#1 grill order held, 1 Tarte"})
		h.restart()
		h.clock.add(time.Second)
		due()
		same(t, "after a restart", h.shows("grill"), []string{"#1 grill order new, 1 Soup", "#1 grill order new, 1 Steak", "#1 grill order held, 1 Tarte"})
		h.act("fire", h.ticketOf(id, "Tarte").ID)
		h.clock.add(time.Hour)
		due()
		same(t, "jobs", h.jobs(id), []string{"grill order queued", "grill order queued", "bar order queued", "grill order queued"})
	})
	t.Run("not for delivery", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, with(FireWaiter))
		o := newOrder(lines...)
		o.Service = sale.Delivery
		h.place(o)
		same(t, "grill", h.shows("grill"), []string{"#1 grill order new, 1 Soup, 1 Steak, 1 Tarte"})
	})
	t.Run("a change keeps what is cooked", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, with(FirePrevious))
		o := newOrder(lines[1], lines[3])
		id := h.place(o).ID
		h.change(id, o, lines[0], lines[1], lines[3])
		same(t, "grill", h.shows("grill"), []string{"#1 grill order new unseen, 1 Soup added, 1 Steak", "#1 grill order held, 1 Tarte"})
	})
}

// A held ticket that a screen shows is printed when it is fired, one that only paper shows at once as well; paper that
// is out is followed by HOLD and FIRE.
func TestFiringPrints(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	bread := dish(1, "Bread", "Bread") // its station only prints, on the bar's printer
	bread.Hold = true
	id := h.place(newOrder(bread)).ID
	same(t, "at once", h.jobs(id), []string{"bar order queued"})
	h.printers["bar"].drain()
	h.act("fire", h.view(id).Tickets[0].ID)
	same(t, "fired", h.jobs(id), []string{"bar order done", "bar fire queued"})
	h.printers["bar"].drain()
	if b := h.printers["bar"].bodies; len(b) != 2 || !strings.Contains(b[0], "HOLD") || !strings.Contains(b[1], "FIRE") || strings.Contains(b[1], "HOLD") {
		t.Errorf("paper: %q", b)
	}

	steak := h.place(newOrder(dish(1, "Steak", "Grill"))).ID
	h.printers["grill"].drain()
	h.act("hold", h.ticketOf(steak, "Steak").ID)
	h.act("fire", h.ticketOf(steak, "Steak").ID)
	same(t, "held though its paper is out", h.jobs(steak), []string{"grill order done", "grill hold queued", "grill fire queued"})
	h.printers["grill"].drain()
	if b := h.printers["grill"].bodies; !strings.Contains(b[1], "HOLD") || !strings.Contains(b[2], "FIRE") {
		t.Errorf("paper: %q", b)
	}
	same(t, "one card", h.shows("grill"), []string{"#2 grill order new, 1 Steak"})

	var lost *LostRace
	if _, err := h.kitchen.Act(t.Context(), cook, "", "fire", h.ticketOf(steak, "Steak").ID); !errors.As(err, &lost) {
		t.Errorf("fired twice: %v", err)
	}
}

// Stations that say how long their dishes take begin so that all is ready together, or when the courier comes.
func TestPacing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(h *house) {
		h.config.Stations[0].Prep, h.config.Stations[1].Prep = 12*time.Minute, 3*time.Minute
	})
	id := h.place(newOrder(dish(1, "Steak", "Grill"), dish(1, "Mojito", "Drinks"))).ID
	same(t, "grill", h.shows("grill"), []string{"#1 grill order new, 1 Steak"})
	if k := h.ticketOf(id, "Mojito"); k.State != StateHeld || k.FireAt.Sub(k.At) != 9*time.Minute {
		t.Errorf("the bar is %s and fires after %v, want 9m", k.State, k.FireAt.Sub(k.At))
	}
	o := newOrder(dish(1, "Steak", "Grill"))
	o.Service, o.Scheduling, o.ReadyAt = sale.Delivery, sale.FixedTime, h.clock.now().Add(25*time.Minute)
	if k := h.ticketOf(h.place(o).ID, "Steak"); k.State != StateHeld || !k.FireAt.Equal(o.ReadyAt.Add(-12*time.Minute)) {
		t.Errorf("for a courier in 25 minutes the grill is %s and fires at %v", k.State, k.FireAt)
	}
	h.clock.add(9 * time.Minute)
	if err := h.kitchen.FireDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "bar", h.shows("bar"), []string{"#1 bar order new, 1 Mojito"})
}

func TestTicks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	o := newOrder(dish(1, "Steak", "Grill"), dish(2, "Fish", "Grill"))
	id := h.place(o).ID
	ticket := h.ticketOf(id, "Steak").ID
	tick := func(n int, done bool) error {
		_, err := h.kitchen.Tick(t.Context(), cook, "", ticket, n, done)
		return err
	}
	ticked := func() (list []string) {
		for _, l := range h.ticketOf(id, "Steak").Lines {
			if l.Ticked {
				list = append(list, l.Name)
			}
		}
		return list
	}
	if err := tick(1, true); err != nil {
		t.Fatal(err)
	}
	var lost *LostRace
	if err := tick(1, true); !errors.As(err, &lost) || !lost.Ticket.Lines[1].Ticked {
		t.Errorf("ticked twice: %v", err)
	}
	if err := tick(7, true); !errors.Is(err, ErrUnknown) {
		t.Errorf("a line that is not there: %v", err)
	}
	h.restart()
	same(t, "after a restart", ticked(), []string{"Fish"})
	o = h.change(id, o, dish(1, "Fish", "Grill"), dish(1, "Steak", "Grill"), dish(1, "Rice", "Grill"))
	same(t, "less fish is done as well", ticked(), []string{"Fish"})
	if err := tick(1, true); !errors.As(err, &lost) {
		t.Errorf("ticked before the change was seen: %v", err)
	}
	h.act("seen", ticket)
	if k := h.ticketOf(id, "Rice"); k.Lines[2].At.IsZero() || !k.Lines[1].At.IsZero() || k.Lines[2].Change != "" {
		t.Errorf("what came later stands under its time: %+v", k.Lines)
	}
	h.change(id, o, dish(3, "Fish", "Grill"), dish(1, "Steak", "Grill"), dish(1, "Rice", "Grill"))
	h.act("seen", ticket)
	same(t, "more fish is to be cooked", ticked(), nil)
	if err := tick(0, true); err != nil {
		t.Fatal(err)
	}
	if err := tick(0, false); err != nil {
		t.Fatal(err)
	}
	same(t, "taken back", ticked(), nil)
}

func TestAllergyIsSeenFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	o := newOrder(dish(1, "Steak", "Grill"))
	o.AllergyNote = "noix"
	id := h.place(o).ID
	ticket := h.ticketOf(id, "Steak").ID
	var unseen *ErrAllergyUnseen
	if _, err := h.kitchen.Tick(t.Context(), cook, "", ticket, 0, true); !errors.As(err, &unseen) || unseen.Ticket.ID != ticket {
		t.Errorf("ticked before the allergy was seen: %v", err)
	}
	h.act("seen", ticket)
	if _, err := h.kitchen.Tick(t.Context(), cook, "", ticket, 0, true); err != nil {
		t.Error(err)
	}
	next := *o
	next.AllergyNote = "noix, lait"
	h.change(id, &next)
	if h.ticketOf(id, "Steak").AllergySeen {
		t.Error("an allergy more counts as seen")
	}
}

func TestPriority(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	ticket := h.ticketOf(h.place(newOrder(dish(1, "Steak", "Grill"))).ID, "Steak").ID
	if k := h.act("priority", ticket); !k.Priority {
		t.Error("not before the others")
	}
	var lost *LostRace
	if _, err := h.kitchen.Act(t.Context(), cook, "", "priority", ticket); !errors.As(err, &lost) {
		t.Errorf("twice: %v", err)
	}
	if k := h.act("unpriority", ticket); k.Priority {
		t.Error("not taken back")
	}
}

// A table move changes the head of every open ticket, until it is seen, and nothing else.
func TestTableMove(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	id := h.place(newOrder(dish(1, "Steak", "Grill"), dish(1, "Wine", "Drinks"))).ID
	h.printers["grill"].drain()
	err := h.journal.Write(t.Context(), func(tx *journal.Tx) error {
		return h.orders.MoveTable(tx, []journal.ID{id}, "31", "Léa")
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Steak", "Wine"} {
		if k := h.ticketOf(id, name); k.Table != "31" || k.WasTable != "12" || !k.ChangedUnseen || len(marks(k.Lines)) > 0 {
			t.Errorf("%s: table %s was %s", name, k.Table, k.WasTable)
		}
	}
	if k := h.act("seen", h.ticketOf(id, "Steak").ID); k.WasTable != "" || k.Table != "31" {
		t.Errorf("seen: table %s was %s", k.Table, k.WasTable)
	}
	if v := h.view(id); v.Table != "31" || v.Version != 1 {
		t.Errorf("the order says table %s, version %d", v.Table, v.Version)
	}
	h.printers["grill"].drain()
	if b := h.printers["grill"].bodies; len(b) != 2 || !strings.Contains(b[1], "12 -> 31") {
		t.Errorf("paper: %q", b)
	}
}

func TestSoldOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	sell := func(out bool) SoldOut {
		t.Helper()
		s, err := h.kitchen.SellOut(t.Context(), cook, "", "S-1", "Steak", out)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := sell(true)
	h.clock.add(time.Minute)
	if again := sell(true); !again.At.Equal(first.At) {
		t.Errorf("said again: since %v, want %v", again.At, first.At)
	}
	check := func(when string, want int) {
		t.Helper()
		h.settle()
		for _, screen := range []string{"grill", "bar"} {
			s, r, _ := h.kitchen.Board().Snapshot(t.Context(), screen)
			r.Close()
			if len(s.SoldOut) != want {
				t.Errorf("%s: screen %s says %v is sold out", when, screen, s.SoldOut)
			}
		}
	}
	check("sold out", 1)
	h.restart()
	check("after a restart", 1)
	if s := sell(false); s.Name != "Steak" || s.SoldOut {
		t.Errorf("back: %+v", s)
	}
	sell(false)
	check("back", 0)
	changes, err := h.journal.Since(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, c := range changes {
		if c.Kind == "menu" {
			told = append(told, c.Subject+" "+map[bool]string{true: "out", false: "back"}[strings.Contains(string(c.Payload), `"sold_out":true`)])
		}
	}
	same(t, "the feed", told, []string{"S-1 out", "S-1 back"})
}

func TestClosedStation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.place(newOrder(dish(1, "Steak", "Grill")))
	boss := access.Principal{Name: "Paul", Role: access.Manager}
	if err := h.kitchen.CloseStation(t.Context(), boss, "", "grill", "bar"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		want     error
	}{{"grill", "grill", ErrSelf}, {"wall", "grill", ErrTaken}, {"bar", "wall", ErrTakes}, {"grill", "none", ErrUnknown}, {"grill", "pass", ErrNoScreen}} {
		if err := h.kitchen.CloseStation(t.Context(), boss, "", c.from, c.to); !errors.Is(err, c.want) {
			t.Errorf("close %s to %s: %v, want %v", c.from, c.to, err, c.want)
		}
	}
	fish := h.place(newOrder(dish(1, "Fish", "Grill"))).ID
	check := func(when string) {
		t.Helper()
		same(t, when+": grill", h.shows("grill"), []string{})
		same(t, when+": bar", h.shows("bar"), []string{"#1 grill order new, 1 Steak", "#2 grill order new, 1 Fish"})
	}
	check("closed")
	same(t, "jobs", h.jobs(fish), []string{"bar order queued"})
	h.printers["bar"].drain()
	if b := h.printers["bar"].bodies; !strings.Contains(b[0], "FOR: GRILL") {
		t.Errorf("paper: %q", b)
	}
	h.restart()
	check("after a restart")
	if s := h.kitchen.Stations(); s[0].ClosedTo != "bar" || s[0].Open != 2 {
		t.Errorf("stations: %+v", s)
	}
	if err := h.kitchen.OpenStation(t.Context(), boss, "", "grill"); err != nil {
		t.Fatal(err)
	}
	same(t, "open again", h.shows("grill"), []string{"#1 grill order new, 1 Steak", "#2 grill order new, 1 Fish"})
	same(t, "bar", h.shows("bar"), []string{})
}

func TestLeftOpenAtDayClose(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(h *house) {
		h.config.Day = func(t time.Time) string { return t.Add(-5 * time.Hour).Format(time.DateOnly) } // as the orders' calendar
	})
	closeDay := func() time.Duration {
		t.Helper()
		wait, err := h.kitchen.CloseDay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	old := h.place(newOrder(dish(1, "Steak", "Grill"), dish(1, "Bread", "Bread"))).ID // at 19:04
	cancelled := h.place(newOrder(dish(1, "Fish", "Grill"))).ID
	if _, err := h.orders.Cancel(t.Context(), till, "", "", cancelled); err != nil {
		t.Fatal(err)
	}
	h.clock.add(9*time.Hour + 30*time.Minute)
	young := h.place(newOrder(dish(1, "Soup", "Grill"))).ID // at 04:34
	closeDay()
	same(t, "before the day's end", h.shows("grill"), []string{"#1 grill order new, 1 Steak", "#2 grill order cancelled unseen, 1 Fish", "#3 grill order new, 1 Soup"})
	h.clock.add(30 * time.Minute)
	if wait := closeDay(); wait == 0 {
		t.Error("nothing is left to archive though a ticket is young")
	}
	same(t, "after it", h.shows("grill"), []string{"#3 grill order new, 1 Soup"})
	var states []string
	for _, k := range h.view(old).Tickets {
		states = append(states, k.Station+" "+k.State)
	}
	same(t, "archived", states, []string{"grill left_open", "pass served"})
	today := h.place(newOrder(dish(1, "Egg", "Grill"))).ID
	h.clock.add(time.Hour)
	if wait := closeDay(); wait != 0 {
		t.Errorf("look again in %v, want never", wait)
	}
	same(t, "an hour later", h.shows("grill"), []string{"#1 grill order new, 1 Egg"})
	if v := h.view(young); v.Tickets[0].State != StateLeftOpen {
		t.Errorf("the young one is %s", v.Tickets[0].State)
	}
	if v := h.view(today); v.Tickets[0].State != StateNew {
		t.Errorf("today's is %s", v.Tickets[0].State)
	}
}

func TestLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	at := func(minutes int, lines ...sale.Line) {
		o := newOrder(lines...)
		o.Table, o.Service, o.Scheduling, o.ReadyAt = "", sale.Pickup, sale.FixedTime, time.Date(2026, 11, 21, 20, minutes, 0, 0, time.UTC)
		h.place(o)
	}
	at(50, dish(1, "Steak", "Grill"))
	at(44, dish(1, "Steak", "Grill"), dish(1, "Wine", "Drinks"))
	at(31, dish(2, "Fish", "Grill"))
	at(40, dish(1, "Wine", "Drinks"))
	h.settle()
	list, err := h.kitchen.Later(t.Context(), "grill")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range list {
		s := q.At.Format("15:04")
		for _, o := range q.Orders {
			s += " " + o.Due.Format("15:04") + " " + o.Lines[0].Name
		}
		got = append(got, s)
	}
	same(t, "later", got, []string{"20:30 20:31 Fish 20:44 Steak", "20:45 20:50 Steak"})
	if _, err := h.kitchen.Later(t.Context(), "none"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a screen that is not there: %v", err)
	}
}

func TestLimitsByService(t *testing.T) {
	t.Parallel()
	s := Station{WarnAfter: 10 * time.Minute, LateAfter: 15 * time.Minute, Limits: Limits{Pickup: Limit{5 * time.Minute, 8 * time.Minute}}}
	for service, want := range map[string][2]int{sale.DineIn: {600, 900}, sale.Delivery: {600, 900}, sale.Pickup: {300, 480}} {
		if warn, late := s.limit(service); warn != want[0] || late != want[1] {
			t.Errorf("%s: warn %d late %d, want %v", service, warn, late, want)
		}
	}
}

// Jobs that a printer's fault holds, and lets go, are told in the feed.
func TestHoldIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.place(newOrder(dish(1, "Steak", "Grill")))
	h.settle()
	h.printers["grill"].q.Hold("paper_out")
	h.printers["grill"].q.Hold("cover_open")
	h.printers["grill"].q.Unhold()
	h.settle()
	changes, err := h.journal.Since(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, c := range changes {
		var n jobNotice
		if c.Kind == "job" && unmarshal(c.Payload, &n) == nil {
			told = append(told, strings.TrimSpace(string(n.State)+" "+n.Reason))
		}
	}
	same(t, "the feed", told, []string{"queued", "held paper_out", "held cover_open", "queued"})
}

// The recall list goes on with a ticket's age, and bringing it back prints nothing.
func TestRecallNeverPrints(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	id := h.place(newOrder(dish(1, "Steak", "Grill"))).ID
	h.printers["grill"].drain()
	was := h.ticketOf(id, "Steak")
	h.act("bump", was.ID)
	h.clock.add(20 * time.Minute)
	h.restart()
	list, err := h.kitchen.Board().Recall("grill")
	if err != nil || len(list) != 1 || list[0].ID != was.ID {
		t.Fatalf("Recall = %v, %v", list, err)
	}
	if k := h.act("recall", was.ID); !k.At.Equal(was.At) || k.State != StateCooking {
		t.Errorf("recalled: %s since %v, want cooking since %v", k.State, k.At, was.At)
	}
	same(t, "jobs", h.jobs(id), []string{"grill order done"})
}

// The calls for a whole service over HTTP: what is refused, and that the same key has one effect.
func TestServiceOverHTTP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	mux := http.NewServeMux()
	for _, r := range h.kitchen.serviceRoutes() {
		mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, q *http.Request) {
			if err := r.Handle(w, q); err != nil {
				var p *api.Problem
				if !errors.As(err, &p) {
					t.Errorf("%s %s: %v", q.Method, q.URL, err)
				} else {
					w.WriteHeader(p.Status)
				}
			}
		})
	}
	call := func(method, path, key, body string) (int, string) {
		t.Helper()
		q := httptest.NewRequest(method, path, strings.NewReader(body))
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Idempotency-Key", key)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, q)
		return w.Code, w.Body.String()
	}
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		method, path, key, body string
		want                    int
		says                    string
	}{
		{"POST", "/v1/menu/items/S%2F1/sold-out", "a", `{"name":"Steak"}`, 200, `"sku":"S/1","name":"Steak","sold_out":true`},
		{"POST", "/v1/menu/items/S%2F1/back", "b", "", 200, `"sold_out":false`},
		{"POST", "/v1/menu/items/S%2F1/sold-out", "a", `{"name":"Steak"}`, 200, `"sold_out":false`}, // the same call once more
		{"POST", "/v1/menu/items/S-2/sold-out", "a", "", 409, ""},
		{"POST", "/v1/menu/items/S-2/sold-out", "c", "", 200, `"name":"S-2"`},
		{"POST", "/v1/menu/items/" + long + "/sold-out", "d", "", 422, ""},
		{"POST", "/v1/menu/items/a%0Ab/sold-out", "d", "", 422, ""},
		{"POST", "/v1/menu/items/S-2/sold-out", "e", `{"name":"a\u0007"}`, 422, ""},
		{"POST", "/v1/menu/items/S-2/sold-out", "e", `{"nam":"a"}`, 422, ""},
		{"GET", "/v1/menu/sold-out", "", "", 200, `"sold_out":[{"sku":"S-2"`},
		{"POST", "/v1/stations/none/close", "f", `{"to":"bar"}`, 404, ""},
		{"POST", "/v1/stations/grill/close", "f", `{"to":"none"}`, 404, ""},
		{"POST", "/v1/stations/grill/close", "f", `{}`, 422, ""},
		{"POST", "/v1/stations/grill/close", "f", `{"to":"pass"}`, 409, ""},
		{"POST", "/v1/stations/grill/close", "f", `{"to":"bar"}`, 200, `"closed_to":"bar"`},
		{"POST", "/v1/stations/grill/open", "g", "", 200, `"name":"grill"`},
		{"POST", "/v1/stations/none/open", "h", "", 404, ""},
		{"GET", "/v1/screens/none/later", "", "", 404, ""},
		{"GET", "/v1/screens/grill/later", "", "", 200, `"later":[]`},
	} {
		if got, body := call(c.method, c.path, c.key, c.body); got != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s %s %s = %d %s, want %d %s", c.method, c.path, c.body, got, body, c.want, c.says)
		}
	}
	if _, body := call("POST", "/v1/stations/grill/close", "f", `{"to":"bar"}`); strings.Contains(body, "closed_to") {
		t.Errorf("the same call once more closed the station again: %s", body)
	}
}
