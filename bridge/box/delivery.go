package box

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/delivery"
	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/order"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/deliverect"
	"aboyeur/protocol/otter"
	"aboyeur/protocol/rest"
	"aboyeur/protocol/ubereats"
)

// buildDelivery makes the links to the delivery aggregators. One that is not in the configuration has none.
func (b *Box) buildDelivery(ctx context.Context) error {
	if len(b.c.Delivery) == 0 {
		return nil
	}
	calendar := floor.Calendar{Location: b.c.Site.Location, Close: b.dayClose}
	c := delivery.Config{
		Journal: b.journal, Orders: deliveredOrders{b.orders}, Courses: len(b.c.Courses), Currency: b.c.Site.Currency.Code, Language: b.c.Site.Language,
		DayStart: func(at time.Time) time.Time { return calendar.End(at).AddDate(0, 0, -1) },
		Zone:     b.c.Site.Location.String(), Resolver: menuLinks{b}, Other: b.toldOfMenus, Menus: b.shownMenus, Meter: b.meter, Warnings: b.warnings, Now: b.o.Now, Log: b.log, Backoff: b.o.backoff,
	}
	if b.o.pause > 0 {
		c.Look = 10 * b.o.pause
	}
	if b.o.resolver != nil {
		c.Resolver = b.o.resolver
	}
	for i := range b.c.Delivery {
		d := &b.c.Delivery[i]
		client, err := b.newAggregator(d)
		if err != nil {
			return fmt.Errorf("delivery by %s: %w", d.Aggregator, err)
		}
		b.aggregators = append(b.aggregators, client)
		c.Links = append(c.Links, delivery.Link{
			Name: d.Aggregator, Title: aggregatorTitle(d.Aggregator), Store: d.Store, Client: client, Settings: deliverySettings(d), Webhook: b.c.HTTP.PublicURL != "",
		})
	}
	var err error
	if b.deliveries, err = delivery.New(ctx, c); err != nil {
		return err
	}
	for _, l := range c.Links {
		b.meter.Watch(l.Name, func(ctx context.Context) (int, error) {
			q, err := b.deliveries.Queue(ctx, l.Name)
			return q.Waiting, err
		})
	}
	return nil
}

// integrations answers GET /v1/integrations: every cloud that the box is linked to.
type integrations struct {
	Integrations []any `json:"integrations" doc:"kind says what each is: delivery, or absent for a reservation platform"`
}

// cloudRoutes are the calls on reservation platforms and delivery aggregators. Both have links that people set up.
func (b *Box) cloudRoutes() []api.Route {
	var routes []api.Route
	if b.bookings != nil {
		routes = b.bookings.Routes()
	}
	if b.deliveries == nil {
		return routes
	}
	routes = slices.DeleteFunc(routes, func(r api.Route) bool { return r.Method == http.MethodGet && r.Path == "/v1/integrations" })
	routes = append(routes, api.Route{Method: http.MethodGet, Path: "/v1/integrations", Roles: []access.Role{access.Manager, access.Staff, access.Till}, Tags: []string{"integrations"},
		Summary: "The reservation platforms and delivery aggregators", Answer: integrations{}, Handle: b.getIntegrations})
	return append(routes, b.deliveries.Routes()...)
}

func (b *Box) getIntegrations(w http.ResponseWriter, r *http.Request) error {
	all := integrations{Integrations: []any{}}
	if b.bookings != nil {
		list, err := b.bookings.Integrations(r.Context())
		if err != nil {
			return err
		}
		for i := range list {
			all.Integrations = append(all.Integrations, &list[i])
		}
	}
	list, err := b.deliveries.Integrations(r.Context())
	if err != nil {
		return err
	}
	for i := range list {
		all.Integrations = append(all.Integrations, &list[i])
	}
	return api.Answer(w, http.StatusOK, all)
}

func aggregatorTitle(name string) string {
	switch name {
	case "otter":
		return "Otter"
	case "deliverect":
		return "Deliverect"
	case "ubereats":
		return "Uber Eats"
	}
	return name
}

