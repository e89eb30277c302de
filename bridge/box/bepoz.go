package box

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/pos"
	"aboyeur/bridge/reservation"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/bepoz"
	"aboyeur/protocol/booking"
)

// maxTillLines is how many tills speak lines at a time.
const maxTillLines = 64

// buildTill makes the queue of the till that is not ours, where there is one.
func (b *Box) buildTill() error {
	if b.c.POS.Kind != firmwareconfig.KindBepoz {
		return nil
	}
	c := pos.QueueConfig{Journal: b.journal, Floor: tillFloor{checks: b.checks, opened: b.partyCheck}, Bookings: b.tillBookings(), Refused: b.refusedOfTill(), Now: b.o.Now, Log: b.log}
	if b.c.POS.WebhookSecretFile != "" {
		secret, err := os.ReadFile(b.c.POS.WebhookSecretFile)
		if err != nil {
			return fmt.Errorf("read the secret of the tills: %w", err)
		}
		c.Secret = bytes.TrimSpace(secret)
	}
	var err error
	if b.till, err = pos.NewQueue(c); err != nil {
		return err
	}
	if b.c.POS.Listen != "" {
		if b.lines, err = net.Listen("tcp", b.c.POS.Listen); err != nil {
			return fmt.Errorf("listen for tills on %s: %w", b.c.POS.Listen, err)
		}
	}
	return nil
}

// partyCheck is the check that is open for a reservation, which a till names when it opened a booking from the list.
func (b *Box) partyCheck(ctx context.Context, reference string) (journal.ID, bool) {
	id, err := journal.ParseID(reference)
	if err != nil || b.bookings == nil {
		return journal.ID{}, false
	}
	e, err := b.bookings.Entry(ctx, id)
	if err != nil || e.OrderState != reservation.Open || len(e.Checks) == 0 {
		return journal.ID{}, false
	}
	return e.Checks[len(e.Checks)-1], true
}

// tillBookings is the list of bookings for tills; nil without reservation platforms.
func (b *Box) tillBookings() pos.Bookings {
	if b.bookings == nil {
		return nil
	}
	return stand{b.journal, b.checks, b.bookings, floor.Calendar{Location: b.c.Site.Location, Close: b.dayClose}, b.now}
}

func (b *Box) now() time.Time {
	if b.o.Now != nil {
		return b.o.Now()
	}
	return time.Now()
}

// stand is the list of reservations as a till's operator sees it.
type stand struct {
	journal  *journal.Journal
	checks   *floor.Service
	bookings *reservation.Service
	calendar floor.Calendar
	now      func() time.Time
}

// Today is the business day, at midnight UTC.
func (s stand) Today() time.Time { return dayOf(s.calendar.Day(s.now())) }

func dayOf(s string) time.Time {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return day
}

// List gives the bookings from a week ago to a week ahead.
func (s stand) List(ctx context.Context) ([]bepoz.Booking, time.Duration, error) {
	today := s.Today()
	found, err := s.bookings.List(ctx, reservation.Filter{From: today.AddDate(0, 0, -8).Format(time.DateOnly), To: today.AddDate(0, 0, 8).Format(time.DateOnly)})
	if err != nil {
		return nil, 0, err
	}
	all := make([]bepoz.Booking, 0, len(found))
	for _, e := range found {
		all = append(all, bepoz.Booking{
			Reference: e.ID.String(), Day: dayOf(e.BusinessDay), At: e.ScheduledAt, Name: e.Guest, Covers: e.Covers, Table: strings.Join(e.Tables, ", "), State: string(e.State),
			Seated: e.State == booking.Seated || e.State == booking.PartiallySeated, Over: e.State.Over(),
		})
	}
	var age time.Duration
	if heard := s.bookings.HeardAt(); !heard.IsZero() {
		age = max(s.now().Sub(heard), 0)
	}
	return all, age, nil
}

