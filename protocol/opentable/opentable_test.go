package opentable

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
	"aboyeur/protocol/booking/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, base string, change func(*Config)) *Client {
	t.Helper()
	c := Config{Base: base, Venue: "9", Credentials: booking.Credentials{ClientID: "id", ClientSecret: "secret-1"}, WebhookSecret: []byte("hook-1")}
	if change != nil {
		change(&c)
	}
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func (c *Client) read(body []byte) ([]booking.Reservation, error) {
	m := booking.Message{Header: http.Header{}, Body: body, At: time.Unix(1700000000, 0)}
	c.w.Seal().Sign(m.Header, body, m.At)
	receipt, err := c.Receive(m)
	return receipt.Reservations, err
}

const event = `{"Type":"reservation","RestaurantID":9,"Reservation":{"ReservationID":77001,"State":"RunningLate","SequenceNumber":12,"TableNumber":["7A",12],
 "Origin":"WalkIn","ScheduledTimeUtc":"2026-11-21T19:30:00Z","UpdatedAtUtc":"2026-11-21T19:04:05.25Z","Duration":90,"Covers":4,"GuestNotes":"window","RestaurantNotes":"regular",
 "Tags":["birthday"],"Guest":{"FirstName":"Zoé","LastName":"L.","Allergies":["nuts"],"Vip":true,"Unknown":1},
 "PrePayments":[{"PaymentID":"p1","Amount":40.5,"Currency":"EUR"},{"PaymentID":"p2","Amount":"10.00","Currency":"EUR","Voided":true}],"New":{}}}`

