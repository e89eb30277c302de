// Package sevenrooms is a venue at SevenRooms: its reservations by webhook and by the export, table statuses and checks told
// back.
//
// SevenRooms gives its documents to partners only (spec/reservations.md 8.2). Known from public programs: the token call
// and that the token is the Authorization header as it is, the export's frame, the names of a reservation's members and of
// the checks in it, and some words. Everything else, the call that changes a reservation, the webhook's frame and its
// signature, is our guess and configuration; docs/platforms.md lists what a partner has to confirm.
package sevenrooms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Host is the usual address; regions and demonstrations have their own.
const Host = "https://api.sevenrooms.com"

// Page is how many reservations are asked for at once.
const Page = 400

// Words is how statuses are spelt unless a venue says otherwise. Those of a meal are chosen by each venue.
func Words() []booking.Word {
	m := func(s booking.Status, g booking.Stage) booking.Meaning { return booking.Meaning{Status: s, Stage: g} }
	return []booking.Word{
		{Name: "booked", Wire: "BOOKED", Meaning: m(booking.Scheduled, "")},
		{Name: "not_confirmed", Wire: "NOT_CONFIRMED", Meaning: m(booking.Scheduled, "")},
		{Name: "confirmed", Wire: "CONFIRMED", Meaning: booking.Meaning{Status: booking.Scheduled, Sure: true}},
		{Name: "late", Wire: "LATE", Meaning: booking.Meaning{Status: booking.Scheduled, Late: true}},
		{Name: "arrived_partial", Wire: "ARRIVED_PARTIAL", Meaning: m(booking.PartiallyArrived, "")},
		{Name: "arrived", Wire: "ARRIVED", Meaning: m(booking.Arrived, "")},
		{Name: "seated", Wire: "SEATED", Meaning: m(booking.Seated, booking.AtTable)},
		{Name: "partially_seated", Wire: "PARTIALLY_SEATED", Meaning: m(booking.PartiallySeated, booking.AtTable)},
		{Name: "appetizer", Wire: "APPETIZER", Meaning: m(booking.Seated, booking.Appetizer)},
		{Name: "entree", Wire: "ENTREE", Meaning: m(booking.Seated, booking.Entree)},
		{Name: "dessert", Wire: "DESSERT", Meaning: m(booking.Seated, booking.Dessert)},
		{Name: "check_dropped", Wire: "CHECK_DROPPED", Meaning: m(booking.Seated, booking.CheckDropped)},
		{Name: "paid", Wire: "PAID", Meaning: m(booking.Seated, booking.Paid)},
		{Name: "left", Wire: "LEFT", Meaning: m(booking.Departed, booking.Finished)},
		{Name: "complete", Wire: "COMPLETE", Meaning: m(booking.Departed, booking.Finished)},
		{Name: "no_show", Wire: "NO_SHOW", Meaning: m(booking.NoShow, "")},
		{Name: "canceled", Wire: "CANCELED", Meaning: m(booking.Cancelled, "")},
	}
}

// Spec is what is known of SevenRooms' wire.
func Spec() wire.Spec {
	return wire.Spec{
		Name: "SevenRooms", Host: Host, Words: Words(),
		Paths: map[string]string{
			"token":        "/2_4/auth",
			"reservations": "/2_4/reservations/export",
			"update":       "/2_4/reservations/{reservation}",
			"venue":        "/2_4/venues/{venue}",
		},
		Names: map[string]string{"header.signature": "X-SevenRooms-Signature", "header.timestamp": "X-SevenRooms-Timestamp"},
	}
}

// Config is one venue. Credentials has ClientID and ClientSecret; Zone is the venue's, whose clock reservations are in.
type Config = wire.Config

// A Client speaks for one venue. Its methods may be called from any goroutine.
type Client struct {
	w      *wire.Wire
	tokens *tokens
}

var _ booking.Platform = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	w, err := wire.New(Spec(), c)
	if err != nil {
		return nil, err
	}
	tokens, err := newTokens(w)
	if err != nil {
		return nil, fmt.Errorf("SevenRooms: %w", err)
	}
	if err := w.Connect(tokens, nil, ""); err != nil {
		return nil, err
	}
	return &Client{w, tokens}, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.w.Close()
	c.tokens.client.Close()
}

// Capabilities is SevenRooms' row of spec/reservations.md 7.
func (c *Client) Capabilities() booking.Capabilities {
	return booking.Capabilities{
		Bookings: true, SeatedOpens: true, WalkIns: true, Deposits: true, Pull: true, Webhooks: true,
		Stages: Spec().Stages(), Spend: true, Totals: true, Moves: true, Covers: true,
		Statuses: []booking.Status{booking.Arrived, booking.Seated, booking.Departed, booking.NoShow, booking.Cancelled},
		Unsure:   []string{"statuses", "stages", "covers", "webhooks"},
	}
}

