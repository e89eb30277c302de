package journal

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// Tx is what a function given to Write works with: one savepoint of the commit under way. It is good until that function
// returns.
//
// A statement that fails by a rule of its table (see [IsConstraint]) is undone alone. After any other failure the Tx
// answers every further statement with that same error and the whole savepoint is undone, even if the function returns nil:
// storage that failed once does not get half of a story.
type Tx struct {
	journal   *Journal
	conn      *conn
	at        time.Time
	changes   []Change
	after     []func(error)
	following []func(error)
	err       error // the failure that spoiled it
	wrote     bool
	ended     bool
}

var errEnded = errors.New("transaction used after its function returned")

// Exec runs a statement and returns how many rows it touched. Statements are prepared once by their text, so values belong
// into args. A time.Time is stored in microseconds, an ID as 16 bytes.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if err := tx.usable(); err != nil {
		return 0, err
	}
	tx.wrote = true
	n, err := tx.conn.exec(query, args...)
	return n, tx.spoil(query, err)
}

// QueryRow reads the first row into dest, or returns sql.ErrNoRows. It sees what earlier functions of this batch wrote. A
// *time.Time takes microseconds, a **T or a sql.Scanner what may be NULL.
func (tx *Tx) QueryRow(query string, args []any, dest ...any) error {
	if err := tx.usable(); err != nil {
		return err
	}
	return tx.spoil(query, tx.conn.queryRow(query, args, dest...))
}

// Query calls each for every row. An error of each ends it and comes back. Inside each, tx may be used.
func (tx *Tx) Query(query string, args []any, each func(scan func(dest ...any) error) error) error {
	if err := tx.usable(); err != nil {
		return err
	}
	var own error
	err := tx.conn.query(context.Background(), query, args, func(scan func(...any) error) error {
		own = each(scan)
		return own
	})
	if own != nil {
		return own
	}
	return tx.spoil(query, err)
}

// Change adds a row to the feed. It gets its number when the function has returned without error, and the watchers hear of
// it when it is durable. The payload is kept, not copied.
func (tx *Tx) Change(kind, subject string, payload []byte) {
	tx.changes = append(tx.changes, Change{At: tx.at, Kind: kind, Subject: subject, Payload: payload})
}

// After has hook called on the writer's goroutine once the outcome is known: nil when the commit is durable, before the
// caller of Write wakes; otherwise the error, at once when only this savepoint is undone. It is called exactly once and must
// not block.
func (tx *Tx) After(hook func(error)) { tx.after = append(tx.after, hook) }

// Follow is After for what the caller need not wait for: when the commit is durable, hook is called after every hook of
// After, and once the callers of Overtake have gone on.
func (tx *Tx) Follow(hook func(error)) { tx.following = append(tx.following, hook) }

// Statements of Try's savepoint.
const (
	sqlTry     = `SAVEPOINT part`
	sqlTried   = `RELEASE part`
	sqlUndoTry = `ROLLBACK TO part`
)

// Try runs fn as a part that may fail alone: after fn's error, or its panic, nothing of it stays, its hooks hear that error,
// the error comes back, and tx goes on. A failure of storage still undoes everything.
func (tx *Tx) Try(fn func(*Tx) error) error {
	if _, err := tx.Exec(sqlTry); err != nil {
		return err
	}
	changes, after, following := len(tx.changes), len(tx.after), len(tx.following)
	err := tx.journal.try(tx, fn)
	if tx.err != nil {
		return tx.err
	}
	if err == nil {
		_, err := tx.Exec(sqlTried)
		return err
	}
	for _, statement := range []string{sqlUndoTry, sqlTried} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	part := Tx{journal: tx.journal, after: slices.Clone(tx.after[after:]), following: slices.Clone(tx.following[following:])}
	tx.changes, tx.after, tx.following = tx.changes[:changes], tx.after[:after], tx.following[:following]
	part.settle(err)
	return err
}

// Now is the moment the function began, UTC, in whole microseconds, as it is stored.
func (tx *Tx) Now() time.Time { return tx.at }

func (tx *Tx) usable() error {
	if tx.ended {
		return errEnded
	}
	return tx.err
}

// spoil remembers a failure that is more than one refused statement.
func (tx *Tx) spoil(query string, err error) error {
	if err == nil || err == sql.ErrNoRows {
		return err
	}
	err = named(query, err)
	if !IsConstraint(err) {
		tx.err = err
		tx.journal.noteDamage(err)
	}
	return err
}

// settle tells the hooks of After, and after a failure those of Follow as well.
func (tx *Tx) settle(err error) {
	for _, hook := range tx.after {
		tx.journal.guard("hook", func() { hook(err) })
	}
	tx.after = nil
	if err != nil {
		tx.follow(err)
	}
}

// follow tells the hooks of Follow.
func (tx *Tx) follow(err error) {
	for _, hook := range tx.following {
		tx.journal.guard("hook", func() { hook(err) })
	}
	tx.following = nil
}
