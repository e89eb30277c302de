package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func hotelTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en"})
	box.hotel = newFakeHotel()
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

// locked changes the hotel under its box's lock and tells the pages.
func (b *fakeBox) locked(kind string, change func(hotel *fakeHotel)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b.hotel)
	b.publish(kind, object{})
}

// did tells whether an act that begins so has come.
func (b *fakeBox) did(begin string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.acts {
		if strings.HasPrefix(a, begin) {
			return true
		}
	}
	return false
}

func TestHotelLink(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel")
	b.wait("the state in words", "document.querySelector('#link .state')?.innerText === 'Link is up'")
	if got := b.text("#link"); !strings.Contains(got, "Rooms can be charged.") || !strings.Contains(got, "tcp:10.0.0.9:5010") || !strings.Contains(got, "5.0.05.01") || !strings.Contains(got, "FIAS") {
		t.Errorf("the link reads %q", got)
	}
	if got := b.eval("[...document.querySelectorAll('.link-figure b')].map(e => e.innerText).join()"); got != "2,1,212" {
		t.Errorf("figures %s, want 2 unknown, 1 waiting, 212 guests", got)
	}
	shape := b.eval("getComputedStyle(document.querySelector('#link .shape')).borderRadius")
	box.locked("pms", func(hotel *fakeHotel) {
		hotel.view["charging"], hotel.view["reason"] = false, "link_down"
		hotel.view["link"] = object{"state": "down", "since": time.Now().UTC(), "peer": "tcp:10.0.0.9:5010", "reason": "connection refused"}
	})
	b.wait("live: it is down, and why", "document.querySelector('#link .state').innerText === 'Link is down' && document.querySelector('#link').innerText.includes('connection refused')")
	if got := b.eval("getComputedStyle(document.querySelector('#link .shape')).borderRadius"); got == shape {
		t.Error("up and down have the same shape")
	}
	box.locked("pms", func(hotel *fakeHotel) {
		hotel.view["reason"] = "na"
		hotel.view["link"] = object{"state": "night_audit", "since": time.Now().UTC(), "peer": "tcp:10.0.0.9:5010"}
	})
	b.wait("night audit", "document.querySelector('#link').innerText.includes('Night audit at the hotel') && document.querySelector('#link').innerText.includes('cannot be charged')")
}

func TestHotelNotConfigured(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{Language: "en"})
	b := openTab(t, box, 1440, 900)
	b.open("/hotel/revenue")
	b.wait("it says how to configure one", "document.querySelector('#body').innerText.includes('No hotel is configured') && document.querySelector('.sample').innerText.includes('kind: opera')")
	if got := b.eval("document.querySelector('#link').hidden && document.querySelector('#parts').hidden"); got != "true" {
		t.Error("parts of a hotel that is not there are shown")
	}
	b.open("/hotel?language=fr")
	b.wait("in French", "document.querySelector('#body').innerText.includes(\"Aucun hôtel n'est configuré\")")
}

func TestHotelUnknownFirst(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel")
	b.wait("both of them, before the list", "document.querySelectorAll('.lookup').length === 2 && document.querySelector('#unknowns').compareDocumentPosition(document.querySelector('#rows')) & Node.DOCUMENT_POSITION_FOLLOWING")
	card := b.text(".lookup")
	for _, want := range []string{"208", "Okafor, Mr. Chidi", "90544", "€39.15", "€2.00", "1833", "4209", "restaurant", "Léa", "T1", "2026-11-21"} {
		if !strings.Contains(card, want) {
			t.Errorf("what to look up lacks %q: %q", want, card)
		}
	}
	b.click(".lookup .primary")
	b.wait("asked with what to look for", "document.querySelector('dialog').innerText.includes('room 208 (Okafor, Mr. Chidi)')")
	b.click("dialog .primary")
	b.wait("a verdict must be chosen", "document.querySelector('dialog .fault').innerText === 'Choose what OPERA says.'")
	b.click("dialog .choice:nth-of-type(2)")
	b.fill("#note", "not on the folio")
	b.click("dialog .primary")
	b.until("resolved", func() bool { return box.did("resolve p1 refused 0 not on the folio") })
	b.wait("gone from the list of unknown ones", "document.querySelectorAll('.lookup').length === 1")
	b.wait("and the figure follows", "document.querySelector('.link-figure b').innerText === '1'")
	b.click(".lookup a.button")
	b.wait("the other one, with its time line", "location.pathname === '/hotel/postings/p5' && document.querySelector('.p-lookup') && document.querySelector('.ev[data-kind=bad]').innerText.includes('outcome unknown')")
	b.click("#resolve")
	b.click("dialog .choice:nth-of-type(1)")
	b.click("dialog .primary")
	b.until("resolved as posted", func() bool { return box.did("resolve p5 posted") })
	b.wait("nothing is unknown", "document.querySelector('#unknowns').hidden && document.querySelector('#panel').innerText.includes('Resolved by Camille')")
}

