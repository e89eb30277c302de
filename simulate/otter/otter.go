// Package otter is Otter with one store: its token endpoint, the answers to its webhooks, the manager's calls on orders, menus
// and the storefront, and the feed, each with its own limit. Its wire is that of protocol/otter, its book and faults those of
// simulate/deliveries.
package otter

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/otter"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
)

// Config is what Otter is.
type Config = deliveries.Config

// A Simulator is Otter. Its methods may be called from any goroutine.
type Simulator struct {
	*deliveries.Simulator
	c      Config
	seal   wire.Seal
	tokens cloud.Tokens

	mu      sync.Mutex // guards what follows
	menu    otter.MenuData
	targets []string          // marketplaces a menu is published to
	failing map[string]string // of those, what they say of a publish
	jobs    map[string]*job
	syncing map[string]*job // by the event that asks for the menu
	off     map[string]otter.SuspendState
	paused  bool
	paired  string // our id, as the box told it
	status  string // of the store
	hours   Hours
	number  int
}

// A job is done at the second look.
type job struct {
	otter.Job
	looks int
	waits bool // for the menu
	o     channel.SyncOptions
}

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	s := &Simulator{c: c, seal: wire.Seal{Secret: c.Secret, Header: otter.SignatureHeader}, targets: []string{"deliveroo", "doordash", "ubereats"},
		failing: map[string]string{}, hours: Hours{Menus: map[string]otter.HoursData{}}, jobs: map[string]*job{}, syncing: map[string]*job{}, off: map[string]otter.SuspendState{}}
	var err error
	s.Simulator, err = deliveries.New(c, deliveries.Dialect{Routes: s.routes(), Admit: s.admit, Message: s.message})
	return s, err
}

