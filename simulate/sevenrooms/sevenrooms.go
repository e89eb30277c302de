// Package sevenrooms is SevenRooms with one venue: its token call, the export, changes of reservations with the check in
// them, and its host, whose every change goes to the box as a signed webhook. Its wire is that of protocol/sevenrooms.
package sevenrooms

import (
	"net/http"
	"strconv"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/sevenrooms"
	"aboyeur/simulate/bookings"
)

// Config is what the platform is.
type Config = bookings.Config

// A Simulator is the platform.
type Simulator = bookings.Simulator

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	spec := sevenrooms.Spec()
	w, err := c.Wire(spec)
	if err != nil {
		return nil, err
	}
	p := &platform{c: c, w: w}
	return bookings.New(c, bookings.Dialect{
		Wire: w, Admit: p.admit, Message: p.message,
		Routes: []bookings.Route{
			{Op: "token", Pattern: "POST " + spec.Paths["token"], Open: true, Do: p.token},
			{Op: "reservations", Pattern: "GET " + spec.Paths["reservations"], Do: p.export},
			{Op: "status", Pattern: "PUT " + spec.Paths["update"], Do: p.change},
			{Op: "link", Pattern: "GET " + spec.Paths["venue"], Do: p.venue},
		},
	})
}

type platform struct {
	c      Config
	w      *wire.Wire
	tokens bookings.Tokens
}

func (p *platform) token(v *bookings.Visit) bookings.Answer {
	if v.FormValue("client_id") != p.c.Credentials.ClientID || v.FormValue("client_secret") != p.c.Credentials.ClientSecret {
		return bookings.Refuse(http.StatusUnauthorized, "wrong client")
	}
	now := v.Now()
	return bookings.Answer{Status: http.StatusOK, Body: sevenrooms.TokenAnswer{Status: http.StatusOK, Data: sevenrooms.Token{
		Token: p.tokens.Give(now), Expires: now.UTC().Add(bookings.TokenLife).Format("2006-01-02T15:04:05.000000"),
	}}}
}

// admit wants the token as the header is, without a scheme.
func (p *platform) admit(r *http.Request) (bookings.Answer, bool) {
	if !p.tokens.Good(r.Header.Get("Authorization"), p.c.Now()) {
		return bookings.Refuse(http.StatusUnauthorized, "token"), false
	}
	return bookings.Answer{}, true
}

func (p *platform) message(r *booking.Reservation, at time.Time) (http.Header, []byte, error) {
	body, err := sevenrooms.Encode(p.w, r)
	h := http.Header{}
	p.w.Seal().Sign(h, body, at)
	return h, body, err
}

// export is a page of what changed; its cursor is how many rows came before.
func (p *platform) export(v *bookings.Visit) bookings.Answer {
	if v.FormValue("venue_id") != p.w.Venue {
		return bookings.Refuse(http.StatusForbidden, "venue_id")
	}
	since, err := wire.ParseTime(v.FormValue("updated_since"), nil)
	limit, err2 := strconv.Atoi(v.FormValue("limit"))
	at := 0
	if s := v.FormValue("cursor"); s != "" && err == nil {
		at, err = strconv.Atoi(s)
	}
	day := func(name string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, v.FormValue(name), p.w.Zone)
		if err != nil {
			return time.Time{}
		}
		return t
	}
	if err != nil || err2 != nil || limit < 1 || limit > sevenrooms.Page || at < 0 {
		return bookings.Refuse(http.StatusBadRequest, "updated_since, limit or cursor")
	}
	to := day("to_date")
	if !to.IsZero() {
		to = to.AddDate(0, 0, 1)
	}
	found := v.Changed(since, day("from_date"), to)
	page := sevenrooms.Export{Status: http.StatusOK, Data: sevenrooms.ExportData{Results: []sevenrooms.Reservation{}}}
	for _, r := range found[min(at, len(found)):min(at+limit, len(found))] {
		x, err := sevenrooms.Of(p.w, &r)
		if err != nil {
			return bookings.Refuse(http.StatusInternalServerError, err.Error())
		}
		page.Data.Results = append(page.Data.Results, x)
	}
	if at+limit < len(found) {
		page.Data.Cursor = strconv.Itoa(at + limit)
	}
	return bookings.Answer{Status: http.StatusOK, Body: page}
}

func (p *platform) change(v *bookings.Visit) bookings.Answer {
	var c sevenrooms.Change
	if err := bookings.Strict(v.Raw, &c); err != nil {
		return bookings.Invalid(err)
	}
	if c.VenueID != p.w.Venue {
		return bookings.Refuse(http.StatusForbidden, "venue_id")
	}
	u, err := c.Update(p.w, v.PathValue("reservation"))
	if err != nil {
		return bookings.Invalid(err)
	}
	return v.Taken(u, http.StatusOK)
}

func (p *platform) venue(v *bookings.Visit) bookings.Answer {
	if v.PathValue("venue") != p.w.Venue {
		return bookings.Refuse(http.StatusForbidden, "venue_id")
	}
	v.Link(true)
	return bookings.Answer{Status: http.StatusOK, Body: map[string]any{"status": 200, "data": map[string]string{"id": p.w.Venue}}}
}
