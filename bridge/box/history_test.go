package box

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The charts of the Health page hold an hour and no more; each point speaks of its own minute, and a minute in which
// nothing was measured has none.
func TestHistoryKeepsAnHour(t *testing.T) {
	registry := prometheus.NewRegistry()
	answers := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "aboyeur_order_ack_seconds", Buckets: []float64{.001, .01, .1, 1}})
	queues := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aboyeur_print_queue_jobs"}, []string{"printer"})
	heat := prometheus.NewGauge(prometheus.GaugeOpts{Name: "aboyeur_board_temperature_celsius"})
	registry.MustRegister(answers, queues, heat)
	now := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	h := newHistory(registry, func() time.Time { return now })
	figureOf := func(name string) figure {
		t.Helper()
		list, _ := h.figures()
		for _, f := range list {
			if f.Name == name {
				return f
			}
		}
		t.Fatalf("no figure %s", name)
		return figure{}
	}

	queues.WithLabelValues("grill").Set(3)
	queues.WithLabelValues("bar").Set(7)
	heat.Set(math.NaN()) // a board without a sensor
	for range 100 {
		answers.Observe(.005)
	}
	h.sample()
	if f := figureOf("answer_p99"); !(f.Value > .005 && f.Value <= .01) || f.Limit != .1 {
		t.Errorf("answers of 5 ms: %v with limit %v", f.Value, f.Limit)
	}
	if f := figureOf("queue"); f.Value != 7 {
		t.Errorf("longest queue %v, want that of bar, 7", f.Value)
	}
	if f := figureOf("temperature"); f.Value.known() || len(f.Series) != 1 {
		t.Errorf("a board without a sensor has temperature %v, series %v", f.Value, f.Series)
	}
	if text, err := json.Marshal(figureOf("temperature").Series); err != nil || string(text) != "[null]" {
		t.Errorf("series %s, %v; want [null]", text, err)
	}

	now = now.Add(time.Minute)
	h.sample()
	if f := figureOf("answer_p99"); len(f.Series) != 2 || f.Series[1].known() || !f.Value.known() {
		t.Errorf("a minute without orders: value %v, series %v; want the last value and no point", f.Value, f.Series)
	}
	answers.Observe(.5)
	now = now.Add(time.Minute)
	h.sample()
	if f := figureOf("answer_p99"); !(f.Value > .1 && f.Value <= 1) {
		t.Errorf("one slow answer in its own minute: %v, want above 0.1 whatever came before", f.Value)
	}
	for range 100 {
		now = now.Add(time.Minute)
		h.sample()
	}
	list, until := h.figures()
	for _, f := range list {
		if len(f.Series) != historyPoints || cap(f.Series) > 2*historyPoints {
			t.Errorf("%s holds %d points, want %d", f.Name, len(f.Series), historyPoints)
		}
	}
	if !until.Equal(now) {
		t.Errorf("until %v, want %v", until, now)
	}
}