func (s *Simulator) routes() []cloud.Route {
	const order = "/manager/order/v1/sources/{source}/orders/{order}"
	accepted := func(op string, status channel.Status, detail func(v *cloud.Visit) (string, bool)) func(v *cloud.Visit) cloud.Answer {
		return func(v *cloud.Visit) cloud.Answer { return s.manage(v, op, status, detail) }
	}
	return []cloud.Route{
		{Op: "token", Pattern: "POST /v1/auth/token", Open: true, Do: func(v *cloud.Visit) cloud.Answer { return s.tokens.OAuth(v, s.c.ClientID, s.c.ClientSecret) }},
		{Op: "ping", Pattern: "GET /v1/ping", Do: s.ping},
		{Op: "order-created", Pattern: "POST /manager/order/v1/orders/order-created", Limit: 32, Do: s.created},
		{Op: "callback error", Pattern: "POST /v1/callback/error", Limit: 32, Do: s.failed},
		{Op: "delivery callback", Pattern: "POST /v1/delivery/callback/error", Do: s.answered("delivery_error", http.StatusNoContent)},
		{Op: "feed", Pattern: "GET /manager/order/v1/orders", Do: s.feed},
		{Op: "order", Pattern: "GET " + order, Do: s.one},
		{Op: "confirm", Pattern: "POST " + order + "/confirm", Limit: 32, Do: accepted(deliveries.Accepted, channel.Accepted, minutes[otter.Confirmation])},
		{Op: "cancel", Pattern: "POST " + order + "/cancel", Limit: 32, Do: accepted(deliveries.Cancelled, channel.Cancelled, reason)},
		{Op: "ready-to-pickup", Pattern: "POST " + order + "/ready-to-pickup", Limit: 32, Do: accepted(deliveries.Ready, channel.Prepared, nil)},
		{Op: "fulfill", Pattern: "POST " + order + "/fulfill", Limit: 32, Do: accepted(deliveries.Fulfilled, channel.Fulfilled, nil)},
		{Op: "close", Pattern: "POST " + order + "/close", Limit: 32, Do: accepted("close", channel.Fulfilled, nil)},
		{Op: "prep-time", Pattern: "POST " + order + "/prep-time", Limit: 32, Do: accepted(deliveries.PrepTime, "", minutes[otter.PreparationMinutes])},
		{Op: "upsert", Pattern: "POST /v1/menus", Limit: 2, Do: s.upsert},
		{Op: "menus", Pattern: "GET /v1/menus", Limit: 8, Do: func(*cloud.Visit) cloud.Answer { return cloud.Answer{Status: http.StatusOK, Body: s.Menu()} }},
		{Op: "job", Pattern: "GET /v1/menus/jobs/{job}", Limit: 8, Do: s.job},
		{Op: "targets", Pattern: "GET /manager/menu/v1/menus/publish-targets", Limit: 2, Do: s.publishTargets},
		{Op: "publish", Pattern: "POST /manager/menu/v1/menus/publish", Limit: 2, Do: s.publish},
		{Op: "sync", Pattern: "POST /manager/menu/v1/menus/menu-sync", Limit: 2, Do: s.sync},
		{Op: "suspend", Pattern: "POST /manager/menu/v1/menus/entities/availability/suspend", Limit: 16, Do: s.suspend(false)},
		{Op: "unsuspend", Pattern: "POST /manager/menu/v1/menus/entities/availability/unsuspend", Limit: 16, Do: s.suspend(true)},
		{Op: "current", Pattern: "POST /v1/menus/current", Limit: 4, Do: s.current},
		{Op: "published", Pattern: "POST /v1/menus/publish", Limit: 8, Do: s.answered("published", http.StatusNoContent)},
		{Op: "hours", Pattern: "POST /v1/menus/hours", Limit: 8, Do: s.hoursTaken},
		{Op: "availability", Pattern: "POST /v1/menus/entity/availability/bulk", Limit: 32, Do: s.answered("availability", http.StatusNoContent)},
		{Op: "store availability", Pattern: "POST /v1/storefront/availability", Limit: 16, Do: s.answered("store_availability", http.StatusNoContent)},
		{Op: "store hours", Pattern: "POST /v1/storefront/hours", Limit: 16, Do: s.storeHours},
		{Op: "paused", Pattern: "POST /v1/storefront/pause", Limit: 8, Do: s.answered("paused", http.StatusNoContent)},
		{Op: "unpaused", Pattern: "POST /v1/storefront/unpause", Limit: 8, Do: s.answered("unpaused", http.StatusNoContent)},
		{Op: "pause", Pattern: "POST /manager/storefront/v1/storefront/pause", Limit: 8, Do: s.pause(true)},
		{Op: "unpause", Pattern: "POST /manager/storefront/v1/storefront/unpause", Limit: 8, Do: s.pause(false)},
		{Op: "stores", Pattern: "POST /v1/stores", Limit: 2, Do: s.stores},
		{Op: "store status", Pattern: "PUT /v1/stores/status", Limit: 2, Do: s.storeStatus},
	}
}

// refuse is what Otter says of a call it does not take.
func refuse(status int, message string, details ...otter.ErrorDetail) cloud.Answer {
	return cloud.Answer{Status: status, Body: otter.ErrorBody{Message: wire.Text(message), Details: details}}
}

func (s *Simulator) admit(r *http.Request) (cloud.Answer, bool) {
	if !s.tokens.Good(cloud.Bearer(r), s.c.Now()) {
		return refuse(http.StatusUnauthorized, "Invalid authorization."), false
	}
	if r.Header.Get("X-Store-Id") != s.c.Store {
		return refuse(http.StatusForbidden, "Authorization not valid for the requested resource."), false
	}
	return cloud.Answer{}, true
}

// Expire ends all tokens.
func (s *Simulator) Expire() { s.tokens.Expire() }

