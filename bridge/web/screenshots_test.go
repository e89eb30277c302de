package web

import (
	"fmt"
	"maps"
	"testing"
	"time"
)

// fullBox is a box in the middle of an evening, the address of every page of the console, and what tells that it is drawn.
func fullBox(t *testing.T) (box *fakeBox, paths []string, ready map[string]string) {
	t.Helper()
	box = newFakeBox(t, Config{Demo: true})
	box.orders, box.printers, box.warnings, box.pairings = cannedOrders(24), cannedPrinters(), cannedWarnings(), cannedPairings()
	box.bumped = recalled()
	box.screens, box.stations = cannedScreens(), cannedStations()
	box.tickets = service()
	box.hotel = newFakeHotel()
	ready = map[string]string{
		"/orders": "document.querySelectorAll('#rows tr').length", "/orders/o1": "document.querySelectorAll('.ev').length && document.querySelector('.ticket-picture')?.complete",
		"/devices": "document.querySelector('.tile')", "/health": "document.querySelector('.tile')", "/audit": "document.querySelector('.rows')", "/help": "document.querySelector('#who').innerText",
		"/sign-in": "document.activeElement.id === 'token'", "/pair": "document.querySelectorAll('.code span').length === 4",
	}
	maps.Copy(ready, hotelPages)
	maps.Copy(ready, printerPages)
	maps.Copy(ready, officePages)
	maps.Copy(ready, menuPages)
	box.menu, box.delivery = newFakeMenu(), newFakeDelivery()
	maps.Copy(ready, linkPages)
	maps.Copy(ready, tillPages)
	box.tills.pos, box.tills.tills, box.tills.rights = cannedPOS("bepoz"), cannedTills(box.now()), cannedRights()
	box.links.links, box.links.parties, box.links.rejected = cannedLinks(box.now()), cannedParties(box.now()), cannedRejected(box.now())
	box.office.people = cannedPeople()
	box.office.tables, box.office.checks = cannedChecks()
	box.jobs, box.outages = append(cannedJobs("pass", 3, 12), cannedJobs("grill", 0, 16)...), cannedOutages(5)
	paths = []string{"/orders", "/orders/o1", "/hotel", "/hotel/postings/p0", "/hotel/postings/p1", "/hotel/guests", "/hotel/revenue", "/hotel/trace", "/hotel/setup", "/tables", "/tables/c1", "/menus", "/menus/items", "/menus/links", "/menus/history/r2", "/menus/check", "/integration/delivery", "/integration/delivery/otter", "/integration/delivery/day", "/reports", "/people", "/printers", "/printers/pass", "/printers/grill/replace", "/add-printer", "/devices", "/health", "/audit", "/help", "/sign-in", "/pair"}
	paths = append(paths, "/integration/departments", "/integration/floorplans", "/integration/tills", "/help/pos-setup")
	return box, append(paths, linkPaths()...), ready
}

// fits says when a page is wider than its glass.
func (b *tab) fits(path string) {
	b.t.Helper()
	if wide := b.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide != "0" {
		b.t.Errorf("%s is %s px wider than the window of %s px", path, wide, b.eval("innerWidth"))
	}
}

