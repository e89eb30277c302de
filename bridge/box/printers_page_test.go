package box

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"aboyeur/bridge/web/webtest"
	"aboyeur/simulate/printer"
)

// TestPrintersPageOverARealBox is the manager's way out when a printer has no paper, in a real browser over real sockets:
// the page says so and what to check, the queue moves, the tickets are on another printer's paper, one of them comes
// again under the banner, and the outage is on record.
func TestPrintersPageOverARealBox(t *testing.T) {
	r := newRig(t)
	r.start()
	console := r.page()
	state := func(name string) string {
		return fmt.Sprintf(`document.querySelector('[data-name=%s] .state')?.innerText`, name)
	}
	console.run(chromedp.Navigate(r.base + "/printers"))
	console.wait("both are ready", state("grill")+` === 'ready' && `+state("bar")+` === 'ready'`)

	r.inject("bar", printer.Fault{Kind: printer.PaperOut})
	for i := range 3 {
		r.drink(fmt.Sprintf("V%dV", i))
	}
	console.wait("the card says it in words", state("bar")+` === 'paper out' && document.querySelector('[data-name=bar] .paper').innerText === 'out'`)
	console.wait("the head says it in a sentence", `document.querySelector('#status').innerText.includes('bar is out of paper')`)
	console.wait("and that the queue is long", `document.querySelector('[data-name=bar]').innerText.includes('More than 2 wait')`)
	console.click("[data-name=bar] h2 a")
	console.wait("what to check", `document.querySelector('.checks')?.innerText.includes('Put in a new roll')`)
	console.wait("what waits, oldest first", `document.querySelectorAll('.queue li').length === 3 && document.querySelector('.queue li').innerText.includes('V0V')`)
	console.shoot("real-printer-paper-out")

	console.click("#p-move")
	console.wait("the consequence in the button", `document.querySelector('dialog .primary')?.innerText === 'Move 3 tickets to grill'`)
	console.click("dialog .primary")
	for i := range 3 {
		text := fmt.Sprintf("V%dV", i)
		r.wait(text+" is on the grill's paper", func() bool { plain, banner := r.papers("grill", text); return plain == 1 && banner == 0 })
	}
	console.wait("nothing waits any more", `document.querySelectorAll('.queue li').length === 0 && document.querySelector('[data-name=bar] .tile-figures b').innerText === '0'`)

	console.click("[data-name=grill] h2 a")
	console.wait("the pictures of three tickets", `document.querySelectorAll('.paper-card img').length === 3 && document.querySelector('.paper-card img').naturalWidth > 100`)
	console.shoot("real-printer")
	console.click(".paper-card")
	console.run(webtest.Click("#reprint"), chromedp.Evaluate(`document.querySelectorAll('dialog')[1].querySelector('.primary').click()`, nil))
	r.wait("the newest is on paper again, under the banner", func() bool { plain, banner := r.papers("grill", "V2V"); return plain == 1 && banner == 1 })

	r.lift("bar", printer.PaperOut)
	console.wait("the roll is in", state("bar")+` === 'ready'`)
	console.run(chromedp.Navigate(r.base + "/printers/bar"))
	console.wait("the outage is on record, with its end", `(e => e && e.innerText.includes('paper out') && !e.innerText.includes('still out'))(document.querySelector('.outages tbody tr'))`)
	r.done(r.drink("W0W"))
	if plain, banner := r.papers("bar", "W0W"); plain != 1 || banner != 0 {
		t.Errorf("the next order is on the bar's paper %d times and %d under the banner, want once", plain, banner)
	}
	console.wait("and in its pictures", `document.querySelector('.paper-card')?.innerText.includes('W0W')`)
}

// TestAddPrinterOverARealBox finds a printer on the network from the page, has it print its number, takes it into service
// and removes it again.
func TestAddPrinterOverARealBox(t *testing.T) {
	r := newRig(t)
	s := newSpare(r)
	r.start()
	console := r.page()
	console.run(chromedp.Navigate(r.base+"/printers"), webtest.Click("#add"), webtest.Click("#scan"))
	console.wait("its own printers by their names, and the new one", `document.querySelectorAll('.found li').length === 3 && document.querySelector('.found').innerText.includes('already grill')`)
	mine := fmt.Sprintf(`.found li[data-address="%s"] `, s.address())
	console.click(mine + "[data-act=identify]")
	r.wait("it printed its number", func() bool { return len(s.Tickets()) == 1 })
	console.run(webtest.Click(mine+"[data-act=take]"), chromedp.SendKeys("#add-name", "grill", chromedp.ByQuery), webtest.Click("#add-yes"))
	console.wait("a name that is taken", `document.querySelector('#add-name-fault').innerText !== ''`)
	console.shoot("real-add-printer")
	console.run(chromedp.Evaluate(`document.querySelector('#add-name').value = ''`, nil), chromedp.SendKeys("#add-name", "terrace", chromedp.ByQuery), webtest.Click("#add-yes"))
	console.wait("it is in service", `location.pathname === '/printers/terrace' && document.querySelector('#panel .state')?.innerText === 'ready'`)
	console.run(webtest.Click("#p-remove"), webtest.Click("dialog .danger"))
	console.wait("and gone", `location.pathname === '/printers' && document.querySelectorAll('.tile').length === 2`)
}
