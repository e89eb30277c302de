package journaltest

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
)

// ErrFault is what a call fails with when it was told to.
var ErrFault = errors.New("storage fault on demand")

// A Mode is a way to fail.
type Mode int

const (
	Before Mode = iota // the call does nothing and reports an error
	After              // the call does its work and reports an error nevertheless
	Dead               // like Before, and so does every later call until the next Arm
)

// Faults makes storage fail on demand: give its Wrap to journal.Config. It counts the calls of all connections it wraps:
// connect, prepare, exec, query, and the step to each row. The zero value lets everything pass.
//
//	for n := 1; ; n++ {
//		faults := &journaltest.Faults{}
//		faults.Arm(n, journaltest.After, "")
//		... // what is to be tested, then what must hold in spite of the fault
//		if faults.Hit() == "" {
//			break // every call has failed once
//		}
//	}
type Faults struct {
	mu    sync.Mutex // guards what follows
	calls int
	at    int // the count at which a call fails; 0 never
	mode  Mode
	like  string
	hit   string
	dead  bool
}

// Arm makes the n-th call from now fail; with like, the n-th whose text contains it ("COMMIT", "connect"). n 0 lets all
// pass again.
func (f *Faults) Arm(n int, mode Mode, like string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.at, f.mode, f.like, f.hit, f.dead = 0, n, mode, like, "", false
}

// Hit tells which call failed since Arm, "" none.
func (f *Faults) Hit() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hit
}

// Calls tells how many calls came since Arm.
func (f *Faults) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Wrap puts the faults around a connector.
func (f *Faults) Wrap(c driver.Connector) driver.Connector { return &connector{c, f} }

// do makes one call, or lets it fail.
func (f *Faults) do(what string, call func() error) error {
	f.mu.Lock()
	if strings.Contains(what, f.like) {
		f.calls++
		if f.at > 0 && f.calls == f.at {
			f.hit, f.dead = what, f.mode == Dead
			if f.mode == After {
				f.mu.Unlock()
				if err := call(); err != nil {
					return err
				}
				return ErrFault
			}
			f.mu.Unlock()
			return ErrFault
		}
	}
	dead := f.dead
	f.mu.Unlock()
	if dead {
		return ErrFault
	}
	return call()
}

type connector struct {
	driver.Connector
	faults *Faults
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var made driver.Conn
	err := c.faults.do("connect", func() (err error) {
		made, err = c.Connector.Connect(ctx)
		return err
	})
	if err != nil {
		if made != nil {
			made.Close()
		}
		return nil, err
	}
	return &conn{made, c.faults}, nil
}

// conn carries the interfaces of the SQLite driver that the journal and database/sql use.
type conn struct {
	driver.Conn
	faults *Faults
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	var made driver.Stmt
	err := c.faults.do("prepare "+query, func() (err error) {
		made, err = c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
		return err
	})
	if err != nil {
		if made != nil {
			made.Close()
		}
		return nil, err
	}
	return &stmt{made, query, c.faults}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.faults.do("exec "+query, func() (err error) {
		r, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
	return r, err
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.faults.query(query, func() (driver.Rows, error) {
		return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	})
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (tx driver.Tx, err error) {
	err = c.faults.do("begin", func() (err error) {
		tx, err = c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
		return err
	})
	return tx, err
}

func (c *conn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *conn) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

type stmt struct {
	driver.Stmt
	text   string
	faults *Faults
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	err = s.faults.do("exec "+s.text, func() (err error) {
		r, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	})
	return r, err
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.faults.query(s.text, func() (driver.Rows, error) {
		return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	})
}

func (f *Faults) query(text string, call func() (driver.Rows, error)) (driver.Rows, error) {
	var made driver.Rows
	err := f.do("query "+text, func() (err error) {
		made, err = call()
		return err
	})
	if err != nil {
		if made != nil {
			made.Close()
		}
		return nil, err
	}
	return &rows{made, text, f}, nil
}

type rows struct {
	driver.Rows
	text   string
	faults *Faults
}

func (r *rows) Next(dest []driver.Value) error {
	return r.faults.do("next "+r.text, func() error { return r.Rows.Next(dest) })
}
