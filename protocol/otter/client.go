package otter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// Name is the aggregator's own.
const Name = "otter"

// SignatureHeader carries HMAC-SHA256 of a webhook's raw body.
const SignatureHeader = "X-HMAC-SHA256"

// MaxBody bounds a webhook, in bytes.
const MaxBody = 1 << 20

// Defaults for a Config left at zero.
const (
	DefaultTimeout   = 10 * time.Second
	DefaultMaxAnswer = 16 << 20 // bytes: a store's menu, a page of the feed
	DefaultScope     = "manager.orders manager.menus manager.storefront orders.read orders.update menus.read menus.upsert menus.publish menus.get_current menus.upsert_hours " +
		"menus.entity_suspension menus.async_job.read storefront.store_pause_unpause storefront.store_availability storefront.store_hours_configuration stores.manage " +
		"callback.error.write ping"
)

// Config is one store. Base, Store, Credentials.ClientID and ClientSecret are required.
type Config struct {
	Base  string // https://HOST: Otter gives each partner its own
	Store string // our id of the store, which Otter repeats in X-Store-Id

	// Credentials has ClientID and ClientSecret; Scope, "" means DefaultScope; Application, which a store is paired with.
	// Username and Password, or Token, are what webhooks have to bring beside their signature, where that was agreed.
	Credentials   channel.Credentials
	WebhookSecret []byte // without it every webhook is refused

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
	if c.Base == "" {
		faults = append(faults, errors.New("base address is missing; Otter gives it with the credentials"))
	}
	if c.Store == "" || len(c.Store) > maxText || strings.ContainsFunc(c.Store, func(r rune) bool { return r < ' ' || r > '~' }) {
		faults = append(faults, fmt.Errorf("store %q is not 1 to %d printable characters of ASCII", c.Store, maxText))
	}
	if c.Credentials.ClientID == "" || c.Credentials.ClientSecret == "" {
		faults = append(faults, errors.New("client id and client secret are missing"))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("otter: %w", errors.Join(faults...))
	}
	c.Base = strings.TrimRight(c.Base, "/")
	if c.Credentials.Scope == "" {
		c.Credentials.Scope = DefaultScope
	}
	t := c.HTTP
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	if t.MaxAnswer <= 0 {
		t.MaxAnswer = DefaultMaxAnswer
	}
	if t.MaxRequest <= 0 {
		t.MaxRequest = DefaultMaxAnswer
	}
	t.Base, t.Tokens, t.Header = c.Base, nil, nil
	t.Secrets = append([]string{c.Credentials.ClientSecret, c.Credentials.Password, c.Credentials.Token, string(c.WebhookSecret)}, t.Secrets...)
	tokens, err := rest.NewTokens(rest.OAuth{
		Endpoint: c.Base + "/v1/auth/token", ID: c.Credentials.ClientID, Secret: c.Credentials.ClientSecret, InForm: true, Scope: c.Credentials.Scope, HTTP: t,
	})
	if err != nil {
		return nil, fmt.Errorf("otter: %w", err)
	}
	t.Tokens = tokens
	t.Header = http.Header{"X-Store-Id": {c.Store}}
	client, err := rest.New(t)
	if err != nil {
		return nil, fmt.Errorf("otter: %w", err)
	}
	now := t.Now
	if now == nil {
		now = time.Now
	}
	return &Client{
		c: c, client: client, tokens: tokens, now: now, limits: limits(),
		seal: wire.Seal{Secret: c.WebhookSecret, Header: SignatureHeader, Base64: true},
	}, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	c.client.Close()
	c.tokens.Close()
}

// Capabilities is Otter's column of spec/delivery.md 10.
func (c *Client) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		Accept: true, Feed: true, FeedBack: FeedBack, Fetch: true, Answers: true, Failures: true, Progress: []channel.Status{channel.Prepared, channel.Fulfilled},
		Cancel: true, PrepTime: true, Pause: true, Availability: true, Hours: true, Menu: true, MenuOptions: true, Documented: true,
	}
}

// Receive reads a webhook.
func (c *Client) Receive(m channel.Message) (channel.Receipt, error) {
	if len(m.Body) > MaxBody {
		return channel.Receipt{}, &channel.Malformed{Faults: []channel.Fault{{Detail: fmt.Sprintf("is %d bytes long; the limit is %d", len(m.Body), MaxBody)}}}
	}
	if err := c.seal.Check(m.Header, m.Body); err != nil {
		return channel.Receipt{}, err
	}
	if err := c.authorized(m.Header.Get("Authorization")); err != nil {
		return channel.Receipt{}, err
	}
	e, note, err := Decode(m.Body)
	switch {
	case e.Kind == channel.KindPairing || e.Kind == channel.KindPing: // of stores that are not ours yet
	case e.Store != "" && e.Store != c.c.Store:
		return channel.Receipt{}, channel.ErrStore
	case e.Store == "" && err == nil:
		note = "it names no store"
	}
	if err != nil {
		return channel.Receipt{}, err
	}
	r := channel.Receipt{Events: []channel.Event{e}, Note: note}
	if e.Type == FetchCredentials {
		r.Body = c.credentials(e.Store)
	}
	return r, nil
}

// authorized checks what webhooks bring beside their signature.
func (c *Client) authorized(got string) error {
	k := c.c.Credentials
	want := ""
	switch {
	case k.Username != "":
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(k.Username, k.Password)
		want = r.Header.Get("Authorization")
	case k.Token != "":
		want = "Bearer " + k.Token
	default:
		return nil
	}
	if !wire.Same(got, want) {
		return fmt.Errorf("%w: its Authorization is not the one that was agreed", channel.ErrSignature)
	}
	return nil
}

// credentials is the answer to stores.fetch_credentials: what a person fills in to pair a store. It holds no secret.
func (c *Client) credentials(store string) any {
	field := Credential{Key: "store_id", Label: "Store id of the box"}
	if store == c.c.Store {
		field.Value = wire.Text(store)
	}
	return StoreLink{CredentialsSchemaVersion: "1.0", Credentials: wire.List[Credential]{field}}
}

// do makes one call within the limits.
func (c *Client) do(ctx context.Context, f wire.Family, urgent wire.Urgent, call rest.Call) error {
	if err := c.limits.Take(f, urgent, c.now()); err != nil {
		return err
	}
	call.Once = true
	_, err := c.client.Do(ctx, call)
	var e *rest.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Status == http.StatusTooManyRequests {
		if e.RetryAfter <= 0 {
			e.RetryAfter = defaultShut
		}
		c.limits.Shut(f, e.RetryAfter, c.now())
	}
	return explained(e)
}

// defaultShut is how long a family rests after a 429 that does not say.
const defaultShut = 5 * time.Second

// ErrorBody is what Otter says of a call it refused.
type ErrorBody struct {
	Message wire.Text              `json:"message"`
	Details wire.List[ErrorDetail] `json:"details,omitzero"`
}

// ErrorDetail is one thing wrong with a call.
type ErrorDetail struct {
	Attribute wire.Text `json:"attribute,omitzero"`
	Message   wire.Text `json:"message"`
}

// explained adds Otter's own words.
func explained(e *rest.Error) error {
	var b ErrorBody
	if len(e.Body) == 0 || wire.Read("", e.Body, &b) != nil || b.Message == "" {
		return e
	}
	text := string(b.Message)
	for i, d := range b.Details {
		if i == 3 {
			break
		}
		text += "; " + string(d.Attribute) + ": " + string(d.Message)
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, clip(wire.Text(text)))
	return fmt.Errorf("%w: Otter says %q", e, text)
}
