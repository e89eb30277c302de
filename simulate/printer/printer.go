package printer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"aboyeur/protocol/escpos"
)

// Defaults for a Config left at zero.
const (
	DefaultModel         = "epson-tm-t88"
	DefaultReceiveBuffer = 64 << 10 // bytes
	DefaultPowerPause    = 2 * time.Second
	DefaultKeep          = 1000 // tickets
	DefaultMaker         = "EPSON"
	DefaultDevice        = "TM-T88V"
	DefaultFirmware      = "30.21 ESC/POS"
	DefaultSerial        = "SIM0000001"
	DefaultFonts         = "STANDARD"
)

// MinReceiveBuffer is the smallest that old printers have.
const MinReceiveBuffer = 45

// maxWaiting is how many more connect and wait while one is served (escpos.md 13: three together).
const maxWaiting = 2

// Abilities are what one printer answers and another does not.
type Abilities uint8

const (
	ProcessID Abilities = 1 << iota // GS ( H: the echo that proves printing
	Fence                           // GS r, ESC v, ESC u
	ASB                             // GS a
	Identify                        // GS I
	Counters                        // GS g 2
	RealTime                        // DLE EOT, DLE ENQ, DLE DC4
)

// Speed is how fast paper moves; zero values cost no time.
type Speed struct {
	BytesPerSecond float64
	LinesPerSecond float64
	Cut            time.Duration
}

// Config is what a printer is. The zero value is a healthy printer of DefaultModel that works in no time.
type Config struct {
	Model   string    // profile of protocol/escpos; "" means DefaultModel
	Columns int       // 0: as the model has
	Without Abilities // what it lacks beyond its model
	With    Abilities // what it has though its model lacks it
	Silent  bool      // a one-way path: it prints and answers nothing at all

	Speed         Speed
	ReceiveBuffer int           // bytes; 0 means DefaultReceiveBuffer
	Refuse        bool          // a second connection is refused; otherwise it connects and waits
	IdleTimeout   time.Duration // ends a connection without host data; 0: never
	PowerPause    time.Duration // from power-off to answering again; 0 means DefaultPowerPause

	Ledger   io.Writer    // gets each ticket as a JSON line in one write
	OnTicket func(Ticket) // called with each ticket; must return soon and not call the printer
	OmitText bool         // tickets of Ledger and OnTicket without text, banner and sequence: cheaper under load
	Raw      bool         // tickets with their bytes
	Keep     int          // tickets held for Tickets; 0 means DefaultKeep, below 0 none

	BannerWords []string // nil: REPRINT, RÉIMPRESSION, REIMPRESSION, DUPLICATA, DUPLICATE
	TailWords   []string // nil: END, FIN

	Maker, Device, Firmware, Serial, Fonts string // answers to GS I 66, 67, 65, 68, 69
	ASBByte4                               byte   // 0F on some models

	Faults []Fault
	Now    func() time.Time // stamps of the ledger; nil means time.Now
	Log    *slog.Logger     // nil means slog.Default
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("printer is closed")

// A Printer is one printer; see the package's description. Its methods may be called from any goroutine.
type Printer struct {
	c         Config
	profile   escpos.Profile
	abilities Abilities
	log       *slog.Logger
	serving   chan struct{} // 1: held by the connection being served

	mu   sync.Mutex // guards everything below
	room sync.Cond  // the reader may go on: room in the queue, a fault lifted, the link ended

	mechanism
	advancing bool
	strip     strip

	armed                 []armed
	active                []*active
	nextPrint, nextArrive uint64 // nearest byte of armed
	struck                map[Kind]uint64
	off                   bool
	powerTimer            *time.Timer
	awayUntil             time.Time // connections are refused
	link                  *link     // nil: nobody is served
	closed                bool
	fail                  func(error) // ends Serve
	ledgerErr             error
	page                  bytes.Buffer // the ledger's line
	text                  []byte       // of render
	recent                []kept
	recentBytes           int
	tickets, partials     uint64
	blank                 uint64 // cuts with nothing on the paper
	cuts, cutsEver        uint64 // maintenance counters; the first can be reset
	lines                 uint64
	linesUser, linesReset uint64
	kicks, beeps          uint64
	connections, refused  uint64
	powerCycles           uint64
	lostReplies           uint64
}

// New checks c and makes a printer that is switched on. It starts nothing.
func New(c Config) (*Printer, error) {
	if c.Model == "" {
		c.Model = DefaultModel
	}
	profile, ok := escpos.ProfileFor(c.Model)
	if !ok {
		return nil, fmt.Errorf("printer model %q is not known; write one of %v", c.Model, escpos.Models())
	}
	if c.ReceiveBuffer == 0 {
		c.ReceiveBuffer = DefaultReceiveBuffer
	}
	if c.ReceiveBuffer < MinReceiveBuffer {
		return nil, fmt.Errorf("receive buffer of %d bytes: at least %d", c.ReceiveBuffer, MinReceiveBuffer)
	}
	if c.Speed.BytesPerSecond < 0 || c.Speed.LinesPerSecond < 0 || c.Speed.Cut < 0 {
		return nil, errors.New("speed below zero")
	}
	for _, d := range []struct {
		s    *string
		text string
	}{
		{&c.Maker, DefaultMaker}, {&c.Device, DefaultDevice}, {&c.Firmware, DefaultFirmware}, {&c.Serial, DefaultSerial}, {&c.Fonts, DefaultFonts},
	} {
		if *d.s == "" {
			*d.s = d.text
		}
		if len(*d.s) > 64 {
			return nil, fmt.Errorf("identity text %q is longer than 64 bytes", *d.s)
		}
	}
	if c.PowerPause == 0 {
		c.PowerPause = DefaultPowerPause
	}
	if c.Keep == 0 {
		c.Keep = DefaultKeep
	}
	if c.BannerWords == nil {
		c.BannerWords = []string{"REPRINT", "RÉIMPRESSION", "REIMPRESSION", "DUPLICATA", "DUPLICATE"}
	}
	if c.TailWords == nil {
		c.TailWords = []string{"END", "FIN"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	p := &Printer{
		c: c, profile: profile.WithColumns(c.Columns), log: c.Log, serving: make(chan struct{}, 1),
		nextPrint: never, nextArrive: never, struck: make(map[Kind]uint64),
	}
	p.abilities = Fence | Identify | Counters | RealTime
	if profile.ProcessID {
		p.abilities |= ProcessID
	}
	if profile.ASB {
		p.abilities |= ASB
	}
	p.abilities = (p.abilities | c.With) &^ c.Without
	p.room.L = &p.mu
	p.onToken = p.token
	p.tokens = escpos.Tokenizer{Limit: commandLimit}
	p.refresh()
	for _, f := range c.Faults {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range c.Faults {
		p.inject(f)
	}
	return p, nil
}

func (p *Printer) can(a Abilities) bool { return p.abilities&a != 0 }

// Serve takes connections until ctx ends, one at a time, and then closes the printer and l. It returns nil on a clean
// end; an error that the listener or the ledger gave otherwise.
func (p *Printer) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	p.mu.Lock()
	p.fail = cancel
	p.mu.Unlock()

	waiting := make(chan net.Conn, maxWaiting)
	var served sync.WaitGroup
	served.Go(func() {
		for conn := range waiting {
			p.ServeConn(ctx, conn)
		}
	})
	err := p.accept(ctx, l, waiting)
	cancel(err)
	close(waiting)
	served.Wait()
	l.Close()
	if e := p.Close(); err == nil {
		err = e
	}
	return err
}

func (p *Printer) accept(ctx context.Context, l net.Listener, waiting chan<- net.Conn) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() == nil {
				return fmt.Errorf("accept: %w", err)
			}
			return nil
		}
		if !p.admit() {
			refuse(conn)
			continue
		}
		select {
		case waiting <- conn:
		default:
			p.mu.Lock()
			p.refused++
			p.mu.Unlock()
			refuse(conn)
		}
	}
}

