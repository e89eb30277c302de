package web

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

var long = flag.Bool("long", false, "look at every page in both themes and languages with axe-core")

// axeCore is the checker as its makers ship it (testdata/axe, with its licence).
func axeCore(t *testing.T) string {
	t.Helper()
	packed, err := os.ReadFile("testdata/axe/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	script, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// runAxe gives the serious and critical findings, a line each.
const runAxe = `axe.run(document, {preload: false, resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then(r => r.violations
	.filter(v => v.impact === 'serious' || v.impact === 'critical')
	.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary.replace(/\s+/g, ' ').slice(0, 200))).join('\n'))`

// checked has every page of the tab bring the checker along.
func (b *tab) checked() *tab {
	b.t.Helper()
	b.before(axeCore(b.t))
	return b
}

func (b *tab) axe(path string) {
	b.t.Helper()
	var found string
	b.run(chromedp.Evaluate(runAxe, &found, awaited))
	for line := range strings.Lines(found) {
		b.t.Errorf("%s: %s", path, strings.TrimSpace(line))
	}
}

// TestAccessibility runs axe-core in every page, in the state that has most on it: no serious finding on any of them; nor
// is any wider than a phone. A page is looked at in one theme
// and language, its contrast in both themes; with -long all of it.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	box, paths, ready := fullBox(t)
	const tabs = 4
	for n := range tabs {
		t.Run(fmt.Sprintf("console %d of %d", n+1, tabs), func(t *testing.T) {
			t.Parallel()
			b := openTab(t, box, 1440, 900).checked()
			for i, path := range paths {
				if i%tabs != n {
					continue
				}
				for look := range 2 {
					if look > 0 && !*long {
						break
					}
					at := i/tabs + look
					b.open(fmt.Sprintf("%s?theme=%s&language=%s", path, []string{"day", "night"}[at%2], []string{"en", "fr"}[(at+i)%2]))
					b.wait(path, ready[path])
					b.size(375, 812)
					b.fits(path)
					b.size(1440, 900)
					b.axe(path)
					if got := b.eval(wayfinding); got != "" {
						t.Errorf("%s: %s", path, got)
					}
					if weak := b.eval("(r => r.dataset.theme = r.dataset.theme === 'day' ? 'night' : 'day')(document.documentElement), " + weakText); weak != "" {
						t.Errorf("%s by the other theme: contrast below 4.5: %s", path, weak)
					}
				}
			}
		})
	}
	for _, theme := range []string{"night", "day"} {
		t.Run("kitchen by "+theme, func(t *testing.T) {
			t.Parallel()
			kitchen := newFakeBox(t, Config{Screens: []Screen{{Name: "grill", Theme: theme, Stations: []string{"grill"}}, {Name: "expo", Theme: theme}}})
			kitchen.tickets, kitchen.printers, kitchen.warnings, kitchen.bumped, kitchen.pass.rows = service(), cannedPrinters(), cannedWarnings(), recalled(), passOf()
			k := openTab(t, kitchen, 1920, 1080).checked()
			k.open("/screens/grill")
			k.wait("cards", "document.querySelectorAll('.k-card').length > 4")
			k.axe("the board")
			if got := k.eval(wayfinding); got != "" {
				t.Errorf("the board: %s", got)
			}
			if theme == "day" && !*long {
				return // TestContrast compares the colours of both themes
			}
			k.click("#settings")
			k.axe("settings")
			k.eval("document.querySelector('[data-close]').click()")
			k.click("#recall")
			k.wait("recall", "document.querySelector('.k-recall')")
			k.axe("recall")
			for path, drawn := range map[string]string{"/expo": "document.querySelectorAll('.x-row').length === 7", "/screens/grill/keys": "document.body.dataset.ready === ''", "/screens/nowhere": "document.querySelector('.choices')"} {
				k.open(path)
				k.wait(path, drawn)
				k.axe(path)
			}
		})
	}
}

// wayfinding says what a page lacks for who finds the way by heading, title or key: one h1, a title of its own, its language, and
// a mark that can be seen on whatever the Tab key reaches.
const wayfinding = `(() => {
	const lacks = [], seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility === 'visible';
	const heads = [...document.querySelectorAll('h1')].filter(seen).length;
	if (heads !== 1) lacks.push(heads + ' h1');
	if (!/\S+ · .*Aboyeur$/.test(document.title)) lacks.push('title ' + document.title);
	if (!document.documentElement.lang) lacks.push('no language');
	const back = document.activeElement;
	for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
		if (!seen(e) || e.disabled) continue;
		e.focus({preventScroll: true, focusVisible: true});
		if (document.activeElement !== e) continue;
		const s = getComputedStyle(e);
		if ((s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2) && s.boxShadow === 'none') lacks.push('no visible focus on ' + (e.id || e.className || e.tagName));
	}
	back?.focus?.({preventScroll: true});
	return [...new Set(lacks)].slice(0, 8).join('; ');
})()`

// weakText lists elements whose own text has less than 4.5:1 against the first ground behind it that is not clear.
const weakText = `(() => {
	const rgba = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
	const weak = [];
	for (const e of document.querySelectorAll('body *')) {
		if (!e.offsetParent || e.disabled || e.closest('button:disabled, svg, .hide, .skip')) continue;
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		let ground = e;
		while (ground.parentElement && rgba(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
		const ink = rgba(getComputedStyle(e).color);
		if (ink[3] === 0) continue;
		const a = light(ink.slice(0, 3)), b = light(rgba(getComputedStyle(ground).backgroundColor).slice(0, 3));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) weak.push(e.className + ' ' + e.innerText.slice(0, 30) + ' ' + ratio.toFixed(2));
	}
	return [...new Set(weak)].slice(0, 10).join('; ');
})()`
