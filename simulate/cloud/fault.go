package cloud

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is the name of a fault.
type Kind string

// Faults of calls.
const (
	Unauthorized Kind = "unauthorized" // 401
	TooMany      Kind = "too_many"     // 429 with Retry-After
	Broken       Kind = "broken"       // 503
	Timeout      Kind = "timeout"      // nothing is done and nothing comes
	LostAnswer   Kind = "lost_answer"  // it is done, then the connection ends
	Refused      Kind = "refused"      // the connection ends, nothing is done
)

// Faults of webhooks.
const (
	Late       Kind = "late"
	Duplicate  Kind = "duplicate"
	OutOfOrder Kind = "out_of_order"
	Forged     Kind = "forged" // a copy with one byte more goes first: its signature is wrong
)

// Kinds lists every fault.
func Kinds() []Kind {
	return []Kind{Unauthorized, TooMany, Broken, Timeout, LostAnswer, Refused, Late, Duplicate, OutOfOrder, Forged}
}

// Defaults for Faults left at zero.
const (
	DefaultLate       = time.Second
	DefaultRetryAfter = time.Second
	DefaultTimeoutBy  = 30 * time.Second
)

// Faults is what goes wrong, until it is set anew. Rates are from 0 to 1; several may strike in turn, one a call.
type Faults struct {
	Seed uint64 `json:"seed,omitempty"` // 0: as it comes

	Rates map[Kind]float64 `json:"rates,omitempty"`
	Next  []Kind           `json:"next,omitempty"` // meet the next calls, one each, before any rate
	Ops   []string         `json:"ops,omitempty"`  // which calls; empty: all
	Down  bool             `json:"down,omitempty"` // nobody listens

	LateBy     Duration `json:"late_by,omitempty"`
	RetryAfter Duration `json:"retry_after,omitempty"`
	TimeoutBy  Duration `json:"timeout_by,omitempty"`
}

// Check fills defaults and tells what is wrong.
func (f *Faults) Check() error {
	for k, rate := range f.Rates {
		if !slices.Contains(Kinds(), k) {
			return fmt.Errorf("fault %q is not known; write one of %v", k, Kinds())
		}
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("rate of %s is %v; write 0 to 1", k, rate)
		}
	}
	for _, k := range f.Next {
		if !slices.Contains(Kinds()[:6], k) {
			return fmt.Errorf("fault %q strikes no call; write one of %v", k, Kinds()[:6])
		}
	}
	for _, d := range []struct {
		v    *Duration
		name string
		or   time.Duration
	}{{&f.LateBy, "late_by", DefaultLate}, {&f.RetryAfter, "retry_after", DefaultRetryAfter}, {&f.TimeoutBy, "timeout_by", DefaultTimeoutBy}} {
		if *d.v < 0 {
			return fmt.Errorf("%s is below zero", d.name)
		}
		if *d.v == 0 {
			*d.v = Duration(d.or)
		}
	}
	return nil
}

// Duration is a time.Duration written as in "2s".
type Duration time.Duration

// MarshalText writes d.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "2s" or "150ms".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("duration %q; write as in 2s or 150ms", b)
	}
	*d = Duration(v)
	return nil
}

// Faults sets what goes wrong from now on, in place of what did.
func (s *Service) Faults(f Faults) error {
	if err := f.Check(); err != nil {
		return err
	}
	f.Next = slices.Clone(f.Next)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	s.random = rand.New(rand.NewPCG(f.Seed, 1))
	if f.Seed == 0 {
		s.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return nil
}

// Present is what goes wrong now.
func (s *Service) Present() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// strike is the fault that a call meets, "" for none, and how long things take.
func (s *Service) strike(op string) (Kind, Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.faults
	switch {
	case f.Down:
		return Refused, *f
	case len(f.Ops) > 0 && !slices.Contains(f.Ops, op):
		return "", *f
	case len(f.Next) > 0:
		k := f.Next[0]
		f.Next = f.Next[1:]
		return k, *f
	}
	for _, k := range Kinds()[:6] {
		if rate := f.Rates[k]; rate > 0 && s.random.Float64() < rate {
			return k, *f
		}
	}
	return "", *f
}

// Happens rolls for a fault of webhooks.
func (s *Service) Happens(k Kind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	rate := s.faults.Rates[k]
	return rate > 0 && s.random.Float64() < rate
}
