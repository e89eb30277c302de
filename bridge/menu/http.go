package menu

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

// View is a menu as the console shows it.
type View struct {
	Menu          string      `json:"menu"`
	Title         string      `json:"title" doc:"the aggregator"`
	Slugs         []string    `json:"slugs" doc:"marketplaces behind it that prices can differ for"`
	Settings      Settings    `json:"settings"`
	Revision      int64       `json:"revision" doc:"of the settings; 0: those of the configuration"`
	Unlinked      Unlinked    `json:"unlinked"`
	Green         bool        `json:"green" doc:"nothing is unlinked"`
	Entities      int         `json:"entities" doc:"that guests can reach of what the aggregator shows; 0: nothing is known of it"`
	Unpublished   int         `json:"unpublished" doc:"entities that differ from what the aggregator shows"`
	Publishable   bool        `json:"publishable" doc:"the aggregator takes menus from us"`
	Prerequisites []string    `json:"prerequisites" doc:"what has to be done before it may be published"`
	Asking        bool        `json:"asking" doc:"the last update was stopped and waits for a decision"`
	SoldOutThere  []Elsewhere `json:"sold_out_there" doc:"at the aggregator alone, as it was seen at the last comparison; the kitchen has it"`
	NextAt        time.Time   `json:"next_at,omitzero" doc:"of the update that comes by itself"`
	LastRun       *Run        `json:"last_run,omitzero"`
}

type menuList struct {
	Menus []View  `json:"menus"`
	POS   posView `json:"pos"`
}

type posView struct {
	Kind   string    `json:"kind"`
	Known  bool      `json:"known" doc:"the box knows what the POS sells"`
	ReadAt time.Time `json:"read_at,omitzero"`
	Error  string    `json:"error,omitzero" doc:"why it could not be read last"`
}

type linkList struct {
	Unlinked Unlinked   `json:"unlinked" doc:"of the menu, or of all menus"`
	Green    bool       `json:"green"`
	Menus    []linkSums `json:"menus"`
	Links    []Row      `json:"links" doc:"those without a link first"`
	Total    int        `json:"total" doc:"that fit the question"`
}

type linkSums struct {
	Menu     string   `json:"menu"`
	Unlinked Unlinked `json:"unlinked"`
	Green    bool     `json:"green"`
	Entities int      `json:"entities"`
}

type putLink struct {
	Menu   string `json:"menu"`
	Kind   string `json:"kind" enum:"item,group,modifier"`
	ID     string `json:"id" doc:"the aggregator's"`
	Group  string `json:"group,omitzero" doc:"of a modifier: the aggregator's id of its group"`
	Target string `json:"target" doc:"an id of GET /v1/menu/targets; empty takes the link away"`
}

type choices struct {
	Targets []Choice `json:"targets"`
}

type putSettings struct {
	Name         *string   `json:"name,omitzero"`
	AutoUpdate   *bool     `json:"auto_update,omitzero" doc:"switching it off switches auto_publish off"`
	AutoPublish  *bool     `json:"auto_publish,omitzero"`
	EveryMinutes *int      `json:"every_minutes,omitzero"`
	Fields       *[]string `json:"fields,omitzero"`
	MatchByName  *bool     `json:"match_by_name,omitzero"`
	Parts        *[]Part   `json:"parts,omitzero"`
	Revision     *int64    `json:"revision,omitzero" doc:"that the change was made from; another one by now is a conflict"`
}

type postSync struct {
	Menu    string `json:"menu,omitzero" doc:"may be left out where there is only one"`
	Update  *bool  `json:"update,omitzero" doc:"take over what the POS has; true when absent"`
	Publish bool   `json:"publish,omitzero" doc:"bring the menu to the aggregator"`
}

type runList struct {
	Runs []Run  `json:"runs"`
	Next string `json:"next,omitzero" doc:"before= of the next page"`
}

type runView struct {
	Run
	Changes []Change `json:"changes"`
	Total   int      `json:"total" doc:"changes there are"`
}

type itemList struct {
	Items []ItemView `json:"items"`
	Total int        `json:"total"`
}

// ItemView is an item as the menu has it, with what people changed of it.
type ItemView struct {
	Kind       string                  `json:"kind" enum:"item,modifier"`
	ID         string                  `json:"id"`
	SKU        string                  `json:"sku"`
	Name       string                  `json:"name"`
	Category   string                  `json:"category,omitzero" doc:"or the group, of a modifier"`
	CategoryID string                  `json:"category_id,omitzero"`
	Price      int64                   `json:"price"`
	Prices     []channel.PriceOverride `json:"prices,omitzero"`
	SoldOut    bool                    `json:"sold_out"`
	Hidden     bool                    `json:"hidden" doc:"by hand, in this menu"`
	Edits      []Edit                  `json:"edits"`
}

