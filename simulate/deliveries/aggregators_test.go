package deliveries_test

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
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/deliverect"
	"aboyeur/protocol/otter"
	"aboyeur/protocol/rest"
	"aboyeur/protocol/ubereats"
	"aboyeur/simulate/cloud"
	simdeliverect "aboyeur/simulate/deliverect"
	"aboyeur/simulate/deliveries"
	simotter "aboyeur/simulate/otter"
	simubereats "aboyeur/simulate/ubereats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// aggregators are all of them, each with both of its sides.
var aggregators = []struct {
	name     string
	simulate func(deliveries.Config) (*deliveries.Simulator, func(), error)
	client   func(base string, c channel.Credentials, secret []byte, http rest.Config) (channel.Aggregator, error)
	strip    func(o *channel.Order) // what this one has no word for
}{
	{"otter", func(c deliveries.Config) (*deliveries.Simulator, func(), error) {
		s, err := simotter.New(c)
		return s.Simulator, s.Expire, err
	}, func(base string, c channel.Credentials, secret []byte, http rest.Config) (channel.Aggregator, error) {
		return otter.New(otter.Config{Base: base, Store: deliveries.DefaultStore, Credentials: c, WebhookSecret: secret, HTTP: http})
	}, func(o *channel.Order) { o.AllergyNote, o.Covers, o.Test, o.AcceptBy = "", 0, false, time.Time{} }},
	{"deliverect", func(c deliveries.Config) (*deliveries.Simulator, func(), error) {
		s, err := simdeliverect.New(c)
		return s.Simulator, s.Expire, err
	}, func(base string, c channel.Credentials, secret []byte, http rest.Config) (channel.Aggregator, error) {
		return deliverect.New(deliverect.Config{Base: base, Location: deliveries.DefaultStore, Currency: "EUR", Channels: map[string]string{simdeliverect.Number: "ubereats"}, Credentials: c, WebhookSecret: secret, HTTP: http})
	}, func(o *channel.Order) {
		o.AllergyNote, o.AcceptBy, o.Courier.Status = "", time.Time{}, ""
		o.Charges.SmallOrderFee, o.Charges.PackagingFee = 0, 0
		for i := range o.Lines {
			l := &o.Lines[i]
			l.ID, l.LineID, l.Category, l.CategoryID = l.SKU, "", "", ""
			for j := range l.Modifiers {
				m := &l.Modifiers[j]
				m.ID, m.LineID, m.Group, m.GroupID = m.SKU, "", "", ""
			}
		}
	}},
	{"ubereats", func(c deliveries.Config) (*deliveries.Simulator, func(), error) {
		s, err := simubereats.New(c)
		return s.Simulator, s.Expire, err
	}, func(base string, c channel.Credentials, secret []byte, http rest.Config) (channel.Aggregator, error) {
		return ubereats.New(ubereats.Config{Base: base, Store: deliveries.DefaultStore, Credentials: c, WebhookSecret: secret, HTTP: http})
	}, func(o *channel.Order) {
		o.AllergyNote, o.Covers, o.Test, o.AggregatorID, o.Courier.Status = "", 0, false, "", ""
		o.Charges.Tip, o.Charges.PackagingFee, o.Charges.TipSeparate = 0, 0, false
		for i := range o.Lines {
			o.Lines[i].Category, o.Lines[i].CategoryID = "", ""
		}
	}},
}

// A stage is an aggregator on a real socket, its client, and a box that keeps what webhooks say.
type stage struct {
	*deliveries.Simulator
	client channel.Aggregator
	expire func()

	mu     sync.Mutex // guards what follows
	now    time.Time
	events []channel.Event
	fails  int // webhooks that the box answers with 503 first
}

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

