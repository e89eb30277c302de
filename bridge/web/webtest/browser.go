// Package webtest drives Chromium for the tests that look at pages: one browser a test binary, a tab a page.
package webtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// starting is how long Chromium may take to come up on a machine that has other work.
const starting = 2 * time.Minute

// A Browser is the one Chromium of a test binary. Its zero value starts it with the first tab; Close ends it. Tests may
// use it at the same time: each has a profile of its own, with its cookies, storage and cache, which its tabs share.
type Browser struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error

	mu       sync.Mutex
	profiles map[testing.TB]cdp.BrowserContextID // of the tests that run
}

// Tab opens a tab that lives as long as the test, and at most for so long. It is what chromedp.Run takes.
func (b *Browser) Tab(t testing.TB, most time.Duration) context.Context {
	t.Helper()
	b.once.Do(b.start)
	if b.err != nil {
		t.Fatal(b.err)
	}
	profile, err := b.profile(t)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithExistingBrowserContext(profile))
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, most)
	t.Cleanup(stop)
	return ctx
}

func (b *Browser) profile(t testing.TB) (cdp.BrowserContextID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id, ok := b.profiles[t]; ok {
		return id, nil
	}
	ctx := cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)
	id, err := target.CreateBrowserContext().Do(ctx)
	if err != nil {
		return "", err
	}
	b.profiles[t] = id
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.profiles, t)
		if err := target.DisposeBrowserContext(id).Do(ctx); err != nil {
			t.Errorf("browser: %v", err)
		}
	})
	return id, nil
}

// Close ends the browser, if it was started.
func (b *Browser) Close() {
	if b.stop != nil {
		b.stop()
	}
}

func (b *Browser) start() {
	b.profiles = map[testing.TB]cdp.BrowserContextID{}
	path := ""
	// The shell is Chromium without its windows: the same pages for two thirds of the work.
	for _, name := range []string{"chromium-headless-shell", "/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		b.err = errors.New("these tests look at the pages in Chromium and found none: run `make test`, which installs it")
		return
	}
	dir, err := os.MkdirTemp("", "aboyeur-browser-") // outlives the test that happened to be first
	if err != nil {
		b.err = err
		return
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(starting), chromedp.Flag("headless", "new"), chromedp.WindowSize(1440, 900)}
	for _, name := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-extensions", "hide-scrollbars",
		"disable-default-apps", "mute-audio", "disable-background-timer-throttling", "disable-renderer-backgrounding", "disable-backgrounding-occluded-windows"} {
		options = append(options, chromedp.Flag(name, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	silent := func(string, ...any) {} // a newer Chromium says things this version of the library does not know
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(silent), chromedp.WithLogf(silent))
	b.ctx = ctx
	b.stop = func() {
		_ = chromedp.Cancel(ctx) // it is going away in any case
		cancel()
		stop()
		os.RemoveAll(dir)
	}
	b.err = chromedp.Run(ctx)
}

// Click presses what selector finds. What the page draws anew between being found and being pressed is found again: the
// driver knows a node by a number, and says before it presses that the number, or the place of what it stood for, is gone. So is
// what it draws anew between press and release, when no click comes of them.
func Click(selector string) chromedp.Action {
	watch := fmt.Sprintf(`(() => {
		window.__pressed = false;
		document.addEventListener('click', e => { window.__pressed ||= Boolean(e.target.closest(%q)) }, { capture: true });
	})()`, selector)
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for tries := 1; ; tries++ {
			err := chromedp.Evaluate(watch, nil).Do(ctx)
			if err == nil {
				err = chromedp.Click(selector, chromedp.ByQuery).Do(ctx)
			}
			lost := err != nil && redrawn(err)
			if err == nil { // a page that the press left has no such thing
				_ = chromedp.Evaluate(fmt.Sprintf("window.__pressed === false && Boolean(document.querySelector(%q)?.checkVisibility())", selector), &lost).Do(ctx)
			}
			if !lost || tries == 20 {
				return err
			}
		}
	})
}

// redrawn tells whether a node was not pressed because it went away.
func redrawn(err error) bool {
	if errors.Is(err, chromedp.ErrInvalidDimensions) {
		return true
	}
	for _, said := range []string{"node with given id", "Node with given id", "Node is detached", "does not have a layout object", "Could not compute"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}

// Later has the page's clock run ahead, as if it had stood there for so long.
func Later(d time.Duration) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf("(() => { const now = Date.now; Date.now = () => now() + %d })()", d.Milliseconds()), nil)
}

// Shoot leaves a picture of a tab in a file of a folder.
func Shoot(tab context.Context, dir, name string) error {
	var picture []byte
	for range 4 { // on a busy machine a frame now and then never comes
		attempt, cancel := context.WithTimeout(tab, 3*time.Second)
		err := chromedp.Run(attempt, page.BringToFront(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
			picture, err = page.CaptureScreenshot().Do(ctx)
			return err
		}))
		cancel()
		if err == nil {
			break
		}
	}
	if picture == nil {
		return fmt.Errorf("no picture of %s", name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "_")+".png"), picture, 0o644)
}
