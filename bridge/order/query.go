package order

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

const columns = `o.id, o.number, o.business_day, o.state, o.in_pos, o.received_at, o.committed_at, o.release_at, o.content, o.log,
	p.state, p.cause, p.detail, p.attempts, p.next_at, p.pos_id, p.pos_total, p.open_items, p.stale, p.void_pending`

const withPOS = ` FROM orders o LEFT JOIN order_pos p ON p.order_key = o.key`

const selectOne = `SELECT ` + columns + withPOS + ` WHERE o.key = ? AND o.id = ?`

// Get gives one order with its time line; ErrUnknown when there is none.
func (s *Service) Get(ctx context.Context, id journal.ID) (View, error) {
	v, log, err := scan(s.c.Journal.Read().QueryRowContext(ctx, selectOne, id.Key(), id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return View{}, ErrUnknown
	}
	if err != nil {
		return View{}, fmt.Errorf("read order %s: %w", id, err)
	}
	views := []View{v}
	if err := s.complete(ctx, views, true); err != nil {
		return View{}, err
	}
	v = views[0]
	steps, err := s.c.Kitchen.Steps(ctx, id)
	if err != nil {
		return View{}, fmt.Errorf("read the time line of order %s: %w", id, err)
	}
	v.Timeline = append(trail.Parse(log), trail.Step{At: v.CommittedAt, Event: "committed"})
	v.Timeline = append(v.Timeline, steps...)
	trail.Sort(v.Timeline)
	return v, nil
}

// scan reads one row of columns. An order whose commit time is not written yet shows the time it was received.
func scan(row interface{ Scan(...any) error }) (v View, log string, err error) {
	var id, content []byte
	var received, committed, release int64
	var state, cause, detail, posID sql.NullString
	var attempts, next, total sql.NullInt64
	var openItems, stale, void sql.NullBool
	if err := row.Scan(&id, &v.Number, &v.BusinessDay, &v.State, &v.InPOS, &received, &committed, &release, &content, &log,
		&state, &cause, &detail, &attempts, &next, &posID, &total, &openItems, &stale, &void); err != nil {
		return v, "", err
	}
	v.Injection = Injection{
		State: state.String, Cause: cause.String, Detail: detail.String, Attempts: int(attempts.Int64), NextAt: journal.FromMicros(next.Int64),
		POSID: posID.String, OpenItems: openItems.Bool, Stale: stale.Bool,
	}
	if total.Valid && total.Int64 >= 0 {
		v.Injection.POSTotal = &total.Int64
	}
	v.VoidPending = void.Bool
	if committed == 0 {
		committed = received
	}
	v.ID, v.ReceivedAt, v.CommittedAt, v.ReleaseAt = journal.ID(id), journal.FromMicros(received), journal.FromMicros(committed), journal.FromMicros(release)
	v.Tickets = []Ticket{}
	if err := json.Unmarshal(content, &v.Order); err != nil {
		return v, "", fmt.Errorf("%w: order %s: %v", errCorrupt, v.ID, err)
	}
	v.Total = v.Order.Total()
	return v, log, nil
}

// complete adds what lies beside the orders' own rows. whole is for an order's own page.
func (s *Service) complete(ctx context.Context, views []View, whole bool) error {
	for i := range views {
		if v := &views[i]; v.State == Scheduled {
			v.ShowAt = s.show(&v.Order, v.ReleaseAt)
		}
	}
	if err := s.addTickets(ctx, views); err != nil {
		return err
	}
	if s.c.Deliveries == nil {
		return nil
	}
	var ids []journal.ID
	for i := range views {
		ids = append(ids, views[i].ID)
	}
	found, err := s.c.Deliveries(ctx, ids, whole)
	if err != nil {
		return fmt.Errorf("read what aggregators said: %w", err)
	}
	for i := range views {
		v := &views[i]
		if v.Delivery = found[v.ID.Key()]; v.Delivery != nil && v.Injection.POSTotal != nil {
			v.Delivery.Difference = v.Total - *v.Injection.POSTotal
		}
	}
	return nil
}

func (s *Service) addTickets(ctx context.Context, views []View) error {
	ids := make([]journal.ID, len(views))
	for i := range views {
		ids[i] = views[i].ID
	}
	tickets, err := s.c.Kitchen.Tickets(ctx, ids)
	if err != nil {
		return fmt.Errorf("read tickets: %w", err)
	}
	for i := range views {
		if t := tickets[views[i].ID.Key()]; t != nil {
			views[i].Tickets = t
		}
	}
	return nil
}

// Limits of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Filter says which orders a list holds; zero members do not restrict it.
type Filter struct {
	States []string
	InPOS  []string
	Since  time.Time // received at or after
	Void   bool      // only cancelled ones that somebody has to void in the POS
	Limit  int       // 0 means DefaultLimit
	Cursor string    // next of the list before
}

// ErrCursor reports a cursor this box did not give.
var ErrCursor = errors.New("cursor is not one of this list; leave it out to start from the newest")

// List gives orders, newest first, without time lines, and the cursor of what follows, "" at the end.
func (s *Service) List(ctx context.Context, f Filter) ([]View, string, error) {
	limit := min(f.Limit, MaxLimit)
	if limit <= 0 {
		limit = DefaultLimit
	}
	var where []string
	var args []any
	in := func(column string, values []string) {
		if len(values) == 0 {
			return
		}
		where = append(where, column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")")
		for _, v := range values {
			args = append(args, v)
		}
	}
	in("o.state", f.States)
	in("o.in_pos", f.InPOS)
	if !f.Since.IsZero() {
		where, args = append(where, "o.received_at >= ?"), append(args, f.Since.UnixMicro())
	}
	if f.Void {
		where = append(where, "p.void_pending = 1")
	}
	if f.Cursor != "" {
		key, err := parseCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		where, args = append(where, "o.key < ?"), append(args, key)
	}
	query := `SELECT ` + columns + withPOS
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, query+` ORDER BY o.key DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	defer rows.Close()
	views := []View{}
	for rows.Next() {
		v, _, err := scan(rows)
		if err != nil {
			return nil, "", fmt.Errorf("list orders: %w", err)
		}
		views = append(views, v)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	next := ""
	if len(views) > limit {
		views = views[:limit]
		next = cursor(views[limit-1].ID.Key())
	}
	return views, next, s.complete(ctx, views, false)
}

func cursor(key int64) string {
	return base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, key, 36))
}

func parseCursor(s string) (int64, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, ErrCursor
	}
	key, err := strconv.ParseInt(string(raw), 36, 64)
	if err != nil || key <= 0 {
		return 0, ErrCursor
	}
	return key, nil
}
