package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/bridge/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A bench is a Reporter on a journal whose rows the test writes.
type bench struct {
	*Reporter
	t       *testing.T
	journal *journal.Journal
	now     time.Time
	count   int64
}

func newBench(t *testing.T, zone string, now string) *bench {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, journal: journaltest.Open(t, journal.Config{}, nil)}
	b.now = b.at(now)
	if b.Reporter, err = New(Config{Journal: b.journal, Location: location, Close: 5*time.Hour + 30*time.Minute, Now: func() time.Time { return b.now }}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) at(s string) time.Time {
	b.t.Helper()
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		b.t.Fatal(err)
	}
	return t
}

// id is one that was given out at that moment.
func (b *bench) id(at time.Time) (id journal.ID) {
	b.count++
	ms := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[7] = 0x70|byte(b.count>>8&15), byte(b.count)
	return id
}

type aTicket struct {
	station, kind, state, service string
	fired                         string
	due                           string
	took                          time.Duration // to the bump; 0: none
	served                        time.Duration // after the bump
	items, recalls                int
	parent                        int64
}

func (b *bench) write(fn func(tx *journal.Tx) error) {
	b.t.Helper()
	if err := b.journal.Write(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) ticket(tx *journal.Tx, k aTicket) error {
	fired := b.at(k.fired)
	id := b.id(fired)
	content := map[string]any{"at": fired, "service": k.service, "warn_after": 600, "late_after": 900,
		"lines": []map[string]any{{"quantity": k.items}, {"quantity": 9, "change": "removed"}}}
	if k.due != "" {
		content["due"] = k.due
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	var bumped time.Time
	log := trail.Append(nil, fired, "started", "", "")
	if k.took > 0 {
		bumped = fired.Add(k.took)
		log = trail.Append(log, bumped, "bumped", "Léa", "")
	}
	for range k.recalls {
		log = trail.Append(log, bumped, "recalled", "Léa", "")
	}
	if k.served > 0 {
		log = trail.Append(log, bumped.Add(k.served), "served", "", "")
	}
	if k.state == "cancelled" {
		log = trail.Append(log, fired.Add(time.Minute), "cancelled", "", "")
	}
	if k.kind == "" {
		k.kind = "order"
	}
	_, err = tx.Exec(`INSERT INTO tickets (key, id, order_key, parent, station, kind, state, before, unseen, version, started_at, bumped_at, bumped_by, painted_at, content, log)
		VALUES (?, ?, 0, ?, ?, ?, ?, '', 0, 1, 0, ?, '', 0, ?, ?)`, id.Key(), id[:], k.parent, k.station, k.kind, k.state, journal.Micros(bumped), text, string(log))
	return err
}

type anOrder struct {
	source, state, inPOS string
	at                   string
	answer, injected     time.Duration
	price                int64
}

func (b *bench) order(tx *journal.Tx, o anOrder) error {
	received := b.at(o.at)
	id := b.id(received)
	log := trail.Append(nil, received, "received", o.source, "")
	if o.injected > 0 {
		log = trail.Append(log, received.Add(o.injected), eventInPOS, "", "")
	}
	content := fmt.Sprintf(`{"source":%q,"source_order_id":"%d","currency":"EUR","lines":[{"name":"Soupe","quantity":2,"price":%d}]}`, o.source, b.count, o.price)
	_, err := tx.Exec(`INSERT INTO orders (key, id, source, source_order_id, number, business_day, version, state, in_pos, received_at, committed_at, release_at, posted, content, log)
		VALUES (?, ?, ?, ?, 1, '', 1, ?, ?, ?, ?, 0, '', ?, ?)`, id.Key(), id[:], o.source, fmt.Sprint(b.count), o.state, o.inPOS, received, received.Add(o.answer), content, string(log))
	return err
}

func TestReport(t *testing.T) {
	b := newBench(t, "Europe/Paris", "2026-11-22T03:00:00Z") // four in the morning, the evening's business day
	b.write(func(tx *journal.Tx) error {
		var err error
		for _, k := range []aTicket{
			{station: "grill", state: "ready", service: "dine_in", fired: "2026-11-21T19:01:00Z", took: 5 * time.Minute, items: 2},
			{station: "grill", state: "served", service: "dine_in", fired: "2026-11-21T19:02:00Z", took: 11 * time.Minute, served: 90 * time.Second, items: 1, recalls: 1},
			{station: "grill", state: "served", service: "dine_in", fired: "2026-11-21T19:29:59Z", took: 16 * time.Minute, served: 30 * time.Second, items: 3},
			{station: "grill", state: "ready", service: "dine_in", fired: "2026-11-21T19:30:00Z", took: 4 * time.Minute, items: 1},
			{station: "grill", state: "cancelled", service: "dine_in", fired: "2026-11-21T19:31:00Z", items: 1},
			{station: "grill", state: "cooking", service: "dine_in", fired: "2026-11-22T02:00:00Z", items: 1}, // half past midnight's guests; open for an hour
			{station: "grill", state: "held", service: "dine_in", fired: "2026-11-21T19:32:00Z", items: 50},
			{station: "grill", state: "served", kind: "change", parent: 7, service: "dine_in", fired: "2026-11-21T19:33:00Z", items: 50},
			{station: "grill", state: "new", kind: "cancel", service: "dine_in", fired: "2026-11-21T19:34:00Z", items: 50},
			// Towards the courier: 20 minutes are well in time, one second after the moment is late.
			{station: "bar", state: "ready", service: "delivery", fired: "2026-11-21T19:00:00Z", due: "2026-11-21T19:45:00Z", took: 20 * time.Minute, items: 1},
			{station: "bar", state: "ready", service: "delivery", fired: "2026-11-21T19:00:00Z", due: "2026-11-21T19:19:59Z", took: 20 * time.Minute, items: 1},
			{station: "bar", state: "ready", service: "delivery", fired: "2026-11-21T19:00:00Z", due: "2026-11-21T19:21:00Z", took: 20 * time.Minute, items: 1},
			// Other days.
			{station: "grill", state: "ready", service: "dine_in", fired: "2026-11-21T04:29:59Z", took: time.Minute, items: 50},
			{station: "grill", state: "ready", service: "dine_in", fired: "2026-11-22T04:30:00Z", took: time.Minute, items: 50},
		} {
			err = errors.Join(err, b.ticket(tx, k))
		}
		for _, o := range []anOrder{
			{source: "otter", state: "accepted", inPOS: "yes", at: "2026-11-21T19:00:00Z", answer: 2 * time.Millisecond, injected: 800 * time.Millisecond, price: 1000},
			{source: "otter", state: "accepted", inPOS: "yes", at: "2026-11-21T19:01:00Z", answer: 3 * time.Millisecond, injected: 1200 * time.Millisecond, price: 1000},
			{source: "otter", state: "accepted", inPOS: "no", at: "2026-11-21T19:02:00Z", answer: 4 * time.Millisecond, price: 1000},
			{source: "otter", state: "cancelled", inPOS: "manual", at: "2026-11-21T19:03:00Z", answer: 5 * time.Millisecond, price: 1000},
			{source: "till", state: "fulfilled", inPOS: "yes", at: "2026-11-21T20:00:00Z", answer: 6 * time.Millisecond, price: 250},
			{source: "till", state: "fulfilled", inPOS: "pending", at: "2026-11-21T04:00:00Z", answer: time.Millisecond, price: 250},
		} {
			err = errors.Join(err, b.order(tx, o))
		}
		return err
	})
	got, err := b.Make(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	half := func(at, label string, f Figures) Half { return Half{At: b.at(at), Label: label, Figures: f} }
	want := &Report{
		From: "2026-11-21", To: "2026-11-21", Begins: b.at("2026-11-21T04:30:00Z"), Ends: b.at("2026-11-22T04:30:00Z"), Running: true, Timezone: "Europe/Paris",
		Kitchen: Figures{Tickets: 9, Items: 12, Done: 7, Median: 960, P90: 1200, Warned: 2, Late: 3, Recalls: 1, Cancelled: 1, Passed: 2, PassMedian: 30, PeakOpen: 5, LeftOpen: 1},
		Stations: []Station{
			{Station: "bar", Figures: Figures{Tickets: 3, Items: 3, Done: 3, Median: 1200, P90: 1200, Warned: 1, Late: 1, PeakOpen: 3},
				Halves: []Half{half("2026-11-21T19:00:00Z", "20:00", Figures{Tickets: 3, Items: 3, Done: 3, Median: 1200, P90: 1200, Warned: 1, Late: 1, PeakOpen: 3})}},
			{Station: "grill", Figures: Figures{Tickets: 6, Items: 9, Done: 4, Median: 300, P90: 960, Warned: 1, Late: 2, Recalls: 1, Cancelled: 1, Passed: 2, PassMedian: 30, PeakOpen: 3, LeftOpen: 1},
				Halves: []Half{
					half("2026-11-21T19:00:00Z", "20:00", Figures{Tickets: 3, Items: 6, Done: 3, Median: 660, P90: 960, Warned: 1, Late: 1, Recalls: 1, Passed: 2, PassMedian: 30, PeakOpen: 2}),
					half("2026-11-21T19:30:00Z", "20:30", Figures{Tickets: 2, Items: 2, Done: 1, Median: 240, P90: 240, Cancelled: 1, PeakOpen: 3}),
					half("2026-11-22T02:00:00Z", "03:00", Figures{Tickets: 1, Items: 1, Late: 1, PeakOpen: 1, LeftOpen: 1}),
				}},
		},
		Sources: []Source{
			{Source: "otter", Orders: 4, Injected: 2, Failed: 1, Manual: 1, Cancelled: 1, Total: 6000, Answer: 3, Injection: 800},
			{Source: "till", Orders: 1, Injected: 1, Total: 500, Answer: 6, Injection: 6},
		},
		Days: []Day{{Day: "2026-11-21", Orders: 5, Injected: 3, Failed: 1, Manual: 1, Cancelled: 1, Total: 6500, Answer: 4, Injection: 800,
			Tickets: 9, Items: 12, Median: 960, P90: 1200, Warned: 2, Late: 3, Recalls: 1, LeftOpen: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}

	three, err := b.Make(t.Context(), "2026-11-20", "2026-11-22")
	if err != nil || len(three.Days) != 3 || three.Days[0].Tickets != 1 || three.Days[1].Tickets != 9 || three.Days[2].Tickets != 1 || three.Days[0].Pending != 1 || three.Kitchen.Tickets != 11 {
		t.Errorf("three days: %+v, %v", three, err)
	}
	for name, write := range map[string]func(*Report) (int, error){
		"stations": func(r *Report) (int, error) { return rowsOf(t, r.WriteStations) },
		"sources":  func(r *Report) (int, error) { return rowsOf(t, r.WriteSources) },
		"days":     func(r *Report) (int, error) { return rowsOf(t, r.WriteDays) },
	} {
		rows, err := write(three)
		if want := map[string]int{"stations": 7, "sources": 3, "days": 4}[name]; err != nil || rows != want {
			t.Errorf("%s.csv has %d rows, %v; want %d", name, rows, err, want)
		}
	}
}

// rowsOf reads a table back: every row has the columns of the first.
func rowsOf(t *testing.T, write func(io.Writer) error) (int, error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return 0, err
	}
	rows, err := csv.NewReader(&b).ReadAll()
	return len(rows), err
}

func TestDaysAndNightsOfOtherLengths(t *testing.T) {
	b := newBench(t, "Europe/Paris", "2026-11-22T12:00:00Z")
	for _, c := range []struct {
		day, begins, ends string
	}{
		{"2026-11-21", "2026-11-21T04:30:00Z", "2026-11-22T04:30:00Z"},
		{"2026-03-28", "2026-03-28T04:30:00Z", "2026-03-29T03:30:00Z"}, // 23 hours
		{"2026-10-24", "2026-10-24T03:30:00Z", "2026-10-25T04:30:00Z"}, // 25 hours
	} {
		days, err := b.span(c.day, c.day)
		if err != nil || !days[0].begins.Equal(b.at(c.begins)) || !days[0].ends.Equal(b.at(c.ends)) {
			t.Errorf("%s is %v, %v; want %s to %s", c.day, days, err, c.begins, c.ends)
		}
		if got := b.dayOf(days[0].begins); got != c.day {
			t.Errorf("%s begins in %s", c.day, got)
		}
		if got := b.dayOf(days[0].ends.Add(-time.Microsecond)); got != c.day {
			t.Errorf("%s ends in %s", c.day, got)
		}
	}
	for at, want := range map[string]string{
		"2026-10-25T00:30:00Z": "02:30 +02:00", "2026-10-25T01:30:00Z": "02:30 +01:00", "2026-10-25T02:00:00Z": "03:00", "2026-10-24T23:30:00Z": "01:30",
		"2026-03-29T00:30:00Z": "01:30", "2026-03-29T01:00:00Z": "03:00",
	} {
		if got := label(b.at(at), b.c.Location); got != want {
			t.Errorf("label(%s) = %q, want %q", at, got, want)
		}
	}
	// Every half-hour of the long night has a place of its own.
	days, err := b.span("2026-10-24", "2026-10-24")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for at := days[0].begins; at.Before(days[0].ends); at = at.Add(slot) {
		seen[label(at, b.c.Location)] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d labels in a night of 25 hours, want 50", len(seen))
	}
	for _, c := range [][2]string{{"yesterday", ""}, {"2026-11-21", "2026-11-20"}, {"2026-11-01", "2026-12-02"}, {"2026-11-21", "x"}, {"0001-01-01", ""}, {"2026-02-30", ""}} {
		if _, err := b.Make(t.Context(), c[0], c[1]); !errors.Is(err, ErrDays) {
			t.Errorf("%v: %v, want ErrDays", c, err)
		}
	}
	// A zone that jumps over the very hour of closing.
	gap, err := New(Config{Journal: b.journal, Location: b.c.Location, Close: 2*time.Hour + 30*time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if days, err = gap.span("2026-03-28", "2026-03-29"); err != nil || !days[0].ends.Equal(days[1].begins) || gap.dayOf(days[1].begins) != "2026-03-29" {
		t.Errorf("days around a jump over closing: %v, %v", days, err)
	}
}

// What lies beyond one page is counted too, once, and the queries read a stretch of keys and no more.
func TestPages(t *testing.T) {
	b := newBench(t, "UTC", "2026-11-21T23:00:00Z")
	b.page = 60
	b.write(func(tx *journal.Tx) error {
		for i := range 2*b.page + 7 {
			at := b.at("2026-11-21T12:00:00Z").Add(time.Duration(i) * time.Second).Format(time.RFC3339)
			if err := errors.Join(b.ticket(tx, aTicket{station: "grill", state: "ready", service: "dine_in", fired: at, took: time.Minute, items: 1}),
				b.order(tx, anOrder{source: "till", state: "accepted", inPOS: "yes", at: at, answer: time.Millisecond, price: 1})); err != nil {
				return err
			}
		}
		return nil
	})
	rep, err := b.Make(t.Context(), "", "")
	if err != nil || rep.Kitchen.Tickets != 2*b.page+7 || rep.Sources[0].Orders != 2*b.page+7 {
		t.Errorf("%d tickets, %+v, %v; want %d of each", rep.Kitchen.Tickets, rep.Sources, err, 2*b.page+7)
	}
	if rep.Kitchen.PeakOpen != 60 {
		t.Errorf("one a second, each for a minute: %d open at once, want 60", rep.Kitchen.PeakOpen)
	}
	for _, query := range []string{selectTickets, selectOrders} {
		rows, err := b.journal.Read().Query("EXPLAIN QUERY PLAN "+query, 1, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		rows.Close()
		if len(plan) != 1 || !strings.Contains(plan[0], "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)") {
			t.Errorf("%s\nis carried out as %q; want a stretch of keys", query, plan)
		}
	}
}

func TestCSVIsNoFormula(t *testing.T) {
	r := &Report{Sources: []Source{{Source: `=HYPERLINK("http://evil.example","x")`, Orders: 1}, {Source: "a,\"b\"\n"}}}
	var b bytes.Buffer
	if err := r.WriteSources(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || rows[1][0] != `'=HYPERLINK("http://evil.example","x")` || rows[2][0] != "a,\"b\"\n" {
		t.Errorf("rows %q, %v", rows, err)
	}
}

func TestHTTP(t *testing.T) {
	b := newBench(t, "Europe/Paris", "2026-11-22T03:00:00Z")
	for _, route := range b.Routes() {
		w := httptest.NewRecorder()
		if err := route.Handle(w, httptest.NewRequest("GET", route.Path+"?from=2026-11-20&to=2026-11-21", nil)); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(route.Path, ".csv") {
			if got := w.Header().Get("Content-Disposition"); !strings.Contains(got, "-2026-11-20-to-2026-11-21.csv") || !strings.HasPrefix(w.Body.String(), "\ufeff") {
				t.Errorf("%s: %q, begins %.20q", route.Path, got, w.Body)
			}
		} else if !strings.Contains(w.Body.String(), `"stations":[],"sources":[],"days":[{`) {
			t.Errorf("%s: %s", route.Path, w.Body)
		}
		if err := route.Handle(httptest.NewRecorder(), httptest.NewRequest("GET", route.Path+"?from=x", nil)); err == nil || !strings.Contains(err.Error(), `?from`) {
			t.Errorf("%s?from=x: %v", route.Path, err)
		}
	}
}

// Whatever the tickets, a station is the sum of its half-hours, and no half-hour's peak exceeds the station's.
func TestHalvesAddUp(t *testing.T) {
	location, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	r := &Reporter{c: Config{Location: location, Close: 5*time.Hour + 30*time.Minute, Now: time.Now}}
	days, err := r.span("2026-10-24", "2026-10-25")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		k := newKitchen(days, days[1].ends, location)
		n := rapid.IntRange(0, 20).Draw(t, "tickets")
		var times []float64
		for range n {
			fired := days[0].begins.Add(time.Duration(rapid.IntRange(0, 48*60).Draw(t, "minute")) * time.Minute)
			x := ticket{station: rapid.SampledFrom([]string{"grill", "bar"}).Draw(t, "station"), state: "ready", at: fired, items: 1, warn: time.Minute, late: 2 * time.Minute}
			if took := rapid.IntRange(0, 90).Draw(t, "took"); took > 0 {
				x.bumped = fired.Add(time.Duration(took) * time.Minute)
				x.over = x.bumped
				times = append(times, float64(took*60))
			} else {
				x.state = "new"
			}
			k.add(&x)
		}
		var rep Report
		k.into(&rep)
		tickets := 0
		for _, s := range rep.Stations {
			sum, peak := 0, 0
			for _, h := range s.Halves {
				sum += h.Tickets
				peak = max(peak, h.PeakOpen)
			}
			if sum != s.Tickets || peak > s.PeakOpen || s.PeakOpen > s.Tickets {
				t.Fatalf("%s: halves sum to %d of %d tickets, peaks %d and %d", s.Station, sum, s.Tickets, peak, s.PeakOpen)
			}
			tickets += s.Tickets
		}
		if tickets != n || rep.Kitchen.Tickets != n || rep.Kitchen.Done != len(times) || rep.Days[0].Tickets+rep.Days[1].Tickets != n {
			t.Fatalf("%d tickets became %d, %+v, %+v", n, tickets, rep.Kitchen, rep.Days)
		}
		slices.Sort(times)
		if len(times) > 0 && (rep.Kitchen.P90 != times[(len(times)*9+9)/10-1] || rep.Kitchen.Median != times[(len(times)+1)/2-1]) {
			t.Fatalf("median %v, p90 %v of %v", rep.Kitchen.Median, rep.Kitchen.P90, times)
		}
	})
}
