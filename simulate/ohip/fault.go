package ohip

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"aboyeur/simulate/cloud"
)

// Op is a kind of request.
type Op string

const (
	Token       Op = "token"
	Search      Op = "search"
	Reservation Op = "reservation"
	Charge      Op = "charge"
	VoidCheck   Op = "void_check"
	Sale        Op = "sale"
	Folio       Op = "folio"
)

// Ops lists every Op.
func Ops() []Op { return []Op{Token, Search, Reservation, Charge, VoidCheck, Sale, Folio} }

// Kind is the name of a fault.
type Kind string

const (
	LoseRequest Kind = "lose_request" // the connection ends, nothing was done
	LoseAnswer  Kind = "lose_answer"  // it is done, then the connection ends
	Hang        Kind = "hang"         // nothing is done and nothing comes, until lifted
	HangAfter   Kind = "hang_after"   // it is done and nothing comes, until lifted
	Slow        Kind = "slow"         // it is done after For (0: when lifted), even when nobody waits any more
	Late        Kind = "late"         // it is done at once and answered after For (0: when lifted)
	Duplicate   Kind = "duplicate"    // it is done twice, as when a gateway repeats
	Expire      Kind = "expire"       // every token given so far ends, at once
	Status      Kind = "status"       // Status is answered, nothing is done
	StatusAfter Kind = "status_after" // it is done, then Status is answered
	Cut         Kind = "cut"          // the answer breaks off after At bytes, header included
	Garbage     Kind = "garbage"      // a page instead of the answer, with its status
	NightAudit  Kind = "night_audit"  // nothing is booked, as at the end of day
)

// Kinds lists every fault.
func Kinds() []Kind {
	return []Kind{LoseRequest, LoseAnswer, Hang, HangAfter, Slow, Late, Duplicate, Expire, Status, StatusAfter, Cut, Garbage, NightAudit}
}

// A Fault is something that goes wrong with requests.
type Fault struct {
	Kind Kind `json:"kind"`
	Op   Op   `json:"op,omitempty"` // which requests; "": all of them

	Skip  int      `json:"skip,omitempty"`  // requests that it lets pass first
	Count int      `json:"count,omitempty"` // over after so many; 0: until lifted
	For   Duration `json:"for,omitempty"`   // slow, late

	At         int    `json:"at,omitempty"`          // cut
	Status     int    `json:"status,omitempty"`      // status, status_after; 0 means 503
	RetryAfter string `json:"retry_after,omitempty"` // the header of that name, as it is
	Code       string `json:"code,omitempty"`        // o:errorCode
	Text       string `json:"text,omitempty"`        // title of the problem
}

func (f *Fault) check() error {
	if !slices.Contains(Kinds(), f.Kind) {
		return fmt.Errorf("fault %q is not known; write one of %v", f.Kind, Kinds())
	}
	if f.Op != "" && !slices.Contains(Ops(), f.Op) {
		return fmt.Errorf("op %q is not known; write one of %v", f.Op, Ops())
	}
	if f.Skip < 0 || f.Count < 0 || f.At < 0 || f.For < 0 {
		return fmt.Errorf("fault %s has a number below zero", f.Kind)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status %d; write 200 to 599", f.Status)
	}
	if f.Status == 0 {
		f.Status = http.StatusServiceUnavailable
	}
	return nil
}

// Duration is a time.Duration written as in "2s".
type Duration = cloud.Duration

// active is a fault that waits for requests.
type active struct {
	Fault
	lifted chan struct{}
	meets  int // requests that it is dealing with
}

// Inject makes f happen.
func (s *Simulator) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject(f)
	return nil
}

func (s *Simulator) inject(f Fault) {
	if f.Kind == Expire {
		clear(s.tokens)
		s.struck[Expire]++
		return
	}
	s.faults = append(s.faults, &active{Fault: f, lifted: make(chan struct{})})
}

// Lift ends every fault of a kind, "" all of them, and lets go what they hold.
func (s *Simulator) Lift(k Kind) error {
	if k != "" && !slices.Contains(Kinds(), k) {
		return fmt.Errorf("fault %q is not known; write one of %v", k, Kinds())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(a *active) bool {
		if k == "" || a.Kind == k {
			close(a.lifted)
			return true
		}
		return false
	})
	for a := range s.held {
		if k == "" || a.Kind == k {
			close(a.lifted)
			delete(s.held, a)
		}
	}
	return nil
}

// strike gives the faults that a request of op meets. Those used up leave the list; s.mu is held.
func (s *Simulator) strike(op Op) []*active {
	var hit []*active
	s.faults = slices.DeleteFunc(s.faults, func(a *active) bool {
		if a.Op != "" && a.Op != op {
			return false
		}
		if a.Skip > 0 {
			a.Skip--
			return false
		}
		hit = append(hit, a)
		a.meets++
		s.struck[a.Kind]++
		if a.Count > 0 {
			if a.Count--; a.Count == 0 {
				s.held[a] = struct{}{} // may still hold requests
				return true
			}
		}
		return false
	})
	return hit
}

// maxControlBody bounds a request of the control.
const maxControlBody = 1 << 20

// Control is the hotel's reception, computer room and cable over HTTP. It has no access control: listen on loopback.
//
//	POST /fault  {"kind":"lose_answer","op":"charge","count":1}   204; 400 says what is wrong with it
//	POST /lift   {"kind":"hang"}, {} for all                     204
//	POST /guest  a Guest: checks in, changes or, by its status, checks out; 204
//	GET  /state                                                  State
//	GET  /guests                                                 all guests
//	GET  /ledger?after=N                                         entries as JSON lines
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	act := func(pattern string, do func(r *http.Request, d *json.Decoder) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
			d.DisallowUnknownFields()
			if err := do(r, d); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
	}
	act("POST /fault", func(_ *http.Request, d *json.Decoder) error {
		var f Fault
		if err := d.Decode(&f); err != nil {
			return fmt.Errorf("not the JSON that is wanted here: %w", err)
		}
		return s.Inject(f)
	})
	act("POST /lift", func(_ *http.Request, d *json.Decoder) error {
		var which struct {
			Kind Kind `json:"kind"`
		}
		if err := d.Decode(&which); err != nil {
			return fmt.Errorf("not the JSON that is wanted here: %w", err)
		}
		return s.Lift(which.Kind)
	})
	act("POST /guest", func(_ *http.Request, d *json.Decoder) error {
		var g Guest
		if err := d.Decode(&g); err != nil {
			return fmt.Errorf("not the JSON that is wanted here: %w", err)
		}
		return s.SetGuest(g)
	})
	show := func(pattern string, what func() any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(what())
		})
	}
	show("GET /state", func() any { return s.State() })
	show("GET /guests", func() any { return s.Guests() })
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, r *http.Request) {
		after, err := number(r.FormValue("after"), 0)
		if err != nil {
			http.Error(w, "after: write an entry's number", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/jsonl")
		e := json.NewEncoder(w)
		for _, entry := range s.Ledger() {
			if entry.N > uint64(after) {
				e.Encode(entry)
			}
		}
	})
	return mux
}
