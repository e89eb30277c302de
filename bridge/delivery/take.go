package delivery

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// Bounds of what an aggregator names things by, in bytes.
const (
	maxID   = 200
	maxSlug = 100
)

const (
	insertEvent  = `INSERT INTO delivery_events (key, aggregator, event, type, at, order_key, note, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (aggregator, event) DO NOTHING`
	insertOrder  = `INSERT INTO delivery_orders (order_key, order_id, slug, partner_id, aggregator, event, status, updated_at, accept_by, other, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?) ON CONFLICT (partner_id, slug) DO NOTHING`
	selectOrder  = `SELECT order_key, order_id, aggregator, event, status, updated_at, other, content FROM delivery_orders WHERE partner_id = ? AND slug = ?`
	selectLoose  = `SELECT order_key, order_id, aggregator, event, status, updated_at, other, content FROM delivery_orders WHERE partner_id = ? AND (aggregator = ? OR other = ?) ORDER BY order_key DESC LIMIT 1`
	selectByKey  = `SELECT order_key, order_id, aggregator, event, status, updated_at, other, content FROM delivery_orders WHERE order_key = ?`
	updateOrder  = `UPDATE delivery_orders SET updated_at = ?, content = ? WHERE order_key = ?`
	updateStatus = `UPDATE delivery_orders SET status = ? WHERE order_key = ?`
	updateOther  = `UPDATE delivery_orders SET other = ? WHERE order_key = ?`
	insertCancel = `INSERT INTO delivery_cancels (slug, partner_id, at, reason) VALUES (?, ?, ?, ?) ON CONFLICT (partner_id, slug) DO NOTHING`
	selectCancel = `SELECT reason FROM delivery_cancels WHERE partner_id = ? AND slug IN (?, '') AND at > ?`
	insertSeen   = `INSERT INTO delivery_observed (key, at, aggregator, slug, partner_id, status, unlinked, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (partner_id, slug) DO UPDATE SET status = excluded.status, unlinked = excluded.unlinked, content = excluded.content`
	updateSeen = `UPDATE delivery_observed SET status = ? WHERE partner_id = ? AND slug IN (?, '')`
)

// entry is an aggregator's order as the journal has it.
type entry struct {
	key        int64
	id         journal.ID
	aggregator string
	event      string
	status     channel.Status
	updated    time.Time
	other      string
	order      channel.Order
}

// ref names the order to its aggregator.
func (e *entry) ref() channel.Ref {
	r := e.order.Ref()
	r.Event = e.event
	return r
}

func loadEntry(tx *journal.Tx, query string, args ...any) (*entry, error) {
	e := new(entry)
	var id, content []byte
	var status string
	var updated int64
	err := tx.QueryRow(query, args, &e.key, &id, &e.aggregator, &e.event, &status, &updated, &e.other, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an aggregator's order: %w", err)
	}
	copy(e.id[:], id)
	e.status, e.updated = channel.Status(status), journal.FromMicros(updated)
	if err := json.Unmarshal(content, &e.order); err != nil {
		return nil, fmt.Errorf("the journal holds order %s of %s, which cannot be read: %w", e.id, e.aggregator, err)
	}
	return e, nil
}

// find is an order that is known, nil for none. An event that does not name the marketplace means
// the latest order of that id which the aggregator brought, first or second.
func (s *Service) find(tx *journal.Tx, l *link, r channel.Ref) (*entry, error) {
	if r.Slug == "" {
		return loadEntry(tx, selectLoose, r.ID, l.Name, l.Name)
	}
	return loadEntry(tx, selectOrder, r.ID, r.Slug)
}

// A malformed order, or another thing an aggregator says, is one that cannot be taken as it is. It is told to the aggregator and
// kept for people to see.
type malformed struct {
	faults []sale.Fault
	what   string // "": the order cannot be taken
}

func (m *malformed) Error() string {
	var b strings.Builder
	b.WriteString(cmp.Or(m.what, "the order cannot be taken"))
	for i, f := range m.faults {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", len(m.faults)-i)
			break
		}
		fmt.Fprintf(&b, "; %s %s", f.Pointer, f.Detail)
	}
	return b.String()
}

