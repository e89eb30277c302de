package escpos

import (
	"image/color"

	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/image/math/fixed"
)

// A glyph is a character of the bundled font: 6 or 12 dots by 16, the base line under row 12.
type glyph struct {
	w    int
	rows [glyphRows]uint16 // leftmost dot in bit 15
}

const (
	glyphRows = 16
	glyphTop  = 2 // rows above the accents
)

// glyphOf draws r; false when the font has no ink for it.
func glyphOf(r rune) (glyph, bool) {
	var g glyph
	dr, mask, at, _, ok := bitmapfont.Face.Glyph(fixed.P(0, 0), r)
	if !ok {
		return g, false
	}
	g.w = min(dr.Dx(), 12)
	ink := false
	for y := range glyphRows {
		for x := range g.w {
			if c, _ := mask.At(at.X+x, at.Y+y).(color.Alpha); c.A != 0 {
				g.rows[y] |= 0x8000 >> x
				ink = true
			}
		}
	}
	return g, ink
}

// A Bitmap is a picture of dots, 1 black, rows padded to bytes, leftmost dot in the high bit: as GS v 0 has it.
type Bitmap struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bits   []byte `json:"bits"`
}

// NewBitmap makes a white picture.
func NewBitmap(w, h int) Bitmap {
	return Bitmap{Width: w, Height: h, Bits: make([]byte, (w+7)/8*h)}
}

// Stride is the number of bytes in a row.
func (m Bitmap) Stride() int { return (m.Width + 7) / 8 }

// At reports a black dot; outside all is white.
func (m Bitmap) At(x, y int) bool {
	if x < 0 || y < 0 || x >= m.Width || y >= m.Height {
		return false
	}
	return m.Bits[y*m.Stride()+x/8]&(0x80>>(x%8)) != 0
}

// Set makes a dot black; outside nothing happens.
func (m Bitmap) Set(x, y int) {
	if x >= 0 && y >= 0 && x < m.Width && y < m.Height {
		m.Bits[y*m.Stride()+x/8] |= 0x80 >> (x % 8)
	}
}

func (m Bitmap) flip(x, y int) {
	if x >= 0 && y >= 0 && x < m.Width && y < m.Height {
		m.Bits[y*m.Stride()+x/8] ^= 0x80 >> (x % 8)
	}
}

// cell is the part of the glyph that fills a cell of font A, twelve of the font's rows, which hold accents and
// descenders, at twice the size by the rule of Bitmap.double, a row of dots at a time.
func (g glyph) cell() Bitmap {
	m := NewBitmap(2*g.w, cellRows)
	stride := m.Stride()
	var above uint16
	for y := range cellRows / 2 {
		p, below := g.rows[y+glyphTop], uint16(0)
		if y+1 < cellRows/2 {
			below = g.rows[y+1+glyphTop]
		}
		left, right := p>>1, p<<1
		corner := (above ^ below) & (left ^ right)
		pick := func(v, h uint16) uint16 { // the neighbours v and h win where they agree
			c := corner &^ (v ^ h)
			return p&^c | v&c
		}
		for i, row := range [2]uint32{
			spread(pick(above, left)) | spread(pick(above, right))>>1,
			spread(pick(below, left)) | spread(pick(below, right))>>1,
		} {
			for x := range stride {
				m.Bits[(2*y+i)*stride+x] = byte(row >> (24 - 8*x))
			}
		}
		above = p
	}
	return m
}

// spread puts the dots of v into every second of 32.
func spread(v uint16) uint32 {
	x := uint32(v)
	x = (x | x<<8) & 0x00FF00FF
	x = (x | x<<4) & 0x0F0F0F0F
	x = (x | x<<2) & 0x33333333
	x = (x | x<<1) & 0x55555555
	return x << 1
}

// double is m at twice the size with its corners rounded (the Scale2x rule), so that large letters do not look like
// stairs.
func (m Bitmap) double() Bitmap {
	d := NewBitmap(2*m.Width, 2*m.Height)
	for y := range m.Height {
		for x := range m.Width {
			p, a, b, c, e := m.At(x, y), m.At(x, y-1), m.At(x+1, y), m.At(x-1, y), m.At(x, y+1)
			dot := [4]bool{p, p, p, p}
			if a != e && c != b {
				if c == a {
					dot[0] = a
				}
				if a == b {
					dot[1] = b
				}
				if c == e {
					dot[2] = c
				}
				if b == e {
					dot[3] = e
				}
			}
			for i, on := range dot {
				if on {
					d.Set(2*x+i%2, 2*y+i/2)
				}
			}
		}
	}
	return d
}

// stretch repeats the dots of m w times across and h times down.
func (m Bitmap) stretch(w, h int) Bitmap {
	if w == 1 && h == 1 {
		return m
	}
	d := NewBitmap(m.Width*w, m.Height*h)
	for y := range d.Height {
		for x := range d.Width {
			if m.At(x/w, y/h) {
				d.Set(x, y)
			}
		}
	}
	return d
}

// character draws r in a cell of font A, 12 by 24 dots (24 by 24 for wide ones), magnified w by h; bold is struck twice.
// What the font lacks is an empty box.
func character(r rune, w, h int, bold bool) Bitmap {
	g, ok := glyphOf(r)
	if !ok && r != ' ' && r != '\u00A0' && columnsOf(r) > 0 {
		g = glyph{w: 6}
		for y := 3; y < 13; y++ {
			g.rows[y] = 0x8800
		}
		g.rows[3], g.rows[12] = 0xF800, 0xF800
	}
	m := g.cell()
	for w%2 == 0 && h%2 == 0 {
		m, w, h = m.double(), w/2, h/2
	}
	m = m.stretch(w, h)
	if bold {
		d := NewBitmap(m.Width, m.Height)
		strike := 1 + m.Width/36
		for y := range m.Height {
			for x := range m.Width {
				if m.At(x, y) || m.At(x-1, y) || m.At(x-strike, y) {
					d.Set(x, y)
				}
			}
		}
		m = d
	}
	return m
}
