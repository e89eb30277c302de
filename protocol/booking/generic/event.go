package generic

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// An Event is a push in a frame with the venue and the reservation in it: the webhook of a platform whose own is not known.
type Event struct {
	VenueID       wire.Text `json:"venue_id"`
	ReservationID wire.Text `json:"reservation_id"`
	Push          `json:",inline"`
}

// ReadEvent reads an event for w's venue, with w's words. The error is booking.ErrVenue or a *booking.Malformed.
func ReadEvent(w *wire.Wire, body []byte) (booking.Reservation, error) {
	var e Event
	if err := wire.Read(body, &e); err != nil {
		return booking.Reservation{}, err
	}
	if e.VenueID != "" && string(e.VenueID) != w.Venue {
		return booking.Reservation{}, booking.ErrVenue
	}
	r, faults := e.Push.Booking(string(e.ReservationID), "")
	w.Mean(&r, e.Status)
	return r, faults.Err()
}

// EncodeEvent writes r as an event.
func EncodeEvent(w *wire.Wire, r *booking.Reservation) ([]byte, error) {
	word, ok := w.Spell(r)
	if !ok {
		return nil, fmt.Errorf("there is no word for %s", r.Status)
	}
	return json.Marshal(Event{VenueID: wire.Text(w.Venue), ReservationID: wire.Text(r.ID), Push: FromBooking(r, word)})
}
