package expo

import (
	"net/http"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/devices/screen"
)

// beatEvery is how often a screen hears that it is live.
const beatEvery = 5 * time.Second

// list answers rows.
type list struct {
	Rows []Row `json:"rows"`
}

// Routes are the calls of the pass.
func (e *Expo) Routes() []api.Route {
	pass := []access.Role{access.Manager, access.Staff, access.Screen}
	return []api.Route{
		{Method: "GET", Path: "/v1/expo", Roles: pass, Tags: []string{"expo"}, Summary: "The orders at the pass, the oldest first", Answer: list{}, Handle: e.get},
		{Method: "GET", Path: "/v1/expo/handed-over", Roles: pass, Tags: []string{"expo"}, Summary: "The last 50 orders that were handed over, the newest first", Answer: list{}, Handle: e.handedOver},
		{Method: "GET", Path: "/v1/expo/events", Roles: pass, Tags: []string{"expo"}, Type: "text/event-stream", Summary: "What the pass shows, as server-sent events",
			Doc: "snapshot first, then row and row-removed; beat every 5 s.", Answer: Snapshot{}, Handle: e.events},
	}
}

// allowed keeps the devices of other screens out.
func allowed(r *http.Request) error {
	if p := access.From(r.Context()); p.Role == access.Screen && p.Screen != Name {
		return &api.Problem{Status: http.StatusForbidden, Code: "other_screen", Detail: "this device is paired as screen " + p.Screen + "; pair it again as " + Name}
	}
	return nil
}

func (e *Expo) get(w http.ResponseWriter, r *http.Request) error {
	if err := allowed(r); err != nil {
		return err
	}
	rows, err := e.open(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, list{rows})
}

func (e *Expo) handedOver(w http.ResponseWriter, r *http.Request) error {
	if err := allowed(r); err != nil {
		return err
	}
	rows, err := e.gone(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, list{rows})
}

func (e *Expo) events(w http.ResponseWriter, r *http.Request) error {
	if err := allowed(r); err != nil {
		return err
	}
	e.readers.Add(1)
	defer e.readers.Add(-1)
	reader, buffer, err := e.picture(r.Context(), nil)
	if err != nil {
		return err
	}
	defer func() { reader.Close() }()
	stream, err := api.NewEvents(w, r)
	if err != nil {
		return nil // the reader is gone already
	}
	defer stream.Close()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	buffer = e.beat(buffer)
	var frames [][]byte
	for {
		// A write that cannot go on ends the stream; the browser comes back by itself.
		if len(buffer) > 0 && stream.Write(buffer) != nil {
			return nil
		}
		buffer = buffer[:0]
		select {
		case <-stream.Context().Done():
			return nil
		case <-beat.C:
			buffer = e.beat(buffer)
		case <-reader.Wake():
			if frames, err = reader.Take(frames[:0]); err != nil {
				var again *screen.Reader
				if again, buffer, err = e.picture(r.Context(), buffer); err != nil {
					return nil // the browser comes back and is told why
				}
				reader.Close()
				reader = again
			}
			for _, f := range frames {
				buffer = append(buffer, f...)
			}
			clear(frames)
		}
	}
}
