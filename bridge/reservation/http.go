package reservation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/generic"
)

type entries struct {
	Reservations []Entry `json:"reservations"`
}

type seatAt struct {
	Tables []string `json:"tables,omitzero" doc:"names of the floor; absent: those of the reservation"`
}

type assignTo struct {
	Tables []string `json:"tables" doc:"names of the floor"`
}

type linkTo struct {
	Check journal.ID `json:"check"`
}

type coversOf struct {
	Covers int `json:"covers" minimum:"1" maximum:"1000"`
}

// Routes are the calls on reservations, the platforms' webhooks, and what people set up of them.
func (s *Service) Routes() []api.Route {
	staff := []access.Role{access.Manager, access.Staff, access.Till}
	tags := []string{"reservations"}
	key := []api.Param{{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same request again without a second effect; kept 30 days"}}
	problems := []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
	act := func(what, summary string, body any, handle func(http.ResponseWriter, *http.Request) error) api.Route {
		return api.Route{Method: "POST", Path: "/v1/reservations/{id}/" + what, Roles: staff, Tags: tags, Summary: summary, Params: key, Body: body, Answer: Entry{}, Problems: problems, Handle: handle}
	}
	end := func(status booking.Status) func(http.ResponseWriter, *http.Request) error {
		return s.acting(func(ctx context.Context, by access.Principal, key string, id journal.ID) (Entry, error) {
			return s.End(ctx, by, key, id, status)
		})
	}
	routes := []api.Route{
		{Method: "GET", Path: "/v1/reservations", Roles: staff, Tags: tags, Summary: "The synced reservations", Params: []api.Param{
			{Name: "from", Doc: "first business day, 2026-11-21, or a moment of it"}, {Name: "to", Doc: "last business day, included"}, {Name: "platform"},
			{Name: "state", Doc: "of the reservation"}, {Name: "order_state", Doc: "of the order"}, {Name: "q", Doc: "part of a name or id, or a table"}, {Name: "limit", Type: 0, Doc: "1 to 1000"},
		}, Answer: entries{}, Handle: s.getReservations},
		{Method: "GET", Path: "/v1/reservations/{id}", Roles: staff, Tags: tags, Summary: "One reservation with its time line", Answer: Details{}, Problems: []int{http.StatusNotFound}, Handle: s.getReservation},
		act("seat", "Seat the party", seatAt{}, s.postSeat),
		act("assign", "Give the party other tables", assignTo{}, s.postAssign),
		act("covers", "Say how many people the party is", coversOf{}, s.postCovers),
		act("retry", "Try again to open the check of a seated party", nil, s.acting(s.Retry)),
		act("link", "Make an open check the party's", linkTo{}, s.postLink),
		act("cancel", "Cancel the reservation", nil, end(booking.Cancelled)),
		act("no-show", "Note that nobody came", nil, end(booking.NoShow)),
		act("deposit", "Pay the party's open check by what is left of its deposits", nil, s.acting(s.PayDeposit)),
		{Method: "PUT", Path: "/v1/platforms/{platform}/restaurants/{venue}/reservations/{id}", Roles: []access.Role{access.Aggregator}, Tags: tags,
			Summary: "Tell of a reservation", Doc: "For platforms without a client of their own here. A message that is older than what is known is answered well and changes nothing.",
			Body: generic.Push{}, Answer: generic.Accepted{}, Status: http.StatusAccepted, Problems: []int{http.StatusNotFound, http.StatusServiceUnavailable}, Admit: true, Handle: s.putReservation},
	}
	routes = append(routes, s.integrationRoutes()...)
	for _, i := range s.links {
		if i.Client == nil || !i.can.Webhooks {
			continue
		}
		for _, path := range []string{"/webhooks/" + i.Name, "/webhooks/" + i.Name + "/{venue}"} {
			routes = append(routes, api.Route{Method: "POST", Path: path, Tags: []string{"webhooks"}, Summary: "Messages of " + i.Title, Status: http.StatusNoContent, Also: []int{http.StatusOK},
				Problems: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}, Admit: true,
				Handle: func(w http.ResponseWriter, r *http.Request) error { return s.webhook(w, r, i) }})
		}
	}
	return routes
}

// acting answers an act that has no body.
func (s *Service) acting(do func(context.Context, access.Principal, string, journal.ID) (Entry, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, key, err := idAndKey(r)
		if err != nil {
			return err
		}
		e, err := do(r.Context(), access.From(r.Context()), key, id)
		return answer(w, e, err)
	}
}

func (s *Service) getReservations(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := Filter{Platform: q.Get("platform"), State: q.Get("state"), Order: q.Get("order_state"), Text: strings.TrimSpace(q.Get("q"))}
	var faults []api.Fault
	for _, d := range []struct {
		name string
		dst  *string
	}{{"from", &f.From}, {"to", &f.To}} {
		text := q.Get(d.name)
		if text == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			*d.dst = text
		} else if at, err := time.Parse(time.RFC3339, text); err == nil {
			*d.dst = s.c.Calendar.Day(at)
		} else {
			faults = append(faults, api.Fault{Pointer: "?" + d.name, Detail: "is neither a day as 2026-11-21 nor a moment as 2026-11-21T19:00:00Z"})
		}
	}
	if f.State != "" && !booking.Status(f.State).Valid() {
		faults = append(faults, api.Fault{Pointer: "?state", Detail: "is no state of a reservation"})
	}
	if f.Order != "" && !slices.Contains([]string{None, Pending, Open, Failed, Closed}, f.Order) {
		faults = append(faults, api.Fault{Pointer: "?order_state", Detail: "is none of none, pending, open, failed, closed"})
	}
	if text := q.Get("limit"); text != "" {
		if _, err := fmt.Sscanf(text, "%d", &f.Limit); err != nil || f.Limit < 1 || f.Limit > MaxListed {
			faults = append(faults, api.Fault{Pointer: "?limit", Detail: fmt.Sprintf("is not a number from 1 to %d", MaxListed)})
		}
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	list, err := s.List(r.Context(), f)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, entries{list})
}

