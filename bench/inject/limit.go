package main

import (
	"context"
	"fmt"
	"time"
)

// A step is one rate of a ramp.
type step struct {
	Rate     float64 `json:"rate"`
	Accepted float64 `json:"accepted_per_second"`
	Answer   figures `json:"answer"`
	Refused  int     `json:"refused"`
	Failed   int     `json:"failed"`
	Wake     float64 `json:"generator_wake_p99_ms"`
	Drained  float64 `json:"paper_drained_seconds"`
	Good     bool    `json:"good"`
	Why      string  `json:"why,omitempty"`
}

// A knee is the highest rate that the box takes without refusing and with its answers in time.
type knee struct {
	Rate  float64 `json:"orders_per_second"`
	Paper string  `json:"paper"`
	Steps []step  `json:"steps"`
	Limit string  `json:"limited_by"`
}

// What the ramp asks of a step, and how it goes.
const (
	kneeP99     = 50.0 // ms
	kneeGrowth  = 1.35
	kneeHighest = 30000.0
	kneeWake    = 20.0 // ms: the generator itself is the limit beyond
)

// findKnee ramps until a step fails twice, then halves the gap between the last good and the first bad rate.
func (s *stage) findKnee(ctx context.Context, phase *int, from float64, d time.Duration, log func(step)) (knee, error) {
	k := knee{Paper: s.paper.kind()}
	try := func(rate float64) step {
		*phase++
		st := s.load(*phase, rate, d)
		if !st.Good && st.Failed == 0 { // once more: a burst of stolen time is not the box's limit
			k.Steps = append(k.Steps, st)
			log(st)
			*phase++
			st = s.load(*phase, rate, d)
		}
		k.Steps = append(k.Steps, st)
		log(st)
		return st
	}
	good, bad := 0.0, 0.0
	for rate := from; rate <= kneeHighest && ctx.Err() == nil && s.box.process.alive(); rate *= kneeGrowth {
		st := try(rate)
		if !st.Good {
			bad, k.Limit = rate, st.Why
			break
		}
		good = rate
	}
	for range 2 {
		if bad == 0 || good == 0 || ctx.Err() != nil || !s.box.process.alive() {
			break
		}
		if st := try((good + bad) / 2); st.Good {
			good = st.Rate
		} else {
			bad, k.Limit = st.Rate, st.Why
		}
	}
	k.Rate = good
	if !s.box.process.alive() {
		return k, s.box.process.ended()
	}
	return k, ctx.Err()
}

// load sends orders at rate for d, waits until they are out, and judges.
func (s *stage) load(phase int, rate float64, d time.Duration) step {
	s.orderSegment(phase, rate, d, uint64(phase))
	s.answered(10 * time.Second)
	took, _ := s.drain(phase, s.o.drain)
	m := newMeasures()
	m.orders(s, phase)
	t := s.book.tally(phase)
	st := step{Rate: rate, Answer: m.answer.figures(), Refused: t.Refused, Failed: t.Failed + t.Unanswered,
		Wake: m.wake.figures().P99, Drained: took.Seconds(), Accepted: float64(t.Acknowledged) / d.Seconds()}
	switch {
	case st.Failed > 0:
		st.Why = fmt.Sprintf("%d failed %v", st.Failed, t.FailedStatus)
	case st.Refused > 0:
		st.Why = fmt.Sprintf("%d refused", st.Refused)
	case st.Answer.P99 > kneeP99:
		st.Why = fmt.Sprintf("p99 %.0f ms", st.Answer.P99)
	default:
		st.Good = true
	}
	if !st.Good && st.Wake > kneeWake {
		st.Why += fmt.Sprintf(" (the generator itself was %.0f ms late)", st.Wake)
	}
	return st
}

// answered waits until no request is open, and gives up on those that still are.
func (s *stage) answered(patience time.Duration) {
	end := time.Now().Add(patience)
	for s.orders.open.Load() > 0 && time.Now().Before(end) {
		time.Sleep(5 * time.Millisecond)
	}
}

// An overload is what became of orders at twice the rate that the box can take.
type overload struct {
	Rate       float64 `json:"orders_per_second"`
	Seconds    float64 `json:"seconds"`
	Paper      string  `json:"paper"`
	Accepted   figures `json:"accepted"`
	Refused    figures `json:"refused"`
	Tally      tally   `json:"tally"`
	Mute       int64   `json:"refused_without_retry_after"`
	Wake       figures `json:"generator_wake"`
	MemoryIdle memory  `json:"memory_before"`
	MemoryPeak int64   `json:"memory_peak_bytes"`
	Drained    float64 `json:"drained_seconds"`
	Listed     int     `json:"listed"`
	Unlisted   int     `json:"acknowledged_and_not_listed"`
	Undone     int     `json:"listed_jobs_not_done"`
	Steal      float64 `json:"steal_percent"`
}

// overrun sends at rate for d, then waits until all that was accepted is out, and compares with the box's own list.
func (s *stage) overrun(ctx context.Context, phase int, rate float64, d time.Duration) (overload, error) {
	v := overload{Rate: rate, Seconds: d.Seconds(), Paper: s.paper.kind()}
	pid := s.box.process.pid
	v.MemoryIdle, _ = memoryOf("/proc", pid) // zeroes say that it could not be read
	if err := forgetPeak(pid); err != nil {
		return v, err
	}
	then := machineNow("/proc")
	s.orderSegment(phase, rate, d, uint64(phase))
	s.answered(15 * time.Second)
	_, v.Steal = machineNow("/proc").since(then)
	took, _ := s.drain(phase, s.o.drain)
	v.Drained = took.Seconds()
	if m, err := memoryOf("/proc", pid); err == nil {
		v.MemoryPeak = m.Peak
	}
	m := newMeasures()
	m.orders(s, phase)
	v.Accepted, v.Refused, v.Wake = m.answer.figures(), m.refused.figures(), m.wake.figures()
	v.Tally, v.Mute = s.book.tally(phase), s.mute.Load()
	list, err := s.compare(ctx, phase)
	v.Listed, v.Unlisted, v.Undone = list.listed, list.unlisted, list.undone
	return v, err
}

// A comparison is the box's own list against the book.
type comparison struct{ listed, unlisted, undone, refusedListed int }

// compare reads the box's list and looks for every acknowledged order of the phase in it; -1 means all phases.
func (s *stage) compare(ctx context.Context, phase int) (comparison, error) {
	var c comparison
	seen := map[mark]bool{}
	if _, err := s.box.list(ctx, func(o listed) {
		m, ok := parseMark([]byte(o.SourceOrderID))
		if !ok {
			return
		}
		seen[m] = true
		for _, t := range o.Tickets {
			for _, j := range t.Jobs {
				if x := s.book.find(m); x != nil && (phase < 0 || x.phase == phase) && j.State != "done" {
					c.undone++
				}
			}
		}
	}); err != nil {
		return c, err
	}
	s.book.each(phase, func(m mark, o *order) {
		switch {
		case o.acknowledged() && seen[m]:
			c.listed++
		case o.acknowledged():
			c.unlisted++
		case seen[m]:
			c.refusedListed++
		}
	})
	return c, nil
}
