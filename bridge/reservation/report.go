package reservation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
	"aboyeur/protocol/booking"
)

// Entry is a reservation as lists show it (contract section 4).
type Entry struct {
	ID          journal.ID     `json:"id"`
	Platform    string         `json:"platform"`
	Reservation string         `json:"reservation" doc:"the platform's id"`
	BusinessDay string         `json:"business_day"`
	ScheduledAt time.Time      `json:"scheduled_at"`
	Guest       string         `json:"guest"`
	VIP         bool           `json:"vip,omitzero"`
	Covers      int            `json:"covers"`
	WalkIn      bool           `json:"walk_in"`
	Tables      []string       `json:"tables" doc:"as the platform says"`
	State       booking.Status `json:"state" enum:"on_hold,scheduled,partially_arrived,arrived,partially_seated,seated,departed,cancelled,no_show,error"`
	Late        bool           `json:"late,omitzero"`
	Confirmed   bool           `json:"confirmed,omitzero"`
	Assumed     bool           `json:"assumed,omitzero" doc:"a job of the platform's says so, nobody saw it"`
	Stage       booking.Stage  `json:"stage,omitzero" doc:"how far the meal has come"`
	OrderState  string         `json:"order_state" enum:"none,pending,open,failed,closed"`
	Problem     string         `json:"problem" enum:",table_unavailable,invalid_table,no_table,order_creation_disabled,pos_offline,pos_rejected,staff_unknown,expired"`
	Detail      string         `json:"detail,omitzero"`
	Remedy      string         `json:"remedy"`
	Origin      string         `json:"origin,omitzero" enum:"auto,manual_match,operator"`
	Checks      []journal.ID   `json:"checks"`
	Flags       []Flag         `json:"flags,omitzero"`
	SeatedAt    time.Time      `json:"seated_at,omitzero"`
	UpdatedAt   time.Time      `json:"updated_at,omitzero"`
	Deposits    Deposits       `json:"deposits"`

	key int64
}

// Flag is something a person should look at.
type Flag struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// Details is all there is of a reservation.
type Details struct {
	Entry
	Party    booking.Guest     `json:"party"`
	Notes    string            `json:"notes,omitzero"`
	Request  string            `json:"guest_request,omitzero"`
	Tags     []string          `json:"tags,omitzero"`
	Offer    string            `json:"offer,omitzero"`
	Duration time.Duration     `json:"expected_seconds,omitzero,format:sec"`
	Paid     []booking.Deposit `json:"deposit_list,omitzero"`
	Refunds  []booking.Deposit `json:"refund_list,omitzero"`
	Timeline []trail.Step      `json:"timeline"`
	Updates  []Told            `json:"updates" doc:"what the platform was or will be told, the latest first"`
	May      []string          `json:"may" doc:"acts that make sense now"`
}

func (s *Service) entry(r *row) Entry {
	e := Entry{
		ID: r.ID, Platform: r.Platform, Reservation: r.Ref, BusinessDay: r.Day, ScheduledAt: r.At, Guest: r.Content.Guest.Name(), VIP: r.Content.Guest.VIP, Covers: r.Content.PartySize,
		WalkIn: r.Content.WalkIn, Tables: orNone(r.Content.Tables), State: r.Status, Late: r.Content.Late, Confirmed: r.Content.Sure, Assumed: r.Content.Assumed,
		Stage: r.Progress.Now, OrderState: r.Order, Problem: r.Problem, Detail: r.Detail, Origin: r.Origin, Checks: []journal.ID{}, SeatedAt: r.SeatedAt, UpdatedAt: r.Updated,
		Deposits: s.deposits(r), key: r.ID.Key(),
	}
	if r.Problem != "" {
		e.Remedy = s.words.T("reservation.remedy." + r.Problem)
	}
	for _, f := range r.Flags {
		e.Flags = append(e.Flags, Flag{f, s.words.T("reservation.flag." + f), s.words.T("reservation.flag." + f + ".remedy")})
	}
	return e
}

// Filter chooses reservations.
type Filter struct {
	From, To string // business days, both included; "" is open
	Platform string
	State    string
	Order    string
	Text     string // part of the guest's name, the platform's id or a table
	Limit    int    // 0 means MaxListed
}

// MaxListed is how many reservations a list has at most.
const MaxListed = 1000

// List gives reservations by their time. A Text that is a platform's id gives those of that id alone, without a look at all.
func (s *Service) List(ctx context.Context, f Filter) ([]Entry, error) {
	if f.Text != "" {
		exact := f
		exact.Text = ""
		list, err := s.list(ctx, exact, f.Text)
		if err != nil || len(list) > 0 {
			return list, err
		}
	}
	return s.list(ctx, f, "")
}

