package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aboyeur/bridge/journal"
)

// A Person signs in with a PIN on a screen that several share, so that what is done there bears a name.
type Person struct {
	ID          journal.ID `json:"id"`
	Name        string     `json:"name"`
	Role        Role       `json:"role" enum:"staff,manager"`
	PINSetAt    time.Time  `json:"pin_set_at"`
	LastSeen    time.Time  `json:"last_seen,omitzero" doc:"absent: never signed in"`
	LockedUntil time.Time  `json:"locked_until,omitzero" doc:"absent: not locked"`
	Tries       int        `json:"tries" doc:"wrong PINs since the last right one"`
}

// MaxPeople is how many people a box knows.
const MaxPeople = 200

// Faults of people that callers tell apart.
var (
	ErrPersonTaken = errors.New("somebody of that name is there already; write the name so that both can be told apart")
	ErrManyPeople  = fmt.Errorf("%d people are there already; remove those who left", MaxPeople)
)

// A FaultError is a name, role or PIN that cannot be taken.
type FaultError struct {
	Member string // "name", "role" or "pin"
	Err    error
}

func (e *FaultError) Error() string { return e.Member + ": " + e.Err.Error() }
func (e *FaultError) Unwrap() error { return e.Err }

// checkPerson looks at what a manager wrote. An empty PIN is one that stays.
func checkPerson(name string, role Role, pin string) error {
	if err := checkPersonName(name); err != nil {
		return &FaultError{"name", err}
	}
	if role != Staff && role != Manager {
		return &FaultError{"role", errors.New("is staff or manager; who may do more signs in with a token")}
	}
	if pin == "" {
		return nil
	}
	if err := CheckPIN(pin, role); err != nil {
		return &FaultError{"pin", err}
	}
	return nil
}

// maxPersonName is the length of a person's name, in characters: it stands on a button.
const maxPersonName = 40

// checkPersonName takes what people are called anywhere; a token's name, which stands in files, is stricter.
func checkPersonName(name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxPersonName || !utf8.ValidString(name) {
		return fmt.Errorf("has 1 to %d characters", maxPersonName)
	}
	for _, c := range name {
		if !unicode.IsPrint(c) {
			return errors.New("has a character that cannot be seen; write letters, digits and blanks")
		}
	}
	return nil
}

const (
	personColumns = `id, name, role, pin, pin_set_at, last_seen, tries, locked_until`
	selectPeople  = `SELECT ` + personColumns + ` FROM people ORDER BY name`
	selectPerson  = `SELECT ` + personColumns + ` FROM people WHERE key = ?`
	countPeople   = `SELECT count(*) FROM people`
	findPerson    = `SELECT count(*) FROM people WHERE name = ? AND key <> ?`
	insertPerson  = `INSERT INTO people (key, id, name, role, pin, pin_set_at, made_by, made_at, last_seen, tries, locked_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)`
	updatePerson  = `UPDATE people SET name = ?, role = ?, pin = ?, pin_set_at = ?, tries = 0, locked_until = 0 WHERE key = ?`
	deletePerson  = `DELETE FROM people WHERE key = ?`
)

func scanPerson(scan func(...any) error) (p Person, pin string, err error) {
	var id []byte
	var role string
	var set, seen, locked int64
	if err := scan(&id, &p.Name, &role, &pin, &set, &seen, &p.Tries, &locked); err != nil {
		return p, "", err
	}
	copy(p.ID[:], id)
	p.Role, p.PINSetAt, p.LastSeen, p.LockedUntil = Role(role), journal.FromMicros(set), journal.FromMicros(seen), journal.FromMicros(locked)
	return p, pin, nil
}

// loadPerson reads one person within a transaction; ErrGone when there is none.
func loadPerson(tx *journal.Tx, id journal.ID) (p Person, pin string, err error) {
	err = ErrGone
	e := tx.Query(selectPerson, []any{id.Key()}, func(scan func(...any) error) error {
		p, pin, err = scanPerson(scan)
		return err
	})
	if e != nil {
		return p, "", e
	}
	if err == nil && p.ID != id {
		err = ErrGone
	}
	return p, pin, err
}

