package xmlpos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aboyeur/protocol/ifc"
)

// A Link is the vendor's side of XML_POS: it keeps one connection to the interface server, and exchanges on it. Run owns
// the connection; the other methods may be called from any goroutine at any time.
type Link struct {
	c Config

	sending chan struct{} // holds a token while nobody sends; keeps elements in one order

	mu      sync.Mutex // guards what follows; never held during I/O
	state   State
	since   time.Time
	cause   error
	conn    ifc.Conn // of the session under way; set while Up
	torn    error    // why a send closed it
	waiting map[uint32]*exchange
	stats   Stats
}

// An exchange waits for its answer.
type exchange struct {
	session ifc.Conn // the connection it was sent on
	inquiry bool     // a PostList is an answer too
	done    chan result
}

type result struct {
	reply Reply
	err   error
}

// Defaults for a Config left at zero (spec/fias.md 1.5, 3.9, 6.9, 10.1).
const (
	DefaultVersion = "1.0"
	DefaultStart   = 30 * time.Second
	DefaultAnswer  = 60 * time.Second
	DefaultIdle    = 5 * time.Minute
	DefaultSilence = 30 * time.Second
)

// Config of a Link.
type Config struct {
	// Dial opens a connection; required. ctx bounds the attempt only.
	Dial    func(ctx context.Context) (ifc.Conn, error)
	Dialect Dialect
	Version string // of LinkDescription; "" means DefaultVersion

	Start   time.Duration // until the server's LinkAlive after our LinkDescription; 0 means DefaultStart
	Answer  time.Duration // until the answer to an inquiry or a posting; 0 means DefaultAnswer
	Idle    time.Duration // nothing received for so long: LinkStart asks whether the server is there; 0 means DefaultIdle
	Silence time.Duration // and nothing received for so long after it: the connection is given up; 0 means DefaultSilence
	Backoff ifc.Backoff   // between connections

	// Now is the hotel's wall clock, which elements carry; nil means time.Now.
	Now func() time.Time
	// Answered is given each answer to a posting that somebody waits for: before that caller has it, and before a serial line
	// acknowledges it where ifc.Options.Hold is set, so that what it puts on disk is safe. It is called on the link's
	// goroutine, which waits for it, and must not call a method of the Link that waits.
	Answered func(*PostAnswer)
	// Late is given each answer that nobody waits for: one that came after its time or for a request of an earlier
	// connection or of an earlier life of the program. It is called on the link's goroutine and must not block. nil drops
	// them.
	Late func(Reply)
	// Changed is called after each change of Status; it must not block.
	Changed func(Status)
	Log     *slog.Logger // nil means slog.Default
}

// State of a Link.
type State string

// The states.
const (
	Down       State = "down" // no connection; Status.Err has the cause
	Connecting State = "connecting"
	Describing State = "describing" // connected, LinkDescription sent, no LinkAlive yet
	Up         State = "up"
)

// Status is a Link at one moment.
type Status struct {
	State State
	Since time.Time
	Err   error // why it is down, or why it was last; nil at first and once it is up
	Stats Stats
}

// Stats counts since the Link was made.
type Stats struct {
	Connections uint64
	Sent        uint64
	Received    uint64
	Faulty      uint64 // elements that could not be read, or not in all
	Ignored     uint64 // elements that are not for a vendor, or of no kind that is known
	Late        uint64 // answers nobody waited for
}

// A Reply is the answer to an inquiry or a posting: one of both.
type Reply struct {
	List   *PostList
	Answer *PostAnswer
}

// Sequence is the number of the request that r answers.
func (r Reply) Sequence() uint32 {
	if r.List != nil {
		return r.List.Sequence
	}
	return r.Answer.Sequence
}

// Errors of an exchange. Each error of Inquire and Post also is ifc.ErrNotSent, when the server has certainly not got the
// request, or ifc.ErrUncertain, when it may have.
var (
	ErrDown     = errors.New("the link to the hotel is down")
	ErrSilent   = errors.New("no answer in time")
	ErrLost     = errors.New("the connection ended before the answer came")
	ErrInUse    = errors.New("another request with this sequence number waits for its answer")
	ErrGarbled  = errors.New("the answer could not be understood")
	ErrLinkOver = errors.New("the server ended the link")
)

