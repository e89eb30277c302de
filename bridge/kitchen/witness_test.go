package kitchen

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/devices/printer"
	"aboyeur/devices/screen"
)

// alarms writes down what a kitchen tells of tickets that nobody has seen and of screens that fell silent.
type alarms struct {
	mu   sync.Mutex
	list []string
}

func (a *alarms) add(s string) { a.mu.Lock(); a.list = append(a.list, s); a.mu.Unlock() }

func (a *alarms) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.list
	a.list = nil
	return list
}

func (a *alarms) into(h *house) {
	h.config.OnUnseen = func(station string, unseen bool) { a.add(fmt.Sprintf("unseen %s %v", station, unseen)) }
	h.config.OnScreen = func(screen, backup string, away bool) { a.add(fmt.Sprintf("%s at %s %v", screen, backup, away)) }
}

// TestUnseenTickets: a ticket that is neither on glass nor on paper after 10 s is told of, and printed elsewhere when no
// printer has it.
func TestUnseenTickets(t *testing.T) {
	t.Parallel()
	var told alarms
	h := newHouse(t, told.into)
	look := func(after time.Duration) {
		t.Helper()
		h.settle()
		h.clock.add(after)
		if err := h.kitchen.LookForUnseen(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	wall := dish(1, "Poster", "")
	wall.SKU = "W-1" // a station that only shows
	shown := h.place(newOrder(wall))
	if err := h.kitchen.Painted(t.Context(), "grill", shown.Tickets[0].ID); err != nil {
		t.Fatal(err)
	}
	h.printers["grill"].setIdle(true)
	printed := h.place(newOrder(dish(1, "Steak", "Grill")))
	h.printers["grill"].done()
	look(UnseenAfter - time.Second)
	if got := told.take(); len(got) != 0 {
		t.Errorf("before its time: %v", got)
	}
	lost := h.place(newOrder(wall))
	queued := h.place(newOrder(dish(1, "Beer", "Drinks"))) // its printer has it, though not on paper yet
	look(UnseenAfter)
	got := told.take()
	slices.Sort(got)
	same(t, "told", got, []string{"unseen bar true", "unseen wall true"})
	same(t, "jobs of the lost ticket", h.jobs(lost.ID), []string{"grill order sending"})
	same(t, "jobs of the queued one", h.jobs(queued.ID), []string{"bar order queued"})
	for _, r := range []journal.ID{shown.ID, printed.ID} {
		if jobs := h.jobs(r); len(jobs) > 1 {
			t.Errorf("a ticket that was seen is printed again: %v", jobs)
		}
	}
	j, _ := h.printers["grill"].inHand()
	if !strings.Contains(string(j.Body), "WALL") {
		t.Errorf("the paper is not headed by its station:\n%q", j.Body)
	}
	look(time.Second)
	if jobs := h.jobs(lost.ID); len(jobs) != 1 {
		t.Errorf("looked at again, it is printed again: %v", jobs)
	}
	h.printers["grill"].done()
	if err := h.kitchen.Painted(t.Context(), "bar", queued.Tickets[0].ID); err != nil {
		t.Fatal(err)
	}
	look(time.Second)
	got = told.take()
	slices.Sort(got)
	same(t, "told at the end", got, []string{"unseen bar false", "unseen wall false"})

	// After a restart the same watch begins anew for what is open.
	h.place(newOrder(wall))
	h.restart()
	look(UnseenAfter + time.Second)
	same(t, "told after a restart", told.take(), []string{"unseen wall true"})
}

// TestUnseenTicketThatMayBeOnPaper: what a printer began and gave up as unknown goes elsewhere under the banner only.
func TestUnseenTicketThatMayBeOnPaper(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	grill := h.printers["grill"]
	grill.setIdle(true)
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	grill.report(printer.Sent, false)
	grill.report(printer.Unknown, true)
	h.settle()
	h.clock.add(UnseenAfter + time.Second)
	if err := h.kitchen.LookForUnseen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jobs := h.jobs(r.ID); len(jobs) != 2 {
		t.Fatalf("jobs %v, want a second one", jobs)
	}
	for _, p := range h.printers {
		p.drain()
		for _, body := range p.bodies {
			if strings.Contains(body, "Steak") && !strings.HasPrefix(body, "REPRINT") {
				t.Errorf("printed without the banner:\n%q", body)
			}
		}
	}
}

// TestSilentScreen: after 15 s of silence the backup shows the tickets of a screen, and gives them back.
func TestSilentScreen(t *testing.T) {
	t.Parallel()
	var told alarms
	h := newHouse(t, func(h *house) {
		told.into(h)
		h.config.Screens = []Screen{{Name: "grill", Backup: "bar"}, {Name: "bar", Backup: "grill"}}
	})
	board := h.kitchen.Board()
	join := func(name string) *screen.Reader {
		t.Helper()
		_, r, ok := board.Snapshot(t.Context(), name)
		if !ok {
			t.Fatalf("no screen %s", name)
		}
		return r
	}
	look := func(after time.Duration) {
		t.Helper()
		h.settle()
		h.clock.add(after)
		board.StandIn(h.kitchen.c.OnScreen)
	}
	events := func(r *screen.Reader) (list []string) {
		t.Helper()
		h.settle()
		frames, err := r.Take(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			for line := range strings.Lines(string(f)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "event: "); ok {
					list = append(list, name)
				}
			}
		}
		return list
	}
	grill, bar := join("grill"), join("bar")
	defer bar.Close()
	look(0)
	h.place(newOrder(dish(1, "Steak", "Grill")))
	h.place(newOrder(dish(1, "Beer", "Drinks")))
	same(t, "the bar at first", events(bar), []string{"ticket"})

	grill.Close()
	look(SilentAfter - time.Second)
	same(t, "the bar before the grill's time", events(bar), nil)
	look(2 * time.Second)
	same(t, "told", told.take(), []string{"grill at bar true"})
	same(t, "the bar stands in", events(bar), []string{"ticket"})
	same(t, "its picture", h.shows("bar"), []string{"#1 grill order new, 1 Steak", "#2 bar order new, 1 Beer"})
	if got := board.Beat("bar").Open; got != 2 {
		t.Errorf("the bar's beat counts %d, want 2", got)
	}
	later := h.place(newOrder(dish(2, "Steak", "Grill")))
	same(t, "what comes later", events(bar), []string{"ticket"})
	h.act("bump", later.Tickets[0].ID)
	same(t, "what leaves", events(bar), []string{"ticket-removed"})

	grill = join("grill")
	look(time.Second)
	same(t, "told", told.take(), []string{"grill at bar false"})
	same(t, "the bar gives back", events(bar), []string{"ticket-removed"})
	same(t, "its picture", h.shows("bar"), []string{"#2 bar order new, 1 Beer"})

	// A page that hangs behind an open stream is silent too, once it has said that it works.
	if !board.Alive("grill") || board.Alive("nowhere") {
		t.Error("alive")
	}
	look(SilentAfter - time.Second)
	board.Alive("grill")
	look(SilentAfter - time.Second)
	same(t, "a page that speaks", told.take(), nil)
	look(2 * time.Second)
	look(SilentAfter)
	same(t, "a page that hangs", told.take(), []string{"grill at bar true"})
	board.Alive("grill")
	look(time.Second)
	same(t, "and speaks again", told.take(), []string{"grill at bar false"})
	grill.Close()
	bar.Close()
	look(SilentAfter)
	same(t, "nobody looks at either", told.take(), nil)
}
