package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"aboyeur/bridge/box"
)

const (
	defaultTrial = time.Minute            // a bundle must be healthy within this
	lookEvery    = 250 * time.Millisecond // at a box that is coming up
	healthyFor   = 2 * time.Second        // so long before it counts
	aliveWithin  = 10 * time.Second       // a box that lives answers within this
)

// manager is systemd, or nobody.
type manager struct{ watchdog time.Duration } // 0: nobody waits for a sign of life

func newManager() manager {
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		d = 0 // a watchdog that cannot be read cannot be fed
	}
	return manager{d}
}

func (manager) tell(state string) { _, _ = daemon.SdNotify(false, state) } // without systemd nobody listens

func (m manager) ready(status string) { m.tell(daemon.SdNotifyReady + "\nSTATUS=" + status) }

func (m manager) stopping() { m.tell(daemon.SdNotifyStopping) }

// attend goes beside a box: it tells systemd when the box is ready and that it lives, judges a bundle on trial, and tells
// people what became of bundles.
func (s *service) attend(ctx context.Context, b *box.Box, p plan, verdicts chan<- verdict) {
	up := func() bool { return s.ask(ctx, b.Ready) == nil }
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	began := time.Now()
	status := fmt.Sprintf("site %s, bundle %d, %s", p.Config.Site.ID, p.Number, p.HTTP.Listen)
	said := status
	var before []string
	if p.Trial {
		said += ", on trial"
		var err error
		if before, err = s.store.Up(); err != nil {
			s.log.Warn("which devices were up is not known", "err", err)
		}
	}
	event := p.Event
	ready, trial := false, p.Trial
	var since time.Time // healthy without a break
	if event != nil && trial {
		s.tell(ctx, b, p)
		event = nil
	}
	for !ready || trial {
		now := up()
		if now && !ready {
			ready = true
			s.manager.ready(said)
		}
		if trial {
			missing := ""
			if now {
				missing = b.Missing(before)
			}
			switch {
			case !now || missing != "":
				since = time.Time{}
			case since.IsZero():
				since = time.Now()
			case time.Since(since) >= min(healthyFor, s.trial/10):
				trial = false
				if !s.confirm(ctx, b, p) {
					return
				}
				event = nil
				s.manager.ready(status)
				verdicts <- verdict{}
				continue
			}
			if time.Since(began) >= s.trial {
				if missing == "" {
					missing = "it does not take orders"
				}
				verdicts <- verdict{reason: missing}
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
	if event != nil {
		s.tell(ctx, b, p)
	}
	if p.Number == 0 {
		return
	}
	again, err := b.TakeSettings(ctx)
	if err != nil {
		s.log.Error("settings of the bundle are not in force", "bundle", p.Number, "err", err)
	}
	if again {
		verdicts <- verdict{again: true}
	}
}

// A verdict is what came out of attending to a box: a bundle on trial that is healthy, or is not.
type verdict struct {
	reason string // why it is not; "" it is
	again  bool   // instead: the box must start again, its settings have changed
}

// ask puts a question to the box and does not wait long for the answer.
func (s *service) ask(ctx context.Context, question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, aliveWithin)
	defer cancel()
	return question(ctx)
}

// confirm keeps a bundle that was found healthy. It reports false when that could not be written down: the bundle then
// stays on trial, and the next start tries it again.
func (s *service) confirm(ctx context.Context, b *box.Box, p plan) bool {
	if err := s.store.Confirm(ctx, p.Number); err != nil {
		s.log.Error("bundle is healthy, and that could not be written", "bundle", p.Number, "err", err)
		return false
	}
	s.keepUp(b)
	s.log.Info("bundle is healthy and stays", "bundle", p.Number)
	if st, err := s.store.Status(); err == nil && st.Event != nil {
		p.Event = st.Event
		s.tell(ctx, b, p)
	}
	return true
}

// tell lets people know, and forgets the event once they do.
func (s *service) tell(ctx context.Context, b *box.Box, p plan) {
	if err := b.Tell(ctx, *p.Event); err != nil {
		s.log.Warn("what became of a bundle was not told", "err", err)
		return
	}
	if err := s.store.Told(ctx, *p.Event); err != nil {
		s.log.Warn("what became of a bundle may be told twice", "err", err)
	}
}

// watch feeds the watchdog while alive says so.
func (s *service) watch(ctx context.Context, alive func(context.Context) error) {
	if s.manager.watchdog == 0 {
		return
	}
	feed := time.NewTicker(s.manager.watchdog / 3)
	defer feed.Stop()
	for {
		if err := s.ask(ctx, alive); err == nil {
			s.manager.tell(daemon.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			s.log.Error("no sign of life to the watchdog", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-feed.C:
		}
	}
}
