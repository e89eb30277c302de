package reservation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/reservation/stage"
	"aboyeur/bridge/trail"
	"aboyeur/protocol/booking"
)

// Flags: what a person should look at.
const (
	FlagRemoveCheck    = "remove_check"        // the party left its table, and nothing is on its check
	FlagUnseated       = "unseated"            // the party left its table, and its check goes on
	FlagCancelledOpen  = "cancelled_open"      // cancelled or no-show, and its check is open
	FlagReopened       = "reopened_after_paid" // the platform has been told paid
	FlagDepositVoided  = "deposit_voided"      // after it paid a check
	FlagDepositUnused  = "deposit_unused"      // it was to pay a check, which the till closed without it
	FlagTables         = "tables_differ"       // the platform moved the party to where its check cannot go
	FlagTwoCandidates  = "two_candidates"      // more than one check or party could be meant
	FlagOddMove        = "odd_move"            // the platform said a status that cannot follow
	FlagUnlinkedTables = "unlinked_tables"     // multi-table is off: the others are not on the check
)

// row is a reservation as the journal keeps it.
type row struct {
	ID       journal.ID
	Platform string
	Ref      string
	Status   booking.Status
	Order    string
	Problem  string
	Detail   string
	Origin   string
	Day      string
	At       time.Time // scheduled
	Updated  time.Time
	Sequence int64
	Hash     []byte
	SeatedAt time.Time
	Wanting  bool
	RetryAt  time.Time
	GiveUpAt time.Time
	ForgetAt time.Time
	Applied  int64
	Flags    []string
	Progress stage.Progress
	Content  booking.Reservation

	fresh bool
	log   []byte // lines to be added
}

