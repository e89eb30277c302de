package box

import (
	"encoding/json"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"aboyeur/bridge/kitchen"
)

// historyEvery and historyPoints make the hour that the Health page draws.
const (
	historyEvery  = time.Minute
	historyPoints = 60
)

// figure is one number of the Health page with its last hour.
type figure struct {
	Name   string  `json:"name"`
	Value  point   `json:"value" doc:"null when nothing was measured yet"`
	Unit   string  `json:"unit,omitzero" enum:"s,bytes,celsius,ratio"`
	Limit  float64 `json:"limit,omitzero"`
	Metric string  `json:"metric"`
	Series []point `json:"series,omitzero" doc:"one point a minute, oldest first; null where nothing was measured"`
}

// figures answers GET /v1/health.
type figures struct {
	Figures []figure  `json:"figures"`
	Until   time.Time `json:"until" doc:"when the last points of the series were taken"`
}

// point is a number that may not be there: NaN, in JSON null.
type point float64

func (p point) known() bool { return !math.IsNaN(float64(p)) }

// MarshalJSON writes a number or null.
func (p point) MarshalJSON() ([]byte, error) {
	if !p.known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(p))
}

// history draws the box's own figures minute by minute: the 99th percentile of its histograms, and the highest of a
// gauge's values. It keeps the cumulative counts of the last look, so that each point speaks of its own minute. It holds
// an hour and no more.
type history struct {
	registry prometheus.Gatherer
	now      func() time.Time

	mu    sync.Mutex // guards what follows
	lines []line
	until time.Time
}

type line struct {
	figure
	last []uint64 // cumulative counts at the last look
}

func newHistory(g prometheus.Gatherer, now func() time.Time) *history {
	h := &history{registry: g, now: now, lines: []line{
		{figure: figure{Name: "answer_p99", Unit: "s", Limit: .1, Metric: "aboyeur_order_ack_seconds"}},
		{figure: figure{Name: "printer_p99", Unit: "s", Limit: .1, Metric: "aboyeur_order_to_printer_seconds"}},
		{figure: figure{Name: "queue", Limit: kitchen.DefaultQueueWarn, Metric: "aboyeur_print_queue_jobs"}},
		{figure: figure{Name: "temperature", Unit: "celsius", Limit: hot, Metric: "aboyeur_board_temperature_celsius"}},
		{figure: figure{Name: "commit_p99", Unit: "s", Limit: .05, Metric: "aboyeur_journal_commit_seconds"}},
		{figure: figure{Name: "screen_p99", Unit: "s", Limit: .1, Metric: "aboyeur_order_to_screen_seconds"}},
	}}
	for i := range h.lines {
		h.lines[i].Value = point(math.NaN())
	}
	return h
}

// sample adds a point to each line.
func (h *history) sample() {
	families, err := h.registry.Gather()
	if err != nil {
		return // the scrape shows the same fault to whoever watches it
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = h.now().UTC()
	for i := range h.lines {
		l := &h.lines[i]
		p := point(math.NaN())
		for _, f := range families {
			if f.GetName() == l.Metric {
				p = l.read(f)
			}
		}
		if p.known() {
			l.Value = p
		}
		if l.Series = append(l.Series, p); len(l.Series) > historyPoints {
			l.Series = slices.Delete(l.Series, 0, 1) // in place: the array stays the one it is
		}
	}
}

// figures gives the lines; their value is the latest that was measured.
func (h *history) figures() ([]figure, time.Time) {
	h.sampleFirst()
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]figure, len(h.lines))
	for i := range h.lines {
		list[i] = h.lines[i].figure
		list[i].Series = slices.Clone(list[i].Series)
	}
	return list, h.until
}

// sampleFirst fills the first minute after the start, when no point is there yet.
func (h *history) sampleFirst() {
	h.mu.Lock()
	empty := h.until.IsZero()
	h.mu.Unlock()
	if empty {
		h.sample()
	}
}

// read takes a point from what was gathered: of a histogram what its last minute says, of gauges the highest.
func (l *line) read(f *dto.MetricFamily) point {
	if f.GetType() == dto.MetricType_GAUGE {
		top := point(math.NaN())
		for _, m := range f.GetMetric() {
			if v := point(m.GetGauge().GetValue()); v.known() && (!top.known() || v > top) {
				top = v
			}
		}
		return top
	}
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
	fresh := slices.Clone(counts)
	for i := range l.last {
		fresh[i] -= l.last[i]
	}
	l.last = counts
	if len(fresh) == 0 || fresh[len(fresh)-1] == 0 {
		return point(math.NaN())
	}
	return point(quantile(.99, bounds, fresh))
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
