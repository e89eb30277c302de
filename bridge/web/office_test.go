package web

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// officePages are the office pages' addresses and what shows that each is drawn.
var officePages = map[string]string{
	"/tables": "document.querySelector('.place-tile')", "/tables/c1": "document.querySelector('#panel .ev')", "/reports": "document.querySelector('.bars')", "/people": "document.querySelector('.rows.people tbody tr')",
}

func officeTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en"})
	box.office.people = cannedPeople()
	box.office.pins["lea"], box.office.pins["ana"] = "4729", "472918"
	box.office.tables, box.office.checks = cannedChecks()
	box.office.contacts = []object{{"partner": "Oracle OPERA", "phone": "+33 1 23 45 67 89", "note": "day and night"}, {"partner": "Otter"}}
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

// frenchOnAPhone opens a page in French on a small glass: it fits, and nothing is left in English.
func (b *tab) frenchOnAPhone(path, ready string) {
	b.t.Helper()
	b.size(375, 812)
	b.open(path + "?language=fr&theme=night")
	b.wait(path+" in French", ready)
	if wide := b.eval("document.documentElement.scrollWidth"); wide != "375" {
		b.t.Errorf("%s is %s px wide on a phone", path, wide)
	}
	b.shoot("phone" + path)
	b.size(1440, 900)
	b.open(path + "?language=en&theme=day")
}

// TestReportsPage: figures, the half-hours, stations, sources, days; the days in the address; files; the states.
func TestReportsPage(t *testing.T) {
	t.Parallel()
	box, b := officeTab(t, "/reports")
	b.wait("figures", "document.querySelectorAll('.figures.six .figure').length === 6 && document.querySelectorAll('.b-column').length === 12")
	if got := b.text(".figures.six"); !strings.Contains(got, "184") || !strings.Contains(got, "1 not in POS · 2 by hand") || !strings.Contains(got, "8:42") || !strings.Contains(got, "9 in 10 under 15:11") || !strings.Contains(got, "1:14") {
		t.Errorf("figures read %q", got)
	}
	if got := b.eval("document.querySelector('.bars').getAttribute('aria-label')"); !strings.Contains(got, "19:00 · ") || !strings.Contains(got, "tickets · 9 in 10 under 15:11") {
		t.Errorf("the drawing says %q to who cannot see it", got)
	}
	b.shoot("reports")
	b.click(".rows.stations tbody tr:nth-child(2)")
	b.wait("one station has its own address", "location.search === '?station=grill' && document.querySelector('.figures.six').innerText.includes('119') && document.querySelector('.rows.stations .selected').innerText.startsWith('grill')")
	b.click("#quick .pill:nth-child(3)")
	b.wait("a week by days", "location.search.includes('from=2026-11-15') && document.querySelectorAll('.rows.days tbody tr').length === 7 && document.querySelectorAll('.b-column').length === 7")
	if got := b.eval("[...document.querySelectorAll('#files a')].map(a => a.getAttribute('href')).join(' ')"); got != "/v1/reports/stations.csv?from=2026-11-15&to=2026-11-21 /v1/reports/sources.csv?from=2026-11-15&to=2026-11-21 /v1/reports/days.csv?from=2026-11-15&to=2026-11-21" {
		t.Errorf("files: %s", got)
	}
	b.click(".rows.days tbody tr:nth-child(2)")
	b.wait("one day of them", "location.search.includes('from=2026-11-20&to=2026-11-20') && document.querySelector('#from').value === '2026-11-20' && document.querySelector('#body').innerText.includes('runs from 05:30 to 05:30')")
	b.eval("(e => { e.value = '2026-09-01'; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#from'))")
	b.wait("never more than 31 days", "location.search.includes('from=2026-09-01&to=2026-10-01')")
	b.eval("history.back()")
	b.wait("back", "document.querySelector('#from').value === '2026-11-20'")
	b.open("/reports?from=2027-01-01")
	b.wait("days it cannot be made of", "document.querySelector('#body').innerText.includes('from lies ahead')")
	b.click("#body .button")
	b.wait("and the way back", "location.search === '' && document.querySelector('.figures.six')")
	box.mu.Lock()
	box.office.nothing = true
	box.mu.Unlock()
	b.open("/reports")
	b.wait("nothing happened", "document.querySelector('#body').innerText.includes('Nothing happened') && document.querySelector('#from').value === '2026-11-21'")
	box.mu.Lock()
	box.office.nothing, box.answers["/v1/reports"] = false, 403
	box.mu.Unlock()
	b.open("/reports")
	b.wait("not for everybody", "document.querySelector('#body').innerText.includes('You may not see')")
	box.mu.Lock()
	box.answers["/v1/reports"] = 0
	box.mu.Unlock()
	b.frenchOnAPhone("/reports", "document.querySelector('.figures.six')?.innerText.includes('9 sur 10 sous') && document.querySelector('.rows.sources')")
}

