package escpos

import (
	"bytes"
	"encoding/json"
	"image/png"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	for _, c := range []struct {
		name, model, in, want string
	}{
		{"pages", "", "\x1bt\x10\xe9\x80 \x1bt\x02\x82 \x1bt\x13\xd5 \x1bt\x11\x80 \x1bt\x12\x88 \x1bt\x00\x82\n", "    |é€ é € А ł é\n"},
		{"a page the model has not", "generic-58mm", "\x1bt\x2e\xc0\x1bt\x63\xc0\n", "    |А\uFFFD\n"},
		{"national characters", "", "\x1bR\x01#@[{|}\x1bR\x00#@[\x1bR\x63#\n", "    |#à°éùè#@[#\n"},
		{"the last line stays inside", "", "one\ntwo", "    |one\n    (not printed, no line feed came: \"two\")\n"},
		{"init drops a half line", "", "one\x1b@two\n", "    |two\n    (not printed, no line feed came: \"one\")\n"},
		{"sizes and marks", "", "\x1d!\x11A\x1d!\x00\n\x1dB\x01x\x1dB\x00\n\x1br\x01r\x1br\x00\n\x1b!\x10t\n", "2x2 |A\n   !|x\n   !|r\n1x2 |t\n"},
		{"alignment", "generic-58mm", "\x1ba\x01ab\n\x1ba2cd\n\x1ba\x00e\n", "    |               ab\n    |                              cd\n    |e\n"},
		{"alignment counts wide letters", "generic-58mm", "\x1ba\x01\x1d!\x10ab\n", "2x1 |              ab\n"},
		{"a full line goes on", "generic-58mm", strings.Repeat("x", 33) + "\n", "    |" + strings.Repeat("x", 32) + "\n    |x\n"},
		{"font B is narrower", "generic-58mm", "\x1bM\x01" + strings.Repeat("x", 42) + "\n", "    |" + strings.Repeat("x", 42) + "\n"},
		{"tab", "", "ab\tc\n", "    |ab      c\n"},
		{"tab at odd widths", "generic-58mm", "\x1bM\x01\x1d!\x40\t\t\t\tx\n", "    |\n5x1 |x\n"},
		{"feeds", "", "a\x1bd\x03b\x1bJ\x20c\n", "    |a\n    |\n    |\n    |b\n    |c\n"},
		{"cuts", "generic-58mm", "a\n\x1dVA\x00b\n\x1bmc\n\x1bi", "    |a\n    - - - - - - - 8< - - - - - - -\n    |b\n    - - - - - - - 8< - - - - - - -\n    |c\n    - - - - - - - 8< - - - - - - -\n"},
		{"raster", "", "\x1dv0\x00\x02\x00\x03\x00abcdef", "    |[picture 16 x 3]\n"},
		{"raster magnified", "", "\x1dv0\x03\x02\x00\x03\x00abcdef", "    |[picture 32 x 6]\n"},
		{"graphics", "", "\x1d(L\x0b\x000p0\x01\x021\x08\x00\x01\x00\xff\x1d(L\x02\x0002", "    |[picture 8 x 2]\n"},
		{"bands", "", "\x1b*\x21\x02\x00abcdef\x1b*\x01\x02\x00ab\nx\n", "    |[picture 4 x 24]\n    |x\n"},
		{"QR", "", "\x1d(k\x06\x001P0abc\x1d(k\x03\x001Q0", "    |[QR abc]\n"},
		{"bar codes", "", "\x1dk\x02123456789012\x00\x1dkI\x05{B1\x0723", "    |[EAN-13 123456789012]\n    |[Code 128 {B1·2]\n    (not printed, no line feed came: \"3\")\n"},
		{"nothing of the envelope shows", "", "\x1b@\x1c.\x1bR\x00\x1da\xff\x1bt\x10a\n\x1d(H\x06\x0000abcd\x1dr\x01\x10\x04\x01\x1bp\x00\x19\xfa", "    |a\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile(t, c.model)
			paper := Render([]byte(c.in), p)
			if got := paper.Text(); got != c.want {
				t.Errorf("Render(%q):\n%s\nwant\n%s", c.in, got, c.want)
			}
			if err := paper.PNG(&bytes.Buffer{}); err != nil {
				t.Error(err)
			}
			if _, err := json.Marshal(paper); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRenderCounts(t *testing.T) {
	p := Render([]byte("\x1b\x9fa\x1b\x9f\n\x1bp\x00\x19\xfa\x1bB\x01\x01"), profile(t, ""))
	if len(p.Unknown) != 1 || p.Unknown[0] != "ESC 9F" || p.Drawer != 1 || p.Buzzer != 1 {
		t.Errorf("unknown %q, drawer %d, buzzer %d", p.Unknown, p.Drawer, p.Buzzer)
	}
}

// TestPictureIsBounded: a hostile stream makes neither a large picture nor a large paper.
func TestPictureIsBounded(t *testing.T) {
	p := profile(t, "")
	for _, in := range []string{
		"\x1dv0\x03\xff\xff\xff\xff",
		"\x1dv0\x03\x48\x00\xff\xff" + strings.Repeat("\xff", 72*65535),
		strings.Repeat("\x1bd\xff", 100_000),
		strings.Repeat("\x1dV0", 100_000),
		strings.Repeat("x\x1b@", 100_000),
		strings.Repeat("\x1b*\x00\x01\x00a", 100_000),
		strings.Repeat("\x1bM\x01\x1d!\x40\t", 10_000),
		"\x1d(k\xff\xff1P0" + strings.Repeat("y", 0xffff-3) + strings.Repeat("\x1d(k\x03\x001Q0", 100_000),
		strings.Repeat("\x1dv0\x00\x48\x00\xff\x00"+strings.Repeat("\xaa", 72*255), 1500),
		"\x1dk\x49\xff" + strings.Repeat("x", 255) + "\n",
	} {
		paper := Render([]byte(in), p)
		lines := len(paper.Tickets)
		for _, t := range paper.Tickets {
			lines += len(t.Lines)
		}
		if lines > MaxLines+1 || len(paper.Lost) > maxNotes {
			t.Errorf("%d lines, %d lost", lines, len(paper.Lost))
		}
		img := paper.Image()
		if b := img.Bounds(); b.Dx() > 1000 || b.Dy() > maxHeight+100 {
			t.Errorf("picture of %v", b)
		}
	}
}

// TestSpecimen keeps a picture of every look and symbol.
func TestSpecimen(t *testing.T) {
	p := profile(t, "")
	e := NewEncoder(p, "fr")
	e.Reset(AppendInit(nil, p, "fr"))
	for _, s := range []Style{{}, {Bold: true}, {Underline: true}, {Alert: true}, {Alert: true, Bold: true, Width: 2}, {Height: 2}, {Width: 2}, {Width: 2, Height: 2, Underline: true}, {Width: 4, Height: 4, Bold: true}} {
		e.Set(s)
		e.Line("Noël 12,50 € çà")
	}
	e.Plain()
	e.Line("ΑΒΓ ελληνικά · שלום עולם · مرحبا · 한국어 · 日本語")
	e.Set(Style{Alert: true, Width: 2, Height: 2})
	e.Line("牛肉 x2")
	e.Plain()
	b := e.Finish()
	b = append(b, "\x1br\x01Rouge \x1br\x00noir \x1bM\x01petits caract\xe8res\x1bM\x00\n\x1ba\x01centre\n\x1ba\x02droite\n\x1ba\x01"...)
	b = append(b, "\x1d(k\x12\x001P0https://a.eu/41\x1d(k\x03\x001Q0\x1dkI\x08{B123456\x1ba\x00"...)
	paper := Render(AppendCut(b, p), p)
	var picture bytes.Buffer
	if err := paper.PNG(&picture); err != nil {
		t.Fatal(err)
	}
	golden(t, "specimen.png", picture.Bytes())
	if _, err := png.Decode(&picture); err != nil {
		t.Error(err)
	}
	j, err := json.MarshalIndent(Render([]byte("\x1ba\x01\x1d!\x11A\x1d!\x00b\n\x1dv0\x00\x01\x00\x01\x00\x81\x1dVB\x00rest"), p), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "paper.json", append(j, '\n'))
}

func TestPressTake(t *testing.T) {
	press := NewPress(profile(t, ""))
	var tok Tokenizer
	tok.Feed([]byte("one\n\x1dVB\x00two\nthr"), press.Print)
	if got := press.Take(); len(got) != 1 || got[0].Lines[0].Text() != "one" {
		t.Errorf("Take = %+v", got)
	}
	if got := press.Take(); len(got) != 0 {
		t.Errorf("second Take = %+v", got)
	}
	if got := press.Lines(); len(got) != 1 || got[0].Text() != "two" || press.Composed() != "thr" {
		t.Errorf("Lines = %+v, composed %q", got, press.Composed())
	}
	tok.Feed([]byte("ee\n"), press.Print)
	if got := press.Finish(); len(got.Tickets) != 1 || got.Tickets[0].Lines[1].Text() != "three" || len(got.Lost) != 0 {
		t.Errorf("Finish = %+v", got)
	}
}
