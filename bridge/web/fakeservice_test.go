package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"aboyeur/bridge/api"
)

// fakeService is what holds for a whole service: what is sold out, which stations are closed, what is scheduled.
type fakeService struct {
	sold   map[string]object // by SKU
	closed []object          // {station, to}
	later  []object
}

func (b *fakeBox) soldOut() []object {
	list := []object{}
	for _, sku := range slices.Sorted(maps.Keys(b.service.sold)) {
		list = append(list, b.service.sold[sku])
	}
	return list
}

func (b *fakeBox) serviceRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	b.service = fakeService{sold: map[string]object{}, closed: []object{}, later: []object{}}
	handle("GET /v1/screens/{screen}/later", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"later": b.service.later})
	})
	handle("POST /v1/menu/items/{sku}/{act}", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ Name string }
		_ = json.NewDecoder(r.Body).Decode(&body) // back has no body
		sku, out := r.PathValue("sku"), r.PathValue("act") == "sold-out"
		if b.menu != nil {
			b.sell(sku, out)
			return api.Answer(w, 204, nil)
		}
		b.note(r.PathValue("act") + " " + sku + " " + r.Header.Get("Idempotency-Key")[:1])
		b.mu.Lock()
		defer b.mu.Unlock()
		d := object{"sku": sku, "name": body.Name, "sold_out": out, "at": b.now(), "by": "Camille"}
		if delete(b.service.sold, sku); out {
			b.service.sold[sku] = d
		}
		b.publish("sold-out", d)
		return api.Answer(w, 200, d)
	})
}
