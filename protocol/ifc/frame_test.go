package ifc

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vectors are the records of testdata/lrc.txt with their LRC.
func vectors(t testing.TB) (out []struct {
	record string
	lrc    byte
}) {
	t.Helper()
	b, err := os.ReadFile("testdata/lrc.txt")
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		hex, record, ok := strings.Cut(s.Text(), " ")
		if !ok || hex == "#" {
			continue
		}
		n, err := strconv.ParseUint(hex, 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, struct {
			record string
			lrc    byte
		}{record, byte(n)})
	}
	return out
}

func TestLRC(t *testing.T) {
	all := vectors(t)
	if len(all) != 24 {
		t.Fatalf("%d vectors, want 24", len(all))
	}
	var line []byte
	for _, v := range all {
		if got := LRC([]byte(v.record)); got != v.lrc {
			t.Errorf("LRC(%q) = %02X, want %02X", v.record, got, v.lrc)
		}
		line = AppendSerial(line, []byte(v.record))
	}
	// One after the other on a line, whatever bytes their LRC are.
	var d SerialDecoder
	for _, v := range all {
		var tok Token
		tok, line = d.Next(line)
		if tok.Kind != Record || string(tok.Record) != v.record || tok.Byte != v.lrc {
			t.Errorf("%q came as %+v", v.record, tok)
		}
	}
	if len(line) != 0 {
		t.Errorf("left over: %q", line)
	}
}

// records cuts a stream that comes in the given pieces.
func records(d *Decoder, pieces ...[]byte) []string {
	var out []string
	for _, p := range pieces {
		for {
			record, rest, ok := d.Next(p)
			if !ok {
				break
			}
			out, p = append(out, string(record)), rest
		}
	}
	return out
}

func TestDecoder(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
		counters Counters
	}{
		{"one", "\x02LS|\x03", []string{"LS|"}, Counters{Records: 1}},
		{"glued", "\x02LS|\x03\x02LA|\x03", []string{"LS|", "LA|"}, Counters{Records: 2}},
		{"CR LF between", "\x02LS|\x03\r\n\x02LA|\x03\r\n", []string{"LS|", "LA|"}, Counters{Records: 2, Skipped: 4}},
		{"second STX", "\x02LS|DA\x02LS|\x03", []string{"LS|"}, Counters{Records: 1, Restarted: 1}},
		{"three STX", "\x02a\x02b\x02c\x03", []string{"c"}, Counters{Records: 1, Restarted: 2}},
		{"STX twice", "\x02\x02c\x03", []string{"c"}, Counters{Records: 1, Restarted: 1}},
		{"empty", "\x02\x03", []string{""}, Counters{Records: 1}},
		{"lone ETX", "\x03\x03abc\x03\x02x\x03", []string{"x"}, Counters{Records: 1, Skipped: 6}},
		{"no STX", "LS|DA|\x03", nil, Counters{Skipped: 7}},
		{"no ETX", "\x02LS|DA|", nil, Counters{}},
		{"too long", "\x020123456789\x03\x02ok\x03", []string{"ok"}, Counters{Records: 1, Long: 1}},
		{"just fits", "\x0201234567\x03", []string{"01234567"}, Counters{Records: 1}},
		{"too long, then STX", "\x020123456789\x02ok\x03", []string{"ok"}, Counters{Records: 1, Long: 1}},
		{"long before a second STX", "\x020123456789abcdef\x02ok\x03\x03", []string{"ok"}, Counters{Records: 1, Long: 1, Skipped: 1}},
		{"other link bytes are data", "\x02a\x05b\x06c\x15\x03", []string{"a\x05b\x06c\x15"}, Counters{Records: 1}},
	} {
		d := Decoder{Limit: 8}
		byteAByte := Decoder{Limit: 8}
		var bytes [][]byte
		for i := range len(c.in) {
			bytes = append(bytes, []byte{c.in[i]})
		}
		got, slow := records(&d, []byte(c.in)), records(&byteAByte, bytes...)
		if !slices.Equal(got, c.want) || !slices.Equal(slow, c.want) {
			t.Errorf("%s: %q, byte by byte %q, want %q", c.name, got, slow, c.want)
		}
		for _, x := range []Counters{d.Counters(), byteAByte.Counters()} {
			if x != c.counters {
				t.Errorf("%s: %+v, want %+v", c.name, x, c.counters)
			}
		}
	}
}

