package ohip

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/rest"
)

// A Line is one posting on a folio.
type Line struct {
	Number    string // OPERA's transaction number
	Code      string // transaction code
	Amount    int64  // minor units
	Currency  string
	Reference string // Posting.Reference; OPERA pads it, here it is trimmed
	Remark    string
	Check     string
	Window    int
}

// Lines are a folio's postings.
type Lines struct {
	Lines    []Line
	Complete bool // false: OPERA has more than was read
}

// With are the lines that carry a reference.
func (l Lines) With(reference string) []Line {
	var found []Line
	for _, line := range l.Lines {
		if line.Reference == reference {
			found = append(found, line)
		}
	}
	return found
}

const (
	folioPage  = 200
	folioPages = 10
)

// Folio reads the postings of a reservation. It changes nothing in OPERA.
func (c *Client) Folio(ctx context.Context, reservation string) (Lines, error) {
	path := c.path(c.c.Paths.Folio, reservation, "")
	if reservation == "" {
		return Lines{}, &rest.Error{Op: "read folio", Method: http.MethodGet, Path: path, Fate: rest.NotSent, Err: errors.New("no reservation given")}
	}
	var all Lines
	seen := map[string]bool{}
	for page := range folioPages {
		// Without summaryOnly=false properties have been seen to answer with totals only.
		query := url.Values{"fetchInstructions": {"Postings"}, "summaryOnly": {"false"}, "limit": {strconv.Itoa(folioPage)}, "offset": {strconv.Itoa(page * folioPage)}}
		var body []byte
		if _, err := c.http.Do(ctx, rest.Call{Op: "read folio", Path: path, Query: query, Out: &body, Timeout: c.c.Timeout}); err != nil {
			return Lines{}, c.inquiry(err)
		}
		r := folioReader{c: c, seen: seen}
		if err := r.read(body); err != nil {
			return Lines{}, &rest.Error{Op: "read folio", Method: http.MethodGet, Path: path, Fate: rest.Accepted, Status: http.StatusOK, Err: err}
		}
		all.Lines = append(all.Lines, r.lines...)
		if !r.more {
			all.Complete = true
			break
		}
		if len(r.lines) == 0 {
			break
		}
	}
	return all, nil
}

// A folioReader gathers postings wherever they stand in the answer: windows nest them in folios, releases differently.
type folioReader struct {
	c     *Client
	seen  map[string]bool // by transaction number
	lines []Line
	more  bool
}

const maxLines = 5000

func (r *folioReader) read(body []byte) error {
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	var v jsontext.Value
	if err := json.Unmarshal(body, &v, lenient); err != nil {
		return errors.Join(rest.ErrNotJSON, err)
	}
	if v.Kind() != '{' {
		return rest.ErrNotJSON
	}
	r.gather(v, 0, 0)
	return nil
}

// maxNesting is deeper than any folio; what lies below is not read.
const maxNesting = 24

func (r *folioReader) gather(v jsontext.Value, window, depth int) {
	if depth > maxNesting || len(r.lines) >= maxLines {
		r.more = true
		return
	}
	switch v.Kind() {
	case '[':
		var all []jsontext.Value
		if json.Unmarshal(v, &all, lenient) == nil {
			for _, one := range all {
				r.gather(one, window, depth+1)
			}
		}
	case '{':
		var all map[string]jsontext.Value
		if json.Unmarshal(v, &all, lenient) != nil {
			return
		}
		if n, err := strconv.Atoi(plain(all["folioWindowNo"])); err == nil {
			window = n
		}
		if truth(all["hasMore"]) {
			r.more = true
		}
		if number := plain(all["transactionNo"]); number != "" && all["transactionCode"] != nil {
			r.line(number, v, window)
			return
		}
		for _, name := range sorted(all) {
			switch all[name].Kind() {
			case '{', '[':
				r.gather(all[name], window, depth+1)
			}
		}
	}
}

func (r *folioReader) line(number string, v jsontext.Value, window int) {
	if r.seen[number] {
		return
	}
	r.seen[number] = true
	l := Line{
		Number:    number,
		Code:      word(v, []string{"transactionCode"}),
		Reference: word(v, []string{"reference", "postingReference"}),
		Remark:    word(v, []string{"remark", "postingRemark"}),
		Check:     word(v, []string{"checkNumber", "checkNo"}),
		Currency:  word(v, []string{"postedAmount.currencyCode", "currencyCode"}),
		Window:    window,
	}
	if l.Currency == "" {
		l.Currency = r.c.c.Currency
	}
	if found, ok := first(v, []string{"postedAmount", "transactionAmount", "amount"}); ok {
		l.Amount, _ = money(found, l.Currency, r.c.decimals)
	}
	r.lines = append(r.lines, l)
}
