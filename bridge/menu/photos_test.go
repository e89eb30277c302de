package menu

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// Photos are fetched from where they lie after each update: what cannot be had is found under its heading, and is no longer
// once it can (OTR-34).
func TestPhotos(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/gone.jpg" && !mended.Load():
			http.NotFound(w, r)
		case r.URL.Path == "/get-only.jpg" && r.Method != http.MethodGet:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/moved.jpg":
			http.Redirect(w, r, "/here.jpg", http.StatusFound)
		case r.URL.Path == "/plain.jpg":
			http.Redirect(w, r, "http://127.0.0.1:1/x.jpg", http.StatusFound)
		case r.URL.Path == "/circle.jpg":
			http.Redirect(w, r, "/circle.jpg", http.StatusFound)
		}
	}))
	defer server.Close()
	fetch := FetchPhoto(server.Client().Transport)
	h := newHouse(t, func(c *Config) {
		c.Photo = func(ctx context.Context, address string) error {
			if !strings.HasPrefix(address, server.URL) {
				return nil // the bistro's own lie in the internet
			}
			return fetch(ctx, address)
		}
	})
	names := []string{"here", "gone", "get-only", "moved", "plain", "circle"}
	h.pos.sells(func(c *Catalogue) {
		for _, name := range names {
			c.Items = append(c.Items, Item{ID: "p-" + name, SKU: name, Name: name, Category: "1", Price: 900, Description: "x", Photo: server.URL + "/" + name + ".jpg"})
		}
	})
	found := func() (list []string) {
		var v lintList
		h.call("GET", "/v1/menu/lint", "", http.StatusOK, &v)
		for _, f := range v.Findings {
			if f.Heading == HeadPhotos && f.Code == "unreachable_photo" {
				list = append(list, f.Name)
				if f.Name == "gone" && !strings.Contains(f.Text, "404") {
					t.Errorf("it says %q", f.Text)
				}
			}
		}
		slices.Sort(list)
		return list
	}
	h.done(`{"menu":"otter"}`)
	h.until("three of them cannot be had", func() bool { return slices.Equal(found(), []string{"circle", "gone", "plain"}) })
	mended.Store(true)
	h.done(`{"menu":"otter"}`)
	h.until("one is mended", func() bool { return slices.Equal(found(), []string{"circle", "plain"}) })
}
