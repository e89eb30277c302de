package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// maxStatements bounds what one connection keeps prepared. The house has about a hundred texts; a caller that builds its
// texts at run time only makes the cache start anew.
const maxStatements = 512

// maxReaders is the size of the pool: each connection holds up to half a MiB of pages.
const maxReaders = 3

// conn is one connection that a single goroutine uses without the locks and conversions of database/sql. Statements are
// prepared once by their text.
type conn struct {
	raw        driver.Conn
	statements map[string]*statement
	bound      []driver.NamedValue // arguments of the call under way; the driver copies them before it returns
}

type statement struct {
	raw  driver.Stmt
	busy bool // its rows are being read
}

// Settings of the connections. The writer never folds the log by itself: checkpoint.go does, away from the path.
// Temporary storage is memory, where savepoints keep what they may have to undo.
var (
	writerPragmas = []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "wal_autocheckpoint(0)",
		"cache_size(-1024)", "mmap_size(0)", "temp_store(MEMORY)", "journal_size_limit(16777216)", "trusted_schema(0)"}
	readerPragmas = []string{"busy_timeout(5000)", "query_only(1)", "wal_autocheckpoint(0)", "cache_size(-512)", "mmap_size(0)", "temp_store(MEMORY)", "trusted_schema(0)"}
	draftPragmas  = []string{"journal_mode(WAL)", "synchronous(OFF)", "foreign_keys(1)"} // synced as a whole
	keeperPragmas = []string{"busy_timeout(0)", "synchronous(FULL)", "wal_autocheckpoint(0)", "cache_size(-64)", "mmap_size(0)", "temp_store(MEMORY)"}
)

// connector makes connections to a file with the given settings. A time.Time is stored in microseconds.
func (j *Journal) connector(path string, pragmas []string) (driver.Connector, error) {
	query := url.Values{"_pragma": pragmas, "_time_integer_format": {"unix_micro"}, "_dqs": {"0"}}
	where := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	c, err := sqlite.NewConnector(where.String())
	if err != nil {
		return nil, err
	}
	return j.config.Wrap(c), nil
}

func (j *Journal) connect(ctx context.Context, path string, pragmas []string) (*conn, error) {
	d, err := j.connector(path, pragmas)
	if err != nil {
		return nil, err
	}
	raw, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, statements: map[string]*statement{}}, nil
}

func (c *conn) close() error {
	c.forget()
	return c.raw.Close()
}

// forget drops every prepared statement.
func (c *conn) forget() {
	for _, s := range c.statements {
		s.raw.Close()
	}
	clear(c.statements)
}

// trim keeps the cache bounded. It is called between transactions, when no statement is in use.
func (c *conn) trim() {
	if len(c.statements) > maxStatements {
		c.forget()
	}
}

// take gives the statement of a text, marked busy until give.
func (c *conn) take(query string) (*statement, error) {
	s := c.statements[query]
	if s != nil && !s.busy {
		s.busy = true
		return s, nil
	}
	raw, err := c.raw.Prepare(query)
	if err != nil {
		return nil, err
	}
	fresh := &statement{raw: raw, busy: true}
	if s == nil {
		c.statements[query] = fresh
	} // else the same text is being read further up: this one lives for the one call
	return fresh, nil
}

func (c *conn) give(query string, s *statement) {
	s.busy = false
	if c.statements[query] != s {
		s.raw.Close()
	}
}

// exec runs a statement and tells how many rows it touched.
func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.take(query)
	if err != nil {
		return 0, err
	}
	defer c.give(query, s)
	if err := c.bind(args); err != nil {
		return 0, err
	}
	result, err := s.raw.(driver.StmtExecContext).ExecContext(context.Background(), c.bound)
	clear(c.bound)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// script runs text of several statements, which are not kept.
func (c *conn) script(ctx context.Context, text string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(ctx, text, nil)
	return err
}

// query calls each for every row; scan fills its destinations from the row at hand.
func (c *conn) query(ctx context.Context, query string, args []any, each func(scan func(dest ...any) error) error) (err error) {
	s, err := c.take(query)
	if err != nil {
		return err
	}
	defer c.give(query, s)
	if err := c.bind(args); err != nil {
		return err
	}
	rows, err := s.raw.(driver.StmtQueryContext).QueryContext(ctx, c.bound)
	clear(c.bound)
	if err != nil {
		return err
	}
	defer func() {
		if fault := rows.Close(); err == nil {
			err = fault
		}
	}()
	row := make([]driver.Value, len(rows.Columns()))
	scan := func(dest ...any) error { return scanRow(row, dest) }
	for {
		switch err := rows.Next(row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := each(scan); err != nil {
			return err
		}
	}
}

var errEnough = errors.New("one row is enough")

// queryRow reads the first row, sql.ErrNoRows without one.
func (c *conn) queryRow(query string, args []any, dest ...any) error {
	err := c.query(context.Background(), query, args, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		return errEnough
	})
	switch err {
	case errEnough:
		return nil
	case nil:
		return sql.ErrNoRows
	}
	return err
}

