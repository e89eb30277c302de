package web

import (
	"strings"
	"testing"

	"aboyeur/protocol/escpos"
)

// printerPages are the printers' addresses and what shows that each is drawn.
var printerPages = map[string]string{
	"/printers": "document.querySelectorAll('.tile').length === 4", "/printers/pass": "document.querySelectorAll('.paper-card').length && document.querySelector('.paper-card img').complete",
	"/printers/grill/replace": "document.querySelector('.todo')", "/add-printer": "document.querySelector('#scan')",
}

func printersTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en", Models: escpos.Models()})
	box.printers, box.warnings = cannedPrinters(), cannedWarnings()
	box.jobs = append(cannedJobs("pass", 3, 6), cannedJobs("grill", 0, 16)...)
	box.outages, box.found = cannedOutages(5), cannedFound()
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

// TestPrintersPage reads the cards: state as word, colour and shape, paper, the queue against its threshold, and the
// acts that a card offers.
func TestPrintersPage(t *testing.T) {
	t.Parallel()
	box, b := printersTab(t, "/printers")
	b.wait("cards", "document.querySelectorAll('.tile').length === 4")
	if got := b.text("[data-name=pass] .state"); got != "paper out" {
		t.Errorf("state reads %q, want paper out", got)
	}
	if got := b.eval("['pass', 'bar'].map(p => { const s = getComputedStyle(document.querySelector(`[data-name=${p}] .shape`)); return s.borderRadius + ' ' + s.backgroundColor }).join()"); got != "1px rgb(160, 31, 23),50% rgb(28, 104, 64)" {
		t.Errorf("shape and colour of a bad and a good state: %s", got)
	}
	if got := b.text("[data-name=pass]"); !strings.Contains(got, "14\ntickets waiting") || !strings.Contains(got, "More than 12 wait") || !strings.Contains(got, "none: compare the numbers") || !strings.Contains(got, "The oldest has waited 1:14.") {
		t.Errorf("a printer that does not keep up reads %q", got)
	}
	if got := b.eval("document.querySelector('[data-name=pass] .queue-bar').dataset.slow + document.querySelector('[data-name=bar] .queue-bar').dataset.slow"); got != "truefalse" {
		t.Errorf("queues above their threshold: %s", got)
	}
	if got := b.text("[data-name=pastry]"); !strings.Contains(got, "Bluetooth") {
		t.Errorf("a Bluetooth printer reads %q", got)
	}
	b.shoot("printers")
	b.click("#pause-grill")
	b.until("paused", func() bool { return box.count("pause grill") == 1 })
	b.wait("and shown so", "document.querySelector('[data-name=grill] .state').innerText === 'paused'")
	b.click("#resume-pastry")
	b.until("resumed", func() bool { return box.count("resume pastry") == 1 })

	box.mu.Lock()
	box.printers = nil
	box.mu.Unlock()
	box.tell("printer", object{})
	b.wait("none: a sentence", "document.querySelector('#body').innerText.includes('No printers')")
	box.mu.Lock()
	for i := range 24 {
		p := cannedPrinters()[i%4]
		p["name"] = p["name"].(string) + string(rune('a'+i))
		box.printers = append(box.printers, p)
	}
	box.mu.Unlock()
	box.tell("printer", object{})
	b.wait("very many: a field to find one", "document.querySelectorAll('.tile').length === 24 && !document.querySelector('#finder').hidden")
	b.fill("#find", "paused")
	b.wait("found by its state", "document.querySelectorAll('.tile').length === 6")
}

