package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// DefaultReleaseBefore is how long before its time a scheduled order goes to the kitchen (spec/delivery.md 4).
const DefaultReleaseBefore = 30 * time.Minute

// Errors of the service that callers decide on.
var (
	ErrUnknown  = errors.New("there is no such order")
	ErrOther    = errors.New("known, with other content")         // same id or key, another order
	ErrOld      = errors.New("version is not higher")             // of a change
	ErrRenamed  = errors.New("source or source_order_id differs") // of a change
	ErrTooLate  = errors.New("the order is past that")            // its state allows it no more
	errCorrupt  = errors.New("the journal holds an order that cannot be read")
	errNoDetail = errors.New("no order row was changed")
)

// Config of a Service; Journal, Kitchen and Calendar.Location are required.
type Config struct {
	Journal       *journal.Journal
	Kitchen       Kitchen
	Calendar      Calendar
	Currency      string           // the one the restaurant sells in; "" takes any
	Courses       int              // how many courses it has
	ReleaseBefore time.Duration    // 0 means DefaultReleaseBefore
	ShowBefore    time.Duration    // 0 means DefaultShowBefore
	Now           func() time.Time // nil means time.Now
	Log           *slog.Logger     // nil means slog.Default
	Registerer    prometheus.Registerer

	// Lead gives ReleaseBefore and ShowBefore of an order where they are others; nil: never.
	Lead func(*sale.Order) (release, show time.Duration, ok bool)
	// POS is who orders are handed to; nil: the built-in POS, which has every order that is released.
	POS POS
	// Refuse tells why an order that is released must not go to the POS; nil: none must not.
	Refuse func(*journal.Tx, sale.Placed) (*Refusal, error)
	// Checks keeps what is ordered at tables on their checks; nil: nobody does. It is told within the transaction in which the
	// kitchen gets an order that is or was for a table, its change or its end.
	Checks func(*journal.Tx, Seated) (remark string, err error)
	// Follow hears of each step of an order after it was placed, within its transaction; nil: nobody does.
	Follow func(*journal.Tx, Step) error
	// Alarm hears of an order that is missing in the POS, and with cause "" that it is missing no more; nil: nobody does.
	Alarm func(o sale.Placed, cause string)
	// Deliveries gives what aggregators say of orders, by their keys; whole adds what they were told. nil: there are none.
	Deliveries func(ctx context.Context, orders []journal.ID, whole bool) (map[int64]*Delivery, error)

	Set    func() bool          // the wall clock is right; nil: it always is
	Passed func() time.Duration // time since some moment; nil: since New
}

// Service takes orders and keeps their state. Its methods may be called from any goroutine.
type Service struct {
	c       Config
	numbers numbers
	metrics *metrics
	due     chan struct{} // of size 1: a scheduled order came, look at the clock again
	time    clock
}

