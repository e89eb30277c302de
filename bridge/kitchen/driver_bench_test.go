package kitchen

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"aboyeur/devices/port"
	"aboyeur/devices/printer"
	simulated "aboyeur/simulate/printer"
)

// A stopwatch is the way to a printer that is as fast as memory; it notes when a ticket's first byte comes, and how long
// the printer had nothing to do before.
type stopwatch struct {
	net.Conn
	t *times
}

type times struct {
	mu       sync.Mutex // guards what follows
	answered time.Time  // the printer said something
	first    chan time.Time
	gaps     []time.Duration
}

func (stopwatch) OneWay() bool { return false }

func (s stopwatch) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.t.mu.Lock()
	s.t.answered = time.Now()
	s.t.mu.Unlock()
	return n, err
}

func (s stopwatch) Write(b []byte) (int, error) {
	if len(b) > 200 { // not a question
		now := time.Now()
		s.t.mu.Lock()
		s.t.gaps = append(s.t.gaps, now.Sub(s.t.answered))
		s.t.mu.Unlock()
		select {
		case s.t.first <- now:
		default:
		}
	}
	return s.Conn.Write(b)
}

// driven puts the real driver on a simulated printer in memory behind the grill's queue.
func driven(b *testing.B, h *house) *times {
	b.Helper()
	sim, err := simulated.New(simulated.Config{Log: quiet, OmitText: true, Keep: -1})
	if err != nil {
		b.Fatal(err)
	}
	t := &times{first: make(chan time.Time, 1)}
	q := h.kitchen.Queue("grill")
	driver, err := printer.New(printer.Config{Name: "grill", Profile: q.c.Profile, Language: "en", Ledger: q, Words: EnvelopeWords(q.c.Words), Log: quiet,
		Open: func(ctx context.Context) (port.Port, error) {
			ours, theirs := net.Pipe()
			go sim.ServeConn(context.WithoutCancel(ctx), theirs)
			return stopwatch{ours, t}, nil
		}})
	if err != nil {
		b.Fatal(err)
	}
	q.Attach(driver)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- driver.Run(ctx) }()
	b.Cleanup(func() { stop(); <-ended; sim.Close() })
	await(b, func() bool { return driver.Status().State == printer.Ready })
	return t
}

func await(b *testing.B, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			b.Fatal("waited in vain")
		}
	}
}

// quantile of what was measured.
func quantile(all []time.Duration, q float64) time.Duration {
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// BenchmarkToPaper is what a restaurant waits for: from the order's commit to the first byte at the printer, the commit of
// its sending included, in times of the floor, one append of 1 KiB and its fsync on the same disk. The two take turns.
func BenchmarkToPaper(b *testing.B) {
	var asked time.Time // for the commit
	h := newHouse(b, func(h *house) { h.later, h.planned = 300*time.Millisecond, func() { asked = time.Now() } })
	t := driven(b, h)
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 1024)
	var paper, whole, floor []time.Duration
	idle := func() bool {
		st := h.kitchen.Queue("grill").printer.Status()
		return st.State == printer.Ready && !st.InHand
	}
	for b.Loop() {
		await(b, idle)
		select {
		case <-t.first:
		default:
		}
		start := time.Now()
		h.place(newOrder(dish(1, "Steak", "Grill"), dish(2, "Fish", "Grill")))
		first := <-t.first
		paper, whole = append(paper, first.Sub(asked)), append(whole, first.Sub(start))
		await(b, idle)
		start = time.Now()
		if _, err := file.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		floor = append(floor, time.Since(start))
	}
	b.ReportMetric(float64(quantile(paper, .5).Microseconds()), "µs-p50")
	b.ReportMetric(float64(quantile(paper, .99).Microseconds()), "µs-p99")
	b.ReportMetric(float64(quantile(whole, .5).Microseconds()), "µs-whole-p50")
	b.ReportMetric(float64(quantile(paper, .5))/float64(quantile(floor, .5)), "floors-p50")
	b.ReportMetric(float64(quantile(paper, .99))/float64(quantile(floor, .99)), "floors-p99")
}

// BenchmarkBurst is ten orders at once for one printer: how long it has nothing to do between two tickets, because of us.
func BenchmarkBurst(b *testing.B) {
	h := newHouse(b, func(h *house) { h.later = 300 * time.Millisecond })
	t := driven(b, h)
	var gaps []time.Duration
	for b.Loop() {
		await(b, func() bool { return !h.kitchen.Queue("grill").printer.Status().InHand })
		t.mu.Lock()
		t.gaps = t.gaps[:0]
		t.mu.Unlock()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { h.place(newOrder(dish(1, "Steak", "Grill"))) })
		}
		all.Wait()
		await(b, func() bool {
			t.mu.Lock()
			defer t.mu.Unlock()
			return len(t.gaps) == 10
		})
		t.mu.Lock()
		gaps = append(gaps, t.gaps[1:]...) // the first had waited for us to begin
		t.mu.Unlock()
	}
	b.ReportMetric(float64(quantile(gaps, .5).Microseconds()), "µs-gap-p50")
	b.ReportMetric(float64(quantile(gaps, .99).Microseconds()), "µs-gap-p99")
}
