package order

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// register is a POS that writes down what it is asked, within the transaction.
type register struct {
	put, withdrawn []journal.ID
	under, takes   bool
}

func (r *register) Put(tx *journal.Tx, o sale.Placed) error { r.put = append(r.put, o.ID); return nil }
func (r *register) Change(tx *journal.Tx, o sale.Placed) (bool, error) {
	return r.takes, nil
}
func (r *register) Withdraw(tx *journal.Tx, id journal.ID) (bool, error) {
	r.withdrawn = append(r.withdrawn, id)
	return r.under, nil
}

// newCounter is a desk with a POS of its own.
func newCounter(t *testing.T) (*desk, *register) {
	d := newDesk(t)
	r := &register{}
	d.config.POS = r
	d.restart()
	return d, r
}

func (d *desk) wish(o *sale.Order, w Wish) Receipt {
	d.t.Helper()
	r, _, err := d.orders.PlaceAs(d.t.Context(), otter, "", o, d.now(), w)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *desk) within(f func(*journal.Tx) error) {
	d.t.Helper()
	if err := d.journal.Write(d.t.Context(), f); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) handed(id journal.ID, h Handed) {
	d.t.Helper()
	d.within(func(tx *journal.Tx) error { return d.orders.Injected(tx, id, h) })
}

