package sevenrooms

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/bookingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, base string) *Client {
	t.Helper()
	paris := time.FixedZone("", 3600)
	c, err := New(Config{Base: base, Venue: "v9", Credentials: booking.Credentials{ClientID: "id", ClientSecret: "secret-1"}, WebhookSecret: []byte("hook-1"), Zone: paris})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (c *Client) read(body []byte) ([]booking.Reservation, error) {
	m := booking.Message{Header: http.Header{}, Body: body, At: time.Unix(1700000000, 0)}
	c.w.Seal().Sign(m.Header, body, m.At)
	receipt, err := c.Receive(m)
	return receipt.Reservations, err
}

const event = `[{"entity_type":"reservation","event_type":"updated","entity":{"id":"ahNz","venue_id":"v9","date":"2026-11-21","arrival_time":"08:30 PM","duration":120,"max_guests":2,
 "arrived_guests":1,"status":"ARRIVED_PARTIAL","table_numbers":["7a"],"notes":"n","client_requests":"c","tags":["x",{"tag":"y","tag_display":"Y"}],"is_vip":true,"client_id":"c1","first_name":"Jo",
 "last_name":"Doe","prepayment":25,"currency_code":"EUR","updated":"2026-11-21T19:04:05.123456"}},{"entity_type":"client","entity":{"id":"c1"}}]`

func TestReceive(t *testing.T) {
	t.Parallel()
	c := client(t, "https://example.com")
	got, err := c.read([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	want := []booking.Reservation{{
		ID: "ahNz", UpdatedAt: time.Date(2026, 11, 21, 19, 4, 5, 123456000, time.UTC), ScheduledAt: time.Date(2026, 11, 21, 19, 30, 0, 0, time.UTC), Duration: 2 * time.Hour,
		PartySize: 2, Arrived: 1, Word: "ARRIVED_PARTIAL", Status: booking.PartiallyArrived, Tables: []string{"7a"}, Notes: "n", GuestRequest: "c", Tags: []string{"x", "Y"},
		Guest: booking.Guest{ID: "c1", FirstName: "Jo", LastName: "Doe", VIP: true}, Currency: "EUR", Deposits: []booking.Deposit{{ID: "prepayment", Amount: "25.00"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for body, want := range map[string]string{
		`{"entity_type":"reservation"}`: "/0/entity is missing",
		`[{"entity_type":"reservation","entity":{"id":"1","duration":-1,"date":"x","prepayment":"1.234"}}]`: "/0/entity/updated is missing; without it messages have no order; /0/entity/status is missing; /0/entity/arrival_time",
		`[{"entity_type":"reservation","entity":{"id":7,"status":[]}}]`:                                     "/0/entity/status",
	} {
		_, err := c.read([]byte(body))
		var m *booking.Malformed
		if !errors.As(err, &m) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	if _, err := c.read([]byte(strings.Replace(event, "v9", "v8", 1))); !errors.Is(err, booking.ErrVenue) {
		t.Errorf("another venue: %v", err)
	}
}

// What goes out, byte by byte; a token that has ended is fetched anew.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Idempotency-Key")+" "+r.Header.Get("Authorization")+" "+string(body))
		switch {
		case r.URL.Path == "/2_4/auth":
			w.Write([]byte(`{"status":200,"data":{"token":"tok-` + string(rune('0'+len(calls))) + `"}}`))
		case r.Header.Get("Authorization") == "tok-1":
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	c := client(t, server.URL)
	at := time.Date(2026, 11, 21, 20, 15, 30, 0, time.UTC)
	for _, u := range []booking.Update{
		{Request: "q1", Reservation: "R1", Kind: booking.KindStage, Stage: booking.Dessert, At: at},
		{Request: "q2", Reservation: "R1", Kind: booking.KindClosed, Stage: booking.Paid, At: at, Check: &booking.Check{ID: "C7", Number: 41, Currency: "EUR", Decimals: 2, Tables: []string{"12"},
			Lines: []booking.Line{{Name: "Bœuf", Quantity: 2, Amount: 5001}}, Total: 5001, Paid: 5001}},
	} {
		if err := c.Deliver(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`POST /2_4/auth   client_id=id&client_secret=secret-1`,
		`PUT /2_4/reservations/R1 q1 tok-1 {"venue_id":"v9","status":"DESSERT","updated":"2026-11-21T20:15:30.000Z"}`,
		`POST /2_4/auth   client_id=id&client_secret=secret-1`,
		`PUT /2_4/reservations/R1 q1 tok-3 {"venue_id":"v9","status":"DESSERT","updated":"2026-11-21T20:15:30.000Z"}`,
		`PUT /2_4/reservations/R1 q2 tok-3 {"venue_id":"v9","status":"PAID","updated":"2026-11-21T20:15:30.000Z","pos_tickets":[{"local_pos_ticket_id":"C7","code":"41","status":"CLOSED","table_no":"12","currency":"EUR",` +
			`"end_time":"2026-11-21T20:15:30.000Z","subtotal":0.00,"tax":0.00,"service_charge":0.00,"tip":0.00,"discount":0.00,"total":50.01,"paid":50.01,"due":0.00,"items":[{"name":"Bœuf","price":50.01,"quantity":2}]}]}`,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

func FuzzReceive(f *testing.F) {
	c := client(f, "https://example.com")
	bookingtest.Fuzz(f, []string{event, event[1:]}, c.read, func(r *booking.Reservation) ([]byte, error) { return Encode(c.w, r) })
}
