package box

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aboyeur/protocol/booking"
	"aboyeur/simulate/bookings"
)

// TestLinksPageOverARealBox is a manager's evening with the reservation platforms, in a real browser over real sockets: a
// setting is changed and outlives disabling; a link that another account has is not taken over; walk-ins and parties at
// several tables follow the settings; a check that was there before is linked; a deposit pays what is due.
func TestLinksPageOverARealBox(t *testing.T) {
	e := newEvening(t, "opentable", "generic")
	e.open()
	sim := e.sims["opentable"]
	p := e.page()
	click := func(selector string) {
		t.Helper()
		p.wait("there is "+selector, fmt.Sprintf("(e => e && !e.disabled)(document.querySelector(%q))", selector))
		p.run(chromedp.Evaluate(fmt.Sprintf("document.querySelector(%q).click()", selector), nil))
	}
	open := func(path string) {
		t.Helper()
		p.run(chromedp.Navigate(e.base + path))
	}
	state := func(want string) string {
		return `document.querySelector('#head .state')?.innerText === '` + want + `'`
	}
	save := func(ids ...string) {
		t.Helper()
		open("/integration/reservations/opentable/settings")
		for _, id := range ids {
			click("#" + id)
		}
		click(".link-form .form-acts .primary")
		p.wait("saved", `document.querySelector('.link-form .form-acts .primary').disabled && document.querySelector('#toasts .good')`)
	}

	// Two clicks from anywhere: the tiles, and one of them.
	open("/orders")
	click("#side a[href='/integration/reservations']")
	p.wait("the tiles", `document.querySelector('[data-platform=opentable] .state')?.innerText === 'connected' && document.querySelector('[data-platform=resy] .state').innerText === 'not set up'`)
	p.shoot("real-links")
	click("[data-platform=opentable] footer a")
	p.wait("its settings", `document.querySelector('#multi_table')?.checked && document.querySelector('#walk_ins').checked && document.querySelector('[data-course=entree] .group-chip')`)
	p.run(chromedp.SendKeys("#staff", "Manager", chromedp.ByQuery))
	click("#multi_table")
	click("#walk_ins")
	click(".link-form .form-acts .primary")
	p.wait("saved", `document.querySelector('.link-form .form-acts .primary').disabled && document.querySelector('#toasts .good')`)

	// Disable: the platform is told, nothing is taken in; what was set is there when it is on again.
	click("[data-act=disable]")
	click("dialog .danger")
	p.wait("it is off", state("not active"))
	e.wait("the platform was told", func() bool { return !sim.Linked() })
	if err := sim.Put(t.Context(), booking.Reservation{ID: "N1", Status: booking.Seated, Tables: []string{"6"}, PartySize: 2, Guest: booking.Guest{ID: "G", FirstName: "A"}}); err == nil {
		t.Error("a message was taken while the link was off")
	}
	sim.Hold(true)
	click("#head .part[href$='/activation']")
	click("#activate")
	p.wait("another account has it", state("linked elsewhere")+` && document.querySelector('[data-step=proof]').innerText.includes('The box takes no link over')`)
	p.shoot("real-link-elsewhere")
	if sim.Linked() {
		t.Error("the link was taken over")
	}
	sim.Hold(false)
	click("#activate")
	p.wait("linked, and by whom", state("connected")+` && document.querySelector('[data-step=proof]').innerText.includes('Linked by')`)
	click("#head .part[href$='/settings']")
	p.wait("as it was set", `document.querySelector('#staff')?.value === 'Manager' && !document.querySelector('#multi_table').checked && !document.querySelector('#walk_ins').checked && document.querySelector('[data-course=entree] .group-chip')`)

	// One table of two, until several are wanted.
	e.seat("opentable", "M1", "1", "2")
	if c := e.check(e.state("M1", "open").Checks[0]); !slices.Equal(c.Tables, []string{"1"}) || c.Staff != "Manager" {
		t.Errorf("with multi-table off the check is %+v", c)
	}
	// A walk-in without a check, until walk-ins are wanted.
	e.put("opentable", booking.Reservation{ID: "W1", Status: booking.Seated, Tables: []string{"5"}, WalkIn: true})
	open("/integration/activity/" + e.entry("W1").ID)
	p.wait("why there is none, and the way to the setting", `document.querySelector('.p-problem')?.dataset.problem === 'order_creation_disabled' && document.querySelector('.p-problem').innerText.includes('walk-ins excluded') && document.querySelector('.p-problem a')`)
	click("#do-retry")
	p.wait("still none", `document.querySelector('#toasts').innerText.includes('Still no check')`)
	save("walk_ins", "multi_table")
	open("/integration/activity/" + e.entry("W1").ID)
	click("#do-retry")
	p.wait("the walk-in has its check", `!document.querySelector('.p-problem') && document.querySelector('#panel .state')?.innerText === 'order open'`)
	if c := e.check(e.state("W1", "open").Checks[0]); !c.WalkIn {
		t.Errorf("the walk-in's check is %+v", c)
	}
	e.seat("opentable", "M2", "3", "4")
	if c := e.check(e.state("M2", "open").Checks[0]); !slices.Equal(c.Tables, []string{"3", "4"}) {
		t.Errorf("with multi-table on the check is %+v", c)
	}

	// A check was there before, and is the party's after all.
	mine := e.byHand("7")
	e.seat("opentable", "L1", "7")
	row := e.entry("L1")
	open("/integration/activity/" + row.ID)
	p.wait("the table is taken", `document.querySelector('.p-problem')?.innerText.includes('TABLE_UNAVAILABLE')`)
	click("#do-link")
	p.wait("the check on its table is chosen", fmt.Sprintf(`document.querySelector('dialog :checked')?.value === '%s'`, mine.ID))
	click("dialog .primary")
	p.wait("linked", `!document.querySelector('.p-problem') && document.querySelector('#panel').innerText.includes('linked by hand')`)
	if c := e.check(mine.ID); c.Reservation != row.ID {
		t.Errorf("the linked check is %+v", c)
	}
	e.order(mine.ID, "Mains")
	p.wait("what the platform was told is in its history, live", `[...document.querySelectorAll('#panel .ev[data-event=told-sent]')].some(x => x.innerText.includes('mains'))`)
	p.shoot("real-party")

	// A deposit pays what is due.
	body := `{"utcUpdatedAt":"2026-11-21T18:00:00","utcScheduledAt":"2026-11-21T19:00:00","partySize":2,"status":"SEATED","guest":{"platformGuestId":"G","firstName":"Max"},"tableNumbers":["8"],
		"liability":{"currency":"EUR","deposits":[{"amount":"50.00","platformDepositId":"D1"}]}}`
	e.do(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/D1", body, nil)
	paid := e.entry("D1")
	e.order(paid.Checks[0], "Mains")
	open("/integration/activity/" + paid.ID)
	p.wait("what was paid ahead", `document.querySelector('#deposits')?.innerText.includes('€50.00')`)
	click("#do-deposit")
	click("dialog .primary")
	p.wait("what is left of it", `document.querySelector('#deposits').innerText.includes('€20.00') && document.querySelector('#deposits').innerText.includes('€30.00')`)
	if got := e.entry("D1").Deposits; got.Applied != 2000 || got.Remaining != 3000 {
		t.Errorf("deposits %+v", got)
	}
	if c := e.check(paid.Checks[0]); c.Balance != 0 {
		t.Errorf("the check is %+v", c)
	}

	// All of them in the list of the day, and a refused message with its reason.
	if status, err := e.call(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/X1", strings.Replace(body, "SEATED", "EATING", 1), nil); err != nil || status != http.StatusUnprocessableEntity {
		t.Errorf("a message nobody understands: %d %v", status, err)
	}
	open("/integration/activity?from=2026-11-01&to=2036-11-30")
	p.wait("the list", `document.querySelectorAll('.synced tbody tr').length >= 5`)
	p.shoot("real-synced")
	click(".parts a[href='/integration/activity/rejected']")
	p.wait("why one is missing", `document.querySelector('.rejected tbody')?.innerText.includes('X1') && document.querySelector('.rejected tbody').innerText.includes('EATING')`)
}
