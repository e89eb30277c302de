package printer

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is something that goes wrong, now or when a byte is reached, until it is lifted (escpos.md 10.12).
type Fault struct {
	Kind Kind `json:"kind"`

	// At is the byte at which it comes: after so many bytes were printed, or have arrived when Where is "arrive". 0 is
	// at once. It counts from now, or from the printer's start when From is "start".
	At    int64  `json:"at,omitempty"`
	From  string `json:"from,omitempty"`  // now (default), start
	Where string `json:"where,omitempty"` // print (default), arrive; bytes behind an arrive fault of a link are lost

	For   Duration `json:"for,omitempty"`   // lifted by itself after this long; 0: until lifted
	Count int      `json:"count,omitempty"` // echo faults and cutter: over after so many times; 0: no such limit

	BytesPerSecond float64 `json:"bytes_per_second,omitempty"` // slow
	LinesPerSecond float64 `json:"lines_per_second,omitempty"` // slow
	Bytes          int     `json:"bytes,omitempty"`            // stuck: data bytes the half command still wants
	Data           string  `json:"data,omitempty"`             // garbage, echo_foreign: what is sent, in hex
}

// Kind is the name of a fault.
type Kind string

// Conditions: the mechanism stops, keeps what it has in RAM, and goes on when they are lifted.
const (
	PaperOut  Kind = "paper_out"
	Cover     Kind = "cover"      // with a ticket begun it is an auto-recoverable error too (escpos.md 9.4)
	Feed      Kind = "feed"       // somebody holds the feed button
	Hot       Kind = "hot"        // head too hot: auto-recoverable
	Broken    Kind = "broken"     // unrecoverable error
	PaperLow  Kind = "paper_low"  // a status only; printing goes on
	Drawer    Kind = "drawer"     // a status only: the drawer's pin is high
	Cutter    Kind = "cutter"     // the next cut jams; once lifted it wants DLE ENQ 1 or 2, or power
	Mechanics Kind = "mechanical" // like Cutter, at once and not at a cut
)

// Events happen once. For is how long the consequence lasts: the printer without power, the link refusing connections.
const (
	PowerCycle Kind = "power_cycle" // RAM gone, connection reset, back after For (default Config.PowerPause)
	DropLink   Kind = "drop_link"   // the connection ends; the printer prints what it has
	Reset      Kind = "rst"         // the same by TCP RST, with data unread
	Garbage    Kind = "garbage"     // bytes that mean nothing among the answers
	Stuck      Kind = "stuck"       // waits for the data of a half command, Bytes of it, as after a torn raster
)

// Behaviours last until lifted.
const (
	Slow          Kind = "slow"
	Silent        Kind = "silent"         // prints, answers nothing
	Hang          Kind = "hang"           // cable out: nothing is read, nothing is answered, the connection stays
	HoldReplies   Kind = "hold_replies"   // answers wait inside the printer, only the newest echo of them (escpos.md 10.2)
	EchoLost      Kind = "echo_lost"      // process ids are not answered
	EchoForeign   Kind = "echo_foreign"   // somebody else's process id comes before ours
	EchoDuplicate Kind = "echo_duplicate" // each process id is answered twice
	ASBBetween    Kind = "asb_between"    // an ASB frame before each answer
)

// Kinds lists every fault.
func Kinds() []Kind {
	return []Kind{
		PaperOut, Cover, Feed, Hot, Broken, PaperLow, Drawer, Cutter, Mechanics,
		PowerCycle, DropLink, Reset, Garbage, Stuck,
		Slow, Silent, Hang, HoldReplies, EchoLost, EchoForeign, EchoDuplicate, ASBBetween,
	}
}

func (k Kind) event() bool {
	switch k {
	case PowerCycle, DropLink, Reset, Garbage, Stuck:
		return true
	}
	return false
}

// Defaults for a Fault left at zero.
const (
	DefaultStuckBytes     = 4096
	DefaultLinesPerSecond = 2          // of Slow
	DefaultGarbage        = "ff42c3"   // in hex; begins no answer
	DefaultForeignToken   = "7e58587e" // "~XX~"
)

