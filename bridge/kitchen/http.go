package kitchen

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/devices/screen"
	"aboyeur/protocol/escpos"
)

// BeatEvery is how often a screen hears that it is live.
const BeatEvery = 5 * time.Second

// tickets answers a list of tickets.
type tickets struct {
	Tickets []Ticket `json:"tickets"`
}

// Routes are the calls on tickets, jobs and screens.
func (k *Kitchen) Routes() []api.Route {
	cooks := []access.Role{access.Manager, access.Staff, access.Screen}
	readers := []access.Role{access.Manager, access.Staff, access.Till, access.Screen}
	idempotency := []api.Param{{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same act again without a second effect; kept 30 days"}}
	routes := []api.Route{
		{Method: "GET", Path: "/v1/screens/{screen}/events", Roles: cooks, Tags: []string{"screens"}, Type: "text/event-stream",
			Summary: "What a kitchen screen shows, as server-sent events",
			Doc:     "snapshot first, then ticket, ticket-updated, ticket-removed; beat every 5 s. id is the change number; Last-Event-ID gets what is missing, or a snapshot when that is no longer kept.",
			Answer:  Snapshot{}, Problems: []int{http.StatusNotFound}, Handle: k.events},
		{Method: "POST", Path: "/v1/screens/{screen}/alive", Roles: cooks, Tags: []string{"screens"}, Status: http.StatusNoContent,
			Summary:  "Say that the screen's page works; one that has said so and falls silent for 15 s is stood in for by its backup",
			Problems: []int{http.StatusNotFound}, Handle: k.alive},
		{Method: "GET", Path: "/v1/stations/{station}/recall", Roles: cooks, Tags: []string{"tickets"},
			Summary: "The tickets a station can bring back, newest first", Answer: tickets{}, Problems: []int{http.StatusNotFound}, Handle: k.recall},
		{Method: "GET", Path: "/v1/jobs/{id}", Roles: readers, Tags: []string{"printers"},
			Summary: "One ticket on one printer, with its steps", Answer: Job{}, Problems: []int{http.StatusNotFound}, Handle: k.job},
		{Method: "GET", Path: "/v1/jobs/{id}/preview.png", Roles: readers, Tags: []string{"printers"}, Type: "image/png",
			Summary: "The ticket as it looks on paper", Problems: []int{http.StatusNotFound}, Handle: k.preview},
		{Method: "POST", Path: "/v1/tickets/{id}/reprint", Roles: cooks, Tags: []string{"tickets"}, Params: idempotency,
			Summary: "Print a ticket once more, under the REPRINT banner", Answer: Ticket{}, Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: k.reprint},
		{Method: "POST", Path: "/v1/tickets/{id}/painted", Roles: cooks, Tags: []string{"tickets"},
			Summary: "Say that a screen has shown the ticket", Status: http.StatusNoContent, Handle: k.painted},
	}
	for _, a := range []struct{ act, summary string }{
		{"start", "Begin to cook a ticket"}, {"bump", "Finish a ticket: it leaves its screens"}, {"undo", "Take a bump back"},
		{"recall", "Bring a bumped ticket back to its screens"}, {"seen", "Take note of a change, a cancellation or an allergy"},
		{"fire", "Let a held ticket be cooked: it is printed now"}, {"hold", "Hold a ticket back until it is fired"},
		{"priority", "Cook a ticket before the others"}, {"unpriority", "Take that back"},
	} {
		routes = append(routes, api.Route{
			Method: "POST", Path: "/v1/tickets/{id}/" + a.act, Roles: cooks, Tags: []string{"tickets"}, Params: idempotency,
			Summary: a.summary, Doc: "409 with the ticket when somebody else moved it on.", Answer: Ticket{},
			Problems: []int{http.StatusNotFound, http.StatusConflict},
			Handle:   func(w http.ResponseWriter, r *http.Request) error { return k.act(w, r, a.act) },
		})
	}
	for _, a := range []struct {
		act, summary string
		done         bool
	}{{"tick", "Say that a line of a ticket is done", true}, {"untick", "Take that back", false}} {
		routes = append(routes, api.Route{
			Method: "POST", Path: "/v1/tickets/{id}/items/{n}/" + a.act, Roles: cooks, Tags: []string{"tickets"}, Params: idempotency,
			Summary: a.summary, Doc: "n is the line's n. 409 with the ticket when somebody else moved it on, or nobody has seen its allergy or change yet.", Answer: Ticket{},
			Problems: []int{http.StatusNotFound, http.StatusConflict},
			Handle:   func(w http.ResponseWriter, r *http.Request) error { return k.tick(w, r, a.done) },
		})
	}
	routes = append(routes, k.serviceRoutes()...)
	routes = append(routes, k.screenRoutes()...)
	return append(routes, k.printerRoutes()...)
}

func (k *Kitchen) tick(w http.ResponseWriter, r *http.Request, done bool) error {
	id, err := api.PathID(r, "ticket")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return api.NotFound("line", r.PathValue("n"))
	}
	t, err := k.Tick(r.Context(), access.From(r.Context()), key, id, n, done)
	return answer(w, t, err)
}

func (k *Kitchen) act(w http.ResponseWriter, r *http.Request, name string) error {
	id, err := api.PathID(r, "ticket")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	t, err := k.Act(r.Context(), access.From(r.Context()), key, name, id)
	return answer(w, t, err)
}

func (k *Kitchen) reprint(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "ticket")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	t, err := k.Reprint(r.Context(), access.From(r.Context()), key, id)
	return answer(w, t, err)
}

