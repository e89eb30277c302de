package box

import (
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// historyEvery and historyPoints make the hour that the Health page draws.
const (
	historyEvery  = time.Minute
	historyPoints = 60
)

// figure is one number of the Health page with its last hour.
type figure struct {
	Name   string    `json:"name"`
	Value  float64   `json:"value"`
	Unit   string    `json:"unit,omitzero" enum:"s,bytes,celsius,ratio"`
	Limit  float64   `json:"limit,omitzero"`
	Metric string    `json:"metric"`
	Series []float64 `json:"series,omitzero" doc:"one point a minute, oldest first"`
}

// figures answers GET /v1/health.
type figures struct {
	Figures []figure `json:"figures"`
}

// history draws the 99th percentile of the box's own histograms minute by minute. It keeps the cumulative counts of
// the last look, so that each point speaks of its own minute.
type history struct {
	registry prometheus.Gatherer
	now      func() time.Time

	mu    sync.Mutex // guards the lines
	lines []line
}

type line struct {
	figure
	last []uint64 // cumulative counts at the last look
}

func newHistory(g prometheus.Gatherer, now func() time.Time) *history {
	return &history{registry: g, now: now, lines: []line{
		{figure: figure{Name: "answer_p99", Unit: "s", Limit: .1, Metric: "aboyeur_order_ack_seconds"}},
		// Without a limit: a ticket that waits for others on the same printer waits for paper, not for the box.
		{figure: figure{Name: "printer_p99", Unit: "s", Metric: "aboyeur_order_to_printer_seconds"}},
		{figure: figure{Name: "screen_p99", Unit: "s", Limit: .1, Metric: "aboyeur_order_to_screen_seconds"}},
		{figure: figure{Name: "commit_p99", Unit: "s", Limit: .05, Metric: "aboyeur_journal_commit_seconds"}},
	}}
}

// sample adds a point to each line.
func (h *history) sample() {
	families, err := h.registry.Gather()
	if err != nil {
		return // the scrape shows the same fault to whoever watches it
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.lines {
		l := &h.lines[i]
		for _, f := range families {
			if f.GetName() == l.Metric {
				l.add(f)
			}
		}
	}
}

// figures gives the lines; their value is the latest point.
func (h *history) figures() []figure {
	h.sampleFirst()
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]figure, len(h.lines))
	for i := range h.lines {
		list[i] = h.lines[i].figure
		list[i].Series = append([]float64(nil), list[i].Series...)
	}
	return list
}

// sampleFirst fills the first minute after the start, when no point is there yet.
func (h *history) sampleFirst() {
	h.mu.Lock()
	empty := len(h.lines[0].Series) == 0
	h.mu.Unlock()
	if empty {
		h.sample()
	}
}

func (l *line) add(f *dto.MetricFamily) {
	var bounds []float64
	var counts []uint64
	for _, m := range f.GetMetric() {
		for i, b := range m.GetHistogram().GetBucket() {
			if i == len(counts) {
				bounds, counts = append(bounds, b.GetUpperBound()), append(counts, 0)
			}
			counts[i] += b.GetCumulativeCount()
		}
	}
	fresh := append([]uint64(nil), counts...)
	for i := range l.last {
		fresh[i] -= l.last[i]
	}
	l.last = counts
	l.Value = quantile(.99, bounds, fresh)
	if l.Series = append(l.Series, l.Value); len(l.Series) > historyPoints {
		l.Series = l.Series[1:]
	}
}

// quantile estimates q from cumulative counts, linearly within a bucket; 0 when nothing was counted.
func quantile(q float64, bounds []float64, counts []uint64) float64 {
	if len(counts) == 0 || counts[len(counts)-1] == 0 {
		return 0
	}
	rank := q * float64(counts[len(counts)-1])
	lower, below := 0.0, 0.0
	for i, c := range counts {
		if upper := bounds[i]; float64(c) >= rank && !math.IsInf(upper, 1) {
			if float64(c) == below {
				return upper
			}
			return lower + (upper-lower)*(rank-below)/(float64(c)-below)
		}
		lower, below = bounds[i], float64(c)
	}
	return lower
}
