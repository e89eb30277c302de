package escpos

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// Align is where a line stands on the paper.
type Align byte

const (
	AlignLeft Align = iota
	AlignCentre
	AlignRight
)

func (a Align) String() string {
	switch a {
	case AlignCentre:
		return "centre"
	case AlignRight:
		return "right"
	}
	return "left"
}

// MarshalText writes left, centre or right.
func (a Align) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// A Style is how text looks. The zero value is plain.
type Style struct {
	Bold      bool
	Underline bool
	// Alert is the strongest emphasis short of size that the model has: white on black, else red, else bold and
	// underlined.
	Alert bool
	// Width and Height are factors of the character size, 0 and 1 normal; a model takes what it can.
	Width, Height byte
}

func (s Style) w() int { return int(max(s.Width, 1)) }
func (s Style) h() int { return int(max(s.Height, 1)) }

// An Encoder lays text out for one profile and appends it to a byte slice as ESC/POS. It starts in the state that
// AppendInit leaves and Finish returns to it, so that what several encoders made can be joined.
//
// No byte of a caller's text reaches the stream unless it prints: control characters become a mark, and lines are broken
// at words so that none is longer than the paper is wide. An Encoder is not for concurrent use; it may be used again
// after Reset.
type Encoder struct {
	p    Profile
	home int // index in p.Pages of the page of the language
	mark rune

	b     []byte
	page  int // index of the page in force, -1: the printer's own
	style Style
	align Align
	inked Style // in force at the printer
	guard bool  // GS ( D has been sent

	line   []cell  // the line in hand
	indent []cell  // of flow
	side   []cell  // the right column
	whole  []cell  // a line put together from parts
	from   []uint8 // of choosePages
	lf     int     // length of b after a line's LF, when that is the last thing in it
	misses misses

	wide     *encoding.Encoder // of Profile.Wide
	wideFont byte
	inTwo    bool // the model is in its two-byte mode
	fontSet  bool
	french   bool // emoji are named in French

	careful bool // tests: without the short way of direct.go
}

// A cell is one character of a line with its looks. Its memory is small: a line of them is made for each line printed.
type cell struct {
	r     rune
	alt   byte // ASCII stand-in on pages that lack r; 0: none
	cols  byte // columns at normal width: 0 combining, 1, 2
	draw  bool // no page has it, the line becomes a picture
	two   bool // written in the model's two-byte mode
	page  uint8
	style Style
}

func (c cell) width() int { return int(c.cols) * c.style.w() }

// NewEncoder makes an encoder for a model and the language of its texts (as AppendInit takes it).
func NewEncoder(p Profile, language string) *Encoder {
	e := &Encoder{p: p, home: -1, mark: '*', line: make([]cell, 0, 2*MaxColumns), whole: make([]cell, 0, 2*MaxColumns)}
	home := p.LanguagePage(language)
	for i, c := range p.Pages {
		if c.Number == home {
			e.home = i
		}
		if _, ok := c.Byte('¤'); ok {
			e.mark = '¤'
		}
	}
	if c := p.Wide.charset(); c != nil {
		e.wide = c.NewEncoder()
	}
	e.wideFont = wideFontOf(language)
	e.french = strings.HasPrefix(strings.ToLower(language), "fr")
	e.Reset(nil)
	return e
}

// Reset begins a new stream, appended to b.
func (e *Encoder) Reset(b []byte) {
	e.b, e.page, e.guard, e.inTwo, e.fontSet = b, e.home, false, false, false
	e.style, e.inked, e.align, e.lf = Style{}, Style{}, AlignLeft, -1
	e.line = e.line[:0]
	e.misses.n, e.misses.runes = 0, e.misses.runes[:0]
}

// Finish ends the line in hand, returns the printer to the state that AppendInit leaves, and gives the stream. After a
// line it ends with that line's LF.
func (e *Encoder) Finish() []byte {
	e.endLine()
	e.style, e.align = Style{}, AlignLeft
	line := e.lf == len(e.b)
	if line {
		e.b = e.b[:len(e.b)-1]
	}
	e.ink(Style{})
	if e.home >= 0 {
		e.use(e.home)
	}
	if line {
		e.endOfLine()
	}
	return e.b
}

func (e *Encoder) endOfLine() {
	e.b = append(e.b, lf)
	e.lf = len(e.b)
}

