package otter

import (
	"context"
	"net/http"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// Result says how an event about the store went (spec/delivery.md 5.7).
type Result struct {
	OperationStatus       wire.Text `json:"operationStatus"`
	AdditionalInformation wire.Text `json:"additionalInformation,omitzero"`
	OperationFinishedAt   wire.Text `json:"operationFinishedAt"`
}

// Operation statuses that the box says.
const (
	succeeded    = "SUCCEEDED"
	failedInside = "INTERNAL_ERROR"
	alreadySo    = "IGNORED_ALREADY_IN_REQUESTED_STATE"
)

// PauseResult answers storefront.pause_store and storefront.unpause_store.
type PauseResult struct {
	ClosureID           wire.Text `json:"closureId,omitzero"`
	EventResultMetadata Result    `json:"eventResultMetadata"`
}

func (c *Client) result(failure string) Result {
	r := Result{OperationStatus: succeeded, OperationFinishedAt: wire.Stamp(c.now())}
	switch failure {
	case "":
	case alreadySo:
		r.OperationStatus = alreadySo
	default:
		r.OperationStatus, r.AdditionalInformation = failedInside, wire.Text(clip(wire.Text(failure)))
	}
	return r
}

// Paused answers a pause or a resume. The closure that a pause makes has the id of its event, which comes back with the resume.
func (c *Client) Paused(ctx context.Context, event string, paused bool, failure string) error {
	p := PauseResult{EventResultMetadata: c.result(failure)}
	path := "/v1/storefront/unpause"
	if paused {
		path = "/v1/storefront/pause"
		p.ClosureID = wire.Text(event)
	}
	return c.do(ctx, famPauseAnswer, false, rest.Call{Op: "answer a pause", Method: http.MethodPost, Path: path, Header: eventHeader(event), In: p})
}

// PauseRequest is the body of the manager's pause.
type PauseRequest struct {
	Start   wire.Text `json:"start,omitzero"`
	End     wire.Text `json:"end,omitzero"` // absent: four in the morning
	Comment wire.Text `json:"comment,omitzero"`
	Reason  wire.Text `json:"reason"`
}

// Pause stops the store at the marketplaces.
func (c *Client) Pause(ctx context.Context, until time.Time, reason string) error {
	return c.do(ctx, famPause, false, rest.Call{Op: "pause the store", Method: http.MethodPost, Path: "/manager/storefront/v1/storefront/pause",
		In: PauseRequest{Start: wire.Stamp(c.now()), End: wire.Stamp(until), Comment: wire.Text(clip(wire.Text(reason))), Reason: "OTHER"}})
}

// Resume opens it again.
func (c *Client) Resume(ctx context.Context) error {
	return c.do(ctx, famPause, false, rest.Call{Op: "resume the store", Method: http.MethodPost, Path: "/manager/storefront/v1/storefront/unpause"})
}

// Store states that the box tells.
const (
	StoreOpen   = "OPEN"
	StorePaused = "OPERATOR_PAUSED"
)

// StoreAvailability answers storefront.get_store_availability.
type StoreAvailability struct {
	StoreState          wire.Text `json:"storeState"`
	StatusChangedAt     wire.Text `json:"statusChangedAt"`
	EventResultMetadata Result    `json:"eventResultMetadata"`
}

// StoreResult answers stores.upsert.
type StoreResult struct {
	Success      bool                  `json:"success"`
	StoreID      wire.Text             `json:"storeId,omitzero"`
	ErrorMessage wire.Maybe[ErrorBody] `json:"errorMessage,omitzero"`
}

// StoreStatus is the body of PUT /v1/stores/status.
type StoreStatus struct {
	Status  wire.Text `json:"status"` // ACTIVE, SUSPENDED, INVALID
	Message wire.Text `json:"message,omitzero"`
}

// Status tells whether the store works with Otter: ACTIVE, SUSPENDED or INVALID.
func (c *Client) Status(ctx context.Context, status, message string) error {
	return c.do(ctx, famStoreStatus, false, rest.Call{Op: "tell the store's status", Method: http.MethodPut, Path: "/v1/stores/status",
		In: StoreStatus{wire.Text(status), wire.Text(clip(wire.Text(message)))}})
}

// PublishResult answers menus.menu_publish. An empty map says that all ids stay.
type PublishResult struct {
	RequestedToCreatedEntityIDs map[string]string `json:"requestedToCreatedEntityIds"`
}

// Answer answers an event. For KindStore, e.Reason is how the store stands: "" for open, anything else for paused; for
// KindAskHours, e.StoreHours is what is told. An event that wants no answer gets none, and nil.
func (c *Client) Answer(ctx context.Context, e channel.Event, f *channel.Failure) error {
	header := eventHeader(e.ID)
	call := rest.Call{Op: "answer " + e.Type, Method: http.MethodPost, Header: header}
	switch e.Kind {
	case channel.KindPairing:
		return c.pair(ctx, e, f)
	case channel.KindDelivery:
		if f == nil {
			f = &channel.Failure{Code: channel.CodeUnimplemented, Message: "This store has no couriers of its own."}
		}
		call.Path, call.In = "/v1/delivery/callback/error", CallbackError{wire.Text(f.Code), wire.Text(f.Message)}
		return c.do(ctx, famDelivery, false, call)
	case channel.KindStatus, channel.KindInjection, channel.KindReport, channel.KindPing, channel.KindUnknown, channel.KindCancel:
		return nil
	case channel.KindPause, channel.KindResume:
		failure := ""
		if f != nil {
			failure = f.Message
		}
		return c.Paused(ctx, e.ID, e.Kind == channel.KindPause, failure)
	}
	if f != nil {
		return c.failed(ctx, e.ID, e.Kind == channel.KindOrder, *f)
	}
	switch e.Kind {
	case channel.KindOrder, channel.KindUpdate:
		return c.Created(ctx, channel.Ref{Event: e.ID})
	case channel.KindAvailability:
		call.Path = "/v1/menus/entity/availability/bulk"
		return c.do(ctx, famAvailability, false, call)
	case channel.KindHours:
		call.Path = "/v1/menus/hours"
		return c.do(ctx, famHours, false, call)
	case channel.KindPublish:
		call.Path, call.In = "/v1/menus/publish", PublishResult{map[string]string{}}
		return c.do(ctx, famPublished, false, call)
	case channel.KindAskHours:
		if e.StoreHours == nil {
			return c.failed(ctx, e.ID, false, channel.Failure{Code: channel.CodeNotFound, Message: "No opening hours of this store's menus are known."})
		}
		call.Path = "/v1/storefront/hours"
		call.In = StoreHoursResult{StoreHoursConfiguration: FromStoreHours(e.StoreHours), StatusChangedAt: wire.Stamp(e.StoreHours.At), EventResultMetadata: c.result("")}
		return c.do(ctx, famStoreHours, false, call)
	case channel.KindStore:
		s := StoreAvailability{StoreState: StoreOpen, StatusChangedAt: wire.Stamp(c.now()), EventResultMetadata: c.result("")}
		if e.Reason != "" {
			s.StoreState = StorePaused
		}
		call.Path, call.In = "/v1/storefront/availability", s
		return c.do(ctx, famStoreState, false, call)
	}
	return channel.ErrUnsupported
}

// pair answers stores.upsert: the store is known here by our id from now on. The other events of pairing want no answer.
func (c *Client) pair(ctx context.Context, e channel.Event, f *channel.Failure) error {
	if e.Type != UpsertStore {
		return nil
	}
	r := StoreResult{Success: f == nil, StoreID: wire.Text(c.c.Store)}
	if f != nil {
		r.StoreID, r.ErrorMessage = "", wire.Some(ErrorBody{Message: wire.Text(f.Message)})
	}
	header := eventHeader(e.ID)
	if a := c.c.Credentials.Application; a != "" {
		header.Set("X-Application-Id", a)
	}
	return c.do(ctx, famStores, false, rest.Call{Op: "answer the pairing", Method: http.MethodPost, Path: "/v1/stores", Header: header, In: r})
}