// message is the webhook of an event.
func (s *Simulator) message(e deliveries.Event, _ time.Time) (http.Header, []byte, error) {
	kind, payload := e.Type, e.Payload
	resource := e.Ref.ID
	ids := wire.Some(otter.Identifiers{ID: wire.Text(e.Ref.ID), FriendlyID: wire.Text(e.Ref.FriendlyID), Source: wire.Text(e.Ref.Slug), SourceType: otter.Marketplace})
	if kind == "" {
		kind = typeOf(e.Kind, e.Status)
	}
	if payload == nil {
		switch e.Kind {
		case channel.KindOrder, channel.KindUpdate:
			payload = otter.FromOrder(e.Order)
			resource = e.Order.AggregatorID
		case channel.KindCancel:
			payload = otter.CancelIntent{ExternalIdentifiers: ids, CancellationReason: wire.Text(e.Reason)}
		case channel.KindStatus:
			payload = otter.OrderStep{OrderID: wire.Text(e.Ref.ID)}
			if kind == otter.OrderStatus {
				payload = otter.StatusHistory{ExternalIdentifiers: ids, OrderStatusHistory: wire.List[otter.StatusEvent]{{Status: otter.Status(e.Status), EventTime: wire.Stamp(e.At)}}}
			}
		case channel.KindResume:
			if e.Reason != "" {
				payload = e.Reason
			}
		}
	}
	if kind == "" {
		return nil, nil, errors.New("otter has no event of that kind")
	}
	body, err := otter.Encode(e.ID, kind, s.c.Store, s.c.Account, e.At, resource, payload)
	return s.signed(body), body, err
}

// signed is the header of a webhook.
func (s *Simulator) signed(body []byte) http.Header {
	sign := s.seal.Sign(body)
	if s.c.Base64 {
		if raw, err := hex.DecodeString(sign); err == nil {
			sign = base64.StdEncoding.EncodeToString(raw)
		}
	}
	h := http.Header{}
	h.Set(otter.SignatureHeader, sign)
	return h
}

func typeOf(k channel.Kind, status channel.Status) string {
	switch k {
	case channel.KindOrder:
		return otter.NewOrder
	case channel.KindUpdate:
		return otter.UpdateOrder
	case channel.KindCancel:
		return otter.CancelOrder
	case channel.KindStatus:
		switch status {
		case channel.Accepted:
			return otter.OrderConfirmed
		case channel.Prepared:
			return otter.OrderReady
		case channel.HandedOff:
			return otter.OrderHandedOff
		case channel.Fulfilled:
			return otter.OrderFulfilled
		}
		return otter.OrderStatus
	case channel.KindMenu:
		return otter.SendMenu
	case channel.KindPublish:
		return otter.MenuPublish
	case channel.KindAvailability:
		return otter.Availabilities
	case channel.KindHours:
		return otter.UpsertHours
	case channel.KindPause:
		return otter.PauseStore
	case channel.KindResume:
		return otter.UnpauseStore
	case channel.KindStore:
		return otter.GetAvailability
	case channel.KindAskHours:
		return otter.GetHours
	case channel.KindPing:
		return otter.Ping
	case channel.KindReport:
		return otter.ReportGenerated
	case channel.KindPairing:
		return otter.UpsertStore
	}
	return ""
}

// orderOf is the key of the order that an event is about, "" when it is about the store.
func orderOf(e deliveries.Event) string {
	if e.Ref.ID == "" {
		return ""
	}
	return deliveries.Key(e.Ref.Slug, e.Ref.ID)
}

func (s *Simulator) ping(v *cloud.Visit) cloud.Answer {
	if n, err := strconv.Atoi(v.Header.Get("X-Echo-Error")); err == nil && n >= 400 && n < 600 {
		return refuse(n, "as you wished")
	}
	return cloud.Answer{Status: http.StatusOK}
}

// answers gives the event that a call answers.
func (s *Simulator) answers(v *cloud.Visit) (deliveries.Event, cloud.Answer, bool) {
	id := v.Header.Get("X-Event-Id")
	if id == "" {
		return deliveries.Event{}, refuse(http.StatusBadRequest, "X-Event-Id is missing."), false
	}
	e, ok := s.Event(id)
	if !ok {
		return deliveries.Event{}, refuse(http.StatusNotFound, "Resource not found."), false
	}
	return e, cloud.Answer{}, true
}

