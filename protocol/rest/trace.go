package rest

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Exchange is one attempt of a call as the trace hook sees it. Nothing in it is secret.
type Exchange struct {
	At       time.Time // when it began
	Op       string
	Method   string
	Path     string // with its query, hidden values masked
	Attempt  int    // from 1
	Status   int    // 0: no answer
	Took     time.Duration
	Sent     int    // bytes of the body
	Received int    // bytes of the answer's body
	Fate     Fate   // of a failed attempt
	Err      string // "" for success
}

// Masked stands where something was hidden.
const Masked = "***"

// hidden are query parameters whose values are never shown, in lower case.
var hidden = []string{"apikey", "api_key", "api-key", "key", "token", "access_token", "refresh_token", "client_secret", "secret", "password", "signature", "sig"}

// A redactor knows what must not be shown.
type redactor struct {
	names []string // of query parameters, in lower case, beyond hidden
	fixed []string // secrets of the configuration

	mu     sync.Mutex // guards recent
	recent []string   // the last tokens, oldest first
}

// maxRecent bounds how many past tokens are remembered.
const maxRecent = 16

// shortest is the length from which a word counts as a secret: masking shorter ones would make every text unreadable.
const shortest = 4

func newRedactor(secrets, names []string) *redactor {
	r := &redactor{}
	for _, n := range names {
		r.names = append(r.names, strings.ToLower(n))
	}
	for _, s := range secrets {
		if len(s) >= shortest {
			r.fixed = append(r.fixed, s)
		}
	}
	return r
}

// remember hides the Authorization value s from now on, without its scheme.
func (r *redactor) remember(s string) {
	if _, value, ok := strings.Cut(s, " "); ok {
		s = value
	}
	if len(s) < shortest {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.recent, s) {
		return
	}
	if len(r.recent) == maxRecent {
		r.recent = slices.Delete(r.recent, 0, 1)
	}
	r.recent = append(r.recent, s)
}

// text masks secrets in s, as they are and as they look in a URL.
func (r *redactor) text(s string) string {
	r.mu.Lock()
	secrets := slices.Concat(r.fixed, r.recent)
	r.mu.Unlock()
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // one may be part of another
	for _, secret := range secrets {
		s = strings.ReplaceAll(s, secret, Masked)
		for _, escaped := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
			if escaped != secret {
				s = strings.ReplaceAll(s, escaped, Masked)
			}
		}
	}
	return s
}

// target is the path and query of u for people.
func (r *redactor) target(u *url.URL) string {
	path := u.EscapedPath()
	if u.RawQuery == "" {
		return r.text(path)
	}
	var parts []string
	for _, pair := range strings.Split(u.RawQuery, "&") {
		name, _, valued := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		plain = strings.ToLower(plain)
		if valued && (slices.Contains(hidden, plain) || slices.Contains(r.names, plain)) {
			pair = name + "=" + Masked
		}
		parts = append(parts, pair)
	}
	return r.text(path + "?" + strings.Join(parts, "&"))
}
