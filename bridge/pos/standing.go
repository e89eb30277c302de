package pos

import (
	"context"
	"net/http"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
)

// standing is the answer of GET /v1/pos/queue.
type standing struct {
	Standing
	Devices []string `json:"devices,omitzero" doc:"tills that are there, with ?ask=true"`
	Open    *bool    `json:"open,omitzero" doc:"it takes orders now, with ?ask=true"`

	Checks *MirrorStanding `json:"checks,omitzero" doc:"of a till that keeps the checks"`
}

// Routes tell how the hand-over to a till stands; mirrored is nil where it keeps no checks.
func (i *Injections) Routes(kind, location string, mirrored func(context.Context) (MirrorStanding, error)) []api.Route {
	return []api.Route{{Method: "GET", Path: "/v1/pos/queue", Roles: []access.Role{access.Manager, access.Staff}, Tags: []string{"till"}, Summary: "The till that orders are handed to, and how that stands",
		Params: []api.Param{{Name: "ask", Doc: "true asks the till itself"}}, Answer: standing{}, Handle: func(w http.ResponseWriter, r *http.Request) error {
			s, err := i.Standing(r.Context())
			if err != nil {
				return err
			}
			s.Kind, s.Location = kind, location
			a := standing{Standing: s}
			if mirrored != nil {
				checks, err := mirrored(r.Context())
				if err != nil {
					return err
				}
				a.Checks = &checks
			}
			if r.URL.Query().Get("ask") == "true" {
				info, err := i.c.Till.Info(r.Context())
				if err != nil {
					a.Up = false
					if a.Cause, a.Detail = coded(err); a.Cause == NoAnswer {
						a.Cause, a.Detail = Offline, "the till does not answer"
					}
				} else {
					a.Devices, a.Open = info.Devices, &info.Open
				}
			}
			return api.Answer(w, http.StatusOK, a)
		}}}
}
