package box

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"
)

const otterSecret = "a secret of webhooks"

// plainCloud is an aggregator's API that takes every call and writes it down.
type plainCloud struct {
	mu    sync.Mutex
	calls []string // path and X-Event-Id
}

func (c *plainCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/auth/token"):
		_, _ = io.WriteString(w, `{"access_token":"t","token_type":"bearer","expires_in":3600,"scope":"x"}`)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, `{"orders":[]}`)
	default:
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.calls = append(c.calls, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("X-Event-Id")+" "+string(body)))
		c.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}
}

func (c *plainCloud) told(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, call := range c.calls {
		if strings.Contains(call, what) {
			n++
		}
	}
	return n
}

// newOtterRig is a rig whose box has a store at Otter; more is further YAML of the delivery section.
func newOtterRig(t *testing.T, more string) (*rig, *plainCloud) {
	t.Helper()
	r, c := newRig(t), &plainCloud{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	addOtter(r, server.URL, more)
	return r, c
}

// addOtter gives the rig's box a store at Otter.
func addOtter(r *rig, base, more string) {
	r.t.Helper()
	dir := r.t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
		return path
	}
	section := fmt.Sprintf("delivery:\n  - {aggregator: otter, store: S1, base_url: %q, webhook_secret_file: %q, credentials_file: %q%s}\n",
		base, write("secret", otterSecret), write("credentials", "{client_id: id, client_secret: secret}\n"), more)
	c, err := firmwareconfig.Parse("delivery.yaml", []byte(fmt.Sprintf(rigConfig, "x", "127.0.0.1:1", "x", "h:1", "h:2")+section))
	if err != nil {
		r.t.Fatal(err)
	}
	r.config.Delivery = c.Delivery
}

// otterEvent is a webhook of Otter's about an order.
func otterEvent(id, kind, payload string) string {
	return fmt.Sprintf(`{"eventId":%q,"eventTime":%q,"eventType":%q,"metadata":{"storeId":"S1","applicationId":"app","payload":%s}}`,
		id, time.Now().UTC().Format(time.RFC3339Nano), kind, payload)
}

// otterOrder is an order as Otter has it; more are further members.
func otterOrder(id, more string) string {
	return fmt.Sprintf(`{"externalIdentifiers":{"id":%q,"friendlyId":%q,"source":"ubereats"},"currencyCode":"EUR","status":"NEW_ORDER","orderedAt":%q,
"items":[{"quantity":2,"id":"i1","skuId":"PIZ-01","name":"Margherita","categoryName":"Pizza","price":12.5,"note":"sans basilic","modifiers":[{"quantity":1,"id":"m1","name":"Extra","groupId":"g","price":1.5}]}],
"customer":{"name":"Zoé L."},"orderTotal":{"subtotal":28,"tip":5,"total":33},"customerPayments":[{"value":33,"processingStatus":"PROCESSED","paymentMethod":"CARD"}],
"fulfillmentInfo":{"fulfillmentMode":"DELIVERY","schedulingType":"ASAP"}%s}`, id, "F-"+id, time.Now().UTC().Format(time.RFC3339), more)
}

