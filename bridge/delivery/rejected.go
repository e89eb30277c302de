package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
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

// keptRejected is how many refused messages are kept of each aggregator.
const keptRejected = 500

// refusedEvery is how often a message that nobody signed is written down at most: whoever sends many fills no disk.
const refusedEvery = time.Second

const (
	insertRejected = `INSERT INTO rejected (key, platform, at, status, reason, ref, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`
	pruneRejected  = `DELETE FROM rejected WHERE platform = ? AND key <= (SELECT key FROM rejected WHERE platform = ? ORDER BY key DESC LIMIT 1 OFFSET ?)`
	selectRejected = `SELECT at, status, reason, ref, hash FROM rejected WHERE platform = ? ORDER BY key DESC LIMIT ?`
)

// reject writes down that a message was refused.
func (s *Service) reject(l *link, status int, reason, ref string, body []byte) {
	now := s.c.Now()
	if status == 401 {
		l.mu.Lock()
		often := !l.refused.IsZero() && now.Sub(l.refused).Abs() < refusedEvery
		if !often {
			l.refused = now
		}
		l.mu.Unlock()
		if often {
			return
		}
	}
	hash := []byte{}
	if body != nil {
		h := sha256.Sum256(body)
		hash = h[:]
	}
	id := s.c.Journal.NewID()
	reason, ref = words.Tidy(reason, 1000), words.Tidy(ref, maxName)
	s.c.Journal.Later(func(tx *journal.Tx) error {
		if _, err := tx.Exec(insertRejected, id.Key(), l.Name, tx.Now().UnixMicro(), status, reason, ref, hash); err != nil {
			return err
		}
		_, err := tx.Exec(pruneRejected, l.Name, l.Name, keptRejected)
		return err
	})
}

// Rejected lists the refused messages of an aggregator, the latest first.
func (s *Service) Rejected(ctx context.Context, name string) ([]Rejected, error) {
	if s.link(name) == nil {
		return nil, ErrNone
	}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectRejected, name, keptRejected)
	if err != nil {
		return nil, fmt.Errorf("read refused messages: %w", err)
	}
	defer rows.Close()
	list := []Rejected{}
	for rows.Next() {
		var m Rejected
		var at int64
		var hash []byte
		if err := rows.Scan(&at, &m.Status, &m.Reason, &m.Order, &hash); err != nil {
			return nil, fmt.Errorf("read refused messages: %w", err)
		}
		m.At, m.Hash = journal.FromMicros(at), hex.EncodeToString(hash)
		list = append(list, m)
	}
	return list, rows.Err()
}
