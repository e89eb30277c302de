package web

import (
	"strings"
	"testing"
	"time"
)

// F34: the page acknowledges each ticket once it is painted, and says that it works at all.
func TestF34PaintedAndAlive(t *testing.T) {
	var many []object
	for i := range 12 {
		many = append(many, ticketAt("k"+string(rune('a'+i)), 10+i, time.Duration(20-i)*time.Second, nil))
	}
	box, b := kitchenTab(t, "en", many...)
	b.before(hasty)
	b.open("/screens/grill")
	painted := func() int {
		box.mu.Lock()
		defer box.mu.Unlock()
		return len(box.painted)
	}
	b.until("the page in view is painted", func() bool { return painted() >= 10 })
	b.eval("(() => { const now = performance.now.bind(performance); performance.now = () => now() + 6000 })()")
	b.until("those on the further page, to which the footer points, are told after a while", func() bool { return painted() >= 12 })
	box.beat()
	b.until("the page says that it works", func() bool { return box.count("alive grill") > 0 })
}

// F35: what a screen shows for another that is silent is headed by that station, and leaves without a trace.
func TestF35StandsInFor(t *testing.T) {
	box, b := kitchenTab(t, "en")
	box.add(ticketAt("x", 9, 0, object{"station": "bar", "table": "44"}))
	b.there("x")
	if got := b.text("[data-ticket=x]"); !strings.Contains(got, "FOR: BAR") {
		t.Errorf("the ticket reads %q, lacks FOR: BAR", got)
	}
	if got := b.text("[data-ticket=a]"); strings.Contains(got, "FOR:") {
		t.Errorf("the screen's own ticket reads %q", got)
	}
	box.mu.Lock()
	box.tickets = box.tickets[:3]
	box.publish("ticket-removed", object{"id": "x", "number": 9, "state": "new", "by": ""})
	box.mu.Unlock()
	b.gone("x")
	if got := b.eval("document.querySelectorAll('[data-act=undo]').length"); got != "0" {
		t.Error("what went back to its own screen offers Undo")
	}
}
