package web

import (
	"strings"
	"testing"
	"time"
)

// kitchenTab is a grill screen on a 21.5 inch glass with three tickets.
func kitchenTab(t *testing.T, language string, tickets ...object) (*fakeBox, *tab) {
	t.Helper()
	box := newFakeBox(t, Config{Language: language})
	box.printers = cannedPrinters()[:2]
	if tickets == nil {
		tickets = []object{
			ticketAt("a", 1, 3*time.Minute, object{"table": "12", "lines": []object{line(2, "Entrecôte", modifiers("saignant"))}}),
			ticketAt("b", 2, 2*time.Minute, object{"table": "7"}),
			ticketAt("c", 3, time.Minute, object{"service": "delivery", "partner": object{"name": "Uber Eats", "order_id": "8F3A2"}, "due": time.Now().Add(8 * time.Minute).UTC()}),
		}
	}
	box.tickets = tickets
	b := openTab(t, box, 1920, 1080)
	b.open("/screens/grill")
	b.wait("the board", "document.querySelector('#board').getAttribute('aria-busy') === 'false'")
	return box, b
}

const slotOf = `(id => [...document.querySelectorAll('.k-slot')].find(s => s.querySelector('.k-card[data-ticket="' + id + '"]'))?.dataset.slot ?? 'none')`

func (b *tab) slot(id string) string { b.t.Helper(); return b.eval(slotOf + "('" + id + "')") }

func (b *tab) gone(id string) {
	b.t.Helper()
	b.wait(id+" leaves", slotOf+"('"+id+"') === 'none'")
}

func (b *tab) there(id string) {
	b.t.Helper()
	b.wait(id+" is there", slotOf+"('"+id+"') !== 'none'")
}

func TestTicketAppears(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	box.add(ticketAt("d", 4, 0, object{"table": "31", "allergy_note": "arachide", "lines": []object{line(3, "Saumon", object{"notes": "sans sel"})}}))
	b.there("d")
	if got := b.slot("d"); got != "3" {
		t.Errorf("the new ticket is in slot %s, want 3: the first free one", got)
	}
	text := b.text("[data-ticket=d]")
	for _, want := range []string{"T31", "3", "Saumon", "sans sel", "ALLERGY", "arachide", "0:0"} {
		if !strings.Contains(text, want) {
			t.Errorf("ticket reads %q, lacks %q", text, want)
		}
	}
	if got := b.text("#open"); got != "4 open" {
		t.Errorf("head says %q, want 4 open", got)
	}
	if got := b.text("#allday"); !strings.Contains(got, "3") || !strings.Contains(got, "Saumon") {
		t.Errorf("all-day counts %q lack 3 Saumon", got)
	}
	b.until("painted", func() bool {
		box.mu.Lock()
		defer box.mu.Unlock()
		return len(box.painted) == 4
	})
}

func TestF1BumpAndUndo(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name       string
		bump, undo func(b *tab)
	}{
		{"mouse", func(b *tab) { b.click("[data-act=bump][data-id=a]") }, func(b *tab) { b.click("[data-act=undo][data-id=a]") }},
		{"touch", func(b *tab) { b.touch("[data-act=bump][data-id=a]") }, func(b *tab) { b.touch("[data-act=undo][data-id=a]") }},
		{"keys", func(b *tab) { b.key("Digit1", "&"); b.key("Enter", "Enter") }, func(b *tab) { b.key("Backspace", "Backspace") }},
		{"bump bar", func(b *tab) { b.key("Numpad1", "1"); b.key("ControlLeft", "Control") }, func(b *tab) { b.key("Backspace", "Backspace") }},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			box, b := kitchenTab(t, "en")
			way.bump(b)
			b.gone("a")
			b.until("the box has it", func() bool { return box.count("bump a") == 1 })
			if b.slot("b") != "1" || b.slot("c") != "2" {
				t.Errorf("tickets moved under the hand: b in %s, c in %s", b.slot("b"), b.slot("c"))
			}
			box.add(ticketAt("d", 4, 0, nil))
			b.there("d")
			if got := b.slot("d"); got != "3" {
				t.Errorf("a new ticket took slot %s while slot 0 kept its undo", got)
			}
			b.settle()
			way.undo(b)
			b.there("a")
			if got := b.slot("a"); got != "0" {
				t.Errorf("after undo the ticket is in slot %s, want its own, 0", got)
			}
			b.until("the box has the undo", func() bool { return box.count("undo a") == 1 })
		})
	}
}

