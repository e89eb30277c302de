package menu

import (
	"slices"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

// sellOut is what the kitchen says, told by the feed.
func (h *house) sellOut(skus ...string) {
	h.Helper()
	h.mu.Lock()
	h.sold = skus
	h.mu.Unlock()
	if err := h.journal.Write(h.Context(), func(tx *journal.Tx) error { tx.Change("menu", "x", []byte(`{}`)); return nil }); err != nil {
		h.Fatal(err)
	}
}

func (o *shop) said() []channel.Availability {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.told)
}

// What the kitchen has no more of is told to aggregator and till at once, as item and as modifier, once, and again when it is
// back; one that is deaf hears it as soon as it listens, also after a restart.
func TestSoldOutIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *Config) { c.Compare = time.Hour })
	h.stop()
	h.config.Available = h.pos.available
	h.restart()
	h.pos.sells(func(c *Catalogue) { c.Groups[0].Modifiers[0].SKU = "CHO" }) // the chocolate is an item and an extra
	h.done(`{"publish":true}`)
	h.sellOut("CHO")
	h.until("both are told", func() bool { return len(h.otter.said()) == 2 && len(h.pos.heard()) == 1 })
	for _, want := range []channel.Availability{{ID: "i-22", SKU: "CHO"}, {ID: "m-7~70", SKU: "CHO"}} {
		if !slices.Contains(h.otter.said(), want) {
			t.Errorf("%+v is not among %+v", want, h.otter.said())
		}
	}
	h.sellOut("CHO", "NOBODY")
	h.sellOut()
	h.until("it is back", func() bool { return len(h.otter.said()) == 4 && slices.Contains(h.pos.heard(), "CHO on") })
	if slices.Contains(h.pos.heard(), "NOBODY off") {
		t.Error("the till is told of what it does not know")
	}
	h.otter.mu.Lock()
	h.otter.deaf, h.otter.told = errAway, nil
	h.otter.mu.Unlock()
	h.sellOut("VAN")
	h.until("a warning", func() bool { return h.warned("menu_sold_out") })
	h.restart()
	h.otter.mu.Lock()
	h.otter.deaf = nil
	h.otter.mu.Unlock()
	h.until("it listens", func() bool { return slices.Contains(h.otter.said(), channel.Availability{ID: "i-20", SKU: "VAN"}) })
	h.until("no warning", func() bool { return !h.warned("menu_sold_out") })
	if m, err := h.s.Current(t.Context(), "otter"); err != nil || !itemOf(t, m, "i-20").SoldOut || itemOf(t, m, "i-22").SoldOut {
		t.Errorf("the menu as it is now: %v", err)
	}
	n := len(h.otter.said())
	h.set(evening.Add(time.Hour + time.Minute))
	h.sellOut("VAN")
	h.until("once an hour it is said again", func() bool { return len(h.otter.said()) == n+1 })
}

func (p *till) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}
