package opentable

import (
	"context"
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

// Host is where restaurants are served. Pre-production is https://platform.otqa.com.
const Host = "https://platform.opentable.com"

// TokenPaths are the token endpoints' whole addresses: the one that belongs to Host and the one of pre-production. Another
// base has its tokens below itself.
const (
	TokenHost     = "https://oauth.opentable.com"
	TestHost      = "https://platform.otqa.com"
	TestTokenHost = "https://oauth-pp.opentable.com"
)

// Page is how many reservations are asked for at once.
const Page = 1000

// Words is how statuses are spelt unless a venue says otherwise.
func Words() []booking.Word {
	m := func(s booking.Status, g booking.Stage) booking.Meaning { return booking.Meaning{Status: s, Stage: g} }
	return []booking.Word{
		{Name: "booked", Wire: "Booked", Meaning: m(booking.Scheduled, "")},
		{Name: "not_confirmed", Wire: "NotConfirmed", Meaning: m(booking.Scheduled, "")},
		{Name: "left_message", Wire: "LeftMessage", Meaning: m(booking.Scheduled, "")},
		{Name: "confirmed", Wire: "Confirmed", Meaning: booking.Meaning{Status: booking.Scheduled, Sure: true}},
		{Name: "running_late", Wire: "RunningLate", Meaning: booking.Meaning{Status: booking.Scheduled, Late: true}},
		{Name: "pending", Wire: "Pending", Meaning: m(booking.OnHold, "")},
		{Name: "partially_arrived", Wire: "PartiallyArrived", Meaning: m(booking.PartiallyArrived, "")},
		{Name: "all_arrived", Wire: "AllArrived", Meaning: m(booking.Arrived, "")},
		{Name: "seated", Wire: "Seated", Meaning: m(booking.Seated, booking.AtTable)},
		{Name: "partially_seated", Wire: "PartiallySeated", Meaning: m(booking.PartiallySeated, booking.AtTable)},
		{Name: "appetizer", Wire: "Appetizer", Meaning: m(booking.Seated, booking.Appetizer)},
		{Name: "entree", Wire: "Entree", Meaning: m(booking.Seated, booking.Entree)},
		{Name: "dessert", Wire: "Dessert", Meaning: m(booking.Seated, booking.Dessert)},
		{Name: "cleared", Wire: "Cleared", Meaning: m(booking.Seated, booking.Cleared)},
		{Name: "check_dropped", Wire: "CheckDropped", Meaning: m(booking.Seated, booking.CheckDropped)},
		{Name: "paid", Wire: "Paid", Meaning: m(booking.Seated, booking.Paid)},
		{Name: "done", Wire: "Done", Meaning: m(booking.Departed, booking.Finished)},
		{Name: "bussing_needed", Wire: "BussingNeeded", Meaning: m(booking.Departed, booking.Bussing)},
		{Name: "no_show", Wire: "NoShow", Meaning: m(booking.NoShow, "")},
		{Name: "cancelled", Wire: "Cancelled", Meaning: m(booking.Cancelled, "")},
		{Name: "assumed_seated", Wire: "AssumedSeated", Meaning: booking.Meaning{Status: booking.Seated, Stage: booking.AtTable, Assumed: true}},
		{Name: "assumed_finished", Wire: "AssumedFinished", Meaning: booking.Meaning{Status: booking.Departed, Stage: booking.Finished, Assumed: true}},
	}
}

// Spec is what is known of OpenTable's wire.
func Spec() wire.Spec {
	return wire.Spec{
		Name: "OpenTable", Host: Host, Words: Words(),
		Paths: map[string]string{
			"token":        "/api/v2/oauth/token",
			"reservations": "/sync/v2/reservations",
			"status":       "/pos/v1/restaurants/{venue}/reservations/{reservation}/status",
			"ticket":       "/pos/v1/restaurants/{venue}/tickets/{check}",
			"link":         "/pos/v1/restaurants/{venue}/link",
		},
		Names: map[string]string{"header.signature": "X-OpenTable-Signature", "header.timestamp": "X-OpenTable-Timestamp"},
	}
}

// Config is one restaurant. Credentials has ClientID and ClientSecret.
type Config = wire.Config

// A Client speaks for one restaurant. Its methods may be called from any goroutine.
type Client struct {
	w      *wire.Wire
	tokens *rest.Tokens
}

var _ booking.Platform = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	w, err := wire.New(Spec(), c)
	if err != nil {
		return nil, err
	}
	endpoint := w.Base
	switch endpoint {
	case Host:
		endpoint = TokenHost
	case TestHost:
		endpoint = TestTokenHost
	}
	tokens, err := rest.NewTokens(rest.OAuth{
		Endpoint: endpoint + w.Path("token", "", ""), ID: w.Credentials.ClientID, Secret: w.Credentials.ClientSecret,
		Scope: w.Credentials.Scope, HTTP: w.Transport(),
	})
	if err != nil {
		return nil, fmt.Errorf("OpenTable: %w", err)
	}
	if err := w.Connect(tokens, nil, "X-Request-Id"); err != nil {
		return nil, err
	}
	return &Client{w, tokens}, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.w.Close()
	c.tokens.Close()
}

