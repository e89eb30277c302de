// Package journaltest serves tests that need a journal: one that runs for the length of a test, and storage that fails on
// demand.
package journaltest

import (
	"context"
	"log/slog"
	"testing"

	"aboyeur/bridge/journal"
)

// Open opens a journal and runs it until the test ends. An empty c.Dir is a folder of the test's own, a nil c.Log writes
// into the test's log. Prepare, which may be nil, is called before Run, for Watch.
func Open(t testing.TB, c journal.Config, prepare func(*journal.Journal)) *journal.Journal {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	j, err := journal.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(j)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
		if err := j.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return j
}
