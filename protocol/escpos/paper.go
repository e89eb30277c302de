package escpos

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Paper is what came out of a printer.
type Paper struct {
	Model   string   `json:"model"`
	Columns int      `json:"columns"`
	Dots    int      `json:"dots"`
	Tickets []Ticket `json:"tickets"`
	// Lost is text that never reached the paper: no line feed came before the end, or ESC @ threw it away.
	Lost []string `json:"lost,omitempty"`
	// Unknown names the commands that were skipped by rule, each once.
	Unknown []string `json:"unknown,omitempty"`
	Drawer  int      `json:"drawer,omitempty"` // pulses
	Buzzer  int      `json:"buzzer,omitempty"` // commands
	// Truncated says that more came than MaxLines or maxInk and was left out.
	Truncated bool `json:"truncated,omitempty"`
}

// A Ticket is a piece of paper: what stands between two cuts. The last one of a Paper may have no cut.
type Ticket struct {
	Lines []Line `json:"lines"`
	Cut   string `json:"cut,omitempty"` // "partial", "full"
}

// A Line is one line of text, a picture, or a symbol.
type Line struct {
	Align  Align   `json:"align,omitempty"`
	Spans  []Span  `json:"spans,omitempty"`
	Image  *Bitmap `json:"image,omitempty"`
	Symbol string  `json:"symbol,omitempty"` // kind and data of a bar code or QR code
	Feed   int     `json:"feed"`             // dots from this line to the next
}

// A Span is text of one look.
type Span struct {
	Text      string `json:"text"`
	Bold      bool   `json:"bold,omitempty"`
	Underline bool   `json:"underline,omitempty"`
	Inverse   bool   `json:"inverse,omitempty"`
	Red       bool   `json:"red,omitempty"`
	Small     bool   `json:"small,omitempty"` // font B
	Width     int    `json:"width"`           // factors
	Height    int    `json:"height"`
}

// dots is the width of s on paper.
func (s Span) dots() int { return Columns(s.Text) * s.cell() }

func (s Span) cell() int {
	if s.Small {
		return smallDots * s.Width
	}
	return cellDots * s.Width
}

const smallDots = 9 // width of font B

