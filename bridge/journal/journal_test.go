package journal_test

import (
	"testing"

	"go.uber.org/goleak"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWriteIsReadBack(t *testing.T) {
	var told []journal.Change
	j := journaltest.Open(t, journal.Config{}, func(j *journal.Journal) {
		j.Watch(func(c []journal.Change) { told = append(told, c...) })
	})
	for range 3 {
		err := j.Write(t.Context(), func(tx *journal.Tx) error {
			tx.Change("order", "1", []byte(`{}`))
			return tx.Audit("léa", "staff", "bump", "1", "")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if j.Seq() != 3 {
		t.Errorf("Seq = %d, want 3", j.Seq())
	}
	c, err := j.Since(t.Context(), 1, 10)
	if err != nil || len(c) != 2 || c[0].Seq != 2 {
		t.Errorf("Since(1) = %v, %v", c, err)
	}
}
