package folio

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// Bounds of requests.
const (
	MaxWait = 3 * time.Minute // for an outcome
)

// HotelGuest is one that can be charged, as GET /v1/pms/guests shows it.
type HotelGuest struct {
	Room        string     `json:"room"`
	Reservation string     `json:"reservation"`
	Name        string     `json:"name"`
	NoPost      bool       `json:"no_post" doc:"nobody may charge this guest"`
	CreditLimit *int64     `json:"credit_limit,omitzero" doc:"minor units; absent: the hotel told none"`
	Balance     *int64     `json:"balance,omitzero"`
	Kind        string     `json:"kind" enum:"room,paymaster,account"`
	VIP         string     `json:"vip,omitzero"`
	Stale       bool       `json:"stale,omitzero" doc:"remembered while the link is down; for display only"`
	SeenAt      *time.Time `json:"seen_at,omitzero"`
}

type guestList struct {
	Guests []HotelGuest `json:"guests"`
}

type postingList struct {
	Postings []Posting `json:"postings"`
	Next     string    `json:"next,omitzero" doc:"cursor of the next page; absent on the last"`
}

// Hotel is what GET /v1/pms shows.
type Hotel struct {
	Dialect   string         `json:"dialect" enum:"fias,xmlpos,ohip"`
	Profile   string         `json:"profile" enum:"on_site,cloud"`
	Needs     string         `json:"needs" doc:"what the network must let through"`
	Link      Status         `json:"link"`
	Charging  bool           `json:"charging" doc:"whether a room can be charged now"`
	Reason    string         `json:"reason,omitzero" doc:"why not"`
	Message   string         `json:"message,omitzero"`
	Ready     bool           `json:"ready" doc:"whether the set-up is complete"`
	Checklist []CheckItem    `json:"checklist"`
	Open      map[string]int `json:"open" doc:"postings that are not ended, by state"`
	Guests    int            `json:"guests" doc:"known to be in the house"`
	Support   string         `json:"support" doc:"whom to ask"`
}

type settingsView struct {
	PaymentMethod revised[MethodSetting]     `json:"payment_method"`
	Mapping       revised[MappingSetting]    `json:"mapping"`
	Gateway       revised[GatewaySetting]    `json:"gateway"`
	Tenders       revised[map[string]string] `json:"tenders"`
	Closing       revised[closing]           `json:"closing"`
}

type revised[T any] struct {
	Value    T     `json:"value"`
	Revision int64 `json:"revision" doc:"goes back with a change, so that nobody overwrites what he has not seen; 0: as configured"`
}

type closing struct {
	BusinessDayClose string `json:"business_day_close" doc:"time of day, as 05:30"`
}

type revenueView struct {
	Batches []Batch   `json:"batches"`
	Waiting []Waiting `json:"waiting"`
}

type traceView struct {
	Lines []TraceLine `json:"lines"`
}

type tick struct {
	Done bool   `json:"done"`
	Note string `json:"note,omitzero"`
}

type addressQuestion struct {
	Address string `json:"address"`
}

