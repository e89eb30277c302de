// Package kounta is Lightspeed O-Series with one site (spec/pos.md 3). It makes an order at each request, as the real one does,
// may answer with nothing although the order is there, and may show it in its list only later. Faults of calls are those of
// simulate/bookings, whose machinery this uses.
package kounta

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/kounta"
	"aboyeur/simulate/bookings"
)

// Defaults.
const (
	Company = "5"
	Site    = "9"
	Token   = bookings.DefaultSecret
)

// A Simulator is the site. Its methods may be called from any goroutine.
type Simulator struct {
	*bookings.Simulator

	mu      sync.Mutex // guards what follows
	empty   bool       // answers of orders made are empty
	lag     int        // looks until an order is in the list
	offline bool
	orders  []made
	sold    []kounta.Product // nil: one product
	pages   int              // that the list of products comes in; 0: one
}

// SetProducts replaces what the site sells; its list then comes in so many pages.
func (s *Simulator) SetProducts(all []kounta.Product, pages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sold, s.pages = all, pages
}

// made is an order in the ledger.
type made struct {
	kounta.Found
	looks int
	note  string
	paid  []string // methods
}

// Notes is what orders say, by their sale numbers.
func (s *Simulator) Notes() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, m := range s.orders {
		all[m.Reference] = m.note
	}
	return all
}

// New opens the site. now may be nil.
func New(faults bookings.Faults, now func() time.Time) (*Simulator, error) {
	s := &Simulator{}
	var err error
	s.Simulator, err = bookings.New(bookings.Config{Faults: faults, Now: now}.WithDefaults(), bookings.Dialect{
		Admit: func(r *http.Request) (bookings.Answer, bool) {
			if bookings.Bearer(r) != Token {
				return bookings.Refuse(http.StatusUnauthorized, "token"), false
			}
			return bookings.Answer{}, true
		},
		Routes: []bookings.Route{
			{Op: "status", Pattern: "GET /v1/companies/" + Company + "/sites/" + Site + "/status.json", Do: s.status},
			{Op: "tables", Pattern: "GET /v1/companies/" + Company + "/sites/" + Site + "/tables.json", Do: s.tables},
			{Op: "products", Pattern: "GET /v1/companies/" + Company + "/sites/" + Site + "/products.json", Do: s.products},
			{Op: "product", Pattern: "PUT /v1/companies/" + Company + "/sites/" + Site + "/products/{product}", Do: s.product},
			{Op: "find", Pattern: "GET /v1/companies/" + Company + "/orders.json", Do: s.find},
			{Op: "order", Pattern: "POST /v1/companies/" + Company + "/orders.json", Do: s.order},
		},
	})
	return s, err
}

// Lag makes the list show orders made from now on only at the n-th look, and empty their answers.
func (s *Simulator) Lag(empty bool, looks int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empty, s.lag = empty, looks
}

// Offline takes the till away, or brings it back.
func (s *Simulator) Offline(off bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offline = off
}

// Orders is the ledger: every order that was made.
func (s *Simulator) Orders() []kounta.Found {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []kounta.Found
	for _, m := range s.orders {
		all = append(all, m.Found)
	}
	return all
}

func (s *Simulator) status(*bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bookings.Answer{Status: http.StatusOK, Body: map[string]bool{"online": !s.offline}}
}

func (s *Simulator) tables(*bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := kounta.Table{ID: "1", Name: "12", Seats: 4}
	for _, m := range s.orders {
		if m.Status == kounta.OnHold {
			t.Orders = append(t.Orders, m.Found)
		}
	}
	return bookings.Answer{Status: http.StatusOK, Body: []kounta.Table{t}}
}

func (s *Simulator) products(v *bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.sold
	if all == nil {
		p := kounta.Product{ID: "9007199254740993", Name: "Bœuf", Online: true, Price: wire.Number(1000, 2)}
		p.Category.Name = "Mains"
		all = []kounta.Product{p}
	}
	pages := max(s.pages, 1)
	page, _ := strconv.Atoi(v.FormValue("page"))
	size := (len(all) + pages - 1) / pages
	body, err := json.Marshal(all[min(page*size, len(all)):min((page+1)*size, len(all))], json.OmitZeroStructFields(true))
	if err != nil {
		return bookings.Invalid(err)
	}
	return bookings.Answer{Status: http.StatusOK, Body: jsontext.Value(body), Header: http.Header{"X-Pages": {strconv.Itoa(pages)}}}
}

