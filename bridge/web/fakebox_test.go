package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/api"
	"aboyeur/protocol/escpos"
)

// object is JSON as the pages see it.
type object = map[string]any

// fakeBox serves the pages and plays the API with canned data: a kitchen whose tickets move, and everything else as a
// test laid it out. It listens on its own port, so that a test can cut it off and let it come back.
type fakeBox struct {
	t      *testing.T
	server *httptest.Server
	now    func() time.Time

	mu       sync.Mutex // guards what follows
	cut      bool       // every call fails as if the box were gone
	seq      int
	tickets  []object
	bumped   []object
	readers  map[chan string]bool
	acts     []string // "bump t1", in order of arrival
	keys     map[string]bool
	painted  []string
	orders   []object
	printers []object
	warnings []object
	pairings []object
	session  object         // nil: nobody is signed in
	approved string         // screen of the pairing under way
	answers  map[string]int // path -> status, for faults
	service  fakeService
	hotel    *fakeHotel // nil: none is configured
	jobs     []object   // print jobs, newest first
	outages  []object
	screens  []object
	stations []object
	found    []object          // what a scan finds
	lost     map[string]string // ticket -> who bumped it first: the next bump loses
	pass     fakePass
	office   fakeOffice
	menu     *fakeMenu
	delivery fakeDelivery
	links    fakeLinks
	tills    fakeTills
	settings object // of the screen, as somebody set them; nil: nobody did
}

// files are the pages' files, packed once for all boxes of a test binary.
var files = sync.OnceValue(newAssets)

func newFakeBox(t *testing.T, c Config) *fakeBox {
	t.Helper()
	b := &fakeBox{t: t, now: time.Now, seq: 100, readers: map[chan string]bool{}, keys: map[string]bool{}, answers: map[string]int{}, lost: map[string]string{},
		session: object{"name": "Camille", "role": "manager", "screen": ""}}
	if c.Site == "" {
		c.Site = "Brasserie Bellevue"
	}
	c.Timezone, c.Currency = "Europe/Paris", "EUR"
	if c.Screens == nil {
		c.Screens = []Screen{{Name: "grill", DiagonalInches: 21.5, DistanceM: 1.2, Stations: []string{"grill"}}, {Name: "bar", DiagonalInches: 10.1, DistanceM: .6, Theme: "day", Stations: []string{"bar"}}}
	}
	c.Version = "0.1.0"
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			b.mu.Lock()
			cut, status := b.cut, b.answers[r.URL.Path]
			b.mu.Unlock()
			if cut {
				panic(http.ErrAbortHandler)
			}
			if status != 0 {
				problem(w, &api.Problem{Status: status, Detail: "as the test wants it"})
				return
			}
			if err := f(w, r); err != nil {
				problem(w, err)
			}
		})
	}
	for _, r := range routes(c, files()) {
		handle(r.Method+" "+r.Path, r.Handle)
	}
	b.routes(handle)
	b.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		b.disconnect(true)
		b.server.CloseClientConnections()
		b.server.Close()
	})
	return b
}

func problem(w http.ResponseWriter, err error) {
	p, ok := err.(*api.Problem)
	if !ok {
		p = &api.Problem{Status: 500, Detail: err.Error()}
	}
	o := object{"title": p.Title, "status": p.Status, "detail": p.Detail, "code": p.Code}
	if len(p.Errors) > 0 {
		o["errors"] = p.Errors
	}
	maps.Copy(o, p.Extra)
	text, _ := json.Marshal(o)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	w.Write(text)
}

