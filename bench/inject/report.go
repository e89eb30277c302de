package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// A report is everything that was measured, as it is printed and as JSON.
type report struct {
	At       time.Time `json:"at"`
	Machine  string    `json:"machine"`
	Note     string    `json:"note,omitempty"`
	Profile  string    `json:"profile,omitempty"`
	Rate     float64   `json:"rate"`
	Seconds  float64   `json:"seconds"`
	Printers int       `json:"printers"`
	Screens  int       `json:"screens"`
	Paper    string    `json:"paper"`

	Ready float64  `json:"ready_ms"`
	Runs  []result `json:"runs,omitempty"`
	All   result   `json:"all_runs,omitzero"`

	// Median of the runs' ratios: what counts.
	AnswerRatio ratio `json:"answer_by_floor_median"`
	PaperRatio  ratio `json:"paper_last_by_floor_median"`
	ScreenRatio ratio `json:"screen_by_floor_median"`

	Tally        tally              `json:"tally"`
	Listed       int                `json:"listed"`
	Unlisted     int                `json:"acknowledged_and_not_listed"`
	Undone       int                `json:"listed_jobs_not_done"`
	Drained      float64            `json:"drained_seconds"`
	FloorFailed  int                `json:"floor_failed"`
	ScreenBreaks int64              `json:"screen_breaks"`
	Redials      int64              `json:"requests_sent_again"`
	MemoryIdle   memory             `json:"memory_idle"`
	MemoryLoad   memory             `json:"memory_after_load"`
	MemoryKnee   memory             `json:"memory_after_knee,omitzero"`
	Metrics      map[string]float64 `json:"box_metrics,omitempty"`

	Knee     *knee     `json:"knee,omitempty"`
	Overload *overload `json:"overload,omitempty"`

	Checks []check `json:"checks"`
	Goals  []check `json:"goals"`
	Quiet  bool    `json:"machine_quiet"`
	OK     bool    `json:"ok"`
}

// A check is one thing that is asked of the figures.
type check struct {
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
	OK   bool   `json:"ok"`
}

const piNote = "Profile pi: the box and the floor each run in a control group with a quarter of one core (1 ms in every 4 ms) and 256 MiB, and each fsync takes 10 ms more.\n" +
	"THIS APPROXIMATES A BOARD AND IS NOT ONE: a quota is not a slow core, and this disk is not a card."

func newReport(o options) *report {
	r := &report{At: time.Now().UTC().Truncate(time.Second), Machine: describe(o.data), Profile: o.profile, Rate: o.rate, Seconds: o.seconds.Seconds(),
		Printers: o.printers, Screens: o.screens}
	if o.profile == "pi" {
		r.Note = piNote
	}
	return r
}

// What is asked of the figures.
const (
	mostP99       = 100.0 // ms, of anything: P7 of docs/design
	quietEcho     = 1.5   // ms: above it the machine, not the box, is measured
	quietSteal    = 2.0   // percent
	overRefuseP99 = 10.0  // ms
	overAcceptP99 = 100.0
)

// finish draws the conclusions.
func (r *report) finish(o options) {
	var a, p, s []ratio
	for _, x := range r.Runs {
		a, p, s = append(a, x.AnswerRatio), append(p, x.PaperRatio), append(s, x.ScreenRatio)
	}
	r.AnswerRatio, r.PaperRatio, r.ScreenRatio = medianRatio(a), medianRatio(p), medianRatio(s)
	r.judgeRuns()
	r.judgeOverload()
	r.judgeGoals()
	r.OK = len(r.Checks) > 0
	for _, c := range r.Checks {
		r.OK = r.OK && c.OK
	}
	if o.goals && r.Quiet {
		for _, c := range r.Goals {
			r.OK = r.OK && c.OK
		}
	}
}

