package box

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aboyeur/protocol/channel"
	wire "aboyeur/protocol/otter"
	"aboyeur/simulate/deliveries"
	"aboyeur/simulate/otter"
)

const bistroMenu = `
groups:
  - {id: extras, name: Suppléments, max: 3, modifiers: [{sku: X-CHZ, name: Extra mozzarella, price: 1.50}]}
categories:
  - id: grill
    name: Grill
    items:
      - {sku: PIZ-01, name: Margherita, price: 12.50, groups: [extras], prices: {ubereats: 13.90}}
      - {sku: VAN, name: Vanille, price: 4, variations: [{sku: VAN-L, name: Grande, price: 6.50}]}
  - {id: cellar, name: Cave, online: false, items: [{sku: VIN, name: Brouilly, price: 32}]}
`

type (
	menuRun struct {
		ID, State, Cause, Detail string
		Published                bool
		Count                    struct{ Items, Hidden int }
		Changes                  []struct{ ID, Field, Old, New string }
	}
	menuSums struct {
		Unlinked struct {
			Items     int `json:"items"`
			Groups    int `json:"modifier_groups"`
			Modifiers int `json:"modifiers"`
		}
		Green bool
		Links []struct {
			ID, Kind, Name, Group string
			Linked                bool
		}
	}
)

// tick says that everything at the marketplaces is done.
func (m *market) tick() {
	var link struct {
		Checklist []struct{ Partner, Step string }
	}
	m.r.must(http.StatusOK, "GET", "/v1/integrations/otter", nil, &link)
	for _, c := range link.Checklist {
		m.r.must(http.StatusOK, "PUT", "/v1/integrations/otter/checklist", `{"partner":"`+c.Partner+`","step":"`+c.Step+`","done":true}`, nil)
	}
}

