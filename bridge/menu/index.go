package menu

import (
	"aboyeur/protocol/channel"
)

// A Sellable is a thing of the POS that a line or a modifier of an order can stand for. It is shared and not to be changed.
type Sellable struct {
	Kind     string // KindItem or KindModifier; a variation is an item
	Entity   string // id in menus: i-12, v-13, m-4~7
	ID       string // of the POS
	SKU      string // what an order names it by at the POS
	Name     string // as menus have it
	Category string // name
	Price    int64
}

// Method says how something was found.
type Method uint8

// The methods, the surest first.
const (
	NotFound Method = iota
	BySKU           // the POS's own id came along
	ByID            // the menu's id is made of the POS's
	ByLink          // by a link that was made by exact name and price, or by a person
	ByName          // by exact name, where the venue asks for it
)

func (m Method) String() string {
	return [...]string{"", "sku", "id", "link", "name"}[m]
}

// A Match is what one line or modifier stands for; To is nil when nothing is known.
type Match struct {
	To *Sellable
	By Method
}

// A Link ties an entity of an aggregator's menu to a thing of the POS (spec/delivery.md 6.4).
type Link struct {
	Menu   string // "" in an Index, where it is known
	Kind   string // KindItem, KindGroup, KindModifier
	Group  string // of a modifier: the aggregator's id of its group
	ID     string // the aggregator's
	Target string // entity id of the POS's: i-12, v-13, g-4, m-4~7
	Method string // LinkExact, LinkManual
}

// An Index finds what the lines of orders stand for. It is made anew when the catalogue, a link or a setting changes, and never
// changed: readers need no lock.
type Index struct {
	flat   bool
	bySKU  map[string]*Sellable // items whose SKU no other has
	items  map[string]*Sellable // by entity id
	groups map[string]string    // entity id to name
	mods   map[pair]*Sellable   // by group and entity id or SKU
	modID  map[string]*Sellable // by entity id
	modSKU map[string]*Sellable // of modifiers and items, where all that have it are the same thing of the POS
	names  map[pair]*Sellable   // by category and name; nil: more than one
	menus  map[string]*linked
}

type pair struct{ a, b string }

// linked is what belongs to one menu alone.
type linked struct {
	byName bool
	items  map[string]*Sellable
	groups map[string]string // the aggregator's id to ours
	mods   map[pair]*Sellable
	dead   int // links whose target the POS does not have any more
}

// newIndex makes an index of what the catalogue has. Links and settings are added by menu.
func newIndex(c *Catalogue) *Index {
	x := &Index{
		flat: c.Flat, bySKU: make(map[string]*Sellable, len(c.Items)), items: make(map[string]*Sellable, len(c.Items)), groups: make(map[string]string, len(c.Groups)),
		mods: map[pair]*Sellable{}, modID: map[string]*Sellable{}, modSKU: map[string]*Sellable{}, menus: map[string]*linked{},
	}
	categories := make(map[string]string, len(c.Categories))
	for i := range c.Categories {
		categories[c.Categories[i].ID] = c.Categories[i].Name
	}
	item := func(s *Sellable) {
		x.items[s.Entity] = s
		if s.SKU != "" {
			if _, twice := x.bySKU[s.SKU]; twice {
				x.bySKU[s.SKU] = nil // whoever orders it could mean either
			} else {
				x.bySKU[s.SKU] = s
			}
		}
	}
	for i := range c.Items {
		it := &c.Items[i]
		if it.Inactive {
			continue
		}
		item(&Sellable{KindItem, itemID(it.ID), it.ID, it.SKU, it.Name, categories[it.Category], it.Price})
		for j := range it.Variations {
			v := &it.Variations[j]
			item(&Sellable{KindItem, variationID(v.ID), v.ID, v.SKU, v.shown(it), categories[it.Category], v.Price})
		}
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		group := groupID(g.ID)
		x.groups[group] = g.Name
		for j := range g.Modifiers {
			o := &g.Modifiers[j]
			s := &Sellable{KindModifier, modifierID(g.ID, o.ID), o.ID, o.SKU, o.Name, "", o.Price}
			x.mods[pair{group, s.Entity}], x.modID[s.Entity] = s, s
			if o.SKU == "" {
				continue
			}
			x.mods[pair{group, o.SKU}] = s
			if other, twice := x.modSKU[o.SKU]; twice && (other == nil || other.ID != s.ID) {
				x.modSKU[o.SKU] = nil
			} else {
				x.modSKU[o.SKU] = s
			}
		}
	}
	return x
}

// add puts the links and settings of a menu in. It is for the maker of the index alone.
func (x *Index) add(menu string, byName bool, links []Link) {
	l := &linked{byName: byName, items: map[string]*Sellable{}, groups: map[string]string{}, mods: map[pair]*Sellable{}}
	x.menus[menu] = l
	for _, k := range links {
		switch k.Kind {
		case KindItem:
			if s := x.items[k.Target]; s != nil {
				l.items[k.ID] = s
				continue
			}
		case KindGroup:
			if _, ok := x.groups[k.Target]; ok {
				l.groups[k.ID] = k.Target
				continue
			}
		case KindModifier:
			if s := x.modID[k.Target]; s != nil {
				l.mods[pair{k.Group, k.ID}] = s
				continue
			}
		}
		l.dead++
	}
	if byName && x.names == nil {
		x.names = make(map[pair]*Sellable, len(x.items))
		for _, s := range x.items {
			x.name(pair{normal(s.Category), normal(s.Name)}, s)
		}
		for p, s := range x.mods {
			if p.b == s.Entity {
				x.name(pair{p.a, normal(s.Name)}, s)
			}
		}
	}
}

