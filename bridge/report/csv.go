package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// The tables of a report, as files for a spreadsheet. The first row names the columns as the JSON does; numbers have a
// point, times an offset.

// WriteStations writes a row per station and half-hour.
func (r *Report) WriteStations(w io.Writer) error {
	rows := [][]string{{"station", "begins", "clock", "tickets", "items", "done", "median_seconds", "p90_seconds", "warned", "late", "recalls", "cancelled", "passed", "pass_median_seconds", "peak_open", "left_open"}}
	for _, s := range r.Stations {
		for _, h := range s.Halves {
			rows = append(rows, []string{s.Station, h.At.Format(time.RFC3339), h.Label, whole(h.Tickets), whole(h.Items), whole(h.Done), part(h.Median), part(h.P90),
				whole(h.Warned), whole(h.Late), whole(h.Recalls), whole(h.Cancelled), whole(h.Passed), part(h.PassMedian), whole(h.PeakOpen), whole(h.LeftOpen)})
		}
	}
	return write(w, rows)
}

// WriteSources writes a row per source.
func (r *Report) WriteSources(w io.Writer) error {
	rows := [][]string{{"source", "orders", "injected", "failed", "manual", "pending", "cancelled", "rejected", "total_minor", "answer_median_ms", "injection_median_ms"}}
	for _, s := range r.Sources {
		rows = append(rows, []string{s.Source, whole(s.Orders), whole(s.Injected), whole(s.Failed), whole(s.Manual), whole(s.Pending), whole(s.Cancelled), whole(s.Rejected),
			strconv.FormatInt(s.Total, 10), part(s.Answer), part(s.Injection)})
	}
	return write(w, rows)
}

// WriteDays writes the daily report, a row per business day.
func (r *Report) WriteDays(w io.Writer) error {
	rows := [][]string{{"day", "orders", "injected", "failed", "manual", "pending", "cancelled", "rejected", "total_minor", "answer_median_ms", "injection_median_ms",
		"tickets", "items", "median_seconds", "p90_seconds", "warned", "late", "recalls", "left_open"}}
	for _, d := range r.Days {
		rows = append(rows, []string{d.Day, whole(d.Orders), whole(d.Injected), whole(d.Failed), whole(d.Manual), whole(d.Pending), whole(d.Cancelled), whole(d.Rejected),
			strconv.FormatInt(d.Total, 10), part(d.Answer), part(d.Injection), whole(d.Tickets), whole(d.Items), part(d.Median), part(d.P90),
			whole(d.Warned), whole(d.Late), whole(d.Recalls), whole(d.LeftOpen)})
	}
	return write(w, rows)
}

func whole(n int) string { return strconv.Itoa(n) }

func part(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// write keeps what others named from being taken for a formula: a cell that begins like one gets an apostrophe.
func write(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	for i, row := range rows {
		for j, cell := range row {
			if i > 0 && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[j] = "'" + cell
			}
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
