package api

import (
	"encoding"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// object is a JSON object of the document.
type object = map[string]any

// describe arranges for the document and its page, which are made when first asked for: the box starts without them.
func (s *Server) describe() {
	document := sync.OnceValue(func() object { return newDescriber(s).document(s) })
	s.spec = sync.OnceValues(func() ([]byte, error) {
		return json.Marshal(document(), answerOptions, jsontext.WithIndent("  "))
	})
	s.docs = sync.OnceValues(func() ([]byte, error) { return docsPage(s, document()) })
}

func (s *Server) getSpec(w http.ResponseWriter, r *http.Request) error {
	b, err := s.spec()
	if err != nil {
		return fmt.Errorf("write OpenAPI document: %w", err)
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

// A describer makes an OpenAPI 3.1 document of routes, and JSON schemas of their Go types.
type describer struct {
	schemas object                  // components/schemas
	names   map[reflect.Type]string // of the types in schemas
	bodies  map[reflect.Type]bool   // types that Decode reads: unknown members are errors
}

func newDescriber(s *Server) *describer {
	d := &describer{schemas: object{}, names: map[reflect.Type]string{}, bodies: map[reflect.Type]bool{}}
	for i := range s.routes {
		if t := &s.routes[i]; t.Body != nil {
			d.reads(reflect.TypeOf(t.Body))
		}
	}
	return d
}

// reads marks the struct types that a body of type t consists of.
func (d *describer) reads(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		d.reads(t.Elem())
	case reflect.Struct:
		if d.bodies[t] || basic(t) != nil {
			return
		}
		d.bodies[t] = true
		members, _ := membersOf(t)
		for _, m := range members {
			d.reads(m.typ)
		}
	}
}

func (d *describer) document(s *Server) object {
	paths := object{}
	for i := range s.routes {
		t := &s.routes[i]
		if t.Hidden {
			continue
		}
		path := openPath(t.Path)
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(t.Method)] = d.operation(t)
	}
	server := "/"
	if s.c.PublicURL != "" {
		server = strings.TrimSuffix(s.c.PublicURL, "/") + "/"
	}
	version := s.c.Version
	if version == "" {
		version = "dev"
	}
	d.schemas["Fault"] = d.structure(reflect.TypeFor[Fault]())
	d.schemas["Problem"] = problemSchema()
	return object{
		"openapi": "3.1.0",
		"info": object{"title": s.c.Title, "version": version,
			"description": "Orders in, kitchen tickets out. Errors are problems (RFC 9457); every operation names the roles that may use it.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"}},
		"servers": []any{object{"url": server}},
		"tags":    d.tags(s),
		"paths":   paths,
		"components": object{
			"schemas":   d.schemas,
			"responses": problemResponses(s),
			"securitySchemes": object{
				"bearer":  object{"type": "http", "scheme": "bearer", "description": "A token made by `aboyeur token add`."},
				"session": object{"type": "apiKey", "in": "cookie", "name": CookieName, "description": "Set by POST /v1/session, or by pairing for a screen."},
			},
		},
	}
}

func (d *describer) tags(s *Server) []any {
	seen, tags := map[string]bool{}, []any{}
	for i := range s.routes {
		if s.routes[i].Hidden {
			continue
		}
		for _, tag := range s.routes[i].Tags {
			if !seen[tag] {
				seen[tag] = true
				tags = append(tags, object{"name": tag})
			}
		}
	}
	return tags
}

// openPath is the mux's pattern as OpenAPI writes it.
func openPath(p string) string {
	p = strings.ReplaceAll(p, "{$}", "")
	return strings.ReplaceAll(p, "...}", "}")
}

func (d *describer) operation(t *Route) object {
	roles := "Roles: " + roleList(t.Roles) + "."
	security := []any{object{"bearer": []any{}}, object{"session": []any{}}}
	xRoles := strings.Split(roleList(t.Roles), ", ")
	if len(t.Roles) == 0 {
		roles, security, xRoles = "Roles: none needed.", []any{}, []string{}
	}
	description := roles
	if t.Doc != "" {
		description = t.Doc + "\n\n" + roles
	}
	op := object{"operationId": t.id(), "summary": t.Summary, "description": description,
		"security": security, "x-roles": xRoles, "responses": d.responses(t)}
	if len(t.Tags) > 0 {
		op["tags"] = t.Tags
	}
	if p := d.parameters(t); len(p) > 0 {
		op["parameters"] = p
	}
	if t.Body != nil {
		op["requestBody"] = object{"required": true,
			"content": object{"application/json": object{"schema": d.schema(reflect.TypeOf(t.Body), limits{})}}}
	}
	return op
}

