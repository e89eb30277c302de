package web

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// tillPages are these pages' addresses and what shows that each is drawn.
var tillPages = map[string]string{
	"/integration/bookings": "document.querySelector('.booking')", "/integration/bookings/r1": "document.querySelector('#panel .p-acts')",
	"/integration/departments": "document.querySelectorAll('.department').length === 4", "/integration/floorplans": "document.querySelectorAll('.audit-part').length >= 4",
	"/integration/tills": "document.querySelector('.rights')", "/help/pos-setup": "document.querySelectorAll('.guide li').length === 7 && document.querySelector('#who').innerText",
}

func tillTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en"})
	box.evening()
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

// evening gives a box platforms, and an evening of parties that is today's.
func (b *fakeBox) evening() {
	b.links.links, b.links.parties = cannedLinks(b.now()), cannedParties(b.now())
	for _, p := range b.links.parties {
		p["business_day"] = b.now().UTC().Add(-5*time.Hour - 30*time.Minute).Format(time.DateOnly)
	}
	b.office.tables, b.office.checks = cannedChecks()
}

// TestBookingList: who is expected, who sits; seat, other tables, covers, retry, deposit; what a platform does not take; the
// switches of a shift.
func TestBookingList(t *testing.T) {
	t.Parallel()
	box, b := tillTab(t, "/integration/bookings")
	asked := func(want string) func() bool {
		return func() bool {
			box.mu.Lock()
			defer box.mu.Unlock()
			for _, a := range box.links.asked {
				if a == want {
					return true
				}
			}
			return false
		}
	}
	b.wait("who is expected", "document.querySelectorAll('.booking').length === 1 && document.querySelector('.booking').innerText.includes('Sofia Rossi')")
	if got := b.text(".booking"); !strings.Contains(got, "late") || !strings.Contains(got, "OpenTable") || !strings.Contains(got, "scheduled") {
		t.Errorf("a booking reads %q", got)
	}
	b.shoot("bookings")
	b.click(".booking")
	b.wait("its details", "location.pathname === '/integration/bookings/r7' && document.querySelector('#do-seat')")
	b.click("#do-seat")
	b.wait("tables to pick from", "document.querySelectorAll('.pick').length === 7")
	b.click(".pick[data-name='1']")
	b.shoot("bookings-seat")
	b.click("dialog .primary")
	b.until("seated", asked(`seat {"tables":["1"]}`))
	b.wait("and told", "document.querySelector('.toast.good')?.innerText.includes('OpenTable is told')")
	b.wait("the panel lives", "!document.querySelector('#do-covers').disabled")
	b.click("#do-covers")
	b.click("#more")
	b.click("#more")
	b.click("dialog .primary")
	b.until("two more", asked(`covers {"covers":6}`))
	b.click("#views .pill:nth-child(2)")
	b.wait("who sits", "location.search === '?view=seated' && document.querySelectorAll('.booking').length === 5 && document.querySelector('[data-id=r3] .booking-problem').innerText === 'table not valid'")
	b.fill("#find", "weber")
	b.wait("found", "document.querySelectorAll('.booking').length === 1")
	b.click(".booking")
	b.wait("its problem with the way to the tables", "document.querySelector('#panel .p-why a')?.getAttribute('href') === '/integration/floorplans?platform=sevenrooms'")
	b.click("#do-retry")
	b.until("tried again", asked("retry null"))
	b.wait("what came of it", "[...document.querySelectorAll('.toast')].some(e => e.innerText.includes('Done, but: table not valid'))")
	b.fill("#find", "")
	b.click("[data-id=r1]")
	b.wait("a deposit", "document.querySelector('#panel').innerText.includes('€70.00 left of €100.00') && document.querySelector('#do-deposit')")
	if got := b.text("#panel"); !strings.Contains(got, "noix, lait") || !strings.Contains(got, "Près de la fenêtre") {
		t.Errorf("the details read %q", got)
	}
	b.shoot("bookings-r1")
	b.click("#do-deposit")
	b.click("dialog .primary")
	b.until("paid by deposit", asked("deposit null"))
	b.wait("a button for what the platform takes not", "[...document.querySelectorAll('.booking-acts button:disabled')].some(e => e.innerText.includes('not supported by OpenTable'))")
	b.click("#aleno-open_checks, #opentable-open_checks")
	b.wait("turned off, walk-ins with it", "document.querySelector('#opentable-walk_ins').disabled && !document.querySelector('#opentable-walk_ins').checked")
	b.open("/integration/bookings?view=tomorrow")
	b.wait("nobody tomorrow, and who never tells before", "document.querySelector('#body').innerText.includes('No bookings tomorrow') && document.querySelector('#body').innerText.includes('TheFork')")
	box.mu.Lock()
	box.links.links = nil
	box.mu.Unlock()
	b.open("/integration/bookings")
	b.wait("no platform", "document.querySelector('#body').innerText.includes('No reservation platform')")
	box.mu.Lock()
	box.evening()
	box.mu.Unlock()
	b.frenchOnAPhone("/integration/bookings", "document.querySelector('.booking')?.innerText.includes('en retard')")
	b.frenchOnAPhone("/integration/bookings/r1", "document.querySelector('#panel')?.innerText.includes('Payer par acompte')")
}

