package journal_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	flag.Set("rapid.checks", draws) // unless the command line asks for more
	goleak.VerifyTestMain(m)
}

// quiet is a log for tests that provoke errors.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// note writes one audit row and one change.
func note(subject string) func(*journal.Tx) error {
	return func(tx *journal.Tx) error {
		tx.Change("order", subject, []byte(`{"n":"`+subject+`"}`))
		return tx.Audit("léa", "staff", "note", subject, "")
	}
}

func notes(t testing.TB, j *journal.Journal) []string {
	t.Helper()
	entries, err := j.AuditLog(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, e := range slices.Backward(entries) {
		subjects = append(subjects, e.Subject)
	}
	return subjects
}

// eventually polls a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came: %s", what)
		}
	}
}

// hold occupies the writer until the returned function is called.
func hold(t testing.TB, j *journal.Journal) (release func()) {
	t.Helper()
	inside, free := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- j.Insist(context.Background(), func(*journal.Tx) error {
			close(inside)
			<-free
			return nil
		})
	}()
	<-inside
	return func() {
		close(free)
		if err := <-ended; err != nil {
			t.Errorf("the holding write = %v", err)
		}
	}
}

// waiting reads how many writes wait for the next commit.
func waiting(t testing.TB, r *prometheus.Registry) int {
	return int(gather(t, r, "aboyeur_journal_waiting_writes").GetGauge().GetValue())
}

func gather(t testing.TB, r *prometheus.Registry, name string) *dto.Metric {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0]
		}
	}
	t.Fatalf("no metric %s", name)
	return nil
}

func TestWriteIsReadBack(t *testing.T) {
	var told []journal.Change
	at := time.Date(2026, 11, 21, 19, 4, 5, 123456789, time.FixedZone("CET", 3600))
	j := journaltest.Open(t, journal.Config{Now: func() time.Time { return at }}, func(j *journal.Journal) {
		j.Watch(func(c []journal.Change) { told = append(told, c...) })
	})
	for n := range 3 {
		if err := j.Write(t.Context(), note(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
		if j.Seq() != int64(n+1) {
			t.Errorf("Seq = %d after write %d", j.Seq(), n+1)
		}
	}
	var want []journal.Change
	for n := range int64(3) {
		s := fmt.Sprint(n)
		want = append(want, journal.Change{Seq: n + 1, At: at.UTC().Truncate(time.Microsecond), Kind: "order", Subject: s, Payload: []byte(`{"n":"` + s + `"}`)})
	}
	got, err := j.Since(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Since(0), -want +got:\n%s", d)
	}
	if got, err := j.Since(t.Context(), 1, 1); err != nil || len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("Since(1, 1) = %v, %v, want change 2", got, err)
	}
	if got, err := j.Since(t.Context(), 3, 100); err != nil || len(got) != 0 {
		t.Errorf("Since(3) = %v, %v, want nothing", got, err)
	}
	if _, err := j.Since(t.Context(), 4, 100); !errors.Is(err, journal.ErrHorizon) {
		t.Errorf("Since(4) = %v, want ErrHorizon", err)
	}
	// The watcher runs after the caller has its answer; an empty write comes after it.
	if err := j.Write(t.Context(), func(*journal.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("watched, -want +got:\n%s", d)
	}
}

func TestWriterIsDurable(t *testing.T) {
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "wal_autocheckpoint": "0"} {
		if got, err := j.WriterPragma(name); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	if _, err := j.Read().ExecContext(t.Context(), `DELETE FROM changes`); err == nil {
		t.Error("a reader deleted rows")
	}
}

func TestWritesShareACommit(t *testing.T) {
	r := prometheus.NewRegistry()
	j := journaltest.Open(t, journal.Config{Registerer: r}, nil)
	release := hold(t, j)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			if err := j.Write(t.Context(), note(fmt.Sprint(n))); err != nil {
				t.Errorf("Write = %v", err)
			}
		})
	}
	eventually(t, "20 writes waiting", func() bool { return waiting(t, r) == 20 })
	release()
	all.Wait()
	h := gather(t, r, "aboyeur_journal_batch_writes").GetHistogram()
	if h.GetSampleCount() != 1 || h.GetSampleSum() != 20 {
		t.Errorf("%d commits of %g writes, want 1 of 20", h.GetSampleCount(), h.GetSampleSum())
	}
	if got := len(notes(t, j)); got != 20 {
		t.Errorf("%d rows, want 20", got)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := promlint.NewWithMetricFamilies(families).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}

