package escpos

import (
	"slices"
	"testing"
)

func TestProfiles(t *testing.T) {
	names := Models()
	for _, want := range []string{"generic-80mm", "generic-58mm", "epson-tm-t20", "epson-tm-t88", "epson-tm-m30", "epson-tm-u220", "star-tsp-escpos", "bixolon-srp350", "citizen-ct-s", "xprinter-80mm"} {
		if !slices.Contains(names, want) {
			t.Errorf("no model %q", want)
		}
	}
	for _, name := range names {
		p := profile(t, name)
		if p.Columns < MinColumns || p.Columns > MaxColumns || p.Columns*cellDots > p.Dots {
			t.Errorf("%s: %d columns in %d dots", name, p.Columns, p.Dots)
		}
		if p.LinesPerSecond <= 0 || p.BytesPerSecond <= 0 || p.CellHeight <= 0 || p.LineHeight < p.CellHeight || p.MaxSize < 1 {
			t.Errorf("%s: %+v", name, p)
		}
		if len(p.Pages) == 0 || len(p.Pages) > maxPages || p.Page(16) == nil {
			t.Errorf("%s: %d pages", name, len(p.Pages))
		}
		if p.Sizes == SizeESC && (p.Inverse || p.Raster || p.MaxSize > 2) {
			t.Errorf("%s: an impact model with thermal abilities", name)
		}
	}
	if p, ok := ProfileFor(""); !ok || p.Name != DefaultModel {
		t.Errorf("default is %q", p.Name)
	}
	if p, ok := ProfileFor("Epson-TM-T88"); !ok || p.Columns != 42 || p.WithColumns(48).Columns != 48 || p.WithColumns(0).Columns != 42 || p.WithColumns(1000).Columns != MaxColumns {
		t.Errorf("TM-T88: %v %d columns", ok, p.Columns)
	}
	if _, ok := ProfileFor("no-such-printer"); ok {
		t.Error("an unknown model has a profile")
	}
}

// TestPagePositions holds pages against the tables printers publish: the letters of French and the euro.
func TestPagePositions(t *testing.T) {
	p := profile(t, "epson-tm-t20")
	for _, c := range []struct {
		page  byte
		runes string
		want  string
	}{
		{16, "éèàùçœŒŸ€’…ë", "\xe9\xe8\xe0\xf9\xe7\x9c\x8c\x9f\x80\x92\x85\xeb"},
		{19, "éèàùç€ë", "\x82\x8a\x85\x97\x87\xd5\x89"},
		{2, "éèàùçë", "\x82\x8a\x85\x97\x87\x89"},
		{0, "éèàùçë¢", "\x82\x8a\x85\x97\x87\x89\x9b"},
		{17, "АЯапряё", "\x80\x9f\xa0\xaf\xe0\xef\xf1"},
		{18, "łŁżŻőű", "\x88\x9d\xbe\xbd\x8b\xfb"},
		{48, "ğışİ", "\xf0\xfd\xfe\xdd"},
		{47, "αω€", "\xe1\xf9\x80"},
		{40, "€œ", "\xa4\xbd"},
	} {
		for i, r := range []rune(c.runes) {
			if b, ok := p.Page(c.page).Byte(r); !ok || b != c.want[i] {
				t.Errorf("page %d, %c: %02x %v, want %02x", c.page, r, b, ok, c.want[i])
			}
		}
	}
	for _, c := range []struct {
		page byte
		r    rune
	}{{0, 'Γ'}, {0, 'α'}, {0, 'ß'}, {0, '€'}, {2, 'œ'}, {2, '€'}, {19, 'œ'}, {17, 'é'}} {
		if b, ok := p.Page(c.page).Byte(c.r); ok {
			t.Errorf("page %d writes %c as %02x; it must not", c.page, c.r, b)
		}
	}
}

func TestPagesRoundTrip(t *testing.T) {
	for _, p := range epsonPages {
		for b := 0x80; b < 0x100; b++ {
			r := p.Rune(byte(b))
			if r < 0xA0 {
				t.Errorf("%s %02x is the control %U", p.Name, b, r)
			}
			if got, ok := p.Byte(r); ok && p.Rune(got) != r {
				t.Errorf("%s: %c is %02x, which is %c", p.Name, r, got, p.Rune(got))
			}
		}
		if _, ok := p.Byte('\uFFFD'); ok {
			t.Errorf("%s writes U+FFFD", p.Name)
		}
	}
}

func TestLanguagePage(t *testing.T) {
	full, generic := profile(t, "epson-tm-t20"), profile(t, "")
	for _, c := range []struct {
		language      string
		full, generic byte
	}{{"fr", 16, 16}, {"fr-CA", 16, 16}, {"", 16, 16}, {"pl", 18, 18}, {"RU", 17, 17}, {"uk", 46, 17}, {"el", 47, 16}, {"tr", 48, 16}, {"lt", 51, 16}} {
		if f, g := full.LanguagePage(c.language), generic.LanguagePage(c.language); f != c.full || g != c.generic {
			t.Errorf("%q: page %d and %d, want %d and %d", c.language, f, g, c.full, c.generic)
		}
	}
}
