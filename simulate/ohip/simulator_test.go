package ohip

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway is a simulator behind a real socket and somebody who calls it with bare hands.
type gateway struct {
	*Simulator
	base, token string
	client      *http.Client
}

func open(t *testing.T, c Config) *gateway {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	g := &gateway{Simulator: s, base: server.URL, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	status, body := g.call(t, "POST", "/oauth/v1/tokens", url.Values{"grant_type": {"client_credentials"}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic YWJveWV1cjpzaW11bGF0ZWQtc2VjcmV0"})
	if status == 200 {
		g.token, _ = body["access_token"].(string)
	}
	return g
}

func (g *gateway) request(t *testing.T, method, path, body string, header map[string]string) (*http.Response, error) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, g.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+g.token)
	q.Header.Set("x-app-key", DefaultAppKey)
	q.Header.Set("x-hotelid", DefaultHotel)
	for name, value := range header {
		q.Header.Set(name, value)
	}
	return g.client.Do(q)
}

func (g *gateway) call(t *testing.T, method, path, body string, header map[string]string) (int, map[string]any) {
	t.Helper()
	r, err := g.request(t, method, path, body, header)
	if err != nil {
		return 0, nil
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, nil
	}
	var v map[string]any
	json.Unmarshal(b, &v)
	return r.StatusCode, v
}

const (
	charges = "/csh/v1/hotels/HOTEL1/reservations/24331/charges"
	dinner  = `{"criteria":{"hotelId":"HOTEL1","charges":[{"transactionCode":"2000","price":{"amount":12.50,"currencyCode":"EUR"},"postingQuantity":1,"postingReference":"p","checkNumber":"7"}]}}`
)

func TestAdmission(t *testing.T) {
	g := open(t, Config{})
	for name, c := range map[string]struct {
		header map[string]string
		path   string
		status int
		code   string
	}{
		"all right":     {nil, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse", 200, ""},
		"no token":      {map[string]string{"Authorization": ""}, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse", 401, ""},
		"wrong token":   {map[string]string{"Authorization": "Bearer x"}, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse", 401, ""},
		"no key":        {map[string]string{"x-app-key": ""}, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse", 401, ""},
		"other hotel":   {map[string]string{"x-hotelid": "OTHER"}, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse", 403, "OPERAWS-GEN01244"},
		"other path":    {nil, "/rsv/v1/hotels/OTHER/reservations?searchType=InHouse", 403, "OPERAWS-GEN01244"},
		"no search":     {nil, "/rsv/v1/hotels/HOTEL1/reservations", 400, "OPERAWS-GEN01346"},
		"commas":        {nil, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse&fetchInstructions=A,B", 400, "OPERAWS-GEN01346"},
		"limit":         {nil, "/rsv/v1/hotels/HOTEL1/reservations?searchType=InHouse&limit=9999", 400, "OPERAWS-GEN01346"},
		"no such path":  {nil, "/rsv/v1/hotels/HOTEL1/rooms", 404, ""},
		"wrong method":  {nil, charges, 405, ""},
		"unknown guest": {nil, "/rsv/v1/hotels/HOTEL1/reservations/1", 404, ""},
	} {
		status, body := g.call(t, "GET", c.path, "", c.header)
		code, _ := body["o:errorCode"].(string)
		if status != c.status || code != c.code {
			t.Errorf("%s: %d %v, want %d %s", name, status, body, c.status, c.code)
		}
	}
	for name, c := range map[string]struct {
		form, authorization string
		status              int
	}{
		"wrong secret": {"grant_type=client_credentials", "Basic YWJveWV1cjp4", 401},
		"no grant":     {"", "Basic YWJveWV1cjpzaW11bGF0ZWQtc2VjcmV0", 400},
		"password":     {"grant_type=password&username=a&password=b", "Basic YWJveWV1cjpzaW11bGF0ZWQtc2VjcmV0", 400},
	} {
		status, body := g.call(t, "POST", "/oauth/v1/tokens", c.form, map[string]string{"Authorization": c.authorization, "Content-Type": "application/x-www-form-urlencoded"})
		if status != c.status {
			t.Errorf("%s: %d %v, want %d", name, status, body, c.status)
		}
	}
}

func TestChargesAreChecked(t *testing.T) {
	g := open(t, Config{Codes: []string{"2000"}, Cashiers: []string{"7"}})
	one := func(charge string) string {
		return `{"criteria":{"hotelId":"HOTEL1","cashierId":7,"charges":[{` + charge + `}]}}`
	}
	const good = `"transactionCode":"2000","price":{"amount":1},"postingQuantity":1`
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"good":       {one(good), 201, ""},
		"no JSON":    {"<charge/>", 400, "OPERAWS-GEN01242"},
		"unknown":    {one(good + `,"pourboire":1`), 400, "OPERAWS-GEN01242"},
		"hotel":      {`{"criteria":{"hotelId":"OTHER","charges":[]}}`, 400, "OPERAWS-GEN01244"},
		"nothing":    {`{"criteria":{"hotelId":"HOTEL1","charges":[]}}`, 400, "OPERAWS-GEN01346"},
		"cashier":    {strings.Replace(one(good), `:7`, `:8`, 1), 400, "OPERAWS-FOF00094"},
		"no cashier": {strings.Replace(one(good), `"cashierId":7,`, ``, 1), 400, "OPERAWS-FOF00094"},
		"code":       {strings.Replace(one(good), "2000", "2001", 1), 400, "OPERAWS-FOF00001"},
		"currency":   {strings.Replace(one(good), `"amount":1`, `"amount":1,"currencyCode":"USD"`, 1), 400, "OPERAWS-FOF00002"},
		"decimals":   {strings.Replace(one(good), `"amount":1`, `"amount":1.005`, 1), 400, "OPERAWS-FOF01952"},
		"quantity":   {strings.Replace(one(good), `"postingQuantity":1`, `"postingQuantity":0`, 1), 400, "OPERAWS-GEN01346"},
		"immense":    {strings.Replace(one(good), `"amount":1`, `"amount":1e15`, 1), 400, "OPERAWS-GEN01346"},
		"too large":  {one(good + `,"postingRemark":"` + strings.Repeat("x", maxBody) + `"`), 413, ""},
	} {
		status, body := g.call(t, "POST", charges, c.body, nil)
		code, _ := body["o:errorCode"].(string)
		if status != c.status || code != c.code {
			t.Errorf("%s: %d %v, want %d %s", name, status, body, c.status, c.code)
		}
	}
	if n := len(g.Ledger()); n != 1 {
		t.Errorf("%d entries", n)
	}
	sale := `{"criteria":{"hotelId":"HOTEL1","cashierId":7,"charges":[{` + good + `}],"payments":[{"paymentMethod":{"paymentMethod":"CA"},"postingAmount":{"amount":%s}}]}}`
	for amount, want := range map[string]int{"1": 201, "0.99": 400, "1.001": 400} {
		if status, body := g.call(t, "POST", "/csh/v1/hotels/HOTEL1/passerBySale", fmt.Sprintf(sale, amount), nil); status != want {
			t.Errorf("sale paid with %s: %d %v, want %d", amount, status, body, want)
		}
	}
}

// TestFaultsStrike shows for each fault what the caller sees and what is booked.
func TestFaultsStrike(t *testing.T) {
	for _, c := range []struct {
		fault  Fault
		status int // 0: no whole answer
		booked int
	}{
		{Fault{Kind: LoseRequest}, 0, 0},
		{Fault{Kind: LoseAnswer}, 0, 1},
		{Fault{Kind: Late, For: Duration(time.Millisecond)}, 201, 1},
		{Fault{Kind: Slow, For: Duration(time.Millisecond)}, 201, 1},
		{Fault{Kind: Duplicate}, 201, 2},
		{Fault{Kind: Expire}, 401, 0},
		{Fault{Kind: Status}, 503, 0},
		{Fault{Kind: StatusAfter, Status: 502}, 502, 1},
		{Fault{Kind: Cut, At: 40}, 0, 1},
		{Fault{Kind: Cut, At: 1 << 20}, 201, 1},
		{Fault{Kind: Garbage}, 201, 1},
		{Fault{Kind: NightAudit}, 400, 0},
		{Fault{Kind: Status, Op: Search}, 201, 1}, // does not mean this request
		{Fault{Kind: Status, Skip: 1}, 201, 1},    // lets this one pass
	} {
		g := open(t, Config{})
		if err := g.Inject(c.fault); err != nil {
			t.Errorf("%+v: %v", c.fault, err)
			continue
		}
		if status, body := g.call(t, "POST", charges, dinner, nil); status != c.status {
			t.Errorf("%+v: %d %v, want %d", c.fault, status, body, c.status)
		}
		if n := len(g.Ledger()); n != c.booked {
			t.Errorf("%+v: %d entries, want %d", c.fault, n, c.booked)
		}
		if c.booked == 2 && !g.Ledger()[1].Duplicate {
			t.Errorf("%+v: %+v", c.fault, g.Ledger())
		}
	}
	for _, bad := range []Fault{{}, {Kind: "flood"}, {Kind: Cut, At: -1}, {Kind: Status, Status: 99}, {Kind: Cut, Op: "fax"}} {
		g := open(t, Config{})
		if err := g.Inject(bad); err == nil {
			t.Errorf("Inject(%+v) was taken", bad)
		}
	}
	if _, err := New(Config{Faults: []Fault{{Kind: "flood"}}}); err == nil {
		t.Error("New took an unknown fault")
	}
}

// TestHeld: what a fault holds is let go by Lift, also when the fault is used up, and by Close.
func TestHeld(t *testing.T) {
	for _, end := range []string{"lift", "lift all", "close", "caller"} {
		for _, kind := range []Kind{Hang, HangAfter, Late} {
			g := open(t, Config{})
			if err := g.Inject(Fault{Kind: kind, Count: 2}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan int, 2)
			for range 2 {
				go func() {
					q, _ := http.NewRequestWithContext(ctx, "POST", g.base+charges, strings.NewReader(dinner))
					q.Header.Set("Authorization", "Bearer "+g.token)
					q.Header.Set("x-app-key", DefaultAppKey)
					q.Header.Set("x-hotelid", DefaultHotel)
					r, err := g.client.Do(q)
					if err != nil {
						done <- 0
						return
					}
					r.Body.Close()
					done <- r.StatusCode
				}()
			}
			wait(t, func() bool { return g.State().Struck[kind] == 2 })
			switch end {
			case "lift":
				g.Lift(kind)
			case "lift all":
				g.Lift("")
			case "close":
				g.Close()
			case "caller":
				cancel()
			}
			for range 2 {
				if status := <-done; status != 0 && kind != Late {
					t.Errorf("%s ended by %s: %d", kind, end, status)
				} else if kind == Late && end != "caller" && status != 201 {
					t.Errorf("%s ended by %s: %d", kind, end, status)
				}
			}
			wait(t, func() bool {
				g.mu.Lock()
				defer g.mu.Unlock()
				return len(g.held) == 0
			})
			cancel()
			if n, want := len(g.Ledger()), map[Kind]int{Hang: 0, HangAfter: 2, Late: 2}[kind]; n != want {
				t.Errorf("%s ended by %s: %d entries, want %d", kind, end, n, want)
			}
		}
	}
	if err := open(t, Config{}).Lift("flood"); err == nil {
		t.Error("Lift took an unknown fault")
	}
}

func wait(t *testing.T, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ready(); {
		if time.Now().After(end) {
			t.Fatal("it did not come to it")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestControl(t *testing.T) {
	g := open(t, Config{})
	control := httptest.NewServer(g.Control())
	defer control.Close()
	do := func(method, path, body string) (int, string) {
		q, _ := http.NewRequest(method, control.URL+path, strings.NewReader(body))
		r, err := g.client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(b)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"POST", "/fault", `{"kind":"lose_answer","op":"charge","count":1,"for":"2s"}`, 204, ""},
		{"GET", "/state", "", 200, `"kind":"lose_answer"`},
		{"POST", "/fault", `{"kind":"flood"}`, 400, "write one of"},
		{"POST", "/fault", `{"kind":"cut","where":3}`, 400, "unknown field"},
		{"POST", "/fault", `{"kind":"late","for":"soon"}`, 400, "write as in 2s"},
		{"POST", "/lift", `{"kind":"lose_answer"}`, 204, ""},
		{"POST", "/lift", `{"kind":"flood"}`, 400, "write one of"},
		{"GET", "/state", "", 200, `"faults":[]`},
		{"POST", "/guest", `{"reservation":"5","room":"401","surname":"Neu"}`, 204, ""},
		{"POST", "/guest", `{"reservation":"5"}`, 400, "surname"},
		{"GET", "/guests", "", 200, `"surname":"Neu"`},
		{"POST", "/guest", `{"reservation":"24331","room":"217","surname":"Doe","status":"CheckedOut"}`, 204, ""},
		{"GET", "/ledger?after=x", "", 400, "number"},
		{"GET", "/ledger", "", 200, ""},
	} {
		if status, body := do(c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.has) {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, status, body, c.status, c.has)
		}
	}
	if status, _ := g.call(t, "POST", charges, dinner, nil); status != 400 {
		t.Errorf("charge to a guest who has left: %d", status)
	}
	g.call(t, "POST", strings.Replace(charges, "24331", "5", 1), dinner, nil)
	if _, ledger := do("GET", "/ledger?after=0", ""); !strings.Contains(ledger, `"room":"401"`) || strings.Count(ledger, "\n") != 1 {
		t.Errorf("ledger %s", ledger)
	}
	if _, ledger := do("GET", "/ledger?after=1", ""); ledger != "" {
		t.Errorf("ledger after 1: %s", ledger)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	var lines bytes.Buffer
	seen := 0
	g := open(t, Config{Keep: 20, Ledger: &lines, OnEntry: func(Entry) { seen++ }})
	for range 50 {
		if status, _ := g.call(t, "POST", strings.Replace(charges, "24331", "24332", 1), dinner, nil); status != 201 {
			t.Fatal(status)
		}
	}
	all := g.Ledger()
	if len(all) > 20 || all[len(all)-1].N != 50 || g.State().Entries != 50 || g.Balance("24332") != 50*1250 {
		t.Errorf("%d entries kept, %+v", len(all), g.State())
	}
	if n := strings.Count(lines.String(), "\n"); n != 50 || seen != 50 {
		t.Errorf("%d lines, %d seen", n, seen)
	}
	broken := open(t, Config{Ledger: failing{}})
	broken.call(t, "POST", charges, dinner, nil)
	if broken.State().Ledger == "" || broken.State().Entries != 1 {
		t.Errorf("%+v", broken.State())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestNew(t *testing.T) {
	for name, c := range map[string]Config{
		"twice":       {Guests: []Guest{{Reservation: "1", Room: "1", Surname: "A"}, {Reservation: "1", Room: "2", Surname: "B"}}},
		"no room":     {Guests: []Guest{{Reservation: "1", Surname: "A"}}},
		"keep":        {Keep: -1},
		"life":        {TokenLife: -1},
		"many guests": {Guests: make([]Guest, maxGuests+1)},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: New was content", name)
		}
	}
	guests, err := ReadGuests(strings.NewReader(`[{"reservation":"1","room":"2","surname":"C","credit_limit":100}]`))
	if err != nil || len(guests) != 1 || *guests[0].CreditLimit != 100 {
		t.Errorf("ReadGuests = %+v, %v", guests, err)
	}
	for _, bad := range []string{"", "{}", `[{"reservatoin":"1"}]`} {
		if _, err := ReadGuests(strings.NewReader(bad)); err == nil {
			t.Errorf("ReadGuests(%q) was content", bad)
		}
	}
}

func TestServe(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if err := s.Serve(t.Context(), l); err == nil {
		t.Error("Serve on a closed listener = nil")
	}
}
