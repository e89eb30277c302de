package department

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the service on a journal.
type rig struct {
	*Service
	j *journal.Journal
}

func newRig(t *testing.T, groups func(context.Context) ([]Group, error)) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, j.Close()); err != nil {
			t.Error(err)
		}
	})
	s, err := New(t.Context(), Config{Journal: j, Known: []string{"Vins", "Cuisine"}, Groups: groups, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return &rig{s, j}
}

// call makes a request to the routes as a manager.
func (r *rig) call(method, path, body string) (int, string) {
	for _, route := range r.Routes() {
		if route.Method != method || route.Path != path {
			continue
		}
		w := httptest.NewRecorder()
		q := httptest.NewRequest(method, path, strings.NewReader(body))
		q.Header.Set("Content-Type", "application/json")
		err := route.Handle(w, q)
		var p *api.Problem
		if errors.As(err, &p) {
			return p.Status, fmt.Sprint(p.Code, p.Detail, p.Errors)
		}
		if err != nil {
			return 500, err.Error()
		}
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	return 404, ""
}

// TestDepartments: kept as a whole or not at all, under a revision, over a restart; and what a line then counts as.
func TestDepartments(t *testing.T) {
	r := newRig(t, nil)
	if status, body := r.call("GET", "/v1/departments", ""); status != 200 || body != `{"value":[],"revision":0,"known":["Vins","Cuisine"],"groups":[],"imports":false}` {
		t.Fatalf("before anything: %d %s", status, body)
	}
	if got := r.Value("Boissons", "Vins"); got != "Boissons" {
		t.Errorf("without departments a line of Boissons counts as %q", got)
	}
	good := `{"revision":0,"value":[{"name":" Vins ","category":"Famille","value":"Boissons"},{"name":"Cafe\u0301","value":"Boissons"},{"name":"Plats"}]}`
	if status, body := r.call("PUT", "/v1/departments", good); status != 200 || !strings.Contains(body, `"revision":1`) {
		t.Fatalf("PUT = %d %s", status, body)
	}
	for _, c := range []struct{ said, department, want string }{
		{"", "Vins", "Boissons"}, {"Alcool", "Vins", "Boissons"}, {"", " Vins", "Boissons"}, {"", "Café", "Boissons"}, {"", "vins", ""},
		{"Plats du jour", "Plats", "Plats du jour"}, {"Entrées", "", "Entrées"}, {"", "Pâtes", ""},
	} {
		if got := r.Value(c.said, c.department); got != c.want {
			t.Errorf("a line of %q in %q counts as %q, want %q", c.said, c.department, got, c.want)
		}
	}
	wrong := `{"revision":1,"value":[{"name":"Vins","value":"Alcool"},{"name":"Vins","value":"x"},{"name":""},{"name":"A\u0007"},{"name":"B","category":"Famille"},{"name":"` + strings.Repeat("é", 101) + `"}]}`
	status, body := r.call("PUT", "/v1/departments", wrong)
	for _, want := range []string{"/value/1/name", "/value/0 already", "/value/2/name", "/value/3/name", "/value/4/value", "/value/5/name"} {
		if status != 422 || !strings.Contains(body, want) {
			t.Errorf("six faults: %d %s misses %s", status, body, want)
		}
	}
	if got := r.Value("", "Vins"); got != "Boissons" {
		t.Errorf("a refused change counts: Vins is %q", got)
	}
	if status, body := r.call("PUT", "/v1/departments", `{"revision":0,"value":[]}`); status != http.StatusConflict || !strings.Contains(body, "revision 1") {
		t.Errorf("made from an old revision: %d %s", status, body)
	}
	again, err := New(t.Context(), r.c)
	if err != nil || again.Value("", "Vins") != "Boissons" {
		t.Errorf("after a restart Vins counts as %q, %v", again.Value("", "Vins"), err)
	}
	if status, body := r.call("POST", "/v1/departments/import", ""); status != http.StatusConflict || !strings.Contains(body, "by hand") {
		t.Errorf("a till without a list: %d %s", status, body)
	}
}

// TestImport: the till's groups, those it forgot kept as stale, and a till that does not answer.
func TestImport(t *testing.T) {
	answer, fault := []Group{{Category: "Famille", Value: "Entrées"}, {Category: "Famille", Value: " Plats "}, {Category: "Famille", Value: "Entrées"}, {Category: "Famille"}}, error(nil)
	r := newRig(t, func(context.Context) ([]Group, error) { return answer, fault })
	if status, body := r.call("POST", "/v1/departments/import", ""); status != 200 || !strings.Contains(body, `"groups":[{"category":"Famille","value":"Entrées"},{"category":"Famille","value":"Plats"}],"imports":true,"imported_at":"`) {
		t.Errorf("import = %d %s", status, body)
	}
	answer = []Group{{Category: "Famille", Value: "Plats"}, {Category: "Famille", Value: "Desserts"}}
	want := `[{"category":"Famille","value":"Desserts"},{"category":"Famille","value":"Entrées","stale":true},{"category":"Famille","value":"Plats"}]`
	if status, body := r.call("POST", "/v1/departments/import", ""); status != 200 || !strings.Contains(body, want) {
		t.Errorf("import = %d %s, want groups %s", status, body, want)
	}
	answer = nil
	if status, _ := r.call("POST", "/v1/departments/import", ""); status != http.StatusConflict {
		t.Errorf("a till without groups: %d", status)
	}
	fault = errors.New("no answer in time")
	if status, body := r.call("POST", "/v1/departments/import", ""); status != http.StatusBadGateway || !strings.Contains(body, "no answer in time") {
		t.Errorf("a till that is away: %d %s", status, body)
	}
	if _, body := r.call("GET", "/v1/departments", ""); !strings.Contains(body, want) {
		t.Errorf("afterwards: %s", body)
	}
}
