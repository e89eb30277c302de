package kitchen

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/escpos"
)

var rewrite = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "paper", name)
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func paperFor(lang string, columns int) (paper, escpos.Profile) {
	profile, _ := escpos.ProfileFor("epson-tm-t88")
	profile = profile.WithColumns(columns)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return newPaper(PrinterConfig{Profile: profile, Words: words.In(lang)}, []string{"boissons", "entrées", "plats", "desserts"}, paris), profile
}

func TestPaper(t *testing.T) {
	at := time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC)
	dineIn := Ticket{ID: journal.ID{1}, Number: 41, Station: "grill", Kind: KindOrder, State: StateNew, Service: sale.DineIn, Table: "12", Covers: 2, Staff: "Léa", At: at, Also: []string{"bar", "froid"},
		Lines: []Line{
			{Quantity: 2, Course: 1, Name: "Œuf mimosa"},
			{Quantity: 1, Course: 2, Name: "Entrecôte grillée, sauce béarnaise maison", Notes: "bleu, sans sel", Modifiers: []Modifier{{1, 1, "Frites"}, {2, 2, "Mayonnaise"}, {1, 2, "Pain à l'ail"}}},
			{Quantity: 12, Course: 2, Name: "Huîtres n° 3"},
		}}
	delivery := Ticket{ID: journal.ID{1}, Number: 7, Station: "pizza", Kind: KindOrder, State: StateNew, Service: sale.Delivery, Partner: sale.Partner{Name: "Uber Eats", OrderID: "8F3A2"}, Customer: "Zoé L.",
		Notes: "Sonner au 2e", AllergyNote: "arachides, fruits à coque", At: at, Due: at.Add(41 * time.Minute),
		Lines: []Line{{Quantity: 2, Name: "Margherita", Notes: "sans basilic", Allergens: []string{"lait", "gluten"}, Modifiers: []Modifier{{1, 1, "Extra mozzarella"}}}}}
	changed := dineIn
	changed.Kind, changed.Also = KindChange, nil
	changed.Lines = []Line{{Quantity: 3, Was: 1, Change: Changed, Name: "Entrecôte"}, {Quantity: 1, Change: Added, Name: "Crème brûlée"}, {Quantity: 2, Change: Removed, Name: "Œuf mimosa"}}
	cancelled := delivery
	cancelled.Kind, cancelled.State = KindCancel, StateServed
	held := dineIn
	held.State, held.Lines = StateHeld, []Line{{Quantity: 1, Name: "Tarte"}}
	// Nothing that a sender writes reaches the printer as a command.
	hostile := Ticket{ID: journal.ID{1}, Number: 1, Station: "grill", Kind: KindOrder, State: StateNew, Service: sale.Pickup, At: at, Notes: "a\x1b@\x1dV\x00b\nc", Customer: "\x10\x14\x08",
		Lines: []Line{{Quantity: 1, Name: "x\x1dV\x41\x00y", Notes: "\x1b=\x02", Allergens: []string{"\x1c."}, Modifiers: []Modifier{{1, 1, "\x1bp\x00"}}}}}
	long := delivery
	long.Partner.Name, long.Station = "Un partenaire au nom plus long que le papier n'est large", "une station au nom trop long"
	for _, c := range []struct {
		name    string
		ticket  Ticket
		instead string
	}{
		{"dine-in", dineIn, ""}, {"delivery-allergy", delivery, ""}, {"changed", changed, ""}, {"cancelled", cancelled, ""}, {"held", held, ""},
		{"for", delivery, "grill"}, {"hostile", hostile, ""}, {"long", long, "x"},
	} {
		for _, lang := range []string{"en", "fr"} {
			for _, columns := range []int{42, 32} { // 80 and 58 mm
				name := c.name + "." + lang
				if columns == 32 {
					name += ".58mm"
				}
				t.Run(name, func(t *testing.T) {
					p, profile := paperFor(lang, columns)
					body := p.render(&c.ticket, c.instead)
					if body[len(body)-1] != '\n' {
						t.Errorf("the body ends with %q, not with a line feed", body[len(body)-1])
					}
					stream := append(escpos.AppendInit(nil, profile, lang), body...)
					golden(t, name+".txt", []byte(escpos.Render(stream, profile).Text()))
					if again := p.render(&c.ticket, c.instead); !bytes.Equal(body, again) {
						t.Error("rendered twice it differs")
					}
					if name == "delivery-allergy.fr" {
						golden(t, name+".hex", []byte(hex.Dump(body)))
					}
					if c.name == "hostile" {
						for _, command := range []string{"\x1b@", "\x1dV", "\x10\x14", "\x1bp", "\x1b=", "\x1c."} {
							if bytes.Contains(body, []byte(command)) {
								t.Errorf("the body carries the sender's command %q", command)
							}
						}
					}
				})
			}
		}
	}
}