func TestHotelPostings(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel")
	b.wait("rows", "document.querySelectorAll('#rows tr').length === 14")
	if got := b.text("#rows tr:nth-child(3)"); !strings.Contains(got, "1105") || !strings.Contains(got, "refused") || !strings.Contains(got, "Guest may not charge") {
		t.Errorf("a refused one reads %q", got)
	}
	b.click("#states button:nth-child(2)")
	b.wait("the queue", "document.querySelectorAll('#rows tr').length === 1 && document.querySelector('#rows tr').dataset.state === 'queued' && location.search === '?state=open'")
	b.click("#states button:nth-child(1)")
	b.wait("all again", "document.querySelectorAll('#rows tr').length === 14")
	b.fill("#find", "412")
	b.wait("those of a room", "[...document.querySelectorAll('#rows .from b')].length > 1 && [...document.querySelectorAll('#rows .from b')].every(e => e.innerText === '412')")
	b.fill("#find", "1832")
	b.wait("that of a check", "document.querySelectorAll('#rows tr').length === 1")
	b.fill("#find", "nobody")
	b.wait("a sentence instead of an empty table", "document.querySelector('#say').innerText.includes('No posting matches')")
	b.fill("#find", "")
	b.eval("(e => { e.value = 'tender'; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#kinds'))")
	b.wait("of one kind", "document.querySelectorAll('#rows tr').length === 1 && document.querySelector('#rows').innerText.includes('card')")
	b.eval("(e => { e.value = ''; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#kinds'))")
	b.wait("all", "document.querySelectorAll('#rows tr').length === 14")

	// While the pointer is over the rows, new ones wait.
	b.eval("document.querySelector('#rows').dispatchEvent(new PointerEvent('pointerenter', {pointerType: 'mouse'}))")
	box.locked("posting", func(hotel *fakeHotel) {
		p := cannedPostings(1)[0]
		p["id"] = "new"
		hotel.postings = append([]object{p}, hotel.postings...)
	})
	b.wait("the new one waits", "document.querySelector('#more-new').innerText.startsWith('1 new posting')")
	b.click("#more-new")
	b.wait("shown", "document.querySelector('#rows tr').dataset.id === 'new'")
	b.eval("URL.createObjectURL = blob => { blob.text().then(text => { window.__csv = text }); return 'blob:none' }; HTMLAnchorElement.prototype.click = function () { window.__name = this.download }")
	b.click("#csv")
	b.wait("CSV", "window.__csv?.includes('Okafor') && window.__name.startsWith('postings-')")
}