// A Duration is a time.Duration that reads and writes itself as text, "1.5s".
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("duration %q: write a number with its unit, as in 2s", b)
	}
	*d = Duration(v)
	return nil
}

// check says what is wrong with f, and where the fault can be meant otherwise.
func (f Fault) check() error {
	switch {
	case !slices.Contains(Kinds(), f.Kind):
		return fmt.Errorf("fault kind %q: there is none of this name; write one of %s", f.Kind, kindList())
	case f.At < 0 || f.Count < 0 || f.Bytes < 0 || f.For < 0 || f.BytesPerSecond < 0 || f.LinesPerSecond < 0:
		return fmt.Errorf("fault %s: a number is below zero", f.Kind)
	case f.From != "" && f.From != "now" && f.From != "start":
		return fmt.Errorf("fault %s: from %q; write now or start", f.Kind, f.From)
	case f.Where != "" && f.Where != "print" && f.Where != "arrive":
		return fmt.Errorf("fault %s: where %q; write print or arrive", f.Kind, f.Where)
	}
	b, err := hex.DecodeString(f.Data)
	switch {
	case err != nil || len(b) > 256:
		return fmt.Errorf("fault %s: data %q: write up to 256 bytes in hex, as in ff42", f.Kind, f.Data)
	case f.Kind == EchoForeign && f.Data != "" && len(b) != 4:
		return fmt.Errorf("fault %s: data %q: a process id has four bytes", f.Kind, f.Data)
	}
	return nil
}

func kindList() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// ParseFault reads a fault as a command line has it: KIND[@N][,for=2s][,count=1][,where=arrive][,from=now][,bytes=N]
// [,lines_per_second=N][,bytes_per_second=N][,data=HEX]. On a command line N counts from the start.
func ParseFault(s string) (Fault, error) {
	head, rest, _ := strings.Cut(s, ",")
	kind, at, hasAt := strings.Cut(head, "@")
	f := Fault{Kind: Kind(kind), From: "start"}
	var err error
	if hasAt {
		if f.At, err = strconv.ParseInt(at, 10, 64); err != nil {
			return f, fmt.Errorf("fault %q: %q is not a byte number; write %s@350", s, at, kind)
		}
	}
	for rest != "" {
		var option string
		option, rest, _ = strings.Cut(rest, ",")
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "for":
			err = f.For.UnmarshalText([]byte(value))
		case "count":
			f.Count, err = strconv.Atoi(value)
		case "bytes":
			f.Bytes, err = strconv.Atoi(value)
		case "lines_per_second":
			f.LinesPerSecond, err = strconv.ParseFloat(value, 64)
		case "bytes_per_second":
			f.BytesPerSecond, err = strconv.ParseFloat(value, 64)
		case "where":
			f.Where = value
		case "from":
			f.From = value
		case "data":
			f.Data = value
		default:
			err = fmt.Errorf("there is no option %q", name)
		}
		if err != nil {
			return f, fmt.Errorf("fault %q: %s: %w", s, option, err)
		}
	}
	return f, f.check()
}

// armed is a fault that waits for its byte.
type armed struct {
	Fault
	at uint64 // of printed or arrived, as Where says
}

// active is a fault that has come and not gone.
type active struct {
	Fault
	left  int // of Count
	timer *time.Timer
}

// Inject makes f happen at once or arms it for its byte. The error names what is wrong with f.
func (p *Printer) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.inject(f)
	return nil
}

func (p *Printer) inject(f Fault) {
	if f.At > 0 {
		a := armed{Fault: f, at: uint64(f.At)}
		if f.From != "start" {
			if f.Where == "arrive" {
				a.at += p.arrived
			} else {
				a.at += p.printed
			}
		}
		p.armed = append(p.armed, a)
		p.aim()
		p.fireReached()
		return
	}
	p.strike(f)
	p.advance(time.Now())
}

