package menu

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"aboyeur/protocol/channel"
)

// Each thing that is wrong is found under its heading, in words (OTR-25 to OTR-28, OTR-34, OTR-56, OTR-57).
func TestLint(t *testing.T) {
	t.Parallel()
	c := Catalogue{
		Currency:   "EUR",
		Categories: []Category{{ID: "1", Name: "Pizzas"}, {ID: "2", Name: "Pizzas"}, {ID: "3", Name: ""}, {ID: "4", Name: "Cave", Hidden: true}},
		Items: []Item{
			{ID: "1", SKU: "A", Name: "Reine", Category: "1", Price: 1000, Description: "x", Photo: "https://p.example.org/x.jpg", Groups: []string{"ok"}},
			{ID: "2", SKU: "B", Name: "Reine", Category: "1", Price: 1000, Description: "x", Photo: "http://p.example.org/x.jpg"},
			{ID: "3", SKU: "A", Name: "Other  name", Category: "2", Price: 0},
			{ID: "4", SKU: "C", Name: "\u200bMinus", Category: "2", Price: -100, Groups: []string{"gone"}},
			{ID: "5", Name: strings.Repeat("long ", 20) + "x", Category: "2", Price: 100},
			{ID: "6", SKU: "E", Name: " ", Price: 100},
			{ID: "7", SKU: "F", Name: "Glace", Category: "2", Price: 100, Groups: []string{"min"}, Variations: []Variation{{ID: "v", SKU: "G", Name: "Grande"}, {ID: "w", SKU: "H"}}},
			{ID: "8", SKU: "I", Name: "Thé", Category: "2", Price: 100, Groups: []string{"must", "few", "none"}, Variations: nil},
			{ID: "9", SKU: "J", Name: "Café", Category: "2", Price: 100, Photo: "https://p.example.org/gone.jpg", Variations: []Variation{{ID: "y", SKU: "K", Name: "Double", Price: 200}}},
			{ID: "9", SKU: "L", Name: "Same id", Category: "2", Price: 100},
		},
		Groups: []Group{
			{ID: "ok", Name: "Fine", Modifiers: []Modifier{{ID: "1", Name: "a"}, {ID: "2", Name: "a", Price: -1}, {ID: "3"}, {ID: "4", Name: "sub", Groups: []string{"where"}}, {Name: "no id"}}},
			{ID: "min", Name: "Min", Min: 3, Max: 2, Modifiers: []Modifier{{ID: "1", Name: "a"}}},
			{ID: "must", Name: "Must", Min: 1, Modifiers: []Modifier{{ID: "1", Name: "a", Hidden: true}}},
			{ID: "few", Name: "Few", Min: 2, Each: 1, Modifiers: []Modifier{{ID: "1", Name: "a"}}},
			{ID: "none", Name: "None"},
			{ID: "alone", Name: "Alone", Modifiers: []Modifier{{ID: "1", Name: "a"}}},
		},
	}
	c.complete()
	list, more := Lint(&c, &channel.Menu{Categories: []channel.Category{{ID: "x", Name: "Burgers"}, {ID: "y", Name: "Pizzas "}}}, func(address string) string {
		return map[string]string{"https://p.example.org/gone.jpg": "HTTP 404"}[address]
	}, func(key string, _ ...any) string { return key })
	var got []string
	for _, f := range list {
		got = append(got, f.Heading+" "+f.Code+" "+f.ID)
		if f.Text != "menu.lint."+f.Code {
			t.Errorf("%+v", f)
		}
	}
	if !slices.IsSortedFunc(list, func(a, b Finding) int {
		return slices.Index(Headings(), a.Heading) - slices.Index(Headings(), b.Heading)
	}) || more != 0 {
		t.Error("not under their headings")
	}
	for _, want := range []string{
		"items duplicate_name i-2", "items duplicate_sku i-3", "items odd_characters i-3", "items zero_price i-3", "items odd_characters i-4", "items negative_price i-4", "items unknown_group i-4",
		"items long_name i-5", "items no_sku i-5", "items empty_name i-6", "items no_category i-6", "items variations_and_groups i-7", "items zero_price v-v", "items empty_variation v-w",
		"items variations i-9", "items duplicate_id ", "items no_description i-3",
		"categories duplicate_name c-2", "categories empty_name c-3", "categories empty_category c-3", "categories hidden_category c-4", "categories not_in_pos x",
		"modifier_groups min_above_max g-min", "modifier_groups nothing_to_choose g-must", "modifier_groups min_above_count g-few", "modifier_groups empty_group g-none", "modifier_groups unused_group g-alone",
		"modifiers duplicate_name m-ok~2", "modifiers negative_price m-ok~2", "modifiers empty_name m-ok~3", "modifiers unknown_group m-ok~4", "modifiers no_id ", "modifiers orphan m-alone~1",
		"photos no_photo i-3", "photos plain_photo i-2", "photos unreachable_photo i-9",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not found", want)
		}
	}
	for _, f := range got {
		if strings.HasSuffix(f, " i-1") || f == "categories not_in_pos y" {
			t.Errorf("%s: nothing is wrong with it", f)
		}
	}
}

