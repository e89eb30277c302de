package bookings

import (
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
)

// Strict decodes a body; members that are not known are refused, as a platform's own validation does.
func Strict(body []byte, v any) error {
	return json.Unmarshal(body, v, json.RejectUnknownMembers(true))
}

// Invalid is the answer to a body that makes no sense.
func Invalid(err error) Answer {
	var m *booking.Malformed
	if errors.As(err, &m) && len(m.Faults) > 0 {
		return Refuse(http.StatusBadRequest, m.Faults[0].Pointer+" "+m.Faults[0].Detail)
	}
	return Refuse(http.StatusBadRequest, err.Error())
}

// Taken takes u and answers with status; an update for a reservation that is not in the book gets 404.
func (v *Visit) Taken(u booking.Update, status int) Answer {
	if !v.Take(u) {
		return Refuse(http.StatusNotFound, "there is no such reservation")
	}
	return Answer{Status: status}
}

// Notice is the route of platforms that are told by a wire.Notice.
func Notice(w *wire.Wire) func(v *Visit) Answer {
	return func(v *Visit) Answer {
		var n wire.Notice
		if err := Strict(v.Raw, &n); err != nil {
			return Invalid(err)
		}
		u, err := n.Update(w)
		if err != nil {
			return Invalid(err)
		}
		if u.Reservation != v.PathValue("reservation") || n.VenueID != v.PathValue("venue") || n.VenueID != w.Venue {
			return Refuse(http.StatusForbidden, "the path and the body speak of different reservations, or the venue is not this one")
		}
		return v.Taken(u, http.StatusNoContent)
	}
}

// Links are the routes of a link that is made and taken back.
func Links(path string, w *wire.Wire) []Route {
	link := func(on bool) func(v *Visit) Answer {
		return func(v *Visit) Answer {
			if v.PathValue("venue") != w.Venue {
				return Refuse(http.StatusForbidden, "the venue is not this one")
			}
			if on && v.Held() {
				return Refuse(http.StatusConflict, "the venue is linked to another account")
			}
			v.Link(on)
			return Answer{Status: http.StatusNoContent}
		}
	}
	return []Route{{Op: "link", Pattern: "PUT " + path, Do: link(true)}, {Op: "unlink", Pattern: "DELETE " + path, Do: link(false)}}
}
