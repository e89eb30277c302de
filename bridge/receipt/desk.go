package receipt

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/escpos"
)

// Kinds of papers.
const (
	KindBill    = "bill"
	KindReceipt = "receipt"
)

// A Check is what a desk prints papers of.
type Check struct {
	ID    journal.ID
	Paper Paper // of it as it is now; Copy does not count
	Paid  bool  // something was paid
	Cash  bool  // in cash
}

// A Target is a printer as papers are laid out for it.
type Target struct {
	Profile escpos.Profile
	Words   *words.Catalogue
}

// A Job is a paper for a printer.
type Job struct {
	ID      journal.ID
	Printer string
	Kind    string // KindBill, KindReceipt
	Label   string // what people call it
	Paper   int64  // its key, for Desk.Render
	Body    []byte
	Drawer  bool // the cash drawer opens after the cut
}

// DeskConfig of a Desk; Journal, Check, Target and Print are required.
type DeskConfig struct {
	Journal *journal.Journal
	Printer string // prints bills and receipts; "" for none
	// Check reads a check; its error tells why there is none.
	Check func(ctx context.Context, id journal.ID) (Check, error)
	// Target tells of a printer; false for a name that is none.
	Target func(printer string) (Target, bool)
	// Print queues a job within the transaction.
	Print func(tx *journal.Tx, j Job) error
	// Currency and Venue are those of Sample.
	Currency string
	Venue    Venue
	// Bill and Receipt are templates by language; nil means Bill and Receipt of this package.
	Bill, Receipt func(language string) Template
	// Logo draws the logo at most so many dots wide; nil for none.
	Logo func(dots int) escpos.Bitmap
	Zone *time.Location
}

// A Desk prints the bills and receipts of checks. Each is kept as it was first printed, and every further print of the
// same says that it is a copy. Its methods may be called from any goroutine.
type Desk struct {
	c DeskConfig

	mu      sync.Mutex // guards what follows; held for memory only
	layouts map[place]*Layout
}

// place is a kind of paper on a printer.
type place struct{ printer, kind string }

// NewDesk checks the templates in every language.
func NewDesk(c DeskConfig) (*Desk, error) {
	if c.Bill == nil {
		c.Bill = Bill
	}
	if c.Receipt == nil {
		c.Receipt = Receipt
	}
	for _, language := range words.Languages() {
		for kind, of := range map[string]func(string) Template{KindBill: c.Bill, KindReceipt: c.Receipt} {
			if err := of(language).Check(); err != nil {
				return nil, fmt.Errorf("template of the %s: %w", kind, err)
			}
		}
	}
	return &Desk{c: c, layouts: map[place]*Layout{}}, nil
}

// Errors that callers decide on.
var (
	ErrNoPrinter = errors.New("no printer prints bills and receipts")
	ErrNoCheck   = errors.New("there is no such check")
	ErrUnpaid    = errors.New("nothing of the check is paid")
	ErrOther     = errors.New("the Idempotency-Key was used for another request")
)

// layout is what lays a kind of paper out for a printer. It is made when first needed: the logo takes a moment, and most
// printers never print one.
func (d *Desk) layout(printer, kind string) (*Layout, error) {
	target, ok := d.c.Target(printer)
	if !ok {
		return nil, fmt.Errorf("%w: %q is no printer here", ErrNoPrinter, printer)
	}
	d.mu.Lock()
	l := d.layouts[place{printer, kind}]
	d.mu.Unlock()
	if l != nil && l.c.Profile.Name == target.Profile.Name && l.c.Profile.Columns == target.Profile.Columns {
		return l, nil
	}
	template := d.c.Receipt
	if kind == KindBill {
		template = d.c.Bill
	}
	c := Config{Template: template(target.Words.Lang()), Profile: target.Profile, Words: target.Words, Zone: d.c.Zone}
	if d.c.Logo != nil {
		c.Logo = d.c.Logo(target.Profile.Dots)
	}
	l, err := New(c)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.layouts[place{printer, kind}] = l
	d.mu.Unlock()
	return l, nil
}

const (
	selectLatest = `SELECT key, copies, content FROM papers WHERE check_key = ? AND kind = ? ORDER BY key DESC LIMIT 1`
	insertPaper  = `INSERT INTO papers (key, id, check_key, kind, state, copies, content) VALUES (?, ?, ?, ?, 0, 0, ?)`
	updateCopies = `UPDATE papers SET copies = ? WHERE key = ?`
	selectPaper  = `SELECT kind, copies, content FROM papers WHERE key = ?`
)

// Print queues a check's paper within tx. The first of what the check shows is the original; the same once more is a copy,
// counted from 1. The cash drawer opens at the original of a receipt that was paid in cash.
func (d *Desk) Print(tx *journal.Tx, kind string, c Check) (copied int, err error) {
	return d.print(tx, d.c.Journal.NewID(), kind, c)
}

