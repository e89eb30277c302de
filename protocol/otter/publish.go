package otter

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// SendMenuResult answers menus.send_menu.
type SendMenuResult struct {
	MenuData MenuData `json:"menuData"`
}

// CurrentMenu answers a request for our menu.
func (c *Client) CurrentMenu(ctx context.Context, event string, m channel.Menu) error {
	return c.do(ctx, famCurrent, false, rest.Call{Op: "send the menu", Method: http.MethodPost, Path: "/v1/menus/current", Header: eventHeader(event), In: SendMenuResult{FromMenu(&m, true)}})
}

// Job is Otter's answer to what takes longer.
type Job struct {
	JobReference    wire.Maybe[JobReference] `json:"jobReference"`
	JobType         wire.Text                `json:"jobType,omitzero"`
	PublishJobState map[string]PartnerState  `json:"publishJobState,omitzero"`
}

// JobReference names a job.
type JobReference struct {
	ID     wire.Text `json:"id"`
	Status wire.Text `json:"status"` // PENDING, FAILED, SUCCESS, UNKNOWN
}

// PartnerState is a publish at one marketplace.
type PartnerState struct {
	Status  wire.Text `json:"status"`
	Message wire.Text `json:"message,omitzero"`
}

// then marks the id of an upsert that is to be published once it is done.
const then = "+publish"

// Publish brings m to Otter: it reads the menus as they stand there, changes in them what the options allow, and upserts that.
// The upsert is a job; with o.Publish, Job publishes to the marketplaces when it is done, and follows that too.
func (c *Client) Publish(ctx context.Context, m channel.Menu, o channel.SyncOptions) (string, error) {
	if all := (channel.SyncOptions{Names: true, Prices: true, Descriptions: true, Photos: true, Hours: true, Taxes: o.Taxes, Availability: true, Organization: true,
		Arrangement: true, Rules: true, Create: true, Delete: true, Publish: o.Publish}); o != all || slices.ContainsFunc(m.Menus, hoursUnknown) { // the menu has no taxes
		now, err := c.Menus(ctx)
		if err != nil {
			return "", err
		}
		m = Merge(now, m, o)
	}
	var j Job
	if err := c.do(ctx, famUpsert, false, rest.Call{Op: "bring the menu", Method: http.MethodPost, Path: "/v1/menus", In: FromMenu(&m, false), Out: &j}); err != nil {
		return "", err
	}
	id := string(j.JobReference.Or().ID)
	if id != "" && o.Publish {
		id += then
	}
	return id, nil
}

// hoursUnknown says that an upsert of the menu would wipe the hours that were set at Otter.
func hoursUnknown(m channel.MenuPart) bool { return m.Opening == nil || len(m.Opening.Weekly) == 0 }

// Menus reads the store's menus as Otter has them.
func (c *Client) Menus(ctx context.Context) (channel.Menu, error) {
	var body []byte
	if err := c.do(ctx, famMenus, false, rest.Call{Op: "read the menus", Path: "/v1/menus", Out: &body}); err != nil {
		return channel.Menu{}, err
	}
	var d MenuData
	if err := wire.Read("", body, &d); err != nil {
		return channel.Menu{}, err
	}
	return d.Menu("")
}

