package access

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"

	"aboyeur/bridge/journal"
)

// A Code is what a browser gets that wants to become a kitchen screen: it shows the code and keeps the secret.
type Code struct {
	Code      string    `json:"code"`
	Secret    string    `json:"secret"`
	ExpiresAt time.Time `json:"expires_at"`
}

// A Pairing is a browser that is a kitchen screen until it is revoked.
type Pairing struct {
	ID       journal.ID `json:"id"`
	Screen   string     `json:"screen"`
	Label    string     `json:"label"`
	PairedAt time.Time  `json:"paired_at"`
	LastSeen time.Time  `json:"last_seen"`
}

// Bounds of pairing.
const (
	CodeLife     = 10 * time.Minute
	codeLetters  = "234679ACDEFGHJKMNPQRTVWXY" // nothing that looks like another: no 0 O, 1 I L, 2 Z, 5 S, 8 B, U V
	codeLength   = 4                           // 390,625 codes; a wrong one costs a manager's try, not a stranger's
	maxCodes     = 32                          // open at a time
	maxCodesFrom = 4                           // of them from one address
	maxLabel     = 64                          // characters
)

// ErrUnknownScreen reports a screen that the configuration does not have.
var ErrUnknownScreen = errors.New("the configuration has no screen of that name")

// codes are the codes on show. They are not stored: after a restart a browser asks for a new one.
type codes struct {
	mu   sync.Mutex // guards open and what is in it
	open map[Hash]*openCode
}

// openCode waits for a manager, then for its browser. The map's key is the hash of its secret.
type openCode struct {
	code    string
	label   string
	from    netip.Addr
	expires time.Time
	screen  string // "" until approved
	by      string
	busy    bool // somebody is approving or claiming it
}

func (c *codes) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for h, o := range c.open {
		if !now.Before(o.expires) && !o.busy {
			delete(c.open, h)
		}
	}
}

// AskPairing opens a code for a browser at that address. The error is a *LimitError when too many are open.
func (a *Access) AskPairing(label string, from netip.Addr) (Code, error) {
	if wait := a.asks.take(from); wait > 0 {
		return Code{}, &LimitError{Wait: wait, What: "too many pairing codes asked for"}
	}
	now, secret := a.c.Now(), newSecret()
	a.codes.expire(now)
	a.codes.mu.Lock()
	defer a.codes.mu.Unlock()
	taken, same, first := map[string]bool{}, 0, now.Add(CodeLife)
	for _, o := range a.codes.open {
		taken[o.code] = true
		if network(o.from) == network(from) {
			same++
		}
		if o.expires.Before(first) {
			first = o.expires
		}
	}
	if same >= maxCodesFrom || len(taken) >= maxCodes {
		return Code{}, &LimitError{Wait: max(first.Sub(now), time.Second), What: "too many pairing codes are open"}
	}
	code := newCode()
	for taken[code] {
		code = newCode()
	}
	o := &openCode{code: code, label: cleanLabel(label), from: from, expires: now.Add(CodeLife)}
	a.codes.open[hashOf(secret)] = o
	return Code{Code: code, Secret: secret, ExpiresAt: o.expires.UTC().Truncate(time.Millisecond)}, nil
}

// newCode gives codeLength letters, each equally likely.
func newCode() string {
	const fair = 256 / len(codeLetters) * len(codeLetters)
	out := make([]byte, 0, codeLength)
	var b [16]byte
	for {
		_, _ = rand.Read(b[:])
		for _, c := range b {
			if int(c) < fair {
				if out = append(out, codeLetters[int(c)%len(codeLetters)]); len(out) == codeLength {
					return string(out)
				}
			}
		}
	}
}

func cleanLabel(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxLabel {
		s = string(r[:maxLabel])
	}
	return strings.TrimSpace(s)
}

// plainCode is the code as a person may have typed it.
func plainCode(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s))
}

// ApprovePairing lets the browser that shows the code become that screen. A code is approved once. The error is ErrGone
// for a code that is not on show, ErrUnknownScreen, or a *LimitError.
func (a *Access) ApprovePairing(ctx context.Context, code, screen string, by Principal, from netip.Addr) error {
	if wait := a.guesses.check(from); wait > 0 {
		return &LimitError{Wait: wait, What: "too many wrong codes"}
	}
	if CheckName(screen) != nil || a.c.Screens != nil && !a.c.Screens(screen) {
		return ErrUnknownScreen
	}
	code = plainCode(code)
	now := a.c.Now()
	var found *openCode
	a.codes.mu.Lock()
	for _, o := range a.codes.open {
		if o.code == code && o.screen == "" && !o.busy && now.Before(o.expires) {
			found = o
			found.busy = true
		}
	}
	a.codes.mu.Unlock()
	if found == nil {
		if wait := a.guesses.take(from); wait > 0 {
			return &LimitError{Wait: wait, What: "too many wrong codes"}
		}
		a.c.Journal.Later(func(tx *journal.Tx) error {
			return Record(tx, by, ActPairingRefused, screen, "code is not on show")
		})
		return ErrGone
	}
	err := a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		return Record(tx, by, ActPairingApproved, screen, found.label)
	})
	a.codes.mu.Lock()
	found.busy = false
	if err == nil {
		found.screen, found.by = screen, by.Name
	}
	a.codes.mu.Unlock()
	if err != nil {
		return fmt.Errorf("approve pairing: %w", err)
	}
	return nil
}

