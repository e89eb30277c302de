package folio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
)

// Defaults for a Config left at zero.
const (
	DefaultAnswerTimeout = 60 * time.Second // for the answer to an inquiry or a posting (spec/fias.md 6.9)
	DefaultRevenueEvery  = 30 * time.Minute
	DefaultClose         = 5*time.Hour + 30*time.Minute
	DefaultInFlight      = 32 // postings at the hotel at a time
)

// Pauses before a queued posting is tried again: the first, doubled each time up to the longest.
const (
	firstRetry   = 2 * time.Second
	longestRetry = 5 * time.Minute
)

// Errors of the service that callers decide on.
var (
	ErrNone    = errors.New("there is no such posting")
	ErrOther   = errors.New("the Idempotency-Key was used for another request")
	ErrState   = errors.New("its state does not allow that")
	ErrExceeds = errors.New("is more than what is left of the original")
)

// ErrBusy refuses a charge because Config.InFlight are at the hotel. Nothing was done. It is a problem of the API, so that it
// passes through other features as one.
var ErrBusy error = &api.Problem{Status: http.StatusServiceUnavailable, Code: "busy", Detail: "too many charges are under way; try again in a moment", RetryAfter: time.Second}

// Outlet is a place that sells, and its number in the hotel system.
type Outlet struct {
	Name string `json:"name"`
	Code int    `json:"code" minimum:"1" maximum:"99999"`
}

// PaymentMethod is the room payment as tills know it.
type PaymentMethod struct {
	Type string `json:"type" enum:"room"`
	Code string `json:"code" enum:"IKPMS"`
	Name string `json:"name"`
}

// Config of a Service. Journal, PMS and Calendar.Location are required.
type Config struct {
	Journal  *journal.Journal
	PMS      PMS
	Calendar Calendar // Close 0 means DefaultClose
	Currency string
	Language string // of the messages to staff: en or fr

	Dialect string // fias, xmlpos, ohip
	Address string // of the hotel system, as the configuration has it
	Version string // of the hotel system, where it does not tell itself
	Branch  string // "", E10, E17, E24, E43

	// Initial values of settings.
	Method      PaymentMethod
	TransmitAll bool
	Outlets     []Outlet
	Mapping     []Rule

	RevenueAccount string        // the paymaster that batches are posted to; "": no batches
	RevenueEvery   time.Duration // 0 means DefaultRevenueEvery

	AnswerTimeout time.Duration // 0 means DefaultAnswerTimeout
	InFlight      int           // 0 means DefaultInFlight

	// Key gives the principal of a Lightspeed till's apiKey; nil: none is known.
	Key func(apiKey string) (access.Principal, bool)
	// Settled is called within the transaction in which a posting of a sale is posted, refused or unknown; may be nil.
	Settled func(tx *journal.Tx, sale string, p Posting) error
	// Dial tries an address for the settings page; nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Warnings   *warning.Board
	Now        func() time.Time // nil means time.Now
	Log        *slog.Logger     // nil means slog.Default
	Registerer prometheus.Registerer
}

// Service charges rooms. Its methods may be called from any goroutine.
type Service struct {
	c       Config
	words   *words.Catalogue
	numbers numbers
	metrics *metrics
	search  *searches
	mirror  mirror
	set     atomic.Pointer[settings]
	putting sync.Mutex // one change of a setting at a time
	trace   *Trace
	slots   chan struct{} // one for each posting at the hotel
	wake    chan struct{} // of size 1: the queue or the link changed
	floor   int64         // greatest key when the service was made: what is open at or below it is from before

	mu      sync.Mutex // guards what follows
	running context.Context
	tasks   sync.WaitGroup
	waiters map[int64][]outcome
	unknown int  // postings whose outcome nobody knows, for the warning
	revived bool // what a former run left open has been seen to
}

