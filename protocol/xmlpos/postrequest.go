package xmlpos

import "time"

// Groups is how many product groups a posting has, each with a discount, a service charge and a tax of its own.
const Groups = 16

// PostRequest charges a guest, or tells of a tender that is no room (Type NonRoom; the guest's attributes are then empty).
// Amounts are minor units. TotalAmount is the sum of all parts and the tip; servers answer DM when it is not.
type PostRequest struct {
	Room        string // as the chosen item has it, like the following
	Reservation string
	Profile     string // some schemas lack it
	LastName    string
	Hotel       string

	Type        RequestType // as in the inquiry
	Information string      // as in the inquiry
	Match       int         // which item of the list, from 1; MatchfromPostList
	Sequence    uint32      // another than the inquiry's

	Total         int64
	Override      bool // exceed the credit limit: a manager has allowed it
	Description   string
	PaymentMethod string
	Covers        int
	RevenueCenter string // digits
	ServingTime   int    // meal period
	CheckNumber   string // digits

	Subtotals      [Groups]int64
	Discounts      [Groups]int64 // negative in a charge
	ServiceCharges [Groups]int64
	Taxes          [Groups]int64 // only what is added on top
	Tip            int64

	At          time.Time
	Waiter      string // cut to 16 characters
	Workstation string // cut to 20 characters
	Extra       []Attr
}

// Name implements Element.
func (e *PostRequest) Name() string { return "PostRequest" }

// Check implements Element.
func (e *PostRequest) Check() error { return check(e) }

var (
	subtotals      = numbered("Subtotal", Groups)
	discounts      = numbered("Discount", Groups)
	serviceCharges = numbered("ServiceCharge", Groups)
	taxes          = numbered("Tax", Groups)
)

func (e *PostRequest) walk(w *walker) {
	guest := required
	if e.Type == NonRoom {
		guest = always
	}
	w.text("RoomNumber", &e.Room, guest, maxRoom)
	w.text("ReservationId", &e.Reservation, guest, maxID)
	w.text("ProfileId", &e.Profile, optional, maxID)
	w.text("LastName", &e.LastName, guest, maxGuest)
	w.text("HotelId", &e.Hotel, guest, maxID)
	w.requestType(&e.Type)
	w.text("InquiryInformation", &e.Information, guest, maxInquiry)
	e.match(w)
	w.sequence(&e.Sequence)
	w.amount("TotalAmount", &e.Total, always)
	w.override(&e.Override)
	w.text("PostingDescription", &e.Description, short, maxText)
	w.text("PaymentMethod", &e.PaymentMethod, required, maxMethod)
	w.count("Covers", &e.Covers, optional, MaxCovers)
	w.text("RevenueCenter", &e.RevenueCenter, digits, maxOutlet)
	w.count("ServingTime", &e.ServingTime, optional, 9999)
	w.text("CheckNumber", &e.CheckNumber, required|digits, maxID)
	w.amounts(subtotals, &e.Subtotals)
	w.amounts(discounts, &e.Discounts)
	w.amounts(serviceCharges, &e.ServiceCharges)
	w.amounts(taxes, &e.Taxes)
	w.amount("Tip", &e.Tip, optional)
	w.at(&e.At)
	w.text("WaiterId", &e.Waiter, short, maxWaiter)
	w.text("WorkstationId", &e.Workstation, required|short, maxWorkstation)
	w.extra(e.Extra)
	if w.mode == checking && e.Sum() != e.Total {
		w.fault("TotalAmount", "is not the sum of its parts")
	}
}

// match is MatchfromPostList, which is empty when no list was asked for.
func (e *PostRequest) match(w *walker) {
	const name = "MatchfromPostList"
	if w.mode == encoding && e.Match == 0 {
		w.attr(name)
		w.b = append(w.b, '"')
		return
	}
	rule := required
	if e.Type == NonRoom {
		rule = optional
	}
	w.count(name, &e.Match, rule, 9999)
}

// Sum is what the parts add up to. It is of use only while all of them are within MaxAmount.
func (e *PostRequest) Sum() int64 {
	n := e.Tip
	for i := range Groups {
		n += e.Subtotals[i] + e.Discounts[i] + e.ServiceCharges[i] + e.Taxes[i]
	}
	return n
}
