package box

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
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
)

// What an evening's order goes through.
const (
	plainOrder     = "plain"
	scheduledOrder = "scheduled"
	changedOrder   = "changed"
	cancelledOrder = "cancelled"
	cancelledFirst = "cancelled before it came"
	unlinkedOrder  = "unlinked"
	twiceOrder     = "brought by two integrators"
)

// soiree is an evening of orders from three aggregators, at a till that is not the box's.
type soiree struct {
	t      *testing.T
	r      *rig
	sims   map[string]*deliveries.Simulator
	till   *simlightspeed.Simulator
	links  links
	offset atomic.Int64

	unheard []placed // orders whose accept Uber Eats has still to hear

	mu     sync.Mutex // guards what follows
	orders map[string]*guest
}

// placed is an order that an aggregator has.
type placed struct {
	id string
	at time.Time
}

// guest is an order as it was meant.
type guest struct {
	kind string
	by   []string        // aggregators that bring it, the first one first
	all  []channel.Order // each version
}

// off tells whether the guest cancelled.
func (g *guest) off() bool { return g.kind == cancelledOrder || g.kind == cancelledFirst }

func (s *soiree) now() time.Time       { return time.Now().Add(time.Duration(s.offset.Load())) }
func (s *soiree) pass(d time.Duration) { s.offset.Add(int64(d)) }

// patience is how long a test waits for the box to catch up, far more than it takes on a slow machine.
func patience(orders int) time.Duration {
	return 2*time.Minute + time.Duration(orders)*100*time.Millisecond
}

// caughtUp waits until no order has waited for more than a minute of the evening to be accepted at Uber Eats. Minutes of the
// evening pass within fractions of a second: without this they would outrun any machine, and Uber would give orders up that a box
// with so much time would have accepted.
func (s *soiree) caughtUp(patience time.Duration) {
	s.t.Helper()
	uber := s.sims["ubereats"]
	end, look := time.Now().Add(patience), time.Now().Add(time.Second)
	for ; ; time.Sleep(2 * time.Millisecond) {
		s.unheard = slices.DeleteFunc(s.unheard, func(o placed) bool {
			e, known := uber.Order("ubereats", o.id)
			return known && e.Status != channel.New
		})
		since := s.now().Add(-time.Minute)
		i := slices.IndexFunc(s.unheard, func(o placed) bool { return o.at.Before(since) })
		switch now := time.Now(); {
		case i < 0:
			return
		case now.After(end):
			s.t.Fatalf("%s waits to be accepted, as %d do", s.unheard[i].id, len(s.unheard))
		case now.After(look): // Uber gave up telling of it while the box was away
			look = now.Add(time.Second)
			s.sync("ubereats")
		}
	}
}

// sync has the box compare with an aggregator.
func (s *soiree) sync(by string) {
	s.t.Helper()
	if status, err := s.r.call(http.MethodPost, "/v1/integrations/"+by+"/sync", nil, nil); err != nil || status != http.StatusAccepted {
		s.t.Fatalf("sync: %d %v", status, err)
	}
}

func newSoiree(t *testing.T) *soiree {
	t.Helper()
	s := &soiree{t: t, r: newRig(t), orders: map[string]*guest{}}
	s.sims = s.r.aggregators(func(c *deliveries.Config) {
		c.Now, c.Keep = s.now, 100_000
		c.Faults = cloud.Faults{Seed: 7, LateBy: cloud.Duration(20 * time.Millisecond), RetryAfter: cloud.Duration(time.Second), Rates: map[cloud.Kind]float64{
			cloud.Duplicate: .1, cloud.OutOfOrder: .05, cloud.Late: .05, cloud.Forged: .02, cloud.LostAnswer: .02, cloud.Broken: .02, cloud.Unauthorized: .01, cloud.TooMany: .01}}
	})
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
	s.r.change = func(o *Options) {
		o.Now, o.resolver = s.now, &s.links
		quickPOS(o)
		o.backoff = []time.Duration{20 * time.Millisecond}
		o.pause = 2 * time.Millisecond // the clock is looked at often, for it passes fast
	}
	return s
}

