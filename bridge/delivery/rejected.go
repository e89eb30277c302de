package delivery

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/refusal"
	"aboyeur/bridge/words"
)

// Rejected is a message that was refused, so that an order that is missing can be explained.
type Rejected struct {
	At     time.Time `json:"at"`
	Status int       `json:"status" doc:"of the answer"`
	Reason string    `json:"reason"`
	Order  string    `json:"order,omitzero" doc:"the number that the courier says, where it could be read"`
	Hash   string    `json:"hash,omitzero" doc:"SHA-256 of the body; the body itself is not kept"`
}

// reject writes down that a message was refused.
func (s *Service) reject(l *link, status int, reason, ref string, body []byte) {
	if status == 401 && l.unproved.Often(s.c.Now()) {
		return
	}
	id, hash := s.c.Journal.NewID(), refusal.Hash(body)
	reason, ref = words.Tidy(reason, 1000), words.Tidy(ref, maxName)
	s.c.Journal.Later(func(tx *journal.Tx) error { return refusal.Keep(tx, id, l.Name, status, reason, ref, hash) })
}

// Rejected lists the refused messages of an aggregator, the latest first.
func (s *Service) Rejected(ctx context.Context, name string) ([]Rejected, error) {
	if s.link(name) == nil {
		return nil, ErrNone
	}
	found, err := refusal.List(ctx, s.c.Journal, name)
	if err != nil {
		return nil, fmt.Errorf("read refused messages: %w", err)
	}
	list := make([]Rejected, len(found))
	for i, m := range found {
		list[i] = Rejected{At: m.At, Status: m.Status, Reason: m.Reason, Order: m.Ref, Hash: m.Hash}
	}
	return list, nil
}
