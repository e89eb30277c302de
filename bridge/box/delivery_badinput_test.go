package box

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/protocol/deliverect"
	"aboyeur/protocol/otter"
	"aboyeur/protocol/ubereats"
)

// sender is an aggregator's way to bring an order of two pizzas at 12.50 under an id. change replaces texts of the order's JSON.
type sender struct {
	name, header string
	order        func(id string) string // its JSON
	webhook      func(id, event, order string) string
	event        func(id string) string // of a type that nobody knows
	quantity     string                 // of the line, as the order has it
	currency     [2]string              // how to make it one of nobody; "" when the wire has none
	sum          [2]string              // how to make lines and sum differ
	fetched      bool                   // the order is read after the webhook
}

func senders() []sender {
	return []sender{
		{name: "otter", header: otter.SignatureHeader,
			order: func(id string) string {
				return fmt.Sprintf(`{"externalIdentifiers":{"id":%q,"friendlyId":%q,"source":"deliveroo"},"currencyCode":"EUR","status":"NEW_ORDER","items":[{"quantity":2,"id":"P","skuId":"P","name":"Margherita","categoryName":"Pizza","price":12.5}],"orderTotal":{"subtotal":25,"total":25},"fulfillmentInfo":{"fulfillmentMode":"PICKUP","schedulingType":"ASAP"}}`, id, id)
			},
			webhook:  func(_, event, order string) string { return otterEvent(event, "orders.new_order", order) },
			event:    func(id string) string { return otterEvent(id, "orders.teleported", `{"a":1}`) },
			quantity: `"quantity":2`, currency: [2]string{`"EUR"`, `"XYZ"`}, sum: [2]string{`"subtotal":25`, `"subtotal":24`}},
		{name: "deliverect", header: deliverect.SignatureHeader,
			order: func(id string) string {
				return fmt.Sprintf(`{"_id":%q,"channelOrderId":%q,"channelOrderDisplayId":%q,"location":"S1","status":20,"orderType":1,"channel":7,"decimalDigits":2,"orderIsAlreadyPaid":true,"payment":{"amount":2500,"type":0},"items":[{"plu":"P","name":"Margherita","price":1250,"quantity":2}]}`, "r-"+id, id, id)
			},
			webhook:  func(_, _, order string) string { return order },
			event:    func(string) string { return `{"location":"S1","isActive":true,"sunny":1}` },
			quantity: `"quantity":2`, sum: [2]string{`"amount":2500`, `"amount":2400`}},
		{name: "ubereats", header: ubereats.SignatureHeader, fetched: true,
			order: func(id string) string {
				return fmt.Sprintf(`{"id":%q,"display_id":%q,"current_state":"CREATED","type":"PICK_UP","store":{"id":"S1"},"eater":{"first_name":"Zoé"},"cart":{"items":[{"id":"P","instance_id":"P-1","title":"Margherita","external_data":"P","quantity":2,"price":{"unit_price":{"amount":1250,"currency_code":"EUR"}}}]},"payment":{"charges":{"total":{"amount":2500,"currency_code":"EUR"},"sub_total":{"amount":2500,"currency_code":"EUR"}}},"placed_at":%q}`, id, id, time.Now().UTC().Format(time.RFC3339))
			},
			webhook: func(id, event, _ string) string {
				return fmt.Sprintf(`{"event_id":%q,"event_time":%d,"event_type":"orders.notification","meta":{"resource_id":%q,"status":"pos","user_id":"S1"}}`, event, time.Now().Unix(), id)
			},
			event: func(id string) string {
				return fmt.Sprintf(`{"event_id":%q,"event_time":%d,"event_type":"orders.teleported","meta":{"resource_id":"o","user_id":"S1"}}`, id, time.Now().Unix())
			},
			quantity: `"quantity":2`, currency: [2]string{`"EUR"`, `"XYZ"`}, sum: [2]string{`"sub_total":{"amount":2500`, `"sub_total":{"amount":2400`}},
	}
}

