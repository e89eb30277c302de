package pos

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/protocol/bepoz"
)

type bookingList struct {
	Bookings   []bepoz.Booking `json:"bookings"`
	AgeSeconds int64           `json:"age_seconds" doc:"since a platform was last heard"`
}

type tillList struct {
	Tills []Till `json:"tills"`
}

type openedCheck struct {
	Check string `json:"check"`
	Table string `json:"table"`
}

// Routes are the calls that a till's extension makes, and how its queue stands.
func (q *Queue) Routes() []api.Route {
	tills := []access.Role{access.Till, access.Staff, access.Manager}
	tags := []string{"till"}
	filter := []api.Param{
		{Name: "filter", Doc: "item of the till function Table Open Booking List: 0 all, 1 seated, 2 not seated, 4 active, 8 search; they add up"},
		{Name: "days", Doc: "its sub-item: 0 all, 1 today, 2 from and to, 4 tomorrow, 8 next 3 days, 16 next 7 days, 32 yesterday, 128 last week; they add up"},
		{Name: "q", Doc: "what to search for"},
		{Name: "from", Doc: "business day, as 2026-11-21"},
		{Name: "to", Doc: "business day, not included"},
	}
	return []api.Route{
		{Method: "POST", Path: "/v1/events/bepoz", Roles: tills, Tags: tags, Summary: "One message of a till's queue", Body: bepoz.Message{}, Answer: bepoz.Answer{},
			Problems: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable}, Handle: q.postEvent},
		{Method: "GET", Path: "/v1/tills", Roles: []access.Role{access.Manager, access.Staff}, Tags: tags, Summary: "Tills and their queues", Answer: tillList{}, Handle: q.getTills},
		{Method: "GET", Path: "/v1/till/bookings", Roles: tills, Tags: tags, Summary: "The booking list of a till", Params: filter, Answer: bookingList{},
			Problems: []int{http.StatusUnprocessableEntity}, Handle: q.getBookings},
		{Method: "GET", Path: "/v1/till/bookings/{id}", Roles: tills, Tags: tags, Summary: "One booking", Answer: bepoz.Booking{}, Problems: []int{http.StatusNotFound}, Handle: q.getBooking},
		{Method: "POST", Path: "/v1/till/bookings/{id}/open", Roles: tills, Tags: tags, Summary: "Open the check of a seated booking; twice gives the same check", Answer: openedCheck{},
			Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: q.postOpen},
		{Method: "GET", Path: "/v1/till/grid", Roles: tills, Tags: tags, Summary: "Graphical bookings and the booking grid are not supported", Problems: []int{http.StatusNotImplemented},
			Handle: func(http.ResponseWriter, *http.Request) error {
				return &api.Problem{Status: http.StatusNotImplemented, Code: "not_supported", Detail: "graphical table bookings and the booking grid are not supported; use the booking list"}
			}},
	}
}

func (q *Queue) postEvent(w http.ResponseWriter, r *http.Request) error {
	var m bepoz.Message
	if err := api.Decode(w, r, &m); err != nil {
		var p *api.Problem
		if errors.As(err, &p) {
			q.refuse(p.Status, p.Error(), "", nil)
		}
		return err
	}
	about := fmt.Sprintf("%s/%d", m.Till, m.Seq)
	var faults []api.Fault
	for _, f := range m.Faults() {
		faults = append(faults, api.Fault{Pointer: f.Pointer, Detail: f.Detail})
	}
	if text := r.URL.Query().Get("version"); text != "" {
		switch v, err := bepoz.ParseVersion(text); {
		case err != nil:
			faults = append(faults, api.Fault{Pointer: "?version", Detail: err.Error()})
		case v.Before(bepoz.Minimum()):
			p := &api.Problem{Status: http.StatusUnprocessableEntity, Code: "version", Detail: "SmartPOS " + v.String() + " is too old; " + bepoz.Minimum().String() + " at least"}
			q.refuse(p.Status, p.Detail, about, nil)
			return p
		}
	}
	if len(faults) > 0 {
		p := &api.Problem{Status: http.StatusUnprocessableEntity, Detail: "the message makes no sense", Errors: faults}
		q.refuse(p.Status, p.Error(), about, nil)
		return p
	}
	a, err := q.Take(r.Context(), m)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, a)
}

func (q *Queue) getTills(w http.ResponseWriter, r *http.Request) error {
	all, err := q.Tills(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, tillList{all})
}

func (q *Queue) getBookings(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	f := bepoz.Filter{Text: query.Get("q")}
	var faults []api.Fault
	for name, to := range map[string]*int{"filter": &f.Item, "days": &f.Sub} {
		if s := query.Get(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil {
				faults = append(faults, api.Fault{Pointer: "?" + name, Detail: "is not a number of the booking list"})
			}
			*to = n
		}
	}
	for name, to := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if s := query.Get(name); s != "" {
			day, err := time.Parse(time.DateOnly, s)
			if err != nil {
				faults = append(faults, api.Fault{Pointer: "?" + name, Detail: "is no day; write as in 2026-11-21"})
			}
			*to = day
		}
	}
	if len(faults) == 0 && !f.Valid() {
		faults = append(faults, api.Fault{Pointer: "?filter", Detail: "filter or days has a number that the booking list does not know"})
	}
	if len(faults) > 0 {
		return &api.Problem{Status: http.StatusUnprocessableEntity, Detail: "the filter makes no sense", Errors: faults}
	}
	all, age, err := q.List(r.Context(), f)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, bookingList{all, int64(age / time.Second)})
}

func (q *Queue) getBooking(w http.ResponseWriter, r *http.Request) error {
	b, err := q.Show(r.Context(), r.PathValue("id"))
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, b)
}

func (q *Queue) postOpen(w http.ResponseWriter, r *http.Request) error {
	check, table, err := q.Open(r.Context(), access.From(r.Context()).Name, r.PathValue("id"))
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, openedCheck{check, table})
}

// problem is what a refusal is over HTTP.
func problem(err error) error {
	var r *bepoz.Refusal
	if !errors.As(err, &r) {
		return err
	}
	p := &api.Problem{Status: http.StatusConflict, Code: r.Code, Detail: r.Text}
	switch r.Code {
	case bepoz.CodeUnknown:
		p.Status = http.StatusNotFound
	case bepoz.CodeNotSupported:
		p.Status = http.StatusNotImplemented
	case bepoz.CodeBusy:
		p.Status, p.RetryAfter = http.StatusServiceUnavailable, time.Second
	}
	return p
}
