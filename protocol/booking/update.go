package booking

import (
	"fmt"
	"time"
)

// Kind is what an update speaks of.
type Kind string

// Kinds of updates.
const (
	KindStage  Kind = "stage"  // table status: Stage and Tables, Check where the platform takes spend
	KindCheck  Kind = "check"  // what is on the check now
	KindClosed Kind = "closed" // all checks of the party are paid and closed: Check is their sum, Stage is paid
	KindStatus Kind = "status" // staff moved the reservation: Status
	KindTables Kind = "tables" // the party sits elsewhere: Tables
	KindCovers Kind = "covers" // the party is larger: Covers
)

// An Update is one thing a platform is told.
type Update struct {
	Request     string    `json:"request"`     // stays the same in every repetition, with the same content
	Reservation string    `json:"reservation"` // the platform's id
	Venue       string    `json:"venue"`
	Kind        Kind      `json:"kind"`
	Stage       Stage     `json:"stage,omitzero"`
	Status      Status    `json:"status,omitzero"`
	Tables      []string  `json:"tables,omitzero"`
	Covers      int       `json:"covers,omitzero"`
	Check       *Check    `json:"check,omitzero"`
	At          time.Time `json:"at"` // when it happened
}

// Delivered is an update as a platform took it: what simulated platforms keep.
type Delivered struct {
	Update
	TakenAt time.Time `json:"taken_at"`
	Repeats int       `json:"repeats,omitzero"` // how often the same request came again
}

// A Check is what a platform is told of one check, or of all checks of a party together. Amounts are minor units.
type Check struct {
	ID       string    `json:"id"`
	Number   int64     `json:"number"`
	Open     bool      `json:"open"`
	Covers   int       `json:"covers,omitzero"`
	Staff    string    `json:"staff,omitzero"`
	Tables   []string  `json:"tables,omitzero"`
	OpenedAt time.Time `json:"opened_at,omitzero"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	Currency string    `json:"currency"`
	Decimals int       `json:"decimals"` // of the currency: 2 for EUR
	Lines    []Line    `json:"lines,omitzero"`
	Payments []Payment `json:"payments,omitzero"`
	Net      int64     `json:"net"`
	Tax      int64     `json:"tax,omitzero"`
	Service  int64     `json:"service,omitzero"`
	Tip      int64     `json:"tip,omitzero"`
	Discount int64     `json:"discount,omitzero"`
	Total    int64     `json:"total"` // Net, Tax and Service; the tip is not in it
	Paid     int64     `json:"paid"`
	Due      int64     `json:"due"`
}

// A Line is something sold.
type Line struct {
	Name     string `json:"name"`
	SKU      string `json:"sku,omitzero"`
	Group    string `json:"group,omitzero"` // statistic group
	Quantity int    `json:"quantity"`
	Amount   int64  `json:"amount"` // of all of them

	// What a till says besides; platforms are told none of it.
	Course int      `json:"-"`
	Groups []string `json:"-"` // the values of all its statistic categories
}

// A Payment is money taken.
type Payment struct {
	Method string `json:"method"`
	Amount int64  `json:"amount"`
	Tip    int64  `json:"tip,omitzero"`
}

// Decimal writes an amount of minor units as a decimal: Decimal(1250, 2) is "12.50".
func Decimal(minor int64, decimals int) string {
	sign := ""
	u := uint64(minor)
	if minor < 0 {
		sign, u = "-", -u
	}
	if decimals <= 0 {
		return fmt.Sprintf("%s%d", sign, u)
	}
	unit := uint64(1)
	for range decimals {
		unit *= 10
	}
	return fmt.Sprintf("%s%d.%0*d", sign, u/unit, decimals, u%unit)
}
