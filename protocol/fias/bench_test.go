package fias

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// posting is a PR of about 300 bytes, list a PL of nearly 2000 (fias.md 6).
func posting() string {
	return "PR|SO123|WS456|IDJOSH|RN2781|G#12875|GNGaribaldi, Mr. Giuseppe|G+778812|TA22850|S18000|S26000|S34000|T12575|T21525|" +
		"T31050|D1-1000|TP500|SC200|C#12345678|CV12|ST4|T#112|PTC|CTDinner Brasserie|X1Terrace, birthday table 12|" +
		"DA000915|TI124254|P#1737|PMROOM|COY|CTBrasserie Bellevue|A0returning guest|A1late arrival|"
}

func list() string {
	var b strings.Builder
	b.WriteString("PL|P#1001|WSPOS1|SO1|ID7|")
	for i := 0; b.Len() < 1880; i++ {
		fmt.Fprintf(&b, "RN%d|G#%d|GNGuest Number %d|GFGiuseppina|GTMrs.|GVGOLD|G+7788%d|CL500.00|BA123.45|NPN|GA260301|GD260305|", 2700+i, 12345+i, i, i)
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{"PR": posting(), "PL": list()} {
		b.Run(fmt.Sprintf("%s-%d", name, len(s)), func(b *testing.B) {
			raw := []byte(s)
			var r Record
			if err := Parse(raw, &r); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if Parse(raw, &r) != nil {
					b.Fatal("not parsed")
				}
			}
		})
	}
}

func BenchmarkParseAndRead(b *testing.B) {
	raw := []byte(posting())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	var r Record
	var sum Amount
	for b.Loop() {
		Parse(raw, &r)
		a, _ := r.Amount(TA)
		n, _ := r.Number(PNum)
		sum += a + Amount(n)
		if len(r.Get(RN)) == 0 {
			b.Fatal("no room")
		}
	}
	_ = sum
}

func BenchmarkMarshal(b *testing.B) {
	var r Record
	Parse([]byte(posting()), &r)
	var p PostingRequest
	p.Decode(&r, Codec{})
	latin, _ := NewEncoding("windows-1252")
	for _, c := range []struct {
		name string
		Codec
	}{{"utf-8", Codec{}}, {"windows-1252", Codec{Encoding: latin, Location: time.Local}}} {
		b.Run(c.name, func(b *testing.B) {
			dst, err := Marshal(nil, p, c.Codec)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				if dst, err = Marshal(dst[:0], p, c.Codec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeList(b *testing.B) {
	raw := []byte(list())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	var r Record
	var l PostingList
	for b.Loop() {
		Parse(raw, &r)
		l.Decode(&r, Codec{})
	}
	if len(l.Guests) < 10 {
		b.Fatal(len(l.Guests))
	}
}

// TestParseAllocatesNothing holds Parse and the readers of a Record to their promise.
func TestParseAllocatesNothing(t *testing.T) {
	for _, s := range []string{posting(), list()} {
		raw := []byte(s)
		var r Record
		Parse(raw, &r)
		n := testing.AllocsPerRun(100, func() {
			if Parse(raw, &r) != nil || r.Get(PNum) == nil {
				t.Fail()
			}
			r.Amount(TA)
			r.Moment(Codec{})
			for tag, v := range r.Fields() {
				if tag == RN && len(v) == 0 {
					t.Fail()
				}
			}
		})
		if n != 0 {
			t.Errorf("%d bytes: %v allocations", len(raw), n)
		}
	}
	if n := len(posting()); n < 290 || n > 420 {
		t.Errorf("the posting has %d bytes", n)
	}
	if n := len(list()); n < 1880 || n > MaxRecord {
		t.Errorf("the list has %d bytes", n)
	}
}
