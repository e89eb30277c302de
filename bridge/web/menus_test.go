package web

import (
	"strings"
	"testing"
	"time"
)

// menuPages are the addresses of menus and delivery, and what shows that each is drawn.
var menuPages = map[string]string{
	"/menus": "document.querySelectorAll('.counter').length === 3", "/menus/items": "document.querySelectorAll('.rows.items tbody tr').length === 4", "/menus/links": "document.querySelectorAll('.rows.links tbody tr').length === 2",
	"/menus/history": "document.querySelectorAll('.rows.runs tbody tr').length === 2", "/menus/history/r2": "document.querySelectorAll('.change').length === 3", "/menus/check": "document.querySelectorAll('.lint').length === 5",
	"/integration/delivery": "document.querySelectorAll('.tile').length === 2", "/integration/delivery/otter": "document.querySelector('#checklist') && document.querySelector('.channels')",
	"/integration/delivery/day": "document.querySelectorAll('[data-list]').length === 3", "/integration/delivery/rejected": "document.querySelectorAll('.rows.rejected tbody tr').length === 1",
}

func menuTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en"})
	box.menu, box.delivery = newFakeMenu(), newFakeDelivery()
	box.office.contacts = []object{{"partner": "Otter", "phone": "+33 1 00 00 00 00"}, {"partner": "Lightspeed K-Series", "mail": "support@example.test"}, {"partner": "OpenTable", "phone": "1"}}
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

