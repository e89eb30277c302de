// Package lightspeed is Lightspeed K with one business location and its till: floor plans, items, orders that are accepted at
// once and brought to the till a moment later, checks, payments, and notifications of what became of them. It answers what
// protocol/lightspeed asks (spec/pos.md 2).
//
// Orders are told apart by thirdPartyReference alone, as at the real one: the ledger has each once, with how often it came
// again and got 409. What the till does with the next order is chosen by Next: it may refuse it, say nothing, or be quicker
// than the answer to the call. Faults of calls and notifications are those of simulate/bookings, whose machinery this uses.
package lightspeed

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/lightspeed"
	"aboyeur/simulate/bookings"
)

// Defaults for a Config left at zero.
const (
	DefaultLocation = "77"
	DefaultToken    = bookings.DefaultSecret
	DefaultUser     = "aboyeur"
	DefaultPassword = bookings.DefaultHook
	DefaultCurrency = "EUR"
)

// Config is the location. The zero value is the demonstration's.
type Config struct {
	Location, Token string
	User, Password  string // of notifications
	Hook            string
	Currency        string
	Tables          []lightspeed.Table
	Items           []lightspeed.Item
	Menus           []lightspeed.Menu // nil: one with every item on a screen
	AnyItem         bool              // every SKU is an item
	Faults          bookings.Faults
	Texts           bool // amounts as texts and times with an offset, as in the order interface's older form
	Now             func() time.Time
}

// Fate is what the till does with an order.
type Fate string

// Fates.
const (
	Take   Fate = ""       // it takes it and says SUCCESS
	Refuse Fate = "refuse" // FAILURE with a reason
	Silent Fate = "silent" // nothing is ever said, and nothing was done
	Mute   Fate = "mute"   // it is done, and nothing is ever said
	Early  Fate = "early"  // SUCCESS leaves before the call is answered
)

// A Taken is one order in the ledger.
type Taken struct {
	Reference string    `json:"reference"`
	Account   string    `json:"account"` // "": the till did not take it
	Table     string    `json:"table"`
	Covers    int       `json:"covers"`
	Lines     int       `json:"lines"`
	SKUs      []string  `json:"skus"`
	Note      string    `json:"note"`
	Repeats   int       `json:"repeats"` // answered with 409
	At        time.Time `json:"at"`      // it had come in whole
	Items     []Sold    `json:"items,omitempty"`
	Total     int64     `json:"total"` // of the check when it was opened, minor units
	Method    string    `json:"method,omitempty"`
	Paid      int64     `json:"paid,omitempty"` // with the tip
	Tip       int64     `json:"tip,omitempty"`
}

// Sold is a line as the till has it, minor units.
type Sold struct {
	SKU          string   `json:"sku"`
	Name         string   `json:"name"`
	Quantity     int      `json:"quantity"`
	Price        int64    `json:"price"`
	Discount     int64    `json:"discount,omitempty"`
	Instructions []string `json:"instructions,omitempty"`
	Items        []Sold   `json:"items,omitempty"`
}

