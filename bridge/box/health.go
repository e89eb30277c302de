package box

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/supervise"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/devices/board"
	"aboyeur/devices/printer"
)

// Limits above or below which the board is worth a warning.
const (
	hot         = 80.0      // °C: a Raspberry Pi slows itself down from here
	diskLow     = 500 << 20 // bytes free: weeks of journal, yet somebody should look
	diskTight   = 50 << 20  // bytes free: the journal may stop soon
	memoryLow   = 64 << 20  // bytes available
	cardWorn    = 9         // tenths of its life: months are left, not years
	readBoard   = 30 * time.Second
	tellHealth  = 250 * time.Millisecond // at most this often are screens told of devices
	settleAfter = 500 * time.Millisecond // every service has begun by then
)

// health turns what the parts report into warnings, metrics, the screens' footer and the answers about the box itself.
type health struct {
	b       *Box
	words   *words.Catalogue
	board   board.Board
	history *history
	changed chan struct{} // of size 1: the screens' footer may be stale
	pulse   *pulse

	reported time.Time // of the refused bundle that is in the audit log; run alone uses it

	mu       sync.Mutex // guards what follows; held for memory only
	figures  board.Figures
	printers map[string]printer.Status

	up, paper                                         *prometheus.GaugeVec
	temperature, throttled, disk, memory, clock, wear prometheus.Gauge
}

func newHealth(b *Box) (*health, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	h := &health{
		b: b, words: words.In(b.c.Site.Language), board: board.Board{Dir: b.c.Data.Dir}, history: newHistory(b.registry, b.o.Now),
		changed: make(chan struct{}, 1), pulse: &pulse{born: time.Now()}, printers: map[string]printer.Status{},
		up:          prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aboyeur_printer_up", Help: "1 while the printer is connected and answers."}, []string{"printer"}),
		paper:       prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aboyeur_printer_paper", Help: "Paper: 0 out, 1 low, 2 ok or not known to be otherwise."}, []string{"printer"}),
		temperature: gauge("aboyeur_board_temperature_celsius", "Temperature of the hottest sensor of the board; NaN without one."),
		throttled:   gauge("aboyeur_board_throttled", "1 while the board is slowed down by heat or a weak power supply."),
		disk:        gauge("aboyeur_board_disk_free_bytes", "Free space on the journal's disk."),
		clock:       gauge("aboyeur_board_clock_synchronised", "1 while a time server holds the clock; NaN where the system does not tell."),
		wear:        gauge("aboyeur_board_card_wear_ratio", "Share of its life that the memory card says to have used, in tenths; NaN where it does not tell."),
		memory:      gauge("aboyeur_board_memory_available_bytes", "Memory that can be had without swapping."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "aboyeur_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": b.o.Version}})
	build.Set(1)
	bundle := gauge("aboyeur_config_bundle_number", "Number of the configuration bundle in force; 0 for a plain file.")
	bundle.Set(float64(b.o.Bundle.Number))
	for _, c := range []prometheus.Collector{h.up, h.paper, h.temperature, h.throttled, h.disk, h.memory, h.clock, h.wear, build, bundle} {
		if err := b.registry.Register(c); err != nil {
			return nil, err
		}
	}
	for _, p := range b.c.Printers {
		h.up.WithLabelValues(p.Name).Set(0)
		h.paper.WithLabelValues(p.Name).Set(2)
	}
	b.warnings.Watch(h.told)
	return h, nil
}

// run reads the board, watches the journal's own notices and keeps the screens' footer fresh.
func (h *health) run(ctx context.Context) error {
	read, sample := time.NewTicker(readBoard), time.NewTicker(historyEvery)
	defer read.Stop()
	defer sample.Stop()
	h.readBoard(ctx)
	h.tellScreens()
	rest := time.NewTimer(settleAfter)
	defer rest.Stop()
	pause := time.NewTimer(tellHealth)
	defer pause.Stop()
	for {
		h.pulse.beat()
		select {
		case <-ctx.Done():
			return nil
		case <-rest.C:
			h.settle()
		case <-read.C:
			h.readBoard(ctx)
		case <-sample.C:
			h.history.sample()
		case <-h.changed:
			h.tellScreens()
			pause.Reset(tellHealth)
			select {
			case <-ctx.Done():
				return nil
			case <-pause.C:
			}
		}
	}
}

