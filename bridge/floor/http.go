package floor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/sale"
)

// Bounds of requests.
const (
	maxText   = 200
	maxNotes  = 2000
	maxCovers = 1000
	maxTables = 20
	listed    = 500 // checks in one list
)

type newLines struct {
	Lines []Line `json:"lines"`
}

type checkList struct {
	Checks []Check `json:"checks"`
}

// Table is one of the floor.
type Table struct {
	Name   string        `json:"name"`
	Area   string        `json:"area"`
	Checks []CheckOnSite `json:"checks" doc:"open ones, the oldest first"`
}

// CheckOnSite is an open check in short.
type CheckOnSite struct {
	ID          journal.ID `json:"id"`
	Number      int64      `json:"number"`
	Covers      int        `json:"covers,omitzero"`
	Guest       string     `json:"guest,omitzero"`
	Reservation string     `json:"reservation,omitzero"`
	OpenedAt    time.Time  `json:"opened_at"`
	BilledAt    time.Time  `json:"billed_at,omitzero"`
	Total       int64      `json:"total"`
	Balance     int64      `json:"balance"`
}

type tableList struct {
	Tables []Table `json:"tables"`
}

// Routes are the calls on tables and checks.
func (s *Service) Routes() []api.Route {
	staff := []access.Role{access.Manager, access.Staff, access.Till}
	tags := []string{"floor"}
	key := []api.Param{{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same request again without a second effect; kept 30 days"}}
	problems := []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
	return append(s.moveRoutes(staff, key, problems), []api.Route{
		{Method: "GET", Path: "/v1/tables", Roles: staff, Tags: tags, Summary: "The tables and what is open on them", Answer: tableList{}, Handle: s.getTables},
		{Method: "POST", Path: "/v1/checks", Roles: staff, Tags: tags, Summary: "Open a check", Params: key, Body: Opening{}, Answer: Check{}, Status: http.StatusCreated,
			Also: []int{http.StatusOK}, Problems: []int{http.StatusConflict, http.StatusServiceUnavailable}, Handle: s.postCheck},
		{Method: "GET", Path: "/v1/checks", Roles: staff, Tags: tags, Summary: "List checks, newest first",
			Params: []api.Param{{Name: "state", Enum: []string{Open, Closed, Merged, Cancelled}, Doc: "open when absent"}}, Answer: checkList{}, Handle: s.getChecks},
		{Method: "GET", Path: "/v1/checks/{id}", Roles: staff, Tags: tags, Summary: "One check with its events", Answer: Check{}, Problems: []int{http.StatusNotFound}, Handle: s.getCheck},
		{Method: "POST", Path: "/v1/checks/{id}/lines", Roles: staff, Tags: tags, Summary: "Add lines", Params: key, Body: newLines{}, Answer: Check{}, Problems: problems, Handle: onCheckWith(s.addLines)},
		{Method: "POST", Path: "/v1/checks/{id}/payments", Roles: staff, Tags: tags, Summary: "Take a payment; a room's is charged at the hotel before the answer",
			Params: key, Body: Taking{}, Answer: Check{}, Problems: append(problems, http.StatusGatewayTimeout), Handle: onCheckWith(s.takePayment)},
		{Method: "POST", Path: "/v1/checks/{id}/payments/{payment}/entered", Roles: staff, Tags: tags, Summary: "Say that a payment has been entered at the till", Params: key, Answer: Check{}, Problems: problems,
			Handle: s.postEntered},
		{Method: "POST", Path: "/v1/checks/{id}/bill", Roles: staff, Tags: tags, Summary: "Note that the bill was printed", Params: key, Answer: Check{}, Problems: problems, Handle: onCheck(s.Bill)},
		{Method: "POST", Path: "/v1/checks/{id}/close", Roles: staff, Tags: tags, Summary: "Close a paid check", Params: key, Answer: Check{}, Problems: problems, Handle: onCheck(s.Close)},
		{Method: "POST", Path: "/v1/checks/{id}/reopen", Roles: []access.Role{access.Manager, access.Till}, Tags: tags, Summary: "Reopen a closed check", Params: key, Answer: Check{}, Problems: problems, Handle: onCheck(s.Reopen)},
	}...)
}

func (s *Service) getTables(w http.ResponseWriter, r *http.Request) error {
	open, err := s.List(r.Context(), Open, listed)
	if err != nil {
		return err
	}
	slices.Reverse(open)
	on := map[string][]CheckOnSite{}
	for i := range open {
		c := &open[i]
		for _, t := range c.Tables {
			on[t] = append(on[t], CheckOnSite{c.ID, c.Number, c.Covers, c.Guest, c.Reservation, c.OpenedAt, c.BilledAt, c.Total, c.Balance})
		}
	}
	v := tableList{Tables: []Table{}}
	for _, a := range s.c.Areas {
		for _, t := range a.Tables {
			checks := on[t]
			if checks == nil {
				checks = []CheckOnSite{}
			}
			v.Tables = append(v.Tables, Table{t, a.Name, checks})
		}
	}
	return api.Answer(w, http.StatusOK, v)
}

func (s *Service) postCheck(w http.ResponseWriter, r *http.Request) error {
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var o Opening
	if err := api.Decode(w, r, &o); err != nil {
		return err
	}
	if err := api.Invalid(s.checkOpening(&o)); err != nil {
		return err
	}
	c, known, err := s.OpenCheck(r.Context(), access.From(r.Context()), key, o)
	return answerNew(w, c, known, err)
}

func (s *Service) checkOpening(o *Opening) []api.Fault {
	faults := s.checkTables(o.Tables)
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	if o.Covers < 0 || o.Covers > maxCovers {
		wrong("/covers", fmt.Sprintf("is not a number from 0 to %d", maxCovers))
	}
	for _, f := range []struct {
		pointer, text string
		limit         int
	}{
		{"/staff", o.Staff, maxText}, {"/reservation", o.Reservation, maxText}, {"/outlet", o.Outlet, maxText}, {"/guest", o.Guest, maxText},
		{"/order_profile", o.Profile, maxText}, {"/till", o.Till, maxText}, {"/notes", o.Notes, maxNotes},
	} {
		if utf8.RuneCountInString(f.text) > f.limit {
			wrong(f.pointer, fmt.Sprintf("is longer than %d characters", f.limit))
		}
	}
	return faults
}

// checkTables finds what is wrong with a list of tables. A name has to be one of the floor to the letter: a resembling one
// is somebody else's table (spec/reservations.md 5).
func (s *Service) checkTables(tables []string) []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	if len(tables) > maxTables {
		wrong("/tables", fmt.Sprintf("names more than %d tables", maxTables))
	}
	for i, t := range tables {
		pointer := fmt.Sprintf("/tables/%d", i)
		switch {
		case strings.TrimSpace(t) == "":
			wrong(pointer, "is empty")
		case utf8.RuneCountInString(t) > maxText:
			wrong(pointer, fmt.Sprintf("is longer than %d characters", maxText))
		case !s.Known(t):
			wrong(pointer, "is no table of the floor; see /v1/tables")
		case slices.Contains(tables[:i], t):
			wrong(pointer, "stands twice")
		}
	}
	return faults
}

// Known tells whether the floor has a table of exactly this name. A venue that named no tables has any.
func (s *Service) Known(table string) bool { return len(s.c.Areas) == 0 || s.area(table) != "" }

// Tables names every table of the floor.
func (s *Service) Tables() []string {
	list := []string{}
	for _, a := range s.c.Areas {
		list = append(list, a.Tables...)
	}
	return list
}

func (s *Service) getChecks(w http.ResponseWriter, r *http.Request) error {
	state := r.URL.Query().Get("state")
	switch state {
	case "":
		state = Open
	case Open, Closed, Merged, Cancelled:
	default:
		return api.Invalid([]api.Fault{{Pointer: "?state", Detail: "is none of open, closed, merged, cancelled"}})
	}
	list, err := s.List(r.Context(), state, listed)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, checkList{list})
}

