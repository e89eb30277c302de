package escpos

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestEncoderBytes(t *testing.T) {
	for _, c := range []struct {
		name  string
		model string
		do    func(*Encoder)
		want  string
	}{
		{"ascii", "", func(e *Encoder) { e.Line("2 x Pizza") }, "2 x Pizza\n"},
		{"French on page 16", "", func(e *Encoder) { e.Line("é è ç œ € Ÿ à ù Œ") }, "\xe9 \xe8 \xe7 \x9c \x80 \x9f \xe0 \xf9 \x8c\n"},
		{"decomposed", "", func(e *Encoder) { e.Line("cre\u0301me") }, "cr\xe9me\n"},
		{"quotes the page has", "", func(e *Encoder) { e.Line("l’œuf “dur” – … ‹x›") }, "l\x92\x9cuf \x93dur\x94 \x96 \x85 \x8bx\x9b\n"},
		{"narrow space", "", func(e *Encoder) { e.Line("12\u202f€\u00a0!") }, "12 \x80 !\n"},
		{"no ink", "", func(e *Encoder) { e.Line("a\u200bb\u200e\ufe0f\u00ad\ufeffc") }, "abc\n"},
		{"controls", "", func(e *Encoder) { e.Line("a\x1bp\x00\tb\x10\x04\x01\x7f\u009bc\nd\r") }, "a\xa4p\xa4 b\xa4\xa4\xa4\xa4\xa4c d\n"},
		{"broken UTF-8", "", func(e *Encoder) { e.Line("a\xff\xfeb") }, "a\xa4\xa4b\n"},
		{"no page switch for typography", "", func(e *Encoder) { e.Line("борщ — “да”") }, "\x1bt\x11\xa1\xae\xe0\xe9 - \"\xa4\xa0\"\x1bt\x10\n"},
		{"run, not character", "", func(e *Encoder) { e.Line("łódź") }, "\x1bt\x12\x88\xa2d\xab\x1bt\x10\n"},
		{"size and back", "", func(e *Encoder) { e.Size(2, 2); e.Line("T1"); e.Plain(); e.Line("x") }, "\x1d!\x11T1\n\x1d!\x00x\n"},
		{"state returns before the last feed", "", func(e *Encoder) { e.Bold(true); e.Size(2, 1); e.Line("T1") }, "\x1d!\x10\x1bE\x01T1\x1d!\x00\x1bE\x00\n"},
		{"impact sizes", "epson-tm-u220", func(e *Encoder) { e.Set(Style{Bold: true, Width: 3, Height: 2}); e.Line("T1"); e.Plain(); e.Line("x") }, "\x1b!\x38T1\n\x1b!\x00x\n"},
		{"alert inverse", "", func(e *Encoder) { e.Alert(true); e.Line(" lait ") }, "\x1dB\x01 lait \x1dB\x00\n"},
		{"alert red", "epson-tm-u220", func(e *Encoder) { e.Alert(true); e.Line("lait") }, "\x1b!\x08\x1br\x01lait\x1b!\x00\x1br\x00\n"},
		{"centre", "generic-58mm", func(e *Encoder) {
			e.Align(AlignCentre)
			e.Line("abcd")
			e.Align(AlignRight)
			e.Size(2, 1)
			e.Line("ab")
		}, strings.Repeat(" ", 14) + "abcd\n" + strings.Repeat(" ", 28) + "\x1d!\x10ab\x1d!\x00\n"},
		{"columns", "generic-58mm", func(e *Encoder) { e.Columns("Margherita", "12,50") }, "Margherita" + strings.Repeat(" ", 17) + "12,50\n"},
		{"columns broken", "generic-58mm", func(e *Encoder) { e.Columns("Pizza aux quatre fromages de France", "12,50") }, "Pizza aux quatre fromages  12,50\n  de France\n"},
		{"columns without room", "generic-58mm", func(e *Encoder) { e.Columns("Pizza", "a right side that is very long") }, "Pizza\n  a right side that is very long\n"},
		{"wrap", "generic-58mm", func(e *Encoder) { e.Wrap("2 x ", "    ", "Magret de canard aux cerises noires\nbien rosé") }, "2 x Magret de canard aux cerises\n    noires\n    bien ros\xe9\n"},
		{"wrap keeps a non-breaking space", "generic-58mm", func(e *Encoder) { e.Line("123456789 123456789 1234567 12\u00a0345") }, "123456789 123456789 1234567\n12 345\n"},
		{"a word longer than the line", "generic-58mm", func(e *Encoder) { e.Line(strings.Repeat("x", 40)) }, strings.Repeat("x", 32) + "\n" + strings.Repeat("x", 8) + "\n"},
		{"break behind a hyphen", "generic-58mm", func(e *Encoder) { e.Line("123456789 123456789 12345-789 x-y z") }, "123456789 123456789 12345-789 x-\ny z\n"},
		{"rule", "generic-58mm", func(e *Encoder) { e.Rule('='); e.Rule(0x1b) }, strings.Repeat("=", 32) + "\n" + strings.Repeat("-", 32) + "\n"},
		{"feed", "", func(e *Encoder) { e.Text("a"); e.Feed(2); e.Feed(10) }, "a\n\n\n\x1bd\x09\n"},
		{"open line", "", func(e *Encoder) { e.Text("a"); e.Text("b") }, "ab\n"},
		{"cut, drawer, buzzer", "xprinter-80mm", func(e *Encoder) { e.Text("a"); e.Cut(); e.Drawer(5); e.Buzzer(3) }, "a\n\x1bd\x01\x1dVB\x00\x1bp\x01\x19\xfa\x1bB\x03\x02"},
		{"transliterated", "epson-tm-u220", func(e *Encoder) { e.Line("phở → Ħ \U0010FFFD") }, "pho -> H \xa4\n"},
		{"emoji as words", "", func(e *Encoder) { e.Line("2🌶️ sans 🥜, 👍🏽 🇫🇷!❗") }, "2[piment] sans [cacahu\xe8tes], [pouce lev\xe9] FR!!\n"},
		{"empty", "", func(e *Encoder) { e.Line("") }, "\n"},
		{"nothing", "", func(e *Encoder) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewEncoder(profile(t, c.model), "fr")
			c.do(e)
			if got := string(e.Finish()); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestEncoderMissing(t *testing.T) {
	e := NewEncoder(profile(t, "epson-tm-u220"), "fr")
	e.Line("ラーメン ラ é")
	if n, runes := e.Missing(); n != 0 {
		t.Errorf("Missing = %d %q, want none: they are drawn", n, string(runes))
	}
	e.Line("🌶\ufffd\ufffd")
	if n, runes := e.Missing(); n != 3 || string(runes) != "🌶\ufffd" {
		t.Errorf("Missing = %d %q, want 3", n, string(runes))
	}
	e.Reset(nil)
	if n, runes := e.Missing(); n != 0 || len(runes) != 0 {
		t.Errorf("after Reset: %d %q", n, string(runes))
	}
	th := NewEncoder(profile(t, ""), "fr")
	th.Line("ラーメン φ ế")
	if n, runes := th.Missing(); n != 0 {
		t.Errorf("a drawn line counts %d %q as missing, want none", n, string(runes))
	}
	th.Line("piment 🌶 \U0010FFFD")
	if n, _ := th.Missing(); n != 2 {
		t.Errorf("without glyph: %d missing, want 2", n)
	}
}

// TestPiecesJoin prints a banner and a body made apart: the second must not inherit the first one's page or size.
func TestPiecesJoin(t *testing.T) {
	for _, model := range Models() {
		p := profile(t, model)
		one := NewEncoder(p, "fr")
		one.Set(Style{Alert: true, Width: 2, Height: 2})
		one.Align(AlignCentre)
		one.Line("** борщ 2 **")
		b := one.Finish()
		two := NewEncoder(p, "fr")
		two.Reset(b)
		two.Line("Crème brûlée")
		paper := Render(append(AppendInit(nil, p, "fr"), two.Finish()...), p)
		lines := paper.Tickets[0].Lines
		last := lines[len(lines)-1]
		if last.Text() != "Crème brûlée" || len(last.Spans) != 1 || last.Spans[0] != (Span{Text: "Crème brûlée", Width: 1, Height: 1}) {
			t.Errorf("%s: the second piece shows as %+v", model, last)
		}
	}
}

// drawnText makes texts of what people type, and of what breaks things.
func drawnText() *rapid.Generator[string] {
	return rapid.StringOf(rapid.OneOf(
		rapid.RuneFrom([]rune("abcdefg XYZ 0123 -,.'()éèçœ€ŸàùÉ")),
		rapid.RuneFrom([]rune("łódźŻńбоРЩѳελλάתשלוםمرحبا日本ラ한ếở\u0301\u0308")),
		rapid.RuneFrom([]rune("“”’–—…\u00a0\u202f\u200b\ufeff\u00ad™•→✓🌶\U0001F9C0\ufffd")),
		rapid.RuneFrom([]rune{0, 4, 5, 7, 8, 9, 10, 12, 13, 16, 20, 24, 27, 28, 29, 127, 0x80, 0x9B, 0x9F}),
		rapid.Rune(),
	))
}

// TestLints holds generated tickets on every model against the lints of escpos.md 17.
func TestLints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := ProfileFor(rapid.SampledFrom(Models()).Draw(t, "model"))
		if rapid.Bool().Draw(t, "narrow") {
			p = p.WithColumns(rapid.IntRange(MinColumns, p.Columns).Draw(t, "columns"))
		}
		e := NewEncoder(p, "fr")
		e.Reset(AppendInit(nil, p, "fr"))
		text := drawnText()
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				e.Set(Style{Bold: rapid.Bool().Draw(t, "b"), Underline: rapid.Bool().Draw(t, "u"), Alert: rapid.Bool().Draw(t, "a"),
					Width: byte(rapid.IntRange(0, 12).Draw(t, "w")), Height: byte(rapid.IntRange(0, 12).Draw(t, "h"))})
			case 1:
				e.Align(Align(rapid.IntRange(0, 2).Draw(t, "align")))
			case 2:
				e.Text(text.Draw(t, "text"))
			case 3, 4:
				e.Line(text.Draw(t, "line"))
			case 5:
				e.Wrap(text.Draw(t, "first"), text.Draw(t, "rest"), text.Draw(t, "text"))
			case 6:
				e.Columns(text.Draw(t, "left"), text.Draw(t, "right"))
			case 7:
				e.Rule(byte(rapid.IntRange(0, 255).Draw(t, "rule")))
			case 8:
				e.Feed(rapid.IntRange(-1, 300).Draw(t, "feed"))
			case 9:
				e.Plain()
			}
		}
		b := e.Finish()
		b = AppendProcessID(b, [4]byte{' ', '0', '1', '~'})
		b = AppendCut(b, p)
		b = AppendFence(b)
		if faults := lint(p, b, true); len(faults) > 0 {
			t.Fatalf("%s:\n%s\n%s", p.Name, strings.Join(faults, "\n"), dump(b))
		}
	})
}