func each(t *testing.T, run func(t *testing.T, s *stage, strip func(*channel.Order))) {
	t.Parallel()
	for _, a := range aggregators {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s := &stage{now: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)}
			box := httptest.NewServer(http.HandlerFunc(s.box))
			t.Cleanup(box.Close)
			var err error
			if s.Simulator, s.expire, err = a.simulate(deliveries.Config{Now: s.clock, Hook: box.URL}); err != nil {
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
			s.client, err = a.client("http://"+l.Addr().String(), channel.Credentials{ClientID: deliveries.DefaultID, ClientSecret: deliveries.DefaultSecret}, []byte(deliveries.DefaultHook),
				rest.Config{Now: s.clock, Timeout: 30 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.client.Close)
			run(t, s, a.strip)
		})
	}
}

// box takes webhooks as the product does: what proves its sender is kept, the same event once.
func (s *stage) box(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails > 0 {
		s.fails--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
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

// order is an event's order, fetched where the webhook does not bring it.
func (s *stage) order(ctx context.Context, e channel.Event) (channel.Order, error) {
	if e.Order != nil {
		return *e.Order, nil
	}
	return s.client.Fetch(ctx, e.Ref)
}

// take says that the box has an order, as this aggregator hears it.
func (s *stage) take(ctx context.Context, r channel.Ref) error {
	if s.client.Capabilities().Accept && s.client.Capabilities().AcceptIn > 0 {
		return s.client.Accept(ctx, r, s.clock().Add(20*time.Minute))
	}
	return s.client.Created(ctx, r)
}

func anOrder(id string) channel.Order {
	return channel.Order{
		Partner: "Uber Eats", Slug: "ubereats", ID: id, FriendlyID: strings.ToUpper(id), AggregatorID: "agg-" + id, Status: channel.New, Service: "pickup", Scheduled: true, Covers: 2, Test: true,
		PlacedAt: time.Date(2026, 11, 21, 18, 59, 0, 0, time.UTC), PickupAt: time.Date(2026, 11, 21, 19, 45, 0, 0, time.UTC), EstimatedPickupAt: time.Date(2026, 11, 21, 19, 45, 0, 0, time.UTC),
		DeliverAt: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC), AcceptBy: time.Date(2026, 11, 21, 19, 10, 30, 0, time.UTC),
		Customer: channel.Customer{Name: "Zoé L."}, Courier: channel.Courier{Name: "Ali", Status: "assigned"}, Note: "sonnez 🔔", AllergyNote: "noix", Currency: "EUR", Decimals: 2,
		Lines: []channel.Line{{ID: "i-1", LineID: "l-1", SKU: "PIZ", Name: "Pizza à l'été", Category: "Pizza", CategoryID: "c-1", Note: "bien cuite", Quantity: 2, Price: 1150,
			Modifiers: []channel.Modifier{{ID: "m-1", LineID: "l-2", SKU: "GR", Name: "Grande", Group: "Taille", GroupID: "g-1", Quantity: 1, Price: 200}}}},
		Charges:  channel.Charges{Subtotal: 2700, Discount: 100, PartnerDiscount: 50, Tax: 245, Tip: 150, CourierTip: 300, TipSeparate: true, DeliveryFee: 399, ServiceFee: 99, BagFee: 20, Total: 3518},
		Payments: []channel.Payment{{Amount: 3518, Method: "card"}},
	}
}

func TestOrderComesAsItIs(t *testing.T) {
	each(t, func(t *testing.T, s *stage, strip func(*channel.Order)) {
		want := anOrder("a1")
		if err := s.Place(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		events := s.heard()
		if len(events) != 1 || events[0].Kind != channel.KindOrder || events[0].Ref.ID != "a1" || events[0].Ref.Slug != "ubereats" {
			t.Fatalf("heard %+v", events)
		}
		got, err := s.order(t.Context(), events[0])
		if err != nil {
			t.Fatal(err)
		}
		strip(&want)
		strip(&got)
		want.Aggregator = got.Aggregator
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if err := s.take(t.Context(), events[0].Ref); err != nil {
			t.Fatal(err)
		}
		if err := s.Cancel(t.Context(), "ubereats", "a1", "CUSTOMER_CALLED_TO_CANCEL"); err != nil {
			t.Fatal(err)
		}
		if events = s.heard(); len(events) != 2 || events[1].Kind != channel.KindCancel || events[1].Ref.ID != "a1" {
			t.Errorf("the cancel is heard as %+v", events)
		}
	})
}

// TestFaults has every fault strike the answer to an order: it is in the ledger once in the end, and the client says what it
// knows of each attempt.
func TestFaults(t *testing.T) {
	each(t, func(t *testing.T, s *stage, _ func(*channel.Order)) {
		ctx := t.Context()
		if err := s.client.Check(ctx); err != nil {
			t.Fatal(err)
		}
		for i, k := range []cloud.Kind{cloud.Unauthorized, cloud.TooMany, cloud.Broken, cloud.Timeout, cloud.LostAnswer, cloud.Refused} {
			s.later(5 * time.Second)
			id := fmt.Sprintf("x%d", i)
			if err := s.Place(ctx, anOrder(id)); err != nil {
				t.Fatal(err)
			}
			ref := s.heard()[i].Ref
			ref.Resource = "agg-" + id
			if err := s.Faults(cloud.Faults{Next: []cloud.Kind{k}, TimeoutBy: cloud.Duration(100 * time.Millisecond)}); err != nil {
				t.Fatal(err)
			}
			err := s.take(ctx, ref)
			var e *rest.Error
			switch k {
			case cloud.Unauthorized: // another token is fetched at once
				if err != nil {
					t.Errorf("%s: %v", k, err)
				}
			case cloud.TooMany:
				if !errors.As(err, &e) || e.Status != http.StatusTooManyRequests || e.RetryAfter != time.Second {
					t.Errorf("%s: %v", k, err)
				}
				var limited *channel.Limited
				if err := s.take(ctx, ref); !errors.As(err, &limited) || limited.After != time.Second {
					t.Errorf("called before the time: %v", err)
				}
				s.later(time.Second)
			default:
				if !errors.As(err, &e) || e.Fate != rest.Uncertain {
					t.Errorf("%s: %v", k, err)
				}
			}
			if err != nil {
				if err := s.take(ctx, ref); err != nil {
					t.Errorf("%s, again: %v", k, err)
				}
			}
			n := 0
			entry, _ := s.Order("ubereats", id)
			for _, a := range entry.Acts {
				if (a.Op == deliveries.Created || a.Op == deliveries.Accepted) && !a.Again {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s: %+v", k, entry.Acts)
			}
		}
		s.later(5 * time.Second)
		s.expire()
		if err := s.Place(ctx, anOrder("last")); err != nil {
			t.Fatal(err)
		}
		all := s.heard()
		ref := all[len(all)-1].Ref
		ref.Resource = "agg-last"
		if err := s.take(ctx, ref); err != nil {
			t.Errorf("all tokens ended: %v", err)
		}
	})
}

// TestWebhooks has every fault strike webhooks: the box hears each event in the end, and is fooled by no forgery.
func TestWebhooks(t *testing.T) {
	each(t, func(t *testing.T, s *stage, _ func(*channel.Order)) {
		ctx := t.Context()
		if err := s.Faults(cloud.Faults{Seed: 7, LateBy: cloud.Duration(5 * time.Millisecond),
			Rates: map[cloud.Kind]float64{cloud.Late: 0.2, cloud.Duplicate: 0.5, cloud.OutOfOrder: 0.3, cloud.Forged: 0.5}}); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.fails = 2
		s.mu.Unlock()
		const n = 16
		for i := range n {
			o := anOrder(fmt.Sprintf("w%d", i))
			if err := s.Place(ctx, o); err != nil {
				t.Fatal(err)
			}
			if i%4 == 0 {
				if err := s.Cancel(ctx, o.Slug, o.ID, "CUSTOMER_CALLED_TO_CANCEL"); err != nil {
					t.Fatal(err)
				}
			}
		}
		for end := time.Now().Add(time.Minute); len(s.heard()) < n+n/4; time.Sleep(2 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("heard %d", len(s.heard()))
			}
		}
		if h := s.Hooks(); h.Forged == 0 || h.Fooled != 0 || h.Refused != 0 {
			t.Errorf("%+v", h)
		}
		before := len(s.heard())
		if err := s.Again(ctx, "ubereats", "w1", 20); err != nil {
			t.Fatal(err)
		}
		if got := len(s.heard()); got != before {
			t.Errorf("the same event twenty times at once: %d events, want %d", got, before)
		}
	})
}

// TestControl moves the aggregator over HTTP.
func TestControl(t *testing.T) {
	each(t, func(t *testing.T, s *stage, _ func(*channel.Order)) {
		server := httptest.NewServer(s.Control())
		defer server.Close()
		call := func(method, path, body string, want int) string {
			t.Helper()
			q, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			w, err := server.Client().Do(q)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Body.Close()
			text, err := io.ReadAll(w.Body)
			if err != nil || w.StatusCode != want {
				t.Errorf("%s %s: %d %s, %v", method, path, w.StatusCode, text, err)
			}
			return string(text)
		}
		const order = `{"aggregator":"","partner":"","slug":"ubereats","id":"c1","service":"pickup","currency":"EUR","decimals":2,"lines":[{"name":"Pizza","quantity":1,"price":1150}]}`
		call("POST", "/orders", order, http.StatusNoContent)
		call("POST", "/changes", order, http.StatusNoContent)
		call("POST", "/orders", `{"pizza":1}`, http.StatusBadRequest)
		call("POST", "/again", `{"slug":"ubereats","id":"c1","times":2}`, http.StatusNoContent)
		call("POST", "/progress", `{"slug":"ubereats","id":"c1","status":"eaten"}`, http.StatusBadRequest)
		call("POST", "/progress", `{"slug":"ubereats","id":"c1","status":"handed_off"}`, http.StatusNoContent)
		call("POST", "/cancel", `{"slug":"ubereats","id":"c1","reason":"KITCHEN_CLOSED"}`, http.StatusNoContent)
		call("POST", "/cancel", `{"slug":"ubereats","id":"nobody"}`, http.StatusBadRequest)
		call("POST", "/hook", `{"url":""}`, http.StatusNoContent)
		call("POST", "/faults", `{"rates":{"meteor":1}}`, http.StatusBadRequest)
		var st deliveries.State
		if err := json.Unmarshal([]byte(call("GET", "/state", "", http.StatusOK)), &st); err != nil || st.Orders != 1 || st.By[channel.Cancelled] != 1 || st.Hooks.Taken < 4 {
			t.Errorf("%+v, %v", st, err)
		}
		if got := call("GET", "/orders", "", http.StatusOK); !strings.Contains(got, `"status":"cancelled"`) {
			t.Errorf("orders: %s", got)
		}
		call("GET", "/acts?after=0", "", http.StatusOK)
		call("GET", "/calls?after=x", "", http.StatusBadRequest)
	})
}

// TestProgress tells everything an aggregator hears.
func TestProgress(t *testing.T) {
	each(t, func(t *testing.T, s *stage, _ func(*channel.Order)) {
		ctx := t.Context()
		for _, id := range []string{"p1", "p2", "p3"} {
			if err := s.Place(ctx, anOrder(id)); err != nil {
				t.Fatal(err)
			}
		}
		ref := func(i int) channel.Ref {
			r := s.heard()[i].Ref
			r.Resource = "agg-" + r.ID
			return r
		}
		can := s.client.Capabilities()
		soon := s.clock().Add(15 * time.Minute)
		if err := s.client.Accept(ctx, ref(0), soon); err != nil {
			t.Error(err)
		}
		for _, p := range []struct {
			status channel.Status
			err    error
		}{{channel.Prepared, s.client.Ready(ctx, ref(0))}, {channel.HandedOff, s.client.HandedOff(ctx, ref(0))}, {channel.Fulfilled, s.client.Fulfilled(ctx, ref(0))}} {
			if hears := slices.Contains(can.Progress, p.status); hears != (p.err == nil) || !hears && !errors.Is(p.err, channel.ErrUnsupported) {
				t.Errorf("%s: %v, but it hears %v", p.status, p.err, can.Progress)
			}
		}
		if err := s.client.Deny(ctx, ref(1), channel.Denial{Reason: "UNAVAILABLE_ITEM", Text: "no dough", Items: []string{"i-1"}}); err != nil {
			t.Error(err)
		}
		if err := s.client.Accept(ctx, ref(2), time.Time{}); err != nil {
			t.Error(err)
		}
		if err := s.client.Cancelled(ctx, ref(2), "KITCHEN_CLOSED"); err != nil {
			t.Error(err)
		}
		s.later(5 * time.Second)
		for what, c := range map[string]struct {
			can bool
			err error
		}{
			"failed":    {can.Failures, s.client.Failed(ctx, ref(0), channel.Failure{Code: channel.CodeOffline, Message: "the POS is away"})},
			"prep time": {can.PrepTime, s.client.PrepTime(ctx, ref(0), soon)},
			"pause":     {can.Pause, s.client.Pause(ctx, soon, "full house")},
			"available": {can.Availability, s.client.Available(ctx, []channel.Availability{{ID: "i-1"}, {ID: "i-2", On: true}})},
			"injected":  {can.Injection, s.client.Injected(ctx, ref(0), channel.Injection{State: channel.InjectionSucceeded})},
		} {
			if c.can != (c.err == nil) || !c.can && !errors.Is(c.err, channel.ErrUnsupported) {
				t.Errorf("%s: %v, but it says %t", what, c.err, c.can)
			}
		}
		if _, err := s.client.Feed(ctx, s.clock().Add(-time.Hour), s.clock()); can.Feed != (err == nil) {
			t.Errorf("feed: %v", err)
		}
		s.later(5 * time.Second)
		m := channel.Menu{Menus: []channel.MenuPart{{ID: "m", Name: "Carte", Categories: []string{"c"}}}, Categories: []channel.Category{{ID: "c", Name: "Pizza", Items: []string{"i"}}},
			Items: []channel.Item{{ID: "i", Name: "Margherita", SKU: "PIZ", Price: 1150, Currency: "EUR"}}}
		if _, err := s.client.Publish(ctx, m, channel.SyncOptions{Create: true}); err != nil {
			t.Errorf("menu: %v", err)
		}
		if shelf, ok := s.client.(interface {
			Sold(context.Context) ([]channel.Availability, error)
		}); ok { // what is sold can be read back, and a suspension ends by itself
			until := s.clock().Add(time.Hour).Truncate(time.Second)
			for _, c := range []struct {
				say  channel.Availability
				pass time.Duration
				want channel.Availability
			}{{channel.Availability{ID: "i"}, 0, channel.Availability{ID: "i"}}, {channel.Availability{ID: "i", Until: until}, 0, channel.Availability{ID: "i", Until: until}},
				{channel.Availability{ID: "i", Until: until}, 2 * time.Hour, channel.Availability{ID: "i", On: true}}, {channel.Availability{ID: "i", On: true}, 0, channel.Availability{ID: "i", On: true}}} {
				if err := s.client.Available(ctx, []channel.Availability{c.say}); err != nil {
					t.Fatal(err)
				}
				s.later(c.pass + 5*time.Second)
				if got, err := shelf.Sold(ctx); err != nil || len(got) != 1 || got[0] != c.want {
					t.Errorf("after %+v it shows %+v, %v", c.say, got, err)
				}
			}
		} else if can.Availability {
			t.Error("what is sold cannot be read back")
		}
		want := []channel.Status{channel.Accepted, channel.Rejected, channel.Cancelled}
		if len(can.Progress) > 0 {
			want[0] = channel.Fulfilled
		}
		for i, id := range []string{"p1", "p2", "p3"} {
			e, _ := s.Order("ubereats", id)
			if e.Status != want[i] && !(want[i] == channel.Rejected && e.Status == channel.Cancelled) { // Otter has one word for both
				t.Errorf("%s is %s, want %s: %+v", id, e.Status, want[i], e.Acts)
			}
		}
	})
}
