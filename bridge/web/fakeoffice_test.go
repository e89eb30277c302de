package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"aboyeur/bridge/api"
)

// fakeOffice is what the console's office pages ask of a fakeBox: people, reports, tables, contacts, the support bundle.
type fakeOffice struct {
	people   []object
	pins     map[string]string // by person
	visit    object            // of who gave a PIN
	tables   []object
	checks   []object
	contacts []object
	revision int
	asked    []string // queries of GET /v1/reports
	nothing  bool     // reports are empty
}

func (b *fakeBox) officeRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	o := &b.office
	o.pins = map[string]string{}
	handle("GET /v1/reports", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		o.asked = append(o.asked, r.URL.RawQuery)
		from, to := r.URL.Query().Get("from"), r.URL.Query().Get("to")
		if from > "2026-11-21" {
			return &api.Problem{Status: 422, Detail: "from lies ahead"}
		}
		return api.Answer(w, 200, cannedReport(from, to, o.nothing))
	})
	handle("GET /v1/reports/{file}", func(w http.ResponseWriter, r *http.Request) error {
		b.note("csv " + r.PathValue("file") + " " + r.URL.RawQuery)
		w.Header().Set("Content-Type", "text/csv")
		_, err := w.Write([]byte("a\r\n"))
		return err
	})
	handle("GET /v1/people", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"people": notNil(o.people)})
	})
	handle("POST /v1/people", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ Name, Role, PIN string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if slices.ContainsFunc(o.people, func(p object) bool { return p["name"] == body.Name }) {
			return &api.Problem{Status: 409, Code: "name_taken", Detail: "taken"}
		}
		if body.PIN == "2580" {
			return api.Invalid([]api.Fault{{Pointer: "/pin", Detail: "is known to everybody here"}})
		}
		p := object{"id": "n" + body.Name, "name": body.Name, "role": body.Role, "pin_set_at": time.Now().UTC(), "tries": 0}
		o.people, o.pins[p["id"].(string)] = append(o.people, p), body.PIN
		return api.Answer(w, 201, p)
	})
	handle("PUT /v1/people/{id}", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ PIN string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.note("person " + r.PathValue("id") + " " + body.PIN)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range o.people {
			if p["id"] == r.PathValue("id") {
				delete(p, "locked_until")
				return api.Answer(w, 200, p)
			}
		}
		return api.NotFound("person", r.PathValue("id"))
	})
	handle("DELETE /v1/people/{id}", func(w http.ResponseWriter, r *http.Request) error {
		b.note("remove " + r.PathValue("id"))
		b.mu.Lock()
		defer b.mu.Unlock()
		o.people = slices.DeleteFunc(o.people, func(p object) bool { return p["id"] == r.PathValue("id") })
		return api.Answer(w, 204, nil)
	})
	handle("GET /v1/session/people", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		list := []object{}
		for _, p := range o.people {
			list = append(list, object{"id": p["id"], "name": p["name"]})
		}
		return api.Answer(w, 200, object{"people": list})
	})
	handle("POST /v1/session/person", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ Person, PIN string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if body.PIN == "0000" {
			w.Header().Set("Retry-After", "120")
			return &api.Problem{Status: 429, Detail: "locked"}
		}
		if o.pins[body.Person] != body.PIN {
			return &api.Problem{Status: 401, Code: "wrong_pin", Detail: "this is not the PIN"}
		}
		for _, p := range o.people {
			if p["id"] == body.Person {
				o.visit = b.session
				b.session = object{"name": p["name"], "role": p["role"], "screen": b.session["screen"], "via": "pin", "until": b.now().Add(5 * time.Minute).UTC()}
			}
		}
		return api.Answer(w, 200, b.session)
	})
	handle("DELETE /v1/session/person", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if o.visit != nil {
			b.session, o.visit = o.visit, nil
		}
		return api.Answer(w, 204, nil)
	})
	handle("GET /v1/tables", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"tables": notNil(o.tables)})
	})
	handle("GET /v1/checks", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		state := r.URL.Query().Get("state")
		list := []object{}
		for _, c := range o.checks {
			if c["state"] == state || state == "" && c["state"] == "open" {
				list = append(list, c)
			}
		}
		return api.Answer(w, 200, object{"checks": list})
	})
	handle("GET /v1/checks/{id}", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range o.checks {
			if c["id"] == r.PathValue("id") {
				return api.Answer(w, 200, c)
			}
		}
		return &api.Problem{Status: 404, Detail: "there is no check " + r.PathValue("id")}
	})
	handle("POST /v1/checks/{id}/{act}", func(w http.ResponseWriter, r *http.Request) error {
		b.note(r.PathValue("act") + " check " + r.PathValue("id"))
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range o.checks {
			if c["id"] == r.PathValue("id") {
				switch r.PathValue("act") {
				case "bill":
					c["billed_at"] = time.Now().UTC()
				case "close":
					c["state"], c["closed_at"] = "closed", time.Now().UTC()
				case "reopen":
					c["state"] = "open"
				}
				return api.Answer(w, 200, c)
			}
		}
		return api.NotFound("check", r.PathValue("id"))
	})
	handle("POST /v1/checks/{id}/payments/{payment}/entered", func(w http.ResponseWriter, r *http.Request) error {
		b.note("entered " + r.PathValue("payment"))
		b.mu.Lock()
		defer b.mu.Unlock()
		list := o.checks[0]["payments"].([]object)
		last := list[len(list)-1]
		last["state"] = "paid"
		return api.Answer(w, 200, o.checks[0])
	})
	handle("GET /v1/contacts", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"value": notNil(o.contacts), "revision": o.revision})
	})
	handle("PUT /v1/contacts", func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Value    []object
			Revision int
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if body.Revision != o.revision {
			return &api.Problem{Status: 409, Detail: "changed meanwhile"}
		}
		for i, c := range body.Value {
			if c["mail"] == "nobody" {
				return api.Invalid([]api.Fault{{Pointer: fmt.Sprintf("/value/%d/mail", i), Detail: "is no mail address"}})
			}
		}
		o.contacts = body.Value
		o.revision++
		return api.Answer(w, 200, object{"value": o.contacts, "revision": o.revision})
	})
	handle("GET /v1/support-bundle", func(w http.ResponseWriter, r *http.Request) error {
		b.note("bundle")
		w.Header().Set("Content-Type", "application/gzip")
		w.Header().Set("Content-Disposition", `attachment; filename="aboyeur-rig-1.tar.gz"`)
		_, err := w.Write([]byte("gzip"))
		return err
	})
}

