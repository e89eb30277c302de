package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/api"
)

// fakeMenu is what the Menus page asks of a fakeBox. nil: no partner, no catalogue.
type fakeMenu struct {
	at       time.Time // of the catalogue
	menu     object
	settings object
	links    []object
	items    []object
	runs     []object
	lint     []object
}

func newFakeMenu() *fakeMenu {
	at := time.Now().UTC().Add(-40 * time.Minute)
	link := func(kind, id, name, path string, price int, pos object, method, why string) object {
		l := object{"source": "otter", "kind": kind, "id": id, "name": name, "path": path, "price": price, "method": method, "at": at}
		if pos != nil {
			l["pos"] = pos
		}
		if why != "" {
			l["why"] = why
		}
		return l
	}
	of := func(id, name string, price int) object { return object{"id": id, "name": name, "price": price} }
	return &fakeMenu{
		at: at,
		menu: object{"source": "otter", "name": "Otter", "state": "attention", "auto_update": true, "auto_publish": false, "fields": []string{"name", "price"}, "every_seconds": 21600,
			"next_at": at.Add(6 * time.Hour), "last": object{"id": "r2", "at": at, "state": "done", "changes": 3}, "can_publish": true},
		settings: object{"value": object{"auto_update": true, "auto_publish": false, "fields": []string{"name", "price"}, "every_seconds": 21600, "match_by_name": false}, "revision": 4},
		links: []object{
			link("item", "i1", "Burger Bellevue", "Burgers", 1650, of("P1", "Burger Bellevue", 1550), "id", ""),
			link("item", "i2", "Tarte Tatin <i>maison</i>", "Desserts", 890, nil, "", "not_linked"),
			link("item", "i3", "Coulant chocolat", "Desserts", 950, nil, "", "gone"),
			link("modifier_group", "g1", "Cuisson", "Burger Bellevue", 0, nil, "", "not_linked"),
			link("modifier", "g1/m1", "Saignant", "Cuisson", 0, of("P11", "Saignant", 0), "exact-name-price", ""),
			link("modifier", "g1/m2", "Bien cuit", "Cuisson", 0, nil, "", "inactive"),
		},
		items: []object{
			{"sku": "P1", "name": "Burger Bellevue", "category": "Burgers", "price": 1550, "channels": object{"otter": object{"price": 1650, "locked": true, "published": true}}},
			{"sku": "P2", "name": "Tarte Tatin", "category": "Desserts", "price": 850},
			{"sku": "P3", "name": "Grande - Vanille", "category": "Glaces", "price": 620, "variation_of": "Vanille", "sold_out": true},
			{"sku": "P4", "name": "Menu du personnel", "category": "Interne", "price": 500, "hidden": true},
		},
		runs: []object{
			{"id": "r2", "source": "otter", "name": "Otter", "at": at, "ended_at": at.Add(2 * time.Second), "state": "done", "counts": object{"added": 1, "changed": 1, "removed": 1, "hidden": 12, "unchanged": 397}, "jobs": []object{},
				"changes": []object{
					{"kind": "item", "id": "P2", "name": "Tarte Tatin", "change": "changed", "fields": []object{{"field": "price", "from": "8.20", "to": "8.50"}}},
					{"kind": "item", "id": "P9", "name": "Soupe à l'oignon", "change": "added"}, {"kind": "group", "id": "G7", "name": "Sauces", "change": "removed"},
				}},
			{"id": "r1", "source": "otter", "name": "Otter", "by": "Camille", "at": at.Add(-6 * time.Hour), "state": "failed", "reason": "The POS gave no answer.", "counts": object{}},
		},
		lint: []object{
			{"heading": "items", "findings": []object{{"code": "price", "name": "Eau du robinet", "id": "P8", "text": "costs nothing", "remedy": "Give it a price, or hide it online."}}},
			{"heading": "photos", "findings": []object{{"code": "unreachable", "name": "Tarte Tatin", "id": "P2", "text": "its photo cannot be fetched", "remedy": "Put it where the internet reaches it."}}},
			{"heading": "categories", "findings": []object{}}, {"heading": "modifier_groups", "findings": []object{}}, {"heading": "modifiers", "findings": []object{}},
		},
	}
}

// unlinked counts what has no link, as the three counters do.
func (m *fakeMenu) unlinked() object {
	counts := object{"items": 0, "modifier_groups": 0, "modifiers": 0}
	for _, l := range m.links {
		if l["pos"] == nil {
			k := l["kind"].(string) + "s"
			counts[k] = counts[k].(int) + 1
		}
	}
	return counts
}

