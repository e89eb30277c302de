package bookings

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/simulate/cloud"
)

// Defaults for a Config left at zero.
const (
	DefaultVenue  = "12345"
	DefaultID     = "aboyeur"
	DefaultSecret = "simulated-secret" // of the client and its token
	DefaultHook   = "simulated-webhook-secret"
	DefaultKeep   = cloud.DefaultKeep
)

// Config is what the platform is. The zero value is the demonstration's.
type Config struct {
	Venue       string
	Credentials booking.Credentials // what callers have to know
	Secret      []byte              // webhooks are signed with; nil means DefaultHook
	Hook        string              // URL of the box's webhook; "": nobody is told
	Vocabulary  map[string]string   // as the client's
	Zone        *time.Location
	Echo        bool // what the box changes comes back to it as a webhook, as at real platforms

	Faults Faults
	Ledger io.Writer // gets each update taken as a JSON line in one write
	Keep   int       // calls held; the oldest are forgotten. 0 means DefaultKeep
	Now    func() time.Time
	Log    *slog.Logger // nil means slog.Default
}

// A Dialect is how one platform speaks.
type Dialect struct {
	Wire      *wire.Wire
	KeyHeader string // of a request id; "" means Idempotency-Key
	Routes    []Route

	// Admit checks the credentials of a call; ok false: the answer is what it gets.
	Admit func(r *http.Request) (a Answer, ok bool)

	// Message is the webhook for r, signed at that time.
	Message func(r *booking.Reservation, at time.Time) (http.Header, []byte, error)
}

// A Route is one kind of call.
type Route struct {
	Op      string // its name in the record: status, link, token …
	Pattern string // of net/http
	Open    bool   // without credentials, as the call that fetches a token
	Limit   int    // calls in any minute; 0: no limit
	Do      func(v *Visit) Answer
}

// A Simulator is one platform with one venue. Its methods may be called from any goroutine.
type Simulator struct {
	*cloud.Service
	c Config
	d Dialect

	mu     sync.Mutex // guards everything below
	book   map[string]*entry
	order  []string // ids as they came
	stages map[string]booking.Stage
	ledger []booking.Delivered
	taken  map[string]int // request id -> index in ledger
	linked bool
	held   bool  // another account has the link
	broken error // of the ledger's writer
}

// entry is a reservation in the book.
type entry struct {
	r    booking.Reservation
	held chan struct{} // a webhook kept back until the next one of this reservation is out; nil: none
}

// WithDefaults fills c, so that a dialect is made of the same values.
func (c Config) WithDefaults() Config {
	c.Venue = cmp.Or(c.Venue, DefaultVenue)
	c.Credentials.ClientID = cmp.Or(c.Credentials.ClientID, DefaultID)
	c.Credentials.ClientSecret = cmp.Or(c.Credentials.ClientSecret, DefaultSecret)
	c.Credentials.Token = cmp.Or(c.Credentials.Token, DefaultSecret)
	if c.Secret == nil {
		c.Secret = []byte(DefaultHook)
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	return c
}

// Wire is the client's configuration of spec that fits c, for a dialect to read and spell with.
func (c Config) Wire(spec wire.Spec) (*wire.Wire, error) {
	return wire.New(spec, wire.Config{
		Base: "http://127.0.0.1", Venue: c.Venue, Credentials: c.Credentials, WebhookSecret: c.Secret, Vocabulary: c.Vocabulary, Zone: c.Zone,
	})
}

// New makes a platform that speaks d. It starts nothing. c is one that WithDefaults filled.
func New(c Config, d Dialect) (*Simulator, error) {
	s := &Simulator{c: c, d: d, book: map[string]*entry{}, stages: map[string]booking.Stage{}, taken: map[string]int{}}
	config := cloud.Config{KeyHeader: d.KeyHeader, Hook: c.Hook, Admit: d.Admit, Faults: c.Faults, Keep: c.Keep, Now: c.Now}
	for _, r := range d.Routes {
		config.Routes = append(config.Routes, cloud.Route{Op: r.Op, Pattern: r.Pattern, Open: r.Open, Limit: r.Limit, Do: func(v *cloud.Visit) Answer { return r.Do(&Visit{v, s}) }})
	}
	var err error
	s.Service, err = cloud.New(config)
	return s, err
}

// Ledger is what the platform took, in the order of taking.
func (s *Simulator) Ledger() []booking.Delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ledger)
}

// Reservation is a reservation as the platform shows it.
func (s *Simulator) Reservation(id string) (booking.Reservation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.book[id]
	if !ok {
		return booking.Reservation{}, false
	}
	return e.r, true
}

// Reservations are all of them, in the order in which they came.
func (s *Simulator) Reservations() []booking.Reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]booking.Reservation, 0, len(s.order))
	for _, id := range s.order {
		all = append(all, s.book[id].r)
	}
	return all
}