// Routes are the calls on the hotel.
func (s *Service) Routes() []api.Route {
	charging := []access.Role{access.Manager, access.Staff, access.Till}
	reversing := []access.Role{access.Manager, access.Till}
	managing := []access.Role{access.Manager}
	hotel := []string{"hotel"}
	key := api.Param{Name: "Idempotency-Key", In: "header", Doc: "the same key sends the same request again without a second effect; kept 30 days"}
	must := key
	must.Required = true
	wait := api.Param{Name: "wait", Doc: "how long to wait for the outcome, as 30s; 0 or absent: not at all; at most 3m"}
	ending := []int{http.StatusAccepted}
	problems := []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
	return []api.Route{
		{Method: "GET", Path: "/v1/pms", Roles: charging, Tags: hotel, Summary: "The hotel link, its queue and how far its set-up is", Answer: Hotel{}, Handle: s.getHotel},
		{Method: "GET", Path: "/v1/pms/guests", Roles: charging, Tags: hotel, Summary: "Find a guest or account by room or by the beginning of a name",
			Params: []api.Param{{Name: "q", Doc: "room or name", Required: true}}, Answer: guestList{}, Problems: []int{http.StatusServiceUnavailable, http.StatusUnprocessableEntity}, Handle: s.getGuests},
		{Method: "GET", Path: "/v1/pms/rooms", Roles: charging, Tags: hotel, Summary: "Who is in the house as far as the hotel told; for display only", Answer: guestList{}, Handle: s.getRooms},
		{Method: "POST", Path: "/v1/pms/postings", Roles: charging, Tags: hotel, Summary: "Charge a room or account",
			Doc:    "Refused at once while the link is down or the hotel does its night audit, unless queue is true. A posting whose outcome is unknown is never sent again by itself.",
			Params: []api.Param{must, wait}, Body: Request{}, Answer: Receipt{}, Also: ending, Problems: []int{http.StatusConflict, http.StatusServiceUnavailable}, Handle: s.postPosting},
		{Method: "GET", Path: "/v1/pms/postings", Roles: charging, Tags: hotel, Summary: "List postings, newest first",
			Params: []api.Param{
				{Name: "state", Doc: "one or more states, parted by commas"}, {Name: "kind", Doc: "one or more of charge, void, refund, tender, revenue"},
				{Name: "check", Doc: "a check's number"}, {Name: "limit", Type: 0, Doc: "1 to 200; 50 when absent"}, {Name: "cursor", Doc: "next of the page before"},
			}, Answer: postingList{}, Problems: []int{http.StatusUnprocessableEntity}, Handle: s.getPostings},
		{Method: "GET", Path: "/v1/pms/postings/{id}", Roles: charging, Tags: hotel, Summary: "One posting with its time line", Answer: Posting{}, Problems: []int{http.StatusNotFound}, Handle: s.getPosting},
		{Method: "POST", Path: "/v1/pms/postings/{id}/void", Roles: reversing, Tags: hotel, Summary: "Take all of a posted charge back",
			Params: []api.Param{key, wait}, Body: Reversal{}, Answer: Receipt{}, Also: ending, Problems: problems, Handle: s.postVoid},
		{Method: "POST", Path: "/v1/pms/postings/{id}/refund", Roles: reversing, Tags: hotel, Summary: "Give a part of a posted charge back, never more than is left of it",
			Params: []api.Param{key, wait}, Body: Reversal{}, Answer: Receipt{}, Also: ending, Problems: append(problems, http.StatusUnprocessableEntity), Handle: s.postRefund},
		{Method: "POST", Path: "/v1/pms/postings/{id}/resolve", Roles: managing, Tags: hotel, Summary: "Say what the hotel's books say of a posting whose outcome is unknown",
			Params: []api.Param{key}, Body: Verdict{}, Answer: Posting{}, Problems: problems, Handle: s.postResolve},
		{Method: "GET", Path: "/v1/pms/revenue", Roles: managing, Tags: hotel, Summary: "Revenue batches, and what waits for the next, unmapped groups among it",
			Params: []api.Param{{Name: "limit", Type: 0, Doc: "batches: 1 to 200; 50 when absent"}}, Answer: revenueView{}, Handle: s.getRevenue},
		{Method: "POST", Path: "/v1/pms/revenue/{id}/retry", Roles: managing, Tags: hotel, Summary: "Send a refused revenue batch again", Answer: Posting{}, Problems: problems, Handle: s.postRetry},
		{Method: "GET", Path: "/v1/pms/trace", Roles: charging, Tags: hotel, Summary: "The latest records on the link; with Accept: text/plain as text to save",
			Params: []api.Param{{Name: "after", Type: 0, Doc: "seq of the last line known"}}, Answer: traceView{}, Handle: s.getTrace},
		{Method: "GET", Path: "/v1/pms/settings", Roles: managing, Tags: hotel, Summary: "How the hotel link is set up", Answer: settingsView{}, Handle: s.getSettings},
		{Method: "PUT", Path: "/v1/pms/settings/payment-method", Roles: managing, Tags: hotel, Summary: "Set up the room payment", Body: revised[MethodSetting]{}, Answer: settingsView{},
			Problems: []int{http.StatusConflict}, Handle: s.putMethod},
		{Method: "PUT", Path: "/v1/pms/settings/mapping", Roles: managing, Tags: hotel, Summary: "Assign outlets and revenue", Body: revised[MappingSetting]{}, Answer: settingsView{},
			Problems: []int{http.StatusConflict}, Handle: s.putMapping},
		{Method: "PUT", Path: "/v1/pms/settings/gateway", Roles: managing, Tags: hotel, Summary: "Record the virtual till of the hotel link", Body: revised[GatewaySetting]{}, Answer: settingsView{},
			Problems: []int{http.StatusConflict}, Handle: s.putGateway},
		{Method: "PUT", Path: "/v1/pms/settings/tenders", Roles: managing, Tags: hotel, Summary: "Name the hotel's payment methods", Body: revised[map[string]string]{}, Answer: settingsView{},
			Problems: []int{http.StatusConflict}, Handle: s.putTenders},
		{Method: "PUT", Path: "/v1/pms/settings/closing", Roles: []access.Role{access.Admin}, Tags: hotel, Summary: "Change when the business day ends; for support only",
			Body: revised[closing]{}, Answer: settingsView{}, Problems: []int{http.StatusConflict}, Handle: s.putClosing},
		{Method: "POST", Path: "/v1/pms/checklist/{item}", Roles: managing, Tags: hotel, Summary: "Tick what happens at the vendors", Body: tick{}, Answer: Hotel{}, Problems: []int{http.StatusNotFound}, Handle: s.postTick},
		{Method: "POST", Path: "/v1/pms/try-address", Roles: managing, Tags: hotel, Summary: "See whether an address answers", Body: addressQuestion{}, Answer: Reached{}, Handle: s.postAddress},
		{Method: "GET", Path: "/pms/lightspeed/search", Tags: []string{"lightspeed"}, Summary: "A Lightspeed K till looks for a guest; apiKey is a token of role till",
			Params: []api.Param{{Name: "term", Doc: "room or name"}, {Name: "apiKey"}, {Name: "businessExternalReference"}}, Answer: []lightGuest{},
			Problems: []int{http.StatusUnauthorized, http.StatusServiceUnavailable}, Handle: s.lightSearch},
		{Method: "POST", Path: "/pms/lightspeed/charge", Tags: []string{"lightspeed"}, Summary: "A Lightspeed K till charges a check; members this box does not know are passed over",
			Params: []api.Param{{Name: "X-Lightspeed-Idempotency-Key", In: "header"}, {Name: "apiKey"}}, Answer: lightAnswer{},
			Problems: []int{http.StatusUnauthorized, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, Handle: s.lightCharge},
	}
}

func (s *Service) getHotel(w http.ResponseWriter, r *http.Request) error {
	h, err := s.hotel(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, h)
}

func (s *Service) hotel(ctx context.Context) (Hotel, error) {
	open, err := s.Open(ctx)
	if err != nil {
		return Hotel{}, err
	}
	h := Hotel{Dialect: s.c.Dialect, Profile: "on_site", Link: s.c.PMS.Status(), Reason: s.gate(), Open: open, Support: s.words.T("hotel_setup.support")}
	h.Needs = s.words.T("hotel_setup.on_site")
	if s.c.Dialect == "ohip" {
		h.Profile, h.Needs = "cloud", s.words.T("hotel_setup.cloud")
	}
	if h.Charging = h.Reason == ""; !h.Charging {
		h.Message = s.message(Refused, h.Reason)
	}
	h.Checklist, h.Ready = s.Checklist()
	s.mirror.mu.Lock()
	h.Guests = len(s.mirror.guests)
	s.mirror.mu.Unlock()
	return h, nil
}

// shown is a guest for callers.
func (s *Service) shown(g Guest) HotelGuest {
	v := HotelGuest{Room: g.Room, Reservation: g.Reservation, Name: g.Name, NoPost: g.NoPost, CreditLimit: g.Limit, Balance: g.Balance, Kind: "room", VIP: g.VIP}
	switch {
	case g.account():
		v.Kind, v.Reservation = "account", accountReservation(g.Room)
	case s.set.Load().paymaster(g.Room):
		v.Kind = "paymaster"
	}
	return v
}

func (s *Service) stale(term string, limit int) []HotelGuest {
	list := []HotelGuest{}
	for _, g := range s.recall(term, limit) {
		v := s.shown(g.Guest)
		v.Stale, v.SeenAt = true, &g.at
		list = append(list, v)
	}
	return list
}

// linkProblem is the answer while nobody can be charged; what is remembered goes with it.
func (s *Service) linkProblem(reason, detail, term string) error {
	return &api.Problem{Status: http.StatusServiceUnavailable, Code: "pms_link_down", Detail: cmp.Or(detail, s.message(Refused, reason)), RetryAfter: 5 * time.Second,
		Extra: map[string]any{"reason": reason, "guests": s.stale(term, 50)}}
}

func (s *Service) getGuests(w http.ResponseWriter, r *http.Request) error {
	term := strings.TrimSpace(r.URL.Query().Get("q"))
	if term == "" || len(term) > maxGuest || strings.ContainsFunc(term, func(c rune) bool { return c < ' ' || c == '|' }) {
		return api.Invalid([]api.Fault{{Pointer: "?q", Detail: "is not a room number or the beginning of a name"}})
	}
	if reason := s.gate(); reason == LinkDown {
		return s.linkProblem(reason, "", term)
	}
	found, err := s.search.find(r.Context(), term)
	if err != nil {
		if r.Context().Err() != nil {
			return err
		}
		return s.linkProblem(LinkDown, "the hotel system did not answer: "+err.Error(), term)
	}
	list := make([]HotelGuest, len(found))
	for i, g := range found {
		list[i] = s.shown(g)
	}
	return api.Answer(w, http.StatusOK, guestList{list})
}

func (s *Service) getRooms(w http.ResponseWriter, r *http.Request) error {
	return api.Answer(w, http.StatusOK, guestList{s.stale("", maxMirror)})
}

// invalid checks a completed request and what its caller may ask for.
func (s *Service) invalid(by access.Principal, r *Request, set *settings) error {
	faults := r.check(s.c.Currency, set.Outlets)
	if r.Method == RoomCode {
		faults = append(faults, api.Fault{Pointer: "/method", Detail: "is the code of a room payment; leave it out and name room, reservation and guest"})
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	if r.Manager && by.Role == access.Staff {
		return &api.Problem{Status: http.StatusForbidden, Code: "forbidden", Detail: "only a manager may let a credit limit be exceeded; sign in as one, or leave manager out"}
	}
	return nil
}

func (s *Service) postPosting(w http.ResponseWriter, r *http.Request) error {
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	if key == "" {
		return &api.Problem{Status: http.StatusBadRequest, Code: "idempotency_key_missing", Detail: "send an Idempotency-Key, the same for each repeat of one charge; without it a repeat would charge twice"}
	}
	wait, err := waitOf(r)
	if err != nil {
		return err
	}
	var request Request
	if err := api.Decode(w, r, &request); err != nil {
		return err
	}
	p, known, err := s.Place(r.Context(), access.From(r.Context()), key, Order{Request: request, Wait: wait})
	return s.receipt(w, p, known, err)
}

// receipt answers 200 for what is settled or was known, 202 for what is under way.
func (s *Service) receipt(w http.ResponseWriter, p Posting, known bool, err error) error {
	if err != nil {
		return Problem(err)
	}
	status := http.StatusAccepted
	if settled(p.State) {
		status = http.StatusOK
	}
	if known {
		w.Header().Set("Idempotent-Replayed", "true")
		status = http.StatusOK
	}
	return api.Answer(w, status, p.Receipt())
}

func (s *Service) postVoid(w http.ResponseWriter, r *http.Request) error {
	return s.reverse(w, r, s.VoidPosting)
}
func (s *Service) postRefund(w http.ResponseWriter, r *http.Request) error {
	return s.reverse(w, r, s.RefundPosting)
}

func (s *Service) reverse(w http.ResponseWriter, r *http.Request, do func(context.Context, access.Principal, string, journal.ID, Reversal, time.Duration) (Posting, bool, error)) error {
	id, err := api.PathID(r, "posting")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	wait, err := waitOf(r)
	if err != nil {
		return err
	}
	var v Reversal
	if r.ContentLength != 0 {
		if err := api.Decode(w, r, &v); err != nil {
			return err
		}
	}
	if v.Amount != nil && *v.Amount < 1 {
		return api.Invalid([]api.Fault{{Pointer: "/amount", Detail: "is not above zero; write how much is given back"}})
	}
	p, known, err := do(r.Context(), access.From(r.Context()), key, id, v, wait)
	return s.receipt(w, p, known, err)
}

func (s *Service) postResolve(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "posting")
	if err != nil {
		return err
	}
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return err
	}
	var v Verdict
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	p, err := s.Resolve(r.Context(), access.From(r.Context()), key, id, v)
	return answer(w, p, err)
}

