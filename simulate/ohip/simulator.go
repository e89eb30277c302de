package ohip

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"aboyeur/protocol/ohip"
)

// Defaults for a Config left at zero.
const (
	DefaultHotel     = "HOTEL1"
	DefaultAppKey    = "41ecd082-8997-4c69-af34-2f72b83645ff"
	DefaultClientID  = "aboyeur"
	DefaultSecret    = "simulated-secret"
	DefaultCurrency  = "EUR"
	DefaultTokenLife = time.Hour
	DefaultKeep      = 100000
)

// Config is what the hotel is. The zero value is the demonstration's.
type Config struct {
	Hotel, AppKey, ClientID, ClientSecret string
	Username, Password                    string // of grant password; "": that grant is refused
	Guests                                []Guest
	Currency                              string
	TokenLife                             time.Duration
	Cashiers                              []string // known cashiers; nil: anybody, or nobody
	Codes                                 []string // known transaction codes; nil: every one

	Faults  []Fault
	Ledger  io.Writer   // gets each entry as a JSON line in one write
	OnEntry func(Entry) // called with each entry; must be quick and not call the simulator
	Keep    int         // entries held; the oldest are forgotten. 0 means DefaultKeep
	Now     func() time.Time
	Log     *slog.Logger // nil means slog.Default
}

// A Simulator is one hotel on one gateway. Its methods may be called from any goroutine.
type Simulator struct {
	c   Config
	log *slog.Logger
	mux *http.ServeMux

	mu        sync.Mutex // guards everything below
	guests    map[string]*Guest
	order     []string             // reservations as they came
	balance   map[string]int64     // by reservation, minor units
	tokens    map[string]time.Time // token -> end
	faults    []*active
	held      map[*active]struct{} // faults used up that may hold a request
	struck    map[Kind]uint64
	ledger    []Entry
	entries   uint64
	number    int64
	requests  map[Op]uint64
	ledgerErr error
	closed    chan struct{}
	over      bool
}

// New checks c and opens the hotel. It starts nothing.
func New(c Config) (*Simulator, error) {
	c.Hotel = cmp.Or(c.Hotel, DefaultHotel)
	c.AppKey = cmp.Or(c.AppKey, DefaultAppKey)
	c.ClientID = cmp.Or(c.ClientID, DefaultClientID)
	c.ClientSecret = cmp.Or(c.ClientSecret, DefaultSecret)
	c.Currency = cmp.Or(c.Currency, DefaultCurrency)
	c.TokenLife = cmp.Or(c.TokenLife, DefaultTokenLife)
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	if c.Keep < 0 || c.TokenLife < 0 {
		return nil, errors.New("entries to keep and life of tokens are not negative")
	}
	if c.Guests == nil {
		c.Guests = Demo()
	}
	if len(c.Guests) > maxGuests {
		return nil, fmt.Errorf("%d guests; at most %d", len(c.Guests), maxGuests)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Simulator{
		c: c, log: c.Log,
		guests: map[string]*Guest{}, balance: map[string]int64{}, tokens: map[string]time.Time{}, held: map[*active]struct{}{}, struck: map[Kind]uint64{},
		requests: map[Op]uint64{}, number: 100000, closed: make(chan struct{}),
	}
	for _, g := range c.Guests {
		if _, ok := s.guests[g.Reservation]; ok {
			return nil, fmt.Errorf("guest %s: reservation %s is taken already", g.Surname, g.Reservation)
		}
		if err := s.SetGuest(g); err != nil {
			return nil, fmt.Errorf("guest %s: %w", g.Surname, err)
		}
	}
	for _, f := range c.Faults {
		if err := s.Inject(f); err != nil {
			return nil, err
		}
	}
	s.mux = s.routes()
	return s, nil
}

// SetGuest checks a guest in, or changes the one with that reservation.
func (s *Simulator) SetGuest(g Guest) error {
	if err := g.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.guests[g.Reservation]; !ok {
		if len(s.order) == maxGuests {
			return fmt.Errorf("the hotel is full; it has %d guests", maxGuests)
		}
		s.order = append(s.order, g.Reservation)
	}
	s.guests[g.Reservation] = &g
	return nil
}

// Guests are all guests, in house or not, in the order in which they came.
func (s *Simulator) Guests() []Guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Guest, 0, len(s.order))
	for _, r := range s.order {
		all = append(all, *s.guests[r])
	}
	return all
}

