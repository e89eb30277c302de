package lightspeed

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/lightspeed"
	"aboyeur/protocol/rest"
	"aboyeur/simulate/bookings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a location on a real socket, its client, and a box that keeps notifications.
type bench struct {
	*Simulator
	client *lightspeed.Client

	mu    sync.Mutex
	heard []lightspeed.Notification
}

func open(t *testing.T, c Config) *bench {
	t.Helper()
	sim, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, l) }()
	b := &bench{Simulator: sim}
	b.client, err = lightspeed.New(lightspeed.Config{Base: "http://" + l.Addr().String(), Location: DefaultLocation, Endpoint: "Box", Currency: "EUR", Tokens: rest.Bearer(DefaultToken)})
	if err != nil {
		t.Fatal(err)
	}
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := b.client.Read(booking.Message{Header: r.Header, Body: body}, DefaultUser, DefaultPassword)
		if err != nil || lightspeed.Key(booking.Message{Header: r.Header}) == "" {
			t.Errorf("notification %s: %v", body, err)
		}
		b.mu.Lock()
		b.heard = append(b.heard, n)
		b.mu.Unlock()
	}))
	if err := b.client.Subscribe(t.Context(), box.URL, DefaultUser, DefaultPassword); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		<-served
		b.client.Close()
		box.Close()
	})
	return b
}

func (b *bench) await(t *testing.T, n int) []lightspeed.Notification {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		heard := append([]lightspeed.Notification(nil), b.heard...)
		b.mu.Unlock()
		if len(heard) >= n {
			return heard
		}
		if time.Now().After(end) {
			t.Fatalf("%d notifications, want %d", len(heard), n)
		}
	}
}

func dinner(reference string) lightspeed.Order {
	return lightspeed.Order{Reference: reference, Table: 12, Covers: 2, First: "Guest", Note: "Uber Eats 8F3A2", Lines: []lightspeed.Line{{SKU: "MA-1", Quantity: 2, Course: 2}, {Name: "Extra", Price: 150, Quantity: 1}}}
}

func TestReads(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	ready, err := b.client.Ready(t.Context())
	if err != nil || !ready.Ready || !ready.Open || len(ready.Devices) != 2 || ready.Staff != "7" {
		t.Errorf("%+v, %v", ready, err)
	}
	b.Open(false)
	if ready, err := b.client.Ready(t.Context()); err != nil || ready.Ready || ready.Open {
		t.Errorf("%+v, %v", ready, err)
	}
	tables, err := b.client.Tables(t.Context())
	if err != nil || len(tables) != 6 || tables[3].Number != 12 || tables[3].Name != "12" || !tables[3].Active {
		t.Errorf("%+v, %v", tables, err)
	}
	items, err := b.client.Items(t.Context())
	if err != nil || len(items) != 4 {
		t.Errorf("%+v, %v", items, err)
	}
	want := []lightspeed.Statistic{{Category: "course", Value: "Desserts"}, {Category: "course", Value: "Drinks"}, {Category: "course", Value: "Mains"}, {Category: "course", Value: "Starters"}}
	if diff := cmp.Diff(want, lightspeed.Statistics(items)); diff != "" {
		t.Error(diff)
	}
	if profiles, err := b.client.Profiles(t.Context()); err != nil || len(profiles) != 2 {
		t.Errorf("%+v, %v", profiles, err)
	}
	if err := b.client.SetAvailability(t.Context(), "MA-1", false); err != nil || b.Available("MA-1") {
		t.Errorf("sold out: %v", err)
	}
}

// A reference makes one order: the second answer is 409 and the order is found.
func TestReferenceUsedTwice(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	b.Faults(bookings.Faults{Next: []bookings.Kind{bookings.LostAnswer}, Ops: []string{"order"}})
	if err := b.client.Send(t.Context(), dinner("r1")); !errors.Is(err, rest.ErrUncertain) {
		t.Errorf("a lost answer: %v", err)
	}
	if err := b.client.Send(t.Context(), dinner("r1")); !errors.Is(err, lightspeed.ErrDuplicate) {
		t.Errorf("again: %v", err)
	}
	found, err := b.client.ByReference(t.Context(), "r1")
	if err != nil || found.Total != 2150 || found.Tables[0] != "12" || found.Lines[0].Group != "Mains" {
		t.Errorf("%+v, %v", found, err)
	}
	if table, err := b.client.AtTable(t.Context(), 12); err != nil || table.ID != found.ID {
		t.Errorf("%+v, %v", table, err)
	}
	if o := b.Orders(); len(o) != 1 || o[0].Repeats != 1 || o[0].Note != "Uber Eats 8F3A2" {
		t.Errorf("%+v", o)
	}
}

