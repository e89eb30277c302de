//go:build emulate

package port_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aboyeur/devices/port"
	"aboyeur/devices/printer"
)

// guestLine is the guest's way to the test that runs it.
const guestLine = "/dev/virtio-ports/aboyeur"

// An order is a line from the test outside, see simulate/usbredir's emulate_test.go. An answer goes back for each.
type order struct {
	Op      string        `json:"op"` // open close job sh exec raw
	Address string        `json:"address,omitempty"`
	Job     int           `json:"job,omitempty"`
	Body    string        `json:"body,omitempty"`
	Command []string      `json:"command,omitempty"`
	For     time.Duration `json:"for,omitempty"` // raw: deadline of the write
}

// An event is a line to the test outside.
type event struct {
	Ev string `json:"ev"` // ready answer report sending status plug log

	Libusb   bool   `json:"libusb,omitempty"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
	N        int    `json:"n,omitempty"`
	Job      int    `json:"job,omitempty"`
	State    string `json:"state,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	Banner   bool   `json:"banner,omitempty"`
	Paper    string `json:"paper,omitempty"`
	Proof    string `json:"proof,omitempty"`
	Up       bool   `json:"up,omitempty"`
}

// TestGuest is the program in the guest, under the name of a test because it is one: `make emulate-usb` builds it and boots
// a machine around it. Elsewhere there is no line to talk over, and it is skipped.
func TestGuest(t *testing.T) {
	var line *os.File
	for range 200 { // udev makes the name
		var err error
		if line, err = os.OpenFile(guestLine, os.O_RDWR, 0); err == nil {
			break
		}
		if os.Getpid() > 1 && os.Getenv("INVOCATION_ID") == "" {
			t.Skip("not a guest of make emulate-usb: ", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if line == nil {
		t.Fatal("no line to the outside")
	}
	g := &guest{line: line, out: json.NewEncoder(line), book: &book{}}
	g.book.tell = g.tell
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	g.tell(event{Ev: "ready", Libusb: port.HasLibusb, Text: strings.TrimSpace(string(release))})
	go port.WatchUSB(t.Context(), func() {
		g.tell(event{Ev: "plug"})
		g.wake()
	})
	lines := bufio.NewScanner(line)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatalf("order %q: %v", lines.Bytes(), err)
		}
		answer, err := g.obey(o)
		answer.Ev = "answer"
		if err != nil {
			answer.Error = err.Error()
		}
		g.tell(answer)
	}
}

type guest struct {
	line *os.File
	book *book

	say sync.Mutex // guards out
	out *json.Encoder

	mu   sync.Mutex // guards what follows
	p    *printer.Printer
	stop func()
}

func (g *guest) tell(e event) {
	g.say.Lock()
	defer g.say.Unlock()
	if err := g.out.Encode(e); err != nil {
		fmt.Fprintln(os.Stderr, "to the outside:", err)
	}
}

func (g *guest) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.p != nil {
		g.p.Wake()
	}
}

func (g *guest) obey(o order) (event, error) {
	switch o.Op {
	case "open":
		return event{}, g.open(o.Address)
	case "close":
		g.close()
		return event{}, nil
	case "job":
		g.book.add(o.Job, o.Body)
		g.wake()
		return event{}, nil
	case "sh":
		out, err := exec.Command("/bin/sh", "-c", o.Command[0]).CombinedOutput()
		return event{Text: strings.TrimSpace(string(out))}, err
	case "exec":
		g.close()
		return event{}, syscall.Exec(o.Command[0], append(o.Command, os.Args[1:]...), os.Environ())
	case "raw":
		return raw(o)
	}
	return event{}, fmt.Errorf("op %q", o.Op)
}

// raw opens the port, asks the printer who it is and how it is, writes, and closes it again.
func raw(o order) (e event, err error) {
	a, err := port.Parse(o.Address)
	if err != nil {
		return e, err
	}
	p, err := port.Open(context.Background(), a, port.Options{})
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if q, ok := p.(port.Peripheral); ok {
		id, err := q.DeviceID()
		if err != nil {
			return e, err
		}
		st, err := q.PortStatus()
		if err != nil {
			return e, err
		}
		e.Text = fmt.Sprintf("%s status %#02x", id, byte(st))
	}
	if o.Body != "" {
		if err := p.SetWriteDeadline(time.Now().Add(o.For)); err != nil {
			return e, err
		}
		n, err := p.Write([]byte(o.Body))
		e.N = n
		if err != nil {
			e.Reason = err.Error()
		}
	}
	return e, nil
}