// TestTextRoundTrip reads back from paper what was written, in every letter of the universal pages.
func TestTextRoundTrip(t *testing.T) {
	var letters []rune
	for _, page := range epsonPages[:universalPages] {
		for b := 0x80; b < 0x100; b++ {
			r := page.Rune(byte(b))
			if _, ok := page.Byte(r); ok && unicode.IsLetter(r) && norm.NFC.IsNormalString(string(r)) {
				letters = append(letters, r)
			}
		}
	}
	letters = append(letters, []rune("abc xyz 123")...)
	p := profile(t, "")
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOf(rapid.SampledFrom(letters)).Draw(t, "text")
		e := NewEncoder(p, rapid.SampledFrom([]string{"fr", "pl", "ru", "en"}).Draw(t, "language"))
		e.Line(in)
		b := append(AppendInit(nil, p, "fr"), e.Finish()...)
		// The encoder's first page is its language's.
		b = slices.Replace(b, 12, 13, p.Pages[e.home].Number)
		var got strings.Builder
		for _, ticket := range Render(b, p).Tickets {
			for _, l := range ticket.Lines {
				got.WriteString(l.Text())
			}
		}
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if squeeze(got.String()) != squeeze(in) {
			t.Fatalf("%q came back as %q\n%s", in, got.String(), dump(b))
		}
	})
}

