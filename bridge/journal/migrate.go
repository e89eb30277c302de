package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"time"
)

//go:embed migrations/*.sql
var files embed.FS

// ErrNewerSchema refuses a journal whose tables a newer program has changed.
var ErrNewerSchema = errors.New("the journal was written by a newer aboyeur")

// migration is one numbered file: a step from one form of the tables to the next.
type migration struct {
	number int
	name   string // 0001_journal.sql
	text   string
	sum    string // SHA-256 of text, hexadecimal
}

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// readMigrations gives the steps in order, 1, 2, 3 ….
func readMigrations(tables fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(tables, "migrations")
	if err != nil {
		return nil, err
	}
	var steps []migration
	for _, e := range entries {
		m := migrationName.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, fmt.Errorf("migration %s is not named like 0001_journal.sql", e.Name())
		}
		number, _ := strconv.Atoi(m[1])
		if number != len(steps)+1 {
			return nil, fmt.Errorf("migration %s stands where number %d is due", e.Name(), len(steps)+1)
		}
		text, err := fs.ReadFile(tables, path.Join("migrations", e.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		steps = append(steps, migration{number, e.Name(), string(text), hex.EncodeToString(sum[:])})
	}
	return steps, nil
}

// appliedMigrations tells how many steps the file has behind it, and refuses one with other steps than ours.
func appliedMigrations(c *conn, steps []migration) (int, error) {
	var n int
	err := c.queryRow(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'`, nil, &n)
	if err == sql.ErrNoRows {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	n = 0
	const applied = `SELECT number, name, sum FROM migrations ORDER BY number`
	err = c.query(context.Background(), applied, nil, func(scan func(...any) error) error {
		var number int
		var name, sum string
		if err := scan(&number, &name, &sum); err != nil {
			return err
		}
		n++
		switch {
		case number > len(steps):
			return fmt.Errorf("%w: it has step %s, this program knows %d steps; install the newer version again, or restore a backup made before it",
				ErrNewerSchema, name, len(steps))
		case number != n:
			return fmt.Errorf("migration %d is missing from the journal's list", n)
		case sum != steps[number-1].sum:
			return fmt.Errorf("migration %s was changed after it had been applied; a released migration is never edited, add a new one", name)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// migrate applies steps, each in a transaction of its own.
func migrate(c *conn, steps []migration, now func() time.Time) error {
	for _, step := range steps {
		if err := apply(c, step, now()); err != nil {
			return fmt.Errorf("migration %s: %w", step.name, err)
		}
	}
	return nil
}

func apply(c *conn, step migration, at time.Time) (err error) {
	if _, err := c.exec(sqlBegin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.exec(sqlRollback)
		}
	}()
	if step.number == 1 {
		const list = `CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sum TEXT NOT NULL, at INTEGER NOT NULL)`
		if err := c.script(context.Background(), list); err != nil {
			return err
		}
	}
	if err := c.script(context.Background(), step.text); err != nil {
		return err
	}
	if _, err := c.exec(`INSERT INTO migrations (number, name, sum, at) VALUES (?, ?, ?, ?)`, step.number, step.name, step.sum, at); err != nil {
		return err
	}
	_, err = c.exec(sqlCommit)
	return err
}