func (r *report) judgeRuns() {
	if len(r.Runs) == 0 {
		return
	}
	var steal []float64
	for _, x := range r.Runs {
		steal = append(steal, max(x.Steal, 1e-9))
	}
	r.Quiet = r.All.Echo.P99 <= quietEcho && median(steal) <= quietSteal
	for _, x := range []struct {
		what string
		f    figures
	}{{"request to answer, p99", r.All.Answer}, {"request to last ticket byte, p99", r.All.PaperLast}, {"request to last screen, p99", r.All.Screen}} {
		if x.f.Count > 0 {
			r.check(x.what, fmt.Sprintf("<= %.0f ms", mostP99), fmt.Sprintf("%.2f ms", x.f.P99), x.f.P99 <= mostP99)
		}
	}
	t := r.Tally
	zero := func(what string, n int) { r.check(what, "0", fmt.Sprint(n), n == 0) }
	r.check("orders acknowledged", "all sent", fmt.Sprintf("%d of %d", t.Acknowledged, t.Sent), t.Acknowledged > 0 && t.Acknowledged == t.Sent)
	zero("refused without overload", t.Refused)
	zero("failed or unanswered", t.Failed+t.Unanswered)
	zero("acknowledged and missing on paper", t.MissingOnPaper)
	zero("acknowledged and missing on a screen", t.MissingOnScreen)
	zero("printed again without a banner", int(t.Twice))
	zero("at a wrong printer, or unreadable", int(t.Strange+t.Unmarked))
	zero("acknowledged and not in the box's list", r.Unlisted)
	zero("floor or echo failed", r.FloorFailed)
}

func (r *report) judgeOverload() {
	v := r.Overload
	if v == nil {
		return
	}
	r.check("overload: accepted p99", fmt.Sprintf("<= %.0f ms", overAcceptP99), fmt.Sprintf("%.2f ms", v.Accepted.P99), v.Accepted.Count > 0 && v.Accepted.P99 <= overAcceptP99)
	r.check("overload: refused p99", fmt.Sprintf("<= %.0f ms", overRefuseP99), fmt.Sprintf("%.2f ms of %d", v.Refused.P99, v.Refused.Count), v.Refused.P99 <= overRefuseP99)
	zero := func(what string, n int) { r.check("overload: "+what, "0", fmt.Sprint(n), n == 0) }
	zero("refused without Retry-After", int(v.Mute))
	zero("failed or unanswered", v.Tally.Failed+v.Tally.Unanswered)
	zero("accepted and missing on paper", v.Tally.MissingOnPaper)
	zero("accepted and missing on a screen", v.Tally.MissingOnScreen)
	zero("accepted and not in the box's list", v.Unlisted)
	zero("refused and yet served", int(v.Tally.Seen))
	zero("printed again without a banner", int(v.Tally.Twice))
}

func (r *report) check(what, want, got string, ok bool) {
	r.Checks = append(r.Checks, check{what, want, got, ok})
}