func (d *desk) get(id journal.ID) View {
	d.t.Helper()
	v, err := d.orders.Get(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func (d *desk) stands(id journal.ID, state, inPOS, injection string) View {
	d.t.Helper()
	v := d.get(id)
	if v.State != state || v.InPOS != inPOS || v.Injection.State != injection {
		d.t.Errorf("order stands %s %q %q, want %s %q %q", v.State, v.InPOS, v.Injection.State, state, inPOS, injection)
	}
	return v
}

// An order's way into the POS: it waits, fails, is tried again, and is in; what is in never falls back.
func TestIntoThePOS(t *testing.T) {
	t.Parallel()
	d, r := newCounter(t)
	id := d.place(order("1")).ID
	d.stands(id, Accepted, Pending, "queued")
	if !slices.Equal(r.put, []journal.ID{id}) {
		t.Errorf("the POS got %v", r.put)
	}
	next := d.now().Add(2 * time.Second)
	d.handed(id, Handed{InPOS: Pending, Cause: "INTEGRATION_ERROR", Detail: "refused", Attempts: 2, NextAt: next})
	if v := d.stands(id, Accepted, Pending, "failing"); v.Injection.Attempts != 2 || !v.Injection.NextAt.Equal(next) || v.Injection.Cause != "INTEGRATION_ERROR" {
		t.Errorf("injection %+v", v.Injection)
	}
	total := int64(990)
	d.handed(id, Handed{InPOS: Yes, Attempts: 3, ID: "K-1", Total: &total})
	if v := d.stands(id, Accepted, Yes, "done"); v.Injection.POSID != "K-1" || *v.Injection.POSTotal != 990 {
		t.Errorf("injection %+v", v.Injection)
	}
	for _, late := range []Handed{{InPOS: No, Cause: "late"}, {InPOS: Pending, Cause: "late"}} {
		d.handed(id, late)
		d.stands(id, Accepted, Yes, "done")
	}
	if _, err := d.orders.Retry(t.Context(), till, "", id); !errors.Is(err, ErrTooLate) {
		t.Errorf("retry of what is in: %v", err)
	}
	if _, err := d.orders.AddedManually(t.Context(), till, "", id); !errors.Is(err, ErrTooLate) {
		t.Errorf("adding what is in: %v", err)
	}
	d.wants("plan #1 2026-11-21")
}

// An order that did not get in is marked, can be tried again, and when a person typed it in, stays so (scenario 11).
func TestNotInThePOS(t *testing.T) {
	t.Parallel()
	d, r := newCounter(t)
	var alarms []string
	d.config.Alarm = func(o sale.Placed, cause string) { alarms = append(alarms, fmt.Sprintf("#%d %s", o.Number, cause)) }
	d.restart()
	id := d.place(order("1")).ID
	d.handed(id, Handed{InPOS: No, Cause: "ITEM_MAPPING_FAILED", Detail: "Steak", Attempts: 1})
	d.stands(id, Accepted, No, "failed")
	if list, _, err := d.orders.List(t.Context(), Filter{InPOS: []string{No}}); err != nil || len(list) != 1 {
		t.Errorf("missing in the POS: %v %v", list, err)
	}
	if _, err := d.orders.Retry(t.Context(), till, "k", id); err != nil {
		t.Fatal(err)
	}
	if _, err := d.orders.Retry(t.Context(), till, "k", id); err != nil { // the same press
		t.Fatal(err)
	}
	d.stands(id, Accepted, Pending, "queued")
	if len(r.put) != 2 {
		t.Errorf("the POS got it %d times", len(r.put))
	}
	d.handed(id, Handed{InPOS: No, Cause: "INTEGRATION_ERROR"})
	for range 2 {
		if _, err := d.orders.AddedManually(t.Context(), till, "", id); err != nil {
			t.Fatal(err)
		}
	}
	d.stands(id, Accepted, Manual, "manual")
	d.handed(id, Handed{InPOS: No, Cause: "late"})
	d.stands(id, Accepted, Manual, "manual")
	d.handed(id, Handed{InPOS: Yes, ID: "K-7"})
	if v := d.stands(id, Accepted, Manual, "manual"); v.Injection.Cause != PossibleDuplicate || v.Injection.POSID != "K-7" {
		t.Errorf("a possible duplicate shows as %+v", v.Injection)
	}
	if _, err := d.orders.Retry(t.Context(), till, "", id); !errors.Is(err, ErrTooLate) {
		t.Errorf("retry of what a person typed in: %v", err)
	}
	if want := []journal.ID{id}; !slices.Equal(r.withdrawn, want) {
		t.Errorf("withdrawn %v, want %v", r.withdrawn, want)
	}
	d.wants("plan #1 2026-11-21", "not in pos #1 true", "not in pos #1 false", "not in pos #1 true", "not in pos #1 false")
	if want := []string{"#1 ITEM_MAPPING_FAILED", "#1 ", "#1 INTEGRATION_ERROR", "#1 "}; !slices.Equal(alarms, want) {
		t.Errorf("alarms %q, want %q", alarms, want)
	}
}

// What the POS must not get is on the kitchen's paper all the same, and a restart warns of it again.
func TestRefusedBeforeTheCommit(t *testing.T) {
	t.Parallel()
	d := newDesk(t) // the built-in POS
	id := d.wish(order("1"), Wish{Refusal: &Refusal{Cause: ItemMappingFailed, Names: []string{"Steak", "Sauce"}}}).ID
	if v := d.stands(id, Accepted, No, "failed"); v.Injection.Cause != ItemMappingFailed || v.Injection.Detail != "Steak, Sauce" {
		t.Errorf("injection %+v", v.Injection)
	}
	d.wants("plan #1 2026-11-21", "not in pos #1 true")
	var alarms []string
	d.config.Alarm = func(o sale.Placed, cause string) { alarms = append(alarms, cause) }
	still := true
	d.config.Refuse = func(tx *journal.Tx, o sale.Placed) (*Refusal, error) {
		if still {
			return &Refusal{Cause: ItemMappingFailed, Names: []string{"Sauce"}}, nil
		}
		return nil, nil
	}
	d.restart()
	if err := d.orders.alarmAll(t.Context()); err != nil || !slices.Equal(alarms, []string{ItemMappingFailed}) {
		t.Errorf("alarms %q, %v", alarms, err)
	}
	if v, err := d.orders.Retry(t.Context(), till, "", id); err != nil || v.InPOS != No || v.Injection.Detail != "Sauce" {
		t.Errorf("retry while a link is missing: %+v, %v", v.Injection, err)
	}
	still = false
	if v, err := d.orders.Retry(t.Context(), till, "", id); err != nil || v.InPOS != Yes {
		t.Errorf("retry: %+v, %v", v.Injection, err)
	}
}

func TestCancelAndVoid(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		before  func(d *desk, r *register, id journal.ID)
		inPOS   string
		pending bool
	}{
		{"before the POS had it", func(*desk, *register, journal.ID) {}, NotYet, false},
		{"after it failed", func(d *desk, r *register, id journal.ID) { d.handed(id, Handed{InPOS: No, Cause: "x"}) }, NotYet, false},
		{"after the POS had it", func(d *desk, r *register, id journal.ID) { d.handed(id, Handed{InPOS: Yes}) }, Yes, true},
		{"after somebody typed it in", func(d *desk, r *register, id journal.ID) {
			if _, err := d.orders.AddedManually(d.t.Context(), till, "", id); err != nil {
				d.t.Fatal(err)
			}
		}, Manual, true},
		{"while a call is under way", func(d *desk, r *register, id journal.ID) { r.under = true }, Pending, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, r := newCounter(t)
			id := d.place(order("1")).ID
			c.before(d, r, id)
			for range 2 { // once
				if _, err := d.orders.Cancel(t.Context(), till, "", "REASON_OTHER", id); err != nil {
					t.Fatal(err)
				}
			}
			v := d.get(id)
			if v.State != Cancelled || v.InPOS != c.inPOS || v.VoidPending != c.pending {
				t.Fatalf("stands %s %q void pending %t", v.State, v.InPOS, v.VoidPending)
			}
			if c.inPOS == Pending { // the call that was under way came through
				d.handed(id, Handed{InPOS: Yes, ID: "K-9"})
				if v := d.stands(id, Cancelled, Yes, "done"); !v.VoidPending {
					t.Error("nobody has to void what came after the cancellation")
				}
			}
			if v := d.get(id); v.VoidPending {
				if list, _, err := d.orders.List(t.Context(), Filter{Void: true}); err != nil || len(list) != 1 {
					t.Errorf("to be voided: %d, %v", len(list), err)
				}
			}
			for range 2 {
				if v, err := d.orders.VoidDone(t.Context(), till, "", id); err != nil || v.VoidPending {
					t.Errorf("voided: %t, %v", v.VoidPending, err)
				}
			}
		})
	}
	d, r := newCounter(t)
	r.under = true
	id := d.place(order("2")).ID
	if _, err := d.orders.VoidDone(t.Context(), till, "", id); !errors.Is(err, ErrTooLate) {
		t.Errorf("void of an order that is wanted: %v", err)
	}
	if _, err := d.orders.Cancel(t.Context(), till, "", "", id); err != nil {
		t.Fatal(err)
	}
	d.handed(id, Handed{InPOS: No, Cause: "x"})
	d.stands(id, Cancelled, NotYet, "failed")
}

