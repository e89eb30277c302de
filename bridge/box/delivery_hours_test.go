package box

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/protocol/channel/wire"
	"aboyeur/protocol/otter"
	"aboyeur/simulate/deliveries"
)

// openingHours goes through what Otter and the box say of opening hours, over a menu that was published: people set them at Otter,
// publishing wipes none of them, Otter asks for those of the store, and what cannot be read changes nothing.
func (m *market) openingHours(t *testing.T, sync func(body string) menuRun) {
	t.Helper()
	menus := slices.Sorted(maps.Keys(m.Menu().Menus))
	if len(menus) != 1 {
		t.Fatalf("Otter has menus %v", menus)
	}
	id := menus[0]
	var view struct {
		Zone  string
		Hours []struct {
			Menu, Name string
			Opening    *channel.Opening
			At         time.Time
		}
	}
	look := func() *channel.Opening {
		t.Helper()
		m.r.must(http.StatusOK, "GET", "/v1/integrations/otter", nil, &view)
		if len(view.Hours) != 1 || view.Hours[0].Menu != id || view.Hours[0].Name != "Otter" || view.Zone == "" {
			t.Fatalf("the console shows %+v", view)
		}
		return view.Hours[0].Opening
	}
	if look() != nil {
		t.Errorf("before anything was told the console shows %+v", view)
	}
	failed := func(event, code string) func() bool {
		return func() bool {
			return slices.ContainsFunc(m.Acts(), func(a deliveries.Act) bool {
				return a.Op == deliveries.Failed && a.Event == event && strings.HasPrefix(a.Detail, code)
			})
		}
	}
	asked, err := m.AskHours(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.r.wait("nobody knows the hours", failed(asked, "NOT_FOUND"))

	week := otter.HoursData{TimeZone: "Europe/Paris", RegularHours: []otter.RegularHours{{Days: []wire.Text{"TUESDAY", "WEDNESDAY"}, TimeRanges: []otter.TimeRange{{Start: "11:30", End: "14:30"}, {Start: "18:30", End: "01:00"}}}},
		SpecialHours: []otter.SpecialHours{{Date: "2026-12-25", TimeRanges: []otter.TimeRange{}, Type: "CLOSED"}, {Date: "2026-12-31", TimeRanges: []otter.TimeRange{{Start: "19:00", End: "03:00"}}, Type: "OPEN"}}}
	if _, err := m.SetHours(t.Context(), map[string]otter.HoursData{id: week}); err != nil {
		t.Fatal(err)
	}
	m.r.wait("the hours are taken", func() bool { return len(m.Hours().Menus) == 1 })
	if o := look(); o == nil || o.Zone != "Europe/Paris" || len(o.Weekly) != 4 || len(o.Special) != 2 || m.now().Sub(view.Hours[0].At).Abs() > time.Minute {
		t.Errorf("the console shows %+v", view)
	}

	// What is published has them, whether hours are taken over or not; so has the answer to who asks for our menu.
	for _, fields := range []string{`["name"]`, `["name","price","description","photo","availability","hours","taxes","modifiers","new_items","removed_items","organisation"]`} {
		m.pass(2 * time.Minute)
		m.r.must(http.StatusOK, "PUT", "/v1/menu/menus/otter", `{"fields":`+fields+`}`, nil)
		sync(`{"publish":true}`)
		if got := m.Menu().Menus[id].Hours.Or().Intervals; len(got) != 6 || got[0] != (otter.Interval{Day: "TUESDAY", FromHour: 11, FromMinute: 30, ToHour: 14, ToMinute: 30}) || got[2] != (otter.Interval{Day: "WEDNESDAY", ToHour: 1}) {
			t.Errorf("published with %s, the menu is open %+v", fields, got)
		}
	}
	if _, err = m.AskHours(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.r.wait("the hours of the store are reported", func() bool { return m.Hours().Store != nil })
	store := m.Hours().Store
	if d := store.DeliveryHours.Or(); store.Timezone != "Europe/Paris" || len(d.RegularHours) != 2 || d.RegularHours[1].DayOfWeek != "WEDNESDAY" || d.RegularHours[1].TimeRanges[1] != (otter.StoreRange{StartTime: "18:30", EndTime: "01:00"}) ||
		len(d.SpecialHours) != 2 || d.SpecialHours[0].SpecialHourType != "CLOSED" || d.SpecialHours[1].TimeRanges[0].EndTime != "03:00" || len(store.PickupHours.Or().RegularHours) != 2 {
		t.Errorf("the box reported %+v", store)
	}

	// Hours that make no sense are refused by their place, kept for people to see, and change nothing.
	before := look()
	bad, _, err := m.Send(t.Context(), deliveries.Event{Kind: channel.KindHours, Payload: map[string]any{"menuHoursData": map[string]any{id: map[string]any{"timeZone": "Europe/Paris", "specialHours": []any{},
		"regularHours": []any{map[string]any{"days": []string{"MONDAY"}, "timeRanges": []any{map[string]any{"start": "11:30", "end": "late"}}}}}}}})
	if err == nil {
		t.Error("hours that cannot be read are taken")
	}
	m.r.wait("they are refused", failed(bad, `INVALID_ARGUMENT the opening hours cannot be taken; /metadata/payload/menuHoursData/`+id+`/regularHours/0/timeRanges/0/end "late" is no time of day`))
	m.r.wait("people see why", func() bool {
		return strings.Contains(string(m.r.fetch("/v1/integrations/otter/rejected")), "is no time of day") && strings.Contains(string(m.r.fetch("/v1/warnings")), "hours_refused")
	})
	if after := look(); after == nil || len(after.Weekly) != len(before.Weekly) || len(m.Hours().Menus[id].RegularHours) != 1 {
		t.Errorf("the last good hours are gone: %+v", view)
	}
}
