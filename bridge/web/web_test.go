package web

import (
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aboyeur/bridge/access"
	"aboyeur/bridge/words"
)

// site is the pages without a box.
func site(c Config) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes(c, files()) {
		mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, q *http.Request) {
			if err := r.Handle(w, q); err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
			}
		})
	}
	return mux
}

func fetch(t *testing.T, c Config, path string, header ...string) *http.Response {
	t.Helper()
	return ask(site(c), path, header...)
}

func ask(site http.Handler, path string, header ...string) *http.Response {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w.Result()
}

func TestRoutesSayWhoMayUseThem(t *testing.T) {
	public := []string{"/pair", "/sign-in", "/assets/{version}/{file}", "/favicon.ico"}
	for _, r := range Routes(Config{}) {
		if (len(r.Roles) == 0) != slices.Contains(public, r.Path) {
			t.Errorf("%s has roles %v", r.Path, r.Roles)
		}
		if slices.Contains(r.Roles, access.Screen) != slices.Contains([]string{"/screens/{screen}", "/screens/{screen}/keys", "/expo"}, r.Path) {
			t.Errorf("%s: a paired screen may open only its own page, roles are %v", r.Path, r.Roles)
		}
		if !r.Page && !strings.HasPrefix(r.Path, "/assets/") && r.Path != "/favicon.ico" {
			t.Errorf("%s is neither a page nor a file", r.Path)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, path := range []string{"/", "/orders/x", "/screens/grill", "/pair", "/sign-in", "/favicon.ico"} {
		h := fetch(t, Config{Screens: []Screen{{Name: "grill"}}}, path).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("ETag") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestPagesAndAssetsAreCached(t *testing.T) {
	page := fetch(t, Config{}, "/help")
	if got := fetch(t, Config{}, "/help", "If-None-Match", page.Header.Get("ETag")); got.StatusCode != http.StatusNotModified {
		t.Errorf("the same page again: %d, want 304", got.StatusCode)
	}
	if got := fetch(t, Config{}, "/help", "If-None-Match", page.Header.Get("ETag"), "Cookie", "language=fr"); got.StatusCode != http.StatusOK {
		t.Errorf("the page in another language: %d, want 200", got.StatusCode)
	}
	a := newAssets()
	file := fetch(t, Config{}, "/assets/"+a.version+"/style.css")
	if got := file.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("a file of this version: Cache-Control %q, want immutable", got)
	}
	if got := fetch(t, Config{}, "/assets/old/style.css").Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("a file under an old version: Cache-Control %q, want no-cache", got)
	}
	if got := fetch(t, Config{}, "/assets/"+a.version+"/none.js").StatusCode; got != http.StatusNotFound {
		t.Errorf("a file that is not there: %d, want 404", got)
	}
	if got := fetch(t, Config{}, "/assets/"+a.version+"/words.fr.js"); got.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("words have type %q", got.Header.Get("Content-Type"))
	}
}

func TestChoosingALanguage(t *testing.T) {
	r := fetch(t, Config{}, "/orders?language=fr&state=cancelled")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/orders?state=cancelled" || !strings.HasPrefix(r.Header.Get("Set-Cookie"), "language=fr;") {
		t.Errorf("choosing French: %d to %q, cookie %q", r.StatusCode, r.Header.Get("Location"), r.Header.Get("Set-Cookie"))
	}
	if r := fetch(t, Config{}, "/orders?language=tlh"); r.StatusCode != http.StatusOK || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("choosing a language that is not there: %d, cookie %q", r.StatusCode, r.Header.Get("Set-Cookie"))
	}
}

func TestUnknownScreen(t *testing.T) {
	if r := fetch(t, Config{Screens: []Screen{{Name: "grill"}}}, "/screens/gril"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a screen that is not configured: %d, want 404", r.StatusCode)
	}
}

