package fias

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzRecord: whatever parses is written again, and parses to the same fields; every typed record that can be made of it
// can be written, unless a value does not fit its field, and then reads back the same.
func FuzzRecord(f *testing.F) {
	for _, s := range samples(f) {
		f.Add([]byte(s.record))
	}
	// What public vendors send (fias.md 9.2).
	for _, s := range []string{
		"PR|DA2026-3-1|TI9:5:1|P#0001|PI2781", "PR|DA03012026|TI031500|PI1|MX10|", "PS|DA160728TI143101|TA1050|RN1|",
		"PR|C#202603011215305550001|TA1050|RN1|G#1|P#1|", "ld|da160728|if|", "LR|RIPR|FLDAT|", "PL|P#1|RN1|RN2|G#1|CL500,00|",
		"PA|AS|P#-1|CT\xff\xfe|", "GC|RN1|GSY|RO2|GSN|GA000000|", "LC|RP|A0;;|A1|", "PS|PTM|M#2|MA1|MA2|M#3|",
	} {
		f.Add([]byte(s))
	}
	latin, err := NewEncoding("windows-1252")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, c := range []Codec{{}, {Encoding: latin, Location: time.FixedZone("", 3600)}} {
			var r Record
			if Parse(raw, &r) != nil {
				return
			}
			if got, want := words(&r), split(raw); !slices.Equal(got, want) {
				t.Fatalf("%q has fields %q, want %q", raw, got, want)
			}
			e := NewEncoder(c)
			e.Begin(r.ID())
			for tag, v := range r.Fields() {
				e.Raw(tag, v)
			}
			b, err := e.End()
			if err != nil && len(raw) <= MaxRecord {
				t.Fatalf("%q is not written again: %v", raw, err)
			}
			if err == nil {
				if again := parsed(t, string(b)); clean(raw) && !slices.Equal(words(again), words(&r)) {
					t.Fatalf("%q became %q", raw, b)
				}
			}
			if masked := AppendMasked(nil, raw); len(masked) > len(raw)+4*r.Len()+4 {
				t.Fatalf("mask of %q is %q", raw, masked)
			}
			m := typed(&r, c)
			if m == nil {
				continue
			}
			if d, ok := m.(LinkRecord); ok {
				for _, l := range d.Fields {
					if !l.Valid() {
						t.Fatalf("%q describes %q", raw, l)
					}
				}
			}
			first, err := Marshal(nil, m, c)
			if err != nil { // too long, or of a year that YYMMDD cannot say
				continue
			}
			if bytes.ContainsAny(first, "\x02\x03\x05\x06\x15") || len(first) > 4*MaxRecord {
				t.Fatalf("%q became %q", raw, first)
			}
			second, err := Marshal(nil, typed(parsed(t, string(first)), c), c)
			if err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%q became %q and then %q, %v", raw, first, second, err)
			}
		}
	})
}

// clean reports that no byte of raw is replaced when it is written again.
func clean(raw []byte) bool {
	return bytes.IndexFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7F }) < 0
}

// split is Parse done the slow way.
func split(raw []byte) []string {
	var out []string
	for i, f := range strings.Split(string(raw), "|") {
		if i > 0 && len(f) >= 2 && tag(f[0], f[1]).Valid() {
			out = append(out, f)
		}
	}
	return out
}

func words(r *Record) []string {
	var out []string
	for tag, v := range r.Fields() {
		out = append(out, tag.String()+string(v))
	}
	return out
}

// FuzzPostingList: no guest without room and reservation, none invented, and the same guests whatever stands for order.
func FuzzPostingList(f *testing.F) {
	for _, s := range samples(f) {
		if strings.HasPrefix(s.record, "PL") {
			f.Add([]byte(s.record))
		}
	}
	f.Add([]byte("PL|G#1|GNA|RN10|NPY|G#2|GNB|RN11|C#5|P#9|"))
	f.Add([]byte("PL|RN10|P#3|G#1|WSX|GNA|RN11|G#2|CL500.00|A9x|A0y|"))
	f.Add([]byte("PL" + strings.Repeat("|RN1|G#1", 200)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r Record
		if Parse(raw, &r) != nil || r.ID() != PL {
			return
		}
		var l PostingList
		l.Decode(&r, Codec{})
		rooms := 0
		for range r.All(RN) {
			rooms++
		}
		if len(l.Guests) > rooms {
			t.Fatalf("%q has %d guests of %d rooms", raw, len(l.Guests), rooms)
		}
		// The same blocks with the fields of the record first.
		var head, tail []byte
		head = append(head, "PL|"...)
		for tag, v := range r.Fields() {
			field := append(append(tag.AppendTo(nil), v...), '|')
			switch tag {
			case CNum, DA, ID, PNum, PM, SO, TI, WS:
				head = append(head, field...)
			default:
				tail = append(tail, field...)
			}
		}
		var again PostingList
		again.Decode(parsed(t, string(head)+string(tail)), Codec{})
		if len(again.Guests) != len(l.Guests) || again.Number != l.Number {
			t.Fatalf("%q has %d guests, and %d with its own fields first", raw, len(l.Guests), len(again.Guests))
		}
		for i := range l.Guests {
			a, b := l.Guests[i], again.Guests[i]
			a.CreditLimit, a.Balance, b.CreditLimit, b.Balance = nil, nil, nil, nil
			if a != b {
				t.Fatalf("%q: guest %d is %+v and %+v", raw, i, a, b)
			}
		}
	})
}

// FuzzLinkConfiguration: what an LC says is written again and says the same.
func FuzzLinkConfiguration(f *testing.F) {
	f.Add([]byte("LC|RP16,ROOM|A060;10|A16.2031|A27.43.23|A37.02|PH1|"))
	f.Add([]byte("LC|DA170831|TI102202|RP116|A28.10.2.20|A31.13|A9IFC8 PMS Simulation|"))
	f.Add([]byte("LC|RP ,, x|A0-1;99999999999999999999|PH|"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r Record
		if Parse(raw, &r) != nil || r.ID() != LC || !clean(raw) {
			return
		}
		var lc, again LinkConfiguration
		lc.Decode(&r, Codec{})
		if lc.EFTTimeout < 0 || lc.DLSTimeout < 0 || slices.Contains(lc.PaymentMethods, "") {
			t.Fatalf("%q: %+v", raw, lc)
		}
		b, err := Marshal(nil, lc, Codec{})
		if err != nil {
			return
		}
		again.Decode(parsed(t, string(b)), Codec{})
		c, err := Marshal(nil, again, Codec{})
		if !bytes.Equal(b, c) || err != nil {
			t.Fatalf("%q became %q and %q, %v", raw, b, c, err)
		}
	})
}
