package menu

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"aboyeur/protocol/channel"
)

// Whatever is ordered, what it resolves to is what the ids, links or (where asked for) the exact name say, found here in another
// way: a wrong item is never put in the place of one that is not known.
func TestNeverAWrongItem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		few := func(prefix string) *rapid.Generator[string] {
			return rapid.Custom(func(t *rapid.T) string { return prefix + fmt.Sprint(rapid.IntRange(0, 5).Draw(t, prefix)) })
		}
		word := rapid.SampledFrom([]string{"", "Vanille", "Café", "Cafe\u0301", " Vanille ", "vanille"})
		sku := rapid.OneOf(rapid.Just(""), few("S"))
		var c Catalogue
		c.Flat = rapid.Bool().Draw(t, "flat")
		c.Categories = []Category{{ID: "1", Name: "Glaces"}, {ID: "2", Name: "Cafés"}}
		for range rapid.IntRange(0, 6).Draw(t, "items") {
			it := Item{ID: few("").Draw(t, "id"), SKU: sku.Draw(t, "sku"), Name: word.Draw(t, "name"), Category: rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "category"), Inactive: rapid.IntRange(0, 4).Draw(t, "inactive") == 0}
			for range rapid.IntRange(0, 2).Draw(t, "variations") {
				it.Variations = append(it.Variations, Variation{ID: few("").Draw(t, "variation"), SKU: sku.Draw(t, "sku"), Name: word.Draw(t, "name")})
			}
			c.Items = append(c.Items, it)
		}
		for range rapid.IntRange(0, 3).Draw(t, "groups") {
			g := Group{ID: few("").Draw(t, "group"), Name: word.Draw(t, "name")}
			for range rapid.IntRange(0, 3).Draw(t, "modifiers") {
				g.Modifiers = append(g.Modifiers, Modifier{ID: few("").Draw(t, "modifier"), SKU: sku.Draw(t, "sku"), Name: word.Draw(t, "name")})
			}
			c.Groups = append(c.Groups, g)
		}
		c.complete()
		x := newIndex(&c)
		entity := rapid.OneOf(few("i-"), few("v-"), few("f"), rapid.Just(""))
		group := rapid.OneOf(few("g-"), few("fg"), rapid.Just(""))
		modifier := rapid.OneOf(rapid.Custom(func(t *rapid.T) string { return modifierID(few("").Draw(t, "g"), few("").Draw(t, "m")) }), few("fm"), rapid.Just(""))
		var links []Link
		for range rapid.IntRange(0, 5).Draw(t, "links") {
			links = append(links, rapid.SampledFrom([]Link{
				{Kind: KindItem, ID: few("f").Draw(t, "from"), Target: few("i-").Draw(t, "to")},
				{Kind: KindGroup, ID: few("fg").Draw(t, "from"), Target: few("g-").Draw(t, "to")},
				{Kind: KindModifier, Group: few("fg").Draw(t, "within"), ID: few("fm").Draw(t, "from"), Target: modifierID(few("").Draw(t, "g"), few("").Draw(t, "m"))},
			}).Draw(t, "link"))
		}
		byName := rapid.Bool().Draw(t, "by name")
		x.add("m", byName, links)
		o := oracle{&c, links, byName}
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) channel.Line {
			l := channel.Line{ID: entity.Draw(t, "entity"), SKU: sku.Draw(t, "sku"), Name: word.Draw(t, "name"), Category: rapid.SampledFrom([]string{"Glaces", "Cafés", ""}).Draw(t, "category")}
			for range rapid.IntRange(0, 3).Draw(t, "modifiers") {
				l.Modifiers = append(l.Modifiers, channel.Modifier{ID: modifier.Draw(t, "modifier"), GroupID: group.Draw(t, "group"), SKU: sku.Draw(t, "sku"), Name: word.Draw(t, "name")})
			}
			return l
		}), 1, 4).Draw(t, "lines")
		got := x.Resolve("m", lines, nil)
		at := 0
		missing := 0
		for i := range lines {
			o.line(t, &lines[i], got[at])
			if got[at].To == nil {
				missing++
			}
			at++
			for j := range lines[i].Modifiers {
				o.modifier(t, &lines[i].Modifiers[j], got[at])
				if got[at].To == nil {
					missing++
				}
				at++
			}
		}
		if at != len(got) || len(Gaps(lines, got)) != missing {
			t.Fatalf("%d matches for %d elements, %d gaps for %d", len(got), at, len(Gaps(lines, got)), missing)
		}
	})
}

// oracle says by a walk through the catalogue whether a match is right.
type oracle struct {
	c      *Catalogue
	links  []Link
	byName bool
}

func (o oracle) line(t *rapid.T, l *channel.Line, m Match) {
	if m.To == nil {
		return
	}
	live := false
	bySKU := 0
	for i := range o.c.Items {
		it := &o.c.Items[i]
		if it.Inactive {
			continue
		}
		live = live || m.To.Entity == itemID(it.ID) && m.To.SKU == it.SKU && m.To.Name == it.Name
		if it.SKU == l.SKU {
			bySKU++
		}
		for _, v := range it.Variations {
			live = live || m.To.Entity == variationID(v.ID) && m.To.SKU == v.SKU
			if v.SKU == l.SKU {
				bySKU++
			}
		}
	}
	right := false
	switch m.By {
	case BySKU:
		right = l.SKU != "" && m.To.SKU == l.SKU && bySKU == 1
	case ByID:
		right = l.ID == m.To.Entity
	case ByLink:
		for _, k := range o.links {
			right = right || k.Kind == KindItem && k.ID == l.ID && k.Target == m.To.Entity
		}
	case ByName:
		right = o.byName && normal(l.Name) == normal(m.To.Name) && normal(l.Category) == normal(m.To.Category)
	}
	if !live || !right {
		t.Fatalf("%+v stands for %+v by %v: live %v, right %v", l, *m.To, m.By, live, right)
	}
}

