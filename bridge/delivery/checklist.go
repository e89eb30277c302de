package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// Steps that people take at a marketplace before its orders come through this box, in the order in which they are taken
// (spec/delivery.md 4, OTR-19 to OTR-24). Nobody but a person knows of them.
const (
	StepFormer   = "old_integrator_removed" // no other integration brings its orders into the POS
	StepProtocol = "order_protocol_tablet"
	StepMenu     = "menu_access" // the marketplace lets the aggregator edit the menu
	StepPayment  = "payment_tested"
)

func steps() []string { return []string{StepFormer, StepProtocol, StepMenu, StepPayment} }

// forMenu are the steps without which nothing may be published.
func forMenu() []string { return []string{StepFormer, StepProtocol, StepMenu} }

// CheckStep is a step at one marketplace.
type CheckStep struct {
	Partner string    `json:"partner" doc:"the marketplace's slug; the aggregator's name while none is known"`
	Step    string    `json:"step" enum:"old_integrator_removed,order_protocol_tablet,menu_access,payment_tested"`
	Done    bool      `json:"done"`
	By      string    `json:"by,omitzero"`
	At      time.Time `json:"at,omitzero"`
}

type putStep struct {
	Partner string `json:"partner"`
	Step    string `json:"step"`
	Done    bool   `json:"done"`
}

// A tick is who said that a step is done.
type tick struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

func checklistKey(name string) string { return "delivery-checklist/" + name }

// ticks reads what is done, by marketplace and step.
func (s *Service) ticks(ctx context.Context, name string) (map[string]map[string]tick, int64, error) {
	done := map[string]map[string]tick{}
	stored, err := s.c.Journal.Setting(ctx, checklistKey(name))
	if errors.Is(err, journal.ErrNoSetting) {
		return done, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("checklist of %s: %w", name, err)
	}
	if err := json.Unmarshal(stored.Value, &done); err != nil {
		return nil, 0, fmt.Errorf("checklist of %s: %w", name, err)
	}
	return done, stored.Revision, nil
}

// Checklist lists the steps of each marketplace behind an aggregator.
func (s *Service) Checklist(ctx context.Context, name string) ([]CheckStep, error) {
	l := s.link(name)
	if l == nil {
		return nil, ErrNone
	}
	done, _, err := s.ticks(ctx, name)
	if err != nil {
		return nil, err
	}
	list := []CheckStep{}
	for _, partner := range partners(l, done) {
		for _, step := range steps() {
			c := CheckStep{Partner: partner, Step: step}
			if t, ok := done[partner][step]; ok {
				c.Done, c.By, c.At = true, t.By, t.At
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// partners are the marketplaces that are set up or were ticked; without any, the aggregator stands for all.
func partners(l *link, done map[string]map[string]tick) []string {
	all := map[string]bool{}
	for slug := range l.settings.Load().Channels {
		all[slug] = true
	}
	for slug := range done {
		all[slug] = all[slug] || slug != l.Name
	}
	delete(all, l.Name)
	if len(all) == 0 {
		return []string{l.Name}
	}
	return slices.Sorted(maps.Keys(all))
}

// Missing names the steps without which a menu may not be published, as "step partner".
func (s *Service) Missing(ctx context.Context, name string) ([]CheckStep, error) {
	list, err := s.Checklist(ctx, name)
	return slices.DeleteFunc(list, func(c CheckStep) bool { return c.Done || !slices.Contains(forMenu(), c.Step) }), err
}

// Tick says that a step was taken, or was not after all.
func (s *Service) Tick(ctx context.Context, by access.Principal, name, partner, step string, done bool) error {
	all, revision, err := s.ticks(ctx, name)
	if err != nil {
		return err
	}
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if all[partner] == nil {
			all[partner] = map[string]tick{}
		}
		act := "delivery_step_done"
		if delete(all[partner], step); done {
			all[partner][step] = tick{by.Name, tx.Now()}
		} else {
			act = "delivery_step_open"
		}
		value, err := json.Marshal(all, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("checklist of %s: %w", name, err)
		}
		if _, err := tx.PutSetting(checklistKey(name), value, revision, by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, act, name, partner+" "+step)
	})
}

func (s *Service) putChecklist(w http.ResponseWriter, r *http.Request, l *link) error {
	var v putStep
	if err := api.Decode(w, r, &v); err != nil {
		return err
	}
	done, _, err := s.ticks(r.Context(), l.Name)
	if err != nil {
		return err
	}
	var faults []api.Fault
	if !slices.Contains(partners(l, done), v.Partner) {
		faults = append(faults, api.Fault{Pointer: "/partner", Detail: "is no marketplace of " + l.Title + "; add it to the settings first"})
	}
	if !slices.Contains(steps(), v.Step) {
		faults = append(faults, api.Fault{Pointer: "/step", Detail: "is no step of the checklist"})
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	if err := s.Tick(r.Context(), access.From(r.Context()), l.Name, v.Partner, v.Step, v.Done); err != nil {
		return api.Outdated(err)
	}
	return s.show(w, r, l, http.StatusOK)
}
