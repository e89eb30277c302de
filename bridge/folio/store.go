package folio

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

const postingColumns = `id, kind, state, reason, queue, number, attempts, next_at, original, sale, business_day, stamp, received_at, sent_at, settled_at, answer, answer_text, resolution, content, log`

const (
	insertPosting = `INSERT INTO postings (key, id, kind, state, reason, watch, queue, number, attempts, next_at, original, sale, outlet, check_number, business_day, stamp, amount,
	received_at, sent_at, settled_at, answer, answer_text, resolution, content, log)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '', '', NULL, ?, ?)`
	selectPosting = `SELECT ` + postingColumns + ` FROM postings WHERE key = ?`
	selectStamp   = `SELECT stamp FROM postings WHERE check_number = ? AND outlet = ? AND business_day = ? AND kind IN ('charge', 'tender') ORDER BY key LIMIT 1`
	updateSending = `UPDATE postings SET state = 'sending', number = ?, attempts = attempts + 1, sent_at = ?, log = log || ? WHERE key = ? AND state IN ('queued', 'inquiring')`
	updateContent = `UPDATE postings SET content = ? WHERE key = ?`
	updateSettled = `UPDATE postings SET state = ?, reason = ?, watch = ?, answer = ?, answer_text = ?, settled_at = ?, log = log || ? WHERE key = ? AND state = ?`
	updateQueued  = `UPDATE postings SET state = 'queued', next_at = ?, answer = ?, answer_text = ?, log = log || ? WHERE key = ? AND state = ?`
	updateLooking = `UPDATE postings SET state = 'inquiring' WHERE key = ? AND state = 'queued'`
	updateEnded   = `UPDATE postings SET state = ?, reason = ?, answer = CASE WHEN ? = '' THEN answer ELSE ? END, answer_text = CASE WHEN ? = '' THEN answer_text ELSE ? END,
	settled_at = ?, resolution = ?, watch = ?, log = log || ? WHERE key = ? AND state IN ('unknown', 'sending')`
)

var errCorrupt = errors.New("the journal holds a posting that cannot be read")

// encode writes a value of this package as JSON.
func encode(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // texts were decoded as UTF-8, and nothing else in these types can fail
	}
	return b
}

// scanPosting reads a row of postingColumns.
func scanPosting(scan func(...any) error) (*posting, error) {
	p := &posting{}
	var id, resolution, body []byte
	var next, stamp, received, sent, settledAt int64
	err := scan(&id, &p.Kind, &p.State, &p.Reason, &p.Queue, &p.Number, &p.Attempts, &next, &p.Original, &p.Sale, &p.Day, &stamp, &received, &sent, &settledAt,
		&p.Answer, &p.AnswerText, &resolution, &body, &p.log)
	if err != nil {
		return nil, err
	}
	if len(id) != len(p.ID) {
		return nil, errCorrupt
	}
	copy(p.ID[:], id)
	queue := p.Queue
	if err := json.Unmarshal(body, &p.content); err != nil {
		return nil, fmt.Errorf("%w: posting %s: %v", errCorrupt, p.ID, err)
	}
	p.Queue = queue
	if len(resolution) > 0 {
		p.Resolution = new(Resolution)
		if err := json.Unmarshal(resolution, p.Resolution); err != nil {
			return nil, fmt.Errorf("%w: posting %s: %v", errCorrupt, p.ID, err)
		}
	}
	p.NextAt, p.Stamp, p.ReceivedAt = journal.FromMicros(next), journal.FromMicros(stamp), journal.FromMicros(received)
	p.SentAt, p.SettledAt = journal.FromMicros(sent), journal.FromMicros(settledAt)
	return p, nil
}

// load reads a posting within tx; ErrNone when there is none.
func load(tx *journal.Tx, key int64) (p *posting, err error) {
	err = tx.Query(selectPosting, []any{key}, func(scan func(...any) error) error {
		p, err = scanPosting(scan)
		return err
	})
	if err == nil && p == nil {
		err = ErrNone
	}
	return p, err
}

// insert writes a new posting within tx. Its stamp is that of the first part of its check.
func (s *Service) insert(tx *journal.Tx, p *posting) error {
	now := tx.Now()
	p.ReceivedAt = now
	if p.Kind == Charge || p.Kind == Tender {
		var stamp int64
		switch err := tx.QueryRow(selectStamp, []any{p.Check, p.Outlet, p.Day}, &stamp); {
		case err == nil:
			p.Stamp = journal.FromMicros(stamp)
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("look for other parts of check %s: %w", p.Check, err)
		}
	}
	if settled(p.State) {
		p.SettledAt = now
	}
	p.log = string(trail.Append(nil, now, "received", p.By, p.Kind))
	if p.State == Refused {
		p.log += string(trail.Append(nil, now, Refused, "", p.Reason))
	}
	_, err := tx.Exec(insertPosting, p.ID.Key(), p.ID[:], p.Kind, p.State, p.Reason, p.State != Refused, p.Queue, p.Original, p.Sale, p.Outlet, p.Check,
		p.Day, journal.Micros(p.Stamp), p.amount(), journal.Micros(now), journal.Micros(p.SettledAt), encode(p.content), p.log)
	if err != nil {
		return fmt.Errorf("store posting: %w", err)
	}
	s.tell(tx, p)
	if p.State == Refused {
		return s.ended(tx, p)
	}
	return nil
}

