package floor

import (
	"fmt"
	"net/http"
	"slices"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

type toTables struct {
	Tables []string `json:"tables"`
}

type intoCheck struct {
	Into journal.ID `json:"into" doc:"id of the check that goes on"`
}

type someLines struct {
	Lines []int `json:"lines" doc:"numbers of lines, n"`
}

type coversOf struct {
	Covers int `json:"covers" minimum:"0" maximum:"1000"`
}

type tableState struct {
	State string `json:"state" enum:"cleared,bussing,finished"`
}

// moveRoutes are the calls by which a check changes its place, its size or its shape.
func (s *Service) moveRoutes(staff []access.Role, key []api.Param, problems []int) []api.Route {
	route := func(act, summary string, body any, handle func(http.ResponseWriter, *http.Request) error) api.Route {
		return api.Route{Method: "POST", Path: "/v1/checks/{id}/" + act, Roles: staff, Tags: []string{"floor"}, Summary: summary, Params: key, Body: body,
			Answer: Check{}, Problems: problems, Handle: handle}
	}
	split := route("split", "Put some lines on a new check, which is the answer", someLines{}, s.postSplit)
	split.Status, split.Also = http.StatusCreated, []int{http.StatusOK}
	return []api.Route{
		route("move", "Set the check to other tables", toTables{}, s.postMove),
		route("merge", "Put everything on another check, which is the answer, and end this one", intoCheck{}, s.postMerge),
		split,
		route("void", "Take lines off", someLines{}, s.postVoid),
		route("covers", "Say how many people it is for", coversOf{}, s.postCovers),
		route("table", "Say that the table was cleared, is being cleaned, or is free", tableState{}, s.postTable),
		route("cancel", "End a check that has neither lines nor payments", nil, s.postCancel),
	}
}

func (s *Service) postMove(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v toTables
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
	c, err := s.Move(r.Context(), access.From(r.Context()), key, id, v.Tables)
	return answer(w, c, err)
}

func (s *Service) postMerge(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v intoCheck
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	c, err := s.Merge(r.Context(), access.From(r.Context()), key, id, v.Into)
	return answer(w, c, err)
}

func (s *Service) postSplit(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	v, err := linesOf(w, r)
	if err != nil {
		return err
	}
	c, known, err := s.Split(r.Context(), access.From(r.Context()), key, id, v.Lines)
	if err != nil {
		return problem(err)
	}
	if known {
		w.Header().Set("Idempotent-Replayed", "true")
		return api.Answer(w, http.StatusOK, c)
	}
	return api.Answer(w, http.StatusCreated, c)
}

func (s *Service) postVoid(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	v, err := linesOf(w, r)
	if err != nil {
		return err
	}
	c, err := s.Void(r.Context(), access.From(r.Context()), key, id, v.Lines)
	return answer(w, c, err)
}

// linesOf reads a list of lines: at least one, none twice.
func linesOf(w http.ResponseWriter, r *http.Request) (someLines, error) {
	var v someLines
	if err := api.Decode(w, r, &v); err != nil {
		return v, err
	}
	var faults []api.Fault
	if len(v.Lines) == 0 {
		faults = append(faults, api.Fault{Pointer: "/lines", Detail: "names no line; write the n of each"})
	}
	for i, n := range v.Lines {
		if slices.Contains(v.Lines[:i], n) {
			faults = append(faults, api.Fault{Pointer: fmt.Sprintf("/lines/%d", i), Detail: "stands twice"})
		}
	}
	return v, api.Invalid(faults)
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
	if v.Covers < 0 || v.Covers > maxCovers {
		return api.Invalid([]api.Fault{{Pointer: "/covers", Detail: fmt.Sprintf("is not a number from 0 to %d", maxCovers)}})
	}
	c, err := s.Covers(r.Context(), access.From(r.Context()), key, id, v.Covers)
	return answer(w, c, err)
}

func (s *Service) postTable(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v tableState
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	if v.State != TableCleared && v.State != TableBussing && v.State != TableFree {
		return api.Invalid([]api.Fault{{Pointer: "/state", Detail: "is none of cleared, bussing, finished"}})
	}
	c, err := s.Table(r.Context(), access.From(r.Context()), key, id, v.State)
	return answer(w, c, err)
}

func (s *Service) postCancel(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	c, err := s.Cancel(r.Context(), access.From(r.Context()), key, id)
	return answer(w, c, err)
}