// take does what one event says. It is on disk when take returns.
func (s *Service) take(ctx context.Context, l *link, e *channel.Event, received time.Time) error {
	set := &l.settings.Load().Settings
	if e.Order != nil {
		if e.Order.Slug == "" {
			e.Order.Slug = l.Name
		}
		e.Ref = channel.Ref{Slug: e.Order.Slug, ID: e.Order.ID, FriendlyID: e.Order.FriendlyID, Event: e.Ref.Event, Resource: e.Ref.Resource}
	}
	switch {
	case e.Type == typeFeed:
		e.Ref.Event = "" // nobody sent one
	case e.Ref.Event == "":
		e.Ref.Event = e.ID
	}
	switch e.Kind {
	case channel.KindOrder, channel.KindUpdate, channel.KindCancel, channel.KindStatus, channel.KindRelease:
		if faults := nameFaults(e); len(faults) > 0 {
			return &malformed{faults: faults}
		}
	}
	observing := set.mode(s.c.Now()) == Observe
	switch e.Kind {
	case channel.KindOrder:
		if e.Order == nil {
			return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
				return 0, "", s.put(tx, l, 0, call{Kind: callFetch, Ref: e.Ref})
			})
		}
		return s.takeOrder(ctx, l, e, received, observing)
	case channel.KindUpdate:
		if e.Order == nil {
			return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
				return 0, "", s.put(tx, l, 0, call{Kind: callFetch, Ref: e.Ref, Update: true})
			})
		}
		return s.takeUpdate(ctx, l, e, received, observing)
	case channel.KindCancel:
		return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) { return s.cancel(tx, l, e, observing) })
	case channel.KindStatus:
		return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) { return s.status(tx, l, e.Ref, e.Status, e.Reason) })
	case channel.KindRelease:
		return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
			known, err := s.find(tx, l, e.Ref)
			if err != nil || known == nil {
				return 0, "unknown order", err
			}
			return known.key, "", s.c.Orders.Release(tx, known.id, l.Name)
		})
	case channel.KindInjection:
		return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
			known, err := s.find(tx, l, e.Ref)
			if err != nil || known == nil {
				return 0, "unknown order", err
			}
			return known.key, strings.TrimSpace(string(e.Injection) + " " + e.Issue), nil
		})
	case channel.KindPause, channel.KindResume:
		return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) { return 0, "", s.pause(tx, l, e) })
	case channel.KindHours:
		return s.takeHours(ctx, l, e)
	case channel.KindPing, channel.KindReport:
		return s.apply(ctx, l, e, func(*journal.Tx) (int64, string, error) { return 0, "", nil })
	case channel.KindUnknown:
		s.c.Log.Warn("unknown event of an aggregator", "platform", l.Name, "type", e.Type)
		return s.apply(ctx, l, e, func(*journal.Tx) (int64, string, error) { return 0, "unknown type", nil })
	}
	var known map[string]openingTold
	hours := hoursIn(e)
	if len(hours) > 0 {
		var err error
		if known, err = s.openings(ctx, l.Name); err != nil {
			return err
		}
	}
	return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
		if len(hours) > 0 {
			if err := s.keepHours(tx, l, e.At, hours, known); err != nil {
				return 0, "", err
			}
		}
		return 0, "", s.answer(tx, l, e)
	})
}

// hoursIn are the hours that an aggregator's own menu brings, where it says in which time.
func hoursIn(e *channel.Event) map[string]channel.Opening {
	if e.Kind != channel.KindPublish || e.Menu == nil {
		return nil
	}
	hours := map[string]channel.Opening{}
	for _, m := range e.Menu.Menus {
		if m.Opening != nil && m.Opening.Zone != "" && m.ID != "" && len(m.ID) <= maxID && len(hours) < maxHours/2 {
			hours[m.ID] = *m.Opening
		}
	}
	return hours
}