// settle gives back what starting took and running does not need: configuration and tables as they were read, and the
// pages of the program that only start runs through.
func (h *health) settle() {
	debug.FreeOSMemory()
	if n, err := board.ReleaseProgram(); err != nil {
		h.b.log.Debug("program stays mapped as it is", "released", n, "err", err)
	}
}

func (h *health) readBoard(ctx context.Context) {
	h.readReport()
	if n, ok := h.b.journal.Notice(); ok {
		h.b.warnings.Raise(warning.Warning{Code: n.Code, Severity: warning.Critical, Subject: "journal", Text: n.Text, Remedy: n.Remedy})
	} else {
		h.b.warnings.Lower("journal", "journal")
	}
	f, err := h.board.Read(ctx)
	if err != nil {
		h.b.log.Debug("board read in part", "err", err)
	}
	h.mu.Lock()
	h.figures = f
	h.mu.Unlock()
	h.temperature.Set(math.NaN())
	if f.TemperatureKnown {
		h.temperature.Set(f.Temperature)
	}
	h.throttled.Set(oneIf(f.Throttled.Now()))
	h.clock.Set(math.NaN())
	if f.ClockKnown {
		h.clock.Set(oneIf(f.ClockSet))
	}
	h.wear.Set(math.NaN())
	if f.WearKnown {
		h.wear.Set(float64(f.Wear) / 10)
	}
	h.disk.Set(float64(f.DiskFree))
	h.memory.Set(float64(f.MemoryAvailable))
	h.raise(f.TemperatureKnown && f.Temperature >= hot, "board_hot", warning.Warn, "board", int64(f.Temperature))
	h.raise(f.Throttled.UnderVoltage(), "board_power", warning.Warn, "board")
	h.raise(f.DiskTotal > 0 && f.DiskFree < diskLow && f.DiskFree >= diskTight, "disk_low", warning.Warn, "disk", int64(f.DiskFree>>20))
	h.raise(f.DiskTotal > 0 && f.DiskFree < diskTight, "disk_full", warning.Critical, "disk", int64(f.DiskFree>>20))
	h.raise(f.WearKnown && f.Wear >= cardWorn, "card_worn", warning.Warn, "card", int64(min(f.Wear, 10)*10))
	h.raise(f.MemoryTotal > 0 && f.MemoryAvailable < memoryLow, "memory_low", warning.Warn, "memory", int64(f.MemoryAvailable>>20))
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// raise shows or takes away a warning whose words are in the catalogue under its code.
func (h *health) raise(on bool, code, severity, subject string, args ...any) {
	if !on {
		h.b.warnings.Lower(code, subject)
		return
	}
	h.b.warnings.Raise(warning.Worded(h.words, code, severity, subject, args...))
}

// printer takes a printer's new condition; it is called by the driver and must not block. From ready to printing and back
// is no news: it happens with every ticket, and the job itself tells of it.
func (h *health) printer(st printer.Status) {
	h.mu.Lock()
	was := h.printers[st.Name]
	h.printers[st.Name] = st
	h.mu.Unlock()
	if conditionOf(was) == conditionOf(st) {
		return
	}
	h.up.WithLabelValues(st.Name).Set(oneIf(st.Up))
	paper := 2.0
	switch st.Paper {
	case printer.PaperEnd:
		paper = 0
	case printer.PaperLow:
		paper = 1
	}
	h.paper.WithLabelValues(st.Name).Set(paper)
	h.raise(st.State == printer.Offline, "printer_offline", warning.Critical, st.Name, st.Name)
	h.raise(st.State == printer.PaperOut, "printer_paper_out", warning.Critical, st.Name, st.Name)
	h.raise(st.State == printer.CoverOpen, "printer_cover_open", warning.Critical, st.Name, st.Name)
	h.raise(st.State == printer.Faulty, "printer_fault", warning.Critical, st.Name, st.Name)
	h.raise(st.Paper == printer.PaperLow, "printer_paper_low", warning.Warn, st.Name, st.Name)
	h.raise(st.State == printer.Paused, "printer_paused", warning.Info, st.Name, st.Name)
	h.raise(st.Up && st.Proof == printer.ProofNone, "printer_unverified", warning.Info, st.Name, st.Name)
	h.b.journal.Later(func(tx *journal.Tx) error {
		payload, err := json.Marshal(printerNotice{st.Name, string(st.State), string(st.Paper), st.Reason, st.Up})
		if err != nil {
			return err
		}
		tx.Change("printer", st.Name, payload)
		return h.b.printers.keepKnown(tx, st.Name)
	})
	h.stale()
}

// forget takes away what is shown of a printer that is gone.
func (h *health) forget(name string) {
	h.mu.Lock()
	delete(h.printers, name)
	h.mu.Unlock()
	h.up.DeleteLabelValues(name)
	h.paper.DeleteLabelValues(name)
	for _, w := range h.b.warnings.List() {
		if w.Subject == name && strings.HasPrefix(w.Code, "printer_") {
			h.b.warnings.Lower(w.Code, name)
		}
	}
	h.stale()
}

// condition is what of a printer's status is worth telling.
type condition struct {
	up     bool
	state  printer.PrinterState
	paper  printer.Paper
	reason string
	proof  printer.Proof
	device printer.Identity
}

func conditionOf(st printer.Status) condition {
	if st.State == printer.Printing {
		st.State = printer.Ready
	}
	return condition{st.Up, st.State, st.Paper, st.Reason, st.Proof, st.Identity}
}

// printerNotice is the payload of a "printer" row of the change feed.
type printerNotice struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Paper  string `json:"paper"`
	Reason string `json:"reason,omitempty"`
	Up     bool   `json:"up"`
}

