package printer

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Ticket is a piece of paper: what was printed up to a cut, or up to where it broke off.
type Ticket struct {
	N           uint64    `json:"n"`             // from 1, in the order they left the printer
	At          time.Time `json:"at"`            // when it was cut
	Text        string    `json:"text"`          // as a person reads it, a line of paper a line
	FirstByteAt time.Time `json:"first_byte_at"` // arrival of the first and the last byte of its data, microseconds
	LastByteAt  time.Time `json:"last_byte_at"`
	Bytes       int64     `json:"bytes"`
	Banner      bool      `json:"banner"`            // a line begins with one of Config.BannerWords
	Inverse     bool      `json:"inverse,omitempty"` // its first line is white on black
	Partial     bool      `json:"partial"`           // it broke off: it did not end by a cut
	Ended       Ended     `json:"ended"`
	Sequence    uint32    `json:"sequence,omitempty"`  // of the last tail line, END 0142
	Sequences   []uint32  `json:"sequences,omitempty"` // all of them where a missing cut left more than one
	Interrupted []Kind    `json:"interrupted,omitempty"`
	Raw         []byte    `json:"raw,omitempty"` // with Config.Raw; at most MaxTicket
}

// Ended is what ended a ticket.
type Ended string

const (
	Cut     Ended = "cut"
	Power   Ended = "power"
	Cleared Ended = "cleared"
	Closed  Ended = "closed" // the printer was taken away with paper hanging out of it
)

// MaxTicket bounds what is kept of one ticket's bytes; what is longer is printed but its text ends there.
const MaxTicket = 1 << 20

// maxKeptBytes bounds the memory of all tickets kept.
const maxKeptBytes = 16 << 20

// strip is the paper between two cuts.
type strip struct {
	open        bool // a byte of the ticket has come
	ink         bool // something is on paper
	headed      bool
	inverse     bool
	prelude     []byte // settings it began with
	raw         []byte
	first, last time.Time
	bytes       int64
	interrupted []Kind
}

// begun reports a ticket in hand.
func (s *strip) begun() bool { return s.ink }

func (s *strip) add(b []byte) {
	if n := MaxTicket - len(s.raw); n > 0 {
		s.raw = append(s.raw, b[:min(n, len(b))]...)
	}
}

// heading notes whether the first text of the ticket is inverse.
func (s *strip) heading(text []byte, inverse bool) {
	if !s.headed && strings.TrimSpace(string(text)) != "" {
		s.headed, s.inverse = true, inverse
	}
}

func (s *strip) interrupt(k Kind) {
	if !slices.Contains(s.interrupted, k) {
		s.interrupted = append(s.interrupted, k)
	}
}

// reset begins a new strip in the same memory.
func (p *Printer) resetStrip() {
	raw := p.strip.raw[:0]
	if cap(raw) > 64<<10 {
		raw = nil
	}
	p.strip = strip{raw: raw, prelude: p.strip.prelude[:0]}
}

// A kept ticket is rendered when somebody asks, unless the ledger has done so.
type kept struct {
	Ticket
	prelude  []byte
	raw      []byte
	rendered bool
}

// endStrip takes the ticket off the printer. A blank piece of paper is none.
func (p *Printer) endStrip(by Ended) {
	s := &p.strip
	if !s.ink {
		if by == Cut {
			p.blank++
		}
		p.resetStrip()
		return
	}
	p.tickets++
	k := kept{Ticket: Ticket{
		N: p.tickets, At: stamp(p.c.Now()), FirstByteAt: stamp(s.first), LastByteAt: stamp(s.last), Bytes: s.bytes,
		Inverse: s.inverse, Partial: by != Cut, Ended: by, Interrupted: s.interrupted,
	}}
	if k.Partial {
		p.partials++
	}
	if p.c.Ledger != nil || p.c.OnTicket != nil {
		if !p.c.OmitText {
			p.read(&k, s.prelude, s.raw)
		}
		if p.c.Raw {
			k.Raw = slices.Clone(s.raw)
		}
		if p.c.Ledger != nil {
			p.note(k.Ticket)
		}
		if p.c.OnTicket != nil {
			p.c.OnTicket(k.Ticket)
		}
	}
	if p.c.Keep > 0 {
		if !k.rendered || p.c.Raw {
			k.raw = k.Raw
			if len(s.prelude) > 0 {
				k.prelude = slices.Clone(s.prelude)
			}
			if k.raw == nil {
				k.raw = slices.Clone(s.raw)
			}
		}
		p.keep(k)
	}
	p.resetStrip()
}

