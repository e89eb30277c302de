// Package thefork is a restaurant at TheFork: it asks the till to open a receipt when guests arrive or sit down, and is told
// one total when the party has paid.
//
// This wire is public (docs.thefork.io, spec/reservations.md 8.4): the call that opens, its bearer token and CustomerId, and
// PUT /pos/v1/orders/{orderId} that closes. Members that only a derived specification shows (party size, status, prepayment,
// offer, tables) are read where they come and not relied upon. TheFork shares no booking before arrival and takes no table
// status.
package thefork

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Hosts of the two interfaces.
const (
	Host      = "https://api.thefork.io"
	TokenHost = "https://auth.thefork.io"
)

// Words are TheFork's statuses. A till cannot set them.
func Words() []booking.Word {
	m := func(s booking.Status) booking.Meaning { return booking.Meaning{Status: s} }
	return []booking.Word{
		{Name: "requested", Wire: "REQUESTED", Meaning: m(booking.OnHold)},
		{Name: "recorded", Wire: "RECORDED", Meaning: m(booking.Scheduled)},
		{Name: "confirmed", Wire: "CONFIRMED", Meaning: booking.Meaning{Status: booking.Scheduled, Sure: true}},
		{Name: "arrived", Wire: "ARRIVED", Meaning: m(booking.Arrived)},
		{Name: "seated", Wire: "SEATED", Meaning: booking.Meaning{Status: booking.Seated, Stage: booking.AtTable}},
		{Name: "left", Wire: "LEFT", Meaning: m(booking.Departed)},
		{Name: "no_show", Wire: "NO_SHOW", Meaning: m(booking.NoShow)},
		{Name: "canceled", Wire: "CANCELED", Meaning: m(booking.Cancelled)},
		{Name: "refused", Wire: "REFUSED", Meaning: m(booking.Cancelled)},
	}
}

// Spec is TheFork's wire.
func Spec() wire.Spec {
	return wire.Spec{
		Name: "TheFork", Host: Host, Words: Words(),
		Paths: map[string]string{
			"close":      "/pos/v1/orders/{reservation}",
			"restaurant": "/manager/v1/restaurants/{venue}",
			"token":      "/oauth/token",
		},
		Names: map[string]string{"header.customer": "CustomerId", "header.key": "X-Api-Key"},
	}
}

// Locale is in which language a receipt is written.
const Locale = "fr-FR"

// Audience is whom tokens of the manager interface are for, and TokenLife how long they live.
const (
	Audience  = "https://api.thefork.io"
	TokenLife = 8600 * time.Second
)

// Config is one restaurant. Venue is its UUID; Credentials has Token, the API key, and for the manager interface ClientID and
// ClientSecret. WebhookSecret is the token that we gave to TheFork.
type Config = wire.Config

// A Client speaks for one restaurant. Its methods may be called from any goroutine.
type Client struct {
	w       *wire.Wire
	tokens  *rest.Tokens // of the manager interface; nil without its credentials
	manager *rest.Client
}

var _ booking.Platform = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	w, err := wire.New(Spec(), c)
	if err != nil {
		return nil, err
	}
	if key := w.Credentials.Token; key == "" || !wire.Plain(key) {
		return nil, errors.New("TheFork: token, the API key, is missing or has a character that a header cannot hold")
	}
	if err := w.Connect(nil, http.Header{w.Name("header.key"): {w.Credentials.Token}}, ""); err != nil {
		return nil, err
	}
	o := &Client{w: w}
	if w.Credentials.ClientID == "" {
		return o, nil
	}
	endpoint := w.Base
	if endpoint == Host {
		endpoint = TokenHost
	}
	o.tokens, err = rest.NewTokens(rest.OAuth{
		Endpoint: endpoint + w.Path("token", "", ""), ID: w.Credentials.ClientID, Secret: w.Credentials.ClientSecret, AsJSON: true,
		Params: map[string][]string{"audience": {Audience}}, Life: TokenLife, HTTP: w.Transport(),
	})
	if err != nil {
		return nil, fmt.Errorf("TheFork: %w", err)
	}
	t := w.Transport()
	t.Tokens = o.tokens
	if o.manager, err = rest.New(t); err != nil {
		return nil, fmt.Errorf("TheFork: %w", err)
	}
	return o, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.w.Close()
	if c.tokens != nil {
		c.tokens.Close()
		c.manager.Close()
	}
}

// Capabilities is TheFork's row of spec/reservations.md 7.
func (c *Client) Capabilities() booking.Capabilities {
	return booking.Capabilities{
		SeatedOpens: true, WalkIns: true, Deposits: true, Webhooks: true, Totals: true, Documented: true,
		Unsure: []string{"walk_ins", "deposits"},
	}
}

// Deliver closes the receipt with its total. Nothing else can be told.
func (c *Client) Deliver(ctx context.Context, u booking.Update) error {
	if u.Kind != booking.KindClosed || u.Check == nil {
		return booking.ErrUnsupported
	}
	return c.w.Deliver(ctx, "close", http.MethodPut, &u, FromCheck(u.Check))
}

// Activate reads the restaurant where there are credentials of the manager interface. The POS interface has no call that
// changes nothing, so that without them the key is proved by the first receipt.
func (c *Client) Activate(ctx context.Context) error {
	if c.manager == nil {
		return booking.ErrUnsupported
	}
	_, err := c.manager.Do(ctx, rest.Call{Op: "read restaurant", Path: c.w.Path("restaurant", "", "")})
	return err
}

// Deactivate is not known at TheFork.
func (c *Client) Deactivate(context.Context) error { return booking.ErrUnsupported }

// Pull is not possible: nothing is shared before arrival.
func (c *Client) Pull(context.Context, time.Time, time.Time, time.Time) ([]booking.Reservation, error) {
	return nil, booking.ErrUnsupported
}

// Receive reads the call that opens a receipt. It is answered by 204.
func (c *Client) Receive(m booking.Message) (booking.Receipt, error) {
	if err := wire.Bearer(m, c.w.WebhookSecret); err != nil {
		return booking.Receipt{}, err
	}
	if m.Header.Get(c.w.Name("header.customer")) != c.w.Venue {
		return booking.Receipt{}, booking.ErrVenue
	}
	var o Opening
	if err := wire.Read(m.Body, &o); err != nil {
		return booking.Receipt{}, err
	}
	r, err := o.Booking(c.w)
	if err != nil {
		return booking.Receipt{}, err
	}
	return booking.Receipt{Reservations: []booking.Reservation{r}}, nil
}

// Encode writes a reservation as the call that opens a receipt, for whoever plays TheFork.
func Encode(w *wire.Wire, r *booking.Reservation) ([]byte, error) {
	word, ok := w.Spell(r)
	if !ok {
		return nil, fmt.Errorf("TheFork has no word for %s", r.Status)
	}
	o := FromBooking(r, w.Zone)
	o.ReservationStatus = word
	return json.Marshal(o)
}
