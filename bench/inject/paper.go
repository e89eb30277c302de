package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// A light printer is the lightest thing that a box takes for an ESC/POS printer: it frames the commands
// (docs/spec/escpos.md 2), answers the questions and the proofs (8, 10.2) at once, and draws nothing. It stands in for the
// simulated printers where a thousand orders a second are the subject and paper is not, and where rendering would
// take the cores from the box.
type lightPrinter struct {
	index int
	book  *book
	now   func() int64

	listener net.Listener
	tickets  atomic.Int64
	bytes    atomic.Int64
	links    atomic.Int64
	unknown  atomic.Int64 // commands that it could not frame: a loss of step would be seen here

	mu    sync.Mutex // guards conns
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

func newLightPrinter(index int, l net.Listener, b *book, now func() int64) *lightPrinter {
	return &lightPrinter{index: index, listener: l, book: b, now: now, conns: map[net.Conn]struct{}{}}
}

func (p *lightPrinter) address() string { return p.listener.Addr().String() }

// run serves until ctx ends.
func (p *lightPrinter) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		_ = p.listener.Close()
		p.mu.Lock()
		for c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
	})
	defer stop()
	defer p.wg.Wait()
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("light printer %d: %w", p.index, err)
		}
		p.mu.Lock()
		p.conns[conn] = struct{}{}
		p.mu.Unlock()
		if ctx.Err() != nil {
			_ = conn.Close()
		}
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			p.serve(conn)
			_ = conn.Close()
			p.mu.Lock()
			delete(p.conns, conn)
			p.mu.Unlock()
		}()
	}
}

func (p *lightPrinter) serve(conn net.Conn) {
	p.links.Add(1)
	t := &tape{whole: p.whole}
	buf := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buf)
		at := p.now()
		p.bytes.Add(int64(n))
		if reply := t.write(buf[:n], at); len(reply) > 0 {
			if _, err := conn.Write(reply); err != nil {
				return
			}
		}
		p.unknown.Add(t.unknown)
		t.unknown = 0
		if err != nil {
			return
		}
	}
}

func (p *lightPrinter) whole(text []byte, first, last int64) {
	p.tickets.Add(1)
	p.book.printed(p.index, text, bytes.Contains(text, []byte("REPRINT")) || bytes.Contains(text, []byte("DUPLICATA")), first, last)
}

// A tape is the stream of bytes into one printer. Text between two cuts is a ticket; its first byte is the first one
// that leaves ink, its last one the cut's.
type tape struct {
	whole func(text []byte, first, last int64)

	rest    []byte // an unfinished command
	text    []byte
	first   int64
	reply   []byte
	unknown int64
}

// maxTapeText bounds the text kept of one ticket; what is beyond is framed and forgotten.
const maxTapeText = 64 << 10

// write takes what arrived at the moment at, and returns what the printer answers. The result is valid until the next call.
func (t *tape) write(p []byte, at int64) []byte {
	t.reply = t.reply[:0]
	if len(t.rest) > 0 {
		t.rest = append(t.rest, p...)
		p = t.rest
	}
	for len(p) > 0 {
		if p[0] >= 0x20 || p[0] == '\n' {
			n := 1
			for n < len(p) && (p[n] >= 0x20 || p[n] == '\n') {
				n++
			}
			if t.first == 0 {
				t.first = at
			}
			if len(t.text) < maxTapeText {
				t.text = append(t.text, p[:n]...)
			}
			p = p[n:]
			continue
		}
		n := commandLen(p)
		if n == 0 { // more is to come
			t.rest = append(t.rest[:0:0], p...)
			return t.reply
		}
		if n < 0 {
			t.unknown++
			p = p[-n:]
			continue
		}
		t.do(p[:n], at)
		p = p[n:]
	}
	t.rest = t.rest[:0]
	return t.reply
}

func (t *tape) do(c []byte, at int64) {
	switch {
	case c[0] == 0x1d && c[1] == 'V', c[0] == 0x1b && (c[1] == 'i' || c[1] == 'm'):
		if t.first != 0 {
			t.whole(t.text, t.first, at)
		}
		t.first, t.text = 0, t.text[:0]
	case c[0] == 0x1d && c[1] == '(' && c[2] == 'H' && len(c) >= 11 && c[5] == 0x30:
		t.reply = append(append(append(t.reply, 0x37, 0x22), c[7:11]...), 0)
	case c[0] == 0x1d && c[1] == 'r', c[0] == 0x1b && (c[1] == 'u' || c[1] == 'v'):
		t.reply = append(t.reply, 0)
	case c[0] == 0x1d && c[1] == 'a' && c[2] != 0:
		t.reply = append(t.reply, 0x14, 0, 0, 0)
	case c[0] == 0x1d && c[1] == 'I':
		t.reply = append(t.reply, identity(c[2])...)
	case c[0] == 0x1d && c[1] == 'g' && c[2] == '2':
		t.reply = append(t.reply, "_0\x00"...)
	case c[0] == 0x10 && c[1] == 4:
		t.reply = append(t.reply, 0x12)
	case c[0] == 0x10 && c[1] == 5 && c[2] == 2, c[0] == 0x10 && c[1] == 0x14 && c[2] == 8:
		t.text, t.first = t.text[:0], 0
		t.reply = append(t.reply, 0x37, 0x25, 0)
	}
}

