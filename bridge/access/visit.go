package access

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"aboyeur/bridge/journal"
)

// A visit is somebody who gave a PIN on a browser that is already signed in: a paired screen, a shared tablet. What is
// done meanwhile bears that person's name and needs that person's role; then the browser is what it was. Visits are kept
// in memory only: after a restart people give their PIN again.
type visit struct {
	hash    Hash
	person  journal.ID
	name    string
	role    Role
	base    string // subject of the browser's own session
	began   time.Time
	acted   atomic.Int64 // microseconds since 1970
	alive   *lifetime
	unwatch func() bool // stops following the browser's own session
}

// Bounds of visits.
const (
	DefaultVisitIdle = 5 * time.Minute // a visit ends after this time without an act
	VisitLife        = 10 * time.Hour  // and at the latest after this
	MaxVisits        = 256             // beyond it the one unused for the longest time ends

	freeTries   = 5 // wrong PINs in a row; with the last of them the lock closes
	firstLock   = time.Minute
	longestLock = time.Hour // each further wrong PIN doubles the lock up to this
)

// ErrPIN reports a PIN that is not the person's.
var ErrPIN = errors.New("this is not the PIN")

// ErrNoBase reports a browser that nobody signed in: a PIN alone opens nothing.
var ErrNoBase = errors.New("a PIN is for a browser that is paired as a screen or signed in; pair it first")

func (v *visit) over(now time.Time, idle time.Duration) bool {
	return now.UnixMicro()-v.acted.Load() > idle.Microseconds() || now.Sub(v.began) > VisitLife
}

func (v *visit) ends(idle time.Duration) time.Time {
	end, last := time.UnixMicro(v.acted.Load()).Add(idle), v.began.Add(VisitLife)
	if last.Before(end) {
		end = last
	}
	return end.UTC().Truncate(time.Millisecond)
}

// lockFor is how long a person is locked after so many wrong PINs in a row.
func lockFor(tries int) time.Duration {
	if tries < freeTries {
		return 0
	}
	lock := firstLock
	for range tries - freeTries {
		if lock *= 2; lock >= longestLock {
			return longestLock
		}
	}
	return lock
}

const (
	countTry  = `UPDATE people SET tries = ?, locked_until = ? WHERE key = ?`
	noteRight = `UPDATE people SET tries = 0, locked_until = 0, last_seen = ? WHERE key = ? AND pin = ?`
)

// Enter lets somebody in by PIN on the browser of base. The error is ErrNoBase, ErrPIN, or a *LimitError for a person
// who is locked or an address that tried too often.
func (a *Access) Enter(ctx context.Context, base Principal, former string, id journal.ID, pin string, from netip.Addr) (cookie string, p Principal, err error) {
	if !base.Someone() || base.Via == ViaToken || base.Via == ViaPIN {
		return "", p, ErrNoBase
	}
	if wait := a.signIns.check(from); wait > 0 {
		return "", p, &LimitError{Wait: wait, What: "too many wrong PINs from this place"}
	}
	person, hash, err := a.try(ctx, id)
	if errors.Is(err, ErrGone) {
		err = ErrPIN
	}
	if err != nil {
		return "", p, err
	}
	if err := a.stir(ctx); err != nil {
		return "", p, err
	}
	right := rightPIN(pin, hash)
	a.unstir()
	if !right {
		return "", p, a.wrongPIN(base, person, from)
	}
	now := a.c.Now()
	cookie = newSecret()
	v := &visit{hash: hashOf(cookie), person: id, name: person.Name, role: person.Role, base: base.Subject(), began: now, alive: newLifetime()}
	v.acted.Store(micros(now))
	err = a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		rows, err := tx.Exec(noteRight, now, id.Key(), hash)
		if err != nil {
			return err
		}
		if rows == 0 {
			return ErrPIN // it was changed, or the person removed, meanwhile
		}
		return Record(tx, Principal{Name: person.Name, Role: person.Role}, ActEntered, base.Name, "from "+from.String())
	})
	if err != nil {
		v.alive.end()
		return "", p, err
	}
	v.unwatch = base.OnRevoked(func() { a.endVisits(func(o *visit) bool { return o == v }) })
	a.keepVisit(v)
	if former != "" {
		old := hashOf(former)
		a.endVisits(func(o *visit) bool { return o.hash == old && o.base == v.base })
	}
	return cookie, v.principal(base), nil
}

