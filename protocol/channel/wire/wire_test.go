package wire

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"aboyeur/protocol/channel"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in       Number
		decimals int
		want     int64
		exact    bool
		wrong    bool
	}{
		{in: "", decimals: 2, want: 0, exact: true},
		{in: "0", decimals: 2, want: 0, exact: true},
		{in: "5.9", decimals: 2, want: 590, exact: true},
		{in: "19.07", decimals: 2, want: 1907, exact: true},
		{in: "-3", decimals: 2, want: -300, exact: true},
		{in: "12.500", decimals: 2, want: 1250, exact: true},
		{in: "1.25e1", decimals: 2, want: 1250, exact: true},
		{in: "125E-1", decimals: 2, want: 1250, exact: true},
		{in: "11.969999999999999", decimals: 2, want: 1197},
		{in: "0.005", decimals: 2, want: 1},
		{in: "-0.005", decimals: 2, want: -1},
		{in: "0.0049", decimals: 2, want: 0},
		{in: "1500", decimals: 0, want: 1500, exact: true},
		{in: "1.234", decimals: 3, want: 1234, exact: true},
		{in: "1e-40", decimals: 2, want: 0},
		{in: "0e50", decimals: 2, want: 0, exact: true},
		{in: "10995116277.76", decimals: 2, want: MaxAmount, exact: true},
		{in: "10995116277.77", decimals: 2, wrong: true},
		{in: "1e40", decimals: 2, wrong: true},
		{in: "1e9999999999999999999", decimals: 2, wrong: true},
		{in: "abc", decimals: 2, wrong: true},
		{in: "1.", decimals: 2, wrong: true},
		{in: ".5", decimals: 2, wrong: true},
		{in: "--1", decimals: 2, wrong: true},
		{in: "NaN", decimals: 2, wrong: true},
		{in: Number(strings.Repeat("1", 100)), decimals: 2, wrong: true},
	} {
		got, exact, err := Amount(c.in, c.decimals)
		if (err != nil) != c.wrong || !c.wrong && (got != c.want || exact != c.exact) {
			t.Errorf("Amount(%q, %d) = %d, %t, %v, want %d, %t", c.in, c.decimals, got, exact, err, c.want, c.exact)
		}
	}
	for _, minor := range []int64{0, 1, -1, 99, 100, 1250, -1250, MaxAmount} {
		for _, d := range []int{0, 2, 3} {
			if got, exact, err := Amount(Decimal(minor, d), d); got != minor || !exact || err != nil {
				t.Errorf("%d comes back from %s as %d, %t, %v", minor, Decimal(minor, d), got, exact, err)
			}
		}
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	for in, want := range map[Number]int{"1": 1, "2.0": 2, "1000": 1000, "1e3": 1000} {
		if got, err := Whole(in, 1, 1000); got != want || err != nil {
			t.Errorf("Whole(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []Number{"", "0", "-1", "1001", "1.5", "x", "1e30"} {
		if got, err := Whole(in, 1, 1000); err == nil {
			t.Errorf("Whole(%q) = %d", in, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2020, 10, 10, 20, 6, 2, 123e6, time.UTC)
	for _, in := range []Text{"2020-10-10T20:06:02:123Z", "2020-10-10T20:06:02.123Z", "2020-10-10T22:06:02.123+02:00", "2020-10-10T22:06:02.123+0200", "2020-10-10 20:06:02.123Z",
		"2020-10-10T20:06:02.123", "1602360362123"} {
		if got, ok := ParseTime(in); !ok || !got.Equal(want) {
			t.Errorf("ParseTime(%q) = %v, %t", in, got, ok)
		}
	}
	for _, in := range []Text{"", "soon", "2020-13-10T20:06:02Z", "0001-01-01T00:00:00Z", "12", Text(strings.Repeat("2", 60))} {
		if got, ok := ParseTime(in); ok {
			t.Errorf("ParseTime(%q) = %v", in, got)
		}
	}
	if got, ok := ParseTime(Stamp(want)); !ok || !got.Equal(want) {
		t.Errorf("%v comes back as %v", want, got)
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for in, want := range map[Text]time.Duration{"PT30M": 30 * time.Minute, "PT1H30M": 90 * time.Minute, "P1DT1S": 24*time.Hour + time.Second, "pt1.5s": 1500 * time.Millisecond} {
		if got, ok := ParseDuration(in); got != want || !ok {
			t.Errorf("ParseDuration(%q) = %v, %t", in, got, ok)
		}
	}
	for _, in := range []Text{"", "P", "PT", "30", "PTM", "P30M", "PT1D", "PT99999999H", "PT-1M"} {
		if got, ok := ParseDuration(in); ok {
			t.Errorf("ParseDuration(%q) = %v", in, got)
		}
	}
}

// A value of the wrong kind costs the value, not the message.
func TestLenient(t *testing.T) {
	t.Parallel()
	type inner struct {
		Name Text `json:"name"`
	}
	var v struct {
		ID    Text         `json:"id"`
		N     Number       `json:"n"`
		B     Bool         `json:"b"`
		In    Maybe[inner] `json:"in"`
		Other Maybe[inner] `json:"other"`
		List  List[inner]  `json:"list"`
		No    List[inner]  `json:"no"`
		Text  Text         `json:"text"`
	}
	in := `{"id":12,"n":" 1.50 ","b":"TRUE","in":{"name":"a\u00e9","what":[{}]},"other":"x","list":[null,{"name":"b"},3,[],{"name":null}],"no":{"a":1},"text":{"a":[1]},"text":"last ` + "\xff" + `","new":{}}`
	if err := Read("", []byte(in), &v); err != nil {
		t.Fatal(err)
	}
	if v.ID != "12" || v.N != "1.50" || !v.B || v.In.Or().Name != "aé" || v.Other.V != nil || len(v.List) != 2 || v.List[0].Name != "b" || v.No != nil || v.Text != "last �" {
		t.Errorf("%+v", v)
	}
	for in, want := range map[string]string{`{"id":`: "", `[]`: "", `{"in":{"name":1}`: "", ``: ""} {
		var m *channel.Malformed
		if err := Read(want, []byte(in), &v); !errors.As(err, &m) || len(m.Faults) != 1 {
			t.Errorf("Read(%q) = %v", in, err)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	lines := func() []channel.Line {
		return []channel.Line{{Name: "Pizza", Quantity: 2, Price: 1000, Modifiers: []channel.Modifier{{Quantity: 2, Price: 200, Modifiers: []channel.Modifier{{Quantity: 1, Price: 40}}}}}, {Name: "Cola", Quantity: 1, Price: 300}}
	}
	l := lines()
	if odd := Settle(l, 2*(1000+2*240)+300, 2); odd != "" || l[0].Price != 1000 {
		t.Errorf("per unit: %q, %+v", odd, l)
	}
	l = lines()
	if odd := Settle(l, 1000+200+40+300, 2); odd != "" || l[0].Price != 500 || l[0].Modifiers[0].Price != 50 || l[0].Modifiers[0].Modifiers[0].Price != 10 || l[1].Price != 300 {
		t.Errorf("per line: %q, %+v", odd, l)
	}
	l = lines()
	if odd := Settle(l, 5, 2); odd != "the lines make 32.60, the subtotal is 0.05" || l[0].Price != 1000 {
		t.Errorf("neither: %q, %+v", odd, l)
	}
	l = []channel.Line{{Name: "Sushi", Quantity: 3, Price: 1000}}
	if odd := Settle(l, 1000, 2); odd != "prices are per line and do not divide by the quantity: Sushi" || l[0].Price != 333 {
		t.Errorf("uneven: %q, %+v", odd, l)
	}
	deep := channel.Line{Quantity: 1000, Price: MaxAmount}
	for range 5 {
		deep.Modifiers = []channel.Modifier{{Quantity: 1000, Price: MaxAmount, Modifiers: deep.Modifiers}}
	}
	if odd := Settle([]channel.Line{deep}, 100, 2); odd == "" {
		t.Error("an absurd sum wrapped into a plausible one")
	}
}

func TestCurrency(t *testing.T) {
	t.Parallel()
	for in, known := range map[Text]bool{"EUR": true, "usd": true, " CHF ": true, "XYZ": false} {
		if code, got, err := Currency(in); got != known || err != nil || code != strings.TrimSpace(strings.ToUpper(string(in))) {
			t.Errorf("Currency(%q) = %q, %t, %v", in, code, got, err)
		}
	}
	for _, in := range []Text{"", "EU", "EURO", "€UR", "12A"} {
		if code, _, err := Currency(in); err == nil {
			t.Errorf("Currency(%q) = %q", in, code)
		}
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	// RFC 4231, test case 2.
	seal := Seal{Secret: []byte("Jefe"), Header: "X-Sign", Base64: true}
	body := []byte("what do ya want for nothing?")
	const vector = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	if got := seal.Sign(body); got != vector {
		t.Fatalf("Sign = %s, want %s", got, vector)
	}
	raw, _ := hex.DecodeString(vector)
	strict := seal
	strict.Base64, strict.Exact = false, true
	for _, c := range []struct {
		value       string
		any, strict bool
	}{
		{vector, true, true},
		{strings.ToUpper(vector), true, false},
		{"sha256=" + vector, true, false},
		{" " + vector + " ", true, true},
		{base64.StdEncoding.EncodeToString(raw), true, false},
		{base64.RawURLEncoding.EncodeToString(raw), true, false},
		{"", false, false},
		{vector[:62], false, false},
		{"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3842", false, false},
		{base64.StdEncoding.EncodeToString([]byte(vector)), false, false},
		{base64.StdEncoding.EncodeToString(raw[:31]), false, false},
	} {
		for _, s := range []Seal{seal, strict} {
			want := c.any
			if s.Exact {
				want = c.strict
			}
			err := s.Check(http.Header{"X-Sign": {c.value}}, body)
			if (err == nil) != want || err != nil && !errors.Is(err, channel.ErrSignature) {
				t.Errorf("Check(%q), exact %t: %v", c.value, s.Exact, err)
			}
		}
	}
	for _, h := range []http.Header{{}, {"X-Sign": {vector, vector}}, {"X-Other": {vector}}} {
		if err := seal.Check(h, body); !errors.Is(err, channel.ErrSignature) {
			t.Errorf("Check(%v) = %v", h, err)
		}
	}
	body[3] ^= 1
	if err := seal.Check(http.Header{"X-Sign": {vector}}, body); !errors.Is(err, channel.ErrSignature) {
		t.Errorf("one bit of the body: %v", err)
	}
	if err := (Seal{Header: "X-Sign"}).Check(http.Header{"X-Sign": {vector}}, body); !errors.Is(err, channel.ErrSignature) {
		t.Errorf("without a secret: %v", err)
	}
	if first := EventID(body); first != EventID(append([]byte{}, body...)) || first == EventID(body[1:]) {
		t.Error("a message is not named by its content")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	l := Limits{PerMinute: map[Family]int{"a": 4, "b": 8}, Other: 2, Reserve: 0.25}
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	after := func(f Family, u Urgent) time.Duration {
		t.Helper()
		err := l.Take(f, u, now)
		var limited *channel.Limited
		if errors.As(err, &limited) {
			return limited.After
		}
		if err != nil {
			t.Fatal(err)
		}
		return 0
	}
	for i := range 3 {
		if d := after("a", false); d != 0 {
			t.Errorf("call %d waits %v", i, d)
		}
		now = now.Add(time.Second)
	}
	if d := after("a", false); d != 58*time.Second {
		t.Errorf("the last of four is kept for what is urgent: waits %v", d)
	}
	if d := after("a", true); d != 0 {
		t.Errorf("what is urgent waits %v", d)
	}
	if d := after("a", true); d != 58*time.Second {
		t.Errorf("the fifth waits %v", d)
	}
	if d := after("other", false) + after("other", false); d != 0 {
		t.Errorf("families share: %v", d)
	}
	if d := after("other", false); d != time.Minute+spare {
		t.Errorf("a family without a number of its own waits %v", d)
	}
	now = now.Add(58 * time.Second)
	if d := after("a", true); d != 0 {
		t.Errorf("a minute later: %v", d)
	}
	l.Shut("b", 3*time.Second, now)
	if d := after("b", true); d != 3*time.Second {
		t.Errorf("shut for %v", d)
	}
	l.Shut("b", time.Hour, now)
	if d := after("b", true); d != maxShut {
		t.Errorf("shut for %v, want %v", d, maxShut)
	}

	// Whatever is asked for, no minute of the calls let through has more than the limit.
	var times []time.Time
	for range 2000 {
		now = now.Add(700 * time.Millisecond)
		if after("a", true) == 0 {
			times = append(times, now)
		}
	}
	for i := 4; i < len(times); i++ {
		if times[i].Sub(times[i-4]) <= time.Minute {
			t.Fatalf("five calls from %v to %v", times[i-4], times[i])
		}
	}
	if len(times) < 80 {
		t.Errorf("only %d calls in 1400 s at 4 a minute", len(times))
	}

	all := Limits{PerSecond: 20, Reserve: 0.25}
	n := 0
	for range 30 {
		if all.Take("x", false, now) == nil {
			n++
		}
	}
	for range 30 {
		if all.Take("y", true, now) == nil {
			n++
		}
	}
	if n != 20 {
		t.Errorf("%d calls in one second", n)
	}
	for after("a", true) == 0 {
	}
	l.Shut("a", time.Minute, now)
	now = now.Add(-24 * time.Hour)
	if d := after("a", true); d != 0 {
		t.Errorf("with a clock that was put back by a day a call waits %v", d)
	}
}