// An ExchangeError is the failure of one inquiry or posting.
type ExchangeError struct {
	Element  string
	Sequence uint32
	Left     bool // the request, or part of it, may have reached the server
	Err      error
}

func (e *ExchangeError) Error() string {
	return fmt.Sprintf("%s %d: %v", e.Element, e.Sequence, e.Err)
}

// Is makes errors.Is with ifc.ErrNotSent and ifc.ErrUncertain work.
func (e *ExchangeError) Is(target error) bool {
	return target == ifc.ErrNotSent && !e.Left || target == ifc.ErrUncertain && e.Left
}

func (e *ExchangeError) Unwrap() error { return e.Err }

// NewLink checks c and makes a Link of it that is down until Run.
func NewLink(c Config) (*Link, error) {
	if c.Dial == nil {
		return nil, errors.New("xmlpos: Config.Dial is missing")
	}
	switch c.Dialect.charset() {
	case UTF8, Windows1252:
	default:
		return nil, fmt.Errorf("xmlpos: unknown charset %q; use %s or %s", c.Dialect.Charset, UTF8, Windows1252)
	}
	if c.Version == "" {
		c.Version = DefaultVersion
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&c.Start, DefaultStart}, {&c.Answer, DefaultAnswer}, {&c.Idle, DefaultIdle}, {&c.Silence, DefaultSilence}} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	l := &Link{c: c, state: Down, since: time.Now(), sending: make(chan struct{}, 1), waiting: map[uint32]*exchange{}}
	l.sending <- struct{}{}
	if err := (&LinkDescription{At: time.Now(), Version: c.Version}).Check(); err != nil {
		return nil, fmt.Errorf("xmlpos: %w", err)
	}
	return l, nil
}

// Status tells how the link is.
func (l *Link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Status{State: l.state, Since: l.since, Err: l.cause, Stats: l.stats}
}

// turn changes the state.
func (l *Link) turn(to State, cause error) {
	l.mu.Lock()
	changed := l.state != to
	if changed {
		l.state, l.since = to, time.Now()
	}
	if to == Down {
		l.conn = nil
	}
	if cause != nil || to == Up {
		l.cause = cause
	}
	st := Status{State: l.state, Since: l.since, Err: l.cause, Stats: l.stats}
	l.mu.Unlock()
	if changed && l.c.Changed != nil {
		l.c.Changed(st)
	}
}

// Run connects, keeps the link and connects again with growing pauses until ctx ends. It returns nil then.
func (l *Link) Run(ctx context.Context) error {
	backoff := l.c.Backoff
	for {
		l.turn(Connecting, nil)
		up, err := l.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		l.c.Log.Warn("hotel link down", "link", "xmlpos", "err", err)
		if up {
			backoff.Reset()
		}
		pause := time.NewTimer(backoff.Next())
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil
		}
	}
}

// connect is one connection from its beginning to its end. up tells that the server has been alive on it.
func (l *Link) connect(ctx context.Context) (up bool, err error) {
	conn, err := l.c.Dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		l.turn(Down, err)
		return false, err
	}
	l.mu.Lock()
	l.conn, l.torn = conn, nil
	l.stats.Connections++
	l.mu.Unlock()
	// A send under way does not outlive ctx.
	release := context.AfterFunc(ctx, func() { conn.Close() })
	s := &session{l: l, conn: conn}
	err = s.run(ctx)
	release()
	l.mu.Lock()
	if l.torn != nil {
		err = l.torn
	}
	l.mu.Unlock()
	if ctx.Err() != nil {
		err = nil
	}
	// First what others see: nobody is to find the link up and have a request refused.
	l.turn(Down, err)
	conn.Close()
	l.fail(conn, s.why(err))
	return s.up, err
}

// fail ends the exchanges of a connection that is over.
func (l *Link) fail(conn ifc.Conn, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, x := range l.waiting {
		if x.session == conn {
			delete(l.waiting, n)
			x.done <- result{err: err}
		}
	}
}

// Inquire asks for guests and waits for the list, or for the answer that says why there is none. q.Sequence is the
// caller's and must not be in use. Errors are *ExchangeError; repeating an inquiry harms nothing.
func (l *Link) Inquire(ctx context.Context, q *PostInquiry) (Reply, error) {
	return l.exchange(ctx, q, q.Sequence, true)
}

