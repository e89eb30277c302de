package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also plays the programs that the generator starts: the test binary is its own `aboyeur`.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case enterCommand:
			fmt.Fprintln(os.Stderr, enter(os.Args[2:]))
			os.Exit(exitUnusable)
		case "run", "token":
			if err := standIn(os.Args[1:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

// floorProgram builds the floor server once, as lint does: its packages are compiled then.
func floorProgram(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "floor")
	build := exec.Command("go", "build", "-trimpath", "-o", file, "aboyeur/bench/floor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the floor: %v: %s", err, out)
	}
	return file
}

func self(t *testing.T) string {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// inject runs the generator and gives its report.
func inject(t *testing.T, args ...string) (int, *report, string) {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the children are this binary: under -race each would sleep a second at its end
	file := filepath.Join(t.TempDir(), "report.json")
	var out strings.Builder
	args = append([]string{"-json", file, "-aboyeur", self(t)}, args...)
	code := run(t.Context(), args, &out, &out)
	b, err := os.ReadFile(file)
	if err != nil {
		return code, nil, out.String()
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("report: %v", err)
	}
	return code, &r, out.String()
}

func (r *report) failed() string {
	var all []string
	for _, c := range r.Checks {
		if !c.OK && !strings.Contains(c.What, "p99") { // how fast the stand-in is on a busy machine is nobody's business
			all = append(all, c.What+"="+c.Got)
		}
	}
	return strings.Join(all, "; ")
}

func TestInjectAgainstAStandIn(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	floor := floorProgram(t)
	for _, c := range []struct {
		name, fault string
		screens     string
		want        []string // checks that must fail
	}{
		{"a screen a station", "", "3", nil},
		{"more screens than stations", "", "7", nil},
		{"fewer screens than stations", "", "2", nil},
		{"faults", "lose-paper,twice,banner,lose-screen,refuse,fail,unlisted", "3", []string{"acknowledged and missing on paper=1",
			"printed again without a banner=1", "acknowledged and missing on a screen=1", "orders acknowledged=", "refused without overload=1",
			"failed or unanswered=1", "acknowledged and not in the box's list=1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("STAND_IN_FAULT", c.fault)
			_, r, out := inject(t, "-floor", floor, "-paper", "light", "-rate", "120", "-seconds", "0.3", "-warm", "0", "-runs", "1",
				"-printers", "3", "-screens", c.screens, "-drain", "0.5")
			if r == nil {
				t.Fatalf("no report:\n%s", out)
			}
			if r.Tally.Sent == 0 || r.Tally.Sent != r.Tally.Acknowledged+r.Tally.Refused+r.Tally.Failed {
				t.Errorf("tally = %+v, want something sent and everything answered", r.Tally)
			}
			failed := r.failed()
			if len(c.want) == 0 && failed != "" {
				t.Errorf("checks failed: %s\n%s", failed, out)
			}
			for _, w := range c.want {
				if !strings.Contains(failed, w) {
					t.Errorf("failed checks = %q, want %q among them", failed, w)
				}
			}
			if r.Tally.Reprints != int64(strings.Count(c.fault, "banner")) {
				t.Errorf("reprints = %d with fault %q", r.Tally.Reprints, c.fault)
			}
			if strings.Count(failed, ";") != max(0, len(c.want)-1) {
				t.Errorf("failed checks = %q, want %d", failed, len(c.want))
			}
			if r.All.Floor.Count == 0 || r.All.Echo.Count == 0 || r.All.Answer.Count == 0 {
				t.Errorf("counts = %d answers, %d floor, %d echo, want each above zero", r.All.Answer.Count, r.All.Floor.Count, r.All.Echo.Count)
			}
		})
	}
}

func TestInjectOverload(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Setenv("STAND_IN_FAULT", "narrow")
	_, r, out := inject(t, "-floor", self(t), "-runs", "0", "-overload", "-over", "2000", "-over-seconds", "0.5", "-printers", "2", "-screens", "2", "-drain", "20")
	if r == nil || r.Overload == nil {
		t.Fatalf("no overload in the report:\n%s", out)
	}
	v := r.Overload
	if v.Tally.Refused == 0 || v.Tally.Acknowledged == 0 || v.Mute != 0 {
		t.Errorf("tally = %+v with %d mute, want some accepted, some refused, each with Retry-After", v.Tally, v.Mute)
	}
	if f := r.failed(); f != "" {
		t.Errorf("checks failed: %s\n%s", f, out)
	}
	if v.Listed != v.Tally.Acknowledged || v.MemoryPeak == 0 {
		t.Errorf("listed %d of %d, memory peak %d", v.Listed, v.Tally.Acknowledged, v.MemoryPeak)
	}
}

func TestInjectFindsAKnee(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Setenv("STAND_IN_FAULT", "quota")
	_, r, out := inject(t, "-floor", self(t), "-runs", "0", "-knee", "-knee-from", "100", "-knee-step", "0.2", "-printers", "2", "-screens", "1", "-drain", "5")
	if r == nil || r.Knee == nil {
		t.Fatalf("no knee in the report:\n%s", out)
	}
	if len(r.Knee.Steps) < 3 || r.Knee.Limit == "" {
		t.Errorf("knee = %+v, want some steps and a limit", *r.Knee)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-printers 9", "-printers 9: 1 to 8"},
		{"-screens 65", "-screens 65: 0 to 64"},
		{"-profile pie", `-profile "pie": only pi is known`},
		{"-paper wax", `-paper "wax": simulate or light`},
		{"-box 127.0.0.1:1", "-box needs -token"},
		{"-box 127.0.0.1:1 -token x -knee", "need a box of their own"},
		{"-overload", "-overload needs -knee"},
		{"-rate -1", "-rate -1"},
		{"fast", `what is "fast"?`},
	} {
		_, err := parse(strings.Fields(c.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("parse(%s) = %v, want %q", c.args, err, c.want)
		}
	}
	for _, c := range []struct {
		args string
		rate float64
	}{{"", 50}, {"-profile pi", 10}, {"-profile pi -rate 3", 3}} {
		if o, err := parse(strings.Fields(c.args), io.Discard); err != nil || o.rate != c.rate {
			t.Errorf("parse(%s) = rate %g, %v, want %g", c.args, o.rate, err, c.rate)
		}
	}
}
