package menu

import (
	"context"
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

// shelf is a shop that shows what it sells.
type shelf struct {
	*shop
	state  map[string]channel.Availability // of what is not sold
	broken error
	looks  int
}

func (s *shelf) Sold(context.Context) ([]channel.Availability, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	if s.broken != nil {
		return nil, s.broken
	}
	var list []channel.Availability
	for _, id := range []string{"i-20", "v-21", "i-22", "m-7~70", "m-7~71"} {
		if a, off := s.state[id]; off {
			list = append(list, a)
		} else {
			list = append(list, channel.Availability{ID: id, On: true})
		}
	}
	return list, nil
}

func (s *shelf) Available(ctx context.Context, a []channel.Availability) error {
	if err := s.shop.Available(ctx, a); err != nil {
		return err
	}
	for _, x := range a {
		s.switched(x.ID, x.On, x.Until)
	}
	return nil
}

// switched is somebody at the aggregator.
func (s *shelf) switched(id string, on bool, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.state, id); !on {
		s.state[id] = channel.Availability{ID: id, Until: until}
	}
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks
}

// An aggregator that can be read is held against what it shows: what it sells again is put right, and only that; what it has sold
// out by itself is shown and left alone until a person decides. One that cannot be read hears all of it.
func TestSoldOutIsCompared(t *testing.T) {
	t.Parallel()
	var s *shelf
	h := newHouse(t, func(c *Config) {
		c.Compare = time.Hour
		s = &shelf{shop: c.Menus[0].Client.(*shop), state: map[string]channel.Availability{}}
		c.Menus[0].Client = s
	})
	h.pos.sells(func(c *Catalogue) { c.Groups[0].Modifiers[0].SKU = "CHO" }) // the chocolate is an item and an extra
	h.done(`{"publish":true}`)
	there := func() []Elsewhere {
		t.Helper()
		var v View
		h.call("GET", "/v1/menu/menus/otter", "", 200, &v)
		return v.SoldOutThere
	}
	hour := 0
	later := func(sold ...string) { // until the next comparison is over
		t.Helper()
		n := s.count()
		hour++
		h.set(evening.Add(time.Duration(hour) * (time.Hour + time.Minute)))
		h.sellOut(sold...)
		h.until("it is compared", func() bool { return s.count() > n })
	}
	h.sellOut("CHO", "VAN")
	h.until("it is told", func() bool { return len(h.otter.said()) == 3 })

	// Somebody there sells the extra again and switches the large one off: the one is put right, the other is shown.
	s.switched("m-7~70", true, time.Time{})
	s.switched("v-21", false, time.Time{})
	later("CHO", "VAN")
	h.until("the difference is put right", func() bool { return len(h.otter.said()) == 4 })
	if last := h.otter.said()[3]; last != (channel.Availability{ID: "m-7~70", SKU: "CHO"}) {
		t.Errorf("put right: %+v", last)
	}
	h.until("what is sold out there alone is shown", func() bool {
		l := there()
		return len(l) == 1 && l[0].ID == "v-21" && l[0].SKU != "" && h.warned("menu_sold_out_there")
	})
	later("CHO", "VAN")
	h.until("and stays", func() bool { return len(there()) == 1 })
	if n := len(h.otter.said()); n != 4 {
		t.Errorf("nothing differs, and %+v is said", h.otter.said()[4:])
	}

	// After a restart it is read at once: nobody has to wait an hour.
	n := s.count()
	h.restart()
	h.until("it is read at the start", func() bool { return s.count() > n && len(there()) == 1 })

	// A person sells it again; what is not among them, and a shop that is deaf, are told apart.
	h.call("POST", "/v1/menu/menus/otter/resell", `{"id":"i-20"}`, 409, nil)
	h.otter.mu.Lock()
	h.otter.deaf = errAway
	h.otter.mu.Unlock()
	h.call("POST", "/v1/menu/menus/otter/resell", `{"id":"v-21"}`, 502, nil)
	h.otter.mu.Lock()
	h.otter.deaf = nil
	h.otter.mu.Unlock()
	h.call("POST", "/v1/menu/menus/otter/resell", `{"id":"v-21"}`, 200, nil)
	if said := h.otter.said(); len(there()) != 0 || h.warned("menu_sold_out_there") || said[len(said)-1].ID != "v-21" || !said[len(said)-1].On {
		t.Errorf("sold again: %+v, %+v", there(), said)
	}
	// When the kitchen has none of it either, it is nobody's alone.
	s.switched("v-21", false, time.Time{})
	later("CHO", "VAN")
	h.until("it is shown", func() bool { return len(there()) == 1 })
	sku := there()[0].SKU
	h.sellOut("CHO", "VAN", sku)
	later("CHO", "VAN", sku)
	h.until("it is the kitchen's", func() bool { return len(there()) == 0 })

	// A shop that cannot be read hears all of it again.
	s.mu.Lock()
	s.broken = errAway
	s.mu.Unlock()
	before := len(h.otter.said())
	later("CHO", "VAN", sku)
	h.until("all is said", func() bool { return len(h.otter.said()) == before+4 })
}
