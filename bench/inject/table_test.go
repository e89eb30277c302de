package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTables(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, r report) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	runs := save("a.json", report{Rate: 50, Screens: 4, Runs: []result{{Steal: 1.5, BoxCPU: 2, Written: 40, Commits: 1.2}}, AnswerRatio: ratio{1.5, 1.9, 0},
		All: result{Answer: figures{Count: 3000, P50: 1.42, P99: 3.5, P999: 8.3}, AnswerRatio: ratio{1.5, 1.9, 1.6}}})
	limits := save("b.json", report{Knee: &knee{Rate: 4000, Paper: "light"}, Overload: &overload{Rate: 8000, Seconds: 5, Tally: tally{Acknowledged: 7, Refused: 9}}})
	var out strings.Builder
	if err := tables(&out, []string{runs, limits}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 50/s, 4 screens | 1.42/3.5/8.3 | - |", "1.50x/1.90x/1.60x", "| 2.00 ms | 40 KiB | 1.20 |", "Knee: 4000 orders/s", "8000 orders/s for 5 s: 7 accepted", "9 refused with Retry-After"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("tables lack %q:\n%s", want, out.String())
		}
	}
	if err := tables(&out, nil); err == nil {
		t.Error("tables of nothing = nil, want how to call it")
	}
	broken := filepath.Join(dir, "c.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tables(&out, []string{broken}); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("a broken report gives %v, want its name", err)
	}
}
