package box

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aboyeur/bridge/delivery"
	"aboyeur/protocol/channel"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
	"aboyeur/simulate/otter"
)

// market is Otter on a real socket and the clock that it shares with the box.
type market struct {
	*otter.Simulator
	t      *testing.T
	r      *rig
	offset atomic.Int64
	links  links
	number int
}

func (m *market) now() time.Time            { return time.Now().Add(time.Duration(m.offset.Load())) }
func (m *market) pass(d time.Duration)      { m.offset.Add(int64(d)) }
func (m *market) pile(id string) *delivered { return m.r.ordered(id) }

// links are a menu in which everything is linked but what a test takes away.
type links struct {
	mu       sync.Mutex
	unlinked map[string]bool // names
}

func (l *links) set(name string, unlinked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlinked == nil {
		l.unlinked = map[string]bool{}
	}
	l.unlinked[name] = unlinked
}

func (l *links) Resolve(_ string, o *channel.Order) (r delivery.Resolution) {
	l.mu.Lock()
	defer l.mu.Unlock()
	part := func(name, sku string) {
		if l.unlinked[name] {
			sku = ""
			r.Unlinked = append(r.Unlinked, name)
		}
		r.POS = append(r.POS, sku)
	}
	var modifiers func([]channel.Modifier)
	modifiers = func(list []channel.Modifier) {
		for i := range list {
			part(list[i].Name, list[i].SKU)
			modifiers(list[i].Modifiers)
		}
	}
	for i := range o.Lines {
		part(o.Lines[i].Name, o.Lines[i].SKU)
		modifiers(o.Lines[i].Modifiers)
	}
	return r
}

// newMarket is a rig whose box has a store at a simulated Otter.
func newMarket(t *testing.T, c otter.Config) *market {
	t.Helper()
	m := &market{t: t, r: newRig(t)}
	c.Store, c.Secret, c.ClientID, c.ClientSecret, c.Now, c.Hook = "S1", []byte(otterSecret), "id", "secret", m.now, m.r.base+"/webhooks/otter"
	var err error
	if m.Simulator, err = otter.New(c); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { _ = m.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); served.Wait() })
	addOtter(m.r, "http://"+l.Addr().String(), "")
	m.r.change = func(o *Options) {
		o.Now, o.resolver, o.backoff = m.now, &m.links, []time.Duration{20 * time.Millisecond}
	}
	return m
}

// order is a plain order.
func (m *market) order() channel.Order {
	m.number++
	id := fmt.Sprintf("ord-%d", m.number)
	return channel.Order{
		Aggregator: "otter", Partner: "Uber Eats", Slug: "ubereats", ID: id, FriendlyID: strings.ToUpper(id), AggregatorID: "agg-" + id, Status: channel.New, Service: "delivery",
		Customer: channel.Customer{Name: "Zoé L."}, Note: "sonnez", Currency: "EUR", Decimals: 2,
		Lines: []channel.Line{{ID: "i-1", SKU: "PIZ", Name: "Pizza", Category: "Pizza", Note: "bien cuite", Quantity: 2, Price: 1150,
			Modifiers: []channel.Modifier{{ID: "m-1", SKU: "GR", Name: "Grande", Group: "Taille", GroupID: "g-1", Quantity: 1, Price: 200}}}},
		Charges:  channel.Charges{Subtotal: 2700, Tax: 245, CourierTip: 500, TipSeparate: true, DeliveryFee: 399, Total: 3844},
		Payments: []channel.Payment{{Amount: 3844, Method: "card"}},
	}
}

// place has a guest order, and gives the order as the box has it.
func (m *market) place(o channel.Order) *delivered {
	m.t.Helper()
	if err := m.Place(m.t.Context(), o); err != nil {
		m.t.Fatal(err)
	}
	got := m.pile(o.ID)
	if got == nil {
		m.t.Fatalf("order %s is not there", o.ID)
	}
	return got
}

// is waits until an order stands so.
func (m *market) is(id, state, inPOS string) *delivered {
	m.t.Helper()
	var o *delivered
	m.r.wait(fmt.Sprintf("order %s is %s %q", id, state, inPOS), func() bool {
		o = m.pile(id)
		return o != nil && o.State == state && o.InPOS == inPOS
	})
	return o
}