func (s *Service) getCheck(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "check")
	if err != nil {
		return err
	}
	c, err := s.Get(r.Context(), id)
	return answer(w, c, err)
}

func (s *Service) addLines(ctx context.Context, by access.Principal, key string, id journal.ID, v newLines) (Check, error) {
	// The rules of an order's lines are theirs too.
	o := sale.Order{Source: "floor", SourceOrderID: "floor", Currency: s.c.Currency, Table: "1"}
	for _, l := range v.Lines {
		o.Lines = append(o.Lines, l.Line)
	}
	o.Complete()
	var faults []api.Fault
	for _, f := range o.Validate(s.c.Courses, s.c.Currency) {
		faults = append(faults, api.Fault(f))
	}
	for i, l := range v.Lines {
		if utf8.RuneCountInString(l.Group) > maxText {
			faults = append(faults, api.Fault{Pointer: fmt.Sprintf("/lines/%d/group", i), Detail: fmt.Sprintf("is longer than %d characters", maxText)})
		}
	}
	if err := api.Invalid(faults); err != nil {
		return Check{}, err
	}
	for i := range v.Lines {
		v.Lines[i].Line = o.Lines[i]
	}
	return s.Add(ctx, by, key, id, v.Lines)
}

func (s *Service) postEntered(w http.ResponseWriter, r *http.Request) error {
	id, key, err := idAndKey(r)
	if err != nil {
		return err
	}
	payment, err := journal.ParseID(r.PathValue("payment"))
	if err != nil {
		return api.NotFound("payment", r.PathValue("payment"))
	}
	c, err := s.Entered(r.Context(), access.From(r.Context()), key, id, payment)
	return answer(w, c, err)
}

func (s *Service) takePayment(ctx context.Context, by access.Principal, key string, id journal.ID, t Taking) (Check, error) {
	if err := api.Invalid(t.check()); err != nil {
		return Check{}, err
	}
	if t.Manager && by.Role == access.Staff {
		return Check{}, &api.Problem{Status: http.StatusForbidden, Code: "forbidden", Detail: "only a manager may let a credit limit be exceeded; sign in as one, or leave manager out"}
	}
	return s.Pay(ctx, by, key, id, t)
}

