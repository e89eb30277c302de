package ohip

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient takes what servers send beyond the letter of the standard.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// lookup finds the value at path, member names with points between and numbers for elements. An array where a member was
// expected stands for its first element.
func lookup(v jsontext.Value, path string) (jsontext.Value, bool) {
	for _, name := range strings.Split(path, ".") {
		var ok bool
		if v, ok = step(v, name); !ok {
			return nil, false
		}
	}
	return v, v.Kind() != 'n'
}

func step(v jsontext.Value, name string) (jsontext.Value, bool) {
	switch v.Kind() {
	case '[':
		var all []jsontext.Value
		if json.Unmarshal(v, &all, lenient) != nil {
			return nil, false
		}
		n, err := strconv.Atoi(name)
		if err == nil {
			if n < 0 || n >= len(all) {
				return nil, false
			}
			return all[n], true
		}
		if len(all) == 0 || all[0].Kind() != '{' {
			return nil, false
		}
		return step(all[0], name)
	case '{':
		var all map[string]jsontext.Value
		if json.Unmarshal(v, &all, lenient) != nil {
			return nil, false
		}
		found, ok := all[name]
		return found, ok
	}
	return nil, false
}

// first is the first path that leads to something.
func first(v jsontext.Value, paths []string) (jsontext.Value, bool) {
	for _, p := range paths {
		if found, ok := lookup(v, p); ok {
			return found, true
		}
	}
	return nil, false
}

// word is the text of a string, number or truth value at the first path that has one that is not empty.
func word(v jsontext.Value, paths []string) string {
	for _, p := range paths {
		if found, ok := lookup(v, p); ok {
			if s := plain(found); s != "" {
				return s
			}
		}
	}
	return ""
}

// maxWord bounds a text taken out of an answer, in bytes.
const maxWord = 400

// plain is a scalar as text without control characters; "" for anything else.
func plain(v jsontext.Value) string {
	var s string
	switch v.Kind() {
	case '"':
		b, err := jsontext.AppendUnquote(nil, v)
		if err != nil && len(b) == 0 {
			return ""
		}
		s = string(b)
	case '0', 't', 'f':
		s = string(v)
	}
	return clean(s)
}

// clean makes one line of at most maxWord bytes of s.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
	for len(s) > maxWord {
		cut := maxWord
		for cut > 0 && s[cut]&0xC0 == 0x80 {
			cut--
		}
		s = strings.TrimSpace(s[:cut])
	}
	return s
}

// truth reads true, "Y", "true", "1".
func truth(v jsontext.Value) bool {
	switch strings.ToLower(plain(v)) {
	case "true", "y", "yes", "1":
		return true
	}
	return false
}

// money reads {"amount":…,"currencyCode":…} or a bare number. ok is false for anything else, and for amounts that the
// currency cannot hold.
func money(v jsontext.Value, currency string, decimalsOf func(string) int) (minor int64, ok bool) {
	var m Money
	switch v.Kind() {
	case '{':
		if json.Unmarshal(v, &m, lenient) != nil {
			return 0, false
		}
	default:
		m.Amount = Decimal(plain(v))
	}
	if m.CurrencyCode == "" {
		m.CurrencyCode = currency
	}
	minor, err := m.Amount.Minor(decimalsOf(m.CurrencyCode))
	return minor, err == nil
}

// sorted are the names of an object's members in order, so that the same answer is read the same way.
func sorted(all map[string]jsontext.Value) []string {
	return slices.Sorted(maps.Keys(all))
}
