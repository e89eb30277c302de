package xmlpos

import "time"

// DefaultMatches is what every client in the field asks for.
const DefaultMatches = 16

// PostInquiry asks for the guests of a room, of a name or of a card. The answer is a PostList, or a PostAnswer when there
// are none.
type PostInquiry struct {
	Information   string // room number, beginning of a name, or track 2
	Matches       int    // how many guests at most; 0 leaves it to the server
	Sequence      uint32 // 1 to MaxSequence; the answer carries it
	Type          RequestType
	PaymentMethod string // of room charges, 16 in the samples
	At            time.Time
	RevenueCenter string // digits
	Waiter        string // cut to 16 characters
	Workstation   string // cut to 20 characters
	Extra         []Attr
}

// Name implements Element.
func (e *PostInquiry) Name() string { return "PostInquiry" }

// Check implements Element.
func (e *PostInquiry) Check() error { return check(e) }

func (e *PostInquiry) walk(w *walker) {
	w.text("InquiryInformation", &e.Information, required, maxInquiry)
	w.count("MaximumReturnedMatches", &e.Matches, optional, 9999)
	w.sequence(&e.Sequence)
	w.requestType(&e.Type)
	if w.mode == checking && e.Type != 0 && e.Type&(ByTrack|ByRoom|ByName) == 0 {
		w.fault("RequestType", "asks for neither track, room nor name")
	}
	w.text("PaymentMethod", &e.PaymentMethod, required, maxMethod)
	w.at(&e.At)
	w.text("RevenueCenter", &e.RevenueCenter, digits, maxOutlet)
	w.text("WaiterId", &e.Waiter, short, maxWaiter)
	w.text("WorkstationId", &e.Workstation, required|short, maxWorkstation)
	w.extra(e.Extra)
}