// Table is what the host's screen shows at a table: the last stage that the host or the box set; "" for a free one.
func (s *Simulator) Table(name string) booking.Stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stages[name]
}

// Linked tells whether the box has announced its link and not taken it back.
func (s *Simulator) Linked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linked
}

// Hold has another account hold the link, or let it go.
func (s *Simulator) Hold(held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = held
}

// A Visit is one call as a route meets it.
type Visit struct {
	*cloud.Visit
	s *Simulator
}

// Link records that the box made or took back its link.
func (v *Visit) Link(on bool) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	v.s.linked = on
}

// Held tells whether another account has the link.
func (v *Visit) Held() bool {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return v.s.held
}

// Linked tells whether the link is made.
func (v *Visit) Linked() bool { return v.s.Linked() }

// Changed are the reservations that changed after since and are scheduled in [from, to), oldest change first. Zero times do
// not bound.
func (v *Visit) Changed(since, from, to time.Time) []booking.Reservation {
	var found []booking.Reservation
	for _, r := range v.s.Reservations() {
		if r.UpdatedAt.After(since) && (from.IsZero() || !r.ScheduledAt.Before(from)) && (to.IsZero() || r.ScheduledAt.Before(to)) {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b booking.Reservation) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return found
}

// Take writes u into the ledger, once for each request id, and does with the reservation what it says. ok false: there is no
// such reservation.
func (v *Visit) Take(u booking.Update) (ok bool) {
	s := v.s
	u.Request = v.Key
	u.Venue = cmp.Or(u.Venue, s.c.Venue)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, known := s.book[u.Reservation]
	if !known {
		return false
	}
	if at, again := s.taken[u.Request]; again && u.Request != "" {
		s.ledger[at].Repeats++
		v.Again = true
		return true
	}
	now := s.c.Now()
	d := booking.Delivered{Update: u, TakenAt: now}
	s.ledger = append(s.ledger, d)
	if u.Request != "" {
		s.taken[u.Request] = len(s.ledger) - 1
	}
	if s.c.Ledger != nil && s.broken == nil {
		line, err := json.Marshal(d)
		if err == nil {
			_, err = s.c.Ledger.Write(append(line, '\n'))
		}
		s.broken = err
	}
	s.obey(e, &u, now)
	return true
}

// obey changes a reservation as an update says; s.mu is held.
func (s *Simulator) obey(e *entry, u *booking.Update, now time.Time) {
	before := e.r
	tables := u.Tables
	if len(tables) == 0 {
		tables = e.r.Tables
	}
	switch u.Kind {
	case booking.KindTables:
		for _, t := range e.r.Tables {
			delete(s.stages, t)
		}
		e.r.Tables = slices.Clone(u.Tables)
		if e.r.Stage != "" {
			s.show(e.r.Tables, e.r.Stage)
		}
	case booking.KindCovers:
		e.r.PartySize = u.Covers
	case booking.KindStatus:
		e.r.Status, e.r.Stage = u.Status, ""
		if u.Status.Over() {
			s.show(tables, "")
		}
	}
	if u.Stage != "" {
		s.show(tables, u.Stage)
		e.r.Stage, e.r.Status = u.Stage, booking.Seated
		if u.Stage == booking.Bussing || u.Stage == booking.Finished {
			e.r.Status = booking.Departed
		}
		if u.Status != "" { // closing a receipt lets the party go
			e.r.Status = u.Status
		}
	}
	if e.r.Stage == before.Stage && e.r.Status == before.Status && slices.Equal(e.r.Tables, before.Tables) && e.r.PartySize == before.PartySize {
		return
	}
	e.r.Word, e.r.Late, e.r.Sure, e.r.Assumed = "", false, false, false
	s.stamp(e, &before, now)
	if s.c.Echo && s.HookURL() != "" {
		r := e.r
		s.Go(func(ctx context.Context) { s.send(ctx, &r) })
	}
}

func (s *Simulator) show(tables []string, stage booking.Stage) {
	for _, t := range tables {
		if stage == "" {
			delete(s.stages, t)
		} else {
			s.stages[t] = stage
		}
	}
}

// stamp gives a changed reservation its place in the order of changes, after before's.
func (s *Simulator) stamp(e *entry, before *booking.Reservation, now time.Time) {
	e.r.Sequence = before.Sequence + 1
	e.r.UpdatedAt = now.UTC().Truncate(time.Millisecond)
	if !e.r.UpdatedAt.After(before.UpdatedAt) {
		e.r.UpdatedAt = before.UpdatedAt.Add(time.Millisecond)
	}
}

// trouble names what has gone wrong with the ledger's file, "" when nothing.
func (s *Simulator) trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		return ""
	}
	return fmt.Sprint(s.broken)
}
