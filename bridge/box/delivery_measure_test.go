package box

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/lightspeed"
)

// TestMeasureWebhooks tells, with -measure, how long an aggregator's order takes to its answer, to the first byte at the
// printer, to the event at a screen and to the call at the till, at fifty orders a second. The till sells 5,000 items, and
// 20,000 links tie the aggregator's menu to them; every line of every order is found by a link.
func TestMeasureWebhooks(t *testing.T) {
	if !*measure {
		t.Skip("a measurement: -measure")
	}
	const items, tied, warm, orders = 5000, 20_000, 200, 1600
	r, _ := newOtterRig(t, "")
	till := lightspeedK(t, r.config)
	sold := make([]lightspeed.Item, items)
	screens := []lightspeed.MenuEntry{{Type: lightspeed.EntryGroup, ID: "1", Name: "Pizza"}, {Type: lightspeed.EntryGroup, ID: "2", Name: "Drinks"}} // of the two printers
	for i := range sold {
		sku := fmt.Sprintf("S-%d", i)
		sold[i] = lightspeed.Item{ID: wire.Text(sku), SKU: sku, Name: fmt.Sprintf("Dish %d", i), Active: true}
		screens[i%2].Entries = append(screens[i%2].Entries, lightspeed.MenuEntry{Type: lightspeed.EntryItem, SKU: sku, Name: sold[i].Name, Price: []byte("12.50")})
	}
	till.SetMenu(sold, []lightspeed.Menu{{ID: "1", Name: "All", Screens: screens}})
	r.config.Delivery[0].MenuSync.AutoUpdate = false
	r.config.POS.Inject = firmwareconfig.InjectStrict
	r.change = func(o *Options) { quickPOS(o); o.Log = slog.New(slog.DiscardHandler) }
	r.start()
	err := r.box.journal.Insist(t.Context(), func(tx *journal.Tx) error {
		for i := range tied {
			if _, err := tx.Exec(`INSERT INTO menu_links (menu, kind, within, id, target, method, at, by) VALUES ('otter', 'item', '', ?, ?, 'manual', 0, '')`, fmt.Sprintf("theirs-%d", i), fmt.Sprintf("i-S-%d", i%items)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var run menuRun
	r.must(http.StatusAccepted, "POST", "/v1/menu/sync", `{}`, &run)
	r.wait("the menu is read", func() bool {
		r.must(http.StatusOK, "GET", "/v1/menu/sync/"+run.ID, nil, &run)
		return run.State == "done" || run.State == "failed" || run.State == "asking"
	})
	if run.State != "done" || !r.box.menus.Known() {
		t.Fatalf("%+v", run)
	}

	p := newPace(t, 50)
	var mu sync.Mutex
	sent, shown := map[string]time.Time{}, map[string]time.Time{}
	events := r.screen("kitchen", "")
	go func() { // ends with the stream
		for e := range events {
			at := time.Now()
			var ticket struct {
				Partner struct {
					Order string `json:"order_id"`
				}
			}
			if e.name == "ticket" && json.Unmarshal([]byte(e.data), &ticket) == nil {
				mu.Lock()
				if _, before := shown[ticket.Partner.Order]; !before {
					shown[ticket.Partner.Order] = at
				}
				mu.Unlock()
			}
		}
	}()
	place := func(i int, at time.Time) {
		id := fmt.Sprintf("w%05d", i)
		body := []byte(otterEvent("e-"+id, "orders.new_order", bigOtterOrder(id, i, tied)))
		mac := hmac.New(sha256.New, []byte(otterSecret))
		mac.Write(body)
		mu.Lock()
		sent["F-"+id] = at
		mu.Unlock()
		p.request(http.MethodPost, r.base+"/webhooks/otter", "", body, map[string]string{"X-HMAC-SHA256": hex.EncodeToString(mac.Sum(nil))})
		if i >= warm {
			p.note("answer", time.Since(at))
		}
	}
	// What a fresh box does for the first time (statements, connections, pages of memory given back) is not what an evening costs.
	p.turn(2*time.Duration(warm)*time.Second/50, warm, place)
	p.forget()
	before := r.commits()
	p.run(orders, func(i int, at time.Time) { place(warm+i, at) })
	r.wait("paper, screen and till have all", func() bool {
		mu.Lock()
		seen := len(shown)
		mu.Unlock()
		return len(r.printers["grill"].Tickets())+len(r.printers["bar"].Tickets()) >= warm+orders && seen >= warm+orders && len(till.Orders()) >= warm+orders
	})
	commits := r.commits() - before
	mu.Lock()
	defer mu.Unlock()
	begun := func(mark string) (time.Time, bool) {
		at, ok := sent[mark]
		return at, ok && mark >= fmt.Sprintf("F-w%05d", warm)
	}
	for _, ticket := range slices.Concat(r.printers["grill"].Tickets(), r.printers["bar"].Tickets()) {
		for _, word := range strings.Fields(ticket.Text) {
			if at, ok := begun(word); ok {
				p.note("first byte at the printer", ticket.FirstByteAt.Sub(at))
				break
			}
		}
	}
	for mark, when := range shown {
		if at, ok := begun(mark); ok {
			p.note("event at the screen", when.Sub(at))
		}
	}
	for _, o := range till.Orders() {
		if !strings.Contains(o.Note, "F-w") || o.Account == "" {
			t.Fatalf("at the till: %+v", o)
		}
		mark := o.Note[strings.Index(o.Note, "F-w"):][:len("F-w00000")]
		if at, ok := begun(mark); ok {
			p.note("call at the till", o.At.Sub(at))
		}
	}
	p.tell(fmt.Sprintf("webhooks at 50 a second, %d items and %d links at the till; %.2f commits an order", items, tied, float64(commits)/orders))
}

// commits is how many transactions the box's journal has written.
func (r *rig) commits() int {
	r.t.Helper()
	for line := range bytes.Lines(r.fetch("/metrics")) {
		var n float64
		if _, err := fmt.Sscanf(string(line), "aboyeur_journal_commit_seconds_count %g", &n); err == nil {
			return int(n)
		}
	}
	r.t.Fatal("no metric of commits")
	return 0
}

// bigOtterOrder has one to five lines for one of two stations, known by links alone.
func bigOtterOrder(id string, n, tied int) string {
	var lines []string
	for i := range 1 + n%5 {
		lines = append(lines, fmt.Sprintf(`{"quantity":2,"id":"theirs-%d","name":"Margherita %d","categoryName":"Pizza","price":12.5,"note":"sans basilic"}`, (n*7919+i*614)%tied, i))
	}
	total := 25 * len(lines)
	return fmt.Sprintf(`{"externalIdentifiers":{"id":%q,"friendlyId":%q,"source":"ubereats"},"currencyCode":"EUR","status":"NEW_ORDER","orderedAt":%q,
"items":[%s],"customer":{"name":"Zoé L."},"orderTotal":{"subtotal":%d,"total":%d},"customerPayments":[{"value":%d,"processingStatus":"PROCESSED","paymentMethod":"CARD"}],
"fulfillmentInfo":{"fulfillmentMode":"DELIVERY","schedulingType":"ASAP"}}`, id, "F-"+id, time.Now().UTC().Format(time.RFC3339), strings.Join(lines, ","), total, total, total)
}
