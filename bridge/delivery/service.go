package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/refusal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
)

// Errors that callers decide on.
var (
	ErrNone  = errors.New("there is no such aggregator here; see /v1/integrations")
	ErrOther = errors.New("known with other content") // an order that was changed without an event that says so
	ErrLate  = errors.New("the order is past that")
)

// Defaults for a Config left at zero.
const (
	DefaultTimeout = 15 * time.Second    // of one call
	DefaultFeed    = 5 * time.Minute     // between two looks at the feed (spec/delivery.md 2.6)
	DefaultBack    = 6 * time.Hour       // what the first look goes back
	DefaultLife    = 24 * time.Hour      // a call that nobody took is over then
	DefaultKeep    = 30 * 24 * time.Hour // what aggregators said word for word is forgotten then
	DefaultLook    = 10 * time.Second    // between two looks at the clock: it may be set
)

// tombstone is how long a cancellation waits for the order it speaks of (spec/delivery.md 8).
const tombstone = 24 * time.Hour

// Orders is where orders are kept. Those with a *journal.Tx work within the caller's transaction.
type Orders interface {
	// Place takes an order; known: it was here before. The error may be ErrOther.
	Place(ctx context.Context, aggregator string, o *sale.Order, received time.Time, w Wish) (known bool, id journal.ID, err error)
	// Change takes the order as it is now, under a version of its own; ErrLate when it is over.
	Change(tx *journal.Tx, aggregator string, id journal.ID, o *sale.Order) error
	// Cancel ends an order; ErrLate when it is over.
	Cancel(tx *journal.Tx, aggregator, reason string, id journal.ID) error
	// Expire rejects an order that nobody accepted; a decided one stays.
	Expire(tx *journal.Tx, id journal.ID, reason string) error
	// Advance follows the aggregator: accepted, prepared, handed_off, fulfilled. It never goes back.
	Advance(tx *journal.Tx, id journal.ID, state, aggregator string) error
	// Release gives a scheduled order to the kitchen now.
	Release(tx *journal.Tx, id journal.ID, aggregator string) error
	// Stored reads an order as it stands.
	Stored(tx *journal.Tx, id journal.ID) (o *sale.Order, state, inPOS string, err error)
	// Count adds a message to the metrics of orders; took 0: its time does not count.
	Count(aggregator, outcome string, took time.Duration)
}

// Outcomes for Orders.Count.
const (
	counted  = "accepted"
	replayed = "replayed"
	invalid  = "invalid"
	unsigned = "unsigned"
	refused  = "refused"
)

// A Wish is what goes with an order that is placed.
type Wish struct {
	Hold      bool // a person has to accept it
	Cancelled string
	Cause     string   // why the POS must not get it, "" for none
	Names     []string // what it does not know
	With      func(tx *journal.Tx, id journal.ID, state, inPOS string) error
}

// A Resolution says what the POS calls the parts of an order.
type Resolution struct {
	// POS and Category have an entry for each line and modifier in the order of reading: a line, its modifiers with theirs, the
	// next line. POS is "" for what is not linked; Category is the kitchen's, "" to keep the aggregator's.
	POS, Category []string
	Unlinked      []string // names of what is not linked
}

// Resolver knows the links between the aggregator's menu and the POS. It works in memory.
type Resolver interface {
	Resolve(aggregator string, o *channel.Order) Resolution
}

// Link is one aggregator with its store.
type Link struct {
	Name     string // otter …
	Title    string // as people call it
	Store    string // the aggregator's id of it
	Client   channel.Aggregator
	Settings Settings // until somebody changes them in the console
	Webhook  bool     // the aggregator can reach us
}

