package web

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"aboyeur/bridge/web/webtest"
)

var screenshots = flag.String("screenshots", "", "folder for a picture of every page, in both languages and themes")

// browser is the one Chromium of this test binary; each test opens a tab of its own in it.
var browser webtest.Browser

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	browser.Close()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// tab is one page. Tests share neither cookies nor storage; the tabs of one test do, as those of a browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	box  *fakeBox
	mu   sync.Mutex
	said []string // uncaught exceptions and refused resources
}

func openTab(t *testing.T, box *fakeBox, width, height int64) *tab {
	t.Helper()
	b := &tab{t: t, ctx: browser.Tab(t, life), box: box}
	chromedp.ListenTarget(b.ctx, func(e any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			b.said = append(b.said, text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				b.said = append(b.said, fmt.Sprintf("console: %s", e.Args[0].Value))
			}
		}
	})
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.said {
			t.Errorf("the page threw: %s", s)
		}
	})
	b.run(runtime.Enable(), network.Enable(), emulation.SetFocusEmulationEnabled(true))
	b.size(width, height)
	return b
}

// life is how long a tab may live, with all that a test does in it.
const life = 5 * time.Minute

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, height, 1, false))
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.box.server.URL + path))
}

// before has every page of the tab run a script before its own.
func (b *tab) before(script string) {
	b.t.Helper()
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	}))
}

// hasty makes what pages do every few seconds happen many times a second.
const hasty = `(every => { window.setInterval = (f, ms) => every(f, ms >= 2000 ? 100 : ms) })(window.setInterval)`

// eval gives the value of an expression, as text.
func (b *tab) eval(expression string) string {
	b.t.Helper()
	var v any
	b.run(chromedp.Evaluate(expression, &v))
	return fmt.Sprint(v)
}

// patient is how long what a page or the box shall come to may take on a machine that has other work.
const patient = time.Minute

// wait has the page look at an expression until it is true. What goes away by a navigation is asked again.
func (b *tab) wait(what, expression string) {
	b.t.Helper()
	polls := fmt.Sprintf("(async () => { for (let i = 0; i < 20; i++) { try { if (%s) return true } catch {} await new Promise(r => setTimeout(r, 15)) } return false })()", expression)
	for deadline := time.Now().Add(patient); ; {
		var ok bool
		err := chromedp.Run(b.ctx, chromedp.Evaluate(polls, &ok, awaited))
		if ok {
			return
		}
		if time.Now().After(deadline) || b.ctx.Err() != nil {
			b.t.Fatalf("%s: not so: %s (%v)\npage: %s", what, expression, err, b.text("body"))
		}
		if err != nil {
			b.pause()
		}
	}
}

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// until polls a condition of the box.
func (b *tab) until(what string, ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patient); !ok(); b.pause() {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: did not happen", what)
		}
	}
}

// pause gives the page one animation frame, which is also the pace of polling.
func (b *tab) pause() {
	_ = chromedp.Run(b.ctx, chromedp.Evaluate(`new Promise(r => setTimeout(r, 15))`, nil, awaited))
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return b.eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? '(none)'", selector))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.wait("something to click", fmt.Sprintf("document.querySelector(%q)", selector))
	b.run(webtest.Click(selector))
}

// touch taps with a finger.
func (b *tab) touch(selector string) {
	b.t.Helper()
	b.wait("something to touch", fmt.Sprintf("document.querySelector(%q)", selector))
	var at []float64
	b.run(chromedp.Evaluate(fmt.Sprintf(`(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector), &at))
	b.run(emulation.SetTouchEmulationEnabled(true),
		input.DispatchTouchEvent(input.TouchStart, []*input.TouchPoint{{X: at[0], Y: at[1]}}),
		input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}))
}

// longPress holds a finger on something for as long as a long press lasts, by the page's own clock.
func (b *tab) longPress(selector string) {
	b.t.Helper()
	b.wait("something to press", fmt.Sprintf("document.querySelector(%q)", selector))
	var at []float64
	b.run(chromedp.Evaluate(fmt.Sprintf(`(r => [r.x + Math.min(20, r.width / 2), r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector), &at))
	b.run(input.DispatchMouseEvent(input.MousePressed, at[0], at[1]).WithButton(input.Left).WithClickCount(1))
	b.wait("the press is long", "document.querySelector('#over')?.hidden === false || document.querySelector('.k-toast')")
	b.run(input.DispatchMouseEvent(input.MouseReleased, at[0], at[1]).WithButton(input.Left).WithClickCount(1))
}

// key presses a key by its code, as a bump bar does; key says what the layout makes of it.
func (b *tab) key(code, key string) {
	b.t.Helper()
	down := input.DispatchKeyEvent(input.KeyRawDown).WithCode(code).WithKey(key)
	if code == "ControlLeft" {
		down = down.WithModifiers(input.ModifierCtrl)
	}
	b.run(down, input.DispatchKeyEvent(input.KeyUp).WithCode(code).WithKey(key))
}

// settle lets the page's guard against double blows pass, by its own clock.
func (b *tab) settle() {
	b.eval(`(() => { const now = performance.now.bind(performance); performance.now = () => now() + 1000 * (window.__later = (window.__later || 0) + 1) })()`)
}

func (b *tab) shoot(name string) {
	b.t.Helper()
	if *screenshots == "" {
		return
	}
	if err := webtest.Shoot(b.ctx, *screenshots, name); err != nil {
		b.t.Fatal(err)
	}
}

// value decodes what an expression gives.
func (b *tab) value(expression string, into any) {
	b.t.Helper()
	b.run(chromedp.Evaluate(expression, into))
}
