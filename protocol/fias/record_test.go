package fias

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parsed parses a record or fails.
func parsed(t testing.TB, s string) *Record {
	t.Helper()
	var r Record
	if err := Parse([]byte(s), &r); err != nil {
		t.Fatalf("Parse(%q) = %v", s, err)
	}
	return &r
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in, id string
		fields []string
		odd    int
	}{
		{"LS|DA001015|TI123045|", "LS", []string{"DA=001015", "TI=123045"}, 0},
		{"LS|DA001015|TI123045", "LS", []string{"DA=001015", "TI=123045"}, 0}, // the last bar is missing
		{"LS", "LS", nil, 0},
		{"LS|", "LS", nil, 0},
		{"GI|DA|SF|", "GI", []string{"DA=", "SF="}, 0},
		{"GI||DA1||", "GI", []string{"DA=1"}, 0},
		{"GI|x|DA1|", "GI", []string{"DA=1"}, 1},
		{"PA|ASOK|\r\n", "PA", []string{"AS=OK"}, 1},
		{"PS|MA4000|M#1|MA4011|M#2|", "PS", []string{"MA=4000", "M#=1", "MA=4011", "M#=2"}, 0},
		{"PR|+03|$24200|", "PR", []string{"+0=3", "$2=4200"}, 0},
		{"ZZ|Q?x|", "ZZ", []string{"Q?=x"}, 0},
		{"ls|da1|", "ls", []string{"da=1"}, 0},
		{"LS|DA160728TI143101|", "LS", []string{"DA=160728TI143101"}, 0}, // a missing bar cannot be repaired
		{"XT|MTa\r\nb\fc|", "XT", []string{"MT=a\r\nb\fc"}, 0},
	} {
		r := parsed(t, c.in)
		var got []string
		for tag, v := range r.Fields() {
			got = append(got, tag.String()+"="+string(v))
		}
		if r.ID().String() != c.id || !slices.Equal(got, c.fields) || r.Odd() != c.odd {
			t.Errorf("Parse(%q) = %s %q, %d odd; want %s %q, %d", c.in, r.ID(), got, r.Odd(), c.id, c.fields, c.odd)
		}
	}
	for _, in := range []string{"", "L", "|", "|S|", "LSDA|", " S|", "L\x7f|", "\x00\x01|DA1|", strings.Repeat("x", 3)} {
		var r Record
		if err := Parse([]byte(in), &r); err != ErrNoRecord {
			t.Errorf("Parse(%q) = %v, want ErrNoRecord", in, err)
		}
	}
	var r Record
	if err := Parse(make([]byte, maxParse+1), &r); err != ErrLong {
		t.Errorf("Parse of %d bytes = %v, want ErrLong", maxParse+1, err)
	}
}

func TestRecordValues(t *testing.T) {
	r := parsed(t, "PR|P#0113|TA-1090|CL500.00|BA|NPY|SF|G#12345|C#99999999999999999999|COn|GA991230|GD000105|DA200428|TI1017|MA1|MA2|")
	if n, ok := r.Number(PNum); n != 113 || !ok {
		t.Errorf("P# = %d, %v", n, ok)
	}
	if a, ok := r.Amount(TA); a != -1090 || !ok {
		t.Errorf("TA = %d, %v", a, ok)
	}
	if a, ok := r.Amount(CL); a != 50000 || !ok {
		t.Errorf("CL = %d, %v", a, ok)
	}
	if _, ok := r.Number(CNum); ok {
		t.Error("a C# of 20 digits is a number")
	}
	if _, ok := r.Amount(BA); ok || r.Has(BA) || r.Get(BA) == nil || r.Get(RN) != nil {
		t.Error("an empty BA is taken for a value, or an absent RN for an empty one")
	}
	if !r.Flag(NP) || !r.Flag(SF) || r.Flag(CO) || !r.Is(GNum, "12345") {
		t.Error("flags")
	}
	if d := r.Date(GA, Codec{}).Format("2006-01-02") + r.Date(GD, Codec{}).Format(" 2006-01-02"); d != "1999-12-30 2000-01-05" {
		t.Errorf("dates = %s", d)
	}
	if at := r.Moment(Codec{}).Format("2006-01-02 15:04:05"); at != "2020-04-28 10:17:00" {
		t.Errorf("moment = %s", at)
	}
	var articles []string
	for v := range r.All(MA) {
		articles = append(articles, string(v))
	}
	if !slices.Equal(articles, []string{"1", "2"}) {
		t.Errorf("MA = %q", articles)
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Amount
		ok   bool
	}{
		{"1050", 1050, true}, {"0", 0, true}, {"000", 0, true}, {"-0200", -200, true}, {"  42", 42, true},
		{"500.00", 50000, true}, {"500.5", 50050, true}, {"500.", 50000, true}, {".5", 50, true}, {"-.5", -50, true},
		{"-12,34", -1234, true}, {"1.005", 101, true}, {"-1.005", -101, true}, {"1.004", 100, true}, {"1.995", 200, true},
		{"", 0, false}, {".", 0, false}, {"-", 0, false}, {"1.2.3", 0, false}, {"1,000.00", 0, false}, {"x", 0, false},
		{"1e3", 0, false}, {"0x10", 0, false}, {"--1", 0, false}, {"1.-5", 0, false},
		{"123456789012345678", 123456789012345678, true}, {"1234567890123456789", 0, false},
		{"99999999999999999.99", 0, false},
	} {
		if got, ok := parseAmount([]byte(c.in)); got != c.want || ok != c.ok {
			t.Errorf("parseAmount(%q) = %d, %v; want %d, %v", c.in, got, ok, c.want, c.ok)
		}
	}
	for a, want := range map[Amount]string{0: "0.00", 5: "0.05", -5: "-0.05", 105057: "1050.57", -100: "-1.00"} {
		if a.String() != want {
			t.Errorf("Amount(%d) = %s, want %s", int64(a), a, want)
		}
	}
}

