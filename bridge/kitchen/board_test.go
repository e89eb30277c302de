package kitchen

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/devices/printer"
	"aboyeur/devices/screen"
)

func TestBoardKeepsTheOrderOfTickets(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	var ids []journal.ID
	for n := range 5 {
		ids = append(ids, h.place(newOrder(dish(n+1, "Steak", "Grill"))).Tickets[0].ID)
	}
	for _, n := range []int{1, 3, 0} {
		h.clock.add(time.Second)
		h.act("bump", ids[n])
	}
	h.act("recall", ids[1]) // back to its place
	want := []string{"#2 grill order cooking, 2 Steak", "#3 grill order new, 3 Steak", "#5 grill order new, 5 Steak"}
	same(t, "screen", h.shows("grill"), want)
	recall := func() (list []string) {
		tickets, err := h.kitchen.Board().Recall("grill")
		if err != nil {
			t.Fatal(err)
		}
		for _, t := range tickets {
			list = append(list, brief(&t))
		}
		return list
	}
	h.settle()
	same(t, "recall", recall(), []string{"#1 grill order ready, 1 Steak", "#4 grill order ready, 4 Steak"})
	h.restart()
	same(t, "screen after a restart", h.shows("grill"), want)
	same(t, "recall after a restart", recall(), []string{"#1 grill order ready, 1 Steak", "#4 grill order ready, 4 Steak"})
	if b := h.kitchen.Board().Beat("grill"); b.Open != 3 || b.Seq != h.journal.Seq() {
		t.Errorf("beat %+v", b)
	}
	if _, err := h.kitchen.Board().Recall("nowhere"); !errors.Is(err, ErrUnknown) {
		t.Errorf("recall of no station = %v", err)
	}
}

// Recall keeps fifty at least, those of the last hour, and five hundred at most (P6).
func TestRecallIsBounded(t *testing.T) {
	t.Parallel()
	c := &clock{t: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)}
	b := &Board{now: c.now, bumped: map[string][]*entry{}, screens: map[string][]string{"grill": {"x"}}}
	bump := func(n int, every time.Duration) int {
		for range n {
			b.remember(&entry{station: "grill", state: StateReady, bumpedAt: c.now()})
			c.add(every)
		}
		return len(b.bumped["grill"])
	}
	if n := bump(60, 2*time.Minute); n != 50 {
		t.Errorf("%d kept of slow hours, want 50", n)
	}
	c.add(2 * time.Hour)
	if n := bump(300, time.Second); n != 300 {
		t.Errorf("%d kept of a quick hour, want all 300 and nothing older", n)
	}
	if n := bump(400, time.Second); n != recallMost {
		t.Errorf("%d kept of a rush, want %d", n, recallMost)
	}
}

func TestBoardSkipsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.place(newOrder(dish(1, "Steak", "Grill")))
	h.settle()
	h.kitchen.board.follow([]journal.Change{{Seq: 100, Kind: "ticket", Payload: []byte("{broken")}, {Seq: 101, Kind: "ticket"}, {Seq: 102, Kind: "order", Payload: []byte("x")}})
	same(t, "screen", h.shows("grill"), []string{"#1 grill order new, 1 Steak"})
}

// A station without a screen takes no room on the board (P6).
func TestBoardForgetsWhatNobodySees(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	for range 20 {
		h.place(newOrder(dish(1, "Bread", "Bread")))
	}
	h.settle()
	if n := len(h.kitchen.board.order) + len(h.kitchen.board.open); n != 0 {
		t.Errorf("%d tickets on a board that nobody sees", n)
	}
	h.restart()
	if n := len(h.kitchen.board.order); n != 0 {
		t.Errorf("%d tickets after a restart", n)
	}
}

