package otter

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
)

// Types of events (spec/delivery.md 5.3).
const (
	NewOrder         = "orders.new_order"
	UpdateOrder      = "orders.update"
	CancelOrder      = "orders.cancel_order"
	OrderStatus      = "orders.order_status_update"
	InjectionState   = "orders.pos_injection_state_update"
	OrderConfirmed   = "orders.confirm"
	OrderReady       = "orders.order_ready"
	OrderHandedOff   = "orders.order_handed_off"
	OrderFulfilled   = "orders.order_fulfilled"
	SendMenu         = "menus.send_menu"
	MenuPublish      = "menus.menu_publish"
	Availabilities   = "menus.update_menu_entities_availabilities"
	UpsertHours      = "menus.upsert_hours"
	PauseStore       = "storefront.pause_store"
	UnpauseStore     = "storefront.unpause_store"
	GetAvailability  = "storefront.get_store_availability"
	GetHours         = "storefront.get_store_hours"
	UpsertStore      = "stores.upsert"
	RemoveStore      = "stores.remove"
	FetchCredentials = "stores.fetch_credentials"
	ReportGenerated  = "reports.report_generated"
	Ping             = "ping.ping"
)

// Envelope is what every webhook is (spec/delivery.md 5.2).
type Envelope struct {
	EventID   wire.Text            `json:"eventId"`
	EventTime wire.Text            `json:"eventTime"`
	EventType wire.Text            `json:"eventType"`
	Metadata  wire.Maybe[Metadata] `json:"metadata"`
}

// Metadata says whom an event concerns, and has its payload.
type Metadata struct {
	StoreID       wire.Text      `json:"storeId,omitzero"`
	ApplicationID wire.Text      `json:"applicationId,omitzero"`
	ResourceID    wire.Text      `json:"resourceId,omitzero"`
	ResourceHref  wire.Text      `json:"resourceHref,omitzero"`
	Payload       jsontext.Value `json:"payload,omitzero"`
}

// CancelIntent is the payload of orders.cancel_order.
type CancelIntent struct {
	ExternalIdentifiers wire.Maybe[Identifiers] `json:"externalIdentifiers"`
	CancellationReason  wire.Text               `json:"cancellationReason"`
}

// StatusHistory is the payload of orders.order_status_update: all that has happened, in whatever order.
type StatusHistory struct {
	OrderStatusHistory  wire.List[StatusEvent]   `json:"orderStatusHistory"`
	OrderAcceptedInfo   wire.Maybe[AcceptedInfo] `json:"orderAcceptedInfo,omitzero"`
	ExternalIdentifiers wire.Maybe[Identifiers]  `json:"externalIdentifiers,omitzero"` // not in the specification
}

// StatusEvent is one step of an order.
type StatusEvent struct {
	Status    wire.Text `json:"status"`
	EventTime wire.Text `json:"eventTime,omitzero"`
}

// AcceptedInfo says what the restaurant promised.
type AcceptedInfo struct {
	PreparationTimeInMinutes wire.Number `json:"preparationTimeInMinutes"`
}

// InjectionUpdate is the payload of orders.pos_injection_state_update.
type InjectionUpdate struct {
	ExternalIdentifiers wire.Maybe[Identifiers] `json:"externalIdentifiers"`
	InjectionState      wire.Text               `json:"injectionState"`
	InjectionIssue      wire.Text               `json:"injectionIssue,omitzero"`
}

// OrderStep is the payload of orders.confirm and its sisters.
type OrderStep struct {
	OrderID wire.Text `json:"orderId"`
}

// StatusUpdates is the payload of menus.update_menu_entities_availabilities.
type StatusUpdates struct {
	Updates wire.List[StatusUpdate] `json:"updates"`
}

// StatusUpdate sells an item, or no longer.
type StatusUpdate struct {
	Selector wire.Maybe[Selector]   `json:"selector"`
	Status   wire.Maybe[ItemStatus] `json:"status"`
}

// Selector names an item.
type Selector struct {
	ID         wire.Text `json:"id"`
	IsModifier wire.Bool `json:"isModifier,omitzero"`
}

// PublishRequest is the payload of menus.menu_publish.
type PublishRequest struct {
	MenuData wire.Maybe[MenuData] `json:"menuData"`
}

// StoreLink is the payload of stores.upsert, stores.remove and stores.fetch_credentials.
type StoreLink struct {
	CredentialsSchemaVersion wire.Text             `json:"credentialsSchemaVersion,omitzero"`
	Credentials              wire.List[Credential] `json:"credentials,omitzero"`
	StoreInfo                wire.Maybe[StoreInfo] `json:"storeInfo,omitzero"`
}

// Credential is a field that a person filled in at Otter's.
type Credential struct {
	Key   wire.Text `json:"key"`
	Label wire.Text `json:"label,omitzero"`
	Value wire.Text `json:"value,omitzero"`
}

