package privilege

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/bepoz"
)

// Right is one of Bepoz' four.
type Right = bepoz.Right

// Rights are who has which.
type Rights struct {
	Manager []Right    `json:"manager"`
	Staff   []Right    `json:"staff"`
	Till    []Right    `json:"till" doc:"a till's own token"`
	People  []Operator `json:"people" doc:"who has other rights than the role, by name"`
}

// An Operator is somebody with rights of his own.
type Operator struct {
	Name   string  `json:"name" doc:"of the token, or of the person who gives a PIN"`
	Rights []Right `json:"rights"`
}

// Bounds of what is kept.
const (
	maxPeople = 200
	maxName   = 100 // characters
)

const key = "tills/rights"

// Defaults are the rights of a house that has changed none.
func Defaults() Rights {
	return Rights{Manager: bepoz.Rights(), Staff: []Right{bepoz.OperateTills, bepoz.AccessStores}, Till: []Right{bepoz.OperateTills}, People: []Operator{}}
}

// Has lists the rights of somebody.
func (r *Rights) Has(p access.Principal) []Right {
	if p.Role == access.Admin {
		return bepoz.Rights()
	}
	for _, o := range r.People {
		if o.Name == p.Name {
			return o.Rights
		}
	}
	switch p.Role {
	case access.Manager:
		return r.Manager
	case access.Staff:
		return r.Staff
	case access.Till:
		return r.Till
	}
	return nil
}

// Service keeps the rights. Its methods may be called from any goroutine.
type Service struct {
	journal *journal.Journal
	now     atomic.Pointer[kept]
}

type kept struct {
	Rights
	revision int64
}

// New reads what is stored.
func New(ctx context.Context, j *journal.Journal) (*Service, error) {
	s := &Service{journal: j}
	k := kept{Rights: Defaults()}
	set, err := j.Setting(ctx, key)
	switch {
	case errors.Is(err, journal.ErrNoSetting):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(set.Value, &k.Rights); err != nil {
			return nil, fmt.Errorf("setting %s: %w", key, err)
		}
		k.revision = set.Revision
	}
	s.now.Store(&k)
	return s, nil
}

// Check refuses who lacks a right, and names it.
func (s *Service) Check(p access.Principal, need Right) error {
	if slices.Contains(s.now.Load().Has(p), need) {
		return nil
	}
	return &api.Problem{Status: http.StatusForbidden, Code: "right", Extra: map[string]any{"right": string(need)},
		Detail: fmt.Sprintf("%s lacks the right “%s”; whoever has “%s” gives it under Integration > Tills", p.Name, Name(need), Name(bepoz.MaintainTills))}
}

// Guard lets a route through for those who have a right.
func (s *Service) Guard(need Right, route api.Route) api.Route {
	handle := route.Handle
	route.Handle = func(w http.ResponseWriter, r *http.Request) error {
		if err := s.Check(access.From(r.Context()), need); err != nil {
			return err
		}
		return handle(w, r)
	}
	return route
}

// Name is what Bepoz calls a right in its operator maintenance.
func Name(r Right) string {
	switch r {
	case bepoz.OperateTills:
		return "Operate Tills"
	case bepoz.AccessStores:
		return "Access Venue Stores & Tills"
	case bepoz.MaintainTills:
		return "Maintain Venue Stores & Tills"
	case bepoz.MaintainMaps:
		return "Maintain Till Function Maps"
	}
	return string(r)
}

// Put replaces the rights; they count at once.
func (s *Service) Put(ctx context.Context, by access.Principal, revision int64, r Rights) error {
	if err := s.Check(by, bepoz.MaintainTills); err != nil {
		return err
	}
	if err := api.Invalid(check(&r)); err != nil {
		return err
	}
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.journal.Write(ctx, func(tx *journal.Tx) error {
		set, err := tx.PutSetting(key, value, revision, by.Name)
		if err != nil {
			return err
		}
		tx.After(func(err error) {
			if err == nil {
				s.now.Store(&kept{r, set.Revision})
			}
		})
		return access.Record(tx, by, "setting", key, string(value))
	})
}