// Of more tickets than a brigade can cook only some stand in memory, and screens get all of them.
func TestManyOpenTickets(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.kitchen.board.keep = 3
	var first, last journal.ID
	for i := range 10 {
		r := h.place(newOrder(dish(i+1, "Steak", "Grill")))
		if last = h.view(r.ID).Tickets[0].ID; i == 0 {
			first = last
		}
	}
	h.settle()
	check := func(from, to, kept int) {
		t.Helper()
		s, reader, _ := h.kitchen.Board().Snapshot(t.Context(), "grill")
		defer reader.Close()
		if open := to - from + 1; len(s.Tickets) != open || s.Open != open {
			t.Fatalf("the screen gets %d tickets and is told of %d, want %d", len(s.Tickets), s.Open, open)
		}
		for i, ticket := range s.Tickets {
			if want := from + i; ticket.Lines[0].Quantity != want {
				t.Errorf("ticket %d is of %d steaks, want %d", i, ticket.Lines[0].Quantity, want)
			}
		}
		b := h.kitchen.board
		b.mu.Lock()
		defer b.mu.Unlock()
		n := 0
		for _, e := range b.open {
			if e.payload != nil {
				n++
			}
		}
		if n != kept || b.kept != kept {
			t.Errorf("%d tickets are kept and %d counted, want %d", n, b.kept, kept)
		}
	}
	check(1, 10, 3)
	h.act("start", last)
	h.settle()
	check(1, 10, 3)
	h.act("bump", first)
	h.settle()
	check(2, 10, 2)
	h.restart()
	h.kitchen.board.keep = 3
	h.place(newOrder(dish(11, "Steak", "Grill")))
	h.settle()
	check(2, 11, 9) // a start reads what is open at once
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	problems, err := testutil.GatherAndLint(h.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	p := h.printers["grill"]
	p.setIdle(true)
	o := newOrder(dish(1, "Steak", "Grill"))
	id := h.place(o).ID
	p.report(printer.Sent, false)
	p.report(printer.Done, true)
	h.settle()
	h.clock.add(time.Hour) // what follows is not the way of an order any more
	h.change(id, o, dish(2, "Steak", "Grill"))
	p.report(printer.Sent, false)
	p.report(printer.Done, true)
	p.setIdle(false)
	if _, err := h.kitchen.Reprint(t.Context(), cook, "", h.view(id).Tickets[0].ID); err != nil {
		t.Fatal(err)
	}
	p.drain()
	h.settle()
	h.clock.add(time.Hour)
	later := *o
	later.Version = 3
	later.Lines = []sale.Line{dish(3, "Steak", "Grill")}
	h.change(id, &later)
	p.drain()
	h.settle()
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch f.GetName() {
		case "aboyeur_order_to_printer_seconds", "aboyeur_order_to_screen_seconds":
			for _, m := range f.GetMetric() {
				if s := m.GetHistogram().GetSampleSum(); s > 1 {
					t.Errorf("%s has observed %v s of a kitchen that was never late", f.GetName(), s)
				}
			}
		}
	}
	const want = `# HELP aboyeur_print_jobs_total Print jobs that came to an end, by how.
# TYPE aboyeur_print_jobs_total counter
aboyeur_print_jobs_total{outcome="cancelled",printer="bar"} 0
aboyeur_print_jobs_total{outcome="cancelled",printer="grill"} 0
aboyeur_print_jobs_total{outcome="cleared",printer="bar"} 0
aboyeur_print_jobs_total{outcome="cleared",printer="grill"} 0
aboyeur_print_jobs_total{outcome="done",printer="bar"} 0
aboyeur_print_jobs_total{outcome="done",printer="grill"} 4
aboyeur_print_jobs_total{outcome="failed",printer="bar"} 0
aboyeur_print_jobs_total{outcome="failed",printer="grill"} 0
aboyeur_print_jobs_total{outcome="superseded",printer="bar"} 0
aboyeur_print_jobs_total{outcome="superseded",printer="grill"} 0
aboyeur_print_jobs_total{outcome="unknown",printer="bar"} 0
aboyeur_print_jobs_total{outcome="unknown",printer="grill"} 0
# HELP aboyeur_screens_connected Event streams of the screen that are open.
# TYPE aboyeur_screens_connected gauge
aboyeur_screens_connected{screen="bar"} 0
aboyeur_screens_connected{screen="grill"} 0
`
	if err := testutil.GatherAndCompare(h.registry, strings.NewReader(want), "aboyeur_print_jobs_total", "aboyeur_screens_connected"); err != nil {
		t.Error(err)
	}
}

