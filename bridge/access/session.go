package access

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"aboyeur/bridge/journal"
)

// A session is a browser that proved itself once: a person with a token, or a paired screen. All of them are in
// memory, so a cookie costs no query, and an unknown one neither.
type session struct {
	hash    Hash
	name    string
	role    Role
	screen  string
	token   Hash  // of a person
	pairing int64 // of a screen; 0 for a person
	subject string
	created time.Time
	seen    atomic.Int64 // microseconds since 1970
	saved   atomic.Int64 // seen as it is on disk
	alive   *lifetime
}

func (s *session) principal() Principal {
	via := ViaSession
	if s.pairing != 0 {
		via = ViaPairing
	}
	return Principal{Name: s.name, Role: s.role, Screen: s.screen, Via: via, subject: s.subject, alive: s.alive}
}

// over tells whether a person's session has run out. A screen's runs until it is revoked.
func (s *session) over(now time.Time, idle time.Duration) bool {
	if s.pairing != 0 {
		return false
	}
	return now.UnixMicro()-s.seen.Load() > idle.Microseconds() || now.Sub(s.created) > SessionLife
}

const (
	selectSessions = `SELECT s.hash, s.name, s.role, s.screen, s.token, s.pairing, s.created, s.last_seen, p.id
		FROM sessions s LEFT JOIN pairings p ON p.key = s.pairing`
	insertSession = `INSERT INTO sessions (hash, name, role, screen, token, pairing, created, last_seen)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	updateSeen    = `UPDATE sessions SET last_seen = ? WHERE hash = ?`
	deleteSession = `DELETE FROM sessions WHERE hash = ?`
)

// loadSessions brings the journal's sessions into memory; those of removed tokens and those run out end here.
func (a *Access) loadSessions(ctx context.Context) error {
	rows, err := a.c.Journal.Read().QueryContext(ctx, selectSessions)
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	defer rows.Close()
	tokens, now := a.tokens.Load().byHash, a.c.Now()
	for rows.Next() {
		s := &session{}
		var hash, token, id []byte
		var role string
		var created, seen int64
		if err := rows.Scan(&hash, &s.name, &role, &s.screen, &token, &s.pairing, &created, &seen, &id); err != nil {
			return fmt.Errorf("read sessions: %w", err)
		}
		copy(s.hash[:], hash)
		copy(s.token[:], token)
		s.role, s.created = Role(role), time.UnixMicro(created)
		s.seen.Store(seen)
		s.saved.Store(seen)
		if s.pairing == 0 {
			s.subject = "token:" + s.name
			t := tokens[s.token]
			if t == nil || t.Name != s.name || t.Role != s.role || s.over(now, a.c.Idle) {
				a.forget(s)
				continue
			}
		} else {
			if len(id) != 16 {
				a.forget(s) // its pairing is gone
				continue
			}
			s.subject = "pairing:" + journal.ID(id).String()
		}
		a.bear(s)
		a.sessions[s.hash] = s
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	return nil
}

// bear gives the session its lifetime.
func (a *Access) bear(s *session) {
	s.alive = newLifetime()
	s.alive.touch = func() { a.touch(s) }
}

// touch counts as use. It reaches the disk now and then; a crash shortens a session by saveSeen at most.
func (a *Access) touch(s *session) {
	now := micros(a.c.Now())
	s.seen.Store(now)
	saved := s.saved.Load()
	if now-saved < saveSeen.Microseconds() || !s.saved.CompareAndSwap(saved, now) {
		return
	}
	a.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(updateSeen, now, s.hash[:])
		return err
	})
}

// forget takes an ended session off the disk.
func (a *Access) forget(s *session) {
	a.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(deleteSession, s.hash[:])
		return err
	})
}

// endWhere ends the sessions that which picks.
func (a *Access) endWhere(which func(*session) bool) {
	a.mu.Lock()
	ended := takeWhere(a.sessions, which)
	a.mu.Unlock()
	for _, s := range ended {
		s.alive.end()
		a.forget(s)
	}
}

// takeWhere takes out of all what which picks.
func takeWhere[K comparable, V any](all map[K]V, which func(V) bool) (taken []V) {
	for k, v := range all {
		if which(v) {
			delete(all, k)
			taken = append(taken, v)
		}
	}
	return taken
}

// expire ends what has run out.
func (a *Access) expire() {
	now := a.c.Now()
	a.endWhere(func(s *session) bool { return s.over(now, a.c.Idle) })
	a.endVisits(func(v *visit) bool { return v.over(now, a.c.VisitIdle) })
	a.codes.expire(now)
}

// Session gives the principal of a session cookie's value.
func (a *Access) Session(cookie string) (Principal, bool) {
	s := a.session(cookie)
	if s == nil {
		return Principal{}, false
	}
	a.touch(s)
	return s.principal(), true
}

func (a *Access) session(cookie string) *session {
	if cookie == "" || len(cookie) > maxSecret {
		return nil
	}
	a.refresh()
	a.mu.RLock()
	s := a.sessions[hashOf(cookie)]
	a.mu.RUnlock()
	if s == nil || s.over(a.c.Now(), a.c.Idle) {
		return nil
	}
	return s
}

// SignIn opens a session for the bearer of the token. The value for the cookie is always a new one, and the session
// behind former, the browser's cookie so far, ends: nobody can be made to use a session that somebody else knows.
// The error is ErrRefused for an unknown token, or a *LimitError for an address that tried too often.
func (a *Access) SignIn(ctx context.Context, token, former string, from netip.Addr) (cookie string, p Principal, err error) {
	if wait := a.signIns.check(from); wait > 0 {
		return "", Principal{}, &LimitError{Wait: wait, What: "too many wrong tokens from this address"}
	}
	t := a.token(token)
	if t == nil {
		if wait := a.signIns.take(from); wait > 0 {
			return "", Principal{}, &LimitError{Wait: wait, What: "too many wrong tokens"}
		}
		a.refused(from, ActSignInRefused)
		return "", Principal{}, ErrRefused
	}
	now := a.c.Now()
	cookie = newSecret()
	s := &session{hash: hashOf(cookie), name: t.Name, role: t.Role, token: t.Hash, subject: "token:" + t.Name, created: now}
	s.seen.Store(micros(now))
	s.saved.Store(micros(now))
	a.bear(s)
	a.keep(s) // nobody knows the cookie yet
	err = a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := s.insert(tx); err != nil {
			return err
		}
		return Record(tx, s.principal(), ActSignIn, "", "from "+from.String())
	})
	if err != nil {
		a.drop(func(o *session) bool { return o == s })
		return "", Principal{}, fmt.Errorf("sign in: %w", err)
	}
	if a.tokens.Load().byHash[t.Hash] != t { // removed while the journal wrote
		a.drop(func(o *session) bool { return o == s })
		a.forget(s)
		return "", Principal{}, ErrRefused
	}
	if old := a.session(former); old != nil && old.pairing == 0 {
		a.endWhere(func(o *session) bool { return o == old })
	}
	return cookie, s.principal(), nil
}

func (s *session) insert(tx *journal.Tx) error {
	token := s.token[:]
	if s.pairing != 0 {
		token = []byte{}
	}
	_, err := tx.Exec(insertSession, s.hash[:], s.name, string(s.role), s.screen, token, s.pairing, micros(s.created), s.seen.Load())
	return err
}

// keep takes the session into memory. Beyond MaxSessions the person's session unused for the longest time ends.
func (a *Access) keep(s *session) {
	a.mu.Lock()
	a.sessions[s.hash] = s
	var people int
	var oldest *session
	for _, o := range a.sessions {
		if o.pairing == 0 {
			people++
			if o != s && (oldest == nil || o.seen.Load() < oldest.seen.Load()) {
				oldest = o
			}
		}
	}
	a.mu.Unlock()
	if people > MaxSessions && oldest != nil {
		a.endWhere(func(o *session) bool { return o == oldest })
	}
}

// SignOut ends the session of that cookie; a screen's pairing goes with it. An unknown cookie is already out.
func (a *Access) SignOut(ctx context.Context, cookie string) error {
	s := a.session(cookie)
	if s == nil {
		return nil
	}
	err := a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, err := tx.Exec(deleteSession, s.hash[:]); err != nil {
			return err
		}
		if s.pairing != 0 {
			if _, err := tx.Exec(deletePairing, s.pairing); err != nil {
				return err
			}
			tx.Change("access", s.screen, []byte(`{"act":"unpaired"}`))
		}
		return Record(tx, s.principal(), ActSignOut, "", "")
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	a.drop(func(o *session) bool { return o == s })
	return nil
}

// drop ends sessions that are off the disk already.
func (a *Access) drop(which func(*session) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for h, s := range a.sessions {
		if which(s) {
			delete(a.sessions, h)
			s.alive.end()
		}
	}
}