// Missing tells how many characters since Reset were printed neither as themselves nor as a picture of themselves, and
// which (each once, at most MaxMissing; valid until the next Reset).
func (e *Encoder) Missing() (int, []rune) { return e.misses.n, e.misses.runes }

// MaxMissing bounds the list of Missing.
const MaxMissing = 32

type misses struct {
	n     int
	runes []rune
}

func (m *misses) add(r rune) {
	m.n++
	for _, x := range m.runes {
		if x == r {
			return
		}
	}
	if len(m.runes) < MaxMissing {
		m.runes = append(m.runes, r)
	}
}

// Profile is the model the encoder works for.
func (e *Encoder) Profile() Profile { return e.p }

// Width is the number of characters in a line at the current size.
func (e *Encoder) Width() int { return max(e.p.Columns/e.style.w(), 1) }

// Set changes the style of what follows, at any place in a line.
func (e *Encoder) Set(s Style) {
	m := byte(max(min(e.p.MaxSize, 8), 1))
	s.Width, s.Height = min(max(s.Width, 1), m), min(max(s.Height, 1), m)
	if s.Width == 1 && s.Height == 1 {
		s.Width, s.Height = 0, 0
	}
	e.style = s
}

// Plain returns to the zero Style.
func (e *Encoder) Plain() { e.style = Style{} }

// Bold switches bold.
func (e *Encoder) Bold(on bool) { e.style.Bold = on }

// Underline switches the underline.
func (e *Encoder) Underline(on bool) { e.style.Underline = on }

// Alert switches Style.Alert.
func (e *Encoder) Alert(on bool) { e.style.Alert = on }

// Size sets the factors of width and height, 1 to 8; a model takes what it can.
func (e *Encoder) Size(w, h int) {
	s := e.style
	s.Width, s.Height = byte(min(max(w, 1), 8)), byte(min(max(h, 1), 8))
	e.Set(s)
}

// Align places the lines that follow; it ends the line in hand.
func (e *Encoder) Align(a Align) {
	e.endLine()
	e.align = a
}

// Text adds to the line in hand. Line breaks in it are spaces.
func (e *Encoder) Text(s string) { e.line = e.appendCells(e.line, s) }

// Line adds text and ends the line; without text it is an empty line, or the end of the line in hand.
func (e *Encoder) Line(s string) {
	if len(e.line) == 0 && e.direct("", s) {
		return
	}
	e.Text(s)
	e.breakLine()
}

// Wrap prints text behind first, a label like "2 x "; where it is broken, the following lines begin with rest, which
// should be as wide. A line break in text begins a new line there.
func (e *Encoder) Wrap(first, rest, text string) {
	e.endLine()
	if e.direct(first, text) {
		return
	}
	e.indent = e.appendCells(e.indent[:0], rest)
	bare(e.indent)
	text = strings.TrimRight(text, "\r\n")
	e.Text(first)
	bare(e.line)
	for start := true; ; start = false {
		part, more, found := cutLine(text)
		e.Text(part)
		e.flow(e.line, e.indent, start)
		e.line = e.line[:0]
		if !found {
			return
		}
		text = more
	}
}

// bare takes the underline and the background from an indent.
func bare(line []cell) {
	for i := range line {
		if line[i].r != ' ' {
			return
		}
		line[i].style.Underline, line[i].style.Alert = false, false
	}
}