// TestScreenshots opens every page in both languages and both themes and leaves a picture of each with -screenshots
// DIR. TestAccessibility opens every page always.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots DIR")
	}
	box, paths, ready := fullBox(t)
	b := openTab(t, box, 1440, 900)
	looks := []struct{ language, theme string }{{"fr", "day"}, {"en", "day"}, {"fr", "night"}, {"en", "night"}}
	for _, look := range looks {
		for _, path := range paths {
			b.open(path + "?language=" + look.language + "&theme=" + look.theme)
			b.wait(path, ready[path])
			b.fits(path)
			b.shoot(fmt.Sprintf("console%s-%s-%s", path, look.language, look.theme))
		}
	}
	// What lies below the fold, and what opens by a hand.
	hands := []struct{ name, path, first, ready string }{
		{"hotel_list", "/hotel", "document.querySelector('#rows tr').scrollIntoView()", "true"},
		{"hotel_method", "/hotel/setup", "document.querySelector('#set-payment_method').scrollIntoView(); document.querySelector('#code').value = 'OPERA'; document.querySelector('#code').dispatchEvent(new Event('input', {bubbles: true})); document.querySelector('#try').click(); document.querySelector('#set-payment_method .primary').click()", "document.querySelector('#tried').innerText && document.querySelector('#code-fault').innerText"},
		{"hotel_mapping", "/hotel/setup", "document.querySelector('#set-mapping').scrollIntoView()", "true"},
		{"hotel_tenders", "/hotel/setup", "document.querySelector('#set-tenders').scrollIntoView()", "true"},
		{"hotel_resolve", "/hotel", "document.querySelector('.lookup .primary').click()", "document.querySelector('dialog')"},
		{"hotel_refund", "/hotel/postings/p0", "document.querySelector('#refund').click()", "document.querySelector('dialog')"},
		{"hotel_fields", "/hotel/trace", "[...document.querySelectorAll('.record')].find(e => e.textContent.includes('TA3700')).querySelector('summary').click()", "document.querySelector('.fields')"},
	}
	for _, width := range []int64{1440, 375} {
		b.size(width, 900)
		for i, hand := range hands {
			b.open(hand.path + "?language=" + []string{"en", "fr"}[i%2] + "&theme=day")
			b.wait(hand.path, ready[hand.path])
			b.eval("(() => { " + hand.first + " })()")
			b.wait(hand.name, hand.ready)
			b.fits(hand.path)
			b.shoot(fmt.Sprintf("hand-%s-%d", hand.name, width))
		}
	}
	b.size(1440, 900)
	type glassOf struct {
		name          string
		width, height int64
		screen        Screen
	}
	glasses := []glassOf{
		{"21-inch", 1920, 1080, Screen{Name: "grill", DiagonalInches: 21.5, DistanceM: 1.2}},
		{"42-inch", 1920, 1080, Screen{Name: "grill", DiagonalInches: 42, DistanceM: 3}},
		{"7-inch", 1024, 600, Screen{Name: "grill", DiagonalInches: 7, DistanceM: .5}},
		{"10-inch-day", 1280, 800, Screen{Name: "grill", DiagonalInches: 10.1, DistanceM: .6, Theme: "day"}},
		{"21-inch-day", 1920, 1080, Screen{Name: "grill", DiagonalInches: 21.5, DistanceM: 1.2, Theme: "day"}},
	}
	for _, glass := range glasses {
		glass.screen.Stations = []string{"grill"}
		kitchen := newFakeBox(t, Config{Screens: []Screen{glass.screen}, Language: "fr"})
		kitchen.tickets, kitchen.printers, kitchen.warnings, kitchen.bumped = service(), cannedPrinters(), cannedWarnings(), recalled()
		k := openTab(t, kitchen, glass.width, glass.height)
		k.open("/screens/grill?language=" + map[bool]string{true: "fr", false: "en"}[glass.name != "42-inch"])
		k.wait("tickets", "document.querySelectorAll('.k-card').length > 1")
		if glass.name == "21-inch" {
			k.key("Digit2", "é")
			k.key("Digit8", "_")
		}
		k.shoot("kitchen-" + glass.name)
		if glass.name == "21-inch" {
			k.click("[data-act=bump][data-id=t4]")
			k.key("KeyR", "r")
			k.wait("recall list", "document.querySelector('.k-recall')")
			k.shoot("kitchen-recall")
			k.key("Escape", "Escape")
			kitchen.disconnect(true)
			k.eval("(() => { const now = Date.now; Date.now = () => now() + 13000 })()")
			k.wait("offline bar", "!document.querySelector('#cut').hidden")
			k.click(".k-slot[data-slot='0'] [data-act=seen]")
			k.settle()
			k.click(".k-slot[data-slot='0'] [data-act=bump]")
			k.wait("a kept bump", "document.querySelector('.k-ghost .icon')")
			k.shoot("kitchen-offline")
		}
	}
	b.size(375, 812)
	for _, path := range paths {
		b.open(path + "?language=fr&theme=day")
		b.wait(path, ready[path])
		b.fits(path)
		b.shoot("phone" + path)
	}
}

// Pages say what to do when there is nothing, no permission or no such screen; a kitchen screen fits a phone.
func TestPagesOfNothing(t *testing.T) {
	t.Parallel()
	empty := newFakeBox(t, Config{})
	e := openTab(t, empty, 1920, 1080)
	e.open("/screens/grill")
	e.wait("the empty board", "!document.querySelector('#empty').hidden")
	e.shoot("kitchen-empty")
	e.size(1440, 900)
	e.open("/orders")
	e.wait("the empty list", "!document.querySelector('#say').hidden")
	e.shoot("console-orders-empty")
	e.box.mu.Lock()
	e.box.answers["/v1/orders"] = 403
	e.box.mu.Unlock()
	e.open("/orders")
	e.wait("no permission", "document.querySelector('#say .button, #say p') && !document.querySelector('#say').hidden")
	e.shoot("console-orders-forbidden")
	e.open("/hotel")
	e.wait("how to configure one", "document.querySelector('.sample')")
	e.shoot("console-hotel-none")
	e.open("/screens/nowhere")
	e.wait("the choice of screens", "document.querySelector('.choices a')")
	e.shoot("screen-missing")
	phone := newFakeBox(t, Config{})
	phone.tickets = service()
	p := openTab(t, phone, 375, 812)
	p.open("/screens/grill")
	p.wait("tickets", "document.querySelector('.k-card')")
	if wide := p.eval("document.documentElement.scrollWidth"); wide != "375" {
		t.Errorf("the kitchen screen is %s px wide on a phone of 375", wide)
	}
	p.shoot("phone_screens_grill")
}

// TestScreenshotsOfThePass leaves pictures of the pass; the tests of its flows look at its sizes.
func TestScreenshotsOfThePass(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots DIR")
	}
	for _, glass := range []struct {
		name          string
		width, height int64
		screen        Screen
	}{
		{"21-inch", 1920, 1080, Screen{Name: "expo", DiagonalInches: 21.5, DistanceM: 1.2}},
		{"42-inch", 1920, 1080, Screen{Name: "expo", DiagonalInches: 42, DistanceM: 3}},
		{"7-inch", 1024, 600, Screen{Name: "expo", DiagonalInches: 7, DistanceM: .5}},
		{"21-inch-day", 1920, 1080, Screen{Name: "expo", DiagonalInches: 21.5, DistanceM: 1.2, Theme: "day"}},
		{"phone", 375, 812, Screen{Name: "expo"}},
	} {
		box := newFakeBox(t, Config{Screens: []Screen{glass.screen}, Language: "fr"})
		box.pass.rows, box.warnings = passOf(), cannedWarnings()
		x := openTab(t, box, glass.width, glass.height)
		for _, language := range []string{"fr", "en"} {
			x.open("/expo?language=" + language)
			x.wait("rows", "document.querySelectorAll('.x-row').length === 7")
			x.shoot("expo-" + glass.name + "-" + language)
		}
	}
}

// TestScreenshotsOfGlass leaves pictures of what a hand opens on a kitchen screen, and of the page on which it learns keys.
func TestScreenshotsOfGlass(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots DIR")
	}
	for _, language := range []string{"fr", "en"} {
		box := newFakeBox(t, Config{Language: language})
		box.tickets, box.printers, box.warnings = service(), cannedPrinters(), cannedWarnings()
		box.tickets = append(box.tickets, ticketAt("x", 50, 4*time.Minute, object{"station": "fry", "table": "9", "lines": []object{line(2, "Frites"), line(1, "Calamars")}}))
		k := openTab(t, box, 1920, 1080)
		k.open("/screens/grill")
		k.wait("tickets", "document.querySelectorAll('.k-card').length > 4")
		k.shoot("kitchen-" + language)
		k.click("#settings")
		k.wait("settings", "document.querySelector('.k-settings')")
		k.shoot("kitchen-settings-" + language)
		k.click("#lock")
		k.wait("locked", "document.querySelector('.k-lock')")
		k.shoot("kitchen-lock-" + language)
		k.open("/screens/grill/keys")
		k.wait("keys", "document.body.dataset.ready === ''")
		k.key("Digit3", "3")
		k.click("[data-learn=bump]")
		k.shoot("keys-" + language)
		k.size(375, 812)
		k.open("/screens/grill/keys")
		k.wait("keys", "document.body.dataset.ready === ''")
		k.shoot("phone_keys-" + language)
	}
}
