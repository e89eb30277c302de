package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Defaults for a Config left at zero.
const (
	DefaultInFlight        = 256                    // under overload the difference between 29 ms and four seconds, measured
	DefaultLaterDelay      = 100 * time.Millisecond // a step of a print job may be this much younger than its row
	DefaultKeepChanges     = 7 * 24 * time.Hour     // a screen that was away for longer gets a snapshot
	DefaultMaxChanges      = 1_000_000              // rows of the feed, whatever their age: about 1 GiB at the worst
	DefaultKeepIdempotency = 30 * 24 * time.Hour    // contract, "Idempotency keys are kept 30 days"
)

// Errors that callers decide on. They come wrapped with their cause.
var (
	// ErrBusy refuses a Write because Config.InFlight are under way. Nothing was done; trying again shortly may do.
	ErrBusy = errors.New("the journal has as many writes under way as it takes")

	// ErrDown says that the journal cannot take writes now: its writer is not running, or storage failed before the commit.
	// The write is not in the journal.
	ErrDown = errors.New("the journal cannot take writes")

	// ErrUncertain says that the commit itself failed: the write may or may not be on disk. If it is, the watchers hear of it
	// when the writer runs again.
	ErrUncertain = errors.New("the journal's commit failed, the write may or may not be on disk")
)

// Config tells where the journal lies and how it works. Dir is required.
type Config struct {
	Dir        string                // made if it is not there
	Now        func() time.Time      // nil means time.Now
	Log        *slog.Logger          // nil means slog.Default
	Registerer prometheus.Registerer // nil: the metrics are kept but shown nowhere

	InFlight   int           // Writes under way at most; 0 means DefaultInFlight
	LaterDelay time.Duration // how long a Later may wait for company; 0 means DefaultLaterDelay

	KeepChanges     time.Duration // age at which rows of the feed may go; 0 means DefaultKeepChanges
	MaxChanges      int64         // rows of the feed at most; 0 means DefaultMaxChanges
	KeepIdempotency time.Duration // 0 means DefaultKeepIdempotency

	Wrap func(driver.Connector) driver.Connector // put around every connection; for tests that make storage fail

	checkLimit time.Duration // for tests: instead of checkAfterCrash and checkAfterClose
}

// Journal is the open file. Its methods may be called from any goroutine, except that Watch comes before Run.
type Journal struct {
	config  Config
	log     *slog.Logger
	metrics *metrics
	keys    *keys
	path    string
	lock    *os.File
	readers *sql.DB
	epoch   string
	seq     atomic.Int64 // of the latest durable change
	queue   *queue
	quiet   pulse

	foldRest atomic.Bool // the keeper asks the writer for a checkpoint

	watchers []func([]Change) // fixed once Run is called

	notice struct {
		sync.Mutex // guards what follows
		Notice
	}

	owner     sync.Mutex // held by Run and Close for as long as they use what follows
	conn      *conn      // the writer's; nil after a failure
	told      int64      // the latest change the watchers have had
	unchecked bool       // the check at start ran out of time
	failed    bool       // storage ended the latest Run
	closed    bool
}

// Open opens the journal in c.Dir, makes it if it is not there, brings its tables up to date and checks the file. A damaged
// file is set aside and a new one started, see [Journal.Notice]. A journal of a newer program is [ErrNewerSchema], one in
// use by another process [ErrLocked].
func Open(ctx context.Context, c Config) (*Journal, error) {
	return open(ctx, c, files)
}

func open(ctx context.Context, c Config, tables fs.FS) (_ *Journal, err error) {
	if c.Dir == "" {
		return nil, errors.New("open journal: no folder given")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.InFlight <= 0 {
		c.InFlight = DefaultInFlight
	}
	if c.LaterDelay <= 0 {
		c.LaterDelay = DefaultLaterDelay
	}
	if c.KeepChanges <= 0 {
		c.KeepChanges = DefaultKeepChanges
	}
	if c.MaxChanges <= 0 {
		c.MaxChanges = DefaultMaxChanges
	}
	if c.KeepIdempotency <= 0 {
		c.KeepIdempotency = DefaultKeepIdempotency
	}
	if c.Wrap == nil {
		c.Wrap = func(d driver.Connector) driver.Connector { return d }
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open journal in %s: %w", c.Dir, err)
		}
	}()
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	steps, err := readMigrations(tables)
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{config: c, log: c.Log, keys: newKeys(c.Now), path: filepath.Join(dir, fileName), lock: lock, queue: newQueue(c)}
	j.quiet.stir = make(chan struct{}, 1)
	defer func() {
		if err != nil {
			j.release()
		}
	}()
	if err := j.load(ctx, steps); err != nil {
		return nil, err
	}
	readers, err := j.connector(j.path, readerPragmas)
	if err != nil {
		return nil, err
	}
	j.readers = sql.OpenDB(readers)
	j.readers.SetMaxOpenConns(maxReaders)
	j.readers.SetMaxIdleConns(maxReaders)
	if j.metrics, err = newMetrics(c.Registerer, j); err != nil {
		return nil, err
	}
	return j, nil
}

