package deliveries

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/simulate/cloud"
)

// Defaults for a Config left at zero.
const (
	DefaultStore  = "store-1"
	DefaultID     = "aboyeur"
	DefaultSecret = "simulated-secret"
	DefaultHook   = "simulated-webhook-secret"
)

// Config is what the aggregator is. The zero value is the demonstration's.
type Config struct {
	Store                  string
	Account                string // of the aggregator's customer, or the application
	ClientID, ClientSecret string // that callers have to know
	Secret                 []byte // webhooks are signed with; nil means DefaultHook
	Hook                   string // URL of the box's webhook; "": nobody is told
	Base64                 bool   // signatures are base64, where the aggregator may do so
	Unlimited              bool   // calls are not counted

	Faults cloud.Faults
	Ledger io.Writer // gets each act as a JSON line in one write
	Keep   int       // calls held; 0 means cloud.DefaultKeep
	Now    func() time.Time
}

// WithDefaults fills c, so that a dialect is made of the same values.
func (c Config) WithDefaults() Config {
	c.Store = cmp.Or(c.Store, DefaultStore)
	c.ClientID = cmp.Or(c.ClientID, DefaultID)
	c.ClientSecret = cmp.Or(c.ClientSecret, DefaultSecret)
	if c.Secret == nil {
		c.Secret = []byte(DefaultHook)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// A Dialect is how one aggregator speaks.
type Dialect struct {
	Routes []cloud.Route
	Admit  func(r *http.Request) (a cloud.Answer, ok bool)

	// Message is the webhook of an event.
	Message func(e Event, at time.Time) (http.Header, []byte, error)
}

// An Event is something the aggregator tells. Order is the order as it is then.
type Event struct {
	ID      string         `json:"id"`
	Kind    channel.Kind   `json:"kind"`
	Type    string         `json:"type,omitzero"` // the dialect's own word; "": by Kind
	At      time.Time      `json:"at"`
	Order   *channel.Order `json:"-"`
	Ref     channel.Ref    `json:"ref,omitzero"`
	Status  channel.Status `json:"status,omitzero"`
	Reason  string         `json:"reason,omitzero"`
	Payload any            `json:"-"`
}

// An Act is something that was done to an order, or to the store when Key is "".
type Act struct {
	Key    string    `json:"key,omitzero"` // slug/id of the order
	Op     string    `json:"op"`
	Event  string    `json:"event,omitzero"` // that it answers
	At     time.Time `json:"at"`
	Detail string    `json:"detail,omitzero"`
	Again  bool      `json:"again,omitzero"` // the same was done before
}

// An Entry is an order in the book.
type Entry struct {
	Order    channel.Order     `json:"order"`
	Events   []string          `json:"events"`
	Created  int               `json:"created"` // how often the box said that it has it
	Failures []channel.Failure `json:"failures,omitzero"`
	Acts     []Act             `json:"acts"`
	Status   channel.Status    `json:"status"`
}

// Did tells how often an act was done.
func (e *Entry) Did(op string) int {
	n := 0
	for _, a := range e.Acts {
		if a.Op == op {
			n++
		}
	}
	return n
}

// A Simulator is one aggregator with one store. Its methods may be called from any goroutine.
type Simulator struct {
	*cloud.Service
	c Config
	d Dialect

	mu     sync.Mutex // guards everything below
	book   map[string]*entry
	order  []string         // keys as they came
	events map[string]Event // by id, of those that were told
	acts   []Act
	number int
	broken error // of the ledger's writer
}

type entry struct {
	Entry
	last Event         // the last event about it
	held chan struct{} // a webhook kept back until the next one of this order is out; nil: none
}

// New makes an aggregator that speaks d. It starts nothing. c is one that WithDefaults filled.
func New(c Config, d Dialect) (*Simulator, error) {
	s := &Simulator{c: c, d: d, book: map[string]*entry{}, events: map[string]Event{}}
	for i := range d.Routes {
		if c.Unlimited {
			d.Routes[i].Limit = 0
		}
	}
	var err error
	s.Service, err = cloud.New(cloud.Config{Routes: d.Routes, Hook: c.Hook, Admit: d.Admit, Faults: c.Faults, Keep: c.Keep, Now: c.Now})
	return s, err
}

// Key names an order in the book.
func Key(slug, id string) string { return slug + "/" + id }

// Place has a guest order: a new order for whoever hears of it the first time, told again under another event's id otherwise. The
// error is what the box answered, after the aggregator's own repetitions, as a *cloud.HookError; a message that a fault keeps
// back goes later, and has none.
func (s *Simulator) Place(ctx context.Context, o channel.Order) error {
	return s.put(ctx, channel.KindOrder, o)
}

// Change has a guest or the marketplace change an order.
func (s *Simulator) Change(ctx context.Context, o channel.Order) error {
	return s.put(ctx, channel.KindUpdate, o)
}

func (s *Simulator) put(ctx context.Context, k channel.Kind, o channel.Order) error {
	if o.ID == "" || o.Slug == "" {
		return errors.New("an order has an id and the slug of its marketplace")
	}
	now := s.c.Now()
	if o.PlacedAt.IsZero() {
		o.PlacedAt = now.UTC().Truncate(time.Millisecond)
	}
	o.Status = cmp.Or(o.Status, channel.New)
	key := Key(o.Slug, o.ID)
	s.mu.Lock()
	e, known := s.book[key]
	if !known {
		e = &entry{Entry: Entry{Status: o.Status, Events: []string{}, Acts: []Act{}}}
		s.book[key] = e
		s.order = append(s.order, key)
	}
	e.Order = o
	s.mu.Unlock()
	return s.say(ctx, key, Event{Kind: k, Order: &o, Ref: o.Ref(), Status: o.Status})
}

// Keep puts an order into the book without telling anybody: it is found by the feed.
func (s *Simulator) Keep(o channel.Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.Status = cmp.Or(o.Status, channel.New)
	if o.PlacedAt.IsZero() {
		o.PlacedAt = s.c.Now().UTC().Truncate(time.Millisecond)
	}
	key := Key(o.Slug, o.ID)
	if _, known := s.book[key]; !known {
		s.order = append(s.order, key)
	}
	s.book[key] = &entry{Entry: Entry{Order: o, Status: o.Status, Events: []string{}, Acts: []Act{}}}
}

// Cancel has a guest cancel.
func (s *Simulator) Cancel(ctx context.Context, slug, id, reason string) error {
	return s.about(ctx, slug, id, Event{Kind: channel.KindCancel, Status: channel.Cancelled, Reason: reason})
}

// Release says that a scheduled order is due, where the aggregator does.
func (s *Simulator) Release(ctx context.Context, slug, id string) error {
	return s.about(ctx, slug, id, Event{Kind: channel.KindRelease})
}

// Progress has the marketplace tell how an order stands.
func (s *Simulator) Progress(ctx context.Context, slug, id string, status channel.Status) error {
	return s.about(ctx, slug, id, Event{Kind: channel.KindStatus, Status: status})
}

func (s *Simulator) about(ctx context.Context, slug, id string, e Event) error {
	key := Key(slug, id)
	s.mu.Lock()
	b, known := s.book[key]
	if !known {
		s.mu.Unlock()
		return fmt.Errorf("there is no order %s", key)
	}
	o := b.Order
	if e.Status != "" && e.Status.Rank() >= b.Status.Rank() {
		b.Status, b.Order.Status = e.Status, e.Status
		o.Status = e.Status
	}
	s.mu.Unlock()
	e.Order, e.Ref = &o, o.Ref()
	return s.say(ctx, key, e)
}

// Send sends an event about the store, or any other, and gives its id and what the box answered.
func (s *Simulator) Send(ctx context.Context, e Event) (id string, answer []byte, err error) {
	e = s.named(e)
	answer, err = s.Exchange(ctx, s.message(e))
	return e.ID, answer, err
}

// named gives an event its id and time and remembers it.
func (s *Simulator) named(e Event) Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	if e.ID == "" {
		e.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", s.number)
	}
	if e.At.IsZero() {
		e.At = s.c.Now()
	}
	s.events[e.ID] = e
	return e
}

func (s *Simulator) message(e Event) cloud.Message {
	return func(at time.Time) (http.Header, []byte, error) { return s.d.Message(e, at) }
}

// say tells the box of an order, as the faults allow.
func (s *Simulator) say(ctx context.Context, key string, ev Event) error {
	if s.Over() {
		return errors.New("the aggregator is closed")
	}
	ev = s.named(ev)
	back := s.Happens(cloud.OutOfOrder) && s.HookURL() != ""
	late, twice, by := s.Happens(cloud.Late), s.Happens(cloud.Duplicate), time.Duration(s.Present().LateBy)
	s.mu.Lock()
	e := s.book[key]
	e.Events = append(e.Events, ev.ID)
	e.last = ev
	released := e.held
	e.held = nil
	if back {
		held := make(chan struct{})
		e.held = held
		s.mu.Unlock()
		s.Go(func(ctx context.Context) {
			cloud.Wait(ctx, by, held)
			s.Deliver(ctx, s.message(ev))
		})
	} else {
		s.mu.Unlock()
	}
	if released != nil {
		defer close(released)
	}
	if back {
		return nil
	}
	if late {
		if err := cloud.Wait(ctx, by, nil); err != nil {
			return err
		}
	}
	if twice {
		s.Go(func(ctx context.Context) { s.Deliver(ctx, s.message(ev)) })
	}
	return s.Deliver(ctx, s.message(ev))
}

// Again repeats the last webhook of an order n times at once, under its own event's id. The error is the first that one met.
func (s *Simulator) Again(ctx context.Context, slug, id string, n int) error {
	s.mu.Lock()
	e, known := s.book[Key(slug, id)]
	var ev Event
	if known {
		ev = e.last
	}
	s.mu.Unlock()
	if ev.ID == "" {
		return fmt.Errorf("nothing was told of order %s", Key(slug, id))
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = s.Deliver(ctx, s.message(ev)) })
	}
	wg.Wait()
	return cmp.Or(errs...)
}