// hook sends a webhook; sign makes its signature.
func (r *rig) hook(body string, sign func(mac []byte) string) int {
	r.t.Helper()
	mac := hmac.New(sha256.New, []byte(otterSecret))
	mac.Write([]byte(body))
	q, err := http.NewRequest(http.MethodPost, r.base+"/webhooks/otter", bytes.NewReader([]byte(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if sign != nil {
		q.Header.Set("X-HMAC-SHA256", sign(mac.Sum(nil)))
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode >= 500 || testing.Verbose() && answer.StatusCode >= 300 {
		r.t.Logf("webhook: %d %s", answer.StatusCode, text)
	}
	return answer.StatusCode
}

func inHex(mac []byte) string    { return hex.EncodeToString(mac) }
func inBase64(mac []byte) string { return base64.StdEncoding.EncodeToString(mac) }

// delivered is an order as GET /v1/orders shows it.
type delivered struct {
	ID            string    `json:"id"`
	Number        int       `json:"number"`
	Source        string    `json:"source"`
	SourceOrderID string    `json:"source_order_id"`
	State         string    `json:"state"`
	InPOS         string    `json:"in_pos"`
	VoidPending   bool      `json:"void_pending"`
	Version       int       `json:"version"`
	Total         int64     `json:"total"`
	ReleaseAt     time.Time `json:"release_at"`
	ShowAt        time.Time `json:"show_at"`
	Partner       struct {
		Name    string `json:"name"`
		OrderID string `json:"order_id"`
	} `json:"partner"`
	Injection struct {
		State, Cause, Detail string
	} `json:"injection"`
	Delivery struct {
		Aggregator, Slug, Status, Method, Other string
		Total, Collect                          int64
		Unsure                                  []string
		Told                                    []struct{ Kind, State string }
	} `json:"delivery"`
	Lines []struct {
		SKU, Name, Notes string
		Quantity         int
		Price            int64
	} `json:"lines"`
	Tickets []struct {
		Station, Kind, State string
		Jobs                 []struct{ Printer, State string }
	} `json:"tickets"`
}

// orders lists the newest orders.
func (r *rig) orders(query string) []delivered {
	r.t.Helper()
	var list struct{ Orders []delivered }
	if status, err := r.call(http.MethodGet, "/v1/orders?limit=200"+query, nil, &list); err != nil || status != http.StatusOK {
		r.t.Fatalf("list: %d %v", status, err)
	}
	return list.Orders
}

// ordered is the order of a source id; a nil one when there is none.
func (r *rig) ordered(source string) *delivered {
	r.t.Helper()
	for _, o := range r.orders("") {
		if o.SourceOrderID == source {
			return &o
		}
	}
	return nil
}

// act does something with an order by its path.
func (r *rig) act(id, what string) int {
	r.t.Helper()
	status, err := r.call(http.MethodPost, "/v1/orders/"+id+"/"+what, nil, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return status
}

// An order of an aggregator is on disk and on paper when its webhook is answered, counts once however often it comes, and the
// aggregator hears that it was taken.
func TestOtterOrder(t *testing.T) {
	t.Parallel()
	r, c := newOtterRig(t, "")
	r.start()
	body := otterEvent("e-1", "orders.new_order", otterOrder("u-1", ""))
	for _, c := range []struct {
		name string
		body string
		sign func([]byte) string
	}{
		{"no signature", body, nil},
		{"one bit", body, func(mac []byte) string { mac[3] ^= 1; return inHex(mac) }},
		{"of other bytes", body + " ", func([]byte) string {
			m := hmac.New(sha256.New, []byte(otterSecret))
			m.Write([]byte(body))
			return inHex(m.Sum(nil))
		}},
	} {
		if status := r.hook(c.body, c.sign); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", c.name, status)
		}
	}
	if n := len(r.orders("")); n != 0 {
		t.Fatalf("%d orders of messages that nobody signed", n)
	}
	var all sync.WaitGroup
	for i := range 20 { // at once, in both spellings
		all.Go(func() {
			sign := inHex
			if i%2 == 1 {
				sign = inBase64
			}
			if status := r.hook(body, sign); status != http.StatusOK {
				t.Errorf("webhook: %d", status)
			}
		})
	}
	all.Wait()
	if status := r.hook(otterEvent("e-2", "orders.new_order", otterOrder("u-1", "")), inHex); status != http.StatusOK { // under another event
		t.Errorf("webhook: %d", status)
	}
	list := r.orders("")
	if len(list) != 1 {
		t.Fatalf("%d orders", len(list))
	}
	o := list[0]
	if o.State != "accepted" || o.InPOS != "yes" || o.Source != "otter" || o.Partner.OrderID != "F-u-1" || o.Total != 2800 || o.Delivery.Total != 3300 || o.Delivery.Collect != 0 || len(o.Tickets) != 1 {
		t.Errorf("order %+v", o)
	}
	if o.Lines[0].SKU != "PIZ-01" || o.Lines[0].Quantity != 2 || o.Lines[0].Price != 1250 || o.Lines[0].Notes != "sans basilic" {
		t.Errorf("line %+v", o.Lines[0])
	}
	r.wait("Otter hears that it is taken", func() bool { return c.told("/orders/order-created e-1") == 1 && c.told("/u-1/confirm") == 1 })
	r.wait("paper has it", func() bool { return len(r.printers["grill"].Tickets()) >= 1 })
}
