package delivery

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
)

// Integration is an aggregator as the console shows it.
type Integration struct {
	Kind         string               `json:"kind" enum:"delivery"`
	Platform     string               `json:"platform"`
	Title        string               `json:"title"`
	Venue        string               `json:"venue" doc:"the store's id at the aggregator"`
	State        string               `json:"state" enum:"active,observing,inactive"`
	On           bool                 `json:"on" doc:"messages are taken"`
	Detail       string               `json:"detail,omitzero" doc:"what is wrong with the link"`
	HeardAt      time.Time            `json:"heard_at,omitzero" doc:"the aggregator's last message"`
	PulledAt     time.Time            `json:"pulled_at,omitzero" doc:"its feed was read last"`
	Webhook      string               `json:"webhook" doc:"path below the box's public address that the aggregator calls"`
	Reachable    bool                 `json:"reachable" doc:"the aggregator can call us"`
	Paused       bool                 `json:"paused" doc:"the store takes no orders"`
	PausedAt     time.Time            `json:"paused_at,omitzero"`
	PausedTill   time.Time            `json:"paused_till,omitzero"`
	PauseReason  string               `json:"pause_reason,omitzero"`
	PausedBy     string               `json:"paused_by,omitzero"`
	Hours        []MenuHours          `json:"hours" doc:"when its menus can be ordered from; told only where capabilities.hours is set"`
	Zone         string               `json:"zone" doc:"the time zone of this venue"`
	Capabilities channel.Capabilities `json:"capabilities"`
	Queue        Queue                `json:"queue"`
	Outages      []Outage             `json:"outages" doc:"when it did not answer, latest first"`
	Checklist    []CheckStep          `json:"checklist" doc:"what people do at the marketplaces before the first order"`
	Settings     Settings             `json:"settings"`
	Revision     int64                `json:"revision" doc:"of the settings; 0: those of the configuration"`
}

type putSettings struct {
	Settings Settings `json:"settings" doc:"members that are left out stay as they are"`
	Revision *int64   `json:"revision,omitzero" doc:"that the change was made from; another one by now is a conflict"`
}

type observedList struct {
	Observed []Observed `json:"observed"`
}

type rejectedList struct {
	Rejected []Rejected `json:"rejected"`
}

