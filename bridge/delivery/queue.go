package delivery

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
)

// A Queue is what an aggregator has still to be told.
type Queue struct {
	Waiting int       `json:"waiting"`
	Oldest  time.Time `json:"oldest,omitzero" doc:"since when the oldest one waits"`
	Failed  int       `json:"failed" doc:"refused by the aggregator within the last day"`
	SentAt  time.Time `json:"sent_at,omitzero" doc:"the last call that it took"`
	NextAt  time.Time `json:"next_at,omitzero" doc:"nothing that waits goes out before: it is put off, or the aggregator's limit is used up"`
	Error   string    `json:"error,omitzero" doc:"why it cannot be told now"`
}

const (
	selectQueue  = `SELECT count(*), coalesce(min(created_at), 0) FROM delivery_calls WHERE aggregator = ? AND state = 'waiting'`
	selectFailed = `SELECT count(*) FROM delivery_calls WHERE aggregator = ? AND state = 'failed' AND key > ?`
)

// Queue tells how much an aggregator has still to be told.
func (s *Service) Queue(ctx context.Context, name string) (Queue, error) {
	l := s.link(name)
	if l == nil {
		return Queue{}, ErrNone
	}
	var q Queue
	var oldest int64
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectQueue, name).Scan(&q.Waiting, &oldest); err != nil {
		return q, fmt.Errorf("read what %s is told: %w", name, err)
	}
	day := journal.KeyAt(s.c.Now().Add(-24 * time.Hour))
	if err := s.c.Journal.Read().QueryRowContext(ctx, selectFailed, name, day).Scan(&q.Failed); err != nil {
		return q, fmt.Errorf("read what %s refused: %w", name, err)
	}
	q.Oldest = journal.FromMicros(oldest)
	l.out.mu.Lock()
	q.SentAt, q.Error = l.out.sentAt, l.out.fault
	if q.Waiting > 0 {
		q.NextAt = l.out.rests
	}
	l.out.mu.Unlock()
	return q, nil
}
