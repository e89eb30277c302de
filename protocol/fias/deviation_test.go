package fias

import (
	"strings"
	"testing"

	"aboyeur/protocol/ifc"
)

// TestDeviations is what vendors in the field send against the rules (fias.md 9.2): taken for what it means where that is
// beyond doubt, refused or left out where it is not, and never anything worse.
func TestDeviations(t *testing.T) {
	post := func(s string) (p PostingRequest) { p.Decode(parsed(t, s), Codec{}); return p }
	host := func(records ...string) (h Host, last Step) {
		for _, r := range records {
			last = h.Take(parsed(t, r), Codec{})
		}
		return h, last
	}
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"unpadded date is no date, the rest counts", post("PR|DA2631|TI120000|TA5|P#1|").At.IsZero() && post("PR|DA2631|TI120000|TA5|P#1|").Total == 5},
		{"MMDDYYYY is no date", post("PR|DA03012026|TI120000|TA5|").At.IsZero()},
		{"12-hour time is a time, twelve hours off", post("PR|DA260301|TI031500|").At.Hour() == 3},
		{"Oracle's time of seven digits is no time", post("PR|DA260301|TI1252001|").At.IsZero()},
		{"missing bar between DA and TI", post("PR|DA160728TI143101|TA5|").At.IsZero() && post("PR|DA160728TI143101|TA5|").Total == 5},
		{"zero-padded P#", post("PR|P#0113|").Number == 113},
		{"check number of twenty digits is none", post("PR|C#20260301121530555000|TA5|").Check == 0},
		{"amount cut to a whole number", post("PR|TA10|").Total == 10},
		{"amount with a point", post("PR|TA10.50|").Total == 1050},
		{"two LR for one record: the last one counts", func() bool {
			h, _ := host("LD|IFPO|", "LR|RIPL|FLRN|", "LR|RIPL|FLRNG#|", "LA|")
			l, _ := h.Described(PL)
			return len(l.Fields) == 2 && h.Alive()
		}()},
		{"LR for DS and DE", func() bool { h, _ := host("LD|IFPO|", "LR|RIDS|FLDATI|", "LR|RIDE|FLDATI|", "LA|"); return h.Alive() }()},
		{"LR after LA", func() bool { h, s := host("LD|IFPO|", "LA|", "LR|RIPL|FLRN|"); return h.Alive() && s == Step{} }()},
		{"LD before LS was read", func() bool { h, _ := host("LD|IFPO|", "LR|RIPL|FLRN|", "LA|"); return h.Alive() }()},
		{"LD without IF", func() bool {
			h, _ := host("LD|DA160728|TI143059|V#1|", "LA|")
			return h.Alive() && h.Description().Interface == ""
		}()},
		{"LR with odd FL", func() bool {
			h, s := host("LD|IFPO|", "LR|RIPL|FLRNG|")
			_, ok := h.Described(PL)
			return !ok && s.Fault != nil
		}()},
		{"LRGI without RI", func() bool { _, s := host("LD|IFPO|", "LR|GI|FLRN|"); return s.Fault != nil }()},
		{"lower-case record is unknown", func() bool { _, s := host("ld|ifpo|"); return s.Reply == LS }()},
		{"MX10", func() bool { var q Inquiry; q.Decode(parsed(t, "PR|PI1|MX10|P#1|"), Codec{}); return q.Most == 10 }()},
		{"LS every ten seconds", func() bool { h, s := host("LD|IFPO|", "LA|", "LS|", "LS|", "LS|"); return h.Alive() && s.Reply == LA }()},
		{"no frame at all", func() bool { _, _, ok := new(ifc.Decoder).Next([]byte("LS|DA160728|TI143059|\r\n")); return !ok }()},
		{"CR LF after ETX", func() bool {
			d := new(ifc.Decoder)
			a, rest, _ := d.Next([]byte("\x02LS|\x03\r\n\x02LA|\x03"))
			first := string(a)
			b, _, ok := d.Next(rest)
			return first == "LS|" && string(b) == "LA|" && ok
		}()},
		{"no last bar", parsed(t, "PR|PI4142|P#246").Is(PNum, "246")},
		{"2000 bytes and more", func() bool {
			r := parsed(t, "XL|RN1|MT"+strings.Repeat("x", 60000)+"|")
			return len(r.Get(MT)) == 60000
		}()},
	} {
		if !c.ok {
			t.Error(c.name)
		}
	}
}
