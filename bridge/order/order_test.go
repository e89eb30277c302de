package order

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var (
	till  = access.Principal{Name: "till", Role: access.Till, Via: access.ViaToken}
	otter = access.Principal{Name: "otter", Role: access.Aggregator, Via: access.ViaToken}
)

// calls is a kitchen that writes down what it is asked for, once that is on disk.
type calls struct {
	mu   sync.Mutex
	list []string
	fail string // a plan whose order's source id this is fails

	working []string // stations that are at work on every order
}

func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

type call struct {
	c    *calls
	what string
	id   string
}

func (p call) Write(tx *journal.Tx) error {
	p.c.mu.Lock()
	fail := p.id != "" && p.c.fail == p.id
	p.c.mu.Unlock()
	if fail {
		return errors.New("the kitchen cannot")
	}
	tx.After(func(err error) {
		if err == nil {
			p.c.mu.Lock()
			p.c.list = append(p.c.list, p.what)
			p.c.mu.Unlock()
		}
	})
	return nil
}
func (p call) Tickets() []Ticket { return []Ticket{{Station: "grill"}} }

func (c *calls) Plan(o sale.Placed) Plan {
	return call{c, fmt.Sprintf("plan #%d %s", o.Number, o.Day), o.SourceOrderID}
}
func (c *calls) Change(o sale.Placed, was *sale.Order) Plan {
	return call{c, fmt.Sprintf("change #%d %d to %d", o.Number, was.Version, o.Version), ""}
}
func (c *calls) Cancel(o sale.Placed, by string) Plan {
	return call{c, fmt.Sprintf("cancel #%d by %s", o.Number, by), ""}
}
func (c *calls) Tickets(context.Context, []journal.ID) (map[int64][]Ticket, error) { return nil, nil }
func (c *calls) Steps(context.Context, journal.ID) ([]trail.Step, error)           { return nil, nil }
func (c *calls) Hand(tx *journal.Tx, o journal.ID, by string) error                { return nil }
func (c *calls) Working(tx *journal.Tx, o journal.ID) ([]string, error)            { return c.working, nil }
func (c *calls) Finish(tx *journal.Tx, o journal.ID, by string) error              { return nil }
func (c *calls) NotInPOS(tx *journal.Tx, o sale.Placed, missing bool) error {
	return call{c, fmt.Sprintf("not in pos #%d %t", o.Number, missing), ""}.Write(tx)
}
func (c *calls) TakeBack(tx *journal.Tx, o journal.ID, by string) error { return nil }

// A desk is orders on a journal, with a clock that moves when told to.
type desk struct {
	t        *testing.T
	dir      string
	mu       sync.Mutex
	at       time.Time
	config   Config
	kitchen  *calls
	registry *prometheus.Registry
	journal  *journal.Journal
	orders   *Service
	stop     func()
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, dir: t.TempDir(), at: time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC), kitchen: &calls{}}
	d.config = Config{Calendar: Calendar{Location: paris, Close: 5*time.Hour + 30*time.Minute}, Currency: "EUR", Courses: 4}
	d.open()
	t.Cleanup(func() { d.stop() })
	return d
}

func (d *desk) now() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.at }
func (d *desk) set(at time.Time) {
	d.mu.Lock()
	d.at = at
	d.mu.Unlock()
}

