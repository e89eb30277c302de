package box

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/devices/screen"
)

// feed gives the journal's change feed to programs and to the console's pages.
type feed struct {
	journal *journal.Journal
	hub     *screen.Hub
	now     atomic.Int64 // readers there are; without one nothing is formatted
}

// feedKept is how many changes a console that lost its connection can resume from memory; older ones it reads from
// the journal.
const feedKept = 256

// feedPage is the most changes one answer holds.
const feedPage = 1000

func newFeed(j *journal.Journal) *feed {
	f := &feed{journal: j, hub: screen.New(feedKept, j.Seq())}
	j.Watch(f.follow)
	return f
}

// follow runs on the journal's writer goroutine.
func (f *feed) follow(changes []journal.Change) {
	watched := f.now.Load() > 0
	for i := range changes {
		var frame []byte
		if watched {
			frame = event(&changes[i])
		}
		f.hub.Publish(changes[i].Seq, frame)
	}
}

func event(c *journal.Change) []byte {
	data, err := json.Marshal(view(c))
	if err != nil {
		return nil // a payload that is no JSON; the row itself stays readable in the journal
	}
	return api.AppendEvent(nil, api.Event{ID: c.Seq, Name: c.Kind, Data: data})
}

// change is a row of the feed as the API shows it.
type change struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind" enum:"order,ticket,job,printer,warning,setting,access,posting,pms,check,menu"`
	Subject string          `json:"subject"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func view(c *journal.Change) change {
	return change{c.Seq, c.At, c.Kind, c.Subject, json.RawMessage(c.Payload)}
}

// changes answers GET /v1/changes.
type changes struct {
	Changes []change `json:"changes"`
	Seq     int64    `json:"seq" doc:"number of the latest change there is"`
	Epoch   string   `json:"epoch" doc:"made with the journal: another one means another journal"`
}

func (f *feed) routes() []api.Route {
	return []api.Route{{
		Method: "GET", Path: "/v1/changes", Roles: []access.Role{access.Manager, access.Staff, access.Till}, Tags: []string{"changes"},
		Summary: "The change feed, as JSON or, with Accept: text/event-stream, as events named by kind",
		Params: []api.Param{
			{Name: "after", Type: 0, Doc: "number of the last change known; 0 or absent: from the oldest kept"},
			{Name: "limit", Type: 0, Doc: "1 to 1000; 100 when absent"},
		},
		Answer: changes{}, Problems: []int{http.StatusGone, http.StatusUnprocessableEntity}, Handle: f.get,
	}}
}

func (f *feed) get(w http.ResponseWriter, r *http.Request) error {
	after, err := number(r, "after", 0)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", 100)
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		if last, ok := api.LastEventID(r); ok {
			after = last
		}
		return f.stream(w, r, after)
	}
	rows, err := f.journal.Since(r.Context(), after, int(min(max(limit, 1), feedPage)))
	if err != nil {
		return f.problem(err)
	}
	answer := changes{Changes: make([]change, len(rows)), Seq: f.journal.Seq(), Epoch: f.journal.Epoch()}
	for i := range rows {
		answer.Changes[i] = view(&rows[i])
	}
	return api.Answer(w, http.StatusOK, answer)
}

func (f *feed) problem(err error) error {
	if errors.Is(err, journal.ErrHorizon) {
		return &api.Problem{Status: http.StatusGone, Code: "beyond_horizon", Detail: "changes that old are no longer kept; read the present state and go on from seq",
			Extra: map[string]any{"seq": f.journal.Seq()}}
	}
	return err
}

func number(r *http.Request, name string, otherwise int64) (int64, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, api.Invalid([]api.Fault{{Pointer: "?" + name, Detail: "is not a whole number of at least 0"}})
	}
	return n, nil
}

// stream first reads from the journal what the reader missed, then follows.
func (f *feed) stream(w http.ResponseWriter, r *http.Request, after int64) error {
	f.now.Add(1)
	defer f.now.Add(-1)
	reader := f.hub.Join()
	defer func() { reader.Close() }()
	known := f.journal.Seq() // the reader has all that comes after, perhaps some of it twice
	if after == 0 || after > known {
		after = known
	}
	stream, err := api.NewEvents(w, r)
	if err != nil {
		return nil // the reader is gone already
	}
	defer stream.Close()
	for after < known {
		rows, err := f.journal.Since(r.Context(), after, feedPage)
		if err != nil || len(rows) == 0 {
			break // too old: the console reads everything anew when it connects
		}
		var buffer []byte
		for i := range rows {
			buffer = append(buffer, event(&rows[i])...)
			after = rows[i].Seq
		}
		if stream.Write(buffer) != nil {
			return nil
		}
	}
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	var frames [][]byte
	for {
		var buffer []byte
		select {
		case <-stream.Context().Done():
			return nil
		case <-beat.C:
			buffer = []byte(": beat\n\n")
		case <-reader.Wake():
			if frames, err = reader.Take(frames[:0]); err != nil {
				return nil // fell behind: the browser comes back with the number it has
			}
			for _, frame := range frames {
				buffer = append(buffer, frame...)
			}
			clear(frames)
		}
		if len(buffer) > 0 && stream.Write(buffer) != nil {
			return nil
		}
	}
}
