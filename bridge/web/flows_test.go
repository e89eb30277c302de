package web

import (
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/web/webtest"
)

// The flows of docs/screens.md that are about tickets, by number.

func TestF2DirectionAndColumns(t *testing.T) {
	t.Parallel()
	three := []object{ticketAt("a", 1, 3*time.Minute, nil), ticketAt("b", 2, 2*time.Minute, nil), ticketAt("c", 3, time.Minute, nil)}
	for _, c := range []struct {
		direction string
		columns   int
		order     func(a, b, c [2]float64) bool // where the tickets are: x, y
	}{
		{"right", 2, func(a, b, c [2]float64) bool { return a[0] < b[0] && a[1] == b[1] && c[0] == a[0] && c[1] > a[1] }},
		{"left", 2, func(a, b, c [2]float64) bool { return a[0] > b[0] && a[1] == b[1] && c[0] == a[0] && c[1] > a[1] }},
		{"down", 2, func(a, b, c [2]float64) bool { return a[0] == b[0] && a[1] < b[1] && c[0] > a[0] && c[1] == a[1] }},
	} {
		box := newFakeBox(t, Config{Screens: []Screen{{Name: "grill", Stations: []string{"grill"}, Direction: c.direction, Columns: c.columns}}})
		box.tickets = three
		b := openTab(t, box, 1920, 1080)
		b.open("/screens/grill")
		b.there("c")
		if got := b.eval("document.documentElement.dataset.columns"); got != "2" {
			t.Errorf("%s: %s columns, want 2", c.direction, got)
		}
		var at [3][2]float64
		for i, id := range []string{"a", "b", "c"} {
			b.value("(r => [Math.round(r.x), Math.round(r.y)])(document.querySelector('[data-ticket="+id+"]').getBoundingClientRect())", &at[i])
		}
		if !c.order(at[0], at[1], at[2]) {
			t.Errorf("%s: the first three tickets are at %v", c.direction, at)
		}
	}
}

// Ticks strike and last; the Bump button fills when all is ticked; an allergy must be seen before.
func TestF5TicksAndF16Allergy(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en",
		ticketAt("a", 1, time.Minute, object{"table": "12", "allergy_note": "noix", "lines": []object{line(2, "Entrecôte", object{"n": 0}), line(1, "Saumon", object{"n": 1, "allergens": []string{"poisson"}})}}))
	b.there("a")
	for where, want := range map[string]string{"> .k-allergy": "noix", ".k-line .k-allergy": "poisson"} {
		if got := b.text("[data-ticket=a] " + where); !strings.Contains(got, want) {
			t.Errorf("the allergy at %s reads %q, lacks %s", where, got, want)
		}
	}
	b.click("[data-ticket=a] [data-n='0']")
	b.wait("seen first", "document.querySelector('.k-toast')?.innerText.includes('seen the allergy')")
	b.key("Digit1", "1")
	b.key("Enter", "Enter") // is Seen, not Bump
	b.until("seen", func() bool { return box.count("seen a") == 1 })
	b.wait("Bump is there and not full", "document.querySelector('[data-act=bump]:not(.full)')")
	b.click("[data-ticket=a] [data-n='0']")
	b.wait("struck", "getComputedStyle(document.querySelector('[data-ticket=a] .ticked .k-item')).textDecorationLine === 'line-through'")
	b.click("[data-ticket=a] [data-n='1']")
	b.until("both ticks", func() bool { return box.count("tick 0 a") == 1 && box.count("tick 1 a") == 1 })
	b.wait("Bump fills", "document.querySelector('[data-act=bump].full')")
	b.open("/screens/grill")
	b.wait("ticks last", "document.querySelectorAll('[data-ticket=a] .ticked').length === 2")
	b.shoot("flow-ticks")
	b.click("[data-ticket=a] [data-n='1']")
	b.until("taken back", func() bool { return box.count("untick 1 a") == 1 })
	b.wait("not full any more", "document.querySelector('[data-act=bump]:not(.full)')")
	if box.count("bump a") != 0 {
		t.Error("a tick bumped")
	}
}

