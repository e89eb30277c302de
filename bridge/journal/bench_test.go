package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

// order is about what the house writes for one order: a key, a row, two changes, 1 KiB in all.
func order(j *journal.Journal, payload []byte) func(*journal.Tx) error {
	id := j.NewID()
	return func(tx *journal.Tx) error {
		if _, _, err := tx.Idempotent("till", id.String(), [32]byte{}, ""); err != nil {
			return err
		}
		if err := tx.Audit("till", "till", "order", "41", ""); err != nil {
			return err
		}
		tx.Change("order", "41", payload)
		tx.Change("ticket", "41", payload)
		return nil
	}
}

// BenchmarkFloor is what the disk asks for: 1 KiB appended and synced. Compare the others with it in the same run.
func BenchmarkFloor(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := make([]byte, 1024)
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloorInPlace syncs 8 KiB written over what is there, as a log does that has reached its length.
func BenchmarkFloorInPlace(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 8192)
	for range 128 {
		f.Write(page)
	}
	f.Sync()
	for n := int64(0); b.Loop(); n++ {
		if _, err := f.WriteAt(page, n%128*8192); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	payload := make([]byte, 400)
	b.Run("alone", func(b *testing.B) {
		j := journaltest.Open(b, journal.Config{Log: quiet}, nil)
		b.ReportAllocs()
		for b.Loop() {
			if err := j.Write(context.Background(), order(j, payload)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, writers := range []int{16, 64} {
		b.Run(fmt.Sprint(writers, " writers"), func(b *testing.B) {
			j := journaltest.Open(b, journal.Config{Log: quiet}, nil)
			b.ReportAllocs()
			work := make(chan struct{})
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for range work {
						if err := j.Write(context.Background(), order(j, payload)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			all.Wait()
		})
	}
}

// BenchmarkEmptyWrite is the way through the queue alone: no row, so no sync.
func BenchmarkEmptyWrite(b *testing.B) {
	j := journaltest.Open(b, journal.Config{Log: quiet}, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Write(context.Background(), func(*journal.Tx) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWriteInMemory leaves the disk out: what is left is SQLite's work and ours.
func BenchmarkWriteInMemory(b *testing.B) {
	j := journaltest.Open(b, journal.Config{Dir: memoryDir(b), Log: quiet}, nil)
	payload := make([]byte, 400)
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Write(context.Background(), order(j, payload)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen is the start of the box: the file of a closed journal with 2,000 orders.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		began := time.Now()
		j, err := journal.Open(context.Background(), journal.Config{Dir: dir, Log: quiet})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds()), "open-µs/last")
		b.StopTimer()
		j.Close()
		b.StartTimer()
	}
}

func BenchmarkNewID(b *testing.B) {
	j := journaltest.Open(b, journal.Config{Log: quiet}, nil)
	b.ReportAllocs()
	for b.Loop() {
		j.NewID()
	}
}
