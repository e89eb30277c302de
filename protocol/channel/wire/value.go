package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/channel"
)

// lenient is how webhooks and answers are read: members that are not known are passed over, of doubled ones the last counts,
// broken text becomes the replacement character. The signature was checked over the bytes before.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Read decodes a webhook or a part of it that stands at the pointer base. The error is a *channel.Malformed.
func Read(base string, body []byte, v any) error {
	err := json.Unmarshal(body, v, lenient)
	if err == nil {
		return nil
	}
	fault := channel.Fault{Pointer: base, Detail: "is not JSON"}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic):
		fault.Pointer, fault.Detail = base+string(semantic.JSONPointer), "has the wrong type"
	case errors.As(err, &syntactic):
		fault.Pointer += string(syntactic.JSONPointer)
		if syntactic.Err != nil {
			fault.Detail = syntactic.Err.Error()
		}
	}
	return &channel.Malformed{Faults: []channel.Fault{fault}}
}

// Faults gathers what is wrong with a message, at most MaxFaults.
type Faults []channel.Fault

// MaxFaults bounds Faults: who sent a thousand wrong lines learns nothing from the last nine hundred.
const MaxFaults = 20

// Add notes a fault.
func (f *Faults) Add(pointer, format string, args ...any) {
	if len(*f) < MaxFaults {
		*f = append(*f, channel.Fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

// Err is the faults as a *channel.Malformed, nil when there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return &channel.Malformed{Faults: f}
}

// Text is a string that some write as a number or leave null. Anything else counts as nothing.
type Text string

// UnmarshalJSONFrom reads any value.
func (t *Text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '"':
		k, err := d.ReadToken()
		if err != nil {
			return err
		}
		*t = Text(k.String())
		return nil
	case '0':
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		*t = Text(v)
		return nil
	}
	*t = ""
	return d.SkipValue()
}

// Number is the text of a JSON number, or of a string that holds one; "" for anything else. It is not checked: Amount and
// Whole do.
type Number string

// UnmarshalJSONFrom reads any value.
func (n *Number) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var t Text
	if err := t.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	*n = Number(strings.TrimSpace(string(t)))
	return nil
}

// MarshalJSONTo writes a number; null for none.
func (n Number) MarshalJSONTo(e *jsontext.Encoder) error {
	if n == "" {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteValue(jsontext.Value(n))
}

// Bool is true or false, also as a text; anything else is false.
type Bool bool

// UnmarshalJSONFrom reads any value.
func (b *Bool) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case 't', '"':
		k, err := d.ReadToken()
		if err != nil {
			return err
		}
		*b = Bool(k.Kind() == 't' || strings.EqualFold(k.String(), "true"))
		return nil
	}
	*b = false
	return d.SkipValue()
}

// Maybe is an object that may be missing, null or something else altogether: only an object counts.
type Maybe[T any] struct{ V *T }

