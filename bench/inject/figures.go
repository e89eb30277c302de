package main

import (
	"bufio"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Figures are the percentiles of one measure, in milliseconds.
type figures struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99_9"`
	Max   float64 `json:"max"`
}

// A measure gathers durations from 1 µs to a minute with three significant digits.
type measure struct{ h *hdr.Histogram }

func newMeasure() measure { return measure{hdr.New(1, 60_000_000, 3)} }

// add records a duration in nanoseconds. What is over a minute counts as a minute, what is under a microsecond as one: a
// moment read in another process may lie that little before the one it is compared with.
func (m measure) add(ns int64) {
	_ = m.h.RecordValue(min(max(ns/1000, 1), 60_000_000)) // always in range
}

func (m measure) figures() figures {
	ms := func(q float64) float64 { return float64(m.h.ValueAtQuantile(q)) / 1000 }
	if m.h.TotalCount() == 0 {
		return figures{}
	}
	return figures{Count: m.h.TotalCount(), P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: float64(m.h.Max()) / 1000}
}

// A ratio is a measure by its floor, percentile by percentile. Zero stands for "cannot be said".
type ratio struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
}

// ratioOf divides. A percentile that fewer than five of the samples lie beyond is left out: it would be chance. (4.5, because a Poisson run of n seconds does not have exactly n times the rate.)
func ratioOf(f, floor figures) ratio {
	div := func(a, b, beyond float64) float64 {
		if b == 0 || float64(min(f.Count, floor.Count))*beyond < 4.5 {
			return 0
		}
		return a / b
	}
	return ratio{P50: div(f.P50, floor.P50, 0.5), P99: div(f.P99, floor.P99, 0.01), P999: div(f.P999, floor.P999, 0.001)}
}

// median of the values that are there; zero when none is.
func median(values []float64) float64 {
	v := slices.DeleteFunc(slices.Clone(values), func(x float64) bool { return x == 0 || math.IsNaN(x) })
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func medianRatio(all []ratio) ratio {
	var p50, p99, p999 []float64
	for _, r := range all {
		p50, p99, p999 = append(p50, r.P50), append(p99, r.P99), append(p999, r.P999)
	}
	return ratio{median(p50), median(p99), median(p999)}
}

// parseMetrics reads the plain samples, without labels, of a Prometheus text.
func parseMetrics(r io.Reader) map[string]float64 {
	all := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") || strings.Contains(name, "{") {
			continue
		}
		// A gauge of what the box cannot measure is NaN, for which JSON has no word.
		if v, err := strconv.ParseFloat(value, 64); err == nil && !math.IsNaN(v) {
			all[name] = v
		}
	}
	return all
}
