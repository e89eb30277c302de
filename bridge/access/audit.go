package access

import (
	"context"
	"net/netip"

	"aboyeur/bridge/journal"
)

// Acts that this package writes into the audit log. Features have their own, in the same form.
const (
	ActSignIn          = "signed_in"
	ActSignInRefused   = "sign_in_refused"
	ActTokenRefused    = "token_refused"
	ActSignOut         = "signed_out"
	ActPairingApproved = "pairing_approved"
	ActPairingRefused  = "pairing_refused"
	ActPaired          = "paired"
	ActPairingRevoked  = "pairing_revoked"
	ActPersonAdded     = "person_added"
	ActPersonChanged   = "person_changed"
	ActPersonRemoved   = "person_removed"
	ActPINSet          = "pin_set"
	ActEntered         = "entered_by_pin"
	ActPINRefused      = "pin_refused"
	ActPersonLocked    = "person_locked"
)

// MaxAudit is how many rows of the audit log are kept; older ones go.
const MaxAudit = 100_000

const pruneAudit = `DELETE FROM audit WHERE number <= (SELECT max(number) FROM audit) - ?`

// Record writes into the audit log what p did, in the caller's transaction, so that an act and its row are on disk
// together or not at all. Detail holds no secret, and no more of a guest's data than the subject needs.
func Record(tx *journal.Tx, p Principal, act, subject, detail string) error {
	return tx.Audit(p.Name, string(p.Role), act, cut(subject), cut(detail))
}

// AuditLog gives the newest limit rows of the audit log, the newest first.
func (a *Access) AuditLog(ctx context.Context, limit int) ([]journal.AuditEntry, error) {
	return a.c.Journal.AuditLog(ctx, 0, limit)
}

// refused writes soon that somebody at an address was turned away. Callers limit how often.
func (a *Access) refused(from netip.Addr, act string) {
	a.c.Journal.Later(func(tx *journal.Tx) error { return tx.Audit(from.String(), "", act, "", "token is not known") })
}

// prune takes what is too old off the audit log.
func (a *Access) prune() {
	a.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(pruneAudit, MaxAudit)
		return err
	})
}

// maxDetail is the length of a text in the audit log, in bytes.
const maxDetail = 500

// cut keeps a text within maxDetail, on a character's border.
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