// aim finds the nearest armed bytes.
func (p *Printer) aim() {
	p.nextPrint, p.nextArrive = never, never
	for _, a := range p.armed {
		if a.Where == "arrive" {
			p.nextArrive = min(p.nextArrive, a.at)
		} else {
			p.nextPrint = min(p.nextPrint, a.at)
		}
	}
}

// fireReached strikes with every armed fault whose byte is reached, in the order they were armed.
func (p *Printer) fireReached() {
	p.fire(func(a armed) bool {
		if a.Where == "arrive" {
			return a.at <= p.arrived
		}
		return a.at <= p.printed
	})
}

func (p *Printer) fire(due func(armed) bool) {
	var now []Fault
	p.armed = slices.DeleteFunc(p.armed, func(a armed) bool {
		if due(a) {
			now = append(now, a.Fault)
			return true
		}
		return false
	})
	p.aim()
	for _, f := range now {
		p.strike(f)
	}
}

// strike makes f happen.
func (p *Printer) strike(f Fault) {
	p.log.Debug("fault", "kind", string(f.Kind), "printed", p.printed, "arrived", p.arrived)
	p.struck[f.Kind]++
	if p.strip.begun() && !f.Kind.event() && f.Kind != PaperLow && f.Kind != Drawer {
		p.strip.interrupt(f.Kind)
	}
	switch f.Kind {
	case PowerCycle:
		pause := time.Duration(f.For)
		if pause == 0 {
			pause = p.c.PowerPause
		}
		p.powerOff(pause)
		return
	case DropLink, Reset:
		p.endLink(f.Kind == Reset)
		p.away(time.Duration(f.For))
		return
	case Garbage:
		p.reply(replyOther, unhex(f.Data, DefaultGarbage))
		return
	case Stuck:
		p.stick(f.Bytes)
		return
	}
	a := &active{Fault: f, left: f.Count}
	if f.For > 0 {
		a.timer = time.AfterFunc(time.Duration(f.For), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.lift(func(b *active) bool { return a == b })
		})
	}
	if f.Kind == Cover && p.strip.begun() {
		p.coverError = true
	}
	if f.Kind == Mechanics {
		p.mechError = true
	}
	p.active = append(p.active, a)
	p.refresh()
}

// Lift ends every fault of this kind, those still waiting for their byte too; "" is every fault. A jammed cutter is free
// again but the printer's error stays until DLE ENQ or power.
func (p *Printer) Lift(k Kind) error {
	if k != "" && !slices.Contains(Kinds(), k) {
		return Fault{Kind: k}.check()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = slices.DeleteFunc(p.armed, func(a armed) bool { return k == "" || a.Kind == k })
	p.aim()
	p.lift(func(a *active) bool { return k == "" || a.Kind == k })
	if k == "" || k == PowerCycle {
		p.powerOn()
	}
	if k == "" || k == DropLink || k == Reset {
		p.away(0)
	}
	return nil
}

func (p *Printer) lift(which func(*active) bool) {
	p.active = slices.DeleteFunc(p.active, func(a *active) bool {
		if !which(a) {
			return false
		}
		if a.timer != nil {
			a.timer.Stop()
		}
		return true
	})
	p.refresh()
	p.advance(time.Now())
	if p.link != nil {
		p.link.kick()
	}
	p.room.Broadcast()
}

// on returns the fault of this kind that is active, nil for none.
func (p *Printer) on(k Kind) *active {
	for _, a := range p.active {
		if a.Kind == k {
			return a
		}
	}
	return nil
}

// use is on for a fault that counts its times.
func (p *Printer) use(k Kind) *active {
	if len(p.active) == 0 {
		return nil
	}
	a := p.on(k)
	if a != nil && a.Count > 0 {
		if a.left--; a.left == 0 {
			p.active = slices.DeleteFunc(p.active, func(b *active) bool { return a == b })
		}
	}
	return a
}

func unhex(s, fallback string) []byte {
	if s == "" {
		s = fallback
	}
	b, _ := hex.DecodeString(s) // checked by Fault.check
	return b
}
