package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func linksTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en"})
	box.links.links, box.links.parties, box.links.rejected, box.links.proof = cannedLinks(box.now()), cannedParties(box.now()), cannedRejected(box.now()), "active"
	box.office.tables, box.office.checks = cannedChecks()
	box.office.checks[2]["state"], box.office.checks[2]["closed_at"] = "open", nil
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

// asked tells what the pages asked of the box last.
func (b *tab) asked() string {
	b.box.mu.Lock()
	defer b.box.mu.Unlock()
	if len(b.box.links.asked) == 0 {
		return ""
	}
	return b.box.links.asked[len(b.box.links.asked)-1]
}

// TestLinkPictures leaves pictures of the integrations' pages; the tests below look at what they do.
func TestLinkPictures(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots DIR")
	}
	_, b := linksTab(t, "/integration/reservations")
	for i, look := range []string{"language=en&theme=day", "language=fr&theme=night"} {
		b.size(1440, 900)
		for _, path := range linkPaths() {
			b.open(path + "?" + look)
			b.wait(path, linkPages[path])
			b.shoot(fmt.Sprintf("links%d%s", i, path))
			if strings.HasSuffix(path, "opentable") {
				for n, e := range []string{"#courses", "#buttons", "#guests"} {
					b.eval(fmt.Sprintf("document.querySelector(%q).scrollIntoView()", e))
					b.shoot(fmt.Sprintf("links%d%s-%d", i, path, n))
				}
			}
		}
	}
	for _, look := range []string{"language=fr&theme=day"} {
		b.size(375, 812)
		for _, path := range linkPaths() {
			b.open(path + "?" + look)
			b.wait(path, linkPages[path])
			if wide := b.eval("document.documentElement.scrollWidth"); wide != "375" {
				t.Errorf("%s is %s px wide on a phone", path, wide)
			}
			b.shoot("phone" + path)
		}
	}
}

