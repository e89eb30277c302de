package expo

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/devices/screen"
)

// Name is the screen that a device at the pass is paired as.
const Name = "expo"

// Station is a place that cooks, in the order of the lamps.
type Station struct {
	Name   string
	Screen bool // it has one, so somebody there says when a ticket is ready
}

// Config of an Expo; Journal is required.
type Config struct {
	Journal  *journal.Journal
	Stations []Station
	Now      func() time.Time // nil means time.Now
}

// kept is how many events wait for a slow screen before it starts from a snapshot again.
const kept = 256

// pace is the least time between two looks at what changed: a hand's movement shows at once, a rush in one go.
const pace = 40 * time.Millisecond

// Expo is the pass. Its methods may be called from any goroutine.
type Expo struct {
	c       Config
	place   map[string]int  // of each station among the lamps
	screens map[string]bool // stations that have one
	hub     *screen.Hub
	readers atomic.Int64  // without one nothing is gathered
	wake    chan struct{} // of size 1: dirty is not empty

	mu     sync.Mutex // guards what follows; held for memory only
	dirty  map[journal.ID]struct{}
	shown  map[journal.ID]struct{} // orders that the latest events left on the screens
	seq    int64                   // change that the events stand at
	health []byte                  // the latest health event's data
}

// New returns the pass of a journal that does not run yet.
func New(c Config) *Expo {
	if c.Now == nil {
		c.Now = time.Now
	}
	e := &Expo{
		c: c, place: map[string]int{}, screens: map[string]bool{}, hub: screen.New(kept, c.Journal.Seq()), wake: make(chan struct{}, 1),
		dirty: map[journal.ID]struct{}{}, shown: map[journal.ID]struct{}{}, seq: c.Journal.Seq(),
	}
	for i, s := range c.Stations {
		e.place[s.Name], e.screens[s.Name] = i+1, s.Screen
	}
	c.Journal.Watch(e.follow)
	return e
}

// orderMember is how a ticket's JSON names its order.
var orderMember = []byte(`"order":"`)

// follow notes on the journal's writer goroutine which orders changed.
func (e *Expo) follow(changes []journal.Change) {
	if e.readers.Load() == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range changes {
		c := &changes[i]
		e.seq = c.Seq
		var text []byte
		switch c.Kind {
		case "order":
			text = []byte(c.Subject)
		case "ticket":
			if _, text, _ = bytes.Cut(c.Payload, orderMember); len(text) > 36 {
				text = text[:36]
			}
		default:
			continue
		}
		if id, err := journal.ParseID(string(text)); err == nil {
			e.dirty[id] = struct{}{}
		}
	}
	if len(e.dirty) > 0 {
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
}

// Run tells the screens of every order that changed, until ctx ends.
func (e *Expo) Run(ctx context.Context) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		}
		if err := e.tell(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		pause.Reset(pace)
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
	}
}

// tell reads the rows of the orders that changed and publishes them.
func (e *Expo) tell(ctx context.Context) error {
	e.mu.Lock()
	dirty := e.dirty
	e.dirty = map[journal.ID]struct{}{}
	e.mu.Unlock()
	for id := range dirty {
		rows, err := e.rows(ctx, selectOrder, id.Key())
		if err != nil {
			e.mu.Lock()
			e.dirty[id] = struct{}{} // looked at again when the service has started anew
			e.mu.Unlock()
			return err
		}
		if len(rows) == 1 && rows[0].ID == id && rows[0].State != handedOff && onPass(rows[0].State) {
			e.publish(id, true, "row", encode(rows[0]))
			continue
		}
		e.mu.Lock()
		_, was := e.shown[id]
		e.mu.Unlock()
		if was {
			e.publish(id, false, "row-removed", encode(removed{id}))
		}
	}
	return nil
}

// onPass tells whether an order in this state is the pass's business.
func onPass(state string) bool {
	return state == "accepted" || state == "prepared" || state == "cancelled"
}

// removed is the data of a row-removed event.
type removed struct {
	ID journal.ID `json:"id"`
}

func (e *Expo) publish(id journal.ID, shown bool, name string, data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if shown {
		e.shown[id] = struct{}{}
	} else {
		delete(e.shown, id)
	}
	e.hub.Publish(e.seq, api.AppendEvent(nil, api.Event{ID: e.seq, Name: name, Data: data}))
}

// SetHealth tells the pass how the devices are. data is one line of JSON.
func (e *Expo) SetHealth(data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.health = data
	e.hub.Publish(e.seq, api.AppendEvent(nil, api.Event{Name: "health", Data: data}))
}

// Snapshot is the whole picture of the pass.
type Snapshot struct {
	Epoch string    `json:"epoch"`
	Seq   int64     `json:"seq"`
	Open  int       `json:"open"`
	Now   time.Time `json:"now"`
	Rows  []Row     `json:"rows"`
}

// Beat is what the pass hears every few seconds, to know that it is live and complete.
type Beat struct {
	Now  time.Time `json:"now"`
	Open int       `json:"open"`
	Seq  int64     `json:"seq"`
}

// picture appends the snapshot event, and gives the reader of what follows it.
func (e *Expo) picture(ctx context.Context, into []byte) (*screen.Reader, []byte, error) {
	// Joined first: what changes while the rows are read comes as an event of its own, with the row as it then is.
	reader := e.hub.Join()
	e.mu.Lock()
	s := Snapshot{Epoch: e.c.Journal.Epoch(), Seq: e.seq, Now: e.c.Now().UTC()}
	e.mu.Unlock()
	var err error
	if s.Rows, err = e.open(ctx); err != nil {
		reader.Close()
		return nil, into, err
	}
	s.Open = len(s.Rows)
	e.mu.Lock()
	clear(e.shown)
	for i := range s.Rows {
		e.shown[s.Rows[i].ID] = struct{}{}
	}
	health := e.health
	e.mu.Unlock()
	into = api.AppendEvent(into, api.Event{ID: s.Seq, Name: "snapshot", Data: encode(s)})
	if health != nil {
		into = api.AppendEvent(into, api.Event{Name: "health", Data: health})
	}
	return reader, into, nil
}

func (e *Expo) beat(into []byte) []byte {
	e.mu.Lock()
	b := Beat{Now: e.c.Now().UTC(), Open: len(e.shown), Seq: e.seq}
	e.mu.Unlock()
	return api.AppendEvent(into, api.Event{Name: "beat", Data: encode(b)})
}

// encode writes values of this package, which always have a JSON form.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