// New reads from the journal where the numbers stand.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.ReleaseBefore == 0 {
		c.ReleaseBefore = DefaultReleaseBefore
	}
	if c.ShowBefore == 0 {
		c.ShowBefore = DefaultShowBefore
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Passed == nil {
		began := time.Now()
		c.Passed = func() time.Duration { return time.Since(began) }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Service{c: c, due: make(chan struct{}, 1), time: clock{now: c.Now, passed: c.Passed, set: c.Set}}
	var err error
	if s.metrics, err = newMetrics(c.Registerer); err != nil {
		return nil, err
	}
	s.time.Now()
	if err := s.numbers.load(ctx, c.Journal.Read()); err != nil {
		return nil, fmt.Errorf("read the last order number: %w", err)
	}
	return s, nil
}

const (
	insertOrder = `INSERT INTO orders (key, id, source, source_order_id, number, business_day, version, state, in_pos, received_at, committed_at, release_at, posted, content, log)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?) ON CONFLICT (source, source_order_id) DO NOTHING`
	selectSource = `SELECT id, posted, content FROM orders WHERE source = ? AND source_order_id = ?`
	updateDisk   = `UPDATE orders SET committed_at = ? WHERE key = ?`
)

// A Wish is what somebody who brings an order wants besides.
type Wish struct {
	Hold      bool     // a person has to accept it first
	Cancelled string   // it was cancelled before it came: why
	Refusal   *Refusal // the POS must not get it
	// With is called within the order's transaction when the order is new; its error undoes all of it.
	With func(tx *journal.Tx, o sale.Placed, state, inPOS string) error
}

// Place takes a completed, valid order. key is the caller's Idempotency-Key, "" for none. known tells
// that the order was here before; the receipt then shows how it stands today. The error is ErrOther when the same
// order or key was used for other content, journal.ErrBusy when too much is under way.
func (s *Service) Place(ctx context.Context, by access.Principal, key string, o *sale.Order, received time.Time) (receipt Receipt, known bool, err error) {
	return s.PlaceAs(ctx, by, key, o, received, Wish{})
}

// PlaceAs is Place with wishes.
func (s *Service) PlaceAs(ctx context.Context, by access.Principal, key string, o *sale.Order, received time.Time, wish Wish) (receipt Receipt, known bool, err error) {
	received = received.UTC().Truncate(time.Microsecond)
	content := o.Encode()
	digest := sale.Hash(content)

	state, inPOS := Accepted, Yes
	release, day := s.release(o), s.c.Calendar.Day(received)
	switch {
	case wish.Cancelled != "":
		state, inPOS, release = Cancelled, NotYet, time.Time{}
	case !release.IsZero() && release.After(s.clock()): // only what is for later asks the clock
		// Its number is of the day it is cooked, where no other order has it.
		state, inPOS, day = Scheduled, NotYet, s.c.Calendar.Day(o.ReadyAt)
	default:
		release = time.Time{}
	}
	if wish.Hold && wish.Cancelled == "" {
		state, inPOS, release = WaitingAccept, NotYet, time.Time{}
	}
	placed := sale.Placed{ID: s.c.Journal.NewID(), Number: s.numbers.next(day), Day: day, Received: received, Order: o}
	var plan Plan
	if state == Accepted {
		plan = s.c.Kitchen.Plan(placed)
		switch {
		case wish.Refusal != nil:
			inPOS = No
		case s.c.POS != nil:
			inPOS = Pending
		}
	}
	log := trail.Append(make([]byte, 0, 96), received, "received", by.Name, "")
	if wish.Cancelled != "" {
		log = trail.Append(log, received, "cancelled", by.Name, wish.Cancelled)
	}
	news := s.notice(placed, state, inPOS)
	at := placed.ID
	var committed time.Time
	err = s.c.Journal.Overtake(ctx, func(tx *journal.Tx) error {
		rows, err := tx.Exec(insertOrder, placed.ID.Key(), placed.ID[:], o.Source, o.SourceOrderID, placed.Number, day, o.Version, state, inPOS,
			received.UnixMicro(), journal.Micros(release), digest[:], content, log)
		if err != nil {
			return fmt.Errorf("store order: %w", err)
		}
		if rows == 0 {
			known = true
			if at, err = same(tx, o, digest, content); err != nil {
				return err
			}
		}
		if key != "" {
			prior, used, err := tx.Idempotent(by.Subject(), key, digest, at.String())
			if errors.Is(err, journal.ErrKeyReused) {
				return fmt.Errorf("idempotency key %w", ErrOther)
			}
			if err != nil {
				return err
			}
			if used && prior != at.String() {
				return fmt.Errorf("idempotency key %w", ErrOther)
			}
		}
		if known {
			return nil
		}
		// Before the plan's own hooks hand tickets over: what a printer has is on disk, and its time line says so.
		tx.After(func(err error) {
			if err == nil {
				committed = s.c.Now().UTC().Truncate(time.Microsecond)
				s.c.Journal.Later(func(tx *journal.Tx) error {
					_, err := tx.Exec(updateDisk, committed.UnixMicro(), placed.ID.Key())
					return err
				})
			}
		})
		if plan != nil {
			if err := plan.Write(tx); err != nil {
				return err
			}
		}
		if inPOS == No || inPOS == Pending {
			if inPOS, err = s.hand(tx, placed, wish.Refusal); err != nil {
				return err
			}
		}
		tx.Change("order", placed.ID.String(), news)
		if state == Accepted {
			if err := s.seat(tx, Seated{Placed: placed, Fresh: true, By: by.Name}, nil); err != nil {
				return err
			}
		}
		if wish.With != nil {
			return wish.With(tx, placed, state, inPOS)
		}
		return nil
	})
	if errors.Is(err, ErrOther) {
		return Receipt{ID: at}, true, err
	}
	if err != nil {
		return Receipt{}, false, err
	}
	if known {
		v, err := s.Get(ctx, at)
		return v.Receipt, true, err
	}
	if state == Scheduled {
		s.lookAgain()
	}
	receipt = Receipt{ID: placed.ID, Number: placed.Number, State: state, InPOS: inPOS, Tickets: []Ticket{}, ReceivedAt: received, CommittedAt: committed}
	if plan != nil {
		receipt.Tickets = plan.Tickets()
	}
	return receipt, false, nil
}

// same finds the order stored under o's source and id, and says whether o is that order: as it was first sent, or as
// it stands since its last change.
func same(tx *journal.Tx, o *sale.Order, digest [32]byte, content []byte) (journal.ID, error) {
	var id journal.ID
	var rawID, posted, stored []byte
	if err := tx.QueryRow(selectSource, []any{o.Source, o.SourceOrderID}, &rawID, &posted, &stored); err != nil {
		return id, fmt.Errorf("look up order %s %s: %w", o.Source, o.SourceOrderID, err)
	}
	copy(id[:], rawID)
	if string(posted) != string(digest[:]) && string(stored) != string(content) {
		return id, fmt.Errorf("order %s of %s is %w", o.SourceOrderID, o.Source, ErrOther)
	}
	return id, nil
}

// release is when a scheduled order goes to the kitchen; zero: at once.
func (s *Service) release(o *sale.Order) time.Time {
	if o.Scheduling != sale.FixedTime {
		return time.Time{}
	}
	before, _ := s.lead(o)
	return o.ReadyAt.Add(-before).Truncate(time.Microsecond)
}

// lead is how long before its time a scheduled order is released and shown.
func (s *Service) lead(o *sale.Order) (release, show time.Duration) {
	if s.c.Lead != nil {
		if release, show, ok := s.c.Lead(o); ok {
			return release, show
		}
	}
	return s.c.ReleaseBefore, s.c.ShowBefore
}

// show is when a scheduled order is shown: never later than it is released.
func (s *Service) show(o *sale.Order, release time.Time) time.Time {
	_, before := s.lead(o)
	at := o.ReadyAt.Add(-before).Truncate(time.Microsecond)
	if at.After(release) {
		return release
	}
	return at
}

// clock is the time that releases go by.
func (s *Service) clock() time.Time { return s.time.Now() }

func (s *Service) notice(p sale.Placed, state, inPOS string) []byte {
	n := notice{
		ID: p.ID, Number: p.Number, BusinessDay: p.Day, Version: p.Version, State: state, InPOS: inPOS,
		Source: p.Source, Service: p.Service, Table: p.Table, Partner: p.Partner, Total: p.Total(),
	}
	return n.appendTo(make([]byte, 0, 320))
}

const (
	selectForChange = `SELECT source, source_order_id, number, business_day, version, state, in_pos, received_at, release_at, content FROM orders WHERE key = ? AND id = ?`
	updateContent   = `UPDATE orders SET version = ?, content = ?, state = ?, in_pos = ?, release_at = ?, log = log || ? WHERE key = ? AND version = ?`
)

// stored is an order's row as it is read for a change of state.
type stored struct {
	sale.Placed
	state, inPOS string
	release      time.Time // when a scheduled order goes to the kitchen
}

func load(tx *journal.Tx, id journal.ID) (stored, error) {
	var (
		s        stored
		received int64
		release  int64
		version  int
		source   string
		sourceID string
		content  []byte
	)
	err := tx.QueryRow(selectForChange, []any{id.Key(), id[:]}, &source, &sourceID, &s.Number, &s.Day, &version, &s.state, &s.inPOS, &received, &release, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrUnknown
	}
	if err != nil {
		return s, fmt.Errorf("read order %s: %w", id, err)
	}
	s.ID, s.Received, s.release, s.Order = id, time.UnixMicro(received).UTC(), journal.FromMicros(release), new(sale.Order)
	if err := json.Unmarshal(content, s.Order); err != nil {
		return s, fmt.Errorf("%w: order %s: %v", errCorrupt, id, err)
	}
	return s, nil
}

// Change takes a later version of an order. The error is ErrUnknown, ErrRenamed, ErrOld, ErrTooLate, ErrOther (the
// Idempotency-Key was used for another change) or the journal's.
func (s *Service) Change(ctx context.Context, by access.Principal, key string, id journal.ID, o *sale.Order) (View, error) {
	content := o.Encode()
	digest := sale.Hash(append([]byte("change "+id.String()+" "), content...))
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if key != "" {
			_, used, err := tx.Idempotent(by.Subject(), key, digest, id.String())
			if errors.Is(err, journal.ErrKeyReused) {
				return fmt.Errorf("idempotency key %w", ErrOther)
			}
			if err != nil || used {
				return err
			}
		}
		return s.ChangeIn(tx, by.Name, id, o)
	})
	if err != nil {
		return View{}, err
	}
	s.lookAgain()
	return s.Get(ctx, id)
}

