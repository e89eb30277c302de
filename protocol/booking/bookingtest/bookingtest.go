// Package bookingtest holds the readers of webhooks to what whoever stores their reservations relies on.
package bookingtest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Bodies are wrong or strange for every platform.
func Bodies() []string {
	return []string{``, ` `, `null`, `[]`, `[null]`, `{}`, `"x"`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"Reservation":null}`, `[{"entity_type":"reservation","entity":null}]`,
		`{"orderId":"o","customer":null,"prepayment":{"amount":1e99,"currency":"EUR"}}`, strings.Repeat(`{"guest":`, 200) + strings.Repeat(`}`, 200)}
}

// Fuzz feeds a reader with bodies, well signed. What it takes has an identifier and bounded numbers, and written again it is
// read as the same. encode may be nil where there is no writer.
func Fuzz(f *testing.F, seeds []string, read func(body []byte) ([]booking.Reservation, error), encode func(r *booking.Reservation) ([]byte, error)) {
	for _, s := range append(Bodies(), seeds...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := read(body)
		if err != nil {
			var m *booking.Malformed
			if !errors.As(err, &m) && !errors.Is(err, booking.ErrVenue) {
				t.Fatalf("an error that nobody can answer: %v", err)
			}
			if m != nil && len(m.Faults) == 0 {
				t.Error("malformed without a fault")
			}
			return
		}
		for _, r := range all {
			if r.ID == "" || !wire.Plain(r.ID) || r.PartySize < 0 || r.PartySize > wire.MaxParty || len(r.Tables) > wire.MaxTables || r.Duration < 0 {
				t.Errorf("%q gives %+v", body, r)
			}
			if r.Word == "" || r.Status != "" && !r.Status.Valid() {
				t.Errorf("%q gives status %q of word %q", body, r.Status, r.Word)
			}
			for _, d := range append(r.Deposits, r.Refunds...) {
				if _, err := wire.ParseMinor(d.Amount, wire.Decimals(r.Currency)); err != nil {
					t.Errorf("%q gives a deposit of %q %s", body, d.Amount, r.Currency)
				}
			}
			if encode == nil {
				continue
			}
			once, err := encode(&r)
			if err != nil {
				t.Fatalf("%+v cannot be written: %v", r, err)
			}
			again, err := read(once)
			if err != nil || len(again) != 1 || again[0].ID != r.ID || again[0].Status != r.Status || again[0].Word != r.Word || again[0].PartySize != r.PartySize {
				t.Fatalf("%+v written as %s is read as %+v, %v", r, once, again, err)
			}
			twice, err := encode(&again[0])
			if err != nil || !bytes.Equal(once, twice) {
				t.Errorf("written as\n%s\nthen as\n%s", once, twice)
			}
		}
	})
}
