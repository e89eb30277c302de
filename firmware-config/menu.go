package firmwareconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Menu is what a venue sells whose till is the box itself: a file of its own that the configuration names (pos.menu_file).
// Ids and SKUs stay when names change; links to delivery menus hang on them.
type Menu struct {
	Categories []MenuCategory
	Groups     []MenuGroup
}

// MenuCategory holds items in the order in which they are shown.
type MenuCategory struct {
	ID, Name, Description string
	Online                bool // shown where guests order by themselves
	Items                 []MenuItem
}

// MenuItem is something sold. Amounts are minor units of the site's currency.
type MenuItem struct {
	SKU, Name, Description string
	Price                  int64
	Online                 bool
	Active                 bool
	DeliveryOnly           bool             // never in the house's own menus
	Channels               []string         // marketplaces and aggregators that have it; empty: all
	Prices                 map[string]int64 // of single marketplaces or aggregators
	Photo                  string           // address of a picture
	Groups                 []string         // ids
	Variations             []MenuVariation
	Allergens              []string
	Alcohol                bool
}

// MenuVariation is a size or kind of an item, with a SKU of its own.
type MenuVariation struct {
	SKU, Name string
	Price     int64
	Online    bool
}

// MenuGroup is a choice that goes with items.
type MenuGroup struct {
	ID, Name       string
	Min, Max, Each int // Max, Each 0: no limit
	Modifiers      []MenuModifier
}

// MenuModifier is one choice of a group.
type MenuModifier struct {
	SKU, Name string
	Price     int64
	Online    bool
	Groups    []string
}

// MaxMenuFile is the size a menu file may have, in bytes: some ten thousand items.
const MaxMenuFile = 2 << 20

// Bounds of a menu, far above any card.
const (
	maxMenuCategories = 500
	maxMenuItems      = 20_000 // of all categories
	maxMenuGroups     = 5_000
	maxMenuChoices    = 500 // modifiers of a group, groups of an item
	maxMenuNesting    = 5   // levels of modifiers below a line (contract section 4)
)

var (
	menuIDFormat  = newFormat(`^[A-Za-z0-9_.-]{1,64}$`, "1 to 64 letters, digits, points, hyphens and underscores, as in pizzas")
	skuFormat     = newFormat(`^[!-~]([ -~]{0,62}[!-~])?$`, "1 to 64 plain characters, as in PIZ-01")
	menuWebFormat = newFormat(`^https?://[!-~]{1,1000}$`, "the address of a picture, as in https://pictures.example.org/pizza.jpg")
)

// ParseMenu checks b, the content of the menu file called name, and returns the menu. The error is Faults.
func ParseMenu(name string, b []byte, currency Currency) (*Menu, error) {
	root, fault := documentOf(name, b, MaxMenuFile, "begin with categories:")
	if fault != nil {
		return nil, Faults{*fault}
	}
	m := new(Menu)
	d := &decoder{file: name, at: make(map[string]position, 256)}
	t := menuTable(m, currency)
	t.preset()
	t.decode(d, "", root)
	d.resolveMenu(m)
	if len(d.faults) > 0 {
		return nil, d.report()
	}
	return m, nil
}

func menuTable(m *Menu, c Currency) table {
	return table{
		{key: "categories", doc: "What is sold, by category.", required: true, example: `categories: [{id: pizzas, name: Pizzas, items: [{sku: PIZ-01, name: Margherita, price: 12.50}]}]`,
			value: list[MenuCategory]{dst: &m.Categories, lo: 1, hi: maxMenuCategories, item: func(x *MenuCategory) value { return menuCategoryTable(x, c) }}},
		{key: "groups", doc: "Choices that items name: sizes, extras, sauces.", value: list[MenuGroup]{dst: &m.Groups, hi: maxMenuGroups, item: func(g *MenuGroup) value { return menuGroupTable(g, c) }}},
	}
}

func menuCategoryTable(x *MenuCategory, c Currency) table {
	return table{
		{key: "id", doc: "Stays when the name changes.", required: true, example: "id: pizzas", value: formatted(&x.ID, "", menuIDFormat)},
		{key: "name", doc: "As guests read it.", required: true, example: "name: Pizzas", value: text(&x.Name, "", "the name in quotes")},
		{key: "description", doc: "As guests read it.", value: optional(long(&x.Description))},
		{key: "online", doc: "Shown where guests order by themselves; false hides all its items there.", value: boolean(&x.Online, true)},
		{key: "items", doc: "What is in it, in this order.", value: list[MenuItem]{dst: &x.Items, hi: maxMenuItems, item: func(i *MenuItem) value { return menuItemTable(i, c) }}},
	}
}