// TestTableAudit: what is only here, only there and near; two names made one table, and taken apart.
func TestTableAudit(t *testing.T) {
	t.Parallel()
	box, b := tillTab(t, "/integration/floorplans?platform=sevenrooms")
	b.wait("compared", "document.querySelectorAll('.audit-part').length === 4 && document.querySelector('#platforms [aria-pressed=true]').innerText === 'SevenRooms'")
	if got := b.text("#verdict"); got != "1 table that SevenRooms named is not on the floor: a party seated there gets no check." {
		t.Errorf("the verdict is %q", got)
	}
	if got := b.text("#near td"); !strings.Contains(b.text("#near"), "7A") || got != "7a" {
		t.Errorf("near reads %q", b.text("#near"))
	}
	b.shoot("floorplans")
	b.click("#near .button")
	b.wait("asked with the effect", "document.querySelector('dialog').innerText.includes('get their check at 7A')")
	b.click("dialog .primary")
	b.wait("joined", "document.querySelector('.toast.good')?.innerText === '7a is table 7A from now on.'")
	box.mu.Lock()
	settings := box.links.links[1]["settings"].(object)
	box.mu.Unlock()
	if a, _ := settings["aliases"].(map[string]any); a["7a"] != "7A" || settings["staff"] != "Manager" {
		t.Errorf("the settings are %v", settings)
	}
	b.click("#platforms .pill:nth-child(1)")
	b.wait("another platform", "location.search === '?platform=opentable' && document.querySelector('#verdict').innerText.includes('OpenTable')")
	box.mu.Lock()
	box.links.links = nil
	box.mu.Unlock()
	b.open("/integration/floorplans")
	b.wait("none", "document.querySelector('#body').innerText.includes('No reservation platform')")
	box.mu.Lock()
	box.evening()
	box.mu.Unlock()
	b.frenchOnAPhone("/integration/floorplans", "document.querySelector('#near')?.innerText.includes('Presque pareilles')")
}

// TestDepartmentsPage: pairs with where they are known from, the till's groups, saved as a whole, discarded, refused.
func TestDepartmentsPage(t *testing.T) {
	t.Parallel()
	box, b := tillTab(t, "/integration/departments")
	origins := "[...document.querySelectorAll('.origin')].map(e => e.innerText.trim()).join('|')"
	b.wait("departments", "document.querySelectorAll('.department').length === 4")
	if got := b.eval(origins); got != "the till no longer has it|the till|only here|changes no status" {
		t.Errorf("they are known from %s", got)
	}
	b.shoot("departments")
	b.click("#add-known")
	b.wait("those of the stations", "document.querySelectorAll('.department').length === 6 && document.querySelector('#d-4-name').value === 'Desserts' && document.querySelector('.form-state').innerText")
	b.fill("#d-4-value", "Desserts")
	b.wait("the till's pair has its category", "document.querySelector('#d-4-category').value === 'Course'")
	b.click("#discard")
	b.wait("discarded", "document.querySelectorAll('.department').length === 4 && !document.querySelector('.form-state').innerText")
	b.click("#add-department")
	b.fill("#d-4-name", "Fromages")
	b.fill("#d-4-category", "Course")
	b.click(".setting .primary")
	b.wait("the fault stands at its field, and nothing was saved", "document.querySelector('#d-4-value-fault').innerText.includes('is empty')")
	b.fill("#d-4-value", "Desserts")
	b.click(".setting .primary")
	b.wait("saved", "document.querySelectorAll('.department').length === 5 && document.querySelector('.toast.good')")
	b.open("/integration/departments")
	b.wait("and there when it is loaded again", "document.querySelector('#d-4-name')?.value === 'Fromages' && document.querySelectorAll('.origin')[4].innerText.trim() === 'the till'")
	b.click("#import")
	b.wait("a till that is away says so", "document.querySelector('.toast.bad')?.innerText.includes('no answer in time')")
	box.mu.Lock()
	box.tills.imported = []object{{"category": "Course", "value": "Alcohol"}, {"category": "Course", "value": "Mains", "stale": true}}
	box.mu.Unlock()
	b.click("#import")
	b.wait("imported", "document.querySelectorAll('#groups .group-chip').length === 2 && document.querySelectorAll('.origin')[2].innerText.trim() === 'the till'")
	box.mu.Lock()
	box.session = object{"name": "lea", "role": "staff", "via": "session"}
	box.tills.departments = cannedDepartments()
	box.mu.Unlock()
	b.open("/integration/departments")
	b.wait("staff look on", "document.querySelector('#d-0-name')?.disabled && !document.querySelector('#import') && !document.querySelector('#add-department')")
	b.frenchOnAPhone("/integration/departments", "document.querySelector('#groups')?.innerText.includes('Groupes statistiques')")
}