// TestPrinterPanel is one printer at its own address: what to check, what waits and how it is given up, moved or sent
// again, its tickets as pictures, and its outages.
func TestPrinterPanel(t *testing.T) {
	t.Parallel()
	box, b := printersTab(t, "/printers")
	b.wait("cards", "document.querySelectorAll('.tile').length === 4")
	b.eval("document.querySelector('[data-name=pass] h2 a').focus()")
	b.key("Enter", "Enter")
	b.eval("document.activeElement.click()")
	b.wait("its own address", "location.pathname === '/printers/pass'")
	b.wait("what to check", "document.querySelector('.checks')?.innerText.includes('Put in a new roll')")
	b.wait("what waits, oldest first", "document.querySelectorAll('.queue li').length === 3 && document.querySelector('.queue li').innerText.includes('#58') && document.querySelector('.queue li').innerText.includes('printer waits')")
	b.wait("its tickets as pictures", "document.querySelectorAll('.paper-card').length === 6 && document.querySelector('.paper-card img').naturalWidth > 100")
	if got := b.eval("[...document.querySelectorAll('.paper-card img')].every(i => i.loading === 'lazy')"); got != "true" {
		t.Error("pictures are loaded before they are in sight")
	}
	b.wait("outages", "document.querySelectorAll('.outages tbody tr').length === 5 && document.querySelector('.outages tbody').innerText.includes('still out')")
	b.click(".outages th:nth-child(2) button")
	b.wait("sorted by how long", "document.querySelector('.outages th:nth-child(2)').ariaSort === 'ascending' && document.querySelector('.outages tbody tr td:nth-child(2)').innerText === '0:57'")
	b.fill(".outages-part input", "cover")
	b.wait("filtered by typing", "document.querySelectorAll('.outages tbody tr').length === 2 && document.querySelector('.outages-part .counted').innerText === '2 of 5'")

	b.shoot("printer-pass")
	b.click("#p-move")
	b.wait("to which printer, the fallback first", "document.querySelector('dialog input:checked').value === 'grill' && document.querySelector('dialog .primary').innerText === 'Move 14 tickets to grill'")
	b.eval("document.querySelector('dialog input[value=bar]').click()")
	b.wait("the consequence in the button", "document.querySelector('dialog .primary').innerText === 'Move 14 tickets to bar' && document.querySelector('dialog').innerText.includes('FOR: pass')")
	b.shoot("printer-move")
	b.click("dialog .primary")
	b.until("moved", func() bool { return box.count("move-queue pass bar") == 1 })
	b.wait("said", "document.querySelector('.toast.good').innerText.includes('14 tickets now leave at bar') && document.querySelector('#panel').innerText.includes('Its tickets leave at bar for now')")

	b.click("#clear-pass-1")
	b.click("dialog .danger")
	b.wait("a reason is asked for", "document.querySelector('#clear-fault').innerText === 'Say why.'")
	b.fill("#clear-reason", "guest left")
	b.click("dialog .danger")
	b.until("given up", func() bool { return box.count("clear pass-1 guest left") == 1 })
	b.wait("gone from what waits", "document.querySelectorAll('.queue li').length === 2")

	b.click("[data-id=pass-4]")
	b.wait("the paper large", "document.querySelector('.paper-dialog img')?.naturalWidth > 100")
	b.shoot("printer-paper")
	b.click("#reprint")
	b.wait("asked once, with the effect", "document.querySelectorAll('dialog').length === 2 && document.querySelectorAll('dialog')[1].innerText.includes('headed REPRINT')")
	b.eval("document.querySelectorAll('dialog')[1].querySelector('.primary').click()")
	b.until("reprinted", func() bool { return box.count("reprint pass-4") == 1 })
	b.wait("closed", "!document.querySelector('dialog')")
	b.click("[data-id=pass-5]")
	b.wait("a receipt is marked otherwise", "document.querySelector('#reprint')?.innerText === 'Print as DUPLICATA'")
	b.key("Escape", "Escape")
	b.eval("document.querySelector('dialog').close()")

	b.click("#p-test")
	b.wait("a preview", "document.querySelector('dialog img')?.naturalWidth > 100")
	b.eval("document.querySelector('#template-receipt').click()")
	b.wait("of the receipt", "document.querySelector('dialog img').src.endsWith('template=receipt')")
	b.shoot("printer-test")
	b.click("dialog .primary")
	b.until("printed", func() bool { return box.count("test pass receipt") == 1 })

	b.eval("document.activeElement.blur()")
	b.key("Escape", "Escape")
	b.wait("Escape leads back to the list", "location.pathname === '/printers' && document.querySelector('#panel').hidden && document.activeElement.innerText === 'pass'")
	b.open("/printers/grill")
	b.shoot("printer-grill")
	b.wait("twelve pictures", "document.querySelectorAll('.paper-card').length === 12")
	b.eval("[...document.querySelectorAll('#panel .quiet.wide')][0].click()")
	b.wait("and older ones", "document.querySelectorAll('.paper-card').length === 16")
	b.open("/printers/none")
	b.wait("an unknown one says so", "document.querySelector('#panel').innerText.includes('There is no printer none')")
}

// TestReplaceAPrinter goes through the wizard: plug in, recognise, test, done (OTR-72).
func TestReplaceAPrinter(t *testing.T) {
	t.Parallel()
	box, b := printersTab(t, "/printers/grill")
	b.click("#p-replace")
	b.wait("its own address", "location.pathname === '/printers/grill/replace'")
	b.wait("what to plug in, for its kind", "document.querySelector('.todo')?.innerText.includes('same address: tcp:127.0.0.1:9100')")
	b.click("#wizard-next")
	b.until("the old one is paused", func() bool { return box.count("pause grill") == 1 })
	b.click("#wizard-go")
	b.wait("the same device is noticed", "document.querySelector('.wizard').innerText.includes('same device as before')")
	box.mu.Lock()
	box.printers[0]["serial"], box.printers[0]["device"], box.printers[0]["queue"] = "Y0000777", "TM-m30II", 3
	box.mu.Unlock()
	box.tell("printer", object{})
	b.wait("before and now", "document.querySelector('.compare')?.innerText.includes('X3WP001234') && document.querySelector('.compare').innerText.includes('Y0000777')")
	b.shoot("replace-recognise")
	b.wait("the consequence in the button", "document.querySelector('#wizard-next').innerText === 'This is it: keep its 3 waiting tickets'")
	b.click("#wizard-next")
	b.until("replaced", func() bool { return box.count("replace grill") == 1 })
	// News of the printer draw this step anew at any moment; found and pressed in one, the button is the one that is there.
	b.wait("the test is offered", "document.querySelector('#wizard-test:not([disabled])')")
	b.eval("document.querySelector('#wizard-test').click()")
	b.until("tested", func() bool { return box.count("test grill kitchen") == 1 })
	b.open("/printers/grill/replace")
	b.shoot("replace-test")
	b.wait("a reload goes on where it was", "document.querySelector('[aria-current=step]')?.innerText.includes('Test')")
	b.click("#wizard-next")
	b.wait("what happens now", "document.querySelector('.wizard').innerText.includes('3 tickets wait until you resume')")
	b.click(".wizard .primary")
	b.until("resumed", func() bool { return box.count("resume grill") == 1 })
	b.wait("back at the printer", "location.pathname === '/printers/grill'")
}

