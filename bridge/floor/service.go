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

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/sale"
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
	Now      func() time.Time
	Log      *slog.Logger
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

const (
	columns      = `id, number, business_day, state, version, opened_at, closed_at, content`
	insertCheck  = `INSERT INTO checks (key, id, number, business_day, state, version, opened_at, closed_at, content) VALUES (?, ?, ?, ?, 'open', 1, ?, 0, ?)`
	selectCheck  = `SELECT ` + columns + ` FROM checks WHERE key = ?`
	updateCheck  = `UPDATE checks SET state = ?, version = version + 1, closed_at = ?, content = ? WHERE key = ? AND version = ?`
	insertEvent  = `INSERT INTO check_events (key, check_key, at, kind, by, payload) VALUES (?, ?, ?, ?, ?, ?)`
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

// store writes a changed check and one event of it, and tells the feed.
func (s *Service) store(tx *journal.Tx, c *Check, kind, by string, detail any) error {
	c.reckon()
	rows, err := tx.Exec(updateCheck, c.State, journal.Micros(c.ClosedAt), encode(c.content), c.ID.Key(), c.Version)
	if err != nil {
		return fmt.Errorf("store check %s: %w", c.ID, err)
	}
	if rows != 1 {
		return fmt.Errorf("store check %s: no row of version %d", c.ID, c.Version)
	}
	c.Version++
	return s.event(tx, c, kind, by, detail)
}

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

func (s *Service) event(tx *journal.Tx, c *Check, kind, by string, detail any) error {
	if _, err := tx.Exec(insertEvent, s.c.Journal.NewID().Key(), c.ID.Key(), tx.Now(), kind, by, encode(detail)); err != nil {
		return fmt.Errorf("store an event of check %s: %w", c.ID, err)
	}
	tx.Change("check", c.ID.String(), encode(notice{c.ID, c.Number, c.State, kind, c.Tables, c.Total, c.Balance}))
	return nil
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

// Opening asks for a check.
type Opening struct {
	Tables      []string `json:"tables"`
	Covers      int      `json:"covers,omitzero" minimum:"0" maximum:"1000"`
	Staff       string   `json:"staff,omitzero"`
	Reservation string   `json:"reservation,omitzero"`
	Outlet      string   `json:"outlet,omitzero"`
}

// OpenCheck opens a check. known tells that key opened it before.
func (s *Service) OpenCheck(ctx context.Context, by access.Principal, key string, o Opening) (c Check, known bool, err error) {
	now := s.c.Now().UTC().Truncate(time.Microsecond)
	fresh := &Check{ID: s.c.Journal.NewID(), Number: s.next(), BusinessDay: s.c.Calendar.Day(now), State: Open, Version: 1, OpenedAt: now}
	fresh.content = content{Tables: o.Tables, Covers: o.Covers, Staff: o.Staff, Reservation: o.Reservation, Outlet: cmp.Or(o.Outlet, s.c.Outlet), Lines: []Sold{}, Payments: []Payment{}}
	if fresh.Tables == nil {
		fresh.Tables = []string{}
	}
	id := fresh.ID
	err = s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if id, known, err = repeated(tx, by, key, "open", o, fresh.ID); err != nil || known {
			return err
		}
		if _, err := tx.Exec(insertCheck, fresh.ID.Key(), fresh.ID[:], fresh.Number, fresh.BusinessDay, now, encode(fresh.content)); err != nil {
			return fmt.Errorf("store check: %w", err)
		}
		return s.event(tx, fresh, "opened", by.Name, o)
	})
	if err != nil {
		return Check{}, false, err
	}
	c, err = s.Get(ctx, id)
	return c, known, err
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

// Add puts lines on a check.
func (s *Service) Add(ctx context.Context, by access.Principal, key string, id journal.ID, lines []Line) (Check, error) {
	return s.act(ctx, by, key, "lines", id, lines, func(tx *journal.Tx, c *Check) error {
		if c.State != Open {
			return ErrClosed
		}
		if len(c.Lines)+len(lines) > maxLines {
			return fmt.Errorf("%w: %d lines", ErrFull, maxLines)
		}
		for _, l := range lines {
			c.Lines = append(c.Lines, Sold{Line: l, N: len(c.Lines), At: tx.Now(), By: by.Name})
		}
		return s.store(tx, c, "line_added", by.Name, lines)
	})
}

// Bill notes that the bill was printed.
func (s *Service) Bill(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "bill", id, nil, func(tx *journal.Tx, c *Check) error {
		if c.State != Open {
			return ErrClosed
		}
		return s.store(tx, c, "bill_printed", by.Name, nil)
	})
}