func TestWriteBeyondTheLimitIsRefused(t *testing.T) {
	r := prometheus.NewRegistry()
	j := journaltest.Open(t, journal.Config{Registerer: r}, nil)
	release := hold(t, j)
	var all sync.WaitGroup
	for n := range journal.DefaultInFlight {
		all.Go(func() {
			if err := j.Write(t.Context(), note(fmt.Sprint(n))); err != nil {
				t.Errorf("Write = %v", err)
			}
		})
	}
	eventually(t, "256 writes waiting", func() bool { return waiting(t, r) == journal.DefaultInFlight })
	if err := j.Write(t.Context(), note("one too many")); err != journal.ErrBusy {
		t.Errorf("the 257th Write = %v, want ErrBusy", err)
	}
	all.Go(func() {
		if err := j.Insist(t.Context(), note("a printer")); err != nil {
			t.Errorf("Insist = %v", err)
		}
	})
	release()
	all.Wait()
	if got := notes(t, j); len(got) != journal.DefaultInFlight+1 || slices.Contains(got, "one too many") {
		t.Errorf("%d rows, want 257 without the refused one", len(got))
	}
	if err := j.Write(t.Context(), note("next")); err != nil {
		t.Errorf("Write after the rush = %v", err)
	}
	if got := gather(t, r, "aboyeur_journal_refused_total").GetCounter().GetValue(); got != 1 {
		t.Errorf("refused_total = %g, want 1", got)
	}
}