func TestHotelVoidAndRefund(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel")
	b.wait("rows", "document.querySelectorAll('#rows tr').length")
	b.click("#rows tr:nth-child(1)")
	b.wait("its own address", "location.pathname === '/hotel/postings/p0' && document.querySelectorAll('.ev').length === 3")
	if got := b.text(".ev[data-kind=proof]"); !strings.Contains(got, "OK TRX 880123") || !strings.Contains(got, "+208 ms") {
		t.Errorf("the answer in the time line reads %q", got)
	}
	if got := b.eval("[...document.querySelectorAll('.fact dd')].filter(e => !e.innerText || e.innerText === '0').length"); got != "0" {
		t.Errorf("%s facts say nothing", got)
	}
	b.click("#refund")
	b.wait("what is left", "document.querySelector('#amount').value === '35.00'")
	b.fill("#amount", "35.01")
	b.click("dialog .danger")
	b.wait("never more than that", "document.querySelector('#amount-fault').innerText.includes('€35.00')")
	b.fill("#amount", "10.5")
	b.fill("#note", "wine was corked")
	b.click("dialog .danger")
	b.until("refunded", func() bool { return box.did("refund p0  1050 wine was corked") })
	b.wait("what is left of it", "document.querySelector('.left')?.innerText === 'Left of it: €24.50'")
	b.wait("a void is no longer offered", "!document.querySelector('#void') && document.querySelector('.related').innerText.includes('Refund')")

	b.open("/hotel/postings/p7")
	b.click("#void")
	b.wait("asked once, with the effect named", "document.querySelector('dialog').innerText.includes('room 9003') && document.querySelector('dialog').innerText.includes('other sign')")
	b.click("dialog .button:first-child")
	b.wait("kept", "!document.querySelector('dialog')")
	if box.did("void") {
		t.Error("a refused void was sent")
	}
	b.click("#void")
	b.click("dialog .danger")
	b.until("void", func() bool { return box.did("void p7") })
	b.wait("nothing more to take back", "!document.querySelector('.p-acts')")

	b.open("/hotel/postings/none")
	b.wait("an unknown posting says so", "document.querySelector('#panel').innerText.includes('there is no such posting')")
	b.key("Escape", "Escape")
	b.wait("back to the list by key", "location.pathname === '/hotel' && document.querySelector('#panel').hidden")
}

// An answer that did not come is no reason to refund twice: the same act goes out under the same key.
func TestHotelRepeatsUnderOneKey(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel/postings/p0")
	refund := func() {
		b.click("#refund")
		b.fill("#amount", "5")
		b.click("dialog .danger")
		b.wait("told", "document.querySelector('.toast')")
	}
	b.wait("it", "document.querySelector('#refund')")
	b.eval("(() => { const real = window.fetch; window.fetch = async (...a) => { const r = await real(...a); if (String(a[0]).includes('/refund') && !window.__lost) { window.__lost = true; throw new TypeError('lost') } return r } })()")
	refund()
	b.wait("the refund shows all the same", "document.querySelector('.left')?.innerText === 'Left of it: €30.00'")
	refund()
	b.until("asked twice", func() bool { return box.count("refund p0  500") == 2 })
	b.wait("booked once", "document.querySelector('.left').innerText === 'Left of it: €30.00'")
}

func TestHotelByRole(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/help")
	box.mu.Lock()
	box.session = object{"name": "Hugo", "role": "staff", "screen": ""}
	box.mu.Unlock()
	b.open("/hotel")
	b.wait("the parts for staff", "[...document.querySelectorAll('.part')].map(e => e.innerText).join() === 'Postings,Guests,Protocol trace'")
	b.wait("nothing to resolve", "document.querySelector('#unknowns').innerText.includes('A manager resolves them') && !document.querySelector('#unknowns .primary')")
	b.open("/hotel/postings/p0")
	b.wait("nothing to take back", "document.querySelector('#panel').innerText.includes('for managers') && !document.querySelector('#void')")
	b.open("/hotel/trace")
	b.wait("says that names are masked", "document.querySelector('.notice').innerText.includes('masked')")
	box.mu.Lock()
	box.answers["/v1/pms/revenue"] = 403
	box.mu.Unlock()
	b.open("/hotel/revenue")
	b.wait("no permission", "document.querySelector('#body').innerText.includes('You may not see')")
}

