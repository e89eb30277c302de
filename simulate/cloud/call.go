package cloud

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// A Call is one request as the platform met it.
type Call struct {
	Op      string    `json:"op"`
	Request string    `json:"request,omitzero"`
	At      time.Time `json:"at"`
	Status  int       `json:"status"`            // 0: it got no answer
	Fault   Kind      `json:"fault,omitempty"`   // that struck it
	Again   bool      `json:"again,omitempty"`   // what it brought had been taken before
	Limited bool      `json:"limited,omitempty"` // answered with 429 because of Route.Limit
}

// Calls are all requests, in the order in which they were finished with.
func (s *Service) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// maxBody bounds a request.
const maxBody = 4 << 20

// ServeHTTP is the service's interface.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.write(w, Refuse(http.StatusNotFound, "there is nothing here"))
		s.record(Call{Op: "unknown", At: s.c.Now(), Status: http.StatusNotFound})
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, route Route) {
	call := Call{Op: route.Op, Request: r.Header.Get(s.c.KeyHeader), At: s.c.Now()}
	defer func() { s.record(call) }()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		call.Status = http.StatusRequestEntityTooLarge
		s.write(w, Refuse(call.Status, "the request is too large"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var faults Faults
	call.Fault, faults = s.strike(route.Op)
	answer := func(a Answer) {
		call.Status = a.Status
		s.write(w, a)
	}
	switch call.Fault {
	case Refused:
		drop(w)
		return
	case Timeout:
		s.hold(r, faults.TimeoutBy)
		drop(w)
		return
	case Unauthorized:
		answer(Refuse(http.StatusUnauthorized, "invalid_token"))
		return
	case TooMany:
		a := Refuse(http.StatusTooManyRequests, "too many requests")
		a.Header = http.Header{"Retry-After": {strconv.Itoa(int(time.Duration(faults.RetryAfter).Seconds()))}}
		answer(a)
		return
	case Broken:
		answer(Refuse(http.StatusServiceUnavailable, "out of order"))
		return
	}
	if !route.Open {
		if a, ok := s.c.Admit(r); !ok {
			answer(a)
			return
		}
	}
	if after := s.full(route); after > 0 {
		call.Limited = true
		a := Refuse(http.StatusTooManyRequests, "rate limit")
		a.Header = http.Header{"Retry-After": {strconv.Itoa(int((after + time.Second - 1) / time.Second))}}
		answer(a)
		return
	}
	v := &Visit{Request: r, Raw: body, Key: call.Request, now: s.c.Now}
	a := route.Do(v)
	call.Again = v.Again
	if call.Fault == LostAnswer {
		drop(w)
		return
	}
	answer(a)
}

func (s *Service) record(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) >= s.c.Keep && len(s.calls) > 0 {
		s.calls = slices.Delete(s.calls, 0, len(s.calls)/2+1)
	}
	s.calls = append(s.calls, c)
}

// full counts a call of a route with a limit, and tells how long to wait when any last minute has no room for it.
func (s *Service) full(route Route) time.Duration {
	if route.Limit <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.c.Now()
	recent := slices.DeleteFunc(s.recent[route.Op], func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	if len(recent) >= route.Limit {
		s.recent[route.Op] = recent
		return time.Minute - now.Sub(recent[0])
	}
	s.recent[route.Op] = append(recent, now)
	return 0
}

// hold keeps a request waiting.
func (s *Service) hold(r *http.Request, d Duration) {
	t := time.NewTimer(time.Duration(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.closed:
	}
}

// drop ends the connection without an answer.
func drop(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		c.Close()
	}
}

func (s *Service) write(w http.ResponseWriter, a Answer) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if a.Body == nil {
		w.WriteHeader(a.Status)
		return
	}
	body, err := json.Marshal(a.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	w.Write(body)
}
