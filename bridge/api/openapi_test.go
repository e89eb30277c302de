package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

type apiOrder struct {
	Source string    `json:"source" doc:"who sends it"`
	Kind   string    `json:"kind,omitzero" enum:"hot,cold"`
	Lines  []apiLine `json:"lines"`
}

type apiLine struct {
	Name     string         `json:"name"`
	Quantity int            `json:"quantity" minimum:"1" maximum:"1000"`
	Parts    []apiLine      `json:"parts,omitempty"`
	Tags     map[string]int `json:"tags,omitzero"`
}

type apiAnswer struct {
	ID journal.ID `json:"id"`
	At time.Time  `json:"at"`
	apiOrder
	Inner struct {
		X float64 `json:"x"`
	} `json:"inner"`
	Role access.Role `json:"role"`
	Any  any         `json:"any,omitzero"`
	Raw  []byte      `json:"raw,omitzero"`
}

func openBench(t *testing.T) (*bench, map[string]any) {
	t.Helper()
	none := func(w http.ResponseWriter, r *http.Request) error { return nil }
	b := newBench(t, Config{Version: "1.2.3", PublicURL: "https://box.example", Routes: []Route{
		{Method: "POST", Path: "/v1/orders", ID: "takeOrder", Roles: []access.Role{access.Till, access.Aggregator}, Summary: "Take an order", Doc: "More about it.",
			Body: apiOrder{}, Answer: apiAnswer{}, Status: 201, Also: []int{200}, Problems: []int{409}, Tags: []string{"orders"}, Admit: true, Handle: none},
		{Method: "GET", Path: "/v1/orders/{id}", Roles: []access.Role{access.Staff}, Summary: "One order", Tags: []string{"orders"}, Answer: apiAnswer{}, Handle: none,
			Params: []Param{{Name: "id", In: "path", Doc: "the order's"}, {Name: "wait", Type: 0, Doc: "seconds"}, {Name: "state", Enum: []string{"a", "b"}}, {Name: "Idempotency-Key", In: "header", Required: true}}},
		{Method: "GET", Path: "/v1/feed", Summary: "Feed", Type: "text/event-stream", Handle: none},
		{Method: "GET", Path: "/{$}", Summary: "Console", Page: true, Roles: []access.Role{access.Staff}, Handle: none},
		{Method: "GET", Path: "/static/{file...}", Hidden: true, Handle: none},
	}})
	w := b.do("GET", "/openapi.json", "")
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("openapi.json = %d %v: %v", w.Code, w.Header(), err)
	}
	return b, doc
}

// at walks into the document; a name may hold slashes.
func at(t *testing.T, doc any, names ...string) any {
	t.Helper()
	for _, name := range names {
		m, _ := doc.(map[string]any)
		var ok bool
		if doc, ok = m[name]; !ok {
			t.Fatalf("the document has no %v", names)
		}
	}
	return doc
}

// The rules that tools trip over: every reference leads somewhere, ids are there and unique, every path parameter is declared.
func TestOpenAPIRules(t *testing.T) {
	_, doc := openBench(t)
	if doc["openapi"] != "3.1.0" || at(t, doc, "info", "title") != "Aboyeur" || at(t, doc, "info", "version") != "1.2.3" {
		t.Errorf("head = %v %v", doc["openapi"], doc["info"])
	}
	var follow func(v any, where string)
	follow = func(v any, where string) {
		switch v := v.(type) {
		case []any:
			for i, e := range v {
				follow(e, fmt.Sprintf("%s/%d", where, i))
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				var target any = doc
				for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := target.(map[string]any)
					target = m[name]
				}
				if target == nil || !strings.HasPrefix(ref, "#/components/") {
					t.Errorf("%s: %s leads nowhere", where, ref)
				}
			}
			for name, e := range v {
				follow(e, where+"/"+name)
			}
		}
	}
	follow(doc, "#")

	ids, operations := map[string]string{}, 0
	for path, item := range doc["paths"].(map[string]any) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "$") || strings.Contains(path, "...") {
			t.Errorf("path %q", path)
		}
		for method, op := range item.(map[string]any) {
			operations++
			where := method + " " + path
			op := op.(map[string]any)
			id, _ := op["operationId"].(string)
			if other, taken := ids[id]; id == "" || taken {
				t.Errorf("%s: id %q is also that of %q", where, id, other)
			}
			ids[id] = where
			if op["summary"] == "" {
				t.Errorf("%s has no summary", where)
			}
			description, _ := op["description"].(string)
			if !strings.Contains(description, "Roles: ") || op["x-roles"] == nil || op["security"] == nil {
				t.Errorf("%s does not say who may use it: %q", where, description)
			}
			success := false
			for status := range op["responses"].(map[string]any) {
				success = success || strings.HasPrefix(status, "2")
			}
			if !success {
				t.Errorf("%s has no success", where)
			}
			declared := map[string]bool{}
			parameters, _ := op["parameters"].([]any)
			for _, p := range parameters {
				p := p.(map[string]any)
				if p["in"] == "path" {
					declared[p["name"].(string)] = p["required"] == true
				}
			}
			for part := range strings.SplitSeq(path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok && !declared[strings.TrimSuffix(name, "}")] {
					t.Errorf("%s does not declare %s", where, part)
				}
			}
			if method == "get" && op["requestBody"] != nil {
				t.Errorf("%s has a body", where)
			}
		}
	}
	if operations != 22 {
		t.Errorf("%d operations, want 22", operations)
	}
	for name := range at(t, doc, "components", "schemas").(map[string]any) {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
			t.Errorf("component %q has a name that is not allowed", name)
		}
	}
}

