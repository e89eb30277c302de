package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/booking"
)

// States of an update.
const (
	Waiting    = "waiting"
	Sent       = "sent"
	Superseded = "superseded"
	Skipped    = "skipped"
	Failed     = "failed"
	Expired    = "expired"
	Cancelled  = "cancelled"
)

// Defaults for a Config left at zero (spec/reservations.md 6.2).
const (
	DefaultParallel = 6                // calls at once to one platform: its client shares eight connections
	DefaultTimeout  = 15 * time.Second // of one call
	DefaultProbe    = 4 * time.Second  // a platform that does not answer is tried this often
	DefaultPause    = 2 * time.Second  // between two totals of one party
	DefaultLife     = 24 * time.Hour   // an update that nobody took is over then, or at the end of the business day if that is later
)

// blocked is next_at of an update that waits for an older one of its party.
const blocked = math.MaxInt64

// Platform is who is told.
type Platform interface {
	Capabilities() booking.Capabilities
	Deliver(ctx context.Context, u booking.Update) error
}

// Config of a Service; Journal is required.
type Config struct {
	Journal  *journal.Journal
	Platform map[string]Platform       // by name
	DayEnd   func(time.Time) time.Time // the end of the business day of a moment; nil: updates live for Life alone
	Language string                    // of warnings

	Parallel int
	Timeout  time.Duration
	Probe    time.Duration
	Pause    time.Duration
	Life     time.Duration
	Backoff  []time.Duration // pauses between attempts, the last one again and again; nil: 1, 2, 4, 8, 16, 32, 60 s

	// Settled hears within its transaction that an update came to its end. nil: nobody does.
	Settled func(tx *journal.Tx, party int64, u booking.Update, state, answer string) error
	// Heard tells that a platform answered a call, or did not (err); called outside transactions. nil: nobody hears.
	Heard func(platform string, err error)

	Warnings   *warning.Board
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Meter      *Meter // shared with others who tell clouds; nil: one of its own, with Registerer
}

// Service keeps the outboxes of all platforms. Its methods may be called from any goroutine.
type Service struct {
	c       Config
	words   *words.Catalogue
	metrics *Meter
	links   map[string]*link
}

// New makes the service. Every link is held until Release.
func New(c Config) (*Service, error) {
	if c.Journal == nil {
		return nil, errors.New("relay needs a journal")
	}
	if c.Parallel <= 0 {
		c.Parallel = DefaultParallel
	}
	for _, d := range []struct {
		v     *time.Duration
		value time.Duration
	}{{&c.Timeout, DefaultTimeout}, {&c.Probe, DefaultProbe}, {&c.Pause, DefaultPause}, {&c.Life, DefaultLife}} {
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
	s := &Service{c: c, words: words.In(c.Language), links: map[string]*link{}}
	if s.metrics = c.Meter; s.metrics == nil {
		var err error
		if s.metrics, err = NewMeter(c.Registerer); err != nil {
			return nil, err
		}
	}
	for name, p := range c.Platform {
		s.links[name] = newLink(s, name, p)
		s.metrics.Watch(name, func(ctx context.Context) (int, error) {
			q, err := s.Queue(ctx, name)
			return q.Waiting, err
		})
	}
	return s, nil
}

// Run tells the platforms until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	faults := make(chan error, len(s.links)) // one a link
	for _, l := range s.links {
		all.Go(func() {
			if err := l.run(ctx); err != nil {
				faults <- fmt.Errorf("tell %s: %w", l.name, err)
				stop()
			}
		})
	}
	all.Wait()
	close(faults)
	var err error
	for f := range faults {
		err = errors.Join(err, f)
	}
	return err
}

const (
	selectOpen = `SELECT key, kind, content FROM relays WHERE party = ? AND state = 'waiting' ORDER BY key`
	supersede  = `UPDATE relays SET state = 'superseded', settled_at = ?, answer = ? WHERE key = ? AND state = 'waiting'`
	lastTotals = `SELECT max(settled_at) FROM relays WHERE party = ? AND kind = 'check' AND state = 'sent'`
	insert     = `INSERT INTO relays (key, id, platform, party, kind, state, attempts, created_at, next_at, expires_at, settled_at, answer, content)
		VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, ?, ?, 0, '', ?)`
)

