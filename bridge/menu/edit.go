package menu

import (
	"slices"
	"strconv"
	"time"

	"aboyeur/protocol/channel"
)

// FieldHidden is the field of an edit that keeps something off a menu; its value is "true". The POS never wins over it.
const FieldHidden = "hidden"

// An Edit is what a person changed on top of the POS in one menu (OTR-43). It stays over updates, unless the update takes the
// field over and the edit is not locked (spec/delivery.md 6.3, step 5).
type Edit struct {
	Menu   string    `json:"menu"`
	Kind   string    `json:"kind" enum:"category,item,group,modifier"`
	ID     string    `json:"id"`
	Slug   string    `json:"slug,omitzero" doc:"of one marketplace; for prices alone"`
	Field  string    `json:"field" enum:"name,price,description,photo,hidden"`
	Value  string    `json:"value" doc:"a price is minor units"`
	Locked bool      `json:"locked" doc:"the POS does not win over it"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
}

// survives reports whether the edit outlives an update that takes those fields over.
func (e *Edit) survives(takes func(string) bool) bool {
	return e.Locked || e.Field == FieldHidden || !takes(e.Field)
}

// overlay lays edits over a menu. m is not changed: lists that differ are copies.
func overlay(m channel.Menu, edits []Edit) channel.Menu {
	if len(edits) == 0 {
		return m
	}
	m.Items, m.Groups, m.Categories, m.Photos = slices.Clone(m.Items), slices.Clone(m.Groups), slices.Clone(m.Categories), slices.Clone(m.Photos)
	items, groups, categories := map[string]*channel.Item{}, map[string]*channel.Group{}, map[string]*channel.Category{}
	for i := range m.Items {
		items[m.Items[i].ID] = &m.Items[i]
	}
	for i := range m.Groups {
		groups[m.Groups[i].ID] = &m.Groups[i]
	}
	for i := range m.Categories {
		categories[m.Categories[i].ID] = &m.Categories[i]
	}
	away := map[string]bool{}
	for i := range edits {
		e := &edits[i]
		switch e.Kind {
		case KindItem, KindModifier:
			if x := items[e.ID]; x != nil {
				e.item(x, &m, away)
			}
		case KindGroup:
			if x := groups[e.ID]; x != nil {
				e.named(&x.Name, &x.Description, e.ID, away)
			}
		case KindCategory:
			if x := categories[e.ID]; x != nil {
				e.named(&x.Name, &x.Description, e.ID, away)
			}
		}
	}
	if len(away) > 0 {
		hide(&m, away)
	}
	return m
}

func (e *Edit) named(name, description *string, id string, away map[string]bool) {
	switch e.Field {
	case FieldName:
		*name = e.Value
	case FieldDescription:
		*description = e.Value
	case FieldHidden:
		away[id] = true
	}
}

func (e *Edit) item(x *channel.Item, m *channel.Menu, away map[string]bool) {
	switch e.Field {
	case FieldPrice:
		price, err := strconv.ParseInt(e.Value, 10, 64)
		if err != nil {
			return // it was checked when it was taken
		}
		if e.Slug == "" {
			x.Price = price
			return
		}
		x.Prices = slices.DeleteFunc(slices.Clone(x.Prices), func(p channel.PriceOverride) bool { return p.Slug == e.Slug && p.Service == "" })
		x.Prices = append(x.Prices, channel.PriceOverride{Slug: e.Slug, Price: price})
	case FieldPhoto:
		x.Photos = nil
		if e.Value != "" {
			id := photoID("edit-" + x.ID)
			x.Photos = []string{id}
			m.Photos = append(m.Photos, channel.Photo{ID: id, URL: e.Value})
		}
	default:
		e.named(&x.Name, &x.Description, x.ID, away)
	}
}

// hide takes things out of a menu, and their ids out of every list of it.
func hide(m *channel.Menu, away map[string]bool) {
	gone := func(id string) bool { return away[id] }
	clean := func(list []string) []string {
		if !slices.ContainsFunc(list, gone) {
			return list
		}
		return slices.DeleteFunc(slices.Clone(list), gone)
	}
	m.Items = slices.DeleteFunc(m.Items, func(x channel.Item) bool { return away[x.ID] })
	m.Groups = slices.DeleteFunc(m.Groups, func(x channel.Group) bool { return away[x.ID] })
	m.Categories = slices.DeleteFunc(m.Categories, func(x channel.Category) bool { return away[x.ID] })
	m.Menus = slices.Clone(m.Menus)
	for i := range m.Items {
		m.Items[i].Groups = clean(m.Items[i].Groups)
	}
	for i := range m.Groups {
		m.Groups[i].Items = clean(m.Groups[i].Items)
	}
	for i := range m.Categories {
		m.Categories[i].Items = clean(m.Categories[i].Items)
	}
	for i := range m.Menus {
		m.Menus[i].Categories = clean(m.Menus[i].Categories)
	}
}

// soldOut says of each item with one of these SKUs that it is sold out.
func soldOut(m channel.Menu, skus map[string]bool) channel.Menu {
	if len(skus) == 0 {
		return m
	}
	m.Items = slices.Clone(m.Items)
	for i := range m.Items {
		if skus[m.Items[i].SKU] {
			m.Items[i].SoldOut = true
		}
	}
	return m
}
