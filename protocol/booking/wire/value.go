package wire

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
)

// Bounds of a reservation, far beyond what any platform sends.
const (
	MaxTables  = 64
	MaxParty   = 10000
	MaxDeposit = 100
)

// Read decodes a webhook's body. Members that are not known are passed over, doubled names and broken text are not. The
// error is a *booking.Malformed.
func Read(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	fault := booking.Fault{Detail: "is not JSON"}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic):
		fault.Pointer, fault.Detail = string(semantic.JSONPointer), "has the wrong type"
		if semantic.Err != nil {
			fault.Detail = semantic.Err.Error()
		}
	case errors.As(err, &syntactic):
		fault.Pointer = string(syntactic.JSONPointer)
		if syntactic.Err != nil {
			fault.Detail = syntactic.Err.Error()
		}
	}
	return &booking.Malformed{Faults: []booking.Fault{fault}}
}

// Faults gathers what is wrong with a message.
type Faults []booking.Fault

// Add notes a fault.
func (f *Faults) Add(pointer, format string, args ...any) {
	*f = append(*f, booking.Fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// Err is the faults as a *booking.Malformed, nil when there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return &booking.Malformed{Faults: f}
}

// Check notes what is wrong with r whatever the platform; at names where the id, the party and the tables stand.
func (f *Faults) Check(r *booking.Reservation, id, party, tables string) {
	switch {
	case r.ID == "":
		f.Add(id, "is missing")
	case !Plain(r.ID):
		f.Add(id, "is not an identifier of at most 128 characters")
	}
	if r.PartySize < 0 || r.PartySize > MaxParty {
		f.Add(party, "is %d; a party has 0 to %d guests", r.PartySize, MaxParty)
	}
	if len(r.Tables) > MaxTables {
		f.Add(tables, "has %d tables; at most %d", len(r.Tables), MaxTables)
	}
	if len(r.Deposits) > MaxDeposit || len(r.Refunds) > MaxDeposit {
		f.Add("", "has %d deposits and %d refunds; at most %d of each", len(r.Deposits), len(r.Refunds), MaxDeposit)
	}
}

// Text is a string that some platforms write as a number: ids, names of tables. null is "".
type Text string

// UnmarshalJSON reads a string, a number or null.
func (t *Text) UnmarshalJSON(b []byte) error {
	switch v := jsontext.Value(b); v.Kind() {
	case 'n':
		*t = ""
	case '0':
		*t = Text(b)
	case '"':
		s, err := jsontext.AppendUnquote(nil, b)
		if err != nil {
			return err
		}
		*t = Text(s)
	default:
		return errors.New("neither a text nor a number")
	}
	return nil
}

// Texts makes plain strings.
func Texts(t []Text) []string {
	if len(t) == 0 {
		return nil
	}
	s := make([]string, len(t))
	for i := range t {
		s[i] = string(t[i])
	}
	return s
}

// FromTexts makes wire texts.
func FromTexts(s []string) []Text {
	if len(s) == 0 {
		return nil
	}
	t := make([]Text, len(s))
	for i := range s {
		t[i] = Text(s[i])
	}
	return t
}

// ParseTime reads a time with a zone in any of the forms of RFC 3339, with an offset without colon, or without any zone,
// which then is zone. "" is the zero time.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), inRange(t)
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), inRange(t)
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time; write as in 2026-11-21T19:04:05Z", s)
}

// ParseInstant reads a time as ParseTime does, or milliseconds since 1970. null is the zero time.
func ParseInstant(v jsontext.Value, zone *time.Location) (time.Time, error) {
	switch v.Kind() {
	case 0, 'n':
		return time.Time{}, nil
	case '"':
		b, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return time.Time{}, err
		}
		s := string(b)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return fromMilli(n)
		}
		return ParseTime(s, zone)
	case '0':
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("%.40s is not milliseconds since 1970", v)
		}
		return fromMilli(n)
	}
	return time.Time{}, errors.New("neither a time nor milliseconds since 1970")
}

func fromMilli(n int64) (time.Time, error) {
	t := time.UnixMilli(n).UTC()
	return t, inRange(t)
}

func inRange(t time.Time) error {
	if y := t.Year(); y < 1970 || y > 9999 {
		return fmt.Errorf("the year %d is not one of a reservation", y)
	}
	return nil
}

// Stamp writes a time as ParseTime reads it, in UTC with milliseconds; "" for none.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// Decimals are the digits behind the point of a currency (ISO 4217).
func Decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// Number writes minor units as a JSON number: Number(1250, 2) is 12.50.
func Number(minor int64, decimals int) jsontext.Value {
	return jsontext.Value(booking.Decimal(minor, decimals))
}

// Minor reads a JSON number, or a text with one, into minor units, exactly: more digits than the currency has are an error
// unless they are zeros, and nothing is rounded. null and nothing are 0.
func Minor(v jsontext.Value, decimals int) (int64, error) {
	s := string(v)
	switch v.Kind() {
	case 0, 'n':
		return 0, nil
	case '"':
		b, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return 0, err
		}
		s = string(b)
	case '0':
	default:
		return 0, errors.New("neither a number nor a text with one")
	}
	return ParseMinor(s, decimals)
}

// ParseMinor reads a decimal into minor units as Minor does.
func ParseMinor(s string, decimals int) (int64, error) {
	wrong := func() (int64, error) {
		return 0, fmt.Errorf("%.40q is not an amount with at most %d decimals", s, decimals)
	}
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || len(whole) > 18 {
		return wrong()
	}
	if len(fraction) > decimals {
		if strings.Trim(fraction[decimals:], "0") != "" {
			return wrong()
		}
		fraction = fraction[:decimals]
	}
	fraction += strings.Repeat("0", decimals-len(fraction))
	n, err := strconv.ParseUint(whole+fraction, 10, 63)
	if err != nil || n > math.MaxInt64/2 {
		return wrong()
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// ParseAmount reads an amount of a deposit, a number or a text, and writes it as an exact decimal.
func ParseAmount(v jsontext.Value, currency string) (string, error) {
	decimals := Decimals(currency)
	minor, err := Minor(v, decimals)
	if err != nil {
		return "", err
	}
	return booking.Decimal(minor, decimals), nil
}
