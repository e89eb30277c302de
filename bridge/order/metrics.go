package order

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Outcomes of an order sent to the box, the label outcome of aboyeur_orders_total.
const (
	accepted = "accepted"
	replayed = "replayed"
	conflict = "conflict"
	invalid  = "invalid"
	refused  = "refused" // the journal could not take it now
)

// maxSources is how many sources get a label value of their own; a hostile or careless sender cannot grow the scrape.
const maxSources = 20

// other is the label of sources beyond maxSources, and of requests that named none.
const other = "other"

type metrics struct {
	orders *prometheus.CounterVec
	ack    prometheus.Histogram

	mu      sync.Mutex // guards sources
	sources []string
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		orders: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aboyeur_orders_total",
			Help: "Orders sent to the box, by sender and what became of the request.",
		}, []string{"source", "outcome"}),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "aboyeur_order_ack_seconds",
			Help:                        "From the first byte of a new order to its answer, the journal's commit included.",
			Buckets:                     []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}),
	}
	for _, outcome := range []string{accepted, replayed, conflict, invalid, refused} {
		m.orders.WithLabelValues(other, outcome)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.orders, m.ack} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// count adds one request of a source.
func (m *metrics) count(source, outcome string) {
	m.orders.WithLabelValues(m.label(source), outcome).Inc()
}

// Count adds an order that came another way than by POST /v1/orders; took, when it is not zero, is what its answer took.
func (s *Service) Count(source, outcome string, took time.Duration) {
	s.metrics.count(source, outcome)
	if took > 0 {
		s.metrics.ack.Observe(took.Seconds())
	}
}

// countInvalid adds a refused request. What it says of its source makes no new label: it may say anything.
func (m *metrics) countInvalid(source string) {
	m.mu.Lock()
	if !slices.Contains(m.sources, source) {
		source = other
	}
	m.mu.Unlock()
	m.orders.WithLabelValues(source, invalid).Inc()
}

func (m *metrics) label(source string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.sources, source); i >= 0 {
		return m.sources[i]
	}
	if len(m.sources) == maxSources {
		return other
	}
	source = strings.Clone(source) // it may be part of the order's whole text
	m.sources = append(m.sources, source)
	return source
}
