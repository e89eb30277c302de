package folio

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/ifc"
	"aboyeur/simulate/opera"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var (
	manager = access.Principal{Name: "Nadia", Role: access.Manager, Via: access.ViaToken}
	waiter  = access.Principal{Name: "Léa", Role: access.Staff, Via: access.ViaToken}
	till    = access.Principal{Name: "till-1", Role: access.Till, Via: access.ViaToken}
	admin   = access.Principal{Name: "support", Role: access.Admin, Via: access.ViaToken}
)

// A house is the service before a simulated hotel on a real socket, with a clock that moves when told to.
type house struct {
	t        testing.TB
	dir      string
	config   Config
	sim      *opera.Simulator
	address  string
	make     func(h *house) PMS
	mu       sync.Mutex
	offset   time.Duration
	still    time.Time // the clock stands at; zero: it goes
	journal  *journal.Journal
	s        *Service
	warnings *warning.Board
	registry *prometheus.Registry
	stopSim  func()
	stop     func()
	kill     func()
	cables   sync.WaitGroup
}

// How long the hotel's answer is waited for: where it is to stay out or come late, and where a posting is waited for that has
// to come to its end. A loaded machine may take a second for an exchange.
const (
	brief     = 1500 * time.Millisecond
	unhurried = time.Minute
)

type option func(*house)

func with(change func(*Config)) option { return func(h *house) { change(&h.config) } }

// speaking puts another dialect before the same hotel.
func speaking(make func(h *house) PMS) option { return func(h *house) { h.make = make } }

func fiasLink(h *house) PMS {
	f, err := NewFIAS(FIASConfig{
		Dial: tcpDial(h), Peer: h.address, Location: h.config.Calendar.Location, Currency: "EUR", AnswerTimeout: h.config.AnswerTimeout,
		StartWait: 50 * time.Millisecond, Backoff: ifc.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}, Now: h.now, Log: quiet,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func xmlLink(h *house) PMS {
	x, err := NewXMLPOS(XMLPOSConfig{
		Dial: tcpDial(h), Peer: h.address, Location: h.config.Calendar.Location, Currency: "EUR", AnswerTimeout: h.config.AnswerTimeout,
		Backoff: ifc.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}, Now: h.now, Log: quiet,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

func tcpDial(h *house) Dialler {
	return func(ctx context.Context, o ifc.Options) (ifc.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", h.address)
		if err != nil {
			return nil, err
		}
		return ifc.NewTCP(conn, o), nil
	}
}

func paris(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func newHouse(t testing.TB, sim opera.Config, options ...option) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), make: fiasLink}
	h.config = Config{
		Calendar: Calendar{Location: paris(t)}, Currency: "EUR", Language: "en", Dialect: "fias", AnswerTimeout: unhurried / 2,
		Outlets: []Outlet{{"restaurant", 1}, {"bar", 2}},
		Mapping: []Rule{{Any, Any, Any, "food", Any, 1}, {Any, Any, Any, "drinks", Any, 2}, {"bar", Any, Any, Any, Any, 3}},
	}
	for _, o := range options {
		o(h)
	}
	h.startHotel(sim)
	h.open()
	t.Cleanup(func() {
		h.stop()
		h.stopSim()
	})
	return h
}

func (h *house) startHotel(c opera.Config) {
	h.t.Helper()
	if c.Log == nil {
		c.Log = quiet
	}
	if c.EndWait == 0 {
		c.EndWait = -1
	}
	sim, err := opera.New(c)
	if err != nil {
		h.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Serve(ctx, listener) }()
	h.sim, h.address = sim, listener.Addr().String()
	h.stopSim = func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Errorf("simulator: %v", err)
		}
		sim.Close()
	}
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.still.IsZero() {
		return h.still.Add(h.offset)
	}
	return time.Now().Add(h.offset)
}

// stand stops the clock; set moves it further.
func (h *house) stand() {
	h.mu.Lock()
	h.still = time.Now()
	h.mu.Unlock()
}

// set moves the clock to at.
func (h *house) set(at time.Time) {
	h.mu.Lock()
	if h.offset = time.Until(at); !h.still.IsZero() {
		h.offset = at.Sub(h.still)
	}
	h.mu.Unlock()
}

// open starts the service and waits for the link.
func (h *house) open() {
	h.t.Helper()
	h.start()
	h.wait("the link", func() bool {
		h.s.mu.Lock()
		defer h.s.mu.Unlock()
		return h.s.running != nil && h.s.gate() == ""
	})
}

