package journal

import (
	"bytes"
	"errors"
)

// ErrKeyReused says that a key came with other content than the first time.
var ErrKeyReused = errors.New("this idempotency key was used for another request")

// Idempotent makes a request count once: it records that owner's key stands for content with this hash, which made
// subject. When the key is known with the same hash, it returns the subject of the first time and true, and the caller
// repeats that answer; with another hash, ErrKeyReused. Keys are kept for Config.KeepIdempotency.
func (tx *Tx) Idempotent(owner, key string, hash [32]byte, subject string) (prior string, known bool, err error) {
	const (
		record = `INSERT INTO idempotency (owner, key, hash, subject, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
		find   = `SELECT hash, subject FROM idempotency WHERE owner = ? AND key = ?`
	)
	if n, err := tx.Exec(record, owner, key, hash[:], subject, tx.at); err != nil || n == 1 {
		return "", false, err
	}
	var first []byte
	if err := tx.QueryRow(find, []any{owner, key}, &first, &prior); err != nil {
		return "", false, err
	}
	if !bytes.Equal(first, hash[:]) {
		return prior, true, ErrKeyReused
	}
	return prior, true, nil
}