func (b *fakeBox) routes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	list := func(pattern, name string, of func() any) {
		handle("GET "+pattern, func(w http.ResponseWriter, r *http.Request) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			return api.Answer(w, 200, object{name: of()})
		})
	}
	list("/v1/printers", "printers", func() any { return notNil(b.printers) })
	list("/v1/warnings", "warnings", func() any { return notNil(b.warnings) })
	list("/v1/pairings", "pairings", func() any { return notNil(b.pairings) })
	list("/v1/audit", "entries", func() any { return cannedAudit() })
	handle("GET /v1/health", func(w http.ResponseWriter, r *http.Request) error {
		return api.Answer(w, 200, object{"figures": cannedFigures(), "until": time.Now().UTC()})
	})
	list("/v1/stations/{station}/recall", "tickets", func() any { return notNil(b.bumped) })

	handle("GET /v1/session", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.session == nil {
			return &api.Problem{Status: 401, Detail: "sign in"}
		}
		return api.Answer(w, 200, b.session)
	})
	handle("POST /v1/session", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ Token string }
		if json.NewDecoder(r.Body).Decode(&body); body.Token != "right" {
			return &api.Problem{Status: 401, Detail: "the token is not known"}
		}
		b.mu.Lock()
		b.session = object{"name": "Camille", "role": "manager", "screen": ""}
		b.mu.Unlock()
		return api.Answer(w, 204, nil)
	})
	handle("POST /v1/pairings", func(w http.ResponseWriter, r *http.Request) error {
		return api.Answer(w, 201, object{"code": "K7Q2", "secret": "s", "expires_at": time.Now().Add(time.Minute)})
	})
	handle("POST /v1/pairings/claim", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.approved == "" {
			return api.Answer(w, 202, object{"state": "pending"})
		}
		b.session = object{"name": b.approved, "role": "screen", "screen": b.approved}
		return api.Answer(w, 200, object{"state": "paired", "screen": b.approved})
	})
	handle("POST /v1/pairings/{code}/approve", func(w http.ResponseWriter, r *http.Request) error {
		var body struct{ Screen string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		if r.PathValue("code") != "K7Q2" {
			return &api.Problem{Status: 404, Detail: "no screen shows this code; read it again"}
		}
		b.note("approve " + body.Screen)
		return api.Answer(w, 204, nil)
	})
	handle("DELETE /v1/pairings/{id}", func(w http.ResponseWriter, r *http.Request) error {
		b.note("revoke " + r.PathValue("id"))
		b.mu.Lock()
		b.pairings = slices.DeleteFunc(b.pairings, func(p object) bool { return p["id"] == r.PathValue("id") })
		b.mu.Unlock()
		return api.Answer(w, 204, nil)
	})
	handle("GET /v1/orders", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		shown := []object{}
		for _, o := range b.orders {
			q := r.URL.Query()
			if s := q.Get("state"); s != "" && o["state"] != s || q.Get("in_pos") != "" && o["in_pos"] != q.Get("in_pos") || q.Get("void_pending") != "" && o["void_pending"] != true {
				continue
			}
			shown = append(shown, o)
		}
		answer := object{}
		var from int
		fmt.Sscan(r.URL.Query().Get("cursor"), &from)
		shown = shown[min(from, len(shown)):]
		if len(shown) > 60 {
			shown, answer["next"] = shown[:60], fmt.Sprint(from+60)
		}
		answer["orders"] = shown
		return api.Answer(w, 200, answer)
	})
	handle("GET /v1/orders/{id}", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, o := range b.orders {
			if o["id"] == r.PathValue("id") {
				return api.Answer(w, 200, o)
			}
		}
		return &api.Problem{Status: 404, Detail: "there is no order " + r.PathValue("id")}
	})
	handle("POST /v1/orders/{id}/cancel", func(w http.ResponseWriter, r *http.Request) error {
		b.note("cancel " + r.PathValue("id"))
		return api.Answer(w, 200, object{})
	})
	handle("GET /v1/jobs/{id}/preview.png", func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(ticketPicture(r.PathValue("id"))) // a picture that scrolled away is no longer wanted
		return nil
	})
	handle("GET /v1/changes", func(w http.ResponseWriter, r *http.Request) error {
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			return b.stream(w, r, "")
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"changes": []object{}, "seq": b.seq, "epoch": "e"})
	})
	handle("GET /v1/screens/{screen}/events", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		open := []object{}
		for _, k := range b.tickets {
			if showsTicket(k) || k["state"] == "held" {
				open = append(open, k)
			}
		}
		first := b.frame("snapshot", object{"epoch": "e", "seq": b.seq, "screen": r.PathValue("screen"), "stations": []string{r.PathValue("screen")},
			"open": len(open), "now": b.now(), "tickets": open, "recall_seconds": 3600, "sold_out": b.soldOut(), "closed": b.service.closed})
		printers := []object{}
		for _, p := range b.printers {
			printers = append(printers, object{"name": p["name"], "state": p["state"], "paper": p["paper"], "reason": p["reason"], "queue": p["queue"]})
		}
		first += b.frame("health", object{"printers": printers, "warnings": len(b.warnings)})
		b.mu.Unlock()
		return b.stream(w, r, first)
	})
	handle("POST /v1/tickets/{id}/{act}", b.act)
	handle("POST /v1/tickets/{id}/items/{n}/{act}", b.act)
	b.serviceRoutes(handle)
	handle("POST /v1/screens/{screen}/alive", func(w http.ResponseWriter, r *http.Request) error {
		b.note("alive " + r.PathValue("screen"))
		return api.Answer(w, 204, nil)
	})
	handle("GET /v1/screens/{screen}/settings", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.settings == nil {
			return api.Answer(w, 200, object{"revision": 0, "settings": object{}})
		}
		return api.Answer(w, 200, b.settings)
	})
	handle("PUT /v1/screens/{screen}/settings", func(w http.ResponseWriter, r *http.Request) error {
		var body object
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		body["revision"] = body["revision"].(float64) + 1
		b.settings = body
		b.publish("settings", body)
		return api.Answer(w, 200, body)
	})
	b.passRoutes(handle)
	b.officeRoutes(handle)
	b.linkRoutes(handle)
	b.tillRoutes(handle)
	b.hotelRoutes(handle)
	b.printerRoutes(handle)
	b.deviceRoutes(handle)
	b.menuRoutes(handle)
	b.deliveryRoutes(handle)
}