func TestAcceptAndReject(t *testing.T) {
	t.Parallel()
	d, r := newCounter(t)
	var steps []string
	d.config.Follow = func(tx *journal.Tx, s Step) error {
		steps = append(steps, fmt.Sprintf("%s %s>%s %s", s.Event, s.From, s.State, s.InPOS))
		return nil
	}
	d.restart()
	soon := d.wish(order("1"), Wish{Hold: true})
	late := d.wish(at(order("2"), d.now().Add(2*time.Hour)), Wish{Hold: true})
	no := d.wish(order("3"), Wish{Hold: true})
	slow := d.wish(order("4"), Wish{Hold: true})
	if soon.State != WaitingAccept || soon.InPOS != NotYet || len(r.put) != 0 {
		t.Fatalf("receipt %+v", soon)
	}
	for range 2 {
		if v, err := d.orders.Accept(t.Context(), till, "", soon.ID); err != nil || v.State != Accepted || v.InPOS != Pending {
			t.Errorf("accepted: %+v %v", v.Receipt, err)
		}
	}
	v, err := d.orders.Accept(t.Context(), till, "", late.ID)
	if err != nil || v.State != Scheduled || !v.ShowAt.Equal(v.ReadyAt.Add(-time.Hour)) || !v.ReleaseAt.Equal(v.ReadyAt.Add(-30*time.Minute)) {
		t.Errorf("accepted for later: %+v %v %v, %v", v.Receipt, v.ShowAt, v.ReleaseAt, err)
	}
	for range 2 {
		if v, err := d.orders.Reject(t.Context(), till, "", "RESTAURANT_TOO_BUSY", no.ID); err != nil || v.State != Rejected {
			t.Errorf("rejected: %+v %v", v.Receipt, err)
		}
	}
	for _, err := range []error{second(d.orders.Accept(t.Context(), till, "", no.ID)), second(d.orders.Reject(t.Context(), till, "", "", soon.ID))} {
		if !errors.Is(err, ErrTooLate) {
			t.Errorf("what is decided was decided again: %v", err)
		}
	}
	for range 2 {
		d.within(func(tx *journal.Tx) error { return d.orders.Expire(tx, slow.ID, "UNACCEPTED_ORDER") })
		d.within(func(tx *journal.Tx) error { return d.orders.Expire(tx, soon.ID, "UNACCEPTED_ORDER") })
	}
	d.stands(slow.ID, Rejected, NotYet, "")
	d.stands(soon.ID, Accepted, Pending, "queued")
	want := []string{"accepted waiting_accept>accepted pending", "accepted waiting_accept>scheduled ", "rejected waiting_accept>rejected ", "rejected waiting_accept>rejected "}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
}