func (s *Service) getReservation(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "reservation")
	if err != nil {
		return err
	}
	d, err := s.Get(r.Context(), id)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, d)
}

func (s *Service) postSeat(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v seatAt
	if r.ContentLength != 0 {
		if err := api.Decode(w, r, &v); err != nil {
			return err
		}
	}
	if err := api.Invalid(s.checkTables(v.Tables)); err != nil {
		return err
	}
	e, err := s.Seat(r.Context(), access.From(r.Context()), key, id, v.Tables)
	return answer(w, e, err)
}

func (s *Service) postAssign(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v assignTo
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	faults := s.checkTables(v.Tables)
	if len(v.Tables) == 0 {
		faults = append(faults, api.Fault{Pointer: "/tables", Detail: "names no table"})
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	e, err := s.Assign(r.Context(), access.From(r.Context()), key, id, v.Tables)
	return answer(w, e, err)
}

func (s *Service) checkTables(tables []string) []api.Fault {
	var faults []api.Fault
	wrong := func(n int, detail string) {
		faults = append(faults, api.Fault{Pointer: fmt.Sprintf("/tables/%d", n), Detail: detail})
	}
	if len(tables) > maxTables {
		return []api.Fault{{Pointer: "/tables", Detail: fmt.Sprintf("names more than %d tables", maxTables)}}
	}
	for n, t := range tables {
		switch {
		case t == "" || !s.c.Floor.Known(t):
			wrong(n, "is no table of the floor; see /v1/tables")
		case slices.Contains(tables[:n], t):
			wrong(n, "stands twice")
		}
	}
	return faults
}

func (s *Service) postCovers(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v coversOf
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	if v.Covers < 1 || v.Covers > maxParty {
		return api.Invalid([]api.Fault{{Pointer: "/covers", Detail: fmt.Sprintf("is not a number from 1 to %d", maxParty)}})
	}
	e, err := s.Covers(r.Context(), access.From(r.Context()), key, id, v.Covers)
	return answer(w, e, err)
}

func (s *Service) postLink(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v linkTo
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	e, err := s.Link(r.Context(), access.From(r.Context()), key, id, v.Check)
	return answer(w, e, err)
}

func (s *Service) putReservation(w http.ResponseWriter, r *http.Request) error {
	platform, venue, id := r.PathValue("platform"), r.PathValue("venue"), r.PathValue("id")
	i := s.link(platform)
	if i == nil || i.Venue != venue {
		if i != nil {
			s.reject(i, http.StatusNotFound, "for venue "+venue, id, nil)
		}
		return api.NotFound("integration", platform+"/"+venue)
	}
	if !i.on() {
		return off()
	}
	body, err := read(w, r)
	if err != nil {
		s.reject(i, http.StatusRequestEntityTooLarge, err.Error(), id, nil)
		return err
	}
	m, err := generic.Parse(body, id)
	if err != nil {
		s.reject(i, http.StatusUnprocessableEntity, err.Error(), id, body)
		return problem(err)
	}
	v, err := s.push(r.Context(), i, m)
	if err != nil {
		var wrong *booking.Malformed
		if errors.As(err, &wrong) {
			s.reject(i, http.StatusUnprocessableEntity, err.Error(), id, body)
		}
		return problem(err)
	}
	s.Heard(platform, true)
	return api.Answer(w, http.StatusAccepted, generic.Accepted{PlatformCode: platform, PlatformRestaurantID: venue, PlatformReservationID: id, Accepted: v.Applied})
}

// read reads a body that is a mebibyte at most.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &api.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "the body is larger than 1 MiB"}
	case err != nil:
		return nil, &api.Problem{Status: http.StatusBadRequest, Code: "unreadable", Detail: "the body broke off"}
	}
	return body, nil
}

