package menu

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Catalogue is what a POS sells. Ids are the POS's and stay when names change; amounts are minor units of Currency.
type Catalogue struct {
	Kind       string     `json:"kind"` // of the POS
	Currency   string     `json:"currency"`
	At         time.Time  `json:"at"`
	Categories []Category `json:"categories,omitzero"`
	Items      []Item     `json:"items,omitzero"`
	Groups     []Group    `json:"groups,omitzero"`
	Flat       bool       `json:"flat,omitzero"`    // the POS has modifiers and no groups: those of an aggregator are virtual
	Dropped    []Dropped  `json:"dropped,omitzero"` // what could not be taken, each with its reason
}

// Category is in the POS's order.
type Category struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
	Hidden      bool   `json:"hidden,omitzero"` // not shown online, with all that is in it
}

// Item is something sold. Its variations are ordered by their own SKUs beside it.
type Item struct {
	ID           string           `json:"id"` // "" means the SKU
	SKU          string           `json:"sku"`
	Name         string           `json:"name"`
	Description  string           `json:"description,omitzero"`
	Category     string           `json:"category,omitzero"` // id; "": in none
	Price        int64            `json:"price"`
	Hidden       bool             `json:"hidden,omitzero"`   // not shown online
	Inactive     bool             `json:"inactive,omitzero"` // not sold any more: no order can name it
	SoldOut      bool             `json:"sold_out,omitzero"`
	DeliveryOnly bool             `json:"delivery_only,omitzero"`
	Channels     []string         `json:"channels,omitzero"` // aggregators and marketplaces that have it; empty: all
	Prices       map[string]int64 `json:"prices,omitzero"`   // by aggregator or marketplace
	Photo        string           `json:"photo,omitzero"`    // address
	Groups       []string         `json:"groups,omitzero"`   // ids
	Variations   []Variation      `json:"variations,omitzero"`
	Allergens    []string         `json:"allergens,omitzero"`
	Barcodes     []string         `json:"barcodes,omitzero"`
	Alcohol      bool             `json:"alcohol,omitzero"`
}

// Variation is a size or kind of an item.
type Variation struct {
	ID     string `json:"id"` // "" means the SKU
	SKU    string `json:"sku"`
	Name   string `json:"name"`
	Price  int64  `json:"price"`
	Hidden bool   `json:"hidden,omitzero"`
}

// Group is a choice among modifiers.
type Group struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Min       int        `json:"min,omitzero"`
	Max       int        `json:"max,omitzero"`  // 0: no limit
	Each      int        `json:"each,omitzero"` // of the same; 0: no limit
	Modifiers []Modifier `json:"modifiers,omitzero"`
}

// Modifier is one choice of a group.
type Modifier struct {
	ID     string   `json:"id"` // "" means the SKU
	SKU    string   `json:"sku"`
	Name   string   `json:"name"`
	Price  int64    `json:"price"`
	Hidden bool     `json:"hidden,omitzero"`
	Groups []string `json:"groups,omitzero"` // ids
}

// Dropped is a thing of the POS that no menu can carry.
type Dropped struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// separator stands between the group and the modifier in a modifier's entity id.
const separator = "~"

// Entity ids: the POS's id with a letter for the kind (spec/delivery.md 6.3).
func categoryID(id string) string         { return "c-" + id }
func itemID(id string) string             { return "i-" + id }
func variationID(id string) string        { return "v-" + id }
func groupID(id string) string            { return "g-" + id }
func modifierID(group, id string) string  { return "m-" + group + separator + id }
func photoID(item string) string          { return "p-" + item }
func (v *Variation) shown(i *Item) string { return variationName(v.Name, i.Name) }

// variationName is how a variation is called as an item of its own: "Grande - Vanille" (OTR-55).
func variationName(variation, item string) string {
	if variation == "" {
		return item
	}
	return variation + " - " + item
}

// clean makes texts of the POS fit to be kept: whatever else they hold is passed on as it is.
func (c *Catalogue) clean() {
	for _, text := range c.texts() {
		if !utf8.ValidString(*text) {
			*text = strings.ToValidUTF8(*text, "\ufffd")
		}
	}
}

