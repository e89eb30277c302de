package otter

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/otter"
	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliveries"
)

// Hours are the opening hours as the ledger has them: those that people set at Otter and the box took, by menu, and those that the
// box reported of the store, nil until it did.
type Hours struct {
	Menus map[string]otter.HoursData `json:"menus"`
	Store *otter.StoreHours          `json:"store,omitzero"`
}

// SetHours is what people set at Otter: the box is told, and what the menus show changes. The id is the event's.
func (s *Simulator) SetHours(ctx context.Context, hours map[string]otter.HoursData) (id string, err error) {
	payload := otter.HoursUpdate{MenuHoursData: make(map[string]wire.Maybe[otter.HoursData], len(hours))}
	for menu, h := range hours {
		payload.MenuHoursData[menu] = wire.Some(h)
	}
	id, _, err = s.Send(ctx, deliveries.Event{Kind: channel.KindHours, Payload: payload})
	if err != nil {
		return id, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := maps.Clone(s.menu.Menus)
	for menu, h := range hours {
		m, ok := shown[menu]
		if !ok {
			continue
		}
		m.Hours = wire.Some(intervals(h))
		shown[menu] = m
	}
	s.menu.Menus = shown
	return id, nil
}

// intervals is a week of hours as menus show it.
func intervals(h otter.HoursData) (all otter.Hours) {
	clock := func(t wire.Text) (int, int) {
		at, err := time.Parse("15:04", string(t))
		if err != nil {
			return 0, 0
		}
		return at.Hour(), at.Minute()
	}
	for _, r := range h.RegularHours {
		for _, day := range r.Days {
			for _, span := range r.TimeRanges {
				i := otter.Interval{Day: string(day)}
				i.FromHour, i.FromMinute = clock(span.Start)
				i.ToHour, i.ToMinute = clock(span.End)
				all.Intervals = append(all.Intervals, i)
			}
		}
	}
	return all
}

// AskHours asks the box for the hours of its store. The id is the event's.
func (s *Simulator) AskHours(ctx context.Context) (id string, err error) {
	id, _, err = s.Send(ctx, deliveries.Event{Kind: channel.KindAskHours})
	return id, err
}

// Hours are what the ledger has of opening hours.
func (s *Simulator) Hours() Hours {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hours
	h.Menus = maps.Clone(h.Menus)
	return h
}

// told are the hours that an event told.
func told(e deliveries.Event) map[string]otter.HoursData {
	all := map[string]otter.HoursData{}
	var p otter.HoursUpdate
	b, err := json.Marshal(e.Payload)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	for menu, h := range p.MenuHoursData {
		if err == nil && h.V != nil {
			all[menu] = *h.V
		}
	}
	return all
}

// hoursTaken is the answer to menus.upsert_hours.
func (s *Simulator) hoursTaken(v *cloud.Visit) cloud.Answer {
	e, a, ok := s.answers(v)
	switch {
	case !ok:
		return a
	case e.Kind != channel.KindHours:
		return refuse(http.StatusUnprocessableEntity, "The event is not about hours.")
	}
	taken := told(e)
	detail, err := json.Marshal(taken, json.Deterministic(true))
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	s.mu.Lock()
	maps.Copy(s.hours.Menus, taken)
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "hours", Event: e.ID, Detail: string(detail)}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

// storeHours is the answer to storefront.get_store_hours.
func (s *Simulator) storeHours(v *cloud.Visit) cloud.Answer {
	e, a, ok := s.answers(v)
	switch {
	case !ok:
		return a
	case e.Kind != channel.KindAskHours && e.Type != otter.GetHours:
		return refuse(http.StatusUnprocessableEntity, "The event does not ask for hours.")
	}
	var r otter.StoreHoursResult
	if err := json.Unmarshal(v.Raw, &r, json.RejectUnknownMembers(true)); err != nil || r.EventResultMetadata.OperationStatus != "SUCCEEDED" {
		return refuse(http.StatusBadRequest, "The request is malformed.")
	}
	h := r.StoreHoursConfiguration
	if h.Timezone == "" || !sound(h.DeliveryHours.Or()) || !sound(h.PickupHours.Or()) {
		return refuse(http.StatusUnprocessableEntity, "The request body is invalid.")
	}
	s.mu.Lock()
	s.hours.Store = &h
	s.mu.Unlock()
	s.Do(deliveries.Act{Op: "store_hours", Event: e.ID, Detail: string(v.Raw)}, "", nil)
	return cloud.Answer{Status: http.StatusNoContent}
}

// sound checks hours as Otter's schema has them.
func sound(h otter.ServiceHours) bool {
	ranges := func(list []otter.StoreRange) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(r otter.StoreRange) bool {
			_, from := time.Parse("15:04", string(r.StartTime))
			_, to := time.Parse("15:04", string(r.EndTime))
			return from != nil || to != nil
		})
	}
	days := []wire.Text{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"}
	for _, d := range h.RegularHours {
		if !slices.Contains(days, d.DayOfWeek) || !ranges(d.TimeRanges) {
			return false
		}
	}
	for _, d := range h.SpecialHours {
		if _, err := time.Parse(time.DateOnly, string(d.Date)); err != nil || d.SpecialHourType != "OPEN" && d.SpecialHourType != "CLOSED" || !ranges(d.TimeRanges) {
			return false
		}
	}
	return true
}
