package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"aboyeur/bridge/api"
)

// deviceRoutes plays screens and stations.
func (b *fakeBox) deviceRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /v1/screens", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"screens": notNil(b.screens)})
	})
	answer := func(w http.ResponseWriter) error { return api.Answer(w, 200, object{"stations": notNil(b.stations)}) }
	handle("GET /v1/stations", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return answer(w)
	})
	handle("POST /v1/stations/{station}/{act}", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ To string }
		_ = json.NewDecoder(r.Body).Decode(&body) // opening has no body
		b.note(fmt.Sprint(r.PathValue("act"), " ", r.PathValue("station"), " ", body.To))
		b.mu.Lock()
		defer b.mu.Unlock()
		b.service.closed = []object{}
		if body.To != "" {
			b.service.closed = append(b.service.closed, object{"station": r.PathValue("station"), "to": body.To})
		}
		defer b.publish("reload", object{})
		for _, s := range b.stations {
			if s["name"] == r.PathValue("station") {
				s["closed_to"] = body.To
			}
		}
		return answer(w)
	})
}

func cannedScreens() []object {
	return []object{
		{"name": "bar", "stations": []string{"bar"}, "connected": 0, "looked": false, "shown_at": "grill", "backup": "grill", "open": 2},
		{"name": "grill", "stations": []string{"grill"}, "connected": 2, "looked": true, "open": 7},
	}
}

func cannedStations() []object {
	return []object{
		{"name": "grill", "printers": []string{"grill"}, "screens": []string{"grill"}, "open": 7},
		{"name": "bar", "printers": []string{"bar"}, "screens": []string{"bar"}, "open": 2},
		{"name": "pastry", "printers": []string{"pastry"}, "screens": []string{}, "closed_to": "grill", "open": 0},
	}
}

// manyPairings is more rows than a page holds whole.
func manyPairings(n int) []object {
	list := make([]object, n)
	for i := range list {
		list[i] = object{"id": fmt.Sprint("m", i), "screen": []string{"grill", "bar"}[i%2], "label": fmt.Sprintf("Tablet %d", n-i), "paired_at": time.Now().Add(-time.Duration(i) * time.Minute).UTC(), "last_seen": time.Now().UTC()}
	}
	return list
}
