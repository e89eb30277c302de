package menu

import (
	"context"
	"slices"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
)

// Names of documents.
const docCatalogue = "catalogue"

func docStaged(menu string) string  { return "staged/" + menu }
func docRemote(menu string) string  { return "remote/" + menu }
func docSent(menu string) string    { return "sent/" + menu } // what was published last
func docSending(menu string) string { return "sending/" + menu }
func docRun(id journal.ID) string   { return "run/" + id.String() }

const (
	selectLinks = `SELECT kind, within, id, target, method FROM menu_links WHERE menu = ?`
	selectEdits = `SELECT kind, id, slug, field, value, locked, at, by FROM menu_edits WHERE menu = ? ORDER BY kind, id, slug, field`
)

// catalogue reads what the POS sold last; ok is false when it was never read.
func (s *Service) catalogue(ctx context.Context) (c Catalogue, ok bool, err error) {
	ok, err = s.read(ctx, docCatalogue, &c)
	return c, ok, err
}

func (s *Service) links(ctx context.Context, menu string) ([]Link, error) {
	var list []Link
	err := s.c.Journal.Each(ctx, selectLinks, []any{menu}, func(scan func(...any) error) error {
		var l Link
		err := scan(&l.Kind, &l.Group, &l.ID, &l.Target, &l.Method)
		list = append(list, l)
		return err
	})
	return list, err
}

func (s *Service) edits(ctx context.Context, menu string) ([]Edit, error) {
	var list []Edit
	err := s.c.Journal.Each(ctx, selectEdits, []any{menu}, func(scan func(...any) error) error {
		e := Edit{Menu: menu}
		var at int64
		err := scan(&e.Kind, &e.ID, &e.Slug, &e.Field, &e.Value, &e.Locked, &at, &e.By)
		e.At = journal.FromMicros(at)
		list = append(list, e)
		return err
	})
	return list, err
}

// reindex makes the index anew from the journal, and counts the menus with it.
func (s *Service) reindex(ctx context.Context) error {
	s.rebuild.Lock()
	defer s.rebuild.Unlock()
	c, ok, err := s.catalogue(ctx)
	if err != nil || !ok && len(s.menus) == 0 {
		return err
	}
	var x *Index
	if ok {
		x = newIndex(&c)
		for _, m := range s.menus {
			links, err := s.links(ctx, m.ID)
			if err != nil {
				return err
			}
			x.add(m.ID, m.settings.Load().MatchByName, links)
		}
		s.index.Store(x)
		s.mu.Lock()
		s.known, s.kind = c.At, c.Kind
		s.mu.Unlock()
	}
	for _, m := range s.menus {
		if err := s.count(ctx, m, x); err != nil {
			return err
		}
	}
	return nil
}

// count finds how many entities of a menu have no link, and how many wait to be published.
func (s *Service) count(ctx context.Context, m *menu, x *Index) error {
	var remote channel.Menu
	if _, err := s.read(ctx, docRemote(m.ID), &remote); err != nil {
		return err
	}
	n, all := x.unlinked(m.ID, &remote)
	effective, _, err := s.effective(ctx, m)
	if err != nil {
		return err
	}
	var sent channel.Menu
	if _, err := s.read(ctx, docSent(m.ID), &sent); err != nil {
		return err
	}
	pending := differences(sent, effective)
	parts := heads(remote.Menus)
	if len(parts) == 0 {
		parts = heads(effective.Menus)
	}
	m.mu.Lock()
	m.unlinked, m.entities, m.pending, m.parts = n, all, pending, parts
	m.mu.Unlock()
	s.raise(!n.Green(), "menu_unlinked", warning.Warn, m.ID, m.Title, n.Items, n.Groups, n.Modifiers)
	return nil
}

// effective is the menu as it would be published now: what was staged, and on it what people changed and what is sold out. ok
// is false when there is none yet.
func (s *Service) effective(ctx context.Context, m *menu) (channel.Menu, bool, error) {
	var staged channel.Menu
	ok, err := s.read(ctx, docStaged(m.ID), &staged)
	if err != nil || !ok {
		return staged, false, err
	}
	edits, err := s.edits(ctx, m.ID)
	if err != nil {
		return staged, false, err
	}
	skus := map[string]bool{}
	for _, sku := range s.c.SoldOut() {
		skus[sku] = true
	}
	return soldOut(overlay(staged, edits), skus), true, nil
}

// opened is a menu with the hours that its aggregator told of it. They are the aggregator's own, so that they never count as
// something that is still to be published.
func (s *Service) opened(ctx context.Context, m *menu, from channel.Menu) (channel.Menu, error) {
	if s.c.Hours == nil {
		return from, nil
	}
	told, err := s.c.Hours(ctx, m.ID)
	if err != nil {
		return from, err
	}
	from.Menus = slices.Clone(from.Menus)
	for i := range from.Menus {
		if o, ok := told[from.Menus[i].ID]; ok && from.Menus[i].Opening == nil {
			from.Menus[i].Opening = &o
		}
	}
	return from, nil
}

// Parts are the menus that an aggregator shows, else those that it would be sent, without what is in them; none of an aggregator
// that has no menu here.
func (s *Service) Parts(id string) []channel.MenuPart {
	m := s.menu(id)
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.parts
}

// heads are menus without what is in them.
func heads(list []channel.MenuPart) []channel.MenuPart {
	out := make([]channel.MenuPart, len(list))
	for i, p := range list {
		out[i] = channel.MenuPart{ID: p.ID, Name: p.Name, Services: p.Services}
	}
	return out
}

// Current is the menu that an aggregator gets when it asks for ours.
func (s *Service) Current(ctx context.Context, id string) (channel.Menu, error) {
	m := s.menu(id)
	if m == nil {
		return channel.Menu{}, ErrMenu
	}
	menu, _, err := s.effective(ctx, m)
	if err != nil {
		return menu, err
	}
	return s.opened(ctx, m, menu)
}

// Remote takes an aggregator's word for what it shows. What is not ours by its id gets links by exact name and price.
func (s *Service) Remote(ctx context.Context, id string, menu channel.Menu) error {
	m := s.menu(id)
	if m == nil {
		return ErrMenu
	}
	d, err := s.write(ctx, docRemote(id), menu)
	if err != nil {
		return err
	}
	c, _, err := s.catalogue(ctx)
	if err != nil {
		return err
	}
	links := s.index.Load().propose(id, &menu, &c)
	err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if err := d.publish(tx); err != nil {
			return err
		}
		return s.keep(tx, id, "", links, false)
	})
	if err != nil {
		return err
	}
	return s.reindex(ctx)
}

// Known reports whether the box knows what the POS sells.
func (s *Service) Known() bool { return s.index.Load() != nil }

// Resolve appends to into what each line of an order and each of its modifiers stands for; see [Index.Resolve].
func (s *Service) Resolve(menu string, lines []channel.Line, into []Match) []Match {
	return s.index.Load().Resolve(menu, lines, into)
}
