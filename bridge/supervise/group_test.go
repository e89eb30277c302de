package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"aboyeur/bridge/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func group(t *testing.T, c supervise.Config) *supervise.Group {
	t.Helper()
	c.Log = quiet
	g, err := supervise.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A service that always falls is started again after pauses that double up to the longest; the others go on.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewPedanticRegistry()
		var failures []supervise.Failure
		g := group(t, supervise.Config{Registerer: registry, OnFailure: func(f supervise.Failure) { failures = append(failures, f) }})
		var starts []time.Time
		g.Add("falls", func(context.Context) error {
			starts = append(starts, time.Now())
			switch len(starts) % 3 {
			case 0:
				panic("oh")
			case 1:
				return nil
			}
			return errors.New("no luck")
		})
		works := 0
		g.Add("works", func(ctx context.Context) error { works++; <-ctx.Done(); return ctx.Err() })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); g.Run(ctx) }()
		time.Sleep(5 * time.Minute) // the bubble's time
		stop()
		<-ended
		if works != 1 {
			t.Errorf("the other service began %d times, want once", works)
		}
		want := supervise.FirstPause
		for i, f := range failures {
			if f.Again > want || f.Again <= want*3/4-1 {
				t.Errorf("pause %d is %v, want a quarter less than %v at most", i, f.Again, want)
			}
			if i+1 < len(starts) && starts[i+1].Sub(starts[i]) != f.Again {
				t.Errorf("pause %d took %v, told was %v", i, starts[i+1].Sub(starts[i]), f.Again)
			}
			if f.Service != "falls" || f.Err == nil || f.Panicked != ((i+1)%3 == 0) {
				t.Errorf("failure %d: %+v", i, f)
			}
			if f.Panicked && !strings.Contains(f.Err.Error(), "panic: oh\n") {
				t.Errorf("failure %d does not show the panic: %v", i, f.Err)
			}
			want = min(2*want, supervise.LongestPause)
		}
		if len(failures) < 12 {
			t.Errorf("%d failures in five minutes", len(failures))
		}
		metric := fmt.Sprintf("# HELP aboyeur_service_restarts_total Times a supervised service ended or panicked and was started again.\n# TYPE aboyeur_service_restarts_total counter\n"+
			"aboyeur_service_restarts_total{service=\"falls\"} %d\naboyeur_service_restarts_total{service=\"works\"} 0\n", len(failures))
		if err := testutil.GatherAndCompare(registry, strings.NewReader(metric)); err != nil {
			t.Error(err)
		}
		if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
	})
}

// A service that ran well for a while begins with the first pause again, and whoever watches hears of it in order.
func TestSteady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		note := func(s string) { mu.Lock(); told = append(told, s); mu.Unlock() }
		runs := []time.Duration{0, 0, 0, supervise.Steady + time.Second, supervise.Steady - time.Second, time.Hour}
		g := group(t, supervise.Config{
			OnFailure: func(f supervise.Failure) {
				note("fell")
				if len(told) == 5 && f.Again > supervise.FirstPause { // after the steady run
					t.Errorf("pause %v after a steady run, want at most the first", f.Again)
				}
			},
			OnSteady: func(string) { note("steady") },
		})
		n := 0
		g.Add("x", func(ctx context.Context) error {
			n++
			select {
			case <-time.After(runs[n-1]):
				return errors.New("falls")
			case <-ctx.Done():
				return nil
			}
		})
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		g.Run(ctx)
		if got, want := strings.Join(told, " "), "fell fell fell steady fell fell steady"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})
}

func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fell := 0
		g := group(t, supervise.Config{OnFailure: func(supervise.Failure) { fell++; panic("in the hook") }})
		g.Add("clean", func(ctx context.Context) error { <-ctx.Done(); return nil })
		g.Add("with the context's error", func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("read: %w", ctx.Err()) })
		g.Add("with another", func(ctx context.Context) error { <-ctx.Done(); return errors.New("disk full") })
		g.Add("slowly", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(3 * time.Second); return nil })
		g.Add("waiting to rise", func(context.Context) error { return errors.New("falls") })
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		g.Run(ctx)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("Run took %v, want 4s: it waits for the slowest", took)
		}
		if fell == 0 {
			t.Error("nothing fell")
		}
	})
}

func TestTwoGroupsShareACounter(t *testing.T) {
	registry := prometheus.NewRegistry()
	for range 2 {
		group(t, supervise.Config{Registerer: registry}).Add("x", nil)
	}
	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "aboyeur_service_restarts_total", Help: "Something else."}))
	if _, err := supervise.New(supervise.Config{Registerer: taken}); err == nil {
		t.Error("a name that is taken was no error")
	}
}
