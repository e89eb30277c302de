package floor

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// Errors of the service that callers decide on.
var (
	ErrNone     = errors.New("there is no such check")
	ErrClosed   = errors.New("the check is closed; reopen it first")
	ErrOpen     = errors.New("the check is open")
	ErrBalance  = errors.New("the check is not paid")
	ErrOverpaid = errors.New("is more than what is left to pay")
	ErrUnderWay = errors.New("a room payment of the check is still under way")
	ErrOther    = errors.New("the Idempotency-Key was used for another request")
	ErrNoHotel  = errors.New("this venue has no hotel link; take another payment")
	ErrPosting  = errors.New("the posting is not one that can pay this")
	ErrEnded    = errors.New("the check has ended")
	ErrTable    = errors.New("another check is open on the table")
	ErrLine     = errors.New("the check has no such line")
	ErrRoom     = errors.New("a room pays of the check; void that payment first, since the hotel has it under this check")
	ErrClaimed  = errors.New("what is paid would be more than what is left on the check; void a payment first")
	ErrUsed     = errors.New("the check has lines or payments; void them or close it")
	ErrDeposit  = errors.New("the deposits do not cover it")
	ErrSame     = errors.New("a check cannot be merged into itself")
	ErrFull     = errors.New("the check has as many entries as it can hold")
	errCorrupt  = errors.New("the journal holds a check that cannot be read")
)

// RefusedError is a room payment that the hotel did not take.
type RefusedError struct{ Posting Posting }

func (e *RefusedError) Error() string {
	return "the hotel refused the room payment: " + cmp.Or(e.Posting.Message, e.Posting.Reason)
}

// UnknownError is a room payment of which nobody knows whether the hotel took it.
type UnknownError struct{ Posting Posting }

func (e *UnknownError) Error() string {
	return "nobody knows whether the hotel booked the room payment; a manager looks it up: " + e.Posting.Message
}

// Bounds of a check.
const (
	maxLines    = 500
	maxPayments = 100
	maxNumber   = 99_999_999
)

// Calendar tells the business day of a moment.
type Calendar struct {
	Location *time.Location
	Close    time.Duration // after local midnight
}

// Day is the business day at t, as 2006-01-02, by the wall clock.
func (c Calendar) Day(t time.Time) string {
	local := t.In(c.Location)
	if at := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute; at < c.Close {
		local = local.AddDate(0, 0, -1)
	}
	return local.Format(time.DateOnly)
}

// End is the end of the business day that t lies in.
func (c Calendar) End(t time.Time) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, c.Day(t), c.Location)
	if err != nil {
		return t
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, int(c.Close/time.Hour), int(c.Close%time.Hour/time.Minute), 0, 0, c.Location)
}

// Area is a part of the floor with its tables.
type Area struct {
	Name   string
	Tables []string
}

// Config of a Service; Journal and Calendar.Location are required.
type Config struct {
	Journal  *journal.Journal
	Hotel    Hotel // nil: no room pays
	Calendar Calendar
	Currency string
	Courses  int
	Areas    []Area
	Outlet   string // of checks that name none

	// Follow hears of every step within its transaction, and its error undoes the step. It may change the check by this
	// service's own methods that take a transaction. nil: nobody follows.
	Follow func(tx *journal.Tx, step Step) error

	// Deposit takes amount off what the party of c has left as a deposit; its error refuses the payment. nil: deposits are
	// the venue's own matter.
	Deposit func(tx *journal.Tx, c *Check, amount int64, by string) error

	// Enter has a payment by deposit entered at the till that keeps the check, if one does: it sets State and Entry, and
	// EnteredIn is told what became of it. nil: no till keeps checks. Till is what that till's own payments are taken by.
	Enter func(tx *journal.Tx, c *Check, p *Payment) error
	Till  string

	Now func() time.Time
	Log *slog.Logger
}

// Service keeps the checks. Its methods may be called from any goroutine.
type Service struct {
	c      Config
	number atomic.Int64
}

