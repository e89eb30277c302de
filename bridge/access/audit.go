package access

import (
	"context"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
)

// An Entry is a row of the audit log: who did what to what.
type Entry struct {
	At      time.Time `json:"at"` // set when the row is written
	By      string    `json:"by" doc:"name of the token or screen, or the network address of somebody unknown"`
	Role    Role      `json:"role"`
	Act     string    `json:"act"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
}

// Acts of this package. Features have their own, in the same form.
const (
	ActSignIn          = "signed_in"
	ActSignInRefused   = "sign_in_refused"
	ActTokenRefused    = "token_refused"
	ActSignOut         = "signed_out"
	ActPairingApproved = "pairing_approved"
	ActPairingRefused  = "pairing_refused"
	ActPaired          = "paired"
	ActPairingRevoked  = "pairing_revoked"
)

// Bounds of the audit log.
const (
	MaxEntries = 100_000 // rows; older ones go
	maxDetail  = 500     // bytes of a text
)

const (
	insertEntry  = `INSERT INTO audit (at, by, role, act, subject, detail) VALUES (?, ?, ?, ?, ?, ?)`
	pruneEntries = `DELETE FROM audit WHERE number <= (SELECT max(number) FROM audit) - ?`
	selectAudit  = `SELECT at, by, role, act, subject, detail FROM audit ORDER BY number DESC LIMIT ?`
)

// By gives an Entry that says who acts.
func By(p Principal, act, subject, detail string) Entry {
	return Entry{By: p.Name, Role: p.Role, Act: act, Subject: subject, Detail: detail}
}

// Record writes e in the caller's transaction, so that an act and its row are on disk together or not at all.
// It must not hold a secret or more of a guest's data than its subject needs.
func Record(tx *journal.Tx, e Entry) error {
	if _, err := tx.Exec(insertEntry, micros(tx.Now()), cut(e.By), string(e.Role), cut(e.Act), cut(e.Subject), cut(e.Detail)); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	if _, err := tx.Exec(pruneEntries, MaxEntries); err != nil {
		return fmt.Errorf("prune audit log: %w", err)
	}
	return nil
}

// audit writes e soon; for what has no transaction of its own, as a refusal.
func (a *Access) audit(e Entry) {
	a.c.Journal.Later(func(tx *journal.Tx) error { return Record(tx, e) })
}

// Entries gives the newest limit rows of the audit log, the newest first.
func (a *Access) Entries(ctx context.Context, limit int) ([]Entry, error) {
	rows, err := a.c.Journal.Read().QueryContext(ctx, selectAudit, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	defer rows.Close()
	list := []Entry{}
	for rows.Next() {
		var e Entry
		var at int64
		if err := rows.Scan(&at, &e.By, &e.Role, &e.Act, &e.Subject, &e.Detail); err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		e.At = time.UnixMicro(at).UTC()
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return list, nil
}

// cut keeps a text within maxDetail bytes, on a character's border.
func cut(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	n := maxDetail
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
