// Package aleno is a restaurant at Aleno: its reservations by webhook, and "paid" told back, after which Aleno lets the party
// depart by itself.
//
// Nothing of Aleno's interface is public but its states and that tills set Paid (spec/reservations.md 8.5). So the wire here
// is ours: reservations come in as a generic.Event under a bearer token, statuses go out as a wire.Notice, and address,
// paths and words are configuration that a partner confirms.
package aleno

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/generic"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Words is how statuses are spelt unless a venue says otherwise.
func Words() []booking.Word {
	m := func(s booking.Status, g booking.Stage) booking.Meaning { return booking.Meaning{Status: s, Stage: g} }
	return []booking.Word{
		{Name: "provisional", Wire: "Provisional", Meaning: m(booking.OnHold, "")},
		{Name: "confirmed", Wire: "Confirmed", Meaning: m(booking.Scheduled, "")},
		{Name: "seated", Wire: "Seated", Meaning: m(booking.Seated, booking.AtTable)},
		{Name: "paid", Wire: "Paid", Meaning: m(booking.Seated, booking.Paid)},
		{Name: "departed", Wire: "Departed", Meaning: m(booking.Departed, booking.Finished)},
		{Name: "canceled", Wire: "Canceled", Meaning: m(booking.Cancelled, "")},
	}
}

// Spec is what is expected of Aleno's wire.
func Spec() wire.Spec {
	return wire.Spec{
		Name: "Aleno", Words: Words(),
		Paths: map[string]string{
			"status": "/pos/v1/restaurants/{venue}/reservations/{reservation}/status",
			"link":   "/pos/v1/restaurants/{venue}/link",
		},
	}
}

// Config is one restaurant. Credentials has Token; Base is given by Aleno.
type Config = wire.Config

// A Client speaks for one restaurant. Its methods may be called from any goroutine.
type Client struct{ w *wire.Wire }

var _ booking.Platform = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	w, err := wire.New(Spec(), c)
	if err != nil {
		return nil, err
	}
	if w.Credentials.Token == "" {
		return nil, fmt.Errorf("%s: token is missing", Spec().Name)
	}
	if err := w.Connect(rest.Bearer(w.Credentials.Token), nil, ""); err != nil {
		return nil, err
	}
	return &Client{w}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.w.Close() }

// Capabilities is Aleno's row of spec/reservations.md 7.
func (c *Client) Capabilities() booking.Capabilities {
	return booking.Capabilities{
		Bookings: true, SeatedOpens: true, WalkIns: true, Webhooks: true, Stages: Spec().Stages(), Spend: true, Totals: true, Deactivates: true,
		Unsure: []string{"bookings", "webhooks", "spend", "totals", "deactivates"},
	}
}

// Deliver tells a table status or a check.
func (c *Client) Deliver(ctx context.Context, u booking.Update) error {
	caps := c.Capabilities()
	if !caps.Takes(&u) {
		return booking.ErrUnsupported
	}
	n, ok := c.w.Notice(&u)
	if !ok {
		return booking.ErrUnsupported
	}
	return c.w.Deliver(ctx, "status", http.MethodPut, &u, n)
}

// Activate announces the link.
func (c *Client) Activate(ctx context.Context) error {
	return c.w.Link(ctx, "link", http.MethodPut, nil)
}

// Deactivate takes the link back.
func (c *Client) Deactivate(ctx context.Context) error { return c.w.Unlink(ctx) }

// Pull is not known here.
func (c *Client) Pull(context.Context, time.Time, time.Time, time.Time) ([]booking.Reservation, error) {
	return nil, booking.ErrUnsupported
}

// Receive reads a webhook of one reservation.
func (c *Client) Receive(m booking.Message) (booking.Receipt, error) {
	if err := wire.Bearer(m, c.w.WebhookSecret); err != nil {
		return booking.Receipt{}, err
	}
	r, err := generic.ReadEvent(c.w, m.Body)
	if err != nil {
		return booking.Receipt{}, err
	}
	return booking.Receipt{Reservations: []booking.Reservation{r}}, nil
}
