package otter

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

func at(s string) time.Time {
	t, ok := wire.ParseTime(wire.Text(s))
	if !ok {
		panic(s)
	}
	return t
}

func newOrder(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/new_order.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeNewOrder(t *testing.T) {
	t.Parallel()
	body := newOrder(t)
	e, note, err := Decode(body)
	if err != nil || note != "" {
		t.Fatal(note, err)
	}
	order := channel.Order{
		Aggregator: "otter", Partner: "Uber Eats", Slug: "ubereats", ID: "69f60a06-c335-46d9-b5a1-97f1a211c514", FriendlyID: "8F3A2", AggregatorID: "bf9f1d81-f213-496e-a026-91b6af44996c",
		Status: channel.New, Service: "delivery", Scheduled: true, PlacedAt: at("2026-11-21T19:03:55Z"), PickupAt: at("2026-11-21T19:30:00Z"), DeliverAt: at("2026-11-21T20:00:00Z"), Prep: 25 * time.Minute,
		Customer: channel.Customer{Name: "Zoé Léger", Phone: "+33 1 23 45 67 89", Code: "111 22", Email: "z@example.com"},
		Courier:  channel.Courier{Name: "Ali", Status: "assigned", Vehicle: "Vélo AB-123"}, Note: "Sans couverts", Currency: "EUR", Decimals: 2,
		Lines: []channel.Line{
			{ID: "item-1", LineID: "line-1", SKU: "PIZ-MARG", Name: "Pizza Margherita", Category: "Pizza", CategoryID: "cat-1", Note: "well done", Quantity: 2, Price: 1150, Modifiers: []channel.Modifier{
				{ID: "mod-1", LineID: "line-1-1", Name: "Grande", Group: "Taille", GroupID: "grp-1", Quantity: 1, Price: 200, Modifiers: []channel.Modifier{
					{ID: "mod-2", SKU: "EX-OLIVE", Name: "Olives", Group: "Extras", GroupID: "grp-2", Quantity: 2, Price: 50, Modifiers: []channel.Modifier{{ID: "mod-3", Name: "noires", Quantity: 1}}}}}}},
			{Name: "Eau plate", Quantity: 1},
		},
		Charges:  channel.Charges{Subtotal: 2900, Discount: 150, PartnerDiscount: 100, Tax: 264, CourierTip: 500, TipSeparate: true, DeliveryFee: 399, ServiceFee: 99, BagFee: 24, Total: 3549},
		Payments: []channel.Payment{{Amount: 3549, Method: "card"}},
	}
	want := channel.Event{ID: "c75d9460-5d48-423d-8d01-f825fd5b1672", At: at("2026-11-21T19:04:05.120Z"), Kind: channel.KindOrder, Type: NewOrder, Store: "store-1", Order: &order,
		Ref: channel.Ref{Slug: "ubereats", ID: order.ID, FriendlyID: "8F3A2", Event: "c75d9460-5d48-423d-8d01-f825fd5b1672", Resource: order.AggregatorID}, Raw: body}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\n%+v\nwant %+v\n%+v", e, e.Order, want, want.Order)
	}
	e.Raw[0] = 'x'
	if body[0] != '{' {
		t.Error("the event shares memory with the message")
	}
}

// envelope is an event around a payload.
func envelope(kind, payload string) []byte {
	return []byte(`{"eventId":"e-1","eventTime":"2026-11-21T19:04:05Z","eventType":"` + kind + `","metadata":{"storeId":"store-1","payload":` + payload + `}}`)
}

