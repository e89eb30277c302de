// Package deliverect is Deliverect with one location: its token endpoint, the statuses a POS tells, and its products. Its wire is
// that of protocol/deliverect, its book and faults those of simulate/deliveries.
package deliverect

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/deliverect"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
)

// Config is what Deliverect is. Store is the location.
type Config = deliveries.Config

// Number is the channel of all orders. The box calls it what its configuration says.
const Number = "7"

// A Simulator is Deliverect. Its methods may be called from any goroutine.
type Simulator struct {
	*deliveries.Simulator
	c      Config
	seal   wire.Seal
	tokens cloud.Tokens

	mu        sync.Mutex // guards what follows
	catalogue deliverect.Catalogue
}

// New checks c. It starts nothing.
func New(c Config) (*Simulator, error) {
	c = c.WithDefaults()
	s := &Simulator{c: c, seal: wire.Seal{Secret: c.Secret, Header: deliverect.SignatureHeader}}
	var err error
	s.Simulator, err = deliveries.New(c, deliveries.Dialect{Message: s.message, Admit: s.admit, Routes: []cloud.Route{
		{Op: "token", Pattern: "POST /oauth/token", Open: true, Do: s.token},
		{Op: "status", Pattern: "POST /orderStatus/{order}", Do: s.status},
		{Op: "products", Pattern: "POST /productAndCategories", Do: s.products},
	}})
	return s, err
}

func (s *Simulator) admit(r *http.Request) (cloud.Answer, bool) {
	if !s.tokens.Good(cloud.Bearer(r), s.c.Now()) {
		return cloud.Refuse(http.StatusUnauthorized, "token"), false
	}
	return cloud.Answer{}, true
}

// Expire ends all tokens.
func (s *Simulator) Expire() { s.tokens.Expire() }

func (s *Simulator) token(v *cloud.Visit) cloud.Answer {
	var q struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Audience     string `json:"audience"`
		GrantType    string `json:"grant_type"`
		Scope        string `json:"scope"`
	}
	if err := json.Unmarshal(v.Raw, &q); err != nil || q.GrantType != "client_credentials" || q.Audience == "" {
		return cloud.Answer{Status: http.StatusBadRequest, Body: map[string]string{"error": "invalid_request"}}
	}
	if q.ClientID != s.c.ClientID || q.ClientSecret != s.c.ClientSecret {
		return cloud.Answer{Status: http.StatusUnauthorized, Body: map[string]string{"error": "invalid_client"}}
	}
	return cloud.Answer{Status: http.StatusOK, Body: map[string]any{"access_token": s.tokens.Give(v.Now()), "expires_in": int(cloud.TokenLife / time.Second), "token_type": "Bearer"}}
}

// message is the webhook of an event: the order with another status. A cancel has an id of its own.
func (s *Simulator) message(e deliveries.Event, _ time.Time) (http.Header, []byte, error) {
	payload := e.Payload
	if payload == nil && e.Order != nil {
		status := deliverect.Parsed
		switch e.Kind {
		case channel.KindCancel:
			status = deliverect.Cancel
		case channel.KindStatus:
			status = deliverect.ToDropOff
			if e.Status == channel.Fulfilled {
				status = deliverect.Finalized
			}
		}
		o := deliverect.FromOrder(e.Order, s.c.Store, s.c.Account, Number, status)
		o.ID = wire.Text(own(e.Order))
		if e.Kind == channel.KindCancel {
			o.ID = wire.Text(e.ID)
		}
		o.Updated = wire.Stamp(e.At)
		payload = o
	}
	if payload == nil && e.Kind == channel.KindPairing {
		payload = deliverect.Registration{Location: wire.Text(s.c.Store)}
	}
	body, err := json.Marshal(payload)
	h := http.Header{"User-Agent": {"Deliverect/2.0"}}
	h.Set(deliverect.SignatureHeader, s.seal.Sign(body))
	return h, body, err
}

// own is Deliverect's own id of an order.
func own(o *channel.Order) string {
	if o.AggregatorID != "" {
		return o.AggregatorID
	}
	return "own-" + o.ID
}

// status is POST /orderStatus/{orderId}.
func (s *Simulator) status(v *cloud.Visit) cloud.Answer {
	var u deliverect.StatusUpdate
	if err := json.Unmarshal(v.Raw, &u, json.RejectUnknownMembers(true)); err != nil || string(u.OrderID) != v.PathValue("order") || u.ReceiptID == "" {
		return cloud.Refuse(http.StatusBadRequest, "the status makes no sense")
	}
	o, found := s.Find("", strings.TrimPrefix(string(u.OrderID), "own-"))
	if !found || own(&o) != string(u.OrderID) {
		return cloud.Refuse(http.StatusNotFound, "there is no such order")
	}
	act := deliveries.Act{Key: deliveries.Key(o.Slug, o.ID), Op: "status " + strconv.Itoa(u.Status), Detail: string(u.Reason)}
	var status channel.Status
	var f *channel.Failure
	switch u.Status {
	case deliverect.StAccepted:
		act.Op, status, act.Detail = deliveries.Created, channel.Accepted, string(u.PickupTime)
	case deliverect.StReady:
		act.Op, status = deliveries.Ready, channel.Prepared
	case deliverect.Finalized:
		act.Op, status = deliveries.Fulfilled, channel.Fulfilled
	case deliverect.StCanceled:
		act.Op, status = deliveries.Cancelled, channel.Cancelled
	case deliverect.StDenied:
		act.Op, status = deliveries.Denied, channel.Rejected
	case deliverect.Preparing:
		act.Op, act.Detail = deliveries.PrepTime, string(u.PickupTime)
	case deliverect.StFailed:
		act.Op = deliveries.Failed
		f = &channel.Failure{Message: string(u.Reason)}
	}
	s.Do(act, status, f)
	return cloud.Answer{Status: http.StatusOK, Body: map[string]string{"result": "OK"}}
}

func (s *Simulator) products(v *cloud.Visit) cloud.Answer {
	var c deliverect.Catalogue
	if err := json.Unmarshal(v.Raw, &c, json.RejectUnknownMembers(true)); err != nil || c.LocationID != s.c.Store {
		return cloud.Refuse(http.StatusBadRequest, "the products make no sense")
	}
	seen := map[string]bool{}
	for _, p := range c.Products {
		if p.PLU == "" || seen[p.PLU] {
			return cloud.Refuse(http.StatusBadRequest, "PLU "+p.PLU+" is missing or comes twice")
		}
		seen[p.PLU] = true
	}
	s.mu.Lock()
	s.catalogue = c
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "products", Detail: strconv.Itoa(len(c.Products))}, "", nil)
	return cloud.Answer{Status: http.StatusOK}
}

// Catalogue is what the box brought last.
func (s *Simulator) Catalogue() deliverect.Catalogue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalogue
}
