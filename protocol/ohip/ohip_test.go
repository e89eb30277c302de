package ohip_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aboyeur/protocol/ohip"
	"aboyeur/protocol/rest"
	simulated "aboyeur/simulate/ohip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a client at a simulated hotel over a real socket.
type rig struct {
	*ohip.Client
	hotel     *simulated.Simulator
	mu        sync.Mutex
	exchanges []rest.Exchange
}

func config(base string) ohip.Config {
	return ohip.Config{
		Gateway: base, Hotel: simulated.DefaultHotel, AppKey: simulated.DefaultAppKey, ClientID: simulated.DefaultClientID, ClientSecret: simulated.DefaultSecret,
		Enterprise: "ECO", Currency: "EUR", CashierID: "777",
		Codes: map[string]ohip.Codes{"": {
			Subtotals: map[int]string{1: "2000", 2: "2100"}, Taxes: map[int]string{1: "2900"}, Discounts: map[int]string{2: "2190"}, ServiceCharge: "2500", Tip: "2600",
		}},
		HTTP: rest.Config{
			Wait:   func(ctx context.Context, d time.Duration) error { return ctx.Err() },
			Random: func() float64 { return 0 },
		},
	}
}

func newRig(t *testing.T, hotel simulated.Config, change func(*ohip.Config)) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	if r.hotel, err = simulated.New(hotel); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.hotel.Serve(ctx, l) }()
	c := config("http://" + l.Addr().String())
	c.HTTP.Trace = func(x rest.Exchange) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.exchanges = append(r.exchanges, x)
	}
	if change != nil {
		change(&c)
	}
	if r.Client, err = ohip.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Client.Close()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return r
}