// identity answers GS I n (docs/spec/escpos.md 8).
func identity(n byte) string {
	switch n {
	case 1, '1':
		return "\x20"
	case 2, '2':
		return "\x02"
	case 3, '3':
		return "\x01"
	case 65:
		return "_1.00 ESC/POS\x00"
	case 66:
		return "_EPSON\x00"
	case 67:
		return "_TM-T88V\x00"
	case 68:
		return "_LIGHT\x00"
	}
	return "_\x00"
}

// plain holds the commands that have a fixed number of bytes after their two-byte name.
var plain = map[byte]map[byte]int{
	0x1b: {'@': 0, '=': 1, '!': 1, 'M': 1, 'E': 1, 'G': 1, '-': 1, '{': 1, 'V': 1, 'r': 1, '4': 1, '5': 0, ' ': 1, 'a': 1, '$': 2, '\\': 2, '2': 0, '3': 1,
		'J': 1, 'd': 1, 'K': 1, 'e': 1, 't': 1, 'R': 1, 'p': 3, 'm': 0, 'i': 0, 'c': 2, 'u': 1, 'v': 0, 'S': 0, 'L': 0, 'W': 8, 'T': 1, 'U': 1, '%': 1, '?': 1, '<': 0, 'B': 2, 0x0c: 0},
	0x1d: {'!': 1, 'B': 1, 'b': 1, 'L': 2, 'W': 2, 'P': 2, 'T': 1, 'a': 1, 'r': 1, 'I': 1, 'h': 1, 'w': 1, 'H': 1, 'f': 1, 'j': 1, 'z': 3, 'g': 4, '/': 1, '$': 2,
		'\\': 2, ':': 0, '^': 3, 'E': 1, 'x': 1},
	0x1c: {'.': 0, '&': 0, '!': 1, '-': 1, 'C': 1, 'S': 2, 'W': 1, 'p': 2},
}

// commandLen is the length of the command at the start of p, which is not text: 0 when more bytes are needed, negative
// when the command is not known and that many bytes are passed over.
func commandLen(p []byte) int {
	if p[0] != 0x1b && p[0] != 0x1d && p[0] != 0x1c && p[0] != 0x10 {
		return 1 // NUL, HT, CR, FF, CAN and the like stand alone
	}
	if len(p) < 2 {
		return 0
	}
	need := func(n int) int {
		if len(p) < n {
			return 0
		}
		return n
	}
	if p[0] == 0x10 {
		switch p[1] {
		case 4:
			if len(p) >= 3 && (p[2] == 7 || p[2] == 8) {
				return need(4)
			}
			return need(3)
		case 5:
			return need(3)
		case 0x14:
			if len(p) < 3 {
				return 0
			}
			switch p[2] {
			case 1, 2:
				return need(5)
			case 7:
				return need(4)
			case 8:
				return need(10)
			}
			return -3
		}
		return -1
	}
	if n, ok := plain[p[0]][p[1]]; ok {
		return need(2 + n)
	}
	at := func(i int) int {
		if i < len(p) {
			return int(p[i])
		}
		return 0
	}
	untilNUL := func(from int) int {
		if i := bytes.IndexByte(p[min(from, len(p)):], 0); i >= 0 {
			return from + i + 1
		}
		return 0
	}
	// sized is a command whose data length is only known once its head of h bytes is there.
	sized := func(h int, length func() int) int {
		if len(p) < h {
			return 0
		}
		return need(h + length())
	}
	switch string(p[:2]) {
	case "\x1bD":
		return untilNUL(2)
	case "\x1b*":
		return sized(5, func() int {
			n := at(3) | at(4)<<8
			if at(2) >= 32 {
				n *= 3
			}
			return n
		})
	case "\x1b(", "\x1d(", "\x1c(":
		return sized(5, func() int { return at(3) | at(4)<<8 })
	case "\x1dV":
		return sized(3, func() int {
			if m := at(2); m <= 1 || m == '0' || m == '1' {
				return 0
			}
			return 1
		})
	case "\x1dv":
		return sized(8, func() int { return (at(4) | at(5)<<8) * (at(6) | at(7)<<8) })
	case "\x1d8":
		return sized(7, func() int { return min(at(3)|at(4)<<8|at(5)<<16|at(6)<<24, 1<<20) })
	case "\x1dk":
		if len(p) < 3 {
			return 0
		}
		if at(2) <= 6 {
			return untilNUL(3)
		}
		return sized(4, func() int { return at(3) })
	case "\x1d*":
		return sized(4, func() int { return at(2) * at(3) * 8 })
	}
	return -2
}
