package support

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Mask takes people and secrets out of a text. Names become their first letter: enough to tell two apart, not enough to
// tell who it is.
type Mask struct {
	words   map[string]bool // of names, in lower case
	numbers map[string]bool // digits of telephone numbers
	keep    map[string]bool // words that stay, whoever bears them: those of the configuration
	secrets *regexp.Regexp
}

// Bounds of what counts as somebody's name or number.
const (
	minName   = 3 // characters of a word
	minDigits = 8
)

// NewMask makes a mask for the people of those names and numbers. Words of keep stay.
func NewMask(people []string, keep string) *Mask {
	m := &Mask{words: map[string]bool{}, numbers: map[string]bool{}, keep: map[string]bool{},
		// Bearer tokens and their headers, cookies, passwords in addresses and assignments, whole and in JSON, PEM blocks, e-mail
		// addresses, and telephone numbers as people write them.
		secrets: regexp.MustCompile(`(?i)` + strings.Join([]string{
			`aby_[a-z]+_[0-9a-z]+`,
			`(?:bearer|basic)\s+[a-z0-9._~+/=-]{8,}`,
			`(?:aboyeur_session|aboyeur_person)=[^;\s"]+`,
			`://[^/@\s"]+@`,
			`["']?[a-z_]*(?:secret|passw(?:or)?d|token|api_?key|app_?key|auth_?key|cookie|\bpin)["']?\s*[=:]\s*"?[^\s"',;&}\])]+`,
			`pbkdf2-sha256\$[0-9a-f$]+`,
			`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----`,
			`[a-z0-9._%+-]+@[a-z0-9-]+\.[a-z0-9.-]*[a-z]`,
			`\+[1-9][0-9](?:[ .-]?[0-9]){6,12}`,
		}, "|"))}
	for w := range wordsOf(keep) {
		m.keep[w] = true
	}
	for _, p := range people {
		digits := digitsOf(p)
		if len(digits) >= minDigits {
			m.numbers[digits] = true
			continue
		}
		for w := range wordsOf(p) {
			if utf8.RuneCountInString(w) >= minName && !m.keep[w] {
				m.words[w] = true
			}
		}
	}
	return m
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }

// wordsOf yields the words of s in lower case.
func wordsOf(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !letter(r) }) {
			if !yield(strings.ToLower(w)) {
				return
			}
		}
	}
}

// Text gives the text without people and secrets.
func (m *Mask) Text(s string) string {
	s = m.secrets.ReplaceAllStringFunc(s, hide)
	if len(m.words) == 0 && len(m.numbers) == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case letter(r):
			j := i + size
			for j < len(s) {
				r, size := utf8.DecodeRuneInString(s[j:])
				if !letter(r) {
					break
				}
				j += size
			}
			if m.words[strings.ToLower(s[i:j])] {
				b.WriteString(s[i : i+size])
				b.WriteString("***")
			} else {
				b.WriteString(s[i:j])
			}
			i = j
		case r >= '0' && r <= '9':
			j := i
			for j < len(s) && s[j] >= '0' && s[j] <= '9' {
				j++
			}
			if m.numbers[s[i:j]] {
				b.WriteString("***")
			} else {
				b.WriteString(s[i:j])
			}
			i = j
		default:
			b.WriteString(s[i : i+size])
			i += size
		}
	}
	return b.String()
}

// hide keeps of a secret what tells its kind.
func hide(found string) string {
	switch {
	case strings.HasPrefix(found, "://"):
		return "://***@"
	case strings.HasPrefix(found, "-----BEGIN"):
		return "***private key***"
	}
	if i := strings.IndexAny(found, "=:"); i > 0 && !strings.Contains(found[:i], "@") {
		rest, quote := found[i+1:], ""
		blank := len(rest) - len(strings.TrimLeft(rest, " \t"))
		if strings.HasPrefix(rest[blank:], `"`) {
			quote = `"`
		}
		return found[:i+1] + rest[:blank] + quote + "***"
	}
	if name, _, ok := strings.Cut(found, " "); ok && !strings.HasPrefix(found, "+") {
		return name + " ***"
	}
	return "***"
}
