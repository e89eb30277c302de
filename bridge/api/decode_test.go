package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/journal"
)

// A dish has members of all kinds that requests have.
type dish struct {
	Name     string            `json:"name"`
	Quantity int               `json:"quantity" minimum:"1" maximum:"1000"`
	Price    *int64            `json:"price,omitzero" minimum:"0"`
	Small    int8              `json:"small,omitzero"`
	Count    uint16            `json:"count,omitzero"`
	Weight   float64           `json:"weight,omitzero"`
	Hold     bool              `json:"hold,omitzero"`
	Kind     string            `json:"kind,omitzero" enum:"hot,cold"`
	At       time.Time         `json:"at,omitzero"`
	ID       journal.ID        `json:"id,omitzero"`
	Labels   map[string]string `json:"labels,omitzero"`
	Raw      jsontext.Value    `json:"raw,omitzero"`
	Parts    []dish            `json:"parts,omitzero"`
	Words    []string          `json:"words,omitzero"`
	Picture  []byte            `json:"picture,omitzero"`
	Any      any               `json:"any,omitzero"`
	shared
	hidden int
}

type shared struct {
	Notes string `json:"notes,omitzero"`
}

func TestDecodeBytes(t *testing.T) {
	for _, c := range []struct {
		name, in string
		status   int
		want     []string // pointer, blank, detail of each fault; or the detail
	}{
		{"good", `{"name":"Pâté","quantity":2,"price":1250,"small":-3,"weight":1.5,"hold":true,"kind":"hot","at":"2026-11-21T19:04:05Z",
			"labels":{"a":"b"},"raw":{"x":[1]},"parts":[{"name":"x","quantity":1}],"words":["a"],"picture":"AQI=","any":{"x":1},"notes":"n"}`, 0, nil},
		{"null leaves a member out", `{"name":null,"parts":null,"at":null}`, 0, nil},
		{"empty", "", 400, []string{"the body is empty; send a JSON object"}},
		{"blank", " \n\t ", 400, []string{"the body is empty; send a JSON object"}},
		{"cut", `{"name":"x"`, 400, []string{` line 1, column 12 (byte 11): the text ends in the middle; send the whole value`}},
		{"second line", "{\n  \"name\": x}", 400, []string{`/name line 2, column 11 (byte 12): invalid character 'x' at start of value; write JSON as in RFC 8259`}},
		{"trailing text", `{} {}`, 400, []string{` line 1, column 4 (byte 3): there is text after the end of the value; send one JSON value`}},
		{"trailing comma", `{"name":"x",}`, 400, []string{` line 1, column 12 (byte 11): invalid character ',' at start of value; write JSON as in RFC 8259`}},
		{"duplicate", `{"name":"x","name":"y"}`, 400, []string{`/name line 1, column 13 (byte 12): the member "name" stands twice; write it once`}},
		{"deep duplicate", `{"parts":[{"name":"x","name":"y"}]}`, 400, []string{`/parts/0/name line 1, column 23 (byte 22): the member "name" stands twice; write it once`}},
		{"broken UTF-8", "{\"name\":\"\xff\"}", 400, []string{`/name line 1, column 10 (byte 9): these bytes are not UTF-8; send the text in UTF-8`}},
		{"byte order mark", "\xEF\xBB\xBF{}", 400, []string{` line 1, column 1 (byte 0): the text begins with a byte order mark; send it without`}},
		{"not an object", `[]`, 422, []string{` is a list; write an object in { }`}},
		{"text", `"x"`, 422, []string{` is "x"; write an object in { }`}},
		{"unknown member", `{"nmae":"x"}`, 422, []string{`/nmae is not a member known here; did you mean "name"?`}},
		{"wrong case", `{"Name":"x"}`, 422, []string{`/Name is not a member known here; did you mean "name"?`}},
		{"unexported", `{"hidden":1}`, 422, []string{`/hidden is not a member known here; leave it out or write one of name, quantity, price, small, count, weight, hold, kind, at, id, labels, raw, parts, words, picture, any, notes`}},
		{"text for number", `{"quantity":"two"}`, 422, []string{`/quantity is "two"; write a whole number from 1 to 1000`}},
		{"fraction", `{"quantity":1.5}`, 422, []string{`/quantity is 1.5; write a whole number from 1 to 1000`}},
		{"huge number", `{"price":99999999999999999999}`, 422, []string{`/price is 99999999999999999999; write a whole number of at least 0`}},
		{"small overflow", `{"small":200}`, 422, []string{`/small is 200; write a whole number of at most 127`}},
		{"negative unsigned", `{"count":-1}`, 422, []string{`/count is -1; write a whole number from 0 to 65535`}},
		{"text for float", `{"weight":"1"}`, 422, []string{`/weight is "1"; write a number`}},
		{"number for text", `{"name":12}`, 422, []string{`/name is 12; write a text in quotes`}},
		{"number for kind", `{"kind":12}`, 422, []string{`/kind is 12; write one of hot, cold`}},
		{"text for bool", `{"hold":"true"}`, 422, []string{`/hold is "true"; write true or false`}},
		{"time", `{"at":"tomorrow"}`, 422, []string{`/at is "tomorrow"; write a time with its zone, as in 2026-11-21T19:04:05Z`}},
		{"time without zone", `{"at":"2026-11-21T19:04:05"}`, 422, []string{`/at is "2026-11-21T19:04:05"; write a time with its zone, as in 2026-11-21T19:04:05Z`}},
		{"object for list", `{"parts":{}}`, 422, []string{`/parts is an object; write a list in [ ]`}},
		{"list for map", `{"labels":[]}`, 422, []string{`/labels is a list; write an object in { }`}},
		{"map value", `{"labels":{"a~/b":1}}`, 422, []string{`/labels/a~0~1b is 1; write a text in quotes`}},
		{"embedded", `{"notes":1}`, 422, []string{`/notes is 1; write a text in quotes`}},
		{"all at once", `{"name":1,"parts":[{"quantity":"two"},{"quantity":1,"colour":"red"}],"hold":0}`, 422, []string{
			`/name is 1; write a text in quotes`,
			`/parts/0/quantity is "two"; write a whole number from 1 to 1000`,
			`/parts/1/colour is not a member known here; leave it out or write one of name, quantity, price, small, count, weight, hold, kind, at, id, labels, raw, parts, words, picture, any, notes`,
			`/hold is 0; write true or false`}},
		{"long text is cut", `{"quantity":"` + strings.Repeat("x", 10_000) + `"}`, 422,
			[]string{`/quantity is "` + strings.Repeat("x", maxShown-1) + `…"; write a whole number from 1 to 1000`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d dish
			err := DecodeBytes([]byte(c.in), &d)
			if c.status == 0 {
				if err != nil || d.hidden != 0 {
					t.Errorf("DecodeBytes(%q) = %v", c.in, err)
				}
				return
			}
			var p *Problem
			if !errors.As(err, &p) {
				t.Fatalf("DecodeBytes(%q) = %v, want a Problem", c.in, err)
			}
			var got []string
			for _, f := range p.Errors {
				got = append(got, f.Pointer+" "+f.Detail)
			}
			if got == nil {
				got = []string{p.Detail}
			}
			if diff := cmp.Diff(c.want, got); p.Status != c.status || diff != "" {
				t.Errorf("DecodeBytes(%q) = %d, want %d (-want +got):\n%s", c.in, p.Status, c.status, diff)
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var d dish
	err := DecodeBytes([]byte(`{"words":[`+strings.Repeat("1,", 10_000)+`1]}`), &d)
	var p *Problem
	if !errors.As(err, &p) || len(p.Errors) != maxFaults {
		t.Errorf("%d faults are told, want %d", len(p.Errors), maxFaults)
	}
	deep := strings.Repeat(`{"parts":[`, 5000) + `{"name":1}` + strings.Repeat(`]}`, 5000)
	if err := DecodeBytes([]byte(deep), &d); !errors.As(err, &p) {
		t.Errorf("DecodeBytes of a deep value = %v", err)
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		length           int64
		status           int
	}{
		{"no content type", "", `{"name":"x"}`, -1, 0},
		{"json", "application/json", `{"name":"x"}`, -1, 0},
		{"charset", "application/json; charset=UTF-8", `{"name":"x"}`, -1, 0},
		{"own json", "application/vnd.otter+json", `{"name":"x"}`, -1, 0},
		{"form", "application/x-www-form-urlencoded", `{"name":"x"}`, -1, 415},
		{"text", "text/plain", `{"name":"x"}`, -1, 415},
		{"latin", "application/json; charset=iso-8859-1", `{"name":"x"}`, -1, 415},
		{"garbage type", "/;;", `{"name":"x"}`, -1, 415},
		{"the limit", "", `{"name":"` + strings.Repeat("x", MaxBody-11) + `"}`, -1, 0},
		{"over the limit", "", `{"name":"` + strings.Repeat("x", MaxBody-10) + `"}`, -1, 413},
		{"2 MiB", "", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, -1, 413},
		{"said to be 2 MiB", "", `{}`, 2 << 20, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
			r.ContentLength = c.length
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			var d dish
			err := Decode(httptest.NewRecorder(), r, &d)
			var p *Problem
			errors.As(err, &p)
			if c.status == 0 && err != nil || c.status != 0 && (p == nil || p.Status != c.status || p.Detail == "") {
				t.Errorf("Decode = %v, want %d", err, c.status)
			}
		})
	}
}

func TestDecodeBrokenBody(t *testing.T) {
	r := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("cut")))
	var p *Problem
	if err := Decode(httptest.NewRecorder(), r, &dish{}); !errors.As(err, &p) || p.Status != 400 {
		t.Errorf("Decode = %v, want a 400 problem", err)
	}
	r = httptest.NewRequest("POST", "/", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(`{"name":"x"}`))))
	r.ContentLength = -1
	if err := Decode(httptest.NewRecorder(), r, &dish{}); !errors.As(err, &p) || p.Status != 408 && p.Status != 400 {
		t.Errorf("Decode = %v, want a 408 or 400 problem", err)
	}
}

