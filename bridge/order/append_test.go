package order

import (
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"aboyeur/bridge/sale/saletest"
)

// What is appended by hand is what package json makes of the same value, with every member that the types have.
func TestAppendIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same := func(got []byte, v any) {
			want, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Fatalf("appended:\n got %s\nwant %s", got, want)
			}
		}
		news := saletest.Value[notice](t)
		same(news.appendTo(nil), news)
		receipt := saletest.Value[Receipt](t)
		same(receipt.appendTo(nil), receipt)
	})
}
