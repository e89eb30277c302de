package lightspeed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Hosts.
const (
	Host     = "https://api.lsk.lightspeed.app"
	DemoHost = "https://api.trial.lsk.lightspeed.app"
)

// Limits of the interface.
const (
	MaxReference        = 48
	MaxPaymentReference = 50
	MaxSKU              = 25 // of an order's line; items have up to 32
	MaxCollection       = 8
	MinDelivery         = time.Minute // of maxTimeToAttemptOrderDeliverToPos
	itemsPage           = 1000
	maxItems            = 20000
	maxTables           = 5000
)

// DefaultDelivery is how long Lightspeed tries to bring an order to the till.
const DefaultDelivery = 5 * time.Minute

// Errors that are certain.
var (
	ErrDuplicate = errors.New("the reference was used already; the order is there")
	ErrNotFound  = errors.New("there is no such order")
)

// Config is one business location. Location, Endpoint and Tokens are required.
type Config struct {
	Base     string // "" means Host
	Location string // businessLocationId
	Endpoint string // endpointId, where notifications go; upper and lower case count
	Currency string // of the location; amounts come without
	Tokens   rest.TokenSource
	Delivery time.Duration     // 0 means DefaultDelivery
	Paths    map[string]string // operation -> path; {location}, {table}, {account}, {menu} and {reference} are filled in
	HTTP     rest.Config       // Base, Tokens and Header are set here
}

// paths of all operations.
func paths() map[string]string {
	return map[string]string{
		"readiness":    "/o/op/1/onlineOrderReadiness",
		"floorplans":   "/o/op/data/{location}/floorplans",
		"profiles":     "/o/op/data/account-profiles",
		"businesses":   "/o/op/data/businesses",
		"menus":        "/o/op/1/menu/list",
		"menu":         "/o/op/2/menu/load/{menu}",
		"items":        "/items/v1/items",
		"availability": "/o/op/1/itemAvailability",
		"local":        "/o/op/1/order/local",
		"togo":         "/o/op/1/order/toGo",
		"table":        "/o/op/1/order/table/{table}/getCheck",
		"account":      "/o/op/1/order/accounts/{account}",
		"reference":    "/f/finance/{location}/external/TASK-OO-{location}-{reference}",
		"pay":          "/o/op/1/pay",
		"print":        "/o/op/1/printMsg",
		"webhook":      "/o/wh/1/webhook",
	}
}

// A Client speaks for one business location. Its methods may be called from any goroutine.
type Client struct {
	c        Config
	decimals int
	paths    map[string]string
	http     *rest.Client
}

const name = "Lightspeed K" // in errors

