package web

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func TestOffsets(t *testing.T) {
	now := time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"Europe/Paris":  "1792890000:3600 1806195600:7200 1824944400:3600 1837645200:7200",
		"Asia/Tokyo":    "-577962000:32400",
		"UTC":           "0:0",
		"Europe/Nowher": "0:0",
	} {
		if got := offsets(zone, now); got != want {
			t.Errorf("offsets(%s) = %s, want %s", zone, got, want)
		}
	}
}

// The clock of a page is the venue's, before and after its clocks are changed, now and long ago.
func TestClockOfThePage(t *testing.T) {
	t.Parallel()
	b := openTab(t, newFakeBox(t, Config{Language: "fr"}), 900, 700)
	b.open("/help")
	b.wait("the page", "document.querySelector('#who').innerText")
	year := time.Now().Year()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{time.Now(), time.Date(year+1, 3, 28, 0, 59, 0, 0, time.UTC), time.Date(year+1, 7, 14, 22, 30, 0, 0, time.UTC), time.Date(year+1, 12, 24, 23, 5, 0, 0, time.UTC),
		time.Date(year-3, 6, 1, 12, 0, 0, 0, time.UTC), time.Date(year+9, 6, 1, 12, 0, 0, 0, time.UTC)} {
		var got string
		b.run(chromedp.Evaluate(fmt.Sprintf("import(document.querySelector('script[src*=words]').src.replace(/words.*/, 'base.js')).then(m => m.clock(%d))", at.UnixMilli()), &got,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		if want := at.In(paris).Format("15:04"); got != want {
			t.Errorf("at %s the clock shows %s, want %s", at, got, want)
		}
	}
}
