package rest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Call is one request to make and what to do with its answer.
type Call struct {
	Op     string     // what it is for, in errors and traces: "find guests"
	Method string     // "" means GET
	Path   string     // below Config.Base, escaped; Path makes it
	Query  url.Values // added to what Path has
	Header http.Header

	In   any        // sent as JSON; nil: no body
	Form url.Values // sent as a form instead of In

	// Out receives the JSON of a successful answer; *[]byte gets it as it is. An answer without content leaves it alone.
	// nil: the answer is read and thrown away.
	Out any

	// Key names the business transaction to the server (Config.KeyHeader). It is the same in every repetition, and a new
	// transaction has a new one. "": none.
	Key string

	// Repeatable says that doing it twice does no harm, so that it is repeated after an uncertain failure. GET and HEAD
	// are repeatable without it.
	Repeatable bool

	Timeout time.Duration // of one attempt, from dialling to the answer's last byte; 0 means Config.Timeout
	Once    bool          // no repetition at all but after 401
}

func (c *Call) repeatable() bool {
	return c.Repeatable || c.Method == http.MethodGet || c.Method == http.MethodHead
}

// An Answer is the frame of a successful answer.
type Answer struct {
	Status   int
	Header   http.Header
	Attempts int
	Took     time.Duration // all attempts and the waits between them
}

// Path joins segments into a path, each escaped, so that an identifier with a slash, a dot or a question mark stays one
// segment: Path("hotels", "A/B", "reservations") is "/hotels/A%2FB/reservations". A segment of dots alone is escaped too.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		if s == "." || s == ".." {
			b.WriteString(strings.ReplaceAll(s, ".", "%2E"))
			continue
		}
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}
