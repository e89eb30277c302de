package pos

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/kounta"
	"aboyeur/protocol/lightspeed"
	"aboyeur/protocol/rest"
	"aboyeur/simulate/bookings"
	simkounta "aboyeur/simulate/kounta"
	simlightspeed "aboyeur/simulate/lightspeed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a simulated till on a real socket.
func serve(t *testing.T, s interface {
	Serve(context.Context, net.Listener) error
}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		<-served
	})
	return "http://" + l.Addr().String()
}

// kTill is a Lightspeed K till with the box's adapter, and its notifications on their way to it.
func kTill(t *testing.T, answer time.Duration) (*simlightspeed.Simulator, *KSeries) {
	t.Helper()
	sim, err := simlightspeed.New(simlightspeed.Config{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := lightspeed.New(lightspeed.Config{Base: serve(t, sim), Location: simlightspeed.DefaultLocation, Endpoint: "Box", Currency: "EUR", Tokens: rest.Bearer(simlightspeed.DefaultToken)})
	if err != nil {
		t.Fatal(err)
	}
	k := NewKSeries(client, simlightspeed.DefaultLocation, "EUR", answer)
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := client.Read(booking.Message{Header: r.Header, Body: body}, simlightspeed.DefaultUser, simlightspeed.DefaultPassword)
		if err != nil {
			t.Errorf("notification %s: %v", body, err)
		}
		k.Heard(n)
	}))
	sim.Hook(box.URL)
	t.Cleanup(func() {
		sim.Simulator.Close()
		k.Close()
		box.Close()
	})
	return sim, k
}

func delivery(reference string) Order {
	return Order{Opening: Opening{Reference: reference, Guest: "Zoé", Notes: "Sonner au 2e"}, Delivery: true, Partner: "Uber Eats", Short: "8F3A2", Address: "1 rue X", Method: "UBER", Paid: 2000, Total: 2000,
		Lines: []Line{{SKU: "MA-1", Name: "Bœuf", Quantity: 2, Price: 1000}}}
}

