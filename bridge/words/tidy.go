package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hidden tells whether r has no picture of its own and changes how its neighbours are read: a control character, an end of line
// or paragraph, or one that turns the direction of text, by which a name could show as another.
func Hidden(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || turns(r) }

// turns tells whether r embeds, overrides or isolates the direction of text. The marks U+200E and U+200F only help a script that
// runs from right to left, and stay.
func turns(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// Tidy makes a text of a stranger fit to be shown: control characters become blanks, those that turn its direction go, and what
// is longer than limit characters ends with an ellipsis.
func Tidy(s string, limit int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "�")
	}
	if strings.ContainsFunc(s, Hidden) {
		s = strings.Map(func(c rune) rune {
			switch {
			case turns(c):
				return -1
			case Hidden(c):
				return ' '
			}
			return c
		}, s)
	}
	s = strings.TrimSpace(s)
	if len(s) > limit && utf8.RuneCountInString(s) > limit {
		n := 0
		for i := range s {
			if n++; n == limit {
				return s[:i] + "…"
			}
		}
	}
	return s
}
