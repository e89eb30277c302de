package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/api"
)

// fakeMenu is what the Menus page asks of a fakeBox. nil: no partner, no catalogue.
type fakeMenu struct {
	at    time.Time // of the catalogue
	menu  object
	links []object
	items []object
	runs  []object
	lint  []object
}

func newFakeMenu() *fakeMenu {
	at := time.Now().UTC().Add(-40 * time.Minute)
	link := func(kind, id, name, within string, price int, more object) object {
		l := object{"menu": "otter", "kind": kind, "id": id, "name": name, "within": within, "price": price, "linked": more["target"] != nil}
		maps.Copy(l, more)
		return l
	}
	run := object{"id": "r2", "menu": "otter", "trigger": "scheduled", "state": "done", "update": true, "queued_at": at, "started_at": at, "ended_at": at.Add(2 * time.Second), "added": 1, "changed": 1, "removed": 1, "published": true,
		"count": object{"items": 412, "variations": 40, "groups": 38, "modifiers": 120, "hidden": 12}, "partners": []object{{"slug": "ubereats", "state": "SUCCESS"}, {"slug": "deliveroo", "state": "FAILED", "message": "opening hours are missing"}}}
	return &fakeMenu{
		at: at,
		menu: object{"menu": "otter", "title": "Otter", "slugs": []string{"ubereats", "deliveroo"}, "revision": 4, "entities": 530, "unpublished": 2, "publishable": true, "prerequisites": []string{}, "asking": false,
			"sold_out_there": []object{{"id": "i-9", "sku": "TAR", "name": "Tarte <b>Tatin</b>", "until": at.Add(20 * time.Hour)}, {"id": "i-8", "sku": "BR/1", "name": "Bœuf bourguignon, purée de pommes de terre à l'ancienne"}},
			"next_at":        at.Add(6 * time.Hour), "last_run": run,
			"settings": object{"name": "", "auto_update": true, "auto_publish": false, "every_minutes": 360, "fields": []string{"name", "price"}, "match_by_name": false, "parts": []object{{"id": "lunch", "name": "Midi", "categories": []string{}, "services": []string{}}}}},
		links: []object{
			link("item", "i1", "Burger Bellevue", "Burgers", 1650, object{"target": "item:P1", "target_name": "Burger Bellevue", "method": "sku"}),
			link("item", "i2", "Tarte Tatin <i>maison</i>", "Desserts", 890, nil),
			link("item", "i3", "Coulant chocolat", "Desserts", 950, object{"lost": true}),
			link("group", "g1", "Cuisson", "Burger Bellevue", 0, nil),
			link("modifier", "m1", "Saignant", "Cuisson", 0, object{"group": "g1", "target": "modifier:P11", "target_name": "Saignant", "method": "exact_name_price"}),
			link("modifier", "m2", "Bien cuit", "Cuisson", 0, object{"group": "g1", "lost": true}),
		},
		items: []object{
			{"kind": "item", "id": "P1", "sku": "P1", "name": "Burger Bellevue", "category": "Burgers", "category_id": "c1", "price": 1550, "prices": []object{{"slug": "ubereats", "price": 1650}},
				"edits": []object{{"menu": "otter", "kind": "item", "id": "P1", "slug": "ubereats", "field": "price", "value": "1650", "locked": true, "by": "Camille", "at": at}}},
			{"kind": "item", "id": "P2", "sku": "P2", "name": "Tarte Tatin", "category": "Desserts", "category_id": "c2", "price": 850, "edits": []object{}},
			{"kind": "item", "id": "P3", "sku": "P3", "name": "Grande - Vanille", "category": "Glaces", "price": 620, "sold_out": true, "edits": []object{}},
			{"kind": "modifier", "id": "P11", "sku": "P11", "name": "Saignant", "category": "Cuisson", "price": 0, "edits": []object{}},
		},
		runs: []object{run, {"id": "r1", "menu": "otter", "trigger": "manual", "by": "Camille", "queued_at": at.Add(-6 * time.Hour), "state": "failed", "cause": "pos_unreachable", "detail": "connection refused", "added": 0, "changed": 0, "removed": 0}},
		lint: []object{
			{"heading": "items", "code": "zero_price", "severity": "warning", "name": "Eau du robinet", "id": "P8", "text": "costs nothing"},
			{"heading": "photos", "code": "unreachable_photo", "severity": "info", "name": "Tarte Tatin", "id": "P2", "text": "has a photo that cannot be fetched: 404"},
		},
	}
}

// unlinked counts what has no link, as the three counters do.
func (m *fakeMenu) unlinked() object {
	counts := map[string]int{}
	for _, l := range m.links {
		if l["linked"] != true {
			counts[l["kind"].(string)]++
		}
	}
	return object{"items": counts["item"], "modifier_groups": counts["group"], "modifiers": counts["modifier"]}
}

// named finds the object of a list by its id.
func named(list []object, id any) object {
	return list[slices.IndexFunc(list, func(o object) bool { return o["id"] == id })]
}

