package folio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/simulate/opera"
)

// counted is a hotel system that counts inquiries and can hold them.
type counted struct {
	PMS
	mu    sync.Mutex
	terms []string
	hold  chan struct{}
}

func (c *counted) Search(ctx context.Context, q Query) ([]Guest, error) {
	c.mu.Lock()
	c.terms = append(c.terms, q.Term)
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return c.PMS.Search(ctx, q)
}

func (c *counted) asked() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.terms, " ")
}

func (h *house) find(term string) []Guest {
	h.t.Helper()
	list, err := h.s.search.find(h.t.Context(), term)
	if err != nil {
		h.t.Fatalf("find %s: %v", term, err)
	}
	return list
}

// Keystrokes: one inquiry for each term, none for what a complete answer holds already, one in flight for all who ask.
func TestSearch(t *testing.T) {
	t.Parallel()
	var c *counted
	h := newHouse(t, opera.Config{}, speaking(func(h *house) PMS {
		c = &counted{PMS: fiasLink(h)}
		return c
	}))
	h.stand() // what is remembered does not grow old by itself
	if list := h.find("2781"); len(list) != 2 || list[0].Reservation != "12345" || !list[1].NoPost || *list[0].Limit != 50000 {
		t.Errorf("room 2781: %+v", list)
	}
	for _, term := range []string{"du", "dub", "DUBO", "duboi", "Dubois", "du"} {
		list := h.find(term)
		if len(list) == 0 || !strings.HasPrefix(list[0].Name, "Du") {
			t.Errorf("%s: %+v", term, list)
		}
	}
	if list := h.find("dubz"); len(list) != 0 {
		t.Errorf("dubz: %+v", list)
	}
	if got := c.asked(); got != "2781 DU" {
		t.Errorf("inquiries: %s", got)
	}
	if list := h.find("nobody"); len(list) != 0 {
		t.Errorf("nobody: %+v", list)
	}
	h.find("nobody")
	if got := c.asked(); got != "2781 DU NOBODY" {
		t.Errorf("inquiries: %s", got)
	}
	// What is remembered is old at some time.
	h.set(h.now().Add(searchFresh + time.Second))
	h.find("2781")
	if got := c.asked(); got != "2781 DU NOBODY 2781" {
		t.Errorf("inquiries: %s", got)
	}
	c.mu.Lock()
	c.hold = make(chan struct{})
	c.mu.Unlock()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if list, err := h.s.search.find(t.Context(), "101"); err != nil || len(list) != 2 {
				t.Errorf("101: %v %v", list, err)
			}
		})
	}
	h.wait("the inquiry", func() bool { return strings.HasSuffix(c.asked(), " 101") })
	close(c.hold)
	all.Wait()
	if got := strings.Count(c.asked(), "101"); got != 1 {
		t.Errorf("%d inquiries for one term", got)
	}
	for i := range 2 * maxTerms {
		h.find(fmt.Sprintf("%d", 3000+i))
	}
	if n := len(h.s.search.terms); n > maxTerms {
		t.Errorf("%d terms remembered", n)
	}
}

func TestGuests(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	for _, c := range []struct{ q, want string }{
		{"2781", `[{"room":"2781","reservation":"12345","name":"Guest, George","no_post":false,"credit_limit":50000,"balance":0,"kind":"room"},{"room":"2781","reservation":"12381","name":"Sharer, Sam","no_post":true,"balance":0,"kind":"room"}]`},
		{"9001", `[{"room":"9001","reservation":"90001","name":"Paymaster Séminaires","no_post":false,"balance":0,"kind":"paymaster"}]`},
		{"AR1001", `[{"room":"AR1001","reservation":"account:AR1001","name":"Société Générale des Eaux","no_post":false,"balance":0,"kind":"account"}]`},
		{"nobody", `[]`},
	} {
		if c.q == "9001" {
			status, v, _ := h.call(manager, "PUT", "/v1/pms/settings/mapping", `{"value":{"outlets":[],"rules":[],"paymasters":["90*"]},"revision":0}`)
			if status != 200 {
				t.Fatalf("paymasters: %d %v", status, v)
			}
		}
		status, raw, _ := h.callRaw(waiter, "GET", "/v1/pms/guests?q="+c.q, nil)
		var v struct {
			Guests []HotelGuest `json:"guests"`
		}
		if err := json.Unmarshal(raw, &v); err != nil || status != 200 {
			t.Fatalf("%s: %d %s %v", c.q, status, raw, err)
		}
		for i := range v.Guests {
			v.Guests[i].VIP = ""
		}
		got, _ := json.Marshal(v.Guests)
		var a, b any
		json.Unmarshal(got, &a)
		json.Unmarshal([]byte(c.want), &b)
		if fmt.Sprint(clean(a)) != fmt.Sprint(clean(b)) {
			t.Errorf("%s: %s, want %s", c.q, got, c.want)
		}
	}
	if status, _, _ := h.call(waiter, "GET", "/v1/pms/guests?q=", nil); status != 422 {
		t.Errorf("empty search: %d", status)
	}
}

