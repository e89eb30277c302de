package escpos

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

func TestSymbols(t *testing.T) {
	for _, c := range []struct {
		name, model string
		do          func(*Encoder) error
		want        string // of the bytes
		paper       string // of the text
	}{
		{"EAN-13", "", func(e *Encoder) error { return e.Barcode(EAN13, "4006381333931") },
			"\x1dhP\x1dw\x03\x1dH\x02\x1df\x00\x1dkC\x0d4006381333931", "    |[EAN-13 4006381333931]\n"},
		{"Code 128 begins with its set and doubles braces", "", func(e *Encoder) error { return e.Barcode(Code128, "A{1") },
			"\x1dhP\x1dw\x03\x1dH\x02\x1df\x00\x1dkI\x06{BA{{1", "    |[Code 128 {BA{{1]\n"},
		{"narrower where the paper is", "generic-58mm", func(e *Encoder) error { return e.Barcode(Code128, "123456789") },
			"\x1dhP\x1dw\x02\x1dH\x02\x1df\x00\x1dkI\x0b{B123456789", "    |[Code 128 {B123456789]\n"},
		{"QR in the middle", "", func(e *Encoder) error { e.Text("x"); e.Align(AlignCentre); return e.QR("https://é.fr/41") },
			"x\n\x1ba\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1\x1d(k\x13\x001P0https://\xc3\xa9.fr/41\x1d(k\x03\x001Q0\x1ba\x00",
			"    |x\n    |              [QR https://é.fr/41]\n"},
		{"PDF417", "epson-tm-t88", func(e *Encoder) error { return e.PDF417("41") },
			"\x1d(k\x03\x000A\x00\x1d(k\x03\x000B\x00\x1d(k\x03\x000C\x02\x1d(k\x03\x000D\x03\x1d(k\x04\x000E1\x01\x1d(k\x05\x000P041\x1d(k\x03\x000Q0", "    |[PDF417 41]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile(t, c.model)
			e := NewEncoder(p, "fr")
			if err := c.do(e); err != nil {
				t.Fatal(err)
			}
			got := e.Finish()
			if string(got) != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if text := Render(got, p).Text(); c.paper != "" && strings.TrimLeft(text, " |") != strings.TrimLeft(c.paper, " |") {
				t.Errorf("paper\n%swant\n%s", text, c.paper)
			}
		})
	}
}

func TestSymbolsThatCannotBe(t *testing.T) {
	e := NewEncoder(profile(t, "generic-58mm"), "fr")
	for data, kind := range map[string]Symbology{
		"": Code128, "400638133393": EAN8, "4006381333930": EAN13, "12a": EAN13, "abc": Code39, "123": ITF, "123456": Codabar, "A1BA": Codabar,
		"a\x1bp": Code128, "é": Code93, strings.Repeat("1", 40): Code128, "11111111111": UPCE, "x": 99,
	} {
		if err := e.Barcode(kind, data); err == nil {
			t.Errorf("bar code %d of %q: no error", kind, data)
		}
	}
	for _, text := range []string{"", "a\x10\x04\x01", "\xff", "a\nb", strings.Repeat("x", MaxQR+1)} {
		if err := e.QR(text); err == nil {
			t.Errorf("QR of %q: no error", text)
		}
		p := NewEncoder(profile(t, "epson-tm-t88"), "fr")
		if err := p.PDF417(text); err == nil {
			t.Errorf("PDF417 of %q: no error", text)
		}
	}
	u := NewEncoder(profile(t, "epson-tm-u220"), "fr")
	plain := profile(t, "epson-tm-u220")
	plain.Strips = false
	if err := NewEncoder(plain, "fr").QR("x"); !errors.Is(err, ErrSymbol) {
		t.Errorf("QR where no picture can be printed: %v", err)
	}
	if err := u.Barcode(EAN8, "1234567"); !errors.Is(err, ErrSymbol) {
		t.Errorf("bar code on a TM-U220: %v", err)
	}
	if got := append(e.Finish(), u.Finish()...); len(got) != 0 {
		t.Errorf("what is refused left %q", got)
	}
}

// A model without the command gets the code as a picture: the same modules, a quiet zone of four around them, in the middle
// of the line.
func TestDrawnQR(t *testing.T) {
	const text = "https://example.org/41"
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		t.Fatal(err)
	}
	side := code.Bounds().Dx()
	p := profile(t, "generic-80mm")
	p.QR = false
	e := NewEncoder(p, "fr")
	e.Align(AlignCentre)
	if err := e.QR(text); err != nil {
		t.Fatal(err)
	}
	b := e.Finish()
	if faults := lint(p, b, false); len(faults) > 0 {
		t.Fatal(strings.Join(faults, "\n"))
	}
	const module = 6
	left := (p.Dots - (side+8)*module) / 2
	y, wrong := 0, 0
	for _, ticket := range Render(b, p).Tickets {
		for _, l := range ticket.Lines {
			if l.Image == nil {
				t.Fatalf("a line %+v", l)
			}
			for row := range l.Image.Height {
				for x := range side * module {
					r, _, _, _ := code.At(x/module, max(y-4*module, 0)/module).RGBA()
					if y >= 4*module && y < (side+4)*module && l.Image.At(left+4*module+x, row) != (r == 0) {
						wrong++ // a dot here and there keeps a real-time command out of the data
					}
				}
				y++
			}
		}
	}
	if y != (side+8)*module || wrong > 20 {
		t.Errorf("%d rows and %d wrong dots, want %d rows", y, wrong, (side+8)*module)
	}
	u := NewEncoder(profile(t, "epson-tm-u220"), "fr")
	if err := u.QR(text); err != nil || len(u.Finish()) == 0 {
		t.Errorf("QR on an impact model: %v", err)
	}
}