// TestMenusPage: three counters that lead to what they count; linking by hand turns them; the switches; a guard that
// asks; what a run changed.
func TestMenusPage(t *testing.T) {
	t.Parallel()
	box, b := menuTab(t, "/menus")
	b.wait("three counters", "[...document.querySelectorAll('.counter b')].map(e => e.innerText).join() === '2,1,1'")
	if got := b.text(".tile.menu"); !strings.Contains(got, "4 not linked") || !strings.Contains(got, "3 changes") || !strings.Contains(got, "Names, Prices") {
		t.Errorf("the menu reads %q", got)
	}
	if got := b.text(".alone"); !strings.Contains(got, "Sold out at Otter alone: 2.") || !strings.Contains(got, "Tarte <b>Tatin</b> until ") {
		t.Errorf("what is sold out at the partner alone reads %q", got)
	}
	b.shoot("menus")
	b.click("#resell-otter-0")
	b.until("sold again", func() bool { return box.did(`resell {"id":"i-9"}`) })
	b.wait("one is left", "document.querySelectorAll('.alone li').length === 1")
	b.click("#out-otter-0")
	b.until("sold out here too", func() bool { return box.did("sold-out BR/1") })
	b.wait("none is left", "!document.querySelector('.alone')")
	b.click("#settings-otter")
	b.wait("its settings", "document.querySelector('#menu-publish') && !document.querySelector('#menu-publish').disabled")
	b.click("#menu-update")
	b.wait("publishing by itself needs updating by itself", "document.querySelector('#menu-publish').disabled && !document.querySelector('#menu-publish').checked")
	b.click("#menu-update")
	b.click("#menu-publish")
	b.click("[name=menu-field][value=photo]")
	b.click(".menu-part [name=category][value=c2]")
	b.shoot("menu-settings")
	b.click(".menu .setting .primary")
	b.until("saved", func() bool {
		return box.did(`menu settings {"auto_publish":true,"auto_update":true,"every_minutes":360,"fields":["name","price","photo"],"match_by_name":false,"name":"","parts":[{"categories":["c1"],"id":"lunch","name":"Midi","services":[]}],"revision":4}`)
	})
	b.wait("and shown", "document.querySelector('.tile.menu').innerText.includes('by itself after each sync')")
	b.click("#sync-otter")
	b.until("updated from the POS", func() bool { return box.did(`sync {"menu":"otter","publish":false,"update":true}`) })
	b.click("#publish-otter")
	b.click("dialog .primary")
	b.until("published", func() bool { return box.did(`sync {"menu":"otter","publish":true,"update":true}`) })
	box.mu.Lock()
	box.menu.menu["asking"], box.menu.runs[0]["state"], box.menu.runs[0]["guard"] = true, "asking", object{"had": 400, "gone": 130, "items": 270}
	box.publish("menu", object{})
	box.mu.Unlock()
	b.wait("a shrunken catalogue asks", "document.querySelector('.tile.menu').innerText.includes('130 of 400 items would be removed')")
	b.click("#guard-otter")
	b.click("dialog .danger")
	b.until("confirmed", func() bool { return box.did("confirm r2") })

	b.click(".counter[data-kind=items]")
	b.wait("what the counter counts", "location.pathname === '/menus/links' && document.querySelectorAll('.rows.links tbody tr').length === 2")
	if got := b.text(".rows.links tbody"); !strings.Contains(got, "Tarte Tatin <i>maison</i>") || !strings.Contains(got, "gone from the POS") {
		t.Errorf("what is not linked reads %q", got)
	}
	b.click("[data-link=i2]")
	b.wait("what the POS has of that name", "document.querySelectorAll('dialog .choice').length === 1")
	b.click("dialog .primary")
	b.wait("one must be chosen", "document.querySelector('dialog .fault').innerText === 'Choose an item of the POS.'")
	b.click("dialog .choice")
	b.click("dialog .primary")
	b.until("linked", func() bool { return box.did(`link {"id":"i2","kind":"item","menu":"otter","target":"item:P2"}`) })
	b.wait("it leaves the list, and the counter follows", "document.querySelectorAll('.rows.links tbody tr').length === 1 && document.querySelector('#link-kinds [data-kind=item] b').innerText === '1'")
	b.click("#only-unlinked")
	b.wait("all of them", "document.querySelectorAll('.rows.links tbody tr').length === 3 && document.querySelector('.rows.links').innerText.includes('Camille')")
	b.click("#link-kinds [data-kind=modifier]")
	b.wait("modifiers of their groups", "document.querySelector('.rows.links').innerText.includes('gone from the POS') && document.querySelector('.rows.links').innerText.includes('Cuisson')")
	b.eval("history.back()")
	b.wait("back at the counters", "location.pathname === '/menus' && [...document.querySelectorAll('.counter b')].map(e => e.innerText).join() === '1,1,1'")
	b.click(".tile.menu dd a")
	b.wait("what the run changed", "document.querySelectorAll('.change').length === 3 && document.querySelector('.change').innerText.includes('8.20 → 8.50')")
	b.click(".run-chips .pill:nth-child(2)")
	b.wait("only what was added", "document.querySelectorAll('.change').length === 1 && document.querySelector('.change').dataset.change === 'added'")
	b.click("#parts a:nth-child(4)")
	b.wait("all runs, and why one failed", "document.querySelectorAll('.rows.runs tbody tr').length === 2 && document.querySelector('.rows.runs').innerText.includes('connection refused')")
	b.frenchOnAPhone("/menus", "document.querySelector('.counter')?.innerText.includes('non liés')")
	b.frenchOnAPhone("/menus/links", "document.querySelector('.rows.links')?.innerText.includes('Modifier') || document.querySelector('.rows.links')?.innerText.includes('Lier')")
}

