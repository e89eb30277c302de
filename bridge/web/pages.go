package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/bridge/api"
	"aboyeur/bridge/words"
)

//go:embed page/*.html
var pageFiles embed.FS

// Cookies by which a browser keeps what its person chose.
const (
	languageCookie = "language"
	themeCookie    = "theme"
)

// pages renders the shells.
type pages struct {
	Config
	assets *assets
	shells map[string]func() *template.Template // by page name; read when it is first shown
}

// shell is what a template sees.
type shell struct {
	*words.Catalogue
	Page    string // "orders"
	Path    string // of this request, for the language and theme switches
	Theme   string // "day" or "night"
	Site    string
	Config  Config
	Screen  Screen
	Missing string // name of a screen that does not exist
	Topic   string // of the guide
	Assets  string // "/assets/VERSION/"
	Offsets string // of the venue's clock: offsets
	Style   string // name of the page's own stylesheet, if it has one
}

// style names the page's own stylesheet, which comes after the shared one and has the page's name; "" when there is none.
func (p *pages) style(page string) string {
	switch page {
	case "pair", "sign-in", "missing":
		return "card"
	}
	if _, ok := p.assets.files[page+".css"]; ok {
		return page
	}
	return ""
}

// entry is a line of the console's navigation: a page, or a group of pages that are listed below it while one of them is
// open. A page's name is its shell (page/NAME.html), its script and, if it has one, its stylesheet; a line's name is its icon
// (page/icons.html); nav.NAME is the word of either. A page's address is /NAME, in a group /GROUP/NAME.
type entry struct {
	Name  string
	Pages []string // of a group, in the order of its list; its own line leads to the first
}

// Holds tells whether a page belongs to the group.
func (e entry) Holds(page string) bool { return slices.Contains(e.Pages, page) }

// navigation lists the console's pages in the order of its frame.
func navigation() []entry {
	return []entry{
		{Name: "orders"}, {Name: "tables"}, {Name: "menus"},
		{Name: "integration", Pages: []string{"reservations", "activity", "delivery", "bookings", "departments", "floorplans", "tills"}},
		{Name: "hotel"}, {Name: "printers"}, {Name: "devices"}, {Name: "reports"}, {Name: "health"}, {Name: "people"}, {Name: "audit"}, {Name: "help"},
	}
}

// Nav is the navigation, for the frame.
func (shell) Nav() []entry { return navigation() }

func newPages(c Config, a *assets) *pages {
	p := &pages{Config: c, assets: a, shells: map[string]func() *template.Template{}}
	funcs := template.FuncMap{"join": func(s []string) string { return strings.Join(s, " · ") }, "dashes": func(s string) string { return strings.ReplaceAll(s, "_", "-") }}
	parse := func(name string, files ...string) {
		for i := range files {
			files[i] = "page/" + files[i] + ".html"
		}
		p.shells[name] = sync.OnceValue(func() *template.Template {
			return template.Must(template.New("frame").Funcs(funcs).ParseFS(pageFiles, files...))
		})
	}
	for _, e := range navigation() {
		pages := e.Pages
		if len(pages) == 0 {
			pages = []string{e.Name}
		}
		for _, name := range pages {
			parse(name, "icons", "head", "console", name)
		}
	}
	parse("guide", "icons", "head", "console", "guide")
	for _, name := range []string{"kitchen", "keys", "expo", "pair", "sign-in", "missing"} {
		parse(name, "icons", "head", name)
	}
	return p
}

func (p *pages) console(name string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return p.send(w, r, http.StatusOK, shell{Page: name})
	}
}

// topics are the guides that are on the box, each a page of steps: guide.TOPIC.N are its words.
func topics() []string { return []string{"pos_setup", "till_functions", "till_bookings"} }

// Topics lists them, for the help page.
func (shell) Topics() []string { return topics() }

// Steps are those of the guide's topic.
func (s shell) Steps() (steps []string) {
	for n := 1; s.Has(fmt.Sprintf("guide.%s.%d", s.Topic, n)); n++ {
		steps = append(steps, s.T("guide."+s.Topic+"."+strconv.Itoa(n)))
	}
	return steps
}

func (p *pages) guide(w http.ResponseWriter, r *http.Request) error {
	topic := strings.ReplaceAll(r.PathValue("topic"), "-", "_")
	if !slices.Contains(topics(), topic) {
		return api.NotFound("guide", r.PathValue("topic"))
	}
	return p.send(w, r, http.StatusOK, shell{Page: "guide", Topic: topic})
}

