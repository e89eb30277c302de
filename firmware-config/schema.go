package firmwareconfig

import (
	"bytes"
	"encoding/json"
)

// A table is the keys of one mapping of the file, each bound to the place in Config that it fills.
type table []field

// A field is one key: what it is for, whether a file must have it, and what its value may be.
type field struct {
	key      string
	doc      string
	required bool
	example  string // a whole line, shown when a required key is missing
	value    value
}

// A value knows a kind of YAML value: its default, how it is read, and how the schema describes it.
type value interface {
	// preset puts the default in place.
	preset()
	// decode reads n, which stands under the full key, into the place; what is wrong goes to d.
	decode(d *decoder, key string, n *node)
	schema() *Schema
}

// Schema is a JSON Schema (2020-12) of one value, as far as this package uses the language.
type Schema struct {
	Dialect     string     `json:"$schema,omitempty"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Type        any        `json:"type,omitempty"` // string or []string
	Enum        []string   `json:"enum,omitempty"`
	Pattern     string     `json:"pattern,omitempty"`
	MinLength   int        `json:"minLength,omitempty"`
	MaxLength   int        `json:"maxLength,omitempty"`
	Minimum     *float64   `json:"minimum,omitempty"`
	Maximum     *float64   `json:"maximum,omitempty"`
	Items       *Schema    `json:"items,omitempty"`
	MinItems    int        `json:"minItems,omitempty"`
	MaxItems    int        `json:"maxItems,omitempty"`
	Unique      bool       `json:"uniqueItems,omitempty"`
	Properties  Properties `json:"properties,omitempty"`
	Required    []string   `json:"required,omitempty"`
	Names       *Schema    `json:"propertyNames,omitempty"`
	Additional  any        `json:"additionalProperties,omitempty"` // false, or the *Schema of every member
	MaxMembers  int        `json:"maxProperties,omitempty"`
	Default     any        `json:"default,omitempty"`
	Examples    []string   `json:"examples,omitempty"`
}

// Properties are the members of a mapping in the order of the documentation.
type Properties []Property

// Property is one member of a mapping.
type Property struct {
	Key    string
	Schema *Schema
}

// MarshalJSON writes an object that keeps the order.
func (ps Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(p.Key)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		// Not json.Marshal: it would escape the <, > and & of patterns and descriptions.
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(p.Schema); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// JSONSchema returns the schema of a configuration file.
func JSONSchema() *Schema {
	s := configTable(new(Config)).schema()
	s.Dialect = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Aboyeur configuration"
	s.Description = "The one configuration file of a box. `aboyeur check FILE` also checks what a schema cannot say: " +
		"references, claims of stations, and what this version can serve."
	return s
}

// JSON is the schema as an indented document that ends with a line feed.
func (s *Schema) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (t table) schema() *Schema {
	s := &Schema{Type: "object", Additional: false}
	for _, f := range t {
		fs := f.value.schema()
		fs.Description = f.doc
		s.Properties = append(s.Properties, Property{f.key, fs})
		if f.required {
			s.Required = append(s.Required, f.key)
		}
	}
	return s
}

func (t table) preset() {
	for _, f := range t {
		f.value.preset()
	}
}

func (t table) keys() []string {
	keys := make([]string, len(t))
	for i, f := range t {
		keys[i] = f.key
	}
	return keys
}
