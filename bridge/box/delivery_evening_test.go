package box

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/protocol/channel"
	"aboyeur/simulate/bookings"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
	simlightspeed "aboyeur/simulate/lightspeed"
	"aboyeur/simulate/otter"
)

// What an evening's order goes through.
const (
	plainOrder     = "plain"
	scheduledOrder = "scheduled"
	changedOrder   = "changed"
	cancelledOrder = "cancelled"
	cancelledFirst = "cancelled before it came"
	unlinkedOrder  = "unlinked"
)

// soiree is an evening of orders from three marketplaces, at a till that is not the box's.
type soiree struct {
	*market
	till *simlightspeed.Simulator

	mu     sync.Mutex // guards what follows
	orders map[string]*guest
}

// guest is an order as it was meant.
type guest struct {
	kind string
	all  []channel.Order // each version
}

func newSoiree(t *testing.T) *soiree {
	t.Helper()
	s := &soiree{market: newMarket(t, otter.Config{Unlimited: true, Faults: cloud.Faults{Seed: 7, LateBy: cloud.Duration(20 * time.Millisecond), Rates: map[cloud.Kind]float64{
		cloud.Duplicate: .1, cloud.OutOfOrder: .05, cloud.Late: .05, cloud.LostAnswer: .02, cloud.Broken: .02, cloud.TooMany: .01}, RetryAfter: cloud.Duration(time.Second)}}), orders: map[string]*guest{}}
	c := s.r.config
	var err error
	if s.till, err = simlightspeed.New(simlightspeed.Config{AnyItem: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.till.Simulator.Close)
	credentials, hook := posFiles(t, simlightspeed.DefaultToken, simlightspeed.DefaultPassword)
	c.POS = firmwareconfig.POS{Kind: firmwareconfig.KindLightspeedK, Location: simlightspeed.DefaultLocation, BaseURL: serveTill(t, s.till), CredentialsFile: credentials, WebhookSecretFile: hook,
		Endpoint: "aboyeur", User: simlightspeed.DefaultUser, Inject: firmwareconfig.InjectStrict, Payments: map[string]string{"default": "CARD"}}
	c.HTTP.PublicURL = "http://" + c.HTTP.Listen
	change := s.r.change
	s.r.change = func(o *Options) {
		change(o)
		quickPOS(o)
	}
	return s
}

// guest makes the order of one guest.
func (s *soiree) guest(i int, rng *rand.Rand) (string, channel.Order) {
	kind := plainOrder
	switch n := rng.IntN(100); {
	case n < 10:
		kind = scheduledOrder
	case n < 20:
		kind = changedOrder
	case n < 30:
		kind = cancelledOrder
	case n < 35:
		kind = cancelledFirst
	case n < 40:
		kind = unlinkedOrder
	}
	partner := []struct{ slug, name string }{{"ubereats", "Uber Eats"}, {"deliveroo", "Deliveroo"}, {"justeat", "Just Eat"}}[i%3]
	o := channel.Order{
		Aggregator: "otter", Partner: partner.name, Slug: partner.slug, ID: fmt.Sprintf("id-%05d", i), FriendlyID: fmt.Sprintf("K%05dX", i), AggregatorID: fmt.Sprintf("agg-%05d", i),
		Status: channel.New, Service: "delivery", Currency: "EUR", Decimals: 2, Note: fmt.Sprintf("note %d", i), Customer: channel.Customer{Name: "Zoé"},
	}
	for n := range 1 + rng.IntN(3) {
		l := channel.Line{ID: fmt.Sprintf("i%d", n), SKU: fmt.Sprintf("PIZ-%d", rng.IntN(50)), Name: fmt.Sprintf("Pizza %d", n), Category: "Pizza", Quantity: 1 + rng.IntN(3), Price: int64(900 + rng.IntN(600))}
		for k := range rng.IntN(3) {
			l.Modifiers = append(l.Modifiers, channel.Modifier{ID: fmt.Sprintf("m%d", k), SKU: fmt.Sprintf("MOD-%d", k), Name: fmt.Sprintf("Supplément %d", k), Group: "Extra", GroupID: "g", Quantity: 1, Price: int64(50 * (k + 1))})
		}
		o.Lines = append(o.Lines, l)
	}
	if kind == unlinkedOrder {
		o.Lines[0].Name = "Unlinked"
	}
	if kind == scheduledOrder {
		o.Scheduled, o.PickupAt = true, s.now().Add(time.Duration(60+rng.IntN(120))*time.Minute).UTC().Truncate(time.Second)
	}
	o.Charges.Subtotal = costs(&o)
	o.Charges.Total = o.Charges.Subtotal + 399
	o.Payments = []channel.Payment{{Amount: o.Charges.Total, Method: "card"}}
	return kind, o
}

func costs(o *channel.Order) (sum int64) {
	for i := range o.Lines {
		each := o.Lines[i].Price
		for _, m := range o.Lines[i].Modifiers {
			each += int64(m.Quantity) * m.Price
		}
		sum += each * int64(o.Lines[i].Quantity)
	}
	return sum
}

// live has one guest order, and do with it what the kind says. What the box could not be told the feed brings.
func (s *soiree) live(kind string, o channel.Order) {
	g := &guest{kind: kind, all: []channel.Order{o}}
	s.mu.Lock()
	s.orders[o.ID] = g
	s.mu.Unlock()
	ctx := s.t.Context()
	lost := func(err error) {
		var h *cloud.HookError
		if err != nil && !(errors.As(err, &h) && (h.Err != nil || h.Status >= 500)) {
			s.t.Errorf("order %s: %v", o.ID, err)
		}
	}
	if kind == cancelledFirst {
		s.Keep(o)
		lost(s.Cancel(ctx, o.Slug, o.ID, "CUSTOMER_CALLED_TO_CANCEL"))
		o.Status = channel.New
	}
	lost(s.Place(ctx, o))
	switch kind {
	case cancelledOrder:
		lost(s.Cancel(ctx, o.Slug, o.ID, "CUSTOMER_CALLED_TO_CANCEL"))
	case changedOrder:
		o.Lines = slices.Clone(o.Lines)
		o.Lines[0].Quantity++
		o.Note += " changed"
		o.Charges.Subtotal = costs(&o)
		s.mu.Lock()
		g.all = append(g.all, o)
		s.mu.Unlock()
		lost(s.Change(ctx, o))
	}
}

// every reads all orders of the box.
func (s *soiree) every() map[string]*delivered {
	s.t.Helper()
	all := map[string]*delivered{}
	cursor := ""
	for {
		var page struct {
			Orders []delivered
			Next   string
		}
		if status, err := s.r.call(http.MethodGet, "/v1/orders?limit=200"+cursor, nil, &page); err != nil || status != http.StatusOK {
			s.t.Fatalf("list: %d %v", status, err)
		}
		for i := range page.Orders {
			o := &page.Orders[i]
			if all[o.SourceOrderID] != nil {
				s.t.Errorf("order %s is there twice", o.SourceOrderID)
			}
			all[o.SourceOrderID] = o
		}
		if page.Next == "" {
			return all
		}
		cursor = "&cursor=" + page.Next
	}
}

// TestDeliveryEvening is an evening of orders with duplicates, cancellations, changes, orders for later, webhooks late and out of
// order, a till that is away, and a box that starts anew twice: five thousand of them with -long, some hundred otherwise. Then
// the ledgers of Otter, of the till and of the printers are compared with what the box says.
func TestDeliveryEvening(t *testing.T) {
	t.Parallel()
	orders := 60
	if *long {
		orders = 5000
	}
	s := newSoiree(t)
	s.links.set("Unlinked", true)
	s.r.start()
	rng := rand.New(rand.NewPCG(1, 2))
	type one struct {
		kind  string
		order channel.Order
	}
	work := make(chan one)
	var placed atomic.Int64
	var guests sync.WaitGroup
	for range 8 {
		guests.Go(func() {
			for g := range work {
				s.live(g.kind, g.order)
				placed.Add(1)
			}
		})
	}
	for i := range orders {
		switch i {
		case orders / 4: // the till is away
			if err := s.till.Faults(bookings.Faults{Down: true}); err != nil {
				t.Fatal(err)
			}
		case orders / 3, 2 * orders / 3: // the box starts anew
			s.r.down()
			s.r.boot()
		case orders / 2:
			if err := s.till.Faults(bookings.Faults{}); err != nil {
				t.Fatal(err)
			}
		}
		kind, o := s.guest(i, rng)
		work <- one{kind, o}
	}
	close(work)
	guests.Wait()

	// What the box was never told is in the feed; what is for later is released; what is not in the POS is typed in.
	s.r.wait("every order is here", func() bool {
		if status, err := s.r.call(http.MethodPost, "/v1/integrations/otter/sync", nil, nil); err != nil || status != http.StatusAccepted {
			t.Fatalf("sync: %d %v", status, err)
		}
		return len(s.every()) == orders
	})
	var all map[string]*delivered
	typed := 0
	for end := time.Now().Add(2*time.Minute + time.Duration(orders)*200*time.Millisecond); ; {
		all = s.every()
		open, later, heard := 0, 0, 0
		for id, o := range all {
			switch g := s.orders[id]; {
			case o.State == "scheduled":
				later++
			case o.InPOS == "pending":
				open++
			case o.InPOS == "no" && o.State != "cancelled":
				open++
				typed++
				if what := []string{"added-manually", "retry"}[typed%2]; g.kind == unlinkedOrder || what == "added-manually" {
					s.r.act(o.ID, "added-manually")
				} else {
					s.r.act(o.ID, what)
				}
			case o.VoidPending:
				open++
				s.r.act(o.ID, "void-done")
			case o.State == "accepted" || o.State == "prepared":
				if s.cancelledThere(g) {
					break // its cancellation is on its way, or came after the order was over
				}
				open++
				s.r.act(o.ID, "ready")
				s.r.act(o.ID, "handed-over")
			case o.State == "handed_off":
				open++
				if err := s.Progress(t.Context(), g.all[0].Slug, id, channel.Fulfilled); err != nil && refusal(err) == 0 {
					t.Error(err)
				}
			}
			if s.cancelledThere(s.orders[id]) && o.State != "cancelled" {
				heard++
			}
		}
		if open+later+heard == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d orders are still open, %d for later, %d cancellations unheard", open, later, heard)
		}
		if open == 0 {
			s.pass(30 * time.Minute)
		}
		if _, err := s.r.call(http.MethodPost, "/v1/integrations/otter/sync", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.r.wait("Otter heard everything", func() bool {
		var v struct{ Queue struct{ Waiting int } }
		_, err := s.r.call(http.MethodGet, "/v1/integrations/otter", nil, &v)
		s.pass(time.Second)
		return err == nil && v.Queue.Waiting == 0
	})
	s.r.wait("all paper is out", func() bool {
		var list struct{ Printers []struct{ Queue int } }
		_, err := s.r.call(http.MethodGet, "/v1/printers", nil, &list)
		return err == nil && !slices.ContainsFunc(list.Printers, func(p struct{ Queue int }) bool { return p.Queue > 0 })
	})
	s.judge(all, orders)
}

// cancelledThere tells whether the guest cancelled.
func (s *soiree) cancelledThere(g *guest) bool {
	return g.kind == cancelledOrder || g.kind == cancelledFirst
}

// judge compares the ledgers with what the box says.
func (s *soiree) judge(all map[string]*delivered, orders int) {
	t := s.t
	if here, there := len(all), len(s.Orders()); here != orders || there != orders {
		t.Errorf("the box has %d orders, Otter %d; %d were placed", here, there, orders)
	}
	taken := map[string][]simlightspeed.Taken{} // by the number that the courier says
	for _, o := range s.till.Orders() {
		if o.Account == "" {
			continue
		}
		words := strings.Fields(o.Note)
		at := slices.IndexFunc(words, func(w string) bool { return len(w) == 7 && w[0] == 'K' && w[6] == 'X' })
		if at < 0 {
			t.Errorf("nobody knows whose %q is", o.Note)
			continue
		}
		taken[words[at]] = append(taken[words[at]], o)
	}
	paper := map[string]int{}
	for _, p := range s.r.printers["grill"].Tickets() {
		if p.Banner || p.Partial || strings.Contains(p.Text, "MODIFIÉ") || strings.Contains(p.Text, "ANNULÉ") || strings.Contains(p.Text, "PAS EN CAISSE") {
			continue
		}
		for _, word := range strings.Fields(p.Text) {
			if len(word) == 7 && word[0] == 'K' && word[6] == 'X' {
				paper[word]++
				break
			}
		}
	}
	counts := map[string]int{}
	for id, o := range all {
		g := s.orders[id]
		number := g.all[0].FriendlyID
		counts[o.State+" "+o.InPOS]++
		if s.cancelledThere(g) != (o.State == "cancelled") || !s.cancelledThere(g) && o.State != "fulfilled" {
			t.Errorf("%s order %s ends %s", g.kind, id, o.State)
		}
		if o.InPOS != "yes" && o.InPOS != "manual" && !(o.InPOS == "" && o.State == "cancelled") || o.VoidPending {
			t.Errorf("%s order %s ends %q in the POS, void pending %t", g.kind, id, o.InPOS, o.VoidPending)
		}
		at := taken[number]
		switch {
		case o.InPOS == "yes" && len(at) != 1, o.InPOS == "" && len(at) != 0, len(at) > 1:
			t.Errorf("%s order %s stands %q, and the till has it %d times", g.kind, id, o.InPOS, len(at))
		case o.InPOS == "yes":
			if !slices.ContainsFunc(g.all, func(v channel.Order) bool { return alike(&v, &at[0]) }) {
				t.Errorf("%s order %s: the till has %+v, the guest ordered %+v", g.kind, id, at[0], g.all)
			}
		}
		switch n := paper[number]; {
		case n > 1, n == 0 && o.State != "cancelled":
			t.Errorf("%s order %s is on paper %d times", g.kind, id, n)
		}
		e, known := s.Order(g.all[0].Slug, id)
		if !known || o.State == "fulfilled" && e.Created == 0 && len(e.Failures) == 0 && e.Did(deliveries.Accepted) == 0 {
			t.Errorf("%s order %s: Otter never heard what became of it", g.kind, id)
		}
	}
	t.Logf("the evening: %v", counts)
}

// alike tells whether the till has what a guest ordered: each line, price, modifier and note.
func alike(o *channel.Order, at *simlightspeed.Taken) bool {
	if at.Total != costs(o) || !strings.Contains(at.Note, o.Note) || !strings.HasPrefix(at.Note, o.Partner+" "+o.FriendlyID) || len(at.Items) != len(o.Lines) {
		return false
	}
	for i := range o.Lines {
		l, x := &o.Lines[i], &at.Items[i]
		if x.SKU != l.SKU || x.Quantity != l.Quantity || x.Price != l.Price || len(x.Items) != len(l.Modifiers) {
			return false
		}
		for k := range l.Modifiers {
			if m := &x.Items[k]; m.SKU != l.Modifiers[k].SKU || m.Price != l.Modifiers[k].Price {
				return false
			}
		}
	}
	return true
}
