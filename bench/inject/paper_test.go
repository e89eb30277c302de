package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

type slip struct {
	text        string
	first, last int64
}

// feed gives the pieces to a tape at moments 1, 2, 3 …
func feed(pieces ...[]byte) (slips []slip, reply []byte, unknown int64) {
	t := &tape{}
	t.whole = func(text []byte, first, last int64) { slips = append(slips, slip{string(text), first, last}) }
	for i, p := range pieces {
		reply = append(reply, t.write(p, int64(i+1))...)
	}
	return slips, reply, t.unknown
}

const cutAndProof = "\x1d(H\x06\x0000ABCD\x1dVB\x00\x1d(H\x06\x0000ABCE"

func TestTape(t *testing.T) {
	for _, c := range []struct {
		name, in, text, reply string
	}{
		{"ticket", "\x1b@\x1c.\x1b!\x30A1\n\x1b!\x002 Frites\n" + cutAndProof, "A1\n2 Frites\n", "7\"ABCD\x007\"ABCE\x00"},
		{"proof", "A\n" + cutAndProof, "A\n", "7\"ABCD\x007\"ABCE\x00"},
		{"questions", "\x10\x04\x01\x10\x04\x02\x1da\xff\x1dI\x42\x1dr\x01", "", "\x12\x12\x14\x00\x00\x00_EPSON\x00\x00"},
		{"no status wanted", "\x1da\x00", "", ""},
		{"raster is not text", "A\x1dv0\x00\x02\x00\x03\x00ZQZQZQ\nB\x1dV\x01", "A\nB", ""},
		{"long graphics", "A\x1d8L\x04\x00\x00\x00ZQZQB\n\x1dVA\x03", "AB\n", ""},
		{"bar codes", "A\x1dk\x04ZQZQ\x00\x1dkI\x04ZQZQB\x1dV\x00", "AB", ""},
		{"a symbol", "A\x1d(k\x04\x00ZQZQB\x1dV0", "AB", ""},
		{"tabs", "A\x1bD\x08\x10\x00B\x1bi", "AB", ""},
		{"bit image", "A\x1b*\x21\x02\x00ZQZQZQB\x1bm", "AB", ""},
		{"cleared", "A\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08B\x1dV\x00", "B", "7%\x00"},
		{"blank cut", "\x1b@\x1dV\x00", "", ""},
		{"drawer", "A\x1bp\x00\x19\xfa\x10\x14\x01\x00\x02\x1dV\x00", "A", ""},
	} {
		for cut := 0; cut <= len(c.in); cut++ {
			slips, reply, unknown := feed([]byte(c.in[:cut]), []byte(c.in[cut:]))
			text := ""
			for _, s := range slips {
				text += s.text
			}
			if text != c.text || string(reply) != c.reply || unknown != 0 {
				t.Fatalf("%s, cut at %d: text %q, reply %q, %d unknown; want %q, %q", c.name, cut, text, reply, unknown, c.text, c.reply)
			}
		}
	}
}

func TestTapeTimesATicketByItsInkAndItsCut(t *testing.T) {
	slips, _, _ := feed([]byte("\x1b@\x1da\xff"), []byte("\x1b@\x1b!\x30"), []byte("A\n"), []byte("B\n\x1dV"), []byte("B"), []byte("\x00"), []byte("\x1b@"))
	if len(slips) != 1 || slips[0] != (slip{"A\nB\n", 3, 6}) {
		t.Errorf("slips = %+v, want one from 3 to 6", slips)
	}
}

func FuzzTape(f *testing.F) {
	f.Add([]byte("\x1b@A\n"+cutAndProof), uint8(3), uint8(12))
	f.Add([]byte("\x1dv0\x00\x01\x00\x01\x00x\x10\x04\x01\x1bD\x01\x00\x1d(L\x02\x00xx"), uint8(1), uint8(5))
	f.Fuzz(func(t *testing.T, in []byte, a, b uint8) {
		i, j := min(int(a), len(in)), min(int(b), len(in))
		if i > j {
			i, j = j, i
		}
		s1, r1, u1 := feed(in)
		s2, r2, u2 := feed(in[:i], in[i:j], in[j:])
		if len(s1) != len(s2) || !bytes.Equal(r1, r2) || u1 != u2 {
			t.Fatalf("%q: whole gives %v %q %d, cut at %d and %d %v %q %d", in, s1, r1, u1, i, j, s2, r2, u2)
		}
		for k := range s1 {
			if s1[k].text != s2[k].text {
				t.Errorf("%q: ticket %d is %q whole and %q cut", in, k, s1[k].text, s2[k].text)
			}
		}
	})
}

func TestLightPrinter(t *testing.T) {
	b := newBook(4, layout{stations: 2})
	var marks []mark
	for range 3 {
		o, m := b.open()
		o.stations = 0b10
		o.status.Store(201)
		marks = append(marks, m)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	watch := newStopwatch()
	p := newLightPrinter(1, l, b, watch.now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.run(ctx) }()
	conn, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	for _, m := range marks {
		if _, err := fmt.Fprintf(conn, "\x1b@Uber %s\n%s", m, cutAndProof); err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, 14)
		if _, err := io.ReadFull(conn, reply); err != nil || string(reply) != "7\"ABCD\x007\"ABCE\x00" {
			t.Fatalf("reply = %q, %v", reply, err)
		}
	}
	if got := b.tally(-1); got.TicketsPrinted != 3 || got.MissingOnPaper != 0 || p.tickets.Load() != 3 {
		t.Errorf("tally = %+v, printer counts %d, want 3 tickets", got, p.tickets.Load())
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run = %v", err)
	}
}
