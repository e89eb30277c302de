package ifc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A Stream carries records over TCP or TLS: frames, and nothing beneath them (fias.md 1.1).
//
// A net.Conn lets a context end one Send or Receive by its deadlines. On a stream without deadlines an ending context
// closes the stream.
type Stream struct {
	rw io.ReadWriteCloser
	o  Options

	writing chan struct{} // holds a token while nobody writes; guards out and broken
	out     []byte
	broken  error // of a write: no further record can be framed safely after a torn one

	in, rest []byte // of Receive: the read buffer, and what of it is not decoded

	mu    sync.Mutex // guards dec and sent; not held during I/O
	dec   Decoder
	sent  uint64
	shut  chan struct{}
	close func() error
}

// NewTCP makes a Stream of a connection that is open. Nothing runs until Send or Receive is called.
func NewTCP(rw io.ReadWriteCloser, o Options) *Stream {
	s := &Stream{rw: rw, o: o.withDefaults(), writing: make(chan struct{}, 1), in: make([]byte, 8<<10), shut: make(chan struct{})}
	s.dec.Limit = s.o.Limit
	s.writing <- struct{}{}
	s.close = sync.OnceValue(func() error { close(s.shut); return s.rw.Close() })
	return s
}

// Send writes one frame. It returns when the kernel has it; that the peer has read it only an answer shows.
func (s *Stream) Send(ctx context.Context, record []byte) error {
	if err := s.o.sendable(record); err != nil {
		return err
	}
	select {
	case <-s.writing:
	case <-ctx.Done():
		return &SendError{Err: ctx.Err()}
	case <-s.shut:
		return &SendError{Err: ErrClosed}
	}
	defer func() { s.writing <- struct{}{} }()
	if s.broken != nil {
		return &SendError{Err: fmt.Errorf("%w: %v", ErrClosed, s.broken)}
	}
	if err := ctx.Err(); err != nil {
		return &SendError{Err: err}
	}
	s.out = AppendFrame(s.out[:0], record)
	deadline, hurried := time.Now().Add(s.o.WriteTimeout), false
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline, hurried = d, true
	}
	n, err := 0, error(nil)
	s.within(ctx, deadline, write, func() {
		s.o.trace(Event{Sent: true, Record: record})
		n, err = s.rw.Write(s.out)
	})
	if err == nil && n < len(s.out) {
		err = io.ErrShortWrite
	}
	if err != nil {
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case hurried && errors.Is(err, os.ErrDeadlineExceeded): // a moment before the context noticed
			err = context.DeadlineExceeded
		}
		if n > 0 {
			s.broken = err
		}
		return &SendError{Sent: n, Err: err}
	}
	s.mu.Lock()
	s.sent++
	s.mu.Unlock()
	return nil
}

// Receive returns the next record. io.EOF is an end between records, io.ErrUnexpectedEOF one inside a record.
func (s *Stream) Receive(ctx context.Context) ([]byte, error) {
	for {
		s.mu.Lock()
		record, rest, ok := s.dec.Next(s.rest)
		open := s.dec.Open()
		s.mu.Unlock()
		s.rest = rest
		if ok {
			s.o.trace(Event{Record: record})
			return record, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := 0, error(nil)
		s.within(ctx, time.Time{}, read, func() { n, err = s.rw.Read(s.in) })
		s.rest = s.in[:n]
		if n > 0 || err == nil {
			continue // an error comes again with the next read
		}
		select {
		case <-s.shut:
			return nil, ErrClosed
		default:
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, io.EOF) && open:
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
}

// Acknowledge does nothing: TCP has no acknowledgement (fias.md 1.1).
func (s *Stream) Acknowledge() {}

// Stats counts what passed.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Counters: s.dec.Counters(), Sent: s.sent}
}

// Close ends the connection and everything that waits on it.
func (s *Stream) Close() error { return s.close() }

// side is one direction of a connection.
type side byte

const (
	read side = iota
	write
)

// within runs one call of I/O that ends when ctx does.
func (s *Stream) within(ctx context.Context, deadline time.Time, d side, do func()) {
	set, interrupt := s.deadline(d), func() { s.close() }
	if set != nil && set(deadline) == nil { // it may have the method and no deadlines, as a pipe of the system does
		interrupt = func() { set(past) }
	}
	if ctx.Done() == nil {
		do()
		return
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { interrupt(); close(fired) })
	do()
	if !stop() { // it runs: wait, so that its deadline does not hit the next call
		<-fired
	}
}

// deadline is what sets the deadline of one direction; nil if the connection has none.
func (s *Stream) deadline(d side) func(time.Time) error {
	if c, ok := s.rw.(interface{ SetReadDeadline(time.Time) error }); ok && d == read {
		return c.SetReadDeadline
	}
	if c, ok := s.rw.(interface{ SetWriteDeadline(time.Time) error }); ok && d == write {
		return c.SetWriteDeadline
	}
	return nil
}

// past is a deadline that has passed. It is not the zero time, which means none.
var past = time.Unix(1, 0)
