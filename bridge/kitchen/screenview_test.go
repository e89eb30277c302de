package kitchen

import (
	"fmt"
	"testing"
)

// TestScreenViews: the console sees who looks at each screen, what it has to show, and who stands in for a silent one.
func TestScreenViews(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(h *house) { h.config.Screens = []Screen{{Name: "grill", Backup: "bar"}} })
	board := h.kitchen.Board()
	views := func() (list []string) {
		for _, v := range board.ScreenViews() {
			if v.Name == "grill" || v.Name == "bar" {
				list = append(list, fmt.Sprintf("%s %v connected %d looked %v backup %q at %q open %d", v.Name, v.Stations, v.Connected, v.Looked, v.Backup, v.ShownAt, v.Open))
			}
		}
		return list
	}
	h.place(newOrder(dish(1, "Steak", "Grill")))
	h.settle()
	_, bar, _ := board.Snapshot(t.Context(), "bar")
	_, grill, _ := board.Snapshot(t.Context(), "grill")
	defer bar.Close()
	board.StandIn(func(string, string, bool) {})
	same(t, "both are looked at", views(), []string{
		`bar [bar] connected 1 looked true backup "" at "" open 0`,
		`grill [grill wall] connected 1 looked true backup "bar" at "" open 1`,
	})
	grill.Close()
	h.clock.add(SilentAfter + 1)
	board.StandIn(func(string, string, bool) {})
	same(t, "the grill is silent", views(), []string{
		`bar [bar] connected 1 looked true backup "" at "" open 0`,
		`grill [grill wall] connected 0 looked false backup "bar" at "bar" open 1`,
	})
}
