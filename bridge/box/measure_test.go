package box

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var measure = flag.Bool("measure", false, "measure how fast pages are, and write the figures")

// quantiles are the median and the 99th percentile.
func quantiles(ms []float64) string {
	slices.Sort(ms)
	return fmt.Sprintf("median %.1f ms, p99 %.1f ms, most %.1f ms of %d", ms[len(ms)/2], ms[len(ms)*99/100], ms[len(ms)-1], len(ms))
}

// TestMeasurePages writes with -measure how long it takes from an order's POST to its painted card in Chromium, until a page
// takes a touch, and how much script a bump costs. It asserts nothing of time: the figures are the machine's too
// (bench/README.md).
func TestMeasurePages(t *testing.T) {
	if !*measure {
		t.Skip("no -measure")
	}
	r := newRig(t)
	r.config.Stations[1].Printers = nil // paper is measured elsewhere
	r.start()
	p := r.page()
	p.run(chromedp.EmulateViewport(1920, 1080), cdppage.BringToFront()) // a tab behind another draws once a second

	// Until the page takes a touch: from the navigation's start until the board is drawn; the first of them with nothing in the
	// cache, and in turn a page that has nothing but one stylesheet and one script, which is Chromium's own part.
	blank := blankPage(t)
	measured := func(url, mark string) float64 {
		var at float64
		p.run(chromedp.Navigate(url))
		p.wait("it takes a touch", mark)
		p.run(chromedp.Evaluate(`performance.getEntriesByName('interactive')[0].startTime`, &at))
		return at
	}
	const marked = `performance.getEntriesByName('interactive').length`
	cold := func(on bool) {
		p.run(network.Enable(), network.SetCacheDisabled(on))
	}
	var ready, first, floor []float64
	for range 10 {
		cold(true)
		floor = append(floor, measured(blank, marked))
		first = append(first, measured(r.base+"/screens/kitchen", marked))
		cold(false)
		ready = append(ready, measured(r.base+"/screens/kitchen", marked))
	}
	t.Logf("navigation to board that takes touches, nothing cached: %s", quantiles(first))
	t.Logf("the same, files cached: %s", quantiles(ready))
	t.Logf("a blank page, nothing cached: %s", quantiles(floor))

	// From POST to painted card. Both clocks are this machine's.
	sent := map[string]time.Time{}
	painted := map[string]float64{}
	for round := range 6 { // a bumped slot stays empty for a while: each round begins with an empty board
		p.run(chromedp.Navigate(r.base + "/screens/kitchen"))
		p.wait("the board", `document.querySelector('#board')?.getAttribute('aria-busy') === 'false'`)
		p.run(chromedp.Evaluate(`(() => {
			window.__painted = {};
			new MutationObserver(() => {
				for (const c of document.querySelectorAll('.k-card')) {
					const id = c.dataset.ticket;
					if (window.__painted[id]) continue;
					window.__painted[id] = -1;
					requestAnimationFrame(() => { const m = new MessageChannel(); m.port1.onmessage = () => { window.__painted[id] = performance.timeOrigin + performance.now() }; m.port2.postMessage(0) });
				}
			}).observe(document.querySelector('#board'), {childList: true, subtree: true});
		})()`, nil))
		for n := range 9 {
			o := orderOf(13)
			o.SourceOrderID = fmt.Sprint("M", round, n)
			at := time.Now()
			id := r.place(o).Tickets[0].ID
			sent[id] = at
			p.wait("the card", fmt.Sprintf(`window.__painted[%q] > 0`, id))
			if _, err := r.call("POST", "/v1/tickets/"+id+"/bump", nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		var raw string
		p.run(chromedp.Evaluate(`JSON.stringify(window.__painted)`, &raw))
		if err := json.Unmarshal([]byte(raw), &painted); err != nil {
			t.Fatal(err)
		}
	}
	var took []float64
	for id, at := range sent {
		if ms := painted[id]; ms > 0 {
			took = append(took, ms-float64(at.UnixMicro())/1000)
		}
	}
	if len(took) < 30 {
		t.Fatalf("only %d of %d tickets were seen painted", len(took), len(sent))
	}
	t.Logf("POST to painted card: %s", quantiles(took))
}

// blankPage serves a page of one stylesheet and one script, both nearly empty.
func blankPage(t *testing.T) (url string) {
	files := map[string][2]string{
		"/":          {"text/html", `<!doctype html><title>blank</title><link rel="stylesheet" href="/blank.css"><script type="module" src="/blank.js"></script><p>blank</p>`},
		"/blank.css": {"text/css", "p { margin: 0 }"},
		"/blank.js":  {"text/javascript", `requestAnimationFrame(() => setTimeout(() => performance.mark('interactive')))`},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", f[0])
		fmt.Fprint(w, f[1])
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}
