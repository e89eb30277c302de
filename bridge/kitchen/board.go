package kitchen

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/devices/screen"
)

// How many bumped tickets a station can recall, and for how long at the least.
const (
	RecallTickets = 50
	RecallFor     = time.Hour
)

// recallMost bounds the tickets kept of the last hour, whatever the rush.
const recallMost = 500

// keptTickets is how many open tickets the board keeps as JSON, about a KiB each. It is more than a brigade can cook; of
// further ones the board knows that they are there, and the journal what stands on them.
const keptTickets = 1000

func unmarshal(b []byte, into any) error { return json.Unmarshal(b, into) }

// Board is the open tickets of every station in memory, and the events of every screen. It follows the journal's
// change feed, so it never shows what is not on disk.
type Board struct {
	journal *journal.Journal
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
	screens map[string][]string // of each station
	shows   map[string][]string // stations of each screen
	hubs    map[string]*screen.Hub
	home    string            // the station that shows tickets of stations which are not configured any more
	backup  map[string]string // of each screen that has one

	stations []string // in the order of the configuration
	merged   *merged
	settle   func(key string, value []byte) bool // takes a setting over; true: stations changed

	mu      sync.Mutex // guards what follows; held for memory only
	seq     int64      // the change the board stands at
	open    map[journal.ID]*entry
	order   []*entry // open tickets, oldest first
	keep    int      // how many of them may have their JSON here
	kept    int      // how many have
	bumped  map[string][]*entry
	arrived map[journal.ID]time.Time // when the orders of this commit came in
	fresh   map[*byte]*Ticket        // tickets of this commit, by the memory of their payload
	health  []byte                   // the latest health event's data
	glasses map[string]*glass        // by screen
	unseen  []sighting               // tickets that came lately, the oldest first
	soldOut []SoldOut                // the oldest first
}

// entry is one ticket on the board: what the board decides on, and the JSON that screens get. A ticket that nobody bumps
// stays for days, so no more of it is kept.
type entry struct {
	id, order journal.ID
	number    int
	station   string
	state     string
	visible   bool // screens show it
	bumpedAt  time.Time
	bumpedBy  string
	payload   []byte // nil when there are too many open: it is in the journal
}

func entryOf(t *Ticket, payload []byte) *entry {
	return &entry{t.ID, t.Order, t.Number, t.Station, t.State, t.open(), t.BumpedAt, t.BumpedBy, payload}
}

// ticket reads the entry's JSON back.
func (e *entry) ticket() (t Ticket) {
	if err := unmarshal(e.payload, &t); err != nil {
		panic(err) // entryOf was given the ticket together with its own JSON
	}
	return t
}

func newBoard(stations []Station, screens []Screen, merged *merged, j *journal.Journal, now func() time.Time, log *slog.Logger, m *metrics) *Board {
	b := &Board{
		journal: j, now: now, log: log, metrics: m, keep: keptTickets, merged: merged,
		screens: map[string][]string{}, shows: map[string][]string{}, hubs: map[string]*screen.Hub{},
		open: map[journal.ID]*entry{}, bumped: map[string][]*entry{}, arrived: map[journal.ID]time.Time{}, fresh: map[*byte]*Ticket{},
		backup: map[string]string{}, glasses: map[string]*glass{},
	}
	for _, s := range stations {
		b.stations = append(b.stations, s.Name)
		b.screens[s.Name] = s.Screens
		if s.Default {
			b.home = s.Name
		}
		for _, name := range s.Screens {
			b.shows[name] = append(b.shows[name], s.Name)
			if b.hubs[name] == nil {
				b.hubs[name], b.glasses[name] = screen.New(0, j.Seq()), new(glass)
			}
		}
	}
	for _, s := range screens {
		if b.hubs[s.Name] == nil { // shows nothing but what it stands in for
			b.hubs[s.Name], b.glasses[s.Name] = screen.New(0, j.Seq()), new(glass)
		}
		b.backup[s.Name] = s.Backup
	}
	return b
}

// place is the station whose screens show a ticket of station: another one while it is closed.
func (b *Board) place(station string) string { return b.merged.of(b.own(station)) }

// own is the station a ticket belongs to by the present configuration.
func (b *Board) own(station string) string {
	if _, ok := b.screens[station]; ok {
		return station
	}
	return b.home
}

// shown tells whether anybody sees the tickets of a station.
func (b *Board) shown(station string) bool { return len(b.screens[b.place(station)]) > 0 }

// loadFor is how old a ticket may be that a restarted box shows again. Keys rise with time, so that the rows before it
// need not be read, nor kept in an index that every new ticket would have to be written into.
const loadFor = 48 * time.Hour

