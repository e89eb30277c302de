package web

import (
	"strings"
	"testing"
	"time"
)

// heard keeps what sounds a page played, from the first on, on a device whose time runs ten times as fast.
const heard = `window.__heard = []; addEventListener('sound', e => window.__heard.push(e.detail));
window.AudioContext = class { constructor() { this.state = window.__blocked ? 'suspended' : 'running'; this.destination = {}; }
	get currentTime() { return performance.now() / 100 }
	createDynamicsCompressor() { return { connect() {} } }
	createOscillator() { return { frequency: {}, connect: v => v, start() {}, stop() {} } }
	createGain() { return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {}, setTargetAtTime() {} }, connect: v => v } }
	resume() { this.state = 'running'; this.onstatechange?.(); return Promise.resolve() } }`

// F36: the key-learning page shows what a bar sends, gives a key its task, and the screen uses it at once; a key's place
// counts before what it writes.
func TestF36LearnsKeys(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "fr")
	b.open("/screens/grill/keys")
	b.wait("the settings are read", "document.body.dataset.ready === ''")
	b.key("Digit1", "&") // a French keyboard
	if got := b.text("#heard"); !strings.Contains(got, "Digit1 · &") || !strings.Contains(got, "Ticket 1") {
		t.Errorf("a struck key reads %q, want its place, what it writes and its task", got)
	}
	b.click("[data-learn=bump]")
	b.key("F9", "F9")
	b.wait("learned", "document.querySelector('tr[data-act=bump]').innerText.includes('F9')")
	b.click("[data-learn=recall]")
	b.key("Enter", "Enter") // takes the key away from bump
	b.wait("one key, one task", "document.querySelector('tr[data-act=bump] td').innerText.match(/\\bEnter/) === null && document.querySelector('tr[data-act=recall] td').innerText.match(/\\bEnter/)")
	b.click("#at-once")
	b.click("#save")
	b.wait("saved", "document.querySelector('#said').innerText.startsWith('Enregistré')")

	b.open("/screens/grill")
	b.there("a")
	b.wait("the settings are read", "document.body.dataset.settings === ''")
	b.key("Digit2", "é") // bumps at once
	b.until("the digit bumps", func() bool { return box.count("bump b") == 1 })
	b.key("ArrowRight", "ArrowRight")
	b.key("F9", "F9")
	b.until("the learned key bumps", func() bool { return box.count("bump a") == 1 })
	b.key("Enter", "Enter")
	b.wait("and the other recalls", "document.querySelector('.k-recall, .k-say')")

	b.open("/screens/grill/keys")
	b.wait("the settings are read", "document.body.dataset.ready === ''")
	b.eval(`(e => { e.value = 'numpad'; e.dispatchEvent(new Event('change')) })(document.querySelector('#preset'))`)
	if got := b.text("tr[data-act=slot3]"); !strings.Contains(got, "Numpad3") || strings.Contains(got, "Digit3") {
		t.Errorf("after the preset, ticket 3 has %q", got)
	}
}

// F37: keys of a serial bump bar come from the box; one that comes late does nothing.
func TestF37SerialBumpBar(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	strike := func(key byte, ago time.Duration) {
		box.mu.Lock()
		box.publish("key", object{"byte": int(key), "at": box.now().Add(-ago).UTC()})
		box.mu.Unlock()
	}
	// What takes two seconds from the box to the page is late: a busy machine's key is struck again.
	struck := func(key byte, slot string) {
		t.Helper()
		b.until("slot "+slot+" is selected", func() bool {
			strike(key, 0)
			return b.eval("document.querySelector('.selected')?.dataset.slot ?? 'none'") == slot
		})
	}
	struck('2', "1")
	strike('\r', 10*time.Second) // told late: the hand is elsewhere by now
	struck('1', "0")
	if b.slot("b") == "none" {
		t.Error("a key that came ten seconds late bumped a ticket")
	}
	b.until("bumped", func() bool {
		strike('\r', 0)
		return box.count("bump a") > 0
	})
	b.open("/screens/grill/keys")
	b.wait("the settings are read", "document.body.dataset.ready === ''")
	b.until("the page hears the bar", func() bool {
		strike('R', 0)
		return strings.Contains(b.text("#heard"), "byte 52")
	})
}

// F38: each thing that happens has a sound of its own; how loud is set at the screen and kept at the box; where the browser
// blocks sound a bar says so.
func TestF38Sounds(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	b.before(heard)
	b.open("/screens/grill")
	b.there("a")
	box.add(ticketAt("d", 4, 0, nil))
	b.wait("new", "window.__heard.join() === 'new'")
	b.eval("window.__heard.length = 0")
	box.update("a", object{"changed_unseen": true})
	b.wait("changed", "window.__heard.includes('changed')")
	box.update("b", object{"state": "cancelled", "changed_unseen": true})
	b.wait("cancelled", "window.__heard.includes('cancelled')")
	box.add(ticketAt("old", 5, 14*time.Minute+58*time.Second, nil))
	b.wait("late", "window.__heard.includes('late')")

	b.click("#settings")
	b.wait("the sheet", "document.querySelectorAll('[data-sound]').length === 5")
	b.click("[aria-label=Louder]")
	b.wait("louder", "document.querySelector('.k-volume output').innerText === '6'")
	b.eval("window.__heard.length = 0")
	b.click("[data-sound=ready]")
	b.wait("a test", "window.__heard.includes('ready')")
	b.until("kept at the box", func() bool {
		box.mu.Lock()
		defer box.mu.Unlock()
		return box.settings != nil && box.settings["settings"].(object)["volume"] == 6.
	})
	b.eval("localStorage.clear()")
	b.open("/screens/grill")
	b.click("#settings")
	b.wait("as loud as before, though the browser forgot", "document.querySelector('.k-volume output')?.innerText === '6'")

	b.before("window.__blocked = true")
	b.open("/screens/grill")
	b.wait("the bar", "!document.querySelector('#sound').hidden && document.querySelector('#sound').innerText.includes('Sound is off')")
	b.click("#sound")
	b.wait("a touch lets it sound", "document.querySelector('#sound').hidden")
}

// F39: for 30 seconds the glass takes no touch and no key, so that it can be wiped.
func TestF39CleaningLock(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	b.click("#settings")
	b.click("#lock")
	b.wait("locked", "document.querySelector('.k-lock b').innerText === '0:30'")
	b.touch("[data-act=bump][data-id=a]")
	b.key("Digit2", "2")
	b.key("Enter", "Enter")
	box.mu.Lock()
	box.publish("key", object{"byte": 13, "at": box.now().UTC()})
	box.mu.Unlock()
	box.add(ticketAt("d", 4, 0, nil))
	b.there("d") // the board lives on behind it
	if b.slot("a") == "none" || box.count("bump a")+box.count("bump b") != 0 || b.eval("!!document.querySelector('.selected')") != "false" {
		t.Error("the locked glass took a touch or a key")
	}
	b.eval("(() => { const now = Date.now; Date.now = () => now() + 31000 })()")
	b.wait("open again by itself", "!document.querySelector('.k-lock')")
	b.key("Digit1", "1")
	b.wait("keys work", "document.querySelector('.selected')?.dataset.slot === '0'")
}
