package box

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"aboyeur/simulate/dinner"
)

// kitchen opens the rig's kitchen screen.
func (r *rig) kitchen() *page {
	r.t.Helper()
	p := r.page()
	p.run(chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(r.base+"/screens/kitchen"))
	p.wait("the board is live", `document.querySelector('#board')?.getAttribute('aria-busy') === 'false'`)
	return p
}

func card(ticket string) string {
	return fmt.Sprintf(`document.querySelector('.k-card[data-ticket="%s"]')`, ticket)
}

func (p *page) press(verb, ticket string) {
	p.r.t.Helper()
	selector := fmt.Sprintf(`[data-act=%s][data-id="%s"]`, verb, ticket)
	p.click(selector)
}

// A course waits, grey, on the card of the one before; the bump of that fires and prints it (docs/screens.md F8).
func TestF8BumpFiresTheNextCourse(t *testing.T) {
	r := newRig(t)
	r.config.Stations[0].Fire = "previous"
	r.start()
	kitchen := r.kitchen()
	dish := func(course int, name string) dinner.Line {
		return dinner.Line{SKU: "S" + name, Name: name, Category: "Mains", Course: course, Quantity: 1, Price: 100}
	}
	v := r.place(dinner.Order{Source: "rig", SourceOrderID: "F8", Service: "dine_in", Table: "12", Currency: "EUR", Lines: []dinner.Line{dish(1, "Soupe"), dish(2, "Magret")}})
	first, second := v.Tickets[0], v.Tickets[1]
	if second.State != "held" || len(second.Jobs) != 0 {
		t.Errorf("the second course is %s with %d jobs, want held and none", second.State, len(second.Jobs))
	}
	kitchen.wait("the first course", card(first.ID))
	kitchen.wait("the second waits with it", card(first.ID)+`.querySelector('.k-held-course')?.innerText.includes('Magret')`)
	kitchen.press("bump", first.ID)
	kitchen.wait("the bump fires the second", card(second.ID)+`?.querySelector('[data-act=bump]')`)
	v = r.done(v.ID)
	if second = v.Tickets[1]; second.State != "new" || len(second.Jobs) != 1 {
		t.Errorf("the second course is %s with jobs %v, want new and one", second.State, second.Jobs)
	}
}

// Two screens bump one ticket: the box takes one bump and refuses the other with the ticket, and both pages then show the
// same (docs/screens.md F23).
func TestF23TwoScreensBumpOneTicket(t *testing.T) {
	r := newRig(t)
	r.start()
	a, b := r.kitchen(), r.kitchen()
	id := r.place(orderOf(13)).Tickets[0].ID
	a.wait("it is here", card(id))
	b.wait("it is there", card(id))
	// The second screen's bump leaves its page after the first one's is done: as late as a slow network makes it.
	b.run(chromedp.Evaluate(`window.__go = new Promise(go => { window.__release = go; });
		window.fetch = (fetch => async (path, how) => {
			if (!String(path).endsWith('/bump')) return fetch(path, how);
			await window.__go;
			const answer = await fetch(path, how);
			window.__status = answer.status;
			return answer;
		})(window.fetch); 1`, nil))
	b.press("bump", id)
	b.wait("it leaves there at once", "!"+card(id))
	a.press("bump", id)
	a.wait("it leaves here", "!"+card(id))
	r.wait("the box has one bump", func() bool {
		var list struct{ Tickets []struct{ ID string } }
		_, err := r.call("GET", "/v1/stations/bar/recall", nil, &list)
		return err == nil && len(list.Tickets) == 1 && list.Tickets[0].ID == id
	})
	b.run(chromedp.Evaluate(`window.__release(); 1`, nil))
	b.wait("the other is refused", `window.__status === 409`)
	b.wait("and says so", `document.querySelector('.k-toast')?.innerText.includes('already bumped by test')`)
	b.wait("nothing is kept to be sent", `!localStorage['aboyeur.outbox.kitchen']`)
	for _, p := range []*page{a, b} {
		p.wait("both pages show the same", "!"+card(id)+` && document.documentElement.dataset.open === '0'`)
	}
	a.r.wait("Undo there", func() bool { // a second blow on one slot within 400 ms is a bounce
		var back bool
		return chromedp.Run(a.ctx, chromedp.Evaluate(fmt.Sprintf(`document.querySelector('[data-act=undo][data-id="%s"]')?.click(); !!`+card(id), id), &back)) == nil && back
	})
	b.wait("brings it back here", card(id))
}
