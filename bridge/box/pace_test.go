package box

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A pace is an open load: events come as a Poisson process, whatever became of those before, and what an event took runs from
// the moment the schedule gave. Events and floor take turns, so that both are of the same minute (bench/README.md).
type pace struct {
	t      *testing.T
	rate   int
	client *http.Client
	random *rand.Rand
	floor  string // its URL

	mu    sync.Mutex // guards what follows
	took  map[string][]time.Duration
	names []string
}

// segment is how long events come in a row, and then the floor.
const segment = 2 * time.Second

func newPace(t *testing.T, rate int) *pace {
	p := &pace{t: t, rate: rate, random: rand.New(rand.NewPCG(1, 2)), took: map[string][]time.Duration{}}
	p.client = &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256}}
	t.Cleanup(p.client.CloseIdleConnections)
	f, err := os.Create(filepath.Join(t.TempDir(), "floor"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var syncing sync.Mutex // of the file
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		syncing.Lock()
		defer syncing.Unlock()
		if _, err := f.Write(make([]byte, 1024)); err != nil {
			t.Error(err)
		}
		if err := f.Sync(); err != nil {
			t.Error(err)
		}
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-served; f.Close() })
	p.floor = "http://" + l.Addr().String()
	return p
}

// run has n events come, each in its own goroutine with the moment of the schedule, and after each segment of them one of the
// floor of half the length. It returns when all have ended.
func (p *pace) run(n int, event func(i int, at time.Time)) {
	for done := 0; done < n; {
		done += p.turn(segment, n-done, func(i int, at time.Time) { event(done+i, at) })
		time.Sleep(150 * time.Millisecond) // what is recorded afterwards is not synced in the floor's time
		p.turn(segment/2, n, func(_ int, at time.Time) {
			p.request(http.MethodPost, p.floor, "", bytes.Repeat([]byte("x"), 1024), nil)
			p.note("floor: append and fsync", time.Since(at))
		})
	}
}

// turn is one segment of at most n events.
func (p *pace) turn(length time.Duration, n int, event func(i int, at time.Time)) (done int) {
	var under sync.WaitGroup
	defer under.Wait()
	began := time.Now()
	for at := began; ; {
		at = at.Add(time.Duration(p.random.ExpFloat64() * float64(time.Second) / float64(p.rate)))
		if at.Sub(began) > length || done == n {
			return done
		}
		time.Sleep(time.Until(at))
		p.note("generator late", time.Since(at))
		i := done
		under.Go(func() { event(i, at) })
		done++
	}
}

// request sends body and reads the answer whole.
func (p *pace) request(method, url, token string, body []byte, header map[string]string) int {
	q, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return 0
	}
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range header {
		q.Header.Set(name, value)
	}
	answer, err := p.client.Do(q)
	if err != nil {
		p.t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode >= 300 {
		p.t.Errorf("%s %s: %d %s", method, url, answer.StatusCode, text)
	}
	return answer.StatusCode
}

// note keeps how long something took.
func (p *pace) note(what string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.took[what] == nil {
		p.names = append(p.names, what)
	}
	p.took[what] = append(p.took[what], d)
}

// forget drops what the warming up took.
func (p *pace) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.took)
	p.names = nil
}

// tell logs the figures.
func (p *pace) tell(title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, name := range p.names {
		list := p.took[name]
		slices.Sort(list)
		at := func(q float64) float64 {
			return float64(list[min(len(list)-1, int(q*float64(len(list))))].Microseconds()) / 1000
		}
		fmt.Fprintf(&b, "\n%-32s %5d  p50 %5.2f  p90 %5.2f  p99 %5.2f  most %5.2f ms", name, len(list), at(.5), at(.9), at(.99), at(1))
	}
	p.t.Logf("%s%s", title, b.String())
}