func TestFailureUndoesOneCallerOnly(t *testing.T) {
	r := prometheus.NewRegistry()
	var told []string
	j := journaltest.Open(t, journal.Config{Registerer: r, Log: quiet}, func(j *journal.Journal) {
		j.Watch(func(c []journal.Change) {
			for _, c := range c {
				told = append(told, fmt.Sprintf("%d %s", c.Seq, c.Subject))
			}
		})
	})
	refused := errors.New("no such table")
	cases := []struct {
		name string
		fn   func(*journal.Tx) error
		want string // in the error
	}{
		{"fine", note("a"), ""},
		{"own error", func(tx *journal.Tx) error { note("b")(tx); return refused }, "no such table"},
		{"panic", func(tx *journal.Tx) error { note("c")(tx); panic("soup") }, "write panicked: soup"},
		{"also fine", note("d"), ""},
		{"bad statement", func(tx *journal.Tx) error { note("e")(tx); tx.Exec("DELETE FROM soup"); return nil }, "no such table: soup"},
		{"refused row", func(tx *journal.Tx) error {
			const row = `INSERT INTO meta (name, value) VALUES ('epoch', '')`
			if _, err := tx.Exec(row); !journal.IsConstraint(err) {
				t.Errorf("second epoch = %v, want a constraint error", err)
			}
			return note("f")(tx)
		}, ""},
	}
	release := hold(t, j)
	errs := make([]error, len(cases))
	var all sync.WaitGroup
	for i, c := range cases {
		all.Go(func() { errs[i] = j.Write(t.Context(), c.fn) })
		eventually(t, "the write waiting", func() bool { return waiting(t, r) == i+1 })
	}
	release()
	all.Wait()
	for i, c := range cases {
		if (c.want == "") != (errs[i] == nil) || c.want != "" && !strings.Contains(errs[i].Error(), c.want) {
			t.Errorf("%s: Write = %v, want %q", c.name, errs[i], c.want)
		}
	}
	if !errors.Is(errs[1], refused) {
		t.Errorf("own error came back as %v", errs[1])
	}
	if got, want := notes(t, j), []string{"a", "d", "f"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	j.Write(t.Context(), func(*journal.Tx) error { return nil })
	if want := []string{"1 a", "2 d", "3 f"}; !slices.Equal(told, want) {
		t.Errorf("changes %q, want %q", told, want)
	}
}

// TestTry holds that a part fails alone, with its hooks told, and that what stood before and comes after it is kept.
func TestTry(t *testing.T) {
	for _, batch := range []int{1, 3} { // alone in its transaction, and one of several
		var told []string
		j := journaltest.Open(t, journal.Config{Log: quiet}, func(j *journal.Journal) {
			j.Watch(func(c []journal.Change) {
				for _, c := range c {
					told = append(told, fmt.Sprintf("%d %s", c.Seq, c.Subject))
				}
			})
		})
		refused := errors.New("no such table")
		var heard []string
		hooks := func(tx *journal.Tx, name string) {
			tx.After(func(err error) { heard = append(heard, fmt.Sprint(name, " after ", err)) })
			tx.Follow(func(err error) { heard = append(heard, fmt.Sprint(name, " follows ", err)) })
		}
		whole := func(tx *journal.Tx) error {
			note("before")(tx)
			hooks(tx, "whole")
			for _, part := range []struct {
				want string
				fn   func(*journal.Tx) error
			}{
				{"<nil>", func(tx *journal.Tx) error {
					return errors.Join(note("good")(tx), tx.Try(func(tx *journal.Tx) error { return note("inner")(tx) }))
				}},
				{"no such table", func(tx *journal.Tx) error { hooks(tx, "part"); note("bad")(tx); return refused }},
				{"write panicked: soup", func(tx *journal.Tx) error { note("worse")(tx); panic("soup") }},
				{"<nil>", func(tx *journal.Tx) error {
					tx.Try(func(tx *journal.Tx) error { note("inner bad")(tx); return refused })
					return note("outer")(tx)
				}},
			} {
				if err := tx.Try(part.fn); fmt.Sprint(err) != part.want {
					t.Errorf("Try = %v, want %s", err, part.want)
				}
			}
			return note("after")(tx)
		}
		release := hold(t, j)
		var all sync.WaitGroup
		for n := range batch {
			all.Go(func() {
				fn := whole
				if n > 0 {
					fn = func(*journal.Tx) error { return nil }
				}
				if err := j.Write(t.Context(), fn); err != nil {
					t.Error(err)
				}
			})
		}
		release()
		all.Wait()
		if got, want := notes(t, j), []string{"before", "good", "inner", "outer", "after"}; !slices.Equal(got, want) {
			t.Errorf("rows %q, want %q", got, want)
		}
		j.Write(t.Context(), func(*journal.Tx) error { return nil })
		if want := []string{"1 before", "2 good", "3 inner", "4 outer", "5 after"}; !slices.Equal(told, want) {
			t.Errorf("changes %q, want %q", told, want)
		}
		if want := []string{"part after no such table", "part follows no such table", "whole after <nil>", "whole follows <nil>"}; !slices.Equal(heard, want) {
			t.Errorf("hooks %q, want %q", heard, want)
		}
		spoiled := func(tx *journal.Tx) error {
			tx.Try(func(tx *journal.Tx) error { _, err := tx.Exec("DELETE FROM soup"); return err })
			return note("lost")(tx)
		}
		if err := j.Write(t.Context(), spoiled); err == nil || !strings.Contains(err.Error(), "no such table: soup") {
			t.Errorf("a part that storage refused: %v", err)
		}
	}
}

func TestTxIsGoodWithinItsFunctionOnly(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	var kept *journal.Tx
	j.Write(t.Context(), func(tx *journal.Tx) error { kept = tx; return nil })
	if _, err := kept.Exec(`DELETE FROM changes`); err == nil {
		t.Error("Exec after the function returned = nil")
	}
}

func TestTxReads(t *testing.T) {
	type role string
	j := journaltest.Open(t, journal.Config{}, nil)
	id := j.NewID()
	err := j.Write(t.Context(), func(tx *journal.Tx) error {
		var (
			got     journal.ID
			at      time.Time
			name    role
			small   int32
			big     uint64
			yes     bool
			share   float64
			absent  *string
			present *string
			null    sql.NullString
			text    []byte
			other   any
		)
		err := tx.QueryRow(`SELECT ?, ?, ?, ?, ?, ?, ?, NULL, 'x', NULL, 'text', 7`, []any{id, tx.Now(), role("chef"), int32(-3), uint64(9), true, 0.5},
			&got, &at, &name, &small, &big, &yes, &share, &absent, &present, &null, &text, &other)
		if err != nil {
			return err
		}
		if got != id || !at.Equal(tx.Now()) || name != "chef" || small != -3 || big != 9 || !yes || share != 0.5 || absent != nil || *present != "x" || null.Valid ||
			string(text) != "text" || other != int64(7) {
			t.Error("values came back changed:", got, at, name, small, big, yes, share, absent, *present, null, string(text), other)
		}
		if err := tx.QueryRow(`SELECT 1 WHERE 0`, nil, &small); err != sql.ErrNoRows {
			t.Errorf("QueryRow without a row = %v, want sql.ErrNoRows", err)
		}
		// The same text within itself, and writing while reading.
		const two = `SELECT 1 UNION SELECT 2`
		var seen []string
		err = tx.Query(two, nil, func(scan func(...any) error) error {
			var outer int
			if err := scan(&outer); err != nil {
				return err
			}
			return tx.Query(two, nil, func(scan func(...any) error) error {
				var inner int
				if err := scan(&inner); err != nil {
					return err
				}
				seen = append(seen, fmt.Sprint(outer, inner))
				return tx.Audit("", "", "", fmt.Sprint(outer, inner), "")
			})
		})
		if want := []string{"1 1", "1 2", "2 1", "2 2"}; err != nil || !slices.Equal(seen, want) {
			t.Errorf("nested Query saw %q, %v, want %q", seen, err, want)
		}
		stop := errors.New("enough")
		if err := tx.Query(two, nil, func(func(...any) error) error { return stop }); err != stop {
			t.Errorf("Query = %v, want the callback's error", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for name, dest := range map[string]any{"NULL": new(int), "text for a number": new(int64), "no pointer": 7, "overflow": new(int8)} {
		query := map[string]string{"NULL": "SELECT NULL", "text for a number": "SELECT 'x'", "no pointer": "SELECT 1", "overflow": "SELECT 1000"}[name]
		err := j.Write(t.Context(), func(tx *journal.Tx) error { return tx.QueryRow(query, nil, dest) })
		if err == nil {
			t.Errorf("%s: scanned into %T", name, dest)
		}
	}
}

func TestStatementsKeptAreBounded(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	for round := range 3 {
		err := j.Write(t.Context(), func(tx *journal.Tx) error {
			if n := tx.Statements(); n > journal.MaxStatements+2 {
				t.Errorf("round %d: %d statements kept", round, n)
			}
			for n := range journal.MaxStatements {
				var v int
				if err := tx.QueryRow(fmt.Sprintf("SELECT %d", round*10_000+n), nil, &v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutcomeIsToldInOrder(t *testing.T) {
	r := prometheus.NewRegistry()
	var order []string // written by the writer's goroutine alone, read after a later write
	j := journaltest.Open(t, journal.Config{Registerer: r, LaterDelay: time.Hour, Log: quiet}, func(j *journal.Journal) {
		j.Watch(func(c []journal.Change) { order = append(order, fmt.Sprintf("watch %d", len(c))) })
		j.Watch(func(c []journal.Change) { panic("a watcher's fault") })
	})
	step := func(name string, fail error) func(*journal.Tx) error {
		return func(tx *journal.Tx) error {
			order = append(order, "run "+name)
			tx.After(func(err error) { order = append(order, fmt.Sprintf("after %s: %v", name, err)) })
			tx.After(func(err error) { panic("a hook's fault") })
			note(name)(tx)
			return fail
		}
	}
	release := hold(t, j)
	j.Later(step("a", nil))
	var all sync.WaitGroup
	all.Go(func() { j.Write(t.Context(), step("b", errors.New("no"))) })
	eventually(t, "the write waiting", func() bool { return waiting(t, r) == 2 })
	j.Later(step("c", nil))
	release()
	all.Wait()
	j.Write(t.Context(), func(*journal.Tx) error { return nil })
	want := []string{"run a", "run b", "after b: no", "run c", "after a: <nil>", "after c: <nil>", "watch 2"}
	if d := cmp.Diff(want, order); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestLaterCommitsByItself(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := journaltest.Open(t, journal.Config{Dir: dir}, nil)
		began := time.Now()
		durable := make(chan time.Duration, 2)
		j.Later(func(tx *journal.Tx) error {
			tx.After(func(error) { durable <- time.Since(began) })
			return note("a")(tx)
		})
		if took := <-durable; took != journal.DefaultLaterDelay {
			t.Errorf("durable after %v, want %v", took, journal.DefaultLaterDelay)
		}
		// It takes any commit that comes first.
		began = time.Now()
		j.Later(func(tx *journal.Tx) error {
			tx.After(func(error) { durable <- time.Since(began) })
			return note("b")(tx)
		})
		if err := j.Write(t.Context(), note("c")); err != nil {
			t.Error(err)
		}
		if took := <-durable; took != 0 {
			t.Errorf("durable after %v, want the next commit", took)
		}
		if got, want := notes(t, j), []string{"a", "b", "c"}; !slices.Equal(got, want) {
			t.Errorf("rows %q, want %q", got, want)
		}
	})
}

func TestManyLatersCommitAtOnce(t *testing.T) {
	j := journaltest.Open(t, journal.Config{LaterDelay: time.Hour, Log: quiet}, nil)
	ran := make(chan struct{}, journal.MaxLaters)
	for range journal.MaxLaters {
		j.Later(func(*journal.Tx) error { ran <- struct{}{}; return nil })
	}
	for range journal.MaxLaters {
		<-ran
	}
}

func TestCancelledWriteTellsTheTruth(t *testing.T) {
	r := prometheus.NewRegistry()
	j := journaltest.Open(t, journal.Config{Registerer: r}, nil)
	release := hold(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Write(ctx, note("withdrawn")) }()
	eventually(t, "the write waiting", func() bool { return waiting(t, r) == 1 })
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("Write before its turn = %v, want context.Canceled", err)
	}
	release()
	if err := j.Write(ctx, note("never")); err != context.Canceled {
		t.Errorf("Write with an ended context = %v", err)
	}

	ctx, cancel = context.WithCancel(t.Context())
	err := j.Write(ctx, func(tx *journal.Tx) error {
		cancel() // begun: its outcome is waited for
		return note("begun")(tx)
	})
	if err != nil {
		t.Errorf("Write cancelled after it was begun = %v, want nil", err)
	}
	if got, want := notes(t, j), []string{"begun"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func TestWritesWaitForTheFirstRun(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), journal.Config{Dir: dir, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	ended := make(chan error, 1)
	go func() { ended <- j.Write(t.Context(), note("early")) }()
	ctx, stop := context.WithCancel(t.Context())
	run := make(chan error, 1)
	go func() { run <- j.Run(ctx) }()
	if err := <-ended; err != nil {
		t.Errorf("Write = %v", err)
	}
	if err := j.Run(t.Context()); err == nil {
		t.Error("a second Run beside the first = nil")
	}
	stop()
	if err := <-run; err != nil {
		t.Errorf("Run = %v", err)
	}
	if err := j.Write(t.Context(), note("late")); !errors.Is(err, journal.ErrDown) {
		t.Errorf("Write after Run = %v, want ErrDown", err)
	}
	if !errors.Is(j.Err(), journal.ErrDown) {
		t.Errorf("Err after Run = %v, want ErrDown", j.Err())
	}
	// A last word of somebody who ends later still gets into the file.
	j.Later(note("last word"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j.Later(note("too late"))
	again := journaltest.Open(t, journal.Config{Dir: dir}, nil)
	if got, want := notes(t, again), []string{"early", "last word"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func TestStoppingCommitsWhatWaits(t *testing.T) {
	j, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), LaterDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	ctx, stop := context.WithCancel(t.Context())
	run := make(chan error, 1)
	go func() { run <- j.Run(ctx) }()
	j.Later(note("a"))
	stop()
	if err := <-run; err != nil {
		t.Fatal(err)
	}
	if got, want := notes(t, j), []string{"a"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func TestFeedIsPruned(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	j := journaltest.Open(t, journal.Config{Now: func() time.Time { return now }}, nil)
	write := func(n int) {
		t.Helper()
		for range n / 100 {
			err := j.Write(t.Context(), func(tx *journal.Tx) error {
				for range 100 {
					tx.Change("order", "x", nil)
				}
				_, _, err := tx.Idempotent("till", now.String(), [32]byte{}, "x")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	rows := func(query string) (n int) {
		t.Helper()
		if err := j.Read().QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	write(500)
	now = now.Add(8 * 24 * time.Hour)
	write(journal.KeepLatest - 100)
	if err := j.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rows(`SELECT max(seq) - min(first) + 1 FROM changes`); got != journal.KeepLatest {
		t.Errorf("%d changes kept, want %d", got, journal.KeepLatest)
	}
	if _, err := j.Since(t.Context(), 399, 1); !errors.Is(err, journal.ErrHorizon) {
		t.Errorf("Since(399) = %v, want ErrHorizon", err)
	}
	if c, err := j.Since(t.Context(), 400, 1); err != nil || c[0].Seq != 401 {
		t.Errorf("Since(400) = %v, %v, want change 401", c, err)
	}
	write(1000)
	if err := j.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rows(`SELECT min(first) FROM changes`); got != 501 {
		t.Errorf("feed begins at %d, want 501, the first that is younger than a week", got)
	}
	if got := rows(`SELECT count(*) FROM idempotency`); got != 2 {
		t.Errorf("%d keys, want 2", got)
	}
	now = now.Add(23 * 24 * time.Hour)
	if err := j.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rows(`SELECT count(*) FROM idempotency`); got != 1 {
		t.Errorf("%d keys after 31 days, want the younger one", got)
	}
}

func TestLogIsFoldedAway(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	payload := []byte(`"` + strings.Repeat("x", 64<<10) + `"`)
	for range journal.FoldFrom/len(payload) + 4 {
		err := j.Write(t.Context(), func(tx *journal.Tx) error { tx.Change("order", "big", payload); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the log folded into the file", func() bool {
		var busy, frames, folded int
		if err := j.Read().QueryRow(`PRAGMA wal_checkpoint(NOOP)`).Scan(&busy, &frames, &folded); err != nil {
			t.Fatal(err)
		}
		return frames-folded < journal.FoldFrom/4096
	})
}
