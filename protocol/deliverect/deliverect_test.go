package deliverect

import (
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
)

func anOrder(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/order.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func client(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{Base: "http://127.0.0.1:1", Location: "loc-1", Account: "61a1", Currency: "eur", Hook: "https://box.example/webhooks/deliverect", Channels: map[string]string{"7": "ubereats"},
		Credentials: channel.Credentials{ClientID: "id", ClientSecret: "secret"}, WebhookSecret: []byte("hook-secret")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestDecodeOrder(t *testing.T) {
	t.Parallel()
	body := anOrder(t)
	e, err := client(t).Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time { at, _ := wire.ParseTime(wire.Text(s)); return at }
	want := channel.Order{Aggregator: "deliverect", Partner: "Uber Eats", Slug: "ubereats", ID: "TEST4206-1234", FriendlyID: "T4206", AggregatorID: "62aa7c", Status: channel.New, Service: "delivery",
		PlacedAt: at("2026-11-21T19:03:55.12Z"), PickupAt: at("2026-11-21T19:30:00Z"), DeliverAt: at("2026-11-21T19:45:00Z"),
		Customer: channel.Customer{Name: "Jack", Phone: "+31615887898", Code: "0020", Email: "test@example.com"}, Courier: channel.Courier{Name: "Ali B"}, Note: "quickly\ncall me", Currency: "EUR", Decimals: 2,
		Lines: []channel.Line{{ID: "P-BRGR", SKU: "P-BRGR", Name: "Burger Combo", Note: "no salt", Quantity: 1, Price: 500, Modifiers: []channel.Modifier{
			{ID: "DRK-01", SKU: "DRK-01", Name: "Diet Soda", Quantity: 1, Price: 100},
			{ID: "P-CHE", SKU: "P-CHE", Name: "Cheeseburger", Quantity: 1, Modifiers: []channel.Modifier{{ID: "P-GHRK", SKU: "P-GHRK", Name: "Extra Gherkin", Quantity: 2, Price: 50}}}}}},
		Charges:  channel.Charges{Subtotal: 700, PartnerDiscount: 50, Tax: 52, CourierTip: 40, TipSeparate: true, DeliveryFee: 199, BagFee: 10, Total: 899},
		Payments: []channel.Payment{{Amount: 899, Method: "card"}}, Test: true}
	if e.Kind != channel.KindOrder || e.ID != "62aa7c/1/2026-11-21T19:04:05.000000Z" || e.Store != "loc-1" || e.Ref != (channel.Ref{Slug: "ubereats", ID: "TEST4206-1234", FriendlyID: "T4206", Resource: "62aa7c", Event: e.ID}) {
		t.Errorf("event %+v", e)
	}
	if !reflect.DeepEqual(*e.Order, want) {
		t.Errorf("got  %+v\nwant %+v", *e.Order, want)
	}
	if string(e.Raw) != string(body) {
		t.Error("the message is not kept")
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	c := client(t)
	change := func(f func(o map[string]any)) []byte {
		var o map[string]any
		if err := json.Unmarshal(anOrder(t), &o); err != nil {
			t.Fatal(err)
		}
		f(o)
		b, err := json.Marshal(o, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, k := range []struct {
		name          string
		change        func(o map[string]any)
		kind          channel.Kind
		unsure, fault string
		check         func(e *channel.Event) bool
	}{
		{name: "cancel", change: func(o map[string]any) { o["status"] = 100; o["_id"] = "another" }, kind: channel.KindCancel, check: func(e *channel.Event) bool { return e.Ref.Resource == "another" && e.Ref.ID == "TEST4206-1234" }},
		{name: "done", change: func(o map[string]any) { o["status"] = 90 }, kind: channel.KindStatus, check: func(e *channel.Event) bool { return e.Status == channel.Fulfilled }},
		{name: "on its way", change: func(o map[string]any) { o["status"] = 87 }, kind: channel.KindStatus, check: func(e *channel.Event) bool { return e.Status == channel.HandedOff }},
		{name: "a code of tomorrow", change: func(o map[string]any) { o["status"] = 83; delete(o, "items") }, kind: channel.KindUnknown},
		{name: "scheduled", change: func(o map[string]any) { o["deliveryIsAsap"] = false; o["status"] = 25 }, kind: channel.KindOrder, check: func(e *channel.Event) bool { return e.Order.Scheduled }},
		{name: "a channel nobody named", change: func(o map[string]any) { o["channel"] = 12 }, kind: channel.KindOrder, check: func(e *channel.Event) bool {
			return e.Order.Slug == "deliverect-12" && e.Order.Partner == "Deliverect 12"
		}},
		{name: "a table in the note", change: func(o map[string]any) { o["orderType"] = 3; o["note"] = "Table: 12, no onions" }, kind: channel.KindOrder, check: func(e *channel.Event) bool { return e.Order.Service == "dine_in" && e.Order.Table == "12" }},
		{name: "curbside", change: func(o map[string]any) { o["orderType"] = 4 }, kind: channel.KindOrder, check: func(e *channel.Event) bool { return e.Order.Service == "pickup" }},
		{name: "three digits for a currency of two", change: func(o map[string]any) {
			o["decimalDigits"] = 3
			o["items"] = []any{map[string]any{"plu": "x", "quantity": 1, "price": 1234}}
		}, kind: channel.KindOrder, unsure: "1234 has more digits than its currency"},
		{name: "cash at the door", change: func(o map[string]any) {
			o["orderIsAlreadyPaid"] = false
			o["payment"] = map[string]any{"amount": 899, "type": 1, "due": 899}
		}, kind: channel.KindOrder, check: func(e *channel.Event) bool {
			return reflect.DeepEqual(e.Order.Payments, []channel.Payment{{Amount: 899, Method: "cash", Collect: true}})
		}},
		{name: "a sum that does not fit", change: func(o map[string]any) { o["payment"] = map[string]any{"amount": 1} }, kind: channel.KindOrder, unsure: "the lines make 7.00"},
		{name: "no id", change: func(o map[string]any) { delete(o, "channelOrderId") }, fault: "/channelOrderId"},
		{name: "quantity", change: func(o map[string]any) { o["items"].([]any)[0].(map[string]any)["quantity"] = -1 }, fault: "/items/0/quantity"},
		{name: "status of nothing", change: func(o map[string]any) { o["status"] = "x" }, fault: "/status"},
		{name: "registration", change: func(o map[string]any) {
			clear(o)
			o["location"] = "loc-1"
		}, kind: channel.KindPairing},
		{name: "something else", change: func(o map[string]any) { clear(o); o["isActive"] = true }, kind: channel.KindUnknown},
	} {
		e, err := c.Decode(change(k.change))
		var m *channel.Malformed
		if k.fault != "" {
			if !errors.As(err, &m) || m.Faults[0].Pointer != k.fault {
				t.Errorf("%s: %v, want a fault at %s", k.name, err, k.fault)
			}
			continue
		}
		if err != nil || e.Kind != k.kind || k.check != nil && !k.check(&e) {
			t.Errorf("%s: %+v, %v", k.name, e, err)
			continue
		}
		if e.Order != nil {
			if told := strings.Join(e.Order.Unsure, "; "); (told == "") != (k.unsure == "") || !strings.Contains(told, k.unsure) {
				t.Errorf("%s: told %q, want %q", k.name, told, k.unsure)
			}
		}
	}
}

func TestReceive(t *testing.T) {
	t.Parallel()
	c := client(t)
	get := func(sign string, body []byte) (channel.Receipt, error) {
		return c.Receive(channel.Message{Header: http.Header{SignatureHeader: {sign}}, Body: body})
	}
	body := anOrder(t)
	if _, err := get(c.seal.Sign(body), body); err != nil {
		t.Error(err)
	}
	if _, err := get(c.seal.Sign(body), append(body, ' ')); !errors.Is(err, channel.ErrSignature) {
		t.Errorf("one byte more: %v", err)
	}
	other := []byte(strings.Replace(string(body), "loc-1", "loc-2", 1))
	if _, err := get(c.seal.Sign(other), other); !errors.Is(err, channel.ErrStore) {
		t.Errorf("another location's: %v", err)
	}
	var m *channel.Malformed
	if _, err := get("", make([]byte, 10<<20)); !errors.As(err, &m) {
		t.Errorf("ten megabytes: %v", err)
	}
	register := []byte(`{"location":"loc-1"}`)
	r, err := get(c.seal.Sign(register), register)
	if err != nil || r.Body.(Addresses).Orders != "https://box.example/webhooks/deliverect" {
		t.Errorf("registered: %+v, %v", r, err)
	}
}

func TestNewTellsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Currency: "XYZ"})
	for _, want := range []string{"location is missing", `currency "XYZ"`, "client id and client secret"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %q", err, want)
		}
	}
}

func TestProducts(t *testing.T) {
	t.Parallel()
	m := channel.Menu{Categories: []channel.Category{{ID: "c", Name: "Pizza", Items: []string{"i1", "i2"}}}, Photos: []channel.Photo{{ID: "p", URL: "https://p.example/1.jpg"}},
		Items: []channel.Item{{ID: "i1", Name: "A", SKU: "S", Price: 100, Groups: []string{"g"}, Photos: []string{"p"}}, {ID: "i2", Name: "B", SKU: "T"}, {ID: "i3", Name: "C", SKU: "T", Price: 5}}, Groups: []channel.Group{{ID: "g", Name: "G", Max: 2, Items: []string{"i3"}}}}
	got := client(t).FromMenu(&m)
	want := []Product{{PLU: "S", Name: "A", Price: 100, ProductType: TypeProduct, PosProductID: "S", PosCategoryIDs: []string{"c"}, SubProducts: []string{"g"}, ImageURL: "https://p.example/1.jpg"},
		{PLU: "i2", Name: "B", ProductType: TypeProduct, PosProductID: "T", PosCategoryIDs: []string{"c"}}, {PLU: "i3", Name: "C", Price: 5, ProductType: TypeModifier, PosProductID: "T"},
		{PLU: "g", Name: "G", ProductType: TypeGroup, Max: 2, SubProducts: []string{"i3"}}}
	if !reflect.DeepEqual(got.Products, want) {
		t.Errorf("got  %+v\nwant %+v", got.Products, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(anOrder(f))
	f.Add([]byte(`{"location":"x"}`))
	f.Add([]byte(`{"_id":"a","channelOrderId":"b","status":100}`))
	f.Add([]byte(`{"_id":"a","channelOrderId":"b","status":1,"decimalDigits":0,"items":[{"plu":1,"quantity":"2","price":1e3,"subItems":{}}],"payment":[]}`))
	c := client(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := c.Decode(body)
		var m *channel.Malformed
		if err != nil {
			if !errors.As(err, &m) || len(m.Faults) == 0 {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		again, err := c.Decode(body)
		if err != nil || !reflect.DeepEqual(e, again) || e.ID == "" || e.Kind == "" {
			t.Fatalf("decoded twice: %+v and %+v, %v", e, again, err)
		}
		if e.Order == nil {
			return
		}
		b, err := json.Marshal(*e.Order)
		if err != nil {
			t.Fatal(err)
		}
		var kept channel.Order
		if err := json.Unmarshal(b, &kept); err != nil || !reflect.DeepEqual(kept, *e.Order) {
			t.Fatalf("%s kept as %+v, %v", b, kept, err)
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	c := client(b)
	body := anOrder(b)
	m := channel.Message{Header: http.Header{SignatureHeader: {c.seal.Sign(body)}}, Body: body}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Receive(m); err != nil {
			b.Fatal(err)
		}
	}
}