// Routes are the aggregators' webhooks, and what people set up of them.
func (s *Service) Routes() []api.Route {
	readers := []access.Role{access.Manager, access.Staff, access.Till}
	staff := []access.Role{access.Manager, access.Staff}
	manager := []access.Role{access.Manager}
	tags := []string{"integrations"}
	problems := []int{http.StatusConflict, http.StatusServiceUnavailable}
	routes := []api.Route{
		{Method: "GET", Path: "/v1/delivery/day-end", Roles: readers, Tags: []string{"orders"}, Summary: "What is left of the day's delivery orders for somebody to look after", Answer: DayEnd{}, Handle: s.getDayEnd},
	}
	for _, l := range s.links {
		one := "/v1/integrations/" + l.Name
		on := func(method, path string, roles []access.Role, summary, doc string, body any, handle func(http.ResponseWriter, *http.Request, *link) error) {
			routes = append(routes, api.Route{Method: method, Path: one + path, Roles: roles, Tags: tags, Summary: summary, Doc: doc, Body: body, Answer: Integration{}, Problems: problems,
				Handle: func(w http.ResponseWriter, r *http.Request) error { return handle(w, r, l) }})
		}
		on("GET", "", readers, "The link to "+l.Title, "", nil, s.getIntegration)
		on("PUT", "", manager, "Change the settings of "+l.Title, "", putSettings{}, s.putIntegration)
		on("POST", "/activate", manager, "Let the orders of "+l.Title+" be cooked", "At once, or from the moment that the query says; until then they are observed.", nil, s.postActivate)
		routes[len(routes)-1].Params = []api.Param{{Name: "from", Doc: "RFC 3339; absent: now"}}
		on("POST", "/observe", manager, "Only write the orders of "+l.Title+" down", "Another system cooks them.", nil, s.mode(Observe))
		on("POST", "/disable", manager, "Take no messages of "+l.Title, "", nil, s.mode(Off))
		on("POST", "/sync", readers, "Read the feed of "+l.Title+" now", "", nil, s.postSync)
		routes[len(routes)-1].Status = http.StatusAccepted
		on("POST", "/pause", staff, "Take no orders of "+l.Title+" for a while", "", nil, s.postPause)
		routes[len(routes)-1].Params = []api.Param{{Name: "until", Doc: "RFC 3339; absent: until somebody resumes"}, {Name: "reason"}}
		on("POST", "/resume", staff, "Take orders of "+l.Title+" again", "", nil, s.postResume)
		on("PUT", "/checklist", manager, "Say that a step at a marketplace is done, or is not after all", "", putStep{}, s.putChecklist)
		routes = append(routes,
			api.Route{Method: "GET", Path: one + "/observed", Roles: readers, Tags: tags, Summary: "Orders of " + l.Title + " that were only observed", Answer: observedList{},
				Handle: func(w http.ResponseWriter, r *http.Request) error { return s.getObserved(w, r, l) }},
			api.Route{Method: "GET", Path: one + "/rejected", Roles: readers, Tags: tags, Summary: "Messages of " + l.Title + " that were refused", Answer: rejectedList{},
				Handle: func(w http.ResponseWriter, r *http.Request) error { return s.getRejected(w, r, l) }})
		for _, path := range []string{"/webhooks/" + l.Name, "/webhooks/" + l.Name + "/{venue}"} {
			routes = append(routes, api.Route{Method: "POST", Path: path, Tags: []string{"webhooks"}, Summary: "Messages of " + l.Title,
				Problems: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}, Admit: true,
				Handle: func(w http.ResponseWriter, r *http.Request) error { return s.webhook(w, r, l) }})
		}
	}
	return routes
}

