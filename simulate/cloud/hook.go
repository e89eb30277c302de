package cloud

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// How a service repeats a webhook that was not taken: its waits double, and after about a minute it gives up.
const (
	hookAttempts = 18
	hookFirst    = 50 * time.Millisecond
	hookMax      = 5 * time.Second
	hookTimeout  = 10 * time.Second
)

// A HookError is what a webhook was answered in the end.
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

// Hooks counts webhooks.
type Hooks struct {
	Sent    int `json:"sent"`    // attempts
	Taken   int `json:"taken"`   // answered with 2xx
	Refused int `json:"refused"` // given up
	Forged  int `json:"forged"`  // sent with a wrong signature
	Fooled  int `json:"fooled"`  // of those, answered with 2xx
}

// Hooks is how many webhooks there were.
func (s *Service) Hooks() Hooks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hooks
}

func (s *Service) count(f func(h *Hooks)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.hooks)
}

// Hook sets where webhooks go; "": nowhere.
func (s *Service) Hook(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = url
}

// HookURL is where they go.
func (s *Service) HookURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook
}

// A Message is a webhook, made anew for each attempt because its signature may have a time.
type Message func(at time.Time) (http.Header, []byte, error)

// Tell sends a webhook by itself, late or twice where a fault says so, and repeats it until it is taken or refused for good.
// The channel is closed when nothing of it is under way any more.
func (s *Service) Tell(m Message) <-chan struct{} {
	done := make(chan struct{})
	if s.Over() || s.HookURL() == "" {
		close(done)
		return done
	}
	late, times, by := s.Happens(Late), 1, time.Duration(s.Present().LateBy)
	if s.Happens(Duplicate) {
		times = 2
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		close(done)
		return done
	}
	s.wg.Go(func() {
		defer close(done)
		ctx, cancel := s.context()
		defer cancel()
		if late && Wait(ctx, by, nil) != nil {
			return
		}
		var sent sync.WaitGroup
		for range times {
			sent.Go(func() { s.Deliver(ctx, m) })
		}
		sent.Wait()
	})
	return done
}

// Deliver sends a webhook until it is taken or refused for good. The error is a *HookError.
func (s *Service) Deliver(ctx context.Context, m Message) error {
	_, err := s.Exchange(ctx, m)
	return err
}

// Exchange is Deliver with the body of the answer.
func (s *Service) Exchange(ctx context.Context, m Message) ([]byte, error) {
	if url := s.HookURL(); url != "" && s.Happens(Forged) {
		_, e := s.post(ctx, url, func(at time.Time) (http.Header, []byte, error) {
			h, body, err := m(at)
			return h, append(bytes.Clone(body), ' '), err
		})
		s.count(func(h *Hooks) {
			h.Forged++
			if e == nil {
				h.Fooled++
			}
		})
	}
	pause := hookFirst
	for n := 1; ; n++ {
		url := s.HookURL()
		if url == "" {
			return nil, nil
		}
		answer, e := s.post(ctx, url, m)
		s.count(func(h *Hooks) {
			h.Sent++
			if e == nil {
				h.Taken++
			}
		})
		if e == nil {
			return answer, nil
		}
		final := e.Err == nil && e.Status < 500 && e.Status != http.StatusRequestTimeout && e.Status != http.StatusTooManyRequests
		if final || n == hookAttempts || ctx.Err() != nil || Wait(ctx, pause, nil) != nil {
			s.count(func(h *Hooks) { h.Refused++ })
			return nil, e
		}
		pause = min(2*pause, hookMax)
	}
}

func (s *Service) post(ctx context.Context, url string, m Message) ([]byte, *HookError) {
	header, body, err := m(s.c.Now())
	if err != nil {
		return nil, &HookError{Err: err}
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, &HookError{Err: err}
	}
	q.Header = header
	q.Header.Set("Content-Type", "application/json")
	w, err := s.client.Do(q)
	if err != nil {
		return nil, &HookError{Err: err}
	}
	defer w.Body.Close()
	text, err := io.ReadAll(io.LimitReader(w.Body, maxHookAnswer))
	if err != nil {
		return nil, &HookError{Err: err}
	}
	if w.StatusCode < 300 {
		return text, nil
	}
	return nil, &HookError{Status: w.StatusCode, Body: string(text[:min(len(text), 1024)])}
}

const maxHookAnswer = 1 << 20

// Wait returns after d, once released is closed, or with the error of ctx.
func Wait(ctx context.Context, d time.Duration, released <-chan struct{}) error {
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
