package menu

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

// An aggregator asks for our menu, tells of one that was made there and of what is sold out: each is done and answered, also over
// a restart between message and answer.
func TestErrands(t *testing.T) {
	t.Parallel()
	var sold []string
	h := newHouse(t, func(c *Config) {
		c.Sell = func(_ context.Context, menu, sku, name string, out bool) error {
			sold = append(sold, fmt.Sprint(menu, " ", sku, " ", name, " ", out))
			return nil
		}
	})
	told := func(e channel.Event, want bool) {
		t.Helper()
		err := h.journal.Write(t.Context(), func(tx *journal.Tx) error {
			taken, err := h.s.Told(tx, "otter", &e)
			if taken != want {
				t.Errorf("%s is taken: %v", e.Kind, taken)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	answer := func(want string) {
		t.Helper()
		h.until(want, func() bool { return slices.Contains(h.otter.answered(), want) })
	}
	told(channel.Event{ID: "1", Kind: channel.KindMenu}, true)
	answer("menu 1 NOT_FOUND")
	h.done(`{}`)
	told(channel.Event{ID: "2", Kind: channel.KindMenu}, true)
	answer("menu 2")
	if m := h.otter.current[0]; len(m.Items) != 9 {
		t.Errorf("it got %d items", len(m.Items))
	}
	h.stop()
	m := foreign()
	told(channel.Event{ID: "3", Kind: channel.KindPublish, Menu: &m}, true)
	if n := len(h.otter.answered()); n != 2 {
		t.Errorf("%d answers while the box is off", n)
	}
	h.restart()
	answer("publish 3 done")
	if l := h.counters(); l.Unlinked != (Unlinked{1, 1, 1}) {
		t.Errorf("%+v", l.Unlinked)
	}
	told(channel.Event{ID: "4", Kind: channel.KindAvailability, Availability: []channel.Availability{{ID: "i-22"}, {SKU: "VAN", On: true}, {ID: "fi"}}}, true)
	answer("availability 4 done")
	if want := []string{"otter CHO Chocolat true", "otter VAN Vanille false"}; !slices.Equal(sold, want) {
		t.Errorf("the kitchen hears %v, want %v", sold, want)
	}
	told(channel.Event{ID: "5", Kind: channel.KindHours}, false)
	told(channel.Event{ID: "6", Kind: channel.KindPublish}, false)
}
