package receipt

import (
	"bytes"
	"errors"
	"net/http"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// printed answers a receipt that is on its way to paper.
type printed struct {
	Job  journal.ID `json:"job"`
	Copy int        `json:"copy" doc:"0 the original, then 1, 2 …"`
}

// Routes are the calls on the papers of checks. The bill is printed by POST /v1/checks/{id}/bill.
func (d *Desk) Routes() []api.Route {
	staff := []access.Role{access.Manager, access.Staff, access.Till}
	problems := []int{http.StatusNotFound, http.StatusConflict}
	routes := []api.Route{{
		Method: "POST", Path: "/v1/checks/{id}/receipt", Roles: staff, Tags: []string{"floor"}, Summary: "Print the receipt; each further print of the same says that it is a copy",
		Params: []api.Param{{Name: "Idempotency-Key", In: "header", Doc: "the same key prints nothing more; kept 30 days"}},
		Answer: printed{}, Status: http.StatusAccepted, Problems: problems, Handle: d.postReceipt,
	}}
	for _, kind := range []string{KindBill, KindReceipt} {
		routes = append(routes, api.Route{
			Method: "GET", Path: "/v1/checks/{id}/" + kind + ".png", Roles: staff, Tags: []string{"floor"}, Summary: "The " + kind + " of a check as it would look on paper now",
			Type: "image/png", Problems: problems, Handle: func(w http.ResponseWriter, r *http.Request) error { return d.picture(w, r, kind) },
		})
	}
	return routes
}

func (d *Desk) postReceipt(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "check")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	job, copied, err := d.Receipt(r.Context(), access.From(r.Context()), key, id)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusAccepted, printed{job, copied})
}

func (d *Desk) picture(w http.ResponseWriter, r *http.Request, kind string) error {
	id, err := api.PathID(r, "check")
	if err != nil {
		return err
	}
	var picture bytes.Buffer // a fault must not come in the middle of it
	if err := d.PNG(r.Context(), &picture, kind, id); err != nil {
		return problem(err)
	}
	w.Header().Set("Content-Type", "image/png")
	_, err = w.Write(picture.Bytes())
	return err
}

// problem gives the desk's errors their place in HTTP; others pass through.
func problem(err error) error {
	switch {
	case errors.Is(err, ErrNoCheck):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrUnpaid):
		return api.Conflict("unpaid", err.Error()+"; print the bill instead")
	case errors.Is(err, ErrNoPrinter):
		return api.Conflict("no_printer", err.Error()+"; name one as receipts.printer in the configuration")
	case errors.Is(err, ErrOther):
		return api.Conflict("key_reused", err.Error())
	}
	return err
}