// Event is an event that was told.
func (s *Simulator) Event(id string) (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.events[id]
	return e, ok
}

// Order is an order as it stands in the book.
func (s *Simulator) Order(slug, id string) (Entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.book[Key(slug, id)]
	if !ok {
		return Entry{}, false
	}
	return e.clone(), true
}

// Orders are all of them, in the order in which they came.
func (s *Simulator) Orders() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Entry, 0, len(s.order))
	for _, key := range s.order {
		all = append(all, s.book[key].clone())
	}
	return all
}

func (e *entry) clone() Entry {
	c := e.Entry
	c.Events, c.Failures, c.Acts = slices.Clone(c.Events), slices.Clone(c.Failures), slices.Clone(c.Acts)
	return c
}

// Acts are all acts, those about the store included.
func (s *Simulator) Acts() []Act {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acts)
}

// Find finds the order that a call names, by slug and id, or by id alone.
func (s *Simulator) Find(slug, id string) (channel.Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.book[Key(slug, id)]; ok {
		o := e.Order
		o.Status = e.Status
		return o, true
	}
	if slug != "" {
		return channel.Order{}, false
	}
	for _, key := range s.order {
		if e := s.book[key]; e.Order.ID == id || e.Order.AggregatorID == id {
			o := e.Order
			o.Status = e.Status
			return o, true
		}
	}
	return channel.Order{}, false
}