// Put notes what a platform is to be told of a party, in the transaction in which it happened. Its Request is given here.
// What the platform cannot be told is left out; what waits and says less is superseded.
func (s *Service) Put(tx *journal.Tx, platform string, party int64, u booking.Update) error {
	l := s.links[platform]
	if l == nil || !l.can.Takes(&u) {
		return nil
	}
	id := s.c.Journal.NewID()
	u.Request, u.At = id.String(), tx.Now()
	older, tight := false, false
	var gone []int64
	err := tx.Query(selectOpen, []any{party}, func(scan func(...any) error) error {
		var key int64
		var kind string
		var content []byte
		if err := scan(&key, &kind, &content); err != nil {
			return err
		}
		var was booking.Update
		if err := json.Unmarshal(content, &was); err != nil {
			return fmt.Errorf("an update that waits: %w", err)
		}
		switch {
		case covers(&u, &was) && l.take(party, key):
			gone = append(gone, key)
		case l.under(key):
			older, tight = true, true
		default:
			older = true
		}
		return nil
	})
	if len(gone) > 0 {
		tx.After(func(error) { l.leave(gone) })
	}
	if err != nil {
		return err
	}
	for _, key := range gone {
		if _, err := tx.Exec(supersede, tx.Now(), u.Request, key); err != nil {
			return err
		}
	}
	now := tx.Now()
	next := now.UnixMicro()
	if older && len(gone) > 0 {
		// The one that went may have been the first; the one behind it waits no longer for it.
		if _, err := tx.Exec(unblock, now.Add(s.c.Pause), now, party, int64(blocked)); err != nil {
			return err
		}
	}
	switch {
	case older:
		next = blocked
	case u.Kind == booking.KindCheck:
		var last *int64
		if err := tx.QueryRow(lastTotals, []any{party}, &last); err != nil {
			return err
		}
		if last != nil {
			next = max(next, *last+s.c.Pause.Microseconds())
		}
	}
	expires := now.Add(s.c.Life)
	if s.c.DayEnd != nil {
		if end := s.c.DayEnd(now); end.After(expires) {
			expires = end
		}
	}
	content, err := json.Marshal(u, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("update of %s: %w", u.Reservation, err)
	}
	if _, err := tx.Exec(insert, id.Key(), id[:], platform, party, string(u.Kind), now, next, expires, content); err != nil {
		return fmt.Errorf("store an update: %w", err)
	}
	news(tx, platform, &u, Waiting)
	tx.After(func(err error) {
		if err != nil {
			return
		}
		for range gone {
			s.metrics.Count(platform, Superseded)
		}
		if tight {
			l.hurry(party)
		}
		l.stir()
	})
	return nil
}

// covers tells whether u says everything that was, which still waits, would have said. Paid and closed totals are always
// sent, and so is what staff did.
func covers(u, was *booking.Update) bool {
	switch was.Kind {
	case booking.KindStage:
		return was.Stage != booking.Paid && (u.Kind == booking.KindStage || u.Kind == booking.KindClosed && u.Stage != "")
	case booking.KindCheck:
		return u.Kind == booking.KindCheck || u.Kind == booking.KindClosed || u.Kind == booking.KindStage && u.Check != nil
	case booking.KindTables, booking.KindCovers:
		return u.Kind == was.Kind
	}
	return false
}

const drop = `UPDATE relays SET state = 'cancelled', settled_at = ? WHERE platform = ? AND state = 'waiting'`

// Drop cancels everything that waits for a platform, in the transaction that switches its link off. Hold it first.
func (s *Service) Drop(tx *journal.Tx, platform string) error {
	n, err := tx.Exec(drop, tx.Now(), platform)
	if err != nil {
		return fmt.Errorf("cancel what waits for %s: %w", platform, err)
	}
	tx.After(func(err error) {
		if err == nil {
			s.metrics.outcomes.WithLabelValues(platform, Cancelled).Add(float64(n))
		}
	})
	return nil
}

const (
	dropParty = `UPDATE relays SET state = 'cancelled', settled_at = ? WHERE party = ? AND state = 'waiting' AND kind IN ('stage', 'check', 'covers', 'tables')`
	kindsWait = `SELECT DISTINCT kind FROM relays WHERE party = ? AND state = 'waiting'`
)

// Leave cancels what waits to be told of the meal of a party that is not expected any more: told now, it would seat the party
// again on the platform.
func (s *Service) Leave(tx *journal.Tx, platform string, party int64) error {
	n, err := tx.Exec(dropParty, tx.Now(), party)
	if err != nil || n == 0 {
		return err
	}
	tx.After(func(err error) {
		if err == nil {
			s.metrics.outcomes.WithLabelValues(platform, Cancelled).Add(float64(n))
		}
	})
	_, err = tx.Exec(unblock, tx.Now(), tx.Now(), party, int64(blocked))
	return err
}

// Untold lists what a platform has not yet been told of a party: while its word on that is older than ours, ours counts.
func (s *Service) Untold(tx *journal.Tx, party int64) (kinds []booking.Kind, err error) {
	err = tx.Query(kindsWait, []any{party}, func(scan func(...any) error) error {
		var kind string
		err := scan(&kind)
		kinds = append(kinds, booking.Kind(kind))
		return err
	})
	return kinds, err
}

