package pos

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/sale"
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
	_, k := kTill(t, time.Second)
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
	_, o := oTill(t)
	if c, err = o.Catalogue(t.Context()); err != nil || len(c.Items) != 1 || c.Items[0].SKU != "9007199254740993" || c.Items[0].Price != 1000 || c.Categories[0].Name != "Mains" {
		t.Errorf("%+v, %v", c, err)
	}
}
