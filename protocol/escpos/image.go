package escpos

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// MaxImage bounds a picture to be printed, in dots before it is made smaller.
const MaxImage = 16 << 20

// Dither makes a picture of dots, width dots wide and as high as keeps its proportions; 0 keeps its size. Transparent
// becomes white. It takes milliseconds: logos are made once, not with each ticket.
func Dither(img image.Image, width int) (Bitmap, error) {
	b := img.Bounds()
	if b.Empty() || b.Dx() > MaxImage/b.Dy() {
		return Bitmap{}, fmt.Errorf("picture of %d by %d: it is empty or larger than %d dots", b.Dx(), b.Dy(), MaxImage)
	}
	if width <= 0 {
		width = b.Dx()
	}
	height := max((b.Dy()*width+b.Dx()/2)/b.Dx(), 1)
	if width > MaxImage/height {
		return Bitmap{}, fmt.Errorf("picture of %d by %d is too large on paper", width, height)
	}
	grey := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(grey, grey.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(grey, grey.Rect, img, b, draw.Over, nil)
	dots := image.NewPaletted(grey.Rect, color.Palette{color.White, color.Black})
	draw.FloydSteinberg.Draw(dots, dots.Rect, grey, image.Point{})
	m := NewBitmap(width, height)
	for y := range height {
		for x := range width {
			if dots.Pix[y*dots.Stride+x] == 1 {
				m.Set(x, y)
			}
		}
	}
	return m, nil
}

// stripRows are the rows of a band of the print head of an impact model.
const stripRows = 8

// strips sends m as bands of eight dots, ESC * at double density, and feeds just as much after each (escpos.md 6, 16.3).
// Its rows are those of the print head, three times as coarse as its columns.
func (e *Encoder) strips(m Bitmap) {
	wide := min(m.Width, e.p.Dots)
	for wide > 0 && m.emptyColumn(wide-1) {
		wide--
	}
	e.b = append(e.b, esc, '3', 16) // 8 dots at 1/72", in units of 1/144"
	for y := 0; y < m.Height; y += stripRows {
		if wide > 0 {
			e.b = append(e.b, esc, '*', 1, byte(wide), byte(wide>>8))
			start := len(e.b)
			for x := range wide {
				var b byte
				for i := range stripRows {
					if m.At(x, y+i) {
						b |= 0x80 >> i
					}
				}
				e.b = append(e.b, b)
			}
			disarm(e.b[start:])
		}
		e.b = append(e.b, lf)
	}
	e.b = append(e.b, esc, '2')
	e.lf = -1
}

func (m Bitmap) emptyColumn(x int) bool {
	for y := range m.Height {
		if m.At(x, y) {
			return false
		}
	}
	return true
}

// coarse is m with one row for three.
func (m Bitmap) coarse() Bitmap {
	d := NewBitmap(m.Width, (m.Height+2)/3)
	for y := range d.Height {
		for x := range m.Width {
			n := 0
			for i := range 3 {
				if m.At(x, 3*y+i) {
					n++
				}
			}
			if n >= 2 || n == 1 && m.At(x, 3*y+1) {
				d.Set(x, y)
			}
		}
	}
	return d
}

// needle draws r as the head of an impact model does: the bundled font's own rows, each of its dots two columns wide.
func needle(r rune, w, h int, bold bool) Bitmap {
	g, ok := glyphOf(r)
	if !ok {
		g.w = 6 * int(columnsOf(r))
	}
	m := NewBitmap(2*g.w*w, glyphRows*h)
	for y := range m.Height {
		for x := range m.Width {
			if g.rows[y/h]&(0x8000>>(x/w/2)) != 0 {
				m.Set(x, y)
				if bold {
					m.Set(x+1, y)
				}
			}
		}
	}
	return m
}

// emitNeedles is emitDrawn for impact models. Sizes stay as they are; the line is two bands high at normal size.
func (e *Encoder) emitNeedles(line []cell) {
	line, right := visualOrder(line)
	height, w, alert := 1, 0, false
	for i := range line {
		height = max(height, line[i].style.h())
		w += line[i].width() * cellDots
		alert = alert || line[i].style.Alert
	}
	left := e.drawnMargin((w+cellDots-1)/cellDots, right) * cellDots
	m := NewBitmap(min(left+w, e.p.Dots), height*glyphRows)
	x := left
	for i := range line {
		c := &line[i]
		bold, underline, _, _ := e.looks(c.style)
		g := needle(c.r, c.style.w(), c.style.h(), bold)
		at := x
		if c.cols == 0 {
			at = x - g.Width
		}
		m.place(g, at, m.Height-g.Height, c.width()*cellDots, underline, false, 1)
		x += c.width() * cellDots
	}
	e.ink(Style{Alert: alert && e.p.Red})
	e.strips(m)
}
