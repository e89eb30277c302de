package journal_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

// memoryDir is a folder in memory where there is one: these tests commit thousands of times and nobody pulls the plug.
func memoryDir(t interface {
	Fatal(...any)
	Cleanup(func())
}) string {
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "journal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// supervised keeps Run going as the supervisor does, and remembers what the watchers heard.
type supervised struct {
	*journal.Journal
	told []journal.Change // read after stop
	stop func()
}

func supervise(t *testing.T, c journal.Config) (*supervised, error) {
	j, err := journal.OpenTables(t.Context(), c, embedded(t))
	if err != nil {
		return nil, err
	}
	return start(j), nil
}

func start(j *journal.Journal) *supervised {
	s := &supervised{Journal: j}
	j.Watch(func(c []journal.Change) { s.told = append(s.told, c...) })
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		for ctx.Err() == nil {
			j.Run(ctx)
			select { // not at full speed while storage is dead
			case <-ctx.Done():
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	s.stop = func() {
		cancel()
		run.Wait()
		j.Close()
	}
	return s
}

// threefold writes what belongs together: two rows, a key, two changes.
func threefold(name string) func(*journal.Tx) error {
	return func(tx *journal.Tx) error {
		if _, known, err := tx.Idempotent("till", name, sha256.Sum256([]byte(name)), name); err != nil || known {
			return err
		}
		for _, part := range []string{"order", "ticket"} {
			tx.Change(part, name, strconv.AppendQuote(nil, name))
			if err := tx.Audit("", "", part, name, ""); err != nil {
				return err
			}
		}
		return nil
	}
}

// verify opens the journal anew and checks the promises: acknowledged writes are there, none is there by half, the feed has
// no gap, and the watchers heard what it holds.
func verify(t *testing.T, dir string, tried, acknowledged []string, told []journal.Change) {
	t.Helper()
	j, err := journal.OpenTables(t.Context(), journal.Config{Dir: dir, Log: quiet}, embedded(t))
	if err != nil {
		t.Fatalf("Open afterwards = %v", err)
	}
	defer j.Close()
	if n, wrong := j.Notice(); wrong {
		t.Errorf("Notice = %+v", n)
	}
	feed, err := j.Since(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]int{}
	for i, c := range feed {
		if c.Seq != int64(i+1) {
			t.Fatalf("change %d stands at place %d", c.Seq, i+1)
		}
		parts[c.Subject]++
	}
	for _, name := range notes(t, j) {
		parts[name]++
	}
	rows, err := j.Read().Query(`SELECT key FROM idempotency`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		parts[name]++
	}
	for _, name := range acknowledged {
		if parts[name] == 0 {
			t.Errorf("acknowledged %s is missing", name)
		}
	}
	for _, name := range tried {
		if n := parts[name]; n != 0 && n != 5 {
			t.Errorf("%s is there by %d of 5 parts", name, n)
		}
	}
	if told == nil {
		return
	}
	if d := cmp.Diff(feed, told); d != "" {
		t.Errorf("the watchers heard something else, -feed +heard:\n%s", d)
	}
}

func TestEveryStorageCallFailsOnce(t *testing.T) {
	modes := map[string]journaltest.Mode{"before": journaltest.Before, "after": journaltest.After, "dead": journaltest.Dead}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			empty := emptyJournal(t)
			n := 1
			for ; failCall(t, empty, n, mode); n++ {
				if t.Failed() {
					t.Fatalf("with call %d failing", n)
				}
			}
			if n < 15 { // the fewer, the more writes shared a commit
				t.Errorf("only %d calls were made to fail", n)
			}
			t.Logf("%d calls failed in turn", n-1)
		})
	}
}

