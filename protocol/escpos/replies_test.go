package escpos

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestReplies(t *testing.T) {
	healthy := [4]byte{0x14, 0, 0, 0x0F}
	plain := func(b byte) Reply { return Reply{Kind: ReplyPlain, Byte: b} }
	unknown := func(s string) Reply { return Reply{Kind: ReplyUnknown, Data: []byte(s)} }
	for _, c := range []struct {
		name string
		in   string
		want []Reply
	}{
		{"status answers", "\x12\x16\x1a\x72", []Reply{{Kind: ReplyRealTime, Byte: 0x12}, {Kind: ReplyRealTime, Byte: 0x16}, {Kind: ReplyRealTime, Byte: 0x1A}, {Kind: ReplyRealTime, Byte: 0x72}}},
		{"ASB", "\x14\x00\x00\x0f", []Reply{{Kind: ReplyASB, Frame: healthy}}},
		{"ASB around flow control", "\x14\x00\x13\x00\x11\x0f", []Reply{{Kind: ReplyXOFF}, {Kind: ReplyXON}, {Kind: ReplyASB, Frame: healthy}}},
		{"status answer inside ASB", "\x14\x00\x12\x00\x0f", []Reply{{Kind: ReplyRealTime, Byte: 0x12}, {Kind: ReplyASB, Frame: healthy}}},
		{"fence", "\x00\x03\x0c", []Reply{plain(0), plain(3), plain(0x0C)}},
		{"model", "\x20\x02", []Reply{plain(0x20), plain(2)}},
		{"process id", "\x37\x22 01~\x00", []Reply{{Kind: ReplyProcessID, Token: [4]byte{' ', '0', '1', '~'}}}},
		{"ASB, echo, fence", "\x14\x00\x00\x0f\x37\x22    \x00\x00", []Reply{{Kind: ReplyASB, Frame: healthy}, {Kind: ReplyProcessID, Token: [4]byte{' ', ' ', ' ', ' '}}, plain(0)}},
		{"token that looks like anything", "\x37\x227_;=\x00", []Reply{{Kind: ReplyProcessID, Token: [4]byte{'7', '_', ';', '='}}}},
		{"cleared", "\x37\x25\x00", []Reply{{Kind: ReplyCleared}}},
		{"offline causes", "\x37\x23\x41\x42\x00", []Reply{{Kind: ReplyOffline, Data: []byte("AB")}}},
		{"symbol size", "\x37\x36\x34\x38\x1f\x39\x00", []Reply{{Kind: ReplyBlock, Byte: 0x36, Data: []byte("48\x1f9")}}},
		{"text", "_TM-T20II\x00", []Reply{{Kind: ReplyText, Data: []byte("TM-T20II")}}},
		{"empty text", "_\x00", []Reply{{Kind: ReplyText}}},
		{"information", "=abc\x00", []Reply{{Kind: ReplyInfo, Data: []byte("abc")}}},
		{"power off", "\x3b\x30\x00", []Reply{{Kind: ReplyPowerOff}}},
		{"ink", "\x35\x41\x42\x00", []Reply{{Kind: ReplyInk, Frame: [4]byte{0x35, 0x41, 0x42, 0}}}},
		{"extended", "\x39\x40\x00\x40", []Reply{{Kind: ReplyExtended, Frame: [4]byte{0x39, 0x40, 0, 0x40}}}},
		{"unknown byte", "\x80\x12", []Reply{unknown("\x80"), {Kind: ReplyRealTime, Byte: 0x12}}},
		{"short token is no proof", "\x37\x22abc\x00", []Reply{unknown("\x37\x22abc\x00")}},
		{"long token is no proof", "\x37\x22abcde\x00", []Reply{unknown("\x37\x22abcde\x00")}},
		{"restart inside a token", "\x37\x22ab\x14\x00\x00\x0f", []Reply{unknown("\x37\x22ab"), {Kind: ReplyASB, Frame: healthy}}},
		{"restart inside ASB gives no fence", "\x14\x00\x14\x00\x00\x0f", []Reply{unknown("\x14\x00"), {Kind: ReplyASB, Frame: healthy}}},
		{"block begins inside ASB", "\x14\x00\x37\x25\x00", []Reply{unknown("\x14\x00"), {Kind: ReplyCleared}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Replies
			got := r.Feed(nil, []byte(c.in))
			if d := cmp.Diff(c.want, got, cmp.Transformer("bytes", func(b []byte) string { return string(b) })); d != "" {
				t.Errorf("Feed(% x): -want +got\n%s", c.in, d)
			}
			if r.Partial() != 0 {
				t.Errorf("%d bytes left over", r.Partial())
			}
		})
	}
}

func TestRepliesBounded(t *testing.T) {
	var r Replies
	in := make([]byte, 10_000)
	for i := range in {
		in[i] = 'x'
	}
	in[0] = '_'
	got := r.Feed(nil, in)
	if len(got) != 1 || got[0].Kind != ReplyUnknown || len(got[0].Data) != MaxBlock-1 {
		t.Fatalf("an endless block gave %d replies", len(got))
	}
	got = r.Feed(nil, []byte("xx\x00\x12"))
	if len(got) != 1 || got[0].Kind != ReplyRealTime {
		t.Errorf("after its end: %+v, want the status answer alone", got)
	}
}

func TestRepliesFlush(t *testing.T) {
	var r Replies
	r.Feed(nil, []byte{0x10, 0})
	got := r.Flush(nil)
	if len(got) != 1 || string(got[0].Data) != "\x10\x00" || r.Partial() != 0 {
		t.Errorf("Flush = %+v", got)
	}
	if got = r.Flush(nil); got != nil {
		t.Errorf("second Flush = %+v", got)
	}
}