// Integrations are all links.
func (s *Service) Integrations(ctx context.Context) ([]Integration, error) {
	var list []Integration
	for _, l := range s.links {
		v, err := s.view(ctx, l)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (s *Service) view(ctx context.Context, l *link) (Integration, error) {
	st, set := l.now(), l.settings.Load()
	mode := set.mode(s.c.Now())
	v := Integration{
		Kind: "delivery", Platform: l.Name, Title: l.Title, Venue: l.Store, State: map[string]string{Live: "active", Observe: "observing", Off: "inactive"}[mode], On: mode != Off,
		HeardAt: st.HeardAt, Webhook: "/webhooks/" + l.Name, Reachable: l.Webhook, Paused: l.paused(s.c.Now()),
		PausedAt: st.PausedAt, PausedTill: st.PausedTill, PauseReason: st.PauseReason, PausedBy: st.PausedBy, Capabilities: l.can, Settings: set.Settings, Revision: set.revision,
	}
	if v.Outages = st.Outages; v.Outages == nil {
		v.Outages = []Outage{}
	}
	if v.Capabilities.Progress == nil {
		v.Capabilities.Progress = []channel.Status{}
	}
	l.mu.Lock()
	v.PulledAt, v.Detail = l.fed, l.fault
	l.mu.Unlock()
	v.Hours, v.Zone = []MenuHours{}, s.c.Zone
	var err error
	if l.can.Hours {
		if v.Hours, err = s.menuHours(ctx, l); err != nil {
			return v, err
		}
	}
	if v.Checklist, err = s.Checklist(ctx, l.Name); err != nil {
		return v, err
	}
	if v.Queue, err = s.Queue(ctx, l.Name); v.Queue.Error != "" {
		v.Detail = v.Queue.Error
	}
	return v, err
}

func (s *Service) show(w http.ResponseWriter, r *http.Request, l *link, status int) error {
	v, err := s.view(r.Context(), l)
	if err != nil {
		return err
	}
	return api.Answer(w, status, v)
}

func (s *Service) getIntegration(w http.ResponseWriter, r *http.Request, l *link) error {
	return s.show(w, r, l, http.StatusOK)
}

func (s *Service) putIntegration(w http.ResponseWriter, r *http.Request, l *link) error {
	now := l.settings.Load()
	text, err := json.Marshal(now.Settings)
	if err != nil {
		return err
	}
	var v putSettings
	if err := json.Unmarshal(text, &v.Settings); err != nil {
		return err
	}
	v.Settings.Channels, v.Settings.Fees = nil, nil // a map that is sent replaces the one there is
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	if v.Settings.Channels == nil {
		v.Settings.Channels = now.Channels
	}
	if v.Settings.Fees == nil {
		v.Settings.Fees = now.Fees
	}
	var faults []api.Fault
	for _, f := range v.Settings.check() {
		faults = append(faults, api.Fault{Pointer: "/settings" + f.Pointer, Detail: f.Detail})
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	revision := now.revision
	if v.Revision != nil {
		revision = *v.Revision
	}
	if err := s.Put(r.Context(), access.From(r.Context()), l.Name, revision, v.Settings); err != nil {
		return api.Outdated(err)
	}
	return s.show(w, r, l, http.StatusOK)
}

func (s *Service) postActivate(w http.ResponseWriter, r *http.Request, l *link) error {
	from, err := moment(r, "from")
	if err != nil {
		return err
	}
	return s.turn(w, r, l, Live, from)
}

// mode answers a change of the mode that holds at once.
func (s *Service) mode(mode string) func(http.ResponseWriter, *http.Request, *link) error {
	return func(w http.ResponseWriter, r *http.Request, l *link) error {
		return s.turn(w, r, l, mode, time.Time{})
	}
}

func (s *Service) turn(w http.ResponseWriter, r *http.Request, l *link, mode string, from time.Time) error {
	now := l.settings.Load()
	next := now.Settings
	next.Mode, next.LiveFrom = mode, from
	if err := s.Put(r.Context(), access.From(r.Context()), l.Name, now.revision, next); err != nil {
		return api.Outdated(err)
	}
	return s.show(w, r, l, http.StatusOK)
}

// moment reads a time of the query; zero when it is not there.
func moment(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, api.Invalid([]api.Fault{{Pointer: "?" + name, Detail: "is not a time; write it as 2026-11-21T19:04:05Z"}})
	}
	return at, nil
}

func (s *Service) postSync(w http.ResponseWriter, r *http.Request, l *link) error {
	if !l.can.Feed {
		return api.Conflict("not_supported", l.Title+" has no feed of orders to read")
	}
	poke(l.look)
	return s.show(w, r, l, http.StatusAccepted)
}

func (s *Service) postPause(w http.ResponseWriter, r *http.Request, l *link) error {
	until, err := moment(r, "until")
	if err != nil {
		return err
	}
	return s.close(w, r, l, until, words.Tidy(r.URL.Query().Get("reason"), maxName), true)
}

func (s *Service) postResume(w http.ResponseWriter, r *http.Request, l *link) error {
	return s.close(w, r, l, time.Time{}, "", false)
}

// close asks the aggregator to pause or to open the store.
func (s *Service) close(w http.ResponseWriter, r *http.Request, l *link, until time.Time, reason string, paused bool) error {
	if !l.can.Pause {
		return api.Conflict("not_supported", l.Title+" does not let a POS pause the store; do it there")
	}
	by := access.From(r.Context())
	err := s.c.Journal.Write(r.Context(), func(tx *journal.Tx) error {
		at, c, act := tx.Now(), call{Kind: callResume}, "store_resumed"
		if paused {
			c, act = call{Kind: callPause, Until: until, Reason: reason}, "store_paused"
		}
		if err := access.Record(tx, by, act, l.Name, reason); err != nil {
			return err
		}
		err := s.keepState(tx, l, func(st *state) {
			st.PausedAt, st.PausedTill, st.PauseReason, st.PausedBy = time.Time{}, time.Time{}, "", ""
			if paused {
				st.PausedAt, st.PausedTill, st.PauseReason, st.PausedBy = at, until, reason, by.Name
			}
		})
		if err != nil {
			return err
		}
		return s.put(tx, l, 0, c)
	})
	if err != nil {
		return err
	}
	return s.show(w, r, l, http.StatusOK)
}

func (s *Service) getObserved(w http.ResponseWriter, r *http.Request, l *link) error {
	list, err := s.Observed(r.Context(), l.Name)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, observedList{list})
}

func (s *Service) getRejected(w http.ResponseWriter, r *http.Request, l *link) error {
	list, err := s.Rejected(r.Context(), l.Name)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, rejectedList{list})
}

