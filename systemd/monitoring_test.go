package systemd_test

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var metric = regexp.MustCompile(`aboyeur_[a-z_]+`)

// coming are metrics of the contract whose subject is not in this version's page of metrics.
var coming = map[string]bool{"aboyeur_relay_pending": true}

// TestMonitoringNamesMetrics holds alerts and dashboard to the metrics that the box has.
func TestMonitoringNamesMetrics(t *testing.T) {
	page := read(t, "../docs/read-the-health.md")
	for _, name := range []string{"monitoring/alerts.yml", "monitoring/grafana.json"} {
		for _, m := range metric.FindAllString(read(t, name), -1) {
			m = strings.TrimSuffix(m, "_bucket")
			if !strings.Contains(page, "| `"+m) && !coming[m] {
				t.Errorf("%s names %s, which docs/read-the-health.md does not tell of", name, m)
			}
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "monitoring/grafana.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		if p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", p.Title)
		}
	}
}

func TestAlerts(t *testing.T) {
	need(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "monitoring/alerts.yml"}, {"test", "rules", "monitoring/alerts_test.yml"}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
