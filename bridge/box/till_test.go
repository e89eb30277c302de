package box

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/reservation"
)

// aTill is a POS that is not ours.
type aTill struct {
	mu      sync.Mutex // guards what follows
	offline bool
	devices []reservation.Device
	staff   []string
	refuse  *reservation.TillError
	lose    bool                           // the next check is opened, and its answer lost
	hang    chan struct{}                  // closed when a check was opened whose answer never comes
	checks  map[string]reservation.Opening // by reference
	opened  map[string]int                 // how often each reference was opened
}

func (a *aTill) Info(context.Context) (reservation.TillInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.offline {
		return reservation.TillInfo{}, errors.New("no route")
	}
	return reservation.TillInfo{Devices: slices.Clone(a.devices), Staff: a.staff}, nil
}

func (a *aTill) Find(_ context.Context, reference string) (reservation.Opened, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.checks[reference]
	return reservation.Opened{ID: reference, Number: 7}, ok, nil
}

func (a *aTill) Open(ctx context.Context, reference string, o reservation.Opening) (reservation.Opened, error) {
	a.mu.Lock()
	if a.refuse != nil {
		defer a.mu.Unlock()
		return reservation.Opened{}, a.refuse
	}
	a.checks[reference] = o
	a.opened[reference]++
	lose, hang := a.lose, a.hang
	a.lose, a.hang = false, nil
	a.mu.Unlock()
	if hang != nil {
		close(hang)
		<-ctx.Done()
		return reservation.Opened{}, ctx.Err()
	}
	if lose {
		return reservation.Opened{}, errors.New("connection reset")
	}
	return reservation.Opened{ID: reference, Number: 7}, nil
}

func (a *aTill) set(change func(*aTill)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

func (a *aTill) check(reference string) (reservation.Opening, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.checks[reference], a.opened[reference]
}

// A till that is not ours: chosen by its devices, waited for while it is away, asked before anything is opened twice. Scenario
// 14 is the last.
func TestTill(t *testing.T) {
	t.Parallel()
	a := &aTill{offline: true, staff: []string{"Manager"}, checks: map[string]reservation.Opening{}, opened: map[string]int{},
		devices: []reservation.Device{{Name: "Bar"}, {Name: "Terrasse", Active: true}, {Name: "Salle", Active: true}}}
	e := newEvening(t, "opentable")
	r := e.only("opentable")
	r.Tills, r.Staff, r.DefaultProfile, r.OrderProfile = []string{"Bar", "Salle"}, "Manager", false, "RES"
	e.change = func(o *Options) { o.till = a }
	e.open()
	e.seat("opentable", "R1", "1")
	if row := e.entry("R1"); row.OrderState != "pending" || row.Problem != "pos_offline" {
		t.Errorf("while the till is away: %+v", row)
	}
	a.set(func(a *aTill) { a.offline = false })
	row := e.state("R1", "open")
	o, _ := a.check(row.ID)
	if o.Till != "Salle" || o.Staff != "Manager" || o.Profile != "RES" || o.Covers != 2 || o.Guest != "Zoé Lambert" || !slices.Equal(o.Tables, []string{"1"}) {
		t.Errorf("opened as %+v", o)
	}
	if c := e.check(row.Checks[0]); c.Till != "Salle" || c.Profile != "RES" {
		t.Errorf("the check is %+v", c)
	}
	// None of the chosen tills is active: nothing is lost. With none chosen, the first active one is taken.
	a.set(func(a *aTill) { a.devices[2].Active = false })
	e.seat("opentable", "R2", "2")
	if row := e.entry("R2"); row.OrderState != "pending" {
		t.Errorf("without an active till: %+v", row)
	}
	e.do(http.MethodPut, "/v1/integrations/opentable", `{"settings":{"tills":[],"order_profile":"","default_profile":true}}`, nil)
	if o, _ := a.check(e.state("R2", "open").ID); o.Till != "Terrasse" || o.Profile != "" {
		t.Errorf("opened as %+v", o)
	}
	// A user whom the till does not know, and what it refuses by itself.
	e.do(http.MethodPut, "/v1/integrations/opentable", `{"settings":{"staff":"Nobody"}}`, nil)
	e.seat("opentable", "R3", "3")
	if row := e.state("R3", "failed"); row.Problem != "staff_unknown" || row.Detail != "Nobody" {
		t.Errorf("an unknown user: %+v", row)
	}
	e.do(http.MethodPut, "/v1/integrations/opentable", `{"settings":{"staff":""}}`, nil)
	a.set(func(a *aTill) {
		a.refuse = &reservation.TillError{Problem: reservation.POSRejected, Detail: "profile RES is not for tables"}
	})
	e.do(http.MethodPost, "/v1/reservations/"+row.ID+"/retry", nil, nil) // R1 has its check: nothing
	e.do(http.MethodPost, "/v1/reservations/"+e.entry("R3").ID+"/retry", nil, nil)
	e.wait("the refusal is shown", func() bool {
		row := e.entry("R3")
		return row.Problem == "pos_rejected" && row.Detail == "profile RES is not for tables"
	})
	// An answer that is lost: the check is found, not opened again.
	a.set(func(a *aTill) { a.refuse, a.lose = nil, true })
	e.do(http.MethodPost, "/v1/reservations/"+e.entry("R3").ID+"/retry", nil, nil)
	if _, n := a.check(e.state("R3", "open").ID); n != 1 {
		t.Errorf("opened %d times", n)
	}
	// The box falls between the till's check and its own: after it rises there is one.
	hang := make(chan struct{})
	a.set(func(a *aTill) { a.hang = hang })
	e.seat("opentable", "R4", "4")
	select {
	case <-hang:
	case <-time.After(time.Minute):
		t.Fatal("the till was not asked")
	}
	e.down()
	e.open()
	row = e.state("R4", "open")
	if _, n := a.check(row.ID); n != 1 || len(row.Checks) != 1 {
		t.Errorf("opened %d times, checks %v", n, row.Checks)
	}
}

// What the till did not open in time is not opened any more, and a person is told.
func TestTillTooLate(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.change = func(o *Options) { o.till, o.patience = &aTill{offline: true}, 200*time.Millisecond }
	e.open()
	e.seat("opentable", "R1", "1")
	if row := e.state("R1", "failed"); row.Problem != "expired" || row.Remedy == "" {
		t.Errorf("the row is %+v", row)
	}
}
