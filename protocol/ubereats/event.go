package ubereats

import (
	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// Types of events.
const (
	OrderNotification     = "orders.notification"
	ScheduledNotification = "orders.scheduled.notification"
	OrderRelease          = "orders.release"
	OrderCancel           = "orders.cancel"
	OrderFailure          = "orders.failure"
	IssuesResolved        = "order.fulfillment_issues.resolved"
	StoreProvisioned      = "store.provisioned"
	StoreDeprovisioned    = "store.deprovisioned"
	MenuRefresh           = "store.menu_refresh_request"
)

// Notice is the body of every webhook.
type Notice struct {
	EventID      wire.Text        `json:"event_id"`
	EventType    wire.Text        `json:"event_type"`
	EventTime    wire.Text        `json:"event_time"` // seconds since 1970
	Meta         wire.Maybe[Meta] `json:"meta"`
	ResourceHref wire.Text        `json:"resource_href,omitzero"`
}

// Meta says what an event is about.
type Meta struct {
	ResourceID wire.Text `json:"resource_id,omitzero"` // the order
	UserID     wire.Text `json:"user_id,omitzero"`     // the store
	StoreID    wire.Text `json:"store_id,omitzero"`
	Status     wire.Text `json:"status,omitzero"`
	Reason     wire.Text `json:"reason,omitzero"`
}

// maxText bounds ids and reasons that an event brings, in bytes.
const maxText = 255

// Decode reads a webhook's body into an event; an order is only named by it. Events of types nobody knows are KindUnknown. The
// error is a *channel.Malformed.
func Decode(body []byte) (channel.Event, error) {
	var n Notice
	if err := wire.Read("", body, &n); err != nil {
		return channel.Event{}, err
	}
	meta := n.Meta.Or()
	e := channel.Event{ID: string(n.EventID), Type: string(n.EventType), Kind: channel.KindUnknown, Store: string(meta.UserID), Raw: append([]byte(nil), body...)}
	if e.Store == "" {
		e.Store = string(meta.StoreID)
	}
	e.At, _ = wire.ParseTime(n.EventTime)
	var faults wire.Faults
	if e.Type == "" {
		faults.Add("/event_type", "is missing")
	}
	if len(e.ID) > maxText || len(e.Type) > maxText || len(meta.ResourceID) > maxText {
		faults.Add("/event_id", "or another name is longer than %d bytes", maxText)
	}
	if e.ID == "" {
		e.ID = wire.EventID(body)
	}
	e.Ref = channel.Ref{Slug: Name, ID: string(meta.ResourceID), Event: e.ID}
	switch e.Type {
	case OrderNotification, ScheduledNotification:
		e.Kind = channel.KindOrder
	case IssuesResolved:
		e.Kind = channel.KindUpdate
	case OrderRelease:
		e.Kind = channel.KindRelease
	case OrderCancel, OrderFailure:
		e.Kind, e.Status = channel.KindCancel, channel.Cancelled
		e.Reason = string(meta.Reason[:min(len(meta.Reason), maxText)])
	case MenuRefresh:
		e.Kind = channel.KindMenu
	case StoreProvisioned, StoreDeprovisioned:
		e.Kind = channel.KindPairing
		e.Pairing = &channel.Pairing{Act: "link", Store: e.Store, Credentials: map[string]string{}}
		if e.Type == StoreDeprovisioned {
			e.Pairing.Act = "unlink"
		}
	}
	switch e.Kind {
	case channel.KindOrder, channel.KindUpdate, channel.KindRelease, channel.KindCancel:
		if e.Ref.ID == "" {
			faults.Add("/meta/resource_id", "is missing")
		}
	}
	return e, faults.Err()
}
