package printer

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
	simulated "aboyeur/simulate/printer"
)

// until polls cond over real sockets.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	limit := time.Minute
	if *long {
		limit = 3 * time.Minute // some of its faults are known by a long silence only
	}
	for end := time.Now().Add(limit); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came that %s", what)
		}
	}
}

// hasty are patiences for tests over real sockets, where time is real.
func hasty(c *Config) {
	c.Reconnect, c.ReconnectMax = 10*time.Millisecond, 50*time.Millisecond
	c.AnswerTimeout, c.Margin, c.Poll, c.Stall = 150*time.Millisecond, 300*time.Millisecond, 20*time.Millisecond, 50*time.Millisecond
	c.Finish = time.Millisecond
}

// overTCP runs a driver against whatever listens at l.
func overTCP(t *testing.T, l net.Listener, ledger *fakeLedger) *Printer {
	t.Helper()
	a, err := port.Parse("tcp:" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return overAddress(t, a, ledger)
}

// overAddress runs a driver against whatever stands there.
func overAddress(t *testing.T, a port.Address, ledger *fakeLedger) *Printer {
	t.Helper()
	c := Config{Name: "there", Connect: a, Words: testWords, Log: quiet, Ledger: ledger.restart()}
	c.Profile, _ = escpos.ProfileFor("epson-tm-t88")
	hasty(&c)
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return p
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// simulatedOverTCP serves a simulated printer.
func simulatedOverTCP(t *testing.T) (*simulated.Printer, net.Listener) {
	t.Helper()
	sim, err := simulated.New(simulated.Config{Log: quiet, PowerPause: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { sim.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); served.Wait() })
	return sim, l
}

func TestTCPFaultsInTheMiddle(t *testing.T) {
	for _, f := range []simulated.Fault{
		{Kind: simulated.DropLink, At: 60},
		{Kind: simulated.DropLink, At: 60, Where: "arrive"},
		{Kind: simulated.Reset, At: 60}, // with data unread on both sides
		{Kind: simulated.Reset, At: 60, Where: "arrive"},
		{Kind: simulated.PowerCycle, At: 60},
		{Kind: simulated.Garbage, At: 60},
		{Kind: simulated.Slow, BytesPerSecond: 400, For: simulated.Duration(time.Second)},
		{Kind: simulated.PaperOut, At: 60, For: simulated.Duration(100 * time.Millisecond)},
	} {
		t.Run(string(f.Kind)+f.Where, func(t *testing.T) {
			sim, l := simulatedOverTCP(t)
			ledger := newLedger(t)
			p := overTCP(t, l, ledger)
			until(t, "it is ready", func() bool { _, ok := p.Claim(jobID(9)); return ok })
			p.Unclaim(jobID(9))
			if err := sim.Inject(f); err != nil {
				t.Fatal(err)
			}
			for n := 1; n <= 3; n++ {
				ledger.add(Job{ID: jobID(n), Body: body(n), Ticket: "x", Reprint: true})
			}
			p.Wake()
			until(t, "all is settled", ledger.allSettled)
			r := &rig{t: t, sim: sim, ledger: ledger}
			plain, all, order := r.copies()
			for n := 1; n <= 3; n++ {
				if j := ledger.look(jobID(n)); j.State != Done || plain[n] > 1 || all[n] < 1 || all[n] > 2 {
					t.Errorf("ticket %d: %s, %d plain copies, %d in all", n, j.State, plain[n], all[n])
				}
			}
			if !slices.IsSorted(order) || t.Failed() {
				t.Errorf("order %v, %s%s", order, ledger.describe(), r.paper())
			}
		})
	}
}

// sample draws n faults for real sockets and lines, where time is real: what lasts long in the other tests is short here.
// Those that only a long silence tells stay out unless -long asks for everything.
func sample(n int) (faults []simulated.Fault) {
	lot := rand.New(rand.NewPCG(1012, 1)) // the same each time
	for len(faults) < n {
		for _, i := range lot.Perm(len(modes())) {
			f := modes()[i]
			switch f.Kind {
			case simulated.EchoLost, simulated.Stuck, simulated.HoldReplies:
				if !*long {
					continue
				}
			}
			if f.Kind == simulated.Garbage && f.Data == "372500" && !*long {
				continue
			}
			f.At = lot.Int64N(ticketBytes)
			f.For = min(f.For, simulated.Duration(300*time.Millisecond))
			if f.Kind == simulated.Slow {
				f.LinesPerSecond, f.BytesPerSecond = 20*f.LinesPerSecond, 20*f.BytesPerSecond
			}
			faults = append(faults, f)
		}
	}
	return faults[:n]
}

// endure prints three tickets over a real link with f at work and holds the promise.
func endure(t *testing.T, f simulated.Fault, sim *simulated.Printer, ledger *fakeLedger, p *Printer) {
	t.Helper()
	until(t, "it is ready", func() bool { _, ok := p.Claim(jobID(9)); return ok })
	p.Unclaim(jobID(9))
	if err := sim.Inject(f); err != nil {
		t.Fatal(err)
	}
	var ids []JobID
	for n := 1; n <= 3; n++ {
		ids = append(ids, ledger.add(Job{ID: jobID(n), Body: body(n), Ticket: "x", Reprint: true}).ID)
	}
	p.Wake()
	began, lifted := time.Now(), false
	until(t, fmt.Sprintf("all is settled: %+v", f), func() bool {
		p.Recover() // somebody looks at the cutter
		if !lifted && time.Since(began) > time.Second {
			lifted = true
			sim.Lift("")
		}
		return ledger.allSettled()
	})
	r := &rig{t: t, sim: sim, ledger: ledger, p: p}
	r.check(ids, true, false)
	if t.Failed() {
		t.Logf("%+v\n%s%s", f, ledger.describe(), r.paper())
	}
}

// TestFaultsOverTCP is a sample of the property of spec/escpos.md 10.12 over real sockets.
func TestFaultsOverTCP(t *testing.T) {
	n := 12
	if *long {
		n = 400
	}
	for i, f := range sample(n) {
		t.Run(fmt.Sprintf("%d %s %s", i, f.Kind, f.Where), func(t *testing.T) {
			t.Parallel()
			sim, l := simulatedOverTCP(t)
			ledger := newLedger(t)
			endure(t, f, sim, ledger, overTCP(t, l, ledger))
		})
	}
}

func TestTCPRefused(t *testing.T) {
	l := listen(t)
	l.Close()
	ledger := newLedger(t)
	ledger.add(Job{ID: jobID(1), Body: body(1)})
	p := overTCP(t, l, ledger)
	until(t, "it is held", func() bool { return ledger.heldReason() == ReasonUnreachable })
	if st := p.Status(); st.Up || st.State != Connecting || !strings.Contains(st.Detail, "refused") {
		t.Errorf("Status = %+v", st)
	}
	if j := ledger.look(jobID(1)); j.State != Held || j.Attempt != 0 {
		t.Errorf("job is %s", j.State)
	}
}

func TestTCPAcceptsButMute(t *testing.T) {
	l := listen(t)
	var mu sync.Mutex
	var got []byte
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				b, _ := io.ReadAll(c)
				mu.Lock()
				got = append(got, b...)
				mu.Unlock()
			})
		}
	})
	ledger := newLedger(t)
	ledger.add(Job{ID: jobID(1), Body: body(1)})
	overTCP(t, l, ledger)
	until(t, "it is mute twice", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return ledger.heldReason() == ReasonMute && len(got) >= 6
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
		if strings.Trim(string(got), "\x10\x04\x01") != "" {
			t.Errorf("a mute printer was sent %q", got)
		}
	})
}