func (s *Service) list(ctx context.Context, f Filter, ref string) ([]Entry, error) {
	query, args := `SELECT `+columns+` FROM reservations WHERE 1 = 1`, []any{}
	add := func(condition, value string) {
		if value != "" {
			query, args = query+` AND `+condition, append(args, value)
		}
	}
	if ref != "" {
		// The index is by platform first, and those are few.
		query += ` AND ref = ? AND platform IN (''`
		args = append(args, ref)
		for _, i := range s.links {
			query, args = query+`, ?`, append(args, i.Name)
		}
		query += `)`
	}
	add(`business_day >= ?`, f.From)
	add(`business_day <= ?`, f.To)
	add(`platform = ?`, f.Platform)
	add(`status = ?`, f.State)
	add(`order_state = ?`, f.Order)
	limit := f.Limit
	if limit <= 0 || limit > MaxListed {
		limit = MaxListed
	}
	if f.From == "" && f.To == "" {
		query += ` ORDER BY business_day DESC, scheduled_at DESC, key DESC`
	} else {
		query += ` ORDER BY business_day, scheduled_at, key`
	}
	if f.Text == "" {
		query, args = query+` LIMIT ?`, append(args, limit)
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list reservations: %w", err)
	}
	defer rows.Close()
	list := []Entry{}
	want := strings.ToLower(f.Text)
	for len(list) < limit && rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list reservations: %w", err)
		}
		if want != "" && !strings.Contains(strings.ToLower(r.Content.Guest.Name()), want) && !strings.Contains(strings.ToLower(r.Ref), want) && !slices.Contains(r.Content.Tables, f.Text) {
			continue
		}
		list = append(list, s.entry(r))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list reservations: %w", err)
	}
	rows.Close()
	for i := range list {
		if list[i].OrderState == Open || list[i].OrderState == Closed {
			if list[i].Checks, err = s.checksOf(ctx, list[i].key); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func (s *Service) checksOf(ctx context.Context, key int64) ([]journal.ID, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectChecks, key)
	if err != nil {
		return nil, fmt.Errorf("read the checks of a reservation: %w", err)
	}
	defer rows.Close()
	list := []journal.ID{}
	for rows.Next() {
		var id journal.ID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read the checks of a reservation: %w", err)
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// Entry gives one reservation; ErrNone when there is none.
func (s *Service) Entry(ctx context.Context, id journal.ID) (Entry, error) {
	r, err := s.get(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	e := s.entry(r)
	e.Checks, err = s.checksOf(ctx, e.key)
	return e, err
}

// Get gives all there is of a reservation; ErrNone when there is none.
func (s *Service) Get(ctx context.Context, id journal.ID) (Details, error) {
	r, err := s.get(ctx, id)
	if err != nil {
		return Details{}, err
	}
	d := Details{
		Entry: s.entry(r), Party: r.Content.Guest, Notes: r.Content.Notes, Request: r.Content.GuestRequest, Tags: r.Content.Tags, Offer: r.Content.Offer,
		Duration: r.Content.Duration, Paid: r.Content.Deposits, Refunds: r.Content.Refunds, May: s.may(r),
	}
	if d.Checks, err = s.checksOf(ctx, d.key); err != nil {
		return Details{}, err
	}
	var log string
	if err := s.c.Journal.Read().QueryRowContext(ctx, `SELECT log FROM reservations WHERE key = ?`, d.key).Scan(&log); err != nil {
		return Details{}, fmt.Errorf("read the time line of reservation %s: %w", id, err)
	}
	if d.Timeline = trail.Parse(log); d.Timeline == nil {
		d.Timeline = []trail.Step{}
	}
	d.Updates, err = s.c.Relay.Told(ctx, d.key)
	return d, err
}

// may lists what can be done to a reservation from a till.
func (s *Service) may(r *row) []string {
	list := []string{}
	i := s.link(r.Platform)
	if i == nil || r.Status == booking.Departed {
		return list
	}
	over := r.Status.Over()
	if !over || r.Status == booking.Cancelled || r.Status == booking.NoShow {
		if !r.live() {
			list = append(list, "seat")
		}
	}
	if over {
		return list
	}
	list = append(list, "assign", "covers")
	if r.live() && r.Order != Open && r.Order != Pending {
		list = append(list, "retry")
	}
	if r.Order != Open {
		list = append(list, "link")
	}
	if r.Order == Open && s.deposits(r).Remaining > 0 {
		list = append(list, "deposit")
	}
	for _, end := range []struct {
		status booking.Status
		act    string
	}{{booking.Cancelled, "cancel"}, {booking.NoShow, "no-show"}} {
		if i.can.Takes(&booking.Update{Kind: booking.KindStatus, Status: end.status}) {
			list = append(list, end.act)
		}
	}
	return list
}