// Text is the text of the line without its looks.
func (l Line) Text() string {
	var b strings.Builder
	for _, s := range l.Spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// MaxPicture bounds a picture that Render keeps, in bytes; a larger one is shown as its size.
const MaxPicture = 1 << 20

// Bounds of one Paper: three bytes of a hostile stream make 255 lines.
const (
	MaxLines = 50_000 // lines and cuts
	maxInk   = 16 << 20
	maxNotes = 64 // entries of Lost and Unknown
)

// Render shows what a stream would put on the paper of a model.
func Render(stream []byte, p Profile) *Paper {
	t := Tokenizer{Limit: MaxPicture}
	press := NewPress(p)
	t.Feed(stream, press.Print)
	return press.Finish()
}

// A Press is the mechanism of a printer: it takes the tokens of a stream in order and puts lines on paper.
type Press struct {
	p     Profile
	paper Paper
	lines []Line // of the ticket in hand
	kept  int    // lines and cuts held
	ink   int    // bytes of pictures held

	// the line in hand
	spans []Span
	text  []byte
	used  int // dots
	image *Bitmap

	page       *CodePage
	national   byte // ESC R
	two, utf8  bool // FS &, FS ( C
	half       []byte
	bold, dual bool
	underline  bool
	inverse    bool
	red        bool
	small      bool
	w, h       int
	align      Align
	spacing    int     // dots
	symbol     string  // GS ( k
	stored     *Bitmap // GS ( L
}

// NewPress makes a printer's mechanism, freshly switched on.
func NewPress(p Profile) *Press {
	r := &Press{p: p, paper: Paper{Model: p.Name, Columns: p.Columns, Dots: p.Dots}}
	r.reset()
	return r
}

// reset is ESC @.
func (r *Press) reset() {
	r.page = nil
	r.selectPage(0)
	r.national, r.bold, r.dual, r.underline, r.inverse, r.red, r.small = 0, false, false, false, false, false, false
	r.w, r.h, r.align, r.spacing = 1, 1, AlignLeft, r.p.LineHeight
	r.symbol, r.stored = "", nil
	r.two, r.utf8, r.half = false, false, r.half[:0]
}

// selectPage is ESC t.
func (r *Press) selectPage(n byte) {
	if r.page = r.p.Page(n); r.page == nil {
		r.page = pageByNumber(n)
	}
}

// Finish gives the paper as it is when the stream has ended.
func (r *Press) Finish() *Paper {
	r.lose()
	if len(r.lines) > 0 {
		r.paper.Tickets = append(r.paper.Tickets, Ticket{Lines: r.lines})
		r.lines = nil
	}
	return &r.paper
}

// Take gives the tickets cut since the last call and forgets them, for a printer that runs for long.
func (r *Press) Take() []Ticket {
	t := r.paper.Tickets
	r.paper.Tickets = nil
	r.kept, r.ink = len(r.lines), 0
	for i := range r.lines {
		if m := r.lines[i].Image; m != nil {
			r.ink += len(m.Bits)
		}
	}
	return t
}

// Lines is what stands on the paper after the last cut. It is valid until the next Print.
func (r *Press) Lines() []Line { return r.lines }

// Composed is the text of the line in hand, which is not on paper yet.
func (r *Press) Composed() string {
	r.endSpan()
	return Line{Spans: r.spans}.Text()
}

func (r *Press) lose() {
	if s := r.Composed(); s != "" && len(r.paper.Lost) < maxNotes {
		r.paper.Lost = append(r.paper.Lost, s)
	}
	r.spans, r.used, r.image = nil, 0, nil
}

// Print executes one token.
func (r *Press) Print(t Token) {
	switch t.Kind {
	case TokenText:
		for _, b := range t.Bytes {
			if (r.two || r.utf8) && (b >= 0x80 || len(r.half) > 0) {
				if c, ok := r.readWide(b); ok {
					r.char(c)
				}
				continue
			}
			r.char(r.read(b))
		}
	case TokenCommand:
		if !t.Known {
			r.unknown(t.Name)
			return
		}
		r.command(t)
	}
}

func (r *Press) unknown(name string) {
	for _, n := range r.paper.Unknown {
		if n == name {
			return
		}
	}
	if len(r.paper.Unknown) < maxNotes {
		r.paper.Unknown = append(r.paper.Unknown, name)
	}
}

// read is the character of a byte under ESC R and ESC t.
func (r *Press) read(b byte) rune {
	if b < 0x7F {
		if r.national != 0 {
			return nationalRune(r.national, b)
		}
		return rune(b)
	}
	if r.page == nil || b == 0x7F {
		return '\uFFFD'
	}
	return r.page.Rune(b)
}

func (r *Press) char(c rune) {
	look := r.look()
	dots := int(columnsOf(c)) * look.cell()
	if r.used+dots > r.p.Columns*cellDots {
		r.newline(0)
	}
	if n := len(r.spans); n == 0 || r.spans[n-1] != look { // a closed span has its text and differs
		r.endSpan()
		r.spans = append(r.spans, look)
	}
	r.text = utf8.AppendRune(r.text, c)
	r.used += dots
}

// look is an open span: its text is still in r.text.
func (r *Press) look() Span {
	return Span{Bold: r.bold || r.dual, Underline: r.underline, Inverse: r.inverse, Red: r.red, Small: r.small, Width: r.w, Height: r.h}
}

func (r *Press) endSpan() {
	if n := len(r.spans); n > 0 && r.spans[n-1].Text == "" {
		r.spans[n-1].Text = string(r.text)
		r.text = r.text[:0]
	}
}

// newline prints the line in hand and feeds; 0 dots means the line spacing.
func (r *Press) newline(dots int) {
	r.endSpan()
	if r.image != nil {
		r.add(Line{Align: r.align, Image: r.image, Feed: r.image.Height})
		r.image = nil
		if len(r.spans) == 0 {
			return
		}
	}
	if dots == 0 {
		dots = r.spacing
	}
	for _, s := range r.spans {
		dots = max(dots, s.Height*r.p.CellHeight)
	}
	r.add(Line{Align: r.align, Spans: r.spans, Feed: dots})
	r.spans, r.used = nil, 0
}

func (r *Press) add(l Line) {
	if l.Image != nil && r.ink+len(l.Image.Bits) > maxInk {
		l = Line{Symbol: fmt.Sprintf("picture %d x %d", l.Image.Width, l.Image.Height), Feed: l.Feed}
		r.paper.Truncated = true
	}
	if r.kept >= MaxLines {
		r.paper.Truncated = true
		return
	}
	r.kept++
	if l.Image != nil {
		r.ink += len(l.Image.Bits)
	}
	r.lines = append(r.lines, l)
}

// flush prints the line in hand if there is one: a block command does.
func (r *Press) flush() {
	if len(r.spans) > 0 || r.image != nil {
		r.newline(0)
	}
}

// vmu turns vertical motion units into dots: two a dot (escpos.md 1).
func vmu(n byte) int { return (int(n) + 1) / 2 }

func (r *Press) command(t Token) {
	arg := func(i int) byte {
		if i < len(t.Args) {
			return t.Args[i]
		}
		return 0
	}
	on := arg(0)&1 == 1
	switch t.Name {
	case "LF":
		r.newline(0)
	case "FF":
		r.flush()
	case "HT":
		cell := r.look().cell()
		if n := 8 - r.used/cell%8; r.used+n*cell <= r.p.Columns*cellDots { // a stop beyond the edge is none
			for range n {
				r.char(' ')
			}
		}
	case "ESC @":
		r.lose()
		r.reset()
	case "ESC t":
		r.selectPage(arg(0))
	case "ESC R":
		r.national = arg(0)
	case "FS &":
		r.two, r.half = true, r.half[:0]
	case "FS .":
		r.two, r.half = false, r.half[:0]
	case "FS ( C":
		if arg(0) == 0x30 {
			r.utf8, r.half = arg(1) == 2 || arg(1) == '2', r.half[:0]
		}
	case "ESC !":
		n := arg(0)
		r.small, r.bold, r.underline = n&0x01 != 0, n&0x08 != 0, n&0x80 != 0
		r.w, r.h = 1+int(n>>5&1), 1+int(n>>4&1)
	case "ESC M":
		r.small = arg(0)&0x0F == 1
	case "GS !":
		r.w, r.h = 1+int(arg(0)>>4&7), 1+int(arg(0)&7)
	case "ESC E":
		r.bold = on
	case "ESC G":
		r.dual = on
	case "ESC -":
		r.underline = arg(0)&3 != 0
	case "GS B":
		r.inverse = on
	case "ESC r":
		r.red = on
	case "ESC a":
		if len(r.spans) == 0 {
			r.align = Align(min(arg(0)&0x0F, 2))
		}
	case "ESC 2":
		r.spacing = r.p.LineHeight
	case "ESC 3":
		r.spacing = vmu(arg(0))
	case "ESC d":
		n := int(arg(0))
		if n > 0 {
			r.newline(0)
			for range n - 1 {
				r.add(Line{Feed: max(r.spacing, 1)})
			}
		} else {
			r.flush()
		}
	case "ESC J":
		r.newline(max(vmu(arg(0)), 1))
	case "GS V":
		r.cut(arg(0), arg(1))
	case "ESC i":
		r.cut(0, 0)
	case "ESC m":
		r.cut(1, 0)
	case "ESC p":
		r.paper.Drawer++
	case "ESC B", "ESC ( A", "BEL":
		r.paper.Buzzer++
	case "GS v 0":
		r.flush()
		mode, w, h := arg(0), (int(arg(1))|int(arg(2))<<8)*8, int(arg(3))|int(arg(4))<<8
		if t.More > 0 {
			r.add(Line{Symbol: fmt.Sprintf("picture %d x %d", w, h), Feed: r.spacing})
			return
		}
		r.picture(Bitmap{Width: w, Height: h, Bits: append([]byte(nil), t.Args[5:]...)}, 1+int(mode&1), 1+int(mode>>1&1))
	case "ESC *":
		if t.More == 0 {
			r.strip(t.Args)
		}
	case "GS ( L", "GS 8 L":
		if t.More == 0 {
			r.graphics(t.Args)
		}
	case "GS ( k":
		r.symbol2D(t.Args)
	case "GS k":
		r.barcode(t.Args)
	}
}

func (r *Press) picture(m Bitmap, w, h int) {
	if m.Width == 0 || m.Height == 0 || len(m.Bits) < m.Stride()*m.Height {
		return
	}
	if w*m.Width > 2*r.p.Dots+64 || m.Height*h*r.p.Dots > 8*MaxPicture {
		r.add(Line{Symbol: fmt.Sprintf("picture %d x %d", m.Width*w, m.Height*h), Feed: r.spacing})
		return
	}
	m = m.stretch(w, h)
	r.add(Line{Align: r.align, Image: &m, Feed: m.Height})
}

// strip is ESC * : a band of 8 or 24 dots in the line in hand.
func (r *Press) strip(a []byte) {
	if len(a) < 3 {
		return
	}
	bytes, tall, wide := 1, 3, 2 // 8-dot bands are three times as coarse
	switch a[0] {
	case 1:
		wide = 1
	case 32:
		bytes, tall = 3, 1
	case 33:
		bytes, tall, wide = 3, 1, 1
	}
	n := min(int(a[1])|int(a[2])<<8, (len(a)-3)/bytes, r.p.Dots/wide+1)
	m := NewBitmap(n*wide, bytes*8*tall)
	for x := range n {
		for y := range bytes * 8 {
			if a[3+x*bytes+y/8]&(0x80>>(y%8)) == 0 {
				continue
			}
			for i := range wide * tall {
				m.Set(x*wide+i%wide, y*tall+i/wide)
			}
		}
	}
	if n > 0 && (r.image == nil || r.image.Width < r.p.Dots) { // what lies beyond the edge is lost
		if r.image != nil {
			m = beside(*r.image, m)
		}
		r.image = &m
	}
}

// beside joins two bands of one line.
func beside(a, b Bitmap) Bitmap {
	m := NewBitmap(a.Width+b.Width, max(a.Height, b.Height))
	for y := range m.Height {
		for x := range m.Width {
			if a.At(x, y) || b.At(x-a.Width, y) {
				m.Set(x, y)
			}
		}
	}
	return m
}

// graphics is GS ( L: functions 112 (store) and 50 (print); the others leave no ink.
func (r *Press) graphics(a []byte) {
	if len(a) < 2 {
		return
	}
	switch a[1] {
	case 112:
		if len(a) < 10 {
			return
		}
		m := Bitmap{Width: int(a[6]) | int(a[7])<<8, Height: int(a[8]) | int(a[9])<<8, Bits: append([]byte(nil), a[10:]...)}
		if m.Width > 0 && m.Width <= 2*r.p.Dots+64 && len(m.Bits) >= m.Stride()*m.Height && a[3] <= 2 && a[4] <= 2 {
			m = m.stretch(int(max(a[3], 1)), int(max(a[4], 1)))
			r.stored = &m
		}
	case 2, 50:
		if r.stored != nil {
			r.flush()
			r.picture(*r.stored, 1, 1)
			r.stored = nil
		}
	}
}

// symbol2D is GS ( k: a stored symbol is shown by its data.
func (r *Press) symbol2D(a []byte) {
	if len(a) < 2 {
		return
	}
	kind, ok := map[byte]string{48: "PDF417", 49: "QR", 50: "MaxiCode", 51: "DataBar", 52: "Composite", 53: "Aztec", 54: "DataMatrix"}[a[0]]
	if !ok {
		return
	}
	switch a[1] {
	case 80:
		r.symbol = kind + " " + printable(a[min(3, len(a)):])
	case 81:
		if strings.HasPrefix(r.symbol, kind+" ") {
			r.flush()
			r.add(Line{Align: r.align, Symbol: r.symbol, Feed: 6 * r.p.LineHeight})
		}
	}
}

// barcode is GS k in both forms.
func (r *Press) barcode(a []byte) {
	if len(a) < 1 {
		return
	}
	kinds := []string{"UPC-A", "UPC-E", "EAN-13", "EAN-8", "Code 39", "ITF", "Codabar", "Code 93", "Code 128", "GS1-128", "DataBar", "DataBar", "DataBar", "DataBar", "Code 128"}
	m, data := int(a[0]), a[1:]
	if m >= 65 {
		m -= 65
		data = data[min(1, len(data)):]
	} else if n := len(data); n > 0 && data[n-1] == nul {
		data = data[:n-1]
	}
	if m < len(kinds) {
		r.flush()
		r.add(Line{Align: r.align, Symbol: kinds[m] + " " + printable(data), Feed: 4 * r.p.LineHeight})
	}
}

// printable shows data that came with a symbol.
func printable(b []byte) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7F {
			return '·'
		}
		return c
	}, strings.ToValidUTF8(string(b), "·"))
}

