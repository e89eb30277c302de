package deliverect

import (
	"strconv"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// FromOrder is an order as Deliverect tells it, for whoever plays Deliverect. number is the channel's, status the order's.
func FromOrder(m *channel.Order, location, account, number string, status int) Order {
	n := func(minor int64) wire.Number { return wire.Decimal(minor, 0) }
	asap := wire.Bool(!m.Scheduled)
	ch := &m.Charges
	o := Order{ID: wire.Text(m.AggregatorID), Created: wire.Stamp(m.PlacedAt), Location: wire.Text(location), Account: wire.Text(account), Channel: wire.Text(number), ChannelOrderID: wire.Text(m.ID),
		ChannelOrderDisplayID: wire.Text(m.FriendlyID), Status: n(int64(status)), OrderType: "2", PickupTime: wire.Stamp(m.PickupAt), EstimatedPickupTime: wire.Stamp(m.EstimatedPickupAt),
		DeliveryTime: wire.Stamp(m.DeliverAt), DeliveryIsAsap: &asap, Table: wire.Text(m.Table), Note: wire.Text(m.Note), DecimalDigits: n(int64(m.Decimals)),
		Customer: wire.Some(Customer{Name: wire.Text(m.Customer.Name), PhoneNumber: wire.Text(m.Customer.Phone), PhoneAccessCode: wire.Text(m.Customer.Code), Email: wire.Text(m.Customer.Email)}),
		Courier:  wire.Some(Courier{FirstName: wire.Text(m.Courier.Name), PhoneNumber: wire.Text(m.Courier.Phone)}),
		Payment:  wire.Some(Payment{Amount: n(ch.Total), Type: "0"}), OrderIsAlreadyPaid: true, DiscountTotal: n(-ch.Discount - ch.PartnerDiscount), DeliveryCost: n(ch.DeliveryFee),
		ServiceCharge: n(ch.ServiceFee), BagFee: n(ch.BagFee), Tip: n(ch.Tip), DriverTip: n(ch.CourierTip), TaxTotal: n(ch.Tax), TestOrder: wire.Bool(m.Test), Items: fromLines(m.Lines)}
	switch m.Service {
	case "pickup":
		o.OrderType = "1"
	case "dine_in":
		o.OrderType = "3"
	}
	if m.Covers > 0 {
		o.NumberOfCustomers = n(int64(m.Covers))
	}
	for _, d := range []struct {
		provider wire.Text
		amount   int64
	}{{"restaurant", ch.Discount}, {"channel", ch.PartnerDiscount}} {
		if d.amount != 0 {
			o.Discounts = append(o.Discounts, Discount{Name: "Discount", Provider: d.provider, Amount: n(d.amount)})
		}
	}
	var due int64
	for _, p := range m.Payments {
		switch p.Method {
		case "cash":
			o.Payment.V.Type = "1"
		case "other":
			o.Payment.V.Type = "9"
		}
		if p.Collect {
			due += p.Amount
			o.OrderIsAlreadyPaid = false
		}
	}
	o.Payment.V.Due = n(due)
	return o
}

func fromLines(lines []channel.Line) wire.List[Item] {
	var items wire.List[Item]
	for i := range lines {
		l := &lines[i]
		items = append(items, Item{PLU: wire.Text(l.SKU), Name: wire.Text(l.Name), Remark: wire.Text(l.Note), Quantity: wire.Number(strconv.Itoa(l.Quantity)), Price: wire.Decimal(l.Price, 0),
			SubItems: fromModifiers(l.Modifiers)})
	}
	return items
}

func fromModifiers(ms []channel.Modifier) wire.List[Item] {
	var items wire.List[Item]
	for i := range ms {
		m := &ms[i]
		items = append(items, Item{PLU: wire.Text(m.SKU), Name: wire.Text(m.Name), Quantity: wire.Number(strconv.Itoa(m.Quantity)), Price: wire.Decimal(m.Price, 0), SubItems: fromModifiers(m.Modifiers)})
	}
	return items
}
