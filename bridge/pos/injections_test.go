package pos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/kounta"
	"aboyeur/protocol/lightspeed"
	"aboyeur/protocol/rest"
	"aboyeur/simulate/bookings"
	simkounta "aboyeur/simulate/kounta"
	simlightspeed "aboyeur/simulate/lightspeed"
	"sync/atomic"
)

// told is what was reported of orders.
type told struct {
	mu  sync.Mutex
	all map[journal.ID][]Outcome
	and func(tx *journal.Tx, id journal.ID, o Outcome) error // done in the transaction of a report; nil: nothing
}

func (r *told) report(tx *journal.Tx, id journal.ID, o Outcome) error {
	r.mu.Lock()
	and := r.and
	r.mu.Unlock()
	if and != nil {
		if err := and(tx, id, o); err != nil {
			return err
		}
	}
	tx.After(func(err error) {
		if err != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all[id] = append(r.all[id], o)
	})
	return nil
}

func (r *told) of(id journal.ID) []Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all[id])
}

func (r *told) last(id journal.ID) Outcome {
	if all := r.of(id); len(all) > 0 {
		return all[len(all)-1]
	}
	return Outcome{}
}

// counter brings orders to a till in a test.
type counter struct {
	*told
	t    *testing.T
	j    *journal.Journal
	till Adapter
	c    InjectionsConfig
	i    atomic.Pointer[Injections] // the till's words come from its own goroutines
	stop func()
}

func newCounter(t *testing.T, j *journal.Journal, till Adapter, c InjectionsConfig) *counter {
	t.Helper()
	r := &counter{told: &told{all: map[journal.ID][]Outcome{}}, t: t, j: j, till: till}
	ms := time.Millisecond
	c.Journal, c.Till, c.Report, c.Log = j, till, r.report, slog.New(slog.DiscardHandler)
	if c.Backoff == nil {
		c.Backoff = []time.Duration{1 * ms, 2 * ms, 5 * ms, 10 * ms, 20 * ms}
	}
	if c.Stagger == 0 {
		c.Stagger = 20 * ms
	}
	r.c = c
	r.start()
	return r
}

// start begins anew on the same journal, as after a restart.
func (r *counter) start() {
	r.t.Helper()
	i, err := NewInjections(r.c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.i.Store(i)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, journal.ErrDown) && !errors.Is(err, journaltest.ErrFault) {
			r.t.Errorf("Run: %v", err)
		}
	})
	r.t.Cleanup(func() { r.stop() })
}

func (r *counter) put(n int, o Order) journal.ID {
	r.t.Helper()
	id := r.j.NewID()
	if err := r.tryPut(id, n, o); err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *counter) tryPut(id journal.ID, n int, o Order) error {
	return r.j.Write(r.t.Context(), func(tx *journal.Tx) error {
		return r.i.Load().Put(tx, Job{ID: id, Reference: Reference("Uber Eats", fmt.Sprintf("N%d", n), id.String()), Order: o})
	})
}

func (r *counter) within(fn func(tx *journal.Tx) error) {
	r.t.Helper()
	if err := r.j.Write(r.t.Context(), fn); err != nil {
		r.t.Fatal(err)
	}
}

func quick(sim *bookings.Simulator, f bookings.Faults) {
	f.TimeoutBy, f.LateBy, f.RetryAfter = bookings.Duration(400*time.Millisecond), bookings.Duration(5*time.Millisecond), bookings.Duration(time.Millisecond)
	sim.Faults(f)
}

// unhurried is how long a call and the till's word are waited for where a test is not about silence.
const unhurried = time.Minute

