// Package kounta is Lightspeed Restaurant O-Series, once Kounta: is a site there, its tables and products, and orders that are
// looked for before and after they are made (spec/pos.md 3).
//
// The call that makes an order may answer with nothing although it is there, and lists lag behind. So Ensure looks for the
// order by its sale number, among those of a day around and of about its value, before it makes one, looks again after
// 5, 3, 3 and 5 seconds, and makes at most two. Two calls for one sale number wait for each other.
package kounta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Host is where companies are served.
const Host = "https://api.kounta.com"

// Rules of looking for an order.
const (
	window    = 24 * time.Hour // either side
	tolerance = 5              // of the value, in minor units
	maxFound  = 1000
)

// MaxReference is the longest sale number, in characters.
const MaxReference = 48

// looks are the waits before each look after an order was made.
func looks() []time.Duration {
	return []time.Duration{5 * time.Second, 3 * time.Second, 3 * time.Second, 5 * time.Second}
}

// Errors that are certain, or mark what is not.
var (
	ErrUnknown = errors.New("the order was sent and cannot be found; it may yet appear")
	ErrSeveral = errors.New("several orders have this sale number")
)

// Config is one site. Company, Site, Currency and Tokens are required.
type Config struct {
	Base     string // "" means Host
	Company  string
	Site     string
	Register string
	Currency string
	Tokens   rest.TokenSource
	HTTP     rest.Config
	Wait     func(context.Context, time.Duration) error // nil: a real one
	Creates  int                                        // how often one Ensure makes an order; 0 means DefaultCreates
}

// DefaultCreates is how often one Ensure makes an order that it cannot find.
const DefaultCreates = 2

// A Client speaks for one site. Its methods may be called from any goroutine.
type Client struct {
	c        Config
	decimals int
	http     *rest.Client

	mu   sync.Mutex // guards busy
	busy map[string]chan struct{}
}

