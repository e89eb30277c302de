package box

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"aboyeur/simulate/dinner"
	"aboyeur/simulate/printer"
)

// TestOrderReachesDiskPaperAndScreens is the main job once, seen from outside.
func TestOrderReachesDiskPaperAndScreens(t *testing.T) {
	r := newRig(t)
	r.start()
	events := r.screen("kitchen", "")
	r.expect(events, "snapshot")
	placed := r.place(orderOf(0))
	if placed.State != "accepted" || placed.Number != 1 || len(placed.Tickets) != 2 {
		t.Fatalf("answer = %+v, want number 1, accepted, a ticket for grill and bar", placed)
	}
	for range placed.Tickets {
		if e := r.expect(events, "ticket"); !strings.Contains(e.data, "X00000X") {
			t.Errorf("ticket event without the partner's id: %s", e.data)
		}
	}
	v := r.done(placed.ID)
	for _, ticket := range v.Tickets {
		for _, j := range ticket.Jobs {
			if j.State != "done" || j.Evidence != "process_id" {
				t.Errorf("job on %s is %s by %q, want done by process_id", j.Printer, j.State, j.Evidence)
			}
			if plain, banner := r.papers(j.Printer, "X00000X"); plain != 1 || banner != 0 {
				t.Errorf("on %s are %d tickets and %d under the banner, want 1 and 0", j.Printer, plain, banner)
			}
		}
	}
	var steps []string
	for i, s := range v.Timeline {
		steps = append(steps, s.Event)
		if i > 0 && s.At.Before(v.Timeline[i-1].At) {
			t.Errorf("time line goes back at %s", s.Event)
		}
	}
	for _, want := range []string{"received", "committed", "job_sending", "job_sent", "job_printed", "job_done"} {
		if !slices.Contains(steps, want) {
			t.Errorf("time line %v lacks %s", steps, want)
		}
	}
}

func TestIdempotency(t *testing.T) {
	r := newRig(t)
	r.start()
	first := r.place(orderOf(0))
	post := func(what string, o dinner.Order, key string, want int, wantID string) {
		t.Helper()
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.base+"/v1/orders", strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+r.token)
		q.Header.Set("Content-Type", "application/json")
		if key != "" {
			q.Header.Set("Idempotency-Key", key)
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var v orderView
		if err := json.NewDecoder(answer.Body).Decode(&v); err != nil {
			t.Fatal(err)
		}
		replayed := answer.Header.Get("Idempotent-Replayed") == "true"
		if answer.StatusCode != want || replayed != (want == http.StatusOK) || (wantID != "" && v.ID != wantID) {
			t.Errorf("%s: %d, replayed %v, id %q; want %d, id %q", what, answer.StatusCode, replayed, v.ID, want, wantID)
		}
	}
	other := orderOf(0)
	other.Notes = "another note"
	post("same order again", orderOf(0), "", http.StatusOK, first.ID)
	post("same ids, other content", other, "", http.StatusConflict, "")
	post("same order with a key", orderOf(0), "k1", http.StatusOK, first.ID)
	post("the key again", orderOf(0), "k1", http.StatusOK, first.ID)
	post("the key for another order", orderOf(1), "k1", http.StatusConflict, "")
	post("another order", orderOf(1), "k2", http.StatusCreated, "")

	changed := orderOf(0)
	changed.Version, changed.Notes = 2, "sans oignon"
	if status, err := r.call(http.MethodPut, "/v1/orders/"+first.ID, changed, nil); err != nil || status != http.StatusOK {
		t.Fatalf("PUT version 2: %d %v", status, err)
	}
	for _, version := range []int{1, 2} {
		changed.Version = version
		if status, _ := r.call(http.MethodPut, "/v1/orders/"+first.ID, changed, nil); status != http.StatusConflict {
			t.Errorf("PUT version %d after 2: %d, want 409", version, status)
		}
	}
	post("the first version again, after a change", orderOf(0), "", http.StatusOK, first.ID)
}

