package pos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/kounta"
)

// OSeries is a Lightspeed O till. Orders are looked for before and after they are made, by sale number.
type OSeries struct {
	client   *kounta.Client
	site     string
	status   string // of an order that is handed over
	currency string
	decimals int
	settle   time.Duration
}

// oSettle is how long after an order was made its absence from lists means nothing.
const oSettle = 20 * time.Second

const oName = "Lightspeed O"

var _ Adapter = (*OSeries)(nil)

// NewOSeries makes the adapter of a client, which makes an order once in each Ensure (kounta.Config.Creates 1). status is that
// of handed-over orders: kounta.Accepted where the box accepts for the till, kounta.Submitted where staff do.
func NewOSeries(c *kounta.Client, site, currency, status string) *OSeries {
	return &OSeries{client: c, site: site, status: status, currency: currency, decimals: wire.Decimals(currency), settle: oSettle}
}

// Close ends idle connections.
func (o *OSeries) Close() { o.client.Close() }

// Info tells whether the till is there.
func (o *OSeries) Info(ctx context.Context) (Info, error) {
	online, err := o.client.Online(ctx)
	if err != nil {
		if no := certain(oName, err); no != nil {
			err = no
		}
	}
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

// Inject hands an order over. One that is paid is completed, so that it is in the reports. What a line's modifiers cost is in
// its price; those without a product are words in its notes.
func (o *OSeries) Inject(ctx context.Context, order Order) (Opened, error) {
	k := kounta.Order{Reference: order.Reference, Status: o.status, Notes: order.note(), PlacedAt: order.PlacedAt, FulfilAt: order.CollectAt, Total: order.Total}
	for i := range order.Lines {
		l := &order.Lines[i]
		if l.SKU == "" {
			return Opened{}, &Refusal{Code: Unlinked, Detail: fmt.Sprintf("%q has no product at the till", l.Name)}
		}
		line := kounta.Line{Product: l.SKU, Quantity: l.Quantity, Price: l.each(), Notes: l.Notes}
		words := oModifiers(l.Modifiers, &line)
		if len(words) > 0 {
			line.Notes = strings.TrimPrefix(line.Notes+"; "+strings.Join(words, ", "), "; ")
		}
		k.Lines = append(k.Lines, line)
	}
	if order.Discount.Code != "" && order.Discount.Amount > 0 { // a product of its own, with a price below zero
		k.Lines = append(k.Lines, kounta.Line{Product: order.Discount.Code, Quantity: 1, Price: -order.Discount.Amount})
	}
	if order.Method != "" {
		k.Payments, k.Complete = []kounta.Payment{{Method: order.Method, Amount: order.Paid, Ref: order.Reference}}, true
	}
	if err := k.Check(); err != nil {
		return Opened{}, refusal(Validation, err.Error(), nil)
	}
	online, err := o.client.Online(ctx)
	switch {
	case err != nil:
		if no := certain(oName, err); no != nil {
			return Opened{}, no
		}
		return Opened{}, refusal(Offline, oName+" does not tell how its site stands", err)
	case !online:
		return Opened{}, refusal(OfflineTill, "the till of the site is not online; open it or look at its network", nil)
	}
	found, existed, err := o.client.Ensure(ctx, k)
	if err == nil {
		return o.opened(&found, existed), nil
	}
	if no := certain(oName, err); no != nil && !errors.Is(err, kounta.ErrUnknown) && !errors.Is(err, kounta.ErrSeveral) {
		return Opened{}, no
	}
	return Opened{}, fmt.Errorf("%w: %w", ErrUnknown, err)
}

// oModifiers adds the products of modifiers to a line and gives words for the rest.
func oModifiers(all []Modifier, to *kounta.Line) (words []string) {
	for i := range all {
		m := &all[i]
		n := max(m.Quantity, 1)
		if id, err := strconv.ParseInt(m.SKU, 10, 64); err == nil {
			for range min(n, 1000) {
				to.Modifiers = append(to.Modifiers, id)
			}
		} else if n > 1 {
			words = append(words, fmt.Sprintf("%d x %s", n, m.Name))
		} else {
			words = append(words, m.Name)
		}
		words = append(words, oModifiers(m.Modifiers, to)...)
	}
	return words
}

func (o *OSeries) opened(f *kounta.Found, existed bool) Opened {
	found := Opened{ID: f.Identifier(), Table: string(f.Table), Existed: existed}
	if n, err := wire.Minor(f.Total, o.decimals); err == nil && len(f.Total) > 0 {
		found.Total, found.Priced = n, true
	}
	return found
}

// Find looks for an order among all of a day around.
func (o *OSeries) Find(ctx context.Context, l Look) (Opened, bool, error) {
	if l.At.IsZero() {
		l.At = time.Now()
	}
	found, ok, err := o.client.Find(ctx, l.Reference, kounta.Any, l.At)
	switch {
	case errors.Is(err, kounta.ErrSeveral): // it is there, more than once even
		return o.opened(&found, true), true, nil
	case err != nil:
		if no := certain(oName, err); no != nil {
			return Opened{}, false, no
		}
		return Opened{}, false, err
	case !ok:
		return Opened{}, false, nil
	}
	return o.opened(&found, true), true, nil
}

// Resend: the site makes an order at each request, and shows it late.
func (o *OSeries) Resend() Resend { return Resend{Settle: o.settle} }

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

// SetAvailability shows a product online, or hides it.
func (o *OSeries) SetAvailability(ctx context.Context, sku string, available bool) error {
	return o.client.SetAvailability(ctx, sku, available)
}