func (r *rig) inject(t *testing.T, faults ...simulated.Fault) {
	t.Helper()
	for _, f := range faults {
		if err := r.hotel.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
}

// dinner is a check of 28.50 with everything in it.
func dinner(reservation, reference string) ohip.Posting {
	return ohip.Posting{
		Reservation: reservation, Check: "1234", Reference: reference, Remark: "Brasserie, table 12", Total: 2850, Covers: 2,
		Parts: []ohip.Part{{Kind: ohip.Subtotal, N: 1, Amount: 1800}, {Kind: ohip.Subtotal, N: 2, Amount: 900}, {Kind: ohip.Discount, N: 1, Amount: -200}, {Kind: ohip.Discount, N: 2, Amount: -50}, {Kind: ohip.Tax, N: 1, Amount: 100},
			{Kind: ohip.ServiceCharge, N: 0, Amount: 100}, {Kind: ohip.Tip, N: 0, Amount: 200}, {Kind: ohip.Tax, N: 2, Amount: 0}},
	}
}

func TestSearch(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	room, err := r.Search(t.Context(), ohip.Query{Room: "217"})
	if err != nil {
		t.Fatal(err)
	}
	limit, nothing := int64(50000), int64(0)
	want := ohip.Found{Guests: []ohip.Guest{
		{Reservation: "24331", Room: "217", RoomType: "STD", Surname: "Doe", Given: "Jo", Title: "Mrs", Profile: "P24331", Status: "InHouse", Arrival: "2026-11-20", Departure: "2026-11-24",
			CreditLimit: &limit, Balance: &nothing},
		{Reservation: "24332", Room: "217", RoomType: "STD", Surname: "Doe", Given: "Jack", Title: "Mr", Profile: "P24332", Status: "InHouse", Arrival: "2026-11-20", Departure: "2026-11-24", Balance: &nothing},
	}}
	if d := cmp.Diff(want, room); d != "" {
		t.Errorf("room 217 (-want +got):\n%s", d)
	}
	if n := room.Guests[0].Name(); n != "Doe, Mrs Jo" {
		t.Errorf("Name = %q", n)
	}
	for _, c := range []struct {
		q    ohip.Query
		want []string
		more bool
	}{
		{ohip.Query{Name: "gU"}, []string{"24401"}, false},
		{ohip.Query{Name: "Doe", Limit: 1}, []string{"24331"}, true},
		{ohip.Query{Name: "Gone"}, nil, false},
		{ohip.Query{Room: "306"}, nil, false}, // its guest has left, and 0306 is another room
		{ohip.Query{Room: "0306"}, []string{"24403"}, false},
		{ohip.Query{Room: "21"}, nil, false},
		{ohip.Query{Name: "Zz & %?/"}, nil, false},
		{ohip.Query{Room: "9001"}, []string{"90001"}, false},
		{ohip.Query{Term: " 0306 "}, []string{"24403"}, false},
		{ohip.Query{Term: "mü"}, []string{"24403"}, false},
	} {
		f, err := r.Search(t.Context(), c.q)
		var got []string
		for _, g := range f.Guests {
			got = append(got, g.Reservation)
		}
		if err != nil || !cmp.Equal(got, c.want) || f.More != c.more {
			t.Errorf("Search(%+v) = %v, more %t, %v, want %v", c.q, got, f.More, err, c.want)
		}
	}
	if f, _ := r.Search(t.Context(), ohip.Query{Room: "9001"}); !f.Guests[0].Paymaster {
		t.Error("9001 is no paymaster")
	}
	if f, _ := r.Search(t.Context(), ohip.Query{Room: "305"}); !f.Guests[0].NoPost {
		t.Error("305 may be charged")
	}
	if _, err := r.Search(t.Context(), ohip.Query{}); rest.FateOf(err) != rest.NotSent {
		t.Errorf("Search of nobody = %v", err)
	}
	for _, x := range r.exchanges {
		if strings.Contains(x.Path, "gU") || strings.Contains(x.Path, "Doe") {
			t.Errorf("trace shows a name: %s", x.Path)
		}
	}
}

func TestReservation(t *testing.T) {
	r := newRig(t, simulated.Config{}, func(c *ohip.Config) { c.Fetch = []string{"Reservation", "ReservationPaymentMethods"} })
	g, ok, err := r.Reservation(t.Context(), "24402")
	if err != nil || !ok || g.Surname != "Nopost" || g.Given != "Ned" || g.Room != "305" || !g.NoPost {
		t.Errorf("Reservation = %+v, %t, %v", g, ok, err)
	}
	for _, none := range []string{"24404", "99999"} {
		if _, ok, err := r.Reservation(t.Context(), none); ok || err != nil {
			t.Errorf("Reservation(%s) = %t, %v", none, ok, err)
		}
	}
	if _, _, err := r.Reservation(t.Context(), "x/../1"); rest.FateOf(err) != rest.Refused || !strings.Contains(err.Error(), "GEN01278") {
		t.Errorf("Reservation of nonsense = %v", err)
	}
	if _, _, err := r.Reservation(t.Context(), ""); rest.FateOf(err) != rest.NotSent {
		t.Errorf("Reservation of nobody = %v", err)
	}
}

func TestPost(t *testing.T) {
	var ledger bytes.Buffer
	r := newRig(t, simulated.Config{Ledger: &ledger, Cashiers: []string{"777"}}, nil)
	o, err := r.Post(t.Context(), dinner("24331", "post-1"))
	if err != nil || !o.Booked() || o.AS != "OK" || o.At.IsZero() {
		t.Fatalf("Post = %+v, %v", o, err)
	}
	all := r.hotel.Ledger()
	if len(all) != 1 {
		t.Fatalf("ledger %+v", all)
	}
	e := all[0]
	e.At = time.Time{}
	want := simulated.Entry{
		N: 1, Op: simulated.Charge, Reservation: "24331", Room: "217", Check: "1234", Reference: "post-1", Remark: "Brasserie, table 12", Covers: 2, Currency: "EUR", Amount: 2850, Request: "post-1",
		Lines: []simulated.Line{line(100001, "2000", 1800), line(100002, "2100", 900), line(100003, "2000", -200), line(100004, "2190", -50), line(100005, "2900", 100), line(100006, "2500", 100), line(100007, "2600", 200)},
	}
	if d := cmp.Diff(want, e); d != "" {
		t.Errorf("entry (-want +got):\n%s", d)
	}
	var line simulated.Entry
	if err := json.Unmarshal(ledger.Bytes(), &line); err != nil || line.Amount != 2850 {
		t.Errorf("ledger %s: %v", &ledger, err)
	}

	folio, err := r.Folio(t.Context(), "24331")
	if err != nil || !folio.Complete || len(folio.With("post-1")) != 7 || len(folio.With("post-2")) != 0 {
		t.Errorf("Folio = %+v, %v", folio, err)
	}
	if d := cmp.Diff(ohip.Line{Number: "100003", Code: "2000", Amount: -200, Currency: "EUR", Reference: "post-1", Remark: "Brasserie, table 12", Check: "1234", Window: 1}, folio.Lines[2]); d != "" {
		t.Errorf("line (-want +got):\n%s", d)
	}
	if f, _ := r.Search(t.Context(), ohip.Query{Room: "217"}); *f.Guests[0].Balance != 2850 {
		t.Errorf("balance %d", *f.Guests[0].Balance)
	}

	void := dinner("24331", "void-1")
	if o, err := r.Void(t.Context(), void); err != nil || !o.Booked() || r.hotel.Balance("24331") != 0 {
		t.Errorf("Void = %+v, %v, balance %d", o, err, r.hotel.Balance("24331"))
	}
	refund := ohip.Posting{Reservation: "24332", Check: "9", Reference: "r", Total: -500, Parts: []ohip.Part{{Kind: ohip.Subtotal, N: 1, Amount: -500}}}
	if o, err := r.Post(t.Context(), refund); err != nil || !o.Booked() || r.hotel.Balance("24332") != -500 {
		t.Errorf("refund = %+v, %v", o, err)
	}
}

func line(number int64, code string, amount int64) simulated.Line {
	return simulated.Line{Number: number, Code: code, Amount: amount, Quantity: 1, Window: 1}
}

// TestShapes posts in every form that Config can give a posting.
func TestShapes(t *testing.T) {
	yes := true
	for name, change := range map[string]func(*ohip.Config){
		"usual":    nil,
		"by check": func(c *ohip.Config) { c.ByCheck = true },
		"in body":  func(c *ohip.Config) { c.ReservationInBody = true },
		"quantity": func(c *ohip.Config) { c.VoidBy = ohip.VoidByQuantity },
		"cashier":  func(c *ohip.Config) { c.CashierOnCharge, c.CashierID = true, "A7" },
		"options": func(c *ohip.Config) {
			c.PostIt, c.IncomeAuditDate, c.Window = &yes, "2026-11-21", 2
			c.Charge = ohip.Charge{AutoPosting: &yes, ArticleCode: "1"}
		},
		"one charge":  func(c *ohip.Config) { c.Codes = map[string]ohip.Codes{"": {Total: "2000"}} },
		"outlet":      func(c *ohip.Config) { c.Codes = map[string]ohip.Codes{"bar": c.Codes[""]} },
		"application": func(c *ohip.Config) { c.ExternalSystem, c.Application = "ABOYEUR", "POS" },
	} {
		r := newRig(t, simulated.Config{}, change)
		p := dinner("24331", "p")
		p.Outlet = "bar"
		if o, err := r.Post(t.Context(), p); err != nil || !o.Booked() || r.hotel.Balance("24331") != 2850 {
			t.Errorf("%s: Post = %+v, %v, balance %d", name, o, err, r.hotel.Balance("24331"))
		}
		p.Reference = "v"
		if o, err := r.Void(t.Context(), p); err != nil || !o.Booked() || r.hotel.Balance("24331") != 0 {
			t.Errorf("%s: Void = %+v, %v, balance %d", name, o, err, r.hotel.Balance("24331"))
		}
		if name == "quantity" && r.hotel.Ledger()[1].Lines[0].Quantity != -1 {
			t.Errorf("%s: %+v", name, r.hotel.Ledger()[1])
		}
		if name == "options" && r.hotel.Ledger()[0].Lines[0].Window != 2 {
			t.Errorf("%s: %+v", name, r.hotel.Ledger()[0])
		}
	}
}

func TestVoidCheck(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	r.Post(t.Context(), dinner("24331", "a"))
	r.Post(t.Context(), dinner("24332", "b"))
	o, err := r.VoidCheck(t.Context(), "1234", "v-1")
	if err != nil || !o.Booked() || r.hotel.Balance("24331") != 0 || r.hotel.Balance("24332") != 0 {
		t.Errorf("VoidCheck = %+v, %v", o, err)
	}
	if o, err := r.VoidCheck(t.Context(), "1234", "v-2"); err != nil || o.AS != "NG" {
		t.Errorf("second VoidCheck = %+v, %v", o, err)
	}
	if _, err := r.VoidCheck(t.Context(), "", "v-3"); rest.FateOf(err) != rest.NotSent {
		t.Errorf("VoidCheck of nothing = %v", err)
	}
}

func TestPasserBy(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	p := dinner("", "sale-1")
	o, err := r.PasserBy(t.Context(), p, "CA")
	if err != nil || !o.Booked() {
		t.Fatalf("PasserBy = %+v, %v", o, err)
	}
	if e := r.hotel.Ledger()[0]; e.Op != simulated.Sale || e.Amount != 2850 || e.Method != "CA" || e.Reference != "sale-1" {
		t.Errorf("entry %+v", e)
	}
	if _, err := r.PasserBy(t.Context(), p, ""); rest.FateOf(err) != rest.NotSent {
		t.Errorf("PasserBy without a method = %v", err)
	}
}

// TestStatuses is the table of OPERA's refusals and what they are called.
func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*ohip.Posting)
		faults []simulated.Fault
		as     string
		text   string
	}{
		{"ok", nil, nil, "OK", ""},
		{"no post", func(p *ohip.Posting) { p.Reservation = "24402" }, nil, "NP", "No Post is set on the reservation."},
		{"limit", func(p *ohip.Posting) {
			p.Total, p.Parts = 50001, []ohip.Part{{Kind: ohip.Subtotal, N: 1, Amount: 50001}}
		}, nil, "CO", "The posting exceeds the credit limit of the reservation."},
		{"gone", func(p *ohip.Posting) { p.Reservation = "24404" }, nil, "NG", "The guest is not in house."},
		{"unknown", func(p *ohip.Posting) { p.Reservation = "11111" }, nil, "NG", "Reservation not found."},
		{"no number", func(p *ohip.Posting) { p.Reservation = "217A" }, nil, "NG", "217A - Please enter a valid number."},
		{"currency", func(p *ohip.Posting) { p.Currency = "USD" }, nil, "UR", "Invalid currency USD"},
		{"decimals", func(p *ohip.Posting) { p.Currency = "" }, []simulated.Fault{{Kind: simulated.Status, Status: 400, Code: "OPERAWS-FOF01952", Text: "Too many decimals"}}, "DM", "Too many decimals"},
		{"night audit", nil, []simulated.Fault{{Kind: simulated.NightAudit}}, "NA", "End of day is in progress. Posting is not possible."},
		{"too many", nil, []simulated.Fault{{Kind: simulated.Status, Status: 429, Op: simulated.Charge}}, "RY", "Too Many Requests"},
		{"forbidden", nil, []simulated.Fault{{Kind: simulated.Status, Status: 403, Op: simulated.Charge}}, "DN", "Forbidden"},
		{"unauthorized for ever", nil, []simulated.Fault{{Kind: simulated.Status, Status: 401, Op: simulated.Charge}}, "DN", "Unauthorized"},
		{"cashier", nil, []simulated.Fault{{Kind: simulated.Status, Status: 400, Code: "OPERAWS-FOF00094", Text: "Invalid Cashier", Op: simulated.Charge}}, "DN", "Invalid Cashier"},
		{"conflict", nil, []simulated.Fault{{Kind: simulated.Status, Status: 409, Text: "What?", Op: simulated.Charge}}, "UR", "What?"},
		{"not a media type", nil, []simulated.Fault{{Kind: simulated.Status, Status: 415, Op: simulated.Charge}}, "UR", "Unsupported Media Type"},
		{"501", nil, []simulated.Fault{{Kind: simulated.Status, Status: 501, Op: simulated.Charge}}, "UR", "Not Implemented"},
		{"redirect", nil, []simulated.Fault{{Kind: simulated.Status, Status: 307, Op: simulated.Charge}}, "UR", "Temporary Redirect"},
		{"a page with 404", nil, []simulated.Fault{{Kind: simulated.Garbage, Op: simulated.Charge}, {Kind: simulated.Status, Status: 404, Op: simulated.Charge}}, "UR", "Not Found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, simulated.Config{}, nil)
			r.inject(t, c.faults...)
			p := dinner("24331", "p")
			if c.change != nil {
				c.change(&p)
			}
			if len(c.faults) > 0 && c.faults[0].Op == "" { // the token's endpoint is not meant
				r.hotel.Lift("")
				f := c.faults[0]
				f.Op = simulated.Charge
				r.inject(t, f)
			}
			o, err := r.Post(t.Context(), p)
			if err != nil || o.AS != c.as || o.Text != c.text {
				t.Errorf("Post = %+v, %v, want %s %q", o, err, c.as, c.text)
			}
			if booked := len(r.hotel.Ledger()) > 0; booked != (c.as == "OK") {
				t.Errorf("ledger %+v", r.hotel.Ledger())
			}
		})
	}
}