func menuItemTable(i *MenuItem, c Currency) table {
	return table{
		{key: "sku", doc: "Stays when the name changes; orders carry it.", required: true, example: "sku: PIZ-01", value: formatted(&i.SKU, "", skuFormat)},
		{key: "name", doc: "As guests read it.", required: true, example: "name: Margherita", value: text(&i.Name, "", "the name in quotes")},
		{key: "price", doc: "Of one, taxes included.", required: true, example: "price: 12.50", value: amount(&i.Price, c)},
		{key: "description", doc: "As guests read it.", value: optional(long(&i.Description))},
		{key: "online", doc: "Shown where guests order by themselves.", value: boolean(&i.Online, true)},
		{key: "active", doc: "Sold at all.", value: boolean(&i.Active, true)},
		{key: "delivery_only", doc: "Not in the house's own menus.", value: boolean(&i.DeliveryOnly, false)},
		{key: "channels", doc: "Marketplaces or aggregators that have it; empty: all.", value: list[string]{dst: &i.Channels, hi: maxEntries, unique: true, item: func(s *string) value { return formatted(s, "", channelFormat) }}},
		{key: "prices", doc: "Another price at single marketplaces or aggregators, by their name.", value: keyed[int64]{dst: &i.Prices, keys: channelFormat, hi: maxEntries, item: func(p *int64) value { return amount(p, c) }}},
		{key: "photo", doc: "Address of a picture.", value: optional(formatted(&i.Photo, "", menuWebFormat))},
		{key: "groups", doc: "Ids of the groups to choose from.", value: list[string]{dst: &i.Groups, hi: maxMenuChoices, unique: true, item: func(s *string) value { return formatted(s, "", menuIDFormat) }}},
		{key: "variations", doc: "Sizes or kinds, each with its own SKU and price.", value: list[MenuVariation]{dst: &i.Variations, hi: maxMenuChoices, item: func(v *MenuVariation) value { return menuVariationTable(v, c) }}},
		{key: "allergens", doc: "As guests read them.", value: texts(&i.Allergens, maxEntries, "an allergen")},
		{key: "alcohol", doc: "Holds alcohol.", value: boolean(&i.Alcohol, false)},
	}
}

func menuVariationTable(v *MenuVariation, c Currency) table {
	return table{
		{key: "sku", doc: "Stays when the name changes.", required: true, example: "sku: VAN-L", value: formatted(&v.SKU, "", skuFormat)},
		{key: "name", doc: "Delivery menus show it before the item's name: Grande - Vanille.", required: true, example: "name: Grande", value: text(&v.Name, "", "the name in quotes")},
		{key: "price", doc: "Of one.", required: true, example: "price: 6.50", value: amount(&v.Price, c)},
		{key: "online", doc: "Shown where guests order by themselves.", value: boolean(&v.Online, true)},
	}
}

func menuGroupTable(g *MenuGroup, c Currency) table {
	return table{
		{key: "id", doc: "Stays when the name changes; items name it.", required: true, example: "id: extras", value: formatted(&g.ID, "", menuIDFormat)},
		{key: "name", doc: "As guests read it.", required: true, example: "name: Extras", value: text(&g.Name, "", "the name in quotes")},
		{key: "min", doc: "How many a guest must choose.", value: integer(&g.Min, 0, 0, maxMenuChoices)},
		{key: "max", doc: "How many a guest may choose; 0: as many as wanted.", value: integer(&g.Max, 0, 0, maxMenuChoices)},
		{key: "each", doc: "How many of the same; 0: as many as wanted.", value: integer(&g.Each, 1, 0, maxMenuChoices)},
		{key: "modifiers", doc: "The choices, in this order.", required: true, example: "modifiers: [{sku: X-CHZ, name: Extra mozzarella, price: 1.50}]",
			value: list[MenuModifier]{dst: &g.Modifiers, lo: 1, hi: maxMenuChoices, item: func(m *MenuModifier) value {
				return table{
					{key: "sku", doc: "Stays when the name changes.", required: true, example: "sku: X-CHZ", value: formatted(&m.SKU, "", skuFormat)},
					{key: "name", doc: "As guests read it.", required: true, example: "name: Extra mozzarella", value: text(&m.Name, "", "the name in quotes")},
					{key: "price", doc: "What it adds.", value: amount(&m.Price, c)},
					{key: "online", doc: "Shown where guests order by themselves.", value: boolean(&m.Online, true)},
					{key: "groups", doc: "Ids of groups to choose from with it.", value: list[string]{dst: &m.Groups, hi: maxMenuChoices, unique: true, item: func(s *string) value { return formatted(s, "", menuIDFormat) }}},
				}
			}}},
	}
}

// maxDescription is how many characters a description has at most.
const maxDescription = 2000

// long is text of some lines.
func long(dst *string) scalar[string] {
	s := text(dst, "", "a text in quotes")
	s.rule.MaxLength = maxDescription
	s.parse = func(_ *decoder, t string) (string, error) {
		if n := len([]rune(t)); n > maxDescription {
			return t, wrong{fmt.Sprintf("has %d characters", n), fmt.Sprintf("write at most %d", maxDescription)}
		}
		return strings.TrimSpace(t), nil
	}
	return s
}

