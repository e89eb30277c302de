package aleno

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/bookingtest"
	"aboyeur/protocol/booking/generic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{Base: "https://example.com", Venue: "v9", Credentials: booking.Credentials{Token: "token-1"}, WebhookSecret: []byte("hook-1")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (c *Client) read(body []byte) ([]booking.Reservation, error) {
	receipt, err := c.Receive(booking.Message{Header: http.Header{"Authorization": {"Bearer hook-1"}}, Body: body})
	return receipt.Reservations, err
}

const event = `{"venue_id":"v9","reservation_id":"1","utcUpdatedAt":"2026-11-21T19:04:05","utcScheduledAt":"2026-11-21T19:30:00","partySize":2,"status":"Provisional","sequenceId":7,"tableNumbers":["3"],"guest":{"platformGuestId":"g","firstName":"Jo"}}`

func TestReceive(t *testing.T) {
	t.Parallel()
	c := client(t)
	got, err := c.read([]byte(event))
	if err != nil || len(got) != 1 || got[0].Status != booking.OnHold || got[0].Sequence != 7 || !got[0].UpdatedAt.Equal(time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC)) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, authorization := range []string{"", "Bearer ", "Bearer hook-2", "bearer hook-1", "Basic hook-1"} {
		if _, err := c.Receive(booking.Message{Header: http.Header{"Authorization": {authorization}}, Body: []byte(event)}); !errors.Is(err, booking.ErrSignature) {
			t.Errorf("%q: %v", authorization, err)
		}
	}
	open, err := New(Config{Base: "https://example.com", Venue: "v9", Credentials: booking.Credentials{Token: "token-1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := open.Receive(booking.Message{Header: http.Header{"Authorization": {"Bearer "}}, Body: []byte(event)}); !errors.Is(err, booking.ErrSignature) {
		t.Errorf("without a secret of ours: %v", err)
	}
}

func FuzzReceive(f *testing.F) {
	c := client(f)
	bookingtest.Fuzz(f, []string{event}, c.read, func(r *booking.Reservation) ([]byte, error) { return generic.EncodeEvent(c.w, r) })
}