// told follows the warnings into the change feed and to the screens. It runs under the warnings' own lock.
func (h *health) told(w warning.Warning, up bool) {
	state := "lowered"
	if up {
		state = "raised"
	}
	payload, err := json.Marshal(struct {
		warning.Warning
		State string `json:"state"`
	}{w, state})
	if err != nil {
		return // words from a catalogue always encode
	}
	h.b.journal.Later(func(tx *journal.Tx) error {
		tx.Change("warning", w.Code+" "+w.Subject, payload)
		return nil
	})
	h.stale()
}

func (h *health) stale() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// maxAlarms is how many grave warnings screens are told in words; they show the first.
const maxAlarms = 3

// tellScreens gives every kitchen screen and the pass the state of the printers, and what somebody must act on now.
func (h *health) tellScreens() {
	type shown struct {
		Name   string `json:"name"`
		State  string `json:"state"`
		Paper  string `json:"paper"`
		Reason string `json:"reason"`
		Queue  int    `json:"queue"`
	}
	data := struct {
		Printers []shown           `json:"printers"`
		Warnings int               `json:"warnings"`
		Alarms   []warning.Warning `json:"alarms"`
	}{Printers: []shown{}, Alarms: []warning.Warning{}}
	for _, w := range h.b.warnings.List() {
		if data.Warnings++; w.Severity == warning.Critical && len(data.Alarms) < maxAlarms {
			data.Alarms = append(data.Alarms, w)
		}
	}
	for _, p := range h.b.kitchen.Printers() {
		data.Printers = append(data.Printers, shown{p.Name, p.State, p.Paper, p.Reason, p.Queue})
	}
	line, err := json.Marshal(data)
	if err != nil {
		return // plain words and numbers
	}
	h.b.kitchen.Board().SetHealth(line)
	h.b.expo.SetHealth(line)
}

