package reservation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/booking"
)

// Integration is a platform as the console shows it.
type Integration struct {
	Platform     string               `json:"platform"`
	Title        string               `json:"title"`
	Venue        string               `json:"venue"`
	State        string               `json:"state" enum:"inactive,pending,active,disabling,error,linked_elsewhere"`
	On           bool                 `json:"on" doc:"messages are taken and sent"`
	Detail       string               `json:"detail,omitzero"`
	Since        time.Time            `json:"since,omitzero"`
	ExpiresAt    time.Time            `json:"expires_at,omitzero" doc:"a pending activation that nothing confirmed is over then"`
	HeardAt      time.Time            `json:"heard_at,omitzero" doc:"the platform's last message"`
	PulledAt     time.Time            `json:"pulled_at,omitzero" doc:"the platform was read last"`
	Webhook      string               `json:"webhook,omitzero" doc:"path below the box's public address that the platform calls"`
	Address      string               `json:"address,omitzero" doc:"the whole of it, where the box has a public address"`
	Reachable    bool                 `json:"reachable" doc:"the platform can call us"`
	Credentials  bool                 `json:"credentials" doc:"the box has credentials for the platform"`
	Secret       bool                 `json:"secret" doc:"the box has the secret of the platform's messages"`
	POS          string               `json:"pos" enum:"builtin,lightspeed-k,lightspeed-o,bepoz" doc:"the till that is linked"`
	Linked       *Linked              `json:"linked,omitzero" doc:"who switched the link on last; of a single platform only"`
	Today        Today                `json:"today"`
	Capabilities booking.Capabilities `json:"capabilities"`
	Queue        Queue                `json:"queue"`
	Settings     Settings             `json:"settings"`
	Revision     int64                `json:"revision" doc:"of the settings; 0: those of the configuration"`
}

// Linked is who switched a link on.
type Linked struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Today is what the business day has brought so far.
type Today struct {
	Day          string `json:"day"`
	Reservations int    `json:"reservations"`
	Seated       int    `json:"seated"`
	Problems     int    `json:"problems" doc:"orders that failed, without those that the settings do not want"`
}

type integrations struct {
	Integrations []Integration `json:"integrations"`
}

type putSettings struct {
	Settings Settings `json:"settings" doc:"members that are left out stay as they are"`
	Revision *int64   `json:"revision,omitzero" doc:"that the change was made from; another one by now is a conflict"`
}

type rejectedList struct {
	Rejected []Rejected `json:"rejected"`
}

func (s *Service) integrationRoutes() []api.Route {
	readers := []access.Role{access.Manager, access.Staff, access.Till}
	manager := []access.Role{access.Manager}
	tags := []string{"integrations"}
	one := "/v1/integrations/{platform}"
	missing := []int{http.StatusNotFound}
	problems := []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
	return []api.Route{
		{Method: "GET", Path: "/v1/integrations", Roles: readers, Tags: tags, Summary: "The reservation platforms", Answer: integrations{}, Handle: s.getIntegrations},
		{Method: "GET", Path: one, Roles: readers, Tags: tags, Summary: "One platform with its settings", Answer: Integration{}, Problems: missing, Handle: s.getIntegration},
		{Method: "PUT", Path: one, Roles: manager, Tags: tags, Summary: "Change a platform's settings", Body: putSettings{}, Answer: Integration{}, Problems: problems, Handle: s.putIntegration},
		{Method: "POST", Path: one + "/activate", Roles: manager, Tags: tags, Summary: "Switch a platform on, with the settings it had", Answer: Integration{}, Problems: problems, Handle: s.postActivate},
		{Method: "POST", Path: one + "/disable", Roles: manager, Tags: tags, Summary: "Switch a platform off; its settings stay", Answer: Integration{}, Problems: problems, Handle: s.postDisable},
		{Method: "POST", Path: one + "/sync", Roles: readers, Tags: tags, Summary: "Read a platform's reservations now", Answer: Integration{}, Status: http.StatusAccepted, Problems: problems, Handle: s.postSync},
		{Method: "GET", Path: one + "/audit", Roles: readers, Tags: tags, Summary: "Compare the floor's tables with those the platform names", Answer: Audit{}, Problems: missing, Handle: s.getAudit},
		{Method: "GET", Path: one + "/rejected", Roles: readers, Tags: tags, Summary: "Messages of the platform that were refused", Answer: rejectedList{}, Problems: missing, Handle: s.getRejected},
	}
}

const (
	selectToday = `SELECT platform, count(*), sum(status IN ('seated', 'partially_seated')), sum(order_state = 'failed' AND problem <> 'order_creation_disabled')
		FROM reservations WHERE business_day = ? GROUP BY platform`
	selectLinked = `SELECT by, at FROM audit WHERE act = 'integration_activate' AND subject = ? ORDER BY number DESC LIMIT 1`
)