// ChangeIn is Change within the caller's transaction.
func (s *Service) ChangeIn(tx *journal.Tx, by string, id journal.ID, o *sale.Order) error {
	content := o.Encode()
	was, err := load(tx, id)
	switch {
	case err != nil:
		return err
	case o.Source != was.Source || o.SourceOrderID != was.SourceOrderID:
		return ErrRenamed
	case final(was.state) || was.state == HandedOff:
		return fmt.Errorf("%w: it is %s", ErrTooLate, was.state)
	case o.Version <= was.Version:
		return fmt.Errorf("%w: %d is stored", ErrOld, was.Version)
	}
	now := tx.Now()
	next := was.Placed
	next.Order, next.Received = o, now
	state, inPOS, release := was.state, was.inPOS, time.Time{}
	var plan Plan
	log := trail.Append(nil, now, "changed", by, fmt.Sprintf("version %d", o.Version))
	switch {
	case was.state == WaitingAccept: // the kitchen does not know it yet
	case was.state == Scheduled && s.release(o).After(s.clock()):
		release = s.release(o)
	case was.state == Scheduled:
		state = Accepted
		plan = s.c.Kitchen.Plan(next)
		log = trail.Append(log, now, "released", "", "")
	default:
		if state == Prepared {
			state = Accepted // the kitchen says so when nothing is left to cook
		}
		plan = s.c.Kitchen.Change(next, was.Order)
	}
	if plan != nil {
		if inPOS, err = s.handChanged(tx, was, next); err != nil {
			return err
		}
	}
	rows, err := tx.Exec(updateContent, o.Version, content, state, inPOS, journal.Micros(release), log, id.Key(), was.Version)
	if err != nil {
		return fmt.Errorf("store order %s: %w", id, err)
	}
	if rows != 1 {
		return errNoDetail
	}
	tx.Change("order", id.String(), s.notice(next, state, inPOS)) // before what the plan makes of it
	if plan != nil {
		if err := plan.Write(tx); err != nil {
			return err
		}
		if err := s.seat(tx, Seated{Placed: next, Fresh: was.state == Scheduled, By: by}, was.Order); err != nil {
			return err
		}
	}
	was.Placed = next
	return s.follow(tx, was, state, inPOS, "changed", by, "")
}

