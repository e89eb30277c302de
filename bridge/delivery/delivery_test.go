package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a service of orders that keeps them in memory, and in the journal only what deliveries keep.
type book struct {
	j      *journal.Journal
	mu     sync.Mutex
	orders map[string]*booked // source/id
	counts map[string]int
}

type booked struct {
	id           journal.ID
	o            *sale.Order
	state, inPOS string
}

func (b *book) find(id journal.ID) *booked {
	for _, o := range b.orders {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (b *book) Place(ctx context.Context, aggregator string, o *sale.Order, _ time.Time, w Wish) (bool, journal.ID, error) {
	key := o.Source + "/" + o.SourceOrderID
	made := &booked{id: b.j.NewID(), o: o, state: "accepted", inPOS: "yes"}
	switch {
	case w.Cancelled != "":
		made.state, made.inPOS = "cancelled", ""
	case w.Hold:
		made.state, made.inPOS = stateWaiting, ""
	case w.Cause != "":
		made.inPOS = "no"
	}
	known := false
	err := b.j.Write(ctx, func(tx *journal.Tx) error {
		b.mu.Lock()
		old := b.orders[key]
		b.mu.Unlock()
		if old != nil {
			known, made = true, old
			return nil
		}
		if err := w.With(tx, made.id, made.state, made.inPOS); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.orders[key] = made
		return nil
	})
	return known, made.id, err
}

func (b *book) Change(tx *journal.Tx, _ string, id journal.ID, o *sale.Order) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.find(id).o = o
	return nil
}

func (b *book) set(id journal.ID, state string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.find(id).state = state
	return nil
}
func (b *book) Cancel(_ *journal.Tx, _, _ string, id journal.ID) error { return b.set(id, "cancelled") }
func (b *book) Expire(_ *journal.Tx, id journal.ID, _ string) error    { return b.set(id, "rejected") }
func (b *book) Advance(_ *journal.Tx, id journal.ID, state, _ string) error {
	return b.set(id, state)
}
func (b *book) Release(_ *journal.Tx, id journal.ID, _ string) error { return b.set(id, "accepted") }
func (b *book) Stored(_ *journal.Tx, id journal.ID) (*sale.Order, string, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.find(id)
	return o.o, o.state, o.inPOS, nil
}
func (b *book) Count(aggregator, outcome string, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[aggregator+" "+outcome]++
}

// peer is an aggregator that writes down what it is told, and fails as a test says.
type peer struct {
	channel.Aggregator // nil: nothing else is called
	can                channel.Capabilities
	held               chan struct{} // no fetch is answered until it is closed; nil: at once

	mu     sync.Mutex
	calls  []string
	about  []string // the same by event
	fail   func(call string) error
	feed   []channel.Order
	silent error // what reading the feed ends with
}

func (p *peer) Capabilities() channel.Capabilities { return p.can }
func (p *peer) did(what string, r channel.Ref) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := strings.TrimSpace(what + " " + r.ID)
	if p.fail != nil {
		if err := p.fail(call); err != nil {
			return err
		}
	}
	p.calls = append(p.calls, call)
	p.about = append(p.about, what+" "+r.Event)
	return nil
}
func (p *peer) events() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.about))
}
func (p *peer) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}
func (p *peer) Created(_ context.Context, r channel.Ref) error { return p.did("created", r) }
func (p *peer) Failed(_ context.Context, r channel.Ref, f channel.Failure) error {
	return p.did("failed "+string(f.Code), r)
}
func (p *peer) Accept(_ context.Context, r channel.Ref, _ time.Time) error { return p.did("accept", r) }
func (p *peer) Deny(_ context.Context, r channel.Ref, d channel.Denial) error {
	return p.did("deny "+d.Reason, r)
}
func (p *peer) Ready(_ context.Context, r channel.Ref) error     { return p.did("ready", r) }
func (p *peer) Fulfilled(_ context.Context, r channel.Ref) error { return p.did("fulfilled", r) }
func (p *peer) HandedOff(_ context.Context, r channel.Ref) error { return p.did("handed_off", r) }
func (p *peer) Cancelled(_ context.Context, r channel.Ref, reason string) error {
	return p.did("cancelled "+reason, r)
}
func (p *peer) Feed(context.Context, time.Time, time.Time) ([]channel.Order, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.feed), p.silent
}
func (p *peer) Fetch(ctx context.Context, r channel.Ref) (channel.Order, error) {
	if p.held != nil {
		select {
		case <-p.held:
		case <-ctx.Done():
			return channel.Order{}, ctx.Err()
		}
	}
	if err := p.did("fetch", r); err != nil {
		return channel.Order{}, err
	}
	return anOrder(r.ID), nil
}