func (g *guest) open(address string) error {
	a, err := port.Parse(address)
	if err != nil {
		return err
	}
	p, err := printer.New(printer.Config{
		Name: "usb", Connect: a, Ledger: g.book.process(), Sequence: g.book.sequence(),
		Words:     printer.Words{Reprint: "REPRINT", Ticket: "ticket", FirstSent: "first sent", Reason: "reason", AlreadyPrinted: "MAY ALREADY BE PRINTED", End: "END"},
		Reconnect: 500 * time.Millisecond, ReconnectMax: 4 * time.Second, Stall: 2 * time.Second, Poll: time.Second,
		OnStatus: func(st printer.Status) {
			g.tell(event{Ev: "status", State: string(st.State), Reason: st.Reason, Paper: string(st.Paper), Proof: string(st.Proof), Up: st.Up, Text: st.Detail})
		},
		Log: slog.New(slog.NewTextHandler(logLines{g}, nil)),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.p, g.stop = p, func() { cancel(); <-done }
	return nil
}

func (g *guest) close() {
	g.mu.Lock()
	stop := g.stop
	g.p, g.stop = nil, nil
	g.mu.Unlock()
	if stop != nil {
		stop()
	}
}

type logLines struct{ g *guest }

func (l logLines) Write(b []byte) (int, error) {
	l.g.tell(event{Ev: "log", Text: strings.TrimSpace(string(b))})
	return len(b), nil
}

var _ io.Writer = logLines{}

// A book is a ledger in memory.
type book struct {
	tell func(event)

	mu    sync.Mutex
	jobs  []*entry
	last  uint32
	epoch int
}

type entry struct {
	printer.Job
	n       int
	attempt printer.Attempt
	settled bool
	process int // that has it in hand
}

// page is the book as one process sees it.
type page struct {
	*book
	process int
}

func (b *book) process() page {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch++
	return page{b, b.epoch}
}

func (b *book) sequence() uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *book) add(n int, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs = append(b.jobs, &entry{n: n, Job: printer.Job{ID: printer.JobID{15: byte(n)}, Body: []byte(body), Reprint: true, State: printer.Queued, Ticket: fmt.Sprint(n)}})
}

func (p page) Next(_ context.Context, sending func(printer.Job) printer.Attempt) (printer.Job, printer.Attempt, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.jobs {
		if !e.settled && e.process != p.process && e.State != printer.Queued && e.State != printer.Held && e.State != printer.Done {
			e.process = p.process
			return e.Job, e.attempt, true, nil
		}
	}
	for _, e := range p.jobs {
		if (e.State == printer.Queued || e.State == printer.Held) && e.process != p.process {
			a := sending(e.Job)
			was := e.Job
			p.sent(e, a)
			was.FirstSent = e.FirstSent
			return was, a, true, nil
		}
	}
	return printer.Job{}, printer.Attempt{}, false, nil
}

func (p page) sent(e *entry, a printer.Attempt) {
	e.State, e.attempt, e.Attempt, e.Sequence, e.process, e.settled = printer.Sending, a, a.Number, a.Sequence, p.process, false
	if a.Number == 1 {
		e.FirstSent = a.At
	}
	p.last = max(p.last, a.Sequence)
	p.tell(event{Ev: "sending", Job: e.n, Attempt: a.Number, Banner: a.Banner})
}

func (p page) find(id printer.JobID) *entry {
	return p.jobs[slices.IndexFunc(p.jobs, func(e *entry) bool { return e.ID == id })]
}

func (p page) Sending(_ context.Context, id printer.JobID, a printer.Attempt) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent(p.find(id), a)
	return nil
}

func (p page) Record(id printer.JobID, r printer.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.find(id)
	e.State, e.Reason, e.settled = r.State, r.Reason, r.Settled
	p.tell(event{Ev: "report", Job: e.n, State: string(r.State), Evidence: string(r.Evidence), Reason: r.Reason, Attempt: r.Attempt})
}

func (p page) Hold(reason string) { p.tell(event{Ev: "hold", Reason: reason}) }
func (p page) Unhold()            { p.tell(event{Ev: "hold"}) }
