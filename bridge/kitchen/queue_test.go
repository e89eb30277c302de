package kitchen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
	"aboyeur/protocol/escpos"
)

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (h *house) check() {
	h.t.Helper()
	if err := h.checkWaiting(); err != nil {
		h.t.Error(err)
	}
}

func TestClaimedJobIsSentByItsOwnCommit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["grill"]
	p.setIdle(true)
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	if got := r.Tickets[0].Jobs[0].State; got != "sending" {
		t.Fatalf("job is %s in the receipt, want sending", got)
	}
	j, ok := p.inHand()
	if !ok || j.ID != printer.JobID(r.Tickets[0].Jobs[0].ID) || j.Sequence != 1 || j.Ticket != "#1 Table 12" || !j.Reprint || len(j.Body) == 0 {
		t.Fatalf("handed over %+v", j)
	}
	h.check()
	p.done()
	same(t, "jobs", h.jobs(r.ID), []string{"grill order done"})
	h.check()
	v := h.view(r.ID)
	var events []string
	for _, s := range v.Timeline {
		events = append(events, s.Event)
	}
	same(t, "time line", events, []string{"received", "committed", "job_sending", "job_sent", "job_printed", "job_done"})
}

func TestBusyPrinterQueuesInOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["grill"]
	p.setIdle(true)
	var ids []journal.ID
	for n := range 4 {
		ids = append(ids, h.place(newOrder(dish(n+1, "Steak", "Grill"))).ID)
	}
	h.check()
	if n, _, _ := p.q.Waiting(); n != 3 {
		t.Errorf("%d wait, want 3", n)
	}
	p.done() // idle again, but three wait: a fifth must not overtake them
	ids = append(ids, h.place(newOrder(dish(5, "Steak", "Grill"))).ID)
	if n := p.drain(); n != 4 {
		t.Errorf("%d printed, want 4", n)
	}
	h.check()
	var order []string
	for _, id := range ids {
		v := h.view(id)
		order = append(order, fmt.Sprint(v.Tickets[0].Jobs[0].State))
	}
	same(t, "states", order, []string{"done", "done", "done", "done", "done"})
	for i, body := range p.bodies {
		if want := fmt.Sprintf("%d Steak", i+1); !strings.Contains(escpos.Render(escposStream(p.q, body), p.q.c.Profile).Text(), want) {
			t.Errorf("ticket %d does not say %s", i, want)
		}
	}
}

func escposStream(q *Queue, body string) []byte {
	return append(escpos.AppendInit(nil, q.c.Profile, q.c.Words.Lang()), body...)
}

// A job of which nothing was sent waits again: it is not lost to the queue, has its number back and needs no banner.
func TestJobThatWasNotSentComesAgain(t *testing.T) {
	t.Parallel()
	for _, claimed := range []bool{true, false} {
		t.Run(fmt.Sprint("claimed ", claimed), func(t *testing.T) {
			h := newHouse(t, nil)
			p := h.printers["grill"]
			p.setIdle(claimed)
			r := h.place(newOrder(dish(1, "Steak", "Grill")))
			if !claimed {
				p.next()
			}
			p.report(printer.Held, false)
			if n, _, _ := p.q.Waiting(); n != 1 {
				t.Fatalf("%d wait at once, want 1", n)
			}
			same(t, "jobs", h.jobs(r.ID), []string{"grill order held"})
			h.check()
			p.q.Hold("unreachable")
			p.q.Unhold()
			h.settle()
			if claimed {
				h.restart()
				if p = h.printers["grill"]; p.q.LastSequence() != 0 {
					t.Errorf("sequence goes on from %d, want 0: no number is missing on paper", p.q.LastSequence())
				}
			}
			j := p.next()
			if j.Attempt != 1 || j.Sequence != 1 || j.Redo {
				t.Fatalf("then %+v, want attempt 1 without banner", j)
			}
			p.done()
			h.check()
			same(t, "jobs", h.jobs(r.ID), []string{"grill order done"})
		})
	}
}

