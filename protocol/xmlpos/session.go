package xmlpos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aboyeur/protocol/ifc"
)

// A session is one connection of a Link, from LinkDescription to its end.
type session struct {
	l    *Link
	conn ifc.Conn

	up        bool      // LinkAlive has come once
	described time.Time // when LinkDescription last left
	asked     bool      // LinkStart has left and nothing has come since
}

// received is what the reader hands over: an element, or the end.
type received struct {
	e   Element
	err error // with e: some attributes are unreadable; without: the connection's end
}

// run keeps the session until ctx or the connection ends; its error is never nil but when ctx ended.
func (s *session) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	in := make(chan received)
	over := make(chan struct{})
	go func() { defer close(over); s.read(ctx, in) }()
	defer func() { stop(); <-over }()

	s.l.turn(Describing, nil)
	if err := s.describe(ctx); err != nil {
		return err
	}
	timer := time.NewTimer(s.l.c.Start)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-in:
			if r.e == nil {
				return r.err
			}
			s.asked = false
			if err := s.take(ctx, r); err != nil {
				return err
			}
			timer.Reset(s.patience())
		case <-timer.C:
			if s.l.Status().State != Up {
				return fmt.Errorf("LinkDescription: %w; is another client on this port, or the interface off?", ErrSilent)
			}
			if s.asked {
				return fmt.Errorf("LinkStart: %w", ErrSilent)
			}
			s.asked = true
			if err := s.send(ctx, &LinkStart{At: s.l.c.Now()}); err != nil {
				return err
			}
			timer.Reset(s.patience())
		}
	}
}

// patience is how long nothing may come now.
func (s *session) patience() time.Duration {
	switch {
	case s.l.Status().State != Up:
		// From the description on: a server that talks but never is alive must not keep us waiting for ever.
		return max(0, time.Until(s.described.Add(s.l.c.Start)))
	case s.asked:
		return s.l.c.Silence
	}
	return s.l.c.Idle
}

// read hands over what comes. Elements that cannot be read or are unknown are counted and skipped.
func (s *session) read(ctx context.Context, in chan<- received) {
	for {
		record, err := s.conn.Receive(ctx)
		r := received{err: err}
		if err == nil {
			r.e, r.err = s.l.c.Dialect.Decode(record)
			s.l.count(func(st *Stats) {
				st.Received++
				switch {
				case errors.Is(r.err, ErrUnknown):
					st.Ignored++
				case r.err != nil:
					st.Faulty++
				}
			})
			if r.err != nil {
				s.l.c.Log.Debug("hotel element not understood", "link", "xmlpos", "err", r.err)
			}
			if r.e == nil {
				r.e = new(LinkAlive) // a sign of life all the same
				r.err = errSkipped
			}
		}
		select {
		case in <- r:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// errSkipped marks a stand-in for something that could not be read.
var errSkipped = errors.New("skipped")

// take acts on an element. Its error ends the session.
func (s *session) take(ctx context.Context, r received) error {
	if a, ok := r.e.(*PostAnswer); ok {
		if r.err == nil && a.Status == "" {
			r.err = &FieldError{Element: a.Name(), Attr: "AnswerStatus", Wrong: "is missing"}
		}
		s.l.settle(Reply{Answer: a}, garbled(r.err))
		s.conn.Acknowledge() // not before the answer is safe
		return nil
	}
	s.conn.Acknowledge()
	if r.err == errSkipped {
		return nil
	}
	switch e := r.e.(type) {
	case *LinkAlive:
		s.up = true
		s.l.turn(Up, nil)
	case *LinkStart:
		return s.restart(ctx)
	case *LinkDescription: // not for a vendor, but harmless to answer
		return s.send(ctx, &LinkAlive{At: s.l.c.Now()})
	case *LinkEnd:
		// Best effort: the server closes with or without it.
		_ = s.send(ctx, &LinkEnd{At: s.l.c.Now()})
		return ErrLinkOver
	case *PostList:
		s.l.settle(Reply{List: e}, garbled(r.err))
	default:
		s.l.count(func(st *Stats) { st.Ignored++ })
	}
	return nil
}

func garbled(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrGarbled, err)
}

// restart answers the server's LinkStart: it has forgotten us and wants the description again. A server that answers each
// description with another LinkStart is not followed faster than redescribe.
func (s *session) restart(ctx context.Context) error {
	if time.Since(s.described) < redescribe {
		return nil
	}
	s.l.turn(Describing, nil)
	return s.describe(ctx)
}

// redescribe is the shortest time between two descriptions (spec/fias.md 9.1: storms after a simultaneous start).
const redescribe = time.Second

func (s *session) describe(ctx context.Context) error {
	s.described = time.Now()
	return s.send(ctx, &LinkDescription{At: s.l.c.Now(), Version: s.l.c.Version})
}

// send sends an element of the link itself. That one did not arrive on a line that lives is no end: the answer that then
// fails to come is.
func (s *session) send(ctx context.Context, e Element) error {
	record, err := s.l.c.Dialect.Append(nil, e)
	if err != nil {
		return err
	}
	if err := s.l.send(ctx, s.conn, record); err != nil && !survivable(err) {
		return err
	}
	return nil
}

// why is what exchanges hear that still waited when the session ended.
func (s *session) why(err error) error {
	if err == nil {
		return ErrLost
	}
	return fmt.Errorf("%w: %v", ErrLost, err) // the cause stays words: what it says of one exchange is not true of the others
}
