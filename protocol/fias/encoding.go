package fias

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// A Codec is what both ends of a link agree on beside the wire: the encoding of text and the zone of its clock, which FIAS
// names nowhere. The zero Codec is UTF-8 and UTC.
type Codec struct {
	Encoding *Encoding      // nil means UTF-8
	Location *time.Location // nil means UTC
}

func (c Codec) location() *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

func (c Codec) encoding() *Encoding {
	if c.Encoding == nil {
		return &Encoding{}
	}
	return c.Encoding
}

// An Encoding is the character set of a link, a setting of the site (fias.md 1.3). Only sets whose bytes below 80 are ASCII
// are possible, since the bar has no escape; that leaves out Shift-JIS, GBK and Big5. The zero Encoding is UTF-8.
type Encoding struct {
	name string
	page *charmap.Charmap // nil: UTF-8

	plain bool // ASCII only, for fields of type AN
}

// ErrEncoding reports a character set this package does not have.
var ErrEncoding = errors.New("unknown encoding")

// pages are the character sets by name.
func pages() map[string]*charmap.Charmap {
	return map[string]*charmap.Charmap{
		"utf-8":        nil,
		"windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "windows-1252": charmap.Windows1252,
		"windows-1253": charmap.Windows1253, "windows-1254": charmap.Windows1254, "windows-1255": charmap.Windows1255,
		"windows-1256": charmap.Windows1256, "windows-1257": charmap.Windows1257, "windows-1258": charmap.Windows1258,
		"windows-874": charmap.Windows874,
		"iso-8859-1":  charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-3": charmap.ISO8859_3,
		"iso-8859-4": charmap.ISO8859_4, "iso-8859-5": charmap.ISO8859_5, "iso-8859-6": charmap.ISO8859_6,
		"iso-8859-7": charmap.ISO8859_7, "iso-8859-8": charmap.ISO8859_8, "iso-8859-9": charmap.ISO8859_9,
		"iso-8859-10": charmap.ISO8859_10, "iso-8859-13": charmap.ISO8859_13, "iso-8859-14": charmap.ISO8859_14,
		"iso-8859-15": charmap.ISO8859_15, "iso-8859-16": charmap.ISO8859_16,
		"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855,
		"cp858": charmap.CodePage858, "cp860": charmap.CodePage860, "cp862": charmap.CodePage862, "cp863": charmap.CodePage863,
		"cp865": charmap.CodePage865, "cp866": charmap.CodePage866,
		"koi8-r": charmap.KOI8R, "koi8-u": charmap.KOI8U,
	}
}

