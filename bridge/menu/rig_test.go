package menu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/protocol/channel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a service of menus with a POS and an aggregator that the test drives, behind a real API on a real socket.
type house struct {
	*testing.T
	s       *Service
	journal *journal.Journal
	base    string
	pos     *till
	otter   *shop
	config  Config
	stop    func() // the service that runs

	mu   sync.Mutex // guards what follows
	now  time.Time
	sold []string
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) set(at time.Time) {
	h.mu.Lock()
	h.now = at
	h.mu.Unlock()
	h.s.Wake()
}

// till is the POS.
type till struct {
	mu   sync.Mutex
	c    Catalogue
	err  error
	said []string
}

func (p *till) Catalogue(context.Context) (Catalogue, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := json.Marshal(p.c)
	if err != nil {
		panic(err)
	}
	var c Catalogue
	if err := json.Unmarshal(text, &c); err != nil {
		panic(err)
	}
	return c, p.err
}

func (p *till) sells(f func(c *Catalogue)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.c)
}

func (p *till) available(_ context.Context, sku string, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := " off"
	if on {
		word = " on"
	}
	p.said = append(p.said, sku+word)
	return nil
}

// shop is an aggregator that takes menus field by field, as its options say.
type shop struct {
	mu      sync.Mutex
	sent    []channel.Menu
	options []channel.SyncOptions
	jobs    map[string]int // looks until it is done
	fails   string         // message of jobs that fail
	refuse  error
	told    []channel.Availability
	deaf    error
	current []channel.Menu
	answers []string
}

func (o *shop) CurrentMenu(_ context.Context, event string, m channel.Menu) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.current, o.answers = append(o.current, m), append(o.answers, "menu "+event)
	return nil
}

func (o *shop) Answer(_ context.Context, e channel.Event, f *channel.Failure) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	word := " done"
	if f != nil {
		word = " " + string(f.Code)
	}
	o.answers = append(o.answers, string(e.Kind)+" "+e.ID+word)
	return nil
}

func (o *shop) answered() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.answers)
}

func (o *shop) Publish(_ context.Context, m channel.Menu, opt channel.SyncOptions) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != nil {
		return "", o.refuse
	}
	o.sent, o.options = append(o.sent, m), append(o.options, opt)
	return "job-1", nil
}

func (o *shop) Job(_ context.Context, id string) (channel.Job, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.jobs[id] > 0 {
		o.jobs[id]--
		return channel.Job{ID: id, State: channel.JobPending}, nil
	}
	if o.fails != "" {
		return channel.Job{ID: id, State: channel.JobFailed, Message: o.fails}, nil
	}
	return channel.Job{ID: id, State: channel.JobDone, Partners: []channel.PartnerJob{{Slug: "ubereats", State: channel.JobDone}}}, nil
}

func (o *shop) Available(_ context.Context, a []channel.Availability) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.deaf != nil {
		return o.deaf
	}
	o.told = append(o.told, a...)
	return nil
}

func (o *shop) last() (channel.Menu, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) == 0 {
		return channel.Menu{}, 0
	}
	return o.sent[len(o.sent)-1], len(o.sent)
}

// evening is when tests begin.
var evening = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

func newHouse(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	h := &house{T: t, pos: &till{c: bistro()}, otter: &shop{jobs: map[string]int{}}, now: evening}
	set := Defaults()
	set.Name, set.AutoUpdate = "Otter", false
	h.config = Config{
		Source: h.pos, Currency: "EUR", Language: "en", Now: h.clock, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Poll: time.Millisecond, Retry: time.Millisecond,
		Menus: []Target{{ID: "otter", Title: "Otter", Slugs: []string{"ubereats", "doordash"}, Settings: set, Client: h.otter}}, Jitter: func(time.Duration) time.Duration { return 0 },
		SoldOut: func() []string {
			h.mu.Lock()
			defer h.mu.Unlock()
			return slices.Clone(h.sold)
		},
	}
	for _, f := range change {
		f(&h.config)
	}
	h.journal = journaltest.Open(t, journal.Config{Now: h.clock}, func(j *journal.Journal) {
		j.Watch(func(c []journal.Change) {
			if h.s != nil {
				h.s.Watch(c)
			}
		})
	})
	h.start()
	return h
}

