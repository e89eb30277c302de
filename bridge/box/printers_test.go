package box

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/simulate/printer"
)

// printerView is as much of a printer as these tests read.
type printerView struct {
	Name, State, Reason, Proof, Kind, Serial, Connect, Hardware string
	Up, Paused, Known, Added                                    bool
	Queue                                                       int
	QueueWarn                                                   int    `json:"queue_warn"`
	QueueSlow                                                   bool   `json:"queue_slow"`
	QueueMovedTo                                                string `json:"queue_moved_to"`
	Diagnosis                                                   []string
}

type jobView struct{ ID, Printer, State, Kind, Label, Reason, Evidence string }

func (r *rig) printer(name string) printerView {
	r.t.Helper()
	var list struct{ Printers []printerView }
	if status, err := r.call(http.MethodGet, "/v1/printers", nil, &list); err != nil || status != http.StatusOK {
		r.t.Fatalf("GET printers: %d %v", status, err)
	}
	for _, p := range list.Printers {
		if p.Name == name {
			return p
		}
	}
	r.t.Fatalf("no printer %s in %+v", name, list.Printers)
	return printerView{}
}

// must makes a call that has to answer with status.
func (r *rig) must(status int, method, path string, body, into any) {
	r.t.Helper()
	if got, err := r.call(method, path, body, into); got != status || err != nil && into != nil {
		r.t.Fatalf("%s %s: %d %v, want %d", method, path, got, err, status)
	}
}

// drink places an order that the bar alone prints, and gives its id.
func (r *rig) drink(id string) string {
	r.t.Helper()
	var v orderView
	r.must(http.StatusCreated, http.MethodPost, "/v1/orders", fmt.Sprintf(
		`{"source":"rig","source_order_id":%q,"currency":"EUR","partner":{"name":"Bar","order_id":%q},"lines":[{"name":"Bière","category":"Drinks","quantity":1,"price":500}]}`, id, id), &v)
	return v.ID
}

func (r *rig) jobs(query string) []jobView {
	r.t.Helper()
	var list struct{ Jobs []jobView }
	r.must(http.StatusOK, http.MethodGet, "/v1/jobs?"+query, nil, &list)
	return list.Jobs
}

