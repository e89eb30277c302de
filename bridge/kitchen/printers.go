package kitchen

import (
	"context"
	"net/http"
	"slices"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
)

// PrinterView is a printer with its queue, as the API shows it.
type PrinterView struct {
	Name              string   `json:"name"`
	Connect           string   `json:"connect"`
	Model             string   `json:"model"`
	Up                bool     `json:"up"`
	State             string   `json:"state" enum:"ready,printing,paused,offline,paper_out,cover_open,error,connecting"`
	Paper             string   `json:"paper" enum:"ok,low,out,unknown"`
	Reason            string   `json:"reason,omitzero"`
	Detail            string   `json:"detail,omitzero"`
	Proof             string   `json:"proof" enum:"process_id,fence,none,unknown" doc:"the best evidence of printing it can give"`
	Queue             int      `json:"queue" doc:"jobs that wait"`
	OldestHeldSeconds float64  `json:"oldest_held_seconds"`
	Sequence          uint32   `json:"sequence" doc:"number of its last ticket; a gap on paper is a lost ticket"`
	Fallback          string   `json:"fallback,omitzero"`
	Stations          []string `json:"stations"`
	Maker             string   `json:"maker,omitzero"`
	Device            string   `json:"device,omitzero"`
	Firmware          string   `json:"firmware,omitzero"`
	Serial            string   `json:"serial,omitzero"`
}

// Printers shows every printer, in the order of the configuration.
func (k *Kitchen) Printers() []PrinterView {
	views := make([]PrinterView, len(k.c.Printers))
	for i, c := range k.c.Printers {
		views[i] = k.view(c)
	}
	return views
}

func (k *Kitchen) view(c PrinterConfig) PrinterView {
	q := k.queues[c.Name]
	jobs, _, _ := q.Waiting()
	v := PrinterView{Name: c.Name, Model: c.Profile.Name, Queue: jobs, Fallback: c.Fallback, Stations: []string{}, State: string(printer.Connecting), Paper: string(printer.PaperUnknown), Proof: string(printer.ProofUnknown)}
	v.OldestHeldSeconds = q.oldestHeld(k.c.Now()).Round(time.Millisecond).Seconds()
	for _, s := range k.c.Stations {
		if slices.Contains(s.Printers, c.Name) {
			v.Stations = append(v.Stations, s.Name)
		}
	}
	if q.printer == nil {
		return v
	}
	st := q.printer.Status()
	v.Connect, v.Up, v.State, v.Paper, v.Reason, v.Detail = st.Address, st.Up, string(st.State), string(st.Paper), st.Reason, st.Detail
	v.Proof, v.Sequence = string(st.Proof), st.Sequence
	v.Maker, v.Device, v.Firmware, v.Serial = st.Identity.Maker, st.Identity.Model, st.Identity.Firmware, st.Identity.Serial
	return v
}

// EnvelopeWords are the words that the driver prints around a ticket.
func EnvelopeWords(w *words.Catalogue) printer.Words {
	p := w.Paper()
	reasons := map[string]string{}
	for _, key := range w.Keys() {
		const prefix = "reason."
		if len(key) > len(prefix) && key[:len(prefix)] == prefix {
			reasons[key[len(prefix):]] = w.T(key)
		}
	}
	return printer.Words{
		Reprint: words.Fill(p.Reprint, ""), Ticket: w.T("paper.ticket"), FirstSent: w.T("paper.sent_at"), Reason: w.T("paper.because"),
		AlreadyPrinted: p.NotCertain, End: w.T("paper.tail"), Test: p.TestPage, Printer: p.Printer, Columns: w.T("paper.columns"), Reasons: reasons,
	}
}

// Test queues a test page.
func (k *Kitchen) Test(ctx context.Context, by access.Principal, name string) (journal.ID, error) {
	q := k.queues[name]
	id := k.c.Journal.NewID()
	body := q.printer.TestBody(EnvelopeWords(q.c.Words))
	return id, k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := access.Record(tx, by, "printer_tested", name, ""); err != nil {
			return err
		}
		return q.insert(tx, &Ticket{}, &newJob{id: id, queue: q, body: body})
	})
}

// printerRoutes are the calls on printers.
func (k *Kitchen) printerRoutes() []api.Route {
	readers := []access.Role{access.Manager, access.Staff, access.Till, access.Screen}
	staff := []access.Role{access.Manager, access.Staff}
	type list struct {
		Printers []PrinterView `json:"printers"`
	}
	type queued struct {
		Job journal.ID `json:"job"`
	}
	routes := []api.Route{
		{Method: "GET", Path: "/v1/printers", Roles: readers, Tags: []string{"printers"}, Summary: "Every printer with its state and queue",
			Answer: list{}, Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, list{k.Printers()})
			}},
		{Method: "POST", Path: "/v1/printers/{name}/test", Roles: staff, Tags: []string{"printers"}, Summary: "Print a test page",
			Answer: queued{}, Status: http.StatusAccepted, Problems: []int{http.StatusNotFound}, Handle: func(w http.ResponseWriter, r *http.Request) error {
				name := r.PathValue("name")
				if k.queues[name] == nil {
					return api.NotFound("printer", name)
				}
				id, err := k.Test(r.Context(), access.From(r.Context()), name)
				if err != nil {
					return err
				}
				return api.Answer(w, http.StatusAccepted, queued{id})
			}},
	}
	for _, a := range []struct {
		act, past, summary string
		do                 func(Printer)
	}{
		{"pause", "paused", "Finish the ticket in hand and begin no other", Printer.Pause},
		{"resume", "resumed", "Go on after a pause", Printer.Resume},
	} {
		routes = append(routes, api.Route{
			Method: "POST", Path: "/v1/printers/{name}/" + a.act, Roles: staff, Tags: []string{"printers"}, Summary: a.summary,
			Answer: PrinterView{}, Problems: []int{http.StatusNotFound}, Handle: func(w http.ResponseWriter, r *http.Request) error {
				q := k.queues[r.PathValue("name")]
				if q == nil {
					return api.NotFound("printer", r.PathValue("name"))
				}
				err := k.c.Journal.Write(r.Context(), func(tx *journal.Tx) error {
					return access.Record(tx, access.From(r.Context()), "printer_"+a.past, q.c.Name, "")
				})
				if err != nil {
					return err
				}
				a.do(q.printer)
				return api.Answer(w, http.StatusOK, k.view(q.c))
			}})
	}
	return routes
}