func (d *desk) open() {
	d.t.Helper()
	j, err := journal.Open(context.Background(), journal.Config{Dir: d.dir, Now: d.now, Log: quiet, LaterDelay: time.Millisecond})
	if err != nil {
		d.t.Fatal(err)
	}
	c := d.config
	d.registry = prometheus.NewPedanticRegistry()
	c.Journal, c.Kitchen, c.Now, c.Log, c.Registerer = j, d.kitchen, d.now, quiet, d.registry
	d.journal = j
	if d.orders, err = New(context.Background(), c); err != nil {
		d.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	d.stop = func() {
		stop()
		<-ended
		j.Close()
	}
}

func (d *desk) restart() {
	d.stop()
	d.open()
}

func order(id string) *sale.Order {
	o := &sale.Order{Source: "otter", SourceOrderID: id, Currency: "EUR", Lines: []sale.Line{{Name: "Steak", Quantity: 1, Price: new(int64(1000))}}}
	o.Complete()
	return o
}

func at(o *sale.Order, ready time.Time) *sale.Order {
	o.Scheduling, o.ReadyAt = sale.FixedTime, ready.UTC()
	return o
}

func (d *desk) place(o *sale.Order) Receipt {
	d.t.Helper()
	r, _, err := d.orders.Place(context.Background(), otter, "", o, d.now())
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *desk) wants(want ...string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.kitchen.take()); diff != "" {
		d.t.Errorf("the kitchen was asked (-want +got):\n%s", diff)
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	paris, _ := time.LoadLocation("Europe/Paris")
	half := Calendar{paris, 5*time.Hour + 30*time.Minute}
	for _, c := range []struct {
		calendar Calendar
		at, want string
	}{
		{half, "2026-11-21T20:00:00+01:00", "2026-11-21"},
		{half, "2026-11-22T00:00:00+01:00", "2026-11-21"},
		{half, "2026-11-22T05:29:59.999+01:00", "2026-11-21"},
		{half, "2026-11-22T05:30:00+01:00", "2026-11-22"},
		{half, "2026-03-29T05:29:00+02:00", "2026-03-28"}, // the night that loses an hour
		{half, "2026-03-29T05:30:00+02:00", "2026-03-29"},
		{half, "2026-10-25T05:29:00+01:00", "2026-10-24"}, // the night that gains one
		{half, "2026-10-25T05:30:00+01:00", "2026-10-25"},
		{half, "2027-01-01T02:00:00+01:00", "2026-12-31"},
		{Calendar{paris, 0}, "2026-11-22T00:00:00+01:00", "2026-11-22"},
		{Calendar{paris, 0}, "2026-11-21T23:59:59+01:00", "2026-11-21"},
		{Calendar{time.UTC, 5 * time.Hour}, "2026-11-22T05:30:00+01:00", "2026-11-21"},
	} {
		when, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.calendar.Day(when); got != c.want {
			t.Errorf("Day(%s) = %s, want %s", c.at, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := func(id string) string {
		r := d.place(order(id))
		v, err := d.orders.Get(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(v.BusinessDay, " ", v.Number)
	}
	var got []string
	got = append(got, number("1"), number("2"))
	d.restart()
	got = append(got, number("3"))
	d.set(time.Date(2026, 11, 22, 4, 29, 0, 0, time.UTC)) // 05:29 in Paris
	got = append(got, number("4"))
	d.set(time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC))
	got = append(got, number("5"))
	d.set(time.Date(2026, 11, 22, 4, 29, 0, 0, time.UTC)) // the clock was set back
	got = append(got, number("6"))
	d.restart()
	got = append(got, number("7"))
	d.set(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	got = append(got, number("8"))
	want := []string{"2026-11-21 1", "2026-11-21 2", "2026-11-21 3", "2026-11-21 4", "2026-11-22 1", "2026-11-21 5", "2026-11-21 6", "2026-11-22 2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	// Orders for a day to come have its numbers.
	r := d.place(at(order("9"), time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC)))
	d.restart()
	r2 := d.place(at(order("10"), time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)))
	d.set(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))
	r3 := d.place(order("11"))
	if r.Number != 1 || r2.Number != 2 || r3.Number != 3 {
		t.Errorf("numbers of the day to come: %d %d %d, want 1 2 3", r.Number, r2.Number, r3.Number)
	}
}

func TestPlaceIsIdempotent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	place := func(who access.Principal, key string, o *sale.Order) (Receipt, bool, error) {
		return d.orders.Place(t.Context(), who, key, o, d.now())
	}
	first, known, err := place(otter, "k", order("1"))
	if err != nil || known || first.State != Accepted || first.CommittedAt.IsZero() {
		t.Fatalf("first = %+v, %v, %v", first, known, err)
	}
	for name, key := range map[string]string{"same key": "k", "no key": "", "other key": "k2"} {
		if r, known, err := place(otter, key, order("1")); err != nil || !known || r.ID != first.ID || r.Number != first.Number {
			t.Errorf("%s: %+v, %v, %v", name, r, known, err)
		}
	}
	other := order("1")
	other.Notes = "x"
	for name, c := range map[string]struct {
		key string
		o   *sale.Order
	}{"same id, other content": {"", other}, "same key, other content": {"k", other}, "same key, other order": {"k", order("2")}} {
		if _, _, err := place(otter, c.key, c.o); !errors.Is(err, ErrOther) {
			t.Errorf("%s = %v, want ErrOther", name, err)
		}
	}
	// A key belongs to its owner, and a refused order leaves none behind.
	if _, known, err := place(till, "k", order("2")); err != nil || known {
		t.Errorf("somebody else's key: %v, %v", known, err)
	}
	if _, _, err := place(otter, "fresh", other); !errors.Is(err, ErrOther) {
		t.Error(err)
	}
	if _, known, err := place(otter, "fresh", order("3")); err != nil || known {
		t.Errorf("a key that was refused: %v, %v", known, err)
	}
	// After a change the first form and the latest are both the same order.
	next := order("1")
	next.Version, next.Notes = 2, "y"
	if _, err := d.orders.Change(t.Context(), otter, "", first.ID, next); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]*sale.Order{"as first sent": order("1"), "as it stands": next} {
		if r, known, err := place(otter, "", o); err != nil || !known || r.ID != first.ID {
			t.Errorf("%s: %v, %v", name, known, err)
		}
	}
	d.restart()
	if _, known, err := place(otter, "k", order("1")); err != nil || !known {
		t.Errorf("after a restart: %v, %v", known, err)
	}
	d.wants("plan #1 2026-11-21", fmt.Sprintf("plan #%d 2026-11-21", 8), fmt.Sprintf("plan #%d 2026-11-21", 10), "change #1 1 to 2")
}

func TestManyAtOnceAreOne(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var all sync.WaitGroup
	ids := make([]journal.ID, 32)
	fresh := make([]bool, len(ids))
	for i := range ids {
		all.Go(func() {
			r, known, err := d.orders.Place(t.Context(), otter, "", order("1"), d.now())
			if err != nil {
				t.Error(err)
			}
			ids[i], fresh[i] = r.ID, !known
		})
	}
	all.Wait()
	n := 0
	for i := range ids {
		if ids[i] != ids[0] {
			t.Fatal("two orders of one id")
		}
		if fresh[i] {
			n++
		}
	}
	if n != 1 || len(d.kitchen.take()) != 1 {
		t.Errorf("%d were new, want 1", n)
	}
}

func TestChangeRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.place(order("1")).ID
	change := func(o *sale.Order) error {
		_, err := d.orders.Change(t.Context(), till, "", id, o)
		return err
	}
	if err := change(order("1")); !errors.Is(err, ErrOld) {
		t.Errorf("equal version = %v", err)
	}
	renamed := order("2")
	renamed.Version = 2
	if err := change(renamed); !errors.Is(err, ErrRenamed) {
		t.Errorf("other id = %v", err)
	}
	if _, err := d.orders.Change(t.Context(), till, "", d.journal.NewID(), renamed); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown order = %v", err)
	}
	next := order("1")
	next.Version = 5
	for range 2 { // the same again by its key
		if v, err := d.orders.Change(t.Context(), till, "k", id, next); err != nil || v.Version != 5 {
			t.Fatalf("change = %+v, %v", v, err)
		}
	}
	six := order("1")
	six.Version = 6
	if _, err := d.orders.Change(t.Context(), till, "k", id, six); !errors.Is(err, ErrOther) {
		t.Errorf("key of another change = %v", err)
	}
	for range 2 {
		if v, err := d.orders.Cancel(t.Context(), till, "c", "", id); err != nil || v.State != Cancelled {
			t.Fatal(err)
		}
	}
	if _, err := d.orders.HandOver(t.Context(), till, "c", id, false); !errors.Is(err, ErrOther) {
		t.Errorf("the cancel's key for a hand-over = %v", err)
	}
	if _, err := d.orders.HandOver(t.Context(), till, "", id, false); !errors.Is(err, ErrTooLate) {
		t.Errorf("hand over a cancelled order = %v", err)
	}
	if err := change(six); !errors.Is(err, ErrTooLate) {
		t.Errorf("change a cancelled order = %v", err)
	}
	d.wants("plan #1 2026-11-21", "change #1 1 to 5", "cancel #1 by till")
	gone := d.place(order("3")).ID
	if v, err := d.orders.HandOver(t.Context(), till, "", gone, false); err != nil || v.State != HandedOff {
		t.Fatal(err)
	}
	if _, err := d.orders.Cancel(t.Context(), till, "", "", gone); !errors.Is(err, ErrTooLate) {
		t.Errorf("cancel what is gone = %v", err)
	}
}

