package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/kitchen"
	"aboyeur/bridge/words"
	"aboyeur/devices/port"
	"aboyeur/devices/printer"
	"aboyeur/protocol/escpos"
)

// printers are the box's printers: their drivers, and what the box remembers of the devices behind them.
type printers struct {
	b *Box

	scanning atomic.Bool    // one at a time
	running  sync.WaitGroup // drivers of added printers

	mu   sync.Mutex // guards what follows; held for memory only
	each map[string]*standing
	last []foundPrinter  // of the last scan
	life context.Context // in which added printers run; nil while the box does not
}

// standing is one printer as the box has it.
type standing struct {
	c      firmwareconfig.Printer
	at     port.Address // where it is, if it moved
	driver *printer.Printer
	known  []printer.Known // as the journal had them at start
	added  bool            // by a person, in the console

	hardware string // guarded by printers.mu, as is
	stop     func() // of an added one that runs
}

// knownKey is the setting under which the devices seen behind a printer's name are kept: what probing found of them is not
// known again before the next probe, and a busy printer must not be taken for one that proves nothing.
func knownKey(name string) string { return "printer/" + name + "/known" }

// load reads a setting of the box's own into v, which stays as it is when there is none.
func load(ctx context.Context, j *journal.Journal, key string, v any) error {
	s, err := j.Setting(ctx, key)
	if errors.Is(err, journal.ErrNoSetting) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(s.Value, v); err != nil {
		return fmt.Errorf("setting %s: %w", key, err)
	}
	return nil
}

// profileOf is what a printer can do: its model, with what the device there said of its fonts when it was last asked.
func profileOf(c firmwareconfig.Printer, known []printer.Known) (escpos.Profile, error) {
	profile, ok := escpos.ProfileFor(c.Model)
	if !ok {
		return profile, fmt.Errorf("printer %s: model %q is not known", c.Name, c.Model)
	}
	if n := len(known); n > 0 && known[n-1].Fonts != "" {
		profile = profile.WithFonts(known[n-1].Fonts)
	}
	return profile.WithColumns(c.Columns), nil
}

// kitchenConfig is what the kitchen knows of a printer.
func kitchenConfig(c firmwareconfig.Printer, profile escpos.Profile) kitchen.PrinterConfig {
	return kitchen.PrinterConfig{
		Name: c.Name, Profile: profile, Words: words.In(c.Language), Fallback: c.Fallback, FallbackAfter: c.FallbackAfter,
		Kind: c.Type, QueueWarn: c.QueueWarn, Drawer: c.Drawer, Buzz: c.Buzzer,
	}
}

// prepare reads what is known of a printer and gives its configuration for the kitchen.
func (ps *printers) prepare(ctx context.Context, c firmwareconfig.Printer) (*standing, kitchen.PrinterConfig, error) {
	s := &standing{c: c}
	if err := load(ctx, ps.b.journal, knownKey(c.Name), &s.known); err != nil {
		return nil, kitchen.PrinterConfig{}, err
	}
	if err := load(ctx, ps.b.journal, hardwareKey(c.Name), &s.hardware); err != nil {
		return nil, kitchen.PrinterConfig{}, err
	}
	var m moved
	if err := load(ctx, ps.b.journal, movedKey(c.Name), &m); err != nil {
		return nil, kitchen.PrinterConfig{}, err
	}
	if s.at = c.Connect; m.Configured == c.Connect.String() {
		if now, err := port.Parse(m.Now); err == nil {
			s.at = now
		}
	}
	profile, err := profileOf(c, s.known)
	if err != nil {
		return nil, kitchen.PrinterConfig{}, err
	}
	return s, kitchenConfig(c, profile), nil
}

// drive makes the driver of a printer for its queue.
func (ps *printers) drive(s *standing, k kitchen.PrinterConfig, q *kitchen.Queue) (*printer.Printer, error) {
	driver, err := printer.New(printer.Config{
		Name: s.c.Name, Connect: s.at, Profile: k.Profile, Language: s.c.Language, Ledger: q, Sequence: q.LastSequence(), Known: s.known,
		Paused: q.Paused(), Words: kitchen.EnvelopeWords(k.Words), Zone: ps.b.c.Site.Location, Now: ps.b.o.Now, Log: ps.b.log,
		OnStatus: func(st printer.Status) { ps.b.health.printer(st) },
	})
	if err != nil {
		return nil, fmt.Errorf("printer %s: %w", s.c.Name, err)
	}
	s.driver = driver
	ps.mu.Lock()
	ps.each[s.c.Name] = s
	ps.mu.Unlock()
	return driver, nil
}

func (ps *printers) get(name string) *standing {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.each[name]
}

// begin starts the printers that people added, and tells of those that moved; end waits for them.
func (ps *printers) begin(ctx context.Context) {
	ps.mu.Lock()
	ps.life = ctx
	all := slices.Collect(maps.Values(ps.each))
	ps.mu.Unlock()
	for _, s := range all {
		if s.added {
			ps.start(s)
		}
		ps.tellMoved(s.c.Name, s.at, s.at != s.c.Connect)
	}
}

func (ps *printers) end() {
	ps.mu.Lock()
	ps.life = nil
	ps.mu.Unlock()
	ps.running.Wait()
}

// keepKnown remembers what the driver found out about the device behind a printer's name.
func (ps *printers) keepKnown(tx *journal.Tx, name string) error {
	s := ps.get(name)
	if s == nil {
		return nil
	}
	known := s.driver.Known()
	if len(known) == 0 {
		return nil
	}
	value, err := json.Marshal(known)
	if err != nil {
		return err
	}
	if err := tx.SetSetting(knownKey(name), value, "box"); err != nil {
		return fmt.Errorf("keep what is known of printer %s: %w", name, err)
	}
	return nil
}

// device tells the kitchen of the thing behind a printer's name.
func (ps *printers) device(name string) kitchen.Device {
	s := ps.get(name)
	if s == nil {
		return kitchen.Device{}
	}
	ps.mu.Lock()
	d := kitchen.Device{Hardware: s.hardware, Added: s.added}
	ps.mu.Unlock()
	d.Known = len(s.driver.Known()) > 0
	if s.c.Connect.Scheme == port.USB {
		d.Hardware = s.c.Connect.Serial
		if d.Hardware == "" {
			d.Hardware = s.driver.Status().Identity.Serial
		}
	}
	return d
}