// What is decoded must not change when its buffer serves the next request.
func TestDecodedValueIsItsOwn(t *testing.T) {
	data := []byte(`{"name":"Margherita","raw":{"x":1},"words":["basilic"],"any":["y"]}`)
	var d dish
	if err := DecodeBytes(data, &d); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = '!'
	}
	if d.Name != "Margherita" || string(d.Raw) != `{"x":1}` || d.Words[0] != "basilic" || fmt.Sprint(d.Any) != "[y]" {
		t.Errorf("the value became %+v", d)
	}
}

func TestAnswer(t *testing.T) {
	w := httptest.NewRecorder()
	if err := Answer(w, http.StatusCreated, dish{Name: "<b>Pâté & Cie</b>", Parts: nil}); err != nil {
		t.Fatal(err)
	}
	if want := "{\"name\":\"<b>Pâté & Cie</b>\",\"quantity\":0}\n"; w.Body.String() != want {
		t.Errorf("Answer wrote %q, want %q", w.Body, want)
	}
	h := w.Header()
	if w.Code != 201 || h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || h.Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		t.Errorf("Answer = %d %v", w.Code, h)
	}
	w = httptest.NewRecorder()
	if err := Answer(w, 200, map[string]any{"f": func() {}}); err == nil || w.Body.Len() > 0 {
		t.Errorf("Answer of what is not JSON = %v, wrote %q", err, w.Body)
	}
	w = httptest.NewRecorder()
	if err := Answer(w, 204, nil); err != nil || w.Code != 204 || w.Body.Len() > 0 {
		t.Errorf("Answer of nothing = %v, %d %q", err, w.Code, w.Body)
	}
}

