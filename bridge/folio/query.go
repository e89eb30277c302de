package folio

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// ErrCursor reports a cursor this box did not give.
var ErrCursor = errors.New("cursor is not one of this list; leave it out to start from the newest")

// Filter says which postings a list holds; zero members do not restrict it.
type Filter struct {
	States []string
	Kinds  []string
	Check  string
	Limit  int    // 0 means DefaultLimit
	Cursor string // next of the list before
}

// List gives postings, newest first, without time lines, and the cursor of what follows, "" at the end.
func (s *Service) List(ctx context.Context, f Filter) ([]Posting, string, error) {
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
	in("state", f.States)
	if len(f.States) > 0 && !slices.Contains(f.States, Posted) && !slices.Contains(f.States, Refused) {
		where = append(where, "watch > 0")
	}
	in("kind", f.Kinds)
	if f.Check != "" {
		where, args = append(where, "check_number = ?"), append(args, f.Check)
	}
	if f.Cursor != "" {
		key, err := parseCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		where, args = append(where, "key < ?"), append(args, key)
	}
	query := `SELECT ` + postingColumns + ` FROM postings`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, query+` ORDER BY key DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list postings: %w", err)
	}
	defer rows.Close()
	var list []*posting
	for rows.Next() {
		p, err := scanPosting(rows.Scan)
		if err != nil {
			return nil, "", fmt.Errorf("list postings: %w", err)
		}
		list = append(list, p)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, "", fmt.Errorf("list postings: %w", err)
	}
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, list[limit-1].ID.Key(), 36))
	}
	views := make([]Posting, len(list))
	pointers := make([]*Posting, len(list))
	for i, p := range list {
		views[i] = s.view(p)
		pointers[i] = &views[i]
	}
	return views, next, s.nameOriginals(ctx, list, pointers)
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

const selectCounts = `SELECT state, count(*) FROM postings WHERE watch > 0 AND state NOT IN ('posted', 'refused') GROUP BY state`

// Open counts the postings that are not ended, by state.
func (s *Service) Open(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{Queued: 0, Inquiring: 0, Sending: 0, Unknown: 0}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectCounts)
	if err != nil {
		return nil, fmt.Errorf("count postings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("count postings: %w", err)
		}
		counts[state] = n
	}
	return counts, rows.Err()
}
