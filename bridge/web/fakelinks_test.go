package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/api"
)

// fakeLinks is what the pages of the integrations ask of a fakeBox.
type fakeLinks struct {
	links    []object // nil: no platform is configured
	parties  []object
	rejected []object
	proof    string // state after the next activation
	asked    []string
}

// linkPages are the pages of the integrations and what shows that each is drawn.
var linkPages = map[string]string{
	"/integration/reservations":                       "document.querySelectorAll('.link-tile').length === 6",
	"/integration/reservations/opentable":             "document.querySelector('.link-form .group-chip')",
	"/integration/reservations/opentable/information": "document.querySelectorAll('.shares-table tr').length > 10 && document.querySelector('#link-contacts p')",
	"/integration/reservations/thefork":               "document.querySelector('[data-step=tables]')",
	"/integration/reservations/resy":                  "document.querySelector('[data-step=account] .sample')",
	"/integration/activity":                           "document.querySelectorAll('.synced tbody tr').length > 5",
	"/integration/activity/r2":                        "document.querySelector('#panel .ev')",
	"/integration/activity/rejected":                  "document.querySelectorAll('.rejected tbody tr').length === 4 && document.querySelector('.rejected tbody').innerText.includes('Lightspeed K')",
}

func linkPaths() []string { return slices.Sorted(maps.Keys(linkPages)) }

func (b *fakeBox) linkRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	l := &b.links
	find := func(list []object, key, value string) (object, error) {
		for _, o := range list {
			if o[key] == value {
				return o, nil
			}
		}
		return nil, api.NotFound(key, value)
	}
	locked := func(f func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, r *http.Request) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			return f(w, r)
		}
	}
	one := func(f func(w http.ResponseWriter, r *http.Request, link object) error) func(http.ResponseWriter, *http.Request) error {
		return locked(func(w http.ResponseWriter, r *http.Request) error {
			link, err := find(l.links, "platform", r.PathValue("platform"))
			if err != nil {
				return err
			}
			return f(w, r, link)
		})
	}
	handle("GET /v1/integrations", locked(func(w http.ResponseWriter, r *http.Request) error {
		if l.links == nil && b.delivery.links == nil {
			return api.NotFound("path", "/v1/integrations")
		}
		return api.Answer(w, 200, object{"integrations": append(slices.Clone(l.links), b.delivery.links...)})
	}))
	handle("GET /v1/integrations/{platform}", one(func(w http.ResponseWriter, r *http.Request, link object) error { return api.Answer(w, 200, link) }))
	handle("PUT /v1/integrations/{platform}", one(func(w http.ResponseWriter, r *http.Request, link object) error {
		var body struct {
			Settings object
			Revision int
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		if body.Revision != link["revision"] {
			return api.Conflict("revision", "changed meanwhile")
		}
		if body.Settings["staff"] == "Nobody" {
			return api.Invalid([]api.Fault{{Pointer: "/settings/staff", Detail: "is no user of the till"}})
		}
		link["settings"], link["revision"] = body.Settings, body.Revision+1
		return api.Answer(w, 200, link)
	}))
	act := func(do func(link object)) func(http.ResponseWriter, *http.Request) error {
		return one(func(w http.ResponseWriter, r *http.Request, link object) error {
			l.asked = append(l.asked, r.URL.Path)
			do(link)
			return api.Answer(w, 200, link)
		})
	}
	handle("POST /v1/integrations/{platform}/activate", act(func(link object) {
		link["state"], link["detail"], link["linked"] = l.proof, "", object{"by": "Ana", "at": b.now().UTC()}
	}))
	handle("POST /v1/integrations/{platform}/disable", act(func(link object) { link["state"], link["on"], link["detail"] = "inactive", false, "" }))
	handle("POST /v1/integrations/{platform}/sync", act(func(object) {}))
	handle("GET /v1/integrations/{platform}/audit", one(func(w http.ResponseWriter, r *http.Request, link object) error {
		return api.Answer(w, 200, object{"platform": link["platform"], "matching": []string{"1", "2", "12"}, "only_here": []string{"3"}, "only_there": []string{"7a"}, "near": []object{{"here": "7A", "there": "7a"}}, "aliases": []object{}, "since": b.now().UTC()})
	}))
	handle("GET /v1/integrations/{platform}/rejected", one(func(w http.ResponseWriter, r *http.Request, link object) error {
		list := []object{}
		for _, m := range l.rejected {
			if m["platform"] == link["platform"] {
				list = append(list, m)
			}
		}
		return api.Answer(w, 200, object{"rejected": list})
	}))
	handle("GET /v1/pos/rejected", locked(func(w http.ResponseWriter, r *http.Request) error {
		refused := []object{}
		if l.rejected != nil {
			refused = append(refused, object{"at": b.now().Add(-3 * time.Hour).UTC().Format(time.RFC3339), "status": 422, "reason": "the notification makes no sense: /account/clientCount is -2", "about": "A1001.77", "hash": strings.Repeat("ef56", 16)})
		}
		return api.Answer(w, 200, object{"till": "lightspeed-k", "title": "Lightspeed K", "rejected": refused})
	}))
	handle("GET /v1/reservations", locked(func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		l.asked = append(l.asked, r.URL.RawQuery)
		list := []object{}
		for _, p := range l.parties {
			day := p["business_day"].(string)
			if day >= q.Get("from") && day <= q.Get("to") && (q.Get("platform") == "" || p["platform"] == q.Get("platform")) {
				list = append(list, p)
			}
		}
		return api.Answer(w, 200, object{"reservations": list})
	}))
	handle("GET /v1/reservations/{id}", locked(func(w http.ResponseWriter, r *http.Request) error {
		p, err := find(l.parties, "id", r.PathValue("id"))
		if err != nil {
			return err
		}
		return api.Answer(w, 200, p)
	}))
	handle("POST /v1/reservations/{id}/{act}", locked(func(w http.ResponseWriter, r *http.Request) error {
		p, err := find(l.parties, "id", r.PathValue("id"))
		if err != nil {
			return err
		}
		var body object
		if r.ContentLength > 0 {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				return err
			}
		}
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		l.asked = append(l.asked, r.PathValue("act")+" "+string(text))
		switch r.PathValue("act") {
		case "link":
			p["order_state"], p["problem"], p["detail"], p["origin"], p["checks"], p["may"] = "open", "", "", "operator", []any{body["check"]}, []string{"assign", "covers"}
		case "deposit":
			p["deposits"] = object{"currency": "EUR", "paid": 10000, "refunded": 3000, "applied": 6000, "remaining": 1000, "usable": true}
		}
		return api.Answer(w, 200, p)
	}))
}

