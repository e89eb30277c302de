package box

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/protocol/booking"
	"aboyeur/simulate/aleno"
	"aboyeur/simulate/bookings"
	"aboyeur/simulate/dinner"
	"aboyeur/simulate/opentable"
	"aboyeur/simulate/resy"
	"aboyeur/simulate/sevenrooms"
	"aboyeur/simulate/thefork"
)

// houseTables is the floor of these tests.
var houseTables = []string{"1", "2", "3", "4", "5", "6", "7", "8", "7A", "T01"}

// evening is a box with simulated platforms, all over real sockets.
type evening struct {
	*rig
	sims map[string]*bookings.Simulator
}

// newEvening configures a box for platforms; start it with open.
func newEvening(t *testing.T, names ...string) *evening {
	t.Helper()
	e := &evening{newRig(t), map[string]*bookings.Simulator{}}
	e.config.Printers, e.config.Stations, e.config.Receipts.Printer = nil, e.config.Stations[1:], ""
	e.config.Stations[0].Printers = nil
	e.config.Floor.Areas = []firmwareconfig.Area{{Name: "Salle", Tables: houseTables}}
	dir := t.TempDir()
	secret, credentials := filepath.Join(dir, "secret"), filepath.Join(dir, "credentials")
	for name, text := range map[string]string{
		secret:      bookings.DefaultHook + "\n",
		credentials: fmt.Sprintf("client_id: %s\nclient_secret: %s\ntoken: %s\n", bookings.DefaultID, bookings.DefaultSecret, bookings.DefaultSecret),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	makers := map[string]func(bookings.Config) (*bookings.Simulator, error){
		"opentable": opentable.New, "sevenrooms": sevenrooms.New, "resy": resy.New, "thefork": thefork.New, "aleno": aleno.New,
	}
	for _, name := range names {
		r := firmwareconfig.Reservations{
			Platform: name, Venue: bookings.DefaultVenue, Enabled: true, CredentialsFile: credentials, WebhookSecretFile: secret,
			OpenChecks: true, WalkIns: true, MultiTable: true, DefaultProfile: true,
			Courses: []firmwareconfig.CourseMap{{Status: "appetizer", Groups: []string{"Starters"}}, {Status: "entree", Groups: []string{"Mains"}}, {Status: "dessert", Groups: []string{"Desserts"}}},
		}
		if make, ok := makers[name]; ok {
			zone, err := time.LoadLocation("Europe/Paris")
			if err != nil {
				t.Fatal(err)
			}
			sim, err := make(bookings.Config{Zone: zone, Echo: true})
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			shut := serving(func(ctx context.Context) error { return sim.Serve(ctx, l) })
			t.Cleanup(func() { sim.Close(); shut() })
			sim.Hook(e.base + "/webhooks/" + name)
			e.sims[name] = sim
			r.BaseURL = "http://" + l.Addr().String()
		}
		e.config.Reservations = append(e.config.Reservations, r)
	}
	return e
}

// open starts the box and waits until it answers.
func (e *evening) open() {
	e.t.Helper()
	e.boot()
	e.wait("the box answers", func() bool {
		status, err := e.call(http.MethodGet, "/readyz", nil, nil)
		return err == nil && status == http.StatusOK
	})
}

// only is the configuration of a platform, to be changed before open.
func (e *evening) only(name string) *firmwareconfig.Reservations {
	for i := range e.config.Reservations {
		if e.config.Reservations[i].Platform == name {
			return &e.config.Reservations[i]
		}
	}
	e.t.Fatalf("no platform %s", name)
	return nil
}

// booked is a reservation as the report has it.
type booked struct {
	ID, Platform, Reservation, Guest, State, Stage, Problem, Detail, Remedy, Origin string
	OrderState                                                                      string `json:"order_state"`
	BusinessDay                                                                     string `json:"business_day"`
	Covers                                                                          int
	WalkIn                                                                          bool `json:"walk_in"`
	Tables, Checks                                                                  []string
	Flags                                                                           []struct{ Code, Remedy string }
	Deposits                                                                        struct{ Paid, Refunded, Applied, Remaining int64 }
	Timeline                                                                        []struct{ Event, By, Detail string }
	Updates                                                                         []booking.Update
}

// billView is a check as the API has it.
type billView struct {
	ID, State, Guest, Notes, Reservation, Till, Staff string
	Number, Total, Balance, Paid                      int64
	Covers                                            int
	Tables                                            []string
	Lines                                             []struct{ N int }
	WalkIn                                            bool   `json:"walk_in"`
	Profile                                           string `json:"order_profile"`
}

// do makes a request that has to succeed.
func (e *evening) do(method, path string, body, into any) {
	e.t.Helper()
	if status, err := e.call(method, path, body, into); err != nil || status >= 300 {
		var why map[string]any
		_, _ = e.call(method, path, body, &why)
		e.t.Fatalf("%s %s %v = %d, %v (again: %v)", method, path, body, status, err, why)
	}
}

// refused makes a request that has to be refused, and gives the problem's code.
func (e *evening) refused(method, path string, body any) (int, string) {
	e.t.Helper()
	var p struct{ Code string }
	status, err := e.call(method, path, body, &p)
	if err != nil || status < 400 {
		e.t.Fatalf("%s %s %v = %d, %v", method, path, body, status, err)
	}
	return status, p.Code
}

// entry is the report's row of a reservation.
func (e *evening) entry(ref string) (found booked) {
	e.t.Helper()
	var list struct{ Reservations []booked }
	e.do(http.MethodGet, "/v1/reservations?q="+ref, nil, &list)
	for _, r := range list.Reservations {
		if r.Reservation == ref {
			e.do(http.MethodGet, "/v1/reservations/"+r.ID, nil, &found)
			return found
		}
	}
	return booked{}
}

// put tells the box through a platform, which has to be answered well.
func (e *evening) put(platform string, r booking.Reservation) {
	e.t.Helper()
	if r.ScheduledAt.IsZero() {
		r.ScheduledAt = time.Now().UTC().Truncate(time.Second)
	}
	if r.Guest.FirstName == "" {
		r.Guest = booking.Guest{ID: "G1", FirstName: "Zoé", LastName: "Lambert"}
	}
	if r.PartySize == 0 {
		r.PartySize = 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.sims[platform].Put(ctx, r); err != nil {
		e.t.Fatalf("%s of %s: %v", r.Status, r.ID, err)
	}
}

func (e *evening) seat(platform, ref string, tables ...string) {
	e.t.Helper()
	e.put(platform, booking.Reservation{ID: ref, Status: booking.Seated, Stage: booking.AtTable, Tables: tables})
}

// state waits until a row has an order state.
func (e *evening) state(ref, want string) booked {
	e.t.Helper()
	var r booked
	e.wait(ref+" is "+want, func() bool { r = e.entry(ref); return r.OrderState == want })
	return r
}

func (e *evening) check(id string) (c billView) {
	e.t.Helper()
	e.do(http.MethodGet, "/v1/checks/"+id, nil, &c)
	return c
}

func (e *evening) openChecks() []billView {
	e.t.Helper()
	var list struct{ Checks []billView }
	e.do(http.MethodGet, "/v1/checks", nil, &list)
	return list.Checks
}

func (e *evening) byHand(tables ...string) (c billView) {
	e.t.Helper()
	e.do(http.MethodPost, "/v1/checks", map[string]any{"tables": tables, "covers": 2}, &c)
	return c
}

func (e *evening) order(check string, groups ...string) (c billView) {
	e.t.Helper()
	lines := []map[string]any{}
	for _, g := range groups {
		lines = append(lines, map[string]any{"name": "A dish", "group": g, "quantity": 1, "price": 2000})
	}
	e.do(http.MethodPost, "/v1/checks/"+check+"/lines", map[string]any{"lines": lines}, &c)
	return c
}

func (e *evening) act(check, what string) (c billView) {
	e.t.Helper()
	e.do(http.MethodPost, "/v1/checks/"+check+"/"+what, nil, &c)
	return c
}

func (e *evening) pay(check string, amount int64) {
	e.t.Helper()
	e.do(http.MethodPost, "/v1/checks/"+check+"/payments", map[string]any{"method": "card", "amount": amount}, nil)
}

// settled waits until nothing waits for a platform.
func (e *evening) settled(platform string) {
	e.t.Helper()
	e.wait("nothing waits for "+platform, func() bool {
		var i struct{ Queue struct{ Waiting int } }
		status, err := e.call(http.MethodGet, "/v1/integrations/"+platform, nil, &i)
		return err == nil && status == http.StatusOK && i.Queue.Waiting == 0
	})
}

// told lists the stages that a platform was told of a reservation.
func (e *evening) told(platform, ref string) []string {
	e.t.Helper()
	e.settled(platform)
	list := []string{}
	for _, d := range e.sims[platform].Ledger() {
		if d.Reservation == ref && d.Stage != "" {
			list = append(list, string(d.Stage))
		}
	}
	return list
}

// Scenarios 1 to 3: copies, and messages out of their order.
func TestSameMessageManyTimes(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable", "generic")
	e.open()
	e.seat("opentable", "R1", "1")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := e.sims["opentable"].Again(ctx, "R1", 50); err != nil {
		t.Errorf("copies: %v", err)
	}
	if list := e.openChecks(); len(list) != 1 {
		t.Errorf("%d checks of 51 messages", len(list))
	}
	if r := e.entry("R1"); r.OrderState != "open" || r.Origin != "auto" || len(r.Checks) != 1 {
		t.Errorf("the row is %+v", r)
	}

	push := func(ref, updated string, sequence int, status, tables string) int {
		body := fmt.Sprintf(`{"utcUpdatedAt":%q,"utcScheduledAt":"2026-11-21T19:00:00","partySize":4,"status":%q,"guest":{"platformGuestId":"G","firstName":"Max"},"tableNumbers":[%s]`, updated, status, tables)
		if sequence > 0 {
			body += fmt.Sprintf(`,"sequenceId":%d`, sequence)
		}
		status2, err := e.call(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/"+ref, body+"}", nil)
		if err != nil {
			t.Fatal(err)
		}
		return status2
	}
	// Sequence 5, then 4: the second is answered well and changes nothing.
	if s := push("R2", "2026-11-21T18:00:00", 5, "SEATED", `"2"`); s != http.StatusAccepted {
		t.Errorf("push = %d", s)
	}
	if s := push("R2", "2026-11-21T18:30:00", 4, "CANCELLED", `"2"`); s != http.StatusAccepted {
		t.Errorf("an older push = %d", s)
	}
	if r := e.entry("R2"); r.State != "seated" || r.OrderState != "open" || r.Covers != 4 {
		t.Errorf("after sequence 5 and 4: %+v", r)
	}
	// Without a sequence the time of the change counts.
	push("R3", "2026-11-21T18:10:00", 0, "SCHEDULED", `"3"`)
	push("R3", "2026-11-21T18:05:00", 0, "SEATED", `"3"`)
	if r := e.entry("R3"); r.State != "scheduled" || r.OrderState != "none" {
		t.Errorf("after an older time: %+v", r)
	}
	for want, body := range map[string]string{
		"utcUpdatedAt": `{"utcScheduledAt":"2026-11-21T19:00:00","partySize":4,"status":"SEATED","guest":{"platformGuestId":"G","firstName":"Max"}}`,
		"status":       `{"utcUpdatedAt":"2026-11-21T18:10:00","utcScheduledAt":"2026-11-21T19:00:00","partySize":4,"status":"EATING","guest":{"platformGuestId":"G","firstName":"Max"}}`,
	} {
		var p struct{ Errors []struct{ Pointer string } }
		s, err := e.call(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/R9", body, &p)
		if err != nil || s != http.StatusUnprocessableEntity || !slices.ContainsFunc(p.Errors, func(f struct{ Pointer string }) bool { return strings.Contains(f.Pointer, want) }) {
			t.Errorf("without %s: %d %v %v", want, s, p, err)
		}
	}
	e.wait("refused messages are listed", func() bool {
		var list struct {
			Rejected []struct{ Reason, Reservation string }
		}
		e.do(http.MethodGet, "/v1/integrations/generic/rejected", nil, &list)
		return len(list.Rejected) == 2 && list.Rejected[0].Reservation == "R9"
	})
	for path, want := range map[string]int{"/v1/platforms/nobody/restaurants/12345/reservations/R1": 404, "/v1/platforms/generic/restaurants/1/reservations/R1": 404} {
		if s, err := e.call(http.MethodPut, path, `{}`, nil); err != nil || s != want {
			t.Errorf("PUT %s = %d %v", path, s, err)
		}
	}
}

// What the kitchen gets for a table stands on its check in the same transaction, so the platform hears of the courses; what the
// order gains and loses later does too.
func TestOrdersOfATableAreTold(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.open()
	e.seat("opentable", "R1", "1")
	e.settled("opentable")
	check := e.entry("R1").Checks[0]
	o := dinner.Order{Source: "till", SourceOrderID: "T1", Service: "dine_in", Table: "1", Currency: "EUR", Lines: []dinner.Line{{SKU: "S", Name: "Soupe", Category: "Starters", Quantity: 2, Price: 850}}}
	id := e.place(o).ID
	e.place(dinner.Order{Source: "till", SourceOrderID: "T2", Service: "pickup", Currency: "EUR", Lines: o.Lines}) // nobody's table
	if got := fmt.Sprint(e.told("opentable", "R1")); got != "[seated appetizer]" {
		t.Errorf("after an order told %s", got)
	}
	again := o
	again.Lines = append(slices.Clone(o.Lines), dinner.Line{SKU: "M", Name: "Magret", Category: "Mains", Quantity: 1, Price: 2490})
	if status, err := e.call(http.MethodPost, "/v1/orders", o, nil); err != nil || status != http.StatusOK { // the same order is the same order
		t.Errorf("the same again: %d %v", status, err)
	}
	var body map[string]any
	text, err := json.Marshal(again)
	if err != nil || json.Unmarshal(text, &body) != nil {
		t.Fatal(err)
	}
	body["version"] = 2
	e.do(http.MethodPut, "/v1/orders/"+id, body, nil)
	if c := e.check(check); c.Total != 2*850+2490 || len(c.Lines) != 2 {
		t.Errorf("the check has %+v", c)
	}
	if got := fmt.Sprint(e.told("opentable", "R1")); got != "[seated appetizer entree]" {
		t.Errorf("after the change told %s", got)
	}
	e.do(http.MethodPost, "/v1/orders/"+id+"/cancel", nil, nil)
	if c := e.check(check); c.Total != 0 {
		t.Errorf("after the order was cancelled the check has %d", c.Total)
	}
	// Nobody had opened a check at 2; somebody who then sits there with another reservation has it as a problem with a number.
	o.SourceOrderID, o.Table = "T3", "2"
	e.place(o)
	if list := e.openChecks(); len(list) != 2 || list[0].Tables[0] != "2" || list[0].Total != 1700 {
		t.Errorf("open are %+v", list)
	}
	o.SourceOrderID, o.Table = "T4", "nowhere"
	v := e.get(e.place(o).ID)
	if text := fmt.Sprint(v.Timeline); len(e.openChecks()) != 2 || !strings.Contains(text, "check_no_table") {
		t.Errorf("a table that the floor has not: %s", text)
	}
}

// Scenarios 4, 5, 6, 8, 19: what goes wrong when a party sits down, and how it is put right.
func TestProblemsAndRemedies(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.only("opentable").WalkIns = false
	e.open()
	// 4: no table, then one.
	e.seat("opentable", "R4")
	if r := e.entry("R4"); r.OrderState != "failed" || r.Problem != "no_table" || r.Remedy == "" {
		t.Errorf("without a table: %+v", r)
	}
	e.seat("opentable", "R4", "4")
	if r := e.entry("R4"); r.OrderState != "open" || r.Problem != "" || len(r.Checks) != 1 {
		t.Errorf("with a table: %+v", r)
	}
	// 5: a name that only resembles one.
	e.seat("opentable", "R5", "7a")
	if r := e.entry("R5"); r.OrderState != "failed" || r.Problem != "invalid_table" || !strings.Contains(r.Detail, `7a`) || !strings.Contains(r.Detail, "7A") {
		t.Errorf("table 7a: %+v", r)
	}
	var audit struct {
		OnlyThere []string `json:"only_there"`
		OnlyHere  []string `json:"only_here"`
		Near      []struct{ Here, There string }
	}
	e.do(http.MethodGet, "/v1/integrations/opentable/audit", nil, &audit)
	if !slices.Contains(audit.OnlyThere, "7a") || len(audit.Near) != 1 || audit.Near[0].Here != "7A" || !slices.Contains(audit.OnlyHere, "T01") {
		t.Errorf("audit %+v", audit)
	}
	// 6: somebody else's check on the table.
	old := e.byHand("6")
	e.seat("opentable", "R6", "6")
	r := e.entry("R6")
	if r.OrderState != "failed" || r.Problem != "table_unavailable" || !strings.Contains(r.Detail, fmt.Sprint(old.Number)) {
		t.Errorf("an occupied table: %+v", r)
	}
	e.act(old.ID, "close")
	e.put("opentable", booking.Reservation{ID: "R6", Status: booking.Arrived, Tables: []string{"6"}})
	e.seat("opentable", "R6", "6")
	if r := e.entry("R6"); r.OrderState != "open" {
		t.Errorf("seated again: %+v", r)
	}
	// 8: two parties at one table; the button opens the second when the first has gone.
	e.seat("opentable", "R8", "8")
	e.seat("opentable", "R8b", "8")
	if r := e.entry("R8b"); r.Problem != "table_unavailable" {
		t.Errorf("the second party: %+v", r)
	}
	if status, code := e.refused(http.MethodPost, "/v1/reservations/"+e.entry("R8b").ID+"/link", map[string]any{"check": e.entry("R8").Checks[0]}); status != 409 || code != "state" {
		t.Errorf("linking another party's check: %d %s", status, code)
	}
	e.act(e.entry("R8").Checks[0], "close")
	e.do(http.MethodPost, "/v1/reservations/"+e.entry("R8b").ID+"/retry", nil, nil)
	if r := e.entry("R8b"); r.OrderState != "open" || e.entry("R8").OrderState != "closed" {
		t.Errorf("after retry: %+v", r)
	}
	// A check that is the party's after all is linked by a person.
	mine := e.byHand("1")
	e.seat("opentable", "R1", "1")
	e.do(http.MethodPost, "/v1/reservations/"+e.entry("R1").ID+"/link", map[string]any{"check": mine.ID}, nil)
	if r := e.entry("R1"); r.OrderState != "open" || r.Origin != "operator" || !slices.Equal(r.Checks, []string{mine.ID}) {
		t.Errorf("linked: %+v", r)
	}
	if c := e.check(mine.ID); c.Reservation != e.entry("R1").ID || c.Guest != "Zoé Lambert" {
		t.Errorf("the linked check: %+v", c)
	}
	// 19: a walk-in while those open nothing.
	e.put("opentable", booking.Reservation{ID: "W1", Status: booking.Seated, Tables: []string{"2"}, WalkIn: true})
	if r := e.entry("W1"); r.OrderState != "failed" || r.Problem != "order_creation_disabled" || r.Detail != "walk-ins excluded" || !r.WalkIn {
		t.Errorf("a walk-in: %+v", r)
	}
	// An assumed state opens nothing.
	e.put("opentable", booking.Reservation{ID: "A1", Status: booking.Seated, Stage: booking.AtTable, Assumed: true, Tables: []string{"3"}})
	if r := e.entry("A1"); r.OrderState != "none" {
		t.Errorf("assumed to be seated: %+v", r)
	}
	// Not seated, no check.
	e.put("opentable", booking.Reservation{ID: "S1", Status: booking.Scheduled, Tables: []string{"5"}})
	if status, code := e.refused(http.MethodPost, "/v1/reservations/"+e.entry("S1").ID+"/retry", nil); status != 409 || code != "not_seated" {
		t.Errorf("retry of one that is not seated: %d %s", status, code)
	}
}

// Scenario 7: the setting is off, staff open the check themselves.
func TestStaffOpenChecksThemselves(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.only("opentable").OpenChecks, e.only("opentable").WalkIns = false, false
	e.open()
	e.seat("opentable", "R1", "1")
	if r := e.entry("R1"); r.OrderState != "failed" || r.Problem != "order_creation_disabled" {
		t.Errorf("the row is %+v", r)
	}
	if list := e.openChecks(); len(list) != 0 {
		t.Errorf("%d checks", len(list))
	}
	after := e.byHand("1")
	if r := e.entry("R1"); r.OrderState != "open" || r.Origin != "manual_match" || !slices.Equal(r.Checks, []string{after.ID}) {
		t.Errorf("a check opened after seating: %+v", r)
	}
	e.order(after.ID, "Mains")
	if got := fmt.Sprint(e.told("opentable", "R1")); !strings.Contains(got, "entree") {
		t.Errorf("told %v", got)
	}
	// Opened before, and found.
	before := e.byHand("2")
	e.seat("opentable", "R2", "2")
	if r := e.entry("R2"); r.OrderState != "open" || !slices.Equal(r.Checks, []string{before.ID}) {
		t.Errorf("a check opened before seating: %+v", r)
	}
	// Two of them are a question.
	e.byHand("3")
	third := e.byHand("3")
	e.seat("opentable", "R3", "3")
	r := e.entry("R3")
	if r.OrderState != "failed" || len(r.Flags) != 1 || r.Flags[0].Code != "two_candidates" || r.Flags[0].Remedy == "" {
		t.Errorf("two candidates: %+v", r)
	}
	e.do(http.MethodPost, "/v1/reservations/"+r.ID+"/link", map[string]any{"check": third.ID}, nil)
	if r := e.entry("R3"); r.OrderState != "open" || r.Origin != "operator" || len(r.Flags) != 0 {
		t.Errorf("chosen: %+v", r)
	}
}

// Scenarios 9 and 10: the stages of an evening, each once, the highest of several, paid only when everything is paid.
func TestStagesAreTold(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable", "thefork", "aleno")
	e.open()
	e.seat("opentable", "R9", "1")
	e.settled("opentable") // of what waits only the newest is told
	c := e.entry("R9").Checks[0]
	for _, group := range []string{"Starters", "Mains", "Starters", "Desserts"} {
		e.order(c, group)
		e.settled("opentable")
	}
	e.act(c, "bill")
	e.settled("opentable")
	e.pay(c, 3000)
	e.settled("opentable")
	if got := e.told("opentable", "R9"); slices.Contains(got, "paid") {
		t.Errorf("told %v of a part payment", got)
	}
	e.pay(c, 5000)
	e.act(c, "close")
	if got := fmt.Sprint(e.told("opentable", "R9")); got != "[seated appetizer entree dessert check_dropped paid]" {
		t.Errorf("told %s", got)
	}
	if r := e.state("R9", "closed"); r.Stage != "paid" {
		t.Errorf("the row is %+v", r)
	}
	e.seat("opentable", "R10", "2")
	e.settled("opentable")
	e.order(e.entry("R10").Checks[0], "Starters", "Mains")
	if got := fmt.Sprint(e.told("opentable", "R10")); got != "[seated entree]" {
		t.Errorf("two courses at once: told %s", got)
	}
	// A platform that takes one total, and one that knows only seated and paid.
	e.put("thefork", booking.Reservation{ID: "0f3f9a70-8f35-4d9b-8a53-0a4dd7a3b001", Status: booking.Arrived, OpenNow: true, Tables: []string{"3"}})
	e.seat("aleno", "A1", "4")
	e.settled("aleno")
	for _, ref := range []string{"0f3f9a70-8f35-4d9b-8a53-0a4dd7a3b001", "A1"} {
		c := e.state(ref, "open").Checks[0]
		e.order(c, "Mains", "Desserts")
		e.pay(c, 4000)
		e.act(c, "close")
	}
	e.settled("thefork")
	ledger := e.sims["thefork"].Ledger()
	if len(ledger) != 1 || ledger[0].Check == nil || ledger[0].Check.Total != 4000 {
		t.Errorf("thefork was told %+v", ledger)
	}
	if got := fmt.Sprint(e.told("aleno", "A1")); got != "[seated paid]" {
		t.Errorf("aleno was told %s", got)
	}
	// What is told of the check adds up: net, tax and service make the total, the tip stands beside it.
	for _, d := range e.sims["opentable"].Ledger() {
		if d.Check != nil && d.Check.Net+d.Check.Tax+d.Check.Service != d.Check.Total {
			t.Errorf("sums of %+v", d.Check)
		}
	}
}

// Scenarios 11 and 12: a check that moves, and one that is split.
func TestMovesAndSplits(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable", "sevenrooms")
	e.open()
	e.seat("sevenrooms", "R11", "1")
	c := e.entry("R11").Checks[0]
	e.do(http.MethodPost, "/v1/checks/"+c+"/move", map[string]any{"tables": []string{"2"}}, nil)
	e.settled("sevenrooms")
	if r, _ := e.sims["sevenrooms"].Reservation("R11"); !slices.Equal(r.Tables, []string{"2"}) {
		t.Errorf("the platform has %v", r.Tables)
	}
	if r := e.entry("R11"); r.OrderState != "open" || !slices.Equal(r.Checks, []string{c}) {
		t.Errorf("after the move: %+v", r)
	}
	// The platform moves the party, and its check goes along.
	e.put("sevenrooms", booking.Reservation{ID: "R11", Status: booking.Seated, Tables: []string{"3"}})
	if got := e.check(c); !slices.Equal(got.Tables, []string{"3"}) {
		t.Errorf("the check stands on %v", got.Tables)
	}
	// More guests than booked.
	e.put("sevenrooms", booking.Reservation{ID: "R11", Status: booking.Seated, Tables: []string{"3"}, PartySize: 5})
	if got := e.check(c); got.Covers != 5 {
		t.Errorf("the check is for %d", got.Covers)
	}

	e.seat("opentable", "R12", "4")
	first := e.entry("R12").Checks[0]
	e.order(first, "Mains", "Mains", "Mains")
	var second, third billView
	e.do(http.MethodPost, "/v1/checks/"+first+"/split", map[string]any{"lines": []int{1}}, &second)
	e.do(http.MethodPost, "/v1/checks/"+first+"/split", map[string]any{"lines": []int{2}}, &third)
	if r := e.entry("R12"); len(r.Checks) != 3 {
		t.Errorf("checks %v", r.Checks)
	}
	for _, c := range []string{second.ID, first} {
		e.pay(c, 2000)
		e.act(c, "close")
	}
	if got := e.told("opentable", "R12"); slices.Contains(got, "paid") {
		t.Errorf("told %v with a check open", got)
	}
	for _, d := range e.sims["opentable"].Ledger() {
		if d.Reservation == "R12" && (d.Kind == booking.KindClosed || d.Check != nil && !d.Check.ClosedAt.IsZero()) {
			t.Errorf("told a closed bill with a check open: %s %+v", d.Kind, d.Check)
		}
	}
	if r := e.entry("R12"); r.OrderState != "open" {
		t.Errorf("the row is %+v", r)
	}
	e.pay(third.ID, 2000)
	e.act(third.ID, "close")
	if got := fmt.Sprint(e.told("opentable", "R12")); got != "[seated entree paid]" {
		t.Errorf("told %s", got)
	}
	var total int64
	for _, d := range e.sims["opentable"].Ledger() {
		if d.Reservation == "R12" && d.Stage == booking.Paid && d.Check != nil {
			total = d.Check.Total
		}
	}
	if total != 6000 {
		t.Errorf("the total told is %d", total)
	}
	// Merged into another party's check, the first party is paid when that is.
	e.seat("opentable", "M1", "5")
	e.seat("opentable", "M2", "6")
	one, two := e.entry("M1").Checks[0], e.entry("M2").Checks[0]
	e.order(one, "Mains")
	e.do(http.MethodPost, "/v1/checks/"+one+"/merge", map[string]any{"into": two}, nil)
	e.pay(two, 2000)
	e.act(two, "close")
	for _, ref := range []string{"M1", "M2"} {
		if got := e.told("opentable", ref); got[len(got)-1] != "paid" || e.state(ref, "closed").Problem != "" {
			t.Errorf("%s was told %v", ref, got)
		}
	}
}

// Scenario 13: after an outage only the newest stage and the final totals go, in order.
func TestPlatformDown(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.open()
	e.seat("opentable", "R13", "1")
	c := e.entry("R13").Checks[0]
	e.settled("opentable")
	if err := e.sims["opentable"].Faults(bookings.Faults{Down: true}); err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{"Starters", "Mains", "Desserts"} {
		e.order(c, group)
	}
	e.act(c, "bill")
	e.pay(c, 6000)
	e.act(c, "close")
	e.wait("it is known that the platform is down", func() bool {
		var i struct {
			Queue struct {
				LastError string `json:"last_error"`
			}
		}
		e.do(http.MethodGet, "/v1/integrations/opentable", nil, &i)
		return i.Queue.LastError != ""
	})
	if err := e.sims["opentable"].Faults(bookings.Faults{}); err != nil {
		t.Fatal(err)
	}
	got := e.told("opentable", "R13")
	if got[len(got)-1] != "paid" || len(got) > 3 || slices.Contains(got, "appetizer") && slices.Contains(got, "dessert") {
		t.Errorf("told %v", got)
	}
	ledger := e.sims["opentable"].Ledger()
	if last := ledger[len(ledger)-1]; last.Check == nil || last.Check.Total != 6000 || last.Check.Due != 0 {
		t.Errorf("the last is %+v", last)
	}
}

// Scenario 15: disabled in the middle of traffic nothing leaves; enabled again, everything that was set up is there.
func TestDisable(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.open()
	e.seat("opentable", "R15", "1")
	c := e.entry("R15").Checks[0]
	var was, now struct {
		State    string
		Revision int64
		Settings map[string]any
	}
	e.do(http.MethodPut, "/v1/integrations/opentable", `{"settings":{"staff":"Manager","courses":[{"status":"entree","groups":["Mains",{"category":"Menu","value":"Grill"}]}]}}`, &was)
	if was.Revision != 1 || was.Settings["staff"] != "Manager" || was.Settings["open_checks"] != true {
		t.Fatalf("settings %+v", was)
	}
	if status, code := e.refused(http.MethodPut, "/v1/integrations/opentable", `{"settings":{"staff":"X"},"revision":0}`); status != 409 || code != "revision" {
		t.Errorf("from an old revision: %d %s", status, code)
	}
	for want, body := range map[string]string{
		"/settings/walk_ins":          `{"settings":{"open_checks":false,"walk_ins":true}}`,
		"/settings/courses/1/groups/": `{"settings":{"courses":[{"status":"entree","groups":["Mains"]},{"status":"dessert","groups":["Mains"]}]}}`,
		"/settings/order_profile":     `{"settings":{"default_profile":true,"order_profile":"RES"}}`,
	} {
		var p struct{ Errors []struct{ Pointer string } }
		if status, err := e.call(http.MethodPut, "/v1/integrations/opentable", body, &p); err != nil || status != 422 || !strings.HasPrefix(p.Errors[0].Pointer, want) {
			t.Errorf("%s: %d %+v %v", body, status, p, err)
		}
	}
	e.settled("opentable")
	// The platform is slow to answer, so that a call is under way when the link is switched off.
	if err := e.sims["opentable"].Faults(bookings.Faults{Rates: map[bookings.Kind]float64{bookings.Timeout: 1}, Ops: []string{"ticket", "status"}, TimeoutBy: bookings.Duration(3 * time.Minute)}); err != nil {
		t.Fatal(err)
	}
	e.order(c, "Mains")
	before := time.Now()
	e.do(http.MethodPost, "/v1/integrations/opentable/disable", nil, &now)
	if took := time.Since(before); took > 2*time.Minute {
		t.Errorf("disabling took %v", took)
	}
	if now.State != "disabling" && now.State != "inactive" {
		t.Errorf("state %s", now.State)
	}
	if err := e.sims["opentable"].Faults(bookings.Faults{}); err != nil {
		t.Fatal(err)
	}
	e.wait("the platform was told", func() bool {
		e.do(http.MethodGet, "/v1/integrations/opentable", nil, &now)
		return now.State == "inactive" && !e.sims["opentable"].Linked()
	})
	told := len(e.sims["opentable"].Ledger())
	e.order(c, "Desserts")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := e.sims["opentable"].Put(ctx, booking.Reservation{ID: "R16", Status: booking.Seated, Tables: []string{"2"}, PartySize: 2, ScheduledAt: time.Now(), Guest: booking.Guest{ID: "G", FirstName: "A"}}); err == nil {
		t.Error("a message was taken while the link was off")
	}
	if got := len(e.sims["opentable"].Ledger()); got != told || e.entry("R16").ID != "" {
		t.Errorf("%d updates while the link was off", got-told)
	}
	e.do(http.MethodPost, "/v1/integrations/opentable/activate", nil, &now)
	if now.State != "active" || now.Revision != was.Revision || fmt.Sprint(now.Settings) != fmt.Sprint(was.Settings) {
		t.Errorf("enabled again: %+v, was %+v", now, was)
	}
	// Linking it once more is no second link, and no second row of the audit log.
	e.do(http.MethodPost, "/v1/integrations/opentable/activate", nil, &now)
	var log struct {
		Entries []struct{ By, Act, Subject string }
	}
	e.do(http.MethodGet, "/v1/audit?limit=100", nil, &log)
	rows := map[string]int{}
	for _, entry := range log.Entries {
		if entry.Subject == "opentable" && entry.By != "" {
			rows[entry.Act]++
		}
	}
	if now.State != "active" || rows["integration_activate"] != 1 || rows["integration_disable"] != 1 {
		t.Errorf("linked twice: %s, audit %v", now.State, rows)
	}
	var links struct{ Integrations []struct{ Platform string } }
	if e.do(http.MethodGet, "/v1/integrations", nil, &links); len(links.Integrations) != 1 {
		t.Errorf("links %+v", links)
	}
	// The table's status is what it is on the floor, without a stage told twice.
	e.wait("the platform knows the stage", func() bool { got := e.told("opentable", "R15"); return got[len(got)-1] == "entree" })
	e.wait("what was missed was read", func() bool { return e.entry("R16").OrderState == "open" })
}

// Scenario 16: deposits pay what is due and no more.
func TestDeposit(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "generic")
	e.open()
	push := func(minute int, deposit string) (status int) {
		body := fmt.Sprintf(`{"utcUpdatedAt":"2026-11-21T18:%02d:00","utcScheduledAt":"2026-11-21T19:00:00","partySize":4,"status":"SEATED","guest":{"platformGuestId":"G","firstName":"Max"},"tableNumbers":["1"],
			"liability":{"currency":"EUR","deposits":[%s],"refunds":[{"amount":"30.00","platformRefundId":"F1","utcCreatedAt":"2026-11-20T18:00:00"}]}}`, minute, deposit)
		status, err := e.call(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/R16", body, nil)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if s := push(0, `{"amount":"100.00","platformDepositId":"D1"}`); s != http.StatusAccepted {
		t.Fatalf("push = %d", s)
	}
	for _, deposit := range []string{`{"amount":"90.00","platformDepositId":"D1"}`, `{"amount":"1.00","platformDepositId":"D2"},{"amount":"1.00","platformDepositId":"D2"}`, `{"amount":"1,00","platformDepositId":"D2"}`} {
		if s := push(1, deposit); s != http.StatusUnprocessableEntity {
			t.Errorf("deposits %s = %d", deposit, s)
		}
	}
	row := e.entry("R16")
	if row.Deposits.Remaining != 7000 {
		t.Fatalf("deposits %+v", row.Deposits)
	}
	c := row.Checks[0]
	if status, code := e.refused(http.MethodPost, "/v1/reservations/"+row.ID+"/deposit", nil); status != 409 || code != "deposit" {
		t.Errorf("nothing due: %d %s", status, code)
	}
	e.order(c, "Mains", "Mains", "Mains")
	for range 2 { // a repeat under the same key is the same payment
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/v1/reservations/"+row.ID+"/deposit", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+e.token)
		q.Header.Set("Idempotency-Key", "pay")
		a, err := http.DefaultClient.Do(q)
		cancel()
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("deposit: %v %v", a, err)
		}
		a.Body.Close()
	}
	if got := e.entry("R16").Deposits; got.Applied != 6000 || got.Remaining != 1000 {
		t.Errorf("deposits %+v", got)
	}
	if got := e.check(c); got.Balance != 0 || got.Paid != 6000 {
		t.Errorf("the check %+v", got)
	}
	e.order(c, "Mains")
	if status, code := e.refused(http.MethodPost, "/v1/checks/"+c+"/payments", map[string]any{"method": "deposit", "amount": 1500}); status != 409 || code != "deposit" {
		t.Errorf("more than is left: %d %s", status, code)
	}
	// A deposit that is voided afterwards is shown, and nothing is reversed.
	if s := push(2, `{"amount":"100.00","platformDepositId":"D1","voided":true,"utcVoidedAt":"2026-11-21T18:00:00"}`); s != http.StatusAccepted {
		t.Errorf("void = %d", s)
	}
	if s := push(3, `{"amount":"100.00","platformDepositId":"D1"}`); s != http.StatusUnprocessableEntity {
		t.Errorf("taking a void back = %d", s)
	}
	if row := e.entry("R16"); len(row.Flags) != 1 || row.Flags[0].Code != "deposit_voided" || row.Deposits.Remaining != 0 || row.Deposits.Applied != 6000 {
		t.Errorf("after the void: %+v", row)
	}
}

// Scenario 17: TheFork calls again with more guests and another wish.
func TestOpenCallAgain(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "thefork")
	e.open()
	r := booking.Reservation{
		ID: "0f3f9a70-8f35-4d9b-8a53-0a4dd7a3b001", Status: booking.Arrived, OpenNow: true, Tables: []string{"1"}, PartySize: 2,
		Guest: booking.Guest{ID: "0f3f9a70-8f35-4d9b-8a53-0a4dd7a3b002", FirstName: "Ana", LastName: "Silva"},
	}
	e.put("thefork", r)
	c := e.entry(r.ID).Checks
	if len(c) != 1 {
		t.Fatalf("the row is %+v", e.entry(r.ID))
	}
	r.PartySize, r.Guest.Allergens = 4, []string{"gluten"}
	e.put("thefork", r)
	if row := e.entry(r.ID); !slices.Equal(row.Checks, c) || row.Covers != 4 {
		t.Errorf("after the second call: %+v", row)
	}
	if got := e.check(c[0]); got.Covers != 4 || !strings.HasPrefix(got.Notes, "ALLERGIES: gluten") {
		t.Errorf("the check: %+v", got)
	}
	if list := e.openChecks(); len(list) != 1 {
		t.Errorf("%d checks", len(list))
	}
}

// Scenario 18, and unseating: the check is kept, and somebody is told to look.
func TestCancelledWhileOpen(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.open()
	e.seat("opentable", "R18", "1")
	c := e.entry("R18").Checks[0]
	e.order(c, "Mains")
	e.settled("opentable")
	e.put("opentable", booking.Reservation{ID: "R18", Status: booking.Cancelled, Tables: []string{"1"}})
	if r := e.entry("R18"); r.State != "cancelled" || r.OrderState != "open" || len(r.Flags) != 1 || r.Flags[0].Code != "cancelled_open" {
		t.Errorf("cancelled: %+v", r)
	}
	if got := e.check(c); got.State != "open" || got.Total != 2000 {
		t.Errorf("its check: %+v", got)
	}
	e.pay(c, 2000)
	e.act(c, "close")
	if r := e.state("R18", "closed"); len(r.Flags) != 0 {
		t.Errorf("closed: %+v", r)
	}
	if got := e.told("opentable", "R18"); slices.Contains(got, "paid") {
		t.Errorf("a cancelled party was told %v", got)
	}
	for ref, dish := range map[string]bool{"U1": false, "U2": true} {
		table := map[string]string{"U1": "2", "U2": "3"}[ref]
		e.seat("opentable", ref, table)
		c := e.entry(ref).Checks[0]
		if dish {
			e.order(c, "Mains")
		}
		e.settled("opentable")
		e.put("opentable", booking.Reservation{ID: ref, Status: booking.Arrived, Tables: []string{table}})
		want := map[bool]string{false: "remove_check", true: "unseated"}[dish]
		if r := e.entry(ref); r.OrderState != "open" || len(r.Flags) != 1 || r.Flags[0].Code != want {
			t.Errorf("unseated %s: %+v", ref, r)
		}
		e.seat("opentable", ref, table)
		if r := e.entry(ref); len(r.Flags) != 0 || !slices.Equal(r.Checks, []string{c}) {
			t.Errorf("seated again %s: %+v", ref, r)
		}
	}
	e.put("opentable", booking.Reservation{ID: "U2", Status: booking.Departed, Tables: []string{"3"}})
	if r := e.entry("U2"); r.OrderState != "closed" || e.check(r.Checks[0]).State != "open" {
		t.Errorf("departed: %+v", r)
	}
}

// Scenario 20: the list is of business days in the venue's zone, on the night the clocks change too.
func TestClockChangeNight(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "generic")
	e.open()
	for ref, at := range map[string]string{
		"before": "2026-10-24T19:00:00", // 21:00 in summer time
		"night":  "2026-10-25T01:30:00", // 02:30, the second time
		"late":   "2026-10-25T04:29:00", // 05:29 in winter time
		"after":  "2026-10-25T04:30:00", // 05:30
	} {
		e.do(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/"+ref,
			fmt.Sprintf(`{"utcUpdatedAt":"2026-10-20T10:00:00","utcScheduledAt":%q,"partySize":2,"status":"SCHEDULED","guest":{"platformGuestId":"G","firstName":"Max"}}`, at), nil)
	}
	for day, want := range map[string]string{"2026-10-24": "before night late", "2026-10-25": "after"} {
		var list struct{ Reservations []booked }
		e.do(http.MethodGet, "/v1/reservations?from="+day+"&to="+day, nil, &list)
		var got []string
		for _, r := range list.Reservations {
			got = append(got, r.Reservation)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has %v, want %s", day, got, want)
		}
	}
}