// Ledger is what was booked, oldest first.
func (s *Simulator) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ledger)
}

// Balance is what a reservation owes, in minor units.
func (s *Simulator) Balance(reservation string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.balance[reservation]
}

// State is what stands at the moment.
type State struct {
	Hotel    string          `json:"hotel"`
	Guests   int             `json:"guests"`
	InHouse  int             `json:"in_house"`
	Entries  uint64          `json:"entries"`
	Amount   int64           `json:"amount"` // of all reservations, minor units
	Tokens   int             `json:"tokens"`
	Requests map[Op]uint64   `json:"requests"`
	Struck   map[Kind]uint64 `json:"struck"`
	Faults   []Fault         `json:"faults"`
	Ledger   string          `json:"ledger_error,omitempty"`
}

// State tells what stands.
func (s *Simulator) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Hotel: s.c.Hotel, Guests: len(s.guests), Entries: s.entries, Tokens: len(s.tokens), Requests: map[Op]uint64{}, Struck: map[Kind]uint64{}, Faults: []Fault{}}
	for _, g := range s.guests {
		if g.inHouse() {
			st.InHouse++
		}
	}
	for _, b := range s.balance {
		st.Amount += b
	}
	for op, n := range s.requests {
		st.Requests[op] = n
	}
	for k, n := range s.struck {
		st.Struck[k] = n
	}
	for _, a := range s.faults {
		st.Faults = append(st.Faults, a.Fault)
	}
	if s.ledgerErr != nil {
		st.Ledger = s.ledgerErr.Error()
	}
	return st
}

// Serve answers on l until ctx ends; then it lets go of everything held and returns nil.
func (s *Simulator) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	stop := context.AfterFunc(ctx, func() {
		s.Close()
		server.Close()
	})
	defer stop()
	err := server.Serve(l)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Close lets go of requests that faults hold, for good.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		close(s.closed)
	}
	return nil
}

// maxBody bounds a request.
const maxBody = 1 << 20

// A reply is an answer not yet on its way.
type reply struct {
	status int
	body   any // nil: none
	header http.Header
}

func refuse(status int, code, title string) reply {
	return reply{status: status, body: ohip.Problem{Type: "http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html", Title: title, Status: status, Code: code}}
}

// routes binds operations; what each does is told in the package's description.
func (s *Simulator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	bind := func(pattern string, op Op, do func(r *http.Request, body []byte, faults []Kind, twice bool) reply) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, op, do) })
	}
	bind("POST /oauth/v1/tokens", Token, s.token)
	bind("GET /rsv/v1/hotels/{hotel}/reservations", Search, s.search)
	bind("GET /rsv/v1/hotels/{hotel}/reservations/{reservation}", Reservation, s.reservation)
	bind("POST /csh/v1/hotels/{hotel}/reservations/{reservation}/charges", Charge, s.charge)
	bind("POST /csh/v1/hotels/{hotel}/reservations/{reservation}/check/{check}/charges", Charge, s.charge)
	bind("DELETE /csh/v1/hotels/{hotel}/check/{check}/charges", VoidCheck, s.voidCheck)
	bind("POST /csh/v1/hotels/{hotel}/passerBySale", Sale, s.sale)
	bind("GET /csh/v1/hotels/{hotel}/reservations/{reservation}/folios", Folio, s.folio)
	return mux
}

// ServeHTTP is the gateway.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, op Op, do func(*http.Request, []byte, []Kind, bool) reply) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.write(w, refuse(http.StatusRequestEntityTooLarge, "", "The request is too large."), nil)
		return
	}
	s.mu.Lock()
	s.requests[op]++
	hit := s.strike(op)
	s.mu.Unlock()
	defer s.release(hit)
	var kinds []Kind
	for _, a := range hit {
		kinds = append(kinds, a.Kind)
	}
	twice := slices.Contains(kinds, Duplicate)
	for _, a := range hit {
		switch a.Kind {
		case LoseRequest:
			drop(w)
			return
		case Hang:
			s.hold(r.Context(), a, 0)
			drop(w)
			return
		case Slow:
			s.hold(context.Background(), a, time.Duration(a.For))
		case Status:
			s.write(w, a.problem(), hit)
			return
		}
	}
	answer := do(r, body, kinds, twice)
	for _, a := range hit {
		switch a.Kind {
		case LoseAnswer:
			drop(w)
			return
		case HangAfter:
			s.hold(r.Context(), a, 0)
			drop(w)
			return
		case Late:
			s.hold(r.Context(), a, time.Duration(a.For))
		case StatusAfter:
			answer = a.problem()
		}
	}
	s.write(w, answer, hit)
}