// TestPeoplePage: a PIN for somebody new, weak ones refused, a new PIN, a lock opened, somebody removed; then a PIN given
// on the shared browser itself.
func TestPeoplePage(t *testing.T) {
	t.Parallel()
	box, b := officeTab(t, "/people")
	b.wait("people", "document.querySelectorAll('.rows.people tbody tr').length === 3")
	if got := b.text(".rows.people tbody tr:nth-child(2)"); !strings.Contains(got, "locked until") {
		t.Errorf("a locked person reads %q", got)
	}
	b.shoot("people")
	b.click(".person-form .primary")
	b.wait("both are missing", "document.querySelector('#name-fault').innerText && document.querySelector('#pin-fault').innerText.includes('4 to 12 digits') && document.activeElement.id === 'name'")
	b.fill("#name", "Zoé")
	for _, pin := range []string{"1234", "7777", "321098"} {
		b.fill("#pin", pin)
		b.click(".person-form .primary")
		b.wait("weak: "+pin, "document.querySelector('#pin-fault').innerText.includes('Anybody would try')")
	}
	b.fill("#pin", "2580")
	b.click(".person-form .primary")
	b.wait("what the box says stands at its field", "document.querySelector('#pin-fault').innerText === 'is known to everybody here'")
	b.fill("#pin", "8206")
	b.click(".person-form .primary")
	b.wait("added", "document.querySelectorAll('.rows.people tbody tr').length === 4 && document.querySelector('#pin').value === ''")
	b.click("#unlock-max")
	b.until("unlocked", func() bool { return box.count("person max ") == 1 })
	b.click("#pin-ana")
	b.fill("#new-pin", "4729")
	b.click("dialog .primary")
	b.wait("a manager's is longer", "document.querySelector('#new-pin-fault').innerText.includes('6 to 12')")
	b.fill("#new-pin", "827364")
	b.click("dialog .primary")
	b.until("set", func() bool { return box.count("person ana 827364") == 1 })
	b.click("#remove-max")
	b.wait("asked once", "document.querySelector('dialog').innerText.includes('Remove Maxime?')")
	b.click("dialog .danger")
	b.until("removed", func() bool { return box.count("remove max") == 1 })
	b.wait("gone", "document.querySelectorAll('.rows.people tbody tr').length === 3")

	b.click("#who")
	b.wait("who is here", "document.querySelectorAll('.pin-name').length === 3")
	b.shoot("pin-names")
	b.click(".pin-name")
	for _, digit := range "4728" {
		b.key("Digit"+string(digit), string(digit))
	}
	b.key("Enter", "Enter")
	b.wait("the wrong one", "document.querySelector('.pin-words').innerText === 'This is not the PIN.' && document.querySelector('.pin-dots').innerText.trim() === ''")
	b.shoot("pin")
	for range 4 {
		b.click(".pin-pad .pin-key:nth-child(11)") // 0
	}
	b.click(".pin-key.go")
	b.wait("too many of them", "document.querySelector('.pin-words').innerText.includes('Wait 2 min')")
	for _, key := range []int{4, 7, 2, 9} {
		b.click(fmt.Sprintf(".pin-pad .pin-key:nth-child(%d)", key))
	}
	b.click(".pin-key.go")
	b.wait("Léa is here", "!document.querySelector('dialog') && document.querySelector('#who')?.innerText.includes('Léa')")
	b.click("#sign-out")
	b.wait("and leaves; the browser is what it was", "location.pathname === '/people' && document.querySelector('#who')?.innerText.includes('Camille')")
	box.mu.Lock()
	box.office.people = nil
	box.mu.Unlock()
	b.open("/people")
	b.wait("nobody yet", "document.querySelector('#body').innerText.includes('Nobody has a PIN yet')")
	box.mu.Lock()
	box.answers["/v1/people"] = 403
	box.mu.Unlock()
	b.open("/people")
	b.wait("not for everybody", "document.querySelector('#body').innerText.includes('You may not see')")
	box.mu.Lock()
	box.answers["/v1/people"], box.office.people = 0, cannedPeople()
	box.mu.Unlock()
	b.frenchOnAPhone("/people", "document.querySelector('.rows.people')?.innerText.includes('Nouveau code')")
}

