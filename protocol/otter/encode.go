package otter

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// FromOrder is an order as Otter tells it, for whoever plays Otter. Channel reads it back, but for what Otter has no word for.
func FromOrder(c *channel.Order) Order {
	n := func(minor int64) wire.Number { return wire.Decimal(minor, c.Decimals) }
	o := Order{
		ExternalIdentifiers: wire.Some(Identifiers{ID: wire.Text(c.ID), FriendlyID: wire.Text(c.FriendlyID), Source: wire.Text(c.Slug), SourceType: Marketplace}),
		CurrencyCode:        wire.Text(c.Currency), Status: Status(c.Status), OrderedAt: wire.Stamp(c.PlacedAt), CustomerNote: wire.Text(c.Note),
		Customer:     wire.Some(Person{Name: wire.Text(c.Customer.Name), Phone: wire.Text(c.Customer.Phone), PhoneCode: wire.Text(c.Customer.Code), Email: wire.Text(c.Customer.Email)}),
		DeliveryInfo: wire.Some(DeliveryInfo{Courier: wire.Some(Person{Name: wire.Text(c.Courier.Name), Phone: wire.Text(c.Courier.Phone)}), MakeModel: wire.Text(c.Courier.Vehicle)}),
		OrderTotal: wire.Some(Total{Subtotal: n(c.Charges.Subtotal), Discount: n(c.Charges.Discount + c.Charges.PartnerDiscount), Tax: n(c.Charges.Tax),
			Tip: n(c.Charges.Tip + c.Charges.CourierTip), DeliveryFee: n(c.Charges.DeliveryFee), Total: n(c.Charges.Total)}),
		FulfillmentInfo: wire.Some(Fulfillment{PickupTime: wire.Stamp(c.PickupAt), EstimatedPickupTime: wire.Stamp(c.EstimatedPickupAt), DeliveryTime: wire.Stamp(c.DeliverAt),
			FulfillmentMode: wire.Text(strings.ReplaceAll(mode(c.Service), "PICK_UP", "PICKUP")), SchedulingType: "ASAP", CourierStatus: courierStatus(c.Courier.Status), TableIdentifier: wire.Text(c.Table)}),
	}
	if c.Scheduled {
		o.FulfillmentInfo.V.SchedulingType = "FIXED_TIME"
	}
	if c.Prep > 0 {
		o.PreparationTime = wire.Some(Preparation{wire.Text("PT" + strconv.Itoa(int(c.Prep/time.Second)) + "S")})
	}
	ch := &c.Charges
	one := func(minor int64) wire.Maybe[Composite] {
		if minor == 0 {
			return wire.Maybe[Composite]{}
		}
		return wire.Some(Composite{Breakdown: wire.List[FinanceLine]{{SubType: "VALUE_WITH_TAX", Name: "sum", Value: n(minor)}}})
	}
	if ch.TipSeparate || ch.PartnerDiscount != 0 || ch.ServiceFee != 0 || ch.SmallOrderFee != 0 || ch.PackagingFee != 0 || ch.BagFee != 0 {
		f := Financial{FoodSales: one(ch.Subtotal), RestaurantFundedDiscount: one(ch.Discount), ServiceProviderDiscount: one(ch.PartnerDiscount), FeeForServiceProviderDelivery: one(ch.DeliveryFee),
			ServiceFee: one(ch.ServiceFee), SmallOrderFee: one(ch.SmallOrderFee), PackingFee: one(ch.PackagingFee), BagFee: one(ch.BagFee)}
		if ch.TipSeparate {
			none := wire.Some(Composite{Breakdown: wire.List[FinanceLine]{}})
			f.TipForRestaurant, f.TipForServiceProviderCourier = one(ch.Tip), one(ch.CourierTip)
			if f.TipForRestaurant.V == nil {
				f.TipForRestaurant = none
			}
		}
		o.OrderTotalV2 = wire.Some(TotalV2{wire.Some(f)})
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		o.Items = append(o.Items, Item{Quantity: wire.Decimal(int64(l.Quantity), 0), ID: wire.Text(l.ID), LineItemID: wire.Text(l.LineID), SkuID: wire.Text(l.SKU), Name: wire.Text(l.Name), Note: wire.Text(l.Note),
			CategoryID: wire.Text(l.CategoryID), CategoryName: wire.Text(l.Category), Price: n(l.Price), Modifiers: fromModifiers(l.Modifiers, n)})
	}
	for _, p := range c.Payments {
		q := Payment{Value: n(p.Amount), ProcessingStatus: "PROCESSED", PaymentMethod: wire.Text(strings.ToUpper(p.Method))}
		if p.Collect {
			q.ProcessingStatus = "COLLECTABLE"
		}
		o.CustomerPayments = append(o.CustomerPayments, q)
	}
	return o
}

func fromModifiers(ms []channel.Modifier, n func(int64) wire.Number) wire.List[Modifier] {
	var list wire.List[Modifier]
	for i := range ms {
		m := &ms[i]
		list = append(list, Modifier{Quantity: wire.Decimal(int64(m.Quantity), 0), ID: wire.Text(m.ID), LineItemID: wire.Text(m.LineID), SkuID: wire.Text(m.SKU), Name: wire.Text(m.Name), Price: n(m.Price),
			GroupName: wire.Text(m.Group), GroupID: wire.Text(m.GroupID), Modifiers: fromModifiers(m.Modifiers, n)})
	}
	return list
}

func courierStatus(s string) wire.Text {
	switch s {
	case "assigned":
		return "COURIER_ASSIGNED"
	case "on_route":
		return "COURIER_ON_ROUTE_TO_PICKUP"
	case "arrived":
		return "COURIER_ARRIVED"
	case "picked_up":
		return "COURIER_PICKED_UP_FOOD"
	case "completed":
		return "COURIER_COMPLETED"
	}
	return ""
}

// Status spells a status of an order.
func Status(s channel.Status) wire.Text {
	switch s {
	case channel.New, "":
		return "NEW_ORDER"
	case channel.Accepted:
		return "CONFIRMED"
	case channel.Prepared:
		return "PREPARED"
	case channel.HandedOff:
		return "PICKED_UP"
	case channel.Fulfilled:
		return "FULFILLED"
	case channel.Cancelled:
		return "CANCELED"
	case channel.Rejected:
		return "REJECTED"
	}
	return "UNKNOWN"
}

// Encode writes an event, for whoever plays Otter. payload is the type's own; nil: an empty object.
func Encode(id, kind, store, application string, at time.Time, resource string, payload any) ([]byte, error) {
	if payload == nil {
		payload = struct{}{}
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(Envelope{EventID: wire.Text(id), EventTime: wire.Stamp(at), EventType: wire.Text(kind), Metadata: wire.Some(Metadata{
		StoreID: wire.Text(store), ApplicationID: wire.Text(application), ResourceID: wire.Text(resource), Payload: raw,
	})})
}
