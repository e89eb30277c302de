package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// A sample is one request to the floor or to the echo.
type sample struct {
	at, sent int64
	answered atomic.Int64
	status   atomic.Int32
}

// A segment is a stretch of at most two seconds in which one kind of request is sent. Orders, floor and echo take
// turns, so that each meets the same weather of the machine.
const longestSegment = 2 * time.Second

// rest is between two segments: the box's later records ride a commit at the latest 100 ms after, and would otherwise be
// synced in the floor's time.
const rest = 120 * time.Millisecond

// orderSegment sends orders at rate for d and returns them. It does not wait for answers.
func (s *stage) orderSegment(phase int, rate float64, d time.Duration, seed uint64) []*order {
	var all []*order
	busy := rate <= 1000
	times := newSchedule(rate, seed)
	start := s.watch.now()
	for at := times.next(); at < d; at = times.next() {
		o, m := s.book.open()
		o.phase, o.at = phase, start+int64(at)
		o.menu = int(m.n) % len(s.toBox)
		t := &s.toBox[o.menu]
		o.stations = t.stations
		all = append(all, o)
		s.watch.sleepUntil(o.at, busy)
		s.orders.send(job{tpl: t, mark: m,
			sent: func(at int64) { o.sent = at },
			done: func(r outcome) { o.answer(r, s) }})
	}
	s.watch.sleepUntil(start+int64(d), false)
	return all
}

// answer notes the outcome. A refusal without Retry-After is not a refusal but a failure.
func (o *order) answer(r outcome, s *stage) {
	o.answered.Store(r.At)
	status := int32(r.Status)
	if r.Err != nil {
		status = statusFailed
		s.faults.add(r.Err)
	}
	if status == 503 && !r.RetryAfter {
		s.mute.Add(1)
	}
	o.status.Store(status)
}

// sampleSegment sends requests of the templates to the floor server.
func (s *stage) sampleSegment(tpl []template, rate float64, d time.Duration, seed uint64) []*sample {
	var all []*sample
	busy := rate <= 1000
	times := newSchedule(rate, seed)
	start := s.watch.now()
	for at := times.next(); at < d; at = times.next() {
		x := &sample{at: start + int64(at)}
		all = append(all, x)
		s.watch.sleepUntil(x.at, busy)
		s.floors.send(job{tpl: &tpl[len(all)%len(tpl)],
			sent: func(at int64) { x.sent = at },
			done: func(r outcome) {
				x.answered.Store(r.At)
				x.status.Store(int32(r.Status))
				s.faults.add(r.Err)
			}})
	}
	s.watch.sleepUntil(start+int64(d), false)
	return all
}