// TestFewestSwitches compares the choice of pages with every other choice.
func TestFewestSwitches(t *testing.T) {
	p := profile(t, "")
	p.Pages = p.Pages[:5]
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.SampledFrom([]rune("éœ€łóяЖß½░")), 1, 6).Draw(t, "text")
		e := NewEncoder(p, "fr")
		if slices.ContainsFunc(in, func(r rune) bool { return e.pageMask(r) == 0 }) {
			t.Skip("drawn")
		}
		e.Text(string(in))
		line := e.line
		e.choosePages(line)
		switches, page := 0, e.home
		for _, c := range line {
			if _, ok := p.Pages[c.page].Byte(c.r); !ok {
				t.Fatalf("%c on page %s", c.r, p.Pages[c.page].Name)
			}
			if int(c.page) != page {
				page = int(c.page)
				switches++
			}
		}
		var fewest func(i, page int) int
		fewest = func(i, page int) int {
			if i == len(in) {
				return 0
			}
			best := 1 << 20
			for q := range p.Pages {
				if _, ok := p.Pages[q].Byte(in[i]); !ok {
					continue
				}
				n := fewest(i+1, q)
				if q != page {
					n++
				}
				best = min(best, n)
			}
			return best
		}
		if want := fewest(0, e.home); switches != want {
			t.Fatalf("%q: %d switches, want %d", string(in), switches, want)
		}
	})
}

