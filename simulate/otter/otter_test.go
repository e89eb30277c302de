package otter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/otter"
	"aboyeur/protocol/rest"
	"aboyeur/simulate/deliveries"
	sim "aboyeur/simulate/otter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A stage is Otter on a real socket, its client, and a box that keeps what webhooks say.
type stage struct {
	*sim.Simulator
	client *otter.Client
	base   string

	mu     sync.Mutex // guards what follows
	now    time.Time
	events []channel.Event
}

// clock is both sides' time: limits are counted by it.
func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *stage) heard() []channel.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

func open(t *testing.T, c sim.Config) *stage {
	t.Helper()
	s := &stage{now: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)}
	box := httptest.NewServer(http.HandlerFunc(s.box))
	t.Cleanup(box.Close)
	c.Now, c.Hook = s.clock, box.URL
	var err error
	if s.Simulator, err = sim.New(c); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		served.Wait()
	})
	s.base = "http://" + l.Addr().String()
	s.client, err = otter.New(otter.Config{
		Base: s.base, Store: deliveries.DefaultStore, Credentials: channel.Credentials{ClientID: deliveries.DefaultID, ClientSecret: deliveries.DefaultSecret, Application: "app-1"},
		WebhookSecret: []byte(deliveries.DefaultHook), HTTP: rest.Config{Now: s.clock, Timeout: 30 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.Close)
	return s
}

// box takes webhooks as the product does: what proves its sender is kept, the same event once.
func (s *stage) box(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, err := s.client.Receive(channel.Message{Header: r.Header, Body: body, At: s.now})
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	for _, e := range receipt.Events {
		if !slices.ContainsFunc(s.events, func(have channel.Event) bool { return have.ID == e.ID }) {
			s.events = append(s.events, e)
		}
	}
}

func anOrder(id string) channel.Order {
	return channel.Order{
		Aggregator: "otter", Partner: "Uber Eats", Slug: "ubereats", ID: id, FriendlyID: strings.ToUpper(id), AggregatorID: "agg-" + id, Status: channel.New, Service: "delivery", Scheduled: true,
		PlacedAt: time.Date(2026, 11, 21, 18, 59, 0, 0, time.UTC), PickupAt: time.Date(2026, 11, 21, 19, 45, 0, 0, time.UTC), Prep: 20 * time.Minute, Customer: channel.Customer{Name: "Zoé L."},
		Courier: channel.Courier{Name: "Ali", Status: "assigned"}, Note: "sonnez", Currency: "EUR", Decimals: 2,
		Lines: []channel.Line{{ID: "i-1", LineID: "l-1", SKU: "PIZ", Name: "Pizza", Category: "Pizza", CategoryID: "c-1", Note: "bien cuite", Quantity: 2, Price: 1150,
			Modifiers: []channel.Modifier{{ID: "m-1", Name: "Grande", Group: "Taille", GroupID: "g-1", Quantity: 1, Price: 200}}}},
		Charges:  channel.Charges{Subtotal: 2700, Discount: 100, PartnerDiscount: 50, Tax: 245, Tip: 150, CourierTip: 300, TipSeparate: true, DeliveryFee: 399, ServiceFee: 99, BagFee: 20, Total: 3763},
		Payments: []channel.Payment{{Amount: 3763, Method: "card"}},
	}
}

func TestOrderComesAsItIs(t *testing.T) {
	t.Parallel()
	for _, base64 := range []bool{false, true} {
		s := open(t, sim.Config{Base64: base64})
		want := anOrder("a1")
		if err := s.Place(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		events := s.heard()
		if len(events) != 1 || events[0].Kind != channel.KindOrder || !reflect.DeepEqual(*events[0].Order, want) {
			t.Fatalf("heard %+v\n%+v\nwant %+v", events, events[0].Order, want)
		}
		ctx := t.Context()
		ref := events[0].Ref
		if err := s.client.Created(ctx, ref); err != nil {
			t.Fatal(err)
		}
		if err := s.client.Created(ctx, ref); err != nil {
			t.Fatal(err)
		}
		e, ok := s.Order("ubereats", "a1")
		if !ok || e.Created != 1 || len(e.Acts) != 2 || !e.Acts[1].Again {
			t.Errorf("the ledger has %+v", e)
		}
	}
}

// TestCalls makes every call there is and looks at what Otter has of it.
func TestCalls(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	ctx := t.Context()
	if err := s.client.Check(ctx); err != nil {
		t.Fatal(err)
	}
	table := anOrder("t1")
	table.Service, table.Table = "dine_in", "12"
	for _, o := range []channel.Order{anOrder("a1"), anOrder("a2"), table} {
		if err := s.Place(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	events := s.heard()
	a1, a2, t1 := events[0].Ref, events[1].Ref, events[2].Ref
	in := func(d time.Duration) time.Time { return s.clock().Add(d) }
	for _, c := range []struct {
		name string
		err  error
	}{
		{"failed", s.client.Failed(ctx, a2, channel.Failure{Code: channel.CodeUnlinked, Message: "Pizza is not linked"})},
		{"accept", s.client.Accept(ctx, a1, in(20*time.Minute))},
		{"prep time", s.client.PrepTime(ctx, a1, in(90*time.Second))},
		{"ready", s.client.Ready(ctx, a1)},
		{"fulfilled", s.client.Fulfilled(ctx, a1)},
		{"deny", s.client.Deny(ctx, a2, channel.Denial{Items: []string{"i-1"}})},
		{"close", s.client.CloseTable(ctx, t1)},
		{"cancel", s.client.Cancelled(ctx, t1, "THE_CHEF_LEFT")},
	} {
		if c.err != nil {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	want := map[string][]string{
		"a1": {`accept {"estimatedPrepTimeMinutes":20}`, `prep_time {"prepTimeMinutes":2}`, "ready ", "fulfil "},
		"a2": {"failed FAILED_PRECONDITION Pizza is not linked", "cancel UNAVAILABLE_ITEM"},
		"t1": {"close ", "cancel REASON_OTHER"},
	}
	for id, want := range want {
		e, _ := s.Order("ubereats", id)
		var got []string
		for _, a := range e.Acts {
			got = append(got, a.Op+" "+a.Detail)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if e, _ := s.Order("ubereats", "a2"); !reflect.DeepEqual(e.Failures, []channel.Failure{{Code: channel.CodeUnlinked, Message: "Pizza is not linked"}}) || e.Status != channel.Cancelled {
		t.Errorf("%+v", e)
	}
	for name, err := range map[string]error{"handed off": s.client.HandedOff(ctx, a1), "injected": s.client.Injected(ctx, a1, channel.Injection{}), "failed without an event": s.client.Failed(ctx, channel.Ref{ID: "a1"}, channel.Failure{})} {
		if !errors.Is(err, channel.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.client.Created(ctx, channel.Ref{Slug: "ubereats", ID: "a1"}); err != nil {
		t.Errorf("an order of the feed has nothing to answer: %v", err)
	}
	var e *rest.Error
	if err := s.client.CloseTable(ctx, a1); !errors.As(err, &e) || e.Status != http.StatusConflict || !strings.Contains(err.Error(), "The order is not eaten here.") {
		t.Errorf("closing what is no table: %v", err)
	}
	if err := s.client.Ready(ctx, channel.Ref{Slug: "ubereats", ID: "../../../token"}); !errors.As(err, &e) || e.Status != http.StatusNotFound {
		t.Errorf("an id that is a path: %v", err)
	}
	o, err := s.client.Fetch(ctx, a1)
	fulfilled := anOrder("a1")
	fulfilled.Status, fulfilled.AggregatorID = channel.Fulfilled, ""
	if err != nil || !reflect.DeepEqual(o, fulfilled) {
		t.Errorf("fetched %+v, %v", o, err)
	}
}

func TestStorefront(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	ctx := t.Context()
	say := func(k channel.Kind, kind string, payload any) channel.Event {
		t.Helper()
		id, _, err := s.Send(ctx, deliveries.Event{Kind: k, Type: kind, Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range s.heard() {
			if e.ID == id {
				return e
			}
		}
		t.Fatalf("%s was not heard", kind)
		return channel.Event{}
	}
	pause := say(channel.KindPause, "", nil)
	if err := s.client.Paused(ctx, pause.ID, true, ""); err != nil {
		t.Error(err)
	}
	resume := say(channel.KindResume, "", map[string]string{"closureId": pause.ID})
	if resume.Reason != pause.ID {
		t.Errorf("the closure comes back as %q", resume.Reason)
	}
	for _, c := range []struct {
		e channel.Event
		f *channel.Failure
	}{
		{resume, &channel.Failure{Message: "the door is stuck"}},
		{say(channel.KindStore, "", nil), nil},
		{say(channel.KindAskHours, "", nil), nil}, // nobody knows
		{say(channel.KindHours, "", map[string]any{"menuHoursData": map[string]any{}}), nil},
		{say(channel.KindAvailability, "", map[string]any{"updates": []any{}}), nil},
		{say(channel.KindPublish, "", map[string]any{"menuData": map[string]any{}}), nil},
		{say(channel.KindDelivery, "delivery.request_quote", nil), nil},
		{say(channel.KindPairing, "", map[string]any{"credentials": []any{}}), nil},
		{say(channel.KindPairing, otter.RemoveStore, nil), nil},
		{say(channel.KindUnknown, "orders.teleported", nil), nil},
		{say(channel.KindMenu, "", nil), &channel.Failure{Code: channel.CodeOffline, Message: "no menu"}},
	} {
		if err := s.client.Answer(ctx, c.e, c.f); err != nil {
			t.Errorf("%s: %v", c.e.Type, err)
		}
	}
	var ops []string
	for _, a := range s.Acts() {
		ops = append(ops, a.Op)
	}
	if want := []string{"paused", "unpaused", "store_availability", "failed", "hours", "availability", "published", "delivery_error", "stores", "failed"}; !slices.Equal(ops, want) {
		t.Errorf("acts %v, want %v", ops, want)
	}
	if a := s.Acts()[0]; !strings.Contains(a.Detail, `"closureId":"`+pause.ID+`"`) || !strings.Contains(a.Detail, `"SUCCEEDED"`) {
		t.Errorf("the pause was answered %s", a.Detail)
	}
	if a := s.Acts()[1]; !strings.Contains(a.Detail, `"INTERNAL_ERROR"`) || !strings.Contains(a.Detail, "the door is stuck") {
		t.Errorf("the resume was answered %s", a.Detail)
	}
	if store, status := s.Paired(); store != deliveries.DefaultStore || status != "ACTIVE" {
		t.Errorf("paired as %q, %q", store, status)
	}
	if err := s.client.Status(ctx, "SUSPENDED", "later"); err != nil {
		t.Error(err)
	}
	if _, status := s.Paired(); status != "SUSPENDED" {
		t.Errorf("the store is %q", status)
	}
	if err := s.client.Pause(ctx, s.clock().Add(time.Hour), "full house"); err != nil || !s.Paused() {
		t.Errorf("paused %t, %v", s.Paused(), err)
	}
	if err := s.client.Resume(ctx); err != nil || s.Paused() {
		t.Errorf("paused %t, %v", s.Paused(), err)
	}
}

func aMenu() channel.Menu {
	return channel.Menu{
		Menus: []channel.MenuPart{{ID: "m", Name: "Carte", Categories: []string{"c"}}}, Categories: []channel.Category{{ID: "c", Name: "Pizza", Items: []string{"i"}}},
		Items:  []channel.Item{{ID: "i", Name: "Margherita", SKU: "PIZ", Price: 1150, Currency: "EUR", Groups: []string{"g"}}, {ID: "o", Name: "Olives", Price: 50, Currency: "EUR"}},
		Groups: []channel.Group{{ID: "g", Name: "Extras", Max: 3, Items: []string{"o"}}},
	}
}

var everything = channel.SyncOptions{Names: true, Prices: true, Descriptions: true, Photos: true, Hours: true, Taxes: true, Availability: true, Organization: true, Arrangement: true, Rules: true,
	Create: true, Delete: true}

func TestMenu(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	ctx := t.Context()
	// follow polls a job to its end, as the one who publishes does.
	follow := func(id string) channel.Job {
		t.Helper()
		for range 10 {
			s.later(10 * time.Second)
			j, err := s.client.Job(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if j.State != channel.JobPending {
				return j
			}
			id = j.ID
		}
		t.Fatalf("job %s does not end", id)
		return channel.Job{}
	}
	all := everything
	all.Publish = true
	id, err := s.client.Publish(ctx, aMenu(), all)
	if err != nil {
		t.Fatal(err)
	}
	if j := follow(id); j.State != channel.JobDone || len(j.Partners) != 3 || j.Partners[2] != (channel.PartnerJob{Slug: "ubereats", State: channel.JobDone}) {
		t.Errorf("published: %+v", j)
	}
	if m := s.Menu(); len(m.Items) != 2 || m.Items["i"].Price.Amount != "11.50" || m.Items["i"].SkuDetails.Or().SkuID != "PIZ" {
		t.Errorf("Otter has %+v", m)
	}

	// One field goes, the others stay as they are there.
	s.later(2 * time.Minute)
	changed := aMenu()
	changed.Items[0].Name, changed.Items[0].Price = "Margherita DOP", 1300
	changed.Items = append(changed.Items, channel.Item{ID: "new", Name: "Neu", Currency: "EUR"})
	if id, err = s.client.Publish(ctx, changed, channel.SyncOptions{Prices: true}); err != nil {
		t.Fatal(err)
	}
	if j := follow(id); j.State != channel.JobDone {
		t.Errorf("upserted: %+v", j)
	}
	if m := s.Menu(); len(m.Items) != 2 || m.Items["i"].Price.Amount != "13.00" || m.Items["i"].Name != "Margherita" {
		t.Errorf("Otter has %+v", m)
	}

	// A marketplace that says no is told by name.
	s.later(2 * time.Minute)
	s.Targets([]string{"rappi"}, map[string]string{"rappi": "photo missing"})
	if id, err = s.client.Publish(ctx, aMenu(), all); err != nil {
		t.Fatal(err)
	}
	if j := follow(id); j.State != channel.JobFailed || j.Message != "photo missing" || j.Partners[0].State != channel.JobFailed {
		t.Errorf("refused: %+v", j)
	}

	// Otter fetches the menu by itself when it is told to.
	s.later(2 * time.Minute)
	if id, err = s.client.Sync(ctx, channel.SyncOptions{Names: true}); err != nil {
		t.Fatal(err)
	}
	var asked channel.Event
	wait(t, func() bool {
		for _, e := range s.heard() {
			if e.Kind == channel.KindMenu {
				asked = e
			}
		}
		return asked.ID != ""
	})
	if err := s.client.CurrentMenu(ctx, asked.ID, changed); err != nil {
		t.Fatal(err)
	}
	if j := follow(id); j.State != channel.JobDone {
		t.Errorf("synced: %+v", j)
	}
	if m := s.Menu(); m.Items["i"].Name != "Margherita DOP" || m.Items["i"].Price.Amount != "11.50" {
		t.Errorf("Otter has %+v", m)
	}

	// A menu that names what it does not have is refused with Otter's words.
	s.later(2 * time.Minute)
	broken := aMenu()
	broken.Categories[0].Items = append(broken.Categories[0].Items, "gone")
	if _, err := s.client.Publish(ctx, broken, everything); err == nil || !strings.Contains(err.Error(), "item gone does not exist") {
		t.Errorf("broken: %v", err)
	}

	// What is for sale can be read; a suspension ends by itself.
	soon := s.clock().Add(time.Hour)
	if err := s.client.Available(ctx, []channel.Availability{{ID: "o", Until: soon}}); err != nil {
		t.Fatal(err)
	}
	s.Switch("i", false)
	sold := func() string {
		t.Helper()
		list, err := s.client.Sold(ctx)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(list, func(a, b channel.Availability) int { return strings.Compare(a.ID, b.ID) })
		return fmt.Sprint(list)
	}
	if got, want := sold(), fmt.Sprint([]channel.Availability{{ID: "i"}, {ID: "o", Until: soon}}); got != want {
		t.Errorf("for sale %s, want %s", got, want)
	}
	s.later(2 * time.Hour)
	s.Switch("i", true)
	if got, want := sold(), fmt.Sprint([]channel.Availability{{ID: "i", On: true}, {ID: "o", On: true}}); got != want {
		t.Errorf("later for sale %s, want %s", got, want)
	}
	if err := s.client.Available(ctx, []channel.Availability{{ID: "o", On: true}}); err != nil {
		t.Fatal(err)
	}

	tomorrow := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	if err := s.client.Available(ctx, []channel.Availability{{ID: "a", On: true}, {ID: "b"}, {ID: "c", Until: tomorrow}, {ID: "d"}}); err != nil {
		t.Fatal(err)
	}
	if off := s.Off(); len(off) != 3 || !off["b"].IsIndefinite || !off["d"].IsIndefinite || off["c"].SuspendedUntil != "2026-11-22T04:00:00.000Z" {
		t.Errorf("not sold: %+v", off)
	}
	if err := s.client.Available(ctx, []channel.Availability{{ID: "b", On: true}, {ID: "c", On: true}, {ID: "d", On: true}}); err != nil || len(s.Off()) != 0 {
		t.Errorf("still not sold: %v, %v", s.Off(), err)
	}
}

func wait(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to be")
		}
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	ctx := t.Context()
	const n = 2*otter.FeedPage + 7
	for i := range n {
		o := anOrder(fmt.Sprintf("f%03d", i))
		o.PlacedAt = s.clock().Add(time.Duration(i-n) * time.Second)
		s.Keep(o)
	}
	all, err := s.client.Feed(ctx, s.clock().Add(-time.Hour), s.clock())
	if err != nil || len(all) != n || all[0].ID != "f000" || all[n-1].ID != fmt.Sprintf("f%03d", n-1) {
		t.Fatalf("%d orders, %v", len(all), err)
	}
	some, err := s.client.Feed(ctx, s.clock().Add(-10*time.Second), s.clock().Add(-5*time.Second))
	if err != nil || len(some) != 5 {
		t.Errorf("%d orders of five seconds, %v", len(some), err)
	}
	// Further back than there is: as far as there is.
	if all, err = s.client.Feed(ctx, s.clock().Add(-365*24*time.Hour), time.Time{}); err != nil || len(all) != n {
		t.Errorf("%d orders of a year, %v", len(all), err)
	}
	// Pages are calls: the limit holds for them too, and nothing half-read is given out.
	var limited *channel.Limited
	for tries := 0; tries < 100 && !errors.As(err, &limited); tries++ { // on a slow machine one may end before it meets the limit
		short, cancel := context.WithTimeout(ctx, time.Second) // the clock stands, so that the limit never ends
		_, err = s.client.Feed(short, s.clock().Add(-time.Hour), s.clock())
		cancel()
	}
	if !errors.As(err, &limited) || limited.After <= 0 || limited.After > 2*time.Minute {
		t.Errorf("beyond the limit: %v", err)
	}
}

// TestBurst is scenario 19: sixty answers in ten seconds at 32 a minute are drained without one 429.
func TestBurst(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	ctx := t.Context()
	const n = 60
	for i := range n {
		if err := s.Place(ctx, anOrder(fmt.Sprintf("b%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	began := s.clock()
	queue := s.heard()
	for len(queue) > 0 {
		err := s.client.Created(ctx, queue[0].Ref)
		var limited *channel.Limited
		switch {
		case err == nil:
			queue = queue[1:]
		case errors.As(err, &limited):
			s.later(limited.After)
		default:
			t.Fatal(err)
		}
	}
	for _, c := range s.Calls() {
		if c.Status == http.StatusTooManyRequests {
			t.Fatalf("429 to %+v", c)
		}
	}
	if took := s.clock().Sub(began); took > 3*time.Minute {
		t.Errorf("it took %v", took)
	}
	if st := s.State(); st.Taken != n {
		t.Errorf("%+v", st)
	}
}

// A feed of more pages than the limit allows in a minute is read to its end: the rest waits for the next minute.
func TestFeedBeyondTheLimit(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	const orders = 13 * otter.FeedPage
	for n := range orders {
		o := channel.Order{Slug: "ubereats", ID: strconv.Itoa(n), Currency: "EUR", Decimals: 2, Lines: []channel.Line{{Name: "Pizza", Quantity: 1, Price: 1000}}, Charges: channel.Charges{Subtotal: 1000, Total: 1000}}
		s.Keep(o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var reading sync.WaitGroup
	defer reading.Wait()
	read := make(chan struct{})
	defer close(read)
	reading.Go(func() { // a minute passes in a moment
		for {
			select {
			case <-read:
				return
			case <-time.After(10 * time.Millisecond):
				s.later(time.Second / 2)
			}
		}
	})
	if all, err := s.client.Feed(ctx, s.clock().Add(-time.Hour), time.Time{}); err != nil || len(all) != orders {
		t.Errorf("%d orders of %d, %v", len(all), orders, err)
	}
}

// Hours that people set come to the box, and what it reports of its store is held against the schema.
func TestHours(t *testing.T) {
	t.Parallel()
	s := open(t, sim.Config{})
	ctx := t.Context()
	if _, err := s.client.Publish(ctx, aMenu(), everything); err != nil {
		t.Fatal(err)
	}
	week := otter.HoursData{TimeZone: "Europe/Paris", RegularHours: []otter.RegularHours{{Days: []wire.Text{"FRIDAY", "SATURDAY"}, TimeRanges: []otter.TimeRange{{Start: "18:00", End: "02:00"}}}},
		SpecialHours: []otter.SpecialHours{{Date: "2026-12-25", TimeRanges: []otter.TimeRange{}, Type: "CLOSED"}}}
	id, err := s.SetHours(ctx, map[string]otter.HoursData{"m": week, "other": week})
	if err != nil {
		t.Fatal(err)
	}
	e := s.heard()[0]
	want := channel.Opening{Zone: "Europe/Paris", Weekly: []channel.Hours{{Day: time.Friday, From: 1080, To: 1560}, {Day: time.Saturday, From: 1080, To: 1560}}, Special: []channel.Special{{Date: "2026-12-25", Hours: []channel.Span{}}}}
	if e.ID != id || !reflect.DeepEqual(e.Hours, map[string]channel.Opening{"m": want, "other": want}) {
		t.Fatalf("heard %+v", e)
	}
	if len(s.Hours().Menus) != 0 {
		t.Error("hours are in the ledger that nobody took")
	}
	if err := s.client.Answer(ctx, e, nil); err != nil || len(s.Hours().Menus) != 2 || !strings.Contains(s.Acts()[0].Detail, `"Europe/Paris"`) {
		t.Errorf("taken: %+v, %v", s.Hours(), err)
	}
	// So are those of somebody who plays Otter over HTTP.
	if _, _, err := s.Send(ctx, deliveries.Event{Kind: channel.KindHours, Payload: json.RawMessage(`{"menuHoursData":{"m":{"timeZone":"UTC","regularHours":[],"specialHours":[]}}}`)}); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Answer(ctx, s.heard()[1], nil); err != nil || s.Hours().Menus["m"].TimeZone != "UTC" {
		t.Errorf("taken: %+v, %v", s.Hours(), err)
	}
	// A menu that knows no hours wipes none, whatever the options say; one that knows them brings them.
	for range 2 {
		s.later(2 * time.Minute)
		if _, err := s.client.Publish(ctx, aMenu(), everything); err != nil {
			t.Fatal(err)
		}
		if got := s.Menu().Menus["m"].Hours.Or().Intervals; len(got) < 2 || got[0] != (otter.Interval{Day: "FRIDAY", FromHour: 18, ToHour: 23, ToMinute: 59}) {
			t.Fatalf("the menu is open %+v", got)
		}
	}
	s.later(2 * time.Minute)
	m := aMenu()
	m.Menus[0].Opening = &channel.Opening{Weekly: []channel.Hours{{Day: time.Monday, From: 600, To: 660}}}
	if _, err := s.client.Publish(ctx, m, everything); err != nil {
		t.Fatal(err)
	}
	if got := s.Menu().Menus["m"].Hours.Or().Intervals; len(got) != 1 || got[0].Day != "MONDAY" {
		t.Errorf("the menu is open %+v", got)
	}

	if id, err = s.AskHours(ctx); err != nil {
		t.Fatal(err)
	}
	ask := s.heard()[2]
	ask.StoreHours = &channel.StoreHours{Zone: "Europe/Paris", Delivery: &want, At: s.clock()}
	if err := s.client.Answer(ctx, ask, nil); err != nil || ask.ID != id {
		t.Fatal(err)
	}
	got := s.Hours().Store
	if got == nil || got.Timezone != "Europe/Paris" || got.PickupHours.V != nil || len(got.DeliveryHours.Or().RegularHours) != 2 || got.DeliveryHours.V.SpecialHours[0].SpecialHourType != "CLOSED" {
		t.Errorf("the box reported %+v", got)
	}
	// What the schema does not have is refused, and so is an answer to another event.
	ask.StoreHours.Zone = ""
	if err := s.client.Answer(ctx, ask, nil); err == nil {
		t.Error("hours without a time zone are taken")
	}
	e.Kind = channel.KindAskHours
	e.StoreHours = &channel.StoreHours{Zone: "UTC"}
	if err := s.client.Answer(ctx, e, nil); err == nil {
		t.Error("the event about a menu's hours is answered with the store's")
	}
}
