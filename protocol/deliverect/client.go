package deliverect

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

// Name is the aggregator's own.
const Name = "deliverect"

// Addresses and headers.
const (
	Host            = "https://api.deliverect.com"
	TestHost        = "https://api.staging.deliverect.com"
	SignatureHeader = "X-Server-Authorization-Hmac-Sha256" // HMAC-SHA256 of the raw body; Deliverect has to confirm the name
)

// MaxBody bounds a webhook, in bytes.
const MaxBody = 1 << 20

// Defaults for a Config left at zero.
const (
	DefaultTimeout   = 10 * time.Second
	DefaultMaxAnswer = 4 << 20
	DefaultScope     = "genericPOS"
)

// Config is one location. Location, Currency, Credentials.ClientID and ClientSecret are required.
type Config struct {
	Base     string // "" means Host
	Location string // Deliverect's id of the location
	Account  string // Deliverect's id of the customer, for products
	Currency string // ISO 4217: orders do not say
	Hook     string // our own webhook's address, which the registration of a POS asks for; "": registrations are refused

	Channels        map[string]string // a channel's number -> slug of the marketplace
	Credentials     channel.Credentials
	WebhookSecret   []byte // without it every webhook is refused
	SignatureHeader string // "" means SignatureHeader

	// HTTP has TLS, clock and trace. Base, Tokens, Header, Secrets are set by the client.
	HTTP rest.Config
}

// A Client speaks for one location. Its methods may be called from any goroutine.
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
	if c.Location == "" {
		faults = append(faults, errors.New("location is missing; Deliverect shows its id in the location's settings"))
	}
	code, known, err := wire.Currency(wire.Text(c.Currency))
	if err != nil || !known {
		faults = append(faults, fmt.Errorf("currency %q is not one of ISO 4217, as EUR", c.Currency))
	}
	if c.Credentials.ClientID == "" || c.Credentials.ClientSecret == "" {
		faults = append(faults, errors.New("client id and client secret are missing"))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("deliverect: %w", errors.Join(faults...))
	}
	c.Currency = code
	c.Base = strings.TrimRight(c.Base, "/")
	if c.Base == "" {
		c.Base = Host
	}
	if c.Credentials.Scope == "" {
		c.Credentials.Scope = DefaultScope
	}
	if c.SignatureHeader == "" {
		c.SignatureHeader = SignatureHeader
	}
	t := c.HTTP
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	if t.MaxAnswer <= 0 {
		t.MaxAnswer = DefaultMaxAnswer
	}
	if t.MaxRequest <= 0 {
		t.MaxRequest = 16 << 20 // a location's products
	}
	t.Base, t.Tokens, t.Header = c.Base, nil, nil
	t.Secrets = append([]string{c.Credentials.ClientSecret, string(c.WebhookSecret)}, t.Secrets...)
	tokens, err := rest.NewTokens(rest.OAuth{Endpoint: c.Base + "/oauth/token", ID: c.Credentials.ClientID, Secret: c.Credentials.ClientSecret, AsJSON: true,
		Scope: c.Credentials.Scope, Params: url.Values{"audience": {c.Base}}, HTTP: t})
	if err != nil {
		return nil, fmt.Errorf("deliverect: %w", err)
	}
	t.Tokens = tokens
	client, err := rest.New(t)
	if err != nil {
		return nil, fmt.Errorf("deliverect: %w", err)
	}
	now := t.Now
	if now == nil {
		now = time.Now
	}
	return &Client{c: c, client: client, tokens: tokens, now: now, limits: wire.Limits{Other: 300, PerSecond: 10, Reserve: 0.25},
		seal: wire.Seal{Secret: c.WebhookSecret, Header: c.SignatureHeader}}, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.client.Close()
	c.tokens.Close()
}

// Capabilities is Deliverect's column of spec/delivery.md 10.
func (c *Client) Capabilities() channel.Capabilities {
	return channel.Capabilities{Failures: true, Progress: []channel.Status{channel.Prepared, channel.Fulfilled}, Cancel: true, PrepTime: true, Menu: true, Documented: true,
		Unsure: []string{"prep_time", "menu"}}
}

// Registration is the body of a POS's registration.
type Registration struct {
	Location wire.Text `json:"location"`
	Account  wire.Text `json:"account,omitzero"`
}

