package ohip

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Decimal is a number as JSON writes it: no binary fraction is ever made of money.
type Decimal string

// FormatMinor writes minor units with exactly the decimals of their currency: FormatMinor(-50, 2) is -0.50.
func FormatMinor(minor int64, decimals int) Decimal {
	u := uint64(minor)
	sign := ""
	if minor < 0 {
		u, sign = -u, "-"
	}
	s := strconv.FormatUint(u, 10)
	if decimals > 0 {
		if len(s) <= decimals {
			s = strings.Repeat("0", decimals+1-len(s)) + s
		}
		s = s[:len(s)-decimals] + "." + s[len(s)-decimals:]
	}
	return Decimal(sign + s)
}

// Minor is d in minor units of a currency with that many decimals. Further decimals that are not zero are an error.
func (d Decimal) Minor(decimals int) (int64, error) {
	s := strings.TrimSpace(string(d))
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n < -30 || n > 30 {
			return 0, fmt.Errorf("amount %.40q is not a number", s)
		}
		mantissa, exp = s[:i], n
	}
	negative := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimPrefix(strings.TrimPrefix(mantissa, "-"), "+")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || len(digits) > 60 || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("amount %.40q is not a number", s)
	}
	point := len(whole) + exp + decimals // digits before it are minor units
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	if strings.Trim(digits[point:], "0") != "" {
		return 0, fmt.Errorf("amount %.40s has more than %d decimals", s, decimals)
	}
	digits = strings.TrimLeft(digits[:point], "0")
	if digits == "" {
		return 0, nil
	}
	u, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || u > math.MaxInt64 {
		return 0, fmt.Errorf("amount %.40s is too large", s)
	}
	if negative {
		return -int64(u), nil
	}
	return int64(u), nil
}

// MarshalJSONTo writes the number.
func (d Decimal) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(jsontext.Value(d))
}

// UnmarshalJSONFrom takes a number, or one in a string.
func (d *Decimal) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case '0':
		*d = Decimal(v)
		return nil
	case '"':
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return err
		}
		number := jsontext.Value(strings.TrimPrefix(strings.TrimSpace(string(s)), "+"))
		if number.Kind() != '0' || !number.IsValid() {
			return fmt.Errorf("amount %.40q is not a number", s)
		}
		*d = Decimal(number)
		return nil
	case 'n':
		*d = ""
		return nil
	}
	return errors.New("an amount that is neither number nor text")
}

// decimals of the ISO 4217 currencies that do not have two.
var decimals = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Decimals is how many decimals currency has by ISO 4217.
func Decimals(currency string) int {
	if n, ok := decimals[currency]; ok {
		return n
	}
	return 2
}
