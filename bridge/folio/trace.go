package folio

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of a trace.
const (
	traceLines = 2000
	traceText  = 2048 // bytes of a line; what is longer is cut
)

// Trace keeps the latest records of a link, so that a technician can read along. Its methods may be called from any
// goroutine.
type Trace struct {
	mu    sync.Mutex // guards what follows
	ring  [traceLines]TraceLine
	count int64
}

// TraceLine is one record.
type TraceLine struct {
	Seq       int64     `json:"seq"`
	At        time.Time `json:"at"`
	Direction string    `json:"direction" enum:">,<,!" doc:"> to the hotel, < from it, ! of the link itself"`
	Text      string    `json:"text"`
}

// Add keeps a record. Bytes that are no text are named.
func (t *Trace) Add(at time.Time, direction, text string) {
	if len(text) > traceText {
		text = text[:traceText] + "…"
	}
	text = legible(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	t.ring[t.count%traceLines] = TraceLine{t.count, at.UTC(), direction, text}
}

// After gives the lines with a greater number than seq, the oldest first.
func (t *Trace) After(seq int64) []TraceLine {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := max(seq+1, t.count-traceLines+1, 1)
	list := make([]TraceLine, 0, max(0, t.count-first+1))
	for n := first; n <= t.count; n++ {
		list = append(list, t.ring[n%traceLines])
	}
	return list
}

var controls = map[rune]string{0x02: "<STX>", 0x03: "<ETX>", 0x05: "<ENQ>", 0x06: "<ACK>", 0x15: "<NAK>", '\r': "<CR>", '\n': "<LF>"}

func legible(s string) string {
	clean := true
	for _, c := range s {
		clean = clean && c >= ' ' && c != 0x7f && c != utf8.RuneError
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		switch name, known := controls[c]; {
		case known:
			b.WriteString(name)
		case c == utf8.RuneError:
			fmt.Fprintf(&b, "<%02X>", s[i])
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, "<%02X>", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

var (
	fiasNames = regexp.MustCompile(`\|(GN|GF|GT|MT|A[0-9])[^|]+`)
	fiasCards = regexp.MustCompile(`\|(\$[123]|CG)[^|]+`)
	xmlNames  = regexp.MustCompile(`\b(LastName|FirstName|Title|GuestTitle|Reference[0-9]+)="[^"]+"`)
	pathNames = regexp.MustCompile(`\b(surname|givenName|text)=[^& ]+`)
	xmlTrack  = regexp.MustCompile(`(InquiryInformation)="[^"]{16,}"`)
)

// Masked hides the keys of cards and of the link from everybody, and the names of guests unless names is true.
func (l TraceLine) Masked(names bool) TraceLine {
	l.Text = fiasCards.ReplaceAllString(l.Text, "|$1***")
	l.Text = xmlTrack.ReplaceAllString(l.Text, `$1="***"`)
	if !names {
		l.Text = fiasNames.ReplaceAllString(l.Text, "|$1***")
		l.Text = xmlNames.ReplaceAllString(l.Text, `$1="***"`)
		l.Text = pathNames.ReplaceAllString(l.Text, "$1=***")
	}
	return l
}

// WriteTrace writes the latest records on the link, a line each, without the names of guests.
func (s *Service) WriteTrace(w io.Writer) error {
	if s.trace == nil {
		return nil
	}
	for _, l := range s.trace.After(0) {
		if _, err := fmt.Fprintln(w, l.Masked(false)); err != nil {
			return err
		}
	}
	return nil
}

// String is the line as it is saved and mailed.
func (l TraceLine) String() string {
	return l.At.Format("15:04:05.000") + " " + l.Direction + " " + l.Text
}
