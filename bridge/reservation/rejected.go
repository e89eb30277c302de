package reservation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
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

// keptRejected is how many refused messages are kept of each platform.
const keptRejected = 500

// refusedEvery is how often a message that nobody signed is written down at most: whoever sends many fills no disk.
const refusedEvery = time.Second

const (
	insertRejected = `INSERT INTO rejected (key, platform, at, status, reason, ref, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`
	pruneRejected  = `DELETE FROM rejected WHERE platform = ? AND key <= (SELECT key FROM rejected WHERE platform = ? ORDER BY key DESC LIMIT 1 OFFSET ?)`
	selectRejected = `SELECT key, at, status, reason, ref, hash FROM rejected WHERE platform = ? ORDER BY key DESC LIMIT ?`
)

// reject writes down that a message was refused.
func (s *Service) reject(i *integration, status int, reason, ref string, body []byte) {
	now := s.c.Now()
	if status == 401 {
		i.mu.Lock()
		often := now.Sub(i.refused) < refusedEvery
		if !often {
			i.refused = now
		}
		i.mu.Unlock()
		if often {
			return
		}
	}
	id := s.c.Journal.NewID()
	var hash []byte
	if body != nil && status != 401 {
		h := sha256.Sum256(body)
		hash = h[:]
	}
	if hash == nil {
		hash = []byte{}
	}
	reason, ref = words.Tidy(reason, maxNotes), words.Tidy(ref, maxText)
	s.c.Journal.Later(func(tx *journal.Tx) error {
		if _, err := tx.Exec(insertRejected, id.Key(), i.Name, tx.Now(), status, reason, ref, hash); err != nil {
			return err
		}
		tx.Change("integration", i.Name, encode(map[string]string{"rejected": reason}))
		_, err := tx.Exec(pruneRejected, i.Name, i.Name, keptRejected)
		return err
	})
}

// Rejected lists the refused messages of a platform, the latest first.
func (s *Service) Rejected(ctx context.Context, platform string) ([]Rejected, error) {
	if s.link(platform) == nil {
		return nil, ErrPlatform
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectRejected, platform, keptRejected)
	if err != nil {
		return nil, fmt.Errorf("read refused messages: %w", err)
	}
	defer rows.Close()
	list := []Rejected{}
	for rows.Next() {
		var m Rejected
		var key, at int64
		var hash []byte
		if err := rows.Scan(&key, &at, &m.Status, &m.Reason, &m.Reservation, &hash); err != nil {
			return nil, fmt.Errorf("read refused messages: %w", err)
		}
		m.At, m.Hash = journal.FromMicros(at), hex.EncodeToString(hash)
		list = append(list, m)
	}
	return list, rows.Err()
}
