package receipt

import (
	"strconv"
	"time"

	"aboyeur/bridge/money"
)

// A Paper is what a bill or a receipt tells. Amounts are minor units of Currency, taxes included in prices.
type Paper struct {
	Venue    Venue
	Number   string // of the check, or of the receipt where the law numbers them
	Table    string
	Covers   int
	Staff    string
	At       time.Time
	Currency string // ISO 4217
	Lines    []Line
	Taxes    []Tax // TaxesOf(Lines) where nobody knows better
	Payments []Payment
	Total    int64
	Tips     int64
	Balance  int64  // still to pay
	Change   int64  // given back
	Copy     int    // 0 the original, then 1, 2 …: DUPLICATA
	Link     string // for the QR code
	Room     string // the hotel room it was charged to
	Guest    string
}

// Venue is whose paper it is.
type Venue struct {
	Name    string
	Address []string
	Phone   string
	TaxID   string // SIRET, VAT number
}

// Line is a thing sold. Amount is for all of Quantity.
type Line struct {
	Quantity int
	Name     string
	Notes    []string // modifiers worth a line
	Amount   int64
	Rate     int // of tax, in hundredths of a per cent: 1000 is 10 %
}

// Tax is what one rate makes of the total.
type Tax struct {
	Rate   int   // hundredths of a per cent
	Net    int64 // without tax
	Amount int64 // the tax
}

// Payment is money taken. Amount is without the tip.
type Payment struct {
	Name        string
	Amount, Tip int64
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