// answer says what became of an event that is not about an order.
func (s *Service) answer(tx *journal.Tx, l *link, e *channel.Event) error {
	if s.c.Other != nil {
		if taken, err := s.c.Other(tx, l.Name, e); taken || err != nil {
			return err
		}
	}
	c := call{Kind: callAnswer, Event: bare(e)}
	switch e.Kind {
	case channel.KindPairing:
		if e.Pairing != nil && e.Pairing.Store != "" && l.Store != "" && e.Pairing.Store != l.Store && e.Store != l.Store {
			c.Failure = &channel.Failure{Code: channel.CodeNotFound, Message: "this box serves another store"}
		}
	case channel.KindStore, channel.KindAskHours:
	default:
		c.Failure = &channel.Failure{Code: channel.CodeUnimplemented, Message: "not offered by this venue"}
	}
	return s.put(tx, l, 0, c)
}

// bare is an event without what only its taking needs.
func bare(e *channel.Event) *channel.Event {
	b := *e
	b.Raw, b.Order, b.Menu, b.Hours, b.Faults = nil, nil, nil, nil, nil
	return &b
}

// errSeen ends the taking of an event that is known; nothing of it stays.
var errSeen = errors.New("known")

// note writes an event down; false: it is known.
func (s *Service) note(tx *journal.Tx, l *link, e *channel.Event, order int64, what string) (bool, error) {
	n, err := tx.Exec(insertEvent, s.c.Journal.NewID().Key(), l.Name, e.ID, words.Tidy(e.Type, maxID), tx.Now().UnixMicro(), order, words.Tidy(what, maxID), raw(e))
	if err != nil {
		return false, fmt.Errorf("write an event of %s down: %w", l.Name, err)
	}
	return n == 1, nil
}

func raw(e *channel.Event) []byte {
	if e.Raw == nil {
		return []byte{}
	}
	return e.Raw
}

// apply does what an event says, once.
func (s *Service) apply(ctx context.Context, l *link, e *channel.Event, do func(*journal.Tx) (order int64, note string, err error)) error {
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		const selectEvent = `SELECT 1 FROM delivery_events WHERE aggregator = ? AND event = ?`
		var there int
		if err := tx.QueryRow(selectEvent, []any{l.Name, e.ID}, &there); !errors.Is(err, sql.ErrNoRows) {
			if err == nil {
				err = errSeen
			}
			return err
		}
		order, note, err := do(tx)
		if err != nil {
			return err
		}
		_, err = s.note(tx, l, e, order, note)
		return err
	})
	if errors.Is(err, errSeen) {
		return nil
	}
	return err
}

// nameFaults checks what an order is known by: it can never be changed to fit.
func nameFaults(e *channel.Event) []sale.Fault {
	var faults []sale.Fault
	for _, n := range []struct {
		pointer, name string
		limit         int
	}{{"/order/slug", e.Ref.Slug, maxSlug}, {"/order/id", e.Ref.ID, sale.MaxID}} {
		switch {
		case n.name == "" && (n.pointer == "/order/id" || e.Order != nil):
			faults = append(faults, sale.Fault{Pointer: n.pointer, Detail: "is missing; an order is known by its marketplace and its id there"})
		case !fits(n.name, n.limit):
			faults = append(faults, sale.Fault{Pointer: n.pointer, Detail: fmt.Sprintf("is longer than %d characters or has control characters", n.limit)})
		}
	}
	return faults
}

// errGone ends the placing of an order that was cancelled before it came.
type errGone struct{ reason string }

func (e *errGone) Error() string { return "cancelled before it came" }

// errTwice ends the placing of an order that another aggregator sent before.
type errTwice struct{ known *entry }

func (e *errTwice) Error() string { return "known from another aggregator" }

