package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o640); err != nil {
		t.Fatal(err)
	}
}

// fill makes a journal with so many notes in dir and closes it.
func fill(t *testing.T, dir string, count int) (epoch string) {
	t.Helper()
	j := openRunning(t, journal.Config{Dir: dir, Log: quiet}, embedded(t))
	err := j.Write(t.Context(), func(tx *journal.Tx) error {
		for n := range count {
			if err := note(fmt.Sprint(n))(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	j.stop()
	return j.Epoch()
}

// embedded is the journal's own migration alone: it is enough here, and quick to apply.
func embedded(t testing.TB) fstest.MapFS {
	return fstest.MapFS{"migrations/0001_journal.sql": {Data: ownTables(t)}}
}

func TestRestartFindsEverything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with space?&#%", "journal") // made by Open, whatever its name
	epoch := fill(t, dir, 5)
	if left, _ := filepath.Glob(filepath.Join(t.TempDir(), "*", "*", "journal.db-*")); len(left) > 0 {
		t.Errorf("a clean end left %q", left)
	}
	j := openRunning(t, journal.Config{Dir: dir}, embedded(t))
	if j.Seq() != 5 || j.Epoch() != epoch || len(epoch) != 32 {
		t.Errorf("Seq %d, Epoch %s, want 5, %s", j.Seq(), j.Epoch(), epoch)
	}
	if got, want := notes(t, j.Journal), []string{"0", "1", "2", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if _, wrong := j.Notice(); wrong {
		t.Error("a sound journal gives notice")
	}
	if err := j.Write(t.Context(), note("5")); err != nil || j.Seq() != 6 {
		t.Errorf("next Write = %v, Seq %d, want 6", err, j.Seq())
	}
	if other := fill(t, t.TempDir(), 0); other == epoch {
		t.Error("two journals have one epoch")
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	journaltest.Open(t, journal.Config{Dir: dir}, nil)
	_, err := journal.Open(t.Context(), journal.Config{Dir: dir})
	if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second Open = %v, want ErrLocked with the process number", err)
	}
}

func TestMigrations(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 1)
	own := ownTables(t)
	cases := []struct {
		name   string
		tables fstest.MapFS
		want   string
	}{
		{"edited", fstest.MapFS{"migrations/0001_journal.sql": {Data: append(slices.Clone(own), "-- better"...)}},
			"migration 0001_journal.sql was changed after it had been applied"},
		{"broken", fstest.MapFS{"migrations/0001_journal.sql": {Data: own}, "migrations/0002_soup.sql": {Data: []byte("CREATE TABLE soup (a); CREATE TABEL x;")}},
			"migration 0002_soup.sql: "},
		{"gap", fstest.MapFS{"migrations/0001_journal.sql": {Data: own}, "migrations/0003_soup.sql": {}}, "migration 0003_soup.sql stands where number 2 is due"},
		{"name", fstest.MapFS{"migrations/soup.sql": {}}, "not named like"},
	}
	for _, c := range cases {
		if _, err := journal.OpenTables(t.Context(), journal.Config{Dir: dir, Log: quiet}, c.tables); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open = %v, want %q", c.name, err, c.want)
		}
	}
	more := fstest.MapFS{"migrations/0001_journal.sql": {Data: own}, "migrations/0002_soup.sql": {Data: []byte("CREATE TABLE soup (a); INSERT INTO soup (a) VALUES ('tomato');")}}
	for range 2 { // applied once
		j := openRunning(t, journal.Config{Dir: dir, Log: quiet}, more)
		var n int
		if err := j.Read().QueryRow(`SELECT count(*) FROM soup`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows of the migration, %v, want 1", n, err)
		}
		j.stop()
	}
	_, err := journal.OpenTables(t.Context(), journal.Config{Dir: dir, Log: quiet}, embedded(t))
	if !errors.Is(err, journal.ErrNewerSchema) || !strings.Contains(err.Error(), "install the newer version again, or restore a backup") {
		t.Errorf("older program: Open = %v, want ErrNewerSchema and the remedy", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "journal.db")); err != nil {
		t.Error("a refused journal was moved:", err)
	}
	// What an older program reads is kept from before the migration, and its refusal says where.
	kept := filepath.Join(dir, "journal.db.before-0002")
	if !strings.Contains(err.Error(), kept) {
		t.Errorf("the refusal does not name the copy: %v", err)
	}
	b, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	back := t.TempDir()
	if err := os.WriteFile(filepath.Join(back, "journal.db"), b, 0o640); err != nil {
		t.Fatal(err)
	}
	old := openRunning(t, journal.Config{Dir: back, Log: quiet}, fstest.MapFS{"migrations/0001_journal.sql": {Data: own}})
	if old.Epoch() == "" {
		t.Error("the copy is empty")
	}
	old.stop()
	more["migrations/0003_stew.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE stew (a);")}
	openRunning(t, journal.Config{Dir: dir, Log: quiet}, more).stop()
	if left, err := filepath.Glob(filepath.Join(dir, "*.before-*")); err != nil || len(left) != 1 || filepath.Base(left[0]) != "journal.db.before-0003" {
		t.Errorf("kept %v, %v; want the latest copy alone", left, err)
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	cases := []struct {
		name   string
		damage func(file []byte) []byte
	}{
		{"head", func(b []byte) []byte { copy(b, "not a database at all"); return b }},
		{"schema page", func(b []byte) []byte { return flip(b, 100, 4096) }},
		{"a table's pages", func(b []byte) []byte { return flip(b, 4096, len(b)) }},
		{"end cut off", func(b []byte) []byte { return b[:len(b)/2/4096*4096] }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "journal.db")
			epoch := fill(t, dir, 50)
			broken := c.damage(readFile(t, path))
			writeFile(t, path, broken)
			now := func() time.Time { return time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC) }
			j := openRunning(t, journal.WithCheckLimit(journal.Config{Dir: dir, Log: quiet, Now: now}, time.Minute), embedded(t))
			n, wrong := j.Notice()
			aside := path + ".corrupt-20261121T190405Z"
			if !wrong || n.Code != "journal_set_aside" || !strings.Contains(n.Text, aside) || !strings.Contains(n.Remedy, "put it back as journal.db") {
				t.Errorf("Notice = %+v, %v", n, wrong)
			}
			if got := readFile(t, aside); !bytes.Equal(got, broken) {
				t.Error("the file set aside is not the one that was there")
			}
			if j.Epoch() == epoch || j.Seq() != 0 {
				t.Errorf("Epoch %s, Seq %d, want a new journal", j.Epoch(), j.Seq())
			}
			if err := j.Write(t.Context(), note("tonight")); err != nil {
				t.Errorf("Write = %v", err)
			}
		})
	}
}

