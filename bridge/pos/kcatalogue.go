package pos

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/lightspeed"
)

// Catalogue reads items, menus and what is sold out. What stands on no menu is not online; a combo is an item whose steps are
// groups.
func (k *KSeries) Catalogue(ctx context.Context) (Catalogue, error) {
	items, err := k.client.Items(ctx)
	if err != nil {
		return Catalogue{}, err
	}
	names, err := k.client.Menus(ctx)
	if err != nil {
		return Catalogue{}, err
	}
	r := kreader{c: Catalogue{Kind: "lightspeed-k", Currency: k.currency, At: time.Now().UTC()}, decimals: wire.Decimals(k.currency), items: map[string]int{}, groups: map[string]bool{}}
	for i := range items {
		r.item(&items[i])
	}
	for _, n := range names {
		m, err := k.client.Menu(ctx, string(n.ID))
		if err != nil {
			return Catalogue{}, err
		}
		for i := range m.Screens {
			r.entry(&m.Screens[i], "")
		}
	}
	if r.err != nil {
		return Catalogue{}, r.err
	}
	var online []string
	for i := range r.c.Items {
		if r.c.Items[i].Online {
			online = append(online, r.c.Items[i].SKU)
		}
	}
	out, err := k.client.Availabilities(ctx, online)
	if err != nil {
		return Catalogue{}, err
	}
	for i := range out {
		if at, known := r.items[out[i].SKU]; known {
			r.c.Items[at].Available = !out[i].Out()
		}
	}
	return r.c, nil
}

// kreader puts a catalogue together.
type kreader struct {
	c        Catalogue
	decimals int
	items    map[string]int // by SKU, places in c.Items
	groups   map[string]bool
	err      error // the first amount that could not be read
}

func (r *kreader) amount(what string, v jsontext.Value) int64 {
	n, err := wire.Minor(v, r.decimals)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("the price of %s: %w", what, err)
	}
	return n
}

func (r *kreader) item(i *lightspeed.Item) {
	if _, known := r.items[i.SKU]; known || i.SKU == "" {
		return
	}
	item := Item{SKU: i.SKU, ID: string(i.ID), Name: i.Name, Accounting: i.Group.Name, OpenPrice: i.OpenPrice(), Active: i.Active, Available: true, Barcodes: i.Barcodes}
	for _, s := range i.Statistics {
		item.Statistics = append(item.Statistics, Group(s))
	}
	if len(i.Prices) > 0 {
		item.Price = r.amount(i.SKU, i.Prices[0].Price)
	}
	r.items[i.SKU] = len(r.c.Items)
	r.c.Items = append(r.c.Items, item)
}

// entry reads a screen with all below it, or something sold on the screen parent.
func (r *kreader) entry(e *lightspeed.MenuEntry, parent string) {
	if e.Type == lightspeed.EntryGroup {
		id := string(e.ID)
		if !slices.ContainsFunc(r.c.Categories, func(c Category) bool { return c.ID == id }) {
			r.c.Categories = append(r.c.Categories, Category{id, e.Name, parent})
		}
		for i := range e.Entries {
			r.entry(&e.Entries[i], id)
		}
		return
	}
	if e.SKU == "" {
		return
	}
	at, known := r.items[e.SKU]
	if !known { // of a combo there is none in the list of items
		at = len(r.c.Items)
		r.items[e.SKU] = at
		r.c.Items = append(r.c.Items, Item{SKU: e.SKU, Active: true, Available: true})
	}
	groups := r.choices(e)
	item := &r.c.Items[at]
	if item.Online { // stands on several screens: the first one counts
		return
	}
	item.Online, item.Category, item.Price, item.OpenPrice = true, parent, r.amount(e.SKU, e.Price), item.OpenPrice || e.Open()
	item.Groups, item.Photo, item.Allergens = groups, e.Rich.Photo, e.Rich.Allergens
	if e.Product != "" {
		item.Name = e.Product
	}
	for _, t := range e.Rich.Texts {
		if t.Description != "" {
			item.Description = t.Description
			break
		}
	}
}

// choices reads the groups of an item: product modifiers, steps of a combo, words to the kitchen.
func (r *kreader) choices(e *lightspeed.MenuEntry) (ids []string) {
	for n, list := range [][]lightspeed.MenuChoice{e.Groups, e.Deals} {
		for i := range list {
			c := &list[i]
			id := c.SKU
			if id == "" {
				id = fmt.Sprintf("%s/%d.%d", e.SKU, n, i)
			}
			ids = append(ids, id)
			if r.groups[id] {
				continue
			}
			r.groups[id] = true
			g := ModifierGroup{ID: id, Name: c.Name, Min: c.Min, Max: c.Max}
			if c.Must {
				g.Min = max(g.Min, 1)
			}
			if g.Max == 0 && !c.Several {
				g.Max = 1
			}
			for _, options := range [][]lightspeed.MenuEntry{c.Modifiers, c.Items} {
				for k := range options {
					o := &options[k]
					price := o.Price
					if n == 1 { // in a combo an item costs what it adds to it
						price = o.Extra
					}
					g.Options = append(g.Options, Option{ID: o.SKU, SKU: o.SKU, Name: o.Product, Price: r.amount(o.SKU, price)})
				}
			}
			r.c.Groups = append(r.c.Groups, g)
		}
	}
	for i := range e.Prepared {
		p := &e.Prepared[i]
		id := "instructions/" + string(p.ID)
		ids = append(ids, id)
		if r.groups[id] {
			continue
		}
		r.groups[id] = true
		g := ModifierGroup{ID: id, Name: p.Name, Max: 1}
		if p.Several {
			g.Max = 0
		}
		for _, w := range p.Words {
			g.Options = append(g.Options, Option{ID: string(w.ID), SKU: instruction + string(w.ID), Name: w.Text})
		}
		r.c.Groups = append(r.c.Groups, g)
	}
	return ids
}