// takeOrder places a new order; one that is known changes nothing, whoever sends it again.
func (s *Service) takeOrder(ctx context.Context, l *link, e *channel.Event, received time.Time, observing bool) error {
	set := &l.settings.Load().Settings
	o := e.Order
	r := s.read(l, o, set)
	if len(r.faults) > 0 {
		if err := s.refuse(ctx, l, e, &malformed{faults: r.faults}); err != nil {
			return err
		}
		return &malformed{faults: r.faults}
	}
	o.Unsure = r.unsure
	if o.Status == "" || o.Status.Rank() == 0 {
		o.Status = channel.New
	}
	content, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("keep order %s of %s: %w", o.ID, l.Name, err)
	}
	if observing {
		return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
			_, err := tx.Exec(insertSeen, s.c.Journal.NewID().Key(), tx.Now().UnixMicro(), l.Name, o.Slug, o.ID, string(o.Status), strings.Join(r.unlinked, "\n"), content)
			return 0, "observed", err
		})
	}
	w := Wish{Hold: !set.autoAccept(o.Slug) && o.Status.Rank() < channel.Accepted.Rank()}
	switch {
	case !set.injects(o.Slug):
		w.Cause = "NO_INJECTABLE_EXTERNAL_SERVICE"
	case len(r.unlinked) > 0 && set.policy(o.Slug) == Strict:
		w.Cause, w.Names = "ITEM_MAPPING_FAILED", r.unlinked
	}
	if o.Status == channel.Cancelled || o.Status == channel.Rejected {
		w.Cancelled = reasonOther
	}
	for range 4 { // each turn learns one thing that the journal knew
		known, id, err := s.place(ctx, l, e, r.order, received, w, content)
		var gone *errGone
		var twice *errTwice
		switch {
		case errors.As(err, &gone):
			w.Cancelled = gone.reason
			continue
		case errors.As(err, &twice):
			return s.twice(ctx, l, e, twice.known)
		case errors.Is(err, errSeen):
			s.c.Orders.Count(l.Name, replayed, 0)
			return nil
		case errors.Is(err, ErrOther), err == nil && known:
			if e.Kind == channel.KindUpdate { // the order came between the look for it and its placing
				if changed, err := s.changeKnown(ctx, l, e, r); err != nil || changed {
					return err
				}
			}
			other, err := s.another(ctx, l, e, id)
			if err != nil {
				return err
			}
			if other { // two marketplaces gave the same id
				r.order.SourceOrderID = words.Tidy(o.Slug+"/"+o.ID, sale.MaxID)
				continue
			}
			s.c.Orders.Count(l.Name, replayed, 0)
			return nil
		case err != nil:
			s.c.Orders.Count(l.Name, refused, 0)
			return err
		}
		s.c.Orders.Count(l.Name, counted, s.c.Now().Sub(received))
		if w.Hold && w.Cancelled == "" {
			poke(s.wake)
		}
		return nil
	}
	return fmt.Errorf("order %s of %s changes faster than it can be taken", o.ID, l.Name)
}