// deliverySettings are those of the configuration, which hold until somebody changes them in the console.
func deliverySettings(d *firmwareconfig.Delivery) delivery.Settings {
	s := delivery.Defaults()
	s.AutoAccept, s.Inject = d.AutoAccept, d.Inject
	s.ReleaseMinutes, s.ShowMinutes = int(d.ReleaseBefore/time.Minute), int(d.ShowBefore/time.Minute)
	for slug, c := range d.Channels {
		accept := c.AutoAccept
		s.Channels[slug] = delivery.Channel{AutoAccept: &accept, Inject: c.Inject}
	}
	return s
}

// newAggregator makes the client of an aggregator.
func (b *Box) newAggregator(d *firmwareconfig.Delivery) (channel.Aggregator, error) {
	if b.o.aggregators != nil {
		if client := b.o.aggregators[d.Aggregator]; client != nil {
			return client, nil
		}
	}
	var credentials channel.Credentials
	if d.CredentialsFile != "" {
		text, err := os.ReadFile(d.CredentialsFile)
		if err != nil {
			return nil, fmt.Errorf("read the credentials: %w", err)
		}
		strict := yaml.NewDecoder(bytes.NewReader(text))
		strict.KnownFields(true)
		if err := strict.Decode(&credentials); err != nil {
			return nil, fmt.Errorf("%s is not YAML with client_id, client_secret, scope, application, username, password and token alone", d.CredentialsFile) // without the cause, which would quote it
		}
	}
	var secret []byte
	if d.WebhookSecretFile != "" {
		text, err := os.ReadFile(d.WebhookSecretFile)
		if err != nil {
			return nil, fmt.Errorf("read the webhook secret: %w", err)
		}
		secret = bytes.TrimSpace(text)
	}
	cloud := rest.Config{Now: b.o.Now}
	switch d.Aggregator {
	case "otter":
		return aggregator(otter.New(otter.Config{Base: d.BaseURL, Store: d.Store, Credentials: credentials, WebhookSecret: secret, HTTP: cloud}))
	case "deliverect":
		hook := ""
		if b.c.HTTP.PublicURL != "" {
			hook = strings.TrimRight(b.c.HTTP.PublicURL, "/") + "/webhooks/deliverect"
		}
		channels := map[string]string{}
		for slug, c := range d.Channels {
			if c.Number != "" {
				channels[c.Number] = slug
			}
		}
		return aggregator(deliverect.New(deliverect.Config{Base: d.BaseURL, Location: d.Store, Channels: channels, Account: credentials.Application, Currency: b.c.Site.Currency.Code, Hook: hook, Credentials: credentials,
			WebhookSecret: secret, HTTP: cloud}))
	case "ubereats":
		return aggregator(ubereats.New(ubereats.Config{Base: d.BaseURL, Store: d.Store, Credentials: credentials, WebhookSecret: secret, HTTP: cloud}))
	}
	return nil, errors.New("this version of aboyeur cannot serve it yet")
}

// aggregator keeps a client that could not be made from looking like one.
func aggregator[T channel.Aggregator](client T, err error) (channel.Aggregator, error) {
	if err != nil {
		return nil, err
	}
	return client, nil
}

// closeAggregators gives the connections back.
func (b *Box) closeAggregators() {
	for _, a := range b.aggregators {
		a.Close()
	}
}

// deliveredOrders is the service of orders as deliveries know it: neither knows the other.
type deliveredOrders struct{ *order.Service }

var _ delivery.Orders = deliveredOrders{}

func aggregatorOf(name string) access.Principal {
	return access.Principal{Name: name, Role: access.Aggregator}
}

// lateFor gives an error of orders the meaning that deliveries decide on.
func lateFor(err error) error {
	switch {
	case errors.Is(err, order.ErrTooLate), errors.Is(err, order.ErrOld):
		return fmt.Errorf("%w: %v", delivery.ErrLate, err)
	case errors.Is(err, order.ErrOther):
		return delivery.ErrOther
	}
	return err
}

