package menu

import (
	"slices"

	"aboyeur/protocol/channel"
)

// Unlinked counts the entities of a menu that stand for nothing in the POS. All zero is a menu whose every order can be
// injected (OTR-64).
type Unlinked struct {
	Items     int `json:"items"`
	Groups    int `json:"modifier_groups"`
	Modifiers int `json:"modifiers"`
}

// Green reports whether nothing is unlinked.
func (u Unlinked) Green() bool { return u == Unlinked{} }

func (u Unlinked) plus(v Unlinked) Unlinked {
	return Unlinked{u.Items + v.Items, u.Groups + v.Groups, u.Modifiers + v.Modifiers}
}

// An entity is a thing of an aggregator's menu that orders can name, with what it stands for.
type entity struct {
	Kind   string // KindItem, KindGroup, KindModifier
	Group  string // of a modifier: the aggregator's id of its group
	ID     string
	SKU    string
	Name   string
	Within string // name of the category, or of the group
	Price  int64
	Match  Match  // of items and modifiers
	Target string // of a group: ours, "" when unlinked
}

func (e *entity) linked() bool {
	if e.Kind == KindGroup {
		return e.Target != ""
	}
	return e.Match.To != nil
}

// virtual is the target of a group that the POS does not have because it has none at all.
const virtual = "virtual"

// entities walks what guests can reach of a menu, each once, and finds what it stands for: by the very functions that orders
// are resolved with (spec/delivery.md 6.4). A modifier counts in each group that has it.
func (x *Index) entities(menu string, m *channel.Menu, each func(*entity)) {
	var l *linked
	if x == nil {
		x = &Index{}
	}
	l = x.menus[menu]
	items := make(map[string]*channel.Item, len(m.Items))
	for i := range m.Items {
		items[m.Items[i].ID] = &m.Items[i]
	}
	groups := make(map[string]*channel.Group, len(m.Groups))
	for i := range m.Groups {
		groups[m.Groups[i].ID] = &m.Groups[i]
	}
	seen := make(map[string]bool, len(m.Items))
	var walk func(g *channel.Group)
	attached := func(list []string) {
		for _, id := range list {
			if g := groups[id]; g != nil && !seen[id] {
				seen[id] = true
				walk(g)
			}
		}
	}
	walk = func(g *channel.Group) {
		e := &entity{Kind: KindGroup, ID: g.ID, Name: g.Name, Target: x.group(l, g.ID)}
		children := make([]*entity, 0, len(g.Items))
		all := len(g.Items) > 0
		for _, id := range g.Items {
			o := items[id]
			if o == nil {
				continue
			}
			child := &entity{Kind: KindModifier, Group: g.ID, ID: o.ID, SKU: o.SKU, Name: o.Name, Within: g.Name, Price: o.Price, Match: x.modifier(l, g.ID, o.ID, o.SKU)}
			all = all && child.linked()
			children = append(children, child)
		}
		if e.Target == "" && x.flat && all {
			e.Target = virtual
		}
		each(e)
		for _, child := range children {
			each(child)
		}
		for _, child := range children {
			attached(items[child.ID].Groups)
		}
	}
	shown := func(c *channel.Category) {
		for _, id := range c.Items {
			if o := items[id]; o != nil && !seen[id] {
				seen[id] = true
				each(&entity{Kind: KindItem, ID: o.ID, SKU: o.SKU, Name: o.Name, Within: c.Name, Price: o.Price, Match: x.item(l, o.ID, o.SKU)})
				attached(o.Groups)
			}
		}
	}
	for i := range m.Categories {
		c := &m.Categories[i]
		if len(m.Menus) == 0 || slices.ContainsFunc(m.Menus, func(p channel.MenuPart) bool { return slices.Contains(p.Categories, c.ID) }) {
			shown(c)
		}
	}
}

// unlinked counts what has no link.
func (x *Index) unlinked(menu string, m *channel.Menu) (n Unlinked, all int) {
	x.entities(menu, m, func(e *entity) {
		all++
		if e.linked() {
			return
		}
		switch e.Kind {
		case KindItem:
			n.Items++
		case KindGroup:
			n.Groups++
		case KindModifier:
			n.Modifiers++
		}
	})
	return n, all
}

// propose finds links by exact name and price for what has none: only where one thing of the POS alone has both, so that it
// cannot be the wrong one (spec/delivery.md 6.4, method exact-name-price). A group is proposed when its name is one group's of
// the POS alone and each of its modifiers has its like there.
func (x *Index) propose(menu string, m *channel.Menu, c *Catalogue) []Link {
	if x == nil {
		return nil
	}
	type like struct {
		name  string
		price int64
	}
	items := map[like]*Sellable{}
	for _, s := range x.items {
		k := like{normal(s.Name), s.Price}
		if _, twice := items[k]; twice {
			items[k] = nil
		} else {
			items[k] = s
		}
	}
	groups := map[string]*Group{}
	for i := range c.Groups {
		name := normal(c.Groups[i].Name)
		if _, twice := groups[name]; twice {
			groups[name] = nil
		} else {
			groups[name] = &c.Groups[i]
		}
	}
	modifier := func(g *Group, e *entity) string {
		found := ""
		for i := range g.Modifiers {
			if o := &g.Modifiers[i]; normal(o.Name) == normal(e.Name) && o.Price == e.Price {
				if found != "" {
					return ""
				}
				found = modifierID(g.ID, o.ID)
			}
		}
		return found
	}
	var links []Link
	var at *Group      // the POS's group that the modifiers now walked would go to
	var pending []Link // of a group that is not decided
	all := func() {
		if at != nil && len(pending) > 1 {
			links = append(links, pending...)
		}
		at, pending = nil, nil
	}
	x.entities(menu, m, func(e *entity) {
		switch e.Kind {
		case KindItem:
			all()
			if !e.linked() {
				if s := items[like{normal(e.Name), e.Price}]; s != nil {
					links = append(links, Link{Kind: KindItem, ID: e.ID, Target: s.Entity, Method: LinkExact})
				}
			}
		case KindGroup:
			all()
			if !e.linked() {
				if at = groups[normal(e.Name)]; at != nil {
					pending = []Link{{Kind: KindGroup, ID: e.ID, Target: groupID(at.ID), Method: LinkExact}}
				}
			}
		case KindModifier:
			if at == nil {
				return
			}
			if to := modifier(at, e); to != "" {
				pending = append(pending, Link{Kind: KindModifier, Group: e.Group, ID: e.ID, Target: to, Method: LinkExact})
			} else {
				at, pending = nil, nil
			}
		}
	})
	all()
	return links
}

// Methods of links that are kept. An entity whose id is the POS's needs none.
const (
	LinkExact  = "exact_name_price"
	LinkManual = "manual"
)