// clean leaves out what a hotel may tell or not.
func clean(v any) any {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			m := e.(map[string]any)
			for _, k := range []string{"balance", "vip", "seen_at"} {
				delete(m, k)
			}
			if m["credit_limit"] == nil {
				delete(m, "credit_limit")
			}
		}
	}
	return v
}

// The mirror follows the front desk and is there when the link is not.
func TestMirror(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	h.settled()
	has := func(room, reservation string) bool {
		for _, g := range h.s.recall("", 1000) {
			if g.Room == room && g.Reservation == reservation {
				return true
			}
		}
		return false
	}
	if err := h.sim.CheckIn(opera.Guest{Reservation: "777", Room: "102", Name: "Neu", Title: "Dr."}); err != nil {
		t.Fatal(err)
	}
	h.wait("the check-in", func() bool { return has("102", "777") })
	if err := h.sim.Move("777", "109"); err != nil {
		t.Fatal(err)
	}
	h.wait("the move", func() bool { return has("109", "777") && !has("102", "777") })
	h.restart()
	if !has("109", "777") {
		t.Error("the mirror forgot over a restart")
	}
	if err := h.sim.CheckOut("777"); err != nil {
		t.Fatal(err)
	}
	h.wait("the check-out", func() bool { return !has("109", "777") })
	// A swap that ends tells who has left, one that does not end tells nothing.
	h.s.News(News{Kind: ResyncBegin})
	h.s.News(News{Kind: CheckedIn, Guest: Guest{Room: "2781", Reservation: "12345", Name: "Guest"}})
	h.s.News(News{Kind: ResyncLost})
	if !has("2781", "12381") || !has("101", "24301") {
		t.Error("a swap without end took guests away")
	}
	h.s.News(News{Kind: ResyncBegin})
	h.s.News(News{Kind: CheckedIn, Guest: Guest{Room: "2781", Reservation: "12345", Name: "Guest"}})
	h.s.News(News{Kind: CheckedOut, Guest: Guest{Room: "101"}})
	h.s.News(News{Kind: ResyncEnd})
	if has("2781", "12381") || has("101", "24301") || !has("2781", "12345") || !has("0101", "24331") {
		t.Error("after a swap the mirror is not what was told")
	}
	status, v, _ := h.call(waiter, "GET", "/v1/pms/rooms", nil)
	if list := v["guests"].([]any); status != 200 || list[0].(map[string]any)["stale"] != true {
		t.Errorf("rooms: %d %v", status, v)
	}
}