func TestBadInput(t *testing.T) {
	r := newRig(t)
	r.start()
	good := `{"source":"s","source_order_id":"1","currency":"EUR","lines":[{"name":"Café","quantity":1,"price":100}]}`
	for _, test := range []struct {
		name, body, pointer string
		status              int
	}{
		{"malformed", `{"source":`, "", 400},
		{"empty", ``, "", 400},
		{"two values", good + good, "", 400},
		{"unknown member", strings.Replace(good, `"source":"s"`, `"source":"s","sauce":1`, 1), "/sauce", 422},
		{"wrong type", strings.Replace(good, `"quantity":1`, `"quantity":"two"`, 1), "/lines/0/quantity", 422},
		{"zero quantity", strings.Replace(good, `"quantity":1`, `"quantity":0`, 1), "/lines/0/quantity", 422},
		{"no price", strings.Replace(good, `,"price":100`, ``, 1), "/lines/0/price", 422},
		{"negative price", strings.Replace(good, `"price":100`, `"price":-1`, 1), "/lines/0/price", 422},
		{"no lines", `{"source":"s","source_order_id":"1","currency":"EUR","lines":[]}`, "/lines", 422},
		{"other currency", strings.Replace(good, `EUR`, `USD`, 1), "/currency", 422},
		{"no source", strings.Replace(good, `"source":"s",`, ``, 1), "/source", 422},
		{"fixed time without time", strings.Replace(good, `"currency"`, `"scheduling":"fixed_time","currency"`, 1), "/ready_at", 422},
		{"course there is not", strings.Replace(good, `"quantity":1`, `"course":9,"quantity":1`, 1), "/lines/0/course", 422},
		{"two megabytes", strings.Replace(good, `Café`, strings.Repeat("x", 2<<20), 1), "", 413},
	} {
		var problem struct {
			Status int
			Detail string
			Errors []struct{ Pointer, Detail string }
		}
		status, err := r.call(http.MethodPost, "/v1/orders", test.body, &problem)
		if err != nil || status != test.status || problem.Status != test.status || problem.Detail == "" {
			t.Errorf("%s: %d %v %+v, want %d with a detail", test.name, status, err, problem, test.status)
		}
		if test.pointer != "" && (len(problem.Errors) == 0 || problem.Errors[0].Pointer != test.pointer || problem.Errors[0].Detail == "") {
			t.Errorf("%s: errors %+v, want one at %s", test.name, problem.Errors, test.pointer)
		}
	}
	var list struct{ Orders []orderView }
	if _, err := r.call(http.MethodGet, "/v1/orders", nil, &list); err != nil || len(list.Orders) != 0 {
		t.Errorf("bad input left %d orders (%v)", len(list.Orders), err)
	}
}

// TestScreenResumes holds the event stream to its promise: after a break nothing is missing and nothing comes twice.
func TestScreenResumes(t *testing.T) {
	r := newRig(t)
	r.start()
	first := r.screen("kitchen", "")
	r.expect(first, "snapshot")
	r.place(orderOf(13)) // one ticket, for the bar
	last := r.expect(first, "ticket")
	r.place(orderOf(13 + 16))
	second := r.screen("kitchen", last.id)
	e := r.expect(second, "ticket")
	if !strings.Contains(e.data, "X00029X") && !strings.Contains(e.data, `"number":2`) {
		t.Errorf("resumed with %s, want the second order's ticket", e.data)
	}
	far := r.screen("kitchen", "999999")
	if e := r.expect(far, "snapshot"); !strings.Contains(e.data, `"open":2`) {
		t.Errorf("a reader from nowhere got %s, want a snapshot of two tickets", e.data)
	}
}

func TestTicketActs(t *testing.T) {
	r := newRig(t)
	r.start()
	events := r.screen("kitchen", "")
	v := r.place(orderOf(13))
	ticket := v.Tickets[0].ID
	act := func(name string, want int, wantState string) {
		t.Helper()
		var answer struct {
			State  string
			Ticket struct{ State string }
		}
		status, err := r.call(http.MethodPost, "/v1/tickets/"+ticket+"/"+name, nil, &answer)
		if err != nil || status != want {
			t.Fatalf("%s: %d %v, want %d", name, status, err, want)
		}
		if want == http.StatusConflict {
			answer.State = answer.Ticket.State
		}
		if answer.State != wantState {
			t.Errorf("%s leaves the ticket %s, want %s", name, answer.State, wantState)
		}
	}
	act("start", 200, "cooking")
	act("bump", 200, "ready")
	r.expect(events, "ticket-removed")
	act("bump", 409, "ready")
	if o := r.get(v.ID); o.State != "prepared" {
		t.Errorf("order is %s with every ticket ready, want prepared", o.State)
	}
	act("undo", 200, "cooking")
	if o := r.get(v.ID); o.State != "accepted" {
		t.Errorf("order is %s with a ticket open again, want accepted", o.State)
	}
	act("bump", 200, "ready")
	var recall struct{ Tickets []struct{ ID string } }
	if _, err := r.call(http.MethodGet, "/v1/stations/bar/recall", nil, &recall); err != nil || len(recall.Tickets) != 1 || recall.Tickets[0].ID != ticket {
		t.Errorf("recall list %+v (%v), want the ticket", recall, err)
	}
	act("recall", 200, "cooking")
	act("seen", 409, "cooking")
}