const selectNumber = `SELECT number FROM checks ORDER BY key DESC LIMIT 1`

// New reads from the journal where the numbers stand.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Journal == nil || c.Calendar.Location == nil {
		return nil, errors.New("floor needs a journal and a time zone")
	}
	if c.Hotel == nil {
		c.Hotel = noHotel{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Service{c: c}
	var last int64
	if err := c.Journal.Read().QueryRowContext(ctx, selectNumber).Scan(&last); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the last check number: %w", err)
	}
	s.number.Store(last)
	return s, nil
}

// next is the number of a new check; after the last that the hotel can keep comes the first.
func (s *Service) next() int64 { return (s.number.Add(1)-1)%maxNumber + 1 }

// Opening asks for a check.
type Opening struct {
	Tables      []string `json:"tables"`
	Covers      int      `json:"covers,omitzero" minimum:"0" maximum:"1000"`
	Staff       string   `json:"staff,omitzero"`
	Reservation string   `json:"reservation,omitzero" doc:"id of the reservation whose party it is"`
	Guest       string   `json:"guest,omitzero"`
	Notes       string   `json:"notes,omitzero"`
	Outlet      string   `json:"outlet,omitzero"`
	Profile     string   `json:"order_profile,omitzero"`
	Till        string   `json:"till,omitzero"`
	WalkIn      bool     `json:"walk_in,omitzero"`
}

// OpenCheck opens a check. known tells that key opened it before.
func (s *Service) OpenCheck(ctx context.Context, by access.Principal, key string, o Opening) (c Check, known bool, err error) {
	var id journal.ID
	err = s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		if id, known, err = repeated(tx, by, key, "open", o, s.c.Journal.NewID()); err != nil || known {
			return err
		}
		_, err = s.open(tx, id, by.Name, o)
		return err
	})
	if err != nil {
		return Check{}, false, err
	}
	c, err = s.Get(ctx, id)
	return c, known, err
}

// Open opens a check in a transaction of somebody else's.
func (s *Service) Open(tx *journal.Tx, by string, o Opening) (*Check, error) {
	return s.open(tx, s.c.Journal.NewID(), by, o)
}

func (s *Service) open(tx *journal.Tx, id journal.ID, by string, o Opening) (*Check, error) {
	return s.openSince(tx, id, by, o, tx.Now())
}

// openSince is open for a check that is open elsewhere since some moment.
func (s *Service) openSince(tx *journal.Tx, id journal.ID, by string, o Opening, since time.Time) (*Check, error) {
	c := &Check{ID: id, Number: s.next(), BusinessDay: s.c.Calendar.Day(tx.Now()), State: Open, Version: 1, OpenedAt: since}
	c.content = content{
		Tables: orNone(o.Tables), Covers: o.Covers, Staff: o.Staff, Reservation: o.Reservation, Guest: o.Guest, Notes: o.Notes, Profile: o.Profile, Till: o.Till, WalkIn: o.WalkIn,
		Outlet: cmp.Or(o.Outlet, s.c.Outlet), Lines: []Sold{}, Payments: []Payment{},
	}
	return c, s.insert(tx, c, Step{Kind: Opened, By: by}, o)
}

// insert writes a new check with its first event.
func (s *Service) insert(tx *journal.Tx, c *Check, step Step, detail any) error {
	c.reckon()
	if _, err := tx.Exec(insertCheck, c.ID.Key(), c.ID[:], c.Number, c.BusinessDay, c.OpenedAt, encode(c.content)); err != nil {
		return fmt.Errorf("store check: %w", err)
	}
	if err := sit(tx, c); err != nil {
		return err
	}
	return s.event(tx, c, step, detail)
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// act changes an open check in one transaction.
func (s *Service) act(ctx context.Context, by access.Principal, key, what string, id journal.ID, body any, do func(*journal.Tx, *Check) error) (Check, error) {
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, again, err := repeated(tx, by, key, what+" "+id.String(), body, id); err != nil || again {
			return err
		}
		c, err := load(tx, id)
		if err != nil {
			return err
		}
		return do(tx, c)
	})
	if err != nil {
		return Check{}, err
	}
	return s.Get(ctx, id)
}

