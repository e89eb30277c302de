package journal_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestIDIsAUUIDOfVersion7(t *testing.T) {
	at := time.Date(2026, 11, 21, 19, 4, 5, 678e6, time.UTC)
	j := journaltest.Open(t, journal.Config{Now: func() time.Time { return at }}, nil)
	a, b := j.NewID(), j.NewID()
	if ms := at.UnixMilli(); a.Key() != ms<<12 || b.Key() != ms<<12|1 {
		t.Errorf("keys %x, %x, want %x and the next", a.Key(), b.Key(), ms<<12)
	}
	if s := a.String(); s[14] != '7' || !strings.ContainsRune("89ab", rune(s[19])) || len(s) != 36 {
		t.Errorf("%s is no UUID of version 7", s)
	}
	if a == b {
		t.Error("two ids are equal")
	}
	var back struct{ ID journal.ID }
	text, err := json.Marshal(map[string]journal.ID{"ID": a})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &back); err != nil || back.ID != a {
		t.Errorf("%s came back as %v, %v", text, back.ID, err)
	}
}

func TestParseID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := journal.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		for _, text := range []string{id.String(), strings.ToUpper(id.String())} {
			if got, err := journal.ParseID(text); err != nil || got != id {
				t.Errorf("ParseID(%q) = %v, %v", text, got, err)
			}
		}
	})
	for _, bad := range []string{"", "x", "019a2f6e5c1d70018c3a5d0b7a9e4f12", "019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f1", "019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f1g",
		"019a2f6e-5c1d-7001-8c3a_5d0b7a9e4f12", "{19a2f6e-5c1d-7001-8c3a-5d0b7a9e4f12", " 019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f12"} {
		if id, err := journal.ParseID(bad); err == nil || !id.IsZero() {
			t.Errorf("ParseID(%q) = %v, %v, want an error", bad, id, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f12")
	f.Add("019A2F6E-5C1D-7001-8C3A-5D0B7A9E4F12")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := journal.ParseID(s)
		if err == nil && !strings.EqualFold(id.String(), s) {
			t.Errorf("ParseID(%q) reads back as %s", s, id)
		}
	})
}

func TestKeysRiseWhateverTheClockDoes(t *testing.T) {
	const perMillisecond = 1 << 12
	dir := t.TempDir()
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	config := journal.Config{Dir: dir, Now: func() time.Time { return now }}
	last := int64(0)
	rise := func(j running, what string, n int) {
		t.Helper()
		for range n {
			key := j.NewID().Key()
			if key <= last {
				t.Fatalf("%s: key %d after %d", what, key, last)
			}
			last = key
		}
	}
	tables := fstest.MapFS{
		"migrations/0001_own.sql":    {Data: ownTables(t)},
		"migrations/0002_orders.sql": {Data: []byte(`CREATE TABLE orders (key INTEGER PRIMARY KEY, id BLOB NOT NULL)`)},
	}
	j := openRunning(t, config, tables)
	rise(j, "standing clock", 3*perMillisecond)
	now = now.Add(-24 * time.Hour)
	rise(j, "clock set back", 10)
	id := j.NewID()
	last = id.Key()
	err := j.Write(t.Context(), func(tx *journal.Tx) error {
		_, err := tx.Exec(`INSERT INTO orders (key, id) VALUES (?, ?)`, id.Key(), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var back journal.ID
	if err := j.Read().QueryRow(`SELECT id FROM orders`).Scan(&back); err != nil || back != id {
		t.Errorf("id read back as %v, %v, want %v", back, err, id)
	}
	j.stop()
	now = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC) // no clock on the board
	j = openRunning(t, config, tables)
	rise(j, "restart at 1970", 10)

	var mu sync.Mutex
	seen := map[int64]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				key := j.NewID().Key()
				mu.Lock()
				if seen[key] {
					t.Errorf("key %d twice", key)
				}
				seen[key] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

// running is a journal with tables of its own that a test can stop before its end.
type running struct {
	*journal.Journal
	stop func()
}

func openRunning(t testing.TB, c journal.Config, tables fstest.MapFS) running {
	t.Helper()
	j, err := journal.OpenTables(t.Context(), c, tables)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
		if err := j.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	t.Cleanup(stop)
	return running{j, stop}
}

func ownTables(t testing.TB) []byte {
	t.Helper()
	return readFile(t, filepath.Join("migrations", "0001_journal.sql"))
}