// FuzzSymbols: whatever the data, a symbol is refused or stands whole in the stream, and nothing else is in it.
func FuzzSymbols(f *testing.F) {
	f.Add(byte(73), "{1{2", "https://example.org/41")
	f.Add(byte(67), "4006381333931", "a\x1bp\x00")
	f.Add(byte(70), "\x10\x04\x01\x10", "\x1d(k\x03\x001Q0")
	f.Fuzz(func(t *testing.T, kind byte, bar, qr string) {
		p := profile(t, "epson-tm-t88")
		e := NewEncoder(p, "fr")
		e.Align(AlignCentre)
		n := 0
		for _, err := range []error{e.Barcode(Symbology(kind), bar), e.QR(qr), e.PDF417(qr)} {
			if err == nil {
				n++
			}
		}
		b := e.Finish()
		if faults := lint(p, b, false); len(faults) > 0 {
			t.Fatal(strings.Join(faults, "\n"))
		}
		paper := Render(b, p)
		shown := 0
		for _, ticket := range paper.Tickets {
			for _, l := range ticket.Lines {
				if l.Symbol == "" {
					t.Fatalf("a line %+v", l)
				}
				shown++
			}
		}
		if shown != n || paper.Drawer+paper.Buzzer+len(paper.Unknown)+len(paper.Lost) > 0 {
			t.Fatalf("%d symbols of %d, %+v", shown, n, paper)
		}
	})
}

func TestWideCharacters(t *testing.T) {
	for _, c := range []struct {
		fonts, model, want string
	}{
		{"KANJI JAPANESE", "generic-80mm", "2 x \x1cC\x01\x1c&\x83\x89\x81[\x83\x81\x83\x93\x1c. \xe0\n"},
		{"", "epson-tm-t88vii", "2 x \x1c(C\x02\x000\x02\x1c(C\x03\x00<\x00\x0bラーメン\x1c(C\x02\x000\x01 \xe0\n"},
	} {
		p := profile(t, c.model).WithFonts(c.fonts)
		e := NewEncoder(p, "fr")
		e.Line("2 x ラーメン à")
		b := e.Finish()
		if string(b) != c.want {
			t.Errorf("%q: got  %q\nwant %q", c.fonts, b, c.want)
		}
		if got := Render(append(AppendInit(nil, p, "fr"), b...), p).Tickets[0].Lines[0].Text(); got != "2 x ラーメン à" {
			t.Errorf("%q reads %q", c.fonts, got)
		}
		if n, _ := e.Missing(); n > 0 {
			t.Errorf("%q: %d missing", c.fonts, n)
		}
	}
	for fonts, text := range map[string]string{"CHINA GB18030": "宫保鸡丁", "TAIWAN BIG-5": "宮保雞丁", "KOREA C-5601C": "비빔밥"} {
		p := profile(t, "").WithFonts(fonts)
		e := NewEncoder(p, "fr")
		e.Line(text + " x2")
		b := e.Finish()
		if got := Render(b, p).Tickets[0].Lines[0].Text(); got != text+" x2" || bytes.Contains(b, []byte("\x1dv0")) {
			t.Errorf("%s reads %q from %q", fonts, got, b)
		}
	}
}

func TestDither(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 60, 30))
	for y := range 30 {
		for x := range 60 {
			img.Set(x, y, color.NRGBA{0, 0, 0, uint8(x * 4)}) // ever less transparent
		}
	}
	m, err := Dither(img, 120)
	if err != nil || m.Width != 120 || m.Height != 60 {
		t.Fatalf("%d by %d, %v", m.Width, m.Height, err)
	}
	dots := func(from, to int) (n int) {
		for y := range m.Height {
			for x := from; x < to; x++ {
				if m.At(x, y) {
					n++
				}
			}
		}
		return n
	}
	if a, b, c := dots(0, 40), dots(40, 80), dots(80, 120); a >= b || b >= c || b < 800 || b > 1600 {
		t.Errorf("%d, %d, %d dots", a, b, c)
	}
	if _, err := Dither(image.NewGray(image.Rectangle{}), 10); err == nil {
		t.Error("an empty picture")
	}
	if _, err := Dither(image.NewGray(image.Rect(0, 0, 1, 100)), 1<<20); err == nil {
		t.Error("a picture larger than any paper")
	}
}

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab."}, {"a cd", 3, "a."}, {"日本語", 5, "日本."}, {"日本語", 4, "日."}, {"e\u0301tat", 3, "e\u0301t."}, {"abc", 0, ""}, {"abc", -1, ""}} {
		if got := Truncate(c.in, c.n); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
