// Package ubereats is Uber Eats with one store: its token endpoint, notices of orders, the orders themselves, accepts and denies,
// and the store's menus. Its wire is that of protocol/ubereats, its book and faults those of simulate/deliveries.
package ubereats

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/ubereats"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
)

// Config is what Uber Eats is. Secret is what webhooks are signed with.
type Config = deliveries.Config

// A Simulator is Uber Eats. Its methods may be called from any goroutine.
type Simulator struct {
	*deliveries.Simulator
	c      Config
	seal   wire.Seal
	tokens cloud.Tokens

	mu    sync.Mutex // guards what follows
	store ubereats.StoreStatus
	menus ubereats.Menus
	off   map[string]int64 // items that are not sold, until when in seconds since 1970
}

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	s := &Simulator{c: c, seal: wire.Seal{Secret: c.Secret, Header: ubereats.SignatureHeader}, store: ubereats.StoreStatus{Status: "ONLINE"}, off: map[string]int64{}}
	var err error
	s.Simulator, err = deliveries.New(c, deliveries.Dialect{Message: s.message, Admit: s.admit, Routes: []cloud.Route{
		{Op: "token", Pattern: "POST /oauth/v2/token", Open: true, Do: func(v *cloud.Visit) cloud.Answer { return s.tokens.OAuth(v, s.c.ClientID, s.c.ClientSecret) }},
		{Op: "order", Pattern: "GET /v2/eats/order/{order}", Do: s.one},
		{Op: "created", Pattern: "GET /v1/eats/stores/{store}/created-orders", Do: s.created},
		{Op: "accept", Pattern: "POST /v1/eats/orders/{order}/accept_pos_order", Do: s.accept},
		{Op: "deny", Pattern: "POST /v1/eats/orders/{order}/deny_pos_order", Do: s.deny},
		{Op: "cancel", Pattern: "POST /v1/eats/orders/{order}/cancel", Do: s.cancel},
		{Op: "store", Pattern: "GET /v1/eats/store/{store}/status", Do: s.status},
		{Op: "store", Pattern: "POST /v1/eats/store/{store}/status", Do: s.setStatus},
		{Op: "menus", Pattern: "PUT /v2/eats/stores/{store}/menus", Do: s.putMenus},
		{Op: "read menus", Pattern: "GET /v2/eats/stores/{store}/menus", Do: s.getMenus},
		{Op: "item", Pattern: "POST /v2/eats/stores/{store}/menus/items/{item}", Do: s.item},
	}})
	return s, err
}

func (s *Simulator) admit(r *http.Request) (cloud.Answer, bool) {
	if !s.tokens.Good(cloud.Bearer(r), s.c.Now()) {
		return cloud.Refuse(http.StatusUnauthorized, "unauthorized"), false
	}
	return cloud.Answer{}, true
}

// Expire ends all tokens.
func (s *Simulator) Expire() { s.tokens.Expire() }

// message is the webhook of an event: it only says that there is something.
func (s *Simulator) message(e deliveries.Event, _ time.Time) (http.Header, []byte, error) {
	kind := e.Type
	if kind == "" {
		switch e.Kind {
		case channel.KindOrder:
			kind = ubereats.OrderNotification
			if e.Order.Scheduled {
				kind = ubereats.ScheduledNotification
			}
		case channel.KindUpdate:
			kind = ubereats.IssuesResolved
		case channel.KindRelease:
			kind = ubereats.OrderRelease
		case channel.KindCancel:
			kind = ubereats.OrderCancel
		case channel.KindMenu:
			kind = ubereats.MenuRefresh
		case channel.KindPairing:
			kind = ubereats.StoreProvisioned
		default:
			kind = "orders." + string(e.Kind)
		}
	}
	n := ubereats.Notice{EventID: wire.Text(e.ID), EventType: wire.Text(kind), EventTime: wire.Text(strconv.FormatInt(e.At.Unix(), 10)),
		Meta: wire.Some(ubereats.Meta{ResourceID: wire.Text(e.Ref.ID), UserID: wire.Text(s.c.Store), Status: "pos", Reason: wire.Text(e.Reason)})}
	if e.Ref.ID != "" {
		n.ResourceHref = wire.Text(ubereats.Host + "/v2/eats/order/" + e.Ref.ID)
	}
	body, err := json.Marshal(n)
	h := http.Header{"X-Environment": {"sandbox"}}
	h.Set(ubereats.SignatureHeader, s.seal.Sign(body))
	return h, body, err
}

// find is the order that a call names.
func (s *Simulator) find(v *cloud.Visit) (channel.Order, bool) {
	return s.Find("", v.PathValue("order"))
}

func gone() cloud.Answer { return cloud.Refuse(http.StatusNotFound, "order_not_found") }

func (s *Simulator) one(v *cloud.Visit) cloud.Answer {
	o, ok := s.find(v)
	if !ok {
		return gone()
	}
	return cloud.Answer{Status: http.StatusOK, Body: ubereats.FromOrder(&o, s.c.Store)}
}

func (s *Simulator) created(v *cloud.Visit) cloud.Answer {
	if v.PathValue("store") != s.c.Store {
		return cloud.Refuse(http.StatusForbidden, "the store is not this one")
	}
	limit, err := strconv.Atoi(v.FormValue("limit"))
	if err != nil || limit < 1 {
		limit = 100
	}
	list := ubereats.CreatedOrders{Orders: wire.List[ubereats.Created]{}}
	for _, e := range s.Orders() {
		if e.Status == channel.New && len(list.Orders) < limit {
			list.Orders = append(list.Orders, ubereats.Created{ID: wire.Text(e.Order.ID), CurrentState: "CREATED", PlacedAt: wire.Stamp(e.Order.PlacedAt)})
		}
	}
	return cloud.Answer{Status: http.StatusOK, Body: list}
}