func (h *house) start() {
	h.t.Helper()
	j, err := journal.Open(context.Background(), journal.Config{Dir: h.dir, Log: quiet, LaterDelay: time.Millisecond, Now: h.now})
	if err != nil {
		h.t.Fatal(err)
	}
	h.journal = j
	h.warnings, h.registry = warning.New(h.now, quiet), prometheus.NewPedanticRegistry()
	c := h.config
	c.Journal, c.PMS, c.Address, c.Warnings, c.Now, c.Log, c.Registerer = j, h.make(h), h.address, h.warnings, h.now, quiet, h.registry
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	writing, stopWriting := context.WithCancel(context.Background())
	all.Go(func() {
		if err := j.Run(writing); err != nil {
			h.t.Errorf("journal: %v", err)
		}
	})
	if h.s, err = New(ctx, c); err != nil {
		h.t.Fatal(err)
	}
	var services sync.WaitGroup
	services.Go(func() {
		if err := c.PMS.Run(ctx); err != nil {
			h.t.Errorf("link: %v", err)
		}
	})
	services.Go(func() {
		if err := h.s.Run(ctx); err != nil {
			h.t.Errorf("folio: %v", err)
		}
	})
	var once sync.Once
	end := func(order ...func()) {
		once.Do(func() {
			for _, step := range order {
				step()
			}
			if err := j.Close(); err != nil {
				h.t.Errorf("close: %v", err)
			}
		})
	}
	h.stop = func() { end(stop, services.Wait, stopWriting, all.Wait) }
	// Nothing is recorded of what happens after the journal is gone.
	h.kill = func() { end(stopWriting, all.Wait, stop, services.Wait) }
}

// settled waits until a hotel that was asked for the first time has told of all its guests: each makes the box forget what
// inquiries said.
func (h *house) settled() {
	h.t.Helper()
	h.wait("the hotel's guests", func() bool {
		m := &h.s.mirror
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.told == nil && len(m.guests) > 30
	})
}

func nothing(*journal.Tx) error { return nil }

func (h *house) restart() {
	h.stop()
	h.open()
}

// wait polls until ok, and fails after a while.
func (h *house) wait(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			h.t.Fatalf("waited in vain for %s; link %+v", what, h.s.c.PMS.Status())
		}
		time.Sleep(time.Millisecond)
	}
}

// charge is a request for the guest of room 2781, who may be charged up to 500.00.
func charge(amount int64, check string) Request {
	return Request{Room: "2781", Reservation: "12345", Guest: "Guest", Amount: new(amount), Currency: "EUR", Check: check, Outlet: "restaurant", Table: "12", Covers: 2,
		Staff: "7", Workstation: "T1", Subtotals: []Item{{"food", amount}}}
}

func (h *house) place(by access.Principal, key string, r Request) Posting {
	h.t.Helper()
	p, _, err := h.s.Place(h.t.Context(), by, key, Order{Request: r, Wait: unhurried})
	if err != nil {
		h.t.Fatalf("Place: %v", err)
	}
	return p
}

func (h *house) get(p Posting) Posting {
	h.t.Helper()
	v, err := h.s.Get(h.t.Context(), p.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *house) becomes(p Posting, state string) Posting {
	h.t.Helper()
	h.wait("posting "+state, func() bool { return h.get(p).State == state })
	return h.get(p)
}

func (h *house) ledger() []opera.Posting { return h.sim.Hotel().Ledger(0) }

func (h *house) inject(f opera.Fault) {
	h.t.Helper()
	if err := h.sim.Inject(f); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) warned(code string) bool {
	for _, w := range h.warnings.List() {
		if w.Code == code {
			return true
		}
	}
	return false
}

// call makes an HTTP request in somebody's name, through the route that the path names.
func (h *house) call(by access.Principal, method, path string, body any, headers ...string) (int, map[string]any, http.Header) {
	h.t.Helper()
	status, raw, header := h.callRaw(by, method, path, body, headers...)
	var v map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &v); err != nil {
			h.t.Fatalf("%s %s answers %s: %v", method, path, raw, err)
		}
	}
	return status, v, header
}

func (h *house) callRaw(by access.Principal, method, path string, body any, headers ...string) (int, []byte, http.Header) {
	h.t.Helper()
	var content io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			h.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	r := httptest.NewRequest(method, path, content)
	r = r.WithContext(access.With(r.Context(), by))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	mux := http.NewServeMux()
	for _, route := range h.s.Routes() {
		mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) {
			allowed := len(route.Roles) == 0 || by.Role == access.Admin
			for _, role := range route.Roles {
				allowed = allowed || role == by.Role
			}
			if !allowed {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			if err := route.Handle(w, r); err != nil {
				var p *api.Problem
				if !asProblem(err, &p) {
					h.t.Errorf("%s %s: %v", method, path, err)
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				raw, jsonErr := json.Marshal(struct {
					Status int         `json:"status"`
					Code   string      `json:"code"`
					Detail string      `json:"detail"`
					Errors []api.Fault `json:"errors"`
					Extra  any         `json:"extra"`
				}{p.Status, p.Code, p.Detail, p.Errors, p.Extra})
				if jsonErr != nil {
					h.t.Error(jsonErr)
				}
				w.WriteHeader(p.Status)
				w.Write(raw)
			}
		})
	}
	mux.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes(), w.Header()
}

func asProblem(err error, p **api.Problem) bool {
	v, ok := err.(*api.Problem)
	*p = v
	return ok
}

func (h *house) scrape(name string) string {
	h.t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		var parts []string
		for _, m := range f.GetMetric() {
			label := ""
			for _, l := range m.GetLabel() {
				label += l.GetValue()
			}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %v", label, value)))
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// openFile opens the journal's file itself, while the service is down.
func (h *house) openFile() *sql.DB {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.dir+"/journal.db")
	if err != nil {
		h.t.Fatal(err)
	}
	return db
}