// todays counts the business day's reservations of each platform.
func (s *Service) todays(ctx context.Context) (day string, by map[string]Today, err error) {
	day, by = s.c.Calendar.Day(s.c.Now()), map[string]Today{}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectToday, day)
	if err != nil {
		return day, nil, fmt.Errorf("count the day's reservations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var platform string
		t := Today{Day: day}
		if err := rows.Scan(&platform, &t.Reservations, &t.Seated, &t.Problems); err != nil {
			return day, nil, fmt.Errorf("count the day's reservations: %w", err)
		}
		by[platform] = t
	}
	return day, by, rows.Err()
}

// linked tells who switched a link on last; nil when the configuration did.
func (s *Service) linked(ctx context.Context, i *integration) (*Linked, error) {
	var l Linked
	var at int64
	err := s.c.Journal.Read().QueryRowContext(ctx, selectLinked, i.Name).Scan(&l.By, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read who linked %s: %w", i.Name, err)
	}
	l.At = journal.FromMicros(at)
	return &l, nil
}

func (s *Service) view(ctx context.Context, i *integration) (Integration, error) {
	st, set := i.now(), i.settings.Load()
	v := Integration{
		Platform: i.Name, Title: i.Title, Venue: i.Venue, State: st.State, On: i.on(), Detail: st.Detail, Since: st.Since, ExpiresAt: st.ExpiresAt, HeardAt: st.HeardAt, PulledAt: st.PulledAt,
		Reachable: i.Webhook, Credentials: i.Credentials, Secret: i.Secret, POS: s.c.POS, Capabilities: i.can, Settings: set.Settings, Revision: set.revision,
	}
	if v.Capabilities.Stages = orNone(v.Capabilities.Stages); v.Capabilities.Statuses == nil {
		v.Capabilities.Statuses = []booking.Status{}
	}
	if i.Client != nil && i.can.Webhooks {
		v.Webhook = "/webhooks/" + i.Name
	} else {
		v.Webhook = "/v1/platforms/" + i.Name + "/restaurants/" + i.Venue + "/reservations/{id}"
	}
	if s.c.Address != "" {
		v.Address = strings.TrimRight(s.c.Address, "/") + v.Webhook
	}
	var err error
	v.Queue, err = s.c.Relay.Queue(ctx, i.Name)
	return v, err
}

func (s *Service) chosen(r *http.Request) (*integration, error) {
	if i := s.link(r.PathValue("platform")); i != nil {
		return i, nil
	}
	return nil, api.NotFound("platform", r.PathValue("platform"))
}

func (s *Service) show(w http.ResponseWriter, r *http.Request, i *integration, status int) error {
	v, err := s.view(r.Context(), i)
	if err != nil {
		return err
	}
	day, today, err := s.todays(r.Context())
	if err != nil {
		return err
	}
	if v.Linked, err = s.linked(r.Context(), i); err != nil {
		return err
	}
	v.Today = today[i.Name]
	v.Today.Day = day
	return api.Answer(w, status, v)
}

// Integrations are all platforms with their settings.
func (s *Service) Integrations(ctx context.Context) ([]Integration, error) {
	list := []Integration{}
	day, today, err := s.todays(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range s.links {
		v, err := s.view(ctx, i)
		if err != nil {
			return nil, err
		}
		v.Today = today[i.Name]
		v.Today.Day = day
		list = append(list, v)
	}
	return list, nil
}

func (s *Service) getIntegrations(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Integrations(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, integrations{list})
}

func (s *Service) getIntegration(w http.ResponseWriter, r *http.Request) error {
	i, err := s.chosen(r)
	if err != nil {
		return err
	}
	return s.show(w, r, i, http.StatusOK)
}

func (s *Service) putIntegration(w http.ResponseWriter, r *http.Request) error {
	i, err := s.chosen(r)
	if err != nil {
		return err
	}
	now := i.settings.Load()
	// Decoding writes into lists that are there: those in force stay out of it.
	var v putSettings
	if err := json.Unmarshal(encode(now.Settings), &v.Settings); err != nil {
		return err
	}
	v.Settings.Aliases = nil // a map that is sent replaces the one there is
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	if v.Settings.Aliases == nil {
		v.Settings.Aliases = now.Aliases
	}
	var faults []api.Fault
	for _, f := range v.Settings.check() {
		faults = append(faults, api.Fault{Pointer: "/settings" + f.Pointer, Detail: f.Detail})
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	if s.c.May != nil {
		if err := s.c.May(access.From(r.Context()), &now.Settings, &v.Settings); err != nil {
			return err
		}
	}
	revision := now.revision
	if v.Revision != nil {
		revision = *v.Revision
	}
	err = s.Put(r.Context(), access.From(r.Context()), i.Name, revision, v.Settings)
	if err != nil {
		return problem(api.Outdated(err))
	}
	return s.show(w, r, i, http.StatusOK)
}

func (s *Service) postActivate(w http.ResponseWriter, r *http.Request) error {
	i, err := s.chosen(r)
	if err != nil {
		return err
	}
	if err := s.Activate(r.Context(), access.From(r.Context()), i.Name); err != nil {
		return problem(err)
	}
	return s.show(w, r, i, http.StatusOK)
}

func (s *Service) postDisable(w http.ResponseWriter, r *http.Request) error {
	i, err := s.chosen(r)
	if err != nil {
		return err
	}
	if err := s.Disable(r.Context(), access.From(r.Context()), i.Name); err != nil {
		return problem(err)
	}
	return s.show(w, r, i, http.StatusOK)
}

func (s *Service) postSync(w http.ResponseWriter, r *http.Request) error {
	i, err := s.chosen(r)
	if err != nil {
		return err
	}
	if err := s.Sync(i.Name); err != nil {
		return problem(err)
	}
	return s.show(w, r, i, http.StatusAccepted)
}

func (s *Service) getAudit(w http.ResponseWriter, r *http.Request) error {
	a, err := s.Audit(r.Context(), r.PathValue("platform"))
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, a)
}

func (s *Service) getRejected(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Rejected(r.Context(), r.PathValue("platform"))
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, rejectedList{list})
}

