// Package aleno is Aleno with one restaurant, as far as anybody outside can know it: the wire is that of protocol/aleno.
package aleno

import (
	"net/http"
	"time"

	"aboyeur/protocol/aleno"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/generic"
	"aboyeur/simulate/bookings"
)

// Config is what the platform is.
type Config = bookings.Config

// A Simulator is the platform.
type Simulator = bookings.Simulator

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	spec := aleno.Spec()
	w, err := c.Wire(spec)
	if err != nil {
		return nil, err
	}
	return bookings.New(c, bookings.Dialect{
		Wire: w,
		Admit: func(r *http.Request) (bookings.Answer, bool) {
			if bookings.Bearer(r) != c.Credentials.Token {
				return bookings.Refuse(http.StatusUnauthorized, "token"), false
			}
			return bookings.Answer{}, true
		},
		Message: func(r *booking.Reservation, _ time.Time) (http.Header, []byte, error) {
			body, err := generic.EncodeEvent(w, r)
			return http.Header{"Authorization": {"Bearer " + string(c.Secret)}}, body, err
		},
		Routes: append(bookings.Links(spec.Paths["link"], w), bookings.Route{Op: "status", Pattern: "PUT " + spec.Paths["status"], Do: bookings.Notice(w)}),
	})
}