// TestFaults is the table of what a posting comes to when the way there and back breaks.
func TestFaults(t *testing.T) {
	charge := simulated.Charge
	for _, c := range []struct {
		name   string
		fault  simulated.Fault
		rules  []ohip.Rule
		as     string
		fate   rest.Fate
		booked int
	}{
		{"answer lost", simulated.Fault{Kind: simulated.LoseAnswer, Op: charge}, nil, "", rest.Uncertain, 1},
		{"request lost", simulated.Fault{Kind: simulated.LoseRequest, Op: charge}, nil, "", rest.Uncertain, 0},
		{"silent, booked", simulated.Fault{Kind: simulated.HangAfter, Op: charge}, nil, "", rest.Uncertain, 1},
		{"silent", simulated.Fault{Kind: simulated.Hang, Op: charge}, nil, "", rest.Uncertain, 0},
		{"late", simulated.Fault{Kind: simulated.Late, Op: charge}, nil, "", rest.Uncertain, 1},
		{"500", simulated.Fault{Kind: simulated.Status, Status: 500, Op: charge}, nil, "", rest.Uncertain, 0},
		{"502 after booking", simulated.Fault{Kind: simulated.StatusAfter, Status: 502, Op: charge}, nil, "", rest.Uncertain, 1},
		{"503", simulated.Fault{Kind: simulated.Status, Op: charge}, nil, "", rest.Uncertain, 0},
		{"503 by rule", simulated.Fault{Kind: simulated.Status, Op: charge}, []ohip.Rule{{Status: 503, AS: "RY", Certain: true}}, "RY", 0, 0},
		{"500 by rule", simulated.Fault{Kind: simulated.Status, Status: 500, Code: "OPERAWS-ABC00001", Op: charge}, []ohip.Rule{{Code: "ABC00001", AS: "UR", Certain: true}}, "UR", 0, 0},
		{"408", simulated.Fault{Kind: simulated.Status, Status: 408, Op: charge}, nil, "", rest.Uncertain, 0},
		{"202", simulated.Fault{Kind: simulated.StatusAfter, Status: 202, Op: charge}, nil, "", rest.Uncertain, 1},
		{"garbage", simulated.Fault{Kind: simulated.Garbage, Op: charge}, nil, "OK", 0, 1},
		{"token lost", simulated.Fault{Kind: simulated.LoseRequest, Op: simulated.Token}, nil, "", rest.NotSent, 0},
		{"token refused", simulated.Fault{Kind: simulated.Status, Status: 401, Op: simulated.Token}, nil, "", rest.NotSent, 0},
		{"token silent", simulated.Fault{Kind: simulated.Hang, Op: simulated.Token}, nil, "", rest.NotSent, 0},
		{"doubled by the gateway", simulated.Fault{Kind: simulated.Duplicate, Op: charge}, nil, "OK", 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, simulated.Config{}, func(o *ohip.Config) { o.Rules = c.rules })
			r.inject(t, c.fault)
			ctx := t.Context()
			switch c.fault.Kind {
			case simulated.Hang, simulated.HangAfter, simulated.Late:
				ctx = r.impatient(t, c.fault.Kind, c.booked)
			}
			o, err := r.Post(ctx, dinner("24331", "p"))
			if c.as != "" {
				if err != nil || o.AS != c.as {
					t.Errorf("Post = %+v, %v, want %s", o, err, c.as)
				}
			} else if err == nil || rest.FateOf(err) != c.fate {
				t.Errorf("Post = %+v, %v, want %v", o, err, c.fate)
			}
			if n := len(r.hotel.Ledger()); n != c.booked {
				t.Errorf("%d entries, want %d", n, c.booked)
			}
			sent := 0
			for _, x := range r.exchanges {
				if x.Op == "post charge" && x.Status+x.Received > 0 {
					sent++
				}
			}
			if sent > 1 {
				t.Errorf("sent %d times: %+v", sent, r.exchanges)
			}
		})
	}
}

