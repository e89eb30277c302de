// Package bepoz is a SmartPOS workstation with its till extension: a queue of what happened, kept until the box has
// acknowledged it, and the booking list (spec/pos.md 4). It speaks the lines of protocol/bepoz. Faults: messages sent twice or
// left out on their way, a session cut at a line, a restart that begins again with older numbers.
package bepoz

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/protocol/bepoz"
)

// A Till is one workstation. Its methods may be called from any goroutine, but for one session at a time.
type Till struct {
	Name    string
	Version string
	Rights  []bepoz.Right
	Secret  string // what it shares with the box

	mu     sync.Mutex // guards what follows
	queue  []bepoz.Message
	seq    int64
	acked  int64
	faults Faults
	sent   int64
}

// Faults is what goes wrong in sessions to come.
type Faults struct {
	Twice   map[int64]bool // numbers that are sent twice
	Lost    map[int64]bool // numbers that are lost on their way, the first time
	CutAt   int64          // the session ends after this number was sent, before its answer is read
	Restart int64          // forgets acknowledgements from this number on, as after a power cut
}

// New makes a till of a version that is new enough, with all rights.
func New(name string) *Till {
	return &Till{Name: name, Version: bepoz.Minimum().String(), Rights: bepoz.Rights()}
}

// Ring puts an event into the queue and gives its number.
func (t *Till) Ring(table, check string, event bepoz.Event, at time.Time, p bepoz.Payload) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	t.queue = append(t.queue, bepoz.Message{Till: t.Name, Seq: t.seq, Table: table, Check: check, Event: event, At: at, Payload: p})
	return t.seq
}

// Break sets what goes wrong.
func (t *Till) Break(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.Restart > 0 {
		t.acked = min(t.acked, f.Restart-1)
	}
	t.faults = f
}

// Queue tells how many events wait, and how many messages were ever sent.
func (t *Till) Queue() (waiting int, sent int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.seq - t.acked), t.sent
}

// ErrCut is a session that a fault ended.
var ErrCut = errors.New("the line was cut")

// A Session is a till on a connection.
type Session struct {
	t    *Till
	conn io.ReadWriteCloser
	in   *bufio.Scanner
}

// A Refusal is what the box answered with ERR.
type Refusal struct{ Code, Text string }

func (r *Refusal) Error() string { return r.Code + ": " + r.Text }

// Connect says HELLO. The box tells what it has; the till goes on from there.
func (t *Till) Connect(conn io.ReadWriteCloser) (*Session, error) {
	s := &Session{t: t, conn: conn, in: bufio.NewScanner(conn)}
	s.in.Buffer(nil, bepoz.MaxLine)
	var rights []string
	for _, r := range t.Rights {
		rights = append(rights, string(r))
	}
	fields, err := s.ask("HELLO", t.Name, t.Version, strings.Join(rights, ","), t.Secret)
	if err != nil {
		return nil, err
	}
	last, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("answer to HELLO: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.faults.Restart == 0 {
		t.acked = max(t.acked, last)
	}
	return s, nil
}

// Close hangs up.
func (s *Session) Close() error { return s.conn.Close() }

// Ask sends a line of fields and reads one line.
func (s *Session) Ask(fields ...string) ([]string, error) { return s.ask(fields...) }

func (s *Session) ask(fields ...string) ([]string, error) {
	if _, err := io.WriteString(s.conn, strings.Join(fields, "\t")+"\n"); err != nil {
		return nil, err
	}
	return s.read()
}

func (s *Session) read() ([]string, error) {
	if !s.in.Scan() {
		if err := s.in.Err(); err != nil {
			return nil, err
		}
		return nil, io.ErrUnexpectedEOF
	}
	fields := strings.Split(s.in.Text(), "\t")
	if fields[0] == "ERR" {
		r := &Refusal{}
		if len(fields) == 3 {
			r.Code, r.Text = fields[1], fields[2]
		}
		return nil, r
	}
	if len(fields) < 2 {
		return nil, fmt.Errorf("the box says %q", s.in.Text())
	}
	return fields, nil
}

// Drain sends what waits, in order, until everything is acknowledged.
func (s *Session) Drain() error {
	t := s.t
	for rounds := 0; ; rounds++ {
		t.mu.Lock()
		if t.acked >= t.seq {
			t.mu.Unlock()
			return nil
		}
		if rounds > 10*len(t.queue)+100 {
			t.mu.Unlock()
			return fmt.Errorf("till %s: number %d is never acknowledged", t.Name, t.acked+1)
		}
		at := t.acked // messages are numbered from 1 and never leave the queue
		lost := t.faults.Lost[t.queue[at].Seq] && at+1 < int64(len(t.queue))
		if lost {
			delete(t.faults.Lost, t.queue[at].Seq)
			at++
		}
		m := t.queue[at]
		times := 1
		if t.faults.Twice[m.Seq] {
			times = 2
		}
		cut := t.faults.CutAt == m.Seq
		if cut {
			t.faults.CutAt = 0
		}
		t.sent += int64(times)
		t.mu.Unlock()
		line, err := m.AppendLine(nil)
		if err != nil {
			return err
		}
		for range times {
			if _, err := s.conn.Write(line); err != nil {
				return err
			}
		}
		if cut {
			s.conn.Close()
			return ErrCut
		}
		for range times {
			fields, err := s.read()
			if err != nil {
				return err
			}
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return err
			}
			t.mu.Lock()
			switch fields[0] {
			case "ACK":
				t.acked = max(n, t.acked)
				t.faults.Restart = 0
			case "RESEND":
				t.acked = min(n-1, t.seq)
			default:
				t.mu.Unlock()
				return fmt.Errorf("the box says %q", strings.Join(fields, " "))
			}
			t.mu.Unlock()
		}
	}
}

// List asks for bookings: rows of time, name, covers, table, state and reference.
func (s *Session) List(item, sub int, text string) ([][]string, error) {
	if _, err := fmt.Fprintf(s.conn, "LIST\t%d\t%d\t%s\n", item, sub, text); err != nil {
		return nil, err
	}
	var rows [][]string
	for {
		fields, err := s.read()
		if err != nil {
			return nil, err
		}
		if fields[0] == "END" {
			return rows, nil
		}
		rows = append(rows, fields[1:])
	}
}