// Open opens the check of a booking. The same one again gives the same check.
func (s stand) Open(ctx context.Context, till, reference string) (check, table string, err error) {
	id, err := journal.ParseID(reference)
	if err != nil {
		return "", "", &bepoz.Refusal{Code: bepoz.CodeUnknown, Text: "there is no such booking"}
	}
	by := access.Principal{Name: "till " + till, Role: access.Till}
	e, err := s.bookings.OpenFor(ctx, by, "", id)
	if err == nil && e.OrderState != reservation.Open && e.Problem == reservation.OrderCreationDisabled {
		e, err = s.byHand(ctx, by, e)
	}
	var p *api.Problem
	switch {
	case errors.Is(err, reservation.ErrNone):
		return "", "", &bepoz.Refusal{Code: bepoz.CodeUnknown, Text: "there is no such booking"}
	case errors.As(err, &p) && p.Status < 500:
		return "", "", &bepoz.Refusal{Code: p.Code, Text: p.Detail}
	case err != nil:
		return "", "", err
	case e.OrderState != reservation.Open || len(e.Checks) == 0:
		return "", "", &bepoz.Refusal{Code: e.Problem, Text: e.Remedy}
	}
	return e.Checks[len(e.Checks)-1].String(), strings.Join(e.Tables, ", "), nil
}

// byHand opens the check that the house does not want opened by itself: at a till somebody asks for it.
func (s stand) byHand(ctx context.Context, by access.Principal, e reservation.Entry) (reservation.Entry, error) {
	var opened *floor.Check
	err := s.journal.Write(ctx, func(tx *journal.Tx) (err error) {
		if len(e.Tables) == 0 {
			return &api.Problem{Status: http.StatusConflict, Code: reservation.NoTable, Detail: "the booking has no table; assign one at the platform"}
		}
		for _, table := range e.Tables {
			if !s.checks.Known(table) {
				return &api.Problem{Status: http.StatusConflict, Code: reservation.InvalidTable, Detail: fmt.Sprintf("there is no table %q", table)}
			}
			on, err := s.checks.On(tx, table)
			if err != nil {
				return err
			}
			if len(on) > 0 {
				return &api.Problem{Status: http.StatusConflict, Code: reservation.TableUnavailable, Detail: fmt.Sprintf("check %d is open at table %s", on[0].Number, table)}
			}
		}
		opened, err = s.checks.Open(tx, by.Name, floor.Opening{Tables: e.Tables, Covers: e.Covers, Guest: e.Guest})
		return err
	})
	if err != nil {
		return e, err
	}
	if e, err = s.bookings.Entry(ctx, e.ID); err != nil || e.OrderState == reservation.Open { // it matches, and was linked at once
		return e, err
	}
	return s.bookings.Link(ctx, by, "", e.ID, opened.ID)
}

// serveTills speaks lines with tills until ctx ends.
func (b *Box) serveTills(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { b.lines.Close() })
	defer stop()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	places := make(chan struct{}, maxTillLines) // one for each session
	for {
		conn, err := b.lines.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept tills: %w", err)
		}
		select {
		case places <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		sessions.Go(func() {
			defer func() { <-places }()
			if err := bepoz.Serve(ctx, conn, b.till); err != nil {
				b.log.Warn("till's line ended", "till", conn.RemoteAddr().String(), "err", err)
			}
		})
	}
}

// tillFloor does at the box's floor what a till says.
type tillFloor struct {
	checks *floor.Service
	opened func(ctx context.Context, reservation string) (journal.ID, bool)
}

var _ pos.Floor = tillFloor{}

