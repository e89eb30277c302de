package kres

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener keeps calls and answers them.
func listener(t *testing.T, status int, answer string) (string, *[]string) {
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+string(body))
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, &calls
}

var at = time.Date(2026, 11, 21, 20, 15, 30, 0, time.UTC)

// The box as the till: the contract's webhooks, byte by byte.
func TestDeliver(t *testing.T) {
	t.Parallel()
	base, calls := listener(t, 200, "")
	c, err := New(Config{Config: wire.Config{Base: base, Venue: "r9", Credentials: booking.Credentials{Token: "token-1"}}, Platform: "dine_1", Location: "77"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Activate(t.Context()); err != nil {
		t.Error(err)
	}
	for _, u := range []booking.Update{
		{Reservation: "R1", Kind: booking.KindStage, Stage: booking.Paid, Tables: []string{"12"}, At: at},
		{Reservation: "R1", Kind: booking.KindClosed, Stage: booking.Paid, At: at, Check: &booking.Check{ID: "A7", Covers: 2, Tables: []string{"12"}, OpenedAt: at.Add(-time.Hour), Currency: "EUR", Decimals: 2,
			Lines: []booking.Line{{Name: "Bœuf", SKU: "M1", Group: "Mains", Quantity: 2, Amount: 5001}}, Payments: []booking.Payment{{Method: "card", Amount: 5001, Tip: 10}}, Total: 5001, Paid: 5001, Tip: 10}},
	} {
		if err := c.Deliver(t.Context(), u); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`POST /integration Bearer token-1 {"notificationType":"ACTIVATED","platformCode":"dine_1","platformRestaurantId":"r9","businessLocationId":"77"}`,
		`POST /reservation Bearer token-1 {"platformCode":"dine_1","platformRestaurantId":"r9","platformReservationId":"R1","businessLocationId":"77","status":"PAID","tables":["12"]}`,
		`POST /order Bearer token-1 {"notificationType":"CLOSE","platformCode":"dine_1","platformRestaurantId":"r9","platformReservationId":"R1","businessLocationId":"77","sequenceId":"1795292130000",` +
			`"account":{"accountNumber":"A7","orderMode":"TABLE","tables":["12"],"coverCount":2,"openDate":1795288530000,"updateDate":1795292130000,"closeDate":1795292130000,"currencyCode":"EUR","totalAmount":50.01,` +
			`"preTaxAmount":0.00,"taxAmount":0.00,"paidAmount":50.01,"serviceCharge":0.00,"gratuityAmount":0.10,"totalDiscount":0.00,"transactionLines":[{"itemSku":"M1","itemDescription":"Bœuf","quantity":2,` +
			`"amountWithTax":50.01,"categories":[{"category":"course","value":"Mains"}]}],"paymentLines":[{"amount":50.01,"gratuityAmount":0.10,"paymentMethod":"card"}]}}`,
	}
	if diff := cmp.Diff(want, *calls); diff != "" {
		t.Error(diff)
	}
}

// Amounts as texts or numbers, dates as milliseconds or with an offset without colon: one and the same check.
func TestAccountForms(t *testing.T) {
	t.Parallel()
	read := func(body string) booking.Check {
		t.Helper()
		var a Account
		if err := wire.Read([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		c, err := a.Check()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := read(`{"accountNumber":"A1.7","tables":["12"],"openDate":1795288530000,"currencyCode":"EUR","totalAmount":4.0,"paidAmount":4,"transactionLines":[{"itemSku":"S","quantity":2,"amountWithTax":4.00,"accountingGroupName":"Food"}]}`)
	b := read(`{"accountNumber":"A1.7","tables":[12],"openDate":"2026-11-21T19:15:30.000+0000","closeDate":null,"currencyCode":"EUR","totalAmount":"4.00","paidAmount":"4","transactionLines":[{"itemSku":"S","quantity":"2.000","amountWithTax":"4.00","accountingGroupName":"Food"}]}`)
	if diff := cmp.Diff(a, b); diff != "" || a.Total != 400 || !a.Open || a.Due != 0 {
		t.Errorf("%+v: %s", a, diff)
	}
	var wrong Account
	if err := wire.Read([]byte(`{"totalAmount":"4,00","openDate":"x","transactionLines":[{"quantity":{}}]}`), &wrong); err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Check(); err == nil || !strings.Contains(err.Error(), "/account/openDate") || !strings.Contains(err.Error(), "/account/totalAmount") || !strings.Contains(err.Error(), "quantity") {
		t.Errorf("%v", err)
	}
}

// The box as the platform.
func TestPush(t *testing.T) {
	t.Parallel()
	base, calls := listener(t, 202, `{"platformCode":"dine","platformRestaurantId":"r9","platformReservationId":"R1","accepted":true}`)
	p, err := NewPusher(PusherConfig{Base: base, Platform: "dine", Tokens: rest.Bearer("token-1")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r := &booking.Reservation{ID: "R1", Sequence: 7, UpdatedAt: at, ScheduledAt: at, PartySize: 2, Status: booking.Seated, Tables: []string{"12"}, Guest: booking.Guest{ID: "g", FirstName: "Jo"}}
	if a, err := p.Push(t.Context(), "r9", r); err != nil || !a.Accepted {
		t.Errorf("%+v, %v", a, err)
	}
	want := []string{`PUT /reservation/api/1/platform/dine/restaurant/r9/reservation/R1/push Bearer token-1 {"utcUpdatedAt":"2026-11-21T20:15:30","utcScheduledAt":"2026-11-21T20:15:30","partySize":2,"status":"SEATED",` +
		`"guest":{"platformGuestId":"g","firstName":"Jo"},"sequenceId":7,"tableNumbers":["12"]}`}
	if diff := cmp.Diff(want, *calls); diff != "" {
		t.Error(diff)
	}
	r.ID = "a b"
	if _, err := p.Push(t.Context(), "r9", r); err == nil {
		t.Error("an id with a space was pushed")
	}

	base, _ = listener(t, 400, `{"errorCode":"PLATFORM_ALREADY_ACTIVATED","errorMessage":"taken"}`)
	refused, err := NewPusher(PusherConfig{Base: base, Platform: "dine", Tokens: rest.Bearer("token-1")})
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	var e *PushError
	if err := refused.Activate(t.Context(), "77", "r9"); !errors.Is(err, booking.ErrLinkedElsewhere) || !errors.As(err, &e) || e.Code != "PLATFORM_ALREADY_ACTIVATED" {
		t.Errorf("%v", err)
	}
}

// FuzzOrder: what is read of an order webhook is written and read as the same check.
func FuzzOrder(f *testing.F) {
	f.Add([]byte(`{"notificationType":"CLOSE","platformReservationId":"R1","sequenceId":"7","account":{"accountNumber":"A7","closeDate":1795292130000,"currencyCode":"EUR","totalAmount":"50.01","transactionLines":[{"quantity":-1,"amountWithTax":-4.5}],"paymentLines":[{"amount":1}]}}`))
	f.Add([]byte(`{"account":{"currencyCode":"JPY","totalAmount":12}}`))
	f.Add([]byte(`{"account":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var o Order
		if wire.Read(body, &o) != nil {
			return
		}
		c, err := o.Account.Check()
		if err != nil {
			return
		}
		u := booking.Update{Kind: booking.KindCheck, Check: &c, At: at}
		b, err := json.Marshal(FromUpdate(o.IDs, &u))
		if err != nil {
			t.Fatal(err)
		}
		var again Order
		if err := wire.Read(b, &again); err != nil {
			t.Fatal(err)
		}
		d, err := again.Account.Check()
		d.OpenedAt, d.ClosedAt, c.OpenedAt, c.ClosedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{} // milliseconds
		if err != nil || d.Total != c.Total || d.Paid != c.Paid || !reflect.DeepEqual(d.Lines, c.Lines) && len(c.Lines) > 0 {
			t.Errorf("%s\nis %+v\nthen %+v, %v", body, c, d, err)
		}
	})
}