// A Simulator is the location. Its methods may be called from any goroutine.
type Simulator struct {
	*bookings.Simulator
	c Config

	mu       sync.Mutex // guards what follows
	next     []Fate
	reason   string
	orders   []Taken
	byRef    map[string]int
	bySKU    map[string]*lightspeed.Item
	accounts map[string]*lightspeed.Account
	order    []string // of accounts
	payments map[string]string
	off      map[string]bool
	number   int
	closed   bool // no sales period
	deaf     bool // notifications are lost
}

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	for _, d := range []struct {
		v  *string
		or string
	}{{&c.Location, DefaultLocation}, {&c.Token, DefaultToken}, {&c.User, DefaultUser}, {&c.Password, DefaultPassword}, {&c.Currency, DefaultCurrency}} {
		if *d.v == "" {
			*d.v = d.or
		}
	}
	if c.Tables == nil {
		for i, n := range []int{3, 5, 7, 12, 18, 21} {
			c.Tables = append(c.Tables, lightspeed.Table{ID: strconv.Itoa(100 + i), Number: n, Name: strconv.Itoa(n), Area: "Salle", Seats: 4, Active: true})
		}
	}
	if c.Items == nil {
		for sku, statistic := range map[string]string{"ST-1": "Starters", "MA-1": "Mains", "DE-1": "Desserts", "DR-1": "Drinks"} {
			c.Items = append(c.Items, lightspeed.Item{ID: wire.Text(sku), SKU: sku, Name: sku, Active: true, Statistics: []lightspeed.Statistic{{Category: "course", Value: statistic}}})
		}
		slices.SortFunc(c.Items, func(a, b lightspeed.Item) int { return strings.Compare(a.SKU, b.SKU) })
	}
	if c.Menus == nil {
		screen := lightspeed.MenuEntry{Type: lightspeed.EntryGroup, ID: "1", Name: "Carte"}
		for _, i := range c.Items {
			screen.Entries = append(screen.Entries, lightspeed.MenuEntry{Type: lightspeed.EntryItem, SKU: i.SKU, Product: i.Name, Price: wire.Number(Price, wire.Decimals(c.Currency))})
		}
		c.Menus = []lightspeed.Menu{{ID: "1", Name: "Online", Screens: []lightspeed.MenuEntry{screen}}}
	}
	s := &Simulator{c: c, byRef: map[string]int{}, accounts: map[string]*lightspeed.Account{}, payments: map[string]string{}, off: map[string]bool{}, number: 1000}
	s.index()
	b := bookings.Config{Venue: c.Location, Hook: c.Hook, Faults: c.Faults, Now: c.Now}.WithDefaults()
	var err error
	s.Simulator, err = bookings.New(b, bookings.Dialect{
		Admit: func(r *http.Request) (bookings.Answer, bool) {
			if bookings.Bearer(r) != c.Token {
				return bookings.Refuse(http.StatusUnauthorized, "token"), false
			}
			return bookings.Answer{}, true
		},
		Routes: []bookings.Route{
			{Op: "readiness", Pattern: "GET /o/op/1/onlineOrderReadiness", Do: s.readiness},
			{Op: "tables", Pattern: "GET /o/op/data/{location}/floorplans", Do: s.floorplans},
			{Op: "profiles", Pattern: "GET /o/op/data/account-profiles", Do: s.profiles},
			{Op: "items", Pattern: "GET /items/v1/items", Do: s.items},
			{Op: "menus", Pattern: "GET /o/op/1/menu/list", Do: s.menus},
			{Op: "menu", Pattern: "GET /o/op/2/menu/load/{menu}", Do: s.menu},
			{Op: "availability", Pattern: "GET /o/op/1/itemAvailability", Do: s.availabilities},
			{Op: "availability", Pattern: "POST /o/op/1/itemAvailability", Do: s.availability},
			{Op: "order", Pattern: "POST /o/op/1/order/local", Do: s.take},
			{Op: "order", Pattern: "POST /o/op/1/order/toGo", Do: s.take},
			{Op: "check", Pattern: "GET /o/op/1/order/table/{table}/getCheck", Do: s.atTable},
			{Op: "check", Pattern: "GET /o/op/1/order/accounts/{account}", Do: s.account},
			{Op: "find", Pattern: "GET /f/finance/{location}/external/{reference}", Do: s.find},
			{Op: "pay", Pattern: "POST /o/op/1/pay", Do: s.pay},
			{Op: "print", Pattern: "POST /o/op/1/printMsg", Do: func(*bookings.Visit) bookings.Answer { return ok() }},
			{Op: "webhook", Pattern: "PUT /o/wh/1/webhook", Do: s.webhook},
		},
	})
	return s, err
}

func ok() bookings.Answer {
	return bookings.Answer{Status: http.StatusOK, Body: map[string]string{"status": "ok"}}
}

// Next says what the till does with the orders to come, one each, then again Take. Reason goes with a refusal.
func (s *Simulator) Next(reason string, fates ...Fate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason, s.next = reason, fates
}

// Orders is the ledger.
func (s *Simulator) Orders() []Taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.orders)
}

// Open ends or begins the sales period.
func (s *Simulator) Open(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = !open
}

// Available tells whether an item is on sale.
func (s *Simulator) Available(sku string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.off[sku]
}

// CloseCheck closes a check at the till, paid as it is.
func (s *Simulator) CloseCheck(account string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known := s.accounts[account]
	if !known {
		return errNone
	}
	a.CloseDate, a.PaidAmount = s.moment(), a.CurrentAmount
	s.notify(lightspeed.Notification{Type: lightspeed.TypeOrder, Status: lightspeed.Closed, AccountID: account, Account: a})
	return nil
}

func (s *Simulator) readiness(*bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, period := "READY", "OPENED"
	if s.closed {
		status, period = "NOT_READY", "CLOSED"
	}
	return bookings.Answer{Status: http.StatusOK, Body: map[string]any{
		"status": status, "posStatus": map[string]any{"salesPeriod": period, "acceptingOnlineOrders": !s.closed, "availableDevices": []string{"T1", "T2"}},
		"onlineOrderingApiConfiguration": map[string]any{"enabled": true, "orderProfileId": 1, "staffId": 7},
	}}
}

func (s *Simulator) floorplans(v *bookings.Visit) bookings.Answer {
	if v.PathValue("location") != s.c.Location {
		return bookings.Refuse(http.StatusForbidden, "location")
	}
	type table struct {
		ID     string `json:"id"`
		Number int    `json:"number"`
		Active bool   `json:"active"`
		Name   string `json:"description"`
		Seats  int    `json:"defaultClientCount"`
	}
	type plan struct {
		ID     int     `json:"id"`
		Name   string  `json:"name"`
		Tables []table `json:"tables"`
	}
	p := plan{ID: 1, Name: "Salle"}
	for _, t := range s.c.Tables {
		p.Tables = append(p.Tables, table{t.ID, t.Number, t.Active, t.Name, t.Seats})
	}
	return bookings.Answer{Status: http.StatusOK, Body: []plan{p}}
}