func notNil(list []object) []object {
	if list == nil {
		return []object{}
	}
	return list
}

func showsTicket(k object) bool {
	return k["state"] == "new" || k["state"] == "cooking" || (k["state"] == "cancelled" && k["changed_unseen"] == true)
}

func (b *fakeBox) note(act string) {
	b.mu.Lock()
	b.acts = append(b.acts, act)
	b.mu.Unlock()
}

// act plays what the kitchen does with a hand's movement, once for each key.
func (b *fakeBox) act(w http.ResponseWriter, r *http.Request) error {
	id, act, key := r.PathValue("id"), r.PathValue("act"), r.Header.Get("Idempotency-Key")
	b.mu.Lock()
	defer b.mu.Unlock()
	if act == "painted" {
		b.painted = append(b.painted, id)
		return api.Answer(w, 204, nil)
	}
	if key == "" {
		return &api.Problem{Status: 400, Detail: "an act without Idempotency-Key"}
	}
	if b.keys[key] {
		act = "replayed " + act
	}
	b.keys[key] = true
	if n := r.PathValue("n"); n != "" {
		b.acts = append(b.acts, act+" "+n+" "+id)
	} else {
		b.acts = append(b.acts, act+" "+id)
	}
	i := slices.IndexFunc(b.tickets, func(k object) bool { return k["id"] == id })
	if i < 0 {
		return &api.Problem{Status: 404, Detail: "there is no ticket " + id}
	}
	k := b.tickets[i]
	if by := b.lost[id]; by != "" && act == "bump" {
		delete(b.lost, id)
		b.change(k, object{"state": "ready", "bumped_by": by, "bumped_at": b.now()})
		return &api.Problem{Status: 409, Code: "lost_race", Detail: "already bumped", Extra: map[string]any{"ticket": k}}
	}
	switch act {
	case "start":
		b.change(k, object{"state": "cooking"})
	case "bump":
		b.change(k, object{"state": "ready", "bumped_at": b.now()})
		b.bumped = append(b.bumped, k)
	case "undo", "recall":
		b.bumped = slices.DeleteFunc(b.bumped, func(o object) bool { return o["id"] == id })
		b.change(k, object{"state": "cooking"})
	case "seen":
		b.change(k, object{"changed_unseen": false, "allergy_seen": true, "was_table": ""})
	case "tick", "untick":
		lines := []object{}
		for _, l := range k["lines"].([]object) {
			l = maps.Clone(l)
			if fmt.Sprint(l["n"]) == r.PathValue("n") {
				l["ticked"] = act == "tick"
			}
			lines = append(lines, l)
		}
		b.change(k, object{"lines": lines})
	case "fire":
		b.change(k, object{"state": "new", "at": b.now().UTC(), "held": ""})
	case "hold":
		b.change(k, object{"state": "held", "held": "waiter"})
	case "priority", "unpriority":
		b.change(k, object{"priority": act == "priority"})
	}
	return api.Answer(w, 200, k)
}

