package main

import (
	"math"
	"testing"
	"time"
)

func TestScheduleIsPoisson(t *testing.T) {
	for _, rate := range []float64{10, 50, 5000} {
		s := newSchedule(rate, 7)
		const n = 200_000
		var last, sum, squares float64
		for range n {
			at := s.next().Seconds()
			if at < last {
				t.Fatalf("rate %g: arrival at %g after one at %g", rate, at, last)
			}
			gap := at - last
			last, sum, squares = at, sum+gap, squares+gap*gap
		}
		mean := sum / n
		deviation := math.Sqrt(squares/n - mean*mean)
		// Gaps of a Poisson process are exponential: mean and deviation are both 1/rate.
		if math.Abs(mean*rate-1) > 0.01 || math.Abs(deviation*rate-1) > 0.02 {
			t.Errorf("rate %g: gaps of mean %g and deviation %g, want both %g", rate, mean, deviation, 1/rate)
		}
	}
}

func TestScheduleRepeatsWithItsSeed(t *testing.T) {
	a, b, c := newSchedule(50, 3), newSchedule(50, 3), newSchedule(50, 4)
	same, other := true, true
	for range 100 {
		x := a.next()
		same = same && x == b.next()
		other = other && x == c.next()
	}
	if !same || other {
		t.Errorf("same seed gives the same moments: %v, another seed too: %v; want true, false", same, other)
	}
}

func TestSleepUntilIsNeverEarly(t *testing.T) {
	w := newStopwatch()
	for _, busy := range []bool{true, false} {
		at := w.now() + int64(2*time.Millisecond)
		w.sleepUntil(at, busy)
		if now := w.now(); now < at {
			t.Errorf("sleepUntil(busy %v) came back %d ns early", busy, at-now)
		}
	}
}

func TestStopwatchReadsOtherClocks(t *testing.T) {
	w := newStopwatch()
	wall := w.base.Add(1234 * time.Microsecond).UTC().Round(0) // as it comes from a ledger: no monotonic part
	if got := w.of(wall); got != 1_234_000 {
		t.Errorf("of(base + 1234 µs) = %d ns, want 1234000", got)
	}
}
