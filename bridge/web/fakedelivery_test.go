package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"aboyeur/bridge/api"
)

// fakeDelivery is what the Delivery page asks of a fakeBox. Without links no partner is configured.
type fakeDelivery struct {
	links    []object
	settings object
	day      object
	rejected []object
}

func newFakeDelivery() fakeDelivery {
	at := time.Now().UTC().Add(-3 * time.Minute)
	step := func(partner, step string, done bool) object {
		s := object{"partner": partner, "step": step, "done": done}
		if done {
			s["by"], s["at"] = "Camille", at
		}
		return s
	}
	order := func(id string, number int, partner, partnerID, state, inPOS string, total int) object {
		return object{"id": id, "number": number, "source": "otter", "partner": object{"name": partner, "order_id": partnerID}, "state": state, "in_pos": inPOS, "total": total, "currency": "EUR"}
	}
	return fakeDelivery{
		links: []object{
			{"source": "otter", "store": "bellevue-12", "state": "observing", "since": at, "observe": true, "auto_accept": true, "paused": false, "webhook_path": "/webhooks/otter", "last_webhook_at": at, "last_feed_at": at,
				"callbacks_waiting": 0, "received": 120, "refused": object{"signature": 1, "malformed": 2}, "capabilities": object{"feed": true},
				"channels": []object{
					{"slug": "ubereats", "name": "Uber Eats", "auto_accept": true, "inject": true, "policy": "strict", "orders_today": 31, "contact": "Uber Eats support, +33 1 00 00 00 00"},
					{"slug": "deliveroo", "name": "Deliveroo", "auto_accept": false, "inject": true, "orders_today": 9},
				},
				"checklist": []object{step("ubereats", "old_integrator_removed", true), step("ubereats", "order_protocol_tablet", true), step("ubereats", "menu_access", false), step("ubereats", "payment_tested", false)}},
			{"source": "ubereats", "store": "b1c2", "state": "error", "reason": "The partner refuses the credentials: invalid_client.", "observe": false, "webhook_path": "/webhooks/ubereats", "received": 0, "refused": object{}, "callbacks_waiting": 4, "capabilities": object{}, "channels": []object{}, "checklist": []object{}},
		},
		settings: object{"value": object{"auto_accept": true, "policy": "strict", "channels": object{"ubereats": object{"auto_accept": true, "inject": true}, "deliveroo": object{"auto_accept": false, "inject": true}}}, "revision": 2},
		day: object{"cancelled_open": []object{order("o9", 17, "Uber Eats", "8F3A2", "cancelled", "yes", 2890)}, "unclosed": []object{}, "failed": []object{order("o5", 12, "Deliveroo", "1182", "accepted", "no", 1990)},
			"differences": []object{{"order": order("o3", 9, "Uber Eats", "77Q1B", "fulfilled", "yes", 2150), "partner_total": 2150, "pos_total": 2140, "difference": 10}},
			"totals":      object{"orders": 40, "injected": 36, "failed": 1, "manual": 2, "cancelled": 1}},
		rejected: []object{{"at": at, "source": "otter", "cause": "malformed", "detail": "/metadata/payload/items/0/quantity is not a number", "excerpt": `{"quantity":"<b>two</b>"}`}},
	}
}

func (b *fakeBox) deliveryRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	with := func(pattern string, f func(d *fakeDelivery, w http.ResponseWriter, r *http.Request, body object) error) {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			var body object
			if r.Method != "GET" {
				json.NewDecoder(r.Body).Decode(&body)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if r.Method != "GET" {
				defer b.publish("delivery", object{})
			}
			return f(&b.delivery, w, r, body)
		})
	}
	link := func(d *fakeDelivery, r *http.Request) object {
		for _, l := range d.links {
			if l["source"] == r.PathValue("source") {
				return l
			}
		}
		return nil
	}
	with("GET /v1/delivery", func(d *fakeDelivery, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, object{"links": notNil(d.links)})
	})
	with("GET /v1/delivery/{source}", func(d *fakeDelivery, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, d.settings)
	})
	with("PUT /v1/delivery/{source}", func(d *fakeDelivery, w http.ResponseWriter, r *http.Request, body object) error {
		b.acts = append(b.acts, "delivery "+r.PathValue("source")+" "+sorted(body["value"].(object)))
		d.settings = object{"value": body["value"], "revision": 3}
		return api.Answer(w, 200, d.settings)
	})
	with("POST /v1/delivery/{source}/{act}", func(d *fakeDelivery, w http.ResponseWriter, r *http.Request, body object) error {
		l, act := link(d, r), r.PathValue("act")
		b.acts = append(b.acts, strings.TrimSpace(act+" "+r.PathValue("source")+" "+sorted(body)))
		switch act {
		case "activate":
			l["state"], l["observe"], l["reason"] = "active", false, ""
			if at, ok := body["go_live"]; ok {
				l["go_live"] = at
			}
		case "disable":
			l["state"] = "disabled"
		case "pause", "resume":
			l["paused"] = act == "pause"
		}
		return api.Answer(w, 200, l)
	})
	with("PUT /v1/delivery/{source}/checklist/{partner}/{step}", func(d *fakeDelivery, w http.ResponseWriter, r *http.Request, body object) error {
		for _, s := range link(d, r)["checklist"].([]object) {
			if s["partner"] == r.PathValue("partner") && s["step"] == r.PathValue("step") {
				s["done"], s["by"], s["at"] = body["done"], "Camille", time.Now().UTC()
			}
		}
		return api.Answer(w, 200, link(d, r))
	})
	with("GET /v1/delivery/rejected", func(d *fakeDelivery, w http.ResponseWriter, _ *http.Request, _ object) error {
		return api.Answer(w, 200, object{"messages": notNil(d.rejected)})
	})
	with("GET /v1/delivery/day", func(d *fakeDelivery, w http.ResponseWriter, r *http.Request, _ object) error {
		if d.day == nil || r.URL.Query().Get("day") == "2026-01-01" {
			return api.Answer(w, 200, object{"totals": object{}})
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
