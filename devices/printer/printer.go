package printer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
)

// A Printer drives one ESC/POS printer. Run owns the device; the other methods may be called from anywhere.
type Printer struct {
	c        Config
	log      *slog.Logger
	envelope *envelope
	running  atomic.Bool

	wake     chan struct{} // 1: something changed
	handover chan handed   // 1: there is one claim at a time

	telling sync.Mutex // keeps OnStatus calls in order; taken before mu

	mu       sync.Mutex // guards what follows; held for memory only
	status   Status
	sequence uint32 // last given
	open     bool   // idle and well: a claim may have it
	queued   bool   // the ledger may hold a job
	claimed  bool   // a claim was given, its job has not come
	claim    JobID
	paused   bool
	recover  bool // a person wants the printer to go on after a recoverable error
	clear    bool // a person wants unwanted thrown away
	unwanted JobID
	known    []Known // printers seen here, the newest last
	forget   bool    // a person says that another one stands here
	connect  port.Address

	// The owner goroutine's own, kept over a restart of Run.
	hand   *hand // the job in hand, nil: none
	one    hand  // its memory
	held   string
	proof  Proof // what the printer could do when last asked
	mem    memory
	cuts   cutCounter
	counts Counts

	lastP, lastC [4]byte // of the last job dropped
	stale        int     // answers to GS r that older connections still owe
}

// Defaults for a Config left at zero.
const (
	DefaultReconnect     = 2 * time.Second // first pause; doubles with jitter up to DefaultReconnectMax
	DefaultReconnectMax  = time.Minute
	DefaultKeepAlive     = 30 * time.Second // idle boards close after 90 s to 10 min (spec/escpos.md 13)
	DefaultAnswerTimeout = 3 * time.Second  // for an answer that nothing delays
	DefaultMargin        = 5 * time.Second  // beyond the printing time before anybody asks what is wrong
	DefaultPoll          = 2 * time.Second  // between questions to a printer in trouble
	DefaultStall         = 5 * time.Second  // no byte taken for this long: the printer has a fault
	DefaultGone          = time.Minute      // a peer whose kernel is silent for this long is gone
	DefaultFinish        = 5 * time.Second  // for the job in hand when Run is to end
)

// A Config says which printer, and how patient to be with it. Zero durations mean the defaults.
type Config struct {
	Name     string
	Connect  port.Address
	Open     func(ctx context.Context) (port.Port, error) // nil means port.Open of Connect
	Profile  escpos.Profile                               // zero means escpos.DefaultModel
	Language string                                       // of Words and bodies, as escpos.AppendInit takes it
	Ledger   Ledger                                       // required
	Sequence uint32                                       // the last sequence number used, from the ledger
	Silent   bool                                         // it never answers anything: do not ask
	// Proof is what this very printer (maker, model, firmware, serial) could prove when last asked. With it a new process
	// knows that a printer which does not answer is busy or stuck. "" when nobody knows.
	Proof Proof
	// Known are the printers that stood here before, as Printer.Known gave them, so that a spare which proves less is told
	// from a printer that is stuck.
	Known  []Known
	Paused bool // it begins paused, as before a restart
	Words  Words
	Zone   *time.Location // of times on paper; nil means UTC
	Now    func() time.Time
	Log    *slog.Logger // nil means slog.Default
	// OnStatus gets each change, in order. It must not block, nor call anything of the printer but Status.
	OnStatus func(Status)
	// TrustCutCounter lets the maintenance counter of cuts resolve unknown outcomes. Only for models on which it was
	// measured to survive a power cut (spec/escpos.md 10.9).
	TrustCutCounter bool

	Reconnect, ReconnectMax, KeepAlive, AnswerTimeout, Margin, Poll, Stall, Gone, Finish time.Duration
}

// New checks c, fills its defaults and starts nothing.
func New(c Config) (*Printer, error) {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("printer has no name"))
	}
	if c.Ledger == nil {
		errs = append(errs, fmt.Errorf("printer %s has no ledger", c.Name))
	}
	if c.Open == nil && c.Connect == (port.Address{}) {
		errs = append(errs, fmt.Errorf("printer %s has no address", c.Name))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if c.Profile.Name == "" {
		c.Profile, _ = escpos.ProfileFor(escpos.DefaultModel)
	}
	if c.Proof == "" {
		c.Proof = ProofUnknown
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
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.Reconnect, DefaultReconnect}, {&c.ReconnectMax, DefaultReconnectMax}, {&c.KeepAlive, DefaultKeepAlive},
		{&c.AnswerTimeout, DefaultAnswerTimeout}, {&c.Margin, DefaultMargin}, {&c.Poll, DefaultPoll},
		{&c.Stall, DefaultStall}, {&c.Gone, DefaultGone}, {&c.Finish, DefaultFinish},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	p := &Printer{
		c: c, log: c.Log.With("printer", c.Name), envelope: newEnvelope(c.Profile, c.Language, c.Words, c.Zone),
		wake: make(chan struct{}, 1), handover: make(chan handed, 1),
		sequence: c.Sequence, queued: true, proof: c.Proof, stale: 1, // a former process may have asked
		paused: c.Paused, connect: c.Connect,
	}
	if c.Open == nil {
		p.c.Open = func(ctx context.Context) (port.Port, error) { return port.Open(ctx, p.address(), port.Options{}) }
	}
	p.mem.fences = rand.Uint64() // a late answer to an earlier process is not taken for one to this
	p.status = Status{
		Name: c.Name, Address: c.Connect.String(), State: Connecting, Paper: PaperUnknown, Proof: c.Proof,
		Sequence: c.Sequence, Since: c.Now(), Paused: c.Paused,
	}
	for _, k := range c.Known {
		p.remember(k)
	}
	if n := len(p.known); n > 0 && c.Proof == ProofUnknown {
		p.proof, p.status.Proof = p.known[n-1].Proof, p.known[n-1].Proof
	}
	return p, nil
}