const updateState = `UPDATE orders SET state = ?, in_pos = ?, release_at = 0, log = log || ? WHERE key = ? AND state = ?`

// move changes an order's state within tx and tells the feed; event is the word on its time line.
func (s *Service) move(tx *journal.Tx, o stored, state, inPOS, event, by, detail string) error {
	rows, err := tx.Exec(updateState, state, inPOS, trail.Append(nil, tx.Now(), event, by, detail), o.ID.Key(), o.state)
	if err != nil {
		return fmt.Errorf("move order %s from %s to %s: %w", o.ID, o.state, state, err)
	}
	if rows != 1 {
		return fmt.Errorf("move order %s from %s to %s: %w", o.ID, o.state, state, errNoDetail)
	}
	tx.Change("order", o.ID.String(), s.notice(o.Placed, state, inPOS))
	return s.follow(tx, o, state, inPOS, event, by, detail)
}

// repeated notes the caller's Idempotency-Key, "" for none, and tells whether it was used for this very act before.
func repeated(tx *journal.Tx, by access.Principal, key, act string, id journal.ID) (bool, error) {
	if key == "" {
		return false, nil
	}
	_, again, err := tx.Idempotent(by.Subject(), key, sale.Hash([]byte(act+" "+id.String())), id.String())
	if errors.Is(err, journal.ErrKeyReused) {
		return false, fmt.Errorf("idempotency key %w", ErrOther)
	}
	return again, err
}