// StoreInfo is a store as Otter knows it.
type StoreInfo struct {
	Name            wire.Text `json:"name,omitzero"`
	Address         wire.Text `json:"address,omitzero"`
	CurrencyCode    wire.Text `json:"currencyCode,omitzero"`
	Timezone        wire.Text `json:"timezone,omitzero"`
	InternalStoreID wire.Text `json:"internalStoreId,omitzero"`
}

// maxText bounds ids and reasons that an event brings, in bytes.
const maxText = 255

// Decode reads a webhook's body into an event. Events of types nobody knows are KindUnknown. note tells what is odd about it.
// The error is a *channel.Malformed.
func Decode(body []byte) (e channel.Event, note string, err error) {
	var env Envelope
	if err := wire.Read("", body, &env); err != nil {
		return e, "", err
	}
	meta := env.Metadata.Or()
	e = channel.Event{ID: string(env.EventID), Type: string(env.EventType), Kind: kind(string(env.EventType)), Store: string(meta.StoreID), Raw: slices.Clone(body)}
	var faults wire.Faults
	if e.Type == "" {
		faults.Add("/eventType", "is missing")
	}
	if len(e.ID) > maxText || len(e.Type) > maxText {
		faults.Add("/eventId", "or the type is longer than %d bytes", maxText)
	}
	if err := faults.Err(); err != nil {
		return e, "", err
	}
	if e.ID == "" {
		e.ID, note = wire.EventID(body), "it has no eventId"
	}
	if at, ok := wire.ParseTime(env.EventTime); ok {
		e.At = at
	} else {
		note = "its eventTime is not a time"
	}
	v := event{e, meta}
	err = v.decode()
	return v.Event, note, err
}

// kind is what an event of a type is about.
func kind(t string) channel.Kind {
	switch t {
	case NewOrder:
		return channel.KindOrder
	case UpdateOrder:
		return channel.KindUpdate
	case CancelOrder:
		return channel.KindCancel
	case OrderStatus, OrderConfirmed, OrderReady, OrderHandedOff, OrderFulfilled:
		return channel.KindStatus
	case InjectionState:
		return channel.KindInjection
	case SendMenu:
		return channel.KindMenu
	case MenuPublish:
		return channel.KindPublish
	case Availabilities:
		return channel.KindAvailability
	case UpsertHours:
		return channel.KindHours
	case PauseStore:
		return channel.KindPause
	case UnpauseStore:
		return channel.KindResume
	case GetAvailability:
		return channel.KindStore
	case GetHours:
		return channel.KindAskHours
	case UpsertStore, RemoveStore, FetchCredentials:
		return channel.KindPairing
	case ReportGenerated:
		return channel.KindReport
	case Ping:
		return channel.KindPing
	}
	if strings.HasPrefix(t, "delivery.") {
		return channel.KindDelivery
	}
	return channel.KindUnknown
}

// payloadAt is where an event's payload stands in its message.
const payloadAt = "/metadata/payload"

func (e *event) decode() error {
	e.Ref = channel.Ref{Event: e.ID, ID: string(e.meta.ResourceID), Slug: slugIn(string(e.meta.ResourceHref))}
	switch e.Kind {
	case channel.KindOrder, channel.KindUpdate:
		return e.order()
	case channel.KindCancel:
		var p CancelIntent
		if err := e.payload(&p); err != nil {
			return err
		}
		e.Reason = clip(p.CancellationReason)
		return e.names(p.ExternalIdentifiers)
	case channel.KindInjection:
		var p InjectionUpdate
		if err := e.payload(&p); err != nil {
			return err
		}
		e.Injection, e.Issue = injection(p.InjectionState), clip(p.InjectionIssue)
		return e.names(p.ExternalIdentifiers)
	case channel.KindStatus:
		return e.status()
	case channel.KindAvailability:
		return e.availability()
	case channel.KindHours:
		e.hours()
	case channel.KindPublish:
		var p PublishRequest
		if err := e.payload(&p); err != nil {
			return err
		}
		m, err := p.MenuData.Or().Menu(payloadAt + "/menuData")
		if err != nil {
			return err
		}
		e.Menu = &m
	case channel.KindResume:
		e.Reason = closure(e.meta.Payload)
	case channel.KindPairing:
		return e.pairing()
	}
	return nil
}

// An event on its way from the wire.
type event struct {
	channel.Event
	meta Metadata
}

func (e *event) payload(v any) error {
	if len(e.meta.Payload) == 0 {
		return &channel.Malformed{Faults: []channel.Fault{{Pointer: payloadAt, Detail: "is missing"}}}
	}
	return wire.Read(payloadAt, e.meta.Payload, v)
}

