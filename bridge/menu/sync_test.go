package menu

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
)

// The whole menu comes in: what is hidden is left out and counted, variations become items called variation, dash, item, groups
// and what hangs on them come along (OTR-17, OTR-32, OTR-54, OTR-55, OTR-70; scenario 13).
func TestWholeMenuComesIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pos.sells(func(c *Catalogue) {
		c.Items = append(c.Items, Item{ID: "40", SKU: "AR", Name: "بيتزا", Category: "1", Price: 900, Variations: []Variation{{ID: "41", SKU: "AR-L", Name: "كبيرة", Price: 1200}}},
			Item{ID: "42", SKU: "EM", Name: "🍕 Fête", Category: "1", Price: 900, Variations: []Variation{{ID: "43", SKU: "EM-L", Name: "Géante 👨‍👩‍👧", Price: 3000}}},
			Item{ID: "44", SKU: "NO", Name: "Nulle part", Price: 900}, Item{ID: "10", SKU: "TWICE", Name: "Double", Category: "1", Price: 900})
	})
	v := h.done(`{"menu":"otter","publish":true}`)
	want := Count{Items: 9, Variations: 3, Groups: 2, Modifiers: 4, Hidden: 2, Inactive: 1, Uncategorised: 1, Dropped: 1}
	if v.Count != want {
		t.Errorf("counted %+v, want %+v", v.Count, want)
	}
	m, _ := h.otter.last()
	names := map[string]string{}
	for _, x := range m.Items {
		names[x.ID] = x.Name
	}
	for id, name := range map[string]string{"i-20": "Vanille", "v-21": "Grande - Vanille", "v-41": "كبيرة - بيتزا", "v-43": "Géante 👨‍👩‍👧 - 🍕 Fête", "m-7~70": "Extra mozzarella", "m-8~80": "Cru"} {
		if names[id] != name {
			t.Errorf("%s is called %q, want %q", id, names[id], name)
		}
	}
	for _, id := range []string{"i-30", "i-31", "i-32", "i-44"} {
		if names[id] != "" {
			t.Errorf("%s is on the menu as %q", id, names[id])
		}
	}
	if x := itemOf(t, m, "i-11"); x.Price != 1900 || !slices.Equal(x.Prices, []channel.PriceOverride{{Slug: "ubereats", Price: 2100}}) {
		t.Errorf("prices of a channel: %+v", x)
	}
	if len(m.Menus) != 1 || !slices.Equal(m.Menus[0].Categories, []string{"c-1", "c-2"}) {
		t.Errorf("menus %+v", m.Menus)
	}
	if v.Added == 0 || v.Total != len(v.Changes) || !v.Published || len(v.Partners) != 1 {
		t.Errorf("run %+v with %d changes", v.Run, v.Total)
	}
	if l := h.counters(); !l.Green || l.Total == 0 {
		t.Errorf("after publishing: %+v", l.Unlinked)
	}
	if v := h.done(`{"publish":true}`); v.Added+v.Changed+v.Removed != 0 {
		t.Errorf("a second run with nothing new changed %v", v.Changes)
	}
}

// Orders on the base item and on its variation reach the one and the other (OTR-55).
func TestVariationsResolve(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.done(`{}`)
	got := h.s.Resolve("otter", []channel.Line{{ID: "i-20", Name: "Vanille"}, {ID: "v-21", Name: "Grande - Vanille"}, {SKU: "VAN-L"}}, nil)
	for i, want := range []string{"20", "21", "21"} {
		if got[i].To == nil || got[i].To.ID != want {
			t.Errorf("line %d stands for %+v, want %s", i, got[i].To, want)
		}
	}
}

