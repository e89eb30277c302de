package bookings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"aboyeur/protocol/booking"
)

// How a platform repeats a webhook that was not taken: its waits double, and after about a minute it gives up.
const (
	hookAttempts = 18
	hookFirst    = 50 * time.Millisecond
	hookMax      = 5 * time.Second
	hookTimeout  = 10 * time.Second
)

// A HookError is what the box answered to a webhook in the end.
type HookError struct {
	Status int    // 0: no answer
	Body   string // at most its first kilobyte
	Err    error  // why there was no answer
}

func (e *HookError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("webhook got no answer: %v", e.Err)
	}
	return fmt.Sprintf("webhook answered %d: %s", e.Status, e.Body)
}

func (e *HookError) Unwrap() error { return e.Err }

// Hook sets where webhooks go; "": nowhere.
func (s *Simulator) Hook(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = url
}

// Put books or changes a reservation on the platform's side, and tells the box. Without a Sequence and an UpdatedAt it gets
// the next of each. The error is what the box answered, after the platform's own repetitions, as a *HookError; a message that
// a fault keeps back goes later, and has none.
func (s *Simulator) Put(ctx context.Context, r booking.Reservation) error {
	if r.ID == "" {
		return errors.New("a reservation has an id")
	}
	if _, _, err := s.d.Message(&r, s.c.Now()); err != nil {
		return err
	}
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return errors.New("the platform is closed")
	}
	e, known := s.book[r.ID]
	if !known {
		e = &entry{}
		s.book[r.ID] = e
		s.order = append(s.order, r.ID)
	}
	before := e.r
	r.Tables = slices.Clone(r.Tables)
	sequence, updated := r.Sequence, r.UpdatedAt
	e.r = r
	s.stamp(e, &before, s.c.Now())
	if sequence != 0 {
		e.r.Sequence = sequence
	}
	if !updated.IsZero() {
		e.r.UpdatedAt = updated
	}
	r = e.r
	switch {
	case r.Status.Over():
		s.show(before.Tables, "")
		s.show(r.Tables, "")
	case r.Stage != "":
		s.show(r.Tables, r.Stage)
	case r.Status == booking.Seated:
		s.show(r.Tables, booking.AtTable)
	}
	released := e.held
	e.held = nil
	back, late, twice, by := s.happens(OutOfOrder) && s.hook != "", s.happens(Late), s.happens(Duplicate), time.Duration(s.faults.LateBy)
	if back {
		held := make(chan struct{})
		e.held = held
		s.wg.Go(func() {
			ctx, cancel := s.context()
			defer cancel()
			wait(ctx, by, held)
			s.send(ctx, &r)
		})
	}
	s.mu.Unlock()
	if released != nil {
		defer close(released)
	}
	if back {
		return nil
	}
	if late {
		if err := wait(ctx, by, nil); err != nil {
			return err
		}
	}
	if twice {
		s.wg.Go(func() {
			ctx, cancel := s.context()
			defer cancel()
			s.send(ctx, &r)
		})
	}
	return s.send(ctx, &r)
}

// Again repeats the last webhook of a reservation n times at once. The error is the first that one of them met.
func (s *Simulator) Again(ctx context.Context, id string, n int) error {
	r, ok := s.Reservation(id)
	if !ok {
		return fmt.Errorf("there is no reservation %q", id)
	}
	var mu sync.Mutex // guards errs
	var errs []error
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := s.send(ctx, &r); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// send tells the box of r until it takes it or refuses it for good.
func (s *Simulator) send(ctx context.Context, r *booking.Reservation) error {
	return s.tell(ctx, func(at time.Time) (http.Header, []byte, error) { return s.d.Message(r, at) })
}

// A Message is a webhook, made anew for each attempt because its signature has a time.
type Message func(at time.Time) (http.Header, []byte, error)

// Tell sends a webhook by itself, late or twice where a fault says so, and repeats it until the box takes it or refuses it for
// good. The channel is closed when nothing of it is under way any more.
func (s *Simulator) Tell(m Message) <-chan struct{} {
	done := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.hook == "" {
		close(done)
		return done
	}
	late, times, by := s.happens(Late), 1, time.Duration(s.faults.LateBy)
	if s.happens(Duplicate) {
		times = 2
	}
	s.wg.Go(func() {
		defer close(done)
		ctx, cancel := s.context()
		defer cancel()
		if late && wait(ctx, by, nil) != nil {
			return
		}
		var sent sync.WaitGroup
		for range times {
			sent.Go(func() { s.tell(ctx, m) })
		}
		sent.Wait()
	})
	return done
}

func (s *Simulator) tell(ctx context.Context, m Message) error {
	pause := hookFirst
	for n := 1; ; n++ {
		s.mu.Lock()
		url := s.hook
		s.mu.Unlock()
		if url == "" {
			return nil
		}
		e := s.post(ctx, url, m)
		switch {
		case e == nil:
			return nil
		case n == hookAttempts, ctx.Err() != nil:
			return e
		case e.Err == nil && e.Status < 500 && e.Status != http.StatusRequestTimeout && e.Status != http.StatusTooManyRequests:
			return e
		}
		if wait(ctx, pause, nil) != nil {
			return e
		}
		pause = min(2*pause, hookMax)
	}
}

func (s *Simulator) post(ctx context.Context, url string, m Message) *HookError {
	header, body, err := m(s.c.Now())
	if err != nil {
		return &HookError{Err: err}
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return &HookError{Err: err}
	}
	q.Header = header
	q.Header.Set("Content-Type", "application/json")
	w, err := s.client.Do(q)
	if err != nil {
		return &HookError{Err: err}
	}
	defer w.Body.Close()
	text, err := io.ReadAll(io.LimitReader(w.Body, 1024))
	if err != nil {
		return &HookError{Err: err}
	}
	if w.StatusCode < 300 {
		return nil
	}
	return &HookError{Status: w.StatusCode, Body: string(text)}
}

// wait returns after d, once released is closed, or with the error of ctx.
func wait(ctx context.Context, d time.Duration, released <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-released:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