// Config of a Service; Journal and Orders are required.
type Config struct {
	Journal  *journal.Journal
	Orders   Orders
	Links    []Link
	Resolver Resolver // nil: what the aggregator calls SKU is the POS's
	Courses  int
	Currency string
	Language string
	Zone     string                    // of the venue, as IANA has it
	DayStart func(time.Time) time.Time // the begin of the business day of a moment; nil: 24 hours before it

	// Other hears, within its transaction, of an event about menus, availability or the store; false: it is nobody's business
	// here, and the aggregator is told so. nil: none is.
	Other func(tx *journal.Tx, aggregator string, e *channel.Event) (bool, error)
	// Menus are those that an aggregator shows, as far as they are known; nil: nobody knows.
	Menus func(aggregator string) []channel.MenuPart
	// Meter counts what aggregators are told; nil: nobody does.
	Meter Meter

	Timeout, Feed, Back, Life, Keep, Look time.Duration
	Backoff                               []time.Duration // pauses between attempts, the last one again and again; nil: 1, 2, 4 … 60 s

	Warnings *warning.Board
	Now      func() time.Time
	Log      *slog.Logger
}

// Meter counts what goes out.
type Meter interface {
	Count(platform, outcome string)
	Took(platform string, d time.Duration)
}

// Service joins orders and aggregators. Its methods may be called from any goroutine.
type Service struct {
	c     Config
	words *words.Catalogue
	links []*link
	wake  chan struct{} // of size 1: an order waits to be accepted
}

// link is an aggregator in memory.
type link struct {
	Link
	can      channel.Capabilities
	settings atomic.Pointer[kept]
	out      *outbox
	look     chan struct{} // of size 1: read the feed now
	unproved refusal.Unproved

	mu    sync.Mutex // guards what follows
	state state
	fed   time.Time // the feed was read last
	fault string    // of the feed
}

// kept is settings with the revision they are of; 0 is the configuration's.
type kept struct {
	Settings
	revision int64
}

// New reads from the journal how the links stand.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Journal == nil || c.Orders == nil {
		return nil, errors.New("delivery needs a journal and orders")
	}
	for _, d := range []struct {
		v     *time.Duration
		value time.Duration
	}{{&c.Timeout, DefaultTimeout}, {&c.Feed, DefaultFeed}, {&c.Back, DefaultBack}, {&c.Life, DefaultLife}, {&c.Keep, DefaultKeep}, {&c.Look, DefaultLook}} {
		if *d.v <= 0 {
			*d.v = d.value
		}
	}
	if len(c.Backoff) == 0 {
		c.Backoff = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Warnings == nil {
		c.Warnings = warning.New(c.Now, c.Log)
	}
	if c.DayStart == nil {
		c.DayStart = func(at time.Time) time.Time { return at.Add(-24 * time.Hour) }
	}
	s := &Service{c: c, words: words.In(c.Language), wake: make(chan struct{}, 1)}
	for i := range c.Links {
		l := &link{Link: c.Links[i], can: c.Links[i].Client.Capabilities(), look: make(chan struct{}, 1)}
		l.out = newOutbox(s, l)
		if err := s.restore(ctx, l); err != nil {
			return nil, fmt.Errorf("how the link to %s stands: %w", l.Name, err)
		}
		s.links = append(s.links, l)
	}
	return s, nil
}

func (s *Service) link(name string) *link {
	for _, l := range s.links {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// Serves tells whether name is an aggregator here.
func (s *Service) Serves(name string) bool { return s.link(name) != nil }

// Run works until ctx ends: it tells the aggregators, reads their feeds, and rejects what nobody accepted in time.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	faults := make(chan error, 2*len(s.links)+1) // one of each
	start := func(what string, run func(context.Context) error) {
		all.Go(func() {
			if err := run(ctx); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) { // else it was asked to end
				faults <- fmt.Errorf("%s: %w", what, err)
				stop()
			}
		})
	}
	for _, l := range s.links {
		start("tell "+l.Name, l.out.run)
		if l.can.Feed {
			start("read "+l.Name, func(ctx context.Context) error { return s.follow(ctx, l) })
		}
	}
	start("orders nobody accepted", s.expire)
	all.Wait()
	close(faults)
	var err error
	for f := range faults {
		err = errors.Join(err, f)
	}
	return err
}