// TestTillsPage: what the set-up needs, an account of another series named as such, tills with their queues, rights given by
// role and by name, and the guides.
func TestTillsPage(t *testing.T) {
	t.Parallel()
	box, b := tillTab(t, "/integration/tills")
	b.wait("the box is its own till", "document.querySelectorAll('.needs li').length === 1 && !document.querySelector('#verify') && document.querySelector('#tills').hidden && document.querySelector('#rights').hidden")
	box.mu.Lock()
	box.tills.pos = cannedPOS("lightspeed-k")
	box.tills.proof = object{"at": time.Now().UTC(), "code": "wrong_series", "detail": "This account is not of Lightspeed Restaurant (K-Series), or its credentials are wrong. If the account is of Lightspeed Restaurant (O-Series), write kind: lightspeed-o and follow its form.", "other": "lightspeed-o", "online": false}
	box.mu.Unlock()
	b.open("/integration/tills")
	b.wait("what it needs", "document.querySelectorAll('.needs li').length === 4 && document.querySelector('[data-key=public_url]').innerText.includes('missing here') && document.querySelector('#form').getAttribute('href') === '/v1/pos/form.txt?language=en'")
	b.click("#verify")
	b.wait("another series is named", "document.querySelector('#proof')?.innerText.includes('Another series.') && document.querySelector('#proof').innerText.includes('write kind: lightspeed-o')")
	b.shoot("tills-k")
	box.mu.Lock()
	box.tills.pos, box.tills.tills, box.tills.rights = cannedPOS("bepoz"), cannedTills(time.Now()), cannedRights()
	box.mu.Unlock()
	b.open("/integration/tills")
	b.wait("tills and rights", "document.querySelectorAll('.rows.tills tbody tr').length === 2 && document.querySelectorAll('.rights tbody tr').length === 4")
	if got := b.text(".rows.tills tbody tr:nth-child(2)"); !strings.Contains(got, "there is no table") || !strings.Contains(got, "4.7.3.0") || !strings.Contains(got, "1:3") {
		t.Errorf("a till reads %q", got)
	}
	if got := b.text("#tills"); !strings.Contains(got, "booking grid are not supported") {
		t.Errorf("what tills cannot show reads %q", got)
	}
	b.shoot("tills-bepoz")
	b.click("#right-staff-maintain_function_maps")
	b.click("#add-person")
	b.click("#rights .setting .primary")
	b.wait("a name is missing", "document.querySelector('#rights .form-again').innerText.includes('wrong') || document.querySelector('#rights .fault:not(:empty)')")
	b.fill("#right-name-1", "Max")
	b.click("#right-1-operate_tills")
	b.click("#rights .setting .primary")
	b.wait("given", "document.querySelector('.toast.good') && document.querySelectorAll('.right-person').length === 2")
	box.mu.Lock()
	v := box.tills.rights["value"].(object)
	box.mu.Unlock()
	if got := fmt.Sprint(v["staff"], v["people"]); got != "[operate_tills access_stores_tills maintain_function_maps] [map[name:Léa rights:[operate_tills maintain_function_maps]] map[name:Max rights:[operate_tills]]]" {
		t.Errorf("the rights are %s", got)
	}
	box.mu.Lock()
	box.tills.rights = nil
	box.mu.Unlock()
	b.open("/integration/tills")
	b.wait("not for everybody", "document.querySelector('#rights').innerText.includes('Access Venue Stores')")
	box.mu.Lock()
	box.tills.rights = cannedRights()
	box.mu.Unlock()
	b.frenchOnAPhone("/integration/tills", "document.querySelector('#rights')?.innerText.includes('Un admin les a tous') && document.querySelector('.rights')")

	b.open("/help")
	b.wait("the guides", "document.querySelectorAll('a[href^=\"/help/\"]').length === 3")
	for _, topic := range []string{"pos-setup", "till-functions", "till-bookings"} {
		b.open("/help/" + topic)
		b.wait(topic, "document.querySelectorAll('.guide li').length >= 5 && document.querySelector('#who').innerText")
	}
	b.shoot("guide")
	b.frenchOnAPhone("/help/till-functions", "document.querySelector('.guide')?.innerText.includes('ne sont pas pris en charge')")
}