func TestReceive(t *testing.T) {
	t.Parallel()
	c := client(t, "https://example.com", nil)
	got, err := c.read([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	want := []booking.Reservation{{
		ID: "77001", Sequence: 12, UpdatedAt: time.Date(2026, 11, 21, 19, 4, 5, 25e7, time.UTC), ScheduledAt: time.Date(2026, 11, 21, 19, 30, 0, 0, time.UTC),
		Duration: 90 * time.Minute, PartySize: 4, Word: "RunningLate", Status: booking.Scheduled, Late: true, WalkIn: true, Tables: []string{"7A", "12"},
		Guest: booking.Guest{FirstName: "Zoé", LastName: "L.", Allergens: []string{"nuts"}, VIP: true}, Notes: "regular", GuestRequest: "window", Tags: []string{"birthday"},
		Currency: "EUR", Deposits: []booking.Deposit{{ID: "p1", Amount: "40.50"}, {ID: "p2", Amount: "10.00", Voided: true}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for body, want := range map[string]string{
		`{"Type":"reservation"}`: "/Reservation is missing",
		`{"Reservation":{"ReservationID":"1","State":"Seated","SequenceNumber":"x"}}`:                           "/Reservation/SequenceNumber",
		`{"Reservation":{"ReservationID":"","SequenceNumber":-1,"Covers":-2,"Duration":99999999}}`:              "/Reservation/Duration is 99999999 minutes; /Reservation/SequenceNumber is below zero; /Reservation/State is missing; /Reservation/ReservationID is missing; /Reservation/Covers",
		`{"Reservation":{"ReservationID":"1","State":"Seated"}}`:                                                "have no order",
		`{"Reservation":{"ReservationID":"1","State":"Seated","UpdatedAtUtc":"soon"}}`:                          `"soon" is not a time`,
		`{"Reservation":{"ReservationID":"1","State":"S","SequenceNumber":1,"PrePayments":[{"Amount":0.001}]}}`: "not an amount",
	} {
		_, err := c.read([]byte(body))
		var m *booking.Malformed
		if !errors.As(err, &m) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	if _, err := c.read([]byte(strings.Replace(event, `"RestaurantID":9`, `"RestaurantID":10`, 1))); !errors.Is(err, booking.ErrVenue) {
		t.Errorf("another restaurant: %v", err)
	}
	if got, err := c.read([]byte(`{"Type":"menu"}`)); err != nil || got != nil {
		t.Errorf("another kind: %v, %v", got, err)
	}
}

// An assumed state is known as such.
func TestAssumed(t *testing.T) {
	t.Parallel()
	c := client(t, "https://example.com", func(c *Config) { c.Vocabulary = map[string]string{"assumed_seated": "ASSUMED_SEATED"} })
	got, err := c.read([]byte(`{"Reservation":{"ReservationID":"1","State":"ASSUMED_SEATED","SequenceNumber":1}}`))
	if err != nil || len(got) != 1 || !got[0].Assumed || got[0].Status != booking.Seated {
		t.Errorf("%+v, %v", got, err)
	}
}

// What goes out, byte by byte.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/api/v2/oauth/token" {
			id, secret, _ := r.BasicAuth()
			calls = append(calls, id+":"+secret+" "+string(body))
			w.Write([]byte(`{"access_token":"t-12345","token_type":"bearer","expires_in":2419181}`))
			return
		}
		calls = append(calls, r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("X-Request-Id")+" "+r.Header.Get("Authorization")+" "+string(body))
	}))
	defer server.Close()
	c := client(t, server.URL, func(c *Config) {
		c.Vocabulary = map[string]string{"entree": "MAINS"}
		c.Paths = map[string]string{"ticket": "/tickets/{venue}/{check}"}
	})
	at := time.Date(2026, 11, 21, 20, 15, 30, 0, time.UTC)
	for _, u := range []booking.Update{
		{Request: "q1", Reservation: "R/1", Kind: booking.KindStage, Stage: booking.Entree, Tables: []string{"12"}, At: at},
		{Request: "q2", Reservation: "R2", Kind: booking.KindClosed, Stage: booking.Paid, At: at, Check: &booking.Check{ID: "C7", Number: 41, Currency: "EUR", Decimals: 2, Covers: 2, Tables: []string{"12"},
			ClosedAt: at, Lines: []booking.Line{{Name: "Bœuf", Quantity: 2, Amount: 5001, Group: "Mains"}}, Payments: []booking.Payment{{Method: "card", Amount: 5001}}, Net: 4546, Tax: 455, Total: 5001, Paid: 5001}},
	} {
		if err := c.Deliver(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`id:secret-1 grant_type=client_credentials`,
		`POST /pos/v1/restaurants/9/reservations/R%2F1/status q1 Bearer t-12345 {"ReservationID":"R/1","RestaurantID":"9","TableStatus":"MAINS","TableNumber":["12"],"UpdatedAtUtc":"2026-11-21T20:15:30.000Z"}`,
		`PUT /tickets/9/C7 q2 Bearer t-12345 {"TransactionID":"C7","ReservationID":"R2","Number":41,"UpdatedAtUtc":"2026-11-21T20:15:30.000Z","ClosedAtUtc":"2026-11-21T20:15:30.000Z","Covers":2,"Tables":["12"],"TableStatus":"Paid",` +
			`"CheckTotal":{"Currency":"EUR","SubTotal":45.46,"Tax":4.55,"ServiceCharge":0.00,"Tip":0.00,"Discount":0.00,"Total":50.01,"Paid":50.01,"Due":0.00},` +
			`"OrderItems":[{"Name":"Bœuf","Category":"Mains","Quantity":2,"Total":50.01}],"OrderPayments":[{"Type":"card","Amount":50.01,"Tip":0.00}]}`,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

func TestLinkedElsewhere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			w.Write([]byte(`{"access_token":"t-12345","expires_in":60}`))
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer server.Close()
	c := client(t, server.URL, nil)
	if err := c.Activate(t.Context()); !errors.Is(err, booking.ErrLinkedElsewhere) {
		t.Errorf("Activate: %v", err)
	}
	if err := c.Deactivate(t.Context()); err != nil {
		t.Errorf("a link that is not there: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Venue: "a\nb", Vocabulary: map[string]string{"main": "x", "header.sig": "y", "header.signature": "a b"}, Paths: map[string]string{"tickets": "/x", "ticket": "x"}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`venue "a\nb" has a character`, `paths has no operation "tickets"; it has link, reservations, status, ticket, token`, `path of ticket is "x"`,
		`no name "header.sig"; it has header.signature, header.timestamp`, `spells "header.signature" as "a b"`, `vocabulary has no word "main"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %s", err, want)
		}
	}
}

func FuzzReceive(f *testing.F) {
	c := client(f, "https://example.com", nil)
	bookingtest.Fuzz(f, []string{event}, c.read, func(r *booking.Reservation) ([]byte, error) { return Encode(c.w, r) })
}

// FuzzTicket: what is read of a check is written as it was.
func FuzzTicket(f *testing.F) {
	f.Add([]byte(`{"ReservationID":"1","RestaurantID":"9","TableStatus":"Paid","UpdatedAtUtc":"2026-11-21T20:15:30Z","Ticket":{"TransactionID":"C","CheckTotal":{"Currency":"JPY","Total":12}}}`))
	f.Add([]byte(`{"Ticket":{"CheckTotal":{"Currency":"EUR","Total":"12.50"},"OrderItems":[{"Total":-1.00}]}}`))
	c := client(f, "https://example.com", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		var s Status
		if wire.Read(body, &s) != nil {
			return
		}
		u, err := s.Update(c.w)
		if err != nil || u.Check == nil {
			return
		}
		again, err := ticketOf(&u).Check()
		if err != nil || again.Total != u.Check.Total || len(again.Lines) != len(u.Check.Lines) {
			t.Errorf("%s is %+v, then %+v, %v", body, u.Check, again, err)
		}
	})
}

func ticketOf(u *booking.Update) *Ticket {
	t := ticket(u, "")
	return &t
}