// TestPrinterSide reads back what the printer's side writes.
func TestPrinterSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.Bool()
		want := Status{
			Offline: b.Draw(t, "offline"), CoverOpen: b.Draw(t, "cover"), PaperOut: b.Draw(t, "out"), PaperLow: b.Draw(t, "low"),
			Feeding: b.Draw(t, "feeding"), FeedButton: b.Draw(t, "button"), WaitingOnline: b.Draw(t, "waiting"),
			Recoverable: b.Draw(t, "recoverable"), CutterError: b.Draw(t, "cutter"), Unrecoverable: b.Draw(t, "unrecoverable"),
			AutoRecoverable: b.Draw(t, "auto"), DrawerHigh: b.Draw(t, "drawer"),
		}
		var r Replies
		got := r.Feed(nil, AppendASBFrame(nil, want))
		if len(got) != 1 || got[0].Kind != ReplyASB || got[0].Status() != want {
			t.Fatalf("ASB of %+v read as %+v", want, got)
		}
		want.PaperStop, want.Error = b.Draw(t, "stop"), b.Draw(t, "error")
		var s Status
		for n := byte(1); n <= 4; n++ {
			got = r.Feed(nil, AppendStatusAnswer(nil, n, want))
			if len(got) != 1 || got[0].Kind != ReplyRealTime {
				t.Fatalf("DLE EOT %d read as %+v", n, got)
			}
			s.Apply(n, got[0].Byte)
		}
		if s != want {
			t.Fatalf("DLE EOT of %+v read as %+v", want, s)
		}
		got = r.Feed(nil, AppendPaperAnswer(nil, want))
		if low, out := DecodePaper(got[0].Byte); got[0].Kind != ReplyPlain || low != want.PaperLow || out != want.PaperOut {
			t.Fatalf("GS r 1 of %+v read as %+v", want, got)
		}
	})
	var r Replies
	b := AppendProcessIDEcho(nil, [4]byte{'a', 'b', 'c', 'd'})
	b = AppendCleared(b)
	b = AppendTextAnswer(b, "TM-T88V\x00\x1b")
	b = AppendPowerOff(b)
	got := r.Feed(nil, b)
	want := []Reply{{Kind: ReplyProcessID, Token: [4]byte{'a', 'b', 'c', 'd'}}, {Kind: ReplyCleared}, {Kind: ReplyText, Data: []byte("TM-T88V")}, {Kind: ReplyPowerOff}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if b := AppendStatusAnswer(nil, 5, Status{}); b != nil {
		t.Errorf("DLE EOT 5 answered % x", b)
	}
}

func TestStatusReason(t *testing.T) {
	for _, c := range []struct {
		s     Status
		want  string
		fault bool
	}{
		{Status{}, "", false},
		{Status{PaperLow: true, DrawerHigh: true}, "", false},
		{Status{CoverOpen: true, PaperOut: true, Offline: true}, "cover_open", true},
		{Status{PaperOut: true, Offline: true}, "paper_out", true},
		{Status{PaperStop: true}, "paper_out", true},
		{Status{CutterError: true, Recoverable: true}, "cutter", true},
		{Status{Unrecoverable: true, CutterError: true}, "unrecoverable", true},
		{Status{Recoverable: true}, "recoverable", true},
		{Status{AutoRecoverable: true}, "auto_recoverable", true},
		{Status{Error: true}, "error", true},
		{Status{WaitingOnline: true, Offline: true}, "waiting_online", true},
		{Status{Offline: true}, "offline", true},
	} {
		if got := c.s.Reason(); got != c.want || c.s.Fault() != c.fault {
			t.Errorf("%+v: %q, fault %v; want %q, %v", c.s, got, c.s.Fault(), c.want, c.fault)
		}
	}
}

// FuzzReplies feeds a stream whole and in pieces: the answers are the same, and no byte is lost or kept without bound.
func FuzzReplies(f *testing.F) {
	f.Add([]byte("\x14\x00\x00\x0f\x37\x22 01~\x00\x00\x12_EPSON\x00"), uint8(3))
	f.Add([]byte("\x37\x25\x00\x3b\x30\x00\x35ab\x00\x39abc\x11\x13"), uint8(1))
	f.Add([]byte("\x10\x00\x37\x22ab\x10\x80\xff_"), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		var one, two Replies
		whole := one.Feed(nil, in)
		var parts []Reply
		n := int(step%16) + 1
		for i := 0; i < len(in); i += n {
			parts = two.Feed(parts, in[i:min(i+n, len(in))])
		}
		if d := cmp.Diff(whole, parts); d != "" {
			t.Fatalf("split every %d bytes: %s", n, d)
		}
		size := one.Partial()
		for _, r := range whole {
			switch r.Kind {
			case ReplyASB, ReplyInk, ReplyExtended:
				size += 4
			case ReplyProcessID:
				size += 7
			default:
				size += 1 + len(r.Data)
			}
			if len(r.Data) > MaxBlock {
				t.Fatalf("a reply of %d bytes", len(r.Data))
			}
			_ = r.Kind.String()
		}
		if size > len(in)+len(whole) {
			t.Fatalf("%d bytes told of %d", size, len(in))
		}
		if one.Partial() >= MaxBlock {
			t.Fatalf("%d bytes held", one.Partial())
		}
	})
}

func BenchmarkReplies(b *testing.B) {
	in := AppendProcessIDEcho(AppendASBFrame(nil, Status{}), [4]byte{' ', '0', '1', '~'})
	in = append(in, 0x12, 0)
	var r Replies
	var out []Reply
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		out = r.Feed(out[:0], in)
	}
}
