package menu

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/rest"
)

// Asked is the trigger of a run that an aggregator's message began.
const Asked = "aggregator"

// An Errand is what an aggregator asked for in a message.
type Errand struct {
	Kind         channel.Kind           `json:"kind" enum:"menu,publish,availability"`
	Event        string                 `json:"event"`
	Type         string                 `json:"type"`
	Store        string                 `json:"store,omitzero"`
	Availability []channel.Availability `json:"availability,omitzero"`
}

func docTold(id journal.ID) string { return "told/" + id.String() }

// maxToldItems bounds what one message may say of availability.
const maxToldItems = 1000

// Told takes an aggregator's message about menus, in the transaction of its webhook: it asks for our menu, says what it shows, or
// that something is sold out. It is done soon after and then answered. false: the message is nothing for menus.
func (s *Service) Told(tx *journal.Tx, menu string, e *channel.Event) (bool, error) {
	m := s.menu(menu)
	if m == nil || m.Client == nil {
		return false, nil
	}
	switch {
	case e.Kind == channel.KindMenu:
	case e.Kind == channel.KindPublish && e.Menu != nil:
	case e.Kind == channel.KindAvailability && len(e.Availability) <= maxToldItems && s.c.Sell != nil:
	default:
		return false, nil
	}
	r := Run{ID: s.c.Journal.NewID(), Menu: menu, Trigger: Asked, By: m.Title, State: Queued, QueuedAt: tx.Now(), Errand: &Errand{Kind: e.Kind, Event: e.ID, Type: e.Type, Store: e.Store}}
	if e.Kind == channel.KindAvailability {
		r.Errand.Availability = e.Availability
	}
	if e.Kind == channel.KindPublish {
		if err := s.keepTold(tx, docTold(r.ID), e.Menu); err != nil {
			return true, err
		}
	}
	if _, err := tx.Exec(insertRun, r.ID.Key(), r.Menu, r.State, encode(&r)); err != nil {
		return true, err
	}
	tx.Follow(func(err error) {
		if err == nil {
			signal(s.wake)
		}
	})
	return true, s.prune(tx, menu)
}

// keepTold writes a document within a transaction. What it holds came in one message and is at most a mebibyte.
func (s *Service) keepTold(tx *journal.Tx, name string, m *channel.Menu) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := errors.Join(json.MarshalWrite(z, m, json.Deterministic(true)), z.Close()); err != nil {
		return err
	}
	d := draft{name, s.c.Journal.NewID().Key()}
	for part := 0; b.Len() > 0; part++ {
		if _, err := tx.Exec(insertPart, d.generation, part, b.Next(partSize)); err != nil {
			return err
		}
	}
	return d.publish(tx)
}

// errand does what an aggregator asked for, and answers it.
func (s *Service) errand(ctx context.Context, r *Run) error {
	m, e := s.menu(r.Menu), r.Errand
	if m.Client == nil {
		return s.end(ctx, r, Failed, CauseUnsupported, "")
	}
	var answer func() error
	event := channel.Event{ID: e.Event, Kind: e.Kind, Type: e.Type, Store: e.Store}
	switch e.Kind {
	case channel.KindMenu:
		menu, ok, err := s.effective(ctx, m)
		if err == nil {
			menu, err = s.opened(ctx, m, menu)
		}
		if err != nil {
			return err
		}
		answer = func() error { return m.Client.CurrentMenu(ctx, e.Event, menu) }
		if !ok {
			answer = func() error {
				return m.Client.Answer(ctx, event, &channel.Failure{Code: channel.CodeNotFound, Message: "the menu was not read from the POS yet"})
			}
		}
	case channel.KindPublish:
		var told channel.Menu
		ok, err := s.read(ctx, docTold(r.ID), &told)
		if err == nil && ok {
			err = s.Remote(ctx, r.Menu, told)
		}
		if err == nil {
			err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return forget(tx, docTold(r.ID)) })
		}
		if err != nil {
			return err
		}
		answer = func() error { return m.Client.Answer(ctx, event, nil) }
	default:
		if err := s.sell(ctx, m, e.Availability); err != nil {
			return s.end(ctx, r, Failed, CausePublish, err.Error())
		}
		answer = func() error { return m.Client.Answer(ctx, event, nil) }
	}
	err := s.insist(ctx, answer)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, channel.ErrUnsupported):
		return s.end(ctx, r, Failed, CausePublish, err.Error())
	}
	return s.end(ctx, r, Done, "", "")
}

// insist makes a call of an aggregator once, but waits where its limit asks for it.
func (s *Service) insist(ctx context.Context, call func() error) error {
	until := time.Now().Add(s.c.Patience)
	for {
		err := call()
		var limited *channel.Limited
		if !errors.As(err, &limited) || time.Now().Add(limited.After).After(until) {
			return err
		}
		if err := rest.Wait(ctx, max(limited.After, 10*time.Millisecond)); err != nil {
			return err
		}
	}
}

// sell has the kitchen know what an aggregator says is sold out, or back. What the POS does not know is nobody's business here.
func (s *Service) sell(ctx context.Context, m *menu, list []channel.Availability) error {
	x := s.index.Load()
	if x == nil {
		return nil
	}
	l := x.menus[m.ID]
	s.dropThere(m, func(e Elsewhere) bool {
		return slices.ContainsFunc(list, func(a channel.Availability) bool { return a.ID == e.ID })
	})
	for _, a := range list {
		to := x.item(l, a.ID, a.SKU).To
		if to == nil {
			to = x.modifier(l, "", a.ID, a.SKU).To
		}
		if to == nil || to.SKU == "" {
			continue
		}
		if err := s.c.Sell(ctx, m.ID, to.SKU, to.Name, !a.On); err != nil {
			return err
		}
	}
	return nil
}
