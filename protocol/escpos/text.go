package escpos

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// appendCells turns text into cells in the current style: composed, control characters made visible, what the model
// cannot write replaced or marked for drawing (escpos.md 3.2).
func (e *Encoder) appendCells(line []cell, s string) []cell {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			i = max(i-1, 0) // the letter before may belong to a combining mark
			line = e.appendASCII(line, s[:i])
			return e.appendUnicode(line, s[i:])
		}
	}
	return e.appendASCII(line, s)
}

func (e *Encoder) appendASCII(line []cell, s string) []cell {
	c := cell{cols: 1, style: e.style}
	line = slices.Grow(line, len(s))
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7F {
			line = e.appendControl(line, rune(s[i]))
			continue
		}
		c.r = rune(s[i])
		line = append(line, c)
	}
	return line
}

func (e *Encoder) appendByte(line []cell, c byte) []cell {
	if c < 0x20 || c == 0x7F {
		return e.appendControl(line, rune(c))
	}
	return append(line, cell{r: rune(c), cols: 1, style: e.style})
}

// appendControl shows a control character: white space is a space, the others are a mark.
func (e *Encoder) appendControl(line []cell, r rune) []cell {
	if r >= ht && r <= cr || r == 0x85 {
		return append(line, cell{r: ' ', cols: 1, style: e.style})
	}
	return e.appendMark(line, r)
}

// appendMark stands for a character that cannot be shown, and counts it.
func (e *Encoder) appendMark(line []cell, r rune) []cell {
	e.misses.add(r)
	return append(line, cell{r: e.mark, cols: 1, style: e.style})
}

func (e *Encoder) appendUnicode(line []cell, s string) []cell {
	for i := range len(s) {
		if s[i] >= 0xCC { // from U+0300 on, where the combining marks begin; what is below is composed
			if !norm.NFC.IsNormalString(s) {
				s = norm.NFC.String(s)
			}
			break
		}
	}
	for _, r := range s {
		if r < utf8.RuneSelf {
			line = e.appendByte(line, byte(r))
			continue
		}
		line = e.appendRune(line, r)
	}
	return line
}

func (e *Encoder) appendRune(line []cell, r rune) []cell {
	if r < 0xA0 {
		return e.appendControl(line, r)
	}
	if r >= 0xC0 && r < 0x180 && e.home >= 0 { // the letters of the venue's own page need no further questions
		if _, ok := e.p.Pages[e.home].Byte(r); ok {
			return append(line, cell{r: r, cols: 1, style: e.style})
		}
	}
	if alt, ok := typography(r); ok {
		if e.home >= 0 && r != nbsp {
			if _, has := e.p.Pages[e.home].Byte(r); has {
				if len(alt) == 1 {
					return append(line, cell{r: r, alt: alt[0], cols: 1, style: e.style})
				}
				return append(line, cell{r: r, cols: 1, style: e.style})
			}
		}
		if alt == "\u00A0" {
			return append(line, cell{r: nbsp, alt: ' ', cols: 1, style: e.style})
		}
		return e.appendASCII(line, alt)
	}
	if unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F { // joiners, direction and variation marks have no ink
		return line
	}
	if r == utf8.RuneError {
		return e.appendMark(line, r)
	}
	if e.pageMask(r) != 0 {
		return append(line, cell{r: r, cols: 1, style: e.style})
	}
	if e.writesWide(r) {
		return append(line, cell{r: r, cols: 2, two: true, style: e.style})
	}
	if line, ok := e.appendEmoji(line, r); ok {
		return line
	}
	if e.p.Raster {
		if _, ok := glyphOf(r); ok {
			return append(line, cell{r: r, cols: columnsOf(r), draw: true, style: e.style})
		}
	}
	return e.transliterate(line, r)
}

// columnsOf is the width of r in columns of font A: East Asian wide characters take two, combining marks none.
func columnsOf(r rune) byte {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Columns is the number of columns that text takes at normal width.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += int(columnsOf(r))
	}
	return n
}