func (b *fakeBox) menuRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	with := func(pattern string, f func(m *fakeMenu, w http.ResponseWriter, r *http.Request, body object) error) {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			var body object
			if r.Method == "POST" || r.Method == "PUT" {
				json.NewDecoder(r.Body).Decode(&body)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			m := b.menu
			if m == nil {
				m = &fakeMenu{}
			}
			if r.Method != "GET" {
				defer b.publish("menu", object{})
			}
			return f(m, w, r, body)
		})
	}
	with("GET /v1/menu", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		if m.menu == nil {
			return api.Answer(w, 200, object{"catalogue": object{}, "menus": []object{}, "lint": object{}})
		}
		m.menu["unlinked"] = m.unlinked()
		return api.Answer(w, 200, object{"catalogue": object{"at": m.at, "source": "lightspeed-k", "items": 412, "hidden": 12, "variations": 40, "groups": 38, "modifiers": 120}, "menus": []object{m.menu},
			"lint": object{"items": 1, "categories": 0, "modifier_groups": 0, "modifiers": 0, "photos": 1}})
	})
	with("GET /v1/menu/settings/{source}", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, m.settings)
	})
	with("PUT /v1/menu/settings/{source}", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		v := body["value"].(object)
		b.acts = append(b.acts, "menu settings "+sorted(v))
		m.settings = object{"value": v, "revision": 5}
		m.menu["auto_publish"], m.menu["auto_update"] = v["auto_publish"], v["auto_update"]
		return api.Answer(w, 200, m.settings)
	})
	with("GET /v1/menu/links", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		q, shown := r.URL.Query(), []object{}
		for _, l := range m.links {
			bad := l["pos"] == nil
			if l["kind"] == q.Get("kind") && (q.Get("unlinked") == "" || bad) && strings.Contains(strings.ToLower(l["name"].(string)), strings.ToLower(q.Get("q"))) {
				shown = append(shown, l)
			}
		}
		return api.Answer(w, 200, object{"unlinked": m.unlinked(), "links": shown})
	})
	with("PUT /v1/menu/links/{source}/{kind}/{id}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, body object) error {
		b.acts = append(b.acts, "link "+r.PathValue("kind")+" "+r.PathValue("id")+" "+body["pos_id"].(string))
		l := m.links[slices.IndexFunc(m.links, func(l object) bool { return l["id"] == r.PathValue("id") })]
		l["pos"], l["method"], l["by"] = object{"id": body["pos_id"], "name": "Tarte Tatin", "price": 850}, "manual", "Camille"
		return api.Answer(w, 200, l)
	})
	with("DELETE /v1/menu/links/{source}/{kind}/{id}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		b.acts = append(b.acts, "unlink "+r.PathValue("id"))
		l := m.links[slices.IndexFunc(m.links, func(l object) bool { return l["id"] == r.PathValue("id") })]
		delete(l, "pos")
		l["method"] = ""
		return api.Answer(w, 204, nil)
	})
	with("GET /v1/menu/items", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		first, _, _ := strings.Cut(strings.ToLower(r.URL.Query().Get("q")), " ")
		shown := []object{}
		for _, i := range m.items {
			if strings.Contains(strings.ToLower(i["name"].(string)), first) {
				shown = append(shown, i)
			}
		}
		return api.Answer(w, 200, object{"items": shown})
	})
	with("PUT /v1/menu/items/{sku}/channels/{source}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, body object) error {
		b.acts = append(b.acts, "overlay "+r.PathValue("sku")+" "+sorted(body))
		i := m.items[slices.IndexFunc(m.items, func(i object) bool { return i["sku"] == r.PathValue("sku") })]
		i["channels"] = object{"otter": body}
		return api.Answer(w, 200, body)
	})
	with("DELETE /v1/menu/items/{sku}/channels/{source}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		b.acts = append(b.acts, "clear "+r.PathValue("sku"))
		delete(m.items[slices.IndexFunc(m.items, func(i object) bool { return i["sku"] == r.PathValue("sku") })], "channels")
		return api.Answer(w, 204, nil)
	})
	with("POST /v1/menu/sync", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "sync "+sorted(body))
		delete(m.menu, "guard")
		return api.Answer(w, 202, object{"id": "r3"})
	})
	with("GET /v1/menu/sync", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, object{"runs": notNil(m.runs)})
	})
	with("GET /v1/menu/sync/{id}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		for _, run := range m.runs {
			if run["id"] == r.PathValue("id") {
				return api.Answer(w, 200, run)
			}
		}
		return &api.Problem{Status: 404, Detail: "there is no run " + r.PathValue("id")}
	})
	with("GET /v1/menu/lint", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, object{"headings": notNil(m.lint)})
	})
	with("GET /v1/menu/diagnose", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		if !strings.Contains(r.URL.Query().Get("q"), "personnel") {
			return api.Answer(w, 200, object{"item": nil, "checks": []object{}})
		}
		return api.Answer(w, 200, object{"item": m.items[3], "checks": []object{
			{"check": "connection", "ok": true, "text": "The POS answered 40 minutes ago."}, {"check": "switch", "ok": true, "text": "Updates are on."},
			{"check": "hidden_online", "ok": false, "text": "It is hidden online in the POS.", "remedy": "Switch it on for online sale there, then update."},
		}})
	})
}

// sell takes an item from sale, or gives it back.
func (b *fakeBox) sell(sku string, out bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acts = append(b.acts, map[bool]string{true: "sold-out ", false: "back "}[out]+sku)
	b.menu.items[slices.IndexFunc(b.menu.items, func(i object) bool { return i["sku"] == sku })]["sold_out"] = out
	b.publish("menu", object{})
}

// sorted writes a body so that a test can compare it.
func sorted(o object) string {
	text, _ := json.Marshal(o)
	return string(text)
}
