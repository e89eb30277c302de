package box

import (
	"bufio"
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/simulate/dinner"
	"aboyeur/simulate/printer"
)

func TestMain(m *testing.M) {
	code := m.Run()
	browser.Close()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// rigConfig is the kitchen of these tests.
const rigConfig = `
site: {id: rig-1, name: Brasserie Bellevue, timezone: Europe/Paris, currency: EUR, language: en}
data: {dir: %q}
http: {listen: %q, tokens_file: %q}
printers:
  - {name: grill, connect: "tcp:%s", model: epson-tm-t88, language: fr, fallback: bar, fallback_after: 1s}
  - {name: bar, connect: "tcp:%s", model: epson-tm-t20, queue_warn: 2, drawer: 2}
screens:
  - {name: kitchen, diagonal_inches: 21.5, distance_m: 1.2}
stations:
  - {name: grill, printers: [grill], screens: [kitchen], categories: [Grill, Mains, Pizza]}
  - {name: bar, printers: [bar], screens: [kitchen], categories: [Drinks], default: true}
receipts: {printer: bar, address: [12 rue de la Paix], tax_id: "SIRET 123", footer: [Service compris], taxes: [{rate: 10}, {rate: 20, groups: [Drinks]}], qr: "https://example.org/{number}"}
`

// rig is a box among simulated printers that outlive it, reached over real sockets only.
type rig struct {
	t        *testing.T
	printers map[string]*printer.Printer
	config   *firmwareconfig.Config
	base     string
	token    string
	storage  func(driver.Connector) driver.Connector
	around   Options        // how it looks for printers
	change   func(*Options) // what else is different

	box  *Box
	stop func()
}

// newRig makes printers and configuration; start starts the box.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, printers: map[string]*printer.Printer{}}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	t.Cleanup(func() { cancel(); serving.Wait() })
	dir := t.TempDir()
	values := []any{filepath.Join(dir, "data"), freeAddress(t), filepath.Join(dir, "tokens")}
	r.base = "http://" + values[1].(string)
	for _, name := range []string{"grill", "bar"} {
		model := map[string]string{"grill": "epson-tm-t88", "bar": "epson-tm-t20"}[name]
		p, err := printer.New(printer.Config{Model: model, Keep: 10000, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serving.Go(func() { _ = p.Serve(ctx, l) })
		r.printers[name] = p
		values = append(values, l.Addr().String())
	}
	c, err := firmwareconfig.Parse("rig.yaml", fmt.Appendf(nil, rigConfig, values...))
	if err != nil {
		t.Fatal(err)
	}
	r.config = c
	if r.token, err = access.AddToken(c.HTTP.TokensFile, "test", access.Admin, time.Now()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.down() })
	return r
}

// freeAddress is where nobody listens until the box does, again after each restart: on a loopback address of its own, so that no
// other listener or connection of this machine is given that port meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts a box on the rig's journal and waits until its printers are up.
func (r *rig) start() {
	r.t.Helper()
	r.boot()
	r.wait("the printers are up", func() bool {
		var list struct{ Printers []struct{ Up bool } }
		status, err := r.call(http.MethodGet, "/v1/printers", nil, &list)
		return err == nil && status == http.StatusOK && len(list.Printers) == 2 && list.Printers[0].Up && list.Printers[1].Up
	})
}

// boot starts a box on the rig's journal.
func (r *rig) boot() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var log io.Writer = io.Discard
	if testing.Verbose() {
		log = r.t.Output()
	}
	o := Options{Version: "test", Log: slog.New(slog.NewTextHandler(log, nil)), storage: r.storage, pause: 20 * time.Millisecond,
		segments: r.around.segments, rawPort: r.around.rawPort, neighbours: r.around.neighbours, follow: r.around.follow}
	if r.change != nil {
		r.change(&o)
	}
	b, err := New(ctx, r.config, o)
	if err != nil {
		cancel()
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	r.box = b
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("box ended with %v", err)
		}
	}
}

// down ends the box in order, as SIGTERM does.
func (r *rig) down() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

// wait looks at a condition until it holds.
func (r *rig) wait(what string, holds func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// call makes one request as admin.
func (r *rig) call(method, path string, body any, into any) (int, error) {
	var text io.Reader
	if raw, ok := body.(string); ok {
		text = strings.NewReader(raw)
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		text = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, r.base+path, text)
	if err != nil {
		return 0, err
	}
	q.Header.Set("Authorization", "Bearer "+r.token)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return answer.StatusCode, err
	}
	if into != nil {
		err = json.Unmarshal(b, into)
	}
	return answer.StatusCode, err
}

