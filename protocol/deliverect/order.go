package deliverect

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// Bounds of an order, far beyond what channels send.
const (
	MaxItems    = 500
	MaxSubItems = 200 // beside one another under one parent
	MaxLevels   = 8   // of sub-items below an item
	MaxQuantity = 1000
)

// Statuses of an order. Codes that are not known may be ignored.
const (
	Parsed     = 1
	StNew      = 10
	StAccepted = 20
	Scheduled  = 25
	StDenied   = 35
	Preparing  = 50
	StPrepared = 60
	StReady    = 70
	InDelivery = 80
	ToDropOff  = 87
	Finalized  = 90
	Cancel     = 100 // the channel wants it void
	StCanceled = 110
	StFailed   = 120
)

// Order is the body of the order webhook. Amounts are whole numbers with DecimalDigits digits behind the point.
type Order struct {
	ID                    wire.Text            `json:"_id"`
	Created               wire.Text            `json:"_created,omitzero"`
	Updated               wire.Text            `json:"_updated,omitzero"`
	Account               wire.Text            `json:"account,omitzero"`
	Location              wire.Text            `json:"location,omitzero"`
	ChannelLink           wire.Text            `json:"channelLink,omitzero"`
	Channel               wire.Text            `json:"channel,omitzero"` // a number
	ChannelOrderID        wire.Text            `json:"channelOrderId"`
	ChannelOrderDisplayID wire.Text            `json:"channelOrderDisplayId,omitzero"`
	Status                wire.Number          `json:"status"`
	OrderType             wire.Number          `json:"orderType,omitzero"` // 1 pickup, 2 delivery, 3 eat in, 4 curbside
	PickupTime            wire.Text            `json:"pickupTime,omitzero"`
	EstimatedPickupTime   wire.Text            `json:"estimatedPickupTime,omitzero"`
	DeliveryTime          wire.Text            `json:"deliveryTime,omitzero"`
	DeliveryIsAsap        *wire.Bool           `json:"deliveryIsAsap,omitzero"`
	Table                 wire.Text            `json:"table,omitzero"`
	NumberOfCustomers     wire.Number          `json:"numberOfCustomers,omitzero"`
	Customer              wire.Maybe[Customer] `json:"customer,omitzero"`
	Courier               wire.Maybe[Courier]  `json:"courier,omitzero"`
	Note                  wire.Text            `json:"note,omitzero"`
	DecimalDigits         wire.Number          `json:"decimalDigits,omitzero"`
	Items                 wire.List[Item]      `json:"items,omitzero"`
	Payment               wire.Maybe[Payment]  `json:"payment,omitzero"`
	OrderIsAlreadyPaid    wire.Bool            `json:"orderIsAlreadyPaid,omitzero"`
	Discounts             wire.List[Discount]  `json:"discounts,omitzero"`
	DiscountTotal         wire.Number          `json:"discountTotal,omitzero"`
	DeliveryCost          wire.Number          `json:"deliveryCost,omitzero"`
	ServiceCharge         wire.Number          `json:"serviceCharge,omitzero"`
	BagFee                wire.Number          `json:"bagFee,omitzero"`
	Tip                   wire.Number          `json:"tip,omitzero"`
	DriverTip             wire.Number          `json:"driverTip,omitzero"`
	TaxTotal              wire.Number          `json:"taxTotal,omitzero"`
	TestOrder             wire.Bool            `json:"testOrder,omitzero"`
}

// Item is a line, or a choice on one.
type Item struct {
	PLU      wire.Text       `json:"plu"`
	Name     wire.Text       `json:"name,omitzero"`
	Price    wire.Number     `json:"price,omitzero"` // of one, without what is below it
	Quantity wire.Number     `json:"quantity"`       // of one of what it hangs on
	Remark   wire.Text       `json:"remark,omitzero"`
	IsCombo  wire.Bool       `json:"isCombo,omitzero"`
	SubItems wire.List[Item] `json:"subItems,omitzero"`
}

// Customer is who ordered.
type Customer struct {
	Name            wire.Text `json:"name,omitzero"`
	PhoneNumber     wire.Text `json:"phoneNumber,omitzero"`
	PhoneAccessCode wire.Text `json:"phoneAccessCode,omitzero"`
	Email           wire.Text `json:"email,omitzero"`
	Note            wire.Text `json:"note,omitzero"`
}

// Courier is who fetches.
type Courier struct {
	FirstName   wire.Text `json:"firstName,omitzero"`
	LastName    wire.Text `json:"lastName,omitzero"`
	PhoneNumber wire.Text `json:"phoneNumber,omitzero"`
	DeliveryBy  wire.Text `json:"deliveryBy,omitzero"`
}

// Payment is the whole order's. Due is what is still to be collected.
type Payment struct {
	Amount wire.Number `json:"amount"`
	Type   wire.Number `json:"type,omitzero"`
	Due    wire.Number `json:"due,omitzero"`
	Rebate wire.Number `json:"rebate,omitzero"`
}