const name = "Lightspeed O" // in errors

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	for _, need := range []struct{ what, value string }{{"company", c.Company}, {"site", c.Site}, {"currency", c.Currency}} {
		if need.value == "" || !wire.Plain(need.value) {
			return nil, fmt.Errorf("%s: %s is missing or has a character that does not belong there", name, need.what)
		}
	}
	if c.Tokens == nil {
		return nil, fmt.Errorf("%s: tokens are missing", name)
	}
	t := c.HTTP
	t.Base, t.Tokens = c.Base, c.Tokens
	if t.Base == "" {
		t.Base = Host
	}
	if t.Timeout <= 0 {
		t.Timeout = wire.DefaultTimeout
	}
	if c.Wait == nil {
		c.Wait = rest.Wait
	}
	if c.Creates <= 0 {
		c.Creates = DefaultCreates
	}
	client, err := rest.New(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Client{c: c, decimals: wire.Decimals(c.Currency), http: client, busy: map[string]chan struct{}{}}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

func (c *Client) company(segments ...string) string {
	return "/v1" + rest.Path(append([]string{"companies", c.c.Company}, segments...)...)
}

func (c *Client) site(segments ...string) string {
	return c.company(append([]string{"sites", c.c.Site}, segments...)...)
}

func (c *Client) do(ctx context.Context, call rest.Call) error {
	_, err := c.http.Do(ctx, call)
	return err
}

// Online tells whether the site's till is there.
func (c *Client) Online(ctx context.Context) (bool, error) {
	var a struct {
		Status jsontext.Value `json:"status"`
		Online *bool          `json:"online"`
	}
	if err := c.do(ctx, rest.Call{Op: "ask for the site", Path: c.site("status.json"), Out: &a}); err != nil {
		return false, err
	}
	if a.Online != nil {
		return *a.Online, nil
	}
	switch string(a.Status) {
	case `"online"`, `"Online"`, `true`, `1`:
		return true, nil
	}
	return false, nil
}

// A Table is one of the site's. Several orders may be open on it.
type Table struct {
	ID     wire.Text `json:"id"`
	Name   wire.Text `json:"name"`
	Seats  int       `json:"seats"`
	Orders []Found   `json:"orders"`
}

// Tables lists the tables with what is on hold there.
func (c *Client) Tables(ctx context.Context) ([]Table, error) {
	var all []Table
	return all, c.do(ctx, rest.Call{Op: "read tables", Path: c.site("tables.json"), Query: url.Values{"status": {"ON_HOLD"}}, Out: &all})
}

// A Product can be sold. Category is what a course is mapped by.
type Product struct {
	ID       wire.Text `json:"id"`
	Name     string    `json:"name"`
	Code     wire.Text `json:"code"`
	Online   bool      `json:"show_online"`
	Category struct {
		ID   wire.Text `json:"id"`
		Name string    `json:"name"`
	} `json:"category"`
	Variations []struct {
		ID    wire.Text      `json:"id"`
		Name  string         `json:"name"`
		Price jsontext.Value `json:"unit_price"`
	} `json:"variations"`
	Description string         `json:"description"`
	Price       jsontext.Value `json:"unit_price"`
	Image       string         `json:"image"`
	Barcode     wire.Text      `json:"barcode"`
	Deleted     bool           `json:"deleted"`
	OptionSets  []OptionSet    `json:"option_sets"`
}

// An OptionSet is a choice that a product offers; its options are products.
type OptionSet struct {
	ID      wire.Text `json:"id"`
	Name    string    `json:"name"`
	Min     int       `json:"min_selection"`
	Max     int       `json:"max_selection"`
	Options []struct {
		ID    wire.Text      `json:"id"`
		Name  string         `json:"name"`
		Price jsontext.Value `json:"unit_price"`
	} `json:"options"`
}

// Limits of lists, which come in pages.
const (
	maxPages    = 1000
	maxProducts = 20000
)

// Products lists what the site sells, page by page.
func (c *Client) Products(ctx context.Context) ([]Product, error) {
	var all []Product
	for page, pages := 0, 1; page < pages; page++ {
		var some []Product
		call := rest.Call{Op: "read products", Path: c.site("products.json"), Out: &some}
		if page > 0 {
			call.Query = url.Values{"page": {strconv.Itoa(page)}}
		}
		a, err := c.http.Do(ctx, call)
		if err != nil {
			return nil, err
		}
		if n, err := strconv.Atoi(a.Header.Get("X-Pages")); err == nil {
			pages = min(n, maxPages)
		}
		if all = append(all, some...); len(all) > maxProducts {
			return nil, fmt.Errorf("%s: more than %d products", name, maxProducts)
		}
	}
	return all, nil
}

// SetAvailability takes a product from sale at the site, or gives it back.
func (c *Client) SetAvailability(ctx context.Context, product string, available bool) error {
	return c.do(ctx, rest.Call{Op: "set availability", Method: http.MethodPut, Path: c.site("products", product+".json"), In: map[string]bool{"show_online": available}, Repeatable: true})
}

// States of an order.
const (
	Submitted = "SUBMITTED" // the till rings, staff accept or reject
	OnHold    = "ON_HOLD"   // open and quiet
	Pending   = "PENDING"
	Accepted  = "ACCEPTED"
	Rejected  = "REJECTED"
	Complete  = "COMPLETE"
)

// Order is one to make. Amounts are minor units.
type Order struct {
	Reference string // ours, the sale number
	Status    string // "" means Submitted
	Type      string // order_type, as the site calls it
	Notes     string // begins with the partner and its id
	PlacedAt  time.Time
	FulfilAt  time.Time
	Lines     []Line
	Payments  []Payment
	Complete  bool // completes when it is paid
	Total     int64
}

// A Line is a product.
type Line struct {
	Product   string
	Quantity  int
	Price     int64 // each
	Notes     string
	Modifiers []int64 // negative: taken away
}

// A Payment is money taken elsewhere. Its amount is without the tip, which O-Series has no place for.
type Payment struct {
	Method string
	Amount int64
	Ref    string
}

// Found is an order that is there.
type Found struct {
	ID        wire.Text      `json:"id"`
	IDText    wire.Text      `json:"id_str"`
	Reference string         `json:"sale_number"`
	Status    string         `json:"status"`
	Total     jsontext.Value `json:"total"`
	Paid      jsontext.Value `json:"paid"`
	Table     wire.Text      `json:"table_name"`
	Deleted   bool           `json:"deleted"`
	CreatedAt string         `json:"created_at"`
	PlacedAt  string         `json:"placed_at"`
	Lines     []FoundLine    `json:"lines"`
}

// A FoundLine is what was sold.
type FoundLine struct {
	Product  wire.Text      `json:"product_id"`
	Name     string         `json:"product_name"`
	Category string         `json:"category_name"`
	Quantity jsontext.Value `json:"quantity"`
	Price    jsontext.Value `json:"unit_price"`
}

// Identifier is the order's number, of 64 bits and therefore a text.
func (f *Found) Identifier() string {
	if f.IDText != "" {
		return string(f.IDText)
	}
	return string(f.ID)
}

// Any is the value of an order that is looked for by its sale number alone.
const Any = -1

// Find looks for an order by sale number, among those of a day around and of about that value; Any value is a longer list. ok
// is false when there is none; lists lag, so that "none" right after an order was made means little.
func (c *Client) Find(ctx context.Context, reference string, total int64, around time.Time) (found Found, ok bool, err error) {
	amount := func(minor int64) string { return string(wire.Number(minor, c.decimals)) }
	q := url.Values{
		"site_id": {c.c.Site}, "created_gte": {around.Add(-window).UTC().Format(time.RFC3339)}, "created_lte": {around.Add(window).UTC().Format(time.RFC3339)},
	}
	if total != Any {
		q.Set("value_gte", amount(max(total-tolerance, 0)))
		q.Set("value_lte", amount(total+tolerance))
	}
	var all []Found
	if err := c.do(ctx, rest.Call{Op: "find order", Path: c.company("orders.json"), Query: q, Out: &all}); err != nil {
		return Found{}, false, err
	}
	for _, f := range all[:min(len(all), maxFound)] {
		if f.Reference != reference || f.Deleted {
			continue
		}
		if ok {
			return found, true, fmt.Errorf("%w: %s and %s", ErrSeveral, found.Identifier(), f.Identifier())
		}
		found, ok = f, true
	}
	return found, ok, nil
}

// Check tells what cannot be sent.
func (o *Order) Check() error {
	if n := utf8.RuneCountInString(o.Reference); n < 1 || n > MaxReference {
		return fmt.Errorf("reference has %d characters; 1 to %d", n, MaxReference)
	}
	for i, l := range o.Lines {
		if _, err := strconv.ParseInt(l.Product, 10, 64); err != nil || l.Quantity < 1 {
			return fmt.Errorf("line %d has product %q and quantity %d; a product's number and at least one are wanted", i+1, l.Product, l.Quantity)
		}
	}
	return nil
}

// Ensure makes an order unless it is there, and tells where it is. ErrUnknown: it may be there, or come yet. Other errors wrap
// a *rest.Error; a refused one is certain.
func (c *Client) Ensure(ctx context.Context, o Order) (found Found, existed bool, err error) {
	if err := o.Check(); err != nil {
		return Found{}, false, &rest.Error{Op: "make order", Method: http.MethodPost, Path: c.company("orders.json"), Fate: rest.NotSent, Err: err}
	}
	release, err := c.alone(ctx, o.Reference)
	if err != nil {
		return Found{}, false, err
	}
	defer release()
	around := o.PlacedAt
	if around.IsZero() {
		around = c.now()
	}
	found, ok, err := c.Find(ctx, o.Reference, o.Total, around)
	if ok || err != nil {
		return found, ok, err
	}
	for n := 1; ; n++ {
		made, err := c.create(ctx, &o)
		switch rest.FateOf(err) {
		case rest.Refused, rest.NotSent:
			if err != nil {
				return Found{}, false, err
			}
		}
		if err == nil && made.Identifier() != "" {
			return made, false, nil
		}
		for _, d := range looks() {
			if err := c.c.Wait(ctx, d); err != nil {
				return Found{}, false, fmt.Errorf("%w: %w", ErrUnknown, err)
			}
			found, ok, err := c.Find(ctx, o.Reference, o.Total, around)
			if ok {
				return found, false, err
			}
		}
		if n == c.c.Creates || err != nil { // after an uncertain answer no second one is made
			if err != nil {
				return Found{}, false, fmt.Errorf("%w: %w", ErrUnknown, err)
			}
			return Found{}, false, ErrUnknown
		}
	}
}

func (c *Client) now() time.Time {
	if c.c.HTTP.Now != nil {
		return c.c.HTTP.Now()
	}
	return time.Now()
}

// alone waits until nobody else makes an order of that reference.
func (c *Client) alone(ctx context.Context, reference string) (release func(), err error) {
	mine := make(chan struct{})
	for {
		c.mu.Lock()
		other, taken := c.busy[reference]
		if !taken {
			c.busy[reference] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.busy, reference)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Client) create(ctx context.Context, o *Order) (Found, error) {
	type line struct {
		Number    int            `json:"number"`
		Product   jsontext.Value `json:"product_id"`
		Quantity  int            `json:"quantity"`
		Price     jsontext.Value `json:"unit_price"`
		Notes     string         `json:"notes,omitzero"`
		Modifiers []int64        `json:"modifiers,omitzero"`
	}
	type payment struct {
		Method string         `json:"method_id"`
		Amount jsontext.Value `json:"amount"`
		Ref    string         `json:"ref,omitzero"`
	}
	body := struct {
		Status   string    `json:"status"`
		Number   string    `json:"sale_number"`
		Type     string    `json:"order_type,omitzero"`
		Site     string    `json:"site_id"`
		Register string    `json:"register_id,omitzero"`
		Lines    []line    `json:"lines"`
		Payments []payment `json:"payments,omitzero"`
		Complete bool      `json:"complete_when_paid,omitzero"`
		PlacedAt string    `json:"placed_at,omitzero"`
		FulfilAt string    `json:"fulfil_at,omitzero"`
		Notes    string    `json:"notes,omitzero"`
	}{Status: o.Status, Number: o.Reference, Type: o.Type, Site: c.c.Site, Register: c.c.Register, Lines: []line{}, Complete: o.Complete, Notes: o.Notes}
	if body.Status == "" {
		body.Status = Submitted
	}
	for _, t := range []struct {
		at time.Time
		to *string
	}{{o.PlacedAt, &body.PlacedAt}, {o.FulfilAt, &body.FulfilAt}} {
		if !t.at.IsZero() {
			*t.to = t.at.UTC().Format(time.RFC3339)
		}
	}
	for i, l := range o.Lines {
		body.Lines = append(body.Lines, line{i + 1, jsontext.Value(l.Product), l.Quantity, wire.Number(l.Price, c.decimals), l.Notes, l.Modifiers})
	}
	for _, p := range o.Payments {
		body.Payments = append(body.Payments, payment{p.Method, wire.Number(p.Amount, c.decimals), p.Ref})
	}
	var raw []byte
	if err := c.do(ctx, rest.Call{Op: "make order", Method: http.MethodPost, Path: c.company("orders.json"), In: body, Out: &raw, Once: true}); err != nil {
		return Found{}, err
	}
	var made Found
	if json.Unmarshal(raw, &made) != nil { // null, nothing or a page: it was made all the same
		return Found{}, nil
	}
	return made, nil
}
