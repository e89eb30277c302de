package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

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

func (b *tab) axe(path, script string) {
	b.t.Helper()
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, exception, err := runtime.Evaluate(script).Do(ctx)
		if exception != nil {
			return exception
		}
		return err
	}))
	var found string
	b.run(chromedp.Evaluate(runAxe, &found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	for line := range strings.Lines(found) {
		b.t.Errorf("%s: %s", path, strings.TrimSpace(line))
	}
}

// TestAccessibility runs axe-core in every page: no serious finding on any of them; nor is any wider than a phone.
func TestAccessibility(t *testing.T) {
	script := axeCore(t)
	box, paths, ready := fullBox(t)
	var b *tab
	for i, path := range paths {
		if i%6 == 0 { // a tab has only so much time
			b = openTab(t, box, 1440, 900)
		}
		b.open(fmt.Sprintf("%s?theme=%s&language=%s", path, []string{"day", "night"}[i%2], []string{"en", "fr"}[i/2%2]))
		b.wait(path, ready[path])
		b.size(375, 812)
		b.fits(path)
		b.size(1440, 900)
		b.axe(path, script)
	}
	for _, theme := range []string{"night", "day"} {
		kitchen := newFakeBox(t, Config{Screens: []Screen{{Name: "grill", Theme: theme, Stations: []string{"grill"}}, {Name: "expo", Theme: theme}}})
		kitchen.tickets, kitchen.printers, kitchen.warnings, kitchen.bumped, kitchen.pass.rows = service(), cannedPrinters(), cannedWarnings(), recalled(), passOf()
		k := openTab(t, kitchen, 1920, 1080)
		for path, drawn := range map[string]string{"/screens/grill": "document.querySelectorAll('.k-card').length > 4", "/expo": "document.querySelectorAll('.x-row').length === 7", "/screens/grill/keys": "document.body.dataset.ready === ''", "/screens/nowhere": "document.querySelector('.choices')"} {
			if theme == "day" && path != "/screens/grill" {
				continue // TestContrast compares the colours of both themes
			}
			k.open(path)
			k.wait(path, drawn)
			k.axe(path+" by "+theme, script)
			if path == "/screens/grill" {
				k.click("#settings")
				k.axe(path+" settings by "+theme, script)
				k.eval("document.querySelector('[data-close]').click()")
				k.click("#recall")
				k.wait("recall", "document.querySelector('.k-recall')")
				k.axe(path+" recall by "+theme, script)
			}
		}
	}
}
