package ohip

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/rest"
)

// A Rule gives a refusal its FIAS answer status. Parts left at zero fit everything.
type Rule struct {
	Status   int    // of HTTP
	Code     string // o:errorCode, or its end: FOF01952 fits OPERAWS-FOF01952
	Contains string // in title or detail, whatever its capitals
	AS       string // answer status of docs/spec/fias.md 6.7

	// Certain says that OPERA did not book when it answers so, even with 5xx.
	Certain bool
}

// DefaultRules come after Config.Rules; the first that fits counts, and what fits none is UR. Codes of OPERA Cloud are
// published to Oracle's customers only: those here were seen in public (docs/spec/fias.md 10.2 has FOF01952), and the texts
// are those that OPERA's own statuses suggest.
func DefaultRules() []Rule {
	return []Rule{
		{Status: http.StatusTooManyRequests, AS: "RY"},
		{Code: "FOF01952", AS: "DM"}, // more decimals than the currency has
		{Code: "GEN01244", AS: "DN"}, // not allowed for this hotel
		{Code: "FOF00094", AS: "DN"}, // invalid cashier
		{Contains: "credit limit", AS: "CO"},
		{Contains: "no post", AS: "NP"},
		{Contains: "no-post", AS: "NP"},
		{Contains: "posting restriction", AS: "NP"},
		{Contains: "posting is not allowed", AS: "NP"},
		{Contains: "posting not allowed", AS: "NP"},
		{Contains: "end of day", AS: "NA"},
		{Contains: "night audit", AS: "NA"},
		{Contains: "not in house", AS: "NG"},
		{Contains: "not in-house", AS: "NG"},
		{Contains: "not checked in", AS: "NG"},
		{Contains: "checked out", AS: "NG"},
		{Contains: "reservation not found", AS: "NG"},
		{Code: "GEN01278", AS: "NG"}, // not a reservation's number
		{Contains: "invalid cashier", AS: "DN"},
		{Status: http.StatusUnauthorized, AS: "DN"},
		{Status: http.StatusForbidden, AS: "DN"},
	}
}

// fits reports whether the rule covers a refusal.
func (r *Rule) fits(status int, f fault) bool {
	if r.Status != 0 && r.Status != status {
		return false
	}
	if r.Code != "" {
		hit := false
		for _, c := range f.codes {
			hit = hit || strings.HasSuffix(strings.ToUpper(c), strings.ToUpper(r.Code))
		}
		if !hit {
			return false
		}
	}
	return r.Contains == "" || strings.Contains(strings.ToLower(f.text), strings.ToLower(r.Contains))
}

// fault is what an error body says.
type fault struct {
	codes []string
	text  string // title and detail in one line
	known bool   // it had OPERA's form
}

const (
	maxFaults = 32 // details read of one problem
	maxDepth  = 8  // and how deep
)

// readFault takes OPERA's problem, the gateway's {"code","message"}, or nothing at all from anything else.
func readFault(body []byte) fault {
	var f fault
	var p Problem
	if json.Unmarshal(body, &p, lenient) == nil && (p.Title != "" || p.Detail != "" || p.Code != "" || len(p.Details) > 0) {
		f.known = true
		var texts []string
		f.collect(&p, &texts, 0)
		f.text = clean(strings.Join(texts, ": "))
		return f
	}
	var g struct {
		Message string `json:"message"`
		Error   string `json:"error"`
		Code    string `json:"o:errorCode"`
	}
	if json.Unmarshal(body, &g, lenient) == nil {
		f.text = clean(g.Message)
		if f.text == "" {
			f.text = clean(g.Error)
		}
		if g.Code != "" {
			f.codes = []string{clean(g.Code)}
		}
	}
	return f
}

func (f *fault) collect(p *Problem, texts *[]string, depth int) {
	if len(f.codes) >= maxFaults || len(*texts) >= maxFaults || depth > maxDepth {
		return
	}
	if p.Code != "" {
		f.codes = append(f.codes, clean(p.Code))
	}
	for _, s := range []string{p.Title, p.Detail} {
		if s = clean(s); s != "" && (len(*texts) == 0 || !strings.Contains(strings.Join(*texts, "\n"), s)) {
			*texts = append(*texts, s)
		}
	}
	for i := range p.Details {
		f.collect(&p.Details[i], texts, depth+1)
	}
}

// refusal is the outcome that a refused call has, and whether it is one: a 5xx is only by a Rule's word.
func (c *Client) refusal(e *rest.Error) (Outcome, bool) {
	f := readFault(e.Body)
	o := Outcome{AS: "UR", Text: c.http.Redact(f.text)}
	if len(f.codes) > 0 {
		o.Code = f.codes[0]
	}
	certain := e.Fate == rest.Refused
	matched := false
	for i := range c.rules {
		if r := &c.rules[i]; r.fits(e.Status, f) {
			o.AS, matched = r.AS, true
			certain = certain || r.Certain
			break
		}
	}
	if !matched && e.Status == http.StatusNotFound && f.known {
		o.AS = "NG" // OPERA itself answered: it has no such reservation
	}
	if o.Text == "" {
		o.Text = http.StatusText(e.Status)
	}
	return o, certain
}
