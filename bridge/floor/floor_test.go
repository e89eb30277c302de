package floor

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/bridge/sale"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ctx is for what has no test of its own to end with.
var ctx = context.Background()

var waiter = access.Principal{Name: "Léa", Role: access.Staff}

func open(t *testing.T, j *journal.Journal) *Service {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Config{
		Journal: j, Calendar: Calendar{Location: paris, Close: 5*time.Hour + 30*time.Minute}, Currency: "EUR", Courses: 4, Outlet: "restaurant",
		Areas: []Area{{Name: "Salle", Tables: []string{"1", "12"}}, {Name: "Terrasse", Tables: []string{"T01"}}}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func line(name, group string, quantity int, price int64) Line {
	return Line{Line: sale.Line{Name: name, Quantity: quantity, Price: &price}, Group: group}
}

// An evening at a table without a hotel: opened, ordered, billed, paid in parts, closed, reopened, and the same over a restart.
func TestCheckLife(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	s := open(t, j)
	c, known, err := s.OpenCheck(t.Context(), waiter, "k1", Opening{Tables: []string{"12"}, Covers: 2})
	if err != nil || known || c.State != Open || c.Number != 1 || c.Outlet != "restaurant" {
		t.Fatalf("open = %+v %v %v", c, known, err)
	}
	if again, known, err := s.OpenCheck(t.Context(), waiter, "k1", Opening{Tables: []string{"12"}, Covers: 2}); err != nil || !known || again.ID != c.ID {
		t.Errorf("the same key opens %v %v %v", again.ID, known, err)
	}
	if _, _, err := s.OpenCheck(t.Context(), waiter, "k1", Opening{Tables: []string{"1"}}); !errors.Is(err, ErrOther) {
		t.Errorf("the key of another check = %v", err)
	}
	for range 2 {
		if c, err = s.Add(t.Context(), waiter, "k2", c.ID, []Line{line("Côte de veau", "food", 2, 3450), line("Pichet", "beverage", 1, 1400)}); err != nil {
			t.Fatal(err)
		}
	}
	if c.Total != 8300 || c.Balance != 8300 || len(c.Lines) != 2 {
		t.Errorf("lines sent twice under one key make %d, %d lines", c.Total, len(c.Lines))
	}
	if _, err := s.Close(t.Context(), waiter, "", c.ID); !errors.Is(err, ErrBalance) {
		t.Errorf("close unpaid = %v", err)
	}
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, Taking{Method: "card", Amount: 8301}); !errors.Is(err, ErrOverpaid) {
		t.Errorf("more than is left = %v", err)
	}
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, Taking{Method: "room", Code: RoomCode, Amount: 100, Room: "1", Reservation: "1", Guest: "x"}); !errors.Is(err, ErrNoHotel) {
		t.Errorf("a room without a hotel = %v", err)
	}
	if _, err := s.Bill(t.Context(), waiter, "", c.ID); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Taking{{Method: "deposit", Amount: 2000}, {Method: "card", Amount: 6300, Tip: 700}} {
		if c, err = s.Pay(t.Context(), waiter, "", c.ID, p); err != nil {
			t.Fatal(err)
		}
	}
	if c.Balance != 0 || c.Tips != 700 {
		t.Errorf("paid: %+v", c)
	}
	if c, err = s.Close(t.Context(), waiter, "", c.ID); err != nil || c.State != Closed || c.ClosedAt.IsZero() {
		t.Fatalf("close = %+v %v", c, err)
	}
	for what, err := range map[string]error{
		"a line":    second(s.Add(t.Context(), waiter, "", c.ID, []Line{line("x", "", 1, 1)})),
		"a bill":    second(s.Bill(t.Context(), waiter, "", c.ID)),
		"a payment": second(s.Pay(t.Context(), waiter, "", c.ID, Taking{Method: "cash"})),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s on a closed check = %v", what, err)
		}
	}
	s = open(t, j)
	if next, _, err := s.OpenCheck(t.Context(), waiter, "", Opening{}); err != nil || next.Number != 2 {
		t.Errorf("after a restart the next check is %d, %v", next.Number, err)
	}
	if c, err = s.Reopen(t.Context(), waiter, "", c.ID); err != nil || c.State != Open || !c.ClosedAt.IsZero() {
		t.Errorf("reopen = %+v %v", c, err)
	}
	var kinds []string
	for _, e := range c.Events {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"opened", "line_added", "bill_printed", "payment", "payment", "closed", "reopened"}; !slices.Equal(kinds, want) {
		t.Errorf("events %q, want %q", kinds, want)
	}
	if _, err := s.Get(t.Context(), j.NewID()); !errors.Is(err, ErrNone) {
		t.Errorf("an unknown check = %v", err)
	}
	if list, err := s.List(t.Context(), Open, 10); err != nil || len(list) != 2 {
		t.Errorf("open checks: %d %v", len(list), err)
	}
}