// A second attempt that put nothing on the line keeps its number and its banner: the first may be out.
func TestSecondAttemptThatWasNotSentKeepsItsBanner(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["grill"]
	h.place(newOrder(dish(1, "Steak", "Grill")))
	j := p.next()
	p.report(printer.Unknown, false)
	h.settle()
	p.mu.Lock()
	a := p.attempt(2)
	p.hand[0].Attempt, p.hand[0].Sequence, a.Banner = 2, a.Sequence, true
	p.mu.Unlock()
	if err := p.q.Sending(t.Context(), j.ID, a); err != nil {
		t.Fatal(err)
	}
	p.report(printer.Held, false)
	p.q.Hold("paper_out")
	p.q.Unhold()
	h.settle()
	h.restart()
	p = h.printers["grill"]
	if again := p.next(); again.Attempt != 2 || !again.Redo {
		t.Errorf("then %+v, want attempt 2 with banner", again)
	}
	h.check()
}

func TestHoldAndUnhold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["grill"]
	p.setIdle(true)
	p.q.Hold("unreachable")
	one := h.place(newOrder(dish(1, "Steak", "Grill")))
	if s := one.Tickets[0].Jobs[0].State; s != "held" {
		t.Errorf("job is %s, want held", s)
	}
	h.clock.add(3 * time.Second)
	p.q.Hold("paper_out")
	h.settle()
	v := h.view(one.ID)
	if j := v.Tickets[0].Jobs[0]; j.State != "held" || j.Reason != "paper_out" {
		t.Errorf("job %+v, want held for paper_out", j)
	}
	if d := p.q.oldestHeld(h.clock.now()); d != 3*time.Second {
		t.Errorf("oldest held for %v, want 3s", d)
	}
	p.q.Unhold()
	v = h.view(one.ID)
	if j := v.Tickets[0].Jobs[0]; j.State != "queued" || j.Reason != "" {
		t.Errorf("job %+v, want queued without reason", j)
	}
	if d := p.q.oldestHeld(h.clock.now()); d != 0 {
		t.Errorf("oldest held for %v, want none", d)
	}
	if p.drain() != 1 {
		t.Error("not printed when the printer is back")
	}
	h.check()
}

func TestHeldTimeIsTheJobsNotThePrinters(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["bar"]
	p.q.Hold("unreachable")
	h.clock.add(time.Hour)
	h.place(newOrder(dish(1, "Cola", "Drinks")))
	h.clock.add(2 * time.Second)
	if d := p.q.oldestHeld(h.clock.now()); d != 2*time.Second {
		t.Errorf("oldest held for %v, want 2s", d)
	}
}

