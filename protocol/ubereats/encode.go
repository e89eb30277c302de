package ubereats

import (
	"strconv"
	"strings"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// FromOrder is an order as Uber tells it, for whoever plays Uber.
func FromOrder(m *channel.Order, store string) Order {
	money := func(minor int64) wire.Maybe[Money] {
		return wire.Some(Money{wire.Decimal(minor, 0), wire.Text(m.Currency)})
	}
	ch := &m.Charges
	first, last, _ := strings.Cut(m.Customer.Name, " ")
	o := Order{ID: wire.Text(m.ID), DisplayID: wire.Text(m.FriendlyID), CurrentState: state(m.Status), Store: wire.Some(Store{ID: wire.Text(store)}),
		Eater:    wire.Some(Eater{wire.Text(first), wire.Text(last), wire.Text(m.Customer.Phone), wire.Text(m.Customer.Code)}),
		PlacedAt: wire.Stamp(m.PlacedAt), EstimatedReady: wire.Stamp(m.EstimatedPickupAt), Type: "DELIVERY_BY_UBER", Table: wire.Text(m.Table),
		Cart: wire.Some(Cart{Items: items(m.Lines, money), SpecialInstructions: wire.Text(m.Note)}),
		Payment: wire.Some(Payment{Charges: wire.Some(Charges{Total: money(ch.Total), SubTotal: money(ch.Subtotal), Tax: money(ch.Tax), Tip: money(ch.CourierTip), BagFee: money(ch.BagFee),
			DeliveryFee: money(ch.DeliveryFee), SmallOrderFee: money(ch.SmallOrderFee), TotalFee: money(ch.BagFee + ch.DeliveryFee + ch.SmallOrderFee + ch.ServiceFee),
			PromoApplied: money(-ch.Discount - ch.PartnerDiscount)})})}
	switch m.Service {
	case "pickup":
		o.Type = "PICK_UP"
	case "dine_in":
		o.Type = "DINE_IN"
	}
	if m.Scheduled {
		o.ScheduledTarget = wire.Some(Range{StartTime: wire.Stamp(m.DeliverAt)})
		o.EstimatedReady = wire.Stamp(m.PickupAt)
	}
	if m.Courier.Name != "" {
		o.Deliveries = wire.List[Delivery]{{FirstName: wire.Text(m.Courier.Name), Phone: wire.Text(m.Courier.Phone)}}
	}
	if ch.PartnerDiscount != 0 {
		o.Payment.V.Promotions = wire.Some(Promotion{wire.List[Promo]{{DiscountValue: wire.Decimal(ch.PartnerDiscount, 0), Bearer: "UBER"}}})
	}
	var due int64
	for _, p := range m.Payments {
		if p.Collect {
			due += p.Amount
		}
	}
	o.Payment.V.Charges.V.CashAmountDue = money(due)
	return o
}

func items(lines []channel.Line, money func(int64) wire.Maybe[Money]) wire.List[Item] {
	list := wire.List[Item]{}
	for i := range lines {
		l := &lines[i]
		list = append(list, Item{ID: wire.Text(l.ID), InstanceID: wire.Text(l.LineID), Title: wire.Text(l.Name), ExternalData: wire.Text(l.SKU), Quantity: wire.Number(strconv.Itoa(l.Quantity)),
			Price: wire.Some(Price{UnitPrice: money(l.Price)}), SpecialInstructions: wire.Text(l.Note), SelectedModifierGroups: groups(l.Modifiers, money)})
	}
	return list
}

func groups(ms []channel.Modifier, money func(int64) wire.Maybe[Money]) wire.List[Group] {
	var list wire.List[Group]
	for i := range ms {
		m := &ms[i]
		x := Item{ID: wire.Text(m.ID), InstanceID: wire.Text(m.LineID), Title: wire.Text(m.Name), ExternalData: wire.Text(m.SKU), Quantity: wire.Number(strconv.Itoa(m.Quantity)),
			Price: wire.Some(Price{UnitPrice: money(m.Price)}), SelectedModifierGroups: groups(m.Modifiers, money)}
		if n := len(list); n > 0 && list[n-1].ID == wire.Text(m.GroupID) {
			list[n-1].SelectedItems = append(list[n-1].SelectedItems, x)
			continue
		}
		list = append(list, Group{ID: wire.Text(m.GroupID), Title: wire.Text(m.Group), SelectedItems: wire.List[Item]{x}})
	}
	return list
}

func state(s channel.Status) wire.Text {
	switch s {
	case channel.Accepted, channel.Prepared, channel.HandedOff:
		return "ACCEPTED"
	case channel.Fulfilled:
		return "FINISHED"
	case channel.Cancelled:
		return "CANCELED"
	case channel.Rejected:
		return "DENIED"
	}
	return "CREATED"
}
