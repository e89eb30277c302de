package pos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/protocol/booking"
)

// oneTill is a till whose checks are asked for, and a floor that keeps them.
type oneTill struct {
	mu      sync.Mutex // guards what follows
	checks  map[string]booking.Check
	tables  []string // where a party waits
	opening string   // the table of a party whose check is being opened
	away    bool
	asked   map[string]int
	during  func(id string) // called while a check is asked for, once

	kept map[journal.ID]booking.Check
	id   func() journal.ID
}

func (o *oneTill) Check(_ context.Context, id string) (booking.Check, error) {
	o.mu.Lock()
	c, known := o.checks[id]
	o.asked[id]++
	away, during := o.away, o.during
	o.during = nil
	o.mu.Unlock()
	if during != nil {
		during(id)
	}
	switch {
	case away:
		return booking.Check{}, errors.New("away")
	case !known:
		return booking.Check{}, ErrNoCheck
	}
	return c, nil
}

func (o *oneTill) AtTable(_ context.Context, table string) (booking.Check, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(o.checks)) {
		if c := o.checks[id]; c.Open && c.Tables[0] == table {
			return c, nil
		}
	}
	return booking.Check{}, ErrNoCheck
}

func (o *oneTill) Mirror(_ *journal.Tx, check journal.ID, c booking.Check, sure bool) (journal.ID, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if check.IsZero() {
		check = o.id()
	}
	if !sure && c.Total < o.kept[check].Total {
		return check, false, nil
	}
	o.kept[check] = c
	return check, true, nil
}

func (o *oneTill) Wanted(_ *journal.Tx, c booking.Check) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return c.Tables[0] != "nowhere" && c.Tables[0] != o.opening, nil
}

func (o *oneTill) Waiting(context.Context) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tables, nil
}

// stands lists what is kept, as ID:TOTAL or ID:closed.
func (o *oneTill) stands() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []string
	for _, c := range o.kept {
		if text := fmt.Sprint(c.ID, ":", c.Total); c.Open {
			list = append(list, text)
		} else {
			list = append(list, c.ID+":closed")
		}
	}
	slices.Sort(list)
	return fmt.Sprint(list)
}

func (o *oneTill) set(c booking.Check) booking.Check {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checks[c.ID] = c
	return c
}

func at(id, table string, total int64) booking.Check {
	return booking.Check{ID: id, Open: true, Tables: []string{table}, Total: total}
}

// What a till tells is taken at once; what it did not tell, told late or told while it was asked is found by asking, over a
// restart and an outage too.
func TestMirrorOfATill(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, journal.Config{}, nil)
	o := &oneTill{checks: map[string]booking.Check{}, asked: map[string]int{}, kept: map[journal.ID]booking.Check{}, id: j.NewID}
	var m *Mirror
	stop := func() {}
	start := func(every time.Duration) {
		t.Helper()
		stop()
		var err error
		if m, err = NewMirror(MirrorConfig{Journal: j, Till: o, Floor: o, Every: every, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		stop = func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			stop = func() {}
		}
	}
	t.Cleanup(func() { stop() })
	until := func(what string, holds func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited in vain until %s; it stands as %s", what, o.stands())
			}
		}
	}
	tell := func(c booking.Check) {
		t.Helper()
		if err := m.Told(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		if got := o.stands(); got != want {
			t.Errorf("stands as %s, want %s", got, want)
		}
	}
	start(time.Hour)
	tell(o.set(at("A", "1", 10)))
	tell(o.set(at("B", "nowhere", 10)))
	closed := at("C", "1", 10)
	closed.Open = false
	tell(o.set(closed)) // nobody knew it
	expect("[A:10]")

	// One that is being opened for a party is not taken for another; it is asked for once it is known.
	o.opening = "2"
	tell(o.set(at("P", "2", 0)))
	expect("[A:10]")
	party := j.NewID()
	o.mu.Lock()
	o.kept[party] = at("P", "2", 0)
	o.mu.Unlock()
	o.set(at("P", "2", 7))
	if err := j.Write(t.Context(), func(tx *journal.Tx) error { return m.Join(tx, "P", party) }); err != nil {
		t.Fatal(err)
	}
	until("the party's check is asked for", func() bool { return o.stands() == "[A:10 P:7]" })

	// A word that comes late takes nothing away: the till is asked, and says what is true.
	o.set(at("A", "1", 30))
	tell(at("A", "1", 30))
	tell(at("A", "1", 20))
	until("the till was asked for A", func() bool { o.mu.Lock(); defer o.mu.Unlock(); return o.asked["A"] > 0 })
	expect("[A:30 P:7]")
	// What it says while it is asked is newer than its answer.
	o.mu.Lock()
	before := o.asked["A"]
	o.during = func(string) {
		o.set(at("A", "1", 50))
		if err := m.Told(context.Background(), at("A", "1", 50)); err != nil {
			t.Error(err)
		}
	}
	o.mu.Unlock()
	m.Ask("A")
	until("it is asked again", func() bool { o.mu.Lock(); defer o.mu.Unlock(); return o.asked["A"] >= before+2 })
	expect("[A:50 P:7]")

	// Nothing was told for a while and the box was down.
	stop()
	o.set(at("A", "1", 5))
	gone := at("P", "2", 7)
	gone.Open = false
	o.set(gone)
	o.set(at("W", "3", 9))
	o.tables = []string{"3", "4"}
	start(10 * time.Millisecond)
	until("what was missed is known", func() bool { return o.stands() == "[A:5 P:closed W:9]" })
	// The till is away, then back; and it forgets a check.
	o.mu.Lock()
	o.away = true
	o.mu.Unlock()
	standing := func() MirrorStanding {
		s, err := m.Standing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	until("its absence is known", func() bool { return standing().Fault != "" })
	o.mu.Lock()
	o.away = false
	delete(o.checks, "A")
	o.mu.Unlock()
	until("the forgotten one is over", func() bool { return o.stands() == "[A:closed P:closed W:9]" })
	until("it is not away any more", func() bool { s := standing(); return s.Fault == "" && s.Open == 1 })
	// A party's closed check that the till opens again.
	o.set(at("P", "2", 12))
	tell(at("P", "2", 12))
	expect("[A:closed P:12 W:9]")
}