// webhook takes a message of a platform: who sent it is checked first, then it is read, then it is on disk, then it is answered.
func (s *Service) webhook(w http.ResponseWriter, r *http.Request, i *integration) error {
	body, err := read(w, r)
	if err != nil {
		s.reject(i, http.StatusRequestEntityTooLarge, err.Error(), "", nil)
		return err
	}
	if venue := r.PathValue("venue"); venue != "" && venue != i.Venue {
		s.reject(i, http.StatusNotFound, "for venue "+venue, "", body)
		return api.NotFound("venue", venue)
	}
	if !i.on() {
		return off()
	}
	receipt, err := i.Client.Receive(booking.Message{Header: r.Header, Path: r.URL.Path, Query: r.URL.Query(), Body: body, Remote: r.RemoteAddr, At: s.c.Now()})
	var wrong *booking.Malformed
	switch {
	case err == nil:
	case errors.Is(err, booking.ErrSignature):
		s.reject(i, http.StatusUnauthorized, s.words.T("reservation.not_signed"), "", nil)
		s.raise("platform_signature", warning.Warn, i.Name, i.Title)
		return &api.Problem{Status: http.StatusUnauthorized, Code: "signature", Detail: "the message is not signed with this venue's secret"}
	case errors.Is(err, booking.ErrVenue):
		s.reject(i, http.StatusNotFound, err.Error(), "", body)
		return &api.Problem{Status: http.StatusNotFound, Code: "venue", Detail: err.Error()}
	case errors.As(err, &wrong):
		s.reject(i, http.StatusUnprocessableEntity, err.Error(), "", body)
		return problem(err)
	case errors.Is(err, booking.ErrUnsupported):
		return api.NotFound("webhook", i.Name)
	default:
		return err
	}
	s.c.Warnings.Lower("platform_signature", i.Name)
	if receipt.Unlinked {
		if err := s.ended(r.Context(), i); err != nil {
			return err
		}
	} else {
		s.Heard(i.Name, true)
	}
	s.unknown(i, receipt.Reservations) // before Take gives a new one the status that it has at least
	if _, err := s.Take(r.Context(), i.Name, receipt.Reservations); err != nil {
		if errors.As(err, &wrong) {
			ref := ""
			if len(receipt.Reservations) == 1 {
				ref = receipt.Reservations[0].ID
			}
			s.reject(i, http.StatusUnprocessableEntity, err.Error(), ref, body)
		}
		if len(receipt.Reservations) > 0 {
			return problem(err)
		}
	}
	if receipt.Status == 0 || receipt.Body == nil {
		w.WriteHeader(max(receipt.Status, http.StatusNoContent))
		return nil
	}
	return api.Answer(w, receipt.Status, receipt.Body)
}

// ended takes the platform's word that the link was ended on its side.
func (s *Service) ended(ctx context.Context, i *integration) error {
	s.c.Relay.Hold(i.Name)
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := s.turn(tx, i, Inactive, s.words.T("reservation.ended_by_platform")); err != nil {
			return err
		}
		if err := s.c.Relay.Drop(tx, i.Name); err != nil {
			return err
		}
		return tx.Audit(i.Name, "", "integration_disable", i.Name, strings.TrimSpace(i.Venue))
	})
}