const (
	columns = `id, platform, ref, status, order_state, problem, detail, origin, business_day, scheduled_at, updated_at, sequence, hash, seated_at, wanting, retry_at, give_up_at,
		forget_at, applied, flags, progress, content`
	insertRow = `INSERT INTO reservations (key, ` + columns + `, log) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	updateRow = `UPDATE reservations SET status = ?, order_state = ?, problem = ?, detail = ?, origin = ?, business_day = ?, scheduled_at = ?, updated_at = ?, sequence = ?, hash = ?,
		seated_at = ?, wanting = ?, retry_at = ?, give_up_at = ?, forget_at = ?, applied = ?, flags = ?, progress = ?, content = ?,
		log = CASE WHEN length(log) < 40000 THEN log || ? ELSE log END WHERE key = ?`
	selectRow     = `SELECT ` + columns + ` FROM reservations WHERE key = ?`
	selectRef     = `SELECT ` + columns + ` FROM reservations WHERE platform = ? AND ref = ?`
	selectWanting = `SELECT ` + columns + ` FROM reservations WHERE wanting = 1 AND seated_at BETWEEN ? AND ? ORDER BY key`
	selectParties = `SELECT reservation_key FROM party_checks WHERE check_key = ? ORDER BY reservation_key`
	selectChecks  = `SELECT check_id FROM party_checks WHERE reservation_key = ? ORDER BY check_key`
	insertParty   = `INSERT INTO party_checks (check_key, reservation_key, check_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	deleteParty   = `DELETE FROM party_checks WHERE check_key = ? AND reservation_key = ?`
)

func scan(read func(...any) error) (*row, error) {
	r := new(row)
	var id, content []byte
	var status, flags, progress string
	var at, updated, seated, retry, giveUp, forget int64
	err := read(&id, &r.Platform, &r.Ref, &status, &r.Order, &r.Problem, &r.Detail, &r.Origin, &r.Day, &at, &updated, &r.Sequence, &r.Hash, &seated, &r.Wanting, &retry, &giveUp,
		&forget, &r.Applied, &flags, &progress, &content)
	if err != nil {
		return nil, err
	}
	r.ID, r.Status = journal.ID(id), booking.Status(status)
	r.At, r.Updated, r.SeatedAt = journal.FromMicros(at), journal.FromMicros(updated), journal.FromMicros(seated)
	r.RetryAt, r.GiveUpAt, r.ForgetAt = journal.FromMicros(retry), journal.FromMicros(giveUp), journal.FromMicros(forget)
	if flags != "" {
		r.Flags = strings.Split(flags, ",")
	}
	if progress != "" {
		if err := json.Unmarshal([]byte(progress), &r.Progress); err != nil {
			return nil, fmt.Errorf("reservation %s: %w", r.ID, err)
		}
	}
	if err := json.Unmarshal(content, &r.Content); err != nil {
		return nil, fmt.Errorf("reservation %s: %w", r.ID, err)
	}
	return r, nil
}

// find reads one row, nil when there is none.
func find(tx *journal.Tx, query string, args ...any) (r *row, err error) {
	err = tx.Query(query, args, func(read func(...any) error) (err error) {
		r, err = scan(read)
		return err
	})
	return r, err
}

// load reads a reservation; ErrNone when there is none of that id.
func load(tx *journal.Tx, id journal.ID) (*row, error) {
	r, err := find(tx, selectRow, id.Key())
	if err == nil && (r == nil || r.ID != id) {
		err = ErrNone
	}
	return r, err
}

// note adds a line to the time line.
func (r *row) note(at time.Time, event, by, detail string) {
	r.log = trail.Append(r.log, at, event, by, detail)
}

func (r *row) flag(f string) {
	if !slices.Contains(r.Flags, f) {
		r.Flags = append(r.Flags, f)
	}
}

func (r *row) unflag(flags ...string) {
	r.Flags = slices.DeleteFunc(r.Flags, func(f string) bool { return slices.Contains(flags, f) })
}

// notice is the payload of a "reservation" row of the change feed.
type notice struct {
	ID       journal.ID     `json:"id"`
	Platform string         `json:"platform"`
	Status   booking.Status `json:"state"`
	Order    string         `json:"order_state"`
	Problem  string         `json:"problem,omitzero"`
	Tables   []string       `json:"tables"`
}

// store writes the row with its new lines, and tells the feed.
func (s *Service) store(tx *journal.Tx, r *row) error {
	progress := ""
	if r.Progress.Now != "" {
		progress = string(encode(r.Progress))
	}
	flags := strings.Join(r.Flags, ",")
	r.Wanting = r.wants()
	var err error
	if r.fresh {
		r.fresh = false
		_, err = tx.Exec(insertRow, r.ID.Key(), r.ID[:], r.Platform, r.Ref, string(r.Status), r.Order, r.Problem, r.Detail, r.Origin, r.Day, journal.Micros(r.At), journal.Micros(r.Updated),
			r.Sequence, r.Hash, journal.Micros(r.SeatedAt), r.Wanting, journal.Micros(r.RetryAt), journal.Micros(r.GiveUpAt), journal.Micros(r.ForgetAt), r.Applied, flags, progress,
			encode(r.Content), string(r.log))
	} else {
		_, err = tx.Exec(updateRow, string(r.Status), r.Order, r.Problem, r.Detail, r.Origin, r.Day, journal.Micros(r.At), journal.Micros(r.Updated), r.Sequence, r.Hash,
			journal.Micros(r.SeatedAt), r.Wanting, journal.Micros(r.RetryAt), journal.Micros(r.GiveUpAt), journal.Micros(r.ForgetAt), r.Applied, flags, progress, encode(r.Content),
			string(r.log), r.ID.Key())
	}
	if err != nil {
		return fmt.Errorf("store reservation %s: %w", r.ID, err)
	}
	r.log = nil
	tx.Change("reservation", r.ID.String(), encode(notice{r.ID, r.Platform, r.Status, r.Order, r.Problem, orNone(r.Content.Tables)}))
	return nil
}

// wants tells whether the party sits without a check, so that one which staff opens may be its.
func (r *row) wants() bool {
	return (r.Order == None || r.Order == Failed) && !r.SeatedAt.IsZero() && (r.Status == booking.Seated || r.Status == booking.PartiallySeated || r.Content.OpenNow && !r.Status.Over())
}

// parties gives the reservations that a check belongs to.
func parties(tx *journal.Tx, check journal.ID) (list []int64, err error) {
	err = tx.Query(selectParties, []any{check.Key()}, func(read func(...any) error) error {
		var key int64
		err := read(&key)
		list = append(list, key)
		return err
	})
	return list, err
}

// party gives the first reservation of a check that fits; nil when none does.
func party(tx *journal.Tx, check journal.ID, fits func(*row) bool) (*row, error) {
	list, err := parties(tx, check)
	if err != nil {
		return nil, err
	}
	for _, key := range list {
		if r, err := find(tx, selectRow, key); err != nil || r != nil && fits(r) {
			return r, err
		}
	}
	return nil, nil
}

// checks gives the checks of a party, the first opened first.
func checks(tx *journal.Tx, party int64) (list []journal.ID, err error) {
	err = tx.Query(selectChecks, []any{party}, func(read func(...any) error) error {
		var id []byte
		err := read(&id)
		if err == nil {
			list = append(list, journal.ID(id))
		}
		return err
	})
	return list, err
}

// get reads a reservation outside a transaction.
func (s *Service) get(ctx context.Context, id journal.ID) (*row, error) {
	r, err := scan(s.c.Journal.Read().QueryRowContext(ctx, selectRow, id.Key()).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && r.ID != id {
		return nil, ErrNone
	}
	return r, err
}

func encode(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // texts are cleaned before they come here, and nothing else in these types can fail
	}
	return b
}