// admit says whether a connection is taken at all.
func (p *Printer) admit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off || time.Now().Before(p.awayUntil) || p.c.Refuse && p.link != nil {
		p.refused++
		return false
	}
	return true
}

// refuse ends a connection by RST.
func refuse(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}

// ServeConn is the printer at the other end of conn until the host closes it, a fault does, or ctx ends. It closes conn.
// With another connection being served it waits its turn. The printer's paper, RAM and counters outlive it. The error
// says why the printer did not take the connection; how it ended is no error.
func (p *Printer) ServeConn(ctx context.Context, conn io.ReadWriteCloser) error {
	defer conn.Close()
	select {
	case p.serving <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.serving }()

	l := newLink(p, conn)
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return ErrClosed
	case p.off || time.Now().Before(p.awayUntil):
		p.refused++
		l.end(true)
		p.mu.Unlock()
		return errors.New("printer is off or its link is down")
	}
	p.link = l
	p.connections++
	p.mu.Unlock()

	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		l.end(false)
		p.mu.Unlock()
	})
	defer stop()
	var writer sync.WaitGroup
	writer.Go(l.write)
	p.read9100(l)
	l.flush()
	p.mu.Lock()
	p.link = nil
	l.end(false)
	p.mu.Unlock()
	writer.Wait()
	return nil
}