// Cancel ends an order that is wanted no more and tells its stations. Cancelling a cancelled order is the same again.
// The error is ErrUnknown, ErrTooLate, ErrOther (key was used for something else) or the journal's.
func (s *Service) Cancel(ctx context.Context, by access.Principal, key, reason string, id journal.ID) (View, error) {
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if again, err := repeated(tx, by, key, "cancel", id); err != nil || again {
			return err
		}
		return s.CancelIn(tx, by, reason, id)
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// CancelIn is Cancel within the caller's transaction.
func (s *Service) CancelIn(tx *journal.Tx, by access.Principal, reason string, id journal.ID) error {
	o, err := load(tx, id)
	switch {
	case err != nil:
		return err
	case o.state == Cancelled:
		return nil
	case final(o.state) || o.state == HandedOff:
		return fmt.Errorf("%w: it is %s", ErrTooLate, o.state)
	}
	if o.state != Scheduled && o.state != WaitingAccept {
		p := o.Placed
		p.Received = tx.Now()
		if err := s.c.Kitchen.Cancel(p, by.Name).Write(tx); err != nil {
			return err
		}
		if err := s.seat(tx, Seated{Placed: o.Placed, Gone: true, By: by.Name}, nil); err != nil {
			return err
		}
	}
	if err := access.Record(tx, by, "order_cancelled", id.String(), reason); err != nil {
		return err
	}
	inPOS, err := s.leave(tx, o)
	if err != nil {
		return err
	}
	return s.move(tx, o, Cancelled, inPOS, "cancelled", by.Name, reason)
}

// Ready follows the kitchen, within its transaction: every station of the order is ready, or one is at work again.
func (s *Service) Ready(tx *journal.Tx, id journal.ID, ready bool, by string) error {
	o, err := load(tx, id)
	switch {
	case err != nil:
		return err
	case ready && o.state == Accepted:
		return s.move(tx, o, Prepared, o.inPOS, "prepared", by, "")
	case !ready && o.state == Prepared:
		return s.move(tx, o, Accepted, o.inPOS, "reopened", by, "")
	}
	return nil
}
