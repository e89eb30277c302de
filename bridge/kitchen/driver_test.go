package kitchen

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"aboyeur/devices/port"
	"aboyeur/devices/printer"
	simulated "aboyeur/simulate/printer"
)

// The real driver on a simulated printer over TCP: what is placed is on paper once, with proof, over a reconnect too.
func TestWithTheDriver(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulated.New(simulated.Config{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- sim.Serve(ctx, listener) }()
	address, err := port.Parse("tcp:" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	q := h.kitchen.Queue("grill")
	driver, err := printer.New(printer.Config{Name: "grill", Connect: address, Profile: q.c.Profile, Language: "en", Ledger: q, Sequence: q.LastSequence(),
		Words: EnvelopeWords(q.c.Words), Now: h.clock.now, Log: quiet, Reconnect: 10 * time.Millisecond, ReconnectMax: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	q.Attach(driver)
	first := h.place(newOrder(dish(1, "Steak", "Grill"))) // before it is there
	go func() { ended <- driver.Run(ctx) }()
	defer func() {
		stop()
		for range 2 {
			<-ended
		}
	}()
	waitFor := func(what string, holds func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never came: %s; status %+v, jobs %v", what, driver.Status(), h.jobs(first.ID))
			}
		}
	}
	waitFor("first ticket", func() bool { return h.jobs(first.ID)[0] == "grill order done" })
	if j := h.view(first.ID).Tickets[0].Jobs[0]; j.Evidence != "process_id" || j.Attempt != 1 {
		t.Errorf("job %+v, want proof by process id", j)
	}
	waitFor("an idle printer", func() bool { return driver.Status().State == printer.Ready && !driver.Status().InHand })
	for range 20 {
		r := h.place(newOrder(dish(1, "Fish", "Grill")))
		first = r
	}
	waitFor("all tickets", func() bool {
		n, _, _ := q.Waiting()
		return n == 0 && h.jobs(first.ID)[0] == "grill order done"
	})
	h.check()
	tickets := sim.Tickets()
	if len(tickets) != 21 {
		t.Errorf("%d tickets on paper, want 21", len(tickets))
	}
	for i, x := range tickets {
		if strings.Contains(x.Text, "REPRINT") || x.Sequence != uint32(i+1) {
			t.Errorf("ticket %d: sequence %d\n%s", i, x.Sequence, x.Text)
		}
	}
}