func (b *fakeBox) menuRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	with := func(pattern string, f func(m *fakeMenu, w http.ResponseWriter, r *http.Request, body object) error) {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			var body object
			if r.Method != "GET" {
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
	fits := func(r *http.Request, o object) bool {
		first, _, _ := strings.Cut(strings.ToLower(r.URL.Query().Get("q")), " ")
		return strings.Contains(strings.ToLower(o["name"].(string)), first)
	}
	with("GET /v1/menu/menus", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		if m.menu == nil {
			return api.Answer(w, 200, object{"menus": []object{}, "pos": object{"kind": "builtin", "known": false}})
		}
		m.menu["unlinked"] = m.unlinked()
		return api.Answer(w, 200, object{"menus": []object{m.menu}, "pos": object{"kind": "lightspeed-k", "known": true, "read_at": m.at}})
	})
	with("PUT /v1/menu/menus/{menu}", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "menu settings "+sorted(body))
		m.menu["revision"] = body["revision"].(float64) + 1
		delete(body, "revision")
		m.menu["settings"] = body
		return api.Answer(w, 200, m.menu)
	})
	with("POST /v1/menu/menus/{menu}/resell", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "resell "+sorted(body))
		m.menu["sold_out_there"] = m.menu["sold_out_there"].([]object)[1:]
		return api.Answer(w, 200, m.menu)
	})
	with("GET /v1/menu/links", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		q, shown := r.URL.Query(), []object{}
		for _, l := range m.links {
			if l["kind"] == q.Get("kind") && (q.Get("unlinked") == "" || l["linked"] != true) && fits(r, l) {
				shown = append(shown, l)
			}
		}
		return api.Answer(w, 200, object{"unlinked": m.unlinked(), "menus": []object{}, "links": shown, "total": len(shown)})
	})
	with("PUT /v1/menu/links", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "link "+sorted(body))
		l := named(m.links, body["id"])
		l["linked"], l["target"], l["target_name"], l["method"], l["by"], l["at"] = body["target"] != "", body["target"], "Tarte Tatin", "manual", "Camille", m.at
		return api.Answer(w, 200, object{})
	})
	with("GET /v1/menu/targets", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		shown := []object{}
		for _, i := range m.items {
			if i["kind"] == r.URL.Query().Get("kind") && fits(r, i) {
				shown = append(shown, object{"kind": i["kind"], "target": "item:" + i["id"].(string), "sku": i["sku"], "name": i["name"], "within": i["category"], "price": i["price"]})
			}
		}
		return api.Answer(w, 200, object{"targets": shown})
	})
	with("GET /v1/menu/items", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		shown := []object{}
		for _, i := range m.items {
			if fits(r, i) && (r.URL.Query().Get("edited") == "" || len(i["edits"].([]object)) > 0) {
				shown = append(shown, i)
			}
		}
		return api.Answer(w, 200, object{"items": shown, "total": len(shown)})
	})
	with("PUT /v1/menu/edits", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "edit "+sorted(body))
		i := named(m.items, body["id"])
		i["edits"] = append(i["edits"].([]object), body)
		return api.Answer(w, 200, object{"edits": []object{}})
	})
	with("POST /v1/menu/edits/remove", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "restore "+sorted(body))
		named(m.items, body["id"])["edits"] = []object{}
		return api.Answer(w, 200, object{"edits": []object{}})
	})
	with("POST /v1/menu/sync", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, body object) error {
		b.acts = append(b.acts, "sync "+sorted(body))
		return api.Answer(w, 202, m.runs[0])
	})
	with("GET /v1/menu/sync", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, object{"runs": notNil(m.runs)})
	})
	with("GET /v1/menu/sync/{id}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		v := maps.Clone(named(m.runs, r.PathValue("id")))
		v["changes"] = []object{
			{"kind": "item", "id": "P2", "name": "Tarte Tatin", "act": "changed", "field": "price", "old": "8.20", "new": "8.50"},
			{"kind": "item", "id": "P9", "name": "Soupe à l'oignon", "act": "added"}, {"kind": "group", "id": "G7", "name": "Sauces", "act": "removed"},
		}
		v["total"] = 3
		return api.Answer(w, 200, v)
	})
	with("POST /v1/menu/sync/{id}/{verb}", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		b.acts = append(b.acts, r.PathValue("verb")+" "+r.PathValue("id"))
		m.menu["asking"] = false
		return api.Answer(w, 202, m.runs[0])
	})
	with("GET /v1/menu/lint", func(m *fakeMenu, w http.ResponseWriter, _ *http.Request, _ object) error {
		counts := map[string]int{"items": 0, "categories": 0, "modifier_groups": 0, "modifiers": 0, "photos": 0}
		for _, f := range m.lint {
			counts[f["heading"].(string)]++
		}
		return api.Answer(w, 200, object{"findings": notNil(m.lint), "counts": counts, "more": 0})
	})
	with("GET /v1/menu/why", func(m *fakeMenu, w http.ResponseWriter, r *http.Request, _ object) error {
		q := r.URL.Query().Get("q")
		checks := []object{{"check": "connection", "ok": true, "text": "The connection to the POS works"}, {"check": "auto_update", "ok": true, "text": "Automatic updates from the POS are on"}}
		if !strings.Contains(q, "personnel") {
			return api.Answer(w, 200, object{"found": []string{}, "reason": "in_pos", "checks": append(checks, object{"check": "in_pos", "ok": false, "text": "The POS has nothing called “" + q + "”", "remedy": "Add it in the POS"})})
		}
		return api.Answer(w, 200, object{"found": []string{"Menu du personnel"}, "reason": "shown_online", "checks": append(checks,
			object{"check": "in_pos", "ok": true, "text": "The POS has it"}, object{"check": "shown_online", "ok": false, "text": "It is not set to be shown online in the POS", "remedy": "Change that in the POS"})})
	})
}

// sell takes an item from sale, or gives it back.
func (b *fakeBox) sell(sku string, out bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acts = append(b.acts, map[bool]string{true: "sold-out ", false: "back "}[out]+sku)
	if i := slices.IndexFunc(b.menu.items, func(o object) bool { return o["id"] == sku }); i >= 0 {
		b.menu.items[i]["sold_out"] = out
	}
	if out {
		b.menu.menu["sold_out_there"] = []object{}
	}
	b.publish("menu", object{})
}

// sorted writes a body so that a test can compare it.
func sorted(o object) string {
	text, _ := json.Marshal(o)
	return string(text)
}