func (d *Desk) print(tx *journal.Tx, job journal.ID, kind string, c Check) (copied int, err error) {
	if d.c.Printer == "" {
		return 0, ErrNoPrinter
	}
	if kind == KindReceipt && !c.Paid {
		return 0, ErrUnpaid
	}
	l, err := d.layout(d.c.Printer, kind)
	if err != nil {
		return 0, err
	}
	p := c.Paper
	key, was, stored, err := latest(tx, kind, c.ID)
	if err != nil {
		return 0, err
	}
	if stored != nil && sameFigures(*stored, p) {
		p, copied = *stored, was+1 // as it was first printed, its time too
		if _, err := tx.Exec(updateCopies, copied, key); err != nil {
			return 0, err
		}
	} else {
		id := d.c.Journal.NewID()
		key = id.Key()
		content, err := json.Marshal(p)
		if err != nil {
			return 0, fmt.Errorf("store the %s of check %s: %w", kind, c.ID, err)
		}
		if _, err := tx.Exec(insertPaper, key, id[:], c.ID.Key(), kind, content); err != nil {
			return 0, fmt.Errorf("store the %s of check %s: %w", kind, c.ID, err)
		}
	}
	p.Copy = copied
	return copied, d.c.Print(tx, Job{
		ID: job, Printer: d.c.Printer, Kind: kind, Label: p.Number, Paper: key, Body: l.Body(&p), Drawer: kind == KindReceipt && c.Cash && copied == 0,
	})
}

// latest is the newest paper of a check; nil for none.
func latest(tx *journal.Tx, kind string, check journal.ID) (key int64, copies int, p *Paper, err error) {
	var content []byte
	err = tx.QueryRow(selectLatest, []any{check.Key(), kind}, &key, &copies, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil, nil
	}
	if err != nil {
		return 0, 0, nil, fmt.Errorf("read the %s of check %s: %w", kind, check, err)
	}
	p = new(Paper)
	if err := json.Unmarshal(content, p); err != nil {
		return 0, 0, nil, fmt.Errorf("the journal holds a %s of check %s that cannot be read: %w", kind, check, err)
	}
	return key, copies, p, nil
}

// sameFigures tells whether two papers say the same but for their time.
func sameFigures(a, b Paper) bool {
	a.At, b.At = time.Time{}, time.Time{}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// Render gives a stored paper's body for a printer. again counts it as a further copy.
func (d *Desk) Render(tx *journal.Tx, paper int64, printer string, again bool) ([]byte, error) {
	var kind string
	var copies int
	var content []byte
	if err := tx.QueryRow(selectPaper, []any{paper}, &kind, &copies, &content); err != nil {
		return nil, fmt.Errorf("read a bill or receipt: %w", err)
	}
	var p Paper
	if err := json.Unmarshal(content, &p); err != nil {
		return nil, fmt.Errorf("the journal holds a %s that cannot be read: %w", kind, err)
	}
	l, err := d.layout(printer, kind)
	if err != nil {
		return nil, err
	}
	if again {
		copies++
		if _, err := tx.Exec(updateCopies, copies, paper); err != nil {
			return nil, err
		}
	}
	p.Copy = copies
	return l.Body(&p), nil
}

// Receipt prints the receipt of a check: the original first, then copies. The same key again prints nothing more.
func (d *Desk) Receipt(ctx context.Context, by access.Principal, key string, id journal.ID) (job journal.ID, copied int, err error) {
	c, err := d.c.Check(ctx, id)
	if err != nil {
		return job, 0, err
	}
	fresh := d.c.Journal.NewID()
	err = d.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		job = fresh
		if key != "" {
			prior, again, err := tx.Idempotent(by.Subject(), key, sale.Hash([]byte("receipt "+id.String())), fresh.String())
			switch {
			case errors.Is(err, journal.ErrKeyReused):
				return ErrOther
			case err != nil:
				return err
			case again:
				if job, err = journal.ParseID(prior); err == nil {
					_, copied, _, err = latest(tx, KindReceipt, id)
				}
				return err
			}
		}
		if copied, err = d.print(tx, fresh, KindReceipt, c); err != nil {
			return err
		}
		return access.Record(tx, by, "receipt_printed", c.Paper.Number, fmt.Sprintf("copy %d", copied))
	})
	return job, copied, err
}

// PNG draws a check's paper as it would come out now.
func (d *Desk) PNG(ctx context.Context, w io.Writer, kind string, id journal.ID) error {
	c, err := d.c.Check(ctx, id)
	if err != nil {
		return err
	}
	if d.c.Printer == "" {
		return ErrNoPrinter
	}
	l, err := d.layout(d.c.Printer, kind)
	if err != nil {
		return err
	}
	return l.PNG(w, &c.Paper)
}

// Sample is a receipt that shows what a printer makes of one.
func (d *Desk) Sample(printer string) ([]byte, error) {
	l, err := d.layout(printer, KindReceipt)
	if err != nil {
		return nil, err
	}
	return l.Body(d.example(l.c.Words)), nil
}

// example is a dinner that shows what a receipt may hold.
func (d *Desk) example(w *words.Catalogue) *Paper {
	p := &Paper{
		Venue: d.c.Venue, Number: "417", Table: "12", Covers: 2, Staff: "Léa", At: time.Date(2026, 11, 21, 20, 41, 0, 0, time.UTC), Currency: d.c.Currency,
		Lines: []Line{
			{Quantity: 2, Name: w.T("example.dish"), Notes: []string{w.T("example.modifier")}, Amount: 7800, Rate: 1000},
			{Quantity: 1, Name: "Œufs à la neige", Amount: 950, Rate: 1000},
			{Quantity: 1, Name: "Crozes-Hermitage", Amount: 2450, Rate: 2000},
		},
		Payments: []Payment{{Name: w.T("pay.card"), Amount: 6200, Tip: 500}, {Name: w.T("pay.cash"), Amount: 5000}}, Total: 11200, Tips: 500,
	}
	p.Taxes = TaxesOf(p.Lines)
	return p
}