func (s *Simulator) created(v *cloud.Visit) cloud.Answer {
	e, a, ok := s.answers(v)
	switch {
	case !ok:
		return a
	case e.Kind != channel.KindOrder && e.Kind != channel.KindUpdate:
		return refuse(http.StatusUnprocessableEntity, "The event is not about a new order.")
	}
	s.Do(deliveries.Act{Key: orderOf(e), Op: deliveries.Created, Event: e.ID}, "", nil)
	return cloud.Answer{Status: http.StatusOK}
}

func (s *Simulator) failed(v *cloud.Visit) cloud.Answer {
	e, a, ok := s.answers(v)
	if !ok {
		return a
	}
	var c otter.CallbackError
	if err := json.Unmarshal(v.Raw, &c, json.RejectUnknownMembers(true)); err != nil || c.ErrorCode == "" {
		return refuse(http.StatusBadRequest, "The request is malformed.")
	}
	f := channel.Failure{Code: channel.FailureCode(c.ErrorCode), Message: string(c.ErrorMessage)}
	s.Do(deliveries.Act{Key: orderOf(e), Op: deliveries.Failed, Event: e.ID, Detail: string(c.ErrorCode) + " " + string(c.ErrorMessage)}, "", &f)
	return cloud.Answer{Status: http.StatusNoContent}
}

// answered records the answer to an event about the store, with its body.
func (s *Simulator) answered(op string, status int) func(v *cloud.Visit) cloud.Answer {
	return func(v *cloud.Visit) cloud.Answer {
		e, a, ok := s.answers(v)
		if !ok {
			return a
		}
		if len(v.Raw) > 0 && json.Unmarshal(v.Raw, new(any)) != nil {
			return refuse(http.StatusBadRequest, "The request is malformed.")
		}
		s.Do(deliveries.Act{Op: op, Event: e.ID, Detail: string(v.Raw)}, "", nil)
		return cloud.Answer{Status: status}
	}
}

func minutes[T any](v *cloud.Visit) (string, bool) {
	if len(v.Raw) == 0 {
		return "", true
	}
	var body T
	err := json.Unmarshal(v.Raw, &body, json.RejectUnknownMembers(true))
	return string(v.Raw), err == nil
}

func reason(v *cloud.Visit) (string, bool) {
	var c otter.Cancellation
	err := json.Unmarshal(v.Raw, &c, json.RejectUnknownMembers(true))
	return string(c.CancellationReason), err == nil && slices.Contains(channel.CancelReasons(), string(c.CancellationReason))
}

// manage is one of the manager's calls on an order.
func (s *Simulator) manage(v *cloud.Visit, op string, status channel.Status, detail func(v *cloud.Visit) (string, bool)) cloud.Answer {
	o, ok := s.Find(v.PathValue("source"), v.PathValue("order"))
	if !ok {
		return refuse(http.StatusNotFound, "Resource not found.")
	}
	if op == "close" && o.Service != "dine_in" {
		return refuse(http.StatusConflict, "The order is not eaten here.")
	}
	var text string
	if detail != nil {
		if text, ok = detail(v); !ok {
			return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
		}
	}
	s.Do(deliveries.Act{Key: deliveries.Key(o.Slug, o.ID), Op: op, Detail: text}, status, nil)
	return cloud.Answer{Status: http.StatusAccepted}
}

func (s *Simulator) one(v *cloud.Visit) cloud.Answer {
	o, ok := s.Find(v.PathValue("source"), v.PathValue("order"))
	if !ok {
		return refuse(http.StatusNotFound, "Resource not found.")
	}
	return cloud.Answer{Status: http.StatusOK, Body: otter.ManagerOrder{Order: wire.Some(otter.FromOrder(&o)), InjectionState: "PENDING", InjectionEvent: "ORDER_CREATE"}}
}

