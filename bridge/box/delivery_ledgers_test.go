package box

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/protocol/channel"
	"aboyeur/simulate/deliveries"
	simlightspeed "aboyeur/simulate/lightspeed"
)

// numberIn finds in a text the number that the courier says, "" for none.
func numberIn(text string) string {
	for _, w := range strings.Fields(text) {
		if len(w) == 7 && w[0] == 'K' && w[6] == 'X' {
			return w
		}
	}
	return ""
}

// judge compares the ledgers with what the box says.
func (s *soiree) judge(all map[string]*delivered, orders int) {
	t := s.t
	meant := map[string]int{} // by aggregator, as the ledgers have to count
	for _, g := range s.orders {
		for _, by := range g.by {
			meant[by]++
		}
	}
	for by, sim := range s.sims {
		if n := len(sim.Orders()); n != meant[by] {
			t.Errorf("%s has %d orders, meant were %d", by, n, meant[by])
		}
		if slices.ContainsFunc(sim.Acts(), func(a deliveries.Act) bool { return strings.Contains(a.Op, "pause") || a.Op == "store_status" }) {
			t.Errorf("the till was away, and the box paused the store at %s", by)
		}
		if h := sim.Hooks(); h.Fooled > 0 {
			t.Errorf("%s fooled the box: %+v", by, h)
		}
	}
	taken := map[string][]simlightspeed.Taken{} // by the number that the courier says
	for _, o := range s.till.Orders() {
		if o.Account != "" {
			number := numberIn(o.Note)
			taken[number] = append(taken[number], o)
		}
	}
	paper := map[string]int{}
	for _, printer := range s.r.printers {
		for _, p := range printer.Tickets() {
			if !p.Banner && !p.Partial && !slices.ContainsFunc([]string{"MODIFIÉ", "CHANGED", "ANNULÉ", "CANCELLED", "PAS EN CAISSE", "NOT IN POS"}, func(w string) bool { return strings.Contains(p.Text, w) }) {
				paper[numberIn(p.Text)]++
			}
		}
	}
	if len(taken[""])+paper[""] > 0 {
		t.Errorf("nobody knows whose %d orders at the till and %d tickets are", len(taken[""]), paper[""])
	}
	type sums struct{ orders, injected, manual, cancelled int }
	counts, sources := map[string]int{}, map[string]sums{}
	for id, o := range all {
		g := s.orders[id]
		number := g.all[0].FriendlyID
		counts[strings.TrimSpace(o.State+" "+o.InPOS)]++
		sum := sources[o.Source]
		sum.orders++
		switch o.InPOS {
		case "manual":
			sum.manual++
		case "yes":
			sum.injected++
		}
		if o.State == "cancelled" {
			sum.cancelled++
		}
		sources[o.Source] = sum
		if want := map[bool]string{true: "cancelled", false: "fulfilled"}[g.off()]; o.State != want {
			t.Errorf("%s order %s ends %s", g.kind, id, o.State)
		}
		if o.InPOS != "yes" && o.InPOS != "manual" && !(o.InPOS == "" && o.State == "cancelled") || o.VoidPending {
			t.Errorf("%s order %s ends %q in the POS, void pending %t", g.kind, id, o.InPOS, o.VoidPending)
		}
		at := taken[number]
		switch {
		case o.InPOS == "yes" && len(at) != 1, o.InPOS == "" && len(at) != 0, len(at) > 1:
			t.Errorf("%s order %s stands %q, and the till has it %d times", g.kind, id, o.InPOS, len(at))
		case o.InPOS == "yes" && !slices.ContainsFunc(g.all, func(v channel.Order) bool { return alike(&v, &at[0]) }):
			t.Errorf("%s order %s: the till has %+v, the guest ordered %+v", g.kind, id, at[0], g.all)
		}
		if last := g.all[len(g.all)-1]; o.Total != costs(&last) && !g.off() {
			t.Errorf("%s order %s costs %d here, %d there: %+v", g.kind, id, o.Total, costs(&last), s.r.get(o.ID).Timeline)
		}
		switch n := paper[number]; {
		case n > 1, n == 0 && o.State != "cancelled":
			t.Errorf("%s order %s is on paper %d times", g.kind, id, n)
		}
		if g.kind == twiceOrder && !slices.Contains(g.by, o.Delivery.Other) {
			t.Errorf("order %s came by %q, and the second one is %q", id, g.by, o.Delivery.Other)
		}
		for _, by := range g.by {
			e, known := s.sims[by].Order(g.all[0].Slug, id)
			if !known || !g.off() && e.Created+len(e.Failures)+e.Did(deliveries.Accepted) == 0 {
				t.Errorf("%s order %s: %s never heard what became of it: %+v", g.kind, id, by, e.Acts)
			}
			if by == "ubereats" && !g.off() && e.Status != channel.Accepted {
				t.Errorf("%s order %s is %s at Uber Eats", g.kind, id, e.Status)
			}
			if by == o.Source && by != "ubereats" && !g.off() && e.Status != channel.Fulfilled {
				t.Errorf("%s order %s is %s at %s", g.kind, id, e.Status, by)
			}
		}
	}
	if len(all) != orders {
		t.Errorf("%d orders are here, %d were placed", len(all), orders)
	}
	for number := range maps.Keys(taken) { // the till has nothing that nobody ordered
		if s.orders["id-"+strings.Trim(number, "KX")] == nil {
			t.Errorf("the till has %s, which nobody ordered", number)
		}
	}
	var report struct {
		Sources []struct {
			Source                                               string
			Orders, Injected, Failed, Manual, Pending, Cancelled int
		}
	}
	day := func(at time.Time) string { return at.In(s.r.config.Site.Location).Format(time.DateOnly) }
	s.r.must(http.StatusOK, http.MethodGet, "/v1/reports?from="+day(s.now().Add(-60*time.Hour))+"&to="+day(s.now()), nil, &report)
	for _, x := range report.Sources {
		if got := (sums{x.Orders, x.Injected, x.Manual, x.Cancelled}); got != sources[x.Source] || x.Failed+x.Pending > 0 {
			t.Errorf("the report says of %s %+v, the list %+v", x.Source, x, sources[x.Source])
		}
	}
	t.Logf("the evening: %v by %v", counts, sources)
}

// alike tells whether the till has what a guest ordered: each line, price, modifier and note.
func alike(o *channel.Order, at *simlightspeed.Taken) bool {
	if at.Total != costs(o) || !strings.Contains(at.Note, o.Note) || !strings.HasPrefix(at.Note, o.Partner+" "+o.FriendlyID) || len(at.Items) != len(o.Lines) {
		return false
	}
	for i := range o.Lines {
		l, x := &o.Lines[i], &at.Items[i]
		if x.SKU != l.SKU || x.Quantity != l.Quantity || x.Price != l.Price || len(x.Items) != len(l.Modifiers) {
			return false
		}
		for k := range l.Modifiers {
			if m := &x.Items[k]; m.SKU != l.Modifiers[k].SKU || m.Price != l.Modifiers[k].Price {
				return false
			}
		}
	}
	return true
}