// TestEndlessFrame: a frame that never ends costs the memory of one record.
func TestEndlessFrame(t *testing.T) {
	var d Decoder
	var s SerialDecoder
	chunk := bytes.Repeat([]byte("x"), 8<<10)
	d.Next([]byte{STX})
	s.Next([]byte{STX})
	for range 1000 {
		d.Next(chunk)
		s.Next(chunk)
	}
	if n := max(cap(d.part), cap(s.part)); n > 2*MaxRecord {
		t.Errorf("%d bytes held", n)
	}
	if got := records(&d, []byte("\x03\x02LS|\x03")); !slices.Equal(got, []string{"LS|"}) {
		t.Errorf("after it: %q", got)
	}
	if tok, rest := s.Next([]byte("\x03?")); tok.Kind != Long || len(rest) != 0 {
		t.Errorf("its end: %+v", tok)
	}
	if tok, _ := s.Next(AppendSerial(nil, []byte("LS|"))); tok.Kind != Record || string(tok.Record) != "LS|" {
		t.Errorf("after it: %+v", tok)
	}
}

// tokens cuts a serial stream into words.
func tokens(d *SerialDecoder, p []byte) []string {
	var out []string
	for {
		var t Token
		t, p = d.Next(p)
		switch t.Kind {
		case More:
			return out
		case Record:
			out = append(out, string(t.Record))
		case Damaged:
			out = append(out, fmt.Sprintf("damaged %s", t.Record))
		case Long:
			out = append(out, "long")
		case Control:
			out = append(out, LinkByte(t.Byte))
		case Noise:
			out = append(out, fmt.Sprintf("noise %02X", t.Byte))
		}
	}
}

func TestSerialDecoder(t *testing.T) {
	whole := func(s string) string { return string(AppendSerial(nil, []byte(s))) }
	const etx = "PS|RN2781|PTC|SO100|TA1450|DA000915|TI124254|P#68|" // its LRC is ETX
	for _, c := range []struct {
		name, in string
		noLRC    bool
		want     []string
	}{
		{"one", whole("12345"), false, []string{"12345"}},
		{"answers between", "\x06" + whole("12345") + "\x15\x05", false, []string{"ACK", "12345", "NAK", "ENQ"}},
		{"wrong LRC", "\x0212345\x033", false, []string{"damaged 12345"}},
		{"LRC is ETX", whole(etx) + whole("a"), false, []string{etx, "a"}},
		{"LRC lost, ENQ in its place", "\x0212345\x03\x05", false, []string{"damaged 12345"}},
		{"ENQ ends a torn record", "\x02123\x05\x05" + whole("12345"), false, []string{"ENQ", "ENQ", "12345"}},
		{"STX restarts", "\x02123" + whole("12345"), false, []string{"12345"}},
		{"ACK inside is damage", "\x0212\x0645\x032", false, []string{"damaged 12\x0645"}},
		{"noise", "a\x00\xff", false, []string{"noise 61", "noise 00", "noise FF"}},
		{"lone ETX", "\x03", false, []string{"noise 03"}},
		{"too long", whole("0123456789") + whole("a"), false, []string{"long", "a"}},
		{"too long with STX", "\x020123456789" + whole("a"), false, []string{"a"}},
		{"no LRC", "\x02LS|\x03\x02LA|\x03", true, []string{"LS|", "LA|"}},
		{"no LRC, too long", "\x020123456789\x03\x02a\x03", true, []string{"long", "a"}},
	} {
		limit := 8
		if strings.Contains(c.in, etx) {
			limit = 100
		}
		d, slow := SerialDecoder{Limit: limit, NoLRC: c.noLRC}, SerialDecoder{Limit: limit, NoLRC: c.noLRC}
		got := tokens(&d, []byte(c.in))
		var byByte []string
		for i := range len(c.in) {
			byByte = append(byByte, tokens(&slow, []byte{c.in[i]})...)
		}
		if !slices.Equal(got, c.want) || !slices.Equal(byByte, c.want) {
			t.Errorf("%s: %q, byte by byte %q, want %q", c.name, got, byByte, c.want)
		}
	}
	var d SerialDecoder
	d.Next([]byte("\x02LS"))
	d.Abandon()
	d.Abandon()
	if got := tokens(&d, []byte("\x02a\x03c")); d.Counters().Stale != 1 || !slices.Equal(got, []string{"damaged a"}) {
		t.Errorf("after Abandon: %q, %+v", got, d.Counters())
	}
}

