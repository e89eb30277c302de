package pos

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aboyeur/bridge/sale"
	"aboyeur/protocol/kounta"
	"aboyeur/protocol/lightspeed"
	simlightspeed "aboyeur/simulate/lightspeed"
)

// What stands at the till: prices and modifiers whole, fees as items, the restaurant's own discount and tip, the payment for
// all of it without the tip, and neither a courier's tip nor taxes, which an order has no place for.
func TestCompose(t *testing.T) {
	t.Parallel()
	o := sale.Order{
		Source: "otter", SourceOrderID: "1", Service: sale.Delivery, Partner: sale.Partner{Name: "Uber Eats", OrderID: "8F3A2"}, Customer: sale.Customer{Name: "Zoé", Phone: "+331"},
		Table: "12", Notes: "Sonner", AllergyNote: "noix", PlacedAt: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC), Currency: "EUR",
		Lines: []sale.Line{
			{SKU: "x1", Name: "Margherita", Quantity: 2, Price: new(int64(1250)), Notes: "sans basilic", Modifiers: []sale.Modifier{
				{SKU: "x2", Name: "Extra", Price: 150, Modifiers: []sale.Modifier{{SKU: "x3", Name: "Double", Price: 20}}},
				{SKU: "x4", Name: "Bien cuit", Quantity: new(2), Price: 5},
			}},
			{SKU: "x5", Name: "Surprise", Quantity: 1, Price: new(int64(700))},
		},
	}
	terms := Terms{Reference: "UE8F3A2-1", POS: []string{"P1", "P2", "P3", "", ""}, OpenItems: true, OpenItem: "OPEN", Method: "UBER", Tip: 100, Address: "1 rue X", Allergy: "ALLERGIE",
		Fees: []Fee{{"BAG", "Bag", 10}, {"", "Service", 99}, {"SMALL", "Small order", 0}}, Discount: Discount{"PROMO", 300}}
	got, unlinked := Compose(&o, terms)
	want := Order{
		Opening: Opening{Reference: "UE8F3A2-1", Guest: "Zoé", Notes: "ALLERGIE noix | Sonner"}, Delivery: true, Partner: "Uber Eats", Short: "8F3A2", Phone: "+331", Address: "1 rue X",
		PlacedAt: o.PlacedAt, Discount: Discount{"PROMO", 300}, Method: "UBER", Tip: 100, Total: 2*(1250+150+20+10) + 700 + 10 - 300, Paid: 3270,
		Lines: []Line{
			{SKU: "P1", Name: "Margherita", Quantity: 2, Price: 1260, Notes: "sans basilic", Modifiers: []Modifier{
				{SKU: "P2", Name: "Extra", Quantity: 1, Price: 150, Modifiers: []Modifier{{SKU: "P3", Name: "Double", Quantity: 1, Price: 20}}}, {Name: "Bien cuit", Quantity: 2}}},
			{SKU: "OPEN", Name: "Surprise", Quantity: 1, Price: 700, Notes: "Surprise"},
			{SKU: "BAG", Name: "Bag", Quantity: 1, Price: 10},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(unlinked) != 0 {
		t.Errorf("%s, unlinked %v", diff, unlinked)
	}
	terms.OpenItems = false
	if _, unlinked = Compose(&o, terms); !cmp.Equal(unlinked, []string{"Bien cuit", "Surprise"}) {
		t.Errorf("unlinked %v", unlinked)
	}
	o.Lines[0].SKU = ""
	o.Notes = strings.Repeat("é", 2000)
	if got, unlinked = Compose(&o, Terms{}); !cmp.Equal(unlinked, []string{"Margherita"}) || got.Lines[0].Modifiers[0].SKU != "x2" || got.Paid != 0 || len([]rune(got.Notes)) != maxNote {
		t.Errorf("unlinked %v, %+v", unlinked, got)
	}
}

// The catalogues of both tills, as an order would name what is in them.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	_, k := kTill(t, unhurried)
	c, err := k.Catalogue(t.Context())
	if err != nil || len(c.Items) != 4 || len(c.Categories) != 1 || c.Currency != "EUR" {
		t.Fatalf("%+v, %v", c, err)
	}
	if i := c.Items[2]; i.SKU != "MA-1" || i.Category != "1" || i.Price != 1000 || !i.Online || !i.Available || !i.Active || i.Statistics[0] != (Group{"course", "Mains"}) {
		t.Errorf("%+v", i)
	}
	if err := k.SetAvailability(t.Context(), "MA-1", false); err != nil {
		t.Fatal(err)
	}
	if c, err = k.Catalogue(t.Context()); err != nil || c.Items[2].Available {
		t.Errorf("sold out: %+v, %v", c.Items[2], err)
	}
	_, o := oTill(t, unhurried)
	if c, err = o.Catalogue(t.Context()); err != nil || len(c.Items) != 1 || c.Items[0].SKU != "9007199254740993" || c.Items[0].Price != 1000 || c.Categories[0].Name != "Mains" {
		t.Errorf("%+v, %v", c, err)
	}
}