// judgeGoals compares with the goals of bench/README.md. A goal missed on a noisy machine says little, so they do not fail
// a run unless -goals asks for it.
func (r *report) judgeGoals() {
	goal := func(what, want, got string, ok bool) { r.Goals = append(r.Goals, check{what, want, got, ok}) }
	if len(r.Runs) > 0 {
		p50, p99 := 1.6, 2.0
		if r.Profile == "pi" {
			p50, p99 = 1.07, 1.12
		}
		by := func(what string, is, most float64) {
			if is > 0 {
				goal(what, fmt.Sprintf("<= %.2fx floor", most), fmt.Sprintf("%.2fx", is), is <= most)
			}
		}
		by("answer p50", r.AnswerRatio.P50, p50)
		by("answer p99", r.AnswerRatio.P99, p99)
		by("last ticket byte p50", r.PaperRatio.P50, p50)
		by("last ticket byte p99", r.PaperRatio.P99, p99)
		if r.All.Screen.Count > 0 {
			goal("screens after the answer, p50", "<= 0.5 ms", fmt.Sprintf("%.2f ms", r.All.ScreenAfterAnswer), r.All.ScreenAfterAnswer <= 0.5)
		}
		if r.Profile == "pi" {
			goal("answer p99", "<= 50 ms", fmt.Sprintf("%.1f ms", r.All.Answer.P99), r.All.Answer.P99 <= 50)
		}
		mem := func(what string, is int64, most int64) {
			if is > 0 {
				goal(what, fmt.Sprintf("<= %d MiB", most), mib(is), is <= most<<20)
			}
		}
		mem("resident, idle", r.MemoryIdle.Resident, 24)
		mem("resident, most under load", r.MemoryLoad.Peak, 48)
		if r.Ready > 0 {
			goal("start to /readyz 200", "<= 100 ms", fmt.Sprintf("%.1f ms", r.Ready), r.Ready <= 100)
		}
	}
	if r.Knee != nil {
		goal("knee", ">= 2000/s", fmt.Sprintf("%.0f/s", r.Knee.Rate), r.Knee.Rate >= 2000)
	}
	if v := r.Overload; v != nil && v.MemoryPeak > 0 {
		goal("resident, most in overload", "<= 96 MiB", mib(v.MemoryPeak), v.MemoryPeak <= 96<<20)
	}
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// short is a run in a line.
func (r result) short() string {
	return fmt.Sprintf("answer %s, paper %s, screens %s, floor %s, echo %s ms (p50/p99); answer/floor %.2f/%.2f; wake %.2f/%.2f; steal %.1f %%",
		pair(r.Answer), pair(r.PaperLast), pair(r.Screen), pair(r.Floor), pair(r.Echo), r.AnswerRatio.P50, r.AnswerRatio.P99, r.Wake.P50, r.Wake.P99, r.Steal)
}

func pair(f figures) string {
	if f.Count == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f/%.2f", f.P50, f.P99)
}

func (s step) String() string {
	verdict := "good"
	if !s.Good {
		verdict = s.Why
	}
	return fmt.Sprintf("%6.0f/s: answer %.2f/%.2f ms (p50/p99), %.0f accepted/s, generator %.1f ms late at p99, paper out %.1f s after: %s",
		s.Rate, s.Answer.P50, s.Answer.P99, s.Accepted, s.Wake, s.Drained, verdict)
}

// write prints the report as tables.
func (r *report) write(out io.Writer) {
	if len(r.Runs) > 0 {
		r.writeRuns(out)
	}
	if r.Knee != nil {
		fmt.Fprintf(out, "\nKnee: %.0f orders/s (limit: %s; %s)\n", r.Knee.Rate, r.Knee.Limit, r.Knee.Paper)
	}
	if v := r.Overload; v != nil {
		fmt.Fprintf(out, "\nOverload: %.0f orders/s for %.0f s: %d sent, %d accepted, %d refused; %s\n", v.Rate, v.Seconds, v.Tally.Sent, v.Tally.Acknowledged, v.Tally.Refused, v.Paper)
		w := table(out)
		row(w, "accepted", v.Accepted)
		row(w, "refused", v.Refused)
		row(w, "generator's own wake-up", v.Wake)
		_ = w.Flush()
		fmt.Fprintf(out, "memory %s before, %s at most; paper out %.1f s after; %d listed, %d of their jobs not done; steal %.1f %%\n",
			mib(v.MemoryIdle.Resident), mib(v.MemoryPeak), v.Drained, v.Listed, v.Undone, v.Steal)
	}
	r.verdicts(out, "Checks", r.Checks)
	r.verdicts(out, "Goals", r.Goals)
	if len(r.Runs) > 0 && !r.Quiet {
		fmt.Fprintf(out, "\nThe machine was not quiet (echo p99 %.2f ms, at most %.1f; steal at most %.0f %%): the absolute figures are the machine's as much as the box's; the ratios stand.\n",
			r.All.Echo.P99, quietEcho, quietSteal)
	}
	if r.Note != "" {
		fmt.Fprintf(out, "\n%s\n", r.Note)
	}
}

func table(out io.Writer) *tabwriter.Writer {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "ms\tcount\tp50\tp90\tp99\tp99.9\tmax\t")
	return w
}

