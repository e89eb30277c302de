package ohip

import "github.com/go-json-experiment/json/jsontext"

// What goes over the wire, for both sides of it. Names are those of Oracle's OpenAPI documents (cashiering 25.5).

// Money is CurrencyAmountType.
type Money struct {
	Amount       Decimal `json:"amount"`
	CurrencyCode string  `json:"currencyCode,omitzero"`
}

// ID is UniqueIDType.
type ID struct {
	ID   string `json:"id"`
	Type string `json:"type,omitzero"`
}

// ChargesRequest is the body of postBillingCharges.
type ChargesRequest struct {
	Criteria Criteria `json:"criteria"`
}

// Criteria is BillingChargesCriteriaType, and PasserByCriteriaType with its payments.
type Criteria struct {
	HotelID         string         `json:"hotelId"`
	Charges         []Charge       `json:"charges"`
	Payments        []Payment      `json:"payments,omitzero"`
	ReservationID   *ID            `json:"reservationId,omitzero"`
	IncomeAuditDate string         `json:"incomeAuditDate,omitzero"`
	PostIt          *bool          `json:"postIt,omitzero"`
	CashierID       jsontext.Value `json:"cashierId,omitzero"`
}

// Charge is ChargeCriteriaType.
type Charge struct {
	TransactionCode          string         `json:"transactionCode"`
	ArticleCode              string         `json:"articleCode,omitzero"`
	Price                    Money          `json:"price"`
	PostingQuantity          int            `json:"postingQuantity"`
	PostingReference         string         `json:"postingReference,omitzero"`
	PostingRemark            string         `json:"postingRemark,omitzero"`
	CheckNumber              string         `json:"checkNumber,omitzero"`
	Covers                   int            `json:"covers,omitzero"`
	ApplyRoutingInstructions *bool          `json:"applyRoutingInstructions,omitzero"`
	UsePackageAllowance      *bool          `json:"usePackageAllowance,omitzero"`
	AutoPosting              *bool          `json:"autoPosting,omitzero"`
	FolioWindowNo            int            `json:"folioWindowNo,omitzero"`
	CashierID                jsontext.Value `json:"cashierId,omitzero"`
}

// Payment is PaymentCriteriaType, as far as a passer-by's sale needs it.
type Payment struct {
	PaymentMethod    PaymentMethod  `json:"paymentMethod"`
	PostingAmount    Money          `json:"postingAmount"`
	PostingReference string         `json:"postingReference,omitzero"`
	PostingRemark    string         `json:"postingRemark,omitzero"`
	FolioWindowNo    int            `json:"folioWindowNo,omitzero"`
	CashierID        jsontext.Value `json:"cashierId,omitzero"`
}

// PaymentMethod names a tender by OPERA's code.
type PaymentMethod struct {
	PaymentMethod string `json:"paymentMethod"`
}

// Problem is ExceptionDetailType, the body of refusals.
type Problem struct {
	Type    string    `json:"type,omitzero"`
	Title   string    `json:"title,omitzero"`
	Status  int       `json:"status,omitzero"`
	Detail  string    `json:"detail,omitzero"`
	Code    string    `json:"o:errorCode,omitzero"`
	Details []Problem `json:"o:errorDetails,omitzero"`
}

// Reservations is the answer of getHotelReservations (reservationInfo) and of getReservation (reservation).
type Reservations struct {
	Reservations struct {
		Info         []jsontext.Value `json:"reservationInfo,omitzero"`
		Reservation  []jsontext.Value `json:"reservation,omitzero"`
		TotalResults int              `json:"totalResults,omitzero"`
		Offset       int              `json:"offset,omitzero"`
		Limit        int              `json:"limit,omitzero"`
		HasMore      bool             `json:"hasMore,omitzero"`
	} `json:"reservations"`
}
