package api

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of an explanation: it is for a person, and its size must not follow the input's.
const (
	maxFaults = 50  // told at once
	maxShown  = 40  // characters of the caller's own text repeated to him
	maxDepth  = 100 // of objects and arrays; deeper ones are not looked into
)

// explain turns the decoder's first error into a Problem with every fault. It walks the text beside the type that was
// wanted, which costs more than decoding; only bad input pays for it.
func explain(data []byte, dst any, first error) error {
	if len(bytes.TrimLeft(data, " \t\r\n")) == 0 {
		return &Problem{Status: http.StatusBadRequest, Code: "empty", Detail: "the body is empty; send a JSON object"}
	}
	w := walker{dec: jsontext.NewDecoder(bytes.NewReader(data))}
	err := w.walk(reflect.TypeOf(dst), limits{}, 0)
	if err == nil {
		rest := bytes.TrimLeft(data[w.dec.InputOffset():], " \t\r\n")
		if len(rest) > 0 {
			return malformed(data, int64(len(data)-len(rest)), errTrailing)
		}
	}
	if err != nil {
		return malformed(data, w.dec.InputOffset(), err)
	}
	if len(w.faults) == 0 { // a rule of the decoder that the walk does not know
		var s *json.SemanticError
		if errors.As(first, &s) {
			w.add(s.JSONPointer, "does not fit: "+reason(s))
		} else {
			w.add("", "does not fit: "+first.Error())
		}
	}
	return Invalid(w.faults)
}

var errTrailing = errors.New("text after the end of the value")

// malformed is the problem of text that is not JSON from offset on.
func malformed(data []byte, offset int64, err error) error {
	pointer, what := jsontext.Pointer(""), err.Error()
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, errTrailing):
		what = "there is text after the end of the value; send one JSON value"
	case errors.As(err, &s):
		offset, pointer, what = s.ByteOffset, s.JSONPointer, s.Err.Error()
		switch {
		case errors.Is(s, jsontext.ErrDuplicateName):
			what = fmt.Sprintf("the member %s stands twice; write it once", quote(pointer.LastToken()))
		case errors.Is(s, io.ErrUnexpectedEOF):
			what = "the text ends in the middle; send the whole value"
		case bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")):
			what = "the text begins with a byte order mark; send it without"
		case strings.Contains(what, "UTF-8"):
			what = "these bytes are not UTF-8; send the text in UTF-8"
		default:
			what += "; write JSON as in RFC 8259"
		}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		what = "the text ends in the middle; send the whole value"
	}
	offset = min(max(offset, 0), int64(len(data)))
	before := data[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	detail := fmt.Sprintf("line %d, column %d (byte %d): %s", line, column, offset, what)
	return &Problem{Status: http.StatusBadRequest, Code: "malformed", Detail: "the body is not JSON: " + detail,
		Errors: []Fault{{Pointer: string(pointer), Detail: detail}}}
}

// reason is the decoder's own word without Go's names around it.
func reason(s *json.SemanticError) string {
	if s.Err != nil {
		return s.Err.Error()
	}
	return "write another kind of value"
}

// A walker reads JSON text beside a Go type and notes where they part.
type walker struct {
	dec    *jsontext.Decoder
	faults []Fault
}

func (w *walker) add(p jsontext.Pointer, detail string) {
	if len(w.faults) < maxFaults {
		w.faults = append(w.faults, Fault{Pointer: string(p), Detail: detail})
	}
}

// wrong notes that the next value is not what is wanted, and skips it.
func (w *walker) wrong(remedy string) error {
	v, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	w.add(w.dec.StackPointer(), "is "+show(v)+"; "+remedy)
	return nil
}

var (
	timeType            = reflect.TypeFor[time.Time]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	unmarshalerFromType = reflect.TypeFor[json.UnmarshalerFrom]()
	rawType             = reflect.TypeFor[jsontext.Value]()
)

