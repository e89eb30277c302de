package generic

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/bookingtest"
)

const push = `{"utcUpdatedAt":"2026-11-21T19:04:05","utcScheduledAt":"2026-11-21T19:30:00","partySize":4,"status":"PARTIALLY_SEATED","sequenceId":9007199254740993,"tableNumbers":["12","T01"],
 "guest":{"platformGuestId":"g1","firstName":"Zoé","lastName":"L.","walkIn":true,"foodAndDrinkNotes":"sans sel","notes":"n","language":"fr","allergens":["lait"],"dietaryRestrictions":["vegan"]},
 "notes":"a","guestRequest":"b","specialOffer":"c","tags":["d"],"expectedDuration":"PT1H30M",
 "liability":{"currency":"EUR","deposits":[{"amount":"100.00","platformDepositId":"d1","utcCreatedAt":"2026-11-01T10:00:00"}],"refunds":[{"amount":"30.00","platformRefundId":"r1","voided":true}]}}`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(push), "R_1-a")
	if err != nil {
		t.Fatal(err)
	}
	want := booking.Reservation{
		ID: "R_1-a", Sequence: 9007199254740993, UpdatedAt: time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC), ScheduledAt: time.Date(2026, 11, 21, 19, 30, 0, 0, time.UTC),
		Duration: 90 * time.Minute, PartySize: 4, Word: "PARTIALLY_SEATED", Status: booking.PartiallySeated, WalkIn: true, Tables: []string{"12", "T01"},
		Guest: booking.Guest{ID: "g1", FirstName: "Zoé", LastName: "L.", Language: "fr", Allergens: []string{"lait"}, Dietary: []string{"vegan"}, FoodNotes: "sans sel", Notes: "n"},
		Notes: "a", GuestRequest: "b", Offer: "c", Tags: []string{"d"}, Currency: "EUR",
		Deposits: []booking.Deposit{{ID: "d1", Amount: "100.00", At: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)}}, Refunds: []booking.Deposit{{ID: "r1", Amount: "30.00", Voided: true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Everything that is wrong is told at once, where it stands.
func TestParseFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, body, want string }{
		{"1", `{}`, "/utcUpdatedAt is missing; /utcScheduledAt is missing; /partySize is missing; /status is missing; /guest is missing"},
		{"1", strings.Replace(push, `9007199254740993`, `0`, 1), "/sequenceId is not a number above zero; leave it out"},
		{"1", strings.Replace(push, `9007199254740993`, `null`, 1), "/sequenceId"},
		{"1", strings.Replace(push, `PARTIALLY_SEATED`, `PAID`, 1), `/status is "PAID"; write one of ON_HOLD, SCHEDULED`},
		{"1", strings.Replace(push, `"T01"`, `"12"`, 1), `/tableNumbers has "12" twice`},
		{"1", strings.Replace(push, `PT1H30M`, `90`, 1), "/expectedDuration"},
		{"1", strings.Replace(push, `"100.00"`, `"100.001"`, 1), "/liability/deposits has an amount"},
		{"1", strings.Replace(push, `"100.00"`, `"-1"`, 1), "/liability/deposits has an amount"},
		{"1", strings.Replace(push, `"firstName":"Zoé",`, ``, 1), "/guest/firstName is missing"},
		{"1", strings.Replace(push, `"partySize":4`, `"partySize":"four"`, 1), "/partySize"},
		{"a/b", push, "at most 36 letters, digits, _ and -"},
		{strings.Repeat("a", 37), push, "at most 36"},
	} {
		_, err := Parse([]byte(c.body), c.id)
		var m *booking.Malformed
		if !errors.As(err, &m) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.body, err, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{"PT1H30M": 90 * time.Minute, "PT90M": 90 * time.Minute, "P1DT2H": 26 * time.Hour, "PT45S": 45 * time.Second, "P1D": 24 * time.Hour, "PT0S": 0} {
		if got, ok := ParseDuration(s); !ok || got != want {
			t.Errorf("ParseDuration(%s) = %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "P", "PT", "1H", "PT1", "PT1M1H", "P1Y", "PT-1H", "P8D", "PT99999999H", "PT1.5H", "P1DT"} {
		if got, ok := ParseDuration(s); ok {
			t.Errorf("ParseDuration(%s) = %v", s, got)
		}
	}
	if got := FormatDuration(26*time.Hour + time.Second); got != "PT26H1S" {
		t.Error(got)
	}
	if got := FormatDuration(0); got != "PT0S" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	bookingtest.Fuzz(f, []string{push}, func(body []byte) ([]booking.Reservation, error) {
		r, err := Parse(body, "R1")
		return []booking.Reservation{r}, err
	}, func(r *booking.Reservation) ([]byte, error) { return json.Marshal(FromBooking(r, r.Word)) })
}
