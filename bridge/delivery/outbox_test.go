package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/rest"
)

// More calls of a kind than are looked at at once wait for their limit: other kinds are told meanwhile, and these when it is over.
func TestLimitHidesNoOther(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	limited := true
	c.a.fail = func(call string) error {
		if limited && strings.HasPrefix(call, "created") {
			return &channel.Limited{Family: "created", After: time.Hour}
		}
		return nil
	}
	c.run()
	const many = 60
	c.puts(many, 0, callCreated)
	c.puts(1, many, callCancelled)
	c.wait("what has another limit is told", func() bool { return slices.Contains(c.a.told(), fmt.Sprint("cancelled  ", many+1)) })
	c.a.mu.Lock()
	limited = false
	c.a.mu.Unlock()
	c.pass(2 * time.Hour)
	c.wait("the others are told", func() bool { return len(c.a.told()) == many+1 })
}

// An order that was fetched is accepted before those that came since are fetched: the marketplace waits for it.
func TestAcceptGoesBeforeFetching(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	const accepts, fetches = 12, 40
	c.puts(fetches, 0, callFetch)
	c.puts(accepts, fetches, callAccept)
	c.a.held = make(chan struct{})
	c.run()
	c.wait("all are accepted while no fetch is answered", func() bool { return len(c.a.told()) >= accepts })
	close(c.a.held)
	c.wait("all is told", func() bool { return len(c.a.told()) >= accepts+2*fetches }) // those that were fetched are accepted too
	told := c.a.told()
	if last := slices.IndexFunc(told, func(call string) bool { return call == "accept 1" }); last > len(told)/2 {
		t.Errorf("what was fetched first is accepted as number %d of %d", last, len(told))
	}
}

// Calls that are put off, however many, hide no other.
func TestPutOffHidesNoOther(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	tried := map[string]int{}
	c.a.fail = func(call string) error {
		tried[call]++
		return &rest.Error{Op: "x", Err: errors.New("no route")}
	}
	const many = 60
	c.puts(many, 0, callCreated)
	c.run()
	c.wait("each is tried, though the clock stands still", func() bool {
		c.a.mu.Lock()
		defer c.a.mu.Unlock()
		return len(tried) == many
	})
	c.a.mu.Lock()
	c.a.fail = nil
	c.a.mu.Unlock()
	c.puts(1, many, callCreated)
	c.wait("what is new is told", func() bool { return slices.Equal(c.a.told(), []string{fmt.Sprint("created ", many+1)}) })
	c.pass(time.Second)
	c.wait("the others are told once their time has come", func() bool { return len(c.a.told()) == many+1 })
	if q, err := c.service.Queue(t.Context(), "otter"); err != nil || !q.NextAt.IsZero() {
		t.Errorf("%+v %v", q, err)
	}
}

// What waits for a limit or its next attempt does not wait any longer because the clock is set back meanwhile.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.stop()
	c.c.Look = 5 * time.Millisecond
	c.open()
	var mu sync.Mutex
	limited := 0
	c.a.fail = func(call string) error {
		mu.Lock()
		defer mu.Unlock()
		if limited++; limited == 1 {
			return &channel.Limited{Family: "created", After: 10 * time.Minute}
		}
		return nil
	}
	c.puts(1, 0, callCreated)
	c.run()
	var q Queue
	c.wait("it waits for the limit", func() (rests bool) {
		var err error
		q, err = c.service.Queue(t.Context(), "otter")
		return err == nil && !q.NextAt.IsZero()
	})
	if want := c.now().Add(10 * time.Minute); !q.NextAt.Equal(want) || q.Waiting != 1 {
		t.Errorf("%+v, want it to wait until %v", q, want)
	}
	c.pass(-2 * time.Hour)
	c.wait("it is told", func() bool { return len(c.a.told()) == 1 })
}

// An order that goes on here while its marketplace refuses the accept may be cooked for nobody: people are warned until it ends.
func TestAcceptRefused(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.a.can.AcceptIn, c.b.can.AcceptIn = 11*time.Minute, 11*time.Minute
	c.stop()
	c.open()
	c.a.fail = func(call string) error {
		if strings.HasPrefix(call, "accept") {
			return &rest.Error{Op: "accept", Fate: rest.Refused, Status: http.StatusConflict}
		}
		return nil
	}
	c.b.fail = c.a.fail
	warned := func() (all []string) {
		for _, w := range c.warnings.List() {
			if w.Code == "accept_refused" {
				all = append(all, w.Subject)
			}
		}
		return all
	}
	c.placed("otter", "e1", anOrder("1"))
	c.placed("otter", "e2", anOrder("2"))
	c.placed("deliverect", "e2 again", anOrder("2")) // whose accept the other one may have brought
	c.placed("otter", "e3", anOrder("3"))
	if err := c.takes("otter", "e4", channel.KindCancel, anOrder("3")); err != nil { // which is why
		t.Fatal(err)
	}
	c.run()
	c.wait("nothing waits", func() bool {
		a, err := c.service.Queue(t.Context(), "otter")
		b, err2 := c.service.Queue(t.Context(), "deliverect")
		return err == nil && err2 == nil && a.Waiting+b.Waiting == 0 && len(warned()) > 0
	})
	if got := warned(); !slices.Equal(got, []string{"otter F1"}) {
		t.Errorf("people are warned of %q", got)
	}
	first := c.book.orders["otter/1"]
	err := c.journal.Write(t.Context(), func(tx *journal.Tx) error {
		return c.service.Follow(tx, Step{Order: sale.Placed{ID: first.id, Order: first.o}, From: "accepted", State: "cancelled", WasIn: "yes", InPOS: "yes", By: "Léa"})
	})
	if err != nil {
		t.Fatal(err)
	}
	c.wait("nobody is warned any more", func() bool { return len(warned()) == 0 })
}

// puts has the first aggregator's outbox keep n calls of a kind, each about an order of its own, numbered from first.
func (c *counter) puts(n, first int, kind string) {
	c.t.Helper()
	l := c.service.link("otter")
	err := c.journal.Write(c.t.Context(), func(tx *journal.Tx) error {
		for i := first + 1; i <= first+n; i++ {
			order := int64(i)
			if kind == callFetch { // nothing is known of it yet
				order = 0
			}
			if err := c.service.put(tx, l, order, call{Kind: kind, Ref: channel.Ref{Slug: "ubereats", ID: fmt.Sprint(i), Event: fmt.Sprint("e", i)}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// What is read at every order finds its rows by an index: a day's calls are tens of thousands.
func TestQueriesHaveTheirIndex(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	for query, args := range map[string][]any{selectQueue: {"otter"}, selectFailed: {"otter", 1}, selectDue: {"otter", "[]", 1, 1, 4}, selectNext: {"otter", "[]", 1, 1}, selectTold: {1}, settleCall: {"", "", 1}, forgetCalls: {1}, forgetRaw: {1}, selectOrder: {"", ""}} {
		err := c.journal.Each(t.Context(), "EXPLAIN QUERY PLAN "+query, args, func(scan func(...any) error) error {
			var id, parent, unused int
			var step string
			err := scan(&id, &parent, &unused, &step)
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "json_each") || strings.Contains(step, "(rowid<?)") && !strings.HasPrefix(query, "DELETE") {
				t.Errorf("%s: %s", query, step)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}
