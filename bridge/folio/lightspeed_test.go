package folio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/simulate/opera"
)

// recorder is an http.ResponseWriter that keeps what it is given.
type recorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{status: 200, header: http.Header{}} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(status int)      { r.status = status }

const apiKey = "till-secret"

func withTill(c *Config) {
	c.Key = func(key string) (access.Principal, bool) { return till, key == apiKey }
	c.RevenueAccount = "9001"
}

func (h *house) lightSearch(term, key string) (int, []lightGuest) {
	h.t.Helper()
	status, raw, _ := h.callRaw(access.Principal{}, "GET", "/pms/lightspeed/search?term="+term+"&businessExternalReference=x&apiKey="+key, nil)
	var list []lightGuest
	if status == 200 {
		if err := json.Unmarshal(raw, &list); err != nil {
			h.t.Fatalf("search answers %s: %v", raw, err)
		}
	}
	return status, list
}

const lightBody = `{"name":"T12","openDate":"2026-11-21T11:00:00Z","closeDate":"2026-11-21T12:00:00Z","covers":2.0,"ownerId":17,"ownerName":"Léa","deviceId":99,
"businessExternalReference":"x","apiKey":"till-secret","receiptId":"R1234.56","uuid":%q,%s"newMember":{"a":1},
"transactions":[
 {"unitAmount":"20.00","quantity":1,"amount":%s,"description":"Steak","groupName":"food","sku":"S","type":"Sale","taxLines":[{"taxAmount":1.82,"taxIncluded":true}]},
 {"unitAmount":10.0,"quantity":"1","amount":%s,"description":"Wine","groupName":"drinks","type":"Sale","taxLines":[]}],
"payments":[%s]}`

func lightCharged(uuid, extra, food, drinks string, payments ...string) string {
	return fmt.Sprintf(lightBody, uuid, extra, food, drinks, strings.Join(payments, ","))
}

func roomPays(amount, tip, reservation string) string {
	return fmt.Sprintf(`{"amount":%s,"gratuity":%s,"methodName":"Opera","methodCode":"IKPMS","reservationId":%q}`, amount, tip, reservation)
}

func (h *house) lightCharge(key, body string) (int, map[string]any) {
	h.t.Helper()
	status, v, _ := h.call(access.Principal{}, "POST", "/pms/lightspeed/charge", body, "X-Lightspeed-Idempotency-Key", key)
	return status, v
}

func words50(v map[string]any) string {
	extra, _ := v["extra"].(map[string]any)
	text, _ := extra["customerErrorMessage"].(string)
	return text
}

func TestLightspeedTill(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(withTill))
	if status, _ := h.lightSearch("2781", "wrong"); status != 401 {
		t.Errorf("a wrong key: %d", status)
	}
	status, list := h.lightSearch("2781", apiKey)
	if status != 200 || len(list) != 2 || list[0].RoomID != "2781" || list[0].ReservationID != "12345" || list[0].Blocked || !list[1].Blocked || string(list[0].CreditLimit) != "500.00" {
		t.Fatalf("search: %d %+v", status, list)
	}
	body := lightCharged("u1", "", `"20.00"`, "10.0", roomPays("30.0", `"1.50"`, "12345"))
	if status, v := h.lightCharge("k1", body); status != 200 {
		t.Fatalf("charge: %d %v", status, v)
	}
	if status, v := h.lightCharge("k1", body); status != 200 || len(h.ledger()) != 1 {
		t.Errorf("the same key again: %d %v, %d booked", status, v, len(h.ledger()))
	}
	if status, v := h.lightCharge("k1", lightCharged("u1", "", "21", "10", roomPays("31", "0", "12345"))); status != 409 || words50(v) == "" {
		t.Errorf("the key with another body: %d %v", status, v)
	}
	b := h.ledger()[0]
	if b.Total != 3150 || b.Tip != 150 || b.Subtotals[0] != 2000 || b.Subtotals[1] != 1000 || b.Room != "2781" || b.Check != "123456" || b.Covers != 2 {
		t.Errorf("booked %+v", b)
	}
	// Another key, another posting: that is what the till says it is.
	if status, v := h.lightCharge("k2", lightCharged("u2", "", "20.00", "10.00", roomPays("15.00", "0", "12345"), `{"amount":15.00,"methodCode":"CASH","methodName":"Cash"}`)); status != 200 {
		t.Fatalf("half a check: %d %v", status, v)
	}
	if b := h.ledger()[1]; b.Total != 1500 || b.Subtotals[0]+b.Subtotals[1] != 1500 {
		t.Errorf("half a check booked %+v", b)
	}
	if got := h.waiting(); !slices.Equal(got, []string{"drinks 500", "food 1000"}) {
		t.Errorf("the other half: %v", got)
	}
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"no-post", lightCharged("u3", "", "5", "0", roomPays("5", "0", "12381")), 422},
		{"nobody", lightCharged("u4", "", "5", "0", roomPays("5", "0", "99999")), 422},
		{"no reservation", lightCharged("u5", "", "5", "0", roomPays("5", "0", "")), 422},
		{"not an amount", lightCharged("u6", "", `"five"`, "0", roomPays("5", "0", "12345")), 422},
		{"no JSON", "{", 400},
		{"over the limit by a ordinary user that the till let pass", lightCharged("u7", "", "9999999999999999", "0", roomPays("5", "0", "12345")), 422},
	} {
		status, v := h.lightCharge(c.name, c.body)
		if status != c.status || words50(v) == "" || len([]rune(words50(v))) > 50 {
			t.Errorf("%s: %d %v", c.name, status, v)
		}
	}
	if n := len(h.ledger()); n != 2 {
		t.Errorf("%d booked", n)
	}
	// A repeat after the box was down is the same still.
	h.restart()
	if status, v := h.lightCharge("k1", body); status != 200 || len(h.ledger()) != 2 {
		t.Errorf("after a restart: %d %v, %d booked", status, v, len(h.ledger()))
	}
	// The first is taken back, and not twice.
	back := func(uuid string, food, pay string) (int, map[string]any) {
		return h.lightCharge(uuid, lightCharged(uuid, `"initialAccountId":"u1",`, food, "0", roomPays(pay, "0", "12345")))
	}
	if status, v := back("v1", "-20", "-20"); status != 200 {
		t.Fatalf("refund: %d %v", status, v)
	}
	if b := h.ledger()[2]; b.Total != -2000 || b.Room != "2781" {
		t.Errorf("refund booked %+v", b)
	}
	if status, v := back("v2", "-20", "-20"); status != 422 || words50(v) == "" {
		t.Errorf("refund above the original: %d %v", status, v)
	}
	if got := h.waiting(); !slices.Equal(got, []string{"drinks 500", "food 1000"}) {
		t.Errorf("after a refund to the room: %v", got)
	}
}