func (t *Taking) check() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	if strings.TrimSpace(t.Method) == "" && t.Code == "" || utf8.RuneCountInString(t.Method) > maxText {
		wrong("/method", "is missing or too long; write card, cash, room or the venue's own word")
	}
	if t.Method == Room && t.Code != "" && t.Code != RoomCode {
		wrong("/code", "is not "+RoomCode+", the one code of a room payment")
	}
	if t.Amount < 0 || t.Amount > money.Max {
		wrong("/amount", "is not an amount of at least 0 in minor units")
	}
	if t.Tip < 0 || t.Tip > money.Max {
		wrong("/tip", "is not an amount of at least 0 in minor units")
	}
	if t.Amount == 0 && t.Tip == 0 {
		wrong("/amount", "and tip are zero; there is nothing to pay")
	}
	guest := []struct{ name, value string }{{"room", t.Room}, {"reservation", t.Reservation}, {"guest", t.Guest}}
	switch {
	case !t.room():
		for _, f := range guest {
			if f.value != "" {
				wrong("/"+f.name, "belongs to a room payment; write method room, or leave it out")
			}
		}
		if t.Posting != nil {
			wrong("/posting", "belongs to a room payment; write method room, or leave it out")
		}
	case t.Posting == nil:
		for _, f := range guest {
			if strings.TrimSpace(f.value) == "" {
				wrong("/"+f.name, "is missing; name the guest as a search found it, or a posting that is posted")
			}
		}
	}
	return faults
}

// onCheck handles POST /v1/checks/{id}/… without a body: it answers with the check as do leaves it.
func onCheck(do func(ctx context.Context, by access.Principal, key string, id journal.ID) (Check, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, key, err := idAndKey(r)
		if err != nil {
			return err
		}
		c, err := do(r.Context(), access.From(r.Context()), key, id)
		return answer(w, c, err)
	}
}

// onCheckWith is onCheck with a body, of which do finds what is wrong.
func onCheckWith[T any](do func(ctx context.Context, by access.Principal, key string, id journal.ID, v T) (Check, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, key, err := idAndKey(r)
		if err != nil {
			return err
		}
		var v T
		if err := api.Decode(w, r, &v); err != nil {
			return err
		}
		c, err := do(r.Context(), access.From(r.Context()), key, id, v)
		return answer(w, c, err)
	}
}

func answer(w http.ResponseWriter, c Check, err error) error {
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, c)
}

// answerNew answers with a check that this request or, when it is known, an earlier one made.
func answerNew(w http.ResponseWriter, c Check, known bool, err error) error {
	if err != nil {
		return problem(err)
	}
	if known {
		w.Header().Set("Idempotent-Replayed", "true")
		return api.Answer(w, http.StatusOK, c)
	}
	return api.Answer(w, http.StatusCreated, c)
}

func idAndKey(r *http.Request) (journal.ID, string, error) {
	id, err := api.PathID(r, "check")
	if err != nil {
		return id, "", err
	}
	key, err := api.IdempotencyKey(r)
	return id, key, err
}

// problem gives the service's errors their place in HTTP; others pass through.
func problem(err error) error {
	var refused *RefusedError
	var unknown *UnknownError
	switch {
	case errors.As(err, &refused):
		return &api.Problem{Status: http.StatusConflict, Code: "payment_refused", Detail: err.Error(), Extra: map[string]any{
			"reason": refused.Posting.Reason, "message": refused.Posting.Message, "posting": refused.Posting.ID}}
	case errors.As(err, &unknown):
		return &api.Problem{Status: http.StatusGatewayTimeout, Code: "payment_unknown", Detail: err.Error(), Extra: map[string]any{
			"message": unknown.Posting.Message, "posting": unknown.Posting.ID}}
	case errors.Is(err, ErrNone):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrOther):
		return api.Conflict("other_content", err.Error())
	case errors.Is(err, ErrTable):
		return api.Conflict("table_unavailable", err.Error())
	case errors.Is(err, ErrDeposit):
		return api.Conflict("deposit", err.Error())
	case errors.Is(err, ErrLine):
		return api.Invalid([]api.Fault{{Pointer: "/lines", Detail: err.Error()}})
	case errors.Is(err, ErrSame):
		return api.Invalid([]api.Fault{{Pointer: "/into", Detail: err.Error()}})
	case errors.Is(err, ErrClosed), errors.Is(err, ErrEnded), errors.Is(err, ErrFull), errors.Is(err, ErrUnderWay), errors.Is(err, ErrRoom),
		errors.Is(err, ErrClaimed), errors.Is(err, ErrUsed), errors.Is(err, ErrEntered):
		return api.Conflict("state", err.Error())
	case errors.Is(err, ErrBalance):
		return api.Conflict("balance", err.Error())
	case errors.Is(err, ErrNoHotel):
		return api.Conflict("no_hotel", err.Error())
	case errors.Is(err, ErrOverpaid):
		return api.Invalid([]api.Fault{{Pointer: "/amount", Detail: err.Error()}})
	case errors.Is(err, ErrPosting):
		return api.Invalid([]api.Fault{{Pointer: "/posting", Detail: err.Error()}})
	}
	return err
}