// fell shows that a service ended and is being started again.
func (h *health) fell(f supervise.Failure) {
	h.raise(true, "service_fell", warning.Warn, f.Service, f.Service, firstLine(f.Err.Error()))
}

// steady takes that back once it has held for a while.
func (h *health) steady(service string) { h.raise(false, "service_fell", warning.Warn, service) }

// panicked counts a handler that was caught; the request had its answer.
func (h *health) panicked(route string) {
	h.raise(true, "handler_panicked", warning.Warn, route, route)
}

func firstLine(s string) string {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

// ready answers /readyz.
type ready struct {
	Ready    bool              `json:"ready"`
	Reason   string            `json:"reason,omitzero"`
	Warnings []warning.Warning `json:"warnings"`
}

// routes are the answers about the box itself.
func (h *health) routes() []api.Route {
	people := []access.Role{access.Manager, access.Staff, access.Screen}
	type list struct {
		Warnings []warning.Warning `json:"warnings"`
	}
	metrics := promhttp.HandlerFor(h.b.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second, MaxRequestsInFlight: 4, EnableOpenMetrics: true})
	return []api.Route{
		{Method: "GET", Path: "/healthz", Tags: []string{"health"}, Summary: "The process lives", Type: "text/plain",
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				_, err := w.Write([]byte("ok\n"))
				return err
			}},
		{Method: "GET", Path: "/readyz", Tags: []string{"health"}, Summary: "An order can be taken now; devices that are down are warnings in the body",
			Answer: ready{}, Problems: []int{http.StatusServiceUnavailable}, Handle: h.readyz},
		{Method: "GET", Path: "/v1/warnings", Roles: people, Tags: []string{"health"}, Summary: "What is wrong now, the gravest first", Answer: list{},
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, list{h.b.warnings.List()})
			}},
		{Method: "GET", Path: "/v1/health", Roles: people, Tags: []string{"health"}, Summary: "The box's own figures with their last hour", Answer: figures{},
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, h.all())
			}},
		{Method: "GET", Path: "/metrics", Roles: []access.Role{access.Manager, access.Metrics}, Tags: []string{"health"}, Summary: "Prometheus metrics", Type: "text/plain",
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				metrics.ServeHTTP(w, r)
				return nil
			}},
	}
}

// readyz tells whether an order can be taken: the journal takes writes, and who asks has reached the listener. The
// names of devices are no secret on the box's own network; whoever is not signed in gets the verdict alone.
func (h *health) readyz(w http.ResponseWriter, r *http.Request) error {
	answer := ready{Ready: true, Warnings: []warning.Warning{}}
	if access.From(r.Context()).Someone() {
		answer.Warnings = h.b.warnings.List()
	}
	if err := h.b.journal.Err(); err != nil {
		answer.Ready, answer.Reason = false, "the journal cannot take an order now"
		return api.Answer(w, http.StatusServiceUnavailable, answer)
	}
	return api.Answer(w, http.StatusOK, answer)
}

// all gathers the figures of the Health page.
func (h *health) all() figures {
	h.mu.Lock()
	f := h.figures
	h.mu.Unlock()
	list, until := h.history.figures()
	for i := range list { // what is known now need not wait for its minute
		switch l := &list[i]; l.Name {
		case "queue":
			l.Value = 0
			for _, p := range h.b.kitchen.Printers() {
				l.Value, l.Limit = max(l.Value, point(p.Queue)), min(l.Limit, float64(p.QueueWarn))
			}
		case "temperature":
			if f.TemperatureKnown {
				l.Value = point(f.Temperature)
			}
		}
	}
	list = append(list,
		figure{Name: "disk_free", Value: point(f.DiskFree), Unit: "bytes", Metric: "aboyeur_board_disk_free_bytes"},
		figure{Name: "memory_available", Value: point(f.MemoryAvailable), Unit: "bytes", Metric: "aboyeur_board_memory_available_bytes"},
	)
	return figures{list, until}
}
