package menu

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The grid of six hours holds over runs by hand, a restart, a night without power, the end of summer time and clocks that jump
// (scenario 14, OTR-42).
func TestGridOverAnything(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	runs := func() (list runList) {
		t.Helper()
		h.call("GET", "/v1/menu/sync?menu=otter&limit=100", "", http.StatusOK, &list)
		return list
	}
	at := func(what string, now time.Time, trigger string) {
		t.Helper()
		before := len(runs().Runs)
		h.set(now)
		if trigger == "" {
			// Nothing may come of it: a run by hand after it is the next there is.
			h.done(`{}`)
			if list := runs().Runs; len(list) != before+1 || list[0].Trigger != Manual {
				t.Fatalf("%s: %d runs came by themselves, the latest %+v", what, len(list)-before-1, list[0])
			}
			return
		}
		h.until(what, func() bool {
			list := runs().Runs
			return len(list) == before+1 && list[0].State == Done
		})
		if got := runs().Runs[0]; got.Trigger != trigger || !got.StartedAt.Equal(now) {
			t.Fatalf("%s: the run was %s at %v, want %s at %v", what, got.Trigger, got.StartedAt, trigger, now)
		}
	}
	next := func(what string, want time.Time) {
		t.Helper()
		var v View
		h.call("GET", "/v1/menu/menus/otter", "", http.StatusOK, &v)
		if !v.NextAt.Equal(want) {
			t.Fatalf("%s: the next run is at %v, want %v", what, v.NextAt, want)
		}
	}
	hour := func(n float64) time.Time { return evening.Add(time.Duration(n * float64(time.Hour))) }
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_update":true}`, http.StatusOK, nil)
	h.until("the first run", func() bool { l := runs().Runs; return len(l) == 1 && l[0].State == Done })
	next("after the first run", hour(6))
	at("a run by hand in between", hour(2), "")
	next("after it", hour(6))
	at("a minute before", hour(6).Add(-time.Minute), "")
	at("six hours", hour(6), Scheduled)
	next("after that", hour(12))
	h.restart()
	next("after a restart", hour(12))
	at("the slot after a restart", hour(12), Scheduled)
	h.stop()
	h.mu.Lock()
	h.now = hour(12 + 6*7 + 1) // two nights without power
	h.mu.Unlock()
	before := len(mustRuns(h))
	h.restart()
	h.until("one run makes up for all", func() bool {
		l := runs().Runs
		return len(l) == before+1 && l[0].State == Done && l[0].Trigger == CatchUp
	})
	next("in its rhythm", hour(60))
	at("and no more than one", hour(56), "")
	at("as before", hour(60), Scheduled)
	at("the clock is put back by a day", hour(36), "")
	next("then it comes sooner", hour(42))
	at("in the rhythm there was", hour(42), Scheduled)
	at("the clock is put forward by years", evening.AddDate(4, 0, 0).Add(time.Hour), CatchUp)
	at("and back", hour(50), "")
	var v View
	h.call("GET", "/v1/menu/menus/otter", "", http.StatusOK, &v)
	if wait := v.NextAt.Sub(hour(50)); wait <= 0 || wait > 6*time.Hour {
		t.Errorf("after a clock that was years ahead the next run is in %v", wait)
	}
	h.call("PUT", "/v1/menu/menus/otter", `{"auto_update":false}`, http.StatusOK, nil)
	at("switched off", hour(100), "")
}

func mustRuns(h *house) []Run {
	h.Helper()
	list, err := h.s.Runs(h.Context(), "otter", [16]byte{}, 100)
	if err != nil {
		h.Fatal(err)
	}
	return list
}

// Whatever the clock does, the next run is never further away than one round and its jitter, and a slot is used once.
func TestGridProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.IntRange(15, 7*24*60).Draw(t, "minutes")) * time.Minute
		jitter := func(most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "jitter"))
		}
		now, g := evening, grid{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(5000*time.Hour), int64(5000*time.Hour)).Draw(t, "passed")))
			g = g.align(now, every, jitter)
			if g.Slot.Sub(now) > every || g.Due.Sub(now) > every+maxJitter || g.Due.Before(g.Slot) {
				t.Fatalf("at %v every %v the grid is %+v", now, every, g)
			}
			if again := g.align(now, every, jitter); again != g {
				t.Fatalf("%+v is aligned again to %+v", g, again)
			}
			if g.Due.After(now) {
				continue
			}
			was := g
			if g = g.after(now, every, jitter); !g.Slot.After(now) || g.Slot.Sub(now) > every || g.Slot.Sub(was.Slot)%every != 0 {
				t.Fatalf("the run of %v at %v is followed by %v", was.Slot, now, g.Slot)
			}
		}
	})
}