const (
	selectBoard  = `SELECT ` + columns + ` FROM tickets WHERE key >= ? AND (state IN ('held', 'new', 'cooking') OR unseen = 1) ORDER BY key`
	selectBumped = `SELECT ` + columns + ` FROM (SELECT ` + columns + ` FROM tickets WHERE key >= ? ORDER BY key DESC LIMIT 2000) WHERE state = 'ready' ORDER BY bumped_at`
)

// load reads what is open, and what can be recalled.
func (b *Board) load(ctx context.Context) error {
	b.seq = b.journal.Seq()
	oldest := journal.KeyAt(b.now().Add(-loadFor))
	for _, query := range []string{selectBoard, selectBumped} {
		err := queryAll(ctx, b.journal.Read(), query, []any{oldest}, func(scan func(...any) error) error {
			r, err := scanTicket(scan)
			if err != nil {
				return err
			}
			e := entryOf(&r.Ticket, r.Ticket.encode())
			switch {
			case !b.shown(e.station):
			case e.visible:
				b.put(e)
				b.spare(e.id)
				b.watchFor(e.id)
			case e.state == StateReady:
				b.remember(e)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return queryAll(ctx, b.journal.Read(), selectSoldOut, nil, func(scan func(...any) error) error {
		s, err := scanSoldOut(scan)
		b.soldOut = append(b.soldOut, s)
		return err
	})
}

// follow takes a batch of changes over, on the journal's writer goroutine.
func (b *Board) follow(changes []journal.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range changes {
		c := &changes[i]
		b.seq = c.Seq
		switch c.Kind {
		case "ticket":
		case changeSoldOut:
			b.sell(c.Seq, c.Payload)
			continue
		case "setting":
			b.set(c)
			continue
		case "order":
			b.later(c)
			continue
		default:
			continue
		}
		t := b.fresh[unsafe.SliceData(c.Payload)] // nobody needs to read what was just written
		if t == nil {
			t = new(Ticket)
			if unmarshal(c.Payload, t) != nil {
				continue // written by this program a moment ago; were it broken, the ticket's own page says so
			}
		}
		b.take(c.Seq, entryOf(t, c.Payload))
	}
	clear(b.arrived)
	clear(b.fresh)
}

// expect notes when an order came in whose tickets the next changes bring, and the tickets behind their payloads.
func (b *Board) expect(order journal.ID, received time.Time, tickets []planned) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived[order] = received
	for i := range tickets {
		b.fresh[unsafe.SliceData(tickets[i].content)] = &tickets[i].Ticket
	}
}

// SetHealth tells every screen how the devices are. data is one line of JSON.
func (b *Board) SetHealth(data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.health = data
	frame := api.AppendEvent(nil, api.Event{Name: "health", Data: data})
	for _, hub := range b.hubs {
		hub.Publish(b.seq, frame)
	}
}

// take puts one ticket's new state on the board and tells its screens.
func (b *Board) take(seq int64, e *entry) {
	if !b.shown(e.station) {
		return // nobody sees it, and nobody could take it off the board again
	}
	old, was := b.open[e.id]
	fresh := !was || old.state == StateHeld
	b.forget(e)
	if !e.visible {
		b.remove(e.id)
		if e.state == StateReady {
			b.remember(e)
		}
		if was {
			b.publish(seq, e.station, "ticket-removed", encode(removed{e.id, e.number, e.state, e.bumpedBy}))
		}
		return
	}
	if fresh && e.state != StateHeld {
		b.watchFor(e.id)
	}
	b.put(e)
	payload := e.payload
	b.spare(e.id)
	if was {
		b.publish(seq, e.station, "ticket-updated", payload)
		return
	}
	b.publish(seq, e.station, "ticket", payload)
	if at, ok := b.arrived[e.order]; ok {
		b.metrics.toScreen.Observe(max(0, b.now().Sub(at).Seconds()))
	}
}

// removed is the data of a ticket-removed event.
type removed struct {
	ID     journal.ID `json:"id"`
	Number int        `json:"number"`
	State  string     `json:"state"`
	By     string     `json:"by,omitzero"`
}

func (b *Board) put(e *entry) {
	b.kept++
	if old, ok := b.open[e.id]; ok {
		if old.payload != nil {
			b.kept--
		}
		*old = *e
		return
	}
	b.open[e.id] = e
	b.order = append(b.order, e)
	// Nearly always the newest already; a recalled ticket goes back to its place.
	for i := len(b.order) - 1; i > 0 && b.order[i].id.Key() < b.order[i-1].id.Key(); i-- {
		b.order[i], b.order[i-1] = b.order[i-1], b.order[i]
	}
}

// spare leaves what stands on a ticket to the journal when the board has enough.
func (b *Board) spare(id journal.ID) {
	if b.kept > b.keep {
		b.open[id].payload = nil
		b.kept--
	}
}

func (b *Board) remove(id journal.ID) {
	if e, ok := b.open[id]; ok {
		if e.payload != nil {
			b.kept--
		}
		delete(b.open, id)
		at, _ := slices.BinarySearchFunc(b.order, e, func(a, c *entry) int { return cmp.Compare(a.id.Key(), c.id.Key()) })
		b.order = slices.Delete(b.order, at, at+1)
	}
}

// remember keeps a bumped ticket for recall, and drops those that are neither among the last nor of the last hour.
func (b *Board) remember(e *entry) {
	station := b.own(e.station)
	list := append(b.bumped[station], e)
	limit := b.now().Add(-RecallFor)
	for len(list) > RecallTickets && (len(list) > recallMost || list[0].bumpedAt.Before(limit)) {
		list = list[1:]
	}
	b.bumped[station] = list
}

func (b *Board) forget(e *entry) {
	station := b.own(e.station)
	list := b.bumped[station]
	if at := slices.IndexFunc(list, func(old *entry) bool { return old.id == e.id }); at >= 0 {
		b.bumped[station] = slices.Delete(slices.Clone(list), at, at+1)
	}
}

// publish gives one event to every screen of the station; they share its bytes.
func (b *Board) publish(seq int64, station, name string, data []byte) {
	var frame []byte
	for _, s := range b.views(station) {
		if frame == nil {
			frame = api.AppendEvent(make([]byte, 0, len(data)+64), api.Event{ID: seq, Name: name, Data: data})
		}
		b.hubs[s].Publish(seq, frame)
	}
}

// tellAll gives one event to every screen.
func (b *Board) tellAll(seq int64, name string, data []byte) {
	frame := api.AppendEvent(nil, api.Event{ID: seq, Name: name, Data: data})
	for _, hub := range b.hubs {
		hub.Publish(seq, frame)
	}
}

// set follows a setting: when stations were closed or opened, every screen asks for its picture anew.
func (b *Board) set(c *journal.Change) {
	if !strings.HasPrefix(c.Subject, settingStation) {
		return
	}
	var s journal.Setting
	if unmarshal(c.Payload, &s) == nil && b.settle(s.Key, s.Value) {
		b.tellAll(c.Seq, "reload", []byte("{}"))
	}
}

// later tells the screens that what is scheduled changed. Most orders are for now, so this looks at no more than it must.
func (b *Board) later(c *journal.Change) {
	if bytes.Contains(c.Payload, scheduledState) || bytes.Contains(c.Payload, cancelledState) {
		b.tellAll(c.Seq, "later", []byte("{}"))
	}
}

// What an order's row in the feed says when it is for later, or wanted no more.
var (
	scheduledState = []byte(`"state":"scheduled"`)
	cancelledState = []byte(`"state":"cancelled"`)
)

// Snapshot is the whole picture of a screen.
type Snapshot struct {
	Epoch         string    `json:"epoch"`
	Seq           int64     `json:"seq"`
	Screen        string    `json:"screen"`
	Stations      []string  `json:"stations"`
	Open          int       `json:"open"`
	Now           time.Time `json:"now"`
	Language      string    `json:"language,omitzero"`
	RecallSeconds int       `json:"recall_seconds"`
	SoldOut       []SoldOut `json:"sold_out,omitzero"`
	Closed        []Closed  `json:"closed,omitzero" doc:"stations whose work another one does now"`
	Tickets       []Ticket  `json:"tickets"`
}

// Snapshot gives a screen's picture, and the reader of every event after it. false: there is no such screen.
func (b *Board) Snapshot(ctx context.Context, name string) (Snapshot, *screen.Reader, bool) {
	s, payloads, reader := b.snapshot(ctx, name)
	if reader == nil {
		return s, nil, false
	}
	for _, p := range payloads {
		s.Tickets = append(s.Tickets, (&entry{payload: p}).ticket())
	}
	return s, reader, true
}

// snapshot is Snapshot with the tickets as their JSON; the reader is nil when there is no such screen.
func (b *Board) snapshot(ctx context.Context, name string) (s Snapshot, payloads []jsontext.Value, reader *screen.Reader) {
	hub := b.hubs[name]
	if hub == nil {
		return s, nil, nil
	}
	var away []int64 // keys of the tickets whose JSON is not here; their places in payloads are empty
	b.mu.Lock()
	s = Snapshot{
		Epoch: b.journal.Epoch(), Seq: b.seq, Screen: name, Stations: b.served(name), Now: b.now().UTC(), SoldOut: b.soldOut, Closed: b.closed(),
		RecallSeconds: int(RecallFor.Seconds()), Tickets: []Ticket{},
	}
	for _, e := range b.order {
		if slices.Contains(b.views(e.station), name) {
			payloads = append(payloads, e.payload)
			if e.payload == nil {
				away = append(away, e.id.Key())
			}
		}
	}
	reader = hub.Join()
	b.mu.Unlock()
	if len(away) > 0 {
		payloads = b.fetch(ctx, payloads, away)
	}
	s.Open = len(payloads)
	return s, payloads, reader
}

const selectContent = `SELECT content FROM tickets WHERE key = ?`

// fetch fills the empty places with what the journal has. A ticket that cannot be read is left out: the next beat tells the
// page that one is missing, and it asks again.
func (b *Board) fetch(ctx context.Context, payloads []jsontext.Value, keys []int64) []jsontext.Value {
	read, err := b.journal.Read().PrepareContext(ctx, selectContent)
	if err == nil {
		defer read.Close()
	}
	for i := range payloads {
		if payloads[i] != nil {
			continue
		}
		if err == nil {
			err = read.QueryRowContext(ctx, keys[0]).Scan((*[]byte)(&payloads[i]))
		}
		keys = keys[1:]
	}
	if err != nil && ctx.Err() == nil {
		b.log.Error("open tickets not read from the journal", "err", err)
	}
	return slices.DeleteFunc(payloads, func(p jsontext.Value) bool { return p == nil })
}

// Resume gives the reader of every event after seq; false when some of them are no longer kept.
func (b *Board) Resume(name string, seq int64) (*screen.Reader, bool) {
	hub := b.hubs[name]
	if hub == nil || seq > b.Seq() {
		return nil, false
	}
	return hub.Resume(seq)
}

// Seq is the change the board stands at.
func (b *Board) Seq() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seq
}

// Beat is what a screen hears every few seconds, to know that it is live and complete.
type Beat struct {
	Now  time.Time `json:"now"`
	Open int       `json:"open"`
	Seq  int64     `json:"seq"`
}

// Beat gives the beat of a screen.
func (b *Board) Beat(name string) Beat {
	b.mu.Lock()
	defer b.mu.Unlock()
	beat := Beat{Now: b.now().UTC(), Seq: b.seq}
	for _, e := range b.order {
		if slices.Contains(b.views(e.station), name) {
			beat.Open++
		}
	}
	return beat
}

// Recall lists what a station can bring back, newest first.
func (b *Board) Recall(station string) ([]Ticket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.screens[station]; !ok {
		return nil, fmt.Errorf("station %q: %w", station, ErrUnknown)
	}
	tickets := []Ticket{}
	for _, e := range slices.Backward(b.bumped[station]) {
		tickets = append(tickets, e.ticket())
	}
	return tickets, nil
}

// OrdersAt lists the orders of guests at a table of which a screen shows a ticket.
func (k *Kitchen) OrdersAt(table string) []journal.ID {
	b := k.board
	b.mu.Lock()
	defer b.mu.Unlock()
	var orders []journal.ID
	for _, e := range b.order {
		if e.payload == nil || slices.Contains(orders, e.order) { // without its text: far more are open than can be cooked
			continue
		}
		if t := e.ticket(); t.Table == table && t.Service == sale.DineIn {
			orders = append(orders, e.order)
		}
	}
	return orders
}

// Screens counts the readers of each screen now.
func (b *Board) Screens() map[string]int {
	n := make(map[string]int, len(b.hubs))
	for name, hub := range b.hubs {
		n[name] = hub.Readers()
	}
	return n
}

// picture appends the snapshot event of a screen and gives the reader of what follows.
func (b *Board) picture(ctx context.Context, name string, into []byte) (*screen.Reader, []byte) {
	s, payloads, reader := b.snapshot(ctx, name)
	raw := struct {
		Snapshot
		Tickets []jsontext.Value `json:"tickets"` // in place of the snapshot's own
	}{s, payloads}
	return reader, api.AppendEvent(into, api.Event{ID: s.Seq, Name: "snapshot", Data: encode(raw)})
}

// greet appends what a reader gets besides the tickets when it comes: how the devices are, and a first beat.
func (b *Board) greet(name string, into []byte) []byte {
	b.mu.Lock()
	health := b.health
	b.mu.Unlock()
	if health != nil {
		into = api.AppendEvent(into, api.Event{Name: "health", Data: health})
	}
	return b.beat(name, into)
}

// beat appends the beat event of a screen. It carries no id, so that a reader resumes where its tickets stand.
func (b *Board) beat(name string, into []byte) []byte {
	return api.AppendEvent(into, api.Event{Name: "beat", Data: encode(b.Beat(name))})
}

// encode writes values of this package, which always have a JSON form.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