// Whatever happens to the call, a reference is one order at the till, and what the adapter says is true.
func TestKSeriesInject(t *testing.T) {
	t.Parallel()
	sim, k := kTill(t, unhurried)
	first, err := k.Inject(t.Context(), delivery("r1"))
	if err != nil || first.ID == "" || first.Existed {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := k.Inject(t.Context(), delivery("r1"))
	if err != nil || again.ID != first.ID || !again.Existed {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	sim.Faults(bookings.Faults{Next: []bookings.Kind{bookings.LostAnswer}, Ops: []string{"order"}})
	if lost, err := k.Inject(t.Context(), delivery("r2")); err != nil || lost.ID == "" {
		t.Errorf("a lost answer: %+v, %v", lost, err)
	}
	sim.Next("", simlightspeed.Early)
	if early, err := k.Inject(t.Context(), delivery("r3")); err != nil || early.ID == "" {
		t.Errorf("news before the answer: %+v, %v", early, err)
	}
	unlinked := delivery("r4")
	unlinked.Lines[0].SKU = "NONE"
	var no *Refusal
	if _, err := k.Inject(t.Context(), unlinked); !errors.As(err, &no) || no.Code != Unlinked {
		t.Errorf("an item that the till does not know: %v", err)
	}
	sim.Next("the kitchen is closed", simlightspeed.Refuse)
	if _, err := k.Inject(t.Context(), delivery("r5")); !errors.As(err, &no) || no.Code != Validation || no.Detail != "the kitchen is closed" {
		t.Errorf("refused by the till: %v", err)
	}
	sim.Faults(bookings.Faults{Down: true})
	if _, err := k.Inject(t.Context(), delivery("r6")); err == nil {
		t.Error("handed over to a till that is down")
	}
	sim.Faults(bookings.Faults{})
	for _, o := range sim.Orders() {
		if o.Reference == "r1" && (o.Note != "Uber Eats 8F3A2 | Sonner au 2e" || o.Repeats != 1) {
			t.Errorf("%+v", o)
		}
		if o.Reference == "r6" {
			t.Errorf("%+v", o)
		}
	}
}

// A till that says nothing: the order is looked for, and what is not there is not known rather than refused.
func TestKSeriesSilence(t *testing.T) {
	t.Parallel()
	sim, k := kTill(t, time.Millisecond)
	sim.Next("", simlightspeed.Mute, simlightspeed.Silent)
	if o, err := k.Inject(t.Context(), delivery("r1")); err != nil || o.ID == "" {
		t.Errorf("done and not told: %+v, %v", o, err)
	}
	if _, err := k.Inject(t.Context(), delivery("r2")); !errors.Is(err, ErrUnknown) {
		t.Errorf("not done and not told: %v", err)
	}
	if _, ok, err := k.Find(t.Context(), Look{Reference: "r2"}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// A word that comes in the moment in which nobody waits for it any more, and the order is already looked for, counts.
func TestKSeriesWordWhileLooking(t *testing.T) {
	t.Parallel()
	sim, err := simlightspeed.New(simlightspeed.Config{})
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(serve(t, sim))
	if err != nil {
		t.Fatal(err)
	}
	var k *KSeries
	var word atomic.Pointer[lightspeed.Notification] // said before the next reading is answered
	idle := &http.Transport{}
	through := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(base) }, Transport: idle}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := word.Load(); n != nil && strings.Contains(r.URL.String(), n.Reference) {
			word.Store(nil)
			k.Heard(*n)
		}
		through.ServeHTTP(w, r)
	}))
	client, err := lightspeed.New(lightspeed.Config{Base: front.URL, Location: simlightspeed.DefaultLocation, Endpoint: "Box", Currency: "EUR", Tokens: rest.Bearer(simlightspeed.DefaultToken)})
	if err != nil {
		t.Fatal(err)
	}
	k = NewKSeries(client, simlightspeed.DefaultLocation, "EUR", time.Millisecond)
	t.Cleanup(func() {
		k.Close()
		front.Close()
		idle.CloseIdleConnections()
		sim.Simulator.Close()
	})
	sim.Next("", simlightspeed.Silent, simlightspeed.Silent)
	word.Store(&lightspeed.Notification{Type: lightspeed.TypeOrder, Status: lightspeed.Failure, Reason: "the kitchen is closed", Reference: "r1"})
	var no *Refusal
	if _, err := k.Inject(t.Context(), delivery("r1")); !errors.As(err, &no) || no.Detail != "the kitchen is closed" || word.Load() != nil {
		t.Errorf("refused meanwhile: %v", err)
	}
	word.Store(&lightspeed.Notification{Type: lightspeed.TypeOrder, Status: lightspeed.Success, AccountID: "A7", Reference: "r2"})
	if o, err := k.Inject(t.Context(), delivery("r2")); err != nil || o.ID != "A7" {
		t.Errorf("taken meanwhile: %+v, %v", o, err)
	}
}

// Checks are opened once, at a table that is free and that the till knows by exactly that name.
func TestKSeriesOpenCheck(t *testing.T) {
	t.Parallel()
	sim, k := kTill(t, unhurried)
	o := Opening{Reference: "party-1", Table: "12", Covers: 2, Guest: "Zoé"}
	first, err := k.OpenCheck(t.Context(), o)
	if err != nil || first.ID == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := k.OpenCheck(t.Context(), o); err != nil || again.ID != first.ID || !again.Existed {
		t.Errorf("again: %+v, %v", again, err)
	}
	var no *Refusal
	other := o
	other.Reference = "party-2"
	if _, err := k.OpenCheck(t.Context(), other); !errors.As(err, &no) || no.Code != TableUnavailable {
		t.Errorf("a table that is taken: %v", err)
	}
	for _, name := range []string{"012", "12 ", "T12", ""} {
		other.Table = name
		if _, err := k.OpenCheck(t.Context(), other); !errors.As(err, &no) || no.Code != InvalidTable {
			t.Errorf("table %q: %v", name, err)
		}
	}
	if len(sim.Orders()) != 1 {
		t.Errorf("%+v", sim.Orders())
	}
	if _, err := k.Inject(t.Context(), Order{Opening: Opening{Reference: "o1", Table: "5"}, Lines: []Line{{SKU: "ST-1", Quantity: 1, Price: 1000}}}); err != nil {
		t.Fatal(err)
	}
	found, ok, err := k.Find(t.Context(), Look{Reference: "o1"})
	if err != nil || !ok || found.Table != "5" {
		t.Fatalf("%+v, %v, %v", found, ok, err)
	}
	c, err := k.Check(t.Context(), found.ID)
	if err != nil || c.Total != 1000 || c.Lines[0].Group != "Starters" {
		t.Errorf("%+v, %v", c, err)
	}
	for i, want := range []string{Overpaid, "", CheckClosed} {
		p := Payment{Reference: "p" + string(rune('1'+i)), Check: found.ID, Method: "DEP", Amount: 1000}
		if i == 0 {
			p.Amount = 1001
		}
		if i == 2 {
			if err := sim.CloseCheck(found.ID); err != nil {
				t.Fatal(err)
			}
		}
		err := k.AddPayment(t.Context(), p)
		if want == "" && err != nil || want != "" && (!errors.As(err, &no) || no.Code != want) {
			t.Errorf("payment %d: %v, want %q", i, err, want)
		}
	}
	if g, err := k.Groups(t.Context()); err != nil || len(g) != 4 {
		t.Errorf("%v, %v", g, err)
	}
	if i, err := k.Info(t.Context()); err != nil || !i.Open || len(i.Devices) != 2 {
		t.Errorf("%+v, %v", i, err)
	}
}