// An evening with Otter: the menu file becomes Otter's menu, orders are found again in it by the ids that were published, what
// nobody knows fails by name, what is sold out is told, and what was made at Otter itself is counted and linked
// (spec/delivery.md 12, scenarios 8, 12 and 13).
func TestMenusOverOtter(t *testing.T) {
	m := newMarket(t, otter.Config{})
	file := filepath.Join(t.TempDir(), "menu.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(bistroMenu)
	m.r.config.POS.MenuFile = file
	m.r.config.Delivery[0].MenuSync.AutoUpdate = false
	change := m.r.change
	m.r.change = func(o *Options) { change(o); o.resolver = nil }
	m.r.start()
	sync := func(body string) (run menuRun) {
		t.Helper()
		m.r.must(http.StatusAccepted, "POST", "/v1/menu/sync", body, &run)
		m.r.wait("the run ends", func() bool {
			m.r.must(http.StatusOK, "GET", "/v1/menu/sync/"+run.ID, nil, &run)
			return run.State != "queued" && run.State != "running" && run.State != "publishing"
		})
		if run.State != "done" {
			t.Fatalf("the run ended %s: %s %s", run.State, run.Cause, run.Detail)
		}
		return run
	}
	var blocked struct {
		Menus []struct{ Prerequisites []string }
	}
	m.r.must(http.StatusOK, "GET", "/v1/menu/menus", nil, &blocked)
	if len(blocked.Menus) != 1 || len(blocked.Menus[0].Prerequisites) != 3 {
		t.Errorf("before anybody ticked a step the menu waits for %+v, want three steps", blocked)
	}
	m.tick()
	if run := sync(`{"publish":true}`); !run.Published || run.Count.Items != 3 || run.Count.Hidden != 1 {
		t.Errorf("%+v", run)
	}
	menu := m.Menu()
	if menu.Items["v-VAN-L"].Name != "Grande - Vanille" || menu.Items["i-PIZ-01"].Price.Amount != "12.50" || len(menu.Items) != 4 {
		t.Fatalf("Otter has %+v", menu.Items)
	}
	counters := func() (s menuSums) {
		t.Helper()
		m.r.must(http.StatusOK, "GET", "/v1/menu/links", nil, &s)
		return s
	}
	if s := counters(); !s.Green {
		t.Errorf("after publishing %+v", s)
	}

	// An order names what was published; the POS's SKU and the kitchen's category are found.
	o := m.order()
	o.Lines = []channel.Line{{ID: "i-PIZ-01", Name: "Margherita", Quantity: 1, Price: 1390, Modifiers: []channel.Modifier{{ID: "m-extras~X-CHZ", Name: "Extra mozzarella", Group: "Suppléments", GroupID: "g-extras", Quantity: 1, Price: 150}}},
		{ID: "v-VAN-L", Name: "Grande - Vanille", Quantity: 1, Price: 650}}
	o.Charges = channel.Charges{Subtotal: 2190, Total: 2190}
	m.place(o)
	m.is(o.ID, "accepted", "yes")
	var list struct {
		Orders []struct {
			SourceOrderID string `json:"source_order_id"`
			Lines         []struct {
				SKU, Category string
				Modifiers     []struct{ SKU string }
			}
		}
	}
	m.r.must(http.StatusOK, "GET", "/v1/orders", nil, &list)
	if l := list.Orders[0].Lines; len(l) != 2 || l[0].SKU != "PIZ-01" || l[0].Category != "Grill" || l[0].Modifiers[0].SKU != "X-CHZ" || l[1].SKU != "VAN-L" {
		t.Errorf("lines %+v", l)
	}
	bad := m.order()
	bad.Lines = []channel.Line{{ID: "i-PIZ-01", Name: "Margherita", Quantity: 1, Price: 1250, Modifiers: []channel.Modifier{{ID: "who", Name: "Truffe", Group: "Suppléments", GroupID: "g-extras", Quantity: 1, Price: 500}}}}
	bad.Charges = channel.Charges{Subtotal: 1750, Total: 1750}
	m.place(bad)
	if got := m.is(bad.ID, "accepted", "no"); got.Injection.Cause != "ITEM_MAPPING_FAILED" {
		t.Errorf("injection %+v", got.Injection)
	}

	// Sold out in the kitchen is sold out at Otter, and back.
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/PIZ-01/sold-out", (`{"name":"Margherita"}`), nil)
	m.r.wait("Otter knows", func() bool { _, off := m.Off()["i-PIZ-01"]; return off })
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/PIZ-01/back", nil, nil)
	m.r.wait("it is back", func() bool { return len(m.Off()) == 0 })

	// Otter asks for the menu as it is.
	if _, _, err := m.Send(t.Context(), deliveries.Event{ID: "ask-1", Kind: channel.KindMenu}); err != nil {
		t.Fatal(err)
	}
	m.r.wait("it gets it", func() bool {
		return slices.ContainsFunc(m.Acts(), func(a deliveries.Act) bool { return a.Op == "current" && a.Event == "ask-1" && a.Detail == "4 items" })
	})

	// What was made at Otter itself counts until each is linked.
	made := channel.Menu{
		Menus: []channel.MenuPart{{ID: "om", Name: "Otter", Categories: []string{"oc"}}}, Categories: []channel.Category{{ID: "oc", Name: "Alles", Items: []string{"oi", "i-VAN"}}},
		Items:  []channel.Item{{ID: "oi", Name: "Pizza maison", Price: 1500, Currency: "EUR", Groups: []string{"og"}}, {ID: "ox", Name: "Bleu", Price: 170, Currency: "EUR"}, {ID: "i-VAN", Name: "Vanille", Price: 400, Currency: "EUR"}},
		Groups: []channel.Group{{ID: "og", Name: "Fromages", Max: 1, Items: []string{"ox"}}},
	}
	if _, _, err := m.Send(t.Context(), deliveries.Event{ID: "made-1", Kind: channel.KindPublish, Payload: map[string]any{"menuData": wire.FromMenu(&made, true)}}); err != nil {
		t.Fatal(err)
	}
	m.r.wait("the box counts 1/1/1", func() bool { u := counters().Unlinked; return u.Items == 1 && u.Groups == 1 && u.Modifiers == 1 })
	for _, link := range []string{`"kind":"item","id":"oi","target":"i-PIZ-01"`, `"kind":"group","id":"og","target":"g-extras"`, `"kind":"modifier","group":"og","id":"ox","target":"m-extras~X-CHZ"`} {
		m.r.must(http.StatusOK, "PUT", "/v1/menu/links", (`{"menu":"otter",` + link + `}`), nil)
	}
	if s := counters(); !s.Green {
		t.Errorf("each is linked, and the counters are %+v", s.Unlinked)
	}
	if !strings.Contains(string(m.r.fetch("/metrics")), `aboyeur_menu_unlinked{kind="items"} 0`) {
		t.Error("the metric does not say so")
	}

	// A menu file that is wrong fails the update with its place, and nothing changes.
	write("categories: [{id: a, name: A, items: [{sku: S, name: N, price: dear}]}]\n")
	var run menuRun
	m.r.must(http.StatusAccepted, "POST", "/v1/menu/sync", (`{}`), &run)
	m.r.wait("the run fails", func() bool {
		m.r.must(http.StatusOK, "GET", "/v1/menu/sync/"+run.ID, nil, &run)
		return run.State == "failed"
	})
	if run.Cause != "pos_unreachable" || !strings.Contains(run.Detail, "menu.yaml:1:64: categories[0].items[0].price") {
		t.Errorf("%+v", run)
	}
}

// What a Lightspeed K till sells online becomes the menu of the aggregator, and what the kitchen has no more of is told to both.
func TestMenuOfLightspeed(t *testing.T) {
	m := newMarket(t, otter.Config{})
	till := lightspeedK(t, m.r.config)
	m.r.config.Delivery[0].MenuSync.AutoUpdate = false
	change := m.r.change
	m.r.change = func(o *Options) { change(o); quickPOS(o); o.resolver = nil }
	m.r.start()
	m.tick()
	var run menuRun
	m.r.must(http.StatusAccepted, "POST", "/v1/menu/sync", `{"publish":true}`, &run)
	m.r.wait("the menu is published", func() bool {
		m.r.must(http.StatusOK, "GET", "/v1/menu/sync/"+run.ID, nil, &run)
		return run.State == "done" || run.State == "failed" || run.State == "asking"
	})
	sold := ""
	for id, item := range m.Menu().Items {
		if string(item.SkuDetails.Or().SkuID) == "MA-1" && strings.HasPrefix(id, "i-") {
			sold = id
		}
	}
	if run.State != "done" || run.Count.Items == 0 || sold == "" {
		t.Fatalf("%+v; Otter has %+v", run, m.Menu().Items)
	}
	var sums menuSums
	if m.r.must(http.StatusOK, "GET", "/v1/menu/links", nil, &sums); !sums.Green {
		t.Errorf("%+v", sums)
	}
	o := m.order()
	o.Lines = []channel.Line{{ID: sold, Name: "Bœuf", Quantity: 1, Price: 1250}}
	o.Charges = channel.Charges{Subtotal: 1250, Total: 1250}
	m.place(o)
	m.is(o.ID, "accepted", "yes")
	if at := till.Orders(); len(at) != 1 || at[0].Items[0].SKU != "MA-1" {
		t.Errorf("at the till %+v", at)
	}
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/MA-1/sold-out", `{"name":"Bœuf"}`, nil)
	m.r.wait("Otter knows", func() bool { _, off := m.Off()[sold]; return off })
	m.r.wait("the till knows", func() bool { return !till.Available("MA-1") })
	// Said at the till it is told as quickly: back, and another one sold out.
	till.SellOut("MA-1", false)
	m.r.wait("Otter knows that it is back", func() bool { _, off := m.Off()[sold]; return !off })
	till.SellOut("DE-1", true)
	m.r.wait("the kitchen knows", func() bool {
		list := m.r.box.kitchen.SoldOut()
		return len(list) == 1 && list[0].SKU == "DE-1" && list[0].By == "lightspeed-k"
	})
	m.r.wait("Otter knows that", func() bool { return len(m.Off()) > 0 })
}