// Do writes an act into the ledger, and what it changes of an order. What was done before is marked. ok false: there is no such
// order.
func (s *Simulator) Do(a Act, status channel.Status, f *channel.Failure) (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.At = s.c.Now()
	if a.Key != "" {
		e, known := s.book[a.Key]
		if !known {
			return false
		}
		a.Again = slices.ContainsFunc(e.Acts, func(b Act) bool { return b.Op == a.Op && b.Event == a.Event && b.Detail == a.Detail })
		e.Acts = append(e.Acts, a)
		if a.Op == Created && !a.Again {
			e.Created++
		}
		if status != "" && status.Rank() >= e.Status.Rank() {
			e.Status = status
		}
		if f != nil && !a.Again {
			e.Failures = append(e.Failures, *f)
		}
	}
	s.acts = append(s.acts, a)
	if s.c.Ledger != nil && s.broken == nil {
		line, err := json.Marshal(a)
		if err == nil {
			_, err = s.c.Ledger.Write(append(line, '\n'))
		}
		s.broken = err
	}
	return true
}

// Acts that all aggregators know by these names.
const (
	Created   = "created"
	Failed    = "failed"
	Accepted  = "accept"
	Denied    = "deny"
	Ready     = "ready"
	Fulfilled = "fulfil"
	Cancelled = "cancel"
	PrepTime  = "prep_time"
)

// State is what stands at the moment.
type State struct {
	Store  string                 `json:"store"`
	Orders int                    `json:"orders"`
	By     map[channel.Status]int `json:"by_status"`
	Taken  int                    `json:"taken"` // orders the box said it has
	Failed int                    `json:"failed"`
	Acts   int                    `json:"acts"`
	Hooks  cloud.Hooks            `json:"hooks"`
	Faults cloud.Faults           `json:"faults"`
	Ledger string                 `json:"ledger_error,omitzero"`
}

// State tells what stands.
func (s *Simulator) State() State {
	st := State{Store: s.c.Store, By: map[channel.Status]int{}, Hooks: s.Hooks(), Faults: s.Present()}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Orders, st.Acts = len(s.book), len(s.acts)
	for _, e := range s.book {
		st.By[e.Status]++
		st.Taken += min(e.Created, 1)
		st.Failed += min(len(e.Failures), 1)
	}
	if s.broken != nil {
		st.Ledger = s.broken.Error()
	}
	return st
}
