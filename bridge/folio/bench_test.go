package folio

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aboyeur/simulate/opera"
)

// commits is how often a charge is on disk before its answer leaves: received, sending, posted.
const commits = 3

// timed is a hotel system that adds up how long it took.
type timed struct {
	PMS
	mu    sync.Mutex
	spent map[string]time.Duration // by the check posted, or the terminal that asked
}

func (p *timed) Search(ctx context.Context, q Query) ([]Guest, error) {
	defer p.add(q.Workstation, time.Now())
	return p.PMS.Search(ctx, q)
}

func (p *timed) Post(ctx context.Context, m Message) (Answer, error) {
	defer p.add(m.Workstation, time.Now())
	return p.PMS.Post(ctx, m)
}

func (p *timed) add(terminal string, began time.Time) {
	d := time.Since(began)
	p.mu.Lock()
	p.spent[terminal] += d
	p.mu.Unlock()
}

func (p *timed) take(terminal string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.spent[terminal]
	delete(p.spent, terminal)
	return d
}

// BenchmarkPosting is a charge from the call to its answer, eight terminals at a time, at a hotel that answers at once,
// and beside it in the same run what the disk alone asks for: as many appends of 1 KiB, each synced, by eight at a time as
// well. Own is the time without what the hotel took for inquiry and posting.
func BenchmarkPosting(b *testing.B) {
	const terminals, each = 8, 25
	file := opera.DefaultFile()
	file.Guests = nil
	for i := range 40 {
		file.Guests = append(file.Guests, opera.Guest{Reservation: strconv.Itoa(5000 + i), Room: file.Rooms[i], Name: "Guest"})
	}
	hotel, err := opera.NewHotel(file, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	var clock *timed
	h := newHouse(b, opera.Config{Hotel: hotel}, speaking(func(h *house) PMS {
		clock = &timed{PMS: fiasLink(h), spent: map[string]time.Duration{}}
		return clock
	}))
	var mu sync.Mutex
	times := map[string][]time.Duration{}
	note := func(name string, d time.Duration) {
		mu.Lock()
		times[name] = append(times[name], d)
		mu.Unlock()
	}
	var next atomic.Int64
	charge := func(terminal string) {
		n := next.Add(1)
		g := file.Guests[int(n)%len(file.Guests)]
		r := Request{Room: g.Room, Reservation: g.Reservation, Guest: "Guest", Amount: new(int64(2350)), Currency: "EUR", Check: strconv.FormatInt(n, 10), Table: "12", Covers: 2,
			Workstation: terminal, Subtotals: []Item{{"food", 1850}, {"drinks", 500}}}
		began := time.Now()
		p, _, err := h.s.Place(b.Context(), till, fmt.Sprint(n), Order{Request: r, Wait: time.Minute})
		d := time.Since(began)
		if err != nil || p.State != Posted {
			b.Errorf("posting %d: %+v %v", n, p, err)
		}
		note("whole", d)
		note("own", d-clock.take(terminal))
	}
	line := make([]byte, 1024)
	dir := b.TempDir()
	disk := func(terminal string) {
		f, err := os.OpenFile(filepath.Join(dir, terminal), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			b.Error(err)
			return
		}
		defer f.Close()
		for range each {
			began := time.Now()
			for range commits {
				if _, err := f.Write(line); err != nil {
					b.Error(err)
				}
				if err := f.Sync(); err != nil {
					b.Error(err)
				}
			}
			note("floor", time.Since(began))
		}
	}
	for b.Loop() {
		var all sync.WaitGroup
		for i := range terminals {
			all.Go(func() {
				for range each {
					charge(fmt.Sprint("T", i))
				}
			})
		}
		all.Wait()
		for i := range terminals {
			all.Go(func() { disk(fmt.Sprint("T", i)) })
		}
		all.Wait()
	}
	b.StopTimer()
	at := func(name string, q float64) time.Duration {
		list := times[name]
		slices.Sort(list)
		return list[min(int(q*float64(len(list))), len(list)-1)]
	}
	for _, q := range []struct {
		name string
		q    float64
	}{{"p50", .5}, {"p99", .99}} {
		for _, name := range []string{"whole", "own", "floor"} {
			b.ReportMetric(float64(at(name, q.q).Microseconds())/1000, q.name+"-"+name+"-ms")
		}
		b.ReportMetric(float64(at("own", q.q))/float64(at("floor", q.q)), q.name+"-own/floor")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSearch is a keystroke that is answered from what is remembered.
func BenchmarkSearch(b *testing.B) {
	h := newHouse(b, opera.Config{})
	if _, err := h.s.search.find(b.Context(), "d"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.s.search.find(b.Context(), "dubois"); err != nil {
			b.Fatal(err)
		}
	}
}
