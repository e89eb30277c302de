package box

import (
	"fmt"
	"net/http"
	"testing"

	"aboyeur/bridge/journal/journaltest"
	"aboyeur/simulate/dinner"
)

// TestStorageFaults lets the first call to storage fail, then the second, and so on until a run passes without a fault:
// whatever fails, what was answered is there, nothing is half there, and paper has it all. The long form sends three orders
// at each fault.
func TestStorageFaults(t *testing.T) {
	for _, mode := range []struct {
		name string
		mode journaltest.Mode
	}{{"before", journaltest.Before}, {"after", journaltest.After}} {
		t.Run(mode.name, func(t *testing.T) {
			faults := &journaltest.Faults{}
			r := newRig(t)
			r.storage = faults.Wrap
			r.start()
			n := 1
			for ; r.stumble(faults, n, mode.mode); n++ {
				if t.Failed() {
					return
				}
			}
			var feed struct{ Changes []struct{ Seq int64 } }
			for after := int64(0); ; {
				if status, err := r.call(http.MethodGet, fmt.Sprintf("/v1/changes?after=%d&limit=1000", after), nil, &feed); err != nil || status != http.StatusOK {
					t.Fatalf("read the change feed: %d %v", status, err)
				}
				for _, c := range feed.Changes {
					if after++; c.Seq != after {
						t.Fatalf("change %d has number %d", after, c.Seq)
					}
				}
				if len(feed.Changes) == 0 {
					break
				}
			}
			t.Logf("calls that failed in turn: %d", n-1)
		})
	}
}

// stumble sends orders and bumps a ticket of each while the n-th storage call fails, and tells whether one did.
func (r *rig) stumble(faults *journaltest.Faults, n int, mode journaltest.Mode) bool {
	t := r.t
	t.Helper()
	orders := make([]dinner.Order, 1)
	if *long {
		orders = make([]dinner.Order, 3)
	}
	acknowledged := map[string]string{}
	faults.Arm(n, mode, "")
	for i := range orders {
		orders[i] = orderOf((3*n + i) * 16)
		var v orderView
		if status, err := r.call(http.MethodPost, "/v1/orders", orders[i], &v); err == nil && (status == http.StatusCreated || status == http.StatusOK) {
			acknowledged[orders[i].SourceOrderID] = v.ID
			// A cook bumps it at once; that may fail, but must not leave anything half.
			_, _ = r.call(http.MethodPost, "/v1/tickets/"+v.Tickets[0].ID+"/bump", nil, nil)
		}
	}
	hit := faults.Hit()
	faults.Arm(0, mode, "")
	r.wait("the journal takes writes again", func() bool {
		status, err := r.call(http.MethodGet, "/readyz", nil, nil)
		return err == nil && status == http.StatusOK
	})
	for _, o := range orders {
		var v orderView
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
	return hit != ""
}
