package sale_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"aboyeur/bridge/sale"
	"aboyeur/bridge/sale/saletest"
)

// The canonical form of an order must be what encoding/json makes of it, to the byte: the digests of orders that were
// stored before are of that.
func TestEncodeIsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same(t, saletest.Value[sale.Order](t))
	})
	broken := full()
	broken.Notes = "a\xffb"
	same(t, broken)
}

func same(t rapid.TB, o *sale.Order) {
	want, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(o.Encode()); got != string(want) {
		t.Fatalf("Encode:\n got %s\nwant %s", got, want)
	}
}

// aFewDishes is an order of the size that a restaurant gets.
func aFewDishes() *sale.Order {
	o := full()
	o.Lines = append(o.Lines, o.Lines[0], o.Lines[0])
	return o
}

func BenchmarkEncode(b *testing.B) {
	o := aFewDishes()
	b.ReportAllocs()
	for b.Loop() {
		o.Encode()
	}
}

func BenchmarkValidate(b *testing.B) {
	o := aFewDishes()
	b.ReportAllocs()
	for b.Loop() {
		if o.Validate(4, "EUR") != nil {
			b.Fatal("faults")
		}
	}
}
