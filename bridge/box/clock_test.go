package box

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// A board without a battery believes its clock only once a time server holds it: a scheduled order is not released by a
// clock that jumps before that, and at once when the time that came with it says so.
func TestScheduledOrderOfABoxWhoseClockIsSetLater(t *testing.T) {
	r := newRig(t)
	start := time.Now()
	var ahead atomic.Int64 // of the wall clock, ns
	var set atomic.Bool
	r.change = func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		o.ClockSet = set.Load
	}
	r.boot()
	var placed orderView
	body := fmt.Sprintf(`{"source":"s","source_order_id":"late","currency":"EUR","scheduling":"fixed_time","ready_at":%q,"lines":[{"name":"Steak","category":"Grill","quantity":1,"price":100}]}`,
		start.Add(5*time.Hour).UTC().Format(time.RFC3339))
	if status, err := r.call(http.MethodPost, "/v1/orders", body, &placed); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %v", status, err)
	}
	stands := func(when, want string) {
		t.Helper()
		if _, err := r.box.orders.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := r.get(placed.ID); v.State != want {
			t.Errorf("%s it is %s, want %s", when, v.State, want)
		}
	}
	stands("five hours before", "scheduled")
	ahead.Store(int64(5 * time.Hour))
	stands("under a clock that jumped", "scheduled")
	set.Store(true)
	stands("once a time server says so", "accepted")
}
