package channel

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func TestRanksRise(t *testing.T) {
	t.Parallel()
	way := []Status{"", New, Accepted, Prepared, HandedOff, Fulfilled, Cancelled}
	for i, s := range way {
		if s.Rank() != i {
			t.Errorf("rank of %q is %d, want %d", s, s.Rank(), i)
		}
	}
	if Rejected.Rank() != Cancelled.Rank() {
		t.Error("an order may be rejected and then cancelled")
	}
}

// What is kept of an order comes back as it was.
func TestOrderIsKept(t *testing.T) {
	t.Parallel()
	want := Order{Aggregator: "otter", Partner: "Uber Eats", Slug: "ubereats", ID: "8F3A2-77", FriendlyID: "8F3A2", Status: New, Service: "delivery",
		Scheduled: true, PickupAt: time.Date(2026, 11, 21, 19, 45, 0, 0, time.UTC), Prep: 20*time.Minute + time.Nanosecond, Currency: "EUR", Decimals: 2,
		Customer: Customer{Name: "Zoé L."}, Courier: Courier{Status: "arrived"},
		Lines:   []Line{{ID: "i", SKU: "PIZ", Name: "Margherita", Quantity: 2, Price: 1250, Modifiers: []Modifier{{Name: "Extra", Quantity: 1, Price: 150, GroupID: "g"}}}},
		Charges: Charges{Subtotal: 2800, CourierTip: 500, Total: 3300}, Payments: []Payment{{Amount: 3300, Method: "card"}}, Unsure: []string{"x"}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Order
	if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s came back as %+v, %v", b, got, err)
	}
	if got.Ref() != (Ref{Slug: "ubereats", ID: "8F3A2-77", FriendlyID: "8F3A2"}) {
		t.Errorf("it is named %+v", got.Ref())
	}
}

func TestWordsForPeople(t *testing.T) {
	t.Parallel()
	m := &Malformed{Faults: []Fault{{"/metadata/payload/items/0/quantity", "is -1"}, {"/metadata", "has no storeId"}}}
	if want := "the message makes no sense; /metadata/payload/items/0/quantity is -1; /metadata has no storeId"; m.Error() != want {
		t.Errorf("%q, want %q", m.Error(), want)
	}
	l := &Limited{Family: "confirm", After: 1999600 * time.Microsecond}
	if want := "the aggregator's limit for confirm is used up; free again in 2s"; l.Error() != want {
		t.Errorf("%q, want %q", l.Error(), want)
	}
	reasons := CancelReasons()
	slices.Sort(reasons)
	if len(slices.Compact(reasons)) != 21 {
		t.Errorf("%d reasons", len(reasons))
	}
}
