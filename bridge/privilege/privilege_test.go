package privilege

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/protocol/bepoz"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call makes a request as somebody; a problem's status and words are what the caller sees.
func call(s *Service, by access.Principal, method, body string) (int, string) {
	for _, route := range s.Routes() {
		if route.Method != method {
			continue
		}
		w := httptest.NewRecorder()
		q := httptest.NewRequest(method, route.Path, strings.NewReader(body))
		q.Header.Set("Content-Type", "application/json")
		err := route.Handle(w, q.WithContext(access.With(q.Context(), by)))
		var p *api.Problem
		if errors.As(err, &p) {
			text := p.Code + " " + p.Detail
			for _, f := range p.Errors {
				text += " " + f.Pointer + " " + f.Detail
			}
			return p.Status, text
		}
		if err != nil {
			return 500, err.Error()
		}
		return w.Code, w.Body.String()
	}
	return 404, ""
}

// TestRights: each of Bepoz' four rights, by role and by name, given and taken, over a restart.
func TestRights(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	s, err := New(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	who := func(role access.Role, name string) access.Principal { return access.Principal{Name: name, Role: role} }
	admin, manager, staff, till, screen := who(access.Admin, "root"), who(access.Manager, "Ana"), who(access.Staff, "Léa"), who(access.Till, "T1"), who(access.Screen, "grill")
	holds := func(when string, by access.Principal, want ...Right) {
		t.Helper()
		for _, r := range bepoz.Rights() {
			err := s.Check(by, r)
			if (err == nil) != slices.Contains(want, r) {
				t.Errorf("%s: %s and %s: %v", when, by.Name, r, err)
			}
			var p *api.Problem
			if err != nil && (!errors.As(err, &p) || p.Status != http.StatusForbidden || p.Code != "right" || p.Extra["right"] != string(r) || !strings.Contains(p.Detail, Name(r))) {
				t.Errorf("%s: %s lacks %s: %v", when, by.Name, r, err)
			}
		}
	}
	holds("at first", admin, bepoz.Rights()...)
	holds("at first", manager, bepoz.Rights()...)
	holds("at first", staff, bepoz.OperateTills, bepoz.AccessStores)
	holds("at first", till, bepoz.OperateTills)
	holds("at first", screen)

	if status, text := call(s, staff, "PUT", `{"value":{"manager":[],"staff":[],"till":[],"people":[]},"revision":0}`); status != 403 || !strings.Contains(text, "Maintain Venue Stores & Tills") {
		t.Errorf("staff change rights: %d %s", status, text)
	}
	wrong := `{"value":{"manager":["everything"],"staff":[],"till":[],"people":[{"name":" ","rights":[]},{"name":"Léa","rights":["fly"]},{"name":"Léa","rights":[]}]},"revision":0}`
	if status, text := call(s, manager, "PUT", wrong); status != 422 || !strings.Contains(text, "/value/manager/0") || !strings.Contains(text, "/value/people/0/name") || !strings.Contains(text, "/value/people/1/rights/0") || !strings.Contains(text, "/value/people/2/name") {
		t.Errorf("wrong rights: %d %s", status, text)
	}
	good := `{"value":{"manager":["maintain_stores_tills","operate_tills"],"staff":[],"till":["operate_tills"],"people":[{"name":"Léa","rights":["maintain_function_maps","operate_tills","operate_tills"]}]},"revision":0}`
	if status, text := call(s, manager, "PUT", good); status != 200 {
		t.Errorf("PUT = %d %s", status, text)
	}
	if status, text := call(s, admin, "GET", ""); status != 200 || !strings.Contains(text, `"revision":1`) || !strings.Contains(text, `{"name":"Léa","rights":["operate_tills","maintain_function_maps"]}`) {
		t.Errorf("GET = %d %s", status, text)
	}
	if status, _ := call(s, admin, "PUT", good); status != http.StatusConflict {
		t.Errorf("from an old revision: %d", status)
	}
	if s, err = New(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	holds("after a restart", manager, bepoz.OperateTills, bepoz.MaintainTills)
	holds("after a restart", staff, bepoz.OperateTills, bepoz.MaintainMaps)
	holds("after a restart", who(access.Staff, "Max"))
	holds("after a restart", admin, bepoz.Rights()...)
}
