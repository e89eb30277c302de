package box

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/protocol/bepoz"
	"aboyeur/protocol/booking"
	simbepoz "aboyeur/simulate/bepoz"
)

// bepozTills lets a box take lines of tills.
func bepozTills(t *testing.T, c *firmwareconfig.Config) {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("shared-with-tills\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.POS = firmwareconfig.POS{Kind: firmwareconfig.KindBepoz, Listen: freeAddress(t), WebhookSecretFile: secret}
}

// tillLine connects a till.
func tillLine(t *testing.T, c *firmwareconfig.Config, till *simbepoz.Till) (*simbepoz.Session, error) {
	t.Helper()
	conn, err := net.Dial("tcp", c.POS.Listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return till.Connect(conn)
}

// A party of OpenTable at a Bepoz till: in its list, not opened before the host has seated it, opened once, and what happens at
// the till is told to OpenTable: each status once, and paid only when the check is paid and closed.
func TestBepozTillAndOpenTable(t *testing.T) {
	e := newEvening(t, "opentable")
	bepozTills(t, e.config)
	e.only("opentable").OpenChecks = false
	e.open()
	sim := e.sims["opentable"]
	now := time.Now().UTC().Truncate(time.Second)
	party := booking.Reservation{ID: "77001", ScheduledAt: now, PartySize: 2, Status: booking.Arrived, Tables: []string{"7"}, Guest: booking.Guest{ID: "g1", FirstName: "Zoé", LastName: "L."}}
	if err := sim.Put(t.Context(), party); err != nil {
		t.Fatal(err)
	}
	till := simbepoz.New("T1")
	till.Secret = "shared-with-tills"
	s, err := tillLine(t, e.config, till)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.List(bepoz.NotSeated|bepoz.Active, bepoz.Today, "")
	if err != nil || len(rows) != 1 || rows[0][1] != "Zoé L." || rows[0][2] != "2" || rows[0][3] != "7" || rows[0][4] != "arrived" {
		t.Fatalf("the list is %v, %v", rows, err)
	}
	reference := rows[0][5]
	var no *simbepoz.Refusal
	if _, err := s.Ask("OPEN", reference); !errors.As(err, &no) || no.Code != bepoz.CodeNotSeated {
		t.Fatalf("opened before it sits: %v", err)
	}
	party.Status = booking.Seated
	if err := sim.Put(t.Context(), party); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.List(bepoz.Seated, bepoz.Today, ""); err != nil || len(rows) != 1 {
		t.Fatalf("seated parties are %v, %v", rows, err)
	}
	first, err := s.Ask("OPEN", reference)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Ask("OPEN", reference); err != nil || again[1] != first[1] || again[2] != "7" {
		t.Errorf("opened again it is %v, %v; first %v", again, err, first)
	}
	steak := bepoz.Line{Name: "Steak", Group: "Mains", Quantity: 2, Price: 2500, Course: 2}
	till.Ring("7", "41", bepoz.Opened, now, bepoz.Payload{Covers: 2, Reference: reference})
	till.Ring("7", "41", bepoz.Ordered, now, bepoz.Payload{Lines: []bepoz.Line{steak}})
	till.Ring("7", "41", bepoz.Ordered, now, bepoz.Payload{Lines: []bepoz.Line{steak}})
	till.Ring("7", "41", bepoz.Billed, now, bepoz.Payload{})
	till.Ring("7", "41", bepoz.Paid, now, bepoz.Payload{Method: "card", Amount: 4000})
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	stages := func() (told []booking.Stage) {
		for _, d := range sim.Ledger() {
			if d.Stage != "" {
				told = append(told, d.Stage)
			}
		}
		return told
	}
	e.wait("the bill is told", func() bool { return slices.Contains(stages(), booking.CheckDropped) })
	if slices.Contains(stages(), booking.Paid) {
		t.Error("paid was told of a part payment")
	}
	till.Ring("7", "41", bepoz.Paid, now, bepoz.Payload{Method: "card", Amount: 6000})
	till.Ring("7", "41", bepoz.Closed, now, bepoz.Payload{Total: 10000})
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	e.wait("paid is told", func() bool { return slices.Contains(stages(), booking.Paid) })
	seen := map[booking.Stage]int{}
	for _, stage := range stages() {
		seen[stage]++
	}
	if seen[booking.Entree] > 1 || seen[booking.CheckDropped] != 1 || seen[booking.Paid] != 1 || sim.Table("7") != booking.Paid {
		t.Errorf("told %v, the host sees %q", seen, sim.Table("7"))
	}
	for _, d := range sim.Ledger() {
		if d.Kind == booking.KindClosed && (d.Check == nil || d.Check.Total != 10000 || d.Check.Due != 0) {
			t.Errorf("closed with %+v", d.Check)
		}
	}
	if checks := e.count(t); checks != 1 {
		t.Errorf("%d checks", checks)
	}
}

// count is how many checks the box has.
func (e *evening) count(t *testing.T) int {
	t.Helper()
	n := 0
	for _, state := range []string{"open", "closed"} {
		var list struct{ Checks []struct{ ID string } }
		if status, err := e.call(http.MethodGet, "/v1/checks?state="+state, nil, &list); err != nil || status != http.StatusOK {
			t.Fatalf("%d, %v", status, err)
		}
		n += len(list.Checks)
	}
	return n
}

// A Bepoz till tells its evening over a line, with numbers twice, a gap, a line that is cut and a box that starts anew in the
// middle: the box's own checks are what the till's are, once, and what makes no sense is kept with its cause.
func TestBepozTillsEvening(t *testing.T) {
	r := newRig(t)
	bepozTills(t, r.config)
	r.config.Floor.Areas = []firmwareconfig.Area{{Name: "Salle", Tables: []string{"12", "14"}}}
	r.start()

	till := simbepoz.New("T1")
	connect := func() (*simbepoz.Session, error) { return tillLine(t, r.config, till) }
	var no *simbepoz.Refusal
	if _, err := connect(); !errors.As(err, &no) || no.Code != bepoz.CodeSecret {
		t.Fatalf("without the secret: %v", err)
	}
	till.Secret = "shared-with-tills"

	at := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	soup, steak := bepoz.Line{Name: "Soup", Group: "Starters", Quantity: 1, Price: 900}, bepoz.Line{Name: "Steak", Group: "Mains", Quantity: 2, Price: 2500, Course: 2}
	till.Ring("12", "7", bepoz.Opened, at, bepoz.Payload{Covers: 2, Staff: "Léa"})
	till.Ring("12", "7", bepoz.Ordered, at, bepoz.Payload{Lines: []bepoz.Line{soup, steak}})
	till.Ring("13", "8", bepoz.Opened, at, bepoz.Payload{})
	till.Ring("12", "7", bepoz.Voided, at, bepoz.Payload{Lines: []bepoz.Line{soup}})
	till.Ring("12", "7", bepoz.Moved, at, bepoz.Payload{Table: "14"})
	till.Ring("14", "7", bepoz.Billed, at, bepoz.Payload{})
	till.Ring("14", "7", bepoz.Paid, at, bepoz.Payload{Method: "room", Amount: 2000, Tip: 100})
	till.Break(simbepoz.Faults{Twice: map[int64]bool{2: true}, Lost: map[int64]bool{3: true}, CutAt: 6})
	s, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(); !errors.Is(err, simbepoz.ErrCut) {
		t.Fatalf("Drain: %v", err)
	}
	r.down()
	r.start()
	till.Break(simbepoz.Faults{Restart: 2})
	till.Ring("14", "7", bepoz.Closed, at, bepoz.Payload{}) // too early: refused, and the rest goes on
	till.Ring("14", "7", bepoz.Paid, at, bepoz.Payload{Method: "card", Amount: 3000})
	till.Ring("14", "7", bepoz.Closed, at, bepoz.Payload{Total: 5000})
	if s, err = connect(); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ask("GRID"); !errors.As(err, &no) || no.Code != bepoz.CodeNotSupported {
		t.Errorf("the grid: %v", err)
	}

	var tills struct {
		Tills []struct {
			Till                   string
			Last, Waiting, Refused int
			Error                  string
		}
	}
	r.wait("the till's queue is done", func() bool {
		status, err := r.call(http.MethodGet, "/v1/tills", nil, &tills)
		return err == nil && status == http.StatusOK && len(tills.Tills) == 1 && tills.Tills[0].Waiting == 0
	})
	if got := tills.Tills[0]; got.Last != 10 || got.Refused != 2 || got.Error != "validation: the check is not paid: 3000 are left" {
		t.Errorf("%+v", got)
	}
	var checks struct {
		Checks []struct {
			State          string
			Tables         []string
			Covers         int
			Total, Balance int64
			Payments       []struct{ Method, State string }
			Lines          []struct{ Voided bool }
		}
	}
	if status, err := r.call(http.MethodGet, "/v1/checks?state=closed", nil, &checks); err != nil || status != http.StatusOK || len(checks.Checks) != 1 {
		t.Fatalf("%d %v %+v", status, err, checks)
	}
	c := checks.Checks[0]
	if c.Tables[0] != "14" || c.Covers != 2 || c.Total != 5000 || c.Balance != 0 || len(c.Lines) != 2 || !c.Lines[0].Voided || len(c.Payments) != 2 || c.Payments[0].Method != "till room" {
		t.Errorf("%+v", c)
	}
}

// Bepoz' four rights hold for whoever works through the box: each act is refused by the name of the right it wants, and passes
// for who has it.
func TestRightsAtTheTills(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	bepozTills(t, e.config)
	manager, err := access.AddToken(e.config.HTTP.TokensFile, "Ana", access.Manager, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	e.open()
	admin := e.token
	acts := []struct{ right, method, path, body string }{
		{"operate_tills", "GET", "/v1/till/bookings", ""},
		{"access_stores_tills", "GET", "/v1/tills", ""},
		{"access_stores_tills", "GET", "/v1/tills/rights", ""},
		{"maintain_stores_tills", "PUT", "/v1/integrations/opentable", `{"settings":{"tills":["T1"]}}`},
		{"maintain_function_maps", "PUT", "/v1/integrations/opentable", `{"settings":{"tills":[],"pay_by_deposit":{"on":true,"placements":["Main"]}}}`},
	}
	for n, right := range []string{"operate_tills", "access_stores_tills", "maintain_stores_tills", "maintain_function_maps", ""} {
		have := []string{}
		for _, r := range []string{"operate_tills", "access_stores_tills", "maintain_stores_tills", "maintain_function_maps"} {
			if r != right {
				have = append(have, r)
			}
		}
		e.token = admin
		e.do(http.MethodPut, "/v1/tills/rights", map[string]any{"value": map[string]any{"manager": have, "staff": []string{}, "till": []string{}, "people": []any{}}, "revision": n}, nil)
		e.do(http.MethodPut, "/v1/integrations/opentable", map[string]any{"settings": map[string]any{"tills": []string{}, "pay_by_deposit": map[string]any{"on": false}}}, nil)
		e.token = manager
		for _, a := range acts {
			var body any
			if a.body != "" {
				body = json.RawMessage(a.body)
			}
			var p struct{ Code, Right, Detail string }
			status, err := e.call(a.method, a.path, body, &p)
			if refused := a.right == right; err != nil || refused != (status == http.StatusForbidden) || refused && (p.Code != "right" || p.Right != right) || !refused && status >= 300 {
				t.Errorf("without %q: %s %s = %d %+v %v", right, a.method, a.path, status, p, err)
			}
		}
	}
	e.token = admin
}
