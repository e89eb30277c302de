package delivery

import (
	"context"
	"testing"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// TestChecklist: a step is done for one marketplace by somebody, stays over a restart, can be taken back, and a menu may go
// out only when those steps that it needs are done at every marketplace.
func TestChecklist(t *testing.T) {
	ctx := context.Background()
	j, err := journal.Open(ctx, journal.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- j.Run(run) }()
	defer func() { stop(); <-ended; j.Close() }()
	open := func(channels ...string) *Service {
		s := &Service{c: Config{Journal: j}}
		l := &link{Link: Link{Name: "otter", Title: "Otter"}}
		set := Defaults()
		for _, slug := range channels {
			set.Channels[slug] = Channel{}
		}
		l.settings.Store(&kept{Settings: set})
		s.links = append(s.links, l)
		return s
	}
	camille := access.Principal{Name: "Camille", Role: access.Manager}
	count := func(s *Service) (steps, missing int) {
		t.Helper()
		all, err := s.Checklist(ctx, "otter")
		if err != nil {
			t.Fatal(err)
		}
		rest, err := s.Missing(ctx, "otter")
		if err != nil {
			t.Fatal(err)
		}
		return len(all), len(rest)
	}
	if steps, missing := count(open()); steps != 4 || missing != 3 {
		t.Errorf("with no marketplace known %d steps, %d missing for the menu; want 4 and 3, of the aggregator itself", steps, missing)
	}
	s := open("ubereats", "deliveroo")
	if steps, missing := count(s); steps != 8 || missing != 6 {
		t.Errorf("%d steps, %d missing; want 8 and 6", steps, missing)
	}
	for _, partner := range []string{"ubereats", "deliveroo"} {
		for _, step := range forMenu() {
			if err := s.Tick(ctx, camille, "otter", partner, step, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	s = open("ubereats", "deliveroo") // after a restart
	if _, missing := count(s); missing != 0 {
		t.Errorf("%d missing after all are ticked", missing)
	}
	all, err := s.Checklist(ctx, "otter")
	if err != nil {
		t.Fatal(err)
	}
	if c := all[0]; c.Partner != "deliveroo" || c.Step != StepFormer || !c.Done || c.By != "Camille" || c.At.IsZero() {
		t.Errorf("the first step reads %+v", c)
	}
	if c := all[3]; c.Step != StepPayment || c.Done {
		t.Errorf("the payment reads %+v; a menu needs it not, and nobody did it", c)
	}
	if err := s.Tick(ctx, camille, "otter", "ubereats", StepMenu, false); err != nil {
		t.Fatal(err)
	}
	rest, err := s.Missing(ctx, "otter")
	if err != nil || len(rest) != 1 || rest[0].Partner != "ubereats" || rest[0].Step != StepMenu {
		t.Errorf("missing after one was taken back: %+v, %v", rest, err)
	}
	if _, err := s.Checklist(ctx, "nobody"); err != ErrNone {
		t.Errorf("a checklist of nobody: %v", err)
	}
}
