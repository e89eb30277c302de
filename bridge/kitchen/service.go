package kitchen

import (
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
)

// serviceRoutes are the calls on what holds for a whole service: what is sold out, which stations work, what comes later.
func (k *Kitchen) serviceRoutes() []api.Route {
	cooks := []access.Role{access.Manager, access.Staff, access.Screen}
	readers := []access.Role{access.Manager, access.Staff, access.Till, access.Screen}
	idempotency := []api.Param{{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same act again without a second effect; kept 30 days"}}
	menu, stations := []string{"menu"}, []string{"stations"}
	return []api.Route{
		{Method: "POST", Path: "/v1/menu/items/{sku}/sold-out", Roles: cooks, Tags: menu, Params: idempotency, Body: item{}, Answer: SoldOut{},
			Summary: "Say that a dish is sold out", Doc: "Every screen shows it, and the change feed tells it (kind menu) until /back. The body with the dish's name is optional.",
			Problems: []int{http.StatusConflict, http.StatusUnprocessableEntity}, Handle: func(w http.ResponseWriter, r *http.Request) error { return k.sell(w, r, true) }},
		{Method: "POST", Path: "/v1/menu/items/{sku}/back", Roles: cooks, Tags: menu, Params: idempotency, Answer: SoldOut{},
			Summary: "Say that a dish is there again", Problems: []int{http.StatusConflict, http.StatusUnprocessableEntity},
			Handle: func(w http.ResponseWriter, r *http.Request) error { return k.sell(w, r, false) }},
		{Method: "GET", Path: "/v1/menu/sold-out", Roles: readers, Tags: menu, Summary: "What is sold out", Answer: soldOutList{},
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, soldOutList{append([]SoldOut{}, k.SoldOut()...)})
			}},
		{Method: "GET", Path: "/v1/stations", Roles: readers, Tags: stations, Summary: "The stations, and where the tickets of closed ones go", Answer: stationList{},
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, stationList{k.Stations()})
			}},
		{Method: "POST", Path: "/v1/stations/{station}/close", Roles: cooks, Tags: stations, Params: idempotency, Body: closing{}, Answer: stationList{},
			Summary: "Send a station's tickets to another one's screens and printers", Doc: "Open tickets go along. It lasts until /open.",
			Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, Handle: k.closeStation},
		{Method: "POST", Path: "/v1/stations/{station}/open", Roles: cooks, Tags: stations, Params: idempotency, Answer: stationList{},
			Summary: "Let a closed station do its own work again", Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: k.openStation},
		{Method: "GET", Path: "/v1/screens/{screen}/later", Roles: cooks, Tags: []string{"screens"}, Summary: "What is scheduled for a screen, by quarter of an hour", Answer: laterList{},
			Problems: []int{http.StatusNotFound}, Handle: k.later},
	}
}

type (
	item struct {
		Name string `json:"name,omitzero" doc:"as people call it; absent: its SKU"`
	}
	soldOutList struct {
		SoldOut []SoldOut `json:"sold_out"`
	}
	stationList struct {
		Stations []StationView `json:"stations"`
	}
	laterList struct {
		Later []Quarter `json:"later"`
	}
)

// Bounds of what names a dish, characters.
const (
	maxSKU  = 128
	maxName = 200
)

func named(text string, most int) bool {
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= most && !containsControl(text)
}

func containsControl(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

func (k *Kitchen) sell(w http.ResponseWriter, r *http.Request, out bool) error {
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	sku := r.PathValue("sku")
	if !named(sku, maxSKU) {
		return api.Invalid([]api.Fault{{Pointer: "sku", Detail: "is not the SKU of a dish: at most 128 characters, none of them a control character"}})
	}
	var body item
	if out && r.ContentLength != 0 {
		if err := api.Decode(w, r, &body); err != nil {
			return err
		}
		if body.Name != "" && !named(body.Name, maxName) {
			return api.Invalid([]api.Fault{{Pointer: "/name", Detail: "has more than 200 characters, or a control character among them"}})
		}
	}
	s, err := k.SellOut(r.Context(), access.From(r.Context()), key, sku, body.Name, out)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, s)
}

func (k *Kitchen) closeStation(w http.ResponseWriter, r *http.Request) error {
	var body closing
	if err := api.Decode(w, r, &body); err != nil {
		return err
	}
	if body.To == "" {
		return api.Invalid([]api.Fault{{Pointer: "/to", Detail: "is missing: name the station that takes the tickets"}})
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	if err := k.CloseStation(r.Context(), access.From(r.Context()), key, r.PathValue("station"), body.To); err != nil {
		return stationProblem(r, err)
	}
	return api.Answer(w, http.StatusOK, stationList{k.Stations()})
}

func (k *Kitchen) openStation(w http.ResponseWriter, r *http.Request) error {
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	if err := k.OpenStation(r.Context(), access.From(r.Context()), key, r.PathValue("station")); err != nil {
		return stationProblem(r, err)
	}
	return api.Answer(w, http.StatusOK, stationList{k.Stations()})
}

func stationProblem(r *http.Request, err error) error {
	if errors.Is(err, ErrUnknown) {
		return api.NotFound("station", r.PathValue("station"))
	}
	return problem(err)
}

func (k *Kitchen) later(w http.ResponseWriter, r *http.Request) error {
	list, err := k.Later(r.Context(), r.PathValue("screen"))
	if errors.Is(err, ErrUnknown) {
		return api.NotFound("screen", r.PathValue("screen"))
	}
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, laterList{list})
}