const lastStage = `SELECT content FROM relays WHERE party = ? AND state IN ('sent', 'waiting') AND kind IN ('stage', 'closed') ORDER BY key DESC LIMIT 1`

// Knows is the last stage of a party that its platform was told, or will be; "" for none.
func (s *Service) Knows(tx *journal.Tx, party int64) (booking.Stage, error) {
	var u booking.Update
	err := tx.Query(lastStage, []any{party}, func(scan func(...any) error) error {
		var content []byte
		if err := scan(&content); err != nil {
			return err
		}
		return json.Unmarshal(content, &u)
	})
	return u.Stage, err
}

// Hold stops a link: calls under way are broken off, and when it returns nothing leaves any more.
func (s *Service) Hold(platform string) {
	if l := s.links[platform]; l != nil {
		l.hold()
	}
}

// Release lets a link work.
func (s *Service) Release(platform string) {
	if l := s.links[platform]; l != nil {
		l.release()
	}
}

// Retry tries everything that waits for a platform now.
func (s *Service) Retry(platform string) {
	if l := s.links[platform]; l != nil {
		l.prompt()
	}
}

// Queue is what waits for a platform.
type Queue struct {
	Waiting   int       `json:"waiting"`
	Oldest    time.Time `json:"oldest,omitzero" doc:"since when the oldest waits"`
	LastSent  time.Time `json:"last_sent,omitzero"`
	LastError string    `json:"last_error,omitzero" doc:"of the latest call that did not come through; empty when the latest one did"`
}

const countWaiting = `SELECT count(*), coalesce(min(created_at), 0) FROM relays WHERE platform = ? AND state = 'waiting'`

// Queue tells how a link stands.
func (s *Service) Queue(ctx context.Context, platform string) (Queue, error) {
	var q Queue
	var oldest int64
	if err := s.c.Journal.Read().QueryRowContext(ctx, countWaiting, platform).Scan(&q.Waiting, &oldest); err != nil {
		return Queue{}, fmt.Errorf("count what waits for %s: %w", platform, err)
	}
	q.Oldest = journal.FromMicros(oldest)
	if l := s.links[platform]; l != nil {
		l.mu.Lock()
		q.LastSent, q.LastError = l.sentAt, l.fault
		l.mu.Unlock()
	}
	return q, nil
}

// Told is one update with what came of it.
type Told struct {
	booking.Update
	State     string    `json:"state" enum:"waiting,sent,superseded,skipped,failed,expired,cancelled"`
	Attempts  int       `json:"attempts"`
	NextAt    time.Time `json:"next_at,omitzero"`
	SettledAt time.Time `json:"settled_at,omitzero"`
	Answer    string    `json:"answer,omitzero"`
}

// MaxTold is how many updates of one party Of gives.
const MaxTold = 200

const selectParty = `SELECT state, attempts, next_at, settled_at, answer, content FROM relays WHERE party = ? ORDER BY key DESC LIMIT ?`

// Of gives what a platform was or will be told of a party, the latest first.
func (s *Service) Of(ctx context.Context, party int64) ([]Told, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectParty, party, MaxTold)
	if err != nil {
		return nil, fmt.Errorf("read what was told of a party: %w", err)
	}
	defer rows.Close()
	list := []Told{}
	for rows.Next() {
		var t Told
		var next, settled int64
		var content []byte
		if err := rows.Scan(&t.State, &t.Attempts, &next, &settled, &t.Answer, &content); err != nil {
			return nil, fmt.Errorf("read what was told of a party: %w", err)
		}
		if err := json.Unmarshal(content, &t.Update); err != nil {
			return nil, fmt.Errorf("read what was told of a party: %w", err)
		}
		if t.SettledAt = journal.FromMicros(settled); t.State == Waiting && next != blocked {
			t.NextAt = journal.FromMicros(next)
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// notice is the payload of a "relay" row of the change feed. Its subject is the request.
type notice struct {
	Platform    string        `json:"platform"`
	Reservation string        `json:"reservation"`
	Kind        booking.Kind  `json:"kind"`
	Stage       booking.Stage `json:"stage,omitzero"`
	State       string        `json:"state"`
}

// news tells the feed of an update's step, in the transaction that records it.
func news(tx *journal.Tx, platform string, u *booking.Update, state string) {
	b, err := json.Marshal(notice{platform, u.Reservation, u.Kind, u.Stage, state}, json.Deterministic(true))
	if err != nil {
		return // a reservation's id that is no text: the row itself is kept
	}
	tx.Change("relay", u.Request, b)
}
