package delivery

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
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
	const many = 250
	l := c.service.link("otter")
	err := c.journal.Write(t.Context(), func(tx *journal.Tx) error {
		for n := range many + 1 {
			kind := callCreated
			if n == many {
				kind = callCancelled
			}
			if err := c.service.put(tx, l, int64(n+1), call{Kind: kind, Ref: channel.Ref{ID: fmt.Sprint(n + 1)}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.wait("what has another limit is told", func() bool { return slices.Contains(c.a.told(), fmt.Sprint("cancelled  ", many+1)) })
	c.a.mu.Lock()
	limited = false
	c.a.mu.Unlock()
	c.pass(2 * time.Hour)
	c.wait("the others are told", func() bool { return len(c.a.told()) == many+1 })
}

// What is read at every order finds its rows by an index: a day's calls are tens of thousands.
func TestQueriesHaveTheirIndex(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	for query, args := range map[string][]any{selectWaiting: {"otter", "[]"}, selectTold: {1}, settleCall: {"", "", 1}, forgetCalls: {1}, forgetRaw: {1}, selectOrder: {"", ""}} {
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
