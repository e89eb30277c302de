package box

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/folio"
	"aboyeur/bridge/journal"
	"aboyeur/firmware-config/slot"
)

// TestBundleTakesSettings follows one setting over three bundles and a person's change: a bundle replaces it only where the
// bundle itself changed.
func TestBundleTakesSettings(t *testing.T) {
	r := newRig(t)
	closing := func() string {
		t.Helper()
		s, err := r.box.journal.Setting(t.Context(), folio.KeyClose)
		if err != nil {
			t.Fatal(err)
		}
		return string(s.Value)
	}
	for _, c := range []struct {
		name   string
		bundle time.Duration // what the bundle says
		person string        // what a person sets afterwards; "" nothing
		again  bool
		want   string
	}{
		{"the first bundle", 5*time.Hour + 30*time.Minute, `"04:00"`, false, `"05:30"`},
		{"one that leaves it", 5*time.Hour + 30*time.Minute, "", false, `"04:00"`},
		{"one that changes it", 6 * time.Hour, "", true, `"06:00"`},
		{"the same at the next start", 6 * time.Hour, "", false, `"06:00"`},
	} {
		r.config.Site.BusinessDayClose = c.bundle
		r.start()
		again, err := r.box.TakeSettings(t.Context())
		if err != nil || again != c.again {
			t.Errorf("%s: TakeSettings = %t, %v, want %t", c.name, again, err, c.again)
		}
		if got := closing(); got != c.want {
			t.Errorf("%s: the business day ends at %s, want %s", c.name, got, c.want)
		}
		if c.person != "" {
			s, err := r.box.journal.Setting(t.Context(), folio.KeyClose)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.box.journal.Write(t.Context(), func(tx *journal.Tx) error {
				_, err := tx.PutSetting(folio.KeyClose, json.RawMessage(c.person), s.Revision, "léa")
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		r.down()
	}
}

// TestTell shows what became of a bundle to everybody: warning, audit log and a slip in the printer's own language.
func TestTell(t *testing.T) {
	r := newRig(t)
	r.start()
	if err := r.box.Alive(t.Context()); err != nil {
		t.Errorf("Alive = %v", err)
	}
	if err := r.box.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
	up, down := r.box.Devices()
	if strings.Join(up, ", ") != "printer grill, printer bar" || down != nil {
		t.Errorf("Devices = %v, %v", up, down)
	}
	if got := r.box.Missing([]string{"printer grill", "printer of before"}); got != "" {
		t.Errorf("Missing = %q", got)
	}
	e := slot.Event{What: slot.Returned, Site: "rig-1", Number: 8, Now: 7, Reason: "was up before and is not: printer bar", At: time.Now()}
	if err := r.box.Tell(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	r.wait("the slip is on paper, in French", func() bool {
		for _, p := range r.printers["grill"].Tickets() {
			text := strings.Join(strings.Fields(p.Text), " ")
			if strings.Contains(text, "Le paquet 8 ne marchait pas") && strings.Contains(text, "En vigueur : paquet 7") && strings.Contains(text, "printer bar marche") {
				return true
			}
		}
		return false
	})
	var warnings struct {
		Warnings []struct{ Code, Text string }
	}
	if status, err := r.call(http.MethodGet, "/v1/warnings", nil, &warnings); err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v", status, err)
	}
	told := false
	for _, w := range warnings.Warnings {
		told = told || w.Code == "bundle_returned" && strings.Contains(w.Text, "bundle 8") && strings.Contains(w.Text, "in force: bundle 7")
	}
	if !told {
		t.Errorf("the warnings are %+v", warnings)
	}
	var audit struct {
		Entries []struct{ Act, Subject, Detail string }
	}
	if status, err := r.call(http.MethodGet, "/v1/audit?limit=20", nil, &audit); err != nil || status != http.StatusOK || len(audit.Entries) == 0 || audit.Entries[0].Act != "bundle_returned" || audit.Entries[0].Subject != "rig-1 8" {
		t.Errorf("the audit log is %d, %v, %+v", status, err, audit)
	}
}