type editList struct {
	Edits []Edit `json:"edits"`
}

type editKey struct {
	Menu  string `json:"menu"`
	Kind  string `json:"kind" enum:"category,item,group,modifier"`
	ID    string `json:"id"`
	Slug  string `json:"slug,omitzero"`
	Field string `json:"field" enum:"name,price,description,photo,hidden"`
}

type putEdit struct {
	Menu   string `json:"menu"`
	Kind   string `json:"kind" enum:"category,item,group,modifier"`
	ID     string `json:"id"`
	Slug   string `json:"slug,omitzero" doc:"of one marketplace; for prices alone"`
	Field  string `json:"field" enum:"name,price,description,photo,hidden"`
	Value  string `json:"value" doc:"a price is minor units"`
	Locked *bool  `json:"locked,omitzero" doc:"the POS does not win over it; true when absent"`
}

type lintList struct {
	Findings []Finding      `json:"findings"`
	Counts   map[string]int `json:"counts" doc:"by heading"`
	More     int            `json:"more" doc:"that are not listed"`
}

// Routes are the calls of the API.
func (s *Service) Routes() []api.Route {
	readers, manager := []access.Role{access.Manager, access.Staff}, []access.Role{access.Manager}
	tags := []string{"menu"}
	missing, problems := []int{http.StatusNotFound}, []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
	menu := api.Param{Name: "menu", Doc: "which menu; all when absent"}
	one := api.Param{Name: "menu", Doc: "which menu", Required: true}
	search := api.Param{Name: "q", Doc: "part of a name or SKU"}
	limit, offset := api.Param{Name: "limit", Type: 0, Doc: "1 to 500; 100 when absent"}, api.Param{Name: "offset", Type: 0, Doc: "how many to leave out"}
	return []api.Route{
		{Method: "GET", Path: "/v1/menu/menus", Roles: readers, Tags: tags, Summary: "The delivery menus: settings, counters, next update", Answer: menuList{}, Handle: s.getMenus},
		{Method: "GET", Path: "/v1/menu/menus/{menu}", Roles: readers, Tags: tags, Summary: "One menu", Answer: View{}, Problems: missing, Handle: s.getMenu},
		{Method: "PUT", Path: "/v1/menu/menus/{menu}", Roles: manager, Tags: tags, Summary: "Change a menu's settings", Body: putSettings{}, Answer: View{}, Problems: problems, Handle: s.putMenu},
		{Method: "POST", Path: "/v1/menu/menus/{menu}/resell", Roles: readers, Tags: tags, Summary: "Have the aggregator sell again what it has sold out by itself", Body: postResell{}, Answer: View{}, Problems: append(problems, http.StatusBadGateway), Handle: s.postResell},
		{Method: "GET", Path: "/v1/menu/links", Roles: readers, Tags: tags, Summary: "What the entities of the aggregators' menus stand for, and how many for nothing",
			Params: []api.Param{menu, {Name: "unlinked", Doc: "true: only those without a link"}, {Name: "kind", Enum: []string{KindItem, KindGroup, KindModifier}}, search, limit, offset}, Answer: linkList{}, Problems: missing, Handle: s.getLinks},
		{Method: "PUT", Path: "/v1/menu/links", Roles: manager, Tags: tags, Summary: "Link an entity by hand, or take its link away", Body: putLink{}, Answer: linkSums{}, Problems: problems, Handle: s.putLink},
		{Method: "GET", Path: "/v1/menu/targets", Roles: readers, Tags: tags, Summary: "What an entity can be linked to",
			Params: []api.Param{{Name: "kind", Enum: []string{KindItem, KindGroup, KindModifier}, Required: true}, {Name: "group", Doc: "of a modifier: our id of its group"}, search, limit}, Answer: choices{}, Handle: s.getTargets},
		{Method: "POST", Path: "/v1/menu/sync", Roles: manager, Tags: tags, Summary: "Update a menu from the POS now, publish it, or both", Doc: "One run of a menu at a time; a second one is 409 with the first one's id.",
			Body: postSync{}, Answer: Run{}, Status: http.StatusAccepted, Problems: problems, Handle: s.postSync},
		{Method: "GET", Path: "/v1/menu/sync", Roles: readers, Tags: tags, Summary: "The latest runs", Params: []api.Param{menu, {Name: "before", Doc: "id of a run"}, limit}, Answer: runList{}, Handle: s.getRuns},
		{Method: "GET", Path: "/v1/menu/sync/{id}", Roles: readers, Tags: tags, Summary: "One run with what it changed", Params: []api.Param{limit, offset}, Answer: runView{}, Problems: missing, Handle: s.getRun},
		{Method: "POST", Path: "/v1/menu/sync/{id}/confirm", Roles: manager, Tags: tags, Summary: "Agree to what the guard stopped", Answer: Run{}, Status: http.StatusAccepted, Problems: problems, Handle: s.postConfirm},
		{Method: "POST", Path: "/v1/menu/sync/{id}/dismiss", Roles: manager, Tags: tags, Summary: "Leave everything as it was before the guard stopped the run", Answer: Run{}, Problems: problems, Handle: s.postDismiss},
		{Method: "GET", Path: "/v1/menu/items", Roles: readers, Tags: tags, Summary: "Items and modifiers of a menu as they would be published", Params: []api.Param{one, search, {Name: "edited", Doc: "true: only what people changed"}, limit, offset}, Answer: itemList{}, Problems: missing, Handle: s.getItems},
		{Method: "GET", Path: "/v1/menu/edits", Roles: readers, Tags: tags, Summary: "What people changed on top of the POS", Params: []api.Param{one}, Answer: editList{}, Problems: missing, Handle: s.getEdits},
		{Method: "PUT", Path: "/v1/menu/edits", Roles: manager, Tags: tags, Summary: "Change a name, price, description or photo in one menu, or hide something", Body: putEdit{}, Answer: editList{}, Problems: problems, Handle: s.putEdit},
		{Method: "POST", Path: "/v1/menu/edits/remove", Roles: manager, Tags: tags, Summary: "Take such a change away: the POS holds again", Body: editKey{}, Answer: editList{}, Problems: problems, Handle: s.postRestore},
		{Method: "GET", Path: "/v1/menu/lint", Roles: readers, Tags: tags, Summary: "What guests should not see as it is, under five headings", Params: []api.Param{menu}, Answer: lintList{}, Problems: missing, Handle: s.getLint},
		{Method: "GET", Path: "/v1/menu/why", Roles: readers, Tags: tags, Summary: "Why an item is missing from a menu", Params: []api.Param{one, {Name: "q", Doc: "SKU or part of the name", Required: true}}, Answer: Diagnosis{}, Problems: missing, Handle: s.getWhy},
	}
}

