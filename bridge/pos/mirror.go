package pos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/rest"
)

// ErrNoCheck says that the till has no such check, or none at that table.
var ErrNoCheck = errors.New("the till has no such check")

// DefaultEvery is how often every open check is asked for, whatever the till tells by itself (spec/pos.md 2.4).
const DefaultEvery = 30 * time.Second

// Bounds of a Mirror.
const (
	maxAsked   = 1024               // checks that are to be asked for
	tellAgain  = 3                  // times that a till does not know a check before it is taken for gone
	keepClosed = 7 * 24 * time.Hour // how long a closed check is known, should the till open it again
)

// Checks is a till that is asked how its checks stand.
type Checks interface {
	// Check reads one. The error wraps ErrNoCheck when there is none.
	Check(ctx context.Context, id string) (booking.Check, error)
	// AtTable reads the oldest open one at a table, with the same errors.
	AtTable(ctx context.Context, table string) (booking.Check, error)
}

// MirrorFloor is where the checks of the till are kept as they stand there. Its methods with a transaction work inside it.
type MirrorFloor interface {
	// Mirror makes a check what the till says; check zero opens one. A word that may be old is not sure: fits is false where
	// it would take something away.
	Mirror(tx *journal.Tx, check journal.ID, c booking.Check, sure bool) (id journal.ID, fits bool, err error)
	// Wanted tells whether a check that nobody here knows yet is one of this house: at a table of it, and not being opened
	// for a party at this moment.
	Wanted(tx *journal.Tx, c booking.Check) (bool, error)
	// Waiting lists tables at which a party sits without a check: staff may have opened one at the till.
	Waiting(ctx context.Context) ([]string, error)
}

// MirrorConfig of a Mirror; Journal, Till and Floor are required.
type MirrorConfig struct {
	Journal *journal.Journal
	Till    Checks
	Floor   MirrorFloor
	Every   time.Duration // 0 means DefaultEvery
	Now     func() time.Time
	Log     *slog.Logger
}

// A Mirror keeps the floor as the checks at a till are. What the till tells is done at once and is on disk when it was taken;
// what it did not tell, or told in another order, is found by asking. Its methods may be called from any goroutine.
type Mirror struct {
	c    MirrorConfig
	wake chan struct{} // 1: a check is to be asked for

	mu    sync.Mutex           // guards what follows
	asked []string             // checks to ask for, each once, in their order
	heard map[string]time.Time // open checks: when the till last told of it
	words map[string]int       // of checks that are being asked for: how often the till told meanwhile
	lost  map[string]int       // how often in a row the till did not know it
	read  time.Time            // the last round that came through
	fault string               // why the last one did not; "" when it did
}

// NewMirror checks c. It starts nothing.
func NewMirror(c MirrorConfig) (*Mirror, error) {
	if c.Journal == nil || c.Till == nil || c.Floor == nil {
		return nil, errors.New("pos: a mirror needs a journal, a till and a floor")
	}
	if c.Every <= 0 {
		c.Every = DefaultEvery
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Mirror{c: c, wake: make(chan struct{}, 1), heard: map[string]time.Time{}, words: map[string]int{}, lost: map[string]int{}}, nil
}

const (
	selectMirrored = `SELECT check_id FROM pos_checks WHERE till_id = ?`
	upsertMirrored = `INSERT INTO pos_checks (till_id, check_id, open, changed_at) VALUES (?, ?, ?, ?) ON CONFLICT (till_id) DO UPDATE SET check_id = excluded.check_id, open = excluded.open, changed_at = excluded.changed_at`
	selectKept     = `SELECT till_id FROM pos_checks WHERE open = 1 ORDER BY till_id`
	selectTheirs   = `SELECT till_id FROM pos_checks WHERE open = 1 AND check_id = ? ORDER BY changed_at DESC LIMIT 1`
	forgetClosed   = `DELETE FROM pos_checks WHERE open = 0 AND changed_at < ?`
)

// Told takes what the till says of a check; when it returns without error, that is on disk.
func (m *Mirror) Told(ctx context.Context, c booking.Check) error {
	if c.ID == "" {
		return nil
	}
	m.mu.Lock()
	if c.Open {
		m.heard[c.ID] = m.c.Now()
	} else {
		delete(m.heard, c.ID)
	}
	if n, under := m.words[c.ID]; under {
		m.words[c.ID] = n + 1
	}
	m.mu.Unlock()
	fits := true
	err := m.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		fits, err = m.take(tx, c, false)
		return err
	})
	if err == nil && !fits {
		m.Ask(c.ID)
	}
	return err
}

// take does what a word says. A check that is closed and that nobody here knows is nobody's.
func (m *Mirror) take(tx *journal.Tx, c booking.Check, sure bool) (fits bool, err error) {
	var id journal.ID
	err = tx.QueryRow(selectMirrored, []any{c.ID}, &id)
	known := err == nil
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return false, err
	case !known && !c.Open:
		return true, nil
	case !known:
		if wanted, err := m.c.Floor.Wanted(tx, c); err != nil || !wanted {
			return true, err
		}
	}
	now, fits, err := m.c.Floor.Mirror(tx, id, c, sure)
	if err != nil {
		return false, fmt.Errorf("keep check %s of the till: %w", c.ID, err)
	}
	if !fits && known {
		return false, nil
	}
	_, err = tx.Exec(upsertMirrored, c.ID, now[:], c.Open, tx.Now())
	return fits, err
}