// push takes a message of the generic inbound API, with its rules for deposits.
func (s *Service) push(ctx context.Context, i *integration, m booking.Reservation) (v Verdict, err error) {
	if faults := clean(&m, i); len(faults) > 0 {
		return v, &booking.Malformed{Faults: faults}
	}
	err = s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
		v, err = s.take(tx, i, &m, true)
		return err
	})
	return v, err
}

func off() *api.Problem {
	return &api.Problem{Status: http.StatusNotFound, Code: "integration_inactive", Detail: "the integration is switched off; activate it under Integration > Reservations"}
}

func answer(w http.ResponseWriter, e Entry, err error) error {
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, e)
}

func idAndKey(r *http.Request) (journal.ID, string, error) {
	id, err := api.PathID(r, "reservation")
	if err != nil {
		return id, "", err
	}
	key, err := api.IdempotencyKey(r)
	return id, key, err
}

// problem gives the service's errors their place in HTTP; others pass through.
func problem(err error) error {
	var wrong *booking.Malformed
	switch {
	case errors.As(err, &wrong):
		var faults []api.Fault
		for _, f := range wrong.Faults {
			faults = append(faults, api.Fault(f))
		}
		return api.Invalid(faults)
	case errors.Is(err, ErrNone), errors.Is(err, ErrPlatform):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrOther):
		return api.Conflict("other_content", err.Error())
	case errors.Is(err, ErrOff):
		return api.Conflict("integration_inactive", err.Error())
	case errors.Is(err, ErrTaken):
		return api.Conflict(TableUnavailable, err.Error())
	case errors.Is(err, ErrNotSeated):
		return api.Conflict("not_seated", err.Error())
	case errors.Is(err, ErrUnsupported):
		return api.Conflict("not_supported", err.Error())
	case errors.Is(err, ErrLinked), errors.Is(err, ErrHasCheck), errors.Is(err, ErrOver):
		return api.Conflict("state", err.Error())
	case errors.Is(err, ErrCheck):
		return api.Invalid([]api.Fault{{Pointer: "/check", Detail: err.Error()}})
	case errors.Is(err, ErrDeposit):
		return api.Conflict("deposit", err.Error())
	}
	return err
}
