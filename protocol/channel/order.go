package channel

import "time"

// An Order is one order of a marketplace as its aggregator tells of it (spec/delivery.md 1). Texts are as they came: whoever
// keeps them checks them. Money is minor units of Currency, read from the text of the numbers.
type Order struct {
	Aggregator   string `json:"aggregator"`
	Partner      string `json:"partner"`              // display name, "Uber Eats"
	Slug         string `json:"slug"`                 // of the marketplace, "ubereats"
	ID           string `json:"id"`                   // the partner's long id: with Slug the key of the order, for ever
	FriendlyID   string `json:"friendly_id,omitzero"` // what the courier says
	AggregatorID string `json:"aggregator_id,omitzero"`
	Status       Status `json:"status,omitzero"`

	Service           string        `json:"service"` // delivery, pickup, dine_in
	Scheduled         bool          `json:"scheduled,omitzero"`
	PlacedAt          time.Time     `json:"placed_at,omitzero"`
	PickupAt          time.Time     `json:"pickup_at,omitzero"`
	EstimatedPickupAt time.Time     `json:"estimated_pickup_at,omitzero"`
	DeliverAt         time.Time     `json:"deliver_at,omitzero"`
	Prep              time.Duration `json:"prep,omitzero,format:nano"`
	AcceptBy          time.Time     `json:"accept_by,omitzero"` // the partner cancels an order that nobody accepted by then
	Table             string        `json:"table,omitzero"`
	Covers            int           `json:"covers,omitzero"`

	Customer    Customer  `json:"customer,omitzero"`
	Courier     Courier   `json:"courier,omitzero"`
	Note        string    `json:"note,omitzero"`
	AllergyNote string    `json:"allergy_note,omitzero"`
	Currency    string    `json:"currency"`
	Decimals    int       `json:"decimals"` // minor units of Currency in one major one, as digits: 2 for EUR
	Lines       []Line    `json:"lines,omitzero"`
	Charges     Charges   `json:"charges,omitzero"`
	Payments    []Payment `json:"payments,omitzero"`
	Test        bool      `json:"test,omitzero"`
	Unsure      []string  `json:"unsure,omitzero"` // what fitted no reading, in words of a person: "lines make 12.50, the subtotal is 14.00"
}

// Ref names the order on the wire of its aggregator.
func (o *Order) Ref() Ref {
	return Ref{Slug: o.Slug, ID: o.ID, FriendlyID: o.FriendlyID, Resource: o.AggregatorID}
}

// A Line is one item of an order. Quantity and the modifiers' quantities are as they came; Price is per unit.
type Line struct {
	ID         string     `json:"id,omitzero"`      // the aggregator's id of the item
	LineID     string     `json:"line_id,omitzero"` // of this line
	SKU        string     `json:"sku,omitzero"`     // the POS id, where the menu carries it
	Name       string     `json:"name"`
	Category   string     `json:"category,omitzero"`
	CategoryID string     `json:"category_id,omitzero"`
	Note       string     `json:"note,omitzero"`
	Quantity   int        `json:"quantity"`
	Price      int64      `json:"price,omitzero"`
	Modifiers  []Modifier `json:"modifiers,omitzero"`
}

// A Modifier is one choice on a line or on another modifier. Its quantity multiplies with what it hangs on.
type Modifier struct {
	ID        string     `json:"id,omitzero"`
	LineID    string     `json:"line_id,omitzero"`
	SKU       string     `json:"sku,omitzero"`
	Name      string     `json:"name"`
	Group     string     `json:"group,omitzero"`
	GroupID   string     `json:"group_id,omitzero"`
	Quantity  int        `json:"quantity"`
	Price     int64      `json:"price,omitzero"`
	Modifiers []Modifier `json:"modifiers,omitzero"`
}

// Charges is what the guest paid and who bears what. Tip is the restaurant's and zero unless TipSeparate, because a tip that
// is not told apart may be the courier's.
type Charges struct {
	Subtotal        int64 `json:"subtotal,omitzero"`
	Discount        int64 `json:"discount,omitzero"`         // borne by the restaurant
	PartnerDiscount int64 `json:"partner_discount,omitzero"` // borne by the marketplace
	Tax             int64 `json:"tax,omitzero"`
	Tip             int64 `json:"tip,omitzero"`
	CourierTip      int64 `json:"courier_tip,omitzero"`
	DeliveryFee     int64 `json:"delivery_fee,omitzero"`
	ServiceFee      int64 `json:"service_fee,omitzero"`
	SmallOrderFee   int64 `json:"small_order_fee,omitzero"`
	PackagingFee    int64 `json:"packaging_fee,omitzero"`
	BagFee          int64 `json:"bag_fee,omitzero"`
	Total           int64 `json:"total,omitzero"`
	TipSeparate     bool  `json:"tip_separate,omitzero"`
}

// A Payment is what was paid on line, or what has to be collected.
type Payment struct {
	Amount  int64  `json:"amount"`
	Method  string `json:"method,omitzero"`  // lower case: cash card other
	Collect bool   `json:"collect,omitzero"` // not paid yet
}

// Customer is who ordered: personal data, kept only as long as the venue keeps it.
type Customer struct {
	Name  string `json:"name,omitzero"`
	Phone string `json:"phone,omitzero"`
	Code  string `json:"code,omitzero"` // that goes with the phone number
	Email string `json:"email,omitzero"`
}

// Courier is who fetches the order, as far as it is known.
type Courier struct {
	Name    string `json:"name,omitzero"`
	Phone   string `json:"phone,omitzero"`
	Status  string `json:"status,omitzero"` // assigned on_route arrived picked_up completed
	Vehicle string `json:"vehicle,omitzero"`
}

// Status says where an order stands for its aggregator. Only its rank is compared: events come late, twice and out of order
// (spec/delivery.md 2.5).
type Status string

// The statuses, in the order of an evening. Cancelled and Rejected are ends from anywhere.
const (
	New       Status = "new"
	Accepted  Status = "accepted"
	Prepared  Status = "prepared"
	HandedOff Status = "handed_off"
	Fulfilled Status = "fulfilled"
	Cancelled Status = "cancelled"
	Rejected  Status = "rejected"
)

// Rank is 0 for what is no status, and rises.
func (s Status) Rank() int {
	switch s {
	case New:
		return 1
	case Accepted:
		return 2
	case Prepared:
		return 3
	case HandedOff:
		return 4
	case Fulfilled:
		return 5
	case Cancelled, Rejected:
		return 6
	}
	return 0
}
