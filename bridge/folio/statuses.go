package folio

import "strings"

// Reasons of a refusal beside the hotel's own statuses in lower case.
const (
	LinkDown = "link_down" // or the hotel does not answer the inquiry
	Audit    = "na"        // night audit; the hotel's own status for it as well
	OverCap  = "limit"     // the credit limit, seen before anything was sent
)

// A verdict is what an answer status means for a posting.
type verdict struct {
	state string
	again bool // a queued posting is tried again later; nothing was booked
}

// verdicts are the answer statuses that may come to a posting (spec/fias.md 6.7). Any other is a refusal: only OK books.
var verdicts = map[string]verdict{
	"OK": {Posted, false},
	"NG": {Refused, false}, // guest not found
	"NP": {Refused, false}, // no-post
	"CO": {Refused, false}, // over the credit limit
	"DM": {Refused, false}, // the parts do not add up
	"IA": {Refused, false}, // invalid account
	"FX": {Refused, false}, // not allowed for this guest
	"NA": {Refused, true},  // night audit
	"RY": {Refused, true},  // try again
	"UR": {Refused, false}, // cannot be done
	"DN": {Refused, false}, // denied
}

func judge(status string) verdict {
	v, ok := verdicts[status]
	if !ok {
		return verdict{Refused, false}
	}
	return v
}

// reasonOf is the reason that a refusal by the hotel carries.
func reasonOf(status string) string { return strings.ToLower(status) }
