package deliveries

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"aboyeur/protocol/channel"
	"aboyeur/simulate/cloud"
)

// Control is the guests and the aggregator's computer room over HTTP. It has no access control: listen on loopback. Beside what
// all simulated services have (cloud.Control):
//
//	POST /orders       an order as in protocol/channel: placed, the box is told; 204, or 502 with what it answered
//	POST /changes      the same, changed
//	POST /cancel       {"slug":"ubereats","id":"8F3A2","reason":"CUSTOMER_CALLED_TO_CANCEL"}
//	POST /progress     {"slug":"ubereats","id":"8F3A2","status":"handed_off"}
//	POST /release      {"slug":"ubereats","id":"8F3A2"}: a scheduled order is due
//	POST /again        {"slug":"ubereats","id":"8F3A2","times":3}: repeats its last webhook at once
//	POST /events       {"kind":"pause"}: an event about the store
//	GET  /state, /orders
//	GET  /acts?after=N                              everything that was done, as JSON lines
func (s *Simulator) Control() http.Handler {
	c := s.Service.Control()
	for pattern, do := range map[string]func(context.Context, channel.Order) error{"POST /orders": s.Place, "POST /changes": s.Change} {
		c.Act(pattern, func(ctx context.Context, d *json.Decoder) error {
			var o channel.Order
			if err := cloud.ReadStrict(d, &o); err != nil {
				return fmt.Errorf("not an order: %w", err)
			}
			return do(ctx, o)
		})
	}
	type which struct {
		Slug   string         `json:"slug"`
		ID     string         `json:"id"`
		Reason string         `json:"reason"`
		Status channel.Status `json:"status"`
		Times  int            `json:"times"`
	}
	for pattern, do := range map[string]func(context.Context, which) error{
		"POST /cancel":  func(ctx context.Context, w which) error { return s.Cancel(ctx, w.Slug, w.ID, w.Reason) },
		"POST /release": func(ctx context.Context, w which) error { return s.Release(ctx, w.Slug, w.ID) },
		"POST /again": func(ctx context.Context, w which) error {
			return s.Again(ctx, w.Slug, w.ID, min(max(w.Times, 1), 1000))
		},
		"POST /progress": func(ctx context.Context, w which) error {
			if w.Status.Rank() == 0 {
				return errors.New("status: write one of new, accepted, prepared, handed_off, fulfilled, cancelled, rejected")
			}
			return s.Progress(ctx, w.Slug, w.ID, w.Status)
		},
	} {
		c.Act(pattern, func(ctx context.Context, d *json.Decoder) error {
			var w which
			if err := cloud.Read(d, &w); err != nil {
				return err
			}
			return do(ctx, w)
		})
	}
	c.Act("POST /events", func(ctx context.Context, d *json.Decoder) error {
		var e struct {
			Kind    channel.Kind    `json:"kind"`
			Type    string          `json:"type"`
			Reason  string          `json:"reason"`
			Payload json.RawMessage `json:"payload"`
		}
		if err := cloud.Read(d, &e); err != nil {
			return err
		}
		ev := Event{Kind: e.Kind, Type: e.Type, Reason: e.Reason}
		if len(e.Payload) > 0 {
			ev.Payload = e.Payload
		}
		_, _, err := s.Send(ctx, ev)
		return err
	})
	c.Show("GET /state", func() any { return s.State() })
	c.Show("GET /orders", func() any { return s.Orders() })
	cloud.List(c, "GET /acts", s.Acts)
	return c
}
