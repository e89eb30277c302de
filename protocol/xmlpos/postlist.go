package xmlpos

import (
	"strconv"
	"time"
)

// PostList is the guests that fit an inquiry.
type PostList struct {
	Sequence      uint32
	Hotel         string
	PaymentMethod string
	RevenueCenter string
	Waiter        string
	Workstation   string
	At            time.Time
	Items         []PostListItem
	// Truncated tells that the server sent more than MaxItems guests; the others are not here.
	Truncated bool
	Extra     []Attr
}

// PostListItem is one guest. Sharers of a room have an item each.
type PostListItem struct {
	Room          string
	Reservation   string
	LastName      string
	FirstName     string
	Title         string // some servers write GuestTitle
	VIP           string
	PaymentMethod string
	NoPost        bool // may not be charged; a word nobody understands counts as yes
	CreditLimit   Limit
	Profile       string
	Hotel         string     // where the item has none, the list's
	References    [10]string // Reference1 to Reference10
	Extra         []Attr
}

// Name implements Element.
func (e *PostList) Name() string { return "PostList" }

// Check implements Element.
func (e *PostList) Check() error { return check(e) }

func (e *PostList) walk(w *walker) {
	w.sequence(&e.Sequence)
	w.text("HotelId", &e.Hotel, required, maxID)
	w.text("PaymentMethod", &e.PaymentMethod, required, maxMethod)
	w.text("RevenueCenter", &e.RevenueCenter, digits, maxOutlet)
	w.text("WaiterId", &e.Waiter, short, maxWaiter)
	w.text("WorkstationId", &e.Workstation, required|short, maxWorkstation)
	w.at(&e.At)
	w.extra(e.Extra)
	switch w.mode {
	case encoding:
		if len(e.Items) == 0 {
			return
		}
		w.b = append(w.b, '>')
		for i := range e.Items {
			w.begin("PostListItem")
			e.Items[i].walk(w)
			w.b = append(w.b, " />"...)
		}
		w.b = append(w.b, "</PostList>"...)
	case checking:
		if len(e.Items) == 0 {
			w.fault("PostListItem", "is missing: a PostAnswer with NG says that nobody was found")
		}
		if len(e.Items) > MaxItems {
			w.fault("PostListItem", "comes more than "+strconv.Itoa(MaxItems)+" times")
			return
		}
		for i := range e.Items {
			w.item = i + 1
			e.Items[i].walk(w)
		}
	}
}

// take adds the item whose tag p has read.
func (e *PostList) take(p *parser, w *walker) {
	if len(e.Items) == MaxItems {
		e.Truncated = true
		return
	}
	e.Items = append(e.Items, PostListItem{})
	item := &e.Items[len(e.Items)-1]
	w.item = len(e.Items)
	item.walk(w)
	w.rest(&item.Extra)
	if item.Hotel == "" {
		item.Hotel = e.Hotel
	}
}

var references = numbered("Reference", 10)

func (e *PostListItem) walk(w *walker) {
	w.text("RoomNumber", &e.Room, required, maxRoom)
	w.text("ReservationId", &e.Reservation, required, maxID)
	w.text("LastName", &e.LastName, required, maxGuest)
	w.text("FirstName", &e.FirstName, optional, maxGuest)
	w.text("Title", &e.Title, optional, maxGuest)
	if w.mode == decoding {
		var title string
		if w.text("GuestTitle", &title, optional, maxGuest); e.Title == "" {
			e.Title = title
		}
	}
	w.text("Vip", &e.VIP, optional, maxID)
	w.text("PaymentMethod", &e.PaymentMethod, optional, maxMethod)
	w.noPost(&e.NoPost)
	w.limit(&e.CreditLimit)
	w.text("ProfileId", &e.Profile, required, maxID)
	w.text("HotelId", &e.Hotel, required, maxID)
	if w.mode == decoding {
		w.group(references, func(i int, s string) { e.References[i] = w.p.text(s) })
	} else {
		for i := range e.References {
			w.text(references[i], &e.References[i], optional, maxText)
		}
	}
	w.extra(e.Extra)
}

// numbered is the names of a group of attributes, counted from 1.
func numbered(name string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = name + strconv.Itoa(i+1)
	}
	return all
}