// Addresses is its answer.
type Addresses struct {
	Orders      string `json:"ordersWebhookURL"`
	Products    string `json:"syncProductsURL"`
	Tables      string `json:"syncTablesURL"`
	Floors      string `json:"syncFloorsURL"`
	Operations  string `json:"operationsWebhookURL"`
	StoreStatus string `json:"storeStatusWebhookURL"`
}

// Receive reads a webhook.
func (c *Client) Receive(m channel.Message) (channel.Receipt, error) {
	if len(m.Body) > MaxBody {
		return channel.Receipt{}, &channel.Malformed{Faults: []channel.Fault{{Detail: fmt.Sprintf("is %d bytes long; the limit is %d", len(m.Body), MaxBody)}}}
	}
	if err := c.seal.Check(m.Header, m.Body); err != nil {
		return channel.Receipt{}, err
	}
	e, err := c.Decode(m.Body)
	if e.Store != "" && e.Store != c.c.Location {
		return channel.Receipt{}, channel.ErrStore
	}
	if err != nil {
		return channel.Receipt{}, err
	}
	r := channel.Receipt{Events: []channel.Event{e}}
	if e.Kind == channel.KindPairing && c.c.Hook != "" {
		r.Body = Addresses{c.c.Hook, c.c.Hook, c.c.Hook, c.c.Hook, c.c.Hook, c.c.Hook}
	}
	return r, nil
}

// Decode reads a webhook's body into an event. What is neither an order nor a registration is KindUnknown. The error is a
// *channel.Malformed.
func (c *Client) Decode(body []byte) (channel.Event, error) {
	var o Order
	if err := wire.Read("", body, &o); err != nil {
		return channel.Event{}, err
	}
	status, err := wire.Whole(o.Status, 0, 10000)
	e := channel.Event{Kind: channel.KindUnknown, Type: "status " + strconv.Itoa(status), Store: string(o.Location), Raw: append([]byte(nil), body...), ID: wire.EventID(body)}
	if at, ok := wire.ParseTime(o.Updated); ok {
		e.At = at
	}
	if o.ChannelOrderID == "" && o.ID == "" {
		e.Type = "other"
		if o.Location != "" && o.Status == "" {
			e.Kind, e.Type = channel.KindPairing, "register"
			e.Pairing = &channel.Pairing{Act: "link", Store: e.Store, Credentials: map[string]string{}}
		}
		return e, nil
	}
	if err != nil {
		return e, &channel.Malformed{Faults: []channel.Fault{{Pointer: "/status", Detail: err.Error()}}}
	}
	if id := string(o.ID) + "/" + strconv.Itoa(status) + "/" + string(o.Updated); o.Updated != "" && len(id) <= maxText {
		e.ID = id
	}
	e.Ref = channel.Ref{ID: string(o.ChannelOrderID), FriendlyID: string(o.ChannelOrderDisplayID), Resource: string(o.ID), Event: e.ID}
	e.Ref.Slug, _ = c.marketplace(string(o.Channel))
	switch {
	case status == Cancel || status == StCanceled:
		e.Kind, e.Status, e.Reason = channel.KindCancel, channel.Cancelled, "CUSTOMER_CALLED_TO_CANCEL"
		if o.ChannelOrderID == "" {
			return e, &channel.Malformed{Faults: []channel.Fault{{Pointer: "/channelOrderId", Detail: "is missing"}}}
		}
		return e, nil
	case status == Finalized:
		e.Kind, e.Status = channel.KindStatus, channel.Fulfilled
		return e, nil
	case status >= ToDropOff && status < Finalized:
		e.Kind, e.Status = channel.KindStatus, channel.HandedOff
		return e, nil
	case status > Scheduled && o.Items == nil:
		return e, nil
	}
	e.Kind = channel.KindOrder
	order, err := c.channel(&o)
	if err != nil {
		return e, err
	}
	e.Order = &order
	return e, nil
}

// maxText bounds ids, in bytes.
const maxText = 255

// Call families: Deliverect tells no limits; one clumsy minute should not cost us the next.
const famStatus wire.Family = "order status"

// StatusUpdate is the body of POST /orderStatus/{orderId}.
type StatusUpdate struct {
	OrderID    wire.Text `json:"orderId"`
	ReceiptID  wire.Text `json:"receiptId"`
	Status     int       `json:"status"`
	PickupTime wire.Text `json:"pickupTime,omitzero"`
	Reason     wire.Text `json:"reason,omitzero"`
	TimeStamp  wire.Text `json:"timeStamp"`
}