// cutLine splits s at its first line break of any system's kind.
func cutLine(s string) (before, after string, found bool) {
	for i := range len(s) {
		switch s[i] {
		case '\n':
			return s[:i], s[i+1:], true
		case '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				return s[:i], s[i+2:], true
			}
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// Columns prints left and right at the two edges of one line and keeps both whole: what does not fit of left continues
// below, two characters in; a right that leaves no room for left stands in a line of its own.
func (e *Encoder) Columns(left, right string) {
	e.endLine()
	if e.directColumns(left, right) {
		return
	}
	e.side = trimCells(e.appendCells(e.side[:0], right))
	e.Text(left)
	e.line = trimCells(e.line)
	wide := cellsWidth(e.side)
	room := e.p.Columns - wide - e.style.w()
	text := e.line
	if wide > 0 && room >= e.p.Columns/3 {
		n, next := breakAt(text, room)
		e.whole = append(e.whole[:0], text[:n]...)
		e.whole = e.pad(e.whole, e.p.Columns-wide-cellsWidth(text[:n]))
		e.whole = append(e.whole, e.side...)
		e.emit(e.whole)
		if text = text[next:]; len(text) > 0 {
			e.indent = e.pad(e.indent[:0], 2)
			e.flow(text, e.indent, false)
		}
		e.line = e.line[:0]
		return
	}
	e.indent = e.pad(e.indent[:0], 2)
	e.flow(text, e.indent, true)
	e.line = e.line[:0]
	for text = e.side; len(text) > 0; {
		n, next := breakAt(text, e.p.Columns)
		e.whole = e.pad(e.whole[:0], e.p.Columns-cellsWidth(text[:n]))
		e.whole = append(e.whole, text[:n]...)
		e.emit(e.whole)
		text = text[next:]
	}
}

// pad appends n plain columns.
func (e *Encoder) pad(line []cell, n int) []cell {
	s, n := e.padding(n)
	for range n {
		line = append(line, cell{r: ' ', cols: 1, style: s})
	}
	return line
}

// padding is the style and the number of the spaces that fill n columns.
func (e *Encoder) padding(n int) (Style, int) {
	var s Style
	if w := e.style.w(); w > 1 && n%w == 0 { // the size need not change in the middle of a line
		s.Width, s.Height, n = e.style.Width, e.style.Height, n/w
	} else if e.style.h() > 1 {
		s.Width, s.Height = 1, e.style.Height
	}
	return s, n
}

// Rule draws a line of c, an ASCII character, over the width of the paper.
func (e *Encoder) Rule(c byte) {
	e.endLine()
	if c <= 0x20 || c >= 0x7F {
		c = '-'
	}
	e.ink(Style{Bold: e.style.Bold})
	for range e.p.Columns {
		e.b = append(e.b, c)
	}
	e.endOfLine()
}

// Feed leaves n lines empty (at most 255); it ends the line in hand.
func (e *Encoder) Feed(n int) {
	e.endLine()
	n = min(n, 255)
	if n > 4 {
		e.b = append(e.b, esc, 'd', byte(n-1))
		n = 1
	}
	for range n {
		e.endOfLine()
	}
}

// Cut ends the line in hand and cuts in the model's form. The envelope of a job has its own cut.
func (e *Encoder) Cut() {
	e.endLine()
	e.b = AppendCut(e.b, e.p)
}

// Drawer opens the drawer on pin 2 or 5. Never inside a ticket.
func (e *Encoder) Drawer(pin int) {
	e.endLine()
	e.b = AppendDrawer(e.b, pin)
}

// Buzzer sounds the model's buzzer, if it has one.
func (e *Encoder) Buzzer(times int) {
	e.endLine()
	e.b = AppendBuzzer(e.b, e.p, times)
}

func (e *Encoder) endLine() {
	if len(e.line) > 0 {
		e.breakLine()
	}
}

func (e *Encoder) breakLine() {
	e.flow(e.line, nil, true)
	e.line = e.line[:0]
}

// flow prints text broken at words, every line but the first behind indent; when first is false the first one too. An
// indent of more than half the paper is left out.
func (e *Encoder) flow(text, indent []cell, first bool) {
	wide := cellsWidth(indent)
	if wide > e.p.Columns/2 {
		indent, wide = nil, 0
	}
	for {
		if first || wide == 0 {
			n, next := breakAt(text, e.p.Columns)
			e.emit(text[:n])
			text = text[next:]
		} else {
			n, next := breakAt(text, e.p.Columns-wide)
			e.whole = append(append(e.whole[:0], indent...), text[:n]...)
			e.emit(e.whole)
			text = text[next:]
		}
		if first = false; len(text) == 0 {
			return
		}
	}
}

// breakAt tells how many cells fit into columns and where the next line begins; it breaks behind a space or a hyphen
// where there is one, and always takes at least one cell.
func breakAt(line []cell, columns int) (n, next int) {
	w, good := 0, 0
	for i := range line {
		cw := line[i].width()
		if w+cw > columns {
			if line[i].r == ' ' {
				return i, skipSpaces(line, i)
			}
			if good > 0 {
				return trimRight(line, good), skipSpaces(line, good)
			}
			return max(i, 1), max(i, 1)
		}
		w += cw
		if line[i].r == ' ' && !leading(line[:i]) || line[i].r == '-' && i > 0 && i+1 < len(line) && line[i-1].r != ' ' && line[i-1].r != '-' {
			good = i + 1
		}
	}
	return len(line), len(line)
}

// leading reports that line is an indent: only spaces so far.
func leading(line []cell) bool {
	for i := range line {
		if line[i].r != ' ' {
			return false
		}
	}
	return true
}

func skipSpaces(line []cell, i int) int {
	for i < len(line) && line[i].r == ' ' {
		i++
	}
	return i
}

func trimRight(line []cell, n int) int {
	for n > 0 && line[n-1].r == ' ' {
		n--
	}
	return n
}

func trimCells(line []cell) []cell { return line[:trimRight(line, len(line))] }

func cellsWidth(line []cell) int {
	w := 0
	for i := range line {
		w += line[i].width()
	}
	return w
}

// emit writes one line that fits the paper. Alignment is spaces, not ESC a: it then fits the columns of the profile,
// whatever the printer's own idea of its width is.
func (e *Encoder) emit(line []cell) {
	if n := len(line); n > 0 && line[n-1].r == ' ' && !line[n-1].style.Alert && !line[n-1].style.Underline {
		line = trimCells(line)
	}
	plain := true
	for i := range line {
		c := &line[i]
		if c.draw {
			e.emitDrawn(line)
			return
		}
		plain = plain && (c.r < utf8.RuneSelf || c.r == nbsp || c.two)
	}
	if !plain {
		e.choosePages(line)
	}
	if e.align != AlignLeft && len(line) > 0 {
		e.ink(Style{})
		for range e.margin(cellsWidth(line)) {
			e.b = append(e.b, ' ')
		}
	}
	for i := range line {
		c := &line[i]
		if c.style != e.inked {
			e.ink(c.style)
		}
		if c.two != e.inTwo {
			e.two(c.two)
		}
		switch {
		case c.r < utf8.RuneSelf:
			e.b = append(e.b, byte(c.r))
		case c.two:
			e.b, _ = e.appendWide(e.b, c.r)
		case c.r == nbsp:
			e.b = append(e.b, ' ')
		default:
			page := int(c.page)
			e.use(page)
			b, ok := e.p.Pages[page].Byte(c.r)
			if !ok {
				b = c.alt
			}
			e.b = append(e.b, b)
		}
	}
	e.two(false)
	e.endOfLine()
}

// margin is the number of columns left of a line of that many.
func (e *Encoder) margin(wide int) int {
	switch e.align {
	case AlignCentre:
		return max(e.p.Columns-wide, 0) / 2
	case AlignRight:
		return max(e.p.Columns-wide, 0)
	}
	return 0
}

// use brings page i of the profile into force.
func (e *Encoder) use(i int) {
	if i != e.page {
		e.page = i
		e.b = append(e.b, esc, 't', e.p.Pages[i].Number)
	}
}

// ink brings a style into force.
func (e *Encoder) ink(s Style) {
	was := e.inked
	if s == was {
		return
	}
	e.inked = s
	sb, su, si, sr := e.looks(s)
	wb, wu, wi, wr := e.looks(was)
	if e.p.Sizes == SizeESC {
		var n byte
		for _, f := range []maskIf{{sb, 0x08}, {s.h() > 1, 0x10}, {s.w() > 1, 0x20}, {su, 0x80}} {
			if f.on {
				n |= f.mask
			}
		}
		e.b = append(e.b, esc, '!', n)
	} else {
		if s.w() != was.w() || s.h() != was.h() {
			e.b = append(e.b, gs, '!', byte(s.w()-1)<<4|byte(s.h()-1))
		}
		if sb != wb {
			e.b = append(e.b, esc, 'E', boolByte(sb))
		}
		if su != wu {
			e.b = append(e.b, esc, '-', boolByte(su))
		}
	}
	if si != wi {
		e.b = append(e.b, gs, 'B', boolByte(si))
	}
	if sr != wr {
		e.b = append(e.b, esc, 'r', boolByte(sr))
	}
}

// looks resolves a style into what the model can.
func (e *Encoder) looks(s Style) (bold, underline, inverse, red bool) {
	bold, underline = s.Bold, s.Underline
	if s.Alert {
		switch {
		case e.p.Inverse:
			inverse = true
		case e.p.Red:
			red, bold = true, true
		default:
			bold, underline = true, true
		}
	}
	return bold, underline, inverse, red
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
