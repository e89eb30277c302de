package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"aboyeur/bridge/api"
)

// fakeDelivery is what the Delivery page asks of a fakeBox. Without links no partner is configured.
type fakeDelivery struct {
	links    []object
	observed []object
	rejected []object
	day      object
}

func newFakeDelivery() fakeDelivery {
	at := time.Now().UTC().Add(-3 * time.Minute)
	step := func(step string, done bool) object {
		s := object{"partner": "ubereats", "step": step, "done": done}
		if done {
			s["by"], s["at"] = "Camille", at
		}
		return s
	}
	order := func(id string, number int, partner, friendly, state, inPOS string, total int, more object) object {
		o := object{"id": id, "number": number, "aggregator": "otter", "partner": partner, "friendly_id": friendly, "state": state, "in_pos": inPOS, "total": total, "currency": "EUR"}
		maps.Copy(o, more)
		return o
	}
	settings := func(channels object) object {
		return object{"mode": "observe", "auto_accept": true, "accept_minutes": 8, "inject": "strict", "release_minutes": 30, "show_minutes": 60, "lead_minutes": 20, "tip_to_pos": false, "fees": object{"delivery_fee": "LIV"}, "discount": "", "channels": channels}
	}
	return fakeDelivery{
		links: []object{
			{"kind": "delivery", "platform": "otter", "title": "Otter", "venue": "bellevue-12", "state": "observing", "on": true, "heard_at": at, "pulled_at": at, "webhook": "/webhooks/otter", "reachable": true, "paused": false, "revision": 2,
				"outages": []object{{"from": at.Add(-2 * time.Hour), "to": at.Add(-110 * time.Minute), "reason": "connection refused"}}, "zone": "Europe/Paris", "hours": cannedHours(at), "capabilities": object{"feed": true, "pause": true, "hours": true}, "queue": object{"waiting": 0, "failed": 2},
				"settings":  settings(object{"ubereats": object{"name": "Uber Eats"}, "deliveroo": object{"name": "Deliveroo", "auto_accept": false}}),
				"checklist": []object{step("old_integrator_removed", true), step("order_protocol_tablet", true), step("menu_access", false), step("payment_tested", false)}},
			{"kind": "delivery", "platform": "ubereats", "title": "Uber Eats", "venue": "b1c2", "state": "active", "on": true, "detail": "The partner refuses the credentials: invalid_client.", "webhook": "/webhooks/ubereats", "reachable": false, "paused": false, "revision": 0,
				"capabilities": object{}, "queue": object{"waiting": 4, "failed": 0}, "settings": settings(object{})},
		},
		observed: []object{{"at": at, "slug": "ubereats", "partner": "Uber Eats", "friendly_id": "8F3A2", "total": 2890, "currency": "EUR", "lines": 3, "unlinked": []string{"Sauce <b>maison</b>"}}, {"at": at, "slug": "ubereats", "partner": "Uber Eats", "friendly_id": "77Q1B", "total": 2150, "currency": "EUR", "lines": 2, "unlinked": []string{}}},
		rejected: []object{{"at": at, "status": 422, "reason": "/metadata/payload/items/0/quantity is <b>not</b> a number", "order": "4471"}},
		day: object{"since": at.Add(-5 * time.Hour), "open": []object{}, "unpaid": []object{}, "changed": []object{},
			"to_void": []object{order("o9", 17, "Uber Eats", "8F3A2", "cancelled", "yes", 2890, nil)}, "not_in_pos": []object{order("o5", 12, "Deliveroo", "1182", "accepted", "no", 1990, object{"cause": "ITEM_MAPPING_FAILED"})},
			"differences": []object{order("o3", 9, "Uber Eats", "77Q1B", "fulfilled", "yes", 2150, object{"pos_total": 2140})}},
	}
}

// cannedHours are those of three menus: with two services a day and days ahead, without a zone, and of one that nobody told of.
func cannedHours(at time.Time) []object {
	open := func(day, from, to int) object { return object{"day": day, "from": from, "to": to} }
	var week, night []object
	for _, day := range []int{1, 2, 3, 4, 5, 6} {
		week = append(week, open(day, 690, 870), open(day, 1110, 1380+map[bool]int{true: 120}[day > 4]))
		night = append(night, open(day, 1320, 1680))
	}
	return []object{
		{"menu": "menu", "name": "Carte <b>du soir</b>", "services": []string{"delivery", "pickup"}, "at": at, "opening": object{"zone": "Europe/Paris", "weekly": week,
			"special": []object{{"date": "2020-12-25", "hours": []object{}}, {"date": "2099-12-25", "hours": []object{}}, {"date": "2099-12-31", "hours": []object{{"from": 1140, "to": 1620}}}}}},
		{"menu": "6b1f", "at": at, "opening": object{"zone": "", "weekly": append(night, open(0, 0, 1440)), "special": []object{}}},
		{"menu": "brunch", "name": "Brunch"},
	}
}

