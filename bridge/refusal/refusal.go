// Package refusal keeps on record which messages of clouds were refused, so that an order or a reservation that is missing
// can be explained. Of a message's body only the hash is kept.
package refusal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"aboyeur/bridge/journal"
)

// Kept is how many are kept of each sender.
const Kept = 500

// every is how often a message that nobody proved to have sent is written down at most: whoever sends many fills no disk.
const every = time.Second

// Unproved tells which messages of a sender that nobody proved to have sent are written down. Its zero value is ready, and its
// method may be called from any goroutine.
type Unproved struct {
	mu   sync.Mutex // guards last
	last time.Time  // that was written down
}

// Often tells that one was written down less than a second before now, and otherwise that this one is: a clock set back keeps none out.
func (u *Unproved) Often(now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.last.IsZero() && now.Sub(u.last).Abs() < every {
		return true
	}
	u.last = now
	return false
}

const (
	insertRejected = `INSERT INTO rejected (key, platform, at, status, reason, ref, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`
	pruneRejected  = `DELETE FROM rejected WHERE platform = ? AND key <= (SELECT key FROM rejected WHERE platform = ? ORDER BY key DESC LIMIT 1 OFFSET ?)`
	selectRejected = `SELECT at, status, reason, ref, hash FROM rejected WHERE platform = ? ORDER BY key DESC LIMIT ?`
)

// A Message is one that was refused.
type Message struct {
	At     time.Time
	Status int    // of the answer
	Reason string // for people
	Ref    string // what it speaks of, where it could be read
	Hash   string // SHA-256 of the body; "" when it is not known or nobody proved to have sent it
}

// Hash is what is kept of a body; nil gives nothing.
func Hash(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	h := sha256.Sum256(body)
	return h[:]
}

// Keep writes down under id that a message of sender was answered with status, and forgets the oldest of too many.
func Keep(tx *journal.Tx, id journal.ID, sender string, status int, reason, ref string, hash []byte) error {
	if _, err := tx.Exec(insertRejected, id.Key(), sender, tx.Now(), status, reason, ref, hash); err != nil {
		return err
	}
	_, err := tx.Exec(pruneRejected, sender, sender, Kept)
	return err
}

// List gives a sender's messages, the latest first.
func List(ctx context.Context, j *journal.Journal, sender string) ([]Message, error) {
	var list []Message
	err := j.Each(ctx, selectRejected, []any{sender, Kept}, func(scan func(...any) error) error {
		var m Message
		var at int64
		var hash []byte
		if err := scan(&at, &m.Status, &m.Reason, &m.Ref, &hash); err != nil {
			return err
		}
		m.At, m.Hash = journal.FromMicros(at), hex.EncodeToString(hash)
		list = append(list, m)
		return nil
	})
	return list, err
}
