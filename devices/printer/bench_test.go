package printer

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
	simulated "aboyeur/simulate/printer"
)

// nullLedger takes everything and has nothing.
type nullLedger struct{ done chan struct{} }

func (nullLedger) Next(context.Context, func(Job) Attempt) (Job, Attempt, bool, error) {
	return Job{}, Attempt{}, false, nil
}
func (nullLedger) Sending(context.Context, JobID, Attempt) error { return nil }
func (l nullLedger) Record(_ JobID, r Report) {
	if r.State == Done {
		l.done <- struct{}{}
	}
}
func (nullLedger) Hold(string) {}
func (nullLedger) Unhold()     {}

// firstByte is a port that notes when a ticket's first byte leaves.
type firstByte struct {
	pipePort
	at *atomic.Int64
}

func (f firstByte) Write(b []byte) (int, error) {
	if len(b) > 100 {
		f.at.Store(time.Now().UnixNano())
	}
	return f.pipePort.Write(b)
}

// BenchmarkHandover is the fast path: from Claim to the first byte at the port (reported as to-port-ns), and to done.
func BenchmarkHandover(b *testing.B) {
	sim, err := simulated.New(simulated.Config{Log: quiet, OmitText: true, Keep: -1})
	if err != nil {
		b.Fatal(err)
	}
	var at atomic.Int64
	ledger := nullLedger{make(chan struct{}, 1)}
	c := Config{Name: "bench", Words: testWords, Log: quiet, Ledger: ledger}
	c.Profile, _ = escpos.ProfileFor("epson-tm-t88")
	c.Open = func(ctx context.Context) (port.Port, error) {
		ours, theirs := net.Pipe()
		go sim.ServeConn(context.WithoutCancel(ctx), theirs)
		return firstByte{pipePort{ours, false}, &at}, nil
	}
	p, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	defer func() { cancel(); <-ended; sim.Close() }()
	job := Job{ID: jobID(1), Body: body(1), State: Sending, Attempt: 1}
	claim := func() Attempt {
		for {
			if a, ok := p.Claim(job.ID); ok {
				return a
			}
			p.Wake()
			time.Sleep(time.Microsecond)
		}
	}
	claim() // it is connected
	p.Unclaim(job.ID)
	var total int64
	b.ReportAllocs()
	for b.Loop() {
		a := claim()
		start := time.Now().UnixNano()
		p.Handover(job, a)
		<-ledger.done
		total += at.Load() - start
	}
	b.ReportMetric(float64(total)/float64(b.N), "to-port-ns")
}

// BenchmarkClaim is what the journal's writer pays.
func BenchmarkClaim(b *testing.B) {
	p, err := New(Config{Name: "bench", Ledger: nullLedger{}, Log: quiet, Connect: port.Address{Scheme: port.File, Path: "/x"}})
	if err != nil {
		b.Fatal(err)
	}
	p.open, p.queued = true, false
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.Claim(jobID(1)); ok {
			p.Unclaim(jobID(1))
		}
	}
}

func BenchmarkEnvelope(b *testing.B) {
	profile, _ := escpos.ProfileFor("epson-tm-t88")
	e := newEnvelope(profile, "fr", testWords, time.UTC)
	j, a := Job{Body: body(1)}, Attempt{Number: 1, Sequence: 142}
	b.ReportAllocs()
	for b.Loop() {
		e.build(j, a, ProofProcessID)
	}
}