// One room of two refuses: the other is not charged either.
func TestLightspeedAllOrNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(withTill))
	h.lightSearch("2781", apiKey)
	h.lightSearch("305", apiKey)
	status, v := h.lightCharge("k", lightCharged("u", "", "20", "10", roomPays("15", "0", "12345"), roomPays("15", "0", "24324")))
	if status != 422 || words50(v) == "" {
		t.Fatalf("charge: %d %v", status, v)
	}
	h.wait("the void", func() bool { return len(h.ledger()) == 2 })
	if b := h.ledger(); b[0].Total != 1500 || b[1].Total != -1500 {
		t.Errorf("booked %+v", b)
	}
}

// Lines before or after tax, payments with the tip or without: what adds up is right.
func TestLightspeedSums(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(withTill))
	for _, c := range []struct {
		name, body string
		taxes, tip int64
		flagged    bool
	}{
		{"tax in the lines", `{"transactions":[{"amount":10.77,"groupName":"food","taxLines":[{"taxAmount":0.77,"taxIncluded":true}]}],"payments":[{"amount":10.77,"gratuity":1}]}`, 0, 100, false},
		{"tax on top", `{"transactions":[{"amount":10,"groupName":"food","taxLines":[{"taxAmount":0.77,"taxIncluded":false}]}],"payments":[{"amount":"10.770","gratuity":1}]}`, 77, 100, false},
		{"tip in the payment", `{"transactions":[{"amount":10,"groupName":"food"}],"payments":[{"amount":11,"gratuity":1}]}`, 0, 100, false},
		{"both", `{"transactions":[{"amount":10,"groupName":"food","taxLines":[{"taxAmount":0.77,"taxIncluded":"false"}]}],"payments":[{"amount":11.77,"gratuity":1}]}`, 77, 100, false},
		{"neither", `{"transactions":[{"amount":10,"groupName":"food"}],"payments":[{"amount":9,"gratuity":0}]}`, 0, 0, true},
		{"a service charge", `{"transactions":[{"amount":10,"groupName":"food"}],"serviceCharge":{"amount":1.5,"type":"UNTAXED"},"payments":[{"amount":11.5}]}`, 0, 0, false},
		{"a discount", `{"transactions":[{"amount":10,"groupName":"food"},{"amount":-2,"groupName":"food","type":"LineDiscount"}],"payments":[{"amount":8}]}`, 0, 0, false},
	} {
		var body lightCharge
		if err := json.Unmarshal([]byte(c.body), &body); err != nil {
			t.Fatal(c.name, err)
		}
		l, err := h.s.readLight(&body)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var taxes, paid, tip int64
		for _, p := range l.Parts {
			if p.Part == partTax {
				taxes += p.Amount
			}
		}
		for _, p := range l.Payments {
			paid, tip = paid+p.Amount, tip+p.Tip
		}
		if taxes != c.taxes || tip != c.tip || (l.flag != "") != c.flagged || !c.flagged && paid != total(l.Parts) {
			t.Errorf("%s: parts %v, paid %d, tip %d, flag %q", c.name, l.Parts, paid, tip, l.flag)
		}
	}
}

// Twenty keystrokes a second are answered from what is remembered, each in far less than 50 ms.
func TestLightspeedKeystrokes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{Latency: 80 * time.Millisecond}, with(withTill))
	h.stand() // what is remembered does not grow old
	search := func(term string) {
		t.Helper()
		if status, list := h.lightSearch(term, apiKey); status != 200 || len(list) == 0 {
			t.Fatalf("%s: %d %v", term, status, list)
		}
	}
	// When the link comes up the hotel tells of its guests, and with each of them what is remembered is forgotten.
	h.wait("five times the same word without another question to the hotel", func() bool {
		search("d")
		before := len(h.sim.Exchanges(0))
		for range 5 {
			for _, term := range []string{"du", "dub", "dubo", "duboi"} {
				search(term)
			}
		}
		return len(h.sim.Exchanges(0)) == before
	})
}
