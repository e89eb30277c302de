package escpos

const (
	cellDots  = 12 // width of font A at 203 and 180 dpi
	cellRows  = 24 // height of font A
	sliceRows = 32 // a broken connection then costs one slice, and small buffers hold it (escpos.md 6)
)

// emitDrawn prints a line as a picture, because no code page holds all of it (escpos.md 3.4).
func (e *Encoder) emitDrawn(line []cell) {
	if e.p.Strips {
		e.emitNeedles(line)
		return
	}
	line, right := visualOrder(line)
	height, w := 1, 0
	for i := range line {
		height = max(height, line[i].style.h())
		w += line[i].width() * cellDots
	}
	left := e.drawnMargin((w+cellDots-1)/cellDots, right) * cellDots
	w = min(w, e.p.Dots)
	m := NewBitmap((left+w+7)/8*8, max(height*cellRows, e.p.LineHeight))
	bottom := m.Height - max(m.Height-height*cellRows, 0)/2
	x := left
	for i := range line {
		c := &line[i]
		bold, underline, inverse, _ := e.looks(c.style)
		g := character(c.r, c.style.w(), c.style.h(), bold)
		at := x
		if c.cols == 0 { // over the character before
			at = x - g.Width
		}
		m.place(g, at, bottom-g.Height, c.width()*cellDots, underline, inverse, c.style.h())
		x += c.width() * cellDots
	}
	e.ink(Style{})
	e.raster(m)
}

// drawnMargin is margin for a line that may begin at the right edge.
func (e *Encoder) drawnMargin(wide int, right bool) int {
	if right && e.align == AlignLeft {
		return max(e.p.Columns-wide, 0)
	}
	return e.margin(wide)
}

// place draws g with its lower edge on the line's, a cell of w dots wide.
func (m Bitmap) place(g Bitmap, x, y, w int, underline, inverse bool, h int) {
	for gy := range g.Height {
		for gx := range g.Width {
			if g.At(gx, gy) {
				m.Set(x+gx, y+gy)
			}
		}
		if underline && gy >= g.Height-2*h {
			for gx := range w {
				m.Set(x+gx, y+gy)
			}
		}
		if inverse {
			for gx := range w {
				m.flip(x+gx, y+gy)
			}
		}
	}
}

// Raster prints a picture where Align says, cut to the paper's width; impact models print it coarser, and models that
// cannot print any get nothing. It ends the line in hand.
func (e *Encoder) Raster(m Bitmap) {
	e.endLine()
	if m.Width <= 0 || m.Height <= 0 || !e.p.Raster && !e.p.Strips {
		return
	}
	e.ink(Style{})
	left := 0
	switch free := max(e.p.Dots-m.Width, 0); e.align {
	case AlignCentre:
		left = free / 2
	case AlignRight:
		left = free
	}
	if left > 0 {
		moved := NewBitmap(left+m.Width, m.Height)
		for y := range m.Height {
			for x := range m.Width {
				if m.At(x, y) {
					moved.Set(left+x, y)
				}
			}
		}
		m = moved
	}
	if e.p.Strips {
		e.strips(m.coarse())
		return
	}
	e.raster(m)
}

// raster sends m as GS v 0, sliced.
func (e *Encoder) raster(m Bitmap) {
	if e.p.Pulses && !e.guard {
		e.guard = true
		e.b = append(e.b, gs, '(', 'D', 5, 0, 20, 1, 0, 2, 0)
	}
	stride := m.Stride()
	n := min(stride, (e.p.Dots+7)/8)
	for y := 0; y < m.Height; y += sliceRows {
		rows := min(sliceRows, m.Height-y)
		e.b = append(e.b, gs, 'v', '0', 0, byte(n), byte(n>>8), byte(rows), 0)
		start := len(e.b)
		for i := range rows {
			e.b = append(e.b, m.Bits[(y+i)*stride:][:n]...)
		}
		disarm(e.b[start:])
	}
}

// disarm changes a dot wherever picture data would read as the start of a real-time command: printers act on it even
// there (escpos.md 17).
func disarm(data []byte) {
	for i := 0; i+1 < len(data); i++ {
		if data[i] == dle && (data[i+1] == eot || data[i+1] == enq || data[i+1] == dc4) {
			data[i] = 0x18
		}
	}
}