// problem makes what a caller did wrong into what the API says.
func problem(err error) error {
	switch {
	case errors.Is(err, ErrMenu), errors.Is(err, ErrRun):
		return &api.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: err.Error()}
	case errors.Is(err, ErrForSale):
		return api.Conflict("for_sale", err.Error())
	case errors.As(err, new(*refusal)):
		return &api.Problem{Status: http.StatusBadGateway, Code: "aggregator", Detail: clip(err.Error())}
	case errors.Is(err, ErrNoSource):
		return api.Conflict("no_source", err.Error())
	case errors.Is(err, ErrRunning):
		return api.Conflict("sync_running", err.Error())
	case errors.Is(err, ErrNotAsking):
		return api.Conflict("not_asking", err.Error())
	case errors.Is(err, ErrTarget):
		return api.Invalid([]api.Fault{{Pointer: "/target", Detail: err.Error() + "; see GET /v1/menu/targets"}})
	}
	return err
}

// view is a menu with its latest run.
func (s *Service) view(ctx context.Context, m *menu) (View, error) {
	set := m.settings.Load()
	m.mu.Lock()
	v := View{
		Menu: m.ID, Title: m.Title, Slugs: orEmpty(m.Slugs), Settings: set.Settings, Revision: set.revision, Unlinked: m.unlinked, Green: m.unlinked.Green(),
		Entities: m.entities, Unpublished: m.pending, Publishable: m.Client != nil, Asking: m.asking, SoldOutThere: orEmpty(m.there),
	}
	if set.AutoUpdate && s.c.Source != nil {
		v.NextAt = m.grid.Due
	}
	m.mu.Unlock()
	v.Prerequisites = orEmpty(s.c.Blocked(ctx, m.ID))
	last, err := s.Runs(ctx, m.ID, journal.ID{}, 1)
	if len(last) > 0 {
		v.LastRun = &last[0]
	}
	return v, err
}