func cannedPeople() []object {
	at := time.Now().UTC()
	return []object{
		{"id": "lea", "name": "Léa", "role": "staff", "pin_set_at": at.Add(-40 * 24 * time.Hour), "last_seen": at.Add(-20 * time.Minute), "tries": 0},
		{"id": "max", "name": "Maxime", "role": "staff", "pin_set_at": at.Add(-3 * 24 * time.Hour), "last_seen": at.Add(-30 * time.Hour), "locked_until": at.Add(2 * time.Minute), "tries": 6},
		{"id": "ana", "name": "Ana Sofia Rodrigues", "role": "manager", "pin_set_at": at.Add(-2 * time.Hour), "tries": 1},
	}
}

func cannedReport(from, to string, nothing bool) object {
	if from == "" {
		from, to = "2026-11-21", "2026-11-21"
	}
	if to == "" {
		to = from
	}
	begins, _ := time.Parse(time.DateOnly, from)
	ends, _ := time.Parse(time.DateOnly, to)
	begins, ends = begins.Add(4*time.Hour+30*time.Minute), ends.Add(28*time.Hour+30*time.Minute)
	r := object{"from": from, "to": to, "begins": begins, "ends": ends, "running": to == "2026-11-21", "timezone": "Europe/Paris", "stations": []object{}, "sources": []object{}, "days": []object{}}
	figures := func(tickets, warned, late int) object {
		return object{"tickets": tickets, "items": tickets * 3, "done": tickets, "median_seconds": 522.5, "p90_seconds": 911.0, "warned": warned, "late": late, "recalls": tickets / 20,
			"cancelled": 1, "passed": tickets, "pass_median_seconds": 74.0, "peak_open": min(tickets, 9), "left_open": 0}
	}
	r["kitchen"] = figures(0, 0, 0)
	if nothing {
		return r
	}
	curve := []int{2, 5, 9, 6, 0, 3, 11, 18, 24, 21, 14, 6}
	stations, all, warned, late := []object{}, 0, 0, 0
	for _, name := range []string{"bar", "grill", "pastry"} {
		halves, sum, w, l := []object{}, 0, 0, 0
		for i, n := range curve {
			if n == 0 {
				continue
			}
			if name != "grill" {
				n = (n + 1) / 2
			}
			at := begins.Add(13*time.Hour + 30*time.Minute + time.Duration(i)*30*time.Minute)
			h := figures(n, n/6, n/9)
			h["at"], h["label"] = at, at.Add(time.Hour).Format("15:04")
			halves = append(halves, h)
			sum, w, l = sum+n, w+n/6, l+n/9
		}
		s := figures(sum, w, l)
		s["station"], s["halves"] = name, halves
		stations = append(stations, s)
		all, warned, late = all+sum, warned+w, late+l
	}
	r["stations"], r["kitchen"] = stations, figures(all, warned, late)
	source := func(name string, orders, failed, manual int) object {
		return object{"source": name, "orders": orders, "injected": orders - failed - manual, "failed": failed, "manual": manual, "pending": 0, "cancelled": 1, "rejected": 0,
			"total": orders * 2350, "answer_median_ms": 1.9, "injection_median_ms": 412.0}
	}
	r["sources"] = []object{source("otter", 64, 1, 2), source("till", 120, 0, 0)}
	days := []object{}
	first, _ := time.Parse(time.DateOnly, from)
	last, _ := time.Parse(time.DateOnly, to)
	for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
		days = append(days, object{"day": d.Format(time.DateOnly), "orders": 180 + d.Day(), "injected": 178 + d.Day(), "failed": d.Day() % 3, "manual": 1, "pending": 0, "cancelled": 2, "rejected": 0,
			"total": 423000, "answer_median_ms": 1.9, "injection_median_ms": 412.0, "tickets": 200 + 3*d.Day(), "items": 700, "median_seconds": 522.5, "p90_seconds": 911.0, "warned": 20, "late": 9, "recalls": 4, "left_open": 0})
	}
	r["days"] = days
	return r
}

