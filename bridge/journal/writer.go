package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Statements of the writer's transaction. IMMEDIATE takes the write lock at once, so that nothing fails half way for it.
const (
	sqlBegin    = `BEGIN IMMEDIATE`
	sqlCommit   = `COMMIT`
	sqlRollback = `ROLLBACK`
	sqlSave     = `SAVEPOINT caller`
	sqlRelease  = `RELEASE caller`
	sqlUndo     = `ROLLBACK TO caller`
)

// fewCallers is how many callers of one commit get the writer's core before its watchers do. With more of them the next
// commit is worth more than their waking at once.
const fewCallers = 2

// Run owns the writer until ctx ends; then it commits what has gathered and returns nil. It returns an error when storage
// failed, after everybody concerned was told, and may be called again: it then opens the file anew, reads where the feed
// stands, and hands the watchers what turned out durable though its commit was reported as failed.
func (j *Journal) Run(ctx context.Context) (err error) {
	if !j.owner.TryLock() {
		return errors.New("run journal: it runs already, or is being closed")
	}
	defer j.owner.Unlock()
	if j.closed {
		return errors.New("run journal: it is closed")
	}
	w, err := j.writer(ctx)
	if err != nil {
		j.queue.stop(err)
		return fmt.Errorf("run journal: %w", err)
	}
	var keeper sync.WaitGroup
	keeping, stopKeeper := context.WithCancel(ctx)
	keeper.Go(func() { j.keep(keeping) })
	done := false
	defer func() {
		stopKeeper()
		cause := err
		if !done { // a panic is on its way
			cause = errors.New("its writer fell")
		}
		if cause != nil {
			w.fail(cause)
			j.queue.stop(cause)
		} else {
			j.queue.stop(errStopped)
		}
		keeper.Wait() // after everybody has an answer: it may be waiting for one
	}()
	j.queue.start()
	err = w.work(ctx)
	done = true
	if err != nil {
		return fmt.Errorf("run journal: %w", err)
	}
	return nil
}

// writer is the state of one Run.
type writer struct {
	*Journal
	seq     int64    // of the latest change in the transaction under way
	batch   []*write // in hand; empty between transactions
	behind  []*write // of them, those that are answered after the watchers; reused
	held    []*Tx    // of them, those that hold; reused
	next    int      // how many of them were begun
	changes []Change // of the transaction under way
	again   []*write // Laters of it that storage kept from being recorded
	wrote   bool
	row     []byte // of the feed, reused
}

// writer brings connection, feed and watchers to where the file is.
func (j *Journal) writer(ctx context.Context) (*writer, error) {
	if j.conn == nil {
		c, err := j.connect(ctx, j.path, writerPragmas)
		if err != nil {
			j.noteDamage(err)
			return nil, err
		}
		j.conn = c
	}
	w := &writer{Journal: j}
	err := w.probe()
	if err == nil {
		err = w.catchUp()
	}
	if err != nil {
		j.noteDamage(err)
		w.drop()
		return nil, err
	}
	return w, nil
}

// probe commits a row of no meaning after a failure: callers hear ErrDown until storage takes writes again, and what a
// failed commit may have left in the log is overwritten, or was durable and is seen by catchUp.
func (w *writer) probe() error {
	if !w.failed {
		return nil
	}
	const row = `INSERT INTO meta (name, value) VALUES ('storage came back', ?) ON CONFLICT DO UPDATE SET value = excluded.value`
	if _, err := w.conn.exec(row, w.config.Now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("probe storage: %w", err)
	}
	w.failed = false
	return nil
}

// catchUp hands the watchers every change they have not had, a few at a time.
func (w *writer) catchUp() error {
	last, err := lastSeq(w.conn)
	if err != nil {
		return err
	}
	for w.told < last {
		missed, err := changesAfter(w.conn, w.told, catchUpStep)
		if err != nil {
			return err
		}
		if len(missed) == 0 {
			return fmt.Errorf("feed ends at %d and not at %d", w.told, last)
		}
		w.tell(missed)
	}
	w.seq = last
	w.Journal.seq.Store(last)
	return nil
}

