package floor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

const (
	columns      = `id, number, business_day, state, version, opened_at, closed_at, content`
	insertCheck  = `INSERT INTO checks (key, id, number, business_day, state, version, opened_at, closed_at, content) VALUES (?, ?, ?, ?, 'open', 1, ?, 0, ?)`
	selectCheck  = `SELECT ` + columns + ` FROM checks WHERE key = ?`
	updateCheck  = `UPDATE checks SET state = ?, version = version + 1, closed_at = ?, content = ? WHERE key = ? AND version = ?`
	insertEvent  = `INSERT INTO check_events (key, check_key, at, kind, by, payload) VALUES (?, ?, ?, ?, ?, ?)`
	insertTable  = `INSERT INTO check_tables (name, check_key) VALUES (?, ?) ON CONFLICT DO NOTHING`
	deleteTables = `DELETE FROM check_tables WHERE check_key = ?`
	selectOn     = `SELECT c.id, c.number, c.business_day, c.state, c.version, c.opened_at, c.closed_at, c.content
		FROM check_tables AS t JOIN checks AS c ON c.key = t.check_key WHERE t.name = ? ORDER BY c.key`
	selectEvents = `SELECT at, kind, by, payload FROM check_events WHERE check_key = ? ORDER BY key`
)

func scan(row func(...any) error) (*Check, error) {
	c := new(Check)
	var id, body []byte
	var opened, closed int64
	if err := row(&id, &c.Number, &c.BusinessDay, &c.State, &c.Version, &opened, &closed, &body); err != nil {
		return nil, err
	}
	c.ID, c.OpenedAt, c.ClosedAt = journal.ID(id), journal.FromMicros(opened), journal.FromMicros(closed)
	if err := json.Unmarshal(body, &c.content); err != nil {
		return nil, fmt.Errorf("%w: check %s: %v", errCorrupt, c.ID, err)
	}
	c.reckon()
	return c, nil
}

func load(tx *journal.Tx, id journal.ID) (c *Check, err error) {
	err = tx.Query(selectCheck, []any{id.Key()}, func(row func(...any) error) error {
		c, err = scan(row)
		return err
	})
	if err == nil && (c == nil || c.ID != id) {
		err = ErrNone
	}
	return c, err
}

// store writes a changed check and one event of it, and tells the feed and whoever follows the checks.
func (s *Service) store(tx *journal.Tx, c *Check, step Step, detail any) error {
	c.reckon()
	rows, err := tx.Exec(updateCheck, c.State, journal.Micros(c.ClosedAt), encode(c.content), c.ID.Key(), c.Version)
	if err != nil {
		return fmt.Errorf("store check %s: %w", c.ID, err)
	}
	if rows != 1 {
		return fmt.Errorf("store check %s: no row of version %d", c.ID, c.Version)
	}
	c.Version++
	return s.event(tx, c, step, detail)
}

// stand notes which tables an open check stands on; one that is not open stands on none.
func stand(tx *journal.Tx, c *Check) error {
	if _, err := tx.Exec(deleteTables, c.ID.Key()); err != nil {
		return fmt.Errorf("store the tables of check %s: %w", c.ID, err)
	}
	if c.State != Open {
		return nil
	}
	return sit(tx, c)
}

// sit notes the tables of an open check that stood on none.
func sit(tx *journal.Tx, c *Check) error {
	for _, t := range c.Tables {
		if _, err := tx.Exec(insertTable, t, c.ID.Key()); err != nil {
			return fmt.Errorf("store the tables of check %s: %w", c.ID, err)
		}
	}
	return nil
}

// On gives the open checks that stand on a table, the oldest first.
func (s *Service) On(tx *journal.Tx, table string) ([]*Check, error) {
	return query(tx, selectOn, table)
}

// query reads the checks that a statement selects, without their events.
func query(tx *journal.Tx, statement string, args ...any) (list []*Check, err error) {
	err = tx.Query(statement, args, func(row func(...any) error) error {
		c, err := scan(row)
		if err == nil {
			list = append(list, c)
		}
		return err
	})
	return list, err
}

// Load reads a check within a transaction, without its events.
func (s *Service) Load(tx *journal.Tx, id journal.ID) (*Check, error) { return load(tx, id) }

// notice is the payload of a "check" row of the change feed.
type notice struct {
	ID      journal.ID `json:"id"`
	Number  int64      `json:"number"`
	State   string     `json:"state"`
	Event   string     `json:"event"`
	Tables  []string   `json:"tables"`
	Total   int64      `json:"total"`
	Balance int64      `json:"balance"`
}

func (s *Service) event(tx *journal.Tx, c *Check, step Step, detail any) error {
	if _, err := tx.Exec(insertEvent, s.c.Journal.NewID().Key(), c.ID.Key(), tx.Now(), step.Kind, step.By, encode(detail)); err != nil {
		return fmt.Errorf("store an event of check %s: %w", c.ID, err)
	}
	tx.Change("check", c.ID.String(), encode(notice{c.ID, c.Number, c.State, step.Kind, c.Tables, c.Total, c.Balance}))
	if s.c.Follow == nil {
		return nil
	}
	step.Check = c
	return s.c.Follow(tx, step)
}

// repeated notes the caller's Idempotency-Key, "" for none, and gives what it made when it was used for this before.
func repeated(tx *journal.Tx, by access.Principal, key, act string, body any, subject journal.ID) (journal.ID, bool, error) {
	if key == "" {
		return subject, false, nil
	}
	prior, again, err := tx.Idempotent(by.Subject(), key, sale.Hash(append([]byte(act+" "), encode(body)...)), subject.String())
	if errors.Is(err, journal.ErrKeyReused) {
		return subject, false, ErrOther
	}
	if err != nil || !again {
		return subject, false, err
	}
	subject, err = journal.ParseID(prior)
	return subject, true, err
}

// Get gives a check with its events; ErrNone when there is none.
func (s *Service) Get(ctx context.Context, id journal.ID) (Check, error) {
	c, err := scan(s.c.Journal.Read().QueryRowContext(ctx, selectCheck, id.Key()).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && c.ID != id {
		return Check{}, ErrNone
	}
	if err != nil {
		return Check{}, fmt.Errorf("read check %s: %w", id, err)
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectEvents, id.Key())
	if err != nil {
		return Check{}, fmt.Errorf("read the events of check %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Event
		var at int64
		var payload []byte
		if err := rows.Scan(&at, &e.Kind, &e.By, &payload); err != nil {
			return Check{}, fmt.Errorf("read the events of check %s: %w", id, err)
		}
		e.At = journal.FromMicros(at)
		if err := json.Unmarshal(payload, &e.Detail); err != nil {
			return Check{}, fmt.Errorf("%w: check %s: %v", errCorrupt, id, err)
		}
		c.Events = append(c.Events, e)
	}
	return *c, rows.Err()
}

const selectOpen = `SELECT ` + columns + ` FROM checks WHERE state = ? ORDER BY key DESC LIMIT ?`

// List gives checks of one state, newest first, without events.
func (s *Service) List(ctx context.Context, state string, limit int) ([]Check, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectOpen, state, limit)
	if err != nil {
		return nil, fmt.Errorf("list checks: %w", err)
	}
	defer rows.Close()
	list := []Check{}
	for rows.Next() {
		c, err := scan(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list checks: %w", err)
		}
		list = append(list, *c)
	}
	return list, rows.Err()
}
