package escpos

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tokens is a stream in words: text in quotes, commands by name with their arguments.
func tokens(t *Tokenizer, stream []byte) []string {
	var out []string
	t.Feed(stream, func(tok Token) {
		switch tok.Kind {
		case TokenText:
			if n := len(out); n > 0 && strings.HasPrefix(out[n-1], "'") { // how text is split means nothing
				out[n-1] = fmt.Sprintf("%s%s'", strings.TrimSuffix(out[n-1], "'"), tok.Bytes)
				return
			}
			out = append(out, fmt.Sprintf("'%s'", tok.Bytes))
		case TokenData:
			if n := len(out); n > 0 && strings.HasPrefix(out[n-1], "data ") {
				out[n-1] += fmt.Sprintf("%x", tok.Bytes)
				return
			}
			out = append(out, fmt.Sprintf("data %x", tok.Bytes))
		default:
			s := tok.Name
			if len(tok.Args) > 0 {
				s += fmt.Sprintf(" %x", tok.Args)
			}
			if tok.More > 0 {
				s += fmt.Sprintf(" +%d", tok.More)
			}
			if !tok.Known {
				s += " ?"
			}
			out = append(out, s)
		}
	})
	return out
}

func TestTokenizer(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Crème\n", "'Crème', LF"},
		{"\x1b@\x1c.\x1bR\x00\x1da\xff\x1bt\x10a", "ESC @, FS ., ESC R 00, GS a ff, ESC t 10, 'a'"},
		{"\x1dV\x00\x1dV1\x1dVB\x00\x1dVA\x10x", "GS V 00, GS V 31, GS V 4200, GS V 4110, 'x'"},
		{"\x1d(H\x06\x00\x30\x30 01~x", "GS ( H 3030" + "2030317e, 'x'"},
		{"\x1b(Y\x02\x00\x00\x00\x1c(C\x02\x00\x30\x02x", "ESC ( Y 0000, FS ( C 3002, 'x'"},
		{"\x1d(\x7f\x01\x00zx", "GS ( 7F 7a, 'x'"},
		{"\x1dr\x01\x1dI\x43\x1dg\x32\x00\x32\x00x", "GS r 01, GS I 43, GS g 32003200, 'x'"},
		{"\x10\x04\x01\x10\x05\x02\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08x", "DLE EOT 01, DLE ENQ 02, DLE DC4 08010314010602" + "08, 'x'"},
		{"\x10\x04\x07\x01\x10\x14\x01\x00\x01\x10\x14\x07\x01x", "DLE EOT 0701, DLE DC4 010001, DLE DC4 0701, 'x'"},
		{"\x10\x99x", "DLE ?, '\x99x'"},
		{"\x1dv0\x00\x01\x00\x02\x00abx", "GS v 0 00010002006162, 'x'"},
		{"\x1b*\x21\x01\x00abcx", "ESC * 210100616263, 'x'"},
		{"\x1b*\x00\x02\x00abx", "ESC * 0002006162, 'x'"},
		{"\x1bD\x08\x10\x00x\x1bD\x00y\x1bD\x08\x04z", "ESC D 081000, 'x', ESC D 00, 'y', ESC D 0804, 'z'"},
		{"\x1dk\x04ABC\x00x\x1dkI\x03{B1y", "GS k 0441424300, 'x', GS k 49037b4231, 'y'"},
		{"\x1d(k\x05\x00\x31\x50\x30abx", "GS ( k 3150306162, 'x'"},
		{"\x1d8L\x02\x00\x00\x00abx", "GS 8 L 6162, 'x'"},
		{"\x1dD0C0aa\x001BM\x10\x00\x00\x00" + strings.Repeat("z", 10) + "x", "GS D 30433061610031424d10000000" + strings.Repeat("7a", 10) + ", 'x'"},
		{"\x1d*\x01\x01abcdefghx", "GS * 01016162636465666768, 'x'"},
		{"\x1b&\x02\x41\x42\x01ab\x00x", "ESC & 024142" + "01616200, 'x'"},
		{"\x1cq\x01\x01\x00\x01\x00abcdefghx", "FS q 01010001006162636465666768, 'x'"},
		{"\x1cg1\x00\x00\x00\x00\x00\x02\x00abx", "FS g 3100000000000200" + "6162, 'x'"},
		{"\x1dC0\x00\x00x\x1dC;1;2;3;4;5;y", "GS C 300000, 'x', GS C 3b313b323b333b343b353b, 'y'"},
		{"\x1dQ0\x00\x01\x00\x01\x00ax", "GS Q 3000010001" + "0061, 'x'"},
		{"\x1b\x9fx\x1d\x01y", "ESC 9F ?, 'x', GS 01 ?, 'y'"},
		{"\x00\x00\x0d\x09\x0c\x18\x07\x01", "NUL, NUL, CR, HT, FF, CAN, BEL, 01 ?"},
		{"\x12#\x05\x12x", "DC2 # 05, DC2 ?, 'x'"},
		{"\x1ba\x01\x1bW12345678\x1bp\x00\x19\xfa\x1bB\x03\x02x", "ESC a 01, ESC W 3132333435363738, ESC p 0019fa, ESC B 0302, 'x'"},
		{"\x1ca0\x01\x1ca1\x1cS\x01\x02x", "FS a 3001, FS a 31, FS S 0102, 'x'"},
	} {
		for _, step := range []int{len(c.in), 1, 2, 3} {
			var tok Tokenizer
			var got []string
			for i := 0; i < len(c.in); i += step {
				part := tokens(&tok, []byte(c.in[i:min(i+step, len(c.in))]))
				if n := len(got); n > 0 && len(part) > 0 && strings.HasPrefix(got[n-1], "'") && strings.HasPrefix(part[0], "'") {
					got[n-1] = got[n-1][:len(got[n-1])-1] + part[0][1:]
					part = part[1:]
				}
				got = append(got, part...)
			}
			if s := strings.Join(got, ", "); s != c.want || tok.Pending() != 0 {
				t.Errorf("Feed(%q) by %d = %s, pending %d; want %s", c.in, step, s, tok.Pending(), c.want)
			}
		}
	}
}