func (d *desk) release() time.Time {
	d.t.Helper()
	next, err := d.orders.Release(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	return next
}

func TestScheduledOrders(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	start := d.now()
	ready := start.Add(2 * time.Hour)
	r := d.place(at(order("1"), ready))
	if r.State != Scheduled || r.InPOS != NotYet || len(r.Tickets) != 0 {
		t.Fatalf("receipt %+v", r)
	}
	d.place(at(order("2"), start.Add(DefaultReleaseBefore))) // due now
	d.wants("plan #2 2026-11-21")
	if next := d.release(); !next.Equal(ready.Add(-DefaultReleaseBefore)) {
		t.Errorf("next release at %v", next)
	}
	d.wants()
	d.set(ready.Add(-DefaultReleaseBefore - time.Microsecond))
	d.release()
	d.wants()
	d.restart() // the journal alone knows of it
	d.set(ready.Add(-DefaultReleaseBefore))
	for range 3 {
		if next := d.release(); !next.IsZero() {
			t.Errorf("next release at %v, want none", next)
		}
	}
	d.set(start) // a clock set back does not release it again
	d.release()
	d.set(start.Add(100 * time.Hour))
	d.release()
	d.wants("plan #1 2026-11-21")
	v, err := d.orders.Get(t.Context(), r.ID)
	if err != nil || v.State != Accepted || v.InPOS != Yes || !slices.ContainsFunc(v.Timeline, func(s trail.Step) bool { return s.Event == "released" }) {
		t.Errorf("released order %+v, %v", v, err)
	}
}

func TestScheduledOrderChanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	start := d.now()
	change := func(id journal.ID, o *sale.Order, version int) View {
		t.Helper()
		o.Version = version
		v, err := d.orders.Change(t.Context(), till, "", id, o)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	later := d.place(at(order("1"), start.Add(time.Hour))).ID
	if v := change(later, at(order("1"), start.Add(3*time.Hour)), 2); v.State != Scheduled || !v.ReleaseAt.Equal(start.Add(150*time.Minute)) {
		t.Errorf("put off: %s, release at %v", v.State, v.ReleaseAt)
	}
	now := d.place(at(order("2"), start.Add(time.Hour))).ID
	if v := change(now, order("2"), 2); v.State != Accepted {
		t.Errorf("as soon as possible: %s", v.State)
	}
	d.wants("plan #2 2026-11-21")
	gone := d.place(at(order("3"), start.Add(time.Hour))).ID
	if _, err := d.orders.Cancel(t.Context(), till, "", "", gone); err != nil {
		t.Fatal(err)
	}
	d.set(start.Add(2 * time.Hour))
	d.release()
	d.wants()
	d.set(start.Add(150 * time.Minute))
	d.release()
	d.wants("plan #1 2026-11-21")
}

// The stored time counts, and one order that fails keeps none of the others back.
func TestReleaseGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	start := d.now()
	for n := range 8 {
		d.place(at(order(fmt.Sprint(n)), start.Add(time.Hour)))
	}
	var all sync.WaitGroup
	for n := range 200 { // more than one look at the journal takes
		all.Go(func() {
			_, _, err := d.orders.Place(t.Context(), otter, "", at(order(fmt.Sprint(8+n)), start.Add(time.Hour)), start)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	d.config.ReleaseBefore = time.Minute // since then
	d.restart()
	d.set(start.Add(30 * time.Minute))
	d.kitchen.fail = "7"
	_, err := d.orders.Release(t.Context())
	var held *unreleased
	if !errors.As(err, &held) || !strings.Contains(err.Error(), "the kitchen cannot") {
		t.Errorf("Release = %v", err)
	}
	if n := len(d.kitchen.take()); n != 207 {
		t.Errorf("%d released, want 207", n)
	}
	d.kitchen.fail = ""
	d.release()
	d.wants("plan #8 2026-11-21")
}

func TestRunReleases(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.orders.Run(ctx) }()
	d.place(at(order("1"), d.now().Add(time.Hour)))
	d.set(d.now().Add(24 * time.Hour)) // a jump of the clock
	d.orders.lookAgain()
	for end := time.Now().Add(time.Minute); len(d.kitchen.take()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never released")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestReadyFollowsTheKitchen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.place(order("1")).ID
	ready := func(on bool) string {
		t.Helper()
		err := d.journal.Write(t.Context(), func(tx *journal.Tx) error { return d.orders.Ready(tx, id, on, "Léa") })
		if err != nil {
			t.Fatal(err)
		}
		v, err := d.orders.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return v.State
	}
	var got []string
	for _, on := range []bool{false, true, true, false, true} {
		got = append(got, ready(on))
	}
	if _, err := d.orders.HandOver(t.Context(), till, "", id, false); err != nil {
		t.Fatal(err)
	}
	got = append(got, ready(false), ready(true))
	if want := []string{Accepted, Prepared, Prepared, Accepted, Prepared, HandedOff, HandedOff}; !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	start := d.now()
	for n := range 7 {
		d.set(start.Add(time.Duration(n) * time.Minute))
		d.place(order(fmt.Sprint(n)))
	}
	v := d.place(at(order("7"), start.Add(9*time.Hour)))
	if _, err := d.orders.Cancel(t.Context(), till, "", "", v.ID); err != nil {
		t.Fatal(err)
	}
	pages := func(f Filter) string {
		t.Helper()
		var got []string
		for n := 0; ; n++ {
			list, next, err := d.orders.List(t.Context(), f)
			if err != nil || n > 20 {
				t.Fatal(n, err)
			}
			var page []string
			for _, v := range list {
				page = append(page, v.SourceOrderID)
			}
			got = append(got, strings.Join(page, " "))
			if next == "" {
				return strings.Join(got, " | ")
			}
			f.Cursor = next
		}
	}
	for _, c := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "7 6 5 4 3 2 1 0"},
		{Filter{Limit: 3}, "7 6 5 | 4 3 2 | 1 0"},
		{Filter{Limit: 4}, "7 6 5 4 | 3 2 1 0"},
		{Filter{Limit: 1, States: []string{Cancelled}}, "7"},
		{Filter{States: []string{Accepted, Cancelled}, Since: start.Add(5 * time.Minute)}, "7 6 5"},
		{Filter{InPOS: []string{Yes}, Limit: 4}, "6 5 4 3 | 2 1 0"},
		{Filter{InPOS: []string{Manual}}, ""},
		{Filter{Limit: 1000}, "7 6 5 4 3 2 1 0"},
	} {
		if got := pages(c.f); got != c.want {
			t.Errorf("%+v gives %s, want %s", c.f, got, c.want)
		}
	}
	for _, cursor := range []string{"x", "!", "MA", "LTE"} {
		if _, _, err := d.orders.List(t.Context(), Filter{Cursor: cursor}); !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %q = %v", cursor, err)
		}
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mux := http.NewServeMux()
	for _, route := range d.orders.Routes() {
		mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) {
			err := route.Handle(w, r.WithContext(access.With(r.Context(), till)))
			var p *api.Problem
			if errors.As(err, &p) {
				w.WriteHeader(p.Status)
				_ = json.NewEncoder(w).Encode(map[string]any{"code": p.Code, "errors": p.Errors})
			} else if err != nil {
				http.Error(w, err.Error(), 500)
			}
		})
	}
	body := func(id, more string) string {
		return `{"source":"till","source_order_id":"` + id + `","currency":"EUR",` + more + `"lines":[{"name":"x","quantity":1,"price":5}]}`
	}
	do := func(method, path, key, body string) (int, http.Header, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code, w.Header(), w.Body.String()
	}
	_, _, first := do("POST", "/v1/orders", "k", body("1", ""))
	var receipt Receipt
	if err := json.Unmarshal([]byte(first), &receipt); err != nil {
		t.Fatal(first, err)
	}
	id := receipt.ID.String()
	for _, c := range []struct {
		method, path, key, body string
		status                  int
		has                     string
	}{
		{"POST", "/v1/orders", "k", body("1", ""), 200, id},
		{"POST", "/v1/orders", "k", body("2", ""), 409, "other_content"},
		{"POST", "/v1/orders", strings.Repeat("k", 256), body("2", ""), 400, "invalid_key"},
		{"POST", "/v1/orders", "", body("2", `"covers":-1,`), 422, "/covers"},
		{"POST", "/v1/orders", "", body("2", `"colour":1,`), 422, "/colour"},
		{"POST", "/v1/orders", "", body("2", `"service":"`+strings.Repeat("\ufffd", 30)+`",`), 422, "/service"},
		{"POST", "/v1/orders", "", body("2", `"placed_at":"9999-12-31T23:59:59-01:00",`), 422, "/placed_at"},
		{"POST", "/v1/orders", "", "{", 400, "malformed"},
		{"PUT", "/v1/orders/" + id, "", body("1", `"version":1,`), 409, "version_not_higher"},
		{"PUT", "/v1/orders/" + id, "", body("2", `"version":2,`), 422, "/source_order_id"},
		{"PUT", "/v1/orders/" + id, "", body("1", `"version":2,`), 200, `"version":2`},
		{"PUT", "/v1/orders/x", "", body("1", `"version":2,`), 404, "not_found"},
		{"GET", "/v1/orders/" + id, "", "", 200, `"timeline"`},
		{"GET", "/v1/orders/" + d.journal.NewID().String(), "", "", 404, "not_found"},
		{"GET", "/v1/orders?state=accepted,cancelled&in_pos=yes&limit=1&since=2026-11-21T00:00:00Z", "", "", 200, id},
		{"GET", "/v1/orders?state=eaten", "", "", 422, "?state"},
		{"GET", "/v1/orders?in_pos=maybe", "", "", 422, "?in_pos"},
		{"GET", "/v1/orders?limit=0", "", "", 422, "?limit"},
		{"GET", "/v1/orders?limit=201", "", "", 422, "?limit"},
		{"GET", "/v1/orders?since=today", "", "", 422, "?since"},
		{"GET", "/v1/orders?cursor=!", "", "", 422, "?cursor"},
		{"POST", "/v1/orders/" + id + "/handed-over", "h", "", 200, "handed_off"},
		{"POST", "/v1/orders/" + id + "/cancel", "h", "", 409, "other_content"},
		{"POST", "/v1/orders/" + id + "/cancel", "", "", 409, "too_late"},
	} {
		status, header, answer := do(c.method, c.path, c.key, c.body)
		if status != c.status || !strings.Contains(answer, c.has) {
			t.Errorf("%s %s %s = %d %s, want %d with %s", c.method, c.path, c.body, status, answer, c.status, c.has)
		}
		if c.method == "POST" && status == 200 && c.path == "/v1/orders" && header.Get("Idempotent-Replayed") != "true" {
			t.Error("a replay does not say so")
		}
	}
	var long bytes.Buffer
	for range 100 {
		long.WriteString("very long ")
	}
	do("POST", "/v1/orders", "", strings.Replace(body("9", `"covers":-1,`), `"source":"till"`, `"source":"`+long.String()+`"`, 1))
	if problems, err := testutil.GatherAndLint(d.registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	const want = `# HELP aboyeur_orders_total Orders sent to the box, by sender and what became of the request.
# TYPE aboyeur_orders_total counter
aboyeur_orders_total{outcome="accepted",source="other"} 0
aboyeur_orders_total{outcome="accepted",source="till"} 1
aboyeur_orders_total{outcome="conflict",source="other"} 0
aboyeur_orders_total{outcome="conflict",source="till"} 1
aboyeur_orders_total{outcome="invalid",source="other"} 4
aboyeur_orders_total{outcome="invalid",source="till"} 3
aboyeur_orders_total{outcome="refused",source="other"} 0
aboyeur_orders_total{outcome="replayed",source="other"} 0
aboyeur_orders_total{outcome="replayed",source="till"} 1
`
	if err := testutil.GatherAndCompare(d.registry, strings.NewReader(want), "aboyeur_orders_total"); err != nil {
		t.Error(err)
	}
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		m.count(fmt.Sprint("source ", n), accepted)
	}
	if len(m.sources) != maxSources {
		t.Errorf("%d labels, want at most %d", len(m.sources), maxSources)
	}
}