// Dishes are ticked by keyboard, by a bar that sends keys and by a serial one: Items numbers the lines of the ticket, a digit
// or the cursor with Bump ticks, and once all are ticked the next blow bumps.
func TestF5TicksByKey(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en",
		ticketAt("a", 1, 2*time.Minute, object{"lines": []object{line(1, "Burger", object{"n": 0}), line(2, "Frites", object{"n": 1}), line(1, "Salade", object{"n": 2})}}),
		ticketAt("b", 2, time.Minute, object{"lines": []object{line(1, "Saumon", object{"n": 0})}}))
	picks := func(id, want string) {
		t.Helper()
		b.wait(id+" is numbered", "[...document.querySelectorAll('[data-ticket="+id+"] .k-line')].map(e => (e.dataset.pick ?? '-') + (e.classList.contains('at') ? '*' : '')).join(' ') === '"+want+"'")
	}
	b.key("KeyI", "i") // the oldest, as nothing is selected
	picks("a", "1* 2 3")
	b.shoot("flow-ticks-by-key")
	b.key("Digit2", "é")
	b.until("the digit ticks", func() bool { return box.count("tick 1 a") == 1 })
	picks("a", "1 2 3*")
	b.key("ArrowUp", "ArrowUp")
	b.key("ArrowUp", "ArrowUp")
	picks("a", "1* 2 3")
	b.key("Enter", "Enter")
	b.until("Bump ticks what the cursor is on", func() bool { return box.count("tick 0 a") == 1 })
	picks("a", "1 2 3*")
	b.key("Backspace", "Backspace")
	picks("a", "- - -")
	strike := func(key byte) {
		box.mu.Lock()
		box.publish("key", object{"byte": int(key), "at": box.now().UTC()})
		box.mu.Unlock()
	}
	strike('I')
	picks("a", "1 2 3*")
	strike('3')
	b.until("the serial bar ticks", func() bool { return box.count("tick 2 a") == 1 })
	b.wait("all are ticked", "document.querySelector('[data-ticket=a] [data-act=bump].full') && !document.querySelector('[data-pick]')")
	if box.count("bump a") != 0 {
		t.Error("a tick bumped")
	}
	strike('\r')
	b.until("the next blow bumps", func() bool { return box.count("bump a") == 1 })
	b.gone("a")
	b.key("Digit2", "é")
	b.key("KeyI", "i")
	picks("b", "1*")
	b.run(webtest.Later(11 * time.Second))
	picks("b", "-") // nobody struck a key for a while: digits mean tickets again
	if box.count("tick 0 b")+box.count("bump b") != 0 {
		t.Error("leaving acted on the ticket")
	}
}

