package relay

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	s        *Service
	pending  *prometheus.Desc
	seconds  *prometheus.HistogramVec
	outcomes *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, s *Service) (*metrics, error) {
	m := &metrics{
		s:       s,
		pending: prometheus.NewDesc("aboyeur_relay_pending", "Updates that wait for a reservation platform.", []string{"platform"}, nil),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aboyeur_relay_seconds", Help: "From what happened at a table to the platform's answer that it took it.",
			Buckets:                     []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, []string{"platform"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aboyeur_relay_total", Help: "Updates for reservation platforms that came to an end, by how.",
		}, []string{"platform", "outcome"}),
	}
	for name := range s.c.Platform {
		m.seconds.WithLabelValues(name)
		for _, outcome := range []string{Sent, Superseded, Skipped, Failed, Expired, Cancelled} {
			m.outcomes.WithLabelValues(name, outcome)
		}
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

func (m *metrics) count(platform, outcome string) {
	m.outcomes.WithLabelValues(platform, outcome).Inc()
}

// Describe and Collect give what waits as the journal has it.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.pending }

func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for name := range m.s.c.Platform {
		q, err := m.s.Queue(context.Background(), name)
		if err != nil {
			continue
		}
		ch <- prometheus.MustNewConstMetric(m.pending, prometheus.GaugeValue, float64(q.Waiting), name)
	}
}
