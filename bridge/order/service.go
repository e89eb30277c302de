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
	Now           func() time.Time // nil means time.Now
	Log           *slog.Logger     // nil means slog.Default
	Registerer    prometheus.Registerer
}

// Service takes orders and keeps their state. Its methods may be called from any goroutine.
type Service struct {
	c       Config
	numbers numbers
	metrics *metrics
	due     chan struct{} // of size 1: a scheduled order came, look at the clock again
}

// New reads from the journal where the numbers stand.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.ReleaseBefore == 0 {
		c.ReleaseBefore = DefaultReleaseBefore
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Service{c: c, due: make(chan struct{}, 1)}
	var err error
	if s.metrics, err = newMetrics(c.Registerer); err != nil {
		return nil, err
	}
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

// Place takes a completed, valid order. key is the caller's Idempotency-Key, "" for none. known tells
// that the order was here before; the receipt then shows how it stands today. The error is ErrOther when the same
// order or key was used for other content, journal.ErrBusy when too much is under way.
func (s *Service) Place(ctx context.Context, by access.Principal, key string, o *sale.Order, received time.Time) (receipt Receipt, known bool, err error) {
	received = received.UTC().Truncate(time.Microsecond)
	content := o.Encode()
	digest := sale.Hash(content)

	state, inPOS := Accepted, Yes
	release, day := s.release(o), s.c.Calendar.Day(received)
	if release.After(received) {
		// Its number is of the day it is cooked, where no other order has it.
		state, inPOS, day = Scheduled, NotYet, s.c.Calendar.Day(o.ReadyAt)
	} else {
		release = time.Time{}
	}
	placed := sale.Placed{ID: s.c.Journal.NewID(), Number: s.numbers.next(day), Day: day, Received: received, Order: o}
	var plan Plan
	if state == Accepted {
		plan = s.c.Kitchen.Plan(placed)
	}
	log := trail.Append(make([]byte, 0, 96), received, "received", by.Name, "")
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
		tx.Change("order", placed.ID.String(), news)
		return nil
	})
	if err != nil {
		return Receipt{}, false, err
	}
	if known {
		v, err := s.Get(ctx, at)
		return v.Receipt, true, err
	}
	if plan == nil {
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
	return o.ReadyAt.Add(-s.c.ReleaseBefore).Truncate(time.Microsecond)
}

func (s *Service) notice(p sale.Placed, state, inPOS string) []byte {
	b, err := json.Marshal(notice{
		ID: p.ID, Number: p.Number, BusinessDay: p.Day, Version: p.Version, State: state, InPOS: inPOS,
		Source: p.Source, Service: p.Service, Table: p.Table, Partner: p.Partner, Total: p.Total(),
	})
	if err != nil {
		// Strings of an order were decoded as valid UTF-8, and nothing else in a notice can fail to encode.
		panic(err)
	}
	return b
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
		log := trail.Append(nil, now, "changed", by.Name, fmt.Sprintf("version %d", o.Version))
		switch {
		case was.state == WaitingAccept: // the kitchen does not know it yet
		case was.state == Scheduled && s.release(o).After(now):
			release = s.release(o)
		case was.state == Scheduled:
			state, inPOS = Accepted, Yes
			plan = s.c.Kitchen.Plan(next)
			log = trail.Append(log, now, "released", "", "")
		default:
			if state == Prepared {
				state = Accepted // the kitchen says so when nothing is left to cook
			}
			plan = s.c.Kitchen.Change(next, was.Order)
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
			return plan.Write(tx)
		}
		return nil
	})
	if err != nil {
		return View{}, err
	}
	s.lookAgain()
	return s.Get(ctx, id)
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
	return nil
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
		}
		if err := access.Record(tx, by, "order_cancelled", id.String(), reason); err != nil {
			return err
		}
		return s.move(tx, o, Cancelled, o.inPOS, "cancelled", by.Name, reason)
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
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