func (s *Service) getPostings(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := Filter{States: list(q.Get("state")), Kinds: list(q.Get("kind")), Check: q.Get("check"), Cursor: q.Get("cursor")}
	var faults []api.Fault
	among := func(pointer string, list, allowed []string) {
		for _, word := range list {
			if !slices.Contains(allowed, word) {
				faults = append(faults, api.Fault{Pointer: pointer, Detail: "has a word that is none of " + strings.Join(allowed, ", ")})
				return
			}
		}
	}
	among("?state", f.States, states)
	among("?kind", f.Kinds, []string{Charge, Void, Refund, Tender, Revenue})
	var err error
	if f.Limit, err = limitOf(r); err != nil {
		return err
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	list, next, err := s.List(r.Context(), f)
	return answer(w, postingList{list, next}, err)
}

func (s *Service) getPosting(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "posting")
	if err != nil {
		return err
	}
	p, err := s.Get(r.Context(), id)
	return answer(w, p, err)
}

func (s *Service) getRevenue(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	var v revenueView
	if v.Batches, err = s.Batches(r.Context(), cmp.Or(limit, DefaultLimit)); err != nil {
		return err
	}
	v.Waiting, err = s.Uncollected(r.Context())
	return answer(w, v, err)
}

func (s *Service) postRetry(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "batch")
	if err != nil {
		return err
	}
	p, err := s.RetryBatch(r.Context(), access.From(r.Context()), id)
	return answer(w, p, err)
}