func (k *Kitchen) painted(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "ticket")
	if err != nil {
		return err
	}
	if err := k.Painted(r.Context(), access.From(r.Context()).Name, id); err != nil {
		return problem(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (k *Kitchen) alive(w http.ResponseWriter, r *http.Request) error {
	if name := r.PathValue("screen"); !k.board.Alive(name) {
		return api.NotFound("screen", name)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (k *Kitchen) recall(w http.ResponseWriter, r *http.Request) error {
	list, err := k.board.Recall(r.PathValue("station"))
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, tickets{list})
}

func (k *Kitchen) job(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "job")
	if err != nil {
		return err
	}
	j, _, err := k.Job(r.Context(), id)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, j)
}

func (k *Kitchen) preview(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "job")
	if err != nil {
		return err
	}
	j, body, err := k.Job(r.Context(), id)
	if err != nil {
		return problem(err)
	}
	q := k.Queue(j.Printer)
	if q == nil {
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "printer " + j.Printer + " is not configured any more, so nobody knows how its paper looks"}
	}
	w.Header().Set("Cache-Control", "private, max-age=86400")
	return q.picture(w, body)
}

// picture answers a body as it looks on the printer's paper.
func (q *Queue) picture(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Type", "image/png")
	stream := append(escpos.AppendInit(nil, q.c.Profile, q.c.Words.Lang()), body...)
	return escpos.Render(stream, q.c.Profile).PNG(w)
}

// events is the stream of one screen.
func (k *Kitchen) events(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("screen")
	if p := access.From(r.Context()); p.Role == access.Screen && p.Screen != name {
		return &api.Problem{Status: http.StatusForbidden, Code: "other_screen", Detail: "this device is paired as screen " + p.Screen + "; pair it again to show another"}
	}
	board := k.board
	if board.hubs[name] == nil {
		return api.NotFound("screen", name)
	}
	stream, err := api.NewEvents(w, r)
	if err != nil {
		return nil // the reader is gone already
	}
	defer stream.Close()
	var buffer []byte
	var frames [][]byte
	var reader *screen.Reader
	resumed := false
	if last, ok := api.LastEventID(r); ok {
		reader, resumed = board.Resume(name, last)
	}
	if !resumed {
		reader, buffer = board.picture(r.Context(), name, buffer)
	}
	defer func() { reader.Close() }()
	beat := time.NewTicker(BeatEvery)
	defer beat.Stop()
	buffer = board.greet(name, buffer)
	for {
		// A write that cannot go on ends the stream; the browser comes back by itself and resumes.
		if len(buffer) > 0 && stream.Write(buffer) != nil {
			return nil
		}
		buffer = buffer[:0]
		select {
		case <-stream.Context().Done():
			return nil
		case <-beat.C:
			buffer = board.beat(name, buffer)
		case <-reader.Wake():
			if frames, err = reader.Take(frames[:0]); err != nil {
				reader.Close()
				reader, buffer = board.picture(r.Context(), name, buffer)
			}
			for _, f := range frames {
				buffer = append(buffer, f...)
			}
			clear(frames)
		}
	}
}

func answer(w http.ResponseWriter, t Ticket, err error) error {
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, t)
}

// problem gives the kitchen's errors their place in HTTP; others pass through.
func problem(err error) error {
	var lost *LostRace
	var state *StateError
	var inUse *InUseError
	var allergy *ErrAllergyUnseen
	var conflict *journal.ConflictError
	switch {
	case errors.As(err, &state):
		return &api.Problem{Status: http.StatusConflict, Code: "state", Detail: state.Error(), Extra: map[string]any{"state": state.State}}
	case errors.As(err, &inUse):
		return api.Conflict("in_use", inUse.Error())
	case errors.Is(err, ErrNameTaken):
		return api.Conflict("name_taken", err.Error())
	case errors.As(err, &allergy):
		return &api.Problem{Status: http.StatusConflict, Code: "allergy_unseen", Detail: allergy.Error(), Extra: map[string]any{"ticket": allergy.Ticket}}
	case errors.As(err, &conflict):
		return api.Conflict("lost_race", "somebody else changed it a moment ago; look again")
	case errors.Is(err, ErrSelf), errors.Is(err, ErrTaken), errors.Is(err, ErrTakes), errors.Is(err, ErrNoScreen):
		return api.Conflict("not_there", err.Error()+"; choose another station")
	case errors.Is(err, ErrSoldOutFull):
		return api.Conflict("full", err.Error()+"; say of some that they are back")
	case errors.As(err, &lost):
		return &api.Problem{Status: http.StatusConflict, Code: "lost_race", Detail: lost.Error(), Extra: map[string]any{"ticket": lost.Ticket}}
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrUnknownPrinter):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrNoPaper):
		return api.Conflict("no_paper", err.Error()+"; give it one in the configuration, or show the ticket on its screen")
	case errors.Is(err, journal.ErrKeyReused):
		return api.Conflict("key_reused", "this Idempotency-Key was used for another act")
	}
	return err
}
