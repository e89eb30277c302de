package web

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// F34: the page acknowledges each ticket once it is painted, and says that it works at all.
func TestF34PaintedAndAlive(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// F45: the clock of the browser changes no age, whatever it says.
func TestF45ClockSkewChangesNoAge(t *testing.T) {
	t.Parallel()
	_, b := kitchenTab(t, "en")
	for _, skew := range []string{"-7200e3", "5400e3"} {
		b.before("(now => { Date.now = () => now() + (" + skew + ") })(window.__now ||= Date.now)")
		b.open("/screens/grill")
		b.there("a")
		b.wait("an age of three minutes with a clock that is "+skew+" ms wrong", "/^3:\\d\\d$/.test(document.querySelector('[data-ticket=a] .k-age').innerText)")
		b.wait("minutes left until it is due", "/^7:[0-5]\\d$/.test(document.querySelector('[data-ticket=c] .k-age').innerText)")
		b.wait("live", "document.querySelector('#live').dataset.state === 'live'")
	}
}

// F46: all of it by keyboard alone.
func TestF46KeyboardOnly(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	b.key("ArrowRight", "ArrowRight")
	b.key("ArrowRight", "ArrowRight")
	b.key("KeyS", "s")
	b.until("started", func() bool { return box.count("start b") == 1 })
	b.settle()
	b.key("Digit2", "2")
	b.key("Enter", "Enter")
	b.until("bumped", func() bool { return box.count("bump b") == 1 })
	b.key("KeyR", "r")
	b.wait("the list", "document.querySelector('.k-recall')")
	b.key("Digit1", "1")
	b.until("recalled", func() bool { return box.count("recall b") == 1 })
	b.eval("document.querySelector('#settings').focus()")
	press := func(key string) { b.run(chromedp.KeyEvent(key)) }
	press(kb.Enter)
	b.wait("the settings", "document.querySelector('.k-settings') && document.activeElement.id === 'over'")
	for range 3 {
		press(kb.Tab)
	}
	if got := b.eval("document.activeElement.getAttribute('aria-label')"); got != "Louder" {
		t.Errorf("after three times Tab %q has the focus, want Louder", got)
	}
	press(kb.Enter)
	b.wait("louder", "document.querySelector('.k-volume output').innerText === '6'")
	press(kb.Escape)
	b.wait("closed", "document.querySelector('#over').hidden")
	if box.count("bump a") != 0 {
		t.Error("Enter on a button bumped a ticket")
	}
}

// F47: in French on a phone, by touch.
func TestF47FrenchOnAPhone(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{Language: "fr"})
	box.tickets = service()
	b := openTab(t, box, 375, 812)
	b.open("/screens/grill")
	b.there("t3")
	for _, selector := range []string{"#open", "[data-ticket=t3]", "#recall"} {
		text := b.text(selector)
		for _, english := range []string{" open", "CHANGED", "Seen", "covers", "Recall"} {
			if strings.Contains(text, english) {
				t.Errorf("%s reads %q", selector, text)
			}
		}
	}
	if got := b.eval("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"); got != "true" {
		t.Error("the board is larger than the phone")
	}
	b.touch("[data-ticket=t3] [data-act=seen]")
	b.until("seen", func() bool { return box.count("seen t3") == 1 })
	b.click("#settings")
	b.wait("réglages", "document.querySelector('.k-settings h2').innerText === \"Réglages de l'écran\" || document.querySelector('.k-settings h2').innerText === 'Cet écran'")
	if got := b.eval("document.querySelector('.k-sheet').getBoundingClientRect().right <= innerWidth"); got != "true" {
		t.Error("the settings are wider than the phone")
	}
}

// F48: an empty screen says so and shows the time; who wants no motion gets none; the screen is kept awake.
func TestF48EmptyStillAwake(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{})
	b := openTab(t, box, 1920, 1080)
	b.before("window.__awake = 0; Object.defineProperty(navigator, 'wakeLock', { value: { request: async kind => { window.__awake += kind === 'screen'; return {} } } })")
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}))
	b.open("/screens/grill")
	b.wait("nothing to cook, and the time", "!document.querySelector('#empty').hidden && document.querySelector('#empty').innerText.includes('Nothing to cook') && /^\\d\\d:\\d\\d$/.test(document.querySelector('#empty-clock').innerText)")
	b.wait("awake", "window.__awake === 1")
	b.eval("document.dispatchEvent(new Event('visibilitychange'))")
	b.wait("awake again after it was hidden", "window.__awake === 2")
	box.add(ticketAt("a", 1, 0, nil))
	b.there("a")
	if got := b.eval("getComputedStyle(document.querySelector('.k-card')).animationName + ' ' + document.getAnimations().length"); got != "none 0" {
		t.Errorf("with reduced motion a new card has animation %s", got)
	}
	b.wait("the empty screen gives way", "document.querySelector('#empty').hidden")
}
