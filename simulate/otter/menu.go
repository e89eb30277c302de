package otter

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/otter"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
)

// Menu is the store's menus as Otter has them.
func (s *Simulator) Menu() otter.MenuData {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.menu
}

// Targets are the marketplaces a menu is published to. What is in failing says no, with those words.
func (s *Simulator) Targets(slugs []string, failing map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets, s.failing = slices.Clone(slugs), failing
}

// newJob makes a job; s.mu is held.
func (s *Simulator) newJob(kind string) *job {
	s.number++
	j := &job{Job: otter.Job{JobType: wire.Text(kind), JobReference: wire.Some(otter.JobReference{ID: wire.Text(fmt.Sprintf("00000000-0000-4000-9000-%012d", s.number)), Status: "PENDING"})}}
	s.jobs[string(j.JobReference.V.ID)] = j
	return j
}

// upsert is POST /v1/menus.
func (s *Simulator) upsert(v *cloud.Visit) cloud.Answer {
	var d otter.MenuData
	if err := json.Unmarshal(v.Raw, &d); err != nil || len(d.Menus) == 0 {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.", otter.ErrorDetail{Attribute: "menus", Message: "is missing or makes no sense"})
	}
	if a, ok := whole(d); !ok {
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.menu = d
	return cloud.Answer{Status: http.StatusAccepted, Body: s.newJob("UPSERT").clone()}
}

// whole checks that a menu names nothing it does not have.
func whole(d otter.MenuData) (cloud.Answer, bool) {
	var details []otter.ErrorDetail
	miss := func(kind, id, of string) {
		if len(details) < 5 {
			details = append(details, otter.ErrorDetail{Attribute: wire.Text(of), Message: wire.Text(fmt.Sprintf("%s %s does not exist", kind, id))})
		}
	}
	for _, m := range d.Menus {
		for _, id := range m.CategoryIDs {
			if _, ok := d.Categories[id]; !ok {
				miss("category", id, m.ID)
			}
		}
	}
	for _, c := range d.Categories {
		for _, id := range c.ItemIDs {
			if _, ok := d.Items[id]; !ok {
				miss("item", id, c.ID)
			}
		}
	}
	for _, i := range d.Items {
		for _, id := range i.ModifierGroupIDs {
			if _, ok := d.ModifierGroups[id]; !ok {
				miss("modifier group", id, i.ID)
			}
		}
	}
	for _, g := range d.ModifierGroups {
		for _, id := range g.ItemIDs {
			if _, ok := d.Items[id]; !ok {
				miss("item", id, g.ID)
			}
		}
	}
	if len(details) > 0 {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.", details...), false
	}
	return cloud.Answer{}, true
}

func (s *Simulator) job(v *cloud.Visit) cloud.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[v.PathValue("job")]
	if !ok {
		return refuse(http.StatusNotFound, "Resource not found.")
	}
	j.looks++
	if j.looks > 1 && !j.waits && j.JobReference.V.Status == "PENDING" {
		j.JobReference.V.Status = "SUCCESS"
		for slug, p := range j.PublishJobState {
			p.Status = "SUCCESS"
			if why, fails := s.failing[slug]; fails {
				p.Status, p.Message = "FAILED", wire.Text(why)
				j.JobReference.V.Status = "FAILED"
			}
			j.PublishJobState[slug] = p
		}
	}
	return cloud.Answer{Status: http.StatusOK, Body: j.clone()}
}

// clone is safe to write out when the lock is gone.
func (j *job) clone() otter.Job {
	c := j.Job
	c.JobReference = wire.Some(*j.JobReference.V)
	if j.PublishJobState != nil {
		c.PublishJobState = map[string]otter.PartnerState{}
		for slug, p := range j.PublishJobState {
			c.PublishJobState[slug] = p
		}
	}
	return c
}

func (s *Simulator) publishTargets(*cloud.Visit) cloud.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := otter.PublishTargets{MenuPublishTargets: map[string]otter.PartnerState{}}
	for _, slug := range s.targets {
		t.MenuPublishTargets[slug] = otter.PartnerState{Status: "READY"}
	}
	return cloud.Answer{Status: http.StatusOK, Body: t}
}