// Deliver changes the reservation, its check among its members.
func (c *Client) Deliver(ctx context.Context, u booking.Update) error {
	caps := c.Capabilities()
	if !caps.Takes(&u) {
		return booking.ErrUnsupported
	}
	n, ok := c.w.Notice(&u)
	if !ok {
		return booking.ErrUnsupported
	}
	body := Change{VenueID: n.VenueID, Status: n.Status, TableNumbers: n.TableNumbers, MaxGuests: n.Guests, Updated: n.Updated}
	if n.Ticket != nil {
		body.PosTickets = []wire.PosTicket{*n.Ticket}
	}
	return c.w.Deliver(ctx, "update", http.MethodPut, &u, body)
}

// Activate reads the venue, which proves that the credentials are for it. There is no call that announces the link.
func (c *Client) Activate(ctx context.Context) error {
	return c.w.Link(ctx, "venue", http.MethodGet, nil)
}

// Deactivate is not known here.
func (c *Client) Deactivate(context.Context) error { return booking.ErrUnsupported }

// Pull reads the export.
func (c *Client) Pull(ctx context.Context, since, from, to time.Time) ([]booking.Reservation, error) {
	q := url.Values{"venue_id": {c.w.Venue}, "limit": {strconv.Itoa(Page)}}
	if !since.IsZero() {
		q.Set("updated_since", wire.Stamp(since))
	}
	if !from.IsZero() {
		q.Set("from_date", from.In(c.w.Zone).Format(time.DateOnly))
	}
	if !to.IsZero() {
		q.Set("to_date", to.In(c.w.Zone).Format(time.DateOnly))
	}
	var all []booking.Reservation
	for read := 0; read < booking.MaxPull; {
		var page Export
		if err := c.w.Do(ctx, rest.Call{Op: "read reservations", Path: c.w.Path("reservations", "", ""), Query: q, Out: &page}); err != nil {
			return nil, err
		}
		for i := range page.Data.Results {
			r, err := c.reservation(&page.Data.Results[i], fmt.Sprintf("/data/results/%d", i))
			// The export knows days only.
			if (from.IsZero() || !r.ScheduledAt.Before(from)) && (to.IsZero() || r.ScheduledAt.Before(to)) {
				all = wire.Pulled(all, r, err)
			}
		}
		read += len(page.Data.Results)
		if page.Data.Cursor == "" || len(page.Data.Results) == 0 {
			break
		}
		q.Set("cursor", page.Data.Cursor)
	}
	return all[:min(len(all), booking.MaxPull)], nil
}

// Receive reads a webhook: an event or a list of events.
func (c *Client) Receive(m booking.Message) (booking.Receipt, error) {
	if err := c.w.Seal().Check(m); err != nil {
		return booking.Receipt{}, err
	}
	var events []Event
	if list := bytes.TrimLeft(m.Body, " \t\r\n"); len(list) > 0 && list[0] == '[' {
		if err := wire.Read(m.Body, &events); err != nil {
			return booking.Receipt{}, err
		}
	} else {
		events = make([]Event, 1)
		if err := wire.Read(m.Body, &events[0]); err != nil {
			return booking.Receipt{}, err
		}
	}
	var receipt booking.Receipt
	var faults wire.Faults
	for i, e := range events {
		at := fmt.Sprintf("/%d/entity", i)
		switch {
		case e.EntityType != EntityReservation:
			receipt.Note = fmt.Sprintf("entity %.60q is of no interest", e.EntityType)
			continue
		case e.Entity == nil:
			faults.Add(at, "is missing")
			continue
		}
		r, err := c.reservation(e.Entity, at)
		var malformed *booking.Malformed
		switch {
		case errors.As(err, &malformed):
			faults = append(faults, malformed.Faults...)
		case err != nil:
			return booking.Receipt{}, err
		default:
			receipt.Reservations = append(receipt.Reservations, r)
		}
	}
	if err := faults.Err(); err != nil {
		return booking.Receipt{}, err
	}
	return receipt, nil
}

func (c *Client) reservation(x *Reservation, at string) (booking.Reservation, error) {
	if x.VenueID != "" && string(x.VenueID) != c.w.Venue {
		return booking.Reservation{}, booking.ErrVenue
	}
	r, err := x.Booking(at, c.w.Zone)
	if err != nil {
		return r, err
	}
	c.w.Mean(&r, x.Status)
	return r, nil
}

// Encode writes a reservation as a webhook's list of one event, for whoever plays SevenRooms.
func Encode(w *wire.Wire, r *booking.Reservation) ([]byte, error) {
	x, err := Of(w, r)
	if err != nil {
		return nil, err
	}
	return json.Marshal([]Event{{EntityType: EntityReservation, EventType: "updated", Entity: &x}})
}

// Of is r as SevenRooms shows it.
func Of(w *wire.Wire, r *booking.Reservation) (Reservation, error) {
	word, ok := w.Spell(r)
	if !ok {
		return Reservation{}, fmt.Errorf("SevenRooms has no word for %s", r.Status)
	}
	x := FromBooking(r, w.Zone)
	x.Status, x.VenueID = word, wire.Text(w.Venue)
	return x, nil
}
