package escpos

import (
	"slices"
	"unicode"

	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// visualOrder puts a line with right-to-left words into the order in which they are drawn, Arabic letters in the forms in
// which they join (escpos.md 3.2). right says that the line's first letter is of such a script: it then reads from the
// right edge of the paper. Printers know nothing of this, and a line without such words is returned as it is.
func visualOrder(line []cell) (visual []cell, right bool) {
	rtl := false
	for i := range line {
		rtl = rtl || unicode.In(line[i].r, unicode.Hebrew, unicode.Arabic)
	}
	if !rtl {
		return line, false
	}
	line = join(line)
	// A letter and its marks stay together.
	var starts []int
	for i := range line {
		if i == 0 || line[i].cols > 0 {
			starts = append(starts, i)
		}
	}
	classes := make([]bidi.Class, len(starts))
	for k, i := range starts {
		p, _ := bidi.LookupRune(line[i].r)
		classes[k] = p.Class()
	}
	levels, right := bidiLevels(classes)
	order := make([]int, len(starts))
	for k := range order {
		order[k] = k
	}
	highest := 0
	for _, l := range levels {
		highest = max(highest, l)
	}
	for level := highest; level > 0; level-- { // rule L2: the most deeply nested first
		for from := 0; from < len(order); {
			if levels[order[from]] < level {
				from++
				continue
			}
			to := from
			for to < len(order) && levels[order[to]] >= level {
				to++
			}
			slices.Reverse(order[from:to])
			from = to
		}
	}
	visual = make([]cell, 0, len(line))
	for _, k := range order {
		end := len(line)
		if k+1 < len(starts) {
			end = starts[k+1]
		}
		at := len(visual)
		visual = append(visual, line[starts[k]:end]...)
		if levels[k]%2 == 1 { // rule L4
			visual[at].r = mirrored(visual[at].r)
		}
	}
	return visual, right
}

func mirrored(r rune) rune {
	const pairs = "()[]{}<>«»‹›"
	at := slices.Index([]rune(pairs), r)
	if at < 0 {
		return r
	}
	return []rune(pairs)[at^1]
}

// bidiLevels are the levels of UAX #9 for one line without explicit marks: rules P2, P3, W1 to W7, N1, N2, I1, I2. right
// says that the line's own direction is from the right.
func bidiLevels(classes []bidi.Class) (levels []int, right bool) {
	n := len(classes)
	base := 0
	for _, c := range classes {
		if c == bidi.L {
			break
		}
		if c == bidi.R || c == bidi.AL {
			base = 1
			break
		}
	}
	edge := bidi.L
	if base == 1 {
		edge = bidi.R
	}
	// The space at the end, and what separates columns, keep the line's direction (rule L1).
	t := slices.Clone(classes)
	strong, was := edge, edge
	for i, c := range t {
		switch {
		case c == bidi.NSM: // W1
			t[i] = was
		case c == bidi.EN && strong == bidi.AL: // W2
			t[i] = bidi.AN
		}
		was = t[i]
		if c == bidi.L || c == bidi.R || c == bidi.AL {
			strong = c
		}
	}
	for i, c := range t { // W3
		if c == bidi.AL {
			t[i] = bidi.R
		}
	}
	for i := 1; i+1 < n; i++ { // W4
		switch {
		case t[i] == bidi.ES && t[i-1] == bidi.EN && t[i+1] == bidi.EN:
			t[i] = bidi.EN
		case t[i] == bidi.CS && t[i-1] == t[i+1] && (t[i-1] == bidi.EN || t[i-1] == bidi.AN):
			t[i] = t[i-1]
		}
	}
	for i := 0; i < n; { // W5, W6
		if t[i] != bidi.ET {
			if t[i] == bidi.ES || t[i] == bidi.CS {
				t[i] = bidi.ON
			}
			i++
			continue
		}
		j := i
		for j < n && t[j] == bidi.ET {
			j++
		}
		to := bidi.ON
		if i > 0 && t[i-1] == bidi.EN || j < n && t[j] == bidi.EN {
			to = bidi.EN
		}
		for ; i < j; i++ {
			t[i] = to
		}
	}
	strong = edge
	for i, c := range t { // W7
		switch c {
		case bidi.L, bidi.R:
			strong = c
		case bidi.EN:
			if strong == bidi.L {
				t[i] = bidi.L
			}
		}
	}
	side := func(c bidi.Class) (bidi.Class, bool) {
		switch c {
		case bidi.L:
			return bidi.L, true
		case bidi.R, bidi.EN, bidi.AN:
			return bidi.R, true
		}
		return edge, false
	}
	for i := 0; i < n; { // N1, N2
		if _, ok := side(t[i]); ok {
			i++
			continue
		}
		j := i
		for j < n {
			if _, ok := side(t[j]); ok {
				break
			}
			j++
		}
		before, after := edge, edge
		if i > 0 {
			before, _ = side(t[i-1])
		}
		if j < n {
			after, _ = side(t[j])
		}
		to := edge
		if before == after && j-i < gap {
			to = before
		}
		for ; i < j; i++ {
			t[i] = to
		}
	}
	levels = make([]int, n)
	for i, c := range t { // I1, I2
		switch {
		case c == bidi.R:
			levels[i] = 1
		case c == bidi.L:
			levels[i] = 2 * base
		default:
			levels[i] = 2
		}
	}
	return levels, base == 1
}

// gap is so much space that it separates columns: the words on its sides are not one sentence.
const gap = 4

// join gives Arabic letters the forms in which they join, in the order in which they are read.
func join(line []cell) []cell {
	letter := func(c cell) bool { return unicode.Is(unicode.Arabic, c.r) && unicode.IsLetter(c.r) }
	out := make([]cell, 0, len(line))
	for i := 0; i < len(line); {
		if !letter(line[i]) {
			out = append(out, line[i])
			i++
			continue
		}
		j := i + 1
		for j < len(line) && line[j].style == line[i].style && (letter(line[j]) || line[j].cols == 0) {
			j++
		}
		word := make([]rune, 0, j-i)
		for _, c := range line[i:j] {
			if c.cols > 0 { // vowel signs are for children
				word = append(word, c.r)
			}
		}
		forms := []rune(bitmapfont.PresentationForms(string(word), bitmapfont.DirectionRightToLeft, language.Und))
		for k := len(forms) - 1; k >= 0; k-- {
			c := cell{r: forms[k], cols: columnsOf(forms[k]), style: line[i].style}
			if g, ok := glyphOf(c.r); ok && c.cols > 0 {
				c.cols = byte(max(g.w/6, 1))
			}
			out = append(out, c)
		}
		i = j
	}
	return out
}