// TestTablesPage: the floor, a check with its address, what can be done with it, and the lists.
func TestTablesPage(t *testing.T) {
	t.Parallel()
	box, b := officeTab(t, "/tables")
	b.wait("tables", "document.querySelectorAll('.place-tile').length === 7")
	if got := b.text(".notice"); got != "2 of 7 tables are taken." {
		t.Errorf("the floor says %q", got)
	}
	if got := b.text("[data-name='12']"); !strings.Contains(got, "seated") || !strings.Contains(got, "€92.50") || !strings.Contains(got, "Lambert") {
		t.Errorf("table 12 reads %q", got)
	}
	b.click("[data-name='12'] .check-line")
	b.wait("its check", "location.pathname === '/tables/c1' && document.querySelectorAll('.ev').length === 5")
	if got := b.text("#panel"); !strings.Contains(got, "Check 1041") || !strings.Contains(got, "Nobody knows whether the hotel booked") || !strings.Contains(got, "taken off") || !strings.Contains(got, "Room 2781") || !strings.Contains(got, "Allergie: noix") {
		t.Errorf("the check reads %q", got)
	}
	b.shoot("tables-c1")
	// The buttons of the platforms stand where their settings place them.
	if b.eval("!!document.querySelector('#to-bookings, #do-deposit, #to-booking')") != "false" {
		t.Error("a button stands where none was placed")
	}
	place := func(pay, manage object) {
		box.mu.Lock()
		box.links.links = cannedLinks(time.Now())[:1]
		set := box.links.links[0]["settings"].(object)
		set["pay_by_deposit"], set["manage_reservations"] = pay, manage
		box.links.parties = []object{{"id": "r1", "platform": "opentable", "business_day": "2026-11-21", "deposits": object{"remaining": 3000}, "checks": []string{"c1"}}}
		box.office.checks[0]["reservation"] = "r1"
		box.mu.Unlock()
		box.tell("setting", object{})
	}
	place(object{"on": true, "placements": []string{"check"}}, object{"on": true, "all_menus": true})
	b.wait("the buttons", "document.querySelector('#to-bookings') && document.querySelector('#do-deposit') && document.querySelector('#to-booking').getAttribute('href') === '/integration/bookings/r1'")
	b.shoot("tables-buttons")
	b.click("#do-deposit")
	b.wait("asked of the deposit", "document.querySelector('dialog').innerText.includes('€30.00')")
	b.click("dialog .primary")
	b.until("paid by deposit", func() bool { return b.asked() == "deposit null" })
	// A deposit that the till which keeps the check did not take is for a person.
	owes := func(code string) {
		box.mu.Lock()
		list := box.office.checks[0]["payments"].([]object)[:2:2]
		box.office.checks[0]["payments"] = append(list, object{"id": "pay9", "method": "deposit", "amount": 6000, "state": "to_enter", "at": time.Now().UTC(), "entry": object{"code": code, "detail": "ITEM_NOT_ADDED"}})
		box.mu.Unlock()
		box.tell("check", object{})
	}
	owes("validation")
	b.wait("in the till's words", "document.querySelector('.to-enter')?.innerText.includes('ITEM_NOT_ADDED')")
	owes("no_method")
	b.wait("by hand", "document.querySelector('.to-enter')?.innerText.includes('Deposit of €60.00 to be entered at the till') && document.querySelector('.to-enter').innerText.includes('pos.payments.deposit') && document.querySelector('.pays').innerText.includes('to be entered at the till')")
	b.shoot("tables-to-enter")
	b.frenchOnAPhone("/tables/c1", "document.querySelector('.to-enter')?.innerText.includes('à saisir à la caisse')")
	b.open("/tables/c1")
	b.click(".to-enter .button")
	b.wait("asked of it", "document.querySelector('dialog').innerText.includes('€60.00')")
	b.click("dialog .primary")
	b.until("entered", func() bool { return box.count("entered pay9") == 1 })
	b.wait("nothing is left to enter", "!document.querySelector('.to-enter')")
	place(object{"on": true, "placements": []string{"Main"}}, object{"on": true, "placements": []string{"tables"}})
	b.wait("another till's button is not here", "document.querySelector('#to-bookings') && !document.querySelector('#do-deposit') && !document.querySelector('#to-booking')")
	place(object{"on": false, "placements": []string{"check"}}, object{"on": false, "all_menus": true})
	b.wait("off is off", "!document.querySelector('#to-bookings') && !document.querySelector('#do-deposit')")
	b.click("#do-bill")
	b.wait("asked", "document.querySelector('dialog').innerText.includes('Note the bill of check 1041')")
	b.click("dialog .primary")
	b.until("noted", func() bool { return box.count("bill check c1") == 1 })
	b.wait("and no second time", "!document.querySelector('#do-bill') && !document.querySelector('#do-close')")
	b.click("#views .pill:nth-child(2)")
	b.wait("open checks", "document.querySelectorAll('.rows.open tbody tr').length === 2")
	b.click(".rows.open tbody tr:nth-child(2)")
	b.wait("a paid one can be closed", "document.querySelector('#do-close')")
	b.click("#do-close")
	b.click("dialog .primary")
	b.until("closed", func() bool { return box.count("close check c2") == 1 })
	box.tell("check", object{})
	b.wait("it leaves the list", "document.querySelectorAll('.rows.open tbody tr').length === 1")
	b.click("#views .pill:nth-child(3)")
	b.wait("closed checks", "document.querySelectorAll('.rows.closed tbody tr').length === 2 && location.search === '?view=closed'")
	b.eval("history.back()")
	b.wait("back", "document.querySelectorAll('.rows.open tbody tr').length === 1")
	b.open("/tables/none")
	b.wait("an unknown check says so", "document.querySelector('#panel').innerText.includes('there is no check none')")
	box.mu.Lock()
	box.office.tables = nil
	box.mu.Unlock()
	b.open("/tables")
	b.wait("no tables configured", "document.querySelector('#body').innerText.includes('names no tables')")
	b.click("#views .pill:nth-child(2)")
	b.wait("checks all the same", "document.querySelectorAll('.rows.open tbody tr').length === 1")
	box.mu.Lock()
	box.office.tables, box.office.checks = cannedChecks()
	box.mu.Unlock()
	b.frenchOnAPhone("/tables", "document.querySelectorAll('.place-tile').length === 7 && document.querySelector('.notice').innerText.includes('tables sur')")
}