// A mapping that takes effect is another list: who works with the former one, or with the configuration, does not see it change.
func TestFormerMappingStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	before, outlets, rules := h.s.set.Load(), slices.Clone(h.config.Outlets), slices.Clone(h.config.Mapping)
	const other = `{"value":{"outlets":[{"name":"spa","code":9}],"rules":[{"outlet":"any","pos_config":"any","floor_plan":"any","group":"any","period":"any","subtotal":7}]},"revision":0}`
	if status, v, _ := h.call(manager, "PUT", "/v1/pms/settings/mapping", other); status != 200 {
		t.Fatalf("mapping: %d %v", status, v)
	}
	if now := h.s.set.Load(); now.outlet("spa") != 9 || now.outlet(outlets[0].Name) != 0 {
		t.Errorf("in force: %+v", now.MappingSetting)
	}
	if !slices.Equal(before.Outlets, outlets) || !slices.Equal(before.Rules, rules) || !slices.Equal(h.config.Outlets, outlets) || !slices.Equal(h.config.Mapping, rules) {
		t.Errorf("the former mapping became %+v, the configuration's %+v %+v", before.MappingSetting, h.config.Outlets, h.config.Mapping)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	put := func(by access.Principal, name, body string) (int, map[string]any) {
		status, v, _ := h.call(by, "PUT", "/v1/pms/settings/"+name, body)
		return status, v
	}
	const method = `{"value":{"type":%q,"code":%q,"name":%q,"transmit_all_tickets":true,"server_address":%q},"revision":%d}`
	for _, c := range []struct{ kind, code, name, address, pointer string }{
		{"card", "IKPMS", "Opera", "", "/value/type"}, {"room", "ROOM", "Opera", "", "/value/code"}, {"room", "IKPMS", " ", "", "/value/name"},
		{"room", "IKPMS", "Opera", "192.168.1.256", "/value/server_address"}, {"room", "IKPMS", "Opera", "till one", "/value/server_address"},
		{"room", "IKPMS", "Opera", "10.0.0.1:99999", "/value/server_address"},
	} {
		status, v := put(manager, "payment-method", fmt.Sprintf(method, c.kind, c.code, c.name, c.address, 0))
		if status != 422 || v["errors"].([]any)[0].(map[string]any)["pointer"] != c.pointer {
			t.Errorf("%+v: %d %v", c, status, v)
		}
	}
	if status, v := put(manager, "payment-method", fmt.Sprintf(method, "room", "IKPMS", "Opéra", "192.168.1.20", 0)); status != 200 {
		t.Fatalf("payment method: %d %v", status, v)
	}
	if status, v := put(manager, "payment-method", fmt.Sprintf(method, "room", "IKPMS", "Opera", "", 0)); status != 409 || v["code"] != "revision" {
		t.Errorf("from an old revision: %d %v", status, v)
	}
	if set := h.s.set.Load(); set.Name != "Opéra" || !set.TransmitAll || set.Address != "192.168.1.20" {
		t.Errorf("in force: %+v", set.MethodSetting)
	}
	for _, c := range []struct{ body, pointer string }{
		{`{"value":{"outlets":[{"name":"","code":1}],"rules":[]},"revision":0}`, "/value/outlets/0/name"},
		{`{"value":{"outlets":[{"name":"a","code":0}],"rules":[]},"revision":0}`, "/value/outlets/0/code"},
		{`{"value":{"outlets":[{"name":"a","code":1},{"name":"b","code":1}],"rules":[]},"revision":0}`, "/value/outlets/1/code"},
		{`{"value":{"outlets":[],"rules":[{"outlet":"spa","pos_config":"any","floor_plan":"any","group":"any","period":"any","subtotal":1}]},"revision":0}`, "/value/rules/0/outlet"},
		{`{"value":{"outlets":[],"rules":[{"outlet":"any","pos_config":"any","floor_plan":"any","group":"any","period":"04-12","subtotal":1}]},"revision":0}`, "/value/rules/0/period"},
		{`{"value":{"outlets":[],"rules":[{"outlet":"any","pos_config":"any","floor_plan":"any","group":"any","period":"any","subtotal":10}]},"revision":0}`, "/value/rules/0/subtotal"},
	} {
		status, v := put(manager, "mapping", c.body)
		if status != 422 || v["errors"].([]any)[0].(map[string]any)["pointer"] != c.pointer {
			t.Errorf("%s: %d %v", c.body, status, v)
		}
	}
	// The day's end is for support only, and counts at once.
	if status, _ := put(manager, "closing", `{"value":{"business_day_close":"04:00"},"revision":0}`); status != 403 {
		t.Errorf("a manager changes the day's end: %d", status)
	}
	if status, _ := put(admin, "closing", `{"value":{"business_day_close":"25:00"},"revision":0}`); status != 422 {
		t.Errorf("an hour that is none: %d", status)
	}
	if status, v := put(admin, "closing", `{"value":{"business_day_close":"04:00"},"revision":0}`); status != 200 || h.s.calendar().Close != 4*time.Hour {
		t.Errorf("admin: %d %v", status, v)
	}
	if status, v := put(manager, "tenders", `{"value":{"card":"AMEX","room":"16"},"revision":0}`); status != 200 || h.s.set.Load().method("") != "16" {
		t.Errorf("tenders: %d %v", status, v)
	}
	if status, _ := put(manager, "tenders", `{"value":{"card":"TOOLONG"},"revision":1}`); status != 422 {
		t.Errorf("a tender that does not fit: %d", status)
	}
	if status, v := put(manager, "gateway", `{"value":{"name":"PMS till","product":"","case":"LS-1"},"revision":0}`); status != 200 {
		t.Errorf("gateway: %d %v", status, v)
	}
	ready := func() (bool, map[string]bool) {
		_, v, _ := h.call(waiter, "GET", "/v1/pms", nil)
		items := map[string]bool{}
		for _, i := range v["checklist"].([]any) {
			m := i.(map[string]any)
			items[m["item"].(string)] = m["done"].(bool)
		}
		return v["ready"].(bool), items
	}
	if ok, items := ready(); !ok || !items["payment_method"] || !items["server_address"] || !items["gateway_device"] || items["vendor_gateway"] || !items["link"] {
		t.Errorf("checklist %v %v", ok, items)
	}
	if status, _, _ := h.call(manager, "POST", "/v1/pms/checklist/vendor_gateway", `{"done":true,"note":"mail of Monday"}`); status != 200 {
		t.Errorf("tick: %d", status)
	}
	if status, _, _ := h.call(manager, "POST", "/v1/pms/checklist/link", `{"done":true}`); status != 404 {
		t.Errorf("ticking what the box knows itself: %d", status)
	}
	if _, items := ready(); !items["vendor_gateway"] {
		t.Error("the tick is not there")
	}
	h.restart()
	if set := h.s.set.Load(); set.Name != "Opéra" || set.Close != 4*time.Hour || set.Gateway.Case != "LS-1" || set.Checked["vendor_gateway"].By != "Nadia" {
		t.Errorf("after a restart: %+v", set)
	}
}

func TestTryAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(func(c *Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			switch address {
			case "192.168.1.20:80":
				a, b := net.Pipe()
				b.Close()
				return a, nil
			case "10.0.0.1:80":
				return nil, errors.New("connect: connection refused")
			}
			return nil, errors.New("no route to host")
		}
	}))
	for address, want := range map[string]bool{"192.168.1.20": true, "10.0.0.1": true, "10.9.9.9": false, h.address: true} {
		status, v, _ := h.call(manager, "POST", "/v1/pms/try-address", fmt.Sprintf(`{"address":%q}`, address))
		if status != 200 || v["reached"] != want {
			t.Errorf("%s: %d %v", address, status, v)
		}
	}
	if status, _, _ := h.call(manager, "POST", "/v1/pms/try-address", `{"address":"not an address"}`); status != 422 {
		t.Errorf("no address: %d", status)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	h.place(waiter, "k", charge(1000, "1"))
	status, raw, _ := h.callRaw(manager, "GET", "/v1/pms/trace", nil, "Accept", "text/plain")
	if text := string(raw); status != 200 || !strings.Contains(text, "> PR|") || !strings.Contains(text, "Guest") || !strings.Contains(text, "< PA|") {
		t.Errorf("trace for a manager:\n%s", text)
	}
	status, raw, _ = h.callRaw(waiter, "GET", "/v1/pms/trace", nil)
	if text := string(raw); status != 200 || strings.Contains(text, "Guest, George") || strings.Contains(text, "Dubois") || !strings.Contains(text, "|RN2781|") {
		t.Errorf("trace for a waiter:\n%s", text)
	}
	var tr Trace
	for i := range 3 * traceLines {
		tr.Add(time.Now(), ">", fmt.Sprintf("LS|%d\x03", i))
	}
	lines := tr.After(0)
	if len(lines) != traceLines || lines[0].Seq != 2*traceLines+1 || !strings.HasSuffix(lines[0].Text, "<ETX>") {
		t.Errorf("%d lines, the first %+v", len(lines), lines[0])
	}
	if got := tr.After(3*traceLines - 2); len(got) != 2 {
		t.Errorf("after the last but two: %d", len(got))
	}
	tr.Add(time.Now(), "<", strings.Repeat("x", 10*traceText)+"\xff")
	if got := tr.After(3 * traceLines); len(got[0].Text) > traceText+10 {
		t.Errorf("a line of %d bytes", len(got[0].Text))
	}
	masked := TraceLine{Text: `<PostList X="1"><PostListItem RoomNumber="217" LastName="Doe" FirstName="Jo" Title="Mrs" />`}.Masked(false).Text
	if strings.Contains(masked, "Doe") || strings.Contains(masked, "Jo\"") || !strings.Contains(masked, "217") {
		t.Errorf("masked: %s", masked)
	}
	if got := (TraceLine{Text: `PR|$24200278100012345|C#1|`}).Masked(true).Text; got != `PR|$2***|C#1|` {
		t.Errorf("a card: %s", got)
	}
}

// A hotel that calls a room payment otherwise is asked in its word.
func TestRoomMethodOfTheHotel(t *testing.T) {
	t.Parallel()
	file := opera.DefaultFile()
	file.RoomMethods = []string{"16", "17"}
	hotel, err := opera.NewHotel(file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, opera.Config{Hotel: hotel})
	if p := h.place(waiter, "k", charge(100, "1")); p.State != Posted || h.ledger()[0].Method != "16" {
		t.Errorf("posting %+v", p)
	}
}

// Every route is described and answered in the document of the API.
func TestRoutesAreDescribed(t *testing.T) {
	t.Parallel()
	h, f := withFloor(t)
	a, err := access.New(t.Context(), access.Config{Journal: h.journal, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server, err := api.New(api.Config{Access: a, Routes: append(h.s.Routes(), f.Routes()...), Log: quiet, DemoLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest("GET", "/openapi.json", nil)
	r.RemoteAddr = "127.0.0.1:5"
	w := newRecorder()
	server.Handler().ServeHTTP(w, r)
	var doc struct {
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(w.body.Bytes(), &doc); err != nil || len(doc.Paths) < 28 {
		t.Fatalf("document: %v, %d paths", err, len(doc.Paths))
	}
}
