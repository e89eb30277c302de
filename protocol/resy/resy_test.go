package resy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/bookingtest"
	"aboyeur/protocol/booking/generic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, base string) *Client {
	t.Helper()
	c, err := New(Config{Base: base, Venue: "v9", Credentials: booking.Credentials{ClientID: "id-12345"}, WebhookSecret: []byte("hook-1")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// The client's id is its whole secret: it is in the header and in no error.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var call string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(body)
		w.WriteHeader(StatusUnknown)
	}))
	defer server.Close()
	c := client(t, server.URL)
	err := c.Deliver(t.Context(), booking.Update{Request: "q", Reservation: "id-12345", Kind: booking.KindStage, Stage: booking.CheckDropped, Tables: []string{"3"}, At: time.Unix(0, 0)})
	if err == nil || !strings.Contains(err.Error(), "419") || strings.Contains(err.Error(), "id-12345") {
		t.Errorf("%v", err)
	}
	if want := `PUT /pos/v1/venues/v9/reservations/id-12345/status PlatformAPI client_id="id-12345" {"venue_id":"v9","reservation_id":"id-12345","status":"Check dropped","table_numbers":["3"],"updated":"1970-01-01T00:00:00.000Z"}`; call != want {
		t.Errorf("sent %s\nwant %s", call, want)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{Venue: "v", Credentials: booking.Credentials{ClientID: "x"}}); err == nil || !strings.Contains(err.Error(), "base address is missing") {
		t.Errorf("without an address: %v", err)
	}
	if _, err := New(Config{Base: "https://example.com", Venue: "v", Credentials: booking.Credentials{ClientID: `a"b`}}); err == nil {
		t.Error("a quote in the client id")
	}
}

func FuzzReceive(f *testing.F) {
	c := client(f, "https://example.com")
	read := func(body []byte) ([]booking.Reservation, error) {
		m := booking.Message{Header: http.Header{}, Body: body, At: time.Unix(1700000000, 0)}
		c.w.Seal().Sign(m.Header, body, m.At)
		receipt, err := c.Receive(m)
		return receipt.Reservations, err
	}
	bookingtest.Fuzz(f, []string{`{"venue_id":"v9","reservation_id":"1","utcUpdatedAt":"2026-11-21T19:04:05","utcScheduledAt":"2026-11-21T19:30:00","partySize":2,"status":"Seated","guest":{"platformGuestId":"g","firstName":"Jo"}}`},
		read, func(r *booking.Reservation) ([]byte, error) { return generic.EncodeEvent(c.w, r) })
}