// settle waits until what was sent is answered and has come out, at most for patience, and then for rest.
func (s *stage) settle(orders []*order, patience time.Duration) {
	end := time.Now().Add(min(patience, s.o.drain))
	for time.Now().Before(end) {
		s.faults.add(s.pollPaper())
		open := s.orders.open.Load()
		if s.floors != nil {
			open += s.floors.open.Load()
		}
		if open == 0 && !slices.ContainsFunc(orders, func(o *order) bool {
			return o.acknowledged() && (!s.book.onPaper(o) || s.box.process != nil && !s.book.onScreen(o))
		}) {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	time.Sleep(rest)
}

// A result is what one run, or all of them together, measured.
type result struct {
	Answer     figures `json:"answer"`
	PaperFirst figures `json:"paper_first"`
	PaperLast  figures `json:"paper_last"`
	Screen     figures `json:"screen"`
	Floor      figures `json:"floor"`
	Echo       figures `json:"echo"`
	Wake       figures `json:"generator_wake"`
	Refused    figures `json:"refused,omitzero"`

	AnswerRatio ratio `json:"answer_by_floor"`
	PaperRatio  ratio `json:"paper_last_by_floor"`
	ScreenRatio ratio `json:"screen_by_floor"`

	// Beyond the answer, per order: how much later than its answer the last of the screens and of the printers had it.
	ScreenAfterAnswer float64 `json:"screen_after_answer_p50_ms"`

	Orders      int     `json:"orders"`
	Steal       float64 `json:"steal_percent"`
	Busy        float64 `json:"machine_busy_percent"`
	Load        string  `json:"load_average"`
	BoxCPU      float64 `json:"box_cpu_ms_per_order"`
	Written     float64 `json:"box_disk_kib_per_order"`
	Commits     float64 `json:"box_commits_per_order,omitempty"`
	Writes      float64 `json:"box_journal_writes_per_order,omitempty"`
	GenCPU      float64 `json:"generator_cpu_percent"`
	Resident    int64   `json:"box_resident_median_bytes"`
	ResidentMax int64   `json:"box_resident_max_bytes"`
	Throttled   float64 `json:"box_periods_throttled_percent,omitempty"`
}

// measures are the histograms behind a result.
type measures struct{ answer, first, last, screen, floor, echo, wake, refused measure }

func newMeasures() measures {
	return measures{newMeasure(), newMeasure(), newMeasure(), newMeasure(), newMeasure(), newMeasure(), newMeasure(), newMeasure()}
}

func (m measures) merge(o measures) {
	for _, p := range [][2]measure{{m.answer, o.answer}, {m.first, o.first}, {m.last, o.last}, {m.screen, o.screen}, {m.floor, o.floor}, {m.echo, o.echo}, {m.wake, o.wake}, {m.refused, o.refused}} {
		p[0].h.Merge(p[1].h)
	}
}

// orders puts the orders of a phase into the histograms.
func (m measures) orders(s *stage, phase int) {
	s.book.each(phase, func(_ mark, o *order) {
		m.wake.add(o.sent - o.at)
		switch {
		case o.acknowledged():
			m.answer.add(o.answered.Load() - o.at)
			if o.papers.Load() == o.stations {
				m.first.add(o.paperFirst.Load() - o.at)
				m.last.add(o.paperLast.Load() - o.at)
			}
			if at := o.shownLast.Load(); at != 0 && s.book.onScreen(o) {
				m.screen.add(at - o.at)
			}
		case o.status.Load() == 503:
			m.refused.add(o.answered.Load() - o.at)
		}
	})
}

func (m measures) samples(to measure, all []*sample) (failed int) {
	for _, x := range all {
		if x.status.Load() != 201 {
			failed++
			continue
		}
		to.add(x.answered.Load() - x.at)
		m.wake.add(x.sent - x.at)
	}
	return failed
}

func (m measures) result() result {
	r := result{Answer: m.answer.figures(), PaperFirst: m.first.figures(), PaperLast: m.last.figures(), Screen: m.screen.figures(),
		Floor: m.floor.figures(), Echo: m.echo.figures(), Wake: m.wake.figures(), Refused: m.refused.figures()}
	r.AnswerRatio, r.PaperRatio, r.ScreenRatio = ratioOf(r.Answer, r.Floor), ratioOf(r.PaperLast, r.Floor), ratioOf(r.Screen, r.Floor)
	if r.Screen.Count > 0 {
		r.ScreenAfterAnswer = r.Screen.P50 - r.Answer.P50
	}
	r.Orders = int(r.Answer.Count + r.Refused.Count)
	return r
}

// interleave is one run: orders, floor and echo in turn until d of orders have been sent.
func (s *stage) interleave(ctx context.Context, phase int, rate float64, d time.Duration, seed uint64) (measures, result, int) {
	m := newMeasures()
	then, genThen := machineNow("/proc"), ownCPU()
	began := time.Now()
	var boxThen time.Duration
	var diskThen int64
	var scrapeThen map[string]float64
	var cutThen, ofThen int64
	pid := 0
	if s.box.process != nil {
		pid = s.box.process.pid
		scrapeThen = s.box.scrape(ctx)
		boxThen, _ = processorOf("/proc", pid)
		diskThen = writtenBy("/proc", pid)
		if s.boxCage != nil {
			cutThen, ofThen = s.boxCage.throttled()
		}
	}
	watch := startMemoryWatch(pid)
	// A segment is as long as it may be and as short as the run allows for five of each.
	segment := min(longestSegment, max(d/5, 500*time.Millisecond))
	failed := 0
	for sent := time.Duration(0); sent < d; sent += segment {
		segment = min(segment, d-sent)
		seed++
		o := s.orderSegment(phase, rate, segment, seed)
		s.settle(o, 2*time.Second)
		if s.floors == nil {
			continue
		}
		f := s.sampleSegment(s.toFloor, rate, segment, seed+1<<32)
		s.settle(nil, 2*time.Second)
		e := s.sampleSegment(s.toEcho, rate, segment/2, seed+2<<32)
		s.settle(nil, 2*time.Second)
		failed += m.samples(m.floor, f) + m.samples(m.echo, e)
	}
	resident, most := watch.stop()
	s.faults.add(s.pollPaper())
	m.orders(s, phase)
	r := m.result()
	r.Busy, r.Steal = machineNow("/proc").since(then)
	r.Load = loadAverage("/proc")
	r.GenCPU = 100 * float64(ownCPU()-genThen) / float64(time.Since(began))
	r.Resident, r.ResidentMax = resident, most
	if pid != 0 {
		if now, err := processorOf("/proc", pid); err == nil && r.Orders > 0 {
			n := float64(r.Orders)
			r.BoxCPU = float64((now - boxThen).Microseconds()) / 1000 / n
			r.Written = float64(writtenBy("/proc", pid)-diskThen) / 1024 / n
			scrape := s.box.scrape(ctx)
			each := func(name string) float64 { return (scrape[name] - scrapeThen[name]) / n }
			r.Commits, r.Writes = each("aboyeur_journal_commit_seconds_count"), each("aboyeur_journal_batch_writes_sum")
		}
		if s.boxCage != nil {
			if cut, of := s.boxCage.throttled(); of > ofThen {
				r.Throttled = 100 * float64(cut-cutThen) / float64(of-ofThen)
			}
		}
	}
	return m, r, failed
}

func (s *stage) pollPaper() error {
	if s.paper == nil {
		return nil
	}
	return s.paper.poll()
}

// drain waits until every acknowledged order of the phase has come out, at most for patience, and says how long it took.
func (s *stage) drain(phase int, patience time.Duration) (time.Duration, bool) {
	began := time.Now()
	for {
		s.faults.add(s.pollPaper())
		if s.book.complete(phase, len(s.screens) > 0 && s.o.box == "") {
			return time.Since(began), true
		}
		if time.Since(began) > patience || s.box.process != nil && !s.box.process.alive() {
			return time.Since(began), false
		}
		time.Sleep(20 * time.Millisecond)
	}
}