func row(w io.Writer, name string, f figures) {
	if f.Count == 0 {
		fmt.Fprintf(w, "%s\t0\t-\t-\t-\t-\t-\t\n", name)
		return
	}
	fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name, f.Count, f.P50, f.P90, f.P99, f.P999, f.Max)
}

func (r *report) writeRuns(out io.Writer) {
	fmt.Fprintf(out, "\n%g orders/s, %d printers, %d screens, %d runs of %g s; %s\n", r.Rate, r.Printers, r.Screens, len(r.Runs), r.Seconds, r.Paper)
	w := table(out)
	a := r.All
	row(w, "request to answer", a.Answer)
	row(w, "request to first ticket byte", a.PaperFirst)
	row(w, "request to last ticket byte", a.PaperLast)
	row(w, "request to last screen", a.Screen)
	row(w, "floor: HTTP, 1 KiB append, fsync", a.Floor)
	row(w, "echo: HTTP alone", a.Echo)
	row(w, "generator's own wake-up", a.Wake)
	_ = w.Flush()
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nby floor, median of the runs\tp50\tp99\tp99.9\t")
	for _, x := range []struct {
		name string
		r    ratio
	}{{"answer", r.AnswerRatio}, {"last ticket byte", r.PaperRatio}, {"last screen", r.ScreenRatio}} {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", x.name, times(x.r.P50), times(x.r.P99), times(x.r.P999))
	}
	_ = w.Flush()
	last := r.Runs[len(r.Runs)-1]
	var steal, busy, cpu, gen, cut, res, disk, commits, writes []string
	for _, x := range r.Runs {
		steal, busy = append(steal, fmt.Sprintf("%.1f", x.Steal)), append(busy, fmt.Sprintf("%.0f", x.Busy))
		cpu, gen = append(cpu, fmt.Sprintf("%.2f", x.BoxCPU)), append(gen, fmt.Sprintf("%.0f", x.GenCPU))
		disk, commits, writes = append(disk, fmt.Sprintf("%.0f", x.Written)), append(commits, fmt.Sprintf("%.2f", x.Commits)), append(writes, fmt.Sprintf("%.1f", x.Writes))
		cut, res = append(cut, fmt.Sprintf("%.1f", x.Throttled)), append(res, mib(x.Resident))
	}
	j := func(s []string) string { return strings.Join(s, ", ") }
	fmt.Fprintf(out, "\nbox: ready after %.1f ms; resident %s idle (Pss %s), %s under load, %s at most; %s ms of processor an order\n",
		r.Ready, mib(r.MemoryIdle.Resident), mib(r.MemoryIdle.Proportional), j(res), mib(r.MemoryLoad.Peak), j(cpu))
	fmt.Fprintf(out, "box, an order: %s KiB to disk, %s commits, %s writes to the journal\n", j(disk), j(commits), j(writes))
	if r.Profile == "pi" {
		fmt.Fprintf(out, "box: %s %% of its quota's periods were cut short\n", j(cut))
	}
	fmt.Fprintf(out, "machine: steal %s %%, busy %s %%, load %s; generator %s %% of a core\n", j(steal), j(busy), last.Load, j(gen))
	t := r.Tally
	fmt.Fprintf(out, "orders: %d sent, %d acknowledged; tickets %d of %d on paper; screens %d of %d shown, %d breaks; %d reprints; paper out %.2f s after the last\n",
		t.Sent, t.Acknowledged, t.TicketsPrinted, t.Tickets, t.ViewsShown, t.Views, r.ScreenBreaks, t.Reprints, r.Drained)
}

func times(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fx", x)
}

func (r *report) verdicts(out io.Writer, title string, all []check) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		verdict := "ok"
		if !c.OK {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t(%s)\n", verdict, c.What, c.Got, c.Want)
	}
	_ = w.Flush()
}