// change moves a ticket on and tells the screens. The lock is held.
func (b *fakeBox) change(k, with object) {
	visible := func() bool { return showsTicket(k) || k["state"] == "held" }
	was := visible()
	for name, v := range with {
		k[name] = v
	}
	k["version"] = k["version"].(int) + 1
	switch {
	case visible() && was:
		b.publish("ticket-updated", k)
	case visible():
		b.publish("ticket", k)
	default:
		b.publish("ticket-removed", object{"id": k["id"], "number": k["number"], "state": k["state"], "by": k["bumped_by"]})
	}
}

// frame is an event with the next number. The lock is held.
func (b *fakeBox) frame(name string, data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		b.t.Error(err)
	}
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", b.seq, name, text)
}

func (b *fakeBox) publish(name string, data any) {
	b.seq++
	f := b.frame(name, data)
	for reader := range b.readers {
		select {
		case reader <- f:
		default:
		}
	}
}

// tell publishes from outside.
func (b *fakeBox) tell(name string, data any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.publish(name, data)
}

// add puts a ticket on the board.
func (b *fakeBox) add(k object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tickets = append(b.tickets, k)
	b.publish("ticket", k)
}

func (b *fakeBox) update(id string, with object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.tickets {
		if k["id"] == id {
			b.change(k, with)
		}
	}
}

func (b *fakeBox) beat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := 0
	for _, k := range b.tickets {
		if showsTicket(k) || k["state"] == "held" {
			open++
		}
	}
	if b.pass.rows != nil {
		open = len(b.pass.rows)
	}
	f := fmt.Sprintf("event: beat\ndata: {\"now\":%q,\"open\":%d,\"seq\":%d}\n\n", b.now().Format(time.RFC3339Nano), open, b.seq)
	for reader := range b.readers {
		select {
		case reader <- f:
		default:
		}
	}
}

func (b *fakeBox) stream(w http.ResponseWriter, r *http.Request, first string) error {
	reader := make(chan string, 64)
	b.mu.Lock()
	b.readers[reader] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.readers, reader)
		b.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "retry: 200\n\n", first)
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case f, ok := <-reader:
			if !ok {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, f)
			w.(http.Flusher).Flush()
		}
	}
}

// disconnect cuts every stream and refuses what comes, or lets it come again.
func (b *fakeBox) disconnect(cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = cut
	if cut {
		for reader := range b.readers {
			close(reader)
			delete(b.readers, reader)
		}
	}
}

func (b *fakeBox) count(act string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, a := range b.acts {
		if a == act {
			n++
		}
	}
	return n
}

// ---- canned data

func ticketAt(id string, number int, age time.Duration, with object) object {
	k := object{"id": id, "order": "o" + id, "number": number, "station": "grill", "kind": "order", "state": "new", "changed_unseen": false, "version": 1,
		"service": "dine_in", "at": time.Now().Add(-age).UTC(), "warn_after": 600, "late_after": 900, "lines": []object{line(1, "Burger")}}
	for name, v := range with {
		k[name] = v
	}
	return k
}

func line(quantity int, name string, with ...object) object {
	l := object{"n": 0, "quantity": quantity, "name": name}
	for _, w := range with {
		for k, v := range w {
			l[k] = v
		}
	}
	return l
}

func modifiers(names ...string) object {
	list := []object{}
	for _, n := range names {
		level := 1 + strings.Count(n, ">")
		list = append(list, object{"level": level, "quantity": 1, "name": strings.TrimLeft(n, ">")})
	}
	return object{"modifiers": list}
}