func order(change func(o map[string]any)) string {
	o := map[string]any{"externalIdentifiers": map[string]any{"id": "o-1", "friendlyId": "AB", "source": "deliveroo"}, "currencyCode": "EUR", "status": "NEW_ORDER",
		"items": []any{map[string]any{"quantity": 2, "name": "Soupe", "price": 6.5}}, "orderTotal": map[string]any{"subtotal": 13.0, "total": 13.0}}
	if change != nil {
		change(o)
	}
	b, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func item(o map[string]any) map[string]any { return o["items"].([]any)[0].(map[string]any) }

// TestEdgeCases has those of spec/delivery.md 5.4 and hostile ones: each order is taken as well as it can be, or refused by name.
func TestEdgeCases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(o map[string]any)
		unsure string // what is told of it
		fault  string // pointer of what refuses it
		check  func(o *channel.Order) bool
	}{
		{name: "plain", check: func(o *channel.Order) bool {
			return o.Partner == "Deliveroo" && o.Service == "delivery" && !o.Scheduled && o.Lines[0].Price == 650
		}},
		{name: "items null", change: func(o map[string]any) { o["items"] = nil }, check: func(o *channel.Order) bool { return o.Lines == nil }},
		{name: "items missing", change: func(o map[string]any) { delete(o, "items") }, check: func(o *channel.Order) bool { return o.Lines == nil }},
		{name: "items are a text", change: func(o map[string]any) { o["items"] = "none" }, check: func(o *channel.Order) bool { return o.Lines == nil }},
		{name: "item without name and price", change: func(o map[string]any) { o["items"] = []any{map[string]any{"quantity": 1}} }, unsure: "the lines make 0.00, the subtotal is 13.00"},
		{name: "friendly id missing", change: func(o map[string]any) { o["externalIdentifiers"] = map[string]any{"id": "x"} }, check: func(o *channel.Order) bool { return o.Slug == "otter" && o.FriendlyID == "" }},
		{name: "ids are numbers", change: func(o map[string]any) {
			o["externalIdentifiers"] = map[string]any{"id": 12345678901, "friendlyId": 12, "source": "wolt"}
		},
			check: func(o *channel.Order) bool { return o.ID == "12345678901" && o.FriendlyID == "12" }},
		{name: "nested origin", change: func(o map[string]any) {
			o["externalIdentifiers"] = map[string]any{"id": "x", "source": "some-hub", "sourceType": "AGGREGATOR", "sourceExternalIdentifiers": map[string]any{"id": "y", "source": "doordash", "sourceType": "ORDERING_MARKETPLACE"}}
		}, check: func(o *channel.Order) bool { return o.Slug == "some-hub" && o.Partner == "DoorDash" && o.ID == "x" }},
		{name: "unknown marketplace", change: func(o map[string]any) {
			o["externalIdentifiers"] = map[string]any{"id": "x", "source": "petit-panier_fr"}
		}, check: func(o *channel.Order) bool { return o.Partner == "Petit Panier Fr" }},
		{name: "no order total", change: func(o map[string]any) { delete(o, "orderTotal") }, check: func(o *channel.Order) bool { return o.Charges == channel.Charges{} }},
		{name: "prices per line", change: func(o map[string]any) { item(o)["price"] = 13.0 }, check: func(o *channel.Order) bool { return o.Lines[0].Price == 650 }},
		{name: "prices fit nothing", change: func(o map[string]any) { item(o)["price"] = 7.0 }, unsure: "the lines make 14.00, the subtotal is 13.00"},
		{name: "sku price only", change: func(o map[string]any) { delete(item(o), "price"); item(o)["skuPrice"] = "6.50" }, check: func(o *channel.Order) bool { return o.Lines[0].Price == 650 }},
		{name: "floating point left over", change: func(o map[string]any) { item(o)["price"] = 6.499999999999999 }, unsure: "Soupe: 6.499999999999999 has more digits than its currency and is taken as 6.50"},
		{name: "price is no amount", change: func(o map[string]any) { item(o)["price"] = "free" }, unsure: `Soupe: "free" is not an amount`},
		{name: "price below zero", change: func(o map[string]any) { item(o)["price"] = -6.5 }, unsure: "Soupe costs less than nothing"},
		{name: "currency of nobody", change: func(o map[string]any) { o["currencyCode"] = "XYZ" }, unsure: "currency XYZ is not one of ISO 4217"},
		{name: "yen", change: func(o map[string]any) {
			o["currencyCode"] = "jpy"
			item(o)["price"] = 650
			o["orderTotal"] = map[string]any{"subtotal": 1300}
		}, check: func(o *channel.Order) bool {
			return o.Currency == "JPY" && o.Decimals == 0 && o.Lines[0].Price == 650 && o.Charges.Subtotal == 1300
		}},
		{name: "times that are none", change: func(o map[string]any) {
			o["orderedAt"] = "soon"
			o["preparationTime"] = map[string]any{"estimatedPreparationTime": "a while"}
		}, unsure: `time of ordering "soon" is not a time`},
		{name: "pickup", change: func(o map[string]any) {
			o["fulfillmentInfo"] = map[string]any{"fulfillmentMode": "PICKUP", "schedulingType": nil}
		}, check: func(o *channel.Order) bool { return o.Service == "pickup" && !o.Scheduled }},
		{name: "dine in", change: func(o map[string]any) {
			o["fulfillmentInfo"] = map[string]any{"fulfillmentMode": "DINE_IN", "tableIdentifier": 12}
		}, check: func(o *channel.Order) bool { return o.Service == "dine_in" && o.Table == "12" }},
		{name: "mode of tomorrow", change: func(o map[string]any) { o["fulfillmentInfo"] = map[string]any{"fulfillmentMode": "DRONE"} }, unsure: `fulfilment "DRONE" is not known`},
		{name: "cash", change: func(o map[string]any) {
			o["customerPayments"] = []any{nil, map[string]any{"value": 13, "processingStatus": "COLLECTABLE", "paymentMethod": "CASH"}, map[string]any{"value": 0, "processingStatus": "PROCESSED", "paymentMethod": "PIX"}}
		}, check: func(o *channel.Order) bool {
			return reflect.DeepEqual(o.Payments, []channel.Payment{{Amount: 1300, Method: "cash", Collect: true}, {Method: "other"}})
		}},
		{name: "tip of nobody", change: func(o map[string]any) { o["orderTotal"] = map[string]any{"subtotal": 13.0, "tip": 5} }, check: func(o *channel.Order) bool {
			return o.Charges.CourierTip == 500 && o.Charges.Tip == 0 && !o.Charges.TipSeparate
		}},
		{name: "tip of the restaurant", change: func(o map[string]any) {
			o["orderTotalV2"] = map[string]any{"customerTotal": map[string]any{"tipForRestaurant": map[string]any{"breakdown": []any{map[string]any{"subType": "VALUE", "value": 2}}}}}
		}, check: func(o *channel.Order) bool { return o.Charges.Tip == 200 && o.Charges.TipSeparate }},
		{name: "only the newer totals", change: func(o map[string]any) {
			delete(o, "orderTotal")
			o["orderTotalV2"] = map[string]any{"customerTotal": map[string]any{"foodSales": map[string]any{"breakdown": []any{map[string]any{"subType": "VALUE", "value": 13}, map[string]any{"subType": "TAX", "value": 1.3}}}}}
		}, check: func(o *channel.Order) bool { return o.Charges.Subtotal == 1300 && o.Unsure == nil }},
		{name: "emoji and right to left", change: func(o map[string]any) { item(o)["name"] = "🍕 פיצה" }, check: func(o *channel.Order) bool { return o.Lines[0].Name == "🍕 פיצה" }},

		{name: "no id", change: func(o map[string]any) { o["externalIdentifiers"] = nil }, fault: "/metadata/payload/externalIdentifiers/id"},
		{name: "no currency", change: func(o map[string]any) { delete(o, "currencyCode") }, fault: "/metadata/payload/currencyCode"},
		{name: "quantity zero", change: func(o map[string]any) { item(o)["quantity"] = 0 }, fault: "/metadata/payload/items/0/quantity"},
		{name: "quantity below zero", change: func(o map[string]any) { item(o)["quantity"] = -2 }, fault: "/metadata/payload/items/0/quantity"},
		{name: "quantity absurd", change: func(o map[string]any) { item(o)["quantity"] = 1e9 }, fault: "/metadata/payload/items/0/quantity"},
		{name: "quantity of 1.5", change: func(o map[string]any) { item(o)["quantity"] = 1.5 }, fault: "/metadata/payload/items/0/quantity"},
		{name: "quantity missing", change: func(o map[string]any) { delete(item(o), "quantity") }, fault: "/metadata/payload/items/0/quantity"},
		{name: "modifier's quantity", change: func(o map[string]any) { item(o)["modifiers"] = []any{map[string]any{"quantity": 1001, "name": "x"}} }, fault: "/metadata/payload/items/0/modifiers/0/quantity"},
		{name: "too deep", change: func(o map[string]any) {
			in := map[string]any{"quantity": 1, "name": "x"}
			for range MaxLevels {
				in = map[string]any{"quantity": 1, "name": "x", "modifiers": []any{in}}
			}
			item(o)["modifiers"] = []any{in}
		}, fault: "/metadata/payload/items/0" + strings.Repeat("/modifiers/0", MaxLevels) + "/modifiers"},
		{name: "too many items", change: func(o map[string]any) {
			items := make([]any, MaxItems+1)
			for i := range items {
				items[i] = map[string]any{"quantity": 1}
			}
			o["items"] = items
		}, fault: "/metadata/payload/items"},
		{name: "two hundred lines of a thousand, four levels deep", change: func(o map[string]any) {
			in := map[string]any{"quantity": 1, "name": "x", "price": 0}
			for range 3 {
				in = map[string]any{"quantity": 1, "name": "x", "price": 0, "modifiers": []any{in}}
			}
			items := make([]any, 200)
			for i := range items {
				items[i] = map[string]any{"quantity": 1000, "name": "y", "price": 1, "modifiers": []any{in}}
			}
			o["items"], o["orderTotal"] = items, map[string]any{"subtotal": 200000}
		}, check: func(o *channel.Order) bool {
			return len(o.Lines) == 200 && o.Lines[199].Quantity == 1000 && o.Lines[0].Modifiers[0].Modifiers[0].Modifiers[0].Modifiers[0].Name == "x"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, _, err := Decode(envelope(NewOrder, order(c.change)))
			var m *channel.Malformed
			if c.fault != "" {
				if !errors.As(err, &m) || m.Faults[0].Pointer != c.fault {
					t.Fatalf("got %v, want a fault at %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if told := strings.Join(e.Order.Unsure, "; "); (c.unsure == "") != (told == "") || !strings.Contains(told, c.unsure) {
				t.Errorf("told %q, want %q", told, c.unsure)
			}
			if c.check != nil && !c.check(e.Order) {
				t.Errorf("got %+v", e.Order)
			}
		})
	}
}

func TestDecodeEvents(t *testing.T) {
	t.Parallel()
	ids := `"externalIdentifiers":{"id":"o-1","friendlyId":"AB","source":"UberEats"}`
	ref := channel.Ref{Slug: "ubereats", ID: "o-1", FriendlyID: "AB", Event: "e-1"}
	byID := channel.Ref{ID: "o-1", Event: "e-1"}
	for _, c := range []struct {
		name, kind, payload string
		want                channel.Event
	}{
		{"update", UpdateOrder, order(nil), channel.Event{Kind: channel.KindUpdate, Status: channel.New, Ref: channel.Ref{Slug: "deliveroo", ID: "o-1", FriendlyID: "AB", Event: "e-1"}}},
		{"cancel", CancelOrder, `{` + ids + `,"cancellationReason":"KITCHEN_CLOSED"}`, channel.Event{Kind: channel.KindCancel, Reason: "KITCHEN_CLOSED", Ref: ref}},
		{"history", OrderStatus, `{` + ids + `,"orderStatusHistory":[{"status":"ORDER_HANDED_OFF"},null,{"status":"ORDER_ACCEPTED"},{"status":"ORDER_TELEPORTED"}]}`,
			channel.Event{Kind: channel.KindStatus, Status: channel.HandedOff, Ref: ref}},
		{"confirm", OrderConfirmed, `{"orderId":"o-1"}`, channel.Event{Kind: channel.KindStatus, Status: channel.Accepted, Ref: byID}},
		{"ready", OrderReady, `{"orderId":"o-1"}`, channel.Event{Kind: channel.KindStatus, Status: channel.Prepared, Ref: byID}},
		{"handed off", OrderHandedOff, `{"orderId":"o-1","courierBodyTempFahrenheit":36.6}`, channel.Event{Kind: channel.KindStatus, Status: channel.HandedOff, Ref: byID}},
		{"fulfilled", OrderFulfilled, `{"orderId":"o-1"}`, channel.Event{Kind: channel.KindStatus, Status: channel.Fulfilled, Ref: byID}},
		{"injection", InjectionState, `{` + ids + `,"injectionState":"SUCCEEDED_WITH_UNLINKED_ITEM","injectionIssue":"ITEM_MAPPING_FAILED"}`,
			channel.Event{Kind: channel.KindInjection, Injection: channel.InjectionUnlinked, Issue: "ITEM_MAPPING_FAILED", Ref: ref}},
		{"send menu", SendMenu, `{}`, channel.Event{Kind: channel.KindMenu, Ref: channel.Ref{Event: "e-1"}}},
		{"hours", UpsertHours, `{"menuHoursData":{}}`, channel.Event{Kind: channel.KindHours, Hours: map[string]channel.Opening{}, Ref: channel.Ref{Event: "e-1"}}},
		{"hours of no menu", UpsertHours, `{}`, channel.Event{Kind: channel.KindHours, Faults: []channel.Fault{{Pointer: "/metadata/payload/menuHoursData", Detail: "is missing"}}, Ref: channel.Ref{Event: "e-1"}}},
		{"asks for hours", GetHours, `{}`, channel.Event{Kind: channel.KindAskHours, Ref: channel.Ref{Event: "e-1"}}},
		{"availability", Availabilities, `{"updates":[{"selector":{"id":"i-1"},"status":{"saleStatus":"TEMPORARILY_NOT_FOR_SALE","suspendedUntil":"2026-11-22T04:00:00Z"}},{"selector":{"id":"i-2","isModifier":true},"status":{"saleStatus":"FOR_SALE"}},{"selector":null}]}`,
			channel.Event{Kind: channel.KindAvailability, Ref: channel.Ref{Event: "e-1"}, Availability: []channel.Availability{{ID: "i-1", Until: at("2026-11-22T04:00:00Z")}, {ID: "i-2", On: true}}}},
		{"pause", PauseStore, `{}`, channel.Event{Kind: channel.KindPause, Ref: channel.Ref{Event: "e-1"}}},
		{"resume by text", UnpauseStore, `"closure-7"`, channel.Event{Kind: channel.KindResume, Reason: "closure-7", Ref: channel.Ref{Event: "e-1"}}},
		{"resume by object", UnpauseStore, `{"closureId":"closure-7"}`, channel.Event{Kind: channel.KindResume, Reason: "closure-7", Ref: channel.Ref{Event: "e-1"}}},
		{"resume by nothing", UnpauseStore, `null`, channel.Event{Kind: channel.KindResume, Ref: channel.Ref{Event: "e-1"}}},
		{"store", GetAvailability, `{}`, channel.Event{Kind: channel.KindStore, Ref: channel.Ref{Event: "e-1"}}},
		{"delivery", "delivery.request_quote", `{"what":[1]}`, channel.Event{Kind: channel.KindDelivery, Ref: channel.Ref{Event: "e-1"}}},
		{"report", ReportGenerated, `{}`, channel.Event{Kind: channel.KindReport, Ref: channel.Ref{Event: "e-1"}}},
		{"ping", Ping, `{}`, channel.Event{Kind: channel.KindPing, Ref: channel.Ref{Event: "e-1"}}},
		{"pairing", UpsertStore, `{"credentials":[{"key":"store_id","value":"store-1"}],"storeInfo":{"name":"Chez Zoé","internalStoreId":"i-9"}}`, channel.Event{Kind: channel.KindPairing, Ref: channel.Ref{Event: "e-1"},
			Pairing: &channel.Pairing{Act: "link", Store: "store-1", Name: "Chez Zoé", Credentials: map[string]string{"store_id": "store-1"}}}},
		{"unpairing", RemoveStore, `{}`, channel.Event{Kind: channel.KindPairing, Ref: channel.Ref{Event: "e-1"}, Pairing: &channel.Pairing{Act: "unlink", Store: "store-1", Credentials: map[string]string{}}}},
		{"something new", "orders.teleported", `[1,2]`, channel.Event{Kind: channel.KindUnknown, Ref: channel.Ref{Event: "e-1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := envelope(c.kind, c.payload)
			got, note, err := Decode(body)
			if err != nil || note != "" {
				t.Fatal(note, err)
			}
			c.want.ID, c.want.At, c.want.Type, c.want.Store, c.want.Raw = "e-1", at("2026-11-21T19:04:05Z"), c.kind, "store-1", body
			got.Order = nil
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// The published sample has a time that is none and an id that is no uuid; others have neither.
func TestDecodeEnvelope(t *testing.T) {
	t.Parallel()
	e, note, err := Decode([]byte(`{"eventId":"123456","eventTime":"2020-10-10T20:06:02:123Z","eventType":"ping.ping","metadata":{"storeId":"s","payload":{}}}`))
	if err != nil || note != "" || e.ID != "123456" || !e.At.Equal(time.Date(2020, 10, 10, 20, 6, 2, 123e6, time.UTC)) {
		t.Errorf("%+v, %q, %v", e, note, err)
	}
	e, note, err = Decode([]byte(`{"eventType":"ping.ping"}`))
	if err != nil || note != "its eventTime is not a time" || !strings.HasPrefix(e.ID, "sha256:") || !e.At.IsZero() {
		t.Errorf("%+v, %q, %v", e, note, err)
	}
	for in, pointer := range map[string]string{
		``: "", `{`: "", `[]`: "", `{"eventId":"x"}`: "/eventType", `{"eventType":"orders.new_order"}`: "/metadata/payload", `{"eventType":"orders.new_order","metadata":{"payload":7}}`: "/metadata/payload",
		`{"eventType":"orders.cancel_order","metadata":{"payload":{}}}`:                                                         "/metadata/payload/externalIdentifiers/id",
		`{"eventType":"orders.confirm","metadata":{"payload":{}}}`:                                                              "/metadata/payload/externalIdentifiers/id",
		`{"eventType":"` + strings.Repeat("x", 300) + `","metadata":{}}`:                                                        "/eventId",
		`{"eventType":"menus.menu_publish","metadata":{"payload":{"menuData":{"items":{"i":{"price":{"currencyCode":"?"}}}}}}}`: "/metadata/payload/menuData/items/i",
	} {
		_, _, err := Decode([]byte(in))
		var m *channel.Malformed
		if !errors.As(err, &m) || m.Faults[0].Pointer != pointer {
			t.Errorf("Decode(%s) = %v, want a fault at %q", in, err, pointer)
		}
	}
}

func testClient(t testing.TB, base string) *Client {
	t.Helper()
	c, err := New(Config{Base: base, Store: "store-1", Credentials: channel.Credentials{ClientID: "app", ClientSecret: "app-secret", Application: "app-1"}, WebhookSecret: []byte("hook-secret")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestReceiveProvesTheSender(t *testing.T) {
	t.Parallel()
	c := testClient(t, "http://127.0.0.1:1")
	body := newOrder(t)
	seal := wire.Seal{Secret: []byte("hook-secret")}
	sign := seal.Sign(body)
	raw, err := hex.DecodeString(sign)
	if err != nil {
		t.Fatal(err)
	}
	get := func(c *Client, value, authorization string, body []byte) error {
		h := http.Header{}
		if value != "" {
			h.Set(SignatureHeader, value)
		}
		if authorization != "" {
			h.Set("Authorization", authorization)
		}
		_, err := c.Receive(channel.Message{Header: h, Body: body})
		return err
	}
	for _, good := range []string{sign, strings.ToUpper(sign), base64.StdEncoding.EncodeToString(raw)} {
		if err := get(c, good, "", body); err != nil {
			t.Errorf("signature %s: %v", good, err)
		}
	}
	bit := "0" + sign[1:]
	if sign[0] == '0' {
		bit = "1" + sign[1:]
	}
	again, err := json.Marshal(must[map[string]any](t, body), json.Deterministic(true)) // the same values, other bytes
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"one bit": get(c, bit, "", body), "missing": get(c, "", "", body), "encoded anew": get(c, sign, "", again)} {
		if !errors.Is(err, channel.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := []byte(strings.Replace(string(body), "store-1", "store-2", 1))
	if err := get(c, seal.Sign(other), "", other); !errors.Is(err, channel.ErrStore) {
		t.Errorf("another store's: %v", err)
	}
	var m *channel.Malformed
	if err := get(c, sign, "", make([]byte, 10<<20)); !errors.As(err, &m) {
		t.Errorf("ten megabytes: %v", err)
	}

	with := func(k channel.Credentials) *Client {
		k.ClientID, k.ClientSecret = "app", "app-secret"
		c, err := New(Config{Base: "https://otter.example", Store: "store-1", Credentials: k, WebhookSecret: []byte("hook-secret")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	if c := with(channel.Credentials{Token: "t0ken"}); get(c, sign, "Bearer t0ken", body) != nil || !errors.Is(get(c, sign, "Bearer t0ken2", body), channel.ErrSignature) || !errors.Is(get(c, sign, "", body), channel.ErrSignature) {
		t.Error("an agreed token is not looked at")
	}
	if c := with(channel.Credentials{Username: "u", Password: "p"}); get(c, sign, "Basic dTpw", body) != nil || !errors.Is(get(c, sign, "Basic dTpx", body), channel.ErrSignature) {
		t.Error("an agreed password is not looked at")
	}
}

func must[T any](t testing.TB, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReceivePairing(t *testing.T) {
	t.Parallel()
	c := testClient(t, "http://127.0.0.1:1")
	for store, value := range map[string]string{"onboarding:905bb725": "", "store-1": `,"value":"store-1"`} {
		body := []byte(`{"eventId":"e","eventTime":"2026-11-21T19:04:05Z","eventType":"stores.fetch_credentials","metadata":{"storeId":"` + store + `","payload":{}}}`)
		r, err := c.Receive(channel.Message{Header: http.Header{http.CanonicalHeaderKey(SignatureHeader): {c.seal.Sign(body)}}, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(r.Body)
		if want := `{"credentialsSchemaVersion":"1.0","credentials":[{"key":"store_id","label":"Store id of the box"` + value + `}]}`; err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", store, got, err)
		}
		if len(r.Events) != 1 || r.Events[0].Pairing.Act != "credentials" {
			t.Errorf("%+v", r.Events)
		}
	}
}

func TestNewTellsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Store: "é"})
	for _, want := range []string{"base address is missing", `store "é"`, "client id and client secret"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %q", err, want)
		}
	}
	if _, err := New(Config{Base: "http://otter.example", Store: "s", Credentials: channel.Credentials{ClientID: "a", ClientSecret: "b"}}); err == nil {
		t.Error("an address without TLS is taken")
	}
}

// A menu that is told comes back as it was, up to the order of what has none.
func TestMenuComesBack(t *testing.T) {
	t.Parallel()
	m := channel.Menu{
		Menus: []channel.MenuPart{{ID: "m1", Name: "Carte", Categories: []string{"c1"}, Services: []string{"delivery", "pickup"},
			Opening: &channel.Opening{Zone: "Europe/Paris", Weekly: []channel.Hours{{Day: time.Friday, From: 11 * 60, To: 26 * 60}}, Special: []channel.Special{{Date: "2026-12-25", Hours: []channel.Span{}}}}}},
		Categories: []channel.Category{{ID: "c1", Name: "Pizza", Items: []string{"i2", "i1"}, Photos: []string{"p1"}}},
		Items: []channel.Item{
			{ID: "i1", Name: "Margherita", Description: "d", SKU: "PIZ", Price: 1150, Currency: "EUR", Prices: []channel.PriceOverride{{Slug: "ubereats", Price: 1300}, {Service: "pickup", Price: 1000}},
				Groups: []string{"g1"}, Photos: []string{"p1"}, Allergens: []string{"GLUTEN"}, Dietary: []string{"VEGETARIAN"}, Barcodes: []string{"049"}},
			{ID: "i2", Name: "Bière", Price: 500, Currency: "EUR", Alcohol: true, SoldOut: true, SoldOutTill: at("2026-11-22T04:00:00Z"), Photos: []string{}},
			{ID: "i3", Name: "Olives", Price: 50, Currency: "EUR", SoldOut: true, Photos: []string{}},
		},
		Groups: []channel.Group{{ID: "g1", Name: "Extras", Min: 0, Max: 3, MaxOfOne: 0, Items: []string{"i3"}}},
		Photos: []channel.Photo{{ID: "p1", URL: "https://p.example/1.jpg"}},
	}
	b, err := json.Marshal(FromMenu(&m, true))
	if err != nil {
		t.Fatal(err)
	}
	got, err := must[MenuData](t, b).Menu("")
	if err != nil {
		t.Fatal(err)
	}
	got.Items[1].Photos, got.Items[2].Photos = []string{}, []string{}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got  %+v\nwant %+v", got, m)
	}
	b, err = json.Marshal(FromMenu(&m, false))
	if err != nil {
		t.Fatal(err)
	}
	got, err = must[MenuData](t, b).Menu("")
	if err != nil || got.Items[0].Photos[0] != "https://p.example/1.jpg" || got.Items[0].Prices[0] != m.Items[0].Prices[0] {
		t.Errorf("upserted: %+v, %v", got, err)
	}
	if late := intervals(channel.Hours{Day: time.Saturday, From: 18 * 60, To: 26 * 60}); len(late) != 2 || late[1] != (Interval{Day: "SUNDAY", ToHour: 2}) {
		t.Errorf("an opening over midnight is %+v", late)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	now := channel.Menu{Categories: []channel.Category{{ID: "c", Name: "Alt", Items: []string{"b", "a", "gone"}}},
		Items: []channel.Item{{ID: "a", Name: "A alt", Price: 100, Currency: "EUR", Prices: []channel.PriceOverride{{Slug: "ubereats", Price: 120}}}, {ID: "gone", Name: "Weg"}, {ID: "b", Name: "B"}}}
	wanted := channel.Menu{Categories: []channel.Category{{ID: "c", Name: "Neu", Items: []string{"a", "b", "new"}}},
		Items: []channel.Item{{ID: "a", Name: "A neu", Price: 200, Currency: "EUR", SoldOut: true}, {ID: "b", Name: "B"}, {ID: "new", Name: "N"}}}
	for _, c := range []struct {
		name  string
		o     channel.SyncOptions
		items []string
		list  string
		first channel.Item
	}{
		{"nothing", channel.SyncOptions{}, []string{"a", "gone", "b"}, "b a gone", now.Items[0]},
		{"names", channel.SyncOptions{Names: true}, []string{"a", "gone", "b"}, "b a gone", channel.Item{ID: "a", Name: "A neu", Price: 100, Currency: "EUR", Prices: now.Items[0].Prices}},
		{"prices", channel.SyncOptions{Prices: true}, []string{"a", "gone", "b"}, "b a gone", channel.Item{ID: "a", Name: "A alt", Price: 200, Currency: "EUR"}},
		{"make and take", channel.SyncOptions{Create: true, Delete: true, Organization: true}, []string{"a", "b", "new"}, "b a new", now.Items[0]},
		{"arrange", channel.SyncOptions{Arrangement: true}, []string{"a", "gone", "b"}, "a b gone", now.Items[0]},
		{"both", channel.SyncOptions{Arrangement: true, Organization: true, Availability: true}, []string{"a", "gone", "b"}, "a b new",
			channel.Item{ID: "a", Name: "A alt", Price: 100, Currency: "EUR", Prices: now.Items[0].Prices, SoldOut: true}},
	} {
		got := Merge(now, wanted, c.o)
		var ids []string
		for _, i := range got.Items {
			ids = append(ids, i.ID)
		}
		if !reflect.DeepEqual(ids, c.items) || strings.Join(got.Categories[0].Items, " ") != c.list || !reflect.DeepEqual(got.Items[0], c.first) {
			t.Errorf("%s: %v, %v, %+v", c.name, ids, got.Categories[0].Items, got.Items[0])
		}
	}
}

func TestErrorsSpeakOttersWords(t *testing.T) {
	t.Parallel()
	e := &rest.Error{Op: "x", Method: "POST", Path: "/y", Status: 422, Fate: rest.Refused, Body: []byte(`{"message":"The request body\nis invalid.","details":[{"attribute":"a","message":"b"}]}`)}
	err := explained(e)
	var r *rest.Error
	if !errors.As(err, &r) || r != e || !strings.HasSuffix(err.Error(), `Otter says "The request body is invalid.; a: b"`) {
		t.Errorf("%v", err)
	}
	e.Body = []byte("<html>")
	if explained(e) != error(e) {
		t.Error("a page became Otter's words")
	}
}

// What decodes is told again to the same values.
func FuzzDecode(f *testing.F) {
	f.Add(newOrder(f))
	f.Add(envelope(NewOrder, order(nil)))
	f.Add(envelope(CancelOrder, `{"externalIdentifiers":{"id":"o"},"cancellationReason":"X"}`))
	f.Add(envelope(OrderStatus, `{"orderStatusHistory":[{"status":"ORDER_ACCEPTED"}]}`))
	f.Add(envelope(Availabilities, `{"updates":[{"selector":{"id":"i"},"status":{"saleStatus":"FOR_SALE"}}]}`))
	f.Add(envelope(UnpauseStore, `"x"`))
	f.Add(envelope(UpsertHours, sampleHours))
	f.Add(envelope(UpsertHours, `{"menuHoursData":{"m":{"timeZone":"UTC","regularHours":[{"days":["sunday","MONDAY"],"timeRanges":[{"start":"22:00","end":"02:00"},{"start":0,"end":1440}]}],"specialHours":[{"date":"2026-12-24","timeRanges":[{"start":"8:00","end":"12:00:00"}]}]}}}`))
	f.Add(envelope(UpsertHours, `{"menuHoursData":{"a/b~c":{"regularHours":"never","specialHours":null}}}`))
	f.Add(envelope(MenuPublish, `{"menuData":{"menus":{"m":{"id":"m","hoursData":{"timeZone":"Europe/Paris","regularHours":[]}}}}}`))
	f.Add(envelope(MenuPublish, `{"menuData":{"items":{"i":{"id":"i","price":{"currencyCode":"EUR","amount":1.5}}}}}`))
	f.Add([]byte(`{"eventType":"x","metadata":{"payload":{"a":1,"a":2}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, _, err := Decode(body)
		var m *channel.Malformed
		if err != nil {
			if !errors.As(err, &m) || len(m.Faults) == 0 {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if e.ID == "" || e.Kind == "" || len(e.ID) > maxText {
			t.Fatalf("event without an id or kind: %+v", e)
		}
		again, _, err := Decode(body)
		if err != nil || !reflect.DeepEqual(e, again) {
			t.Fatalf("decoded twice: %+v and %+v, %v", e, again, err)
		}
		for id, o := range e.Hours {
			hoursHold(t, id, o)
		}
		if e.Order == nil {
			return
		}
		b, err := json.Marshal(*e.Order)
		if err != nil {
			t.Fatalf("%+v cannot be kept: %v", e.Order, err)
		}
		var kept channel.Order
		if err := json.Unmarshal(b, &kept); err != nil || !reflect.DeepEqual(kept, *e.Order) {
			t.Fatalf("%s kept as %+v, %v", b, kept, err)
		}
		for _, l := range e.Order.Lines {
			if l.Quantity < 1 || l.Quantity > MaxQuantity || l.Price > wire.MaxAmount || l.Price < -wire.MaxAmount {
				t.Fatalf("line %+v", l)
			}
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	c := testClient(b, "http://127.0.0.1:1")
	body := newOrder(b)
	m := channel.Message{Header: http.Header{http.CanonicalHeaderKey(SignatureHeader): {c.seal.Sign(body)}}, Body: body}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Receive(m); err != nil {
			b.Fatal(err)
		}
	}
}
