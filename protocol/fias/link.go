package fias

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aboyeur/protocol/ifc"
)

// Defaults for a LinkConfig left at zero (fias.md 1.5, 3.3, 3.4, 6.9, 7).
const (
	DefaultStartWait     = 3 * time.Second  // for the hotel's LS after connecting
	DefaultAliveWait     = 30 * time.Second // for its LA after our description
	DefaultIdle          = 5 * time.Minute  // nothing heard: ask with LS; the hotel wants it no more often
	DefaultIdleAnswer    = 30 * time.Second // for anything after that LS
	DefaultEndWait       = 2 * time.Second  // for its LE after ours
	DefaultInquiryWait   = 60 * time.Second
	DefaultPostWait      = 60 * time.Second // PR
	DefaultSimpleWait    = 30 * time.Second // PS
	DefaultSwapStart     = 30 * time.Second // for DS after DR
	DefaultSwapLimit     = 60 * time.Second // for DE after the last record of a resync
	DefaultNightLimit    = 4 * time.Hour    // NS without NE ends by itself
	DefaultFamily        = FamilyPOS
	DefaultVersion       = "1.0"
	descriptionsInARow   = 2 // that many at once; further LS wait out the debounce
	descriptionsDebounce = 3 * time.Second
	remembered           = 256 // numbers answered that are kept to tell a duplicate from a stranger
)

// Faults of a link.
var (
	ErrSilent = errors.New("no answer in time")
	ErrEnded  = errors.New("the hotel ended the link")
	ErrDown   = errors.New("the link to the hotel is not up")
	ErrNight  = errors.New("the hotel's night audit is running")
	ErrInUse  = errors.New("the posting number is in use")
)

// A LinkState is where a link stands.
type LinkState string

// The states.
const (
	Starting   LinkState = "starting"   // connected, waiting for the hotel's LS
	Describing LinkState = "describing" // LD, LR, LA are out, the hotel's LA is not in
	Alive      LinkState = "alive"      // records flow
	Ended      LinkState = "ended"      // serial: the hotel said LE; its next record starts the link again
	Closed     LinkState = "closed"
)

// LinkConfig says how the vendor's side of a link behaves. Zero values are the defaults above.
type LinkConfig struct {
	Family  string       // IF
	Version string       // V#, at most 10 characters
	Request int          // RT; 0 means payment methods and the PMS version, or as the key needs it
	Records []LinkRecord // LR; nil means POSRecords
	Codec   Codec
	Key     *Key // IfcAuthKey; nil: none

	StartWait, AliveWait, Idle, IdleAnswer, EndWait time.Duration
	InquiryWait, PostWait, SimpleWait               time.Duration
	SwapStart, SwapLimit, NightLimit                time.Duration

	NightSince  time.Time // of the connection before: its NS has had no NE yet
	PostAtNight bool      // send postings between NS and NE; the hotel answers NA. Else Post returns ErrNight
	Serial      bool      // the line outlasts an LE; set by NewLink for an *ifc.Line

	Hooks Hooks
	Now   func() time.Time // the clock of DA and TI; nil means time.Now
	Log   *slog.Logger     // nil means slog.Default
}

// Hooks are called by Run, in the order of the records, and keep it waiting. None may call a method of the Link that waits.
type Hooks struct {
	State func(LinkStatus)            // the state, night or swap changed
	Guest func(GuestRecord)           // GI, GC, GO
	Night func(on bool, at time.Time) // NS, NE; a zero at: the limit passed
	Swap  func(on bool, at time.Time) // DS, DE; a zero at: the limit passed
	// Answer is told of every PA to a posting before its caller is, and before a serial line acknowledges it (see
	// ifc.Options.Hold): what it puts on disk is safe. It runs while the caller waits.
	Answer func(PostingAnswer, Fit)
	Other  func(*Record) // records of no other use here; good during the call
}

// A Fit says how an answer fits what was asked.
type Fit string

// The fits.
const (
	InTime    Fit = "in time"   // its posting waits for it
	Duplicate Fit = "duplicate" // its posting was answered on this connection before
	Unasked   Fit = "unasked"   // nobody waits: it is late, or of another connection, or has a wrong number
)

// LinkStatus is what a link tells of itself.
type LinkStatus struct {
	State         LinkState
	Since         time.Time          // of the state
	Heard         time.Time          // the last record; zero: none yet
	Configuration *LinkConfiguration // LC; nil: none yet
	Night         bool               // between NS and NE
	NightSince    time.Time
	Swap          bool // between DS and DE
	Waiting       int  // requests without an answer

	swaps int // DS so far
}

// A RequestError says that a request has no answer. errors.Is(err, ifc.ErrNotSent) tells that the hotel has certainly not
// got it, errors.Is(err, ifc.ErrUncertain) that it may have acted on it.
type RequestError struct {
	Record Tag
	Number int
	Sent   bool // a byte of it may have reached the hotel
	Err    error
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("record %s number %d: %v", e.Record, e.Number, e.Err)
}

func (e *RequestError) Unwrap() error { return e.Err }