// walk compares the next value with t. Its error is one of the text, not of the value.
func (w *walker) walk(t reflect.Type, l limits, depth int) error {
	kind := w.dec.PeekKind()
	for t != nil && t.Kind() == reflect.Pointer && !t.Implements(unmarshalerType) && !t.Implements(unmarshalerFromType) {
		t = t.Elem()
	}
	if t == nil || t == rawType || kind == 'n' || depth > maxDepth {
		return w.dec.SkipValue()
	}
	if t == timeType || reflect.PointerTo(t).Implements(textUnmarshalerType) ||
		reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(unmarshalerFromType) {
		return w.whole(t, l)
	}
	switch t.Kind() {
	case reflect.Struct:
		return w.object(t, depth)
	case reflect.Map:
		return w.dictionary(t, depth)
	case reflect.Slice, reflect.Array:
		return w.array(t, l, depth)
	case reflect.String:
		if kind != '"' {
			return w.wrong(oneOf(l, "write a text in quotes"))
		}
	case reflect.Bool:
		if kind != 't' && kind != 'f' {
			return w.wrong("write true or false")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		return w.number(t, l)
	}
	return w.dec.SkipValue()
}

func oneOf(l limits, otherwise string) string {
	if len(l.enum) > 0 {
		return "write one of " + strings.Join(l.enum, ", ")
	}
	return otherwise
}

func (w *walker) number(t reflect.Type, l limits) error {
	float := t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	remedy := "write a number"
	if !float {
		remedy = l.wholeNumber(t)
	}
	if w.dec.PeekKind() != '0' {
		return w.wrong(remedy)
	}
	v, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(v, reflect.New(t).Interface()); err != nil {
		w.add(w.dec.StackPointer(), "is "+show(v)+"; "+remedy)
	}
	return nil
}

// whole compares a value whose type reads itself.
func (w *walker) whole(t reflect.Type, l limits) error {
	v, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	err = json.Unmarshal(v, reflect.New(t).Interface(), decodeOptions)
	if err == nil {
		return nil
	}
	remedy := oneOf(l, "")
	switch {
	case remedy != "":
	case t == timeType:
		remedy = "write a time with its zone, as in 2026-11-21T19:04:05Z"
	default:
		var s *json.SemanticError
		if remedy = err.Error(); errors.As(err, &s) {
			remedy = reason(s)
		}
	}
	w.add(w.dec.StackPointer(), "is "+show(v)+"; "+remedy)
	return nil
}

func (w *walker) object(t reflect.Type, depth int) error {
	if w.dec.PeekKind() != '{' {
		return w.wrong("write an object in { }")
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	members, open := membersOf(t)
	for w.dec.PeekKind() != '}' {
		token, err := w.dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		m, ok := find(members, name)
		if !ok {
			if !open {
				w.add(w.dec.StackPointer(), "is not a member known here; "+suggest(members, name))
			}
			if err := w.dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if err := w.walk(m.typ, m.tag, depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walker) dictionary(t reflect.Type, depth int) error {
	if w.dec.PeekKind() != '{' {
		return w.wrong("write an object in { }")
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for w.dec.PeekKind() != '}' {
		if _, err := w.dec.ReadToken(); err != nil {
			return err
		}
		if err := w.walk(t.Elem(), limits{}, depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walker) array(t reflect.Type, l limits, depth int) error {
	if t.Elem().Kind() == reflect.Uint8 { // bytes are base64 text
		return w.whole(t, l)
	}
	if w.dec.PeekKind() != '[' {
		return w.wrong("write a list in [ ]")
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for w.dec.PeekKind() != ']' {
		if err := w.walk(t.Elem(), l, depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func find(members []member, name string) (member, bool) {
	for _, m := range members {
		if m.name == name {
			return m, true
		}
	}
	return member{}, false
}

// suggest names the member that was probably meant, or all of them.
func suggest(members []member, name string) string {
	best, least := "", 3
	for _, m := range members {
		if d := distance(strings.ToLower(name), m.name, least); d < least {
			best, least = m.name, d
		}
	}
	if best != "" && least < len(best) {
		return "did you mean " + strconv.Quote(best) + "?"
	}
	if len(members) == 0 {
		return "leave it out"
	}
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	return "leave it out or write one of " + strings.Join(names, ", ")
}

// distance is the number of letters to change, insert or leave out (Levenshtein), or limit when it is at least that.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, above, row[j])
			}
			row[j+1], diagonal = cost, above
		}
	}
	return min(row[len(b)], limit)
}

// show repeats the caller's value in few characters.
func show(v jsontext.Value) string {
	switch v.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	r := []rune(string(v))
	if len(r) > maxShown {
		s := string(r[:maxShown]) + "…"
		if r[0] == '"' {
			s += `"`
		}
		return s
	}
	return string(r)
}

func quote(s string) string {
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown]) + "…"
	}
	return strconv.Quote(s)
}
