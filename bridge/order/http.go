package order

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// list answers GET /v1/orders.
type list struct {
	Orders []View `json:"orders"`
	Next   string `json:"next,omitzero" doc:"cursor of the next page; absent on the last"`
}

// Routes are the calls on orders.
func (s *Service) Routes() []api.Route {
	takers := []access.Role{access.Manager, access.Till, access.Aggregator}
	readers := []access.Role{access.Manager, access.Staff, access.Till, access.Aggregator}
	staff := []access.Role{access.Manager, access.Staff, access.Till, access.Aggregator}
	people := []access.Role{access.Manager, access.Staff, access.Till}
	one := func(what, summary, doc string, do func(context.Context, access.Principal, string, journal.ID) (View, error)) api.Route {
		return api.Route{Method: "POST", Path: "/v1/orders/{id}/" + what, Roles: people, Tags: []string{"orders"}, Summary: summary, Doc: doc,
			Params: []api.Param{{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same request again without a second effect; kept 30 days"}}, Answer: View{},
			Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: func(w http.ResponseWriter, r *http.Request) error { return s.act(w, r, do) }}
	}
	pass := []access.Role{access.Manager, access.Staff, access.Till, access.Aggregator, access.Screen}
	whole := api.Param{Name: "whole", Type: true, Doc: "true: refuse with 409 while a station is at work on the order, instead of writing into the audit log who did not wait"}
	reason := api.Param{Name: "reason", Doc: "why, as RESTAURANT_TOO_BUSY, UNAVAILABLE_ITEM, KITCHEN_CLOSED; an aggregator is told it"}
	idempotency := api.Param{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same request again without a second effect; kept 30 days"}
	return []api.Route{
		{Method: "POST", Path: "/v1/orders", Roles: takers, Tags: []string{"orders"}, Admit: true,
			Summary: "Take an order: on disk, planned and on its way to printers and screens when the answer leaves",
			Params:  []api.Param{idempotency}, Body: sale.Order{}, Answer: Receipt{}, Status: http.StatusCreated, Also: []int{http.StatusOK},
			Problems: []int{http.StatusConflict, http.StatusServiceUnavailable}, Handle: s.post},
		{Method: "PUT", Path: "/v1/orders/{id}", Roles: takers, Tags: []string{"orders"},
			Summary: "Change an order; its version must be higher than the stored one",
			Params:  []api.Param{idempotency}, Body: sale.Order{}, Answer: View{},
			Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}, Handle: s.put},
		{Method: "GET", Path: "/v1/orders", Roles: readers, Tags: []string{"orders"}, Summary: "List orders, newest first",
			Params: []api.Param{
				{Name: "state", Doc: "one or more states, parted by commas"},
				{Name: "in_pos", Doc: "one or more of pending, yes, no, manual, parted by commas"},
				{Name: "void_pending", Type: true, Doc: "true: only cancelled orders that somebody has to void in the POS"},
				{Name: "since", Doc: "received at or after this time (RFC 3339)"},
				{Name: "limit", Type: 0, Doc: "1 to 200; 50 when absent"},
				{Name: "cursor", Doc: "next of the page before"},
			}, Answer: list{}, Problems: []int{http.StatusUnprocessableEntity}, Handle: s.list},
		{Method: "GET", Path: "/v1/orders/{id}", Roles: readers, Tags: []string{"orders"},
			Summary: "One order with its tickets, print jobs and time line", Answer: View{}, Problems: []int{http.StatusNotFound}, Handle: s.get},
		{Method: "POST", Path: "/v1/orders/{id}/cancel", Roles: staff, Tags: []string{"orders"},
			Summary: "Cancel an order and tell its stations", Params: []api.Param{idempotency, reason}, Answer: View{},
			Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: s.cancel},
		one("accept", "Accept an order that waits for it", "It goes to the kitchen, or waits for its time.", s.Accept),
		{Method: "POST", Path: "/v1/orders/{id}/reject", Roles: people, Tags: []string{"orders"}, Summary: "Refuse an order that waits to be accepted",
			Params: []api.Param{idempotency, reason}, Answer: View{}, Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: s.reject},
		one("retry", "Hand an order that is not in the POS over once more", "", s.Retry),
		one("added-manually", "Say that somebody typed the order into the POS", "It is never handed over again.", s.AddedManually),
		one("void-done", "Say that a cancelled order was voided in the POS", "", s.VoidDone),
		{Method: "POST", Path: "/v1/orders/{id}/ready", Roles: pass, Tags: []string{"orders"},
			Summary: "Say that the whole order stands at the pass, whatever its stations said", Params: []api.Param{idempotency, whole}, Answer: View{},
			Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: s.ready},
		{Method: "POST", Path: "/v1/orders/{id}/handed-over", Roles: pass, Tags: []string{"orders"},
			Summary: "Record that guest or courier has the order", Params: []api.Param{idempotency, whole}, Answer: View{},
			Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: s.handedOver},
		{Method: "POST", Path: "/v1/orders/{id}/take-back", Roles: pass, Tags: []string{"orders"},
			Summary: "Bring an order that was handed over back to the pass", Params: []api.Param{idempotency}, Answer: View{},
			Problems: []int{http.StatusNotFound, http.StatusConflict}, Handle: s.takeBack},
	}
}

// read decodes and checks an order. The returned order is complete.
func (s *Service) read(w http.ResponseWriter, r *http.Request) (*sale.Order, error) {
	o := new(sale.Order)
	if err := api.DecodeFirst(w, r, o, o.Read); err != nil {
		return nil, err
	}
	o.Complete()
	found := o.Validate(s.c.Courses, s.c.Currency)
	faults := make([]api.Fault, len(found))
	for i, f := range found {
		faults[i] = api.Fault(f)
	}
	return o, api.Invalid(faults)
}

func (s *Service) post(w http.ResponseWriter, r *http.Request) error {
	received := s.c.Now()
	key, err := api.IdempotencyKey(r)
	if err != nil {
		s.metrics.countInvalid("")
		return err
	}
	o, err := s.read(w, r)
	if err != nil {
		source := ""
		if o != nil {
			source = o.Source
		}
		s.metrics.countInvalid(source)
		return err
	}
	receipt, known, err := s.Place(r.Context(), access.From(r.Context()), key, o, received)
	switch {
	case errors.Is(err, ErrOther):
		s.metrics.count(o.Source, conflict)
		return problem(err)
	case err != nil:
		s.metrics.count(o.Source, refused)
		return err
	case known:
		s.metrics.count(o.Source, replayed)
		w.Header().Set("Idempotent-Replayed", "true")
		return api.Answer(w, http.StatusOK, receipt)
	}
	api.AnswerNow(w, http.StatusCreated, append(receipt.appendTo(make([]byte, 0, 1024)), '\n'))
	s.metrics.count(o.Source, accepted)
	s.metrics.ack.Observe(s.c.Now().Sub(received).Seconds())
	return nil
}

func (s *Service) put(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "order")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	o, err := s.read(w, r)
	if err != nil {
		return err
	}
	v, err := s.Change(r.Context(), access.From(r.Context()), key, id, o)
	return s.answer(w, v, err)
}

func (s *Service) get(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "order")
	if err != nil {
		return err
	}
	v, err := s.Get(r.Context(), id)
	return s.answer(w, v, err)
}