// product shows a product online, or hides it.
func (s *Simulator) product(v *bookings.Visit) bookings.Answer {
	var change struct {
		Online bool `json:"show_online"`
	}
	if err := bookings.Strict(v.Raw, &change); err != nil {
		return bookings.Invalid(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.sold {
		if string(s.sold[i].ID)+".json" == v.PathValue("product") {
			s.sold[i].Online = change.Online
			return bookings.Answer{Status: http.StatusOK, Body: map[string]bool{"show_online": change.Online}}
		}
	}
	return bookings.Refuse(http.StatusNotFound, "product")
}

func (s *Simulator) find(v *bookings.Visit) bookings.Answer {
	moment := func(name string) (time.Time, error) { return time.Parse(time.RFC3339, v.FormValue(name)) }
	from, err := moment("created_gte")
	to, err2 := moment("created_lte")
	low, high := int64(0), int64(math.MaxInt64)
	var err3, err4 error
	if v.Form.Has("value_gte") {
		low, err3 = wire.ParseMinor(v.FormValue("value_gte"), 2)
		high, err4 = wire.ParseMinor(v.FormValue("value_lte"), 2)
	}
	if err != nil || err2 != nil || err3 != nil || err4 != nil || v.FormValue("site_id") != Site {
		return bookings.Refuse(http.StatusBadRequest, "filter")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []kounta.Found{}
	for i := range s.orders {
		m := &s.orders[i]
		if m.looks > 0 {
			m.looks--
			continue
		}
		at, _ := wire.ParseTime(m.CreatedAt, nil)
		total, _ := wire.Minor(m.Total, 2)
		if !at.Before(from) && !at.After(to) && total >= low && total <= high {
			found = append(found, m.Found)
		}
	}
	return bookings.Answer{Status: http.StatusOK, Body: found}
}

func (s *Simulator) order(v *bookings.Visit) bookings.Answer {
	var o struct {
		Status   string `json:"status"`
		Number   string `json:"sale_number"`
		Type     string `json:"order_type"`
		Site     string `json:"site_id"`
		Register string `json:"register_id"`
		Lines    []struct {
			Number    int            `json:"number"`
			Product   jsontext.Value `json:"product_id"`
			Quantity  int64          `json:"quantity"`
			Price     jsontext.Value `json:"unit_price"`
			Notes     string         `json:"notes"`
			Modifiers []int64        `json:"modifiers"`
		} `json:"lines"`
		Payments []struct {
			Method string         `json:"method_id"`
			Amount jsontext.Value `json:"amount"`
			Ref    string         `json:"ref"`
		} `json:"payments"`
		Complete bool   `json:"complete_when_paid"`
		PlacedAt string `json:"placed_at"`
		FulfilAt string `json:"fulfil_at"`
		Notes    string `json:"notes"`
	}
	if err := bookings.Strict(v.Raw, &o); err != nil || o.Site != Site {
		return bookings.Refuse(http.StatusUnprocessableEntity, "order")
	}
	var total, paid int64
	s.mu.Lock()
	off := s.offline
	s.mu.Unlock()
	if off {
		return bookings.Refuse(http.StatusUnprocessableEntity, "the site is offline")
	}
	f := kounta.Found{Reference: o.Number, Status: o.Status, CreatedAt: v.Now().UTC().Format(time.RFC3339), PlacedAt: o.PlacedAt, Table: "12"}
	for _, l := range o.Lines {
		price, err := wire.Minor(l.Price, 2)
		if err != nil {
			return bookings.Refuse(http.StatusUnprocessableEntity, "unit_price")
		}
		total += price * l.Quantity
		f.Lines = append(f.Lines, kounta.FoundLine{Product: wire.Text(l.Product), Name: l.Notes, Quantity: wire.Number(l.Quantity, 0), Price: l.Price})
	}
	for _, p := range o.Payments {
		amount, err := wire.Minor(p.Amount, 2)
		if err != nil {
			return bookings.Refuse(http.StatusUnprocessableEntity, "amount")
		}
		paid += amount
	}
	if o.Complete && paid >= total {
		f.Status = kounta.Complete
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	number := strconv.FormatInt(9007199254740993+int64(len(s.orders)), 10) // beyond what a float holds
	f.ID, f.IDText, f.Total, f.Paid = wire.Text(number), wire.Text(number), wire.Number(total, 2), wire.Number(paid, 2)
	entry := made{Found: f, looks: s.lag, note: o.Notes}
	for _, p := range o.Payments {
		entry.paid = append(entry.paid, p.Method)
	}
	s.orders = append(s.orders, entry)
	if s.empty {
		return bookings.Answer{Status: http.StatusOK, Body: jsontext.Value("null")}
	}
	return bookings.Answer{Status: http.StatusCreated, Body: f}
}
