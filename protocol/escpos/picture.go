package escpos

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
)

// The look of PNG, in dots of the printer.
const (
	deskMargin  = 16 // around the pieces of paper
	paperMargin = 28 // beside the print
	paperHead   = 30 // above the first line: blade to head
	paperFoot   = 26
	toothWidth  = 8     // of the cut edge
	symbolLine  = 28    // of the data in the box of a symbol
	maxHeight   = 30000 // rows; paper beyond is left out
)

const (
	colourDesk uint8 = iota
	colourShade
	colourPaper
	colourInk
	colourRed
	colourFaint
)

var palette = color.Palette{
	color.RGBA{0xE4, 0xE1, 0xDB, 0xFF},
	color.RGBA{0xC9, 0xC4, 0xBB, 0xFF},
	color.RGBA{0xFE, 0xFE, 0xFC, 0xFF},
	color.RGBA{0x1C, 0x1B, 0x1F, 0xFF},
	color.RGBA{0xC4, 0x1E, 0x2A, 0xFF},
	color.RGBA{0x9A, 0x96, 0x8E, 0xFF},
}

// PNG draws the paper, one dot of the printer a pixel, a piece for each ticket.
func (p *Paper) PNG(w io.Writer) error {
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, p.Image())
}

// Image is the picture that PNG writes.
func (p *Paper) Image() image.Image {
	printable := max(p.Columns*cellDots, p.Dots)
	width := printable + 2*paperMargin
	var heights []int
	total := deskMargin
	for _, t := range p.Tickets {
		h := paperHead + paperFoot
		for _, l := range t.Lines {
			h += max(l.Feed, 1)
		}
		h = min(h, maxHeight-total-deskMargin)
		if h < paperHead+paperFoot {
			break
		}
		heights = append(heights, h)
		total += h + deskMargin
	}
	if len(heights) == 0 {
		total += deskMargin
	}
	img := image.NewPaletted(image.Rect(0, 0, width+2*deskMargin, total), palette)
	c := canvas{img: img, left: deskMargin + paperMargin, width: printable}
	y := deskMargin
	for i, h := range heights {
		c.sheet(deskMargin, y, width, h, p.Tickets[i].Cut != "")
		at := y + paperHead
		for _, l := range p.Tickets[i].Lines {
			adv := max(l.Feed, 1)
			if at += adv; at > y+h-paperFoot {
				break
			}
			c.line(l, at-adv, adv)
		}
		y += h + deskMargin
	}
	return img
}

type canvas struct {
	img         *image.Paletted
	left, width int
}

func (c canvas) set(x, y int, v uint8) {
	if image.Pt(x, y).In(c.img.Rect) {
		c.img.Pix[y*c.img.Stride+x] = v
	}
}

func (c canvas) fill(x0, y0, w, h int, v uint8) {
	r := image.Rect(x0, y0, x0+w, y0+h).Intersect(c.img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.img.Pix[y*c.img.Stride+r.Min.X : y*c.img.Stride+r.Max.X]
		for i := range row {
			row[i] = v
		}
	}
}

// sheet draws a piece of paper with its shade; a cut leaves small teeth at both ends.
func (c canvas) sheet(x, y, w, h int, cut bool) {
	c.fill(x+3, y+4, w, h, colourShade)
	c.fill(x, y, w, h, colourPaper)
	for i := range w {
		tooth := toothWidth/2 - abs(i%toothWidth-toothWidth/2)
		for d := range tooth {
			c.set(x+i, y+d, colourDesk)
		}
		if cut {
			for d := range tooth {
				under := colourDesk
				if i > 3 && d < tooth-1 {
					under = colourShade
				}
				c.set(x+i, y+h-1-d, under)
			}
		}
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

func (c canvas) line(l Line, y, advance int) {
	if l.Symbol != "" {
		c.symbol(l, y, advance)
		return
	}
	if l.Image != nil {
		x := c.left + c.indent(l.Align, l.Image.Width)
		for iy := range l.Image.Height {
			for ix := range min(l.Image.Width, c.width) {
				if l.Image.At(ix, iy) {
					c.set(x+ix, y+iy, colourInk)
				}
			}
		}
		return
	}
	wide, tall := 0, 0
	for _, s := range l.Spans {
		wide += s.dots()
		tall = max(tall, s.Height*cellRows)
	}
	x := c.left + c.indent(l.Align, wide)
	for _, s := range l.Spans {
		x = c.span(s, x, y+advance-max(advance-tall, 0)/2)
	}
}

func (c canvas) indent(a Align, wide int) int {
	switch a {
	case AlignCentre:
		return max(c.width-wide, 0) / 2
	case AlignRight:
		return max(c.width-wide, 0)
	}
	return 0
}

// span draws text standing on the row above bottom and gives the place of what follows.
func (c canvas) span(s Span, x, bottom int) int {
	ink := colourInk
	if s.Red {
		ink = colourRed
	}
	if s.Inverse {
		c.fill(x, bottom-cellRows*s.Height, s.dots(), cellRows*s.Height, ink)
		ink = colourPaper
	}
	for _, r := range s.Text {
		cell := int(columnsOf(r)) * s.cell()
		m := character(r, s.Width, s.Height, s.Bold)
		at := x
		if cell == 0 {
			at -= m.Width
		}
		for gx := range max(cell, m.Width) {
			from := gx
			if s.Small {
				from = gx * cellDots / smallDots
			}
			for gy := range m.Height {
				if m.At(from, gy) {
					c.set(at+gx, bottom-m.Height+gy, ink)
				}
			}
		}
		x += cell
	}
	if s.Underline {
		c.fill(x-s.dots(), bottom-s.Height, s.dots(), s.Height, ink)
	}
	return x
}

// symbol draws a bar code or QR code as a box with its data in it: enough to see where it stands and what it holds.
func (c canvas) symbol(l Line, y, h int) {
	label := []rune(l.Symbol)
	w := min(max(len(label)*cellDots+24, h), c.width)
	x := c.left + c.indent(l.Align, w)
	for d := range 2 {
		c.frame(x+d, y+3+d, w-2*d, h-6-2*d, colourFaint)
	}
	per := max((w-24)/cellDots, 1)
	rows := min(int(math.Ceil(float64(len(label))/float64(per))), max((h-12)/symbolLine, 1))
	for i := range rows {
		part := label[i*per : min((i+1)*per, len(label))]
		s := Span{Text: string(part), Width: 1, Height: 1}
		c.span(s, x+(w-s.dots())/2, y+(h-rows*symbolLine)/2+(i+1)*symbolLine-2)
	}
}

func (c canvas) frame(x, y, w, h int, v uint8) {
	c.fill(x, y, w, 1, v)
	c.fill(x, y+h-1, w, 1, v)
	c.fill(x, y, 1, h, v)
	c.fill(x+w-1, y, 1, h, v)
}
