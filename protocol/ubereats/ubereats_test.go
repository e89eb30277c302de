package ubereats

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

func read(body []byte) (channel.Order, error) {
	var o Order
	if err := wire.Read("", body, &o); err != nil {
		return channel.Order{}, err
	}
	return o.Channel()
}

func TestOrder(t *testing.T) {
	t.Parallel()
	got, err := read(anOrder(t))
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time { at, _ := wire.ParseTime(wire.Text(s)); return at }
	want := channel.Order{Aggregator: "ubereats", Partner: "Uber Eats", Slug: "ubereats", ID: "f9f363d1-e1c2-4595-b477-c649845bc953", FriendlyID: "BC953", Status: channel.New, Service: "delivery",
		PlacedAt: at("2026-11-21T19:16:54Z"), EstimatedPickupAt: at("2026-11-21T19:36:54Z"), AcceptBy: at("2026-11-21T19:28:24Z"), Customer: channel.Customer{Name: "Larry B.", Phone: "+1 555-555-5555", Code: "555 55 555"},
		Courier: channel.Courier{Name: "Ana", Phone: "+1", Status: "arrived"}, Note: "no cutlery", AllergyNote: "Fresh-baked muffin: tree nuts, kiwi, severe", Currency: "USD", Decimals: 2,
		Lines: []channel.Line{{ID: "Muffin", LineID: "Muffin-1", SKU: "POS-MUF", Name: "Fresh-baked muffin", Note: "warm", Quantity: 2, Price: 350, Modifiers: []channel.Modifier{
			{ID: "Choc", LineID: "Choc-1", SKU: "POS-CHO", Name: "Chocolate", Group: "Choose flavor", GroupID: "Flavor", Quantity: 1, Price: 50},
			{ID: "Nuts", Name: "- Nuts", Group: "Choose flavor", GroupID: "Flavor", Quantity: 1}}}},
		Charges:  channel.Charges{Subtotal: 800, Discount: 30, PartnerDiscount: 20, Tax: 80, DeliveryFee: 199, ServiceFee: 91, BagFee: 10, Total: 1130},
		Payments: []channel.Payment{{Amount: 1130, Method: "card"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, c := range []struct{ name, old, with, unsure, fault string }{
		{"no id", `"id":"f9f363d1-e1c2-4595-b477-c649845bc953"`, `"id":null`, "", "/id"},
		{"no currency", `"currency_code":"USD"`, `"x":1`, "", "/payment/charges/total/currency_code"},
		{"quantity", `"quantity":2`, `"quantity":0`, "", "/cart/items/0/quantity"},
		{"a modifier's quantity", `"external_data":"POS-CHO","quantity":1`, `"quantity":5000`, "", "/cart/items/0/selected_modifier_groups/0/selected_items/0/quantity"},
		{"a sum", `"sub_total":{"amount":800`, `"sub_total":{"amount":900`, "the lines make 8.00, the subtotal is 9.00", ""},
		{"another currency", `"tax":{"amount":80,"currency_code":"USD"}`, `"tax":{"amount":80,"currency_code":"EUR"}`, "tax is in EUR", ""},
		{"a type of tomorrow", `DELIVERY_BY_UBER`, `DRONE`, `type "DRONE" is not known`, ""},
	} {
		o, err := read([]byte(strings.ReplaceAll(string(anOrder(t)), c.old, c.with)))
		var m *channel.Malformed
		switch {
		case c.fault != "":
			if !errors.As(err, &m) || m.Faults[0].Pointer != c.fault {
				t.Errorf("%s: %v", c.name, err)
			}
		case err != nil || strings.Join(o.Unsure, "; ") != c.unsure:
			t.Errorf("%s: told %q, %v", c.name, o.Unsure, err)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	notice := func(kind string) []byte {
		return []byte(`{"event_id":"e-1","event_time":1795633494,"event_type":"` + kind + `","meta":{"resource_id":"o-1","status":"pos","user_id":"store-1","reason":"r"},"resource_href":"https://api.uber.com/v2/eats/order/o-1"}`)
	}
	ref := channel.Ref{Slug: "ubereats", ID: "o-1", Event: "e-1"}
	for kind, want := range map[string]channel.Event{
		OrderNotification: {Kind: channel.KindOrder}, ScheduledNotification: {Kind: channel.KindOrder}, OrderRelease: {Kind: channel.KindRelease}, IssuesResolved: {Kind: channel.KindUpdate},
		OrderCancel: {Kind: channel.KindCancel, Status: channel.Cancelled, Reason: "r"}, OrderFailure: {Kind: channel.KindCancel, Status: channel.Cancelled, Reason: "r"}, MenuRefresh: {Kind: channel.KindMenu},
		StoreProvisioned:   {Kind: channel.KindPairing, Pairing: &channel.Pairing{Act: "link", Store: "store-1", Credentials: map[string]string{}}},
		StoreDeprovisioned: {Kind: channel.KindPairing, Pairing: &channel.Pairing{Act: "unlink", Store: "store-1", Credentials: map[string]string{}}}, "orders.teleported": {Kind: channel.KindUnknown},
	} {
		want.ID, want.At, want.Type, want.Store, want.Ref, want.Raw = "e-1", time.Unix(1795633494, 0).UTC(), kind, "store-1", ref, notice(kind)
		if got, err := Decode(notice(kind)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", kind, err, got, want)
		}
	}
	for in, pointer := range map[string]string{`{`: "", `{"event_id":"x"}`: "/event_type", `{"event_type":"orders.cancel","meta":null}`: "/meta/resource_id"} {
		_, err := Decode([]byte(in))
		var m *channel.Malformed
		if !errors.As(err, &m) || m.Faults[0].Pointer != pointer {
			t.Errorf("Decode(%s) = %v", in, err)
		}
	}
}

func client(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{Store: "store-1", Credentials: channel.Credentials{ClientID: "id", ClientSecret: "Jefe"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestReceive(t *testing.T) {
	t.Parallel()
	c := client(t)
	body := []byte(`{"event_id":"e","event_type":"orders.notification","meta":{"resource_id":"o","user_id":"store-1"}}`)
	get := func(sign string, body []byte) error {
		_, err := c.Receive(channel.Message{Header: http.Header{SignatureHeader: {sign}}, Body: body})
		return err
	}
	sign := c.seal.Sign(body) // with the client secret, as there is no other
	if err := get(sign, body); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{"upper case": strings.ToUpper(sign), "with a prefix": "sha256=" + sign, "none": ""} {
		if err := get(bad, body); !errors.Is(err, channel.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := []byte(strings.Replace(string(body), "store-1", "store-2", 1))
	if err := get(c.seal.Sign(other), other); !errors.Is(err, channel.ErrStore) {
		t.Errorf("another store's: %v", err)
	}
	var m *channel.Malformed
	if err := get("", make([]byte, 10<<20)); !errors.As(err, &m) {
		t.Errorf("ten megabytes: %v", err)
	}
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "store is missing") || !strings.Contains(err.Error(), "client id") {
		t.Errorf("an empty configuration: %v", err)
	}
}

func TestMenus(t *testing.T) {
	t.Parallel()
	m := channel.Menu{Menus: []channel.MenuPart{{ID: "m", Name: "Night", Categories: []string{"c"}, Opening: &channel.Opening{Weekly: []channel.Hours{{Day: time.Saturday, From: 18 * 60, To: 26*60 + 30}}}}, {ID: "n", Name: "Always"}},
		Categories: []channel.Category{{ID: "c", Name: "Pizza", Items: []string{"i"}}},
		Items:      []channel.Item{{ID: "i", Name: "A", SKU: "S", Price: 100, Prices: []channel.PriceOverride{{Slug: "deliveroo", Price: 150}, {Slug: "ubereats", Price: 120}}, Groups: []string{"g"}, SoldOut: true}},
		Groups:     []channel.Group{{ID: "g", Name: "G", Min: 1, Max: 2, Items: []string{"i"}}}}
	got := FromMenu(&m)
	if d := got.Menus[0].ServiceAvailability; len(d) != 2 || d[0].DayOfWeek != "sunday" || d[0].TimePeriods[0] != (Period{"00:00", "02:30"}) || d[1].TimePeriods[0] != (Period{"18:00", "23:59"}) {
		t.Errorf("served %+v", d)
	}
	if len(got.Menus[1].ServiceAvailability) != 7 || got.Items[0].PriceInfo.Price != 120 || got.Items[0].ExternalData != "S" || got.Items[0].SuspensionInfo.Suspension.SuspendUntil != forever || got.ModifierGroups[0].QuantityInfo.Quantity != (Quantity{1, 2}) {
		t.Errorf("%+v", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"event_id":"e","event_type":"orders.notification","event_time":1795633494,"meta":{"resource_id":"o","user_id":"store-1"}}`))
	f.Add([]byte(`{"event_type":"orders.cancel","meta":{"resource_id":1,"reason":["x"]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Decode(body)
		var m *channel.Malformed
		if err != nil {
			if !errors.As(err, &m) {
				t.Fatal(err)
			}
			return
		}
		if again, err := Decode(body); err != nil || !reflect.DeepEqual(e, again) || e.ID == "" || e.Kind == "" {
			t.Fatalf("%+v and %+v, %v", e, again, err)
		}
	})
}

func FuzzOrder(f *testing.F) {
	f.Add(anOrder(f))
	f.Add([]byte(`{"id":1,"cart":{"items":[{"quantity":1,"price":{"unit_price":{"amount":"5","currency_code":"EUR"}},"selected_modifier_groups":[{"selected_items":[{"quantity":"2"}]},null]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := read(body)
		var m *channel.Malformed
		if err != nil {
			if !errors.As(err, &m) {
				t.Fatal(err)
			}
			return
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var kept channel.Order
		if err := json.Unmarshal(b, &kept); err != nil || !reflect.DeepEqual(kept, o) {
			t.Fatalf("%s kept as %+v, %v", b, kept, err)
		}
	})
}

func BenchmarkOrder(b *testing.B) {
	body := anOrder(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := read(body); err != nil {
			b.Fatal(err)
		}
	}
}