// A peer that talks rubbish for ever is neither believed nor able to stop or swell the driver.
func TestTCPGarbage(t *testing.T) {
	l := listen(t)
	var conns sync.WaitGroup
	t.Cleanup(func() { l.Close(); conns.Wait() })
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { io.Copy(io.Discard, c) })
			conns.Go(func() {
				defer c.Close()
				b := make([]byte, 300)
				for range 400 {
					for i := range b {
						b[i] = byte(rand.IntN(256))
					}
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			})
		}
	})
	ledger := newLedger(t)
	ledger.add(Job{ID: jobID(1), Body: body(1), Reprint: true})
	p := overTCP(t, l, ledger)
	until(t, "it was tried often", func() bool {
		return p.Status().Counts.Connects > 3 || len(ledger.look(jobID(1)).history) > 1 || ledger.heldReason() != ""
	})
	if j := ledger.look(jobID(1)); j.evidence == EvidenceProcessID {
		t.Errorf("rubbish passed for proof: %+v", j)
	}
}

func TestFilePrinter(t *testing.T) {
	path := t.TempDir() + "/ticket.bin"
	a, err := port.Parse("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	ledger := newLedger(t)
	c := Config{Name: "spool", Connect: a, Words: testWords, Log: quiet, Ledger: ledger.restart()}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	for n := 1; n <= 20; n++ {
		ledger.add(Job{ID: jobID(n), Body: body(n)})
	}
	p.Wake()
	until(t, "all is settled", ledger.allSettled)
	if j := ledger.look(jobID(20)); j.State != Done || j.evidence != EvidenceNone {
		t.Errorf("job is %s with evidence %q", j.State, j.evidence)
	}
	if st := p.Status(); !st.Up || st.Proof != ProofNone || st.Paper != PaperUnknown {
		t.Errorf("Status = %+v", st)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
