package box

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aboyeur/bridge/expo"
)

// row is as much of the pass as these tests read.
type row struct {
	ID     string
	Number int
	State  string
	Lamps  []struct {
		Station, State string
		Items          int
		Screen         bool
	}
	Allergy []string
}

func (r row) lamps() string {
	var list []string
	for _, l := range r.Lamps {
		list = append(list, l.Station+" "+l.State)
	}
	return strings.Join(list, ", ")
}

// expectRow takes events until one tells of this order.
func (r *rig) expectRow(events <-chan screenEvent, id string, want func(row) bool) row {
	r.t.Helper()
	for {
		var got row
		if err := json.Unmarshal([]byte(r.expect(events, "row").data), &got); err != nil {
			r.t.Fatal(err)
		}
		if got.ID == id && want(got) {
			return got
		}
	}
}

// audited counts the rows of the audit log with this act.
func (r *rig) audited(act string) (n int) {
	r.t.Helper()
	var log struct {
		Entries []struct{ Act, Subject string }
	}
	if status, err := r.call(http.MethodGet, "/v1/audit", nil, &log); err != nil || status != http.StatusOK {
		r.t.Fatalf("audit log: %d %v", status, err)
	}
	for _, e := range log.Entries {
		if e.Act == act {
			n++
		}
	}
	return n
}

// TestExpoFollowsAnOrder: the pass shows an order from its first ticket to its hand-over, and brings it back.
func TestExpoFollowsAnOrder(t *testing.T) {
	r := newRig(t)
	r.start()
	events := r.events("/v1/expo/events", "")
	r.expect(events, "snapshot")

	two := r.place(orderOf(0)) // for the grill and the bar
	if len(two.Tickets) != 2 {
		t.Fatalf("order of %d tickets; the test wants one of two", len(two.Tickets))
	}
	first := r.expectRow(events, two.ID, func(r row) bool { return true })
	if got := first.lamps(); got != "grill new, bar new" || first.Lamps[0].Items == 0 || !first.Lamps[0].Screen {
		t.Errorf("the pass shows %+v", first)
	}
	act := func(path string) (status int) {
		t.Helper()
		status, err := r.call(http.MethodPost, path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}

	// Ready when all stations are.
	grill, bar := two.Tickets[0].ID, two.Tickets[1].ID
	act("/v1/tickets/" + grill + "/bump")
	half := r.expectRow(events, two.ID, func(r row) bool { return r.lamps() == "grill ready, bar new" })
	if half.State != "accepted" {
		t.Errorf("with one station at work the order is %s", half.State)
	}
	if got := act("/v1/orders/" + two.ID + "/handed-over?whole=true"); got != http.StatusConflict {
		t.Errorf("handing over what is still cooked, by a short press = %d, want 409", got)
	}
	act("/v1/tickets/" + bar + "/bump")
	r.expectRow(events, two.ID, func(r row) bool { return r.State == "prepared" && r.lamps() == "grill ready, bar ready" })
	if got := act("/v1/orders/" + two.ID + "/handed-over?whole=true"); got != http.StatusOK {
		t.Errorf("handing over = %d", got)
	}
	if e := r.expect(events, "row-removed"); !strings.Contains(e.data, two.ID) {
		t.Errorf("removed: %s", e.data)
	}
	if got := r.audited("order_handed_over_early"); got != 0 {
		t.Error("a complete hand-over is in the audit log as an early one")
	}

	// Taken back.
	var list struct{ Rows []row }
	if _, err := r.call(http.MethodGet, "/v1/expo/handed-over", nil, &list); err != nil || len(list.Rows) != 1 || list.Rows[0].ID != two.ID {
		t.Fatalf("handed over: %+v, %v", list.Rows, err)
	}
	if got := act("/v1/orders/" + two.ID + "/take-back"); got != http.StatusOK {
		t.Errorf("taking back = %d", got)
	}
	r.expectRow(events, two.ID, func(r row) bool { return r.State == "prepared" && r.lamps() == "grill ready, bar ready" })

	// Handed over while a station is open, and said to be ready by the pass.
	again := orderOf(0)
	again.SourceOrderID += "-2"
	early := r.place(again)
	act("/v1/tickets/" + early.Tickets[1].ID + "/bump")
	if got := act("/v1/orders/" + early.ID + "/handed-over"); got != http.StatusOK || r.audited("order_handed_over_early") != 1 {
		t.Errorf("early hand-over = %d, %d in the audit log; want 200 and 1", got, r.audited("order_handed_over_early"))
	}
	if got := act("/v1/orders/" + early.ID + "/take-back"); got != http.StatusOK {
		t.Errorf("taking it back = %d", got)
	}
	r.expectRow(events, early.ID, func(r row) bool { return r.State == "accepted" && r.lamps() == "grill new, bar ready" })
	if got := act("/v1/orders/" + early.ID + "/ready"); got != http.StatusOK || r.audited("order_ready_early") != 1 {
		t.Errorf("ready by the pass = %d", got)
	}
	r.expectRow(events, early.ID, func(r row) bool { return r.State == "prepared" && r.lamps() == "grill ready, bar ready" })

	// Who comes later, after a restart too, sees the same.
	r.down()
	r.start()
	var s struct{ Rows []row }
	if err := json.Unmarshal([]byte(r.expect(r.events("/v1/expo/events", ""), "snapshot").data), &s); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(s.Rows, func(r row) bool { return r.ID == early.ID && r.State == "prepared" }) || len(s.Rows) > expo.MaxRows {
		t.Errorf("after a restart the pass shows %+v", s.Rows)
	}
	if status, err := r.call(http.MethodPost, "/v1/orders/"+early.ID+"/cancel", nil, nil); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	if _, err := r.call(http.MethodGet, "/v1/expo", nil, &s); err != nil || !slices.ContainsFunc(s.Rows, func(r row) bool { return r.ID == early.ID && r.State == "cancelled" }) {
		t.Errorf("a cancelled order that nobody has seen is not at the pass: %+v", s.Rows)
	}
}
