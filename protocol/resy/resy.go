// Package resy is a venue at Resy: table statuses and spend told to it, and what it tells of seated parties where a customer
// has access.
//
// Nothing of a POS interface of Resy is public (spec/reservations.md 8.3); known are the old platform interface's
// Authorization header and its 419 for whoever is not signed in. So the wire here is ours: statuses go out as a wire.Notice,
// reservations come in as a generic.Event, and address, paths and words are configuration. Before anybody has confirmed them
// the list of reservations stays empty, which the platform's page says.
package resy

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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
		{Name: "booked", Wire: "Booked", Meaning: m(booking.Scheduled, "")},
		{Name: "confirmed", Wire: "Confirmed", Meaning: booking.Meaning{Status: booking.Scheduled, Sure: true}},
		{Name: "partially_arrived", Wire: "Partially arrived", Meaning: m(booking.PartiallyArrived, "")},
		{Name: "arrived", Wire: "Arrived", Meaning: m(booking.Arrived, "")},
		{Name: "seated", Wire: "Seated", Meaning: m(booking.Seated, booking.AtTable)},
		{Name: "partially_seated", Wire: "Partially seated", Meaning: m(booking.PartiallySeated, booking.AtTable)},
		{Name: "appetizer", Wire: "Appetizer", Meaning: m(booking.Seated, booking.Appetizer)},
		{Name: "entree", Wire: "Entree", Meaning: m(booking.Seated, booking.Entree)},
		{Name: "dessert", Wire: "Dessert", Meaning: m(booking.Seated, booking.Dessert)},
		{Name: "check_dropped", Wire: "Check dropped", Meaning: m(booking.Seated, booking.CheckDropped)},
		{Name: "paid", Wire: "Paid", Meaning: m(booking.Seated, booking.Paid)},
		{Name: "finished", Wire: "Finished", Meaning: m(booking.Departed, booking.Finished)},
		{Name: "no_show", Wire: "No-show", Meaning: m(booking.NoShow, "")},
		{Name: "cancelled", Wire: "Cancelled", Meaning: m(booking.Cancelled, "")},
	}
}

// Spec is what is expected of Resy's wire.
func Spec() wire.Spec {
	return wire.Spec{
		Name: "Resy", Words: Words(),
		Paths: map[string]string{
			"status": "/pos/v1/venues/{venue}/reservations/{reservation}/status",
			"link":   "/pos/v1/venues/{venue}/link",
		},
		Names: map[string]string{"header.signature": "X-Resy-Signature", "header.timestamp": "X-Resy-Timestamp"},
	}
}

// Config is one venue. Credentials has ClientID; Base is given by Resy.
type Config = wire.Config

// A Client speaks for one venue. Its methods may be called from any goroutine.
type Client struct{ w *wire.Wire }

var _ booking.Platform = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	w, err := wire.New(Spec(), c)
	if err != nil {
		return nil, err
	}
	id := w.Credentials.ClientID
	if id == "" || !wire.Plain(id) || strings.ContainsAny(id, `"\`) {
		return nil, fmt.Errorf("%s: client id is missing or has a character that a header cannot hold", Spec().Name)
	}
	w.HTTP.Secrets = append([]string{id}, w.HTTP.Secrets...) // the id alone opens the door
	if err := w.Connect(rest.Authorization(Authorization(id)), nil, ""); err != nil {
		return nil, err
	}
	return &Client{w}, nil
}

// Authorization is the header by which a client is known.
func Authorization(clientID string) string { return fmt.Sprintf("PlatformAPI client_id=%q", clientID) }

// StatusUnknown is what Resy answers to whoever it does not know.
const StatusUnknown = 419

// Close ends idle connections.
func (c *Client) Close() { c.w.Close() }

// Capabilities is Resy's row of spec/reservations.md 7.
func (c *Client) Capabilities() booking.Capabilities {
	return booking.Capabilities{
		SeatedOpens: true, WalkIns: true, Webhooks: true, Stages: Spec().Stages(), Spend: true, Totals: true, Deactivates: true,
		Unsure: []string{"seated_opens", "walk_ins", "webhooks", "stages", "spend", "totals", "deactivates"},
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
	if err := c.w.Seal().Check(m); err != nil {
		return booking.Receipt{}, err
	}
	r, err := generic.ReadEvent(c.w, m.Body)
	if err != nil {
		return booking.Receipt{}, err
	}
	return booking.Receipt{Reservations: []booking.Reservation{r}}, nil
}