// bind lays the arguments out as the driver wants them.
func (c *conn) bind(args []any) error {
	c.bound = c.bound[:0]
	for i, arg := range args {
		value, err := toValue(arg)
		if err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		c.bound = append(c.bound, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return nil
}

// toValue turns what Go code has into what SQLite stores, as database/sql does. A time is its microseconds.
func toValue(arg any) (driver.Value, error) {
	switch v := arg.(type) {
	case nil, int64, string, []byte, float64, bool:
		return v, nil
	case int:
		return int64(v), nil
	case time.Time:
		return v.UnixMicro(), nil
	case ID:
		return v[:], nil
	}
	value, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return nil, err
	}
	if at, ok := value.(time.Time); ok {
		return at.UnixMicro(), nil
	}
	return value, nil
}

// scanRow fills the destinations from a row. Memory of the row is not shared with a later one.
func scanRow(row []driver.Value, dest []any) error {
	if len(row) != len(dest) {
		return fmt.Errorf("%d columns for %d destinations", len(row), len(dest))
	}
	for i := range row {
		if err := scanValue(row[i], dest[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

func scanValue(src driver.Value, dest any) error {
	switch d := dest.(type) {
	case *string:
		if s, ok := src.(string); ok {
			*d = s
			return nil
		}
	case *int64:
		if n, ok := src.(int64); ok {
			*d = n
			return nil
		}
	case *int:
		if n, ok := src.(int64); ok {
			*d = int(n)
			return nil
		}
	case *bool:
		if n, ok := src.(int64); ok {
			*d = n != 0
			return nil
		}
	case *[]byte:
		switch s := src.(type) {
		case nil:
			*d = nil
			return nil
		case []byte:
			*d = s
			return nil
		case string:
			*d = []byte(s)
			return nil
		}
	case *time.Time:
		if n, ok := src.(int64); ok {
			*d = time.UnixMicro(n).UTC()
			return nil
		}
	case *any:
		*d = src
		return nil
	case sql.Scanner:
		return d.Scan(src)
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("destination %T is no pointer", dest)
	}
	return scanReflect(src, v.Elem())
}

// scanReflect serves the rarer kinds: named types, small integers, pointers for what may be NULL.
func scanReflect(src driver.Value, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		if src == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return scanValue(src, v.Interface())
	}
	if src == nil {
		return fmt.Errorf("NULL does not fit %s", v.Type())
	}
	switch v.Kind() {
	case reflect.String:
		switch s := src.(type) {
		case string:
			v.SetString(s)
		case []byte:
			v.SetString(string(s))
		case int64:
			v.SetString(strconv.FormatInt(s, 10))
		case float64:
			v.SetString(strconv.FormatFloat(s, 'g', -1, 64))
		}
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, ok := src.(int64); ok && !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n, ok := src.(int64); ok && n >= 0 && !v.OverflowUint(uint64(n)) {
			v.SetUint(uint64(n))
			return nil
		}
	case reflect.Float32, reflect.Float64:
		switch n := src.(type) {
		case float64:
			v.SetFloat(n)
			return nil
		case int64:
			v.SetFloat(float64(n))
			return nil
		}
	case reflect.Bool:
		if n, ok := src.(int64); ok {
			v.SetBool(n != 0)
			return nil
		}
	case reflect.Slice:
		if b, ok := src.([]byte); ok && v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(b)
			return nil
		}
		if s, ok := src.(string); ok && v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(s))
			return nil
		}
	}
	return fmt.Errorf("%v (%T) does not fit %s", src, src, v.Type())
}

// Primary result codes of SQLite (sqlite.org/rescode.html).
const (
	codeCorrupt    = 11
	codeConstraint = 19
	codeNotADB     = 26
)

func resultCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// IsConstraint reports whether a statement was refused by a rule of its table: UNIQUE, CHECK, NOT NULL or a reference. Only
// that statement is undone then; the function may go on.
func IsConstraint(err error) bool { return resultCode(err) == codeConstraint }

// named wraps an error with the beginning of its statement.
func named(query string, err error) error {
	if err == nil || err == sql.ErrNoRows {
		return err
	}
	words := strings.Join(strings.Fields(query), " ")
	if len(words) > 60 {
		words = words[:60] + "…"
	}
	return fmt.Errorf("%s: %w", words, err)
}