func second(_ View, err error) error { return err }

// An order that was cancelled before it came never reaches kitchen or POS (scenario 5).
func TestCancelledBeforeItCame(t *testing.T) {
	t.Parallel()
	d, r := newCounter(t)
	got := d.wish(order("1"), Wish{Cancelled: "CUSTOMER_CALLED_TO_CANCEL"})
	d.stands(got.ID, Cancelled, NotYet, "")
	if len(r.put) != 0 {
		t.Error("the POS got it")
	}
	d.wants()
}

// What is wished along is in the order's own commit or undoes it.
func TestPlaceAsIsOneCommit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	broken := errors.New("no")
	_, _, err := d.orders.PlaceAs(t.Context(), otter, "", order("1"), d.now(), Wish{With: func(*journal.Tx, sale.Placed, string, string) error { return broken }})
	if !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
	d.wants()
	if list, _, err := d.orders.List(t.Context(), Filter{}); err != nil || len(list) != 0 {
		t.Errorf("orders %v, %v", list, err)
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := d.place(order("1")).ID
	later := d.place(at(order("2"), d.now().Add(3*time.Hour))).ID
	held := d.wish(order("3"), Wish{Hold: true}).ID
	for _, c := range []struct {
		id    journal.ID
		state string
		moved bool
		want  string
	}{
		{now, Prepared, true, Prepared}, {now, Accepted, false, Prepared}, {now, Fulfilled, true, Fulfilled}, {now, HandedOff, false, Fulfilled},
		{later, Accepted, false, Scheduled}, {later, HandedOff, true, HandedOff}, {held, Accepted, true, Accepted}, {held, Accepted, false, Accepted},
	} {
		d.within(func(tx *journal.Tx) error {
			moved, err := d.orders.Advance(tx, c.id, c.state, "otter")
			if err == nil && moved != c.moved {
				t.Errorf("%s: moved %t", c.state, moved)
			}
			return err
		})
		if v := d.get(c.id); v.State != c.want {
			t.Errorf("told %s it is %s, want %s", c.state, v.State, c.want)
		}
	}
	if v := d.get(later); v.InPOS != Yes || !slices.ContainsFunc(v.Timeline, func(s trail.Step) bool { return s.Event == "released" }) {
		t.Errorf("what was cooked before its time stands %q", v.InPOS)
	}
	d.within(func(tx *journal.Tx) error { return d.orders.ReleaseNow(tx, later, "otter") })
	next := d.place(at(order("4"), d.now().Add(3*time.Hour))).ID
	for range 2 {
		d.within(func(tx *journal.Tx) error { return d.orders.ReleaseNow(tx, next, "otter") })
	}
	if v := d.get(next); v.State != Accepted {
		t.Errorf("released by its aggregator it is %s", v.State)
	}
	d.wants("plan #1 2026-11-21", "plan #2 2026-11-21", "plan #3 2026-11-21", "plan #4 2026-11-21")
}

