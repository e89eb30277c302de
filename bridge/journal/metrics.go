package journal

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the journal. Names and buckets are the contract's; the last three help to see why the first two grow.
type metrics struct {
	registerer prometheus.Registerer
	commit     prometheus.Histogram
	batch      prometheus.Histogram
	refused    prometheus.Counter
	wal        prometheus.Gauge
	waiting    prometheus.GaugeFunc
}

func newMetrics(r prometheus.Registerer, j *Journal) (*metrics, error) {
	m := &metrics{
		registerer: r,
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                           "aboyeur_journal_commit_seconds",
			Help:                           "Time from taking a batch of writes to its being durable.",
			Buckets:                        []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
			NativeHistogramBucketFactor:    1.1,
			NativeHistogramMaxBucketNumber: 100,
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                           "aboyeur_journal_batch_writes",
			Help:                           "Writes that shared a commit.",
			Buckets:                        prometheus.ExponentialBuckets(1, 2, 10),
			NativeHistogramBucketFactor:    1.1,
			NativeHistogramMaxBucketNumber: 100,
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aboyeur_journal_refused_total",
			Help: "Writes refused because as many as allowed were under way.",
		}),
		wal: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "aboyeur_journal_wal_bytes",
			Help: "Log that is not yet folded into the journal's file, as last seen.",
		}),
		waiting: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "aboyeur_journal_waiting_writes",
			Help: "Writes and later steps that wait for the next commit.",
		}, func() float64 { return float64(j.queue.length()) }),
	}
	if r == nil {
		return m, nil
	}
	for i, c := range m.all() {
		if err := r.Register(c); err != nil {
			for _, done := range m.all()[:i] {
				r.Unregister(done)
			}
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.commit, m.batch, m.refused, m.wal, m.waiting}
}

func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.all() {
		m.registerer.Unregister(c)
	}
}

func (m *metrics) committed(took time.Duration, writes int) {
	m.commit.Observe(took.Seconds())
	m.batch.Observe(float64(writes))
}
