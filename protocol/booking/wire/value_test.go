package wire

import (
	"math"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking"
)

// Amounts as texts and as numbers, times with every kind of zone: the same values.
func TestForms(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]int64{`4.00`: 400, `"4.00"`: 400, `4`: 400, `"4.000"`: 400, `-0.05`: -5, `null`: 0, `"0"`: 0, `92233720368547.75`: 9223372036854775} {
		if got, err := Minor(jsontext.Value(v), 2); err != nil || got != want {
			t.Errorf("Minor(%s) = %d, %v", v, got, err)
		}
	}
	for _, v := range []string{`4.001`, `"1e3"`, `1e3`, `""`, `"."`, `"4."`, `true`, `{}`, `"+4"`, `"4,00"`, `99999999999999999999`, `"--4"`, `"٤"`} {
		if got, err := Minor(jsontext.Value(v), 2); err == nil {
			t.Errorf("Minor(%s) = %d", v, got)
		}
	}
	want := time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC)
	for _, v := range []string{`"2026-11-21T19:04:05Z"`, `"2026-11-21T20:04:05+0100"`, `"2026-11-21T20:04:05.000+01:00"`, `"2026-11-21 20:04:05"`, `"2026-11-21T20:04:05"`, `1795287845000`, `"1795287845000"`} {
		if got, err := ParseInstant(jsontext.Value(v), time.FixedZone("", 3600)); err != nil || !got.Equal(want) {
			t.Errorf("ParseInstant(%s) = %v, %v", v, got, err)
		}
	}
	for _, v := range []string{`"tomorrow"`, `{}`, `1.5`, `"0001-01-01T00:00:00Z"`, `99999999999999999`} {
		if got, err := ParseInstant(jsontext.Value(v), nil); err == nil {
			t.Errorf("ParseInstant(%s) = %v", v, got)
		}
	}
}

// FuzzMinor: what is read is written and read as the same.
func FuzzMinor(f *testing.F) {
	for _, s := range []string{"0", "-0", "12.5", "0.005", "92233720368547758.07", "", "1.", "00012"} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, s string, decimals int) {
		if decimals < 0 || decimals > 4 {
			return
		}
		n, err := ParseMinor(s, decimals)
		if err != nil {
			return
		}
		if again, err := ParseMinor(booking.Decimal(n, decimals), decimals); err != nil || again != n || n > math.MaxInt64/2 {
			t.Errorf("ParseMinor(%q, %d) = %d, then %d, %v", s, decimals, n, again, err)
		}
	})
}

// A word that has no counterpart and a row of a feed that makes no sense are told, not guessed and not lost.
func TestPulled(t *testing.T) {
	t.Parallel()
	var faults Faults
	faults.Add("/date", "is missing")
	all := Pulled(nil, booking.Reservation{ID: "1"}, nil)
	all = Pulled(all, booking.Reservation{ID: "2", Status: booking.Seated}, faults.Err())
	all = Pulled(all, booking.Reservation{}, faults.Err())
	all = Pulled(all, booking.Reservation{ID: "4"}, booking.ErrVenue)
	if len(all) != 2 || all[1].ID != "2" || all[1].Status != "" || all[1].Word != "the message makes no sense; /date is missing" {
		t.Errorf("%+v", all)
	}
}