// notice is the payload of a "posting" row of the change feed: enough for a list, without a guest's name.
type notice struct {
	ID       journal.ID `json:"id"`
	Kind     string     `json:"kind"`
	State    string     `json:"state"`
	Reason   string     `json:"reason,omitzero"`
	Room     string     `json:"room,omitzero"`
	Check    string     `json:"check"`
	Outlet   string     `json:"outlet,omitzero"`
	Amount   int64      `json:"amount"`
	Currency string     `json:"currency"`
}

func (s *Service) tell(tx *journal.Tx, p *posting) {
	tx.Change("posting", p.ID.String(), encode(notice{p.ID, p.Kind, p.State, p.Reason, p.Room, p.Check, p.Outlet, p.amount(), p.Currency}))
}

// ended does, within the transaction that ends p, what follows from it, and wakes who waits once that is durable.
func (s *Service) ended(tx *journal.Tx, p *posting) error {
	v := s.view(p)
	if p.Original != 0 {
		v.Original = new(journal.ID)
		if err := tx.QueryRow(selectOriginalID, []any{p.Original}, v.Original); err != nil {
			return fmt.Errorf("read the original of posting %s: %w", p.ID, err)
		}
	}
	tx.After(func(err error) {
		if err == nil {
			s.metrics.settled(v.State, v.Resolution != nil)
			s.wakeWaiters(v.ID.Key(), v)
		}
	})
	if p.Sale == "" {
		return nil
	}
	if err := s.follow(tx, p); err != nil {
		return err
	}
	if s.c.Settled == nil {
		return nil
	}
	return s.c.Settled(tx, p.Sale, v)
}

// view is the posting as callers see it, without its time line.
func (s *Service) view(p *posting) Posting {
	v := Posting{
		ID: p.ID, Kind: p.Kind, State: p.State, Reason: p.Reason, Message: s.message(p.State, p.Reason), Number: p.Number, Attempts: p.Attempts,
		BusinessDay: p.Day, Period: PeriodName(p.Period), Stamp: p.Stamp, ReceivedAt: p.ReceivedAt, SentAt: p.SentAt, SettledAt: p.SettledAt,
		Answer: p.Answer, AnswerText: p.AnswerText, Resolution: p.Resolution, Request: p.Request,
	}
	v.Request.Queue = p.Queue
	if p.State == Queued {
		v.NextAt = p.NextAt
	}
	return v
}

const selectOriginalID = `SELECT id FROM postings WHERE key = ?`

// Get gives one posting with its time line; ErrNone when there is none.
func (s *Service) Get(ctx context.Context, id journal.ID) (Posting, error) {
	p, err := s.read(ctx, id)
	if err != nil {
		return Posting{}, err
	}
	v := s.view(p)
	v.Timeline = trail.Parse(p.log)
	if err := s.nameOriginals(ctx, []*posting{p}, []*Posting{&v}); err != nil {
		return Posting{}, err
	}
	return v, nil
}

func (s *Service) read(ctx context.Context, id journal.ID) (*posting, error) {
	p, err := scanPosting(s.c.Journal.Read().QueryRowContext(ctx, selectPosting, id.Key()).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && p.ID != id {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("read posting %s: %w", id, err)
	}
	return p, nil
}

// nameOriginals gives reversals the id of what they reverse.
func (s *Service) nameOriginals(ctx context.Context, rows []*posting, views []*Posting) error {
	for i, p := range rows {
		if p.Original == 0 {
			continue
		}
		var raw []byte
		if err := s.c.Journal.Read().QueryRowContext(ctx, selectOriginalID, p.Original).Scan(&raw); err != nil {
			return fmt.Errorf("read the original of posting %s: %w", p.ID, err)
		}
		id := journal.ID(raw)
		views[i].Original = &id
	}
	return nil
}

// An outcome tells who waits how a posting ended, once that is on disk.
type outcome chan Posting // of size 1: who tells never waits

// await puts an outcome for the posting on the list.
func (s *Service) await(key int64) outcome {
	w := make(outcome, 1)
	s.mu.Lock()
	s.waiters[key] = append(s.waiters[key], w)
	s.mu.Unlock()
	return w
}

// wait waits for the end of the posting, for d or until ctx ends, and gives how it stands. looked says that somebody should
// look first: it may have ended before the outcome was on the list.
func (s *Service) wait(ctx context.Context, id journal.ID, w outcome, d time.Duration, looked bool) (Posting, error) {
	defer s.unwait(id.Key(), w)
	if looked {
		if p, err := s.Get(ctx, id); err != nil || settled(p.State) || d <= 0 {
			return p, err
		}
	}
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case p := <-w:
			return p, nil
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return s.Get(context.WithoutCancel(ctx), id)
}

func (s *Service) wakeWaiters(key int64, p Posting) {
	s.mu.Lock()
	list := s.waiters[key]
	delete(s.waiters, key)
	s.mu.Unlock()
	for _, w := range list {
		w <- p
	}
}

func (s *Service) unwait(key int64, w outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(s.waiters[key], func(other outcome) bool { return other == w })
	if len(list) == 0 {
		delete(s.waiters, key)
	} else {
		s.waiters[key] = list
	}
}
