package reservation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// proving is a platform whose proof of the link gives what a test says.
type proving struct {
	booking.Platform
	mu     sync.Mutex // guards answer
	answer error
}

func (p *proving) Capabilities() booking.Capabilities { return booking.Capabilities{Webhooks: true} }

func (p *proving) Activate(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer
}

// quiet is a relay with nothing to tell.
type quiet struct{ Relay }

func (quiet) Hold(string)                                  {}
func (quiet) Release(string)                               {}
func (quiet) Drop(*journal.Tx, string) error               { return nil }
func (quiet) Queue(context.Context, string) (Queue, error) { return Queue{}, nil }

type days struct{}

func (days) Day(t time.Time) string { return t.Format(time.DateOnly) }

// An activation that nothing confirms is over in time; where only a message can confirm it, that is tonight's first guest.
func TestActivationEnds(t *testing.T) {
	begin := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	var later atomic.Int64 // nanoseconds
	clock := func() time.Time { return begin.Add(time.Duration(later.Load())) }
	pass := func(d time.Duration) { later.Add(int64(d)) }
	ctx, stop := context.WithCancel(t.Context())
	j, err := journal.Open(ctx, journal.Config{Dir: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		j.Close()
	})
	p := &proving{answer: booking.ErrUnsupported}
	s, err := New(ctx, Config{Journal: j, Floor: struct{ Floor }{}, Relay: quiet{}, Calendar: days{}, Now: clock, Links: []Link{{Name: "thefork", Title: "TheFork", Venue: "1", Client: p}}})
	if err != nil {
		t.Fatal(err)
	}
	i, by := s.links[0], access.Principal{Name: "Ana", Role: access.Manager}
	activate := func() {
		t.Helper()
		if err := s.Activate(ctx, by, "thefork"); err != nil {
			t.Fatal(err)
		}
	}
	activate()
	if st := i.now(); st.State != Activating || !st.ExpiresAt.Equal(begin.Add(DefaultAwait)) {
		t.Fatalf("no call proves it: %+v", st)
	}
	if l, err := s.linked(ctx, i); err != nil || l == nil || l.By != "Ana" || !l.At.Equal(begin) {
		t.Errorf("linked by %+v, %v", l, err)
	}
	pass(DefaultAwait - time.Minute)
	if pause := s.step(ctx, i); pause > time.Minute || i.now().State != Activating {
		t.Errorf("a minute before the end: %v, next look in %v", i.now().State, pause)
	}
	pass(time.Minute)
	s.step(ctx, i)
	if st := i.now(); st.State != Inactive || st.Detail == "" {
		t.Errorf("at the end: %+v", st)
	}
	// A message in time proves the link, and it stays.
	activate()
	s.Heard("thefork", true)
	if err := j.Write(ctx, func(*journal.Tx) error { return nil }); err != nil { // what was said later is on disk by then
		t.Fatal(err)
	}
	pass(2 * DefaultAwait)
	s.step(ctx, i)
	if st := i.now(); st.State != Active || !st.ExpiresAt.IsZero() {
		t.Errorf("after a message: %+v", st)
	}
	// Where a call could prove it and none came through, nobody waits so long; another account's link is never taken over.
	if err := s.Disable(ctx, by, "thefork"); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.answer = booking.ErrLinkedElsewhere
	p.mu.Unlock()
	activate()
	if st := i.now(); st.State != LinkedElsewhere || i.on() {
		t.Errorf("linked elsewhere: %+v", st)
	}
	p.mu.Lock()
	p.answer = errors.New("refused")
	p.mu.Unlock()
	activate()
	if st := i.now(); st.State != Broken || st.Detail != "refused" || !i.on() {
		t.Errorf("refused: %+v", st)
	}
}

func TestMatchingWindow(t *testing.T) {
	seated := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	set := Defaults()
	for _, c := range []struct {
		minutes int
		want    bool
	}{{-21, false}, {-20, true}, {0, true}, {25, true}, {26, false}} {
		if got := set.within(seated.Add(time.Duration(c.minutes)*time.Minute), seated); got != c.want {
			t.Errorf("a check of %d minutes later: %v, want %v", c.minutes, got, c.want)
		}
	}
	set.MatchBefore, set.MatchAfter = 0, 241
	if set.within(seated.Add(-time.Second), seated) || !set.within(seated.Add(4*time.Hour), seated) {
		t.Error("the window is not the settings'")
	}
	if faults := set.check(); len(faults) != 1 || faults[0].Pointer != "/match_after_minutes" {
		t.Errorf("faults %v", faults)
	}
}
