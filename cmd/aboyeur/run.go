package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/box"
	"aboyeur/firmware-config/slot"
)

// runRun is the service: it works until it is told to stop.
func runRun(ctx context.Context, std stdio, args []string) int {
	flags := flag.NewFlagSet("aboyeur run", flag.ContinueOnError)
	flags.SetOutput(std.err)
	file := flags.String("config", "/etc/aboyeur/box.yaml", "the configuration `FILE`, used while no bundle is in force")
	slots := flags.String("firmware", "", "the `FOLDER` of configuration bundles; without it only --config counts")
	trial := flags.Duration("trial", defaultTrial, "how long a new bundle may take to be healthy")
	verbose := flags.Bool("verbose", false, "log every request and record")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitFailed
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	s := &service{file: *file, trial: *trial, log: newLog(std.err, *verbose), manager: newManager()}
	if *slots != "" {
		store, err := slot.Open(slot.Config{Dir: *slots, Program: version})
		if err != nil {
			fmt.Fprintln(std.err, "aboyeur:", err)
			return exitFailed
		}
		defer store.Close()
		s.store, s.slots = store, *slots
	}
	if err := s.serve(ctx, hangup); err != nil {
		fmt.Fprintln(std.err, "aboyeur:", err)
		return exitFailed
	}
	return exitOK
}

// service runs boxes one after the other: each hangup that finds a valid configuration ends one and starts the next on
// it. Their listener stays open between them, so that a client waits a moment and is not refused. A configuration that
// is not valid, or on which no box starts, changes nothing; a bundle that is not healthy in time is given back.
type service struct {
	file    string
	store   *slot.Store // nil: no bundles
	slots   string
	trial   time.Duration
	log     *slog.Logger
	manager manager

	door *net.TCPListener
}

// plan is a configuration to run a box on.
type plan struct {
	*firmwareconfig.Config
	slot.Running
}

var (
	errNothing = errors.New("no configuration yet")
	errStopped = errors.New("told to stop")
)

func (s *service) serve(ctx context.Context, hangup <-chan os.Signal) error {
	defer func() {
		if s.door != nil {
			s.door.Close()
		}
	}()
	p, err := s.first(ctx, hangup)
	var before *plan
	for err == nil {
		b, fault := s.start(ctx, p)
		switch {
		case fault != nil && p.Trial:
			p, err = s.giveBack(ctx, p, firstLine(fault.Error()))
		case fault != nil && before != nil:
			s.log.Error("no box starts on the new configuration, the old one comes back", "err", fault)
			p, before = *before, nil
			continue
		case fault != nil:
			return fault
		default:
			s.log.Info("box runs", "site", p.Config.Site.ID, "listen", s.door.Addr().String(), "data", p.Data.Dir, "bundle", p.Number, "version", version)
			var next plan
			next, err = s.runUntil(ctx, b, p, hangup)
			if err == nil && next.HTTP.Listen != p.HTTP.Listen {
				s.door.Close()
				s.door = nil
			}
			before = nil
			if old := p; err == nil && old.Number == 0 && next.Number == 0 {
				before = &old
			}
			p = next
		}
		if errors.Is(err, errNothing) {
			p, err = s.first(ctx, hangup)
		}
	}
	if errors.Is(err, errStopped) {
		s.log.Info("box stopped")
		return nil
	}
	return err
}

// first waits until there is a configuration.
func (s *service) first(ctx context.Context, hangup <-chan os.Signal) (plan, error) {
	for {
		p, err := s.load(ctx)
		if !errors.Is(err, errNothing) {
			return p, err
		}
		s.log.Info("waiting for the first bundle", "slots", s.slots)
		s.manager.ready("waiting for the first configuration bundle, by cable or stick")
		idle, rest := context.WithCancel(ctx)
		var feeding sync.WaitGroup
		feeding.Go(func() { s.watch(idle, func(context.Context) error { return nil }) })
		select {
		case <-ctx.Done():
			err = errStopped
		case <-hangup:
			err = nil
		}
		rest()
		feeding.Wait()
		if err != nil {
			return plan{}, err
		}
	}
}