// transliterate writes r in letters the model has, and counts it; a mark where nobody knows how.
func (e *Encoder) transliterate(line []cell, r rune) []cell {
	if columnsOf(r) == 0 {
		e.misses.add(r)
		return line
	}
	alt := letters[r]
	if alt == "" {
		if lower := unicode.ToLower(r); lower != r && letters[lower] != "" {
			alt = letters[lower]
			alt = strings.ToUpper(alt[:1]) + alt[1:]
		}
	}
	if alt == "" {
		for _, d := range norm.NFKD.String(string(r)) {
			switch {
			case unicode.Is(unicode.Mn, d):
			case d >= 0x20 && d < 0x7F || d >= 0xA0 && e.pageMask(d) != 0:
				alt += string(d)
			case letters[d] != "":
				alt += letters[d]
			default:
				return e.appendStrange(line, r)
			}
		}
	}
	if alt == "" {
		return e.appendStrange(line, r)
	}
	e.misses.add(r)
	for _, d := range alt {
		line = append(line, cell{r: d, cols: 1, style: e.style})
	}
	return line
}

// appendStrange draws what no page and no letter stands for, where the model draws only as a last resort, or marks it.
func (e *Encoder) appendStrange(line []cell, r rune) []cell {
	if e.p.Strips {
		if _, ok := glyphOf(r); ok {
			return append(line, cell{r: r, cols: columnsOf(r), draw: true, style: e.style})
		}
	}
	return e.appendMark(line, r)
}

// Truncate shortens text to at most columns columns at normal width, with a full stop in the last one where something was
// left out. Combining marks stay with their letter.
func Truncate(text string, columns int) string {
	if Columns(text) <= columns {
		return text
	}
	n := 0
	for i, r := range text {
		c := int(columnsOf(r))
		if c > 0 && n+c > columns-1 {
			return strings.TrimRight(text[:i], " ") + "."[:min(max(columns, 0), 1)]
		}
		n += c
	}
	return text
}

// nbsp is a space at which no line is broken; it is printed as a space.
const nbsp = '\u00A0'

// typography maps what people paste from the web to ASCII. U+00A0 stands for a space that does not break.
func typography(r rune) (string, bool) {
	switch r {
	case '\u00A0', '\u202F', '\u2007':
		return "\u00A0", true
	case '\u2000', '\u2001', '\u2002', '\u2003', '\u2004', '\u2005', '\u2006', '\u2008', '\u2009', '\u200A', '\u205F', '\u3000', '\u2028', '\u2029':
		return " ", true
	case '‘', '’', '‚', '‛', '′', 'ʼ', '＇':
		return "'", true
	case '“', '”', '„', '‟', '″':
		return `"`, true
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return "-", true
	case '…':
		return "...", true
	case '•', '‣', '▪', '●':
		return "*", true
	case '‹':
		return "<", true
	case '›':
		return ">", true
	case '⁄', '∕':
		return "/", true
	case '™':
		return "(TM)", true
	}
	return "", false
}

// letters are transliterations that decomposing does not find. Lower case; upper case follows.
var letters = map[rune]string{
	'ł': "l", 'đ': "d", 'ħ': "h", 'ı': "i", 'ŧ': "t", 'ø': "o", 'æ': "ae", 'œ': "oe", 'ß': "ss", 'þ': "th", 'ð': "d", 'ŋ': "n", 'ĸ': "k",
	'€': "EUR", '£': "GBP", '¥': "JPY", '₽': "RUB", '₺': "TRY", '₴': "UAH", '№': "No",
	'×': "x", '÷': "/", '→': "->", '←': "<-", '⇒': "=>", '✓': "v", '✔': "v", '★': "*", '☆': "*", '≤': "<=", '≥': ">=", '≠': "!=", '≈': "~",
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'ґ': "g", 'д': "d", 'е': "e", 'ё': "e", 'є': "ie", 'ж': "zh", 'з': "z", 'и': "i", 'і': "i", 'ї': "i",
	'й': "i", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts",
	'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "'", 'ы': "y", 'ь': "'", 'э': "e", 'ю': "iu", 'я': "ia", 'ђ': "dj", 'ј': "j", 'љ': "lj", 'њ': "nj",
	'ћ': "c", 'џ': "dz", 'ў': "u",
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x",
	'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
}

