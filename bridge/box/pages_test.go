package box

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"aboyeur/bridge/web/webtest"
	"aboyeur/simulate/dinner"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the pages over a real box")

// browser is the one Chromium of this test binary.
var browser webtest.Browser

// page is one tab, signed in at the rig's box.
type page struct {
	r   *rig
	ctx context.Context
}

func (r *rig) page() *page {
	r.t.Helper()
	p := &page{r, browser.Tab(r.t, 5*time.Minute)}
	p.run(emulation.SetFocusEmulationEnabled(true), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(r.base+"/sign-in"), chromedp.WaitVisible("#token", chromedp.ByQuery),
		chromedp.SendKeys("#token", r.token, chromedp.ByQuery), webtest.Click("#go"))
	p.wait("signed in", `location.pathname === '/'`)
	return p
}

func (p *page) run(actions ...chromedp.Action) {
	p.r.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.r.t.Fatalf("browser: %v", err)
	}
}

// wait polls an expression until it is true.
func (p *page) wait(what, expression string) {
	p.r.t.Helper()
	p.r.wait(what+": "+expression, func() bool {
		var ok bool
		err := chromedp.Run(p.ctx, chromedp.Evaluate("!!("+expression+")", &ok))
		return err == nil && ok
	})
}

// shoot takes a picture when pictures are asked for.
func (p *page) shoot(name string) {
	p.r.t.Helper()
	if *screenshots == "" {
		return
	}
	if err := webtest.Shoot(p.ctx, *screenshots, name); err != nil {
		p.r.t.Fatal(err)
	}
}

// click presses what the page offers.
func (p *page) click(selector string) {
	p.r.t.Helper()
	p.wait("something to click", fmt.Sprintf("document.querySelector(%q)", selector))
	p.run(webtest.Click(selector))
}

// TestPagesOverARealBox is the cook's and the manager's evening in a real browser: an order appears, leaves with its bump
// and comes back with Undo; the page outlives a restart of the box; and the console shows the proof of printing.
func TestPagesOverARealBox(t *testing.T) {
	r := newRig(t)
	r.start()
	kitchen := r.page()
	kitchen.run(chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(r.base+"/screens/kitchen"))
	kitchen.wait("the board is live", `document.querySelector('#board')?.getAttribute('aria-busy') === 'false'`)
	v := r.place(orderOf(13)) // one ticket, for the bar
	id := v.Tickets[0].ID
	card := fmt.Sprintf(`document.querySelector('.k-card[data-ticket="%s"]')`, id)
	kitchen.wait("the ticket appears", card)
	kitchen.wait("it reads as the order does", card+`.innerText.includes('Café allongé')`)
	r.wait("the box knows that it was painted", func() bool {
		for _, s := range r.get(v.ID).Timeline {
			if s.Event == "painted" {
				return true
			}
		}
		return false
	})
	kitchen.click(fmt.Sprintf(`[data-act=bump][data-id="%s"]`, id))
	kitchen.wait("the bump takes it away", "!"+card)
	r.wait("the box has the bump", func() bool { return r.get(v.ID).Tickets[0].State == "ready" })
	undo := fmt.Sprintf(`[data-act=undo][data-id="%s"]`, id)
	kitchen.wait("Undo is offered", fmt.Sprintf(`document.querySelector('%s')`, strings.ReplaceAll(undo, `'`, `\'`)))
	// The page takes a second blow on one slot within 400 ms for a bounce.
	kitchen.r.wait("Undo brings it back", func() bool {
		_ = chromedp.Run(kitchen.ctx, chromedp.Evaluate(fmt.Sprintf(`document.querySelector('%s')?.click()`, undo), nil))
		var back bool
		return chromedp.Run(kitchen.ctx, chromedp.Evaluate("!!"+card, &back)) == nil && back
	})
	r.wait("the box has the undo", func() bool { return r.get(v.ID).Tickets[0].State == "new" })

	r.down()
	kitchen.run(webtest.Later(13 * time.Second))
	kitchen.wait("the page says that it is cut off", `document.body.innerText.includes('No connection') || document.documentElement.classList.contains('offline')`)
	kitchen.shoot("real-kitchen-offline")
	r.start()
	later := r.place(orderOf(29))
	kitchen.wait("the page came back by itself and shows the new ticket", fmt.Sprintf(`document.querySelector('.k-card[data-ticket="%s"]')`, later.Tickets[0].ID))
	kitchen.wait("the old one is still there", card)
	kitchen.shoot("real-kitchen")

	whole := r.done(r.place(orderOf(0)).ID)
	if *screenshots != "" {
		r.busy(kitchen, whole.Tickets[0].Jobs[0].ID)
	}
	console := r.page()
	console.wait("the orders are listed", `document.body.innerText.includes('X00000X')`)
	console.shoot("real-orders")
	console.run(chromedp.Navigate(r.base + "/orders/" + whole.ID))
	console.wait("the time line shows the proof", `document.querySelector('.ev[data-event=job_printed][data-kind=proof]')?.innerText.includes('GS ( H')`)
	console.wait("the ticket's picture is drawn", `document.querySelector('.ticket-picture')?.naturalWidth > 100`)
	console.shoot("real-order")
	console.run(chromedp.Navigate(r.base + "/printers"))
	console.wait("the printers are shown", `document.body.innerText.includes('grill') && document.body.innerText.includes('TM-T88')`)
	console.shoot("real-printers")
}

// busy makes an evening to be looked at, and takes the pictures of kitchen screen and paper.
func (r *rig) busy(kitchen *page, job string) {
	r.t.Helper()
	for n := 1; n < 10; n++ {
		o := orderOf(n)
		if o.Service == "dine_in" {
			o.Partner = dinner.Partner{}
		}
		r.done(r.place(o).ID)
	}
	changed := orderOf(6)
	changed.Version, changed.Lines[0].Quantity = 2, 2
	for _, v := range r.list() {
		if v.SourceOrderID == changed.SourceOrderID {
			_, _ = r.call(http.MethodPut, "/v1/orders/"+v.ID, changed, nil)
		}
	}
	kitchen.wait("all are there", `document.querySelectorAll('.k-card').length >= 5`)
	kitchen.shoot("real-kitchen-busy")
	picture := r.fetch("/v1/jobs/" + job + "/preview.png")
	if err := os.WriteFile(filepath.Join(*screenshots, "real-ticket.png"), picture, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// list reads the newest orders.
func (r *rig) list() []orderView {
	r.t.Helper()
	var page struct{ Orders []orderView }
	if status, err := r.call(http.MethodGet, "/v1/orders", nil, &page); err != nil || status != http.StatusOK {
		r.t.Fatalf("list orders: %d %v", status, err)
	}
	return page.Orders
}
