package kitchen

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/devices/printer"
	"aboyeur/protocol/escpos"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	r, err := newRoutes([]Station{
		{Name: "a", Screens: []string{"x"}, Categories: []string{"Mains", "Épicerie"}, SKUs: []string{"S1"}},
		{Name: "b", Screens: []string{"x"}, Courses: []int{3}},
		{Name: "c", Screens: []string{"x"}, Default: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line    sale.Line
		station int
		claimed bool
	}{
		{sale.Line{SKU: "S1", Category: "Drinks", Course: 3}, 0, true},
		{sale.Line{Category: "Mains", Course: 3}, 0, true},
		{sale.Line{Category: "ÉPICERIE"}, 0, true},
		{sale.Line{SKU: "s1", Category: "Other", Course: 3}, 1, true},
		{sale.Line{Category: "Other", Course: 1}, 2, false},
		{sale.Line{}, 2, false},
	} {
		if station, claimed := r.of(&c.line); station != c.station || claimed != c.claimed {
			t.Errorf("of(%+v) = %d, %v, want %d, %v", c.line, station, claimed, c.station, c.claimed)
		}
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	list := func(s string) []Line { // "2 Steak, 1 Fish"
		var lines []Line
		for _, w := range strings.Split(s, ", ") {
			var l Line
			if n, _ := fmt.Sscan(w, &l.Quantity, &l.Name); n == 2 {
				lines = append(lines, l)
			}
		}
		return lines
	}
	for _, c := range []struct{ was, now, want string }{
		{"1 Steak", "1 Steak", "1 Steak"},
		{"1 Steak", "2 Steak", "2 Steak was 1"},
		{"1 Steak", "1 Fish", "1 Fish added, 1 Steak removed"},
		{"1 Steak, 1 Fish", "1 Fish, 1 Steak", "1 Fish, 1 Steak"},
		{"1 Steak, 2 Steak", "2 Steak", "2 Steak, 1 Steak removed"},
		{"2 Steak", "1 Steak, 2 Steak", "1 Steak added, 2 Steak"},
		{"1 Steak, 1 Steak", "1 Steak", "1 Steak, 1 Steak removed"},
		{"1 Steak, 1 Steak", "3 Steak, 1 Steak", "3 Steak was 1, 1 Steak"},
		{"", "1 Steak", "1 Steak added"},
		{"1 Steak", "", "1 Steak removed"},
	} {
		lines := difference(list(c.was), list(c.now))
		got := strings.TrimPrefix(brief(&Ticket{Lines: lines}), "#0   , ")
		if got != c.want {
			t.Errorf("difference(%s; %s) = %s, want %s", c.was, c.now, got, c.want)
		}
		if back := linesBefore(lines); len(back) != len(list(c.was)) {
			t.Errorf("before %s there were %v, want %s", got, back, c.was)
		}
		if on := linesNow(lines); !cmp.Equal(on, list(c.now)) {
			t.Errorf("%s now is %v, want %s", got, on, c.now)
		}
	}
}

// acts drives the tickets of one order through a script, and after each step compares screens, paper and state.
func TestChangeAndCancel(t *testing.T) {
	t.Parallel()
	steak, fish, cola := dish(1, "Steak", "Grill"), dish(2, "Fish", "Grill"), dish(1, "Cola", "Drinks")
	two := dish(2, "Steak", "Grill")
	held := dish(1, "Tarte", "Grill")
	held.Hold = true
	heldTwo := dish(2, "Tarte", "Grill")
	heldTwo.Hold = true
	type step struct {
		do    func(h *house, id journal.ID, o **sale.Order)
		grill string // what the grill's screen shows, tickets parted by " | "
		state string // of the order
	}
	to := func(lines ...sale.Line) func(*house, journal.ID, **sale.Order) {
		return func(h *house, id journal.ID, o **sale.Order) { *o = h.change(id, *o, lines...) }
	}
	act := func(name string, station string, n int) func(*house, journal.ID, **sale.Order) {
		return func(h *house, id journal.ID, _ **sale.Order) {
			for _, part := range h.view(id).Tickets {
				if part.Station != station || part.Kind == KindCancel || part.Kind == KindChange && part.State == StateServed {
					continue
				}
				if n--; n < 0 {
					h.act(name, part.ID)
					return
				}
			}
			h.t.Fatalf("no such ticket of %s", station)
		}
	}
	cancel := func(h *house, id journal.ID, _ **sale.Order) {
		if _, err := h.orders.Cancel(context.Background(), till, "", "", id); err != nil {
			h.t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		order []sale.Line
		steps []step
		jobs  []string // at the end, nothing printed but what the steps did
	}{
		{"a line more", []sale.Line{steak}, []step{
			{to(steak, fish), "#1 grill order new unseen, 1 Steak, 2 Fish added", "accepted"},
			{act("seen", "grill", 0), "#1 grill order new, 1 Steak, 2 Fish", "accepted"},
		}, []string{"grill order queued", "grill change queued"}},
		{"a second change before the first was seen", []sale.Line{steak}, []step{
			{to(steak, fish), "#1 grill order new unseen, 1 Steak, 2 Fish added", "accepted"},
			{to(two, fish), "#1 grill order new unseen, 2 Steak was 1, 2 Fish added", "accepted"},
			{to(steak), "#1 grill order new unseen, 1 Steak", "accepted"},
		}, []string{"grill order queued", "grill change queued", "grill change queued", "grill change queued"}},
		{"nothing of this station's", []sale.Line{steak, cola}, []step{
			{to(steak, dish(3, "Cola", "Drinks")), "#1 grill order new, 1 Steak", "accepted"},
		}, []string{"grill order queued", "bar order queued", "bar change queued"}},
		{"a new station", []sale.Line{cola}, []step{
			{to(cola, steak), "#1 grill order new, 1 Steak", "accepted"},
		}, []string{"bar order queued", "grill order queued"}},
		{"a station less", []sale.Line{steak, cola}, []step{
			{act("bump", "bar", 0), "#1 grill order new, 1 Steak", "accepted"},
			{to(cola), "#1 grill order cancelled unseen, 1 Steak removed", "prepared"},
			{act("seen", "grill", 0), "", "prepared"},
			{to(cola, steak), "#1 grill order new, 1 Steak", "accepted"},
		}, []string{"grill order queued", "bar order queued", "grill change queued", "grill order queued"}},
		{"after it was ready", []sale.Line{steak}, []step{
			{act("bump", "grill", 0), "", "prepared"},
			{to(steak, fish), "#1 grill change new unseen, 2 Fish added", "accepted"},
			{act("bump", "grill", 1), "", "prepared"},
			{act("undo", "grill", 1), "#1 grill change new, 2 Fish", "accepted"},
			{act("bump", "grill", 1), "", "prepared"},
			{act("recall", "grill", 0), "#1 grill order cooking, 1 Steak", "accepted"},
		}, []string{"grill order queued", "grill change queued"}},
		{"less after it was ready", []sale.Line{steak, fish}, []step{
			{act("bump", "grill", 0), "", "prepared"},
			{to(steak), "#1 grill change new unseen, 2 Fish removed", "accepted"},
			{act("seen", "grill", 1), "", "prepared"},
		}, []string{"grill order queued", "grill change queued"}},
		{"bumped unseen", []sale.Line{steak, fish}, []step{
			{to(steak), "#1 grill order new unseen, 1 Steak, 2 Fish removed", "accepted"},
			{act("bump", "grill", 0), "", "prepared"},
			{act("undo", "grill", 0), "#1 grill order new, 1 Steak", "accepted"},
		}, []string{"grill order queued", "grill change queued"}},
		{"held and fired", []sale.Line{held}, []step{
			{act("fire", "grill", 0), "#1 grill order new, 1 Tarte", "accepted"},
			{act("hold", "grill", 0), "#1 grill order held, 1 Tarte", "accepted"},
			{to(held, steak), "#1 grill order held, 1 Tarte | #1 grill order new, 1 Steak", "accepted"},
			{act("fire", "grill", 0), "#1 grill order new, 1 Tarte | #1 grill order new, 1 Steak", "accepted"},
		}, []string{"grill order cancelled", "grill order queued", "grill order queued"}},
		{"held, and held no more by a change", []sale.Line{held, steak}, []step{
			{to(held, two), "#1 grill order held, 1 Tarte | #1 grill order new unseen, 2 Steak was 1", "accepted"},
			{to(dish(1, "Tarte", "Grill"), two), "#1 grill order new, 1 Tarte | #1 grill order new unseen, 2 Steak was 1", "accepted"},
		}, []string{"grill order queued", "grill change queued", "grill order queued"}},
		{"held and changed before it is fired", []sale.Line{held}, []step{
			{to(heldTwo), "#1 grill order held unseen, 2 Tarte was 1", "accepted"},
			{act("fire", "grill", 0), "#1 grill order new unseen, 2 Tarte was 1", "accepted"},
		}, []string{"grill order queued"}},
		{"an allergy comes to light", []sale.Line{steak, cola}, []step{
			{func(h *house, id journal.ID, o **sale.Order) {
				next := **o
				next.AllergyNote = "arachides"
				*o = h.change(id, &next)
			}, "#1 grill order new unseen, 1 Steak", "accepted"},
		}, []string{"grill order queued", "bar order queued", "grill change queued", "bar change queued"}},
		{"only its payment", []sale.Line{steak}, []step{
			{func(h *house, id journal.ID, o **sale.Order) {
				next := **o
				next.Payments = []sale.Payment{{Method: "cash", Amount: 100}}
				*o = h.change(id, &next)
			}, "#1 grill order new, 1 Steak", "accepted"},
		}, []string{"grill order queued"}},
		{"cancelled before it was printed", []sale.Line{steak}, []step{
			{cancel, "#1 grill order cancelled unseen, 1 Steak", "cancelled"},
			{cancel, "#1 grill order cancelled unseen, 1 Steak", "cancelled"},
			{act("seen", "grill", 0), "", "cancelled"},
		}, []string{"grill order cancelled"}},
		{"cancelled with its paper out", []sale.Line{steak, cola}, []step{
			{func(h *house, _ journal.ID, _ **sale.Order) { h.printers["grill"].drain() }, "#1 grill order new, 1 Steak", "accepted"},
			{cancel, "#1 grill order cancelled unseen, 1 Steak", "cancelled"},
		}, []string{"grill order done", "bar order cancelled", "grill cancel queued"}},
		{"cancelled while its outcome is unknown", []sale.Line{steak}, []step{
			{func(h *house, _ journal.ID, _ **sale.Order) {
				h.printers["grill"].next()
				h.printers["grill"].report(printer.Unknown, false)
			}, "#1 grill order new, 1 Steak", "accepted"},
			{cancel, "#1 grill order cancelled unseen, 1 Steak", "cancelled"},
		}, []string{"grill order unknown", "grill cancel queued"}},
		{"cancelled when ready", []sale.Line{steak}, []step{
			{func(h *house, _ journal.ID, _ **sale.Order) { h.printers["grill"].drain() }, "#1 grill order new, 1 Steak", "accepted"},
			{act("bump", "grill", 0), "", "prepared"},
			{cancel, "#1 grill order cancelled unseen, 1 Steak", "cancelled"},
			{act("seen", "grill", 0), "", "cancelled"},
		}, []string{"grill order done", "grill cancel queued"}},
		{"handed over", []sale.Line{steak, cola}, []step{
			{func(h *house, id journal.ID, _ **sale.Order) {
				for range 2 {
					if _, err := h.orders.HandOver(context.Background(), till, "", id, false); err != nil {
						h.t.Fatal(err)
					}
				}
			}, "", "handed_off"},
		}, []string{"grill order queued", "bar order queued"}},
		{"a wall without paper", []sale.Line{{SKU: "W-1", Name: "Soup", Quantity: 1, Price: new(int64(1))}}, []step{
			{to(sale.Line{SKU: "W-1", Name: "Soup", Quantity: 2, Price: new(int64(1))}), "#1 wall order new unseen, 2 Soup was 1", "accepted"},
			{cancel, "#1 wall order cancelled unseen, 2 Soup was 1", "cancelled"},
		}, nil},
		{"a pass without screen keeps nothing back", []sale.Line{steak, dish(1, "Bread", "Bread")}, []step{
			{act("bump", "grill", 0), "", "prepared"},
			{to(steak, dish(2, "Bread", "Bread")), "", "prepared"},
		}, []string{"grill order queued", "bar order queued", "bar change queued"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			o := newOrder(c.order...)
			id := h.place(o).ID
			for i, s := range c.steps {
				s.do(h, id, &o)
				if got := strings.Join(h.shows("grill"), " | "); got != s.grill {
					t.Errorf("step %d: the grill shows\n%s\nwant\n%s", i, got, s.grill)
				}
				if v := h.view(id); v.State != s.state {
					t.Errorf("step %d: order is %s, want %s", i, v.State, s.state)
				}
				h.check()
			}
			same(t, "jobs", h.jobs(id), c.jobs)
			shown := h.shows("grill")
			h.restart()
			same(t, "after a restart the grill shows", h.shows("grill"), shown)
			h.check()
		})
	}
}

// The feed tells the state that the order has, when a change leaves nothing to cook.
func TestFeedEndsWithTheOrdersState(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	o := newOrder(dish(1, "Steak", "Grill"), dish(1, "Cola", "Drinks"))
	id := h.place(o).ID
	h.act("bump", h.view(id).Tickets[1].ID)
	h.change(id, o, dish(1, "Cola", "Drinks"))
	h.settle()
	changes, err := h.journal.Since(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, c := range changes {
		if c.Kind == "order" {
			last = string(c.Payload)
		}
	}
	if !strings.Contains(last, `"state":"prepared"`) {
		t.Errorf("the feed ends with %s", last)
	}
}

func TestActsThatDoNotFit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	id := h.place(newOrder(dish(1, "Steak", "Grill"))).Tickets[0].ID
	for _, c := range []struct {
		before []string
		act    string
		state  string
	}{
		{nil, "undo", StateNew}, {nil, "recall", StateNew}, {nil, "seen", StateNew}, {nil, "fire", StateNew},
		{[]string{"start"}, "start", StateCooking}, {nil, "hold", StateCooking},
		{[]string{"bump"}, "bump", StateReady}, {nil, "start", StateReady}, {nil, "hold", StateReady},
		{[]string{"undo"}, "undo", StateCooking},
	} {
		for _, a := range c.before {
			h.act(a, id)
		}
		_, err := h.kitchen.Act(t.Context(), cook, "", c.act, id)
		var lost *LostRace
		if !errors.As(err, &lost) || lost.Ticket.State != c.state {
			t.Errorf("%s on a %s ticket = %v", c.act, c.state, err)
		}
	}
	h.act("bump", id)
	h.clock.add(UndoWithin + time.Second)
	var lost *LostRace
	if _, err := h.kitchen.Act(t.Context(), cook, "", "undo", id); !errors.As(err, &lost) {
		t.Errorf("undo after its time = %v", err)
	}
	if got := h.act("recall", id); got.State != StateCooking || got.StartedAt.IsZero() {
		t.Errorf("recalled %+v", got)
	}
	if _, err := h.kitchen.Act(t.Context(), cook, "", "bump", h.journal.NewID()); !errors.Is(err, ErrUnknown) {
		t.Errorf("act on nothing = %v", err)
	}
	if _, err := h.kitchen.Act(t.Context(), cook, "", "dance", id); err == nil {
		t.Error("an act that is none was done")
	}
}

func TestIdempotentActs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	id := h.place(newOrder(dish(1, "Steak", "Grill"))).Tickets[0].ID
	for range 3 {
		got, err := h.kitchen.Act(t.Context(), cook, "k1", "bump", id)
		if err != nil || got.State != StateReady || got.Version != 2 {
			t.Fatalf("bump = %+v, %v", got, err)
		}
	}
	if _, err := h.kitchen.Act(t.Context(), cook, "k1", "undo", id); !errors.Is(err, journal.ErrKeyReused) {
		t.Errorf("the key for another act = %v", err)
	}
	other := access.Principal{Name: "Max", Via: access.ViaToken}
	var lost *LostRace
	if _, err := h.kitchen.Act(t.Context(), other, "k1", "bump", id); !errors.As(err, &lost) {
		t.Errorf("somebody else's key = %v, want a lost race", err)
	}
	// A refused act leaves its key free.
	if _, err := h.kitchen.Act(t.Context(), cook, "k2", "start", id); !errors.As(err, &lost) {
		t.Fatal(err)
	}
	h.act("undo", id)
	if got, err := h.kitchen.Act(t.Context(), cook, "k2", "start", id); err != nil || got.State != StateCooking {
		t.Errorf("start with the key that was refused = %+v, %v", got, err)
	}
	p := h.printers["grill"]
	for range 2 {
		if _, err := h.kitchen.Reprint(t.Context(), cook, "k3", id); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.drain(); n != 2 {
		t.Errorf("%d printed, want the ticket and one copy", n)
	}
}

func TestReprint(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	grill, bar := h.printers["grill"], h.printers["bar"]
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	id := r.Tickets[0].ID
	grill.q.Hold("unreachable")
	h.settle()
	h.clock.add(5 * time.Second)
	if err := h.kitchen.Reroute(t.Context()); err != nil {
		t.Fatal(err)
	}
	bar.drain()
	grill.q.Unhold()
	h.settle()
	// Wherever it was printed, the copy goes where it belongs.
	if _, err := h.kitchen.Reprint(t.Context(), cook, "", id); err != nil {
		t.Fatal(err)
	}
	same(t, "jobs", h.jobs(r.ID), []string{"grill order superseded", "bar order done", "grill order queued"})
	if grill.drain() != 1 || !strings.HasPrefix(grill.bodies[0], "REPRINT\n") {
		t.Errorf("printed %q, want one under the banner", grill.bodies)
	}
	if _, err := h.kitchen.Reprint(t.Context(), cook, "", id); err != nil || grill.drain() != 1 {
		t.Errorf("second copy: %v", err)
	}
	h.check()
	wall := h.place(newOrder(sale.Line{SKU: "W-1", Name: "Soup", Quantity: 1, Price: new(int64(1))}))
	if _, err := h.kitchen.Reprint(t.Context(), cook, "", wall.Tickets[0].ID); !errors.Is(err, ErrNoPaper) {
		t.Errorf("reprint without paper = %v", err)
	}
	if _, err := h.orders.Cancel(t.Context(), till, "", "", r.ID); err != nil {
		t.Fatal(err)
	}
	var lost *LostRace
	if _, err := h.kitchen.Reprint(t.Context(), cook, "", id); !errors.As(err, &lost) {
		t.Errorf("reprint of a cancelled ticket = %v", err)
	}
}

func TestReroute(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	grill, bar := h.printers["grill"], h.printers["bar"]
	reroute := func() {
		t.Helper()
		if err := h.kitchen.Reroute(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.check()
	}
	unknown := h.place(newOrder(dish(1, "Lamb", "Grill")))
	grill.next()
	grill.report(printer.Unknown, false)
	grill.q.Hold("link_lost")
	queued := h.place(newOrder(dish(1, "Steak", "Grill")))
	h.settle()
	h.clock.add(4 * time.Second)
	young := h.place(newOrder(dish(1, "Fish", "Grill")))
	reroute()
	same(t, "too early", h.jobs(queued.ID), []string{"grill order held"})
	h.clock.add(time.Second)
	bar.q.Hold("paper_out")
	reroute()
	same(t, "no better there", h.jobs(queued.ID), []string{"grill order held"})
	bar.q.Unhold()
	h.settle()
	reroute()
	same(t, "unknown", h.jobs(unknown.ID), []string{"grill order superseded", "bar order queued"})
	same(t, "held", h.jobs(queued.ID), []string{"grill order superseded", "bar order queued"})
	same(t, "held for less", h.jobs(young.ID), []string{"grill order held"})
	if n := testutil.ToFloat64(h.kitchen.metrics.jobs.WithLabelValues("grill", "superseded")); n != 2 {
		t.Errorf("%v counted as superseded, want 2", n)
	}
	// The driver hears that the job is not its own any more before it begins anew.
	j, _ := grill.inHand()
	if err := grill.q.Sending(t.Context(), j.ID, printer.Attempt{Number: 2, Sequence: 2, At: h.clock.now(), Banner: true}); !errors.Is(err, printer.ErrGone) {
		t.Errorf("Sending = %v, want ErrGone", err)
	}
	grill.hand = nil
	bar.drain()
	text := func(i int) string { return escpos.Render(escposStream(bar.q, bar.bodies[i]), bar.q.c.Profile).Text() }
	if !strings.HasPrefix(bar.bodies[0], "REPRINT\n") || !strings.Contains(text(0), "FOR: GRILL") {
		t.Errorf("the unknown one was printed without both headers:\n%s", text(0))
	}
	if strings.HasPrefix(bar.bodies[1], "REPRINT\n") || !strings.Contains(text(1), "FOR: GRILL") {
		t.Errorf("the held one wants only the header of its station:\n%s", text(1))
	}
	grill.q.Unhold()
	h.settle()
	if n := grill.drain(); n != 1 {
		t.Errorf("%d printed on the grill, want the one that had not moved", n)
	}
	h.check()
	grill.setIdle(true)
	if r := h.place(newOrder(dish(1, "x", "Grill"))); r.Tickets[0].Jobs[0].State != "sending" {
		t.Error("the way through the commit does not work any more")
	}
}

// A late answer of the first printer takes back what its fallback has not begun, and only that.
func TestLateAnswerAfterReroute(t *testing.T) {
	t.Parallel()
	for _, begun := range []bool{false, true} {
		t.Run(fmt.Sprint("begun ", begun), func(t *testing.T) {
			h := newHouse(t, nil)
			grill, bar := h.printers["grill"], h.printers["bar"]
			r := h.place(newOrder(dish(1, "Steak", "Grill")))
			grill.next()
			grill.report(printer.Unknown, false)
			grill.q.Hold("link_lost")
			h.settle()
			h.clock.add(6 * time.Second)
			if err := h.kitchen.Reroute(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := []string{"grill order superseded", "bar order cancelled"}
			if begun {
				bar.next()
				want[1] = "bar order sending"
			}
			grill.report(printer.Printed, false)
			grill.report(printer.Done, true)
			same(t, "jobs", h.jobs(r.ID), want)
			h.check()
			if !begun {
				if j := h.view(r.ID).Tickets[0].Jobs[1]; j.Reason != "printed on grill after all" {
					t.Errorf("reason %q", j.Reason)
				}
			}
		})
	}
}

// A job that went out to a printer which stays dead over a restart of the box reaches the fallback, under both headers.
func TestRerouteOfWhatAFormerProcessLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	h.printers["grill"].next()
	h.restart()
	grill, bar := h.printers["grill"], h.printers["bar"]
	grill.q.Hold("unreachable")
	h.settle()
	h.clock.add(5 * time.Second)
	if err := h.kitchen.Reroute(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "jobs", h.jobs(r.ID), []string{"grill order superseded", "bar order queued"})
	h.check()
	if bar.drain() != 1 || !strings.HasPrefix(bar.bodies[0], "REPRINT\n") {
		t.Errorf("printed %q", bar.bodies)
	}
}

// A ticket whose change is told by a paper of its own says on the fallback what it said before.
func TestReroutedTicketDoesNotTellItsChangeTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	grill, bar := h.printers["grill"], h.printers["bar"]
	grill.q.Hold("unreachable")
	o := newOrder(dish(1, "Steak", "Grill"))
	id := h.place(o).ID
	h.change(id, o, dish(1, "Steak", "Grill"), dish(1, "Chips", "Grill"))
	h.settle()
	h.clock.add(5 * time.Second)
	if err := h.kitchen.Reroute(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := bar.drain(); n != 2 {
		t.Fatalf("%d printed, want 2", n)
	}
	first := escpos.Render(escposStream(bar.q, bar.bodies[0]), bar.q.c.Profile).Text()
	second := escpos.Render(escposStream(bar.q, bar.bodies[1]), bar.q.c.Profile).Text()
	if strings.Contains(first, "Chips") || !strings.Contains(second, "Chips") {
		t.Errorf("first\n%s\nsecond\n%s", first, second)
	}
}

// A change before the fallback takes over, a fault in the middle with the link alive: the printer finishes by itself.
func TestRerouteLeavesWhatThePrinterFinishes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	grill := h.printers["grill"]
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	grill.next()
	grill.report(printer.Sent, false)
	grill.report(printer.Waiting, false)
	grill.q.Hold("paper_out")
	h.settle()
	h.clock.add(time.Hour)
	if err := h.kitchen.Reroute(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "jobs", h.jobs(r.ID), []string{"grill order waiting"})
}

func TestRunMovesByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.printers["grill"].q.Hold("unreachable")
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	h.settle()
	h.clock.add(10 * time.Second)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.kitchen.Run(ctx) }()
	for end := time.Now().Add(time.Minute); len(h.jobs(r.ID)) != 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the job was never moved")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestLinesToTheDefaultAreCountedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	o := newOrder(dish(1, "x", "Nowhere"), dish(1, "y", "Nowhere"), dish(1, "Cola", "Drinks"))
	h.place(o)
	h.place(o) // known already
	if n := testutil.ToFloat64(h.kitchen.metrics.unclaimed); n != 2 {
		t.Errorf("%v lines counted, want 2", n)
	}
}

func TestCancelOfARemovedStation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	r := h.place(newOrder(dish(1, "Cola", "Drinks")))
	h.printers["bar"].drain()
	h.close()
	h.config.Stations = h.config.Stations[:1]
	h.open()
	same(t, "the default shows", h.shows("grill"), []string{"#1 bar order new, 1 Cola"})
	if _, err := h.orders.Cancel(t.Context(), till, "", "", r.ID); err != nil {
		t.Fatal(err)
	}
	same(t, "the default shows", h.shows("grill"), []string{"#1 bar order cancelled unseen, 1 Cola"})
}

func TestPaintedIsBoundedAndCountsOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	id := r.Tickets[0].ID
	inside, free := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- h.journal.Insist(context.Background(), func(*journal.Tx) error { close(inside); <-free; return nil })
	}()
	<-inside
	refused := 0
	for range maxPainting + 10 {
		if err := h.kitchen.Painted(t.Context(), "grill", id); errors.Is(err, journal.ErrBusy) {
			refused++
		}
	}
	close(free)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if refused != 10 {
		t.Errorf("%d refused, want 10", refused)
	}
	n := 0
	for _, s := range h.view(r.ID).Timeline {
		if s.Event == "painted" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("painted %d times", n)
	}
	if err := h.kitchen.Painted(t.Context(), "grill", id); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
