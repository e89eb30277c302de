package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

func (p *peer) Answer(_ context.Context, e channel.Event, f *channel.Failure) error {
	word := "done"
	if f != nil {
		word = string(f.Code)
	}
	if e.StoreHours != nil {
		b, err := json.Marshal(e.StoreHours)
		if err != nil {
			return err
		}
		word += " " + string(b)
	}
	return p.did(fmt.Sprintf("answer %s %s %s%s", e.ID, e.Kind, word, e.Reason), channel.Ref{})
}

// week is open every day of a week in one zone.
func week(zone string, from, to int) channel.Opening {
	o := channel.Opening{Zone: zone}
	for d := range 7 {
		o.Weekly = append(o.Weekly, channel.Hours{Day: time.Weekday(d), From: from, To: to})
	}
	o.Sort()
	return o
}

// Hours are kept by menu and survive a restart; older ones and unreadable ones change nothing; the store's are those of its menus.
func TestOpeningHours(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.a.can.Hours = true
	c.c.Zone = "Europe/Paris"
	c.c.Menus = func(aggregator string) []channel.MenuPart {
		if aggregator != "otter" {
			return nil
		}
		return []channel.MenuPart{{ID: "lunch", Name: "Midi", Services: []string{"pickup"}}, {ID: "dinner", Name: "Soir"}, {ID: "brunch", Name: "Brunch"}}
	}
	c.stop()
	c.open()
	stop := c.run()
	take := func(id string, kind channel.Kind, ago time.Duration, change func(e *channel.Event)) error {
		e := &channel.Event{ID: id, At: c.now().Add(-ago), Kind: kind, Type: string(kind)}
		change(e)
		return c.service.take(t.Context(), c.service.link("otter"), e, c.now())
	}
	hours := func(all map[string]channel.Opening) func(*channel.Event) {
		return func(e *channel.Event) { e.Hours = all }
	}
	answered := func(want string) {
		t.Helper()
		c.wait(want, func() bool { return slices.Contains(c.a.told(), want) })
	}
	view := func() []MenuHours {
		t.Helper()
		v, err := c.service.view(t.Context(), c.service.link("otter"))
		if err != nil {
			t.Fatal(err)
		}
		return v.Hours
	}
	nothing := func(*channel.Event) {}

	if err := take("q0", channel.KindAskHours, 0, nothing); err != nil {
		t.Fatal(err)
	}
	answered("answer q0 ask_hours done") // and the client says that none is known
	if v := view(); len(v) != 3 || v[0].Name != "Midi" || v[0].Opening != nil {
		t.Errorf("nothing was told, and the console shows %+v", v)
	}
	noon, night := week("Europe/Paris", 690, 870), week("", 1080, 1560)
	for range 2 {
		if err := take("h1", channel.KindHours, 0, hours(map[string]channel.Opening{"lunch": noon, "gone": noon})); err != nil {
			t.Fatal(err)
		}
	}
	answered("answer h1 hours done")
	if err := take("h2", channel.KindHours, 0, hours(map[string]channel.Opening{"dinner": night})); err != nil {
		t.Fatal(err)
	}
	if err := take("h3", channel.KindHours, time.Minute, hours(map[string]channel.Opening{"dinner": noon})); err != nil {
		t.Fatal(err)
	}
	answered("answer h3 hours done") // it came late, and changes nothing
	var wrong *malformed
	err := take("h4", channel.KindHours, 0, func(e *channel.Event) {
		e.Faults = []channel.Fault{{Pointer: "/metadata/payload/menuHoursData/dinner/timeZone", Detail: "is no time zone"}}
	})
	if !errors.As(err, &wrong) || err.Error() != "the opening hours cannot be taken; /metadata/payload/menuHoursData/dinner/timeZone is no time zone" {
		t.Errorf("unreadable hours: %v", err)
	}
	answered("answer h4 hours INVALID_ARGUMENT")
	if len(c.warnings.List()) != 1 {
		t.Errorf("warnings %+v", c.warnings.List())
	}
	stop()
	c.stop()
	c.open()
	c.run()
	v := view()
	if len(v) != 4 || !reflect.DeepEqual(v[0].Opening, &noon) || !reflect.DeepEqual(v[1].Opening, &night) || v[2].Opening != nil || v[3].Menu != "gone" || !v[0].At.Equal(c.now()) {
		t.Errorf("after a restart the console shows %+v", v)
	}

	// The store delivers when dinner does, and hands out when one of them does. A menu without a zone is in the venue's.
	c.pass(time.Minute)
	if err := take("h5", channel.KindHours, 0, hours(map[string]channel.Opening{"gone": {Zone: "Europe/Paris"}})); err != nil {
		t.Fatal(err)
	}
	if err := take("q1", channel.KindAskHours, 0, nothing); err != nil {
		t.Fatal(err)
	}
	c.wait("the store's hours", func() bool { return len(c.a.told()) > 5 })
	h, no, err := c.service.storeHours(t.Context(), c.service.link("otter"))
	if err != nil || no != nil || h.Zone != "Europe/Paris" || len(h.Delivery.Weekly) != 7 || len(h.Pickup.Weekly) != 14 || !h.At.Equal(c.now()) {
		t.Errorf("the store is open %+v, %+v, %v", h, no, err)
	}
	told, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	answered("answer q1 ask_hours done " + string(told))
	if err := take("h6", channel.KindHours, 0, hours(map[string]channel.Opening{"brunch": week("America/Montreal", 600, 840)})); err != nil {
		t.Fatal(err)
	}
	if len(c.warnings.List()) != 0 {
		t.Errorf("warnings %+v", c.warnings.List())
	}
	if err := take("q2", channel.KindAskHours, 0, nothing); err != nil {
		t.Fatal(err)
	}
	answered("answer q2 ask_hours FAILED_PRECONDITION")

	// A menu made at the aggregator brings its hours along; a store that is paused says so.
	c.pass(time.Minute)
	if err := take("p1", channel.KindPublish, 0, func(e *channel.Event) {
		e.Menu = &channel.Menu{Menus: []channel.MenuPart{{ID: "brunch", Opening: &noon}, {ID: "dinner", Opening: &channel.Opening{Weekly: noon.Weekly}}}}
	}); err != nil {
		t.Fatal(err)
	}
	if v := view(); !reflect.DeepEqual(v[2].Opening, &noon) || !reflect.DeepEqual(v[1].Opening, &night) {
		t.Errorf("after a publish the console shows %+v", v)
	}
	if err := take("s1", channel.KindStore, 0, nothing); err != nil {
		t.Fatal(err)
	}
	answered("answer s1 store done")
	if err := c.journal.Write(t.Context(), func(tx *journal.Tx) error {
		return c.service.keepState(tx, c.service.link("otter"), func(st *state) { st.PausedAt = c.now() })
	}); err != nil {
		t.Fatal(err)
	}
	if err := take("s2", channel.KindStore, 0, nothing); err != nil {
		t.Fatal(err)
	}
	answered("answer s2 store donepaused")
}

// A store keeps the hours of two hundred menus: those that were told last.
func TestHoursAreBounded(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	l := c.service.link("otter")
	for round := range 3 {
		c.pass(time.Minute)
		all := map[string]channel.Opening{}
		for i := range 100 {
			all[fmt.Sprintf("r%d-%03d", round, i)] = week("UTC", 0, 60)
		}
		if err := c.service.take(t.Context(), l, &channel.Event{ID: fmt.Sprint(round), At: c.now().Add(time.Hour), Kind: channel.KindHours, Hours: all}, c.now()); err != nil {
			t.Fatal(err)
		}
	}
	told, err := c.service.Openings(t.Context(), "otter")
	if err != nil || len(told) != maxHours {
		t.Fatalf("%d menus are kept, %v", len(told), err)
	}
	for i := range 100 {
		if _, old := told[fmt.Sprintf("r0-%03d", i)]; old {
			t.Fatal("the oldest are kept")
		}
	}
}