// Encodings lists the names NewEncoding knows, sorted.
func Encodings() []string {
	var names []string
	for name := range pages() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// NewEncoding finds an encoding by its name, in any case: utf-8, windows-1252, iso-8859-15, cp850 and the like; "" is UTF-8.
func NewEncoding(name string) (*Encoding, error) {
	name = strings.ToLower(name)
	if name == "" {
		name = "utf-8"
	}
	page, ok := pages()[name]
	if !ok {
		return nil, fmt.Errorf("%w %q; write one of %s", ErrEncoding, name, strings.Join(Encodings(), ", "))
	}
	return &Encoding{name: name, page: page}, nil
}

// Name is the encoding's name in lower case.
func (e *Encoding) Name() string {
	if e.name == "" {
		return "utf-8"
	}
	return e.name
}

// undefined is where a byte goes that its page gives no character: U+F700 plus the byte. Encoding gives the byte back.
const undefined = 0xF700

// Decode turns bytes of the wire into text and drops none of them (fias.md 1.3): on a UTF-8 link a byte that is not UTF-8
// becomes the character that Windows-1252 has for it, which is what it mostly is; on others a byte without a character
// becomes one of U+F780 to U+F7FF and is sent back as it came.
func (e *Encoding) Decode(b []byte) string {
	if ascii(b) {
		return string(b)
	}
	if e.page == nil {
		if utf8.Valid(b) {
			return string(b)
		}
		out := make([]byte, 0, len(b)+8)
		for len(b) > 0 {
			r, n := utf8.DecodeRune(b)
			if r == utf8.RuneError && n == 1 {
				if r = charmap.Windows1252.DecodeByte(b[0]); r == utf8.RuneError {
					r = undefined + rune(b[0])
				}
			}
			out, b = utf8.AppendRune(out, r), b[n:]
		}
		return string(out)
	}
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 {
			r = e.page.DecodeByte(c)
		}
		if r == utf8.RuneError {
			r = undefined + rune(c)
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// Text is what AppendText did to a text.
type Text struct {
	Cut      bool // it was longer than its limit
	Replaced int  // characters that could not be sent as they were
}

// AppendText appends s as the link has it, at most limit characters of it (0: all). What may not stand in a field is
// replaced (fias.md 1.3): the bar by a slash, control characters by a blank, a character the page lacks by its letter
// without accent or another stand-in, else by a question mark. CR, LF and FF pass where lines is set, in message texts.
func (e *Encoding) AppendText(dst []byte, s string, limit int, lines bool) ([]byte, Text) {
	var t Text
	if (e.page != nil || e.plain) && !asciiString(s) && !norm.NFC.IsNormalString(s) { // a page has letters with accents, not accents
		s = norm.NFC.String(s)
	}
	room := limit
	if limit <= 0 {
		room = len(s)*4 + 1 // a stand-in has at most four characters
	}
	for i, r := range s {
		if room == 0 {
			t.Cut = true
			break
		}
		switch {
		case r == '|':
			t.Replaced++
			dst, room = append(dst, '/'), room-1
		case r < ' ' && lines && (r == '\r' || r == '\n' || r == '\f'):
			dst, room = append(dst, byte(r)), room-1
		case r < ' ' || r == 0x7F:
			t.Replaced++
			dst, room = append(dst, ' '), room-1
		case r < 0x7F:
			dst, room = append(dst, byte(r)), room-1
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"): // not UTF-8
			t.Replaced++
			dst, room = append(dst, '?'), room-1
		default:
			var ok bool
			if dst, ok = e.appendRune(dst, r); ok {
				room--
				continue
			}
			t.Replaced++
			stand := e.standIn(r)
			if len(stand) > room { // half of one may mean something else
				stand, room, t.Cut = "", 0, true
			}
			dst, room = append(dst, stand...), room-len(stand)
		}
	}
	return dst, t
}

// appendRune appends r, which is not ASCII, if the page has it.
func (e *Encoding) appendRune(dst []byte, r rune) ([]byte, bool) {
	if e.plain {
		return dst, false
	}
	if e.page == nil {
		return utf8.AppendRune(dst, r), true
	}
	if b := byte(r); r >= undefined+0x80 && r <= undefined+0xFF && e.page.DecodeByte(b) == utf8.RuneError {
		return append(dst, b), true
	}
	b, ok := e.page.EncodeRune(r)
	if !ok || b < 0x80 {
		return dst, false
	}
	return append(dst, b), true
}

// standIn is what is sent for a character the page lacks, in ASCII.
func (e *Encoding) standIn(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'Æ':
		return "AE"
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'ø':
		return "o"
	case 'Ø':
		return "O"
	case 'đ', 'ð':
		return "d"
	case 'Đ', 'Ð':
		return "D"
	case 'ł':
		return "l"
	case 'Ł':
		return "L"
	case 'ı':
		return "i"
	case 'þ':
		return "th"
	case 'Þ':
		return "Th"
	case '€':
		return "EUR"
	case '£':
		return "GBP"
	case '‘', '’', '‚', '′', '`':
		return "'"
	case '“', '”', '„', '«', '»':
		return `"`
	case '–', '—', '‐', '‑', '−', '·', '•':
		return "-"
	case '…':
		return "..."
	case '\u00A0', '\u202F', '\u2009':
		return " "
	case '\u00AD', '\u200B', '\u200D', '\uFEFF':
		return ""
	case '×':
		return "x"
	}
	if d := norm.NFKD.String(string(r)); d[0] > ' ' && d[0] < 0x7F && d[0] != '|' {
		return d[:1]
	}
	return "?"
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func asciiString(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
