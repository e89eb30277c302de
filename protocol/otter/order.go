package otter

import (
	"fmt"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// Bounds of an order. Otter's own are 100 items of 100 modifiers and quantities from 1 to 1000.
const (
	MaxItems     = 500
	MaxModifiers = 200 // beside one another under one parent
	MaxLevels    = 8   // of modifiers below an item
	MaxQuantity  = 1000
)

// Order is the payload of orders.new_order and orders.update, and a row of the feed (spec/delivery.md 5.4).
type Order struct {
	ExternalIdentifiers wire.Maybe[Identifiers]  `json:"externalIdentifiers"`
	CurrencyCode        wire.Text                `json:"currencyCode"`
	Status              wire.Text                `json:"status"`
	Items               wire.List[Item]          `json:"items,omitzero"`
	OrderedAt           wire.Text                `json:"orderedAt,omitzero"`
	Customer            wire.Maybe[Person]       `json:"customer,omitzero"`
	CustomerNote        wire.Text                `json:"customerNote,omitzero"`
	DeliveryInfo        wire.Maybe[DeliveryInfo] `json:"deliveryInfo,omitzero"`
	OrderTotal          wire.Maybe[Total]        `json:"orderTotal,omitzero"`
	OrderTotalV2        wire.Maybe[TotalV2]      `json:"orderTotalV2,omitzero"`
	CustomerPayments    wire.List[Payment]       `json:"customerPayments,omitzero"`
	FulfillmentInfo     wire.Maybe[Fulfillment]  `json:"fulfillmentInfo,omitzero"`
	PreparationTime     wire.Maybe[Preparation]  `json:"preparationTime,omitzero"`
}

// Identifiers name an order. What Otter got from another aggregator names its own source inside.
type Identifiers struct {
	ID                        wire.Text               `json:"id"`
	FriendlyID                wire.Text               `json:"friendlyId"`
	Source                    wire.Text               `json:"source,omitzero"`
	SourceType                wire.Text               `json:"sourceType,omitzero"`
	SourceExternalIdentifiers wire.Maybe[Identifiers] `json:"sourceExternalIdentifiers,omitzero"`
}

// Marketplace is the source type of whoever the guest ordered at.
const Marketplace = "ORDERING_MARKETPLACE"

// Item is one line.
type Item struct {
	Quantity             wire.Number         `json:"quantity"`
	ID                   wire.Text           `json:"id,omitzero"`
	LineItemID           wire.Text           `json:"lineItemId,omitzero"`
	SkuID                wire.Text           `json:"skuId,omitzero"`
	Name                 wire.Text           `json:"name,omitzero"`
	Note                 wire.Text           `json:"note,omitzero"`
	CategoryID           wire.Text           `json:"categoryId,omitzero"`
	CategoryName         wire.Text           `json:"categoryName,omitzero"`
	InternalCategoryName wire.Text           `json:"internalCategoryName,omitzero"`
	Price                wire.Number         `json:"price,omitzero"`
	SkuPrice             wire.Number         `json:"skuPrice,omitzero"`
	Modifiers            wire.List[Modifier] `json:"modifiers,omitzero"`
}

// Modifier is a choice on a line or on another modifier.
type Modifier struct {
	Quantity   wire.Number         `json:"quantity"`
	ID         wire.Text           `json:"id,omitzero"`
	LineItemID wire.Text           `json:"lineItemId,omitzero"`
	SkuID      wire.Text           `json:"skuId,omitzero"`
	Name       wire.Text           `json:"name,omitzero"`
	Price      wire.Number         `json:"price,omitzero"`
	SkuPrice   wire.Number         `json:"skuPrice,omitzero"`
	GroupName  wire.Text           `json:"groupName,omitzero"`
	GroupID    wire.Text           `json:"groupId,omitzero"`
	Modifiers  wire.List[Modifier] `json:"modifiers,omitzero"`
}

// Person is who ordered, or who fetches.
type Person struct {
	Name      wire.Text `json:"name,omitzero"`
	Phone     wire.Text `json:"phone,omitzero"`
	PhoneCode wire.Text `json:"phoneCode,omitzero"`
	Email     wire.Text `json:"email,omitzero"`
}

// DeliveryInfo says who fetches the order.
type DeliveryInfo struct {
	Courier      wire.Maybe[Person] `json:"courier,omitzero"`
	LicensePlate wire.Text          `json:"licensePlate,omitzero"`
	MakeModel    wire.Text          `json:"makeModel,omitzero"`
	Note         wire.Text          `json:"note,omitzero"`
}

// Total is the older form of what the guest paid.
type Total struct {
	Subtotal    wire.Number `json:"subtotal,omitzero"`
	Discount    wire.Number `json:"discount,omitzero"`
	Tax         wire.Number `json:"tax,omitzero"`
	Tip         wire.Number `json:"tip,omitzero"`
	DeliveryFee wire.Number `json:"deliveryFee,omitzero"`
	Total       wire.Number `json:"total,omitzero"`
	CouponCode  wire.Text   `json:"couponCode,omitzero"`
}

// TotalV2 tells charges apart.
type TotalV2 struct {
	CustomerTotal wire.Maybe[Financial] `json:"customerTotal,omitzero"`
}

// Financial is what the guest pays, by what it is for.
type Financial struct {
	FoodSales                        wire.Maybe[Composite] `json:"foodSales,omitzero"`
	FeeForRestaurantProvidedDelivery wire.Maybe[Composite] `json:"feeForRestaurantProvidedDelivery,omitzero"`
	FeeForServiceProviderDelivery    wire.Maybe[Composite] `json:"feeForServiceProviderDelivery,omitzero"`
	RestaurantFundedDiscount         wire.Maybe[Composite] `json:"restaurantFundedDiscount,omitzero"`
	OperatorDiscount                 wire.Maybe[Composite] `json:"operatorDiscount,omitzero"`
	VoucherDiscount                  wire.Maybe[Composite] `json:"voucherDiscount,omitzero"`
	PromotionDiscount                wire.Maybe[Composite] `json:"promotionDiscount,omitzero"`
	LoyaltyDiscount                  wire.Maybe[Composite] `json:"loyaltyDiscount,omitzero"`
	ServiceProviderDiscount          wire.Maybe[Composite] `json:"serviceProviderDiscount,omitzero"`
	TipForRestaurant                 wire.Maybe[Composite] `json:"tipForRestaurant,omitzero"`
	TipForServiceProviderCourier     wire.Maybe[Composite] `json:"tipForServiceProviderCourier,omitzero"`
	PackingFee                       wire.Maybe[Composite] `json:"packingFee,omitzero"`
	BagFee                           wire.Maybe[Composite] `json:"bagFee,omitzero"`
	SmallOrderFee                    wire.Maybe[Composite] `json:"smallOrderFee,omitzero"`
	ServiceFee                       wire.Maybe[Composite] `json:"serviceFee,omitzero"`
	OtherFee                         wire.Maybe[Composite] `json:"otherFee,omitzero"`
}

// Composite is one charge in parts.
type Composite struct {
	Breakdown wire.List[FinanceLine] `json:"breakdown"`
}

// FinanceLine is a part of a charge: VALUE, TAX, VAT or VALUE_WITH_TAX.
type FinanceLine struct {
	SubType wire.Text   `json:"subType"`
	Name    wire.Text   `json:"name,omitzero"`
	Value   wire.Number `json:"value"`
}

// Payment is what was paid, or is to be collected.
type Payment struct {
	Value            wire.Number `json:"value"`
	ProcessingStatus wire.Text   `json:"processingStatus"`
	PaymentMethod    wire.Text   `json:"paymentMethod"`
}

// Fulfillment says when and how the order leaves.
type Fulfillment struct {
	PickupTime          wire.Text `json:"pickupTime,omitzero"`
	EstimatedPickupTime wire.Text `json:"estimatedPickupTime,omitzero"`
	DeliveryTime        wire.Text `json:"deliveryTime,omitzero"`
	FulfillmentMode     wire.Text `json:"fulfillmentMode,omitzero"`
	SchedulingType      wire.Text `json:"schedulingType,omitzero"`
	CourierStatus       wire.Text `json:"courierStatus,omitzero"`
	TableIdentifier     wire.Text `json:"tableIdentifier,omitzero"`
}

// Preparation is how long the marketplace thinks it takes.
type Preparation struct {
	EstimatedPreparationTime wire.Text `json:"estimatedPreparationTime,omitzero"` // PT30M
}

// A reading turns an Order into the model and gathers what is wrong and what is odd.
type reading struct {
	at       string // JSON pointer of the order
	decimals int
	faults   wire.Faults
	unsure   []string
}

// maxUnsure bounds how much oddness is told of one order.
const maxUnsure = 12

func (r *reading) odd(format string, args ...any) {
	if len(r.unsure) < maxUnsure {
		r.unsure = append(r.unsure, fmt.Sprintf(format, args...))
	}
}

// Channel is the order in the house's model; at is where it stands in its message. What cannot be an order at all is a
// *channel.Malformed: no id, no currency, a quantity that is none. Everything else is taken as well as it can be and told in
// Unsure.
func (o *Order) Channel(at string) (channel.Order, error) {
	r := reading{at: at}
	id := o.ExternalIdentifiers.Or()
	c := channel.Order{Aggregator: Name, Slug: slug(id.Source), ID: string(id.ID), FriendlyID: string(id.FriendlyID), Status: status(o.Status)}
	if strings.TrimSpace(c.ID) == "" {
		r.faults.Add(at+"/externalIdentifiers/id", "is missing")
	}
	c.Partner = wire.Partner(origin(&id))
	var known bool
	var err error
	if c.Currency, known, err = wire.Currency(o.CurrencyCode); err != nil {
		r.faults.Add(at+"/currencyCode", "%v", err)
	} else if !known {
		r.odd("currency %s is not one of ISO 4217", c.Currency)
	}
	c.Decimals = wire.Decimals(c.Currency)
	r.decimals = c.Decimals

	r.times(&c, o)
	r.people(&c, o)
	r.lines(&c, o.Items)
	r.charges(&c, o)
	for _, p := range o.CustomerPayments {
		c.Payments = append(c.Payments, channel.Payment{Amount: r.amount("a payment", p.Value), Method: method(p.PaymentMethod), Collect: p.ProcessingStatus == "COLLECTABLE"})
	}
	if err := r.faults.Err(); err != nil {
		return channel.Order{}, err
	}
	if len(c.Lines) > 0 && (c.Charges.Subtotal != 0 || o.OrderTotal.V != nil) {
		if odd := wire.Settle(c.Lines, c.Charges.Subtotal, c.Decimals); odd != "" {
			r.odd("%s", odd)
		}
	}
	c.Unsure = r.unsure
	return c, nil
}

// slug is the marketplace as addresses and keys have it.
func slug(s wire.Text) string {
	if s := strings.ToLower(strings.TrimSpace(string(s))); s != "" {
		return s
	}
	return Name
}

// origin is the marketplace an order comes from: the innermost one that calls itself so, else the outermost source.
func origin(id *Identifiers) string {
	found := slug(id.Source)
	for n, in := 0, id; in != nil && n < 4; n, in = n+1, in.SourceExternalIdentifiers.V {
		if in.SourceType == Marketplace && in.Source != "" {
			found = slug(in.Source)
		}
	}
	return found
}

// status is a status of an order or of its history.
func status(t wire.Text) channel.Status {
	switch t {
	case "NEW_ORDER":
		return channel.New
	case "CONFIRMED", "ORDER_ACCEPTED":
		return channel.Accepted
	case "PREPARED", "ORDER_READY_TO_PICKUP":
		return channel.Prepared
	case "PICKED_UP", "ORDER_HANDED_OFF":
		return channel.HandedOff
	case "FULFILLED", "ORDER_FULFILLED":
		return channel.Fulfilled
	case "CANCELED", "CANCELLED", "ORDER_CANCELED":
		return channel.Cancelled
	case "REJECTED", "ORDER_REJECTED":
		return channel.Rejected
	}
	return ""
}

func method(t wire.Text) string {
	switch t {
	case "CASH", "CARD", "CHEQUE", "GIFT_CARD":
		return strings.ToLower(string(t))
	}
	return "other"
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

func (r *reading) times(c *channel.Order, o *Order) {
	f := o.FulfillmentInfo.Or()
	c.PlacedAt = r.time("time of ordering", o.OrderedAt)
	c.PickupAt, c.EstimatedPickupAt, c.DeliverAt = r.time("pickup time", f.PickupTime), r.time("estimated pickup time", f.EstimatedPickupTime), r.time("delivery time", f.DeliveryTime)
	c.Scheduled = f.SchedulingType == "FIXED_TIME"
	c.Table = string(f.TableIdentifier)
	switch f.FulfillmentMode {
	case "PICKUP", "PICK_UP", "DRIVE_THROUGH":
		c.Service = "pickup"
	case "DINE_IN":
		c.Service = "dine_in"
	case "", "DELIVERY", "RESTAURANT_DELIVERY":
		c.Service = "delivery"
	default:
		c.Service = "delivery"
		r.odd("fulfilment %.40q is not known", string(f.FulfillmentMode))
	}
	if t := o.PreparationTime.Or().EstimatedPreparationTime; t != "" {
		var ok bool
		if c.Prep, ok = wire.ParseDuration(t); !ok {
			r.odd("preparation time %.40q is not a duration", string(t))
		}
	}
}

func (r *reading) people(c *channel.Order, o *Order) {
	p, d, f := o.Customer.Or(), o.DeliveryInfo.Or(), o.FulfillmentInfo.Or()
	c.Customer = channel.Customer{Name: string(p.Name), Phone: string(p.Phone), Code: string(p.PhoneCode), Email: string(p.Email)}
	c.Note = string(o.CustomerNote)
	courier := d.Courier.Or()
	c.Courier = channel.Courier{Name: string(courier.Name), Phone: string(courier.Phone), Vehicle: strings.TrimSpace(string(d.MakeModel) + " " + string(d.LicensePlate))}
	switch f.CourierStatus {
	case "COURIER_ASSIGNED":
		c.Courier.Status = "assigned"
	case "COURIER_ON_ROUTE_TO_PICKUP":
		c.Courier.Status = "on_route"
	case "COURIER_ARRIVED":
		c.Courier.Status = "arrived"
	case "COURIER_PICKED_UP_FOOD":
		c.Courier.Status = "picked_up"
	case "COURIER_COMPLETED":
		c.Courier.Status = "completed"
	}
}

func (r *reading) lines(c *channel.Order, items []Item) {
	if len(items) > MaxItems {
		r.faults.Add(r.at+"/items", "has %d items; the limit is %d", len(items), MaxItems)
		return
	}
	if len(items) == 0 {
		return
	}
	c.Lines = make([]channel.Line, 0, len(items))
	for i := range items {
		x := &items[i]
		l := channel.Line{ID: string(x.ID), LineID: string(x.LineItemID), SKU: string(x.SkuID), Name: string(x.Name), Category: string(x.CategoryName), CategoryID: string(x.CategoryID),
			Note: string(x.Note), Price: r.amount(string(x.Name), price(x.Price, x.SkuPrice))}
		if l.Category == "" {
			l.Category = string(x.InternalCategoryName)
		}
		at := fmt.Sprintf("%s/items/%d", r.at, i)
		l.Quantity = r.quantity(at, x.Quantity)
		if l.Price < 0 {
			r.odd("%.60s costs less than nothing", l.Name)
		}
		l.Modifiers = r.modifiers(at, x.Modifiers, 1)
		c.Lines = append(c.Lines, l)
	}
}

func (r *reading) modifiers(at string, ms []Modifier, level int) []channel.Modifier {
	switch {
	case len(ms) == 0:
		return nil
	case level > MaxLevels:
		r.faults.Add(at+"/modifiers", "lie more than %d levels deep", MaxLevels)
		return nil
	case len(ms) > MaxModifiers:
		r.faults.Add(at+"/modifiers", "are %d; the limit is %d", len(ms), MaxModifiers)
		return nil
	}
	list := make([]channel.Modifier, 0, len(ms))
	for i := range ms {
		x := &ms[i]
		m := channel.Modifier{ID: string(x.ID), LineID: string(x.LineItemID), SKU: string(x.SkuID), Name: string(x.Name), Group: string(x.GroupName), GroupID: string(x.GroupID),
			Price: r.amount(string(x.Name), price(x.Price, x.SkuPrice))}
		here := fmt.Sprintf("%s/modifiers/%d", at, i)
		m.Quantity = r.quantity(here, x.Quantity)
		m.Modifiers = r.modifiers(here, x.Modifiers, level+1)
		list = append(list, m)
	}
	return list
}

// price is what was paid, else what the product costs.
func price(paid, sku wire.Number) wire.Number {
	if paid != "" {
		return paid
	}
	return sku
}

func (r *reading) quantity(at string, n wire.Number) int {
	q, err := wire.Whole(n, 1, MaxQuantity)
	if err != nil {
		r.faults.Add(at+"/quantity", "%v", err)
	}
	return q
}

func (r *reading) amount(what string, n wire.Number) int64 {
	minor, exact, err := wire.Amount(n, r.decimals)
	switch {
	case err != nil:
		r.odd("%.60s: %v", what, err)
	case !exact:
		r.odd("%.60s: %.40s has more digits than its currency and is taken as %s", what, string(n), wire.Decimal(minor, r.decimals))
	}
	return minor
}

// charges reads both forms of the totals: the older for the sums, the newer for what is told apart.
func (r *reading) charges(c *channel.Order, o *Order) {
	t, v2 := o.OrderTotal.Or(), o.OrderTotalV2.Or().CustomerTotal
	f := v2.Or()
	ch := &c.Charges
	ch.Subtotal, ch.Total = r.amount("subtotal", t.Subtotal), r.amount("total", t.Total)
	ch.Tax = r.amount("tax", t.Tax)
	discount := r.amount("discount", t.Discount) // some write it below zero
	ch.Discount = max(discount, -discount)
	ch.DeliveryFee = r.amount("delivery fee", t.DeliveryFee)
	ch.CourierTip = r.amount("tip", t.Tip) // nobody says whose it is
	if v2.V == nil {
		return
	}
	if o.OrderTotal.V == nil {
		ch.Subtotal = r.net(f.FoodSales)
	}
	if own, theirs := f.TipForRestaurant, f.TipForServiceProviderCourier; own.V != nil || theirs.V != nil {
		ch.Tip, ch.CourierTip, ch.TipSeparate = r.sum(own), r.sum(theirs), true
	}
	house := r.less(f.RestaurantFundedDiscount) + r.less(f.OperatorDiscount) + r.less(f.VoucherDiscount) + r.less(f.PromotionDiscount) + r.less(f.LoyaltyDiscount)
	ch.PartnerDiscount = r.less(f.ServiceProviderDiscount)
	if house != 0 || ch.PartnerDiscount != 0 {
		ch.Discount = house
	}
	if fee := r.sum(f.FeeForRestaurantProvidedDelivery) + r.sum(f.FeeForServiceProviderDelivery); fee != 0 {
		ch.DeliveryFee = fee
	}
	ch.ServiceFee = r.sum(f.ServiceFee) + r.sum(f.OtherFee)
	ch.SmallOrderFee, ch.PackagingFee, ch.BagFee = r.sum(f.SmallOrderFee), r.sum(f.PackingFee), r.sum(f.BagFee)
}

// net is a charge without the taxes that stand beside it, as lines are priced.
func (r *reading) net(m wire.Maybe[Composite]) int64 {
	var total int64
	for _, l := range m.Or().Breakdown {
		if l.SubType != "TAX" && l.SubType != "VAT" {
			total += r.amount(string(l.Name), l.Value)
		}
	}
	return total
}

// sum is what a charge costs the guest, taxes and all.
func (r *reading) sum(m wire.Maybe[Composite]) int64 {
	var total int64
	for _, l := range m.Or().Breakdown {
		total += r.amount(string(l.Name), l.Value)
	}
	return total
}

// less is a discount, which some write below zero.
func (r *reading) less(m wire.Maybe[Composite]) int64 {
	n := r.sum(m)
	return max(n, -n)
}