// UnmarshalJSONFrom reads any value.
func (m *Maybe[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	m.V = nil
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	m.V = new(T)
	return json.UnmarshalDecode(d, m.V)
}

// MarshalJSONTo writes the object, or null.
func (m Maybe[T]) MarshalJSONTo(e *jsontext.Encoder) error { return json.MarshalEncode(e, m.V) }

// IsZero lets omitzero leave it out.
func (m Maybe[T]) IsZero() bool { return m.V == nil }

// Or is the object, or an empty one.
func (m Maybe[T]) Or() T {
	if m.V == nil {
		var none T
		return none
	}
	return *m.V
}

// A Some is a Maybe of v.
func Some[T any](v T) Maybe[T] { return Maybe[T]{&v} }

// List is an array whose elements may be null, or that is itself null or something else. What is no object is left out.
type List[T any] []T

// UnmarshalJSONFrom reads any value.
func (l *List[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = nil
	if d.PeekKind() != '[' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if d.PeekKind() != '{' {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		*l = append(*l, *new(T))
		if err := json.UnmarshalDecode(d, &(*l)[len(*l)-1]); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// MaxAmount bounds an amount, in minor units: beyond it is a slip of a pen.
const MaxAmount = 1 << 40

// Amount reads a decimal into minor units from its text, never through binary floating point. More digits than the currency
// has are rounded half away from zero, and exact is false unless they are zeros: what somebody's floating point left behind
// must not lose an order. "" is 0.
func Amount(n Number, decimals int) (minor int64, exact bool, err error) {
	if n == "" {
		return 0, true, nil
	}
	s := string(n)
	wrong := func() (int64, bool, error) { return 0, false, fmt.Errorf("%.40q is not an amount", s) }
	digits, negative := strings.CutPrefix(s, "-")
	shift := 0
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		e, err := strconv.Atoi(strings.TrimPrefix(digits[i+1:], "+"))
		if err != nil || e < -maxExponent || e > maxExponent {
			return wrong()
		}
		digits, shift = digits[:i], e
	}
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || len(whole)+len(fraction) > maxDigits {
		return wrong()
	}
	mantissa := whole + fraction
	for i := range len(mantissa) {
		if mantissa[i] < '0' || mantissa[i] > '9' {
			return wrong()
		}
	}
	// The point of the minor units stands after this many digits of the mantissa.
	at := len(whole) + shift + decimals
	exact = true
	var up bool
	switch {
	case at >= len(mantissa):
		zeros := at - len(mantissa)
		if strings.Trim(mantissa, "0") == "" {
			return 0, true, nil
		}
		if zeros > maxDigits {
			return wrong()
		}
		mantissa += strings.Repeat("0", zeros)
	case at < 0:
		exact = strings.Trim(mantissa, "0") == ""
		mantissa = ""
	default:
		exact = strings.Trim(mantissa[at:], "0") == ""
		up = mantissa[at] >= '5'
		mantissa = mantissa[:at]
	}
	for i := range len(mantissa) {
		minor = minor*10 + int64(mantissa[i]-'0')
		if minor > MaxAmount {
			return wrong()
		}
	}
	if up {
		minor++
	}
	if negative {
		minor = -minor
	}
	return minor, exact, nil
}

const (
	maxDigits   = 64 // of an amount as it is written
	maxExponent = 64
)

// Decimal writes minor units as a JSON number: Decimal(1250, 2) is 12.50.
func Decimal(minor int64, decimals int) Number {
	sign := ""
	u := uint64(minor)
	if minor < 0 {
		sign, u = "-", -u
	}
	s := strconv.FormatUint(u, 10)
	if decimals <= 0 {
		return Number(sign + s)
	}
	if len(s) <= decimals {
		s = strings.Repeat("0", decimals+1-len(s)) + s
	}
	return Number(sign + s[:len(s)-decimals] + "." + s[len(s)-decimals:])
}

// Whole reads a whole number between low and high; 2.0 is 2.
func Whole(n Number, low, high int) (int, error) {
	v, exact, err := Amount(n, 0)
	switch {
	case err != nil || n == "":
		return 0, fmt.Errorf("%.40q is not a number", string(n))
	case !exact:
		return 0, fmt.Errorf("is %.40s; a whole number is wanted", n)
	case v < int64(low) || v > int64(high):
		return 0, fmt.Errorf("is %d; it may be %d to %d", v, low, high)
	}
	return int(v), nil
}

// ParseTime reads a time in any of the forms of RFC 3339, with an offset without colon, with a colon before the milliseconds
// as in one published sample of Otter's, or without a zone, which then is UTC. What is no time of our age is the zero time, and
// ok is false; so is "".
func ParseTime(t Text) (at time.Time, ok bool) {
	s := strings.TrimSpace(string(t))
	if s == "" || len(s) > maxTime {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch { // seconds, or milliseconds since 1970
		case n > 1e11:
			at = time.UnixMilli(n)
		case n > 1e8:
			at = time.Unix(n, 0)
		default:
			return time.Time{}, false
		}
		return inAge(at)
	}
	if i := strings.LastIndexByte(s, ':'); i == len("2006-01-02T15:04:05") { // 20:06:02:123Z
		s = s[:i] + "." + s[i+1:]
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00",
		"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04"} {
		if at, err := time.Parse(layout, s); err == nil {
			return inAge(at)
		}
	}
	return time.Time{}, false
}

const maxTime = 48 // characters

func inAge(t time.Time) (time.Time, bool) {
	if y := t.UTC().Year(); y < 2000 || y > 2200 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// Stamp writes a time as ParseTime reads it, in UTC with milliseconds; "" for none.
func Stamp(t time.Time) Text {
	if t.IsZero() {
		return ""
	}
	return Text(t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}

// ParseDuration reads an ISO 8601 duration of days, hours, minutes and seconds, as PT1H30M. ok is false for anything else.
func ParseDuration(t Text) (d time.Duration, ok bool) {
	s, found := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(string(t))), "P")
	if !found || s == "" || len(s) > maxTime {
		return 0, false
	}
	units := "D"
	for s != "" {
		if s[0] == 'T' && units == "D" {
			units, s = "HMS", s[1:]
			if s == "" {
				return 0, false
			}
			continue
		}
		i := strings.IndexAny(s, units)
		if i < 1 {
			return 0, false
		}
		n, err := strconv.ParseFloat(s[:i], 64)
		if err != nil || !(n >= 0 && n <= 1e6) {
			return 0, false
		}
		unit := time.Second
		switch s[i] {
		case 'D':
			unit = 24 * time.Hour
		case 'H':
			unit = time.Hour
		case 'M':
			unit = time.Minute
		}
		d += time.Duration(n * float64(unit))
		s = s[i+1:]
	}
	return d, true
}
