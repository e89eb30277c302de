package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// simulatedPapers are the product's simulated printers, a process each. What they print is read from their own ledgers.
type simulatedPapers struct {
	s   *stage
	all []*simulatedPrinter
}

type simulatedPrinter struct {
	index   int
	process *process
	listen  string
	ledger  ledger
}

func newSimulatedPapers(s *stage) (papers, error) {
	p := &simulatedPapers{s: s}
	for i := range s.layout.stations {
		x, err := startSimulated(s, i)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.all = append(p.all, x)
	}
	return p, nil
}

func startSimulated(s *stage, i int) (*simulatedPrinter, error) {
	file := filepath.Join(s.dir, fmt.Sprintf("ledger%d.jsonl", i))
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return nil, err
	}
	first := newFirstLine()
	p, err := start(launch{
		name: printerName(i), out: first, log: filepath.Join(s.dir, printerName(i)+".log"),
		argv: []string{s.o.aboyeur, "simulate", "printer", "--listen", "127.0.0.1:0", "--ledger", file, "--keep", "-1"},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patienceReady)
	defer cancel()
	line, err := first.wait(ctx, p)
	var at struct {
		Listen string `json:"listen"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(line), &at)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop(time.Second))
	}
	return &simulatedPrinter{index: i, process: p, listen: at.Listen, ledger: ledger{file: file}}, nil
}

func (p *simulatedPapers) kind() string {
	return "simulated printers (aboyeur simulate printer), a process each, counted from their ledgers"
}

func (p *simulatedPapers) addresses() []string {
	var a []string
	for _, x := range p.all {
		a = append(a, "tcp:"+x.listen)
	}
	return a
}

// run only watches: the printers are processes of their own.
func (p *simulatedPapers) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (p *simulatedPapers) poll() error {
	for _, x := range p.all {
		err := x.ledger.read(func(t printedTicket) {
			if t.Partial {
				return
			}
			p.s.book.printed(x.index, []byte(t.Text), t.Banner, p.s.watch.of(t.FirstByteAt), p.s.watch.of(t.LastByteAt))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *simulatedPapers) close() error {
	var all []error
	for _, x := range p.all {
		all = append(all, x.process.stop(3*time.Second))
	}
	return errors.Join(all...)
}

// A printedTicket is what the generator reads of a line of a simulated printer's ledger.
type printedTicket struct {
	Text        string    `json:"text"`
	FirstByteAt time.Time `json:"first_byte_at"`
	LastByteAt  time.Time `json:"last_byte_at"`
	Banner      bool      `json:"banner"`
	Partial     bool      `json:"partial"`
}

// A ledger is a file of JSON lines that another process appends to.
type ledger struct {
	file string
	at   int64
	rest []byte // the start of a line whose end is not there yet
}

// read calls each for the lines that have come since the last call.
func (l *ledger) read(each func(printedTicket)) error {
	f, err := os.Open(l.file)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := f.ReadAt(buf, l.at)
		l.at += int64(n)
		l.rest = append(l.rest, buf[:n]...)
		for {
			line, after, ok := bytes.Cut(l.rest, []byte("\n"))
			if !ok {
				break
			}
			var t printedTicket
			if err := json.Unmarshal(line, &t); err != nil {
				return fmt.Errorf("ledger %s: %w", l.file, err)
			}
			each(t)
			l.rest = after
		}
		l.rest = append(l.rest[:0:0], l.rest...)
		if err != nil || n == 0 {
			return nil // the end of what is there
		}
	}
}
