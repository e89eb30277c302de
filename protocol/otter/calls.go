package otter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/rest"
)

// Bounds of the feed.
const (
	FeedBack  = 20 * 24 * time.Hour // it goes no further back
	FeedPage  = 100
	feedPages = channel.MaxFeed/FeedPage + 1
)

// eventHeader says which event a call answers.
func eventHeader(id string) http.Header { return http.Header{"X-Event-Id": {id}} }

// Created says that a new order was taken. An order that did not come by an event, but by the feed, needs no such answer.
func (c *Client) Created(ctx context.Context, r channel.Ref) error {
	if r.Event == "" {
		return nil
	}
	return c.do(ctx, famCreated, true, rest.Call{Op: "tell that the order is taken", Method: http.MethodPost, Path: "/manager/order/v1/orders/order-created", Header: eventHeader(r.Event)})
}

// CallbackError is the body of POST /v1/callback/error.
type CallbackError struct {
	ErrorCode    wire.Text `json:"errorCode"`
	ErrorMessage wire.Text `json:"errorMessage,omitzero"` // shown to the user
}

// Failed says why an order could not be taken.
func (c *Client) Failed(ctx context.Context, r channel.Ref, f channel.Failure) error {
	if r.Event == "" {
		return channel.ErrUnsupported
	}
	return c.failed(ctx, r.Event, true, f)
}

func (c *Client) failed(ctx context.Context, event string, urgent wire.Urgent, f channel.Failure) error {
	return c.do(ctx, famError, urgent, rest.Call{Op: "tell a failure", Method: http.MethodPost, Path: "/v1/callback/error", Header: eventHeader(event),
		In: CallbackError{wire.Text(f.Code), wire.Text(clip(wire.Text(f.Message)))}})
}

// order makes one of the manager's calls on an order.
func (c *Client) order(ctx context.Context, f wire.Family, urgent wire.Urgent, op string, r channel.Ref, verb string, in any) error {
	if r.ID == "" {
		return errors.New(op + ": the order has no id")
	}
	return c.do(ctx, f, urgent, rest.Call{Op: op, Method: http.MethodPost, Path: rest.Path("manager", "order", "v1", "sources", slug(wire.Text(r.Slug)), "orders", r.ID, verb), In: in})
}

// Confirmation is the body of confirm.
type Confirmation struct {
	EstimatedPrepTimeMinutes int `json:"estimatedPrepTimeMinutes,omitzero"`
}

// Accept confirms an order.
func (c *Client) Accept(ctx context.Context, r channel.Ref, ready time.Time) error {
	return c.order(ctx, famConfirm, true, "confirm the order", r, "confirm", Confirmation{c.minutes(ready)})
}

// minutes is how long it is until then, at least one; 0 for no time.
func (c *Client) minutes(until time.Time) int {
	if until.IsZero() {
		return 0
	}
	return max(1, int((until.Sub(c.now())+time.Minute-1)/time.Minute))
}

// Cancellation is the body of cancel.
type Cancellation struct {
	CancellationReason wire.Text          `json:"cancellationReason"`
	CancelingParty     wire.Maybe[Person] `json:"cancelingParty,omitzero"`
}

// Deny refuses an order: Otter has one call for that and for cancelling.
func (c *Client) Deny(ctx context.Context, r channel.Ref, d channel.Denial) error {
	reason := d.Reason
	if reason == "" && len(d.Items) > 0 {
		reason = "UNAVAILABLE_ITEM"
	}
	return c.Cancelled(ctx, r, reason)
}

// Cancelled cancels an order. A reason that Otter does not know becomes REASON_OTHER, none REASON_UNKNOWN.
func (c *Client) Cancelled(ctx context.Context, r channel.Ref, reason string) error {
	switch {
	case reason == "":
		reason = "REASON_UNKNOWN"
	case !slices.Contains(channel.CancelReasons(), reason):
		reason = "REASON_OTHER"
	}
	return c.order(ctx, famCancel, true, "cancel the order", r, "cancel", Cancellation{CancellationReason: wire.Text(reason)})
}

// Ready says that the order can be fetched.
func (c *Client) Ready(ctx context.Context, r channel.Ref) error {
	return c.order(ctx, famReady, false, "tell that the order is ready", r, "ready-to-pickup", nil)
}

// HandedOff is not in the manager's calls: the marketplace's courier says so.
func (c *Client) HandedOff(context.Context, channel.Ref) error { return channel.ErrUnsupported }