func (s *Service) cancel(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, func(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
		return s.Cancel(ctx, by, key, because(r), id)
	})
}

func (s *Service) reject(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, func(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
		return s.Reject(ctx, by, key, because(r), id)
	})
}

// because is the reason that the query gives.
func because(r *http.Request) string {
	text := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(r.URL.Query().Get("reason"), "?"))
	if n := 0; utf8.RuneCountInString(text) > maxReason {
		for i := range text {
			if n++; n > maxReason {
				return text[:i]
			}
		}
	}
	return text
}

// maxReason bounds why somebody refused or cancelled an order, in characters.
const maxReason = 200

func (s *Service) ready(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, whole(r, s.MakeReady))
}

func (s *Service) takeBack(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, s.TakeBack)
}

// whole gives an act at the pass what the query says of it.
func whole(r *http.Request, do func(context.Context, access.Principal, string, journal.ID, bool) (View, error)) func(context.Context, access.Principal, string, journal.ID) (View, error) {
	only := r.URL.Query().Get("whole") == "true"
	return func(ctx context.Context, by access.Principal, key string, id journal.ID) (View, error) {
		return do(ctx, by, key, id, only)
	}
}

func (s *Service) handedOver(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, whole(r, s.HandOver))
}

// act does something with the order of the path, in the caller's name and under its Idempotency-Key.
func (s *Service) act(w http.ResponseWriter, r *http.Request, do func(context.Context, access.Principal, string, journal.ID) (View, error)) error {
	id, err := api.PathID(r, "order")
	if err != nil {
		return err
	}
	if p := access.From(r.Context()); p.Role == access.Screen && p.Screen != Expo {
		return &api.Problem{Status: http.StatusForbidden, Code: "other_screen", Detail: "this device is paired as screen " + p.Screen + "; what happens at the pass is said at the screen " + Expo}
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	v, err := do(r.Context(), access.From(r.Context()), key, id)
	return s.answer(w, v, err)
}

func (s *Service) answer(w http.ResponseWriter, v View, err error) error {
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, v)
}

