package booking

import (
	"reflect"
	"time"

	"github.com/go-json-experiment/json"

	"math"
	"strings"
	"testing"
)

func TestNearestStage(t *testing.T) {
	t.Parallel()
	few := []Stage{AtTable, Entree, Paid}
	for stage, want := range map[Stage]Stage{
		AtTable: AtTable, Drinks: AtTable, Appetizer: AtTable, Entree: Entree, Dessert: Entree, CheckDropped: Entree, Paid: Paid, Finished: Paid,
	} {
		if got := stage.Nearest(few); got != want {
			t.Errorf("nearest to %s is %q, want %q", stage, got, want)
		}
	}
	if got := AtTable.Nearest([]Stage{Paid}); got != "" {
		t.Errorf("a platform that has nothing so low is told %q", got)
	}
	for i, s := range Stages() {
		if s.Rank() != 10*(i+1) {
			t.Errorf("rank of %s is %d", s, s.Rank())
		}
	}
	if Stage("lunch").Rank() != 0 {
		t.Error("an unknown stage has a rank")
	}
}

func TestVocabulary(t *testing.T) {
	t.Parallel()
	table := []Word{
		{"running_late", "RunningLate", Meaning{Status: Scheduled, Late: true}},
		{"confirmed", "Confirmed", Meaning{Status: Scheduled, Sure: true}},
		{"assumed_seated", "AssumedSeated", Meaning{Status: Seated, Stage: AtTable, Assumed: true}},
		{"seated", "Seated", Meaning{Status: Seated, Stage: AtTable}},
		{"entree", "Entree", Meaning{Status: Seated, Stage: Entree}},
	}
	v, err := NewVocabulary(table, map[string]string{"entree": "MAINS"})
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := v.Read("MAINS"); !ok || m.Stage != Entree {
		t.Errorf("MAINS is %+v %v", m, ok)
	}
	for _, strange := range []string{"Entree", "seated", "Seated ", ""} {
		if m, ok := v.Read(strange); ok {
			t.Errorf("%q was guessed to be %+v", strange, m)
		}
	}
	if w, ok := v.Write(AtTable); !ok || w != "Seated" {
		t.Errorf("seated is spelt %q", w)
	}
	if w, ok := v.WriteStatus(Scheduled); !ok || w != "Confirmed" {
		t.Errorf("scheduled is spelt %q", w)
	}
	if w, ok := v.WriteStatus(Seated); !ok || w != "Seated" {
		t.Errorf("the status seated is spelt %q", w)
	}
	if w, ok := v.WriteStatus(NoShow); ok {
		t.Errorf("what the table does not have is spelt %q", w)
	}
	for want, other := range map[string]map[string]string{
		"no word":     {"main": "MAINS"},
		"no spelling": {"entree": ""},
		"both":        {"entree": "Seated"},
	} {
		if _, err := NewVocabulary(table, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", other, err)
		}
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		decimals int
		want     string
	}{
		{1250, 2, "12.50"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {0, 2, "0.00"}, {1250, 0, "1250"}, {1250, 3, "1.250"},
		{math.MinInt64, 2, "-92233720368547758.08"},
	} {
		if got := Decimal(c.minor, c.decimals); got != c.want {
			t.Errorf("Decimal(%d, %d) = %s, want %s", c.minor, c.decimals, got, c.want)
		}
	}
}

func TestTakes(t *testing.T) {
	t.Parallel()
	c := Capabilities{Stages: []Stage{AtTable, Paid}, Statuses: []Status{NoShow}, Totals: true}
	for _, call := range []struct {
		u    Update
		want bool
	}{
		{Update{Kind: KindStage, Stage: Paid}, true}, {Update{Kind: KindStage, Stage: Entree}, false}, {Update{Kind: KindCheck}, false},
		{Update{Kind: KindClosed}, true}, {Update{Kind: KindStatus, Status: NoShow}, true}, {Update{Kind: KindStatus, Status: Seated}, false},
		{Update{Kind: KindTables}, false}, {Update{Kind: KindCovers}, false}, {Update{Kind: "other"}, false},
	} {
		if got := c.Takes(&call.u); got != call.want {
			t.Errorf("takes %+v: %v", call.u, got)
		}
	}
}

// What is kept of a reservation comes back as it was.
func TestReservationIsKept(t *testing.T) {
	t.Parallel()
	want := Reservation{ID: "R1", Sequence: 7, UpdatedAt: time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC), Duration: 90*time.Minute + time.Second, Status: Seated,
		Tables: []string{"7A"}, Guest: Guest{FirstName: "Zoé", Allergens: []string{"lait"}}, Deposits: []Deposit{{ID: "d", Amount: "100.00"}}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Reservation
	if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s came back as %+v, %v", b, got, err)
	}
}
