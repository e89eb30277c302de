// Package words is what the box says to people: one flat catalogue of sentences per language, and the way that
// language writes numbers, dates and money. Pages, kitchen screens and kitchen paper all take their words here, so that
// a cook who looks from a screen to the paper reads the same word.
//
// A key is plain and dotted ("kitchen.bump"). A sentence holds places {0}, {1} … for its arguments. A sentence that
// counts something has two keys, "x.one" and "x.other"; [Catalogue.N] picks the one the language wants.
package words

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

//go:embed catalogue/en.json
var english string

//go:embed catalogue/fr.json
var french string

// Languages lists the languages that have a catalogue, the one that stands in for any other first.
func Languages() []string { return []string{"en", "fr"} }

// Catalogue is the words of one language. It is read-only and may be shared.
type Catalogue struct {
	lang string
	text map[string]string
}

// A catalogue is read when its language is first spoken: most boxes speak one.
var (
	inEnglish = sync.OnceValue(func() *Catalogue { return read("en", english) })
	inFrench  = sync.OnceValue(func() *Catalogue { return read("fr", french) })
)

// read reads an embedded catalogue. Its sentences stay where the program's file has them, but for those that JSON
// escapes. They are part of the program and checked by its tests, so a fault in them is a fault of the build.
func read(lang, raw string) *Catalogue {
	c := &Catalogue{lang: lang, text: make(map[string]string, strings.Count(raw, "\n"))}
	d := jsontext.NewDecoder(strings.NewReader(raw))
	check := func(err error) {
		if err != nil {
			panic(fmt.Errorf("catalogue %s: %w", lang, err))
		}
	}
	word := func() string {
		v, err := d.ReadValue()
		check(err)
		end := int(d.InputOffset())
		if s := raw[end-len(v)+1 : end-1]; !strings.Contains(s, `\`) {
			return s
		}
		s, err := jsontext.AppendUnquote(nil, v)
		check(err)
		return string(s)
	}
	_, err := d.ReadToken()
	check(err)
	for d.PeekKind() == '"' {
		key := word()
		c.text[key] = word()
	}
	_, err = d.ReadToken()
	check(err)
	return c
}

// In gives the catalogue of a language tag ("fr", "fr-CH", "FR"), and the English one for a language that has none.
func In(lang string) *Catalogue {
	base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(lang)), "-")
	if base == "fr" {
		return inFrench()
	}
	return inEnglish()
}

// Lang is the catalogue's language: "en" or "fr".
func (c *Catalogue) Lang() string { return c.lang }

// Has says whether the catalogue knows a key.
func (c *Catalogue) Has(key string) bool { _, ok := c.text[key]; return ok }

// Keys lists every key, sorted.
func (c *Catalogue) Keys() []string { return slices.Sorted(maps.Keys(c.text)) }

// T gives the sentence of a key with its places filled. An unknown key gives the key itself, which shows a gap without
// stopping anything; a place without an argument stays as it is written.
func (c *Catalogue) T(key string, args ...any) string {
	s, ok := c.text[key]
	if !ok {
		return key
	}
	return fill(s, args)
}

// N gives the counting sentence of a key for n things: key+".one" or key+".other" as the language counts (French
// says "0 ticket", English "0 tickets"). {0} is n, written as the language writes numbers; args follow as {1}, {2} ….
func (c *Catalogue) N(key string, n int, args ...any) string {
	form := ".other"
	if n == 1 || n == -1 || (n == 0 && c.lang == "fr") {
		form = ".one"
	}
	s, ok := c.text[key+form]
	if !ok {
		return key
	}
	return fill(s, append([]any{c.Number(int64(n))}, args...))
}

// fill replaces {0} … {9} in one pass, so that an argument that itself looks like a place stays untouched.
func fill(s string, args []any) string {
	if len(args) == 0 || !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16*len(args))
	for i := 0; i < len(s); i++ {
		if s[i] == '{' && i+2 < len(s) && s[i+2] == '}' && s[i+1] >= '0' && s[i+1] <= '9' {
			if n := int(s[i+1] - '0'); n < len(args) {
				if word, ok := args[n].(string); ok { // nearly all are, and paper is printed within an order's time
					b.WriteString(word)
				} else {
					fmt.Fprint(&b, args[n])
				}
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
