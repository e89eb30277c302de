package printer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"
)

// sink is a host that takes every answer at once.
type sink struct{ got []byte }

func (s *sink) Write(b []byte) (int, error) { s.got = append(s.got, b...); return len(b), nil }
func (s *sink) Read([]byte) (int, error)    { select {} }
func (s *sink) Close() error                { return nil }

// swallow gives a printer the stream in pieces of n bytes and returns what it answered.
func swallow(t *testing.T, p *Printer, stream []byte, n int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := newLink(p, &sink{})
	p.link = l
	var got, buf []byte
	for b := range chunks(stream, n) {
		p.take(b, time.Now())
		buf = l.take(buf[:0], false)
		got = append(got, buf...)
		if len(p.queue) > 2*p.c.ReceiveBuffer+n || len(l.out) > maxReplies || len(p.strip.raw) > MaxTicket || len(p.settings) > 32 || len(p.marks) > maxMarks {
			t.Fatalf("grown: queue %d, answers %d, ticket %d, settings %d, marks %d", len(p.queue), len(l.out), len(p.strip.raw), len(p.settings), len(p.marks))
		}
	}
	p.link = nil
	return got
}

// Any stream leaves the printer alive and bounded. Without real-time commands, its splitting changes neither the paper
// nor the answers.
func FuzzStream(f *testing.F) {
	f.Add(code(ticket), uint8(1))
	f.Add(code("1D763000 0400 0200 00 100401 00 100404 1D384C FFFFFFFF"), uint8(3))
	f.Add(code("1014 08 01 03 14 01 06 02 08 100502 1014020108"), uint8(2))
	f.Add(code("1B3D00 1B64FF 1D7A3001 1D6732001400 1D4942"), uint8(1))
	f.Add(code("1C7101 0100 0100 1B2603 2021 0AFFFF"), uint8(5))
	f.Add(code("1D2160 09 'x' 0A 1B4408100000 09 0A"), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, split uint8) {
		if len(stream) > 1<<16 {
			return
		}
		see := func(n int) string {
			p, err := New(Config{Log: slog.New(slog.DiscardHandler), PowerPause: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			answers := swallow(t, p, stream, n)
			p.Close()
			s := fmt.Sprintf("% X\n", answers)
			for _, k := range p.Tickets() {
				s += fmt.Sprintln(k.Text, k.Bytes, k.Partial, k.Banner, k.Sequences)
			}
			return s
		}
		whole, pieces := see(max(len(stream), 1)), see(int(split)+1)
		if bytes.IndexByte(stream, dle) < 0 && whole != pieces {
			t.Errorf("whole: %s\nin pieces of %d: %s", whole, int(split)+1, pieces)
		}
	})
}

func BenchmarkTicket(b *testing.B) {
	body := code(start + fmt.Sprintf("%x", bytes.Repeat([]byte("  2 Margherita sans basilic\n"), 20)) + "'END 0142' 0A" + tokenP + cut + tokenC)
	for _, c := range []struct {
		name   string
		config Config
	}{
		{"bare", Config{}},
		{"kept none", Config{Keep: -1}},
		{"ledger", Config{Ledger: discard{}}},
		{"ledger without text", Config{Ledger: discard{}, OmitText: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.config.Log = slog.New(slog.DiscardHandler)
			p, err := New(c.config)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			l := newLink(p, &sink{})
			p.link = l
			var out []byte
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				p.arrive(l, body, time.Now())
				out = l.take(out[:0], false)
			}
			if p.tickets != uint64(b.N) || len(out) != 18 {
				b.Fatalf("%d tickets of %d, answer %q", p.tickets, b.N, out)
			}
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkOverTCP is a host that prints a ticket and waits for its proof, over and over.
func BenchmarkOverTCP(b *testing.B) {
	body := code(start + fmt.Sprintf("%x", bytes.Repeat([]byte("  2 Margherita sans basilic\n"), 20)) + "'END 0142' 0A" + tokenP + cut + tokenC)
	p, err := New(Config{Log: slog.New(slog.DiscardHandler), Ledger: discard{}, OmitText: true})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l) }()
	defer func() { cancel(); <-ended }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 18)
	b.ReportAllocs()
	for b.Loop() {
		conn.Write(body)
		if _, err := io.ReadFull(conn, answer); err != nil {
			b.Fatal(err)
		}
	}
}