func (d deliveredOrders) Place(ctx context.Context, aggregator string, o *sale.Order, received time.Time, w delivery.Wish) (bool, journal.ID, error) {
	wish := order.Wish{Hold: w.Hold, Cancelled: w.Cancelled, With: func(tx *journal.Tx, p sale.Placed, state, inPOS string) error { return w.With(tx, p.ID, state, inPOS) }}
	if w.Cause != "" {
		wish.Refusal = &order.Refusal{Cause: w.Cause, Names: w.Names}
	}
	receipt, known, err := d.PlaceAs(ctx, aggregatorOf(aggregator), "", o, received, wish)
	return known, receipt.ID, lateFor(err)
}

func (d deliveredOrders) Change(tx *journal.Tx, aggregator string, id journal.ID, o *sale.Order) error {
	return lateFor(d.ChangeIn(tx, aggregator, id, o))
}

func (d deliveredOrders) Cancel(tx *journal.Tx, aggregator, reason string, id journal.ID) error {
	return lateFor(d.CancelIn(tx, aggregatorOf(aggregator), reason, id))
}

func (d deliveredOrders) Advance(tx *journal.Tx, id journal.ID, state, aggregator string) error {
	_, err := d.Service.Advance(tx, id, state, aggregator)
	return err
}

func (d deliveredOrders) Release(tx *journal.Tx, id journal.ID, aggregator string) error {
	return d.ReleaseNow(tx, id, aggregator)
}

// deliveryHooks are what orders ask deliveries. They are set before deliveries exist, and asked only afterwards.
func (b *Box) deliveryHooks(c *order.Config) {
	c.Alarm = func(o sale.Placed, cause string) {
		name := fmt.Sprintf("#%d", o.Number)
		if o.Partner.OrderID != "" {
			name += " " + o.Partner.Name + " " + o.Partner.OrderID
		}
		b.health.raise(cause != "", "order_not_in_pos", warning.Critical, name, name, cause)
	}
	if len(b.c.Delivery) == 0 {
		return
	}
	c.Lead = func(o *sale.Order) (release, show time.Duration, ok bool) { return b.deliveries.Lead(o.Source) }
	c.Refuse = func(tx *journal.Tx, o sale.Placed) (*order.Refusal, error) {
		cause, names, err := b.deliveries.Refusal(tx, o)
		if err != nil || cause == "" {
			return nil, err
		}
		return &order.Refusal{Cause: cause, Names: names}, nil
	}
	c.Follow = func(tx *journal.Tx, s order.Step) error {
		if !b.deliveries.Serves(s.Order.Source) {
			return nil
		}
		step := delivery.Step{Order: s.Order, From: s.From, State: s.State, WasIn: s.WasIn, InPOS: s.InPOS, Event: s.Event, By: s.By, Detail: s.Detail}
		if s.InPOS != s.WasIn && s.InPOS != order.NotYet {
			in, err := b.orders.Injection(tx, s.Order.ID)
			if err != nil {
				return err
			}
			step.Cause, step.OpenItems = in.Cause, in.OpenItems
			if s.InPOS == order.No {
				step.Detail = in.Detail
			}
		}
		return b.deliveries.Follow(tx, step)
	}
	c.Deliveries = func(ctx context.Context, orders []journal.ID, whole bool) (map[int64]*order.Delivery, error) {
		found, err := b.deliveries.Details(ctx, orders, whole)
		if err != nil {
			return nil, err
		}
		all := make(map[int64]*order.Delivery, len(found))
		for key, d := range found {
			o := &d.Order
			v := &order.Delivery{
				Aggregator: d.Aggregator, Slug: o.Slug, PartnerID: o.ID, Status: d.Status, AcceptBy: d.AcceptBy, Courier: order.Courier{Name: o.Courier.Name, Phone: o.Courier.Phone, Status: o.Courier.Status},
				Total: o.Charges.Total, Collect: d.Collect, Method: d.Method, Discount: o.Charges.Discount + o.Charges.PartnerDiscount, Unsure: o.Unsure, Other: d.Other, Test: o.Test,
			}
			for _, t := range d.Told {
				v.Told = append(v.Told, order.Told(t))
			}
			all[key] = v
		}
		return all, nil
	}
}
