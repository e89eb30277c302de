package xmlpos

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A walker passes over the attributes of an element in the order of the wire and encodes, decodes or checks each. So
// every element says its attributes once.
type walker struct {
	mode mode

	d   Dialect // encoding
	b   []byte
	tag int // where in b the tag under way begins

	p    *parser // decoding
	used [maxAttrs / 64]uint64
	next int // where the next attribute most likely is

	element string // decoding and checking
	item    int    // which guest of a list, from 1
	faults  []error
}

type mode uint8

const (
	encoding mode = iota
	decoding
	checking
)

// rule is what an attribute wants.
type rule uint8

const (
	always rule = 1 << iota // required: written even when empty
	must                    // required and never empty
	digits                  // of digits only
	short                   // words for people: cut when too long, not refused

	required = always | must
	optional = 0
)

// check walks e for its faults.
func check(e Element) error {
	w := walker{mode: checking, element: e.Name()}
	e.walk(&w)
	return errors.Join(w.faults...)
}

func (w *walker) fault(attr, wrong string) {
	if len(w.faults) == maxAttrs {
		return
	}
	element := w.element
	if w.item > 0 {
		element = "PostListItem " + strconv.Itoa(w.item)
	}
	w.faults = append(w.faults, &FieldError{Element: element, Attr: attr, Wrong: wrong})
}

func (w *walker) begin(name string) {
	w.tag = len(w.b)
	w.b = append(w.b, '<')
	w.b = append(w.b, name...)
}

func (w *walker) attr(name string) {
	w.b = append(w.b, ' ')
	w.b = append(w.b, name...)
	w.b = append(w.b, '=', '"')
}

// find looks for the value of an attribute and marks it as known. Clients and servers keep to an order, so the search
// begins where the last one ended.
func (w *walker) find(name string) (string, bool) {
	attrs := w.p.attrs
	for k := range attrs {
		i := w.next + k
		if i >= len(attrs) {
			i -= len(attrs)
		}
		if w.used[i/64]&(1<<(i%64)) != 0 || !same(attrs[i].name, name) {
			continue
		}
		w.used[i/64] |= 1 << (i % 64)
		w.next = i + 1
		return attrs[i].value, true
	}
	return "", false
}

// value is find for an attribute that may be said twice only in the same words.
func (w *walker) value(name string) string {
	v, ok := w.find(name)
	if !ok {
		return ""
	}
	return v
}

// group calls each for the attributes name1, name2 and so on up to n, in the order they came.
func (w *walker) group(names []string, each func(i int, value string)) {
	prefix := names[0][:len(names[0])-1]
	for k, a := range w.p.attrs {
		if w.used[k/64]&(1<<(k%64)) != 0 || len(a.name) <= len(prefix) || !same(a.name[:len(prefix)], prefix) {
			continue
		}
		i, err := strconv.Atoi(a.name[len(prefix):])
		if err != nil || i < 1 || i > len(names) || !same(a.name, names[i-1]) {
			continue
		}
		if _, twice := w.twin(k); !twice {
			w.used[k/64] |= 1 << (k % 64)
			each(i-1, a.value)
		}
	}
}

// rest deals with the attributes nobody asked for: a second value of a known one is a fault, unknown ones are kept.
func (w *walker) rest(extra *[]Attr) {
	for i, a := range w.p.attrs {
		if w.used[i/64]&(1<<(i%64)) != 0 {
			continue
		}
		if first, twice := w.twin(i); twice {
			if first.value != a.value {
				w.fault(first.name, "is said twice with different values")
			}
			continue
		}
		if len(*extra) < MaxExtra && plain(a.name) {
			*extra = append(*extra, Attr{Name: a.name, Value: w.p.text(a.value)})
		}
	}
	w.used, w.next = [maxAttrs / 64]uint64{}, 0
}

// twin looks for another attribute of the name of the i-th that counts: a known one, or an earlier one.
func (w *walker) twin(i int) (rawAttr, bool) {
	for k, a := range w.p.attrs {
		if k != i && (k < i || w.used[k/64]&(1<<(k%64)) != 0) && same(a.name, w.p.attrs[i].name) {
			return a, true
		}
	}
	return rawAttr{}, false
}

// text is a string of at most n characters.
func (w *walker) text(name string, v *string, r rule, n int) {
	switch w.mode {
	case decoding:
		if s := w.value(name); s != "" {
			*v = w.p.text(s)
		}
	case encoding:
		if *v == "" && r&always == 0 {
			return
		}
		s := *v
		if r&short != 0 {
			s = cut(s, n)
		}
		w.attr(name)
		w.b = w.d.appendText(w.b, s)
		w.b = append(w.b, '"')
	case checking:
		switch {
		case *v == "" && r&must != 0:
			w.fault(name, "is missing")
		case r&short == 0 && len(*v) > n && utf8.RuneCountInString(*v) > n:
			w.fault(name, fmt.Sprintf("has more than %d characters", n))
		case r&digits != 0 && strings.Trim(*v, "0123456789") != "":
			w.fault(name, "is not a number")
		}
	}
}

