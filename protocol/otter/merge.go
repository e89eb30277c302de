package otter

import (
	"slices"

	"aboyeur/protocol/channel"
)

// Merge is what a store's menus become when those that stand there (now) are brought up to the wanted ones as far as the options
// allow (spec/delivery.md 6.2): entities that are on both sides take over the fields whose option is on, those that are only
// wanted come with Create, those that only stand there go with Delete.
func Merge(now, wanted channel.Menu, o channel.SyncOptions) channel.Menu {
	return channel.Menu{
		Menus: merged(now.Menus, wanted.Menus, o, func(m *channel.MenuPart) string { return m.ID }, func(m, w *channel.MenuPart) {
			take(o.Names, &m.Name, w.Name)
			take(o.Descriptions, &m.Description, w.Description)
			take(o.Hours && w.Opening != nil, &m.Opening, w.Opening) // hours that we do not know stay as they are there
			take(o.Organization, &m.Categories, w.Categories)
			take(o.Organization, &m.Services, w.Services)
		}),
		Categories: merged(now.Categories, wanted.Categories, o, func(c *channel.Category) string { return c.ID }, func(c, w *channel.Category) {
			take(o.Names, &c.Name, w.Name)
			take(o.Descriptions, &c.Description, w.Description)
			take(o.Photos, &c.Photos, w.Photos)
			c.Items = arranged(c.Items, w.Items, o)
		}),
		Items: merged(now.Items, wanted.Items, o, func(i *channel.Item) string { return i.ID }, func(i, w *channel.Item) {
			take(o.Names, &i.Name, w.Name)
			take(o.Descriptions, &i.Description, w.Description)
			take(o.Photos, &i.Photos, w.Photos)
			take(o.Prices, &i.Price, w.Price)
			take(o.Prices, &i.Currency, w.Currency)
			take(o.Prices, &i.Prices, w.Prices)
			take(o.Availability, &i.SoldOut, w.SoldOut)
			take(o.Availability, &i.SoldOutTill, w.SoldOutTill)
			take(o.Organization, &i.Groups, w.Groups)
			i.SKU = w.SKU // what an item is in the till is nobody else's matter
			take(len(w.Allergens) > 0, &i.Allergens, w.Allergens)
			take(len(w.Dietary) > 0, &i.Dietary, w.Dietary)
			take(len(w.Barcodes) > 0, &i.Barcodes, w.Barcodes)
			i.Alcohol = i.Alcohol || w.Alcohol
		}),
		Groups: merged(now.Groups, wanted.Groups, o, func(g *channel.Group) string { return g.ID }, func(g, w *channel.Group) {
			take(o.Names, &g.Name, w.Name)
			take(o.Descriptions, &g.Description, w.Description)
			take(o.Rules, &g.Min, w.Min)
			take(o.Rules, &g.Max, w.Max)
			take(o.Rules, &g.MaxOfOne, w.MaxOfOne)
			g.Items = arranged(g.Items, w.Items, o)
		}),
		Photos: photos(now.Photos, wanted.Photos),
	}
}

func take[T any](on bool, to *T, from T) {
	if on {
		*to = from
	}
}

// arranged is the order of a list: Organization takes the wanted members, Arrangement their order.
func arranged(now, wanted []string, o channel.SyncOptions) []string {
	switch {
	case o.Organization && o.Arrangement:
		return wanted
	case o.Organization: // the members of the one in the order of the other
		kept := slices.DeleteFunc(slices.Clone(now), func(id string) bool { return !slices.Contains(wanted, id) })
		for _, id := range wanted {
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
		return kept
	case o.Arrangement:
		kept := slices.DeleteFunc(slices.Clone(wanted), func(id string) bool { return !slices.Contains(now, id) })
		for _, id := range now {
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
		return kept
	}
	return now
}

func merged[T any](now, wanted []T, o channel.SyncOptions, id func(*T) string, bring func(have, want *T)) []T {
	want := make(map[string]*T, len(wanted))
	for i := range wanted {
		want[id(&wanted[i])] = &wanted[i]
	}
	all := make([]T, 0, max(len(now), len(wanted)))
	have := make(map[string]bool, len(now))
	for i := range now {
		x := now[i]
		w := want[id(&x)]
		have[id(&x)] = true
		if w == nil && o.Delete {
			continue
		}
		if w != nil {
			bring(&x, w)
		}
		all = append(all, x)
	}
	for i := range wanted {
		if o.Create && !have[id(&wanted[i])] {
			all = append(all, wanted[i])
		}
	}
	return all
}

// photos are all that something may show.
func photos(now, wanted []channel.Photo) []channel.Photo {
	all := slices.Clone(wanted)
	have := make(map[string]bool, len(wanted))
	for _, p := range wanted {
		have[p.ID] = true
	}
	for _, p := range now {
		if !have[p.ID] {
			all = append(all, p)
		}
	}
	return all
}
