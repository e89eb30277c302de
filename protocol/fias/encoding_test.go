package fias

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"
)

func encoding(t testing.TB, name string) *Encoding {
	t.Helper()
	e, err := NewEncoding(name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEncodings(t *testing.T) {
	for _, c := range []struct{ name, text, wire string }{
		{"utf-8", "Crème brûlée €", "Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9e \xe2\x82\xac"},
		{"", "é", "\xc3\xa9"},
		{"windows-1252", "Crème brûlée €", "Cr\xe8me br\xfbl\xe9e \x80"},
		{"Windows-1252", "Müller", "M\xfcller"},
		{"iso-8859-1", "Müller", "M\xfcller"},
		{"iso-8859-15", "cœur €", "c\xbdur \xa4"},
		{"cp850", "Müller é", "M\x81ller \x82"},
		{"cp437", "Müller é", "M\x81ller \x82"},
		{"cp858", "€ é", "\xd5 \x82"},
		{"cp852", "Dvořák", "Dvo\xfd\xa0k"},
		{"windows-1250", "Dvořák", "Dvo\xf8\xe1k"},
		{"iso-8859-2", "Dvořák", "Dvo\xf8\xe1k"},
		{"windows-1251", "Иванов", "\xc8\xe2\xe0\xed\xee\xe2"},
	} {
		e := encoding(t, c.name)
		b, did := e.AppendText(nil, c.text, 0, false)
		if string(b) != c.wire || did != (Text{}) {
			t.Errorf("%s: AppendText(%q) = %q, %+v; want %q", c.name, c.text, b, did, c.wire)
		}
		if got := e.Decode([]byte(c.wire)); got != c.text {
			t.Errorf("%s: Decode(%q) = %q, want %q", c.name, c.wire, got, c.text)
		}
	}
	if _, err := NewEncoding("shift_jis"); !errors.Is(err, ErrEncoding) || !strings.Contains(err.Error(), "windows-1252") {
		t.Errorf("NewEncoding(shift_jis) = %v, want ErrEncoding with the list", err)
	}
	for _, want := range []string{"utf-8", "windows-1252", "windows-1250", "iso-8859-1", "iso-8859-2", "iso-8859-15", "cp437", "cp850", "cp852", "cp858"} {
		if e := encoding(t, want); e.Name() != want {
			t.Errorf("encoding %s is called %s", want, e.Name())
		}
	}
}

func TestTextIsMadeToFit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limit      int
		lines      bool
		want       string
		did        Text
	}{
		{"utf-8", "Hôtel", 3, false, "Hôt", Text{Cut: true}},
		{"utf-8", "日本語", 2, false, "日本", Text{Cut: true}},
		{"utf-8", "日本", 2, false, "日本", Text{}},
		{"windows-1252", "日本", 9, false, "??", Text{Replaced: 2}},
		{"windows-1252", "Dvořák", 9, false, "Dvor\xe1k", Text{Replaced: 1}},
		{"windows-1252", "e\u0301", 9, false, "\xe9", Text{}}, // the accent joins its letter
		{"iso-8859-1", "cœur €", 0, false, "coeur EUR", Text{Replaced: 2}},
		{"iso-8859-1", "cœur", 2, false, "c", Text{Replaced: 1, Cut: true}},
		{"iso-8859-1", "“l’été” – fin…", 0, false, "\"l'\xe9t\xe9\" - fin...", Text{Replaced: 5}},
		{"cp437", "Straße Øre ÿ", 0, false, "Stra\xe1e Ore \x98", Text{Replaced: 1}},
		{"utf-8", "a|b\x00c\x02\x03\x7fd\r\ne", 0, false, "a/b c   d  e", Text{Replaced: 7}},
		{"utf-8", "a|b\r\n\fc\x1b", 0, true, "a/b\r\n\fc ", Text{Replaced: 2}},
		{"utf-8", "a\xffb", 0, false, "a?b", Text{Replaced: 1}},
		{"utf-8", "\uFFFD", 0, false, "\uFFFD", Text{}},
		{"windows-1252", "ﬁn ½", 0, false, "fn \xbd", Text{Replaced: 1}},
		{"utf-8", "", 4, false, "", Text{}},
		{"utf-8", "abc", 3, false, "abc", Text{}},
	} {
		b, did := encoding(t, c.name).AppendText(nil, c.text, c.limit, c.lines)
		if string(b) != c.want || did != c.did {
			t.Errorf("%s: AppendText(%q, %d, %v) = %q, %+v; want %q, %+v", c.name, c.text, c.limit, c.lines, b, did, c.want, c.did)
		}
	}
}

// TestEveryByteSurvives: no byte of the upper half is dropped or changed on its way through text and back.
func TestEveryByteSurvives(t *testing.T) {
	for _, name := range Encodings() {
		e := encoding(t, name)
		for b := 0x80; b <= 0xFF; b++ {
			s := e.Decode([]byte{byte(b)})
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) != 1 || s == "\uFFFD" {
				t.Errorf("%s: Decode(%02X) = %q", name, b, s)
			}
			if name == "utf-8" {
				if want := string(charmap.Windows1252.DecodeByte(byte(b))); s != want && want != "\uFFFD" {
					t.Errorf("%s: Decode(%02X) = %q, want %q", name, b, s, want)
				}
				continue
			}
			if got, did := e.AppendText(nil, s, 0, false); !bytes.Equal(got, []byte{byte(b)}) || did != (Text{}) {
				t.Errorf("%s: %02X became %q and %X", name, b, s, got)
			}
		}
	}
	if got := (&Encoding{}).Decode([]byte("Jos\xe9 \xc3\xa9")); got != "José é" {
		t.Errorf("a byte of Windows-1252 on a UTF-8 link became %q", got)
	}
}

// TestTextStaysInItsField: whatever a person writes, the field holds no byte of the link, no bar, and no more characters
// than it may.
func TestTextStaysInItsField(t *testing.T) {
	names := Encodings()
	rapid.Check(t, func(t *rapid.T) {
		e, _ := NewEncoding(rapid.SampledFrom(names).Draw(t, "encoding"))
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		limit := rapid.IntRange(0, 30).Draw(t, "limit")
		lines := rapid.Bool().Draw(t, "lines")
		b, did := e.AppendText(nil, s, limit, lines)
		for _, c := range b {
			if c == '|' || c == 0x7F || c < ' ' && !(lines && (c == '\r' || c == '\n' || c == '\f')) {
				t.Fatalf("%s: AppendText(%q) = %q", e.Name(), s, b)
			}
		}
		n := len(b)
		if e.Name() == "utf-8" {
			n = utf8.RuneCount(b)
		}
		if limit > 0 && n > limit {
			t.Fatalf("%s: AppendText(%q, %d) has %d characters", e.Name(), s, limit, n)
		}
		if !did.Cut && did.Replaced == 0 && e.Decode(b) != s && e.Name() == "utf-8" {
			t.Fatalf("%s: %q became %q", e.Name(), s, e.Decode(b))
		}
	})
}
