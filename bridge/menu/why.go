package menu

import (
	"context"
	"slices"
	"strings"

	"aboyeur/protocol/channel"
)

// A Check is one step of the answer to "why is my item missing?" (OTR-51 to OTR-53).
type Check struct {
	Check  string `json:"check" enum:"connection,auto_update,in_pos,shown_online,in_menu,hidden_by_hand,published,prerequisites"`
	OK     bool   `json:"ok"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitzero"`
}

// A Diagnosis tells why an item is not where guests look for it: each step in order; the first that is not ok is the reason.
type Diagnosis struct {
	Menu   string   `json:"menu"`
	Query  string   `json:"query"`
	Found  []string `json:"found" doc:"names of what fits in the POS"`
	Checks []Check  `json:"checks"`
	Reason string   `json:"reason,omitzero" doc:"the first check that failed; empty: the item is on the menu"`
}

// Why looks for an item by SKU or by a part of its name, and tells why a menu does not show it.
func (s *Service) Why(ctx context.Context, id, query string) (Diagnosis, error) {
	m := s.menu(id)
	if m == nil {
		return Diagnosis{}, ErrMenu
	}
	d := Diagnosis{Menu: id, Query: query, Found: []string{}, Checks: []Check{}}
	check := func(name string, ok bool, args ...any) {
		c := Check{Check: name, OK: ok}
		if ok {
			c.Text = s.words.T("menu.why."+name+".ok", args...)
		} else {
			c.Text, c.Remedy = s.words.T("menu.why."+name, args...), s.words.T("menu.why."+name+".remedy", args...)
			if d.Reason == "" {
				d.Reason = name
			}
		}
		d.Checks = append(d.Checks, c)
	}
	s.mu.Lock()
	broken, known := s.broken, s.known
	s.mu.Unlock()
	check("connection", s.c.Source != nil && broken == "" && !known.IsZero(), broken)
	check("auto_update", m.settings.Load().AutoUpdate)
	c, _, err := s.catalogue(ctx)
	if err != nil {
		return d, err
	}
	items := fitting(&c, query)
	for _, it := range items {
		d.Found = append(d.Found, it.Name)
	}
	if check("in_pos", len(items) > 0, query); len(items) == 0 {
		return d, nil
	}
	s.whyHidden(m, &c, items, check)
	edits, err := s.edits(ctx, id)
	if err != nil {
		return d, err
	}
	ids := entityIDs(items)
	var staged, remote channel.Menu
	if _, err := s.read(ctx, docStaged(id), &staged); err != nil {
		return d, err
	}
	if _, err := s.read(ctx, docRemote(id), &remote); err != nil {
		return d, err
	}
	check("in_menu", has(&staged, ids))
	by := ""
	for _, e := range edits {
		if e.Field == FieldHidden && (slices.Contains(ids, e.ID) || slices.ContainsFunc(items, func(it *Item) bool { return e.ID == categoryID(it.Category) })) {
			by = e.By
		}
	}
	check("hidden_by_hand", by == "", by)
	unmet := s.c.Blocked(ctx, id)
	check("prerequisites", len(unmet) == 0, joined(unmet))
	check("published", has(&remote, ids))
	return d, nil
}

// whyHidden is the check that names what the POS hides.
func (s *Service) whyHidden(m *menu, c *Catalogue, items []*Item, check func(string, bool, ...any)) {
	x := m.choice()
	what, name := present, ""
	for _, it := range items {
		var category *Category
		for i := range c.Categories {
			if c.Categories[i].ID == it.Category {
				category = &c.Categories[i]
			}
		}
		if a := x.judge(it, category); a != present {
			what, name = a, it.Name
			if a == hiddenCategory || a == notChosen {
				name = category.Name
			}
			break
		}
	}
	word := map[absence]string{hidden: "item", hiddenCategory: "category", inactive: "inactive", elsewhere: "elsewhere", notChosen: "not_chosen", uncategorised: "uncategorised"}[what]
	if what == present {
		check("shown_online", true)
		return
	}
	check("shown_online", false, s.words.T("menu.why.hidden."+word, name))
}

// fitting finds items by SKU, of the item or of a variation, else by a part of the name.
func fitting(c *Catalogue, query string) []*Item {
	query = normal(query)
	var exact, like []*Item
	part := strings.ToLower(query)
	for i := range c.Items {
		it := &c.Items[i]
		switch {
		case query == "":
		case it.SKU == query, it.ID == query, slices.ContainsFunc(it.Variations, func(v Variation) bool { return v.SKU == query }):
			exact = append(exact, it)
		case strings.Contains(strings.ToLower(normal(it.Name)), part),
			slices.ContainsFunc(it.Variations, func(v Variation) bool { return strings.Contains(strings.ToLower(normal(v.shown(it))), part) }):
			like = append(like, it)
		}
	}
	if exact != nil {
		return exact
	}
	return like[:min(len(like), 20)]
}

func entityIDs(items []*Item) []string {
	var ids []string
	for _, it := range items {
		ids = append(ids, itemID(it.ID))
		for _, v := range it.Variations {
			ids = append(ids, variationID(v.ID))
		}
	}
	return ids
}

func has(m *channel.Menu, ids []string) bool {
	return slices.ContainsFunc(m.Items, func(x channel.Item) bool { return slices.Contains(ids, x.ID) })
}
