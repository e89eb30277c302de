package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// Bodies and answers of the server's own routes.
type (
	signIn struct {
		Token string `json:"token" doc:"made by aboyeur token add"`
	}
	whoAmI struct {
		Name   string      `json:"name"`
		Role   access.Role `json:"role"`
		Screen string      `json:"screen" doc:"the screen this browser is paired as; empty for people"`
		Via    string      `json:"via" enum:"token,session,pairing,pin,demo" doc:"pin: somebody gave a PIN on a shared browser"`
		Until  time.Time   `json:"until,omitzero" doc:"when a visit by PIN ends unless something is done"`
	}
	askPairing struct {
		Label string `json:"label,omitzero" doc:"what the browser calls itself, for the manager who approves it"`
	}
	claimPairing struct {
		Secret string `json:"secret"`
	}
	claimed struct {
		State  string `json:"state" enum:"pending,paired"`
		Screen string `json:"screen,omitzero"`
	}
	approvePairing struct {
		Screen string `json:"screen"`
	}
	pairingList struct {
		Pairings []access.Pairing `json:"pairings"`
	}
	atScreen struct {
		ID   journal.ID `json:"id"`
		Name string     `json:"name"`
	}
	atScreenList struct {
		People []atScreen `json:"people"`
	}
	enter struct {
		Person journal.ID `json:"person" doc:"id of one of GET /v1/session/people"`
		PIN    string     `json:"pin"`
	}
	personList struct {
		People []access.Person `json:"people"`
	}
	newPerson struct {
		Name string      `json:"name" doc:"1 to 40 characters"`
		Role access.Role `json:"role" enum:"staff,manager"`
		PIN  string      `json:"pin" doc:"4 to 12 digits, of a manager 6 to 12; kept as a slow hash only"`
	}
	changedPerson struct {
		Name string      `json:"name,omitzero" doc:"absent: stays"`
		Role access.Role `json:"role,omitzero" enum:"staff,manager" doc:"absent: stays"`
		PIN  string      `json:"pin,omitzero" doc:"absent: stays"`
	}
	auditList struct {
		Entries []journal.AuditEntry `json:"entries"`
	}
)

// Limits of the audit list.
const (
	defaultEntries = 100
	maxEntries     = 1000
)

