package lightspeed

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
	"aboyeur/protocol/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, base string) *Client {
	t.Helper()
	c, err := New(Config{Base: base, Location: "77", Endpoint: "Box", Currency: "EUR", Tokens: rest.Bearer("token-1")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// What goes out, byte by byte.
func TestSend(t *testing.T) {
	t.Parallel()
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.Method+" "+r.URL.Path+" "+string(body))
		io.WriteString(w, `{"status":"ok"}`)
	}))
	defer server.Close()
	c := client(t, server.URL)
	for _, o := range []Order{
		{Reference: "r1", Table: 12, Covers: 2, First: "Zoé", Staff: "7", Note: "Uber Eats 8F3A2", Lines: []Line{{SKU: "M1", Quantity: 2, Course: 1, Modifiers: []string{"X"}, Items: []Line{{SKU: "S", Quantity: 1}}}}},
		{Reference: "r2", ToGo: true, First: "Zoé", Address: "1 rue X", Profile: "UBER", Method: "UBER", Paid: 2050, Tip: 50, Collection: "8F3A2", CollectAt: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC),
			Lines: []Line{{Name: "Open", Price: 2000, Quantity: 1}}},
		{Reference: "r3", Account: "A1", Table: 12, Covers: 3, First: "Zoé"},
	} {
		if err := c.Send(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`POST /o/op/1/order/local {"businessLocationId":"77","thirdPartyReference":"r1","endpointId":"Box","customerInfo":{"firstName":"Zoé"},"tableNumber":12,"clientCount":2,"staffId":"7","orderNote":"Uber Eats 8F3A2",` +
			`"maxTimeToAttemptOrderDeliverToPos":300000,"items":[{"quantity":2,"sku":"M1","course":1,"modifiers":[{"modifierId":"X"}],"subItems":[{"quantity":1,"sku":"S"}]}]}`,
		`POST /o/op/1/order/toGo {"businessLocationId":"77","thirdPartyReference":"r2","endpointId":"Box","customerInfo":{"firstName":"Zoé"},"accountProfileCode":"UBER","maxTimeToAttemptOrderDeliverToPos":300000,` +
			`"orderCollectionTimeAsIso8601":"2026-11-21T20:00:00Z","collectionCode":"8F3A2","deliveryAddress":{"addressLine1":"1 rue X"},"payment":{"paymentMethod":"UBER","paymentAmount":20.50,"tipAmount":0.50},` +
			`"items":[{"quantity":1,"customItemName":"Open","customItemPrice":20.00}]}`,
		`POST /o/op/1/order/local {"businessLocationId":"77","thirdPartyReference":"r3","endpointId":"Box","customerInfo":{"firstName":"Zoé"},"accountIdentifier":"A1","maxTimeToAttemptOrderDeliverToPos":300000,"items":[]}`,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

func message(body string) booking.Message {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("user", "password")
	return booking.Message{Header: r.Header, Body: []byte(body)}
}

func TestRead(t *testing.T) {
	t.Parallel()
	c := client(t, "https://example.com")
	n, err := c.Read(message(`{"type":"ORDER","status":"CHECK_WAS_UPDATED","businessLocationId":77,"ikentooAccountIdentifier":"A1.7","account":{"uuid":"u","tableNumber":12,"clientCount":2,"openDate":"2026-11-21T20:15:30.000+0000",
		"currentAmount":"12.50","paidAmount":"0.00","salesEntries":[{"itemSku":"M1","itemDescription":"Bœuf","quantity":"1","amount":"12.50","categories":[{"category":"course","value":"Mains"}]}]},"new":1}`), "user", "password")
	if err != nil {
		t.Fatal(err)
	}
	check, err := n.Account.Check("EUR")
	want := booking.Check{ID: "u", Open: true, Covers: 2, Tables: []string{"12"}, OpenedAt: time.Date(2026, 11, 21, 20, 15, 30, 0, time.UTC), Currency: "EUR", Decimals: 2, Total: 1250, Due: 1250,
		Lines: []booking.Line{{SKU: "M1", Name: "Bœuf", Group: "Mains", Quantity: 1, Amount: 1250, Groups: []string{"Mains"}}}}
	if diff := cmp.Diff(want, check); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	for name, c2 := range map[string]struct {
		body, user, password string
		want                 error
	}{
		"another password": {`{}`, "user", "passwore", booking.ErrSignature},
		"no password set":  {`{}`, "user", "", booking.ErrSignature},
		"another location": {`{"status":"SUCCESS","businessLocationId":"78","thirdPartyReference":"r"}`, "user", "password", booking.ErrVenue},
	} {
		if _, err := c.Read(message(c2.body), c2.user, c2.password); !errors.Is(err, c2.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var m *booking.Malformed
	if _, err := c.Read(message(`{"account":{"currentAmount":"x"}}`), "user", "password"); !errors.As(err, &m) || len(m.Faults) != 2 {
		t.Errorf("%v", err)
	}
}

// A refresh token that was exchanged is kept before its access token is used.
func TestTokens(t *testing.T) {
	t.Parallel()
	var forms []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		forms = append(forms, string(body))
		io.WriteString(w, `{"access_token":"a`+string(rune('0'+len(forms)))+`","refresh_token":"fresh-`+string(rune('0'+len(forms)))+`","expires_in":3600}`)
	}))
	defer server.Close()
	var kept []string
	tokens, err := NewTokens(Refresh{ID: "id", Secret: "secret", Token: "first", Save: func(s string) error { kept = append(kept, s); return nil }, HTTP: rest.Config{Base: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	for i, want := range []string{"Bearer a1", "Bearer a1", "Bearer a2"} {
		if i == 2 {
			tokens.Refused("Bearer a1")
		}
		if got, err := tokens.Authorization(t.Context()); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	if diff := cmp.Diff([]string{"fresh-1", "fresh-2"}, kept); diff != "" {
		t.Error(diff)
	}
	if want := []string{"grant_type=refresh_token&refresh_token=first", "grant_type=refresh_token&refresh_token=fresh-1"}; !cmp.Equal(want, forms) {
		t.Errorf("asked with %q", forms)
	}
}

// FuzzRead: whatever is read names an order, a payment, an item or a check whose amounts are bounded.
func FuzzRead(f *testing.F) {
	for _, s := range []string{``, `{}`, `null`, `{"type":"ITEM","status":"RESTRICTED","sku":"x","count":null}`, `{"status":"SUCCESS","thirdPartyReference":"r","account":{"openDate":1795292130000,"currentAmount":4.0}}`,
		`{"status":"CLOSED","account":{"closeDate":"2026-11-21T20:15:30.000+0000","salesEntries":[{"quantity":-1,"amount":"-4.00"}],"paymentEntries":[{"amount":"1"}]}}`} {
		f.Add([]byte(s))
	}
	c := client(f, "https://example.com")
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := c.Read(message(string(body)), "user", "password")
		if err != nil {
			var m *booking.Malformed
			if !errors.As(err, &m) && !errors.Is(err, booking.ErrVenue) {
				t.Errorf("%v", err)
			}
			return
		}
		if n.Status == "" {
			t.Errorf("%q has no status", body)
		}
		if n.Account != nil {
			if check, err := n.Account.Check("EUR"); err != nil || check.Due < 0 {
				t.Errorf("%+v, %v", check, err)
			}
		}
	})
}