// place is one attempt to place an order together with all that belongs to it.
func (s *Service) place(ctx context.Context, l *link, e *channel.Event, out *sale.Order, received time.Time, w Wish, content []byte) (bool, journal.ID, error) {
	o := e.Order
	w.With = func(tx *journal.Tx, id journal.ID, state, inPOS string) error {
		fresh, err := s.note(tx, l, e, id.Key(), "")
		if err != nil {
			return err
		}
		if !fresh {
			return errSeen
		}
		if w.Cancelled == "" {
			var reason string
			err := tx.QueryRow(selectCancel, []any{o.ID, o.Slug, tx.Now().Add(-tombstone).UnixMicro()}, &reason)
			if err == nil {
				return &errGone{reason}
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		var acceptBy time.Time
		if w.Hold && w.Cancelled == "" {
			acceptBy = s.acceptBy(l, o, received)
		}
		n, err := tx.Exec(insertOrder, id.Key(), id[:], o.Slug, o.ID, l.Name, e.Ref.Event, string(o.Status), e.At.UnixMicro(), journal.Micros(acceptBy), content)
		if err != nil {
			return fmt.Errorf("keep order %s of %s: %w", o.ID, l.Name, err)
		}
		if n == 0 {
			known, err := s.find(tx, l, o.Ref())
			if err != nil {
				return err
			}
			return &errTwice{known}
		}
		if w.Cancelled != "" {
			return nil
		}
		return s.tell(tx, l, telling{key: id.Key(), ref: e.Ref, placed: true, state: state, inPOS: inPOS, ready: out.ReadyAt, cause: w.Cause, names: w.Names, scheduled: state == stateScheduled})
	}
	return s.c.Orders.Place(ctx, l.Name, out, received, w)
}

// acceptBy is until when a person has to accept an order.
func (s *Service) acceptBy(l *link, o *channel.Order, received time.Time) time.Time {
	set := &l.settings.Load().Settings
	by := received.Add(time.Duration(set.AcceptMinutes) * time.Minute)
	if l.can.AcceptIn > 0 {
		// Half a minute is left for telling it.
		by = earlier(by, received.Add(max(l.can.AcceptIn-30*time.Second, 10*time.Second)))
	}
	if !o.AcceptBy.IsZero() {
		by = earlier(by, o.AcceptBy)
	}
	return by
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// another tells whether the order known under this aggregator's id is another one, and notes the event otherwise.
func (s *Service) another(ctx context.Context, l *link, e *channel.Event, id journal.ID) (bool, error) {
	other := false
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		known, err := s.find(tx, l, e.Order.Ref())
		if err != nil {
			return err
		}
		if other = known == nil && !id.IsZero(); other {
			if known, err = loadEntry(tx, selectByKey, id.Key()); err != nil {
				return err
			}
			if other = known != nil; other {
				return nil
			}
		}
		fresh, err := s.note(tx, l, e, keyOf(known), "known")
		if err != nil || !fresh || known == nil || known.aggregator != l.Name || !l.can.Answers || e.Ref.Event == "" {
			return err
		}
		return s.answerAgain(tx, l, known, e.Ref)
	})
	return other, err
}

const nameEvent = `UPDATE delivery_orders SET event = ? WHERE order_key = ? AND event = ''`

// answerAgain answers a further event of a known order. One that the feed brought has its first event now, which hears what
// became of the order; every other one is a repetition, and answered as success (spec/delivery.md 5.3).
func (s *Service) answerAgain(tx *journal.Tx, l *link, known *entry, ref channel.Ref) error {
	n, err := tx.Exec(nameEvent, ref.Event, known.key)
	if err != nil {
		return fmt.Errorf("keep the event of order %s of %s: %w", known.order.ID, l.Name, err)
	}
	if n == 0 {
		return s.put(tx, l, known.key, call{Kind: callCreated, Ref: ref})
	}
	_, state, inPOS, err := s.c.Orders.Stored(tx, known.id)
	switch {
	case err != nil:
		return err
	case state == stateWaiting || inPOS == "pending": // it hears when that is decided
		return nil
	case inPOS == "no":
		cause, names := s.refusalOf(l, known)
		return s.tellPOS(tx, l, telling{key: known.key, ref: ref, state: state, inPOS: inPOS, cause: cause, names: names})
	}
	return s.put(tx, l, known.key, call{Kind: callCreated, Ref: ref})
}

func keyOf(e *entry) int64 {
	if e == nil {
		return 0
	}
	return e.key
}

// twice notes that a second integrator sends the same order: it counts once, and somebody has to switch one of them off
// (spec/delivery.md 11).
func (s *Service) twice(ctx context.Context, l *link, e *channel.Event, known *entry) error {
	err := s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
		if known.aggregator != l.Name {
			if _, err := tx.Exec(updateOther, l.Name, known.key); err != nil {
				return 0, "", err
			}
		}
		_, state, _, err := s.c.Orders.Stored(tx, known.id)
		if err != nil {
			return 0, "", err
		}
		// The marketplace waits for the first accept, whoever brings it; what is over or undecided has none.
		if l.can.Accept && state != stateWaiting && state != "cancelled" && state != "rejected" {
			if err := s.put(tx, l, known.key, call{Kind: callAccept, Ref: e.Ref}); err != nil {
				return 0, "", err
			}
		}
		return known.key, "known from " + known.aggregator, s.put(tx, l, known.key, call{Kind: callCreated, Ref: e.Ref})
	})
	if err != nil {
		return err
	}
	s.c.Orders.Count(l.Name, replayed, 0)
	if known.aggregator != l.Name {
		first := s.link(known.aggregator)
		name := known.aggregator
		if first != nil {
			name = first.Title
		}
		s.raise("order_twice", warning.Warn, l.Name, l.Title, name, words.Tidy(e.Order.Partner, maxName))
	}
	return nil
}