func TestTokenizerWaits(t *testing.T) {
	var tok Tokenizer
	if got := tokens(&tok, []byte("a\x1dv0\x00\x48\x00\xff\x00bb")); strings.Join(got, ", ") != "'a'" {
		t.Fatalf("got %q", got)
	}
	if tok.Pending() != 10 {
		t.Errorf("Pending = %d, want 10", tok.Pending())
	}
	// The next ticket is eaten as dots, until NULs have filled the picture.
	next := append(AppendInit(nil, profile(t, ""), "fr"), "TABLE 12\n"...)
	if got := tokens(&tok, next); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
	got := tokens(&tok, AppendNULs(nil, 72*255))
	if len(got) < 2 || !strings.HasPrefix(got[0], "GS v 0") || got[1] != "NUL" || tok.Pending() != 0 {
		t.Errorf("after NULs: %d tokens, pending %d", len(got), tok.Pending())
	}
}

func TestTokenizerHugeLength(t *testing.T) {
	var tok Tokenizer
	got := tokens(&tok, []byte("\x1d8L\xff\xff\xff\xffabc"))
	if len(got) != 2 || got[0] != "GS 8 L +4294967295" || got[1] != "data 616263" || tok.Pending() != 4294967295-3 {
		t.Fatalf("got %q, pending %d", got, tok.Pending())
	}
	block := make([]byte, 1<<20)
	for range 16 {
		tok.Feed(block, func(Token) {})
	}
	if len(tok.buf) > DefaultLimit || cap(tok.buf) > 2*DefaultLimit {
		t.Errorf("%d bytes held", cap(tok.buf))
	}
	// Lengths that only appear far into the command.
	for _, in := range []string{"\x1cq\xff", "\x1b&\xff\x00\xff", "\x1bD", "\x1dk\x04"} {
		var tok Tokenizer
		tok.Feed([]byte(in), func(Token) {})
		for range 4 {
			tok.Feed(bytes.Repeat([]byte{0xFF}, 1<<16), func(Token) {})
		}
		if cap(tok.buf) > 2*DefaultLimit {
			t.Errorf("%q: %d bytes held", in, cap(tok.buf))
		}
	}
}

