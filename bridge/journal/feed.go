package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Change is one row of the feed: something that happened, in the order in which it became durable.
type Change struct {
	Seq     int64     // 1, 2, 3 … without gaps
	At      time.Time // UTC, microseconds
	Kind    string    // order ticket job printer warning setting access posting pms check reservation integration
	Subject string    // which one: an id or a name
	Payload []byte    // JSON for the readers of the feed; not to be changed
}

// ErrHorizon says that the feed cannot be read on from a number: the rows after it are gone, or it is not of this journal.
// The reader needs a snapshot.
var ErrHorizon = errors.New("the change feed no longer reaches back so far")

const (
	catchUpStep = 256    // rows
	maxSince    = 10_000 // changes of one Since at most
)

// Watch has fn called with every durable change, once and in order, a batch of them at a time: on the writer's goroutine
// after each commit, and at the start of Run for what it did not have. It is to be called before Run. fn must not block;
// it may keep the slice and must not change it.
func (j *Journal) Watch(fn func([]Change)) { j.watchers = append(j.watchers, fn) }

const (
	sqlChanges = `INSERT INTO changes (seq, first, at, entries) VALUES (?, ?, ?, ?)`
	sqlSince   = `SELECT first, at, entries FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`
)

// entry is one change within its row.
type entry struct {
	Kind    string         `json:"kind"`
	Subject string         `json:"subject"`
	Payload jsontext.Value `json:"payload,omitzero"`
}

// appendEntries appends the JSON of a row. Payloads are JSON already.
func appendEntries(b []byte, changes []Change) ([]byte, error) {
	b = append(b, '[')
	for i := range changes {
		c := &changes[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"kind":"`...)
		b = append(b, c.Kind...)
		b = append(b, `","subject":`...)
		var err error
		if b, err = jsontext.AppendQuote(b, c.Subject); err != nil {
			return nil, fmt.Errorf("subject %q of a change: %w", c.Subject, err)
		}
		if c.Payload != nil {
			b = append(b, `,"payload":`...)
			b = append(b, c.Payload...)
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// appendChanges appends what a row holds after a number.
func appendChanges(list []Change, after, first, at int64, entries []byte) ([]Change, error) {
	var row []entry
	if err := json.Unmarshal(entries, &row); err != nil {
		return nil, fmt.Errorf("changes from %d on: %w", first, err)
	}
	for i, e := range row {
		if seq := first + int64(i); seq > after {
			list = append(list, Change{seq, time.UnixMicro(at).UTC(), e.Kind, e.Subject, e.Payload})
		}
	}
	return list, nil
}

// Since reads the changes after a number, at most limit of them and never more than 10,000. It returns ErrHorizon when it
// cannot give the one right after.
func (j *Journal) Since(ctx context.Context, after int64, limit int) ([]Change, error) {
	if after < 0 || after > j.Seq() {
		return nil, fmt.Errorf("changes after %d: %w", after, ErrHorizon)
	}
	changes, err := j.since(ctx, after, min(max(limit, 0), maxSince))
	if err != nil {
		return nil, fmt.Errorf("changes after %d: %w", after, err)
	}
	return changes, nil
}

func (j *Journal) since(ctx context.Context, after int64, limit int) ([]Change, error) {
	rows, err := j.readers.QueryContext(ctx, sqlSince, after, limit) // no row is without a change
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var changes []Change
	for len(changes) < limit && rows.Next() {
		var first, at int64
		var entries sql.RawBytes
		if err := rows.Scan(&first, &at, &entries); err != nil {
			return nil, err
		}
		if changes == nil && first > after+1 {
			return nil, ErrHorizon
		}
		if changes, err = appendChanges(changes, after, first, at, entries); err != nil {
			return nil, err
		}
	}
	return changes[:min(limit, len(changes))], rows.Err()
}

// changesAfter is Since for the writer: limit rows of the feed.
func changesAfter(c *conn, after int64, limit int) ([]Change, error) {
	var changes []Change
	err := c.query(context.Background(), sqlSince, []any{after, limit}, func(scan func(...any) error) error {
		var first, at int64
		var entries []byte
		err := scan(&first, &at, &entries)
		if err == nil {
			changes, err = appendChanges(changes, after, first, at, entries)
		}
		return err
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
