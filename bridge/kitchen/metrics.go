package kitchen

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aboyeur/devices/printer"
)

// buckets of every duration: classic from half a millisecond to ten seconds (contract section 5).
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

type metrics struct {
	k         *Kitchen
	toPrinter *prometheus.HistogramVec
	toScreen  prometheus.Histogram
	jobs      *prometheus.CounterVec
	unclaimed prometheus.Counter

	queued, oldest, connected *prometheus.Desc
}

func newMetrics(r prometheus.Registerer, k *Kitchen) (*metrics, error) {
	duration := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}
	}
	m := &metrics{
		k:         k,
		toPrinter: prometheus.NewHistogramVec(duration("aboyeur_order_to_printer_seconds", "From the first byte of an order to the moment the printer had the last byte of its ticket."), []string{"printer"}),
		toScreen:  prometheus.NewHistogram(duration("aboyeur_order_to_screen_seconds", "From the first byte of an order to the event of its ticket at the screens.")),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aboyeur_print_jobs_total", Help: "Print jobs that came to an end, by how.",
		}, []string{"printer", "outcome"}),
		unclaimed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aboyeur_lines_to_default_station_total", Help: "Order lines that no station claims and the default station took.",
		}),
		queued:    prometheus.NewDesc("aboyeur_print_queue_jobs", "Print jobs that wait for the printer.", []string{"printer"}, nil),
		oldest:    prometheus.NewDesc("aboyeur_print_oldest_held_seconds", "How long jobs have waited for a printer that takes none.", []string{"printer"}, nil),
		connected: prometheus.NewDesc("aboyeur_screens_connected", "Event streams of the screen that are open.", []string{"screen"}, nil),
	}
	for _, p := range k.c.Printers {
		m.printer(p.Name)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.toPrinter, m.toScreen, m.jobs, m.unclaimed, m} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// printer creates the values of a printer.
func (m *metrics) printer(name string) {
	m.toPrinter.WithLabelValues(name)
	for _, outcome := range []printer.State{printer.Done, printer.Unknown, printer.Cleared, printer.Superseded, printer.Cancelled, printer.Failed} {
		m.jobs.WithLabelValues(name, string(outcome))
	}
}

// forget takes the values of a printer away that is gone.
func (m *metrics) forget(name string) {
	m.toPrinter.DeleteLabelValues(name)
	m.jobs.DeletePartialMatch(prometheus.Labels{"printer": name})
}

// Describe implements prometheus.Collector for what is counted when asked.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.queued
	ch <- m.oldest
	ch <- m.connected
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for name, q := range m.k.roster().queues {
		jobs, _, _ := q.Waiting()
		ch <- prometheus.MustNewConstMetric(m.queued, prometheus.GaugeValue, float64(jobs), name)
		ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, q.oldestHeld(m.k.c.Now()).Seconds(), name)
	}
	if m.k.board == nil {
		return
	}
	for name, n := range m.k.board.Screens() {
		ch <- prometheus.MustNewConstMetric(m.connected, prometheus.GaugeValue, float64(n), name)
	}
}