// What a former process left in the middle comes first, whatever its key, as it stood.
func TestJobsInTheMiddleComeFirstAfterARestart(t *testing.T) {
	t.Parallel()
	for _, state := range []printer.State{printer.Sending, printer.Sent, printer.Printed, printer.Waiting, printer.Unknown, printer.Cleared} {
		t.Run(string(state), func(t *testing.T) {
			h := newHouse(t, nil)
			early, late := newOrder(dish(1, "early", "Grill")), newOrder(dish(1, "late", "Grill"))
			h.place(early)
			h.place(late)
			// Two orders at once: the one planned later was committed first, and claimed.
			all := h.allJobs()
			middle := all[1]
			err := h.journal.Insist(t.Context(), func(tx *journal.Tx) error {
				_, err := tx.Exec(`UPDATE jobs SET state = ?, attempt = 1, sequence = 7, first_sent = ? WHERE key = ?`, string(state), tx.Now(), middle.Key())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			h.restart()
			p := h.printers["grill"]
			if p.q.LastSequence() != 7 {
				t.Errorf("sequence goes on from %d, want 7", p.q.LastSequence())
			}
			h.check()
			j := p.next()
			if journal.ID(j.ID) != middle || j.State != state || j.Attempt != 1 || j.Sequence != 7 {
				t.Fatalf("first %+v, want the job in the middle as it stood", j)
			}
			p.done()
			if n := p.drain(); n != 1 {
				t.Errorf("then %d, want the other one", n)
			}
			h.check()
			h.place(newOrder(dish(1, "x", "Grill")))
			if p.drain() != 1 {
				t.Error("the queue does not go on")
			}
		})
	}
}

func (h *house) allJobs() []journal.ID {
	h.t.Helper()
	h.settle()
	var ids []journal.ID
	err := queryAll(context.Background(), h.journal.Read(), `SELECT id FROM jobs ORDER BY key`, nil, func(scan func(...any) error) error {
		var id journal.ID
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func TestLateAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["grill"]
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	j := p.next()
	p.report(printer.Unknown, true)
	same(t, "jobs", h.jobs(r.ID), []string{"grill order unknown"})
	seq := h.journal.Seq()
	p.q.Record(j.ID, printer.Report{State: printer.Printed, Evidence: printer.EvidenceProcessID, At: h.clock.now(), Attempt: 1})
	h.settle()
	h.check() // a late printed opens nothing again
	p.q.Record(j.ID, printer.Report{State: printer.Done, Evidence: printer.EvidenceProcessID, At: h.clock.now(), Attempt: 1, Settled: true})
	same(t, "jobs", h.jobs(r.ID), []string{"grill order done"})
	changes, err := h.journal.Since(t.Context(), seq, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if !strings.Contains(string(c.Payload), r.ID.String()) {
			t.Errorf("change %s does not name the order", c.Payload)
		}
	}
	if n := testutil.ToFloat64(h.kitchen.metrics.jobs.WithLabelValues("grill", "done")); n != 0 {
		t.Errorf("%v counted as done that were counted as unknown", n)
	}
	h.check()
}

func TestTestPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := h.printers["grill"]
	for _, idle := range []bool{true, false} {
		p.setIdle(idle)
		id, err := h.kitchen.Test(t.Context(), cook, "grill")
		if err != nil {
			t.Fatal(err)
		}
		if !idle {
			p.next()
		}
		j, _ := p.inHand()
		if journal.ID(j.ID) != id || j.Ticket != "" {
			t.Errorf("job %+v, want the test page without words of a ticket", j)
		}
		p.done()
		h.check()
		got, body, err := h.kitchen.Job(t.Context(), id)
		if err != nil || got.State != "done" || string(body) != "test page\n" {
			t.Errorf("job %+v, %q, %v", got, body, err)
		}
	}
	changes, err := h.journal.Since(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if strings.Contains(string(c.Payload), "00000000-0000") {
			t.Errorf("change %s names nothing", c.Payload)
		}
	}
}

// The journal fails at each of its calls in turn, while an order is placed, printed and held. Afterwards, and after a
// restart, what was acknowledged is there, the counters agree with the journal, and every ticket can be printed.
func TestStorageFaults(t *testing.T) {
	t.Parallel()
	for _, mode := range []journaltest.Mode{journaltest.Before, journaltest.After} {
		for n := 1; ; n += 1 + n/2 { // the further on, the more alike the calls
			var faults journaltest.Faults
			h := newHouse(t, func(h *house) { h.wrap = faults.Wrap })
			p := h.printers["grill"]
			p.setIdle(true)
			acknowledged := 0
			faults.Arm(n, mode, "")
			for range 3 {
				if _, _, err := h.orders.Place(t.Context(), till, "", newOrder(dish(1, "Steak", "Grill")), h.clock.now()); err == nil {
					acknowledged++
				} else if errors.Is(err, journal.ErrDown) || errors.Is(err, journal.ErrUncertain) {
					h.revive()
				}
				if _, ok := p.inHand(); ok {
					p.report(printer.Sent, false)
					p.report(printer.Done, true)
				}
				if _, _, _, err := p.q.Next(t.Context(), func(printer.Job) printer.Attempt { return printer.Attempt{Number: 1, Sequence: 99, At: h.clock.now()} }); err == nil {
					p.mu.Lock()
					p.hand = p.hand[:0]
					p.mu.Unlock()
				}
			}
			hit := faults.Hit()
			faults.Arm(0, mode, "")
			h.revive()
			if err := h.checkWaiting(); err != nil {
				t.Errorf("call %d (%s) failed: %v", n, hit, err)
			}
			h.restart()
			p = h.printers["grill"]
			var orders, jobs int
			row := h.journal.Read().QueryRow(`SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM jobs)`)
			if err := row.Scan(&orders, &jobs); err != nil {
				t.Fatal(err)
			}
			if orders < acknowledged || jobs != orders {
				t.Errorf("call %d (%s) failed: %d orders acknowledged, %d there with %d jobs", n, hit, acknowledged, orders, jobs)
			}
			p.drain()
			h.settle()
			var open int
			if err := h.journal.Read().QueryRow(`SELECT count(*) FROM jobs WHERE settled = 0`).Scan(&open); err != nil || open != 0 {
				t.Errorf("call %d (%s) failed: %d jobs stay open, %v", n, hit, open, err)
			}
			h.close()
			if hit == "" {
				break
			}
		}
	}
}

// revive runs the journal again when a fault ended it.
func (h *house) revive() {
	h.t.Helper()
	for range 5 {
		if h.journal.Insist(context.Background(), func(*journal.Tx) error { return nil }) == nil {
			return
		}
		select {
		case <-h.ran:
			ctx, stop := context.WithCancel(context.Background())
			old := h.stop
			h.stop = func() { old(); stop() }
			go func() { h.ran <- h.journal.Run(ctx) }()
			// The queue refuses until the writer is there.
			for end := time.Now().Add(time.Minute); time.Now().Before(end); {
				if h.journal.Insist(ctx, func(*journal.Tx) error { return nil }) == nil {
					return
				}
				if len(h.ran) > 0 {
					break
				}
			}
		case <-time.After(time.Minute):
			h.t.Fatal("the journal neither works nor ends")
		}
	}
	h.t.Fatal("the journal does not come back")
}

func TestJobsOfARemovedPrinterFindAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	order := h.place(newOrder(dish(1, "Steak", "Grill")))
	begun := h.place(newOrder(dish(1, "Lamb", "Grill")))
	printed := h.place(newOrder(dish(1, "Fish", "Grill")))
	jobs := h.allJobs()
	err := h.journal.Insist(t.Context(), func(tx *journal.Tx) error {
		if _, err := tx.Exec(`UPDATE jobs SET state = 'sent', attempt = 1, sequence = 1 WHERE key = ?`, jobs[1].Key()); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE jobs SET state = 'printed', attempt = 1, sequence = 2 WHERE key = ?`, jobs[2].Key())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := h.kitchen.Test(t.Context(), cook, "grill")
	if err != nil {
		t.Fatal(err)
	}
	h.close()
	h.config.Printers[0].Name = "new grill"
	h.config.Stations[0].Printers = []string{"new grill"}
	h.open()
	if err := h.kitchen.adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "queued job", h.jobs(order.ID), []string{"grill order superseded", "new grill order queued"})
	same(t, "job in the middle", h.jobs(begun.ID), []string{"grill order superseded", "new grill order queued"})
	same(t, "printed job", h.jobs(printed.ID), []string{"grill order done"})
	if j, _, err := h.kitchen.Job(t.Context(), page); err != nil || j.State != "failed" || j.Reason != "printer grill is not configured any more" {
		t.Errorf("test page %+v, %v", j, err)
	}
	h.check()
	p := h.printers["new grill"]
	if n := p.drain(); n != 2 {
		t.Errorf("%d printed, want 2", n)
	}
	if len(p.bodies) == 2 && (strings.HasPrefix(p.bodies[0], "REPRINT") || !strings.HasPrefix(p.bodies[1], "REPRINT")) {
		t.Errorf("banners are wrong: only the second may be on paper already")
	}
	if err := h.kitchen.adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.check()
}

func TestCopiesAndSharedPrinters(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(h *house) { h.config.Stations[1].Copies = 3 })
	p := h.printers["bar"]
	p.setIdle(true)
	r := h.place(newOrder(dish(1, "Cola", "Drinks"), dish(1, "Bread", "Bread")))
	want := []string{"bar order sending", "bar order queued", "bar order queued", "bar order queued"}
	same(t, "jobs", h.jobs(r.ID), want)
	h.check()
	if n := p.drain(); n != 4 {
		t.Errorf("%d printed, want 4", n)
	}
	h.check()
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	paper := h.config.Printers[0]
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no default", func(c *Config) { c.Stations[0].Default = false }, "no station is the default; write default: true at the one that takes what no other claims"},
		{"neither printer nor screen", func(c *Config) { c.Stations[1].Printers, c.Stations[1].Screens = nil, nil }, "station bar has neither printer nor screen; its tickets would reach nobody"},
		{"unknown printer", func(c *Config) { c.Stations[1].Printers = []string{"x"} }, "station bar prints on x, which is no printer here"},
		{"unknown fallback", func(c *Config) { c.Printers[1].Fallback = "x" }, "printer bar falls back to x, which is no other printer here"},
		{"itself as fallback", func(c *Config) { c.Printers[1].Fallback = "bar" }, "printer bar falls back to bar, which is no other printer here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Config{Journal: h.journal, Stations: slices.Clone(h.config.Stations), Printers: []PrinterConfig{paper, {Name: "bar", Profile: paper.Profile, Words: words.In("fr")}}, Location: time.UTC}
			c.change(&config)
			if _, err := New(t.Context(), config); err == nil || err.Error() != c.want {
				t.Errorf("New = %v, want %s", err, c.want)
			}
		})
	}
}

// A job that the driver holds in hand may be moved or cancelled meanwhile; the driver then lets it go.
func TestHeldInHandLeaves(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"moved", "cancelled"} {
		t.Run(how, func(t *testing.T) {
			h := newHouse(t, nil)
			grill := h.printers["grill"]
			grill.setIdle(true)
			r := h.place(newOrder(dish(1, "Steak", "Grill")))
			grill.report(printer.Held, false)
			grill.q.Hold("unreachable")
			h.settle()
			h.clock.add(6 * time.Second)
			if d := grill.q.oldestHeld(h.clock.now()); d != 6*time.Second {
				t.Errorf("oldest held for %v, want 6s", d)
			}
			want := []string{"grill order cancelled"}
			if how == "moved" {
				if err := h.kitchen.Reroute(t.Context()); err != nil {
					t.Fatal(err)
				}
				want = []string{"grill order superseded", "bar order queued"}
			} else if _, err := h.orders.Cancel(t.Context(), till, "", "", r.ID); err != nil {
				t.Fatal(err)
			}
			same(t, "jobs", h.jobs(r.ID), want)
			if n, _, _ := grill.q.Waiting(); n != 0 {
				t.Errorf("%d wait, want none", n)
			}
			grill.q.Unhold()
			h.settle()
			if j := grill.next(); j.ID != (printer.JobID{}) || len(grill.q.taken) != 0 {
				t.Errorf("the grill gets %+v, and has %d", j, len(grill.q.taken))
			}
			if h.printers["bar"].drain() == 1 && strings.HasPrefix(h.printers["bar"].bodies[0], "REPRINT") {
				t.Error("a ticket of which nothing was sent went out under the banner")
			}
		})
	}
}
