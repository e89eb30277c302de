package printer

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
	simulated "aboyeur/simulate/printer"
)

var long = flag.Bool("long", false, "every fault position, not a sample")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var testWords = Words{
	Reprint: "REPRINT", Ticket: "ticket", FirstSent: "first sent", Reason: "reason", AlreadyPrinted: "MAY ALREADY BE PRINTED – CHECK",
	End: "END", Test: "TEST PAGE", Printer: "Printer", Columns: "Columns",
	Reasons: map[string]string{ReasonLinkLost: "connection lost", ReasonPowerLost: "power lost"},
}

// pipePort makes a Port of one end of a net.Pipe.
type pipePort struct {
	net.Conn
	oneWay bool
}

func (p pipePort) OneWay() bool { return p.oneWay }

// A rig is a driver with a simulated printer behind a pipe, in a synctest bubble.
type rig struct {
	t       *testing.T
	sim     *simulated.Printer
	ledger  *fakeLedger
	p       *Printer
	config  Config
	refuse  atomic.Bool  // no connection
	wrap    atomic.Value // func(pipePort) port.Port
	line    *line        // between driver and printer; nil: a pipe for each connection
	stop    context.CancelFunc
	done    chan error
	serving sync.WaitGroup
	next    int

	mu       sync.Mutex
	statuses []Status
	conn     net.Conn // the driver's end
}

// newRig starts a driver on a simulated printer; change may alter either configuration before.
func newRig(t *testing.T, change func(*Config, *simulated.Config)) *rig {
	t.Helper()
	r := &rig{t: t, ledger: newLedger(t)}
	sc := simulated.Config{Log: quiet}
	r.config = Config{Name: "grill", Words: testWords, Log: quiet}
	r.config.Profile, _ = escpos.ProfileFor("epson-tm-t88")
	if change != nil {
		change(&r.config, &sc)
	}
	sim, err := simulated.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	r.sim = sim
	if r.config.Open == nil {
		r.config.Open = r.open
	}
	if r.config.Connect.Scheme == port.Serial {
		r.line = new(line)
	}
	r.start()
	return r
}

func (r *rig) open(ctx context.Context) (port.Port, error) {
	if r.refuse.Load() {
		return nil, fmt.Errorf("connection refused")
	}
	ours, theirs := net.Pipe()
	r.mu.Lock()
	r.conn = ours
	sim := r.sim
	r.mu.Unlock()
	if r.line != nil {
		r.serving.Go(func() { r.line.serve(theirs, sim) })
	} else {
		r.serving.Go(func() { sim.ServeConn(context.WithoutCancel(ctx), theirs) })
	}
	p := pipePort{ours, r.config.Silent}
	if wrap, ok := r.wrap.Load().(func(pipePort) port.Port); ok {
		return wrap(p), nil
	}
	return p, nil
}

// start begins a process.
func (r *rig) start() {
	r.t.Helper()
	c := r.config
	c.Ledger = r.ledger.restart()
	for _, s := range r.ledger.seqs {
		c.Sequence = max(c.Sequence, s)
	}
	c.OnStatus = func(st Status) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.statuses = append(r.statuses, st)
	}
	p, err := New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.p = p
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.done = stop, make(chan error, 1)
	go func() { r.done <- p.Run(ctx) }()
}

// crash ends the process without a word to the ledger.
func (r *rig) crash() {
	r.ledger.mu.Lock()
	r.ledger.epoch++
	r.ledger.mu.Unlock()
	r.stop()
	<-r.done
	r.config.Proof = r.p.Status().Proof // the box keeps it
}

// end stops everything and waits for it.
func (r *rig) end() {
	r.t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		r.t.Errorf("Run = %v", err)
	}
	if err := r.sim.Close(); err != nil {
		r.t.Error(err)
	}
	if r.line != nil {
		r.line.closing.Wait()
	}
	r.serving.Wait() // a printer whose memory is full does not notice that its host left
}

// settle lets d pass in the bubble.
func settle(d time.Duration) {
	time.Sleep(d) // in a bubble this is a jump
	synctest.Wait()
}