// check finds what is wrong, and brings lists into one order.
func check(r *Rights) (faults []api.Fault) {
	list := func(pointer string, rights *[]Right) {
		for i, x := range *rights {
			if !slices.Contains(bepoz.Rights(), x) {
				faults = append(faults, api.Fault{Pointer: fmt.Sprintf("%s/%d", pointer, i), Detail: "is no right; write operate_tills, access_stores_tills, maintain_stores_tills or maintain_function_maps"})
			}
		}
		have := *rights
		*rights = slices.DeleteFunc(bepoz.Rights(), func(x Right) bool { return !slices.Contains(have, x) })
	}
	list("/value/manager", &r.Manager)
	list("/value/staff", &r.Staff)
	list("/value/till", &r.Till)
	if len(r.People) > maxPeople {
		return append(faults, api.Fault{Pointer: "/value/people", Detail: fmt.Sprintf("has %d people; at most %d", len(r.People), maxPeople)})
	}
	if r.People == nil {
		r.People = []Operator{}
	}
	for i := range r.People {
		o, at := &r.People[i], fmt.Sprintf("/value/people/%d", i)
		o.Name = strings.TrimSpace(o.Name)
		switch {
		case o.Name == "":
			faults = append(faults, api.Fault{Pointer: at + "/name", Detail: "is empty; write the name of the token or the person"})
		case utf8.RuneCountInString(o.Name) > maxName:
			faults = append(faults, api.Fault{Pointer: at + "/name", Detail: fmt.Sprintf("has more than %d characters", maxName)})
		case slices.ContainsFunc(r.People[:i], func(p Operator) bool { return p.Name == o.Name }):
			faults = append(faults, api.Fault{Pointer: at + "/name", Detail: fmt.Sprintf("%q stands twice", o.Name)})
		}
		list(at+"/rights", &o.Rights)
	}
	return faults
}

// setting is the rights with the revision that a change has to name.
type setting struct {
	Value    Rights  `json:"value"`
	Revision int64   `json:"revision" doc:"0: nobody changed them yet"`
	Mine     []Right `json:"mine" doc:"of whoever asks"`
}

type change struct {
	Value    Rights `json:"value"`
	Revision int64  `json:"revision"`
}

// Routes are the calls on rights.
func (s *Service) Routes() []api.Route {
	tags := []string{"till"}
	return []api.Route{
		s.Guard(bepoz.AccessStores, api.Route{Method: "GET", Path: "/v1/tills/rights", ID: "getTillRights", Roles: []access.Role{access.Manager, access.Staff}, Tags: tags, Summary: "Who may do what with the tills",
			Answer: setting{}, Handle: s.get}),
		{Method: "PUT", Path: "/v1/tills/rights", ID: "putTillRights", Roles: []access.Role{access.Manager}, Tags: tags, Summary: "Change who may do what with the tills", Body: change{}, Answer: setting{},
			Problems: []int{http.StatusConflict, http.StatusServiceUnavailable}, Handle: s.put},
	}
}

func (s *Service) get(w http.ResponseWriter, r *http.Request) error {
	k := s.now.Load()
	mine := k.Has(access.From(r.Context()))
	if mine == nil {
		mine = []Right{}
	}
	return api.Answer(w, http.StatusOK, setting{k.Rights, k.revision, mine})
}

func (s *Service) put(w http.ResponseWriter, r *http.Request) error {
	var body change
	if err := api.Decode(w, r, &body); err != nil {
		return err
	}
	err := s.Put(r.Context(), access.From(r.Context()), body.Revision, body.Value)
	if err != nil {
		return api.ChangedMeanwhile("the rights", err)
	}
	return s.get(w, r)
}