func TestOpenAPISchemas(t *testing.T) {
	_, doc := openBench(t)
	for name, text := range map[string]string{
		"ApiOrder": `{"type":"object","required":["source","lines"],"additionalProperties":false,"properties":{
			"source":{"type":"string","description":"who sends it"},"kind":{"type":"string","enum":["hot","cold"]},
			"lines":{"type":"array","items":{"$ref":"#/components/schemas/ApiLine"}}}}`,
		"ApiLine": `{"type":"object","required":["name","quantity"],"additionalProperties":false,"properties":{
			"name":{"type":"string"},"quantity":{"type":"integer","format":"int64","minimum":1,"maximum":1000},
			"parts":{"type":"array","items":{"$ref":"#/components/schemas/ApiLine"}},
			"tags":{"type":"object","additionalProperties":{"type":"integer","format":"int64"}}}}`,
		"ApiAnswer": `{"type":"object","required":["id","at","source","lines","inner","role"],"properties":{
			"id":{"type":"string","format":"uuid"},"at":{"type":"string","format":"date-time"},
			"source":{"type":"string","description":"who sends it"},"kind":{"type":"string","enum":["hot","cold"]},
			"lines":{"type":"array","items":{"$ref":"#/components/schemas/ApiLine"}},
			"inner":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}},
			"role":{"type":"string","enum":["admin","manager","staff","till","aggregator","screen","metrics"]},
			"any":{},"raw":{"type":"string","contentEncoding":"base64"}}}`,
	} {
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, at(t, doc, "components", "schemas", name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	op := at(t, doc, "paths", "/v1/orders", "post")
	if got := at(t, op, "description"); got != "More about it.\n\nRoles: admin, till, aggregator." {
		t.Errorf("description = %q", got)
	}
	for _, status := range []string{"200", "201", "400", "401", "403", "408", "409", "413", "415", "422", "503", "default"} {
		at(t, op, "responses", status)
	}
	at(t, doc, "paths", "/v1/feed", "get", "responses", "200", "content", "text/event-stream")
	at(t, doc, "paths", "/", "get", "responses", "200", "content", "text/html")
	if _, ok := doc["paths"].(map[string]any)["/static/{file}"]; ok {
		t.Error("a hidden route is shown")
	}
	parameters := at(t, doc, "paths", "/v1/orders/{id}", "get", "parameters")
	want := []any{
		map[string]any{"name": "id", "in": "path", "required": true, "description": "the order's", "schema": map[string]any{"type": "string"}},
		map[string]any{"name": "wait", "in": "query", "description": "seconds", "schema": map[string]any{"type": "integer", "format": "int64"}},
		map[string]any{"name": "state", "in": "query", "schema": map[string]any{"type": "string", "enum": []any{"a", "b"}}},
		map[string]any{"name": "Idempotency-Key", "in": "header", "required": true, "schema": map[string]any{"type": "string"}},
	}
	if diff := cmp.Diff(want, parameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestDocsPage(t *testing.T) {
	b, _ := openBench(t)
	w := b.do("GET", "/docs", "")
	page := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("docs = %d %v", w.Code, w.Header())
	}
	for _, want := range []string{"/v1/orders/{id}", "Take an order", "admin, till, aggregator", `href="#schema-ApiLine"`, `id="schema-ApiLine"`, "1–1000", "hot | cold", "uuid"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, no := range []string{"<script", "http://", "https://", "ZgotmplZ", "style=", "onclick"} {
		if strings.Contains(page, no) {
			t.Errorf("the page has %q", no)
		}
	}
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("the policy %q does not fit the page's style", csp)
	}
}