// number is an integer from lo to hi. With always, zero is written as 0; else it is left out.
func (w *walker) number(name string, v *int64, r rule, lo, hi int64) {
	switch w.mode {
	case decoding:
		w.parse(name, w.value(name), v, lo, hi)
	case encoding:
		if *v == 0 && r&always == 0 {
			return
		}
		w.attr(name)
		w.b = strconv.AppendInt(w.b, *v, 10)
		w.b = append(w.b, '"')
	case checking:
		switch {
		case *v == 0 && r&must != 0:
			w.fault(name, "is missing")
		case *v < lo || *v > hi:
			w.fault(name, fmt.Sprintf("is not from %d to %d", lo, hi))
		}
	}
}

// parse reads an integer; an empty one is none.
func (w *walker) parse(name, s string, v *int64, lo, hi int64) {
	if s = strings.Trim(s, spaces); s == "" {
		return
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < lo || n > hi {
		w.fault(name, fmt.Sprintf("is not a number from %d to %d", lo, hi))
		return
	}
	*v = n
}

func (w *walker) count(name string, v *int, r rule, hi int) {
	n := int64(*v)
	w.number(name, &n, r, 0, int64(hi))
	*v = int(n)
}

func (w *walker) sequence(v *uint32) {
	n := int64(*v)
	w.number("SequenceNumber", &n, required, 0, MaxSequence)
	*v = uint32(n)
}

func (w *walker) amount(name string, v *int64, r rule) { w.number(name, v, r, -MaxAmount, MaxAmount) }

// amounts is the parts of a posting, one a product group.
func (w *walker) amounts(names []string, v *[Groups]int64) {
	if w.mode == decoding {
		w.group(names, func(i int, s string) { w.parse(names[i], s, &v[i], -MaxAmount, MaxAmount) })
		return
	}
	for i := range v {
		w.amount(names[i], &v[i], optional)
	}
}

// at is the attributes Date and Time. A moment that cannot be read stays zero: no decision hangs on it.
func (w *walker) at(v *time.Time) {
	switch w.mode {
	case decoding:
		*v = moment(w.value("Date"), w.value("Time"))
	case encoding:
		w.attr("Date")
		if !v.IsZero() {
			w.b = v.AppendFormat(w.b, "060102")
		}
		w.b = append(w.b, '"')
		w.attr("Time")
		if !v.IsZero() {
			w.b = v.AppendFormat(w.b, "150405")
		}
		w.b = append(w.b, '"')
	case checking:
		if v.IsZero() {
			w.fault("Date", "is missing")
		}
	}
}

// moment reads YYMMDD and HHMMSS, and what else was met: years of four digits, one digit too many or too few in the time.
func moment(date, clock string) time.Time {
	switch len(date) {
	case 6:
	case 8:
		date = date[2:]
	default:
		return time.Time{}
	}
	switch len(clock) {
	case 4:
		clock += "00"
	case 5:
		clock = "0" + clock
	case 7:
		clock = clock[:6]
	}
	t, err := time.Parse("060102150405", date+clock)
	if err != nil {
		return time.Time{}
	}
	return t
}

// override is the flag that lets a charge exceed the credit limit; unknown words do not.
func (w *walker) override(v *bool) {
	const name, small = "CreditLimitOverride", "CreditlimitOverride" // one name to find
	switch w.mode {
	case decoding:
		*v = yes(w.value(name), false)
	case encoding:
		if w.d.SmallOverride {
			w.attr(small)
		} else {
			w.attr(name)
		}
		w.b = append(w.b, "NY"[btoi(*v)], '"')
	}
}

// noPost is the flag of a guest who may not be charged. What cannot be understood means that he may not.
func (w *walker) noPost(v *bool) {
	switch w.mode {
	case decoding:
		*v = yes(w.value("NoPost"), true)
	case encoding:
		w.attr("NoPost")
		letters := "01"
		if w.d.NoPostLetters {
			letters = "NY"
		}
		w.b = append(w.b, letters[btoi(*v)], '"')
	}
}

func btoi(v bool) int {
	if v {
		return 1
	}
	return 0
}

// yes reads a flag; other is what an unknown word means.
func yes(s string, other bool) bool {
	s = strings.Trim(s, spaces)
	switch {
	case s == "" || s == "0" || same(s, "n") || same(s, "no") || same(s, "false"):
		return false
	case s == "1" || same(s, "y") || same(s, "yes") || same(s, "true"):
		return true
	}
	return other
}

// extra writes the unknown attributes back, but none that the element has already: that would be no XML.
func (w *walker) extra(v []Attr) {
	if w.mode != encoding {
		return
	}
	for _, a := range v {
		if plain(a.Name) && !bytes.Contains(w.b[w.tag:], []byte(" "+a.Name+`="`)) {
			w.attr(a.Name)
			w.b = w.d.appendText(w.b, a.Value)
			w.b = append(w.b, '"')
		}
	}
}
