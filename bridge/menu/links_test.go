package menu

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"aboyeur/protocol/channel"
)

// foreign is a menu that was made at the aggregator itself.
func foreign() channel.Menu {
	return channel.Menu{
		Categories: []channel.Category{{ID: "fc", Name: "Alles", Items: []string{"fi", "i-22"}}},
		Items: []channel.Item{{ID: "fi", Name: "Pizza de la maison", Price: 1500, Groups: []string{"fg"}}, {ID: "fm", Name: "Bleu", Price: 170},
			{ID: "i-22", Name: "Chocolat", Price: 420}, {ID: "lost", Name: "Nobody's", Price: 1}},
		Groups: []channel.Group{{ID: "fg", Name: "Fromages", Items: []string{"fm"}}},
	}
}

// The three counters stand at one each, and at none once each is linked (scenario 12, OTR-64, OTR-65). Links survive renames and
// a restart; one whose target is gone counts again (OTR-30).
func TestCounters(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	h := newHouse(t, func(c *Config) { c.Registerer = registry })
	h.done(`{}`)
	if err := h.s.Remote(t.Context(), "otter", foreign()); err != nil {
		t.Fatal(err)
	}
	l := h.counters()
	if l.Unlinked != (Unlinked{1, 1, 1}) || l.Green || l.Total != 4 || l.Links[0].Kind != KindItem || l.Links[0].Name != "Pizza de la maison" {
		t.Fatalf("%+v", l)
	}
	metric := func(want string) {
		t.Helper()
		text := "# HELP aboyeur_menu_unlinked Entities of delivery menus that stand for nothing in the POS.\n# TYPE aboyeur_menu_unlinked gauge\n"
		for i, kind := range []string{"items", "modifier_groups", "modifiers"} {
			text += `aboyeur_menu_unlinked{kind="` + kind + `"} ` + want[i:i+1] + "\n"
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(text), "aboyeur_menu_unlinked"); err != nil {
			t.Error(err)
		}
	}
	metric("111")
	if !h.warned("menu_unlinked") {
		t.Error("nobody is warned")
	}
	line := []channel.Line{{ID: "fi", Name: "Pizza de la maison", Modifiers: []channel.Modifier{{ID: "fm", GroupID: "fg", Name: "Bleu", Group: "Fromages"}}}}
	if gaps := Gaps(line, h.s.Resolve("otter", line, nil)); len(gaps) != 2 || gaps[0].Name != "Pizza de la maison" || gaps[1].Group != "Fromages" {
		t.Errorf("gaps %+v", gaps)
	}
	h.call("PUT", "/v1/menu/links", `{"menu":"otter","kind":"item","id":"fi","target":"i-nobody"}`, http.StatusUnprocessableEntity, nil)
	h.call("PUT", "/v1/menu/links", `{"menu":"otter","kind":"category","id":"fi","target":"c-1"}`, http.StatusUnprocessableEntity, nil)
	h.call("PUT", "/v1/menu/links", `{"menu":"nobody","kind":"item","id":"fi","target":"i-10"}`, http.StatusNotFound, nil)
	var c choices
	h.call("GET", "/v1/menu/targets?kind=modifier&group=g-7&q=MOZZ", "", http.StatusOK, &c)
	if len(c.Targets) != 1 || c.Targets[0].Target != "m-7~70" || c.Targets[0].Within != "Suppléments" {
		t.Errorf("targets %+v", c)
	}
	for i, step := range []struct {
		body string
		want Unlinked
	}{
		{`{"menu":"otter","kind":"item","id":"fi","target":"i-10"}`, Unlinked{0, 1, 1}},
		{`{"menu":"otter","kind":"group","id":"fg","target":"g-7"}`, Unlinked{0, 0, 1}},
		{`{"menu":"otter","kind":"modifier","group":"fg","id":"fm","target":"m-7~70"}`, Unlinked{}},
	} {
		var sum linkSums
		h.call("PUT", "/v1/menu/links", step.body, http.StatusOK, &sum)
		if sum.Unlinked != step.want {
			t.Errorf("after link %d: %+v, want %+v", i+1, sum, step.want)
		}
	}
	metric("000")
	if l := h.counters(); !l.Green || h.warned("menu_unlinked") || l.Links[0].Method != LinkManual {
		t.Errorf("%+v", l)
	}
	h.pos.sells(func(c *Catalogue) {
		c.Items[0].Name, c.Groups[0].Name, c.Groups[0].Modifiers[0].Name = "Marguerite", "Extras", "Fromage"
	})
	h.done(`{}`)
	h.restart()
	got := h.s.Resolve("otter", line, nil)
	if got[0].To == nil || got[0].To.Name != "Marguerite" || got[0].By != ByLink || got[1].To == nil || got[1].To.Name != "Fromage" {
		t.Errorf("after renames and a restart: %+v", got)
	}
	h.pos.sells(func(c *Catalogue) { c.Items[0].Inactive = true })
	h.done(`{}`)
	l = h.counters()
	if l.Unlinked != (Unlinked{Items: 1}) || !l.Links[0].Lost || l.Links[0].Target != "i-10" {
		t.Errorf("linked to what is not sold any more: %+v %+v", l.Unlinked, l.Links[0])
	}
	h.call("PUT", "/v1/menu/links", `{"menu":"otter","kind":"item","id":"fi","target":""}`, http.StatusOK, nil)
	if l = h.counters(); l.Links[0].Lost || l.Links[0].Method != "" {
		t.Errorf("the link is taken away: %+v", l.Links[0])
	}
}

