package menu

import (
	"net/http"
	"strings"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/protocol/channel"
)

// items are the items and modifiers of a staged menu with edits laid over, hidden ones among them.
func items(staged channel.Menu, edits []Edit, skus map[string]bool) []ItemView {
	type key struct{ kind, id string }
	of := map[key][]Edit{}
	shown := make([]Edit, 0, len(edits)) // all that hides nothing: what is hidden is listed as such
	for _, e := range edits {
		of[key{e.Kind, e.ID}] = append(of[key{e.Kind, e.ID}], e)
		if e.Field != FieldHidden {
			shown = append(shown, e)
		}
	}
	m := soldOut(overlay(staged, shown), skus)
	type place struct{ id, name, kind string }
	where := map[string]place{}
	for _, g := range m.Groups {
		for _, id := range g.Items {
			where[id] = place{g.ID, g.Name, KindModifier}
		}
	}
	for _, c := range m.Categories {
		for _, id := range c.Items {
			where[id] = place{c.ID, c.Name, KindItem}
		}
	}
	list := make([]ItemView, 0, len(m.Items))
	for i := range m.Items {
		x, at := &m.Items[i], where[m.Items[i].ID]
		if at.kind == "" {
			at.kind = KindItem
		}
		v := ItemView{Kind: at.kind, ID: x.ID, SKU: x.SKU, Name: x.Name, Category: at.name, CategoryID: at.id, Price: x.Price, Prices: x.Prices, SoldOut: x.SoldOut, Edits: orEmpty(of[key{at.kind, x.ID}])}
		for _, e := range v.Edits {
			v.Hidden = v.Hidden || e.Field == FieldHidden
		}
		list = append(list, v)
	}
	return list
}

func (s *Service) getItems(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, offset, err := page(r)
	if err != nil {
		return err
	}
	m := s.menu(q.Get("menu"))
	if m == nil {
		return problem(ErrMenu)
	}
	var staged channel.Menu
	if _, err := s.read(r.Context(), docStaged(m.ID), &staged); err != nil {
		return err
	}
	edits, err := s.edits(r.Context(), m.ID)
	if err != nil {
		return err
	}
	skus := map[string]bool{}
	for _, sku := range s.c.SoldOut() {
		skus[sku] = true
	}
	text := strings.ToLower(normal(q.Get("q")))
	list := itemList{Items: []ItemView{}}
	for _, v := range items(staged, edits, skus) {
		if q.Get("edited") == "true" && len(v.Edits) == 0 || text != "" && !strings.Contains(strings.ToLower(normal(v.Name)), text) && !strings.Contains(strings.ToLower(v.SKU), text) {
			continue
		}
		if list.Total >= offset && len(list.Items) < limit {
			list.Items = append(list.Items, v)
		}
		list.Total++
	}
	return api.Answer(w, http.StatusOK, list)
}

func (s *Service) showEdits(w http.ResponseWriter, r *http.Request, menu string) error {
	if s.menu(menu) == nil {
		return problem(ErrMenu)
	}
	edits, err := s.edits(r.Context(), menu)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, editList{orEmpty(edits)})
}

func (s *Service) getEdits(w http.ResponseWriter, r *http.Request) error {
	return s.showEdits(w, r, r.URL.Query().Get("menu"))
}

func (s *Service) putEdit(w http.ResponseWriter, r *http.Request) error {
	var p putEdit
	if err := api.Decode(w, r, &p); err != nil {
		return err
	}
	e := Edit{Menu: p.Menu, Kind: p.Kind, ID: p.ID, Slug: p.Slug, Field: p.Field, Value: p.Value, Locked: p.Locked == nil || *p.Locked}
	if err := api.Invalid(e.check()); err != nil {
		return err
	}
	if err := s.Edit(r.Context(), access.From(r.Context()), e); err != nil {
		return problem(err)
	}
	return s.showEdits(w, r, p.Menu)
}

func (s *Service) postRestore(w http.ResponseWriter, r *http.Request) error {
	var p editKey
	if err := api.Decode(w, r, &p); err != nil {
		return err
	}
	if err := s.Restore(r.Context(), access.From(r.Context()), Edit{Menu: p.Menu, Kind: p.Kind, ID: p.ID, Slug: p.Slug, Field: p.Field}); err != nil {
		return problem(err)
	}
	return s.showEdits(w, r, p.Menu)
}

func (s *Service) getLint(w http.ResponseWriter, r *http.Request) error {
	list, more, err := s.Lint(r.Context(), r.URL.Query().Get("menu"))
	if err != nil {
		return problem(err)
	}
	v := lintList{Findings: orEmpty(list), Counts: map[string]int{}, More: more}
	for _, h := range Headings() {
		v.Counts[h] = 0
	}
	for _, f := range list {
		v.Counts[f.Heading]++
	}
	return api.Answer(w, http.StatusOK, v)
}

func (s *Service) getWhy(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if strings.TrimSpace(q.Get("q")) == "" || len(q.Get("q")) > 200 {
		return api.Invalid([]api.Fault{{Pointer: "?q", Detail: "is not a SKU or a part of a name"}})
	}
	d, err := s.Why(r.Context(), q.Get("menu"), q.Get("q"))
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, d)
}
