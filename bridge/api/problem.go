package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Problem is a fault told to the caller as application/problem+json (RFC 9457). Handlers return it as their error.
type Problem struct {
	Type       string // URI; "" is made of Code, or about:blank
	Title      string // "" is the status in words
	Status     int
	Detail     string // what is wrong here and what to do about it
	Code       string // for programs: pms_link_down
	Errors     []Fault
	Extra      map[string]any // further members of the object, as "ticket"
	RetryAfter time.Duration  // becomes a Retry-After header in whole seconds, at least 1; 0: none
}

// A Fault is one thing wrong with a request's content.
type Fault struct {
	Pointer string `json:"pointer" doc:"JSON pointer (RFC 6901) to the member at fault; empty for the whole body"`
	Detail  string `json:"detail" doc:"what is wrong and what to write instead"`
}

func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.title())
	if p.Detail != "" {
		b.WriteString(": ")
		b.WriteString(p.Detail)
	}
	for _, f := range p.Errors {
		fmt.Fprintf(&b, "; %s %s", f.Pointer, f.Detail)
	}
	return b.String()
}

// Invalid is the 422 problem of a well-formed body whose content is wrong. It is nil when there are no faults.
func Invalid(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	detail := "one member is wrong; see errors"
	if len(faults) > 1 {
		detail = strconv.Itoa(len(faults)) + " members are wrong; see errors"
	}
	return &Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: detail, Errors: faults}
}

// NotFound is the 404 problem for something named in the path.
func NotFound(what, name string) *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: fmt.Sprintf("there is no %s %q", what, name)}
}

// Conflict is a 409 problem.
func Conflict(code, detail string) *Problem {
	return &Problem{Status: http.StatusConflict, Code: code, Detail: detail}
}

func (p *Problem) title() string {
	if p.Title != "" {
		return p.Title
	}
	return http.StatusText(p.Status)
}

func (p *Problem) kind() string {
	switch {
	case p.Type != "":
		return p.Type
	case p.Code != "":
		return "urn:aboyeur:problem:" + p.Code
	}
	return "about:blank"
}

// MarshalJSONTo writes the members in the order of the RFC, then the extensions.
func (p *Problem) MarshalJSONTo(e *jsontext.Encoder) error {
	member := func(name string, v any) error {
		return errors.Join(e.WriteToken(jsontext.String(name)), json.MarshalEncode(e, v))
	}
	err := errors.Join(e.WriteToken(jsontext.BeginObject),
		member("type", p.kind()), member("title", p.title()), member("status", p.Status))
	if p.Detail != "" {
		err = errors.Join(err, member("detail", p.Detail))
	}
	if p.Code != "" {
		err = errors.Join(err, member("code", p.Code))
	}
	if len(p.Errors) > 0 {
		err = errors.Join(err, member("errors", p.Errors))
	}
	for _, name := range sortedKeys(p.Extra) {
		err = errors.Join(err, member(name, p.Extra[name]))
	}
	return errors.Join(err, e.WriteToken(jsontext.EndObject))
}

// write sends the problem.
func (p *Problem) write(w http.ResponseWriter) error {
	b := getBuffer()
	defer putBuffer(b)
	if err := json.MarshalWrite(b, p, answerOptions); err != nil {
		b.Reset()
		writeBare(b, p)
	}
	b.WriteByte('\n')
	h := w.Header()
	h["Content-Type"] = problemType
	h["Cache-Control"] = noStore
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(max(1, int64((p.RetryAfter+time.Second-1)/time.Second)), 10))
	}
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(p.Status)
	_, err := w.Write(b.Bytes())
	return err
}

// writeBare is what is left of a problem whose extra members cannot be written as JSON.
func writeBare(b *bytes.Buffer, p *Problem) {
	fmt.Fprintf(b, `{"type":%q,"title":%q,"status":%d}`, "about:blank", http.StatusText(p.Status), p.Status)
}