func body(n int) []byte {
	return fmt.Appendf(nil, "ORDER %d\n2 x Margherita\n  + basil\n1 x Tiramisu\nLAST %d\n", n, n)
}

// order puts a job in as an order's commit would: by the fast path when it is open.
func (r *rig) submit(j Job) JobID {
	r.next++
	n := r.next
	j.ID = jobID(n)
	if j.Body == nil {
		j.Body = body(n)
	}
	if j.Ticket == "" {
		j.Ticket = fmt.Sprintf("%d", n)
	}
	if a, ok := r.p.Claim(j.ID); ok {
		f := r.ledger.addSending(j, a)
		r.p.Handover(f.Job, a)
	} else {
		r.ledger.add(j)
		r.p.Wake()
	}
	return j.ID
}

func (r *rig) kitchen() JobID { return r.submit(Job{Reprint: true}) }

func (r *rig) job(id JobID) fakeJob { return r.ledger.look(id) }

// want checks a job's state and evidence.
func (r *rig) want(id JobID, state State, evidence Evidence) {
	r.t.Helper()
	if j := r.job(id); j.State != state || j.evidence != evidence {
		r.t.Errorf("job %s is %s with evidence %q, want %s with %q\n%s", id, j.State, j.evidence, state, evidence, r.ledger.describe())
	}
}

// wait lets time pass until every job is settled, limit at most.
func (r *rig) wait(limit time.Duration) {
	r.t.Helper()
	for end := time.Now().Add(limit); !r.ledger.allSettled(); {
		if time.Now().After(end) {
			r.t.Errorf("not all settled after %v:\n%s%+v\n%+v", limit, r.ledger.describe(), r.p.Status(), r.sim.State())
			return
		}
		settle(time.Second)
	}
}

func (r *rig) inject(f simulated.Fault) {
	r.t.Helper()
	if err := r.sim.Inject(f); err != nil {
		r.t.Fatal(err)
	}
}

var (
	lastLine = regexp.MustCompile(`(?m)^LAST (\d+)`)
	tailLine = regexp.MustCompile(`(?m)^\s*END \d+.*\n`)
)

// copies counts the whole copies of each job on paper, those without banner apart, and the order of first copies.
func (r *rig) copies() (plain, all map[int]int, order []int) {
	plain, all = map[int]int{}, map[int]int{}
	for _, t := range r.sim.Tickets() {
		readCopies(t.Text, func(n int, banner bool) {
			if all[n]++; all[n] == 1 {
				order = append(order, n)
			}
			if !banner {
				plain[n]++
			}
		})
	}
	return plain, all, order
}

// readCopies finds the whole copies on a piece of paper.
func readCopies(text string, found func(n int, banner bool)) {
	for _, part := range tailLine.Split(text, -1) {
		from := 0
		for _, at := range lastLine.FindAllStringSubmatchIndex(part, -1) {
			// A piece of paper that lost its end hangs before the banner of the next, or before one that has none. The line
			// under a banner tells its head from its foot.
			n, _ := strconv.Atoi(part[at[2]:at[3]])
			found(n, strings.Contains(part[from:at[0]], "REPRINT") && strings.Contains(part[from:at[0]], "ticket "))
			from = at[1]
		}
	}
}

func (r *rig) paper() string {
	s := ""
	for _, t := range r.sim.Tickets() {
		s += t.Text + "---- " + string(t.Ended) + "\n"
	}
	return s + r.sim.Paper()
}

// clear throws the printer's buffers away, as its own panel or another program would.
func (r *rig) clear() {
	r.t.Helper()
	r.mu.Lock()
	c := r.conn
	r.mu.Unlock()
	if _, err := c.Write(escpos.AppendClear(nil)); err != nil {
		r.t.Fatal(err)
	}
}

// simulatedCuts makes a printer cut n times for somebody else.
func simulatedCuts(sim *simulated.Printer, n int) (int, error) {
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- sim.ServeConn(context.Background(), theirs) }()
	for range n {
		if _, err := ours.Write([]byte("x\n\x1dVB\x00")); err != nil {
			return n, err
		}
	}
	ours.Close()
	return n, <-done
}
