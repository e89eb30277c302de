package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// firstView is the most bytes that a page's first view may take over the wire.
const firstView = 100 << 10

// TestFirstViewIsLight adds up what each page sends before it is first seen: shell, stylesheets, every script and the words.
func TestFirstViewIsLight(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)
	c := Config{Screens: []Screen{{Name: "grill"}}}
	pages := site(c)
	for _, r := range Routes(c) {
		if !r.Page {
			continue
		}
		path := strings.NewReplacer("{$}", "", "{screen}", "grill", "{id}", "x", "{name}", "x").Replace(r.Path)
		for _, language := range []string{"en", "fr"} {
			page := ask(pages, path, "Cookie", "language="+language)
			text, err := io.ReadAll(page.Body)
			if err != nil {
				t.Fatal(err)
			}
			sum, files := len(text), map[string]bool{}
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				if files[m[1]] {
					continue
				}
				files[m[1]] = true
				file := ask(pages, m[1], "Accept-Encoding", "gzip")
				packed, err := io.ReadAll(file.Body)
				if err != nil || file.StatusCode != http.StatusOK {
					t.Fatalf("%s: %d %v", m[1], file.StatusCode, err)
				}
				sum += len(packed)
			}
			if sum > firstView {
				t.Errorf("%s in %s: %d bytes in %d files, want at most %d", path, language, sum, len(files), firstView)
			}
			t.Logf("%s %s: %d bytes in %d files", path, language, sum, len(files))
		}
	}
}

// A file is the same packed and plain, and is told apart.
func TestFilesPacked(t *testing.T) {
	a := files()
	plain := fetch(t, Config{}, "/assets/"+a.version+"/rows.js")
	want, err := io.ReadAll(plain.Body)
	if err != nil {
		t.Fatal(err)
	}
	packed := fetch(t, Config{}, "/assets/"+a.version+"/rows.js", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != string(want) || len(want) < 5000 {
		t.Errorf("packed it reads %d bytes, plain %d (%v)", len(got), len(want), err)
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") || packed.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("packed and plain are told apart by nothing: %v, %v", plain.Header, packed.Header)
	}
	if again := fetch(t, Config{}, "/assets/old/rows.js", "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d, want 304", again.StatusCode)
	}
}
