package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"aboyeur/bridge/journal"
)

// Defaults for a Config left at zero, and the bounds of what is kept.
const (
	DefaultIdle = 12 * time.Hour       // a person's session ends after this time without use
	SessionLife = 30 * 24 * time.Hour  // and at the latest after this
	ScreenLife  = 400 * 24 * time.Hour // a paired screen's cookie; browsers keep none longer. Renewed with every page

	MaxSessions = 512 // of people; beyond it the one unused for the longest time ends
	MaxPairings = 64  // paired screens

	saveSeen = 5 * time.Minute // how stale last_seen may be on disk
	recheck  = time.Second     // how often the tokens file is looked at
)

// Faults that callers tell apart.
var (
	ErrRefused = errors.New("token is not known; ask whoever runs the box for one")
	ErrGone    = errors.New("there is no such thing here, or its time is over")
	ErrPending = errors.New("not approved yet")
)

// A LimitError says that the caller tries too often.
type LimitError struct {
	Wait time.Duration // until the next try may succeed
	What string        // what there is too much of
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s; try again in %d s", e.What, int64((e.Wait+time.Second-1)/time.Second))
}

// Config says where an Access keeps what it knows.
type Config struct {
	Journal    *journal.Journal       // sessions, pairings and audit log; required
	TokensFile string                 // made by `aboyeur token add`; "" or absent: no tokens
	Screens    func(name string) bool // whether the configuration has that screen; nil: any name
	Idle       time.Duration          // 0 means DefaultIdle
	VisitIdle  time.Duration          // 0 means DefaultVisitIdle
	PINRounds  int                    // 0 means DefaultPINRounds
	Now        func() time.Time       // nil means time.Now
	Log        *slog.Logger           // nil means slog.Default
}

// An Access knows the tokens, sessions and pairings of one box.
type Access struct {
	c Config

	tokens  atomic.Pointer[tokenSet]
	checked atomic.Int64 // when the tokens file was last looked at, monotonic nanoseconds since started
	started time.Time
	reload  sync.Mutex // one reader of the tokens file at a time

	mu       sync.RWMutex // guards sessions and visits; never held during I/O
	sessions map[Hash]*session
	visits   map[Hash]*visit
	stirring chan struct{} // of size 1: one PIN is hashed at a time

	signIns *limiter // failed sign-ins, bearer tokens and PINs
	asks    *limiter // codes asked for
	guesses *limiter // codes that a manager typed wrong
	codes   codes
}

// tokenSet is the tokens file as last read.
type tokenSet struct {
	byHash map[Hash]*liveToken
	stamp  stamp
}

type liveToken struct {
	Token
	alive *lifetime
}

// stamp tells one content of a file from another without reading it. Every change is a rename, so the inode differs
// even within one tick of the file system's clock.
type stamp struct {
	modified time.Time
	size     int64
	info     os.FileInfo
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{size: -1}
	}
	return stamp{modified: info.ModTime(), size: info.Size(), info: info}
}

func (s stamp) same(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil
	}
	return s.size == o.size && s.modified.Equal(o.modified) && os.SameFile(s.info, o.info)
}

// New reads the tokens file and the sessions of the journal. A tokens file that cannot be read is an error here; later
// it only keeps the box on the tokens it has.
func New(ctx context.Context, c Config) (*Access, error) {
	if c.Journal == nil {
		return nil, errors.New("access needs a journal")
	}
	if c.Idle <= 0 {
		c.Idle = DefaultIdle
	}
	if c.VisitIdle <= 0 {
		c.VisitIdle = DefaultVisitIdle
	}
	if c.PINRounds <= 0 {
		c.PINRounds = DefaultPINRounds
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	a := &Access{c: c, started: time.Now(), sessions: make(map[Hash]*session), visits: make(map[Hash]*visit), stirring: make(chan struct{}, 1),
		signIns: newLimiter(10, 6*time.Second, 60, time.Second, c.Now),
		asks:    newLimiter(10, 6*time.Second, 60, time.Second, c.Now),
		guesses: newLimiter(10, 6*time.Second, 60, time.Second, c.Now),
		codes:   codes{open: make(map[Hash]*openCode)},
	}
	a.tokens.Store(&tokenSet{})
	if err := a.Reload(); err != nil {
		return nil, err
	}
	if err := a.loadSessions(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// Run ends sessions whose token was removed and forgets what has run out, until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	tick, hour := time.NewTicker(recheck), time.NewTicker(time.Hour)
	defer tick.Stop()
	defer hour.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			a.refresh()
			a.expire()
		case <-hour.C:
			a.prune()
		}
	}
}

// Reload reads the tokens file now. If it cannot be read the tokens stay as they were.
func (a *Access) Reload() error {
	a.reload.Lock()
	defer a.reload.Unlock()
	return a.load(stampOf(a.c.TokensFile))
}

// refresh reloads the tokens file when it has changed, at most once in recheck.
func (a *Access) refresh() {
	now := int64(time.Since(a.started))
	last := a.checked.Load()
	if now-last < int64(recheck) || !a.checked.CompareAndSwap(last, now) {
		return
	}
	a.reload.Lock()
	defer a.reload.Unlock()
	s := stampOf(a.c.TokensFile)
	if s.same(a.tokens.Load().stamp) {
		return
	}
	if err := a.load(s); err != nil {
		a.c.Log.Warn("tokens file not readable, former tokens stay", "err", err)
	}
}

// load reads the file; a.reload is held. The stamp was taken before, so that a change in between is seen next time.
func (a *Access) load(s stamp) error {
	old := a.tokens.Load()
	var list []Token
	if a.c.TokensFile != "" {
		var err error
		if list, err = ReadTokens(a.c.TokensFile); err != nil {
			// Remember the stamp: the same broken file is reported once.
			a.tokens.Store(&tokenSet{byHash: old.byHash, stamp: s})
			return err
		}
	}
	next := &tokenSet{byHash: make(map[Hash]*liveToken, len(list)), stamp: s}
	for _, t := range list {
		if was := old.byHash[t.Hash]; was != nil && was.Name == t.Name && was.Role == t.Role {
			next.byHash[t.Hash] = was
			continue
		}
		next.byHash[t.Hash] = &liveToken{Token: t, alive: newLifetime()}
	}
	a.tokens.Store(next)
	for h, was := range old.byHash {
		if next.byHash[h] != was {
			was.alive.end()
			a.endWhere(func(s *session) bool { return s.pairing == 0 && s.token == h })
		}
	}
	return nil
}

// Tokens lists the tokens in use.
func (a *Access) Tokens() int { return len(a.tokens.Load().byHash) }

// Bearer gives the principal of a bearer token.
func (a *Access) Bearer(token string) (Principal, bool) {
	t := a.token(token)
	if t == nil {
		return Principal{}, false
	}
	return Principal{Name: t.Name, Role: t.Role, Via: ViaToken, subject: "token:" + t.Name, alive: t.alive}, true
}

func (a *Access) token(text string) *liveToken {
	if text == "" || len(text) > maxSecret {
		return nil
	}
	a.refresh()
	return a.tokens.Load().byHash[hashOf(text)]
}

// Refused notes that somebody presented a bearer token that is not known. Rows in the audit log are limited.
func (a *Access) Refused(from netip.Addr, act string) {
	if a.signIns.take(from) > 0 {
		return
	}
	a.refused(from, act)
}

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }
