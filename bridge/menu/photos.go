package menu

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	maxPhotos    = 500             // looked at after an update; a menu with more is looked at in part
	photoTimeout = 5 * time.Second // for one of them
	maxRedirects = 3
)

// photos is what the last look at the catalogue's photos found.
type photos struct {
	look chan struct{} // of size 1: there are photos to look at

	mu     sync.Mutex        // guards what follows; held for memory only
	broken map[string]string // address -> why it cannot be fetched
}

func (p *photos) why(address string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken[address]
}

// watchPhotos tries each photo after an update, one after the other: partners fetch them from where they lie, and one that
// cannot be had is left out there without a word (OTR-34).
func (s *Service) watchPhotos(ctx context.Context) error {
	signal(s.photos.look)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.photos.look:
		}
		c, _, err := s.catalogue(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		broken := map[string]string{}
		for _, address := range secure(&c) {
			try, cancel := context.WithTimeout(ctx, photoTimeout)
			err := s.c.Photo(try, address)
			cancel()
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				broken[address] = clip(err.Error())
			}
		}
		s.photos.mu.Lock()
		s.photos.broken = broken
		s.photos.mu.Unlock()
	}
}

// secure lists the addresses of photos that partners may fetch, each once.
func secure(c *Catalogue) []string {
	var list []string
	for i := range c.Items {
		if u, err := url.Parse(c.Items[i].Photo); err == nil && u.Scheme == "https" && u.Host != "" {
			list = append(list, c.Items[i].Photo)
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(len(list), maxPhotos)]
}

// FetchPhoto gives a Config.Photo that asks for a photo's head over HTTPS and reads none of it.
func FetchPhoto(transport http.RoundTripper) func(ctx context.Context, address string) error {
	client := &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || r.URL.Scheme != "https" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return func(ctx context.Context, address string) error {
		for _, method := range []string{http.MethodHead, http.MethodGet} { // not every server answers HEAD
			r, err := http.NewRequestWithContext(ctx, method, address, nil)
			if err != nil {
				return err
			}
			answer, err := client.Do(r)
			var wrapped *url.Error
			if errors.As(err, &wrapped) {
				err = wrapped.Err // the address stands beside it
			}
			if err != nil {
				return err
			}
			answer.Body.Close()
			switch {
			case answer.StatusCode == http.StatusOK:
				return nil
			case method == http.MethodHead && (answer.StatusCode == http.StatusMethodNotAllowed || answer.StatusCode == http.StatusNotImplemented):
			default:
				return fmt.Errorf("HTTP %d", answer.StatusCode)
			}
		}
		return errors.New("HTTP 405")
	}
}
