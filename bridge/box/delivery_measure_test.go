package box

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMeasureWebhooks tells how long an aggregator's order takes to its answer and to the first byte at the printer, at fifty
// orders a second; with -measure only.
func TestMeasureWebhooks(t *testing.T) {
	if !*measure {
		t.Skip("with -measure only")
	}
	r, _ := newOtterRig(t, "")
	r.start()
	const orders, warm = 1000, 100
	type sent struct{ at, answered time.Time }
	var mu sync.Mutex
	all := map[string]sent{}
	var under sync.WaitGroup
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := range orders {
		<-tick.C
		id := fmt.Sprintf("w%05d", i)
		body := otterEvent("e-"+id, "orders.new_order", otterOrder(id, ""))
		under.Go(func() {
			at := time.Now()
			if status := r.hook(body, inHex); status != http.StatusOK {
				t.Errorf("webhook: %d", status)
			}
			mu.Lock()
			defer mu.Unlock()
			all["F-"+id] = sent{at, time.Now()}
		})
	}
	under.Wait()
	r.wait("paper has all", func() bool { return len(r.printers["grill"].Tickets()) >= orders })
	var answers, bytes []time.Duration
	for _, p := range r.printers["grill"].Tickets() {
		for _, word := range strings.Fields(p.Text) {
			if s, ok := all[word]; ok && word >= fmt.Sprintf("F-w%05d", warm) {
				answers = append(answers, s.answered.Sub(s.at))
				bytes = append(bytes, p.FirstByteAt.Sub(s.at))
				break
			}
		}
	}
	for name, list := range map[string][]time.Duration{"answer": answers, "first byte at the printer": bytes} {
		slices.Sort(list)
		t.Logf("%s of %d: p50 %v p95 %v p99 %v longest %v", name, len(list), list[len(list)/2], list[len(list)*95/100], list[len(list)*99/100], list[len(list)-1])
	}
}