func (e *event) order() error {
	var p Order
	if err := e.payload(&p); err != nil {
		return err
	}
	o, err := p.Channel(payloadAt)
	if err != nil {
		return err
	}
	if r := string(e.meta.ResourceID); r != o.ID {
		o.AggregatorID = r
	}
	e.Order = &o
	e.Ref = o.Ref()
	e.Ref.Event = e.ID
	if e.Kind == channel.KindUpdate {
		e.Status = o.Status
	}
	return nil
}

// names fills the reference from the identifiers of a payload; without any, the metadata's stay.
func (e *event) names(m wire.Maybe[Identifiers]) error {
	if id := m.Or(); id.ID != "" {
		e.Ref.ID, e.Ref.Slug, e.Ref.FriendlyID = string(id.ID), slug(id.Source), string(id.FriendlyID)
	}
	if e.Ref.ID == "" {
		return &channel.Malformed{Faults: []channel.Fault{{Pointer: payloadAt + "/externalIdentifiers/id", Detail: "is missing"}}}
	}
	return nil
}

func (e *event) status() error {
	switch e.Type {
	case OrderConfirmed:
		e.Status = channel.Accepted
	case OrderReady:
		e.Status = channel.Prepared
	case OrderHandedOff:
		e.Status = channel.HandedOff
	case OrderFulfilled:
		e.Status = channel.Fulfilled
	default:
		var p StatusHistory
		if err := e.payload(&p); err != nil {
			return err
		}
		for _, step := range p.OrderStatusHistory { // by rank: the list has no order that is promised
			if s := status(step.Status); s.Rank() > e.Status.Rank() {
				e.Status = s
			}
		}
		return e.names(p.ExternalIdentifiers)
	}
	var p OrderStep
	if err := e.payload(&p); err != nil {
		return err
	}
	if p.OrderID != "" {
		e.Ref.ID = string(p.OrderID)
	}
	return e.names(wire.Maybe[Identifiers]{})
}

func (e *event) availability() error {
	var p StatusUpdates
	if err := e.payload(&p); err != nil {
		return err
	}
	if len(p.Updates) > maxUpdates {
		return &channel.Malformed{Faults: []channel.Fault{{Pointer: payloadAt + "/updates", Detail: "are too many"}}}
	}
	for _, u := range p.Updates {
		id, s := u.Selector.Or().ID, u.Status.Or()
		if id == "" {
			continue
		}
		until, _ := wire.ParseTime(s.SuspendedUntil)
		e.Availability = append(e.Availability, channel.Availability{ID: string(id), On: s.SaleStatus == forSale || s.SaleStatus == "", Until: until})
	}
	return nil
}

// maxUpdates bounds the items of one availability update.
const maxUpdates = 20000

func (e *event) pairing() error {
	var p StoreLink
	if len(e.meta.Payload) > 0 {
		if err := e.payload(&p); err != nil {
			return err
		}
	}
	info := p.StoreInfo.Or()
	e.Pairing = &channel.Pairing{Store: e.Store, Name: clip(info.Name), Credentials: map[string]string{}}
	if e.Pairing.Store == "" {
		e.Pairing.Store = clip(info.InternalStoreID)
	}
	switch e.Type {
	case UpsertStore:
		e.Pairing.Act = "link"
	case RemoveStore:
		e.Pairing.Act = "unlink"
	default:
		e.Pairing.Act = "credentials"
	}
	for i, c := range p.Credentials {
		if i == maxCredentials {
			break
		}
		e.Pairing.Credentials[clip(c.Key)] = clip(c.Value)
	}
	return nil
}

const maxCredentials = 50

// closure is the id of a closure: a text, an object with an id, or nothing (spec/delivery.md 5.3).
func closure(v jsontext.Value) string {
	var t wire.Text
	var o struct {
		ClosureID wire.Text `json:"closureId"`
		ID        wire.Text `json:"id"`
	}
	switch v.Kind() {
	case '"':
		if wire.Read("", v, &t) != nil {
			return ""
		}
	case '{':
		if wire.Read("", v, &o) != nil {
			return ""
		}
		t = cmp.Or(o.ClosureID, o.ID)
	}
	return clip(t)
}

// injection is a state as events spell it; the manager's answers spell two of them otherwise (spec/delivery.md 5.6).
func injection(t wire.Text) channel.InjectionState {
	switch t {
	case "SUCCEEDED_WITH_UNLINKED_ITEM":
		return channel.InjectionUnlinked
	case "FAILED_ATTEMPT":
		return channel.InjectionFailing
	}
	return channel.InjectionState(clip(t))
}

// slugIn is the marketplace in an address of an order, "" when there is none.
func slugIn(href string) string {
	_, rest, found := strings.Cut(href, "/sources/")
	if !found {
		return ""
	}
	s, _, _ := strings.Cut(rest, "/")
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	return slug(wire.Text(clip(wire.Text(s))))
}

// clip keeps what an event brings short.
func clip(t wire.Text) string {
	if len(t) > maxText {
		return strings.ToValidUTF8(string(t[:maxText]), "")
	}
	return string(t)
}