// start builds the service anew, as after the box was switched on.
func (h *house) start() {
	h.Helper()
	h.config.Journal = h.journal
	s, err := New(h.Context(), h.config)
	if err != nil {
		h.Fatal(err)
	}
	h.s = s
	a, err := access.New(h.Context(), access.Config{Journal: h.journal, Log: h.config.Log})
	if err != nil {
		h.Fatal(err)
	}
	server, err := api.New(api.Config{Routes: s.Routes(), Access: a, DemoLoopback: true, Log: h.config.Log})
	if err != nil {
		h.Fatal(err)
	}
	listener := httptest.NewServer(server.Handler())
	h.base = listener.URL
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var once sync.Once
	h.stop = func() {
		once.Do(func() {
			listener.Close()
			end()
			if err := <-ended; err != nil {
				h.Errorf("Run = %v", err)
			}
		})
	}
	h.Cleanup(h.stop)
}

// restart switches the box off and on.
func (h *house) restart() {
	h.Helper()
	h.stop()
	h.config.Registerer = nil // counted by the first
	h.start()
}

// call makes a request and decodes the answer, whose status must be want.
func (h *house) call(method, path, body string, want int, into any) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.base+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		h.Fatal(err)
	}
	if a.StatusCode != want {
		h.Fatalf("%s %s %s = %d %s, want %d", method, path, body, a.StatusCode, text, want)
	}
	if into != nil {
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(into); err != nil {
			h.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

// until waits for a condition.
func (h *house) until(what string, ok func() bool) {
	h.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("never: %s", what)
		}
	}
}

// sync runs an update by hand and waits for its end.
func (h *house) sync(body string) runView {
	h.Helper()
	var r Run
	h.call("POST", "/v1/menu/sync", body, http.StatusAccepted, &r)
	return h.wait(r.ID)
}

func (h *house) wait(id journal.ID) runView {
	h.Helper()
	var v runView
	h.until("run "+id.String()+" ends", func() bool {
		v = runView{}
		h.call("GET", "/v1/menu/sync/"+id.String()+"?limit=500", "", http.StatusOK, &v)
		return !v.open()
	})
	return v
}

// done is sync of a run that must succeed.
func (h *house) done(body string) runView {
	h.Helper()
	v := h.sync(body)
	if v.State != Done {
		h.Fatalf("the run ended %s: %s %s", v.State, v.Cause, v.Detail)
	}
	return v
}

func (h *house) counters() (l linkList) {
	h.Helper()
	h.call("GET", "/v1/menu/links?menu=otter", "", http.StatusOK, &l)
	return l
}

// bistro sells pizza and ice cream.
func bistro() Catalogue {
	return Catalogue{
		Kind: "test", Currency: "EUR",
		Categories: []Category{{ID: "1", Name: "Pizzas"}, {ID: "2", Name: "Glaces"}, {ID: "3", Name: "Cave", Hidden: true}},
		Items: []Item{
			{ID: "10", SKU: "PIZ-01", Name: "Margherita", Category: "1", Price: 1250, Groups: []string{"7"}, Description: "Tomate, mozzarella", Photo: "https://pictures.example.org/m.jpg"},
			{ID: "11", SKU: "PIZ-02", Name: "Truffe", Category: "1", Price: 1900, DeliveryOnly: true, Prices: map[string]int64{"ubereats": 2100}},
			{ID: "20", SKU: "VAN", Name: "Vanille", Category: "2", Price: 400, Variations: []Variation{{ID: "21", SKU: "VAN-L", Name: "Grande", Price: 650}}},
			{ID: "22", SKU: "CHO", Name: "Chocolat", Category: "2", Price: 420},
			{ID: "30", SKU: "VIN", Name: "Brouilly", Category: "3", Price: 3200},
			{ID: "31", SKU: "OLD", Name: "Ancienne", Category: "1", Price: 1000, Inactive: true},
			{ID: "32", SKU: "HID", Name: "Secrète", Category: "1", Price: 1000, Hidden: true},
		},
		Groups: []Group{
			{ID: "7", Name: "Suppléments", Max: 3, Each: 1, Modifiers: []Modifier{{ID: "70", SKU: "X-CHZ", Name: "Extra mozzarella", Price: 150}, {ID: "71", SKU: "X-HAM", Name: "Jambon", Price: 200, Groups: []string{"8"}}}},
			{ID: "8", Name: "Jambon", Min: 1, Max: 1, Modifiers: []Modifier{{ID: "80", Name: "Cru"}, {ID: "81", Name: "Cuit"}}},
			{ID: "9", Name: "Sans usage", Modifiers: []Modifier{{ID: "90", SKU: "N", Name: "Rien"}}},
		},
	}
}

func itemOf(t *testing.T, m channel.Menu, id string) channel.Item {
	t.Helper()
	for _, x := range m.Items {
		if x.ID == id {
			return x
		}
	}
	t.Fatalf("the menu has no item %s", id)
	return channel.Item{}
}

var errAway = errors.New("connection refused")
