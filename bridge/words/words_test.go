package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
)

var place = regexp.MustCompile(`\{[0-9]\}`)

func TestCataloguesAgree(t *testing.T) {
	en := In("en")
	for _, lang := range Languages() {
		c := In(lang)
		if c.Lang() != lang {
			t.Fatalf("In(%q) is the catalogue of %q", lang, c.Lang())
		}
		for _, key := range en.Keys() {
			if !c.Has(key) {
				t.Errorf("%s lacks %q", lang, key)
				continue
			}
			want := place.FindAllString(en.T(key), -1)
			got := place.FindAllString(c.T(key), -1)
			slices.Sort(want)
			slices.Sort(got)
			if strings.HasSuffix(key, ".one") { // "one order" needs no figure
				continue
			}
			if !slices.Equal(slices.Compact(got), slices.Compact(want)) {
				t.Errorf("%s: %q has places %v, English has %v", lang, key, got, want)
			}
		}
		for _, key := range c.Keys() {
			if !en.Has(key) {
				t.Errorf("%s has %q, English lacks it", lang, key)
			}
			if strings.TrimSpace(c.T(key)) != c.T(key) || c.T(key) == "" {
				t.Errorf("%s: %q is empty or has spaces around", lang, key)
			}
			if base, ok := strings.CutSuffix(key, ".one"); ok && !c.Has(base+".other") {
				t.Errorf("%s: %q has no .other", lang, base)
			}
			if base, ok := strings.CutSuffix(key, ".other"); ok && !c.Has(base+".one") {
				t.Errorf("%s: %q has no .one", lang, base)
			}
		}
	}
}

// Paper words must not need a raster on the code pages that French kitchens have.
func TestPaperWordsFitTheCodePages(t *testing.T) {
	pages := map[string]*charmap.Charmap{"PC850": charmap.CodePage850, "PC858": charmap.CodePage858, "WPC1252": charmap.Windows1252}
	for _, lang := range Languages() {
		c := In(lang)
		for _, key := range c.Keys() {
			if !strings.HasPrefix(key, "paper.") {
				continue
			}
			for name, page := range pages {
				if _, err := page.NewEncoder().String(c.T(key)); err != nil {
					t.Errorf("%s %q: %q cannot be written in %s", lang, key, c.T(key), name)
				}
			}
		}
	}
}

func TestIn(t *testing.T) {
	for in, want := range map[string]string{"fr": "fr", "FR-ch": "fr", "en-GB": "en", "de": "en", "": "en", " fr ": "fr"} {
		if got := In(in).Lang(); got != want {
			t.Errorf("In(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestT(t *testing.T) {
	c := &Catalogue{lang: "fr", text: map[string]string{"a": "{0} et {1}", "n.one": "{0} ticket de {1}", "n.other": "{0} tickets de {1}"}}
	for _, tc := range []struct{ name, got, want string }{
		{"filled", c.T("a", "x", 2), "x et 2"},
		{"argument that looks like a place", c.T("a", "{1}", "y"), "{1} et y"},
		{"missing argument", c.T("a", "x"), "x et {1}"},
		{"unknown key", c.T("nope", 1), "nope"},
		{"none in French is singular", c.N("n", 0, "z"), "0 ticket de z"},
		{"one", c.N("n", 1, "z"), "1 ticket de z"},
		{"many", c.N("n", 1234, "z"), "1\u202f234 tickets de z"},
		{"unknown count", c.N("m", 1), "m"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

func TestFormats(t *testing.T) {
	en, fr := In("en"), In("fr")
	day := time.Date(2026, 11, 21, 20, 5, 9, 0, time.UTC)
	for _, tc := range []struct{ got, want string }{
		{en.Number(1234567), "1,234,567"},
		{fr.Number(-1234), "-1\u202f234"},
		{en.Number(12), "12"},
		{en.Money(1250, "EUR"), "€12.50"},
		{fr.Money(123456, "EUR"), "1\u202f234,56\u00a0€"},
		{en.Money(-5, "USD"), "-$0.05"},
		{fr.Money(5, "JPY"), "5\u00a0JPY"},
		{en.Money(1234, "KWD"), "KWD\u00a01.234"},
		{en.Money(0, "CHF"), "CHF\u00a00.00"},
		{en.Time(day), "20:05"},
		{en.Date(day), "Sat 21 Nov 2026"},
		{fr.Date(day), "sam. 21 nov. 2026"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

// What is written to be shown shows as it reads: nothing steers a terminal or a printer, breaks a line or turns letters around.
func TestTidy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"Zoé Lambert", 20, "Zoé Lambert"},
		{" a\x1b[2J\nb\u0085c ", 20, "a [2J b c"},
		{"Max\u202eenil\u202c \u2066x\u2069", 20, "Maxenil x"},
		{"a\u2028b\u2029c", 20, "a b c"},
		{"شكرا\u200f 2", 20, "شكرا\u200f 2"},
		{"a\xffb", 20, "a�b"},
		{"abcdef", 4, "abc…"},
		{"\u202e\x00", 4, ""},
	} {
		if got := Tidy(c.text, c.limit); got != c.want {
			t.Errorf("Tidy(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
