package box

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/lightspeed"
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
      - {sku: KUN, name: "كنافة", price: 5, variations: [{sku: KUN-L, name: "Größe ❤️", price: 7}]}
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
	if run := sync(`{"publish":true}`); !run.Published || run.Count.Items != 5 || run.Count.Hidden != 1 {
		t.Errorf("%+v", run)
	}
	menu := m.Menu()
	if menu.Items["v-VAN-L"].Name != "Grande - Vanille" || menu.Items["i-PIZ-01"].Price.Amount != "12.50" || menu.Items["v-KUN-L"].Name != "Größe ❤️ - كنافة" || len(menu.Items) != 6 {
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

	// Somebody at Otter's tablet sells one that the kitchen has none of, and takes another off sale: the one is put right within
	// the hour, the other is shown until a person sells it again.
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/VAN-L/sold-out", `{"name":"Grande - Vanille"}`, nil)
	m.r.wait("Otter knows", func() bool { _, off := m.Off()["v-VAN-L"]; return off })
	m.Switch("v-VAN-L", true)
	m.Switch("i-PIZ-01", false)
	m.pass(61 * time.Minute)
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/KUN-L/sold-out", `{}`, nil) // has the box look at its clock
	m.r.wait("what is sold there is put right", func() bool { _, off := m.Off()["v-VAN-L"]; return off })
	there := func() string {
		var v struct {
			There []struct{ ID string } `json:"sold_out_there"`
		}
		m.r.must(http.StatusOK, "GET", "/v1/menu/menus/otter", nil, &v)
		return fmt.Sprint(v.There)
	}
	m.r.wait("what is sold out there alone is shown", func() bool { return there() == "[{i-PIZ-01}]" })
	if _, off := m.Off()["i-PIZ-01"]; !off {
		t.Error("it was sold again without a word")
	}
	m.r.must(http.StatusOK, "POST", "/v1/menu/menus/otter/resell", `{"id":"i-PIZ-01"}`, nil)
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/VAN-L/back", nil, nil)
	m.r.must(http.StatusOK, "POST", "/v1/menu/items/KUN-L/back", nil, nil)
	m.r.wait("all is sold", func() bool { return len(m.Off()) == 0 && there() == "[]" })

	m.openingHours(t, sync)

	// Otter asks for the menu as it is, and hears its hours with it.
	if _, _, err := m.Send(t.Context(), deliveries.Event{ID: "ask-1", Kind: channel.KindMenu}); err != nil {
		t.Fatal(err)
	}
	m.r.wait("it gets it", func() bool {
		return slices.ContainsFunc(m.Acts(), func(a deliveries.Act) bool { return a.Op == "current" && a.Event == "ask-1" && a.Detail == "6 items" })
	})
	for _, shown := range m.Menu().Menus {
		if !strings.Contains(string(shown.HoursData), `"Europe/Paris"`) {
			t.Errorf("the menu is told with hours %s", shown.HoursData)
		}
	}

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
	m.r.wait("the metric says so", func() bool {
		return strings.Contains(string(m.r.fetch("/metrics")), `aboyeur_menu_unlinked{kind="items"} 0`)
	})

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

// kMenu is a K-Series menu of dishes at a price in cents.
func kMenu(t *testing.T, dishes map[string]int) []lightspeed.Menu {
	t.Helper()
	entries := ""
	for _, sku := range slices.Sorted(maps.Keys(dishes)) {
		entries += fmt.Sprintf(`,{"@type":"menuItem","sku":%q,"productName":"Plat %s","productPrice":%d.%02d}`, sku, sku, dishes[sku]/100, dishes[sku]%100)
	}
	var m lightspeed.Menu
	if err := json.Unmarshal([]byte(`{"ikentooMenuId":1,"menuName":"Online","menuEntryGroups":[{"@type":"group","id":"7","name":"Plats","menuEntry":[`+strings.TrimPrefix(entries, ",")+`]}]}`), &m); err != nil {
		t.Fatal(err)
	}
	return []lightspeed.Menu{m}
}

// The menu of a Lightspeed K till at Otter, through scenarios 14 to 17 of spec/delivery.md 12 over both real wires: updates in a
// grid of six hours over a restart, a run by hand and a clock that is set; publishing by itself only with updates by itself; a
// marketplace's own price that stays while prices are not taken over; a till that suddenly sells nothing.
func TestMenuOfLightspeedOverDays(t *testing.T) {
	t.Parallel()
	m := newMarket(t, otter.Config{Unlimited: true})
	till := lightspeedK(t, m.r.config)
	till.SetMenu(nil, kMenu(t, map[string]int{"A": 1000, "B": 1200, "C": 800}))
	m.r.config.Delivery[0].MenuSync.AutoUpdate = false
	change := m.r.change
	m.r.change = func(o *Options) { change(o); quickPOS(o); o.resolver = nil }
	m.r.start()
	m.tick()
	type run struct {
		ID, State, Trigger, Cause string
		Published                 bool
	}
	runs := func() []run {
		t.Helper()
		var list struct{ Runs []run }
		m.r.must(http.StatusOK, "GET", "/v1/menu/sync?menu=otter&limit=100", nil, &list)
		return list.Runs
	}
	ended := func(what, trigger, state string, count int) run {
		t.Helper()
		var last run
		m.r.wait(what, func() bool {
			list := runs()
			if len(list) > 0 {
				last = list[0]
			}
			return len(list) == count && last.State != "queued" && last.State != "running" && last.State != "publishing"
		})
		if last.Trigger != trigger || last.State != state {
			t.Fatalf("%s: %+v, want %s and %s", what, last, trigger, state)
		}
		return last
	}
	next := func() time.Time {
		t.Helper()
		var v struct {
			NextAt time.Time `json:"next_at"`
		}
		m.r.must(http.StatusOK, "GET", "/v1/menu/menus/otter", nil, &v)
		return v.NextAt
	}
	settings := func(status int, body string) { t.Helper(); m.r.must(status, "PUT", "/v1/menu/menus/otter", body, nil) }
	manual := func(body string) { t.Helper(); m.r.must(http.StatusAccepted, "POST", "/v1/menu/sync", body, nil) }
	look := func() { t.Helper(); settings(http.StatusOK, `{"name":"Otter"}`) } // so that nobody waits until the clock is read again

	// 15
	settings(http.StatusUnprocessableEntity, `{"auto_publish":true,"auto_update":false}`)
	settings(http.StatusOK, `{"auto_publish":true,"auto_update":true}`)

	// 14
	if r := ended("the first run", "scheduled", "done", 1); !r.Published || m.Menu().Items["i-A"].Price.Amount != "10.00" {
		t.Fatalf("%+v; Otter has %+v", r, m.Menu().Items)
	}
	slot := next()
	if in := slot.Sub(m.now()); in < 6*time.Hour-time.Minute || in > 6*time.Hour+6*time.Minute {
		t.Errorf("the next run is in %v", in)
	}
	m.pass(2 * time.Hour)
	manual(`{}`)
	ended("a run by hand in between", "manual", "done", 2)
	if got := next(); !got.Equal(slot) {
		t.Errorf("a run by hand moved the next one from %v to %v", slot, got)
	}
	m.pass(slot.Sub(m.now()) + time.Second)
	look()
	ended("the next slot", "scheduled", "done", 3)
	slot = next()
	m.r.down()
	m.pass(slot.Sub(m.now()) + 13*time.Hour) // over two more
	m.r.start()
	ended("one run makes up for all", "catch_up", "done", 4)
	m.pass(-24 * time.Hour) // somebody sets the clock
	look()
	m.r.wait("the next run is near", func() bool { in := next().Sub(m.now()); return in > 0 && in <= 6*time.Hour+6*time.Minute })
	if list := runs(); len(list) != 4 {
		t.Errorf("a clock that was put back made runs: %+v", list)
	}

	// 16
	settings(http.StatusOK, `{"fields":["name"]}`)
	m.r.must(http.StatusOK, "PUT", "/v1/menu/edits", `{"menu":"otter","kind":"item","id":"i-A","slug":"ubereats","field":"price","value":"1490"}`, nil)
	till.SetMenu(nil, kMenu(t, map[string]int{"A": 1100, "B": 1300, "C": 800}))
	manual(`{"publish":true}`)
	ended("a run without prices", "manual", "done", 5)
	if i := m.Menu().Items["i-A"]; i.Price.Amount != "10.00" || len(i.PriceOverrides) != 1 || string(i.PriceOverrides[0].Amount) != "14.90" || m.Menu().Items["i-B"].Price.Amount != "12.00" {
		t.Errorf("Otter has %+v", i)
	}

	// 17
	settings(http.StatusOK, `{"auto_publish":true,"fields":["name","price","new_items","removed_items"]}`)
	before := m.Menu()
	till.SetMenu(nil, nil)
	manual(`{"publish":true}`)
	if r := ended("a till that sells nothing", "manual", "asking", 6); r.Cause != "empty_catalogue" || r.Published || len(m.Menu().Items) != len(before.Items) || len(before.Items) != 3 {
		t.Errorf("%+v; Otter has %+v", r, m.Menu().Items)
	}
	o := m.order()
	o.Lines = []channel.Line{{ID: "i-A", Name: "Plat A", Quantity: 1, Price: 1490}}
	o.Charges = channel.Charges{Subtotal: 1490, Total: 1490}
	// The till, which sells nothing any more, may have refused it by then; the link to its item stands.
	if got := m.place(o); got.Lines[0].SKU != "A" || got.Injection.Cause == "ITEM_MAPPING_FAILED" && !strings.HasPrefix(got.Injection.Detail, "ITEM_NOT_FOUND") {
		t.Errorf("what Otter still sells is not found any more: %+v", got)
	}
}
