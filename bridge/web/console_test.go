package web

import (
	"strings"
	"testing"
	"time"
)

func consoleTab(t *testing.T, path string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: "en"})
	box.orders, box.printers, box.pairings = cannedOrders(24), cannedPrinters(), cannedPairings()
	box.screens, box.stations = cannedScreens(), cannedStations()
	b := openTab(t, box, 1440, 900)
	b.open(path)
	return box, b
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.eval("(e => { e.focus(); e.value = " + quoteJS(text) + "; e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector('" + selector + "'))")
}

func quoteJS(s string) string { return "'" + strings.ReplaceAll(s, "'", "\\'") + "'" }

func TestOrdersTable(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/")
	b.wait("rows", "document.querySelectorAll('#rows tr').length === 24")
	if got := b.text("#rows tr"); !strings.Contains(got, "Uber Eats") || !strings.Contains(got, "€12.50") || !strings.Contains(got, "accepted") {
		t.Errorf("first row reads %q", got)
	}
	if got := b.eval("[...document.querySelectorAll('#rows tr:nth-child(2) .proof')].map(e => e.getAttribute('aria-label')).join()"); got != "printed, proved by the printer" {
		t.Errorf("lamp says %q", got)
	}
	b.wait("the sentence", "document.querySelector('#status-text').innerText === 'All well'")
	b.fill("#find", "chinon")
	b.wait("filtered", "document.querySelectorAll('#rows tr').length < 24")
	b.fill("#find", "no such thing")
	b.wait("a sentence instead of an empty table", "document.querySelector('#say').innerText.includes('No order matches')")
	b.fill("#find", "")
	b.click("#states button:nth-child(6)")
	b.wait("only cancelled ones", "document.querySelectorAll('#rows tr').length === 1 && document.querySelector('#rows .chip').innerText === 'cancelled'")
	b.click("#states button:nth-child(1)")
	b.wait("all again", "document.querySelectorAll('#rows tr').length === 24")

	// While the pointer is over the rows, new ones wait.
	b.eval("document.querySelector('#rows').dispatchEvent(new PointerEvent('pointerenter', {pointerType: 'mouse'}))")
	more := cannedOrders(1)[0]
	more["id"], more["number"] = "new", 61
	box.mu.Lock()
	box.orders = append([]object{more}, box.orders...)
	box.mu.Unlock()
	box.tell("order", object{})
	b.wait("the new order waits", "document.querySelector('#more-new').innerText.startsWith('1 new order')")
	if got := b.eval("document.querySelectorAll('#rows tr').length"); got != "24" {
		t.Errorf("%s rows while the pointer is over them, want 24", got)
	}
	b.click("#more-new")
	b.wait("shown", "document.querySelector('#rows tr').dataset.id === 'new'")
}

func TestVeryManyOrdersArePaged(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/help")
	box.mu.Lock()
	box.orders = cannedOrders(150)
	box.mu.Unlock()
	b.open("/orders")
	b.wait("the first page", "document.querySelectorAll('#rows tr').length === 60")
	b.click("#older")
	b.wait("the second", "document.querySelectorAll('#rows tr').length === 120")
	box.tell("order", object{})
	b.click("#older")
	b.wait("all", "document.querySelectorAll('#rows tr').length === 150 && document.querySelector('#older').hidden")
}

func TestOrderShowsThePromise(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/orders")
	b.wait("rows", "document.querySelectorAll('#rows tr').length")
	b.click("#rows tr:nth-child(3)")
	b.wait("its own address", "location.pathname === '/orders/o2'")
	b.wait("the time line", "document.querySelectorAll('.ev').length === 12")
	if got := b.text("[data-step=disk]"); !strings.Contains(got, "0.9 ms") {
		t.Errorf("on disk: %q, want 0.9 ms", got)
	}
	if got := b.text(".ev[data-kind=proof]"); !strings.Contains(got, "On paper, proved") || !strings.Contains(got, "GS ( H") || !strings.Contains(got, "+84 ms") {
		t.Errorf("proof in the time line reads %q", got)
	}
	b.wait("the paper", "document.querySelector('.ticket-picture').naturalWidth > 100")
	b.click("#cancel-order")
	b.wait("asked once, with the effect named", "document.querySelector('dialog').innerText.includes('grill, bar')")
	b.click("dialog .danger")
	b.until("cancelled", func() bool { return box.count("cancel o2") == 1 })
	b.click("#reprint-k2")
	b.wait("asked", "document.querySelector('dialog').innerText.includes('REPRINT')")
	b.click("dialog .button:first-child")
	b.wait("kept as it is", "!document.querySelector('dialog')")
	if box.count("reprint k2") != 0 {
		t.Error("a refused reprint was sent")
	}
	b.eval("history.back()")
	b.wait("back to the list", "location.pathname === '/orders' && document.querySelector('#panel').hidden")
	b.open("/orders/none")
	b.wait("an unknown order says so", "document.querySelector('#panel').innerText.includes('there is no order none')")
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/help")
	box.mu.Lock()
	box.session = nil
	box.mu.Unlock()
	b.open("/orders")
	b.wait("sent to sign in", "location.pathname === '/sign-in'")
	b.fill("#token", "wrong")
	b.click("#go")
	b.wait("a fault with its remedy", "document.querySelector('#fault').innerText.includes('ask for a new one')")
	b.fill("#token", "right")
	b.click("#go")
	b.wait("back where it was going", "location.pathname === '/orders' && document.querySelector('#who')?.innerText.includes('Camille')")
	b.open("/sign-in?next=//evil.example/")
	b.fill("#token", "right")
	b.click("#go")
	b.wait("never to another host", "location.pathname === '/' && location.host === '"+strings.TrimPrefix(box.server.URL, "http://")+"'")
}

