package kounta

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/kounta"
	"aboyeur/protocol/rest"
	"aboyeur/simulate/bookings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open gives a site on a real socket and its client, whose waits are counted and not waited.
func open(t *testing.T) (*Simulator, *kounta.Client, *[]time.Duration) {
	t.Helper()
	s, err := New(bookings.Faults{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	var mu sync.Mutex
	var waits []time.Duration
	c, err := kounta.New(kounta.Config{Base: "http://" + l.Addr().String(), Company: Company, Site: Site, Currency: "AUD", Tokens: rest.Bearer(Token),
		Wait: func(_ context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, d)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		<-served
		c.Close()
	})
	return s, c, &waits
}

func dinner(reference string) kounta.Order {
	return kounta.Order{Reference: reference, Status: kounta.OnHold, Notes: "Uber Eats 8F3A2", Total: 2500,
		Lines: []kounta.Line{{Product: "9007199254740993", Quantity: 2, Price: 1250, Modifiers: []int64{-3, 4}}}}
}

func TestReads(t *testing.T) {
	t.Parallel()
	s, c, _ := open(t)
	for _, off := range []bool{false, true} {
		s.Offline(off)
		if on, err := c.Online(t.Context()); err != nil || on == off {
			t.Errorf("online %v, %v", on, err)
		}
	}
	if p, err := c.Products(t.Context()); err != nil || len(p) != 1 || p[0].ID != "9007199254740993" || p[0].Category.Name != "Mains" {
		t.Errorf("%+v, %v", p, err)
	}
}

// The call answers with nothing and the list lags: found at the third look, one order.
func TestFoundAtTheThirdLook(t *testing.T) {
	t.Parallel()
	s, c, waits := open(t)
	s.Lag(true, 2)
	found, existed, err := c.Ensure(t.Context(), dinner("r1"))
	if err != nil || existed || found.Reference != "r1" || found.Identifier() != "9007199254740993" || len(*waits) != 3 {
		t.Errorf("%+v, %v, %v, waits %v", found, existed, err, *waits)
	}
	again, existed, err := c.Ensure(t.Context(), dinner("r1"))
	if err != nil || !existed || again.Identifier() != found.Identifier() || len(s.Orders()) != 1 {
		t.Errorf("%+v, %v, %v: %d orders", again, existed, err, len(s.Orders()))
	}
}

// Two triggers for one order, and a hundred: one order.
func TestTriggersWaitForEachOther(t *testing.T) {
	t.Parallel()
	s, c, _ := open(t)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, _, err := c.Ensure(t.Context(), dinner("r1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(s.Orders()); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// Two orders on one table are told apart by their sale numbers.
func TestTwoOnATable(t *testing.T) {
	t.Parallel()
	_, c, _ := open(t)
	for _, r := range []string{"r1", "r2"} {
		if _, _, err := c.Ensure(t.Context(), dinner(r)); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := c.Tables(t.Context())
	if err != nil || len(tables) != 1 || len(tables[0].Orders) != 2 {
		t.Fatalf("%+v, %v", tables, err)
	}
	found, ok, err := c.Find(t.Context(), "r2", 2500, time.Now())
	if err != nil || !ok || found.Identifier() != "9007199254740994" {
		t.Errorf("%+v, %v, %v", found, ok, err)
	}
	if _, ok, err := c.Find(t.Context(), "r2", 2506, time.Now()); err != nil || ok {
		t.Errorf("of another value: %v, %v", ok, err)
	}
}

// An answer that was lost is looked for; what never shows is unknown, and at most two are made.
func TestLostAndNeverSeen(t *testing.T) {
	t.Parallel()
	s, c, waits := open(t)
	s.Faults(bookings.Faults{Next: []bookings.Kind{bookings.LostAnswer}, Ops: []string{"order"}})
	if found, _, err := c.Ensure(t.Context(), dinner("r1")); err != nil || found.Reference != "r1" || len(s.Orders()) != 1 || len(*waits) != 1 {
		t.Errorf("%+v, %v: %d orders", found, err, len(s.Orders()))
	}
	s.Lag(true, 1000)
	if _, _, err := c.Ensure(t.Context(), dinner("r2")); !errors.Is(err, kounta.ErrUnknown) || len(s.Orders()) != 3 {
		t.Errorf("never shown: %v, %d orders", err, len(s.Orders()))
	}
	s.Faults(bookings.Faults{Next: []bookings.Kind{bookings.TooMany}, Ops: []string{"order"}})
	if _, _, err := c.Ensure(t.Context(), dinner("r3")); !errors.Is(err, rest.ErrRefused) || len(s.Orders()) != 3 {
		t.Errorf("429: %v, %d orders", err, len(s.Orders()))
	}
	wrong := dinner("r4")
	wrong.Lines[0].Product = "beef"
	if _, _, err := c.Ensure(t.Context(), wrong); !errors.Is(err, rest.ErrNotSent) {
		t.Errorf("a product without a number: %v", err)
	}
}