// serve gives the kitchen's routes to somebody.
func (h *house) serve(who access.Principal) *httptest.Server {
	mux := http.NewServeMux()
	for _, route := range h.kitchen.Routes() {
		mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) {
			err := route.Handle(w, r.WithContext(access.With(r.Context(), who)))
			var p *api.Problem
			switch {
			case errors.As(err, &p):
				w.WriteHeader(p.Status)
				_ = json.NewEncoder(w).Encode(map[string]any{"code": p.Code, "detail": p.Detail, "ticket": p.Extra["ticket"]})
			case err != nil:
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	s := httptest.NewServer(mux)
	h.t.Cleanup(s.Close)
	return s
}

func call(t *testing.T, s *httptest.Server, method, path, key string) (int, map[string]any) {
	t.Helper()
	r, _ := http.NewRequest(method, s.URL+path, nil)
	r.Header.Set("Idempotency-Key", key)
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(res.Body).Decode(&body)
	return res.StatusCode, body
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	s := h.serve(cook)
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	h.settle()
	ticket, job := r.Tickets[0].ID.String(), r.Tickets[0].Jobs[0].ID.String()
	nothing := h.journal.NewID().String()
	for _, c := range []struct {
		method, path, key string
		status            int
		want              string // of the member "code", or of "state"
	}{
		{"POST", "/v1/tickets/" + ticket + "/start", "a", 200, "cooking"},
		{"POST", "/v1/tickets/" + ticket + "/start", "a", 200, "cooking"},
		{"POST", "/v1/tickets/" + ticket + "/start", "", 409, "lost_race"},
		{"POST", "/v1/tickets/" + ticket + "/bump", "a", 409, "key_reused"},
		{"POST", "/v1/tickets/" + ticket + "/bump", strings.Repeat("k", 256), 400, "invalid_key"},
		{"POST", "/v1/tickets/" + ticket + "/bump", strings.Repeat("k", 255), 200, "ready"},
		{"POST", "/v1/tickets/" + nothing + "/bump", "", 404, "not_found"},
		{"POST", "/v1/tickets/x/bump", "", 404, "not_found"},
		{"POST", "/v1/tickets/" + ticket + "/reprint", "", 200, "ready"},
		{"POST", "/v1/tickets/" + ticket + "/painted", "", 204, ""},
		{"GET", "/v1/jobs/" + job, "", 200, "queued"},
		{"GET", "/v1/jobs/" + nothing, "", 404, "not_found"},
		{"GET", "/v1/jobs/" + job + "/preview.png", "", 200, ""},
		{"GET", "/v1/jobs/" + nothing + "/preview.png", "", 404, "not_found"},
		{"GET", "/v1/stations/grill/recall", "", 200, ""},
		{"GET", "/v1/stations/x/recall", "", 404, "not_found"},
		{"GET", "/v1/screens/x/events", "", 404, "not_found"},
		{"GET", "/v1/printers", "", 200, ""},
		{"POST", "/v1/printers/grill/test", "", 202, ""},
		{"POST", "/v1/printers/x/test", "", 404, "not_found"},
		{"POST", "/v1/printers/x/pause", "", 404, "not_found"},
		{"POST", "/v1/printers/grill/pause", "", 200, "ready"},
		{"POST", "/v1/printers/grill/resume", "", 200, "ready"},
	} {
		status, body := call(t, s, c.method, c.path, c.key)
		got, _ := body["code"].(string)
		if got == "" {
			got, _ = body["state"].(string)
		}
		if status != c.status || got != c.want {
			t.Errorf("%s %s = %d %q, want %d %q", c.method, c.path, status, got, c.status, c.want)
		}
		if status == 409 && got == "lost_race" && body["ticket"] == nil {
			t.Errorf("%s %s: no ticket in the answer", c.method, c.path)
		}
	}
	if h.printers["grill"].paused {
		t.Error("still paused")
	}
	other := h.serve(access.Principal{Name: "x", Role: access.Screen, Screen: "bar", Via: access.ViaPairing})
	if status, _ := call(t, other, "GET", "/v1/screens/grill/events", ""); status != 403 {
		t.Errorf("another screen's events = %d, want 403", status)
	}
}

// stream reads a screen's events, one "name data" at a time.
func stream(t *testing.T, s *httptest.Server, path, last string) (next func() (id, name, data string), stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return func() (id, name, data string) {
			for lines.Scan() {
				word, rest, _ := strings.Cut(lines.Text(), ": ")
				switch word {
				case "id":
					id = rest
				case "event":
					name = rest
				case "data":
					data = rest
				case "":
					if name != "" {
						return id, name, data
					}
				}
			}
			t.Fatalf("the stream ended: %v", lines.Err())
			return
		}, func() {
			cancel()
			res.Body.Close()
		}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	s := h.serve(cook)
	next, stop := stream(t, s, "/v1/screens/grill/events", "")
	_, name, data := next()
	if name != "snapshot" || !strings.Contains(data, `"tickets":[]`) || !strings.Contains(data, `"stations":["grill","wall"]`) {
		t.Fatalf("first comes %s %s", name, data)
	}
	if _, name, _ := next(); name != "beat" {
		t.Fatalf("then %s, want beat", name)
	}
	r := h.place(newOrder(dish(1, "Steak", "Grill")))
	id, name, data := next()
	if name != "ticket" || !strings.Contains(data, r.Tickets[0].ID.String()) || id == "" {
		t.Fatalf("then %s %s", name, data)
	}
	stop()
	// What happens while it is away comes at once when it is back.
	h.act("start", r.Tickets[0].ID)
	h.act("bump", r.Tickets[0].ID)
	h.settle()
	next, stop = stream(t, s, "/v1/screens/grill/events", id)
	var got []string
	for range 3 {
		_, name, _ := next()
		got = append(got, name)
	}
	slices.Sort(got)
	same(t, "resumed", got, []string{"beat", "ticket-removed", "ticket-updated"})
	h.kitchen.Board().SetHealth([]byte(`{"warnings":1}`))
	if _, name, data := next(); name != "health" || data != `{"warnings":1}` {
		t.Errorf("then %s %s, want health", name, data)
	}
	stop()
	for _, last := range []string{"999999", "x", "-1"} { // not of this journal
		next, stop = stream(t, s, "/v1/screens/grill/events", last)
		if _, name, _ := next(); name != "snapshot" {
			t.Errorf("Last-Event-ID %s gets %s first, want snapshot", last, name)
		}
		if _, name, _ := next(); name != "health" {
			t.Errorf("then %s, want health", name)
		}
		stop()
	}
	h.restart()
	s = h.serve(cook)
	next, stop = stream(t, s, "/v1/screens/grill/events", id) // from before the restart: no longer in memory
	if _, name, _ := next(); name != "snapshot" {
		t.Errorf("after a restart %s first, want snapshot", name)
	}
	stop()
}

// watcher is a screen: it applies events to a picture as the page does.
type watcher struct {
	name   string
	reader *screen.Reader
	seq    int64
	shown  map[journal.ID]Ticket
}

func (w *watcher) connect(b *Board) {
	if w.reader != nil {
		w.reader.Close()
		if r, ok := b.Resume(w.name, w.seq); ok {
			w.reader = r
			return
		}
	}
	s, r, _ := b.Snapshot(context.Background(), w.name)
	w.reader, w.seq, w.shown = r, s.Seq, map[journal.ID]Ticket{}
	for _, t := range s.Tickets {
		w.shown[t.ID] = t
	}
}

func (w *watcher) take(b *Board) error {
	frames, err := w.reader.Take(nil)
	if err != nil {
		w.reader.Close()
		w.reader = nil
		w.connect(b)
		return nil
	}
	for _, f := range frames {
		var name, data string
		for line := range strings.Lines(string(f)) {
			word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch word {
			case "id":
				var id int64
				fmt.Sscan(rest, &id)
				if id <= w.seq {
					return fmt.Errorf("event %d came after %d", id, w.seq)
				}
				w.seq = id
			case "event":
				name = rest
			case "data":
				data = rest
			}
		}
		if name == "health" || name == "later" {
			continue
		}
		var t Ticket
		if err := unmarshal([]byte(data), &t); err != nil && name != "ticket-removed" {
			return err
		}
		_, known := w.shown[t.ID]
		if name == "ticket-removed" {
			var r removed
			if err := unmarshal([]byte(data), &r); err != nil {
				return err
			}
			_, known = w.shown[r.ID]
			delete(w.shown, r.ID)
		} else {
			w.shown[t.ID] = t
		}
		if known != (name != "ticket") {
			return fmt.Errorf("%s of a ticket that is known: %v", name, known)
		}
	}
	return nil
}

// Random evenings: orders come, change and go, cooks work, printers print, fail and stand still, the box restarts, screens
// come and go. Always: each screen shows what the journal has, a reader that resumes misses nothing and sees nothing twice,
// every line of an order is at exactly one station, and the queues' counters agree with the journal.
func TestEvenings(t *testing.T) {
	menu := []sale.Line{dish(1, "Steak", "Grill"), dish(2, "Steak", "Grill"), dish(1, "Fish", "Grill"), dish(1, "Cola", "Drinks"), dish(3, "Wine", "Drinks"), dish(1, "Bread", "Bread"), course(2, "Tarte", "Grill"), course(3, "Cheese", "Drinks")}
	menu[2].Hold = true
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t, func(h *house) { h.config.Stations[0].Fire, h.config.Stations[1].Prep = FirePrevious, 5*time.Second })
		defer h.close()
		type known struct {
			id journal.ID
			o  *sale.Order
		}
		var orders []known
		lines := func() []sale.Line {
			return rapid.SliceOfN(rapid.SampledFrom(menu), 1, 4).Draw(rt, "lines")
		}
		watchers := []*watcher{{name: "grill"}, {name: "bar"}}
		for _, w := range watchers {
			w.connect(h.kitchen.board)
		}
		pick := func() *known {
			if len(orders) == 0 {
				return nil
			}
			return &orders[rapid.IntRange(0, len(orders)-1).Draw(rt, "order")]
		}
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			name := rapid.SampledFrom([]string{"grill", "bar"}).Draw(rt, "printer")
			p := h.printers[name]
			switch step := rapid.SampledFrom([]string{"place", "place", "change", "cancel", "hand", "act", "act", "act", "act", "reprint", "print", "print", "held", "unknown", "hold", "unhold", "idle", "tick", "table", "reroute", "restart", "watch", "again"}).Draw(rt, "step"); step {
			case "place":
				o := newOrder(lines()...)
				orders = append(orders, known{h.place(o).ID, o})
				if r, again, err := h.orders.Place(t.Context(), till, "", o, h.clock.now()); err != nil || !again || r.ID != orders[len(orders)-1].id {
					rt.Fatalf("the same order again = %+v, %v, %v", r, again, err)
				}
			case "change":
				if k := pick(); k != nil {
					next := *k.o
					next.Version++
					next.Lines = lines()
					if _, err := h.orders.Change(t.Context(), till, "", k.id, &next); err == nil {
						k.o = &next
					}
				}
			case "cancel":
				if k := pick(); k != nil {
					_, _ = h.orders.Cancel(t.Context(), till, "", "", k.id)
				}
			case "hand":
				if k := pick(); k != nil {
					_, _ = h.orders.HandOver(t.Context(), till, "", k.id, false)
				}
			case "act", "reprint":
				if k := pick(); k != nil {
					tickets := h.view(k.id).Tickets
					id := tickets[rapid.IntRange(0, len(tickets)-1).Draw(rt, "ticket")].ID
					act := rapid.SampledFrom([]string{"start", "bump", "undo", "recall", "seen", "fire", "hold", "priority"}).Draw(rt, "act")
					var err error
					if step == "reprint" {
						_, err = h.kitchen.Reprint(t.Context(), cook, "", id)
					} else {
						_, err = h.kitchen.Act(t.Context(), cook, "", act, id)
					}
					var lost *LostRace
					if err != nil && !errors.As(err, &lost) && !errors.Is(err, ErrNoPaper) {
						rt.Fatalf("%s: %v", act, err)
					}
				}
			case "tick":
				if k := pick(); k != nil {
					for _, part := range h.view(k.id).Tickets {
						_, _ = h.kitchen.Tick(t.Context(), cook, "", part.ID, rapid.IntRange(0, 3).Draw(rt, "line"), true)
					}
				}
			case "table":
				if k := pick(); k != nil {
					err := h.journal.Write(t.Context(), func(tx *journal.Tx) error {
						return h.orders.MoveTable(tx, []journal.ID{k.id}, rapid.SampledFrom([]string{"12", "14"}).Draw(rt, "to"), "Léa")
					})
					if err != nil {
						rt.Fatal(err)
					}
				}
			case "print":
				if p.take() {
					p.done()
				}
			case "held":
				if p.take() {
					p.report(printer.Held, false)
				}
			case "unknown":
				if p.take() {
					p.report(printer.Unknown, rapid.Bool().Draw(rt, "settled"))
				}
			case "hold":
				p.q.Hold("unreachable")
			case "unhold":
				p.q.Unhold()
			case "idle":
				p.setIdle(rapid.Bool().Draw(rt, "idle"))
			case "reroute":
				h.clock.add(6 * time.Second)
				if err := errors.Join(h.kitchen.Reroute(t.Context()), h.kitchen.FireDue(t.Context())); err != nil {
					rt.Fatal(err)
				}
			case "restart":
				h.restart()
				for _, w := range watchers {
					w.reader = nil
					w.connect(h.kitchen.board)
				}
			case "watch":
				h.settle()
				for _, w := range watchers {
					if err := w.take(h.kitchen.board); err != nil {
						rt.Fatal(err)
					}
				}
			case "again":
				watchers[0].connect(h.kitchen.board)
			}
		}
		if err := h.checkWaiting(); err != nil {
			rt.Error(err)
		}
		// The board of a process that starts now is the board of this one.
		fresh := newBoard(h.config.Stations, h.config.Screens, &h.kitchen.merged, h.journal, h.clock.now, h.config.Log, h.kitchen.metrics)
		if err := fresh.load(t.Context()); err != nil {
			rt.Fatal(err)
		}
		for _, w := range watchers {
			if err := w.take(h.kitchen.board); err != nil {
				rt.Fatal(err)
			}
			now, r1, _ := h.kitchen.board.Snapshot(context.Background(), w.name)
			then, r2, _ := fresh.Snapshot(context.Background(), w.name)
			r1.Close()
			r2.Close()
			w.reader.Close()
			if diff := cmp.Diff(then, now); diff != "" {
				rt.Errorf("screen %s (-journal +memory):\n%s", w.name, diff)
			}
			for _, x := range now.Tickets {
				if diff := cmp.Diff(x, w.shown[x.ID]); diff != "" {
					rt.Errorf("screen %s (-snapshot +events):\n%s", w.name, diff)
				}
			}
			if len(now.Tickets) != len(w.shown) {
				rt.Errorf("screen %s follows %d tickets, there are %d", w.name, len(w.shown), len(now.Tickets))
			}
		}
		for _, k := range orders {
			h.checkLines(rt, k.id, k.o)
		}
	})
}

// checkLines compares an order with its stations' tickets. What changed after a ticket was ready is on tickets of its own;
// such orders are left to the tables.
func (h *house) checkLines(t *rapid.T, id journal.ID, o *sale.Order) {
	want, got := map[string]int{}, map[string]int{}
	for i := range o.Lines {
		at, _ := h.kitchen.routes.of(&o.Lines[i])
		want[h.config.Stations[at].Name+" "+o.Lines[i].Name] += o.Lines[i].Quantity
	}
	own := false
	err := queryAll(context.Background(), h.journal.Read(), `SELECT `+columns+` FROM tickets WHERE order_key = ? AND parent = 0`, []any{id.Key()}, func(scan func(...any) error) error {
		r, err := scanTicket(scan)
		own = own || r.Kind == KindChange
		for _, l := range linesNow(r.Lines) {
			got[r.Station+" "+l.Name] += l.Quantity
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" && !own {
		t.Errorf("order (-lines +tickets):\n%s", diff)
	}
}
