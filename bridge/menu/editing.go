package menu

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
)

const (
	upsertEdit = `INSERT INTO menu_edits (menu, kind, id, slug, field, value, locked, at, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value, locked = excluded.locked, at = excluded.at, by = excluded.by`
	deleteEdit = `DELETE FROM menu_edits WHERE menu = ? AND kind = ? AND id = ? AND slug = ? AND field = ?`
	countEdits = `SELECT count(*) FROM menu_edits WHERE menu = ?`
)

// Bounds of edits.
const (
	maxEdits       = 20_000 // of a menu
	maxEditName    = 200    // characters
	maxEditText    = 2000
	maxEditAddress = 2000
)

// check finds what is wrong with an edit, by its member.
func (e *Edit) check() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	fields := map[string][]string{
		KindCategory: {FieldName, FieldDescription, FieldHidden}, KindGroup: {FieldName, FieldDescription, FieldHidden},
		KindItem: {FieldName, FieldPrice, FieldDescription, FieldPhoto, FieldHidden}, KindModifier: {FieldName, FieldPrice, FieldHidden},
	}[e.Kind]
	switch {
	case fields == nil:
		wrong("/kind", "is none of category, item, group, modifier")
		return faults
	case !slices.Contains(fields, e.Field):
		wrong("/field", "is none of "+strings.Join(fields, ", "))
		return faults
	}
	if e.ID == "" || len(e.ID) > 300 {
		wrong("/id", "is not an id of the menu")
	}
	if e.Slug != "" && e.Field != FieldPrice {
		wrong("/slug", "only prices differ between the marketplaces of an aggregator; leave it out")
	}
	if len(e.Slug) > 64 {
		wrong("/slug", "is longer than 64 characters")
	}
	text := func(most int, lines bool) {
		switch {
		case utf8.RuneCountInString(e.Value) > most:
			wrong("/value", fmt.Sprintf("is longer than %d characters", most))
		case strings.ContainsFunc(e.Value, func(r rune) bool { return unicode.IsControl(r) && !(lines && r == '\n') }):
			wrong("/value", "holds control characters")
		}
	}
	switch e.Field {
	case FieldName:
		if text(maxEditName, false); strings.TrimSpace(e.Value) == "" {
			wrong("/value", "is empty")
		}
	case FieldDescription:
		text(maxEditText, true)
	case FieldPrice:
		if n, err := strconv.ParseInt(e.Value, 10, 64); err != nil || n < 0 || n > money.Max {
			wrong("/value", "is not an amount in minor units, as in 1250")
		} else {
			e.Value = strconv.FormatInt(n, 10)
		}
	case FieldPhoto:
		u, err := url.Parse(e.Value)
		if e.Value != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(e.Value) > maxEditAddress) {
			wrong("/value", "is not the address of a picture, as in https://pictures.example.org/pizza.jpg")
		}
	case FieldHidden:
		if e.Value != "true" {
			wrong("/value", `write "true", or take the edit away`)
		}
	}
	return faults
}

// Edit lays a change of a person over the POS.
func (s *Service) Edit(ctx context.Context, by access.Principal, e Edit) error {
	m := s.menu(e.Menu)
	if m == nil {
		return ErrMenu
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		var n int
		if err := tx.QueryRow(countEdits, []any{e.Menu}, &n); err != nil {
			return err
		}
		if n >= maxEdits {
			return &api.Problem{Status: 422, Code: "too_many_edits", Detail: fmt.Sprintf("this menu has %d edits; change the POS instead, or remove some", n)}
		}
		if _, err := tx.Exec(upsertEdit, e.Menu, e.Kind, e.ID, e.Slug, e.Field, e.Value, e.Locked, tx.Now(), by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, "menu_edit", e.Menu+" "+e.ID, e.Field+" "+e.Slug)
	})
	return s.edited(ctx, m, err)
}

// Restore takes an edit away: what the POS says holds again.
func (s *Service) Restore(ctx context.Context, by access.Principal, e Edit) error {
	m := s.menu(e.Menu)
	if m == nil {
		return ErrMenu
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, err := tx.Exec(deleteEdit, e.Menu, e.Kind, e.ID, e.Slug, e.Field); err != nil {
			return err
		}
		return access.Record(tx, by, "menu_edit_removed", e.Menu+" "+e.ID, e.Field+" "+e.Slug)
	})
	return s.edited(ctx, m, err)
}

// edited counts anew what waits to be published.
func (s *Service) edited(ctx context.Context, m *menu, err error) error {
	if err != nil {
		return err
	}
	s.rebuild.Lock()
	defer s.rebuild.Unlock()
	return s.count(ctx, m, s.index.Load())
}