// emptyJournal is the file of a new journal, to start from many times.
func emptyJournal(t *testing.T) []byte {
	dir := memoryDir(t)
	j, err := supervise(t, journal.Config{Dir: dir, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	j.stop()
	return readFile(t, filepath.Join(dir, "journal.db"))
}

// failCall makes the n-th call after Open fail while writes come from all sides; false when there was no such call.
func failCall(t *testing.T, empty []byte, n int, mode journaltest.Mode) (hit bool) {
	dir := memoryDir(t)
	writeFile(t, filepath.Join(dir, "journal.db"), empty)
	faults := &journaltest.Faults{}
	j, err := supervise(t, journal.Config{Dir: dir, Log: quiet, LaterDelay: time.Millisecond, Wrap: faults.Wrap})
	if err != nil {
		t.Fatal(err)
	}
	faults.Arm(n, mode, "")
	var mu sync.Mutex
	var tried, acknowledged []string
	acknowledge := func(name string) {
		mu.Lock()
		acknowledged = append(acknowledged, name)
		mu.Unlock()
	}
	var all sync.WaitGroup
	for g := range 2 {
		var names []string
		for k := range 2 {
			names = append(names, fmt.Sprintf("%d-%d", g, k))
		}
		tried = append(tried, names...)
		all.Go(func() {
			for k, name := range names {
				if k == 1 {
					outcome := make(chan error, 3)
					j.Later(func(tx *journal.Tx) error {
						tx.After(func(err error) { outcome <- err })
						return threefold(name)(tx)
					})
					select {
					case err := <-outcome:
						if err == nil {
							acknowledge(name)
						}
					case <-time.After(20 * time.Millisecond): // a dead disk: it stays in the queue
					}
					continue
				}
				switch err := j.Write(t.Context(), threefold(name)); {
				case err == nil:
					acknowledge(name)
				case !errors.Is(err, journaltest.ErrFault) && !errors.Is(err, journal.ErrDown):
					t.Errorf("Write = %v", err)
				}
			}
		})
	}
	all.Wait()
	what := faults.Hit()
	faults.Arm(0, journaltest.Before, "")
	// The disk is well again: the journal takes writes by itself.
	eventually(t, "a write after the fault", func() bool { return j.Write(t.Context(), threefold("last")) == nil })
	j.stop()
	verify(t, dir, append(tried, "last"), append(acknowledged, "last"), j.told)
	if t.Failed() {
		t.Logf("failed call: %s", what)
	}
	return what != ""
}

func TestEveryStorageCallOfOpenFailsOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range []journaltest.Mode{journaltest.Before, journaltest.After} {
		for n := 1; ; n += openStride {
			dir := memoryDir(t)
			faults := &journaltest.Faults{}
			faults.Arm(n, mode, "")
			opened, err := journal.OpenTables(t.Context(), journal.Config{Dir: dir, Log: quiet, Wrap: faults.Wrap}, embedded(t))
			what := faults.Hit()
			if err == nil {
				j := start(opened)
				if what != "" && mode == journaltest.Before {
					t.Errorf("Open = nil although %q failed", what)
				}
				err := j.Write(t.Context(), threefold("a"))
				if what = faults.Hit(); err != nil && what == "" {
					t.Errorf("Write = %v", err)
				}
				j.stop()
			}
			verify(t, dir, []string{"a"}, nil, nil)
			if t.Failed() {
				t.Fatalf("with call %d failing: %s", n, what)
			}
			if what == "" {
				break
			}
		}
	}
}

func TestUncertainCommit(t *testing.T) {
	for name, mode := range map[string]journaltest.Mode{"durable": journaltest.After, "lost": journaltest.Before} {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			faults := &journaltest.Faults{}
			j, err := supervise(t, journal.Config{Dir: dir, Log: quiet, Wrap: faults.Wrap})
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Write(t.Context(), threefold("first")); err != nil {
				t.Fatal(err)
			}
			faults.Arm(1, mode, "exec COMMIT")
			var hook error
			err = j.Write(t.Context(), func(tx *journal.Tx) error {
				tx.After(func(err error) { hook = err })
				return threefold("doubtful")(tx)
			})
			if !errors.Is(err, journal.ErrUncertain) || !errors.Is(err, journaltest.ErrFault) || errors.Is(err, journal.ErrDown) {
				t.Errorf("Write = %v, want ErrUncertain with the cause", err)
			}
			if !errors.Is(hook, journal.ErrUncertain) {
				t.Errorf("After = %v, want ErrUncertain", hook)
			}
			eventually(t, "a write after the fault", func() bool { return j.Write(t.Context(), threefold("last")) == nil })
			if want := map[journaltest.Mode]int64{journaltest.After: 6, journaltest.Before: 4}[mode]; j.Seq() != want {
				t.Errorf("Seq = %d, want %d", j.Seq(), want)
			}
			j.stop()
			verify(t, dir, []string{"first", "doubtful", "last"}, []string{"first", "last"}, j.told)
		})
	}
}

