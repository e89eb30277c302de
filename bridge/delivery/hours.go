package delivery

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
)

// MenuHours is when one menu of an aggregator can be ordered from.
type MenuHours struct {
	Menu     string           `json:"menu" doc:"the aggregator's id of it"`
	Name     string           `json:"name,omitzero" doc:"where it is known"`
	Services []string         `json:"services,omitzero" doc:"delivery, pickup, dine_in; absent: all"`
	Opening  *channel.Opening `json:"opening,omitzero" doc:"absent: not told yet"`
	At       time.Time        `json:"at,omitzero" doc:"when it was told"`
}

// openingTold is the hours of one menu as the journal has them.
type openingTold struct {
	Opening channel.Opening `json:"opening"`
	At      time.Time       `json:"at"` // of the event
}

// maxHours bounds the menus of a store whose hours are kept: the latest.
const maxHours = 200

func hoursKey(name string) string { return "delivery-hours/" + name + "/" }

// openings are the hours that an aggregator told of its menus, by their ids.
func (s *Service) openings(ctx context.Context, name string) (map[string]openingTold, error) {
	list, err := s.c.Journal.Settings(ctx, hoursKey(name))
	if err != nil {
		return nil, fmt.Errorf("read the opening hours of %s: %w", name, err)
	}
	all := make(map[string]openingTold, len(list))
	for _, one := range list {
		var told openingTold
		if err := json.Unmarshal(one.Value, &told); err != nil {
			return nil, fmt.Errorf("read setting %s: %w", one.Key, err)
		}
		all[strings.TrimPrefix(one.Key, hoursKey(name))] = told
	}
	return all, nil
}

// Openings are the hours that an aggregator told of its menus, by their ids there.
func (s *Service) Openings(ctx context.Context, name string) (map[string]channel.Opening, error) {
	told, err := s.openings(ctx, name)
	if err != nil {
		return nil, err
	}
	all := make(map[string]channel.Opening, len(told))
	for id, one := range told {
		all[id] = one.Opening
	}
	return all, nil
}

// takeHours keeps the hours of menus, and says so. What cannot be read changes nothing.
func (s *Service) takeHours(ctx context.Context, l *link, e *channel.Event) error {
	if len(e.Faults) > 0 {
		return s.refuseHours(ctx, l, e)
	}
	known, err := s.openings(ctx, l.Name)
	if err != nil {
		return err
	}
	err = s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
		if err := s.keepHours(tx, l, e.At, e.Hours, known); err != nil {
			return 0, "", err
		}
		return 0, "", s.put(tx, l, 0, call{Kind: callAnswer, Event: bare(e)})
	})
	if err == nil {
		s.c.Warnings.Lower("hours_refused", l.Name)
	}
	return err
}

// refuseHours tells the aggregator what of its hours cannot be read; the last ones stay.
func (s *Service) refuseHours(ctx context.Context, l *link, e *channel.Event) error {
	wrong := &malformed{what: "the opening hours cannot be taken"}
	for _, f := range e.Faults {
		wrong.faults = append(wrong.faults, sale.Fault{Pointer: f.Pointer, Detail: f.Detail})
	}
	s.c.Orders.Count(l.Name, invalid, 0)
	s.raise("hours_refused", warning.Warn, l.Name, l.Title, words.Tidy(wrong.Error(), 300))
	no := &channel.Failure{Code: channel.CodeInvalid, Message: words.Tidy(wrong.Error(), 300)}
	err := s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
		return 0, wrong.Error(), s.put(tx, l, 0, call{Kind: callAnswer, Event: bare(e), Failure: no})
	})
	if err != nil {
		return err
	}
	return wrong
}

