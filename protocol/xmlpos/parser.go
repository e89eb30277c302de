package xmlpos

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// A parser walks through one element and its children. Its strings are parts of s.
type parser struct {
	s       string
	i       int
	charset Charset

	attrs []rawAttr // of the tag just read
	empty bool      // the tag just read ended with />
	store [32]rawAttr
}

// A rawAttr is an attribute as on the wire: Text makes a string of its value.
type rawAttr struct{ name, value string }

// element reads the whole of s.
func (p *parser) element() (Element, []error, error) {
	p.attrs = p.store[:0]
	p.s = strings.TrimPrefix(p.s, "\uFEFF")
	if err := p.aside(true); err != nil {
		return nil, nil, err
	}
	name, err := p.tag()
	if err != nil {
		return nil, nil, err
	}
	e := newElement(name)
	w := walker{mode: decoding, p: p, element: name}
	if e != nil {
		e.walk(&w)
		w.rest(extraOf(e))
	}
	list, _ := e.(*PostList)
	if !p.empty {
		if err := p.children(name, list, &w); err != nil {
			return nil, nil, err
		}
	}
	if err := p.aside(false); err != nil {
		return nil, nil, err
	}
	if p.i < len(p.s) {
		return nil, nil, p.wrong("something follows the element")
	}
	if e == nil {
		return nil, nil, fmt.Errorf("%w %q", ErrUnknown, cut(name, 40))
	}
	return e, w.faults, nil
}

// newElement makes the element of a name; nil when there is none.
func newElement(name string) Element {
	switch {
	case same(name, "PostAnswer"):
		return new(PostAnswer)
	case same(name, "PostList"):
		return new(PostList)
	case same(name, "PostRequest"):
		return new(PostRequest)
	case same(name, "PostInquiry"):
		return new(PostInquiry)
	case same(name, "LinkAlive"):
		return new(LinkAlive)
	case same(name, "LinkStart"):
		return new(LinkStart)
	case same(name, "LinkDescription"):
		return new(LinkDescription)
	case same(name, "LinkEnd"):
		return new(LinkEnd)
	}
	return nil
}

// children reads up to the end tag of root. Guests go into list, all else is skipped.
func (p *parser) children(root string, list *PostList, w *walker) error {
	var open [maxDepth]string
	open[0] = root
	depth := 1
	for {
		at := strings.IndexByte(p.s[p.i:], '<')
		if at < 0 {
			return p.wrong("it breaks off")
		}
		p.i += at
		rest := p.s[p.i:]
		switch {
		case strings.HasPrefix(rest, "</"):
			end := strings.IndexByte(rest, '>')
			if end < 0 {
				return p.wrong("it breaks off")
			}
			depth--
			if name := local(strings.TrimRight(rest[2:end], spaces)); name != open[depth] {
				return p.wrong("an end tag does not fit")
			}
			p.i += end + 1
			if depth == 0 {
				return nil
			}
		case strings.HasPrefix(rest, "<![CDATA["):
			if err := p.skip("]]>"); err != nil {
				return err
			}
		case strings.HasPrefix(rest, "<!--"):
			if err := p.skip("-->"); err != nil {
				return err
			}
		case strings.HasPrefix(rest, "<?"):
			if err := p.skip("?>"); err != nil {
				return err
			}
		default:
			name, err := p.tag()
			if err != nil {
				return err
			}
			if list != nil && depth == 1 && same(name, "PostListItem") {
				list.take(p, w)
			}
			if p.empty {
				continue
			}
			if depth == maxDepth {
				return fmt.Errorf("%w: more than %d elements inside each other", ErrTooLarge, maxDepth)
			}
			open[depth] = name
			depth++
		}
	}
}

const spaces = " \t\r\n"

// aside passes space, comments and processing instructions, before the element or after it.
func (p *parser) aside(before bool) error {
	for {
		p.i += len(p.s[p.i:]) - len(strings.TrimLeft(p.s[p.i:], spaces))
		rest := p.s[p.i:]
		switch {
		case strings.HasPrefix(rest, "<?"):
			from := p.i
			if err := p.skip("?>"); err != nil {
				return err
			}
			if before {
				p.declared(p.s[from:p.i])
			}
		case strings.HasPrefix(rest, "<!--"):
			if err := p.skip("-->"); err != nil {
				return err
			}
		case strings.HasPrefix(rest, "<!"):
			return p.wrong("declarations (<!) are not taken")
		default:
			return nil
		}
	}
}

// declared heeds the charset of an XML declaration.
func (p *parser) declared(s string) {
	if len(s) > 200 || !strings.HasPrefix(s, "<?xml ") {
		return
	}
	s = strings.ToLower(s)
	switch {
	case strings.Contains(s, "utf-8"):
		p.charset = UTF8
	case strings.Contains(s, "windows-1252"), strings.Contains(s, "iso-8859-1"):
		p.charset = Windows1252
	}
}

