package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tidy makes a text of a stranger fit to be shown: control characters become blanks, and what is longer than limit characters
// ends with an ellipsis.
func Tidy(s string, limit int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "�")
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		s = strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
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