// TestMenuItems: sold out and back at once, another price at one partner, why an item is missing, and the lint.
func TestMenuItems(t *testing.T) {
	t.Parallel()
	box, b := menuTab(t, "/menus/items")
	b.wait("items", "document.querySelectorAll('.rows.items tbody tr').length === 4")
	b.shoot("menu-items")
	b.click("#sell-P2")
	b.until("sold out", func() bool { return box.did("sold-out P2") })
	b.wait("and the way back", "document.querySelector('#sell-P2').innerText === 'Back on sale'")
	b.click("#sell-P2")
	b.until("back", func() bool { return box.did("back P2") })
	b.click("#edit-P2")
	b.eval("(e => { e.value = '1'; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#e-what'))")
	b.fill("#e-value", "9,x")
	b.click("dialog .primary")
	b.wait("no amount", "document.querySelector('#e-value-fault').innerText.includes('12.50')")
	b.fill("#e-value", "9.90")
	b.click("dialog .primary")
	b.until("its own price at one marketplace", func() bool {
		return box.did(`edit {"field":"price","id":"P2","kind":"item","locked":true,"menu":"otter","slug":"ubereats","value":"990"}`)
	})
	b.wait("shown", "document.querySelector('.rows.items tbody tr:nth-child(2)').innerText.includes('Price at ubereats')")
	b.click(".rows.items tbody tr:nth-child(2) .edit .button")
	b.until("as in the POS again", func() bool {
		return box.did(`restore {"field":"price","id":"P2","kind":"item","menu":"otter","slug":"ubereats"}`)
	})
	b.fill("#find", "zzz")
	b.wait("nothing of that name", "document.querySelector('#items').innerText.includes('No item matches')")
	b.open("/menus/check")
	b.wait("five headings, those with findings open", "document.querySelectorAll('.lint').length === 5 && document.querySelectorAll('.lint[open]').length === 2 && document.querySelector('.lint').innerText.includes('costs nothing')")
	b.fill("#missing", "Menu du personnel")
	b.click(".diagnose-form .primary")
	b.wait("the check that fails, and what to do", "document.querySelector('#diagnosis .p-why').innerText.includes('not set to be shown online in the POS. Change that') && document.querySelector('[data-check=shown_online]').dataset.grade === 'bad'")
	b.shoot("menu-check")
	b.fill("#missing", "nothing such")
	b.click(".diagnose-form .primary")
	b.wait("not in the catalogue", "document.querySelector('#diagnosis').innerText.includes('nothing called “nothing such”')")
	b.frenchOnAPhone("/menus/check", "document.querySelector('.lint')?.innerText.includes('Articles')")
	b.frenchOnAPhone("/menus/items", "document.querySelector('.rows.items')")
	box.mu.Lock()
	box.menu = nil
	box.mu.Unlock()
	b.open("/menus")
	b.wait("without a partner it says how to get one", "document.querySelector('#body').innerText.includes('No menu is kept') && document.querySelector('#body').innerText.includes('No catalogue yet')")
}

