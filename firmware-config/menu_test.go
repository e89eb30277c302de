package firmwareconfig

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var euro = Currency{"EUR", 2}

// What is said of each wrong menu, word for word.
func TestWrongMenus(t *testing.T) {
	for _, name := range files(t, "testdata/menu/wrong/*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = ParseMenu("box.yaml", b, euro)
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("ParseMenu = %v, want faults", err)
			}
			checkFaults(t, b, faults)
			got := faults.Error() + "\n"
			golden := strings.TrimSuffix(name, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestMenu(t *testing.T) {
	m, err := LoadMenu("testdata/menu/ok/menu.yaml", euro)
	if err != nil {
		t.Fatal(err)
	}
	pizza, ices := m.Categories[0].Items[0], m.Categories[1]
	if pizza.Price != 1250 || pizza.Prices["ubereats"] != 1390 || !pizza.Online || !pizza.Active || !reflect.DeepEqual(pizza.Groups, []string{"extras"}) {
		t.Errorf("%+v", pizza)
	}
	if ices.Online || ices.Items[0].Description != "Deux boules\nde vanille." || ices.Items[0].Variations[0] != (MenuVariation{"VAN-L", "Grande", 650, true}) {
		t.Errorf("%+v", ices)
	}
	if g := m.Groups[0]; g.Max != 3 || g.Each != 1 || g.Modifiers[1].Price != 200 {
		t.Errorf("%+v", g)
	}
	if steak := m.Categories[2].Items[0]; steak.Active || steak.Price != 2400 {
		t.Errorf("%+v", steak)
	}
}

// Prices are read from their text: whatever a float would make of them.
func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		currency Currency
		text     string
		want     int64 // -1: refused
	}{
		{euro, "0", 0}, {euro, "0.1", 10}, {euro, "19.99", 1999}, {euro, "999999.99", 99_999_999}, {euro, "1000000", -1}, {euro, "1.005", -1}, {euro, "1.500", 150},
		{euro, "1.", -1}, {euro, "0x10", -1}, {euro, "1_0", -1}, {euro, "-1", -1}, {euro, "+1", -1}, {euro, ".inf", -1}, {euro, ".nan", -1},
		{Currency{"JPY", 0}, "1250", 1250}, {Currency{"JPY", 0}, "12.5", -1}, {Currency{"KWD", 3}, "1.255", 1255},
	} {
		m, err := ParseMenu("m.yaml", []byte("categories: [{id: a, name: A, items: [{sku: S, name: N, price: "+c.text+"}]}]"), c.currency)
		switch {
		case c.want < 0 && err == nil:
			t.Errorf("%s %s is taken as %d", c.text, c.currency, m.Categories[0].Items[0].Price)
		case c.want >= 0 && err != nil:
			t.Errorf("%s %s: %v", c.text, c.currency, err)
		case c.want >= 0 && m.Categories[0].Items[0].Price != c.want:
			t.Errorf("%s %s is %d, want %d", c.text, c.currency, m.Categories[0].Items[0].Price, c.want)
		}
	}
}

// A configuration is loaded with the menu beside it, and its faults stand in the file where they are.
func TestLoadWithMenu(t *testing.T) {
	dir := t.TempDir()
	box, menu := filepath.Join(dir, "box.yaml"), filepath.Join(dir, "menu.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const text = "site: {id: b-1, name: B, timezone: UTC, currency: EUR}\nscreens: [{name: k}]\nstations: [{name: k, screens: [k], default: true}]\npos: {menu_file: menu.yaml"
	write(box, text+"}\n")
	wrong := func(want string) {
		t.Helper()
		var faults Faults
		if _, err := Load(box); !errors.As(err, &faults) || len(faults) != 1 || faults[0].Error() != want {
			t.Errorf("Load = %v, want %s", err, want)
		}
	}
	wrong(box + `:4:18: pos.menu_file: "` + menu + `" is not there; put the file there, or correct the name`)
	write(menu, "categories: [{id: a, name: A, items: [{sku: S, name: N, price: dear}]}]\n")
	wrong(menu + `:1:64: categories[0].items[0].price: is the text "dear" and must be a number; write an amount, as in 12.50`)
	write(menu, "categories: [{id: a, name: A, items: [{sku: S, name: N, price: 1}]}]\n")
	c, err := Load(box)
	if err != nil || c.POS.MenuFile != menu {
		t.Fatalf("Load = %+v, %v", c, err)
	}
	if faults := c.CheckSecrets(box); len(faults) != 1 || faults[0].Key != "http.tokens_file" {
		t.Errorf("CheckSecrets = %v", faults)
	}
	if got := c.Files(); len(got) != 2 || got[0] != menu && got[1] != menu {
		t.Errorf("Files = %v", got)
	}
	if _, err := Parse("box.yaml", []byte(text+", kind: lightspeed-k}\n")); err == nil {
		t.Error("a till that has its own menu takes a menu file")
	}
}

// FuzzMenu: never a panic; every fault stands inside the file; what is valid means the same when it is written anew as JSON.
func FuzzMenu(f *testing.F) {
	for _, pattern := range []string{"testdata/menu/ok/*.yaml", "testdata/menu/wrong/*.yaml"} {
		for _, name := range files(f, pattern) {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		m, err := ParseMenu("box.yaml", b, euro)
		if err != nil {
			var faults Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("ParseMenu = %v, want faults", err)
			}
			checkFaults(t, b, faults)
			return
		}
		root, fault := document("box.yaml", b)
		if fault != nil {
			t.Fatal(fault)
		}
		text := appendJSON(nil, root)
		again, err := ParseMenu("box.yaml", text, euro)
		if err != nil {
			t.Fatalf("as JSON:\n%s\n%v", text, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("as JSON it means something else:\n%s\n%s", diff, text)
		}
	})
}