// People lists who may sign in with a PIN, by name. A lock that has run out is none.
func (a *Access) People(ctx context.Context) ([]Person, error) {
	rows, err := a.c.Journal.Read().QueryContext(ctx, selectPeople)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	defer rows.Close()
	list, now := []Person{}, a.c.Now()
	for rows.Next() {
		p, _, err := scanPerson(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		if !now.Before(p.LockedUntil) {
			p.LockedUntil = time.Time{}
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return list, nil
}

// AddPerson lets somebody sign in with that PIN. The error is a *FaultError, ErrPersonTaken or ErrManyPeople.
func (a *Access) AddPerson(ctx context.Context, by Principal, name string, role Role, pin string) (Person, error) {
	name = strings.TrimSpace(name)
	if pin == "" {
		return Person{}, &FaultError{"pin", errors.New("is missing")}
	}
	if err := checkPerson(name, role, pin); err != nil {
		return Person{}, err
	}
	hash, err := a.hash(ctx, pin)
	if err != nil {
		return Person{}, err
	}
	id := a.c.Journal.NewID()
	p := Person{ID: id, Name: name, Role: role}
	err = a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		var n int
		if err := tx.QueryRow(countPeople, nil, &n); err != nil {
			return err
		}
		if n >= MaxPeople {
			return ErrManyPeople
		}
		if err := nameFree(tx, name, id); err != nil {
			return err
		}
		p.PINSetAt = tx.Now().UTC()
		if _, err := tx.Exec(insertPerson, id.Key(), id[:], name, string(role), hash, p.PINSetAt, by.Name, p.PINSetAt); err != nil {
			return err
		}
		tx.Change("access", name, []byte(`{"act":"person_added"}`))
		return Record(tx, by, ActPersonAdded, name, string(role))
	})
	return p, err
}

func nameFree(tx *journal.Tx, name string, id journal.ID) error {
	var n int
	if err := tx.QueryRow(findPerson, []any{name, id.Key()}, &n); err != nil {
		return err
	}
	if n > 0 {
		return ErrPersonTaken
	}
	return nil
}

// ChangePerson gives somebody another name, role or PIN, ends the sessions under the former ones, and opens a lock. What
// is empty stays; a person who becomes manager needs a PIN long enough for one. The error is a *FaultError,
// ErrPersonTaken or ErrGone.
func (a *Access) ChangePerson(ctx context.Context, by Principal, id journal.ID, name string, role Role, pin string) (Person, error) {
	name = strings.TrimSpace(name)
	hash := ""
	if pin != "" {
		longest := role
		if longest == "" {
			longest = Staff // the row's own role is looked at below
		}
		if err := CheckPIN(pin, longest); err != nil {
			return Person{}, &FaultError{"pin", err}
		}
		var err error
		if hash, err = a.hash(ctx, pin); err != nil {
			return Person{}, err
		}
	}
	var p Person
	err := a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		was, kept, err := loadPerson(tx, id)
		if err != nil {
			return err
		}
		p = was
		if name != "" {
			p.Name = name
		}
		if role != "" {
			p.Role = role
		}
		if err := checkPerson(p.Name, p.Role, pin); err != nil {
			return err
		}
		if p.Role == Manager && was.Role != Manager && pin == "" {
			return &FaultError{"pin", errors.New("a manager needs a PIN of a manager's length; set one together with the role")}
		}
		if err := nameFree(tx, p.Name, id); err != nil {
			return err
		}
		act := ActPersonChanged
		if hash != "" {
			act, kept, p.PINSetAt = ActPINSet, hash, tx.Now().UTC()
		}
		p.Tries, p.LockedUntil = 0, time.Time{}
		if _, err := tx.Exec(updatePerson, p.Name, string(p.Role), kept, p.PINSetAt, id.Key()); err != nil {
			return err
		}
		tx.Change("access", p.Name, []byte(`{"act":"person_changed"}`))
		return Record(tx, by, act, p.Name, changeOf(was, p))
	})
	if err != nil {
		return Person{}, err
	}
	a.endVisits(func(v *visit) bool { return v.person == id })
	return p, nil
}

// changeOf tells in the audit log what became of somebody.
func changeOf(was, is Person) string {
	var parts []string
	if was.Name != is.Name {
		parts = append(parts, "was "+was.Name)
	}
	if was.Role != is.Role {
		parts = append(parts, string(was.Role)+" -> "+string(is.Role))
	}
	if !was.LockedUntil.IsZero() {
		parts = append(parts, "lock opened")
	}
	return strings.Join(parts, ", ")
}

// RemovePerson ends somebody's PIN and sessions; what was done in that name keeps it. The error is ErrGone for an
// unknown id.
func (a *Access) RemovePerson(ctx context.Context, by Principal, id journal.ID) error {
	err := a.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		p, _, err := loadPerson(tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(deletePerson, id.Key()); err != nil {
			return err
		}
		tx.Change("access", p.Name, []byte(`{"act":"person_removed"}`))
		return Record(tx, by, ActPersonRemoved, p.Name, "")
	})
	if err != nil {
		return err
	}
	a.endVisits(func(v *visit) bool { return v.person == id })
	return nil
}

// hash hashes a PIN, one at a time: however many are asked for, they keep one processor busy.
func (a *Access) hash(ctx context.Context, pin string) (string, error) {
	if err := a.stir(ctx); err != nil {
		return "", err
	}
	defer a.unstir()
	return hashPIN(pin, a.c.PINRounds)
}

func (a *Access) stir(ctx context.Context) error {
	select {
	case a.stirring <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Access) unstir() { <-a.stirring }