// Discount is one of an order's.
type Discount struct {
	Name     wire.Text   `json:"name,omitzero"`
	Provider wire.Text   `json:"provider,omitzero"` // channel, restaurant
	Amount   wire.Number `json:"amount"`
}

// A reading turns an Order into the model and gathers what is wrong and what is odd.
type reading struct {
	shift  int // digits of the currency beyond those of the order
	faults wire.Faults
	unsure []string
}

const maxUnsure = 12

func (r *reading) odd(format string, args ...any) {
	if len(r.unsure) < maxUnsure {
		r.unsure = append(r.unsure, fmt.Sprintf(format, args...))
	}
}

// Channel is the order in the house's model. What cannot be an order at all is a *channel.Malformed.
func (c *Client) channel(o *Order) (channel.Order, error) {
	var r reading
	m := channel.Order{Aggregator: Name, ID: string(o.ChannelOrderID), FriendlyID: string(o.ChannelOrderDisplayID), AggregatorID: string(o.ID), Status: channel.New,
		Currency: c.c.Currency, Decimals: wire.Decimals(c.c.Currency), Table: string(o.Table), Note: string(o.Note), Test: bool(o.TestOrder)}
	m.Slug, m.Partner = c.marketplace(string(o.Channel))
	if strings.TrimSpace(m.ID) == "" {
		r.faults.Add("/channelOrderId", "is missing")
	}
	if m.AggregatorID == "" {
		r.faults.Add("/_id", "is missing")
	}
	digits := 2
	if o.DecimalDigits != "" {
		var err error
		if digits, err = wire.Whole(o.DecimalDigits, 0, 4); err != nil {
			r.faults.Add("/decimalDigits", "%v", err)
		}
	}
	r.shift = m.Decimals - digits
	r.times(&m, o)
	r.people(&m, o)
	if len(o.Items) > MaxItems {
		r.faults.Add("/items", "has %d items; the limit is %d", len(o.Items), MaxItems)
	} else {
		for i := range o.Items {
			x := &o.Items[i]
			at := "/items/" + strconv.Itoa(i)
			m.Lines = append(m.Lines, channel.Line{ID: string(x.PLU), SKU: string(x.PLU), Name: string(x.Name), Note: string(x.Remark), Quantity: r.quantity(at, x.Quantity),
				Price: r.amount(string(x.Name), x.Price), Modifiers: r.subItems(at, x.SubItems, 1)})
		}
	}
	r.charges(&m, o)
	if err := r.faults.Err(); err != nil {
		return channel.Order{}, err
	}
	m.Unsure = r.unsure
	return m, nil
}

// marketplace is what a channel's number stands for.
func (c *Client) marketplace(number string) (slug, partner string) {
	if slug = c.c.Channels[number]; slug != "" {
		return slug, wire.Partner(slug)
	}
	if number == "" {
		return Name, "Deliverect"
	}
	return Name + "-" + number, "Deliverect " + number
}

func (r *reading) time(what string, t wire.Text) time.Time {
	if t == "" {
		return time.Time{}
	}
	at, ok := wire.ParseTime(t)
	if !ok {
		r.odd("%s %.40q is not a time", what, string(t))
	}
	return at
}

func (r *reading) times(m *channel.Order, o *Order) {
	m.PlacedAt = r.time("time of ordering", o.Created)
	m.PickupAt, m.EstimatedPickupAt, m.DeliverAt = r.time("pickup time", o.PickupTime), r.time("estimated pickup time", o.EstimatedPickupTime), r.time("delivery time", o.DeliveryTime)
	m.Scheduled = o.DeliveryIsAsap != nil && !bool(*o.DeliveryIsAsap)
	switch o.OrderType {
	case "1", "4":
		m.Service = "pickup"
	case "3":
		m.Service = "dine_in"
		if m.Table == "" && m.Note != "" { // some channels have no field for it
			m.Table = table(m.Note)
		}
	case "2", "":
		m.Service = "delivery"
	default:
		m.Service = "delivery"
		r.odd("order type %.20s is not known", string(o.OrderType))
	}
	if n, err := wire.Whole(o.NumberOfCustomers, 1, 1000); err == nil {
		m.Covers = n
	}
}

// table is the table in a note like "Table 12, no onions", "" when there is none.
func table(note string) string {
	words := strings.FieldsFunc(note, func(c rune) bool { return c == ' ' || c == ':' || c == ',' || c == ';' || c == '#' || c == '\n' })
	for i, w := range words[:max(len(words)-1, 0)] {
		if strings.EqualFold(w, "table") && len(words[i+1]) <= 12 {
			return words[i+1]
		}
	}
	return ""
}