// Courses that are not fired stand grey, with their count, on the card of the course before; a held ticket alone has a
// card of its own with the way to fire it; H holds and fires; all-day counts what is held in brackets.
func TestF6CoursesF7HoldAndFireF11AllDay(t *testing.T) {
	t.Parallel()
	fires := time.Now().Add(7 * time.Minute).UTC()
	box, b := kitchenTab(t, "en",
		ticketAt("a", 1, time.Minute, object{"order": "o1", "table": "12", "lines": []object{line(2, "Entrecôte")}}),
		ticketAt("a3", 1, time.Minute, object{"order": "o1", "table": "12", "state": "held", "held": "previous", "course": 4, "lines": []object{line(2, "Tarte"), line(1, "Entrecôte")}}),
		ticketAt("b", 2, time.Minute, object{"order": "o2", "table": "3", "state": "held", "held": "time", "fire_at": fires, "course": 3, "lines": []object{line(4, "Saumon")}}),
		ticketAt("c", 3, time.Minute, object{"order": "o3", "table": "9"}))
	b.there("b")
	if b.slot("a3") != "none" {
		t.Error("a later course has a slot of its own beside the card of the first")
	}
	if got := b.text("[data-ticket=a] .k-held-course span"); got != "(2 Tarte, 1 Entrecôte, later)" {
		t.Errorf("the later course reads %q", got)
	}
	if got := b.text("#open"); got != "2 open" {
		t.Errorf("head says %q: what is held is not open", got)
	}
	if got := b.text("[data-ticket=b] .k-flag.held"); !strings.HasPrefix(got, "HOLD") || !strings.Contains(got, "fires ") {
		t.Errorf("the held card says %q", got)
	}
	if got := strings.Join(strings.Fields(b.text("#allday")), " "); !strings.Contains(got, "2(+1) Entrecôte") || !strings.Contains(got, "0(+4) Saumon") {
		t.Errorf("all day: %q", got)
	}
	b.shoot("flow-courses")
	b.click("[data-ticket=b] [data-act=fire]")
	b.until("fired", func() bool { return box.count("fire b") == 1 })
	b.wait("it can be bumped", "document.querySelector('[data-ticket=b] [data-act=bump]')")
	b.wait("its age began", "document.querySelector('[data-ticket=b] .k-age').innerText.startsWith('0:0')")
	b.key("Digit3", "3")
	b.key("KeyH", "h") // table 9 is held
	b.until("held", func() bool { return box.count("hold c") == 1 })
	b.wait("HOLD", "document.querySelector('[data-ticket=c] .k-flag.held')")
	b.settle()
	b.key("Digit3", "3")
	b.key("KeyH", "h")
	b.until("fired again", func() bool { return box.count("fire c") == 1 })
	b.key("Digit1", "1")
	b.key("KeyH", "h") // fires the course after
	b.until("the next course is fired", func() bool { return box.count("fire a3") == 1 })
	b.there("a3")
	b.settle()
	b.click("[data-act=bump][data-id=a]")
	b.gone("a")
	if b.slot("a3") == "none" {
		t.Error("the fired course left with the one before")
	}
}

// A ticket put first is placed before those that wait; nothing that has a place moves.
func TestF10Priority(t *testing.T) {
	t.Parallel()
	var many []object
	for i := range 12 {
		many = append(many, ticketAt("k"+string(rune('a'+i)), 10+i, time.Duration(20-i)*time.Minute, nil))
	}
	box, b := kitchenTab(t, "en", many...)
	b.longPress("[data-ticket=ka] .k-name")
	b.wait("the sheet", "!document.querySelector('#over').hidden")
	b.wait("put first", "[...document.querySelectorAll('.k-recall .k-name')].some(e => e.innerText === 'Put first')")
	b.eval("[...document.querySelectorAll('.k-recall')].find(e => e.innerText.includes('Put first')).click()")
	b.until("the box has it", func() bool { return box.count("priority ka") == 1 })
	b.wait("FIRST", "document.querySelector('[data-ticket=ka] .k-flag.first')")
	if b.slot("ka") != "0" || b.slot("kb") != "1" {
		t.Error("a ticket moved under the hand")
	}
	box.add(ticketAt("n1", 31, 2*time.Second, nil))
	box.add(ticketAt("n2", 32, time.Second, object{"priority": true}))
	b.wait("both came", "document.querySelector('#open').innerText === '14 open'")
	b.click("[data-act=bump][data-id=kc]")
	b.gone("kc")
	b.eval("(() => { const now = Date.now; Date.now = () => now() + 9000 })()") // Undo is over
	b.wait("page 1 has the one that is first", slotOf+"('n2') === '2'")
}