// load opens the file as the writer does and reads what the journal must know of it.
func (j *Journal) load(ctx context.Context, steps []migration) error {
	err := j.openFile(ctx, steps)
	if !isDamage(err) {
		return err
	}
	if err := j.setAside(err); err != nil {
		return err
	}
	return j.openFile(ctx, steps)
}

func (j *Journal) openFile(ctx context.Context, steps []migration) (err error) {
	if !exists(j.path) {
		if err := j.create(ctx, steps); err != nil {
			return err
		}
	}
	clean := j.endedWell()
	if clean {
		j.prepareLog()
	}
	c, err := j.connect(ctx, j.path, writerPragmas)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	applied, err := appliedMigrations(c, steps)
	if err != nil {
		return j.pointBack(err, len(steps))
	}
	if j.unchecked, err = j.check(ctx, c, clean); err != nil {
		return err
	}
	if applied > 0 && applied < len(steps) {
		j.keepBefore(ctx, c, applied+1)
	}
	if err := migrate(c, steps[applied:], j.config.Now); err != nil {
		return err
	}
	floor, err := greatestKey(c)
	if err != nil {
		return err
	}
	j.keys.raise(floor)
	if err := c.queryRow(`SELECT value FROM meta WHERE name = 'epoch'`, nil, &j.epoch); err != nil {
		return fmt.Errorf("read epoch: %w", err)
	}
	if j.told, err = lastSeq(c); err != nil {
		return err
	}
	j.seq.Store(j.told)
	j.conn = c
	return nil
}

// NewID makes an id whose key is greater than that of every id this journal holds or gave out before.
func (j *Journal) NewID() ID { return j.keys.next() }

// Read gives the pool for readers: three connections that refuse to write. A reader sees what is committed; rows left open
// keep the log from being folded into the file, so close them.
func (j *Journal) Read() *sql.DB { return j.readers }

// Each reads with a reader's connection and calls row for every row; an error of row ends it and comes back.
func (j *Journal) Each(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	rows, err := j.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Seq is the number of the latest durable change, 0 before the first.
func (j *Journal) Seq() int64 { return j.seq.Load() }

// Epoch is the random name the file got when it was made.
func (j *Journal) Epoch() string { return j.epoch }

// Err tells whether the journal takes writes: nil, also before the first Run, for which they wait; otherwise ErrDown with
// the cause.
func (j *Journal) Err() error { return j.queue.err() }

// Close commits what Later still has, folds the log into the file and gives everything back. Run must have ended: Close
// waits for it. Callers still waiting get ErrDown. The second call does nothing.
func (j *Journal) Close() error {
	j.owner.Lock()
	defer j.owner.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	var faults []error
	j.queue.stop(errors.New("closed"))
	if j.queue.pending() {
		if err := j.flush(); err != nil {
			faults = append(faults, fmt.Errorf("last commit: %w", err))
		}
	}
	if lost := j.queue.close(); lost > 0 {
		j.log.Error("journal closed with steps not recorded", "count", lost)
	}
	faults = append(faults, j.readers.Close())
	if j.conn != nil {
		// Without a log file the next start knows that this end was clean.
		if _, err := j.conn.checkpoint(truncate); err != nil {
			faults = append(faults, err)
		}
		faults = append(faults, j.conn.close())
		j.conn = nil
	}
	j.metrics.unregister()
	faults = append(faults, j.release())
	return errors.Join(faults...)
}

// release gives back what Open took before it failed, or what Close leaves.
func (j *Journal) release() error {
	if j.readers != nil {
		j.readers.Close()
	}
	if j.conn != nil {
		j.conn.close()
		j.conn = nil
	}
	return j.lock.Close() // the lock goes with the descriptor
}
