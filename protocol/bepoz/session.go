package bepoz

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Desk is the box behind a session. Its methods may be called from any goroutine.
type Desk interface {
	// Hello tells the last number of a till that is on disk. secret is what the box and its tills share.
	Hello(ctx context.Context, till string, v Version, secret string) (last int64, err error)
	// Take keeps a message, durably, and says what to answer.
	Take(ctx context.Context, m Message) (Answer, error)
	// List gives bookings from memory, with their age.
	List(ctx context.Context, f Filter) ([]Booking, time.Duration, error)
	Show(ctx context.Context, reference string) (Booking, error)
	// Open opens the check of a seated booking; the same booking opened again gives the same check.
	Open(ctx context.Context, till, reference string) (check, table string, err error)
}

// A Refusal is an error that the till shows: Code for programs, Text for people.
type Refusal struct{ Code, Text string }

func (r *Refusal) Error() string { return r.Text }

// Refusals of the session itself.
const (
	CodeSecret       = "secret"
	CodeVersion      = "version"
	CodeRight        = "right"
	CodeMalformed    = "malformed"
	CodeNotSupported = "not_supported"
	CodeNotSeated    = "not_seated"
	CodeUnknown      = "unknown"
	CodeBusy         = "busy"
)

// Serve speaks with one till until it hangs up, which is nil, or ctx ends. What the till sends is bounded; whatever it says wrong
// is answered with ERR, and a line that is too long ends the session.
func Serve(ctx context.Context, conn io.ReadWriteCloser, d Desk) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	s := &session{d: d, w: bufio.NewWriter(conn)}
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, 1024), MaxLine)
	for in.Scan() {
		s.line(ctx, strings.TrimSuffix(in.Text(), "\r"))
		if err := s.w.Flush(); err != nil {
			return fmt.Errorf("answer till %s: %w", s.till, err)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read from till %s: %w", s.till, err)
	}
	return nil
}

type session struct {
	d      Desk
	w      *bufio.Writer
	till   string
	rights []Right
}

func (s *session) line(ctx context.Context, line string) {
	fields := strings.Split(line, "\t")
	if s.till == "" && fields[0] != "HELLO" {
		s.refuse(&Refusal{CodeMalformed, "say HELLO first"})
		return
	}
	switch fields[0] {
	case "HELLO":
		s.hello(ctx, fields)
	case "EVT":
		m, err := parseEvent(s.till, fields)
		if err != nil {
			s.refuse(&Refusal{CodeMalformed, err.Error()})
			return
		}
		a, err := s.d.Take(ctx, m)
		switch {
		case err != nil:
			s.refuse(err)
		case a.Resend > 0:
			s.say("RESEND", strconv.FormatInt(a.Resend, 10))
		default:
			s.say("ACK", strconv.FormatInt(a.Ack, 10))
		}
	case "LIST":
		s.list(ctx, fields)
	case "SHOW":
		if b, err := s.d.Show(ctx, field(fields, 1)); err != nil {
			s.refuse(err)
		} else {
			s.row(&b)
		}
	case "OPEN":
		if lack := Missing(s.rights, OperateTills); len(lack) > 0 {
			s.refuse(&Refusal{CodeRight, "the operator may not operate tills"})
			return
		}
		check, table, err := s.d.Open(ctx, s.till, field(fields, 1))
		if err != nil {
			s.refuse(err)
			return
		}
		s.say("OK", check, table)
	case "GRID":
		s.refuse(&Refusal{CodeNotSupported, "graphical bookings and the booking grid are not supported; use the booking list"})
	default:
		s.refuse(&Refusal{CodeMalformed, "there is no " + clean(fields[0])})
	}
}

func field(fields []string, n int) string {
	if n < len(fields) {
		return fields[n]
	}
	return ""
}

func (s *session) hello(ctx context.Context, fields []string) {
	till := field(fields, 1)
	v, err := ParseVersion(field(fields, 2))
	switch {
	case till == "" || len(till) > MaxWord:
		s.refuse(&Refusal{CodeMalformed, "the till has no name"})
		return
	case err != nil:
		s.refuse(&Refusal{CodeMalformed, err.Error()})
		return
	case v.Before(Minimum()):
		s.refuse(&Refusal{CodeVersion, fmt.Sprintf("SmartPOS %s is too old; %s at least", v, Minimum())})
		return
	}
	last, err := s.d.Hello(ctx, till, v, field(fields, 4))
	if err != nil {
		s.refuse(err)
		return
	}
	s.till, s.rights = till, nil
	for _, r := range strings.Split(field(fields, 3), ",") {
		s.rights = append(s.rights, Right(r))
	}
	s.say("OK", strconv.FormatInt(last, 10))
}

func (s *session) list(ctx context.Context, fields []string) {
	item, err := strconv.Atoi(field(fields, 1))
	sub, err2 := strconv.Atoi(field(fields, 2))
	f := Filter{Item: item, Sub: sub, Text: field(fields, 3)}
	if err != nil || err2 != nil || !f.Valid() {
		s.refuse(&Refusal{CodeMalformed, "item or sub-item is not one of the booking list"})
		return
	}
	for i, t := range []*time.Time{&f.From, &f.To} {
		if text := field(fields, 4+i); text != "" {
			if *t, err = time.Parse(time.DateOnly, text); err != nil {
				s.refuse(&Refusal{CodeMalformed, "the period is no day; write as in 2026-11-21"})
				return
			}
		}
	}
	all, age, err := s.d.List(ctx, f)
	if err != nil {
		s.refuse(err)
		return
	}
	for i := range all {
		s.row(&all[i])
	}
	s.say("END", strconv.Itoa(len(all)), strconv.Itoa(int(age/time.Second)))
}

func (s *session) row(b *Booking) {
	s.say("ROW", b.At.UTC().Format(time.RFC3339), b.Name, strconv.Itoa(b.Covers), b.Table, b.State, b.Reference)
}

func (s *session) refuse(err error) {
	var r *Refusal
	if !errors.As(err, &r) {
		r = &Refusal{CodeBusy, "the box cannot do that now; try again"}
	}
	s.say("ERR", r.Code, r.Text)
}

// say writes a line. A writer that has failed tells so at Flush.
func (s *session) say(fields ...string) {
	for i, f := range fields {
		if i > 0 {
			s.w.WriteByte('\t')
		}
		s.w.WriteString(clean(f))
	}
	s.w.WriteByte('\n')
}

// clean makes a field of a text.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