// What is ordered later joins the open card under its time; a table that moved shows old and new until somebody has seen it.
func TestF12AdditionsF13TableMove(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en", ticketAt("a", 1, 5*time.Minute, object{"table": "12", "lines": []object{line(1, "Entrecôte", object{"n": 0}), line(2, "Frites", object{"n": 1})}}))
	at := time.Now().UTC().Truncate(time.Second)
	box.update("a", object{"changed_unseen": true, "lines": []object{line(1, "Saumon", object{"n": 0, "change": "added", "at": at}), line(1, "Entrecôte", object{"n": 1}), line(2, "Frites", object{"n": 2})}})
	b.wait("its time", "document.querySelector('[data-ticket=a] .k-added-at')")
	if got := strings.Fields(b.text("[data-ticket=a] .k-lines")); got[0] != "1" || got[1] != "Entrecôte" || !strings.Contains(strings.Join(got, " "), "2 Frites + ") || got[len(got)-1] != "Saumon" {
		t.Errorf("the card reads %q: what came later stands last, under its time", got)
	}
	b.shoot("flow-additions")
	b.click("[data-act=seen][data-id=a]")
	b.wait("the time stays", "!document.querySelector('[data-ticket=a] .k-flag') && document.querySelector('[data-ticket=a] .k-added-at')")
	box.update("a", object{"changed_unseen": true, "table": "31", "was_table": "12"})
	b.wait("old and new", "document.querySelector('[data-ticket=a] .k-name').innerText === 'T12 → T31'")
	if got := b.slot("a"); got != "0" {
		t.Errorf("the moved table's card is in slot %s", got)
	}
	b.settle()
	b.click("[data-act=seen][data-id=a]")
	b.wait("only the new one", "document.querySelector('[data-ticket=a] .k-name').innerText === 'T31'")
}

// A second order of a table keeps a card and an age of its own; each card names the other's digit, as long as both are open.
func TestF12SecondOrderOfTheTable(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en", ticketAt("a", 1, 9*time.Minute, object{"order": "o1", "table": "12"}), ticketAt("b", 2, 5*time.Minute, object{"order": "o2", "table": "7"}))
	b.there("b")
	box.add(ticketAt("c", 3, 0, object{"order": "o3", "table": "12"}))
	b.wait("each names the other", "document.querySelector('[data-ticket=a] .beside')?.innerText.replace(/\\s+/g, ' ') === 'Same table: 3' && document.querySelector('[data-ticket=c] .beside')?.innerText.replace(/\\s+/g, ' ') === 'Same table: 1'")
	b.shoot("flow-second-order")
	if got := b.eval("document.querySelectorAll('.beside').length"); got != "2" || b.slot("a") != "0" {
		t.Errorf("%s cards say so; the first is in slot %s", got, b.slot("a"))
	}
	b.click("[data-act=bump][data-id=a]")
	b.gone("a")
	b.wait("one is left", "!document.querySelector('.beside')")
}

// Scheduled orders stand in the foot by quarter of an hour, and in a list.
func TestF18LaterLane(t *testing.T) {
	t.Parallel()
	quarter := time.Now().Add(2 * time.Hour).UTC().Truncate(15 * time.Minute)
	box, b := kitchenTab(t, "fr", ticketAt("a", 1, time.Minute, nil))
	box.mu.Lock()
	box.service.later = []object{
		{"at": quarter, "orders": []object{
			{"number": 51, "service": "pickup", "due": quarter.Add(4 * time.Minute), "lines": []object{line(2, "Entrecôte")}},
			{"number": 52, "service": "delivery", "partner": object{"name": "Uber Eats"}, "due": quarter.Add(9 * time.Minute), "lines": []object{line(1, "Frites")}}}},
		{"at": quarter.Add(15 * time.Minute), "orders": []object{{"number": 53, "service": "pickup", "due": quarter.Add(20 * time.Minute), "lines": []object{line(1, "Burger")}}}},
	}
	box.mu.Unlock()
	box.tell("later", object{})
	b.wait("the lane", "document.querySelector('#later').innerText.includes('×2')")
	if got := b.text("#later"); !strings.HasPrefix(got, "Plus tard") || strings.Count(got, "×") != 2 {
		t.Errorf("the foot says %q", got)
	}
	b.click("#later")
	b.wait("the list", "document.querySelectorAll('.k-sheet .k-recall').length === 3")
	if got := b.text(".k-sheet"); !strings.Contains(got, "#52 Uber Eats") || !strings.Contains(got, "2 Entrecôte") {
		t.Errorf("the list reads %q", got)
	}
	b.shoot("flow-later")
	b.key("Escape", "Escape")
	b.wait("closed", "document.querySelector('#over').hidden")
}

