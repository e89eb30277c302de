package menu

import (
	"slices"
	"strconv"
	"strings"

	"aboyeur/bridge/money"
	"aboyeur/protocol/channel"
)

// Acts of a change.
const (
	Added       = "added"
	Changed     = "changed"
	Removed     = "removed"
	EditDropped = "edit_dropped"
)

// A Change is one thing that an update did to a menu (OTR-49).
type Change struct {
	Kind  string `json:"kind" enum:"category,item,group,modifier,photo,menu"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Act   string `json:"act" enum:"added,changed,removed,edit_dropped" doc:"edit_dropped: the POS won over what a person had changed"`
	Field string `json:"field,omitzero"`
	Old   string `json:"old,omitzero"`
	New   string `json:"new,omitzero"`
}

// merger takes what the POS wants over into a menu, field by field (spec/delivery.md 6.3, step 4).
type merger struct {
	takes    func(field string) bool
	decimals int
	changes  []Change
	gone     int // items and variations that were taken away
	had      int // that there were

	in map[string]side // which of the two menus has an id; ids tell the kinds apart
}

type side uint8

const (
	inOld side = 1 << iota
	inWant
	inGroup // a modifier
)

// merge is the menu after the update. A menu without any item takes everything: there is nothing to keep.
func (g *merger) merge(old, want channel.Menu) channel.Menu {
	if len(old.Items) == 0 {
		g.takes = func(string) bool { return true }
	}
	g.in = make(map[string]side, len(old.Items)+len(want.Items)/2)
	g.index(&old, inOld)
	g.index(&want, inWant)
	for i := range old.Items {
		if g.kind(old.Items[i].ID) == KindItem {
			g.had++
		}
	}
	create, remove := g.takes(FieldNew), g.takes(FieldRemoved)
	var out channel.Menu
	out.Items = blend(old.Items, want.Items, func(x *channel.Item) string { return x.ID }, create, remove, func(x *channel.Item, act string) {
		kind := g.kind(x.ID)
		if act == Removed && kind == KindItem {
			g.gone++
		}
		g.note(Change{Kind: kind, ID: x.ID, Name: x.Name, Act: act, New: g.amount(x.Price)})
	}, g.item)
	out.Groups = blend(old.Groups, want.Groups, func(x *channel.Group) string { return x.ID }, create, remove,
		func(x *channel.Group, act string) { g.note(Change{Kind: KindGroup, ID: x.ID, Name: x.Name, Act: act}) }, g.group)
	out.Categories = blend(old.Categories, want.Categories, func(x *channel.Category) string { return x.ID }, create, remove,
		func(x *channel.Category, act string) {
			g.note(Change{Kind: KindCategory, ID: x.ID, Name: x.Name, Act: act})
		}, g.category)
	out.Menus = blend(old.Menus, want.Menus, func(x *channel.MenuPart) string { return x.ID }, true, true, // the venue's own settings
		func(x *channel.MenuPart, act string) {
			g.note(Change{Kind: "menu", ID: x.ID, Name: x.Name, Act: act})
		},
		func(x, w *channel.MenuPart) {
			before := x.Categories
			*x = *w
			x.Categories = g.members(before, w.Categories, true)
			g.list("menu", x.ID, x.Name, "categories", before, x.Categories)
		})
	photos := g.takes(FieldPhoto)
	out.Photos = blend(old.Photos, want.Photos, func(x *channel.Photo) string { return x.ID }, photos, photos,
		func(x *channel.Photo, act string) { g.note(Change{Kind: "photo", ID: x.ID, Name: x.URL, Act: act}) },
		func(x, w *channel.Photo) {
			if photos {
				g.text("photo", x.ID, "", "url", &x.URL, w.URL)
			}
		})
	return out
}

func (g *merger) index(m *channel.Menu, s side) {
	for i := range m.Items {
		g.in[m.Items[i].ID] |= s
	}
	for i := range m.Groups {
		g.in[m.Groups[i].ID] |= s
		for _, id := range m.Groups[i].Items {
			g.in[id] |= inGroup
		}
	}
	for i := range m.Categories {
		g.in[m.Categories[i].ID] |= s
	}
}

func (g *merger) kind(id string) string {
	if g.in[id]&inGroup != 0 {
		return KindModifier
	}
	return KindItem
}

// members is what a list holds after the update, of what the menu then has. Where the POS may organise it is the POS's list,
// and behind it what the POS does not have any more; else it is as it was, with what is new at its end.
func (g *merger) members(before, want []string, organise bool) []string {
	create, remove := g.takes(FieldNew), g.takes(FieldRemoved)
	out := make([]string, 0, max(len(before), len(want)))
	of := func(list []string, fits func(s side) bool) {
		for _, id := range list {
			if fits(g.in[id] & (inOld | inWant)) {
				out = append(out, id)
			}
		}
	}
	if organise {
		of(want, func(s side) bool { return s&inOld != 0 || create })
		of(before, func(s side) bool { return s == inOld && !remove })
		return out
	}
	of(before, func(s side) bool { return s&inWant != 0 || !remove })
	of(want, func(s side) bool { return s == inWant && create })
	return out
}

// blend walks two lists by id: in the order of want, then what only old has. each changes a copy of the old one.
func blend[T any](old, want []T, id func(*T) string, create, remove bool, told func(*T, string), each func(x, w *T)) []T {
	before := make(map[string]int, len(old))
	for i := range old {
		before[id(&old[i])] = i
	}
	out := make([]T, 0, max(len(old), len(want)))
	kept := make([]bool, len(old))
	for i := range want {
		w := &want[i]
		if at, ok := before[id(w)]; ok {
			kept[at] = true
			x := old[at]
			each(&x, w)
			out = append(out, x)
		} else if create {
			out = append(out, *w)
			told(w, Added)
		}
	}
	for i := range old {
		switch {
		case kept[i]:
		case remove:
			told(&old[i], Removed)
		default:
			out = append(out, old[i])
		}
	}
	return out
}

func (g *merger) note(c Change) {
	if c.Act == Removed {
		c.Old, c.New = c.New, ""
	}
	g.changes = append(g.changes, c)
}

func (g *merger) amount(minor int64) string { return money.Format(minor, g.decimals) }

func (g *merger) text(kind, id, name, field string, x *string, w string) {
	if *x != w {
		g.note(Change{Kind: kind, ID: id, Name: name, Act: Changed, Field: field, Old: *x, New: w})
		*x = w
	}
}

func (g *merger) list(kind, id, name, field string, before, after []string) {
	if !slices.Equal(before, after) {
		g.note(Change{Kind: kind, ID: id, Name: name, Act: Changed, Field: field, Old: strings.Join(before, ", "), New: strings.Join(after, ", ")})
	}
}

func (g *merger) number(kind, id, name, field string, x *int, w int) {
	if *x != w {
		g.note(Change{Kind: kind, ID: id, Name: name, Act: Changed, Field: field, Old: strconv.Itoa(*x), New: strconv.Itoa(w)})
		*x = w
	}
}

// item takes the fields of one item over. Its SKU is no field: what an order names is the POS's matter alone.
func (g *merger) item(x, w *channel.Item) {
	kind := g.kind(x.ID)
	x.SKU, x.Currency, x.Barcodes = w.SKU, w.Currency, w.Barcodes
	if g.takes(FieldName) {
		g.text(kind, x.ID, w.Name, FieldName, &x.Name, w.Name)
	}
	name := x.Name
	if g.takes(FieldPrice) {
		if x.Price != w.Price {
			g.note(Change{Kind: kind, ID: x.ID, Name: name, Act: Changed, Field: FieldPrice, Old: g.amount(x.Price), New: g.amount(w.Price)})
			x.Price = w.Price
		}
		if !slices.Equal(x.Prices, w.Prices) {
			g.note(Change{Kind: kind, ID: x.ID, Name: name, Act: Changed, Field: "prices", Old: g.prices(x.Prices), New: g.prices(w.Prices)})
			x.Prices = w.Prices
		}
	}
	if g.takes(FieldDescription) {
		g.text(kind, x.ID, name, FieldDescription, &x.Description, w.Description)
		g.list(kind, x.ID, name, "allergens", x.Allergens, w.Allergens)
		if x.Alcohol != w.Alcohol {
			g.note(Change{Kind: kind, ID: x.ID, Name: name, Act: Changed, Field: "alcohol", Old: strconv.FormatBool(x.Alcohol), New: strconv.FormatBool(w.Alcohol)})
		}
		x.Allergens, x.Dietary, x.Alcohol = w.Allergens, w.Dietary, w.Alcohol
	}
	if g.takes(FieldPhoto) {
		g.list(kind, x.ID, name, FieldPhoto, x.Photos, w.Photos)
		x.Photos = w.Photos
	}
	if before := x.Groups; len(before)+len(w.Groups) > 0 {
		if g.takes(FieldModifiers) {
			x.Groups = g.members(before, w.Groups, true)
		} else {
			x.Groups = g.members(before, nil, false)
		}
		g.list(kind, x.ID, name, "groups", before, x.Groups)
	}
	if g.takes(FieldAvailability) && x.SoldOut != w.SoldOut {
		g.note(Change{Kind: kind, ID: x.ID, Name: name, Act: Changed, Field: FieldAvailability, Old: sold(x.SoldOut), New: sold(w.SoldOut)})
		x.SoldOut = w.SoldOut
	}
}

func sold(out bool) string {
	if out {
		return "sold_out"
	}
	return "for_sale"
}

func (g *merger) prices(list []channel.PriceOverride) string {
	var parts []string
	for _, p := range list {
		parts = append(parts, strings.TrimSpace(p.Slug+" "+p.Service)+" "+g.amount(p.Price))
	}
	return strings.Join(parts, ", ")
}

func (g *merger) group(x, w *channel.Group) {
	if g.takes(FieldName) {
		g.text(KindGroup, x.ID, w.Name, FieldName, &x.Name, w.Name)
	}
	if g.takes(FieldDescription) {
		g.text(KindGroup, x.ID, x.Name, FieldDescription, &x.Description, w.Description)
	}
	rules := g.takes(FieldModifiers)
	if rules {
		g.number(KindGroup, x.ID, x.Name, "min", &x.Min, w.Min)
		g.number(KindGroup, x.ID, x.Name, "max", &x.Max, w.Max)
		g.number(KindGroup, x.ID, x.Name, "max_of_one", &x.MaxOfOne, w.MaxOfOne)
	}
	before := x.Items
	x.Items = g.members(before, w.Items, rules)
	g.list(KindGroup, x.ID, x.Name, FieldModifiers, before, x.Items)
}

func (g *merger) category(x, w *channel.Category) {
	if g.takes(FieldName) {
		g.text(KindCategory, x.ID, w.Name, FieldName, &x.Name, w.Name)
	}
	if g.takes(FieldDescription) {
		g.text(KindCategory, x.ID, x.Name, FieldDescription, &x.Description, w.Description)
	}
	before := x.Items
	x.Items = g.members(before, w.Items, g.takes(FieldOrganisation))
	g.list(KindCategory, x.ID, x.Name, "items", before, x.Items)
}
