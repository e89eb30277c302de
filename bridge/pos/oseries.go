package pos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/kounta"
	"aboyeur/protocol/rest"
)

// OSeries is a Lightspeed O till. Orders are looked for before and after they are made, by sale number and value.
type OSeries struct {
	client   *kounta.Client
	site     string
	status   string // of an order that is handed over
	decimals int

	mu   sync.Mutex // guards sent
	sent []sent     // what was handed over lately, oldest first: FindByReference needs its value
}

// sent is what makes an order of ours findable.
type sent struct {
	reference string
	total     int64
	at        time.Time
}

// maxSent bounds what is remembered of orders.
const maxSent = 512

var _ Adapter = (*OSeries)(nil)

// NewOSeries makes the adapter of a client. status is that of handed-over orders: kounta.Accepted where the box accepts for
// the till, kounta.Submitted where staff do.
func NewOSeries(c *kounta.Client, site, currency, status string) *OSeries {
	return &OSeries{client: c, site: site, status: status, decimals: wire.Decimals(currency)}
}

// Close ends idle connections.
func (o *OSeries) Close() { o.client.Close() }

// Info tells whether the till is there.
func (o *OSeries) Info(ctx context.Context) (Info, error) {
	online, err := o.client.Online(ctx)
	return Info{Kind: "lightspeed-o", Location: o.site, Online: online, Open: online}, err
}

// Tables are the site's.
func (o *OSeries) Tables(ctx context.Context) ([]Table, error) {
	found, err := o.client.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var all []Table
	for _, t := range found {
		all = append(all, Table{ID: string(t.ID), Name: string(t.Name), Seats: t.Seats, Active: true})
	}
	return all, nil
}

// Groups are the product categories.
func (o *OSeries) Groups(ctx context.Context) ([]Group, error) {
	products, err := o.client.Products(ctx)
	if err != nil {
		return nil, err
	}
	var all []Group
	for _, p := range products {
		if g := (Group{"category", p.Category.Name}); g.Value != "" && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all, nil
}

// Profiles are not known there.
func (o *OSeries) Profiles(context.Context) ([]Choice, error) { return nil, ErrUnsupported }

// OpenCheck is not known there: an order is made with its lines.
func (o *OSeries) OpenCheck(context.Context, Opening) (Opened, error) {
	return Opened{}, ErrUnsupported
}

// Inject hands an order over. One that is paid is completed, so that it is in the reports.
func (o *OSeries) Inject(ctx context.Context, order Order) (Opened, error) {
	k := kounta.Order{Reference: order.Reference, Status: o.status, Notes: order.note(), PlacedAt: order.PlacedAt, FulfilAt: order.CollectAt, Total: order.Total}
	for _, l := range order.Lines {
		if l.SKU == "" {
			return Opened{}, &Refusal{Code: Unlinked, Detail: fmt.Sprintf("%q has no product at the till", l.Name)}
		}
		k.Lines = append(k.Lines, kounta.Line{Product: l.SKU, Quantity: l.Quantity, Price: l.Price, Notes: l.Notes})
	}
	if order.Method != "" {
		k.Payments, k.Complete = []kounta.Payment{{Method: order.Method, Amount: order.Paid, Ref: order.Reference}}, true
	}
	o.remember(sent{order.Reference, order.Total, order.PlacedAt})
	found, existed, err := o.client.Ensure(ctx, k)
	switch {
	case err == nil:
		return Opened{ID: found.Identifier(), Table: string(found.Table), Existed: existed}, nil
	case errors.Is(err, kounta.ErrUnknown), errors.Is(err, kounta.ErrSeveral):
		return Opened{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	case rest.FateOf(err) == rest.Refused:
		return Opened{}, refusal(Validation, "the till does not take the order", err)
	case rest.FateOf(err) == rest.NotSent:
		return Opened{}, refusal(Offline, "the till's cloud cannot be reached", err)
	}
	return Opened{}, fmt.Errorf("%w: %w", ErrUnknown, err)
}

func (o *OSeries) remember(s sent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = slices.DeleteFunc(o.sent, func(was sent) bool { return was.reference == s.reference })
	if len(o.sent) == maxSent {
		o.sent = slices.Delete(o.sent, 0, 1)
	}
	o.sent = append(o.sent, s)
}

// FindByReference looks for an order that this process handed over. Of others it does not know the value to look by, which is
// ErrUnknown; Inject knows it.
func (o *OSeries) FindByReference(ctx context.Context, reference string) (Opened, bool, error) {
	o.mu.Lock()
	at := slices.IndexFunc(o.sent, func(s sent) bool { return s.reference == reference })
	var s sent
	if at >= 0 {
		s = o.sent[at]
	}
	o.mu.Unlock()
	if at < 0 {
		return Opened{}, false, ErrUnknown
	}
	if s.at.IsZero() {
		s.at = time.Now()
	}
	found, ok, err := o.client.Find(ctx, reference, s.total, s.at)
	if err != nil || !ok {
		return Opened{}, false, err
	}
	return Opened{ID: found.Identifier(), Table: string(found.Table), Existed: true}, true, nil
}

// Check gives an open order by its number, from the tables' list.
func (o *OSeries) Check(ctx context.Context, id string) (booking.Check, error) {
	tables, err := o.client.Tables(ctx)
	if err != nil {
		return booking.Check{}, err
	}
	for _, t := range tables {
		for _, f := range t.Orders {
			if f.Identifier() != id {
				continue
			}
			c := booking.Check{ID: id, Open: f.Status != kounta.Complete, Tables: []string{string(t.Name)}, Decimals: o.decimals}
			minor := func(v jsontext.Value) int64 {
				n, failed := wire.Minor(v, o.decimals)
				if failed != nil {
					err = failed
				}
				return n
			}
			c.Total, c.Paid = minor(f.Total), minor(f.Paid)
			c.Due = max(c.Total-c.Paid, 0)
			for _, l := range f.Lines {
				quantity, failed := wire.Minor(l.Quantity, 3)
				if failed != nil {
					err = failed
				}
				c.Lines = append(c.Lines, booking.Line{Name: l.Name, SKU: string(l.Product), Group: l.Category, Quantity: int(quantity / 1000), Amount: minor(l.Price) * quantity / 1000})
			}
			return c, err
		}
	}
	return booking.Check{}, &Refusal{Code: CheckClosed, Detail: "no open order has that number"}
}

// AddPayment is not known there.
func (o *OSeries) AddPayment(context.Context, Payment) error { return ErrUnsupported }

// SetAvailability is not known there.
func (o *OSeries) SetAvailability(context.Context, string, bool) error { return ErrUnsupported }
