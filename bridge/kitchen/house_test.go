package kitchen

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/order"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
	"aboyeur/protocol/escpos"
	"slices"
)

func TestMain(m *testing.M) {
	flag.Set("rapid.checks", "8") // unless the command line asks for more
	goleak.VerifyTestMain(m)
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var (
	cook = access.Principal{Name: "Léa", Role: access.Staff, Via: access.ViaToken}
	till = access.Principal{Name: "till", Role: access.Till, Via: access.ViaToken}
)

// A clock is the house's time; it moves when told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.t = c.t.Add(d)
	c.mu.Unlock()
}

// hatch fits the kitchen to the orders, as the box does.
type hatch struct {
	*Kitchen
	planned func() // a plan is made, what follows is its commit; nil: nobody listens
}

type hatchPlan struct{ *Plan }

func (h hatch) Plan(o sale.Placed) order.Plan {
	p := hatchPlan{h.Kitchen.Plan(o)}
	if h.planned != nil {
		h.planned()
	}
	return p
}

func (h hatch) Change(o sale.Placed, was *sale.Order) order.Plan {
	return hatchPlan{h.Kitchen.Change(o, was)}
}
func (h hatch) Cancel(o sale.Placed, by string) order.Plan { return hatchPlan{h.Kitchen.Cancel(o, by)} }
func (h hatch) Steps(ctx context.Context, id journal.ID) ([]trail.Step, error) {
	return h.Kitchen.Steps(ctx, id)
}
func (h hatch) Tickets(ctx context.Context, ids []journal.ID) (map[int64][]order.Ticket, error) {
	parts, err := h.Parts(ctx, ids)
	all := map[int64][]order.Ticket{}
	for key, list := range parts {
		all[key] = asTickets(list)
	}
	return all, err
}
func (p hatchPlan) Tickets() []order.Ticket { return asTickets(p.Parts()) }

func asTickets(parts []Part) []order.Ticket {
	list := []order.Ticket{}
	for _, p := range parts {
		t := order.Ticket{ID: p.ID, Station: p.Station, Kind: p.Kind, State: p.State}
		for _, j := range p.Jobs {
			t.Jobs = append(t.Jobs, order.Job{ID: j.ID, Printer: j.Printer, State: j.State, Evidence: j.Evidence, Attempt: j.Attempt, Reason: j.Reason})
		}
		list = append(list, t)
	}
	return list
}

// A house is journal, orders and kitchen on one folder; open starts it again after close, as a new process would.
type house struct {
	t        testing.TB
	dir      string
	clock    *clock
	config   Config
	wrap     func(driver.Connector) driver.Connector
	planned  func()
	later    time.Duration // of the journal; 0 means a millisecond
	registry *prometheus.Registry

	journal  *journal.Journal
	kitchen  *Kitchen
	orders   *order.Service
	printers map[string]*fakePrinter
	stop     context.CancelFunc
	ran      chan error
}

// newHouse has a grill and a bar with a printer and a screen each, a pass that only prints and a wall that only shows.
// The bar stands in for the grill after 5 s. change may alter the configuration.
func newHouse(t testing.TB, change func(*house)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), clock: &clock{t: time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC)}}
	profile, _ := escpos.ProfileFor("epson-tm-t88")
	paper := func(name, fallback string) PrinterConfig {
		return PrinterConfig{Name: name, Profile: profile, Words: words.In("en"), Fallback: fallback, FallbackAfter: 5 * time.Second}
	}
	h.config = Config{
		Stations: []Station{
			{Name: "grill", Printers: []string{"grill"}, Screens: []string{"grill"}, Categories: []string{"Grill"}, WarnAfter: 10 * time.Minute, LateAfter: 15 * time.Minute, Default: true},
			{Name: "bar", Printers: []string{"bar"}, Screens: []string{"bar"}, Categories: []string{"Drinks"}},
			{Name: "pass", Printers: []string{"bar"}, Categories: []string{"Bread"}},
			{Name: "wall", Screens: []string{"grill"}, SKUs: []string{"W-1"}},
		},
		Printers: []PrinterConfig{paper("grill", "bar"), paper("bar", "")},
		Courses:  []string{"drinks", "starters", "mains", "desserts"}, Location: time.UTC,
	}
	if change != nil {
		change(h)
	}
	h.open()
	t.Cleanup(h.close)
	return h
}