// TestReservationPlatforms is Integration > Reservations: the tiles with their states, disabling with its effect named, what
// was set up still there afterwards, the way to switch a platform on, and what an unknown one needs.
func TestReservationPlatforms(t *testing.T) {
	t.Parallel()
	box, b := linksTab(t, "/orders")
	b.click("#side a[href='/integration/reservations']") // two clicks from anywhere
	b.wait("a tile each, the five known ones always", linkPages["/integration/reservations"])
	for platform, want := range map[string]string{"opentable": "connected", "sevenrooms": "error", "thefork": "activating", "aleno": "not active", "resy": "not set up"} {
		if got := b.text(".link-tile[data-platform=" + platform + "] .state"); got != want {
			t.Errorf("%s is %q, want %q", platform, got, want)
		}
	}
	if got := b.text(".link-tile[data-platform=opentable]"); !strings.Contains(got, "42") || !strings.Contains(got, "12345") {
		t.Errorf("the tile reads %q", got)
	}
	if got := b.text(".link-tile[data-platform=sevenrooms]"); !strings.Contains(got, "401 invalid client") || !strings.Contains(got, "31") {
		t.Errorf("the tile of a refused link reads %q", got)
	}
	b.click(".link-tile[data-platform=opentable] [data-act=sync]")
	b.until("it is read now", func() bool { return b.asked() == "/v1/integrations/opentable/sync" })
	b.click(".link-tile[data-platform=opentable] footer a")
	b.wait("a connected one opens on its settings", "document.querySelector('.part[aria-current]').innerText === 'Settings' && document.querySelector('.link-form #staff').value === 'Manager'")
	b.click("[data-act=disable]")
	b.wait("the effect is named", "document.querySelector('dialog').innerText.includes('nothing more is told')")
	b.shoot("link-disable")
	b.click("dialog .ask-acts .button")
	b.wait("kept", "!document.querySelector('dialog') && document.querySelector('#head .state').innerText === 'connected'")
	b.click("[data-act=disable]")
	b.click("dialog .danger")
	b.wait("off, and it can be switched on again", "document.querySelector('#head .state').innerText === 'not active' && document.querySelector('[data-act=activate]')")
	b.click("#head .part[href$='/activation']")
	b.wait("the way", "document.querySelectorAll('.link-step').length === 6")
	if got := b.text("#body"); !strings.Contains(got, "never asked for here") || !strings.Contains(got, "https://bellevue.example/webhooks/opentable") || !strings.Contains(got, "Choose this till in the list: Aboyeur") || !strings.Contains(got, "Not on the floor: 7a") {
		t.Errorf("the way reads %q", got)
	}
	if got := b.eval("document.querySelector('[data-step=theirs] a').target + ' ' + document.querySelector('[data-step=theirs] a').href"); got != "_blank https://guestcenter.opentable.com/" {
		t.Errorf("the platform's own side is at %q", got)
	}
	box.mu.Lock()
	box.links.proof = "linked_elsewhere"
	box.mu.Unlock()
	b.click("#activate")
	b.wait("somebody else holds the link, and who can release it", "document.querySelector('[data-step=proof]').innerText.includes('The box takes no link over') && document.querySelector('[data-step=proof]').innerText.includes('releases it')")
	b.shoot("link-elsewhere")
	box.mu.Lock()
	box.links.proof = "active"
	box.mu.Unlock()
	b.click("#activate")
	b.wait("linked, by whom is said", "document.querySelector('#head .state').innerText === 'connected' && document.querySelector('[data-step=proof]').innerText.includes('Linked by Ana')")
	b.click("#head .part[href$='/settings']")
	b.wait("all of it is as it was", "document.querySelector('.link-form #staff').value === 'Manager' && document.querySelectorAll('[data-course=entree] .group-chip').length === 2")
	b.click("#head .part[href$='/information']")
	b.wait("what it shares", "document.querySelector('[data-capability=moves]').innerText.includes('to be confirmed') && document.querySelector('[data-capability=create]').innerText.includes('no')")
	if got := b.text("#body"); !strings.Contains(got, "SEAT A PARTY") || !strings.Contains(got, "to the letter") || !strings.Contains(got, "Save the support bundle") {
		t.Errorf("the information reads %q", got)
	}
	b.open("/integration/reservations/resy")
	b.wait("one that is not set up says what it needs", "document.querySelector('[data-step=account] .sample').innerText.includes('platform: resy') && document.querySelector('[data-step=account] a').href === 'https://resy.com/' && !document.querySelector('[data-act=activate]')")
	box.mu.Lock()
	box.links.links = nil
	box.mu.Unlock()
	b.open("/integration/reservations")
	b.wait("nothing is configured", "document.querySelectorAll('.link-tile[data-state=absent]').length === 5")
	b.frenchOnAPhone("/integration/reservations", "document.querySelectorAll('.link-tile[data-state=absent]').length === 5 && document.body.innerText.includes('non configurée')")
	box.mu.Lock()
	box.answers["/v1/integrations"] = 500
	box.mu.Unlock()
	b.open("/integration/reservations")
	b.wait("a fault, and the way on", "document.querySelector('#page .say .button')")
}