// F44: a second blow on one slot within 400 ms, a held key, Ctrl+P and Ctrl+R do nothing.
func TestF44BouncesAreIgnored(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	b.key("Digit1", "1")
	b.key("Enter", "Enter")
	b.gone("a")
	b.key("Backspace", "Backspace") // within 400 ms on the same slot: the same movement
	if got := b.slot("a"); got != "none" {
		t.Error("a bounce brought the ticket back")
	}
	b.eval(`dispatchEvent(new KeyboardEvent('keydown', {code: 'Digit2', bubbles: true}));
		for (let i = 0; i < 5; i++) dispatchEvent(new KeyboardEvent('keydown', {code: 'Enter', repeat: true, bubbles: true}))`)
	b.until("the box has the bump", func() bool { return box.count("bump a") == 1 })
	if box.count("bump b") != 0 || b.slot("b") == "none" {
		t.Error("a held key bumped a ticket")
	}
	if got := b.eval(`['KeyP', 'KeyR'].map(code => !dispatchEvent(new KeyboardEvent('keydown', {code, ctrlKey: true, cancelable: true, bubbles: true}))).join()`); got != "true,true" {
		t.Errorf("Ctrl+P and Ctrl+R swallowed: %s", got)
	}
}

func TestF14ChangesF15CancelledF17Recall(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	b.click("[data-act=start][data-id=b]")
	b.wait("started", "document.querySelector('[data-ticket=b]').dataset.state === 'cooking'")
	b.until("the box has the start", func() bool { return box.count("start b") == 1 })

	box.update("a", object{"changed_unseen": true, "lines": []object{line(3, "Entrecôte", object{"was": 2, "change": "changed"}), line(1, "Frites", object{"change": "added"})}})
	b.wait("CHANGED", "document.querySelector('[data-ticket=a] .k-flag')?.innerText === 'CHANGED'")
	if got := b.text("[data-ticket=a] .k-quantity"); !strings.Contains(got, "2") || !strings.Contains(got, "→ 3") {
		t.Errorf("old and new quantity read %q, want 2 → 3", got)
	}
	b.key("Digit1", "1")
	b.key("Enter", "Enter") // Seen comes before Bump
	b.until("the box has seen", func() bool { return box.count("seen a") == 1 })
	b.wait("the mark goes", "!document.querySelector('[data-ticket=a] .k-flag')")
	if box.count("bump a") != 0 {
		t.Error("Enter on a changed ticket bumped it")
	}

	box.update("c", object{"state": "cancelled", "changed_unseen": true})
	b.wait("CANCELLED", "document.querySelector('[data-ticket=c].cancelled .k-flag')?.innerText === 'CANCELLED'")
	if got := b.eval("getComputedStyle(document.querySelector('[data-ticket=c] .k-lines')).textDecorationLine"); got != "line-through" {
		t.Errorf("a cancelled ticket is decorated %q, want line-through", got)
	}
	b.click("[data-act=seen][data-id=c]")
	b.gone("c")

	b.settle()
	b.click("[data-act=bump][data-id=b]")
	b.until("bumped", func() bool { return box.count("bump b") == 1 })
	b.key("KeyR", "r")
	b.wait("the list", "document.querySelector('.k-recall')")
	if got := b.text(".k-recall"); !strings.Contains(got, "T7") {
		t.Errorf("recall list reads %q, lacks T7", got)
	}
	b.key("Digit1", "1")
	b.there("b")
	b.until("the box has the recall", func() bool { return box.count("recall b") == 1 })
}

func TestLostRaceShowsTheOther(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	box.mu.Lock()
	box.lost["a"] = "Léa"
	box.mu.Unlock()
	b.click("[data-act=bump][data-id=a]")
	b.wait("who was first", "document.querySelector('.k-toast')?.innerText.includes('already bumped by Léa')")
	b.gone("a")
}

