package wire

import (
	"fmt"
	"math"
	"strings"

	"aboyeur/protocol/channel"
)

// Settle finds out what the prices of lines are per, where an aggregator does not say, by which reading makes their sum the
// subtotal (spec/delivery.md 5.4): per unit, as it is taken when both or neither do, or per line, with each modifier's price
// that of all its pieces. Prices are per unit afterwards. What fits no reading is told in words of a person; "" when all is
// well.
func Settle(lines []channel.Line, subtotal int64, decimals int) (unsure string) {
	perUnit := Sum(lines)
	if perUnit == subtotal {
		return ""
	}
	perLine := sum(lines, true)
	if perLine != subtotal {
		return fmt.Sprintf("the lines make %s, the subtotal is %s", Decimal(perUnit, decimals), Decimal(subtotal, decimals))
	}
	var uneven []string
	for i := range lines {
		l := &lines[i]
		even := divide(&l.Price, l.Quantity)
		if !spread(l.Modifiers, l.Quantity) || !even {
			uneven = append(uneven, l.Name)
		}
	}
	if len(uneven) == 0 {
		return ""
	}
	return "prices are per line and do not divide by the quantity: " + strings.Join(uneven, ", ")
}

// Sum is what lines cost whose prices are per unit.
func Sum(lines []channel.Line) int64 { return sum(lines, false) }

func sum(lines []channel.Line, whole bool) int64 {
	var total int64
	for i := range lines {
		l := &lines[i]
		if whole {
			total = plus(total, plus(l.Price, sumModifiers(l.Modifiers, true)))
			continue
		}
		total = plus(total, times(l.Quantity, plus(l.Price, sumModifiers(l.Modifiers, false))))
	}
	return total
}

func sumModifiers(ms []channel.Modifier, whole bool) int64 {
	var total int64
	for i := range ms {
		m := &ms[i]
		if whole {
			total = plus(total, plus(m.Price, sumModifiers(m.Modifiers, true)))
			continue
		}
		total = plus(total, times(m.Quantity, plus(m.Price, sumModifiers(m.Modifiers, false))))
	}
	return total
}

// spread makes the modifiers' prices per piece; there are so many of what they hang on.
func spread(ms []channel.Modifier, of int) (even bool) {
	even = true
	for i := range ms {
		m := &ms[i]
		n := int(min(times(of, int64(m.Quantity)), math.MaxInt32))
		even = divide(&m.Price, n) && even
		even = spread(m.Modifiers, n) && even
	}
	return even
}

// divide makes a price that of one of n pieces, and tells whether it is exact.
func divide(price *int64, n int) bool {
	if n < 1 {
		return true
	}
	even := *price%int64(n) == 0
	*price /= int64(n)
	return even
}

// plus and times stay within half of what an int64 holds: what is absurd already must not become plausible by wrapping.
func plus(a, b int64) int64 { return clamp(float64(a)+float64(b), a+b) }

func times(n int, amount int64) int64 { return clamp(float64(n)*float64(amount), int64(n)*amount) }

func clamp(about float64, exact int64) int64 {
	switch {
	case about > math.MaxInt64/2:
		return math.MaxInt64 / 2
	case about < -math.MaxInt64/2:
		return -math.MaxInt64 / 2
	}
	return exact
}

// currencies are the codes of ISO 4217 for money that people pay with.
const currencies = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP " +
	"CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS " +
	"KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB " +
	"PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS " +
	"UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// Currency reads a currency code. known is false for three letters that no country has; what is not three letters is an
// error.
func Currency(t Text) (code string, known bool, err error) {
	code = strings.ToUpper(strings.TrimSpace(string(t)))
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", false, fmt.Errorf("is %.20q; a currency is three letters, as in EUR", string(t))
	}
	return code, strings.Contains(currencies, " "+code+" "), nil
}
