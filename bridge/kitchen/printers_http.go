package kitchen

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/words"
)

// Bounds of lists and texts.
const (
	defaultListed = 50
	maxListed     = 500
	maxReason     = 200 // characters
)

type (
	printerList struct {
		Printers []PrinterView `json:"printers"`
	}
	queuedJob struct {
		Job journal.ID `json:"job"`
	}
	moveTo struct {
		To string `json:"to" doc:"name of the printer that takes the queue"`
	}
	movedJobs struct {
		Moved int `json:"moved"`
	}
	clearing struct {
		Reason string `json:"reason,omitzero" doc:"why it is given up, for the job's time line"`
	}
	jobList struct {
		Jobs []Job `json:"jobs"`
	}
	outageList struct {
		Outages []Outage `json:"outages"`
	}
	testPage struct {
		Template string `json:"template,omitzero" enum:",kitchen,receipt" doc:"what to print: a page about the printer, a kitchen ticket, a receipt"`
	}
)

// printerRoutes are the calls on printers and their jobs.
func (k *Kitchen) printerRoutes() []api.Route {
	readers := []access.Role{access.Manager, access.Staff, access.Till, access.Screen}
	staff := []access.Role{access.Manager, access.Staff}
	tags := []string{"printers"}
	limit := api.Param{Name: "limit", Type: 0, Doc: "1 to 500; 50 when absent"}
	idempotency := api.Param{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same act again without a second effect; kept 30 days"}
	missing, conflict := []int{http.StatusNotFound}, []int{http.StatusNotFound, http.StatusConflict}
	routes := []api.Route{
		{Method: "GET", Path: "/v1/printers", Roles: readers, Tags: tags, Summary: "Every printer with its state and queue", Params: []api.Param{{Name: "language", Doc: "of what to look at: en or fr; the site's own without it"}}, Answer: printerList{}, Handle: func(w http.ResponseWriter, r *http.Request) error {
			list := k.Printers()
			if lang := r.URL.Query().Get("language"); slices.Contains(words.Languages(), lang) {
				for i := range list {
					if len(list[i].Diagnosis) > 0 {
						list[i].Diagnosis = diagnose(words.In(lang), &list[i])
					}
				}
			}
			return api.Answer(w, http.StatusOK, printerList{list})
		}},
		{Method: "GET", Path: "/v1/printers/{name}/outages", Roles: readers, Tags: tags, Summary: "When a printer could take no work, the latest first",
			Params: []api.Param{limit}, Answer: outageList{}, Problems: missing, Handle: k.getOutages},
		{Method: "POST", Path: "/v1/printers/{name}/test", Roles: staff, Tags: tags, Summary: "Print a test page", Body: testPage{}, Answer: queuedJob{},
			Status: http.StatusAccepted, Problems: missing, Handle: k.postTest},
		{Method: "GET", Path: "/v1/printers/{name}/test.png", Roles: readers, Tags: tags, Summary: "What a test page would look like on its paper", Type: "image/png",
			Params: []api.Param{{Name: "template", Enum: []string{"", "kitchen", "receipt"}}}, Problems: missing, Handle: k.getTest},
		{Method: "POST", Path: "/v1/printers/{name}/move-queue", Roles: staff, Tags: tags, Summary: "Give the jobs that wait for a printer to another",
			Doc:  "Each is headed by the station it is for; what may be on paper already goes under the REPRINT banner. What is being printed stays.",
			Body: moveTo{}, Answer: movedJobs{}, Problems: missing, Handle: k.postMoveQueue},
		{Method: "GET", Path: "/v1/jobs", Roles: readers, Tags: tags, Summary: "Print jobs, newest first",
			Params: []api.Param{{Name: "printer"}, {Name: "state", Doc: "a job's state, or open for those that are not settled"}, limit}, Answer: jobList{}, Handle: k.getJobs},
		{Method: "POST", Path: "/v1/jobs/{id}/reprint", Roles: staff, Tags: tags, Summary: "Print a job that ended once more: a ticket under the REPRINT banner, a receipt as a duplicate",
			Params: []api.Param{idempotency}, Answer: queuedJob{}, Status: http.StatusAccepted, Problems: conflict, Handle: k.postReprint},
		{Method: "POST", Path: "/v1/jobs/{id}/clear", Roles: staff, Tags: tags, Summary: "Give a job up: nothing more is printed of it",
			Params: []api.Param{idempotency}, Body: clearing{}, Answer: Job{}, Problems: conflict, Handle: k.postClear},
	}
	for _, a := range []struct {
		act, summary string
		roles        []access.Role
		do           func(context.Context, access.Principal, string) (PrinterView, error)
	}{
		{"pause", "Finish the ticket in hand and begin no other, over a restart too", staff, func(ctx context.Context, by access.Principal, name string) (PrinterView, error) {
			return k.Pause(ctx, by, name, true)
		}},
		{"resume", "Go on after a pause", staff, func(ctx context.Context, by access.Principal, name string) (PrinterView, error) {
			return k.Pause(ctx, by, name, false)
		}},
		{"recover", "Let a printer go on after an error that somebody mended", staff, k.Recover},
		{"replace", "Say that another device stands behind this name; stations and queue stay", []access.Role{access.Manager}, k.Replace},
	} {
		routes = append(routes, api.Route{
			Method: "POST", Path: "/v1/printers/{name}/" + a.act, Roles: a.roles, Tags: tags, Summary: a.summary,
			Answer: PrinterView{}, Problems: missing, Handle: func(w http.ResponseWriter, r *http.Request) error {
				v, err := a.do(r.Context(), access.From(r.Context()), r.PathValue("name"))
				if err != nil {
					return problem(err)
				}
				return api.Answer(w, http.StatusOK, v)
			}})
	}
	return routes
}

// named gives the queue of the printer in the path.
func (k *Kitchen) named(r *http.Request) (*Queue, error) {
	name := r.PathValue("name")
	q := k.Queue(name)
	if q == nil {
		return nil, api.NotFound("printer", name)
	}
	return q, nil
}

// listLimit reads the query's limit.
func listLimit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultListed, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxListed {
		return 0, api.Invalid([]api.Fault{{Pointer: "?limit", Detail: "is not a number from 1 to " + strconv.Itoa(maxListed)}})
	}
	return n, nil
}