// kTillOf is a K-Series till whose notifications reach whoever at gives. call and answer are how long a call and the till's word
// are waited for.
func kTillOf(t *testing.T, call, answer time.Duration, at func() *counter) (*simlightspeed.Simulator, *KSeries) {
	t.Helper()
	sim, err := simlightspeed.New(simlightspeed.Config{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := lightspeed.New(lightspeed.Config{Base: serve(t, sim), Location: simlightspeed.DefaultLocation, Endpoint: "Box", Currency: "EUR", Tokens: rest.Bearer(simlightspeed.DefaultToken),
		HTTP: rest.Config{Timeout: call, Retry: rest.Retry{Attempts: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	k := NewKSeries(client, simlightspeed.DefaultLocation, "EUR", answer)
	k.Late(func(reference string, o Opened, verdict error) {
		if err := at().i.Load().Heard(context.Background(), reference, o, verdict); err != nil && !errors.Is(err, journal.ErrDown) {
			t.Errorf("Heard: %v", err)
		}
	})
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := client.Read(booking.Message{Header: r.Header, Body: body}, simlightspeed.DefaultUser, simlightspeed.DefaultPassword)
		if err != nil {
			t.Errorf("notification %s: %v", body, err)
		}
		k.Heard(n)
	}))
	sim.Hook(hook.URL)
	t.Cleanup(func() {
		sim.Simulator.Close()
		k.Close()
		hook.Close()
	})
	return sim, k
}

func oTill(t *testing.T, call time.Duration) (*simkounta.Simulator, *OSeries) {
	t.Helper()
	sim, err := simkounta.New(bookings.Faults{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kounta.New(kounta.Config{Base: serve(t, sim), Company: simkounta.Company, Site: simkounta.Site, Currency: "AUD", Tokens: rest.Bearer(simkounta.Token), Creates: 1,
		Wait: func(context.Context, time.Duration) error { return nil }, HTTP: rest.Config{Timeout: call, Retry: rest.Retry{Attempts: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	o := NewOSeries(client, simkounta.Site, "AUD", kounta.Accepted)
	o.settle = 300 * time.Millisecond // above the longest call that is under way when its caller has gone
	t.Cleanup(o.Close)
	return sim, o
}

func oDelivery() Order {
	o := delivery("")
	o.Lines[0].SKU = "9007199254740993"
	return o
}

// Whatever calls and notifications meet, and however often the box starts anew: no order is at the till twice, and those told to
// be there are. Where two attempts were met by silence nobody knows, and that is what is told. The till's own ledger judges.
func TestEveryOrderOnce(t *testing.T) {
	t.Parallel()
	const orders = 30
	run := func(t *testing.T, r *counter, quick func(bookings.Faults), order func() Order, fates func(*rand.Rand), ledger func() map[string]int) {
		random := rand.New(rand.NewPCG(7, uint64(len(t.Name()))))
		rates := map[bookings.Kind]float64{bookings.Unauthorized: 0.05, bookings.Broken: 0.05, bookings.LostAnswer: 0.1, bookings.Refused: 0.05, bookings.Timeout: 0.02,
			bookings.Late: 0.2, bookings.Duplicate: 0.2, bookings.OutOfOrder: 0.1}
		quick(bookings.Faults{Seed: 11, Rates: rates})
		var ids []journal.ID
		for n := range orders {
			fates(random)
			ids = append(ids, r.put(n, order()))
			if n%11 == 10 {
				r.stop()
				r.start()
			}
		}
		quick(bookings.Faults{})
		in, at := 0, map[string]int{}
		for n, id := range ids {
			await(t, "the last word on an order", func() bool { return r.last(id).State != Pending && r.last(id).State != "" })
			if all := r.of(id); slices.ContainsFunc(all[:len(all)-1], func(o Outcome) bool { return o.State != Pending }) {
				t.Errorf("told %+v", all)
			}
			switch l := r.last(id); {
			case l.State == In:
				if at = ledger(); at[Reference("Uber Eats", fmt.Sprintf("N%d", n), id.String())] != 1 {
					t.Errorf("order %d is told to be at the till: %+v", n, r.of(id))
				}
				in++
			case l.Code == Offline: // its time was over while the till was away
				if at = ledger(); at[Reference("Uber Eats", fmt.Sprintf("N%d", n), id.String())] != 0 {
					t.Errorf("order %d is told not to be at the till: %+v", n, r.of(id))
				}
			case l.Code != NoAnswer:
				t.Errorf("told %+v", r.of(id))
			}
		}
		for reference, n := range ledger() {
			if n != 1 {
				t.Errorf("%s is at the till %d times", reference, n)
			}
		}
		if len(at) < in || in < orders/2 {
			t.Errorf("%d of %d orders at the till, %d told to be", len(at), orders, in)
		}
	}
	t.Run("K", func(t *testing.T) {
		t.Parallel()
		var r *counter
		sim, k := kTillOf(t, 300*time.Millisecond, 60*time.Millisecond, func() *counter { return r })
		r = newCounter(t, journaltest.Open(t, journal.Config{}, nil), k, InjectionsConfig{Limit: 20 * time.Second})
		run(t, r, func(f bookings.Faults) { quick(sim.Simulator, f) }, func() Order { return delivery("") }, func(random *rand.Rand) {
			switch random.IntN(8) {
			case 0:
				sim.Next("", simlightspeed.Mute)
			case 1:
				sim.Next("", simlightspeed.Early)
			}
		}, func() map[string]int {
			at := map[string]int{}
			for _, o := range sim.Orders() {
				if o.Account != "" {
					at[o.Reference]++
				}
			}
			return at
		})
	})
	t.Run("O", func(t *testing.T) {
		t.Parallel()
		sim, o := oTill(t, 300*time.Millisecond)
		r := newCounter(t, journaltest.Open(t, journal.Config{}, nil), o, InjectionsConfig{Limit: 10 * time.Second})
		run(t, r, func(f bookings.Faults) { quick(sim.Simulator, f) }, oDelivery, func(random *rand.Rand) { sim.Lag(random.IntN(4) == 0, random.IntN(3)) }, func() map[string]int {
			at := map[string]int{}
			for _, f := range sim.Orders() {
				at[f.Reference]++
			}
			return at
		})
	})
	t.Run("naive", func(t *testing.T) {
		t.Parallel()
		till := &naive{lag: 10 * time.Millisecond, lost: 3, made: map[string][]time.Time{}}
		r := newCounter(t, journaltest.Open(t, journal.Config{}, nil), till, InjectionsConfig{Limit: 20 * time.Second})
		run(t, r, func(bookings.Faults) {}, oDelivery, func(*rand.Rand) {}, till.ledger)
	})
}

// fragile is a till during whose calls the box goes down: at the n-th moment before or after one.
type fragile struct {
	Adapter
	mu   sync.Mutex
	at   int
	kill func()
}

func (f *fragile) moment() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at--; f.at == 0 {
		f.kill()
	}
}

func (f *fragile) Find(ctx context.Context, l Look) (Opened, bool, error) {
	f.moment()
	o, ok, err := f.Adapter.Find(context.WithoutCancel(ctx), l)
	f.moment()
	if err == nil {
		err = ctx.Err() // nobody hears of it
	}
	return o, ok, err
}

func (f *fragile) Inject(ctx context.Context, o Order) (Opened, error) {
	f.moment()
	opened, err := f.Adapter.Inject(context.WithoutCancel(ctx), o)
	f.moment()
	if err == nil {
		err = ctx.Err()
	}
	return opened, err
}

// naive is a till that makes an order at each call, whatever its reference, and shows it late: nothing but the queue stands
// between it and two orders. Every lost-th call does its work and answers nothing.
type naive struct {
	Adapter // of the rest there is none
	lag     time.Duration
	lost    int

	mu    sync.Mutex
	calls int
	made  map[string][]time.Time
}

func (n *naive) Inject(_ context.Context, o Order) (Opened, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.made[o.Reference] = append(n.made[o.Reference], time.Now())
	if n.calls++; n.lost > 0 && n.calls%n.lost == 0 {
		return Opened{}, errors.New("no answer")
	}
	return Opened{ID: o.Reference}, nil
}

func (n *naive) Find(_ context.Context, l Look) (Opened, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := n.made[l.Reference]
	return Opened{ID: l.Reference, Existed: true}, len(at) > 0 && time.Since(at[0]) > n.lag, nil
}

func (n *naive) Resend() Resend { return Resend{Settle: 4 * n.lag} }

func (n *naive) ledger() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := map[string]int{}
	for reference, all := range n.made {
		at[reference] = len(all)
	}
	return at
}

// The box goes down at each call of its storage, and before and after each call of the till: never two orders there.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	steps := 0
	for n, reached := 1, true; reached && !(raceDetector && steps > 0); n++ {
		reached = killed(t, n, 0)
		steps++
	}
	for n, reached := 1, true; reached && !(raceDetector && steps > 1); n++ {
		reached = killed(t, 0, n)
		steps++
	}
	if steps < 15 && !raceDetector {
		t.Errorf("the box went down at %d steps only", steps)
	}
}

// killed is one life that ends at the n-th call of the storage or the m-th moment of the till, and the next one.
func killed(t *testing.T, n, m int) (reached bool) {
	o := &naive{lag: 5 * time.Millisecond, lost: 1, made: map[string][]time.Time{}} // its first answer is lost, so that there is more than one attempt
	faults := &journaltest.Faults{}
	dir := t.TempDir()
	j, end := openJournal(t, dir, faults)
	r := newCounter(t, j, o, InjectionsConfig{Limit: time.Minute})
	f := &fragile{Adapter: o, at: m}
	dead := make(chan struct{})
	f.kill = sync.OnceFunc(func() { close(dead) })
	r.stop()
	r.c.Till = f
	r.start()
	faults.Arm(n, journaltest.Dead, "")
	id := j.NewID()
	put := r.tryPut(id, 1, oDelivery())
	if put == nil {
		await(t, "the end of the first life", func() bool {
			select {
			case <-dead:
				return true
			default:
				return r.last(id).State == In || faults.Hit() != ""
			}
		})
	}
	faults.Arm(0, journaltest.Dead, "")
	if faults.Hit() == "" { // Arm forgot it; what counts is whether this life came to its end
		reached = r.last(id).State != In || put != nil
	}
	select {
	case <-dead:
		reached = true
	default:
	}
	r.stop()
	end()

	j, end = openJournal(t, dir, nil)
	defer end()
	told := r.told
	r = newCounter(t, j, o, InjectionsConfig{Limit: time.Minute})
	if put != nil { // the source sends it again; whether it was stored nobody told it
		if err := r.tryPut(id, 1, oDelivery()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, fmt.Sprintf("the order is at the till (%d %d)", n, m), func() bool { return r.last(id).State == In || told.last(id).State == In })
	if at := o.ledger(); len(at) != 1 || at[Reference("Uber Eats", "N1", id.String())] != 1 {
		t.Fatalf("killed at call %d, moment %d: at the till %v", n, m, at)
	}
	r.stop()
	return reached
}

func openJournal(t *testing.T, dir string, faults *journaltest.Faults) (*journal.Journal, func()) {
	t.Helper()
	c := journal.Config{Dir: dir, LaterDelay: time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	if faults != nil {
		c.Wrap = faults.Wrap
	}
	j, err := journal.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if err := j.Run(ctx); err != nil {
				return
			}
		}
	}()
	return j, func() {
		stop()
		<-ended
		j.Close()
	}
}

// Of orders that find the till down at once none asks before the oldest is due again: it would overtake it.
func TestOldestAsks(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, journal.Config{}, nil)
	i, err := NewInjections(InjectionsConfig{Journal: j, Till: &naive{}, Report: func(*journal.Tx, journal.ID, Outcome) error { return nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	now, down := time.Now(), &Refusal{Code: Offline}
	i.fell(down, now, now.Add(2*time.Second))
	i.fell(down, now, now.Add(time.Second))
	if got := i.until.Sub(now); got != 2*time.Second {
		t.Errorf("asked again after %v", got)
	}
	i.up()
	i.fell(down, now, now.Add(time.Second))
	if got := i.until.Sub(now); got != time.Second {
		t.Errorf("down anew it is asked again after %v", got)
	}
}

// A till that is away: one order finds out whether it is back, the others wait behind it in their order, and people are told.
func TestOutage(t *testing.T) {
	t.Parallel()
	sim, o := oTill(t, unhurried)
	var mu sync.Mutex
	var alarms []string
	r := newCounter(t, journaltest.Open(t, journal.Config{}, nil), o, InjectionsConfig{Stagger: 5 * time.Second, Alert: time.Millisecond, Down: func(code, _ string) {
		mu.Lock()
		defer mu.Unlock()
		alarms = append(alarms, code)
	}})
	quick(sim.Simulator, bookings.Faults{Down: true})
	var ids []journal.ID
	for n := range 12 {
		ids = append(ids, r.put(n, oDelivery()))
	}
	await(t, "the orders wait with their cause", func() bool {
		return !slices.ContainsFunc(ids, func(id journal.ID) bool { l := r.last(id); return l.State != Pending || l.Code != Offline })
	})
	await(t, "people are told", func() bool { mu.Lock(); defer mu.Unlock(); return len(alarms) == 1 })
	if s, err := r.i.Load().Standing(t.Context()); err != nil || s.Up || s.Cause != Offline || s.Waiting != 12 || s.Since.IsZero() || s.Oldest.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
	quick(sim.Simulator, bookings.Faults{})
	for _, id := range ids {
		await(t, "it is in", func() bool { return r.last(id).State == In })
	}
	for n, f := range sim.Orders() {
		if want := Reference("Uber Eats", fmt.Sprintf("N%d", n), ids[n].String()); f.Reference != want {
			t.Errorf("order %d at the till is %s, want %s", n, f.Reference, want)
		}
	}
	await(t, "people are told of its end", func() bool { mu.Lock(); defer mu.Unlock(); return len(alarms) == 2 })
	if s, err := r.i.Load().Standing(t.Context()); err != nil || !s.Up || s.Waiting != 0 || alarms[0] != Offline || alarms[1] != "" {
		t.Errorf("%+v, %v, told %q", s, err, alarms)
	}
	sim.Offline(true) // its cloud answers, the till itself is closed
	closed := r.put(20, oDelivery())
	await(t, "it waits", func() bool { return r.last(closed).Code == OfflineTill })
	sim.Offline(false)
	await(t, "it is in", func() bool { return r.last(closed).State == In })
}

// What is final is final at once, in the words of the till; a person tries again under another reference.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	var r *counter
	sim, k := kTillOf(t, unhurried, unhurried, func() *counter { return r })
	r = newCounter(t, journaltest.Open(t, journal.Config{}, nil), k, InjectionsConfig{})
	unlinked := delivery("")
	unlinked.Lines[0].SKU = "NONE"
	id := r.put(1, unlinked)
	await(t, "it is out", func() bool { return r.last(id).State == Out })
	if l := r.last(id); l.Code != Unlinked || l.Detail != "ITEM_NOT_FOUND NONE" || l.Attempts != 1 || len(r.of(id)) != 1 {
		t.Errorf("%+v", r.of(id))
	}
	again := Job{ID: id, Reference: Reference("Uber Eats", "N1", id.String()), Order: delivery("")}
	r.within(func(tx *journal.Tx) error { return r.i.Load().Put(tx, again) })
	await(t, "it is in", func() bool { return r.last(id).State == In })
	if at := sim.Orders(); len(at) != 2 || at[1].Reference != at[0].Reference+"-1" || at[0].Account != "" || at[1].Account != r.last(id).ID || *r.last(id).Total != 2000 {
		t.Errorf("%+v", at)
	}
	sim.Open(false)
	closed := r.put(2, delivery(""))
	await(t, "it waits", func() bool { l := r.last(closed); return l.State == Out || l.Code == OfflineTill })
	sim.Open(true)
	if l := r.last(closed); l.State == Out { // it was believed to be open: the till said no to this very reference
		r.within(func(tx *journal.Tx) error {
			return r.i.Load().Put(tx, Job{ID: closed, Reference: Reference("Uber Eats", "N2", closed.String()), Order: delivery("")})
		})
	}
	await(t, "it is in", func() bool { return r.last(closed).State == In })
}

// What the till never says anything of is looked for until its time is over, and is not known then; a word that comes later
// still counts.
func TestSilenceAndLateWord(t *testing.T) {
	t.Parallel()
	var r *counter
	sim, k := kTillOf(t, unhurried, 60*time.Millisecond, func() *counter { return r })
	r = newCounter(t, journaltest.Open(t, journal.Config{}, nil), k, InjectionsConfig{Limit: 300 * time.Millisecond})
	sim.Next("", simlightspeed.Silent)
	id := r.put(1, delivery(""))
	await(t, "it is out", func() bool { return r.last(id).State == Out })
	if l := r.last(id); l.Code != NoAnswer || len(sim.Orders()) != 1 {
		t.Errorf("%+v, %+v", l, sim.Orders())
	}
	k.Heard(lightspeed.Notification{Status: lightspeed.Success, Reference: sim.Orders()[0].Reference, AccountID: "A9"})
	if l := r.last(id); l.State != In || l.ID != "A9" {
		t.Errorf("%+v", l)
	}
	k.Heard(lightspeed.Notification{Status: lightspeed.Failure, Reference: sim.Orders()[0].Reference})
	if l := r.last(id); l.State != In {
		t.Errorf("what is in fell back: %+v", l)
	}
}

// Somebody typed the order in, or it was cancelled: nothing leaves any more, and what had left is still told.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	sim, o := oTill(t, unhurried)
	r := newCounter(t, journaltest.Open(t, journal.Config{}, nil), o, InjectionsConfig{})
	withdraw := func(id journal.ID) (under bool) {
		r.within(func(tx *journal.Tx) (err error) {
			under, err = r.i.Load().Withdraw(tx, id)
			return err
		})
		return under
	}
	quick(sim.Simulator, bookings.Faults{Down: true})
	first, second := r.put(1, oDelivery()), r.put(2, oDelivery())
	await(t, "both wait", func() bool { return r.last(first).Code == Offline && r.last(second).Code == Offline })
	await(t, "the second takes another content between two attempts", func() (changed bool) {
		r.within(func(tx *journal.Tx) (err error) {
			more := oDelivery()
			more.Lines[0].Quantity, more.Total = 3, 3000
			changed, err = r.i.Load().Change(tx, second, more)
			return err
		})
		return changed
	})
	if withdraw(first) { // while it is tried again and again
		await(t, "the till is seen to be down once more", func() bool { return r.last(first).State == Out })
	}
	quick(sim.Simulator, bookings.Faults{})
	await(t, "the second is in", func() bool { return r.last(second).State == In })
	if at := sim.Orders(); len(at) != 1 || string(at[0].Total) != "30.00" {
		t.Errorf("%+v", at)
	}
	if under := withdraw(second); under {
		t.Error("what is in is under way")
	}

	// Its answer is lost and lists lag: withdrawn before it may leave again it is found, and reported.
	sim.Lag(true, 12)
	var once sync.Once
	under := false
	r.mu.Lock()
	r.and = func(tx *journal.Tx, id journal.ID, o Outcome) (err error) {
		if o.Code == NoAnswer {
			once.Do(func() { under, err = r.i.Load().Withdraw(tx, id) })
		}
		return err
	}
	r.mu.Unlock()
	third := r.put(3, oDelivery())
	await(t, "the third is found", func() bool { return r.last(third).State == In })
	if !under {
		t.Error("what left is not under way")
	}
	if n := len(sim.Orders()); n != 2 {
		t.Errorf("%d orders at the till", n)
	}
}

// hesitant is a till that is closed at the first call, and whose answer to the search that follows waits for what moment does.
type hesitant struct {
	naive
	moment func()
	taken  []Order
}

func (h *hesitant) Inject(_ context.Context, o Order) (Opened, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken = append(h.taken, o); len(h.taken) == 1 {
		return Opened{}, &Refusal{Code: OfflineTill}
	}
	return Opened{ID: o.Reference}, nil
}

func (h *hesitant) Find(context.Context, Look) (Opened, bool, error) {
	h.moment()
	return Opened{}, false, nil
}

// An order that is changed while the till is asked whether it has it leaves as it was changed: its caller was told so.
func TestChangeWhileLookedFor(t *testing.T) {
	t.Parallel()
	till := &hesitant{}
	r := newCounter(t, journaltest.Open(t, journal.Config{}, nil), till, InjectionsConfig{})
	id := make(chan journal.ID, 1)
	till.moment = sync.OnceFunc(func() {
		more := oDelivery()
		more.Lines[0].Quantity, more.Total = 3, 3000
		r.within(func(tx *journal.Tx) error {
			taken, err := r.i.Load().Change(tx, <-id, more)
			if err == nil && !taken {
				t.Error("an order that had not left could not be changed")
			}
			return err
		})
	})
	put := r.put(1, oDelivery())
	id <- put
	await(t, "it is in", func() bool { return r.last(put).State == In })
	till.mu.Lock()
	defer till.mu.Unlock()
	if n := len(till.taken); n != 2 || till.taken[1].Total != 3000 || till.taken[1].Lines[0].Quantity != 3 {
		t.Errorf("the till was given %+v", till.taken)
	}
}

// An order that lay longer than anybody waits for is not begun; orders of one table go one after the other.
func TestAgeAndLanes(t *testing.T) {
	t.Parallel()
	sim, o := oTill(t, unhurried)
	var skew sync.Map
	now := func() time.Time {
		d, _ := skew.LoadOrStore("by", time.Duration(0))
		return time.Now().Add(d.(time.Duration))
	}
	j := journaltest.Open(t, journal.Config{Now: now}, nil)
	r := newCounter(t, j, o, InjectionsConfig{Now: now})
	r.stop()
	id := r.put(1, oDelivery())
	skew.Store("by", 5*time.Hour)
	r.start()
	await(t, "it is too old", func() bool { return r.last(id).Code == TooOld })
	if len(sim.Orders()) != 0 {
		t.Errorf("%+v", sim.Orders())
	}
	var ids []journal.ID
	for n := range 6 {
		id := j.NewID()
		ids = append(ids, id)
		r.within(func(tx *journal.Tx) error {
			return r.i.Load().Put(tx, Job{ID: id, Reference: Reference("", fmt.Sprintf("L%d", n), id.String()), Lane: "12", Order: oDelivery()})
		})
	}
	for _, id := range ids {
		await(t, "it is in", func() bool { return r.last(id).State == In })
	}
	for n, f := range sim.Orders() {
		if !strings.HasPrefix(f.Reference, fmt.Sprintf("L%d-", n)) {
			t.Errorf("order %d at the till is %s", n, f.Reference)
		}
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ partner, short, key, want string }{
		{"Uber Eats", "8F3A2", "ubereats/8F3A2-77", "UE8F3A2-"},
		{"Deliveroo", "#1234", "deliveroo/1234", "DE1234-"},
		{"", "", "till/1", "-"},
		{"Ü", "日本", "x", "-"},
		{"Just Eat", strings.Repeat("9", 60), "x", "JE" + strings.Repeat("9", 29) + "-"},
	} {
		got := Reference(c.partner, c.short, c.key)
		if !strings.HasPrefix(got, c.want) || len(got) != len(c.want)+8 || len(got) > MaxReference {
			t.Errorf("Reference(%q, %q, %q) = %q, want %s and eight digits", c.partner, c.short, c.key, got, c.want)
		}
	}
	if a, b := Reference("Uber Eats", "1", "a"), Reference("Uber Eats", "1", "b"); a == b {
		t.Errorf("two orders are both %s", a)
	}
	if got := nth(strings.Repeat("a", 40), 12); len(got) != 40 || !strings.HasSuffix(got, "-12") {
		t.Errorf("%q", got)
	}
}