func (o oracle) modifier(t *rapid.T, l *channel.Modifier, m Match) {
	if m.To == nil {
		return
	}
	right := false
	within := func(g *Group) bool { // the group that was named is this one
		if l.GroupID == groupID(g.ID) || l.GroupID == "" || o.c.Flat {
			return true
		}
		for _, k := range o.links {
			if k.Kind == KindGroup && k.ID == l.GroupID && k.Target == groupID(g.ID) {
				return true
			}
		}
		return false
	}
	for i := range o.c.Groups {
		g := &o.c.Groups[i]
		for _, v := range g.Modifiers {
			if m.To.Entity != modifierID(g.ID, v.ID) {
				continue
			}
			switch m.By {
			case BySKU:
				right = right || within(g) && v.SKU == l.SKU && l.SKU != ""
			case ByID:
				right = right || within(g) && l.ID == m.To.Entity
			case ByName:
				right = right || o.byName && within(g) && normal(v.Name) == normal(l.Name)
			case ByLink:
				for _, k := range o.links {
					right = right || k.Kind == KindModifier && k.ID == l.ID && k.Group == l.GroupID && k.Target == m.To.Entity
				}
			}
		}
	}
	if !right {
		t.Fatalf("%+v stands for %+v by %v", l, *m.To, m.By)
	}
}

// large is a catalogue of so many items, with modifiers on each tenth.
func large(items int) *Catalogue {
	c := &Catalogue{Currency: "EUR"}
	for i := range 100 {
		c.Categories = append(c.Categories, Category{ID: fmt.Sprint(i), Name: fmt.Sprintf("Category %d", i)})
	}
	for i := range 200 {
		g := Group{ID: fmt.Sprint(i), Name: fmt.Sprintf("Group %d", i), Max: 3}
		for j := range 10 {
			g.Modifiers = append(g.Modifiers, Modifier{ID: fmt.Sprintf("%d-%d", i, j), SKU: fmt.Sprintf("M-%d-%d", i, j), Name: fmt.Sprintf("Choice %d", j), Price: int64(50 * j)})
		}
		c.Groups = append(c.Groups, g)
	}
	for i := range items {
		it := Item{ID: fmt.Sprint(i), SKU: fmt.Sprintf("SKU-%05d", i), Name: fmt.Sprintf("Item number %d", i), Description: "Something good to eat, with a sauce", Category: fmt.Sprint(i % 100), Price: int64(500 + i%1000)}
		if i%10 == 0 {
			it.Groups = []string{fmt.Sprint(i % 200)}
		}
		c.Items = append(c.Items, it)
	}
	return c
}

// bigOrder has 30 lines with three modifiers each: a third names SKUs, a third ids, a third ids that only links know.
func bigOrder() []channel.Line {
	lines := make([]channel.Line, 30)
	for i := range lines {
		n := i * 601
		l := channel.Line{Name: "x", Quantity: 1}
		switch i % 3 {
		case 0:
			l.SKU = fmt.Sprintf("SKU-%05d", n)
		case 1:
			l.ID = fmt.Sprintf("i-%d", n)
		case 2:
			l.ID = fmt.Sprintf("foreign-%d", n)
		}
		for j := range 3 {
			l.Modifiers = append(l.Modifiers, channel.Modifier{GroupID: fmt.Sprintf("g-%d", i), SKU: fmt.Sprintf("M-%d-%d", i, j), Name: "y"})
		}
		lines[i] = l
	}
	return lines
}

func bigIndex() *Index {
	x := newIndex(large(20_000))
	links := make([]Link, 20_000)
	for i := range links {
		links[i] = Link{Kind: KindItem, ID: fmt.Sprintf("foreign-%d", i), Target: fmt.Sprintf("i-%d", i)}
	}
	x.add("otter", false, links)
	return x
}

// Resolving allocates nothing, however long the order.
func TestResolveAllocatesNothing(t *testing.T) {
	x, lines := bigIndex(), bigOrder()
	into := make([]Match, 0, 200)
	if n := testing.AllocsPerRun(100, func() { into = x.Resolve("otter", lines, into[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if gaps := Gaps(lines, into); gaps != nil || len(into) != 120 {
		t.Errorf("%d matches, gaps %+v", len(into), gaps)
	}
}

func BenchmarkResolve(b *testing.B) {
	x, lines := bigIndex(), bigOrder()
	into := make([]Match, 0, 200)
	b.ReportAllocs()
	for b.Loop() {
		into = x.Resolve("otter", lines, into[:0])
	}
}

// A menu of 20,000 items of which a tenth has another price.
func BenchmarkDiff(b *testing.B) {
	x := &choice{aggregator: "otter", title: "Otter"}
	old, _ := x.target(large(20_000))
	next := large(20_000)
	for i := 0; i < len(next.Items); i += 10 {
		next.Items[i].Price++
	}
	b.ReportAllocs()
	for b.Loop() {
		want, _ := x.target(next)
		g := &merger{takes: func(string) bool { return true }, decimals: 2}
		if g.merge(old, want); len(g.changes) != 2000 {
			b.Fatal(len(g.changes))
		}
	}
}
