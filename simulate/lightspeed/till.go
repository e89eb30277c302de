package lightspeed

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/lightspeed"
	"aboyeur/simulate/bookings"
)

// order is the body of an order as this location takes it.
type order struct {
	Location  string          `json:"businessLocationId"`
	Reference string          `json:"thirdPartyReference"`
	Endpoint  string          `json:"endpointId"`
	Customer  map[string]any  `json:"customerInfo"`
	Table     int             `json:"tableNumber"`
	Covers    int             `json:"clientCount"`
	Account   string          `json:"accountIdentifier"`
	Profile   string          `json:"accountProfileCode"`
	Staff     string          `json:"staffId"`
	Note      string          `json:"orderNote"`
	Delivery  int64           `json:"maxTimeToAttemptOrderDeliverToPos"`
	CollectAt string          `json:"orderCollectionTimeAsIso8601"`
	Code      string          `json:"collectionCode"`
	Address   map[string]any  `json:"deliveryAddress"`
	Payment   *orderPayment   `json:"payment"`
	Items     []orderLine     `json:"items"`
	Printer   *jsontext.Value `json:"targetPrinterProfileId"`
}

type orderPayment struct {
	Method string         `json:"paymentMethod"`
	Amount jsontext.Value `json:"paymentAmount"`
	Tip    jsontext.Value `json:"tipAmount"`
}

type orderLine struct {
	Quantity  int            `json:"quantity"`
	SKU       string         `json:"sku"`
	Name      string         `json:"customItemName"`
	Price     jsontext.Value `json:"customItemPrice"`
	Course    int            `json:"course"`
	Modifiers []struct {
		ID string `json:"modifierId"`
	} `json:"modifiers"`
	Items    []orderLine    `json:"subItems"`
	Code     string         `json:"discountCode"`
	Discount jsontext.Value `json:"discountAmountOverride"`
}

// Price of every item of this location, in minor units.
const Price = 1000

// take is an order: accepted at once, brought to the till after it.
func (s *Simulator) take(v *bookings.Visit) bookings.Answer {
	at := v.Now()
	var o order
	if err := bookings.Strict(v.Raw, &o); err != nil {
		return bookings.Invalid(err)
	}
	local := strings.HasSuffix(v.URL.Path, "/local")
	switch {
	case o.Location != s.c.Location:
		return bookings.Refuse(http.StatusForbidden, "businessLocationId")
	case o.Reference == "" || len(o.Reference) > lightspeed.MaxReference:
		return bookings.Refuse(http.StatusBadRequest, "thirdPartyReference")
	case o.Customer["firstName"] == nil || o.Endpoint == "" || o.Delivery < lightspeed.MinDelivery.Milliseconds():
		return bookings.Refuse(http.StatusBadRequest, "customerInfo, endpointId or maxTimeToAttemptOrderDeliverToPos")
	case local && o.Account == "" && !slices.ContainsFunc(s.c.Tables, func(t lightspeed.Table) bool { return t.Number == o.Table }):
		return bookings.Refuse(http.StatusBadRequest, "tableNumber")
	}
	answer, told := s.bring(&o, local, at)
	if told != nil {
		<-told
	}
	return answer
}