// TestEnvelope reads the commands of the envelope back.
func TestEnvelope(t *testing.T) {
	p := profile(t, "epson-tm-t20")
	clone := profile(t, "xprinter-80mm")
	tear := p
	tear.Cut = CutNone
	full := p
	full.Cut = CutFull
	buzz := func(b Buzzer) Profile { return p.buzzer(b) }
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{AppendInit(nil, p, "fr"), "ESC @, FS ., ESC R 00, GS a ff, ESC t 10"},
		{AppendInit(nil, p, "pl"), "ESC @, FS ., ESC R 00, GS a ff, ESC t 12"},
		{AppendInit(nil, p, "el"), "ESC @, FS ., ESC R 00, GS a ff, ESC t 2f"},
		{AppendProcessID(nil, [4]byte{' ', '!', '0', '~'}), "GS ( H 30302021307e"},
		{AppendFence(nil), "GS r 01"},
		{AppendCut(nil, p), "GS V 4200"},
		{AppendCut(nil, full), "GS V 4100"},
		{AppendCut(nil, tear), "ESC d 05"},
		{AppendCut(nil, clone), "ESC d 01, GS V 4200"},
		{AppendASB(nil, 0), "GS a 00"},
		{AppendStatusRequest(nil, 4), "DLE EOT 04"},
		{AppendIdentify(nil, IdentifyName), "GS I 43"},
		{AppendRecover(nil, 2), "DLE ENQ 02"},
		{AppendClear(nil), "DLE DC4 0801031401060208"},
		{AppendCounter(nil, CounterCuts+128), "GS g 3200b200"},
		{AppendDrawer(nil, 2), "ESC p 0019fa"},
		{AppendDrawer(nil, 5), "ESC p 0119fa"},
		{AppendBuzzer(nil, p, 2), ""},
		{AppendBuzzer(nil, buzz(BuzzerA48), 2), "ESC ( A 30330202"},
		{AppendBuzzer(nil, buzz(BuzzerA97), 20), "ESC ( A 610109"},
		{AppendBuzzer(nil, buzz(BuzzerB), 2), "ESC B 0202"},
		{AppendBuzzer(nil, buzz(BuzzerDrawerPin2), 2), "ESC p 0019fa"},
		{AppendBuzzer(nil, buzz(BuzzerDrawerPin5), 2), "ESC p 0119fa"},
		{AppendBuzzer(nil, buzz(BuzzerBel), 2), "BEL, BEL"},
		{AppendNULs(nil, 2), "NUL, NUL"},
	} {
		if got := strings.Join(tokens(&Tokenizer{}, c.got), ", "); got != c.want {
			t.Errorf("% x = %s, want %s", c.got, got, c.want)
		}
	}
}

func TestRealTime(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"\x10\x04\x01", "DLE EOT 01"},
		{"text\x10\x04\x02text", "DLE EOT 02"},
		{"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x04", "DLE EOT 04"}, // in a picture
		{"\x10\x10\x04\x01", "DLE EOT 01"},
		{"\x10\x04\x10\x05\x01", "DLE ENQ 01"},
		{"\x10\x14\x08\x01\x03\x10\x04\x03", "DLE EOT 03"}, // a clear that breaks off
		{"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", "DLE DC4 0801031401060208"},
		{"\x10\x14\x01\x00\x01\x10\x14\x02\x01\x08\x10\x14\x07\x04", "DLE DC4 010001, DLE DC4 020108, DLE DC4 0704"},
		{"\x10\x14\x03\x00\x00\x02\x01\x00", "DLE DC4 0300000201" + "00"},
		{"\x10\x04\x07\x01\x10\x04\x08\x03", "DLE EOT 0701, DLE EOT 0803"},
		{"\x10\x04\x00\x10\x04\x06\x10\x04\x09\x10\x05\x03\x10\x14\x01\x00\x09\x10\x20", ""},
	} {
		for _, step := range []int{len(c.in), 1, 2} {
			var r RealTime
			var got []string
			for i := 0; i < len(c.in); i += step {
				r.Feed([]byte(c.in[i:min(i+step, len(c.in))]), func(tok Token) {
					got = append(got, fmt.Sprintf("%s %x", tok.Name, tok.Args))
					if !tok.RealTime() {
						t.Error("not a real-time token")
					}
				})
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("Feed(% x) by %d = %q, want %q", c.in, step, s, c.want)
			}
		}
	}
}

func TestTokensCoverTheStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{esc, gs, fs, dle, '(', 'k', 'v', '0', 0, 1, lf}))).Draw(t, "stream")
		checkTokens(t, in, rapid.IntRange(1, 20).Draw(t, "step"))
	})
}

// checkTokens: the tokens of a stream are its bytes in order, however it is split.
func checkTokens(t interface{ Fatalf(string, ...any) }, in []byte, step int) {
	var one, two Tokenizer
	var all []byte
	end := int64(0)
	one.Feed(in, func(tok Token) {
		all = append(all, tok.Bytes...)
		if tok.End != end+int64(len(tok.Bytes)) || len(tok.Bytes) == 0 {
			t.Fatalf("token %q % x ends at %d, begins at %d", tok.Name, tok.Bytes, tok.End, end)
		}
		end = tok.End
	})
	if !bytes.HasPrefix(in, all) {
		t.Fatalf("tokens hold % x, the stream was % x", all, in)
	}
	if rest := len(in) - len(all); rest > 0 && int64(rest) > one.Pending() {
		t.Fatalf("%d bytes gone, %d pending", rest, one.Pending())
	}
	var parts []string
	for i := 0; i < len(in); i += step {
		part := tokens(&two, in[i:min(i+step, len(in))])
		for _, p := range part {
			n := len(parts)
			switch {
			case n > 0 && strings.HasPrefix(p, "'") && strings.HasPrefix(parts[n-1], "'"):
				parts[n-1] = parts[n-1][:len(parts[n-1])-1] + p[1:]
			case n > 0 && strings.HasPrefix(p, "data ") && strings.HasPrefix(parts[n-1], "data "):
				parts[n-1] += p[5:]
			default:
				parts = append(parts, p)
			}
		}
	}
	if a, b := strings.Join(tokens(&Tokenizer{}, in), ", "), strings.Join(parts, ", "); a != b {
		t.Fatalf("whole %s, split by %d %s", a, step, b)
	}
}

// FuzzTokenizer: any stream is cut into itself, the same in any split, and can be shown as paper.
func FuzzTokenizer(f *testing.F) {
	p, _ := ProfileFor("")
	f.Add(printFrench(p), uint8(7))
	f.Add([]byte("\x1d8L\xff\xff\xff\xffabc\x1cq\xff\x1b&\x03\x20\xff\x1dk\x04"), uint8(1))
	f.Add([]byte("\x1b*\x21\xff\x00\x1d(L\x0b\x00\x30\x70\x30\x01\x01\x31\x08\x00\x01\x00\xff\x1d(L\x02\x00\x30\x32"), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		if len(in) > 1<<14 {
			return
		}
		checkTokens(t, in, int(step%32)+1)
		paper := Render(in, p)
		_ = paper.Text()
		_ = paper.Image()
	})
}

func BenchmarkTokenizer(b *testing.B) {
	in := printFrench(profile(b, ""))
	var tok Tokenizer
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		tok.Feed(in, func(Token) {})
	}
}

func BenchmarkRender(b *testing.B) {
	p := profile(b, "")
	in := printFrench(p)
	b.ReportAllocs()
	for b.Loop() {
		Render(in, p)
	}
}
