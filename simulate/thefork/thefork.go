// Package thefork is TheFork with one restaurant: it asks the box to open a receipt when guests arrive or sit down, and takes
// the total that closes it, after which the party has left. Its wire is that of protocol/thefork; nothing before arrival is
// told, as at the real one.
package thefork

import (
	"net/http"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/thefork"
	"aboyeur/simulate/bookings"
)

// Config is what the platform is.
type Config = bookings.Config

// A Simulator is the platform.
type Simulator = bookings.Simulator

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	spec := thefork.Spec()
	w, err := c.Wire(spec)
	if err != nil {
		return nil, err
	}
	p := &platform{c: c, w: w}
	return bookings.New(c, bookings.Dialect{
		Wire: w, Admit: p.admit, Message: p.message,
		Routes: []bookings.Route{
			{Op: "close", Pattern: "PUT " + spec.Paths["close"], Do: p.close},
			{Op: "link", Pattern: "GET " + spec.Paths["restaurant"], Open: true, Do: p.restaurant},
			{Op: "token", Pattern: "POST " + spec.Paths["token"], Open: true, Do: p.token},
		},
	})
}

type platform struct {
	c      Config
	w      *wire.Wire
	tokens bookings.Tokens
}

func (p *platform) admit(r *http.Request) (bookings.Answer, bool) {
	if r.Header.Get(p.w.Name("header.key")) != p.c.Credentials.Token {
		return bookings.Refuse(http.StatusUnauthorized, "key"), false
	}
	return bookings.Answer{}, true
}

func (p *platform) message(r *booking.Reservation, _ time.Time) (http.Header, []byte, error) {
	body, err := thefork.Encode(p.w, r)
	return http.Header{"Authorization": {"Bearer " + string(p.c.Secret)}, p.w.Name("header.customer"): {p.w.Venue}}, body, err
}

// close takes a receipt's total. The reservation has then left.
func (p *platform) close(v *bookings.Visit) bookings.Answer {
	var r thefork.Receipt
	if err := bookings.Strict(v.Raw, &r); err != nil {
		return bookings.Invalid(err)
	}
	u, err := r.Update(v.PathValue("reservation"))
	if err != nil {
		return bookings.Invalid(err)
	}
	u.At = v.Now()
	return v.Taken(u, http.StatusNoContent)
}

// token is of the manager interface.
func (p *platform) token(v *bookings.Visit) bookings.Answer {
	var form struct {
		Grant    string `json:"grant_type"`
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		Audience string `json:"audience"`
	}
	if err := bookings.Strict(v.Raw, &form); err != nil {
		return bookings.Invalid(err)
	}
	if form.ID != p.c.Credentials.ClientID || form.Secret != p.c.Credentials.ClientSecret || form.Audience != thefork.Audience || form.Grant != "client_credentials" {
		return bookings.Answer{Status: http.StatusUnauthorized, Body: map[string]string{"error": "invalid_client"}}
	}
	return bookings.Answer{Status: http.StatusOK, Body: map[string]any{"access_token": p.tokens.Give(v.Now()), "token_type": "Bearer", "expires_in": 8600}}
}

func (p *platform) restaurant(v *bookings.Visit) bookings.Answer {
	switch {
	case !p.tokens.Good(bookings.Bearer(v.Request), v.Now()):
		return bookings.Refuse(http.StatusUnauthorized, "token")
	case v.PathValue("venue") != p.w.Venue:
		return bookings.Refuse(http.StatusNotFound, "there is no such restaurant")
	}
	v.Link(true)
	return bookings.Answer{Status: http.StatusOK, Body: map[string]string{"id": p.w.Venue}}
}