// bring brings an order to the till. told, of an order whose notification is quicker than the answer, is closed when the box
// has it.
func (s *Simulator) bring(o *order, local bool, at time.Time) (answer bookings.Answer, told <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, again := s.byRef[o.Reference]; again {
		s.orders[at].Repeats++
		return bookings.Answer{Status: http.StatusConflict, Body: map[string]string{"status": "fail"}}, nil
	}
	t := Taken{Reference: o.Reference, At: at, Covers: o.Covers, Lines: len(o.Items), Note: o.Note, Items: s.sold(o.Items)}
	if o.Payment != nil {
		t.Method = o.Payment.Method
		t.Paid, _ = wire.Minor(o.Payment.Amount, wire.Decimals(s.c.Currency))
		t.Tip, _ = wire.Minor(o.Payment.Tip, wire.Decimals(s.c.Currency))
	}
	if local {
		t.Table = fmt.Sprint(o.Table)
	}
	for _, l := range o.Items {
		t.SKUs = append(t.SKUs, l.SKU)
	}
	s.byRef[o.Reference] = len(s.orders)
	s.orders = append(s.orders, t)
	fate := Take
	if len(s.next) > 0 {
		fate, s.next = s.next[0], s.next[1:]
	}
	if unknown := s.unknown(o.Items); unknown != "" && fate == Take {
		fate, s.reason = Refuse, "ITEM_NOT_FOUND "+unknown
	}
	if s.closed && fate == Take {
		fate, s.reason = Refuse, "SALES_PERIOD_CLOSED"
	}
	switch fate {
	case Silent:
	case Refuse:
		s.notify(lightspeed.Notification{Type: lightspeed.TypeOrder, Status: lightspeed.Failure, Reason: s.reason, Reference: o.Reference})
	default:
		a := s.open(o, local)
		taken := &s.orders[s.byRef[o.Reference]]
		taken.Account = a.ID()
		taken.Total, _ = wire.Minor(a.CurrentAmount, wire.Decimals(s.c.Currency))
		if fate == Mute {
			break
		}
		done := s.notify(lightspeed.Notification{Type: lightspeed.TypeOrder, Status: lightspeed.Success, Reference: o.Reference, AccountID: a.ID(), Account: a})
		if fate == Early {
			told = done
		}
	}
	return ok(), told
}

// sold is what an order's lines come to: the price of the order where it has one, else the till's. s.mu is held.
func (s *Simulator) sold(lines []orderLine) []Sold {
	decimals := wire.Decimals(s.c.Currency)
	var all []Sold
	for _, l := range lines {
		x := Sold{SKU: l.SKU, Name: l.Name, Quantity: l.Quantity, Items: s.sold(l.Items)}
		if i := s.bySKU[l.SKU]; i != nil {
			x.Price = Price
			if x.Name == "" {
				x.Name = i.Name
			}
		}
		if len(l.Price) > 0 {
			x.Price, _ = wire.Minor(l.Price, decimals)
		}
		if l.Code != "" {
			x.Discount, _ = wire.Minor(l.Discount, decimals)
		}
		for _, m := range l.Modifiers {
			x.Instructions = append(x.Instructions, m.ID)
		}
		all = append(all, x)
	}
	return all
}

// unknown is the first SKU that the till does not have; s.mu is held.
func (s *Simulator) unknown(lines []orderLine) string {
	for _, l := range lines {
		if l.SKU != "" && !s.c.AnyItem && s.bySKU[l.SKU] == nil {
			return l.SKU
		}
		if below := s.unknown(l.Items); below != "" {
			return below
		}
	}
	return ""
}

// open makes a check of an order, or adds to one; s.mu is held.
func (s *Simulator) open(o *order, local bool) *lightspeed.Account {
	a := s.accounts[o.Account]
	if a == nil {
		s.number++
		id := fmt.Sprintf("A%d.%s", s.number, s.c.Location)
		a = &lightspeed.Account{Identifier: wire.Text(id), Name: fmt.Sprint(o.Customer["firstName"]), ClientCount: o.Covers, OpenDate: s.moment(), PaidAmount: s.amount(0), CurrentAmount: s.amount(0)}
		if local {
			a.TableNumber = wire.Text(fmt.Sprint(o.Table))
		}
		s.accounts[id] = a
		s.order = append(s.order, id)
	}
	decimals := wire.Decimals(s.c.Currency)
	total, _ := wire.Minor(a.CurrentAmount, decimals)
	var enter func(lines []Sold, times int64)
	enter = func(lines []Sold, times int64) {
		for _, l := range lines {
			n := times * int64(l.Quantity)
			sale := lightspeed.Sale{SKU: l.SKU, Name: l.Name, Quantity: wire.Number(n, 0), WithTax: s.amount(l.Price*n - l.Discount)}
			if i := s.bySKU[l.SKU]; i != nil {
				sale.Statistics = i.Statistics
			}
			a.SalesEntries = append(a.SalesEntries, sale)
			total += l.Price*n - l.Discount
			enter(l.Items, n)
		}
	}
	enter(s.sold(o.Items), 1)
	a.CurrentAmount = s.amount(total)
	if o.Payment != nil {
		paid, _ := wire.Minor(o.Payment.Amount, decimals)
		tip, _ := wire.Minor(o.Payment.Tip, decimals)
		a.PaymentEntries = append(a.PaymentEntries, lightspeed.Paid{Code: o.Payment.Method, Amount: s.amount(paid - tip), Tip: s.amount(tip)})
		a.PaidAmount = s.amount(paid - tip)
	}
	return a
}

