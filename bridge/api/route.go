package api

import (
	"fmt"
	"net/http"
	"strings"

	"aboyeur/bridge/access"
)

// A Route is one call of the API or one page: what it does, who may use it, what goes in and comes out. The OpenAPI
// document is made from it.
type Route struct {
	Method  string // GET also answers HEAD
	Path    string // pattern of http.ServeMux, as in /v1/orders/{id}
	ID      string // operationId; "" makes one of Method and Path
	Roles   []access.Role
	Summary string // a line; Roles empty means public, and admin is always among the roles
	Doc     string // more than a line, "" when the summary says it all
	Params  []Param
	Body    any   // zero value of what Decode reads; nil: no body
	Answer  any   // zero value of what Answer writes; nil: no body
	Status  int   // of success; 0 means 200, or 204 without an Answer
	Also    []int // further statuses of success with the same Answer, as 200 beside 201
	// Problems are the statuses of faults that are this route's own; those of every route (400, 401, 403 …) are added.
	Problems []int
	Tags     []string
	Type     string // content type of the answer; "" means application/json, or text/html for a Page
	Page     bool   // HTML: without a session it redirects to /sign-in, faults are pages
	Admit    bool   // counts against Config.InFlight: taking orders
	Hidden   bool   // not in the OpenAPI document: files of pages and the like
	Handle   func(w http.ResponseWriter, r *http.Request) error
}

// A Param is a parameter of the path, the query or a header. Those of the path need not be listed; they are found in
// the pattern, and a Param only adds its Doc.
type Param struct {
	Name     string
	In       string // "query" (or ""), "path", "header"
	Doc      string
	Type     any // zero value of its type; nil is a string
	Enum     []string
	Required bool
}

// allows tells whether p may use the route. Admin may use all of them.
func (t *Route) allows(p access.Principal) bool {
	if len(t.Roles) == 0 || p.Role == access.Admin {
		return true
	}
	for _, role := range t.Roles {
		if role == p.Role {
			return true
		}
	}
	return false
}

// id is the operationId.
func (t *Route) id() string {
	if t.ID != "" {
		return t.ID
	}
	var b strings.Builder
	b.WriteString(strings.ToLower(t.Method))
	for _, part := range strings.FieldsFunc(t.Path, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')
	}) {
		b.WriteString(strings.ToUpper(part[:1]))
		b.WriteString(part[1:])
	}
	return b.String()
}

// check finds what would make the route unusable.
func (t *Route) check() error {
	switch {
	case t.Handle == nil:
		return fmt.Errorf("route %s %s has no handler", t.Method, t.Path)
	case t.Method == "" || t.Path == "" || t.Path[0] != '/':
		return fmt.Errorf("route %q %q needs a method and a path that starts with /", t.Method, t.Path)
	}
	for _, role := range t.Roles {
		if !role.Valid() {
			return fmt.Errorf("route %s %s names an unknown role %q", t.Method, t.Path, role)
		}
	}
	return nil
}
