package journal_test

import (
	"errors"
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

// TestFollowComesLast holds the order of hooks: those of After, whoever overtook, those of Follow, the watchers, whoever wrote.
// Of a function that fails both kinds hear at once.
func TestFollowComesLast(t *testing.T) {
	var heard []string // written on the writer's goroutine, read when it rests
	told := make(chan struct{}, 8)
	j := journaltest.Open(t, journal.Config{}, func(j *journal.Journal) {
		j.Watch(func([]journal.Change) {
			heard = append(heard, "watcher")
			told <- struct{}{}
		})
	})
	hooks := func(tx *journal.Tx) error {
		tx.Follow(func(err error) { heard = append(heard, "follow "+said(err)) })
		tx.After(func(err error) { heard = append(heard, "after "+said(err)) })
		tx.Change("order", "x", nil)
		return nil
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(heard, want) {
			t.Errorf("%s: heard %v, want %v", what, heard, want)
		}
		heard = nil
	}
	if err := j.Write(t.Context(), hooks); err != nil {
		t.Fatal(err)
	}
	<-told
	expect("a write", "after well", "follow well", "watcher")
	if err := j.Overtake(t.Context(), hooks); err != nil {
		t.Fatal(err)
	}
	<-told // the caller may be here before the watchers
	expect("an overtaking write", "after well", "follow well", "watcher")
	wrong := errors.New("wrong")
	err := j.Write(t.Context(), func(tx *journal.Tx) error { return errors.Join(hooks(tx), wrong) })
	if !errors.Is(err, wrong) {
		t.Fatalf("got %v", err)
	}
	expect("a failure", "after badly", "follow badly")
}

func said(err error) string {
	if err != nil {
		return "badly"
	}
	return "well"
}