// What has the exact name and price of one thing of the POS alone is linked by itself; what two have, or another price, is not.
func TestExactNameAndPrice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pos.sells(func(c *Catalogue) {
		c.Items = append(c.Items, Item{ID: "50", SKU: "A", Name: "Double", Category: "1", Price: 500}, Item{ID: "51", SKU: "B", Name: "Double", Category: "2", Price: 500})
	})
	h.done(`{}`)
	err := h.s.Remote(t.Context(), "otter", channel.Menu{
		Categories: []channel.Category{{ID: "c", Items: []string{"same", "dearer", "double", "accent"}}},
		Items: []channel.Item{{ID: "same", Name: " Chocolat", Price: 420, Groups: []string{"full", "half"}}, {ID: "dearer", Name: "Truffe", Price: 2000}, {ID: "double", Name: "Double", Price: 500},
			{ID: "accent", Name: "Vanille", Price: 400}, {ID: "a", Name: "Extra mozzarella", Price: 150}, {ID: "b", Name: "Jambon", Price: 200}, {ID: "c", Name: "Cru"}, {ID: "d", Name: "Fumé"}},
		Groups: []channel.Group{{ID: "full", Name: "Suppléments", Items: []string{"a", "b"}}, {ID: "half", Name: "Jambon", Items: []string{"c", "d"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range h.counters().Links {
		if r.Linked {
			got = append(got, r.ID+" "+r.Method+" "+r.Target)
		}
	}
	slices.Sort(got)
	if want := []string{"a exact_name_price m-7~70", "accent exact_name_price i-20", "b exact_name_price m-7~71", "full exact_name_price g-7", "same exact_name_price i-22"}; !slices.Equal(got, want) {
		t.Errorf("linked %v, want %v", got, want)
	}
}

// A POS without groups: a group of the aggregator is linked when all its modifiers are.
func TestVirtualGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pos.sells(func(c *Catalogue) { c.Flat = true })
	h.done(`{}`)
	m := channel.Menu{
		Categories: []channel.Category{{ID: "c", Items: []string{"i-10"}}}, Groups: []channel.Group{{ID: "fg", Name: "Fromages", Items: []string{"x", "y"}}},
		Items: []channel.Item{{ID: "i-10", Groups: []string{"fg"}}, {ID: "x", SKU: "X-CHZ", Name: "Mozza"}, {ID: "y", SKU: "Z", Name: "Bleu"}},
	}
	for _, want := range []Unlinked{{0, 1, 1}, {}} {
		if err := h.s.Remote(t.Context(), "otter", m); err != nil {
			t.Fatal(err)
		}
		if l := h.counters(); l.Unlinked != want {
			t.Errorf("%+v, want %+v", l.Unlinked, want)
		}
		m.Items[2].SKU = "X-HAM"
	}
}