// Nothing of a page comes from elsewhere, and nothing in it needs an exception of the policy.
func TestPagesAreSelfContained(t *testing.T) {
	outside := regexp.MustCompile(`https?://[^\s"']*`)
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=`)
	each(t, func(name, text string) {
		for _, u := range outside.FindAllString(text, -1) {
			if !strings.HasPrefix(u, "http://www.w3.org/") {
				t.Errorf("%s names %s", name, u)
			}
		}
		if strings.HasSuffix(name, ".html") && inline.MatchString(text) {
			t.Errorf("%s has inline script or style: %s", name, inline.FindString(text))
		}
		for _, unsafe := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} {
			if strings.Contains(text, unsafe) {
				t.Errorf("%s uses %s; text reaches a page only as text", name, unsafe)
			}
		}
	})
}

func each(t *testing.T, f func(name, text string)) {
	t.Helper()
	for _, dir := range []fs.FS{assetFiles, pageFiles} {
		err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(dir, path)
			f(path, string(b))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Every key that a page, a script or Go uses is in the catalogue, and every key there is used by somebody.
func TestWordsAreUsedAndThere(t *testing.T) {
	t.Parallel()
	c := words.In("en")
	used := map[string]bool{}
	use := func(where, key string) {
		switch {
		case strings.HasSuffix(key, "."), strings.HasSuffix(key, "_"): // a family: t('state.' + state), t('set.tick_' + name)
			found := false
			for _, k := range c.Keys() {
				if strings.HasPrefix(k, key) {
					used[k], found = true, true
				}
			}
			if !found {
				t.Errorf("%s uses words %s…, there are none", where, key)
			}
		case c.Has(key):
			used[key] = true
		case c.Has(key + ".one"):
			used[key+".one"], used[key+".other"] = true, true
		default:
			t.Errorf("%s uses %q, which no catalogue has", where, key)
		}
	}
	template := regexp.MustCompile(`\.T "([^"]+)"`)
	family := regexp.MustCompile(`['"]([a-z][a-z_]*\.(?:[a-z_]+\.)?)['"]`)
	// A key is a quoted dotted name whose first part heads a family of the catalogue.
	heads := map[string]bool{}
	for _, k := range c.Keys() {
		heads[k[:strings.Index(k, ".")]] = true
	}
	quoted := regexp.MustCompile(`['"]([a-z][a-z_]*\.[a-z0-9_.]*[a-z0-9_])['"]`)
	each(t, func(name, text string) {
		for _, m := range template.FindAllStringSubmatch(text, -1) {
			use(name, m[1])
		}
		if !strings.HasSuffix(name, ".js") {
			return
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if heads[m[1][:strings.Index(m[1], ".")]] && !strings.HasSuffix(m[1], ".js") {
				use(name, m[1])
			}
		}
		for _, m := range family.FindAllStringSubmatch(text, -1) {
			if heads[m[1][:strings.Index(m[1], ".")]] {
				use(name, m[1])
			}
		}
	})
	inGo := regexp.MustCompile(`(?:\.T|\.N)\("([a-z_]+\.[a-z0-9_.]*)"`)
	root := filepath.Join("..", "..")
	for _, dir := range []string{"bridge", "cmd", "devices"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range inGo.FindAllStringSubmatch(string(b), -1) {
				use(path, m[1])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Families that Go reaches by a name it computes: words of warnings, of ways to pay and of reasons on paper.
	use("bridge/box", "warning.")
	use("bridge/box", "pay.")
	use("bridge/kitchen", "reason.")
	use("bridge/kitchen", "diagnosis.")
	use("bridge/menu", "menu.lint.")
	for _, k := range c.Keys() {
		if !used[k] {
			t.Errorf("%q is in the catalogues and nobody uses it", k)
		}
	}
}

// Text on kitchen screens has a contrast of at least 7:1, in the console 4.5:1, in both themes.
func TestContrast(t *testing.T) {
	css, err := assetFiles.ReadFile("asset/style.css")
	if err != nil {
		t.Fatal(err)
	}
	themes := map[string]map[string]string{}
	block := regexp.MustCompile(`(?s):root\[data-theme="(\w+)"\] \{(.*?)\}`)
	property := regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{6});`)
	for _, m := range block.FindAllStringSubmatch(string(css), -1) {
		if themes[m[1]] != nil {
			continue
		}
		themes[m[1]] = map[string]string{}
		for _, p := range property.FindAllStringSubmatch(m[2], -1) {
			themes[m[1]][p[1]] = p[2]
		}
	}
	if len(themes) != 2 {
		t.Fatalf("found themes %v, want day and night", themes)
	}
	for theme, colour := range themes {
		for _, pair := range []struct {
			text, ground string
			least        float64
		}{
			{"ink", "ground", 7}, {"ink", "card", 7}, {"ink", "raised", 7}, {"ink-2", "ground", 7}, {"ink-2", "card", 7}, {"ink-2", "raised", 7},
			{"on-age-warn", "age-warn", 7}, {"on-age-late", "age-late", 7}, {"on-allergy", "allergy", 7}, {"on-flag", "flag", 7}, {"on-accent", "accent", 7}, {"accent", "card", 7},
			{"ink-3", "ground", 4.5}, {"ink-3", "card", 4.5}, {"ink-3", "raised", 4.5}, {"ok", "card", 4.5}, {"warn", "card", 4.5}, {"bad", "card", 4.5}, {"card", "bad", 4.5},
			{"ink", "ok-soft", 4.5}, {"ink", "warn-soft", 4.5}, {"ink", "bad-soft", 4.5}, {"ink", "accent-soft", 4.5}, {"ink", "rail", 4.5}, {"ink-2", "rail", 4.5},
		} {
			text, ground := colour[pair.text], colour[pair.ground]
			if text == "" || ground == "" {
				t.Errorf("%s lacks --%s or --%s", theme, pair.text, pair.ground)
				continue
			}
			if got := contrast(text, ground); got < pair.least {
				t.Errorf("%s: --%s on --%s has contrast %.1f, want %.1f", theme, pair.text, pair.ground, got, pair.least)
			}
		}
	}
}

// contrast is that of WCAG 2.2.
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + .05) / (math.Min(la, lb) + .05)
}

func luminance(colour string) float64 {
	var sum float64
	for i, weight := range []float64{.2126, .7152, .0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(fmt.Sprintf("colour %q", colour))
		}
		c := float64(v) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
