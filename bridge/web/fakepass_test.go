package web

import (
	"net/http"
	"slices"
	"time"

	"aboyeur/bridge/api"
)

// fakePass is the pass of a fakeBox: its rows, and those handed over.
type fakePass struct {
	rows, gone []object // nil: no test of the pass
}

func (b *fakeBox) passRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/expo/events", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		first := b.frame("snapshot", object{"epoch": "e", "seq": b.seq, "open": len(b.pass.rows), "now": b.now(), "rows": b.pass.rows})
		first += b.frame("health", object{"printers": []object{}, "warnings": len(b.warnings), "alarms": b.alarms()})
		b.mu.Unlock()
		return b.stream(w, r, first)
	})
	handle("GET /v1/expo/handed-over", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"rows": notNil(b.pass.gone)})
	})
	handle("POST /v1/orders/{id}/handed-over", b.passAct)
	handle("POST /v1/orders/{id}/ready", b.passAct)
	handle("POST /v1/orders/{id}/take-back", b.passAct)
}

func (b *fakeBox) alarms() []object {
	list := []object{}
	for _, w := range b.warnings {
		if w["severity"] == "critical" {
			list = append(list, w)
		}
	}
	return list
}

// passAct plays what happens at the pass, once for each key.
func (b *fakeBox) passAct(w http.ResponseWriter, r *http.Request) error {
	id, act, key := r.PathValue("id"), r.URL.Path[len("/v1/orders/"+r.PathValue("id")+"/"):], r.Header.Get("Idempotency-Key")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys[key] {
		act = "replayed " + act
	}
	b.keys[key] = true
	whole := r.URL.Query().Get("whole") == "true"
	if whole {
		act += " whole"
	}
	b.acts = append(b.acts, act+" "+id)
	find := func(list []object) int {
		return slices.IndexFunc(list, func(o object) bool { return o["id"] == id })
	}
	switch act {
	case "handed-over", "handed-over whole":
		i := find(b.pass.rows)
		if i < 0 {
			return &api.Problem{Status: 404, Detail: "there is no order " + id}
		}
		row := b.pass.rows[i]
		if whole && row["state"] != "prepared" {
			return &api.Problem{Status: 409, Code: "stations_working", Detail: "at work", Extra: map[string]any{"stations": []string{"grill"}}}
		}
		b.pass.rows, b.pass.gone = slices.Delete(b.pass.rows, i, i+1), append([]object{row}, b.pass.gone...)
		b.publish("row-removed", object{"id": id})
		return api.Answer(w, 200, object{"id": id, "state": "handed_off"})
	case "ready":
		if i := find(b.pass.rows); i >= 0 {
			b.row(b.pass.rows[i], object{"state": "prepared"})
		}
		return api.Answer(w, 200, object{"id": id, "state": "prepared"})
	case "take-back":
		if i := find(b.pass.gone); i >= 0 {
			row := b.pass.gone[i]
			b.pass.gone, b.pass.rows = slices.Delete(b.pass.gone, i, i+1), append(b.pass.rows, row)
			b.row(row, nil)
		}
	}
	return api.Answer(w, 200, object{"id": id, "state": "prepared"})
}

// row changes a row and tells the pass. The lock is held.
func (b *fakeBox) row(row, with object) {
	for name, v := range with {
		row[name] = v
	}
	b.publish("row", row)
}

// changeRow is row by the order's id.
func (b *fakeBox) changeRow(id string, with object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.pass.rows {
		if r["id"] == id {
			b.row(r, with)
		}
	}
}

func lamp(station, state string, items int) object {
	return object{"station": station, "state": state, "items": items, "screen": true}
}

func rowAt(id string, number int, age time.Duration, lamps []object, with object) object {
	r := object{"id": id, "number": number, "state": "accepted", "service": "dine_in", "at": time.Now().Add(-age).UTC(), "warn_after": 600, "late_after": 900, "lamps": lamps}
	for name, v := range with {
		r[name] = v
	}
	return r
}

// passOf is a full pass, as on a Saturday evening.
func passOf() []object {
	due := func(d time.Duration) time.Time { return time.Now().Add(d).UTC() }
	return []object{
		rowAt("p1", 38, 16*time.Minute+30*time.Second, []object{lamp("grill", "ready", 4), lamp("fry", "cooking", 2), lamp("bar", "served", 2)}, object{"table": "7", "covers": 2, "staff": "Léa"}),
		rowAt("p2", 40, 11*time.Minute, []object{lamp("grill", "ready", 3), lamp("fry", "ready", 1), lamp("bar", "ready", 4)}, object{"table": "12", "covers": 4, "staff": "Hugo", "state": "prepared"}),
		rowAt("p3", 41, 9*time.Minute, []object{lamp("grill", "cooking", 1), lamp("fry", "new", 2)}, object{"service": "delivery", "partner": object{"name": "Uber Eats", "order_id": "8F3A2"}, "customer": "Zoé L.", "due": due(4 * time.Minute), "allergy": []string{"noix", "arachide"}, "notes": "Sonner au 2e"}),
		rowAt("p4", 42, 4*time.Minute, []object{lamp("grill", "ready", 2)}, object{"service": "pickup", "customer": "M. Ferrand", "due": due(9 * time.Minute), "state": "prepared"}),
		rowAt("p5", 43, 3*time.Minute, []object{lamp("grill", "cooking", 6), lamp("fry", "new", 3), lamp("pastry", "held", 4)}, object{"table": "3", "covers": 6, "staff": "Léa"}),
		rowAt("p6", 44, 2*time.Minute, []object{lamp("bar", "cancelled", 2)}, object{"table": "T01", "state": "cancelled"}),
		rowAt("p7", 45, 40*time.Second, []object{lamp("grill", "new", 12), {"station": "cold", "state": "new", "items": 3, "screen": false}}, object{"table": "21", "covers": 8, "staff": "Hugo"}),
	}
}
