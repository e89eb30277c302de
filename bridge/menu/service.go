package menu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
)

// Errors that callers decide on.
var (
	ErrMenu      = errors.New("there is no such menu here; see /v1/menu/menus")
	ErrRun       = errors.New("there is no such run")
	ErrRunning   = errors.New("an update of this menu is under way")
	ErrNotAsking = errors.New("the run does not wait for a decision")
	ErrNoSource  = errors.New("the box does not know what the POS sells; name a menu file (pos.menu_file)")
	ErrTarget    = errors.New("the POS has nothing of that id")
)

// Defaults for a Config left at zero.
const (
	DefaultPoll     = 5 * time.Second  // between two looks at a job of an aggregator
	DefaultPatience = 10 * time.Minute // a job that is not done by then has failed
	DefaultFetch    = 2 * time.Minute  // the POS has so long to say what it sells
	DefaultCompare  = time.Hour        // between two comparisons of what is sold out
	DefaultRetry    = 5 * time.Second  // after a push of what is sold out that failed; doubles up to five minutes
	runsKept        = 60               // of each menu
)

// Source is the POS as far as menus know it.
type Source interface {
	Catalogue(ctx context.Context) (Catalogue, error)
}

// Publisher is the part of an aggregator's client that menus use.
type Publisher interface {
	Publish(ctx context.Context, m channel.Menu, o channel.SyncOptions) (job string, err error)
	Job(ctx context.Context, id string) (channel.Job, error)
	Available(ctx context.Context, a []channel.Availability) error
	CurrentMenu(ctx context.Context, event string, m channel.Menu) error
	Answer(ctx context.Context, e channel.Event, f *channel.Failure) error
}

// Reader is an aggregator whose menus can be read back.
type Reader interface {
	Menus(ctx context.Context) (channel.Menu, error)
}

// Target is one menu: what one aggregator shows of the venue.
type Target struct {
	ID       string    // the aggregator's name
	Title    string    // as people call it
	Slugs    []string  // of the marketplaces behind it, as far as they are known
	Settings Settings  // until somebody changes them in the console
	Client   Publisher // nil: takes no menu from us
}

// Config of a Service; Journal is required.
type Config struct {
	Journal  *journal.Journal
	Source   Source // nil: nobody knows what the POS sells
	Menus    []Target
	Currency string
	Language string

	// SoldOut lists the SKUs that the kitchen has no more of.
	SoldOut func() []string
	// Sell has the kitchen know what an aggregator says is sold out, or back; nil: its word does not count.
	Sell func(ctx context.Context, menu, sku, name string, out bool) error
	// Available tells the POS; nil when it does not want to know. ErrUnsupported of package channel is no failure.
	Available func(ctx context.Context, sku string, on bool) error
	// Blocked names what has to be done before a menu may be published, in words; nothing: it may (OTR-24).
	Blocked func(ctx context.Context, menu string) []string
	// Hours are what an aggregator told of when its menus are open, by their ids; nil: nobody knows. They go with what is sent to
	// it, so that nothing it set is wiped.
	Hours func(ctx context.Context, menu string) (map[string]channel.Opening, error)
	// Photo tells why a photo cannot be fetched; nil: nobody tries.
	Photo func(ctx context.Context, address string) error

	Poll, Patience, Fetch, Compare, Retry time.Duration

	Jitter     func(most time.Duration) time.Duration // nil: random
	Warnings   *warning.Board
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Service keeps the menus. Its methods may be called from any goroutine.
type Service struct {
	c        Config
	decimals int
	words    *words.Catalogue
	menus    []*menu
	wake     chan struct{} // of size 1: there is a run to do
	sold     chan struct{} // of size 1: something is sold out or back

	index  atomic.Pointer[Index]
	photos photos

	rebuild sync.Mutex // held while the index is made anew, so that the latest wins

	mu     sync.Mutex // guards what follows; held for memory only
	known  time.Time  // when the catalogue was read; zero: never
	kind   string     // of the POS it came from
	broken string     // why the POS could not be read last; "": it could
}

// menu is a Target in memory.
type menu struct {
	Target
	settings atomic.Pointer[kept]

	mu       sync.Mutex // guards what follows
	grid     grid
	unlinked Unlinked
	entities int                // of the remote menu; 0: nothing was ever published
	pending  int                // entities that differ from what was published
	there    []Elsewhere        // sold out at the aggregator alone, as it was seen last; never changed, only replaced
	parts    []channel.MenuPart // as Parts gives them; never changed, only replaced
	asking   bool               // a run waits for a decision
}

// kept is settings with the revision they are of; 0 is the configuration's.
type kept struct {
	Settings
	revision int64
}

func (m *menu) choice() *choice {
	return &choice{m.ID, m.Slugs, m.settings.Load().Parts, m.settings.Load().Name}
}

// New reads from the journal how the menus stand.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Journal == nil {
		return nil, errors.New("menus need a journal")
	}
	for _, d := range []struct {
		v     *time.Duration
		value time.Duration
	}{{&c.Poll, DefaultPoll}, {&c.Patience, DefaultPatience}, {&c.Fetch, DefaultFetch}, {&c.Compare, DefaultCompare}, {&c.Retry, DefaultRetry}} {
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
	if c.Warnings == nil {
		c.Warnings = warning.New(c.Now, c.Log)
	}
	if c.SoldOut == nil {
		c.SoldOut = func() []string { return nil }
	}
	if c.Blocked == nil {
		c.Blocked = func(context.Context, string) []string { return nil }
	}
	if c.Jitter == nil {
		c.Jitter = func(most time.Duration) time.Duration { return rand.N(most + 1) }
	}
	s := &Service{c: c, decimals: money.Decimals(c.Currency), words: words.In(c.Language), wake: make(chan struct{}, 1), sold: make(chan struct{}, 1), photos: photos{look: make(chan struct{}, 1)}}
	for _, t := range c.Menus {
		m := &menu{Target: t}
		if err := s.loadSettings(ctx, m); err != nil {
			return nil, err
		}
		s.menus = append(s.menus, m)
	}
	if err := s.loadGrids(ctx); err != nil {
		return nil, err
	}
	if err := s.reindex(ctx); err != nil {
		return nil, err
	}
	if err := s.loadAsking(ctx); err != nil {
		return nil, err
	}
	return s, s.register()
}