// A long press on a dish names what Sold out does before it does it; every screen shows it until it is back.
func TestF19SoldOut(t *testing.T) {
	t.Parallel()
	box, b := kitchenTab(t, "en", ticketAt("a", 1, time.Minute, object{"lines": []object{line(1, "Entrecôte", object{"n": 0, "sku": "E 1"}), line(1, "Maison", object{"n": 1})}}))
	b.longPress("[data-ticket=a] [data-n='0'] .k-item")
	b.wait("the effect is named", "document.querySelector('.k-say')?.innerText.includes('delivery platforms')")
	b.shoot("flow-sold-out")
	if len(box.service.sold) != 0 {
		t.Error("it is sold out before anybody said so")
	}
	b.key("Digit1", "1")
	b.wait("the foot says so", "document.querySelector('#soldout').innerText === 'Sold out: Entrecôte'")
	b.wait("the line says so", "document.querySelector('[data-ticket=a] .k-word')?.innerText === 'SOLD OUT'")
	if box.count("tick 0 a") != 0 {
		t.Error("the long press ticked the dish")
	}
	other := openTab(t, box, 1280, 800)
	other.open("/screens/bar")
	other.wait("another screen says so", "document.querySelector('#soldout').innerText === 'Sold out: Entrecôte'")
	b.click("#soldout")
	b.wait("the list", "document.querySelector('.k-recall')?.innerText.includes('is back')")
	b.click(".k-recall")
	b.wait("gone", "document.querySelector('#soldout').hidden")
	other.wait("gone there too", "document.querySelector('#soldout').hidden")
	b.longPress("[data-ticket=a] [data-n='1'] .k-item")
	b.wait("without a number nobody can be told", "document.querySelector('.k-toast')?.innerText.includes('article number')")
}

// A station is closed for a quiet hour from its own name; the screens say so until it is open again.
func TestF20ClosedStation(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{})
	box.tickets = []object{ticketAt("a", 1, time.Minute, nil)}
	box.stations = []object{{"name": "grill", "printers": []string{}, "screens": []string{"grill"}, "open": 1}, {"name": "bar", "printers": []string{}, "screens": []string{"bar"}, "open": 0},
		{"name": "pass", "printers": []string{"pass"}, "screens": []string{}, "open": 0}}
	b := openTab(t, box, 1920, 1080)
	b.open("/screens/grill")
	b.there("a")
	b.click("#station")
	b.wait("close grill", "document.querySelector('.k-recall')?.innerText.includes('Close grill')")
	b.key("Digit1", "1")
	b.wait("the effect is named", "document.querySelector('.k-say')?.innerText.includes('the open ones too')")
	b.shoot("flow-close-station")
	if got := b.eval("document.querySelectorAll('.k-recall').length"); got != "1" {
		t.Errorf("%s stations are offered, want the bar alone: the pass has no screen", got)
	}
	b.key("Digit1", "1")
	b.until("the box has it", func() bool { return box.count("close grill bar") == 1 })
	b.wait("the head says so", "document.querySelector('.k-closed')?.innerText === 'grill closed: at bar'")
	b.click("#station")
	b.wait("open again", "document.querySelector('.k-recall')?.innerText.includes('Open grill again')")
	b.key("Digit1", "1")
	b.wait("nothing is closed", "!document.querySelector('.k-closed')")
}