// ownRoutes are sign-in, pairing and the audit log. They stand here and not in package access because routes name
// roles: this package imports that one.
func (s *Server) ownRoutes() []Route {
	managers := []access.Role{access.Manager}
	shared := []access.Role{access.Manager, access.Staff, access.Screen}
	return []Route{
		{Method: "GET", Path: "/v1/session", ID: "getSession", Roles: access.Roles(), Summary: "Who am I", Tags: []string{"access"},
			Answer: whoAmI{}, Handle: s.getSession},
		{Method: "POST", Path: "/v1/session", ID: "signIn", Summary: "Sign in with a token", Tags: []string{"access"},
			Doc:  "Opens a session and sets the cookie " + CookieName + ". A former session of the browser ends.",
			Body: signIn{}, Status: http.StatusNoContent, Problems: []int{401, 429, 503}, Handle: s.signIn},
		{Method: "DELETE", Path: "/v1/session", ID: "signOut", Summary: "Sign out", Tags: []string{"access"},
			Status: http.StatusNoContent, Handle: s.signOut},

		{Method: "GET", Path: "/v1/session/people", ID: "listPeopleHere", Roles: shared, Summary: "Who may give a PIN on this browser", Tags: []string{"access"},
			Answer: atScreenList{}, Handle: s.listPeopleHere},
		{Method: "POST", Path: "/v1/session/person", ID: "enterByPIN", Roles: shared, Summary: "Give a PIN on a shared browser", Tags: []string{"access"},
			Doc: "What is done from then on bears that person's name and needs that person's role, until the person leaves or does nothing for 5 minutes. " +
				"Five wrong PINs in a row lock the person for a minute, each further one for twice as long.",
			Body: enter{}, Answer: whoAmI{}, Problems: []int{401, 429, 503}, Handle: s.enter},
		{Method: "DELETE", Path: "/v1/session/person", ID: "leave", Roles: shared, Summary: "Leave a shared browser; it stays signed in as what it was", Tags: []string{"access"},
			Status: http.StatusNoContent, Handle: s.leave},

		{Method: "GET", Path: "/v1/people", ID: "listPeople", Roles: managers, Summary: "Who signs in with a PIN", Tags: []string{"access"},
			Answer: personList{}, Handle: s.listPeople},
		{Method: "POST", Path: "/v1/people", ID: "addPerson", Roles: managers, Summary: "Let somebody sign in with a PIN", Tags: []string{"access"},
			Body: newPerson{}, Answer: access.Person{}, Status: http.StatusCreated, Problems: []int{409, 503}, Handle: s.addPerson},
		{Method: "PUT", Path: "/v1/people/{id}", ID: "changePerson", Roles: managers, Summary: "Give somebody another name, role or PIN; opens a lock", Tags: []string{"access"},
			Body: changedPerson{}, Answer: access.Person{}, Problems: []int{404, 409, 503}, Handle: s.changePerson},
		{Method: "DELETE", Path: "/v1/people/{id}", ID: "removePerson", Roles: managers, Summary: "End somebody's PIN at once", Tags: []string{"access"},
			Status: http.StatusNoContent, Problems: []int{404, 503}, Handle: s.removePerson},

		{Method: "POST", Path: "/v1/pairings", ID: "askPairing", Summary: "Ask for a pairing code", Tags: []string{"access"},
			Doc:  "A browser that wants to become a kitchen screen shows the code and keeps the secret. Both are good for 10 minutes.",
			Body: askPairing{}, Answer: access.Code{}, Status: http.StatusCreated, Problems: []int{429}, Handle: s.askPairing},
		{Method: "POST", Path: "/v1/pairings/claim", ID: "claimPairing", Summary: "Become the screen once approved", Tags: []string{"access"},
			Doc:  "202 while nobody approved the code; 200 once, with the cookie; 404 when the code ran out.",
			Body: claimPairing{}, Answer: claimed{}, Also: []int{http.StatusAccepted}, Problems: []int{404, 429, 503}, Handle: s.claimPairing},
		{Method: "POST", Path: "/v1/pairings/{code}/approve", ID: "approvePairing", Roles: managers, Summary: "Let the browser that shows the code become a screen",
			Tags: []string{"access"}, Params: []Param{{Name: "code", In: "path", Doc: "as the screen shows it; case, blanks and hyphens do not matter"}},
			Body: approvePairing{}, Status: http.StatusNoContent, Problems: []int{404, 429, 503}, Handle: s.approvePairing},
		{Method: "GET", Path: "/v1/pairings", ID: "listPairings", Roles: managers, Summary: "Paired screens", Tags: []string{"access"},
			Answer: pairingList{}, Handle: s.listPairings},
		{Method: "DELETE", Path: "/v1/pairings/{id}", ID: "revokePairing", Roles: managers, Summary: "End a screen's pairing at once", Tags: []string{"access"},
			Status: http.StatusNoContent, Problems: []int{404, 503}, Handle: s.revokePairing},

		{Method: "GET", Path: "/v1/audit", ID: "listAudit", Roles: managers, Summary: "Who did what, the newest first", Tags: []string{"access"},
			Params: []Param{{Name: "limit", Type: 0, Doc: fmt.Sprintf("rows, at most %d; %d when absent", maxEntries, defaultEntries)}},
			Answer: auditList{}, Handle: s.listAudit},

		{Method: "GET", Path: "/openapi.json", ID: "getOpenAPI", Summary: "This document", Tags: []string{"about"}, Answer: map[string]any{}, Handle: s.getSpec},
		{Method: "GET", Path: "/docs", ID: "getDocs", Summary: "This document as a page", Tags: []string{"about"}, Page: true, Handle: s.getDocs},
	}
}

// smallBody is the limit of bodies that anybody may send, in bytes.
const smallBody = 4 << 10

func decodeSmall(w http.ResponseWriter, r *http.Request, dst any) error {
	r.Body = http.MaxBytesReader(w, r.Body, smallBody)
	return Decode(w, r, dst)
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request) error {
	return Answer(w, http.StatusOK, iAm(access.From(r.Context()), callOf(r.Context()).until))
}

