package api

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// Defaults for a Config left at zero.
const (
	DefaultInFlight = 176 // requests of Admit routes under way; the next is refused

	DefaultHeaderTimeout = 5 * time.Second  // for a request's headers
	DefaultBodyTimeout   = 10 * time.Second // for its body
	DefaultWriteTimeout  = 30 * time.Second // from its headers to the end of its answer; event streams have their own
	DefaultIdleTimeout   = 2 * time.Minute  // of a connection between requests
	DefaultGrace         = 5 * time.Second  // for requests under way when the server is told to stop

	DefaultConns           = 1024 // connections; further ones wait in the kernel
	DefaultConnsPerAddress = 128  // of one address that is neither this machine nor a trusted proxy; further ones are closed

	maxHeader = 16 << 10 // bytes of a request's headers
)

// Config says what a Server serves and to whom.
type Config struct {
	Routes         []Route
	Access         *access.Access // who is who; required
	Title          string         // of the OpenAPI document; "" means Aboyeur
	Version        string         // of the program
	PublicURL      string         // where clients reach the box when a proxy is between, as in https://box.example
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	DemoLoopback   bool           // requests of this machine without credentials are admin's; only `aboyeur demo` sets it
	InFlight       int            // 0 means DefaultInFlight

	HeaderTimeout   time.Duration // 0 means DefaultHeaderTimeout, and so on
	BodyTimeout     time.Duration
	WriteTimeout    time.Duration
	IdleTimeout     time.Duration
	Grace           time.Duration
	Conns           int
	ConnsPerAddress int
	TLS             *tls.Config // nil: plain HTTP

	ErrorPage func(w http.ResponseWriter, r *http.Request, p *Problem) // writes a fault as a page; nil: a plain page
	OnPanic   func(route string)                                       // after a handler's panic was answered; nil: nothing
	OnRefused func()                                                   // after the admission gate refused a request; nil: nothing
	Log       *slog.Logger                                             // nil means slog.Default
}

func (c *Config) fill() error {
	if c.Access == nil {
		return errors.New("api needs access")
	}
	if c.Title == "" {
		c.Title = "Aboyeur"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	set(&c.InFlight, DefaultInFlight)
	set(&c.HeaderTimeout, DefaultHeaderTimeout)
	set(&c.BodyTimeout, DefaultBodyTimeout)
	set(&c.WriteTimeout, DefaultWriteTimeout)
	set(&c.IdleTimeout, DefaultIdleTimeout)
	set(&c.Grace, DefaultGrace)
	set(&c.Conns, DefaultConns)
	set(&c.ConnsPerAddress, DefaultConnsPerAddress)
	return nil
}

func set[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// A Server answers HTTP requests with its routes.
type Server struct {
	c       Config
	routes  []Route // those of the configuration and its own
	mux     *http.ServeMux
	gate    gate
	origins *http.CrossOriginProtection
	conns   atomic.Pointer[limitListener]
	run     string // begins each request id, so that ids of two runs differ
	count   atomic.Uint64
	spec    func() ([]byte, error)
	docs    func() ([]byte, error)
}

// New checks the routes and makes the server; it starts nothing. To the routes of the configuration it adds sign-in,
// pairing, the audit log, /openapi.json and /docs.
func New(c Config) (*Server, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	s := &Server{c: c, mux: http.NewServeMux(), origins: http.NewCrossOriginProtection()}
	s.gate.limit = int64(c.InFlight)
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme == "" || u.Host == "" {
			return nil, fmt.Errorf("public URL %q: write it as in https://box.example", c.PublicURL)
		}
		if err := s.origins.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, fmt.Errorf("public URL: %w", err)
		}
	}
	var b [4]byte
	_, _ = rand.Read(b[:])
	s.run = hex.EncodeToString(b[:]) + "-"
	s.routes = append(append([]Route{}, c.Routes...), s.ownRoutes()...)
	ids := map[string]string{}
	for i := range s.routes {
		t := &s.routes[i]
		if err := t.check(); err != nil {
			return nil, err
		}
		where := t.Method + " " + t.Path
		if other, taken := ids[t.id()]; taken && !t.Hidden {
			return nil, fmt.Errorf("route %s: its id %s is that of %s", where, t.id(), other)
		}
		if !t.Hidden {
			ids[t.id()] = where
		}
		if err := s.handle(where, t); err != nil {
			return nil, err
		}
	}
	s.describe()
	return s, nil
}

// handle gives the route to the mux, which panics where two patterns clash.
func (s *Server) handle(pattern string, t *Route) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("route %s: %v", pattern, v)
		}
	}()
	s.mux.Handle(pattern, s.serve(t))
	return nil
}

// Handler is the whole API as one http.Handler, without the limits on connections that Serve adds.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.answer) }

// Routes are all that the server answers, its own among them. They must not be changed.
func (s *Server) Routes() []Route { return s.routes }

type stoppingKey struct{}