func (h *house) open() {
	h.t.Helper()
	ctx := context.Background()
	h.registry = prometheus.NewPedanticRegistry()
	j, err := journal.Open(ctx, journal.Config{Dir: h.dir, Now: h.clock.now, Log: quiet, LaterDelay: cmp.Or(h.later, time.Millisecond), Wrap: h.wrap})
	if err != nil {
		h.t.Fatal(err)
	}
	h.journal = j
	c := h.config
	c.Journal, c.Now, c.Log, c.Registerer = j, h.clock.now, quiet, h.registry
	c.AllReady = func(tx *journal.Tx, id journal.ID, ready bool, by string) error {
		return h.orders.Ready(tx, id, ready, by)
	}
	c.Scheduled = func(ctx context.Context) ([]sale.Placed, error) { return h.orders.Scheduled(ctx) }
	if h.kitchen, err = New(ctx, c); err != nil {
		h.t.Fatal(err)
	}
	h.orders, err = order.New(ctx, order.Config{Journal: j, Kitchen: hatch{h.kitchen, h.planned}, Calendar: order.Calendar{Location: time.UTC, Close: 5 * time.Hour}, Courses: 4, Now: h.clock.now, Log: quiet})
	if err != nil {
		h.t.Fatal(err)
	}
	h.printers = map[string]*fakePrinter{}
	for _, p := range c.Printers {
		q := h.kitchen.Queue(p.Name)
		f := &fakePrinter{t: h.t, q: q, sequence: q.LastSequence(), now: h.clock.now}
		q.Attach(f)
		h.printers[p.Name] = f
	}
	run, stop := context.WithCancel(ctx)
	h.stop, h.ran = stop, make(chan error, 1)
	go func() { h.ran <- j.Run(run) }()
}

func (h *house) close() {
	if h.stop == nil {
		return
	}
	h.stop()
	h.stop = nil
	if err := <-h.ran; err != nil {
		h.t.Logf("journal ended: %v", err)
	}
	if err := h.journal.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *house) restart() {
	h.t.Helper()
	h.close()
	h.open()
}

// settle returns when all that was given to the journal is on disk.
func (h *house) settle() {
	h.t.Helper()
	for range 2 { // a step may bring another
		if err := h.journal.Insist(context.Background(), func(*journal.Tx) error { return nil }); err != nil {
			h.t.Fatal(err)
		}
	}
}

var placedOrders atomic.Int64

// dish is a line; category decides its station.
func dish(quantity int, name, category string) sale.Line {
	return sale.Line{Name: name, Category: category, Quantity: quantity, Price: new(int64(100))}
}

func newOrder(lines ...sale.Line) *sale.Order {
	o := &sale.Order{Source: "till", SourceOrderID: fmt.Sprint(placedOrders.Add(1)), Table: "12", Covers: 2, Currency: "EUR", Lines: slices.Clone(lines)}
	o.Complete()
	return o
}

// place gives o to the house, and returns when the printers have heard of it.
func (h *house) place(o *sale.Order) order.Receipt {
	h.t.Helper()
	r, _, err := h.orders.Place(context.Background(), till, "", o, h.clock.now())
	if err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	return r
}

// change makes the next version of o.
func (h *house) change(id journal.ID, o *sale.Order, lines ...sale.Line) *sale.Order {
	h.t.Helper()
	next := *o
	next.Version++
	if lines != nil {
		next.Lines = lines
	}
	if _, err := h.orders.Change(context.Background(), till, "", id, &next); err != nil {
		h.t.Fatal(err)
	}
	return &next
}

func (h *house) act(name string, id journal.ID) Ticket {
	h.t.Helper()
	t, err := h.kitchen.Act(context.Background(), cook, "", name, id)
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	return t
}