func iAm(p access.Principal, until time.Time) whoAmI {
	return whoAmI{Name: p.Name, Role: p.Role, Screen: p.Screen, Via: p.Via, Until: until}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	var body signIn
	if err := decodeSmall(w, r, &body); err != nil {
		return err
	}
	former := ""
	if c, err := r.Cookie(CookieName); err == nil {
		former = c.Value
	}
	cookie, _, err := s.c.Access.SignIn(r.Context(), body.Token, former, Client(r.Context()))
	if errors.Is(err, access.ErrRefused) {
		return &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: err.Error()}
	}
	if err != nil {
		return err
	}
	s.setCookie(w.(*recorder), cookie, access.SessionLife)
	return Answer(w, http.StatusNoContent, nil)
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(CookieName); err == nil {
		if err := s.c.Access.SignOut(r.Context(), c.Value); err != nil {
			return err
		}
	}
	s.setCookie(w.(*recorder), "", 0)
	if _, err := r.Cookie(PersonCookie); err == nil { // whoever gave a PIN leaves with the browser's session
		s.giveCookie(w.(*recorder), PersonCookie, "", 0)
	}
	return Answer(w, http.StatusNoContent, nil)
}

func (s *Server) askPairing(w http.ResponseWriter, r *http.Request) error {
	var body askPairing
	if err := decodeSmall(w, r, &body); err != nil {
		return err
	}
	code, err := s.c.Access.AskPairing(body.Label, Client(r.Context()))
	if err != nil {
		return err
	}
	return Answer(w, http.StatusCreated, code)
}

func (s *Server) claimPairing(w http.ResponseWriter, r *http.Request) error {
	var body claimPairing
	if err := decodeSmall(w, r, &body); err != nil {
		return err
	}
	cookie, screen, err := s.c.Access.ClaimPairing(r.Context(), body.Secret)
	switch {
	case errors.Is(err, access.ErrPending):
		return Answer(w, http.StatusAccepted, claimed{State: "pending"})
	case errors.Is(err, access.ErrGone):
		return &Problem{Status: http.StatusNotFound, Code: "pairing_gone", Detail: "the code ran out or was used; ask for a new one"}
	case err != nil:
		return err
	}
	s.setCookie(w.(*recorder), cookie, access.ScreenLife)
	return Answer(w, http.StatusOK, claimed{State: "paired", Screen: screen})
}

func (s *Server) approvePairing(w http.ResponseWriter, r *http.Request) error {
	var body approvePairing
	if err := Decode(w, r, &body); err != nil {
		return err
	}
	ctx := r.Context()
	err := s.c.Access.ApprovePairing(ctx, r.PathValue("code"), body.Screen, access.From(ctx), Client(ctx))
	switch {
	case errors.Is(err, access.ErrGone):
		return &Problem{Status: http.StatusNotFound, Code: "pairing_gone", Detail: "no screen shows this code; read it again, or let the screen ask for a new one"}
	case errors.Is(err, access.ErrUnknownScreen):
		return Invalid([]Fault{{Pointer: "/screen", Detail: fmt.Sprintf("is %s; write the name of a screen of the configuration", quote(body.Screen))}})
	case err != nil:
		return err
	}
	return Answer(w, http.StatusNoContent, nil)
}

func (s *Server) listPairings(w http.ResponseWriter, r *http.Request) error {
	list, err := s.c.Access.Pairings(r.Context())
	if err != nil {
		return err
	}
	return Answer(w, http.StatusOK, pairingList{Pairings: list})
}

func (s *Server) revokePairing(w http.ResponseWriter, r *http.Request) error {
	id, err := journal.ParseID(r.PathValue("id"))
	if err != nil {
		return NotFound("pairing", r.PathValue("id"))
	}
	err = s.c.Access.RevokePairing(r.Context(), id, access.From(r.Context()))
	if errors.Is(err, access.ErrGone) {
		return NotFound("pairing", r.PathValue("id"))
	}
	if err != nil {
		return err
	}
	return Answer(w, http.StatusNoContent, nil)
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request) error {
	limit, err := QueryInt(r, "limit", defaultEntries, 1, maxEntries)
	if err != nil {
		return err
	}
	list, err := s.c.Access.AuditLog(r.Context(), limit)
	if err != nil {
		return err
	}
	return Answer(w, http.StatusOK, auditList{Entries: list})
}

// QueryInt reads a whole number from the query; absent gives otherwise. The error is a 400 problem that names it.
func QueryInt(r *http.Request, name string, otherwise, least, most int) (int, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, &Problem{Status: http.StatusBadRequest, Code: "invalid_query",
			Detail: fmt.Sprintf("%s is %s; write a whole number from %d to %d", name, quote(v), least, most)}
	}
	return n, nil
}