// What is not selected never changes; what is selected is as the POS has it, and each change is on record with old and new
// (OTR-29, OTR-41, OTR-49).
func TestFieldsAreHonoured(t *testing.T) {
	t.Parallel()
	for _, field := range []string{FieldName, FieldPrice, FieldDescription, FieldPhoto, FieldAvailability, FieldModifiers, FieldNew, FieldRemoved, FieldOrganisation} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			c := bistro()
			c.Items[1].Groups = []string{"7"}
			old, _ := (&choice{aggregator: "otter", title: "x"}).target(&c)
			c.Items = slices.Clone(c.Items)
			c.Groups = slices.Clone(c.Groups)
			c.Items[0] = Item{ID: "10", SKU: "PIZ-01", Name: "Reine Margherita", Category: "2", Price: 1300, Description: "neu", SoldOut: true, Photo: "https://pictures.example.org/n.jpg"}
			c.Items[3] = Item{ID: "23", SKU: "FRA", Name: "Fraise", Category: "2", Price: 420}
			c.Groups[0].Max = 2
			want, _ := (&choice{aggregator: "otter", title: "x"}).target(&c)
			g := &merger{takes: func(f string) bool { return f == field }, decimals: 2}
			got := g.merge(old, want)
			x := itemOf(t, got, "i-10")
			for _, f := range []struct {
				field string
				taken bool
			}{
				{FieldName, x.Name == "Reine Margherita"}, {FieldPrice, x.Price == 1300}, {FieldDescription, x.Description == "neu"},
				{FieldPhoto, slices.Contains(got.Photos, channel.Photo{ID: "p-10", URL: "https://pictures.example.org/n.jpg"})}, {FieldAvailability, x.SoldOut},
				{FieldModifiers, len(x.Groups) == 0}, {FieldNew, slices.ContainsFunc(got.Items, func(i channel.Item) bool { return i.ID == "i-23" })},
				{FieldRemoved, !slices.ContainsFunc(got.Items, func(i channel.Item) bool { return i.ID == "i-22" })}, {FieldOrganisation, !slices.Contains(got.Categories[0].Items, "i-10")},
			} {
				if f.taken != (f.field == field) {
					t.Errorf("with %s alone, %s taken: %v", field, f.field, f.taken)
				}
			}
			if len(g.changes) == 0 {
				t.Error("no change is on record")
			}
			checkWhole(t, got)
		})
	}
}

// checkWhole sees that every list of a menu names what is there, once.
func checkWhole(t interface {
	Helper()
	Errorf(string, ...any)
}, m channel.Menu) {
	t.Helper()
	items, groups, categories := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, x := range m.Items {
		if items[x.ID] {
			t.Errorf("item %s twice", x.ID)
		}
		items[x.ID] = true
	}
	for _, x := range m.Groups {
		groups[x.ID] = true
	}
	for _, x := range m.Categories {
		categories[x.ID] = true
	}
	list := func(at string, ids []string, known map[string]bool) {
		seen := map[string]bool{}
		for _, id := range ids {
			if !known[id] || seen[id] {
				t.Errorf("%s names %s, which is not there or named before", at, id)
			}
			seen[id] = true
		}
	}
	placed := map[string]string{}
	for _, x := range m.Categories {
		list(x.ID, x.Items, items)
		for _, id := range x.Items {
			if placed[id] != "" {
				t.Errorf("%s is in %s and in %s", id, placed[id], x.ID)
			}
			placed[id] = x.ID
		}
	}
	for _, x := range m.Groups {
		list(x.ID, x.Items, items)
	}
	for _, x := range m.Items {
		list(x.ID, x.Groups, groups)
	}
	for _, x := range m.Menus {
		list(x.ID, x.Categories, categories)
	}
}

