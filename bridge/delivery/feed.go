package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/protocol/channel"
)

// typeFeed is the type of what was found in the feed and not told by an event.
const typeFeed = "feed"

// tooOld is how old an order may be when it is first seen: older ones are cooked, or will never be (spec/delivery.md 8).
const tooOld = 4 * time.Hour

// follow reads an aggregator's feed at start, every few minutes, and when somebody asks.
func (s *Service) follow(ctx context.Context, l *link) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.look:
		case <-timer.C:
		}
		pause := s.c.Feed
		err := s.Reconcile(ctx, l.Name)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, journal.ErrDown), errors.Is(err, journal.ErrUncertain):
			return err
		case err != nil:
			pause = min(pause, 30*time.Second)
			s.c.Log.Warn("the feed of an aggregator could not be read", "platform", l.Name, "err", err)
		}
		timer.Reset(pause)
	}
}

// Reconcile compares an aggregator's feed with what is known: an order whose event never came is taken, and one that went on
// there goes on here.
func (s *Service) Reconcile(ctx context.Context, name string) error {
	l := s.link(name)
	if l == nil {
		return ErrNone
	}
	set := &l.settings.Load().Settings
	began := s.c.Now()
	mode := set.mode(began)
	if mode == Off || !l.can.Feed {
		return nil
	}
	l.mu.Lock()
	last := l.fed
	l.mu.Unlock()
	back := s.c.Back
	if !last.IsZero() {
		back = max(back, began.Sub(last)+time.Hour) // what happened while the box was off
	}
	if l.can.FeedBack > 0 {
		back = min(back, l.can.FeedBack)
	}
	read, cancel := context.WithTimeout(ctx, 40*s.c.Timeout) // many pages wait for the aggregator's limit
	list, err := l.Client.Feed(read, began.Add(-back), began.Add(time.Minute))
	cancel()
	l.mu.Lock()
	l.fault = ""
	if err != nil {
		l.fault = err.Error()
	}
	l.mu.Unlock()
	if ctx.Err() == nil {
		s.connected(l, s.c.Now(), err)
	}
	if err != nil {
		return fmt.Errorf("read the feed of %s: %w", name, err)
	}
	for i := range list {
		if err := s.compare(ctx, l, &list[i], began, mode == Observe); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.fed = began
	l.mu.Unlock()
	s.c.Journal.Later(func(tx *journal.Tx) error { return s.keepState(tx, l, func(st *state) { st.FedAt = began }) })
	return nil
}

// compare brings one order of the feed together with what is known of it.
func (s *Service) compare(ctx context.Context, l *link, o *channel.Order, began time.Time, observing bool) error {
	if o.Slug == "" {
		o.Slug = l.Name
	}
	ref := o.Ref()
	var known *entry
	same := false
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		if known, err = s.find(tx, l, ref); err != nil || known == nil || known.aggregator != l.Name {
			return err
		}
		set := &l.settings.Load().Settings
		r := s.read(l, o, set)
		was, state, _, err := s.c.Orders.Stored(tx, known.id)
		if err != nil {
			return err
		}
		same = ended(state) || len(r.faults) > 0 || sameOrder(r.order, was) || known.updated.After(began.Add(-time.Minute))
		_, _, err = s.status(tx, l, ref, o.Status, "")
		return err
	})
	switch {
	case err != nil:
		return err
	case known == nil:
		if o.Status.Rank() >= channel.HandedOff.Rank() || !o.Scheduled && !o.PlacedAt.IsZero() && o.PlacedAt.Before(began.Add(-tooOld)) {
			return nil
		}
		s.c.Log.Info("an order was found in the feed", "platform", l.Name, "order", short(o))
		e := &channel.Event{ID: "feed " + ref.Slug + " " + ref.ID, At: o.PlacedAt, Kind: channel.KindOrder, Type: typeFeed, Store: l.Store, Order: o}
		return s.forgive(s.take(ctx, l, e, s.c.Now()))
	case known.aggregator != l.Name || same || observing:
		return nil
	}
	e := &channel.Event{ID: fmt.Sprintf("feed %s %s %d", ref.Slug, ref.ID, began.UnixMicro()), At: began, Kind: channel.KindUpdate, Type: typeFeed, Store: l.Store, Order: o}
	return s.forgive(s.take(ctx, l, e, s.c.Now()))
}

// forgive lets one order of a list that cannot be taken not keep back the others; it is written down already.
func (s *Service) forgive(err error) error {
	var no *malformed
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// fetch reads an order that was only announced, and takes it.
func (s *Service) fetch(ctx context.Context, l *link, c *call) error {
	o, err := l.Client.Fetch(ctx, c.Ref)
	kind := channel.KindOrder
	if c.Update {
		kind = channel.KindUpdate
	}
	ref := c.Ref
	e := &channel.Event{ID: ref.Event + " fetched", At: s.c.Now(), Kind: kind, Type: "fetch", Store: l.Store, Order: &o, Ref: ref}
	var wrong *channel.Malformed
	switch {
	case errors.As(err, &wrong): // reading it again would not make it better
		no := new(malformed)
		for _, f := range wrong.Faults {
			no.faults = append(no.faults, sale.Fault(f))
		}
		e.Order = &channel.Order{Slug: ref.Slug, ID: ref.ID, FriendlyID: ref.FriendlyID}
		if err = s.refuse(ctx, l, e, no); err == nil {
			err = no
		}
	case err == nil:
		err = s.take(ctx, l, e, s.c.Now())
	}
	var no *malformed
	if errors.As(err, &no) {
		s.reject(l, http.StatusUnprocessableEntity, no.Error(), cmp.Or(ref.FriendlyID, ref.ID), nil)
	}
	return err
}