// works tells whether an open check is what it takes; nil when it is open.
func (c *Check) works() error {
	switch c.State {
	case Open:
		return nil
	case Closed:
		return ErrClosed
	}
	return fmt.Errorf("%w: it is %s", ErrEnded, c.State)
}

// Add puts lines on a check.
func (s *Service) Add(ctx context.Context, by access.Principal, key string, id journal.ID, lines []Line) (Check, error) {
	return s.act(ctx, by, key, "lines", id, lines, func(tx *journal.Tx, c *Check) error {
		if err := c.works(); err != nil {
			return err
		}
		if len(c.Lines)+len(lines) > maxLines {
			return fmt.Errorf("%w: %d lines", ErrFull, maxLines)
		}
		from, n := len(c.Lines), c.next()
		for i, l := range lines {
			c.Lines = append(c.Lines, Sold{Line: l, N: n + i, At: tx.Now(), By: by.Name})
		}
		return s.store(tx, c, Step{Kind: LineAdded, By: by.Name, Lines: c.Lines[from:]}, lines)
	})
}

// Bill notes that the bill was printed.
func (s *Service) Bill(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "bill", id, nil, func(tx *journal.Tx, c *Check) error {
		if err := c.works(); err != nil {
			return err
		}
		c.BilledAt = tx.Now()
		return s.store(tx, c, Step{Kind: BillPrinted, By: by.Name}, nil)
	})
}

// Close ends a paid check, and hands what it sold to the hotel's books. Closing a closed one is the same again.
func (s *Service) Close(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "close", id, nil, func(tx *journal.Tx, c *Check) error {
		switch {
		case c.State == Closed:
			return nil
		case c.State != Open:
			return c.works()
		case c.pending():
			return ErrUnderWay
		case c.Balance != 0:
			return fmt.Errorf("%w: %d are left", ErrBalance, c.Balance)
		}
		return s.end(tx, by, c)
	})
}

// end closes a check that is paid, and hands what it sold to the hotel's books.
func (s *Service) end(tx *journal.Tx, by access.Principal, c *Check) error {
	c.State, c.ClosedAt = Closed, tx.Now()
	if err := errors.Join(stand(tx, c), s.store(tx, c, Step{Kind: CheckClosed, By: by.Name}, nil)); err != nil {
		return err
	}
	return s.c.Hotel.Sold(tx, by, s.sale(c))
}

// Reopen lets a closed check be changed again; closing it anew corrects what the hotel's books have.
func (s *Service) Reopen(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "reopen", id, nil, func(tx *journal.Tx, c *Check) error {
		switch c.State {
		case Open:
			return nil
		case Closed:
		default:
			return c.works()
		}
		return s.reopen(tx, by.Name, c)
	})
}

func (s *Service) reopen(tx *journal.Tx, by string, c *Check) error {
	c.State, c.ClosedAt = Open, time.Time{}
	return errors.Join(stand(tx, c), s.store(tx, c, Step{Kind: CheckReopened, By: by}, nil))
}

// sale is a closed check for the hotel's books.
func (s *Service) sale(c *Check) Sale {
	v := Sale{
		ID: c.ID.String(), Number: c.Number, Outlet: c.Outlet, Covers: c.Covers, Staff: c.Staff, At: c.ClosedAt, Parts: c.parts(), BusinessDay: c.BusinessDay,
	}
	if len(c.Tables) > 0 {
		v.Table, v.FloorPlan = c.Tables[0], s.area(c.Tables[0])
	}
	for _, p := range c.Payments {
		if p.State == Paid {
			v.Payments = append(v.Payments, p)
		}
	}
	return v
}

func (s *Service) area(table string) string {
	for _, a := range s.c.Areas {
		if slices.Contains(a.Tables, table) {
			return a.Name
		}
	}
	return ""
}