// TestFallback moves the work of a printer without paper, and brings it back when there is paper.
func TestFallback(t *testing.T) {
	r := newRig(t)
	r.start()
	if err := r.printers["grill"].Inject(printer.Fault{Kind: printer.PaperOut}); err != nil {
		t.Fatal(err)
	}
	r.wait("the box knows", func() bool {
		var list struct {
			Warnings []struct{ Code, Remedy string }
		}
		_, err := r.call(http.MethodGet, "/v1/warnings", nil, &list)
		return err == nil && slices.ContainsFunc(list.Warnings, func(w struct{ Code, Remedy string }) bool { return w.Code == "printer_paper_out" && w.Remedy != "" })
	})
	v := r.place(orderOf(6)) // one ticket, for the grill
	v = r.done(v.ID)
	if plain, banner := r.papers("bar", "X00006X"); plain != 1 || banner != 0 {
		t.Errorf("bar printed %d and %d under the banner, want 1 and 0", plain, banner)
	}
	if plain, _ := r.papers("bar", "FOR: GRILL"); plain != 1 {
		t.Error("the ticket on the bar's printer does not say whom it is for")
	}
	if err := r.printers["grill"].Lift(printer.PaperOut); err != nil {
		t.Fatal(err)
	}
	next := r.place(orderOf(22))
	r.done(next.ID)
	if plain, banner := r.papers("grill", "X00022X"); plain+banner != 1 {
		t.Errorf("with paper again grill printed %d, want 1", plain+banner)
	}
	if plain, banner := r.papers("grill", "X00006X"); plain+banner != 0 {
		t.Error("the rerouted ticket came out at the grill as well")
	}
}

// TestDeadPrinterStopsNothing holds P4: what is gone stops only what needs it.
func TestDeadPrinterStopsNothing(t *testing.T) {
	r := newRig(t)
	r.start()
	if err := r.printers["bar"].Inject(printer.Fault{Kind: printer.Hang}); err != nil {
		t.Fatal(err)
	}
	var last orderView
	for n := range 40 {
		last = r.place(orderOf(n * 16)) // pizza for the grill, lemonade for the bar
	}
	r.wait("the grill printed all", func() bool {
		plain, _ := r.papers("grill", "X0")
		return plain == 40
	})
	if status, err := r.call(http.MethodGet, "/readyz", nil, nil); err != nil || status != http.StatusOK {
		t.Errorf("/readyz with a dead printer: %d %v, want 200", status, err)
	}
	if err := r.printers["bar"].Lift(printer.Hang); err != nil {
		t.Fatal(err)
	}
	r.done(last.ID)
	r.wait("the bar caught up", func() bool {
		plain, banner := r.papers("bar", "X0")
		return plain+banner >= 40
	})
}

// TestRestartForgetsNothing ends the box in order and starts it again.
func TestRestartForgetsNothing(t *testing.T) {
	r := newRig(t)
	r.start()
	v := r.place(orderOf(0))
	r.done(v.ID)
	r.down()
	r.start()
	if got := r.get(v.ID); got.Number != v.Number || got.State != "accepted" {
		t.Errorf("after the restart the order is %+v, want %+v", got, v)
	}
	events := r.screen("kitchen", "")
	if e := r.expect(events, "snapshot"); !strings.Contains(e.data, `"open":2`) {
		t.Errorf("after the restart the screen shows %s, want two tickets", e.data)
	}
	if next := r.place(orderOf(1)); next.Number != 2 {
		t.Errorf("the next number is %d, want 2", next.Number)
	}
	for name := range r.printers {
		if plain, banner := r.papers(name, "X00000X"); plain != 1 || banner != 0 {
			t.Errorf("%s has %d copies and %d under the banner, want 1 and 0", name, plain, banner)
		}
	}
}

// TestMetricsAreWellFormed lints the scrape and looks for every name of the contract that has a subject.
func TestMetricsAreWellFormed(t *testing.T) {
	r := newRig(t)
	r.start()
	r.done(r.place(orderOf(0)).ID)
	problems, err := testutil.GatherAndLint(r.box.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := r.box.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range families {
		have[f.GetName()] = true
	}
	for _, want := range []string{
		"aboyeur_orders_total", "aboyeur_order_ack_seconds", "aboyeur_order_to_printer_seconds", "aboyeur_order_to_screen_seconds",
		"aboyeur_print_jobs_total", "aboyeur_print_queue_jobs", "aboyeur_print_oldest_held_seconds", "aboyeur_printer_up", "aboyeur_printer_paper",
		"aboyeur_screens_connected", "aboyeur_journal_commit_seconds", "aboyeur_journal_batch_writes", "aboyeur_service_restarts_total",
		"aboyeur_config_bundle_number", "aboyeur_build_info", "aboyeur_board_temperature_celsius", "aboyeur_board_throttled",
		"aboyeur_board_disk_free_bytes", "aboyeur_board_memory_available_bytes",
	} {
		if !have[want] {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}

// TestScreenThatNeverReads costs nobody anything (P4, P6).
func TestScreenThatNeverReads(t *testing.T) {
	r := newRig(t)
	r.start()
	mute, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	fmt.Fprintf(mute, "GET /v1/screens/kitchen/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", r.token)
	events := r.screen("kitchen", "")
	r.expect(events, "snapshot")
	for n := range 100 {
		r.place(orderOf(13 + 16*n))
		r.expect(events, "ticket")
	}
}
