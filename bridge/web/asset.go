package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/bridge/api"
	"aboyeur/bridge/words"
)

//go:embed asset
var assetFiles embed.FS

// assets are the files that pages load, under one version: the hash of all of them. A page's script goes out joined with
// all that it imports. A file is packed when it is first asked for, and only packed is it kept: what is embedded lies in
// the program and costs no memory.
type assets struct {
	version string
	files   map[string]*asset
}

type asset struct {
	kind   string
	etag   string
	needs  []need // modules it imports
	open   func() (io.ReadSeeker, error)
	packed func() ([]byte, error) // joined and packed by gzip, once
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func newAssets() *assets {
	a := &assets{files: map[string]*asset{}}
	entries, err := assetFiles.ReadDir("asset")
	if err != nil {
		panic(err) // embedded: a fault of the build
	}
	for _, e := range entries {
		a.add(e.Name(), func() (io.ReadSeeker, error) {
			f, err := assetFiles.Open("asset/" + e.Name())
			if err != nil {
				return nil, err
			}
			return f.(io.ReadSeeker), nil // as embed promises
		})
	}
	for _, lang := range words.Languages() {
		a.add("words."+lang+".js", func() (io.ReadSeeker, error) { return bytes.NewReader(wordsScript(words.In(lang))), nil })
	}
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		all.Write([]byte(name + "\x00" + a.files[name].etag + "\x00"))
	}
	a.version = hex.EncodeToString(all.Sum(nil))[:12]
	for name, f := range a.files {
		if len(f.needs) > 0 { // what it is joined of may differ while it does not
			f.etag = etag([]byte(a.version + name))
		}
	}
	return a
}

func (a *assets) add(name string, open func() (io.ReadSeeker, error)) {
	f, err := open()
	if err != nil {
		panic(err) // embedded: a fault of the build
	}
	body, err := io.ReadAll(f)
	if err != nil {
		panic(err)
	}
	a.files[name] = &asset{kind: kinds[path.Ext(name)], etag: etag(body), needs: imports(name, string(body)), open: open, packed: sync.OnceValues(func() ([]byte, error) { return a.pack(name) })}
}

func (a *assets) pack(name string) ([]byte, error) {
	body, err := a.join(name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(body)
	}
	if err == nil {
		err = z.Close()
	}
	return bytes.Clone(b.Bytes()), err // without what the buffer has to spare
}

// wordsScript is a catalogue as a script that runs before the page's own. Words that only Go uses (paper.…, diagnosis.…) stay at home.
func wordsScript(c *words.Catalogue) []byte {
	text := map[string]string{}
	for _, key := range c.Keys() {
		if !strings.HasPrefix(key, "paper.") && !strings.HasPrefix(key, "diagnosis.") {
			text[key] = c.T(key)
		}
	}
	var b bytes.Buffer
	b.WriteString("globalThis.words = ")
	e := json.NewEncoder(&b) // sorted keys, HTML escaped: the script is the same bytes each time
	if err := e.Encode(text); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return tag(sum[:])
}

func tag(sum []byte) string { return `"` + hex.EncodeToString(sum)[:24] + `"` }

// serve sends a file: kept for ever under the current version, asked for again under any other (a page that was open
// while the box was upgraded). A browser that takes it packed gets it so.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	f, ok := a.files[name]
	if !ok {
		return api.NotFound("file", name)
	}
	h := w.Header()
	secure(h)
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	if r.PathValue("version") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("ETag", f.etag)
		body, err := a.join(name)
		if err != nil {
			return err
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		return nil
	}
	body, err := f.packed()
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	packed := strings.TrimSuffix(f.etag, `"`) + `-gzip"`
	h.Set("ETag", packed)
	if strings.Contains(r.Header.Get("If-None-Match"), packed) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a browser that went away has no use for an error
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