// refuse writes down an order that cannot be taken and tells the aggregator.
func (s *Service) refuse(ctx context.Context, l *link, e *channel.Event, m *malformed) error {
	s.c.Orders.Count(l.Name, invalid, 0)
	text, number := words.Tidy(m.Error(), 300), words.Tidy(short(e.Order), 40)
	s.raise("delivery_refused", warning.Critical, l.Name+" "+number, l.Title, number, text)
	c := call{Kind: callFailed, Ref: e.Ref, Failure: &channel.Failure{Code: channel.CodeInvalid, Message: text}}
	if !l.can.Failures && l.can.Accept { // it hears no other way
		c = call{Kind: callDeny, Ref: e.Ref, Denial: &channel.Denial{Reason: reasonOther, Text: text}}
	}
	return s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) { return 0, m.Error(), s.put(tx, l, 0, c) })
}

// takeUpdate takes an order as it is now. One that nobody knew is new.
func (s *Service) takeUpdate(ctx context.Context, l *link, e *channel.Event, received time.Time, observing bool) error {
	set := &l.settings.Load().Settings
	r := s.read(l, e.Order, set)
	if len(r.faults) > 0 {
		if err := s.refuse(ctx, l, e, &malformed{faults: r.faults}); err != nil {
			return err
		}
		return &malformed{faults: r.faults}
	}
	if known, err := s.changeKnown(ctx, l, e, r); err != nil || known {
		return err
	}
	return s.takeOrder(ctx, l, e, received, observing)
}

// changeKnown brings what changed to an order, if it is known.
func (s *Service) changeKnown(ctx context.Context, l *link, e *channel.Event, r reading) (bool, error) {
	known := true
	err := s.apply(ctx, l, e, func(tx *journal.Tx) (int64, string, error) {
		was, err := s.find(tx, l, e.Order.Ref())
		if err != nil {
			return 0, "", err
		}
		if known = was != nil; !known {
			return 0, "", errSeen // nothing of it stays
		}
		return s.update(tx, l, was, e, r)
	})
	return known, err
}

// update brings what changed to an order that is known.
func (s *Service) update(tx *journal.Tx, l *link, known *entry, e *channel.Event, r reading) (int64, string, error) {
	if e.At.Before(known.updated) {
		if l.can.Answers && e.Type != typeFeed {
			err := s.put(tx, l, known.key, call{Kind: callUpdated, Ref: e.Ref})
			return known.key, "older than what is known", err
		}
		return known.key, "older than what is known", nil
	}
	was, _, _, err := s.c.Orders.Stored(tx, known.id)
	if err != nil {
		return known.key, "", err
	}
	e.Order.Unsure, e.Order.Status = r.unsure, higher(known.status, e.Order.Status)
	if known.aggregator != l.Name { // whose order it is goes on calling it by its own names
		e.Order.Aggregator, e.Order.AggregatorID = known.order.Aggregator, known.order.AggregatorID
	}
	content, err := json.Marshal(e.Order)
	if err != nil {
		return known.key, "", err
	}
	next := r.order
	next.Source, next.SourceOrderID, next.Version = was.Source, was.SourceOrderID, was.Version
	if !was.PlacedAt.IsZero() {
		next.PlacedAt = was.PlacedAt
	}
	note := "nothing new"
	if !sameOrder(next, was) {
		next.Version++
		switch err := s.c.Orders.Change(tx, l.Name, known.id, next); {
		case errors.Is(err, ErrLate):
			return known.key, "too late: " + err.Error(), s.put(tx, l, known.key, call{Kind: callFailed, Ref: e.Ref, Failure: &channel.Failure{Code: channel.CodeUnlinked, Message: words.Tidy(err.Error(), 300)}})
		case err != nil:
			return known.key, "", err
		}
		note = ""
	}
	if _, err := tx.Exec(updateOrder, e.At.UnixMicro(), content, known.key); err != nil {
		return known.key, "", err
	}
	if e.Type != typeFeed {
		err = s.put(tx, l, known.key, call{Kind: callUpdated, Ref: e.Ref})
	}
	return known.key, note, err
}

