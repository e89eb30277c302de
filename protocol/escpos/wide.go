package escpos

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Wide is how a model writes the characters of two columns: Chinese, Japanese, Korean (escpos.md 3.3). What it cannot
// write so is drawn.
type Wide byte

const (
	WideNone     Wide = iota
	WideShiftJIS      // FS C 1 and FS &
	WideGB18030       // FS &, as the other fixed systems
	WideBig5
	WideKSC
	WideUTF8 // FS ( C
)

// charset is the system of two-byte characters; nil for none and for UTF-8.
func (w Wide) charset() encoding.Encoding {
	switch w {
	case WideShiftJIS:
		return japanese.ShiftJIS
	case WideGB18030:
		return simplifiedchinese.GB18030
	case WideBig5:
		return traditionalchinese.Big5
	case WideKSC:
		return korean.EUCKR
	}
	return nil
}

// WithFonts is p with the two-byte characters that the printer itself says it has, in its answer to GS I 69. A model that
// speaks UTF-8 keeps to it; an answer nobody knows changes nothing.
func (p Profile) WithFonts(answer string) Profile {
	if p.Wide == WideUTF8 {
		return p
	}
	answer = strings.ToUpper(answer)
	for _, f := range []struct {
		word string
		wide Wide
	}{{"JAPANESE", WideShiftJIS}, {"GB18030", WideGB18030}, {"GB2312", WideGB18030}, {"BIG-5", WideBig5}, {"BIG5", WideBig5}, {"KOREA", WideKSC}} {
		if strings.Contains(answer, f.word) {
			p.Wide = f.wide
			p.KanjiOff = true
			break
		}
	}
	return p
}

// appendWide appends r as two bytes or more of the model's system; false when it has no such character.
func (e *Encoder) appendWide(b []byte, r rune) ([]byte, bool) {
	if e.p.Wide == WideUTF8 {
		return utf8.AppendRune(b, r), true
	}
	if e.wide == nil {
		return b, false
	}
	e.wide.Reset()
	out, err := e.wide.Bytes(utf8.AppendRune(nil, r))
	if err != nil || len(out) != 2 || out[0] < 0x81 || out[1] < 0x40 { // four bytes are beyond what printers have
		return b, false
	}
	return append(b, out...), true
}

// writesWide reports that the model writes r itself.
func (e *Encoder) writesWide(r rune) bool {
	if e.p.Wide == WideNone || columnsOf(r) != 2 || r > 0xFFFF {
		return false
	}
	var b [utf8.UTFMax]byte
	_, ok := e.appendWide(b[:0], r)
	return ok
}

// two switches the model to characters of two columns and back.
func (e *Encoder) two(on bool) {
	if e.inTwo == on {
		return
	}
	e.inTwo = on
	switch {
	case e.p.Wide == WideUTF8 && on:
		e.b = append(e.b, fs, '(', 'C', 2, 0, 0x30, 2)
		if !e.fontSet {
			e.fontSet = true
			e.b = append(e.b, fs, '(', 'C', 3, 0, 0x3C, 0, e.wideFont)
		}
	case e.p.Wide == WideUTF8:
		e.b = append(e.b, fs, '(', 'C', 2, 0, 0x30, 1)
	case on && e.p.Wide == WideShiftJIS:
		e.b = append(e.b, fs, 'C', 1, fs, '&')
	case on:
		e.b = append(e.b, fs, '&')
	default:
		e.b = append(e.b, fs, '.')
	}
}

// wideFontOf is the font that a model with UTF-8 looks in first.
func wideFontOf(language string) byte {
	switch language = strings.ToLower(language); {
	case strings.HasPrefix(language, "zh-hant"), strings.HasPrefix(language, "zh-tw"), strings.HasPrefix(language, "zh-hk"):
		return 0x1E
	case strings.HasPrefix(language, "zh"):
		return 0x14
	case strings.HasPrefix(language, "ko"):
		return 0x29
	}
	return 0x0B // Japanese
}

// readWide takes bytes of the system in force and gives a character once it is whole; ok is false while it is not.
func (r *Press) readWide(b byte) (c rune, ok bool) {
	r.half = append(r.half, b)
	if r.utf8 {
		if !utf8.FullRune(r.half) {
			return 0, false
		}
		c, _ = utf8.DecodeRune(r.half)
		r.half = r.half[:0]
		return c, true
	}
	if len(r.half) == 1 && b < 0x81 {
		r.half = r.half[:0]
		return rune(b), true
	}
	if len(r.half) < 2 {
		return 0, false
	}
	c = utf8.RuneError
	charset := r.p.Wide.charset()
	if charset == nil {
		charset = japanese.ShiftJIS // the factory's choice
	}
	if out, err := charset.NewDecoder().Bytes(r.half); err == nil {
		c, _ = utf8.DecodeRune(out)
	}
	r.half = r.half[:0]
	return c, true
}
