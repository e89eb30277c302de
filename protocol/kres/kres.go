// Package kres is Lightspeed's "Reservations for Platforms" (spec/reservations.md 8.6), the public contract between a till and
// any reservation platform, on the two sides that the box can take:
//
//	Client  the box is the till: it tells a platform, by the contract's webhooks, of orders and of tables
//	Pusher  the box is the platform: it pushes reservations to Lightspeed K, which opens the orders by its own settings
//
// The push body itself is protocol/booking/generic, which is also what the box takes from platforms. Signatures, repetitions
// and limits of the webhooks are not documented; how a course becomes a status is the platform's own list of words, so that
// stages beyond SEATED and PAID are configuration.
package kres

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

// Words are what a platform is told: statuses of the contract, PAID, and a word for each course, which the platform names.
func Words() []booking.Word {
	words := generic.Words()
	for _, s := range []booking.Stage{booking.Drinks, booking.Appetizer, booking.Entree, booking.Dessert, booking.CheckDropped, booking.Paid} {
		words = append(words, booking.Word{Name: string(s), Wire: strings.ToUpper(string(s)), Meaning: booking.Meaning{Status: booking.Seated, Stage: s}})
	}
	return words
}

// Spec is the contract as a till speaks it.
func Spec() wire.Spec {
	return wire.Spec{
		Name: "the platform", Words: Words(),
		Paths: map[string]string{"order": "/order", "reservation": "/reservation", "integration": "/integration", "token": "/oauth/token"},
		Names: map[string]string{"header.key": "Authorization"},
	}
}

// Config is one restaurant of a platform. How the box proves who it is: Username and Password, or ClientID and ClientSecret
// (OAuth2), or Token, which is a bearer token unless Vocabulary names another header.key for it.
type Config struct {
	wire.Config
	Platform string // code of the platform
	Location string // business location: ours
}

// A Client tells a platform what happens at its tables. Its methods may be called from any goroutine.
type Client struct {
	w      *wire.Wire
	c      Config
	tokens *rest.Tokens
}

var _ booking.Platform = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	w, err := wire.New(Spec(), c.Config)
	if err != nil {
		return nil, err
	}
	if !generic.Identifier(c.Platform, generic.MaxPlatform) {
		return nil, fmt.Errorf("platform code %q is not made of at most %d letters, digits, _ and -", c.Platform, generic.MaxPlatform)
	}
	o := &Client{w: w, c: c}
	var source rest.TokenSource
	header := http.Header{}
	switch k := w.Credentials; {
	case k.Username != "":
		source = rest.Basic(k.Username, k.Password)
	case k.ClientID != "":
		o.tokens, err = rest.NewTokens(rest.OAuth{Endpoint: w.Base + w.Path("token", "", ""), ID: k.ClientID, Secret: k.ClientSecret, Scope: k.Scope, HTTP: w.Transport()})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Platform, err)
		}
		source = o.tokens
	case k.Token != "" && w.Name("header.key") == "Authorization":
		source = rest.Bearer(k.Token)
	case k.Token != "" && wire.Plain(k.Token):
		header.Set(w.Name("header.key"), k.Token)
	default:
		return nil, fmt.Errorf("%s: credentials are missing; give a username, a client id or a token", c.Platform)
	}
	if err := w.Connect(source, header, "X-Lightspeed-Idempotency-Key"); err != nil {
		return nil, err
	}
	return o, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.w.Close()
	if c.tokens != nil {
		c.tokens.Close()
	}
}

// Capabilities is the contract's row of spec/reservations.md 7.
func (c *Client) Capabilities() booking.Capabilities {
	return booking.Capabilities{
		Bookings: true, SeatedOpens: true, WalkIns: true, Deposits: true, Stages: Spec().Stages(), Spend: true, Totals: true, Moves: true, Covers: true, Deactivates: true,
		Statuses:   []booking.Status{booking.Arrived, booking.Seated, booking.Departed, booking.Cancelled, booking.NoShow},
		Documented: true, Unsure: []string{"stages"},
	}
}

// Deliver makes the webhook of an update: of the order where there is a check, of the reservation otherwise.
func (c *Client) Deliver(ctx context.Context, u booking.Update) error {
	caps := c.Capabilities()
	if !caps.Takes(&u) {
		return booking.ErrUnsupported
	}
	ids := IDs{PlatformCode: c.c.Platform, PlatformRestaurantID: c.w.Venue, PlatformReservationID: u.Reservation, BusinessLocationID: wire.Text(c.c.Location)}
	if u.Check != nil && (u.Kind == booking.KindCheck || u.Kind == booking.KindClosed) {
		return c.w.Deliver(ctx, "order", http.MethodPost, &u, FromUpdate(ids, &u))
	}
	n := Reservation{IDs: ids, Tables: u.Tables, Covers: u.Covers}
	var ok bool
	switch {
	case u.Stage != "":
		n.Status, ok = c.w.Vocabulary.Write(u.Stage)
	case u.Status != "":
		n.Status, ok = c.w.Vocabulary.WriteStatus(u.Status)
	default:
		ok = true
	}
	if !ok {
		return booking.ErrUnsupported
	}
	return c.w.Deliver(ctx, "reservation", http.MethodPost, &u, n)
}

// Activate tells the platform that the link is made.
func (c *Client) Activate(ctx context.Context) error { return c.integration(ctx, Activated) }

// Deactivate tells it that the link is off.
func (c *Client) Deactivate(ctx context.Context) error { return c.integration(ctx, Deactivated) }

func (c *Client) integration(ctx context.Context, kind string) error {
	return c.w.Link(ctx, "integration", http.MethodPost, Integration{
		NotificationType: kind, PlatformCode: c.c.Platform, PlatformRestaurantID: c.w.Venue, BusinessLocationID: wire.Text(c.c.Location),
	})
}

// Pull is not in the contract: a platform pushes.
func (c *Client) Pull(context.Context, time.Time, time.Time, time.Time) ([]booking.Reservation, error) {
	return nil, booking.ErrUnsupported
}

// Receive is not in the contract: pushes come by the generic inbound call.
func (c *Client) Receive(booking.Message) (booking.Receipt, error) {
	return booking.Receipt{}, booking.ErrUnsupported
}