func cannedChecks() (tables, checks []object) {
	at := time.Now().UTC().Truncate(time.Second)
	line := func(n, quantity, price int, name string) object {
		return object{"n": n, "quantity": quantity, "price": price, "name": name, "sku": "", "category": "", "at": at}
	}
	event := func(ago time.Duration, kind, by string) object {
		return object{"at": at.Add(-ago), "kind": kind, "by": by}
	}
	one := object{"id": "c1", "number": 1041, "business_day": "2026-11-21", "state": "open", "version": 5, "tables": []string{"12"}, "covers": 4, "staff": "Léa", "guest": "Lambert", "notes": "Allergie: noix. Anniversaire.",
		"opened_at": at.Add(-52 * time.Minute), "total": 14250, "paid": 5000, "balance": 9250, "tips": 500,
		"lines": []object{line(0, 2, 3400, "Entrecôte"), line(1, 1, 2450, "Saumon"), {"n": 2, "quantity": 1, "price": 5000, "name": "Chinon 2019", "modifiers": []object{{"name": "carafe", "quantity": 1, "price": 0}}, "notes": "chambré", "at": at, "voided": false},
			{"n": 3, "quantity": 1, "price": 900, "name": "Soupe", "at": at, "voided": true, "allergens": []string{"céleri"}}},
		"payments": []object{{"id": "pay1", "method": "room", "code": "IKPMS", "amount": 5000, "tip": 500, "state": "unknown", "room": "2781", "posting": "p0", "at": at.Add(-3 * time.Minute)}, {"id": "pay2", "method": "cash", "amount": 5000, "state": "paid", "at": at.Add(-2 * time.Minute)}},
		"events":   []object{event(52*time.Minute, "opened", "Léa"), event(49*time.Minute, "line_added", "Léa"), event(20*time.Minute, "line_voided", "Camille"), event(3*time.Minute, "payment_unknown", ""), event(2*time.Minute, "payment", "Léa")}}
	two := object{"id": "c2", "number": 1042, "business_day": "2026-11-21", "state": "open", "version": 3, "tables": []string{"3"}, "covers": 2, "staff": "Max", "opened_at": at.Add(-80 * time.Minute), "billed_at": at.Add(-4 * time.Minute), "walk_in": true,
		"total": 5200, "paid": 5200, "balance": 0, "lines": []object{line(0, 2, 2600, "Menu du jour")}, "payments": []object{{"id": "pay3", "method": "card", "amount": 5200, "state": "paid", "at": at.Add(-time.Minute)}}, "events": []object{event(80*time.Minute, "opened", "Max"), event(time.Minute, "payment", "Max")}}
	three := object{"id": "c3", "number": 1036, "business_day": "2026-11-21", "state": "closed", "version": 9, "tables": []string{"7"}, "covers": 3, "opened_at": at.Add(-3 * time.Hour), "closed_at": at.Add(-time.Hour), "total": 8100, "paid": 8100, "balance": 0,
		"lines": []object{line(0, 3, 2700, "Menu du jour")}, "payments": []object{}, "events": []object{event(3*time.Hour, "opened", "Léa"), event(time.Hour, "closed", "Léa")}}
	site := func(c object) object {
		return object{"id": c["id"], "number": c["number"], "covers": c["covers"], "guest": c["guest"], "opened_at": c["opened_at"], "billed_at": c["billed_at"], "total": c["total"], "balance": c["balance"]}
	}
	for _, name := range []string{"1", "2", "3", "7", "12", "T01", "T02"} {
		area, on := "Salle", []object{}
		if name[0] == 'T' {
			area = "Terrasse"
		}
		switch name {
		case "12":
			on = append(on, site(one))
		case "3":
			on = append(on, site(two))
		}
		tables = append(tables, object{"name": name, "area": area, "checks": on})
	}
	return tables, []object{one, two, three}
}