func (x *Index) name(p pair, s *Sellable) {
	if _, twice := x.names[p]; twice {
		s = nil
	}
	x.names[p] = s
}

// item finds what an item of a menu stands for: by SKU, then by a link, then by its id.
func (x *Index) item(l *linked, id, sku string) Match {
	if sku != "" {
		if s := x.bySKU[sku]; s != nil {
			return Match{s, BySKU}
		}
	}
	if id == "" {
		return Match{}
	}
	if l != nil {
		if s := l.items[id]; s != nil {
			return Match{s, ByLink}
		}
	}
	if s := x.items[id]; s != nil {
		return Match{s, ByID}
	}
	return Match{}
}

// group finds our group for one of a menu; "" when there is none.
func (x *Index) group(l *linked, id string) string {
	if l != nil {
		if g, ok := l.groups[id]; ok {
			return g
		}
	}
	if _, ok := x.groups[id]; ok {
		return id
	}
	return ""
}

// modifier finds what a modifier within a group stands for: the pair of both counts, not the modifier alone. A group that is
// not named, and any group where the POS has none, leaves the modifier's own id and SKU.
func (x *Index) modifier(l *linked, group, id, sku string) Match {
	if l != nil && id != "" {
		if s := l.mods[pair{group, id}]; s != nil {
			return Match{s, ByLink}
		}
	}
	if group != "" && !x.flat {
		ours := x.group(l, group)
		if ours == "" {
			return Match{}
		}
		if sku != "" {
			if s := x.mods[pair{ours, sku}]; s != nil {
				return Match{s, BySKU}
			}
		}
		if s := x.mods[pair{ours, id}]; s != nil && s.Entity == id {
			return Match{s, ByID}
		}
		return Match{}
	}
	if s := x.modID[id]; s != nil {
		return Match{s, ByID}
	}
	if sku != "" {
		if s := x.modSKU[sku]; s != nil {
			return Match{s, BySKU}
		}
	}
	return Match{}
}

// Resolve appends to into what each line of an order stands for, and each of its modifiers, in the order in which they stand:
// a line, its modifiers, what hangs on those, the next line. It allocates nothing when into is long enough.
func (x *Index) Resolve(menu string, lines []channel.Line, into []Match) []Match {
	if x == nil {
		return unknown(lines, into)
	}
	l := x.menus[menu]
	byName := l != nil && l.byName
	for i := range lines {
		line := &lines[i]
		m := x.item(l, line.ID, line.SKU)
		if m.To == nil && byName {
			if s := x.names[pair{normal(line.Category), normal(line.Name)}]; s != nil && s.Kind == KindItem {
				m = Match{s, ByName}
			}
		}
		into = append(into, m)
		into = x.resolve(l, byName, line.Modifiers, into)
	}
	return into
}

func (x *Index) resolve(l *linked, byName bool, list []channel.Modifier, into []Match) []Match {
	for i := range list {
		o := &list[i]
		m := x.modifier(l, o.GroupID, o.ID, o.SKU)
		if m.To == nil && byName {
			if group := x.group(l, o.GroupID); group != "" {
				if s := x.names[pair{group, normal(o.Name)}]; s != nil && s.Kind == KindModifier {
					m = Match{s, ByName}
				}
			}
		}
		into = append(into, m)
		into = x.resolve(l, byName, o.Modifiers, into)
	}
	return into
}

// unknown is what is found while no catalogue was ever read.
func unknown(lines []channel.Line, into []Match) []Match {
	var each func(list []channel.Modifier)
	each = func(list []channel.Modifier) {
		for i := range list {
			into = append(into, Match{})
			each(list[i].Modifiers)
		}
	}
	for i := range lines {
		into = append(into, Match{})
		each(lines[i].Modifiers)
	}
	return into
}

// Missing is a part of an order that nothing was found for, as people are told of it.
type Missing struct {
	Line  int    `json:"line"` // index into the order's lines
	Kind  string `json:"kind" enum:"item,modifier"`
	ID    string `json:"id,omitzero"`
	SKU   string `json:"sku,omitzero"`
	Name  string `json:"name"`
	Group string `json:"group,omitzero"`
}

// Gaps names what Resolve found nothing for; nil when everything is known. found is what it gave for the same lines.
func Gaps(lines []channel.Line, found []Match) []Missing {
	var list []Missing
	at := 0
	next := func() bool {
		at++
		return at > len(found) || found[at-1].To == nil
	}
	var each func(line int, of []channel.Modifier)
	each = func(line int, of []channel.Modifier) {
		for i := range of {
			o := &of[i]
			if next() {
				list = append(list, Missing{line, KindModifier, o.ID, o.SKU, o.Name, o.Group})
			}
			each(line, o.Modifiers)
		}
	}
	for i := range lines {
		if next() {
			list = append(list, Missing{i, KindItem, lines[i].ID, lines[i].SKU, lines[i].Name, ""})
		}
		each(i, lines[i].Modifiers)
	}
	return list
}