func (s *Simulator) atTable(v *bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.order {
		if a := s.accounts[id]; string(a.TableNumber) == v.PathValue("table") && len(a.CloseDate) == 0 {
			return bookings.Answer{Status: http.StatusOK, Body: *a}
		}
	}
	return bookings.Refuse(http.StatusNotFound, "no open check at the table")
}

func (s *Simulator) account(v *bookings.Visit) bookings.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, known := s.accounts[v.PathValue("account")]; known {
		return bookings.Answer{Status: http.StatusOK, Body: *a}
	}
	return bookings.Refuse(http.StatusNotFound, "no such check")
}

func (s *Simulator) find(v *bookings.Visit) bookings.Answer {
	reference, ours := strings.CutPrefix(v.PathValue("reference"), "TASK-OO-"+s.c.Location+"-")
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, known := s.byRef[reference]; ours && known && s.orders[at].Account != "" {
		return bookings.Answer{Status: http.StatusOK, Body: *s.accounts[s.orders[at].Account]}
	}
	return bookings.Refuse(http.StatusNotFound, "no such order")
}

// pay takes a payment; what is wrong with it comes as a notification.
func (s *Simulator) pay(v *bookings.Visit) bookings.Answer {
	var p struct {
		Location  string         `json:"businessLocationId"`
		Reference string         `json:"thirdPartyPaymentReference"`
		Endpoint  string         `json:"endpointId"`
		Account   string         `json:"iKaccountIdentifier"`
		Method    string         `json:"paymentMethod"`
		Amount    jsontext.Value `json:"paymentAmount"`
		Tip       jsontext.Value `json:"tipAmount"`
		TTL       int64          `json:"taskTtlInMs"`
	}
	if err := bookings.Strict(v.Raw, &p); err != nil {
		return bookings.Invalid(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.payments[p.Reference]; again {
		return bookings.Answer{Status: http.StatusConflict, Body: map[string]string{"status": "fail"}}
	}
	s.payments[p.Reference] = p.Account
	n := lightspeed.Notification{Type: lightspeed.TypePayment, Status: lightspeed.Failure, PaymentReference: p.Reference, AccountID: p.Account}
	decimals := wire.Decimals(s.c.Currency)
	amount, err := wire.Minor(p.Amount, decimals)
	a := s.accounts[p.Account]
	switch {
	case a == nil:
		n.ErrorCode = "ACCOUNT_NOT_FOUND"
	case len(a.CloseDate) > 0:
		n.ErrorCode = "ACCOUNT_ALREADY_CLOSED"
	case p.Method == "":
		n.ErrorCode = "PAYMENT_METHOD_NOT_FOUND"
	default:
		total, _ := wire.Minor(a.CurrentAmount, decimals)
		paid, _ := wire.Minor(a.PaidAmount, decimals)
		if err != nil || paid+amount > total {
			n.ErrorCode = "OVERPAID"
			break
		}
		tip, _ := wire.Minor(p.Tip, decimals)
		a.PaymentEntries = append(a.PaymentEntries, lightspeed.Paid{Code: p.Method, Amount: s.amount(amount), Tip: s.amount(tip)})
		a.PaidAmount = s.amount(paid + amount)
		n.Status, n.Account = lightspeed.Success, a
	}
	s.notify(n)
	return ok()
}
