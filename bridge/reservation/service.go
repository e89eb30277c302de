package reservation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/refusal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/booking"
)

// Errors that callers decide on.
var (
	ErrNone        = errors.New("there is no such reservation")
	ErrPlatform    = errors.New("there is no such platform here; see /v1/integrations")
	ErrOff         = errors.New("the integration is switched off; activate it first")
	ErrTaken       = errors.New("another check is open on the table")
	ErrNotSeated   = errors.New("the party is not seated; seat it first")
	ErrOver        = errors.New("the reservation is over")
	ErrLinked      = errors.New("the check belongs to another reservation")
	ErrHasCheck    = errors.New("the reservation has an open check")
	ErrCheck       = errors.New("there is no such open check")
	ErrUnsupported = errors.New("this platform does not let a till do that; do it on the platform's own screen")
	ErrDeposit     = errors.New("is more than what is left of the deposits")
	ErrOther       = errors.New("the Idempotency-Key was used for another request")
)

// Defaults for a Config left at zero.
const (
	DefaultPatience = 30 * time.Minute // a check that the till could not open until then is not opened any more
	DefaultRetry    = 5 * time.Second  // between two tries
	DefaultPoll     = 5 * time.Minute  // between two reads of a platform that tells nothing by itself
	DefaultOverlap  = 5 * time.Minute  // what a read looks back beyond the one before (spec/reservations.md 6.1)
	DefaultPending  = 15 * time.Minute // an activation that nothing confirmed is over then

	DefaultAwait = 24 * time.Hour // the same, where only a message of the platform can confirm
)

// Link is one platform of the venue.
type Link struct {
	Name     string // opentable …
	Venue    string // the platform's id of it
	Title    string // as people call the platform
	Enabled  bool
	Client   booking.Platform // nil: it only sends to the generic inbound API
	Settings Settings         // until somebody changes them in the console
	Webhook  bool             // the platform can reach us

	Credentials bool // the box has some for the platform
	Secret      bool // and the secret of its messages
}

// Calendar tells business days.
type Calendar interface {
	Day(time.Time) string
}

// Config of a Service; Journal, Floor, Relay and Calendar are required.
type Config struct {
	Journal  *journal.Journal
	Floor    Floor
	Relay    Relay
	Till     Till // nil: the floor is the POS
	Links    []Link
	Calendar Calendar
	Location *time.Location
	Currency string
	Language string
	Address  string // where clouds reach the box; "": they do not
	POS      string // the kind of till, for who links it on a platform's side

	// May refuses somebody who lacks the right to a change of settings; nil lets everybody who may change any.
	May func(by access.Principal, was, now *Settings) error

	Patience time.Duration
	Retry    time.Duration
	Poll     time.Duration

	Warnings *warning.Board
	Now      func() time.Time
	Log      *slog.Logger
}

// Service keeps the reservations. Its methods may be called from any goroutine.
type Service struct {
	c        Config
	decimals int
	words    *words.Catalogue
	links    []*integration
	wake     chan struct{} // of size 1: Run has something to do

	// opening is the party that a check is being opened for; only touched inside transactions, of which there is one at a time.
	opening journal.ID
}

// integration is a platform in memory.
type integration struct {
	Link
	can  booking.Capabilities
	wake chan struct{} // of size 1: there is something to do for the link

	settings atomic.Pointer[kept]
	unproved refusal.Unproved

	mu      sync.Mutex // guards what follows
	state   state
	strange map[string]bool // words nobody knows, told once; at most maxStrange
	asked   bool            // the platform is to be read now
	again   time.Time       // not before then is the platform called by the link's own goroutine
	tries   int             // calls since the link was switched on or off
}

// kept is settings with the revision they are of; 0 is the configuration's.
type kept struct {
	Settings
	revision int64
}

// New reads from the journal how the integrations stand.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Journal == nil || c.Floor == nil || c.Relay == nil || c.Calendar == nil {
		return nil, errors.New("reservations need a journal, a floor, a relay and a calendar")
	}
	for _, d := range []struct {
		v     *time.Duration
		value time.Duration
	}{{&c.Patience, DefaultPatience}, {&c.Retry, DefaultRetry}, {&c.Poll, DefaultPoll}} {
		if *d.v <= 0 {
			*d.v = d.value
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Warnings == nil {
		c.Warnings = warning.New(c.Now, c.Log)
	}
	s := &Service{c: c, decimals: money.Decimals(c.Currency), words: words.In(c.Language), wake: make(chan struct{}, 1)}
	for _, l := range c.Links {
		i := &integration{Link: l, strange: map[string]bool{}, wake: make(chan struct{}, 1)}
		if l.Client != nil {
			i.can = l.Client.Capabilities()
		} else {
			i.can = listener()
		}
		if err := s.loadSettings(ctx, i); err != nil {
			return nil, err
		}
		if err := s.loadState(ctx, i); err != nil {
			return nil, err
		}
		s.links = append(s.links, i)
	}
	return s, nil
}

// listener is what is known of a platform that only sends to the generic inbound API.
func listener() booking.Capabilities {
	return booking.Capabilities{Bookings: true, SeatedOpens: true, WalkIns: true, Deposits: true, Documented: true}
}

func (s *Service) link(platform string) *integration {
	for _, i := range s.links {
		if i.Name == platform {
			return i
		}
	}
	return nil
}

func settingKey(platform string) string { return "integration." + platform }

func (s *Service) loadSettings(ctx context.Context, i *integration) error {
	k := &kept{Settings: i.Link.Settings}
	stored, err := s.c.Journal.Setting(ctx, settingKey(i.Name))
	switch {
	case errors.Is(err, journal.ErrNoSetting):
	case err != nil:
		return err
	default:
		k.Settings, k.revision = Defaults(), stored.Revision
		if err := json.Unmarshal(stored.Value, &k.Settings); err != nil {
			return fmt.Errorf("setting %s: %w", stored.Key, err)
		}
	}
	k.complete()
	i.settings.Store(k)
	return nil
}

// Put changes a platform's settings, made from a revision. A *journal.ConflictError says that somebody else was faster.
func (s *Service) Put(ctx context.Context, by access.Principal, platform string, revision int64, set Settings) error {
	i := s.link(platform)
	if i == nil {
		return ErrPlatform
	}
	set.complete()
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		stored, err := tx.PutSetting(settingKey(platform), encode(set), revision, by.Name)
		if err != nil {
			return err
		}
		tx.After(func(err error) {
			if err == nil {
				fresh := set
				i.settings.Store(&kept{fresh, stored.Revision})
			}
		})
		return access.Record(tx, by, "setting", settingKey(platform), string(encode(set)))
	})
	return err
}

// raise shows a warning in the venue's language.
func (s *Service) raise(code, severity, subject string, args ...any) {
	s.c.Warnings.Raise(warning.Worded(s.words, code, severity, subject, args...))
}