// raise shows a warning whose words are in the catalogue under its code.
func (s *Service) raise(code, severity, subject string, args ...any) {
	s.c.Warnings.Raise(warning.Worded(s.words, code, severity, subject, args...))
}

const (
	selectLate     = `SELECT order_key, order_id, accept_by FROM delivery_orders WHERE accept_by > 0 ORDER BY accept_by LIMIT 50`
	clearAccept    = `UPDATE delivery_orders SET accept_by = 0 WHERE order_key = ? AND accept_by > 0`
	forgetRaw      = `DELETE FROM delivery_events WHERE key IN (SELECT key FROM delivery_events WHERE key < ? ORDER BY key LIMIT 500)`
	forgetCancels  = `DELETE FROM delivery_cancels WHERE at < ?`
	forgetCalls    = `DELETE FROM delivery_calls WHERE key IN (SELECT key FROM delivery_calls WHERE key < ? AND state <> 'waiting' ORDER BY key LIMIT 500)`
	forgetObserved = `DELETE FROM delivery_observed WHERE key IN (SELECT key FROM delivery_observed WHERE key < ? ORDER BY key LIMIT 500)`
)

// Reasons of a rejection or cancellation that are ours.
const (
	nobodyAccepted = "UNACCEPTED_ORDER"
	reasonOther    = "REASON_OTHER"
)

// expire rejects orders that nobody accepted in time, ends those of days that are over, and forgets what was said long ago.
func (s *Service) expire(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var forgotten time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		next, err := s.ExpireDue(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.c.Now()
		if now.Sub(forgotten).Abs() > time.Hour {
			forgotten = now
			if err := s.forget(ctx, now); err != nil {
				return err
			}
			if err := s.EndDay(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		pause := s.c.Look
		if !next.IsZero() {
			pause = min(pause, time.Second, max(next.Sub(now), time.Millisecond))
		}
		timer.Reset(pause)
	}
}

// ExpireDue rejects every order that waited too long to be accepted, and tells when the next one does; zero: none waits.
func (s *Service) ExpireDue(ctx context.Context) (next time.Time, err error) {
	type held struct {
		key int64
		id  journal.ID
	}
	for {
		now := s.c.Now()
		var due []held
		next = time.Time{}
		err := s.c.Journal.Each(ctx, selectLate, nil, func(scan func(...any) error) error {
			var h held
			var id []byte
			var by int64
			if err := scan(&h.key, &id, &by); err != nil {
				return err
			}
			switch at := journal.FromMicros(by); {
			case !at.After(now):
				copy(h.id[:], id)
				due = append(due, h)
			case next.IsZero(): // they come by time
				next = at
			}
			return nil
		})
		if err != nil {
			return next, fmt.Errorf("read what waits to be accepted: %w", err)
		}
		if len(due) == 0 {
			return next, nil
		}
		err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
			for _, h := range due {
				if err := s.c.Orders.Expire(tx, h.id, nobodyAccepted); err != nil {
					return err
				}
				if _, err := tx.Exec(clearAccept, h.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return next, fmt.Errorf("reject what nobody accepted: %w", err)
		}
	}
}

// forget drops what was kept for support long enough, a little at a time.
func (s *Service) forget(ctx context.Context, now time.Time) error {
	before := journal.KeyAt(now.Add(-s.c.Keep)) // keys rise with time, so nothing younger is looked at
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		for _, x := range []struct {
			query string
			at    int64
		}{{forgetRaw, before}, {forgetCalls, before}, {forgetObserved, before}, {forgetCancels, journal.Micros(now.Add(-tombstone))}} {
			if _, err := tx.Exec(x.query, x.at); err != nil {
				return fmt.Errorf("forget what aggregators said: %w", err)
			}
		}
		return nil
	})
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
