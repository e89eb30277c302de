package main

import (
	"math"
	"strings"
	"testing"
)

func TestFigures(t *testing.T) {
	m := newMeasure()
	for i := int64(1); i <= 1000; i++ {
		m.add(i * 1000_000) // 1 to 1000 ms
	}
	f := m.figures()
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > want/500 {
			t.Errorf("%s = %g ms, want %g", what, got, want)
		}
	}
	near("p50", f.P50, 500)
	near("p90", f.P90, 900)
	near("p99", f.P99, 990)
	near("p99.9", f.P999, 999)
	near("max", f.Max, 1000)
	if f.Count != 1000 {
		t.Errorf("count = %d, want 1000", f.Count)
	}
	m.add(-5)         // read in another process, a moment before the one it is compared with
	m.add(3600 * 1e9) // an hour
	if f := m.figures(); f.Count != 1002 || f.Max < 59_000 {
		t.Errorf("figures with what is out of range = %+v, want it counted at the ends", f)
	}
	if (newMeasure().figures() != figures{}) {
		t.Error("figures of nothing are not zero")
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		name     string
		f, floor figures
		want     ratio
	}{
		{"plain", figures{Count: 10000, P50: 3, P99: 8, P999: 30}, figures{Count: 10000, P50: 2, P99: 4, P999: 10}, ratio{1.5, 2, 3}},
		{"too few for the last", figures{Count: 1000, P50: 3, P99: 8, P999: 30}, figures{Count: 980, P50: 2, P99: 4, P999: 10}, ratio{1.5, 2, 0}},
		{"too few for all but the middle", figures{Count: 100, P50: 3, P99: 8}, figures{Count: 5000, P50: 2, P99: 4}, ratio{1.5, 0, 0}},
		{"nothing", figures{}, figures{}, ratio{}},
		{"no floor", figures{Count: 10000, P50: 3}, figures{}, ratio{}},
	} {
		if got := ratioOf(c.f, c.floor); got != c.want {
			t.Errorf("%s: ratio = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{
		{nil, 0}, {[]float64{0, 0}, 0}, {[]float64{2}, 2}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5},
		{[]float64{0, 5, 0, 1, 2}, 2}, // what cannot be said does not count
		{[]float64{math.NaN(), 3}, 3},
	} {
		if got := median(c.in); got != c.want {
			t.Errorf("median(%v) = %g, want %g", c.in, got, c.want)
		}
	}
	got := medianRatio([]ratio{{1, 2, 0}, {3, 1, 0}, {2, 3, 7}})
	if got != (ratio{2, 2, 7}) {
		t.Errorf("medianRatio = %v, want {2 2 7}", got)
	}
}

func TestParseMetrics(t *testing.T) {
	got := parseMetrics(strings.NewReader("# HELP a b\n# TYPE a counter\na 3\nb{x=\"y\"} 4\nc_seconds_sum 1.5e-3\nno_sensor NaN\nbroken\n"))
	if len(got) != 2 || got["a"] != 3 || got["c_seconds_sum"] != 0.0015 {
		t.Errorf("parseMetrics = %v, want a 3 and c_seconds_sum 0.0015", got)
	}
}

func TestVerdicts(t *testing.T) {
	good := func() *report {
		r := &report{Runs: []result{{Steal: 0.5, AnswerRatio: ratio{1.3, 1.5, 0}}}, Rate: 50}
		r.All = result{Answer: figures{Count: 1000, P50: 1.3, P99: 9}, PaperLast: figures{Count: 1000, P99: 9}, Screen: figures{Count: 1000, P99: 9}, Echo: figures{Count: 500, P99: 1}}
		r.Tally = tally{Sent: 1000, Acknowledged: 1000}
		return r
	}
	for _, c := range []struct {
		name   string
		change func(*report)
		goals  bool
		ok     bool
	}{
		{"good", func(*report) {}, true, true},
		{"answer over 100 ms", func(r *report) { r.All.Answer.P99 = 100.01 }, false, false},
		{"paper over 100 ms", func(r *report) { r.All.PaperLast.P99 = 101 }, false, false},
		{"screens over 100 ms", func(r *report) { r.All.Screen.P99 = 101 }, false, false},
		{"one missing on paper", func(r *report) { r.Tally.MissingOnPaper = 1 }, false, false},
		{"one missing on a screen", func(r *report) { r.Tally.MissingOnScreen = 1 }, false, false},
		{"one refused", func(r *report) { r.Tally.Refused, r.Tally.Acknowledged = 1, 999 }, false, false},
		{"one failed", func(r *report) { r.Tally.Failed, r.Tally.Acknowledged = 1, 999 }, false, false},
		{"one not listed", func(r *report) { r.Unlisted = 1 }, false, false},
		{"nothing sent", func(r *report) { r.Tally = tally{} }, false, false},
		{"a goal missed", func(r *report) { r.Runs[0].AnswerRatio.P50 = 1.9 }, false, true},
		{"a goal missed that is asked for", func(r *report) { r.Runs[0].AnswerRatio.P50 = 1.9 }, true, false},
		{"a goal missed on a noisy machine", func(r *report) { r.Runs[0].AnswerRatio.P50, r.Runs[0].Steal = 1.9, 12 }, true, true},
		{"overload well met", func(r *report) {
			r.Overload = &overload{Accepted: figures{Count: 10, P99: 80}, Refused: figures{Count: 10, P99: 4}}
		}, false, true},
		{"refusals slow", func(r *report) {
			r.Overload = &overload{Accepted: figures{Count: 10, P99: 80}, Refused: figures{Count: 10, P99: 11}}
		}, false, false},
		{"refusals without Retry-After", func(r *report) { r.Overload = &overload{Accepted: figures{Count: 10, P99: 80}, Mute: 1} }, false, false},
		{"accepted and lost", func(r *report) {
			r.Overload = &overload{Accepted: figures{Count: 10, P99: 80}, Tally: tally{MissingOnPaper: 1}}
		}, false, false},
	} {
		r := good()
		c.change(r)
		r.finish(options{goals: c.goals})
		if r.OK != c.ok {
			t.Errorf("%s: ok = %v, want %v; checks %v, goals %v", c.name, r.OK, c.ok, r.Checks, r.Goals)
		}
		var out strings.Builder
		r.write(&out)
		if missed := strings.Contains(out.String(), "MISSED"); !r.OK && !missed {
			t.Errorf("%s: the table shows nothing missed:\n%s", c.name, out.String())
		}
	}
}
