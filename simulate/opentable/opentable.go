// Package opentable is OpenTable with one restaurant: its token endpoint, the sync feed, table statuses, tickets, links, and
// its host, whose every change goes to the box as a signed webhook. Its wire is that of protocol/opentable.
package opentable

import (
	"net/http"
	"strconv"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/opentable"
	"aboyeur/simulate/bookings"
)

// Config is what the platform is.
type Config = bookings.Config

// A Simulator is the platform.
type Simulator = bookings.Simulator

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	spec := opentable.Spec()
	w, err := c.Wire(spec)
	if err != nil {
		return nil, err
	}
	p := &platform{c: c, w: w}
	return bookings.New(c, bookings.Dialect{
		Wire: w, KeyHeader: "X-Request-Id", Admit: p.admit, Message: p.message,
		Routes: append(bookings.Links(spec.Paths["link"], w),
			bookings.Route{Op: "token", Pattern: "POST " + spec.Paths["token"], Open: true, Do: func(v *bookings.Visit) bookings.Answer {
				return p.tokens.OAuth(v.Visit, c.Credentials.ClientID, c.Credentials.ClientSecret)
			}},
			bookings.Route{Op: "reservations", Pattern: "GET " + spec.Paths["reservations"], Do: p.feed},
			bookings.Route{Op: "status", Pattern: "POST " + spec.Paths["status"], Do: p.status},
			bookings.Route{Op: "ticket", Pattern: "PUT " + spec.Paths["ticket"], Do: p.ticket},
		),
	})
}

type platform struct {
	c      Config
	w      *wire.Wire
	tokens bookings.Tokens
}

func (p *platform) admit(r *http.Request) (bookings.Answer, bool) {
	if !p.tokens.Good(bookings.Bearer(r), p.c.Now()) {
		return bookings.Refuse(http.StatusUnauthorized, "invalid_token"), false
	}
	return bookings.Answer{}, true
}

func (p *platform) message(r *booking.Reservation, at time.Time) (http.Header, []byte, error) {
	body, err := opentable.Encode(p.w, r)
	h := http.Header{}
	p.w.Seal().Sign(h, body, at)
	return h, body, err
}

// feed is GET /sync/v2/reservations.
func (p *platform) feed(v *bookings.Visit) bookings.Answer {
	if v.FormValue("rid") != p.w.Venue {
		return bookings.Refuse(http.StatusForbidden, "no_rid_routing")
	}
	moment := func(name string) time.Time {
		t, err := wire.ParseTime(v.FormValue(name), nil)
		if err != nil {
			return time.Time{}
		}
		return t
	}
	limit, err := strconv.Atoi(v.FormValue("limit"))
	offset, err2 := strconv.Atoi(v.FormValue("offset"))
	if err != nil || err2 != nil || limit < 1 || limit > opentable.Page || offset < 0 {
		return bookings.Refuse(http.StatusBadRequest, "invalid_request")
	}
	found := v.Changed(moment("updated_after"), moment("scheduled_time_from"), moment("scheduled_time_to"))
	page := opentable.Feed{Items: []opentable.Reservation{}, Limit: limit, Offset: offset, HasNextPage: offset+limit < len(found)}
	for _, r := range found[min(offset, len(found)):min(offset+limit, len(found))] {
		x := opentable.FromBooking(&r)
		x.State, _ = p.w.Spell(&r)
		x.RestaurantID = wire.Text(p.w.Venue)
		page.Items = append(page.Items, x)
	}
	return bookings.Answer{Status: http.StatusOK, Body: page}
}

func (p *platform) status(v *bookings.Visit) bookings.Answer {
	var s opentable.Status
	if err := bookings.Strict(v.Raw, &s); err != nil {
		return bookings.Invalid(err)
	}
	if s.RestaurantID != p.w.Venue || v.PathValue("venue") != p.w.Venue || s.ReservationID != v.PathValue("reservation") {
		return bookings.Refuse(http.StatusForbidden, "no_rid_routing")
	}
	u, err := s.Update(p.w)
	if err != nil {
		return bookings.Invalid(err)
	}
	return v.Taken(u, http.StatusNoContent)
}

func (p *platform) ticket(v *bookings.Visit) bookings.Answer {
	var t opentable.Ticket
	if err := bookings.Strict(v.Raw, &t); err != nil {
		return bookings.Invalid(err)
	}
	if v.PathValue("venue") != p.w.Venue || t.TransactionID != v.PathValue("check") {
		return bookings.Refuse(http.StatusForbidden, "no_rid_routing")
	}
	u, err := t.Update(p.w)
	if err != nil {
		return bookings.Invalid(err)
	}
	return v.Taken(u, http.StatusNoContent)
}