// Is makes the two outcomes work with errors.Is.
func (e *RequestError) Is(target error) bool {
	return target == ifc.ErrNotSent && !e.Sent || target == ifc.ErrUncertain && e.Sent
}

// An AnswerError is an inquiry that was answered with a status instead of a list: mostly that nobody was found.
type AnswerError struct{ Answer PostingAnswer }

func (e *AnswerError) Error() string {
	if e.Answer.Text == "" {
		return fmt.Sprintf("the hotel answered %s, %s", e.Answer.Status, e.Answer.Status.Info().Meaning)
	}
	return fmt.Sprintf("the hotel answered %s, %s", e.Answer.Status, e.Answer.Text)
}

// A Link is the vendor's side of one connection to IFC8 (fias.md 3.9). Run keeps it; meanwhile any goroutine may inquire
// and post. The caller makes a new Link for each connection, with ifc.Backoff between them. What a connection leaves
// unanswered the next one does not answer (fias.md 3.5).
type Link struct {
	conn ifc.Conn
	c    LinkConfig

	simple chan struct{} // holds a token while no PS is out: one at a time (fias.md 6.1)
	resync chan struct{} // the same for DR
	gone   chan struct{} // closed when Run ends

	mu       sync.Mutex // guards what follows; not held during I/O
	status   LinkStatus
	changed  chan struct{} // closed and made anew whenever status changes
	pending  map[int]*request
	unnamed  *request // the PS that is out: its answer may lack P#
	owed     int      // PS given up, whose answers may still come without P#
	answered []int    // a ring of the last numbers answered
	oldest   int

	run run // of the goroutine of Run alone
}

// run is the state of the hand-shake.
type run struct {
	stamp      string    // of the last LS; "" before the first
	until      time.Time // the state must have changed by then
	heard      time.Time
	asked      bool // the keep-alive LS is out
	described  []time.Time
	again      time.Time // a description that was put off; zero: none
	nightUntil time.Time
	swapUntil  time.Time
}

// A request is what waits for an answer.
type request struct {
	record  Tag
	inquiry bool
	claimed bool       // its answer is in, and will be in reply
	reply   chan reply // 1: whoever delivers never waits
}

type reply struct {
	list   PostingList
	answer PostingAnswer
	listed bool
}

// NewLink makes the vendor's side of a connection that is open. It starts nothing.
func NewLink(conn ifc.Conn, c LinkConfig) *Link {
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&c.StartWait, DefaultStartWait}, {&c.AliveWait, DefaultAliveWait}, {&c.Idle, DefaultIdle},
		{&c.IdleAnswer, DefaultIdleAnswer}, {&c.EndWait, DefaultEndWait}, {&c.InquiryWait, DefaultInquiryWait},
		{&c.PostWait, DefaultPostWait}, {&c.SimpleWait, DefaultSimpleWait}, {&c.SwapStart, DefaultSwapStart},
		{&c.SwapLimit, DefaultSwapLimit}, {&c.NightLimit, DefaultNightLimit},
	} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	if c.Family == "" {
		c.Family = DefaultFamily
	}
	if c.Version == "" {
		c.Version = DefaultVersion
	}
	if c.Request == 0 {
		c.Request = WantPaymentMethods | WantPMSVersion
	}
	if c.Records == nil {
		c.Records = POSRecords()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if _, ok := conn.(*ifc.Line); ok {
		c.Serial = true
	}
	l := &Link{
		conn: conn, c: c, simple: make(chan struct{}, 1), resync: make(chan struct{}, 1), gone: make(chan struct{}),
		changed: make(chan struct{}), pending: map[int]*request{},
		status: LinkStatus{State: Starting, Since: c.Now(), Night: !c.NightSince.IsZero(), NightSince: c.NightSince},
	}
	l.simple <- struct{}{}
	l.resync <- struct{}{}
	return l
}

// Status is where the link stands.
func (l *Link) Status() LinkStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	s.Waiting = len(l.pending)
	return s
}

// WaitAlive waits until records flow. It returns ErrDown when the link ends first.
func (l *Link) WaitAlive(ctx context.Context) error {
	return l.wait(ctx, func(s LinkStatus) bool { return s.State == Alive })
}

// wait waits until ok, ctx ends or the link does.
func (l *Link) wait(ctx context.Context, ok func(LinkStatus) bool) error {
	for {
		l.mu.Lock()
		s, changed := l.status, l.changed
		l.mu.Unlock()
		switch {
		case ok(s):
			return nil
		case s.State == Closed:
			return ErrDown
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change changes the status and tells of it.
func (l *Link) change(f func(*LinkStatus)) {
	l.mu.Lock()
	before := l.status
	f(&l.status)
	now := l.status
	if now.State != before.State {
		now.Since = l.c.Now()
		l.status.Since = now.Since
	}
	news := now.State != before.State || now.Night != before.Night || now.swaps != before.swaps || now.Swap != before.Swap ||
		now.Configuration != before.Configuration
	if news {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.mu.Unlock()
	if news && l.c.Hooks.State != nil {
		l.c.Hooks.State(now)
	}
}