// read9100 takes what the host sends, as far as there is room for it.
func (p *Printer) read9100(l *link) {
	buf := make([]byte, min(p.c.ReceiveBuffer, 16<<10))
	deadline, _ := l.conn.(interface{ SetReadDeadline(time.Time) error })
	for {
		p.mu.Lock()
		for !l.dead && !l.ending && (p.free() <= 0 || len(p.active) > 0 && p.on(Hang) != nil) {
			p.room.Wait()
		}
		dead, n := l.dead || l.ending, min(len(buf), p.free())
		p.mu.Unlock()
		if dead {
			return
		}
		if p.c.IdleTimeout > 0 && deadline != nil {
			deadline.SetReadDeadline(time.Now().Add(p.c.IdleTimeout))
		}
		n, err := l.conn.Read(buf[:n])
		if n > 0 {
			p.arrive(l, buf[:n], p.c.Now())
		}
		if err != nil {
			return
		}
	}
}

// endLink drops the connection being served.
func (p *Printer) endLink(reset bool) {
	if p.link != nil {
		p.link.finish(reset)
	}
}

// away refuses connections for d.
func (p *Printer) away(d time.Duration) {
	p.awayUntil = time.Time{}
	if d > 0 {
		p.awayUntil = time.Now().Add(d)
	}
}

// powerOff takes the power for pause; 0 is until somebody lifts PowerCycle. RAM is gone, counters and paper stay.
func (p *Printer) powerOff(pause time.Duration) {
	p.powerCycles++
	p.endStrip(Power)
	p.drain()
	p.settings = p.settings[:0]
	p.line, p.asb, p.deselected, p.inverse, p.noPulse, p.noPowerOff = 0, 0, false, false, false, false
	p.cutError, p.mechError, p.cutPending, p.coverError = false, false, false, false
	p.off = true
	p.endLink(true)
	if p.powerTimer != nil {
		p.powerTimer.Stop()
		p.powerTimer = nil
	}
	if pause > 0 && !p.closed {
		p.powerTimer = time.AfterFunc(pause, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.powerOn()
		})
	}
}

func (p *Printer) powerOn() {
	p.off = false
	p.mechError = p.on(Mechanics) != nil
	p.refresh()
}

// Close ends the connection, takes what is on paper as a partial ticket and stops all timers. The error is that of the
// ledger.
func (p *Printer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.ledgerErr
	}
	p.closed = true
	if p.link != nil {
		p.link.end(false)
	}
	p.endStrip(Closed)
	for _, a := range p.active {
		if a.timer != nil {
			a.timer.Stop()
		}
	}
	for _, t := range []*time.Timer{p.pace, p.powerTimer} {
		if t != nil {
			t.Stop()
		}
	}
	return p.ledgerErr
}

// State is what can be seen of a printer.
type State struct {
	Model       string          `json:"model"`
	Power       bool            `json:"power"`
	Online      bool            `json:"online"`
	Reason      string          `json:"reason,omitempty"` // of not being online, as escpos.Status.Reason
	Connected   bool            `json:"connected"`
	Faults      []Fault         `json:"faults"` // active
	Armed       []Fault         `json:"armed"`  // waiting for their byte
	Struck      map[Kind]uint64 `json:"struck"` // how often each came
	Arrived     uint64          `json:"arrived"`
	Printed     uint64          `json:"printed"` // bytes taken by the interpreter
	Queued      int             `json:"queued"`
	Wanting     int64           `json:"wanting"` // bytes of a command that is not complete
	Tickets     uint64          `json:"tickets"`
	Partials    uint64          `json:"partials"` // among the tickets
	BlankCuts   uint64          `json:"blank_cuts"`
	Cuts        uint64          `json:"cuts"` // in the printer's whole life
	Lines       uint64          `json:"lines"`
	DrawerKicks uint64          `json:"drawer_kicks"`
	Beeps       uint64          `json:"beeps"`
	Connections uint64          `json:"connections"`
	Refused     uint64          `json:"refused"`
	PowerCycles uint64          `json:"power_cycles"`
	LostReplies uint64          `json:"lost_replies"` // dropped since the host did not read
	Paper       bool            `json:"paper"`        // something hangs out of it, printed and not cut
}

// State returns a copy of what the printer is doing.
func (p *Printer) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := State{
		Model: p.profile.Name, Power: !p.off, Online: !p.off && !p.status.Offline, Reason: p.status.Reason(), Connected: p.link != nil,
		Faults: []Fault{}, Armed: []Fault{}, Struck: make(map[Kind]uint64, len(p.struck)),
		Arrived: p.arrived, Printed: p.printed, Queued: len(p.queue) - p.head, Wanting: p.tokens.Pending(),
		Tickets: p.tickets, Partials: p.partials, BlankCuts: p.blank, Cuts: p.cutsEver, Lines: p.lines,
		DrawerKicks: p.kicks, Beeps: p.beeps, Connections: p.connections, Refused: p.refused, PowerCycles: p.powerCycles,
		LostReplies: p.lostReplies, Paper: p.strip.ink,
	}
	for _, a := range p.active {
		s.Faults = append(s.Faults, a.Fault)
	}
	for _, a := range p.armed {
		s.Armed = append(s.Armed, a.Fault)
	}
	for k, n := range p.struck {
		s.Struck[k] = n
	}
	return s
}