// A price that a person changed for a channel survives an update while prices are not taken over (scenario 16), and while it is
// locked; else the POS wins, and that is on record.
func TestEditsAndUpdates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.done(`{"publish":true}`)
	h.call("PUT", "/v1/menu/menus/otter", `{"fields":["name"]}`, http.StatusOK, nil)
	h.call("PUT", "/v1/menu/edits", `{"menu":"otter","kind":"item","id":"i-10","slug":"ubereats","field":"price","value":"1490","locked":false}`, http.StatusOK, nil)
	h.call("PUT", "/v1/menu/edits", `{"menu":"otter","kind":"item","id":"i-22","field":"price","value":"480"}`, http.StatusOK, nil)
	h.pos.sells(func(c *Catalogue) { c.Items[0].Price, c.Items[3].Price = 1350, 450 })
	h.done(`{"publish":true}`)
	m, _ := h.otter.last()
	if x := itemOf(t, m, "i-10"); x.Price != 1250 || !slices.Equal(x.Prices, []channel.PriceOverride{{Slug: "ubereats", Price: 1490}}) {
		t.Errorf("prices are not taken over: %+v", x)
	}
	if o := h.otter.options[1]; !o.Prices || !o.Names || o.Descriptions || o.Delete || o.Create {
		t.Errorf("options %+v", o)
	}
	h.call("PUT", "/v1/menu/menus/otter", `{"fields":["name","price"]}`, http.StatusOK, nil)
	v := h.done(`{"publish":true}`)
	m, _ = h.otter.last()
	if x := itemOf(t, m, "i-10"); x.Price != 1350 || x.Prices != nil {
		t.Errorf("the POS wins over what is not locked: %+v", x)
	}
	if x := itemOf(t, m, "i-22"); x.Price != 480 {
		t.Errorf("a locked price is gone: %+v", x)
	}
	if !slices.ContainsFunc(v.Changes, func(c Change) bool { return c.Act == EditDropped && c.ID == "i-10" && c.Old == "1490" }) ||
		!slices.ContainsFunc(v.Changes, func(c Change) bool {
			return c.Field == FieldPrice && c.ID == "i-10" && c.Old == "12.50" && c.New == "13.50"
		}) {
		t.Errorf("changes %+v", v.Changes)
	}
	h.call("POST", "/v1/menu/edits/remove", `{"menu":"otter","kind":"item","id":"i-22","field":"price"}`, http.StatusOK, nil)
	h.call("PUT", "/v1/menu/edits", `{"menu":"otter","kind":"item","id":"i-20","field":"hidden","value":"true"}`, http.StatusOK, nil)
	h.done(`{"update":false,"publish":true}`)
	m, _ = h.otter.last()
	if x := itemOf(t, m, "i-22"); x.Price != 450 {
		t.Errorf("the edit is taken away: %+v", x)
	}
	if slices.ContainsFunc(m.Items, func(x channel.Item) bool { return x.ID == "i-20" }) {
		t.Error("what is hidden by hand is published")
	}
	checkWhole(t, m)
	var list itemList
	h.call("GET", "/v1/menu/items?menu=otter&edited=true", "", http.StatusOK, &list)
	if list.Total != 1 || !list.Items[0].Hidden || list.Items[0].SKU != "VAN" || list.Items[0].Category != "Glaces" {
		t.Errorf("edited items %+v", list)
	}
	for _, body := range []string{
		`{"menu":"otter","kind":"item","id":"i-20","field":"price","value":"12.50"}`, `{"menu":"otter","kind":"item","id":"i-20","field":"price","value":"-1"}`,
		`{"menu":"otter","kind":"group","id":"g-7","field":"price","value":"1"}`, `{"menu":"otter","kind":"item","id":"i-20","slug":"ubereats","field":"name","value":"x"}`,
		`{"menu":"otter","kind":"item","id":"i-20","field":"name","value":" "}`, `{"menu":"otter","kind":"item","id":"i-20","field":"photo","value":"file:///etc/passwd"}`,
		`{"menu":"otter","kind":"dish","id":"i-20","field":"name","value":"x"}`, `{"menu":"otter","kind":"item","id":"i-20","field":"name","value":"a\u0007b"}`,
	} {
		h.call("PUT", "/v1/menu/edits", body, http.StatusUnprocessableEntity, nil)
	}
}

// An empty or shrunken catalogue stops at the guard: nothing changes until a person agrees (scenario 17).
func TestGuard(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.done(`{"publish":true}`)
	full := bistro()
	for _, c := range []struct {
		cause string
		left  int
	}{{CauseEmpty, 0}, {CauseShrunk, 3}} {
		h.pos.sells(func(x *Catalogue) { x.Items = slices.Clone(full.Items[:c.left]) })
		v := h.sync(`{"publish":true}`)
		if v.State != Asking || v.Cause != c.cause || v.Guard == nil || v.Guard.Had == 0 || v.Guard.Gone == 0 {
			t.Fatalf("with %d items the run is %+v %+v", c.left, v.Run, v.Guard)
		}
		if _, n := h.otter.last(); n != 1 {
			t.Error("it was published all the same")
		}
		if got := h.s.Resolve("otter", []channel.Line{{SKU: "CHO"}}, nil); got[0].To == nil {
			t.Error("orders for what the POS forgot do not resolve any more")
		}
		h.until("somebody is asked", func() bool { return h.warned("menu_asks") })
		if c.left == 0 {
			var r Run
			h.call("POST", "/v1/menu/sync/"+v.ID.String()+"/dismiss", "", http.StatusOK, &r)
			if r.State != Dismissed {
				t.Errorf("dismissed: %+v", r)
			}
			h.until("nobody is asked", func() bool { return !h.warned("menu_asks") })
			h.call("POST", "/v1/menu/sync/"+v.ID.String()+"/confirm", "", http.StatusConflict, nil)
			continue
		}
		h.pos.sells(func(x *Catalogue) { x.Items = slices.Clone(full.Items[:1]) }) // worse than what is agreed to
		var r Run
		h.call("POST", "/v1/menu/sync/"+v.ID.String()+"/confirm", "", http.StatusAccepted, &r)
		if again := h.wait(r.ID); again.State != Asking {
			t.Fatalf("more than was agreed to went: %+v", again.Run)
		}
		h.pos.sells(func(x *Catalogue) { x.Items = slices.Clone(full.Items[:3]) })
		var asking runList
		h.call("GET", "/v1/menu/sync?limit=1", "", http.StatusOK, &asking)
		h.call("POST", "/v1/menu/sync/"+asking.Runs[0].ID.String()+"/confirm", "", http.StatusAccepted, &r)
		if v := h.wait(r.ID); v.State != Done || !v.Published || v.Removed == 0 {
			t.Fatalf("confirmed: %+v", v.Run)
		}
		if got := h.s.Resolve("otter", []channel.Line{{SKU: "CHO"}}, nil); got[0].To != nil {
			t.Error("what is gone still resolves")
		}
	}
}

