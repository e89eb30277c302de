package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/api"
	"aboyeur/bridge/words"
)

//go:embed asset
var assetFiles embed.FS

// assets are the files that pages load, held in memory under one version: the hash of all of them. Modules name each
// other by relative addresses, so the version holds for every import too.
type assets struct {
	version string
	files   map[string]asset
}

type asset struct {
	kind string
	etag string
	body []byte
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func newAssets() *assets {
	a := &assets{files: map[string]asset{}}
	entries, err := assetFiles.ReadDir("asset")
	if err != nil {
		panic(err) // embedded: a fault of the build
	}
	for _, e := range entries {
		body, err := assetFiles.ReadFile("asset/" + e.Name())
		if err != nil {
			panic(err)
		}
		a.add(e.Name(), body)
	}
	for _, lang := range words.Languages() {
		a.add("words."+lang+".js", wordsModule(words.In(lang)))
	}
	names := make([]string, 0, len(a.files))
	for name := range a.files {
		names = append(names, name)
	}
	slices.Sort(names)
	all := sha256.New()
	for _, name := range names {
		all.Write([]byte(name + "\x00" + a.files[name].etag + "\x00"))
	}
	a.version = hex.EncodeToString(all.Sum(nil))[:12]
	return a
}

func (a *assets) add(name string, body []byte) {
	a.files[name] = asset{kind: kinds[path.Ext(name)], etag: etag(body), body: body}
}

// wordsModule is a catalogue as a module. Words that only Go uses (paper.…, diagnosis.…) stay at home.
func wordsModule(c *words.Catalogue) []byte {
	text := map[string]string{}
	for _, key := range c.Keys() {
		if !strings.HasPrefix(key, "paper.") && !strings.HasPrefix(key, "diagnosis.") {
			text[key] = c.T(key)
		}
	}
	var b bytes.Buffer
	b.WriteString("export default ")
	e := json.NewEncoder(&b) // sorted keys, HTML escaped: the module is the same bytes each time
	if err := e.Encode(text); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:])[:24] + `"`
}

// serve sends a file: kept for ever under the current version, asked for again under any other (a page that was open
// while the box was upgraded).
func (a *assets) serve(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	f, ok := a.files[name]
	if !ok {
		return api.NotFound("file", name)
	}
	h := w.Header()
	secure(h)
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	if r.PathValue("version") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	return nil
}

func (a *assets) icon(w http.ResponseWriter, r *http.Request) error {
	r.SetPathValue("file", "icon.svg")
	return a.serve(w, r)
}

// secure sets the headers that every page and file carries. Geometry reaches a page as data attributes that a script
// turns into custom properties, so the policy needs no exception for styles.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
}