const (
	insertPairing = `INSERT INTO pairings (key, id, screen, label, paired_by, paired_at) VALUES (?, ?, ?, ?, ?, ?)`
	deletePairing = `DELETE FROM pairings WHERE key = ?`
	findPairing   = `SELECT screen FROM pairings WHERE key = ? AND id = ?`
	endPairing    = `DELETE FROM sessions WHERE pairing = ?`
	selectPairing = `SELECT key, id, screen, label, paired_at FROM pairings ORDER BY key`
)

// ClaimPairing gives the browser with that secret its cookie, once. The error is ErrPending until a manager approved
// the code, ErrGone when the code ran out or was claimed.
func (a *Access) ClaimPairing(ctx context.Context, secret string) (cookie, screen string, err error) {
	if secret == "" || len(secret) > maxSecret {
		return "", "", ErrGone
	}
	key, now := hashOf(secret), a.c.Now()
	a.codes.mu.Lock()
	o := a.codes.open[key]
	switch {
	case o == nil || !now.Before(o.expires):
		err = ErrGone
	case o.screen == "" || o.busy:
		err = ErrPending
	default:
		o.busy = true
	}
	a.codes.mu.Unlock()
	if err != nil {
		return "", "", err
	}
	cookie, err = a.pair(ctx, o, now)
	a.codes.mu.Lock()
	o.busy = false
	if err == nil {
		delete(a.codes.open, key)
	}
	a.codes.mu.Unlock()
	if err != nil {
		return "", "", fmt.Errorf("pair screen %s: %w", o.screen, err)
	}
	return cookie, o.screen, nil
}

// pair stores the pairing and its session.
func (a *Access) pair(ctx context.Context, o *openCode, now time.Time) (cookie string, err error) {
	if n := a.count(func(s *session) bool { return s.pairing != 0 }); n >= MaxPairings {
		return "", &LimitError{Wait: time.Minute, What: fmt.Sprintf("%d screens are paired; revoke one that is no longer used", n)}
	}
	id := a.c.Journal.NewID()
	cookie = newSecret()
	s := &session{hash: hashOf(cookie), name: o.screen, role: Screen, screen: o.screen, pairing: id.Key(),
		subject: "pairing:" + id.String(), created: now}
	s.seen.Store(micros(now))
	s.saved.Store(micros(now))
	a.bear(s)
	a.keep(s) // before it is on disk: revoking finds both or neither
	err = a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, err := tx.Exec(insertPairing, id.Key(), id[:], o.screen, o.label, o.by, micros(now)); err != nil {
			return err
		}
		if err := s.insert(tx); err != nil {
			return err
		}
		tx.Change("access", o.screen, []byte(`{"act":"paired"}`))
		return Record(tx, s.principal(), ActPaired, id.String(), "from "+o.from.String())
	})
	if err != nil {
		a.drop(func(o *session) bool { return o == s })
		return "", err
	}
	return cookie, nil
}

func (a *Access) count(which func(*session) bool) int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	n := 0
	for _, s := range a.sessions {
		if which(s) {
			n++
		}
	}
	return n
}

// Pairings lists the paired screens, the oldest first.
func (a *Access) Pairings(ctx context.Context) ([]Pairing, error) {
	rows, err := a.c.Journal.Read().QueryContext(ctx, selectPairing)
	if err != nil {
		return nil, fmt.Errorf("read pairings: %w", err)
	}
	defer rows.Close()
	seen := map[int64]int64{}
	a.mu.RLock()
	for _, s := range a.sessions {
		if s.pairing != 0 {
			seen[s.pairing] = s.seen.Load()
		}
	}
	a.mu.RUnlock()
	list := []Pairing{}
	for rows.Next() {
		var p Pairing
		var key, at int64
		var id []byte
		if err := rows.Scan(&key, &id, &p.Screen, &p.Label, &at); err != nil {
			return nil, fmt.Errorf("read pairings: %w", err)
		}
		copy(p.ID[:], id)
		p.PairedAt = time.UnixMicro(at).UTC()
		p.LastSeen = p.PairedAt
		if at, ok := seen[key]; ok {
			p.LastSeen = time.UnixMicro(at).UTC()
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read pairings: %w", err)
	}
	return list, nil
}

// RevokePairing ends a pairing at once, its running event stream included. The error is ErrGone for an unknown id.
func (a *Access) RevokePairing(ctx context.Context, id journal.ID, by Principal) error {
	key := id.Key()
	err := a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		var screen string
		if err := tx.QueryRow(findPairing, []any{key, id[:]}, &screen); err != nil {
			return err
		}
		if _, err := tx.Exec(deletePairing, key); err != nil {
			return err
		}
		if _, err := tx.Exec(endPairing, key); err != nil {
			return err
		}
		tx.Change("access", screen, []byte(`{"act":"unpaired"}`))
		return Record(tx, by, ActPairingRevoked, screen, id.String())
	})
	if errors.Is(err, sql.ErrNoRows) {
		return ErrGone
	}
	if err != nil {
		return fmt.Errorf("revoke pairing: %w", err)
	}
	a.drop(func(s *session) bool { return s.pairing == key })
	return nil
}
