package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS string

// docsCSP lets the pages of this package use their own style and nothing else.
func docsCSP() string {
	sum := sha256.Sum256([]byte(docsCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// docsView is what the pages show.
type docsView struct {
	Title, Version string
	CSS            template.CSS
	Groups         []docsGroup
	Schemas        []docsSchema
	Problem        *Problem
	Request        string
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Doc, Roles string
	Params                                []docsParam
	Body                                  string // name of its schema
	Answers                               []docsAnswer
}

type docsParam struct{ Name, In, Type, Doc string }

type docsAnswer struct{ Status, Text, Schema string }

type docsSchema struct {
	Name    string
	Members []docsMember
}

type docsMember struct {
	Name, Type, Schema, Doc string
	Required                bool
}

func docsTemplate() (*template.Template, error) {
	return template.New("docs").Funcs(template.FuncMap{"lower": strings.ToLower}).Parse(docsHTML)
}

// docsPage is the document for people, one page without scripts.
func docsPage(s *Server, document object) ([]byte, error) {
	v := docsView{Title: s.c.Title, Version: s.c.Version, CSS: template.CSS(docsCSS)}
	groups := map[string]int{}
	for i := range s.routes {
		t := &s.routes[i]
		if t.Hidden {
			continue
		}
		tag := "other"
		if len(t.Tags) > 0 {
			tag = t.Tags[0]
		}
		at, ok := groups[tag]
		if !ok {
			at = len(v.Groups)
			groups[tag] = at
			v.Groups = append(v.Groups, docsGroup{Name: tag})
		}
		v.Groups[at].Operations = append(v.Groups[at].Operations, docsOf(t, document))
	}
	schemas, _ := document["components"].(object)["schemas"].(object)
	for _, name := range sortedKeys(schemas) {
		v.Schemas = append(v.Schemas, docsSchemaOf(name, schemas[name].(object)))
	}
	page, err := docsTemplate()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "docs", v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func docsOf(t *Route, document object) docsOperation {
	o := docsOperation{ID: t.id(), Method: t.Method, Path: openPath(t.Path), Summary: t.Summary, Doc: t.Doc, Roles: roleList(t.Roles)}
	if len(t.Roles) == 0 {
		o.Roles = "everybody"
	}
	op := document["paths"].(object)[o.Path].(object)[strings.ToLower(t.Method)].(object)
	if list, ok := op["parameters"].([]any); ok {
		for _, p := range list {
			p := p.(object)
			kind, _ := typeOf(p["schema"].(object))
			doc, _ := p["description"].(string)
			o.Params = append(o.Params, docsParam{Name: p["name"].(string), In: p["in"].(string), Type: kind, Doc: doc})
		}
	}
	if body, ok := op["requestBody"].(object); ok {
		_, o.Body = typeOf(schemaIn(body))
	}
	responses := op["responses"].(object)
	for _, status := range sortedKeys(responses) {
		code, err := strconv.Atoi(status)
		if err != nil {
			continue // "default" is the same everywhere
		}
		_, schema := typeOf(schemaIn(responses[status].(object)))
		o.Answers = append(o.Answers, docsAnswer{Status: status, Text: http.StatusText(code), Schema: schema})
	}
	return o
}

// schemaIn finds the schema of a body or an answer, or nil.
func schemaIn(o object) object {
	content, _ := o["content"].(object)
	for _, media := range content {
		schema, _ := media.(object)["schema"].(object)
		return schema
	}
	return nil
}

// typeOf tells a schema in a few words, and the component it refers to.
func typeOf(o object) (words, component string) {
	if ref, ok := o["$ref"].(string); ok {
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		return name, name
	}
	kind, _ := o["type"].(string)
	switch kind {
	case "array":
		words, component = typeOf(o["items"].(object))
		return "list of " + words, component
	case "object":
		if inner, ok := o["additionalProperties"].(object); ok {
			words, component = typeOf(inner)
			return "map to " + words, component
		}
		return "object", ""
	case "":
		return "any", ""
	}
	if f, ok := o["format"].(string); ok && kind == "string" {
		kind = f
	}
	if e, ok := o["enum"]; ok {
		kind = strings.Join(strings.Fields(strings.Trim(fmt.Sprint(e), "[]")), " | ")
	}
	low, hasLow := o["minimum"].(float64)
	high, hasHigh := o["maximum"].(float64)
	switch {
	case hasLow && hasHigh:
		kind += fmt.Sprintf(" %v–%v", low, high)
	case hasLow:
		kind += fmt.Sprintf(" ≥ %v", low)
	case hasHigh:
		kind += fmt.Sprintf(" ≤ %v", high)
	}
	return kind, ""
}

func docsSchemaOf(name string, o object) docsSchema {
	s := docsSchema{Name: name}
	required := map[string]bool{}
	if list, ok := o["required"].([]string); ok {
		for _, r := range list {
			required[r] = true
		}
	}
	properties, _ := o["properties"].(object)
	for _, member := range sortedKeys(properties) {
		p := properties[member].(object)
		kind, component := typeOf(p)
		doc, _ := p["description"].(string)
		s.Members = append(s.Members, docsMember{Name: member, Type: kind, Schema: component, Doc: doc, Required: required[member]})
	}
	return s
}

func (s *Server) getDocs(w http.ResponseWriter, r *http.Request) error {
	b, err := s.docs()
	if err != nil {
		return fmt.Errorf("write pages of the API: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", docsCSP())
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

// errorPage tells a fault to a person with a browser.
func (s *Server) errorPage(rec *recorder, r *http.Request, p *Problem) {
	if p.RetryAfter > 0 {
		rec.Header().Set("Retry-After", strconv.Itoa(int(p.RetryAfter.Seconds()+1)))
	}
	if s.c.ErrorPage != nil {
		s.c.ErrorPage(rec, r, p)
		return
	}
	q := *p
	q.Title = p.title()
	page, err := docsTemplate()
	var b bytes.Buffer
	if err == nil {
		err = page.ExecuteTemplate(&b, "fault", docsView{Title: s.c.Title, CSS: template.CSS(docsCSS), Problem: &q, Request: rec.call.id})
	}
	if err != nil {
		b.Reset()
		b.WriteString(q.Title)
	}
	h := rec.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", docsCSP())
	h["Cache-Control"] = noStore
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	rec.WriteHeader(p.Status)
	_, _ = rec.Write(b.Bytes())
}