// Close ends a paid check, and hands what it sold to the hotel's books. Closing a closed one is the same again.
func (s *Service) Close(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "close", id, nil, func(tx *journal.Tx, c *Check) error {
		switch {
		case c.State == Closed:
			return nil
		case slices.ContainsFunc(c.Payments, func(p Payment) bool { return p.State == Pending }):
			return ErrUnderWay
		case c.Balance != 0:
			return fmt.Errorf("%w: %d are left", ErrBalance, c.Balance)
		}
		c.State, c.ClosedAt = Closed, tx.Now()
		if err := s.store(tx, c, "closed", by.Name, nil); err != nil {
			return err
		}
		return s.c.Hotel.Sold(tx, by, s.sale(c))
	})
}

// Reopen lets a closed check be changed again; closing it anew corrects what the hotel's books have.
func (s *Service) Reopen(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error) {
	return s.act(ctx, by, key, "reopen", id, nil, func(tx *journal.Tx, c *Check) error {
		if c.State == Open {
			return nil
		}
		c.State, c.ClosedAt = Open, time.Time{}
		return s.store(tx, c, "reopened", by.Name, nil)
	})
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

// Taking asks for a payment. A room payment names a posted posting, or the guest and makes one.
type Taking struct {
	Method      string      `json:"method" doc:"card, cash, room, deposit or the venue's own word"`
	Code        string      `json:"code,omitzero" doc:"IKPMS is a room payment, whatever method says"`
	Amount      int64       `json:"amount" minimum:"0" doc:"of the balance, without the tip"`
	Tip         int64       `json:"tip,omitzero" minimum:"0"`
	Posting     *journal.ID `json:"posting,omitzero" doc:"of a room payment that was posted already"`
	Room        string      `json:"room,omitzero"`
	Reservation string      `json:"reservation,omitzero"`
	Guest       string      `json:"guest,omitzero"`
	Manager     bool        `json:"manager,omitzero" doc:"a manager lets the credit limit be exceeded"`
}

// room tells whether the hotel is to pay.
func (t *Taking) room() bool { return t.Method == Room || t.Code == RoomCode }

// Pay takes a payment. A room's is a charge at the hotel and waits for its answer: the error is a *RefusedError or an
// *UnknownError when it did not come to a payment.
func (s *Service) Pay(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (Check, error) {
	if t.room() && t.Posting == nil {
		return s.payByRoom(ctx, by, key, id, t)
	}
	var posted *Posting
	if t.room() {
		p, ok, err := s.c.Hotel.Posting(ctx, *t.Posting)
		switch {
		case err != nil:
			return Check{}, err
		case !ok || p.Kind != "charge" || p.State != PostingPosted:
			return Check{}, fmt.Errorf("%w: it is not posted", ErrPosting)
		case p.Amount != t.Amount+t.Tip:
			return Check{}, fmt.Errorf("%w: it is of %d, amount and tip are %d", ErrPosting, p.Amount, t.Amount+t.Tip)
		}
		posted = &p
	}
	return s.act(ctx, by, key, "payment", id, t, func(tx *journal.Tx, c *Check) error {
		p := Payment{ID: s.c.Journal.NewID(), Method: t.Method, Code: t.Code, Amount: t.Amount, Tip: t.Tip, State: Paid, Posting: t.Posting, At: tx.Now(), By: by.Name}
		if posted != nil {
			for i := range c.Payments {
				if was := &c.Payments[i]; was.Posting != nil && *was.Posting == posted.ID && was.State != Unknown {
					return fmt.Errorf("%w: it pays this check already", ErrPosting)
				}
			}
			c.Payments = slices.DeleteFunc(c.Payments, func(was Payment) bool { return was.Posting != nil && *was.Posting == posted.ID })
			p.Method, p.Code = Room, RoomCode
		}
		if err := fits(c, t.Amount); err != nil {
			return err
		}
		c.Payments = append(c.Payments, p)
		return s.store(tx, c, "payment", by.Name, p)
	})
}

// fits tells whether a check can take a further payment of amount.
func fits(c *Check, amount int64) error {
	switch {
	case c.State != Open:
		return ErrClosed
	case len(c.Payments) >= maxPayments:
		return fmt.Errorf("%w: %d payments", ErrFull, maxPayments)
	case amount > c.Total-c.claimed():
		return fmt.Errorf("%w: %d are left", ErrOverpaid, c.Total-c.claimed())
	}
	return nil
}

// payByRoom charges a room with its share of every group, so that all rooms together carry exactly the check.
func (s *Service) payByRoom(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (Check, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return Check{}, err
	}
	if key != "" {
		// A repeat of a payment that is on the check already.
		if again, err := s.paidBefore(ctx, by, key, id, t); err != nil || again {
			if err != nil {
				return Check{}, err
			}
			return s.Get(ctx, id)
		}
	}
	if err := fits(&c, t.Amount); err != nil {
		return Check{}, err
	}
	charge := Charge{
		ID: s.c.Journal.NewID(), Check: id.String(), Number: c.Number, Room: t.Room, Reservation: t.Reservation, Guest: t.Guest, Amount: t.Amount, Tip: t.Tip,
		Outlet: c.Outlet, Covers: c.Covers, Staff: c.Staff, Manager: t.Manager, Parts: s.shareOf(&c, t.Amount),
	}
	if len(c.Tables) > 0 {
		charge.Table = c.Tables[0]
	}
	payment := Payment{ID: s.c.Journal.NewID(), Method: Room, Code: RoomCode, Amount: t.Amount, Tip: t.Tip, State: Pending, Posting: &charge.ID, Room: t.Room, By: by.Name}
	p, err := s.c.Hotel.Charge(ctx, by, charge, func(tx *journal.Tx) error {
		if _, again, err := repeated(tx, by, key, "payment "+id.String(), t, id); err != nil || again {
			return errors.Join(err, errAgain(again))
		}
		now, err := load(tx, id)
		if err != nil {
			return err
		}
		if now.Version != c.Version {
			// Somebody else changed the check since we shared it out.
			return errMoved
		}
		if err := fits(now, t.Amount); err != nil {
			return err
		}
		payment.At = tx.Now()
		now.Payments = append(now.Payments, payment)
		return s.store(tx, now, "payment", by.Name, payment)
	})
	switch {
	case errors.Is(err, errMoved):
		return s.payByRoom(ctx, by, key, id, t)
	case errors.Is(err, errRepeated):
		return s.Get(ctx, id)
	case err != nil:
		return Check{}, err
	case p.State == PostingRefused:
		return Check{}, &RefusedError{p}
	case p.State != PostingPosted:
		return Check{}, &UnknownError{p}
	}
	return s.Get(ctx, id)
}

var (
	errMoved    = errors.New("the check was changed meanwhile")
	errRepeated = errors.New("done before")
)

func errAgain(again bool) error {
	if again {
		return errRepeated
	}
	return nil
}

const selectKey = `SELECT count(*) FROM idempotency WHERE owner = ? AND key = ?`

// paidBefore tells whether key was used; whether for this very payment the transaction decides.
func (s *Service) paidBefore(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (bool, error) {
	var n int
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectKey, by.Subject(), key).Scan(&n); err != nil || n == 0 {
		return false, err
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		_, _, err := repeated(tx, by, key, "payment "+id.String(), t, id)
		return err
	})
	return err == nil, err
}

// shareOf is what amount carries of the groups that no room carries yet.
func (s *Service) shareOf(c *Check, amount int64) []Part {
	left := c.parts()
	amounts := func() []int64 {
		list := make([]int64, len(left))
		for i, p := range left {
			list[i] = p.Amount
		}
		return list
	}
	// Payment after payment takes its share of what those before it left, in the same order each time.
	for _, p := range c.Payments {
		if p.State == Paid || p.State == Pending {
			for i, n := range money.Split(p.Amount, amounts()) {
				left[i].Amount -= n
			}
		}
	}
	var share []Part
	for i, n := range money.Split(amount, amounts()) {
		if n != 0 {
			share = append(share, Part{left[i].Group, n})
		}
	}
	return share
}

// Settled follows a charge within the transaction in which it was posted, refused, unknown or voided.
func (s *Service) Settled(tx *journal.Tx, check string, p Posting) error {
	id, err := journal.ParseID(check)
	if err != nil {
		return nil // a sale of somebody else
	}
	c, err := load(tx, id)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	about, state, event := p.ID, Paid, ""
	switch {
	case p.Kind == "void" && p.State == PostingPosted:
		about, state, event = p.Original, Voided, "payment_voided"
	case p.Kind != "charge":
		return nil
	case p.State == PostingRefused:
		state, event = "", "payment_refused"
	case p.State == PostingUnknown:
		state, event = Unknown, "payment_unknown"
	}
	at := slices.IndexFunc(c.Payments, func(was Payment) bool { return was.Posting != nil && *was.Posting == about })
	if at < 0 || c.Payments[at].State == state {
		return nil
	}
	was := c.Payments[at]
	if state == "" {
		c.Payments = slices.Delete(c.Payments, at, at+1)
	} else {
		c.Payments[at].State = state
	}
	if event == "" {
		event = "payment"
	}
	was.State = cmp.Or(state, PostingRefused)
	return s.store(tx, c, event, was.By, was)
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