// Serve answers the listener's connections until ctx ends; then event streams end at once, and other requests have
// Config.Grace to finish. It closes the listener. It may be called again with another one.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	limited := newLimitListener(l, s.c.Conns, s.c.ConnsPerAddress, func(a netip.Addr) bool { return a.IsLoopback() || s.trusts(a) })
	s.conns.Store(limited)
	// Requests under way do not end with ctx; only streams do, which look at it themselves.
	base := context.WithValue(context.WithoutCancel(ctx), stoppingKey{}, ctx)
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.c.HeaderTimeout,
		WriteTimeout:      s.c.WriteTimeout,
		IdleTimeout:       s.c.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.c.Log.Handler(), slog.LevelDebug),
		TLSConfig:         s.c.TLS,
		// The mux answers OPTIONS * like any other path that is not there.
		DisableGeneralOptionsHandler: true,
	}
	ended := make(chan error, 1)
	go func() {
		if s.c.TLS != nil {
			ended <- server.ServeTLS(limited, "", "")
			return
		}
		ended <- server.Serve(limited)
	}()
	select {
	case err := <-ended:
		server.Close()
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.c.Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		server.Close()
	}
	<-ended
	return nil
}

// A call is what the server knows of a request besides the request.
type call struct {
	id     string
	client netip.Addr
	direct bool // no proxy was between
	secure bool // the client's side of the connection is encrypted
	page   bool // faults are told as a page
	cookie string
	base   access.Principal // the browser itself, when somebody gave a PIN on it
	until  time.Time        // and when that ends
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// Client is the address a request came from, with trusted proxies taken away.
func Client(ctx context.Context) netip.Addr { return callOf(ctx).client }

// RequestID is the id that the answer's X-Request-Id and the log carry.
func RequestID(ctx context.Context) string { return callOf(ctx).id }

// Secure tells whether the client's connection is encrypted.
func Secure(ctx context.Context) bool { return callOf(ctx).secure }

// A recorder is the ResponseWriter of all handlers. It keeps the status and holds back what the mux itself says to a
// path or method that is not there, which becomes a problem instead.
type recorder struct {
	http.ResponseWriter
	call   call
	routed bool
	status int // 0: nothing sent yet
	missed int // status the mux wanted to send
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if !w.routed && status >= 400 {
		w.missed = status
		return
	}
	if status >= 200 && w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.missed != 0 {
		return len(b), nil
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

var (
	noSniff    = []string{"nosniff"}
	sameOrigin = []string{"same-origin"}
	closeIt    = []string{"close"}
	plainCSP   = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// answer is the way of every request.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	rec := &recorder{ResponseWriter: w}
	rec.call.id = s.newID()
	rec.call.client, rec.call.direct, rec.call.secure = s.origin(r)
	defer s.finish(rec, r, began)

	h := w.Header()
	h["X-Request-Id"] = []string{rec.call.id}
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = sameOrigin
	h["Content-Security-Policy"] = plainCSP // pages set their own
	if l := s.conns.Load(); l != nil && l.pressed() {
		h["Connection"] = closeIt // few places are left: idle connections would hold them
	}
	s.limitBody(w, r)
	if err := s.origins.Check(r); err != nil {
		rec.routed = true
		s.fail(rec, r, &Problem{Status: http.StatusForbidden, Code: "cross_origin",
			Detail: "a page of another site sent this request; if that site is yours, set http.public_url to its address"})
		return
	}
	s.mux.ServeHTTP(rec, r)
	if rec.missed != 0 {
		s.miss(rec, r)
	}
}

func (s *Server) newID() string {
	var b [32]byte
	return string(strconv.AppendUint(append(b[:0], s.run...), s.count.Add(1), 10))
}

// origin tells where a request comes from. Proxies append to X-Forwarded-For, so the client is the last address that
// is not a trusted proxy's; what stands before it anybody may have written.
func (s *Server) origin(r *http.Request) (client netip.Addr, direct, secure bool) {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	client, secure = at.Addr().Unmap().WithZone(""), r.TLS != nil
	if !s.trusts(client) {
		return client, true, secure
	}
	forwarded := r.Header["X-Forwarded-For"]
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		secure = strings.EqualFold(proto, "https")
	}
	if len(forwarded) == 0 {
		return client, true, secure
	}
	list := strings.Join(forwarded, ",")
	for s.trusts(client) && list != "" {
		var last string
		if i := strings.LastIndexByte(list, ','); i >= 0 {
			list, last = list[:i], list[i+1:]
		} else {
			list, last = "", list
		}
		last = strings.TrimSpace(last)
		a, err := netip.ParseAddr(last)
		if err != nil {
			ap, err := netip.ParseAddrPort(last)
			if err != nil {
				break
			}
			a = ap.Addr()
		}
		client = a.Unmap().WithZone("")
	}
	return client, false, secure
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.c.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// serve is the handler of one route.
func (s *Server) serve(t *Route) http.HandlerFunc {
	stream := t.Type == "text/event-stream"
	return func(w http.ResponseWriter, r *http.Request) {
		rec := w.(*recorder) // the mux hands on what answer gave it
		rec.routed, rec.call.page = true, t.Page
		p, fault := s.admit(rec, r, t)
		if fault != nil {
			s.fail(rec, r, fault)
			return
		}
		if t.Page && !p.Someone() && len(t.Roles) > 0 {
			http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		if t.Admit {
			entered := time.Now()
			if !s.gate.enter(entered) {
				s.refuse(rec)
				return
			}
			defer func() { s.gate.leave(entered, time.Now()) }()
		}
		if t.Page && (p.Via == access.ViaPairing || rec.call.base.Via == access.ViaPairing) {
			s.setCookie(rec, rec.call.cookie, access.ScreenLife) // a screen stays one as long as it is used
		}
		if stream && r.Method == http.MethodHead {
			w.Header().Set("Content-Type", t.Type)
			return
		}
		ctx := access.With(context.WithValue(r.Context(), callKey{}, &rec.call), p)
		r = r.WithContext(ctx)
		if err := t.Handle(rec, r); err != nil {
			s.fail(rec, r, err)
		}
	}
}

// finish answers a panic and writes the access log, without the query, which may hold what is nobody's business.
func (s *Server) finish(rec *recorder, r *http.Request, began time.Time) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v) // net/http's own way to break off a connection
		}
		s.c.Log.Error("handler panicked", "request", rec.call.id, "method", r.Method, "path", r.URL.Path,
			"err", fmt.Sprint(v), "stack", string(debug.Stack()))
		if s.c.OnPanic != nil {
			s.c.OnPanic(r.Pattern)
		}
		if rec.status != 0 {
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
		rec.routed = true
		rec.restart()
		s.tell(rec, r, internal(rec))
	}
	if s.c.Log.Enabled(r.Context(), slog.LevelDebug) {
		s.c.Log.Debug("request", "request", rec.call.id, "method", r.Method, "path", r.URL.Path,
			"status", rec.status, "client", rec.call.client, "took", time.Since(began))
	}
}

// restart takes away what a handler said of an answer that it will not give.
func (w *recorder) restart() {
	h := w.Header()
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Etag", "Last-Modified", "Set-Cookie"} {
		h.Del(name)
	}
}