func (k *Kitchen) getOutages(w http.ResponseWriter, r *http.Request) error {
	limit, err := listLimit(r)
	if err != nil {
		return err
	}
	list, err := k.Outages(r.Context(), r.PathValue("name"), limit)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, outageList{list})
}

func (k *Kitchen) getJobs(w http.ResponseWriter, r *http.Request) error {
	limit, err := listLimit(r)
	if err != nil {
		return err
	}
	q := JobQuery{Printer: r.URL.Query().Get("printer"), State: r.URL.Query().Get("state"), Limit: limit}
	if !slices.Contains([]string{"", "open", "queued", "sending", "sent", "printed", "done", "held", "waiting", "unknown", "cleared", "superseded", "cancelled", "failed"}, q.State) {
		return api.Invalid([]api.Fault{{Pointer: "?state", Detail: "is no state of a job; write open, queued, held, waiting, unknown, done …"}})
	}
	list, err := k.Jobs(r.Context(), q)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, jobList{list})
}

func (k *Kitchen) postMoveQueue(w http.ResponseWriter, r *http.Request) error {
	q, err := k.named(r)
	if err != nil {
		return err
	}
	var v moveTo
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	switch to := k.Queue(v.To); {
	case to == nil:
		return api.Invalid([]api.Fault{{Pointer: "/to", Detail: "is no printer here; see /v1/printers"}})
	case to == q:
		return api.Invalid([]api.Fault{{Pointer: "/to", Detail: "is the printer itself; name another"}})
	}
	n, err := k.MoveQueue(r.Context(), access.From(r.Context()), q.c.Name, v.To)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, movedJobs{n})
}

func (k *Kitchen) postReprint(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "job")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	made, err := k.ReprintJob(r.Context(), access.From(r.Context()), key, id)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusAccepted, queuedJob{made})
}

func (k *Kitchen) postClear(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "job")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var v clearing
	if err := optional(w, r, &v); err != nil {
		return err
	}
	if utf8.RuneCountInString(v.Reason) > maxReason {
		return api.Invalid([]api.Fault{{Pointer: "/reason", Detail: "is longer than " + strconv.Itoa(maxReason) + " characters"}})
	}
	if err := k.ClearJob(r.Context(), access.From(r.Context()), key, id, v.Reason); err != nil {
		return problem(err)
	}
	j, _, err := k.Job(r.Context(), id)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, j)
}

// optional reads a body that need not be there.
func optional(w http.ResponseWriter, r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return api.Decode(w, r, into)
}

func (k *Kitchen) postTest(w http.ResponseWriter, r *http.Request) error {
	q, err := k.named(r)
	if err != nil {
		return err
	}
	var v testPage
	if err := optional(w, r, &v); err != nil {
		return err
	}
	body, err := k.sample(q, v.Template)
	if err != nil {
		return err
	}
	id, err := k.page(r.Context(), access.From(r.Context()), q.c.Name, "printer_tested", newJob{kind: JobTest, label: v.Template, body: body})
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusAccepted, queuedJob{id})
}

func (k *Kitchen) getTest(w http.ResponseWriter, r *http.Request) error {
	q, err := k.named(r)
	if err != nil {
		return err
	}
	body, err := k.sample(q, r.URL.Query().Get("template"))
	if err != nil {
		return err
	}
	return q.picture(w, body)
}

// sample is a test page's body.
func (k *Kitchen) sample(q *Queue, template string) ([]byte, error) {
	switch template {
	case "":
		return q.printer.TestBody(EnvelopeWords(q.c.Words)), nil
	case "kitchen":
		return q.paper.render(k.example(q), ""), nil
	case "receipt":
		if k.c.Papers == nil {
			break
		}
		return k.c.Papers.Sample(q.c.Name)
	}
	return nil, api.Invalid([]api.Fault{{Pointer: "/template", Detail: "is no template; write kitchen or receipt, or leave it out"}})
}

// example is a ticket that shows all a kitchen ticket may hold.
func (k *Kitchen) example(q *Queue) *Ticket {
	w := q.c.Words
	return &Ticket{
		ID: k.c.Journal.NewID(), Number: 41, Station: w.T("paper.test_page"), Kind: KindOrder, State: StateNew, Service: "dine_in", Table: "12", Covers: 2, Staff: "Léa",
		AllergyNote: w.T("example.allergy"), Notes: w.T("paper.test_text"), At: k.c.Now(),
		Lines: []Line{
			{Quantity: 2, Name: w.T("example.dish"), Notes: w.T("example.note"), Allergens: []string{w.T("example.allergen")}, Modifiers: []Modifier{{1, 1, w.T("example.modifier")}}},
			{N: 1, Quantity: 1, Name: "Œufs à la neige, crème brûlée, Käsespätzle, jalapeño €"},
		},
	}
}
