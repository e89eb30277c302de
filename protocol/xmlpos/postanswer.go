package xmlpos

import "time"

// PostAnswer answers a PostRequest, or an inquiry that found nobody.
type PostAnswer struct {
	Status        AnswerStatus // may be one this package has no name for
	Text          string       // for people; a posted one may name the server's transaction
	Room          string
	Reservation   string
	LastName      string
	CheckNumber   string
	Sequence      uint32 // of the request
	Hotel         string
	At            time.Time
	PaymentMethod string
	RevenueCenter string
	Waiter        string
	Workstation   string
	Extra         []Attr
}

// Name implements Element.
func (e *PostAnswer) Name() string { return "PostAnswer" }

// Check implements Element.
func (e *PostAnswer) Check() error { return check(e) }

func (e *PostAnswer) walk(w *walker) {
	w.status(&e.Status)
	w.text("ResponseText", &e.Text, always|short, maxText)
	w.text("RoomNumber", &e.Room, optional, maxRoom)
	w.text("ReservationId", &e.Reservation, optional, maxID)
	w.text("LastName", &e.LastName, optional, maxGuest)
	w.text("CheckNumber", &e.CheckNumber, optional, maxID)
	w.sequence(&e.Sequence)
	w.text("HotelId", &e.Hotel, required, maxID)
	w.at(&e.At)
	w.text("PaymentMethod", &e.PaymentMethod, required, maxMethod)
	w.text("RevenueCenter", &e.RevenueCenter, always|digits, maxOutlet)
	w.text("WaiterId", &e.Waiter, short, maxWaiter)
	w.text("WorkstationId", &e.Workstation, required|short, maxWorkstation)
	w.extra(e.Extra)
}