// service is a full board, as on a Saturday evening.
func service() []object {
	due := func(d time.Duration) time.Time { return time.Now().Add(d).UTC() }
	return []object{
		ticketAt("t3", 38, 16*time.Minute+30*time.Second, object{"table": "7", "covers": 2, "staff": "Léa", "changed_unseen": true, "state": "cooking", "lines": []object{
			line(1, "Entrecôte", modifiers("à point")), line(3, "Frites", object{"was": 2, "change": "changed"}), line(1, "Saumon grillé", object{"change": "added"}), line(1, "Salade verte", object{"change": "removed"})}}),
		ticketAt("t1", 40, 11*time.Minute+2*time.Second, object{"table": "12", "covers": 4, "staff": "Hugo", "also": []string{"fry", "bar"}, "lines": []object{
			line(2, "Entrecôte", modifiers("saignant", "sauce poivre", ">sans crème")), line(1, "Saumon grillé", object{"notes": "sans sel"}), line(1, "Magret de canard", modifiers("rosé"))}}),
		ticketAt("t2", 41, 4*time.Minute, object{"service": "delivery", "partner": object{"name": "Uber Eats", "order_id": "8F3A2"}, "customer": "Zoé L.", "due": due(7*time.Minute + 45*time.Second), "allergy_note": "noix, arachide", "notes": "Sonner au 2e", "lines": []object{
			line(1, "Burger maison", modifiers("sans oignon"), object{"allergens": []string{"noix"}}), line(2, "Frites")}}),
		ticketAt("t4", 43, 3*time.Minute+12*time.Second, object{"table": "3", "covers": 6, "staff": "Léa", "state": "cooking", "lines": []object{
			line(4, "Saumon grillé"), line(1, "Burger végétarien", modifiers("pain sans gluten")), line(1, "Côte de bœuf pour deux", modifiers("bleue"))}}),
		ticketAt("t5", 44, 95*time.Second, object{"state": "cancelled", "kind": "cancel", "changed_unseen": true, "table": "T01", "staff": "Inès", "lines": []object{line(2, "Burger maison"), line(1, "Frites")}}),
		ticketAt("t6", 45, 70*time.Second, object{"service": "pickup", "customer": "M. Ferrand", "due": due(14 * time.Minute), "lines": []object{line(1, "Poulet rôti entier"), line(1, "Jus de cuisson")}}),
		ticketAt("t7", 46, 31*time.Second, object{"table": "21", "covers": 8, "staff": "Hugo", "lines": []object{
			line(2, "Entrecôte", modifiers("saignant")), line(1, "Entrecôte", modifiers("bien cuit", "sans sauce")), line(3, "Magret de canard", modifiers("rosé", "jus corsé")),
			line(1, "Saumon grillé", object{"notes": "SANS BEURRE", "allergens": []string{"lait"}}), line(1, "Burger maison", modifiers("sans cornichon", "cheddar", "bacon")), line(2, "Frites"), line(1, "Purée maison")}}),
		ticketAt("h1", 47, 0, object{"state": "held", "due": due(50 * time.Minute), "lines": []object{line(4, "Entrecôte")}}),
		ticketAt("h2", 48, 0, object{"state": "held", "due": due(50 * time.Minute), "lines": []object{line(1, "Saumon grillé")}}),
		ticketAt("h3", 49, 0, object{"state": "held", "due": due(65 * time.Minute), "lines": []object{line(2, "Burger maison")}}),
	}
}

func recalled() []object {
	var list []object
	for i, name := range []string{"Entrecôte", "Burger maison", "Saumon grillé", "Magret de canard"} {
		k := ticketAt(fmt.Sprintf("r%d", i), 30+i, time.Duration(20+4*i)*time.Minute, object{"state": "ready", "table": fmt.Sprint(4 + i), "lines": []object{line(1+i%2, name), line(1, "Frites")}, "version": 3})
		k["bumped_at"] = time.Now().Add(-time.Duration(9+5*i) * time.Minute).UTC()
		list = append(list, k)
	}
	return list
}

func step(at time.Time, us int, event string, with ...object) object {
	e := object{"at": at.Add(time.Duration(us) * time.Microsecond).UTC().Format("2006-01-02T15:04:05.000000Z"), "event": event}
	for _, w := range with {
		for k, v := range w {
			e[k] = v
		}
	}
	return e
}