// guest makes the order of one guest.
func (s *soiree) guest(i int, rng *rand.Rand) (*guest, channel.Order) {
	g := &guest{kind: plainOrder}
	switch n := i * 37 % 100; { // some of each, however few there are
	case n < 10:
		g.kind = scheduledOrder
	case n < 20:
		g.kind = changedOrder
	case n < 30:
		g.kind = cancelledOrder
	case n < 35:
		g.kind = cancelledFirst
	case n < 40:
		g.kind = unlinkedOrder
	case n < 45:
		g.kind = twiceOrder
	}
	by := []string{"otter", "deliverect", "ubereats"}[i%3]
	partner := map[string][]struct{ slug, name string }{"otter": {{"deliveroo", "Deliveroo"}, {"doordash", "DoorDash"}}, "deliverect": {{"just-eat", "Just Eat"}}, "ubereats": {{"ubereats", "Uber Eats"}}}[by]
	p := partner[i%len(partner)]
	switch {
	case g.kind == twiceOrder && by == "otter": // what Otter alone brings nobody else can
		g.kind = plainOrder
	case g.kind == twiceOrder && i%2 == 0:
		g.by = []string{"otter", by}
	case g.kind == twiceOrder:
		g.by = []string{by, "otter"}
	case g.kind == changedOrder && by == "deliverect": // which sends no changes
		g.kind = plainOrder
	}
	if g.by == nil {
		g.by = []string{by}
	}
	o := channel.Order{
		Partner: p.name, Slug: p.slug, ID: fmt.Sprintf("id-%05d", i), FriendlyID: fmt.Sprintf("K%05dX", i), AggregatorID: fmt.Sprintf("agg-%05d", i),
		Status: channel.New, Service: "delivery", Currency: "EUR", Decimals: 2, Note: fmt.Sprintf("note %d", i), Customer: channel.Customer{Name: "Zoé"}, PlacedAt: s.now().UTC().Truncate(time.Millisecond),
	}
	for n := range 1 + rng.IntN(3) {
		sku := fmt.Sprintf("PIZ-%d", rng.IntN(50))
		l := channel.Line{ID: sku, SKU: sku, Name: fmt.Sprintf("Pizza %d", n), Category: "Pizza", Quantity: 1 + rng.IntN(3), Price: int64(900 + rng.IntN(600))}
		for k := range rng.IntN(3) {
			sku := fmt.Sprintf("MOD-%d", k)
			l.Modifiers = append(l.Modifiers, channel.Modifier{ID: sku, SKU: sku, Name: fmt.Sprintf("Supplément %d", k), Group: "Extra", GroupID: "g", Quantity: 1, Price: int64(50 * (k + 1))})
		}
		o.Lines = append(o.Lines, l)
	}
	if g.kind == unlinkedOrder {
		o.Lines[0].Name = "Unlinked"
	}
	if g.kind == scheduledOrder {
		o.Scheduled, o.PickupAt = true, s.now().Add(time.Duration(60+rng.IntN(60))*time.Minute).UTC().Truncate(time.Second)
	}
	o.Charges.Subtotal = costs(&o)
	o.Charges.Total = o.Charges.Subtotal
	o.Payments = []channel.Payment{{Amount: o.Charges.Total, Method: "card"}}
	g.all = []channel.Order{o}
	return g, o
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

// live has one guest order, and does with it what its kind says.
func (s *soiree) live(g *guest, o channel.Order) {
	s.mu.Lock()
	s.orders[o.ID] = g
	s.mu.Unlock()
	ctx := s.t.Context()
	lost := func(err error) { // a box that is away is no news
		var h *cloud.HookError
		if err != nil && !(errors.As(err, &h) && (h.Err != nil || h.Status >= 500)) {
			s.t.Errorf("order %s: %v", o.ID, err)
		}
	}
	first := s.sims[g.by[0]]
	if g.kind == cancelledFirst {
		first.Keep(o)
		lost(first.Cancel(ctx, o.Slug, o.ID, "CUSTOMER_CALLED_TO_CANCEL"))
	}
	for _, by := range g.by {
		lost(s.sims[by].Place(ctx, o))
	}
	switch g.kind {
	case cancelledOrder:
		lost(first.Cancel(ctx, o.Slug, o.ID, "CUSTOMER_CALLED_TO_CANCEL"))
	case changedOrder:
		o.Lines = slices.Clone(o.Lines)
		o.Lines[0].Quantity++
		o.Note += " changed"
		o.Charges.Subtotal = costs(&o)
		o.Charges.Total = o.Charges.Subtotal
		s.mu.Lock()
		g.all = append(g.all, o)
		s.mu.Unlock()
		lost(first.Change(ctx, o))
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

// TestDeliveryEvening is an evening of orders from three aggregators, some by two of them, with duplicates, cancellations,
// changes, orders for later, webhooks late, forged and out of order, calls refused and answers lost, a till that is away, and a
// box that starts anew twice: five thousand of them with -long, some dozens otherwise. Then the ledgers of the aggregators, of the
// till and of the printers are compared with what the box says.
func TestDeliveryEvening(t *testing.T) {
	t.Parallel()
	orders := 48
	if *long {
		orders = 5000
	}
	s := newSoiree(t)
	s.links.set("Unlinked", true)
	s.r.start()
	began := time.Now()
	s.serve(orders)
	t.Logf("served after %v", time.Since(began).Round(time.Millisecond))
	s.settle(orders)
	t.Logf("settled after %v", time.Since(began).Round(time.Millisecond))
	s.judge(s.every(), orders)
	t.Logf("judged after %v", time.Since(began).Round(time.Millisecond))
}

// serve has all guests order, while things go wrong.
func (s *soiree) serve(orders int) {
	s.t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	type one struct {
		g *guest
		o channel.Order
	}
	work := make(chan one)
	var guests sync.WaitGroup
	for range 8 {
		guests.Go(func() {
			for x := range work {
				s.live(x.g, x.o)
			}
		})
	}
	away := func(down bool) {
		if err := s.till.Faults(bookings.Faults{Down: down}); err != nil {
			s.t.Fatal(err)
		}
	}
	for i := range orders {
		switch i {
		case orders / 4:
			away(true)
		case orders * 2 / 5: // some have waited so long for the till that they count as failed
			s.pass(4 * time.Minute)
		case orders / 3, 2 * orders / 3: // the box starts anew
			s.r.down()
			s.r.boot()
		case orders / 2:
			away(false)
		}
		if i%20 == 0 {
			s.caughtUp(patience(orders))
		}
		s.pass(time.Second)
		g, o := s.guest(i, rng)
		if slices.Contains(g.by, "ubereats") {
			s.unheard = append(s.unheard, placed{o.ID, o.PlacedAt})
		}
		work <- one{g, o}
	}
	close(work)
	guests.Wait()
}

// settle does what people do until nothing is left to do: they compare with the aggregators, type in or try again what is not
// in the POS, cook, hand over, void. Couriers bring two in three orders of those aggregators that hear of it; the others end
// with the day.
func (s *soiree) settle(orders int) {
	s.t.Helper()
	t := s.t
	again := func(g *guest, by string) { // has its aggregator say it again
		if err := s.sims[by].Again(t.Context(), g.all[0].Slug, g.all[0].ID, 1); err != nil && refusal(err) == 0 {
			t.Error(err)
		}
	}
	patience := patience(orders)
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		here := s.every()
		if len(here) == orders {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d orders are here", len(here), orders)
		}
		s.sync("otter")
		s.sync("ubereats")
		for id, g := range s.orders {
			if here[id] == nil {
				again(g, g.by[0])
			}
		}
		s.caughtUp(patience)
		s.pass(time.Second)
	}
	typed, over := 0, false
	for end := time.Now().Add(patience); ; {
		open, later, ended := 0, 0, 0
		var left *delivered
		var acts []func()
		act := func(o *delivered, what string) {
			acts = append(acts, func() { s.r.act(o.ID, what) })
		}
		for id, o := range s.every() {
			g := s.orders[id]
			switch {
			case g.off() && o.State != "cancelled":
				acts = append(acts, func() { again(g, g.by[0]) })
			case o.State == "scheduled":
				later++
				continue
			case o.InPOS == "pending":
			case o.InPOS == "no" && o.State != "cancelled":
				if typed++; g.kind != unlinkedOrder && typed%2 == 0 {
					act(o, "retry")
				} else {
					act(o, "added-manually")
				}
			case o.VoidPending:
				act(o, "void-done")
			case o.State == "accepted" && o.Number%4 == 0, o.State == "prepared" && o.Number%4 == 1: // which the paper is enough for
				ended++
				continue
			case o.State == "accepted":
				act(o, "ready")
			case o.State == "prepared":
				act(o, "handed-over")
			case o.State == "handed_off" && g.by[0] != "ubereats" && o.Number%3 > 0:
				acts = append(acts, func() {
					if err := s.sims[g.by[0]].Progress(t.Context(), g.all[0].Slug, id, channel.Fulfilled); err != nil && refusal(err) == 0 {
						t.Error(err)
					}
				})
			case o.State == "handed_off":
				ended++
				continue
			default:
				continue
			}
			open++
			left = o
		}
		all8(acts)
		switch {
		case time.Now().After(end):
			t.Fatalf("%d orders are still open, as %+v, %d for later, %d for the day's end; it is over: %t", open, left, later, ended, over)
		case open > 0:
			time.Sleep(5 * time.Millisecond)
		case later > 0:
			s.quiet(patience)
			s.pass(30 * time.Minute)
		case ended > 0 && over:
			time.Sleep(50 * time.Millisecond)
		case ended > 0:
			s.quiet(patience)
			over = true
			end = time.Now().Add(patience)
			t.Logf("the day ends for %d orders", ended)
			s.pass(33 * time.Hour) // the next day's dinner, whenever this test runs
		case ended == 0:
			s.quiet(patience)
			return
		}
	}
}

// all8 does everything, eight at a time.
func all8(acts []func()) {
	var done atomic.Int64
	var all sync.WaitGroup
	for range min(8, len(acts)) {
		all.Go(func() {
			for n := done.Add(1); int(n) <= len(acts); n = done.Add(1) {
				acts[n-1]()
			}
		})
	}
	all.Wait()
}

// quiet waits until the aggregators heard everything and all paper is out. The clock passes as their limits want it: only once
// nothing goes out any more before it does.
func (s *soiree) quiet(patience time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		waiting := 0
		var next time.Time
		now := s.now()
		rest := true
		for by := range s.sims {
			q, err := s.r.box.deliveries.Queue(s.t.Context(), by)
			if err != nil {
				s.t.Fatal(err)
			}
			if q.Waiting == 0 {
				continue
			}
			waiting += q.Waiting
			rest = rest && q.NextAt.After(now)
			if next.IsZero() || q.NextAt.Before(next) {
				next = q.NextAt
			}
		}
		if waiting == 0 {
			break
		}
		if time.Now().After(end) {
			s.t.Fatalf("the aggregators have still to hear %d things", waiting)
		}
		if rest {
			s.pass(next.Sub(now) + time.Second) // by then the next few may go
		}
	}
	s.r.wait("all paper is out", func() bool {
		var list struct{ Printers []struct{ Queue int } }
		_, err := s.r.call(http.MethodGet, "/v1/printers", nil, &list)
		return err == nil && !slices.ContainsFunc(list.Printers, func(p struct{ Queue int }) bool { return p.Queue > 0 })
	})
}