// What staff do at the till to a reservation, and what a platform does not let them do.
func TestReservationsAtTheTill(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable", "thefork")
	e.open()
	e.put("opentable", booking.Reservation{ID: "R1", Status: booking.Scheduled, Tables: []string{"1"}})
	at := "/v1/reservations/" + e.entry("R1").ID
	if status, _ := e.refused(http.MethodPost, at+"/assign", map[string]any{"tables": []string{"99"}}); status != 422 {
		t.Errorf("an unknown table: %d", status)
	}
	e.do(http.MethodPost, at+"/assign", map[string]any{"tables": []string{"2"}}, nil)
	e.do(http.MethodPost, at+"/covers", map[string]any{"covers": 3}, nil)
	e.do(http.MethodPost, at+"/seat", nil, nil)
	r := e.entry("R1")
	if r.State != "seated" || r.OrderState != "open" || r.Covers != 3 || !slices.Equal(e.check(r.Checks[0]).Tables, []string{"2"}) {
		t.Errorf("seated at the till: %+v", r)
	}
	e.settled("opentable")
	if theirs, _ := e.sims["opentable"].Reservation("R1"); theirs.Status != booking.Seated || theirs.PartySize != 3 || !slices.Equal(theirs.Tables, []string{"2"}) {
		t.Errorf("the platform has %+v", theirs)
	}
	e.do(http.MethodPost, at+"/assign", map[string]any{"tables": []string{"3"}}, nil)
	if c := e.check(r.Checks[0]); !slices.Equal(c.Tables, []string{"3"}) {
		t.Errorf("the check stands on %v", c.Tables)
	}
	e.put("opentable", booking.Reservation{ID: "R2", Status: booking.Scheduled, Tables: []string{"1"}})
	e.do(http.MethodPost, "/v1/reservations/"+e.entry("R2").ID+"/no-show", nil, nil)
	e.settled("opentable")
	if theirs, _ := e.sims["opentable"].Reservation("R2"); theirs.Status != booking.NoShow || e.entry("R2").State != "no_show" {
		t.Errorf("no-show: %+v", theirs)
	}
	id := "0f3f9a70-8f35-4d9b-8a53-0a4dd7a3b001"
	e.put("thefork", booking.Reservation{ID: id, Status: booking.Arrived, OpenNow: true, Tables: []string{"5"}})
	if status, code := e.refused(http.MethodPost, "/v1/reservations/"+e.entry(id).ID+"/cancel", nil); status != 409 || code != "not_supported" {
		t.Errorf("cancelling at a platform that does not let us: %d %s", status, code)
	}
}