// Sold reads what of the store's menus is for sale, modifiers among it. A suspension whose time is over is none.
func (c *Client) Sold(ctx context.Context) ([]channel.Availability, error) {
	var d struct {
		Items map[string]wire.Maybe[struct {
			Status wire.Maybe[ItemStatus] `json:"status"`
		}] `json:"items"`
	}
	var body []byte
	if err := c.do(ctx, famMenus, false, rest.Call{Op: "read what is sold", Path: "/v1/menus", Out: &body}); err != nil {
		return nil, err
	}
	if err := wire.Read("", body, &d); err != nil {
		return nil, err
	}
	list := make([]channel.Availability, 0, len(d.Items))
	for id, item := range d.Items {
		a := channel.Availability{ID: id, On: true}
		switch s := item.Or().Status.Or(); s.SaleStatus {
		case notForSale:
			a.On = false
		case notForNow:
			until, known := wire.ParseTime(s.SuspendedUntil)
			if a.On = known && !until.After(c.now()); !a.On {
				a.Until = until
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// PublishTargets are the marketplaces a menu may go to.
type PublishTargets struct {
	MenuPublishTargets map[string]PartnerState `json:"menuPublishTargets"`
}

// PublishOrder is the body of the manager's publish.
type PublishOrder struct {
	MenuPublishTargets []string `json:"menuPublishTargets"`
}

// PublishAnswer is what it answers.
type PublishAnswer struct {
	RequestSubmitted wire.Bool `json:"requestSubmitted"`
	JobID            wire.Text `json:"jobId"`
}

// Job tells how a job stands. When an upsert that is to be published is done, this call publishes it; the job has another id from
// then on, which is the one to ask for.
func (c *Client) Job(ctx context.Context, id string) (channel.Job, error) {
	upsert, publish := strings.CutSuffix(id, then)
	var j Job
	if err := c.do(ctx, famJob, false, rest.Call{Op: "read the menu job", Path: rest.Path("v1", "menus", "jobs", upsert), Out: &j}); err != nil {
		return channel.Job{}, err
	}
	job := channel.Job{ID: id, State: jobState(j.JobReference.Or().Status)}
	for _, slug := range slices.Sorted(maps.Keys(j.PublishJobState)) {
		p := j.PublishJobState[slug]
		job.Partners = append(job.Partners, channel.PartnerJob{Slug: slug, State: jobState(p.Status), Message: clip(p.Message)})
		job.Message = cmp.Or(job.Message, clip(p.Message))
	}
	if !publish || job.State != channel.JobDone {
		return job, nil
	}
	next, err := c.publish(ctx)
	if err != nil {
		return channel.Job{}, err
	}
	if next == "" {
		return job, nil
	}
	return channel.Job{ID: next, State: channel.JobPending}, nil
}

// publish brings the menus to all marketplaces; "" when there is none.
func (c *Client) publish(ctx context.Context) (job string, err error) {
	var t PublishTargets
	if err := c.do(ctx, famTargets, false, rest.Call{Op: "read the publish targets", Path: "/manager/menu/v1/menus/publish-targets", Out: &t}); err != nil {
		return "", err
	}
	targets := slices.Sorted(maps.Keys(t.MenuPublishTargets))
	if len(targets) == 0 {
		return "", nil
	}
	var a PublishAnswer
	err = c.do(ctx, famPublish, false, rest.Call{Op: "publish the menus", Method: http.MethodPost, Path: "/manager/menu/v1/menus/publish", In: PublishOrder{targets}, Out: &a})
	return string(a.JobID), err
}

func jobState(t wire.Text) channel.JobState {
	switch t {
	case "PENDING", "PUBLISH_IN_PROGRESS":
		return channel.JobPending
	case "SUCCESS":
		return channel.JobDone
	case "FAILED":
		return channel.JobFailed
	}
	return channel.JobUnknown
}

// SyncRequest is the body of the manager's menu-sync.
type SyncRequest struct {
	ShouldPublishChanges        bool            `json:"shouldPublishChanges"`
	UseCustomOptions            bool            `json:"useCustomOptions"`
	CustomBulkResolutionOptions map[string]bool `json:"customBulkResolutionOptions"`
}

// SyncAnswer is what it answers.
type SyncAnswer struct {
	JobID wire.Text `json:"jobId"`
}

// Sync has Otter fetch our menu by menus.send_menu and bring it in by itself, field by field as the options say.
func (c *Client) Sync(ctx context.Context, o channel.SyncOptions) (job string, err error) {
	in := SyncRequest{ShouldPublishChanges: o.Publish, UseCustomOptions: true, CustomBulkResolutionOptions: map[string]bool{
		"updateNames": o.Names, "updatePrices": o.Prices, "updateDescriptions": o.Descriptions, "bootstrapPhotosToEntities": o.Photos, "updateHours": o.Hours, "updateTaxes": o.Taxes,
		"updateItemSuspensionStatus": o.Availability, "updateMenuOrganization": o.Organization, "updateItemArrangement": o.Arrangement, "updateModifierGroupRules": o.Rules,
		"createUnmatchedEntities": o.Create, "copyEntityPaths": o.Create, "assignItemsToLocations": o.Create, "deleteMissingEntities": o.Delete, "unassignItemsFromLocations": o.Delete,
	}}
	var a SyncAnswer
	err = c.do(ctx, famSync, false, rest.Call{Op: "have the menu fetched", Method: http.MethodPost, Path: "/manager/menu/v1/menus/menu-sync", In: in, Out: &a})
	return string(a.JobID), err
}

// Suspension is the body of suspend and unsuspend.
type Suspension struct {
	EntityIDs []string                 `json:"entityIds"`
	Note      wire.Text                `json:"note,omitzero"`
	Status    wire.Maybe[SuspendState] `json:"status,omitzero"`
}

// SuspendState says for how long.
type SuspendState struct {
	IsIndefinite   bool      `json:"isIndefinite"`
	SuspendedUntil wire.Text `json:"suspendedUntil,omitzero"`
}

// Available says which items are sold. Items that come back at the same moment share a call; after an error all of it may be
// said again.
func (c *Client) Available(ctx context.Context, a []channel.Availability) error {
	var on []string
	off := map[wire.Text][]string{}
	for _, x := range a {
		if x.On {
			on = append(on, x.ID)
		} else {
			until := wire.Stamp(x.Until)
			off[until] = append(off[until], x.ID)
		}
	}
	for _, until := range slices.Sorted(maps.Keys(off)) {
		s := Suspension{EntityIDs: off[until], Status: wire.Some(SuspendState{IsIndefinite: until == "", SuspendedUntil: until})}
		if err := c.do(ctx, famSuspend, true, rest.Call{Op: "suspend items", Method: http.MethodPost, Path: "/manager/menu/v1/menus/entities/availability/suspend", In: s}); err != nil {
			return err
		}
	}
	if len(on) == 0 {
		return nil
	}
	return c.do(ctx, famUnsuspend, false, rest.Call{Op: "sell items again", Method: http.MethodPost, Path: "/manager/menu/v1/menus/entities/availability/unsuspend", In: Suspension{EntityIDs: on}})
}