func TestRasterIsDisarmed(t *testing.T) {
	p := profile(t, "epson-tm-t20")
	m := NewBitmap(576, 200)
	for i := range m.Bits { // every real-time command, at every offset
		m.Bits[i] = []byte{dle, eot, 1, dle, enq, 2, dle, dc4, 8, 1, 3, 20, 1, 6, 2, 8, dle}[i%17]
	}
	e := NewEncoder(p, "fr")
	e.Raster(m)
	b := e.Finish()
	if faults := lint(p, b, false); len(faults) > 0 {
		t.Error(faults)
	}
	if !bytes.HasPrefix(b, []byte{gs, '(', 'D', 5, 0, 20, 1, 0, 2, 0}) {
		t.Errorf("real-time pulses are not switched off first: % x", b[:12])
	}
	if paper := Render(b, p); len(paper.Tickets[0].Lines) != 7 {
		t.Errorf("%d slices, want 7", len(paper.Tickets[0].Lines))
	}
}

func TestLongTextIsLinear(t *testing.T) {
	e := NewEncoder(profile(t, ""), "fr")
	e.Wrap("1 x ", "    ", strings.Repeat("été ", 100_000))
	e.Columns(strings.Repeat("été ", 100_000), "1")
	if n := bytes.Count(e.Finish(), []byte("\n")); n < 16_000 {
		t.Errorf("%d lines", n)
	}
}

// FuzzEncoderText prints any text in any way on any model: nothing but layout comes out.
func FuzzEncoderText(f *testing.F) {
	f.Add("Crème brûlée “maison”", uint8(0), uint8(0))
	f.Add("\x1bp\x00\x19\xfa\x10\x14\x01\x00\x08", uint8(5), uint8(1))
	f.Add("日本\x1d\x56\x00 \u0301\u200f مرحبا", uint8(2), uint8(2))
	f.Add("\n\r\n\x10\x04\x01", uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, s string, model, look uint8) {
		if len(s) > 1<<12 {
			return
		}
		names := Models()
		p := profile(t, names[int(model)%len(names)])
		e := NewEncoder(p, "fr")
		e.Set(Style{Bold: look&1 != 0, Underline: look&2 != 0, Alert: look&4 != 0, Width: look >> 3 & 3, Height: look >> 5 & 3})
		e.Line(s)
		e.Wrap(s, s, s)
		e.Columns(s, s)
		e.Align(AlignRight)
		e.Text(s)
		b := e.Finish()
		if faults := lint(p, b, false); len(faults) > 0 {
			t.Fatalf("%s, %q:\n%s", p.Name, s, strings.Join(faults, "\n"))
		}
		if len(b) > 0 && len(Render(b, p).Lost) > 0 {
			t.Fatal("text stays in the printer")
		}
	})
}