func higher(a, b channel.Status) channel.Status {
	if b.Rank() > a.Rank() {
		return b
	}
	return a
}

// cancel ends an order, or keeps the cancellation until its order comes.
func (s *Service) cancel(tx *journal.Tx, l *link, e *channel.Event, observing bool) (int64, string, error) {
	reason := words.Tidy(e.Reason, maxID)
	if reason == "" {
		reason = "REASON_UNKNOWN"
	}
	known, err := s.find(tx, l, e.Ref)
	if err != nil {
		return 0, "", err
	}
	if known == nil {
		if observing {
			_, err := tx.Exec(updateSeen, string(channel.Cancelled), e.Ref.ID, e.Ref.Slug)
			return 0, "observed", err
		}
		_, err := tx.Exec(insertCancel, e.Ref.Slug, e.Ref.ID, tx.Now().UnixMicro(), reason)
		return 0, "its order has not come", err
	}
	if _, err := tx.Exec(updateStatus, string(higher(known.status, channel.Cancelled)), known.key); err != nil {
		return known.key, "", err
	}
	if err := s.c.Orders.Cancel(tx, l.Name, reason, known.id); errors.Is(err, ErrLate) {
		return known.key, "too late: " + err.Error(), nil
	} else if err != nil {
		return known.key, "", err
	}
	return known.key, "", nil
}

// status follows what the aggregator says of an order.
func (s *Service) status(tx *journal.Tx, l *link, ref channel.Ref, to channel.Status, reason string) (int64, string, error) {
	known, err := s.find(tx, l, ref)
	if err != nil {
		return 0, "", err
	}
	if known == nil {
		_, err := tx.Exec(updateSeen, string(to), ref.ID, ref.Slug)
		return 0, "unknown order", err
	}
	if to.Rank() <= known.status.Rank() {
		return known.key, "no news", nil
	}
	if known.aggregator == l.Name { // else it is told what the other one says
		if _, err := tx.Exec(updateStatus, string(to), known.key); err != nil {
			return known.key, "", err
		}
	}
	switch to {
	case channel.Cancelled, channel.Rejected:
		if reason == "" {
			reason = "REASON_UNKNOWN"
		}
		err = s.c.Orders.Cancel(tx, l.Name, reason, known.id)
		if errors.Is(err, ErrLate) {
			return known.key, "too late: " + err.Error(), nil
		}
	case channel.Accepted, channel.Prepared, channel.HandedOff, channel.Fulfilled:
		err = s.c.Orders.Advance(tx, known.id, string(to), l.Name)
	}
	return known.key, string(to), err
}

// pause notes that the aggregator closed or opened the store, and says that it was heard.
func (s *Service) pause(tx *journal.Tx, l *link, e *channel.Event) error {
	paused := e.Kind == channel.KindPause
	at := tx.Now()
	err := s.keepState(tx, l, func(st *state) {
		st.PausedAt, st.PausedTill, st.PauseReason, st.PausedBy = time.Time{}, time.Time{}, "", ""
		if paused {
			st.PausedAt, st.PausedTill, st.PauseReason, st.PausedBy = at, e.Until, words.Tidy(e.Reason, maxName), l.Name
		}
	})
	if err != nil {
		return err
	}
	return s.put(tx, l, 0, call{Kind: callPaused, Ref: channel.Ref{Event: e.ID}, Paused: paused})
}

// States of orders, as the contract has them.
const (
	stateWaiting   = "waiting_accept"
	stateScheduled = "scheduled"
)

// sameOrder tells whether two readings of an order would be cooked and charged alike.
func sameOrder(a, b *sale.Order) bool {
	x, y := *a, *b
	x.Version, y.Version, x.PlacedAt, y.PlacedAt = 1, 1, time.Time{}, time.Time{}
	x.Source, y.Source, x.SourceOrderID, y.SourceOrderID = "", "", "", ""
	x.Payments, y.Payments = slices.Clip(x.Payments), slices.Clip(y.Payments)
	return string(x.Encode()) == string(y.Encode())
}
