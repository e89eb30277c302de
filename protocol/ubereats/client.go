package ubereats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// Name is the aggregator's own, and the marketplace's.
const Name = "ubereats"

// Addresses and headers.
const (
	Host            = "https://api.uber.com"
	TokenHost       = "https://auth.uber.com"
	SignatureHeader = "X-Uber-Signature" // lower-case hexadecimal HMAC-SHA256 of the raw body; the key is the client secret
)

// MaxBody bounds a webhook, in bytes.
const MaxBody = 1 << 20

// Defaults for a Config left at zero.
const (
	DefaultTimeout   = 10 * time.Second
	DefaultMaxAnswer = 4 << 20
	DefaultScope     = "eats.order eats.store eats.store.orders.read eats.store.status.write"
)

// Config is one store. Store, Credentials.ClientID and ClientSecret are required.
type Config struct {
	Base        string // "" means Host, with tokens from TokenHost; another base has its tokens below itself
	Store       string // Uber's id of the store
	Credentials channel.Credentials
	// WebhookSecret signs webhooks; empty means the client secret, as Uber does it.
	WebhookSecret []byte

	// HTTP has TLS, clock and trace. Base, Tokens, Header, Secrets are set by the client.
	HTTP rest.Config
}

// A Client speaks for one store. Its methods may be called from any goroutine.
type Client struct {
	c      Config
	client *rest.Client
	tokens *rest.Tokens
	limits wire.Limits
	seal   wire.Seal
	now    func() time.Time
}

var _ channel.Aggregator = (*Client)(nil)

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	var faults []error
	if c.Store == "" {
		faults = append(faults, errors.New("store is missing; Uber shows its id in Uber Eats Manager"))
	}
	if c.Credentials.ClientID == "" || c.Credentials.ClientSecret == "" {
		faults = append(faults, errors.New("client id and client secret are missing"))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("uber eats: %w", errors.Join(faults...))
	}
	c.Base = strings.TrimRight(c.Base, "/")
	endpoint := c.Base
	if c.Base == "" || c.Base == Host {
		c.Base, endpoint = Host, TokenHost
	}
	if c.Credentials.Scope == "" {
		c.Credentials.Scope = DefaultScope
	}
	if len(c.WebhookSecret) == 0 {
		c.WebhookSecret = []byte(c.Credentials.ClientSecret)
	}
	t := c.HTTP
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	if t.MaxAnswer <= 0 {
		t.MaxAnswer = DefaultMaxAnswer
	}
	if t.MaxRequest <= 0 {
		t.MaxRequest = 16 << 20 // a store's menus
	}
	t.Tokens, t.Header = nil, nil
	t.Secrets = append([]string{c.Credentials.ClientSecret, string(c.WebhookSecret)}, t.Secrets...)
	tokens, err := rest.NewTokens(rest.OAuth{Endpoint: endpoint + "/oauth/v2/token", ID: c.Credentials.ClientID, Secret: c.Credentials.ClientSecret, InForm: true, Scope: c.Credentials.Scope, HTTP: t})
	if err != nil {
		return nil, fmt.Errorf("uber eats: %w", err)
	}
	t.Base, t.Tokens = c.Base, tokens
	client, err := rest.New(t)
	if err != nil {
		return nil, fmt.Errorf("uber eats: %w", err)
	}
	now := t.Now
	if now == nil {
		now = time.Now
	}
	return &Client{c: c, client: client, tokens: tokens, now: now, limits: wire.Limits{Other: 300, PerSecond: 20, Reserve: 0.25},
		seal: wire.Seal{Secret: c.WebhookSecret, Header: SignatureHeader, Exact: true}}, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.client.Close()
	c.tokens.Close()
}

// Capabilities is Uber's column of spec/delivery.md 10.
func (c *Client) Capabilities() channel.Capabilities {
	return channel.Capabilities{Accept: true, AcceptIn: AcceptIn, Feed: true, FeedBack: AcceptIn, Fetch: true, Cancel: true, Pause: true, Availability: true, Menu: true, Documented: true,
		Unsure: []string{"availability", "menu"}}
}

// Receive reads a webhook.
func (c *Client) Receive(m channel.Message) (channel.Receipt, error) {
	if len(m.Body) > MaxBody {
		return channel.Receipt{}, &channel.Malformed{Faults: []channel.Fault{{Detail: fmt.Sprintf("is %d bytes long; the limit is %d", len(m.Body), MaxBody)}}}
	}
	if err := c.seal.Check(m.Header, m.Body); err != nil {
		return channel.Receipt{}, err
	}
	e, err := Decode(m.Body)
	if e.Store != "" && e.Store != c.c.Store {
		return channel.Receipt{}, channel.ErrStore
	}
	if err != nil {
		return channel.Receipt{}, err
	}
	return channel.Receipt{Events: []channel.Event{e}}, nil
}

