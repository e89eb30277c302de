package cloud

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultKeep is how many calls are held.
const DefaultKeep = 200000

// Config is a service. Its zero value has no routes and tells nobody.
type Config struct {
	Routes    []Route
	KeyHeader string // of a request id; "" means Idempotency-Key
	Hook      string // URL of the webhook; "": nobody is told

	// Admit checks the credentials of a call; ok false: the answer is what it gets. nil: everybody is let in.
	Admit func(r *http.Request) (a Answer, ok bool)

	Faults Faults
	Keep   int              // calls held; the oldest are forgotten. 0 means DefaultKeep
	Now    func() time.Time // nil means time.Now
}

// A Route is one kind of call.
type Route struct {
	Op      string // its name in the record: status, link, token …
	Pattern string // of net/http
	Open    bool   // without credentials, as the call that fetches a token
	Limit   int    // calls of this Op in any minute; beyond it 429. 0: none
	Do      func(v *Visit) Answer
}

// A Visit is one call as a route meets it.
type Visit struct {
	*http.Request
	Raw   []byte // the body
	Key   string // the request id
	Again bool   // set by the route: what it brings had been taken before
	now   func() time.Time
}

// Now is the service's clock.
func (v *Visit) Now() time.Time { return v.now() }

// An Answer is what a call gets.
type Answer struct {
	Status int
	Body   any // JSON; nil: none
	Header http.Header
}

// Refuse is an answer that says what is wrong.
func Refuse(status int, detail string) Answer {
	return Answer{Status: status, Body: map[string]any{"status": status, "error": detail, "message": detail}}
}

// A Service is one web service. Its methods may be called from any goroutine.
type Service struct {
	c      Config
	mux    *http.ServeMux
	client *http.Client
	wg     sync.WaitGroup // webhooks that go out by themselves
	closed chan struct{}

	mu     sync.Mutex // guards everything below
	hook   string
	faults Faults
	random *rand.Rand
	calls  []Call
	recent map[string][]time.Time // calls of the last minute, by Op
	hooks  Hooks
	over   bool
}

// New makes a service. It starts nothing.
func New(c Config) (*Service, error) {
	if c.Keep < 0 {
		return nil, errors.New("calls to keep are not negative")
	}
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	c.KeyHeader = cmp.Or(c.KeyHeader, "Idempotency-Key")
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Admit == nil {
		c.Admit = func(*http.Request) (Answer, bool) { return Answer{}, true }
	}
	s := &Service{
		c: c, mux: http.NewServeMux(), hook: c.Hook, closed: make(chan struct{}), recent: map[string][]time.Time{},
		client: &http.Client{Timeout: hookTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 2 * time.Second}},
	}
	if err := s.Faults(c.Faults); err != nil {
		return nil, err
	}
	for _, r := range c.Routes {
		s.mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, q *http.Request) { s.serve(w, q, r) })
	}
	return s, nil
}

// Serve answers on l until ctx ends; then it lets go of everything held and returns nil.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	stop := context.AfterFunc(ctx, func() {
		s.Close()
		server.Close()
	})
	defer stop()
	err := server.Serve(gate{l, s})
	if ctx.Err() != nil {
		s.Close()
		return nil
	}
	return err
}

// gate ends connections at once while the service is down.
type gate struct {
	net.Listener
	s *Service
}

func (g gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !g.s.Present().Down {
			return c, nil
		}
		if t, ok := c.(*net.TCPConn); ok {
			t.SetLinger(0) // a reset, as from a port where nobody listens
		}
		c.Close()
	}
}

// Close lets go of what faults hold and waits for webhooks that are on their way.
func (s *Service) Close() {
	s.mu.Lock()
	if !s.over {
		s.over = true
		close(s.closed)
	}
	s.mu.Unlock()
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// Over tells whether the service was closed.
func (s *Service) Over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// Go runs f beside everything else; Close ends its context and waits for it. After Close it does nothing.
func (s *Service) Go(f func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.wg.Go(func() {
		ctx, cancel := s.context()
		defer cancel()
		f(ctx)
	})
}

// context ends with the service.
func (s *Service) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