func cannedOrders(n int) []object {
	partners := []object{{"name": "Uber Eats", "order_id": "8F3A2"}, {"name": "Deliveroo", "order_id": "4471"}, nil, nil}
	dishes := []string{"Entrecôte", "Burger maison", "Saumon grillé", "Magret de canard", "Frites", "Tarte au citron", "Verre de Chinon"}
	var list []object
	for i := range n {
		at := time.Now().Add(-time.Duration(i*97) * time.Second)
		o := object{"id": fmt.Sprintf("o%d", i), "number": 60 - i, "business_day": "2026-11-21", "state": "accepted", "in_pos": "yes", "injection": object{}, "void_pending": false,
			"received_at": at.UTC(), "committed_at": at.Add(900 * time.Microsecond).UTC(), "source": "pos", "source_order_id": fmt.Sprint(9000 + i), "version": 1, "service": "dine_in", "currency": "EUR"}
		if p := partners[i%4]; p != nil {
			o["partner"], o["service"], o["source"], o["customer"] = p, "delivery", "otter", object{"name": "Zoé L."}
		} else {
			o["table"], o["covers"], o["staff"] = fmt.Sprint(2+i*5%23), 2+i%5, "Léa"
		}
		lines, total := []object{}, 0
		for k := range 1 + i%4 {
			l := object{"sku": "S", "name": dishes[(i+k)%len(dishes)], "quantity": 1 + (i+k)%2, "price": 1250 + 350*k, "course": 2}
			if k == 0 {
				l["modifiers"] = []object{{"name": "saignant", "quantity": 1, "price": 0}, {"name": "sauce poivre", "quantity": 1, "price": 150}}
			}
			lines = append(lines, l)
			total += (1250 + 350*k) * (1 + (i+k)%2)
		}
		o["lines"], o["total"] = lines, total
		state := []string{"new", "cooking", "cooking", "ready", "served"}[min(i/3, 4)]
		job := func(id, printer string) object {
			return object{"id": id, "printer": printer, "state": "done", "evidence": "process_id", "attempt": 1}
		}
		grill := object{"id": fmt.Sprintf("k%d", i), "station": "grill", "kind": "order", "state": state, "jobs": []object{job(fmt.Sprintf("j%d", i), "grill")}}
		bar := object{"id": fmt.Sprintf("kb%d", i), "station": "bar", "kind": "order", "state": state, "jobs": []object{job(fmt.Sprintf("jb%d", i), "bar")}}
		tickets := []object{grill}
		if i%3 != 1 {
			tickets = append(tickets, bar)
		}
		o["tickets"] = tickets
		switch i {
		case 0:
			bar["jobs"].([]object)[0]["state"] = "sent"
		case 4:
			o["state"], grill["state"], o["void_pending"] = "cancelled", "cancelled", true
			o["tickets"] = []object{grill}
		case 5:
			o["in_pos"] = "no"
			grill["jobs"].([]object)[0]["state"] = "held"
		case 7:
			o["in_pos"], o["state"] = "pending", "prepared"
		case 9:
			o["state"], grill["state"] = "scheduled", "held"
			grill["jobs"] = []object{}
			o["tickets"] = []object{grill}
		}
		if i > 10 {
			o["state"] = "handed_off"
		}
		grillOf, barOf := object{"station": "grill", "printer": "grill", "ticket": grill["id"], "job": fmt.Sprintf("j%d", i)}, object{"station": "bar", "printer": "bar", "ticket": bar["id"], "job": fmt.Sprintf("jb%d", i)}
		screen := object{"station": "grill", "ticket": grill["id"]}
		o["timeline"] = []object{
			step(at, 0, "received"), step(at, 940, "committed"), step(at, 1210, "job_sending", grillOf, object{"detail": "sequence 142"}), step(at, 1280, "job_sending", barOf),
			step(at, 2900, "job_sent", grillOf), step(at, 3350, "job_sent", barOf), step(at, 21400, "painted", screen, object{"by": "grill"}),
			step(at, 84300, "job_printed", grillOf, object{"detail": "process_id"}), step(at, 91800, "job_printed", barOf, object{"detail": "fence"}),
			step(at, 95100, "job_done", grillOf, object{"detail": "process_id"}),
			step(at, 41_320_000, "started", screen, object{"by": "grill"}), step(at, 342_870_000, "bumped", screen, object{"by": "grill"}),
		}
		list = append(list, o)
	}
	return list
}

func cannedWarnings() []object {
	return []object{
		{"code": "printer_paper_out", "severity": "critical", "subject": "pass", "text": "Printer pass is out of paper", "remedy": "Put in a new roll; it goes on by itself and nothing is lost.", "since": time.Now().Add(-74 * time.Second).UTC()},
		{"code": "printer_paper_low", "severity": "warning", "subject": "grill", "text": "Paper of printer grill is low", "remedy": "Put in a new roll in a quiet moment.", "since": time.Now().Add(-9 * time.Minute).UTC()},
	}
}

func cannedPairings() []object {
	return []object{
		{"id": "p1", "screen": "grill", "label": "1920×1080 Linux", "paired_at": time.Now().Add(-80 * time.Hour).UTC(), "last_seen": time.Now().Add(-4 * time.Second).UTC()},
		{"id": "p2", "screen": "bar", "label": "1280×800 Android", "paired_at": time.Now().Add(-30 * time.Hour).UTC(), "last_seen": time.Now().Add(-26 * time.Hour).UTC()},
	}
}