// TestLinkSettings is the settings of a platform: what depends on what, lists, a course map in which a group stands once,
// faults at their fields, somebody else's change, and a person who may only look.
func TestLinkSettings(t *testing.T) {
	t.Parallel()
	box, b := linksTab(t, "/integration/reservations/opentable")
	b.wait("the settings", linkPages["/integration/reservations/opentable"])
	setting := func(key string) any {
		box.mu.Lock()
		defer box.mu.Unlock()
		return box.links.links[0]["settings"].(object)[key]
	}
	b.click("#open_checks")
	b.wait("walk-ins only with seated parties", "document.querySelector('#walk_ins').disabled && !document.querySelector('#walk_ins').checked")
	b.click("#open_checks")
	b.click("#walk_ins")
	b.click("#default_profile")
	b.wait("a profile of its own can be named", "!document.querySelector('#order_profile').disabled")
	b.click(".form-acts .primary")
	b.wait("and has to be", "document.querySelector('#order_profile-fault').innerText && document.activeElement.id === 'order_profile'")
	b.eval("(e => { e.value = 'RESERVATION'; e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector('#order_profile'))")
	b.click("#multi_table")
	// The till that is asked first stands first.
	b.click("#tills .tag-item:nth-child(2) [aria-label^='Move up']")
	b.wait("moved", "document.querySelector('#tills .tag-item').innerText.trim() === 'Salle'")
	b.eval("(e => { e.value = 'Main'; e.focus() })(document.querySelector('#pay_by_deposit-placements-add'))")
	b.key("Enter", "Enter")
	b.wait("a screen has the button once", "document.querySelector('#pay_by_deposit-placements-add-fault').innerText.includes('there already') && document.querySelectorAll('#pay_by_deposit-placements .tag-item').length === 1")
	b.eval("(e => { e.value = 'Terrace'; e.focus() })(document.querySelector('#pay_by_deposit-placements-add'))")
	b.key("Enter", "Enter")
	b.wait("another screen", "document.querySelectorAll('#pay_by_deposit-placements .tag-item').length === 2")
	b.click("#pay_by_deposit-placements .tag-item:first-child [aria-label^='Remove']")
	// A group stands in one course; what the departments know is offered.
	if got := b.eval("[...document.querySelectorAll('#course-groups option')].map(o => o.value).join(' ')"); got != "Alcohol Desserts High Mains" {
		t.Errorf("offered: %s", got)
	}
	b.eval("(e => { e.value = 'Desserts'; e.focus() })(document.querySelector('#add-dessert'))")
	b.key("Enter", "Enter")
	b.wait("a dessert", "document.querySelector('[data-course=dessert] [data-value=Desserts]')")
	b.eval("(e => { e.value = 'Mains'; e.focus() })(document.querySelector('#add-drinks'))")
	b.key("Enter", "Enter")
	b.wait("one course for a group, and that is said", "document.querySelector('[data-course=drinks] [data-value=Mains]') && !document.querySelector('[data-course=entree] [data-value=Mains]') && document.querySelector('#toasts').innerText.includes('Mains')")
	b.eval("(e => { e.value = 'Nobody'; e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector('#staff'))")
	b.click(".form-acts .primary")
	b.wait("the box's own fault stands at its field", "document.querySelector('#staff-fault').innerText.includes('no user of the till')")
	if got := fmt.Sprint(setting("staff")); got != "Manager" {
		t.Errorf("before it was saved the box has %s", got)
	}
	b.eval("(e => { e.value = 'Léa'; e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector('#staff'))")
	b.click(".form-acts .primary")
	b.wait("saved", "document.querySelector('.form-acts .primary').disabled && document.querySelector('#staff').value === 'Léa'")
	for key, want := range map[string]string{"staff": "Léa", "walk_ins": "true", "multi_table": "false", "order_profile": "RESERVATION", "default_profile": "false", "tills": "[Salle Bar]", "match_before_minutes": "20",
		"pay_by_deposit": "map[all_menus:false on:true placements:[Terrace]]", "courses": "[map[groups:[map[category:Course value:Mains]] status:drinks] map[groups:[Starters] status:appetizer] map[groups:[map[category:Course value:Grill]] status:entree] map[groups:[map[category:Course value:Desserts]] status:dessert]]"} {
		if got := fmt.Sprint(setting(key)); got != want {
			t.Errorf("%s = %s, want %s", key, got, want)
		}
	}
	// Somebody else was faster.
	b.click("#relay_check_data")
	box.mu.Lock()
	box.links.links[0]["revision"] = 7
	box.mu.Unlock()
	b.click(".form-acts .primary")
	b.wait("and is not overwritten", "!document.querySelector('.form-again').hidden")
	b.click(".form-again .button")
	b.wait("theirs is shown", "document.querySelector('.form-again').hidden && document.querySelector('#relay_check_data').checked && document.querySelector('.form-acts .primary').disabled")
	box.mu.Lock()
	box.session = object{"name": "Max", "role": "staff", "via": "session"}
	box.mu.Unlock()
	b.open("/integration/reservations/opentable")
	b.wait("staff may look", "document.querySelector('.link-form #staff')?.disabled && document.body.innerText.includes('Only a manager') && !document.querySelector('[data-act=disable]') && document.querySelector('[data-act=sync]')")
	b.frenchOnAPhone("/integration/reservations/opentable", "document.querySelector('.link-form #staff') && document.body.innerText.includes('Ouverture automatique')")
}

