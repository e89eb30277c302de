package journal_test

import (
	"slices"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

// TestOvertakeLeavesLatersBehind holds who goes first: an Overtake need not wait for a few Laters, a Write takes them along
// before itself, and when they are many an Overtake does so too.
func TestOvertakeLeavesLatersBehind(t *testing.T) {
	j := journaltest.Open(t, journal.Config{LaterDelay: time.Hour}, nil)
	var ran []string // written on the writer's goroutine, read when it rests
	step := func(name string) func(*journal.Tx) error {
		return func(tx *journal.Tx) error {
			ran = append(ran, name)
			tx.Change("order", name, nil)
			return nil
		}
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(ran, want) {
			t.Errorf("%s: ran %v, want %v", what, ran, want)
		}
		ran = nil
	}
	j.Later(step("later"))
	if err := j.Overtake(t.Context(), step("overtaking")); err != nil {
		t.Fatal(err)
	}
	expect("one later", "overtaking")
	if err := j.Write(t.Context(), step("write")); err != nil {
		t.Fatal(err)
	}
	expect("a write", "later", "write")
	const many = 33
	for range many {
		j.Later(step("l"))
	}
	if err := j.Overtake(t.Context(), step("o")); err != nil {
		t.Fatal(err)
	}
	expect("many laters", append(slices.Repeat([]string{"l"}, many), "o")...)
}