// work commits batch after batch until ctx ends or storage fails.
func (w *writer) work(ctx context.Context) error {
	for {
		select {
		case <-w.queue.wake:
		case <-ctx.Done():
			w.queue.refuse(errStopped)
			return w.rest()
		}
		for {
			w.batch = w.queue.take(w.batch[:0], false)
			if len(w.batch) == 0 {
				break
			}
			if err := w.commit(); err != nil {
				return err
			}
		}
	}
}

// begin opens the transaction.
func (w *writer) begin() error {
	w.conn.trim()
	if w.foldRest.CompareAndSwap(true, false) {
		if _, err := w.conn.checkpoint(passive); err != nil {
			return err
		}
	}
	if _, err := w.conn.exec(sqlBegin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// rest commits what is in the queue, and what that brings about.
func (w *writer) rest() error {
	for {
		w.batch = w.queue.take(w.batch[:0], true)
		if len(w.batch) == 0 {
			return nil
		}
		if err := w.commit(); err != nil {
			return err
		}
	}
}

// flush is a Run that only commits what waits.
func (j *Journal) flush() error {
	w, err := j.writer(context.Background())
	if err != nil {
		return err
	}
	if err = w.rest(); err != nil {
		w.fail(err)
	}
	return err
}

// A commitError is a failure of COMMIT itself, after which nobody knows.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// commit runs the batch in one transaction. An error is a failure of storage; the batch is then left for fail.
func (w *writer) commit() error {
	began := time.Now()
	w.quiet.begin()
	w.wrote, w.changes = false, nil
	if err := w.begin(); err != nil {
		return err
	}
	for _, item := range w.batch {
		w.next++
		if err := w.call(item); err != nil {
			return err
		}
	}
	if _, err := w.conn.exec(sqlCommit); err != nil {
		return &commitError{err}
	}
	if w.wrote {
		w.metrics.committed(time.Since(began), len(w.batch))
	}
	w.Journal.seq.Store(w.seq)
	batch, changes := w.batch, w.changes
	held := w.held[:0]
	for _, item := range batch {
		if item.err == nil {
			item.tx.settle(nil)
			held = append(held, item.tx)
		}
	}
	// Whoever overtook goes on before printers and screens take the cores; all others find in the watchers' memory what they
	// have done.
	behind := w.behind[:0]
	for i, item := range batch {
		if !item.alone {
			behind = append(behind, item)
			batch[i] = nil
		}
	}
	ahead := slices.DeleteFunc(batch, func(item *write) bool { return item == nil })
	own := func(item *write) error { return item.err }
	w.queue.answer(ahead, own)
	if n := len(ahead); n > 0 && n <= fewCallers {
		runtime.Gosched() // the caller goes on here and now, and the others hear of it on the next free core
	}
	for _, tx := range held {
		tx.follow(nil)
	}
	w.tell(changes)
	w.queue.answer(behind, own)
	w.queue.back(w.again)
	w.again = nil
	clear(ahead)
	clear(behind)
	clear(held)
	w.batch, w.behind, w.held, w.next = batch[:0], behind[:0], held[:0], 0
	w.quiet.end(w.wrote)
	return nil
}

// call runs one function in its savepoint. Its own failure undoes that savepoint; an error returned here is of the
// transaction as a whole.
func (w *writer) call(item *write) error {
	alone := len(w.batch) == 1 // the transaction is its savepoint
	if !alone {
		if _, err := w.conn.exec(sqlSave); err != nil {
			return fmt.Errorf("savepoint: %w", err)
		}
	}
	tx := &Tx{journal: w.Journal, conn: w.conn, at: w.config.Now().UTC().Truncate(time.Microsecond)}
	item.tx, item.err = tx, nil
	seq := w.seq
	item.err = w.record(tx, item.fn)
	tx.ended = true
	if item.err == nil {
		if !alone {
			if _, err := w.conn.exec(sqlRelease); err != nil {
				return fmt.Errorf("release: %w", err)
			}
		}
		w.changes = append(w.changes, tx.changes...)
		w.wrote = w.wrote || tx.wrote || len(tx.changes) > 0
		return nil
	}
	w.seq = seq
	undo := []string{sqlUndo, sqlRelease}
	if alone {
		undo = []string{sqlRollback, sqlBegin}
	}
	for _, statement := range undo {
		if _, err := w.conn.exec(statement); err != nil {
			return fmt.Errorf("undo after %v: %w", item.err, err)
		}
	}
	tx.settle(item.err)
	w.retry(item, item.err)
	return nil
}

// retry notes a Later that was not recorded to be run again, when storage was at fault and not too often.
func (w *writer) retry(item *write, cause error) {
	if item.done != nil || item.fn == nil || slices.Contains(w.again, item) {
		return
	}
	item.tries++
	if own := item.err != nil && item.tx.err == nil; own || item.tries == maxTries {
		w.log.Error("step not recorded", "err", cause)
		item.fn = nil
		return
	}
	w.again = append(w.again, item)
}

// record runs fn and writes its changes. A panic becomes an error.
func (w *writer) record(tx *Tx, fn func(*Tx) error) (err error) {
	if err := w.try(tx, fn); err != nil {
		return err
	}
	if tx.err != nil {
		return tx.err
	}
	if len(tx.changes) == 0 {
		return nil
	}
	if w.row, err = appendEntries(w.row[:0], tx.changes); err != nil {
		return err
	}
	first, last := w.seq+1, w.seq+int64(len(tx.changes))
	if _, err := w.conn.exec(sqlChanges, last, first, tx.at, string(w.row)); err != nil {
		return tx.spoil(sqlChanges, err)
	}
	for i := range tx.changes {
		tx.changes[i].Seq = first + int64(i)
	}
	w.seq = last
	return nil
}

// fail ends a Run: whoever is still in hand learns why, Laters go back to the queue, and the connection, whose state nobody
// knows, is dropped.
func (w *writer) fail(cause error) {
	w.noteDamage(cause)
	outcome := fmt.Errorf("%w: %w", ErrDown, cause)
	var commit *commitError
	if errors.As(cause, &commit) {
		outcome = fmt.Errorf("%w: %w", ErrUncertain, cause)
	}
	w.conn.exec(sqlRollback) // closing would do the same
	w.drop()
	for _, item := range w.batch[:w.next] {
		if item.tx != nil {
			item.tx.ended = true
			item.tx.settle(outcome)
		}
		w.retry(item, outcome)
	}
	for _, item := range w.batch[w.next:] { // never begun
		if item.done == nil {
			w.again = append(w.again, item)
		}
	}
	w.queue.back(w.again)
	w.queue.answer(w.batch, func(*write) error { return outcome })
	w.batch, w.again, w.next = nil, nil, 0
	w.quiet.end(false)
}

// drop closes the connection.
func (w *writer) drop() {
	w.conn.close()
	w.conn = nil
	w.failed = true
}

// tell hands changes to every watcher.
func (w *writer) tell(changes []Change) {
	if len(changes) == 0 {
		return
	}
	w.told = changes[len(changes)-1].Seq
	for _, watch := range w.watchers {
		w.guard("watcher", func() { watch(changes) })
	}
}

// try runs fn; a panic in it is an error.
func (j *Journal) try(tx *Tx, fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			j.log.Error("write panicked", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("write panicked: %v", p)
		}
	}()
	return fn(tx)
}

// guard keeps a fault in somebody's function from ending the writer.
func (j *Journal) guard(what string, call func()) {
	defer func() {
		if p := recover(); p != nil {
			j.log.Error("journal "+what+" panicked", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	call()
}
