package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// tableCommand prints reports as the tables of bench/README.md: inject table REPORT.json...
const tableCommand = "table"

func tables(out io.Writer, files []string) error {
	var all []report
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		var r report
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return fmt.Errorf("no report given; write inject %s FILE, with one or more files of -json", tableCommand)
	}
	fmt.Fprintf(out, "%s; %s.\n\n", all[0].At.Format("2 January 2006"), all[0].Machine)
	fmt.Fprintln(out, "| Run | answer | last ticket byte | last of the screens | floor | echo | answer / floor | ticket / floor | steal |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|")
	for _, r := range all {
		if len(r.Runs) == 0 {
			continue
		}
		var steal []float64
		for _, x := range r.Runs {
			steal = append(steal, max(x.Steal, 0.001))
		}
		a := r.All
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s | %.1f %% |\n", r.name(), three(a.Answer), three(a.PaperLast), three(a.Screen), three(a.Floor), three(a.Echo),
			threeTimes(r.AnswerRatio, a.AnswerRatio), threeTimes(r.PaperRatio, a.PaperRatio), median(steal))
	}
	fmt.Fprintln(out, "\n| Run | ready | resident idle | resident, most | processor an order | disk an order | commits an order |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|")
	for _, r := range all {
		if len(r.Runs) == 0 {
			continue
		}
		var cpu, disk, commits []float64
		for _, x := range r.Runs {
			cpu, disk, commits = append(cpu, x.BoxCPU), append(disk, x.Written), append(commits, x.Commits)
		}
		fmt.Fprintf(out, "| %s | %.0f ms | %s | %s | %.2f ms | %.0f KiB | %.2f |\n", r.name(), r.Ready, mib(r.MemoryIdle.Resident), mib(r.MemoryLoad.Peak), median(cpu), median(disk), median(commits))
	}
	for _, r := range all {
		if k := r.Knee; k != nil {
			fmt.Fprintf(out, "\nKnee: %.0f orders/s with answers at p99 <= %.0f ms and none refused (%s).\n", k.Rate, kneeP99, k.Paper)
		}
		if v := r.Overload; v != nil {
			fmt.Fprintf(out, "\nOverload, %.0f orders/s for %.0f s: %d accepted (%s ms), %d refused with Retry-After (%s ms), resident at most %s; of those accepted %d missing on paper, %d on a screen, %d in the list.\n",
				v.Rate, v.Seconds, v.Tally.Acknowledged, three(v.Accepted), v.Tally.Refused, three(v.Refused), mib(v.MemoryPeak), v.Tally.MissingOnPaper, v.Tally.MissingOnScreen, v.Unlisted)
		}
	}
	return nil
}

// name tells the runs of a table apart.
func (r *report) name() string {
	s := fmt.Sprintf("%g/s, %d screens", r.Rate, r.Screens)
	if r.Profile == "pi" {
		s += ", Pi-like quota"
	}
	return s
}

func three(f figures) string {
	if f.Count == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f/%.1f/%.1f", f.P50, f.P99, f.P999)
}

// threeTimes shows the median of the runs; for a percentile of which one run has too few, that of all together.
func threeTimes(m, all ratio) string {
	or := func(a, b float64) string {
		if a == 0 {
			a = b
		}
		return times(a)
	}
	return or(m.P50, all.P50) + "/" + or(m.P99, all.P99) + "/" + or(m.P999, all.P999)
}