func TestProblem(t *testing.T) {
	w := httptest.NewRecorder()
	p := &Problem{Status: 409, Code: "lost_race", Detail: "somebody was first", Errors: []Fault{{"/x", "is 1"}},
		Extra: map[string]any{"ticket": map[string]any{"number": 41}, "at": 1}, RetryAfter: 1500 * time.Millisecond}
	if err := p.write(w); err != nil {
		t.Fatal(err)
	}
	want := `{"type":"urn:aboyeur:problem:lost_race","title":"Conflict","status":409,"detail":"somebody was first","code":"lost_race",` +
		`"errors":[{"pointer":"/x","detail":"is 1"}],"at":1,"ticket":{"number":41}}` + "\n"
	if w.Body.String() != want || w.Header().Get("Retry-After") != "2" {
		t.Errorf("wrote %s Retry-After %s, want %s", w.Body, w.Header().Get("Retry-After"), want)
	}
	if got := p.Error(); got != "Conflict: somebody was first; /x is 1" {
		t.Errorf("Error = %q", got)
	}
	w = httptest.NewRecorder()
	p = &Problem{Status: 409, Extra: map[string]any{"f": func() {}}}
	if err := p.write(w); err != nil || w.Body.String() != `{"type":"about:blank","title":"Conflict","status":409}`+"\n" {
		t.Errorf("a problem with an impossible member wrote %q, %v", w.Body, err)
	}
	if Invalid(nil) != nil {
		t.Error("Invalid without faults is an error")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"name":"x","quantity":1}`, `{"parts":[{"name":1}]}`, `{"at":"x"}`, `{`, `{"a":1,"a":2}`, "\xff", `{"labels":{"":""}}`, `{"raw":[1e999]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d dish
		err := DecodeBytes(data, &d)
		if err == nil { // what decodes encodes again to the same value
			b, err := json.Marshal(d)
			if err != nil {
				t.Fatalf("%q decodes but does not encode: %v", data, err)
			}
			var again dish
			if err := DecodeBytes(b, &again); err != nil {
				t.Fatalf("%q encodes as %s, which does not decode: %v", data, b, err)
			}
			b2, err := json.Marshal(again, json.Deterministic(true))
			b1, _ := json.Marshal(d, json.Deterministic(true))
			if err != nil || !bytes.Equal(b1, b2) {
				t.Fatalf("%q becomes %s, then %s", data, b1, b2)
			}
			return
		}
		var p *Problem
		if !errors.As(err, &p) || p.Status != 400 && p.Status != 422 || p.Detail == "" {
			t.Fatalf("DecodeBytes(%q) = %#v", data, err)
		}
		if p.Status == 422 && len(p.Errors) == 0 {
			t.Fatalf("DecodeBytes(%q) names no fault", data)
		}
		w := httptest.NewRecorder()
		if err := p.write(w); err != nil || !jsontext.Value(w.Body.Bytes()).IsValid() {
			t.Fatalf("the problem of %q is %q, %v", data, w.Body, err)
		}
	})
}

func TestMembers(t *testing.T) {
	members, open := membersOf(reflect.TypeFor[struct {
		A int `json:"a"`
		B int `json:"-"`
		shared
		Rest map[string]any `json:",inline"`
	}]())
	var names []string
	for _, m := range members {
		names = append(names, m.name)
	}
	if diff := cmp.Diff([]string{"a", "notes"}, names); diff != "" || !open {
		t.Errorf("membersOf: open %v (-want +got):\n%s", open, diff)
	}
}