func (h *house) view(id journal.ID) order.View {
	h.t.Helper()
	h.settle()
	v, err := h.orders.Get(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

// jobs tells the jobs of an order as "printer state", in the order of their making.
func (h *house) jobs(id journal.ID) []string {
	h.t.Helper()
	h.settle()
	var list []string
	err := queryAll(context.Background(), h.journal.Read(), `SELECT j.printer || ' ' || t.kind || ' ' || j.state FROM jobs j JOIN tickets t ON t.key = j.ticket_key WHERE t.order_key = ? ORDER BY j.key`, []any{id.Key()}, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		list = append(list, s)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// shows is what a screen shows, "number station state lines" a ticket.
func (h *house) shows(screen string) []string {
	h.t.Helper()
	h.settle()
	s, r, ok := h.kitchen.Board().Snapshot(context.Background(), screen)
	if !ok {
		h.t.Fatalf("no screen %s", screen)
	}
	r.Close()
	list := []string{}
	for _, t := range s.Tickets {
		list = append(list, brief(&t))
	}
	return list
}

// brief is a ticket in a line.
func brief(t *Ticket) string {
	s := fmt.Sprintf("#%d %s %s %s", t.Number, t.Station, t.Kind, t.State)
	if t.ChangedUnseen {
		s += " unseen"
	}
	for _, l := range t.Lines {
		s += fmt.Sprintf(", %d %s", l.Quantity, l.Name)
		switch l.Change {
		case "":
		case Changed:
			s += fmt.Sprintf(" was %d", l.Was)
		default:
			s += " " + l.Change
		}
	}
	return s
}

// checkWaiting compares each queue's counter with the journal.
func (h *house) checkWaiting() error {
	h.settle()
	var faults []error
	for name, q := range h.kitchen.roster().queues {
		want := 0
		err := queryAll(context.Background(), h.journal.Read(), `SELECT id FROM jobs WHERE printer = ? AND settled = 0`, []any{name}, func(scan func(...any) error) error {
			var id journal.ID
			if err := scan(&id); err != nil {
				return err
			}
			if j, mine := h.printers[name].inHand(); !q.has(id) || mine && j.ID == printer.JobID(id) && j.State == printer.Held {
				want++
			}
			return nil
		})
		if err != nil {
			return err
		}
		if got, _, _ := q.Waiting(); got != want {
			faults = append(faults, fmt.Errorf("queue %s counts %d jobs, the journal has %d", name, got, want))
		}
	}
	return errors.Join(faults...)
}

// fakePrinter is a driver that a test moves step by step.
type fakePrinter struct {
	t   testing.TB
	q   *Queue
	now func() time.Time

	mu       sync.Mutex
	idle     bool // claims succeed
	claimed  bool
	sequence uint32
	hand     []printer.Job // handed over or taken, not yet reported on
	unclaims int
	wakes    int
	paused   bool
	cleared  []printer.JobID
	bodies   []string // what was printed, with its banner in front
}

func (p *fakePrinter) Claim(printer.JobID) (printer.Attempt, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.idle || p.claimed || len(p.hand) > 0 {
		return printer.Attempt{}, false
	}
	p.claimed = true
	return p.attempt(1), true
}

func (p *fakePrinter) attempt(number int) printer.Attempt {
	p.sequence++
	return printer.Attempt{Number: number, Sequence: p.sequence, At: p.now()}
}

func (p *fakePrinter) Handover(j printer.Job, a printer.Attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.claimed {
		p.t.Error("handed over without a claim")
	}
	p.claimed = false
	j.Attempt, j.Sequence = a.Number, a.Sequence
	p.hand = append(p.hand, j)
}

func (p *fakePrinter) Unclaim(printer.JobID) {
	p.mu.Lock()
	p.claimed = false
	p.sequence--
	p.unclaims++
	p.mu.Unlock()
}

func (p *fakePrinter) Wake() {
	p.mu.Lock()
	p.wakes++
	p.mu.Unlock()
}

func (p *fakePrinter) Status() printer.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return printer.Status{Name: p.q.c.Name, State: printer.Ready, Sequence: p.sequence, Paused: p.paused}
}
func (p *fakePrinter) TestBody(printer.Words) []byte { return []byte("test page\n") }
func (p *fakePrinter) Pause()                        { p.mu.Lock(); p.paused = true; p.mu.Unlock() }
func (p *fakePrinter) Resume()                       { p.mu.Lock(); p.paused = false; p.mu.Unlock() }
func (p *fakePrinter) Recover()                      {}
func (p *fakePrinter) Replace()                      {}
func (p *fakePrinter) Clear(id printer.JobID) {
	p.mu.Lock()
	p.cleared = append(p.cleared, id)
	p.mu.Unlock()
}

func (p *fakePrinter) setIdle(on bool) {
	p.mu.Lock()
	p.idle = on
	p.mu.Unlock()
}

// next takes a job from the queue, as the driver does; the zero Job when there is none.
func (p *fakePrinter) next() printer.Job {
	p.t.Helper()
	if job, ok := p.inHand(); ok && job.State == printer.Held { // it goes out first
		p.mu.Lock()
		a := p.attempt(job.Attempt)
		p.mu.Unlock()
		a.Banner = job.Redo
		err := p.q.Sending(context.Background(), job.ID, a)
		p.mu.Lock()
		switch {
		case err == nil:
			p.hand[0].State, p.hand[0].Sequence = printer.Sending, a.Sequence
			defer p.mu.Unlock()
			return p.hand[0]
		case !errors.Is(err, printer.ErrGone):
			p.t.Fatal(err)
		}
		p.sequence--
		p.hand = p.hand[1:]
		p.mu.Unlock()
	}
	job, a, ok, err := p.q.Next(context.Background(), func(j printer.Job) printer.Attempt {
		p.mu.Lock()
		defer p.mu.Unlock()
		number := j.Attempt + 1
		if j.State == printer.Held && j.Attempt > 0 && !j.Redo {
			number = j.Attempt
		}
		a := p.attempt(number)
		a.Banner = j.Redo || number > 1
		return a
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if !ok {
		return printer.Job{}
	}
	job.Attempt, job.Sequence, job.Redo = a.Number, a.Sequence, a.Banner
	p.mu.Lock()
	p.hand = append(p.hand, job)
	p.mu.Unlock()
	return job
}

func (p *fakePrinter) inHand() (printer.Job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.hand) == 0 {
		return printer.Job{}, false
	}
	return p.hand[0], true
}

// report tells what became of the job in hand; it is let go when settled or held.
func (p *fakePrinter) report(state printer.State, settled bool) {
	p.t.Helper()
	j, ok := p.inHand()
	if !ok {
		p.t.Fatal("nothing in hand")
	}
	r := printer.Report{State: state, At: p.now(), Attempt: j.Attempt, Settled: settled}
	if state == printer.Printed || state == printer.Done {
		r.Evidence = printer.EvidenceProcessID
	}
	if state == printer.Held {
		p.mu.Lock()
		p.hand[0].State = printer.Held
		p.sequence--
		p.mu.Unlock()
	}
	if settled {
		p.mu.Lock()
		p.hand = p.hand[1:]
		if state == printer.Done {
			s := string(j.Body)
			if j.Redo {
				s = "REPRINT\n" + s
			}
			p.bodies = append(p.bodies, s)
		}
		p.mu.Unlock()
	}
	p.q.Record(j.ID, r)
}

// done prints the job in hand.
func (p *fakePrinter) done() {
	p.t.Helper()
	p.report(printer.Sent, false)
	p.report(printer.Printed, false)
	p.report(printer.Done, true)
}

// take has something in hand that can be printed; false when there is nothing.
func (p *fakePrinter) take() bool {
	if j, ok := p.inHand(); ok && j.State != printer.Held {
		return true
	}
	return p.next().ID != (printer.JobID{})
}

// drain prints all there is and tells how much.
func (p *fakePrinter) drain() int {
	p.t.Helper()
	n := 0
	for {
		if !p.take() {
			return n
		}
		p.done()
		n++
	}
}
