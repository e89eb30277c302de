package folio

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// buckets of the answer's duration: classic from half a millisecond to ten seconds (contract section 5), and a minute,
// which is what OPERA may take.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// outcomeResolved counts unknown postings that were ended, beside their first count as unknown.
const outcomeResolved = "resolved"

type metrics struct {
	s        *Service
	up       prometheus.Gauge
	postings *prometheus.CounterVec
	answers  prometheus.Histogram
	unknown  *prometheus.Desc
}

func newMetrics(r prometheus.Registerer, s *Service) (*metrics, error) {
	m := &metrics{
		s:  s,
		up: prometheus.NewGauge(prometheus.GaugeOpts{Name: "aboyeur_pms_link_up", Help: "Whether the link to the hotel system is alive, in night audit too."}),
		postings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aboyeur_pms_postings_total", Help: "Postings to the hotel that came to an end, by how; an unknown one that is resolved counts again as resolved.",
		}, []string{"outcome"}),
		answers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aboyeur_pms_answer_seconds", Help: "From handing a posting to the link to the hotel's answer.", Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}),
		unknown: prometheus.NewDesc("aboyeur_pms_postings_unknown", "Postings whose outcome nobody knows until a manager looks them up.", nil, nil),
	}
	for _, outcome := range []string{Posted, Refused, Unknown, outcomeResolved} {
		m.postings.WithLabelValues(outcome)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.up, m.postings, m.answers, m} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Describe and Collect give the number of unknown postings as the journal has it.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.unknown }

func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	var n int
	if err := m.s.c.Journal.Read().QueryRowContext(context.Background(), countUnknown).Scan(&n); err != nil {
		return
	}
	ch <- prometheus.MustNewConstMetric(m.unknown, prometheus.GaugeValue, float64(n))
}

func (m *metrics) link(up bool) {
	if up {
		m.up.Set(1)
	} else {
		m.up.Set(0)
	}
}

func (m *metrics) settled(state string, resolved bool) {
	if resolved {
		state = outcomeResolved
	}
	m.postings.WithLabelValues(state).Inc()
}

func (m *metrics) answer(d time.Duration) { m.answers.Observe(d.Seconds()) }