func TestChangeInThePOS(t *testing.T) {
	t.Parallel()
	d, r := newCounter(t)
	in, failed := d.place(order("1")).ID, d.place(order("2")).ID
	d.handed(in, Handed{InPOS: Yes})
	d.handed(failed, Handed{InPOS: No, Cause: ItemMappingFailed})
	change := func(id journal.ID, source string) {
		t.Helper()
		o := order(source)
		o.Version, o.Lines[0].Quantity = 2, 3
		if _, err := d.orders.Change(t.Context(), otter, "", id, o); err != nil {
			t.Fatal(err)
		}
	}
	change(in, "1")
	if v := d.stands(in, Accepted, Yes, "done"); !v.Injection.Stale {
		t.Error("nobody is told to change it in the POS")
	}
	change(failed, "2")
	d.stands(failed, Accepted, Pending, "queued")
	if len(r.put) != 3 {
		t.Errorf("the POS got %d", len(r.put))
	}
}

// Releases of a clock that nobody set go by the time that passed, and by the clock again once it is set.
func TestReleasesOfAnUnsetClock(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var passed time.Duration
	set := false
	d.config.Passed, d.config.Set = func() time.Duration { return passed }, func() bool { return set }
	d.restart()
	start := d.now()
	d.place(at(order("1"), start.Add(time.Hour)))
	step := func(wall time.Time, by time.Duration, want ...string) {
		t.Helper()
		d.set(wall)
		passed += by
		d.release()
		d.wants(want...)
	}
	step(start.Add(24*time.Hour), time.Minute)                        // jumps ahead: nobody set it
	step(start.Add(-24*time.Hour), 28*time.Minute)                    // and back: 29 minutes have passed
	step(start.Add(-24*time.Hour), time.Minute, "plan #1 2026-11-21") // 30: half an hour before
	d.set(start.Add(30 * time.Minute))
	d.place(at(order("2"), start.Add(2*time.Hour)))
	set = true
	step(start.Add(89*time.Minute), time.Second)
	step(start.Add(90*time.Minute), time.Second, "plan #2 2026-11-21")
	set = false
	step(start.Add(91*time.Minute), time.Hour)
}

// A pickup at an hour that the clocks skip or have twice is released half an hour of real time before it.
func TestReleasesOverSummerTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	paris := d.config.Calendar.Location
	for i, ready := range []time.Time{
		time.Date(2027, 3, 28, 3, 10, 0, 0, paris),                    // ten minutes after the clocks went from 2:00 to 3:00
		time.Date(2026, 10, 25, 0, 0, 0, 0, paris).Add(3 * time.Hour), // 2:00 for the second time
	} {
		d.set(ready.Add(-5 * time.Hour))
		id := d.place(at(order(fmt.Sprint(i)), ready)).ID
		for _, c := range []struct {
			before time.Duration
			state  string
		}{{31 * time.Minute, Scheduled}, {30 * time.Minute, Accepted}, {29 * time.Minute, Accepted}} {
			d.set(ready.Add(-c.before))
			d.release()
			if v := d.get(id); v.State != c.state {
				t.Errorf("%v before %v it is %s, want %s", c.before, ready, v.State, c.state)
			}
		}
	}
}
