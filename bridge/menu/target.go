package menu

import (
	"slices"

	"aboyeur/protocol/channel"
)

// A Count says what became of the catalogue on its way to a menu. Nothing is left out without being counted (OTR-32, OTR-70).
type Count struct {
	Items         int `json:"items" doc:"of the menu, variations among them"`
	Variations    int `json:"variations" doc:"of them"`
	Groups        int `json:"groups"`
	Modifiers     int `json:"modifiers"`
	Hidden        int `json:"hidden" doc:"items and variations of the POS that are not shown online"`
	Inactive      int `json:"inactive" doc:"not sold any more"`
	Elsewhere     int `json:"elsewhere" doc:"of other channels, or of categories that this menu does not take"`
	Uncategorised int `json:"uncategorised" doc:"in no category, so that no menu can show them"`
	Dropped       int `json:"dropped" doc:"without an id, or with one that something else has"`
}

// choice is what a menu takes of a catalogue.
type choice struct {
	aggregator string
	slugs      []string // of the marketplaces behind it
	parts      []Part
	title      string
}

// at reports whether something that names channels is for this menu.
func (x *choice) at(channels []string) bool {
	return len(channels) == 0 || slices.ContainsFunc(channels, func(c string) bool { return c == x.aggregator || slices.Contains(x.slugs, c) })
}

// takes reports whether some part of the menu has the category.
func (x *choice) takes(category string) bool {
	return len(x.parts) == 0 || slices.ContainsFunc(x.parts, func(p Part) bool { return len(p.Categories) == 0 || slices.Contains(p.Categories, category) })
}

// An absence is why an item of the POS is not on a menu.
type absence int

const (
	present absence = iota
	hidden
	hiddenCategory
	inactive
	elsewhere
	notChosen
	uncategorised
)

// judge tells why an item is not on the menu. category is nil when the POS has none of that id.
func (x *choice) judge(i *Item, category *Category) absence {
	switch {
	case i.Inactive:
		return inactive
	case i.Hidden:
		return hidden
	case category == nil:
		return uncategorised
	case category.Hidden:
		return hiddenCategory
	case !x.at(i.Channels):
		return elsewhere
	case !x.takes(i.Category):
		return notChosen
	}
	return present
}

// target makes the menu that a catalogue asks for: online items alone, each variation an item of its own, with what groups
// and modifiers they reach (spec/delivery.md 6.3, steps 1 to 3).
func (x *choice) target(c *Catalogue) (channel.Menu, Count) {
	var m channel.Menu
	n := Count{Dropped: len(c.Dropped)}
	categories := make(map[string]int, len(c.Categories))
	for i := range c.Categories {
		categories[c.Categories[i].ID] = i
	}
	inside := make([][]string, len(c.Categories))
	groups := make(map[string]*Group, len(c.Groups))
	for i := range c.Groups {
		groups[c.Groups[i].ID] = &c.Groups[i]
	}
	wanted := map[string]bool{}
	var want func(list []string) []string
	want = func(list []string) []string {
		var ids []string
		for _, id := range list {
			g := groups[id]
			if g == nil {
				continue // lint names it
			}
			ids = append(ids, groupID(id))
			if !wanted[id] {
				wanted[id] = true
				for j := range g.Modifiers {
					want(g.Modifiers[j].Groups)
				}
			}
		}
		return ids
	}
	for i := range c.Items {
		it := &c.Items[i]
		at, ok := categories[it.Category]
		var category *Category
		if ok {
			category = &c.Categories[at]
		}
		size := 1 + len(it.Variations)
		switch x.judge(it, category) {
		case hidden, hiddenCategory:
			n.Hidden += size
			continue
		case inactive:
			n.Inactive += size
			continue
		case uncategorised:
			n.Uncategorised += size
			continue
		case elsewhere, notChosen:
			n.Elsewhere += size
			continue
		}
		base := channel.Item{
			ID: itemID(it.ID), Name: it.Name, Description: it.Description, SKU: it.SKU, Price: it.Price, Currency: c.Currency, Groups: want(it.Groups),
			SoldOut: it.SoldOut, Allergens: it.Allergens, Barcodes: it.Barcodes, Alcohol: it.Alcohol,
		}
		if it.Photo != "" {
			id := photoID(it.ID)
			base.Photos = []string{id}
			m.Photos = append(m.Photos, channel.Photo{ID: id, URL: it.Photo})
		}
		x.price(&base, it.Prices)
		m.Items, inside[at] = append(m.Items, base), append(inside[at], base.ID)
		for j := range it.Variations {
			v := &it.Variations[j]
			if v.Hidden {
				n.Hidden++
				continue
			}
			one := base
			one.ID, one.Name, one.SKU, one.Price, one.Prices, one.Barcodes = variationID(v.ID), v.shown(it), v.SKU, v.Price, nil, nil
			m.Items, inside[at] = append(m.Items, one), append(inside[at], one.ID)
			n.Variations++
		}
	}
	n.Items = len(m.Items)
	for i := range c.Groups {
		g := &c.Groups[i]
		if !wanted[g.ID] {
			continue
		}
		out := channel.Group{ID: groupID(g.ID), Name: g.Name, Min: g.Min, Max: g.Max, MaxOfOne: g.Each}
		for j := range g.Modifiers {
			o := &g.Modifiers[j]
			if o.Hidden {
				n.Hidden++
				continue
			}
			item := channel.Item{ID: modifierID(g.ID, o.ID), Name: o.Name, SKU: o.SKU, Price: o.Price, Currency: c.Currency, Groups: want(o.Groups)}
			m.Items, out.Items = append(m.Items, item), append(out.Items, item.ID)
			n.Modifiers++
		}
		m.Groups = append(m.Groups, out)
		n.Groups++
	}
	x.arrange(&m, c, inside)
	return m, n
}

// price puts the prices of channels in place: the aggregator's own is the price, those of its marketplaces stand beside it.
func (x *choice) price(i *channel.Item, prices map[string]int64) {
	if p, ok := prices[x.aggregator]; ok {
		i.Price = p
	}
	for _, slug := range x.slugs {
		if p, ok := prices[slug]; ok && slug != x.aggregator && p != i.Price {
			i.Prices = append(i.Prices, channel.PriceOverride{Slug: slug, Price: p})
		}
	}
}

// arrange makes the categories that hold something, and the parts of the menu.
func (x *choice) arrange(m *channel.Menu, c *Catalogue, inside [][]string) {
	var all []string
	for i := range c.Categories {
		if len(inside[i]) > 0 {
			o := &c.Categories[i]
			m.Categories = append(m.Categories, channel.Category{ID: categoryID(o.ID), Name: o.Name, Description: o.Description, Items: inside[i]})
			all = append(all, o.ID)
		}
	}
	parts := x.parts
	if len(parts) == 0 {
		parts = []Part{{ID: "menu", Name: x.title}}
	}
	for _, p := range parts {
		part := channel.MenuPart{ID: p.ID, Name: p.Name, Services: p.Services, Categories: []string{}}
		for _, id := range all {
			if len(p.Categories) == 0 || slices.Contains(p.Categories, id) {
				part.Categories = append(part.Categories, categoryID(id))
			}
		}
		m.Menus = append(m.Menus, part)
	}
}