// The O-Series till: looked for before and after, once at the till, and nothing dropped that has no product.
func TestOSeries(t *testing.T) {
	t.Parallel()
	sim, err := simkounta.New(bookings.Faults{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kounta.New(kounta.Config{Base: serve(t, sim), Company: simkounta.Company, Site: simkounta.Site, Currency: "AUD", Tokens: rest.Bearer(simkounta.Token),
		Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	o := NewOSeries(client, simkounta.Site, "AUD", kounta.OnHold)
	defer o.Close()
	order := delivery("r1")
	order.Method, order.Lines[0].SKU = "", "9007199254740993"
	sim.Lag(true, 2)
	first, err := o.Inject(t.Context(), order)
	if err != nil || first.ID != "9007199254740993" || first.Existed {
		t.Fatalf("%+v, %v", first, err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if again, err := o.Inject(t.Context(), order); err != nil || again.ID != first.ID || !again.Existed {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
	wg.Wait()
	if n := len(sim.Orders()); n != 1 {
		t.Errorf("%d orders", n)
	}
	if found, ok, err := o.Find(t.Context(), Look{Reference: "r1"}); err != nil || !ok || found.ID != first.ID {
		t.Errorf("%+v, %v, %v", found, ok, err)
	}
	if _, ok, err := o.Find(t.Context(), Look{Reference: "other"}); ok || err != nil {
		t.Errorf("of another life: %v, %v", ok, err)
	}
	if c, err := o.Check(t.Context(), first.ID); err != nil || c.Total != 2000 || !c.Open {
		t.Errorf("%+v, %v", c, err)
	}
	var no *Refusal
	order.Lines[0].SKU = ""
	if _, err := o.Inject(t.Context(), order); !errors.As(err, &no) || no.Code != Unlinked {
		t.Errorf("a line without a product: %v", err)
	}
	if _, err := o.OpenCheck(t.Context(), Opening{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

// Credentials that the series does not know are named as such; the order may go in when they are right.
func TestOtherSeries(t *testing.T) {
	t.Parallel()
	ksim, err := simlightspeed.New(simlightspeed.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ksim.Simulator.Close)
	kc, err := lightspeed.New(lightspeed.Config{Base: serve(t, ksim), Location: simlightspeed.DefaultLocation, Endpoint: "Box", Currency: "EUR", Tokens: rest.Bearer("of-another-series")})
	if err != nil {
		t.Fatal(err)
	}
	osim, err := simkounta.New(bookings.Faults{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	oc, err := kounta.New(kounta.Config{Base: serve(t, osim), Company: simkounta.Company, Site: simkounta.Site, Currency: "AUD", Tokens: rest.Basic("id", "of-another-series")})
	if err != nil {
		t.Fatal(err)
	}
	for name, till := range map[string]Adapter{"K": NewKSeries(kc, simlightspeed.DefaultLocation, "EUR", time.Second), "O": NewOSeries(oc, simkounta.Site, "AUD", kounta.Accepted)} {
		defer till.Close()
		for what, call := range map[string]func() error{
			"Info": func() error { _, err := till.Info(t.Context()); return err },
			"Inject": func() error {
				o := oDelivery()
				o.Reference = "r1"
				_, err := till.Inject(t.Context(), o)
				return err
			},
		} {
			var no *Refusal
			if err := call(); !errors.As(err, &no) || no.Code != Credentials || !no.Passes() || !strings.Contains(no.Detail, name+"-Series does not know these credentials") {
				t.Errorf("%s of %s: %v", what, name, err)
			}
		}
	}
}