// cannedLinks are four platforms of which one is off, one refused and one waits to be confirmed.
func cannedLinks(now time.Time) []object {
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	settings := func() object {
		return object{"open_checks": true, "walk_ins": true, "multi_table": true, "default_profile": true, "order_profile": "", "staff": "Manager", "tills": []string{"Bar", "Salle"},
			"courses":        []object{{"status": "appetizer", "groups": []string{"Starters"}}, {"status": "entree", "groups": []any{"Mains", object{"category": "Course", "value": "Grill"}}}},
			"course_numbers": false, "relay_check_data": true, "open_on_partially_seated": false, "regress_after_bill": false, "match_before_minutes": 20, "match_after_minutes": 25,
			"pay_by_deposit": object{"on": true, "all_menus": false, "placements": []string{"Main"}}, "manage_reservations": object{"on": false}, "guest_retention_days": 30, "aliases": object{}}
	}
	can := func(more object) object {
		c := object{"bookings": true, "seated_opens": true, "walk_ins": true, "deposits": true, "pull": true, "webhooks": true, "stages": []string{"seated", "appetizer", "entree", "dessert", "check_dropped", "paid"}, "spend": true, "totals": true,
			"statuses": []string{"seated", "cancelled", "no_show"}, "moves": true, "covers": true, "create": false, "deactivates": true, "documented": false, "unsure": []string{"moves", "deactivates"}}
		maps.Copy(c, more)
		return c
	}
	link := func(platform, title, state string, more object) object {
		l := object{"platform": platform, "title": title, "venue": "12345", "state": state, "on": state != "inactive", "detail": "", "since": at(-40 * time.Hour), "heard_at": at(-2 * time.Minute), "webhook": "/webhooks/" + platform,
			"address": "https://bellevue.example/webhooks/" + platform, "reachable": true, "credentials": true, "secret": true, "pos": "builtin", "capabilities": can(nil), "queue": object{"waiting": 0, "last_sent": at(-time.Minute)},
			"settings": settings(), "revision": 1, "today": object{"day": "2026-11-21", "reservations": 0, "seated": 0, "problems": 0}}
		maps.Copy(l, more)
		return l
	}
	return []object{
		link("opentable", "OpenTable", "active", object{"today": object{"day": "2026-11-21", "reservations": 42, "seated": 18, "problems": 2}, "linked": object{"by": "Ana", "at": at(-40 * time.Hour)}}),
		link("sevenrooms", "SevenRooms", "error", object{"detail": "401 invalid client", "queue": object{"waiting": 31, "last_error": "401 invalid client"}, "today": object{"day": "2026-11-21", "reservations": 7, "seated": 1, "problems": 0}}),
		link("thefork", "TheFork", "pending", object{"expires_at": at(12 * time.Minute), "heard_at": "0001-01-01T00:00:00Z", "capabilities": can(object{"bookings": false, "pull": false, "stages": []string{}, "statuses": []string{}, "spend": false, "moves": false, "covers": false, "deactivates": false, "documented": true})}),
		link("aleno", "Aleno", "inactive", nil),
		link("generic", "generic", "active", object{"capabilities": can(object{"pull": false, "stages": []string{}, "documented": true}), "webhook": "/v1/platforms/generic/restaurants/12345/reservations/{id}"}),
	}
}

