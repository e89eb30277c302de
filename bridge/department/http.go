package department

import (
	"errors"
	"net/http"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// change is a whole list with the revision that it was made from.
type change struct {
	Value    []Department `json:"value"`
	Revision int64        `json:"revision"`
}

// Routes are the calls on departments.
func (s *Service) Routes() []api.Route {
	readers := []access.Role{access.Manager, access.Staff, access.Till}
	manager := []access.Role{access.Manager}
	tags := []string{"integrations"}
	return []api.Route{
		{Method: "GET", Path: "/v1/departments", ID: "getDepartments", Roles: readers, Tags: tags, Summary: "Departments with their statistic categories, and the till's groups", Answer: View{}, Handle: s.get},
		{Method: "PUT", Path: "/v1/departments", ID: "putDepartments", Roles: manager, Tags: tags, Summary: "Change the departments, all or none", Body: change{}, Answer: View{},
			Problems: []int{http.StatusConflict, http.StatusServiceUnavailable}, Handle: s.put},
		{Method: "POST", Path: "/v1/departments/import", ID: "importDepartments", Roles: manager, Tags: tags, Summary: "Read the till's statistic groups", Answer: View{},
			Problems: []int{http.StatusConflict, http.StatusBadGateway, http.StatusServiceUnavailable}, Handle: s.load},
	}
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) error {
	v, err := s.View(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, v)
}

func (s *Service) get(w http.ResponseWriter, r *http.Request) error { return s.answer(w, r) }

func (s *Service) put(w http.ResponseWriter, r *http.Request) error {
	var body change
	if err := api.Decode(w, r, &body); err != nil {
		return err
	}
	err := s.Put(r.Context(), access.From(r.Context()), body.Revision, body.Value)
	if err != nil {
		return api.ChangedMeanwhile("the departments", err)
	}
	return s.answer(w, r)
}

func (s *Service) load(w http.ResponseWriter, r *http.Request) error {
	err := s.Import(r.Context(), access.From(r.Context()))
	switch {
	case err == nil:
		return s.answer(w, r)
	case errors.Is(err, ErrNoImport):
		return api.Conflict("not_supported", err.Error())
	case errors.Is(err, ErrEmpty):
		return api.Conflict("nothing_there", err.Error())
	case errors.Is(err, journal.ErrBusy), errors.Is(err, journal.ErrDown):
		return err
	}
	s.c.Log.Warn("statistic groups could not be read", "err", err)
	return &api.Problem{Status: http.StatusBadGateway, Code: "till", Detail: "the till did not give its statistic groups: " + err.Error() + "; try again, or give each department its category by hand"}
}
