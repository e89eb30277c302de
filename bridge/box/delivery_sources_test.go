package box

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/protocol/channel"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliverect"
	"aboyeur/simulate/deliveries"
	"aboyeur/simulate/otter"
	"aboyeur/simulate/ubereats"
)

// served is a simulated aggregator's address.
func served(t *testing.T, s interface {
	Serve(ctx context.Context, l net.Listener) error
}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	return "http://" + l.Addr().String()
}

// aggregators has the box serve simulated Otter, Deliverect and Uber Eats, which are as change says.
func (r *rig) aggregators(change func(*deliveries.Config)) map[string]*deliveries.Simulator {
	r.t.Helper()
	dir := r.t.TempDir()
	for name, text := range map[string]string{"secret": otterSecret, "credentials": "{client_id: id, client_secret: secret}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	sims := map[string]*deliveries.Simulator{}
	section := "delivery:\n"
	for _, name := range []string{"otter", "deliverect", "ubereats"} {
		config := deliveries.Config{Store: "S1", ClientID: "id", ClientSecret: "secret", Secret: []byte(otterSecret), Hook: r.base + "/webhooks/" + name, Unlimited: true}
		change(&config)
		var base, more string
		switch name {
		case "otter":
			s, err := otter.New(config)
			if err != nil {
				r.t.Fatal(err)
			}
			sims[name], base = s.Simulator, served(r.t, s)
		case "deliverect":
			s, err := deliverect.New(config)
			if err != nil {
				r.t.Fatal(err)
			}
			sims[name], base, more = s.Simulator, served(r.t, s), fmt.Sprintf(", channels: {just-eat: {number: %q}}", deliverect.Number)
		case "ubereats":
			s, err := ubereats.New(config)
			if err != nil {
				r.t.Fatal(err)
			}
			sims[name], base = s.Simulator, served(r.t, s)
		}
		section += fmt.Sprintf("  - {aggregator: %s, store: S1, base_url: %q, webhook_secret_file: %q, credentials_file: %q%s}\n", name, base, filepath.Join(dir, "secret"), filepath.Join(dir, "credentials"), more)
	}
	c, err := firmwareconfig.Parse("delivery.yaml", []byte(fmt.Sprintf(rigConfig, "x", "127.0.0.1:1", "x", "h:1", "h:2")+section))
	if err != nil {
		r.t.Fatal(err)
	}
	r.config.Delivery = c.Delivery
	return sims
}

// TestThreeAggregators has one box serve Otter, Deliverect and Uber Eats at once, each on a bad evening: messages late, twice, out
// of order and forged, calls refused and answers lost, and the box restarts in the middle. Each order is on paper once with its
// prices, notes and modifiers, each aggregator hears of its own once, and an order that two of them bring counts once.
func TestThreeAggregators(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	evening := cloud.Faults{Seed: 5, LateBy: cloud.Duration(10 * time.Millisecond), TimeoutBy: cloud.Duration(50 * time.Millisecond), Rates: map[cloud.Kind]float64{
		cloud.Late: .1, cloud.Duplicate: .3, cloud.OutOfOrder: .1, cloud.Forged: .2, cloud.Unauthorized: .05, cloud.Broken: .1, cloud.LostAnswer: .1, cloud.Refused: .05}}
	sims := r.aggregators(func(c *deliveries.Config) { c.Faults = evening })
	all := &links{}
	r.change = func(o *Options) { o.resolver, o.backoff = all, []time.Duration{20 * time.Millisecond} }
	r.start()

	slugs := map[string]string{"otter": "deliveroo", "deliverect": "just-eat", "ubereats": "ubereats"}
	make1 := func(by string, n int) channel.Order {
		id := fmt.Sprintf("%s-%02d", by, n)
		return channel.Order{Slug: slugs[by], ID: id, FriendlyID: fmt.Sprintf("F%c%02d", by[0], n), Service: "delivery", Customer: channel.Customer{Name: "Zoé L."}, Currency: "EUR", Decimals: 2,
			PlacedAt: time.Now().UTC().Truncate(time.Millisecond),
			Lines: []channel.Line{{ID: "PIZ", SKU: "PIZ", Name: "Pizza", Category: "Pizza", Note: "bien cuite", Quantity: 2, Price: 1150,
				Modifiers: []channel.Modifier{{ID: "GR", SKU: "GR", Name: "Grande", Group: "Taille", GroupID: "g-1", Quantity: 1, Price: 200}}}},
			Charges: channel.Charges{Subtotal: 2700, Total: 2700}, Payments: []channel.Payment{{Amount: 2700, Method: "card"}}}
	}
	each := 4
	if *long {
		each = 60
	}
	place := func(from, to int) {
		t.Helper()
		var guests sync.WaitGroup
		for by, sim := range sims {
			guests.Go(func() {
				for n := from; n < to; n++ {
					order := make1(by, n)
					if err := sim.Place(t.Context(), order); err != nil {
						t.Errorf("%s: %v", order.ID, err)
					}
					if n%4 == 3 {
						if err := sim.Cancel(t.Context(), order.Slug, order.ID, "CUSTOMER_CALLED_TO_CANCEL"); err != nil {
							t.Errorf("cancel %s: %v", order.ID, err)
						}
					}
				}
			})
		}
		guests.Wait()
	}
	place(0, each/2)
	r.down()
	late := make(chan struct{})
	go func() { defer close(late); place(each/2, each) }() // while nobody listens
	r.start()
	<-late

	// The same order of Uber's comes by Otter and from Uber itself.
	double := make1("ubereats", 50)
	for _, by := range []string{"ubereats", "otter"} {
		if err := sims[by].Place(t.Context(), double); err != nil {
			t.Errorf("by %s: %v", by, err)
		}
	}

	heard := func(e deliveries.Entry) int { return e.Created + e.Did(deliveries.Accepted) }
	for by, sim := range sims {
		for n := range each {
			want := make1(by, n)
			var got *delivered
			r.wait(want.ID+" stands as its guest wants it", func() bool {
				got = r.ordered(want.ID)
				return got != nil && (got.State == "cancelled") == (n%4 == 3) && (n%4 == 3 || got.State == "accepted" && got.InPOS == "yes")
			})
			if l := got.Lines; len(l) != 1 || l[0].Name != "Pizza" || l[0].Quantity != 2 || l[0].Price != 1150 || l[0].Notes != "bien cuite" || got.Total != 2700 || got.Partner.OrderID != want.FriendlyID {
				t.Errorf("%s is %+v", want.ID, got)
			}
			if n%4 == 3 {
				continue
			}
			r.wait(by+" hears that the box has "+want.ID, func() bool {
				e, _ := sim.Order(want.Slug, want.ID)
				return heard(e) > 0
			})
			e, _ := sim.Order(want.Slug, want.ID)
			for _, a := range e.Acts { // what is told again after a lost answer says so
				if first := e.Acts[0]; a != first && a.Op == first.Op && a.Event == first.Event && a.Detail == first.Detail && !a.Again {
					t.Errorf("%s heard %+v", by, e.Acts)
				}
			}
			if len(e.Failures) > 0 {
				t.Errorf("%s: %+v", want.ID, e.Failures)
			}
		}
		if h := sim.Hooks(); h.Fooled > 0 {
			t.Errorf("%s fooled the box: %+v", by, h)
		}
	}
	r.wait("both integrators' order is there", func() bool { return r.ordered(double.ID) != nil })
	if list := r.orders(""); len(list) != 3*each+1 {
		t.Errorf("%d orders, want %d", len(list), 3*each+1)
	}
	r.wait("paper has each order", func() bool { return len(r.onPaper(each)) == 3*each*3/4 })
	for id, n := range r.onPaper(each) {
		if n > 1 {
			t.Errorf("%s is on paper %d times without a banner", id, n)
		}
	}
}

// onPaper counts the tickets that are no reprints of each order of the test that stands, by what the courier says.
func (r *rig) onPaper(each int) map[string]int {
	count := map[string]int{}
	for _, by := range []byte{'o', 'd', 'u'} {
		for n := range each {
			if n%4 == 3 { // cancelled, which is a ticket of its own
				continue
			}
			name := fmt.Sprintf("F%c%02d", by, n)
			for _, p := range r.printers {
				for _, t := range p.Tickets() {
					if !t.Banner && strings.Contains(t.Text, name) {
						count[name]++
					}
				}
			}
		}
	}
	return count
}
