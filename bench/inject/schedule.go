package main

import (
	"math/rand/v2"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A schedule gives the moments of a Poisson process: each arrival is independent of the one before and of every answer.
// That is what makes the load open: a slow box does not slow the orders down, it makes them wait, and the waiting is
// measured.
type schedule struct {
	mean time.Duration // between two arrivals
	rnd  *rand.Rand
	at   time.Duration
}

// newSchedule makes arrivals at rate per second; the same seed gives the same moments.
func newSchedule(rate float64, seed uint64) *schedule {
	return &schedule{
		mean: time.Duration(float64(time.Second) / rate),
		rnd:  rand.New(rand.NewPCG(seed, 0x61626f79657572)),
	}
}

// next is the moment of the next arrival, counted from the start of the schedule.
func (s *schedule) next() time.Duration {
	s.at += time.Duration(s.rnd.ExpFloat64() * float64(s.mean))
	return s.at
}

// A stopwatch counts nanoseconds of the monotonic clock from its start, so that moments fit into an atomic integer.
type stopwatch struct{ base time.Time }

func newStopwatch() stopwatch { return stopwatch{base: time.Now()} }

func (s stopwatch) now() int64 { return int64(time.Since(s.base)) }

// of converts a wall-clock time, as another process wrote it into its ledger, to this stopwatch.
func (s stopwatch) of(t time.Time) int64 { return t.UnixNano() - s.base.UnixNano() }

// spin is how long before the moment the sleeper wakes up and looks at the clock until it has come. Go's timers are up to
// a millisecond late on a quiet machine, the kernel's own about 0.1 ms; both would be counted as the box's.
const spin = 150 * time.Microsecond

// sleepUntil returns at moment t of the watch. The caller is locked to its thread.
func (s stopwatch) sleepUntil(t int64, busy bool) {
	for {
		left := t - s.now()
		if left <= 0 {
			return
		}
		if busy && left <= int64(spin) {
			continue
		}
		if busy {
			left -= int64(spin)
		}
		ts := unix.NsecToTimespec(left)
		_ = unix.Nanosleep(&ts, nil) // an early return is made good by the loop
	}
}

// punctual ties the calling goroutine to its thread and asks the kernel not to gather its wake-ups with others'.
func punctual() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
}