// cannedParties are an evening's reservations, with each problem once.
func cannedParties(now time.Time) []object {
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339Nano) }
	list := []object{}
	party := func(platform, guest, state, order, problem string, tables []string, more object) {
		id := fmt.Sprint("r", len(list)+1)
		p := object{"id": id, "platform": platform, "reservation": "OT-" + strings.ToUpper(id), "business_day": "2026-11-21", "scheduled_at": at(time.Duration(len(list)*15-90) * time.Minute), "guest": guest, "covers": 2 + len(list)%4, "walk_in": false,
			"tables": tables, "state": state, "order_state": order, "problem": problem, "remedy": "", "checks": []string{}, "deposits": object{"paid": 0, "refunded": 0, "applied": 0, "remaining": 0, "usable": true},
			"party": object{"first_name": guest}, "timeline": []object{{"at": at(-3 * time.Hour), "event": "received", "by": platform, "detail": "Confirmed"}, {"at": at(-3 * time.Hour), "event": "status", "by": "platform", "detail": "scheduled"}},
			"updates": []object{}, "may": []string{"seat", "assign", "covers", "link", "cancel", "no-show"}}
		maps.Copy(p, more)
		list = append(list, p)
	}
	seated := []object{{"at": at(-27 * time.Hour), "event": "received", "by": "opentable", "detail": "Confirmed"}, {"at": at(-27 * time.Hour), "event": "status", "by": "platform", "detail": "scheduled"},
		{"at": at(-50 * time.Minute), "event": "received", "by": "opentable", "detail": "Seated"}, {"at": at(-50 * time.Minute), "event": "status", "by": "platform", "detail": "seated"}}
	party("opentable", "Zoé Lambert", "seated", "open", "", []string{"12", "13"}, object{"vip": true, "stage": "entree", "origin": "auto", "checks": []string{"c1"}, "seated_at": at(-50 * time.Minute),
		"deposits":     object{"currency": "EUR", "paid": 10000, "refunded": 3000, "applied": 0, "remaining": 7000, "usable": true},
		"deposit_list": []object{{"id": "D1", "amount": "100.00", "at": at(-30 * time.Hour)}}, "refund_list": []object{{"id": "F1", "amount": "30.00", "at": at(-28 * time.Hour)}},
		"party": object{"first_name": "Zoé", "phone": "+33 1 00 00 00 00", "allergens": []string{"noix", "lait"}}, "guest_request": "Près de la fenêtre", "tags": []string{"anniversaire"}, "may": []string{"assign", "covers", "deposit"},
		"timeline": append(slices.Clone(seated), object{"at": at(-50 * time.Minute), "event": "order_open", "by": "platform", "detail": "auto 41"}, object{"at": at(-20 * time.Minute), "event": "stage", "by": "Léa", "detail": "entree"}),
		"updates": []object{{"request": "q2", "kind": "stage", "stage": "entree", "at": at(-20 * time.Minute), "state": "waiting", "attempts": 3, "next_at": at(time.Minute), "answer": "503 Service Unavailable"},
			{"request": "q1", "kind": "stage", "stage": "seated", "at": at(-50 * time.Minute), "settled_at": at(-50*time.Minute + 80*time.Millisecond), "state": "sent", "attempts": 1}}})
	party("opentable", "Amélie Durand-Moreau", "seated", "failed", "table_unavailable", []string{"7"}, object{"detail": "check 38 is open there", "may": []string{"assign", "covers", "retry", "link", "cancel"},
		"timeline": append(slices.Clone(seated), object{"at": at(-50 * time.Minute), "event": "failed", "by": "platform", "detail": "table_unavailable check 38 is open there"})})
	party("sevenrooms", "Max Weber", "seated", "failed", "invalid_table", []string{"7a"}, object{"detail": "the floor has no table “7a” (it resembles 7A)", "may": []string{"assign", "covers", "retry", "link"}})
	party("opentable", "Walk-in", "seated", "failed", "order_creation_disabled", []string{"2"}, object{"walk_in": true, "detail": "walk-ins excluded", "may": []string{"assign", "covers", "retry", "link"}})
	party("thefork", "Ines", "seated", "pending", "pos_offline", []string{"4"}, nil)
	party("opentable", "Paul Martin", "departed", "closed", "", []string{"5"}, object{"stage": "paid", "may": []string{}})
	party("opentable", "Sofia Rossi", "scheduled", "none", "", []string{"8"}, object{"late": true})
	party("opentable", "", "cancelled", "open", "", []string{"9"}, object{"flags": []object{{"code": "cancelled_open", "text": "x", "remedy": "y"}}})
	return list
}

func cannedRejected(now time.Time) []object {
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	return []object{
		{"platform": "opentable", "at": at(-time.Minute), "status": 422, "reason": "/status is not known: Eating", "reservation": "OT-99", "hash": strings.Repeat("ab12", 16)},
		{"platform": "opentable", "at": at(-time.Hour), "status": 401, "reason": "the sender did not prove who it is; the message was not kept"},
		{"platform": "sevenrooms", "at": at(-2 * time.Hour), "status": 404, "reason": "for venue 777", "hash": strings.Repeat("cd34", 16)},
	}
}
