package web

import (
	"encoding/json"
	"net/http"
	"time"

	"aboyeur/bridge/api"
)

// fakeTills is what the pages of tills, departments and bookings ask of a fakeBox beside its links.
type fakeTills struct {
	departments object // nil: none are kept
	imported    []object
	tills       []object // nil: the till is not Bepoz'
	rights      object
	proof       object // of the next call to the till
	pos         object
}

func (b *fakeBox) tillRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	t := &b.tills
	t.departments, t.pos = cannedDepartments(), cannedPOS("builtin")
	handle("GET /v1/pos", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, t.pos)
	})
	handle("POST /v1/pos/verify", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		t.pos["proof"] = t.proof
		return api.Answer(w, 200, t.pos)
	})
	handle("GET /v1/tills", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if t.tills == nil {
			return api.NotFound("path", r.URL.Path)
		}
		return api.Answer(w, 200, object{"tills": t.tills})
	})
	handle("GET /v1/tills/rights", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch {
		case t.tills == nil:
			return api.NotFound("path", r.URL.Path)
		case t.rights == nil:
			return &api.Problem{Status: 403, Code: "right", Detail: "lacks the right"}
		}
		return api.Answer(w, 200, t.rights)
	})
	handle("PUT /v1/tills/rights", func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Value    object
			Revision int
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range body.Value["people"].([]any) {
			if p.(object)["name"] == "" {
				return api.Invalid([]api.Fault{{Pointer: "/value/people/0/name", Detail: "is empty"}})
			}
		}
		t.rights = object{"value": body.Value, "revision": body.Revision + 1, "mine": t.rights["mine"]}
		return api.Answer(w, 200, t.rights)
	})
	handle("GET /v1/departments", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, t.departments)
	})
	handle("PUT /v1/departments", func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Value    []object
			Revision int
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if body.Revision != t.departments["revision"] {
			return api.Conflict("changed_meanwhile", "somebody changed the departments meanwhile")
		}
		for i, d := range body.Value {
			if d["category"] != nil && d["value"] == nil {
				return api.Invalid([]api.Fault{{Pointer: "/value/" + string(rune('0'+i)) + "/value", Detail: "is empty; write the category's value"}})
			}
		}
		t.departments["value"], t.departments["revision"] = body.Value, body.Revision+1
		return api.Answer(w, 200, t.departments)
	})
	handle("POST /v1/departments/import", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if t.imported == nil {
			return &api.Problem{Status: 502, Code: "till", Detail: "the till did not give its statistic groups: no answer in time"}
		}
		t.departments["groups"], t.departments["imported_at"] = t.imported, b.now().UTC()
		return api.Answer(w, 200, t.departments)
	})
}

func cannedDepartments() object {
	return object{
		"value":    []object{{"name": "Entrées", "category": "Course", "value": "Starters"}, {"name": "Grill", "category": "Course", "value": "Mains"}, {"name": "Vins", "category": "Course", "value": "Alcohol"}, {"name": "Divers"}},
		"revision": 3, "known": []string{"Grill", "Desserts", "Boissons"}, "imports": true,
		"groups": []object{{"category": "Course", "value": "Desserts"}, {"category": "Course", "value": "Mains"}, {"category": "Course", "value": "Starters", "stale": true}, {"category": "Margin", "value": "High"}},
	}
}

// cannedPOS is a till with what its set-up needs.
func cannedPOS(kind string) object {
	need := func(key, what, where string, given, asked bool) object {
		return object{"key": key, "what": what, "where": where, "given": given, "asked": asked}
	}
	pos := object{"kind": kind, "title": "Aboyeur", "proves": false, "needs": []object{need("tables", "The tables of the floor, as the platforms name them", "floor.areas, to the letter", true, true)}}
	switch kind {
	case "lightspeed-k":
		pos["title"], pos["location"], pos["address"], pos["proves"] = "Lightspeed Restaurant (K-Series)", "2412", "https://api.lsk.lightspeed.app", true
		pos["needs"] = []object{need("k_series", "The account is of the K-Series", "The back office is manager.lsk.lightspeed.app.", false, false), need("location", "Business location id", "Back office, Configuration, Business location; a number. pos.location", true, true),
			need("credentials", "Client id and client secret of the API", "From Lightspeed's partner team. pos.credentials_file", true, true), need("public_url", "An address at which the cloud reaches the box", "A tunnel or a reverse proxy. http.public_url", false, true)}
	case "bepoz":
		pos["title"] = "Bepoz"
		pos["needs"] = []object{need("version", "SmartPOS 4.6.1.20 or later on every till", "SmartPOS, About", false, false), need("listen", "Address and port at which tills speak to the box", "pos.listen, as in :7100", true, true)}
	}
	return pos
}

func cannedTills(now time.Time) []object {
	return []object{
		{"till": "T1", "version": "4.6.1.20", "last": 1204, "waiting": 0, "refused": 0, "seen_at": now.Add(-3 * time.Second).UTC()},
		{"till": "T2", "version": "4.7.3.0", "last": 88, "waiting": 3, "refused": 1, "oldest": now.Add(-90 * time.Second).UTC(), "error": "there is no table \"7a\"", "seen_at": now.Add(-5 * time.Minute).UTC()},
	}
}

func cannedRights() object {
	all := []string{"operate_tills", "access_stores_tills", "maintain_stores_tills", "maintain_function_maps"}
	return object{"value": object{"manager": all, "staff": all[:2], "till": all[:1], "people": []object{{"name": "Léa", "rights": []string{"operate_tills", "maintain_function_maps"}}}}, "revision": 1, "mine": all}
}