func TestTicketName(t *testing.T) {
	p, _ := paperFor("fr", 42)
	for _, c := range []struct {
		ticket Ticket
		want   string
	}{
		{Ticket{}, ""},
		{Ticket{ID: journal.ID{1}, Number: 3}, "#3"},
		{Ticket{ID: journal.ID{1}, Number: 3, Table: "12"}, "#3 Table 12"},
		{Ticket{ID: journal.ID{1}, Number: 3, Partner: sale.Partner{Name: "Uber Eats", OrderID: "8F3A2"}}, "#3 Uber Eats 8F3A2"},
		{Ticket{ID: journal.ID{1}, Number: 3, Partner: sale.Partner{OrderID: "8F3A2"}}, "#3 8F3A2"},
	} {
		if got := p.name(&c.ticket); got != c.want {
			t.Errorf("name = %q, want %q", got, c.want)
		}
	}
}

func fourLines() *sale.Order {
	return newOrder(dish(1, "Entrecôte grillée", "Grill"), dish(2, "Sole meunière", "Grill"), dish(3, "Cola", "Drinks"), dish(1, "Pain", "Bread"))
}

func BenchmarkPlan(b *testing.B) {
	h := newHouse(b, nil)
	o := fourLines()
	placed := sale.Placed{ID: h.journal.NewID(), Number: 1, Day: "2026-11-21", Received: h.clock.now(), Order: o}
	b.ReportAllocs()
	for b.Loop() {
		h.kitchen.Plan(placed)
	}
}

func BenchmarkPlace(b *testing.B) {
	h := newHouse(b, nil)
	for _, p := range h.printers {
		p.setIdle(true)
	}
	b.ReportAllocs()
	for b.Loop() {
		h.place(fourLines())
		for _, p := range h.printers {
			p.drain()
		}
	}
}

// A station's buzzer goes before its printer's; a page that a receipt asks for opens the printer's drawer.
func TestBuzzerAndDrawer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(h *house) {
		h.config.Printers[0].Buzz, h.config.Printers[1].Buzz, h.config.Printers[1].Drawer = 1, 2, 5
		h.config.Stations[2].Buzz = 3 // pass, on the bar's printer
	})
	h.place(newOrder(dish(1, "Steak", "Grill"), dish(1, "Beer", "Drinks"), dish(1, "Bread", "Bread")))
	h.settle()
	if j := h.printers["grill"].next(); j.Buzz != 1 || j.Drawer != 0 || !j.Reprint {
		t.Errorf("the grill's job %+v, want one buzz and no drawer", j)
	}
	bar := h.printers["bar"]
	for _, want := range []int{2, 3} {
		if j := bar.next(); j.Buzz != want {
			t.Errorf("the bar buzzes %d times, want %d", j.Buzz, want)
		}
		bar.done()
	}
	err := h.journal.Write(t.Context(), func(tx *journal.Tx) error {
		return h.kitchen.Print(tx, Page{ID: h.journal.NewID(), Printer: "bar", Kind: JobReceipt, Label: "7", Paper: 1, Body: []byte("receipt\n"), Drawer: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	if j := bar.next(); j.Drawer != 5 || j.Buzz != 0 || j.Reprint || j.Ticket != "7" {
		t.Errorf("the receipt's job %+v, want drawer 5, no buzz, no reprint by itself", j)
	}
}
