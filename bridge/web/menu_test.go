package web

import "testing"

// TestMenuOnAPhone: on a narrow glass the pages are behind a menu that keys alone can use.
func TestMenuOnAPhone(t *testing.T) {
	t.Parallel()
	_, b := consoleTab(t, "/help?language=en")
	b.size(375, 812)
	b.wait("the pages are put away", "!document.querySelector('#side').offsetParent && document.querySelector('#menu').offsetParent")
	b.eval("document.querySelector('#menu').focus()")
	b.click("#menu")
	b.wait("all pages, this one has the focus, the rest rests", "document.querySelectorAll('#side a').length >= 7 && document.activeElement.getAttribute('aria-current') === 'page' && document.querySelector('#main').inert")
	if got := b.eval("Math.min(...[...document.querySelectorAll('#side a')].map(e => e.getBoundingClientRect().height)) >= 44"); got != "true" {
		t.Error("an entry is too small to touch")
	}
	b.shoot("phone-menu")
	b.key("Escape", "Escape")
	b.wait("closed, back at the button", "document.activeElement.id === 'menu' && !document.querySelector('#side').getClientRects().length && !document.querySelector('#main').inert")
	b.click("#menu")
	b.click("#side a[href='/devices']")
	b.wait("there", "location.pathname === '/devices' && !document.querySelector('#side').getClientRects().length")
	b.size(1440, 900)
	b.wait("on a desk there is no menu", "!document.querySelector('#menu').getClientRects().length && document.querySelector('#side').getClientRects().length")
}