func (b *fakeBox) deliveryRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	with := func(pattern string, f func(d *fakeDelivery, l object, w http.ResponseWriter, r *http.Request, body object) error) {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			var body object
			if r.Method != "GET" {
				json.NewDecoder(r.Body).Decode(&body)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			var link object
			for _, l := range b.delivery.links {
				if strings.HasPrefix(r.URL.Path, "/v1/integrations/"+l["platform"].(string)) {
					link = l
				}
			}
			if r.Method != "GET" {
				defer b.publish("integration", object{})
			}
			return f(&b.delivery, link, w, r, body)
		})
	}
	for _, platform := range []string{"otter", "ubereats"} {
		one := "/v1/integrations/" + platform
		with("GET "+one, func(_ *fakeDelivery, l object, w http.ResponseWriter, _ *http.Request, _ object) error {
			return api.Answer(w, 200, l)
		})
		with("GET "+one+"/observed", func(d *fakeDelivery, _ object, w http.ResponseWriter, _ *http.Request, _ object) error {
			return api.Answer(w, 200, object{"observed": notNil(d.observed)})
		})
		with("GET "+one+"/rejected", func(d *fakeDelivery, _ object, w http.ResponseWriter, _ *http.Request, _ object) error {
			if platform != "otter" {
				return api.Answer(w, 200, object{"rejected": []object{}})
			}
			return api.Answer(w, 200, object{"rejected": notNil(d.rejected)})
		})
		with("PUT "+one, func(_ *fakeDelivery, l object, w http.ResponseWriter, _ *http.Request, body object) error {
			b.acts = append(b.acts, "delivery "+sorted(body))
			maps.Copy(l["settings"].(object), body["settings"].(object))
			l["revision"] = body["revision"].(float64) + 1
			return api.Answer(w, 200, l)
		})
		with("PUT "+one+"/checklist", func(_ *fakeDelivery, l object, w http.ResponseWriter, _ *http.Request, body object) error {
			for _, s := range l["checklist"].([]object) {
				if s["partner"] == body["partner"] && s["step"] == body["step"] {
					s["done"], s["by"], s["at"] = body["done"], "Camille", time.Now().UTC()
				}
			}
			return api.Answer(w, 200, l)
		})
		for _, act := range []string{"activate", "observe", "disable", "pause", "resume", "sync"} {
			with("POST "+one+"/"+act, func(_ *fakeDelivery, l object, w http.ResponseWriter, r *http.Request, _ object) error {
				b.acts = append(b.acts, strings.TrimSpace(act+" "+platform+" "+r.URL.RawQuery))
				switch act {
				case "activate":
					l["state"], l["on"] = "active", true
				case "observe":
					l["state"], l["on"] = "observing", true
				case "disable":
					l["state"], l["on"] = "inactive", false
				case "pause", "resume":
					l["paused"] = act == "pause"
				}
				return api.Answer(w, 200, l)
			})
		}
	}
	with("GET /v1/delivery/day-end", func(d *fakeDelivery, _ object, w http.ResponseWriter, _ *http.Request, _ object) error {
		if d.day == nil {
			return api.Answer(w, 200, object{"since": time.Now().UTC()})
		}
		return api.Answer(w, 200, d.day)
	})
	for _, verb := range []string{"accept", "reject", "retry", "added-manually", "void-done"} {
		handle("POST /v1/orders/{id}/"+verb, func(w http.ResponseWriter, r *http.Request) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.acts = append(b.acts, strings.TrimSpace(verb+" "+r.PathValue("id")+" "+r.URL.Query().Get("reason")))
			for _, o := range b.orders {
				if o["id"] != r.PathValue("id") {
					continue
				}
				switch verb {
				case "accept":
					o["state"] = "accepted"
				case "reject":
					o["state"] = "rejected"
				case "retry":
					o["in_pos"], o["injection"] = "pending", object{"state": "queued"}
				case "added-manually":
					o["in_pos"], o["injection"] = "manual", object{"state": "manual"}
				case "void-done":
					o["void_pending"] = false
				}
				b.publish("order", object{})
				return api.Answer(w, 200, o)
			}
			return &api.Problem{Status: 404, Detail: "there is no such order"}
		})
	}
}
