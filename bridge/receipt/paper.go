package receipt

import (
	"strconv"
	"time"

	"aboyeur/bridge/money"
)

// A Paper is what a bill or a receipt tells. Amounts are minor units of Currency, taxes included in prices.
type Paper struct {
	Venue    Venue     `json:"venue"`
	Number   string    `json:"number,omitzero"` // of the check, or of the receipt where the law numbers them
	Table    string    `json:"table,omitzero"`
	Covers   int       `json:"covers,omitzero"`
	Staff    string    `json:"staff,omitzero"`
	At       time.Time `json:"at"`
	Currency string    `json:"currency"` // ISO 4217
	Lines    []Line    `json:"lines"`
	Taxes    []Tax     `json:"taxes,omitzero"` // TaxesOf(Lines) where nobody knows better
	Payments []Payment `json:"payments,omitzero"`
	Total    int64     `json:"total"`
	Tips     int64     `json:"tips,omitzero"`
	Balance  int64     `json:"balance,omitzero"` // still to pay
	Change   int64     `json:"change,omitzero"`  // given back
	Copy     int       `json:"-"`                // 0 the original, then 1, 2 …: DUPLICATA
	Link     string    `json:"link,omitzero"`    // for the QR code
	Room     string    `json:"room,omitzero"`    // the hotel room it was charged to
	Guest    string    `json:"guest,omitzero"`
}

// Venue is whose paper it is.
type Venue struct {
	Name    string   `json:"name"`
	Address []string `json:"address,omitzero"`
	Phone   string   `json:"phone,omitzero"`
	TaxID   string   `json:"tax_id,omitzero"` // SIRET, VAT number
	Header  []string `json:"header,omitzero"` // lines above the figures
	Footer  []string `json:"footer,omitzero"` // lines at the end
}

// Line is a thing sold. Amount is for all of Quantity.
type Line struct {
	Quantity int      `json:"quantity"`
	Name     string   `json:"name"`
	Notes    []string `json:"notes,omitzero"` // modifiers worth a line
	Amount   int64    `json:"amount"`
	Rate     int      `json:"rate,omitzero"` // of tax, in hundredths of a per cent: 1000 is 10 %
}

// Tax is what one rate makes of the total.
type Tax struct {
	Rate   int   `json:"rate"`   // hundredths of a per cent
	Net    int64 `json:"net"`    // without tax
	Amount int64 `json:"amount"` // the tax
}

// Payment is money taken. Amount is without the tip.
type Payment struct {
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
	Tip    int64  `json:"tip,omitzero"`
}

// TaxesOf finds the taxes that the amounts of lines contain, a rate each in the order in which they first come. Net and
// tax of a rate add up to its lines exactly.
func TaxesOf(lines []Line) []Tax {
	var list []Tax
	gross := map[int]int64{}
	for _, l := range lines {
		if _, ok := gross[l.Rate]; !ok {
			list = append(list, Tax{Rate: l.Rate})
		}
		gross[l.Rate] += l.Amount
	}
	for i := range list {
		t := &list[i]
		shares := money.Split(gross[t.Rate], []int64{100_00, int64(max(t.Rate, 0))})
		t.Net, t.Amount = shares[0], shares[1]
	}
	return list
}

// percent writes a rate without needless zeros: 5.5, 10.
func percent(rate int, point string) string {
	s := strconv.Itoa(rate / 100)
	if rest := rate % 100; rest != 0 {
		digits := strconv.Itoa(100 + rest)[1:]
		if digits[1] == '0' {
			digits = digits[:1]
		}
		s += point + digits
	}
	return s
}