// cut ends a ticket. Feeding is part of the forms A, B and their like.
func (r *Press) cut(m, n byte) {
	r.flush()
	if m >= 'A' && n > 0 {
		r.add(Line{Feed: vmu(n)})
	}
	if r.kept >= MaxLines {
		r.paper.Truncated = true
		return
	}
	r.kept++
	kind := "full"
	if m == 1 || m == '1' || m == 'B' || m == 'b' || m == 'h' {
		kind = "partial"
	}
	r.paper.Tickets = append(r.paper.Tickets, Ticket{Lines: r.lines, Cut: kind})
	r.lines = nil
}

// nationalRune is ESC R n: twelve ASCII positions differ by country (escpos.md 3.1).
func nationalRune(n, b byte) rune {
	const positions = "#$@[\\]^`{|}~"
	sets := [...]string{
		"#$@[\\]^`{|}~", "#$à°ç§^`éùè¨", "#$§ÄÖÜ^`äöüß", "£$@[\\]^`{|}~", "#$@ÆØÅ^`æøå~", "#¤ÉÄÖÅÜéäöåü", "#$@°\\é^ùàòèì", "₧$@¡Ñ¿^`¨ñ}~",
		"#$@[¥]^`{|}~", "#¤ÉÆØÅÜéæøåü", "#$ÉÆØÅÜéæøåü", "#$á¡Ñ¿é`íñóú", "#$á¡Ñ¿éüíñóú", "#$@[₩]^`{|}~", "#$ŽŠĐĆČžšđćč", "#¥@[\\]^`{|}~",
	}
	i := strings.IndexByte(positions, b)
	if i < 0 || int(n) >= len(sets) {
		return rune(b)
	}
	return []rune(sets[n])[i]
}

