package bookings

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"aboyeur/protocol/booking"
	"aboyeur/simulate/cloud"
)

// State is what stands at the moment.
type State struct {
	Venue        string                   `json:"venue"`
	Linked       bool                     `json:"linked"`
	Reservations int                      `json:"reservations"`
	Taken        int                      `json:"taken"`
	Calls        int                      `json:"calls"`
	Tables       map[string]booking.Stage `json:"tables"`
	Faults       Faults                   `json:"faults"`
	Ledger       string                   `json:"ledger_error,omitempty"`
}

// State tells what stands.
func (s *Simulator) State() State {
	trouble, calls := s.trouble(), len(s.Calls())
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Venue: s.c.Venue, Linked: s.linked, Reservations: len(s.book), Taken: len(s.ledger), Calls: calls, Tables: map[string]booking.Stage{}, Faults: s.Present(), Ledger: trouble}
	for t, stage := range s.stages {
		st.Tables[t] = stage
	}
	return st
}

// Control is the host's stand and the platform's computer room over HTTP. It has no access control: listen on loopback.
//
// Beside what all simulated services have (cloud.Control):
//
//	POST /reservations  a reservation as in protocol/booking: booked or changed, the box is told; 204, or 502 with what it answered
//	POST /held          {"held":true}: another account has the link; 204
//	POST /again         {"id":"R1","times":3}: repeats its last webhook at once; 204, or 502
//	GET  /state                                                       State
//	GET  /reservations                                                all of them
//	GET  /ledger?after=N                                              what was taken, as JSON lines
func (s *Simulator) Control() http.Handler {
	c := s.Service.Control()
	c.Act("POST /reservations", func(ctx context.Context, d *json.Decoder) error {
		var r booking.Reservation
		if err := cloud.ReadStrict(d, &r); err != nil {
			return fmt.Errorf("not a reservation: %w", err)
		}
		return s.Put(ctx, r)
	})
	c.Act("POST /held", func(_ context.Context, d *json.Decoder) error {
		var held struct {
			Held bool `json:"held"`
		}
		if err := cloud.Read(d, &held); err != nil {
			return err
		}
		s.Hold(held.Held)
		return nil
	})
	c.Act("POST /again", func(ctx context.Context, d *json.Decoder) error {
		var which struct {
			ID    string `json:"id"`
			Times int    `json:"times"`
		}
		if err := cloud.Read(d, &which); err != nil {
			return err
		}
		return s.Again(ctx, which.ID, min(max(which.Times, 1), 1000))
	})
	c.Show("GET /state", func() any { return s.State() })
	c.Show("GET /reservations", func() any { return s.Reservations() })
	cloud.List(c, "GET /ledger", s.Ledger)
	return c
}