func (d *describer) parameters(t *Route) []any {
	var list []any
	listed := map[string]Param{}
	for _, p := range t.Params {
		if p.In == "path" {
			listed[p.Name] = p
		}
	}
	for part := range strings.SplitSeq(openPath(t.Path), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			p := listed[strings.TrimSuffix(name, "}")]
			p.Name, p.In, p.Required = strings.TrimSuffix(name, "}"), "path", true
			list = append(list, d.parameter(p))
		}
	}
	for _, p := range t.Params {
		if p.In == "path" {
			continue
		}
		if p.In == "" {
			p.In = "query"
		}
		list = append(list, d.parameter(p))
	}
	return list
}

func (d *describer) parameter(p Param) object {
	schema := object{"type": "string"}
	if p.Type != nil {
		schema = d.schema(reflect.TypeOf(p.Type), limits{})
	}
	if len(p.Enum) > 0 {
		schema["enum"] = p.Enum
	}
	o := object{"name": p.Name, "in": p.In, "schema": schema}
	if p.Required {
		o["required"] = true
	}
	if p.Doc != "" {
		o["description"] = p.Doc
	}
	return o
}

func (t *Route) status() int {
	switch {
	case t.Status != 0:
		return t.Status
	case t.Answer == nil && !t.Page && t.Type == "":
		return http.StatusNoContent
	}
	return http.StatusOK
}

func (d *describer) responses(t *Route) object {
	all := object{"default": object{"$ref": "#/components/responses/Problem"}}
	for _, status := range append([]int{t.status()}, t.Also...) {
		o := object{"description": http.StatusText(status)}
		kind := t.Type
		if kind == "" && t.Page {
			kind = "text/html"
		}
		switch {
		case t.Answer != nil:
			if kind == "" {
				kind = "application/json"
			}
			o["content"] = object{kind: object{"schema": d.schema(reflect.TypeOf(t.Answer), limits{})}}
		case kind != "":
			o["content"] = object{kind: object{"schema": object{"type": "string"}}}
		}
		all[strconv.Itoa(status)] = o
	}
	for _, status := range t.problems() {
		all[strconv.Itoa(status)] = object{"$ref": "#/components/responses/" + responseName(status)}
	}
	return all
}

// problems are the statuses of faults that the route may answer with.
func (t *Route) problems() []int {
	list := slices.Clone(t.Problems)
	if t.Body != nil {
		list = append(list, 400, 408, 413, 415, 422)
	}
	if len(t.Roles) > 0 {
		list = append(list, 401, 403)
	}
	if t.Admit {
		list = append(list, 503)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func responseName(status int) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, http.StatusText(status))
	if name == "" {
		return "Problem" + strconv.Itoa(status)
	}
	return name
}

func problemResponses(s *Server) object {
	content := object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}
	all := object{"Problem": object{"description": "A fault, as a problem", "content": content}}
	for i := range s.routes {
		for _, status := range s.routes[i].problems() {
			o := object{"description": http.StatusText(status), "content": content}
			if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
				o["headers"] = object{"Retry-After": object{"description": "seconds", "schema": object{"type": "integer"}}}
			}
			all[responseName(status)] = o
		}
	}
	return all
}

func problemSchema() object {
	text := func(doc string) object { return object{"type": "string", "description": doc} }
	return object{"type": "object", "description": "A fault (RFC 9457). Some problems have members of their own.",
		"required": []string{"type", "title", "status"},
		"properties": object{
			"type":   object{"type": "string", "format": "uri-reference"},
			"title":  text("the status in words"),
			"status": object{"type": "integer"},
			"detail": text("what is wrong and what to do about it"),
			"code":   text("for programs"),
			"errors": object{"type": "array", "items": object{"$ref": "#/components/schemas/Fault"}},
		}}
}