func (p *pages) bare(name string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		s := shell{Page: name}
		if name == "pair" { // stands where a kitchen screen will stand
			s.Theme = "night"
		}
		return p.send(w, r, http.StatusOK, s)
	}
}

// keys serves the page on which a screen learns its keys.
func (p *pages) keys(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("screen")
	s, err := p.screen(name)
	if err != nil {
		return p.send(w, r, http.StatusNotFound, shell{Page: "missing", Missing: name})
	}
	return p.send(w, r, http.StatusOK, shell{Page: "keys", Screen: s, Theme: s.Theme})
}

// kitchen serves a screen. A screen keeps the theme of its configuration, whatever the console of the same browser uses.
func (p *pages) kitchen(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("screen")
	s, err := p.screen(name)
	if err != nil {
		return p.send(w, r, http.StatusNotFound, shell{Page: "missing", Missing: name})
	}
	return p.send(w, r, http.StatusOK, shell{Page: "kitchen", Screen: s, Theme: s.Theme})
}

// expo serves the pass. A screen of that name in the configuration gives its geometry and theme.
func (p *pages) expo(w http.ResponseWriter, r *http.Request) error {
	s, err := p.screen(expoScreen)
	if err != nil {
		s = Screen{Name: expoScreen, DiagonalInches: defaultDiagonal, DistanceM: defaultDistance, Theme: "night"}
	}
	return p.send(w, r, http.StatusOK, shell{Page: "expo", Screen: s, Theme: s.Theme})
}

// send renders a shell in the language and theme of this browser. A query language= or theme= chooses them: it sets the
// cookie and leads to the same page without the query, so the switches are plain links.
func (p *pages) send(w http.ResponseWriter, r *http.Request, status int, s shell) error {
	if to, chosen := choose(w, r); chosen {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	s.Catalogue = words.In(p.Language)
	if c, err := r.Cookie(languageCookie); err == nil && known(words.Languages(), c.Value) {
		s.Catalogue = words.In(c.Value)
	}
	if s.Theme == "" {
		s.Theme = "day"
		if c, err := r.Cookie(themeCookie); err == nil && known(themes, c.Value) {
			s.Theme = c.Value
		}
	}
	s.Path, s.Site, s.Config, s.Assets = r.URL.Path, p.Site, p.Config, "/assets/"+p.assets.version+"/"
	s.Style, s.Offsets = p.style(s.Page), offsets(p.Timezone, time.Now())

	var b bytes.Buffer
	if err := p.shells[s.Page]().ExecuteTemplate(&b, "page", s); err != nil {
		return fmt.Errorf("render page %s: %w", s.Page, err)
	}
	h := w.Header()
	secure(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Cookie")
	tag := etag(b.Bytes())
	h.Set("ETag", tag)
	if status == http.StatusOK && strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a browser that went away has no use for an error
	return nil
}

// offsets writes how far a zone's clock is ahead of UTC now and when that changes, as `FROM:SECONDS` in seconds since 1970:
// the change before now and the next three, so that a page need not ask its browser, and one that stays open for a year is
// right. A zone without changes is one pair.
func offsets(zone string, now time.Time) string {
	at, err := time.LoadLocation(zone)
	if err != nil {
		at = time.UTC
	}
	var b strings.Builder
	for t := now.In(at); strings.Count(b.String(), ":") < 4; {
		_, ahead := t.Zone()
		from, until := t.ZoneBounds()
		start := int64(0)
		if !from.IsZero() {
			start = from.Unix()
		}
		fmt.Fprintf(&b, "%d:%d ", start, ahead)
		if until.IsZero() {
			break
		}
		t = until
	}
	return strings.TrimSpace(b.String())
}

var themes = []string{"day", "night"}

func choose(w http.ResponseWriter, r *http.Request) (to string, chosen bool) {
	if r.URL.RawQuery == "" {
		return "", false
	}
	q := r.URL.Query()
	for name, allowed := range map[string][]string{languageCookie: words.Languages(), themeCookie: themes} {
		value := q.Get(name)
		if !known(allowed, value) {
			continue
		}
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode})
		q.Del(name)
		chosen = true
	}
	here := url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
	return here.String(), chosen
}

func known(list []string, value string) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}
