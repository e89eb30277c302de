package printer

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// maxControlBody bounds a request of the control.
const maxControlBody = 64 << 10

// Control is the printer's lid, buttons and plug over HTTP. It has no access control: listen on loopback.
//
//	POST /fault  {"kind":"paper_out","at":350,"for":"2s"}   204; 400 says what is wrong with it
//	POST /lift   {"kind":"paper_out"}, {} for all           204
//	GET  /state                                            State
//	GET  /ledger?after=N                                   the kept tickets as JSON lines
//	GET  /paper                                            what hangs out uncut, as text
func (p *Printer) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fault", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		if !decode(w, r, &f) {
			return
		}
		err := p.Inject(f)
		if errors.Is(err, ErrClosed) {
			http.Error(w, err.Error(), http.StatusGone)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /lift", func(w http.ResponseWriter, r *http.Request) {
		var which struct {
			Kind Kind `json:"kind"`
		}
		if !decode(w, r, &which) {
			return
		}
		if err := p.Lift(which.Kind); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(p.State())
	})
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, r *http.Request) {
		var after uint64
		if s := r.FormValue("after"); s != "" {
			var err error
			if after, err = strconv.ParseUint(s, 10, 64); err != nil {
				http.Error(w, "after: write a ticket's number", http.StatusBadRequest)
				return
			}
		}
		w.Header().Set("Content-Type", "application/jsonl")
		p.WriteLedger(w, after)
	})
	mux.HandleFunc("GET /paper", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, p.Paper())
	})
	return mux
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		http.Error(w, "not the JSON that is wanted here: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}
