package opera

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"aboyeur/protocol/ifc"
)

// maxControlBody bounds a request of the control.
const maxControlBody = 64 << 10

// Control is the hotel's front desk and the interface's plug over HTTP. It has no access control: listen on loopback.
//
//	POST /fault      {"kind":"answer_lost","on":"posting","count":1}   204; 400 says what is wrong with it
//	POST /lift       {"kind":"answer_lost"}, {} for all                204
//	GET  /state                                                        State
//	GET  /ledger?after=N                                               the postings booked, as JSON lines
//	GET  /exchanges?after=N                                            the requests and their fates, as JSON lines
//	GET  /rooms, /accounts                                             who is in the house, who may be charged besides
//	GET  /folio/{reservation}                                          the postings of a reservation or account
//	GET  /trace                                                        the last records of the wire, as text
//	POST /check-in   {"reservation":"77","room":"101","name":"Guest"}  204
//	POST /change     the same: an in-house guest's new properties      204
//	POST /move       {"reservation":"77","room":"102"}                 204
//	POST /check-out  {"reservation":"77"}                              204
//	POST /audit/start, /audit/end                                      night audit: NS, NE and the next business date; 204
//	POST /reauthenticate                                               after error 110, the wrong IfcAuthKey; 204
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			switch err := do(w, r); {
			case errors.Is(err, ErrClosed):
				http.Error(w, err.Error(), http.StatusGone)
			case err != nil:
				http.Error(w, err.Error(), http.StatusBadRequest)
			case r.Method == http.MethodPost:
				w.WriteHeader(http.StatusNoContent)
			}
		})
	}
	handle("POST /fault", func(w http.ResponseWriter, r *http.Request) error {
		var f Fault
		if err := decode(w, r, &f); err != nil {
			return err
		}
		return s.Inject(f)
	})
	handle("POST /lift", func(w http.ResponseWriter, r *http.Request) error {
		var which struct {
			Kind FaultKind `json:"kind"`
		}
		if err := decode(w, r, &which); err != nil {
			return err
		}
		return s.Lift(which.Kind)
	})
	handle("GET /state", func(w http.ResponseWriter, r *http.Request) error { return writeJSON(w, s.State()) })
	handle("GET /rooms", func(w http.ResponseWriter, r *http.Request) error { return writeJSON(w, s.hotel.Rooms()) })
	handle("GET /accounts", func(w http.ResponseWriter, r *http.Request) error { return writeJSON(w, s.hotel.Accounts()) })
	handle("GET /folio/{reservation}", func(w http.ResponseWriter, r *http.Request) error {
		return writeLines(w, s.hotel.Folio(r.PathValue("reservation")))
	})
	handle("GET /ledger", func(w http.ResponseWriter, r *http.Request) error {
		after, err := after(r)
		if err != nil {
			return err
		}
		return writeLines(w, s.hotel.Ledger(int64(after)))
	})
	handle("GET /exchanges", func(w http.ResponseWriter, r *http.Request) error {
		after, err := after(r)
		if err != nil {
			return err
		}
		return writeLines(w, s.Exchanges(after))
	})
	handle("GET /trace", func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := w.Write(s.trace.text())
		return err
	})
	guest := func(do func(Guest) error) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, r *http.Request) error {
			var g Guest
			if err := decode(w, r, &g); err != nil {
				return err
			}
			return do(g)
		}
	}
	handle("POST /check-in", guest(s.CheckIn))
	handle("POST /change", guest(s.Change))
	handle("POST /move", guest(func(g Guest) error { return s.Move(g.Reservation, g.Room) }))
	handle("POST /check-out", guest(func(g Guest) error { return s.CheckOut(g.Reservation) }))
	act := func(do func()) func(http.ResponseWriter, *http.Request) error {
		return func(http.ResponseWriter, *http.Request) error { do(); return nil }
	}
	handle("POST /audit/start", act(s.StartAudit))
	handle("POST /audit/end", act(s.EndAudit))
	handle("POST /reauthenticate", act(s.Reauthenticate))
	return mux
}

func after(r *http.Request) (n uint64, err error) {
	if v := r.FormValue("after"); v != "" {
		if n, err = strconv.ParseUint(v, 10, 63); err != nil {
			return 0, errors.New("after: write the number of an entry")
		}
	}
	return n, nil
}

func decode(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return errors.New("not the JSON that is wanted here: " + err.Error())
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
	return nil
}

func writeLines[T any](w http.ResponseWriter, all []T) error {
	w.Header().Set("Content-Type", "application/jsonl")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, v := range all {
		if e.Encode(v) != nil {
			break // the reader is gone
		}
	}
	return nil
}

// maxTape is how many lines of the wire are kept.
const maxTape = 2000

// A tape is the last records of the wire as text, a line each.
type tape struct {
	mu    sync.Mutex // guards what follows
	start time.Time
	lines [][]byte
	next  int // of lines, once it is full
}

// record notes an event of a link.
func (s *Simulator) record(link string, e ifc.Event) {
	t := &s.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.start.IsZero() {
		t.start = e.At
	}
	var line []byte
	if len(t.lines) == maxTape {
		line = t.lines[t.next][:0]
	}
	line = append(line, link...)
	line = append(line, ' ')
	if len(e.Record) > maxTapeRecord {
		e.Record = e.Record[:maxTapeRecord]
	}
	line = append(e.AppendTo(line, t.start), '\n')
	if len(t.lines) < maxTape {
		t.lines = append(t.lines, line)
		return
	}
	t.lines[t.next] = line
	t.next = (t.next + 1) % maxTape
}

// maxTapeRecord is how much of a record is kept.
const maxTapeRecord = 4096

func (t *tape) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []byte
	for i := range t.lines {
		all = append(all, t.lines[(t.next+i)%len(t.lines)]...)
	}
	return all
}
