package thefork

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/bookingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const venue = "5f8e9f5e-3f0a-4a53-9a40-2f1d3c1f2a7b"

func client(t testing.TB, base string) *Client {
	t.Helper()
	c, err := New(Config{Base: base, Venue: venue, Credentials: booking.Credentials{Token: "key-12345"}, WebhookSecret: []byte("hook-1"), Zone: time.FixedZone("", 3600)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func message(body string) booking.Message {
	return booking.Message{Header: http.Header{"Authorization": {"Bearer hook-1"}, "Customerid": {venue}}, Body: []byte(body)}
}

// With the members of the public documentation alone: the call opens a check, whoever it is for.
func TestReceive(t *testing.T) {
	t.Parallel()
	c := client(t, "https://example.com")
	const public = `{"orderId":"0d4e","createdAt":"2026-11-21T18:00:00.000Z","updatedAt":"2026-11-21T19:04:05.000Z","customer":{"id":"c1","civility":"MRS","firstName":"Zoé","lastName":"L.",
		"allergies":["lait"],"dietaryRestrictions":["VEGAN"],"spendingBehaviour":"HIGH","note":"calme"},"dateOfMeal":"2026-11-21","startTime":"20:30","duration":90}`
	got, err := c.Receive(message(public))
	if err != nil {
		t.Fatal(err)
	}
	want := []booking.Reservation{{
		ID: "0d4e", UpdatedAt: time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC), ScheduledAt: time.Date(2026, 11, 21, 19, 30, 0, 0, time.UTC), Duration: 90 * time.Minute,
		Word: "ARRIVED", Status: booking.Arrived, OpenNow: true,
		Guest: booking.Guest{ID: "c1", FirstName: "Zoé", LastName: "L.", Allergens: []string{"lait"}, Dietary: []string{"VEGAN"}, Notes: "calme"},
	}}
	if diff := cmp.Diff(want, got.Reservations); diff != "" {
		t.Error(diff)
	}

	const derived = `{"orderId":"0d4e","updatedAt":"2026-11-21T19:04:05.000Z","customer":null,"customerName":"Doe","partySize":3,"reservationStatus":"SEATED",
		"prepayment":{"amount":4050,"currency":"EUR"},"offer":{"type":"SPECIAL","name":"-20 %"},"tables":[{"name":"7A","areaName":"Salle"}]}`
	got, err = c.Receive(message(derived))
	if err != nil {
		t.Fatal(err)
	}
	r := got.Reservations[0]
	if r.PartySize != 3 || r.Status != booking.Seated || r.Guest.Name() != "Doe" || r.Offer != "-20 %" || r.Tables[0] != "7A" || r.Deposits[0].Amount != "40.50" || !r.OpenNow {
		t.Errorf("%+v", r)
	}

	strange := message(public)
	strange.Header.Set("CustomerId", "other")
	if _, err := c.Receive(strange); !errors.Is(err, booking.ErrVenue) {
		t.Errorf("another restaurant: %v", err)
	}
	strange.Header.Set("Authorization", "Bearer hook-2")
	if _, err := c.Receive(strange); !errors.Is(err, booking.ErrSignature) {
		t.Errorf("another token: %v", err)
	}
}

// What closes a receipt, byte by byte; nothing else can be told.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Api-Key")+" "+string(body))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	c := client(t, server.URL)
	u := booking.Update{Request: "q", Reservation: "0d4e", Kind: booking.KindStage, Stage: booking.Entree}
	if err := c.Deliver(t.Context(), u); !errors.Is(err, booking.ErrUnsupported) {
		t.Errorf("a stage: %v", err)
	}
	u.Kind, u.Check = booking.KindClosed, &booking.Check{Currency: "EUR", Decimals: 2, Total: 8550, Lines: []booking.Line{{Name: "Menu", Group: "Plats", Quantity: 2, Amount: 8550}}}
	yen := u
	yen.Check = &booking.Check{Currency: "JPY", Total: 1200}
	for _, u := range []booking.Update{u, yen} {
		if err := c.Deliver(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`PUT /pos/v1/orders/0d4e key-12345 {"locale":"fr-FR","currency":"EUR","totalAmount":8550,"lines":[{"label":"Menu","category":"Plats","totalPrice":8550,"quantity":2}]}`,
		`PUT /pos/v1/orders/0d4e key-12345 {"locale":"fr-FR","currency":"JPY","totalAmount":120000,"lines":[]}`,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
	if err := c.Activate(t.Context()); !errors.Is(err, booking.ErrUnsupported) {
		t.Errorf("Activate without the manager interface: %v", err)
	}
}

func FuzzReceive(f *testing.F) {
	c := client(f, "https://example.com")
	bookingtest.Fuzz(f, []string{`{"orderId":"1","updatedAt":"2026-11-21T19:04:05Z","dateOfMeal":"2026-11-21","startTime":"20:30","tables":[{"name":7}],"prepayment":{"amount":1,"currency":"JPY"}}`},
		func(body []byte) ([]booking.Reservation, error) {
			receipt, err := c.Receive(message(string(body)))
			return receipt.Reservations, err
		}, func(r *booking.Reservation) ([]byte, error) { return Encode(c.w, r) })
}