func cannedAudit() []object {
	entry := func(ago time.Duration, by, role, act, subject, detail string) object {
		return object{"at": time.Now().Add(-ago).UTC(), "by": by, "role": role, "act": act, "subject": subject, "detail": detail}
	}
	return []object{
		entry(40*time.Second, "Camille", "manager", "ticket_reprinted", "0192f0c1-77aa-7e21-9a44-2f6b1c0d9e01", ""),
		entry(6*time.Minute, "Camille", "manager", "order_cancelled", "0192f0c1-6001-7aa0-8c11-8e3f50cc4a12", "guest left"),
		entry(12*time.Minute, "grill", "screen", "paired", "grill", "1920×1080 Linux"),
		entry(13*time.Minute, "Camille", "manager", "pairing_approved", "grill", ""),
		entry(15*time.Minute, "Camille", "manager", "signed_in", "", ""),
		entry(3*time.Hour, "192.168.1.77", "", "sign_in_refused", "", "token is not known"),
	}
}

func cannedFigures() []object {
	series := func(base, swing float64) []any {
		var s []any
		for i := range 60 {
			s = append(s, base+swing*float64((i*37)%11)/11)
		}
		return s
	}
	quiet := series(.0025, .002)
	for i := 20; i < 26; i++ {
		quiet[i] = nil // nobody ordered
	}
	hot := series(52, 6)
	for i := 50; i < 60; i++ {
		hot[i] = 58 + 2.6*float64(i-50)
	}
	return []object{
		{"name": "answer_p99", "value": .0034, "unit": "s", "limit": .1, "metric": "aboyeur_order_ack_seconds", "series": quiet},
		{"name": "printer_p99", "value": .0041, "unit": "s", "limit": .1, "metric": "aboyeur_order_to_printer_seconds", "series": series(.003, .003)},
		{"name": "screen_p99", "value": .0038, "unit": "s", "limit": .1, "metric": "aboyeur_order_to_screen_seconds", "series": series(.003, .002)},
		{"name": "commit_p99", "value": .0021, "unit": "s", "limit": .05, "metric": "aboyeur_journal_commit_seconds", "series": series(.001, .002)},
		{"name": "queue", "value": 4, "limit": 12, "metric": "aboyeur_print_queue_jobs", "series": series(0, 8)[:12]},
		{"name": "temperature", "value": 81.4, "unit": "celsius", "limit": 80, "metric": "aboyeur_board_temperature_celsius", "series": hot},
		{"name": "disk_free", "value": 22.4 * (1 << 30), "unit": "bytes", "metric": "aboyeur_board_disk_free_bytes"},
		{"name": "memory_available", "value": 611 * (1 << 20), "unit": "bytes", "metric": "aboyeur_board_memory_available_bytes"},
	}
}

// ticketPicture is the paper of a print job, as the product draws it.
func ticketPicture(job string) []byte {
	p, ok := escpos.ProfileFor("epson-tm-t88")
	if !ok {
		return blankPicture()
	}
	e := escpos.NewEncoder(p, "fr")
	e.Bold(true)
	e.Columns("GRILL", "20:41")
	e.Set(escpos.Style{Bold: true, Width: 2, Height: 2})
	e.Line("Uber Eats 8F3A2")
	e.Columns("#60", job)
	e.Set(escpos.Style{Bold: true, Height: 2})
	e.Columns("Livraison", "POUR 20:45")
	e.Plain()
	e.Rule('-')
	for _, dish := range []string{"2 Entrecôte", "1 Saumon grillé", "1 Burger maison"} {
		e.Set(escpos.Style{Bold: true, Height: 2})
		e.Line(dish)
		e.Plain()
		e.Line("    + saignant")
	}
	e.Set(escpos.Style{Alert: true})
	e.Line("    !! ALLERGIE: NOIX")
	e.Plain()
	e.Rule('-')
	e.Line("fin du ticket · 4 articles")
	var b bytes.Buffer
	paper := escpos.Render(append(escpos.AppendInit(nil, p, "fr"), e.Finish()...), p)
	if err := paper.PNG(&b); err != nil {
		return blankPicture()
	}
	return b.Bytes()
}

func blankPicture() []byte {
	m := image.NewGray(image.Rect(0, 0, 400, 300))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	var b bytes.Buffer
	_ = png.Encode(&b, m) // into memory
	return b.Bytes()
}