func (k *kept) size() int { return len(k.raw) + len(k.Text) }

// keep holds the newest tickets, bounded by number and by bytes.
func (p *Printer) keep(k kept) {
	p.recent = append(p.recent, k)
	p.recentBytes += k.size()
	drop := 0
	for len(p.recent)-drop > p.c.Keep || p.recentBytes > maxKeptBytes && len(p.recent)-drop > 1 {
		p.recentBytes -= p.recent[drop].size()
		p.recent[drop] = kept{}
		drop++
	}
	p.recent = p.recent[drop:]
}

// read fills what the paper's text tells.
func (p *Printer) read(k *kept, prelude, raw []byte) {
	k.Text = p.render(prelude, raw)
	k.Sequences = k.Sequences[:0]
	k.Banner = false
	for line := range strings.Lines(k.Text) {
		line = strings.TrimLeftFunc(strings.TrimSpace(line), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		k.Banner = k.Banner || begins(line, p.c.BannerWords) >= 0
		if n := begins(line, p.c.TailWords); n >= 0 {
			if v, ok := number(line[n:]); ok {
				k.Sequences = append(k.Sequences, v)
			}
		}
	}
	if n := len(k.Sequences); n > 0 {
		k.Sequence = k.Sequences[n-1]
	}
	if len(k.Sequences) < 2 {
		k.Sequences = nil
	}
	k.rendered = true
}

// begins says where line goes on after one of the words, -1 when it begins with none. A word ends where its letters end.
func begins(line string, words []string) int {
	for _, w := range words {
		if strings.HasPrefix(line, w) {
			r, _ := utf8.DecodeRuneInString(line[len(w):])
			if !unicode.IsLetter(r) || len(line) == len(w) {
				return len(w)
			}
		}
	}
	return -1
}

// number reads the digits that follow some blanks or number signs.
func number(s string) (v uint32, ok bool) {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9' && v < 1<<28:
			v, ok = v*10+uint32(c-'0'), true
		case ok || c != ' ' && c != '#' && c != ':':
			return v, ok
		}
	}
	return v, ok
}

func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// note writes one line of the ledger in one write.
func (p *Printer) note(t Ticket) {
	p.page.Reset()
	e := json.NewEncoder(&p.page)
	e.SetEscapeHTML(false)
	err := e.Encode(t)
	if err == nil {
		_, err = p.c.Ledger.Write(p.page.Bytes())
	}
	if err != nil && p.ledgerErr == nil {
		p.ledgerErr = err
		p.log.Error("ledger not written", "err", err)
		if p.fail != nil {
			p.fail(err)
		}
	}
}

// Tickets returns the newest tickets, at most Config.Keep, oldest first. What hangs out of the printer is not among
// them; see Paper.
func (p *Printer) Tickets() []Ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.since(0)
}

func (p *Printer) since(n uint64) []Ticket {
	var all []Ticket
	for i := range p.recent {
		k := &p.recent[i]
		if k.N <= n {
			continue
		}
		if !k.rendered {
			p.read(k, k.prelude, k.raw)
			if !p.c.Raw {
				p.recentBytes += len(k.Text) - len(k.raw)
				k.raw = nil
			}
		}
		t := k.Ticket
		if p.c.Raw {
			t.Raw = k.raw
		}
		all = append(all, t)
	}
	return all
}

// Paper is the text that hangs out of the printer, printed and not yet cut.
func (p *Printer) Paper() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.strip.ink {
		return ""
	}
	return p.render(p.strip.prelude, p.strip.raw)
}

// WriteLedger writes the kept tickets after number n to w, a JSON line each.
func (p *Printer) WriteLedger(w io.Writer, n uint64) error {
	p.mu.Lock()
	tickets := p.since(n)
	p.mu.Unlock()
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, t := range tickets {
		if err := e.Encode(t); err != nil {
			return err
		}
	}
	return nil
}