// kiosk is all three aggregators' clouds: it gives tokens, the orders that are read after their webhook, and takes every call.
type kiosk struct {
	mu     sync.Mutex
	orders map[string]string
	calls  []string
}

func (k *kiosk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	body, _ := io.ReadAll(r.Body)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch order := k.orders[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]; {
	case strings.Contains(r.URL.Path, "token"):
		_, _ = io.WriteString(w, `{"access_token":"t","token_type":"bearer","expires_in":3600,"scope":"x"}`)
	case r.Method == http.MethodGet && order != "":
		_, _ = io.WriteString(w, order)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, `{"orders":[]}`)
	default:
		k.calls = append(k.calls, r.URL.Path+" "+string(body))
		w.WriteHeader(http.StatusAccepted)
	}
}

func (k *kiosk) put(id, order string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.orders[id] = order
}

func (k *kiosk) heard(part string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.calls, func(c string) bool { return strings.Contains(c, part) })
}

// What an aggregator must not get away with, for each of them over HTTP: a missing or wrong signature is 401 and counted, a replay
// is answered as known, what is not linked fails by name, quantities below zero and absurd ones are refused by name, a currency of
// nobody and a sum that fits no reading are told or refused, ten megabytes are refused, and a type of tomorrow is kept and
// answered.
func TestBadWebhooks(t *testing.T) {
	t.Parallel()
	r, peer := newRig(t), &kiosk{orders: map[string]string{}}
	server := httptest.NewServer(peer)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": otterSecret, "credentials": "{client_id: id, client_secret: secret}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	section := "delivery:\n"
	aggregators := senders()
	for _, s := range aggregators {
		section += fmt.Sprintf("  - {aggregator: %s, store: S1, base_url: %q, webhook_secret_file: %q, credentials_file: %q}\n", s.name, server.URL, filepath.Join(dir, "secret"), filepath.Join(dir, "credentials"))
	}
	c, err := firmwareconfig.Parse("delivery.yaml", []byte(fmt.Sprintf(rigConfig, "x", "127.0.0.1:1", "x", "h:1", "h:2")+section))
	if err != nil {
		t.Fatal(err)
	}
	r.config.Delivery = c.Delivery
	all := &links{}
	all.set("Truffe", true)
	r.change = func(o *Options) { o.resolver, o.backoff = all, []time.Duration{20 * time.Millisecond} }
	r.start()
	send := func(s *sender, body, signature string) int {
		t.Helper()
		q, err := http.NewRequest(http.MethodPost, r.base+"/webhooks/"+s.name, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		if signature != "" {
			q.Header.Set(s.header, signature)
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	sign := func(body string) string {
		mac := hmac.New(sha256.New, []byte(otterSecret))
		mac.Write([]byte(body))
		return hex.EncodeToString(mac.Sum(nil))
	}
	counted := func(s *sender, outcome string) (n int) {
		t.Helper()
		for line := range strings.Lines(string(r.fetch("/metrics"))) {
			_, _ = fmt.Sscanf(line, `aboyeur_orders_total{outcome="`+outcome+`",source="`+s.name+`"} %d`, &n)
		}
		return n
	}
	rejected := func(s *sender, part string) bool {
		t.Helper()
		var list struct{ Rejected []struct{ Reason string } }
		r.must(http.StatusOK, http.MethodGet, "/v1/integrations/"+s.name+"/rejected", nil, &list)
		for _, x := range list.Rejected {
			if strings.Contains(x.Reason, part) {
				return true
			}
		}
		return false
	}
	for i := range aggregators {
		s := &aggregators[i]
		t.Run(s.name, func(t *testing.T) {
			// bring sends an order and gives the answer's status.
			bring := func(id, event, old, with string) int {
				t.Helper()
				order := s.order(id)
				if old != "" {
					order = strings.ReplaceAll(order, old, with)
				}
				if old != "" && order == s.order(id) {
					t.Fatalf("%q is not in the order", old)
				}
				peer.put(id, order)
				body := s.webhook(id, event, order)
				return send(s, body, sign(body))
			}
			good, id := s.order(s.name+"-1"), s.name+"-1"
			peer.put(id, good)
			body := s.webhook(id, "e-1", good)
			for name, signature := range map[string]string{"no signature": "", "of other bytes": sign(body + " "), "no hexadecimal": "zz", "of another secret": strings.Repeat("ab", 32)} {
				if status := send(s, body, signature); status != http.StatusUnauthorized {
					t.Errorf("%s: %d", name, status)
				}
			}
			if n := counted(s, "unsigned"); n != 4 || r.ordered(id) != nil {
				t.Errorf("%d messages are counted as not signed, want 4; order %v", n, r.ordered(id))
			}

			stands := func(id, inPOS string) (got *delivered) {
				t.Helper()
				r.wait(id+" stands as "+inPOS, func() bool { got = r.ordered(id); return got != nil && got.InPOS == inPOS })
				return got
			}
			for range 3 {
				if status := send(s, body, sign(body)); status != http.StatusOK {
					t.Errorf("an order: %d", status)
				}
			}
			stands(id, "yes")
			if status := bring(id, "e-2", "", ""); status != http.StatusOK {
				t.Errorf("the same under another event: %d", status)
			}
			r.wait("replays are counted", func() bool { return counted(s, "accepted") == 1 && (s.fetched || counted(s, "replayed") == 3) })

			bring(s.name+"-2", "e-3", "Margherita", "Truffe")
			if got := stands(s.name+"-2", "no"); got.Injection.Cause != "ITEM_MAPPING_FAILED" || !strings.Contains(got.Injection.Detail, "Truffe") {
				t.Errorf("not linked: %+v", got.Injection)
			}

			for i, quantity := range []string{"-2", "0", "1000000000", "1.5"} {
				id := fmt.Sprintf("%s-q%d", s.name, i)
				status := bring(id, fmt.Sprint("e-q", i), s.quantity, `"quantity":`+quantity)
				if want := http.StatusUnprocessableEntity; status != want && !s.fetched || s.fetched && status != http.StatusOK {
					t.Errorf("%s pizzas: %d", quantity, status)
				}
				if s.fetched {
					r.wait("the guest's marketplace hears that nobody cooks "+id, func() bool { return peer.heard(id + "/deny_pos_order") })
				}
			}
			r.wait("they are refused by name", func() bool { return rejected(s, "quantity") })
			if s.currency[0] != "" {
				id := s.name + "-c"
				bring(id, "e-c", s.currency[0], s.currency[1])
				r.wait("a currency of nobody is refused by name", func() bool { return rejected(s, "XYZ") || rejected(s, "currency") })
				if r.ordered(id) != nil {
					t.Error("an order in a currency of nobody")
				}
			}
			bring(s.name+"-s", "e-s", s.sum[0], s.sum[1])
			if got := stands(s.name+"-s", "yes"); len(got.Delivery.Unsure) == 0 || !strings.Contains(got.Delivery.Unsure[0], "the lines make 25.00") {
				t.Errorf("a sum that fits nothing: %q", got.Delivery.Unsure)
			}

			if status := send(s, strings.Repeat("x", 10<<20), ""); status != http.StatusRequestEntityTooLarge {
				t.Errorf("ten megabytes: %d", status)
			}
			before := r.kept(s.name)
			event := s.event("e-new")
			for range 2 {
				if status := send(s, event, sign(event)); status != http.StatusOK {
					t.Errorf("a type of tomorrow: %d", status)
				}
			}
			if now := r.kept(s.name); now != before+1 {
				t.Errorf("%d messages are kept, want one more than %d", now, before)
			}
		})
	}
}

// kept is how many messages of an aggregator the journal has.
func (r *rig) kept(aggregator string) (n int) {
	r.t.Helper()
	if err := r.box.journal.Read().QueryRow(`SELECT count(*) FROM delivery_events WHERE aggregator = ?`, aggregator).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}