func TestHotelGuests(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel/guests")
	b.wait("the house", "document.querySelectorAll('.guests tbody tr').length === 6")
	b.fill("#find", "delac")
	b.wait("both sharers", "document.querySelectorAll('.guests tbody tr').length === 2 && document.querySelector('#note').innerText.includes('answers now')")
	if got := b.text(".guests tbody tr:nth-child(2)"); !strings.Contains(got, "nobody may charge") {
		t.Errorf("a no-post guest reads %q", got)
	}
	b.fill("#find", "")
	b.wait("the house again", "document.querySelectorAll('.guests tbody tr').length === 6")
	b.click("#kinds button:nth-child(3)")
	b.wait("paymasters", "document.querySelectorAll('.guests tbody tr').length === 1 && document.querySelector('.guests').innerText.includes('9003')")
	b.click("#kinds button:nth-child(1)")
	box.locked("pms", func(hotel *fakeHotel) { hotel.stale = true })
	b.fill("#find", "412")
	b.wait("remembered ones are marked", "document.querySelector('#note.bad')?.innerText.includes('cannot be asked now') && document.querySelectorAll('.guests tbody tr').length === 2")
	b.fill("#find", "zz")
	b.wait("nobody", "document.querySelector('#list').innerText.includes('knows nobody like')")
}

func TestHotelRevenue(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel/revenue")
	b.wait("unmapped groups first", "document.querySelector('#unmapped')?.innerText.includes('cigars')")
	b.wait("batches", "document.querySelectorAll('.batches tbody tr').length === 5")
	b.click(".batches .button")
	b.wait("asked", "document.querySelector('dialog').innerText.includes('Send batch 317 again?')")
	b.click("dialog .primary")
	b.until("sent again", func() bool { return box.did("retry b1") })
	b.wait("no longer offered", "!document.querySelector('.batches .button')")
	b.click("#unmapped .button")
	b.wait("a rule is begun for it", "location.pathname === '/hotel/setup' && document.querySelectorAll('#rules .rule').length === 4 && document.querySelector('#rules .rule:nth-child(4) .r-group').value === 'cigars'")
	b.wait("what is missing has the focus", "document.activeElement.className === 'r-subtotal'")
	b.fill("#rules .rule:nth-child(4) .r-subtotal", "9")
	b.click("#set-mapping .primary")
	b.until("saved", func() bool { return box.did("put mapping") })
	box.mu.Lock()
	var rules struct{ Rules []map[string]any }
	text, _ := json.Marshal(box.hotel.settings["mapping"].(object)["value"])
	box.mu.Unlock()
	if err := json.Unmarshal(text, &rules); err != nil || len(rules.Rules) != 4 {
		t.Fatalf("mapping %s: %v", text, err)
	}
	if r := rules.Rules[3]; r["group"] != "cigars" || r["outlet"] != "bar" || r["floor_plan"] != "Terrasse" || r["subtotal"] != 9.0 || r["pos_config"] != "any" || r["period"] != "any" {
		t.Errorf("the new rule is %v", r)
	}
}