// A board of 200 tickets: what one bump costs. The figure is written, not judged.
func TestF25TwoHundredTickets(t *testing.T) {
	t.Parallel()
	var many []object
	for i := range 200 {
		many = append(many, ticketAt(string(rune('a'+i%26))+string(rune('a'+i/26)), 100+i, time.Duration(400-i)*time.Second, object{"table": string(rune('A' + i%26)), "lines": []object{
			line(1+i%4, "Entrecôte", object{"n": 0}, modifiers("saignant")), line(2, "Frites", object{"n": 1}), line(1, "Saumon", object{"n": 2})}}))
	}
	_, b := kitchenTab(t, "en", many...)
	b.there("aa")
	b.wait("200", "document.querySelector('#open').innerText === '200 open'")
	var took []float64
	b.value(`(() => { const times = [];
		for (let i = 0; i < 5; i++) {
			performance.now = (now => () => now() + 1000)(performance.now.bind(performance));
			const button = document.querySelector('[data-act=bump]'), before = performance.now();
			button.click();
			times.push(performance.now() - before);
		}
		return times; })()`, &took)
	if got := b.eval("document.querySelectorAll('.k-ghost').length"); got != "5" {
		t.Errorf("%s tickets were bumped, want 5", got)
	}
	t.Logf("script time of a bump among 200 tickets: %.1f ms", took)
}

// A bumped slot stays empty until Undo has passed; then the ticket that waited longest takes it.
func TestF1SlotStaysEmptyUntilUndoHasPassed(t *testing.T) {
	t.Parallel()
	var many []object
	for i := range 12 {
		many = append(many, ticketAt("k"+string(rune('a'+i)), 10+i, time.Duration(20-i)*time.Minute, nil))
	}
	_, b := kitchenTab(t, "en", many...)
	b.click("[data-act=bump][data-id=kb]")
	b.gone("kb")
	if got := b.eval("document.querySelectorAll('.k-slot')[1].querySelector('.k-ghost') !== null"); got != "true" {
		t.Error("the bumped slot is not kept")
	}
	b.eval("(() => { const now = Date.now; Date.now = () => now() + 7000; dispatchEvent(new Event('geometry')) })()")
	if got := b.eval("document.querySelectorAll('.k-slot')[1].querySelector('.k-ghost') !== null"); got != "true" {
		t.Error("the slot was given away before Undo had passed")
	}
	b.eval("(() => { const now = Date.now; Date.now = () => now() + 2000 })()")
	b.wait("the eleventh takes it", slotOf+"('kk') === '1'")
	if b.slot("ka") != "0" || b.slot("kc") != "2" {
		t.Error("others moved")
	}
}

// Age counts from the moment a ticket was fired, for a courier towards him; its grade has a mark besides its colour.
func TestF4Age(t *testing.T) {
	t.Parallel()
	_, b := kitchenTab(t, "en",
		ticketAt("calm", 1, 90*time.Second, nil),
		ticketAt("warn", 2, 3*time.Minute+30*time.Second, object{"warn_after": 180, "late_after": 360}),
		ticketAt("late", 3, 6*time.Minute+10*time.Second, object{"warn_after": 180, "late_after": 360}),
		ticketAt("due", 4, 20*time.Minute, object{"service": "delivery", "due": time.Now().Add(12*time.Minute + 30*time.Second).UTC()}),
		ticketAt("over", 5, 20*time.Minute, object{"service": "delivery", "due": time.Now().Add(-2*time.Minute - 5*time.Second).UTC()}))
	for id, want := range map[string]struct{ text, mark, grade string }{
		"calm": {"1:3", "", "0"}, "warn": {"3:3", " !", "1"}, "late": {"6:1", " !!", "2"}, "due": {"12:", "", "0"}, "over": {"+2:", " !!", "2"},
	} {
		b.there(id)
		got := b.text("[data-ticket=" + id + "] .k-age")
		if !strings.HasPrefix(got, want.text) || strings.TrimLeft(got, "+0123456789:") != want.mark {
			t.Errorf("%s reads %q, want %s…%s", id, got, want.text, want.mark)
		}
		if got := b.eval("document.querySelector('[data-ticket=" + id + "]').dataset.grade"); got != want.grade {
			t.Errorf("%s has grade %s, want %s", id, got, want.grade)
		}
	}
	if got := b.text("#late"); got != "2 late" {
		t.Errorf("head says %q, want 2 late", got)
	}
}