// Text shows the paper for a person and for grep. Before the bar stands what plain text cannot show: the size where it is
// not 1x1, and an exclamation mark for white on black or red. A cut is a dashed line with scissors.
func (p *Paper) Text() string {
	var b strings.Builder
	for _, t := range p.Tickets {
		for _, l := range t.Lines {
			p.textLine(&b, l)
		}
		if t.Cut != "" {
			b.WriteString("    " + strings.Repeat("- ", max(p.Columns/4-1, 3)) + "8< " + strings.TrimRight(strings.Repeat("- ", max(p.Columns/4-1, 3)), " ") + "\n")
		}
	}
	if p.Truncated {
		b.WriteString("    (more came and is left out)\n")
	}
	for _, s := range p.Lost {
		fmt.Fprintf(&b, "    (not printed, no line feed came: %q)\n", s)
	}
	return b.String()
}

func (p *Paper) textLine(b *strings.Builder, l Line) {
	body, size, mark, cols := l.Text(), "   ", " ", 0
	for _, s := range l.Spans {
		cols += (s.dots() + cellDots - 1) / cellDots
		if s.Width > 1 || s.Height > 1 {
			if strings.TrimSpace(s.Text) != "" {
				size = fmt.Sprintf("%dx%d", s.Width, s.Height)
			}
		}
		if s.Inverse || s.Red {
			mark = "!"
		}
	}
	switch {
	case l.Image != nil:
		body = fmt.Sprintf("[picture %d x %d]", l.Image.Width, l.Image.Height)
		cols = (l.Image.Width + cellDots - 1) / cellDots
	case l.Symbol != "":
		body = "[" + l.Symbol + "]"
		cols = Columns(body)
	}
	left := 0
	switch l.Align {
	case AlignCentre:
		left = max(p.Columns-cols, 0) / 2
	case AlignRight:
		left = max(p.Columns-cols, 0)
	}
	line := size + mark + "|" + strings.Repeat(" ", left) + body
	b.WriteString(strings.TrimRight(line, " "))
	b.WriteByte('\n')
}
