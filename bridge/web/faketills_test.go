package web

import (
	"encoding/json"
	"net/http"

	"aboyeur/bridge/api"
)

// fakeTills is what the pages of tills, departments and bookings ask of a fakeBox beside its links.
type fakeTills struct {
	departments object // nil: none are kept
	imported    []object
}

func (b *fakeBox) tillRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	t := &b.tills
	t.departments = cannedDepartments()
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
