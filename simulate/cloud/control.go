package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
)

// A Control is a service's computer room over HTTP. It has no access control: listen on loopback.
//
//	POST /faults     {"rates":{"too_many":0.1},"next":["lost_answer"],"down":false}   204; {} ends all
//	POST /hook       {"url":"http://…"}: where webhooks go; 204
//	GET  /calls?after=N, /hooks                                   every call, as JSON lines; how many webhooks there were
type Control struct{ *http.ServeMux }

// Control is the part that all services have; the caller adds its own.
func (s *Service) Control() Control {
	c := Control{http.NewServeMux()}
	c.Act("POST /faults", func(_ context.Context, d *json.Decoder) error {
		var f Faults
		if err := Read(d, &f); err != nil {
			return err
		}
		return s.Faults(f)
	})
	c.Act("POST /hook", func(_ context.Context, d *json.Decoder) error {
		var where struct {
			URL string `json:"url"`
		}
		if err := Read(d, &where); err != nil {
			return err
		}
		s.Hook(where.URL)
		return nil
	})
	c.Show("GET /hooks", func() any { return s.Hooks() })
	List(c, "GET /calls", s.Calls)
	return c
}

// maxControlBody bounds a request of the control.
const maxControlBody = 4 << 20

// Act adds something that is done: 204, 400 when it makes no sense, 502 with what a webhook was answered.
func (c Control) Act(pattern string, do func(ctx context.Context, d *json.Decoder) error) {
	c.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
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

// Read decodes what Act was given.
func Read(d *json.Decoder, v any) error {
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not the JSON that is wanted here: %w", err)
	}
	return nil
}

// ReadStrict decodes it by the rules of the product's own JSON.
func ReadStrict(d *json.Decoder, v any) error {
	var raw json.RawMessage
	if err := Read(d, &raw); err != nil {
		return err
	}
	return jsonv2.Unmarshal(raw, v, jsonv2.RejectUnknownMembers(true))
}

// Show adds something that is read.
func (c Control) Show(pattern string, what func() any) {
	c.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		b, err := jsonv2.Marshal(what())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(b)
	})
}

// List adds a list that grows: what follows its first ?after=, a JSON line each.
func List[T any](c Control, pattern string, all func() []T) {
	c.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		after := 0
		if s := r.FormValue("after"); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				http.Error(w, "after: write how many to leave out", http.StatusBadRequest)
				return
			}
			after = n
		}
		rows := all()
		w.Header().Set("Content-Type", "application/jsonl")
		for _, one := range rows[min(after, len(rows)):] {
			b, err := jsonv2.Marshal(one)
			if err != nil {
				return
			}
			w.Write(append(b, '\n'))
		}
	})
}
