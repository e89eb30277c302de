package web

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// TestDevicesPage: who looks at each screen, what a station does, and the browsers paired by a code.
func TestDevicesPage(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/devices")
	b.wait("pairings", "document.querySelectorAll('.pairings tbody tr').length === 2")
	if got := b.text(".tile[data-name=grill]"); !strings.Contains(got, "live") || !strings.Contains(got, "2 browsers show it") || !strings.Contains(got, "7 open tickets") {
		t.Errorf("a screen that is looked at reads %q", got)
	}
	if got := b.text(".tile[data-name=bar]"); !strings.Contains(got, "silent") || !strings.Contains(got, "grill shows its tickets") {
		t.Errorf("a silent screen reads %q", got)
	}
	b.fill("#code", "zzzz")
	b.click(".pair-form button")
	b.wait("a wrong code says so", "document.querySelector('.toast.bad')?.innerText.includes('no screen shows this code')")
	b.fill("#code", "k7q2")
	b.click(".pair-form button")
	b.until("approved", func() bool { return box.count("approve grill") == 1 })
	b.click(".pairings .danger")
	b.click("dialog .danger")
	b.until("revoked", func() bool { return box.count("revoke p1") == 1 })
	b.wait("gone", "document.querySelectorAll('.pairings tbody tr').length === 1")

	b.wait("a closed station says who does its work", "document.querySelector('.stations tbody tr:nth-child(3)').innerText.includes('closed: grill does its work')")
	b.click(".stations tbody tr:nth-child(2) button")
	b.wait("the consequence in the button", "document.querySelector('dialog .primary')?.innerText === 'Close bar: grill does its work' && document.querySelector('dialog').innerText.includes('Its 2 open tickets')")
	b.click("dialog .primary")
	b.until("closed", func() bool { return box.count("close bar grill") == 1 })
	b.click(".stations tbody tr:nth-child(3) button")
	b.until("opened again", func() bool { return box.count("open pastry ") == 1 })
	b.shoot("devices")
}

// TestLongTables: 3000 rows are sorted, filtered and saved, and only those in sight are in the page; new ones wait while
// the pointer is over them.
func TestLongTables(t *testing.T) {
	t.Parallel()
	box, b := consoleTab(t, "/help")
	box.mu.Lock()
	box.pairings = manyPairings(3000)
	box.mu.Unlock()
	b.open("/devices")
	b.wait("some of 3000", "document.querySelector('.pairings')?.getAttribute('aria-rowcount') === '3001' && document.querySelectorAll('.pairings tbody tr').length < 200")
	b.eval("document.querySelector('#main').scrollTop = document.querySelector('#main').scrollHeight")
	b.wait("the last one comes into sight", "[...document.querySelectorAll('.pairings tbody tr')].some(r => r.innerText.includes('Tablet 1\\t'))")
	if got := b.eval("document.querySelectorAll('.pairings tbody tr').length < 200"); got != "true" {
		t.Error("all rows are in the page")
	}
	b.eval("document.querySelector('#main').scrollTop = 0")
	b.click(".pairings th:nth-child(2) button")
	b.wait("sorted by number, not by letter", "[...document.querySelectorAll('.pairings tbody tr:not(.gap) td:nth-child(2)')].slice(0, 2).map(e => e.innerText).join() === 'Tablet 1,Tablet 2'")
	b.click(".pairings th:nth-child(2) button")
	b.wait("and down", "document.querySelector('.pairings tbody tr:not(.gap) td:nth-child(2)').innerText === 'Tablet 3000' && document.querySelector('.pairings th:nth-child(2)').ariaSort === 'descending'")
	b.fill(".tools input", "tablet 299")
	b.wait("filtered by typing", "document.querySelectorAll('.pairings tbody tr').length === 11 && document.querySelector('.tools .counted').innerText === '11 of 3,000'")
	b.eval("URL.createObjectURL = blob => { blob.text().then(text => { window.__csv = text }); return 'blob:none' }; HTMLAnchorElement.prototype.click = function () { window.__name = this.download }")
	b.click(".tools .quiet")
	b.wait("what is shown is saved, buttons left out", "window.__csv?.split('\\r\\n').length === 13 && window.__name.startsWith('pairings-') && window.__csv.split('\\r\\n')[1].startsWith('bar,Tablet 2999,')")
	b.fill(".tools input", "nothing of that")
	b.wait("a sentence", "document.body.innerText.includes('Nothing matches')")
	b.fill(".tools input", "")

	b.size(375, 812)
	b.eval("(e => { e.value = '1 up'; e.dispatchEvent(new Event('change')) })(document.querySelector('.tools .order'))")
	b.wait("without heads the order is chosen from a list", "document.querySelector('.tools .order').getClientRects().length && document.querySelector('.pairings tbody tr:not(.gap) td:nth-child(2)').innerText === 'Tablet 1' && document.documentElement.scrollWidth === 375")
	b.size(1440, 900)
	box.mu.Lock()
	box.pairings = cannedPairings()
	box.mu.Unlock()
	box.tell("access", object{})
	b.wait("two", "document.querySelectorAll('.pairings tbody tr').length === 2")
	b.eval("document.querySelector('.pairings tbody').dispatchEvent(new PointerEvent('pointerenter', {pointerType: 'mouse'}))")
	box.mu.Lock()
	box.pairings = append(manyPairings(3), box.pairings...)
	box.mu.Unlock()
	box.tell("access", object{})
	b.wait("new ones wait", "[...document.querySelectorAll('.more-new')].some(e => !e.hidden && e.innerText === '3 new – show')")
	if got := b.eval("document.querySelectorAll('.pairings tbody tr').length"); got != "2" {
		t.Errorf("%s rows under the pointer, want 2", got)
	}
	b.eval("[...document.querySelectorAll('.more-new')].find(e => !e.hidden).click()")
	b.wait("shown when asked", "document.querySelectorAll('.pairings tbody tr').length === 5")
}