func internal(rec *recorder) *Problem {
	return &Problem{Status: http.StatusInternalServerError, Code: "internal",
		Detail: "this is a fault of the box; its log tells more under request " + rec.call.id}
}

// miss answers a path or method that no route has.
func (s *Server) miss(rec *recorder, r *http.Request) {
	rec.routed = true
	status := rec.missed
	rec.missed = 0
	h := rec.Header()
	allow := h.Get("Allow")
	h.Del("Content-Type")
	rec.call.page = wantsPage(r)
	switch {
	case status == http.StatusMethodNotAllowed && r.Method == http.MethodOptions:
		h.Set("Allow", allow+", OPTIONS")
		rec.WriteHeader(http.StatusNoContent)
	case status == http.StatusMethodNotAllowed:
		s.fail(rec, r, &Problem{Status: status, Code: "method", Detail: fmt.Sprintf("%s is not possible here; use %s", r.Method, allow)})
	case status == http.StatusNotFound:
		s.fail(rec, r, &Problem{Status: status, Code: "not_found", Detail: "there is nothing at this address; /docs lists what there is"})
	default:
		s.fail(rec, r, &Problem{Status: status})
	}
}

// wantsPage tells whether a fault at an address that no route has should be a page: for browsers, outside the API.
func wantsPage(r *http.Request) bool {
	for _, prefix := range []string{"/v1/", "/pms/", "/webhooks/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// fail answers err.
func (s *Server) fail(rec *recorder, r *http.Request, err error) {
	p := s.problem(rec, r, err)
	switch {
	case p == nil: // nobody is left to tell
	case rec.status != 0: // the answer had begun; its end is missing, and must be seen to be
		panic(http.ErrAbortHandler)
	default:
		s.tell(rec, r, p)
	}
}

// problem finds the words for err; nil when the caller is gone.
func (s *Server) problem(rec *recorder, r *http.Request, err error) *Problem {
	var p *Problem
	var limit *access.LimitError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, journal.ErrBusy), errors.Is(err, journal.ErrDown):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: time.Second,
			Detail: "the journal cannot take this now; send it again after the time in Retry-After"}
	case errors.Is(err, journal.ErrUncertain):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "uncertain", RetryAfter: time.Second,
			Detail: "storage failed while this was written: it may or may not be recorded; send the same again, it will not be done twice"}
	case errors.As(err, &limit):
		return &Problem{Status: http.StatusTooManyRequests, Code: "too_many", RetryAfter: limit.Wait, Detail: limit.Error()}
	case r.Context().Err() != nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "timeout", RetryAfter: time.Second,
			Detail: "this took too long; send it again"}
	}
	s.c.Log.Error("request failed", "request", rec.call.id, "method", r.Method, "path", r.URL.Path, "err", err)
	return internal(rec)
}

// tell writes the problem as what the caller understands.
func (s *Server) tell(rec *recorder, r *http.Request, p *Problem) {
	if p.Status == http.StatusUnauthorized {
		rec.Header()["Www-Authenticate"] = challenge
	}
	if rec.call.page {
		s.errorPage(rec, r, p)
		return
	}
	_ = p.write(rec) // who does not read it will not read another
}

var challenge = []string{`Bearer realm="aboyeur"`}
