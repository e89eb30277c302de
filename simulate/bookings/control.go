package bookings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"

	"aboyeur/protocol/booking"
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
	trouble := s.trouble()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Venue: s.c.Venue, Linked: s.linked, Reservations: len(s.book), Taken: len(s.ledger), Calls: len(s.calls), Tables: map[string]booking.Stage{}, Faults: s.faults, Ledger: trouble}
	for t, stage := range s.stages {
		st.Tables[t] = stage
	}
	return st
}

// maxControlBody bounds a request of the control.
const maxControlBody = 1 << 20

// Control is the host's stand and the platform's computer room over HTTP. It has no access control: listen on loopback.
//
//	POST /faults        {"rates":{"too_many":0.1},"next":["lost_answer"],"down":false}   204; {} ends all
//	POST /reservations  a reservation as in protocol/booking: booked or changed, the box is told; 204, or 502 with what it answered
//	POST /again         {"id":"R1","times":3}: repeats its last webhook at once; 204, or 502
//	POST /hook          {"url":"http://…"}: where webhooks go; 204
//	GET  /state                                                       State
//	GET  /reservations                                                all of them
//	GET  /ledger?after=N, /calls?after=N                              what was taken, and every call, as JSON lines
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	act := func(pattern string, do func(ctx context.Context, d *json.Decoder) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
			d.DisallowUnknownFields()
			err := do(r.Context(), d)
			var hook *HookError
			switch {
			case errors.As(err, &hook):
				http.Error(w, err.Error(), http.StatusBadGateway)
			case err != nil:
				http.Error(w, err.Error(), http.StatusBadRequest)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		})
	}
	read := func(d *json.Decoder, v any) error {
		if err := d.Decode(v); err != nil {
			return fmt.Errorf("not the JSON that is wanted here: %w", err)
		}
		return nil
	}
	act("POST /faults", func(_ context.Context, d *json.Decoder) error {
		var f Faults
		if err := read(d, &f); err != nil {
			return err
		}
		return s.Faults(f)
	})
	act("POST /reservations", func(ctx context.Context, d *json.Decoder) error {
		var raw json.RawMessage
		if err := read(d, &raw); err != nil {
			return err
		}
		var r booking.Reservation
		if err := jsonv2.Unmarshal(raw, &r, jsonv2.RejectUnknownMembers(true)); err != nil {
			return fmt.Errorf("not a reservation: %w", err)
		}
		return s.Put(ctx, r)
	})
	act("POST /again", func(ctx context.Context, d *json.Decoder) error {
		var which struct {
			ID    string `json:"id"`
			Times int    `json:"times"`
		}
		if err := read(d, &which); err != nil {
			return err
		}
		return s.Again(ctx, which.ID, min(max(which.Times, 1), 1000))
	})
	act("POST /hook", func(_ context.Context, d *json.Decoder) error {
		var where struct {
			URL string `json:"url"`
		}
		if err := read(d, &where); err != nil {
			return err
		}
		s.Hook(where.URL)
		return nil
	})
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, r *http.Request) { show(w, s.State()) })
	mux.HandleFunc("GET /reservations", func(w http.ResponseWriter, r *http.Request) { show(w, s.Reservations()) })
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, r *http.Request) { lines(w, r, s.Ledger()) })
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, r *http.Request) { lines(w, r, s.Calls()) })
	return mux
}

func show(w http.ResponseWriter, v any) {
	b, err := jsonv2.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}

// lines writes what follows the first ?after= of all, a JSON line each.
func lines[T any](w http.ResponseWriter, r *http.Request, all []T) {
	after := 0
	if s := r.FormValue("after"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			http.Error(w, "after: write how many to leave out", http.StatusBadRequest)
			return
		}
		after = n
	}
	w.Header().Set("Content-Type", "application/jsonl")
	for _, one := range all[min(after, len(all)):] {
		b, err := jsonv2.Marshal(one)
		if err != nil {
			return
		}
		w.Write(append(b, '\n'))
	}
}