func (s *Service) getTrace(w http.ResponseWriter, r *http.Request) error {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return api.Invalid([]api.Fault{{Pointer: "?after", Detail: "is not a whole number of at least 0"}})
		}
	}
	v := traceView{Lines: []TraceLine{}}
	role := access.From(r.Context()).Role
	if s.trace != nil {
		for _, l := range s.trace.After(after) {
			v.Lines = append(v.Lines, l.Masked(role == access.Admin || role == access.Manager))
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "text/plain") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="hotel-link.txt"`)
		for _, l := range v.Lines {
			if _, err := w.Write([]byte(l.String() + "\n")); err != nil {
				return nil
			}
		}
		return nil
	}
	return api.Answer(w, http.StatusOK, v)
}

func (s *Service) getSettings(w http.ResponseWriter, r *http.Request) error {
	set := s.set.Load()
	return api.Answer(w, http.StatusOK, settingsView{
		PaymentMethod: revised[MethodSetting]{set.MethodSetting, set.Revisions[keyMethod]},
		Mapping:       revised[MappingSetting]{set.MappingSetting, set.Revisions[keyMapping]},
		Gateway:       revised[GatewaySetting]{set.Gateway, set.Revisions[keyGateway]},
		Tenders:       revised[map[string]string]{set.Tenders, set.Revisions[keyTenders]},
		Closing:       revised[closing]{closing{formatClock(set.Close)}, set.Revisions[KeyClose]},
	})
}

// change decodes a setting, has check look at it, and puts it in force; value is what is stored of it.
func change[T any](s *Service, w http.ResponseWriter, r *http.Request, key string, check func(*T) (stored any, faults []api.Fault)) error {
	var v revised[T]
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	stored, faults := check(&v.Value)
	for i := range faults {
		faults[i].Pointer = "/value" + faults[i].Pointer
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	if err := s.put(r.Context(), access.From(r.Context()), key, v.Revision, stored); err != nil {
		return err
	}
	return s.getSettings(w, r)
}

func (s *Service) putMethod(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, keyMethod, func(m *MethodSetting) (any, []api.Fault) { return m, m.check() })
}

func (s *Service) putMapping(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, keyMapping, func(m *MappingSetting) (any, []api.Fault) { return m, m.check(s.c.PMS.Limits().Subtotals) })
}

func (s *Service) putGateway(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, keyGateway, func(g *GatewaySetting) (any, []api.Fault) {
		var faults []api.Fault
		if len(g.Name) > maxShort || strings.TrimSpace(g.Name) == "" {
			faults = append(faults, api.Fault{Pointer: "/name", Detail: "is empty or longer than " + strconv.Itoa(maxShort) + " characters"})
		}
		g.Product = cmp.Or(g.Product, "Oracle OPERA")
		return g, faults
	})
}

func (s *Service) putTenders(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, keyTenders, func(m *map[string]string) (any, []api.Fault) {
		var faults []api.Fault
		if len(*m) > maxOutlets {
			faults = append(faults, api.Fault{Detail: "has more than " + strconv.Itoa(maxOutlets) + " entries"})
		}
		for name, pm := range *m {
			if pm == "" || len([]rune(pm)) > 5 || strings.ContainsFunc(pm, func(c rune) bool { return c <= ' ' || c == '|' }) {
				faults = append(faults, api.Fault{Pointer: "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name), Detail: "is not 1 to 5 characters without blanks, which is what the hotel link can carry"})
			}
		}
		return m, faults
	})
}

func (s *Service) putClosing(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, KeyClose, func(c *closing) (any, []api.Fault) {
		if _, ok := parseClock(c.BusinessDayClose); !ok {
			return nil, []api.Fault{{Pointer: "/business_day_close", Detail: `is not a time of day; write it as "05:30"`}}
		}
		return c.BusinessDayClose, nil
	})
}

func (s *Service) postTick(w http.ResponseWriter, r *http.Request) error {
	item := r.PathValue("item")
	if !slices.Contains(manualItems, item) {
		return api.NotFound("item to tick", item)
	}
	var t tick
	if err := api.Decode(w, r, &t); err != nil {
		return err
	}
	set := s.set.Load()
	by := access.From(r.Context())
	marks := map[string]checkMark{}
	for k, v := range set.Checked {
		marks[k] = v
	}
	delete(marks, item)
	if t.Done {
		marks[item] = checkMark{by.Name, s.c.Now().UTC().Truncate(time.Second), t.Note}
	}
	if err := s.put(r.Context(), by, keyChecked, set.Revisions[keyChecked], marks); err != nil {
		return err
	}
	return s.getHotel(w, r)
}

func (s *Service) postAddress(w http.ResponseWriter, r *http.Request) error {
	var q addressQuestion
	if err := api.Decode(w, r, &q); err != nil {
		return err
	}
	reached, err := s.TryAddress(r.Context(), q.Address)
	return answer(w, reached, err)
}

func answer(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return Problem(err)
	}
	return api.Answer(w, http.StatusOK, v)
}

// list parts a query parameter at its commas.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxLimit {
		return 0, api.Invalid([]api.Fault{{Pointer: "?limit", Detail: "is not a whole number from 1 to " + strconv.Itoa(MaxLimit)}})
	}
	return n, nil
}

// waitOf reads how long a caller waits: a duration, or a number of seconds.
func waitOf(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if n, numErr := strconv.Atoi(text); numErr == nil && n <= int(MaxWait/time.Second) {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d > MaxWait {
		return 0, api.Invalid([]api.Fault{{Pointer: "?wait", Detail: "is not a time from 0s to 3m; write it as 30s"}})
	}
	return d, nil
}

// Problem gives the service's errors their place in HTTP; others pass through.
func Problem(err error) error {
	switch {
	case errors.Is(err, ErrNone):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrOther):
		return api.Conflict("other_content", err.Error()+"; take a new key for another request")
	case errors.Is(err, ErrState):
		return api.Conflict("state", err.Error())
	case errors.Is(err, ErrExceeds):
		return api.Invalid([]api.Fault{{Pointer: "/amount", Detail: err.Error()}})
	case errors.Is(err, ErrCursor):
		return api.Invalid([]api.Fault{{Pointer: "?cursor", Detail: err.Error()}})
	}
	return err
}
