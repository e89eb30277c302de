package kitchen

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
		ticket := saletest.Value[Ticket](t)
		same(ticket.encode(), ticket)
		notice := saletest.Value[jobNotice](t)
		same(notice.appendTo(nil), notice)
	})
}
