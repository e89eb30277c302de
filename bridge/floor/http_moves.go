package floor

import (
	"context"
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
		route("move", "Set the check to other tables", toTables{}, onCheckWith(s.moveTo)),
		route("merge", "Put everything on another check, which is the answer, and end this one", intoCheck{}, onCheckWith(s.mergeInto)),
		split,
		route("void", "Take lines off", someLines{}, onCheckWith(s.voidLines)),
		route("covers", "Say how many people it is for", coversOf{}, onCheckWith(s.setCovers)),
		route("table", "Say that the table was cleared, is being cleaned, or is free", tableState{}, onCheckWith(s.setTable)),
		route("cancel", "End a check that has neither lines nor payments", nil, onCheck(s.Cancel)),
	}
}

func (s *Service) moveTo(ctx context.Context, by access.Principal, key string, id journal.ID, v toTables) (Check, error) {
	faults := s.checkTables(v.Tables)
	if len(v.Tables) == 0 {
		faults = append(faults, api.Fault{Pointer: "/tables", Detail: "names no table"})
	}
	if err := api.Invalid(faults); err != nil {
		return Check{}, err
	}
	return s.Move(ctx, by, key, id, v.Tables)
}

func (s *Service) mergeInto(ctx context.Context, by access.Principal, key string, id journal.ID, v intoCheck) (Check, error) {
	return s.Merge(ctx, by, key, id, v.Into)
}

func (s *Service) postSplit(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	var v someLines
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	if err := v.check(); err != nil {
		return err
	}
	c, known, err := s.Split(r.Context(), access.From(r.Context()), key, id, v.Lines)
	return answerNew(w, c, known, err)
}

func (s *Service) voidLines(ctx context.Context, by access.Principal, key string, id journal.ID, v someLines) (Check, error) {
	if err := v.check(); err != nil {
		return Check{}, err
	}
	return s.Void(ctx, by, key, id, v.Lines)
}

// check finds what is wrong with a list of lines: it has at least one, and none twice.
func (v *someLines) check() error {
	var faults []api.Fault
	if len(v.Lines) == 0 {
		faults = append(faults, api.Fault{Pointer: "/lines", Detail: "names no line; write the n of each"})
	}
	for i, n := range v.Lines {
		if slices.Contains(v.Lines[:i], n) {
			faults = append(faults, api.Fault{Pointer: fmt.Sprintf("/lines/%d", i), Detail: "stands twice"})
		}
	}
	return api.Invalid(faults)
}

func (s *Service) setCovers(ctx context.Context, by access.Principal, key string, id journal.ID, v coversOf) (Check, error) {
	if v.Covers < 0 || v.Covers > maxCovers {
		return Check{}, api.Invalid([]api.Fault{{Pointer: "/covers", Detail: fmt.Sprintf("is not a number from 0 to %d", maxCovers)}})
	}
	return s.Covers(ctx, by, key, id, v.Covers)
}

func (s *Service) setTable(ctx context.Context, by access.Principal, key string, id journal.ID, v tableState) (Check, error) {
	if v.State != TableCleared && v.State != TableBussing && v.State != TableFree {
		return Check{}, api.Invalid([]api.Fault{{Pointer: "/state", Detail: "is none of cleared, bussing, finished"}})
	}
	return s.Table(ctx, by, key, id, v.State)
}