// a counter is deliveries on a journal with two aggregators.
type counter struct {
	t        *testing.T
	dir      string
	mu       sync.Mutex
	at       time.Time
	c        Config
	book     *book
	a, b     *peer
	journal  *journal.Journal
	service  *Service
	warnings *warning.Board
	stop     func()
}

func (c *counter) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *counter) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	all := channel.Capabilities{Accept: true, Failures: true, Cancel: true, Feed: true, Progress: []channel.Status{channel.Prepared, channel.HandedOff, channel.Fulfilled}}
	c := &counter{t: t, dir: t.TempDir(), at: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC), a: &peer{can: all}, b: &peer{can: all}, book: &book{orders: map[string]*booked{}, counts: map[string]int{}}}
	c.open()
	t.Cleanup(func() { c.stop() })
	return c
}

func (c *counter) open() {
	c.t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	j, err := journal.Open(context.Background(), journal.Config{Dir: c.dir, Now: c.now, Log: quiet, LaterDelay: time.Millisecond})
	if err != nil {
		c.t.Fatal(err)
	}
	c.journal, c.book.j, c.warnings = j, j, warning.New(c.now, quiet)
	config := c.c
	config.Journal, config.Orders, config.Courses, config.Currency, config.Language, config.Now, config.Log, config.Warnings = j, c.book, 4, "EUR", "en", c.now, quiet, c.warnings
	config.Backoff = []time.Duration{time.Millisecond}
	config.Links = []Link{{Name: "otter", Title: "Otter", Store: "1", Client: c.a, Settings: Defaults()}, {Name: "deliverect", Title: "Deliverect", Store: "2", Client: c.b, Settings: Defaults()}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	if c.service, err = New(ctx, config); err != nil {
		c.t.Fatal(err)
	}
	c.stop = func() { stop(); <-ended; j.Close() }
}

// run lets the service work until stop, or until the function it gives is called: never beyond its journal.
func (c *counter) run() func() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s := c.service
	go func() { ended <- s.Run(ctx) }()
	once := sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	})
	shut := c.stop
	c.stop = func() { once(); shut() }
	return once
}

func anOrder(id string) channel.Order {
	return channel.Order{Aggregator: "x", Partner: "Uber Eats", Slug: "ubereats", ID: id, FriendlyID: "F" + id, Service: "delivery", Currency: "EUR", Decimals: 2,
		Lines: []channel.Line{{Name: "Pizza", SKU: "PIZ", Quantity: 1, Price: 1000}}, Charges: channel.Charges{Subtotal: 1000, Total: 1200}}
}

func (c *counter) takes(link, event string, kind channel.Kind, o channel.Order) error {
	c.t.Helper()
	e := &channel.Event{ID: event, At: c.now(), Kind: kind, Type: string(kind), Order: &o, Ref: o.Ref()}
	if kind != channel.KindOrder && kind != channel.KindUpdate {
		e.Order = nil
	}
	return c.service.take(c.t.Context(), c.service.link(link), e, c.now())
}

func (c *counter) placed(link, event string, o channel.Order) {
	c.t.Helper()
	if err := c.takes(link, event, channel.KindOrder, o); err != nil {
		c.t.Fatal(err)
	}
}

func (c *counter) wait(what string, holds func() bool) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("waited in vain until %s; %q %q", what, c.a.told(), c.b.told())
		}
	}
}

// Two integrators that both send a marketplace's orders bring each once, and people are warned.
func TestTwoIntegrators(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.placed("otter", "e1", anOrder("1"))
	c.placed("deliverect", "x1", anOrder("1"))
	c.placed("otter", "e2", anOrder("1"))
	if len(c.book.orders) != 1 {
		t.Errorf("%d orders", len(c.book.orders))
	}
	found, err := c.service.Details(t.Context(), []journal.ID{c.book.orders["otter/1"].id}, true)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	for _, d := range found {
		if d.Aggregator != "otter" || d.Other != "deliverect" {
			t.Errorf("%+v", d)
		}
	}
	if !slices.ContainsFunc(c.warnings.List(), func(w warning.Warning) bool { return w.Code == "order_twice" }) {
		t.Error("nobody is warned")
	}
	// The same id at another marketplace is another order.
	other := anOrder("1")
	other.Slug = "deliveroo"
	c.placed("otter", "e3", other)
	if len(c.book.orders) != 2 {
		t.Errorf("%d orders", len(c.book.orders))
	}
}

