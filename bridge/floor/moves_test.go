package floor

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

// followed is a floor whose steps are written down as KIND:CHECK.
func followed(t *testing.T) (*Service, *[]Step) {
	t.Helper()
	steps := new([]Step)
	s, err := New(t.Context(), Config{
		Journal: journaltest.Open(t, journal.Config{}, nil), Calendar: Calendar{time.UTC, 330 * time.Minute}, Currency: "EUR", Courses: 4,
		Areas: []Area{{"Salle", []string{"1", "2", "3", "12"}}}, Log: slog.New(slog.DiscardHandler),
		Follow: func(_ *journal.Tx, step Step) error {
			*steps = append(*steps, step)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, steps
}

func opened(t *testing.T, s *Service, tables ...string) Check {
	t.Helper()
	c, _, err := s.OpenCheck(t.Context(), waiter, "", Opening{Tables: tables, Covers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// on lists the numbers of the checks that stand on a table.
func on(t *testing.T, s *Service, table string) (numbers []int64) {
	t.Helper()
	err := s.c.Journal.Write(t.Context(), func(tx *journal.Tx) error {
		list, err := s.On(tx, table)
		for _, c := range list {
			numbers = append(numbers, c.Number)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

func TestMove(t *testing.T) {
	t.Parallel()
	s, steps := followed(t)
	a, b := opened(t, s, "1"), opened(t, s, "2")
	if _, err := s.Move(t.Context(), waiter, "", a.ID, []string{"2"}); !errors.Is(err, ErrTable) || !strings.Contains(err.Error(), "check 2") {
		t.Errorf("a move onto another party: %v", err)
	}
	a, err := s.Move(t.Context(), waiter, "k", a.ID, []string{"1", "3"})
	if err != nil || !slices.Equal(a.Tables, []string{"1", "3"}) {
		t.Fatalf("move = %v %v", a.Tables, err)
	}
	if again, err := s.Move(t.Context(), waiter, "k", a.ID, []string{"1", "3"}); err != nil || again.Version != a.Version {
		t.Errorf("the same move again: %d %v", again.Version, err)
	}
	last := (*steps)[len(*steps)-1]
	if last.Kind != Moved || !slices.Equal(last.Before, []string{"1"}) {
		t.Errorf("told %+v", last)
	}
	if n := on(t, s, "3"); !slices.Equal(n, []int64{a.Number}) {
		t.Errorf("on table 3 stand %v", n)
	}
	if _, err := s.Move(t.Context(), waiter, "", b.ID, []string{"12"}); err != nil {
		t.Fatal(err)
	}
	if n := on(t, s, "2"); n != nil {
		t.Errorf("on table 2 stand %v", n)
	}
	if _, err := s.Close(t.Context(), waiter, "", a.ID); err != nil {
		t.Fatal(err)
	}
	if n := on(t, s, "1"); n != nil {
		t.Errorf("a closed check stands on table 1: %v", n)
	}
	if _, err := s.Move(t.Context(), waiter, "", a.ID, []string{"2"}); !errors.Is(err, ErrClosed) {
		t.Errorf("moving a closed check: %v", err)
	}
	if _, err := s.Reopen(t.Context(), waiter, "", a.ID); err != nil || !slices.Equal(on(t, s, "1"), []int64{a.Number}) {
		t.Errorf("reopened, it stands on no table: %v", err)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	s, steps := followed(t)
	a, b := opened(t, s, "1"), opened(t, s, "2")
	for _, c := range []Check{a, b} {
		if _, err := s.Add(t.Context(), waiter, "", c.ID, []Line{line("Soup", "Starters", 1, 900)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Pay(t.Context(), waiter, "", a.ID, Taking{Method: "card", Amount: 500}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge(t.Context(), waiter, "", a.ID, a.ID); !errors.Is(err, ErrSame) {
		t.Errorf("into itself: %v", err)
	}
	m, err := s.Merge(t.Context(), waiter, "k", a.ID, b.ID)
	if err != nil || m.ID != b.ID || m.Total != 1800 || m.Paid != 500 || m.Covers != 4 || m.Lines[1].N != 1 || !slices.Equal(m.Tables, []string{"2", "1"}) {
		t.Fatalf("merge = %+v %v", m, err)
	}
	if again, err := s.Merge(t.Context(), waiter, "k", a.ID, b.ID); err != nil || again.Version != m.Version {
		t.Errorf("the same again: %+v %v", again, err)
	}
	if a, err = s.Get(t.Context(), a.ID); err != nil || a.State != Merged || a.Total != 0 || a.MergedInto != b.ID.String() {
		t.Errorf("what is left: %+v %v", a, err)
	}
	if n := on(t, s, "1"); !slices.Equal(n, []int64{b.Number}) {
		t.Errorf("on table 1 stand %v", n)
	}
	kinds := []string{(*steps)[len(*steps)-2].Kind, (*steps)[len(*steps)-1].Kind}
	if !slices.Equal(kinds, []string{TookOver, MergedInto}) {
		t.Errorf("told %v", kinds)
	}
	for what, err := range map[string]error{
		"a line":   second(s.Add(t.Context(), waiter, "", a.ID, []Line{line("x", "", 1, 1)})),
		"to close": second(s.Close(t.Context(), waiter, "", a.ID)),
		"reopen":   second(s.Reopen(t.Context(), waiter, "", a.ID)),
		"a merge":  second(s.Merge(t.Context(), waiter, "", b.ID, a.ID)),
	} {
		if !errors.Is(err, ErrEnded) {
			t.Errorf("%s on a merged check: %v", what, err)
		}
	}
}

func TestSplitAndVoid(t *testing.T) {
	t.Parallel()
	s, steps := followed(t)
	a := opened(t, s, "1")
	if _, err := s.Add(t.Context(), waiter, "", a.ID, []Line{line("Soup", "Starters", 1, 900), line("Fish", "Mains", 1, 2400), line("Tart", "Desserts", 1, 800)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Split(t.Context(), waiter, "", a.ID, []int{7}); !errors.Is(err, ErrLine) {
		t.Errorf("a line that is not there: %v", err)
	}
	b, known, err := s.Split(t.Context(), waiter, "k", a.ID, []int{0, 2})
	if err != nil || known || b.Total != 1700 || b.SplitFrom != a.ID.String() || !slices.Equal(b.Tables, a.Tables) {
		t.Fatalf("split = %+v %v", b, err)
	}
	if again, known, err := s.Split(t.Context(), waiter, "k", a.ID, []int{0, 2}); err != nil || !known || again.ID != b.ID {
		t.Errorf("the same again = %v %v", known, err)
	}
	if last := (*steps)[len(*steps)-1]; last.Kind != SplitOff || last.Other != a.ID || last.Check.ID != b.ID {
		t.Errorf("told %+v", last)
	}
	a, err = s.Add(t.Context(), waiter, "", a.ID, []Line{line("Cake", "Desserts", 1, 700)})
	if err != nil || a.Total != 3100 || a.Lines[0].N != 1 || a.Lines[1].N != 2 {
		t.Fatalf("after the split: %+v %v", a.Lines, err)
	}
	if _, err := s.Pay(t.Context(), waiter, "", a.ID, Taking{Method: "card", Amount: 1000}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Void(t.Context(), waiter, "", a.ID, []int{1}); !errors.Is(err, ErrClaimed) {
		t.Errorf("voiding what is paid: %v", err)
	}
	if _, _, err := s.Split(t.Context(), waiter, "", a.ID, []int{1}); !errors.Is(err, ErrClaimed) {
		t.Errorf("splitting off what is paid: %v", err)
	}
	if a, err = s.Void(t.Context(), waiter, "", a.ID, []int{2}); err != nil || a.Total != 2400 || !a.Lines[1].Voided || a.Balance != 1400 {
		t.Errorf("void = %+v %v", a, err)
	}
	if a, err = s.Void(t.Context(), waiter, "", a.ID, []int{2}); err != nil || a.Total != 2400 {
		t.Errorf("void twice = %d %v", a.Total, err)
	}
	if _, err := s.Cancel(t.Context(), waiter, "", a.ID); !errors.Is(err, ErrUsed) {
		t.Errorf("cancel with lines: %v", err)
	}
	c := opened(t, s, "2")
	if c, err = s.Cancel(t.Context(), waiter, "", c.ID); err != nil || c.State != Cancelled || on(t, s, "2") != nil {
		t.Errorf("cancel = %s %v", c.State, err)
	}
}

// A room that pays keeps the check in one piece: the hotel has it under that check.
func TestRoomKeepsTheCheckWhole(t *testing.T) {
	t.Parallel()
	s, _, c := withHotel(t)
	if _, err := s.Pay(t.Context(), waiter, "", c.ID, byRoom(2000)); err != nil {
		t.Fatal(err)
	}
	other := opened(t, s)
	if _, err := s.Merge(t.Context(), waiter, "", c.ID, other.ID); !errors.Is(err, ErrRoom) {
		t.Errorf("merge: %v", err)
	}
	if _, err := s.Merge(t.Context(), waiter, "", other.ID, c.ID); !errors.Is(err, ErrRoom) {
		t.Errorf("merge into: %v", err)
	}
	if _, _, err := s.Split(t.Context(), waiter, "", c.ID, []int{1}); !errors.Is(err, ErrRoom) {
		t.Errorf("split: %v", err)
	}
}

// Over HTTP: the answers, and what is wrong with a request.
func TestMovesOverHTTP(t *testing.T) {
	t.Parallel()
	s, _ := followed(t)
	a, b := opened(t, s, "1"), opened(t, s, "2")
	at := "/v1/checks/" + a.ID.String()
	for _, call := range []struct {
		path, body string
		status     int
		want       string
	}{
		{at + "/move", `{"tables":["1 "]}`, 422, "/tables/0"},
		{at + "/move", `{"tables":[]}`, 422, "/tables"},
		{at + "/move", `{"tables":["2"]}`, 409, "table_unavailable"},
		{at + "/move", `{"tables":["3"]}`, 200, `"tables":["3"]`},
		{at + "/lines", `{"lines":[{"name":"Soup","quantity":1,"price":900,"group":"Starters"},{"name":"Fish","quantity":1,"price":2400}]}`, 200, `"total":3300`},
		{at + "/void", `{"lines":[]}`, 422, "/lines"},
		{at + "/void", `{"lines":[9]}`, 422, "/lines"},
		{at + "/void", `{"lines":[0,0]}`, 422, "/lines/1"},
		{at + "/void", `{"lines":[0]}`, 200, `"total":2400`},
		{at + "/split", `{"lines":[1]}`, 201, `"split_from"`},
		{at + "/covers", `{"covers":-1}`, 422, "/covers"},
		{at + "/covers", `{"covers":5}`, 200, `"covers":5`},
		{at + "/table", `{"state":"dirty"}`, 422, "/state"},
		{at + "/table", `{"state":"cleared"}`, 200, `"table_state":"cleared"`},
		{at + "/merge", `{"into":"` + a.ID.String() + `"}`, 422, "/into"},
		{at + "/merge", `{"into":"` + b.ID.String() + `"}`, 200, b.ID.String()},
		{at + "/cancel", ``, 409, "merged"},
	} {
		if w := post(t, s, call.path, call.body); w.Code != call.status || !strings.Contains(w.Body.String(), call.want) {
			t.Errorf("POST %s %s = %d %s, want %d %s", call.path, call.body, w.Code, w.Body, call.status, call.want)
		}
	}
	if w := post(t, s, "/v1/checks/"+s.c.Journal.NewID().String()+"/move", `{"tables":["1"]}`); w.Code != http.StatusNotFound {
		t.Errorf("an unknown check: %d", w.Code)
	}
}

// An error of whoever follows undoes the step.
func TestFollowerRefuses(t *testing.T) {
	t.Parallel()
	s, _ := followed(t)
	a := opened(t, s, "1")
	no := errors.New("no")
	s.c.Follow = func(*journal.Tx, Step) error { return no }
	if _, err := s.Move(t.Context(), waiter, "", a.ID, []string{"2"}); !errors.Is(err, no) {
		t.Errorf("move: %v", err)
	}
	if c, err := s.Get(t.Context(), a.ID); err != nil || c.Version != 1 || !slices.Equal(on(t, s, "1"), []int64{1}) {
		t.Errorf("the check is %+v, %v", c, err)
	}
}