// try counts an attempt before the PIN is looked at: whoever tries many at once, or pulls the plug between two, gets no
// more of them.
func (a *Access) try(ctx context.Context, id journal.ID) (person Person, hash string, err error) {
	err = a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if person, hash, err = loadPerson(tx, id); err != nil {
			return err
		}
		now := tx.Now()
		if wait := person.LockedUntil.Sub(now); wait > 0 {
			return &LimitError{Wait: wait, What: person.Name + " is locked after too many wrong PINs"}
		}
		person.Tries++
		person.LockedUntil = time.Time{}
		if lock := lockFor(person.Tries); lock > 0 {
			person.LockedUntil = now.Add(lock)
		}
		_, err := tx.Exec(countTry, person.Tries, journal.Micros(person.LockedUntil), id.Key())
		return err
	})
	return person, hash, err
}

// wrongPIN writes down that somebody was turned away and tells how long the next try has to wait.
func (a *Access) wrongPIN(base Principal, person Person, from netip.Addr) error {
	limited := a.signIns.take(from)
	locked := person.LockedUntil.Sub(a.c.Now())
	if limited == 0 || locked > 0 {
		a.c.Journal.Later(func(tx *journal.Tx) error {
			if err := Record(tx, base, ActPINRefused, person.Name, "from "+from.String()); err != nil || locked <= 0 {
				return err
			}
			tx.Change("access", person.Name, []byte(`{"act":"person_locked"}`))
			return Record(tx, base, ActPersonLocked, person.Name, fmt.Sprintf("after %d wrong PINs, for %s", person.Tries, lockFor(person.Tries)))
		})
	}
	if locked > 0 {
		return &LimitError{Wait: locked, What: person.Name + " is locked after too many wrong PINs"}
	}
	return ErrPIN
}

func (v *visit) principal(base Principal) Principal {
	return Principal{Name: v.name, Role: v.role, Screen: base.Screen, Via: ViaPIN, subject: v.base, alive: v.alive}
}

// Visit gives the principal of somebody who gave a PIN on the browser of base. acts tells that the request does
// something: only then does the visit last longer, since pages ask by themselves as long as they are open.
func (a *Access) Visit(cookie string, base Principal, acts bool) (p Principal, until time.Time, ok bool) {
	if cookie == "" || len(cookie) > maxSecret {
		return p, until, false
	}
	now := a.c.Now()
	a.mu.RLock()
	v := a.visits[hashOf(cookie)]
	a.mu.RUnlock()
	if v == nil || v.base != base.Subject() || v.over(now, a.c.VisitIdle) {
		return p, until, false
	}
	if acts {
		v.acted.Store(micros(now))
	}
	return v.principal(base), v.ends(a.c.VisitIdle), true
}

// Leave ends the visit of that cookie; an unknown one is over already.
func (a *Access) Leave(cookie string) {
	h := hashOf(cookie)
	a.endVisits(func(v *visit) bool { return v.hash == h })
}

func (a *Access) keepVisit(v *visit) {
	a.mu.Lock()
	a.visits[v.hash] = v
	var oldest *visit
	for _, o := range a.visits {
		if o != v && (oldest == nil || o.acted.Load() < oldest.acted.Load()) {
			oldest = o
		}
	}
	many := len(a.visits) > MaxVisits
	a.mu.Unlock()
	if many {
		a.endVisits(func(o *visit) bool { return o == oldest })
	}
}

// endVisits ends the visits that which picks, their event streams included.
func (a *Access) endVisits(which func(*visit) bool) {
	a.mu.Lock()
	ended := takeWhere(a.visits, which)
	a.mu.Unlock()
	for _, v := range ended {
		v.unwatch()
		v.alive.end()
	}
}