// TestHelpAndAudit: contacts are read and changed, the bundle is fetched; the audit log is found through, sorted, and
// leads to what it speaks of.
func TestHelpAndAudit(t *testing.T) {
	t.Parallel()
	box, b := officeTab(t, "/help")
	b.wait("contacts", "document.querySelectorAll('.contact').length === 2 && document.querySelector('.contact a').getAttribute('href') === 'tel:+33123456789'")
	b.shoot("help")
	b.click("#edit-contacts")
	b.wait("a form", "document.querySelectorAll('.contact-row').length === 2")
	b.fill("#contact-1-mail", "nobody")
	b.click("#contacts .primary")
	b.wait("the fault stands at its field", "document.querySelector('#contact-1-mail-fault').innerText === 'is no mail address'")
	b.fill("#contact-1-mail", "help@example.com")
	b.click("#contacts .primary")
	b.wait("kept", "document.querySelectorAll('.contact').length === 2 && document.querySelector('#contacts').innerText.includes('help@example.com')")
	if box.office.revision != 1 || box.office.contacts[0]["phone"] != "+33 1 23 45 67 89" {
		t.Errorf("contacts at revision %d: %v", box.office.revision, box.office.contacts)
	}
	b.eval("HTMLAnchorElement.prototype.click = function () { window.__file = this.download }")
	b.eval("document.querySelector('#bundle').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
	b.wait("the bundle", "window.__file === 'aboyeur-rig-1.tar.gz' && document.querySelector('.toast.good')")
	box.mu.Lock()
	box.answers["/v1/support-bundle"] = 503
	box.mu.Unlock()
	b.eval("document.querySelector('#bundle').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
	b.wait("a refusal is said here", "document.querySelector('.toast.bad')?.innerText === 'as the test wants it'")

	b.open("/audit")
	b.wait("entries", "document.querySelectorAll('.rows.audit tbody tr').length === 6")
	if got := b.eval("document.querySelector('.rows.audit a')?.getAttribute('href')"); got != "/orders/0192f0c1-6001-7aa0-8c11-8e3f50cc4a12" {
		t.Errorf("a cancelled order leads to %s", got)
	}
	b.fill(".tools input", "refused")
	b.wait("found", "document.querySelectorAll('.rows.audit tbody tr').length === 1 && document.querySelector('.rows.audit [data-grade=warn]')")
	b.fill(".tools input", "")
	b.click(".rows.audit th:nth-child(2) .sort")
	b.wait("sorted by who", "document.querySelector('.rows.audit tbody tr').innerText.includes('192.168.1.77')")
	b.frenchOnAPhone("/audit", "document.querySelectorAll('.rows.audit tbody tr').length === 6")
	b.frenchOnAPhone("/help", "document.querySelector('#contacts').innerText.includes('Modifier les contacts')")
}

// TestWhoIsAtAScreen: on a kitchen screen a cook touches a name and gives a PIN; its keys rest meanwhile, what is done
// bears the name, and the screen is itself again afterwards.
func TestWhoIsAtAScreen(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{Language: "fr"})
	box.office.people = cannedPeople()
	box.office.pins["lea"] = "4729"
	box.session = object{"name": "grill", "role": "screen", "screen": "grill", "via": "pairing"}
	box.tickets = service()
	b := openTab(t, box, 1920, 1080)
	b.open("/screens/grill")
	b.wait("who?", "document.querySelector('#who').innerText === 'Qui ?' && document.querySelector('.k-board').children.length")
	b.click("#who")
	b.wait("names", "document.querySelectorAll('.pin-name').length === 3")
	b.click(".pin-name")
	for _, digit := range "14729" { // the first is a slot's number too
		b.key("Digit"+string(digit), string(digit))
	}
	b.shoot("kitchen-pin")
	b.key("Enter", "Enter")
	b.wait("the wrong one", "document.querySelector('.pin-words').innerText.includes('pas le code')")
	for _, digit := range "4729" {
		b.key("Digit"+string(digit), string(digit))
	}
	b.key("Enter", "Enter")
	b.wait("Léa is here", "!document.querySelector('dialog') && document.querySelector('#who').innerText === 'Léa'")
	if box.count("bump k1") != 0 || len(box.acts) != 0 {
		t.Errorf("while the PIN was typed the screen did %v", box.acts)
	}
	b.shoot("kitchen-who")
	b.click("#who")
	b.wait("and leaves", "document.querySelector('#who').innerText === 'Qui ?'")
	if got := fmt.Sprint(box.session["name"]); got != "grill" {
		t.Errorf("the screen is %s afterwards", got)
	}
}