// ticket12 is a typical ticket of a dozen lines.
func ticket12(e *Encoder) {
	e.Align(AlignCentre)
	e.Set(Style{Bold: true, Width: 2, Height: 2})
	e.Line("TABLE 12")
	e.Plain()
	e.Line("Commande 41 - 2 couverts - Léa")
	e.Align(AlignLeft)
	e.Columns("Reçue 19:04", "Pour 19:45")
	e.Rule('-')
	e.Set(Style{Bold: true, Height: 2})
	e.Wrap("2 x ", "    ", "Margherita")
	e.Plain()
	e.Wrap("    + ", "      ", "Extra mozzarella")
	e.Wrap("    ", "    ", "sans basilic, pâte fine bien cuite et découpée")
	e.Set(Style{Bold: true, Height: 2})
	e.Wrap("1 x ", "    ", "Crème brûlée")
	e.Plain()
	e.Alert(true)
	e.Line(" ALLERGIE: lait ")
	e.Alert(false)
	e.Rule('-')
	e.Columns("3 articles", "36,50 €")
	e.Line("Fin 0142")
}

// TestShortWay holds the lines that go straight into the stream against those that are laid out cell by cell.
func TestShortWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := ProfileFor(rapid.SampledFrom(Models()).Draw(t, "model"))
		language := rapid.SampledFrom([]string{"fr", "pl", "tr", "ru"}).Draw(t, "language")
		long, short := NewEncoder(p, language), NewEncoder(p, language)
		long.careful = true
		text := rapid.StringOf(rapid.SampledFrom([]rune("abc  12-éèçŁżğš\n日€’…\u00a0\u202f\u00ab\u0301")))
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			s := Style{Bold: rapid.Bool().Draw(t, "b"), Underline: rapid.Bool().Draw(t, "u"), Alert: rapid.Bool().Draw(t, "a"),
				Width: byte(rapid.IntRange(0, 3).Draw(t, "w")), Height: byte(rapid.IntRange(0, 3).Draw(t, "h"))}
			align, step := Align(rapid.IntRange(0, 2).Draw(t, "align")), rapid.IntRange(0, 3).Draw(t, "step")
			x, y, z := text.Draw(t, "x"), text.Draw(t, "y"), text.Draw(t, "z")
			for _, e := range []*Encoder{long, short} {
				e.Set(s)
				e.Align(align)
				switch step {
				case 0:
					e.Line(x)
				case 1:
					e.Wrap(x, y, z)
				case 2:
					e.Columns(x, y)
				case 3:
					e.Text(x)
					e.Line(y)
				}
			}
		}
		if a, b := long.Finish(), short.Finish(); !bytes.Equal(a, b) {
			t.Fatalf("%s:\n%s\nand the short way:\n%s", p.Name, dump(a), dump(b))
		}
	})
}

// ticket20 is a ticket of twenty lines on paper.
func ticket20(e *Encoder) {
	ticket12(e)
	e.Set(Style{Bold: true, Height: 2})
	e.Wrap("1 x ", "    ", "Bœuf bourguignon, purée")
	e.Plain()
	e.Wrap("    + ", "      ", "à point")
	e.Line("    (en attente)")
	e.Columns("Émis 19:05", "caisse 2")
	e.Line("")
	e.Line("À servir avec les entrées")
	e.Columns("Total", "61,00\u00a0€")
}

// BenchmarkTicket20 is a kitchen ticket of twenty lines with the choice of code pages.
func BenchmarkTicket20(b *testing.B) {
	p := profile(b, "")
	e := NewEncoder(p, "fr")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(buf[:0])
		ticket20(e)
		buf = e.Finish()
	}
	b.SetBytes(int64(len(buf)))
	if n := bytes.Count(buf, []byte("\n")); n != 20 {
		b.Fatalf("%d lines", n)
	}
}

func BenchmarkTicket(b *testing.B) {
	p := profile(b, "")
	e := NewEncoder(p, "fr")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(buf[:0])
		ticket12(e)
		buf = e.Finish()
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkTicketFresh(b *testing.B) {
	p := profile(b, "")
	b.ReportAllocs()
	for b.Loop() {
		e := NewEncoder(p, "fr")
		ticket12(e)
		e.Finish()
	}
}

func BenchmarkTicketMixedPages(b *testing.B) {
	e := NewEncoder(profile(b, ""), "fr")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(buf[:0])
		for range 12 {
			e.Line("Żurek, борщ, crème brûlée, łosoś")
		}
		buf = e.Finish()
	}
}

func BenchmarkDrawnLine(b *testing.B) {
	e := NewEncoder(profile(b, ""), "fr")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(buf[:0])
		e.Line("ラーメン大盛り ネギ抜き")
		buf = e.Finish()
	}
}
