package menu

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"aboyeur/bridge/money"
	"aboyeur/protocol/channel"
)

// Headings of the lint (OTR-34).
const (
	HeadItems      = "items"
	HeadCategories = "categories"
	HeadGroups     = "modifier_groups"
	HeadModifiers  = "modifiers"
	HeadPhotos     = "photos"
)

// Headings lists them in their order.
func Headings() []string {
	return []string{HeadItems, HeadCategories, HeadGroups, HeadModifiers, HeadPhotos}
}

// A Finding is something in the POS's menu that guests should not see as it is (spec/delivery.md 6.5).
type Finding struct {
	Heading  string `json:"heading" enum:"items,categories,modifier_groups,modifiers,photos"`
	Code     string `json:"code"`
	Severity string `json:"severity" enum:"warning,info" doc:"a warning hinders orders or publishing"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Text     string `json:"text"`
}

// maxPartnerName is how many characters of a name every marketplace is thought to show whole. Their limits are not public.
const maxPartnerName = 75

// maxFindings bounds a lint: a menu with more is mended step by step.
const maxFindings = 1000

// linter gathers findings.
type linter struct {
	say   func(key string, args ...any) string
	photo func(address string) string
	list  []Finding
	more  int
}

func (l *linter) find(heading, code, severity, id, name string, args ...any) {
	if len(l.list) >= maxFindings {
		l.more++
		return
	}
	l.list = append(l.list, Finding{heading, code, severity, id, name, l.say("menu.lint."+code, args...)})
}

// name finds what is wrong with a name by itself.
func (l *linter) name(heading, id, name string) {
	switch {
	case strings.TrimSpace(name) == "":
		l.find(heading, "empty_name", "warning", id, id)
	case utf8.RuneCountInString(name) > maxPartnerName:
		l.find(heading, "long_name", "info", id, name, utf8.RuneCountInString(name), maxPartnerName)
	case name != strings.TrimSpace(name) || strings.Contains(name, "  ") || strings.ContainsFunc(name, odd):
		l.find(heading, "odd_characters", "info", id, name)
	}
}

// odd are characters that no guest reads: controls, what is not assigned, and what only directs the text around it.
func odd(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' || unicode.Is(unicode.Co, r)
}

// Lint holds the catalogue against what delivery menus need. remote may be empty; with it, categories of the aggregator that
// the POS does not have are found too (OTR-26). photo tells why an address cannot be fetched, "" when nothing is known against it. say puts a key of the words into a sentence.
func Lint(c *Catalogue, remote *channel.Menu, photo func(address string) string, say func(key string, args ...any) string) (list []Finding, more int) {
	l := &linter{say: say, photo: photo}
	decimals := money.Decimals(c.Currency)
	categories, used := map[string]*Category{}, map[string]int{}
	for i := range c.Categories {
		categories[c.Categories[i].ID] = &c.Categories[i]
	}
	groups := map[string]*Group{}
	for i := range c.Groups {
		groups[c.Groups[i].ID] = &c.Groups[i]
	}
	reached := map[string]bool{}
	l.items(c, categories, used, groups, reached, decimals)
	l.categories(c, used, remote)
	l.groups(c, groups, reached)
	for _, d := range c.Dropped {
		heading := map[string]string{KindCategory: HeadCategories, KindGroup: HeadGroups, KindModifier: HeadModifiers}[d.Kind]
		if heading == "" {
			heading = HeadItems
		}
		l.find(heading, d.Reason, "warning", "", d.Name)
	}
	slices.SortStableFunc(l.list, func(a, b Finding) int {
		if a.Heading != b.Heading {
			return slices.Index(Headings(), a.Heading) - slices.Index(Headings(), b.Heading)
		}
		return strings.Compare(b.Severity, a.Severity) // warning before info
	})
	return l.list, l.more
}

func (l *linter) items(c *Catalogue, categories map[string]*Category, used map[string]int, groups map[string]*Group, reached map[string]bool, decimals int) {
	type place struct{ category, name string }
	names, skus := map[place]bool{}, map[string]string{}
	sku := func(id, name, sku string) {
		if sku == "" {
			l.find(HeadItems, "no_sku", "info", id, name)
		} else if other, twice := skus[sku]; twice {
			l.find(HeadItems, "duplicate_sku", "warning", id, name, sku, other)
		} else {
			skus[sku] = name
		}
	}
	for i := range c.Items {
		it := &c.Items[i]
		if it.Inactive {
			continue
		}
		used[it.Category]++
		id := itemID(it.ID)
		l.name(HeadItems, id, it.Name)
		sku(id, it.Name, it.SKU)
		switch at := (place{it.Category, normal(it.Name)}); {
		case names[at] && at.name != "":
			l.find(HeadItems, "duplicate_name", "warning", id, it.Name)
		default:
			names[at] = true
		}
		category := categories[it.Category]
		switch {
		case category == nil:
			l.find(HeadItems, "no_category", "warning", id, it.Name)
		case it.Hidden || category.Hidden:
			continue // guests do not see the rest
		}
		switch {
		case it.Price < 0:
			l.find(HeadItems, "negative_price", "warning", id, it.Name, money.Format(it.Price, decimals))
		case it.Price == 0 && len(it.Variations) == 0:
			l.find(HeadItems, "zero_price", "warning", id, it.Name)
		}
		if strings.TrimSpace(it.Description) == "" {
			l.find(HeadItems, "no_description", "info", id, it.Name)
		}
		for _, g := range it.Groups {
			reached[g] = true
			if groups[g] == nil {
				l.find(HeadItems, "unknown_group", "warning", id, it.Name, g)
			}
		}
		if len(it.Variations) > 0 && len(it.Groups) > 0 {
			l.find(HeadItems, "variations_and_groups", "warning", id, it.Name)
		} else if len(it.Variations) > 0 {
			l.find(HeadItems, "variations", "info", id, it.Name, it.Variations[0].shown(it))
		}
		for j := range it.Variations {
			v := &it.Variations[j]
			sku(variationID(v.ID), v.shown(it), v.SKU)
			if strings.TrimSpace(v.Name) == "" {
				l.find(HeadItems, "empty_variation", "warning", variationID(v.ID), it.Name)
			}
			if v.Price <= 0 {
				l.find(HeadItems, "zero_price", "warning", variationID(v.ID), v.shown(it))
			}
		}
		switch {
		case it.Photo == "":
			l.find(HeadPhotos, "no_photo", "info", id, it.Name)
		case !strings.HasPrefix(it.Photo, "https://"):
			l.find(HeadPhotos, "plain_photo", "warning", id, it.Name, it.Photo)
		case l.photo(it.Photo) != "":
			l.find(HeadPhotos, "unreachable_photo", "warning", id, it.Name, l.photo(it.Photo))
		}
	}
}

func (l *linter) categories(c *Catalogue, used map[string]int, remote *channel.Menu) {
	names := map[string]bool{}
	for i := range c.Categories {
		x := &c.Categories[i]
		id := categoryID(x.ID)
		l.name(HeadCategories, id, x.Name)
		if name := normal(x.Name); names[name] && name != "" {
			l.find(HeadCategories, "duplicate_name", "warning", id, x.Name)
		} else {
			names[name] = true
		}
		if used[x.ID] == 0 {
			l.find(HeadCategories, "empty_category", "info", id, x.Name)
		}
		if x.Hidden {
			l.find(HeadCategories, "hidden_category", "info", id, x.Name, used[x.ID])
		}
	}
	for i := range remote.Categories {
		if x := &remote.Categories[i]; !names[normal(x.Name)] {
			l.find(HeadCategories, "not_in_pos", "warning", x.ID, x.Name)
		}
	}
}

func (l *linter) groups(c *Catalogue, groups map[string]*Group, reached map[string]bool) {
	for again := true; again; { // groups that hang on modifiers of reached ones
		again = false
		for id := range reached {
			if g := groups[id]; g != nil {
				for j := range g.Modifiers {
					for _, sub := range g.Modifiers[j].Groups {
						if !reached[sub] {
							reached[sub], again = true, true
						}
					}
				}
			}
		}
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		id := groupID(g.ID)
		l.name(HeadGroups, id, g.Name)
		sellable := 0
		names := map[string]bool{}
		for j := range g.Modifiers {
			o := &g.Modifiers[j]
			mod := modifierID(g.ID, o.ID)
			l.name(HeadModifiers, mod, o.Name)
			if name := normal(o.Name); names[name] && name != "" {
				l.find(HeadModifiers, "duplicate_name", "warning", mod, g.Name+": "+o.Name)
			} else {
				names[name] = true
			}
			if o.Price < 0 {
				l.find(HeadModifiers, "negative_price", "warning", mod, g.Name+": "+o.Name, money.Format(o.Price, money.Decimals(c.Currency)))
			}
			for _, sub := range o.Groups {
				if groups[sub] == nil {
					l.find(HeadModifiers, "unknown_group", "warning", mod, g.Name+": "+o.Name, sub)
				}
			}
			if !o.Hidden {
				sellable++
			}
		}
		switch {
		case !reached[g.ID]:
			l.find(HeadGroups, "unused_group", "info", id, g.Name)
			for j := range g.Modifiers {
				l.find(HeadModifiers, "orphan", "info", modifierID(g.ID, g.Modifiers[j].ID), g.Name+": "+g.Modifiers[j].Name)
			}
		case g.Max > 0 && g.Min > g.Max:
			l.find(HeadGroups, "min_above_max", "warning", id, g.Name, g.Min, g.Max)
		case g.Min > 0 && sellable == 0:
			l.find(HeadGroups, "nothing_to_choose", "warning", id, g.Name, g.Min)
		case g.Each > 0 && g.Min > g.Each*sellable, g.Each == 1 && g.Min > sellable:
			l.find(HeadGroups, "min_above_count", "warning", id, g.Name, g.Min, sellable)
		case sellable == 0:
			l.find(HeadGroups, "empty_group", "warning", id, g.Name)
		}
	}
}

// Lint holds what the POS sells against what a delivery menu needs; menu may be "" for none in particular.
func (s *Service) Lint(ctx context.Context, menu string) ([]Finding, int, error) {
	if menu != "" && s.menu(menu) == nil {
		return nil, 0, ErrMenu
	}
	c, ok, err := s.catalogue(ctx)
	if err != nil || !ok {
		return nil, 0, err
	}
	var remote channel.Menu
	if menu != "" {
		if _, err := s.read(ctx, docRemote(menu), &remote); err != nil {
			return nil, 0, err
		}
	}
	list, more := Lint(&c, &remote, s.photos.why, func(key string, args ...any) string { return s.words.T(key, args...) })
	return list, more, nil
}

func (f Finding) String() string { return fmt.Sprintf("%s %s %s %q", f.Heading, f.Code, f.ID, f.Name) }
