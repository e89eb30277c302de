package reservation

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/refusal"
	"aboyeur/bridge/words"
)

// Rejected is a message that was refused, so that a reservation that is missing from the list can be explained (RES-28).
type Rejected struct {
	At          time.Time `json:"at"`
	Status      int       `json:"status" doc:"of the answer"`
	Reason      string    `json:"reason"`
	Reservation string    `json:"reservation,omitzero" doc:"the platform's id, where it could be read"`
	Hash        string    `json:"hash,omitzero" doc:"SHA-256 of the body; the body itself is not kept"`
}

// reject writes down that a message was refused.
func (s *Service) reject(i *integration, status int, reason, ref string, body []byte) {
	if status == 401 {
		if i.unproved.Often(s.c.Now()) {
			return
		}
		body = nil // nobody proved to have sent it
	}
	id, hash := s.c.Journal.NewID(), refusal.Hash(body)
	reason, ref = words.Tidy(reason, maxNotes), words.Tidy(ref, maxText)
	s.c.Journal.Later(func(tx *journal.Tx) error {
		tx.Change("integration", i.Name, encode(map[string]string{"rejected": reason}))
		return refusal.Keep(tx, id, i.Name, status, reason, ref, hash)
	})
}

// Rejected lists the refused messages of a platform, the latest first.
func (s *Service) Rejected(ctx context.Context, platform string) ([]Rejected, error) {
	if s.link(platform) == nil {
		return nil, ErrPlatform
	}
	found, err := refusal.List(ctx, s.c.Journal, platform)
	if err != nil {
		return nil, fmt.Errorf("read refused messages: %w", err)
	}
	list := make([]Rejected, len(found))
	for i, m := range found {
		list[i] = Rejected{At: m.At, Status: m.Status, Reason: m.Reason, Reservation: m.Ref, Hash: m.Hash}
	}
	return list, nil
}
