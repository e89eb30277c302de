package xmlpos

import (
	"math"
	"strings"
)

// Attr is an attribute this package does not know, kept as it came.
type Attr struct{ Name, Value string }

// Bounds of values. Those of numbers are FIAS's (spec/fias.md 5); XML_POS itself names few.
const (
	MaxSequence = 99_999_999
	MaxAmount   = 999_999_999_999_999 // 15 digits of minor units
	MaxCovers   = 99_999

	maxRoom        = 40 // characters; account numbers are long
	maxID          = 40
	maxGuest       = 200
	maxInquiry     = 80
	maxWaiter      = 16
	maxWorkstation = 20 // one client cuts to it
	maxText        = 255
	maxMethod      = 20
	maxVersion     = 10
	maxOutlet      = 20
	maxLimit       = 20
)

// RequestType says where InquiryInformation is looked for; the kinds are added.
type RequestType int

// The kinds of inquiry (spec/fias.md 10.1).
const (
	NonRoom RequestType = 1 // in a PostRequest: a tender that is no room, posted without inquiry
	ByTrack RequestType = 2
	ByRoom  RequestType = 4
	ByName  RequestType = 8
)

// maxRequestType is far above the sums that exist.
const maxRequestType = 255

func (w *walker) requestType(v *RequestType) {
	n := int64(*v)
	w.number("RequestType", &n, required, 0, maxRequestType)
	*v = RequestType(n)
}

// AnswerStatus is the word of a PostAnswer (spec/fias.md 6.7, 10.1).
type AnswerStatus string

// The statuses. RY and DN are of FIAS; nobody has seen them in XML_POS, and an IFC8 that serves both may send them.
const (
	OK             AnswerStatus = "OK" // posted
	CreditLimit    AnswerStatus = "CO"
	NoPost         AnswerStatus = "NP"
	NotFound       AnswerStatus = "NG"
	NightAudit     AnswerStatus = "NA"
	Mismatch       AnswerStatus = "DM" // the parts do not add up to the total
	NotAllowed     AnswerStatus = "FX"
	InvalidAccount AnswerStatus = "IA"
	Unprocessable  AnswerStatus = "UR"
	RetryLater     AnswerStatus = "RY"
	Denied         AnswerStatus = "DN"
)

func (w *walker) status(v *AnswerStatus) {
	s := string(*v)
	w.text("AnswerStatus", &s, required, 2)
	if w.mode == decoding {
		s = strings.ToUpper(strings.Trim(s, spaces))
	}
	*v = AnswerStatus(s)
}

// Limit is an amount as servers write it: a decimal that may have a point or a comma, or nothing.
type Limit string

// Minor is the amount in minor units of a currency with so many decimals (0 to 4), what goes beyond them cut off. ok is
// false when there is none or it cannot be read.
func (l Limit) Minor(decimals int) (amount int64, ok bool) {
	s := strings.Trim(string(l), spaces)
	s, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	if whole+fraction == "" || decimals < 0 || decimals > 4 {
		return 0, false
	}
	for i, c := range []byte(whole + fraction) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if i >= len(whole)+decimals {
			continue
		}
		if amount > (math.MaxInt64-9)/10 {
			return 0, false
		}
		amount = amount*10 + int64(c-'0')
	}
	for range decimals - len(fraction) {
		if amount > math.MaxInt64/10 {
			return 0, false
		}
		amount *= 10
	}
	if negative {
		amount = -amount
	}
	return amount, true
}

func (w *walker) limit(v *Limit) {
	s := string(*v)
	w.text("CreditLimit", &s, always, maxLimit)
	*v = Limit(s)
	if w.mode == checking && s != "" {
		if _, ok := v.Minor(2); !ok {
			w.fault("CreditLimit", "is not a decimal")
		}
	}
}

// extraOf is where e keeps what nobody knows.
func extraOf(e Element) *[]Attr {
	switch e := e.(type) {
	case *PostAnswer:
		return &e.Extra
	case *PostList:
		return &e.Extra
	case *PostRequest:
		return &e.Extra
	case *PostInquiry:
		return &e.Extra
	case *LinkAlive:
		return &e.Extra
	case *LinkStart:
		return &e.Extra
	case *LinkDescription:
		return &e.Extra
	case *LinkEnd:
		return &e.Extra
	}
	return nil
}
