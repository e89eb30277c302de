package menu

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

const (
	insertLink = `INSERT INTO menu_links (menu, kind, within, id, target, method, at, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	upsertLink = insertLink + ` ON CONFLICT DO UPDATE SET target = excluded.target, method = excluded.method, at = excluded.at, by = excluded.by`
	onceLink   = insertLink + ` ON CONFLICT DO NOTHING`
	deleteLink = `DELETE FROM menu_links WHERE menu = ? AND kind = ? AND within = ? AND id = ?`
	allLinks   = `SELECT kind, within, id, target, method, at, by FROM menu_links WHERE menu = ?`
)

// keep writes links; over says whether they take the place of others.
func (s *Service) keep(tx *journal.Tx, menu, by string, links []Link, over bool) error {
	query := onceLink
	if over {
		query = upsertLink
	}
	for _, l := range links {
		if _, err := tx.Exec(query, menu, l.Kind, l.Group, l.ID, l.Target, l.Method, tx.Now(), by); err != nil {
			return err
		}
	}
	return nil
}

// Tie links an entity of an aggregator's menu to a thing of the POS by hand; an empty target takes the link away.
func (s *Service) Tie(ctx context.Context, by access.Principal, menu string, l Link) error {
	if s.menu(menu) == nil {
		return ErrMenu
	}
	if l.Target != "" && !s.has(l.Kind, l.Target) {
		return ErrTarget
	}
	l.Method = LinkManual
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if l.Target == "" {
			if _, err := tx.Exec(deleteLink, menu, l.Kind, l.Group, l.ID); err != nil {
				return err
			}
		} else if err := s.keep(tx, menu, by.Name, []Link{l}, true); err != nil {
			return err
		}
		tx.Change("menu", "links/"+menu, encode(map[string]string{"menu": menu, "kind": l.Kind, "id": l.ID, "target": l.Target}))
		return access.Record(tx, by, "menu_link", menu+" "+l.ID, l.Target)
	})
	if err != nil {
		return err
	}
	return s.reindex(ctx)
}

// has reports whether the POS has a thing of that kind and entity id.
func (s *Service) has(kind, target string) bool {
	x := s.index.Load()
	if x == nil {
		return false
	}
	switch kind {
	case KindItem:
		return x.items[target] != nil
	case KindGroup:
		_, ok := x.groups[target]
		return ok
	case KindModifier:
		return x.modID[target] != nil
	}
	return false
}

// A Row is one entity of an aggregator's menu with what it stands for.
type Row struct {
	Menu   string    `json:"menu"`
	Kind   string    `json:"kind" enum:"item,group,modifier"`
	ID     string    `json:"id"`
	Group  string    `json:"group,omitzero" doc:"of a modifier: the aggregator's id of its group"`
	Name   string    `json:"name"`
	Within string    `json:"within,omitzero" doc:"the category's or the group's name"`
	Price  int64     `json:"price" doc:"minor units"`
	Linked bool      `json:"linked"`
	Method string    `json:"method,omitzero" enum:"sku,id,exact_name_price,manual,virtual"`
	Target string    `json:"target,omitzero" doc:"what it stands for: an id of GET /v1/menu/targets"`
	Names  string    `json:"target_name,omitzero"`
	Lost   bool      `json:"lost,omitzero" doc:"it has a link to something that the POS does not have any more"`
	At     time.Time `json:"at,omitzero" doc:"when the link was made, of those that somebody or a match made"`
	By     string    `json:"by,omitzero"`
}

// Rows lists the entities of a menu that a guest can reach, those without a link first.
func (s *Service) Rows(ctx context.Context, id string) ([]Row, error) {
	m := s.menu(id)
	if m == nil {
		return nil, ErrMenu
	}
	var remote channel.Menu
	if _, err := s.read(ctx, docRemote(id), &remote); err != nil {
		return nil, err
	}
	type made struct {
		target, method, by string
		at                 time.Time
	}
	kept := map[Link]made{}
	err := s.c.Journal.Each(ctx, allLinks, []any{id}, func(scan func(...any) error) error {
		var l Link
		var k made
		var at int64
		err := scan(&l.Kind, &l.Group, &l.ID, &k.target, &k.method, &at, &k.by)
		k.at = journal.FromMicros(at)
		kept[l] = k
		return err
	})
	if err != nil {
		return nil, err
	}
	x := s.index.Load()
	rows := []Row{}
	x.entities(id, &remote, func(e *entity) {
		r := Row{Menu: id, Kind: e.Kind, ID: e.ID, Group: e.Group, Name: e.Name, Within: e.Within, Price: e.Price, Linked: e.linked(), Target: e.Target}
		if to := e.Match.To; to != nil {
			r.Target, r.Names, r.Method = to.Entity, to.Name, e.Match.By.String()
		}
		k, ok := kept[Link{Kind: e.Kind, Group: e.Group, ID: e.ID}]
		switch {
		case ok && !r.Linked:
			r.Lost, r.Target, r.Method = true, k.target, k.method
		case ok && r.Target == k.target:
			r.Method = k.method
		case e.Kind == KindGroup && r.Target == virtual:
			r.Method, r.Target = virtual, ""
		case e.Kind == KindGroup && r.Linked:
			r.Method = ByID.String()
		}
		if e.Kind == KindGroup && r.Linked && r.Target != "" {
			r.Names = x.groups[r.Target]
		}
		if ok {
			r.At, r.By = k.at, k.by
		}
		rows = append(rows, r)
	})
	slices.SortStableFunc(rows, func(a, b Row) int {
		if a.Linked != b.Linked {
			if a.Linked {
				return 1
			}
			return -1
		}
		return cmp.Compare(rank(a.Kind), rank(b.Kind))
	})
	return rows, nil
}

func rank(kind string) int { return slices.Index([]string{KindItem, KindGroup, KindModifier}, kind) }

// A Choice is a thing of the POS that an entity can be linked to.
type Choice struct {
	Kind   string `json:"kind" enum:"item,group,modifier"`
	Target string `json:"target"`
	SKU    string `json:"sku,omitzero"`
	Name   string `json:"name"`
	Within string `json:"within,omitzero" doc:"the category's or the group's name"`
	Price  int64  `json:"price"`
}

// Targets searches what an entity of a kind can be linked to, by a part of name or SKU; at most limit of them, by name.
func (s *Service) Targets(kind, group, text string, limit int) []Choice {
	x := s.index.Load()
	list := []Choice{}
	if x == nil {
		return list
	}
	text = strings.ToLower(normal(text))
	fits := func(name, sku string) bool {
		return text == "" || strings.Contains(strings.ToLower(normal(name)), text) || strings.Contains(strings.ToLower(sku), text)
	}
	switch kind {
	case KindItem:
		for _, t := range x.items {
			if fits(t.Name, t.SKU) {
				list = append(list, Choice{KindItem, t.Entity, t.SKU, t.Name, t.Category, t.Price})
			}
		}
	case KindGroup:
		for id, name := range x.groups {
			if fits(name, id) {
				list = append(list, Choice{KindGroup, id, "", name, "", 0})
			}
		}
	case KindModifier:
		for p, t := range x.mods {
			if p.b == t.Entity && (group == "" || p.a == group) && fits(t.Name, t.SKU) {
				list = append(list, Choice{KindModifier, t.Entity, t.SKU, t.Name, x.groups[p.a], t.Price})
			}
		}
	}
	slices.SortFunc(list, func(a, b Choice) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Target, b.Target)) })
	return list[:min(len(list), limit)]
}