// Several tables on one check or on the first alone, walk-ins, reading a platform on demand.
func TestChecksBySettings(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable", "sevenrooms")
	e.only("sevenrooms").MultiTable = false
	e.open()
	e.seat("opentable", "M1", "1", "2")
	row := e.entry("M1")
	if c := e.check(row.Checks[0]); !slices.Equal(c.Tables, []string{"1", "2"}) {
		t.Errorf("the check stands on %v", c.Tables)
	}
	e.seat("sevenrooms", "M2", "3", "4")
	row = e.entry("M2")
	if c := e.check(row.Checks[0]); !slices.Equal(c.Tables, []string{"3"}) || len(row.Flags) != 1 || row.Flags[0].Code != "unlinked_tables" || !strings.Contains(row.Detail, "4") {
		t.Errorf("the check stands on %v, the row is %+v", c.Tables, row)
	}
	e.put("opentable", booking.Reservation{ID: "W1", Status: booking.Seated, Stage: booking.AtTable, WalkIn: true, Tables: []string{"5"}})
	if row := e.entry("W1"); row.OrderState != "open" || !row.WalkIn || !e.check(row.Checks[0]).WalkIn {
		t.Errorf("a walk-in: %+v", row)
	}
	// Both platforms at once, without one hearing of the other's.
	for platform, own := range map[string]string{"opentable": "M1 W1", "sevenrooms": "M2"} {
		e.settled(platform)
		ledger := e.sims[platform].Ledger()
		for _, d := range ledger {
			if !strings.Contains(own, d.Reservation) {
				t.Errorf("%s heard of %s", platform, d.Reservation)
			}
		}
		if len(ledger) == 0 {
			t.Errorf("%s heard nothing", platform)
		}
	}
	// A message that never came is read when somebody asks for it.
	e.sims["opentable"].Hook("")
	e.put("opentable", booking.Reservation{ID: "Q1", Status: booking.Scheduled, Tables: []string{"6"}})
	if row := e.entry("Q1"); row.ID != "" {
		t.Errorf("known without a message: %+v", row)
	}
	e.do(http.MethodPost, "/v1/integrations/opentable/sync", nil, nil)
	e.wait("it was read", func() bool { return e.entry("Q1").State == "scheduled" })
}