// maxPrice is the highest price, in minor units.
const maxPrice = 99_999_999

// amount is a price in the site's currency. It is read from its text and was never a float.
func amount(dst *int64, c Currency) scalar[int64] {
	words := "an amount, as in 12.50"
	if c.Exponent == 0 {
		words = "an amount without a point, as in 1250"
	}
	return scalar[int64]{dst: dst, takes: "number", expected: words, rule: Schema{Minimum: bound(0)},
		parse: func(_ *decoder, s string) (int64, error) {
			whole, part, _ := strings.Cut(s, ".")
			if whole == "" || strings.Trim(whole+part, "0123456789") != "" || strings.HasSuffix(s, ".") {
				return 0, wrong{shorten(s) + " is not an amount", "write " + words}
			}
			if len(part) > c.Exponent {
				if strings.Trim(part[c.Exponent:], "0") != "" {
					return 0, wrong{shorten(s) + " has more digits after the point than " + c.Code, "write " + words}
				}
				part = part[:c.Exponent]
			}
			n, err := strconv.ParseInt(whole+part+strings.Repeat("0", c.Exponent-len(part)), 10, 64)
			if err != nil || n > maxPrice {
				return 0, wrong{shorten(s) + " is no price", "write " + words}
			}
			return n, nil
		}}
}

// resolveMenu checks what concerns two places of a menu.
func (d *decoder) resolveMenu(m *Menu) {
	groups, categories, skus := map[string]*MenuGroup{}, map[string]string{}, map[string]string{}
	once := func(seen map[string]string, key, id, what string) {
		if id == "" {
			return
		}
		if before, ok := seen[id]; ok {
			d.wrong(key, what+" "+quote(id)+" is at "+before+" already", "give each its own: links and orders go by it")
			return
		}
		seen[id] = key
	}
	ids := map[string]string{}
	for i := range m.Groups {
		g := &m.Groups[i]
		key := index("groups", i)
		once(ids, key+".id", g.ID, "id")
		groups[g.ID] = g
	}
	known := func(key string, list []string) {
		for j, id := range list {
			if _, ok := groups[id]; !ok && id != "" {
				d.wrong(index(key, j), "there is no group "+quote(id), "write the id of one from groups, or remove it")
			}
		}
	}
	n := 0
	for i := range m.Categories {
		c := &m.Categories[i]
		key := index("categories", i)
		once(categories, key+".id", c.ID, "id")
		n += len(c.Items)
		for j := range c.Items {
			x := &c.Items[j]
			at := index(key+".items", j)
			once(skus, at+".sku", x.SKU, "sku")
			for k := range x.Variations {
				once(skus, index(at+".variations", k)+".sku", x.Variations[k].SKU, "sku")
			}
			known(at+".groups", x.Groups)
		}
	}
	if n > maxMenuItems {
		d.wrong("categories", fmt.Sprintf("there are %d items", n), fmt.Sprintf("write at most %d", maxMenuItems))
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		key := index("groups", i)
		if g.Max > 0 && g.Min > g.Max {
			d.wrong(key+".min", fmt.Sprintf("%d is more than max, %d", g.Min, g.Max), "write at most max")
		}
		if g.Each > 0 && g.Min > g.Each*len(g.Modifiers) {
			d.wrong(key+".min", fmt.Sprintf("%d cannot be chosen from %d modifiers, each at most %d times", g.Min, len(g.Modifiers), g.Each), "write fewer, or raise each")
		}
		own := map[string]string{}
		for j := range g.Modifiers {
			at := index(key+".modifiers", j)
			once(own, at+".sku", g.Modifiers[j].SKU, "sku")
			known(at+".groups", g.Modifiers[j].Groups)
		}
	}
	d.resolveNesting(m, groups)
}

// resolveNesting refuses groups that lead back to themselves or too far down: no order could name what is at the end.
func (d *decoder) resolveNesting(m *Menu, groups map[string]*MenuGroup) {
	depth := map[string]int{} // of a group: levels of modifiers from it down; -1 while under way
	var walk func(id string) int
	walk = func(id string) int {
		g := groups[id]
		if g == nil {
			return 0
		}
		if n, ok := depth[id]; ok {
			if n < 0 {
				return maxMenuNesting + 1
			}
			return n
		}
		depth[id] = -1
		deepest := 0
		for _, x := range g.Modifiers {
			for _, sub := range x.Groups {
				deepest = max(deepest, walk(sub))
			}
		}
		depth[id] = min(deepest+1, maxMenuNesting+1)
		return depth[id]
	}
	for i, g := range m.Groups {
		if walk(g.ID) > maxMenuNesting && !slices.ContainsFunc(d.faults, func(f Fault) bool { return strings.HasSuffix(f.Problem, "levels of choices deep") }) {
			d.wrong(index("groups", i)+".id", fmt.Sprintf("group %s leads more than %d levels of choices deep", quote(g.ID), maxMenuNesting), "remove groups from its modifiers, or from theirs")
		}
	}
}
