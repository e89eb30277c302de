package journal

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// The log is folded into the file by another connection than the writer's, in a moment when nobody writes: a checkpoint
// stalls the disk for 2 to 26 ms.
const (
	foldFrom   = 1 << 20               // bytes of log worth a checkpoint
	foldBusy   = 2 << 20               // bytes at which no quiet moment is waited for: many short stalls are better than a long one
	foldWhole  = 16 << 20              // length of log at which the writer is asked to fold what is left
	askEvery   = time.Second           // between two checkpoints by the writer
	quietFor   = 5 * time.Millisecond  // no commit for so long makes a quiet moment
	lookEvery  = 50 * time.Millisecond // between two looks at the log while commits come
	pruneEvery = time.Minute
	pruneStep  = 200       // rows of one transaction
	keepLatest = 10_000    // rows of the feed that stay, whatever their age
	frameBytes = 4096 + 24 // a page and its header in the log
	pruneSteps = 50        // of one table in a row; the rest waits for the next minute
)

// pulse tells the keeper when the writer rests.
type pulse struct {
	busy atomic.Bool
	last atomic.Int64  // end of the latest commit, Unix nanoseconds
	stir chan struct{} // something was written; of size 1
}

func (p *pulse) begin() { p.busy.Store(true) }

func (p *pulse) end(wrote bool) {
	p.last.Store(time.Now().UnixNano())
	p.busy.Store(false)
	if wrote {
		select {
		case p.stir <- struct{}{}:
		default:
		}
	}
}

func (p *pulse) rests() bool {
	return !p.busy.Load() && time.Now().UnixNano()-p.last.Load() >= int64(quietFor)
}

// wait returns when the writer rests, or after at most limit; false when ctx ends.
func (p *pulse) wait(ctx context.Context, limit time.Duration) bool {
	for until := time.Now().Add(limit); !p.rests() && time.Now().Before(until); {
		if !pause(ctx, quietFor) {
			return false
		}
	}
	return ctx.Err() == nil
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// keeper does what can wait: folding the log, pruning, checking what the start had no time for.
type keeper struct {
	*Journal
	conn  *conn     // opened when it is first needed
	asked time.Time // when the writer was last asked to fold
	owner string    // where the walk through idempotency stands
	key   string
}

func (j *Journal) keep(ctx context.Context) {
	k := &keeper{Journal: j}
	defer k.drop()
	if j.unchecked && !k.deepCheck(ctx) {
		return
	}
	prune := time.NewTimer(pruneEvery)
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.quiet.stir:
			if !pause(ctx, lookEvery) {
				return
			}
			if err := k.fold(ctx); err != nil && ctx.Err() == nil {
				j.log.Warn("journal's log not folded, will try again", "err", err)
				k.drop()
			}
		case <-prune.C:
			if err := k.prune(ctx); err != nil && ctx.Err() == nil {
				j.log.Warn("old rows of the journal not removed, will try again", "err", err)
			}
			prune.Reset(pruneEvery)
		}
	}
}

// deepCheck finishes the check of the start; false when ctx ends.
func (k *keeper) deepCheck(ctx context.Context) bool {
	began := time.Now()
	c, err := k.connect(ctx, k.path, readerPragmas)
	if err == nil {
		err = quickCheck(ctx, c)
		c.close()
	}
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		k.noteDamage(err)
		k.log.Error("check of the journal's file", "err", err, "took", time.Since(began))
		return true
	}
	k.unchecked = false
	os.Remove(k.path + damageMark)
	k.log.Info("journal's file checked", "took", time.Since(began))
	return true
}

// fold runs a checkpoint if the log is worth one. It is passive: it waits for nobody and holds nobody up. While commits come
// without a pause there is always a rest that it could not fold, and the log never starts anew; when it has become long the
// writer is asked to fold that rest between two commits.
func (k *keeper) fold(ctx context.Context) error {
	if k.conn == nil {
		c, err := k.connect(ctx, k.path, keeperPragmas)
		if err != nil {
			return err
		}
		k.conn = c
	}
	for {
		log, err := k.conn.checkpoint(look)
		if err != nil {
			return err
		}
		k.metrics.wal.Set(float64(log.rest()))
		if log.rest() < foldFrom && log.length() < foldWhole || log.rest() == 0 {
			return nil
		}
		if log.length() >= foldWhole || log.rest() >= foldBusy || k.quiet.rests() {
			break
		}
		if !k.quiet.wait(ctx, lookEvery) {
			return nil
		}
	}
	log, err := k.conn.checkpoint(passive)
	if err != nil {
		return err
	}
	k.metrics.wal.Set(float64(log.rest()))
	if log.length() >= foldWhole && time.Since(k.asked) >= askEvery {
		k.asked = time.Now()
		k.foldRest.Store(true)
	}
	return nil
}