func TestHotelTrace(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel/trace")
	b.wait("records without keep-alive", "document.querySelectorAll('.record').length === 17")
	b.click("#quiet")
	b.wait("with it", "document.querySelectorAll('.record').length === 22")
	b.click("#quiet")
	b.wait("without it again, and PA is called by its name", "document.querySelectorAll('.record').length === 17 && [...document.querySelectorAll('.record')].find(e => e.textContent.includes('ASOK')).querySelector('.named').textContent === 'Answer'")
	b.eval("[...document.querySelectorAll('.record')].find(e => e.textContent.includes('TA3700')).querySelector('summary').click()")
	b.wait("its fields, named", "document.querySelector('.fields')?.innerText.includes('reservation') && document.querySelector('.fields').innerText.includes('subtotal') && document.querySelector('.fields').innerText.includes('3700')")
	b.fill("#find", "90544")
	b.wait("those of a guest", "document.querySelectorAll('.record').length === 2")
	b.fill("#find", "")
	add := func(seq int, text string) {
		box.mu.Lock()
		box.hotel.trace = append(box.hotel.trace, traceLine(seq, "<", text))
		box.mu.Unlock()
	}
	add(23, "GC|RN412|G#90817|GNDelacroix|<b>no markup</b>|")
	b.wait("live, as text", "document.querySelector('#lines').lastChild.textContent.includes('<b>no markup</b>')")
	b.click("#pause")
	add(24, "GC|RN999|")
	b.click("#pause")
	b.wait("goes on after a pause", "document.querySelector('#lines').textContent.includes('999')")
	b.eval("document.querySelector('#lines').style.maxHeight = '120px'; document.querySelector('#lines').style.minHeight = '0'; document.querySelector('#lines').scrollTop = 0")
	add(25, "GO|RN1000|")
	b.wait("nothing moves under who reads further up", "document.querySelector('#more-new').innerText === '1 new record – show' && document.querySelector('#lines').scrollTop === 0")
	b.click("#more-new")
	b.wait("read", "document.querySelector('#more-new').hidden")
	b.eval("URL.createObjectURL = blob => { blob.text().then(text => { window.__saved = text }); return 'blob:none' }; HTMLAnchorElement.prototype.click = function () { window.__name = this.download }")
	b.click("#save")
	b.wait("saved as the box writes it", "window.__saved?.includes('> PR|P#4209|') && window.__name.endsWith('.txt')")
	box.mu.Lock()
	box.hotel.trace = []object{traceLine(1, "!", "started anew")}
	box.mu.Unlock()
	b.wait("a box that was restarted counts anew", "document.querySelectorAll('.record').length === 1 && document.querySelector('#lines').textContent.includes('started anew')")
	box.mu.Lock()
	box.hotel.trace = append(box.hotel.trace, traceLine(2, ">", `<?xml version="1.0" encoding="UTF-8"?><PostInquiry SequenceNumber="77" InquiryInformation="412" LastName="O&apos;Hara"/>`))
	box.mu.Unlock()
	b.wait("XML_POS too", "document.querySelector('#lines b')?.innerText === 'PostInquiry' && document.querySelector('#lines').textContent.includes('InquiryInformation=412')")
}