func (r *reading) people(m *channel.Order, o *Order) {
	p, c := o.Customer.Or(), o.Courier.Or()
	m.Customer = channel.Customer{Name: string(p.Name), Phone: string(p.PhoneNumber), Code: string(p.PhoneAccessCode), Email: string(p.Email)}
	if p.Note != "" && p.Note != o.Note {
		m.Note = strings.TrimSpace(m.Note + "\n" + string(p.Note))
	}
	m.Courier = channel.Courier{Name: strings.TrimSpace(string(c.FirstName) + " " + string(c.LastName)), Phone: string(c.PhoneNumber)}
}

func (r *reading) subItems(at string, items []Item, level int) []channel.Modifier {
	switch {
	case len(items) == 0:
		return nil
	case level > MaxLevels:
		r.faults.Add(at+"/subItems", "lie more than %d levels deep", MaxLevels)
		return nil
	case len(items) > MaxSubItems:
		r.faults.Add(at+"/subItems", "are %d; the limit is %d", len(items), MaxSubItems)
		return nil
	}
	list := make([]channel.Modifier, 0, len(items))
	for i := range items {
		x := &items[i]
		here := fmt.Sprintf("%s/subItems/%d", at, i)
		name := string(x.Name)
		if x.Remark != "" {
			name += " (" + string(x.Remark) + ")"
		}
		list = append(list, channel.Modifier{ID: string(x.PLU), SKU: string(x.PLU), Name: name, Quantity: r.quantity(here, x.Quantity), Price: r.amount(name, x.Price),
			Modifiers: r.subItems(here, x.SubItems, level+1)})
	}
	return list
}

func (r *reading) quantity(at string, n wire.Number) int {
	q, err := wire.Whole(n, 1, MaxQuantity)
	if err != nil {
		r.faults.Add(at+"/quantity", "%v", err)
	}
	return q
}

// amount reads minor units of the order into those of the currency.
func (r *reading) amount(what string, n wire.Number) int64 {
	// A whole number of the order's minor units has shift digits more in the currency's.
	minor, exact, err := wire.Amount(n, 0)
	if err != nil {
		r.odd("%.60s: %v", what, err)
		return 0
	}
	if !exact {
		r.odd("%.60s: %.40s is not a whole number of minor units", what, string(n))
	}
	for range r.shift {
		minor *= 10
	}
	for range -r.shift {
		if minor%10 != 0 {
			r.odd("%.60s: %.40s has more digits than its currency", what, string(n))
		}
		minor /= 10
	}
	return minor
}

func (r *reading) charges(m *channel.Order, o *Order) {
	ch, p := &m.Charges, o.Payment.Or()
	ch.Subtotal, ch.Total = wire.Sum(m.Lines), r.amount("payment", p.Amount)
	ch.Tax, ch.DeliveryFee, ch.ServiceFee, ch.BagFee = r.amount("taxes", o.TaxTotal), r.amount("delivery", o.DeliveryCost), r.amount("service charge", o.ServiceCharge), r.amount("bag fee", o.BagFee)
	ch.Tip, ch.CourierTip, ch.TipSeparate = r.amount("tip", o.Tip), r.amount("driver tip", o.DriverTip), true
	off := r.amount("discount", o.DiscountTotal)
	off = max(off, -off)
	for _, d := range o.Discounts {
		n := r.amount("discount", d.Amount)
		if d.Provider == "channel" {
			ch.PartnerDiscount += max(n, -n)
		}
	}
	if off == 0 {
		for _, d := range o.Discounts {
			n := r.amount("discount", d.Amount)
			off += max(n, -n)
		}
	}
	ch.PartnerDiscount = min(ch.PartnerDiscount, off)
	ch.Discount = off - ch.PartnerDiscount
	if o.Payment.V == nil {
		return
	}
	due := r.amount("payment due", p.Due)
	if paid := ch.Total - due; paid > 0 || due <= 0 {
		m.Payments = append(m.Payments, channel.Payment{Amount: paid, Method: method(p.Type), Collect: !bool(o.OrderIsAlreadyPaid) && due <= 0 && atDoor(p.Type)})
	}
	if due > 0 {
		m.Payments = append(m.Payments, channel.Payment{Amount: due, Method: method(p.Type), Collect: true})
	}
	// There is no subtotal on the wire: the lines have to make what is paid, with or without taxes on top.
	expected := ch.Total + off - ch.DeliveryFee - ch.ServiceFee - ch.BagFee - ch.Tip - ch.CourierTip
	if ch.Subtotal != expected && ch.Subtotal != expected-ch.Tax {
		r.odd("the lines make %s, what is paid leaves %s for them", wire.Decimal(ch.Subtotal, m.Decimals), wire.Decimal(expected, m.Decimals))
	}
}

// method is a type of payment: 0 card online, 1 cash, 2 on delivery, 3 online, 4 card at the door, 5 PIN at the door, 6 voucher at
// the door, 7 meal voucher, 8 bank contact, 9 other.
func method(t wire.Number) string {
	switch t {
	case "0", "3", "4", "5", "8":
		return "card"
	case "1":
		return "cash"
	}
	return "other"
}

func atDoor(t wire.Number) bool { return t == "1" || t == "2" || t == "4" || t == "5" || t == "6" }
