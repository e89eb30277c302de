package kitchen

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// A roster is the printers of a moment with their queues. It is replaced when a printer comes or goes, never changed, so
// that the order's way reads it without a lock.
type roster struct {
	list   []PrinterConfig // in the order of the configuration, then as they came
	queues map[string]*Queue
}

func (k *Kitchen) roster() *roster { return k.printers.Load() }

// Queue is the ledger of a printer; nil for a name that is none.
func (k *Kitchen) Queue(printer string) *Queue { return k.roster().queues[printer] }

// Printer is what the kitchen knows of a printer; false for a name that is none.
func (k *Kitchen) Printer(name string) (PrinterConfig, bool) {
	q := k.Queue(name)
	if q == nil {
		return PrinterConfig{}, false
	}
	return q.c, true
}

// View is a printer as the API shows it; false for a name that is none.
func (k *Kitchen) View(name string) (PrinterView, bool) {
	q := k.Queue(name)
	if q == nil {
		return PrinterView{}, false
	}
	return k.view(q.c), true
}

// AddPrinter takes a further printer in while the kitchen works. attach makes its driver for the queue. No station prints
// there: it stands in for others, prints bills, and takes queues that people move.
func (k *Kitchen) AddPrinter(ctx context.Context, c PrinterConfig, attach func(*Queue) (Printer, error)) error {
	q, err := newQueue(ctx, k, c)
	if err != nil {
		return fmt.Errorf("queue of printer %s: %w", c.Name, err)
	}
	driver, err := attach(q)
	if err != nil {
		return err
	}
	q.Attach(driver)
	k.hiring.Lock()
	defer k.hiring.Unlock()
	was := k.roster()
	if was.queues[c.Name] != nil {
		return fmt.Errorf("printer %s: %w", c.Name, ErrNameTaken)
	}
	if c.Fallback != "" && was.queues[c.Fallback] == nil {
		return fmt.Errorf("printer %s falls back to %s, which is no other printer here", c.Name, c.Fallback)
	}
	now := &roster{list: append(slices.Clone(was.list), c), queues: maps.Clone(was.queues)}
	now.queues[c.Name] = q
	k.printers.Store(now)
	k.metrics.printer(c.Name)
	return nil
}

// RemovePrinter lets a printer go again, unless something depends on it: the error is then an *InUseError.
func (k *Kitchen) RemovePrinter(ctx context.Context, name string) error {
	k.hiring.Lock()
	defer k.hiring.Unlock()
	was := k.roster()
	if was.queues[name] == nil {
		return ErrUnknownPrinter
	}
	for _, s := range k.c.Stations {
		if slices.Contains(s.Printers, name) {
			return &InUseError{name, "station " + s.Name + " prints there"}
		}
	}
	for _, p := range was.list {
		if p.Fallback == name {
			return &InUseError{name, "printer " + p.Name + " falls back to it"}
		}
	}
	var open int
	if err := k.c.Journal.Read().QueryRowContext(ctx, countWaiting, name).Scan(&open); err != nil {
		return err
	}
	if open > 0 {
		return &InUseError{name, fmt.Sprintf("%d of its jobs are open; move its queue first", open)}
	}
	now := &roster{list: slices.DeleteFunc(slices.Clone(was.list), func(p PrinterConfig) bool { return p.Name == name }), queues: maps.Clone(was.queues)}
	delete(now.queues, name)
	k.printers.Store(now)
	k.metrics.forget(name)
	return nil
}

// An InUseError tells why a printer cannot go.
type InUseError struct{ Printer, Why string }

func (e *InUseError) Error() string { return "printer " + e.Printer + " stays: " + e.Why }