// TestDeliveryPage: a link that only watches is activated when its checklist is done, at a moment; paused, switched off;
// what a channel has different; the end of the day; what was refused.
func TestDeliveryPage(t *testing.T) {
	t.Parallel()
	box, b := menuTab(t, "/integration/delivery")
	b.wait("two links", "document.querySelectorAll('.tile').length === 2 && document.querySelector('.tile .state').innerText === 'Watching only'")
	if got := b.text(".tile:nth-child(2)"); !strings.Contains(got, "Not working") || !strings.Contains(got, "invalid_client") {
		t.Errorf("a broken link reads %q", got)
	}
	b.shoot("delivery")
	b.click(".tile a.button")
	b.wait("one link", "location.pathname === '/integration/delivery/otter' && document.querySelector('#checklist').innerText.includes('2 of 4 done') && document.querySelector('.activation').innerText.includes('neither printed')")
	if got := b.text(".observed"); !strings.Contains(got, "Not known there: Sauce <b>maison</b>") || !strings.Contains(got, "go in whole") {
		t.Errorf("what was watched reads %q", got)
	}
	b.wait("whom to call, at the partner, the marketplaces and the POS", "document.querySelector('#link-contacts').innerText.includes('+33 1 00 00 00 00') && document.querySelector('#link-contacts').textContent.includes('Lightspeed')")
	b.wait("when it did not answer", "document.querySelector('.outages').innerText.includes('connection refused')")
	got := b.text("#hours")
	for _, want := range []string{"Carte <b>du soir</b> Delivery, Pickup", "Monday – Thursday\n11:30 – 14:30\n18:30 – 23:00", "Friday – Saturday\n11:30 – 14:30\n18:30 – 01:00 (next day)", "Sunday\nclosed", "25 Dec 2099\nclosed", "31 Dec 2099\n19:00 – 03:00 (next day)", "Time zone Europe/Paris",
		"Sunday\nall day", "Time zone not told: read as Europe/Paris", "Brunch\n\nNot told yet."} {
		if !strings.Contains(got, want) {
			t.Errorf("the opening hours do not have %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "2020") {
		t.Errorf("a day that is past stands among those ahead: %q", got)
	}
	b.click("#tick-ubereats-menu_access")
	b.wait("ticked, and by whom", "document.querySelector('#checklist').innerText.includes('3 of 4 done')")
	b.click("#activate")
	b.eval("document.querySelector('#go-live').value = '2020-01-01T08:00'")
	b.click("dialog .primary")
	b.wait("not in the past", "document.querySelector('dialog .fault').innerText.includes('moment ahead')")
	b.eval("document.querySelector('#go-live').value = ''")
	b.click("dialog .primary")
	b.until("activated", func() bool { return box.count("activate otter") == 1 })
	b.wait("orders flow", "document.querySelector('.activation').innerText.includes('Orders flow') && document.querySelector('#pause')")
	b.click("#pause")
	b.click("dialog .primary")
	b.until("paused", func() bool { return box.count("pause otter") == 1 })
	b.wait("and the way back", "document.querySelector('#pause').innerText === 'Resume'")
	b.click("#pause")
	b.until("resumed", func() bool { return box.count("resume otter") == 1 })
	b.wait("it runs again", "document.querySelector('#pause').innerText !== 'Resume'")
	b.click("#compare")
	b.until("compared with the feed", func() bool { return box.count("sync otter") == 1 })
	choose := func(selector, value string) {
		b.eval("(e => { e.value = '" + value + "'; e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('" + selector + "'))")
	}
	choose("tr[data-slug=deliveroo] .c-inject", "0")
	choose("tr[data-slug=ubereats] .c-policy", "open_item")
	b.fill("tr[data-slug=ubereats] .c-payment", "UBER")
	b.fill("#d-accept_minutes", "x")
	b.click(".setting .primary")
	b.wait("no number", "document.querySelector('#d-accept_minutes-fault').innerText.includes('whole minutes')")
	b.fill("#d-accept_minutes", "10")
	b.click(".setting .primary")
	b.until("channels are saved", func() bool {
		return box.did(`delivery {"revision":2,"settings":{"accept_minutes":10,"auto_accept":true,"channels":{"deliveroo":{"auto_accept":false,"injection":false,"name":"Deliveroo"},"ubereats":{"inject":"open_item","name":"Uber Eats","payment_method":"UBER"}},"discount":"","fees":{"delivery_fee":"LIV"},"inject":"strict","lead_minutes":20,"release_minutes":30,"show_minutes":60,"tip_to_pos":false}}`)
	})
	b.shoot("delivery-link")
	b.click("#disable")
	b.click("dialog .danger")
	b.until("switched off", func() bool { return box.count("disable otter") == 1 })
	b.wait("settings are kept", "document.querySelector('.activation').innerText.includes('are kept') && document.querySelector('#activate')")
	b.click("#parts a:nth-child(2)")
	b.wait("what the day left open", "document.querySelectorAll('[data-list]').length === 3 && document.querySelector('[data-list=differences]').innerText.includes('€0.10')")
	b.shoot("delivery-day")
	b.click("#parts a:nth-child(3)")
	b.wait("refused, and text stays text", "document.querySelector('.rows.rejected tbody')?.innerText.includes('<b>not</b>')")
	b.frenchOnAPhone("/integration/delivery/otter", "document.querySelector('#checklist')?.innerText.includes('sur 4 faits') && document.querySelector('#hours').innerText.includes('18:30 – 01:00 (le lendemain)') && document.querySelector('#hours').innerText.toLowerCase().includes('lundi – jeudi') && document.querySelector('.channels')")
	box.mu.Lock()
	box.delivery = fakeDelivery{}
	box.mu.Unlock()
	b.open("/integration/delivery")
	b.wait("none is configured", "document.querySelector('#body').innerText.includes('No delivery partner is configured') && document.querySelector('.sample').innerText.includes('aggregator: otter')")
}

// TestOrdersThatWaitForAPerson: to accept, not in the POS, to void there: a strip above the list, and the buttons of one.
func TestOrdersThatWaitForAPerson(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{Language: "en"})
	box.orders = cannedOrders(8)
	for _, o := range box.orders {
		o["state"], o["in_pos"], o["void_pending"] = "accepted", "yes", false
	}
	for i, change := range []object{
		{"state": "waiting_accept", "in_pos": "", "delivery": object{"accept_by": time.Now().Add(4 * time.Minute).UTC()}},
		{"state": "accepted", "in_pos": "no", "injection": object{"state": "failed", "cause": "ITEM_MAPPING_FAILED", "detail": "Sauce <b>maison</b>", "attempts": 1}},
		{"state": "accepted", "in_pos": "pending", "injection": object{"state": "failing", "detail": "connection refused", "attempts": 3, "next_at": time.Now().Add(8 * time.Second).UTC()}},
		{"state": "cancelled", "in_pos": "yes", "void_pending": true, "injection": object{"state": "done", "pos_id": "K-881"}},
	} {
		for k, v := range change {
			box.orders[i][k] = v
		}
	}
	b := openTab(t, box, 1440, 900)
	b.open("/orders")
	b.wait("three kinds wait", "[...document.querySelectorAll('.alert-part b')].map(e => e.innerText).join('; ') === '1 order waits for you; 1 order is not in the POS; 1 to void in the POS'")
	b.shoot("orders-alert")
	ids := []string{}
	for i := range 4 {
		ids = append(ids, box.orders[i]["id"].(string))
	}
	b.click(".alert-part[data-kind=not_in_pos]")
	b.wait("only those", "document.querySelectorAll('#rows tr').length === 1")
	b.click("#rows tr")
	b.wait("what is wrong, as text", "document.querySelector('#pos-why')?.innerText.includes('Not linked to the POS · Sauce <b>maison</b>')")
	b.shoot("order-not-in-pos")
	b.click("#manual")
	b.wait("the consequence", "document.querySelector('dialog').innerText.includes('never sent to the POS again')")
	b.click("dialog .primary")
	b.until("typed in", func() bool { return box.count("added-manually "+ids[1]) == 1 })
	b.wait("the strip follows", "!document.querySelector('.alert-part[data-kind=not_in_pos]')")
	b.open("/orders/" + ids[2])
	b.wait("tried, and when again", "document.querySelector('#pos-why')?.innerText.includes('tried 3 times, next try') && !document.querySelector('#retry') && document.querySelector('#manual')")
	b.open("/orders/" + ids[3])
	b.wait("a task", "document.querySelector('#pos-why')?.innerText.includes('void it there') && document.querySelector('#pos-why').innerText.includes('K-881')")
	b.click("#void")
	b.click("dialog .primary")
	b.until("voided", func() bool { return box.count("void-done "+ids[3]) == 1 })
	b.wait("no task any more", "!document.querySelector('#pos-why')")
	b.open("/orders/" + ids[0])
	b.wait("to accept", "document.querySelector('#pos-why')?.innerText.includes('Accept until')")
	b.click("#reject")
	b.eval("document.querySelector('#reject-reason').value = 'UNAVAILABLE_ITEM'")
	b.click("dialog .ask-acts .button:first-child")
	b.click("#accept")
	b.until("accepted", func() bool { return box.count("accept "+ids[0]) == 1 })
	b.wait("nobody has to", "document.querySelector('#alert').hidden && !document.querySelector('#accept')")
}