// TestTabsShareOneStream: two tabs of a browser hold one event stream between them, both hear of a change, and the one
// that stays hears it when the other is closed; with shared workers and without.
func TestTabsShareOneStream(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"shared worker", "elected tab"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			box := newFakeBox(t, Config{Language: "en"})
			box.printers = cannedPrinters()
			readers := func() int {
				box.mu.Lock()
				defer box.mu.Unlock()
				return len(box.readers)
			}
			open := func() *tab {
				b := openTab(t, box, 900, 700)
				if mode == "elected tab" {
					b.before("delete window.SharedWorker")
				}
				b.open("/printers")
				b.wait("cards", "document.querySelectorAll('.tile').length === 4")
				return b
			}
			first := open()
			first.until("it listens", func() bool { return readers() == 1 })
			if targets, err := chromedp.Targets(first.ctx); err != nil {
				t.Error(err)
			} else if worker := slices.ContainsFunc(targets, func(i *target.Info) bool {
				return i.Type == "shared_worker" && strings.HasPrefix(i.URL, box.server.URL)
			}); worker != (mode == "shared worker") {
				t.Errorf("a shared worker runs: %v", worker)
			}
			second := open()
			change := func(state string) {
				box.mu.Lock()
				box.printers[0]["state"] = state
				box.mu.Unlock()
				box.tell("printer", object{})
			}
			shows := func(state string) string {
				return "document.querySelector('[data-name=grill] .state').innerText === '" + state + "'"
			}
			change("offline")
			first.wait("the first tab hears it", shows("offline"))
			second.wait("so does the second", shows("offline"))
			if n := readers(); n != 1 {
				t.Errorf("two tabs hold %d streams, want 1", n)
			}
			first.close()
			second.until("one stream is left", func() bool { return readers() == 1 })
			second.until("the other hears on", func() bool {
				change("cover_open")
				var ok bool
				_ = chromedp.Run(second.ctx, chromedp.Evaluate(shows("cover open"), &ok))
				return ok
			})
		})
	}
}

// close shuts the tab as a person does.
func (b *tab) close() {
	b.t.Helper()
	if err := chromedp.Cancel(b.ctx); err != nil && b.ctx.Err() != context.Canceled {
		b.t.Errorf("close the tab: %v", err)
	}
}
