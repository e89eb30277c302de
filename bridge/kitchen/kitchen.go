package kitchen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
	"aboyeur/protocol/escpos"
)

// Printer is the driver of one printer, as the kitchen uses it.
type Printer interface {
	// Claim reserves an idle, healthy printer for a job, so that the order's own commit records its sending.
	Claim(id printer.JobID) (printer.Attempt, bool)
	Handover(j printer.Job, a printer.Attempt)
	Unclaim(id printer.JobID)
	Wake()
	Status() printer.Status
	TestBody(w printer.Words) []byte
	Pause() // the job in hand is finished, no other is begun
	Resume()
	Recover()               // go on after an error that a person mended
	Replace()               // another device stands in its place
	Clear(id printer.JobID) // have the device throw away what it holds of a job
}

var _ Printer = (*printer.Printer)(nil)

// PrinterConfig is what the kitchen knows of one printer.
type PrinterConfig struct {
	Name          string
	Profile       escpos.Profile
	Words         *words.Catalogue // of its paper
	Fallback      string           // prints instead when this one is held; "" for none
	FallbackAfter time.Duration
	Kind          string // KindWired …; "" means KindWired
	QueueWarn     int    // a queue longer than this is told as a warning; 0 means DefaultQueueWarn
	Drawer        int    // pin of its cash drawer, 0 for none
	Buzz          int    // times it buzzes at each kitchen ticket
}

// DefaultQueueWarn is how many jobs may wait for a printer before somebody is told.
const DefaultQueueWarn = 12

// Device is what is known of the thing behind a printer's name beyond its status.
type Device struct {
	Hardware string // network address of its socket, or its USB serial number
	Known    bool   // it was seen before
	Added    bool   // a person added it in the console
}