// Do does one message. Its key makes it once, whatever comes again.
func (t tillFloor) Do(ctx context.Context, key string, check journal.ID, m bepoz.Message) (journal.ID, error) {
	by := access.Principal{Name: "till " + m.Till, Role: access.Till}
	if m.Event == bepoz.Opened {
		return t.open(ctx, by, key, m)
	}
	if (check == journal.ID{}) {
		return check, &pos.Refusal{Code: pos.Validation, Detail: fmt.Sprintf("check %s was never opened", m.Check)}
	}
	var err error
	switch p := &m.Payload; m.Event {
	case bepoz.Ordered:
		var lines []floor.Line
		for _, l := range p.Lines {
			lines = append(lines, floor.Line{Line: sale.Line{SKU: l.SKU, Name: words.Tidy(l.Name, sale.MaxName), Category: l.Group, Course: l.Course, Quantity: l.Quantity, Price: &l.Price}, Group: l.Group})
		}
		_, err = t.checks.Add(ctx, by, key, check, lines)
	case bepoz.Voided:
		err = t.void(ctx, by, key, check, p.Lines)
	case bepoz.Covers:
		_, err = t.checks.Covers(ctx, by, key, check, p.Covers)
	case bepoz.Billed:
		_, err = t.checks.Bill(ctx, by, key, check)
	case bepoz.Paid:
		method := p.Method
		if method == floor.Room || method == floor.Deposit {
			method = "till " + method // the till has charged it already; here it must move no money
		}
		_, err = t.checks.Pay(ctx, by, key, check, floor.Taking{Method: method, Amount: p.Amount, Tip: p.Tip})
	case bepoz.Closed:
		_, err = t.checks.Close(ctx, by, key, check)
	case bepoz.Reopened:
		_, err = t.checks.Reopen(ctx, by, key, check)
	case bepoz.Moved:
		if !t.checks.Known(p.Table) {
			return check, &pos.Refusal{Code: pos.InvalidTable, Detail: fmt.Sprintf("there is no table %q", p.Table)}
		}
		_, err = t.checks.Move(ctx, by, key, check, []string{p.Table})
	case bepoz.Cancelled:
		_, err = t.checks.Cancel(ctx, by, key, check)
	case bepoz.Cleared:
		_, err = t.checks.Table(ctx, by, key, check, floor.TableCleared)
	}
	return check, judged(err)
}

// open opens the check of a till's, unless the box has opened it for the till from the booking list.
func (t tillFloor) open(ctx context.Context, by access.Principal, key string, m bepoz.Message) (journal.ID, error) {
	if m.Payload.Reference != "" {
		if id, ok := t.opened(ctx, m.Payload.Reference); ok {
			return id, nil
		}
	}
	if !t.checks.Known(m.Table) {
		return journal.ID{}, &pos.Refusal{Code: pos.InvalidTable, Detail: fmt.Sprintf("there is no table %q", m.Table)}
	}
	c, _, err := t.checks.OpenCheck(ctx, by, key, floor.Opening{Tables: []string{m.Table}, Covers: m.Payload.Covers, Staff: m.Payload.Staff})
	return c.ID, judged(err)
}

// void takes lines off: for each the last one of that name and price that is still on the check.
func (t tillFloor) void(ctx context.Context, by access.Principal, key string, check journal.ID, lines []bepoz.Line) error {
	c, err := t.checks.Get(ctx, check)
	if err != nil {
		return err
	}
	var numbers []int
	for _, l := range lines {
		found := false
		for _, on := range slices.Backward(c.Lines) {
			if !on.Voided && on.Name == words.Tidy(l.Name, sale.MaxName) && on.Quantity == l.Quantity && on.Price != nil && *on.Price == l.Price && !slices.Contains(numbers, on.N) {
				numbers, found = append(numbers, on.N), true
				break
			}
		}
		if !found {
			// It may be off because this very message took it off before the box went down: then the key is known.
			if _, err = t.checks.Void(ctx, by, key, check, []int{-1}); errors.Is(err, floor.ErrLine) {
				return &pos.Refusal{Code: pos.Validation, Detail: fmt.Sprintf("%d times %q is not on the check", l.Quantity, l.Name)}
			}
			return err
		}
	}
	_, err = t.checks.Void(ctx, by, key, check, numbers)
	return err
}

// judged tells a refusal of the floor from what passes.
func judged(err error) error {
	var p *api.Problem
	var no *pos.Refusal
	switch {
	case errors.Is(err, floor.ErrOther): // the key is this message's own: it was done before
		return nil
	case err == nil, errors.As(err, &no):
		return err
	case errors.As(err, &p) && p.Status < 500:
		return &pos.Refusal{Code: pos.Validation, Detail: p.Detail}
	}
	for _, final := range []error{floor.ErrNone, floor.ErrClosed, floor.ErrOpen, floor.ErrBalance, floor.ErrOverpaid, floor.ErrEnded, floor.ErrTable, floor.ErrLine,
		floor.ErrRoom, floor.ErrClaimed, floor.ErrUsed, floor.ErrFull} {
		if errors.Is(err, final) {
			code := pos.Validation
			switch final {
			case floor.ErrOverpaid:
				code = pos.Overpaid
			case floor.ErrClosed:
				code = pos.CheckClosed
			case floor.ErrTable:
				code = pos.TableUnavailable
			}
			return &pos.Refusal{Code: code, Detail: err.Error()}
		}
	}
	return err
}