func (s *Service) getDayEnd(w http.ResponseWriter, r *http.Request) error {
	e, err := s.DayEnd(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, e)
}

// webhook takes a message of an aggregator: who sent it is checked first, then it is read, then all that follows from it is on
// disk, then it is answered.
func (s *Service) webhook(w http.ResponseWriter, r *http.Request, l *link) error {
	received := s.c.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		s.reject(l, http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB", "", nil)
		return &api.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "the body is larger than 1 MiB"}
	case err != nil:
		return &api.Problem{Status: http.StatusBadRequest, Code: "unreadable", Detail: "the body broke off"}
	}
	if venue := r.PathValue("venue"); venue != "" && venue != l.Store {
		s.reject(l, http.StatusNotFound, "for store "+venue, "", body)
		return api.NotFound("store", venue)
	}
	if l.settings.Load().mode(received) == Off {
		return &api.Problem{Status: http.StatusServiceUnavailable, Code: "integration_inactive", Detail: "the link to " + l.Title + " is switched off at this venue", RetryAfter: time.Minute}
	}
	receipt, err := l.Client.Receive(channel.Message{Header: r.Header, Path: r.URL.Path, Query: r.URL.Query(), Body: body, Remote: r.RemoteAddr, At: received})
	var wrong *channel.Malformed
	switch {
	case err == nil:
	case errors.Is(err, channel.ErrSignature):
		s.c.Orders.Count(l.Name, unsigned, 0)
		s.reject(l, http.StatusUnauthorized, s.words.T("reservation.not_signed"), "", nil)
		s.raise("aggregator_signature", warning.Warn, l.Name, l.Title)
		return &api.Problem{Status: http.StatusUnauthorized, Code: "signature", Detail: "the message is not signed with this store's secret"}
	case errors.Is(err, channel.ErrStore):
		s.reject(l, http.StatusNotFound, err.Error(), "", body)
		return &api.Problem{Status: http.StatusNotFound, Code: "store", Detail: err.Error()}
	case errors.As(err, &wrong):
		s.c.Orders.Count(l.Name, invalid, 0)
		s.reject(l, http.StatusUnprocessableEntity, err.Error(), "", body)
		faults := make([]api.Fault, len(wrong.Faults))
		for i, f := range wrong.Faults {
			faults[i] = api.Fault(f)
		}
		return api.Invalid(faults)
	default:
		return err
	}
	s.c.Warnings.Lower("aggregator_signature", l.Name)
	l.mu.Lock()
	l.state.HeardAt = received
	l.mu.Unlock()
	for i := range receipt.Events {
		e := &receipt.Events[i]
		if e.Raw == nil && len(receipt.Events) == 1 {
			e.Raw = body
		}
		if e.At.IsZero() {
			e.At = received
		}
		err := s.take(r.Context(), l, e, received)
		var no *malformed
		if errors.As(err, &no) {
			s.reject(l, http.StatusUnprocessableEntity, err.Error(), e.Ref.FriendlyID, body)
			faults := make([]api.Fault, len(no.faults))
			for i, f := range no.faults {
				faults[i] = api.Fault(f)
			}
			return api.Invalid(faults)
		}
		if err != nil {
			return err
		}
	}
	if receipt.Body == nil {
		w.WriteHeader(max(receipt.Status, http.StatusOK))
		return nil
	}
	return api.Answer(w, max(receipt.Status, http.StatusOK), receipt.Body)
}
