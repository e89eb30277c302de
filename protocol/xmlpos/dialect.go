package xmlpos

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// A Dialect is what differs between sites and cannot be negotiated (spec/fias.md 10.1). The zero Dialect is UTF-8 and the
// spelling most clients use. It is a value without state and safe for concurrent use.
type Dialect struct {
	Charset Charset
	// NoPostLetters sends NoPost as Y or N instead of 1 or 0. Only servers send it.
	NoPostLetters bool
	// SmallOverride sends CreditlimitOverride, as one schema spells it, instead of CreditLimitOverride.
	SmallOverride bool
	// Declaration sends an XML declaration before each element. Servers in the field do not need one.
	Declaration bool
}

// Charset is how text becomes bytes on the wire.
type Charset string

// The charsets seen in the field. "" means UTF8.
const (
	UTF8        Charset = "utf-8"
	Windows1252 Charset = "windows-1252" // what it lacks is written as numeric character references
)

// Bounds of what Decode takes. They are far above what the field sends.
const (
	MaxElement = 64 << 10 // bytes of one element (spec/fias.md 1.2)
	MaxItems   = 256      // guests of one PostList; clients ask for 16
	MaxExtra   = 16       // unknown attributes kept of one element
	maxAttrs   = 128      // attributes of one element; a full PostRequest has 90
	maxName    = 128      // bytes of a name
	maxDepth   = 8
)

// Errors of Decode. A *FieldError may come as well.
var (
	// ErrSyntax reports bytes that are no element: broken off, not well-formed, or with a document type declaration.
	ErrSyntax = errors.New("not one XML element")
	// ErrUnknown reports a well-formed element that is not of XML_POS. Receivers skip it.
	ErrUnknown = errors.New("unknown element")
	// ErrTooLarge reports an element beyond the bounds of this package.
	ErrTooLarge = errors.New("element too large")
)

// An Element is one message: *LinkStart, *LinkDescription, *LinkAlive, *LinkEnd, *PostInquiry, *PostList, *PostRequest or
// *PostAnswer.
type Element interface {
	// Name is the element's name on the wire.
	Name() string
	// Check tells everything that keeps the element from being sent, as *FieldError values joined in the order of the
	// attributes; nil when it keeps to the schema.
	Check() error

	walk(*walker)
}

// A FieldError says which attribute is wrong.
type FieldError struct {
	Element, Attr string
	Wrong         string
}

func (e *FieldError) Error() string { return e.Element + " " + e.Attr + " " + e.Wrong }

// Append appends e to b as it goes between STX and ETX. An element that does not keep to the schema is refused: the error
// is that of Check and b comes back as it was.
func (d Dialect) Append(b []byte, e Element) ([]byte, error) {
	if err := e.Check(); err != nil {
		return b, err
	}
	return d.AppendAsIs(b, e), nil
}

// AppendAsIs is Append without the check, for a simulated peer that has faults. What it appends is always well-formed and
// holds no byte that a frame reserves.
func (d Dialect) AppendAsIs(b []byte, e Element) []byte {
	if d.Declaration {
		b = append(b, `<?xml version="1.0" encoding="`...)
		b = append(b, d.charset()...)
		b = append(b, `"?>`...)
	}
	w := walker{mode: encoding, d: d, b: b}
	w.begin(e.Name())
	e.walk(&w)
	if list, ok := e.(*PostList); !ok || len(list.Items) == 0 {
		w.b = append(w.b, " />"...)
	}
	return w.b
}

// Decode reads one element. The result shares no memory with frame.
//
// When all that is wrong are values of attributes, Decode returns the element as well as the error, which then holds
// *FieldError values only (use errors.As): the attributes named have their zero value. A server answers such a request
// with UR, a client does not act on such an answer.
func (d Dialect) Decode(frame []byte) (Element, error) {
	if len(frame) > MaxElement {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are taken", ErrTooLarge, len(frame), MaxElement)
	}
	p := parser{s: string(frame), charset: d.charset()}
	e, faults, err := p.element()
	if err != nil {
		return nil, err
	}
	return e, errors.Join(faults...)
}

func (d Dialect) charset() Charset {
	if d.Charset == "" {
		return UTF8
	}
	return d.Charset
}

// appendText appends s as the value of an attribute.
func (d Dialect) appendText(b []byte, s string) []byte {
	narrow := d.Charset == Windows1252
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '&':
				b = append(b, "&amp;"...)
			case c == '<':
				b = append(b, "&lt;"...)
			case c == '>':
				b = append(b, "&gt;"...)
			case c == '"':
				b = append(b, "&quot;"...)
			case c < ' ' || c == 0x7F: // the line's own bytes, and what attributes cannot carry
				b = append(b, ' ')
			default:
				b = append(b, c)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			r = utf8.RuneError
		}
		i += n
		switch {
		case r < 0xA0: // control characters again
			b = append(b, ' ')
		case !narrow:
			b = utf8.AppendRune(b, r)
		default:
			if one, ok := charmap.Windows1252.EncodeRune(r); ok {
				b = append(b, one)
			} else {
				b = fmt.Appendf(b, "&#%d;", r)
			}
		}
	}
	return b
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// plain reports an attribute name that may be written back.
func plain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.')) {
			return false
		}
	}
	return name != "" && !strings.HasPrefix(name, "xml")
}