// What a menu offers is what an order names: product modifiers as sub-items with their prices, words to the kitchen by their
// ids, a combo's steps, variations, and the restaurant's discount off the lines; the till's ledger has all of it.
func TestChoicesReachTheTill(t *testing.T) {
	t.Parallel()
	sim, k := kTill(t, unhurried)
	var menu lightspeed.Menu
	if err := json.Unmarshal([]byte(`{"ikentooMenuId":1,"menuName":"Online","menuEntryGroups":[{"@type":"group","id":"7","name":"Plats","menuEntry":[
		{"@type":"menuItem","sku":"MA-1","productName":"Burger","productPrice":12.5,"pricingStrategy":"CUSTOMIZED_ITEM_PRICE_WILL_BE_POSTIVE",
		 "itemRichData":{"rawImageUrl":"https://x/b.png","allergenCodes":["mustard"],"texts":[{"locale":"fr","description":"Bœuf"}]},
		 "menuModifierGroups":[{"description":"Extras","sku":"G1","mustSelectAnItem":true,"maximumSelection":2,"multiSelectionPermitted":true,"productModifiers":[{"@type":"menuProductModifier","sku":"DE-1","productName":"Bacon","productPrice":1.5}]}],
		 "productionInstructionList":[{"productionIntructionGroupId":9,"productionInstructionGroupName":"Cuisson","productionInstructionList":[{"ikentooModifierId":236025632784492,"instruction":"Saignant"}]}]},
		{"@type":"group","id":"8","name":"Formules","menuEntry":[{"@type":"menuDeal","sku":"COMBO","productName":"Formule","productPrice":"20.00","menuDealGroups":[{"description":"Boisson","items":[{"@type":"menuItem","sku":"DR-1","productName":"Cola","productPrice":4,"extraPrice":0.5}]}]}]}]}]}`), &menu); err != nil {
		t.Fatal(err)
	}
	sim.SetMenu([]lightspeed.Item{{SKU: "MA-1", Name: "Burger", Active: true}, {SKU: "DE-1", Active: true}, {SKU: "DR-1", Active: true}, {SKU: "HID", Name: "Hidden", Active: true}}, []lightspeed.Menu{menu})
	c, err := k.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Catalogue{Kind: "lightspeed-k", Currency: "EUR", At: c.At, Categories: []Category{{ID: "7", Name: "Plats"}, {ID: "8", Name: "Formules", Parent: "7"}},
		Items: []Item{
			{SKU: "MA-1", Name: "Burger", Description: "Bœuf", Category: "7", Price: 1250, OpenPrice: true, Active: true, Online: true, Available: true, Groups: []string{"G1", "instructions/9"}, Photo: "https://x/b.png", Allergens: []string{"mustard"}},
			{SKU: "DE-1", Active: true, Available: true}, {SKU: "DR-1", Active: true, Available: true}, {SKU: "HID", Name: "Hidden", Active: true, Available: true},
			{SKU: "COMBO", Name: "Formule", Category: "8", Price: 2000, Active: true, Online: true, Available: true, Groups: []string{"COMBO/1.0"}},
		},
		Groups: []ModifierGroup{
			{ID: "G1", Name: "Extras", Min: 1, Max: 2, Options: []Option{{"DE-1", "DE-1", "Bacon", 150}}},
			{ID: "instructions/9", Name: "Cuisson", Max: 1, Options: []Option{{"236025632784492", "instruction:236025632784492", "Saignant", 0}}},
			{ID: "COMBO/1.0", Name: "Boisson", Max: 1, Options: []Option{{"DR-1", "DR-1", "Cola", 50}}},
		}}
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	o := delivery("r1")
	o.Discount, o.Method, o.Paid, o.Tip = Discount{"PROMO", 500}, "UBER", 2800, 100
	o.Lines = []Line{{SKU: "MA-1", Name: "Burger", Quantity: 2, Price: 1250, Modifiers: []Modifier{{SKU: "DE-1", Name: "Bacon", Quantity: 2, Price: 150}, {SKU: "instruction:236025632784492", Name: "Saignant", Quantity: 1}, {Name: "sans sel", Quantity: 1}}}}
	opened, err := k.Inject(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := sim.Orders()[0]
	if diff := cmp.Diff([]simlightspeed.Sold{{SKU: "MA-1", Name: "Burger", Quantity: 2, Price: 1250, Discount: 500, Instructions: []string{"236025632784492"}, Items: []simlightspeed.Sold{{SKU: "DE-1", Name: "Bacon", Quantity: 2, Price: 150}}}}, got.Items); diff != "" {
		t.Error(diff)
	}
	if opened.Total != 2600 || got.Total != 2600 || got.Paid != 2900 || got.Tip != 100 || !strings.HasSuffix(got.Note, "Burger: sans sel") {
		t.Errorf("%+v, %+v", opened, got)
	}

	osim, site := oTill(t, unhurried)
	var sold []kounta.Product
	if err := json.Unmarshal([]byte(`[{"id":"9007199254740993","name":"Vanille","show_online":true,"unit_price":3.5,"category":{"id":4,"name":"Glaces"},"variations":[{"id":11,"name":"Grande","unit_price":5}],
		"option_sets":[{"id":21,"name":"Topping","max_selection":1,"options":[{"id":31,"name":"Chantilly","unit_price":1}]}]},{"id":12,"name":"Secret","show_online":false,"unit_price":"9.00","category":{"id":4,"name":"Glaces"}}]`), &sold); err != nil {
		t.Fatal(err)
	}
	osim.SetProducts(sold, 2)
	if c, err = site.Catalogue(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = Catalogue{Kind: "lightspeed-o", Currency: "AUD", At: c.At, Categories: []Category{{ID: "4", Name: "Glaces"}},
		Items: []Item{
			{SKU: "9007199254740993", Name: "Vanille", Category: "4", Statistics: []Group{{"category", "Glaces"}}, Price: 350, OpenPrice: true, Active: true, Online: true, Available: true, Groups: []string{"21"}, Variations: []Variation{{"11", "Grande", 500}}},
			{SKU: "12", Name: "Secret", Category: "4", Statistics: []Group{{"category", "Glaces"}}, Price: 900, OpenPrice: true, Active: true, Available: true},
		},
		Groups: []ModifierGroup{{ID: "21", Name: "Topping", Max: 1, Options: []Option{{"31", "31", "Chantilly", 100}}}}}
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if err := site.SetAvailability(t.Context(), "12", true); err != nil {
		t.Fatal(err)
	}
	if c, err = site.Catalogue(t.Context()); err != nil || !c.Items[1].Online {
		t.Errorf("%+v, %v", c.Items[1], err)
	}
}