// New reads what the journal holds of settings; it starts nothing.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Journal == nil || c.PMS == nil || c.Calendar.Location == nil {
		return nil, errors.New("folio needs a journal, a hotel system and a time zone")
	}
	if c.Calendar.Close == 0 {
		c.Calendar.Close = DefaultClose
	}
	if c.AnswerTimeout <= 0 {
		c.AnswerTimeout = DefaultAnswerTimeout
	}
	if c.RevenueEvery <= 0 {
		c.RevenueEvery = DefaultRevenueEvery
	}
	if c.InFlight <= 0 {
		c.InFlight = DefaultInFlight
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
	if c.Key == nil {
		c.Key = func(string) (access.Principal, bool) { return access.Principal{}, false }
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	s := &Service{
		c: c, words: words.In(c.Language), numbers: numbers{journal: c.Journal}, slots: make(chan struct{}, c.InFlight), wake: make(chan struct{}, 1),
		waiters: map[int64][]outcome{}, floor: c.Journal.NewID().Key(),
	}
	s.search = newSearches(s)
	err := c.Journal.Read().QueryRowContext(ctx, countUnknown).Scan(&s.unknown)
	if err != nil {
		return nil, fmt.Errorf("count unknown postings: %w", err)
	}
	if err = s.loadSettings(ctx); err != nil {
		return nil, err
	}
	if err = s.loadMirror(ctx); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(c.Registerer, s); err != nil {
		return nil, err
	}
	if t, ok := c.PMS.(interface{ Trace() *Trace }); ok {
		s.trace = t.Trace()
	}
	c.PMS.Listen(s)
	return s, nil
}

// Run works the queue, makes the revenue batches and keeps what the hotel tells, until ctx ends; then it waits for the
// postings under way.
func (s *Service) Run(ctx context.Context) error {
	if err := s.revive(ctx); err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	s.mu.Lock()
	s.running = working
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		stop()
		s.tasks.Wait()
	}()
	s.noticeUnknown(0)
	s.LinkChanged(s.c.PMS.Status())
	var clock sync.WaitGroup
	var clockErr error
	clock.Go(func() {
		clockErr = s.keepTime(working)
		stop()
	})
	err := s.drain(working)
	stop()
	clock.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, clockErr)
}

// calendar is the venue's, with the closing time in force.
func (s *Service) calendar() Calendar { return Calendar{s.c.Calendar.Location, s.set.Load().Close} }

// task runs fn beside the others, as long as Run does; false: it is not running.
func (s *Service) task(what string, fn func(ctx context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return false
	}
	ctx := s.running
	s.tasks.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				s.c.Log.Error("task panicked", "task", what, "err", fmt.Sprint(v), "stack", string(debug.Stack()))
			}
		}()
		fn(ctx)
	})
	return true
}

// gate tells why nobody can be charged now; "" when the link is well.
func (s *Service) gate() string {
	st := s.c.PMS.Status()
	if s.gated(st) != nil {
		return LinkDown
	}
	switch st.State {
	case Up:
		return ""
	case NightAudit:
		return Audit
	}
	return LinkDown
}

// LinkChanged is how the link tells of itself.
func (s *Service) LinkChanged(st Status) {
	s.metrics.link(st.State == Up || st.State == NightAudit)
	switch st.State {
	case Up:
		s.lower("pms_link_down", "pms")
		s.lower("pms_night_audit", "pms")
		s.search.forget()
		s.fill()
	case NightAudit:
		s.lower("pms_link_down", "pms")
		s.raise("pms_night_audit", warning.Info, "pms")
	case Down:
		s.raise("pms_link_down", warning.Warn, "pms", st.Reason)
	}
	if err := s.gated(st); err != nil {
		s.raise("pms_version", warning.Critical, "pms", err.Error())
	} else {
		s.lower("pms_version", "pms")
	}
	s.c.Journal.Later(func(tx *journal.Tx) error {
		tx.Change("pms", "link", encode(st))
		return nil
	})
	s.stir()
}

// stir has the queue looked at.
func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) raise(code, severity, subject string, args ...any) {
	s.c.Warnings.Raise(warning.Worded(s.words, code, severity, subject, args...))
}

func (s *Service) lower(code, subject string) { s.c.Warnings.Lower(code, subject) }

// message is what staff is told of a refusal, at most 50 characters.
func (s *Service) message(state, reason string) string {
	switch state {
	case Unknown:
		return s.words.T("refusal.unknown")
	case Refused:
		if !s.words.Has("refusal." + reason) {
			reason = "general"
		}
		return s.words.T("refusal." + reason)
	}
	return ""
}