// tell tells how an order stands, by Deliverect's own id of it.
func (c *Client) tell(ctx context.Context, urgent wire.Urgent, op string, r channel.Ref, status int, ready time.Time, reason string) error {
	if r.Resource == "" {
		return fmt.Errorf("%s: Deliverect's own id of order %s is not known", op, r.ID)
	}
	receipt := r.FriendlyID
	if receipt == "" {
		receipt = r.ID
	}
	if len(reason) > maxText {
		reason = strings.ToValidUTF8(reason[:maxText], "")
	}
	return c.do(ctx, famStatus, urgent, rest.Call{Op: op, Method: http.MethodPost, Path: rest.Path("orderStatus", r.Resource),
		In: StatusUpdate{wire.Text(r.Resource), wire.Text(receipt), status, wire.Stamp(ready), wire.Text(reason), wire.Stamp(c.now())}})
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

// Created says that the order is in the POS's workflow.
func (c *Client) Created(ctx context.Context, r channel.Ref) error {
	return c.tell(ctx, true, "tell that the order is taken", r, StAccepted, time.Time{}, "")
}

// Accept says the same, and when the order can be fetched.
func (c *Client) Accept(ctx context.Context, r channel.Ref, ready time.Time) error {
	return c.tell(ctx, true, "accept the order", r, StAccepted, ready, "")
}

// Failed says why the order could not be taken.
func (c *Client) Failed(ctx context.Context, r channel.Ref, f channel.Failure) error {
	return c.tell(ctx, true, "tell a failure", r, StFailed, time.Time{}, f.Message)
}

// Deny refuses the order.
func (c *Client) Deny(ctx context.Context, r channel.Ref, d channel.Denial) error {
	reason := d.Reason
	if d.Text != "" {
		reason += ": " + d.Text
	}
	if len(d.Items) > 0 {
		reason += "; sold out: " + strings.Join(d.Items, ", ")
	}
	return c.tell(ctx, true, "refuse the order", r, StDenied, time.Time{}, reason)
}

// Ready says that the order can be fetched.
func (c *Client) Ready(ctx context.Context, r channel.Ref) error {
	return c.tell(ctx, false, "tell that the order is ready", r, StReady, time.Time{}, "")
}

// HandedOff is the dispatch's to say.
func (c *Client) HandedOff(context.Context, channel.Ref) error { return channel.ErrUnsupported }

// Fulfilled says that no more will come.
func (c *Client) Fulfilled(ctx context.Context, r channel.Ref) error {
	return c.tell(ctx, false, "tell that the order is done", r, Finalized, time.Time{}, "")
}

// PrepTime says when the order can be fetched.
func (c *Client) PrepTime(ctx context.Context, r channel.Ref, ready time.Time) error {
	return c.tell(ctx, false, "tell the preparation time", r, Preparing, ready, "")
}

// Cancelled says that the order is void.
func (c *Client) Cancelled(ctx context.Context, r channel.Ref, reason string) error {
	return c.tell(ctx, true, "cancel the order", r, StCanceled, time.Time{}, reason)
}

// Check proves the credentials by fetching a token.
func (c *Client) Check(ctx context.Context) error {
	_, err := c.tokens.Authorization(ctx)
	return err
}

// Answer confirms a cancel; no other event wants an answer.
func (c *Client) Answer(ctx context.Context, e channel.Event, f *channel.Failure) error {
	if e.Kind == channel.KindCancel && f == nil {
		return c.Cancelled(ctx, e.Ref, "")
	}
	return nil
}

// What Deliverect has no call for.

func (c *Client) Fetch(context.Context, channel.Ref) (channel.Order, error) {
	return channel.Order{}, channel.ErrUnsupported
}
func (c *Client) Feed(context.Context, time.Time, time.Time) ([]channel.Order, error) {
	return nil, channel.ErrUnsupported
}
func (c *Client) Injected(context.Context, channel.Ref, channel.Injection) error {
	return channel.ErrUnsupported
}
func (c *Client) Paused(context.Context, string, bool, string) error {
	return channel.ErrUnsupported
}
func (c *Client) Pause(context.Context, time.Time, string) error { return channel.ErrUnsupported }
func (c *Client) Resume(context.Context) error                   { return channel.ErrUnsupported }
func (c *Client) Available(context.Context, []channel.Availability) error {
	return channel.ErrUnsupported
}
func (c *Client) CurrentMenu(context.Context, string, channel.Menu) error {
	return channel.ErrUnsupported
}
func (c *Client) Job(context.Context, string) (channel.Job, error) {
	return channel.Job{}, channel.ErrUnsupported
}