func (s *Service) getMenus(w http.ResponseWriter, r *http.Request) error {
	list := menuList{Menus: []View{}}
	for _, m := range s.menus {
		v, err := s.view(r.Context(), m)
		if err != nil {
			return err
		}
		list.Menus = append(list.Menus, v)
	}
	s.mu.Lock()
	list.POS = posView{Kind: s.kind, Known: !s.known.IsZero(), ReadAt: s.known, Error: s.broken}
	s.mu.Unlock()
	return api.Answer(w, http.StatusOK, list)
}

func (s *Service) getMenu(w http.ResponseWriter, r *http.Request) error {
	m := s.menu(r.PathValue("menu"))
	if m == nil {
		return problem(ErrMenu)
	}
	v, err := s.view(r.Context(), m)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, v)
}

// over lays what came over settings. Switching updates off switches publishing off with them (OTR-40).
func (p *putSettings) over(s Settings) Settings {
	set := func(dst *bool, v *bool) {
		if v != nil {
			*dst = *v
		}
	}
	if p.Name != nil {
		s.Name = *p.Name
	}
	if set(&s.AutoUpdate, p.AutoUpdate); !s.AutoUpdate {
		s.AutoPublish = false
	}
	set(&s.AutoPublish, p.AutoPublish)
	set(&s.MatchByName, p.MatchByName)
	if p.EveryMinutes != nil {
		s.EveryMinutes = *p.EveryMinutes
	}
	if p.Fields != nil {
		s.Fields = *p.Fields
	}
	if p.Parts != nil {
		s.Parts = *p.Parts
	}
	return s
}

func (s *Service) putMenu(w http.ResponseWriter, r *http.Request) error {
	m := s.menu(r.PathValue("menu"))
	if m == nil {
		return problem(ErrMenu)
	}
	var p putSettings
	if err := api.Decode(w, r, &p); err != nil {
		return err
	}
	now := m.settings.Load()
	set := p.over(now.Settings)
	if err := api.Invalid(set.check()); err != nil {
		return err
	}
	set.complete()
	revision := now.revision
	if p.Revision != nil {
		revision = *p.Revision
	}
	by := access.From(r.Context())
	err := s.c.Journal.Write(r.Context(), func(tx *journal.Tx) error {
		stored, err := tx.PutSetting(SettingKey(m.ID), encode(set), revision, by.Name)
		if err != nil {
			return err
		}
		tx.After(func(err error) {
			if err == nil {
				m.settings.Store(&kept{set, stored.Revision})
				signal(s.wake)
			}
		})
		return access.Record(tx, by, "setting", SettingKey(m.ID), string(encode(set)))
	})
	if err == nil && set.MatchByName != now.MatchByName {
		err = s.reindex(r.Context())
	}
	if err != nil {
		return api.Outdated(err)
	}
	return s.getMenu(w, r)
}

func (s *Service) getLinks(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, offset, err := page(r)
	if err != nil {
		return err
	}
	list := linkList{Menus: []linkSums{}, Links: []Row{}}
	id, text := q.Get("menu"), strings.ToLower(normal(q.Get("q")))
	if id != "" && s.menu(id) == nil {
		return problem(ErrMenu)
	}
	for _, m := range s.menus {
		if id != "" && m.ID != id {
			continue
		}
		sum := m.sums()
		list.Menus, list.Unlinked = append(list.Menus, sum), list.Unlinked.plus(sum.Unlinked)
		rows, err := s.Rows(r.Context(), m.ID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if q.Get("unlinked") == "true" && row.Linked || q.Get("kind") != "" && q.Get("kind") != row.Kind || text != "" && !strings.Contains(strings.ToLower(normal(row.Name)), text) {
				continue
			}
			if list.Total >= offset && len(list.Links) < limit {
				list.Links = append(list.Links, row)
			}
			list.Total++
		}
	}
	list.Green = list.Unlinked.Green()
	return api.Answer(w, http.StatusOK, list)
}

func (m *menu) sums() linkSums {
	m.mu.Lock()
	defer m.mu.Unlock()
	return linkSums{m.ID, m.unlinked, m.unlinked.Green(), m.entities}
}