// accept is taken only in time, and once: afterwards the order is what it is.
func (s *Simulator) accept(v *cloud.Visit) cloud.Answer {
	o, ok := s.find(v)
	if !ok {
		return gone()
	}
	var a ubereats.Acceptance
	if err := json.Unmarshal(v.Raw, &a, json.RejectUnknownMembers(true)); err != nil || a.Reason == "" {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	switch {
	case o.Status == channel.Accepted:
		return cloud.Answer{Status: http.StatusNoContent}
	case o.Status != channel.New:
		return cloud.Refuse(http.StatusConflict, "the order is over")
	case v.Now().After(o.PlacedAt.Add(ubereats.AcceptIn)):
		s.Do(deliveries.Act{Key: deliveries.Key(o.Slug, o.ID), Op: "timed_out"}, channel.Cancelled, nil)
		return cloud.Refuse(http.StatusConflict, "the order has timed out")
	}
	detail := ""
	if a.PickupTime > 0 {
		detail = time.Unix(a.PickupTime, 0).UTC().Format(time.RFC3339)
	}
	s.Do(deliveries.Act{Key: deliveries.Key(o.Slug, o.ID), Op: deliveries.Accepted, Detail: detail}, channel.Accepted, nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

func (s *Simulator) deny(v *cloud.Visit) cloud.Answer {
	o, ok := s.find(v)
	if !ok {
		return gone()
	}
	var r ubereats.Refusal
	if err := json.Unmarshal(v.Raw, &r, json.RejectUnknownMembers(true)); err != nil || r.Reason.Code == "" || r.Reason.Explanation == "" {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	if o.Status != channel.New && o.Status != channel.Rejected {
		return cloud.Refuse(http.StatusConflict, "the order is over")
	}
	s.Do(deliveries.Act{Key: deliveries.Key(o.Slug, o.ID), Op: deliveries.Denied, Detail: string(r.Reason.Code) + " " + string(r.Reason.Explanation)}, channel.Rejected, nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

func (s *Simulator) cancel(v *cloud.Visit) cloud.Answer {
	o, ok := s.find(v)
	if !ok || o.Status == channel.Fulfilled || o.Status == channel.Rejected {
		return gone()
	}
	var c ubereats.Cancellation
	if err := json.Unmarshal(v.Raw, &c, json.RejectUnknownMembers(true)); err != nil || c.Reason == "" {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	s.Do(deliveries.Act{Key: deliveries.Key(o.Slug, o.ID), Op: deliveries.Cancelled, Detail: string(c.Reason)}, channel.Cancelled, nil)
	return cloud.Answer{Status: http.StatusOK, Body: struct{}{}}
}

// Store is how the store stands.
func (s *Simulator) Store() ubereats.StoreStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store
}

func (s *Simulator) status(v *cloud.Visit) cloud.Answer {
	if v.PathValue("store") != s.c.Store {
		return cloud.Refuse(http.StatusForbidden, "the store is not this one")
	}
	return cloud.Answer{Status: http.StatusOK, Body: s.Store()}
}

func (s *Simulator) setStatus(v *cloud.Visit) cloud.Answer {
	var st ubereats.StoreStatus
	if err := json.Unmarshal(v.Raw, &st, json.RejectUnknownMembers(true)); err != nil || st.Status != "ONLINE" && st.Status != "PAUSED" || v.PathValue("store") != s.c.Store {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	s.mu.Lock()
	s.store = st
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "store_status", Detail: string(st.Status)}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

// Menus are what the box brought last.
func (s *Simulator) Menus() ubereats.Menus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.menus
}

// Off are the items that are not sold, with the second since 1970 at which they come back.
func (s *Simulator) Off() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.off)
}

func (s *Simulator) putMenus(v *cloud.Visit) cloud.Answer {
	var m ubereats.Menus
	if err := json.Unmarshal(v.Raw, &m, json.RejectUnknownMembers(true)); err != nil || len(m.Menus) == 0 || v.PathValue("store") != s.c.Store {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	s.mu.Lock()
	s.menus = m
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "menus", Detail: strconv.Itoa(len(m.Items))}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

// getMenus shows the menus with what is not sold now.
func (s *Simulator) getMenus(v *cloud.Visit) cloud.Answer {
	if v.PathValue("store") != s.c.Store {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.menus
	m.Items = slices.Clone(m.Items)
	for i := range m.Items {
		m.Items[i].SuspensionInfo = nil
		if until, off := s.off[m.Items[i].ID]; off {
			m.Items[i].SuspensionInfo = &ubereats.Suspended{Suspension: ubereats.Suspension{SuspendUntil: until}}
		}
	}
	return cloud.Answer{Status: http.StatusOK, Body: m}
}

func (s *Simulator) item(v *cloud.Visit) cloud.Answer {
	var u ubereats.ItemUpdate
	if err := json.Unmarshal(v.Raw, &u, json.RejectUnknownMembers(true)); err != nil || v.PathValue("store") != s.c.Store {
		return cloud.Refuse(http.StatusBadRequest, "invalid_request")
	}
	id := v.PathValue("item")
	until := u.SuspensionInfo.Suspension.SuspendUntil
	s.mu.Lock()
	delete(s.off, id)
	if time.Unix(until, 0).After(v.Now()) {
		s.off[id] = until
	}
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "item", Detail: id + " " + strconv.FormatInt(until, 10)}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}
