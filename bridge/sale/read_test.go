package sale_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/sale"
)

// strict is the decoder that has the last word.
func strict(data []byte) (o sale.Order, err error) {
	err = json.Unmarshal(data, &o, json.RejectUnknownMembers(true))
	return o, err
}

func TestRead(t *testing.T) {
	body := string(full().Encode())
	for _, c := range []struct {
		name, text string
		taken      bool
	}{
		{"every member", body, true},
		{"with room between", "\r\n\t " + strings.NewReplacer(`":`, "\" : ", ",", " ,\n", "[", "[ ", "{", "{\t", "}", " }").Replace(body) + "\n", true},
		{"nothing", `{}`, true},
		{"empty lists", `{"lines":[],"payments":[ ],"partner":{}}`, true},
		{"empty lists of a line", `{"lines":[{"allergens":[],"modifiers":[]}]}`, true},
		{"escapes", `{"source":"caf\u00e9 \"\\\/\b\ud83d\ude00","n\u006ftes":"a\nb"}`, true},
		{"five levels", `{"lines":[{"modifiers":[{"modifiers":[{"modifiers":[{"modifiers":[{"modifiers":[{}]}]}]}]}]}]}`, true},
		{"six levels", `{"lines":[{"modifiers":[{"modifiers":[{"modifiers":[{"modifiers":[{"modifiers":[{"modifiers":[]}]}]}]}]}]}]}`, false},
		{"fraction", `{"placed_at":"2026-11-21T19:04:05.123456789Z"}`, true},
		{"comma in a time", `{"placed_at":"2026-11-21T19:04:05,5Z"}`, false},
		{"hour of one digit", `{"placed_at":"2026-11-21T9:04:05Z"}`, false},
		{"zone", `{"placed_at":"2026-11-21T19:04:05+01:00"}`, false},
		{"31 November", `{"placed_at":"2026-11-31T19:04:05Z"}`, false},
		{"hold", `{"lines":[{"hold":true},{"hold":false}]}`, true},
		{"hold in half", `{"lines":[{"hold":tru}]}`, false},
		{"null", `{"table":null}`, false},
		{"unknown member", `{"tables":"1"}`, false},
		{"other case", `{"Table":"1"}`, false},
		{"empty name", `{"":"1"}`, false},
		{"twice", `{"table":"1","table":"1"}`, false},
		{"twice, once in escapes", `{"table":"1","t\u0061ble":"1"}`, false},
		{"twice in a line", `{"lines":[{"name":"a","name":"a"}]}`, false},
		{"twice in a modifier", `{"lines":[{"modifiers":[{"price":1,"price":1}]}]}`, false},
		{"twice in a pair", `{"partner":{"name":"","name":""}}`, false},
		{"twice in a payment", `{"payments":[{"amount":0,"amount":0}]}`, false},
		{"18 digits", `{"version":999999999999999999}`, true},
		{"19 digits", `{"version":1000000000000000000}`, false},
		{"leading zero", `{"version":01}`, false},
		{"negative", `{"version":-1}`, false},
		{"exponent", `{"version":1e3}`, false},
		{"fraction of a number", `{"version":1.0}`, false},
		{"number in quotes", `{"version":"1"}`, false},
		{"text without quotes", `{"table":12}`, false},
		{"line feed in a text", "{\"table\":\"\n\"}", false},
		{"broken UTF-8", "{\"table\":\"\xff\"}", false},
		{"half a surrogate", `{"table":"\ud83d"}`, false},
		{"unknown escape", `{"table":"\x"}`, false},
		{"text behind", body + "{}", false},
		{"comma at the end", `{"table":"1",}`, false},
		{"comma at the end of a list", `{"lines":[{},]}`, false},
		{"closed by the other bracket", `{"lines":[{}}]`, false},
		{"list", `[]`, false},
		{"empty", ``, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o sale.Order
			if taken := o.Read([]byte(c.text)); taken != c.taken {
				t.Fatalf("Read(%s) = %v", c.text, taken)
			}
			want, err := strict([]byte(c.text))
			switch {
			case !c.taken:
				want = sale.Order{}
			case err != nil:
				t.Fatalf("the strict decoder refuses it: %v", err)
			}
			if !reflect.DeepEqual(o, want) {
				t.Errorf("Read(%s):\n got %+v\nwant %+v", c.text, o, want)
			}
		})
	}
	for i := range body {
		if o := new(sale.Order); o.Read([]byte(body[:i])) || !reflect.DeepEqual(o, new(sale.Order)) {
			t.Fatalf("Read takes %d of %d bytes, or leaves something of them", i, len(body))
		}
	}
}

// FuzzRead holds Read to the strict decoder: what it takes, that takes, and as the same order; what it encoded itself it takes.
func FuzzRead(f *testing.F) {
	f.Add(full().Encode())
	f.Add([]byte(`{"source":"a\u00e9","lines":[{"price":0,"hold":false,"allergens":[""],"modifiers":[{"quantity":0}]}],"payments":[{"amount":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var o sale.Order
		if !o.Read(data) {
			if !reflect.DeepEqual(o, sale.Order{}) {
				t.Fatalf("Read(%s) left %+v", data, o)
			}
			return
		}
		want, err := strict(data)
		if err != nil {
			t.Fatalf("Read(%s) takes what the decoder refuses: %v", data, err)
		}
		if !reflect.DeepEqual(o, want) {
			t.Fatalf("Read(%s):\n got %+v\nwant %+v", data, o, want)
		}
		o.Complete()
		if len(o.Validate(4, "")) > 0 {
			return
		}
		if again := new(sale.Order); !again.Read(o.Encode()) || !reflect.DeepEqual(&o, again) {
			t.Fatalf("Read(%s), its own form: %+v", o.Encode(), again)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := aFewDishes().Encode()
	b.Run("Read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if o := new(sale.Order); !o.Read(data) {
				b.Fatal("not taken")
			}
		}
	})
	b.Run("strict", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := strict(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