// TestAddPrinter searches only when asked, lets a person recognise the device, and takes it into service.
func TestAddPrinter(t *testing.T) {
	t.Parallel()
	box, b := printersTab(t, "/printers")
	box.mu.Lock()
	box.session = object{"name": "Camille", "role": "admin", "screen": ""}
	box.mu.Unlock()
	b.open("/printers")
	b.click("#add")
	b.wait("its own address", "location.pathname === '/add-printer'")
	if box.count("scan") != 0 {
		t.Error("the network was searched before anybody asked")
	}
	b.click("#scan")
	b.wait("what was found", "document.querySelectorAll('.found li').length === 3 && document.querySelector('.found').innerText.includes('3 printers found; 254 addresses asked in 1.24 s')")
	b.wait("one is known", "document.querySelector('.found li a').innerText === 'already grill'")
	b.click(".found li:nth-child(2) [data-act=identify]")
	b.until("its number printed", func() bool { return box.count("identify tcp:192.168.1.57:9100") == 1 })
	b.click(".found li:nth-child(2) [data-act=take]")
	b.wait("a guess of the model", "document.querySelector('#add-model')?.value === 'epson-tm-t20iii' && document.querySelector('#add-form, .add-form').innerText.includes('It calls itself EPSON TM-T20III')")
	b.shoot("add-printer")
	b.wait("what a station needs", "document.querySelector('.add-form').innerText.includes('under printers: and stations:')")
	b.fill("#add-name", "Terrasse 2")
	b.click("#add-yes")
	b.wait("a wrong name says so", "document.querySelector('#add-name-fault').innerText.includes('Small letters')")
	b.fill("#add-name", "terrace")
	b.fill("#add-connect", "tcp:192.168.1.9:9100")
	b.click("#add-yes")
	b.wait("the box's own fault at its field", "document.querySelector('#add-connect-fault').innerText === 'printer bar is there already'")
	b.fill("#add-connect", "tcp:192.168.1.57:9100")
	b.wait("the consequence in the button", "document.querySelector('#add-yes').innerText === 'Add terrace: it starts at once'")
	b.click("#add-yes")
	b.until("added", func() bool { return box.count("add terrace tcp:192.168.1.57:9100 epson-tm-t20iii ") == 1 })
	b.wait("and shown", "location.pathname === '/printers/terrace' && document.querySelector('#panel h2').innerText === 'terrace'")
	b.click("#p-remove")
	b.click("dialog .danger")
	b.until("removed", func() bool { return box.count("remove terrace") == 1 })

	box.mu.Lock()
	box.session = object{"name": "Camille", "role": "manager", "screen": ""}
	box.mu.Unlock()
	b.open("/add-printer")
	b.click("#by-hand")
	b.wait("a manager gets the line for the configuration", "document.querySelector('.sample')?.innerText.includes('- {name:') && !document.querySelector('#add-yes')")
	box.mu.Lock()
	box.session = object{"name": "Léa", "role": "staff", "screen": ""}
	box.mu.Unlock()
	b.open("/add-printer")
	b.wait("staff may not", "document.querySelector('#panel').innerText.includes('needs a manager')")
}

// TestPrintersInFrenchOnAPhone opens each view in French on a narrow glass: nothing is wider, every button is big enough.
func TestPrintersInFrenchOnAPhone(t *testing.T) {
	t.Parallel()
	_, b := printersTab(t, "/printers?language=fr")
	b.size(375, 812)
	for path, ready := range printerPages {
		b.open(path)
		b.wait(path, ready)
		if got := b.eval("document.documentElement.scrollWidth"); got != "375" {
			t.Errorf("%s is %s px wide", path, got)
		}
		if got := b.eval("[...document.querySelectorAll('main .button, main .round')].filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).map(e => e.innerText).join()"); got != "" {
			t.Errorf("%s: too small to touch: %s", path, got)
		}
		b.shoot("phone" + path)
	}
	b.open("/printers/pass")
	b.wait("French", "document.querySelector('#panel .state')?.innerText === 'plus de papier' && document.querySelector('#p-move')?.innerText === 'Déplacer la file …'")
}