func TestHotelSetup(t *testing.T) {
	t.Parallel()
	box, b := hotelTab(t, "/hotel/setup")
	b.wait("the checklist", "document.querySelectorAll('.step').length === 9 && document.querySelector('#checklist header').innerText.includes('ready')")
	if got := b.text("[data-item=vendor_gateway]"); !strings.Contains(got, "Camille") || !strings.Contains(got, "case 48213") {
		t.Errorf("a ticked step reads %q", got)
	}
	b.click("[data-item=hotel_licence] .button")
	b.fill("#tick-note", "mail of 3 Nov")
	b.click("dialog .primary")
	b.until("ticked", func() bool { return box.did("tick hotel_licence true mail of 3 Nov") })
	b.wait("done", "document.querySelector('[data-item=hotel_licence]').dataset.grade === 'ok'")

	if got := b.eval("document.querySelector('#set-payment_method .primary').disabled"); got != "true" {
		t.Error("what nobody changed can be saved")
	}
	b.fill("#code", "OPERA")
	b.click("#set-payment_method .primary")
	b.wait("the code must be IKPMS", "document.querySelector('#code').getAttribute('aria-invalid') === 'true' && document.querySelector('#code-fault').innerText.includes('must be IKPMS')")
	if box.did("put payment_method") {
		t.Error("a wrong code was sent")
	}
	b.fill("#code", "IKPMS")
	b.fill("#name", "Opéra Bellevue")
	b.click("#transmit")
	b.fill("#address", "192.168.1.300")
	b.click("#try")
	b.wait("an impossible address", "document.querySelector('#address-fault').innerText.includes('no address')")
	b.fill("#address", "192.168.1.20")
	b.click("#try")
	b.wait("reached", "document.querySelector('#tried').innerText === '192.168.1.20:80 answers (4 ms).'")
	b.fill("#address", "10.9.9.9:81")
	b.click("#try")
	b.wait("not reached, with what to do", "document.querySelector('#tried[data-grade=bad]')?.innerText.includes('no route to host')")
	b.fill("#address", "till.invalid")
	b.click("#set-payment_method .primary")
	b.wait("the box's own fault stands at its field", "document.querySelector('#address-fault').innerText === 'is an address the test refuses'")
	b.fill("#address", "192.168.1.20:9090")
	b.click("#set-payment_method .primary")
	b.until("saved", func() bool { return box.did("put payment_method") })
	if !box.did(`put payment_method {"code":"IKPMS","name":"Opéra Bellevue","server_address":"192.168.1.20:9090","transmit_all_tickets":true,"type":"room"}`) {
		t.Errorf("acts %q", box.acts)
	}

	// What somebody changed meanwhile is not overwritten.
	b.fill("#gateway", "OPERA till")
	box.locked("setting", func(hotel *fakeHotel) {
		hotel.settings["gateway"] = object{"value": object{"name": "Another", "product": "Oracle OPERA"}, "revision": 5}
	})
	b.click("#set-gateway .primary")
	b.wait("told, and not saved", "document.querySelector('#set-gateway .form-again').innerText.includes('meanwhile') && document.querySelector('#gateway').value === 'OPERA till'")
	b.click("#set-gateway .form-again .button")
	b.wait("what is there now", "document.querySelector('#gateway').value === 'Another'")

	b.fill("#outlets .entry:nth-child(2) .o-code", "1")
	b.click("#set-mapping .primary")
	b.wait("two outlets of one number", "document.querySelector('#set-mapping .fault:not(:empty)').innerText === 'It stands here twice.'")
	b.fill("#outlets .entry:nth-child(2) .o-code", "7")
	b.click("#rules .rule:nth-child(2) .round")
	b.wait("its order is changed, and what was typed is kept", "document.querySelector('#rules .rule:nth-child(1) .r-group').value === 'drinks' && document.querySelector('#outlets .entry:nth-child(2) .o-code').value === '7'")
	b.click("#rules .rule:nth-child(3) .button")
	b.click("#set-mapping .primary")
	b.until("mapping saved", func() bool {
		return box.did(`put mapping {"outlets":[{"code":1,"name":"restaurant"},{"code":7,"name":"bar"}]`)
	})

	b.fill("#set-tenders .entry:nth-child(1) .t-code", "MASTERCARD")
	b.click("#set-tenders .primary")
	b.wait("too long for the link", "document.querySelector('#set-tenders .field-row .fault:not(:empty)').innerText.startsWith('1 to 5')")
	b.fill("#set-tenders .entry:nth-child(1) .t-code", "MC")
	b.click("#tender-add")
	b.fill("#set-tenders .entry:nth-child(3) .t-name", "voucher")
	b.fill("#set-tenders .entry:nth-child(3) .t-code", "VOUCH")
	b.click("#set-tenders .primary")
	b.until("tenders saved", func() bool { return box.did(`put tenders {"card":"MC","cash":"CASH","voucher":"VOUCH"}`) })

	b.wait("nothing is left to save", "[...document.querySelectorAll('.form-state')].every(e => e.innerText === '')")

	b.wait("whom to ask for help", "document.body.innerText.includes('ask the POS support')")
	b.wait("the closing time is for support only", "document.querySelector('#set-closing').innerText.includes('Only support') && !document.querySelector('#closing')")
	box.mu.Lock()
	box.session["role"] = "admin"
	box.mu.Unlock()
	b.open("/hotel/setup")
	b.wait("which is an admin", "document.querySelector('#closing')?.value === '05:30'")
	b.fill("#closing", "04:00")
	b.click("#set-closing .primary")
	b.wait("asked, with the effect named", "document.querySelector('dialog').innerText.includes('before 04:00')")
	b.click("dialog .danger")
	b.until("changed", func() bool { return box.did(`put closing {"business_day_close":"04:00"}`) })
}