// orderView is as much of an order as these tests read.
type orderView struct {
	ID            string
	Number        int
	State         string
	SourceOrderID string `json:"source_order_id"`
	InPOS         string `json:"in_pos"`
	Injection     struct {
		State, Cause, Detail string
		Attempts             int
		POSID                string `json:"pos_id"`
		POSTotal             *int64 `json:"pos_total"`
	}
	Tickets []struct {
		ID, Station, Kind, State string
		Jobs                     []struct{ ID, Printer, State, Evidence string }
	}
	Timeline []struct {
		At                     time.Time
		Event, Station, Detail string
	}
}

// place posts an order that must be taken.
func (r *rig) place(o dinner.Order) orderView {
	r.t.Helper()
	var v orderView
	if status, err := r.call(http.MethodPost, "/v1/orders", o, &v); err != nil || status != http.StatusCreated {
		r.t.Fatalf("POST order %s: %d %v", o.SourceOrderID, status, err)
	}
	return v
}

// get reads one order.
func (r *rig) get(id string) orderView {
	r.t.Helper()
	var v orderView
	if status, err := r.call(http.MethodGet, "/v1/orders/"+id, nil, &v); err != nil || status != http.StatusOK {
		r.t.Fatalf("GET order %s: %d %v", id, status, err)
	}
	return v
}

// done waits until every job of an order has ended.
func (r *rig) done(id string) orderView {
	r.t.Helper()
	var v orderView
	defer func() {
		if r.t.Failed() {
			r.t.Logf("order %s stands at %+v", id, v)
		}
	}()
	r.wait("order "+id+" is on paper", func() bool {
		v = r.get(id)
		for _, t := range v.Tickets {
			for _, j := range t.Jobs {
				if j.State != "done" && j.State != "superseded" && j.State != "cancelled" {
					return false
				}
			}
		}
		return true
	})
	return v
}

// orderOf makes an order of a menu with an id that can be found on paper.
func orderOf(n int) dinner.Order {
	menus := dinner.Menus()
	o := menus[n%len(menus)]
	o.Source, o.SourceOrderID = "rig", fmt.Sprint("R", n)
	o.Partner.OrderID = fmt.Sprintf("X%05dX", n)
	return o
}

// screenEvent is one event of a screen.
type screenEvent struct {
	id, name string
	data     string
}

// screen reads a screen's stream into a channel until the test or the stream ends.
func (r *rig) screen(name, last string) <-chan screenEvent {
	r.t.Helper()
	return r.events("/v1/screens/"+name+"/events", last)
}

// events reads a stream of events into a channel until the test or the stream ends.
func (r *rig) events(path, last string) <-chan screenEvent {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.token)
	if last != "" {
		q.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		cancel()
		r.t.Fatal(err)
	}
	events := make(chan screenEvent, 1000) // more than any of these tests makes
	done := make(chan struct{})
	r.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		defer close(events)
		defer answer.Body.Close()
		lines := bufio.NewReaderSize(answer.Body, 1<<20)
		var e screenEvent
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch key {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					events <- e
				}
				e = screenEvent{}
			}
		}
	}()
	return events
}

// expect takes events until one of this name comes.
func (r *rig) expect(events <-chan screenEvent, name string) screenEvent {
	r.t.Helper()
	for limit := time.After(time.Minute); ; {
		select {
		case e, ok := <-events:
			if !ok {
				r.t.Fatalf("the stream ended before a %s event", name)
			}
			if e.name == name {
				return e
			}
		case <-limit:
			r.t.Fatalf("no %s event", name)
		}
	}
}

// papers counts the pieces of paper with this text on a printer: without and with the banner.
func (r *rig) papers(name, text string) (plain, banner int) {
	for _, p := range r.printers[name].Tickets() {
		switch {
		case !strings.Contains(p.Text, text):
		case p.Banner:
			banner++
		default:
			plain++
		}
	}
	return plain, banner
}

// fetch gets what is not JSON.
func (r *rig) fetch(path string) []byte {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		r.t.Fatalf("GET %s: %d %v", path, answer.StatusCode, err)
	}
	return b
}
