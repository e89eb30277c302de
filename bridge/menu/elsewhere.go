package menu

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
)

// Shelf is an aggregator that tells what of its menu is for sale.
type Shelf interface {
	Sold(ctx context.Context) ([]channel.Availability, error)
}

// ErrForSale refuses to sell again what is not known as sold out at the aggregator alone.
var ErrForSale = errors.New("the aggregator is not known to have it sold out by itself; see sold_out_there of /v1/menu/menus")

// An Elsewhere is something that the aggregator does not sell although the kitchen has it: somebody switched it off there, and
// nobody told us. It is shown and left alone.
type Elsewhere struct {
	ID    string    `json:"id" doc:"the aggregator's"`
	SKU   string    `json:"sku"`
	Name  string    `json:"name"`
	Until time.Time `json:"until,omitzero" doc:"it comes back by itself then; absent: when somebody says so there"`
}

// settle is how long an aggregator may take to show what it was told.
const settle = 2 * time.Minute

// named is how many of them a warning names.
const named = 3

// shown is what an aggregator was seen to sell, by what the kitchen calls it.
type shown struct {
	on, off map[string][]Elsewhere
}

// see reads what an aggregator sells; nil when it does not let itself be read, or shows nothing of ours yet.
func (s *Service) see(ctx context.Context, m *menu) (*shown, error) {
	shelf, ok := m.Client.(Shelf)
	if !ok {
		return nil, nil
	}
	var remote channel.Menu
	if ok, err := s.read(ctx, docRemote(m.ID), &remote); err != nil || !ok {
		return nil, err
	}
	list, err := shelf.Sold(ctx)
	if errors.Is(err, channel.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state := make(map[string]*channel.Availability, len(list))
	for i := range list {
		state[list[i].ID] = &list[i]
	}
	v := &shown{map[string][]Elsewhere{}, map[string][]Elsewhere{}}
	seen := map[string]bool{}
	s.index.Load().entities(m.ID, &remote, func(e *entity) {
		a := state[e.ID]
		if e.Kind == KindGroup || a == nil || seen[e.ID] {
			return
		}
		seen[e.ID] = true
		sku := e.SKU
		if e.Match.To != nil && e.Match.To.SKU != "" {
			sku = e.Match.To.SKU
		}
		if sku == "" {
			return
		}
		into := v.off
		if a.On {
			into = v.on
		}
		into[sku] = append(into[sku], Elsewhere{e.ID, sku, e.Name, a.Until})
	})
	return v, nil
}

// compare puts right what an aggregator sells although the kitchen has none of it, and notes what it does not sell although the
// kitchen has it. told is what it was told of, and fresh says of what it was told so lately that it may not show it yet.
func (s *Service) compare(ctx context.Context, m *menu, v *shown, out []string, told map[string]bool, fresh func(sku string) bool) error {
	var wrong []channel.Availability
	for _, sku := range out {
		if !told[sku] || fresh(sku) {
			continue // it is told with the others
		}
		for _, e := range v.on[sku] {
			wrong = append(wrong, channel.Availability{ID: e.ID, SKU: sku})
		}
	}
	var there []Elsewhere
	for sku, list := range v.off {
		if !slices.Contains(out, sku) && !told[sku] && !fresh(sku) {
			there = append(there, list...)
		}
	}
	slices.SortFunc(there, func(a, b Elsewhere) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	s.noteThere(m, there)
	if len(wrong) == 0 {
		return nil
	}
	s.c.Log.Info("sold again at the aggregator, and the kitchen has none", "menu", m.ID, "items", len(wrong))
	if err := m.Client.Available(ctx, wrong); err != nil && !errors.Is(err, channel.ErrUnsupported) {
		return fmt.Errorf("say once more what is sold out: %w", err)
	}
	return nil
}

// noteThere keeps what an aggregator has sold out by itself, and warns of it.
func (s *Service) noteThere(m *menu, there []Elsewhere) {
	m.mu.Lock()
	m.there = there
	m.mu.Unlock()
	s.warnThere(m, there)
}

func (s *Service) warnThere(m *menu, there []Elsewhere) {
	names := make([]string, 0, named+1)
	for _, e := range there[:min(len(there), named)] {
		names = append(names, clip(e.Name))
	}
	if len(there) > named {
		names = append(names, "…")
	}
	s.raise(len(there) > 0, "menu_sold_out_there", warning.Info, m.ID, m.Title, len(there), strings.Join(names, ", "))
}

// dropThere forgets what is no longer sold out at the aggregator alone.
func (s *Service) dropThere(m *menu, gone func(e Elsewhere) bool) {
	m.mu.Lock()
	left := slices.DeleteFunc(slices.Clone(m.there), gone)
	changed := len(left) != len(m.there)
	m.there = left
	m.mu.Unlock()
	if changed {
		s.warnThere(m, left)
	}
}

// Resell has an aggregator sell again what it has sold out by itself, because a person said so.
func (s *Service) Resell(ctx context.Context, by access.Principal, id, entity string) error {
	m := s.menu(id)
	if m == nil || m.Client == nil {
		return ErrMenu
	}
	m.mu.Lock()
	i := slices.IndexFunc(m.there, func(e Elsewhere) bool { return e.ID == entity })
	var e Elsewhere
	if i >= 0 {
		e = m.there[i]
	}
	m.mu.Unlock()
	if i < 0 {
		return ErrForSale
	}
	if err := m.Client.Available(ctx, []channel.Availability{{ID: e.ID, SKU: e.SKU, On: true}}); err != nil {
		return &refusal{err}
	}
	s.dropThere(m, func(x Elsewhere) bool { return x.ID == entity })
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		tx.Change("menu", "resold/"+id, encode(map[string]string{"menu": id, "id": e.ID, "sku": e.SKU}))
		return access.Record(tx, by, "menu_resold", id+" "+e.ID, e.Name)
	})
}

// A refusal is an aggregator that could not be told.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

type postResell struct {
	ID string `json:"id" doc:"of sold_out_there"`
}

func (s *Service) postResell(w http.ResponseWriter, r *http.Request) error {
	var p postResell
	if err := api.Decode(w, r, &p); err != nil {
		return err
	}
	if err := s.Resell(r.Context(), access.From(r.Context()), r.PathValue("menu"), p.ID); err != nil {
		return problem(err)
	}
	return s.getMenu(w, r)
}
