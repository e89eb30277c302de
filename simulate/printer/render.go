package printer

import (
	"fmt"
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
		press.Print(t)
		if n := len(press.Lines()); n > 0 {
			symbols += len(press.Lines()[n-1].Symbol)
		}
	}
	t := escpos.Tokenizer{Limit: escpos.MaxPicture}
	t.Feed(prelude, show)
	t.Feed(raw, show)
	var b strings.Builder
	blank := 0
	lines := press.Lines()
	if cut := press.Take(); len(cut) > 0 {
		lines = cut[0].Lines
	}
	for _, l := range lines {
		body, width := l.Text(), 0
		switch {
		case l.Image != nil:
			body = fmt.Sprintf("[picture %d x %d]", l.Image.Width, l.Image.Height)
			width = p.profile.Columns
		case l.Symbol != "":
			body = "[" + l.Symbol + "]"
			width = escpos.Columns(body)
		default:
			for _, s := range l.Spans {
				width += escpos.Columns(s.Text) * s.Width
			}
		}
		if body = strings.TrimRight(body, " "); body == "" {
			blank++
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n"[:min(blank, 1)]) // a gap of any height is one empty line
		}
		blank = 0
		switch l.Align {
		case escpos.AlignCentre:
			b.WriteString(strings.Repeat(" ", max(p.profile.Columns-width, 0)/2))
		case escpos.AlignRight:
			b.WriteString(strings.Repeat(" ", max(p.profile.Columns-width, 0)))
		}
		b.WriteString(body)
		b.WriteByte('\n')
	}
	return b.String()
}