// Every code that a lint, a diagnosis or a run has, has its words.
func TestWordsOfCodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.done(`{}`)
	var l lintList
	h.call("GET", "/v1/menu/lint?menu=otter", "", http.StatusOK, &l)
	if len(l.Findings) == 0 || len(l.Counts) != 5 || l.Counts[HeadItems] == 0 {
		t.Errorf("%+v", l)
	}
	for _, f := range l.Findings {
		if f.Text == "menu.lint."+f.Code || f.Text == "" {
			t.Errorf("no words for %s", f.Code)
		}
	}
	for _, cause := range []string{CauseNoSource, CausePOS, CauseEmpty, CauseShrunk, CauseBlocked, CauseNoMenu, CausePublish, CauseTimeout, CauseUnsupported, CauseInterrupted} {
		if !h.s.words.Has("menu.cause." + cause) {
			t.Errorf("no words for %s", cause)
		}
	}
	h.call("GET", "/v1/menu/lint?menu=nobody", "", http.StatusNotFound, nil)
}

// Why an item is missing: the connection, the switch, what is hidden, and further (OTR-51 to OTR-53).
func TestWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	why := func(q, reason, text string) {
		t.Helper()
		var d Diagnosis
		h.call("GET", "/v1/menu/why?menu=otter&q="+q, "", http.StatusOK, &d)
		if d.Reason != reason {
			t.Errorf("%s is missing because of %q, want %q: %+v", q, d.Reason, reason, d.Checks)
		}
		found := text == ""
		for _, c := range d.Checks {
			found = found || !c.OK && strings.Contains(c.Text, text) && c.Remedy != ""
			if strings.HasPrefix(c.Text, "menu.") {
				t.Errorf("no words for %s", c.Text)
			}
		}
		if !found {
			t.Errorf("%s: nothing says %q: %+v", q, text, d.Checks)
		}
	}
	h.pos.err = errAway
	h.sync(`{}`)
	why("PIZ-01", "connection", "connection refused")
	h.pos.err = nil
	h.done(`{}`)
	why("PIZ-01", "auto_update", "")
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_update":true,"every_minutes":10080}`, http.StatusOK, nil)
	h.until("the update", func() bool { l := mustRuns(h); return len(l) == 3 && l[0].State == Done })
	why("PIZ-01", "published", "not published")
	why("Calzone", "in_pos", "Calzone")
	why("Brouilly", "shown_online", "Cave")
	why("HID", "shown_online", "Secrète")
	why("Ancienne", "shown_online", "not sold any more")
	h.call("PUT", "/v1/menu/menus/otter", `{"parts":[{"id":"a","name":"A","categories":["1"]}]}`, http.StatusOK, nil)
	why("Vanille", "shown_online", "Glaces")
	h.call("PUT", "/v1/menu/menus/otter", `{"parts":[]}`, http.StatusOK, nil)
	h.done(`{"publish":true}`)
	why("VAN-L", "", "")
	h.call("PUT", "/v1/menu/edits", `{"menu":"otter","kind":"category","id":"c-2","field":"hidden","value":"true"}`, http.StatusOK, nil)
	why("chocolat", "hidden_by_hand", "")
	h.pos.sells(func(c *Catalogue) {
		c.Items = append(c.Items, Item{ID: "60", SKU: "NEW", Name: "Neuf", Category: "1", Price: 1})
	})
	h.call("PUT", "/v1/menu/menus/otter", `{"fields":["name"]}`, http.StatusOK, nil)
	h.done(`{}`)
	why("NEW", "in_menu", "")
	h.call("GET", "/v1/menu/why?menu=otter&q=", "", http.StatusUnprocessableEntity, nil)
	h.call("GET", "/v1/menu/why?menu=nobody&q=x", "", http.StatusNotFound, nil)
}

// Several menus of an aggregator, each with its categories and services (OTR-37).
func TestParts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.call("PUT", "/v1/menu/menus/otter", `{"parts":[{"id":"lunch","name":"Midi","categories":["1"],"services":["pickup"]},{"id":"all","name":"Carte","categories":[],"services":[]}]}`, http.StatusOK, nil)
	h.done(`{"publish":true}`)
	m, _ := h.otter.last()
	if len(m.Menus) != 2 || m.Menus[0].Name != "Midi" || !slices.Equal(m.Menus[0].Categories, []string{"c-1"}) || !slices.Equal(m.Menus[0].Services, []string{"pickup"}) || !slices.Equal(m.Menus[1].Categories, []string{"c-1", "c-2"}) {
		t.Errorf("%+v", m.Menus)
	}
	checkWhole(t, m)
}
