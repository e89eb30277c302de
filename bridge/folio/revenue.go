package folio

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
)

// A Sale is a closed check as revenue sees it. Sold again under the same id, it replaces what it was: a check reopened and
// closed anew.
type Sale struct {
	ID          string    `json:"id"` // of the check, for ever
	Check       string    `json:"check"`
	Outlet      string    `json:"outlet"` // "" is the first outlet
	POSConfig   string    `json:"pos_config"`
	FloorPlan   string    `json:"floor_plan"`
	Table       string    `json:"table"`
	Covers      int       `json:"covers"`
	Staff       string    `json:"staff"`
	Workstation string    `json:"workstation"`
	At          time.Time `json:"at"` // of the sale: decides service period and slot
	Parts       []Part    `json:"parts"`
	Payments    []Payment `json:"payments"`
}

// Payment is how a part of a sale was paid.
type Payment struct {
	ID      string     `json:"id"`     // within the sale
	Method  string     `json:"method"` // room, card, cash …
	Amount  int64      `json:"amount"` // without the tip
	Tip     int64      `json:"tip,omitzero"`
	Posting journal.ID `json:"posting,omitzero"` // of a room payment
}

const (
	upsertSale      = `INSERT INTO sales (sale, at, content) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, content = excluded.content`
	selectSale      = `SELECT content FROM sales WHERE sale = ?`
	selectSalePosts = `SELECT ` + postingColumns + ` FROM postings WHERE sale = ? AND state <> 'refused' AND kind IN ('charge', 'tender') ORDER BY key`
	selectRecorded  = `SELECT part, grp, amount FROM revenue WHERE sale = ?`
	insertRevenue   = `INSERT INTO revenue (key, sale, outlet, pos_config, floor_plan, part, grp, period, sold_at, amount, batch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`
	selectVoids     = `SELECT count(*) FROM postings WHERE original = ? AND kind = 'void' AND state <> 'refused'`
)