// F40: live means a beat in the last 12 s. Otherwise a bar over a dimmed board; a bump made meanwhile carries a clock and is
// applied once.
func TestF40OfflineAndBack(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	box.beat()
	b.wait("live", "document.querySelector('#live').dataset.state === 'live'")
	box.disconnect(true)
	b.eval("(() => { const now = Date.now; window.__ahead = 13000; Date.now = () => now() + window.__ahead })()")
	b.wait("the bar", "document.querySelector('#cut').innerText.startsWith('No connection since')")
	if b.slot("a") == "none" {
		t.Error("the board is hidden while offline")
	}
	b.click("[data-act=bump][data-id=a]")
	b.gone("a")
	b.wait("kept", "document.querySelector('.k-ghost[data-ticket=a] .icon')")
	if got := b.eval("JSON.parse(localStorage['aboyeur.outbox.grill']).map(a => a.verb + ' ' + a.id + ' ' + a.key.length).join()"); got != "bump a 32" {
		t.Errorf("kept acts: %q", got)
	}
	box.disconnect(false)
	b.wait("live again", "document.querySelector('#cut').hidden && document.querySelector('#live').dataset.state === 'live'")
	b.until("sent once", func() bool { return box.count("bump a") == 1 })
	b.wait("nothing kept", "!localStorage['aboyeur.outbox.grill']")
	if got := box.count("replayed bump a"); got != 0 {
		t.Errorf("the bump was sent %d times more", got)
	}
}

// F41: a bump that could not be sent survives a reload.
func TestF41KeptBumpSurvivesReload(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	box.mu.Lock()
	box.answers["/v1/tickets/a/bump"] = 503
	box.mu.Unlock()
	b.click("[data-act=bump][data-id=a]")
	b.wait("kept", "document.querySelector('.k-ghost[data-ticket=a] .icon')")
	b.open("/screens/grill")
	b.there("b")
	if b.slot("a") != "none" {
		t.Error("after a reload the kept bump is forgotten: its ticket is back")
	}
	box.mu.Lock()
	delete(box.answers, "/v1/tickets/a/bump")
	box.mu.Unlock()
	b.until("sent", func() bool { return box.count("bump a") == 1 })
}

// F42: a beat that does not match what the page shows makes it ask for a snapshot, without a word.
func TestF42BeatResynchronises(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en")
	box.mu.Lock()
	box.tickets = append(box.tickets, ticketAt("lost", 9, 0, object{"table": "99"})) // its event never came
	box.mu.Unlock()
	box.beat()
	b.there("lost")
	if got := b.eval("document.querySelector('#cut').hidden"); got != "true" {
		t.Error("resynchronising showed the offline bar")
	}
}

func TestPagesAndArrows(t *testing.T) {
	t.Parallel()
	var many []object
	for i := range 14 {
		many = append(many, ticketAt("k"+string(rune('a'+i)), 10+i, time.Duration(20-i)*time.Second, object{"table": string(rune('A' + i))}))
	}
	box, b := kitchenTab(t, "en", many...)
	b.wait("the footer says so", "document.querySelector('#page').innerText === 'page 1/2'")
	b.key("ArrowRight", "ArrowRight")
	b.key("ArrowRight", "ArrowRight")
	b.key("ArrowDown", "ArrowDown")
	if got := b.eval("document.querySelector('.selected')?.dataset.slot"); got != "6" {
		t.Errorf("arrows selected slot %s, want 6: right from the first, then down", got)
	}
	b.key("KeyP", "p")
	b.wait("page 2", "document.querySelector('#page').innerText === 'page 2/2'")
	if got := b.slot("kk"); got != "0" {
		t.Errorf("the eleventh ticket is in slot %s of page 2, want 0", got)
	}
	b.key("KeyP", "p")
	b.until("page 1's and page 2's tickets painted once each", func() bool {
		box.mu.Lock()
		defer box.mu.Unlock()
		return len(box.painted) == 14
	})
}

func TestF3LongTicketContinues(t *testing.T) {
	t.Parallel()
	var lines []object
	for i := range 14 {
		lines = append(lines, line(1+i, "Plat numéro "+string(rune('A'+i))))
	}
	_, b := kitchenTab(t, "fr", ticketAt("long", 1, 0, object{"table": "5", "lines": lines}), ticketAt("next", 2, 0, nil))
	if got := b.eval("[...document.querySelectorAll('.k-slot')].filter(s => s.querySelector('[data-ticket=long]')).length"); got < "2" {
		t.Errorf("the long ticket is in %s slots", got)
	}
	if got := b.eval("[...document.querySelectorAll('[data-ticket=long] .k-line')].length"); got != "14" {
		t.Errorf("%s of 14 lines are shown", got)
	}
	if got := b.eval("[...document.querySelectorAll('[data-ticket=long] .k-name')].every(e => e.innerText === 'T5')"); got != "true" {
		t.Error("the head is not repeated")
	}
	if got := b.eval("[...document.querySelectorAll('[data-ticket=long] .k-lines')].every(e => e.scrollHeight <= e.clientHeight + 1)"); got != "true" {
		t.Error("lines are cut off at the end of a slot")
	}
}