// load finds the configuration to run on: of the bundle in force, else the plain file.
func (s *service) load(ctx context.Context) (p plan, err error) {
	file := s.file
	if s.store != nil {
		if p.Running, err = s.store.Start(ctx); err != nil {
			return p, err
		}
		if p.Fault != nil {
			s.log.Error("what was decided about bundles could not be written", "err", p.Fault)
		}
		if p.Running.Config != "" {
			file = p.Running.Config
		}
	}
	p.Config, err = firmwareconfig.Load(file)
	switch {
	case err != nil && p.Trial:
		return s.giveBack(ctx, p, firstLine(err.Error()))
	case errors.Is(err, os.ErrNotExist) && s.store != nil && p.Number == 0:
		return p, errNothing
	}
	return p, err
}

// giveBack returns from a bundle on trial and loads what is in force then.
func (s *service) giveBack(ctx context.Context, p plan, reason string) (plan, error) {
	s.log.Error("bundle is not healthy, the former configuration comes back", "bundle", p.Number, "err", reason)
	if err := s.store.Return(ctx, p.Number, reason); err != nil {
		return p, err
	}
	return s.load(ctx)
}

// start builds a box on c behind the door, which it opens when it is shut.
func (s *service) start(ctx context.Context, p plan) (*box.Box, error) {
	if s.door == nil {
		l, err := net.Listen("tcp", p.HTTP.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", p.HTTP.Listen, err)
		}
		s.door = l.(*net.TCPListener)
	}
	// The box closes the listener it is given; a second descriptor keeps the door open behind it.
	f, err := s.door.File()
	if err != nil {
		return nil, fmt.Errorf("keep the listener: %w", err)
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("keep the listener: %w", err)
	}
	b, err := box.New(ctx, p.Config, box.Options{Version: version, Log: s.log, Listener: l, Bundle: box.Bundle{Number: p.Number, Trial: p.Trial, Dir: s.slots}})
	if err != nil {
		l.Close()
	}
	return b, err
}

// runUntil runs b until there is another configuration to run on, because a hangup found a valid one or the bundle on trial
// was not healthy. When ctx ends first the error is errStopped.
func (s *service) runUntil(ctx context.Context, b *box.Box, p plan, hangup <-chan os.Signal) (plan, error) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- b.Run(running) }()
	verdicts := make(chan verdict, 2)
	beside.Go(func() { s.attend(running, b, p, verdicts) })
	beside.Go(func() { s.watch(running, b.Alive) })
	end := func() error {
		if !p.Trial {
			s.keepUp(b)
		}
		stop()
		return <-ended
	}
	for {
		select {
		case err := <-ended: // nobody told it to
			if err == nil {
				err = errors.New("the box ended by itself")
			}
			return plan{}, err
		case <-ctx.Done():
			s.manager.stopping()
			if err := end(); err != nil {
				return plan{}, err
			}
			return plan{}, errStopped
		case v := <-verdicts:
			if v == (verdict{}) {
				p.Trial = false
				continue
			}
			if err := end(); err != nil {
				return plan{}, err
			}
			if v.again {
				return s.load(context.WithoutCancel(ctx))
			}
			return s.giveBack(context.WithoutCancel(ctx), p, v.reason)
		case <-hangup:
			next, err := s.load(ctx)
			if err != nil {
				s.log.Error("configuration not reloaded, the old one stays", "err", err)
				continue
			}
			return next, end()
		}
	}
}

// keepUp remembers which devices were up, for the bundle that comes next.
func (s *service) keepUp(b *box.Box) {
	if s.store == nil {
		return
	}
	up, _ := b.Devices()
	if err := s.store.KeepUp(up); err != nil {
		s.log.Warn("which devices are up was not noted", "err", err)
	}
}

func firstLine(s string) string {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}