func TestPairing(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/help")
	box.mu.Lock()
	box.session = nil
	box.mu.Unlock()
	b.open("/pair")
	b.wait("the code, large", "document.querySelector('#code').innerText.replace(/\\s/g, '') === 'K7Q2' && parseFloat(getComputedStyle(document.querySelector('#code')).fontSize) > 70")
	box.mu.Lock()
	box.approved = "bar"
	box.mu.Unlock()
	b.wait("its screen", "location.pathname === '/screens/bar'")
	b.open("/pair")
	b.wait("a paired browser goes straight on", "location.pathname === '/screens/bar'")
}

func TestTwoLanguagesAndThemes(t *testing.T) {
	t.Parallel()
	_, b := consoleTab(t, "/orders")
	b.wait("English", "document.querySelector('h1').innerText === 'Orders' && document.documentElement.lang === 'en'")
	b.click(".switch a[lang=fr]")
	b.wait("French", "document.querySelector('h1').innerText === 'Commandes' && document.querySelector('#status-text').innerText === 'Tout va bien'")
	b.wait("French money", "document.querySelector('#rows')?.innerText.includes('12,50\u00a0€')")
	b.click(".round[href='?theme=night']")
	b.wait("night", "document.documentElement.dataset.theme === 'night' && location.search === ''")
	b.open("/screens/grill")
	b.wait("the kitchen speaks French too", "document.querySelector('#empty').innerText.includes('Rien à cuisiner')")
}

func TestConsoleStates(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/orders")
	b.wait("rows", "document.querySelectorAll('#rows tr').length")
	box.disconnect(true)
	b.wait("offline says since when", "document.querySelector('#cut').innerText.startsWith('No connection since')")
	if got := b.eval("document.querySelectorAll('#rows tr').length"); got == "0" {
		t.Error("the rows vanished with the connection")
	}
	box.disconnect(false)
	b.wait("and goes on by itself", "document.querySelector('#cut').hidden")
	for path, want := range map[string]string{"/audit": "/v1/audit", "/printers": "/v1/printers", "/devices": "/v1/pairings"} {
		box.mu.Lock()
		box.answers[want] = 403
		box.mu.Unlock()
		b.open(path)
		b.wait("no permission on "+path, "document.querySelector('#body').innerText.includes('You may not see')")
	}
	box.mu.Lock()
	box.answers["/v1/health"] = 500
	box.mu.Unlock()
	b.open("/health")
	b.wait("a fault has a remedy and a way on", "document.querySelector('#body .button')?.innerText === 'Try again'")
}

func TestCSV(t *testing.T) {
	t.Parallel()
	_, b := consoleTab(t, "/orders")
	b.wait("rows", "document.querySelectorAll('#rows tr').length")
	b.eval("URL.createObjectURL = blob => { blob.text().then(text => { window.__csv = text }); return 'blob:none' }; HTMLAnchorElement.prototype.click = function () { window.__name = this.download }")
	b.eval("document.querySelector('#csv').click()")
	b.wait("a file", "window.__csv")
	text := b.eval("window.__csv")
	if !strings.HasPrefix(b.eval("window.__name"), "orders-"+time.Now().UTC().Format("2006")) || strings.Count(text, "\r\n") != 25 || !strings.Contains(text, "60,2026-11-21,") {
		t.Errorf("CSV %s: %.200q", b.eval("window.__name"), text)
	}
}