func (c *Client) do(ctx context.Context, f wire.Family, urgent wire.Urgent, call rest.Call) error {
	if err := c.limits.Take(f, urgent, c.now()); err != nil {
		return err
	}
	call.Once = true
	_, err := c.client.Do(ctx, call)
	var e *rest.Error
	if errors.As(err, &e) && e.Status == http.StatusTooManyRequests {
		if e.RetryAfter <= 0 {
			e.RetryAfter = 5 * time.Second
		}
		c.limits.Shut(f, e.RetryAfter, c.now())
	}
	return err
}

// Families of calls.
const (
	famDecide wire.Family = "accept and deny"
	famRead   wire.Family = "orders"
	famStore  wire.Family = "store"
	famMenu   wire.Family = "menu"
)

// Fetch reads one order.
func (c *Client) Fetch(ctx context.Context, r channel.Ref) (channel.Order, error) {
	return c.fetch(ctx, true, r)
}

func (c *Client) fetch(ctx context.Context, urgent wire.Urgent, r channel.Ref) (channel.Order, error) {
	if r.ID == "" {
		return channel.Order{}, errors.New("read the order: it has no id")
	}
	var body []byte
	if err := c.do(ctx, famRead, urgent, rest.Call{Op: "read the order", Path: rest.Path("v2", "eats", "order", r.ID), Out: &body}); err != nil {
		return channel.Order{}, err
	}
	var o Order
	if err := wire.Read("", body, &o); err != nil {
		return channel.Order{}, err
	}
	m, err := o.Channel()
	if err == nil && m.ID != r.ID {
		return channel.Order{}, &channel.Malformed{Faults: []channel.Fault{{Pointer: "/id", Detail: "is of another order"}}}
	}
	return m, err
}

// Created is what a list of orders has of each.
type Created struct {
	ID           wire.Text `json:"id"`
	CurrentState wire.Text `json:"current_state"`
	PlacedAt     wire.Text `json:"placed_at"`
}

// CreatedOrders is the list of those that nobody has accepted or denied.
type CreatedOrders struct {
	Orders wire.List[Created] `json:"orders"`
}

// maxCreated bounds how many waiting orders one feed fetches: each is a call.
const maxCreated = 50

// Feed reads the orders that wait for an accept: Uber shows no others.
func (c *Client) Feed(ctx context.Context, from, to time.Time) ([]channel.Order, error) {
	var list CreatedOrders
	if err := c.do(ctx, famRead, false, rest.Call{Op: "read waiting orders", Path: rest.Path("v1", "eats", "stores", c.c.Store, "created-orders"),
		Query: url.Values{"limit": {strconv.Itoa(maxCreated)}}, Out: &list}); err != nil {
		return nil, err
	}
	var all []channel.Order
	for i, x := range list.Orders {
		if i == maxCreated {
			break
		}
		if at, ok := wire.ParseTime(x.PlacedAt); ok && (at.Before(from) || !to.IsZero() && !at.Before(to)) {
			continue
		}
		o, err := c.fetch(ctx, false, channel.Ref{Slug: Name, ID: string(x.ID)}) // what was announced just now goes first
		var m *channel.Malformed
		switch {
		case errors.As(err, &m): // one that makes no sense must not hide the others
		case err != nil:
			return nil, err
		default:
			all = append(all, o)
		}
	}
	return all, nil
}

// Acceptance is the body of accept_pos_order.
type Acceptance struct {
	Reason              wire.Text `json:"reason"`
	PickupTime          int64     `json:"pickup_time,omitzero"` // seconds since 1970
	ExternalReferenceID wire.Text `json:"external_reference_id,omitzero"`
	FieldsRelayed       Relayed   `json:"fields_relayed"`
}

// Relayed says what of an order reaches the kitchen.
type Relayed struct {
	OrderInstructions bool `json:"order_special_instructions"`
	ItemInstructions  bool `json:"item_special_instructions"`
	ItemRequests      bool `json:"item_special_requests"`
	Promotions        bool `json:"promotions"`
}

func (c *Client) order(ctx context.Context, op string, r channel.Ref, verb string, in any) error {
	if r.ID == "" {
		return errors.New(op + ": the order has no id")
	}
	return c.do(ctx, famDecide, true, rest.Call{Op: op, Method: http.MethodPost, Path: rest.Path("v1", "eats", "orders", r.ID, verb), In: in})
}

// Accept takes the order. It has to come within AcceptIn.
func (c *Client) Accept(ctx context.Context, r channel.Ref, ready time.Time) error {
	a := Acceptance{Reason: "accepted", ExternalReferenceID: wire.Text(r.FriendlyID), FieldsRelayed: Relayed{true, true, true, true}}
	if !ready.IsZero() {
		a.PickupTime = ready.Unix()
	}
	return c.order(ctx, "accept the order", r, "accept_pos_order", a)
}

// Refusal is the body of deny_pos_order.
type Refusal struct {
	Reason Why `json:"reason"`
}

// Why is the reason of a refusal.
type Why struct {
	Explanation     wire.Text `json:"explanation"`
	Code            wire.Text `json:"code"`
	OutOfStockItems []string  `json:"out_of_stock_items,omitzero"`
	InvalidItems    []string  `json:"invalid_items,omitzero"`
}