// Config of a Kitchen; Journal, Stations and Location are required.
type Config struct {
	Journal  *journal.Journal
	Stations []Station
	Printers []PrinterConfig
	Screens  []Screen
	Courses  []string
	Location *time.Location
	Words    *words.Catalogue // of the console; nil means English
	// Device tells of the thing behind a printer's name; nil: nothing is known.
	Device func(printer string) Device
	// Replaced hears that another device stands behind a printer's name; it must not block. nil: nobody.
	Replaced func(printer string)
	// QueueLong hears when a printer's queue grows above its threshold and when it is back; it must not block. nil: nobody.
	QueueLong func(printer string, long bool, jobs int)
	// Papers renders bills and receipts; nil: there are none.
	Papers Papers
	// AllReady follows, in the ticket's transaction, that every station of an order is ready, or one is no more.
	AllReady func(tx *journal.Tx, order journal.ID, ready bool, by string) error
	// OnUnseen hears that tickets of a station are neither on a screen nor on paper, and that there are none any more.
	OnUnseen func(station string, unseen bool)
	// OnScreen hears that a screen is silent and backup shows its tickets, and that it shows them itself again.
	OnScreen func(screen, backup string, away bool)
	// Scheduled reads the orders that are taken and not yet released, the next ones first; nil for none.
	Scheduled  func(ctx context.Context) ([]sale.Placed, error)
	Day        func(time.Time) string // the business day of a moment, as 2006-01-02; nil: the date in Location
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Kitchen plans tickets and keeps their state. Its methods may be called from any goroutine.
type Kitchen struct {
	c       Config
	routes  routes
	board   *Board
	metrics *metrics

	hiring   sync.Mutex // taken by who changes printers
	printers atomic.Pointer[roster]
	began    int64 // key of the moment this process began

	unseen   map[journal.ID]string // tickets that nobody has seen, with their stations; Run's own
	merged   merged
	painting atomic.Int64 // reports of screens that wait to be recorded
	nextFire atomic.Int64 // when the next held ticket is fired by itself, µs; 0: none is
}

// New checks c and reads from the journal what is open. Attach each printer to its Queue before Run.
func New(ctx context.Context, c Config) (*Kitchen, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.AllReady == nil {
		c.AllReady = func(*journal.Tx, journal.ID, bool, string) error { return nil }
	}
	if c.OnUnseen == nil {
		c.OnUnseen = func(string, bool) {}
	}
	if c.OnScreen == nil {
		c.OnScreen = func(string, string, bool) {}
	}
	if c.Words == nil {
		c.Words = words.In("")
	}
	if c.Device == nil {
		c.Device = func(string) Device { return Device{} }
	}
	if c.Replaced == nil {
		c.Replaced = func(string) {}
	}
	if c.QueueLong == nil {
		c.QueueLong = func(string, bool, int) {}
	}
	if c.Scheduled == nil {
		c.Scheduled = func(context.Context) ([]sale.Placed, error) { return nil, nil }
	}
	if c.Day == nil {
		c.Day = func(t time.Time) string { return t.In(c.Location).Format(time.DateOnly) }
	}
	k := &Kitchen{c: c, began: c.Journal.NewID().Key()}
	var err error
	if k.routes, err = newRoutes(c.Stations); err != nil {
		return nil, err
	}
	all := &roster{list: c.Printers, queues: map[string]*Queue{}}
	for _, p := range c.Printers {
		if all.queues[p.Name], err = newQueue(ctx, k, p); err != nil {
			return nil, fmt.Errorf("queue of printer %s: %w", p.Name, err)
		}
	}
	k.printers.Store(all)
	if k.metrics, err = newMetrics(c.Registerer, k); err != nil {
		return nil, err
	}
	for _, s := range c.Stations {
		for _, name := range s.Printers {
			if k.Queue(name) == nil {
				return nil, fmt.Errorf("station %s prints on %s, which is no printer here", s.Name, name)
			}
		}
	}
	for _, p := range c.Printers {
		if p.Fallback != "" && (k.Queue(p.Fallback) == nil || p.Fallback == p.Name) {
			return nil, fmt.Errorf("printer %s falls back to %s, which is no other printer here", p.Name, p.Fallback)
		}
	}
	if err := k.loadMerged(ctx); err != nil {
		return nil, fmt.Errorf("read which stations are closed: %w", err)
	}
	var next int64
	if err := c.Journal.Read().QueryRowContext(ctx, selectFire).Scan(&next); err != nil {
		return nil, fmt.Errorf("read what is to be fired: %w", err)
	}
	k.nextFire.Store(next)
	k.board = newBoard(c.Stations, c.Screens, &k.merged, c.Journal, c.Now, c.Log, k.metrics)
	k.board.settle = k.follow
	if err := k.board.load(ctx); err != nil {
		return nil, fmt.Errorf("read the open tickets: %w", err)
	}
	c.Journal.Watch(k.board.follow)
	return k, nil
}

// Board is the open tickets.
func (k *Kitchen) Board() *Board { return k.board }

const columns = `id, parent, state, before, unseen, version, started_at, bumped_at, bumped_by, content, log`

// row is a ticket as the journal has it.
type row struct {
	Ticket
	parent int64
	before string
	log    string
}

// scanTicket reads one row of columns.
func scanTicket(scan func(...any) error) (r row, err error) {
	var id, content []byte
	var unseen, started, bumped int64
	var state, by string
	var version int
	if err := scan(&id, &r.parent, &state, &r.before, &unseen, &version, &started, &bumped, &by, &content, &r.log); err != nil {
		return r, err
	}
	if err := unmarshal(content, &r.Ticket); err != nil {
		return r, fmt.Errorf("the journal holds ticket %s, which cannot be read: %w", journal.ID(id), err)
	}
	r.ID, r.State, r.ChangedUnseen, r.Version = journal.ID(id), state, unseen != 0, version
	r.StartedAt, r.BumpedAt, r.BumpedBy = journal.FromMicros(started), journal.FromMicros(bumped), by
	return r, nil
}

// Errors that callers decide on.
var (
	ErrUnknown        = errors.New("there is no such ticket") // nor job
	ErrUnknownPrinter = errors.New("there is no such printer")
	ErrNameTaken      = errors.New("the name is another printer's already")
)

const selectTicket = `SELECT ` + columns + ` FROM tickets WHERE key = ?`

func loadTicket(tx *journal.Tx, id journal.ID) (r row, err error) {
	err = tx.Query(selectTicket, []any{id.Key()}, func(scan func(...any) error) error {
		r, err = scanTicket(scan)
		return err
	})
	if err == nil && r.ID != id {
		err = ErrUnknown
	}
	return r, err
}

const insertTicket = `INSERT INTO tickets (key, id, order_key, parent, station, kind, state, before, unseen, version, started_at, bumped_at, bumped_by, painted_at, content, log)
VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, 0, 0, '', 0, ?, '')`

// insert stores a new ticket and tells the feed. content is t's JSON.
func insert(tx *journal.Tx, t *Ticket, parent int64, content []byte) error {
	_, err := tx.Exec(insertTicket, t.ID.Key(), t.ID[:], t.Order.Key(), parent, t.Station, t.Kind, t.State, t.ChangedUnseen, t.Version, content)
	if err != nil {
		return fmt.Errorf("store ticket of station %s: %w", t.Station, err)
	}
	tx.Change("ticket", t.ID.String(), content)
	return nil
}

const updateTicket = `UPDATE tickets SET state = ?, before = ?, unseen = ?, version = ?, started_at = ?, bumped_at = ?, bumped_by = ?, content = ?, log = log || ? WHERE key = ? AND version = ?`

// update stores r as the next version of its ticket and tells the feed. log is what to add to its trail.
func update(tx *journal.Tx, r *row, log []byte) error {
	was := r.Version
	r.Version++
	content := r.Ticket.encode()
	rows, err := tx.Exec(updateTicket, r.State, r.before, r.ChangedUnseen, r.Version, journal.Micros(r.StartedAt), journal.Micros(r.BumpedAt), r.BumpedBy, content, log, r.ID.Key(), was)
	if err != nil {
		return fmt.Errorf("store ticket %s: %w", r.ID, err)
	}
	if rows != 1 {
		return fmt.Errorf("store ticket %s: version %d is not there any more", r.ID, was)
	}
	tx.Change("ticket", r.ID.String(), content)
	return nil
}

// queryAll runs a query on the read pool and gives each row to each.
func queryAll(ctx context.Context, db *sql.DB, query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
