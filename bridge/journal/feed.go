package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Change is one row of the feed: something that happened, in the order in which it became durable.
type Change struct {
	Seq     int64     // 1, 2, 3 … without gaps
	At      time.Time // UTC, microseconds
	Kind    string    // order ticket job printer warning setting access
	Subject string    // which one: an id or a name
	Payload []byte    // JSON for the readers of the feed; not to be changed
}

// ErrHorizon says that the feed cannot be read on from a number: the rows after it are gone, or it is not of this journal.
// The reader needs a snapshot.
var ErrHorizon = errors.New("the change feed no longer reaches back so far")

const (
	catchUpStep = 256
	maxSince    = 10_000 // rows of one Since at most
)

// Watch has fn called with every durable change, once and in order, a batch of them at a time: on the writer's goroutine
// after each commit, and at the start of Run for what it did not have. It is to be called before Run. fn must not block;
// it may keep the slice and must not change it.
func (j *Journal) Watch(fn func([]Change)) { j.watchers = append(j.watchers, fn) }

const sqlSince = `SELECT seq, at, kind, subject, payload FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`

// Since reads the changes after a number, at most limit of them and never more than 10,000. It returns ErrHorizon when it
// cannot give the one right after.
func (j *Journal) Since(ctx context.Context, after int64, limit int) ([]Change, error) {
	if after < 0 || after > j.Seq() {
		return nil, fmt.Errorf("changes after %d: %w", after, ErrHorizon)
	}
	rows, err := j.readers.QueryContext(ctx, sqlSince, after, min(max(limit, 0), maxSince))
	if err != nil {
		return nil, fmt.Errorf("changes after %d: %w", after, err)
	}
	defer rows.Close()
	var changes []Change
	for rows.Next() {
		var c Change
		var at int64
		if err := rows.Scan(&c.Seq, &at, &c.Kind, &c.Subject, &c.Payload); err != nil {
			return nil, fmt.Errorf("changes after %d: %w", after, err)
		}
		c.At = time.UnixMicro(at).UTC()
		changes = append(changes, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("changes after %d: %w", after, err)
	}
	if len(changes) > 0 && changes[0].Seq != after+1 {
		return nil, fmt.Errorf("changes after %d: %w", after, ErrHorizon)
	}
	return changes, nil
}

// changesAfter is Since for the writer.
func changesAfter(c *conn, after int64, limit int) ([]Change, error) {
	var changes []Change
	err := c.query(context.Background(), sqlSince, []any{after, limit}, func(scan func(...any) error) error {
		var ch Change
		if err := scan(&ch.Seq, &ch.At, &ch.Kind, &ch.Subject, &ch.Payload); err != nil {
			return err
		}
		changes = append(changes, ch)
		return nil
	})
	return changes, err
}

// lastSeq is where the feed of the file ends.
func lastSeq(c *conn) (int64, error) {
	var last sql.NullInt64
	if err := c.queryRow(`SELECT max(seq) FROM changes`, nil, &last); err != nil {
		return 0, fmt.Errorf("read the end of the feed: %w", err)
	}
	return last.Int64, nil
}

// greatestKey looks through every table that is stored by the key of an ID.
func greatestKey(c *conn) (int64, error) {
	const tables = `SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS f
		WHERE t.type = 'table' AND f.name = 'key' AND f.pk = 1 AND f.type = 'INTEGER'`
	var greatest int64
	err := c.query(context.Background(), tables, nil, func(scan func(...any) error) error {
		var table string
		if err := scan(&table); err != nil {
			return err
		}
		var key sql.NullInt64
		if err := c.queryRow(`SELECT max(key) FROM "`+table+`"`, nil, &key); err != nil {
			return err
		}
		greatest = max(greatest, key.Int64)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("find the greatest key: %w", err)
	}
	return greatest, nil
}
