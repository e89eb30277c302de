// Package money computes with integer minor units (cents, yen, fils): how an amount is shared out so that the shares add
// up, and how amounts are read from and written to other systems. Nothing here is ever a float (design.md, "Money, time,
// text"). How people read an amount is the business of bridge/words.
package money

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Max is the largest amount this box handles: fifteen digits, what the hotel's own fields hold (spec/fias.md 5).
const Max = 999_999_999_999_999

// Split shares total out in the proportion of parts, by largest remainder: the shares add up to total exactly, and
// each is the exact proportion rounded down or up. With total between zero and the sum of the parts, no share exceeds
// its part or has another sign, as long as the parts that count against the sum (discounts) do not outweigh it. Equal
// remainders favour the part that stands first. Parts whose sum is zero, or
// next to nothing beside them, take nothing; all goes to the first part.
func Split(total int64, parts []int64) []int64 {
	shares := make([]int64, len(parts))
	if len(parts) == 0 {
		return shares
	}
	var sum int64
	for _, p := range parts {
		sum += p
	}
	if sum == 0 {
		shares[0] = total
		return shares
	}
	if sum < 0 {
		// The same proportion, turned round, so that there is one way of rounding.
		flipped := make([]int64, len(parts))
		for i, p := range parts {
			flipped[i] = -p
		}
		return Split(total, flipped)
	}
	type rest struct {
		at  int
		rem uint64
	}
	rests := make([]rest, len(parts))
	left := total
	for i, p := range parts {
		share, rem, fits := floorMulDiv(p, total, sum)
		if !fits {
			clear(shares)
			shares[0] = total
			return shares
		}
		shares[i], rests[i] = share, rest{i, rem}
		left -= share
	}
	slices.SortStableFunc(rests, func(a, b rest) int { return cmp.Compare(b.rem, a.rem) })
	for i := range left { // fewer than there are parts, since each floor lost less than one
		shares[rests[i].at]++
	}
	return shares
}

// floorMulDiv is a*b/c rounded down, and the remainder, with the product in 128 bits; c is above zero. It tells whether
// the result fits.
func floorMulDiv(a, b, c int64) (int64, uint64, bool) {
	negative := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(abs(a), abs(b))
	if hi >= uint64(c) {
		return 0, 0, false
	}
	q, r := bits.Div64(hi, lo, uint64(c))
	switch {
	case q > 1<<62:
		return 0, 0, false
	case !negative:
		return int64(q), r, true
	case r == 0:
		return -int64(q), 0, true
	}
	return -int64(q) - 1, uint64(c) - r, true
}

func abs(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Decimals tells how many digits a currency has after the point: 2 for most, 0 for yen, 3 for dinars (ISO 4217).
func Decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// ErrAmount reports text that is no amount.
var ErrAmount = errors.New("is not an amount; write digits with at most one point, as in 12.50")

// Parse reads a decimal number ("12.5", "-3", "1077.00") as minor units of a currency with that many decimals. Digits
// beyond them are an error unless they are zeros: money is not rounded in passing.
func Parse(s string, decimals int) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, part, point := strings.Cut(digits, ".")
	if whole == "" && part == "" || point && part == "" && whole == "" {
		return 0, ErrAmount
	}
	if len(part) > decimals {
		if strings.Trim(part[decimals:], "0") != "" {
			return 0, ErrAmount
		}
		part = part[:decimals]
	}
	part += strings.Repeat("0", decimals-len(part))
	var n int64
	for _, c := range []byte(whole + part) {
		if c < '0' || c > '9' {
			return 0, ErrAmount
		}
		if n > (math.MaxInt64-9)/10 {
			return 0, ErrAmount
		}
		n = n*10 + int64(c-'0')
	}
	if n > Max {
		return 0, ErrAmount
	}
	if negative {
		n = -n
	}
	return n, nil
}

// Format writes minor units as a decimal number for other programs: 1250 is "12.50", with no decimals "1250".
func Format(minor int64, decimals int) string {
	s := strconv.FormatUint(abs(minor), 10)
	if len(s) <= decimals {
		s = strings.Repeat("0", decimals+1-len(s)) + s
	}
	if decimals > 0 {
		s = s[:len(s)-decimals] + "." + s[len(s)-decimals:]
	}
	if minor < 0 {
		s = "-" + s
	}
	return s
}