// pageMask is the set of the profile's pages that have r, a bit each.
func (e *Encoder) pageMask(r rune) uint32 {
	var m uint32
	for i := range e.p.Pages {
		if _, ok := e.p.Pages[i].Byte(r); ok {
			m |= 1 << i
		}
	}
	return m
}

// Costs of choosePages: a switch of page is three bytes; among equals the venue's page wins, then the profile's order.
const (
	switchCost = 3 << 8
	maxPages   = 32
)

// choosePages gives each character beyond ASCII its page, by the shortest path over (character, page), so that the page
// changes as seldom as can be and a word is not set from two typefaces (escpos.md 3.2 rule 3).
func (e *Encoder) choosePages(line []cell) {
	if e.page >= 0 && e.holds(e.page, line) {
		for i := range line {
			line[i].page = uint8(e.page)
		}
		return
	}
	common := ^uint32(0)
	n := 0
	for i := range line {
		if c := &line[i]; c.paged() {
			n++
			if c.alt == 0 {
				common &= e.pageMask(c.r)
			}
		}
	}
	pages := min(len(e.p.Pages), maxPages)
	pick := -1
	switch {
	case e.home >= 0 && common>>e.home&1 == 1:
		pick = e.home
	default:
		for i := range pages {
			if common>>i&1 == 1 {
				pick = i
				break
			}
		}
	}
	if pick >= 0 {
		for i := range line {
			line[i].page = uint8(pick)
		}
		return
	}

	const far = 1 << 30
	var cost, next [maxPages]int
	for q := range pages {
		if q != e.page {
			cost[q] = e.entry(q)
		}
	}
	if need := n * pages; cap(e.from) < need {
		e.from = make([]uint8, need)
	}
	from := e.from[:n*pages]
	k := 0
	for i := range line {
		c := &line[i]
		if !c.paged() {
			continue
		}
		mask := ^uint32(0)
		if c.alt == 0 {
			mask = e.pageMask(c.r)
		}
		best := 0
		for q := 1; q < pages; q++ {
			if cost[q] < cost[best] {
				best = q
			}
		}
		for q := range pages {
			next[q], from[k*pages+q] = cost[q], uint8(q)
			if k > 0 {
				if d := cost[best] + e.entry(q); best != q && d < next[q] {
					next[q], from[k*pages+q] = d, uint8(best)
				}
			}
			if mask>>q&1 == 0 {
				next[q] = far
			}
		}
		cost = next
		k++
	}
	q := 0
	for i := 1; i < pages; i++ {
		if cost[i] < cost[q] {
			q = i
		}
	}
	for i := len(line) - 1; i >= 0; i-- {
		if line[i].paged() {
			k--
			line[i].page = uint8(q)
			q = int(from[k*pages+q])
		}
	}
}

// holds reports that page q has every character of the line.
func (e *Encoder) holds(q int, line []cell) bool {
	page := e.p.Pages[q].CodePage
	for i := range line {
		if c := &line[i]; c.paged() && c.alt == 0 {
			if _, ok := page.Byte(c.r); !ok {
				return false
			}
		}
	}
	return true
}

// paged reports a character that a code page has to have.
func (c *cell) paged() bool { return c.r >= utf8.RuneSelf && !c.two }

// entry is the cost of changing to page q.
func (e *Encoder) entry(q int) int {
	if q == e.home {
		return switchCost
	}
	return switchCost + 1 + q
}
