package reservation

import (
	"aboyeur/protocol/booking"
)

// States of a party's order.
const (
	None    = "none"
	Pending = "pending" // will be opened when the till answers
	Open    = "open"
	Failed  = "failed"
	Closed  = "closed"
)

// Problems of a party whose order failed (spec/reservations.md 4).
const (
	TableUnavailable      = "table_unavailable"
	InvalidTable          = "invalid_table"
	NoTable               = "no_table"
	OrderCreationDisabled = "order_creation_disabled"
	POSOffline            = "pos_offline"
	POSRejected           = "pos_rejected"
	StaffUnknown          = "staff_unknown"
	Expired               = "expired"
)

// Facts are everything that the decision on a seated party depends on.
type Facts struct {
	Linked     bool   // a check of the party is open
	OpenChecks bool   // settings
	WalkIns    bool   // settings
	WalkIn     bool   // the party
	Tables     bool   // it has one at least
	Unknown    string // a table that it needs and the floor does not have; "" when it has all
	Mine       bool   // a check on its table is the party's by matching
	Blocking   int64  // number of another open check on its table; 0: none
	Staff      string // the configured user whom the till does not know; "" when it knows it
	Online     bool   // the till, with a device that takes orders
}

// What to do for a seated party.
const (
	DoNothing = iota // its check is open
	DoLink           // a check on its table is its own
	DoOpen           // open one
	DoWait           // until the till answers
	DoFail           // Problem says why
)

// Decision is what the facts lead to.
type Decision struct {
	Do      int
	Problem string // of DoFail and DoWait
	Match   bool   // a check that staff opened may be the party's: look for it
}

// Decide is the table of spec/reservations.md 4: the first line that fits counts. A user whom the till does not know comes
// last before opening, as it is found out only there.
func Decide(f Facts) Decision {
	switch {
	case f.Linked:
		return Decision{Do: DoNothing}
	case !f.OpenChecks, f.WalkIn && !f.WalkIns:
		return Decision{Do: DoFail, Problem: OrderCreationDisabled, Match: true}
	case !f.Tables:
		return Decision{Do: DoFail, Problem: NoTable}
	case f.Unknown != "":
		return Decision{Do: DoFail, Problem: InvalidTable}
	case f.Mine:
		return Decision{Do: DoLink}
	case f.Blocking != 0:
		return Decision{Do: DoFail, Problem: TableUnavailable}
	case !f.Online:
		return Decision{Do: DoWait, Problem: POSOffline}
	case f.Staff != "":
		return Decision{Do: DoFail, Problem: StaffUnknown}
	}
	return Decision{Do: DoOpen}
}

// Opens tells whether a message says that the party sits now, so that it should have a check. A state that a job of the
// platform assumed never does (spec/reservations.md 8.1).
func Opens(r *booking.Reservation, status booking.Status, s *Settings) bool {
	switch {
	case r.Assumed:
		return false
	case status == booking.Seated:
		return true
	case status == booking.PartiallySeated:
		return s.OpenOnPartiallySeated
	}
	return r.OpenNow && !status.Over()
}

// Allowed tells whether a reservation may go from one status to another (spec/reservations.md 2): forward at will, among those
// before seating at will, from a table back, and from cancelled and no-show back, since hosts slip too.
func Allowed(from, to booking.Status) bool {
	switch {
	case from == to, from == "", from == booking.Failed, to == booking.Failed:
		return true
	case from == booking.Departed:
		return false
	case from == booking.Cancelled, from == booking.NoShow:
		return to == booking.Scheduled || to == booking.Seated || to == booking.Cancelled || to == booking.NoShow
	}
	return true
}