// heard waits until Otter heard an act of an order.
func (m *market) heard(id, op string) {
	m.t.Helper()
	m.r.wait("Otter hears "+op+" of "+id, func() bool {
		e, _ := m.Order("ubereats", id)
		return e.Did(op) == 1
	})
}

func (m *market) settings(change string) {
	m.t.Helper()
	if status, err := m.r.call(http.MethodPut, "/v1/integrations/otter", `{"settings":`+change+`}`, nil); err != nil || status != http.StatusOK {
		m.t.Fatalf("settings %s: %d %v", change, status, err)
	}
}

// refusal is the status that the box answered a webhook with.
func refusal(err error) int {
	var h *cloud.HookError
	if errors.As(err, &h) {
		return h.Status
	}
	return 0
}

// TestDeliveryScenarios goes through spec/delivery.md 12 against a simulated Otter over real HTTP, as far as it is not the
// POS's or the menu's; 2, 3 and 4 are in TestOtterOrder.
func TestDeliveryScenarios(t *testing.T) {
	t.Parallel()
	m := newMarket(t, otter.Config{Unlimited: true})
	m.r.start()
	run := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			m.t, m.r.t = t, t
			defer func(old *testing.T) { m.t, m.r.t = old, old }(m.t)
			f(t)
		})
	}
	defer func(old *testing.T) { m.t, m.r.t = old, old }(t)

	run("1 a valid order", func(t *testing.T) {
		o := m.order()
		got := m.place(o)
		if got.State != "accepted" || got.InPOS != "yes" || got.Partner.Name != "Uber Eats" || got.Partner.OrderID != o.FriendlyID || got.Total != 2700 {
			t.Errorf("order %+v", got)
		}
		m.heard(o.ID, deliveries.Accepted)
		m.r.wait("Otter hears that it is taken", func() bool { e, _ := m.Order("ubereats", o.ID); return e.Created == 1 })
		if err := m.Again(t.Context(), "ubereats", o.ID, 20); err != nil { // 4
			t.Error(err)
		}
		if status := m.r.act(got.ID, "ready"); status != http.StatusOK {
			t.Errorf("ready: %d", status)
		}
		m.heard(o.ID, deliveries.Ready)
		if status := m.r.act(got.ID, "handed-over"); status != http.StatusOK {
			t.Errorf("handed over: %d", status)
		}
		for range 2 {
			if err := m.Progress(t.Context(), "ubereats", o.ID, channel.Fulfilled); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Progress(t.Context(), "ubereats", o.ID, channel.Prepared); err != nil { // late, and lower
			t.Fatal(err)
		}
		m.is(o.ID, "fulfilled", "yes")
	})
	run("5 cancelled before it came, and twice", func(t *testing.T) {
		o := m.order()
		m.Keep(o)
		for range 2 {
			if err := m.Cancel(t.Context(), "ubereats", o.ID, "CUSTOMER_CALLED_TO_CANCEL"); err != nil {
				t.Fatal(err)
			}
		}
		if got := m.place(o); got.State != "cancelled" || got.InPOS != "" || len(got.Tickets) != 0 {
			t.Errorf("order %+v", got)
		}
		later := m.order()
		m.place(later)
		for range 2 {
			if err := m.Cancel(t.Context(), "ubereats", later.ID, "FRAUDULENT_EATER"); err != nil {
				t.Fatal(err)
			}
		}
		got := m.is(later.ID, "cancelled", "yes")
		m.r.wait("the kitchen is told to stop", func() bool {
			n := 0
			for _, ticket := range m.pile(later.ID).Tickets {
				if ticket.Kind == "cancel" || ticket.State == "cancelled" {
					n++
				}
			}
			return n > 0
		})
		if e, _ := m.Order("ubereats", later.ID); e.Did(deliveries.Cancelled) != 0 {
			t.Error("the guest's cancellation was sent back")
		}
		if status := m.r.act(got.ID, "cancel"); status != http.StatusOK { // by a person as well: once
			t.Errorf("cancel: %d", status)
		}
		ours := m.order()
		got = m.place(ours)
		if status, err := m.r.call(http.MethodPost, "/v1/orders/"+got.ID+"/cancel?reason=RESTAURANT_TOO_BUSY", nil, nil); err != nil || status != http.StatusOK {
			t.Errorf("cancel: %d %v", status, err)
		}
		m.heard(ours.ID, deliveries.Cancelled)
	})
	run("6 scheduled", func(t *testing.T) {
		base := m.now()
		o, soon := m.order(), m.order()
		o.Scheduled, o.PickupAt = true, base.Add(2*time.Hour).UTC().Truncate(time.Second)
		soon.Scheduled, soon.PickupAt = true, base.Add(20*time.Minute).UTC().Truncate(time.Second)
		got := m.place(o)
		if got.State != "scheduled" || got.InPOS != "" || !got.ReleaseAt.Equal(o.PickupAt.Add(-30*time.Minute)) || !got.ShowAt.Equal(o.PickupAt.Add(-time.Hour)) {
			t.Fatalf("order %+v", got)
		}
		if now := m.place(soon); now.State != "accepted" || now.InPOS != "yes" {
			t.Errorf("twenty minutes ahead it is %s", now.State)
		}
		for _, move := range []time.Duration{-10 * time.Minute, 45 * time.Minute} { // earlier, later
			o.PickupAt = o.PickupAt.Add(move)
			if err := m.Change(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if got := m.pile(o.ID); got.State != "scheduled" || !got.ReleaseAt.Equal(o.PickupAt.Add(-30*time.Minute)) {
				t.Errorf("moved by %v it is released at %v, wanted %v", move, got.ReleaseAt, o.PickupAt)
			}
		}
		m.pass(o.PickupAt.Add(-31 * time.Minute).Sub(m.now()))
		other := m.order() // something happens meanwhile, a second passes
		m.place(other)
		if got := m.pile(o.ID); got.State != "scheduled" {
			t.Errorf("31 minutes before it is %s", got.State)
		}
		m.pass(o.PickupAt.Add(-30 * time.Minute).Sub(m.now()))
		got = m.is(o.ID, "accepted", "yes")
		m.pass(time.Minute)
		if n := len(m.pile(o.ID).Tickets); n != len(got.Tickets) || n != 1 {
			t.Errorf("%d tickets", n)
		}
		gone := m.order()
		gone.Scheduled, gone.PickupAt = true, m.now().Add(2*time.Hour).UTC().Truncate(time.Second)
		m.place(gone)
		if err := m.Cancel(t.Context(), "ubereats", gone.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := m.is(gone.ID, "cancelled", ""); len(got.Tickets) != 0 || got.VoidPending {
			t.Errorf("cancelled before its release it left %+v", got)
		}
	})
	run("7 a restart over the release", func(t *testing.T) {
		o := m.order()
		o.Scheduled, o.PickupAt = true, m.now().Add(2*time.Hour).UTC().Truncate(time.Second)
		m.place(o)
		m.pass(o.PickupAt.Add(-31 * time.Minute).Sub(m.now()))
		m.r.down()
		m.pass(6 * time.Minute)
		m.r.start()
		if got := m.is(o.ID, "accepted", "yes"); len(got.Tickets) != 1 {
			t.Errorf("%d tickets", len(got.Tickets))
		}
	})
	run("8 an unlinked modifier", func(t *testing.T) {
		m.links.set("Grande", true)
		defer m.links.set("Grande", false)
		o := m.order()
		got := m.place(o)
		if got.State != "accepted" || got.InPOS != "no" || got.Injection.Cause != "ITEM_MAPPING_FAILED" || got.Injection.Detail != "Grande" {
			t.Errorf("strict: %+v", got)
		}
		m.r.wait("Otter hears why", func() bool {
			e, _ := m.Order("ubereats", o.ID)
			return len(e.Failures) == 1 && e.Failures[0].Code == channel.CodeUnlinked && strings.Contains(e.Failures[0].Message, "Grande")
		})
		if !slices.ContainsFunc(got.Tickets, func(x struct {
			Station, Kind, State string
			Jobs                 []struct{ Printer, State string }
		}) bool {
			return x.Kind == "not_in_pos" && len(x.Jobs) == 1
		}) {
			t.Errorf("no slip says so: %+v", got.Tickets)
		}
		var board struct {
			Warnings []struct{ Code, Subject string }
		}
		m.r.wait("people are warned", func() bool {
			_, err := m.r.call(http.MethodGet, "/v1/warnings", nil, &board)
			return err == nil && slices.ContainsFunc(board.Warnings, func(w struct{ Code, Subject string }) bool {
				return w.Code == "order_not_in_pos" && strings.Contains(w.Subject, o.FriendlyID)
			})
		})
		m.links.set("Grande", false)
		if status := m.r.act(got.ID, "retry"); status != http.StatusOK {
			t.Errorf("retry: %d", status)
		}
		m.is(o.ID, "accepted", "yes")
		m.links.set("Grande", true)
		m.settings(`{"inject":"open_item"}`)
		defer m.settings(`{"inject":"strict"}`)
		if got := m.place(m.order()); got.InPOS != "yes" {
			t.Errorf("open item: %+v", got)
		}
	})
	run("11 manually added", func(t *testing.T) {
		m.links.set("Grande", true)
		defer m.links.set("Grande", false)
		o := m.order()
		got := m.place(o)
		if status := m.r.act(got.ID, "added-manually"); status != http.StatusOK {
			t.Errorf("added manually: %d", status)
		}
		m.links.set("Grande", false)
		if status := m.r.act(got.ID, "retry"); status != http.StatusConflict {
			t.Errorf("retry of what a person typed in: %d", status)
		}
		m.is(o.ID, "accepted", "manual")
		if status := m.r.act(got.ID, "cancel"); status != http.StatusOK {
			t.Errorf("cancel: %d", status)
		}
		if !m.is(o.ID, "cancelled", "manual").VoidPending {
			t.Error("nobody voids it")
		}
		if status := m.r.act(got.ID, "void-done"); status != http.StatusOK || m.pile(o.ID).VoidPending {
			t.Errorf("void done: %d", status)
		}
	})
	run("18 tips and taxes", func(t *testing.T) {
		o := m.order()
		got := m.place(o)
		if got.Total != 2700 || got.Delivery.Total != 3844 {
			t.Errorf("the food costs %d of %d", got.Total, got.Delivery.Total)
		}
	})
	run("20 large orders", func(t *testing.T) {
		o := m.order()
		o.Lines = nil
		for i := range 200 {
			deep := []channel.Modifier{{Name: "a", Quantity: 1, Modifiers: []channel.Modifier{{Name: "b", Quantity: 1, Modifiers: []channel.Modifier{{Name: "c", Quantity: 2, Modifiers: []channel.Modifier{{Name: "d", Quantity: 1, Price: 10}}}}}}}}
			o.Lines = append(o.Lines, channel.Line{ID: fmt.Sprint(i), Name: fmt.Sprintf("Dish %d", i), Quantity: 1000, Price: 100, Modifiers: deep})
		}
		if got := m.place(o); len(got.Lines) != 200 || got.Total != 200*1000*(100+20) {
			t.Errorf("%d lines for %d", len(got.Lines), got.Total)
		}
		tooMany := m.order()
		for range 501 {
			tooMany.Lines = append(tooMany.Lines, tooMany.Lines[0])
		}
		if status := refusal(m.Place(t.Context(), tooMany)); status != http.StatusUnprocessableEntity || m.pile(tooMany.ID) != nil {
			t.Errorf("501 lines: %d", status)
		}
		foreign := m.order()
		foreign.Currency = "USD"
		if status := refusal(m.Place(t.Context(), foreign)); status != http.StatusUnprocessableEntity || m.pile(foreign.ID) != nil {
			t.Errorf("dollars: %d", status)
		}
		m.r.wait("Otter hears why", func() bool {
			e, _ := m.Order("ubereats", foreign.ID)
			return len(e.Failures) == 1 && e.Failures[0].Code == channel.CodeInvalid
		})
		m.r.wait("both are among the refused", func() bool {
			var list struct{ Rejected []struct{ Reason string } }
			_, err := m.r.call(http.MethodGet, "/v1/integrations/otter/rejected", nil, &list)
			return err == nil && len(list.Rejected) == 2
		})
		if status := m.r.hook(strings.Repeat("x", 10<<20), inHex); status != http.StatusRequestEntityTooLarge {
			t.Errorf("10 MB: %d", status)
		}
	})
	run("21 pause and unpause", func(t *testing.T) {
		paused := func() bool {
			var v struct{ Paused bool }
			if _, err := m.r.call(http.MethodGet, "/v1/integrations/otter", nil, &v); err != nil {
				t.Fatal(err)
			}
			return v.Paused
		}
		answered := func(kind channel.Kind) {
			t.Helper()
			id, _, err := m.Send(t.Context(), deliveries.Event{Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			m.r.wait("Otter hears the answer", func() bool {
				return slices.ContainsFunc(m.Acts(), func(a deliveries.Act) bool { return a.Event == id })
			})
		}
		answered(channel.KindPause)
		if !paused() {
			t.Error("the store is open")
		}
		answered(channel.KindResume)
		if paused() {
			t.Error("the store is closed")
		}
		for _, act := range []string{"pause", "resume"} {
			if status, err := m.r.call(http.MethodPost, "/v1/integrations/otter/"+act, nil, nil); err != nil || status != http.StatusOK {
				t.Errorf("%s: %d %v", act, status, err)
			}
			m.r.wait("Otter does so", func() bool { return m.Paused() == (act == "pause") })
		}
	})
	run("22 a malformed time, an unknown event", func(t *testing.T) {
		body := strings.Replace(otterEvent("not-a-uuid", "orders.new_order", otterOrder("odd-1", "")), `"eventTime":"`, `"eventTime":"2023-01-01T10:00:00:123Z","x":"`, 1)
		if status := m.r.hook(body, inHex); status != http.StatusOK || m.pile("odd-1") == nil {
			t.Errorf("webhook: %d", status)
		}
		if status := m.r.hook(otterEvent("e-new", "orders.something_new", `{"a":1}`), inHex); status != http.StatusOK {
			t.Errorf("an unknown event: %d", status)
		}
		empty := strings.Replace(otterOrder("odd-2", ""), `"items":[`, `"items":null,"x":[`, 1)
		if status := m.r.hook(otterEvent("e-empty", "orders.new_order", empty), inHex); status != http.StatusOK {
			t.Errorf("an order without items: %d", status)
		}
		if got := m.pile("odd-2"); got == nil || len(got.Lines) != 1 || len(got.Delivery.Unsure) == 0 {
			t.Errorf("an order without items: %+v", got)
		}
		if status := m.r.hook(otterEvent("e-minus", "orders.new_order", strings.Replace(otterOrder("odd-3", ""), `"quantity":2`, `"quantity":-2`, 1)), inHex); status != http.StatusUnprocessableEntity {
			t.Errorf("minus two pizzas: %d", status)
		}
	})
	run("a person accepts", func(t *testing.T) {
		m.settings(`{"auto_accept":false,"accept_minutes":5}`)
		defer m.settings(`{"auto_accept":true}`)
		yes, no, slow := m.order(), m.order(), m.order()
		a, b := m.place(yes), m.place(no)
		if a.State != "waiting_accept" || len(a.Tickets) != 0 {
			t.Fatalf("order %+v", a)
		}
		if status := m.r.act(a.ID, "accept"); status != http.StatusOK {
			t.Errorf("accept: %d", status)
		}
		if status := m.r.act(b.ID, "reject?reason=RESTAURANT_TOO_BUSY"); status != http.StatusOK {
			t.Errorf("reject: %d", status)
		}
		m.is(yes.ID, "accepted", "yes")
		m.is(no.ID, "rejected", "")
		m.heard(yes.ID, deliveries.Accepted)
		m.heard(no.ID, deliveries.Cancelled)
		m.place(slow)
		m.pass(5*time.Minute + time.Second)
		m.is(slow.ID, "rejected", "")
		m.heard(slow.ID, deliveries.Cancelled)
	})
	run("a changed order", func(t *testing.T) {
		o := m.order()
		m.place(o)
		o.Lines[0].Quantity, o.Lines[0].Note = 3, "sans basilic"
		for range 2 {
			if err := m.Change(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		got := m.pile(o.ID)
		if got.Version != 2 || got.Lines[0].Quantity != 3 || got.Lines[0].Notes != "sans basilic" {
			t.Errorf("changed: %+v", got)
		}
		never := m.order() // a change of an order that nobody heard of is a new one
		m.Keep(never)
		if err := m.Change(t.Context(), never); err != nil || m.pile(never.ID) == nil {
			t.Errorf("changed before it came: %v", err)
		}
	})
	run("injection is switched off for a channel", func(t *testing.T) {
		m.settings(`{"channels":{"ubereats":{"injection":false,"name":"Uber"}}}`)
		defer m.settings(`{"channels":{}}`)
		if got := m.place(m.order()); got.InPOS != "no" || got.Injection.Cause != "NO_INJECTABLE_EXTERNAL_SERVICE" || got.Partner.Name != "Uber" || len(got.Tickets) == 0 {
			t.Errorf("order %+v", got)
		}
	})
	run("observed until the agreed moment", func(t *testing.T) {
		at := m.now().Add(time.Hour).UTC().Truncate(time.Second)
		if status, err := m.r.call(http.MethodPost, "/v1/integrations/otter/activate?from="+at.Format(time.RFC3339), nil, nil); err != nil || status != http.StatusOK {
			t.Fatalf("activate: %d %v", status, err)
		}
		o := m.order()
		if err := m.Place(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if err := m.Cancel(t.Context(), "ubereats", o.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := m.pile(o.ID); got != nil {
			t.Errorf("it was cooked: %+v", got)
		}
		var list struct{ Observed []delivery.Observed }
		if _, err := m.r.call(http.MethodGet, "/v1/integrations/otter/observed", nil, &list); err != nil || len(list.Observed) != 1 || list.Observed[0].PartnerID != o.ID || list.Observed[0].Status != "cancelled" {
			t.Errorf("observed %+v, %v", list, err)
		}
		if e, _ := m.Order("ubereats", o.ID); len(e.Acts) != 0 || e.Created != 0 {
			t.Errorf("Otter was told %+v", e)
		}
		m.pass(at.Sub(m.now()) + time.Second)
		m.place(m.order())
	})
	run("the feed has what no event told", func(t *testing.T) {
		o, gone := m.order(), m.order()
		m.Keep(o)
		m.place(gone)
		m.Hook("") // nobody is told for a while
		if err := m.Cancel(t.Context(), "ubereats", gone.ID, ""); err != nil {
			t.Fatal(err)
		}
		m.Hook(m.r.base + "/webhooks/otter")
		if status, err := m.r.call(http.MethodPost, "/v1/integrations/otter/sync", nil, nil); err != nil || status != http.StatusAccepted {
			t.Fatalf("sync: %d %v", status, err)
		}
		m.is(o.ID, "accepted", "yes")
		m.is(gone.ID, "cancelled", "yes")
		m.heard(o.ID, deliveries.Accepted)
	})
	run("the day's end", func(t *testing.T) {
		var e delivery.DayEnd
		if _, err := m.r.call(http.MethodGet, "/v1/delivery/day-end", nil, &e); err != nil || len(e.Open) == 0 {
			t.Errorf("day's end %+v, %v", e, err)
		}
		// Nobody says that it is done: it is, when the next day's dinner begins, and Otter hears so. What is not in the POS stays.
		o, unlinked := m.order(), m.order()
		m.place(o)
		m.links.set("Grande", true)
		m.place(unlinked)
		m.heard(o.ID, deliveries.Accepted)
		m.pass(33 * time.Hour)
		m.is(o.ID, "fulfilled", "yes")
		m.heard(o.ID, deliveries.Fulfilled)
		m.is(unlinked.ID, "accepted", "no")
	})
}

// TestDeliveryBurst is scenario 19: sixty orders in a moment are all cooked at once, and the calls that Otter allows a few of a
// minute go out as it allows, without being refused once.
func TestDeliveryBurst(t *testing.T) {
	t.Parallel()
	m := newMarket(t, otter.Config{})
	m.r.start()
	const orders = 60
	var all sync.WaitGroup
	list := make([]channel.Order, orders)
	for i := range list {
		list[i] = m.order()
	}
	for i := range list {
		all.Go(func() {
			if err := m.Place(t.Context(), list[i]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(m.r.orders("&in_pos=yes")); n != orders {
		t.Errorf("%d orders are in the POS", n)
	}
	m.r.wait("every order's result is told", func() bool {
		q, err := m.r.box.deliveries.Queue(t.Context(), "otter")
		if err != nil {
			t.Fatal(err)
		}
		if now := m.now(); q.Waiting > 0 && q.NextAt.After(now) { // Otter counts a call when it comes: none may be on its way while the clock leaps
			m.pass(q.NextAt.Sub(now) + time.Second)
		}
		told := 0
		for _, e := range m.Orders() {
			if e.Created > 1 || e.Did(deliveries.Accepted) > 1 {
				t.Fatalf("told twice: %+v", e)
			}
			if e.Created == 1 && e.Did(deliveries.Accepted) == 1 {
				told++
			}
		}
		return told == orders
	})
	refused := 0
	for _, c := range m.Calls() {
		if c.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("Otter had to refuse %d calls", refused)
	}
}