// inject brings a fault upon a printer; lift ends it.
func (r *rig) inject(name string, f printer.Fault) {
	r.t.Helper()
	if err := r.printers[name].Inject(f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) lift(name string, k printer.Kind) {
	r.t.Helper()
	if err := r.printers[name].Lift(k); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) warned(code string) bool {
	var list struct{ Warnings []struct{ Code string } }
	r.must(http.StatusOK, http.MethodGet, "/v1/warnings", nil, &list)
	return slices.ContainsFunc(list.Warnings, func(w struct{ Code string }) bool { return w.Code == code })
}

// TestQueueOfAPrinter is what a person does about a printer that stands still: see that its queue is long, give up one
// job, move the rest to another printer, print one again, and find all that in the log.
func TestQueueOfAPrinter(t *testing.T) {
	r := newRig(t)
	r.start()
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/pause", nil, nil)
	r.wait("the bar is paused", func() bool { return r.printer("bar").State == "paused" })
	ids := []string{r.drink("Q0Q"), r.drink("Q1Q"), r.drink("Q2Q")}
	r.wait("the long queue is told", func() bool { return r.warned("printer_queue_long") })
	if p := r.printer("bar"); !p.QueueSlow || p.Queue != 3 || p.QueueWarn != 2 || !p.Paused || len(p.Diagnosis) < 2 || p.Kind != "wired" {
		t.Errorf("the bar shows %+v, want a slow queue of 3 with a diagnosis", p)
	}
	open := r.jobs("printer=bar&state=open")
	if len(open) != 3 || open[2].Label != "#1 Bar Q0Q" || open[0].Kind != "ticket" {
		t.Fatalf("open jobs %+v, want three, newest first", open)
	}

	var cleared jobView
	r.must(http.StatusOK, http.MethodPost, "/v1/jobs/"+open[2].ID+"/clear", map[string]string{"reason": "guest left"}, &cleared)
	if cleared.State != "cancelled" || cleared.Reason != "guest left" {
		t.Errorf("cleared job %+v", cleared)
	}
	r.must(http.StatusConflict, http.MethodPost, "/v1/jobs/"+open[2].ID+"/clear", nil, nil)
	r.must(http.StatusConflict, http.MethodPost, "/v1/jobs/"+open[1].ID+"/reprint", nil, nil)

	r.must(http.StatusUnprocessableEntity, http.MethodPost, "/v1/printers/bar/move-queue", map[string]string{"to": "bar"}, nil)
	r.must(http.StatusUnprocessableEntity, http.MethodPost, "/v1/printers/bar/move-queue", map[string]string{"to": "nowhere"}, nil)
	var moved struct{ Moved int }
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/move-queue", map[string]string{"to": "grill"}, &moved)
	if moved.Moved != 2 {
		t.Errorf("%d jobs moved, want 2", moved.Moved)
	}
	for _, id := range ids[1:] {
		r.done(id)
	}
	for text, want := range map[string]int{"Q0Q": 0, "Q1Q": 1, "Q2Q": 1} {
		if plain, banner := r.papers("grill", text); plain != want || banner != 0 {
			t.Errorf("%s is on the grill's paper %d times and %d under the banner, want %d and 0", text, plain, banner, want)
		}
	}
	if p := r.printers["grill"].Tickets(); !strings.Contains(p[0].Text, "BAR") || !strings.Contains(p[0].Text, "Q1Q") || !strings.Contains(p[1].Text, "Q2Q") {
		t.Errorf("moved tickets do not name their station, or came out of order:\n%s\n%s", p[0].Text, p[1].Text)
	}
	r.wait("the warning is lowered", func() bool { return !r.warned("printer_queue_long") })

	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/resume", nil, nil)
	r.wait("the bar prints again", func() bool { return r.printer("bar").State == "ready" })
	done := r.jobs("printer=grill&state=done&limit=1")
	var again, same struct{ Job string }
	r.must(http.StatusAccepted, http.MethodPost, "/v1/jobs/"+done[0].ID+"/reprint", nil, &again)
	r.wait("the copy is on paper", func() bool { _, banner := r.papers("grill", "Q2Q"); return banner == 1 })
	r.must(http.StatusAccepted, http.MethodPost, "/v1/jobs/"+done[0].ID+"/reprint", nil, &same)
	if same.Job == again.Job {
		t.Error("a second reprint without a key is the first job")
	}
	r.must(http.StatusNotFound, http.MethodPost, "/v1/jobs/01900000-0000-7000-8000-000000000000/clear", nil, nil)
	r.must(http.StatusUnprocessableEntity, http.MethodGet, "/v1/jobs?state=lost", nil, nil)
	r.must(http.StatusUnprocessableEntity, http.MethodGet, "/v1/jobs?limit=0", nil, nil)
	for _, act := range []string{"printer_paused", "job_cleared", "queue_moved", "printer_resumed", "job_reprinted"} {
		if n := r.audited(act); n < 1 {
			t.Errorf("the audit log has no %s", act)
		}
	}
}

// TestPrinterOverARestart: a pause holds, and what probing found is known before the printer answers again.
func TestPrinterOverARestart(t *testing.T) {
	r := newRig(t)
	r.start()
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/pause", nil, nil)
	r.wait("the bar is paused", func() bool { return r.printer("bar").State == "paused" })
	id := r.drink("R0R")
	r.down()
	r.inject("grill", printer.Fault{Kind: printer.PowerCycle, For: printer.Duration(time.Hour)})
	r.boot()
	r.wait("the bar is paused again", func() bool { return r.printer("bar").State == "paused" })
	r.wait("the grill is missed", func() bool { p := r.printer("grill"); return p.Reason != "" && len(p.Diagnosis) > 1 })
	if p := r.printer("grill"); !p.Known || p.Proof != "process_id" || p.Up {
		t.Errorf("the grill, which is away, shows %+v; want it known with its proof", p)
	}
	if plain, _ := r.papers("bar", "R0R"); plain != 0 {
		t.Error("a paused printer printed")
	}
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/bar/resume", nil, nil)
	r.done(id)

	var v printerView
	r.must(http.StatusOK, http.MethodPost, "/v1/printers/grill/replace", nil, &v)
	if v.Name != "grill" {
		t.Errorf("replace answers %+v", v)
	}
	staff, err := access.AddToken(r.config.HTTP.TokensFile, "cook", access.Staff, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	admin := r.token
	r.token = staff
	r.wait("the cook's token counts", func() bool { s, _ := r.call(http.MethodGet, "/v1/printers", nil, nil); return s == http.StatusOK })
	r.must(http.StatusForbidden, http.MethodPost, "/v1/printers/grill/replace", nil, nil)
	r.token = admin
}

// TestOutagesAreOnRecord: a time without paper is listed with its reason, its length and the jobs that waited.
func TestOutagesAreOnRecord(t *testing.T) {
	r := newRig(t)
	r.start()
	r.inject("bar", printer.Fault{Kind: printer.PaperOut})
	r.wait("paper out is shown", func() bool { return r.printer("bar").State == "paper_out" })
	id := r.drink("O0O")
	type outage struct {
		From, Until time.Time
		Reason      string
		Held        int
	}
	var list struct{ Outages []outage }
	r.wait("the outage lasts", func() bool {
		r.must(http.StatusOK, http.MethodGet, "/v1/printers/bar/outages", nil, &list)
		return len(list.Outages) == 1 && list.Outages[0].Until.IsZero() && list.Outages[0].Reason == "paper_out" && list.Outages[0].Held == 1
	})
	r.lift("bar", printer.PaperOut)
	r.done(id)
	r.wait("the outage ended", func() bool {
		r.must(http.StatusOK, http.MethodGet, "/v1/printers/bar/outages?limit=5", nil, &list)
		return len(list.Outages) == 1 && list.Outages[0].Until.After(list.Outages[0].From)
	})
	r.must(http.StatusNotFound, http.MethodGet, "/v1/printers/nowhere/outages", nil, nil)
	if n := len(r.jobs("printer=grill")); n != 0 {
		t.Errorf("%d jobs on the grill, want none", n)
	}
}

// TestPagesOfAPrinter: test pages come out and can be looked at before.
func TestPagesOfAPrinter(t *testing.T) {
	r := newRig(t)
	r.start()
	for _, template := range []string{"", "kitchen"} {
		var queued struct{ Job string }
		r.must(http.StatusAccepted, http.MethodPost, "/v1/printers/grill/test", map[string]string{"template": template}, &queued)
		r.wait("the page is on paper", func() bool {
			jobs := r.jobs("printer=grill&state=done&limit=1")
			return len(jobs) == 1 && jobs[0].ID == queued.Job && jobs[0].Kind == "test"
		})
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/v1/printers/grill/test.png?template="+template, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+r.token)
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("picture of %q: %d %v, %d bytes", template, answer.StatusCode, err, len(b))
		}
	}
	r.must(http.StatusUnprocessableEntity, http.MethodPost, "/v1/printers/grill/test", map[string]string{"template": "menu"}, nil)
	r.must(http.StatusNotFound, http.MethodGet, "/v1/printers/nowhere/test.png", nil, nil)
	if plain, _ := r.papers("grill", "Käsespätzle"); plain != 1 {
		t.Errorf("the example ticket is on paper %d times, want 1", plain)
	}
}
