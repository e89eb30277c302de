package fias

import (
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestDictionary holds the dictionary to the table of docs/spec/fias.md 5: every field is there, with its type and the
// longest length that the table names for it.
func TestDictionary(t *testing.T) {
	b, err := os.ReadFile("../../docs/spec/fias.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "## 5. Field dictionary")
	text, _, _ = strings.Cut(text, "## 6. Posting")
	// What the dictionary deliberately has otherwise, with the reason in field.go.
	wider := map[string]int{"RN": 20, "RO": 20, "BD": 300, "RL": 4, "RT": 4, "CT": 20, "KO": 0, "DA": 6, "TI": 6, "GA": 6,
		"GD": 6, "DU": 6, "LT": 4, "DT": 5, "MT": 2000, "F#": 2, "GP": 6, "KT": 2}
	other := map[string]Type{"FL": TagList, "GP": Printable, "SO": ASCII}
	types := map[string]Type{"N": Numeric, "M": Money, "AN": ASCII, "ANS": Printable, "D": Date, "T": Clock}
	number := regexp.MustCompile(`\d+`)
	rows := 0
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) < 4 || strings.HasPrefix(line, "| ID | Meaning") {
			continue
		}
		for _, id := range ids(strings.TrimPrefix(cells[0], "| ")) {
			rows++
			f, ok := FieldOf(0, TagOf(id))
			if !ok || f.Name == "" {
				t.Errorf("the dictionary lacks %s", id)
				continue
			}
			kind := strings.TrimSpace(cells[2])
			if want, ok := wider[id]; ok {
				if f.Max != want {
					t.Errorf("%s has %d characters, want %d", id, f.Max, want)
				}
			} else if n := number.FindString(kind); n != "" && n != strconv.Itoa(f.Max) {
				t.Errorf("%s has %d characters, the table says %q", id, f.Max, kind)
			}
			word, _, _ := strings.Cut(kind, " ")
			want, ok := types[word]
			if o, yes := other[id]; yes {
				want = o
			}
			if ok && f.Type != want && !(f.Type == Lines && want == Printable) {
				t.Errorf("%s is %s, the table says %q", id, f.Type, kind)
			}
		}
	}
	if rows < 110 {
		t.Errorf("read %d fields from the table, which has more", rows)
	}
}

// ids are the tags that a row of the table names: "A0-A9", "GA, GD", "EI, EO, ET", "$1".
func ids(cell string) []string {
	var out []string
	for part := range strings.SplitSeq(cell, ", ") {
		part = strings.TrimSpace(part)
		if from, to, ok := strings.Cut(part, "-"); ok && len(from) == 2 && len(to) == 2 {
			for c := from[1]; c <= to[1]; c++ {
				out = append(out, string([]byte{from[0], c}))
			}
			continue
		}
		if len(part) == 2 {
			out = append(out, part)
		}
	}
	return out
}

func TestFieldOfARecord(t *testing.T) {
	for _, c := range []struct {
		record Tag
		field  string
		kind   Type
		max    int
	}{
		{PS, "CT", Printable, 20}, {PR, "CT", Printable, 20}, {PA, "CT", Printable, 50}, {LO, "CT", Printable, 80},
		{LP, "CT", Printable, 96}, {KA, "CT", Printable, 40}, {PR, "$2", ASCII, 19}, {KA, "$2", Printable, 19},
		{KR, "$2", ASCII, 16}, {PR, "S9", Money, 15}, {PR, "T3", Money, 15}, {PR, "D1", Money, 15}, {GI, "A7", Printable, 0},
		{PL, "BA", Money, 20}, {XB, "BA", Numeric, 20}, {KZ, "GN", Printable, 40}, {PR, "GN", Printable, 200},
	} {
		f, ok := FieldOf(c.record, TagOf(c.field))
		if !ok || f.Type != c.kind || f.Max != c.max || f.Tag.String() != c.field {
			t.Errorf("FieldOf(%s, %s) = %+v, %v; want %s %d", c.record, c.field, f, ok, c.kind, c.max)
		}
	}
	for _, field := range []string{"GR", "S0", "T0", "D0", "TX", "zz"} {
		if f, ok := FieldOf(PR, TagOf(field)); ok {
			t.Errorf("FieldOf(PR, %s) = %+v", field, f)
		}
	}
}