// warned tells whether people are warned: a run ends on disk a moment before.
func (h *house) warned(code string) bool {
	return slices.ContainsFunc(h.s.c.Warnings.List(), func(w warning.Warning) bool { return w.Code == code })
}

// Publishing by itself needs updates by itself, in both ways round (scenario 15, OTR-40).
func TestAutoPublishNeedsAutoUpdate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_publish":true}`, http.StatusUnprocessableEntity, nil)
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_publish":true,"auto_update":false}`, http.StatusUnprocessableEntity, nil)
	var v View
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_publish":true,"auto_update":true,"every_minutes":10080}`, http.StatusOK, &v)
	if !v.Settings.AutoPublish || v.Revision != 1 {
		t.Errorf("%+v", v)
	}
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_update":false,"revision":1}`, http.StatusOK, &v)
	if v.Settings.AutoPublish || v.Settings.AutoUpdate {
		t.Errorf("publishing goes on by itself: %+v", v.Settings)
	}
	h.call("PUT", "/v1/menu/menus/otter", `{"name":"x","revision":1}`, http.StatusConflict, nil)
	for _, body := range []string{`{"every_minutes":14}`, `{"every_minutes":10081}`, `{"fields":["colour"]}`, `{"name":""}`, `{"parts":[{"id":"a","name":"A"},{"id":"a","name":"B"}]}`, `{"parts":[{"id":"a","name":"A","services":["drone"]}]}`, `{"lunch":1}`} {
		h.call("PUT", "/v1/menu/menus/otter", body, http.StatusUnprocessableEntity, nil)
	}
	h.call("GET", "/v1/menu/menus/nobody", "", http.StatusNotFound, nil)
}

// What can go wrong with a run ends it with a cause, and the menu stays as it was.
func TestRunsThatFail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *Config) { c.Patience = 0 })
	fails := func(body, cause, detail string) {
		t.Helper()
		if v := h.sync(body); v.State != Failed || v.Cause != cause || !strings.Contains(v.Detail, detail) || v.EndedAt.IsZero() {
			t.Errorf("%s ended %s %s %q, want %s %q", body, v.State, v.Cause, v.Detail, cause, detail)
		}
		h.until(cause+" is warned of", func() bool { return h.warned("menu_sync_failed") })
	}
	fails(`{"update":false,"publish":true}`, CauseNoMenu, "")
	h.pos.err = errAway
	fails(`{}`, CausePOS, "connection refused")
	h.pos.err = nil
	h.otter.refuse = errAway
	fails(`{"publish":true}`, CausePublish, "connection refused")
	h.otter.refuse = channel.ErrUnsupported
	fails(`{"publish":true}`, CauseUnsupported, "")
	h.otter.refuse, h.otter.fails = nil, "ubereats: menu has no hours"
	fails(`{"publish":true}`, CausePublish, "no hours")
	h.otter.fails, h.otter.jobs["job-1"] = "", 3
	if v := h.done(`{"publish":true}`); !v.Published {
		t.Errorf("%+v", v.Run)
	}
	h.until("the warning is over", func() bool { return !h.warned("menu_sync_failed") })
	h.call("POST", "/v1/menu/sync", `{"menu":"nobody"}`, http.StatusNotFound, nil)
	h.call("POST", "/v1/menu/sync", `{"update":false}`, http.StatusUnprocessableEntity, nil)
	h.call("GET", "/v1/menu/sync/0193b3c0-0000-7000-8000-000000000000", "", http.StatusNotFound, nil)
	h.call("GET", "/v1/menu/sync?limit=501", "", http.StatusUnprocessableEntity, nil)
}

// Prerequisites block publishing with their list (OTR-24).
func TestPrerequisites(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *Config) {
		c.Blocked = func(context.Context, string) []string {
			return []string{"remove the other integrator", "allow menu edits"}
		}
	})
	if v := h.sync(`{"publish":true}`); v.State != Failed || v.Cause != CauseBlocked || v.Detail != "remove the other integrator; allow menu edits" || v.Added == 0 {
		t.Errorf("%+v", v.Run)
	}
	if _, n := h.otter.last(); n != 0 {
		t.Error("it was published")
	}
	var v View
	h.call("GET", "/v1/menu/menus/otter", "", http.StatusOK, &v)
	if len(v.Prerequisites) != 2 || v.Unpublished == 0 || v.LastRun == nil {
		t.Errorf("%+v", v)
	}
}
