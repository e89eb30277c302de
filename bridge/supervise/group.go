// Package supervise keeps services running: each has a name and a function that works until its context ends. One that
// returns early or panics is started again after a pause, is counted, and stops nothing else (design.md, "One order's
// way through the house").
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Pauses before a service is started again: the first, doubled with each failure up to the longest, and up to a quarter
// shorter by chance. A run of Steady without failure starts the count anew.
const (
	FirstPause   = 100 * time.Millisecond
	LongestPause = 30 * time.Second
	Steady       = time.Minute
)

// A Failure tells that a service ended although it should run. Panicked says that it did not end by itself.
type Failure struct {
	Service  string
	Err      error
	Panicked bool
	Again    time.Duration // the pause before the next start
}

// Config of a Group; the zero value counts nowhere and logs to slog.Default.
type Config struct {
	Log        *slog.Logger
	Registerer prometheus.Registerer
	OnFailure  func(Failure)        // called from the service's goroutine; may be nil
	OnSteady   func(service string) // a service that had failed ran Steady without failing again; may be nil
	Longest    time.Duration        // pause before a start; 0 means LongestPause
}

// Group is a set of services that live and end together.
type Group struct {
	config   Config
	restarts *prometheus.CounterVec
	services []service
}

type service struct {
	name string
	run  func(context.Context) error
}

// New returns an empty group.
func New(c Config) (*Group, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Longest <= 0 {
		c.Longest = LongestPause
	}
	g := &Group{config: c, restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "aboyeur_service_restarts_total",
		Help: "Times a supervised service ended or panicked and was started again.",
	}, []string{"service"})}
	if c.Registerer != nil {
		if err := c.Registerer.Register(g.restarts); err != nil {
			// Two groups of one box share the counter.
			var already prometheus.AlreadyRegisteredError
			if !errors.As(err, &already) {
				return nil, err
			}
			g.restarts = already.ExistingCollector.(*prometheus.CounterVec)
		}
	}
	return g, nil
}

// Add names a service before Run. run works until its context ends; nil or the context's error is then a clean end.
func (g *Group) Add(name string, run func(context.Context) error) {
	g.restarts.WithLabelValues(name)
	g.services = append(g.services, service{name, run})
}

// Run starts every service and returns when ctx has ended and all of them with it.
func (g *Group) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range g.services {
		all.Go(func() { g.keep(ctx, s) })
	}
	all.Wait()
}

// keep runs one service again and again until ctx ends.
func (g *Group) keep(ctx context.Context, s service) {
	pause := min(FirstPause, g.config.Longest)
	for failed := false; ; failed = true {
		// Whoever hears that the service is steady hears it before the next failure.
		told := make(chan struct{})
		var steady *time.Timer
		if failed && g.config.OnSteady != nil {
			steady = time.AfterFunc(Steady, func() {
				defer close(told)
				g.tell(func() { g.config.OnSteady(s.name) })
			})
		}
		began := time.Now()
		err, panicked := guard(ctx, s.run)
		if steady != nil && !steady.Stop() {
			<-told
		}
		if ctx.Err() != nil && !panicked {
			if err != nil && !errors.Is(err, ctx.Err()) {
				g.config.Log.Error("service ended with an error", "service", s.name, "err", err)
			}
			return
		}
		if err == nil {
			err = errors.New("ended although nobody asked it to")
		}
		if time.Since(began) >= Steady {
			pause = min(FirstPause, g.config.Longest)
		}
		// Jitter keeps services that fell together from rising together.
		again := pause - rand.N(pause/4+1)
		pause = min(2*pause, g.config.Longest)
		g.restarts.WithLabelValues(s.name).Inc()
		g.config.Log.Error("service fell", "service", s.name, "err", err, "again", again)
		if g.config.OnFailure != nil {
			g.tell(func() { g.config.OnFailure(Failure{s.name, err, panicked, again}) })
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// tell calls a hook; its panic is its own and stops no service.
func (g *Group) tell(hook func()) {
	defer func() {
		if p := recover(); p != nil {
			g.config.Log.Error("hook of the supervisor panicked", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	hook()
}

// guard turns a panic of run into an error with its stack.
func guard(ctx context.Context, run func(context.Context) error) (err error, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			err, panicked = fmt.Errorf("panic: %v\n%s", p, debug.Stack()), true
		}
	}()
	return run(ctx), false
}
