package words

import (
	"strconv"
	"strings"
	"time"
)

// Spaces that French puts into numbers: one that does not break a line.
const (
	thinSpace = "\u202f" // between thousands
	hardSpace = "\u00a0" // before a unit
)

// Number writes an integer with the language's thousands: 12,345 or 12 345.
func (c *Catalogue) Number(n int64) string {
	sign := ""
	digits := strconv.FormatInt(n, 10)
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	return sign + c.group(digits)
}

func (c *Catalogue) group(digits string) string {
	sep := ","
	if c.lang == "fr" {
		sep = thinSpace
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + sep + digits[i:]
	}
	return digits
}

// Decimals of the currencies that do not have two (ISO 4217).
var decimals = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Money writes an amount of minor units as the language does: €12.50 in English for the currencies with a sign that
// everyone knows, CHF 12.50 for others; 12,50 € in French.
func (c *Catalogue) Money(minor int64, currency string) string {
	n, known := decimals[currency]
	if !known {
		n = 2
	}
	sign := ""
	digits := strconv.FormatInt(minor, 10)
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for len(digits) <= n {
		digits = "0" + digits
	}
	whole, part := digits[:len(digits)-n], digits[len(digits)-n:]
	text := c.group(whole)
	if n > 0 {
		point := "."
		if c.lang == "fr" {
			point = ","
		}
		text += point + part
	}
	symbol := map[string]string{"EUR": "€", "GBP": "£", "USD": "$"}[currency]
	if c.lang == "fr" {
		if symbol == "" {
			symbol = currency
		}
		return sign + text + hardSpace + symbol
	}
	if symbol == "" {
		return sign + currency + hardSpace + text
	}
	return sign + symbol + text
}

// Time writes the hour and minute of t in t's own zone: 20:45 in both languages, as kitchens write it.
func (c *Catalogue) Time(t time.Time) string { return t.Format("15:04") }

// Date writes a day: Sat 21 November 2026, samedi 21 novembre 2026 in short form (sam. 21 nov. 2026).
func (c *Catalogue) Date(t time.Time) string {
	if c.lang == "fr" {
		return frenchDays[t.Weekday()] + " " + strconv.Itoa(t.Day()) + " " + frenchMonths[t.Month()-1] + " " + strconv.Itoa(t.Year())
	}
	return t.Format("Mon 2 Jan 2006")
}

var (
	frenchDays   = [...]string{"dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."}
	frenchMonths = [...]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."}
)