// Deny refuses the order.
func (c *Client) Deny(ctx context.Context, r channel.Ref, d channel.Denial) error {
	text := d.Text
	if text == "" {
		text = strings.ToLower(strings.ReplaceAll(d.Reason, "_", " "))
	}
	return c.order(ctx, "refuse the order", r, "deny_pos_order", Refusal{Why{wire.Text(text), denyCode(d), d.Items, d.Invalid}})
}

func denyCode(d channel.Denial) wire.Text {
	switch {
	case len(d.Items) > 0 || d.Reason == "UNAVAILABLE_ITEM" || d.Reason == "ALL_ITEMS_OUT_OF_STOCK":
		return "ITEM_AVAILABILITY"
	case len(d.Invalid) > 0:
		return "MISSING_ITEM"
	case d.Reason == "KITCHEN_CLOSED":
		return "STORE_CLOSED"
	case d.Reason == "RESTAURANT_TOO_BUSY" || d.Reason == "LABOR_UNAVAILABLE":
		return "CAPACITY"
	case d.Reason == "CANNOT_COMPLETE_CUSTOMER_REQUEST":
		return "SPECIAL_INSTRUCTIONS"
	case d.Reason == "RESTAURANT_INTERNAL_ISSUE":
		return "POS_NOT_READY"
	}
	return "OTHER"
}

// Cancellation is the body of cancel.
type Cancellation struct {
	Reason  wire.Text `json:"reason"`
	Details wire.Text `json:"details,omitzero"`
}

// Cancelled cancels an order that was accepted.
func (c *Client) Cancelled(ctx context.Context, r channel.Ref, reason string) error {
	k := Cancellation{Reason: "OTHER", Details: wire.Text(strings.ToLower(strings.ReplaceAll(reason, "_", " ")))}
	switch reason {
	case "UNAVAILABLE_ITEM", "ALL_ITEMS_OUT_OF_STOCK":
		k.Reason = "OUT_OF_ITEMS"
	case "KITCHEN_CLOSED", "CUSTOMER_CALLED_TO_CANCEL", "RESTAURANT_TOO_BUSY":
		k.Reason = wire.Text(reason)
	case "CANNOT_COMPLETE_CUSTOMER_REQUEST":
		k.Reason = "CANNOT_COMPLETE_CUSTOMER_NOTE"
	}
	return c.order(ctx, "cancel the order", r, "cancel", k)
}

// StoreStatus is the body of a store's status.
type StoreStatus struct {
	Status      wire.Text `json:"status"` // ONLINE, PAUSED
	PausedUntil wire.Text `json:"paused_until,omitzero"`
	Reason      wire.Text `json:"reason,omitzero"`
}

func (c *Client) status(ctx context.Context, op string, s StoreStatus) error {
	return c.do(ctx, famStore, false, rest.Call{Op: op, Method: http.MethodPost, Path: rest.Path("v1", "eats", "store", c.c.Store, "status"), In: s})
}

// Pause takes no more orders for a while.
func (c *Client) Pause(ctx context.Context, until time.Time, reason string) error {
	return c.status(ctx, "pause the store", StoreStatus{"PAUSED", wire.Stamp(until), wire.Text(reason)})
}

// Resume takes orders again.
func (c *Client) Resume(ctx context.Context) error {
	return c.status(ctx, "resume the store", StoreStatus{Status: "ONLINE"})
}

// Check proves the credentials and the store by reading its status.
func (c *Client) Check(ctx context.Context) error {
	return c.do(ctx, famStore, false, rest.Call{Op: "read the store's status", Path: rest.Path("v1", "eats", "store", c.c.Store, "status")})
}

// Answer answers nothing: Uber's events want no answer but 200.
func (c *Client) Answer(context.Context, channel.Event, *channel.Failure) error { return nil }

// What Uber has no call for, or what Accept says.

func (c *Client) Created(context.Context, channel.Ref) error { return channel.ErrUnsupported }
func (c *Client) Failed(context.Context, channel.Ref, channel.Failure) error {
	return channel.ErrUnsupported
}
func (c *Client) Ready(context.Context, channel.Ref) error     { return channel.ErrUnsupported }
func (c *Client) HandedOff(context.Context, channel.Ref) error { return channel.ErrUnsupported }
func (c *Client) Fulfilled(context.Context, channel.Ref) error { return channel.ErrUnsupported }
func (c *Client) PrepTime(context.Context, channel.Ref, time.Time) error {
	return channel.ErrUnsupported
}
func (c *Client) Injected(context.Context, channel.Ref, channel.Injection) error {
	return channel.ErrUnsupported
}
func (c *Client) Paused(context.Context, string, bool, string) error {
	return channel.ErrUnsupported
}
func (c *Client) Job(context.Context, string) (channel.Job, error) {
	return channel.Job{}, channel.ErrUnsupported
}
