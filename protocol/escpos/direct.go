package escpos

import "strings"

// Most lines of most tickets are ASCII and letters of the page in force, in one style, and shorter than the paper is wide.
// They need no cells: the bytes go straight into the stream, and are those that the long way would give.

// columns is the width of s in characters when each of them is printable ASCII or a letter of the page in force; ok is
// false when the long way has to look at it.
func (e *Encoder) columns(s string) (n int, ok bool) {
	if e.careful {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c-0x20 < 0x5F {
			n++
			continue
		}
		size := 0
		switch {
		case e.page < 0:
		case c >= 0xC3 && c <= 0xC5 && i+1 < len(s) && e.near(c, s[i+1]) != 0:
			size = 2 // U+00C0 to U+017F
		case c == 0xC2 || c == 0xE2:
			if b := e.sign(s[i:]); b != 0 {
				size = 2 + int(c>>5&1)
			}
		}
		if size == 0 {
			return 0, false
		}
		i += size - 1
		n++
	}
	return n, true
}

// sign is the byte of the signs that every other price or French sentence has: the spaces that break no line, the euro,
// the apostrophe.
func (e *Encoder) sign(s string) byte {
	switch {
	case strings.HasPrefix(s, "\u00a0"), strings.HasPrefix(s, "\u202f"):
		return ' '
	case strings.HasPrefix(s, "€"):
		b, _ := e.p.Pages[e.page].Byte('€')
		return b
	case strings.HasPrefix(s, "’") && e.page == e.home:
		b, _ := e.p.Pages[e.page].Byte('’')
		return b
	}
	return 0
}

// near is the byte of a letter U+00C0 to U+017F on the page in force, 0 when it has none; its two bytes of UTF-8 are a
// and b.
func (e *Encoder) near(a, b byte) byte {
	if b&0xC0 != 0x80 {
		return 0
	}
	r := int(a&0x1F)<<6 | int(b&0x3F)
	return e.p.Pages[e.page].near[r-0x80]
}

func (e *Encoder) put(s string) {
	b := e.b
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c < 0x80:
		case c == 0xC2 || c == 0xE2:
			n := 1 + int(c>>5&1)
			c = e.sign(s[i:])
			i += n
		default:
			i++
			c = e.near(c, s[i])
		}
		b = append(b, c)
	}
	e.b = b
}

// direct prints first and text in one line if that is all there is to it.
func (e *Encoder) direct(first, text string) bool {
	n, ok := e.columns(text)
	if !ok {
		return false
	}
	marked := e.style.Underline || e.style.Alert // then spaces show
	if first != "" {
		m, ok := e.columns(first)
		if !ok || marked && first[0] == ' ' {
			return false
		}
		n += m
	}
	if n*e.style.w() > e.p.Columns {
		return false
	}
	if !marked {
		text = strings.TrimRight(text, " ")
		if text == "" {
			first = strings.TrimRight(first, " ")
		}
	}
	if text == "" && first == "" {
		e.endOfLine()
		return true
	}
	if e.align != AlignLeft {
		m, _ := e.columns(text)
		k, _ := e.columns(first)
		e.ink(Style{})
		e.spaces(e.margin((m + k) * e.style.w()))
	}
	e.ink(e.style)
	e.put(first)
	e.put(text)
	e.endOfLine()
	return true
}

func (e *Encoder) spaces(n int) {
	for range n {
		e.b = append(e.b, ' ')
	}
}

// directColumns is Columns where both sides fit into one line.
func (e *Encoder) directColumns(left, right string) bool {
	if e.align != AlignLeft {
		return false
	}
	left, right = strings.TrimRight(left, " "), strings.TrimRight(right, " ")
	l, ok := e.columns(left)
	if !ok {
		return false
	}
	r, ok := e.columns(right)
	w := e.style.w()
	wide := r * w
	room := e.p.Columns - wide - w
	if !ok || wide == 0 || room < e.p.Columns/3 || l*w > room {
		return false
	}
	if left != "" {
		e.ink(e.style)
		e.put(left)
	}
	s, n := e.padding(e.p.Columns - wide - l*w)
	e.ink(s)
	e.spaces(n)
	e.ink(e.style)
	e.put(right)
	e.endOfLine()
	return true
}