func TestEncoder(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip(err)
	}
	at := time.Date(2026, 7, 14, 22, 5, 9, 0, time.UTC)
	for _, c := range []struct {
		want string
		do   func(*Encoder)
		err  error
	}{
		{"PR|TA-1050|C#12345678|", func(e *Encoder) { e.Amount(TA, -1050); e.Number(CNum, 12345678) }, nil},
		{"", func(e *Encoder) { e.Number(CNum, 123456789) }, ErrTooWide},
		{"PR|C#-12345678|", func(e *Encoder) { e.Number(CNum, -12345678) }, nil},
		{"", func(e *Encoder) { e.Amount(TA, 1e15) }, ErrTooWide},
		{"PR|CT12345678901234567890|", func(e *Encoder) { e.Text(CT, "123456789012345678901234") }, nil},
		{"", func(e *Encoder) { e.Text(RN, strings.Repeat("1", 21)) }, ErrTooWide},
		{"", func(e *Encoder) { e.Text(PI, "12345678901") }, ErrTooWide},
		{"PR|RN 0101|", func(e *Encoder) { e.Text(RN, " 0101") }, nil},
		{"PR|DA260715|TI000509|", func(e *Encoder) { e.Moment(at) }, nil}, // Paris is past midnight
		{"PR|", func(e *Encoder) { e.Moment(time.Time{}); e.Option(CT, ""); e.Part(SC, 0); e.Digits(DD, "") }, nil},
		{"PR|CT|SF|", func(e *Encoder) { e.Text(CT, ""); e.Mark(SF) }, nil},
		{"PR|COY|GSN|", func(e *Encoder) { e.Flag(CO, true); e.Flag(GS, false) }, nil},
		{"PR|DD0049|", func(e *Encoder) { e.Digits(DD, "0049") }, nil},
		{"", func(e *Encoder) { e.Digits(DD, "+49") }, ErrNotDigits},
		{"", func(e *Encoder) { e.Digits(DD, strings.Repeat("1", 21)) }, ErrTooWide},
		{"", func(e *Encoder) { e.Text(0, "x") }, ErrBadTag},
		{"", func(e *Encoder) { e.Date(GA, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)) }, ErrBadYear},
		{"PR|GNa/b c|", func(e *Encoder) { e.Raw(GN, []byte("a|b\x02c")) }, nil},
		{"PR|SOWIFI|", func(e *Encoder) { e.Text(SO, "WIFI") }, nil},
		{"PR|SOe|", func(e *Encoder) { e.Text(SO, "é") }, nil}, // AN is ASCII whatever the link
		{"", func(e *Encoder) { e.Text(MT, strings.Repeat("x", 2000)) }, ErrTooMuch},
		{"", func(e *Encoder) { e.Text(RN, strings.Repeat("1", 21)); e.Text(CT, "x"); e.Number(CNum, 1e9) }, ErrTooWide},
	} {
		e := NewEncoder(Codec{Location: paris})
		e.Begin(PR)
		c.do(e)
		b, err := e.End()
		if string(b) != c.want || !errors.Is(err, c.err) {
			t.Errorf("got %q, %v; want %q, %v", b, err, c.want, c.err)
		}
	}
	e := NewEncoder(Codec{})
	e.Begin(XT)
	e.Text(MT, strings.Repeat("é", 1980)+"\r\n")
	if b, err := e.End(); err != nil || len(b) != 6+1980*2+2 {
		t.Errorf("1988 characters of two bytes: %d bytes, %v", len(b), err)
	}
	e.Begin(PR)
	e.Text(X1, strings.Repeat("x", 30))
	e.Text(CT, "a|b")
	if len(e.Cut()) != 1 || e.Cut()[0] != X1 || e.Replaced() != 1 {
		t.Errorf("cut %v, replaced %d", e.Cut(), e.Replaced())
	}
	var fault *FieldError
	_, err = Marshal(nil, PostingRequest{Posting{Check: 123456789}}, Codec{})
	if !errors.As(err, &fault) || fault.Field != CNum || err.Error() != `record PR: field C#: "123456789": longer than the field may be` {
		t.Errorf("Marshal = %v", err)
	}
	if b, err := Marshal([]byte("before "), Moment{LA, at}, Codec{}); string(b) != "before LA|DA260714|TI220509|" || err != nil {
		t.Errorf("Marshal appended %q, %v", b, err)
	}
}
