package box

import (
	"net/http"
	"testing"

	"aboyeur/bridge/journal/journaltest"
)

// TestStorageFaults lets the first call to storage fail, then the second, and so on until an evening passes without a
// fault: whatever fails, what was answered is there, nothing is half there, and paper has it all.
func TestStorageFaults(t *testing.T) {
	for _, mode := range []struct {
		name string
		mode journaltest.Mode
	}{{"before", journaltest.Before}, {"after", journaltest.After}} {
		t.Run(mode.name, func(t *testing.T) {
			step := 1
			if testing.Short() {
				step = 7
			}
			for n := 1; ; n += step {
				if hit := stumble(t, n, mode.mode); hit == "" || t.Failed() {
					t.Logf("calls that failed in turn: %d", n-1)
					return
				}
			}
		})
	}
}

// stumble runs a box whose n-th storage call from the first order on fails, and tells which one that was.
func stumble(t *testing.T, n int, mode journaltest.Mode) (hit string) {
	t.Helper()
	faults := &journaltest.Faults{}
	r := newRig(t)
	r.storage = faults.Wrap
	r.start()
	faults.Arm(n, mode, "")
	acknowledged := map[string]string{}
	for i := range 3 {
		var v orderView
		o := orderOf(i * 16)
		if status, err := r.call(http.MethodPost, "/v1/orders", o, &v); err == nil && (status == http.StatusCreated || status == http.StatusOK) {
			acknowledged[o.SourceOrderID] = v.ID
		}
	}
	// A person bumps a ticket meanwhile; it may fail, but not leave anything half.
	for _, id := range acknowledged {
		var v orderView
		if status, err := r.call(http.MethodGet, "/v1/orders/"+id, nil, &v); err == nil && status == http.StatusOK && len(v.Tickets) > 0 {
			_, _ = r.call(http.MethodPost, "/v1/tickets/"+v.Tickets[0].ID+"/bump", nil, nil)
		}
	}
	hit = faults.Hit()
	faults.Arm(0, mode, "")
	r.wait("the journal takes writes again", func() bool {
		status, err := r.call(http.MethodGet, "/readyz", nil, nil)
		return err == nil && status == http.StatusOK
	})
	for i := range 3 {
		var v orderView
		o := orderOf(i * 16)
		r.wait("order "+o.SourceOrderID+" is taken", func() bool {
			status, err := r.call(http.MethodPost, "/v1/orders", o, &v)
			return err == nil && (status == http.StatusCreated || status == http.StatusOK)
		})
		if before := acknowledged[o.SourceOrderID]; before != "" && before != v.ID {
			t.Errorf("call %d (%s): order %s was answered as %s and is now %s", n, hit, o.SourceOrderID, before, v.ID)
		}
		v = r.done(v.ID)
		if len(v.Tickets) != 2 || len(v.Tickets[0].Jobs) != 1 || len(v.Tickets[1].Jobs) != 1 {
			t.Errorf("call %d (%s): order %s is half there: %+v", n, hit, o.SourceOrderID, v.Tickets)
		}
		for _, name := range []string{"grill", "bar"} {
			if plain, banner := r.papers(name, o.Partner.OrderID); plain+banner < 1 || plain > 1 {
				t.Errorf("call %d (%s): order %s is on %s %d times and %d under the banner", n, hit, o.SourceOrderID, name, plain, banner)
			}
		}
	}
	var feed struct{ Changes []struct{ Seq int64 } }
	if status, err := r.call(http.MethodGet, "/v1/changes?after=0&limit=1000", nil, &feed); err != nil || status != http.StatusOK {
		t.Fatalf("read the change feed: %d %v", status, err)
	}
	for i, c := range feed.Changes {
		if c.Seq != int64(i+1) {
			t.Errorf("call %d (%s): change %d has number %d", n, hit, i+1, c.Seq)
			break
		}
	}
	r.down()
	return hit
}