// FuzzDecoder: however a stream is split, the same records come out, none is over the limit or holds STX or ETX, and what
// came out goes in again.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x02LS|DA160728|TI143101|\x03\r\n\x02LA|\x03"), uint16(3))
	f.Add([]byte("\x02a\x02b\x03\x03c\x02"), uint16(1))
	f.Add([]byte("\x020123456789012345678901234567890123456789\x03\x02ok\x03"), uint16(7))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		const limit = 32
		whole, split, slow := Decoder{Limit: limit}, Decoder{Limit: limit}, Decoder{Limit: limit}
		at := 0
		if len(stream) > 0 {
			at = int(cut) % len(stream)
		}
		want := records(&whole, stream)
		if got := records(&split, stream[:at], stream[at:]); !slices.Equal(got, want) {
			t.Fatalf("split at %d: %q, want %q", at, got, want)
		}
		var pieces [][]byte
		for i := range stream {
			pieces = append(pieces, stream[i:i+1])
		}
		if got := records(&slow, pieces...); !slices.Equal(got, want) {
			t.Fatalf("byte by byte: %q, want %q", got, want)
		}
		if whole.Counters() != slow.Counters() {
			t.Fatalf("counters %+v, byte by byte %+v", whole.Counters(), slow.Counters())
		}
		var again []byte
		for _, r := range want {
			if len(r) > limit || strings.ContainsAny(r, "\x02\x03") {
				t.Fatalf("record %q", r)
			}
			again = AppendFrame(again, []byte(r))
		}
		if got := records(&Decoder{Limit: limit}, again); !slices.Equal(got, want) {
			t.Fatalf("encoded again: %q, want %q", got, want)
		}
	})
}

// FuzzSerialDecoder: the same for a serial line, whose tokens besides are bounded by its bytes.
func FuzzSerialDecoder(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(AppendSerial([]byte{ENQ}, []byte(v.record)), uint16(5), false)
	}
	f.Add([]byte("\x02a\x05\x02b\x03\x02c\x06\x15"), uint16(2), false)
	f.Add([]byte("\x02a\x03\x02b\x03"), uint16(2), true)
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16, noLRC bool) {
		const limit = 64
		at := 0
		if len(stream) > 0 {
			at = int(cut) % len(stream)
		}
		whole, split := SerialDecoder{Limit: limit, NoLRC: noLRC}, SerialDecoder{Limit: limit, NoLRC: noLRC}
		want := tokens(&whole, stream)
		if got := append(tokens(&split, stream[:at]), tokens(&split, stream[at:])...); !slices.Equal(got, want) {
			t.Fatalf("split at %d: %q, want %q", at, got, want)
		}
		if len(want) > len(stream) {
			t.Fatalf("%d tokens of %d bytes", len(want), len(stream))
		}
		var d, again SerialDecoder
		d.Limit, again.Limit, d.NoLRC = limit, limit, noLRC
		for p := stream; len(p) > 0; {
			var tok Token
			if tok, p = d.Next(p); tok.Kind != Record {
				continue
			}
			if len(tok.Record) > limit || bytes.ContainsAny(tok.Record, "\x02\x03\x05") {
				t.Fatalf("record %q", tok.Record)
			}
			if got, _ := again.Next(AppendSerial(nil, tok.Record)); got.Kind != Record || !bytes.Equal(got.Record, tok.Record) {
				t.Fatalf("encoded again: %+v, want %q", got, tok.Record)
			}
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	record := []byte("PR|SO123|WS456|IDJOSH|RN2781|G#12875|GNGaribaldi, Mr.|TA10575|S18000|T12575|C#1234|CV2|ST4|DA000915|TI124254|P#1737|PMROOM|")
	var stream []byte
	for range 64 {
		stream = AppendFrame(stream, record)
	}
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	var d Decoder
	for b.Loop() {
		for p := stream; ; {
			var ok bool
			if _, p, ok = d.Next(p); !ok {
				break
			}
		}
	}
}
