package api

import (
	"errors"
	"net/http"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// base is the browser itself: what it is signed in as without the person who gave a PIN on it.
func base(r *http.Request) access.Principal {
	if b := callOf(r.Context()).base; b.Someone() {
		return b
	}
	return access.From(r.Context())
}

func (s *Server) listPeopleHere(w http.ResponseWriter, r *http.Request) error {
	all, err := s.c.Access.People(r.Context())
	if err != nil {
		return err
	}
	list := atScreenList{People: make([]atScreen, len(all))}
	for i, p := range all {
		list.People[i] = atScreen{p.ID, p.Name}
	}
	return Answer(w, http.StatusOK, list)
}

func (s *Server) enter(w http.ResponseWriter, r *http.Request) error {
	var body enter
	if err := decodeSmall(w, r, &body); err != nil {
		return err
	}
	former := ""
	if c, err := r.Cookie(PersonCookie); err == nil {
		former = c.Value
	}
	cookie, p, err := s.c.Access.Enter(r.Context(), base(r), former, body.Person, body.PIN, Client(r.Context()))
	switch {
	case errors.Is(err, access.ErrPIN):
		return &Problem{Status: http.StatusUnauthorized, Code: "wrong_pin", Detail: "this is not the PIN; a manager can set a new one in the console under People"}
	case errors.Is(err, access.ErrNoBase):
		return &Problem{Status: http.StatusForbidden, Code: "no_shared_browser", Detail: err.Error()}
	case err != nil:
		return err
	}
	s.giveCookie(w.(*recorder), PersonCookie, cookie, access.VisitLife)
	_, until, _ := s.c.Access.Visit(cookie, base(r), true)
	return Answer(w, http.StatusOK, iAm(p, until))
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(PersonCookie); err == nil {
		s.c.Access.Leave(c.Value)
	}
	s.giveCookie(w.(*recorder), PersonCookie, "", 0)
	return Answer(w, http.StatusNoContent, nil)
}

func (s *Server) listPeople(w http.ResponseWriter, r *http.Request) error {
	list, err := s.c.Access.People(r.Context())
	if err != nil {
		return err
	}
	return Answer(w, http.StatusOK, personList{list})
}

func (s *Server) addPerson(w http.ResponseWriter, r *http.Request) error {
	var body newPerson
	if err := decodeSmall(w, r, &body); err != nil {
		return err
	}
	p, err := s.c.Access.AddPerson(r.Context(), access.From(r.Context()), body.Name, body.Role, body.PIN)
	if err != nil {
		return personProblem(err, "")
	}
	return Answer(w, http.StatusCreated, p)
}

func (s *Server) changePerson(w http.ResponseWriter, r *http.Request) error {
	var body changedPerson
	if err := decodeSmall(w, r, &body); err != nil {
		return err
	}
	id, err := journal.ParseID(r.PathValue("id"))
	if err != nil {
		return NotFound("person", r.PathValue("id"))
	}
	p, err := s.c.Access.ChangePerson(r.Context(), access.From(r.Context()), id, body.Name, body.Role, body.PIN)
	if err != nil {
		return personProblem(err, r.PathValue("id"))
	}
	return Answer(w, http.StatusOK, p)
}

func (s *Server) removePerson(w http.ResponseWriter, r *http.Request) error {
	id, err := journal.ParseID(r.PathValue("id"))
	if err != nil {
		return NotFound("person", r.PathValue("id"))
	}
	if err := s.c.Access.RemovePerson(r.Context(), access.From(r.Context()), id); err != nil {
		return personProblem(err, r.PathValue("id"))
	}
	return Answer(w, http.StatusNoContent, nil)
}

func personProblem(err error, id string) error {
	var fault *access.FaultError
	switch {
	case errors.As(err, &fault):
		return Invalid([]Fault{{Pointer: "/" + fault.Member, Detail: fault.Err.Error()}})
	case errors.Is(err, access.ErrGone):
		return NotFound("person", id)
	case errors.Is(err, access.ErrPersonTaken):
		return Conflict("name_taken", err.Error())
	case errors.Is(err, access.ErrManyPeople):
		return Conflict("too_many_people", err.Error())
	}
	return err
}