// sample is one message of fias.md 8.
type sample struct{ number, record string }

func samples(t testing.TB) []sample {
	t.Helper()
	b, err := os.ReadFile("testdata/samples.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if line := s.Text(); line != "" && line[0] != '#' {
			number, record, _ := strings.Cut(line, " ")
			out = append(out, sample{number, record})
		}
	}
	return out
}

// rebuilt writes a record again from its fields, each by its type.
func rebuilt(t testing.TB, r *Record, c Codec) string {
	t.Helper()
	e := NewEncoder(c)
	e.Begin(r.ID())
	for tag, v := range r.Fields() {
		f, known := FieldOf(r.ID(), tag)
		switch {
		case !known:
			t.Errorf("record %s has a field %s that the dictionary lacks", r.ID(), tag)
		case len(v) == 0:
			e.Mark(tag)
		case f.Type == TagList, f.Type == Date, f.Type == Clock, f.Type == Minutes:
			e.Raw(tag, v)
		case f.Type == Money, f.Type == Numeric:
			e.Digits(tag, string(v))
		default:
			e.Text(tag, c.encoding().Decode(v))
		}
	}
	b, err := e.End()
	if err != nil {
		t.Errorf("%s: %v", r.Raw(), err)
	}
	return string(b)
}

// TestSamples takes the messages of fias.md 8 through Record and dictionary, and through their own types.
func TestSamples(t *testing.T) {
	all := samples(t)
	numbers := map[string]bool{}
	for _, s := range all {
		numbers[s.number] = true
		r := parsed(t, s.record)
		if got := rebuilt(t, r, Codec{}); got != s.record {
			t.Errorf("sample %s: %q became %q", s.number, s.record, got)
		}
		m := typed(r, Codec{})
		if m == nil {
			continue
		}
		b, err := Marshal(nil, m, Codec{})
		if err != nil {
			t.Errorf("sample %s: %v", s.number, err)
			continue
		}
		// Types know no order of fields and no padding; whatever else was there must be there again.
		if got, want := bag(parsed(t, string(b))), bag(r); !slices.Equal(got, want) {
			t.Errorf("sample %s: %q became %q\n got  %q\n want %q", s.number, s.record, b, got, want)
		}
	}
	if len(numbers) != 48 {
		t.Errorf("%d sample numbers, want the 48 of fias.md 8", len(numbers))
	}
}

// bag is the fields of a record without order and padding.
func bag(r *Record) []string {
	var out []string
	for tag, v := range r.Fields() {
		f, _ := FieldOf(r.ID(), tag)
		if n, ok := parseNumber(v); ok && (f.Type == Money || f.Type == Numeric && tag != GNum) {
			if n == 0 && tag != TA {
				continue
			}
			v = []byte(Amount(n).String())
		}
		if f.Type == YesNo && string(v) == "N" { // what is not said of a flag is no
			continue
		}
		out = append(out, tag.String()+string(v))
	}
	slices.Sort(out)
	return out
}

// typed decodes a record into its own type; nil if it has none.
func typed(r *Record, c Codec) Message {
	switch r.ID() {
	case LS, LA, LE, DR, DS, DE, NS, NE:
		var m Moment
		m.Decode(r, c)
		return m
	case LD:
		var m LinkDescription
		m.Decode(r, c)
		return m
	case LR:
		var m LinkRecord
		if m.Decode(r) != nil {
			return nil
		}
		return m
	case LC:
		var m LinkConfiguration
		m.Decode(r, c)
		return m
	case PS:
		var m PostingSimple
		m.Decode(r, c)
		return m
	case PR:
		if RequestOf(r) == InquiryRequest {
			var m Inquiry
			m.Decode(r, c)
			return m
		}
		var m PostingRequest
		m.Decode(r, c)
		return m
	case PL:
		var m PostingList
		m.Decode(r, c)
		return m
	case PA:
		var m PostingAnswer
		m.Decode(r, c)
		return m
	case GI, GC, GO:
		var m GuestRecord
		m.Decode(r, c)
		return m
	}
	return nil
}