// feed is GET /manager/order/v1/orders.
func (s *Simulator) feed(v *cloud.Visit) cloud.Answer {
	limit, err := strconv.Atoi(v.FormValue("limit"))
	offset := 0
	if t := v.FormValue("token"); t != "" && err == nil {
		offset, err = strconv.Atoi(strings.TrimPrefix(t, "offset-"))
	}
	from, ok := wire.ParseTime(wire.Text(v.FormValue("minDateTime")))
	if err != nil || limit < 1 || limit > 500 || offset < 0 || !ok {
		return refuse(http.StatusBadRequest, "The request is malformed.")
	}
	if from.Before(v.Now().Add(-otter.FeedBack)) {
		return refuse(http.StatusBadRequest, "minDateTime is more than 20 days back.")
	}
	to, bounded := wire.ParseTime(wire.Text(v.FormValue("maxDateTime")))
	var found []channel.Order
	for _, e := range s.Orders() {
		if o := e.Order; !o.PlacedAt.Before(from) && (!bounded || o.PlacedAt.Before(to)) {
			o.Status = e.Status
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b channel.Order) int { return a.PlacedAt.Compare(b.PlacedAt) })
	page := otter.OrderFeed{Orders: wire.List[otter.Order]{}}
	for _, o := range found[min(offset, len(found)):min(offset+limit, len(found))] {
		page.Orders = append(page.Orders, otter.FromOrder(&o))
	}
	if offset+limit < len(found) {
		page.OffsetToken = wire.Text("offset-" + strconv.Itoa(offset+limit))
	}
	return cloud.Answer{Status: http.StatusOK, Body: page}
}

// pause is the manager's pause or unpause.
func (s *Simulator) pause(on bool) func(v *cloud.Visit) cloud.Answer {
	return func(v *cloud.Visit) cloud.Answer {
		if on {
			var p otter.PauseRequest
			if err := json.Unmarshal(v.Raw, &p, json.RejectUnknownMembers(true)); err != nil || p.Reason != "OTHER" && p.Reason != "STORE_MAINTENANCE" {
				return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
			}
		}
		s.mu.Lock()
		s.paused = on
		s.mu.Unlock()
		op := "unpause"
		if on {
			op = "pause"
		}
		s.Do(deliveries.Act{Op: op, Detail: string(v.Raw)}, "", nil)
		return cloud.Answer{Status: http.StatusAccepted}
	}
}

// Paused tells whether the manager's calls have paused the store.
func (s *Simulator) Paused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

func (s *Simulator) stores(v *cloud.Visit) cloud.Answer {
	e, a, ok := s.answers(v)
	if !ok {
		return a
	}
	var r otter.StoreResult
	if err := json.Unmarshal(v.Raw, &r, json.RejectUnknownMembers(true)); err != nil || r.Success && r.StoreID == "" {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
	}
	if r.Success {
		s.mu.Lock()
		s.paired, s.status = string(r.StoreID), "ACTIVE"
		s.mu.Unlock()
	}
	s.Do(deliveries.Act{Op: "stores", Event: e.ID, Detail: string(v.Raw)}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

func (s *Simulator) storeStatus(v *cloud.Visit) cloud.Answer {
	var st otter.StoreStatus
	if err := json.Unmarshal(v.Raw, &st, json.RejectUnknownMembers(true)); err != nil || !slices.Contains([]wire.Text{"ACTIVE", "SUSPENDED", "INVALID"}, st.Status) {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
	}
	s.mu.Lock()
	s.status = string(st.Status)
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "store_status", Detail: string(v.Raw)}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

// Paired is the box's id of the store as it told it, and how the store stands; both "" until then.
func (s *Simulator) Paired() (store, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paired, s.status
}

// Off are the items that are not sold now.
func (s *Simulator) Off() map[string]otter.SuspendState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.off)
}