func TestDownUntilStorageIsBack(t *testing.T) {
	dir := memoryDir(t)
	faults := &journaltest.Faults{}
	j, err := supervise(t, journal.Config{Dir: dir, Log: quiet, Wrap: faults.Wrap})
	if err != nil {
		t.Fatal(err)
	}
	faults.Arm(1, journaltest.Dead, "INSERT INTO")
	var outcomes []error // on the writer's goroutine, read after stop
	j.Later(func(tx *journal.Tx) error {
		tx.After(func(err error) { outcomes = append(outcomes, err) })
		return threefold("kept")(tx)
	})
	if err := j.Write(t.Context(), threefold("a")); err == nil {
		t.Error("Write on a dead disk = nil")
	}
	eventually(t, "the journal down", func() bool { return errors.Is(j.Err(), journal.ErrDown) })
	if err := j.Write(t.Context(), threefold("b")); !errors.Is(err, journal.ErrDown) {
		t.Errorf("Write while down = %v, want ErrDown", err)
	}
	faults.Arm(0, journaltest.Before, "")
	eventually(t, "the journal up", func() bool { return j.Err() == nil })
	if err := j.Write(t.Context(), threefold("c")); err != nil {
		t.Errorf("Write after that = %v", err)
	}
	j.stop()
	if n := len(outcomes); n < 2 || outcomes[0] == nil || outcomes[n-1] != nil {
		t.Errorf("the Later heard %v, want failures and then nil", outcomes)
	}
	verify(t, dir, []string{"a", "b", "c", "kept"}, []string{"c", "kept"}, j.told)
}

// The model of the property test: what the journal must hold after any sequence of requests, faults and restarts.
func TestIdempotencyAndFeedHoldWhateverComes(t *testing.T) {
	t.Parallel()
	empty := emptyJournal(t)
	rapid.Check(t, func(rt *rapid.T) {
		dir := memoryDir(rt)
		writeFile(t, filepath.Join(dir, "journal.db"), empty)
		faults := &journaltest.Faults{}
		open := func() *supervised {
			j, err := supervise(t, journal.Config{Dir: dir, Log: quiet, Wrap: faults.Wrap})
			if err != nil {
				rt.Fatal(err)
			}
			return j
		}
		j := open()
		defer func() { j.stop() }()
		made := map[string]string{} // key -> subject of the request that was acknowledged first
		content := map[string]string{}
		doubt := map[string]bool{} // keys whose request ended in ErrUncertain
		count := 0
		rt.Repeat(map[string]func(*rapid.T){
			"request": func(rt *rapid.T) {
				key := rapid.SampledFrom([]string{"k1", "k2", "k3"}).Draw(rt, "key")
				body := rapid.SampledFrom([]string{"soup", "steak"}).Draw(rt, "body")
				count++
				subject := fmt.Sprint("order ", count)
				var prior string
				var known bool
				err := j.Write(t.Context(), func(tx *journal.Tx) (err error) {
					prior, known, err = tx.Idempotent("till", key, sha256.Sum256([]byte(body)), subject)
					if err == nil && !known {
						tx.Change("order", subject, nil)
					}
					return err
				})
				switch {
				case errors.Is(err, journal.ErrDown), errors.Is(err, journaltest.ErrFault) && !errors.Is(err, journal.ErrUncertain):
				case errors.Is(err, journal.ErrUncertain):
					doubt[key] = true
				case doubt[key]: // learn what became of it
					delete(doubt, key)
					if err == nil {
						if known {
							subject = prior
						}
						made[key], content[key] = subject, body
					} else if !errors.Is(err, journal.ErrKeyReused) {
						rt.Fatalf("request = %v", err)
					} else {
						doubt[key] = true
					}
				case made[key] == "":
					if err != nil || known {
						rt.Fatalf("first request with %s = %q, %v, %v", key, prior, known, err)
					}
					made[key], content[key] = subject, body
				case content[key] != body:
					if !errors.Is(err, journal.ErrKeyReused) {
						rt.Fatalf("other content with %s = %v, want ErrKeyReused", key, err)
					}
				default:
					if err != nil || !known || prior != made[key] {
						rt.Fatalf("repeated %s = %q, %v, %v, want %q", key, prior, known, err, made[key])
					}
				}
			},
			"fault": func(rt *rapid.T) {
				mode := rapid.SampledFrom([]journaltest.Mode{journaltest.Before, journaltest.After}).Draw(rt, "mode")
				what := rapid.SampledFrom([]string{"COMMIT", "BEGIN", "RELEASE", "INSERT"}).Draw(rt, "call")
				faults.Arm(1, mode, "exec "+what)
			},
			"restart": func(rt *rapid.T) {
				faults.Arm(0, journaltest.Before, "")
				j.stop()
				j = open()
			},
			"": func(rt *rapid.T) {
				feed, err := j.Since(t.Context(), 0, 10_000)
				if err != nil {
					return // the reader met the fault
				}
				orders := map[string]int{}
				for i, c := range feed {
					if c.Seq != int64(i+1) {
						rt.Fatalf("change %d stands at place %d", c.Seq, i+1)
					}
					orders[c.Subject]++
				}
				for key, subject := range made {
					if orders[subject] != 1 {
						rt.Fatalf("%s of %s stands %d times in the feed", subject, key, orders[subject])
					}
				}
				if len(feed) > 3 {
					rt.Fatalf("%d orders from 3 keys", len(feed))
				}
			},
		})
	})
}
