package journal_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

var restoredAt = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// names lists a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func settingsOf(t *testing.T, j *journal.Journal) (keys []string) {
	t.Helper()
	list, err := j.Settings(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		keys = append(keys, s.Key)
	}
	return keys
}

func put(j *journal.Journal, key string) error {
	return j.Write(context.Background(), func(tx *journal.Tx) error {
		_, err := tx.PutSetting(key, []byte(`1`), 0, "test")
		return err
	})
}

// A copy made while a box writes is one moment of it: what was acknowledged before is in it, and it opens.
func TestBackupOfARunningJournal(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	j := journaltest.Open(t, journal.Config{Dir: dir}, nil)
	if err := put(j, "before"); err != nil {
		t.Fatal(err)
	}
	stop, writing := make(chan struct{}), sync.WaitGroup{}
	writing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = put(j, "k"+strings.Repeat("x", i%200)+time.Now().String())
			}
		}
	})
	file := filepath.Join(out, "copy.db")
	err := journal.Backup(t.Context(), dir, file)
	close(stop)
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, out); len(got) != 1 {
		t.Errorf("the copy left %v", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v, %v: guests' names are in it", info.Mode(), err)
	}
	if err := journal.Backup(t.Context(), dir, file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	if err := journal.Backup(t.Context(), t.TempDir(), filepath.Join(out, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a folder without a journal: %v", err)
	}
	if _, err := journal.Restore(t.Context(), dir, file, restoredAt, nil); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("over a running box: %v", err)
	}
	other := t.TempDir()
	if aside, err := journal.Restore(t.Context(), other, file, restoredAt, nil); err != nil || aside != "" {
		t.Fatalf("restore into an empty folder: %q, %v", aside, err)
	}
	k := journaltest.Open(t, journal.Config{Dir: other}, nil)
	if keys := settingsOf(t, k); len(keys) == 0 || keys[0] != "before" {
		t.Errorf("the restored journal has %.10q", keys)
	}
	if k.Epoch() == j.Epoch() {
		t.Error("the restored journal says it is the former one")
	}
	if err := put(k, "after"); err != nil {
		t.Errorf("the restored journal takes no writes: %v", err)
	}
}

// Restoring sets aside what was there, mends the copy before it counts, and does nothing at all when something is wrong.
func TestRestore(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	file := filepath.Join(out, "copy.db")
	run := func(key string) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		j, err := journal.Open(ctx, journal.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- j.Run(ctx) }()
		err = put(j, key)
		stop()
		if err := errors.Join(err, <-ended, j.Close()); err != nil {
			t.Fatal(err)
		}
	}
	run("one")
	if err := journal.Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	run("two")
	text, broken := filepath.Join(out, "text"), filepath.Join(out, "broken")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{text: []byte("no journal at all"), broken: append(append([]byte(nil), b[:len(b)/2]...), make([]byte, len(b)/4)...)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	was := names(t, dir)
	for _, name := range []string{text, broken, filepath.Join(out, "none")} {
		if _, err := journal.Restore(t.Context(), dir, name, restoredAt, nil); err == nil {
			t.Errorf("%s was restored", name)
		}
	}
	if _, err := journal.Restore(t.Context(), dir, file, restoredAt, []journal.Statement{{Query: `UPDATE nothing SET a = 1`}}); err == nil {
		t.Error("restored although it could not be mended")
	}
	if got := names(t, dir); strings.Join(got, " ") != strings.Join(was, " ") {
		t.Errorf("what failed left %v, there was %v", got, was)
	}
	aside, err := journal.Restore(t.Context(), dir, file, restoredAt, []journal.Statement{{Query: `UPDATE settings SET author = ? WHERE key = 'one'`, Args: []any{"restore"}}})
	if err != nil || !strings.HasSuffix(aside, "journal.db.before-restore-20261122T080000Z") {
		t.Fatalf("Restore = %q, %v", aside, err)
	}
	j := journaltest.Open(t, journal.Config{Dir: dir}, nil)
	if keys := settingsOf(t, j); strings.Join(keys, " ") != "one" {
		t.Errorf("the restored journal has %v, want what it had when the copy was made", keys)
	}
	if s, err := j.Setting(t.Context(), "one"); err != nil || s.Author != "restore" {
		t.Errorf("mended: %+v, %v", s, err)
	}
	// What was set aside is the whole former journal.
	former := t.TempDir()
	if err := os.Rename(aside, filepath.Join(former, "journal.db")); err != nil {
		t.Fatal(err)
	}
	if keys := settingsOf(t, journaltest.Open(t, journal.Config{Dir: former}, nil)); strings.Join(keys, " ") != "one two" {
		t.Errorf("the former journal has %v", keys)
	}
}