// impatient is a context that ends once a fault has struck and so much is booked.
func (r *rig) impatient(t *testing.T, k simulated.Kind, booked int) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		for ctx.Err() == nil && (r.hotel.State().Struck[k] == 0 || len(r.hotel.Ledger()) < booked) {
			time.Sleep(time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return ctx
}

// TestLateBooking: OPERA may book long after the box gave up. Nothing is sent again, and the folio tells.
func TestLateBooking(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	r.inject(t, simulated.Fault{Kind: simulated.Slow, Op: simulated.Charge, Count: 1})
	if _, err := r.Post(r.impatient(t, simulated.Slow, 0), dinner("24331", "slow-1")); !errors.Is(err, rest.ErrUncertain) {
		t.Fatalf("Post = %v", err)
	}
	if folio, err := r.Folio(t.Context(), "24331"); err != nil || !folio.Complete || len(folio.Lines) != 0 {
		t.Fatalf("Folio before = %+v, %v", folio, err)
	}
	r.hotel.Lift(simulated.Slow)
	for end := time.Now().Add(time.Minute); ; {
		folio, err := r.Folio(t.Context(), "24331")
		if err != nil {
			t.Fatal(err)
		}
		if len(folio.With("slow-1")) == 7 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("folio %+v", folio)
		}
	}
	if n := len(r.hotel.Ledger()); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// TestCut breaks the answer off behind each of its bytes: a posting that is booked is never called refused, and it is
// never sent twice.
func TestCut(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	ok := 0
	for n := range 110 {
		r.inject(t, simulated.Fault{Kind: simulated.Cut, Op: simulated.Charge, At: n, Count: 1})
		p := dinner("24332", fmt.Sprint("cut-", n))
		o, err := r.Post(t.Context(), p)
		switch {
		case err == nil && o.Booked():
			ok++
		case !errors.Is(err, rest.ErrUncertain):
			t.Errorf("cut behind %d: %+v, %v", n, o, err)
		case ok > 0:
			t.Errorf("cut behind %d is uncertain again: %v", n, err)
		}
	}
	if n := len(r.hotel.Ledger()); n != 110 {
		t.Errorf("%d entries for 110 postings", n)
	}
	if ok == 0 {
		t.Error("the whole answer was never taken")
	}
}

func TestExpiry(t *testing.T) {
	now := struct {
		sync.Mutex
		t time.Time
	}{t: time.Now()}
	clock := func() time.Time { now.Lock(); defer now.Unlock(); return now.t }
	r := newRig(t, simulated.Config{TokenLife: 10 * time.Minute, Now: clock}, func(c *ohip.Config) { c.HTTP.Now = clock })
	post := func(name string, fetches uint64) {
		t.Helper()
		if o, err := r.Post(t.Context(), dinner("24332", name)); err != nil || !o.Booked() {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
		if n := r.hotel.State().Requests[simulated.Token]; n != fetches {
			t.Errorf("%s: %d tokens fetched, want %d", name, n, fetches)
		}
	}
	post("first", 1)
	post("again", 1)
	r.inject(t, simulated.Fault{Kind: simulated.Expire})
	post("revoked", 2)
	now.Lock()
	now.t = now.t.Add(9*time.Minute + time.Second)
	now.Unlock()
	post("renewed in time", 3)
	if n := len(r.hotel.Ledger()); n != 4 {
		t.Errorf("%d entries", n)
	}
}

func TestThrottled(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	r.inject(t, simulated.Fault{Kind: simulated.Status, Status: 429, RetryAfter: "1", Op: simulated.Charge, Count: 2})
	if o, err := r.Post(t.Context(), dinner("24331", "p")); err != nil || !o.Booked() || len(r.hotel.Ledger()) != 1 {
		t.Errorf("Post = %+v, %v", o, err)
	}
	ids := map[string]bool{}
	for _, e := range r.hotel.Ledger() {
		ids[e.Request] = true
	}
	if len(ids) != 1 || !ids["p"] {
		t.Errorf("request ids %v", ids)
	}
}

func TestInquiryIsRepeated(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	r.inject(t, simulated.Fault{Kind: simulated.Status, Op: simulated.Search, Count: 1}, simulated.Fault{Kind: simulated.LoseRequest, Op: simulated.Search, Skip: 1, Count: 1},
		simulated.Fault{Kind: simulated.Cut, At: 150, Op: simulated.Search, Skip: 2, Count: 1})
	if f, err := r.Search(t.Context(), ohip.Query{Room: "217"}); err != nil || len(f.Guests) != 2 {
		t.Errorf("Search = %+v, %v", f, err)
	}
	r.inject(t, simulated.Fault{Kind: simulated.Status, Status: 400, Code: "OPERAWS-X", Text: "Not today", Op: simulated.Search, Count: 1})
	if _, err := r.Search(t.Context(), ohip.Query{Room: "217"}); err == nil || !strings.Contains(err.Error(), "Not today (OPERAWS-X)") {
		t.Errorf("Search = %v", err)
	}
	r.inject(t, simulated.Fault{Kind: simulated.Garbage, Op: simulated.Search, Count: 1})
	if _, err := r.Search(t.Context(), ohip.Query{Room: "217"}); !errors.Is(err, rest.ErrNotJSON) {
		t.Errorf("Search = %v", err)
	}
}

func TestLocalFaults(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	for name, change := range map[string]func(*ohip.Posting){
		"sum": func(p *ohip.Posting) { p.Total++ },
		"overflow": func(p *ohip.Posting) {
			p.Parts = []ohip.Part{{Kind: ohip.Subtotal, N: 1, Amount: 1 << 62}, {Kind: ohip.Subtotal, N: 1, Amount: 1 << 62}}
		},
		"no code":         func(p *ohip.Posting) { p.Parts[0].N = 9 },
		"no tax code":     func(p *ohip.Posting) { p.Parts[4].N = 3 },
		"nothing":         func(p *ohip.Posting) { p.Total, p.Parts = 0, nil },
		"no reservation":  func(p *ohip.Posting) { p.Reservation = "" },
		"no reference":    func(p *ohip.Posting) { p.Reference = "" },
		"bad reference":   func(p *ohip.Posting) { p.Reference = "a\r\nX: y" },
		"long reference":  func(p *ohip.Posting) { p.Reference = strings.Repeat("x", ohip.MaxText+1) },
		"long check":      func(p *ohip.Posting) { p.Check = strings.Repeat("9", ohip.MaxCheck+1) },
		"many parts":      func(p *ohip.Posting) { p.Parts = make([]ohip.Part, ohip.MaxParts+1) },
		"negative covers": func(p *ohip.Posting) { p.Covers = -1 },
	} {
		p := dinner("24331", "p")
		change(&p)
		if o, err := r.Post(t.Context(), p); rest.FateOf(err) != rest.NotSent {
			t.Errorf("%s: Post = %+v, %v", name, o, err)
		}
	}
	if len(r.exchanges) != 0 || len(r.hotel.Ledger()) != 0 {
		t.Errorf("something went out: %+v", r.exchanges)
	}
	p := dinner("24331", "p")
	p.Remark = strings.Repeat("é", ohip.MaxText+50)
	if o, err := r.Post(t.Context(), p); err != nil || !o.Booked() || r.hotel.Ledger()[0].Remark != strings.Repeat("é", ohip.MaxText) {
		t.Errorf("long remark: %+v, %v", o, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*ohip.Config){
		"gateway is missing":       func(c *ohip.Config) { c.Gateway = "" },
		"hotel is missing":         func(c *ohip.Config) { c.Hotel = "" },
		"client secret is missing": func(c *ohip.Config) { c.ClientSecret = "" },
		"has no TLS":               func(c *ohip.Config) { c.Gateway = "http://gateway.example" },
		"void by":                  func(c *ohip.Config) { c.VoidBy = "fax" },
		"decimals of XXX":          func(c *ohip.Config) { c.Decimals = map[string]int{"XXX": 9} },
		"a header cannot hold":     func(c *ohip.Config) { c.Hotel = "A\nB" },
		"grant password":           func(c *ohip.Config) { c.Grant = "password" },
	} {
		c := config("https://gateway.example")
		change(&c)
		_, err := ohip.New(c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), simulated.DefaultSecret) {
			t.Errorf("New = %v, want %q", err, want)
		}
	}
}

func TestPasswordGrant(t *testing.T) {
	r := newRig(t, simulated.Config{Username: "integration", Password: "pässword&"}, func(c *ohip.Config) {
		c.Grant, c.Username, c.Password = "password", "integration", "pässword&"
	})
	if f, err := r.Search(t.Context(), ohip.Query{Room: "304"}); err != nil || len(f.Guests) != 1 || f.Guests[0].VIP != "V1" {
		t.Errorf("Search = %+v, %v", f, err)
	}
	wrong := newRig(t, simulated.Config{}, func(c *ohip.Config) { c.ClientSecret = "wrong-secret" })
	_, err := wrong.Search(t.Context(), ohip.Query{Room: "304"})
	if rest.FateOf(err) != rest.NotSent || !strings.Contains(err.Error(), "check the client id and secret") || strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("Search = %v", err)
	}
	other := newRig(t, simulated.Config{}, func(c *ohip.Config) { c.Hotel = "OTHER" })
	if _, err := other.Search(t.Context(), ohip.Query{Room: "304"}); rest.FateOf(err) != rest.Refused || !strings.Contains(err.Error(), "GEN01244") {
		t.Errorf("Search of another hotel = %v", err)
	}
}

// TestStorm posts from eight terminals through every fault at once and compares the hotel's ledger with what the box
// believes (P2, P3): posted is booked exactly once, refused not at all, uncertain only where something was injected.
func TestStorm(t *testing.T) {
	r := newRig(t, simulated.Config{}, func(c *ohip.Config) { c.HTTP.Retry.Attempts = 6 })
	const terminals, each = 8, 40
	type belief struct {
		outcome ohip.Outcome
		err     error
	}
	beliefs := make([]map[string]belief, terminals)
	random := rand.New(rand.NewPCG(7, 11))
	faults := make([]simulated.Fault, terminals*each)
	for i := range faults {
		faults[i] = []simulated.Fault{
			{}, {}, {}, {}, {},
			{Kind: simulated.LoseAnswer, Op: simulated.Charge, Count: 1},
			{Kind: simulated.LoseRequest, Op: simulated.Charge, Count: 1},
			{Kind: simulated.Cut, Op: simulated.Charge, Count: 1, At: random.IntN(120)},
			{Kind: simulated.Status, Op: simulated.Charge, Count: 1, Status: 429},
			{Kind: simulated.Status, Op: simulated.Charge, Count: 1, Status: 500},
			{Kind: simulated.StatusAfter, Op: simulated.Charge, Count: 1, Status: 504},
			{Kind: simulated.NightAudit, Count: 1, Op: simulated.Charge},
			{Kind: simulated.Expire},
			{Kind: simulated.Late, Op: simulated.Charge, Count: 1, For: simulated.Duration(5 * time.Millisecond)},
			{Kind: simulated.Garbage, Op: simulated.Charge, Count: 1},
			{Kind: simulated.LoseRequest, Op: simulated.Token, Count: 1},
			{Kind: simulated.Status, Op: simulated.Search, Count: 1},
		}[random.IntN(17)]
	}
	var all sync.WaitGroup
	for terminal := range terminals {
		beliefs[terminal] = map[string]belief{}
		all.Go(func() {
			for i := range each {
				if f := faults[terminal*each+i]; f.Kind != "" {
					if err := r.hotel.Inject(f); err != nil {
						t.Error(err)
					}
				}
				reference := fmt.Sprintf("%d-%d", terminal, i)
				var e *rest.Error
				if _, err := r.Search(t.Context(), ohip.Query{Room: "217"}); err != nil && (!errors.As(err, &e) || e.Status != 401) {
					t.Errorf("%s: inquiry: %v", reference, err) // 401: the new token was revoked as well, by another terminal
				}
				o, err := r.Post(t.Context(), dinner("24332", reference))
				beliefs[terminal][reference] = belief{o, err}
			}
		})
	}
	all.Wait()
	booked := map[string]int{}
	hurt := map[string]bool{}
	for _, e := range r.hotel.Ledger() {
		booked[e.Reference]++
		for _, k := range e.Faults {
			switch k {
			case simulated.LoseAnswer, simulated.Cut, simulated.StatusAfter:
				hurt[e.Reference] = true
			}
		}
	}
	counts := map[string]int{}
	for _, m := range beliefs {
		for reference, b := range m {
			switch {
			case b.err == nil && b.outcome.Booked():
				counts["posted"]++
				if booked[reference] != 1 {
					t.Errorf("%s is posted and booked %d times", reference, booked[reference])
				}
			case b.err == nil:
				counts["refused "+b.outcome.AS]++
				if booked[reference] != 0 {
					t.Errorf("%s is refused (%+v) and booked", reference, b.outcome)
				}
			case rest.FateOf(b.err) == rest.NotSent:
				counts["not sent"]++
				if booked[reference] != 0 {
					t.Errorf("%s was not sent (%v) and is booked", reference, b.err)
				}
			default:
				counts["unknown"]++
				if booked[reference] > 1 {
					t.Errorf("%s is booked %d times", reference, booked[reference])
				}
				if booked[reference] == 1 && !hurt[reference] {
					t.Errorf("%s is booked, nothing was injected after that, and it is unknown: %v", reference, b.err)
				}
			}
		}
	}
	for _, name := range []string{"posted", "unknown", "refused NA"} {
		if counts[name] == 0 {
			t.Errorf("nothing came to %s: %v", name, counts)
		}
	}
	t.Log(counts, r.hotel.State().Struck)
}

func TestDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c, err := ohip.New(config("http://" + l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Post(t.Context(), dinner("24331", "p")); !errors.Is(err, rest.ErrNotSent) {
		t.Errorf("Post = %v", err)
	}
	var e *rest.Error
	if _, err := c.Folio(t.Context(), "24331"); !errors.As(err, &e) || e.Fate != rest.NotSent {
		t.Errorf("Folio = %v", err)
	}
	if _, err := c.Folio(t.Context(), ""); rest.FateOf(err) != rest.NotSent {
		t.Errorf("Folio of nobody = %v", err)
	}
}

// TestFolioPages reads a folio of more than a page.
func TestFolioPages(t *testing.T) {
	r := newRig(t, simulated.Config{}, nil)
	for i := range 30 {
		if o, err := r.Post(t.Context(), dinner("24332", fmt.Sprint("p-", i))); err != nil || !o.Booked() {
			t.Fatal(o, err)
		}
	}
	folio, err := r.Folio(t.Context(), "24332")
	if err != nil || !folio.Complete || len(folio.Lines) != 210 || len(folio.With("p-29")) != 7 {
		t.Errorf("Folio: %d lines, complete %t, %v", len(folio.Lines), folio.Complete, err)
	}
}

var _ http.Handler = (*simulated.Simulator)(nil)