func (p *parser) skip(end string) error {
	at := strings.Index(p.s[p.i:], end)
	if at < 0 {
		return p.wrong("it breaks off")
	}
	p.i += at + len(end)
	return nil
}

// tag reads a start tag with its attributes and returns its local name.
func (p *parser) tag() (string, error) {
	if p.i >= len(p.s) || p.s[p.i] != '<' {
		return "", p.wrong("no tag where one should begin")
	}
	p.i++
	name, err := p.word()
	if err != nil {
		return "", err
	}
	p.attrs, p.empty = p.attrs[:0], false
	for {
		for p.i < len(p.s) && strings.IndexByte(spaces, p.s[p.i]) >= 0 {
			p.i++
		}
		if p.i >= len(p.s) {
			return "", p.wrong("it breaks off")
		}
		switch {
		case p.s[p.i] == '>':
			p.i++
			return local(name), nil
		case strings.HasPrefix(p.s[p.i:], "/>"):
			p.i += 2
			p.empty = true
			return local(name), nil
		}
		if len(p.attrs) == maxAttrs {
			return "", fmt.Errorf("%w: more than %d attributes", ErrTooLarge, maxAttrs)
		}
		a, err := p.attr()
		if err != nil {
			return "", err
		}
		p.attrs = append(p.attrs, a)
	}
}

func (p *parser) attr() (a rawAttr, err error) {
	if a.name, err = p.word(); err != nil {
		return a, err
	}
	rest := strings.TrimLeft(p.s[p.i:], spaces)
	if rest == "" || rest[0] != '=' {
		return a, p.wrong("an attribute has no value")
	}
	rest = strings.TrimLeft(rest[1:], spaces)
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return a, p.wrong("a value has no quotes")
	}
	end := strings.IndexByte(rest[1:], rest[0])
	if end < 0 {
		return a, p.wrong("a value has no end")
	}
	a.value = rest[1 : 1+end]
	p.i = len(p.s) - len(rest) + end + 2
	return a, nil
}

// word reads a name.
func (p *parser) word() (string, error) {
	from := p.i
	for p.i < len(p.s) {
		if c := p.s[p.i]; c <= ' ' || c == '=' || c == '/' || c == '>' || c == '<' || c == '"' || c == '\'' || c == '&' || c == '!' || c == '?' {
			break
		}
		p.i++
	}
	if n := p.i - from; n == 0 || n > maxName {
		return "", p.wrong("a name is missing or too long")
	}
	return p.s[from:p.i], nil
}

func (p *parser) wrong(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, p.i)
}

// local is name without a namespace prefix.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// same compares names without regard to ASCII case.
func same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	if a == b {
		return true
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// text makes a string of a value on the wire. Nothing is lost: bytes that are not of the charset become the character
// Windows gives them, an ampersand that begins no reference stays.
func (p *parser) text(v string) string {
	easy := true
	for i := range len(v) {
		if c := v[i]; c < ' ' || c >= 0x7F || c == '&' {
			easy = false
			break
		}
	}
	if easy {
		return v
	}
	b := make([]byte, 0, len(v)+8)
	for i := 0; i < len(v); {
		c := v[i]
		switch {
		case c == '&':
			r, n := reference(v[i:])
			b = appendRune(b, r)
			i += n
		case c < utf8.RuneSelf:
			b = appendRune(b, rune(c))
			i++
		case p.charset == Windows1252:
			b = appendRune(b, charmap.Windows1252.DecodeByte(c))
			i++
		default:
			r, n := utf8.DecodeRuneInString(v[i:])
			if r == utf8.RuneError && n == 1 {
				r = charmap.Windows1252.DecodeByte(c)
			}
			b = appendRune(b, r)
			i += n
		}
	}
	return string(b)
}

// appendRune appends r; control characters become spaces, as XML makes of line ends in attributes.
func appendRune(b []byte, r rune) []byte {
	switch {
	case r < ' ' || r >= 0x7F && r < 0xA0:
		return append(b, ' ')
	case r == 0xFFFE || r == 0xFFFF:
		r = utf8.RuneError
	}
	return utf8.AppendRune(b, r)
}

// reference reads the character reference at the start of s and how long it is. What is none is an ampersand.
func reference(s string) (rune, int) {
	end := strings.IndexByte(s[:min(len(s), 12)], ';')
	if end < 0 {
		return '&', 1
	}
	switch s[1:end] {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	digits, ok := strings.CutPrefix(s[1:end], "#")
	if !ok {
		return '&', 1
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil:
		return '&', 1
	case n >= 0x80 && n < 0xA0: // servers that count in their code page
		return charmap.Windows1252.DecodeByte(byte(n)), end + 1
	case n > utf8.MaxRune || !utf8.ValidRune(rune(n)):
		return utf8.RuneError, end + 1
	}
	return rune(n), end + 1
}
