package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry says how often and how quickly a call is repeated.
type Retry struct {
	Attempts int           // in all; 0 means DefaultAttempts, 1 never repeats
	First    time.Duration // wait before the second; 0 means DefaultFirst
	Max      time.Duration // waits double up to this; 0 means DefaultMax
	Longest  time.Duration // a longer Retry-After is left to the caller; 0 means DefaultLongest
}

// Defaults for a Retry left at zero.
const (
	DefaultAttempts = 4
	DefaultFirst    = 250 * time.Millisecond
	DefaultMax      = 10 * time.Second
	DefaultLongest  = 30 * time.Second
)

func (r Retry) withDefaults() Retry {
	if r.Attempts <= 0 {
		r.Attempts = DefaultAttempts
	}
	if r.First <= 0 {
		r.First = DefaultFirst
	}
	if r.Max <= 0 {
		r.Max = DefaultMax
	}
	if r.Longest <= 0 {
		r.Longest = DefaultLongest
	}
	return r
}

// wait is the pause after attempt n (from 1). Half of it is random, so that boxes that failed together do not come back
// together; random is in [0,1).
func (r Retry) wait(n int, random float64) time.Duration {
	d := r.First
	for ; n > 1 && d < r.Max; n-- {
		d *= 2
	}
	d = min(d, r.Max)
	return d/2 + time.Duration(random*float64(d/2))
}

// maxRetryAfter keeps an absurd Retry-After from overflowing a Duration.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter reads the header of that name, in seconds or as a date; 0 when there is none or it is past.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseUint(v, 10, 32); err == nil {
		return min(time.Duration(s)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(at.Sub(now), maxRetryAfter))
	}
	return 0
}