func (c *Catalogue) texts() []*string {
	var list []*string
	for i := range c.Categories {
		x := &c.Categories[i]
		list = append(list, &x.ID, &x.Name, &x.Description)
	}
	for i := range c.Items {
		x := &c.Items[i]
		list = append(list, &x.ID, &x.SKU, &x.Name, &x.Description, &x.Category, &x.Photo)
		for j := range x.Groups {
			list = append(list, &x.Groups[j])
		}
		for j := range x.Allergens {
			list = append(list, &x.Allergens[j])
		}
		for j := range x.Barcodes {
			list = append(list, &x.Barcodes[j])
		}
		for j := range x.Variations {
			list = append(list, &x.Variations[j].ID, &x.Variations[j].SKU, &x.Variations[j].Name)
		}
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		list = append(list, &g.ID, &g.Name)
		for j := range g.Modifiers {
			o := &g.Modifiers[j]
			list = append(list, &o.ID, &o.SKU, &o.Name)
			for k := range o.Groups {
				list = append(list, &o.Groups[k])
			}
		}
	}
	return list
}

// complete fills ids that the POS leaves out, and drops with a word what cannot be told apart from something else.
func (c *Catalogue) complete() {
	c.clean()
	drop := func(kind, name, reason string) { c.Dropped = append(c.Dropped, Dropped{kind, name, reason}) }
	seen := map[string]bool{}
	fresh := func(kind, id, name string) bool {
		switch {
		case id == "":
			drop(kind, name, "no_id")
		case seen[kind+id]:
			drop(kind, name, "duplicate_id")
		default:
			seen[kind+id] = true
			return true
		}
		return false
	}
	c.Categories = slices.DeleteFunc(c.Categories, func(x Category) bool { return !fresh(KindCategory, x.ID, x.Name) })
	c.Items = slices.DeleteFunc(c.Items, func(x Item) bool {
		if x.ID == "" {
			x.ID = x.SKU
		}
		return !fresh(KindItem, x.ID, x.Name)
	})
	for i := range c.Items {
		x := &c.Items[i]
		if x.ID == "" {
			x.ID = x.SKU
		}
		for j := range x.Variations {
			if x.Variations[j].ID == "" {
				x.Variations[j].ID = x.Variations[j].SKU
			}
		}
		x.Variations = slices.DeleteFunc(x.Variations, func(v Variation) bool { return !fresh(kindVariation, v.ID, v.shown(x)) })
	}
	c.Groups = slices.DeleteFunc(c.Groups, func(x Group) bool { return !fresh(KindGroup, x.ID, x.Name) })
	for i := range c.Groups {
		g := &c.Groups[i]
		own := map[string]bool{}
		for j := range g.Modifiers {
			if g.Modifiers[j].ID == "" {
				g.Modifiers[j].ID = g.Modifiers[j].SKU
			}
		}
		g.Modifiers = slices.DeleteFunc(g.Modifiers, func(m Modifier) bool {
			switch {
			case m.ID == "":
				drop(KindModifier, g.Name+": "+m.Name, "no_id")
			case own[m.ID]:
				drop(KindModifier, g.Name+": "+m.Name, "duplicate_id")
			default:
				own[m.ID] = true
				return false
			}
			return true
		})
	}
}

// sellable counts what can be ordered: items and their variations.
func (c *Catalogue) sellable() int {
	n := 0
	for i := range c.Items {
		if !c.Items[i].Inactive {
			n += 1 + len(c.Items[i].Variations)
		}
	}
	return n
}

// Kinds of entity, as links, edits and changes name them.
const (
	KindCategory  = "category"
	KindItem      = "item"
	KindGroup     = "group"
	KindModifier  = "modifier"
	kindVariation = "variation"
)

// normal is how names are compared: exactly, but for how accents are written and blanks around.
func normal(name string) string { return strings.TrimSpace(norm.NFC.String(name)) }
