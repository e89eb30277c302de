package journal

import (
	"context"
	"fmt"
	"time"
)

// AuditEntry tells who did what.
type AuditEntry struct {
	Number  int64     `json:"-"` // rises with time
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Role    string    `json:"role"`
	Act     string    `json:"act"` // sign_in, bump, setting …
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
}

// Audit records who did what, in the same commit as what was done. No secret belongs into detail.
func (tx *Tx) Audit(by, role, act, subject, detail string) error {
	const insert = `INSERT INTO audit (at, by, role, act, subject, detail) VALUES (?, ?, ?, ?, ?, ?)`
	_, err := tx.Exec(insert, tx.at, by, role, act, subject, detail)
	return err
}

// AuditLog reads the latest entries, newest first, at most limit of them; before > 0 reads on from the entry with that
// number.
func (j *Journal) AuditLog(ctx context.Context, before int64, limit int) ([]AuditEntry, error) {
	const query = `SELECT number, at, by, role, act, subject, detail FROM audit WHERE ? <= 0 OR number < ? ORDER BY number DESC LIMIT ?`
	rows, err := j.readers.QueryContext(ctx, query, before, before, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	defer rows.Close()
	var entries []AuditEntry
	for rows.Next() {
		var e AuditEntry
		var at int64
		if err := rows.Scan(&e.Number, &at, &e.By, &e.Role, &e.Act, &e.Subject, &e.Detail); err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		e.At = time.UnixMicro(at).UTC()
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return entries, nil
}