// Post posts a charge and waits for its answer. Errors are *ExchangeError. After one that is ifc.ErrUncertain the charge
// may stand on the guest's bill: it is never sent again, and its answer may still come to Config.Late.
func (l *Link) Post(ctx context.Context, r *PostRequest) (*PostAnswer, error) {
	reply, err := l.exchange(ctx, r, r.Sequence, false)
	return reply.Answer, err
}

func (l *Link) exchange(ctx context.Context, e Element, sequence uint32, inquiry bool) (Reply, error) {
	fail := func(left bool, err error) (Reply, error) {
		return Reply{}, &ExchangeError{Element: e.Name(), Sequence: sequence, Left: left, Err: err}
	}
	record, err := l.c.Dialect.Append(make([]byte, 0, 1024), e)
	if err != nil {
		return fail(false, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(false, err)
	}
	x := &exchange{inquiry: inquiry, done: make(chan result, 1)}
	l.mu.Lock()
	switch {
	case l.state != Up:
		err = ErrDown
	case l.waiting[sequence] != nil:
		err = ErrInUse
	default:
		// Before the bytes leave: the answer may be faster than Send's return.
		x.session = l.conn
		l.waiting[sequence] = x
	}
	l.mu.Unlock()
	if err != nil {
		return fail(false, err)
	}
	if err := l.send(ctx, x.session, record); err != nil {
		// On a serial line an answer proves more than a missing ACK.
		if r, ok := l.withdraw(sequence, x); ok && r.err == nil {
			return r.reply, nil
		}
		return fail(!errors.Is(err, ifc.ErrNotSent), err)
	}
	timer := time.NewTimer(l.c.Answer)
	defer timer.Stop()
	select {
	case r := <-x.done:
		if r.err != nil {
			return fail(true, r.err)
		}
		return r.reply, nil
	case <-timer.C:
		err = ErrSilent
	case <-ctx.Done():
		err = ctx.Err()
	}
	if r, ok := l.withdraw(sequence, x); ok && r.err == nil {
		return r.reply, nil // it came in the same moment
	}
	return fail(true, err)
}

// withdraw stops waiting, unless the result has come.
func (l *Link) withdraw(sequence uint32, x *exchange) (result, bool) {
	l.mu.Lock()
	if l.waiting[sequence] == x {
		delete(l.waiting, sequence)
		l.mu.Unlock()
		return result{}, false
	}
	l.mu.Unlock()
	return <-x.done, true // whoever took x out sends it
}

// send puts one record on the line. Once it began, the end of ctx does not tear it: half a frame would end the connection
// for everybody.
func (l *Link) send(ctx context.Context, conn ifc.Conn, record []byte) error {
	select {
	case <-l.sending:
	case <-ctx.Done():
		return &ifc.SendError{Err: ctx.Err()}
	}
	defer func() { l.sending <- struct{}{} }()
	if err := ctx.Err(); err != nil {
		return &ifc.SendError{Err: err}
	}
	err := conn.Send(context.WithoutCancel(ctx), record)
	switch {
	case err == nil:
		l.count(func(s *Stats) { s.Sent++ })
	case !survivable(err):
		l.mu.Lock()
		if l.torn == nil && l.conn == conn {
			l.torn = err
		}
		l.mu.Unlock()
		conn.Close()
	}
	return err
}

// survivable reports a send that failed on a line that still is one.
func survivable(err error) bool {
	for _, e := range []error{ifc.ErrRefused, ifc.ErrNoAnswer, ifc.ErrDoubt, ifc.ErrReserved, ifc.ErrTooLong} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (l *Link) count(f func(*Stats)) {
	l.mu.Lock()
	f(&l.stats)
	l.mu.Unlock()
}

// settle brings a reply to the exchange that waits for it, else to Late.
func (l *Link) settle(r Reply, err error) {
	l.mu.Lock()
	x := l.waiting[r.Sequence()]
	if x != nil && (r.Answer != nil || x.inquiry) {
		delete(l.waiting, r.Sequence()) // from here on x waits for us only
		l.mu.Unlock()
		if !x.inquiry && err == nil && l.c.Answered != nil {
			l.c.Answered(r.Answer)
		}
		x.done <- result{reply: r, err: err}
		return
	}
	l.stats.Late++
	l.mu.Unlock()
	if err == nil && r.Sequence() != 0 && l.c.Late != nil {
		l.c.Late(r)
	}
}