func (s *Simulator) profiles(*bookings.Visit) bookings.Answer {
	return bookings.Answer{Status: http.StatusOK, Body: []lightspeed.Profile{{ID: "1", Code: "DINE", Name: "Dine in", Delivery: "NONE"}, {ID: "2", Code: "UBER", Name: "Uber Eats", Delivery: "DELIVERY"}}}
}

func (s *Simulator) items(v *bookings.Visit) bookings.Answer {
	offset, err := strconv.Atoi(v.FormValue("offset"))
	amount, err2 := strconv.Atoi(v.FormValue("amount"))
	if err != nil || err2 != nil || offset < 0 || amount < 1 || amount > 1000 {
		return bookings.Refuse(http.StatusBadRequest, "offset or amount")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return bookings.Answer{Status: http.StatusOK, Body: s.c.Items[min(offset, len(s.c.Items)):min(offset+amount, len(s.c.Items))]}
}

// SetMenu replaces items and menus, as somebody does in the back office.
func (s *Simulator) SetMenu(items []lightspeed.Item, menus []lightspeed.Menu) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.c.Items, s.c.Menus = items, menus
	s.index()
}

// index finds items by SKU; s.mu is held.
func (s *Simulator) index() {
	s.bySKU = make(map[string]*lightspeed.Item, len(s.c.Items))
	for i := range s.c.Items {
		s.bySKU[s.c.Items[i].SKU] = &s.c.Items[i]
	}
}

func (s *Simulator) menus(*bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []lightspeed.MenuName{}
	for _, m := range s.c.Menus {
		all = append(all, lightspeed.MenuName{ID: m.ID, Name: m.Name})
	}
	return bookings.Answer{Status: http.StatusOK, Body: all}
}

func (s *Simulator) menu(v *bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.c.Menus {
		if string(m.ID) == v.PathValue("menu") {
			body, err := json.Marshal(m, json.OmitZeroStructFields(true))
			if err != nil {
				return bookings.Invalid(err)
			}
			return bookings.Answer{Status: http.StatusOK, Body: jsontext.Value(body)}
		}
	}
	return bookings.Refuse(http.StatusNotFound, "no such menu")
}

func (s *Simulator) availabilities(v *bookings.Visit) bookings.Answer {
	skus := v.URL.Query()["sku"]
	if len(skus) > 50 {
		return bookings.Refuse(http.StatusBadRequest, "sku")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []lightspeed.Availability{}
	for _, sku := range skus {
		a := lightspeed.Availability{SKU: sku, Status: "NOT_RESTRICTED"}
		if s.off[sku] {
			a.Status, a.Count = "RESTRICTED", new(int64)
		}
		all = append(all, a)
	}
	return bookings.Answer{Status: http.StatusOK, Body: all}
}

func (s *Simulator) availability(v *bookings.Visit) bookings.Answer {
	var list []struct {
		SKU    string `json:"sku"`
		Status string `json:"status"`
		Count  *int   `json:"count"`
	}
	if err := bookings.Strict(v.Raw, &list); err != nil {
		return bookings.Invalid(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range list {
		s.off[l.SKU] = l.Status == "RESTRICTED"
		s.item(l.SKU)
	}
	return ok()
}

func (s *Simulator) webhook(v *bookings.Visit) bookings.Answer {
	var hook struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(v.Raw, &hook); err != nil || hook.URL == "" {
		return bookings.Refuse(http.StatusBadRequest, "url")
	}
	s.Hook(hook.URL)
	return ok()
}

// moment is now in the form that this location writes; s.mu need not be held.
func (s *Simulator) moment() jsontext.Value {
	now := time.Now()
	if s.c.Now != nil {
		now = s.c.Now()
	}
	if s.c.Texts {
		return jsontext.Value(now.UTC().Format(`"2006-01-02T15:04:05.000+0000"`))
	}
	return jsontext.Value(strconv.FormatInt(now.UnixMilli(), 10))
}

func (s *Simulator) amount(minor int64) jsontext.Value {
	v := wire.Number(minor, wire.Decimals(s.c.Currency))
	if s.c.Texts {
		return jsontext.Value(`"` + string(v) + `"`)
	}
	return v
}

// notify tells the box; s.mu is held.
func (s *Simulator) notify(n lightspeed.Notification) <-chan struct{} {
	n.Location = wire.Text(s.c.Location)
	if n.Account != nil {
		a := *n.Account
		a.SalesEntries, a.PaymentEntries = slices.Clone(a.SalesEntries), slices.Clone(a.PaymentEntries)
		n.Account = &a
	}
	if s.deaf {
		done := make(chan struct{})
		close(done)
		return done
	}
	body, err := json.Marshal(n)
	s.number++
	key := fmt.Sprintf("n-%d", s.number)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(s.c.User+":"+s.c.Password))
	return s.Tell(func(time.Time) (http.Header, []byte, error) {
		return http.Header{"Authorization": {basic}, "X-Lightspeed-Idempotency-Key": {key}}, body, err
	})
}
