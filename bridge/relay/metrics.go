package relay

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Meter counts what clouds are told: reservation platforms by this package, and whoever else a box tells.
type Meter struct {
	pending  *prometheus.Desc
	seconds  *prometheus.HistogramVec
	outcomes *prometheus.CounterVec

	mu      sync.Mutex // guards waiting
	waiting map[string]func(context.Context) (int, error)
}

// NewMeter registers its metrics with r; nil: nobody reads them.
func NewMeter(r prometheus.Registerer) (*Meter, error) {
	m := &Meter{
		pending: prometheus.NewDesc("aboyeur_relay_pending", "Updates that wait for a platform or aggregator.", []string{"platform"}, nil),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aboyeur_relay_seconds", Help: "From what happened here to the platform's answer that it took it.",
			Buckets:                     []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, []string{"platform"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aboyeur_relay_total", Help: "Updates for platforms and aggregators that came to an end, by how.",
		}, []string{"platform", "outcome"}),
		waiting: map[string]func(context.Context) (int, error){},
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.seconds, m.outcomes, m} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Watch adds a platform, with how many updates wait for it.
func (m *Meter) Watch(platform string, waiting func(context.Context) (int, error)) {
	m.seconds.WithLabelValues(platform)
	for _, outcome := range []string{Sent, Superseded, Skipped, Failed, Expired, Cancelled} {
		m.outcomes.WithLabelValues(platform, outcome)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting[platform] = waiting
}

// Count adds an update that came to its end.
func (m *Meter) Count(platform, outcome string) {
	m.outcomes.WithLabelValues(platform, outcome).Inc()
}

// Took adds how long an update took that the platform accepted.
func (m *Meter) Took(platform string, d time.Duration) {
	m.seconds.WithLabelValues(platform).Observe(d.Seconds())
}

// Describe and Collect give what waits as the journal has it.
func (m *Meter) Describe(ch chan<- *prometheus.Desc) { ch <- m.pending }

// Collect is of prometheus.Collector.
func (m *Meter) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	all := maps.Clone(m.waiting)
	m.mu.Unlock()
	for name, waiting := range all {
		if n, err := waiting(context.Background()); err == nil {
			ch <- prometheus.MustNewConstMetric(m.pending, prometheus.GaugeValue, float64(n), name)
		}
	}
}