// TestSyncedReservations is Integration activity > Synced reservations: days, platforms and grades in the address, a problem
// with its code and remedy, a check linked by hand, a deposit, the whole history, and the refused messages.
func TestSyncedReservations(t *testing.T) {
	t.Parallel()
	box, b := linksTab(t, "/integration/reservations")
	b.wait("the group is open", "document.querySelector('#side a.under[href=\"/integration/activity\"]')")
	b.click("#side a.under[href='/integration/activity']")
	b.wait("the day's reservations", linkPages["/integration/activity"])
	if got := b.text("h1") + " " + b.text(".part[aria-current]"); got != "Integration activity Synced reservations" {
		t.Errorf("the page is called %q", got)
	}
	if got := b.text(".synced tbody tr:nth-child(2)"); !strings.Contains(got, "Amélie Durand-Moreau") || !strings.Contains(got, "seated") || !strings.Contains(got, "failed") || !strings.Contains(got, "table not available") || !strings.Contains(got, "check 38") {
		t.Errorf("a row reads %q", got)
	}
	if got := b.text(".synced tbody tr:nth-child(1) td:nth-child(3)"); got != "12, 13" {
		t.Errorf("its tables are %q", got)
	}
	if got := b.text(".synced tbody tr:nth-child(7) td:nth-child(6)"); got != "" {
		t.Errorf("before seating the order is %q", got)
	}
	b.click("#grades [data-grade=trouble]")
	b.wait("what somebody has to look at: not what the settings do not want", "document.querySelectorAll('.synced tbody tr').length === 3 && !document.querySelector('.synced tbody').innerText.includes('Walk-in') && location.search === '?grade=trouble'")
	b.eval("history.back()")
	b.wait("back", "document.querySelectorAll('.synced tbody tr').length === 8")
	b.eval("(e => { e.value = 'thefork'; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#platform'))")
	b.wait("one platform", "document.querySelectorAll('.synced tbody tr').length === 1 && location.search === '?platform=thefork'")
	b.click("#periods .pill:nth-child(4)")
	b.wait("a week", "location.search.includes('from=2026-11-21&to=2026-11-27') && document.querySelector('#to').value === '2026-11-27'")
	b.eval("(e => { e.value = '2026-12-02'; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#from'))")
	b.wait("a day without any", "document.querySelector('.say-title')?.innerText === 'No reservation' && document.querySelector('#to').value === '2026-12-02'")
	b.open("/integration/activity")
	b.wait("all again", linkPages["/integration/activity"])

	// A problem, its remedy, and the check that is theirs after all.
	b.click(".synced tbody tr:nth-child(2)")
	b.wait("one reservation", "location.pathname === '/integration/activity/r2' && document.querySelector('.p-problem')")
	if got := b.text(".p-problem"); !strings.Contains(got, "TABLE_UNAVAILABLE") || !strings.Contains(got, "check 38 is open there") || !strings.Contains(got, "Close the open check or move it") {
		t.Errorf("the problem reads %q", got)
	}
	b.click("#do-retry")
	b.wait("it did not help, and that is said", "document.querySelector('#toasts').innerText.includes('Still no check')")
	b.click("#do-link")
	b.wait("open checks of nobody, those of its table first and chosen", "document.querySelectorAll('dialog .choice').length === 3 && document.querySelector('dialog .choice').innerText.includes('1036') && document.querySelector('dialog :checked').value === 'c3'")
	b.shoot("party-link")
	b.click("dialog .primary")
	b.wait("linked", "!document.querySelector('.p-problem') && document.querySelector('#panel').innerText.includes('linked by hand')")
	told := func(what string) {
		t.Helper()
		b.until(what, func() bool {
			box.mu.Lock()
			defer box.mu.Unlock()
			return slices.Contains(box.links.asked, what)
		})
	}
	told(`link {"check":"c3"}`)
	b.key("Escape", "Escape")
	b.wait("the panel is closed", "location.pathname === '/integration/activity' && document.querySelector('#panel').hidden")

	// A party that paid ahead.
	b.open("/integration/activity/r1")
	b.wait("the history", "document.querySelectorAll('#panel .ev').length === 8")
	if got := b.text("#panel"); !strings.Contains(got, "ALLERGIES: noix, lait") || !strings.Contains(got, "€70.00") || !strings.Contains(got, "waits to be told to OpenTable") || !strings.Contains(got, "3 attempts · 503 Service Unavailable") || !strings.Contains(got, "OpenTable took it") || !strings.Contains(got, "Près de la fenêtre") {
		t.Errorf("the reservation reads %q", got)
	}
	b.shoot("party-deposit")
	b.click("#do-deposit")
	b.wait("what it pays is named", "document.querySelector('dialog').innerText.includes('€70.00')")
	b.click("dialog .primary")
	b.wait("paid, and what is left", "document.querySelector('#deposits').innerText.includes('€60.00') && document.querySelector('#deposits').innerText.includes('€10.00')")
	b.click("#do-assign")
	b.wait("tables of the floor", "document.querySelectorAll('.table-choice').length === 7 && document.querySelectorAll('.table-choice :checked').length === 1")
	b.click(".table-choice:nth-child(1) input")
	b.click("dialog .primary")
	told(`assign {"tables":["1","12"]}`)
	b.open("/integration/activity/r4")
	b.wait("what the settings do not want leads to the setting", "document.querySelector('.p-problem a[href=\"/integration/reservations/opentable/settings\"]') && document.querySelector('.p-problem').dataset.grade === 'warn'")
	b.open("/integration/activity/r3")
	b.wait("a table that is not there leads to the audit", "document.querySelector('.p-problem a[href*=\"platform=sevenrooms\"]')")
	b.open("/integration/activity/r8")
	b.wait("what was cancelled with an open check", "document.querySelector('[data-flag=cancelled_open]').innerText.includes('Close the check')")

	// A reservation that is missing is explained.
	b.click(".parts a[href='/integration/activity/rejected']")
	b.wait("refused messages", linkPages["/integration/activity/rejected"])
	if got := b.text("#body"); !strings.Contains(got, "sender not proved") || !strings.Contains(got, "/status is not known: Eating") || !strings.Contains(got, "TheFork shares a party only once it has arrived or sits") {
		t.Errorf("refused messages read %q", got)
	}
	box.mu.Lock()
	box.session, box.answers["/v1/reservations"] = object{"name": "Max", "role": "till", "via": "session"}, 403
	box.mu.Unlock()
	b.open("/integration/activity")
	b.wait("not for everybody", "document.querySelector('#body').innerText.includes('You may not see')")
	box.mu.Lock()
	box.answers["/v1/reservations"] = 0
	box.mu.Unlock()
	b.frenchOnAPhone("/integration/activity", "document.querySelectorAll('.synced tbody tr').length === 8 && document.body.innerText.includes('table non valide')")
}