// What an order says is text, whatever it looks like.
func TestF24HostileTextIsText(t *testing.T) {
	t.Parallel()
	evil := `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
	box, b := kitchenTab(t, "en", ticketAt("a", 1, 0, object{"table": evil, "was_table": evil, "changed_unseen": true, "notes": evil, "allergy_note": evil, "customer": evil, "staff": evil,
		"partner": object{"name": evil, "order_id": evil}, "lines": []object{line(1, evil, modifiers(evil), object{"notes": evil, "sku": evil, "at": time.Now(), "allergens": []string{evil}})}}),
		ticketAt("later", 1, 0, object{"order": "oa", "state": "held", "held": "waiter", "course": 3, "lines": []object{line(1, evil)}}),
		ticketAt("held", 2, 0, object{"table": evil, "state": "held", "held": "waiter", "lines": []object{line(1, evil)}}))
	box.tell("sold-out", object{"sku": evil, "name": evil, "sold_out": true})
	b.there("a")
	b.there("held")
	b.wait("sold out", "document.querySelector('#soldout').innerText.includes('<img src=x')")
	if got := b.eval("document.querySelectorAll('#board img, #board script').length"); got != "0" {
		t.Errorf("order text became %s elements", got)
	}
	if !strings.Contains(b.text("[data-ticket=a] .k-item"), "<img src=x") {
		t.Errorf("line reads %q", b.text("[data-ticket=a] .k-item"))
	}
	box.orders = cannedOrders(1)
	box.orders[0]["partner"] = object{"name": evil, "order_id": evil}
	box.orders[0]["lines"] = []object{{"name": evil, "quantity": 1, "price": 1, "notes": evil, "modifiers": []object{{"name": evil, "quantity": 1}}}}
	b.open("/orders/o0")
	b.wait("the order", "document.querySelector('.ev')")
	if got := b.eval("document.querySelectorAll('#rows img, #panel script, #panel img:not(.ticket-picture)').length"); got != "0" {
		t.Errorf("order text became %s elements in the console", got)
	}
	if strings.Contains(b.eval("document.title"), "owned") {
		t.Error("text of an order ran as a script")
	}
}

// F43: sizes follow from diagonal and distance: screens.md, "Type from geometry".
func TestF43SizesFromGeometry(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name               string
		width, height      int64
		screen             Screen
		low, high, columns float64
	}{
		{"21.5 inch at 1.2 m", 1920, 1080, Screen{Name: "grill", DiagonalInches: 21.5, DistanceM: 1.2}, 31, 39, 5},
		{"42 inch at 3 m", 1920, 1080, Screen{Name: "grill", DiagonalInches: 42, DistanceM: 3}, 40, 52, 4},
		{"7 inch at 0.5 m", 1024, 600, Screen{Name: "grill", DiagonalInches: 7, DistanceM: .5}, 20, 28, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			box := newFakeBox(t, Config{Screens: []Screen{tc.screen}})
			box.tickets = service()
			b := openTab(t, box, tc.width, tc.height)
			b.open("/screens/grill")
			b.wait("tickets", "document.querySelector('.k-item')")
			var size, columns, mm float64
			var touches []float64
			b.value("parseFloat(getComputedStyle(document.querySelector('.k-item')).fontSize)", &size)
			b.value("Number(document.documentElement.dataset.columns)", &columns)
			b.value("parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm'))", &mm)
			b.value("[...document.querySelectorAll('.k-act, .k-foot button:not([hidden])')].flatMap(e => { const r = e.getBoundingClientRect(); return [r.width, r.height] })", &touches)
			if size < tc.low || size > tc.high {
				t.Errorf("items are %.1f px, want %.0f to %.0f", size, tc.low, tc.high)
			}
			if columns != tc.columns {
				t.Errorf("%.0f columns, want %.0f", columns, tc.columns)
			}
			for _, px := range touches {
				if px/mm < 14.9 {
					t.Errorf("something to touch is %.1f mm, want at least 15", px/mm)
					break
				}
			}
			if got := b.eval("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"); got != "true" {
				t.Error("the board is larger than the glass")
			}
		})
	}
}
