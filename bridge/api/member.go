package api

import (
	"reflect"
	"strconv"
	"strings"
)

// A member is one member of a JSON object as a Go struct declares it: by its json tag, and by tags for people and
// programs that read the OpenAPI document: doc:"…", enum:"a,b", minimum:"1", maximum:"1000", format:"…", example:"…".
// A member without omitempty or omitzero is required.
type member struct {
	name     string
	typ      reflect.Type
	required bool
	tag      limits
}

// limits are what the tags say of a value.
type limits struct {
	doc, format, example string
	enum                 []string
	minimum, maximum     string // decimal; "" is none
}

// membersOf lists the members of struct type t, those of embedded structs among them. open tells that it takes any
// other member too.
func membersOf(t reflect.Type) (list []member, open bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" && options == "" {
			continue
		}
		inline := f.Anonymous && name == "" || hasOption(options, "inline") || hasOption(options, "unknown")
		if inline {
			ft := f.Type
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if ft.Kind() != reflect.Struct {
				open = true
				continue
			}
			inner, innerOpen := membersOf(ft)
			list, open = append(list, inner...), open || innerOpen
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		list = append(list, member{name: name, typ: f.Type,
			required: !hasOption(options, "omitempty") && !hasOption(options, "omitzero"),
			tag:      limitsOf(f.Tag)})
	}
	return list, open
}

func limitsOf(tag reflect.StructTag) limits {
	l := limits{doc: tag.Get("doc"), format: tag.Get("format"), example: tag.Get("example"),
		minimum: tag.Get("minimum"), maximum: tag.Get("maximum")}
	if e := tag.Get("enum"); e != "" {
		l.enum = strings.Split(e, ",")
	}
	return l
}

func hasOption(options, want string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == want {
			return true
		}
	}
	return false
}

// wholeNumber tells in words what integers of kind k are taken.
func (l limits) wholeNumber(t reflect.Type) string {
	switch {
	case l.minimum != "" && l.maximum != "":
		return "write a whole number from " + l.minimum + " to " + l.maximum
	case l.minimum != "":
		return "write a whole number of at least " + l.minimum
	case l.maximum != "":
		return "write a whole number of at most " + l.maximum
	}
	if t.Bits() == 64 {
		return "write a whole number"
	}
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr {
		return "write a whole number from 0 to " + strconv.FormatUint(1<<t.Bits()-1, 10)
	}
	return "write a whole number of at most " + strconv.FormatInt(1<<(t.Bits()-1)-1, 10)
}
