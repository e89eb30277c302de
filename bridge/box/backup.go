package box

import (
	"context"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/trail"
)

// numbersAhead is how far posting numbers jump when a copy becomes the journal: further than those that the box gave out
// since the copy was made, so that no late answer of the hotel finds a posting that is not its own.
const numbersAhead = 100_000

// ErrRunning refuses to restore under a box that runs.
var ErrRunning = journal.ErrLocked

// Backup copies the journal of that configuration's box to file, which must not exist; the box may be running.
func Backup(ctx context.Context, c *firmwareconfig.Config, file string) error {
	return journal.Backup(ctx, c.Data.Dir, file)
}

// Restore makes a copy that Backup wrote the journal of that configuration's box, which must not run. What the box
// did since the copy was made is not in it, so nothing that was still to be done counts as not done: a print job that
// waited comes under the REPRINT banner, and a posting that was on its way to the hotel is unknown, for a manager to look
// up (design.md, P2). It gives the name under which the former journal is kept, "" when there was none.
func Restore(ctx context.Context, c *firmwareconfig.Config, file string, now time.Time) (aside string, err error) {
	step := string(trail.Append(nil, now, "unknown", "", "the journal was restored from a copy"))
	return journal.Restore(ctx, c.Data.Dir, file, now, []journal.Statement{
		{Query: `UPDATE jobs SET redo = 1 WHERE settled = 0 AND attempt = 0`},
		{Query: `UPDATE postings SET state = 'unknown', watch = 1, log = log || ? WHERE watch > 0 AND state IN ('queued', 'inquiring', 'sending')`, Args: []any{step}},
		{Query: `UPDATE posting_numbers SET reserved = (reserved + ?) % 99999999`, Args: []any{numbersAhead}},
		{Query: `INSERT INTO audit (at, by, role, act, subject, detail) VALUES (?, 'box', '', 'journal_restored', '', '')`, Args: []any{now}},
	})
}