// Run owns the printer until ctx ends: it connects, again and again, and prints what the ledger and Handover give. When
// ctx ends it finishes the job in hand, for Config.Finish at most, and returns nil.
func (p *Printer) Run(ctx context.Context) error {
	if !p.running.CompareAndSwap(false, true) {
		return fmt.Errorf("printer %s runs already", p.c.Name)
	}
	defer p.running.Store(false)
	defer p.shut()
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(p.c.Finish)
		defer t.Stop()
		select {
		case <-t.C:
			end()
		case <-life.Done():
		}
	})
	defer stop()
	if h := p.hand; h != nil && !h.gotP && h.state != Unknown && h.state != Cleared && h.state != Held { // a former Run broke off
		p.lost(h, ReasonRestart)
	}
	for failures := 0; ; {
		began := time.Now()
		useful, err := p.connection(ctx, life)
		if ctx.Err() != nil {
			return nil
		}
		if useful {
			failures = 0
		}
		if failures == 0 { // then it is shown, and every attempt is the same
			p.log.Warn("printer not connected", "err", err)
		}
		if useful && time.Since(began) > p.c.Reconnect {
			continue // it did work for a while: try at once
		}
		p.backOff(ctx, failures, began)
		failures++
		if ctx.Err() != nil {
			return nil
		}
	}
}

// backOff waits before the next attempt to connect. Wake shortens it, to Config.Reconnect from the last attempt's
// beginning at least.
func (p *Printer) backOff(ctx context.Context, failures int, began time.Time) {
	d := min(p.c.Reconnect<<min(failures, 16), p.c.ReconnectMax)
	d = d*3/4 + rand.N(d/2+1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-p.wake:
			timer.Reset(min(time.Until(began.Add(p.c.Reconnect)), d))
		}
	}
}

// connection is the life of one connection. useful says that the printer answered.
func (p *Printer) connection(ctx, life context.Context) (useful bool, err error) {
	port, err := p.c.Open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return false, err
		}
		p.away(unreachable(err), err)
		return false, err
	}
	s := newSession(p, port)
	defer func() {
		p.shut()
		s.close()
		if ctx.Err() == nil {
			p.away(s.reason(err), err)
		} else { // the program ends; the printer is as well as it was
			p.show(func(st *Status) { st.Up, st.AutoStatus, st.State, st.Paper = false, false, Connecting, PaperUnknown })
		}
		p.dropClaim(life)
	}()
	if err := s.hello(ctx); err != nil {
		return false, err
	}
	p.counts.Connects++
	s.greeted = true
	p.log.Info("printer connected")
	p.tell(s)
	if h := p.hand; h != nil && h.state != Held {
		if err := s.resolve(life, h); err != nil {
			return true, err
		}
	}
	return true, s.serve(ctx, life)
}

// away publishes that there is no connection.
func (p *Printer) away(reason string, err error) {
	detail := ""
	if err != nil {
		detail = err.Error()
	}
	p.show(func(st *Status) {
		st.Up, st.AutoStatus, st.State, st.Paper = false, false, Connecting, PaperUnknown
		st.Reason, st.Detail = reason, detail
	})
	p.hold(reason)
}

func unreachable(err error) string {
	if errors.Is(err, port.ErrNotInThisBuild) {
		return ReasonUnsupported
	}
	return ReasonUnreachable
}

// dropClaim waits for the job of a claim given before the connection ended, and holds it: nothing of it was sent.
func (p *Printer) dropClaim(life context.Context) {
	for p.shut() {
		select {
		case j := <-p.handover:
			p.accepted()
			p.heldBack(p.begin(j.job, j.attempt), ReasonLinkLost)
		case <-p.wake: // perhaps Unclaim
		case <-life.Done():
			return
		}
	}
}

// hold tells the ledger that its jobs must wait; unhold that they need not.
func (p *Printer) hold(reason string) {
	if reason != "" && p.held != reason {
		p.held = reason
		p.c.Ledger.Hold(reason)
	}
}

func (p *Printer) unhold() {
	if p.held != "" {
		p.held = ""
		p.c.Ledger.Unhold()
		p.remarkQueued()
	}
}