// New checks c. It starts nothing.
func New(c Config) (*Client, error) {
	var faults []error
	for _, need := range []struct{ what, value string }{{"business location", c.Location}, {"endpoint id", c.Endpoint}, {"currency", c.Currency}} {
		if need.value == "" || !wire.Plain(need.value) {
			faults = append(faults, fmt.Errorf("%s: %s is missing or has a character that does not belong there", name, need.what))
		}
	}
	if c.Tokens == nil {
		faults = append(faults, fmt.Errorf("%s: tokens are missing", name))
	}
	if c.Delivery == 0 {
		c.Delivery = DefaultDelivery
	}
	if c.Delivery < MinDelivery {
		faults = append(faults, fmt.Errorf("%s: an order is tried for %v; at least %v", name, c.Delivery, MinDelivery))
	}
	o := &Client{c: c, decimals: wire.Decimals(c.Currency), paths: paths()}
	for _, op := range slices.Sorted(maps.Keys(c.Paths)) {
		if _, known := o.paths[op]; !known || !strings.HasPrefix(c.Paths[op], "/") {
			faults = append(faults, fmt.Errorf("%s: paths has %q: %q; operations are %s, paths begin with /", name, op, c.Paths[op], strings.Join(slices.Sorted(maps.Keys(paths())), ", ")))
		}
		o.paths[op] = c.Paths[op]
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	t := c.HTTP
	t.Base, t.Tokens = c.Base, c.Tokens
	if t.Base == "" {
		t.Base = Host
	}
	if t.Timeout <= 0 {
		t.Timeout = wire.DefaultTimeout
	}
	if t.MaxAnswer <= 0 {
		t.MaxAnswer = wire.DefaultMaxAnswer
	}
	var err error
	if o.http, err = rest.New(t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return o, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

func (c *Client) path(op string, fill ...string) string {
	pairs := []string{"{location}", segment(c.c.Location)}
	for i := 0; i+1 < len(fill); i += 2 {
		pairs = append(pairs, fill[i], segment(fill[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(c.paths[op])
}

func segment(s string) string { return strings.TrimPrefix(rest.Path(s), "/") }

func (c *Client) location() url.Values { return url.Values{"businessLocationId": {c.c.Location}} }

// Readiness is how the location stands.
type Readiness struct {
	Ready    bool // a till takes orders now
	Open     bool // a sales period is open
	Devices  []string
	Enabled  bool // ordering by API
	Profile  string
	Staff    string
	Accepted bool
}

// Ready asks whether orders can be sent now.
func (c *Client) Ready(ctx context.Context) (Readiness, error) {
	var a struct {
		Status    string `json:"status"`
		Readiness string `json:"onlineOrderReadiness"`
		POS       struct {
			SalesPeriod string      `json:"salesPeriod"`
			Accepting   bool        `json:"acceptingOnlineOrders"`
			Devices     []wire.Text `json:"availableDevices"`
		} `json:"posStatus"`
		API struct {
			Enabled bool      `json:"enabled"`
			Profile wire.Text `json:"orderProfileId"`
			Staff   wire.Text `json:"staffId"`
		} `json:"onlineOrderingApiConfiguration"`
	}
	if err := c.do(ctx, rest.Call{Op: "ask for readiness", Path: c.path("readiness"), Query: c.location(), Out: &a}); err != nil {
		return Readiness{}, err
	}
	return Readiness{
		Ready: a.Status == "READY" || a.Readiness == "READY", Open: a.POS.SalesPeriod == "OPENED", Accepted: a.POS.Accepting, Devices: wire.Texts(a.POS.Devices),
		Enabled: a.API.Enabled, Profile: string(a.API.Profile), Staff: string(a.API.Staff),
	}, nil
}

// A Table is one of the floor plan. Orders name it by Number; Name is what a platform calls it.
type Table struct {
	ID       string
	Number   int
	Name     string
	Area     string
	Seats    int
	Active   bool
	Declared string // reference
}

// Tables reads all floor plans.
func (c *Client) Tables(ctx context.Context) ([]Table, error) {
	var plans []struct {
		Name   string `json:"name"`
		Tables []struct {
			ID          wire.Text `json:"id"`
			Number      int       `json:"number"`
			Reference   wire.Text `json:"reference"`
			Description string    `json:"description"`
			Active      *bool     `json:"active"`
			Seats       int       `json:"defaultClientCount"`
		} `json:"tables"`
	}
	q := url.Values{"expandTables": {"true"}}
	if err := c.do(ctx, rest.Call{Op: "read tables", Path: c.path("floorplans"), Query: q, Out: &plans}); err != nil {
		return nil, err
	}
	var all []Table
	for _, p := range plans {
		for _, t := range p.Tables {
			table := Table{ID: string(t.ID), Number: t.Number, Name: t.Description, Area: p.Name, Seats: t.Seats, Active: t.Active == nil || *t.Active, Declared: string(t.Reference)}
			if table.Name == "" {
				table.Name = strconv.Itoa(t.Number)
			}
			if all = append(all, table); len(all) > maxTables {
				return nil, fmt.Errorf("%s: more than %d tables", name, maxTables)
			}
		}
	}
	return all, nil
}

// A Profile is an order profile.
type Profile struct {
	ID       wire.Text `json:"id"`
	Code     string    `json:"code"`
	Name     string    `json:"name"`
	Delivery string    `json:"deliveryMode"` // NONE, TAKE_AWAY, DELIVERY
}

// Profiles lists the order profiles.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	var all []Profile
	return all, c.do(ctx, rest.Call{Op: "read order profiles", Path: c.path("profiles"), Query: c.location(), Out: &all})
}

// An Item is something that can be sold.
type Item struct {
	ID       wire.Text `json:"id"`
	SKU      string    `json:"sku"`
	Name     string    `json:"name"`
	Docket   string    `json:"docketName"`
	Active   bool      `json:"active"`
	Barcodes []string  `json:"barcodes"`
	Group    struct {
		ID   wire.Text `json:"id"`
		Name string    `json:"name"`
	} `json:"accountingGroup"`
	Statistics []Statistic `json:"statisticGroups"`
	PriceMode  string      `json:"priceMode"`
	Prices     []struct {
		Price jsontext.Value `json:"price"`
	} `json:"prices"`
}

// OpenPrice tells whether an order may say what the item costs.
func (i *Item) OpenPrice() bool { return i.PriceMode == "POSITIVE_OPEN_PRICE" }

// A Statistic is one statistic group of an item: the pair that a course is mapped by.
type Statistic struct {
	Category string `json:"category"`
	Value    string `json:"value"`
}

// Items reads every item, page by page.
func (c *Client) Items(ctx context.Context) ([]Item, error) {
	var all []Item
	for len(all) < maxItems {
		q := c.location()
		q.Set("offset", strconv.Itoa(len(all)))
		q.Set("amount", strconv.Itoa(itemsPage))
		var page []Item
		if err := c.do(ctx, rest.Call{Op: "read items", Path: c.path("items"), Query: q, Out: &page}); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < itemsPage {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: more than %d items", name, maxItems)
}

// Statistics are the pairs that items have, each once, in the order of category and value.
func Statistics(items []Item) []Statistic {
	var all []Statistic
	for _, i := range items {
		for _, s := range i.Statistics {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b Statistic) int {
		if n := strings.Compare(a.Category, b.Category); n != 0 {
			return n
		}
		return strings.Compare(a.Value, b.Value)
	})
	return all
}

// SetAvailability takes an item from sale, or gives it back.
func (c *Client) SetAvailability(ctx context.Context, sku string, available bool) error {
	body := map[string]any{"sku": sku, "status": "NOT_RESTRICTED"}
	if !available {
		body["status"], body["count"] = "RESTRICTED", 0
	}
	return c.do(ctx, rest.Call{Op: "set availability", Method: http.MethodPost, Path: c.path("availability"), Query: c.location(), In: []any{body}, Repeatable: true})
}

// Subscribe announces where notifications go. It may be repeated.
func (c *Client) Subscribe(ctx context.Context, address, user, password string) error {
	type resource struct {
		Name     string `json:"name"`
		Resource string `json:"resource"`
	}
	return c.do(ctx, rest.Call{Op: "subscribe", Method: http.MethodPut, Path: c.path("webhook"), Repeatable: true, In: map[string]any{
		"endpointId": c.c.Endpoint, "url": address, "withBasicAuth": true, "username": user, "password": password, "provideAccount": true, "expandTransactions": true, "expandPayments": true,
		"subscribeTo": []resource{{"order", "order"}, {"payment", "payment"}, {"item", "item"}, {"order_api", "order_api"}},
	}})
}

// PrintMessage prints a text at the till; it waits up to a day for a till that is off.
func (c *Client) PrintMessage(ctx context.Context, text, printer string) error {
	body := map[string]string{"message": text, "businessLocationId": c.c.Location}
	if printer != "" {
		body["alsoToPrinter"] = printer
	}
	return c.do(ctx, rest.Call{Op: "print message", Method: http.MethodPost, Path: c.path("print"), In: body, Once: true})
}

func (c *Client) do(ctx context.Context, call rest.Call) error {
	_, err := c.http.Do(ctx, call)
	return err
}