func (s *Simulator) publish(v *cloud.Visit) cloud.Answer {
	var p otter.PublishOrder
	if err := json.Unmarshal(v.Raw, &p, json.RejectUnknownMembers(true)); err != nil || len(p.MenuPublishTargets) == 0 {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.newJob("PUBLISH")
	s.publishing(j, p.MenuPublishTargets)
	return cloud.Answer{Status: http.StatusAccepted, Body: otter.PublishAnswer{RequestSubmitted: true, JobID: j.JobReference.V.ID}}
}

func (s *Simulator) publishing(j *job, targets []string) {
	j.PublishJobState = map[string]otter.PartnerState{}
	for _, slug := range targets {
		j.PublishJobState[slug] = otter.PartnerState{Status: "PENDING"}
	}
}

// sync is the manager's menu-sync: Otter asks the box for its menu, and takes of it what the options say.
func (s *Simulator) sync(v *cloud.Visit) cloud.Answer {
	var q otter.SyncRequest
	if err := json.Unmarshal(v.Raw, &q, json.RejectUnknownMembers(true)); err != nil {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
	}
	o := q.CustomBulkResolutionOptions
	s.mu.Lock()
	j := s.newJob("SYNC")
	j.waits = true
	j.o = channel.SyncOptions{Names: o["updateNames"], Prices: o["updatePrices"], Descriptions: o["updateDescriptions"], Photos: o["bootstrapPhotosToEntities"], Hours: o["updateHours"],
		Taxes: o["updateTaxes"], Availability: o["updateItemSuspensionStatus"], Organization: o["updateMenuOrganization"], Arrangement: o["updateItemArrangement"],
		Rules: o["updateModifierGroupRules"], Create: o["createUnmatchedEntities"], Delete: o["deleteMissingEntities"], Publish: q.ShouldPublishChanges}
	if q.ShouldPublishChanges {
		s.publishing(j, s.targets)
	}
	id := "sync-" + string(j.JobReference.V.ID)
	s.syncing[id] = j
	answer := otter.SyncAnswer{JobID: j.JobReference.V.ID}
	s.mu.Unlock()
	s.Go(func(ctx context.Context) { s.Send(ctx, deliveries.Event{ID: id, Kind: channel.KindMenu}) })
	return cloud.Answer{Status: http.StatusAccepted, Body: answer}
}

// current is the answer to menus.send_menu.
func (s *Simulator) current(v *cloud.Visit) cloud.Answer {
	e, a, ok := s.answers(v)
	if !ok {
		return a
	}
	var r otter.SendMenuResult
	if err := json.Unmarshal(v.Raw, &r, json.RejectUnknownMembers(true)); err != nil {
		return refuse(http.StatusBadRequest, "The request is malformed.")
	}
	if a, ok := whole(r.MenuData); !ok {
		return a
	}
	wanted, err := r.MenuData.Menu("")
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	s.mu.Lock()
	j := s.syncing[e.ID]
	if j != nil {
		now, err := s.menu.Menu("")
		if err == nil {
			m := otter.Merge(now, wanted, j.o)
			s.menu = otter.FromMenu(&m, true)
		}
		j.waits = false
		delete(s.syncing, e.ID)
	} else {
		s.menu = r.MenuData
	}
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "current", Event: e.ID, Detail: fmt.Sprintf("%d items", len(r.MenuData.Items))}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

// Switch is somebody at Otter's tablet who takes an item off sale, or back: the box is told nothing.
func (s *Simulator) Switch(id string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(id, on, otter.SuspendState{IsIndefinite: true})
}

// set sells an item, or no longer; s.mu is held.
func (s *Simulator) set(id string, on bool, how otter.SuspendState) {
	delete(s.off, id)
	status := otter.ItemStatus{SaleStatus: "FOR_SALE"}
	if !on {
		s.off[id] = how
		if status.SaleStatus = "TEMPORARILY_NOT_FOR_SALE"; how.IsIndefinite {
			status.SaleStatus = "INDEFINITELY_NOT_FOR_SALE"
		}
		status.SuspendedUntil = how.SuspendedUntil
	}
	if item, ok := s.menu.Items[id]; ok {
		item.Status = status
		s.menu.Items = maps.Clone(s.menu.Items)
		s.menu.Items[id] = item
	}
}

func (s *Simulator) suspend(on bool) func(v *cloud.Visit) cloud.Answer {
	return func(v *cloud.Visit) cloud.Answer {
		var q otter.Suspension
		if err := json.Unmarshal(v.Raw, &q, json.RejectUnknownMembers(true)); err != nil || len(q.EntityIDs) == 0 || !on && q.Status.V == nil {
			return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
		}
		op := "unsuspend"
		if !on {
			op = "suspend"
		}
		s.mu.Lock()
		for _, id := range q.EntityIDs {
			s.set(id, on, q.Status.Or())
		}
		body := s.newJob("UPDATE_AVAILABILITY").clone()
		s.mu.Unlock()
		s.Do(deliveries.Act{Op: op, Detail: string(v.Raw)}, "", nil)
		return cloud.Answer{Status: http.StatusAccepted, Body: body}
	}
}
