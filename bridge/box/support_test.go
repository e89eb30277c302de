package box

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/access"
)

// TestReportAndSupportBundle lets a box work and looks at what it tells of it: to the manager everything, to whoever
// helps nothing of a guest, a person, or a secret.
func TestReportAndSupportBundle(t *testing.T) {
	r := newRig(t)
	r.start()
	o := orderOf(1)
	o.Customer.Name, o.Customer.Phone, o.Staff, o.Notes = "Zoé Quittenbaum", "+33612345678", "Casimir", "Sonner chez Quittenbaum"
	v := r.done(r.place(o).ID)
	for _, k := range v.Tickets {
		if status, err := r.call(http.MethodPost, "/v1/tickets/"+k.ID+"/bump", nil, nil); err != nil || status != http.StatusOK {
			t.Fatalf("bump: %d %v", status, err)
		}
	}
	if status, err := r.call(http.MethodPost, "/v1/people", `{"name":"Euphrasie","role":"staff","pin":"471129"}`, nil); err != nil || status != http.StatusCreated {
		t.Fatalf("person: %d %v", status, err)
	}
	// What must not happen, happens: somebody logs a name and a token.
	r.box.log.Warn("order of Zoé QUITTENBAUM", "token", r.token, "phone", "33612345678", "by", "Euphrasie", "pin", "471129")
	till, err := access.AddToken(r.config.HTTP.TokensFile, "caisse", access.Till, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := os.ReadFile(r.config.HTTP.TokensFile)
	if err != nil {
		t.Fatal(err)
	}
	var pin string
	if err := r.box.journal.Read().QueryRow(`SELECT pin FROM people`).Scan(&pin); err != nil {
		t.Fatal(err)
	}

	var rep struct {
		Kitchen  struct{ Tickets, Done, Items int }
		Stations []struct {
			Station string
			Done    int
			Halves  []struct{ Tickets int }
		}
		Sources []struct {
			Source           string
			Orders, Injected int
			Answer           float64 `json:"answer_median_ms"`
		}
		Days []struct{ Day string }
	}
	if status, err := r.call(http.MethodGet, "/v1/reports", nil, &rep); err != nil || status != http.StatusOK {
		t.Fatalf("report: %d %v", status, err)
	}
	if rep.Kitchen.Tickets != len(v.Tickets) || rep.Kitchen.Done != len(v.Tickets) || len(rep.Stations) != len(v.Tickets) || len(rep.Stations[0].Halves) != 1 ||
		len(rep.Sources) != 1 || rep.Sources[0].Orders != 1 || rep.Sources[0].Injected != 1 || rep.Sources[0].Answer <= 0 || len(rep.Days) != 1 {
		t.Errorf("the report of one order with %d tickets: %+v", len(v.Tickets), rep)
	}

	z, err := gzip.NewReader(bytes.NewReader(r.fetch("/v1/support-bundle")))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		files[name] = string(b)
	}
	for name, want := range map[string]string{
		"configuration.yaml": "epson-tm-t88", "log.jsonl": `"order of Z***`, "printers.json": `"grill"`, "metrics.txt": "aboyeur_orders_total", "changes.txt": " ticket ",
		"states.json": `"rig": 1`, "warnings.json": "[", "health.json": "figures", "audit.txt": "person_added", "about.json": `"epoch"`, "README.txt": "support bundle",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s has no %q:\n%.800s", name, want, files[name])
		}
	}
	private := []string{"Quittenbaum", "QUITTENBAUM", "Zoé", "33612345678", "Casimir", "Euphrasie", "471129", pin, r.token, till}
	for line := range strings.Lines(string(hashes)) {
		if _, hash, ok := strings.Cut(strings.TrimSpace(line), "sha256:"); ok {
			private = append(private, hash)
		}
	}
	for name, content := range files {
		for _, p := range private {
			if strings.Contains(content, p) {
				t.Errorf("%s tells %q", name, p)
			}
		}
	}
	// A box whose services do not run still makes one: that is when it is needed.
	r.down()
	b, err := New(t.Context(), r.config, Options{Version: "test", Log: r.box.log})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var out bytes.Buffer
	if err := b.support.Write(t.Context(), &out); err != nil || out.Len() == 0 {
		t.Errorf("bundle of a box that does not run: %d bytes, %v", out.Len(), err)
	}
}
