package onboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aboyeur/protocol/rest"
)

// TestVerify: the kind of till is proved by a call; an account of another series is named as such, with the way on.
func TestVerify(t *testing.T) {
	t.Parallel()
	status := func(code int) error { return fmt.Errorf("ask: %w", &rest.Error{Status: code}) }
	for _, c := range []struct {
		name, kind, address string
		err                 error
		code, other, says   string
	}{
		{"right", K, "", nil, Proved, "", "kind, credentials and location 17 are right"},
		{"an O-Series account", K, "", status(401), WrongSeries, O, "not of Lightspeed Restaurant (K-Series)"},
		{"no such client", K, "", status(400), WrongSeries, O, "write kind: lightspeed-o"},
		{"a K-Series account", O, "", status(403), WrongSeries, K, "write kind: lightspeed-k"},
		{"an address of the other series", O, "https://api.lsk.lightspeed.app", errors.New("must not be asked"), WrongSeries, K, "write kind: lightspeed-k"},
		{"no such location", K, "https://api.lsk.lightspeed.app", status(404), NoLocation, "", "no location 17"},
		{"out of order", K, "", status(503), Away, "", "did not answer"},
		{"no network", O, "https://api.kounta.com", errors.New("no route to host"), Away, "", "did not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			s := New(Config{Kind: c.kind, Location: "17", BaseURL: c.address, Language: "en", Now: time.Now, Log: slog.New(slog.DiscardHandler),
				Probe: func(context.Context) (Info, error) { asked++; return Info{Online: c.err == nil}, c.err }})
			f := s.Verify(t.Context(), "en")
			if f.Proof == nil || f.Proof.Code != c.code || f.Proof.Other != c.other || !strings.Contains(f.Proof.Detail, c.says) {
				t.Errorf("proof %+v", f.Proof)
			}
			if want := c.err == nil || c.err.Error() != "must not be asked"; (asked == 1) != want {
				t.Errorf("asked %d times", asked)
			}
			if again := s.Form("fr"); again.Proof == nil || again.Proof.Code != c.code {
				t.Error("the proof is forgotten")
			}
		})
	}
}

// TestForm: what each kind of till needs, with what the box has, in both languages, and on paper.
func TestForm(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		K: "k_series location credentials webhook_secret public_url profile staff payment", O: "o_series site credentials public_url register payment",
		Bepoz: "version rights restaurant table_group listen webhook_secret queue extension functions", Builtin: "tables tokens people",
	} {
		s := New(Config{Kind: kind, Site: "Brasserie", Language: "fr", Now: time.Now, Given: map[string]bool{"location": true, "credentials": false, "tables": true}})
		for _, lang := range []string{"en", "fr"} {
			f := s.Form(lang)
			var keys []string
			for _, n := range f.Needs {
				keys = append(keys, n.Key)
				if n.What == "" || n.Where == "" || strings.Contains(n.What+n.Where, "onboard.") {
					t.Errorf("%s in %s: %+v", n.Key, lang, n)
				}
				if given := n.Key == "location" || n.Key == "tables"; n.Given != given {
					t.Errorf("%s is given: %v", n.Key, n.Given)
				}
			}
			if got := strings.Join(keys, " "); got != want {
				t.Errorf("%s needs %s, want %s", kind, got, want)
			}
		}
		w := httptest.NewRecorder()
		for _, r := range s.Routes() {
			if r.Path == "/v1/pos/form.txt" {
				if err := r.Handle(w, httptest.NewRequest(http.MethodGet, r.Path+"?language=en", nil)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if text := w.Body.String(); !strings.HasPrefix(text, "What the set-up of the till needs\nBrasserie") || strings.Count(text, "[ ]")+strings.Count(text, "[x]") != len(strings.Fields(want)) || !strings.Contains(w.Header().Get("Content-Disposition"), "aboyeur-"+kind+".txt") {
			t.Errorf("on paper: %s", text)
		}
	}
}