// flip turns every 16th byte of a range over.
func flip(b []byte, from, to int) []byte {
	for i := from; i < to; i += 16 {
		b[i] ^= 0xff
	}
	return b
}

func TestLogWithoutItsFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	writeFile(t, path+"-wal", []byte("somebody deleted journal.db alone"))
	writeFile(t, path+".new", []byte("power went at the first start"))
	j := openRunning(t, journal.Config{Dir: dir, Log: quiet}, embedded(t))
	if err := j.Write(t.Context(), note("a")); err != nil {
		t.Errorf("Write = %v", err)
	}
	if kept, _ := filepath.Glob(path + ".corrupt-*-wal"); len(kept) != 1 {
		t.Errorf("the old log is kept as %q", kept)
	}
}

func TestDamageFoundLate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	fill(t, dir, 300)
	b := readFile(t, path)
	middle := len(b) / 2 / 4096 * 4096 // a page that nothing at the start reads
	writeFile(t, path, flip(b, middle, middle+4096))
	// No time at the start: the box works, the check goes on behind, and the next start does not trust the file.
	j := openRunning(t, journal.WithCheckLimit(journal.Config{Dir: dir, Log: quiet}, time.Nanosecond), embedded(t))
	eventually(t, "a notice", func() bool { n, wrong := j.Notice(); return wrong && n.Code == "journal_damaged" })
	j.stop()
	j = openRunning(t, journal.Config{Dir: dir, Log: quiet}, embedded(t))
	if n, _ := j.Notice(); n.Code != "journal_set_aside" {
		t.Errorf("Notice after a restart = %+v, want the file set aside", n)
	}
	j.stop()
	j = openRunning(t, journal.Config{Dir: dir, Log: quiet}, embedded(t))
	if n, wrong := j.Notice(); wrong {
		t.Errorf("Notice of the new file = %+v", n)
	}
}

func TestFileIsNotForEverybody(t *testing.T) {
	dir := t.TempDir()
	journaltest.Open(t, journal.Config{Dir: dir}, nil)
	info, err := os.Stat(filepath.Join(dir, "journal.db"))
	if err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("journal.db: %v, %v, want nothing for others", info.Mode(), err)
	}
}