// Join notes, in the caller's transaction, that a check of ours is one that was opened at the till.
func (m *Mirror) Join(tx *journal.Tx, till string, check journal.ID) error {
	if _, err := tx.Exec(upsertMirrored, till, check[:], true, tx.Now()); err != nil {
		return fmt.Errorf("note check %s of the till: %w", till, err)
	}
	tx.After(func(err error) {
		if err == nil {
			m.Ask(till) // what was told of it before was told of a check that nobody knew
		}
	})
	return nil
}

// TillCheck names the till's check that is one of ours; "" when none is open there.
func (m *Mirror) TillCheck(tx *journal.Tx, check journal.ID) (id string, err error) {
	err = tx.QueryRow(selectTheirs, []any{check[:]}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// Ask has a check asked for soon. It never blocks.
func (m *Mirror) Ask(till string) {
	m.mu.Lock()
	if len(m.asked) < maxAsked { // beyond that the next round finds it
		known := false
		for _, id := range m.asked {
			known = known || id == till
		}
		if !known {
			m.asked = append(m.asked, till)
		}
	}
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run asks until ctx ends: at once and then regularly for all that is open, and for what Ask names as soon as it does.
func (m *Mirror) Run(ctx context.Context) error {
	next := m.c.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-pause.C:
		}
		now := m.c.Now()
		var err error
		if err = m.askFor(ctx, m.named()); err == nil && !now.Before(next) {
			err = m.round(ctx)
		}
		wait := m.c.Every
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, journal.ErrDown):
			return err
		case err != nil:
			wait = max(wait, rest.RetryAfter(err))
			next = now.Add(wait)
		case !now.Before(next):
			next = now.Add(m.c.Every)
		}
		m.note(err)
		pause.Reset(max(next.Sub(m.c.Now()), 0))
	}
}

func (m *Mirror) note(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.fault
	if m.fault = ""; err != nil {
		m.fault = err.Error()
	} else {
		m.read = m.c.Now()
	}
	if m.fault != "" && was == "" {
		m.c.Log.Warn("the till was not asked how its checks stand", "err", err)
	}
}

func (m *Mirror) named() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.asked
	m.asked = nil
	return list
}

// round asks for every open check that the till told nothing of for a while, and at the tables where a party has none.
func (m *Mirror) round(ctx context.Context) error {
	open, err := m.open(ctx)
	if err != nil {
		return err
	}
	var quiet []string
	m.mu.Lock()
	for _, id := range open {
		if m.c.Now().Sub(m.heard[id]) >= m.c.Every {
			quiet = append(quiet, id)
		}
	}
	m.mu.Unlock()
	if err := m.askFor(ctx, quiet); err != nil {
		return err
	}
	tables, err := m.c.Floor.Waiting(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		c, err := m.c.Till.AtTable(ctx, table)
		if errors.Is(err, ErrNoCheck) {
			continue
		}
		if err != nil {
			return err
		}
		if err := m.found(ctx, c); err != nil {
			return err
		}
	}
	return m.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		_, err := tx.Exec(forgetClosed, tx.Now().Add(-keepClosed))
		return err
	})
}

func (m *Mirror) open(ctx context.Context) (list []string, err error) {
	rows, err := m.c.Journal.Read().QueryContext(ctx, selectKept)
	if err != nil {
		return nil, fmt.Errorf("read the open checks of the till: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read the open checks of the till: %w", err)
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// askFor asks for some checks. What the till tells of one while it is asked for is the newer word: then it is asked again.
func (m *Mirror) askFor(ctx context.Context, list []string) error {
	for n, id := range list {
		if err := m.askOne(ctx, id); err != nil {
			for _, left := range list[n:] {
				m.Ask(left)
			}
			return err
		}
	}
	return nil
}

func (m *Mirror) askOne(ctx context.Context, id string) error {
	m.mu.Lock()
	m.words[id] = 0
	m.mu.Unlock()
	c, err := m.c.Till.Check(ctx, id)
	m.mu.Lock()
	newer := m.words[id] > 0
	delete(m.words, id)
	gone := errors.Is(err, ErrNoCheck)
	if gone {
		m.lost[id]++
		gone = m.lost[id] >= tellAgain
	}
	if err == nil || gone {
		delete(m.lost, id)
	}
	m.mu.Unlock()
	switch {
	case newer:
		m.Ask(id)
		return nil
	case gone:
		m.c.Log.Warn("the till knows a check no more that was open there", "check", id)
		return m.found(ctx, booking.Check{ID: id})
	case errors.Is(err, ErrNoCheck):
		return nil
	case err != nil:
		return err
	}
	return m.found(ctx, c)
}

// found takes an answer of the till's.
func (m *Mirror) found(ctx context.Context, c booking.Check) error {
	return m.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		_, err := m.take(tx, c, true)
		return err
	})
}

// MirrorStanding is how a Mirror stands.
type MirrorStanding struct {
	Open  int       `json:"open" doc:"checks that are open at the till and kept here"`
	Read  time.Time `json:"read_at,omitzero" doc:"when the till was last asked for them"`
	Fault string    `json:"fault,omitzero" doc:"why it could not be asked since"`
}

// Standing tells how it stands.
func (m *Mirror) Standing(ctx context.Context) (MirrorStanding, error) {
	list, err := m.open(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	return MirrorStanding{len(list), m.read, m.fault}, err
}