// Fulfilled says that the order is done.
func (c *Client) Fulfilled(ctx context.Context, r channel.Ref) error {
	return c.order(ctx, famFulfill, false, "tell that the order is done", r, "fulfill", nil)
}

// CloseTable ends a dine-in order.
func (c *Client) CloseTable(ctx context.Context, r channel.Ref) error {
	return c.order(ctx, famClose, false, "close the table's order", r, "close", nil)
}

// PreparationMinutes is the body of prep-time.
type PreparationMinutes struct {
	PrepTimeMinutes int `json:"prepTimeMinutes"`
}

// PrepTime says when the order can be fetched.
func (c *Client) PrepTime(ctx context.Context, r channel.Ref, ready time.Time) error {
	return c.order(ctx, famPrepTime, false, "tell the preparation time", r, "prep-time", PreparationMinutes{c.minutes(ready)})
}

// Injected is not on the wire: Otter makes its own mind up from Created and Failed.
func (c *Client) Injected(context.Context, channel.Ref, channel.Injection) error {
	return channel.ErrUnsupported
}

// ManagerOrder is the answer for one order.
type ManagerOrder struct {
	Order          wire.Maybe[Order] `json:"order"`
	InjectionState wire.Text         `json:"injectionState,omitzero"`
	InjectionEvent wire.Text         `json:"injectionEvent,omitzero"`
}

// Fetch reads one order.
func (c *Client) Fetch(ctx context.Context, r channel.Ref) (channel.Order, error) {
	var body []byte
	err := c.do(ctx, famOrder, false, rest.Call{Op: "read the order", Path: rest.Path("manager", "order", "v1", "sources", slug(wire.Text(r.Slug)), "orders", r.ID), Out: &body})
	if err != nil {
		return channel.Order{}, err
	}
	var m ManagerOrder
	if err := wire.Read("", body, &m); err != nil {
		return channel.Order{}, err
	}
	if m.Order.V == nil {
		return channel.Order{}, &channel.Malformed{Faults: []channel.Fault{{Pointer: "/order", Detail: "is missing"}}}
	}
	return m.Order.V.Channel("/order")
}

// OrderFeed is a page of the feed.
type OrderFeed struct {
	Orders      wire.List[Order] `json:"orders"`
	OffsetToken wire.Text        `json:"offsetToken,omitzero"` // of the next page
}

// Feed reads the orders of a time, at most FeedBack ago. Where the limit ends before the pages do it waits, as long as ctx lets
// it: a long time is never read otherwise. An order that cannot be read is left out, unless nothing else came.
func (c *Client) Feed(ctx context.Context, from, to time.Time) ([]channel.Order, error) {
	if back := c.now().Add(time.Minute - FeedBack); from.Before(back) {
		from = back
	}
	q := url.Values{"limit": {strconv.Itoa(FeedPage)}, "minDateTime": {string(wire.Stamp(from))}}
	if !to.IsZero() {
		q.Set("maxDateTime", string(wire.Stamp(to)))
	}
	var all []channel.Order
	var odd error
	for range feedPages {
		var body []byte
		call := rest.Call{Op: "read the feed", Path: "/manager/order/v1/orders", Query: q, Out: &body}
		err := c.do(ctx, famFeed, false, call)
		for limited := new(channel.Limited); len(all) > 0 && errors.As(err, &limited) && rest.Wait(ctx, min(limited.After, time.Second)) == nil; {
			err = c.do(ctx, famFeed, false, call)
		}
		if err != nil {
			return nil, err
		}
		var page OrderFeed
		if err := wire.Read("", body, &page); err != nil {
			return nil, err
		}
		for i := range page.Orders {
			o, err := page.Orders[i].Channel("/orders/" + strconv.Itoa(i))
			if err != nil {
				odd = err
				continue
			}
			all = append(all, o)
		}
		if page.OffsetToken == "" || q.Get("token") == string(page.OffsetToken) || len(all) >= channel.MaxFeed {
			break
		}
		q.Set("token", string(page.OffsetToken))
	}
	if len(all) == 0 && odd != nil {
		return nil, odd
	}
	return all[:min(len(all), channel.MaxFeed)], nil
}

// Check proves the credentials.
func (c *Client) Check(ctx context.Context) error {
	return c.do(ctx, famPing, false, rest.Call{Op: "ping", Path: "/v1/ping"})
}