func second[T any](_ T, err error) error { return err }

// A business day ends by the wall clock, whatever the night does to it.
func TestDay(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	c := Calendar{Location: paris, Close: 5*time.Hour + 30*time.Minute}
	for at, want := range map[string]string{
		"2026-11-22T05:29:59+01:00": "2026-11-21", "2026-11-22T05:30:00+01:00": "2026-11-22",
		"2026-03-29T05:29:00+02:00": "2026-03-28", "2026-03-29T05:30:00+02:00": "2026-03-29",
		"2026-10-25T02:30:00+01:00": "2026-10-24", "2026-10-25T05:30:00+01:00": "2026-10-25",
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Day(moment); got != want {
			t.Errorf("%s is of %s, want %s", at, got, want)
		}
	}
}

// What a caller gets wrong is named with its place, and changes nothing.
func TestFaultsAreNamed(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	s := open(t, j)
	c, _, err := s.OpenCheck(t.Context(), waiter, "", Opening{Tables: []string{"T01"}})
	if err != nil {
		t.Fatal(err)
	}
	at := "/v1/checks/" + c.ID.String()
	for _, call := range []struct {
		path, body string
		status     int
		pointer    string
	}{
		{"/v1/checks", `{"tables":["99"]}`, 422, "/tables/0"},
		{"/v1/checks", `{"tables":["1","1"]}`, 422, "/tables/1"},
		{"/v1/checks", `{"tables":[],"covers":-1}`, 422, "/covers"},
		{"/v1/checks", `{"seats":2}`, 422, "seats"},
		{at + "/lines", `{"lines":[]}`, 422, "/lines"},
		{at + "/lines", `{"lines":[{"name":"x","quantity":0,"price":1}]}`, 422, "/lines/0/quantity"},
		{at + "/payments", `{"method":"","amount":5}`, 422, "/method"},
		{at + "/payments", `{"method":"card","amount":-5}`, 422, "/amount"},
		{"/v1/checks/" + j.NewID().String() + "/bill", ``, 404, ""},
	} {
		w := post(t, s, call.path, call.body)
		if w.Code != call.status || !strings.Contains(w.Body.String(), call.pointer) {
			t.Errorf("POST %s %s = %d %s, want %d at %s", call.path, call.body, w.Code, w.Body, call.status, call.pointer)
		}
	}
	if c, err := s.Get(t.Context(), c.ID); err != nil || c.Version != 1 {
		t.Errorf("the check is %+v, %v", c, err)
	}
}

// post makes a request of the service's own routes.
func post(t *testing.T, s *Service, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	a, err := access.New(t.Context(), access.Config{Journal: s.c.Journal, TokensFile: t.TempDir() + "/tokens", Log: s.c.Log})
	if err != nil {
		t.Fatal(err)
	}
	server, err := api.New(api.Config{Routes: s.Routes(), Access: a, DemoLoopback: true, Log: s.c.Log})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "127.0.0.1:8080"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	server.Handler().ServeHTTP(w, r)
	return w
}