// Idle reports whether there is nothing for Run to do.
func (s *Service) Idle() bool { return len(s.menus) == 0 && s.c.Available == nil }

// Run updates, publishes and tells what is sold out until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if err := s.recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.work(ctx) })
	g.Go(func() error { return s.tell(ctx) })
	if s.c.Photo != nil {
		g.Go(func() error { return s.watchPhotos(ctx) })
	}
	return g.Wait()
}

// Watch is for the journal's feed: it hears that something is sold out or back. It does not block.
func (s *Service) Watch(changes []journal.Change) {
	for i := range changes {
		if changes[i].Kind == "menu" {
			signal(s.sold)
			return
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Wake has Run look again at what is due, as after the clock was set.
func (s *Service) Wake() { signal(s.wake) }

func (s *Service) menu(id string) *menu {
	for _, m := range s.menus {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// SettingKey names the setting that holds a menu's settings.
func SettingKey(menu string) string { return "menu." + menu }

func (s *Service) loadSettings(ctx context.Context, m *menu) error {
	k := &kept{Settings: m.Target.Settings}
	stored, err := s.c.Journal.Setting(ctx, SettingKey(m.ID))
	switch {
	case errors.Is(err, journal.ErrNoSetting):
	case err != nil:
		return err
	default:
		k.Settings, k.revision = Settings{}, stored.Revision
		if err := json.Unmarshal(stored.Value, &k.Settings); err != nil {
			return fmt.Errorf("setting %s: %w", stored.Key, err)
		}
	}
	k.complete()
	m.settings.Store(k)
	return nil
}

const (
	selectGrids = `SELECT menu, slot, due FROM menu_grids`
	upsertGrid  = `INSERT INTO menu_grids (menu, slot, due) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET slot = excluded.slot, due = excluded.due`
)

func (s *Service) loadGrids(ctx context.Context) error {
	return s.c.Journal.Each(ctx, selectGrids, nil, func(scan func(...any) error) error {
		var id string
		var slot, due int64
		if err := scan(&id, &slot, &due); err != nil {
			return err
		}
		if m := s.menu(id); m != nil {
			m.grid = grid{journal.FromMicros(slot), journal.FromMicros(due)}
		}
		return nil
	})
}

func encode(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // texts are cleaned before they come here, and nothing else in these types can fail
	}
	return b
}

// raise shows a warning in the site's language while on holds.
func (s *Service) raise(on bool, code, severity, subject string, args ...any) {
	if !on {
		s.c.Warnings.Lower(code, subject)
		return
	}
	s.c.Warnings.Raise(warning.Worded(s.words, code, severity, subject, args...))
}