var (
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	marshalerType     = reflect.TypeFor[json.Marshaler]()
	marshalerToType   = reflect.TypeFor[json.MarshalerTo]()
)

// basic is the schema of types that write themselves as one text or as anything; nil for the others.
func basic(t reflect.Type) object {
	implements := func(i reflect.Type) bool { return t.Implements(i) || reflect.PointerTo(t).Implements(i) }
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": "number"}
	case t == reflect.TypeFor[journal.ID]():
		return object{"type": "string", "format": "uuid"}
	case t == reflect.TypeFor[access.Role]():
		return object{"type": "string", "enum": access.Roles()}
	case t == rawType, implements(marshalerType), implements(marshalerToType):
		return object{}
	case implements(textMarshalerType):
		return object{"type": "string"}
	}
	return nil
}

// schema is the JSON schema of type t; that of a named struct is a reference.
func (d *describer) schema(t reflect.Type, l limits) object {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	o := basic(t)
	if o == nil {
		switch t.Kind() {
		case reflect.Struct:
			if t.Name() == "" {
				o = d.structure(t)
			} else {
				o = object{"$ref": "#/components/schemas/" + d.component(t)}
			}
		case reflect.Slice, reflect.Array:
			if t.Elem().Kind() == reflect.Uint8 {
				o = object{"type": "string", "contentEncoding": "base64"}
				break
			}
			o = object{"type": "array", "items": d.schema(t.Elem(), limits{enum: l.enum})}
			l.enum = nil
		case reflect.Map:
			o = object{"type": "object", "additionalProperties": d.schema(t.Elem(), limits{})}
		case reflect.String:
			o = object{"type": "string"}
		case reflect.Bool:
			o = object{"type": "boolean"}
		case reflect.Float32, reflect.Float64:
			o = object{"type": "number"}
		case reflect.Int64, reflect.Uint64, reflect.Int, reflect.Uint:
			o = object{"type": "integer", "format": "int64"}
		case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint8, reflect.Uint16, reflect.Uint32:
			o = object{"type": "integer"}
		default: // an interface: any value
			o = object{}
		}
	}
	l.addTo(o)
	return o
}

// addTo adds what tags say. In OpenAPI 3.1 members beside a $ref count.
func (l limits) addTo(o object) {
	if l.doc != "" {
		o["description"] = l.doc
	}
	if l.format != "" {
		o["format"] = l.format
	}
	if len(l.enum) > 0 {
		o["enum"] = l.enum
	}
	if l.example != "" {
		o["examples"] = []any{l.example}
	}
	if n, err := strconv.ParseFloat(l.minimum, 64); err == nil {
		o["minimum"] = n
	}
	if n, err := strconv.ParseFloat(l.maximum, 64); err == nil {
		o["maximum"] = n
	}
}

// component puts the schema of a named struct into the document once and gives its name there. Two types of one name get
// their package's name in front.
func (d *describer) component(t reflect.Type) string {
	if name, ok := d.names[t]; ok {
		return name
	}
	name := title(plainTypeName(t))
	if d.taken(name) {
		pkg := t.PkgPath()
		name = title(pkg[strings.LastIndexByte(pkg, '/')+1:]) + name
	}
	for i := 2; d.taken(name); i++ {
		name = strings.TrimRight(name, "0123456789") + strconv.Itoa(i)
	}
	d.names[t] = name
	d.schemas[name] = nil // a recursive type finds its own name
	d.schemas[name] = d.structure(t)
	return name
}

func (d *describer) taken(name string) bool {
	_, taken := d.schemas[name]
	return taken || name == "Problem" || name == "Fault"
}

// plainTypeName is the type's name without type arguments, which are not allowed in a component's.
func plainTypeName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (d *describer) structure(t reflect.Type) object {
	members, open := membersOf(t)
	properties, required := object{}, []string{}
	for _, m := range members {
		properties[m.name] = d.schema(m.typ, m.tag)
		if m.required {
			required = append(required, m.name)
		}
	}
	o := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	if d.bodies[t] && !open {
		o["additionalProperties"] = false
	}
	return o
}