func (k *keeper) drop() {
	if k.conn != nil {
		k.conn.close()
		k.conn = nil
	}
}

// Modes of a checkpoint (sqlite.org/pragma.html#pragma_wal_checkpoint).
const (
	look     = `PRAGMA wal_checkpoint(NOOP)`
	passive  = `PRAGMA wal_checkpoint(PASSIVE)`
	truncate = `PRAGMA wal_checkpoint(TRUNCATE)`
)

// walState is what a checkpoint answers: frames in the log, and of them those the file already has.
type walState struct{ frames, folded int }

func (s walState) length() int { return s.frames * frameBytes }
func (s walState) rest() int   { return (s.frames - s.folded) * frameBytes }

func (c *conn) checkpoint(mode string) (walState, error) {
	var busy int
	var s walState
	if err := c.queryRow(mode, nil, &busy, &s.frames, &s.folded); err != nil {
		return s, fmt.Errorf("checkpoint: %w", err)
	}
	return s, nil
}

// prune removes old rows, a few at a time, each step in a quiet moment and as a write like any other.
func (k *keeper) prune(ctx context.Context) error {
	for _, step := range []func(*Tx) (bool, error){k.pruneChanges, k.pruneIdempotency} {
		for n := 0; n < pruneSteps; n++ {
			if !k.quiet.wait(ctx, time.Second) {
				return nil
			}
			more := false
			err := k.Insist(ctx, func(tx *Tx) (err error) {
				more, err = step(tx)
				return err
			})
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// pruneChanges removes rows from the front of the feed: those that are too old, or too many. The feed stays without gaps
// even when the clock went back in between.
func (k *keeper) pruneChanges(tx *Tx) (more bool, err error) {
	const ends = `SELECT coalesce((SELECT first FROM changes ORDER BY seq LIMIT 1), 0), coalesce(max(seq), 0),
		coalesce((SELECT seq + 1 FROM changes ORDER BY seq LIMIT 1 OFFSET ?), max(seq) + 1, 0) FROM changes`
	var first, last, step int64
	if err := tx.QueryRow(ends, []any{pruneStep - 1}, &first, &last, &step); err != nil {
		return false, err
	}
	end := min(step, last-keepLatest+1) // the change at end stays
	if first == 0 || end <= first {
		return false, nil
	}
	if surplus := last - k.config.MaxChanges + 1; end > surplus {
		const young = `SELECT coalesce(min(first), ?) FROM changes WHERE seq >= ? AND seq < ? AND at > ?`
		err := tx.QueryRow(young, []any{end, max(first, surplus), end, tx.Now().Add(-k.config.KeepChanges)}, &end)
		if err != nil {
			return false, err
		}
	}
	if end == first {
		return false, nil
	}
	n, err := tx.Exec(`DELETE FROM changes WHERE seq < ?`, end)
	return n == pruneStep, err
}

// pruneIdempotency walks through the table from where it stood, looking at a few rows a step.
func (k *keeper) pruneIdempotency(tx *Tx) (more bool, err error) {
	const rows = `SELECT owner, key, at FROM idempotency WHERE (owner, key) > (?, ?) ORDER BY owner, key LIMIT ?`
	old := tx.Now().Add(-k.config.KeepIdempotency)
	seen := 0
	var goes [][2]string
	owner, key := k.owner, k.key
	err = tx.Query(rows, []any{owner, key, pruneStep}, func(scan func(...any) error) error {
		var at time.Time
		if err := scan(&owner, &key, &at); err != nil {
			return err
		}
		seen++
		if at.Before(old) {
			goes = append(goes, [2]string{owner, key})
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, row := range goes {
		if _, err := tx.Exec(`DELETE FROM idempotency WHERE owner = ? AND key = ?`, row[0], row[1]); err != nil {
			return false, err
		}
	}
	if seen < pruneStep {
		owner, key = "", ""
	}
	k.owner, k.key = owner, key
	return seen == pruneStep, nil
}
