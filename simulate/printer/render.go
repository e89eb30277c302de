package printer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"aboyeur/protocol/escpos"
)

// Bounds of one ticket's text: a feed command of three bytes makes 255 lines, and a stored symbol prints again and again.
const (
	maxLines   = 4096
	maxSymbols = 64 << 10 // bytes of their data
)

// A setting is a command whose effect outlives a cut, as last seen since ESC @.
type setting struct {
	name  string
	bytes [4]byte
	n     int
}

// set remembers a setting for the ticket after this one.
func (p *Printer) set(t escpos.Token) {
	s := setting{name: t.Name}
	s.n = copy(s.bytes[:], t.Bytes)
	for i := range p.settings {
		if p.settings[i].name == t.Name {
			p.settings[i] = s
			return
		}
	}
	p.settings = append(p.settings, s) // as many as the names in command
}

// prelude brings a fresh mechanism to the settings a ticket begins with.
func (p *Printer) prelude(b []byte) []byte {
	for _, s := range p.settings {
		b = append(b, s.bytes[:s.n]...)
	}
	return b
}

// render is the text on a piece of paper, as a person reads it.
func (p *Printer) render(prelude, raw []byte) string {
	press := escpos.NewPress(p.profile)
	symbols := 0
	show := func(t escpos.Token) {
		if len(press.Lines()) > maxLines || symbols > maxSymbols {
			return
		}
		if t.Name == "HT" { // a gap is enough for a reader, and where the tab stops are is the host's business
			t = escpos.Token{Kind: escpos.TokenText, Bytes: []byte(" "), Known: true}
		}
		press.Print(t)
		if n := len(press.Lines()); n > 0 {
			symbols += len(press.Lines()[n-1].Symbol)
		}
	}
	t := escpos.Tokenizer{Limit: escpos.MaxPicture}
	t.Feed(prelude, show)
	t.Feed(raw, show)
	lines := press.Lines()
	if cut := press.Take(); len(cut) > 0 {
		lines = cut[0].Lines
	}
	b, blank := p.text[:0], 0
	for i := range lines {
		start := len(b)
		b = p.appendLine(b, &lines[i])
		end := len(bytes.TrimRight(b, " "))
		if end <= start {
			b = b[:start]
			blank++
			continue
		}
		b = append(b[:end], '\n')
		if blank > 0 && start > 0 { // a gap of any height is one empty line
			b = slices.Insert(b, start, '\n')
		}
		blank = 0
	}
	p.text = b
	if cap(b) > 64<<10 {
		p.text = nil
	}
	return string(b)
}

func (p *Printer) appendLine(b []byte, l *escpos.Line) []byte {
	var picture string
	width := 0
	switch {
	case l.Image != nil:
		picture, width = fmt.Sprintf("[picture %d x %d]", l.Image.Width, l.Image.Height), p.profile.Columns
	case l.Symbol != "":
		picture = "[" + l.Symbol + "]"
		width = escpos.Columns(picture)
	}
	if l.Align != escpos.AlignLeft {
		for _, s := range l.Spans {
			width += escpos.Columns(s.Text) * s.Width
		}
		left := max(p.profile.Columns-width, 0)
		if l.Align == escpos.AlignCentre {
			left /= 2
		}
		b = append(b, strings.Repeat(" ", left)...)
	}
	b = append(b, picture...)
	for _, s := range l.Spans {
		b = append(b, s.Text...)
	}
	return b
}
