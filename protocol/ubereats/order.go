package ubereats

import (
	"fmt"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// AcceptIn is how long Uber waits for an accept or a deny before it cancels the order.
const AcceptIn = 11*time.Minute + 30*time.Second

// Bounds of an order, far beyond what the app lets a guest do.
const (
	MaxItems     = 500
	MaxModifiers = 200 // beside one another under one parent
	MaxLevels    = 8   // below an item
	MaxQuantity  = 1000
)

// Order is the answer for one order.
type Order struct {
	ID                  wire.Text           `json:"id"`
	DisplayID           wire.Text           `json:"display_id,omitzero"`
	CurrentState        wire.Text           `json:"current_state"` // CREATED ACCEPTED DENIED FINISHED CANCELED
	Store               wire.Maybe[Store]   `json:"store,omitzero"`
	Eater               wire.Maybe[Eater]   `json:"eater,omitzero"`
	Cart                wire.Maybe[Cart]    `json:"cart,omitzero"`
	Payment             wire.Maybe[Payment] `json:"payment,omitzero"`
	PlacedAt            wire.Text           `json:"placed_at,omitzero"`
	EstimatedReady      wire.Text           `json:"estimated_ready_for_pickup_at,omitzero"`
	Type                wire.Text           `json:"type,omitzero"` // PICK_UP DINE_IN DELIVERY_BY_UBER DELIVERY_BY_RESTAURANT
	ScheduledTarget     wire.Maybe[Range]   `json:"scheduled_order_target_delivery_time_range,omitzero"`
	Table               wire.Text           `json:"table_number,omitzero"`
	Deliveries          wire.List[Delivery] `json:"deliveries,omitzero"`
	SpecialInstructions wire.Text           `json:"special_instructions,omitzero"`
}

// Store is where it was ordered.
type Store struct {
	ID   wire.Text `json:"id"`
	Name wire.Text `json:"name,omitzero"`
}

// Eater is who ordered.
type Eater struct {
	FirstName wire.Text `json:"first_name,omitzero"`
	LastName  wire.Text `json:"last_name,omitzero"`
	Phone     wire.Text `json:"phone,omitzero"`
	PhoneCode wire.Text `json:"phone_code,omitzero"`
}

// Range is a time from and to.
type Range struct {
	StartTime wire.Text `json:"start_time,omitzero"`
	EndTime   wire.Text `json:"end_time,omitzero"`
}

// Delivery is a courier's trip.
type Delivery struct {
	FirstName wire.Text `json:"first_name,omitzero"`
	Phone     wire.Text `json:"phone,omitzero"`
	State     wire.Text `json:"current_state,omitzero"`
}

// Cart is what was ordered.
type Cart struct {
	Items               wire.List[Item] `json:"items"`
	SpecialInstructions wire.Text       `json:"special_instructions,omitzero"`
}

// Item is a line, or a choice on one.
type Item struct {
	ID                     wire.Text            `json:"id"`
	InstanceID             wire.Text            `json:"instance_id,omitzero"`
	Title                  wire.Text            `json:"title,omitzero"`
	ExternalData           wire.Text            `json:"external_data,omitzero"`
	Quantity               wire.Number          `json:"quantity"`
	Price                  wire.Maybe[Price]    `json:"price,omitzero"`
	SelectedModifierGroups wire.List[Group]     `json:"selected_modifier_groups,omitzero"`
	SpecialInstructions    wire.Text            `json:"special_instructions,omitzero"`
	SpecialRequests        wire.Maybe[Requests] `json:"special_requests,omitzero"`
}

// Group is a choice that was made.
type Group struct {
	ID            wire.Text       `json:"id"`
	Title         wire.Text       `json:"title,omitzero"`
	SelectedItems wire.List[Item] `json:"selected_items"`
	RemovedItems  wire.List[Item] `json:"removed_items,omitzero"`
}

// Requests are allergies.
type Requests struct {
	Allergy wire.Maybe[Allergy] `json:"allergy,omitzero"`
}

// Allergy is what a guest cannot have.
type Allergy struct {
	Exclude      wire.List[Allergen] `json:"allergens_to_exclude,omitzero"`
	Instructions wire.Text           `json:"allergy_instructions,omitzero"`
}

// Allergen is one of them.
type Allergen struct {
	Type     wire.Text `json:"type"`
	FreeText wire.Text `json:"freeform_text,omitzero"`
}

// Price is that of an item: of one without its modifiers, and of all with them.
type Price struct {
	UnitPrice  wire.Maybe[Money] `json:"unit_price,omitzero"`
	TotalPrice wire.Maybe[Money] `json:"total_price,omitzero"`
}

// Money is minor units.
type Money struct {
	Amount       wire.Number `json:"amount"`
	CurrencyCode wire.Text   `json:"currency_code"`
}

// Payment is what the guest pays.
type Payment struct {
	Charges    wire.Maybe[Charges]   `json:"charges,omitzero"`
	Promotions wire.Maybe[Promotion] `json:"promotions,omitzero"`
}

// Charges is what for.
type Charges struct {
	Total         wire.Maybe[Money] `json:"total,omitzero"`
	SubTotal      wire.Maybe[Money] `json:"sub_total,omitzero"`
	Tax           wire.Maybe[Money] `json:"tax,omitzero"`
	TotalFee      wire.Maybe[Money] `json:"total_fee,omitzero"`
	BagFee        wire.Maybe[Money] `json:"bag_fee,omitzero"`
	DeliveryFee   wire.Maybe[Money] `json:"delivery_fee,omitzero"`
	SmallOrderFee wire.Maybe[Money] `json:"small_order_fee,omitzero"`
	Tip           wire.Maybe[Money] `json:"tip,omitzero"`
	CashAmountDue wire.Maybe[Money] `json:"cash_amount_due,omitzero"`
	PromoApplied  wire.Maybe[Money] `json:"total_promo_applied,omitzero"`
}

// Promotion lists discounts by who bears them.
type Promotion struct {
	Promotions wire.List[Promo] `json:"promotions"`
}

// Promo is one discount. Amounts below zero are discounts too.
type Promo struct {
	DiscountValue wire.Number `json:"promo_discount_value"`
	Bearer        wire.Text   `json:"funding_source,omitzero"` // UBER, MERCHANT
}

type reading struct {
	currency string
	faults   wire.Faults
	unsure   []string
}

const maxUnsure = 12

func (r *reading) odd(format string, args ...any) {
	if len(r.unsure) < maxUnsure {
		r.unsure = append(r.unsure, fmt.Sprintf(format, args...))
	}
}

// Channel is the order in the house's model. What cannot be an order at all is a *channel.Malformed.
func (o *Order) Channel() (channel.Order, error) {
	var r reading
	m := channel.Order{Aggregator: Name, Partner: "Uber Eats", Slug: Name, ID: string(o.ID), FriendlyID: string(o.DisplayID), Status: status(o.CurrentState), Table: string(o.Table)}
	if strings.TrimSpace(m.ID) == "" {
		r.faults.Add("/id", "is missing")
	}
	ch := o.Payment.Or().Charges.Or()
	r.money(&m, o, &ch)
	r.times(&m, o)
	p := o.Eater.Or()
	m.Customer = channel.Customer{Name: strings.TrimSpace(string(p.FirstName) + " " + string(p.LastName)), Phone: string(p.Phone), Code: string(p.PhoneCode)}
	cart := o.Cart.Or()
	m.Note = string(cart.SpecialInstructions)
	if m.Note == "" {
		m.Note = string(o.SpecialInstructions)
	}
	if len(o.Deliveries) > 0 {
		d := o.Deliveries[0]
		m.Courier = channel.Courier{Name: string(d.FirstName), Phone: string(d.Phone), Status: courier(d.State)}
	}
	if len(cart.Items) > MaxItems {
		r.faults.Add("/cart/items", "has %d items; the limit is %d", len(cart.Items), MaxItems)
	} else {
		r.lines(&m, cart.Items)
	}
	if err := r.faults.Err(); err != nil {
		return channel.Order{}, err
	}
	if sub := ch.SubTotal.V; sub != nil && len(m.Lines) > 0 {
		if odd := wire.Settle(m.Lines, m.Charges.Subtotal, m.Decimals); odd != "" {
			r.odd("%s", odd)
		}
	}
	m.Unsure = r.unsure
	return m, nil
}

func status(t wire.Text) channel.Status {
	switch strings.ToUpper(string(t)) {
	case "CREATED":
		return channel.New
	case "ACCEPTED":
		return channel.Accepted
	case "DENIED":
		return channel.Rejected
	case "FINISHED":
		return channel.Fulfilled
	case "CANCELED", "CANCELLED", "FAILED":
		return channel.Cancelled
	}
	return ""
}

func courier(t wire.Text) string {
	switch strings.ToUpper(string(t)) {
	case "SCHEDULED", "EN_ROUTE_TO_PICKUP":
		return "on_route"
	case "ARRIVED_AT_PICKUP":
		return "arrived"
	case "EN_ROUTE_TO_DROPOFF", "ARRIVED_AT_DROPOFF":
		return "picked_up"
	case "COMPLETED":
		return "completed"
	}
	return ""
}

// money finds the currency, which stands at each amount, and reads the charges.
func (r *reading) money(m *channel.Order, o *Order, ch *Charges) {
	code := ch.Total.Or().CurrencyCode
	if code == "" {
		code = ch.SubTotal.Or().CurrencyCode
	}
	for _, x := range o.Cart.Or().Items {
		if code == "" {
			code = x.Price.Or().UnitPrice.Or().CurrencyCode
		}
	}
	var known bool
	var err error
	if m.Currency, known, err = wire.Currency(code); err != nil {
		r.faults.Add("/payment/charges/total/currency_code", "%v", err)
	} else if !known {
		r.odd("currency %s is not one of ISO 4217", m.Currency)
	}
	m.Decimals = wire.Decimals(m.Currency)
	r.currency = m.Currency
	c := &m.Charges
	c.Subtotal, c.Total, c.Tax = r.amount("subtotal", ch.SubTotal), r.amount("total", ch.Total), r.amount("tax", ch.Tax)
	c.BagFee, c.DeliveryFee, c.SmallOrderFee = r.amount("bag fee", ch.BagFee), r.amount("delivery fee", ch.DeliveryFee), r.amount("small order fee", ch.SmallOrderFee)
	if rest := r.amount("fees", ch.TotalFee) - c.BagFee - c.DeliveryFee - c.SmallOrderFee; rest > 0 {
		c.ServiceFee = rest
	}
	c.CourierTip = r.amount("tip", ch.Tip) // the restaurant's tips are not on this wire
	off := r.amount("promotions", ch.PromoApplied)
	off = max(off, -off)
	for _, p := range o.Payment.Or().Promotions.Or().Promotions {
		if strings.Contains(strings.ToUpper(string(p.Bearer)), "UBER") {
			n := r.amount("promotion", wire.Some(Money{Amount: p.DiscountValue}))
			c.PartnerDiscount += max(n, -n)
		}
	}
	c.PartnerDiscount = min(c.PartnerDiscount, off)
	c.Discount = off - c.PartnerDiscount
	due := r.amount("cash due", ch.CashAmountDue)
	if paid := c.Total - due; ch.Total.V != nil && (paid > 0 || due <= 0) {
		m.Payments = append(m.Payments, channel.Payment{Amount: paid, Method: "card"})
	}
	if due > 0 {
		m.Payments = append(m.Payments, channel.Payment{Amount: due, Method: "cash", Collect: true})
	}
}

func (r *reading) amount(what string, v wire.Maybe[Money]) int64 {
	m := v.Or()
	minor, exact, err := wire.Amount(m.Amount, 0)
	switch {
	case err != nil:
		r.odd("%.60s: %v", what, err)
	case !exact:
		r.odd("%.60s: %.40s is not a whole number of minor units", what, string(m.Amount))
	}
	if m.CurrencyCode != "" && !strings.EqualFold(string(m.CurrencyCode), r.currency) {
		r.odd("%.60s is in %.10s", what, string(m.CurrencyCode))
	}
	return minor
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
	m.PlacedAt, m.EstimatedPickupAt = r.time("time of ordering", o.PlacedAt), r.time("estimated pickup time", o.EstimatedReady)
	if t := o.ScheduledTarget.V; t != nil && t.StartTime != "" {
		m.Scheduled, m.DeliverAt = true, r.time("target time", t.StartTime)
		m.PickupAt = m.EstimatedPickupAt
	}
	if !m.PlacedAt.IsZero() && m.Status == channel.New {
		m.AcceptBy = m.PlacedAt.Add(AcceptIn)
	}
	switch strings.ToUpper(string(o.Type)) {
	case "PICK_UP", "PICKUP":
		m.Service = "pickup"
	case "DINE_IN":
		m.Service = "dine_in"
	case "", "DELIVERY_BY_UBER", "DELIVERY_BY_RESTAURANT":
		m.Service = "delivery"
	default:
		m.Service = "delivery"
		r.odd("type %.40q is not known", string(o.Type))
	}
}

func (r *reading) lines(m *channel.Order, items []Item) {
	var allergies []string
	for i := range items {
		x := &items[i]
		at := fmt.Sprintf("/cart/items/%d", i)
		l := channel.Line{ID: string(x.ID), LineID: string(x.InstanceID), SKU: string(x.ExternalData), Name: string(x.Title), Note: string(x.SpecialInstructions), Quantity: r.quantity(at, x.Quantity),
			Price: r.amount(string(x.Title), x.Price.Or().UnitPrice)}
		l.Modifiers = r.modifiers(at, x.SelectedModifierGroups, 1)
		if a := x.SpecialRequests.Or().Allergy.Or(); a.Instructions != "" || len(a.Exclude) > 0 {
			words := make([]string, 0, len(a.Exclude)+1)
			for _, e := range a.Exclude {
				w := string(e.FreeText)
				if w == "" {
					w = strings.ToLower(strings.ReplaceAll(string(e.Type), "_", " "))
				}
				words = append(words, w)
			}
			if a.Instructions != "" {
				words = append(words, string(a.Instructions))
			}
			allergies = append(allergies, l.Name+": "+strings.Join(words, ", "))
		}
		m.Lines = append(m.Lines, l)
	}
	m.AllergyNote = strings.Join(allergies, "; ")
}

func (r *reading) modifiers(at string, groups []Group, level int) []channel.Modifier {
	if len(groups) == 0 {
		return nil
	}
	if level > MaxLevels {
		r.faults.Add(at+"/selected_modifier_groups", "lie more than %d levels deep", MaxLevels)
		return nil
	}
	var list []channel.Modifier
	for g := range groups {
		group := &groups[g]
		for i := range group.SelectedItems {
			x := &group.SelectedItems[i]
			here := fmt.Sprintf("%s/selected_modifier_groups/%d/selected_items/%d", at, g, i)
			list = append(list, channel.Modifier{ID: string(x.ID), LineID: string(x.InstanceID), SKU: string(x.ExternalData), Name: string(x.Title), Group: string(group.Title), GroupID: string(group.ID),
				Quantity: r.quantity(here, x.Quantity), Price: r.amount(string(x.Title), x.Price.Or().UnitPrice), Modifiers: r.modifiers(here, x.SelectedModifierGroups, level+1)})
		}
		for i := range group.RemovedItems { // what comes with the dish and shall not
			x := &group.RemovedItems[i]
			list = append(list, channel.Modifier{ID: string(x.ID), SKU: string(x.ExternalData), Name: "- " + string(x.Title), Group: string(group.Title), GroupID: string(group.ID), Quantity: 1})
		}
	}
	if len(list) > MaxModifiers {
		r.faults.Add(at+"/selected_modifier_groups", "have %d items; the limit is %d", len(list), MaxModifiers)
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
