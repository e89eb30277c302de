// Package resy is Resy with one venue, as far as anybody outside can know it: the wire is that of protocol/resy.
package resy

import (
	"net/http"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/generic"
	"aboyeur/protocol/resy"
	"aboyeur/simulate/bookings"
)

// Config is what the platform is.
type Config = bookings.Config

// A Simulator is the platform.
type Simulator = bookings.Simulator

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	spec := resy.Spec()
	w, err := c.Wire(spec)
	if err != nil {
		return nil, err
	}
	return bookings.New(c, bookings.Dialect{
		Wire: w,
		Admit: func(r *http.Request) (bookings.Answer, bool) {
			if r.Header.Get("Authorization") != resy.Authorization(c.Credentials.ClientID) {
				return bookings.Refuse(resy.StatusUnknown, "who is calling?"), false
			}
			return bookings.Answer{}, true
		},
		Message: func(r *booking.Reservation, at time.Time) (http.Header, []byte, error) {
			body, err := generic.EncodeEvent(w, r)
			h := http.Header{}
			w.Seal().Sign(h, body, at)
			return h, body, err
		},
		Routes: append(bookings.Links(spec.Paths["link"], w), bookings.Route{Op: "status", Pattern: "PUT " + spec.Paths["status"], Do: bookings.Notice(w)}),
	})
}