// Capabilities is OpenTable's row of spec/reservations.md 7.
func (c *Client) Capabilities() booking.Capabilities {
	return booking.Capabilities{
		Bookings: true, SeatedOpens: true, WalkIns: true, Deposits: true, Pull: true, Webhooks: true,
		Stages: Spec().Stages(), Spend: true, Totals: true,
		Statuses:    []booking.Status{booking.Arrived, booking.Seated, booking.Departed, booking.NoShow, booking.Cancelled},
		Moves:       true,
		Covers:      true,
		Deactivates: true,
		Unsure:      []string{"statuses", "moves", "covers", "spend", "webhooks"},
	}
}

// Deliver tells a table status or a ticket.
func (c *Client) Deliver(ctx context.Context, u booking.Update) error {
	caps := c.Capabilities()
	if !caps.Takes(&u) {
		return booking.ErrUnsupported
	}
	word := ""
	if u.Stage != "" {
		var ok bool
		if word, ok = c.w.Vocabulary.Write(u.Stage); !ok {
			return booking.ErrUnsupported
		}
	}
	switch u.Kind {
	case booking.KindCheck, booking.KindClosed:
		t := ticket(&u, word)
		return c.w.Deliver(ctx, "ticket", http.MethodPut, &u, t)
	case booking.KindStatus:
		w, ok := c.w.Vocabulary.WriteStatus(u.Status)
		if !ok {
			return booking.ErrUnsupported
		}
		word = w
	}
	s := Status{ReservationID: u.Reservation, RestaurantID: c.w.Venue, TableStatus: word, TableNumber: u.Tables, Covers: u.Covers, UpdatedAtUtc: wire.Stamp(u.At)}
	if u.Check != nil {
		t := ticket(&u, word)
		s.Ticket = &t
	}
	return c.w.Deliver(ctx, "status", http.MethodPost, &u, s)
}

// Activate announces the link.
func (c *Client) Activate(ctx context.Context) error {
	return c.w.Link(ctx, "link", http.MethodPut, map[string]string{"RestaurantID": c.w.Venue})
}

// Deactivate takes the link back.
func (c *Client) Deactivate(ctx context.Context) error { return c.w.Unlink(ctx) }

// Pull reads the sync feed.
func (c *Client) Pull(ctx context.Context, since, from, to time.Time) ([]booking.Reservation, error) {
	q := url.Values{"rid": {c.w.Venue}, "limit": {strconv.Itoa(Page)}}
	for name, t := range map[string]time.Time{"updated_after": since, "scheduled_time_from": from, "scheduled_time_to": to} {
		if !t.IsZero() {
			q.Set(name, wire.Stamp(t))
		}
	}
	var all []booking.Reservation
	for read := 0; read < booking.MaxPull; {
		q.Set("offset", strconv.Itoa(read))
		var page Feed
		if err := c.w.Do(ctx, rest.Call{Op: "read reservations", Path: c.w.Path("reservations", "", ""), Query: q, Out: &page}); err != nil {
			return nil, err
		}
		for i := range page.Items {
			r, err := c.reservation(&page.Items[i], fmt.Sprintf("/items/%d", i))
			all = wire.Pulled(all, r, err)
		}
		read += len(page.Items)
		if !page.HasNextPage || len(page.Items) == 0 {
			break
		}
	}
	return all[:min(len(all), booking.MaxPull)], nil
}

// Receive reads a webhook: one reservation as in the feed.
func (c *Client) Receive(m booking.Message) (booking.Receipt, error) {
	if err := c.w.Seal().Check(m); err != nil {
		return booking.Receipt{}, err
	}
	var e Event
	if err := wire.Read(m.Body, &e); err != nil {
		return booking.Receipt{}, err
	}
	if e.RestaurantID != "" && string(e.RestaurantID) != c.w.Venue {
		return booking.Receipt{}, booking.ErrVenue
	}
	switch e.Type {
	case EventActivated, EventDeactivated:
		return booking.Receipt{Linked: e.Type == EventActivated, Unlinked: e.Type == EventDeactivated}, nil
	case EventReservation, "":
	default:
		return booking.Receipt{Note: fmt.Sprintf("event %.60q is of no interest", e.Type)}, nil
	}
	if e.Reservation == nil {
		var faults wire.Faults
		faults.Add("/Reservation", "is missing")
		return booking.Receipt{}, faults.Err()
	}
	r, err := c.reservation(e.Reservation, "/Reservation")
	if err != nil {
		return booking.Receipt{}, err
	}
	return booking.Receipt{Reservations: []booking.Reservation{r}}, nil
}

// reservation is x in our words; at is where it stands in its message.
func (c *Client) reservation(x *Reservation, at string) (booking.Reservation, error) {
	if x.RestaurantID != "" && string(x.RestaurantID) != c.w.Venue {
		return booking.Reservation{}, booking.ErrVenue
	}
	r, err := x.Booking(at)
	if err != nil {
		return r, err
	}
	c.w.Mean(&r, x.State)
	return r, nil
}

// Encode writes a reservation as a webhook's event, for whoever plays OpenTable.
func Encode(w *wire.Wire, r *booking.Reservation) ([]byte, error) {
	x := FromBooking(r)
	word, ok := w.Spell(r)
	if !ok {
		return nil, fmt.Errorf("OpenTable has no word for %s", r.Status)
	}
	x.State, x.RestaurantID = word, wire.Text(w.Venue)
	return json.Marshal(Event{Type: EventReservation, RestaurantID: wire.Text(w.Venue), Reservation: &x})
}