// Sold records, in the caller's transaction, that a check was closed. What no posting carries goes into the next batch;
// with transmit-all each payment that is not a room becomes a posting of its own instead (OPR-09, OPR-19).
func (s *Service) Sold(tx *journal.Tx, by access.Principal, sale Sale) error {
	set := s.set.Load()
	if sale.Outlet == "" {
		sale.Outlet = set.firstOutlet()
	}
	if set.TransmitAll {
		if err := s.transmit(tx, by, set, &sale); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(upsertSale, sale.ID, sale.At, encode(sale)); err != nil {
		return fmt.Errorf("store sale %s: %w", sale.ID, err)
	}
	return s.reconcile(tx, &sale)
}

// transmit makes a posting of every payment that is none yet.
func (s *Service) transmit(tx *journal.Tx, by access.Principal, set *settings, sale *Sale) error {
	left, err := s.uncarried(tx, sale)
	if err != nil {
		return err
	}
	for i := range sale.Payments {
		pay := &sale.Payments[i]
		if !pay.Posting.IsZero() || pay.Amount+pay.Tip == 0 {
			continue
		}
		parts := share(pay.Amount, left.list())
		left.add(parts, -1)
		p := &posting{ID: s.c.Journal.NewID(), Kind: Tender, State: Queued, Queue: true, Sale: sale.ID, Day: s.calendar().Day(sale.At), Stamp: sale.At.UTC().Truncate(time.Second)}
		p.content = content{Period: s.calendar().Period(sale.At), By: by.Name, Role: string(by.Role), Request: Request{
			Amount: new(pay.Amount + pay.Tip), Tip: pay.Tip, Currency: s.c.Currency, Check: sale.Check, Outlet: sale.Outlet, Table: sale.Table, Covers: sale.Covers,
			Staff: sale.Staff, Workstation: sale.Workstation, Queue: true, Method: cmp.Or(pay.Method, "cash"),
		}}
		p.setParts(parts)
		if err := s.insert(tx, p); err != nil {
			return err
		}
		pay.Posting = p.ID
	}
	tx.After(func(err error) {
		if err == nil {
			s.stir()
		}
	})
	return nil
}

// uncarried is what of a sale no posting carries or may carry.
func (s *Service) uncarried(tx *journal.Tx, sale *Sale) (tally, error) {
	left := tally{}
	left.add(sale.Parts, 1)
	var carried []*posting
	seen := map[journal.ID]bool{}
	err := tx.Query(selectSalePosts, []any{sale.ID}, func(scan func(...any) error) error {
		p, err := scanPosting(scan)
		if err == nil {
			carried, seen[p.ID] = append(carried, p), true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, pay := range sale.Payments {
		if pay.Posting.IsZero() || seen[pay.Posting] {
			continue
		}
		// A payment may name a posting that was made on its own.
		p, err := load(tx, pay.Posting.Key())
		if errors.Is(err, ErrNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.State != Refused {
			carried = append(carried, p)
		}
	}
	for _, p := range carried {
		pays := slices.ContainsFunc(sale.Payments, func(pay Payment) bool { return pay.Posting == p.ID })
		if !pays {
			// Taken back, and another payment stands for it.
			var voids int
			if err := tx.QueryRow(selectVoids, []any{p.ID.Key()}, &voids); err != nil {
				return nil, err
			}
			if voids > 0 {
				continue
			}
		}
		left.carry(p.parts())
	}
	return left, nil
}

// reconcile brings the revenue rows of a sale to what is uncarried now, by rows for the difference. Rows that a batch has
// taken stay; what changes after it goes into the next, as a negative when it became less.
func (s *Service) reconcile(tx *journal.Tx, sale *Sale) error {
	left, err := s.uncarried(tx, sale)
	if err != nil {
		return fmt.Errorf("weigh sale %s: %w", sale.ID, err)
	}
	first := true
	err = tx.Query(selectRecorded, []any{sale.ID}, func(scan func(...any) error) error {
		var p Part
		if err := scan(&p.Part, &p.Group, &p.Amount); err != nil {
			return err
		}
		first = false
		left.add([]Part{p}, -1)
		return nil
	})
	if err != nil {
		return fmt.Errorf("weigh sale %s: %w", sale.ID, err)
	}
	at := sale.At
	if !first {
		at = tx.Now()
	}
	for _, p := range left.list() {
		_, err := tx.Exec(insertRevenue, s.c.Journal.NewID().Key(), sale.ID, sale.Outlet, cmp.Or(sale.POSConfig, Any), cmp.Or(sale.FloorPlan, Any), p.Part, p.Group,
			s.calendar().Period(sale.At), at, p.Amount)
		if err != nil {
			return fmt.Errorf("store revenue of sale %s: %w", sale.ID, err)
		}
	}
	return nil
}

// follow brings the sale of a posting that ended up to date. A sale that is not closed yet has no revenue.
func (s *Service) follow(tx *journal.Tx, p *posting) error {
	var body []byte
	err := tx.QueryRow(selectSale, []any{p.Sale}, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read sale %s: %w", p.Sale, err)
	}
	var sale Sale
	if err := json.Unmarshal(body, &sale); err != nil {
		return fmt.Errorf("%w: sale %s: %v", errCorrupt, p.Sale, err)
	}
	return s.reconcile(tx, &sale)
}

const (
	selectClock   = `SELECT slot_at FROM revenue_clock WHERE one = 1`
	updateClock   = `UPDATE revenue_clock SET slot_at = ? WHERE one = 1`
	selectWaiting = `SELECT key, outlet, pos_config, floor_plan, part, grp, period, sold_at, amount FROM revenue WHERE batch = 0 AND sold_at < ? ORDER BY key LIMIT 20000`
	updateBatched = `UPDATE revenue SET batch = ? WHERE key = ? AND batch = 0`
	selectLast    = `SELECT coalesce(max(number), 0) FROM batches`
	insertBatch   = `INSERT INTO batches (key, id, number, slot_at, business_day, outlet, period, total, posting) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// keepTime makes a batch of each slot as it ends, those that were missed first.
func (s *Service) keepTime(ctx context.Context) error {
	for {
		if err := s.batch(ctx, s.c.Now()); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		pause := s.calendar().Slot(s.c.Now(), s.c.RevenueEvery).Sub(s.c.Now())
		// The clock may be set while we wait.
		timer := time.NewTimer(min(max(pause, 10*time.Millisecond), time.Minute))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// revenueRow is one part that waits for its batch.
type revenueRow struct {
	key    int64
	at     place
	part   string
	group  string
	soldAt time.Time
	amount int64
}

// batchKey tells which batch a part belongs to: outlet and serving time stand once in a record.
type batchKey struct {
	slot   time.Time
	outlet string
	period int
}

// batch makes the batches of all slots that ended by now. Each part is in exactly one, since the row that says so is
// written in the same transaction as the batch.
func (s *Service) batch(ctx context.Context, now time.Time) error {
	if s.c.RevenueAccount == "" {
		return nil
	}
	// The slot under way began where the one before it ended.
	var made int
	err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		made = 0
		set := s.set.Load()
		var clock time.Time
		if err := tx.QueryRow(selectClock, nil, &clock); err != nil {
			return err
		}
		begun := s.slotBegin(now)
		if !clock.Before(begun) && clock.UnixMicro() != 0 {
			return nil
		}
		var rows []revenueRow
		err := tx.Query(selectWaiting, []any{begun}, func(scan func(...any) error) error {
			var r revenueRow
			if err := scan(&r.key, &r.at.outlet, &r.at.posConfig, &r.at.floorPlan, &r.part, &r.group, &r.at.period, &r.soldAt, &r.amount); err != nil {
				return err
			}
			rows = append(rows, r)
			return nil
		})
		if err != nil {
			return err
		}
		batches := map[batchKey][]revenueRow{}
		unmapped := ""
		for _, r := range rows {
			if _, ok := subtotalOf(set.Rules, r.at, r.group); !ok && r.part != partService {
				unmapped = cmp.Or(r.group, "-")
				continue
			}
			slot := s.calendar().Slot(r.soldAt, s.c.RevenueEvery)
			if !slot.After(clock) {
				slot = s.calendar().Slot(clock, s.c.RevenueEvery) // its own batch is made already
			}
			key := batchKey{slot, r.at.outlet, r.at.period}
			batches[key] = append(batches[key], r)
		}
		keys := make([]batchKey, 0, len(batches))
		for k := range batches {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, func(a, b batchKey) int {
			return cmp.Or(a.slot.Compare(b.slot), cmp.Compare(a.outlet, b.outlet), cmp.Compare(a.period, b.period))
		})
		var number int64
		if err := tx.QueryRow(selectLast, nil, &number); err != nil {
			return err
		}
		for _, k := range keys {
			number++
			if err := s.writeBatch(tx, set, k, batches[k], number); err != nil {
				return err
			}
			made++
		}
		if _, err := tx.Exec(updateClock, begun); err != nil {
			return err
		}
		tx.After(func(err error) {
			if err != nil {
				return
			}
			if unmapped != "" {
				s.raise("pms_unmapped", warning.Warn, "pms", unmapped)
			} else {
				s.lower("pms_unmapped", "pms")
			}
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("make revenue batches: %w", err)
	}
	if made > 0 {
		s.stir()
	}
	return nil
}

// slotBegin is the greatest slot end that is not after now.
func (s *Service) slotBegin(now time.Time) time.Time {
	at := s.calendar().Slot(now.Add(-2*s.c.RevenueEvery), s.c.RevenueEvery)
	for {
		next := s.calendar().Slot(at, s.c.RevenueEvery)
		if next.After(now) {
			return at
		}
		at = next
	}
}

// writeBatch writes one batch, its posting, and that its parts are in it.
func (s *Service) writeBatch(tx *journal.Tx, set *settings, k batchKey, rows []revenueRow, number int64) error {
	sums := tally{}
	for _, r := range rows {
		n, _ := subtotalOf(set.Rules, r.at, r.group)
		group := strconv.Itoa(n)
		if r.part == partService {
			group = ""
		}
		sums.add([]Part{{r.part, group, r.amount}}, 1)
	}
	parts := sums.list()
	id := s.c.Journal.NewID()
	day := s.calendar().Day(k.slot.Add(-time.Microsecond))
	var posting int64
	if len(parts) > 0 {
		p := s.revenuePosting(k.slot, k.outlet, k.period, day, number, parts)
		p.Batch = id.Key()
		posting = p.ID.Key()
		if err := s.insert(tx, p); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(insertBatch, id.Key(), id[:], number, k.slot, day, k.outlet, k.period, total(parts), posting); err != nil {
		return err
	}
	for _, r := range rows {
		n, err := tx.Exec(updateBatched, id.Key(), r.key)
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("revenue row %d is in a batch already", r.key)
		}
	}
	return nil
}

func (s *Service) revenuePosting(slot time.Time, outlet string, period int, day string, number int64, parts []Part) *posting {
	p := &posting{ID: s.c.Journal.NewID(), Kind: Revenue, State: Queued, Queue: true, Day: day, Stamp: slot.Add(-time.Second).UTC().Truncate(time.Second)}
	p.content = content{Period: period, By: "revenue", Text: "REVENUE " + strconv.FormatInt(number, 10), Request: Request{
		Room: s.c.RevenueAccount, Amount: new(total(parts)), Currency: s.c.Currency, Check: strconv.FormatInt(1+(number-1)%lastNumber, 10), Outlet: outlet, Queue: true,
	}}
	p.setParts(parts)
	return p
}

// Batch is one as callers see it.
type Batch struct {
	ID          journal.ID  `json:"id"`
	Number      int64       `json:"number"`
	SlotEnd     time.Time   `json:"slot_end"`
	BusinessDay string      `json:"business_day"`
	Outlet      string      `json:"outlet"`
	Period      string      `json:"period"`
	Total       int64       `json:"total"`
	Posting     *journal.ID `json:"posting,omitzero" doc:"absent when the parts sum to nothing"`
	State       string      `json:"state,omitzero" enum:"queued,inquiring,sending,posted,refused,unknown"`
	Reason      string      `json:"reason,omitzero"`
	Message     string      `json:"message,omitzero"`
}

// Waiting is revenue that is in no batch yet.
type Waiting struct {
	Outlet    string `json:"outlet"`
	POSConfig string `json:"pos_config"`
	FloorPlan string `json:"floor_plan"`
	Group     string `json:"group"`
	Period    string `json:"period"`
	Amount    int64  `json:"amount"`
	Mapped    bool   `json:"mapped" doc:"false: no rule fits, and it stays here until one does"`
}

const (
	selectBatches = `SELECT b.id, b.number, b.slot_at, b.business_day, b.outlet, b.period, b.total, p.id, p.state, p.reason
	FROM batches b LEFT JOIN postings p ON p.key = b.posting ORDER BY b.number DESC LIMIT ?`
	selectSums = `SELECT outlet, pos_config, floor_plan, grp, period, part, sum(amount) FROM revenue WHERE batch = 0 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 4, 5 LIMIT 500`
)

// Batches lists the latest batches, newest first.
func (s *Service) Batches(ctx context.Context, limit int) ([]Batch, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectBatches, limit)
	if err != nil {
		return nil, fmt.Errorf("list batches: %w", err)
	}
	defer rows.Close()
	list := []Batch{}
	for rows.Next() {
		var b Batch
		var id, posting []byte
		var slot int64
		var period int
		var state, reason sql.NullString
		if err := rows.Scan(&id, &b.Number, &slot, &b.BusinessDay, &b.Outlet, &period, &b.Total, &posting, &state, &reason); err != nil {
			return nil, fmt.Errorf("list batches: %w", err)
		}
		b.ID, b.SlotEnd, b.Period, b.State, b.Reason = journal.ID(id), journal.FromMicros(slot), PeriodName(period), state.String, reason.String
		b.Message = s.message(b.State, b.Reason)
		if posting != nil {
			b.Posting = new(journal.ID(posting))
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

// Uncollected tells what waits for its batch.
func (s *Service) Uncollected(ctx context.Context) ([]Waiting, error) {
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectSums)
	if err != nil {
		return nil, fmt.Errorf("sum up revenue: %w", err)
	}
	defer rows.Close()
	set := s.set.Load()
	list := []Waiting{}
	for rows.Next() {
		var w Waiting
		var period int
		var part string
		if err := rows.Scan(&w.Outlet, &w.POSConfig, &w.FloorPlan, &w.Group, &period, &part, &w.Amount); err != nil {
			return nil, fmt.Errorf("sum up revenue: %w", err)
		}
		w.Period = PeriodName(period)
		_, w.Mapped = subtotalOf(set.Rules, place{w.Outlet, w.POSConfig, w.FloorPlan, period}, w.Group)
		w.Mapped = w.Mapped || part == partService
		list = append(list, w)
	}
	return list, rows.Err()
}

const (
	selectBatch  = `SELECT key, number, slot_at, business_day, outlet, period, posting FROM batches WHERE key = ?`
	updateRetry  = `UPDATE batches SET posting = ? WHERE key = ?`
	notRetryable = "its posting is %s; only a refused one is sent again"
)

// RetryBatch sends a batch whose posting was refused once more, with the same parts. The error is ErrNone, ErrState or
// the journal's.
func (s *Service) RetryBatch(ctx context.Context, by access.Principal, id journal.ID) (Posting, error) {
	var again *posting
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		var key, number, posting int64
		var slot time.Time
		var day, outlet string
		var period int
		err := tx.QueryRow(selectBatch, []any{id.Key()}, &key, &number, &slot, &day, &outlet, &period, &posting)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNone
		}
		if err != nil {
			return err
		}
		if posting == 0 {
			return fmt.Errorf("%w: it sums to nothing", ErrState)
		}
		p, err := load(tx, posting)
		if err != nil {
			return err
		}
		if p.State != Refused {
			return fmt.Errorf("%w: "+notRetryable, ErrState, p.State)
		}
		again = s.revenuePosting(slot, outlet, period, day, number, p.parts())
		again.Batch = key
		if err := s.insert(tx, again); err != nil {
			return err
		}
		if _, err := tx.Exec(updateRetry, again.ID.Key(), key); err != nil {
			return err
		}
		return access.Record(tx, by, "pms_batch_retry", id.String(), "batch "+strconv.FormatInt(number, 10))
	})
	if err != nil {
		return Posting{}, err
	}
	s.stir()
	return s.Get(ctx, again.ID)
}