// What the till does with an order comes as a notification, or not at all; it may be quicker than the answer.
func TestFates(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	b.Next("no such item", Refuse, Silent, Mute, Early)
	for _, r := range []string{"refused", "silent", "mute"} {
		if err := b.client.Send(t.Context(), dinner(r)); err != nil {
			t.Fatal(err)
		}
	}
	heard := b.await(t, 1)
	if heard[0].Status != lightspeed.Failure || heard[0].Reason != "no such item" || heard[0].Reference != "refused" {
		t.Errorf("%+v", heard[0])
	}
	for _, r := range []string{"refused", "silent", "unheard of"} {
		if _, err := b.client.ByReference(t.Context(), r); !errors.Is(err, lightspeed.ErrNotFound) {
			t.Errorf("%s: %v", r, err)
		}
	}
	if _, err := b.client.ByReference(t.Context(), "mute"); err != nil {
		t.Error(err)
	}
	if err := b.client.Send(t.Context(), dinner("early")); err != nil {
		t.Fatal(err)
	}
	if heard := b.await(t, 2); len(heard) != 2 || heard[1].Status != lightspeed.Success || heard[1].Reference != "early" {
		t.Errorf("%+v", heard)
	}
	unknown := dinner("unlinked")
	unknown.Lines[0].SKU = "NONE"
	if err := b.client.Send(t.Context(), unknown); err != nil {
		t.Fatal(err)
	}
	if heard := b.await(t, 3); heard[2].Status != lightspeed.Failure || heard[2].Reason != "ITEM_NOT_FOUND NONE" {
		t.Errorf("%+v", heard[2])
	}
}

// Amounts as numbers and times as milliseconds, or both as texts: the same check.
func TestForms(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 20, 15, 30, 0, time.UTC)
	var checks []booking.Check
	for _, texts := range []bool{false, true} {
		b := open(t, Config{Texts: texts, Now: func() time.Time { return at }})
		if err := b.client.Send(t.Context(), dinner("r1")); err != nil {
			t.Fatal(err)
		}
		c, err := b.client.ByReference(t.Context(), "r1")
		if err != nil {
			t.Fatal(err)
		}
		checks = append(checks, c)
	}
	if diff := cmp.Diff(checks[0], checks[1]); diff != "" || !checks[0].OpenedAt.Equal(at) {
		t.Errorf("%+v: %s", checks[0], diff)
	}
}

// Payments are taken up to what is due, and what is wrong is told with its code.
func TestPay(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.client.Send(t.Context(), dinner("r1")); err != nil {
		t.Fatal(err)
	}
	c, err := b.client.ByReference(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []lightspeed.Payment{
		{Reference: "p1", Account: c.ID, Method: "DEP", Amount: 2000, Tip: 100},
		{Reference: "p2", Account: c.ID, Method: "DEP", Amount: 151},
		{Reference: "p3", Account: "A0", Method: "DEP", Amount: 1},
	} {
		if err := b.client.Pay(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.client.Pay(t.Context(), lightspeed.Payment{Reference: "p1", Account: c.ID, Method: "DEP", Amount: 2000}); !errors.Is(err, lightspeed.ErrDuplicate) {
		t.Errorf("again: %v", err)
	}
	got := map[string]string{}
	for _, n := range b.await(t, 4) {
		if n.Type == lightspeed.TypePayment {
			got[n.PaymentReference] = n.Status + n.ErrorCode
		}
	}
	if diff := cmp.Diff(map[string]string{"p1": "SUCCESS", "p2": "FAILUREOVERPAID", "p3": "FAILUREACCOUNT_NOT_FOUND"}, got); diff != "" {
		t.Error(diff)
	}
	if err := b.CloseCheck(c.ID); err != nil {
		t.Fatal(err)
	}
	if heard := b.await(t, 5); heard[4].Status != lightspeed.Closed || heard[4].Account == nil {
		t.Errorf("%+v", heard[4])
	}
}

func TestOrderIsCheckedFirst(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	err := b.client.Send(t.Context(), lightspeed.Order{Reference: string(make([]byte, 49)), Collection: "123456789", Lines: []lightspeed.Line{{SKU: "a-sku-that-is-far-too-long-for-it", Quantity: 0}, {Quantity: 1}}})
	if !errors.Is(err, rest.ErrNotSent) {
		t.Fatalf("%v", err)
	}
	if len(b.Calls()) != 1 { // the subscription
		t.Errorf("%+v", b.Calls())
	}
}