// keepHours writes hours down that are no older than what is known of their menu. at is of the event that told them.
func (s *Service) keepHours(tx *journal.Tx, l *link, at time.Time, hours map[string]channel.Opening, known map[string]openingTold) error {
	if now := tx.Now(); at.After(now) { // a clock that is ahead must not keep later hours out
		at = now
	}
	for id, o := range hours {
		if at.Before(known[id].At) {
			continue
		}
		value, err := json.Marshal(openingTold{o, at}, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("keep the opening hours of %s: %w", l.Name, err)
		}
		if err := tx.SetSetting(hoursKey(l.Name)+id, value, l.Name); err != nil {
			return err
		}
	}
	// Menus that are gone at the aggregator are never told off.
	old := slices.DeleteFunc(slices.Collect(maps.Keys(known)), func(id string) bool { _, now := hours[id]; return now })
	slices.SortFunc(old, func(a, b string) int { return cmp.Or(known[a].At.Compare(known[b].At), strings.Compare(a, b)) })
	for _, id := range old[:max(0, min(len(old)+len(hours)-maxHours, len(old)))] {
		if err := tx.SetSetting(hoursKey(l.Name)+id, nil, l.Name); err != nil {
			return err
		}
	}
	return nil
}

// menuHours are the hours of all menus that an aggregator told of or shows, those that it shows first.
func (s *Service) menuHours(ctx context.Context, l *link) ([]MenuHours, error) {
	told, err := s.openings(ctx, l.Name)
	if err != nil {
		return nil, err
	}
	var shown []channel.MenuPart
	if s.c.Menus != nil {
		shown = s.c.Menus(l.Name)
	}
	list := []MenuHours{}
	add := func(m MenuHours) {
		if one, ok := told[m.Menu]; ok {
			m.Opening, m.At = &one.Opening, one.At
		}
		list = append(list, m)
	}
	for _, p := range shown {
		add(MenuHours{Menu: p.ID, Name: words.Tidy(p.Name, maxName), Services: p.Services})
	}
	for _, id := range slices.Sorted(maps.Keys(told)) {
		if !slices.ContainsFunc(shown, func(p channel.MenuPart) bool { return p.ID == id }) {
			add(MenuHours{Menu: id})
		}
	}
	return list, nil
}

// storeHours is when a store takes orders: whenever one of its menus can be ordered from. nil: no menu's hours are known. Menus
// in several time zones have no hours in common that could be told.
func (s *Service) storeHours(ctx context.Context, l *link) (*channel.StoreHours, *channel.Failure, error) {
	list, err := s.menuHours(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	var h channel.StoreHours
	var delivery, pickup []channel.Opening
	for _, m := range list {
		if m.Opening == nil {
			continue
		}
		if m.At.After(h.At) {
			h.At = m.At
		}
		zone := cmp.Or(m.Opening.Zone, s.c.Zone)
		if h.Zone != "" && zone != h.Zone {
			return nil, &channel.Failure{Code: channel.CodeUnlinked, Message: "the menus have hours in different time zones: " + h.Zone + " and " + zone}, nil
		}
		h.Zone = zone
		serves := func(service string) bool { return len(m.Services) == 0 || slices.Contains(m.Services, service) }
		if serves("delivery") {
			delivery = append(delivery, *m.Opening)
		}
		if serves("pickup") {
			pickup = append(pickup, *m.Opening)
		}
	}
	if h.At.IsZero() {
		return nil, nil, nil
	}
	h.Delivery, h.Pickup = together(delivery), together(pickup)
	return &h, nil, nil
}

func together(all []channel.Opening) *channel.Opening {
	if len(all) == 0 {
		return nil
	}
	o := channel.Together(all)
	return &o
}

// answerEvent answers an event about the store, with how things stand now.
func (s *Service) answerEvent(ctx context.Context, l *link, c *call) error {
	e, f := *c.Event, c.Failure
	switch {
	case f != nil:
	case e.Kind == channel.KindStore:
		if l.paused(s.c.Now()) {
			e.Reason = "paused"
		}
	case e.Kind == channel.KindAskHours:
		var err error
		if e.StoreHours, f, err = s.storeHours(ctx, l); err != nil {
			return err
		}
	}
	return l.Client.Answer(ctx, e, f)
}
