package dinner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/simulate/deliveries"
)

// Deliveries are guests at home: they order through a simulated aggregator, a few change their mind, and couriers fetch what
// the restaurant says is ready.
type Deliveries struct {
	Market *deliveries.Simulator
	Rate   float64 // orders a minute, on average

	mu     sync.Mutex // guards the ledger
	ledger DeliveryLedger
}

// DeliveryLedger is what the guests were told.
type DeliveryLedger struct {
	Orders    int      // taken by the box
	Cancelled int      // of them
	Refused   int      // not taken
	Faults    []string // the first few, in words
}

// Ledger is what happened so far.
func (d *Deliveries) Ledger() DeliveryLedger {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.ledger
	l.Faults = append([]string(nil), l.Faults...)
	return l
}

// Run orders until ctx ends, the first orders a moment after the doors open.
func (d *Deliveries) Run(ctx context.Context) error {
	timer, courier := time.NewTimer(500*time.Millisecond), time.NewTicker(time.Second)
	defer timer.Stop()
	defer courier.Stop()
	menus := Menus()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-courier.C:
			d.fetch(ctx)
		case <-timer.C:
			if m := menus[n%len(menus)]; m.Service != "dine_in" {
				d.order(ctx, m, n)
				timer.Reset(time.Duration(rand.ExpFloat64() * float64(time.Minute) / d.Rate))
			} else {
				timer.Reset(0)
			}
			n++
		}
	}
}

// order has one guest order a menu; every twelfth thinks better of it.
func (d *Deliveries) order(ctx context.Context, m Order, n int) {
	slug := strings.ReplaceAll(strings.ToLower(m.Partner.Name), " ", "")
	if slug == "" {
		m.Partner.Name, slug = "Deliveroo", "deliveroo"
	}
	id := fmt.Sprintf("%s-%d-%d", slug, time.Now().UnixNano(), n)
	o := channel.Order{
		Aggregator: "otter", Partner: m.Partner.Name, Slug: slug, ID: id, FriendlyID: strings.ToUpper(fmt.Sprintf("%05x", rand.IntN(1<<20))), AggregatorID: "otter-" + id,
		Service: m.Service, Note: m.Notes, Currency: m.Currency, Decimals: 2,
	}
	if m.Customer != nil {
		o.Customer = channel.Customer{Name: m.Customer.Name, Phone: m.Customer.Phone}
	}
	for i, l := range m.Lines {
		line := channel.Line{ID: l.SKU, LineID: fmt.Sprint(i), SKU: l.SKU, Name: l.Name, Category: l.Category, Note: l.Notes, Quantity: l.Quantity, Price: int64(l.Price), Modifiers: choices(l.Modifiers)}
		o.Charges.Subtotal += int64(l.Quantity) * (line.Price + extra(line.Modifiers))
		o.Lines = append(o.Lines, line)
	}
	o.Charges.DeliveryFee = 299
	o.Charges.Total = o.Charges.Subtotal + o.Charges.DeliveryFee
	o.Payments = []channel.Payment{{Amount: o.Charges.Total, Method: "card"}}
	// What is on its way when the evening ends still arrives.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	cancels := n%12 == 11
	err := d.Market.Place(ctx, o)
	if err == nil && cancels {
		err = d.Market.Cancel(ctx, o.Slug, o.ID, "CUSTOMER_CALLED_TO_CANCEL")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.ledger.Refused++
		if len(d.ledger.Faults) < maxFaults {
			d.ledger.Faults = append(d.ledger.Faults, "order of "+o.Partner+": "+err.Error())
		}
		return
	}
	d.ledger.Orders++
	if cancels {
		d.ledger.Cancelled++
	}
}

// fetch has couriers take what the restaurant says is ready.
func (d *Deliveries) fetch(ctx context.Context) {
	for _, e := range d.Market.Orders() {
		if e.Status == channel.Prepared {
			if err := d.Market.Progress(ctx, e.Order.Slug, e.Order.ID, channel.Fulfilled); err != nil && ctx.Err() == nil {
				d.mu.Lock()
				if len(d.ledger.Faults) < maxFaults {
					d.ledger.Faults = append(d.ledger.Faults, err.Error())
				}
				d.mu.Unlock()
			}
		}
	}
}

func choices(list []Modifier) (all []channel.Modifier) {
	for _, m := range list {
		all = append(all, channel.Modifier{ID: strings.ToValidUTF8(m.SKU, "_"), SKU: strings.ToValidUTF8(m.SKU, "_"), Name: m.Name, Group: "Choix", GroupID: "choix", Quantity: m.Quantity, Price: int64(m.Price), Modifiers: choices(m.Modifiers)})
	}
	return all
}

func extra(list []channel.Modifier) (sum int64) {
	for _, m := range list {
		sum += int64(m.Quantity) * (m.Price + extra(m.Modifiers))
	}
	return sum
}
