package fias

import (
	"strconv"
	"time"
)

// An Amount is money with two implied decimals: 1050 is 10.50. A currency without decimals still has the two zeros, and none
// is named on the wire (fias.md 2). Discounts are negative.
type Amount int64

// String writes the amount as a person reads it: -10.50.
func (a Amount) String() string {
	b := make([]byte, 0, 24)
	u := uint64(a)
	if a < 0 {
		b, u = append(b, '-'), -u
	}
	b = strconv.AppendUint(b, u/100, 10)
	return string(append(b, '.', byte('0'+u/10%10), byte('0'+u%10)))
}

// maxDigits is how many digits a number may have on the wire and still be read: the longest field has 20 (fias.md 5), and 18
// always fit an int64.
const maxDigits = 18

// parseNumber reads digits with an optional minus; leading zeros and blanks are padding (fias.md 2).
func parseNumber(b []byte) (n int64, ok bool) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	for len(b) > 1 && b[0] == '0' {
		b = b[1:]
	}
	if len(b) > maxDigits {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// parseAmount reads an amount. Without a point it has two implied decimals; with a point, or a comma, as the hotel may send
// CL and BA (fias.md 2, 6.4), it is read as written, and digits beyond the second decimal are rounded half away from zero.
func parseAmount(b []byte) (Amount, bool) {
	for i, c := range b {
		if c != '.' && c != ',' {
			continue
		}
		whole, decimals := b[:i], b[i+1:]
		n, ok := parseNumber(whole)
		negative := len(whole) > 0 && whole[0] == '-'
		if !ok && len(whole) > 0 && !(negative && len(whole) == 1) || len(decimals) > maxDigits || n > 1e15 || n < -1e15 {
			return 0, false
		}
		cents, round := int64(0), false
		for j := range max(len(decimals), 2) {
			d := byte('0')
			if j < len(decimals) {
				d = decimals[j]
			}
			if d < '0' || d > '9' {
				return 0, false
			}
			if j < 2 {
				cents = cents*10 + int64(d-'0')
			}
			round = round || j == 2 && d >= '5'
		}
		if len(whole) == 0 && len(decimals) == 0 {
			return 0, false
		}
		if round {
			cents++
		}
		if negative {
			cents = -cents
		}
		return Amount(n*100 + cents), true
	}
	n, ok := parseNumber(b)
	return Amount(n), ok
}

type date struct {
	year  int
	month time.Month
	day   int
}

// parseDate reads YYMMDD: 69 to 99 are of the last century. The date must exist.
func parseDate(b []byte) (date, bool) {
	n, ok := digits(b, 6)
	if !ok {
		return date{}, false
	}
	d := date{2000 + n/10000, time.Month(n / 100 % 100), n % 100}
	if d.year >= 2069 {
		d.year -= 100
	}
	t := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC)
	return d, t.Month() == d.month && t.Day() == d.day
}

type clock struct{ hour, minute, second int }

// parseClock reads HHMMSS, and HHMM as some send it (fias.md 2).
func parseClock(b []byte) (clock, bool) {
	n, ok := digits(b, 6)
	if !ok {
		if n, ok = digits(b, 4); !ok {
			return clock{}, false
		}
		n *= 100
	}
	c := clock{n / 10000, n / 100 % 100, n % 100}
	return c, c.hour < 24 && c.minute < 60 && c.second < 60
}

// digits reads exactly n digits.
func digits(b []byte, n int) (v int, ok bool) {
	if len(b) != n {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}