func TestHotelByKeyboard(t *testing.T) {
	t.Parallel()
	_, b := hotelTab(t, "/hotel")
	b.wait("rows", "document.querySelectorAll('#rows tr').length === 14")
	b.key("Slash", "/")
	b.wait("/ goes to the search", "document.activeElement.id === 'find'")
	b.eval("document.querySelector('#rows a').focus()")
	b.key("Enter", "Enter")
	b.eval("document.activeElement.click()")
	b.wait("a link opens the posting", "location.pathname === '/hotel/postings/p0' && !document.querySelector('#panel').hidden")
	b.key("Escape", "Escape")
	b.wait("Escape closes it", "location.pathname === '/hotel'")
	b.eval("document.querySelector('.part[href=\"/hotel/guests\"]').click()")
	b.wait("parts are links", "location.pathname === '/hotel/guests' && document.querySelector('.part[aria-current=page]').innerText === 'Guests'")
	b.eval("history.back()")
	b.wait("back", "location.pathname === '/hotel' && document.querySelector('#rows')")
	unnamed := b.eval("[...document.querySelectorAll('main :is(a, button, input, select)')].filter(e => !e.closest('[hidden]') && !(e.innerText || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML).join('\\n')")
	if unnamed != "" {
		t.Errorf("without a name for who cannot see: %s", unnamed)
	}
}

func TestHotelInFrenchOnAPhone(t *testing.T) {
	t.Parallel()
	_, b := hotelTab(t, "/hotel?language=fr")
	b.size(375, 812)
	for path, want := range map[string]string{
		"/hotel":             "2 imputations dont personne ne connaît l'issue",
		"/hotel/postings/p0": "Chronologie",
		"/hotel/postings/p1": "À chercher dans OPERA",
		"/hotel/guests":      "bloquée : personne ne peut débiter",
		"/hotel/revenue":     "Sans sous-total affecté",
		"/hotel/trace":       "Liste de clients",
		"/hotel/setup":       "Transmettre tous les tickets",
	} {
		b.open(path)
		b.wait(want+" on "+path, "document.querySelector('#body').innerText.toLowerCase().includes("+quoteJS(strings.ToLower(strings.ReplaceAll(want, "'", "'")))+")")
		if wide := b.eval("document.documentElement.scrollWidth"); wide != "375" {
			t.Errorf("%s is %s px wide on a phone of 375", path, wide)
		}
		small := b.eval("[...document.querySelectorAll('main :is(button, a.button, .part, .pill, select)')].filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).map(e => e.className + ' ' + e.innerText + ' ' + e.getBoundingClientRect().height).join('\\n')")
		if small != "" {
			t.Errorf("%s: too small for a finger: %s", path, small)
		}
	}
	b.open("/hotel/postings/p0")
	b.click("#refund")
	b.wait("French amounts", "document.querySelector('#amount').value === '35,00'")
	b.fill("#amount", "12,5")
	b.click("dialog .danger")
	b.wait("understood", fmt.Sprintf("document.querySelector('.left')?.innerText.includes(%q)", "22,50"))
}

// hotelPages are the addresses of the page and what tells that each is drawn.
var hotelPages = map[string]string{
	"/hotel":             "document.querySelectorAll('.lookup').length === 2 && document.querySelectorAll('#rows tr').length === 14",
	"/hotel/postings/p0": "document.querySelectorAll('.ev').length === 3",
	"/hotel/postings/p1": "document.querySelector('.p-lookup')",
	"/hotel/guests":      "document.querySelectorAll('.guests tbody tr').length === 6",
	"/hotel/revenue":     "document.querySelectorAll('.batches tbody tr').length === 5",
	"/hotel/trace":       "document.querySelectorAll('.record').length === 17",
	"/hotel/setup":       "document.querySelectorAll('#rules .rule').length === 3",
}