func (s *Service) putLink(w http.ResponseWriter, r *http.Request) error {
	var p putLink
	if err := api.Decode(w, r, &p); err != nil {
		return err
	}
	var faults []api.Fault
	if rank(p.Kind) < 0 {
		faults = append(faults, api.Fault{Pointer: "/kind", Detail: "is none of item, group, modifier"})
	}
	if p.ID == "" || len(p.ID) > 300 || len(p.Group) > 300 {
		faults = append(faults, api.Fault{Pointer: "/id", Detail: "is not an id of GET /v1/menu/links"})
	}
	if err := api.Invalid(faults); err != nil {
		return err
	}
	if err := s.Tie(r.Context(), access.From(r.Context()), p.Menu, Link{Kind: p.Kind, Group: p.Group, ID: p.ID, Target: p.Target}); err != nil {
		return problem(err)
	}
	return api.Answer(w, http.StatusOK, s.menu(p.Menu).sums())
}

func (s *Service) getTargets(w http.ResponseWriter, r *http.Request) error {
	limit, _, err := page(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return api.Answer(w, http.StatusOK, choices{s.Targets(q.Get("kind"), q.Get("group"), q.Get("q"), limit)})
}

func (s *Service) postSync(w http.ResponseWriter, r *http.Request) error {
	var p postSync
	if err := api.Decode(w, r, &p); err != nil {
		return err
	}
	if p.Menu == "" && len(s.menus) == 1 {
		p.Menu = s.menus[0].ID
	}
	update := p.Update == nil || *p.Update
	if !update && !p.Publish {
		return api.Invalid([]api.Fault{{Pointer: "/update", Detail: "is false, and so is publish: there is nothing to do"}})
	}
	run, err := s.Start(r.Context(), access.From(r.Context()), p.Menu, update, p.Publish)
	return s.answerRun(w, http.StatusAccepted, run, err)
}

func (s *Service) answerRun(w http.ResponseWriter, status int, run Run, err error) error {
	if errors.Is(err, ErrRunning) {
		return &api.Problem{Status: http.StatusConflict, Code: "sync_running", Detail: err.Error(), Extra: map[string]any{"id": run.ID.String()}}
	}
	if err != nil {
		return problem(err)
	}
	return api.Answer(w, status, run)
}

func (s *Service) getRuns(w http.ResponseWriter, r *http.Request) error {
	limit, _, err := page(r)
	if err != nil {
		return err
	}
	var before journal.ID
	if v := r.URL.Query().Get("before"); v != "" {
		if before, err = journal.ParseID(v); err != nil {
			return api.Invalid([]api.Fault{{Pointer: "?before", Detail: "is not the id of a run"}})
		}
	}
	runs, err := s.Runs(r.Context(), r.URL.Query().Get("menu"), before, limit)
	if err != nil {
		return err
	}
	list := runList{Runs: runs}
	if len(runs) == limit {
		list.Next = runs[limit-1].ID.String()
	}
	return api.Answer(w, http.StatusOK, list)
}

func (s *Service) getRun(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "run")
	if err != nil {
		return err
	}
	limit, offset, err := page(r)
	if err != nil {
		return err
	}
	run, err := s.Find(r.Context(), id)
	if err != nil {
		return problem(err)
	}
	changes, err := s.Changes(r.Context(), id)
	if err != nil {
		return err
	}
	v := runView{Run: run, Total: len(changes)}
	v.Changes = orEmpty(changes[min(offset, len(changes)):min(offset+limit, len(changes))])
	return api.Answer(w, http.StatusOK, v)
}

func (s *Service) postConfirm(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "run")
	if err != nil {
		return err
	}
	run, err := s.Confirm(r.Context(), access.From(r.Context()), id)
	return s.answerRun(w, http.StatusAccepted, run, err)
}

func (s *Service) postDismiss(w http.ResponseWriter, r *http.Request) error {
	id, err := api.PathID(r, "run")
	if err != nil {
		return err
	}
	run, err := s.Dismiss(r.Context(), access.From(r.Context()), id)
	return s.answerRun(w, http.StatusOK, run, err)
}

// page reads limit and offset.
func page(r *http.Request) (limit, offset int, err error) {
	read := func(name string, otherwise, low, high int) int {
		v := r.URL.Query().Get(name)
		if v == "" {
			return otherwise
		}
		n, bad := strconv.Atoi(v)
		if bad != nil || n < low || n > high {
			err = api.Invalid([]api.Fault{{Pointer: "?" + name, Detail: "is not a whole number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high)}})
		}
		return n
	}
	return read("limit", 100, 1, 500), read("offset", 0, 0, 1_000_000), err
}