// Results of new orders go before cancellations, those before progress, and of one order in the order in which it happened.
func TestOutboxOrder(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.a.can.Accept = false
	c.stop()
	c.open()
	const orders = 12
	for i := range orders {
		c.placed("otter", fmt.Sprint("e", i), anOrder(fmt.Sprint(i)))
	}
	step := func(id, from, to string) {
		t.Helper()
		b := c.book.orders["otter/"+id]
		err := c.journal.Write(t.Context(), func(tx *journal.Tx) error {
			return c.service.Follow(tx, Step{Order: sale.Placed{ID: b.id, Order: b.o}, From: from, State: to, WasIn: "yes", InPOS: "yes", By: "Léa"})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	step("0", "accepted", "prepared")
	step("1", "accepted", "cancelled")
	step("2", "accepted", "prepared")
	step("2", "prepared", "handed_off") // says more than prepared, which nobody heard yet
	stop := c.run()
	c.wait("all is told", func() bool { return len(c.a.told()) >= orders+3 })
	stop()
	told := c.a.told()
	created := map[string]bool{}
	var rest []string
	for _, call := range told {
		if id, ok := strings.CutPrefix(call, "created "); ok {
			created[id] = true
			continue
		}
		// Of the calls under way with this one, none may be told yet.
		if len(created) < orders-(parallel-1) {
			t.Errorf("%q was told after %d of %d new orders: %q", call, len(created), orders, told)
		}
		if id := call[strings.LastIndex(call, " ")+1:]; !created[id] {
			t.Errorf("%q was told before its order was: %q", call, told)
		}
		rest = append(rest, call)
	}
	slices.Sort(rest)
	if len(created) != orders || !slices.Equal(rest, []string{"cancelled REASON_OTHER 1", "handed_off 2", "ready 0"}) {
		t.Errorf("told %q", told)
	}
}

// What cannot be told waits, over a restart too; a call whose limit is used up keeps no other back, what is refused for good ends.
func TestOutboxWaits(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	down := true
	var limited int
	c.a.fail = func(call string) error {
		switch {
		case down:
			return &rest.Error{Op: "x", Err: errors.New("no route")}
		case strings.HasPrefix(call, "accept") && limited < 5:
			limited++
			return &channel.Limited{Family: "confirm", After: time.Millisecond}
		case call == "created 2":
			return &rest.Error{Op: "x", Status: http.StatusNotFound, Fate: rest.Refused}
		}
		return nil
	}
	c.placed("otter", "e1", anOrder("1"))
	stop := c.run()
	c.wait("people are warned", func() bool {
		c.pass(time.Second)
		return slices.ContainsFunc(c.warnings.List(), func(w warning.Warning) bool { return w.Code == "aggregator_silent" })
	})
	stop()
	c.stop()
	c.open()
	c.placed("otter", "e2", anOrder("2"))
	c.a.mu.Lock()
	down = false
	c.a.mu.Unlock()
	stop = c.run()
	drained := func() bool {
		c.pass(time.Second)
		q, err := c.service.Queue(t.Context(), "otter")
		return err == nil && q.Waiting == 0
	}
	c.wait("nothing waits", drained)
	stop()
	told := c.a.told()
	slices.Sort(told)
	if !slices.Equal(told, []string{"accept 1", "accept 2", "created 1"}) {
		t.Errorf("told %q", told)
	}
	if q, err := c.service.Queue(t.Context(), "otter"); err != nil || q.Failed != 1 || limited != 5 {
		t.Errorf("%+v %v, limited %d times", q, err, limited)
	}
	c.placed("otter", "e3", anOrder("3")) // the box was off for a day, or its clock set forward: it is told all the same
	c.pass(25 * time.Hour)
	c.run()
	c.wait("nothing waits", drained)
	if told := c.a.told(); len(told) != 5 || !slices.Contains(told, "created 3") {
		t.Errorf("told %q", told)
	}
	tried := 0
	c.a.mu.Lock()
	c.a.fail = func(string) error { tried++; return &rest.Error{Op: "x", Err: errors.New("no route")} }
	c.a.mu.Unlock()
	c.placed("otter", "e4", anOrder("4")) // what nobody took for a day, however often it was tried, is over
	c.pass(25 * time.Hour)
	c.wait("nothing waits", drained)
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	if len(c.a.calls) != 5 || tried != 2*leastAttempts {
		t.Errorf("told %q after %d more attempts", c.a.calls, tried)
	}
}

// Every event about an order has its answer where the aggregator wants one: a repetition under another id, and the event that
// comes after the feed brought its order. The second of two integrators hears that the order is accepted.
func TestEveryEventIsAnswered(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.a.can.Answers = true
	c.stop()
	c.open()
	c.a.mu.Lock()
	c.a.feed = []channel.Order{anOrder("1")}
	c.a.mu.Unlock()
	if err := c.service.Reconcile(t.Context(), "otter"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c.placed("otter", "e1", anOrder("1")) // late, and twice
	}
	c.placed("otter", "e2", anOrder("1")) // again under another id
	c.placed("deliverect", "x1", anOrder("1"))
	c.run()
	c.wait("all is told", func() bool { return len(c.a.told()) >= 4 && len(c.b.told()) >= 2 })
	if told := c.a.events(); !slices.Equal(told, []string{"accept ", "created ", "created e1", "created e2"}) {
		t.Errorf("Otter was told of events %q", told)
	}
	if told := c.b.events(); !slices.Equal(told, []string{"accept x1", "created x1"}) {
		t.Errorf("Deliverect was told of events %q", told)
	}
	e := &channel.Event{ID: "x2", At: c.now(), Kind: channel.KindStatus, Type: "done", Status: channel.Fulfilled, Ref: channel.Ref{ID: "1"}} // names no marketplace
	if err := c.service.take(t.Context(), c.service.link("deliverect"), e, c.now()); err != nil || c.book.orders["otter/1"].state != "fulfilled" {
		t.Errorf("the second integrator says that it is done, and it is %s, %v", c.book.orders["otter/1"].state, err)
	}
}

// An order that is only announced is fetched, once.
func TestAnnouncedOrderIsFetched(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	e := &channel.Event{ID: "e1", At: c.now(), Kind: channel.KindOrder, Type: "notification", Ref: channel.Ref{Slug: "ubereats", ID: "7"}}
	for range 3 {
		if err := c.service.take(t.Context(), c.service.link("otter"), e, c.now()); err != nil {
			t.Fatal(err)
		}
	}
	c.run()
	c.wait("it is here and told", func() bool {
		return slices.Contains(c.a.told(), "created 7") && slices.Contains(c.a.told(), "accept 7")
	})
	if n := len(c.book.orders); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// The feed brings what no event told, once, and nothing that is over or old.
func TestFeedBringsWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	old, over := anOrder("old"), anOrder("over")
	old.PlacedAt, over.Status = c.now().Add(-5*time.Hour), channel.Fulfilled
	fresh := anOrder("fresh")
	fresh.PlacedAt = c.now().Add(-time.Hour)
	c.a.feed = []channel.Order{old, over, fresh}
	for range 3 {
		if err := c.service.Reconcile(t.Context(), "otter"); err != nil {
			t.Fatal(err)
		}
		c.pass(5 * time.Minute)
	}
	if len(c.book.orders) != 1 || c.book.orders["otter/fresh"] == nil {
		t.Fatalf("orders %v", c.book.orders)
	}
	fresh.Lines[0].Quantity = 4 // a change that nobody told
	fresh.Status = channel.Cancelled
	c.a.feed = []channel.Order{fresh}
	if err := c.service.Reconcile(t.Context(), "otter"); err != nil {
		t.Fatal(err)
	}
	if b := c.book.orders["otter/fresh"]; b.state != "cancelled" {
		t.Errorf("it is %s", b.state)
	}
}

// Each time that an aggregator did not answer is on record with its reason, over a restart too.
func TestOutagesAreOnRecord(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	read := func(fault error) {
		c.a.mu.Lock()
		c.a.silent = fault
		c.a.mu.Unlock()
		if err := c.service.Reconcile(t.Context(), "otter"); (err != nil) != (fault != nil) {
			t.Fatalf("reading the feed: %v", err)
		}
		c.pass(time.Minute)
	}
	last := func(n int, over bool) Outage {
		t.Helper()
		var list []Outage
		c.wait("the outage is on record", func() bool {
			list = c.service.link("otter").now().Outages
			return len(list) == n && list[0].To.IsZero() != over
		})
		return list[0]
	}
	read(nil)
	began := c.now()
	read(errors.New("connection refused"))
	if o := last(1, false); !o.From.Equal(began) || o.Reason != "connection refused" {
		t.Errorf("the outage reads %+v", o)
	}
	read(errors.New("connection refused")) // the same one
	c.stop()
	c.open()
	ended := c.now()
	read(nil)
	if o := last(1, true); !o.From.Equal(began) || !o.To.Equal(ended) {
		t.Errorf("after a restart the outage reads %+v, want it from %s to %s", o, began, ended)
	}
	for n := range maxOutages + 5 {
		read(errors.New("no route to host"))
		last(min(maxOutages, n+2), false)
		read(nil)
		last(min(maxOutages, n+2), true)
	}
	list := c.service.link("otter").now().Outages
	if len(list) != maxOutages || list[0].Reason != "no route to host" {
		t.Errorf("%d outages are kept, the latest %+v; want %d", len(list), list[0], maxOutages)
	}
}

// A change that is older than what is known changes nothing; an order is known by marketplace and id.
func TestOldChangesAreNoNews(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.placed("otter", "e1", anOrder("1"))
	late := c.now()
	c.pass(time.Minute)
	o := anOrder("1")
	o.Lines[0].Quantity = 3
	if err := c.takes("otter", "e2", channel.KindUpdate, o); err != nil {
		t.Fatal(err)
	}
	o = anOrder("1")
	o.Lines[0].Quantity = 9
	e := &channel.Event{ID: "e0", At: late.Add(time.Second), Kind: channel.KindUpdate, Type: "update", Order: &o}
	if err := c.service.take(t.Context(), c.service.link("otter"), e, c.now()); err != nil {
		t.Fatal(err)
	}
	if got := c.book.orders["otter/1"].o; got.Lines[0].Quantity != 3 || got.Version != 2 {
		t.Errorf("%d pizzas in version %d", got.Lines[0].Quantity, got.Version)
	}
	bad := anOrder("1")
	bad.Lines[0].Quantity = 5000
	var no *malformed
	if err := c.takes("otter", "e3", channel.KindUpdate, bad); !errors.As(err, &no) {
		t.Errorf("5000 pizzas: %v", err)
	}
	if err := c.takes("otter", "e4", channel.KindOrder, channel.Order{Slug: "ubereats"}); !errors.As(err, &no) {
		t.Errorf("an order without an id: %v", err)
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	for _, o := range []channel.Order{anOrder("1"), anOrder(strings.Repeat("x", 120)), {Slug: "é", ID: "1", FriendlyID: "né 7"}, {Slug: "", ID: "2"}} {
		r := Reference(&o)
		if len(r) > 40 || len(r) < 12 || strings.ContainsFunc(r, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("reference %q", r)
		}
	}
	a, b := anOrder("1"), anOrder("1")
	b.Slug = "deliveroo"
	if Reference(&a) == Reference(&b) || !strings.HasPrefix(Reference(&a), "UB-F1-") {
		t.Errorf("references %q %q", Reference(&a), Reference(&b))
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	good := Defaults()
	if f := good.check(); len(f) > 0 {
		t.Errorf("defaults: %+v", f)
	}
	minus := -1
	for name, change := range map[string]func(*Settings){
		"/mode":                    func(s *Settings) { s.Mode = "on" },
		"/accept_minutes":          func(s *Settings) { s.AcceptMinutes = 0 },
		"/inject":                  func(s *Settings) { s.Inject = "never" },
		"/show_minutes":            func(s *Settings) { s.ShowMinutes = 10 },
		"/fees/love":               func(s *Settings) { s.Fees = map[string]string{"love": "1"} },
		"/channels/x/lead_minutes": func(s *Settings) { s.Channels = map[string]Channel{"x": {LeadMinutes: &minus}} },
		"/channels/x/inject":       func(s *Settings) { s.Channels = map[string]Channel{"x": {Inject: "no"}} },
	} {
		s := Defaults()
		change(&s)
		if f := s.check(); len(f) != 1 || f[0].Pointer != name {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// A change that overtakes its order, which then comes in the very moment when the change is taken for a new one, is not lost.
func TestChangeBesideItsOrder(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	for n := range 30 {
		was := anOrder(fmt.Sprint(n))
		is := anOrder(fmt.Sprint(n))
		is.Lines[0].Quantity = 3
		at := c.now()
		var both sync.WaitGroup
		for i, o := range []channel.Order{was, is} {
			kind := []channel.Kind{channel.KindOrder, channel.KindUpdate}[i]
			both.Go(func() {
				e := &channel.Event{ID: fmt.Sprint(n, "/", i), At: at.Add(time.Duration(i)), Kind: kind, Type: string(kind), Order: &o, Ref: o.Ref()}
				if err := c.service.take(t.Context(), c.service.link("otter"), e, at); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if got := c.book.orders["otter/"+was.ID].o.Lines[0].Quantity; got != 3 {
			t.Fatalf("order %d has %d pizzas, changed to 3", n, got)
		}
	}
}