func (s *Service) list(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := Filter{States: words(q.Get("state")), InPOS: words(q.Get("in_pos")), Cursor: q.Get("cursor")}
	var faults []api.Fault
	faults = append(faults, notAmong("?state", f.States, states)...)
	faults = append(faults, notAmong("?in_pos", f.InPOS, []string{Pending, Yes, No, Manual})...)
	f.Void = q.Get("void_pending") == "true"
	if v := q.Get("since"); v != "" {
		at, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			faults = append(faults, api.Fault{Pointer: "?since", Detail: "is not a time; write it as 2026-11-21T19:04:05Z"})
		}
		f.Since = at
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > MaxLimit {
			faults = append(faults, api.Fault{Pointer: "?limit", Detail: "is not a whole number from 1 to " + strconv.Itoa(MaxLimit)})
		}
		f.Limit = n
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	views, next, err := s.List(r.Context(), f)
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, list{views, next})
}

// words parts a query parameter at its commas; each word counts once.
func words(s string) []string {
	list := strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
	slices.Sort(list)
	return slices.Compact(list)
}

// notAmong tells of the first word that is none of allowed.
func notAmong(pointer string, words, allowed []string) []api.Fault {
	for _, w := range words {
		if !slices.Contains(allowed, w) {
			return []api.Fault{{Pointer: pointer, Detail: "has a word that is none of " + strings.Join(allowed, ", ")}}
		}
	}
	return nil
}

// problem gives the service's errors their place in HTTP; others pass through.
func problem(err error) error {
	var working *Working
	switch {
	case errors.As(err, &working):
		return &api.Problem{Status: http.StatusConflict, Code: "stations_working", Detail: working.Error(), Extra: map[string]any{"stations": working.Stations}}
	case errors.Is(err, ErrUnknown):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrOther):
		return api.Conflict("other_content", err.Error()+"; a changed order goes to PUT /v1/orders/{id} with a higher version")
	case errors.Is(err, ErrOld):
		return api.Conflict("version_not_higher", err.Error())
	case errors.Is(err, ErrTooLate):
		return api.Conflict("too_late", err.Error())
	case errors.Is(err, ErrRenamed):
		return api.Invalid([]api.Fault{{Pointer: "/source_order_id", Detail: "differs from the stored order's; source and source_order_id name an order for ever"}})
	case errors.Is(err, ErrCursor):
		return api.Invalid([]api.Fault{{Pointer: "?cursor", Detail: err.Error()}})
	}
	return err
}
