package web

import (
	"strings"
	"testing"
)

// expoTab is the pass on a 21.5 inch glass, full.
func expoTab(t *testing.T, language string) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: language})
	box.pass.rows = passOf()
	b := openTab(t, box, 1920, 1080)
	b.open("/expo")
	b.wait("the rows", "document.querySelectorAll('.x-row').length === 7")
	return box, b
}

const rowOf = `(id => document.querySelector('.x-row[data-id="' + id + '"]'))`

// F30: the pass shows one row an order, late first, with a lamp a station, its items, the courier's time and the allergy.
func TestF30ExpoRows(t *testing.T) {
	t.Parallel()
	box, b := expoTab(t, "en")
	if got := b.eval("[...document.querySelectorAll('.x-row')].map(e => e.dataset.id).slice(0, 4).join()"); got != "p6,p1,p2,p3" {
		t.Errorf("rows begin with %s, want what is cancelled, then the late, then what is soon late by age", got)
	}
	p3 := b.text(".x-row[data-id=p3]")
	for _, want := range []string{"#41", "Uber Eats", "8F3A2", "courier", "ALLERGY", "noix", "grill\n1\ncooking", "fry\n2\nqueued"} {
		if !strings.Contains(p3, want) {
			t.Errorf("row reads %q, lacks %q", p3, want)
		}
	}
	if got := b.text("#late"); got != "1 late" {
		t.Errorf("head says %q", got)
	}
	box.changeRow("p1", object{"state": "prepared", "lamps": []object{lamp("grill", "ready", 4), lamp("fry", "ready", 2), lamp("bar", "served", 2)}})
	b.wait("ready when all stations are", rowOf+"('p1').querySelector('.x-act.whole') && !"+rowOf+"('p1').querySelector('.x-act.ready')")
	if got := b.text(".x-row[data-id=p7] .x-lamp[data-station=cold]"); !strings.Contains(got, "on paper") {
		t.Errorf("a station without a screen reads %q", got)
	}
}

// F31: one key hands an order over; while a station is at work it must be held down. Undo and the list bring it back.
func TestF31ExpoHandOver(t *testing.T) {
	t.Parallel()
	box, b := expoTab(t, "en")
	key := b.text(".x-row[data-id=p2] .x-key")
	b.key("Digit"+key, key)
	b.until("handed over", func() bool { return box.count("handed-over whole p2") == 1 })
	b.wait("its row offers Undo", rowOf+"('p2').classList.contains('gone')")
	b.settle()
	b.key("Backspace", "Backspace")
	b.until("taken back", func() bool { return box.count("take-back p2") == 1 })
	b.wait("its row is back", rowOf+"('p2') && !"+rowOf+"('p2').classList.contains('gone')")
	if got := b.text(".x-row[data-id=p2] .x-key"); got != key {
		t.Errorf("its key is now %s, was %s", got, key)
	}

	// p5: stations at work. A short press says so, a long one goes on.
	b.settle()
	b.eval(`(e => { e.dispatchEvent(new PointerEvent('pointerdown', {button: 0})); e.dispatchEvent(new PointerEvent('pointerup', {button: 0})) })(` + rowOf + `('p5').querySelector('.hand'))`)
	b.wait("who is at work", "document.querySelector('.k-toast')?.innerText.includes('grill, fry, pastry')")
	if box.count("handed-over p5")+box.count("handed-over whole p5") != 0 {
		t.Error("a short press handed over what is still cooked")
	}
	b.settle()
	b.eval(rowOf + `('p5').querySelector('.hand').dispatchEvent(new PointerEvent('pointerdown', {button: 0}))`)
	b.until("a long press hands over", func() bool { return box.count("handed-over p5") == 1 })

	// The same by its key.
	key = b.text(".x-row[data-id=p7] .x-key")
	b.settle()
	b.key("Digit"+key, key)
	if box.count("handed-over p7") != 0 {
		t.Error("a short blow on the key handed over what is still cooked")
	}
	b.eval(`dispatchEvent(new KeyboardEvent('keydown', {code: 'Digit` + key + `'}))`)
	b.until("a key held down hands over", func() bool { return box.count("handed-over p7") == 1 })

	// Ready by the pass.
	b.settle()
	b.eval(rowOf + `('p3').querySelector('.ready').dispatchEvent(new PointerEvent('pointerdown', {button: 0}))`)
	b.until("ready", func() bool { return box.count("ready p3") == 1 })
	b.wait("the row is whole", rowOf+"('p3').querySelector('.x-act.whole')")

	// From the list.
	b.key("KeyR", "r")
	b.wait("the list", "document.querySelectorAll('.k-recall').length === 2")
	b.key("Digit1", "1")
	b.until("taken back from the list", func() bool { return box.count("take-back p7") == 1 })
	b.wait("it is there again", rowOf+"('p7')")
}

// F32: what hands did at the pass while the line was cut is kept, survives a reload and is applied once.
func TestF32ExpoOffline(t *testing.T) {
	t.Parallel()
	box, b := expoTab(t, "fr")
	box.beat()
	b.wait("live", "document.querySelector('#live').dataset.state === 'live'")
	box.disconnect(true)
	b.eval("(() => { const now = Date.now; Date.now = () => now() + 13000 })()")
	b.wait("the bar", "document.querySelector('#cut').innerText.startsWith('Pas de connexion depuis')")
	b.click(".x-row[data-id=p4] .hand")
	b.wait("kept", "document.querySelector('.x-row.gone[data-id=p4] .icon')")
	box.disconnect(false)
	b.open("/expo")
	b.until("sent once", func() bool { return box.count("handed-over whole p4") == 1 })
	b.wait("the row is gone", "document.querySelectorAll('.x-row').length === 6 && !"+rowOf+"('p4')")
	if box.count("replayed handed-over whole p4") != 0 {
		t.Error("sent twice")
	}
}

// F33: the pass fits a 7 inch touch screen and a phone; what is touched is at least 15 mm.
func TestF33ExpoSizes(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{Screens: []Screen{{Name: "expo", DiagonalInches: 7, DistanceM: .5}}})
	box.pass.rows = passOf()
	b := openTab(t, box, 1024, 600)
	for _, glass := range []struct{ width, height int64 }{{1024, 600}, {375, 812}} {
		b.size(glass.width, glass.height)
		b.open("/expo")
		b.wait("the rows", "document.querySelectorAll('.x-row').length === 7")
		if got := b.eval("document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('.x-acts')].every(e => e.getBoundingClientRect().right <= innerWidth + 1)"); got != "true" {
			t.Errorf("at %d px the pass is wider than its glass", glass.width)
		}
		var least float64
		b.value("Math.min(...[...document.querySelectorAll('.x-act, .k-foot button:not([hidden])')].flatMap(e => { const r = e.getBoundingClientRect(); return [r.width, r.height] })) / parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm'))", &least)
		if glass.width == 1024 && least < 14.9 {
			t.Errorf("something to touch is %.1f mm, want at least 15", least)
		}
	}
}