// release forgets faults that are used up and hold nobody.
func (s *Simulator) release(hit []*active) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range hit {
		if a.meets--; a.meets == 0 {
			delete(s.held, a)
		}
	}
}

// hold waits for as long as a fault says.
func (s *Simulator) hold(ctx context.Context, a *active, d time.Duration) {
	var after <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-after:
	case <-a.lifted:
	case <-ctx.Done():
	case <-s.closed:
	}
}

func (a *active) problem() reply {
	title := a.Text
	if title == "" {
		title = http.StatusText(a.Status)
	}
	answer := refuse(a.Status, a.Code, title)
	if a.RetryAfter != "" {
		answer.header = http.Header{"Retry-After": {a.RetryAfter}}
	}
	return answer
}

// drop ends the connection without an answer.
func drop(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		c.Close()
	}
}

// write sends an answer, or as much of it as faults let through.
func (s *Simulator) write(w http.ResponseWriter, answer reply, hit []*active) {
	var body []byte
	if answer.body != nil {
		body, _ = json.Marshal(answer.body)
	}
	kind := "application/json;charset=UTF-8"
	for _, a := range hit {
		switch a.Kind {
		case Garbage:
			body, kind = []byte("<html><body><h1>Service temporarily elsewhere</h1></body></html>"), "text/html"
		case Cut:
			var whole bytes.Buffer
			fmt.Fprintf(&whole, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", answer.status, http.StatusText(answer.status), kind, len(body), body)
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			c.Write(whole.Bytes()[:min(a.At, whole.Len())])
			c.Close()
			return
		}
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	if len(body) > 0 {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(answer.status)
	w.Write(body)
}

// token is POST /oauth/v1/tokens.
func (s *Simulator) token(r *http.Request, body []byte, _ []Kind, _ bool) reply {
	deny := func(status int, code string) reply {
		return reply{status: status, body: map[string]string{"error": code, "error_description": "refused"}}
	}
	id, secret, _ := r.BasicAuth()
	if id != s.c.ClientID || secret != s.c.ClientSecret || r.Header.Get("x-app-key") != s.c.AppKey {
		return deny(http.StatusUnauthorized, "invalid_client")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseForm(); err != nil {
		return deny(http.StatusBadRequest, "invalid_request")
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
	case "password":
		if s.c.Username == "" || r.PostForm.Get("username") != s.c.Username || r.PostForm.Get("password") != s.c.Password {
			return deny(http.StatusBadRequest, "invalid_grant")
		}
	default:
		return deny(http.StatusBadRequest, "unsupported_grant_type")
	}
	value := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.c.Now()
	for t, end := range s.tokens {
		if !now.Before(end) {
			delete(s.tokens, t)
		}
	}
	s.tokens[value] = now.Add(s.c.TokenLife)
	return reply{status: http.StatusOK, body: map[string]any{
		"access_token": value, "expires_in": int64(s.c.TokenLife / time.Second), "token_type": "Bearer", "oracle_tk_context": "user_assertion",
	}}
}

// admit checks what every call but the token's needs.
func (s *Simulator) admit(r *http.Request) (reply, bool) {
	token, ok := cutPrefixFold(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	end, known := s.tokens[token]
	s.mu.Unlock()
	switch {
	case !ok || !known || !s.c.Now().Before(end):
		return refuse(http.StatusUnauthorized, "", "Unauthorized"), false
	case r.Header.Get("x-app-key") != s.c.AppKey:
		return refuse(http.StatusUnauthorized, "", "Invalid application key"), false
	case r.Header.Get("x-hotelid") != s.c.Hotel || r.PathValue("hotel") != s.c.Hotel:
		return refuse(http.StatusForbidden, "OPERAWS-GEN01244", "You are not authorized for this property."), false
	}
	return reply{}, true
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !equalFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

func equalFold(a, b string) bool { return bytes.EqualFold([]byte(a), []byte(b)) }

// number reads a whole number that is not negative; "" is the default.
func number(s string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return n, nil
}
